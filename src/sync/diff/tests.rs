use std::collections::BTreeSet;

use bson::{Document, doc};
use indexmap::IndexMap;

use super::*;
use crate::{
    config::Stage,
    schema::{
        Access, Field, Options, Source,
        options::{Level, Validation},
    },
    sync::Risk,
};

fn schema(indexes: Vec<Index>) -> Schema {
    let root = Field { properties: IndexMap::from([("_id".to_owned(), Field::any())]), ..Field::any() };
    let source = Source::parse("schemas/books.json", "{}".to_owned(), 1).unwrap();
    Schema {
        name: "books".to_owned(),
        source,
        root,
        validator: validator(),
        indexes,
        access: Access::admin_only(),
        options: Options::default(),
        is_enforced: true,
    }
}

fn validator() -> Document {
    doc! { "$jsonSchema": { "required": ["title"] } }
}

fn named(name: &str, keys: Document, options: Document) -> Index {
    Index { name: name.to_owned(), keys, options }
}

fn found(indexes: Vec<Index>) -> Found {
    let id = named("_id_", doc! { "_id": 1 }, doc! { "v": 2 });
    Found {
        kind: "collection".to_owned(),
        rules: Rules::declared(&schema(Vec::new())),
        stage: None,
        pre_images: false,
        locale: None,
        documents: 10,
        indexes: std::iter::once(id).chain(indexes).collect(),
        building: BTreeSet::new(),
    }
}

/// The differences in short: the kind of change, its risk.
fn summary(declared: Vec<Index>, existing: Vec<Index>) -> Vec<(&'static str, Risk)> {
    let kind = |change: &Change| match change {
        Change::NotACollection { .. } => "not",
        Change::Collated { .. } => "collated",
        Change::CreateCollection { .. } => "collection",
        Change::SetValidator { .. } => "validator",
        Change::EndStage { .. } => "stage",
        Change::Lenient { .. } => "lenient",
        Change::SetPreImages { .. } => "pre-images",
        Change::UnknownPreImages { .. } => "unknown pre-images",
        Change::CreateIndex { .. } => "create",
        Change::AlterIndex { .. } => "alter",
        Change::RebuildIndex { .. } => "rebuild",
        Change::UnknownIndex { .. } => "unknown",
        Change::MissingTieBreak { .. } => "tie-break",
    };
    collection(&schema(declared), Some(&found(existing))).iter().map(|c| (kind(c), c.risk())).collect()
}

#[test]
fn compares_indexes_by_keys_and_options() {
    let year = || named("year_1__id_1", doc! { "year": 1, "_id": 1 }, doc! {});
    let isbn = |options| named("isbn_1", doc! { "isbn": 1 }, options);
    let text = |name, field| named(name, doc! { field: "text" }, doc! {});
    let unique = || doc! { "unique": true };
    let cases = [
        ("in step", vec![isbn(unique())], vec![isbn(unique())], vec![]),
        ("new", vec![isbn(unique())], vec![], vec![("create", Risk::Safe)]),
        ("other options", vec![isbn(unique())], vec![isbn(doc! {})], vec![("rebuild", Risk::Destructive)]),
        (
            "other keys",
            vec![isbn(doc! {})],
            vec![named("isbn_1", doc! { "isbn": -1 }, doc! {})],
            vec![("rebuild", Risk::Destructive)],
        ),
        (
            "another name",
            vec![isbn(unique())],
            vec![named("by_isbn", doc! { "isbn": 1 }, unique())],
            vec![("rebuild", Risk::Destructive)],
        ),
        (
            "beside one with another signature",
            vec![isbn(unique())],
            vec![named("by_isbn", doc! { "isbn": 1 }, doc! {})],
            vec![("create", Risk::Safe), ("unknown", Risk::Report)],
        ),
        ("unknown", vec![], vec![isbn(doc! {})], vec![("unknown", Risk::Report)]),
        (
            "without the tie-break",
            vec![year()],
            vec![named("year_1", doc! { "year": 1 }, doc! {})],
            vec![("tie-break", Risk::Report)],
        ),
        (
            "with and without the tie-break",
            vec![year(), named("year_1", doc! { "year": 1 }, doc! {})],
            vec![named("year_1", doc! { "year": 1 }, doc! {})],
            vec![("create", Risk::Safe)],
        ),
        (
            "a second text index",
            vec![text("title_text", "title")],
            vec![text("body_text", "body")],
            vec![("rebuild", Risk::Destructive)],
        ),
    ];
    for (what, declared, existing, expected) in cases {
        assert_eq!(summary(declared, existing), expected, "{what}");
    }
}

