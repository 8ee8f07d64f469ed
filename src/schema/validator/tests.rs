use serde_json::{Value, json};

use super::*;

fn source(text: &str) -> Source {
    let tree = Tree::parse(text.as_bytes(), 128).unwrap();
    Source { path: "schemas/x.json".into(), text: text.into(), tree }
}

fn compiled(text: &str) -> Value {
    Bson::from(compile(&source(text)).unwrap()).into_canonical_extjson()
}

/// What the property `a` with the schema `schema` becomes.
fn property(schema: &str) -> Value {
    let file = format!(r#"{{"properties": {{"a": {schema}}}, "$defs": {{"d": {{"type": "string"}}}}}}"#);
    compiled(&file)["properties"]["a"].clone()
}

fn mistakes(text: &str) -> Vec<String> {
    compile(&source(text)).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn keywords_become_what_mongodb_enforces() {
    let at = "#/properties/a";
    let int = |n: i32| json!({"$numberInt": n.to_string()});
    let whole = json!([{"bsonType": ["int", "long"]}, {"bsonType": ["double", "decimal"], "multipleOf": int(1)}]);
    let cases = [
        (r#"{"type": "boolean"}"#, json!({"type": "boolean"})),
        (r#"{"bsonType": "boolean"}"#, json!({"bsonType": "bool"})),
        (r#"{"type": ["string", "string", "null"]}"#, json!({"type": ["string", "null"]})),
        (r#"{"type": "integer"}"#, json!({"allOf": [{"description": "#/properties/a/type", "anyOf": whole}]})),
        (
            r#"{"type": "string", "bsonType": "string"}"#,
            json!({"bsonType": "string", "allOf": [{"description": "#/properties/a/type", "type": "string"}]}),
        ),
        (r#"{"exclusiveMinimum": 3}"#, json!({"minimum": int(3), "exclusiveMinimum": true})),
        (
            r#"{"bsonType": "decimal", "maximum": 0.1}"#,
            json!({"bsonType": "decimal", "maximum": {"$numberDecimal": "0.1"}}),
        ),
        (r#"{"minLength": 2.0, "maxItems": 3}"#, json!({"minLength": int(2), "maxItems": int(3)})),
        (r#"{"enum": [1, 1.0]}"#, json!({"enum": [int(1)]})),
        (r#"{"enum": []}"#, json!({"allOf": [{"description": "#/properties/a/enum", "not": {}}]})),
        (r#"{"const": "x"}"#, json!({"enum": ["x"]})),
        (
            r#"{"const": "x", "enum": ["x"]}"#,
            json!({"enum": ["x"], "allOf": [{"description": "#/properties/a/const", "enum": ["x"]}]}),
        ),
        (r#"{"pattern": "^a$"}"#, json!({"pattern": r"^a(?![\s\S])"})),
        (r#"{"required": []}"#, json!({})),
        (r#"{"required": ["x", "x"]}"#, json!({"required": ["x"]})),
        (
            r#"{"required": ["x", "y.z"]}"#,
            json!({"required": ["x"], "allOf": [{"description": "#/properties/a/required/1", "not": {
                "bsonType": "object", "patternProperties": {r"(*UTF)^y\.z(?![\s\S])": {"not": {}}},
            }}]}),
        ),
        (
            r#"{"properties": {"": true}}"#,
            json!({"patternProperties": {r"(*UTF)^(?![\s\S])": {"description": "#/properties/a/properties/"}}}),
        ),
        (r#"{"items": false}"#, json!({"items": {"description": "#/properties/a/items", "not": {}}})),
        ("true", json!({})),
        ("false", json!({"not": {}})),
        (r#"{"title": "t", "default": 1, "x-ref": {"collection": "c"}}"#, json!({})),
    ];
    for (schema, mut expected) in cases {
        expected["description"] = at.into();
        assert_eq!(property(schema), expected, "{schema}");
    }
}

#[test]
fn a_number_that_no_double_holds_is_a_bound_of_each_type() {
    let limit = &property(r#"{"type": "number", "exclusiveMaximum": 0.1}"#)["allOf"][0];
    let expected = json!({"description": "#/properties/a/exclusiveMaximum", "anyOf": [
        {"bsonType": "decimal", "maximum": {"$numberDecimal": "0.1"}, "exclusiveMaximum": true},
        {"not": {"bsonType": "decimal"}, "maximum": {"$numberDouble": "0.1"}, "exclusiveMaximum": true},
    ]});
    assert_eq!(*limit, expected);
}

#[test]
fn references_are_inlined_under_the_pointer_of_their_target() {
    let target = json!({"description": "#/$defs/d", "type": "string"});
    assert_eq!(property(r##"{"$ref": "#/$defs/d", "title": "t"}"##), target);
    let beside = property(r##"{"$ref": "#/$defs/d", "minLength": 1}"##);
    assert_eq!(beside["allOf"], json!([target]));
    assert_eq!(beside["description"], "#/properties/a");
}

#[test]
fn values_take_their_type_from_the_schemas_around() {
    let bounded = property(r#"{"bsonType": "decimal", "allOf": [{"minimum": 0.1}]}"#);
    assert_eq!(bounded["allOf"][0]["minimum"], json!({"$numberDecimal": "0.1"}));
}

#[test]
fn the_id_is_always_declared() {
    let id = json!({"description": "#/properties/_id", "bsonType": "objectId"});
    assert_eq!(compiled(r#"{"additionalProperties": false}"#)["properties"]["_id"], id);
    let own = compiled(r#"{"properties": {"_id": {"bsonType": "string"}}}"#);
    assert_eq!(own["properties"]["_id"]["bsonType"], "string");
    let branch = compiled(r#"{"allOf": [{"additionalProperties": false}]}"#);
    assert_eq!(branch["allOf"][0]["properties"], json!({"_id": {}}));
    assert_eq!(property(r#"{"additionalProperties": false}"#).get("properties"), None);
}

#[test]
fn mistakes_name_their_place() {
    let cases = [
        (r#"{"properties": {"a": {"pattern": "(?i)a"}}}"#, "#/properties/a/pattern: ECMA-262 has no such group"),
        (r#"{"properties": {"a": {"minimum": "x"}}}"#, "#/properties/a/minimum: must be a number"),
        (r#"{"if": true}"#, "#/if: not supported yet"),
        (r##"{"$ref": "#/$defs/x"}"##, "#/$ref: leads nowhere"),
    ];
    for (text, expected) in cases {
        let found = mistakes(text);
        assert!(found.len() == 1 && found[0].starts_with(&format!("schemas/x.json{expected}")), "{text}: {found:?}");
    }
}
