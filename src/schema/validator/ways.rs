//! In which ways the parts of a value are evaluated by a schema.
//!
//! What a schema evaluates depends on which of its subschemas fit. A *way* is one such case: conditions, and what is
//! evaluated where they hold. A way may say less than is true, never more, so that a rule for the rest holds exactly
//! where it holds in some way. In-place subschemas that hold anyhow (`allOf`, `$ref`) are no conditions.

use std::collections::{BTreeMap, BTreeSet};

use super::{Compiler, Place, object};
use crate::json::{Node, Tree};

/// How many ways there may be.
pub(super) const MAX_WAYS: usize = 64;

/// The parts of a value that are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parts {
    Members,
    Items,
}

/// What must be so in a way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Condition {
    /// The schema at the pointer fits.
    Fits(String),
    /// The schema at the pointer does not fit.
    Fails(String),
    /// There is a member of this name.
    Has(String),
}

/// What is evaluated.
#[derive(Default, Clone)]
pub(super) struct Evaluated<'s> {
    /// Every part.
    pub(super) all: bool,
    /// The members of these names.
    pub(super) names: BTreeSet<&'s str>,
    /// The members whose names match, by the pointer of the pattern.
    pub(super) patterns: BTreeMap<String, &'s str>,
    /// The first items.
    pub(super) count: usize,
    /// The items that fit, by the pointer of the schema.
    pub(super) contains: BTreeMap<String, Place<'s>>,
}

impl Evaluated<'_> {
    fn covers(&self, other: &Self) -> bool {
        self.all
            || !other.all
                && self.names.is_superset(&other.names)
                && other.patterns.keys().all(|pattern| self.patterns.contains_key(pattern))
                && self.count >= other.count
                && other.contains.keys().all(|schema| self.contains.contains_key(schema))
    }
}

/// A case in which something is evaluated.
#[derive(Default, Clone)]
pub(super) struct Way<'s> {
    /// What holds in it, each with the schema that it is about, if it is about one.
    pub(super) conditions: BTreeMap<Condition, Option<Place<'s>>>,
    pub(super) evaluated: Evaluated<'s>,
}

impl<'s> Way<'s> {
    fn on(mut self, condition: Condition, place: Option<&Place<'s>>) -> Self {
        self.conditions.insert(condition, place.cloned());
        self
    }

    /// Both at once; `None` where they exclude each other.
    fn and(&self, other: &Self) -> Option<Self> {
        let mut both = self.clone();
        both.conditions.extend(other.conditions.clone());
        let evaluated = &mut both.evaluated;
        evaluated.all |= other.evaluated.all;
        evaluated.names.extend(&other.evaluated.names);
        evaluated.patterns.extend(other.evaluated.patterns.clone());
        evaluated.count = evaluated.count.max(other.evaluated.count);
        evaluated.contains.extend(other.evaluated.contains.clone());
        let excluded = |condition: &Condition| match condition {
            Condition::Fits(schema) => both.conditions.contains_key(&Condition::Fails(schema.clone())),
            _ => false,
        };
        (!both.conditions.keys().any(excluded)).then_some(both)
    }

    /// Whether `other` is needless beside this way.
    fn covers(&self, other: &Self) -> bool {
        self.evaluated.covers(&other.evaluated) && self.conditions.keys().all(|c| other.conditions.contains_key(c))
    }
}

/// There are more than [`MAX_WAYS`] ways.
pub(super) struct TooMany;

/// At least one way.
type Ways<'s> = Result<Vec<Way<'s>>, TooMany>;

/// Those of `ways` that no other makes needless.
fn distinct<'s>(ways: impl IntoIterator<Item = Way<'s>>) -> Ways<'s> {
    let mut kept: Vec<Way<'s>> = Vec::new();
    for way in ways {
        if !kept.iter().any(|known| known.covers(&way)) {
            kept.retain(|known| !way.covers(known));
            kept.push(way);
        }
        if kept.len() > MAX_WAYS {
            return Err(TooMany);
        }
    }
    Ok(kept)
}

