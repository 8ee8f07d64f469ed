//! What changes come to for someone who sees and writes only a part.

use std::sync::Arc;

use bson::{Bson, RawDocumentBuf, rawdoc};

use crate::{
    access::{Caller, Permitted, Policy, View, permit},
    codec::decode,
    error::{Error, Result},
    schema::{
        Catalog, Field,
        access::{Op, User},
        load,
    },
    update::{Change, ChangePlan, Insert, InsertPlan, Next, Precondition},
};

const FILE: &str = r#"{
    "type": "object",
    "properties": {
        "_id": { "bsonType": "int" },
        "title": { "type": "string" },
        "cost": { "bsonType": "int", "default": 9 },
        "state": { "type": "string" },
        "secret": { "type": "string", "writeOnly": true },
        "publisher": { "type": "object", "properties": { "name": {}, "margin": {}, "city": { "default": "Rome" } } },
        "prices": { "type": "array", "items": { "type": "object", "properties": { "shop": {}, "n": { "type": "integer" }, "deal": {} } } },
        "by": { "type": "object", "properties": { "owner": { "type": "string" }, "team": { "bsonType": "int" } } },
        "saw": { "type": "string", "x-set": { "update": "user" } },
        "rank": { "bsonType": "int", "x-set": { "insert": "user" } }
    },
    "x-access": {
        "clerk": {
            "ops": ["read", "write"],
            "hide": ["cost", "publisher.margin", "prices.deal"],
            "readOnly": ["state"]
        },
        "owner": {
            "ops": ["read", "write"],
            "filter": { "by.owner": "$user.id" },
            "set": { "by.owner": "$user.id", "by.team": "$user.team" }
        },
        "drop": { "ops": ["insert", "update"] },
        "north": { "ops": ["read", "write"], "filter": { "title": "north" }, "hide": ["cost"] },
        "south": { "ops": ["read", "write"], "filter": { "title": "south" } }
    }
}"#;

fn view(roles: &[&str], id: &str) -> View {
    let schema = load::parse("schemas/things.json", "things", FILE.to_owned()).unwrap();
    let catalog: Catalog = [schema].into_iter().collect();
    let attributes = [("team".to_owned(), 7.into())].into_iter().collect();
    let user = User { id: id.into(), name: "a test".into(), attributes };
    let caller = Caller::known(user, roles.iter().map(|role| (*role).to_owned()));
    Policy::new(false).view(&catalog, &Arc::new(caller), "things").unwrap()
}

fn body(text: &str, view: &View) -> RawDocumentBuf {
    decode::document(text.as_bytes(), &view.declared().root).unwrap()
}

fn next(view: &View, stored: &RawDocumentBuf, change: Change) -> Result<Next> {
    let (schema, precondition) = (Arc::clone(view.declared()), Precondition::default());
    let plan: Permitted<ChangePlan> = permit(view, ChangePlan { schema, id: Bson::Int32(1), change, precondition })?;
    plan.next(Some(stored), plan.shape(Some(stored))?.as_ref())
}

fn put(view: &View, stored: &RawDocumentBuf, text: &str) -> Result<Next> {
    next(view, stored, Change::Replace(body(text, view)))
}

fn patch(view: &View, stored: &RawDocumentBuf, text: &str) -> Result<Next> {
    next(view, stored, Change::Merge(body(text, view)))
}

fn post(view: &View, text: &str) -> Result<RawDocumentBuf> {
    let plan: Permitted<InsertPlan> = permit(view, Insert { body: body(text, view) })?;
    Ok(plan.plan().document.clone())
}

fn whole() -> RawDocumentBuf {
    rawdoc! {
        "_id": 1, "cost": 5, "title": "a", "secret": "s", "publisher": { "margin": 2, "name": "p" },
        "prices": [{ "shop": "x", "deal": true, "n": 3_i64 }],
    }
}

