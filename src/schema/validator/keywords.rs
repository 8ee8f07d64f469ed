//! One function per keyword, or group of keywords, that is not compiled to itself.

use bson::{Bson, Document, doc};

use super::{Compiler, Draft, Place, description, values, with};
use crate::{
    json::Tree,
    schema::{Kind, field, format, pattern},
};

/// MongoDB has no `integer` and refuses `type` beside `bsonType`.
pub(super) fn types(place: &Place<'_>, value: &Tree, draft: &mut Draft) {
    let mut names = names(value);
    if names.contains(&"number") {
        names.retain(|name| *name != "integer");
    }
    let mut piece = description(&place.under(&["type"]));
    if names.contains(&"integer") {
        piece.insert("anyOf", integer_or(&names));
    } else if place.has("bsonType") {
        piece.insert("type", one_or_list(names));
    } else {
        draft.schema.insert("type", one_or_list(names));
        return;
    }
    draft.pieces.push(piece);
}

/// MongoDB names the type `bool` alone.
pub(super) fn bson_types(value: &Tree, draft: &mut Draft) {
    let mut names = names(value);
    names.iter_mut().filter(|n| **n == "boolean").for_each(|n| *n = "bool");
    draft.schema.insert("bsonType", one_or_list(names));
}

impl<'s> Compiler<'s> {
    pub(super) fn bound(&mut self, place: &Place<'s>, keyword: &str, value: &Tree, draft: &mut Draft) {
        let text = value.text(&self.source.text);
        let (bound, decimal) = match values::bound(text, &place.shape) {
            Ok(bounds) => bounds,
            Err(reason) => return self.mistake(&place.under(&[keyword]), reason),
        };
        let (name, exclusive) = match keyword {
            "exclusiveMinimum" => ("minimum", true),
            "exclusiveMaximum" => ("maximum", true),
            name => (name, false),
        };
        let compare = |bound: Bson| {
            let mut schema = doc! { name: bound };
            if exclusive {
                schema.insert(keyword, true);
            }
            schema
        };
        match decimal.filter(|_| name != "multipleOf") {
            None if !(exclusive && place.has(name)) => draft.schema.extend(compare(bound)),
            None => draft.pieces.push(with(description(&place.under(&[keyword])), compare(bound))),
            Some(decimal) => {
                let decimals = with(doc! { "bsonType": "decimal" }, compare(decimal));
                let others = with(doc! { "not": { "bsonType": "decimal" } }, compare(bound));
                let either = doc! { "anyOf": [decimals, others] };
                draft.pieces.push(with(description(&place.under(&[keyword])), either));
            }
        }
    }

    pub(super) fn choices(&mut self, place: &Place<'s>, keyword: &str, value: &Tree, draft: &mut Draft) {
        let choices =
            if keyword == "const" { std::slice::from_ref(value) } else { value.as_array().unwrap_or_default() };
        if !self.are_possible(place, keyword, choices) {
            return;
        }
        let texts = choices.iter().map(|choice| choice.text(&self.source.text));
        let compiled = match values::choices(texts, &place.shape) {
            Ok(values) if values.is_empty() => doc! { "not": {} },
            Ok(values) => doc! { "enum": values },
            Err(reason) => return self.mistake(&place.under(&[keyword]), reason),
        };
        if choices.is_empty() || (keyword == "const" && place.has("enum")) {
            draft.pieces.push(with(description(&place.under(&[keyword])), compiled));
        } else {
            draft.schema.extend(compiled);
        }
    }

    /// Whether each value is of a type that may stand here; a date that is none would be a string no date equals.
    fn are_possible(&mut self, place: &Place<'s>, keyword: &str, choices: &[Tree]) -> bool {
        let before = self.mistakes.len();
        for (at, choice) in choices.iter().enumerate() {
            if let Err(reason) = field::read(self.source, choice, &place.shape) {
                let index = at.to_string();
                let tokens = if keyword == "const" { &[keyword][..] } else { &[keyword, &index] };
                self.mistake(&place.under(tokens), reason);
            }
        }
        self.mistakes.len() == before
    }

    pub(super) fn pattern(&mut self, place: &Place<'s>, value: &Tree, draft: &mut Draft) {
        match pattern::translate(value.as_str().unwrap_or_default()) {
            Ok(pcre) => drop(draft.schema.insert("pattern", pcre)),
            Err(refusal) => self.mistake(&place.under(&["pattern"]), refusal.to_string()),
        }
    }

    /// Formats are of texts: where none may stand, they say nothing here.
    pub(super) fn format(&mut self, place: &Place<'s>, value: &Tree, draft: &mut Draft) {
        if !field::declared(place.tree).contains(Kind::String) {
            return;
        }
        match format::pattern(value.as_str().unwrap_or_default()) {
            Some(pattern) => {
                draft.pieces.push(with(description(&place.under(&["format"])), doc! { "pattern": pattern }));
            }
            None => self.mistake(&place.under(&["format"]), "unknown format"),
        }
    }

    /// `then` for what `if` lets in, `else` for the rest.
    pub(super) fn conditional(&mut self, place: &Place<'s>, keyword: &str, value: &'s Tree, draft: &mut Draft) {
        let Some(condition) = place.tree.get("if") else { return };
        let condition = self.schema(&place.branch(condition, &["if"]));
        let branch = place.branch(value, &[keyword]);
        let rule = self.schema(&branch);
        let exempt = if keyword == "then" {
            doc! { "not": condition }
        } else {
            condition
        };
        draft.pieces.push(with(description(&branch.pointer), doc! { "anyOf": [exempt, rule] }));
    }
}

/// The name or names of `type` and `bsonType`, each once.
fn names(value: &Tree) -> Vec<&str> {
    let list = value.as_array().unwrap_or(std::slice::from_ref(value));
    let mut names: Vec<&str> = Vec::new();
    for name in list.iter().filter_map(Tree::as_str) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn one_or_list(names: Vec<&str>) -> Bson {
    match names[..] {
        [name] => name.into(),
        _ => names.into(),
    }
}

/// An integer is what its value is, whatever type holds it: `1.0` is one.
fn integer_or(names: &[&str]) -> Vec<Document> {
    let others = names.iter().filter(|n| **n != "integer").map(|n| if *n == "boolean" { "bool" } else { n });
    let whole: Vec<Bson> = others.chain(["int", "long"]).map(Bson::from).collect();
    vec![doc! { "bsonType": whole }, doc! { "bsonType": ["double", "decimal"], "multipleOf": 1 }]
}