/// Each of `a` together with each of `b`.
fn product<'s>(a: &[Way<'s>], b: &[Way<'s>]) -> Ways<'s> {
    distinct(a.iter().flat_map(|a| b.iter().filter_map(|b| a.and(b))))
}

impl<'s> Compiler<'s> {
    /// The ways in which the schema at `place` evaluates parts of its value, by all its keywords but `without`.
    pub(super) fn ways(&mut self, place: &Place<'s>, parts: Parts, without: Option<&str>) -> Ways<'s> {
        let mut ways = vec![Way::default()];
        let Node::Object(members) = &place.tree.node else { return Ok(ways) };
        let place = self.narrowed(place);
        for (keyword, value) in members.iter().filter(|(keyword, _)| Some(keyword.as_str()) != without) {
            let more = match keyword.as_str() {
                "allOf" => self.all_of(&place, value, parts)?,
                "anyOf" | "oneOf" => self.choice(&place, (keyword, value), parts)?,
                "if" => self.condition(&place, value, parts)?,
                // Of items it is told nothing: it speaks of objects alone.
                "dependentSchemas" if parts == Parts::Members => self.dependent(&place, value, parts)?,
                "$ref" => match self.referred(&place) {
                    Some(target) => self.ways(&target, parts, None)?,
                    None => continue,
                },
                _ => vec![Way { evaluated: own(&place, (keyword, value), parts), ..Way::default() }],
            };
            ways = product(&ways, &more)?;
        }
        Ok(ways)
    }

    fn all_of(&mut self, place: &Place<'s>, value: &'s Tree, parts: Parts) -> Ways<'s> {
        let mut ways = vec![Way::default()];
        for branch in place.branches("allOf", value) {
            ways = product(&ways, &self.ways(&branch, parts, None)?)?;
        }
        Ok(ways)
    }

    /// Of several schemas at least one fits; of `oneOf` no two do.
    fn choice(&mut self, place: &Place<'s>, (keyword, value): (&str, &'s Tree), parts: Parts) -> Ways<'s> {
        let branches = place.branches(keyword, value);
        if let [only] = &branches[..] {
            return self.ways(only, parts, None);
        }
        let mut ways = vec![Way::default()];
        let mut alone = Vec::new();
        for branch in &branches {
            let fitting = self.fitting(branch, parts)?;
            if keyword == "anyOf" {
                ways = product(&ways, &distinct(fitting.iter().cloned().chain([Way::default()]))?)?;
            }
            alone.extend(fitting);
        }
        // That none fits is no case; that one does of which nothing comes is the case without conditions.
        let without = alone.iter().any(|way| Way::default().covers(way));
        let without = without.then(Way::default);
        let ways = if keyword == "anyOf" { ways } else { alone };
        distinct(ways.into_iter().filter(|way| !way.conditions.is_empty()).chain(without))
    }

    /// The ways of the schema at `place` where it fits.
    fn fitting(&mut self, place: &Place<'s>, parts: Parts) -> Ways<'s> {
        let ways = self.ways(place, parts, None)?.into_iter();
        Ok(ways.map(|way| way.on(Condition::Fits(place.pointer.clone()), Some(place))).collect())
    }

    fn condition(&mut self, place: &Place<'s>, value: &'s Tree, parts: Parts) -> Ways<'s> {
        let test = place.branch(value, &["if"]);
        let mut branch = |keyword| match place.tree.get(keyword) {
            Some(tree) => self.ways(&place.branch(tree, &[keyword]), parts, None),
            None => Ok(vec![Way::default()]),
        };
        let (then, otherwise) = (branch("then")?, branch("else")?);
        let met = product(&self.fitting(&test, parts)?, &then)?;
        let unmet = otherwise.into_iter().map(|way| {
            // Where nothing comes of it, it need not be known.
            if Way::default().covers(&way) { way } else { way.on(Condition::Fails(test.pointer.clone()), Some(&test)) }
        });
        distinct(met.into_iter().chain(unmet))
    }

    fn dependent(&mut self, place: &Place<'s>, value: &'s Tree, parts: Parts) -> Ways<'s> {
        let mut ways = vec![Way::default()];
        for (name, tree) in object::members(value) {
            let there = self.ways(&place.branch(tree, &["dependentSchemas", name]), parts, None)?;
            let there = there.into_iter().map(|way| way.on(Condition::Has(name.clone()), None));
            ways = product(&ways, &distinct(there.chain([Way::default()]))?)?;
        }
        Ok(ways)
    }
}

/// What the keyword evaluates by itself.
fn own<'s>(place: &Place<'s>, (keyword, value): (&'s str, &'s Tree), parts: Parts) -> Evaluated<'s> {
    let mut evaluated = Evaluated::default();
    match (parts, keyword) {
        (Parts::Members, "additionalProperties" | "unevaluatedProperties")
        | (Parts::Items, "items" | "unevaluatedItems") => {
            evaluated.all = true;
        }
        (Parts::Members, "properties") => {
            evaluated.names = object::members(value).map(|(name, _)| name.as_str()).collect();
        }
        (Parts::Members, "patternProperties") => {
            let pattern = |(name, _): (&'s String, _)| (place.under(&[keyword, name]), name.as_str());
            evaluated.patterns = object::members(value).map(pattern).collect();
        }
        (Parts::Items, "prefixItems") => evaluated.count = value.as_array().unwrap_or_default().len(),
        (Parts::Items, "contains") => {
            let schema = place.part(value, &[keyword], place.shape.item().clone());
            evaluated.contains.insert(schema.pointer.clone(), schema);
        }
        _ => {}
    }
    evaluated
}
