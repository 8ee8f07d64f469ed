//! Many documents at once: arrays of new ones, and changes of those that a filter selects.

use bson::{Document, doc};
use folio::config::Limits;
use futures::TryStreamExt;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Api, Client, catalog};

fn things() -> Value {
    json!({
        "type": "object",
        "required": ["n"],
        "additionalProperties": false,
        "properties": {
            "_id": { "bsonType": "int" },
            "n": { "bsonType": "int", "minimum": 0 },
            "k": { "type": "string" },
            "note": { "type": "string" },
            "list": { "type": "array", "items": { "bsonType": "int" } },
            "seen": { "bsonType": "timestamp" },
            "color": { "type": "string", "default": "gray" },
            "at": { "bsonType": "date", "x-set": { "update": "now" } }
        },
        "x-indexes": [{ "keys": { "k": 1 }, "unique": true, "sparse": true }, { "keys": { "n": 1 } }]
    })
}

async fn api() -> Api {
    Api::things(things()).await
}

/// Things `from..to`, with `n` and `_id` alike.
async fn fill(api: &Api, count: i32) {
    let things = (0..count).map(|n| doc! { "_id": n, "n": n });
    api.collection("things").insert_many(things).await.unwrap();
}

async fn stored(api: &Api, id: i32) -> Option<Document> {
    api.collection("things").find_one(doc! { "_id": id }).await.unwrap()
}

/// A patch of this media type by filter.
async fn patch(client: &Client, query: &str, kind: &str, body: Value) -> Answer {
    let headers = [("content-type", kind)];
    client.send(Method::PATCH, &format!("/v1/things?{query}"), &headers, body.to_string()).await
}

const MERGE: &str = "application/merge-patch+json";
const JSON_PATCH: &str = "application/json-patch+json";
const JSON: &str = "application/json";

