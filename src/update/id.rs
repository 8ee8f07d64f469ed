//! The `_id` of documents: where a new one comes from, which there may be, and that it stays.

use bson::{RawBson, RawDocument, oid::ObjectId};

use super::{Place, refused, stamped, unreadable};
use crate::{
    codec::top,
    error::{Error, Result},
    schema::{Kind, Schema, Stamp},
};

/// The `_id` of a new document that brings none.
pub(super) fn choose(schema: &Schema, (_, user): Place<'_>) -> Result<RawBson> {
    let field = schema.id();
    match field.set.and_then(|set| set.insert) {
        Some(stamp) => stamped(stamp, field, user),
        None if field.kinds.contains(Kind::ObjectId) => Some(RawBson::ObjectId(ObjectId::new())),
        None => None,
    }
    .ok_or_else(|| bad(schema, "required", "is required: this collection does not make an `_id` by itself"))
}

/// The `id` that a client gives a new document by its path, unless clients do not choose it. Who is to be the `_id` may
/// say so.
pub(super) fn chosen(schema: &Schema, (_, user): Place<'_>, id: &RawBson) -> Result<RawBson> {
    let field = schema.id();
    let is_user = |stamp: &Stamp| *stamp == Stamp::User;
    let own = field.set.and_then(|set| set.insert).filter(is_user).and_then(|stamp| stamped(stamp, field, user));
    if (field.read_only || field.set.is_some()) && own.as_ref() != Some(id) { Err(changed()) } else { Ok(id.clone()) }
}

/// Refuses an `_id` that no path can end with: an empty one is not there, one that begins with `_` is the service's
/// own, and clients take dots out of paths ([RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4)).
pub(super) fn check(schema: &Schema, id: &RawBson) -> Result<()> {
    match id {
        RawBson::String(text) if text.is_empty() => Err(bad(schema, "_id", "must not be empty")),
        RawBson::Binary(data) if data.bytes.is_empty() => Err(bad(schema, "_id", "must not be empty")),
        RawBson::String(text) if text.starts_with('_') => Err(bad(schema, "_id", "must not begin with `_`")),
        RawBson::String(text) if text == "." || text == ".." => Err(bad(schema, "_id", "must not be `.` or `..`")),
        _ => Ok(()),
    }
}

/// A refusal of a document's `_id`, in the form of a broken rule.
pub(crate) fn bad(schema: &Schema, keyword: &str, detail: &str) -> Error {
    refused(schema, ("/_id", keyword), detail)
}

/// Refuses a `body` with another `_id`.
pub(super) fn check_same(id: &RawBson, body: &RawDocument) -> Result<()> {
    match body.get("_id").map_err(unreadable)? {
        Some(sent) if sent != id.as_raw_bson_ref() => Err(changed()),
        _ => Ok(()),
    }
}

/// Refuses a `next` that has not the `_id` of the `stored` document.
pub(super) fn check_kept(stored: &RawDocument, next: &RawDocument) -> Result<()> {
    let id = |document: &RawDocument| document.get("_id").map_err(unreadable).map(|id| id.map(RawBson::from));
    if id(next)? == id(stored)? { Ok(()) } else { Err(changed()) }
}

fn changed() -> Error {
    Error::ReadOnlyField { pointers: vec!["/_id".into()] }
}

/// The `_id` of a document that has one.
pub(crate) fn of(document: &RawDocument) -> Result<RawBson> {
    top::id(document)?.ok_or_else(|| Error::Internal("a document has no `_id`".into()))
}
