//! Seeking in any fields: whatever comes no later than a position is excluded.
//!
//! A document stands where the first of its keys puts it, so it comes after a position if none of its keys is at it or
//! before it. An array makes a key of each item, or of the field in each item; with several keys of one array it is
//! those of one item that belong together. A key is `null` where its field is missing: in an object, but also in an
//! item that is no object, and in an empty array on the way to the field.

use bson::{Document, doc};

use super::{Key, head, is_position, order::Keys, splits};

/// The documents after `keys`.
pub(super) fn after(keys: &[Key<'_>]) -> Document {
    let equal: Vec<_> = keys.iter().map(|key| Keys::equal(&key.value)).collect();
    let mut excluded = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        let passed = Keys::passed(&key.value, key.descending);
        if !passed.is_empty() {
            let before = keys.iter().zip(&equal).take(at).map(|(key, equal)| (key.path, equal));
            let together: Vec<_> = before.chain([(key.path, &passed)]).collect();
            excluded.push(all_of(together_in("", &together)));
        }
    }
    let same: Vec<_> = keys.iter().zip(&equal).map(|(key, equal)| (key.path, equal)).collect();
    excluded.push(all_of(together_in("", &same)));
    doc! { "$nor": excluded }
}

/// The fields at these dotted names below `prefix`, which holds no array, have keys of these sets that belong together:
/// all of the conditions.
fn together_in(prefix: &str, keys: &[(&str, &Keys)]) -> Vec<Document> {
    let mut conditions = Vec::new();
    let mut rest = keys.to_vec();
    while let Some(&(path, first)) = rest.first() {
        let (group, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(other, _)| head(other) == head(path));
        conditions.push(match group[..] {
            [_] => one(prefix, path, first),
            _ => several(prefix, &group),
        });
        rest = others;
    }
    conditions
}

/// The field has a key of the set.
fn one(prefix: &str, path: &str, keys: &Keys) -> Document {
    let whole = join(prefix, path);
    let mut alternatives: Vec<_> = keys.operators.iter().map(|operator| doc! { &whole: operator.clone() }).collect();
    if keys.null {
        alternatives.extend([doc! { &whole: { "$type": "null" } }, doc! { &whole: { "$exists": false } }]);
        for (outer, rest) in splits(path).filter(|(_, rest)| !is_position(rest)) {
            alternatives.push(doc! { join(prefix, outer): { "$elemMatch": { rest: { "$exists": false } } } });
            alternatives.push(doc! { join(prefix, outer): no_object() });
        }
    }
    any_of(alternatives)
}

/// The fields, which share the beginning of their names, have keys of the sets that belong together.
fn several(prefix: &str, keys: &[(&str, &Keys)]) -> Document {
    let shared = shared(keys);
    let null = keys.iter().all(|(_, keys)| keys.null);
    let whole = keys.iter().any(|(path, _)| *path == shared);
    let mut alternatives = vec![all_of(within(prefix, shared, keys))];
    let levels = splits(shared).map(|(outer, _)| outer).chain([shared]);
    for outer in levels.filter(|outer| !whole && !is_position(rest(keys[0].0, outer))) {
        let inner: Vec<_> = keys.iter().map(|(path, keys)| (rest(path, outer), *keys)).collect();
        let array = join(prefix, outer);
        let shared = rest(shared, outer);
        alternatives.push(doc! { &array: { "$elemMatch": all_of(within("", shared, &inner)) } });
        if null {
            alternatives.extend([doc! { &array: no_object() }, doc! { &array: { "$size": 0 } }]);
        }
    }
    any_of(alternatives)
}

/// The fields below `shared`, which holds no array, have keys of the sets that belong together: all of the conditions.
fn within(prefix: &str, shared: &str, keys: &[(&str, &Keys)]) -> Vec<Document> {
    let mut conditions = Vec::new();
    let levels = splits(shared).map(|(outer, _)| outer).chain([shared]);
    // Positions are of one array, and no item of it is meant by itself.
    for outer in levels.filter(|outer| !outer.is_empty() && !is_position(rest(keys[0].0, outer))) {
        conditions.push(doc! { join(prefix, outer): { "$not": { "$type": "array" } } });
    }
    let (whole, inner): (Vec<_>, Vec<_>) = keys.iter().copied().partition(|(path, _)| *path == shared);
    conditions.extend(whole.into_iter().map(|(path, keys)| one(prefix, path, keys)));
    let inner: Vec<_> = inner.into_iter().map(|(path, keys)| (rest(path, shared), keys)).collect();
    conditions.extend(together_in(&join(prefix, shared), &inner));
    conditions
}

/// An array has an item that is no object; a field in it has the key `null`.
fn no_object() -> Document {
    doc! { "$elemMatch": { "$not": { "$type": "object" } } }
}

/// The longest dotted name that all the names are or begin with.
fn shared<'p>(keys: &[(&'p str, &Keys)]) -> &'p str {
    let first = keys[0].0;
    let all = |outer: &&str| keys.iter().all(|(path, _)| path == outer || !rest(path, outer).is_empty());
    splits(first).map(|(outer, _)| outer).chain([first]).filter(all).last().unwrap_or_default()
}

/// What follows in the dotted name `path` after `outer`; empty where it does not begin with it, or is all of it.
fn rest<'p>(path: &'p str, outer: &str) -> &'p str {
    if outer.is_empty() {
        return path;
    }
    path.strip_prefix(outer).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default()
}

fn join(prefix: &str, path: &str) -> String {
    match (prefix, path) {
        ("", name) | (name, "") => name.to_owned(),
        _ => format!("{prefix}.{path}"),
    }
}

fn all_of(mut conditions: Vec<Document>) -> Document {
    if conditions.len() == 1 {
        conditions.swap_remove(0)
    } else {
        doc! { "$and": conditions }
    }
}

fn any_of(mut alternatives: Vec<Document>) -> Document {
    if alternatives.len() == 1 {
        alternatives.swap_remove(0)
    } else {
        doc! { "$or": alternatives }
    }
}
