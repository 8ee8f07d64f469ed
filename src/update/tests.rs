//! What changes come to, on documents as plain values.

use std::sync::Arc;

use bson::{Bson, RawDocumentBuf, rawdoc};

use super::{Change, ChangePlan, InsertPlan, Next, Precondition};
use crate::{
    codec::decode,
    error::Error,
    schema::{Field, Schema, access::User, load},
};

fn schema() -> Arc<Schema> {
    let file = r#"{
        "type": "object",
        "properties": {
            "n": { "bsonType": "long" },
            "d": { "bsonType": "int", "default": 7 },
            "ro": { "type": "string", "readOnly": true },
            "in": { "type": "object", "properties": { "ro": { "type": "string", "readOnly": true }, "x": {} } },
            "any": { "properties": { "ro": { "readOnly": true } } }
        }
    }"#;
    Arc::new(load::parse("schemas/things.json", "things", file.to_owned()).unwrap())
}

fn next(stored: &RawDocumentBuf, change: Change) -> Result<Next, Error> {
    let plan = ChangePlan { schema: schema(), id: Bson::Int32(1), change, precondition: Precondition::default() };
    plan.next(stored, (&schema().root, None))
}

fn patched(stored: &RawDocumentBuf, patch: &str) -> Result<Next, Error> {
    next(stored, Change::Merge(decode::document(patch.as_bytes(), &schema().root).unwrap()))
}

mod direct;
mod law;
mod narrowed;

#[test]
fn an_insert_is_completed_and_starts_with_its_id() {
    let body = rawdoc! { "n": 1_i64, "_id": bson::oid::ObjectId::from_bytes([1; 12]) };
    let plan = InsertPlan::new((&schema(), None), None, &body);
    let expected = rawdoc! { "_id": bson::oid::ObjectId::from_bytes([1; 12]), "n": 1_i64, "d": 7 };
    assert_eq!(plan.unwrap().document, expected);
}

#[test]
fn a_new_document_keeps_little_more_than_it_takes() {
    let plain = Schema { root: Field::any().prepared(), ..Schema::clone(&schema()) };
    for length in [0, 10, 90, 200, 300, 400, 8_000, 9_000] {
        let body = rawdoc! { "_id": 1, "a": "x".repeat(length) };
        let document = InsertPlan::document((&plain, None), None, &body).unwrap();
        assert_eq!(document, body);
        let bytes = document.into_bytes();
        assert!(bytes.capacity() <= bytes.len() + 64, "{} for {}", bytes.capacity(), bytes.len());
    }
}

