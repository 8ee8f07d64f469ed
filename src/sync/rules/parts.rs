//! Keywords that judge an object's members; those of arrays and dependencies are below.
//!
//! Which members `additionalProperties` judges depends on what else is declared. So the way from one schema to the
//! other goes in steps: what is new is declared first, then `additionalProperties` changes, then what is gone is
//! taken back. Each step changes one thing, and what a step comes to is known.

use bson::{Bson, Document};
use indexmap::IndexMap;

use super::{
    Kind, scalars,
    walk::{Pair, Place, Walk, is_any, is_never},
};
use crate::schema::pattern;

pub(super) mod arrays;
pub(super) mod dependencies;

/// What is asked of parts that are not declared one by one.
#[derive(Clone, Copy)]
enum Rest<'d> {
    Any,
    Never,
    Schema(&'d Document),
}

impl<'d> Rest<'d> {
    fn of(value: Option<&'d Bson>) -> Self {
        match value {
            Some(Bson::Boolean(false)) => Self::Never,
            Some(Bson::Document(schema)) => Self::by(schema),
            _ => Self::Any,
        }
    }

    fn by(schema: &'d Document) -> Self {
        match schema {
            schema if is_never(schema) => Self::Never,
            schema if is_any(schema) => Self::Any,
            schema => Self::Schema(schema),
        }
    }

    fn schema(self) -> Option<&'d Document> {
        if let Self::Schema(schema) = self { Some(schema) } else { None }
    }
}

/// `required`, name by name.
pub(super) fn required(walk: &mut Walk, place: &Place, pair: Pair<'_>) {
    let names = |schema: &Document| schema.get_array("required").cloned().unwrap_or_default();
    let (from, to) = (names(pair.from), names(pair.to));
    for name in from.iter().filter(|name| !to.contains(name)) {
        walk.emit(place, "required", Kind::Removed, (Some(name.clone()), None));
    }
    for name in to.iter().filter(|name| !from.contains(name)) {
        walk.emit(place, "required", Kind::Added, (None, Some(name.clone())));
    }
}

/// What a schema says of an object's members.
struct Members<'d> {
    named: IndexMap<String, &'d Document>,
    patterns: IndexMap<String, &'d Document>,
    rest: Rest<'d>,
}

impl<'d> Members<'d> {
    /// `None` where a name is a path to MongoDB, or something stands where a schema should.
    fn of(schema: &'d Document) -> Option<Self> {
        let rest = Rest::of(schema.get("additionalProperties"));
        let mut members = Self { named: IndexMap::new(), patterns: IndexMap::new(), rest };
        let group = |keyword| schema.get_document(keyword).into_iter().flatten();
        for (name, declared) in group("properties") {
            members.named.insert(name.clone(), declared.as_document().filter(|_| !name.contains('.'))?);
        }
        for (pattern, declared) in group("patternProperties") {
            let declared = declared.as_document()?;
            match quoted(pattern).filter(|name| !members.named.contains_key(name)) {
                Some(name) => members.named.insert(name, declared),
                None => members.patterns.insert(pattern.clone(), declared),
            };
        }
        Some(members)
    }

    /// The keyword, the name or pattern, and the schema of each declaration; names come first.
    fn declared(&self) -> impl DoubleEndedIterator<Item = (&'static str, &str, &'d Document)> {
        let named = self.named.iter().map(|(name, schema)| ("properties", name.as_str(), *schema));
        named.chain(self.patterns.iter().map(|(pattern, schema)| ("patternProperties", pattern.as_str(), *schema)))
    }

    fn get(&self, keyword: &str, name: &str) -> Option<&'d Document> {
        if keyword == "properties" { self.named.get(name) } else { self.patterns.get(name) }.copied()
    }
}

