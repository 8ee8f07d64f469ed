//! `$ref`: each leads to a schema of the file, none back to itself, and all together unfold to a bounded size.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
};

use super::{Report, link};
use crate::{
    json::{Tree, below},
    schema::{Source, keywords, validator::MAX_SCHEMAS},
};

/// How deep subschemas may stand in each other, `$ref`s followed. MongoDB's explanation nests at most four times as deep,
/// and it gives none that nests deeper than 190.
const MAX_DEPTH: usize = 32;
/// Keywords whose schemas may hold or not, so that the cases of what others leave (`validator::ways`) repeat them.
const CHOICES: [&str; 7] = ["anyOf", "oneOf", "if", "then", "else", "dependentSchemas", "contains"];
/// How much deeper than the schema the repeated ones stand.
const REPEATED: usize = 4;
/// Keywords whose schemas stand twice as deep in the validator as in the file.
const WRAPPED: [&str; 5] = ["if", "then", "else", "dependentSchemas", "contains"];

/// Adds what is wrong with the file's own `$ref`s, of which `lost` are files that cannot be read. Says whether following
/// them ends.
pub(super) fn check(source: &Source, lost: &BTreeSet<String>, report: &mut Report) -> bool {
    let own = schemas(String::new(), &source.tree);
    let others = source.files.iter().flat_map(|(file, tree)| schemas(format!("{file}#"), tree));
    let all: BTreeSet<_> = own.keys().cloned().chain(others.map(|(place, _)| place)).collect();
    for (pointer, tree) in &own {
        if let Some(Err(detail)) = reference(tree).map(|reference| lead(source, &all, lost, reference)) {
            report.add_below(pointer, "$ref", detail);
        }
    }
    let bounded = lost.is_empty();
    let mut unfolding = Unfolding { source, extents: HashMap::new(), open: HashSet::new(), report, bounded };
    // What nothing refers to must end as well: it is compiled as soon as something does.
    for (pointer, tree) in &own {
        unfolding.measure(pointer, tree, 0);
    }
    if unfolding.measure("", &source.tree, 0).size > MAX_SCHEMAS {
        unfolding.refuse("", format!("unfolds to more than {MAX_SCHEMAS} schemas"));
    }
    unfolding.bounded
}

/// Every subschema of the file whose root is the place `root`.
fn schemas(root: String, tree: &Tree) -> BTreeMap<String, &Tree> {
    let (mut open, mut found) = (vec![(root, tree)], BTreeMap::new());
    while let Some((place, tree)) = open.pop() {
        open.extend(keywords::subschemas(&place, tree));
        if tree.as_object().is_some() || tree.as_bool().is_some() {
            found.insert(place, tree);
        }
    }
    found
}

fn reference(tree: &Tree) -> Option<&str> {
    tree.get("$ref").and_then(Tree::as_str)
}

/// Whether `reference`, as it is written when linked, leads to a schema.
fn lead(
    source: &Source,
    schemas: &BTreeSet<String>,
    lost: &BTreeSet<String>,
    reference: &str,
) -> Result<(), Cow<'static, str>> {
    match source.resolve(reference) {
        Some((place, _)) if schemas.contains(&place) => return Ok(()),
        Some(_) => return Err("leads to something that is not a schema".into()),
        None => {}
    }
    let (file, fragment) = link::target("", reference)?;
    let anchor = !(fragment.is_empty() || fragment.starts_with('/'));
    match file.as_str() {
        _ if lost.contains(&file) => Ok(()),
        "" if anchor => Err("not supported: refer to places by their pointer, `#/$defs/…`".into()),
        "" => Err("leads nowhere".into()),
        file if !source.files.contains_key(file) => Err(format!("there is no file `{file}` in the folder").into()),
        _ if anchor => Err("not supported: refer to places by their pointer, `#/$defs/…`".into()),
        _ => Err("leads nowhere".into()),
    }
}