#[tokio::test]
async fn an_array_is_inserted_with_defaults_and_answered_with_ids() {
    let api = api().await;
    let answer = api.post("/v1/things", r#" [{"_id":2,"n":1},{"_id":1,"n":2,"color":"red"}] "#).await;
    assert_eq!(answer.ok(201), json!({ "ids": [2, 1] }));
    assert!(!answer.headers.contains_key("location") && !answer.headers.contains_key("etag"), "{answer:?}");
    assert_eq!(stored(&api, 2).await.unwrap(), doc! { "_id": 2, "n": 1, "color": "gray" });
    assert_eq!(stored(&api, 1).await.unwrap(), doc! { "_id": 1, "n": 2, "color": "red" });
    assert_eq!(api.post("/v1/things", "[]").await.ok(201), json!({ "ids": [] }));
    assert_eq!(api.post("/v1/things", r#"[{"_id":3,"n":1}]"#).await.ok(201), json!({ "ids": [3] }));
    assert_eq!(api.post("/v1/things?ordered=false", "[]").await.ok(207), json!({ "results": [] }));
}

#[tokio::test]
async fn an_array_is_stored_as_a_whole_or_not_at_all() {
    let api = api().await;
    api.post("/v1/things", r#"{"_id":9,"n":0,"k":"taken"}"#).await.ok(201);
    for (body, status, slug, item) in [
        (r#"[{"_id":1,"n":1},{"_id":2,"n":-1}]"#, 422, "invalid-document", 1),
        (r#"[{"_id":1,"n":1},{"_id":2,"n":1,"k":"taken"}]"#, 409, "duplicate", 1),
        (r#"[{"_id":1,"n":1},{"_id":2,"n":1},{"_id":1,"n":1}]"#, 409, "duplicate", 2),
        (r#"[{"n":1}]"#, 422, "invalid-document", 0),
        (r#"[{"_id":1,"n":-1}]"#, 422, "invalid-document", 0),
        (r#"[{"_id":1,"n":1},{"_id":2,"at":1}]"#, 422, "read-only-field", 1),
        (r#"[{"_id":1,"n":1},{"_id":2,"n":1,"n":1}]"#, 400, "malformed-body", 1),
        (r#"[{"_id":1,"n":1},2]"#, 400, "malformed-body", 1),
    ] {
        let problem = api.post("/v1/things", body).await.problem(status, slug);
        assert_eq!(problem["item"], item, "{body}: {problem}");
        assert_eq!(api.count("things").await, 1, "{body}");
    }
    let problem = api.post("/v1/things", "[{\"_id\":1,\"n\":1},\n {\"_id\":2,\"$n\":1}]").await;
    let problem = problem.problem(400, "malformed-body");
    assert_eq!((&problem["line"], &problem["column"]), (&json!(2), &json!(11)), "{problem}");
    let problem = api.post("/v1/things", r#"[{"_id":1,"n":1}"#).await.problem(400, "malformed-body");
    assert_eq!((problem.get("item"), &problem["column"]), (None, &json!(16)));
    let broken = api.post("/v1/things", r#"[{"_id":1,"n":1},{"_id":2,"n":-1,"extra":1}]"#).await;
    let pointers: Vec<_> = broken.problem(422, "invalid-document")["errors"].as_array().unwrap().clone();
    let pointers: Vec<_> = pointers.iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!(pointers, ["/n", "/extra"]);
    assert_eq!(api.count("things").await, 1);
}

#[tokio::test]
async fn an_array_that_is_not_ordered_is_stored_as_far_as_it_can_be() {
    let api = api().await;
    let body = r#"[{"_id":1,"n":1},{"_id":2,"n":-1},{"_id":1,"n":2},{"n":2},{"_id":4,"n":4,"at":5},{"_id":5,"n":5}]"#;
    let answer = api.post("/v1/things?ordered=false", body).await.ok(207);
    let results = answer["results"].as_array().unwrap();
    let told: Vec<_> = results.iter().map(|r| (r["status"].as_u64().unwrap(), r["id"].as_i64())).collect();
    assert_eq!(told, [(201, Some(1)), (422, None), (409, None), (422, None), (422, None), (201, Some(5))]);
    let kinds: Vec<_> = results.iter().filter_map(|r| r["problem"]["type"].as_str()).collect();
    assert_eq!(
        kinds,
        ["invalid-document", "duplicate", "invalid-document", "read-only-field"].map(|k| format!("/problems/{k}"))
    );
    for result in results.iter().filter(|result| result["status"] != 201) {
        let problem = &result["problem"];
        assert_eq!((problem.get("instance"), problem.get("item")), (None, None), "{problem}");
        assert_eq!(problem["status"], result["status"]);
    }
    assert_eq!(results[1]["problem"]["errors"][0]["pointer"], "/n");
    assert_eq!(api.count("things").await, 2);
    api.post("/v1/things?ordered=false", r#"[{"_id":7,"n":7},{"_id":8,,}]"#).await.problem(400, "malformed-body");
    assert_eq!(api.count("things").await, 2);
    api.post("/v1/things?ordered=maybe", "[]").await.problem(400, "invalid-query");
    api.post("/v1/things?order=false", "[]").await.problem(400, "invalid-query");
}

#[tokio::test]
async fn an_array_has_at_most_so_many_documents() {
    let limits = Limits { max_bulk: 2, ..Limits::default() };
    let api = Api::with_limits(catalog(&[("things", things())]), limits).await;
    for query in ["", "?ordered=false"] {
        let body = json!([{ "_id": 1, "n": 1 }, { "_id": 2, "n": 1 }, { "_id": 3, "n": 1 }]);
        let problem = api.post(&format!("/v1/things{query}"), body).await.problem(400, "limit-exceeded");
        assert!(problem["detail"].as_str().unwrap().contains("`--max-bulk`"), "{problem}");
        assert_eq!(api.count("things").await, 0);
    }
    api.post("/v1/things", json!([{ "_id": 1, "n": 1 }, { "_id": 2, "n": 1 }])).await.ok(201);
}

/// Ten thousand documents, and a few of the largest there are.
#[tokio::test]
async fn large_arrays_are_inserted_as_a_whole() {
    let limits = Limits { max_body: 64 << 20, ..Limits::default() };
    let api = Api::with_limits(catalog(&[("things", things())]), limits).await;
    let many: Vec<_> = (0..10_000).map(|n| json!({ "_id": n, "n": n })).collect();
    let ids = api.post("/v1/things", Value::from(many)).await.ok(201);
    assert_eq!(ids["ids"].as_array().unwrap().len(), 10_000);
    assert_eq!(api.count("things").await, 10_000);
    let large = |id: i32, n: i32| json!({ "_id": id, "n": n, "note": "x".repeat(6 << 20) });
    let body = json!([large(-1, 1), large(-2, 1), { "_id": -3, "n": -1 }]);
    let problem = api.post("/v1/things", body).await.problem(422, "invalid-document");
    assert_eq!((&problem["item"], api.count("things").await), (&json!(2), 10_000));
    api.post("/v1/things", json!([large(-1, 1), { "_id": -2, "n": 1 }])).await.ok(201);
    assert_eq!(api.count("things").await, 10_002);
    let mut too_large = large(-5, 1);
    too_large["note"] = "x".repeat(16 << 20).into();
    let problem = api.post("/v1/things", json!([large(-4, 1), too_large])).await.problem(413, "too-large");
    assert_eq!(problem["item"], 1, "{problem}");
}

#[tokio::test]
async fn the_server_writes_its_time_into_documents_of_arrays_too() {
    let api = api().await;
    let zero = json!({ "$timestamp": { "t": 0, "i": 0 } });
    let body = json!([{ "_id": 1, "n": 1 }, { "_id": 2, "n": 1, "seen": zero }]);
    for (query, first) in [("", 1), ("?ordered=false", 3)] {
        let mut body = body.clone();
        (body[0]["_id"], body[1]["_id"]) = (first.into(), (first + 1).into());
        let headers = [("content-type", JSON), ("prefer", "return=representation")];
        let answer = api.send(Method::POST, &format!("/v1/things{query}"), &headers, body.to_string()).await.json();
        let document = if query.is_empty() { &answer["items"][1] } else { &answer["results"][1]["document"] };
        assert_ne!(document["seen"]["$timestamp"]["t"], 0, "{answer}");
        assert_eq!(document["_id"], first + 1);
        let plain = if query.is_empty() { &answer["items"][0] } else { &answer["results"][0]["document"] };
        assert_eq!(plain, &json!({ "_id": first, "n": 1, "color": "gray" }));
    }
}

#[tokio::test]
async fn a_refused_document_is_told_of_as_it_was_sent() {
    let api = api().await;
    api.post("/v1/things", json!({ "_id": 1, "n": 1 })).await.ok(201);
    let zero = json!({ "$timestamp": { "t": 0, "i": 0 } });
    let body = json!([{ "_id": 1, "n": -7, "seen": zero }, { "_id": 2, "n": 2, "seen": zero }]);
    let headers = [("content-type", JSON), ("prefer", "return=representation")];
    let answer = api.send(Method::POST, "/v1/things?ordered=false", &headers, body.to_string()).await.json();
    let problem = &answer["results"][0]["problem"];
    assert_eq!((&problem["status"], &problem["errors"][0]["found"]), (&json!(422), &json!(-7)), "{answer}");
    assert_ne!(answer["results"][1]["document"]["seen"]["$timestamp"]["t"], 0, "{answer}");
}

#[tokio::test]
async fn what_a_filter_selects_is_changed_in_every_form() {
    let api = api().await;
    fill(&api, 10).await;
    for (query, kind, body, counts) in [
        ("n[lt]=3", MERGE, json!({ "note": "low" }), (3, 3)),
        ("n[lt]=4", MERGE, json!({ "note": "low" }), (4, 1)),
        ("n[lt]=4", MERGE, json!({}), (4, 0)),
        ("n=99", MERGE, json!({ "note": "none" }), (0, 0)),
        ("n[gte]=8", JSON_PATCH, json!([{ "op": "add", "path": "/note", "value": "high" }]), (2, 2)),
        ("all=true", MERGE, json!({ "color": "red" }), (10, 10)),
        ("filter={\"n\":{\"$in\":[1,2,40]}}&color=red", MERGE, json!({ "note": null }), (2, 2)),
    ] {
        let answer = patch(&api, query, kind, body).await;
        assert_eq!(answer.ok(200), json!({ "matched": counts.0, "modified": counts.1 }), "{query}");
    }
    let one = stored(&api, 1).await.unwrap();
    let told = (one.get_str("color").unwrap(), one.contains_key("note"), one.contains_key("at"));
    assert_eq!(told, ("red", false, true));
    assert_eq!(stored(&api, 9).await.unwrap().get_str("note").unwrap(), "high");
    assert_eq!(api.delete("/v1/things?n[gte]=5").await.ok(200), json!({ "deleted": 5 }));
    assert_eq!(api.delete("/v1/things?n[gte]=5").await.ok(200), json!({ "deleted": 0 }));
    assert_eq!(api.delete("/v1/things?all=true").await.ok(200), json!({ "deleted": 5 }));
    assert_eq!(api.count("things").await, 0);
}

#[tokio::test]
async fn operators_are_applied_to_what_a_filter_selects() {
    let api = api().await;
    fill(&api, 4).await;
    let set = |value: &str| json!({ "$set": { "note": value } });
    for (query, update, counts) in [
        ("n[lt]=3", json!({ "$inc": { "n": 0 } }), (3, 0)),
        ("n[lt]=3", json!({ "$push": { "list": { "$each": [1, 2] } } }), (3, 3)),
        ("n[lt]=2", set("a"), (2, 2)),
        // Two of them are as they shall be, and keep the time of their last update.
        ("all=true", set("a"), (4, 2)),
        ("all=true", set("a"), (4, 0)),
        ("list=2&arrayFilters=[{\"x\":2}]", json!({ "$set": { "list.$[x]": 5 } }), (3, 3)),
        ("all=true", json!({ "$pull": { "list": 1 } }), (4, 3)),
        ("n=1&arrayFilters=[{\"x\":5}]", json!({ "$inc": { "list.$[x]": 1 } }), (1, 1)),
    ] {
        let answer = patch(&api, query, JSON, update.clone()).await;
        assert_eq!(answer.ok(200), json!({ "matched": counts.0, "modified": counts.1 }), "{query} {update}");
    }
    let lists = |id: i32| stored(&api, id);
    assert_eq!(lists(0).await.unwrap().get_array("list").unwrap(), &vec![5.into()]);
    assert_eq!(lists(1).await.unwrap().get_array("list").unwrap(), &vec![6.into()]);
    let [first, last] = [stored(&api, 0).await.unwrap(), stored(&api, 3).await.unwrap()];
    assert!(first.get_datetime("at").unwrap() >= last.get_datetime("at").unwrap(), "{first} {last}");
    let update = json!({ "$inc": { "n": -1 } });
    let problem = patch(&api, "n[lt]=3", JSON, update).await.problem(422, "invalid-document");
    let told = (&problem["id"], &problem["matched"], &problem["modified"], &problem["errors"][0]["pointer"]);
    assert_eq!(told, (&json!(0), &json!(0), &json!(0), &json!("/n")), "{problem}");
    assert_eq!(stored(&api, 2).await.unwrap().get_i32("n").unwrap(), 2);
    patch(&api, "n=1", JSON, json!({ "$set": { "at": null } })).await.problem(422, "read-only-field");
}

/// Documents that are too large to be changed together are changed in smaller portions.
#[tokio::test]
async fn large_documents_are_changed_too() {
    let api = api().await;
    let large = (0..6).map(|n| doc! { "_id": n, "n": n, "note": "x".repeat(9 << 20) });
    api.collection("things").insert_many(large).await.unwrap();
    // A test is worked out on each document.
    let patches =
        json!([{ "op": "test", "path": "/n", "value": 9 }, { "op": "add", "path": "/color", "value": "red" }]);
    patch(&api, "all=true", JSON_PATCH, patches).await.problem(422, "patch-failed");
    let patches =
        json!([{ "op": "copy", "from": "/n", "path": "/list" }, { "op": "replace", "path": "/list", "value": [1] }]);
    let answer = patch(&api, "all=true", JSON_PATCH, patches).await;
    assert_eq!(answer.ok(200), json!({ "matched": 6, "modified": 6 }));
    let answer = patch(&api, "all=true", JSON, json!({ "$push": { "list": { "$each": [2], "$slice": -1 } } })).await;
    assert_eq!(answer.ok(200), json!({ "matched": 6, "modified": 6 }));
    assert_eq!(api.collection("things").count_documents(doc! { "list": [2] }).await.unwrap(), 6);
}

/// The documents of a portion have 16 MiB, as they are stored and as they become.
#[tokio::test]
async fn portions_have_so_many_bytes() {
    let api = Api::alone("many", things()).await;
    let (things, large) = (api.collection("things"), "x".repeat(1 << 20));
    let committed = async || {
        let status = api.server_status().await;
        status.get_document("transactions").unwrap().get_i64("totalCommitted").unwrap()
    };
    let exactly =
        json!([{ "op": "test", "path": "/list/0", "value": 1 }, { "op": "add", "path": "/note", "value": large }]);
    for (note, kind, body) in [
        (large.as_str(), JSON, json!({ "$inc": { "n": 1 } })),
        ("", JSON, json!({ "$set": { "note": large } })),
        ("", MERGE, json!({ "note": large })),
        ("", JSON_PATCH, exactly),
    ] {
        things.delete_many(doc! {}).await.unwrap();
        things.insert_many((0..40).map(|n| doc! { "_id": n, "n": n, "note": note, "list": [1] })).await.unwrap();
        let before = committed().await;
        let answer = patch(&api, "all=true", kind, body).await.ok(200);
        assert_eq!(answer, json!({ "matched": 40, "modified": 40 }));
        let portions = committed().await - before;
        assert!((3..=4).contains(&portions), "{kind}: {portions} portions");
    }
}

#[tokio::test]
async fn what_is_not_changed_keeps_the_time_of_its_last_update() {
    let api = api().await;
    fill(&api, 3).await;
    patch(&api, "all=true", MERGE, json!({ "note": "a" })).await.ok(200);
    let before = stored(&api, 0).await;
    api.patch("/v1/things/1", json!({ "note": "b" })).await.ok(200);
    let answer = patch(&api, "all=true", MERGE, json!({ "note": "a" })).await.ok(200);
    assert_eq!((answer, stored(&api, 0).await), (json!({ "matched": 3, "modified": 1 }), before));
}

/// A change of what documents are selected by meets each once, in as many portions as there are.
#[tokio::test]
async fn no_document_is_met_twice() {
    let api = api().await;
    fill(&api, 2500).await;
    let answer = patch(&api, "n[gte]=0", MERGE, json!({ "n": 5000 })).await.ok(200);
    assert_eq!(answer, json!({ "matched": 2500, "modified": 2500 }));
    assert_eq!(api.collection("things").count_documents(doc! { "n": 5000 }).await.unwrap(), 2500);
    assert_eq!(api.delete("/v1/things?n=5000").await.ok(200), json!({ "deleted": 2500 }));
}

#[tokio::test]
async fn a_refusal_tells_of_which_document_it_is_and_what_was_done_before() {
    let api = api().await;
    fill(&api, 1500).await;
    let things = api.collection("things");
    let lists = |ids: std::ops::Range<i32>| doc! { "_id": { "$gte": ids.start, "$lt": ids.end } };
    things.update_one(doc! { "_id": 700 }, doc! { "$set": { "k": "x" } }).await.unwrap();
    // Only one document can have the key.
    let problem = patch(&api, "n[lt]=500", MERGE, json!({ "k": "y" })).await.problem(409, "duplicate");
    assert_eq!((&problem["matched"], &problem["modified"]), (&json!(0), &json!(0)), "{problem}");
    assert!(problem["id"].as_i64().is_some_and(|id| (0..500).contains(&id)), "{problem}");
    assert_eq!(things.count_documents(doc! { "k": "y" }).await.unwrap(), 0);
    // The first thousand is changed, then one of the others breaks a rule.
    let patches = json!([{ "op": "replace", "path": "/n", "value": -1 }]);
    things.update_many(lists(0..1000), doc! { "$set": { "color": "red" } }).await.unwrap();
    let problem = patch(&api, "filter={\"_id\":{\"$gte\":0}}", JSON_PATCH, patches).await;
    let problem = problem.problem(422, "invalid-document");
    assert_eq!((&problem["matched"], &problem["modified"]), (&json!(0), &json!(0)), "{problem}");
    assert_eq!(problem["errors"][0]["pointer"], "/n");
    let patches = json!([{ "op": "test", "path": "/color", "value": "red" }, { "op": "remove", "path": "/color" }]);
    let problem = patch(&api, "filter={\"_id\":{\"$gte\":0}}", JSON_PATCH, patches).await;
    let problem = problem.problem(422, "patch-failed");
    assert_eq!((&problem["matched"], &problem["modified"]), (&json!(1000), &json!(1000)), "{problem}");
    assert!(problem["id"].as_i64().is_some_and(|id| id >= 1000), "{problem}");
    assert_eq!(things.count_documents(doc! { "color": "red" }).await.unwrap(), 0);
}

/// What is held up by another writer until the time is over is not done; what was done before stays.
#[tokio::test]
async fn the_time_of_all_portions_is_that_of_the_request() {
    let api = api().await;
    fill(&api, 1500).await;
    let things = api.collection("things");
    let mut session = things.client().start_session().await.unwrap();
    session.start_transaction().await.unwrap();
    let hold = things.update_one(doc! { "_id": 1200 }, doc! { "$set": { "note": "held" } });
    hold.session(&mut session).await.unwrap();
    let headers = [("content-type", MERGE), ("request-timeout", "3")];
    for (path, body, counts) in [
        ("/v1/things?filter={\"_id\":{\"$gte\":0}}", json!({ "note": "a" }), json!([1000, 1000])),
        ("/v1/things?filter={\"_id\":{\"$gte\":0}}", json!({ "note": "a" }), json!([1000, 0])),
    ] {
        let begun = std::time::Instant::now();
        let answer = api.send(Method::PATCH, path, &headers, body.to_string()).await;
        assert!([409, 504].contains(&answer.status), "{answer:?}");
        assert!(begun.elapsed().as_secs() < 6, "{answer:?}");
        assert_eq!(json!([answer.json()["matched"], answer.json()["modified"]]), counts, "{answer:?}");
    }
    let problem = api.send(Method::DELETE, "/v1/things?n[gte]=1100", &headers[1..], "").await;
    assert!([409, 504].contains(&problem.status) && problem.json()["deleted"] == 0, "{problem:?}");
    session.abort_transaction().await.unwrap();
    assert_eq!(things.count_documents(doc! { "note": "a" }).await.unwrap(), 1000);
    assert_eq!(api.delete("/v1/things?n[gte]=1100").await.ok(200), json!({ "deleted": 400 }));
}

/// Many writers by filter, in each other's way.
#[tokio::test]
async fn changes_by_filter_at_once_are_all_made() {
    let api = api().await;
    fill(&api, 50).await;
    let increment = || patch(&api, "all=true", JSON, json!({ "$inc": { "n": 1 } }));
    let answers = futures::future::join_all((0..10).map(|_| increment())).await;
    for answer in answers {
        assert_eq!(answer.ok(200), json!({ "matched": 50, "modified": 50 }));
    }
    let sum: i32 = (0..50).map(|n| n + 10).sum();
    let mut all = api.collection("things").find(doc! {}).await.unwrap();
    let mut found = 0;
    while let Some(thing) = all.try_next().await.unwrap() {
        found += thing.get_i32("n").unwrap();
    }
    assert_eq!(found, sum);
}

#[tokio::test]
async fn which_documents_are_meant_must_be_said() {
    let api = api().await;
    fill(&api, 2).await;
    for (query, parameter) in [
        ("", "all"),
        ("all=false", "all"),
        ("filter={}", "all"),
        ("all=true&n=1", "all"),
        ("n=1&limit=1", "limit"),
        ("n=1&sort=n", "sort"),
        ("n=1&upsert=true", "upsert"),
        ("n=1&ordered=false", "ordered"),
        ("n=1&arrayFilters=[]", "arrayFilters"),
        ("n=x", "n"),
    ] {
        for answer in [api.delete(&format!("/v1/things?{query}")).await, patch(&api, query, MERGE, json!({})).await] {
            assert_eq!(answer.problem(400, "invalid-query")["parameter"], parameter, "{query}");
        }
    }
    api.delete("/v1/things?none=1").await.problem(400, "unknown-field");
    assert_eq!(api.count("things").await, 2);
    let answer = api.send(Method::DELETE, "/v1/things?n=1", &[("accept", "text/html")], "").await;
    answer.problem(406, "not-acceptable");
    patch(&api, "n=1", "text/plain", json!({})).await.problem(415, "unsupported-media-type");
    assert_eq!(api.count("things").await, 2);
}

#[tokio::test]
async fn a_costly_selection_is_refused_as_a_list_would_be() {
    let limits = Limits { max_scan: 10, ..Limits::default() };
    let api = Api::with_limits(catalog(&[("things", things())]), limits).await;
    fill(&api, 20).await;
    for answer in [api.delete("/v1/things?note=x").await, patch(&api, "note=x", MERGE, json!({})).await] {
        let problem = answer.problem(422, "unindexed-query");
        assert_eq!(problem["missingIndex"], json!({ "keys": { "note": 1 } }), "{problem}");
    }
    assert_eq!(api.delete("/v1/things?n=1").await.ok(200), json!({ "deleted": 1 }));
    assert_eq!(api.delete("/v1/things?all=true").await.ok(200), json!({ "deleted": 19 }));
}

#[tokio::test]
async fn documents_that_need_a_precondition_are_not_changed_by_filter() {
    let mut file = things();
    file["x-collection"] = json!({ "concurrency": "required" });
    let api = Api::things(file).await;
    api.post("/v1/things", json!([{ "_id": 1, "n": 1 }])).await.ok(201);
    api.delete("/v1/things?n=1").await.problem(428, "precondition-required");
    patch(&api, "n=1", MERGE, json!({})).await.problem(428, "precondition-required");
    assert_eq!(api.count("things").await, 1);
}

fn shelf() -> Value {
    let text = json!({ "type": "string" });
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "_id": { "bsonType": "int" }, "tenant": text, "title": text, "state": text,
            "cost": { "bsonType": "int" }, "pin": { "type": "string", "writeOnly": true }
        },
        "x-access": {
            "admin": ["*"],
            "tenant": { "ops": ["read", "write"], "filter": { "tenant": "$user.tenant" },
                "set": { "tenant": "$user.tenant" }, "hide": ["cost"], "readOnly": ["state"] },
            "open": { "ops": ["read", "update"], "filter": { "state": "open" } },
            "reader": ["read"],
            "editor": { "ops": ["update", "delete"], "filter": { "tenant": "$user.tenant" } },
            "drop": ["insert", "update", "delete"]
        }
    })
}

async fn shelves() -> Api {
    let api = Api::closed(catalog(&[("things", shelf())])).await;
    let of = |id: i32, tenant: &str, state: &str| {
        doc! { "_id": id, "tenant": tenant, "title": "t", "state": state, "cost": id, "pin": "1234" }
    };
    let all = [of(1, "a", "open"), of(2, "a", "done"), of(3, "b", "open"), of(4, "b", "done")];
    api.collection("things").insert_many(all).await.unwrap();
    api
}

#[tokio::test]
async fn only_what_a_caller_may_read_and_change_is_selected() {
    let api = shelves().await;
    let who = |roles: &[&str]| api.caller(roles, "ann", json!({ "tenant": "a" }));
    let title = json!({ "title": "new" });
    for (roles, query, told) in [
        (&["tenant"][..], "all=true", Ok((2, 2))),
        (&["tenant"], "filter={\"_id\":{\"$gte\":2}}", Ok((1, 0))),
        (&["open"], "all=true", Ok((2, 1))),
        (&["reader"], "all=true", Err("forbidden")),
        (&["drop"], "all=true", Err("forbidden")),
        (&["editor"], "all=true", Err("forbidden")),
        (&["reader", "editor"], "all=true", Ok((2, 0))),
        (&["tenant"], "cost=1", Err("forbidden-field")),
        (&["tenant"], "price=1", Err("forbidden-field")),
        (&["admin"], "pin=1234", Err("forbidden-field")),
        (&["admin"], "all=true", Ok((4, 1))),
    ] {
        let answer = patch(&who(roles), query, MERGE, title.clone()).await;
        match told {
            Ok((matched, modified)) => {
                assert_eq!(answer.ok(200), json!({ "matched": matched, "modified": modified }), "{roles:?} {query}");
            }
            Err(slug) => drop(answer.problem(403, slug)),
        }
    }
    patch(&who(&["tenant"]), "all=true", MERGE, json!({ "cost": 1 })).await.problem(403, "forbidden-field");
    let problem = patch(&who(&["tenant"]), "all=true", MERGE, json!({ "state": "x" })).await;
    let problem = problem.problem(422, "read-only-field");
    assert_eq!((&problem["pointers"], &problem["modified"]), (&json!(["/state"]), &json!(0)), "{problem}");
    // A document may not be moved out of what its editor may change.
    let problem = patch(&who(&["open"]), "all=true", MERGE, json!({ "state": "done" })).await.problem(403, "forbidden");
    assert!([&json!(1), &json!(3)].contains(&&problem["id"]), "{problem}");
    assert_eq!(api.delete("/v1/things?all=true").await.status, 401);
    who(&["open"]).delete("/v1/things?all=true").await.problem(403, "forbidden");
    assert_eq!(who(&["tenant"]).delete("/v1/things?all=true").await.ok(200), json!({ "deleted": 2 }));
    assert_eq!(api.count("things").await, 2);
}

#[tokio::test]
async fn an_array_is_of_documents_that_the_caller_may_insert() {
    let api = shelves().await;
    let who = |role: &str| api.caller(&[role], "ann", json!({ "tenant": "a" }));
    let body = json!([{ "_id": 11, "title": "x" }, { "_id": 12, "title": "x" }]);
    assert_eq!(who("tenant").post("/v1/things", &body).await.ok(201), json!({ "ids": [11, 12] }));
    let new = api.collection("things").find_one(doc! { "_id": 12 }).await.unwrap().unwrap();
    assert_eq!(new, doc! { "_id": 12, "title": "x", "tenant": "a" });
    let body = json!([{ "_id": 13 }, { "_id": 14, "cost": 1 }]);
    let problem = who("tenant").post("/v1/things", &body).await.problem(403, "forbidden-field");
    assert_eq!((&problem["item"], &problem["pointers"]), (&json!(1), &json!(["/cost"])), "{problem}");
    let results = who("tenant").post("/v1/things?ordered=false", &body).await.ok(207);
    assert_eq!((&results["results"][0]["status"], &results["results"][1]["status"]), (&json!(201), &json!(403)));
    for (role, status, slug) in [("open", 403, "forbidden"), ("reader", 403, "forbidden")] {
        who(role).post("/v1/things", "[]").await.problem(status, slug);
        who(role).post("/v1/things?ordered=false", "[]").await.problem(status, slug);
    }
    // Who may not read them is told the ids alone.
    let headers = [("content-type", JSON), ("prefer", "return=representation")];
    let body = json!([{ "_id": 21 }]).to_string();
    let answer = who("drop").send(Method::POST, "/v1/things", &headers, body).await;
    assert_eq!(answer.ok(201), json!({ "items": [null] }));
}
