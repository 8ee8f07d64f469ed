//! `$ref`: each leads to a schema of the file, none back to itself, and all together unfold to a bounded size.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Report;
use crate::{
    json::{Tree, below},
    schema::{Source, keywords},
};

/// How deep subschemas may stand in each other, `$ref`s followed. MongoDB's explanation nests four times as deep as the
/// schema, and its documents at most 200 deep.
const MAX_DEPTH: usize = 32;
/// How many subschemas there may be, `$ref`s followed.
const MAX_SCHEMAS: usize = 10_000;

/// Adds what is wrong with the file's `$ref`s. Says whether following them ends.
pub(super) fn check(source: &Source, report: &mut Report) -> bool {
    let schemas = schemas(&source.tree);
    for (pointer, tree) in &schemas {
        if let Some(Err(detail)) = reference(tree).map(|reference| lead(source, &schemas, reference)) {
            report.add_below(pointer, "$ref", detail);
        }
    }
    let mut unfolding = Unfolding { source, extents: HashMap::new(), open: HashSet::new(), report, bounded: true };
    // What nothing refers to must end as well: it is compiled as soon as something does.
    for (pointer, tree) in &schemas {
        unfolding.measure(pointer, tree);
    }
    if unfolding.measure("", &source.tree).size > MAX_SCHEMAS {
        unfolding.refuse("", format!("unfolds to more than {MAX_SCHEMAS} schemas"));
    }
    unfolding.bounded
}

/// Every subschema by its pointer.
fn schemas(root: &Tree) -> BTreeMap<String, &Tree> {
    let (mut open, mut found) = (vec![(String::new(), root)], BTreeMap::new());
    while let Some((pointer, tree)) = open.pop() {
        open.extend(keywords::subschemas(&pointer, tree));
        if tree.as_object().is_some() {
            found.insert(pointer, tree);
        }
    }
    found
}

fn reference(tree: &Tree) -> Option<&str> {
    tree.get("$ref").and_then(Tree::as_str)
}

fn lead(source: &Source, schemas: &BTreeMap<String, &Tree>, reference: &str) -> Result<(), &'static str> {
    match source.resolve(reference) {
        Some((pointer, _)) if schemas.contains_key(&pointer) => Ok(()),
        Some(_) => Err("leads to something that is not a schema"),
        None if reference.contains("://") => Err("not supported: nothing is fetched; copy the schema into the file"),
        None if !reference.starts_with('#') => Err("a `$ref` to another file is not supported yet"),
        None if reference.starts_with("#/") => Err("leads nowhere"),
        None => Err("not supported: refer to places by their pointer, `#/$defs/…`"),
    }
}

/// How much a subschema comes to with each `$ref` followed.
#[derive(Debug, Clone, Copy)]
struct Extent {
    /// How many subschemas it is, itself included.
    size: usize,
    /// How deep they stand in each other.
    height: usize,
}

struct Unfolding<'s> {
    source: &'s Source,
    extents: HashMap<String, Extent>,
    open: HashSet<String>,
    report: &'s mut Report,
    bounded: bool,
}

impl<'s> Unfolding<'s> {
    fn measure(&mut self, pointer: &str, tree: &'s Tree) -> Extent {
        let known = self.extents.get(pointer).copied();
        if self.open.len() + known.map_or(1, |extent| extent.height) > MAX_DEPTH {
            self.refuse(pointer, format!("stands deeper than {MAX_DEPTH} schemas, with each `$ref` followed"));
            return Extent { size: 1, height: 1 };
        }
        if let Some(extent) = known {
            return extent;
        }
        self.open.insert(pointer.to_owned());
        let mut extent = Extent { size: 1, height: 1 };
        for (below, part) in self.parts(pointer, tree) {
            let part = self.measure(&below, part);
            extent.size = extent.size.saturating_add(part.size);
            extent.height = extent.height.max(part.height + 1);
        }
        self.open.remove(pointer);
        self.extents.insert(pointer.to_owned(), extent);
        extent
    }

    /// The subschemas that the one at `pointer` applies; its definitions count where they are referred to.
    fn parts(&mut self, pointer: &str, tree: &'s Tree) -> Vec<(String, &'s Tree)> {
        let mut parts = keywords::subschemas(pointer, tree);
        parts.retain(|(below, _)| !is_definition(pointer, below));
        match reference(tree).and_then(|reference| self.source.resolve(reference)) {
            Some((target, _)) if self.open.contains(&target) => {
                let at = below(pointer, "$ref");
                self.refuse(&at, "leads back to itself: a MongoDB validator cannot be recursive".to_owned());
            }
            target => parts.extend(target),
        }
        parts
    }

    fn refuse(&mut self, pointer: &str, detail: String) {
        self.bounded = false;
        self.report.add(pointer, detail);
    }
}

fn is_definition(pointer: &str, below: &str) -> bool {
    below.strip_prefix(pointer).is_some_and(|rest| rest.starts_with("/$defs/"))
}
