//! `sort=a,-b`: the order of a list, made total.

use bson::{Document, doc};

use super::{
    params::split,
    path::{self, Scope},
    seek,
};
use crate::{
    error::{Place, Result},
    schema::{Field, Kind, Schema},
};

/// MongoDB sorts by at most this many keys, of which `_id` may be one.
const MOST_KEYS: usize = 32;

/// One key of a sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The field's dotted name.
    pub field: String,
    /// From greatest to least.
    pub descending: bool,
    /// Where it is named.
    pub place: Place,
}

impl Key {
    /// Reads `a,-b`.
    pub fn parse_list(text: &str) -> Result<Vec<Self>> {
        Self::collect(split("sort", text))
    }

    /// Reads the keys `a` and `-b`, each with its place.
    pub(super) fn collect<'t>(parts: impl IntoIterator<Item = (&'t str, Place)>) -> Result<Vec<Self>> {
        let mut keys: Vec<Self> = Vec::new();
        for (part, place) in parts {
            let (descending, field) = part.strip_prefix('-').map_or((false, part), |field| (true, field));
            if field.is_empty() {
                return Err(place.refuse("expected a field, as in `sort=author,-year`"));
            }
            if keys.iter().any(|key| key.field == field) {
                return Err(place.refuse(format!("`{field}` is named twice")));
            }
            if keys.len() + 1 == MOST_KEYS {
                return Err(place.refuse(format!("expected fewer than {MOST_KEYS} fields")));
            }
            keys.push(Self { field: field.to_owned(), descending, place });
        }
        Ok(keys)
    }
}

/// The sort document: the keys, and `_id` in the direction of the last one unless the order is total without it.
pub fn plan(schema: &Schema, keys: &[Key]) -> Result<Document> {
    let mut sort = Document::new();
    let (root, mut array) = (Scope::of(&schema.root), None::<&Key>);
    for key in keys {
        if path::is_list(root.value(&key.field, &key.place)?)
            && let Some(other) = array.replace(key)
        {
            let detail = format!("`{}` and `{}` are both arrays, only one can be sorted by", other.field, key.field);
            return Err(key.place.clone().refuse(detail));
        }
        sort.insert(key.field.clone(), if key.descending { -1 } else { 1 });
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
        || schema.is_enforced
            && schema.indexes.iter().any(|index| {
                index.options.contains_key("unique")
                    && !index.options.contains_key("partialFilterExpression")
                    && index.keys.keys().all(|name| sorted(name) && single(name) && schema.root.required.contains(name))
            })
}
