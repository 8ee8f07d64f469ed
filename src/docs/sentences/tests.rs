use std::collections::BTreeSet;

use super::*;
use crate::{
    docs::markdown::plain,
    schema::{
        keywords::{Status, TABLE},
        load,
    },
};

/// Keywords that have a sentence, with a schema that has them and all sentences of it.
const SENTENCES: [(&str, &str, &str); 53] = [
    ("type", r#"{"type": ["string", "null"]}"#, "is a string or null"),
    ("bsonType", r#"{"bsonType": "objectId"}"#, "is an object id"),
    ("enum", r#"{"enum": ["a", "b"]}"#, "is one of a, b"),
    ("enum", r#"{"enum": ["1", 1, ""]}"#, r#"is one of "1", 1, """#),
    ("enum", r#"{"enum": []}"#, "is not allowed"),
    ("const", r#"{"const": {"a": 1.0}}"#, r#"is { "a": 1.0 }"#),
    ("minimum", r#"{"minimum": 0}"#, "is at least 0"),
    ("maximum", r#"{"maximum": 9.50}"#, "is at most 9.50"),
    ("maximum", r#"{"maximum": 9, "minimum": 1}"#, "is from 1 to 9"),
    ("exclusiveMinimum", r#"{"exclusiveMinimum": 0}"#, "is greater than 0"),
    ("exclusiveMaximum", r#"{"exclusiveMaximum": 9}"#, "is less than 9"),
    ("multipleOf", r#"{"multipleOf": 0.01}"#, "is a multiple of 0.01"),
    ("minLength", r#"{"minLength": 1}"#, "has at least 1 character"),
    ("maxLength", r#"{"minLength": 2, "maxLength": 2}"#, "has exactly 2 characters"),
    ("minItems", r#"{"minItems": 1, "maxItems": 3}"#, "has 1 to 3 items"),
    ("maxItems", r#"{"minItems": 0, "maxItems": 0}"#, "has no items"),
    ("minProperties", r#"{"minProperties": 2}"#, "has at least 2 fields"),
    ("maxProperties", r#"{"maxProperties": 1}"#, "has at most 1 field"),
    ("uniqueItems", r#"{"uniqueItems": true}"#, "has no two equal items"),
    ("uniqueItems", r#"{"uniqueItems": false}"#, "is anything"),
    ("pattern", r#"{"pattern": "^a|b$"}"#, "matches ^a|b$"),
    ("format", r#"{"format": "email"}"#, "is an email address"),
    ("format", r#"{"bsonType": "binData", "format": "uuid"}"#, "is binary data"),
    ("contentEncoding", r#"{"contentEncoding": "base64"}"#, "is encoded as base64"),
    ("contentMediaType", r#"{"contentMediaType": "text/html"}"#, "is of the media type text/html"),
    ("required", r#"{"required": ["a", "b"]}"#, "has a and b"),
    ("properties", r#"{"properties": {"a": {"const": 1}}, "required": ["a"]}"#, "has a, which is 1"),
    ("properties", r#"{"properties": {"a": {"const": 1}}}"#, "has no a, or one that is 1"),
    ("properties", r#"{"properties": {"a": false, "b": {}, "c": true}}"#, "has no a"),
    ("additionalProperties", r#"{"additionalProperties": false}"#, "has no other fields"),
    (
        "additionalProperties",
        r#"{"additionalProperties": {"minLength": 1}}"#,
        "has other fields only if each has at least 1 character",
    ),
    ("patternProperties", r#"{"patternProperties": {"^x": {"const": 1}}}"#, "each field whose name matches ^x is 1"),
    ("patternProperties", r#"{"patternProperties": {"^x": false}}"#, "has no field whose name matches ^x"),
    (
        "propertyNames",
        r#"{"propertyNames": {"maxLength": 3}}"#,
        "has only fields of which each name has at most 3 characters",
    ),
    (
        "items",
        r#"{"items": {"type": "string", "minLength": 1}}"#,
        "has only items of which each is a string and has at least 1 character",
    ),
    (
        "prefixItems",
        r#"{"prefixItems": [{"const": 1}], "items": false}"#,
        "fulfills all of these: [the item at 0 is 1; has at most 1 item]",
    ),
    ("contains", r#"{"contains": {"const": 1}}"#, "has an item that is 1"),
    ("minContains", r#"{"contains": {"const": 1}, "minContains": 0}"#, "is anything"),
    ("allOf", r#"{"allOf": [{"minimum": 0}, {"not": {"const": 3}}]}"#, "is at least 0 and is not 3"),
    ("unevaluatedProperties", r#"{"unevaluatedProperties": false}"#, "has no fields of which nothing else is said"),
    (
        "unevaluatedProperties",
        r#"{"unevaluatedProperties": {"const": 1}}"#,
        "has fields of which nothing else is said only if each is 1",
    ),
    ("unevaluatedItems", r#"{"unevaluatedItems": false}"#, "has no items of which nothing else is said"),
    ("anyOf", r#"{"anyOf": [{"const": 1}, {"minimum": 5}]}"#, "is 1 or is at least 5"),
    ("oneOf", r#"{"oneOf": [{"const": 1}, {"minimum": 5}]}"#, "fulfills exactly one of these: is 1; is at least 5"),
    ("not", r#"{"not": {"pattern": "^a"}}"#, "does not match ^a"),
    ("not", r#"{"not": {"required": ["a"]}}"#, "has no a"),
    (
        "not",
        r#"{"not": {"type": "string", "maxLength": 2}}"#,
        "does not fulfill: is a string and has at most 2 characters",
    ),
    ("if", r#"{"if": {"required": ["a"]}, "then": {"required": ["b"]}}"#, "if it has a, then it has b"),
    ("then", r#"{"then": {"required": ["b"]}}"#, "is anything"),
    ("else", r#"{"if": {"const": 1}, "else": false}"#, "if it is 1, otherwise it is not allowed"),
    ("dependentRequired", r#"{"dependentRequired": {"a": ["b", "c"], "d": []}}"#, "if it has a, then it has b and c"),
    (
        "dependentSchemas",
        r#"{"dependentSchemas": {"a": {"minProperties": 3}}}"#,
        "if it has a, then it has at least 3 fields",
    ),
    ("$ref", r##"{"$ref": "#/$defs/d"}"##, "is a date"),
];

/// Keywords that are shown, or left out, elsewhere.
const ELSEWHERE: [&str; 18] = [
    "$schema",
    "$id",
    "$defs",
    "$comment",
    "title",
    "description",
    "examples",
    "deprecated",
    "default",
    "readOnly",
    "writeOnly",
    "x-indexes",
    "x-access",
    "x-ref",
    "x-set",
    "x-collection",
    "x-counterexamples",
    "x-queries",
];

fn told(rule: &Rule) -> String {
    let words = plain(&rule.full());
    if rule.parts.is_empty() {
        return words;
    }
    format!("{words} [{}]", rule.parts.iter().map(told).collect::<Vec<_>>().join("; "))
}

/// What is said of a field that has `subschema`, in a branch.
fn said(subschema: &str) -> String {
    let text = format!(
        r#"{{"type": "object", "properties": {{"v": {{"anyOf": [{subschema}, {{}}]}}}}, "$defs": {{"d": {{"bsonType": "date"}}}}}}"#
    );
    let schema =
        load::parse("things.json", "things", text).unwrap_or_else(|mistakes| panic!("{subschema}: {mistakes:?}"));
    let tree = schema.source.at("/properties/v/anyOf/0").unwrap();
    told(&whole(&Place::of(Spot::root(&schema.source).at(tree))))
}

#[test]
fn says_what_each_keyword_says() {
    let told = SENTENCES.map(|(_, subschema, expected)| (subschema, said(subschema), expected));
    let wrong: Vec<_> = told.into_iter().filter(|(_, said, expected)| said != expected).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_keyword_has_a_sentence_or_another_place() {
    let said: BTreeSet<_> = SENTENCES.iter().map(|(keyword, ..)| *keyword).chain(ELSEWHERE).collect();
    for (keyword, status) in TABLE {
        assert!(!matches!(status, Status::Supported(..)) || said.contains(keyword), "{keyword}");
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_listed() {
    let object = r#"{"properties": {"a": {"const": 1}, "b": {"const": 2}}, "required": ["a", "b"]}"#;
    assert_eq!(said(object), "fulfills all of these: [has a, which is 1; has b, which is 2]");
    let last = r#"{"minProperties": 1, "anyOf": [{"const": 1}, {"const": 2}]}"#;
    assert_eq!(said(last), "fulfills all of these: [has at least 1 field; is 1 or is 2]");
    let first = r#"{"anyOf": [{"const": 1}, {"const": 2}], "minProperties": 1}"#;
    assert_eq!(said(first), "fulfills all of these: [is 1 or is 2; has at least 1 field]");
}

#[test]
fn what_is_long_is_listed() {
    let long = "x".repeat(70);
    let either = format!(r#"{{"title": "One", "const": "{long}"}}, {{"pattern": "^{long}"}}"#);
    let expected = format!("fulfills at least one of these: [One is \"{long}\"; matches ^{long}]");
    assert_eq!(said(&format!(r#"{{"anyOf": [{either}]}}"#)), expected);
    let condition = format!(r#"{{"if": {{"const": "{long}"}}, "then": {{"pattern": "^{long}"}}}}"#);
    assert_eq!(said(&condition), format!("on a condition: [if it is \"{long}\"; then it matches ^{long}]"));
    let nested = r#"{"not": {"if": {"const": 1}, "then": {"minimum": 2}}}"#;
    assert_eq!(said(nested), "does not fulfill this: [if it is 1, then it is at least 2]");
}
