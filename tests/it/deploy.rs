//! Files that change while the service runs: stages, older files beside newer ones, options of a collection.

use std::time::{Duration, Instant};

use bson::{Document, doc};
use folio::{
    App, Error,
    config::{Apply, Stage},
    schema::Catalog,
    sync::{self, BOOKKEEPING, Change, Counting, Report, Wish},
};
use mongodb::Database;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, TestDatabase, catalog, database, effort};

/// A file of `things` with a number `n` of at least `minimum`, and `more` at its root.
fn things(minimum: i32, more: &Value) -> Catalog {
    let mut file = json!({
        "type": "object",
        "properties": { "n": { "bsonType": "int", "minimum": minimum }, "s": { "type": "string" } }
    });
    file.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    catalog(&[("things", file)])
}

fn at_least(minimum: i32) -> Catalog {
    things(minimum, &json!({}))
}

async fn start(db: &Database, catalog: &Catalog) -> Report {
    sync::run(db, catalog, &Apply::Safe.into()).await.unwrap()
}

async fn stage(db: &Database, catalog: &Catalog, stage: Stage) -> Report {
    sync::run(db, catalog, &Wish { stage: Some(stage), ..Wish::default() }).await.unwrap()
}

async fn roll_back(db: &Database, catalog: &Catalog) -> Report {
    sync::run(db, catalog, &Wish { rollback: true, ..Wish::default() }).await.unwrap()
}

async fn refusal(db: &Database, catalog: &Catalog) -> String {
    match sync::run(db, catalog, &Apply::Safe.into()).await {
        Err(Error::Startup(message)) => message,
        other => panic!("{other:?}"),
    }
}

async fn insert(db: &Database, n: i32) -> bool {
    db.collection("things").insert_one(doc! { "n": n }).await.is_ok()
}

/// Changes another field of the documents with this `n`.
async fn touch(db: &Database, n: i32) -> bool {
    let things = db.collection::<Document>("things");
    things
        .update_one(doc! { "n": n }, vec![doc! { "$set": { "s": { "$concat": [{ "$ifNull": ["$s", ""] }, "x"] } } }])
        .await
        .is_ok()
}

async fn remove(db: &Database, n: i32) {
    db.collection::<Document>("things").delete_many(doc! { "n": n }).await.unwrap();
}

/// The level, the action and the least `n` that are in force.
async fn in_force(db: &Database) -> (String, String, i32) {
    let listed = db.run_command(doc! { "listCollections": 1, "filter": { "name": "things" } }).await.unwrap();
    let batch = listed.get_document("cursor").unwrap().get_array("firstBatch").unwrap();
    let options = batch[0].as_document().unwrap().get_document("options").unwrap();
    let text = |name: &str, default: &str| options.get_str(name).unwrap_or(default).to_owned();
    let schema = options.get_document("validator").unwrap().get_document("$jsonSchema").unwrap();
    let n = schema.get_document("properties").unwrap().get_document("n").unwrap();
    (text("validationLevel", "strict"), text("validationAction", "error"), n.get_i32("minimum").unwrap())
}

fn rules(level: &str, action: &str, minimum: i32) -> (String, String, i32) {
    (level.to_owned(), action.to_owned(), minimum)
}

async fn stages(db: &Database) -> u64 {
    let kept = db.collection::<Document>(BOOKKEEPING);
    kept.count_documents(doc! { "_id": { "$regex": "^stage:" } }).await.unwrap()
}

/// A database with `-1` and `2` under rules that allow both.
async fn with_a_bad_document() -> TestDatabase {
    let here = database().await;
    start(&here.db, &at_least(-9)).await;
    assert!(insert(&here.db, -1).await && insert(&here.db, 2).await);
    here
}

