//! The fields of a collection's documents: one for every place that its file declares without condition.

use std::collections::HashSet;

use super::{
    block::{Line, code, text},
    place::{Place, Spot},
    rule::{Rule, Verb},
    sentences, types,
};
use crate::schema::{Field, Kind, Kinds, Schema, Set};

/// A field, or the document itself.
#[derive(Debug)]
pub(super) struct Described<'s> {
    /// Its dotted name; of the document, empty.
    pub(super) path: String,
    pub(super) step: Step<'s>,
    /// Where among all fields that stands which holds it.
    pub(super) holder: Option<usize>,
    /// What the file says of it.
    pub(super) place: Place<'s>,
    /// An object that holds it must have it.
    pub(super) required: bool,
    pub(super) types: Line,
    pub(super) kinds: Kinds,
    /// The types in one word.
    pub(super) word: String,
    /// What the service writes.
    pub(super) set: Option<Set>,
    /// The collection that it refers to.
    pub(super) reference: Option<String>,
    /// There is so little to say of it that what holds it says it.
    pub(super) folded: bool,
}

/// How one comes to a field from what holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<'s> {
    Root,
    /// The member of that name.
    Member(&'s str),
    /// Members whose names match the pattern.
    Matching(&'s str),
    /// Members of any other name.
    Others,
    /// The item at that position.
    At(usize),
    /// Items from that position.
    From(usize),
}

impl Step<'_> {
    /// Whether it leads to many values.
    pub(super) fn is_many(self) -> bool {
        matches!(self, Self::Matching(_) | Self::Others | Self::From(_))
    }
}

/// The document and all fields below it, each after what holds it.
pub(super) fn fields(schema: &Schema) -> Vec<Described<'_>> {
    let mut walk = Walk { found: Vec::new() };
    let place = Place::of(Spot::root(&schema.source));
    walk.visit(Way { holder: None, step: Step::Root, required: true }, &place, &schema.root);
    walk.found
}

struct Walk<'s> {
    found: Vec<Described<'s>>,
}

/// How one comes to a field.
#[derive(Clone, Copy)]
struct Way<'s> {
    holder: Option<usize>,
    step: Step<'s>,
    required: bool,
}

impl<'s> Way<'s> {
    fn optional(holder: usize, step: Step<'s>) -> Self {
        Self { holder: Some(holder), step, required: false }
    }
}

impl<'s> Walk<'s> {
    /// Adds the field of which the file says `place` and whose shape is `field`, and all below it.
    fn visit(&mut self, way: Way<'s>, place: &Place<'s>, field: &Field) {
        let holder = way.holder.map_or("", |holder| &self.found[holder].path);
        let here = self.found.len();
        self.found.push(Described {
            path: extended(holder, way.step),
            step: way.step,
            holder: way.holder,
            required: way.required,
            types: types::types(place, field),
            kinds: field.kinds,
            word: types::word(place, field),
            set: field.set,
            reference: field.reference.as_ref().map(|reference| reference.collection.clone()),
            folded: way.step == Step::From(0) && folds(place),
            place: place.clone(),
        });
        self.members(here, place, field);
        self.items(here, place, field);
    }

    fn members(&mut self, here: usize, place: &Place<'s>, field: &Field) {
        let required: HashSet<_> = place.names("required").into_iter().collect();
        let mut declared = place.map("properties");
        if here == 0 && !declared.contains_key("_id") {
            declared.shift_insert(0, "_id", Place::default());
        }
        for (name, place) in declared {
            let required = required.contains(name) || here == 0 && name == "_id";
            let way = Way { holder: Some(here), step: Step::Member(name), required };
            self.visit(way, &place, field.member(name));
        }
        for (pattern, place) in place.map("patternProperties").into_iter().filter(|(_, place)| !place.refuses_all()) {
            self.visit(Way::optional(here, Step::Matching(pattern)), &place, &place.shape());
        }
        if let Some(place) = place.below("additionalProperties").filter(Place::says_something) {
            self.visit(Way::optional(here, Step::Others), &place, &place.shape());
        }
    }

    fn items(&mut self, here: usize, place: &Place<'s>, field: &Field) {
        let first = place.list("prefixItems");
        let shape = |at| field.tuple.as_ref().map_or_else(|| field.item(), |tuple| tuple.at(at));
        for (at, place) in first.iter().enumerate() {
            self.visit(Way::optional(here, Step::At(at)), place, shape(at));
        }
        if let Some(place) = place.below("items").filter(Place::says_something) {
            self.visit(Way::optional(here, Step::From(first.len())), &place, shape(first.len()));
        }
    }
}

impl Described<'_> {
    /// The rules that hold of it, but for those that its types, its members and its items have.
    pub(super) fn rules(&self) -> Vec<Rule> {
        if self.place.refuses_all() {
            return vec![Rule::new(Verb::Is, text("not allowed"))];
        }
        let mut rules = sentences::of_value(&self.place);
        let undeclared = self.undeclared();
        if !undeclared.is_empty() {
            rules.push(Rule::new(Verb::Has, undeclared));
        }
        rules.extend(sentences::refused(&self.place));
        if let Some(items) =
            self.place.below("items").filter(|items| self.place.get("prefixItems").is_none() && folds(items))
        {
            rules.extend(sentences::each_value(&items));
        }
        rules
    }

    /// Whether it is the document, or an object whose members the file names.
    pub(super) fn is_object(&self) -> bool {
        self.step == Step::Root || self.place.spots.iter().any(|spot| spot.map("properties").next().is_some())
    }

    /// Whether its types name `kind`.
    pub(super) fn names(&self, kind: Kind) -> bool {
        let kinds = self.kinds;
        kinds != Kinds::ANY && kinds.intersection(Kinds::NUMBERS) != Kinds::NUMBERS && kinds.contains(kind)
    }

    /// Members that it must have and of which nothing else is said.
    fn undeclared(&self) -> Line {
        let declared = self.place.map("properties");
        let names = self.place.names("required").into_iter().filter(|name| !declared.contains_key(name));
        Line::listed(names.map(code).collect(), "and")
    }
}

/// Whether all there is to say of items of which `place` is said has room where the list is described.
fn folds(place: &Place<'_>) -> bool {
    const OWN_ROW: [&str; 9] = [
        "title",
        "description",
        "examples",
        "deprecated",
        "properties",
        "patternProperties",
        "additionalProperties",
        "required",
        "prefixItems",
    ];
    OWN_ROW.iter().all(|keyword| place.get(keyword).is_none()) && place.below("items").is_none_or(|items| folds(&items))
}

/// The name of what `step` leads to from what is called `path`.
fn extended(path: &str, step: Step<'_>) -> String {
    let dot = if path.is_empty() { "" } else { "." };
    match step {
        Step::Root => String::new(),
        Step::Member(name) if is_plain(name) => format!("{path}{dot}{name}"),
        Step::Member(name) => format!("{path}{dot}{}", serde_json::Value::from(name)),
        Step::Matching(_) | Step::Others => format!("{path}{dot}*"),
        Step::At(at) => format!("{path}[{at}]"),
        Step::From(0) => format!("{path}[]"),
        Step::From(at) => format!("{path}[{at}…]"),
    }
}

/// Whether a name can stand in a dotted one without quotes.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name != "*"
        && !name.contains(|c: char| c.is_whitespace() || c.is_control() || ".[]\"".contains(c))
}
