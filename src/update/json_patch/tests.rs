//! Patches on documents as plain values.

use std::fmt::Write;

use bson::{RawDocumentBuf, rawdoc};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Error, Field, JsonPatch};
use crate::{
    codec::{decode, encode},
    schema::load,
};

mod reference;
mod rfc;

/// What the patch makes of the document, both in JSON, where nothing is declared; the document's `_id` is left out.
fn patched(document: &Value, patch: &Value) -> Result<Value, Error> {
    let shape = Field::any();
    let document = decode::document(reference::with_id(document).to_string().as_bytes(), &shape).unwrap();
    let next = JsonPatch::parse(patch.to_string().as_bytes(), &shape)?.apply(&document, &shape)?;
    let mut text = Vec::new();
    encode::document(&mut text, &next, &shape).unwrap();
    Ok(reference::without_id(serde_json::from_slice(&text).unwrap()))
}

/// The operation that fails, and why.
#[track_caller]
fn failure(document: &Value, patch: &Value) -> (usize, String) {
    match patched(document, patch) {
        Err(Error::PatchFailed { operation: Some(operation), detail }) => (operation, detail),
        other => panic!("{patch} on {document}: {other:?}"),
    }
}

fn things() -> Field {
    let file = json!({
        "type": "object",
        "properties": {
            "at": { "bsonType": "date" },
            "until": { "bsonType": "date" },
            "text": { "type": "string" },
            "price": { "bsonType": "decimal" },
            "count": { "bsonType": "long" },
            "whole": { "type": "integer" },
            "a.b": { "bsonType": "long" },
            "days": { "type": "array", "items": { "bsonType": "date" } },
            "pair": { "type": "array", "prefixItems": [{ "bsonType": "date" }, { "type": "string" }] },
            "by": { "type": "object", "additionalProperties": { "bsonType": "date" } },
        },
    });
    load::parse("schemas/things.json", "things", file.to_string()).unwrap().root
}

fn typed(document: &RawDocumentBuf, patch: &str) -> Result<RawDocumentBuf, Error> {
    let shape = things();
    JsonPatch::parse(patch.as_bytes(), &shape)?.apply(document, &shape)
}

const DAY: i64 = 86_400_000;

fn day(days: i64) -> bson::DateTime {
    bson::DateTime::from_millis(days * DAY)
}

#[test]
fn values_have_the_types_of_where_they_land() {
    let stored = rawdoc! { "_id": 1, "at": day(0), "days": [day(0), day(1)], "pair": [day(0), "x"], "n": 1_i64 };
    for (patch, expected) in [
        (
            r#"[{"op":"replace","path":"/at","value":"1970-01-02T00:00:00Z"}]"#,
            rawdoc! { "_id": 1, "at": day(1), "days": [day(0), day(1)], "pair": [day(0), "x"], "n": 1_i64 },
        ),
        (
            r#"[{"op":"add","path":"/days/1","value":"1970-01-03T00:00:00Z"},{"op":"remove","path":"/pair"},{"op":"remove","path":"/n"}]"#,
            rawdoc! { "_id": 1, "at": day(0), "days": [day(0), day(2), day(1)] },
        ),
        (
            r#"[{"op":"replace","path":"","value":{"by":{"0":"1970-01-02T00:00:00Z"},"a.b":1}}]"#,
            rawdoc! { "_id": 1, "by": { "0": day(1) }, "a.b": 1_i64 },
        ),
        // What moves is read again where it lands, what stays is not.
        (
            r#"[{"op":"move","from":"/at","path":"/text"},{"op":"remove","path":"/days"},{"op":"remove","path":"/pair"}]"#,
            rawdoc! { "_id": 1, "n": 1_i64, "text": "1970-01-01T00:00:00.000Z" },
        ),
        (
            r#"[{"op":"add","path":"/x","value":"1970-01-02T00:00:00Z"},{"op":"move","from":"/x","path":"/at"},{"op":"remove","path":"/days"},{"op":"remove","path":"/pair"}]"#,
            rawdoc! { "_id": 1, "at": day(1), "n": 1_i64 },
        ),
        (
            r#"[{"op":"copy","from":"/days","path":"/x"},{"op":"remove","path":"/days"},{"op":"remove","path":"/pair"},{"op":"remove","path":"/x/0"}]"#,
            rawdoc! { "_id": 1, "at": day(0), "n": 1_i64, "x": ["1970-01-02T00:00:00.000Z"] },
        ),
        (
            r#"[{"op":"remove","path":"/pair/0"},{"op":"remove","path":"/days"},{"op":"remove","path":"/n"}]"#,
            rawdoc! { "_id": 1, "at": day(0), "pair": ["x"] },
        ),
        (
            r#"[{"op":"add","path":"/pair/-","value":5},{"op":"remove","path":"/pair/1"},{"op":"remove","path":"/days"},{"op":"remove","path":"/n"}]"#,
            rawdoc! { "_id": 1, "at": day(0), "pair": [day(0), 5_i32] },
        ),
        (
            r#"[{"op":"copy","from":"/pair/0","path":"/pair/1"},{"op":"remove","path":"/days"},{"op":"remove","path":"/n"}]"#,
            rawdoc! { "_id": 1, "at": day(0), "pair": [day(0), "1970-01-01T00:00:00.000Z", "x"] },
        ),
        (
            r#"[{"op":"copy","from":"/n","path":"/whole"},{"op":"copy","from":"/n","path":"/m"},{"op":"remove","path":"/days"},{"op":"remove","path":"/pair"}]"#,
            rawdoc! { "_id": 1, "at": day(0), "n": 1_i64, "whole": 1_i64, "m": 1_i64 },
        ),
    ] {
        assert_eq!(typed(&stored, patch).unwrap(), expected, "{patch}");
    }
}

