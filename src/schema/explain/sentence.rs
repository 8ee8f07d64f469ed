//! Rules as short sentences whose subject is the value.

use bson::Document;

use crate::{
    error::{Violation, nearest},
    json::{Node, Tree},
    schema::Field,
};

/// How many values of an `enum`, or alternatives, are spelled out.
const MAX_LISTED: usize = 10;

/// The keywords that say something of a name in so many words.
const NAME_RULES: [&str; 6] = ["pattern", "minLength", "maxLength", "enum", "const", "format"];

/// The rule that `keyword` makes with `value`, written in the file `text`.
pub(super) fn rule(keyword: &str, value: Option<&Tree>, text: &str) -> String {
    let written = value.map(|v| v.text(text)).unwrap_or_default();
    let plain = value.and_then(Tree::as_str).unwrap_or(written);
    match keyword {
        "type" | "bsonType" => format!("must be {}", types(value)),
        "const" => format!("must be {written}"),
        "enum" => one_of(value, text),
        "minimum" => format!("must be at least {plain}"),
        "maximum" => format!("must be at most {plain}"),
        "exclusiveMinimum" => format!("must be greater than {plain}"),
        "exclusiveMaximum" => format!("must be less than {plain}"),
        "multipleOf" => format!("must be a multiple of {plain}"),
        "minLength" => format!("must have at least {}", counted(written, "character")),
        "maxLength" => format!("must have at most {}", counted(written, "character")),
        "minItems" => format!("must have at least {}", counted(written, "item")),
        "maxItems" => format!("must have at most {}", counted(written, "item")),
        "minProperties" => format!("must have at least {}", counted(written, "field")),
        "maxProperties" => format!("must have at most {}", counted(written, "field")),
        "uniqueItems" => "must not hold the same item twice".to_owned(),
        "pattern" => format!("must match the pattern `{plain}`"),
        "format" => format!("must be {}", format(plain)),
        "contains" => "must hold an item that matches the schema under `contains`".to_owned(),
        "not" => "must not match the schema under `not`".to_owned(),
        keyword => format!("breaks the rule `{keyword}`"),
    }
}

/// A field that is not there, though it must be, at least where the field `beside` is.
pub(super) fn missing(beside: Option<&str>) -> String {
    beside.map_or_else(|| "is required".to_owned(), |beside| format!("is required where `{beside}` is there"))
}

/// What the schema `false` under `keyword`, or under its member `name`, forbids.
pub(super) fn never(keyword: &str, name: &str) -> String {
    match keyword {
        "then" => "is not allowed where it matches the schema under `if`".to_owned(),
        "else" => "is not allowed where it does not match the schema under `if`".to_owned(),
        "dependentSchemas" => format!("may not have the field `{name}`"),
        _ => "is not allowed".to_owned(),
    }
}

/// Items beyond the `allowed` ones.
pub(super) fn surplus(allowed: usize) -> String {
    format!("is not allowed: the list may have at most {}", counted(&allowed.to_string(), "item"))
}

/// A field whose name is not let in by `names`, the value of `propertyNames`.
pub(super) fn named(names: Option<&Tree>, text: &str) -> String {
    let rules = names.and_then(Tree::as_object).into_iter().flatten();
    let rules = rules.filter(|(keyword, _)| NAME_RULES.contains(&keyword.as_str()));
    let rules: Vec<_> = rules.map(|(keyword, value)| rule(keyword, Some(value), text)).collect();
    match names.and_then(Tree::as_bool) {
        Some(_) => "is not allowed: there may be no field".to_owned(),
        None if rules.is_empty() => "has a name that does not match the schema under `propertyNames`".to_owned(),
        None => format!("has a name that breaks a rule: it {}", rules.join(" and ")),
    }
}

/// A rule that is not in the file, as the server tells it.
pub(super) fn server(operator: &str, entry: &Document) -> String {
    let specified = entry.get_document("specifiedAs").ok().and_then(|s| s.get_str(operator).ok());
    match (operator, specified) {
        ("bsonType" | "type", Some(name)) => format!("must be {}", noun(name)),
        _ => format!("breaks the rule `{operator}`"),
    }
}

