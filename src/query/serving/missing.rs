//! The index that a query lacks.

use bson::{Bson, Document, doc};

use super::{
    conditions::{Conditions, Use},
    is_usable, list_on, order,
    path::is_within,
};
use crate::schema::{Field, Schema};

/// As many keys as leave room for `_id`.
const MOST_KEYS: usize = 31;

/// An index that would serve a query.
#[derive(Debug, Clone, PartialEq)]
pub struct MissingIndex {
    /// What `x-indexes` in the collection file takes, so `_id` at the end goes without saying.
    pub keys: Document,
    /// The file has an index that does what this one would.
    pub is_declared: bool,
}

/// The index that would serve the query, its keys in the order equality, sort, `_id`, range; `None` where no index can.
///
/// A sort comes into it only behind an equality, or where nothing is asked for: elsewhere MongoDB reads the whole of
/// such an index, and the documents too. Each branch of an `$or` needs an index, and this is the first that the file
/// does not have.
///
/// See [equality, sort, range](https://www.mongodb.com/docs/manual/tutorial/equality-sort-range-guideline/).
pub fn missing_index(schema: &Schema, filter: &Document, sort: &Document) -> Option<MissingIndex> {
    let own = Document::new();
    let sort = if *sort == order(schema, filter, &[]) { &own } else { sort };
    let wanted = wanted(schema, filter, sort)?;
    // Finding the documents comes before having them in order.
    let unread = wanted.iter().find(|index| !declares(schema, &index.keys));
    let missing =
        unread.or_else(|| wanted.iter().find(|index| !declares(schema, &index.in_order()))).or(wanted.first());
    missing.map(|index| MissingIndex { keys: index.keys.clone(), is_declared: declares(schema, &index.in_order()) })
}

/// Whether the file has an index that begins with these keys, read forwards or backwards.
fn declares(schema: &Schema, keys: &Document) -> bool {
    schema.indexes.iter().any(|index| is_usable(index) && begins(&index.keys, keys))
}

fn begins(longer: &Document, shorter: &Document) -> bool {
    let turned = |kind: &Bson, turn: i32| kind.as_i32().map(|direction| direction * turn);
    let same = |turn| {
        longer.iter().zip(shorter).all(|(own, other)| own.0 == other.0 && turned(own.1, turn) == other.1.as_i32())
    };
    longer.len() >= shorter.len() && (same(1) || same(-1))
}

/// An index that serves a query, or a branch of it.
#[derive(Clone)]
struct Wanted {
    keys: Document,
    /// Its order is of use with `_id` behind the keys only.
    tie_break: bool,
}

impl Wanted {
    /// The keys, and `_id` where it is of use.
    fn in_order(&self) -> Document {
        let last = self.keys.values().last().filter(|_| self.tie_break);
        self.keys.clone().into_iter().chain(last.map(|direction| ("_id".to_owned(), direction.clone()))).collect()
    }
}

/// The indexes that serve the query together; `None` if some of it cannot be served.
fn wanted(schema: &Schema, filter: &Document, sort: &Document) -> Option<Vec<Wanted>> {
    let conditions = Conditions::of(filter);
    if conditions.special || conditions.have("_id", Use::Value) || conditions.have("_id", Use::Points) {
        return None;
    }
    if let Some(index) = index(&schema.root, &conditions, sort) {
        return Some(vec![index]);
    }
    let branches: Option<Vec<_>> = conditions.branches.iter().map(|branch| wanted(schema, branch, sort)).collect();
    branches.map(|indexes| indexes.concat()).filter(|indexes| !indexes.is_empty())
}

/// The one index that serves the conditions; without a sort, its own order is taken.
fn index(root: &Field, conditions: &Conditions<'_>, sort: &Document) -> Option<Wanted> {
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
        let region = conditions.fields(&[Use::Region]).next().map(|field| doc! { field: "2dsphere" });
        return region.map(|keys| Wanted { keys, tie_break: false });
    }
    // A range of an array's items is in no order of documents.
    let is_ordered = equalities > 0 || !keys.keys.iter().any(|(field, _)| list_on(root, field).is_some());
    let tie_break = keys.drop_tie_break(equalities) || (sort.is_empty() && is_ordered);
    (!keys.keys.is_empty()).then(|| Wanted { keys: keys.keys.into_iter().collect(), tie_break })
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

    /// Drops the `_id` at the end that the tie-break adds, or that has an index of its own; whether there was one.
    fn drop_tie_break(&mut self, equalities: usize) -> bool {
        let is_tie_break = match &self.keys[..] {
            // Behind equalities alone, either direction is the other one read backwards.
            [before @ .., (last, direction)] if last == "_id" => {
                before.get(equalities..).and_then(<[_]>::last).is_none_or(|(_, other)| other == direction)
            }
            _ => false,
        };
        if is_tie_break {
            self.keys.pop();
        }
        is_tie_break
    }
}
