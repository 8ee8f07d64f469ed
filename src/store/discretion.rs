//! What the database's refusals may tell a caller: nothing of what it cannot see.
//!
//! A broken rule is told as it is where neither its place nor what it says of that place has to do with a field that is
//! out of sight. Of a write-only field, whose name and rules are known, only the value is left out.

use bson::{RawBsonRef, RawDocument};

use crate::{
    error::{Error, Violation},
    schema::Field,
};

/// All that is said of rules about hidden fields.
const UNSPEAKABLE: &str = "breaks a rule about fields that you may not see";

/// Rules of an object or list that say nothing of what is in it.
const PLAIN: [&str; 9] =
    ["type", "bsonType", "minProperties", "maxProperties", "minItems", "maxItems", "uniqueItems", "_id", "x-indexes"];

/// The `error` that came of writing `document`, as a caller is told to whom documents have the shape `shape`.
pub(super) fn discreet(error: Error, (document, shape): (&RawDocument, &Field)) -> Error {
    match error {
        error if !shape.conceals => error,
        Error::InvalidDocument { collection, violations } => {
            let mut violations: Vec<_> = violations.into_iter().filter_map(|v| told(v, (document, shape))).collect();
            if violations.is_empty() {
                violations.push(unspeakable(String::new()));
            }
            Error::InvalidDocument { collection, violations }
        }
        Error::Duplicate { fields, .. } if !fields.iter().all(|field| is_seen(shape, field)) => {
            Error::Duplicate { index: None, fields: Vec::new() }
        }
        error => error,
    }
}

/// What is told of a broken rule; `None` for nothing.
fn told(violation: Violation, (document, shape): (&RawDocument, &Field)) -> Option<Violation> {
    let place = lead(&violation.pointer, document, shape);
    let declared = violation.rule.as_deref().is_some_and(|rule| is_declared_hidden(rule, shape));
    if place.hidden || declared {
        return None;
    }
    let found = violation.found.filter(|_| !place.unseen && !place.field.conceals);
    // A list of names, or a suggestion, is of all members of the object.
    let violation = Violation { found, ..violation };
    Some(match violation.keyword.as_str() {
        "required" | "additionalProperties" if !place.parent.conceals => violation,
        "required" => Violation { expected: None, ..violation },
        "additionalProperties" => Violation { detail: "is not a declared field".to_owned(), ..violation },
        keyword if PLAIN.contains(&keyword) || !hides_below(place.field) => violation,
        _ => unspeakable(violation.pointer),
    })
}

fn unspeakable(pointer: String) -> Violation {
    let (detail, keyword) = (UNSPEAKABLE.to_owned(), "x-access".to_owned());
    Violation { pointer, detail, keyword, expected: None, found: None, rule: None }
}

/// Where a pointer leads.
struct Lead<'f> {
    field: &'f Field,
    parent: &'f Field,
    /// It, or what it is in, is hidden.
    hidden: bool,
    /// It, or what it is in, is out of sight.
    unseen: bool,
}

fn lead<'f>(pointer: &str, document: &RawDocument, root: &'f Field) -> Lead<'f> {
    let mut value = Some(RawBsonRef::Document(document));
    let mut lead = Lead { field: root, parent: root, hidden: false, unseen: false };
    for token in tokens(pointer) {
        lead.parent = lead.field;
        match value {
            Some(RawBsonRef::Array(items)) => {
                value = token.parse().ok().and_then(|index: usize| items.get(index).ok().flatten());
                lead.field = lead.field.item();
            }
            object => {
                value = object.and_then(RawBsonRef::as_document).and_then(|object| object.get(&token).ok().flatten());
                lead.field = lead.field.member(&token);
            }
        }
        lead.hidden |= lead.field.hidden;
        lead.unseen |= lead.field.is_out_of_sight();
    }
    lead
}

/// Whether the subschema at `rule` stands in the declaration of a hidden field.
fn is_declared_hidden(rule: &str, root: &Field) -> bool {
    let (mut tokens, mut field) = (tokens(rule), root);
    while let Some(keyword) = tokens.next() {
        field = match keyword.as_str() {
            "properties" => match tokens.next() {
                Some(name) => field.member(&name),
                None => return false,
            },
            "items" => field.item(),
            "allOf" | "anyOf" | "oneOf" => {
                tokens.next();
                field
            }
            "not" => field,
            _ => return false,
        };
        if field.hidden {
            return true;
        }
    }
    false
}

/// The names that an RFC 6901 pointer goes through, after its first `/`.
fn tokens(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"))
}

/// Whether a rule on the whole of what has this shape can be one about hidden fields.
fn hides_below(field: &Field) -> bool {
    field.conceals && (field.properties.values().any(is_hidden) || is_hidden(field.item()) || has_hidden_others(field))
}

fn is_hidden(field: &Field) -> bool {
    field.hidden || hides_below(field)
}

fn has_hidden_others(field: &Field) -> bool {
    matches!(&field.additional, crate::schema::Additional::Shape(field) if is_hidden(field))
}

/// Whether every part of the field with the dotted name is in sight, be it a member or in the items of a list.
fn is_seen(shape: &Field, name: &str) -> bool {
    let (name, rest) = name.split_once('.').map_or((name, None), |(name, rest)| (name, Some(rest)));
    [shape.member(name), shape.item().member(name)]
        .into_iter()
        .all(|field| !field.is_out_of_sight() && rest.is_none_or(|rest| is_seen(field, rest)))
}