#[tokio::test]
async fn a_moderate_stage_holds_all_but_what_already_breaks_it_and_ends_by_itself() {
    let here = with_a_bad_document().await;
    let files = at_least(1);
    assert!(refusal(&here.db, &files).await.contains("1 stored document breaks it"));
    let report = stage(&here.db, &files, Stage::Moderate).await;
    assert!(matches!(&report.applied[..], [Change::SetValidator { .. }]), "{report:?}");
    assert!(report.open.contains("things"), "{report:?}");
    assert_eq!(in_force(&here.db).await, rules("moderate", "error", 1));
    assert!(!insert(&here.db, 0).await && insert(&here.db, 3).await);
    assert!(touch(&here.db, -1).await && touch(&here.db, 2).await);

    // A start serves, and plan has nothing to do but tells the number.
    for _ in 0..2 {
        let report = start(&here.db, &files).await;
        assert!(report.applied.is_empty() && report.open.contains("things"), "{report:?}");
        let plan = sync::plan(&here.db, &files, &Counting::default()).await.unwrap();
        assert!(plan.is_empty() && plan.breaking["things"].count.value() == 1, "{plan}");
        assert_eq!(stages(&here.db).await, 1);
    }
    remove(&here.db, -1).await;
    assert!(!sync::plan(&here.db, &files, &Counting::default()).await.unwrap().is_empty());
    let none = sync::run(&here.db, &files, &Apply::None.into()).await.unwrap();
    assert!(none.applied.is_empty() && none.open.contains("things"), "{none:?}");
    let report = start(&here.db, &files).await;
    assert!(matches!(&report.applied[..], [Change::EndStage { .. }]) && report.open.is_empty(), "{report:?}");
    assert_eq!((in_force(&here.db).await, stages(&here.db).await), (rules("strict", "error", 1), 0));
    assert!(sync::plan(&here.db, &files, &Counting::default()).await.unwrap().changes.is_empty());
}

#[tokio::test]
async fn a_warning_stage_holds_nothing_and_can_be_changed_for_a_moderate_one() {
    let here = with_a_bad_document().await;
    let files = at_least(1);
    stage(&here.db, &files, Stage::Warn).await;
    assert_eq!(in_force(&here.db).await, rules("strict", "warn", 1));
    assert!(insert(&here.db, 0).await && touch(&here.db, -1).await);
    stage(&here.db, &files, Stage::Warn).await;
    stage(&here.db, &files, Stage::Moderate).await;
    assert_eq!((in_force(&here.db).await, stages(&here.db).await), (rules("moderate", "error", 1), 1));
    assert!(!insert(&here.db, 0).await);
    remove(&here.db, 0).await;
    remove(&here.db, -1).await;
    // The wish for a stage is no wish to stay in one.
    stage(&here.db, &files, Stage::Warn).await;
    assert_eq!((in_force(&here.db).await, stages(&here.db).await), (rules("strict", "error", 1), 0));
}

#[tokio::test]
async fn what_no_document_breaks_needs_no_stage() {
    let here = with_a_bad_document().await;
    stage(&here.db, &at_least(-5), Stage::Warn).await;
    assert_eq!((in_force(&here.db).await, stages(&here.db).await), (rules("strict", "error", -5), 0));
}

#[tokio::test]
async fn a_validator_softened_by_hand_is_no_stage() {
    let here = with_a_bad_document().await;
    let files = at_least(1);
    let soften = || here.db.run_command(doc! { "collMod": "things", "validationLevel": "moderate" });
    soften().await.unwrap();
    assert!(refusal(&here.db, &files).await.contains("1 stored document breaks it"));
    let report = start(&here.db, &at_least(-9)).await;
    assert!(matches!(&report.applied[..], [Change::SetValidator { .. }]), "{report:?}");

    // Nor is one that was a stage once.
    stage(&here.db, &files, Stage::Moderate).await;
    remove(&here.db, -1).await;
    start(&here.db, &files).await;
    soften().await.unwrap();
    let plan = sync::plan(&here.db, &files, &Counting::default()).await.unwrap();
    assert!(matches!(&plan.changes[..], [Change::SetValidator { stage: None, .. }]), "{plan}");
}

#[tokio::test]
async fn newer_files_over_a_stage_need_a_stage_of_their_own_or_good_documents() {
    let here = with_a_bad_document().await;
    stage(&here.db, &at_least(1), Stage::Moderate).await;
    assert!(refusal(&here.db, &at_least(2)).await.contains("1 stored document breaks it"));
    stage(&here.db, &at_least(2), Stage::Warn).await;
    assert_eq!((in_force(&here.db).await, stages(&here.db).await), (rules("strict", "warn", 2), 1));
    // Where they ask no more, the stage goes on; what no document breaks goes in strictly.
    let report = start(&here.db, &at_least(0)).await;
    assert!(report.open.contains("things"), "{report:?}");
    assert_eq!((in_force(&here.db).await, stages(&here.db).await), (rules("strict", "warn", 0), 1));
    start(&here.db, &at_least(-2)).await;
    assert_eq!((in_force(&here.db).await, stages(&here.db).await), (rules("strict", "error", -2), 0));
}

