//! `sort=a,-b`: the order of a list, made total.

use bson::{Document, doc};

use super::{path, seek};
use crate::{
    error::{Place, Result, invalid_query},
    schema::{Field, Kind, Schema},
};

/// MongoDB sorts by at most this many keys.
const MOST_KEYS: usize = 32;

/// One key of a sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The field's dotted name.
    pub field: String,
    /// From greatest to least.
    pub descending: bool,
}

impl Key {
    /// Reads `a,-b`.
    pub fn parse_list(text: &str) -> Result<Vec<Self>> {
        let mut keys: Vec<Self> = Vec::new();
        let mut offset = 0;
        for part in text.split(',') {
            let (descending, field) = part.strip_prefix('-').map_or((false, part), |field| (true, field));
            if field.is_empty() {
                return Err(invalid_query("sort", Some(offset), "expected a field, as in `sort=author,-year`"));
            }
            if keys.iter().any(|key| key.field == field) {
                return Err(invalid_query("sort", Some(offset), format!("`{field}` is named twice")));
            }
            keys.push(Self { field: field.to_owned(), descending });
            offset += part.len() + 1;
        }
        if keys.len() >= MOST_KEYS {
            return Err(invalid_query("sort", None, format!("expected fewer than {MOST_KEYS} fields")));
        }
        Ok(keys)
    }
}

/// The sort document: the keys, and `_id` in the direction of the last one unless the order is total without it.
pub fn plan(schema: &Schema, keys: &[Key]) -> Result<Document> {
    let mut sort = Document::new();
    let mut arrays = Vec::new();
    for key in keys {
        if path::is_list(path::lookup(&schema.root, &key.field, &Place::new("sort", None))?) {
            arrays.push(key.field.as_str());
        }
        sort.insert(key.field.clone(), if key.descending { -1 } else { 1 });
    }
    if let [first, second, ..] = arrays[..] {
        return Err(invalid_query(
            "sort",
            None,
            format!("`{first}` and `{second}` are both arrays, only one can be sorted by"),
        ));
    }
    if !is_total(schema, keys) {
        sort.extend(doc! { "_id": if keys.last().is_some_and(|key| key.descending) { -1 } else { 1 } });
    }
    seek::check(schema, &sort)?;
    Ok(sort)
}

/// Whether no two documents can be equal under the keys: `_id` or all of a unique index is among them.
fn is_total(schema: &Schema, keys: &[Key]) -> bool {
    let sorted = |name: &str| keys.iter().any(|key| key.field == name);
    let single = |name: &str| schema.root.properties.get(name).is_some_and(|f: &Field| !f.kinds.contains(Kind::Array));
    sorted("_id")
        || schema.indexes.iter().any(|index| {
            index.options.get_bool("unique").unwrap_or(false)
                && !index.options.contains_key("partialFilterExpression")
                && index.keys.keys().all(|name| sorted(name) && single(name) && schema.root.required.contains(name))
        })
}
