//! What a write makes of a document: pure functions from the stored one to the next.
//!
//! The service's own part is here too: defaults, the fields it writes itself, the ones clients may not write.
//! Whether the result may be stored is for the database to say.

use std::sync::Arc;

use bson::{Bson, RawBson, RawDocument, RawDocumentBuf, oid::ObjectId, raw::CString};

pub use crate::etag::Precondition;
use crate::{
    error::{Error, Result, Violation},
    schema::{
        Field, Kind, Schema, Stamp,
        access::{Op, User},
    },
};

mod fill;
mod guard;
mod merge;

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
    /// It is replaced by this, but for the fields that clients may not write.
    Replace(RawDocumentBuf),
    /// It is created with this; there must be none.
    Create(RawDocumentBuf),
    /// It is merged with this ([RFC 7396](https://www.rfc-editor.org/rfc/rfc7396)).
    Merge(RawDocumentBuf),
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
}

impl InsertPlan {
    /// The document `body` as it is to be stored; it may not hold what only the service writes.
    pub fn new(schema: &Arc<Schema>, user: Option<&User>, body: &RawDocument) -> Result<Self> {
        guard::refuse_protected(body, &schema.root)?;
        let id = match body.get("_id").ok().flatten() {
            Some(id) => id.into(),
            None => make_id(schema, user)?,
        };
        Self::with_id((schema, user), id, body)
    }

    fn with_id((schema, user): (&Arc<Schema>, Option<&User>), id: RawBson, body: &RawDocument) -> Result<Self> {
        check_id(schema, &id)?;
        let document = fill::on_insert(&with_id_first(id, body)?, (&schema.root, user))?;
        Ok(Self { schema: Arc::clone(schema), document })
    }
}

impl ChangePlan {
    /// The operation that it is.
    pub fn op(&self) -> Op {
        match self.change {
            Change::Create(_) => Op::Insert,
            Change::Replace(_) | Change::Merge(_) => Op::Update,
            Change::Delete => Op::Delete,
        }
    }

    /// What the change comes to on the `stored` document, by the rules of `schema` and for this user.
    pub fn next(&self, stored: Option<&RawDocument>, (schema, user): (&Arc<Schema>, Option<&User>)) -> Result<Next> {
        let Some(stored) = stored else { return self.next_without((schema, user)) };
        match &self.change {
            Change::Delete => Ok(Next::Delete),
            Change::Create(_) => Err(Error::PreconditionFailed { current: None }),
            Change::Replace(body) => {
                let id = raw_id(stored)?;
                same_id(&id, body)?;
                let next = guard::keep_protected(stored, &with_id_first(id, body)?, &schema.root)?;
                let next = fill::on_replace(&next, (&schema.root, user))?;
                changed((stored, &next), (&schema.root, user))
            }
            Change::Merge(patch) => {
                let merged = merge::merge(stored, patch)?;
                guard::check_protected(stored, &merged, &schema.root)?;
                changed((stored, &merged), (&schema.root, user))
            }
        }
    }

    fn next_without(&self, (schema, user): (&Arc<Schema>, Option<&User>)) -> Result<Next> {
        let Change::Create(body) = &self.change else {
            return Err(Error::UnknownDocument { collection: self.schema.name.clone() });
        };
        let id = RawBson::try_from(self.id.clone()).map_err(unreadable)?;
        same_id(&id, body)?;
        guard::refuse_protected(body, &schema.root)?;
        InsertPlan::with_id((schema, user), id, body).map(|plan| Next::Insert(plan.document))
    }
}

/// A change that changes nothing is not written, so it leaves the time of the last update alone too.
fn changed((stored, next): (&RawDocument, &RawDocument), shape: (&Field, Option<&User>)) -> Result<Next> {
    if stored.as_bytes() == next.as_bytes() {
        return Ok(Next::Keep);
    }
    fill::on_update(next, shape).map(Next::Store)
}

/// Refuses a `body` with another `_id`.
fn same_id(id: &RawBson, body: &RawDocument) -> Result<()> {
    match body.get("_id").map_err(unreadable)? {
        Some(sent) if sent != id.as_raw_bson_ref() => Err(Error::ReadOnlyField { pointers: vec!["/_id".into()] }),
        _ => Ok(()),
    }
}

/// `document` with `id` as its first field, where MongoDB keeps it.
fn with_id_first(id: RawBson, document: &RawDocument) -> Result<RawDocumentBuf> {
    let mut out = RawDocumentBuf::new();
    out.append(bson::raw::cstr!("_id"), id);
    for element in document {
        let (key, value) = element.map_err(unreadable)?;
        if key.as_str() != "_id" {
            out.append(key, value);
        }
    }
    Ok(out)
}

fn make_id(schema: &Schema, user: Option<&User>) -> Result<RawBson> {
    let field = schema.id();
    match field.set.and_then(|set| set.insert) {
        Some(stamp) => Ok(stamped(stamp, field, user)),
        None if field.kinds.contains(Kind::ObjectId) => Ok(RawBson::ObjectId(ObjectId::new())),
        None => Err(bad_id(schema, "required", "is required: this collection does not make an `_id` by itself")),
    }
}

/// Refuses an `_id` that no path can end with: an empty one is not there, one that begins with `_` is the service's
/// own, and clients take dots out of paths ([RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4)).
fn check_id(schema: &Schema, id: &RawBson) -> Result<()> {
    match id {
        RawBson::String(text) if text.is_empty() => Err(bad_id(schema, "_id", "must not be empty")),
        RawBson::Binary(data) if data.bytes.is_empty() => Err(bad_id(schema, "_id", "must not be empty")),
        RawBson::String(text) if text.starts_with('_') => Err(bad_id(schema, "_id", "must not begin with `_`")),
        RawBson::String(text) if text == "." || text == ".." => Err(bad_id(schema, "_id", "must not be `.` or `..`")),
        _ => Ok(()),
    }
}

/// A refusal of a document's `_id`, in the form of a broken rule.
pub(crate) fn bad_id(schema: &Schema, keyword: &str, detail: &str) -> Error {
    refused(schema, ("/_id", keyword), detail)
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
    };
    Error::InvalidDocument { collection: schema.name.clone(), violations: vec![violation] }
}

/// The value that the service writes.
fn stamped(stamp: Stamp, field: &Field, user: Option<&User>) -> RawBson {
    match stamp {
        Stamp::Now => RawBson::DateTime(bson::DateTime::now()),
        Stamp::User => RawBson::String(user.map(|user| user.id.clone()).unwrap_or_default()),
        Stamp::Uuid if field.kinds.contains(Kind::String) => RawBson::String(bson::Uuid::new().to_string()),
        Stamp::Uuid => RawBson::Binary(bson::Uuid::new().into()),
    }
}

fn raw_id(stored: &RawDocument) -> Result<RawBson> {
    let id = stored.get("_id").map_err(unreadable)?;
    id.map(RawBson::from).ok_or_else(|| Error::Internal("a stored document has no `_id`".into()))
}

fn key(name: &str) -> Result<CString> {
    CString::try_from(name).map_err(unreadable)
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("BSON that cannot be read: {error}"))
}

#[cfg(test)]
mod tests;