#[test]
fn a_test_compares_what_is_seen() {
    let stored = rawdoc! { "_id": 1, "at": day(0), "price": "1.50".parse::<bson::Decimal128>().unwrap(), "count": 5_i64, "whole": 5.0, "days": [day(0)], "in": { "a": 1, "b": [1, bson::RawBson::Null] }, "n": bson::RawBson::Null };
    for (path, value, is_so) in [
        ("/at", r#""1970-01-01T00:00:00Z""#, true),
        ("/at", r#""1970-01-01T01:00:00.000+01:00""#, true),
        ("/at", r#"{"$date":"1970-01-01T00:00:00Z"}"#, true),
        ("/at", r#""1970-01-01T00:00:01Z""#, false),
        ("/price", r#""1.5""#, true),
        ("/price", "1.50", true),
        ("/price", "1.51", false),
        ("/count", "5", true),
        ("/count", "5.0", true),
        ("/count", r#""5""#, true),
        ("/count", r#""five""#, false),
        ("/whole", "5", true),
        ("/whole", "50e-1", true),
        ("/whole", "4", false),
        ("/days", r#"["1970-01-01T00:00:00.0Z"]"#, true),
        ("/days/0", r#""1970-01-01T00:00:00Z""#, true),
        ("/days", "[]", false),
        ("/in", r#"{"b":[1.0,null],"a":1}"#, true),
        ("/in", r#"{"b":[null,1],"a":1}"#, false),
        ("/in", r#"{"a":1}"#, false),
        ("/in", r#"{"a":1,"b":[1,null],"c":null}"#, false),
        ("/n", "null", true),
        ("/n", "false", false),
        ("/in/a", "true", false),
        ("/in/a", r#""1""#, false),
    ] {
        let tested = typed(&stored, &format!(r#"[{{"op":"test","path":"{path}","value":{value}}}]"#));
        match tested {
            Ok(next) => assert!(is_so && next == stored, "{path} {value}"),
            Err(Error::PatchFailed { operation: Some(0), .. }) => assert!(!is_so, "{path} {value}"),
            Err(error) => panic!("{path} {value}: {error:?}"),
        }
    }
}

#[test]
fn what_is_not_touched_keeps_its_bytes() {
    let stored = rawdoc! { "_id": 1, "whole": 5_i64, "in": { "z": 1.0, "a": 7_i64 }, "days": ["none", 1], "x": 1 };
    let next = typed(
        &stored,
        r#"[{"op":"add","path":"/in/b","value":1},{"op":"add","path":"/days/-","value":null},{"op":"remove","path":"/x"},{"op":"add","path":"/x","value":2}]"#,
    );
    let expected = rawdoc! { "_id": 1, "whole": 5_i64, "in": { "z": 1.0, "a": 7_i64, "b": 1 }, "days": ["none", 1, bson::RawBson::Null], "x": 2 };
    assert_eq!(next.unwrap(), expected);
}

#[test]
fn the_whole_document_keeps_its_id() {
    let stored = rawdoc! { "_id": 1, "a": 1 };
    for (patch, expected) in [
        (r#"[{"op":"replace","path":"","value":{"b":2}}]"#, rawdoc! { "_id": 1, "b": 2 }),
        (r#"[{"op":"add","path":"","value":{"b":2,"_id":3}}]"#, rawdoc! { "_id": 3, "b": 2 }),
        (
            r#"[{"op":"add","path":"/b","value":{"c":1}},{"op":"move","from":"/b","path":""}]"#,
            rawdoc! { "_id": 1, "c": 1 },
        ),
        (r#"[{"op":"copy","from":"","path":"/b"}]"#, rawdoc! { "_id": 1, "a": 1, "b": { "_id": 1, "a": 1 } }),
        (r#"[{"op":"move","from":"","path":""},{"op":"test","path":"","value":{"a":1,"_id":1}}]"#, stored.clone()),
        (r#"[{"op":"remove","path":"/_id"}]"#, rawdoc! { "a": 1 }),
    ] {
        assert_eq!(typed(&stored, patch).unwrap(), expected, "{patch}");
    }
    for patch in [
        r#"[{"op":"remove","path":""}]"#,
        r#"[{"op":"replace","path":"","value":5}]"#,
        r#"[{"op":"move","from":"/a","path":""}]"#,
        r#"[{"op":"add","path":"","value":[]}]"#,
    ] {
        let error = typed(&stored, patch).unwrap_err();
        assert!(matches!(error, Error::PatchFailed { operation: Some(0), .. }), "{patch}: {error:?}");
    }
}

#[test]
fn tells_which_operation_fails_and_why() {
    let document = json!({ "a": { "b": 1 }, "list": [1, 2], "text": "x" });
    for (patch, operation, detail) in [
        (json!([{ "op": "remove", "path": "/x" }]), 0, "there is nothing at `/x`"),
        (
            json!([{ "op": "remove", "path": "/a" }, { "op": "add", "path": "/a/b", "value": 1 }]),
            1,
            "there is nothing at `/a`",
        ),
        (
            json!([{ "op": "add", "path": "/text/x/y", "value": 1 }]),
            0,
            "there is no place `/text/x`: `/text` is neither an object nor a list",
        ),
        (
            json!([{ "op": "add", "path": "/list/3", "value": 1 }]),
            0,
            "there is no place `/list/3`: the list at `/list` has 2 items",
        ),
        (
            json!([{ "op": "replace", "path": "/list/-", "value": 1 }]),
            0,
            "there is no place `/list/-`: the list at `/list` has 2 items",
        ),
        (
            json!([{ "op": "test", "path": "/a/b", "value": 2 }]),
            0,
            "the value at `/a/b` is not the one that the test expects",
        ),
    ] {
        assert_eq!(failure(&document, &patch), (operation, detail.to_owned()), "{patch}");
    }
}

#[test]
fn refuses_what_is_no_patch() {
    for (text, line, column, pointer, detail) in [
        ("{}", 1, 1, None, "expected a JSON patch: an array of operations"),
        ("[5]", 1, 2, Some("/0"), "expected an operation: an object of `op`, `path` and what belongs to it"),
        ("[{}]", 1, 2, Some("/0"), "`path` is missing"),
        (r#"[{"path":""}]"#, 1, 2, Some("/0"), "`op` is missing"),
        (r#"[{"op":"remove"}]"#, 1, 2, Some("/0"), "`path` is missing"),
        (r#"[{"op":"remove","path":null}]"#, 1, 24, Some("/0/path"), "expected a string"),
        (
            r#"[{"op":"remove","path":"a"}]"#,
            1,
            24,
            Some("/0/path"),
            "expected a JSON pointer: an empty one, or names each behind a `/`",
        ),
        (r#"[{"op":"remove","path":"/~2"}]"#, 1, 24, Some("/0/path"), "`~2`: expected `~0` for `~` and `~1` for `/`"),
        (
            r#"[{"op":"inc","path":"/a"}]"#,
            1,
            8,
            Some("/0/op"),
            "expected `add`, `remove`, `replace`, `move`, `copy` or `test`",
        ),
        (
            "[{\"op\":\"remove\",\"path\":\"/a\"},\n{\"op\":\"add\",\"path\":\"/a\"}]",
            2,
            1,
            Some("/1"),
            "`value` is missing",
        ),
        (r#"[{"op":"move","path":"/a"}]"#, 1, 2, Some("/0"), "`from` is missing"),
        (r#"[{"op":"move","from":"/a","path":"/a/b"}]"#, 1, 2, Some("/0/path"), "`/a` cannot be moved into itself"),
        (r#"[{"op":"add","op":"add","path":"/a","value":1}]"#, 1, 14, Some("/0"), "duplicate key `op`"),
        (r#"[{"op":"add","path":"/a","value":1,"value":1}]"#, 1, 36, Some("/0"), "duplicate key `value`"),
        (r#"[{"op":"add","path":"/a","value":{"b":1,"b":2}}]"#, 1, 41, None, "duplicate key `b`"),
        (r#"[{"op":"add","path":"/a","value":01}]"#, 1, 35, None, "invalid number"),
        (r#"[{"op":"add","path":"/a","value":1}] x"#, 1, 38, None, "trailing characters"),
        ("[", 1, 1, None, "EOF while parsing a list"),
        (r#"[{"op":"remove","path":"/a"},]"#, 1, 30, None, "trailing comma"),
    ] {
        let error = JsonPatch::parse(text.as_bytes(), &Field::any()).unwrap_err();
        let Error::MalformedBody(at) = &error else { panic!("{text}: {error:?}") };
        let found = (at.line, at.column, at.pointer.as_deref(), at.detail.as_str());
        assert_eq!(found, (line, column, pointer, detail), "{text}");
    }
}

#[test]
fn names_are_those_that_documents_may_have() {
    for path in ["/a.b", "/$set", "/in/$x", "/a\\u0000"] {
        let shape = Field::any();
        for operation in [
            format!(r#"{{"op":"add","path":"{path}","value":1}}"#),
            format!(r#"{{"op":"copy","from":"/x","path":"{path}"}}"#),
            format!(r#"{{"op":"move","from":"/x","path":"{path}"}}"#),
        ] {
            let error = JsonPatch::parse(format!("[{operation}]").as_bytes(), &shape).unwrap_err();
            let Error::MalformedBody(at) = &error else { panic!("{operation}: {error:?}") };
            assert_eq!(at.pointer.as_deref(), Some("/0/path"), "{operation}");
        }
        JsonPatch::parse(format!(r#"[{{"op":"remove","path":"{path}"}}]"#).as_bytes(), &shape).unwrap();
    }
    let next = typed(&rawdoc! { "_id": 1 }, r#"[{"op":"add","path":"/a.b","value":1}]"#);
    assert_eq!(next.unwrap(), rawdoc! { "_id": 1, "a.b": 1_i64 });
}

#[test]
fn nothing_hidden_is_reached() {
    let shape = Field::hiding(["secret", "in.secret", "list.secret", "-.secret"]);
    let check =
        |operation: Value| JsonPatch::parse(json!([operation]).to_string().as_bytes(), &shape).unwrap().check(&shape);
    for path in
        ["/secret", "/secret/x", "/in/secret", "/list/0/secret", "/list/-/secret", "/in/0/secret/a", "/-/secret"]
    {
        for operation in [
            json!({ "op": "add", "path": path, "value": 1 }),
            json!({ "op": "remove", "path": path }),
            json!({ "op": "test", "path": path, "value": 1 }),
            json!({ "op": "copy", "path": "/x", "from": path }),
            json!({ "op": "copy", "from": "/x", "path": path }),
        ] {
            let error = check(operation.clone()).unwrap_err();
            assert!(matches!(&error, Error::HiddenField { pointers } if pointers == &[path]), "{operation}: {error:?}");
        }
    }
    for path in ["", "/in", "/list/-", "/list/0", "/other/secret", "/-"] {
        check(json!({ "op": "test", "path": path, "value": {} })).unwrap();
    }
    // Nor does what is seen become hidden.
    let seen = rawdoc! { "_id": 1, "in": { "a": 1 }, "list": [{}], "open": { "secret": 1 } };
    for patch in [
        json!([{ "op": "add", "path": "/in", "value": { "secret": 1 } }]),
        json!([{ "op": "add", "path": "/list/0", "value": { "secret": 1 } }]),
        json!([{ "op": "move", "from": "/open", "path": "/in" }]),
        json!([{ "op": "copy", "from": "/open", "path": "/list/-" }]),
        json!([{ "op": "add", "path": "", "value": { "secret": 1 } }]),
    ] {
        let error = JsonPatch::parse(patch.to_string().as_bytes(), &shape).unwrap().apply(&seen, &shape).unwrap_err();
        assert!(matches!(&error, Error::HiddenField { .. }), "{patch}: {error:?}");
    }
}

#[test]
fn growth_depth_and_work_are_bounded() {
    let doubling: Vec<_> = (0..64).map(|n| json!({ "op": "copy", "from": "", "path": format!("/a{n}") })).collect();
    let error = patched(&json!({ "a": "x".repeat(1000) }), &json!(doubling)).unwrap_err();
    assert!(matches!(error, Error::TooLarge { what: "document", .. }), "{error:?}");

    let nest = |n: usize| {
        [
            json!({ "op": "add", "path": "/b", "value": {} }),
            json!({ "op": "move", "from": "/a", "path": "/b/a" }),
            json!({ "op": "move", "from": "/b", "path": "/a" }),
        ]
        .map(|o| (n, o))
    };
    let nested: Vec<_> = (0..200).flat_map(nest).map(|(_, operation)| operation).collect();
    let (_, detail) = failure(&json!({ "a": {} }), &json!(nested));
    assert_eq!(detail, "at `/b/a` the value would be nested deeper than 100 levels");

    let large = decode::document(json!({ "a": vec![0; 500_000] }).to_string().as_bytes(), &Field::any()).unwrap();
    let mut text = "[".to_owned();
    for _ in 0..9_999 {
        write!(text, r#"{{"op":"add","path":"/a/0","value":0}},"#).unwrap();
    }
    text.push_str(r#"{"op":"remove","path":"/a"}]"#);
    let error = JsonPatch::parse(text.as_bytes(), &Field::any()).unwrap().apply(&large, &Field::any()).unwrap_err();
    assert!(matches!(&error, Error::PatchFailed { detail, .. } if detail.contains("too many steps")), "{error:?}");

    let many = format!("[{}]", vec![r#"{"op":"remove","path":"/a"}"#; 10_001].join(","));
    let error = JsonPatch::parse(many.as_bytes(), &Field::any()).unwrap_err();
    assert!(matches!(&error, Error::MalformedBody(at) if at.detail == "more than 10000 operations"), "{error:?}");
}

#[test]
fn large_patches_are_applied_in_time() {
    let document = json!({ "a": {}, "list": vec![1; 1000] });
    let operations: Vec<_> = (0..5_000)
        .flat_map(|n| {
            [
                json!({ "op": "add", "path": format!("/a/{n}"), "value": { "n": n } }),
                json!({ "op": "move", "from": format!("/list/{}", n % 1000), "path": "/list/0" }),
            ]
        })
        .collect();
    let next = patched(&document, &json!(operations)).unwrap();
    assert_eq!(next["a"].as_object().unwrap().len(), 5_000);
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..4_i64).prop_map(Value::from),
        (0..8_i32).prop_map(|n| Value::from(f64::from(n) / 4.0)),
        "[a-c~/ ]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec(("[a-c~/0-]{0,1}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn objects() -> impl Strategy<Value = Value> {
    proptest::collection::vec(("[a-c~/0-]{0,1}", values()), 0..5)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

fn paths() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        "[a-c]",
        "[a-c]",
        "[0-3]",
        Just("-".to_owned()),
        Just("~0".to_owned()),
        Just("~1".to_owned()),
        Just(String::new())
    ];
    proptest::collection::vec(token, 0..4)
        .prop_map(|tokens| tokens.iter().fold(String::new(), |path, token| path + "/" + token))
}

fn operations() -> impl Strategy<Value = Value> {
    (0..6, paths(), paths(), values()).prop_map(|(op, path, from, value)| match op {
        0 => json!({ "op": "add", "path": path, "value": value }),
        1 => json!({ "op": "remove", "path": path }),
        2 => json!({ "op": "replace", "path": path, "value": value }),
        3 => json!({ "op": "move", "path": path, "from": from }),
        4 => json!({ "op": "copy", "path": path, "from": from }),
        _ => json!({ "op": "test", "path": path, "value": value }),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn patches_do_what_the_reference_does(document in objects(), patch in proptest::collection::vec(operations(), 0..6)) {
        let expected = reference::patched(&document, &patch);
        match patched(&document, &json!(patch)) {
            Ok(found) => prop_assert!(expected.as_ref().is_some_and(|expected| reference::same(&found, expected)), "{} is not {:?}", found, expected),
            Err(Error::PatchFailed { .. } | Error::MalformedBody(_)) => prop_assert_eq!(expected, None),
            Err(error) => prop_assert!(false, "{:?}", error),
        }
    }
}
