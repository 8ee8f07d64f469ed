//! `_bulk`: many different writes in one request.

use bson::{Document, doc};
use folio::config::Limits;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Api, Client, catalog, effort};

fn things() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "_id": { "bsonType": "int" },
            "n": { "bsonType": "int", "minimum": 0 },
            "code": { "type": "string" },
            "email": { "type": "string" },
            "tags": { "type": "array", "items": { "type": "string" } },
            "in": { "type": "object", "properties": { "x": { "bsonType": "int" } } },
            "made": { "bsonType": "date", "x-set": { "insert": "now" } },
            "touched": { "bsonType": "date", "x-set": { "insert": "now", "update": "now" } },
            "owner": { "type": "string", "readOnly": true, "default": "nobody" },
            "size": { "bsonType": "int", "default": 1 }
        },
        "x-indexes": [
            { "keys": { "code": 1 }, "unique": true, "sparse": true },
            { "keys": { "email": 1 }, "unique": true, "sparse": true,
              "collation": { "locale": "en", "strength": 2 } },
            { "keys": { "n": 1 } }
        ]
    })
}

async fn bulk(api: &Client, body: Value) -> Answer {
    api.post("/v1/things/_bulk", body).await
}

async fn each(api: &Client, body: Value) -> Answer {
    api.post("/v1/things/_bulk?ordered=false", body).await
}

async fn stored(api: &Api, id: i32) -> Option<Document> {
    api.collection("things").find_one(doc! { "_id": id }).await.unwrap()
}

/// The statuses of the results.
#[track_caller]
fn statuses(answer: &Answer, status: u16) -> Vec<u64> {
    let results = answer.ok(status)["results"].as_array().unwrap().clone();
    results.iter().map(|result| result["status"].as_u64().unwrap()).collect()
}

async fn fill(api: &Api, ids: impl IntoIterator<Item = i32>) {
    let items: Vec<_> =
        ids.into_iter().map(|id| json!({ "insert": { "_id": id, "n": id, "code": format!("c{id}") } })).collect();
    bulk(api, items.into()).await.ok(200);
}

#[tokio::test]
async fn makes_every_kind_of_write_and_answers_in_order() {
    let api = Api::things(things()).await;
    fill(&api, 1..=6).await;
    let made = stored(&api, 3).await.unwrap();
    let answer = bulk(
        &api,
        json!([
            { "insert": { "_id": 10, "n": 1 } },
            { "update": { "id": 1, "patch": { "n": 11, "code": null } } },
            { "update": { "id": 2, "patch": { "$inc": { "n": 10 }, "$push": { "tags": "a" } } } },
            { "update": { "id": 4, "patch": [{ "op": "replace", "path": "/n", "value": 44 }] } },
            { "replace": { "id": 3, "document": { "n": 33 } } },
            { "upsert": { "filter": { "_id": 20 }, "document": { "n": 20 } } },
            { "upsert": { "filter": { "code": "c5" }, "document": { "n": 55 } } },
            { "upsert": { "filter": { "code": "new" }, "document": { "_id": 30, "n": 30 } } },
            { "delete": { "id": 6 } }
        ]),
    )
    .await;
    let expected = json!({ "results": [
        { "status": 201, "id": 10 }, { "status": 200, "id": 1 }, { "status": 200, "id": 2 }, { "status": 200, "id": 4 },
        { "status": 200, "id": 3 }, { "status": 201, "id": 20 }, { "status": 200, "id": 5 }, { "status": 201, "id": 30 },
        { "status": 204, "id": 6 }
    ]});
    assert_eq!(answer.ok(200), expected);
    let n = async |id| stored(&api, id).await.map(|stored| stored.get_i32("n").unwrap());
    for (id, expected) in [
        (10, Some(1)),
        (1, Some(11)),
        (2, Some(12)),
        (3, Some(33)),
        (4, Some(44)),
        (5, Some(55)),
        (6, None),
        (20, Some(20)),
        (30, Some(30)),
    ] {
        assert_eq!(n(id).await, expected, "{id}");
    }
    let replaced = stored(&api, 3).await.unwrap();
    assert_eq!((replaced.get("made"), replaced.get("owner")), (made.get("made"), made.get("owner")), "{replaced}");
    assert!(
        !replaced.contains_key("code")
            && replaced.get_datetime("touched").unwrap() > made.get_datetime("touched").unwrap()
    );
    let upserted = stored(&api, 5).await.unwrap();
    assert_eq!((upserted.get_str("code").ok(), upserted.get_i32("size").ok()), (Some("c5"), Some(1)), "{upserted}");
    assert_eq!(stored(&api, 30).await.unwrap().get_str("code").ok(), Some("new"));
    assert!(stored(&api, 2).await.unwrap().get_datetime("touched").unwrap() > made.get_datetime("touched").unwrap());
    assert_eq!(bulk(&api, json!([])).await.ok(200), json!({ "results": [] }));
    assert_eq!(each(&api, json!([])).await.ok(207), json!({ "results": [] }));
}

