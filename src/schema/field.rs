//! What a subschema says of the types at its place.
//!
//! Rules that do not change the types (bounds, patterns, lengths) are MongoDB's business and not looked at here.

use bson::RawBson;
use indexmap::IndexMap;

use super::{Additional, Field, Kind, Kinds, Reference, Set, Source, Stamp, Tuple, validator};
use crate::{codec::decode, json::Tree};

mod combine;

/// Deep enough for every schema that loads; what lies deeper is taken as unknown.
const MAX_DEPTH: usize = 64;
/// Enough for every schema that loads; what comes after is taken as unknown.
const MAX_SCHEMAS: usize = 20_000;

/// Keywords that speak of members which are not in the shape by their names.
const UNNAMED: [&str; 4] = ["patternProperties", "additionalProperties", "if", "dependentSchemas"];

/// The shape that the subschema `tree` of `source` describes, with `$ref` followed and `allOf`, `anyOf`, `oneOf` and
/// `if` combined. It allows at least what the subschema does.
///
/// Never fails and always ends: what cannot be read, is recursive or too large counts as unknown.
pub fn derive(source: &Source, tree: &Tree) -> Field {
    Derivation { source, room: MAX_SCHEMAS, whole: false }.field(tree, 0)
}

/// The shape of whole documents: that of the root, with `_id` declared first when the file does not speak of it.
pub fn derive_root(source: &Source) -> Field {
    let mut root = Derivation { source, room: MAX_SCHEMAS, whole: true }.field(&source.tree, 0);
    if !validator::names_id(source, &source.tree) {
        let id = Field { kinds: Kind::ObjectId.into(), ..Field::any() };
        root.properties.shift_insert(0, "_id".to_owned(), id);
    }
    root.properties.entry("_id".to_owned()).or_insert_with(Field::any);
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
    /// Whether it is whole documents that are spoken of: none of them is without an `_id`.
    whole: bool,
}

impl Derivation<'_> {
    fn field(&mut self, tree: &Tree, depth: usize) -> Field {
        let Some(room) = self.room.checked_sub(1).filter(|_| depth < MAX_DEPTH) else {
            return Field::any();
        };
        self.room = room;
        if tree.as_bool() == Some(false) {
            return Field { kinds: Kinds::NONE, ..Field::any() };
        }
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
        if let Some(union) = self.conditional(tree, depth) {
            field = combine::intersect(field, union);
        }
        if let Some(rest) = tree.get("unevaluatedProperties").filter(|_| self.names_all(tree, "", depth)) {
            field.additional = combine::unite_additional(Additional::Forbidden, self.field(rest, depth + 1));
        }
        if let Some(default) = tree.get("default") {
            field.default = read(self.source, default, &field).ok();
        }
        field
    }

    /// What `if` allows together with `then`, or `else`. Without `else`, all is allowed that does not fit `if`.
    fn conditional(&mut self, tree: &Tree, depth: usize) -> Option<Field> {
        let (test, otherwise) = (tree.get("if")?, tree.get("else")?);
        let mut fits = self.field(test, depth + 1);
        if let Some(then) = tree.get("then") {
            fits = combine::intersect(fits, self.field(then, depth + 1));
        }
        Some(combine::unite(combine::bare(fits), combine::bare(self.field(otherwise, depth + 1))))
    }

    /// Whether every member that the subschema speaks of, but by `last`, has a name among the properties of its shape.
    fn names_all(&mut self, tree: &Tree, last: &str, depth: usize) -> bool {
        let Some(room) = self.room.checked_sub(1).filter(|_| depth < MAX_DEPTH) else { return false };
        self.room = room;
        if UNNAMED.iter().chain([&last]).any(|keyword| tree.get(keyword).is_some()) {
            return false;
        }
        let source = self.source;
        let target = tree.get("$ref").and_then(Tree::as_str).and_then(|reference| source.resolve(reference));
        let listed = ["allOf", "anyOf", "oneOf"].into_iter().flat_map(|keyword| list(tree, keyword));
        let mut parts = listed.chain(target.map(|(_, target)| target));
        parts.all(|part| self.names_all(part, "unevaluatedProperties", depth + 1))
    }

    /// What the subschema says by itself.
    fn own(&mut self, tree: &Tree, depth: usize) -> Field {
        let (items, tuple) = self.items(tree, depth);
        let kinds = declared(tree);
        let types = listed(tree, "type");
        let loose = types.iter().any(|name| ["integer", "number"].contains(name));
        let declared = tree.get("properties").and_then(Tree::as_object).into_iter().flatten();
        let mut properties: IndexMap<_, _> =
            declared.map(|(name, tree)| (name.clone(), self.part(tree, depth + 1))).collect();
        let additional = self.additional(tree, depth);
        // The validator lets any `_id` pass where this schema does not speak of it.
        if self.whole && additional != Additional::Any {
            properties.entry("_id".to_owned()).or_insert_with(Field::any);
        }
        Field {
            kinds,
            loose_number: loose && combine::every_number(kinds),
            uuid: kinds.contains(Kind::BinData) && tree.get("format").and_then(Tree::as_str) == Some("uuid"),
            properties,
            additional,
            items,
            tuple,
            required: listed(tree, "required").into_iter().map(str::to_owned).collect(),
            read_only: tree.get("readOnly").and_then(Tree::as_bool).unwrap_or(false),
            write_only: tree.get("writeOnly").and_then(Tree::as_bool).unwrap_or(false),
            set: tree.get("x-set").map(set),
            reference: tree.pointer("/x-ref/collection").and_then(Tree::as_str).map(reference),
            ..Field::any()
        }
    }

    /// What the subschema says of a part of the value.
    fn part(&mut self, tree: &Tree, depth: usize) -> Field {
        let whole = std::mem::replace(&mut self.whole, false);
        let field = self.field(tree, depth);
        self.whole = whole;
        field
    }

    /// What a member may be that `properties` does not name. No name is matched with a pattern: clients choose names,
    /// and what they could match would be decided in time that they choose, too.
    fn additional(&mut self, tree: &Tree, depth: usize) -> Additional {
        let patterns = tree.get("patternProperties").and_then(Tree::as_object).into_iter().flatten();
        let schemas = patterns.map(|(_, tree)| tree).chain(tree.get("additionalProperties"));
        let free = tree.get("additionalProperties").is_none();
        let start = if free { Additional::Any } else { Additional::Forbidden };
        schemas.fold(start, |known, tree| combine::unite_additional(known, self.part(tree, depth + 1)))
    }

    /// What is said of any item of an array, and of each by its position where that is not the same.
    fn items(&mut self, tree: &Tree, depth: usize) -> (Option<Box<Field>>, Option<Box<Tuple>>) {
        let rest = tree.get("items").filter(|tree| tree.as_bool() != Some(true)).map(|tree| self.part(tree, depth + 1));
        let prefix = list(tree, "prefixItems");
        if prefix.is_empty() {
            return (rest.map(Box::new), None);
        }
        let prefix = prefix.iter().map(|tree| self.part(tree, depth + 1)).collect();
        let tuple = Tuple { prefix, rest: rest.unwrap_or_else(Field::any) };
        (combine::any_item(&tuple), Some(tuple.into()))
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
