//! Index declarations and what `listIndexes` returns, brought to one form that can be compared. Touches no database.
//!
//! The server fills in what was left out (`weights`, all of a collation, versions) and keeps text keys in a form of
//! its own, so neither side is compared as it stands.

use std::collections::BTreeMap;

use bson::{Bson, Document};

use crate::schema::{
    Index,
    index::{is_true, whole},
};

/// An index in comparable form; its name is not part of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Normal {
    keys: Vec<(String, Bson)>,
    options: BTreeMap<&'static str, Bson>,
    collation: Option<Document>,
}

/// The options that differ without making another index of it.
const ALTERABLE: [&str; 2] = ["hidden", "expireAfterSeconds"];

/// The options that, with keys and collation, tell indexes on the same keys apart: the server keeps two indexes
/// side by side only if they differ in one of these.
const SIGNATURE: [&str; 5] = ["unique", "sparse", "partialFilterExpression", "wildcardProjection", "weights"];

impl Normal {
    /// The comparable form of `index`.
    pub(super) fn of(index: &Index) -> Self {
        let collation = index.options.get_document("collation").ok();
        let collation = collation.filter(|c| c.get_str("locale").is_ok_and(|locale| locale != "simple")).cloned();
        let (keys, weights) = text_keys(index);
        let mut options: BTreeMap<_, _> = index.options.iter().filter_map(option).collect();
        if !weights.is_empty() {
            options.insert("weights", Bson::Array(weights));
        }
        Self { keys, options, collation }
    }

    /// Whether the existing index is the declared one.
    pub(super) fn is_met_by(&self, found: &Self) -> bool {
        self.keys == found.keys && self.options == found.options && self.same_collation(found)
    }

    /// Whether the existing index becomes the declared one by a `collMod`. That cannot start or stop expiry.
    pub(super) fn is_near(&self, found: &Self) -> bool {
        let expires = |index: &Self| index.options.contains_key("expireAfterSeconds");
        expires(self) == expires(found) && self.fixed().is_met_by(&found.fixed())
    }

    /// Whether the existing index is the declared one without the `_id` at the end of its keys.
    pub(super) fn is_met_but_for_tie_break(&self, found: &Self) -> bool {
        let Some(((last, _), keys)) = self.keys.split_last() else { return false };
        last == "_id" && !keys.is_empty() && Self { keys: keys.to_vec(), ..self.clone() }.is_met_by(found)
    }

    /// Whether the server refuses to have both: the same signature, or two text indexes.
    pub(super) fn excludes(&self, found: &Self) -> bool {
        let both_text = self.is_text() && found.is_text();
        let same = |name: &&str| self.options.get(name) == found.options.get(name);
        both_text || (self.keys == found.keys && SIGNATURE.iter().all(same) && self.same_collation(found))
    }

    fn is_text(&self) -> bool {
        self.keys.iter().any(|(key, _)| key == "_fts")
    }

    fn fixed(&self) -> Self {
        let mut fixed = self.clone();
        fixed.options.retain(|name, _| !ALTERABLE.contains(name));
        fixed
    }

    fn same_collation(&self, found: &Self) -> bool {
        match (&self.collation, &found.collation) {
            (None, None) => true,
            (Some(declared), Some(found)) => is_filled_in(declared, found),
            _ => false,
        }
    }
}

/// Whether the server would fill `declared` in to `found`. `normalization`, which is on by itself for some thirty
/// locales, may have any value.
fn is_filled_in(declared: &Document, found: &Document) -> bool {
    let locale = declared.get_str("locale").unwrap_or_default();
    let defaults = [
        ("strength", Bson::Int64(3)),
        ("caseLevel", Bson::Boolean(false)),
        ("numericOrdering", Bson::Boolean(false)),
        ("maxVariable", Bson::from("punct")),
        ("caseFirst", Bson::from(if ["da", "mt"].contains(&locale) { "upper" } else { "off" })),
        ("alternate", Bson::from(if locale == "th" { "shifted" } else { "non-ignorable" })),
        ("backwards", Bson::Boolean(locale == "fr_CA")),
    ];
    let kept = declared.iter().all(|(name, value)| found.get(name).map(number) == Some(number(value)));
    let added =
        |(name, value): (&str, Bson)| declared.contains_key(name) || found.get(name).is_none_or(|f| number(f) == value);
    let known = |name: &String| {
        declared.contains_key(name)
            || ["normalization", "version"].contains(&name.as_str())
            || defaults.iter().any(|(default, _)| default == name)
    };
    kept && found.keys().all(known) && defaults.clone().into_iter().all(added)
}

