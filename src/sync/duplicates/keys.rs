//! The keys under which an index holds a document, as an aggregation expression. Touches no database.
//!
//! It follows what MongoDB does for [multikey](https://www.mongodb.com/docs/manual/core/indexes/index-types/index-multikey/),
//! [sparse](https://www.mongodb.com/docs/manual/core/index-sparse/) and
//! [unique](https://www.mongodb.com/docs/manual/core/index-unique/) indexes:
//!
//! - A list has a key for each of its items, and stands for each of them on the way to fields within. Lists in lists are
//!   not taken apart. An empty list has the key `undefined`, or, for a field within, that of a missing field.
//! - A number in a path takes the item of a list that is there; what that holds is not taken apart if it is a list.
//! - Fields below the same list are taken from the same item. (Two different lists cannot be indexed together.)
//! - A missing field has the key null; a sparse index leaves out keys that are missing altogether.

use std::{collections::BTreeMap, fmt::Display};

use bson::{Bson, Document, bson, doc};

use crate::schema::Index;

/// The deepest path whose keys can be asked for: the server refuses expressions that are nested too deep.
const DEEPEST: usize = 8;

/// The fields of an index, by what their paths begin with.
#[derive(Debug, Default)]
struct Node {
    /// The number of the field that ends here.
    field: Option<usize>,
    below: BTreeMap<String, Node>,
}

/// The keys of a document under the index: a list without repetitions of objects, of which [`value`] gives what the index
/// holds. `None` where the index is not on plain fields, or these lie too deep.
pub(super) fn of(index: &Index) -> Option<Bson> {
    let paths = || index.keys.keys().map(|path| path.split('.'));
    if !index.is_plain() || paths().any(|path| path.count() > DEEPEST) {
        return None;
    }
    let mut root = Node::default();
    for (number, path) in paths().enumerate() {
        let end = path.fold(&mut root, |node, name| node.below.entry(name.to_owned()).or_default());
        end.field = Some(number);
    }
    let sparse = index.options.get_bool("sparse").unwrap_or(false);
    let keys = Extraction { sparse }.keys(&root, &Item::root());
    let keys = if sparse { without_missing(keys, index.keys.len()) } else { keys };
    Some(bson!({ "$setUnion": [keys, []] }))
}

/// What the index holds for the field with that number.
pub(super) fn value(key: &Document, field: usize) -> Bson {
    key.get(field.to_string()).cloned().unwrap_or_else(|| Bson::Array(Vec::new()))
}

// A key is one flat object: grouping by nested ones takes the server five times as long. The member that is named by a
// field's number has its value; where there is none, the one with a letter behind it says why.

/// The member that is there for `undefined`, by which an empty list is known.
fn undefined(field: usize) -> String {
    format!("{field}u")
}

/// The member that is there for a missing field, as long as it matters that it is missing.
fn missing(field: usize) -> String {
    format!("{field}m")
}

/// The keys with null for what is missing, without those that miss everything.
fn without_missing(keys: Bson, fields: usize) -> Bson {
    let member = |name: &dyn Display| format!("$$key.{name}");
    let is_missing = |field| bson!({ "$eq": [member(&missing(field)), true] });
    let some = (0..fields).map(|field| bson!({ "$not": is_missing(field) })).collect::<Vec<_>>();
    let known = (0..fields).flat_map(|field| {
        let value = bson!({ "$cond": [is_missing(field), (Bson::Null), member(&field)] });
        [(field.to_string(), value), (undefined(field), member(&undefined(field)).into())]
    });
    let kept = bson!({ "$filter": { "input": keys, "as": "key", "cond": { "$or": some } } });
    bson!({ "$map": { "input": kept, "as": "key", "in": known.collect::<Document>() } })
}

struct Extraction {
    sparse: bool,
}

/// A value within a document, that is not itself a list to be taken apart.
struct Item {
    /// The expression that gives it.
    value: Bson,
    /// The expression that says that it is the item of an empty list.
    is_void: Bson,
    /// The variable of the list of which it is, if any.
    list: Option<String>,
    depth: usize,
}

