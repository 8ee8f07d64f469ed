//! What is said of a field where the field stands: `default`, `readOnly`, `writeOnly`, `x-set`, `x-ref`, and all of
//! `_id`.
//!
//! The service writes into fields that it can name by a path of `properties`. Inside a list, or in one of several
//! alternatives, there is no such path, and the keyword would do nothing: it is refused there.

use std::collections::HashSet;

use super::Report;
use crate::{
    json::{Tree, below},
    schema::{
        Field, Kind, Source, Stamp, field,
        keywords::{self, Position, Status},
    },
};

/// Where the file itself declares `_id`.
const ID: &str = "/properties/_id";

/// Keywords whose schemas do not hold for every value, or are not about values.
const CONDITIONAL: [&str; 9] =
    ["anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "contains", "propertyNames"];

/// Keywords whose schemas are about items, or members that are not named.
const INNER: [&str; 6] =
    ["items", "prefixItems", "unevaluatedItems", "additionalProperties", "patternProperties", "unevaluatedProperties"];

/// Where a subschema stands among the documents' fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Place {
    /// It is about whole documents.
    Root,
    /// It is about a field that `properties` alone lead to.
    Field,
    /// It is about items, members whose names are not declared, or members whose names cannot stand in a path.
    Inner,
    /// It is a condition, or holds on one.
    Choice,
}

/// Adds what is wrong with keywords that say something of a field, `$ref`s followed.
pub(super) fn check(source: &Source, report: &mut Report) {
    check_from(Place::Root, source, report);
    documents(source, report);
}

/// The same for a file whose schemas may be used anywhere.
pub(super) fn check_fragment(source: &Source, report: &mut Report) {
    check_from(Place::Field, source, report);
}

fn check_from(place: Place, source: &Source, report: &mut Report) {
    let mut open = vec![(String::new(), &source.tree, place)];
    let mut seen = HashSet::new();
    while let Some((pointer, tree, place)) = open.pop() {
        if seen.insert((pointer.clone(), place)) {
            position(&pointer, tree, place, report);
            if place == Place::Field {
                values(source, &pointer, tree, report);
            }
            open.extend(parts(source, &pointer, tree, place));
        }
    }
}

/// The subschemas that the one at `pointer` applies, each with its place.
fn parts<'s>(source: &'s Source, pointer: &str, tree: &'s Tree, place: Place) -> Vec<(String, &'s Tree, Place)> {
    let mut parts = Vec::new();
    for (at, part) in keywords::subschemas(pointer, tree) {
        let mut tokens = at[pointer.len()..].split('/').skip(1);
        let (keyword, name) = (tokens.next().unwrap_or_default(), tokens.next().unwrap_or_default());
        let place = match (keyword, place) {
            ("$defs", _) => continue,
            (keyword, _) if CONDITIONAL.contains(&keyword) => Place::Choice,
            (_, Place::Choice) => Place::Choice,
            ("properties", Place::Root | Place::Field) if !in_paths(name) => Place::Inner,
            ("properties", Place::Root) => Place::Field,
            (keyword, _) if INNER.contains(&keyword) => Place::Inner,
            _ => place,
        };
        parts.push((at, part, place));
    }
    let target = tree.get("$ref").and_then(Tree::as_str).and_then(|reference| source.resolve(reference));
    parts.extend(target.map(|(pointer, tree)| (pointer, tree, place)));
    parts
}

/// Whether MongoDB reads the name as one step of a path.
fn in_paths(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('$') && !name.contains('.')
}

fn position(pointer: &str, tree: &Tree, place: Place, report: &mut Report) {
    for (name, value) in tree.as_object().into_iter().flatten() {
        if !matches!(keywords::status(name), Some(Status::Supported(Position::Field, _))) {
            continue;
        }
        let says_nothing = ["readOnly", "writeOnly"].contains(&name.as_str()) && value.as_bool() == Some(false);
        let detail = match place {
            _ if says_nothing => continue,
            Place::Field => continue,
            Place::Inner if name == "x-ref" => continue,
            Place::Root => "belongs on a field, not on the whole document",
            Place::Inner => {
                "belongs on a field with a path: not inside a list or a map, nor under a name with `.` or `$`"
            }
            Place::Choice => "belongs on the field itself, not where it would hold for some values only",
        };
        report.add_below(pointer, name, detail);
    }
}