/// The keys with all text fields as the server writes them (`_fts`, `_ftsx`), and the text fields' weights.
fn text_keys(index: &Index) -> (Vec<(String, Bson)>, Vec<Bson>) {
    let declared = index.options.get_document("weights").ok();
    let mut weights: BTreeMap<&str, Bson> =
        declared.into_iter().flatten().map(|(k, v)| (k.as_str(), number(v))).collect();
    let mut keys = Vec::new();
    for (name, value) in &index.keys {
        match value {
            Bson::String(text) if text == "text" && name != "_fts" => {
                weights.entry(name).or_insert(Bson::Int64(1));
                if !keys.iter().any(|(key, _)| key == "_fts") {
                    keys.push(("_fts".to_owned(), value.clone()));
                    keys.push(("_ftsx".to_owned(), Bson::Int64(1)));
                }
            }
            value => keys.push((name.clone(), number(value))),
        }
    }
    let pair = |(name, weight): (&str, Bson)| Bson::Array(vec![name.into(), weight]);
    (keys, weights.into_iter().map(pair).collect())
}

/// An option that can be declared, unless it has its default value. `weights` and `collation` are read elsewhere.
fn option((name, value): (&String, &Bson)) -> Option<(&'static str, Bson)> {
    let is_text = |default: &str| value.as_str() == Some(default);
    match name.as_str() {
        "unique" => is_true(value).then_some(("unique", Bson::Boolean(true))),
        "sparse" => is_true(value).then_some(("sparse", Bson::Boolean(true))),
        "hidden" => is_true(value).then_some(("hidden", Bson::Boolean(true))),
        "expireAfterSeconds" => Some(("expireAfterSeconds", number(value))),
        "partialFilterExpression" => Some(("partialFilterExpression", number(value))),
        "wildcardProjection" => Some(("wildcardProjection", included(value))),
        "default_language" => (!is_text("english")).then(|| ("default_language", value.clone())),
        "language_override" => (!is_text("language")).then(|| ("language_override", value.clone())),
        _ => None,
    }
}

/// A projection's `true` is `1`.
fn included(projection: &Bson) -> Bson {
    let Bson::Document(fields) = projection else { return number(projection) };
    let flag = |value: &Bson| value.as_bool().map_or_else(|| number(value), |b| Bson::Int64(b.into()));
    Bson::Document(fields.iter().map(|(name, value)| (name.clone(), flag(value))).collect())
}