#[test]
fn what_is_out_of_sight_stays_in_its_place() {
    let clerk = view(&["clerk"], "1");
    for (text, expected) in [
        (
            r#"{"title":"b","publisher":{"name":"p"},"prices":[{"shop":"x","n":3}]}"#,
            rawdoc! {
                "_id": 1, "cost": 5, "title": "b", "secret": "s",
                "publisher": { "margin": 2, "name": "p", "city": "Rome" },
                "prices": [{ "shop": "x", "deal": true, "n": 3_i64 }],
            },
        ),
        (
            r#"{"prices":[{"shop":"x","n":3}]}"#,
            rawdoc! {
                "_id": 1, "cost": 5, "secret": "s", "publisher": { "margin": 2 },
                "prices": [{ "shop": "x", "deal": true, "n": 3_i64 }],
            },
        ),
    ] {
        assert_eq!(without_saw(put(&clerk, &whole(), text).unwrap()), expected, "{text}");
    }
    for (text, expected) in [
        (
            r#"{"publisher":null,"secret":null}"#,
            Some(rawdoc! {
                "_id": 1, "cost": 5, "title": "a", "publisher": { "margin": 2 },
                "prices": [{ "shop": "x", "deal": true, "n": 3_i64 }],
            }),
        ),
        (r#"{"prices":[{"shop":"x","n":3}]}"#, None),
        (r#"{"publisher":{"name":"p"},"title":"a"}"#, None),
    ] {
        match (patch(&clerk, &whole(), text).unwrap(), expected) {
            (next, Some(expected)) => assert_eq!(without_saw(next), expected, "{text}"),
            (next, None) => assert_eq!(next, Next::Keep, "{text}"),
        }
    }
}

/// The document to be stored, without what the service writes of who writes.
fn without_saw(next: Next) -> RawDocumentBuf {
    let Next::Store(document) = next else { panic!("{next:?}") };
    let mut document = bson::Document::try_from(document).unwrap();
    assert!(document.remove("saw").is_some());
    RawDocumentBuf::try_from(&document).unwrap()
}

#[test]
fn what_cannot_be_kept_is_refused() {
    let clerk = view(&["clerk"], "1");
    for (text, pointers) in [
        (r#"{"cost":1}"#, &["/cost"][..]),
        (r#"{"cost":null,"publisher":{"margin":null}}"#, &["/cost", "/publisher/margin"]),
        (r#"{"prices":[{"n":1},{"deal":1}]}"#, &["/prices/1/deal"]),
        (r#"{"publisher":[{"margin":1}]}"#, &["/publisher/0/margin"]),
        (r#"{"publisher":5}"#, &["/publisher"]),
        (r#"{"publisher":[]}"#, &["/publisher"]),
        (r#"{"prices":[]}"#, &["/prices"]),
        (r#"{"prices":null}"#, &["/prices"]),
        (r#"{"prices":[{"shop":"x","n":4}]}"#, &["/prices"]),
        (r#"{"prices":{"shop":"x"}}"#, &["/prices"]),
    ] {
        let error = patch(&clerk, &whole(), text).unwrap_err();
        assert!(matches!(&error, Error::HiddenField { pointers: p } if p == pointers), "{text}: {error:?}");
    }
    let error = put(&clerk, &whole(), r#"{"title":"a"}"#).unwrap_err();
    assert!(matches!(&error, Error::HiddenField { pointers } if pointers == &["/prices"]), "{error:?}");
    let error = patch(&clerk, &whole(), r#"{"state":"new"}"#).unwrap_err();
    assert!(matches!(&error, Error::ReadOnlyField { pointers } if pointers == &["/state"]), "{error:?}");
    assert!(matches!(post(&clerk, r#"{"_id":1,"cost":1}"#), Err(Error::HiddenField { .. })));
    let empty = rawdoc! { "_id": 1, "prices": [] };
    assert!(patch(&clerk, &empty, r#"{"prices":[{"shop":"y"}]}"#).is_ok());
}

#[test]
fn a_hidden_default_is_filled_in_where_nothing_was_stored() {
    let clerk = view(&["clerk"], "1");
    assert_eq!(post(&clerk, r#"{"_id":1}"#).unwrap(), rawdoc! { "_id": 1, "cost": 9, "rank": 1 });
    let stored = rawdoc! { "_id": 1, "title": "a" };
    assert_eq!(put(&clerk, &stored, r#"{"title":"a"}"#).unwrap(), Next::Keep);
}

#[test]
fn forced_values_win() {
    let owner = view(&["owner"], "ann");
    let by = rawdoc! { "owner": "ann", "team": 7 };
    for text in [r#"{"_id":1,"by":{"owner":"bob","team":1}}"#, r#"{"_id":1,"by":5}"#, r#"{"_id":1,"by":null}"#] {
        let made = rawdoc! { "_id": 1, "by": { "owner": "ann", "team": 7 }, "cost": 9 };
        assert_eq!(post(&owner, text).unwrap(), made, "{text}");
    }
    assert_eq!(
        post(&owner, r#"{"_id":1}"#).unwrap(),
        rawdoc! { "_id": 1, "cost": 9, "by": { "owner": "ann", "team": 7 } }
    );
    let old = rawdoc! { "_id": 1, "by": { "owner": "ann", "team": 1 }, "cost": 9 };
    assert_eq!(patch(&owner, &old, r#"{"by":{"owner":"bob","team":5}}"#).unwrap(), Next::Keep);
    let Next::Store(next) = patch(&owner, &old, r#"{"title":"t","by":{"owner":"bob"}}"#).unwrap() else { panic!() };
    assert_eq!(next.get_document("by").unwrap(), &*by);
    let other = rawdoc! { "_id": 1, "by": { "owner": "bob" } };
    assert!(matches!(patch(&owner, &other, r#"{"title":"t"}"#), Err(Error::Forbidden(_))));
}

#[test]
fn the_user_is_written_as_the_field_has_it() {
    let (known, odd) = (view(&["drop"], "12"), view(&["drop"], "twelve"));
    assert_eq!(post(&known, r#"{"_id":1}"#).unwrap().get_i32("rank").unwrap(), 12);
    assert_eq!(post(&odd, r#"{"_id":1}"#).unwrap().get("rank").unwrap(), None);
    let stored = rawdoc! { "_id": 1, "saw": "ann" };
    let Next::Store(next) = patch(&odd, &stored, r#"{"title":"t"}"#).unwrap() else { panic!() };
    assert_eq!(next.get_str("saw").unwrap(), "twelve");
}

#[test]
fn who_cannot_read_replaces_what_they_name() {
    let drop = view(&["drop"], "1");
    let next = put(&drop, &whole(), r#"{"title":"b","publisher":{"name":"q"}}"#).unwrap();
    let expected = rawdoc! {
        "_id": 1, "cost": 5, "title": "b", "secret": "s", "publisher": { "name": "q", "city": "Rome" },
        "prices": [{ "shop": "x", "deal": true, "n": 3_i64 }],
    };
    assert_eq!(without_saw(next), expected);
}

#[test]
fn the_roles_of_the_row_decide() {
    let both = view(&["north", "south"], "1");
    assert!(post(&both, r#"{"_id":1,"title":"south","cost":1}"#).is_ok());
    assert!(matches!(post(&both, r#"{"_id":1,"title":"north","cost":1}"#), Err(Error::HiddenField { .. })));
    assert!(matches!(post(&both, r#"{"_id":1,"title":"east"}"#), Err(Error::Forbidden(_))));
    let north = rawdoc! { "_id": 1, "title": "north", "cost": 1 };
    assert!(matches!(patch(&both, &north, r#"{"cost":2}"#), Err(Error::HiddenField { .. })));
    assert!(matches!(patch(&both, &north, r#"{"title":"east"}"#), Err(Error::Forbidden(_))));
    assert!(patch(&both, &north, r#"{"title":"south"}"#).is_ok());
}

#[test]
fn whether_a_value_out_of_sight_was_guessed_is_not_told() {
    let all = view(&["north", "south"], "u");
    let stored = rawdoc! { "_id": 1, "title": "south", "secret": "s", "saw": "v" };
    for secret in ["s", "other"] {
        let body = format!(r#"{{"secret":"{secret}"}}"#);
        let expected = rawdoc! { "_id": 1, "title": "south", "secret": secret, "saw": "u" };
        assert_eq!(patch(&all, &stored, &body).unwrap(), Next::Store(expected), "{secret}");
    }
    assert_eq!(patch(&all, &stored, r#"{"title":"south"}"#).unwrap(), Next::Keep);
}

#[test]
fn only_so_many_fields_are_named() {
    let prices = vec![r#"{"deal":1}"#; 1000].join(",");
    let error = post(&view(&["clerk"], "u"), &format!(r#"{{"_id":1,"prices":[{prices}]}}"#)).unwrap_err();
    assert!(matches!(&error, Error::HiddenField { pointers } if pointers.len() == 100), "{error:?}");
}

/// Whether this holds at or below a place, in members.
fn somewhere(field: &Field, holds: fn(&Field) -> bool) -> bool {
    holds(field) || field.properties.values().any(|field| somewhere(field, holds))
}

fn check_known(field: &Field) {
    let is_owned = |field: &Field| field.read_only || field.set.is_some() || field.forced.is_some();
    assert_eq!(field.owned, somewhere(field, is_owned), "{field:?}");
    assert_eq!(field.defaulted, somewhere(field, |field| field.default.is_some()), "{field:?}");
    field.properties.values().chain(field.items.as_deref()).for_each(check_known);
}

#[test]
fn what_is_below_a_place_is_known_there() {
    let (owned, defaulted) = (|field: &Field| field.owned, |field: &Field| field.defaulted);
    for (role, own, filled) in [
        ("drop", &["saw", "rank"][..], &["cost", "publisher"][..]),
        ("clerk", &["state", "saw", "rank"], &["cost", "publisher"]),
        ("owner", &["by", "saw", "rank"], &["cost", "publisher"]),
    ] {
        let view = view(&[role], "1");
        let schema = view.schema(Op::Insert).unwrap();
        let names = |holds: fn(&Field) -> bool| {
            let held = schema.root.properties.iter().filter(move |(_, field)| holds(field));
            held.map(|(name, _)| name.as_str()).collect::<Vec<_>>()
        };
        assert_eq!((names(owned), names(defaulted)), (own.to_vec(), filled.to_vec()), "{role}");
        check_known(&schema.root);
        let document = rawdoc! { "by": { "owner": "1" } };
        check_known(view.shape_on(Op::Update, &document).unwrap().root());
    }
}

#[test]
fn who_is_held_to_some_documents_inserts_the_same() {
    let text = r#"{"title":"north","by":{"owner":"1","team":7},"_id":3,"state":"x","state2":[1]}"#;
    let documents = ["owner", "drop", "south"].map(|role| post(&view(&[role], "1"), text));
    let [owner, drop, south] = documents;
    assert_eq!(owner.unwrap(), drop.unwrap());
    assert!(matches!(south, Err(Error::Forbidden(_))), "{south:?}");
    for role in ["owner", "drop"] {
        let refused = post(&view(&[role], "1"), r#"{"_id":3,"rank":1,"by":{"owner":"1","team":7}}"#);
        assert!(matches!(refused, Err(Error::ReadOnlyField { .. })), "{role}: {refused:?}");
    }
}
