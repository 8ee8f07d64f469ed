//! The fields that a planned filter speaks of. Whether anyone may name them is not known here.

use std::{borrow::Cow, collections::BTreeSet};

use bson::{Bson, Document};

use crate::schema::{Schema, index::EVERY_FIELD};

/// Dotted names, as they are put together.
pub(super) struct Names<'s> {
    /// The collection; `None` where nothing is looked for in its text index.
    schema: Option<&'s Schema>,
    found: BTreeSet<String>,
}

impl<'s> Names<'s> {
    /// No names yet, of documents of `schema`.
    pub(super) fn of(schema: &'s Schema) -> Self {
        Self { schema: Some(schema), found: BTreeSet::new() }
    }

    /// The names of `filter`, which is on items of an array.
    pub(super) fn of_items(filter: &Document) -> BTreeSet<String> {
        Self { schema: None, found: BTreeSet::new() }.with_filter(filter).into_set()
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
                ("$text", _) => {
                    let keys = self.schema.into_iter().flat_map(Schema::text_keys);
                    self.found.extend(keys.map(Cow::into_owned));
                }
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

#[cfg(test)]
mod tests {
    use bson::doc;
    use proptest::prelude::*;

    use super::*;
    use crate::schema::load;

    fn schema(keys: &str) -> Schema {
        let file = format!(r#"{{"type":"object","x-indexes":[{{"keys":{keys}}}]}}"#);
        load::parse("schemas/x.json", "x", file).unwrap()
    }

    fn names(filter: &Document) -> Vec<String> {
        Names::of(&schema(r#"{"title":"text","in.words":"text"}"#)).with_filter(filter).into_set().into_iter().collect()
    }

    #[test]
    fn names_what_is_looked_at() {
        for (filter, expected) in [
            (doc! {}, vec![]),
            (doc! { "b": 1, "a": { "$gt": 1, "$lt": 2 } }, vec!["a", "b"]),
            (doc! { "a": { "b": 1 }, "c.d": null }, vec!["a", "c.d"]),
            (doc! { "$or": [{ "a": 1 }, { "$nor": [{ "$and": [{ "b": 1 }] }] }] }, vec!["a", "b"]),
            (doc! { "a": { "$elemMatch": { "b": 1, "$or": [{ "c.d": 1 }] } } }, vec!["a.b", "a.c.d"]),
            (doc! { "a": { "$elemMatch": { "$gt": 1 } } }, vec!["a"]),
            (doc! { "a": { "$elemMatch": {} } }, vec!["a"]),
            (doc! { "a": { "$elemMatch": { "$elemMatch": { "b": 1 } } } }, vec!["a.b"]),
            (doc! { "a": { "$elemMatch": { "b": 1 }, "$size": 1 } }, vec!["a", "a.b"]),
            (doc! { "a": { "$not": { "$elemMatch": { "b": { "$elemMatch": { "c": 1 } } } } } }, vec!["a.b.c"]),
            (
                doc! { "a": { "$all": [{ "$elemMatch": { "b": 1 } }, { "$elemMatch": { "c": 1 } }] } },
                vec!["a.b", "a.c"],
            ),
            (doc! { "a": { "$all": [1, 2] } }, vec!["a"]),
            (doc! { "$text": { "$search": "x" }, "a": 1 }, vec!["a", "in.language", "in.words", "language", "title"]),
            (doc! { "$expr": { "$gt": ["$a", 1] } }, vec!["$**"]),
        ] {
            assert_eq!(names(&filter), expected, "{filter}");
        }
        let wild = schema(r#"{"$**":"text"}"#);
        let found = Names::of(&wild).with_filter(&doc! { "$text": { "$search": "x" } }).with_sort(&doc! { "z": 1 });
        assert_eq!(found.into_set().into_iter().collect::<Vec<_>>(), ["$**", "language", "z"]);
    }

    /// Filters, each with the names that conditions stand on.
    fn filters() -> impl Strategy<Value = (Document, Vec<String>)> {
        let name = || "[a-d](\\.[a-d]){0,2}";
        let leaf = (name(), 0_usize..6).prop_map(|(name, way)| {
            let condition = match way {
                0 => Bson::from(1),
                1 => Bson::from(doc! { "x": 1 }),
                2 => Bson::from(doc! { "$in": [1, { "x": 1 }] }),
                3 => Bson::from(doc! { "$not": { "$gte": 1 } }),
                4 => Bson::from(doc! { "$regex": "^a", "$options": "i" }),
                _ => Bson::from(doc! { "$elemMatch": { "$gt": 1 } }),
            };
            (doc! { &name: condition }, vec![name])
        });
        leaf.prop_recursive(4, 24, 3, move |inner| {
            let branches = proptest::collection::vec(inner.clone(), 1..3);
            let operator = proptest::sample::select(vec!["$and", "$or", "$nor"]);
            prop_oneof![
                (operator, branches).prop_map(|(operator, branches)| {
                    let (filters, names): (Vec<_>, Vec<_>) = branches.into_iter().unzip();
                    (doc! { operator: filters }, names.concat())
                }),
                (name(), inner, any::<bool>()).prop_map(|(name, (filter, inner), negated)| {
                    let items = doc! { "$elemMatch": filter };
                    let condition = if negated {
                        doc! { "$not": items }
                    } else {
                        items
                    };
                    let inner = inner.iter().map(|inner| format!("{name}.{inner}")).collect();
                    (doc! { &name: condition }, inner)
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_field_that_a_filter_mentions_is_named((filter, mentioned) in filters()) {
            let expected: BTreeSet<_> = mentioned.into_iter().collect();
            prop_assert_eq!(names(&filter).into_iter().collect::<BTreeSet<_>>(), expected);
        }
    }
}