#[test]
fn a_merge_keeps_order_and_types_of_what_it_leaves_alone() {
    let stored = rawdoc! { "_id": 1, "n": 5_i64, "x": 5_i32, "in": { "x": 1.0 } };
    for (patch, expected) in [
        (r#"{"x":null}"#, rawdoc! { "_id": 1, "n": 5_i64, "in": { "x": 1.0 } }),
        (r#"{"n":6,"y":6}"#, rawdoc! { "_id": 1, "n": 6_i64, "x": 5_i32, "in": { "x": 1.0 }, "y": 6_i32 }),
        (
            r#"{"in":{"y":null,"z":[null]}}"#,
            rawdoc! { "_id": 1, "n": 5_i64, "x": 5_i32, "in": { "x": 1.0, "z": [bson::RawBson::Null] } },
        ),
        (r#"{"x":{"a":{"b":null}}}"#, rawdoc! { "_id": 1, "n": 5_i64, "x": { "a": {} }, "in": { "x": 1.0 } }),
        (r#"{"in":3}"#, rawdoc! { "_id": 1, "n": 5_i64, "x": 5_i32, "in": 3_i32 }),
    ] {
        assert_eq!(patched(&stored, patch).unwrap(), Next::Store(expected), "{patch}");
    }
    for same in ["{}", r#"{"n":5}"#, r#"{"gone":null}"#, r#"{"in":{}}"#] {
        assert_eq!(patched(&stored, same).unwrap(), Next::Keep, "{same}");
    }
}

#[test]
fn protected_fields_stay_as_they_are() {
    let stored = rawdoc! { "_id": 1, "ro": "a", "in": { "ro": "b", "x": 1 } };
    for (patch, pointer) in [
        (r#"{"ro":"z"}"#, "/ro"),
        (r#"{"ro":null}"#, "/ro"),
        (r#"{"in":null}"#, "/in/ro"),
        (r#"{"in":5}"#, "/in/ro"),
        (r#"{"in":{"ro":null}}"#, "/in/ro"),
        (r#"{"_id":2}"#, "/_id"),
        (r#"{"_id":null}"#, "/_id"),
    ] {
        let error = patched(&stored, patch).unwrap_err();
        assert!(matches!(&error, Error::ReadOnlyField { pointers } if pointers == &[pointer]), "{patch}: {error:?}");
    }
    let put = |body: RawDocumentBuf| next(&stored, Change::Replace(body));
    let kept = rawdoc! { "_id": 1, "ro": "a", "in": { "ro": "b" }, "x": 1, "d": 7 };
    assert_eq!(put(rawdoc! { "x": 1 }).unwrap(), Next::Store(kept));
    assert_eq!(
        put(rawdoc! { "in": { "x": 1 }, "d": 7 }).unwrap(),
        Next::Store(rawdoc! { "_id": 1, "ro": "a", "in": { "ro": "b", "x": 1 }, "d": 7 })
    );
    assert!(put(rawdoc! { "in": { "ro": "z" } }).is_err());
    assert!(put(rawdoc! { "in": 5 }).is_err());
    assert!(put(rawdoc! { "_id": 2 }).is_err());
}

#[test]
fn a_path_names_no_id_that_clients_do_not_choose() {
    let user = User { id: "ada".into(), ..User::default() };
    for (rules, id, is_fine) in [
        (r#""type": "string""#, "bob", true),
        (r#""type": "string", "readOnly": true"#, "bob", false),
        (r#""type": "string", "x-set": { "insert": "uuid" }"#, "bob", false),
        (r#""type": "string", "x-set": { "insert": "user" }"#, "bob", false),
        (r#""type": "string", "x-set": { "insert": "user" }"#, "ada", true),
    ] {
        let file = format!(r#"{{"type": "object", "properties": {{"_id": {{{rules}}}}}}}"#);
        let schema = Arc::new(load::parse("schemas/things.json", "things", file).unwrap());
        let (id, change) = (Bson::from(id), Change::Create(rawdoc! { "n": 1 }));
        let plan = ChangePlan { schema: Arc::clone(&schema), id, change, precondition: Precondition::default() };
        match plan.create((&schema, Some(&user))) {
            Ok(_) => assert!(is_fine, "{rules}"),
            Err(Error::ReadOnlyField { pointers }) => {
                assert!(!is_fine && pointers == ["/_id"], "{rules}: {pointers:?}");
            }
            Err(error) => panic!("{rules}: {error:?}"),
        }
    }
}

#[test]
fn a_list_in_place_of_an_object_holds_no_protected_fields_either() {
    let listed = rawdoc! { "any": [{ "x": 1 }, [{ "ro": 1 }]] };
    let refused = |error| matches!(error, Error::ReadOnlyField { pointers } if pointers == ["/any/1/0/ro"]);
    assert!(refused(InsertPlan::new((&schema(), None), None, &listed).unwrap_err()));
    assert!(refused(patched(&rawdoc! { "_id": 1 }, r#"{"any":[{"x":1},[{"ro":1}]]}"#).unwrap_err()));
    // What another program has stored may be sent back.
    let stored = rawdoc! { "_id": 1, "d": 7, "any": [{ "x": 1 }, [{ "ro": 1 }]] };
    assert_eq!(next(&stored, Change::Replace(stored.clone())).unwrap(), Next::Keep);
}