/// The name that a pattern stands for, if it is one that MongoDB does not take as it is.
fn quoted(quoted: &str) -> Option<String> {
    let (mut name, mut rest) = (String::new(), quoted.strip_prefix("(*UTF)^")?.chars());
    while let Some(c) = rest.next() {
        match c {
            '(' => break,
            '\\' => match rest.next()? {
                'x' => {
                    let hex: String = rest.by_ref().skip(1).take_while(|c| *c != '}').collect();
                    name.push(char::from_u32(u32::from_str_radix(&hex, 16).ok()?)?);
                }
                c => name.push(c),
            },
            c => name.push(c),
        }
    }
    (pattern::quote(&name) == quoted).then_some(name)
}

/// `properties`, `patternProperties` and `additionalProperties`.
pub(super) fn members(walk: &mut Walk, place: &Place, pair: Pair<'_>) {
    let (Some(from), Some(to)) = (Members::of(pair.from), Members::of(pair.to)) else {
        return ["properties", "patternProperties", "additionalProperties"]
            .into_iter()
            .for_each(|keyword| walk.opaque(place, keyword, pair));
    };
    for (keyword, name, new) in to.declared() {
        match from.get(keyword, name) {
            Some(old) => {
                let pair = Pair { from: old, to: new };
                walk.schema(&place.child(pair, &[keyword, name]), pair);
            }
            None => declaration(walk, place, (keyword, name, true), (new, &from)),
        }
    }
    rest(walk, place, ("additionalProperties", &["additionalProperties"]), (from.rest, to.rest));
    // Names go last, as they came first: which patterns there are beside them is then known.
    for (keyword, name, old) in from.declared().rev() {
        if to.get(keyword, name).is_none() {
            declaration(walk, place, (keyword, name, false), (old, &to));
        }
    }
}

/// A declaration that only one of the schemas has, beside the other `members` of that one's counterpart: it comes, or
/// if not `new` it goes.
fn declaration(
    walk: &mut Walk,
    place: &Place,
    (keyword, name, new): (&str, &str, bool),
    (schema, members): (&Document, &Members<'_>),
) {
    let pair = |rest| if new { Pair { from: rest, to: schema } } else { Pair { from: schema, to: rest } };
    let below = place.child(Pair { from: schema, to: schema }, &[keyword, name]);
    let tell = |walk: &mut Walk, kind: Kind| {
        let name = Some(if keyword == "properties" { name.into() } else { scalars::untranslated(name).into() });
        let (kind, names) = if new { (kind, (None, name)) } else { (kind.inverted(), (name, None)) };
        walk.emit(place, keyword, kind, names);
    };
    // Which names match a pattern is not asked.
    let overlaps = keyword == "patternProperties" || !members.patterns.is_empty();
    match members.rest {
        Rest::Any => walk.schema(&below, pair(&Document::new())),
        _ if is_any(schema) => tell(walk, Kind::Loosened),
        _ if overlaps => tell(walk, Kind::Changed),
        Rest::Never if is_never(schema) => {}
        Rest::Never => tell(walk, Kind::Loosened),
        Rest::Schema(rest) => walk.schema(&below, pair(rest)),
    }
}

/// The parts that are not declared one by one, or one that is not in one of the schemas.
fn rest(walk: &mut Walk, place: &Place, (keyword, tokens): (&str, &[&str]), (from, to): (Rest<'_>, Rest<'_>)) {
    let (none, never) = (Document::new(), || Some(Bson::Boolean(false)));
    match (from, to) {
        (Rest::Any, Rest::Any) | (Rest::Never, Rest::Never) => {}
        (Rest::Any, Rest::Never) => walk.emit(place, keyword, Kind::Added, (None, never())),
        (Rest::Never, Rest::Any) => walk.emit(place, keyword, Kind::Removed, (never(), None)),
        (Rest::Schema(_), Rest::Never) => walk.emit(place, keyword, Kind::Tightened, (None, never())),
        (Rest::Never, Rest::Schema(_)) => walk.emit(place, keyword, Kind::Loosened, (never(), None)),
        (from, to) => {
            let pair = Pair { from: from.schema().unwrap_or(&none), to: to.schema().unwrap_or(&none) };
            walk.schema(&place.child(pair, tokens), pair);
        }
    }
}
