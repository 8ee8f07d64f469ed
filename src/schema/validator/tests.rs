use serde_json::{Value, json};

use super::*;

fn source(text: &str) -> Source {
    Source::parse("schemas/x.json", text.into(), 128).unwrap()
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

/// Compares what each schema of the property `a` becomes; all have its place as their description.
fn become_what_is_expected(cases: impl IntoIterator<Item = (&'static str, Value)>) {
    for (schema, mut expected) in cases {
        expected["description"] = "#/properties/a".into();
        assert_eq!(property(schema), expected, "{schema}");
    }
}

#[test]
fn keywords_become_what_mongodb_enforces() {
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
    become_what_is_expected(cases);
}

#[test]
fn names_and_formats_become_patterns() {
    become_what_is_expected([
        (
            r#"{"format": "ipv4", "type": "string"}"#,
            json!({"type": "string", "allOf": [
                {"description": "#/properties/a/format", "pattern": crate::schema::format::pattern("ipv4")},
            ]}),
        ),
        (r#"{"bsonType": "date", "format": "date-time"}"#, json!({"bsonType": "date"})),
        (
            r#"{"patternProperties": {"^é": true}, "properties": {"b.c": true}}"#,
            json!({"patternProperties": {
                "(*UTF)^é": {"description": "#/properties/a/patternProperties/^é"},
                r"(*UTF)^b\.c(?![\s\S])": {"description": "#/properties/a/properties/b.c"},
            }}),
        ),
        (
            r#"{"propertyNames": {"maxLength": 2}}"#,
            json!({"allOf": [{
                "description": "#/properties/a/propertyNames",
                "patternProperties": {r"(*UTF)^(?![\s\S]{3})": {}}, "additionalProperties": false,
            }]}),
        ),
    ]);
}

#[test]
fn what_draft_4_lacks_is_put_together() {
    let int = |n: i32| json!({"$numberInt": n.to_string()});
    become_what_is_expected([
        (
            r#"{"prefixItems": [true], "items": false}"#,
            json!({"items": [{"description": "#/properties/a/prefixItems/0"}], "additionalItems": false}),
        ),
        (
            r#"{"contains": {"minimum": 1}, "minContains": 1}"#,
            json!({"allOf": [{"description": "#/properties/a/contains", "not": {
                "bsonType": "array",
                "items": {"not": {"description": "#/properties/a/contains", "minimum": int(1)}},
            }}]}),
        ),
        (r#"{"contains": false, "minContains": 0}"#, json!({})),
        (
            r#"{"else": false, "if": {"minLength": 1}, "then": {"maxLength": 2}}"#,
            json!({"allOf": [
                {"description": "#/properties/a/else", "anyOf": [
                    {"description": "#/properties/a/if", "minLength": int(1)},
                    {"description": "#/properties/a/else", "not": {}},
                ]},
                {"description": "#/properties/a/then", "anyOf": [
                    {"not": {"description": "#/properties/a/if", "minLength": int(1)}},
                    {"description": "#/properties/a/then", "maxLength": int(2)},
                ]},
            ]}),
        ),
        (r#"{"then": false, "else": false, "minContains": 3}"#, json!({})),
        (
            r#"{"dependentRequired": {"x": ["y"], "z": []}, "dependentSchemas": {"x": {"maxProperties": 3}}}"#,
            json!({"allOf": [
                {"description": "#/properties/a/dependentRequired/x/0", "dependencies": {"x": ["y"]}},
                {"description": "#/properties/a/dependentSchemas/x", "dependencies": {
                    "x": {"description": "#/properties/a/dependentSchemas/x", "maxProperties": int(3)},
                }},
            ]}),
        ),
    ]);
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
fn a_schema_of_names_becomes_one_pattern() {
    let cases = [
        (r#"{"pattern": "a$"}"#, r"(?=[\s\S]*?(?:a(?![\s\S])))"),
        (r#"{"enum": ["b.c", 1, "é"]}"#, r"(?=(?:b\.c|é)(?![\s\S]))"),
        (r#"{"minLength": 1, "maxLength": 2}"#, r"(?=[\s\S]{1})(?![\s\S]{3})"),
        (r#"{"not": {"const": ""}}"#, r"(?!(?=(?:)(?![\s\S])))"),
        (r#"{"anyOf": [{"const": "a"}, {"minLength": 2}]}"#, r"(?:(?=(?:a)(?![\s\S]))|(?=[\s\S]{2}))"),
        (
            r#"{"oneOf": [{"minLength": 2}, {"minLength": 3}]}"#,
            "(?:(?=[\\s\\S]{2})(?!(?=[\\s\\S]{3}))|(?!(?=[\\s\\S]{2}))(?=[\\s\\S]{3}))",
        ),
        (
            r#"{"allOf": [{"pattern": "(.)\\1"}, {"pattern": "(.)x\\1"}], "minimum": 3}"#,
            concat!(
                r"(?=[\s\S]*?(?:([^\n\r\x{2028}\x{2029}])(?(1)\1|)))",
                r"(?=[\s\S]*?(?:([^\n\r\x{2028}\x{2029}])x(?(2)\2|)))",
            ),
        ),
        (r#"{"if": {"minLength": 2}, "then": {"minLength": 3}}"#, r"(?:(?=[\s\S]{2})(?=[\s\S]{3})|(?!(?=[\s\S]{2})))"),
    ];
    for (names, pattern) in cases {
        let piece = &property(&format!(r#"{{"propertyNames": {names}}}"#))["allOf"][0];
        assert_eq!(piece["patternProperties"], json!({format!("(*UTF)^{pattern}"): {}}), "{names}");
    }
    let doubling = (0..24).fold("{}".to_owned(), |names, _| format!(r#"{{"oneOf": [{names}, false]}}"#));
    let text = format!(r#"{{"propertyNames": {doubling}}}"#);
    assert_eq!(
        mistakes(&text),
        ["schemas/x.json#/propertyNames: becomes a pattern over MongoDB's limit of 32764 bytes"]
    );
}

#[test]
fn what_is_left_is_judged_case_by_case() {
    let cases = [
        (r#"{"additionalProperties": true, "unevaluatedProperties": false}"#, 0),
        (r#"{"unevaluatedProperties": true}"#, 0),
        (r#"{"anyOf": [{"items": true}, true], "unevaluatedItems": true}"#, 0),
        (r#"{"properties": {"b": true}, "unevaluatedProperties": false}"#, 1),
        (r#"{"allOf": [{"properties": {"b": true}}, {"prefixItems": [true]}], "unevaluatedItems": false}"#, 1),
        (r#"{"anyOf": [{"required": ["b"]}, {"minProperties": 1}], "unevaluatedProperties": false}"#, 1),
        (r#"{"not": {"properties": {"b": true}}, "unevaluatedProperties": false}"#, 1),
        (r#"{"anyOf": [{"properties": {"b": true}}, {"properties": {"c": true}}], "unevaluatedProperties": false}"#, 3),
        (r#"{"oneOf": [{"properties": {"b": true}}, {"properties": {"c": true}}], "unevaluatedProperties": false}"#, 2),
        (r#"{"oneOf": [{"properties": {"b": true}}, {"minProperties": 1}], "unevaluatedProperties": false}"#, 2),
        (r#"{"if": {"properties": {"b": true}}, "unevaluatedProperties": false}"#, 2),
        (r#"{"dependentSchemas": {"b": {"properties": {"c": true}}}, "unevaluatedProperties": false}"#, 2),
        (r#"{"dependentSchemas": {"b": {"prefixItems": [true]}}, "unevaluatedItems": false}"#, 1),
    ];
    for (schema, count) in cases {
        let compiled = property(schema);
        let is_piece =
            |piece: &&Value| piece["description"].as_str().is_some_and(|place| place.contains("unevaluated"));
        let piece = compiled["allOf"].as_array().and_then(|pieces| pieces.iter().find(is_piece).cloned());
        let found = piece.map_or(0, |piece| piece["anyOf"].as_array().map_or(1, Vec::len));
        assert_eq!(found, count, "{schema}: {compiled}");
    }
}

#[test]
fn patterns_that_come_to_the_same_stand_beside_each_other() {
    let patterns = &property(r#"{"patternProperties": {"^a": {"minLength": 1}, "^\\u0061": {"maxLength": 9}}}"#)["patternProperties"];
    assert_eq!(patterns.as_object().unwrap().keys().collect::<Vec<_>>(), ["(*UTF)^a", "(*UTF)^a(?:)"]);
}

/// Each of seven names may be evaluated or not.
const MANY_CASES: &str = r#"{"dependentSchemas": {
    "a": {"properties": {"a": true}}, "b": {"properties": {"b": true}}, "c": {"properties": {"c": true}},
    "d": {"properties": {"d": true}}, "e": {"properties": {"e": true}}, "f": {"properties": {"f": true}},
    "g": {"properties": {"g": true}}}, "unevaluatedProperties": false}"#;

#[test]
fn mistakes_name_their_place() {
    let cases = [
        (r#"{"patternProperties": {"(?i)": true}}"#, "#/patternProperties/(?i): ECMA-262 has no such group"),
        (r#"{"propertyNames": {"minLength": 65535}}"#, "#/propertyNames/minLength: MongoDB counts the characters"),
        (r#"{"propertyNames": {"not": {"pattern": "["}}}"#, "#/propertyNames/not/pattern: "),
        (r#"{"properties": {"a": {"pattern": "(?i)a"}}}"#, "#/properties/a/pattern: ECMA-262 has no such group"),
        (r#"{"properties": {"a": {"minimum": "x"}}}"#, "#/properties/a/minimum: must be a number"),
        (MANY_CASES, "#/unevaluatedProperties: more than 64 cases of what is evaluated"),
        (r#"{"nullable": true}"#, "#/nullable: not supported yet"),
        (r##"{"$ref": "#/$defs/x"}"##, "#/$ref: leads nowhere"),
    ];
    for (text, expected) in cases {
        let found = mistakes(text);
        assert!(found.len() == 1 && found[0].starts_with(&format!("schemas/x.json{expected}")), "{text}: {found:?}");
    }
}
