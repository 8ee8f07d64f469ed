//! Indexes that another one makes useless, and indexes on fields that are not declared.

use bson::{Bson, Document};

use super::Remark;
use crate::{
    json::{Tree, below},
    schema::{Additional, Field, Index, Kind, Schema, index::EVERY_FIELD, load::did_you_mean},
};

/// Options with which an index does not hold every document, or is not used.
const PARTIAL: [&str; 3] = ["sparse", "partialFilterExpression", "hidden"];

pub(super) fn remarks(schema: &Schema) -> Vec<Remark> {
    let declared = schema.source.tree.get("x-indexes").and_then(Tree::as_array).unwrap_or_default();
    let indexes: Vec<_> = schema.indexes.iter().zip(declared).map(|(index, tree)| Declared { index, tree }).collect();
    let of_one = |(at, index): (usize, &Declared<'_>)| {
        let pointer = format!("/x-indexes/{at}");
        let useless = useless(&indexes, at).map(|detail| (pointer.clone(), detail));
        useless.into_iter().chain(undeclared(&pointer, index.tree, &schema.root)).collect::<Vec<_>>()
    };
    indexes.iter().enumerate().flat_map(of_one).collect()
}

/// An index, and how its author wrote it.
struct Declared<'s> {
    index: &'s Index,
    tree: &'s Tree,
}

impl Declared<'_> {
    /// Whether it is there only so that queries are quick.
    fn is_for_speed_alone(&self) -> bool {
        self.index.is_plain() && self.index.options.keys().all(|option| option == "collation")
    }

    /// Its keys as far as the author asked for them: `_id` is appended to all plain indexes, and few need it.
    fn asked_for(&self) -> Vec<(&String, &Bson)> {
        let wants_tie_break = self.tree.get("tieBreak").and_then(Tree::as_bool) == Some(true);
        let written = self.tree.get("keys").and_then(Tree::as_object).map_or(0, indexmap::IndexMap::len);
        let length = if wants_tie_break { self.index.keys.len() } else { written };
        self.index.keys.iter().take(length).collect()
    }

    /// Whether every query that `other` makes quick is quick by this one too.
    fn stands_in_for(&self, other: &Self) -> bool {
        let collation = |index: &Index| index.options.get("collation").cloned();
        let holds_everything = !PARTIAL.iter().any(|option| self.index.options.contains_key(*option));
        self.index.is_plain()
            && holds_everything
            && collation(self.index) == collation(other.index)
            && begins_with(&self.index.keys, &other.asked_for())
    }
}

/// Whether the keys begin with these, all in the same direction or all in the other one: an index is read both ways.
fn begins_with(keys: &Document, prefix: &[(&String, &Bson)]) -> bool {
    let direction = |value: &Bson| value.as_i32().unwrap_or_default();
    let same_fields = keys.keys().take(prefix.len()).eq(prefix.iter().map(|(field, _)| *field));
    let turns: Vec<_> = keys.values().zip(prefix).map(|(key, (_, value))| direction(key) * direction(value)).collect();
    same_fields && turns.windows(2).all(|pair| pair[0] == pair[1])
}

/// Why the index at `at` is useless beside the others; of two that make each other useless, the first stays.
fn useless(indexes: &[Declared<'_>], at: usize) -> Option<String> {
    let index = indexes[at].is_for_speed_alone().then(|| &indexes[at])?;
    let stands_in = |(place, other): &(usize, &Declared<'_>)| {
        let is_first = *place < at || !other.is_for_speed_alone() || !index.stands_in_for(other);
        *place != at && other.stands_in_for(index) && is_first
    };
    let (_, other) = indexes.iter().enumerate().find(stands_in)?;
    let has_tie_break = index.index.keys.len() > index.asked_for().len();
    let or_keep = if has_tie_break {
        ", or say \"tieBreak\": true to keep it for long lists that are sorted by these fields alone"
    } else {
        ""
    };
    Some(format!("the index `{}` begins with the same fields; leave this one out{or_keep}", other.index.name))
}

/// What is said of the fields of the index at `pointer` that the file does not declare.
fn undeclared(pointer: &str, tree: &Tree, root: &Field) -> Vec<Remark> {
    let remarks = ["keys", "partialFilter"].into_iter().flat_map(|member| {
        let paths = tree.get(member).and_then(Tree::as_object).into_iter().flat_map(|members| members.keys());
        let at = below(pointer, member);
        paths.filter_map(move |path| Some((below(&at, path), missing(root, path)?)))
    });
    remarks.collect()
}

/// Why a dotted path may be a mistake: it names a field that an object beside its declared fields may have.
fn missing(root: &Field, path: &str) -> Option<String> {
    let path = path.strip_suffix(".$**").unwrap_or(path);
    if path == EVERY_FIELD {
        return None;
    }
    let (name, object) = first_undeclared(root, &path.split('.').collect::<Vec<_>>())?;
    let near = did_you_mean(name, object.properties.keys().map(String::as_str));
    let advice = if near.is_empty() { "; declare it, `{}` if nothing more can be said of it" } else { "" };
    Some(format!("no field `{name}` is declared{near}{advice}"))
}

/// The first name of the path that is not declared, and the shape of the object in which it is looked for.
fn first_undeclared<'f, 'p>(field: &'f Field, path: &[&'p str]) -> Option<(&'p str, &'f Field)> {
    let (name, rest) = path.split_first()?;
    if field.kinds.contains(Kind::Array) && !field.kinds.contains(Kind::Object) {
        // MongoDB looks into the objects of a list, and at the item whose number the path names.
        return match name.parse() {
            Ok(index) => first_undeclared(field.at(index), rest),
            Err(_) => first_undeclared(field.item(), path),
        };
    }
    match (field.properties.get(*name), &field.additional) {
        (Some(member), _) => first_undeclared(member, rest),
        (None, Additional::Shape(member)) => first_undeclared(member, rest),
        (None, Additional::Any) if field.properties.keys().any(|known| known != "_id") => Some((name, field)),
        (None, _) => None,
    }
}
