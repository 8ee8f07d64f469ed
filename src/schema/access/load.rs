//! `x-access` as a collection file has it: roles, and what each may do.

use super::{ANONYMOUS, Access, Grant, MAX_ROLES, Op, Ops, Value};
use crate::{
    json::{Tree, below},
    schema::{
        Field, Source,
        load::{Report, did_you_mean},
    },
};

mod filter;
mod names;
mod values;

use names::Reach;

const POINTER: &str = "/x-access";
/// What can be said of a role.
pub(in crate::schema) const OPTIONS: [&str; 5] = ["ops", "filter", "set", "hide", "readOnly"];
const EVERYTHING: &str = "*";
/// A name for several operations.
const WRITE: (&str, [Op; 3]) = ("write", [Op::Insert, Op::Update, Op::Delete]);
/// The longest name of a role.
const MAX_ROLE: usize = 64;

impl Access {
    /// What the file's `x-access` says; whatever is wrong with it goes to the report. `root` is the shape of documents.
    pub(in crate::schema) fn parse(source: &Source, root: &Field, report: &mut Report) -> Self {
        let Some(roles) = source.tree.get("x-access").and_then(Tree::as_object) else { return Self::admin_only() };
        if roles.len() > MAX_ROLES {
            report.add(POINTER, format!("has {} roles, and there can be {MAX_ROLES}", roles.len()));
        }
        let mut reader = Reader { source, root, report };
        Self { grants: roles.iter().map(|(role, tree)| (role.clone(), reader.role(role, tree))).collect() }
    }
}

/// What one `x-access` is read with.
struct Reader<'r> {
    source: &'r Source,
    root: &'r Field,
    report: &'r mut Report,
}

impl Reader<'_> {
    fn role(&mut self, role: &str, tree: &Tree) -> Grant {
        let at = below(POINTER, role);
        if !is_role(role) {
            let detail = format!(
                "a role is named by a letter, then up to {} letters, digits, `_`, `.`, `:` or `-`, as `{ANONYMOUS}` is",
                MAX_ROLE - 1
            );
            self.report.add(&at, detail);
        }
        match tree.as_object() {
            Some(_) => self.grant(&at, tree),
            None => Grant { ops: self.ops(&at, tree), ..Grant::default() },
        }
    }

    fn grant(&mut self, at: &str, tree: &Tree) -> Grant {
        for name in tree.as_object().into_iter().flat_map(|members| members.keys()) {
            if !OPTIONS.contains(&name.as_str()) {
                let near = did_you_mean(name, OPTIONS);
                self.report.add_below(at, name, format!("unknown option{near}{}", or_list(&near, &OPTIONS)));
            }
        }
        let option = |name| tree.get(name).map(|tree| (below(at, name), tree));
        if option("ops").is_none() {
            self.report.add(at, "needs `ops`, the list of what the role may do");
        }
        Grant {
            ops: option("ops").map(|(at, tree)| self.ops(&at, tree)).unwrap_or_default(),
            filter: option("filter").and_then(|(at, tree)| self.filter(&at, tree)),
            set: option("set").map(|(at, tree)| self.set(&at, tree)).unwrap_or_default(),
            hide: option("hide").map(|(at, tree)| self.names(&at, tree, Reach::Items)).unwrap_or_default(),
            read_only: option("readOnly").map(|(at, tree)| self.names(&at, tree, Reach::Members)).unwrap_or_default(),
        }
    }

    fn ops(&mut self, at: &str, tree: &Tree) -> Ops {
        let Some(names) = tree.as_array() else {
            self.report.add(at, "must be a list of operations, such as [\"read\", \"insert\"]");
            return Ops::default();
        };
        if names.is_empty() {
            self.report.add(at, "names no operation; leave the role out");
        }
        let mut ops = Ops::default();
        for (index, name) in names.iter().enumerate() {
            match operations(name) {
                Ok(more) => ops = ops.union(more),
                Err(detail) => self.report.add_below(at, &index.to_string(), detail),
            }
        }
        ops
    }

    /// The fields that `hide` or `readOnly` lists.
    fn names(&mut self, at: &str, tree: &Tree, reach: Reach) -> Vec<String> {
        let Some(items) = tree.as_array() else {
            self.report.add(at, "must be a list of fields, such as [\"price\"]");
            return Vec::new();
        };
        let mut names: Vec<(String, String)> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let at = below(at, &index.to_string());
            match item.as_str().ok_or_else(|| names::EXPECTED.to_owned()).and_then(|name| self.declared(name, reach)) {
                Ok((name, _)) => names.push((at, name)),
                Err(detail) => self.report.add(&at, detail),
            }
        }
        self.refuse_overlap(&names);
        names.into_iter().map(|(_, name)| name).collect()
    }

    /// What is forced on documents: fields and values.
    fn set(&mut self, at: &str, tree: &Tree) -> Vec<(String, Value)> {
        let Some(members) = tree.as_object() else {
            self.report.add(at, "must be an object of fields and values, such as {\"owner\": \"$user.id\"}");
            return Vec::new();
        };
        let mut set = Vec::new();
        for (name, tree) in members {
            let declared = self.declared(name, Reach::Members);
            let value = declared.and_then(|(_, field)| {
                names::in_objects(self.root, name)?;
                self.forced(tree, field)
            });
            match value {
                Ok(value) => set.push((name.clone(), value)),
                Err(detail) => self.report.add_below(at, name, detail),
            }
        }
        self.refuse_overlap(&set.iter().map(|(name, _)| (below(at, name), name.clone())).collect::<Vec<_>>());
        set
    }

    /// Refuses names, each with its pointer, that say nothing beside another of them.
    fn refuse_overlap(&mut self, names: &[(String, String)]) {
        for (index, (at, name)) in names.iter().enumerate() {
            let inside = |other: &str| name.strip_prefix(other).is_some_and(|rest| rest.starts_with('.'));
            if names[..index].iter().any(|(_, other)| other == name) {
                self.report.add(at, format!("`{name}` is named twice"));
            } else if let Some((_, outer)) = names.iter().find(|(_, other)| inside(other)) {
                self.report.add(at, format!("`{outer}` is named too, and all of it with it; leave one of them out"));
            }
        }
    }
}

fn is_role(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
    name.len() <= MAX_ROLE && name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(allowed)
}

/// The names that `ops` may hold: the operations, and those that stand for several.
pub(in crate::schema) fn operation_names() -> impl Iterator<Item = &'static str> {
    Op::NAMES.into_iter().map(|(name, _)| name).chain([WRITE.0, EVERYTHING])
}

fn operations(tree: &Tree) -> Result<Ops, String> {
    let known: Vec<_> = operation_names().collect();
    let Some(name) = tree.as_str() else { return Err(format!("must be one of `{}`", known.join("`, `"))) };
    match Op::NAMES.into_iter().find(|(known, _)| *known == name) {
        Some((_, op)) => Ok(Ops::default().with(op)),
        None if name == WRITE.0 => Ok(WRITE.1.into_iter().fold(Ops::default(), Ops::with)),
        None if name == EVERYTHING => Ok(Ops::ALL),
        None => {
            let near = did_you_mean(name, known.iter().copied());
            Err(format!("unknown operation `{name}`{near}{}", or_list(&near, &known)))
        }
    }
}

/// `; there are …` where there is nothing near to suggest.
fn or_list(near: &str, known: &[&str]) -> String {
    if near.is_empty() { format!("; there are `{}`", known.join("`, `")) } else { String::new() }
}

#[cfg(test)]
mod tests;