#[tokio::test]
async fn all_or_nothing_is_done_in_order() {
    let api = Api::things(things()).await;
    fill(&api, 1..=3).await;
    let before = [stored(&api, 1).await, stored(&api, 2).await, stored(&api, 3).await];
    let good = json!({ "update": { "id": 1, "patch": { "n": 100 } } });
    for (bad, status, slug) in [
        (json!({ "insert": { "_id": 9, "n": -1 } }), 422, "invalid-document"),
        (json!({ "insert": { "_id": 9, "code": "c1" } }), 409, "duplicate"),
        (json!({ "insert": { "_id": 9, "owner": "me" } }), 422, "read-only-field"),
        (json!({ "update": { "id": 2, "patch": { "n": -1 } } }), 422, "invalid-document"),
        (json!({ "update": { "id": 2, "patch": { "$inc": { "n": -50 } } } }), 422, "invalid-document"),
        (json!({ "update": { "id": 2, "patch": { "$set": { "owner": "me" } } } }), 422, "read-only-field"),
        (json!({ "update": { "id": 2, "patch": [{ "op": "test", "path": "/n", "value": 5 }] } }), 422, "patch-failed"),
        (json!({ "update": { "id": 2, "patch": { "_id": 5 } } }), 422, "read-only-field"),
        (json!({ "update": { "id": 2, "patch": { "code": "c1" } } }), 409, "duplicate"),
        (json!({ "update": { "id": 99, "patch": {} } }), 404, "unknown-document"),
        (json!({ "update": { "id": "x", "patch": {} } }), 400, "invalid-query"),
        (json!({ "update": { "id": 2, "patch": { "n": 1, "$inc": {} } } }), 400, "malformed-body"),
        (json!({ "update": { "id": 2, "patch": {}, "arrayFilters": [] } }), 400, "invalid-query"),
        (json!({ "update": { "id": 2, "patch": {}, "ifMatch": "\"x\"" } }), 412, "precondition-failed"),
        (json!({ "replace": { "id": 2, "document": { "_id": 3 } } }), 422, "read-only-field"),
        (json!({ "replace": { "id": 99, "document": {} } }), 404, "unknown-document"),
        (json!({ "upsert": { "filter": { "n": 2 }, "document": {} } }), 422, "unindexed-query"),
        (json!({ "upsert": { "filter": { "m": 2 }, "document": {} } }), 400, "unknown-field"),
        (json!({ "upsert": { "filter": { "code": { "$gt": "c" } }, "document": {} } }), 400, "invalid-query"),
        (json!({ "upsert": { "filter": { "code": "c2" }, "document": { "code": "c1" } } }), 422, "invalid-document"),
        (json!({ "upsert": { "filter": { "code": "c2" }, "document": { "_id": 5 } } }), 422, "read-only-field"),
        (json!({ "delete": { "id": 99 } }), 404, "unknown-document"),
    ] {
        let problem = bulk(&api, json!([good, { "delete": { "id": 3 } }, bad])).await.problem(status, slug);
        assert_eq!(problem["item"], 2, "{problem}");
        let after = [stored(&api, 1).await, stored(&api, 2).await, stored(&api, 3).await];
        assert_eq!(after, before, "{bad}");
        assert_eq!(api.count("things").await, 3, "{bad}");
        let answer = each(&api, json!([good, bad, { "insert": { "_id": 50 } }])).await;
        assert_eq!(statuses(&answer, 207), [200, u64::from(status), 201], "{bad}: {}", answer.text);
        let problem = &answer.json()["results"][1]["problem"];
        assert_eq!(problem["type"], format!("/problems/{slug}"), "{problem}");
        assert!(problem.get("instance").is_none() && problem.get("item").is_none(), "{problem}");
        let back = json!([{ "update": { "id": 1, "patch": { "n": 1 } } }, { "delete": { "id": 50 } }]);
        bulk(&api, back).await.ok(200);
        api.collection("things").replace_one(doc! { "_id": 1 }, before[0].clone().unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn what_is_no_list_of_writes_is_refused_as_a_whole() {
    let api = Api::things(things()).await;
    for body in
        ["", "{}", "[1]", r#"[{"insert":{"n":1}},{"remove":{}}]"#, r#"[{"delete":{}}]"#, r#"[{"insert":{"n":1}}"#]
    {
        for query in ["", "?ordered=false"] {
            api.post(&format!("/v1/things/_bulk{query}"), body).await.problem(400, "malformed-body");
        }
    }
    let problem = bulk(&api, json!([{ "insert": {} }, { "update": { "id": 1, "patch": {}, "upsert": true } }])).await;
    assert_eq!(problem.problem(400, "malformed-body")["item"], 1);
    api.post("/v1/things/_bulk?upsert=true", json!([])).await.problem(400, "invalid-query");
    api.post("/v1/things/_bulk?ordered=no", json!([])).await.problem(400, "invalid-query");
    api.get("/v1/things/_bulk").await.problem(405, "method-not-allowed");
    api.send(Method::POST, "/v1/things/_bulk", &[("content-type", "text/plain")], "[]")
        .await
        .problem(415, "unsupported-media-type");
    let many: Vec<_> = (0..10_001).map(|_| json!({ "delete": { "id": 1 } })).collect();
    assert_eq!(bulk(&api, many.into()).await.problem(400, "limit-exceeded")["limit"], 10_000);
    assert_eq!(api.count("things").await, 0);
}

#[tokio::test]
async fn writes_on_one_document_keep_their_order() {
    let api = Api::things(things()).await;
    let chain = json!([
        { "insert": { "_id": 1, "n": 1 } },
        { "update": { "id": 1, "patch": { "$inc": { "n": 1 } } } },
        { "update": { "id": 1, "patch": { "code": "a" } } },
        { "upsert": { "filter": { "code": "a" }, "document": { "n": 7 } } },
        { "insert": { "_id": 2, "n": 2 } },
        { "delete": { "id": 1 } },
        { "upsert": { "filter": { "code": "a" }, "document": { "_id": 3, "n": 8 } } },
        { "upsert": { "filter": { "code": "a" }, "document": { "n": 9 } } },
        { "delete": { "id": 2 } },
        { "insert": { "_id": 2, "n": 5 } }
    ]);
    let expected =
        json!([[201, 1], [200, 1], [200, 1], [200, 1], [201, 2], [204, 1], [201, 3], [200, 3], [204, 2], [201, 2]]);
    for query in ["", "?ordered=false"] {
        let answer = api.post(&format!("/v1/things/_bulk{query}"), &chain).await;
        let told = answer.json()["results"].as_array().unwrap_or_else(|| panic!("{}", answer.text)).clone();
        let told: Vec<_> = told.iter().map(|result| json!([result["status"], result["id"]])).collect();
        assert_eq!(json!(told), expected, "{}", answer.text);
        assert_eq!(stored(&api, 1).await, None);
        assert_eq!(stored(&api, 3).await.unwrap().get_i32("n").ok(), Some(9));
        assert_eq!(stored(&api, 2).await.unwrap().get_i32("n").ok(), Some(5));
        api.collection("things").delete_many(doc! {}).await.unwrap();
    }
}

#[tokio::test]
async fn an_upsert_knows_the_texts_that_its_index_takes_for_equal() {
    let api = Api::things(things()).await;
    let upsert =
        |email: &str, n: i32| json!({ "upsert": { "filter": { "email": email }, "document": { "n": n, "_id": n } } });
    let known = |email: &str, n: i32| json!({ "upsert": { "filter": { "email": email }, "document": { "n": n } } });
    let answer = bulk(&api, json!([upsert("a@b", 1), known("A@B", 2), upsert("c@d", 3), known("C@d", 4)])).await;
    assert_eq!(statuses(&answer, 200), [201, 200, 201, 200]);
    assert_eq!(api.count("things").await, 2);
    let one = stored(&api, 1).await.unwrap();
    assert_eq!((one.get_str("email").ok(), one.get_i32("n").ok()), (Some("A@B"), Some(2)));
}

#[tokio::test]
async fn what_changes_nothing_is_not_written() {
    let api = Api::things(things()).await;
    fill(&api, 1..=3).await;
    let before = [stored(&api, 1).await, stored(&api, 2).await, stored(&api, 3).await];
    let body = json!([
        { "update": { "id": 1, "patch": { "n": 1 } } },
        { "update": { "id": 2, "patch": { "$set": { "n": 2 } } } },
        { "upsert": { "filter": { "code": "c3" }, "document": { "n": 3, "size": 1 } } }
    ]);
    assert_eq!(statuses(&bulk(&api, body.clone()).await, 200), [200; 3]);
    assert_eq!(statuses(&each(&api, body).await, 207), [200; 3]);
    assert_eq!([stored(&api, 1).await, stored(&api, 2).await, stored(&api, 3).await], before);
}

#[tokio::test]
async fn one_that_is_refused_leaves_the_others_alone() {
    let api = Api::things(things()).await;
    fill(&api, 1..=200).await;
    let is_bad = |id: i32| id % 7 == 3 || (50..60).contains(&id);
    let items: Vec<_> = (1..=200)
        .map(|id| match id % 3 {
            0 => json!({ "update": { "id": id, "patch": { "n": if is_bad(id) { -1 } else { id + 1000 } } } }),
            1 => json!({ "update": { "id": id, "patch": { "$inc": { "n": if is_bad(id) { -1000 } else { 1000 } } } } }),
            _ => json!({ "insert": { "_id": id + 1000, "n": if is_bad(id) { -1 } else { id } } }),
        })
        .collect();
    let told = statuses(&each(&api, items.into()).await, 207);
    for (id, told) in (1..=200).zip(told) {
        let (there, n) = if id % 3 == 2 { (id + 1000, id) } else { (id, id + 1000) };
        let expected = if is_bad(id) {
            422
        } else if id % 3 == 2 {
            201
        } else {
            200
        };
        assert_eq!(told, expected, "{id}");
        let stored = stored(&api, there).await.map(|stored| stored.get_i32("n").unwrap());
        let before = (id % 3 != 2).then_some(id);
        assert_eq!(stored, if is_bad(id) { before } else { Some(n) }, "{id}");
    }
}

/// How many commands that read or write the server has been sent.
async fn commands(api: &Api) -> i64 {
    const COUNTED: [&str; 9] = [
        "find",
        "getMore",
        "aggregate",
        "insert",
        "update",
        "delete",
        "findAndModify",
        "commitTransaction",
        "abortTransaction",
    ];
    let status = api.server_status().await;
    let metrics = status.get_document("metrics").unwrap();
    let counts = metrics.get_document("commands").unwrap();
    COUNTED.iter().map(|name| counts.get_document(name).unwrap().get_i64("total").unwrap()).sum()
}

/// How many documents the server has sent.
async fn returned(api: &Api) -> i64 {
    let status = api.server_status().await;
    let documents = status.get_document("metrics").unwrap().get_document("document").unwrap();
    documents.get_i64("returned").unwrap()
}

#[tokio::test]
async fn many_that_are_refused_cost_no_more_than_so_much_each() {
    let api = Api::alone("bulk_refused", things()).await;
    fill(&api, 1..=300).await;
    for every in [1, 2, 17, 300] {
        let n = |id: i32| if id % every == 0 { -1 } else { id + every };
        let mut items: Vec<_> =
            (1..=300).map(|id| json!({ "update": { "id": id, "patch": { "n": n(id) } } })).collect();
        // In the order in which the database finds them, and against it.
        if every % 2 == 1 {
            items.reverse();
        }
        let before = (commands(&api).await, returned(&api).await);
        let told = statuses(&each(&api, items.into()).await, 207);
        let refused = told.iter().filter(|status| **status == 422).count();
        assert_eq!(i64::try_from(refused).unwrap(), i64::from(300 / every));
        let (commands, documents) = (commands(&api).await - before.0, returned(&api).await - before.1);
        assert!(commands <= 5 * 300, "one in {every} refused: {commands} commands");
        assert!(documents <= 5 * 300, "one in {every} refused: {documents} documents read");
    }
}

#[tokio::test]
async fn a_thousand_mixed_writes_take_few_commands() {
    let api = Api::alone("bulk", things()).await;
    let items: Vec<_> = (1..=1000)
        .map(|id| match id % 6 {
            0 => json!({ "insert": { "_id": id + 1000, "n": id } }),
            1 => json!({ "update": { "id": id, "patch": { "n": id + 1 } } }),
            2 => json!({ "update": { "id": id, "patch": { "$inc": { "n": 1 } } } }),
            3 => json!({ "replace": { "id": id, "document": { "n": id + 1 } } }),
            4 => json!({ "upsert": { "filter": { "code": format!("c{id}") }, "document": { "n": id + 1 } } }),
            _ => json!({ "delete": { "id": id } }),
        })
        .collect();
    let mut used = i64::MAX;
    // The service has other work for the server in between, more of it where the machine is busy.
    for _ in 0..3 {
        api.collection("things").delete_many(doc! {}).await.unwrap();
        fill(&api, 1..=1000).await;
        let before = commands(&api).await;
        bulk(&api, items.clone().into()).await.ok(200);
        used = used.min(commands(&api).await - before);
    }
    assert!(used <= 8, "{used} commands");
    assert_eq!(
        api.collection("things")
            .count_documents(doc! { "$expr": { "$eq": ["$n", { "$add": ["$_id", 1] }] } })
            .await
            .unwrap(),
        668
    );
}

#[tokio::test]
async fn documents_are_given_back_where_that_is_preferred() {
    let api = Api::things(things()).await;
    fill(&api, 1..=3).await;
    let body = json!([
        { "insert": { "_id": 10, "n": 1 } },
        { "update": { "id": 1, "patch": { "$inc": { "n": 10 } } } },
        { "replace": { "id": 2, "document": { "n": 22 } } },
        { "update": { "id": 3, "patch": {} } },
        { "delete": { "id": 3 } }
    ]);
    for query in ["", "?ordered=false"] {
        let headers = [("content-type", "application/json"), ("prefer", "return=representation")];
        let answer = api.send(Method::POST, &format!("/v1/things/_bulk{query}"), &headers, body.to_string()).await;
        assert_eq!(answer.header("preference-applied"), "return=representation");
        let results = answer.json()["results"].clone();
        for (at, id) in [(0, 10), (1, 1), (2, 2)] {
            let stored = api.get(&format!("/v1/things/{id}")).await.ok(200);
            assert_eq!(results[at]["document"], stored, "{}", answer.text);
        }
        assert_eq!(results[3]["document"]["n"], 3, "{}", answer.text);
        assert!(results[4].get("document").is_none(), "{}", answer.text);
        api.collection("things").delete_one(doc! { "_id": 10 }).await.unwrap();
        bulk(&api, json!([{ "insert": { "_id": 3, "n": 3 } }])).await.ok(200);
    }
}

#[tokio::test]
async fn answers_have_room_for_so_much() {
    let limits = Limits { max_page_bytes: 1000, ..Limits::default() };
    let api = Api::with_limits(catalog(&[("things", things())]), limits).await;
    let insert =
        |id: i32, length: usize| json!({ "insert": { "_id": id, "email": format!("{id}{}", "x".repeat(length)) } });
    let body = json!([insert(1, 100), insert(2, 1000), insert(3, 100)]);
    bulk(&api, body.clone()).await.ok(200);
    api.collection("things").delete_many(doc! {}).await.unwrap();
    let headers = [("content-type", "application/json"), ("prefer", "return=representation")];
    let ask =
        async |query| api.send(Method::POST, &format!("/v1/things/_bulk{query}"), &headers, body.to_string()).await;
    let problem = ask("").await.problem(400, "limit-exceeded");
    assert_eq!((&problem["item"], &problem["limit"]), (&json!(1), &json!(1000)), "{problem}");
    assert_eq!(api.count("things").await, 0);
    assert_eq!(statuses(&ask("?ordered=false").await, 207), [201, 400, 201]);
    assert_eq!(api.count("things").await, 2);
}

#[tokio::test]
async fn the_operators_of_all_writes_have_so_many_values() {
    let limits = Limits { max_values: 5, ..Limits::default() };
    let api = Api::with_limits(catalog(&[("things", things())]), limits).await;
    fill(&api, 1..=3).await;
    let item = |id: i32| json!({ "update": { "id": id, "patch": { "$set": { "tags": ["a", "b"] } } } });
    let body = json!([item(1), { "update": { "id": 2, "patch": { "tags": ["a", "b", "c", "d", "e"] } } }, item(3)]);
    let problem = bulk(&api, body.clone()).await.problem(400, "limit-exceeded");
    assert_eq!((&problem["item"], &problem["limit"]), (&json!(2), &json!(5)), "{problem}");
    assert_eq!(statuses(&each(&api, body).await, 207), [200, 200, 400]);
}

#[tokio::test]
async fn a_change_says_what_it_was_decided_on() {
    let mut file = things();
    file["x-collection"] = json!({ "concurrency": "required" });
    let api = Api::things(file).await;
    fill(&api, 1..=4).await;
    let tag = async |id: i32| api.get(&format!("/v1/things/{id}")).await.header("etag").to_owned();
    let (one, two) = (tag(1).await, tag(2).await);
    let blind = json!([
        { "update": { "id": 1, "patch": {} } },
        { "replace": { "id": 1, "document": {} } },
        { "delete": { "id": 1 } },
        { "upsert": { "filter": { "_id": 1 }, "document": {} } },
        { "upsert": { "filter": { "code": "c1" }, "document": {} } },
        { "update": { "id": 1, "patch": { "n": 5 }, "ifMatch": one } },
        { "delete": { "id": 2, "ifMatch": two } },
        { "delete": { "id": 3, "ifMatch": two } },
        { "replace": { "id": 4, "document": {}, "ifMatch": "*" } }
    ]);
    assert_eq!(statuses(&each(&api, blind).await, 207), [428, 428, 428, 428, 428, 200, 204, 412, 200]);
    let problem =
        bulk(&api, json!([{ "delete": { "id": 3, "ifMatch": two } }])).await.problem(412, "precondition-failed");
    assert_eq!((&problem["item"], problem["etag"].as_str()), (&json!(0), Some(&*tag(3).await)));
}

#[tokio::test]
async fn each_write_needs_its_own_right() {
    let mut file = things();
    file["properties"]["secret"] = json!({ "type": "string" });
    file["x-access"] = json!({
        "inserter": ["insert"],
        "editor": { "ops": ["read", "update"], "filter": { "n": { "$lt": 10 } }, "hide": ["secret"] },
        "clerk": ["read", "insert", "update"],
        "admin": ["*"]
    });
    let api = Api::closed(catalog(&[("things", file)])).await;
    let documents = [1, 2, 20].map(|n| doc! { "_id": n, "n": n, "code": format!("c{n}"), "secret": "s" });
    let body = json!([
        { "insert": { "_id": 5, "n": 5 } },
        { "update": { "id": 1, "patch": { "size": 5 } } },
        { "update": { "id": 20, "patch": { "size": 5 } } },
        { "update": { "id": 1, "patch": { "n": 11 } } },
        { "update": { "id": 2, "patch": { "$set": { "secret": "x" } } } },
        { "upsert": { "filter": { "code": "c2" }, "document": { "n": 3 } } },
        { "upsert": { "filter": { "_id": 2 }, "document": { "n": 4 } } },
        { "delete": { "id": 2 } }
    ]);
    for (role, expected) in [
        ("inserter", [201, 403, 403, 403, 403, 403, 403, 403]),
        ("editor", [403, 200, 404, 403, 403, 403, 403, 403]),
        ("clerk", [201, 200, 200, 200, 200, 200, 200, 403]),
        ("admin", [201, 200, 200, 200, 200, 200, 200, 204]),
    ] {
        api.collection("things").delete_many(doc! {}).await.unwrap();
        api.collection("things").insert_many(&documents).await.unwrap();
        let answer = each(&api.caller(&[role], "ann", json!({})), body.clone()).await;
        assert_eq!(statuses(&answer, 207), expected, "{role}: {}", answer.text);
        let secret = stored(&api, 1).await.unwrap();
        assert_eq!(secret.get_str("secret").ok(), Some("s"), "{role}: {secret}");
    }
    bulk(&api.nobody(), json!([])).await.problem(401, "unauthenticated");
    let problem = bulk(
        &api.caller(&["inserter"], "ann", json!({})),
        json!([{ "insert": { "_id": 7 } }, { "delete": { "id": 1 } }]),
    )
    .await;
    assert_eq!(problem.problem(403, "forbidden")["item"], 1);
}

/// Everybody upserts the same keys at once: one creates each document, the others replace it.
#[tokio::test]
async fn upserts_that_meet_create_one_document() {
    let api = Api::things(things()).await;
    for query in ["", "?ordered=false"] {
        let upsert = |key: usize, who: usize| match key % 2 {
            0 => json!({ "upsert": { "filter": { "code": key.to_string() }, "document": { "_id": key, "n": who } } }),
            _ => json!({ "upsert": { "filter": { "_id": key }, "document": { "n": who } } }),
        };
        let tasks = (0..20).map(|who| {
            let body: Vec<_> = (0..10).map(|key| upsert(key, who)).collect();
            let (client, path) = (api.nobody(), format!("/v1/things/_bulk{query}"));
            tokio::spawn(async move { client.post(&path, json!(body)).await })
        });
        let mut created = 0;
        for task in tasks.collect::<Vec<_>>() {
            let answer = task.await.unwrap();
            let told = statuses(&answer, if query.is_empty() { 200 } else { 207 });
            assert!(told.iter().all(|status| [200, 201].contains(status)), "{}", answer.text);
            created += told.iter().filter(|status| **status == 201).count();
        }
        assert_eq!((created, api.count("things").await), (10, 10), "{query}");
        api.collection("things").delete_many(doc! {}).await.unwrap();
    }
}

#[tokio::test]
async fn large_documents_are_changed_a_few_at_a_time() {
    let file = json!({ "type": "object", "properties": { "_id": { "bsonType": "int" } } });
    let api = Api::alone("bulk_large", file).await;
    let collection = api.collection("things");
    for id in 0..12 {
        collection.insert_one(doc! { "_id": id, "text": "x".repeat(2 << 20), "n": 0 }).await.unwrap();
    }
    let items: Vec<_> = (0..12)
        .map(|id| match id % 2 {
            0 => json!({ "update": { "id": id, "patch": { "n": 1 } } }),
            _ => json!({ "update": { "id": id, "patch": { "$inc": { "n": 1 } } } }),
        })
        .collect();
    let committed = async || {
        let status = api.server_status().await;
        status.get_document("transactions").unwrap().get_i64("totalCommitted").unwrap()
    };
    for (query, status, transactions) in [("", 200, 1), ("?ordered=false", 207, 2)] {
        collection.update_many(doc! {}, doc! { "$set": { "n": 0 } }).await.unwrap();
        let before = committed().await;
        let answer = api.post(&format!("/v1/things/_bulk{query}"), json!(items)).await;
        assert_eq!(statuses(&answer, status), [200; 12]);
        assert_eq!(committed().await - before, transactions);
        assert_eq!(collection.count_documents(doc! { "n": 1 }).await.unwrap(), 12);
    }
}

/// A write on one of three documents, each of which has a code of its own or none.
fn random(random: &mut fastrand::Rng) -> Value {
    let (id, n) = (random.i32(1..=3), random.i32(-1..20));
    let code = format!("c{id}");
    let mut document = json!({ "_id": id, "n": n });
    if random.bool() {
        document["code"] = json!(code);
    }
    match random.u8(..12) {
        0 | 1 => json!({ "insert": document }),
        2 => json!({ "update": { "id": id, "patch": document } }),
        3 => json!({ "update": { "id": id, "patch": { "code": null } } }),
        4 => json!({ "update": { "id": id, "patch": { "$inc": { "n": n }, "$set": { "code": code } } } }),
        5 => json!({ "update": { "id": id, "patch": { "$unset": { "code": "" } } } }),
        6 => json!({ "update": { "id": id, "patch": [{ "op": "add", "path": "/code", "value": code }] } }),
        7 => json!({ "replace": { "id": id, "document": document } }),
        8 => json!({ "upsert": { "filter": { "_id": id }, "document": document } }),
        9 | 10 => json!({ "upsert": { "filter": { "code": code }, "document": { "_id": id, "n": n } } }),
        _ => json!({ "delete": { "id": id } }),
    }
}

/// What is stored, but for the times.
async fn all(api: &Api) -> Vec<Value> {
    let listed = api.get("/v1/things?sort=_id&fields=-made,-touched").await.ok(200);
    listed["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn many_writes_come_to_what_each_of_them_does() {
    let api = Api::things(things()).await;
    for seed in 0..40 * effort() as u64 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let items: Vec<_> = (0..rng.usize(1..14)).map(|_| random(&mut rng)).collect();
        let start: Vec<_> =
            (1..=3).filter(|_| rng.bool()).map(|id| doc! { "_id": id, "n": id, "code": format!("c{id}") }).collect();
        let refill = async || {
            api.collection("things").delete_many(doc! {}).await.unwrap();
            if !start.is_empty() {
                api.collection("things").insert_many(&start).await.unwrap();
            }
        };
        refill().await;
        let mut alone = Vec::new();
        for item in &items {
            alone.extend(statuses(&each(&api, json!([item])).await, 207));
        }
        let expected = all(&api).await;
        refill().await;
        let answer = each(&api, json!(items)).await;
        let what = format!("seed {seed}: {}", json!(items));
        assert_eq!(statuses(&answer, 207), alone, "{what}: {}", answer.text);
        assert_eq!(all(&api).await, expected, "{what}");
        refill().await;
        let (before, answer) = (all(&api).await, bulk(&api, json!(items)).await);
        if alone.iter().all(|status| *status < 300) {
            assert_eq!(statuses(&answer, 200), alone, "{what}");
            assert_eq!(all(&api).await, expected, "{what}");
        } else {
            assert!(answer.status >= 400 && answer.json()["item"].is_u64(), "{what}: {}", answer.text);
            assert_eq!(all(&api).await, before, "{what}");
        }
    }
}