impl Item {
    fn root() -> Self {
        Self { value: "$$ROOT".into(), is_void: false.into(), list: None, depth: 0 }
    }
}

impl Extraction {
    /// The keys, as far as they are of the fields at and below `node`, where `item` stands.
    fn keys(&self, node: &Node, item: &Item) -> Bson {
        let own = node.field.map(|field| bson!([self.held(field, item)]));
        let below = node.below.iter().map(|(name, node)| self.below(node, name, item));
        own.into_iter().chain(below).reduce(combined).unwrap_or_else(|| bson!([]))
    }

    /// The members of a key that say what a field holds whose value is `item`.
    fn held(&self, field: usize, item: &Item) -> Bson {
        let is_type = |name: &str| bson!({ "$eq": [{ "$type": item.value.clone() }, name] });
        let missing = if self.sparse {
            doc! { missing(field): true }
        } else {
            doc! { field.to_string(): Bson::Null }
        };
        bson!({ "$switch": {
            "branches": [
                {
                    "case": { "$or": [item.is_void.clone(), is_type("undefined")] },
                    "then": { "$literal": { (undefined(field)): true } },
                },
                { "case": is_type("missing"), "then": { "$literal": missing } },
            ],
            "default": { (field.to_string()): item.value.clone() },
        } })
    }

    /// The keys of what is called `name` in `item`.
    fn below(&self, node: &Node, name: &str, item: &Item) -> Bson {
        let depth = item.depth + 1;
        let (within, entry) = (format!("within{depth}"), format!("entry{depth}"));
        let (value, is_whole) = member(name, item);
        let list = format!("$${within}");
        let items = bson!({ "$switch": {
            "branches": [
                { "case": { "$or": [{ "$not": { "$isArray": &list } }, is_whole] }, "then": [{ "value": &list }] },
                { "case": { "$eq": [&list, []] }, "then": { "$literal": [{ "void": true }] } },
            ],
            "default": { "$map": { "input": &list, "as": "value", "in": { "value": "$$value" } } },
        } });
        let value_of = |member: &str| Bson::from(format!("$${entry}.{member}"));
        let is_void = bson!({ "$eq": [value_of("void"), true] });
        let keys = self.keys(node, &Item { value: value_of("value"), is_void, list: Some(list.clone()), depth });
        let keys = bson!({ "$map": { "input": items, "as": entry, "in": keys } });
        bson!({ "$let": { "vars": { within: value }, "in": chained(keys) } })
    }
}

/// What is called `name` in the item, and whether it is an item of a list that is not to be taken apart.
fn member(name: &str, item: &Item) -> (Bson, Bson) {
    let value = item.value.clone();
    let field = bson!({ "$getField": { "field": { "$literal": name }, "input": value.clone() } });
    let field = bson!({ "$cond": [{ "$eq": [{ "$type": value }, "object"] }, field, "$$REMOVE"] });
    let Some((list, at)) = item.list.as_ref().zip(position(name)) else { return (field, false.into()) };
    let length = bson!({ "$cond": [{ "$isArray": list }, { "$size": list }, 0] });
    let is_there = bson!({ "$gt": [length, at] });
    (bson!({ "$cond": [is_there.clone(), { "$arrayElemAt": [list, at] }, field] }), is_there)
}

/// The place in a list that a part of a path names.
fn position(name: &str) -> Option<i32> {
    let is_plain = name == "0" || !name.starts_with(['0', '+', '-']);
    name.parse().ok().filter(|_| is_plain)
}

/// Each key of the one with each of the other. At most one of them comes of a list, so there are never many.
fn combined(one: Bson, other: Bson) -> Bson {
    let both = bson!({ "$map": { "input": other, "as": "right", "in": { "$mergeObjects": ["$$left", "$$right"] } } });
    chained(bson!({ "$map": { "input": one, "as": "left", "in": both } }))
}

/// A list of lists as one list.
fn chained(lists: Bson) -> Bson {
    bson!({ "$reduce": { "input": lists, "initialValue": [], "in": { "$concatArrays": ["$$value", "$$this"] } } })
}