/// `value` with every whole number in it as an `Int64`, so that 1, 1.0 and 1 as a `long` are one.
fn number(value: &Bson) -> Bson {
    match value {
        Bson::Document(members) => Bson::Document(members.iter().map(|(k, v)| (k.clone(), number(v))).collect()),
        Bson::Array(items) => Bson::Array(items.iter().map(number).collect()),
        value => whole(value).map_or_else(|| value.clone(), Bson::Int64),
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    fn normal(keys: Document, options: Document) -> Normal {
        Normal::of(&Index { name: "i".to_owned(), keys, options })
    }

    fn english() -> Document {
        doc! {
            "locale": "en", "caseLevel": false, "caseFirst": "off", "strength": 2, "numericOrdering": false,
            "alternate": "non-ignorable", "maxVariable": "punct", "normalization": false, "backwards": false,
            "version": "57.1",
        }
    }

    #[test]
    fn what_the_server_fills_in_is_no_difference() {
        let cases = [
            (doc! { "a": 1 }, doc! {}, doc! { "a": 1.0 }, doc! { "v": 2, "ns": "db.c", "background": true }),
            (doc! { "a": 1 }, doc! { "unique": true }, doc! { "a": 1_i64 }, doc! { "unique": 1, "sparse": false }),
            (
                doc! { "a": 1 },
                doc! { "collation": { "locale": "en", "strength": 2 } },
                doc! { "a": 1 },
                doc! { "collation": english() },
            ),
            (doc! { "a": 1 }, doc! { "collation": { "locale": "simple" } }, doc! { "a": 1 }, doc! {}),
            (
                doc! { "z": 1, "title": "text", "body": "text", "u": -1 },
                doc! { "weights": { "title": 3 } },
                doc! { "z": 1, "_fts": "text", "_ftsx": 1, "u": -1 },
                doc! {
                    "weights": { "body": 1, "title": 3 }, "default_language": "english",
                    "language_override": "language", "textIndexVersion": 3,
                },
            ),
            (doc! { "g": "2dsphere" }, doc! {}, doc! { "g": "2dsphere" }, doc! { "2dsphereIndexVersion": 3 }),
            (
                doc! { "$**": 1 },
                doc! { "wildcardProjection": { "a": true } },
                doc! { "$**": 1 },
                doc! { "wildcardProjection": { "a": 1 } },
            ),
            (
                doc! { "p": 1 },
                doc! { "partialFilterExpression": { "p": { "$gt": 5_i64 } }, "expireAfterSeconds": 60 },
                doc! { "p": 1 },
                doc! { "partialFilterExpression": { "p": { "$gt": 5 } }, "expireAfterSeconds": 60.0 },
            ),
        ];
        for (keys, options, found_keys, found_options) in cases {
            let (declared, found) = (normal(keys, options), normal(found_keys, found_options));
            assert!(declared.is_met_by(&found), "{declared:?} {found:?}");
        }
    }

    #[test]
    fn differences_are_seen() {
        let collated = |collation: Document| doc! { "collation": collation };
        let mut numeric = english();
        numeric.insert("numericOrdering", true);
        let mut shifted = english();
        shifted.insert("alternate", "shifted");
        let mut forwards = english();
        forwards.insert("locale", "fr_CA");
        let cases = [
            (doc! { "a": 1 }, doc! {}, doc! { "a": -1 }, doc! {}),
            (doc! { "a": 1, "b": 1 }, doc! {}, doc! { "b": 1, "a": 1 }, doc! {}),
            (doc! { "a": 1 }, doc! { "unique": true }, doc! { "a": 1 }, doc! {}),
            (doc! { "a": 1 }, doc! {}, doc! { "a": 1 }, doc! { "sparse": true }),
            (doc! { "a": 1 }, doc! {}, doc! { "a": 1 }, collated(english())),
            (doc! { "a": 1 }, collated(doc! { "locale": "en" }), doc! { "a": 1 }, collated(english())),
            (doc! { "a": 1 }, collated(doc! { "locale": "en", "strength": 2 }), doc! { "a": 1 }, collated(numeric)),
            (doc! { "a": 1 }, collated(doc! { "locale": "en", "strength": 2 }), doc! { "a": 1 }, collated(shifted)),
            (doc! { "a": 1 }, collated(doc! { "locale": "fr_CA", "strength": 2 }), doc! { "a": 1 }, collated(forwards)),
            (doc! { "a": "text" }, doc! {}, doc! { "_fts": "text", "_ftsx": 1 }, doc! { "weights": { "a": 2 } }),
            (doc! { "a": "text" }, doc! {}, doc! { "_fts": "text", "_ftsx": 1 }, doc! { "weights": { "b": 1 } }),
            (doc! { "a": 1 }, doc! { "expireAfterSeconds": 1 }, doc! { "a": 1 }, doc! { "expireAfterSeconds": 2 }),
        ];
        for (keys, options, found_keys, found_options) in cases {
            let (declared, found) = (normal(keys, options), normal(found_keys, found_options));
            assert!(!declared.is_met_by(&found), "{declared:?} {found:?}");
        }
    }
}