/// How much a subschema comes to with each `$ref` followed.
#[derive(Debug, Clone, Copy)]
struct Extent {
    /// How many subschemas it is, itself included.
    size: usize,
    /// How deep they stand in each other.
    height: usize,
    /// The height of those that judge the same value and may hold or not.
    choice: usize,
}

impl Extent {
    const ONE: Self = Self { size: 1, height: 1, choice: 0 };

    fn add(&mut self, part: &Part<'_>, of_part: Self) {
        self.size = self.size.saturating_add(of_part.size.saturating_mul(part.times));
        self.height = self.height.max(of_part.height + part.step);
        self.choice = self.choice.max(match part.keyword.as_str() {
            keyword if CHOICES.contains(&keyword) => of_part.height.max(of_part.choice),
            "allOf" | "$ref" => of_part.choice,
            _ => 0,
        });
    }
}

/// A subschema as a part of another one.
struct Part<'s> {
    keyword: String,
    place: String,
    tree: &'s Tree,
    /// How often it is written out.
    times: usize,
    /// How much deeper it stands.
    step: usize,
}

struct Unfolding<'s> {
    source: &'s Source,
    extents: HashMap<String, Extent>,
    open: HashSet<String>,
    report: &'s mut Report,
    bounded: bool,
}

impl<'s> Unfolding<'s> {
    fn measure(&mut self, place: &str, tree: &'s Tree, depth: usize) -> Extent {
        let known = self.extents.get(place).copied();
        if depth + known.map_or(1, |extent| extent.height) > MAX_DEPTH {
            self.refuse(place, too_deep());
            return Extent::ONE;
        }
        if let Some(extent) = known {
            return extent;
        }
        self.open.insert(place.to_owned());
        let mut extent = Extent::ONE;
        for part in self.parts(place, tree) {
            extent.add(&part, self.measure(&part.place, part.tree, depth + part.step));
        }
        if tree.get("unevaluatedProperties").or(tree.get("unevaluatedItems")).is_some() {
            extent.height = extent.height.max(REPEATED + extent.choice);
            if depth + extent.height > MAX_DEPTH {
                self.refuse(place, too_deep());
            }
        }
        self.open.remove(place);
        self.extents.insert(place.to_owned(), extent);
        extent
    }

    /// The subschemas that the one at `place` applies; its definitions count where they are referred to.
    fn parts(&mut self, place: &str, tree: &'s Tree) -> Vec<Part<'s>> {
        let branches = ["then", "else"].iter().filter(|keyword| tree.get(keyword).is_some()).count();
        let part = |(below, tree): (String, &'s Tree)| {
            let keyword = below[place.len()..].split('/').nth(1).unwrap_or_default();
            let times = if keyword == "if" { branches } else { 1 };
            let step = match keyword {
                "unevaluatedItems" => 4,
                "unevaluatedProperties" => 3,
                keyword if WRAPPED.contains(&keyword) => 2,
                _ => 1,
            };
            let keyword = keyword.to_owned();
            (keyword != "$defs").then_some(Part { keyword, place: below, tree, times, step })
        };
        let mut parts: Vec<_> = keywords::subschemas(place, tree).into_iter().filter_map(part).collect();
        match reference(tree).and_then(|reference| self.source.resolve(reference)) {
            Some((target, _)) if self.open.contains(&target) => {
                let at = below(place, "$ref");
                self.refuse(&at, "leads back to itself: a MongoDB validator cannot be recursive".to_owned());
            }
            target => {
                let keyword = "$ref".to_owned();
                parts.extend(target.map(|(place, tree)| Part { keyword, place, tree, times: 1, step: 1 }));
            }
        }
        parts
    }

    fn refuse(&mut self, place: &str, detail: String) {
        self.bounded = false;
        self.report.add(place, detail);
    }
}

fn too_deep() -> String {
    format!("stands deeper than {MAX_DEPTH} schemas, with each `$ref` followed")
}
