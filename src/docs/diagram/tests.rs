use proptest::{collection::vec, prelude::*};

use super::{layout::layout, *};
use crate::{
    docs::{fields, link},
    schema::{Schema, load},
};

fn with<T>(schemas: &[Schema], look: impl FnOnce(Diagram) -> T) -> T {
    let chapters: Vec<_> = schemas.iter().map(|schema| Chapter { schema, fields: fields::fields(schema) }).collect();
    let links: Vec<_> = chapters.iter().flat_map(link::links).collect();
    look(diagram(&chapters, &links))
}

fn schema(name: &str, properties: &str, more: &str) -> Schema {
    let text = format!(r#"{{"type": "object", "properties": {{{properties}}}{more}}}"#);
    load::parse(&format!("{name}.json"), name, text).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

#[test]
fn shows_references_and_objects() {
    let person = r#"{"bsonType": "objectId", "x-ref": {"collection": "people"}}"#;
    let album = format!(
        r#""by": {person}, "owner": {person}, "friends": {{"type": "array", "items": {person}}},
        "tracks": {{"type": "array", "items": {{"type": "object", "properties": {{"a.b\"": {{}}, "by": {person}}}}}}}"#
    );
    let unique = r#", "required": ["by"], "x-indexes": [{"keys": {"owner": 1}, "unique": true}]"#;
    let schemas = [
        schema("albums", &album, unique),
        schema("people", r#""best": {"bsonType": "objectId", "x-ref": {"collection": "gone"}}"#, ""),
    ];
    let expected = r#"erDiagram
    "albums" ||..o{ "albums.tracks[]" : "tracks"
    "albums" }o--|| "people" : "by"
    "albums" |o--o| "people" : "owner"
    "albums" }o--o{ "people" : "friends"
    "albums.tracks[]" }o--o{ "people" : "by"
    "albums" {
        objectId _id PK
        objectId by FK
        objectId owner FK
        objectId[] friends
        object[] tracks
    }
    "albums.tracks[]" {
        any a_b_
        objectId by FK
    }
    "people" {
        objectId _id PK
        objectId best FK
    }
"#;
    assert_eq!(with(&schemas, |diagram| mermaid(&diagram)), expected);
}

proptest! {
    #[test]
    fn no_box_stands_on_another(references in vec((0_usize..7, 0_usize..7), 0..14)) {
        let schemas: Vec<_> = (0..7).map(|from| {
            let targets = references.iter().filter(|(a, _)| *a == from).enumerate();
            let field = |(at, (_, to)): (usize, &(usize, usize))| {
                format!(r#""r{at}": {{"bsonType": "objectId", "x-ref": {{"collection": "c{to}"}}}}"#)
            };
            let inner = r#""o": {"type": "object", "properties": {"p": {"type": "object", "properties": {"q": {}}}}}"#;
            let fields: Vec<_> = targets.map(field).chain([inner.to_owned()]).collect();
            schema(&format!("c{from}"), &fields.join(","), "")
        }).collect();
        with(&schemas, |diagram| {
            let layout = layout(&diagram);
            for (at, a) in layout.boxes.iter().enumerate() {
                assert!(a.x >= 0 && a.y >= 0 && a.x + a.width <= layout.width && a.y + a.height <= layout.height);
                for b in &layout.boxes[at + 1..] {
                    let apart = a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;
                    assert!(apart, "{a:?} {b:?}");
                }
            }
            assert_eq!(svg(&diagram).matches("class=\"reference\"").count(), references.len());
        });
    }
}
