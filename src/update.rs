//! What a write makes of a document: pure functions from the stored one to the next.
//!
//! The service's own part is here too: defaults, the fields it writes itself or a rule forces, the ones clients may not
//! write or cannot see. All that follows from the shape it is given, which is that of one caller. Whether the result may
//! be stored is for the database to say.

use std::sync::Arc;

use bson::{Bson, RawBson, RawDocument, RawDocumentBuf, raw::CString};

pub use crate::etag::Precondition;
pub(crate) use id::{bad as bad_id, of as id_of};

use crate::{
    codec::{decode, top, visible},
    error::{Error, Result, Violation},
    schema::{
        Field, Kind, Schema, Stamp,
        access::{Op, User, Value},
    },
};

mod alike;
pub mod bulk;
mod direct;
mod fill;
mod form;
mod geometry;
mod guard;
mod id;
mod json_patch;
pub mod many;
mod merge;
mod operators;

pub use direct::Direct;
pub use form::Form;
pub use json_patch::JsonPatch;
pub use operators::Operators;

/// A document as a client sends it, to be stored as a new one.
#[derive(Debug, Clone)]
pub struct Insert {
    /// What was sent.
    pub body: RawDocumentBuf,
}

/// A new document, ready to be stored.
#[derive(Debug, Clone)]
pub struct InsertPlan {
    /// The collection.
    pub schema: Arc<Schema>,
    /// The document, `_id` first, with defaults and what the service writes.
    pub document: RawDocumentBuf,
}

/// A change to one document, ready to be worked out on what is stored.
#[derive(Debug, Clone)]
pub struct ChangePlan {
    /// The collection.
    pub schema: Arc<Schema>,
    /// The document's `_id`.
    pub id: Bson,
    /// What is to become of it.
    pub change: Change,
    /// What must hold of the stored document.
    pub precondition: Precondition,
}

/// What is to become of a document.
#[derive(Debug, Clone)]
pub enum Change {
    /// It is replaced by this, but for the fields that the client may not write or cannot see.
    Replace(RawDocumentBuf),
    /// It is created with this; there must be none.
    Create(RawDocumentBuf),
    /// It is replaced by this, or created with it where there is none.
    Upsert(RawDocumentBuf),
    /// It is merged with this ([RFC 7396](https://www.rfc-editor.org/rfc/rfc7396)).
    Merge(RawDocumentBuf),
    /// It is changed step by step ([RFC 6902](https://www.rfc-editor.org/rfc/rfc6902)).
    Patch(JsonPatch),
    /// MongoDB's update operators are applied to it.
    Operate(Operators),
    /// It is deleted.
    Delete,
}

/// What a change comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Nothing changes.
    Keep,
    /// The stored document is replaced.
    Store(RawDocumentBuf),
    /// A document is inserted.
    Insert(RawDocumentBuf),
    /// The stored document is deleted.
    Delete,
    /// The server applies the operators; what they come to is for [`ChangePlan::settle`].
    Operate,
}

/// The shape of documents as a caller has them, and who that is.
pub type Place<'p> = (&'p Field, Option<&'p User>);

impl InsertPlan {
    /// The plan to store [what is made](Self::document) of `body`.
    pub fn new(
        (schema, user): (&Arc<Schema>, Option<&User>),
        id: Option<&RawBson>,
        body: &RawDocument,
    ) -> Result<Self> {
        Ok(Self { schema: Arc::clone(schema), document: Self::document((schema, user), id, body)? })
    }

    /// The document `body` as it is to be stored, under `id` where that is given; it may not hold what is hidden or what
    /// only the service writes.
    pub fn document(
        (schema, user): (&Schema, Option<&User>),
        id: Option<&RawBson>,
        body: &RawDocument,
    ) -> Result<RawDocumentBuf> {
        let place = (&schema.root, user);
        guard::refuse_hidden(body, &schema.root)?;
        guard::refuse_protected(body, &schema.root)?;
        geometry::check(body, schema)?;
        let document = top::led(body, |own| {
            let chosen = match id {
                Some(id) => id::chosen(schema, place, id)?,
                None => own.map_or_else(|| id::choose(schema, place), Ok)?,
            };
            id::check(schema, &chosen).map(|()| chosen)
        })?;
        fill::on_insert(document, place)
    }
}

impl ChangePlan {
    /// The operation that it is.
    pub fn op(&self) -> Op {
        match self.change {
            Change::Create(_) => Op::Insert,
            Change::Delete => Op::Delete,
            _ => Op::Update,
        }
    }

    /// The update operators that it consists of, if it does.
    pub fn operators(&self) -> Option<&Operators> {
        if let Change::Operate(operators) = &self.change { Some(operators) } else { None }
    }

    /// Whether there may be no document yet.
    pub fn creates(&self) -> bool {
        matches!(self.change, Change::Create(_) | Change::Upsert(_))
    }

    /// Refuses what nobody can store, whatever is there already. What a JSON patch comes to shows when it is applied.
    pub fn refuse_unfit(&self) -> Result<()> {
        match &self.change {
            Change::Create(body) | Change::Replace(body) | Change::Upsert(body) | Change::Merge(body) => {
                geometry::check(body, &self.schema)
            }
            Change::Operate(operators) => geometry::check_operators(operators.update(), &self.schema),
            Change::Patch(_) | Change::Delete => Ok(()),
        }
    }

