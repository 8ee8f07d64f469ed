//! What the service adds to a document: defaults, and the fields that it writes itself.

use bson::{RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use super::{key, stamped, unreadable};
use crate::{
    error::Result,
    schema::{Field, Stamp, access::User},
};

/// What is added, and when.
#[derive(Clone, Copy)]
struct Fill<'u> {
    defaults: bool,
    stamp: fn(&Field) -> Option<Stamp>,
    user: Option<&'u User>,
}

/// A shape, and who writes what has it.
type Place<'p> = (&'p Field, Option<&'p User>);

/// Defaults and the fields written on insert.
pub(super) fn on_insert(document: &RawDocument, (shape, user): Place<'_>) -> Result<RawDocumentBuf> {
    Fill { defaults: true, stamp: |field| field.set?.insert, user }.document(document, shape)
}

/// Defaults alone: what the service writes is settled when it is known that anything changes.
pub(super) fn on_replace(document: &RawDocument, (shape, user): Place<'_>) -> Result<RawDocumentBuf> {
    Fill { defaults: true, stamp: |_| None, user }.document(document, shape)
}

/// The fields written on update.
pub(super) fn on_update(document: &RawDocument, (shape, user): Place<'_>) -> Result<RawDocumentBuf> {
    Fill { defaults: false, stamp: |field| field.set?.update, user }.document(document, shape)
}

impl Fill<'_> {
    fn document(self, document: &RawDocument, shape: &Field) -> Result<RawDocumentBuf> {
        if !self.adds_to(shape) {
            return Ok(document.to_owned());
        }
        let mut out = RawDocumentBuf::new();
        for element in document {
            let (name, value) = element.map_err(unreadable)?;
            match self.written(shape.member(name.as_str()), name.as_str() == "_id") {
                Some(written) => out.append(name, written),
                None => out.append(name, self.value(value, shape.member(name.as_str()))?),
            }
        }
        for (name, field) in &shape.properties {
            let absent = document.get(name).map_err(unreadable)?.is_none();
            if absent && let Some(value) = self.written(field, name == "_id").or_else(|| self.default(field)) {
                out.append(key(name)?, value);
            }
        }
        Ok(out)
    }

    /// The value that the service writes to a field now. An `_id` is made once, before anything is filled in.
    fn written(self, field: &Field, id: bool) -> Option<RawBson> {
        if id { None } else { (self.stamp)(field).map(|stamp| stamped(stamp, field, self.user)) }
    }

    fn default(self, field: &Field) -> Option<RawBson> {
        if self.defaults { field.default.clone() } else { None }
    }

    fn value(self, value: RawBsonRef<'_>, field: &Field) -> Result<RawBson> {
        match value {
            RawBsonRef::Document(document) => self.document(document, field).map(RawBson::Document),
            value => Ok(value.into()),
        }
    }

    /// Whether anything is added to objects of this shape, at any depth.
    fn adds_to(self, shape: &Field) -> bool {
        shape.properties.values().any(|field| {
            (self.stamp)(field).is_some() || (self.defaults && field.default.is_some()) || self.adds_to(field)
        })
    }
}
