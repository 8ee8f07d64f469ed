//! `propertyNames`: the one schema that is about names. MongoDB knows names only by patterns, so the schema becomes one.
//!
//! A name is a string; of what a schema says, only what it says of strings counts. Each schema becomes a condition, a
//! row of PCRE's lookaheads from the start of the name: in a row all of them hold, `(?:a|b)` is either, `(?!a)` not.

use bson::{Document, doc};

use super::{Compiler, Draft, Place, description, with};
use crate::{
    json::{Node, Tree},
    schema::{Kind, field, format, pattern},
};

/// The condition that nothing meets.
const NEVER: &str = "(?!)";
/// The most that PCRE counts to.
const MAX_COUNT: i32 = 65_535;

impl<'s> Compiler<'s> {
    /// Names that meet the condition are let through, and no others.
    pub(super) fn property_names(&mut self, place: &Place<'s>, value: &'s Tree, draft: &mut Draft) {
        let names = place.branch(value, &["propertyNames"]);
        let mut conditions = Conditions { compiler: self, groups: 0, room: pattern::MAX_LENGTH };
        let condition = conditions.of(&names);
        if conditions.room == 0 {
            let detail = format!("becomes a pattern over MongoDB's limit of {} bytes", pattern::MAX_LENGTH);
            return self.mistake(&names.pointer, detail);
        }
        let mut rule = Document::new();
        if condition != NEVER {
            rule.insert("patternProperties", doc! { format!("(*UTF)^{condition}"): {} });
        }
        if place.whole {
            rule.insert("properties", doc! { "_id": {} });
        }
        rule.insert("additionalProperties", false);
        draft.pieces.push(with(description(&names.pointer), rule));
    }
}

struct Conditions<'c, 's> {
    compiler: &'c mut Compiler<'s>,
    /// The capturing groups of the patterns so far.
    groups: usize,
    /// How many more bytes there may be.
    room: usize,
}

impl<'s> Conditions<'_, 's> {
    /// What names that fit the schema meet.
    fn of(&mut self, place: &Place<'s>) -> String {
        let all = match &place.tree.node {
            Node::Object(members) => members.iter().map(|(k, value)| self.keyword(place, k, value)).collect(),
            Node::Bool(false) => NEVER.to_owned(),
            _ => String::new(),
        };
        // A schema may be written out more than once: each time it counts.
        self.room = self.room.saturating_sub(all.len().max(1));
        if self.room == 0 { String::new() } else { all }
    }

    fn keyword(&mut self, place: &Place<'s>, keyword: &str, value: &'s Tree) -> String {
        if self.room == 0 {
            return String::new();
        }
        match keyword {
            "type" | "bsonType" if !field::declared(place.tree).contains(Kind::String) => NEVER.to_owned(),
            "pattern" => self.pattern(place, value),
            "format" => format::pattern(value.as_str().unwrap_or_default())
                .map_or_else(String::new, |pattern| format!("(?={pattern})")),
            "minLength" | "maxLength" => self.length(place, keyword, value),
            "enum" => choices(value.as_array().unwrap_or_default()),
            "const" => choices(std::slice::from_ref(value)),
            "allOf" => self.branches(place, keyword, value).concat(),
            "anyOf" => format!("(?:{})", self.branches(place, keyword, value).join("|")),
            "oneOf" => self.one_of(place, value),
            "not" => format!("(?!{})", self.of(&place.branch(value, &["not"]))),
            "if" => self.conditional(place, value),
            "$ref" => self.target(place),
            _ => String::new(),
        }
    }

    fn pattern(&mut self, place: &Place<'s>, value: &Tree) -> String {
        match pattern::translate_after(value.as_str().unwrap_or_default(), self.groups) {
            Ok((pcre, groups)) => {
                self.groups += groups;
                format!(r"(?=[\s\S]*?(?:{pcre}))")
            }
            Err(refusal) => {
                self.compiler.mistake(&place.under(&["pattern"]), refusal.to_string());
                String::new()
            }
        }
    }

    fn length(&mut self, place: &Place<'s>, keyword: &str, value: &Tree) -> String {
        let count = value.as_whole().unwrap_or_default();
        match keyword {
            _ if count >= MAX_COUNT => {
                let detail = format!("MongoDB counts the characters of a name only to {}", MAX_COUNT - 1);
                self.compiler.mistake(&place.under(&[keyword]), detail);
                String::new()
            }
            "minLength" => format!(r"(?=[\s\S]{{{count}}})"),
            _ => format!(r"(?![\s\S]{{{}}})", count + 1),
        }
    }

    fn branches(&mut self, place: &Place<'s>, keyword: &str, value: &'s Tree) -> Vec<String> {
        let branches = value.as_array().unwrap_or_default().iter().enumerate();
        branches.map(|(i, branch)| self.of(&place.branch(branch, &[keyword, &i.to_string()]))).collect()
    }

    /// One after the other, each together with none of the others.
    fn one_of(&mut self, place: &Place<'s>, value: &'s Tree) -> String {
        let count = value.as_array().unwrap_or_default().len();
        let alone = |chosen: usize| {
            let branches = self.branches(place, "oneOf", value);
            let only = |(i, branch): (usize, String)| if i == chosen { branch } else { format!("(?!{branch})") };
            branches.into_iter().enumerate().map(only).collect::<String>()
        };
        format!("(?:{})", (0..count).map(alone).collect::<Vec<_>>().join("|"))
    }

    fn conditional(&mut self, place: &Place<'s>, value: &'s Tree) -> String {
        let mut branch = |keyword| {
            let tree = place.tree.get(keyword)?;
            Some(self.of(&place.branch(tree, &[keyword])))
        };
        let (then, otherwise) = (branch("then").unwrap_or_default(), branch("else").unwrap_or_default());
        let (met, unmet) = (self.of(&place.branch(value, &["if"])), self.of(&place.branch(value, &["if"])));
        format!("(?:{met}{then}|(?!{unmet}){otherwise})")
    }

    fn target(&mut self, place: &Place<'s>) -> String {
        let target = self.compiler.referred(place);
        target.map(|target| self.of(&target)).unwrap_or_default()
    }
}

/// One of the strings among `values`.
fn choices(values: &[Tree]) -> String {
    let names: Vec<_> = values.iter().filter_map(Tree::as_str).map(pattern::literal).collect();
    if names.is_empty() { NEVER.to_owned() } else { format!(r"(?=(?:{})(?![\s\S]))", names.join("|")) }
}
