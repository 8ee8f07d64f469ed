//! What the service adds to a document: defaults, the fields that it writes itself, and those that rules force.

use bson::{RawBson, RawBsonRef, RawDocument, RawDocumentBuf};

use super::{Place, forced, key, stamped, unreadable};
use crate::{
    error::Result,
    schema::{Field, Stamp, access::User},
};

/// What is added, and when.
#[derive(Clone, Copy)]
struct Fill<'u> {
    defaults: bool,
    stamp: fn(&Field) -> Option<Stamp>,
    forced: bool,
    user: Option<&'u User>,
}

/// Where an object that replaces another one comes from.
#[derive(Clone, Copy)]
struct Origin<'d> {
    stored: Option<&'d RawDocument>,
    sent: &'d RawDocument,
}

/// What the service makes of a field by itself.
enum Written {
    /// Nothing: it is the client's.
    No,
    Value(RawBson),
    /// There is no value for it.
    Gone,
}

/// A field of the document itself that the service writes, by name; `None` for a value that goes.
pub(super) type Stamped<'s> = (&'s str, Option<RawBson>);

/// Defaults, the fields written on insert, and the forced ones.
pub(super) fn on_insert(document: RawDocumentBuf, (shape, user): Place<'_>) -> Result<RawDocumentBuf> {
    // Most shapes add nothing, which is seen at once.
    if !(shape.defaulted || shape.owned) {
        return Ok(document);
    }
    let fill = Fill { defaults: true, stamp: |field| field.set?.insert, forced: true, user };
    if fill.adds_to(shape) { fill.document(&document, None, shape) } else { Ok(document) }
}

/// Defaults alone, in what was `sent`: what the service writes is settled when it is known that anything changes. What is
/// out of sight in an object that is `stored` stays as it is there, be it absent.
pub(super) fn on_replace(
    document: &RawDocument,
    (stored, sent): (&RawDocument, &RawDocument),
    (shape, user): Place<'_>,
) -> Result<RawDocumentBuf> {
    let origin = Origin { stored: Some(stored), sent };
    Fill { defaults: true, stamp: |_| None, forced: false, user }.document(document, Some(origin), shape)
}

/// The fields written on update, and the forced ones.
pub(super) fn on_update(document: &RawDocument, (shape, user): Place<'_>) -> Result<RawDocumentBuf> {
    let stamp = |field: &Field| field.set?.update;
    Fill { defaults: false, stamp, forced: true, user }.document(document, None, shape)
}

