//! Geometry that MongoDB takes and comes to grief over. What else is wrong with a geometry is for MongoDB to say.
//!
//! Two things are refused. A polygon that asks for strict winding, in a collection of geometries, is the end of a server
//! that meets it in an index or in any query for places. And under a `2dsphere` index looking for rings that cross takes
//! the square of the positions, by no deadline interrupted.

use std::sync::LazyLock;

use bson::{Bson, Document, RawBson, RawBsonRef, RawDocument, RawDocumentBuf};
use memchr::memmem::Finder;

use super::{refused, unreadable};
use crate::{error::Result, json::below, schema::Schema};

/// What asks for strict winding.
///
/// See [`$geometry`](https://www.mongodb.com/docs/manual/reference/operator/query/geometry/).
const STRICT: &str = "urn:x-mongodb:crs:strictwinding:EPSG:4326";
/// What tells it from other systems: short ones are found faster.
static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("strictwinding"));
const WINDING: &str = "a geometry with the coordinate reference system of strict winding cannot be stored";

/// How many positions in lists of lists there may be at a place under an index: the worst of 10,000 take a server half a
/// minute. Whether they are a polygon does not matter, which can change by its `type` alone.
const MAX_POSITIONS: usize = 10_000;
/// How many of them an operator may put beside others, which nobody counts.
const MAX_ADDED: usize = 100;

/// The operators by which there can be more afterwards.
const ADDING: [&str; 7] = ["$set", "$setOnInsert", "$min", "$max", "$push", "$addToSet", "$rename"];
const PIECEWISE: &str = "operators put together no polygons under a `2dsphere` index: set the geometry as a whole, by a \
                         path without items of lists, or send a merge patch";

/// Refuses what nobody can store in `document`, one that is stored or merged as a whole.
pub(super) fn check(document: &RawDocument, schema: &Schema) -> Result<()> {
    refuse_winding(document, is_strict_system, schema)?;
    for index in indexed(schema) {
        let names: Vec<_> = index.split('.').collect();
        check_count(RawBsonRef::Document(document), &names, (schema, index))?;
    }
    Ok(())
}

/// Refuses update operators that could put together what [`check`] refuses. Strings they can only move, not make.
pub(super) fn check_operators(update: &Document, schema: &Schema) -> Result<()> {
    let raw = RawDocumentBuf::try_from(update).map_err(unreadable)?;
    refuse_winding(&raw, |_, value| value.as_str() == Some(STRICT), schema)?;
    for index in indexed(schema) {
        let names: Vec<_> = index.split('.').filter(|name| !is_item(name)).collect();
        for (operator, fields) in update.iter().filter(|(operator, _)| ADDING.contains(&operator.as_str())) {
            for (path, value) in fields.as_document().into_iter().flatten() {
                check_operator((operator, path, value), &names, schema)?;
            }
        }
    }
    Ok(())
}

/// What becomes of a place under an index is known where a value is set in full, by a path through objects alone. Other
/// operators may add a little there, and nothing to the insides of a polygon.
fn check_operator((operator, path, value): (&str, &str, &Bson), index: &[&str], schema: &Schema) -> Result<()> {
    let target = value.as_str().filter(|_| operator == "$rename");
    let Some(meeting) = Meeting::of(target.unwrap_or(path), index) else { return Ok(()) };
    let value = RawBson::try_from(value.clone()).map_err(unreadable)?;
    let value = value.as_raw_bson_ref();
    if operator.starts_with("$set") && meeting.is_plain && meeting.inside <= 1 {
        return check_count(value, &index[meeting.shared..], (schema, path));
    }
    let is_little = match meeting.inside {
        _ if target.is_some() => false,
        0 => count(value, 0)? <= MAX_ADDED,
        1 => count(value, 1)? == 0,
        _ => !holds_list(value),
    };
    if is_little { Ok(()) } else { Err(refused(schema, (&pointer(target.unwrap_or(path)), "x-indexes"), PIECEWISE)) }
}

/// How the path of an operator and that of an index are on one way.
struct Meeting {
    /// How many names of the index the operator's path has.
    shared: usize,
    /// How many more it has, below the indexed place.
    inside: usize,
    /// It picks no items of lists on the way there.
    is_plain: bool,
}

impl Meeting {
    fn of(path: &str, index: &[&str]) -> Option<Self> {
        let mut meeting = Self { shared: 0, inside: 0, is_plain: true };
        for name in path.split('.') {
            match index.get(meeting.shared) {
                None => meeting.inside += 1,
                Some(expected) if *expected == name => meeting.shared += 1,
                Some(_) if is_item(name) => meeting.is_plain = false,
                Some(_) => return None,
            }
        }
        Some(meeting)
    }
}

