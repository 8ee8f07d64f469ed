//! The value of `x-indexes`.

use bson::{Bson, Document, doc};

use super::keyword::{boolean, object, string, whole};
use crate::schema::index::{MAX_INDEXES, MEMBERS, collation, options};

/// The list of indexes.
pub(super) fn list() -> Document {
    let mut index = object(MEMBERS.map(|name| (name, member(name))));
    index.insert("required", vec!["keys"]);
    doc! { "type": "array", "items": index, "maxItems": count(MAX_INDEXES) }
}

fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// What a member is for, and its values.
fn member(name: &str) -> (&'static str, Document) {
    match name {
        "keys" => (
            "The fields, each with 1 (ascending), -1 (descending), \"text\", \"2dsphere\" or \"hashed\". Dotted names \
             reach inside; `$**` and `field.$**` stand for every field.",
            some(doc! { "enum": [1, -1, "text", "2dsphere", "hashed"] }),
        ),
        "name" => (
            "The index's name. Without one it is made of the keys, as MongoDB does.",
            doc! { "type": "string", "minLength": 1, "not": { "enum": ["*", "_id_"] } },
        ),
        "unique" => ("No two documents have the same values under the keys.", boolean()),
        "sparse" => ("Documents without the fields are not in the index.", boolean()),
        "partialFilter" => (
            "Which documents are in the index: fields with values, or `$eq`, `$gt`, `$gte`, `$lt`, `$lte`, `$in`, \
             `$exists`, `$type`.",
            some(Document::new()),
        ),
        "expireAfterSeconds" => (
            "Documents are deleted this many seconds after the time in the one date field that is indexed.",
            whole(0, i32::MAX),
        ),
        "collation" => ("How texts are compared and ordered, by MongoDB's collation options.", collation_options()),
        "weights" => (
            "How much the words of each text field count.",
            doc! { "type": "object", "additionalProperties": whole(*options::WEIGHTS.start(), *options::WEIGHTS.end()) },
        ),
        "defaultLanguage" => ("The language of the words, such as \"english\".", string()),
        "hidden" => ("Queries do not use the index, though it is kept.", boolean()),
        "wildcardProjection" => (
            "Which fields an index on `$**` takes in (1) or leaves out (0).",
            some(doc! { "enum": [0, 1, false, true] }),
        ),
        "tieBreak" => {
            ("A plain index gets `_id` as its last key, for pages in a total order; `false` leaves it out.", boolean())
        }
        _ => ("", Document::new()),
    }
}

/// An object of at least one member, each with such a value.
fn some(value: Document) -> Document {
    doc! { "type": "object", "minProperties": 1, "additionalProperties": value }
}

fn collation_options() -> Document {
    let mut options = object(collation::NAMES.map(|name| (name, collation_option(name))));
    options.insert("required", vec!["locale"]);
    options
}

/// What an option of a collation is for, and its values.
///
/// See [collation](https://www.mongodb.com/docs/manual/reference/collation/).
fn collation_option(name: &str) -> (&'static str, Document) {
    let one_of = |words: &[&str]| doc! { "enum": words.iter().copied().map(Bson::from).collect::<Vec<_>>() };
    match name {
        "locale" => {
            ("The language, such as \"en\"; \"simple\" compares bytes.", doc! { "type": "string", "minLength": 1 })
        }
        "caseLevel" => ("Cases differ also at strengths 1 and 2.", boolean()),
        "caseFirst" => ("Which case comes first.", one_of(&["upper", "lower", "off"])),
        "strength" => ("What makes a difference: 1 letters, 2 accents too, 3 cases too.", whole(1, 5)),
        "numericOrdering" => ("Digits are compared as numbers.", boolean()),
        "alternate" => ("Whether spaces and punctuation count.", one_of(&["non-ignorable", "shifted"])),
        "maxVariable" => ("What does not count where `alternate` is \"shifted\".", one_of(&["punct", "space"])),
        "backwards" => ("Accents are compared from the end, as in Canadian French.", boolean()),
        "normalization" => ("Texts are brought to one form before they are compared.", boolean()),
        _ => ("", Document::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_member() {
        for name in MEMBERS {
            assert!(!member(name).0.is_empty(), "{name}");
        }
        for name in collation::NAMES {
            assert!(!collation_option(name).0.is_empty(), "{name}");
        }
    }
}