/// A field that is not declared, in an object of the shape `object`.
pub(super) fn unexpected(name: &str, object: &Field) -> String {
    let near = nearest(name, object.properties.keys().map(String::as_str).filter(|known| *known != name));
    let suggestion = near.map(|n| format!(", did you mean `{n}`?")).unwrap_or_default();
    format!("is not a declared field{suggestion}")
}

/// No alternative is met, for these reasons.
pub(super) fn none_of(reasons: &[String]) -> String {
    let listed = reasons.iter().filter(|r| !r.is_empty()).take(MAX_LISTED).map(String::as_str);
    let listed = listed.collect::<Vec<_>>().join("; or ");
    match (reasons.len(), listed.as_str()) {
        (1, listed) => listed.to_owned(),
        (count, "") => format!("matches none of the {count} alternatives"),
        (count, listed) => format!("matches none of the {count} alternatives: {listed}"),
    }
}

/// More than one alternative is met.
pub(super) fn several(matching: impl Iterator<Item = usize>) -> String {
    let matching: Vec<_> = matching.take(MAX_LISTED).map(|i| i.to_string()).collect();
    format!("matches more than one of the alternatives: {}", matching.join(", "))
}

/// All of `violations` in one sentence whose subject is the value at `subject`.
pub(super) fn join(subject: &str, violations: &[Violation]) -> String {
    let sentence = |v: &Violation| match v.pointer.strip_prefix(subject) {
        None | Some("") => v.detail.clone(),
        Some(pointer) => format!("`{pointer}` {}", v.detail),
    };
    violations.iter().take(MAX_LISTED).map(sentence).collect::<Vec<_>>().join(" and ")
}

fn one_of(value: Option<&Tree>, text: &str) -> String {
    let values = value.and_then(Tree::as_array).unwrap_or_default();
    let listed: Vec<_> = values.iter().take(MAX_LISTED).map(|v| v.text(text)).collect();
    let more = values.len() - listed.len();
    match (listed.len(), more) {
        (0, _) => "can have no value".to_owned(),
        (1, _) => format!("must be {}", listed[0]),
        (_, 0) => format!("must be one of {}", listed.join(", ")),
        _ => format!("must be one of {} and {more} more", listed.join(", ")),
    }
}

fn types(value: Option<&Tree>) -> String {
    let one = |tree: &Tree| tree.as_str().map(noun).unwrap_or_default();
    match value.map(|v| &v.node) {
        Some(Node::Array(names)) => names.iter().map(one).collect::<Vec<_>>().join(" or "),
        _ => value.map(one).unwrap_or_default(),
    }
}

fn noun(name: &str) -> String {
    let noun = match name {
        "string" => "a string",
        "boolean" | "bool" => "a boolean",
        "null" => "null",
        "object" => "an object",
        "array" => "an array",
        "number" => "a number",
        "integer" => "a whole number",
        "int" => "a 32-bit integer",
        "long" => "a 64-bit integer",
        "double" => "a double",
        "decimal" => "a decimal",
        "objectId" => "an object id of 24 hex digits",
        "date" => "a date",
        "binData" => "binary data",
        other => return format!("of the type `{other}`"),
    };
    noun.to_owned()
}

/// What a string of the format `name` is.
fn format(name: &str) -> String {
    let noun = match name {
        "date" => "a date such as `2024-05-31`",
        "time" => "a time with its offset, such as `08:30:00Z`",
        "date-time" => "a date and time with its offset, such as `2024-05-31T08:30:00Z`",
        "email" => "an email address",
        "hostname" => "the name of a host",
        "ipv4" => "an IPv4 address such as `192.0.2.1`",
        "ipv6" => "an IPv6 address such as `2001:db8::1`",
        "uri" => "a URI with its scheme, such as `https://example.org/`",
        "uuid" => "a UUID such as `123e4567-e89b-12d3-a456-426614174000`",
        other => return format!("of the format `{other}`"),
    };
    noun.to_owned()
}

fn counted(count: &str, noun: &str) -> String {
    if count == "1" { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
