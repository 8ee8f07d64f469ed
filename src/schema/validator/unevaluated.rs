//! `unevaluatedProperties` and `unevaluatedItems`: rules for what no other keyword of the schema has evaluated.
//!
//! MongoDB does not have them, but it has `additionalProperties` and `additionalItems`: in each of the [`ways`](super::ways)
//! in which parts are evaluated, the rule is one for the others.

use bson::{Bson, Document, doc};

use super::{
    Compiler, Draft, Place, description, ensure, object,
    ways::{Condition, Evaluated, MAX_WAYS, Parts, Way},
    with,
};
use crate::{
    json::{Node, Tree},
    schema::{Field, pattern},
};

impl<'s> Compiler<'s> {
    /// The rule holds in one of the ways.
    pub(super) fn unevaluated(&mut self, place: &Place<'s>, (keyword, value): (&'s str, &'s Tree), draft: &mut Draft) {
        let parts = if keyword == "unevaluatedItems" { Parts::Items } else { Parts::Members };
        let rule = Place { whole: place.whole, ..place.part(value, &[keyword], Field::any()) };
        let Ok(ways) = self.ways(place, parts, Some(keyword)) else {
            let detail = format!(
                "more than {MAX_WAYS} cases of what is evaluated would have to be told apart: use fewer alternatives, or `{}`",
                if parts == Parts::Items { "items" } else { "additionalProperties" }
            );
            return self.mistake(&rule.pointer, detail);
        };
        let is_free = |way: &Way<'_>| way.conditions.is_empty() && way.evaluated.all;
        if matches!(value.node, Node::Bool(true)) || ways.iter().any(is_free) {
            return;
        }
        let mut cases: Vec<_> = ways.iter().map(|way| self.case(&rule, way, parts)).collect();
        match cases.len() {
            0 => {}
            1 => draft.pieces.extend(cases.pop()),
            _ => draft.pieces.push(with(description(&rule.pointer), doc! { "anyOf": cases })),
        }
    }

    /// The conditions of the way hold, and the schema at `rule` holds for the parts that are not evaluated in it.
    fn case(&mut self, rule: &Place<'s>, way: &Way<'s>, parts: Parts) -> Document {
        let mut case = description(&rule.pointer);
        match parts {
            _ if way.evaluated.all => {}
            Parts::Members => self.other_members(rule, &way.evaluated, &mut case),
            Parts::Items => self.other_items(rule, &way.evaluated, &mut case),
        }
        let conditions: Vec<_> = way.conditions.iter().map(|(c, place)| self.met(c, place.as_ref())).collect();
        if !conditions.is_empty() {
            case.insert("allOf", conditions);
        }
        case
    }

    fn met(&mut self, condition: &Condition, place: Option<&Place<'s>>) -> Document {
        let schema = place.map(|place| self.schema(place)).unwrap_or_default();
        match condition {
            Condition::Fits(_) => schema,
            Condition::Fails(_) => doc! { "not": schema },
            Condition::Has(name) => object::present(name),
        }
    }

    fn other_members(&mut self, rule: &Place<'s>, evaluated: &Evaluated<'s>, case: &mut Document) {
        let names = evaluated.names.iter().copied();
        for name in names.chain(rule.whole.then_some("_id")) {
            if !object::is_plain(name) {
                object::insert_pattern(case, pattern::quote(name), Document::new());
            } else if let Some(group) = ensure(case, "properties") {
                group.insert(name, Document::new());
            }
        }
        // What is wrong with a pattern is said where it stands.
        for pcre in evaluated.patterns.values().filter_map(|name| pattern::of_names(name).ok()) {
            object::insert_pattern(case, pcre, Document::new());
        }
        let rest = match &rule.tree.node {
            Node::Bool(allowed) => Bson::Boolean(*allowed),
            _ => self.schema(&rule.part(rule.tree, &[], Field::any())).into(),
        };
        case.insert("additionalProperties", rest);
    }

    /// Draft 2020-12 counts the items that fit `contains` as evaluated, wherever they stand.
    fn other_items(&mut self, rule: &Place<'s>, evaluated: &Evaluated<'s>, case: &mut Document) {
        let mut rest = self.schema(&rule.part(rule.tree, &[], Field::any()));
        if !evaluated.contains.is_empty() {
            let mut either: Vec<_> = evaluated.contains.values().map(|place| self.schema(place)).collect();
            either.push(rest);
            rest = with(description(&rule.pointer), doc! { "anyOf": either });
        }
        if evaluated.count == 0 {
            case.insert("items", rest);
        } else {
            case.insert("items", vec![Document::new(); evaluated.count]);
            case.insert("additionalItems", rest);
        }
    }
}
