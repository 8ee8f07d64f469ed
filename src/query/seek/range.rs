//! Seeking in fields that hold one scalar type or nothing: conditions that an index turns into bounds.

use bson::{Bson, Document, doc};

use super::{Key, order::is_nan};

/// The documents after `keys`: those with the first key's value or beyond, which bounds the scan of an index; among
/// them those beyond it in the first key, or equal in it and beyond in the second, and so on.
pub(super) fn after(keys: &[Key<'_>]) -> Document {
    let mut equal = Document::new();
    let mut alternatives = Vec::new();
    for key in keys {
        if let Some(beyond) = beyond(key) {
            let mut alternative = equal.clone();
            alternative.insert(key.path, beyond);
            alternatives.push(alternative);
        }
        equal.insert(key.path, doc! { "$eq": key.value.clone() });
    }
    if alternatives.len() < 2 {
        return alternatives.pop().unwrap_or_else(|| doc! { "_id": { "$in": [] } });
    }
    let bound = keys.first().and_then(|first| Some(doc! { first.path: not_before(first)? }));
    let mut after = bound.unwrap_or_default();
    after.insert("$or", alternatives);
    after
}

/// What comes after the key; `None` where nothing does.
///
/// `null` comes first of all, then NaN, which no comparison with a number meets, nor one with it any number. What is
/// not above a number is all below it, these two among them, in one range.
fn beyond(key: &Key<'_>) -> Option<Document> {
    match (&key.value, key.descending) {
        (Bson::Null, false) => Some(doc! { "$ne": Bson::Null }),
        (Bson::Null, true) => None,
        (value, false) if is_nan(value) => Some(doc! { "$gte": f64::NEG_INFINITY }),
        (value, true) if is_nan(value) => Some(doc! { "$eq": Bson::Null }),
        (value, false) => Some(doc! { "$gt": value.clone() }),
        (value, true) => Some(doc! { "$not": { "$gte": value.clone() } }),
    }
}

/// The key and what comes after it; `None` where that is everything.
fn not_before(key: &Key<'_>) -> Option<Document> {
    match (&key.value, key.descending) {
        (Bson::Null, false) => None,
        (Bson::Null, true) => Some(doc! { "$eq": Bson::Null }),
        (value, false) if is_nan(value) => Some(doc! { "$ne": Bson::Null }),
        (value, true) if is_nan(value) => Some(doc! { "$not": { "$gte": f64::NEG_INFINITY } }),
        (value, false) => Some(doc! { "$gte": value.clone() }),
        (value, true) => Some(doc! { "$not": { "$gt": value.clone() } }),
    }
}