#[tokio::test]
async fn a_stage_that_was_recorded_and_not_made_is_made_by_the_next_wish() {
    let here = with_a_bad_document().await;
    let files = at_least(1);
    stage(&here.db, &files, Stage::Moderate).await;
    // As after a crash between the record and the validator.
    let old = at_least(-9).get("things").unwrap().validator.clone();
    here.db.run_command(doc! { "collMod": "things", "validator": old, "validationLevel": "strict" }).await.unwrap();
    assert!(refusal(&here.db, &files).await.contains("1 stored document breaks it"));
    stage(&here.db, &files, Stage::Moderate).await;
    assert_eq!(in_force(&here.db).await, rules("moderate", "error", 1));
}

#[tokio::test]
async fn documents_that_break_a_stage_are_counted_while_it_is_served() {
    let here = with_a_bad_document().await;
    let files = at_least(1);
    stage(&here.db, &files, Stage::Moderate).await;
    let mut settings = here.settings();
    settings.serving.recount = Duration::from_millis(50);
    let api = Api::start_with(files.clone(), here, settings).await;
    let line = r#"folio_breaking_documents{collection="things",level="moderate",action="error"} "#;
    until(&api, "/metrics", &format!("{line}1\n")).await;
    until(&api, "/metrics", "folio_superseded 0\n").await;
    until(&api, "/readyz", "ready\nstaged: 1 stored documents break validators in a stage\n").await;
    remove(&api.database.db, -1).await;
    until(&api, "/metrics", &format!("{line}0\n")).await;
    start(&api.database.db, &files).await;
    until(&api, "/readyz", "ready\n").await;
    assert!(!api.get("/metrics").await.text.contains("folio_breaking_documents{"));

    // Newer files are seen while the older ones are served.
    start(&api.database.db, &at_least(2)).await;
    until(&api, "/readyz", "ready\nsuperseded: newer collection files than this instance's have been applied\n").await;
    until(&api, "/metrics", "folio_superseded 1\n").await;
}

