//! `x-indexes`: what a collection file says of indexes, as plain data.
//!
//! See [indexes](https://www.mongodb.com/docs/manual/indexes/). That they exist in the database is not this module's
//! business.

use std::{borrow::Cow, collections::HashSet, iter::once};

use bson::{Bson, Document};

use super::{
    Field, Source,
    load::{Report, did_you_mean},
};
use crate::json::{Tree, below};

pub(super) mod collation;
mod given;
pub(super) mod keys;
pub(super) mod options;
mod partial;

pub(crate) use given::{is_true, whole};
pub(crate) use keys::{is_wildcard, name};
pub(crate) use partial::at;

/// An index, as MongoDB's `createIndexes` takes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Field names with `1`, `-1`, `"text"`, `"2dsphere"` or `"hashed"`.
    pub keys: Document,
    /// Its other options under their `createIndexes` names (`unique`, `sparse`, `partialFilterExpression`,
    /// `expireAfterSeconds`, `collation`, `weights`, `default_language`, `hidden`, `wildcardProjection`);
    /// what has its default value is left out.
    pub options: Document,
}

impl Index {
    /// Whether the index is on plain fields, each ascending or descending.
    pub fn is_plain(&self) -> bool {
        keys::is_plain(&self.keys)
    }

    /// The fields of [`Schema::text_keys`](super::Schema::text_keys).
    pub fn text_keys(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let keys = self.keys.iter().filter(|(_, kind)| kind.as_str() == Some("text"));
        keys.flat_map(|(name, _)| once(name.into()).chain(languages(name)))
    }
}

/// The fields in which MongoDB looks for the language of the words at `path`: one in each object on the way to them.
///
/// See [text indexes](https://www.mongodb.com/docs/manual/core/indexes/index-types/index-text/).
fn languages(path: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let objects = path.match_indices('.').map(|(dot, _)| &path[..=dot]);
    once("").chain(objects).map(|object| format!("{object}language").into())
}

/// The key of an index on every field there is.
pub const EVERY_FIELD: &str = "$**";

/// MongoDB allows 64 indexes, the one on `_id` among them.
pub(super) const MAX_INDEXES: usize = 63;
/// What can be said of an index.
pub(super) const MEMBERS: [&str; 12] = [
    "keys",
    "name",
    "unique",
    "sparse",
    "partialFilter",
    "expireAfterSeconds",
    "collation",
    "weights",
    "defaultLanguage",
    "hidden",
    "wildcardProjection",
    "tieBreak",
];

/// The indexes that the file declares, `root` being the shape of its documents; what is wrong is added to `report`.
pub(super) fn parse(source: &Source, root: &Field, report: &mut Report) -> Vec<Index> {
    let declared = source.tree.get("x-indexes").and_then(Tree::as_array).unwrap_or_default();
    if declared.len() > MAX_INDEXES {
        report.add("/x-indexes", format!("MongoDB has room for {MAX_INDEXES} indexes beside the one on `_id`"));
    }
    let mut indexes = Vec::new();
    for (at, tree) in declared.iter().enumerate() {
        let pointer = format!("/x-indexes/{at}");
        let mut reader = Reader { source, root, report, pointer: &pointer };
        if let Some(index) = reader.index(tree) {
            indexes.push((pointer, index));
        }
    }
    distinct(&indexes, report);
    indexes.into_iter().map(|(_, index)| index).collect()
}

fn distinct(indexes: &[(String, Index)], report: &mut Report) {
    let (mut names, mut keys) = (HashSet::new(), HashSet::new());
    let mut has_text = false;
    for (pointer, index) in indexes {
        if !keys.insert(index.keys.to_string()) {
            report.add_below(pointer, "keys", "another index has the same keys");
        } else if !names.insert(index.name.as_str()) {
            report.add_below(pointer, "name", format!("another index is called `{}`", index.name));
        }
        let text = keys::holds(&index.keys, "text");
        if text && has_text {
            report.add_below(pointer, "keys", "a collection can have one text index; put its fields into that one");
        }
        has_text |= text;
    }
}

/// What one index is read with.
struct Reader<'r> {
    source: &'r Source,
    root: &'r Field,
    report: &'r mut Report,
    pointer: &'r str,
}

impl Reader<'_> {
    fn index(&mut self, tree: &Tree) -> Option<Index> {
        let Some(members) = tree.as_object() else {
            self.report.add(self.pointer, "must be an object with `keys`");
            return None;
        };
        for name in members.keys().filter(|name| !MEMBERS.contains(&name.as_str())) {
            self.refuse(name, format!("unknown option{}", did_you_mean(name, MEMBERS)));
        }
        let mut keys = self.keys(tree.get("keys"))?;
        let options = self.options(tree, &keys);
        self.tie_break(tree, &mut keys, &options);
        let name = self.name(tree).unwrap_or_else(|| keys::name(&keys));
        Some(Index { name, keys, options })
    }

    fn name(&mut self, tree: &Tree) -> Option<String> {
        let value = tree.get("name")?;
        let name = value.as_str().filter(|name| !["", "*", "_id_"].contains(name) && !name.contains('\0'));
        if name.is_none() {
            self.refuse("name", "must be a name that MongoDB does not use itself");
        }
        name.map(str::to_owned)
    }

    /// Appends `_id`, so that a sort on the keys can be made total with the index alone.
    ///
    /// A sparse index is left alone: with `_id`, which no document lacks, it would hold every document.
    fn tie_break(&mut self, tree: &Tree, keys: &mut Document, options: &Document) {
        let wanted = self.flag(tree, "tieBreak");
        let special = ["unique", "sparse", "expireAfterSeconds"].iter().any(|name| options.contains_key(*name));
        let plain = keys::is_plain(keys) && !special;
        if wanted == Some(true) && !plain {
            self.refuse("tieBreak", "only plain ascending and descending indexes can end in `_id`");
        }
        if plain && wanted != Some(false) && !keys.contains_key("_id") {
            let last = keys.values().last().cloned().unwrap_or(Bson::Int32(1));
            keys.insert("_id", last);
        }
    }

    /// The boolean option `name`, if it is there and one.
    fn flag(&mut self, tree: &Tree, name: &str) -> Option<bool> {
        let value = tree.get(name)?;
        if value.as_bool().is_none() {
            self.refuse(name, "must be `true` or `false`");
        }
        value.as_bool()
    }

    /// Adds what is wrong with the member `name` of the index.
    fn refuse(&mut self, name: &str, detail: impl Into<String>) {
        self.report.add_below(self.pointer, name, detail);
    }

    /// Adds what is wrong with the member `inner` of the member `name` of the index.
    fn refuse_in(&mut self, name: &str, inner: &str, detail: impl Into<String>) {
        self.report.add_below(&below(self.pointer, name), inner, detail);
    }
}

#[cfg(test)]
mod tests;
