//! What a subschema says of the types at its place.
//!
//! Rules that do not change the types (bounds, patterns, lengths) are MongoDB's business and not looked at here.

use bson::RawBson;

use super::{Additional, Field, Kind, Kinds, Reference, Set, Source, Stamp};
use crate::{codec::decode, json::Tree};

mod combine;

/// Deep enough for every schema that loads; what lies deeper is taken as unknown.
const MAX_DEPTH: usize = 64;
/// Enough for every schema that loads; what comes after is taken as unknown.
const MAX_SCHEMAS: usize = 20_000;

/// The shape that the subschema `tree` of `source` describes, with `$ref` followed and `allOf`, `anyOf` and `oneOf` combined.
///
/// Never fails and always ends: what cannot be read, is recursive or too large counts as unknown.
pub fn derive(source: &Source, tree: &Tree) -> Field {
    Derivation { source, room: MAX_SCHEMAS }.field(tree, 0)
}

/// The shape of whole documents: that of the root, with `_id` declared first when the file does not declare it.
pub fn derive_root(source: &Source) -> Field {
    let mut root = derive(source, &source.tree);
    if !root.properties.contains_key("_id") {
        let id = Field { kinds: Kind::ObjectId.into(), ..Field::any() };
        root.properties.shift_insert(0, "_id".to_owned(), id);
    }
    root
}

/// The types that the subschema's own `type` and `bsonType` leave.
pub fn declared(tree: &Tree) -> Kinds {
    named(tree, "type", json_type).intersection(named(tree, "bsonType", bson_type))
}

/// The BSON types that a name in `type` stands for.
pub fn json_type(name: &str) -> Option<Kinds> {
    match name {
        "null" | "object" | "array" | "string" => Kind::named(name).map(Kinds::from),
        "boolean" => Some(Kind::Bool.into()),
        "integer" | "number" => Some(Kinds::NUMBERS),
        _ => None,
    }
}

/// The BSON types that a name in `bsonType` stands for.
pub fn bson_type(name: &str) -> Option<Kinds> {
    if name == "number" { Some(Kinds::NUMBERS) } else { Kind::named(name).map(Kinds::from) }
}

/// The names that a keyword gives, be it one or a list.
pub fn listed<'t>(tree: &'t Tree, keyword: &str) -> Vec<&'t str> {
    match tree.get(keyword) {
        Some(one) if one.as_str().is_some() => one.as_str().into_iter().collect(),
        Some(list) => list.as_array().unwrap_or_default().iter().filter_map(Tree::as_str).collect(),
        None => Vec::new(),
    }
}

/// The JSON value `tree` as BSON of the shape `shape`, or what is wrong with it.
pub fn read(source: &Source, tree: &Tree, shape: &Field) -> Result<RawBson, String> {
    let value = decode::value(tree.text(&source.text).as_bytes(), shape).map_err(|error| error.detail)?;
    let kind = Kind::of(value.element_type());
    if shape.kinds.contains(kind) {
        return Ok(value);
    }
    let expected: Vec<_> = shape.kinds.iter().map(|kind| format!("`{}`", kind.name())).collect();
    Err(format!("is of type `{}`, and the field holds {}", kind.name(), expected.join(" or ")))
}

fn named(tree: &Tree, keyword: &str, kinds: fn(&str) -> Option<Kinds>) -> Kinds {
    listed(tree, keyword).into_iter().map(kinds).try_fold(None, unite_kinds).flatten().unwrap_or(Kinds::ANY)
}

/// Adds `more` to the set; an unknown name (`None`) ends the fold, so that the whole list counts as saying nothing.
#[expect(clippy::option_option, reason = "the outer option ends the fold, the inner one tells an empty list")]
fn unite_kinds(set: Option<Kinds>, more: Option<Kinds>) -> Option<Option<Kinds>> {
    more.map(|more| Some(set.unwrap_or(Kinds::NONE).union(more)))
}

struct Derivation<'s> {
    source: &'s Source,
    room: usize,
}

impl Derivation<'_> {
    fn field(&mut self, tree: &Tree, depth: usize) -> Field {
        let Some(room) = self.room.checked_sub(1).filter(|_| depth < MAX_DEPTH) else {
            return Field::any();
        };
        self.room = room;
        let mut field = self.own(tree, depth);
        if let Some((_, target)) = tree.get("$ref").and_then(Tree::as_str).and_then(|r| self.source.resolve(r)) {
            field = combine::intersect(field, self.field(target, depth + 1));
        }
        for part in list(tree, "allOf") {
            field = combine::intersect(field, self.field(part, depth + 1));
        }
        for keyword in ["anyOf", "oneOf"] {
            let parts = list(tree, keyword).iter().map(|part| combine::bare(self.field(part, depth + 1)));
            if let Some(union) = parts.reduce(combine::unite) {
                field = combine::intersect(field, union);
            }
        }
        if let Some(default) = tree.get("default") {
            field.default = read(self.source, default, &field).ok();
        }
        field
    }

    /// What the subschema says by itself.
    fn own(&mut self, tree: &Tree, depth: usize) -> Field {
        let kinds = declared(tree);
        let types = listed(tree, "type");
        let loose = types.iter().any(|name| ["integer", "number"].contains(name));
        let properties = tree.get("properties").and_then(Tree::as_object).into_iter().flatten();
        Field {
            kinds,
            loose_number: loose && combine::every_number(kinds),
            uuid: kinds.contains(Kind::BinData) && tree.get("format").and_then(Tree::as_str) == Some("uuid"),
            properties: properties.map(|(name, tree)| (name.clone(), self.field(tree, depth + 1))).collect(),
            additional: self.additional(tree.get("additionalProperties"), depth),
            items: tree.get("items").filter(|t| t.as_object().is_some()).map(|t| self.field(t, depth + 1).into()),
            required: listed(tree, "required").into_iter().map(str::to_owned).collect(),
            read_only: tree.get("readOnly").and_then(Tree::as_bool).unwrap_or(false),
            write_only: tree.get("writeOnly").and_then(Tree::as_bool).unwrap_or(false),
            set: tree.get("x-set").map(set),
            reference: tree.pointer("/x-ref/collection").and_then(Tree::as_str).map(reference),
            ..Field::any()
        }
    }

    fn additional(&mut self, tree: Option<&Tree>, depth: usize) -> Additional {
        match tree {
            Some(tree) if tree.as_bool() == Some(false) => Additional::Forbidden,
            Some(tree) if tree.as_object().is_some() => Additional::Shape(self.field(tree, depth + 1).into()),
            _ => Additional::Any,
        }
    }
}

fn list<'t>(tree: &'t Tree, keyword: &str) -> &'t [Tree] {
    tree.get(keyword).and_then(Tree::as_array).unwrap_or_default()
}

fn set(tree: &Tree) -> Set {
    let stamp = |when| match tree.get(when).and_then(Tree::as_str) {
        Some("now") => Some(Stamp::Now),
        Some("uuid") => Some(Stamp::Uuid),
        Some("user") => Some(Stamp::User),
        _ => None,
    };
    Set { insert: stamp("insert"), update: stamp("update") }
}

fn reference(collection: &str) -> Reference {
    Reference { collection: collection.to_owned() }
}

#[cfg(test)]
mod tests;
