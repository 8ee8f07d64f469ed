//! Who may do what. [`permit`] is the only way to a [`Permitted`] plan, and `store` takes nothing else,
//! so no handler reaches the database around it.

use crate::error::{Error, Result};

/// The rule that a caller's requests are held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Everything is allowed.
    Open,
    /// Nothing is allowed.
    Closed,
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Caller {
    policy: Policy,
}

impl Caller {
    /// Whoever sends a request, under the service's policy.
    pub fn anonymous(policy: Policy) -> Self {
        Self { policy }
    }

    /// The application that embeds the crate: it decides for itself whom it serves.
    pub fn application() -> Self {
        Self { policy: Policy::Open }
    }

    /// Refuses a caller that may do nothing at all, before anything is looked at.
    pub fn admit(&self) -> Result<()> {
        match self.policy {
            Policy::Open => Ok(()),
            Policy::Closed => {
                Err(Error::Unauthenticated("this service is not open; start it with `--open` to serve everyone"))
            }
        }
    }
}

/// A plan that has passed the caller's policy.
#[derive(Debug)]
pub struct Permitted<T>(T);

impl<T> Permitted<T> {
    /// The plan.
    pub fn plan(&self) -> &T {
        &self.0
    }
}

/// Narrows `plan` to what `caller` may do, or refuses it.
pub fn permit<T>(caller: &Caller, plan: T) -> Result<Permitted<T>> {
    caller.admit()?;
    Ok(Permitted(plan))
}
