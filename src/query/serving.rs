//! What serves a query: the order in which an index has its documents anyway, and the index that is missing.
//!
//! Known are the filter and the collection file alone. What the database makes of a query is for `store::explain`.

use bson::{Document, doc};

use super::{
    path::{self, Scope},
    seek,
};
use crate::{
    error::Place,
    schema::{Field, Index, Schema},
};

mod conditions;
mod missing;

use conditions::{Conditions, Use};
pub use missing::{MissingIndex, missing_index};

/// The order of a list that asks for none: the keys that follow the filter's equality fields in the index that serves
/// it best, or that of `_id`. It is total, and following it costs no sort.
///
/// Of several indexes the one serves best that has most equality fields in front, then one whose next key is in a
/// range, then the first of the file. An index on a field that is out of sight, or one of `avoid`, would tell of it.
pub fn order(schema: &Schema, filter: &Document, avoid: &[String]) -> Document {
    let conditions = Conditions::of(filter);
    let offer = |index| offer(schema, index, &conditions);
    let best = if conditions.have("_id", Use::Value) {
        None
    } else {
        let can_be_paged = |(_, order): &(_, Document)| seek::check(schema, order).is_ok();
        let in_sight = |index: &&Index| !tells_of(index, schema, avoid);
        // The last of equals is taken, so the first of the file has to come last.
        schema.indexes.iter().rev().filter(in_sight).filter_map(offer).filter(can_be_paged).max_by_key(|(fit, _)| *fit)
    };
    best.map_or_else(|| doc! { "_id": 1 }, |(_, order)| order)
}

/// Whether the order of the index tells of fields that are out of sight, or of those to `avoid`.
fn tells_of(index: &Index, schema: &Schema, avoid: &[String]) -> bool {
    let root = Scope::of(&schema.root);
    let is_told = |key: &String| {
        let overlap = |name: &String| path::is_within(key, name) || path::is_within(name, key);
        avoid.iter().any(overlap) || (schema.root.conceals && root.value(key, &Place::new("sort", None)).is_err())
    };
    index.keys.keys().any(is_told)
}

/// How well the index serves the conditions (equality fields in front, then a range), and the order it has.
fn offer(schema: &Schema, index: &Index, conditions: &Conditions<'_>) -> Option<((usize, bool), Document)> {
    let has = |option: &str| index.options.contains_key(option);
    if !is_usable(index) {
        return None;
    }
    let covered = index.keys.keys().take_while(|field| conditions.have(field, Use::Value)).count();
    let is_unique =
        schema.is_enforced && has("unique") && !index.keys.keys().any(|field| list_on(&schema.root, field).is_some());
    if is_unique && covered == index.keys.len() {
        // There is one such document at most, so a sparse index serves it as well as any.
        return Some(((usize::MAX, false), index.keys.clone()));
    }
    let order = up_to_id(index.keys.iter().skip(covered));
    let ranged = order.keys().next().is_some_and(|field| conditions.have(field, Use::Range));
    let total = order.contains_key("_id")
        || (is_unique && !order.is_empty() && order.keys().all(|field| schema.root.required.contains(field)));
    let fits = (covered > 0 || ranged) && total && !has("sparse") && is_kept(schema, index, (&order, conditions));
    fits.then_some(((covered, ranged), order))
}

/// Whether MongoDB can use the index for comparisons of any value, but for absent ones where it is sparse.
fn is_usable(index: &Index) -> bool {
    let bars = ["partialFilterExpression", "collation", "hidden"];
    index.is_plain() && !bars.into_iter().any(|option| index.options.contains_key(option))
}

/// The keys as far as they make an order: `_id` decides all that is left.
fn up_to_id<'k>(keys: impl Iterator<Item = (&'k String, &'k bson::Bson)>) -> Document {
    let mut order = Document::new();
    for (field, direction) in keys {
        order.insert(field.clone(), direction.clone());
        if field == "_id" {
            break;
        }
    }
    order
}

/// Whether reading the index gives the order: MongoDB sorts by one array only, and then only where no condition
/// narrows what is read of its items.
fn is_kept(schema: &Schema, index: &Index, (order, conditions): (&Document, &Conditions<'_>)) -> bool {
    let lists: Vec<_> = order.keys().filter_map(|field| lists_on(&schema.root, field).last()).collect();
    let narrows = |field: &String| lists.iter().any(|list| path::is_within(field, list)) && conditions.mention(field);
    lists.len() <= 1 && !index.keys.keys().any(narrows)
}

/// The array that the dotted name leads to or through, the innermost if there are several.
fn list_on<'p>(root: &Field, field: &'p str) -> Option<&'p str> {
    lists_on(root, field).next()
}

/// The arrays that the dotted name leads to or through, the innermost first.
fn lists_on<'p>(root: &Field, field: &'p str) -> impl Iterator<Item = &'p str> {
    let ends = field.rmatch_indices('.').map(|(at, _)| at);
    let prefixes = std::iter::once(field.len()).chain(ends).map(|end| &field[..end]);
    prefixes.filter(|path| path::reach(root, path).is_some_and(path::is_list))
}

#[cfg(test)]
mod tests;
