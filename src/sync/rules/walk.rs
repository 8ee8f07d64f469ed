//! The walk through two schemas at once: which keywords there are, and what a change is where it stands.

use bson::{Bson, Document};

use super::{
    Kind, RuleChange, branches,
    parts::{self, arrays, dependencies},
    scalars, types,
};
use crate::json::push_token;

/// Two schemas for the same values.
#[derive(Clone, Copy)]
pub(super) struct Pair<'d> {
    pub(super) from: &'d Document,
    pub(super) to: &'d Document,
}

impl<'d> Pair<'d> {
    pub(super) fn get(self, keyword: &str) -> (Option<&'d Bson>, Option<&'d Bson>) {
        (self.from.get(keyword), self.to.get(keyword))
    }
}

/// Where two schemas stand.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) pointer: String,
    /// Whether this is MongoDB's way to express the keyword that the pointer leads to, and no schema of the file.
    pub(super) translated: bool,
}

impl Place {
    pub(super) fn root() -> Self {
        Self { pointer: "#".to_owned(), translated: false }
    }

    /// The pointer of the keywords of `schema`, one of the two that stand here.
    pub(super) fn own<'p>(&'p self, schema: &'p Document) -> &'p str {
        pointer(schema).unwrap_or(&self.pointer)
    }

    /// The place of a subschema: where it says that it comes from, or else below this one.
    pub(super) fn child(&self, pair: Pair<'_>, tokens: &[&str]) -> Self {
        let described = pointer(pair.to).or_else(|| pointer(pair.from));
        match described {
            Some(pointer) => Self { pointer: pointer.to_owned(), translated: false },
            None if self.translated => self.clone(),
            None => {
                let mut pointer = self.pointer.clone();
                for token in tokens {
                    push_token(&mut pointer, token);
                }
                Self { pointer, translated: false }
            }
        }
    }
}

/// The pointer that a compiled schema has as its `description`; one made by hand may say anything there.
pub(super) fn pointer(schema: &Document) -> Option<&str> {
    let description = schema.get_str("description").ok()?;
    (description.starts_with('#') || description.contains(".json#")).then_some(description)
}

/// How a change below reads from here.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum View {
    #[default]
    Straight,
    /// Inside an odd number of `not`s.
    Inverted,
    /// Where more documents that meet a subschema can mean more or fewer that meet the whole.
    Blurred,
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Walk {
    pub(super) changes: Vec<RuleChange>,
    pub(super) view: View,
    /// The changes of the translation of one keyword.
    pub(super) own: Vec<RuleChange>,
}

