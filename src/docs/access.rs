//! The table of who may do what.

use super::{
    block::{Line, Row, Table, code, text},
    json,
};
use crate::{
    json::Tree,
    schema::{
        Schema,
        access::{ANONYMOUS, Grant, Op, Ops},
    },
};

/// One row for each role that the file names.
pub(super) fn table(schema: &Schema) -> Table {
    let written = schema.source.tree.get("x-access");
    let row = |(role, grant): (&String, &Grant)| Row {
        anchor: None,
        cells: vec![code(role), operations(grant.ops), limits(grant, written.and_then(|rules| rules.get(role)), role)],
    };
    let mut rows: Vec<_> = schema.access.grants.iter().map(row).collect();
    if rows.is_empty() {
        rows.push(Row { anchor: None, cells: vec![text("nobody"), text("nothing"), Line::default()] });
    }
    Table { head: &["Role", "May", "Limits"], rows }
}

fn operations(ops: Ops) -> Line {
    if ops == Ops::ALL {
        return text("everything");
    }
    let names = Op::NAMES.into_iter().filter(|(_, op)| ops.contain(*op)).map(|(name, _)| text(name));
    Line::joined(names, ", ")
}

/// What narrows the grant, in its author's own notation where that is a notation.
fn limits(grant: &Grant, written: Option<&Tree>, role: &str) -> Line {
    let everyone = (role == ANONYMOUS).then(|| text("everyone, with or without credentials"));
    let part = |name, words| Some(text(words).code(json::inline(written?.get(name)?)));
    let names = |names: &[String], words| {
        (!names.is_empty()).then(|| text(words).line(Line::joined(names.iter().map(code), ", ")))
    };
    let limits = [
        everyone,
        part("filter", "only documents that match "),
        part("set", "always writes "),
        names(&grant.hide, "does not see "),
        names(&grant.read_only, "may not write "),
    ];
    Line::joined(limits.into_iter().flatten(), "; ")
}
