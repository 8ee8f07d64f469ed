//! Which changes are one command, and what it is.

use std::sync::Arc;

use bson::{Bson, Document, doc};

use crate::{
    config::Limits,
    schema::{Field, Schema, access::Value, load},
    update::{Change, ChangePlan, Direct, Form, Precondition},
};

fn schema(more: &str) -> Arc<Schema> {
    let file = format!(
        r#"{{"type": "object", "properties": {{
            "n": {{"bsonType": "long"}},
            "o": {{"properties": {{"x": {{}}, "ro": {{"readOnly": true}}, "free": {{"properties": {{"y": {{}}}}}}}}}},
            "ro": {{"readOnly": true}}, "w": {{"writeOnly": true}},
            "place": {{}}
        }}, "x-indexes": [{{"keys": {{"place.at": "2dsphere"}}}}]{more}}}"#
    );
    Arc::new(load::parse("schemas/things.json", "things", file).unwrap())
}

fn direct(schema: &Arc<Schema>, shape: &Field, (form, text): (Form, &str)) -> Option<Direct> {
    let change = Change::patch(form, text.as_bytes(), None, (shape, &Limits::default())).unwrap();
    let (schema, id) = (Arc::clone(schema), Bson::Int32(1));
    ChangePlan { schema, id, change, precondition: Precondition::default() }.direct((shape, None))
}

fn update(conditions: Option<Document>, update: Document) -> Direct {
    Direct::Update { conditions, update, array_filters: Vec::new() }
}

/// The condition that an object is there.
fn object() -> Document {
    doc! { "$type": "object", "$not": { "$type": "array" } }
}

#[test]
fn plain_patches_are_one_command() {
    let schema = schema("");
    for (form, text, expected) in [
        (Form::Merge, r#"{"n":1,"a":[2]}"#, update(None, doc! { "$set": { "n": 1_i64, "a": [2] } })),
        (Form::Merge, r#"{"a":null}"#, update(None, doc! { "$unset": { "a": "" } })),
        (
            Form::Merge,
            r#"{"o":{"x":1,"free":{"y":null}}}"#,
            update(
                Some(doc! { "$and": [{ "o": object() }, { "o.free": object() }] }),
                doc! { "$set": { "o.x": 1 }, "$unset": { "o.free.y": "" } },
            ),
        ),
        (
            Form::Json,
            r#"[{"op":"test","path":"/n","value":1},{"op":"remove","path":"/a"}]"#,
            update(
                Some(doc! { "$and": [
                    { "n": { "$eq": 1_i64, "$not": { "$type": ["array", "decimal"] } } },
                    { "a": { "$exists": true } },
                ] }),
                doc! { "$unset": { "a": "" } },
            ),
        ),
        (Form::Operators, r#"{"$inc":{"n":1}}"#, update(None, doc! { "$inc": { "n": 1_i64 } })),
    ] {
        assert_eq!(direct(&schema, &schema.root, (form, text)), Some(expected), "{text}");
    }
}

#[test]
fn what_is_more_than_that_is_none() {
    let schema = schema("");
    for (form, text) in [
        // Nothing to do, or nothing but to make objects.
        (Form::Merge, "{}"),
        (Form::Merge, r#"{"o":{}}"#),
        // Names that are no names in paths.
        (Form::Merge, r#"{"":1}"#),
        (Form::Merge, r#"{"_id":1}"#),
        (Form::Merge, r#"{"_id":{"a":1}}"#),
        // What is guarded, and what holds it.
        (Form::Merge, r#"{"ro":1}"#),
        (Form::Merge, r#"{"w":1}"#),
        (Form::Merge, r#"{"o":1}"#),
        (Form::Merge, r#"{"o":null}"#),
        (Form::Merge, r#"{"o":{"ro":1}}"#),
        (Form::Merge, r#"{"w":{"x":1}}"#),
        (Form::Operators, r#"{"$set":{"w":1}}"#),
        // What may stand in an index on the globe.
        (Form::Operators, r#"{"$rename":{"a":"place"}}"#),
        (Form::Operators, r#"{"$set":{"place.at.coordinates.0":[1,2]}}"#),
        // A time that the server puts into whole documents alone.
        (Form::Merge, r#"{"a":{"$timestamp":{"t":0,"i":0}}}"#),
        // Steps that depend on each other, or on what a number names.
        (Form::Json, "[]"),
        (Form::Json, r#"[{"op":"test","path":"/n","value":1}]"#),
        (Form::Json, r#"[{"op":"add","path":"/a/0","value":1}]"#),
        (Form::Json, r#"[{"op":"add","path":"/a","value":{}},{"op":"add","path":"/a/b","value":1}]"#),
        (Form::Json, r#"[{"op":"add","path":"/a","value":1},{"op":"test","path":"/a","value":1}]"#),
        (Form::Json, r#"[{"op":"test","path":"/a","value":"x"},{"op":"remove","path":"/a"}]"#),
        (Form::Json, r#"[{"op":"move","path":"/a","from":"/b"}]"#),
    ] {
        assert_eq!(direct(&schema, &schema.root, (form, text)), None, "{text}");
    }
}

#[test]
fn with_a_stamp_something_must_change() {
    let more = r#", "allOf": [{"properties": {"by": {"x-set": {"update": "user"}}}}]"#;
    let schema = schema(more);
    let stamped = |mut update: Document| {
        let part = update.entry("$unset".to_owned()).or_insert_with(|| Document::new().into());
        part.as_document_mut().unwrap().insert("by", "");
        update
    };
    for (form, text, conditions, changes) in [
        (Form::Merge, r#"{"a":1}"#, Some(doc! { "a": { "$ne": 1 } }), doc! { "$set": { "a": 1 } }),
        (
            Form::Merge,
            r#"{"a":1,"b":null}"#,
            Some(doc! { "$or": [{ "a": { "$ne": 1 } }, { "b": { "$exists": true } }] }),
            doc! { "$set": { "a": 1 }, "$unset": { "b": "" } },
        ),
        (Form::Operators, r#"{"$push":{"a":1}}"#, None, doc! { "$push": { "a": { "$each": [1] } } }),
    ] {
        // Nobody asks, so nobody is the author.
        let expected = update(conditions, stamped(changes));
        assert_eq!(direct(&schema, &schema.root, (form, text)), Some(expected), "{text}");
    }
    assert_eq!(direct(&schema, &schema.root, (Form::Operators, r#"{"$bit":{"n":{"or":1}}}"#)), None);
}

#[test]
fn what_the_service_writes_elsewhere_is_not_written_by_one_command() {
    let deep = schema(r#", "allOf": [{"properties": {"o": {"properties": {"by": {"x-set": {"update": "now"}}}}}}]"#);
    assert_eq!(direct(&deep, &deep.root, (Form::Merge, r#"{"a":1}"#)), None);
    let plain = schema("");
    let mut forced = plain.root.clone();
    forced.properties["n"].forced = Some(Value::Constant(Bson::Int64(1)));
    assert_eq!(direct(&plain, &forced.prepared(), (Form::Merge, r#"{"a":1}"#)), None);
}

#[test]
fn only_so_much_is_tried() {
    let schema = schema("");
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(2 << 20));
    assert_eq!(direct(&schema, &schema.root, (Form::Merge, &large)), None);
    // Each of the members has a long path.
    let members: Vec<_> = (0..2000).map(|n| format!(r#""m{n}":1"#)).collect();
    let deep = format!("{}{{{}}}{}", r#"{"a":"#.repeat(60), members.join(","), "}".repeat(60));
    assert_eq!(direct(&schema, &schema.root, (Form::Merge, &deep)), None);
}
