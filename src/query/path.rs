//! Dotted names: which part of a document they reach, by the schema.

use crate::{
    error::{Error, Place, nearest},
    schema::{Field, Kind, Kinds},
};

/// No document is nested deeper.
///
/// See [limits](https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-Nested-Depth-for-BSON-Documents).
const MAX_NAMES: usize = 100;

/// The shape at the end of the dotted name `path` below `root`; it was named at `place`.
///
/// As in MongoDB, a name reaches through arrays into their items, and a number picks an item.
pub fn lookup<'f>(root: &'f Field, path: &str, place: &Place) -> Result<&'f Field, Error> {
    let unknown = |suggestion| Error::UnknownField { place: place.clone(), field: path.into(), suggestion };
    let cannot_be = |name: &str| name.is_empty() || name.starts_with('$') || name.contains('\0');
    if path.split('.').any(cannot_be) || path.split('.').count() > MAX_NAMES {
        return Err(unknown(None));
    }
    let mut field = root;
    let mut walked = 0;
    for name in path.split('.') {
        let near = |name| suggest(field, name).map(|near| format!("{}{near}", &path[..walked]));
        field = step(field, name).ok_or_else(|| unknown(near(name)))?;
        walked += name.len() + 1;
    }
    Ok(field)
}

/// The shape of the member `name` of an object that stands here as a whole; it was named at `place`.
pub(super) fn member<'f>(object: &'f Field, name: &str, place: Place) -> Result<&'f Field, Error> {
    if object.allows(name) && !name.contains('\0') {
        return Ok(object.member(name));
    }
    Err(Error::UnknownField { place, field: name.to_owned(), suggestion: suggest(object, name) })
}

/// Whether the dotted name `inner` is `outer` or reaches into it.
pub(crate) fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether the name, one of those between dots, is a number, which picks an item of an array.
pub(crate) fn picks_item(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit())
}

/// Whether what stands here is a list, if anything does.
pub(super) fn is_list(field: &Field) -> bool {
    let list = Kinds::from(Kind::Array);
    field.kinds == list || field.kinds == list.union(Kind::Null.into())
}

fn step<'f>(field: &'f Field, name: &str) -> Option<&'f Field> {
    if field.kinds.contains(Kind::Object) && field.allows(name) {
        return Some(field.member(name));
    }
    if !field.kinds.contains(Kind::Array) {
        return None;
    }
    if picks_item(name) {
        return Some(field.item());
    }
    // Nested arrays are not reached through by MongoDB either.
    let item = field.item();
    if item.kinds.contains(Kind::Object) { step(item, name) } else { None }
}

fn suggest(field: &Field, name: &str) -> Option<String> {
    let object = if field.kinds.contains(Kind::Object) { field } else { field.item() };
    nearest(name, object.properties.keys().map(String::as_str))
}
