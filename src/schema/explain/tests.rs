use bson::{Bson, doc};
use serde_json::{Value, json};

use super::*;
use crate::schema::{Access, Field, Options, Source};

const FILE: &str = r##"{
    "required": ["a.b", "title"], "additionalProperties": false,
    "properties": {
        "title": {"type": "string"},
        "n": {"type": ["integer", "object"]},
        "l": {"items": {"$ref": "#/$defs/w"}},
        "s": {"exclusiveMinimum": 3, "minimum": 4},
        "f": false,
        "c": {"const": 1},
        "o": {"oneOf": [true, {}]},
        "u": {"anyOf": [{"type": "string"}, {"properties": {"x": {"minimum": 2}}, "required": ["y"]}]},
        "k": {"not": {"type": "integer"}},
        "m": {"additionalProperties": {"maxLength": 1}},
        "d.d": {"bsonType": "date"},
        "e": {"enum": []}
    },
    "$defs": {"w": {"pattern": "^a$"}}
}"##;

fn schema() -> Schema {
    let mut root = Field::any();
    root.properties.insert("title".into(), Field::any());
    let source = Source::parse("schemas/x.json", FILE.into(), 32).unwrap();
    Schema {
        name: "x".into(),
        source,
        root,
        validator: Document::new(),
        indexes: Vec::new(),
        access: Access::admin_only(),
        options: Options::default(),
        is_enforced: true,
    }
}

fn explained(details: Value) -> Vec<Violation> {
    let details = Bson::try_from(details).unwrap();
    explain(&schema(), details.as_document().unwrap(), None)
}

/// The violations of the property `name` for which MongoDB says `details`.
fn of_property(name: &str, details: &Value) -> Vec<[String; 4]> {
    let property = json!({"propertyName": name, "description": format!("#/properties/{name}"), "details": details});
    let violations = explained(json!({"operatorName": "$jsonSchema", "description": "#", "schemaRulesNotSatisfied": [
        {"operatorName": "properties", "propertiesNotSatisfied": [property]},
    ]}));
    violations.into_iter().map(|v| [v.pointer, v.keyword, v.rule.unwrap_or_default(), v.detail]).collect()
}

