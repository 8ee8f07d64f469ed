use proptest::{collection, prelude::*, sample};
use serde_json::{Map, Value, json};

use super::*;
use crate::schema::{Access, Options, Source};

fn shown(text: &str) -> String {
    face(&schema(text), &[])
}

fn schema(text: &str) -> Schema {
    let source = Source::parse("schemas/x.json", text.to_owned(), 64).unwrap();
    let root = field::derive_root(&source);
    Schema {
        name: "x".to_owned(),
        source,
        root,
        validator: bson::Document::new(),
        indexes: Vec::new(),
        access: Access::admin_only(),
        options: Options::default(),
        is_enforced: true,
    }
}

/// Checks what the schema of a field looks like.
fn shows(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let whole = format!(r#"{{"properties": {{"_id": {{}}, "f": {text}}}, "$schema": "s"}}"#);
        let shown = shown(&whole);
        assert_eq!(shown, format!(r#"{{"properties":{{"_id":{{}},"f":{expected}}},"$schema":"s"}}"#), "{text}");
    }
}

#[test]
fn shows_each_type_as_it_looks() {
    let cases = [
        (r#"{"bsonType": "objectId"}"#, r#"{"type":"string","pattern":"^[0-9a-fA-F]{24}$"}"#),
        (r#"{"bsonType": "date", "title": "T"}"#, r#"{"type":"string","format":"date-time","title":"T"}"#),
        (r#"{"bsonType": "decimal", "minimum": 0}"#, r#"{"type":"string"}"#),
        (r#"{"bsonType": "long", "minimum": 0}"#, r#"{"type":"integer","minimum":0}"#),
        (r#"{"bsonType": "long", "maximum": "9007199254740993"}"#, r#"{"type":"integer","maximum":9007199254740993}"#),
        (r#"{"minimum": 0, "bsonType": "double"}"#, r#"{"minimum":0,"type":"number"}"#),
        (r#"{"bsonType": "number"}"#, r#"{"anyOf":[{"type":"number"},{"type":"string"}]}"#),
        (r#"{"bsonType": "bool"}"#, r#"{"type":"boolean"}"#),
        (r#"{"bsonType": "binData"}"#, r#"{"type":"string","contentEncoding":"base64"}"#),
        (r#"{"bsonType": "binData", "format": "uuid"}"#, r#"{"type":"string","format":"uuid"}"#),
        (r#"{"bsonType": "timestamp"}"#, r#"{"type":"object"}"#),
        (r#"{"type": "string", "minLength": 1}"#, r#"{"type":"string","minLength":1}"#),
        (r#"{"type": "integer", "bsonType": "int"}"#, r#"{"type":"integer"}"#),
        (r#"{"type": "integer", "bsonType": "double"}"#, r#"{"type":"integer"}"#),
        (r#"{"bsonType": ["string", "null"], "pattern": "a"}"#, r#"{"type":["string","null"],"pattern":"a"}"#),
        (r#"{"bsonType": ["int", "double"]}"#, r#"{"type":"number"}"#),
        (r#"{"bsonType": ["date", "null"]}"#, r#"{"anyOf":[{"type":"string","format":"date-time"},{"type":"null"}]}"#),
        (
            r#"{"bsonType": ["string", "date"], "maxLength": 9}"#,
            r#"{"anyOf":[{"type":"string","maxLength":9},{"type":"object"}]}"#,
        ),
        (
            r#"{"bsonType": ["date", "null"], "anyOf": [{}]}"#,
            r#"{"allOf":[{"anyOf":[{"type":"string","format":"date-time"},{"type":"null"}]}],"anyOf":[{}]}"#,
        ),
        (
            r#"{"bsonType": ["date", "null"], "anyOf": [{}], "allOf": [{}]}"#,
            r#"{"anyOf":[{}],"allOf":[{},{"anyOf":[{"type":"string","format":"date-time"},{"type":"null"}]}]}"#,
        ),
        (
            r#"{"bsonType": "date", "x-set": {"insert": "now"}}"#,
            r#"{"type":"string","format":"date-time","x-set":{"insert":"now"},"readOnly":true}"#,
        ),
        (r#"{"type": "array", "items": {"bsonType": "int"}}"#, r#"{"type":"array","items":{"type":"integer"}}"#),
        (r#"{"const": {"bsonType": "int"}, "default": "a\"b"}"#, r#"{"const":{"bsonType":"int"},"default":"a\"b"}"#),
        (
            r#"{"type": "object", "properties": {"bsonType": {"bsonType": "int"}}}"#,
            r#"{"type":"object","properties":{"bsonType":{"type":"integer"}}}"#,
        ),
    ];
    shows(&cases);
}

#[test]
fn shows_values_as_documents_do() {
    shows(&[
        (r#"{"bsonType": "decimal", "enum": [0.10, "2"]}"#, r#"{"type":"string","enum":["0.10","2"]}"#),
        (r#"{"bsonType": "decimal", "default": 0}"#, r#"{"type":"string","default":"0"}"#),
        (
            r#"{"bsonType": "date", "const": "2024-05-01T14:00:00+02:00"}"#,
            r#"{"type":"string","format":"date-time","const":"2024-05-01T12:00:00.000Z"}"#,
        ),
        (
            r#"{"bsonType": ["objectId", "null"], "enum": ["6650F0000000000000000001", null]}"#,
            r#"{"anyOf":[{"type":"string","pattern":"^[0-9a-fA-F]{24}$"},{"type":"null"}],"enum":["6650f0000000000000000001",null]}"#,
        ),
    ]);
}

#[test]
fn declares_the_dialect_and_the_id() {
    const DRAFT: &str = r#""$schema":"https://json-schema.org/draft/2020-12/schema""#;
    let bare = shown(r#"{"bsonType": "object"}"#);
    assert_eq!(bare, format!(r#"{{{DRAFT},"properties":{{{ID}}},"type":"object"}}"#));
    let listed = shown(r#"{"type": "object", "properties": {"z": {}, "a": {}}, "x-indexes": []}"#);
    assert_eq!(
        listed,
        format!(r#"{{{DRAFT},"type":"object","properties":{{{ID},"z":{{}},"a":{{}}}},"x-indexes":[]}}"#)
    );
}

#[test]
fn rules_of_names_spare_the_id() {
    let id = r#"{"_id":{"type":"string","pattern":"^[0-9a-fA-F]{24}$"}}"#;
    let cases = [
        (r#""propertyNames": {"maxLength": 2}"#, r#""propertyNames":{"anyOf":[{"const":"_id"},{"maxLength":2}]}"#),
        (r#""patternProperties": {"d$": false}"#, r#""patternProperties":{"^(?!_id$)[\\s\\S]*?(?:d$)":false}"#),
        (
            r#""not": {"anyOf": [{"additionalProperties": false}]}"#,
            r#""not":{"anyOf":[{"additionalProperties":false,"properties":{"_id":true}}]}"#,
        ),
        (
            r#""dependentSchemas": {"a": {"properties": {"propertyNames": {}}, "propertyNames": false}}"#,
            r#""dependentSchemas":{"a":{"properties":{"propertyNames":{}},"propertyNames":{"anyOf":[{"const":"_id"},false]}}}"#,
        ),
    ];
    for (text, expected) in cases {
        let text = format!(r#"{{"$schema": "s", {text}}}"#);
        assert_eq!(shown(&text), format!(r#"{{"properties":{id},"$schema":"s",{expected}}}"#));
    }
    let named = r#"{"$schema":"s","properties":{"_id":{}},"patternProperties":{"d$":{}}}"#;
    assert_eq!(shown(named), named);
}

#[test]
fn shows_nothing_of_what_is_hidden() {
    for (text, expected) in [
        (
            r#"{"required": ["a", "x"], "properties": {"a": {}, "x": {"type": "string"}}, "x-indexes": [{"keys": {"x": 1}}]}"#,
            r#"{"required":["a"],"properties":{"_id":{},"a":{}}}"#,
        ),
        (
            r##"{"$defs": {"x": {"title": "T"}}, "properties": {"a": {"$ref": "#/$defs/x", "minLength": 1}, "b": {"$ref": "#/$defs/x"}}}"##,
            r#"{"properties":{"_id":{},"a":{"minLength":1,"allOf":[{"title":"T"}]},"b":{"title":"T"}}}"#,
        ),
        (
            r#"{"properties": {"a": {}}, "examples": [{"x": 1}], "minProperties": 2, "allOf": [{"required": ["x"]}], "anyOf": [{"required": ["x"]}, {"required": ["a"]}]}"#,
            r#"{"properties":{"_id":{},"a":{}},"allOf":[{"required":[]}],"anyOf":[{"required":[]},{"required":["a"]}]}"#,
        ),
        (
            r#"{"properties": {"a": {}}, "not": {"required": ["x"]}, "oneOf": [{"required": ["a"]}, {"required": ["x"]}]}"#,
            r#"{"properties":{"_id":{},"a":{}}}"#,
        ),
        (
            r#"{"properties": {"a": {}}, "not": {"required": ["a"]}, "additionalProperties": false, "x-access": {"x": []}}"#,
            r#"{"properties":{"_id":{},"a":{}},"not":{"required":["a"]},"additionalProperties":false}"#,
        ),
        (
            r#"{"properties": {"in": {"properties": {"x": {}, "b": {}}, "const": {"x": 1}}, "a": {"const": 5}}}"#,
            r#"{"properties":{"_id":{},"in":{"properties":{"b":{}}},"a":{"const":5}}}"#,
        ),
    ] {
        let text = text.replacen(r#""properties": {"#, r#""properties": {"_id": {}, "#, 1);
        let text = format!(r#"{{"$schema": "s", {}"#, &text[1..]);
        let mut schema = schema(&text);
        let mut root = schema.root;
        root.properties.entry("x".to_owned()).or_insert_with(Field::any).hidden = true;
        if let Some(inner) = root.properties.get_mut("in") {
            inner.properties.get_mut("x").unwrap().hidden = true;
        }
        schema.root = root.prepared();
        assert_eq!(face(&schema, &[]), expected.replacen('{', r#"{"$schema":"s","#, 1), "{text}");
    }
}

#[test]
fn marks_what_roles_leave_nobody_to_write() {
    const TEXT: &str = r##"{
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}, "in": {"$ref": "#/$defs/in"}},
        "$defs": {"in": {"type": "object", "properties": {"c": {"type": "string"}}}},
        "x-access": {"r": {"ops": ["*"], "readOnly": ["a", "in.c"], "set": {"b": "x"}}}
    }"##;
    let schema = crate::schema::load::parse("x.json", "x", TEXT.to_owned()).unwrap();
    let free = schema.root.clone();
    let mut closed = free.clone();
    closed.properties["a"].read_only = true;
    closed.properties["b"].hidden = true;
    closed.properties["in"].properties["c"].read_only = true;
    let plain = face(&schema, &[]);
    let marked = plain
        .replace(r#""a":{"type":"string""#, r#""a":{"type":"string","readOnly":true"#)
        .replace(r#""b":{"type":"string""#, r#""b":{"type":"string","readOnly":true"#)
        .replace(r#"/in"}"#, r#"/in","properties":{"c":{"readOnly":true}}}"#);
    for (written, expected) in [(&[&free][..], &plain), (&[&closed, &closed], &marked), (&[&closed, &free], &plain)] {
        assert_eq!(&face(&schema, written), expected);
    }
}

#[test]
fn shows_nothing_of_what_is_hidden_in_conditions_and_names() {
    let shows = |keywords: &str, hidden: &[&str], expected: &str| {
        let text = format!(r#"{{"$schema": "s", "properties": {{"_id": {{}}, "a": {{}}, "x": {{}}}}, {keywords}}}"#);
        let mut schema = schema(&text);
        for name in hidden {
            schema.root.properties.get_mut(*name).unwrap().hidden = true;
        }
        schema.root = schema.root.prepared();
        let x = if hidden.is_empty() { r#","x":{}"# } else { "" };
        let comma = if expected.is_empty() { "" } else { "," };
        let expected = format!(r#"{{"$schema":"s","properties":{{"_id":{{}},"a":{{}}{x}}}{comma}{expected}}}"#);
        assert_eq!(face(&schema, &[]), expected, "{keywords}");
    };
    for (keywords, left) in [
        (r#""if":{"required":["a"]},"then":{"minProperties":1},"else":{"required":["x"]}"#, ""),
        (
            r#""if":{"required":["a"]},"then":{"required":["a"]}"#,
            r#""if":{"required":["a"]},"then":{"required":["a"]}"#,
        ),
        (r#""if":{"properties":{"x":{"const":1}}},"then":{"required":["a"]}"#, ""),
        (r#""patternProperties":{"^x$":{"type":"string"}},"additionalProperties":false"#, ""),
        (r#""propertyNames":{"enum":["a","x"]}"#, ""),
        (
            r#""dependentRequired":{"a":["x","_id"],"x":["a"],"b":["a"]}"#,
            r#""dependentRequired":{"a":["_id"],"b":["a"]}"#,
        ),
        (
            r#""dependentSchemas":{"a":{"required":["x","a"]},"x":{"required":["a"]}}"#,
            r#""dependentSchemas":{"a":{"required":["a"]}}"#,
        ),
        (
            r#""contains":{"required":["x"]},"prefixItems":[{"properties":{"x":{},"b":{}}}]"#,
            r#""contains":{"required":[]},"prefixItems":[{"properties":{"b":{}}}]"#,
        ),
        (r#""minItems":1,"unevaluatedProperties":{"required":["x"]},"unevaluatedItems":false"#, r#""minItems":1"#),
    ] {
        let names = r#"{"enum":["a","x"]}"#;
        let spared = keywords.replace(names, &format!(r#"{{"anyOf":[{{"const":"_id"}},{names}]}}"#));
        shows(keywords, &[], &spared);
        shows(keywords, &["x"], left);
    }
}

#[test]
fn shows_the_keywords_of_each_type_beside_it() {
    shows(&[
        (
            r#"{"bsonType": "array", "prefixItems": [{"bsonType": "date"}, true], "items": false, "contains": {"bsonType": "int"}}"#,
            r#"{"type":"array","prefixItems":[{"type":"string","format":"date-time"},true],"items":false,"contains":{"type":"integer"}}"#,
        ),
        (
            r#"{"bsonType": ["date", "object"], "patternProperties": {"^a": {"bsonType": "int"}}, "dependentRequired": {"a": ["b"]}, "minItems": 1}"#,
            r#"{"anyOf":[{"type":"object","patternProperties":{"^a":{"type":"integer"}},"dependentRequired":{"a":["b"]}},{"type":"string","format":"date-time"}]}"#,
        ),
        (
            r#"{"if": {"bsonType": "int"}, "then": {"bsonType": "long"}, "else": {"bsonType": "bool"}}"#,
            r#"{"if":{"type":"integer"},"then":{"type":"integer"},"else":{"type":"boolean"}}"#,
        ),
        (
            r#"{"dependentSchemas": {"bsonType": {"bsonType": "int"}}, "propertyNames": {"bsonType": "string"}}"#,
            r#"{"dependentSchemas":{"bsonType":{"type":"integer"}},"propertyNames":{"type":"string"}}"#,
        ),
        (
            r#"{"bsonType": "binData", "contentEncoding": "base64", "contentMediaType": "image/png"}"#,
            r#"{"type":"string","contentEncoding":"base64","contentMediaType":"image/png"}"#,
        ),
    ]);
}

/// Schemas of whole documents that name the field `secret` wherever a keyword can, nested up to `depth` deep.
fn telling(depth: u32) -> BoxedStrategy<Value> {
    let names = || sample::subsequence(vec!["a", "secret"], 0..=2);
    let plain = prop_oneof![
        names().prop_map(|names| json!({ "required": names })),
        (names(), names()).prop_map(|(names, more)| {
            let lists = names.into_iter().map(|name| (name.to_owned(), json!(more)));
            json!({ "dependentRequired": lists.collect::<Map<_, _>>() })
        }),
        Just(json!({ "propertyNames": { "enum": ["a", "secret"] }, "const": { "secret": 1 } })),
        Just(json!({ "patternProperties": { "^secret": true }, "additionalProperties": false })),
    ];
    let nested = |inner: BoxedStrategy<Value>| {
        let list = ["allOf", "anyOf", "oneOf", "prefixItems"];
        let one = ["not", "if", "then", "else", "contains", "items", "propertyNames"];
        let by_name = ["properties", "dependentSchemas"];
        prop_oneof![
            (sample::select(list.to_vec()), collection::vec(inner.clone(), 1..3))
                .prop_map(|(keyword, schemas)| json!({ keyword: schemas })),
            (sample::select(one.to_vec()), inner.clone()).prop_map(|(keyword, schema)| json!({ keyword: schema })),
            (sample::select(by_name.to_vec()), inner.clone())
                .prop_map(|(keyword, schema)| json!({ keyword: { "secret": schema } })),
            collection::vec(inner, 2..4).prop_map(merged),
        ]
    };
    plain.prop_recursive(depth, 24, 3, move |inner| nested(inner.boxed())).boxed()
}

/// One schema with the keywords of all; of those that are said twice, the last.
fn merged(schemas: Vec<Value>) -> Value {
    let keywords = schemas.into_iter().filter_map(|schema| schema.as_object().cloned()).flatten();
    Value::Object(keywords.collect())
}

proptest! {
    #[test]
    fn no_keyword_tells_the_name_of_what_is_hidden(schema in telling(5)) {
        let file = merged(vec![schema, json!({ "properties": { "a": {}, "secret": {} } })]);
        let mut schema = self::schema(&file.to_string());
        schema.root.properties["secret"].hidden = true;
        schema.root = schema.root.prepared();
        let shown = face(&schema, &[]);
        prop_assert!(!shown.contains("secret"), "{}\n{}", file, shown);
    }
}