/// What compares the keywords that are judged together.
type Comparison = fn(&mut Walk, &Place, Pair<'_>);

/// The keywords of MongoDB's dialect, by what compares them.
const COMPARISONS: [(&[&str], Comparison); 16] = [
    (&["type", "bsonType"], types::compare),
    (&["enum"], scalars::choices),
    (&["minimum", "exclusiveMinimum"], |walk, place, pair| scalars::bound(walk, place, pair, "minimum")),
    (&["maximum", "exclusiveMaximum"], |walk, place, pair| scalars::bound(walk, place, pair, "maximum")),
    (&["multipleOf"], scalars::divisor),
    (&scalars::LENGTHS, scalars::lengths),
    (&["pattern"], scalars::pattern),
    (&["uniqueItems"], scalars::flag),
    (&["required"], parts::required),
    (&["properties", "patternProperties", "additionalProperties"], parts::members),
    (&["items", "additionalItems"], arrays::compare),
    (&["dependencies"], dependencies::compare),
    (&["allOf"], branches::all_of),
    (&["anyOf"], branches::any_of),
    (&["oneOf"], branches::one_of),
    (&["not"], branches::not),
];

/// What no document can break.
const NOTES: [&str; 2] = ["title", "description"];

impl Walk {
    /// Compares two schemas for the same values.
    pub(super) fn schema(&mut self, place: &Place, pair: Pair<'_>) {
        match (is_never(pair.from), is_never(pair.to)) {
            (true, true) => {}
            (true, false) => {
                let kind = if is_any(pair.to) { Kind::Removed } else { Kind::Loosened };
                self.emit(place, "false", kind, (None, None));
            }
            (false, true) => {
                let kind = if is_any(pair.from) { Kind::Added } else { Kind::Tightened };
                self.emit(place, "false", kind, (None, None));
            }
            (false, false) => self.keywords(place, pair),
        }
    }

    fn keywords(&mut self, place: &Place, pair: Pair<'_>) {
        for (keywords, compare) in COMPARISONS {
            // Types can stand in a piece alone.
            let has = |schema: &Document| keywords.iter().any(|k| schema.contains_key(k));
            if has(pair.from) || has(pair.to) || keywords.contains(&"type") {
                compare(self, place, pair);
            }
        }
        let known =
            |name: &&String| is_note(name) || COMPARISONS.iter().any(|(keywords, _)| keywords.contains(&name.as_str()));
        let added = pair.to.keys().filter(|name| !pair.from.contains_key(name));
        for name in pair.from.keys().chain(added).filter(|name| !known(name)) {
            self.opaque(place, name, pair);
        }
    }

    /// A keyword of which nothing is known.
    pub(super) fn opaque(&mut self, place: &Place, keyword: &str, pair: Pair<'_>) {
        let (from, to) = pair.get(keyword);
        if from != to {
            self.emit(place, keyword, Kind::Changed, (from.cloned(), to.cloned()));
        }
    }

    /// Compares with `view` of what is found.
    pub(super) fn seen(&mut self, view: View, compare: impl FnOnce(&mut Self)) {
        let before = self.view;
        self.view = match (before, view) {
            (View::Blurred, _) | (_, View::Blurred) => View::Blurred,
            (before, View::Straight) => before,
            (View::Straight, View::Inverted) => View::Inverted,
            (View::Inverted, View::Inverted) => View::Straight,
        };
        compare(self);
        self.view = before;
    }

    pub(super) fn emit(&mut self, place: &Place, keyword: &str, kind: Kind, (from, to): (Option<Bson>, Option<Bson>)) {
        let kind = match self.view {
            View::Straight => kind,
            View::Inverted => kind.inverted(),
            View::Blurred => Kind::Changed,
        };
        let change = RuleChange { pointer: place.pointer.clone(), keyword: keyword.to_owned(), kind, from, to };
        if place.translated { self.own.push(change) } else { self.changes.push(change) }
    }

    /// A keyword that has one value, of which one can ask more than another.
    pub(super) fn value(&mut self, place: &Place, keyword: &str, kind: Kind, values: (Option<Bson>, Option<Bson>)) {
        let kind = match values {
            (None, _) => Kind::Added,
            (_, None) => Kind::Removed,
            _ => kind,
        };
        self.emit(place, keyword, kind, values);
    }
}

/// Whether no value meets the schema: what `false` is compiled to.
pub(super) fn is_never(schema: &Document) -> bool {
    schema.get_document("not").is_ok_and(is_any)
}

/// Whether every value meets the schema.
pub(super) fn is_any(schema: &Document) -> bool {
    schema.keys().all(|name| is_note(name))
}

fn is_note(name: &str) -> bool {
    NOTES.contains(&name)
}

/// Whether two schemas are the same but for their notes.
pub(super) fn is_same(a: &Document, b: &Document) -> bool {
    // A member of `properties` may have a note's name, but then it is a schema.
    let asserts = |(name, value): &(&String, &Bson)| !(is_note(name) && matches!(value, Bson::String(_)));
    let same = |(name, value): (&String, &Bson)| match b.get(name) {
        // Values of documents, in which nothing is a note.
        Some(other) if name == "enum" => value == other,
        other => other.is_some_and(|other| is_same_value(value, other)),
    };
    a.iter().filter(asserts).count() == b.iter().filter(asserts).count() && a.iter().filter(asserts).all(same)
}

fn is_same_value(a: &Bson, b: &Bson) -> bool {
    match (a, b) {
        (Bson::Document(a), Bson::Document(b)) => is_same(a, b),
        (Bson::Array(a), Bson::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same_value(a, b)),
        (a, b) => a == b,
    }
}