    /// Refuses to write what is hidden in documents of the shape `shape`.
    pub fn refuse_hidden(&self, shape: &Field) -> Result<()> {
        match &self.change {
            Change::Create(body) | Change::Replace(body) | Change::Upsert(body) | Change::Merge(body) => {
                guard::refuse_hidden(body, shape)
            }
            Change::Patch(patch) => patch.check(shape),
            Change::Operate(operators) => operators.check(shape),
            Change::Delete => Ok(()),
        }
    }

    /// What the change comes to on the `stored` document.
    pub fn next(&self, stored: &RawDocument, place: Place<'_>) -> Result<Next> {
        self.refuse_hidden(place.0)?;
        match &self.change {
            Change::Delete => Ok(Next::Delete),
            Change::Create(_) => Err(Error::PreconditionFailed { current: None }),
            Change::Operate(_) => Ok(Next::Operate),
            Change::Replace(body) | Change::Upsert(body) => {
                let id = id::of(stored)?;
                id::check_same(&id, body)?;
                let sent = top::led(body, |_| Ok(id))?;
                let next = guard::keep(stored, &sent, place.0)?;
                changed(stored, (&fill::on_replace(&next, (stored, &sent), place)?, body), place)
            }
            Change::Merge(patch) => {
                let merged = merge::merge(stored, patch)?;
                id::check_kept(stored, &merged)?;
                changed(stored, (&guard::keep_merged((stored, patch), &merged, place.0)?, patch), place)
            }
            Change::Patch(patch) => {
                let seen = visible::document(stored, place.0)?;
                let patched = patch.apply(&seen, place.0)?;
                geometry::check(&patched, &self.schema)?;
                id::check_kept(stored, &patched)?;
                changed(stored, (&guard::keep_patched(stored, &patched, place.0)?, &patched), place)
            }
        }
    }

    /// What becomes of the `stored` document of which the server has made `result`.
    pub fn settle(&self, (stored, result): (&RawDocument, &RawDocument), place: Place<'_>) -> Result<Next> {
        let tells = |operators: &Operators| operators.names_unseen(place.0);
        if fill::is_same(stored, result, place.0)? && !self.operators().is_some_and(tells) {
            return Ok(Next::Keep);
        }
        fill::on_update(result, place).map(Next::Store)
    }

    /// The new document that the change comes to where none is stored.
    pub fn create(&self, (schema, user): (&Arc<Schema>, Option<&User>)) -> Result<InsertPlan> {
        let (Change::Create(body) | Change::Upsert(body)) = &self.change else {
            return Err(Error::UnknownDocument { collection: self.schema.name.clone() });
        };
        let id = RawBson::try_from(self.id.clone()).map_err(unreadable)?;
        id::check_same(&id, body)?;
        InsertPlan::new((schema, user), Some(&id), body)
    }
}

/// A change that changes nothing is not written, so it leaves the time of the last update alone too. Where something out
/// of sight was `sent`, it is: that it is the stored value would be told by what does not happen.
fn changed(stored: &RawDocument, (next, sent): (&RawDocument, &RawDocument), place: Place<'_>) -> Result<Next> {
    if stored.as_bytes() == next.as_bytes() && !guard::names_unseen(sent, place.0)? {
        return Ok(Next::Keep);
    }
    fill::on_update(next, place).map(Next::Store)
}

/// A refusal of the value at a pointer into the document, in the form of a broken rule.
pub(crate) fn refused(schema: &Schema, (pointer, keyword): (&str, &str), detail: &str) -> Error {
    let violation = Violation {
        pointer: pointer.into(),
        detail: detail.into(),
        keyword: keyword.into(),
        expected: None,
        found: None,
        rule: None,
        condition: None,
    };
    Error::InvalidDocument { collection: schema.name.clone(), violations: vec![violation] }
}

/// The value that the service writes; `None` for who asks, where nobody says so or that is no value of the field's.
fn stamped(stamp: Stamp, field: &Field, user: Option<&User>) -> Option<RawBson> {
    match stamp {
        Stamp::Now => Some(RawBson::DateTime(bson::DateTime::now())),
        Stamp::Uuid if field.kinds.contains(Kind::String) => Some(RawBson::String(bson::Uuid::new().to_string())),
        Stamp::Uuid => Some(RawBson::Binary(bson::Uuid::new().into())),
        Stamp::User if field.kinds.contains(Kind::String) => Some(RawBson::String(user?.id.clone())),
        Stamp::User => decode::text(&user?.id, field),
    }
}

/// The value that a rule forces on this user.
fn forced(value: &Value, user: Option<&User>) -> Result<RawBson> {
    let value = value.bind(user).and_then(|value| RawBson::try_from(value).ok());
    value.ok_or_else(|| Error::Forbidden("your roles write something here that is not known of you".into()))
}

fn key(name: &str) -> Result<CString> {
    CString::try_from(name).map_err(unreadable)
}

pub(crate) fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("BSON that cannot be read: {error}"))
}

#[cfg(test)]
mod tests;