fn values(source: &Source, pointer: &str, tree: &Tree, report: &mut Report) {
    if !["default", "x-set", "writeOnly"].into_iter().any(|keyword| tree.get(keyword).is_some()) {
        return;
    }
    let shape = field::derive(source, tree);
    if tree.get("writeOnly").is_some() && shape.write_only && (shape.read_only || shape.set.is_some()) {
        report.add_below(pointer, "writeOnly", "nobody could write or read a field that is also `readOnly` or `x-set`");
    }
    if let Some(default) = tree.get("default") {
        if tree.get("x-set").is_some() {
            report.add_below(pointer, "default", "has no use beside `x-set`, which always writes the field");
        } else if let Err(detail) = field::read(source, default, &shape) {
            report.add_below(pointer, "default", detail);
        }
    }
    let set = shape.set.unwrap_or_default();
    for (when, stamp) in [("insert", set.insert), ("update", set.update)] {
        if let Some(detail) = stamp.and_then(|stamp| unfit(stamp, &shape)) {
            report.add_below(&below(pointer, "x-set"), when, detail);
        }
    }
}

/// Why the field cannot hold what the service would write.
fn unfit(stamp: Stamp, shape: &Field) -> Option<&'static str> {
    let binary = shape.uuid && shape.kinds.contains(Kind::BinData);
    let uuid = shape.kinds.contains(Kind::String) || binary;
    let whole = [Kind::String, Kind::ObjectId, Kind::Int, Kind::Long];
    match stamp {
        Stamp::Now if !shape.kinds.contains(Kind::Date) => {
            Some("`now` needs a field that can hold a date: \"bsonType\": \"date\"")
        }
        Stamp::Uuid if !uuid => {
            Some("`uuid` needs a field that can hold a string, or \"bsonType\": \"binData\" with \"format\": \"uuid\"")
        }
        Stamp::User if !binary && !whole.into_iter().any(|kind| shape.kinds.contains(kind)) => Some(
            "`user` needs a field that can hold the callers' ids: a string, objectId, int, long, or \"bsonType\": \"binData\" with \"format\": \"uuid\"",
        ),
        Stamp::Now | Stamp::Uuid | Stamp::User => None,
    }
}

/// A collection holds objects. MongoDB takes no array, regular expression or undefined as `_id`, and never changes it.
fn documents(source: &Source, report: &mut Report) {
    let root = field::derive_root(source);
    if field::declared(&source.tree).contains(Kind::Object) && !root.kinds.contains(Kind::Object) {
        report.add("", "no object fits what `allOf`, `anyOf`, `oneOf` and `$ref` say of the types");
    }
    let Some(id) = root.properties.get("_id") else { return };
    let at = if source.tree.pointer(ID).is_some() { ID } else { "" };
    if [Kind::Array, Kind::Regex, Kind::Undefined].into_iter().any(|kind| id.kinds.contains(kind)) {
        report.add(
            at,
            "`_id` must say which types it may have, and `array`, `regex` and `undefined` cannot be among them",
        );
    }
    if source.tree.pointer(ID).is_some_and(|tree| tree.get("default").is_some()) {
        report.add_below(ID, "default", "every document needs an `_id` of its own");
    }
    if id.write_only {
        report.add(&below(at, "writeOnly"), "whoever writes a document needs its `_id`");
    } else if id.clone().prepared().conceals {
        report.add(at, "no part of an `_id` can be `writeOnly`: cursors hold all of it");
    }
    if id.set.is_some_and(|set| set.update.is_some()) {
        report.add(&below(at, "x-set"), "an `_id` never changes: only `insert` can write it");
    }
}
