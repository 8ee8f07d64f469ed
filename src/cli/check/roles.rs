//! What roles may do, collection by collection.

use std::collections::BTreeSet;

use super::table;
use crate::{
    error::{Error, Result, nearest},
    json::Tree,
    schema::{
        Catalog, Schema,
        access::{ANONYMOUS, Grant, Op, Ops},
    },
};

const HEAD: [&str; 5] = ["collection", "role", "operations", "documents", "fields"];
const UNITED: &str = "Roles unite: a document is there if one line of its collection shows it, and in it a field is \
                      hidden, read-only or set only if each line that shows the document says so.";
const UNKNOWN: &str = "A line with `$user.…` holds only for callers of whom that is known.";

type Row = [String; HEAD.len()];

/// What callers with these roles may do, for people to read.
pub(super) fn show(catalog: &Catalog, roles: &[String]) -> Result<String> {
    let known = catalog.roles();
    if let Some(role) = roles.iter().find(|role| *role != ANONYMOUS && !known.contains(role.as_str())) {
        return Err(unknown(role, known));
    }
    let held: Vec<_> = catalog.iter().map(|schema| rows(schema, roles)).collect();
    let mut shown = vec![heading(roles), table::lay_out(HEAD, &held.concat())];
    shown.extend(held.iter().any(|rows| rows.len() > 1).then(|| table::wrap(UNITED, table::WIDTH).join("\n")));
    let asks = held.iter().flatten().flatten().any(|cell| cell.contains("\"$user."));
    shown.extend(asks.then(|| UNKNOWN.to_owned()));
    Ok(shown.join("\n\n"))
}

fn heading(roles: &[String]) -> String {
    let named: Vec<_> = roles.iter().filter(|role| *role != ANONYMOUS).map(|role| format!("`{role}`")).collect();
    let heading = match &named[..] {
        [] => format!("What everyone may do, by the role `{ANONYMOUS}`."),
        [one] => format!("What callers with the role {one} may do. Everyone has the role `{ANONYMOUS}` too."),
        _ => {
            format!("What callers with the roles {} may do. Everyone has the role `{ANONYMOUS}` too.", named.join(", "))
        }
    };
    table::wrap(&heading, table::WIDTH).join("\n")
}

fn unknown(role: &str, mut known: BTreeSet<&str>) -> Error {
    known.insert(ANONYMOUS);
    let near = nearest(role, known.iter().copied()).map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
    let known: Vec<_> = known.into_iter().collect();
    Error::Startup(format!("no collection file has the role `{role}`{near}; there are `{}`", known.join("`, `")))
}

/// A row for each of the roles that may do anything in the collection, or one that says that none may.
fn rows(schema: &Schema, roles: &[String]) -> Vec<Row> {
    let held = schema.access.grants.iter().filter(|(role, _)| *role == ANONYMOUS || roles.contains(role));
    let mut rows: Vec<_> = held.map(|(role, grant)| row(schema, role, grant)).collect();
    if rows.is_empty() {
        rows.push(["", "", "nothing", "", ""].map(str::to_owned));
    }
    rows[0][0].clone_from(&schema.name);
    rows
}

fn row(schema: &Schema, role: &str, grant: &Grant) -> Row {
    let written = |option| schema.source.tree.get("x-access")?.get(role)?.get(option);
    let text = |tree: &Tree| spaced(tree.text(&schema.source.text));
    let documents = written("filter").map_or_else(|| "all".to_owned(), text);
    let set = written("set").and_then(Tree::as_object).into_iter().flatten();
    let set: Vec<_> = set.map(|(name, value)| format!("{name} = {}", text(value))).collect();
    let fields = [("hidden", &grant.hide), ("read-only", &grant.read_only), ("set", &set)];
    let fields = fields.iter().filter(|(_, names)| !names.is_empty());
    let fields: Vec<_> = fields.map(|(what, names)| format!("{what}: {}", names.join(", "))).collect();
    [String::new(), role.to_owned(), operations(grant.ops), documents, fields.join("; ")]
}

fn operations(ops: Ops) -> String {
    if ops == Ops::ALL {
        return "everything".to_owned();
    }
    let names = Op::NAMES.into_iter().filter(|(_, op)| ops.contain(*op)).map(|(name, _)| name);
    names.collect::<Vec<_>>().join(", ")
}

/// JSON on one line, with a space after each colon and comma.
fn spaced(json: &str) -> String {
    let (mut out, mut in_text, mut escaped) = (String::new(), false, false);
    for c in json.chars() {
        if in_text || !c.is_ascii_whitespace() {
            out.push(c);
        }
        match c {
            '"' if !escaped => in_text = !in_text,
            ':' | ',' if !in_text => out.push(' '),
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    out
}