/// Waits until the answer is, or has, this text.
async fn until(api: &Api, path: &str, text: &str) {
    let begun = Instant::now();
    loop {
        let answer = api.get(path).await.text;
        let is_met = if path == "/readyz" { answer == text } else { answer.contains(text) };
        if is_met {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{path} has no `{text}`:\n{answer}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn pages_lose_nothing_where_documents_may_break_the_rules() {
    let here = database().await;
    start(&here.db, &at_least(-9)).await;
    let odd = [doc! { "n": "text" }, doc! {}, doc! { "n": [7, -1] }, doc! { "n": -5.5 }];
    let all: Vec<_> = odd.into_iter().chain((0..5).map(|n| doc! { "n": n })).collect();
    here.db.collection::<Document>("things").insert_many(&all).bypass_document_validation(true).await.unwrap();
    let more = |validation: Value| {
        json!({
            "required": ["n"],
            "x-collection": { "validation": validation },
            "x-indexes": [{ "keys": { "n": 1 }, "unique": true }]
        })
    };
    let staged = things(0, &more(json!({})));
    stage(&here.db, &staged, Stage::Moderate).await;
    assert_eq!(paged(staged, &here).await, all.len());
    let lenient = things(1, &more(json!({ "level": "moderate" })));
    assert_eq!(paged(lenient, &here).await, all.len());
    let newer = things(2, &json!({ "x-collection": { "validation": { "action": "warn" } } }));
    start(&here.db, &newer).await;
    assert_eq!(paged(things(1, &more(json!({ "level": "moderate" }))), &here).await, all.len(), "older files");
}

/// How many documents the pages of two have, in the order of `n`.
async fn paged(files: Catalog, here: &TestDatabase) -> usize {
    let settings = here.settings();
    let again = TestDatabase { uri: here.uri.clone(), name: here.name.clone(), db: here.db.clone() };
    let api = Api::start_with(files, again, settings).await;
    let (mut path, mut ids) = ("/v1/things?sort=n&limit=2".to_owned(), std::collections::HashSet::new());
    loop {
        let page = api.get(&path).await.ok(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.iter().all(|item| ids.insert(item["_id"].to_string())), "{page}");
        let Some(next) = page["next"].as_str() else { return ids.len() };
        path = format!("/v1/things?sort=n&limit=2&after={next}");
    }
}

#[tokio::test]
async fn older_files_serve_and_never_undo_newer_ones_whatever_the_order() {
    for seed in 0..3 * effort() as u64 {
        let mut random = fastrand::Rng::with_seed(seed);
        let here = database().await;
        let (mut newest, mut applied) = (-9, vec![-9]);
        start(&here.db, &at_least(newest)).await;
        for step in 0..12 {
            let [one, other] = [(); 2].map(|()| [-9, 0, 3][random.usize(..3)]);
            let at = format!("seed {seed}, step {step}: {one}, {other} over {newest}");
            if random.u8(..10) < 3 {
                futures::future::join(start(&here.db, &at_least(one)), start(&here.db, &at_least(other))).await;
                // Of two that are new, either may have been the last.
                let new: Vec<_> = [one, other].into_iter().filter(|n| !applied.contains(n)).collect();
                let last = in_force(&here.db).await.2;
                newest = new.iter().copied().find(|n| *n == last).unwrap_or(newest);
                applied.extend(new);
            } else {
                let is_older = applied.contains(&one) && one != newest;
                assert_eq!(start(&here.db, &at_least(one)).await.superseded, is_older, "{at}");
                newest = if is_older { newest } else { one };
            }
            applied.extend([newest]);
            assert_eq!(in_force(&here.db).await, rules("strict", "error", newest), "{at}");
        }
    }
}

#[tokio::test]
async fn going_back_needs_to_be_asked_for() {
    let here = database().await;
    let (old, new) = (at_least(-9), at_least(1));
    start(&here.db, &old).await;
    start(&here.db, &new).await;
    let all = sync::run(&here.db, &old, &Apply::All.into()).await.unwrap();
    assert!(all.superseded && all.applied.is_empty() && all.open.contains("things"), "{all:?}");
    assert_eq!(roll_back(&here.db, &old).await.applied.len(), 1);
    assert!(start(&here.db, &new).await.superseded && !start(&here.db, &old).await.superseded);
    assert_eq!(in_force(&here.db).await, rules("strict", "error", -9));
    // Where nothing differs, it is the record alone that goes back.
    assert_eq!(roll_back(&here.db, &new).await.applied.len(), 1);
    assert!(!roll_back(&here.db, &new).await.superseded && start(&here.db, &old).await.superseded);
}

#[tokio::test]
async fn who_is_alone_on_a_database_may_edit_files_back_and_forth() {
    let here = database().await;
    let mut settings = here.settings();
    settings.changes.rollback = true;
    for minimum in [-9, 1, -9, 1, 2, -9] {
        App::start_with(at_least(minimum), &settings).await.unwrap().close().await;
        assert_eq!(in_force(&here.db).await, rules("strict", "error", minimum));
    }
}

/// Two collections; the second with an index on `a` and `b` or without, which takes an array in only one of them.
fn two(minimum: i32, indexed: bool) -> Catalog {
    let declared = if indexed { json!([{ "keys": { "a": 1, "b": 1 } }]) } else { json!([]) };
    let file = json!({ "type": "object", "properties": { "n": { "bsonType": "int", "minimum": minimum } } });
    catalog(&[("things", file), ("books", json!({ "type": "object", "x-indexes": declared }))])
}

/// A document that no plan finds in the way of that index.
fn unindexable() -> Document {
    doc! { "a": [1], "b": [1] }
}

#[tokio::test]
async fn an_apply_that_failed_half_way_is_finished_by_newer_files_and_not_undone_by_older_ones() {
    let here = database().await;
    let (old, new) = (two(-9, false), two(1, true));
    start(&here.db, &old).await;
    here.db.collection("books").insert_one(unindexable()).await.unwrap();
    assert!(refusal(&here.db, &new).await.contains("creating the index"));
    assert_eq!(in_force(&here.db).await.2, 1);
    let report = start(&here.db, &old).await;
    assert!(report.superseded && report.applied.is_empty(), "{report:?}");
    assert_eq!(in_force(&here.db).await.2, 1);
    here.db.collection::<Document>("books").delete_many(doc! {}).await.unwrap();
    start(&here.db, &new).await;
    assert!(sync::plan(&here.db, &new, &Counting::default()).await.unwrap().is_empty());
    assert!(start(&here.db, &old).await.superseded);
}

#[tokio::test]
async fn an_apply_that_failed_before_it_changed_anything_leaves_the_older_files_in_charge() {
    let here = database().await;
    let old = two(-9, false);
    start(&here.db, &old).await;
    here.db.collection("books").insert_one(unindexable()).await.unwrap();
    assert!(refusal(&here.db, &two(-9, true)).await.contains("creating the index"));
    assert!(!start(&here.db, &old).await.superseded);
}

#[tokio::test]
async fn leniency_that_the_file_asks_for_is_no_change_that_an_apply_made() {
    let here = database().await;
    let files = |indexes: Value| {
        let lenient = json!({ "type": "object", "x-collection": { "validation": { "level": "moderate" } } });
        catalog(&[("things", lenient), ("books", json!({ "type": "object", "x-indexes": indexes }))])
    };
    let old = files(json!([]));
    start(&here.db, &old).await;
    here.db.collection("books").insert_one(unindexable()).await.unwrap();
    assert!(refusal(&here.db, &files(json!([{ "keys": { "a": 1, "b": 1 } }]))).await.contains("creating the index"));
    assert!(!start(&here.db, &old).await.superseded);
}

#[tokio::test]
async fn a_collection_has_the_options_of_its_file() {
    let here = database().await;
    let with = |options: Value| things(0, &json!({ "x-collection": options }));
    let pre_images = async || {
        let listed = here.db.run_command(doc! { "listCollections": 1, "filter": { "name": "things" } }).await.unwrap();
        let batch = listed.get_document("cursor").unwrap().get_array("firstBatch").unwrap();
        let options = batch[0].as_document().unwrap().get_document("options").unwrap();
        options.get_document("changeStreamPreAndPostImages").is_ok_and(|o| o.get_bool("enabled").unwrap())
    };
    let all = Wish::from(Apply::All);
    start(&here.db, &with(json!({ "preImages": true, "validation": { "level": "moderate" } }))).await;
    assert!(pre_images().await);
    assert_eq!(in_force(&here.db).await, rules("moderate", "error", 0));
    let report = start(&here.db, &with(json!({}))).await;
    assert!(matches!(&report.reported[..], [Change::UnknownPreImages { .. }]), "{report:?}");
    assert!(pre_images().await);
    assert_eq!(in_force(&here.db).await, rules("strict", "error", 0));
    let off = with(json!({ "preImages": false }));
    assert!(refusal(&here.db, &off).await.contains("~ pre-images things (off) [destructive]"));
    sync::run(&here.db, &off, &all).await.unwrap();
    assert!(!pre_images().await);
    start(&here.db, &with(json!({ "preImages": true, "validation": { "action": "warn" } }))).await;
    assert!(pre_images().await);
    assert_eq!(in_force(&here.db).await, rules("strict", "warn", 0));
}

#[tokio::test]
async fn leniency_that_the_file_asks_for_goes_in_over_documents_that_make_use_of_it() {
    let here = with_a_bad_document().await;
    let files = things(1, &json!({ "x-collection": { "validation": { "action": "warn" } } }));
    start(&here.db, &files).await;
    assert_eq!(in_force(&here.db).await, rules("strict", "warn", 1));
    let plan = sync::plan(&here.db, &files, &Counting::default()).await.unwrap();
    assert!(plan.is_empty() && plan.breaking["things"].count.value() == 1, "{plan}");
    assert!(
        plan.to_string().contains("? validator things (not held against every write: strict, warn, as its file says)")
    );
    remove(&here.db, -1).await;
    assert_eq!(sync::plan(&here.db, &files, &Counting::default()).await.unwrap().changes, []);
}

#[tokio::test]
async fn a_file_may_ask_for_if_match() {
    let more = json!({ "x-collection": { "concurrency": "required" } });
    let api = Api::start(things(0, &more)).await;
    let made = api.post("/v1/things", json!({ "n": 1 })).await;
    let path = format!("/v1/things/{}", made.ok(201)["_id"].as_str().unwrap());
    api.put(&path, json!({ "n": 2 })).await.problem(428, "precondition-required");
    api.patch(&path, json!({ "n": 2 })).await.problem(428, "precondition-required");
    api.delete(&path).await.problem(428, "precondition-required");
    let other = [("content-type", "application/json"), ("if-none-match", "\"x\"")];
    api.send(Method::PUT, &path, &other, r#"{"n":2}"#).await.problem(428, "precondition-required");
    let create = [("content-type", "application/json"), ("if-none-match", "*")];
    api.send(Method::PUT, "/v1/things/6650f0000000000000000001", &create, r#"{"n":3}"#).await.ok(201);
    let known = [("content-type", "application/json"), ("if-match", made.header("etag"))];
    api.send(Method::PUT, &path, &known, r#"{"n":2}"#).await.ok(200);
    api.send(Method::PUT, &path, &known, r#"{"n":3}"#).await.problem(412, "precondition-failed");
    assert_eq!(api.send(Method::DELETE, &path, &[("if-match", "*")], "").await.status, 204);
}