#[test]
fn changes_in_place_what_can_be_and_knows_what_deletes_documents() {
    let isbn = |options| named("isbn_1", doc! { "isbn": 1 }, options);
    let expiring = |seconds: i32| doc! { "expireAfterSeconds": seconds };
    let cases = [
        ("new and expiring", vec![isbn(expiring(5))], vec![], vec![("create", Risk::Destructive)]),
        ("hidden", vec![isbn(doc! { "hidden": true })], vec![isbn(doc! {})], vec![("alter", Risk::Safe)]),
        ("expires later", vec![isbn(expiring(9))], vec![isbn(expiring(5))], vec![("alter", Risk::Safe)]),
        ("expires sooner", vec![isbn(expiring(5))], vec![isbn(expiring(9))], vec![("alter", Risk::Destructive)]),
        ("begins to expire", vec![isbn(expiring(5))], vec![isbn(doc! {})], vec![("rebuild", Risk::Destructive)]),
    ];
    for (what, declared, existing, expected) in cases {
        assert_eq!(summary(declared, existing), expected, "{what}");
    }
}

#[test]
fn indexing_a_great_many_documents_is_slow() {
    let crowd = Found { documents: 5_000_000, ..found(vec![]) };
    let changes = collection(&schema(vec![named("a_1", doc! { "a": 1 }, doc! {})]), Some(&crowd));
    assert_eq!(changes.iter().map(Change::risk).collect::<Vec<_>>(), [Risk::Slow]);
}

#[test]
fn compares_the_validator_and_how_strictly_it_is_applied() {
    let strict = || Rules::declared(&schema(Vec::new()));
    let cases = [
        (strict(), false),
        (Rules { validator: doc! {}, ..strict() }, true),
        (Rules { level: "moderate".to_owned(), ..strict() }, true),
        (Rules { action: "warn".to_owned(), ..strict() }, true),
    ];
    for (rules, differs) in cases {
        let found = Found { rules: rules.clone(), ..found(vec![]) };
        let changes = collection(&schema(vec![]), Some(&found));
        assert_eq!(matches!(&changes[..], [Change::SetValidator { from, .. }] if *from == rules), differs, "{rules:?}");
    }
}

#[test]
fn tells_stages_and_declared_leniency_from_what_others_did() {
    let strict = Rules::declared(&schema(vec![]));
    let (moderate, warn) = (strict.softened(Stage::Moderate), strict.softened(Stage::Warn));
    let other = Rules { validator: doc! {}, ..moderate.clone() };
    let lenient = Validation { level: Level::Moderate, ..Validation::default() };
    let none = Validation::default();
    let cases = [
        (none, &strict, None, "-"),
        (none, &strict, Some(Stage::Moderate), "-"),
        (none, &moderate, None, "set"),
        (none, &moderate, Some(Stage::Moderate), "end"),
        (none, &warn, Some(Stage::Moderate), "set"),
        (none, &warn, Some(Stage::Warn), "end"),
        (none, &other, Some(Stage::Moderate), "set"),
        (lenient, &moderate, None, "lenient"),
        (lenient, &moderate, Some(Stage::Moderate), "lenient"),
        (lenient, &strict, None, "set"),
        (lenient, &warn, Some(Stage::Warn), "set"),
    ];
    for (validation, rules, stage, expected) in cases {
        let schema = Schema { options: Options { validation, ..Options::default() }, ..schema(vec![]) };
        let changes = collection(&schema, Some(&Found { rules: rules.clone(), stage, ..found(vec![]) }));
        let kind = match &changes[..] {
            [] => "-",
            [Change::SetValidator { stage: kept, .. }] if *kept == stage => "set",
            [Change::EndStage { .. }] => "end",
            [Change::Lenient { .. }] => "lenient",
            other => panic!("{other:?}"),
        };
        assert_eq!(kind, expected, "{validation:?} {rules:?} {stage:?}");
    }
}

#[test]
fn pre_images_that_the_file_does_not_name_are_left() {
    let cases = [
        (None, false, None),
        (None, true, Some(Risk::Report)),
        (Some(true), false, Some(Risk::Safe)),
        (Some(false), true, Some(Risk::Destructive)),
        (Some(true), true, None),
        (Some(false), false, None),
    ];
    for (pre_images, there, risk) in cases {
        let schema = Schema { options: Options { pre_images, ..Options::default() }, ..schema(vec![]) };
        let changes = collection(&schema, Some(&Found { pre_images: there, ..found(vec![]) }));
        assert_eq!(
            changes.iter().map(Change::risk).collect::<Vec<_>>(),
            Vec::from_iter(risk),
            "{pre_images:?} {there}"
        );
    }
}

#[test]
fn a_missing_collection_is_made_and_a_view_is_in_the_way() {
    let isbn = named("isbn_1", doc! { "isbn": 1 }, doc! {});
    let changes = diff(&Catalog::from_iter([schema(vec![isbn.clone()])]), &Observed::default());
    assert_eq!(changes, [Change::CreateCollection { collection: "books".to_owned(), indexes: vec![isbn] }]);
    let view = Found { kind: "view".to_owned(), ..found(vec![]) };
    assert_eq!(collection(&schema(vec![]), Some(&view))[0].risk(), Risk::Impossible);
    let german = Found { locale: Some("de".to_owned()), ..found(vec![]) };
    let changes = collection(&schema(vec![]), Some(&german));
    assert_eq!(changes, [Change::Collated { collection: "books".to_owned(), locale: "de".to_owned() }]);
    assert_eq!(changes[0].risk(), Risk::Impossible);
}
