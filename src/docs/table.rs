//! The table of a collection's fields.

use std::collections::HashSet;

use super::{
    block::{Line, Row, Table, code, text},
    fields::{Described, Step},
    json,
    rule::Rule,
};
use crate::{
    json::Tree,
    schema::{Set, Stamp},
};

/// How many examples of a field are shown.
const MAX_EXAMPLES: usize = 3;

/// One row for each field that has one.
pub(super) fn fields(fields: &[Described<'_>]) -> Table {
    let shown = fields.iter().filter(|field| field.step != Step::Root && !field.folded);
    let mut anchors = HashSet::new();
    let rows = shown.map(|field| Row {
        anchor: anchors.insert(&field.path).then(|| field.path.clone()),
        cells: vec![code(&field.path), field.types.clone(), rules(field), description(field)],
    });
    Table { head: &["Field", "Type", "Rules", "Description"], rows: rows.collect() }
}

/// Whether it must be there, its rules, and who writes it.
fn rules(field: &Described<'_>) -> Line {
    let place = &field.place;
    let mark = |on: bool, word| on.then(|| Line::default().mark(word));
    let marks = [
        mark(field.required && !is_made(field), "required"),
        mark(place.says("readOnly"), "read-only"),
        mark(place.says("writeOnly"), "write-only"),
        mark(place.says("deprecated"), "deprecated"),
    ];
    let marks = Line::joined(marks.into_iter().flatten(), " ");
    let rules = field.rules();
    let shown = rules.iter().filter(|rule| rule.is_short()).map(Rule::brief);
    let more = rules.iter().any(|rule| !rule.is_short()).then(|| text("see the rules below"));
    let default = place.get("default").map(|value| text("default ").code(json::inline(value)));
    let made = is_made(field).then(|| text("made where it is left out"));
    let rules = Line::joined(shown.chain(more).chain(default).chain(made).chain(field.set.map(stamped)), "; ");
    Line::stacked([marks, rules])
}

/// An `_id` that the service makes when a document comes without one.
fn is_made(field: &Described<'_>) -> bool {
    field.path == "_id" && field.set.is_none() && field.word == "objectId"
}

/// What the service writes, and when.
fn stamped(set: Set) -> Line {
    let value = |stamp| match stamp {
        Stamp::Now => "the time",
        Stamp::Uuid => "a random UUID",
        Stamp::User => "the caller's id",
    };
    let words = match (set.insert, set.update) {
        (Some(insert), Some(update)) if insert == update => format!("{} of every write", value(insert)),
        (Some(insert), Some(update)) => {
            format!("{} of the insert, then {} of every update", value(insert), value(update))
        }
        (Some(insert), None) => format!("{} on insert", value(insert)),
        (None, Some(update)) => format!("{} on update", value(update)),
        (None, None) => return Line::default(),
    };
    text(format!("written by the service: {words}"))
}

fn description(field: &Described<'_>) -> Line {
    let place = &field.place;
    let called = place.text("title").filter(|title| !repeats(title, field));
    let which = match field.step {
        Step::Matching(pattern) => text("Fields whose names match ").code(pattern).text("."),
        Step::Others => text("Fields of other names."),
        _ => Line::default(),
    };
    let said = place.text("description").map(|words| words.split_whitespace().collect::<Vec<_>>().join(" "));
    let said = Line::joined(called.map(|title| Line::default().strong(title)).into_iter().chain(said.map(text)), ": ");
    let examples = place.get("examples").and_then(Tree::as_array).unwrap_or_default();
    let examples: Vec<_> = examples.iter().take(MAX_EXAMPLES).map(|value| code(json::inline(value))).collect();
    let examples =
        if examples.is_empty() { Line::default() } else { text("For example ").line(Line::joined(examples, ", ")) };
    Line::stacked([which, said, examples])
}

/// Whether a title says no more than the field's name does: `Created at` of `createdAt`.
fn repeats(title: &str, field: &Described<'_>) -> bool {
    let letters =
        |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    matches!(field.step, Step::Member(name) if letters(name) == letters(title))
}
