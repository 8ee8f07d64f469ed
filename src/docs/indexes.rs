//! The table of a collection's indexes.

use bson::Bson;

use super::{
    block::{Line, Row, Table, code, text},
    json,
};
use crate::{
    json::Tree,
    schema::{Index, Schema},
};

/// The declared indexes; nothing, if there are none.
pub(super) fn table(schema: &Schema) -> Option<Table> {
    let written = schema.source.tree.get("x-indexes").and_then(Tree::as_array).unwrap_or_default();
    // A file that loads has as many as it lists, in the same order.
    let rows = schema.indexes.iter().zip(written).map(|(index, written)| Row {
        anchor: None,
        cells: vec![code(&index.name), keys(index), options(index, written)],
    });
    let rows: Vec<_> = rows.collect();
    (!rows.is_empty()).then_some(Table { head: &["Index", "Keys", "Options"], rows })
}

fn keys(index: &Index) -> Line {
    let key = |(name, kind): (&String, &Bson)| match kind {
        Bson::String(kind) => code(name).text(" ").text(kind.clone()),
        kind if kind.as_i32().is_some_and(i32::is_negative) => code(name).text(" descending"),
        _ => code(name).text(" ascending"),
    };
    Line::joined(index.keys.iter().map(key), ", ")
}

fn options(index: &Index, written: &Tree) -> Line {
    let has = |name: &str| index.options.get_bool(name).is_ok_and(|on| on);
    let flags = ["unique", "sparse", "hidden"].into_iter().filter(|name| has(name)).map(text);
    let expiry = index.options.get_i32("expireAfterSeconds").ok().map(expiry);
    let shown = |(name, words)| Some(text(words).code(json::inline(written.get(name)?)));
    let others = [
        ("partialFilter", "only documents that match "),
        ("collation", "collation "),
        ("weights", "weights "),
        ("defaultLanguage", "language "),
        ("wildcardProjection", "of these fields "),
    ];
    Line::joined(flags.chain(expiry).chain(others.into_iter().filter_map(shown)), "; ")
}

fn expiry(seconds: i32) -> Line {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let (length, unit) = units.into_iter().find(|(length, _)| seconds % length == 0).unwrap_or((1, "second"));
    let (count, plural) = (seconds / length, if seconds / length == 1 { "" } else { "s" });
    text(format!("documents are deleted {count} {unit}{plural} after the time that it holds"))
}
