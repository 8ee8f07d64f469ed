//! Every row of the translation, broken: what is said of it is the author's keyword, value and place.

use std::collections::BTreeSet;

use folio::{
    error::Violation,
    schema::keywords::{self, Position, Status},
};
use mongodb::bson::{Bson, bson, doc};

use super::{create, decimal, file, insert};

/// A schema of the field `a`, a value that breaks it, and of each violation its pointer below `/a`, keyword, expected
/// value, rule and sentence.
type Row = (&'static str, Bson, Vec<[&'static str; 5]>);

const A: &str = "#/properties/a";

/// Keywords that no value breaks: those for readers, and those that only say where or when others hold.
const SILENT: [&str; 11] = [
    "$defs",
    "$ref",
    "$comment",
    "title",
    "description",
    "examples",
    "deprecated",
    "contentEncoding",
    "contentMediaType",
    "if",
    "minContains",
];

/// Spellings of the translation that no author writes.
const TRANSLATED: [&str; 8] =
    ["(*UTF)", r"(?![\s\S])", r"\\s\\S", "dependencies", "additionalItems", "$jsonSchema", "specifiedAs", "errInfo"];

/// Whether the violation shows what a rule became rather than the rule.
pub(super) fn speaks_mongodb(violation: &Violation) -> bool {
    let text = serde_json::to_string(violation).unwrap();
    TRANSLATED.iter().any(|word| text.contains(word))
}

