//! The options of an index, under the names that `createIndexes` has for them.

use bson::{Bson, Document};

use super::{Reader, keys, partial};
use crate::{json::Tree, schema::Field};

/// MongoDB's bounds for the weight of a field in a text index.
pub(in crate::schema) const WEIGHTS: std::ops::RangeInclusive<i32> = 1..=99_999;

impl Reader<'_> {
    /// The options other than the name, without those that have their default value.
    pub(super) fn options(&mut self, tree: &Tree, keys: &Document) -> Document {
        let mut options = Document::new();
        for name in ["unique", "sparse", "hidden"] {
            if self.flag(tree, name) == Some(true) {
                options.insert(name, true);
            }
        }
        for (name, value) in [
            ("partialFilterExpression", self.partial_filter(tree.get("partialFilter")).map(Bson::from)),
            ("expireAfterSeconds", self.expiry(tree, keys).map(Bson::from)),
            ("collation", self.collation(tree.get("collation"), keys).map(Bson::from)),
            ("weights", self.weights(tree, keys).map(Bson::from)),
            ("default_language", self.language(tree, keys).map(Bson::from)),
            ("wildcardProjection", self.projection(tree, keys).map(Bson::from)),
        ] {
            options.extend(value.map(|value| (name.to_owned(), value)));
        }
        self.check_together(tree, keys, &options);
        options
    }

    fn check_together(&mut self, tree: &Tree, keys: &Document, options: &Document) {
        let wildcard = keys.keys().any(|path| keys::is_wildcard(path));
        if options.contains_key("unique") && (wildcard || keys::holds(keys, "hashed")) {
            self.refuse("unique", "a hashed or wildcard index cannot be unique");
        }
        if options.contains_key("unique") && keys.keys().any(|path| conceals(self.root, path)) {
            self.refuse(
                "unique",
                "a value that is refused is a value that is there, and nobody may read a `writeOnly` field",
            );
        }
        if options.contains_key("sparse") && wildcard {
            self.refuse("sparse", "a wildcard index is always sparse");
        }
        if options.contains_key("sparse") && tree.get("partialFilter").is_some() {
            self.refuse("sparse", "cannot stand beside `partialFilter`; say {\"$exists\": true} there");
        }
    }

    fn expiry(&mut self, tree: &Tree, keys: &Document) -> Option<i32> {
        let value = tree.get("expireAfterSeconds")?;
        let seconds = value.as_whole().filter(|seconds| *seconds >= 0);
        if seconds.is_none() {
            self.refuse("expireAfterSeconds", "must be a whole number of seconds from 0 to 2147483647");
        }
        if keys.len() != 1 || !keys::is_plain(keys) {
            self.refuse("expireAfterSeconds", "needs an index on one field, ascending or descending");
        }
        seconds
    }

    fn weights(&mut self, tree: &Tree, keys: &Document) -> Option<Document> {
        self.only_with_text("weights", tree, keys)?;
        let Some(members) = tree.get("weights")?.as_object() else {
            self.refuse("weights", "must be an object of fields and their weights");
            return None;
        };
        let mut weights = Document::new();
        for (path, value) in members {
            match value.as_whole().filter(|weight| WEIGHTS.contains(weight)) {
                _ if keys.get_str(path).ok() != Some("text") && !keys.contains_key("$**") => {
                    self.refuse_in("weights", path, "is not among the text keys");
                }
                Some(weight) => drop(weights.insert(path.as_str(), weight)),
                None => self.refuse_in("weights", path, "must be a whole number from 1 to 99999"),
            }
        }
        Some(weights)
    }

    fn language(&mut self, tree: &Tree, keys: &Document) -> Option<String> {
        self.only_with_text("defaultLanguage", tree, keys)?;
        let language = tree.get("defaultLanguage")?.as_str();
        if language.is_none() {
            self.refuse("defaultLanguage", "must be the name of a language, such as \"english\"");
        }
        // MongoDB's own default.
        language.filter(|name| *name != "english").map(str::to_owned)
    }

    fn only_with_text(&mut self, name: &str, tree: &Tree, keys: &Document) -> Option<()> {
        tree.get(name)?;
        let text = keys::holds(keys, "text");
        if !text {
            self.refuse(name, "needs a text index");
        }
        text.then_some(())
    }

    fn projection(&mut self, tree: &Tree, keys: &Document) -> Option<Document> {
        let value = tree.get("wildcardProjection")?;
        if keys.get_i32("$**").is_err() {
            self.refuse("wildcardProjection", "needs the wildcard `$**` as the index's key");
            return None;
        }
        let members = value.as_object().filter(|members| !members.is_empty());
        let Some(members) = members else {
            self.refuse("wildcardProjection", "must be an object of fields and 0 or 1");
            return None;
        };
        let mut projection = Document::new();
        for (path, value) in members {
            match value.as_bool().map(i32::from).or_else(|| value.as_whole()).filter(|bit| [0, 1].contains(bit)) {
                Some(bit) => drop(projection.insert(path.as_str(), bit)),
                None => self.refuse_in("wildcardProjection", path, "must be 0 or 1"),
            }
        }
        let bits: Vec<_> = projection.iter().filter(|(path, _)| *path != "_id").map(|(_, bit)| bit).collect();
        if bits.windows(2).any(|pair| pair[0] != pair[1]) {
            self.refuse("wildcardProjection", "either takes fields in or leaves fields out; only `_id` may differ");
        }
        Some(projection)
    }
}

/// Whether something at the dotted path, on the way to it or in it is out of sight.
fn conceals(root: &Field, path: &str) -> bool {
    let mut outer = path.match_indices('.').map(|(dot, _)| &path[..dot]);
    outer.any(|path| partial::at(root, path).is_out_of_sight()) || partial::at(root, path).conceals
}
