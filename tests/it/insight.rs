//! Insight: how a list is run, which indexes there are.

use folio::config::Limits;
use mongodb::{
    Client, IndexModel,
    bson::{Document, doc},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    startup::guarded_server,
    support::{Api, TestDatabase, catalog},
};

fn books() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "_id": { "bsonType": "int" },
            "author": { "bsonType": "objectId" },
            "title": { "type": "string" },
            "year": { "bsonType": "int" },
            "due": { "bsonType": "date" }
        },
        "x-indexes": [
            { "keys": { "title": "text" } },
            { "keys": { "author": 1, "year": 1 } },
            { "keys": { "due": 1 }, "expireAfterSeconds": 1_000_000_000 }
        ]
    })
}

const AUTHOR: &str = "6650f0000000000000000001";

async fn filled(limits: Limits) -> Api {
    let api = Api::with_limits(catalog(&[("books", books())]), limits).await;
    let book = |n: i32| {
        let author = mongodb::bson::oid::ObjectId::parse_str(AUTHOR).unwrap();
        doc! { "_id": n, "author": author, "title": format!("title {n}"), "year": 1900 + n }
    };
    api.collection("books").insert_many((0..100).map(book)).await.unwrap();
    api
}

#[tokio::test]
async fn explains_a_list() {
    let api = filled(Limits::default()).await;
    let explained = api.get(&format!("/v1/books/_explain?author={AUTHOR}&fields=title")).await.ok(200);
    let summary = &explained["summary"];
    assert_eq!(summary["index"], "author_1_year_1__id_1", "{summary}");
    assert_eq!(summary["indexes"], json!(["author_1_year_1__id_1"]));
    for (figure, value) in [("keysExamined", 21), ("documentsExamined", 21), ("returned", 21)] {
        assert_eq!(summary[figure], value, "{figure} of {summary}");
    }
    for (flag, value) in [("inMemorySort", false), ("collectionScan", false), ("refused", false)] {
        assert_eq!(summary[flag], value, "{flag} of {summary}");
    }
    let text = "the index `author_1_year_1__id_1` was used; 21 keys and 21 documents were examined for 21 returned";
    assert_eq!(summary["text"], text);
    assert_eq!(explained["query"]["filter"], json!({ "author": { "$eq": { "$oid": AUTHOR } } }));
    assert_eq!(explained["query"]["sort"], json!({ "year": 1, "_id": 1 }));
    assert_eq!(explained["query"]["limit"], 21);
    assert_eq!(explained.get("missingIndex"), None);
    assert_eq!(explained["plan"]["executionStats"]["nReturned"], 21);
}

#[tokio::test]
async fn explains_what_an_index_would_mend() {
    let api = filled(Limits::default()).await;
    let explained = api.get("/v1/books/_explain?year[gt]=1990&sort=-title").await.ok(200);
    let summary = &explained["summary"];
    let text = "the collection was read without an index; 0 keys and 100 documents were examined for 9 returned, and \
                the documents were sorted in memory";
    assert_eq!(summary["text"], text);
    assert_eq!((&summary["index"], &summary["indexes"]), (&Value::Null, &json!([])));
    assert_eq!((&summary["inMemorySort"], &summary["collectionScan"]), (&json!(true), &json!(true)));
    assert_eq!(explained["missingIndex"], json!({ "keys": { "year": 1 } }));
}

#[tokio::test]
async fn does_not_run_what_would_be_refused() {
    let api = filled(Limits { max_scan: 50, ..Limits::default() }).await;
    let explained = api.get("/v1/books/_explain?year=1990").await.ok(200);
    let summary = &explained["summary"];
    assert_eq!(summary["refused"], true);
    assert_eq!(
        summary["text"],
        "refused, so it was not run: no index serves the query: it would read about 100 documents, and the limit is 50 \
         (`--max-scan`)"
    );
    for figure in ["keysExamined", "documentsExamined", "returned", "milliseconds"] {
        assert_eq!(summary[figure], Value::Null, "{figure}");
    }
    assert_eq!(explained["missingIndex"], json!({ "keys": { "year": 1 } }));
    assert_eq!(explained["plan"].get("executionStats"), None);
    assert!(explained["plan"]["winningPlan"].is_object());
}

#[tokio::test]
async fn tells_nothing_of_the_deployment() {
    let api = filled(Limits::default()).await;
    let version = api.database.db.run_command(doc! { "buildInfo": 1 }).await.unwrap();
    for path in ["/v1/books/_explain?year=1990", "/v1/books/_indexes"] {
        let text = api.get(path).await.text;
        let port = api.database.uri.split(':').nth(2).unwrap().split('/').next().unwrap();
        for told in
            [version.get_str("version").unwrap(), "serverInfo", "host", port, &api.database.name, "$clusterTime"]
        {
            assert!(!text.contains(told), "{told} in {text}");
        }
    }
}

#[tokio::test]
async fn is_compressed_like_any_answer() {
    let api = filled(Limits::default()).await;
    for path in ["/v1/books/_explain?year=1990", "/v1/books/_indexes"] {
        for (accepted, coded) in [("gzip, identity;q=0", Some("gzip")), ("identity", None)] {
            let answer = api.http.get(format!("{}{path}", api.base)).header("accept-encoding", accepted).send().await;
            let answer = answer.unwrap();
            assert_eq!(answer.headers()["vary"], "Accept, Accept-Encoding, Authorization, Prefer, X-Api-Key", "{path}");
            assert_eq!(
                answer.headers().get("content-encoding").map(|coding| coding.to_str().unwrap()),
                coded,
                "{path}"
            );
        }
        api.send(Method::GET, path, &[("accept-encoding", "*;q=0")], "").await.problem(406, "not-acceptable");
    }
}

