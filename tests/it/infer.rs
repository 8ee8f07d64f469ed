//! Collections that exist, described by files of their own.

use std::{
    num::NonZeroU64,
    process::{Command, Output},
};

use folio::{
    error::Result,
    json::Tree,
    schema::{Catalog, load},
    sync::{self, Adopted, Change, Counting},
};
use mongodb::{
    Database,
    bson::{self, Bson, DateTime, Decimal128, Document, RawDocumentBuf, doc, oid::ObjectId, raw::cstr},
    options::{ChangeStreamPreAndPostImages, ValidationAction},
};

use crate::support::{self, TestDatabase, database};

mod random;

const ALL: NonZeroU64 = NonZeroU64::new(1_000_000).unwrap();

async fn adopt(db: &Database, name: &str, sample: NonZeroU64) -> Result<Adopted> {
    sync::adopt(db, name, sample).await
}

/// Checks what is promised of the file: it loads, and `plan` finds no document that breaks it and nothing to do for
/// the indexes.
async fn keeps_its_promises(db: &Database, adopted: &Adopted) {
    let schema = &adopted.schema;
    let text = &schema.source.text;
    let parsed = load::parse("schemas/things.json", &schema.name, text.clone());
    let catalog = Catalog::from_iter([parsed.unwrap_or_else(|mistakes| panic!("{mistakes:?} in {text}"))]);
    let plan = sync::plan(db, &catalog, &Counting::at_full_pace()).await.unwrap();
    assert!(plan.breaking.is_empty(), "{plan}\nof {text}");
    let settled = |change: &Change| matches!(change, Change::SetValidator { .. } | Change::UnknownIndex { .. });
    assert!(plan.changes.iter().all(settled), "{plan}\nof {text}");
}

fn at(text: &str, pointer: &str) -> String {
    let tree = Tree::parse(text.as_bytes(), 64).unwrap();
    tree.pointer(pointer).map(|tree| tree.text(text).to_owned()).unwrap_or_default()
}

fn folio(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_folio")).args(args).output().unwrap()
}