/// As MongoDB 6.0.5 gave it.
#[expect(clippy::too_many_lines, reason = "a table")]
#[test]
fn rules_of_properties_are_the_authors() {
    let cases = [
        (
            "n",
            json!([{"operatorName": "allOf", "schemasNotSatisfied": [{"index": 0, "description": "#/properties/n/type",
            "details": [{"operatorName": "anyOf", "schemasNotSatisfied": [
                {"index": 0, "details": [{"operatorName": "bsonType", "specifiedAs": {"bsonType": ["object", "int", "long"]},
                    "reason": "type did not match", "consideredValue": 1.5, "consideredType": "double"}]},
                {"index": 1, "details": [{"operatorName": "multipleOf", "specifiedAs": {"multipleOf": 1},
                    "reason": "considered value is not a multiple of the specified value", "consideredValue": 1.5}]},
            ]}]}]}]),
            vec![["/n", "type", "#/properties/n", "must be a whole number or an object"]],
        ),
        (
            "l",
            json!([{"operatorName": "items", "description": "#/$defs/w", "itemIndex": 1,
                "reason": "At least one item did not match the sub-schema",
                "details": [{"operatorName": "pattern", "specifiedAs": {"pattern": "^a(?![\\s\\S])"},
                    "reason": "regular expression did not match", "consideredValue": "a\n"}]}]),
            vec![["/l/1", "pattern", "#/$defs/w", "must match the pattern `^a$`"]],
        ),
        (
            "s",
            json!([
                {"operatorName": "minimum", "specifiedAs": {"minimum": 4}, "reason": "comparison failed", "consideredValue": 3},
                {"operatorName": "allOf", "schemasNotSatisfied": [{"index": 0, "description": "#/properties/s/exclusiveMinimum",
                    "details": [{"operatorName": "minimum", "specifiedAs": {"minimum": 3, "exclusiveMinimum": true},
                        "reason": "comparison failed", "consideredValue": 3}]}]},
            ]),
            vec![
                ["/s", "minimum", "#/properties/s", "must be at least 4"],
                ["/s", "exclusiveMinimum", "#/properties/s", "must be greater than 3"],
            ],
        ),
        (
            "f",
            json!([{"operatorName": "not", "reason": "child expression matched"}]),
            vec![["/f", "properties", "#", "is not allowed"]],
        ),
        (
            "c",
            json!([{"operatorName": "enum", "specifiedAs": {"enum": [1]}, "reason": "value was not found in enum", "consideredValue": 2}]),
            vec![["/c", "const", "#/properties/c", "must be 1"]],
        ),
        (
            "o",
            json!([{"operatorName": "oneOf", "reason": "more than one subschema matched", "matchingSchemaIndexes": [0, 1]}]),
            vec![["/o", "oneOf", "#/properties/o", "matches more than one of the alternatives: 0, 1"]],
        ),
        (
            "u",
            json!([{"operatorName": "anyOf", "schemasNotSatisfied": [
                {"index": 0, "description": "#/properties/u/anyOf/0", "details": [{"operatorName": "type",
                    "specifiedAs": {"type": "string"}, "reason": "type did not match", "consideredValue": {"x": 1}, "consideredType": "object"}]},
                {"index": 1, "description": "#/properties/u/anyOf/1", "details": [
                    {"operatorName": "properties", "propertiesNotSatisfied": [{"propertyName": "x",
                        "description": "#/properties/u/anyOf/1/properties/x", "details": [{"operatorName": "minimum",
                            "specifiedAs": {"minimum": 2}, "reason": "comparison failed", "consideredValue": 1}]}]},
                    {"operatorName": "required", "specifiedAs": {"required": ["y"]}, "missingProperties": ["y"]}]},
            ]}]),
            vec![[
                "/u",
                "anyOf",
                "#/properties/u",
                "matches none of the 2 alternatives: must be a string; or `/x` must be at least 2 and `/y` is required",
            ]],
        ),
        (
            "k",
            json!([{"operatorName": "not", "reason": "child expression matched"}]),
            vec![["/k", "not", "#/properties/k", "must not match the schema under `not`"]],
        ),
        (
            "m",
            json!([{"operatorName": "additionalProperties", "description": "#/properties/m/additionalProperties",
                "reason": "at least one additional property did not match the subschema", "failingProperty": "q/r",
                "details": [{"operatorName": "maxLength", "specifiedAs": {"maxLength": 1},
                    "reason": "specified string length was not satisfied", "consideredValue": "long"}]}]),
            vec![["/m/q~1r", "maxLength", "#/properties/m/additionalProperties", "must have at most 1 character"]],
        ),
        (
            "e",
            json!([{"operatorName": "allOf", "schemasNotSatisfied": [{"index": 0, "description": "#/properties/e/enum",
                "details": [{"operatorName": "not", "reason": "child expression matched"}]}]}]),
            vec![["/e", "enum", "#/properties/e", "can have no value"]],
        ),
        (
            "_id",
            json!([{"operatorName": "bsonType", "specifiedAs": {"bsonType": "objectId"}, "reason": "type did not match",
                "consideredValue": 1, "consideredType": "int"}]),
            vec![["/_id", "bsonType", "", "must be an object id of 24 hex digits"]],
        ),
    ];
    for (name, details, expected) in cases {
        assert_eq!(of_property(name, &details), expected, "{name}");
    }
}

/// As MongoDB 6.0.5 gave it.
#[test]
fn missing_and_unexpected_fields_are_named_one_by_one() {
    let violations = explained(json!({"operatorName": "$jsonSchema", "description": "#", "schemaRulesNotSatisfied": [
        {"operatorName": "additionalProperties", "specifiedAs": {"additionalProperties": false}, "additionalProperties": ["titel", "zz"]},
        {"operatorName": "patternProperties", "details": [{"propertyName": "d.d", "description": "#/properties/d.d",
            "regexMatched": "(*UTF)^d\\.d(?![\\s\\S])", "details": [{"operatorName": "bsonType", "specifiedAs": {"bsonType": "date"},
                "reason": "type did not match", "consideredValue": 1, "consideredType": "int"}]}]},
        {"operatorName": "required", "specifiedAs": {"required": ["title"]}, "missingProperties": ["title"]},
        {"operatorName": "allOf", "schemasNotSatisfied": [{"index": 0, "description": "#/required/0",
            "details": [{"operatorName": "not", "reason": "child expression matched"}]}]},
    ]}));
    let found: Vec<_> = violations.iter().map(|v| [&v.pointer, v.keyword.as_str(), v.detail.as_str()]).collect();
    let expected = [
        ["/titel", "additionalProperties", "is not a declared field, did you mean `title`?"],
        ["/zz", "additionalProperties", "is not a declared field"],
        ["/d.d", "bsonType", "must be a date"],
        ["/title", "required", "is required"],
        ["/a.b", "required", "is required"],
    ];
    assert_eq!(found, expected);
}

