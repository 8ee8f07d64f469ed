//! The collation of an index.
//!
//! See [collation](https://www.mongodb.com/docs/manual/reference/collation/).

use bson::{Bson, Document};

use super::{Reader, did_you_mean, keys};
use crate::json::Tree;

/// What can be said of a collation.
pub(in crate::schema) const NAMES: [&str; 9] = [
    "locale",
    "caseLevel",
    "caseFirst",
    "strength",
    "numericOrdering",
    "alternate",
    "maxVariable",
    "backwards",
    "normalization",
];

impl Reader<'_> {
    /// The collation; `None` for that of plain bytes, which is the default.
    pub(super) fn collation(&mut self, tree: Option<&Tree>, keys: &Document) -> Option<Document> {
        let tree = tree?;
        let locale = tree.get("locale").and_then(Tree::as_str);
        if locale.is_none_or(str::is_empty) {
            self.refuse(
                "collation",
                "must be an object with a `locale`, such as {\"locale\": \"en\", \"strength\": 2}",
            );
            return None;
        }
        if keys::holds(keys, "text") && locale != Some("simple") {
            self.refuse("collation", "a text index has no collation");
        }
        let mut collation = Document::new();
        for (name, value) in tree.as_object().into_iter().flatten() {
            match setting(name, value) {
                Ok(value) => drop(collation.insert(name.as_str(), value)),
                Err(detail) => self.refuse_in("collation", name, detail),
            }
        }
        (locale != Some("simple")).then_some(collation)
    }
}

fn setting(name: &str, value: &Tree) -> Result<Bson, String> {
    let word = |words: &[&str]| {
        let found = value.as_str().filter(|word| words.contains(word)).map(Bson::from);
        found.ok_or_else(|| format!("must be \"{}\"", words.join("\" or \"")))
    };
    match name {
        "locale" => Ok(Bson::from(value.as_str().unwrap_or_default())),
        "caseFirst" => word(&["upper", "lower", "off"]),
        "alternate" => word(&["non-ignorable", "shifted"]),
        "maxVariable" => word(&["punct", "space"]),
        "strength" => {
            let strength = value.as_whole().filter(|strength| (1..=5).contains(strength)).map(Bson::Int32);
            strength.ok_or_else(|| "must be a whole number from 1 to 5".to_owned())
        }
        "caseLevel" | "numericOrdering" | "backwards" | "normalization" => {
            value.as_bool().map(Bson::Boolean).ok_or_else(|| "must be `true` or `false`".to_owned())
        }
        _ => Err(format!("unknown option{}", did_you_mean(name, NAMES))),
    }
}
