//! What MongoDB says of `unevaluatedProperties` and `unevaluatedItems`, which are a choice of cases to it.

use std::cmp::Reverse;

use bson::Document;

use super::{Place, Rule, Verdict, documents, index, strings};

/// The keywords about what others leave. Their pieces have the places of the schemas in them.
pub(super) const REST: [&str; 2] = ["unevaluatedProperties", "unevaluatedItems"];

/// `unevaluatedProperties` or `unevaluatedItems`.
pub(super) struct Rest {
    /// The schema that has it.
    pub(super) schema: String,
    pub(super) keyword: &'static str,
    /// Whether it is `false`.
    pub(super) is_never: bool,
}

impl Verdict<'_> {
    /// The rule about what others leave whose schema is at the place, if it is one's.
    pub(super) fn rest(&self, place: &Place) -> Option<Rest> {
        let (description, source) = (place.schema()?, &self.schema.source);
        let is_never = matches!(place.rule(source)?, Rule::Never { .. });
        let (schema, last) = description.rsplit_once('/')?;
        let keyword = REST.into_iter().find(|keyword| *keyword == last)?;
        let schema = schema.to_owned();
        matches!(place.rule(source)?, Rule::Never { keyword: holder, .. } | Rule::Schema { keyword: holder } if holder == keyword)
            .then_some(Rest { schema, keyword, is_never })
    }

    /// The case of `anyOf` that is the document's: where the conditions hold, and least is left. Where they hold in none,
    /// it is not known what is left, and the alternatives that do not fit are told of by themselves.
    pub(super) fn case(&mut self, entry: &Document, place: &Place) {
        let cases: Vec<_> = same_place(entry, place).collect();
        let is_met = |case: &&Document| {
            documents(case, "details").all(|rule| rule.get_str("operatorName").is_ok_and(|name| name != "allOf"))
        };
        let case = match cases[..] {
            [only] => Some(only),
            _ => cases.into_iter().filter(is_met).min_by_key(|case| left(case)),
        };
        if let Some(case) = case {
            self.entries(case, "details", place);
        }
    }
}

/// Whether the schema of the entries is one that nothing fits.
pub(super) fn is_never(parent: &Document, list: &str) -> bool {
    documents(parent, list).any(|entry| entry.get_str("operatorName").is_ok_and(|name| name == "not"))
}

/// The alternatives of `anyOf` that have the place of the whole.
fn same_place<'e>(entry: &'e Document, place: &Place) -> impl Iterator<Item = &'e Document> {
    let whole = place.schema();
    let alternatives = documents(entry, "schemasNotSatisfied");
    alternatives.filter(move |alternative| place.described(alternative).schema() == whole)
}

/// Whether `anyOf` is not the author's, but the cases of one rule.
pub(super) fn is_split(entry: &Document, place: &Place) -> bool {
    same_place(entry, place).next().is_some()
}

/// How much a case of a rule about the rest leaves to be judged: how many members there are, or which item is the first.
fn left(case: &Document) -> (usize, Reverse<usize>) {
    let entry = documents(case, "details").next();
    let names = entry.map_or(0, |entry| strings(entry, "additionalProperties").count());
    (names, Reverse(entry.map_or(0, index)))
}
