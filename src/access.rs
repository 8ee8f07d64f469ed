//! Who may do what. A [`Caller`] asks, `x-access` of each collection file says what its roles may do, and a [`View`] is
//! what comes of both: one collection as one caller has it. [`permit()`] narrows a plan to a view and is the only way to a
//! [`Permitted`] plan; `store` takes nothing else, so no handler reaches the database around it.
//!
//! Several roles unite: a document is there if one of the caller's roles shows it, and in a document a field is there,
//! or may be written, if one of the roles that show the document leaves it.

use crate::{
    error::Error,
    schema::access::{ANONYMOUS, User},
};

mod bulk;
mod many;
mod narrow;
mod permit;
mod rows;
mod shape;
mod show;
mod view;

pub use bulk::Write;
pub use many::Many;
pub use permit::{Permitted, Plan, permit};
pub use shape::Shape;
pub use show::Reader;
pub use view::{Policy, View};

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who that is; `None` without credentials.
    user: Option<User>,
    rights: Rights,
}

#[derive(Debug, Clone)]
enum Rights {
    /// To do everything.
    All,
    /// Those of these roles.
    Roles(Vec<String>),
}

impl Caller {
    /// Someone without credentials.
    pub fn anonymous() -> Self {
        Self { user: None, rights: Rights::Roles(vec![ANONYMOUS.to_owned()]) }
    }

    /// Someone whose credentials were right. What anyone may do, they may do too.
    pub fn known(user: User, roles: impl IntoIterator<Item = String>) -> Self {
        Self { user: Some(user), rights: Rights::Roles(roles.into_iter().chain([ANONYMOUS.to_owned()]).collect()) }
    }

    /// The same caller with the right to do everything.
    #[must_use]
    pub fn with_all_rights(self) -> Self {
        Self { rights: Rights::All, ..self }
    }

    /// The application that embeds the crate: it decides for itself whom it serves.
    pub fn application() -> Self {
        Self::anonymous().with_all_rights()
    }

    /// Who that is; `None` without credentials.
    pub fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// The names of its roles; none where it may do everything.
    pub fn roles(&self) -> &[String] {
        match &self.rights {
            Rights::All => &[],
            Rights::Roles(roles) => roles,
        }
    }

    /// The error that says no: that credentials are needed to those who sent none, that these do not do to others.
    pub(crate) fn refusal(&self, what: impl FnOnce() -> String) -> Error {
        match self.user {
            None => Error::Unauthenticated("send an API key or a token as `Authorization: Bearer …`"),
            Some(_) => Error::Forbidden(what()),
        }
    }
}
