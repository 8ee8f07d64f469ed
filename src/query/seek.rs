//! Seeking: which documents come after one in an order, as a filter.
//!
//! An order is MongoDB's over all types, and a document stands in it where its sort keys put it: `null` for a missing
//! field, the least or the greatest item for an array. Where the schema says that a field holds values of one scalar
//! type, its keys are a `range` of that type; elsewhere what comes no later is `exclude`d, type by type.
//! How the position travels from page to page is in [`cursor`](super::cursor).
//!
//! See [comparison and sort order](https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/).

use bson::{Bson, Document, RawArray, RawArrayBuf, RawBson, RawDocument, raw::RawBsonRef};

use super::path;
use crate::{
    error::{Error, Result, invalid_query},
    schema::{Field, Kind, Kinds, Schema},
};

mod exclude;
mod order;
mod range;

use order::Bracket;

/// The names in a sort, those between dots counted one by one, that [`exclude`] takes: its filter grows faster than
/// their number.
const MOST_NAMES: usize = 40;

/// One key of a sort, and where in it the page ended.
struct Key<'s> {
    path: &'s str,
    descending: bool,
    value: Bson,
}

/// What follows the document with the sort keys `position`, in the order `sort`.
///
/// # Errors
/// [`Error::InvalidQuery`] where the position is none of this order, as after a change of the schema, or cannot be
/// compared with.
pub fn after(schema: &Schema, sort: &Document, position: &RawArray) -> Result<Document> {
    let keys = read(sort, position)?;
    if !keys_are_fields(schema, sort) {
        return Ok(exclude::after(&keys));
    }
    for key in &keys {
        let bracket = Bracket::of(&key.value);
        if bracket != Bracket::NULL && scalar(schema, key.path) != Some(bracket) {
            return Err(stale());
        }
    }
    Ok(range::after(&keys))
}

/// Whether a document's own fields are its sort keys; elsewhere the server has to give them.
pub fn keys_are_fields(schema: &Schema, sort: &Document) -> bool {
    sort.keys().all(|path| scalar(schema, path).is_some())
}

/// The sort keys of a document whose fields they are; see [`keys_are_fields`].
pub fn keys(document: &RawDocument, sort: &Document) -> Result<RawArrayBuf> {
    let mut keys = RawArrayBuf::new();
    for path in sort.keys() {
        keys.push(field(document, path)?.unwrap_or(RawBsonRef::Null));
    }
    Ok(keys)
}

/// Whether every page of the order `sort` can be found again, whatever documents the schema allows.
///
/// # Errors
/// [`Error::InvalidQuery`] for what no filter can tell: keys of one and the same item of an array that are the item
/// and a field in it, or a position and a field; a position among items that are arrays, or objects with numbers for
/// names; and more than 40 names.
pub fn check(schema: &Schema, sort: &Document) -> Result<()> {
    if keys_are_fields(schema, sort) {
        return Ok(());
    }
    if sort.keys().flat_map(|path| path.split('.')).count() > MOST_NAMES {
        let detail = format!("expected at most {MOST_NAMES} names, those between dots counted one by one");
        return Err(invalid_query("sort", None, detail));
    }
    for path in sort.keys() {
        for (outer, inner) in splits(path) {
            if let Some(item) = item(schema, outer) {
                tell_apart(sort, (outer, inner), item)?;
            }
        }
    }
    Ok(())
}

/// Sees to it that a filter can tell the key `inner`, of the items of an array at `outer`, from all others in `sort`.
fn tell_apart(sort: &Document, (outer, inner): (&str, &str), item: &Field) -> Result<()> {
    let name = head(inner);
    if is_position(inner) && !is_told(item, name) {
        let detail = format!(
            "`{outer}.{name}` may be an item of an array or a field of that name; declare what `{outer}` holds"
        );
        return Err(invalid_query("sort", None, detail));
    }
    let differs = |other: &str| match other.strip_prefix(outer).and_then(|rest| rest.strip_prefix('.')) {
        Some(rest) => is_position(rest) != is_position(inner),
        None => other == outer,
    };
    match sort.keys().find(|other| differs(other)) {
        Some(other) => {
            let detail = format!("`{other}` and `{outer}.{inner}` may be of the same array, sort by one of them");
            Err(invalid_query("sort", None, detail))
        }
        None => Ok(()),
    }
}

