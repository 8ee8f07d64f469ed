//! The guard of lists: what an index does not serve is refused, with the index that would.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use folio::{
    config::Limits,
    schema::{Catalog, load},
};
use mongodb::{
    IndexModel,
    bson::{Document, doc},
};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, TestDatabase, database};

const PROPERTIES: &str = r#""type": "object", "additionalProperties": false, "properties": {
    "_id": { "bsonType": "int" }, "name": { "type": "string" }, "kind": { "type": "string" }, "size": { "bsonType": "int" },
    "made": { "bsonType": "int" }, "tags": { "type": "array", "items": { "type": "string" } },
    "marks": { "type": "array", "items": { "type": "string" } }
}"#;

/// The collection `things` with these indexes. Their keys are in order, which `json!` would not keep.
fn things(indexes: &str) -> Catalog {
    let file = format!(r#"{{ {PROPERTIES}, "x-indexes": [{indexes}] }}"#);
    Catalog::from_iter([load::parse("schemas/things.json", "things", file).unwrap()])
}

fn limits() -> Limits {
    Limits { max_scan: 50, max_sort: 20, ..Limits::default() }
}

async fn serve(database: TestDatabase, indexes: &str, limits: Limits) -> Api {
    let mut settings = database.settings();
    settings.serving.limits = limits;
    Api::start_with(things(indexes), database, settings).await
}

/// A hundred things: ten kinds of ten sizes, a hundred names.
async fn filled(indexes: &str, limits: Limits) -> Api {
    let database = database().await;
    let thing = |n: i32| {
        doc! {
            "_id": n, "name": format!("n{n:03}"), "kind": format!("k{}", n % 10), "size": n / 10, "made": 1900 + n,
            "tags": [format!("t{}", n % 10), "all"], "marks": ["m"],
        }
    };
    database.db.collection("things").insert_many((0..100).map(thing)).await.unwrap();
    serve(database, indexes, limits).await
}

fn filter(filter: &Value) -> String {
    format!("/v1/things?filter={}", utf8_percent_encode(&filter.to_string(), NON_ALPHANUMERIC))
}

#[tokio::test]
async fn refuses_what_reads_without_an_index() {
    let api = filled(r#"{ "keys": { "kind": 1, "size": 1 } }, { "keys": { "name": 1 } }"#, limits()).await;
    for (query, missing) in [
        ("/v1/things?made=1950".to_owned(), Some(json!({ "keys": { "made": 1 } }))),
        ("/v1/things?made=1950&sort=name".to_owned(), Some(json!({ "keys": { "made": 1, "name": 1 } }))),
        ("/v1/things?made[gt]=1950&sort=-name".to_owned(), Some(json!({ "keys": { "made": 1 } }))),
        ("/v1/things?size=3&sort=kind".to_owned(), Some(json!({ "keys": { "size": 1, "kind": 1 } }))),
        ("/v1/things?tags=all&marks=m".to_owned(), Some(json!({ "keys": { "tags": 1 } }))),
        (filter(&json!({ "$or": [{ "kind": "k1" }, { "made": 1950 }] })), Some(json!({ "keys": { "made": 1 } }))),
        (filter(&json!({ "name": { "$regex": "9$" } })), None),
        (filter(&json!({ "tags": { "$size": 1 } })), None),
        ("/v1/things?made[ne]=1950".to_owned(), None),
    ] {
        let problem = api.get(&query).await.problem(422, "unindexed-query");
        assert_eq!(problem.get("missingIndex"), missing.as_ref(), "{query}: {problem}");
        let why = if missing.is_some() { "serves" } else { "can serve" };
        let detail =
            format!("no index {why} the query: it would read about 100 documents, and the limit is 50 (`--max-scan`)");
        assert_eq!(problem["detail"], detail, "{query}");
    }
    for query in [
        "/v1/things",
        "/v1/things?skip=90",
        "/v1/things?sort=-_id",
        "/v1/things?sort=name",
        "/v1/things?kind=k1",
        "/v1/things?kind=k1&made=1911",
        "/v1/things?kind=k1&size[gt]=3&sort=-size",
        "/v1/things?name[prefix]=n01",
        "/v1/things?_id[gt]=50",
        "/v1/things?_id[in]=1,2,3&made=1901",
    ] {
        api.get(query).await.ok(200);
    }
    api.get(&filter(&json!({ "$or": [{ "kind": "k1" }, { "name": "n050" }] }))).await.ok(200);
}

#[tokio::test]
async fn refuses_what_sorts_in_memory() {
    let api = filled(r#"{ "keys": { "kind": 1 } }, { "keys": { "tags": 1 } }"#, limits()).await;
    let answer = api.get("/v1/things?tags=all&sort=-made").await;
    let problem = answer.problem(422, "unindexed-query");
    assert_eq!(
        problem["detail"],
        "no index serves the query: it would sort more than 20 documents in memory, and that is the limit (`--max-sort`)"
    );
    assert!(answer.text.contains(r#""missingIndex":{"keys":{"tags":1,"made":-1}}"#), "{}", answer.text);
    let problem = api.get("/v1/things?sort=made").await.problem(422, "unindexed-query");
    assert_eq!(problem["missingIndex"], json!({ "keys": { "made": 1 } }));
    // The same shape with fewer documents is fine, and does not open the way for the others.
    api.get("/v1/things?tags=t1&sort=-made").await.ok(200);
    api.get("/v1/things?kind=k1&sort=-made").await.ok(200);
    api.get("/v1/things?tags=all&sort=-made").await.problem(422, "unindexed-query");
}

#[tokio::test]
async fn small_collections_are_read_as_one_likes() {
    let api = filled("", Limits { max_scan: 100, max_sort: 100, ..Limits::default() }).await;
    api.get("/v1/things?made=1950&sort=name").await.ok(200);
    api.get("/v1/things?sort=-size,name").await.ok(200);
}

#[tokio::test]
async fn the_missing_index_serves_the_query() {
    let queries = [
        "/v1/things?made=1950".to_owned(),
        "/v1/things?kind=k1&sort=-size,name".to_owned(),
        "/v1/things?kind=k1&made[gte]=1950&sort=size,-name".to_owned(),
        "/v1/things?kind=k1&made[gte]=1950".to_owned(),
        "/v1/things?kind[in]=k1,k2&sort=made".to_owned(),
        "/v1/things?made[gt]=1990&sort=name".to_owned(),
        "/v1/things?sort=-made,kind".to_owned(),
        "/v1/things?tags=t1&marks=m&sort=name".to_owned(),
        "/v1/things?kind=k1&sort=tags".to_owned(),
        "/v1/things?tags[gt]=t8".to_owned(),
        "/v1/things?name[prefix]=n05".to_owned(),
        filter(&json!({ "$or": [{ "kind": "k1" }, { "name": "n050" }] })),
        filter(&json!({ "kind": null, "size": { "$ne": 1 } })),
    ];
    for query in queries {
        let api = filled("", limits()).await;
        let mut snippets: Vec<String> = Vec::new();
        let served = loop {
            let served = again(&api, &snippets.join(",")).await;
            let answer = served.get(&query).await;
            if answer.status == 200 || snippets.len() == 3 {
                break answer;
            }
            answer.problem(422, "unindexed-query");
            // The text itself, as one would paste it: the order of its keys counts.
            let missing = answer.text.split_once("\"missingIndex\":").map(|(_, rest)| rest.strip_suffix('}').unwrap());
            let missing = missing.unwrap_or_else(|| panic!("{query}: {}", answer.text)).to_owned();
            assert!(!snippets.contains(&missing), "{query}: {missing} was of no use: {}", answer.text);
            snippets.push(missing);
        };
        assert!((1..=2).contains(&snippets.len()), "{query} needs {snippets:?}");
        served.ok(200);
    }
}

/// Another instance on the same database, started with these indexes.
async fn again(api: &Api, indexes: &str) -> Api {
    let mut database = database().await;
    database.name.clone_from(&api.database.name);
    database.db = api.database.db.clone();
    serve(database, indexes, limits()).await
}

#[tokio::test]
async fn an_index_that_sorts_otherwise_is_not_the_missing_one() {
    let declared = r#"{ "keys": { "tags": 1, "made": 1 } }, { "keys": { "name": 1 }, "unique": true }"#;
    let api = filled(declared, limits()).await;
    for (query, missing) in [
        ("tags=all&sort=-_id", r#"{"keys":{"tags":1}}"#),
        ("tags=all&sort=-size", r#"{"keys":{"tags":1,"size":-1}}"#),
        ("name[gt]=n030", r#"{"keys":{"name":1}}"#),
    ] {
        let query = format!("/v1/things?{query}");
        let answer = api.get(&query).await;
        answer.problem(422, "unindexed-query");
        assert!(answer.text.contains(&format!("\"missingIndex\":{missing}")), "{query}: {}", answer.text);
        again(&api, &format!("{declared}, {missing}")).await.get(&query).await.ok(200);
    }
}

#[tokio::test]
async fn indexes_that_come_and_go_count() {
    let api = filled(r#"{ "keys": { "kind": 1 } }"#, limits()).await;
    let things = api.collection("things");
    let made = || IndexModel::builder().keys(doc! { "made": 1, "_id": 1 }).build();
    let query = "/v1/things?made=1950";
    api.get(query).await.problem(422, "unindexed-query");
    api.get(query).await.problem(422, "unindexed-query");
    things.create_index(made()).await.unwrap();
    api.get(query).await.ok(200);
    things.drop_index("made_1__id_1").await.unwrap();
    // What is known is at most ten seconds old, and then renewed behind a request.
    let begun = Instant::now();
    while api.get(query).await.status == 200 {
        assert!(begun.elapsed() < Duration::from_secs(30), "the dropped index is still counted on");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    api.get(query).await.problem(422, "unindexed-query");
}

/// The commands on `things` that the server has had since `since`, by name.
async fn commands(api: &Api, since: &Arc<AtomicUsize>) -> Vec<String> {
    let profile = api.database.db.collection::<Document>("system.profile");
    let filter = doc! { "ns": format!("{}.things", api.database.name) };
    let seen: Vec<Document> = {
        use futures::TryStreamExt;
        profile.find(filter).sort(doc! { "$natural": 1 }).await.unwrap().try_collect().await.unwrap()
    };
    let names = seen.iter().map(|entry| entry.get_document("command").unwrap().keys().next().unwrap().clone());
    names.skip(since.swap(seen.len(), Ordering::Relaxed)).collect()
}

#[tokio::test]
async fn a_second_request_of_a_shape_sends_one_command() {
    let api = filled(r#"{ "keys": { "kind": 1 } }, { "keys": { "tags": 1 } }"#, limits()).await;
    api.database.db.run_command(doc! { "profile": 2 }).await.unwrap();
    let seen = Arc::new(AtomicUsize::new(0));
    api.get("/v1/things?kind=k1&limit=3").await.ok(200);
    let mut first = commands(&api, &seen).await;
    first.sort();
    assert_eq!(first, ["count", "explain", "find", "listIndexes"]);
    for query in ["kind=k2&limit=5", "kind=k3&fields=name"] {
        api.get(&format!("/v1/things?{query}")).await.ok(200);
        assert_eq!(commands(&api, &seen).await, ["find"], "{query}");
    }
    // What has to be sorted is counted each time.
    api.get("/v1/things?kind=k1&sort=made").await.ok(200);
    assert_eq!(commands(&api, &seen).await, ["explain", "count", "find"]);
    api.get("/v1/things?kind=k2&sort=made").await.ok(200);
    assert_eq!(commands(&api, &seen).await, ["count", "find"]);
    // A refusal is explained anew.
    api.get("/v1/things?made=1950").await.problem(422, "unindexed-query");
    assert_eq!(commands(&api, &seen).await, ["explain"]);
    api.get("/v1/things?made=1951").await.problem(422, "unindexed-query");
    assert_eq!(commands(&api, &seen).await, ["explain"]);
}

#[tokio::test]
async fn what_the_guard_takes_is_not_left_for_the_list() {
    let api = filled(r#"{ "keys": { "kind": 1 } }"#, limits()).await;
    api.database.db.run_command(doc! { "profile": 2 }).await.unwrap();
    api.send(Method::GET, "/v1/things?kind=k1", &[("request-timeout", "20")], "").await.ok(200);
    let profile = api.database.db.collection::<Document>("system.profile");
    let find = profile.find_one(doc! { "command.find": "things" }).await.unwrap().unwrap();
    let left = find.get_document("command").unwrap().get_i32("maxTimeMS").unwrap();
    assert!((1..20_000).contains(&left), "{left}");
}

#[tokio::test]
async fn values_decide_where_a_partial_index_is_asked() {
    let partial = r#"{ "keys": { "made": 1 }, "partialFilter": { "made": { "$gte": 1950 } } }"#;
    let api = filled(partial, limits()).await;
    api.get("/v1/things?made[gte]=1990").await.ok(200);
    api.get("/v1/things?made[gte]=1910").await.problem(422, "unindexed-query");
    api.get("/v1/things?made[gte]=1990").await.ok(200);
}

#[tokio::test]
async fn lists_without_sort_are_not_sorted_in_memory() {
    let indexes = r#"
        { "keys": { "kind": 1, "size": -1 } }, { "keys": { "name": 1 }, "unique": true, "sparse": true },
        { "keys": { "tags": 1, "made": 1 } }, { "keys": { "made": 1, "tags": 1 } }"#;
    let api = filled(indexes, limits()).await;
    for query in [
        "",
        "kind=k1",
        "kind=k1&size[gt]=1",
        "kind=k1&size=3",
        "name=n050",
        "name=n050&kind=k0",
        "tags=all",
        "tags=all&made[gt]=1950",
        "made=1950",
        "made[gte]=1950",
        "_id=5",
        "_id[in]=5,6",
        "made=1950&tags=t0",
    ] {
        let explained = api.get(&format!("/v1/things/_explain?{query}")).await.ok(200);
        assert_eq!(explained["summary"]["inMemorySort"], false, "{query}: {explained}");
        assert_eq!(explained.get("missingIndex"), None, "{query}: {explained}");
        api.get(&format!("/v1/things?{query}")).await.ok(200);
    }
}