fn values() -> Vec<Row> {
    vec![
        (r#"{"type": "integer"}"#, bson!(1.5), vec![["", "type", r#""integer""#, A, "must be a whole number"]]),
        (
            r#"{"type": "number", "bsonType": "int"}"#,
            bson!(1.5),
            vec![["", "bsonType", r#""int""#, A, "must be a 32-bit integer"]],
        ),
        (
            r#"{"type": "string", "bsonType": ["int", "string"]}"#,
            bson!(1),
            vec![["", "type", r#""string""#, A, "must be a string"]],
        ),
        (r#"{"enum": []}"#, bson!(1), vec![["", "enum", "[]", A, "can have no value"]]),
        (r#"{"enum": [1, 1.0]}"#, bson!(2), vec![["", "enum", "[1, 1.0]", A, "must be one of 1, 1.0"]]),
        (r#"{"const": 1}"#, bson!(2), vec![["", "const", "1", A, "must be 1"]]),
        (r#"{"const": 1, "enum": [1, 2]}"#, bson!(2), vec![["", "const", "1", A, "must be 1"]]),
        (r#"{"minimum": 3}"#, bson!(2), vec![["", "minimum", "3", A, "must be at least 3"]]),
        (r#"{"maximum": 3}"#, bson!(4), vec![["", "maximum", "3", A, "must be at most 3"]]),
        (r#"{"exclusiveMinimum": 3}"#, bson!(3), vec![["", "exclusiveMinimum", "3", A, "must be greater than 3"]]),
        (
            r#"{"minimum": 2, "exclusiveMinimum": 3}"#,
            bson!(3),
            vec![["", "exclusiveMinimum", "3", A, "must be greater than 3"]],
        ),
        (
            r#"{"type": "number", "exclusiveMaximum": 0.1}"#,
            decimal("0.1"),
            vec![["", "exclusiveMaximum", "0.1", A, "must be less than 0.1"]],
        ),
        (r#"{"multipleOf": 0.5}"#, bson!(0.7), vec![["", "multipleOf", "0.5", A, "must be a multiple of 0.5"]]),
        (r#"{"minLength": 2}"#, bson!("x"), vec![["", "minLength", "2", A, "must have at least 2 characters"]]),
        (r#"{"maxLength": 1}"#, bson!("xx"), vec![["", "maxLength", "1", A, "must have at most 1 character"]]),
        (
            r#"{"pattern": "^\\s.$"}"#,
            bson!("x"),
            vec![["", "pattern", r#""^\\s.$""#, A, r"must match the pattern `^\s.$`"]],
        ),
        (
            r#"{"pattern": "^2", "format": "date"}"#,
            bson!("199"),
            vec![
                ["", "format", r#""date""#, A, "must be a date such as `2024-05-31`"],
                ["", "pattern", r#""^2""#, A, "must match the pattern `^2`"],
            ],
        ),
    ]
}

fn arrays() -> Vec<Row> {
    vec![
        (r#"{"minItems": 1}"#, bson!([]), vec![["", "minItems", "1", A, "must have at least 1 item"]]),
        (r#"{"maxItems": 1}"#, bson!([1, 2]), vec![["", "maxItems", "1", A, "must have at most 1 item"]]),
        (
            r#"{"uniqueItems": true}"#,
            bson!([1, 1.0]),
            vec![["", "uniqueItems", "true", A, "must not hold the same item twice"]],
        ),
        (
            r#"{"items": {"minimum": 2}}"#,
            bson!([2, 1]),
            vec![["/1", "minimum", "2", "#/properties/a/items", "must be at least 2"]],
        ),
        (r#"{"items": false}"#, bson!([2]), vec![["/0", "items", "false", A, "is not allowed"]]),
        (
            r##"{"prefixItems": [{"type": "string"}, {"$ref": "#/$defs/price"}, false], "items": {"type": "boolean"}}"##,
            bson!([1, decimal("-1"), 1, 1]),
            vec![
                ["/0", "type", r#""string""#, "#/properties/a/prefixItems/0", "must be a string"],
                ["/1", "minimum", "0", "#/$defs/price", "must be at least 0"],
                ["/2", "prefixItems", "false", A, "is not allowed"],
                ["/3", "type", r#""boolean""#, "#/properties/a/items", "must be a boolean"],
            ],
        ),
        (
            r#"{"prefixItems": [true], "items": false}"#,
            bson!([1, 2, 3]),
            vec![["/1", "items", "false", A, "is not allowed: the list may have at most 1 item"]],
        ),
        (
            r#"{"contains": {"const": 5}, "minContains": 1}"#,
            bson!([1]),
            vec![["", "contains", r#"{"const": 5}"#, A, "must hold an item that matches the schema under `contains`"]],
        ),
    ]
}

fn objects() -> Vec<Row> {
    let b = "#/properties/a/properties/b";
    vec![
        (r#"{"minProperties": 1}"#, bson!({}), vec![["", "minProperties", "1", A, "must have at least 1 field"]]),
        (
            r#"{"maxProperties": 1}"#,
            bson!({"x": 1, "y": 1}),
            vec![["", "maxProperties", "1", A, "must have at most 1 field"]],
        ),
        (r#"{"properties": {"b": {"const": 1}}}"#, bson!({"b": 2}), vec![["/b", "const", "1", b, "must be 1"]]),
        (r#"{"properties": {"b": false}}"#, bson!({"b": 2}), vec![["/b", "properties", "false", A, "is not allowed"]]),
        (
            r#"{"properties": {"b.c": {"const": 1}, "": false}}"#,
            bson!({"b.c": 2, "": 1}),
            vec![
                ["/", "properties", "false", A, "is not allowed"],
                ["/b.c", "const", "1", "#/properties/a/properties/b.c", "must be 1"],
            ],
        ),
        (
            r#"{"required": ["b", "c.d", ""]}"#,
            bson!({}),
            vec![
                ["/", "required", r#"["b", "c.d", ""]"#, A, "is required"],
                ["/b", "required", r#"["b", "c.d", ""]"#, A, "is required"],
                ["/c.d", "required", r#"["b", "c.d", ""]"#, A, "is required"],
            ],
        ),
        (
            r#"{"additionalProperties": false, "properties": {"title": true}}"#,
            bson!({"titel": 1}),
            vec![["/titel", "additionalProperties", "false", A, "is not a declared field, did you mean `title`?"]],
        ),
        (
            r#"{"additionalProperties": {"minimum": 2}}"#,
            bson!({"b": 1}),
            vec![["/b", "minimum", "2", "#/properties/a/additionalProperties", "must be at least 2"]],
        ),
    ]
}

fn rest() -> Vec<Row> {
    let fields = "unevaluatedProperties";
    vec![
        (
            r##"{"$ref": "#/$defs/few", "properties": {"title": true}, "unevaluatedProperties": false}"##,
            bson!({"titel": 1}),
            vec![["/titel", fields, "false", A, "is not a declared field, did you mean `title`?"]],
        ),
        (
            r#"{"anyOf": [{"properties": {"b": true}}, {"properties": {"c": {"const": 1}}}], "unevaluatedProperties": false}"#,
            bson!({"b": 1, "c": 2, "d": 3}),
            vec![
                ["/c", fields, "false", A, "is not a declared field"],
                ["/d", fields, "false", A, "is not a declared field"],
            ],
        ),
        (
            r#"{"if": {"required": ["b"]}, "then": {"properties": {"b": true, "c": true}}, "unevaluatedProperties": {"minimum": 2}}"#,
            bson!({"b": 1, "c": 1, "d": 1}),
            vec![["/d", "minimum", "2", "#/properties/a/unevaluatedProperties", "must be at least 2"]],
        ),
        (
            r#"{"prefixItems": [true], "unevaluatedItems": false}"#,
            bson!([1, 2]),
            vec![["/1", "unevaluatedItems", "false", A, "is not allowed"]],
        ),
        (
            r#"{"oneOf": [{"prefixItems": [{"const": 1}]}, {"prefixItems": [{"const": 2}, true]}], "unevaluatedItems": {"minimum": 5}}"#,
            bson!([2, 1, 4]),
            vec![["/2", "minimum", "5", "#/properties/a/unevaluatedItems", "must be at least 5"]],
        ),
        (
            r#"{"contains": {"const": 1}, "unevaluatedItems": false}"#,
            bson!([1, 2]),
            vec![["/1", "unevaluatedItems", "false", A, "is not allowed"]],
        ),
    ]
}

fn members() -> Vec<Row> {
    let names = r#"{"pattern": "^x", "maxLength": 2}"#;
    let misnamed = "has a name that breaks a rule: it must match the pattern `^x` and must have at most 2 characters";
    vec![
        (
            r#"{"patternProperties": {"^x": {"type": "string"}, "^y$": false}}"#,
            bson!({"x": 1, "y": 1}),
            vec![
                ["/x", "type", r#""string""#, "#/properties/a/patternProperties/^x", "must be a string"],
                ["/y", "patternProperties", "false", A, "is not allowed"],
            ],
        ),
        (
            r#"{"propertyNames": {"pattern": "^x", "maxLength": 2}}"#,
            bson!({"b": 1, "x": 1, "xxx": 1}),
            vec![["/b", "propertyNames", names, A, misnamed], ["/xxx", "propertyNames", names, A, misnamed]],
        ),
        (
            r#"{"dependentRequired": {"b": ["c", "d.e"], "f.g": ["h"]}}"#,
            bson!({"b": 1, "f.g": 1}),
            vec![
                ["/c", "dependentRequired", r#"["c", "d.e"]"#, A, "is required where `b` is there"],
                ["/d.e", "dependentRequired", r#"["c", "d.e"]"#, A, "is required where `b` is there"],
                ["/h", "dependentRequired", r#"["h"]"#, A, "is required where `f.g` is there"],
            ],
        ),
        (
            r##"{"dependentSchemas": {"b": {"required": ["c"]}, "d.e": {"minProperties": 5}, "f": false, "g": {"$ref": "#/$defs/few"}}}"##,
            bson!({"b": 1, "d.e": 1, "f": 1, "g": 1}),
            vec![
                ["", "dependentSchemas", "false", A, "may not have the field `f`"],
                ["", "maxProperties", "1", "#/$defs/few", "must have at most 1 field"],
                ["", "minProperties", "5", "#/properties/a/dependentSchemas/d.e", "must have at least 5 fields"],
                ["/c", "required", r#"["c"]"#, "#/properties/a/dependentSchemas/b", "is required"],
            ],
        ),
    ]
}

fn combined() -> Vec<Row> {
    let (one, three) = ("must have at most 1 character", "must have at least 3 characters");
    vec![
        ("false", bson!(1), vec![["", "properties", "false", "#", "is not allowed"]]),
        (
            r##"{"$ref": "#/$defs/price", "maximum": 3}"##,
            decimal("-7"),
            vec![["", "minimum", "0", "#/$defs/price", "must be at least 0"]],
        ),
        (
            r#"{"allOf": [{"minLength": 3}, {"maxLength": 1}]}"#,
            bson!("xx"),
            vec![
                ["", "maxLength", "1", "#/properties/a/allOf/1", one],
                ["", "minLength", "3", "#/properties/a/allOf/0", three],
            ],
        ),
        (r#"{"allOf": [true, false]}"#, bson!(1), vec![["", "allOf", "false", A, "is not allowed"]]),
        (
            r#"{"anyOf": [{"minLength": 3}, {"maxLength": 1}]}"#,
            bson!("xx"),
            vec![[
                "",
                "anyOf",
                r#"[{"minLength": 3}, {"maxLength": 1}]"#,
                A,
                "matches none of the 2 alternatives: must have at least 3 characters; or must have at most 1 character",
            ]],
        ),
        (
            r#"{"oneOf": [{"minimum": 1}, {"minimum": 2}]}"#,
            bson!(3),
            vec![[
                "",
                "oneOf",
                r#"[{"minimum": 1}, {"minimum": 2}]"#,
                A,
                "matches more than one of the alternatives: 0, 1",
            ]],
        ),
        (
            r#"{"not": {"type": "string"}}"#,
            bson!("x"),
            vec![["", "not", r#"{"type": "string"}"#, A, "must not match the schema under `not`"]],
        ),
    ]
}

fn conditional() -> Vec<Row> {
    vec![
        (
            r##"{"if": {"type": "string"}, "then": {"minLength": 3}, "else": {"$ref": "#/$defs/price"}}"##,
            bson!("xx"),
            vec![["", "minLength", "3", "#/properties/a/then", "must have at least 3 characters"]],
        ),
        (
            r##"{"if": {"type": "string"}, "then": {"minLength": 3}, "else": {"$ref": "#/$defs/price"}}"##,
            decimal("-1"),
            vec![["", "minimum", "0", "#/$defs/price", "must be at least 0"]],
        ),
        (
            r#"{"if": {"type": "string"}, "then": false, "else": false}"#,
            bson!("x"),
            vec![["", "then", "false", A, "is not allowed where it matches the schema under `if`"]],
        ),
        (
            r#"{"if": {"type": "string"}, "then": false, "else": false}"#,
            bson!(1),
            vec![["", "else", "false", A, "is not allowed where it does not match the schema under `if`"]],
        ),
        (
            r#"{"if": true, "then": {"anyOf": [{"minLength": 3}, {"maxLength": 1}]}}"#,
            bson!("xx"),
            vec![[
                "",
                "anyOf",
                r#"[{"minLength": 3}, {"maxLength": 1}]"#,
                "#/properties/a/then",
                "matches none of the 2 alternatives: must have at least 3 characters; or must have at most 1 character",
            ]],
        ),
    ]
}

#[tokio::test]
async fn every_keyword_is_explained_in_the_words_of_its_author() {
    let test = crate::support::database().await;
    let (mut wrong, mut said) = (Vec::new(), BTreeSet::new());
    for (i, (rule, value, expected)) in
        [values(), arrays(), objects(), rest(), members(), combined(), conditional()].concat().into_iter().enumerate()
    {
        let schema = create(&test.db, &format!("c{i}"), file(rule)).await;
        let violations = insert(&test.db, &schema, doc! { "a": value.clone() }).await;
        said.extend(violations.iter().map(|violation| violation.keyword.clone()));
        let mut rows: Vec<_> = violations
            .iter()
            .map(|v| {
                let expected = v.expected.as_ref().map_or("", |expected| expected.get());
                let rule = v.rule.as_deref().unwrap_or_default();
                [v.pointer.strip_prefix("/a").unwrap(), &v.keyword, expected, rule, &v.detail]
            })
            .collect();
        rows.sort_unstable();
        if rows != expected || violations.iter().any(speaks_mongodb) {
            wrong.push(format!("{rule} on {value}: {rows:#?}, not {expected:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let rules = keywords::TABLE.iter().filter(|(_, status)| matches!(status, Status::Supported(Position::Anywhere, _)));
    let unsaid = rules.map(|(name, _)| *name).filter(|name| !said.contains(*name) && !SILENT.contains(name));
    let unsaid: Vec<_> = unsaid.collect();
    assert!(unsaid.is_empty(), "no row breaks {unsaid:?}");
}