#[tokio::test]
async fn takes_the_parameters_of_a_list() {
    let api = filled(Limits::default()).await;
    api.get("/v1/books/_explain?yeer=1").await.problem(400, "unknown-field");
    api.get("/v1/books/_explain?limit=100000").await.problem(400, "limit-exceeded");
    api.get("/v1/books/_explain?after=x").await.problem(400, "invalid-query");
    api.get("/v1/nothing/_explain").await.problem(404, "unknown-collection");
    api.get("/v1/books/_indexes?limit=1").await.problem(400, "invalid-query");
    api.post("/v1/books/_explain", "{}").await.problem(405, "method-not-allowed");
}

#[tokio::test]
async fn lists_the_indexes() {
    let api = filled(Limits::default()).await;
    let by_hand = IndexModel::builder().keys(doc! { "year": -1 }).build();
    api.collection("books").create_index(by_hand).await.unwrap();
    api.get(&format!("/v1/books?author={AUTHOR}")).await.ok(200);
    let listed = api.get("/v1/books/_indexes").await.ok(200);
    let indexes = listed["indexes"].as_array().unwrap();
    let seen: Vec<_> =
        indexes.iter().map(|i| (i["name"].as_str().unwrap(), i["keys"].clone(), &i["declared"])).collect();
    assert_eq!(
        seen,
        [
            ("_id_", json!({ "_id": 1 }), &json!(true)),
            ("title_text", json!({ "title": "text" }), &json!(true)),
            ("author_1_year_1__id_1", json!({ "author": 1, "year": 1, "_id": 1 }), &json!(true)),
            ("due_1", json!({ "due": 1 }), &json!(true)),
            ("year_-1", json!({ "year": -1 }), &json!(false)),
        ]
    );
    assert_eq!(indexes[2]["uses"], 1, "{listed}");
    assert_eq!(indexes[3]["options"], json!({ "expireAfterSeconds": 1_000_000_000 }));
    for index in indexes {
        assert!(index["size"].as_u64().unwrap() > 0, "{index}");
        assert!(index["since"].as_str().unwrap().ends_with('Z'), "{index}");
        assert_eq!(index.get("building"), None);
    }
}

#[tokio::test]
async fn explains_any_page() {
    let api = filled(Limits { max_scan: 50, max_sort: 5, ..Limits::default() }).await;
    let list = format!("author={AUTHOR}&limit=10");
    let mut after = String::new();
    for page in 0..4 {
        let summary = &api.get(&format!("/v1/books/_explain?{list}{after}")).await.ok(200)["summary"].clone();
        assert_eq!(
            (&summary["inMemorySort"], &summary["refused"]),
            (&json!(false), &json!(false)),
            "{page}: {summary}"
        );
        let next = api.get(&format!("/v1/books?{list}{after}")).await.ok(200)["next"].as_str().unwrap().to_owned();
        after = format!("&after={next}");
    }
}

#[tokio::test]
async fn a_role_that_only_reads_and_writes_serves_lists() {
    let data = tempfile::tempdir().unwrap();
    let (mut server, port, admin) = guarded_server(data.path()).await;
    let uri = |user| format!("mongodb://{user}:password@127.0.0.1:{port}/?directConnection=true");
    let user = |name: &str, role: Document| doc! { "createUser": name, "pwd": "password", "roles": [role] };
    // From here on only this user makes others.
    admin.run_command(user("root", doc! { "role": "root", "db": "admin" })).await.unwrap();
    let admin = Client::with_uri_str(uri("root")).await.unwrap().database("admin");
    admin.run_command(user("folio", doc! { "role": "readWrite", "db": "library" })).await.unwrap();
    let (uri, name) = (uri("folio"), "library".to_owned());
    let database = TestDatabase { db: Client::with_uri_str(&uri).await.unwrap().database(&name), uri, name };
    let mut settings = database.settings();
    settings.serving.limits = Limits { max_scan: 2, max_sort: 1, ..Limits::default() };
    let api = Api::start_with(catalog(&[("books", books())]), database, settings).await;
    for year in 2001..=2003 {
        api.post("/v1/books", json!({ "_id": year, "author": AUTHOR, "year": year })).await.ok(201);
    }
    let collections = api.get("/v1").await.ok(200);
    assert_eq!(collections["collections"][0]["count"], 3, "{collections}");
    api.get(&format!("/v1/books?author={AUTHOR}")).await.ok(200);
    api.get("/v1/books?year=2001").await.problem(422, "unindexed-query");
    api.get("/v1/books?sort=title").await.problem(422, "unindexed-query");
    let explained = api.get(&format!("/v1/books/_explain?author={AUTHOR}")).await.ok(200);
    assert_eq!(explained["summary"]["returned"], 3);
    let listed = api.get("/v1/books/_indexes").await.ok(200);
    let indexes = listed["indexes"].as_array().unwrap();
    assert_eq!(indexes[2]["name"], "author_1_year_1__id_1", "{listed}");
    assert_eq!(indexes[2]["keys"], json!({ "author": 1, "year": 1, "_id": 1 }));
    assert_eq!(indexes[3]["options"], json!({ "expireAfterSeconds": 1_000_000_000 }));
    for index in indexes {
        assert!(index["size"].as_u64().unwrap() > 0, "{index}");
        assert_eq!((index.get("uses"), index.get("since")), (None, None));
    }
    drop(server.stdin.take());
    assert!(server.wait().unwrap().success());
}