/// What the service writes on an update; `None` where it writes more than fields of the document itself.
pub(super) fn stamps((shape, user): Place<'_>) -> Option<Vec<Stamped<'_>>> {
    let stamp = |field: &Field| field.set?.update;
    let is_deep = |field: &Field| any(field, |field| stamp(field).is_some());
    if any(shape, |field| field.forced.is_some()) || shape.properties.values().any(is_deep) {
        return None;
    }
    let stamps = shape.properties.iter().filter_map(|(name, field)| Some((name.as_str(), field, stamp(field)?)));
    let stamps = stamps.filter(|(name, ..)| *name != "_id");
    let written = stamps.map(|(name, field, stamp)| {
        let is_plain = !name.is_empty() && !name.starts_with('$') && !name.contains('.');
        is_plain.then(|| (name, stamped(stamp, field, user)))
    });
    written.collect()
}

/// Whether the `stored` document and what an update makes of it are the same, but for what the service writes into the
/// document itself on every update.
pub(super) fn is_same(stored: &RawDocument, result: &RawDocument, shape: &Field) -> Result<bool> {
    Ok(stored.as_bytes() == result.as_bytes()
        || unstamped(stored, shape)?.as_bytes() == unstamped(result, shape)?.as_bytes())
}

/// The document without what the service writes into it on every update.
fn unstamped(document: &RawDocument, shape: &Field) -> Result<RawDocumentBuf> {
    let mut out = RawDocumentBuf::new();
    for element in document {
        let (name, value) = element.map_err(unreadable)?;
        if !shape.properties.get(name.as_str()).is_some_and(is_stamped) {
            out.append(name, value);
        }
    }
    Ok(out)
}

/// Whether the service writes the field on updates.
pub(super) fn is_stamped(field: &Field) -> bool {
    field.set.is_some_and(|set| set.update.is_some())
}

impl Fill<'_> {
    fn document(self, document: &RawDocument, origin: Option<Origin<'_>>, shape: &Field) -> Result<RawDocumentBuf> {
        if !self.adds_to(shape) {
            return Ok(document.to_owned());
        }
        let (mut out, mut is_there) = (RawDocumentBuf::new(), vec![false; shape.properties.len()]);
        for element in document {
            let (name, value) = element.map_err(unreadable)?;
            if let Some(at) = shape.properties.get_index_of(name.as_str()) {
                is_there[at] = true;
            }
            let field = shape.member(name.as_str());
            match self.written(field, name.as_str())? {
                Written::Value(written) => out.append(name, written),
                Written::Gone => {}
                Written::No => out.append(name, self.value((name.as_str(), value), origin, field)?),
            }
        }
        let is_stored = origin.is_some_and(|origin| origin.stored.is_some());
        for ((name, field), is_there) in shape.properties.iter().zip(is_there) {
            if !is_there && let Some(value) = self.absent((name, field), is_stored)? {
                out.append(key(name)?, value);
            }
        }
        Ok(out)
    }

    /// The value of a field that is not there, in an object that is stored or new.
    fn absent(self, (name, field): (&str, &Field), is_stored: bool) -> Result<Option<RawBson>> {
        match self.written(field, name)? {
            Written::Value(value) => return Ok(Some(value)),
            Written::Gone => return Ok(None),
            Written::No => {}
        }
        if self.forces_below(field) {
            return self.document(&RawDocumentBuf::new(), None, field).map(|object| Some(RawBson::Document(object)));
        }
        let is_kept = field.forced.is_some() || (is_stored && field.is_out_of_sight());
        Ok(if self.defaults && !is_kept { field.default.clone() } else { None })
    }

    /// An `_id` is made once, before anything is filled in.
    fn written(self, field: &Field, name: &str) -> Result<Written> {
        match (&field.forced, (self.stamp)(field)) {
            _ if name == "_id" => Ok(Written::No),
            (Some(value), _) if self.forced => forced(value, self.user).map(Written::Value),
            (_, Some(stamp)) => Ok(stamped(stamp, field, self.user).map_or(Written::Gone, Written::Value)),
            _ => Ok(Written::No),
        }
    }

    fn value(
        self,
        (name, value): (&str, RawBsonRef<'_>),
        origin: Option<Origin<'_>>,
        field: &Field,
    ) -> Result<RawBson> {
        let origin = match origin {
            None => None,
            Some(Origin { stored, sent }) => match member(Some(sent), name)? {
                Some(sent) => Some(Origin { stored: member(stored, name)?, sent }),
                // It is there only for what is kept in it.
                None => return Ok(value.into()),
            },
        };
        let filled = match value.as_document() {
            Some(object) => self.document(object, origin, field),
            // What a rule forces is there, whatever was sent in place of the object that holds it.
            None if self.forces_below(field) => self.document(&RawDocumentBuf::new(), None, field),
            None => return Ok(value.into()),
        };
        filled.map(RawBson::Document)
    }

    /// Whether anything is added to objects of this shape, at any depth.
    fn adds_to(self, shape: &Field) -> bool {
        let writes = |field: &Field| (self.stamp)(field).is_some() || (self.forced && field.forced.is_some());
        (self.defaults && shape.defaulted) || any(shape, writes)
    }

    fn forces_below(self, shape: &Field) -> bool {
        self.forced && any(shape, |field| field.forced.is_some())
    }
}

/// Whether this, which makes a field an [owned](Field::owned) one, holds of a member of objects of this shape, at any depth.
fn any(shape: &Field, holds: impl Fn(&Field) -> bool + Copy) -> bool {
    shape.owned && shape.properties.values().any(|field| field.owned && (holds(field) || any(field, holds)))
}

/// The object that is the member `name`, if there is one.
fn member<'d>(object: Option<&'d RawDocument>, name: &str) -> Result<Option<&'d RawDocument>> {
    let value = object.map_or(Ok(None), |object| object.get(name).map_err(unreadable))?;
    Ok(value.and_then(RawBsonRef::as_document))
}
