//! Keywords that put schemas for the same value together.

use bson::{Bson, Document};

use super::{
    Kind, RuleChange, types,
    walk::{Pair, Place, View, Walk, is_same, pointer},
};

/// Keywords below whose pointers schemas stand that can be branches, the author's own or what `$ref` leads to.
const APPLICATORS: [&str; 10] = [
    "$defs",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "properties",
    "patternProperties",
    "additionalProperties",
    "items",
    "prefixItems",
];

/// `allOf`: the author's branches, what `$ref` leads to, and the pieces that other keywords became. Their sum counts,
/// so any of them may be held against any other.
pub(super) fn all_of(walk: &mut Walk, place: &Place, pair: Pair<'_>) {
    let none = Document::new();
    for (from, to) in matched(pieces(place, pair.from), pieces(place, pair.to), false) {
        let Some(known) = to.or(from) else { continue };
        let pair = Pair { from: from.map_or(&none, |b| b.schema), to: to.map_or(&none, |b| b.schema) };
        match known.label.and_then(keyword) {
            Some(keyword) => piece(walk, place, keyword, pair),
            None => walk.schema(&place.child(pair, &["allOf", &known.at.to_string()]), pair),
        }
    }
}

/// The branches of `allOf` but those that `types` reads; a piece's label is its pointer from its own schema on.
fn pieces<'d>(place: &'d Place, schema: &'d Document) -> Vec<Branch<'d>> {
    let own = place.own(schema);
    let below = |label: &'d str| label.strip_prefix(own).filter(|rest| rest.starts_with('/')).unwrap_or(label);
    branches(schema, "allOf")
        .filter(|branch| !types::is_piece(own, branch.schema))
        .map(|branch| Branch { label: branch.label.map(below), ..branch })
        .collect()
}

/// The keyword of which a piece of its schema speaks, if the pointer from there says that it is one.
fn keyword(label: &str) -> Option<&str> {
    label.strip_prefix('/')?.split('/').next().filter(|keyword| !APPLICATORS.contains(keyword))
}

/// One keyword's translation, whose own changes are one change of the keyword. The author's schemas in it speak for
/// themselves.
fn piece(walk: &mut Walk, place: &Place, keyword: &str, pair: Pair<'_>) {
    let inside = Place { translated: true, ..place.child(pair, &[]) };
    let mut below = Walk { view: walk.view, ..Walk::default() };
    below.schema(&inside, pair);
    walk.changes.append(&mut below.changes);
    let kind = Kind::of(&below.own.iter().map(|change| change.kind).collect::<Vec<_>>());
    let (from, to) = match &below.own[..] {
        [] => return,
        // The name of the format is not there, and its pattern is nothing to read.
        _ if keyword == "format" => (None, None),
        [RuleChange { from, to, .. }] => (from.clone(), to.clone()),
        _ => (None, None),
    };
    // The kind is as the view has it already.
    let change = RuleChange { pointer: place.pointer.clone(), keyword: keyword.to_owned(), kind, from, to };
    if place.translated { walk.own.push(change) } else { walk.changes.push(change) }
}

/// `anyOf`: an alternative more lets more in, and so does one that asks less.
pub(super) fn any_of(walk: &mut Walk, place: &Place, pair: Pair<'_>) {
    let (Some(_), Some(_)) = pair.get("anyOf") else { return whole(walk, place, "anyOf", pair) };
    let list = |schema| branches(schema, "anyOf").collect();
    let name = |branch: Branch<'_>| {
        Bson::from(branch.label.map_or_else(|| format!("{}/anyOf/{}", place.pointer, branch.at), str::to_owned))
    };
    for matched in matched(list(pair.from), list(pair.to), true) {
        match matched {
            (Some(from), Some(to)) => {
                let pair = Pair { from: from.schema, to: to.schema };
                walk.schema(&place.child(pair, &["anyOf", &to.at.to_string()]), pair);
            }
            (None, to) => walk.emit(place, "anyOf", Kind::Loosened, (None, to.map(name))),
            (from, None) => walk.emit(place, "anyOf", Kind::Tightened, (from.map(name), None)),
        }
    }
}

/// `oneOf`: a branch that lets more in can make two of one.
pub(super) fn one_of(walk: &mut Walk, place: &Place, pair: Pair<'_>) {
    let (Some(_), Some(_)) = pair.get("oneOf") else { return whole(walk, place, "oneOf", pair) };
    let list = |schema| branches(schema, "oneOf").collect::<Vec<_>>();
    let (from, to) = (list(pair.from), list(pair.to));
    if from.len() != to.len() {
        return walk.emit(place, "oneOf", Kind::Changed, (None, None));
    }
    for (from, to) in from.into_iter().zip(to) {
        let pair = Pair { from: from.schema, to: to.schema };
        let place = place.child(pair, &["oneOf", &to.at.to_string()]);
        walk.seen(View::Blurred, |walk| walk.schema(&place, pair));
    }
}

pub(super) fn not(walk: &mut Walk, place: &Place, pair: Pair<'_>) {
    let (Some(Bson::Document(from)), Some(Bson::Document(to))) = pair.get("not") else {
        return whole(walk, place, "not", pair);
    };
    let pair = Pair { from, to };
    let place = place.child(pair, &["not"]);
    walk.seen(View::Inverted, |walk| walk.schema(&place, pair));
}

/// A keyword that comes or goes.
fn whole(walk: &mut Walk, place: &Place, keyword: &str, pair: Pair<'_>) {
    let kind = if pair.from.contains_key(keyword) { Kind::Removed } else { Kind::Added };
    walk.emit(place, keyword, kind, (None, None));
}

/// A schema in a list.
#[derive(Clone, Copy)]
struct Branch<'d> {
    at: usize,
    schema: &'d Document,
    /// By what it is known again.
    label: Option<&'d str>,
}

fn branches<'d>(schema: &'d Document, keyword: &str) -> impl Iterator<Item = Branch<'d>> {
    let list = schema.get_array(keyword).into_iter().flatten().enumerate();
    list.filter_map(|(at, branch)| {
        let schema = branch.as_document()?;
        Some(Branch { at, schema, label: pointer(schema) })
    })
}

/// A branch before and after.
type Match<'d> = (Option<Branch<'d>>, Option<Branch<'d>>);

/// Branches by twos: not those that say the same; first those of the same label, then, if `in_order`, those without
/// one in their order. What is left over stands alone.
fn matched<'d>(mut from: Vec<Branch<'d>>, mut to: Vec<Branch<'d>>, in_order: bool) -> Vec<Match<'d>> {
    to.retain(|new| {
        let same = from.iter().position(|old| is_same(old.schema, new.schema));
        same.map(|at| from.remove(at)).is_none()
    });
    let mut matches = Vec::new();
    for new in to {
        let alike = |old: &Branch<'_>| old.label == new.label && (in_order || old.label.is_some());
        let old = from.iter().position(alike).map(|at| from.remove(at));
        matches.push((old, Some(new)));
    }
    matches.extend(from.into_iter().map(|old| (Some(old), None)));
    matches
}
