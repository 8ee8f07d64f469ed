use super::*;
use crate::{
    json::Tree,
    schema::{Access, Source},
};

fn shown(text: &str) -> String {
    face(&schema(text), &[])
}

fn schema(text: &str) -> Schema {
    let tree = Tree::parse(text.as_bytes(), 64).unwrap();
    let source = Source { path: "schemas/x.json".to_owned(), text: text.to_owned(), tree };
    let root = field::derive_root(&source);
    Schema {
        name: "x".to_owned(),
        source,
        root,
        validator: bson::Document::new(),
        indexes: Vec::new(),
        access: Access::admin_only(),
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