/// As MongoDB 6.0.5 gave it.
#[test]
fn a_schema_that_lets_no_document_in_is_named_by_its_types() {
    let never = |schema: Value| {
        explained(json!({"operatorName": "$jsonSchema", "description": "#", "schemaRulesNotSatisfied": [
            {"operatorName": "allOf", "schemasNotSatisfied": [{"index": 0, "details": {"operatorName": "$jsonSchema",
                "specifiedAs": {"$jsonSchema": schema}, "reason": "expression always evaluates to false"}}]},
        ]}))
    };
    let cases = [
        (json!({"description": "#/properties/title", "minLength": 1, "type": "string"}), "type", "#/properties/title"),
        (json!({"description": "#/properties/d.d", "bsonType": "date"}), "bsonType", "#/properties/d.d"),
        (json!({"description": "#/properties/n/type", "type": "number"}), "type", "#/properties/n"),
    ];
    for (schema, keyword, rule) in cases {
        let [violation] = never(schema).try_into().unwrap();
        assert_eq!([violation.pointer.as_str(), &violation.keyword], ["", keyword]);
        assert_eq!(violation.rule.as_deref(), Some(rule));
    }
}

/// As MongoDB 6.0.5 gave it.
#[test]
fn a_field_that_is_missing_breaks_no_other_rule() {
    let details = json!({"operatorName": "$jsonSchema", "description": "#", "schemaRulesNotSatisfied": [
        {"operatorName": "properties", "propertiesNotSatisfied": [{"propertyName": "e", "description": "#/properties/e",
            "details": [{"operatorName": "allOf", "schemasNotSatisfied": [{"index": 0, "description": "#/properties/e/enum",
                "details": [{"operatorName": "not", "reason": "child expression matched"}]}]}]}]},
        {"operatorName": "required", "specifiedAs": {"required": ["e"]}, "missingProperties": ["e"]},
    ]});
    let details = Bson::try_from(details).unwrap();
    let document = bson::RawDocumentBuf::try_from(&doc! { "a": 1 }).unwrap();
    let [violation] = explain(&schema(), details.as_document().unwrap(), Some(&document)).try_into().unwrap();
    assert_eq!([violation.pointer.as_str(), &violation.keyword], ["/e", "required"]);
}

#[test]
fn a_document_that_breaks_rules_by_the_thousand_is_explained_in_part() {
    let names: Vec<_> = (0..5000).map(|n| format!("n{n}")).collect();
    let items = vec![json!({"operatorName": "required", "missingProperties": names}); 50];
    for details in [
        json!({"operatorName": "additionalProperties", "additionalProperties": names}),
        json!({"operatorName": "$jsonSchema", "schemaRulesNotSatisfied": items}),
    ] {
        assert_eq!(explained(details).len(), MAX_VIOLATIONS);
    }
}

#[test]
fn shows_what_was_expected_and_found() {
    let document = bson::RawDocumentBuf::try_from(&doc! { "zz": [true], "long": "x".repeat(2000) }).unwrap();
    let unexpected = doc! { "operatorName": "additionalProperties", "additionalProperties": ["zz", "long"] };
    let details = doc! { "operatorName": "$jsonSchema", "description": "#", "schemaRulesNotSatisfied": [unexpected] };
    let violations = explain(&schema(), &details, Some(&document));
    let shown: Vec<_> =
        violations.iter().map(|v| (v.expected.as_ref().map(|e| e.get()), v.found.as_ref().map(|f| f.get()))).collect();
    assert_eq!(shown, [(Some("false"), Some("[true]")), (Some("false"), None)]);
}

#[test]
fn an_unknown_verdict_is_still_a_violation() {
    let violations = explain(&schema(), &doc! {}, None);
    assert_eq!(
        (violations.len(), violations[0].pointer.as_str(), violations[0].keyword.as_str()),
        (1, "", "$jsonSchema")
    );
    let details = doc! { "operatorName": "$expr", "reason": "expression did not match" };
    assert_eq!(explain(&schema(), &details, None)[0].keyword, "$expr");
}
