//! What follows a position, as filters. That they are right is shown on a server, by the tests of pages.

use std::{fmt::Write, str::FromStr};

use bson::{Bson, Decimal128, Document, RawArrayBuf, RawBson, Regex, doc, rawdoc};

use super::{after, check, keys, keys_are_fields};
use crate::schema::{Schema, load};

fn schema() -> Schema {
    let file = r#"{
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": { "type": "string" },
            "count": { "type": "integer" },
            "either": { "type": ["string", "integer"] },
            "tags": { "type": "array", "items": { "type": "string" } },
            "at": { "type": "array", "items": { "bsonType": "double" } },
            "place": { "type": ["object", "null"], "properties": { "city": { "type": ["string", "null"] } } },
            "map": { "type": "object" },
            "parts": { "type": "array", "items": { "type": "object", "properties": { "at": { "bsonType": "date" } } } }
        },
        "additionalProperties": { "type": "string" }
    }"#;
    load::parse("schemas/things.json", "things", file.to_owned()).unwrap()
}

fn position(values: Vec<Bson>) -> RawArrayBuf {
    values.into_iter().map(|value| RawBson::try_from(value).unwrap()).collect()
}

#[test]
fn a_declared_scalar_is_its_own_key() {
    let schema = schema();
    for name in ["_id", "name", "count", "place.city"] {
        assert!(keys_are_fields(&schema, &doc! { name: 1 }), "{name}");
    }
    for name in ["either", "tags", "at.0", "place", "place.street", "map.a", "parts.at", "undeclared", "name.a"] {
        assert!(!keys_are_fields(&schema, &doc! { "name": 1, name: 1 }), "{name}");
    }
}

#[test]
fn keys_are_read_through_objects() {
    let document = rawdoc! { "_id": 7, "name": "a", "place": { "city": "Rome" } };
    let sort = doc! { "place.city": 1, "count": 1, "name.first": 1, "_id": 1 };
    let expected = position(vec!["Rome".into(), Bson::Null, Bson::Null, 7.into()]);
    assert_eq!(keys(&document, &sort).unwrap(), expected);
}

#[test]
fn what_follows_is_a_filter() {
    let nan = Bson::Decimal128(Decimal128::from_str("NaN").unwrap());
    let cases: Vec<(Document, Vec<Bson>)> = vec![
        (doc! { "_id": 1 }, vec![bson::oid::ObjectId::from_bytes([1; 12]).into()]),
        (doc! { "name": 1, "count": -1 }, vec!["a".into(), 3.into()]),
        (doc! { "count": 1, "name": 1 }, vec![nan.clone(), "a".into()]),
        (doc! { "count": -1, "name": 1 }, vec![nan, "a".into()]),
        (doc! { "count": 1, "name": 1 }, vec![Bson::Null, "a".into()]),
        (doc! { "count": -1, "name": -1 }, vec![Bson::Null, "a".into()]),
        (doc! { "count": -1 }, vec![Bson::Null]),
        (doc! { "either": 1, "_id": 1 }, vec![3.into(), 1.into()]),
        (doc! { "either": -1 }, vec![f64::NAN.into()]),
        (doc! { "tags": -1 }, vec![Bson::Undefined]),
        (doc! { "tags": 1 }, vec![Bson::Array(vec![1.into()])]),
        (doc! { "parts.at": 1 }, vec![Bson::Null]),
        (doc! { "parts.a": 1, "parts.b": -1 }, vec![1.into(), Bson::MaxKey]),
        (doc! { "at.0": 1, "at.1": 1 }, vec![Bson::Null, Bson::Null]),
    ];
    let mut shown = String::new();
    for (sort, values) in cases {
        let filter = after(&schema(), &sort, &position(values.clone())).unwrap();
        writeln!(shown, "{sort} after {values:?}\n  {filter}\n").unwrap();
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn positions_that_do_not_fit_are_refused() {
    let twice = {
        let mut document = rawdoc! { "a": 1 };
        document.append(bson::raw::cstr!("a"), 2);
        RawArrayBuf::from_iter([RawBson::Document(document)])
    };
    let regex =
        Bson::RegularExpression(Regex { pattern: bson::raw::cstr!("a").into(), options: bson::raw::cstr!("").into() });
    for (sort, position, expected) in [
        (doc! { "count": 1 }, position(vec!["a".into()]), "has changed"),
        (doc! { "name": 1, "count": 1 }, position(vec!["a".into()]), "has changed"),
        (doc! { "name": 1 }, position(vec!["a".into(), 1.into()]), "has changed"),
        (doc! { "tags": 1 }, position(vec![regex]), "a regular expression"),
        (doc! { "tags": 1 }, twice, "a name twice"),
    ] {
        let error = after(&schema(), &sort, &position).unwrap_err().to_string();
        assert!(error.starts_with("after: ") && error.contains(expected), "{sort}: {error}");
    }
}

#[test]
fn orders_that_no_filter_can_follow_are_refused() {
    let schema = schema();
    for sort in [
        doc! { "tags": 1 },
        doc! { "at.0": 1, "at.1": -1 },
        doc! { "map.2024": 1, "map.2025": 1, "map.total": 1 },
        doc! { "parts.at": 1, "parts.by": 1 },
        doc! { "place": 1, "place.city": 1 },
        doc! { "map.a.b": 1, "map.a.c": 1 },
    ] {
        check(&schema, &sort).unwrap();
    }
    let deep = ["a"; 41].join(".");
    for (sort, expected) in [
        (doc! { "map.a.0": 1 }, "`map.a.0` may be an item"),
        (doc! { "parts.0": 1 }, "`parts.0` may be an item"),
        (doc! { "tags": 1, "tags.0": 1 }, "may be of the same array"),
        (doc! { "map.a": 1, "map.a.b": 1 }, "may be of the same array"),
        (doc! { format!("map.{deep}"): 1 }, "at most 40 names"),
    ] {
        let error = check(&schema, &sort).unwrap_err().to_string();
        assert!(error.starts_with("sort: ") && error.contains(expected), "{sort}: {error}");
    }
}
