use serde_json::{Value, json};

use super::*;
use crate::{
    json::Tree,
    sample,
    schema::{keywords, load},
};

fn validator() -> jsonschema::Validator {
    let schema = serde_json::from_str(text()).unwrap();
    assert!(jsonschema::draft202012::meta::validate(&schema).is_ok());
    jsonschema::draft202012::new(&schema).unwrap()
}

fn is_loaded(file: &Value) -> Result<(), Vec<String>> {
    let loaded = load::parse("things.json", "things", file.to_string());
    loaded.map(drop).map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
}

#[test]
fn takes_the_sample() {
    let validator = validator();
    for (name, file) in sample::SCHEMAS {
        let errors: Vec<_> =
            validator.iter_errors(&serde_json::from_str(file).unwrap()).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
}

/// Values of every form, and of none.
const VALUES: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "1",
    "2.0",
    "2.5",
    "-1",
    "1e12",
    r#""""#,
    r#""string""#,
    r#""objectId""#,
    r#""object""#,
    r#""email""#,
    r#""1.5""#,
    "[]",
    "[1]",
    r#"["string"]"#,
    r#"["string", "string"]"#,
    r#"["object", "int"]"#,
    "[{}]",
    "[{}, 1]",
    "[true]",
    "[[]]",
    "{}",
    r#"{"a": {}}"#,
    r#"{"a": true}"#,
    r#"{"a": 1}"#,
    r#"{"a": ["b"]}"#,
    r#"{"a": ["b", "b"]}"#,
    r#"{"type": "string"}"#,
    r#"{"typ": "string"}"#,
    r#"{"collection": "things"}"#,
    r#"{"insert": "now"}"#,
    r#"{"insert": "uuid", "update": "uuid"}"#,
    r#"{"collection": "a", "check": true}"#,
];

/// Each keyword with each value, on a field and at the root: whether the loader takes the form of it.
#[test]
fn judges_forms_as_the_loader_does() {
    let validator = validator();
    for (name, status) in TABLE {
        for value in VALUES {
            let value: Value = serde_json::from_str(value).unwrap();
            let field = json!({ "type": "object", "properties": { "f": { name: value } } });
            let mut root = json!({ "type": "object" });
            root[name] = value.clone();
            for (file, is_root) in [(&field, false), (&root, true)] {
                if is_loaded(file).is_ok() {
                    assert!(validator.is_valid(file), "{file} loads");
                } else if !fits(status, &value, is_root) {
                    assert!(!validator.is_valid(file), "{file} has a keyword in the wrong form or place");
                }
            }
        }
    }
}

/// What the table says of a keyword with a value.
fn fits(status: Status, value: &Value, is_root: bool) -> bool {
    let tree = Tree::parse(value.to_string().as_bytes(), 64).unwrap();
    match status {
        Status::Supported(position, form) => {
            let in_place = match position {
                Position::Root => is_root,
                Position::Field => !is_root || value == false,
                Position::Anywhere => true,
            };
            in_place && form.fits(&tree)
        }
        Status::Later | Status::Refused(_) => false,
    }
}

/// Files that are refused for what stands in them alone.
const REFUSED: &[&str] = &[
    "true",
    "[]",
    "{}",
    r#"{"type": "array"}"#,
    r#"{"type": ["object"]}"#,
    r#"{"type": "object", "titel": "x"}"#,
    r#"{"type": "object", "$schema": "http://json-schema.org/draft-07/schema#"}"#,
    r#"{"type": "object", "properties": {"a": {"bsonType": "objectid"}}}"#,
    r#"{"type": "object", "properties": {"a": {"type": "date"}}}"#,
    r#"{"type": "object", "properties": {"a": {"type": ["string", "string"]}}}"#,
    r#"{"type": "object", "properties": {"a": {"format": "emial"}}}"#,
    r#"{"type": "object", "properties": {"a": {"x-indexes": []}}}"#,
    r#"{"type": "object", "properties": {"a": {"x-ref": {"onDelete": "none"}}}}"#,
    r#"{"type": "object", "properties": {"a": {"x-ref": {"collection": "b", "onDelete": "restrict"}}}}"#,
    r#"{"type": "object", "properties": {"a": {"x-set": {}}}}"#,
    r#"{"type": "object", "properties": {"a": {"x-set": {"update": "uuid"}}}}"#,
    r#"{"type": "object", "properties": {"a": {"items": {"anyOf": [{"minimun": 0}]}}}}"#,
    r#"{"type": "object", "$defs": {"a": {"definitions": {}}}}"#,
    r#"{"type": "object", "dependentRequired": {"a": ["b", "b"]}}"#,
    r#"{"type": "object", "x-counterexamples": [1]}"#,
    r#"{"type": "object", "x-indexes": [1]}"#,
    r#"{"type": "object", "x-indexes": [{"unique": true}]}"#,
    r#"{"type": "object", "x-indexes": [{"keys": {}}]}"#,
    r#"{"type": "object", "x-indexes": [{"keys": {"a": 2}}]}"#,
    r#"{"type": "object", "x-indexes": [{"keys": {"a": "2d"}}]}"#,
    r#"{"type": "object", "x-indexes": [{"keys": {"a": 1}, "uniqe": true}]}"#,
    r#"{"type": "object", "x-indexes": [{"keys": {"a": 1}, "unique": 1}]}"#,
    r#"{"type": "object", "x-indexes": [{"keys": {"a": 1}, "name": "_id_"}]}"#,
    r#"{"type": "object", "x-indexes": [{"keys": {"a": 1}, "expireAfterSeconds": -1}]}"#,
    r#"{"type": "object", "x-indexes": [{"keys": {"a": 1}, "partialFilter": {}}]}"#,
    r#"{"type": "object", "x-indexes": [{"keys": {"a": 1}, "collation": {"strength": 2}}]}"#,
    r#"{"type": "object", "x-indexes": [{"keys": {"a": 1}, "collation": {"locale": "en", "strength": 6}}]}"#,
    r#"{"type": "object", "x-indexes": [{"keys": {"a": 1}, "collation": {"locale": "en", "strenght": 2}}]}"#,
    r#"{"type": "object", "x-indexes": [{"keys": {"a": "text"}, "weights": {"a": 0}}]}"#,
    r#"{"type": "object", "x-collection": {"capped": true}}"#,
    r#"{"type": "object", "x-collection": {"preImages": 1}}"#,
    r#"{"type": "object", "x-collection": {"concurrency": "always"}}"#,
    r#"{"type": "object", "x-collection": {"validation": {"level": "off"}}}"#,
    r#"{"type": "object", "x-collection": {"validation": {"levle": "strict"}}}"#,
    r#"{"type": "object", "x-access": {"a": []}}"#,
    r#"{"type": "object", "x-access": {"a": ["raed"]}}"#,
    r#"{"type": "object", "x-access": {"a b": ["read"]}}"#,
    r#"{"type": "object", "x-access": {"a": {"filter": {"a": 1}}}}"#,
    r#"{"type": "object", "x-access": {"a": {"ops": ["read"], "hidden": []}}}"#,
    r#"{"type": "object", "x-access": {"a": {"ops": ["read"], "hide": "b"}}}"#,
    r#"{"type": "object", "x-access": {"a": {"ops": ["read"], "filter": {}}}}"#,
];

