//! The fields that a planned filter speaks of. Whether anyone may name them is not known here.

use std::collections::BTreeSet;

use bson::{Bson, Document};

use crate::schema::{Schema, index::EVERY_FIELD};

/// Dotted names, as they are put together.
pub(super) struct Names<'s> {
    schema: &'s Schema,
    found: BTreeSet<String>,
}

impl<'s> Names<'s> {
    /// No names yet, of documents of `schema`.
    pub(super) fn of(schema: &'s Schema) -> Self {
        Self { schema, found: BTreeSet::new() }
    }

    /// These and the keys of `sort`.
    pub(super) fn with_sort(mut self, sort: &Document) -> Self {
        self.found.extend(sort.keys().cloned());
        self
    }

    /// These and those that decide which documents `filter` finds.
    pub(super) fn with_filter(mut self, filter: &Document) -> Self {
        self.filter(filter, None);
        self
    }

    /// The names; [`EVERY_FIELD`] stands for all there can be.
    pub(super) fn into_set(self) -> BTreeSet<String> {
        self.found
    }

    /// Adds what a filter on whole documents names, or one on the items of the array `within`.
    fn filter(&mut self, filter: &Document, within: Option<&str>) {
        for (name, value) in filter {
            match (name.as_str(), value) {
                ("$and" | "$or" | "$nor", Bson::Array(branches)) => {
                    branches.iter().filter_map(Bson::as_document).for_each(|branch| self.filter(branch, within));
                }
                ("$text", _) => self.found.extend(self.schema.text_keys().map(str::to_owned)),
                // What is not planned here may look at anything.
                (name, _) if name.starts_with('$') => self.add(EVERY_FIELD),
                (name, value) => match within {
                    Some(list) => self.condition(&format!("{list}.{name}"), value),
                    None => self.condition(name, value),
                },
            }
        }
    }

    /// Adds what a value or operators on the field `path` look at: the field itself, or members of its items alone.
    fn condition(&mut self, path: &str, condition: &Bson) {
        let operators = condition.as_document().filter(|d| d.keys().next().is_some_and(|name| name.starts_with('$')));
        let Some(operators) = operators else { return self.add(path) };
        for (name, operand) in operators {
            match (name.as_str(), operand) {
                ("$not", operators) => self.condition(path, operators),
                ("$elemMatch", Bson::Document(item)) if is_filter(item) => self.filter(item, Some(path)),
                ("$elemMatch", item) => self.condition(path, item),
                ("$all", Bson::Array(items)) => items.iter().for_each(|item| self.condition(path, item)),
                _ => self.add(path),
            }
        }
    }

    fn add(&mut self, name: &str) {
        if !self.found.contains(name) {
            self.found.insert(name.to_owned());
        }
    }
}

/// Whether what `$elemMatch` holds is a filter that names something, rather than operators on items.
fn is_filter(item: &Document) -> bool {
    let is_operator = |name: &String| name.starts_with('$') && !matches!(name.as_str(), "$and" | "$or" | "$nor");
    !item.is_empty() && !item.keys().any(is_operator)
}
