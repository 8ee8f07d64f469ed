//! The index that a query lacks.

use bson::{Bson, Document};

use super::{
    conditions::{Conditions, Use},
    is_usable, is_within, list_on, order,
};
use crate::schema::{Field, Schema};

/// As many keys as leave room for `_id`.
const MOST_KEYS: usize = 31;

/// The keys of the index that would serve the query, in the order equality, sort, `_id`, range; `None` where no index
/// can. They are what `x-indexes` in the collection file takes, so `_id` at the end goes without saying.
///
/// A sort comes into it only behind an equality, or where nothing is asked for: elsewhere MongoDB reads the whole of
/// such an index, and the documents too. Each branch of an `$or` needs an index, and this is the first that the file
/// does not have.
///
/// See [equality, sort, range](https://www.mongodb.com/docs/manual/tutorial/equality-sort-range-guideline/).
pub fn missing_index(schema: &Schema, filter: &Document, sort: &Document) -> Option<Document> {
    let own = Document::new();
    let sort = if *sort == order(schema, filter) { &own } else { sort };
    let wanted = wanted(schema, filter, sort)?;
    wanted.iter().find(|keys| !is_declared(schema, keys)).or(wanted.first()).cloned()
}

/// Whether the file has an index that does what one with these keys would.
pub fn is_declared(schema: &Schema, keys: &Document) -> bool {
    schema.indexes.iter().any(|index| is_usable(index) && begins(&index.keys, keys))
}

/// Whether an index with the keys `longer` does what one with the keys `shorter` would.
fn begins(longer: &Document, shorter: &Document) -> bool {
    longer.len() >= shorter.len() && shorter.iter().eq(longer.iter().take(shorter.len()))
}

/// The indexes that serve the query together; `None` if some of it cannot be served.
fn wanted(schema: &Schema, filter: &Document, sort: &Document) -> Option<Vec<Document>> {
    let conditions = Conditions::of(filter);
    if conditions.special || conditions.have("_id", Use::Value) || conditions.have("_id", Use::Points) {
        return None;
    }
    if let Some(keys) = keys(&schema.root, &conditions, sort) {
        return Some(vec![keys]);
    }
    let branches: Option<Vec<_>> = conditions.branches.iter().map(|branch| wanted(schema, branch, sort)).collect();
    branches.map(|indexes| indexes.concat()).filter(|indexes| !indexes.is_empty())
}

/// The keys of the one index that serves the conditions.
fn keys(root: &Field, conditions: &Conditions<'_>, sort: &Document) -> Option<Document> {
    let mut keys = Keys { root, keys: Vec::new() };
    keys.ascending(conditions.fields(&[Use::Value, Use::Points]));
    let equalities = keys.keys.len();
    if equalities > 0 || conditions.is_empty() {
        // What does not stand in front is of no use behind.
        let _ = sort.iter().try_for_each(|(field, direction)| keys.add(field, direction));
        let ranges = conditions.fields(&[Use::Range]).filter(|field| list_on(root, field).is_none());
        keys.ascending(ranges.filter(|field| *field != "_id"));
    } else {
        keys.ascending(conditions.fields(&[Use::Range]));
    }
    if keys.keys.is_empty() {
        let region = conditions.fields(&[Use::Region]).next();
        keys.keys.extend(region.map(|field| (field.to_owned(), "2dsphere".into())));
    }
    keys.without_tie_break(equalities)
}

struct Keys<'r> {
    root: &'r Field,
    keys: Vec<(String, Bson)>,
}

impl Keys<'_> {
    fn ascending<'k>(&mut self, fields: impl Iterator<Item = &'k str>) {
        for field in fields {
            let _ = self.add(field, &Bson::Int32(1));
        }
    }

    /// Adds a key that is not there yet; `None` where it has no room: an index holds the items of one array only.
    fn add(&mut self, field: &str, kind: &Bson) -> Option<()> {
        if self.keys.iter().any(|(key, _)| key == field) {
            return Some(());
        }
        let list = list_on(self.root, field);
        let is_apart = |(other, _): &(String, Bson)| match (list_on(self.root, other), list) {
            (Some(other), Some(list)) => !is_within(other, list) && !is_within(list, other),
            _ => false,
        };
        if self.keys.len() == MOST_KEYS || self.keys.iter().any(is_apart) {
            return None;
        }
        self.keys.push((field.to_owned(), kind.clone()));
        Some(())
    }

    /// The keys without the `_id` at their end that the tie-break adds; an index on `_id` alone is always there.
    fn without_tie_break(mut self, equalities: usize) -> Option<Document> {
        if let [before @ .., (last, direction)] = &self.keys[..]
            && last == "_id"
            // Behind equalities alone, either direction is the other one read backwards.
            && before.get(equalities..).and_then(<[_]>::last).is_none_or(|(_, other)| other == direction)
        {
            self.keys.pop();
        }
        (!self.keys.is_empty()).then(|| self.keys.into_iter().collect())
    }
}