/// The shape of the items, where an array may stand at the dotted name `path`.
fn item<'s>(schema: &'s Schema, path: &str) -> Option<&'s Field> {
    let field = path::reach(&schema.root, path)?;
    // MongoDB refuses an `_id` that is an array.
    (field.kinds.contains(Kind::Array) && path != "_id").then(|| field.item())
}

/// Whether a number picks an item wherever `item` stands, rather than a field of that name or an item of an item.
fn is_told(item: &Field, number: &str) -> bool {
    !(item.kinds.contains(Kind::Array) || item.kinds.contains(Kind::Object) && item.allows(number))
}

/// Whether the dotted name begins with a number, which picks an item of an array.
fn is_position(path: &str) -> bool {
    path::picks_item(head(path))
}

/// The first name of a dotted one.
fn head(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

/// The dotted name cut in two at each of its dots.
fn splits(path: &str) -> impl Iterator<Item = (&str, &str)> {
    path.match_indices('.').map(|(at, _)| (&path[..at], &path[at + 1..]))
}

/// The scalar types that stand at the dotted name `path`, if all that do are equal in the order of types and no array
/// is on the way. `null` may stand at it and on the way, and it may be missing: its key is then `null`. Of documents
/// that may break the schema nothing is known.
fn scalar(schema: &Schema, path: &str) -> Option<Bracket> {
    if !schema.is_enforced {
        return None;
    }
    let (mut field, mut names) = (&schema.root, path.split('.').peekable());
    while let Some(name) = names.next() {
        field = field.properties.get(name)?;
        let container = field.kinds.union(Kind::Null.into()) == Kinds::from_iter([Kind::Object, Kind::Null]);
        if names.peek().is_some() && !container {
            return None;
        }
    }
    Bracket::of_scalars(field.kinds)
}

/// The value at the dotted name `path`; none of its outer fields is an array.
fn field<'d>(document: &'d RawDocument, path: &str) -> Result<Option<RawBsonRef<'d>>> {
    let (mut document, mut path) = (document, path);
    loop {
        let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let value = document.get(name).map_err(|e| Error::Internal(format!("a document cannot be read: {e}")))?;
        match (value, rest) {
            (Some(RawBsonRef::Document(inner)), Some(rest)) => (document, path) = (inner, rest),
            (_, Some(_)) => return Ok(None),
            (value, None) => return Ok(value),
        }
    }
}

/// The keys of `sort` with their values in `position`.
fn read<'s>(sort: &'s Document, position: &RawArray) -> Result<Vec<Key<'s>>> {
    let values = position.into_iter().map(|value| comparable(value.map_err(|_| stale())?));
    let values = values.collect::<Result<Vec<_>>>()?;
    if values.len() != sort.len() {
        return Err(stale());
    }
    let key = |((path, direction), value): ((&'s String, &Bson), Bson)| Key {
        path,
        descending: direction.as_i32() == Some(-1),
        value,
    };
    Ok(sort.iter().zip(values).map(key).collect())
}

/// The value, if MongoDB compares with it and it survives being read: a name may stand twice in stored objects.
fn comparable(stored: RawBsonRef<'_>) -> Result<Bson> {
    let lost = |what: &str| {
        let detail = format!(
            "the page ends at a document with {what} in a field of the sort, which MongoDB does not compare with; \
             go on with another `sort`"
        );
        invalid_query("after", None, detail)
    };
    if matches!(stored, RawBsonRef::RegularExpression(_)) {
        return Err(lost("a regular expression"));
    }
    let value = Bson::try_from(stored).map_err(|_| stale())?;
    if matches!(value, Bson::Document(_) | Bson::Array(_)) {
        let again = RawBson::try_from(value.clone()).map_err(|_| stale())?;
        if again.as_raw_bson_ref() != stored {
            return Err(lost("an object that has a name twice"));
        }
    }
    Ok(value)
}

fn stale() -> Error {
    let detail = "the collection's file has changed since this cursor was made; start again without `after`";
    invalid_query("after", None, detail)
}

#[cfg(test)]
mod tests;
