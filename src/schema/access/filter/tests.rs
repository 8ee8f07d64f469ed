use bson::{bson, oid::ObjectId, rawdoc};
use serde_json::json;

use super::*;
use crate::schema::{Field, Kind, Kinds};

fn user() -> User {
    let attributes = json!({ "tenant": 7, "teams": ["a", "b"], "digits": "12", "none": null, "nested": { "a": 1 },
        "mixed": ["a", { "b": 1 }], "flag": true, "half": 0.5, "empty": [], "maybe": ["a", null] });
    let attributes = attributes.as_object().unwrap().iter().map(|(name, value)| (name.clone(), value.clone()));
    User { id: "6650f0000000000000000001".into(), name: "Ann".into(), attributes: attributes.collect() }
}

fn shape(kinds: &[Kind]) -> Box<Field> {
    Box::new(Field { kinds: kinds.iter().copied().collect::<Kinds>(), ..Field::any() })
}

#[test]
fn gives_what_is_known_of_callers_the_type_of_the_field() {
    let id = ObjectId::parse_str("6650f0000000000000000001").unwrap();
    for (name, kinds, expected) in [
        ("id", &[Kind::ObjectId][..], Some(bson!(id))),
        ("id", &[Kind::ObjectId, Kind::String], Some(bson!("6650f0000000000000000001"))),
        ("name", &[Kind::String], Some(bson!("Ann"))),
        ("name", &[Kind::ObjectId], None),
        ("tenant", &[Kind::Int], Some(bson!(7))),
        ("tenant", &[Kind::Long, Kind::Null], Some(bson!(7_i64))),
        ("tenant", &[Kind::String], None),
        ("digits", &[Kind::Long], Some(bson!(12_i64))),
        ("digits", &[Kind::Int], Some(bson!(12))),
        ("digits", &[Kind::String], Some(bson!("12"))),
        ("half", &[Kind::Double], Some(bson!(0.5))),
        ("half", &[Kind::Int], None),
        ("flag", &[Kind::Bool], Some(bson!(true))),
        ("teams", &[Kind::String], None),
        ("nested", &[Kind::String], None),
        ("none", &[Kind::String, Kind::Null], None),
        ("missing", &[Kind::String, Kind::Null], None),
    ] {
        let value = Value::User(name.into(), shape(kinds));
        assert_eq!(value.bind(Some(&user())), expected, "{name} as {kinds:?}");
        assert_eq!((value.is_known(Some(&user())), value.bind(None)), (expected.is_some(), None), "{name}");
    }
}

#[test]
fn gives_lists_to_lists_alone() {
    for (name, expected) in [
        ("teams", Some(bson!(["a", "b"]))),
        ("digits", Some(bson!(["12"]))),
        ("id", Some(bson!(["6650f0000000000000000001"]))),
        ("empty", Some(bson!([]))),
        ("mixed", None),
        ("maybe", None),
        ("none", None),
        ("missing", None),
    ] {
        let filter = Filter::In("a".into(), true, Value::User(name.into(), shape(&[Kind::String])));
        let bound = filter.bind(Some(&user()));
        assert_eq!(bound, expected.map(|values| Filter::In("a".into(), true, values)), "{name}");
        let inside = Filter::None(vec![Filter::Exists("a".into(), true), filter]);
        assert_eq!(inside.bind(Some(&user())).is_some(), bound.is_some(), "{name}");
    }
}

#[test]
fn an_attribute_takes_the_place_of_nothing_that_everyone_has() {
    let mut user = user();
    user.attributes.insert("id".into(), json!(["other"]));
    user.attributes.insert("name".into(), json!("Other"));
    let bound = |name: &str| Value::User(name.into(), shape(&[Kind::String])).bind_list(Some(&user)).unwrap();
    assert_eq!((bound("id"), bound("name")), (bson!(["6650f0000000000000000001"]), bson!(["Ann"])));
}

#[test]
fn finds_nothing_in_what_cannot_be_read() {
    let mut bytes = rawdoc! { "a": "text", "b": 1 }.into_bytes();
    bytes[11] = 0xff;
    let document = bson::RawDocumentBuf::from_bytes(bytes).unwrap();
    let filter = Filter::Compare("b".into(), Comparison::Eq, bson!(1));
    assert!(filter.matches(&rawdoc! { "b": 1 }) && filter.matches(&document));
    for filter in [
        Filter::Compare("a".into(), Comparison::Ne, bson!("x")),
        Filter::None(vec![Filter::Compare("a".into(), Comparison::Eq, bson!("x"))]),
    ] {
        assert!(!filter.matches(&document) && filter.matches(&rawdoc! { "b": 1 }));
    }
}
