//! Showing a document, in whatever format, allocates nothing but the room that it is written to.

#![cfg(test)]

use bson::{Binary, DateTime, RawDocument, RawDocumentBuf, doc, oid::ObjectId, spec::BinarySubtype};
use folio::{
    codec::{decode, ejson, ejson::Mode, encode, visible},
    sample,
    schema::{Field, load},
};

/// How many times memory is asked for while `document` is printed into a buffer that has room for it.
fn allocations(document: &RawDocument, shape: &Field) -> u64 {
    let mut out = Vec::with_capacity(1 << 20);
    let counted = allocation_counter::measure(|| {
        encode::document(&mut out, document, shape).unwrap();
        ejson::document(&mut out, document, Mode::Relaxed, Some("hidden")).unwrap();
        ejson::document(&mut out, document, Mode::Canonical, None).unwrap();
    });
    assert!(!out.is_empty());
    counted.count_total
}

#[test]
fn no_document_of_the_sample_costs_an_allocation() {
    let catalog = sample::catalog().unwrap();
    for (name, lines) in sample::FILES {
        let shape = &catalog.get(name).unwrap().root;
        for line in lines.lines() {
            let document = decode::document(line.as_bytes(), shape).unwrap();
            assert_eq!(allocations(&document, shape), 0, "{line}");
        }
    }
}

#[test]
fn no_plain_type_costs_an_allocation() {
    let file = r#"{
        "type": "object",
        "properties": {
            "string": { "type": "string" },
            "escaped": { "type": "string" },
            "bool": { "type": "boolean" },
            "null": { "type": "null" },
            "int": { "bsonType": "int" },
            "long": { "bsonType": "long" },
            "double": { "bsonType": "double" },
            "decimal": { "bsonType": "decimal" },
            "number": { "type": "number" },
            "date": { "bsonType": "date" },
            "bytes": { "bsonType": "binData" },
            "uuid": { "bsonType": "binData", "format": "uuid" },
            "object": { "type": "object", "properties": { "member": { "type": "string" } } },
            "array": { "type": "array", "items": { "type": "array", "items": { "bsonType": "objectId" } } }
        }
    }"#;
    let schema = load::parse("schemas/types.json", "types", file.to_owned()).unwrap();
    let binary = |subtype, length| Binary { subtype, bytes: vec![7; length] };
    let document = doc! {
        "array": [[ObjectId::new()], []],
        "string": "text that is rather longer than a step",
        "escaped": "é\"\n\u{1}",
        "bool": true,
        "null": null,
        "int": i32::MIN,
        "long": i64::MIN,
        "double": -1.5e-300,
        "decimal": "-1234567890.123456789012345678901234".parse::<bson::Decimal128>().unwrap(),
        "number": 5,
        "date": DateTime::now(),
        "bytes": binary(BinarySubtype::Generic, 100),
        "uuid": binary(BinarySubtype::Uuid, 16),
        "object": { "undeclared": { "deeper": [1, "text"] }, "member": "text" },
    };
    assert_eq!(allocations(&RawDocumentBuf::try_from(&document).unwrap(), &schema.root), 0);
}

#[test]
fn what_hides_nothing_shows_documents_without_a_copy() {
    let catalog = sample::catalog().unwrap();
    for (name, lines) in sample::FILES {
        let shape = &catalog.get(name).unwrap().root;
        let document = decode::document(lines.lines().next().unwrap().as_bytes(), shape).unwrap();
        let counted = allocation_counter::measure(|| drop(visible::document(&document, shape).unwrap()));
        assert_eq!(counted.count_total, 0, "{name}");
    }
}