#[test]
fn refuses_what_the_loader_refuses() {
    let validator = validator();
    for text in REFUSED {
        let file = serde_json::from_str(text).unwrap();
        assert!(is_loaded(&file).is_err(), "{text} loads");
        assert!(!validator.is_valid(&file), "{text}");
    }
}

/// Files with every member of the keywords that have members.
const TAKEN: &[&str] = &[
    r#"{"bsonType": "object", "readOnly": false, "properties": {"a": {"readOnly": true, "bsonType": ["int", "number"]}}}"#,
    r#"{"type": "object", "properties": {"a": {"bsonType": "date", "x-set": {"insert": "now", "update": "now"}}}}"#,
    r#"{"type": "object", "properties": {"a": {"x-ref": {"collection": "things", "onDelete": "none"}}}}"#,
    r#"{"type": "object", "properties": {"a": {"type": "string"}}, "x-indexes": [
        {"keys": {"a": 1}, "name": "by a", "unique": true, "sparse": false, "hidden": true,
            "collation": {"locale": "en", "caseLevel": true, "caseFirst": "upper", "strength": 1, "numericOrdering": true,
                "alternate": "shifted", "maxVariable": "space", "backwards": true, "normalization": false}},
        {"keys": {"a": -1.0}, "expireAfterSeconds": 0},
        {"keys": {"a": "hashed"}, "partialFilter": {"a": {"$exists": true}}},
        {"keys": {"a": "text"}, "weights": {"a": 5}, "defaultLanguage": "french"},
        {"keys": {"$**": 1}, "wildcardProjection": {"a": 0, "_id": true}},
        {"keys": {"a": 1, "_id": 1}, "tieBreak": false}]}"#,
    r#"{"type": "object", "x-collection": {"preImages": true, "concurrency": "required",
        "validation": {"level": "moderate", "action": "warn"}}}"#,
    r#"{"type": "object", "x-access": {}}"#,
    r#"{"type": "object", "properties": {"a": {"type": "string"}}, "x-access": {"anonymous": ["read", "read"],
        "a.b:c-d_1": {"ops": ["write", "*"], "filter": {"a": "$user.id"}, "set": {"a": "b"}, "hide": [], "readOnly": []}}}"#,
];

#[test]
fn takes_every_member() {
    let validator = validator();
    for text in TAKEN {
        let file = serde_json::from_str(text).unwrap();
        assert_eq!(is_loaded(&file), Ok(()), "{text}");
        let errors: Vec<_> = validator.iter_errors(&file).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{text}: {errors:?}");
    }
}

/// Files that others refer to, and whether they may be so.
#[test]
fn knows_fragments() {
    let schema: Value = serde_json::from_str(text()).unwrap();
    let fragment = json!({ "$ref": "#/$defs/fragment", "$defs": schema["$defs"] });
    let validator = jsonschema::draft202012::new(&fragment).unwrap();
    for (file, is_one) in [
        (json!({ "$schema": DRAFT, "$id": "https://example.org/year", "bsonType": "int" }), true),
        (json!(true), true),
        (json!({ "bsonType": "objectId", "x-ref": { "collection": "things" } }), true),
        (json!({ "x-indexes": [] }), false),
        (json!({ "x-access": {} }), false),
        (json!({ "x-counterexamples": [] }), false),
        (json!({ "not": { "$id": "https://example.org/year" } }), false),
        (json!({ "minimun": 1 }), false),
    ] {
        assert_eq!(validator.is_valid(&file), is_one, "{file}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let schema: Value = serde_json::from_str(text()).unwrap();
    for reference in text().split("\"$ref\": \"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(schema.pointer(reference).is_some(), "{reference}");
    }
    assert!(keywords::TABLE.iter().all(|(name, _)| !name.contains(['/', '~'])));
}
