use bson::{Document, doc, rawdoc};

use super::*;
use crate::schema::load;

/// Three collections: `things` has rules of every kind, `open` lets everyone read, `closed` is for admins alone.
fn catalog() -> Catalog {
    let properties = r#""properties": {"owner": {"type": "string"}, "status": {"type": "string"},
        "cost": {"bsonType": "int"}, "team": {"type": "string"},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"cost": {"bsonType": "int"}}}}}"#;
    let things = r#"{
        "anonymous": {"ops": ["read"], "filter": {"status": "public"}, "hide": ["cost", "lines.cost"]},
        "member": {"ops": ["read", "update"], "filter": {"owner": "$user.id"}, "hide": ["cost"], "set": {"owner": "$user.id"}},
        "team": {"ops": ["read"], "filter": {"team": {"$in": "$user.teams"}}},
        "clerk": {"ops": ["read", "insert"], "hide": ["cost"]},
        "editor": {"ops": ["update"], "filter": {"status": "draft"}},
        "setter": {"ops": ["insert"], "set": {"team": "$user.team"}},
        "boss": ["*"]
    }"#;
    let parse = |name: &str, access: &str| {
        load::parse(&format!("{name}.json"), name, format!(r#"{{"type": "object", {properties}{access}}}"#)).unwrap()
    };
    [
        parse("things", &format!(r#", "x-access": {things}"#)),
        parse("open", r#", "x-access": {"anonymous": ["read"]}"#),
        parse("closed", ""),
    ]
    .into_iter()
    .collect()
}

fn caller(roles: &[&str]) -> Arc<Caller> {
    let attributes = [("teams".to_owned(), serde_json::json!(["red", "blue"]))].into_iter().collect();
    let user = User { id: "ann".into(), name: "Ann".into(), attributes };
    Arc::new(Caller::known(user, roles.iter().map(|role| (*role).to_owned())))
}

fn things(caller: &Arc<Caller>) -> View {
    Policy::new(false).view(&catalog(), caller, "things").unwrap()
}

fn is_hidden(schema: &Schema) -> bool {
    schema.root.properties["cost"].hidden
}

#[test]
fn roles_unite() {
    let public = || doc! { "status": { "$eq": "public" } };
    let own = || doc! { "owner": { "$eq": "ann" } };
    let teams = || doc! { "team": { "$in": ["red", "blue"] } };
    let cases: &[(&[&str], Option<Document>, bool)] = &[
        (&[], Some(public()), false),
        (&["nobody"], Some(public()), false),
        (&["member"], Some(doc! { "$or": [public(), own()] }), false),
        (&["team", "member"], Some(doc! { "$or": [public(), own(), teams()] }), false),
        (&["clerk"], None, false),
        // Not in every document is every field there.
        (&["clerk", "team"], None, false),
        (&["boss"], None, true),
    ];
    for (roles, rows, all) in cases {
        let view = things(&caller(roles));
        assert_eq!((&view.rows(&[Op::Read]), view.reads_all()), (rows, *all), "{roles:?}");
    }
    let draft = doc! { "status": { "$eq": "draft" } };
    let editor = things(&caller(&["editor"]));
    assert_eq!(editor.rows(&[Op::Read, Op::Update]), Some(doc! { "$or": [public(), draft.clone()] }));
    assert_eq!(editor.rows(&[Op::Update]), Some(draft));
}

#[test]
fn no_role_with_the_operation_is_no_document() {
    let view = things(&caller(&["member"]));
    assert_eq!(view.rows(&[Op::Delete]), Some(doc! { "_id": { "$in": [] } }));
    assert!(matches!(view.schema(Op::Delete), Err(Error::Forbidden(_))));
    assert!(view.schema(Op::Update).is_ok() && view.schema_on(Op::Update, &rawdoc! { "owner": "bob" }).is_none());
    let anonymous = things(&Arc::new(Caller::anonymous()));
    assert!(matches!(anonymous.schema(Op::Update), Err(Error::Unauthenticated(_))));
}

#[test]
fn a_field_is_there_where_a_role_that_shows_the_document_leaves_it() {
    let document = rawdoc! { "owner": "ann", "status": "public", "team": "red" };
    let (bob, blank) = (rawdoc! { "owner": "bob", "team": "red" }, rawdoc! {});
    let cases: &[(&[&str], &bson::RawDocument, Option<bool>)] = &[
        (&[], &document, Some(true)),
        (&[], &bob, None),
        (&["member"], &document, Some(true)),
        (&["member"], &bob, None),
        (&["team"], &document, Some(false)),
        (&["team", "clerk"], &bob, Some(false)),
        (&["team", "clerk"], &blank, Some(true)),
        (&["boss"], &blank, Some(false)),
    ];
    for (roles, document, hidden) in cases {
        let schema = things(&caller(roles)).schema_on(Op::Read, document);
        assert_eq!(schema.map(|schema| is_hidden(&schema)), *hidden, "{roles:?} {document:?}");
    }
    // Of all documents together, a field is there if it is in any.
    assert!(!is_hidden(&things(&caller(&["team", "clerk"])).schema(Op::Read).unwrap()));
    assert!(is_hidden(&things(&caller(&["member"])).schema(Op::Read).unwrap()));
}

#[test]
fn a_query_that_names_a_field_finds_documents_that_show_it() {
    let public = || doc! { "status": { "$eq": "public" } };
    let nothing = || doc! { "_id": { "$in": [] } };
    let own = || doc! { "owner": { "$eq": "ann" } };
    let teams = || doc! { "team": { "$in": ["red", "blue"] } };
    let cases: &[(&[&str], &[&str], Option<Document>)] = &[
        (&[], &["status"], None),
        (&[], &["cost"], Some(nothing())),
        (&["team"], &["cost"], Some(teams())),
        (&["team"], &["status", "lines.cost", "cost"], Some(doc! { "$and": [teams(), teams()] })),
        (&["team"], &["lines"], Some(teams())),
        (&["team"], &["lines.3.cost"], Some(teams())),
        (&["team"], &["costs", "linesman"], None),
        (&["member"], &["lines.cost"], Some(own())),
        (&["member", "clerk"], &["lines.cost", "cost"], Some(nothing())),
        (&["boss"], &["cost"], None),
        (&["member", "team"], &["lines.cost"], Some(doc! { "$or": [own(), teams()] })),
    ];
    for (roles, names, expected) in cases {
        assert_eq!(&things(&caller(roles)).rows_with(names.iter().copied()), expected, "{roles:?} {names:?}");
    }
    assert_eq!(things(&caller(&[])).rows(&[Op::Read]), Some(public()));
}

#[test]
fn a_grant_about_something_unknown_gives_nothing() {
    let nobody = Arc::new(Caller::known(User::default(), ["member", "team", "setter"].map(str::to_owned)));
    assert_eq!(
        things(&nobody).rows(&[Op::Read]),
        Some(doc! { "$or": [
        { "status": { "$eq": "public" } }, { "owner": { "$eq": "" } }] })
    );
    // What is to be set is not known, so nothing can be inserted.
    assert!(things(&nobody).schema(Op::Insert).is_err());
    let catalog = catalog();
    let alone = Arc::new(Caller { rights: Rights::Roles(vec!["setter".into()]), ..Caller::clone(&nobody) });
    assert!(matches!(Policy::new(false).view(&catalog, &alone, "things"), Err(Error::Forbidden(_))));
}

#[test]
fn tells_those_without_credentials_of_no_collection() {
    let (catalog, policy) = (catalog(), Policy::new(false));
    let of = |caller: &Arc<Caller>, name: &str| policy.view(&catalog, caller, name).map(|view| view.name().to_owned());
    let (anonymous, known) = (Arc::new(Caller::anonymous()), caller(&["member"]));
    assert_eq!(of(&anonymous, "open").unwrap(), "open");
    for name in ["closed", "close", "nothing"] {
        assert!(matches!(of(&anonymous, name), Err(Error::Unauthenticated(_))), "{name}");
    }
    assert!(matches!(of(&known, "closed"), Err(Error::Forbidden(_))));
    for (name, near) in [("close", None), ("thing", Some("things"))] {
        let Err(Error::UnknownCollection { suggestion, .. }) = of(&known, name) else { panic!("{name}") };
        assert_eq!(suggestion.as_deref(), near, "{name}");
    }
    let seen: Vec<_> = policy.views(&catalog, &known).map(|view| view.name().to_owned()).collect();
    assert_eq!(seen, ["open", "things"]);
}

#[test]
fn nothing_is_forbidden_where_all_is_open() {
    let catalog = catalog();
    for (policy, caller) in [
        (Policy::new(true), Arc::new(Caller::anonymous())),
        (Policy::new(false), Arc::new(Caller::application())),
        (Policy::new(false), Arc::new(Caller::known(User::default(), []).with_all_rights())),
    ] {
        let view = policy.view(&catalog, &caller, "closed").unwrap();
        assert!(view.reads_all() && view.rows(&[Op::Delete]).is_none() && view.schema(Op::Delete).is_ok());
        assert!(Arc::ptr_eq(&view.schema_on(Op::Update, &rawdoc! {}).unwrap(), view.declared()));
        assert!(matches!(policy.view(&catalog, &caller, "none"), Err(Error::UnknownCollection { .. })));
    }
}

#[test]
fn narrows_a_collection_once_for_the_same_roles() {
    let (catalog, policy) = (catalog(), Policy::new(false));
    let read = |roles: &[&str]| policy.view(&catalog, &caller(roles), "things").unwrap().schema(Op::Read).unwrap();
    assert!(Arc::ptr_eq(&read(&["clerk"]), &read(&["clerk"])));
    assert!(!Arc::ptr_eq(&read(&["clerk"]), &read(&["member"])));
    assert!(Arc::ptr_eq(&read(&["boss", "clerk"]), catalog.get("things").unwrap()));
}

#[test]
fn keeps_no_more_combinations_than_there_is_room_for() {
    let roles: Vec<_> = (0..12).map(|n| format!(r#""r{n}": {{"ops": ["read"], "hide": ["a"]}}"#)).collect();
    let text = format!(r#"{{"type": "object", "properties": {{"a": {{}}}}, "x-access": {{{}}}}}"#, roles.join(","));
    let (schema, policy) = (load::parse("x.json", "x", text).unwrap(), Policy::new(false));
    for roles in 1..1 << 12 {
        assert!(policy.narrowed(&schema, roles).root.properties["a"].hidden);
    }
    assert_eq!(policy.narrowed.read().unwrap()["x"].len(), MAX_NARROWED);
}