/// `folio infer` with the flags that lead to the test's database.
fn infer(test: &TestDatabase, args: &[&str]) -> Output {
    let database = ["infer", "--mongodb", &test.uri, "--database", &test.name];
    folio(&[&database, args].concat())
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn describes_the_sample() {
    let api = support::Api::library().await;
    folio::sample::fill(&api.app).await.unwrap();
    let db = &api.database.db;
    for schema in Catalog::load("schemas".as_ref()).unwrap().iter() {
        let adopted = adopt(db, &schema.name, ALL).await.unwrap();
        keeps_its_promises(db, &adopted).await;
        let mut declared = schema.indexes.clone();
        declared.retain(|index| !index.keys.values().any(|kind| kind.as_str() == Some("text")));
        let missing = declared.iter().find(|index| !adopted.schema.indexes.contains(index));
        assert_eq!(missing, None, "{}", adopted.schema.source.text);
    }
    let text = adopt(db, "books", ALL).await.unwrap().schema.source.text;
    insta::with_settings!({ filters => vec![(r"from 20\S+ to \S+Z", "from … to …")] }, {
        insta::assert_snapshot!(text);
    });
}

#[tokio::test]
async fn a_sample_is_held_against_all_documents() {
    let test = database().await;
    let stored = test.db.collection::<Document>("things");
    let plain = |n: i32| doc! { "name": format!("n{n}"), "size": n, "tags": ["a"] };
    let odd = |n: i32| match n {
        777 => doc! { "name": "n", "size": "large", "tags": [7] },
        1555 => doc! { "name": "", "tags": [] },
        2333 => doc! { "name": "n", "size": 1, "tags": ["b"], "extra": { "x": 1 } },
        n => plain(n),
    };
    stored.insert_many((0..3000).map(odd)).await.unwrap();
    let adopted = adopt(&test.db, "things", NonZeroU64::new(50).unwrap()).await.unwrap();
    keeps_its_promises(&test.db, &adopted).await;
    let file = &adopted.schema.source.text;
    assert_eq!(at(file, "/required"), r#"["name", "tags"]"#);
    assert_eq!(at(file, "/properties/size/bsonType"), r#"["int", "string"]"#);
    assert_eq!(at(file, "/properties/extra/properties/x/bsonType"), r#""int""#);
    assert!(at(file, "/$comment").contains("a sample of 50 of about 3000 documents, and from"), "{file}");
    assert!(adopted.read < 1000, "{} are read", adopted.read);
}

#[tokio::test]
async fn declares_the_indexes_that_exist() {
    let test = database().await;
    let documents =
        doc! { "a": 1, "b": 1.5, "email": "x@example.org", "at": DateTime::now(), "tags": ["x"], "p": { "q": 1 } };
    test.db.collection::<Document>("things").insert_one(documents).await.unwrap();
    let index = |name: &str, key: Document, options: Document| {
        let mut index = doc! { "name": name, "key": key };
        index.extend(options);
        index
    };
    let english = doc! { "locale": "en", "strength": 2 };
    let recent = doc! { "b": { "$gte": 1.0 }, "tags": "x", "email": { "$exists": true }, "a": { "$in": [1, 2] } };
    let indexes = [
        index("a_1", doc! { "a": 1 }, doc! {}),
        index("b_-1__id_-1", doc! { "b": -1.0, "_id": -1 }, doc! {}),
        index("mine", doc! { "a": 1, "_id": -1 }, doc! {}),
        index("email_1", doc! { "email": 1 }, doc! { "unique": true, "sparse": true, "collation": english }),
        index("at_1", doc! { "at": 1 }, doc! { "expireAfterSeconds": 3600.0 }),
        index("partial", doc! { "a": 1, "b": 1 }, doc! { "partialFilterExpression": recent }),
        index("p.q_1", doc! { "p.q": 1 }, doc! { "hidden": true }),
        index("gone.deep_1", doc! { "gone.deep": 1 }, doc! {}),
        index("p.r_1", doc! { "p.r": 1 }, doc! {}),
        index("tags_hashed", doc! { "p": "hashed" }, doc! {}),
        index("where_2dsphere", doc! { "where": "2dsphere" }, doc! {}),
        index("$**_1", doc! { "$**": 1 }, doc! { "wildcardProjection": { "p": true } }),
        index(
            "t",
            doc! { "a": 1, "email": "text", "x.y": "text" },
            doc! { "weights": { "email": 5 }, "default_language": "german" },
        ),
        index("odd direction", doc! { "a": 7 }, doc! {}),
        index("flat", doc! { "spot": "2d" }, doc! {}),
        index("either", doc! { "b": 1 }, doc! { "partialFilterExpression": { "$or": [{ "a": 1 }, { "b": 1 }] } }),
        index("other type", doc! { "p": 1 }, doc! { "partialFilterExpression": { "a": { "$gt": "x" } } }),
        index("through a number", doc! { "a.x": 1 }, doc! {}),
    ];
    test.db.run_command(doc! { "createIndexes": "things", "indexes": indexes.to_vec() }).await.unwrap();
    let adopted = adopt(&test.db, "things", ALL).await.unwrap();
    keeps_its_promises(&test.db, &adopted).await;
    insta::assert_snapshot!("indexes_declared", at(&adopted.schema.source.text, "/x-indexes"));
    let notes: Vec<_> = at(&adopted.schema.source.text, "/$comment").split(". ").map(str::to_owned).collect();
    insta::assert_snapshot!("indexes_left_alone", notes[2..].join("\n"));
}

/// A document with text and a name that are not UTF-8.
fn broken_text() -> RawDocumentBuf {
    let mut document = bson::rawdoc! { "_id": ObjectId::new(), "text": "valid" };
    let inner = bson::rawdoc! { "name": 1 };
    document.append(cstr!("inner"), inner);
    let mut bytes = document.into_bytes();
    for (valid, broken) in [(&b"valid"[..], &b"\xff\xfe\xfd\xfc\xfb"[..]), (b"name", b"\xffame")] {
        let found = bytes.windows(valid.len()).position(|window| window == valid).unwrap();
        bytes[found..found + broken.len()].copy_from_slice(broken);
    }
    RawDocumentBuf::from_bytes(bytes).unwrap()
}

#[tokio::test]
async fn says_nothing_of_what_is_not_utf_8() {
    let test = database().await;
    let stored = test.db.collection::<RawDocumentBuf>("things");
    stored.insert_one(bson::rawdoc! { "text": "x", "inner": { "name": 1 } }).await.unwrap();
    stored.insert_one(broken_text()).await.unwrap();
    let adopted = adopt(&test.db, "things", ALL).await.unwrap();
    keeps_its_promises(&test.db, &adopted).await;
    assert_eq!(at(&adopted.schema.source.text, "/properties/text/type"), "");
    assert_eq!(at(&adopted.schema.source.text, "/properties/inner/properties"), "");
}

#[tokio::test]
async fn wide_and_deep_documents_are_described_in_a_file_of_some_size() {
    let test = database().await;
    let document = |n: i32| {
        let deep = (0..40).fold(doc! { "x": n }, |inner, _| doc! { "d": [inner] });
        let mut document: Document =
            (0..20).map(|i| (format!("{n}-{i}"), doc! { format!("n{n}"): n }.into())).collect();
        document.extend(doc! { "deep": deep, "l".repeat(300): n });
        document
    };
    test.db.collection::<Document>("things").insert_many((0..300).map(document)).await.unwrap();
    for sample in [7, 1000] {
        let adopted = adopt(&test.db, "things", NonZeroU64::new(sample).unwrap()).await.unwrap();
        keeps_its_promises(&test.db, &adopted).await;
    }
}

#[tokio::test]
async fn a_file_that_would_be_too_large_has_types_alone() {
    let test = database().await;
    let choices: Vec<_> = (0..120).map(|n| "\u{1}".repeat(50 + n % 12)).collect();
    let fields = || (0..100).map(|n| (format!("f{n}"), Bson::from(choices.clone()))).collect::<Document>();
    let document: Document = (0..6).map(|n| (format!("o{n}"), fields().into())).collect();
    test.db.collection("things").insert_one(document).await.unwrap();
    let adopted = adopt(&test.db, "things", ALL).await.unwrap();
    keeps_its_promises(&test.db, &adopted).await;
    let file = &adopted.schema.source.text;
    assert!(file.len() < 1 << 20 && at(file, "/$comment").contains("are left out"), "{} bytes", file.len());
    assert_eq!(at(file, "/properties/o5/properties/f99/items/type"), r#""string""#);
}

#[tokio::test]
async fn tells_of_the_rules_and_options_that_there_are() {
    let test = database().await;
    let rules = doc! { "size": { "$gt": 0 } };
    let images = ChangeStreamPreAndPostImages::builder().enabled(true).build();
    let create = test.db.create_collection("things").validator(rules).change_stream_pre_and_post_images(images);
    create.validation_action(ValidationAction::Warn).await.unwrap();
    let adopted = adopt(&test.db, "things", ALL).await.unwrap();
    keeps_its_promises(&test.db, &adopted).await;
    assert_eq!(at(&adopted.schema.source.text, "/x-collection"), r#"{ "preImages": true }"#);
    let comment = at(&adopted.schema.source.text, "/$comment");
    let told = r#"(level strict, action warn), which applying this file replaces: {\"size\":{\"$gt\":0}}"#;
    assert!(comment.contains("an empty collection") && comment.contains(told), "{comment}");
}

#[tokio::test]
async fn refuses_what_no_file_can_describe() {
    let test = database().await;
    test.db.create_collection("things").await.unwrap();
    test.db.create_collection("seen").view_on("things").await.unwrap();
    test.db.create_collection("ring").capped(true).size(4096).await.unwrap();
    let cases = [
        ("thing", "there is no collection `thing` in the database", ", did you mean `things`?"),
        ("seen", "no file can describe `seen`: it is a view", ""),
        ("ring", "no file can describe `ring`: it is a capped collection", ""),
        ("Things", "no file can describe `Things`: a collection is named by its file: a small letter", ""),
        ("_folio", "no file can describe `_folio`: ", ""),
    ];
    for (name, expected, more) in cases {
        let error = adopt(&test.db, name, ALL).await.unwrap_err().to_string();
        assert!(error.starts_with(expected) && error.contains(more), "{error}");
    }
}

/// The orders of `docs/infer.md`.
fn order(number: u8) -> Document {
    let (n, many) = (i32::from(number), usize::from(number));
    let status = ["open", "paid", "shipped"][many % 3];
    let quantity = if n % 4 == 0 { Bson::Double(f64::from(n) + 1.0) } else { Bson::Int32(n + 1) };
    let total = format!("{}.{}0", n + 10, n % 10).parse::<Decimal128>().unwrap();
    let mut order = doc! {
        "number": format!("A{n:05}"),
        "customer": { "name": "x".repeat(3 + many % 20), "email": format!("c{n}@example.org") },
        "lines": vec![doc! { "sku": format!("{:04}-b", n * 7), "quantity": quantity }; 1 + many % 2],
        "status": status,
        "total": total,
        "placedAt": DateTime::from_millis(1_714_564_800_000 + 86_400_000 * i64::from(n)),
    };
    if n % 5 == 0 {
        order.insert("prices", doc! { format!("2024-{:02}-01", 1 + n / 5): n });
    }
    order
}

#[tokio::test]
async fn the_page_shows_what_is_inferred() {
    let test = database().await;
    test.db.collection("orders").insert_many((0..60).map(order)).await.unwrap();
    let index = doc! { "name": "customer.email_1", "key": { "customer.email": 1 } };
    let flat = doc! { "name": "place", "key": { "place": "2d" } };
    test.db.run_command(doc! { "createIndexes": "orders", "indexes": [index, flat] }).await.unwrap();
    let file = adopt(&test.db, "orders", ALL).await.unwrap().schema.source.text;
    let page = std::fs::read_to_string("docs/infer.md").unwrap();
    assert!(page.contains(&format!("```json\n{file}```\n")), "docs/infer.md should show\n{file}");
}

#[tokio::test]
async fn the_command_writes_a_file_that_check_and_plan_take() {
    let test = database().await;
    test.db.collection("things").insert_many((0..9).map(|n| doc! { "n": n })).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("things.json");
    let out = folder.path().to_str().unwrap();

    let shown = infer(&test, &["things"]);
    assert!(shown.status.success(), "{}", said(&shown.stderr));
    let written = infer(&test, &["things", "--out", out]);
    let told = format!("{}: from 9 of about 9 documents\nlook through it, then see by `folio check`", path.display());
    assert!(said(&written.stdout).starts_with(&told), "{}", said(&written.stdout));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), said(&shown.stdout));

    let again = infer(&test, &["things", "--out", path.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(1));
    assert!(said(&again.stderr).contains("is already there: write over it with `--force`"), "{}", said(&again.stderr));
    assert!(infer(&test, &["things", "--out", out, "--force", "--sample", "3"]).status.success());

    assert!(folio(&["check", "--schemas", out]).status.success());
    let plan = folio(&["plan", "--mongodb", &test.uri, "--database", &test.name, "--schemas", out]);
    assert_eq!(plan.status.code(), Some(2), "{}{}", said(&plan.stdout), said(&plan.stderr));
    let refused = [
        (&["nothing"][..], "there is no collection `nothing` in the database"),
        (&["thing"], "did you mean `things`?"),
        (
            &["things", "--out", "no/such/folder/"],
            "there is no folder `no/such`: make it, or name another with `--out`",
        ),
        (&["things", "--sample", "0"], "expected a whole number of at least 1"),
    ];
    for (args, message) in refused {
        let refused = infer(&test, args);
        assert_eq!(refused.status.code(), Some(1), "{args:?}");
        assert!(said(&refused.stderr).contains(message), "{args:?}: {}", said(&refused.stderr));
        assert!(!said(&refused.stderr).contains("read "), "{args:?} reads the collection first");
    }
}