/// Whether `name` in a path picks items of a list.
fn is_item(name: &str) -> bool {
    name.starts_with('$') || name.bytes().all(|byte| byte.is_ascii_digit())
}

/// The places under `2dsphere` indexes.
fn indexed(schema: &Schema) -> impl Iterator<Item = &str> {
    let keys = schema.indexes.iter().flat_map(|index| &index.keys);
    keys.filter(|(_, kind)| kind.as_str() == Some("2dsphere")).map(|(path, _)| path.as_str())
}

fn check_count(value: RawBsonRef<'_>, names: &[&str], (schema, path): (&Schema, &str)) -> Result<()> {
    let count = count_at(value, names)?;
    if count <= MAX_POSITIONS {
        return Ok(());
    }
    let detail = format!(
        "has {count} positions in polygons and lists of lines: more than {MAX_POSITIONS} cannot be under a `2dsphere` \
         index"
    );
    Err(refused(schema, (&pointer(path), "x-indexes"), &detail))
}

/// How many positions there are in lists of lists, at the places below `value` that an index on `names` finds.
fn count_at(value: RawBsonRef<'_>, names: &[&str]) -> Result<usize> {
    let (mut sum, mut open) = (0, vec![(value, names)]);
    while let Some((value, names)) = open.pop() {
        match (value, names) {
            (value, []) => sum += count(value, 0)?,
            (RawBsonRef::Document(object), [name, rest @ ..]) => {
                open.extend(object.get(*name).map_err(unreadable)?.map(|member| (member, rest)));
            }
            (RawBsonRef::Array(items), [name, rest @ ..]) => {
                for item in items {
                    let item = item.map_err(unreadable)?;
                    if is_container(item) {
                        open.push((item, if is_item(name) { rest } else { names }));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(sum)
}

/// How many positions there are in lists of lists, `depth` lists being around `value`.
fn count(value: RawBsonRef<'_>, depth: usize) -> Result<usize> {
    let (mut sum, mut open) = (0, vec![(value, depth)]);
    while let Some((value, depth)) = open.pop() {
        match value {
            RawBsonRef::Document(object) => {
                for element in object {
                    let (_, member) = element.map_err(unreadable)?;
                    open.extend(Some((member, 0)).filter(|_| is_container(member)));
                }
            }
            RawBsonRef::Array(items) => {
                let mut holds_more = false;
                for item in items {
                    let item = item.map_err(unreadable)?;
                    if is_container(item) {
                        open.push((item, depth + 1));
                        holds_more = true;
                    }
                }
                sum += usize::from(depth >= 2 && !holds_more);
            }
            _ => {}
        }
    }
    Ok(sum)
}

fn is_container(value: RawBsonRef<'_>) -> bool {
    value.as_array().is_some() || value.as_document().is_some()
}

/// Whether `value` is a list, or an object that could be one of items to add.
fn holds_list(value: RawBsonRef<'_>) -> bool {
    value.as_array().is_some() || value.as_document().is_some_and(|object| !object.is_empty())
}

fn refuse_winding(document: &RawDocument, is_refused: fn(&str, RawBsonRef<'_>) -> bool, schema: &Schema) -> Result<()> {
    if FINDER.find(document.as_bytes()).is_none() {
        return Ok(());
    }
    // Only the way to where the search is: pointers to all places together can be many times the document.
    let mut way = vec![("", document.iter())];
    while let Some((_, members)) = way.last_mut() {
        let Some(element) = members.next() else {
            way.pop();
            continue;
        };
        let (name, value) = element.map_err(unreadable)?;
        if is_refused(name.as_str(), value) {
            let at = way.iter().skip(1).fold(String::new(), |at, (name, _)| below(&at, name));
            return Err(refused(schema, (&below(&at, name.as_str()), "format"), WINDING));
        }
        let list = value.as_array().and_then(|items| RawDocument::from_bytes(items.as_bytes()).ok());
        way.extend(value.as_document().or(list).map(|object| (name.as_str(), object.iter())));
    }
    Ok(())
}

fn is_strict_system(name: &str, value: RawBsonRef<'_>) -> bool {
    let named = || value.as_document()?.get_document("properties").ok()?.get_str("name").ok();
    name == "crs" && named() == Some(STRICT)
}

fn pointer(path: &str) -> String {
    path.split('.').fold(String::new(), |at, name| below(&at, name))
}

#[cfg(test)]
mod tests;
