//! The shape of a query: what of it decides how MongoDB runs it, and not the values.

use std::hash::{Hash, Hasher};

use bson::{Bson, Document};

use crate::query::FindPlan;

/// The hash of the plan's shape: names, operators, types of values, lengths of lists, and the order. The values of the
/// `deciding` fields belong to it too.
pub(super) fn hash(plan: &FindPlan, deciding: &[String], hasher: &mut impl Hasher) -> u64 {
    Shape { hasher, deciding }.document(&plan.filter, false);
    plan.sort.len().hash(hasher);
    for (name, direction) in &plan.sort {
        name.hash(hasher);
        direction.as_i32().hash(hasher);
    }
    hasher.finish()
}

struct Shape<'s, H> {
    hasher: &'s mut H,
    deciding: &'s [String],
}

impl<H: Hasher> Shape<'_, H> {
    /// Takes in a filter, operators or a value that is an object; `exact` with the values in it.
    fn document(&mut self, document: &Document, exact: bool) {
        document.len().hash(self.hasher);
        for (name, value) in document {
            name.hash(self.hasher);
            let exact = exact || self.deciding.iter().any(|field| field == name);
            match (name.as_str(), value) {
                ("$regex", Bson::String(pattern)) => self.pattern(pattern),
                ("$exists", Bson::Boolean(there)) => there.hash(self.hasher),
                (_, value) => self.value(value, exact),
            }
        }
    }

    fn value(&mut self, value: &Bson, exact: bool) {
        std::mem::discriminant(value).hash(self.hasher);
        match value {
            Bson::Document(document) => self.document(document, exact),
            Bson::Array(values) => {
                // MongoDB reads around a short list in order, but not around a long one.
                values.len().hash(self.hasher);
                for value in values {
                    self.value(value, exact);
                }
            }
            value if exact => value.hash(self.hasher),
            _ => {}
        }
    }

    /// Only the beginning of a pattern can be looked up.
    fn pattern(&mut self, pattern: &str) {
        let is_letter = |c: char| !".^$*+?()[]{}|".contains(c);
        let begins = pattern.strip_prefix('^').is_some_and(|text| text.starts_with(is_letter));
        (begins, pattern.contains(['|', '*', '?', '{'])).hash(self.hasher);
    }
}

#[cfg(test)]
mod tests {
    use std::{hash::DefaultHasher, sync::Arc};

    use bson::{doc, oid::ObjectId};

    use super::*;
    use crate::{query::Bounds, schema::load};

    fn shape(filter: Document, sort: Document) -> u64 {
        let schema = load::parse("schemas/things.json", "things", r#"{"type":"object"}"#.to_owned()).unwrap();
        let (schema, bounds) = (Arc::new(schema), Bounds::NONE);
        let plan = FindPlan {
            schema,
            filter,
            after: None,
            sort,
            projection: None,
            cut: None,
            limit: 1,
            page: None,
            skip: 0,
            bounds,
        };
        hash(&plan, &["kept".to_owned()], &mut DefaultHasher::new())
    }

    #[test]
    fn is_of_names_and_operators_and_not_of_values() {
        let id = || doc! { "_id": 1 };
        let plain = shape(doc! { "a": { "$gt": 1 } }, id());
        assert_eq!(plain, shape(doc! { "a": { "$gt": 2 } }, id()));
        for (filter, sort) in [
            (doc! { "a": { "$gt": 1 } }, doc! { "_id": -1 }),
            (doc! { "a": { "$gt": 1 } }, doc! { "a": 1, "_id": 1 }),
            (doc! { "a": { "$gte": 1 } }, id()),
            (doc! { "b": { "$gt": 1 } }, id()),
            (doc! { "a": { "$gt": ObjectId::new() } }, id()),
            (doc! { "a": { "$gt": Bson::Null } }, id()),
            (doc! { "a": { "$gt": 1 }, "b": 1 }, id()),
            (doc! { "$or": [{ "a": { "$gt": 1 } }] }, id()),
            (doc! {}, id()),
        ] {
            assert_ne!(plain, shape(filter.clone(), sort.clone()), "{filter} by {sort}");
        }
    }

    #[test]
    fn tells_apart_what_indexes_do() {
        let cases = [
            (doc! { "a": { "$in": [1, 2] } }, doc! { "a": { "$in": [3, 4] } }, true),
            (doc! { "a": { "$in": [1, 2] } }, doc! { "a": { "$in": [1, 2, 3] } }, false),
            (doc! { "a": { "$regex": "^x" } }, doc! { "a": { "$regex": "^yz" } }, true),
            (doc! { "a": { "$regex": "^x" } }, doc! { "a": { "$regex": "x" } }, false),
            (doc! { "a": { "$regex": "^x" } }, doc! { "a": { "$regex": "^x|y" } }, false),
            (doc! { "a": { "$exists": true } }, doc! { "a": { "$exists": false } }, false),
            (doc! { "$or": [{ "a": 1 }, { "b": 1 }] }, doc! { "$or": [{ "a": 1, "b": 1 }] }, false),
            (doc! { "kept": { "$gt": 1 } }, doc! { "kept": { "$gt": 2 } }, false),
            (doc! { "lost": { "$gt": 1 } }, doc! { "lost": { "$gt": 2 } }, true),
        ];
        for (one, other, same) in cases {
            assert_eq!(shape(one.clone(), doc! {}) == shape(other.clone(), doc! {}), same, "{one} {other}");
        }
    }
}
