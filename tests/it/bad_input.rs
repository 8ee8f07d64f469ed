//! Bad input gets a clear problem, and changes nothing.

use folio::{config::Limits, schema::Catalog};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Api, catalog};

const JSON: (&str, &str) = ("content-type", "application/json");

fn thing() -> Value {
    json!({
        "type": "object",
        "required": ["name", "count"],
        "additionalProperties": false,
        "properties": {
            "name": { "type": "string", "minLength": 2 },
            "count": { "bsonType": "int", "minimum": 0, "maximum": 9 },
            "when": { "bsonType": "date" },
            "state": { "enum": ["new", "old"] },
            "parts": { "type": "array", "items": {
                "type": "object",
                "additionalProperties": false,
                "properties": { "at": { "bsonType": "date" }, "code": { "type": "string", "pattern": "^[a-z]+$" } }
            } }
        },
        "x-indexes": [{ "keys": { "count": 1, "name": 1 }, "unique": true }]
    })
}

#[tokio::test]
async fn refuses_text_that_is_not_the_json_it_should_be() {
    let api = Api::things(thing()).await;
    let deep = format!("{}1{}", "[".repeat(1000), "]".repeat(1000));
    let cases: [(&[u8], u64, u64, &str); 8] = [
        (b"{\"name\":\n  }", 2, 3, "expected value"),
        (b"{\"name\": \"a\",\n \"name\": \"b\"}", 2, 2, "duplicate key"),
        (b"{\"name\": \"\xff\xfe\"}", 1, 11, "unicode"),
        (b"7", 1, 1, "expected an object"),
        (b"", 1, 1, "found nothing"),
        (b"{\"name\":\"ab\",\"count\":1} x", 1, 25, "trailing"),
        (b"{\"$set\":{\"name\":\"ab\"}}", 1, 2, "`$set`"),
        (b"{\"name\":{\"$gt\":\"\"},\"count\":1}", 1, 10, "`$gt`"),
    ];
    for (body, line, _column, detail) in cases {
        let problem = api.send(Method::POST, "/v1/things", &[JSON], body.to_vec()).await.problem(400, "malformed-body");
        assert_eq!(problem["line"], line, "{problem}");
        assert!(problem["column"].as_u64().is_some_and(|column| column > 0), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
    }
    let body = format!("{{\"name\":{deep}}}");
    let problem = api.post("/v1/things", body).await.problem(400, "malformed-body");
    assert!(problem["detail"].as_str().unwrap().contains("deep"), "{problem}");
    assert_eq!(api.count("things").await, 0);
}

#[tokio::test]
async fn lists_every_broken_rule_at_once() {
    let api = Api::things(thing()).await;
    let body = json!({ "name": "x", "count": 5.5, "when": "yesterday", "state": "lost", "colour": "red" });
    let problem = api.post("/v1/things", &body).await.problem(422, "invalid-document");
    let mut seen: Vec<(String, String)> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["pointer"].as_str().unwrap().to_owned(), error["keyword"].as_str().unwrap().to_owned()))
        .collect();
    seen.sort();
    let expected = [
        ("/colour", "additionalProperties"),
        ("/count", "bsonType"),
        ("/name", "minLength"),
        ("/state", "enum"),
        ("/when", "bsonType"),
    ]
    .map(|(pointer, keyword)| (pointer.to_owned(), keyword.to_owned()));
    assert_eq!(seen, expected, "{problem:#}");
    assert_eq!(api.count("things").await, 0);
}

#[tokio::test]
async fn points_at_wrong_types_at_depth() {
    let api = Api::things(thing()).await;
    let body =
        json!({ "name": "ab", "count": 1, "parts": [{ "at": "2024-05-01T00:00:00Z" }, { "at": 7, "code": "A1" }] });
    let problem = api.post("/v1/things", &body).await.problem(422, "invalid-document");
    let errors = problem["errors"].as_array().unwrap();
    let at = errors.iter().find(|error| error["pointer"] == "/parts/1/at").expect("the date's error");
    assert_eq!((&at["keyword"], &at["expected"], &at["found"]), (&json!("bsonType"), &json!("date"), &json!(7)));
    assert_eq!(at["rule"], "#/properties/parts/items/properties/at");
    let code = errors.iter().find(|error| error["pointer"] == "/parts/1/code").expect("the code's error");
    assert_eq!((&code["keyword"], &code["expected"]), (&json!("pattern"), &json!("^[a-z]+$")));
    assert_eq!(errors.len(), 2, "{problem:#}");
}

#[tokio::test]
async fn refuses_a_newline_after_the_end_of_a_pattern() {
    let api = Api::things(thing()).await;
    let body = json!({ "name": "ab", "count": 1, "parts": [{ "code": "abc\n" }] });
    api.post("/v1/things", &body).await.problem(422, "invalid-document");
}

#[tokio::test]
async fn refuses_bodies_over_the_limit() {
    let api = Api::things(thing()).await;
    let body = json!({ "name": "x".repeat(17 << 20), "count": 1 }).to_string();
    let problem = api.post("/v1/things", body).await.problem(413, "too-large");
    assert_eq!(problem["limit"], 16 << 20);
    assert_eq!(api.count("things").await, 0);
}

#[tokio::test]
async fn refuses_a_large_body_before_it_is_sent_to_clients_that_ask() {
    let api = Api::things(thing()).await;
    let mut stream = tokio::net::TcpStream::connect(api.base.trim_start_matches("http://")).await.unwrap();
    let head = format!(
        "POST /v1/things HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Expect: 100-continue\r\nConnection: close\r\n\r\n",
        17 << 20
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_refused_body_does_not_cost_the_connection() {
    let api = Api::things(thing()).await;
    for head in
        ["POST /v1/things HTTP/1.1\r\nContent-Type: text/plain", "PUT /v1/things HTTP/1.1", "POST /none HTTP/1.1"]
    {
        let mut stream = tokio::net::TcpStream::connect(api.base.trim_start_matches("http://")).await.unwrap();
        let head = format!("{head}\r\nHost: a\r\nContent-Length: 2\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        stream.write_all(b"{}GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answers = String::new();
        stream.read_to_string(&mut answers).await.unwrap();
        assert!(answers.starts_with("HTTP/1.1 4") && answers.ends_with("ok\n"), "{answers}");
    }
}

#[tokio::test]
async fn refuses_documents_over_mongodbs_own_limit() {
    let limits = Limits { max_body: 64 << 20, ..Limits::default() };
    let api = Api::with_limits(catalog(&[("things", json!({ "type": "object" }))]), limits).await;
    let body = json!({ "name": "x".repeat(17 << 20) }).to_string();
    api.post("/v1/things", body).await.problem(413, "too-large");
    // Less text, but every item has a name in BSON.
    let body = format!("{{\"a\":[{}1]}}", "1,".repeat(4 << 20));
    api.post("/v1/things", body).await.problem(413, "too-large");
    assert_eq!(api.count("things").await, 0);
}

#[tokio::test]
async fn refuses_ids_that_cannot_be() {
    let api = Api::things(thing()).await;
    for id in [
        "1",
        "zzzzzzzzzzzzzzzzzzzzzzzz",
        "6650f000000000000000000",
        "%7B%22$gt%22:%22%22%7D",
        "6650f0000000000000000001%00",
    ] {
        let problem = api.get(&format!("/v1/things/{id}")).await.problem(400, "invalid-query");
        assert!(problem["detail"].as_str().unwrap().contains("ObjectId (24 hex digits)"), "{problem}");
    }
    api.get("/v1/things/6650f0000000000000000001").await.problem(404, "unknown-document");
    api.get("/v1/things/_anything").await.problem(404, "no-route");
    api.get("/v1/things/%ff").await.problem(404, "no-route");
}

#[tokio::test]
async fn keeps_strings_that_no_path_can_name_from_being_ids() {
    let file = json!({ "type": "object", "properties": { "_id": { "type": "string" } } });
    let api = Api::things(file).await;
    for id in ["", "_schema", ".", ".."] {
        let problem = api.post("/v1/things", json!({ "_id": id })).await.problem(422, "invalid-document");
        assert_eq!(problem["errors"][0]["pointer"], "/_id");
    }
    let problem = api.post("/v1/things", json!({})).await.problem(422, "invalid-document");
    assert_eq!(
        (&problem["errors"][0]["pointer"], &problem["errors"][0]["keyword"]),
        (&json!("/_id"), &json!("required"))
    );
    let made = api.post("/v1/things", json!({ "_id": "a b/ü" })).await;
    made.ok(201);
    assert_eq!(made.header("location"), "/v1/things/a%20b%2F%C3%BC");
    assert_eq!(api.get(made.header("location")).await.ok(200), json!({ "_id": "a b/ü" }));
}

#[tokio::test]
async fn names_the_index_that_a_duplicate_breaks() {
    let api = Api::things(thing()).await;
    api.post("/v1/things", json!({ "name": "ab", "count": 1 })).await.ok(201);
    let problem = api.post("/v1/things", json!({ "name": "ab", "count": 1 })).await.problem(409, "duplicate");
    assert_eq!((&problem["index"], &problem["fields"]), (&json!("count_1_name_1"), &json!(["count", "name"])));
    let second = api.post("/v1/things", json!({ "name": "ab", "count": 2 })).await.ok(201);
    let path = format!("/v1/things/{}", second["_id"].as_str().unwrap());
    let problem = api.patch(&path, json!({ "count": 1 })).await.problem(409, "duplicate");
    assert_eq!(problem["index"], "count_1_name_1");
    let problem = api
        .post("/v1/things", json!({ "_id": second["_id"], "name": "cd", "count": 2 }))
        .await
        .problem(409, "duplicate");
    assert_eq!(problem["fields"], json!(["_id"]));
    assert_eq!(api.count("things").await, 2);
}

#[tokio::test]
async fn refuses_documents_that_an_index_cannot_hold() {
    let file = json!({ "type": "object", "x-indexes": [
        { "keys": { "a": 1, "b": 1 } }, { "keys": { "text": "text" } }, { "keys": { "at": "2dsphere" } }, { "keys": { "h": "hashed" } }
    ] });
    let api = Api::things(file).await;
    let made = api.post("/v1/things", json!({})).await.ok(201);
    let path = format!("/v1/things/{}", made["_id"].as_str().unwrap());
    for (document, detail) in [
        (json!({ "a": [1], "b": [1] }), "an array in only one of them"),
        (json!({ "text": "x", "language": "klingon" }), "does not know this one"),
        (json!({ "text": "x", "language": 1 }), "must be a string"),
        (json!({ "at": { "type": "Point", "coordinates": [500, 1] } }), "within their bounds"),
        (json!({ "h": [1] }), "takes no arrays"),
    ] {
        for answer in [api.post("/v1/things", &document).await, api.patch(&path, &document).await] {
            let problem = answer.problem(422, "invalid-document");
            assert_eq!(problem["errors"][0]["keyword"], "x-indexes", "{problem}");
            assert!(problem["errors"][0]["detail"].as_str().unwrap().contains(detail), "{problem}");
        }
    }
    assert_eq!(api.get("/v1/things").await.ok(200)["items"], json!([made]));
}

#[tokio::test]
async fn a_refused_update_leaves_the_document_alone() {
    let api = Api::things(thing()).await;
    let before = api.post("/v1/things", json!({ "name": "ab", "count": 1 })).await.ok(201);
    let path = format!("/v1/things/{}", before["_id"].as_str().unwrap());
    for (method, body, status, slug) in [
        (Method::PATCH, "{\"count\":10}", 422, "invalid-document"),
        (Method::PATCH, "{\"colour\":\"red\"}", 422, "invalid-document"),
        (Method::PATCH, "{\"name\":null}", 422, "invalid-document"),
        (Method::PATCH, "[]", 400, "malformed-body"),
        (Method::PATCH, "{\"$inc\":{\"count\":1},\"name\":\"abc\"}", 400, "malformed-body"),
        (Method::PATCH, "{\"$where\":\"true\"}", 400, "malformed-body"),
        (Method::PATCH, "{\"$inc\":{\"name\":1}}", 422, "patch-failed"),
        (Method::PATCH, "{\"_id\":null}", 422, "read-only-field"),
        (Method::PUT, "{\"name\":\"ab\"}", 422, "invalid-document"),
        (Method::PUT, "{\"_id\":\"6650f0000000000000000001\",\"name\":\"ab\",\"count\":1}", 422, "read-only-field"),
    ] {
        api.send(method, &path, &[JSON], body).await.problem(status, slug);
    }
    assert_eq!(api.get(&path).await.ok(200), before);
}

#[tokio::test]
async fn refuses_operators_outside_the_list_at_any_depth() {
    let api = Api::things(thing()).await;
    let hidden = [
        r#"{"$where":"1"}"#,
        r#"{"$expr":{"$function":{"body":"1","args":[],"lang":"js"}}}"#,
        r#"{"$and":[{"$or":[{"$where":"1"}]}]}"#,
        r#"{"name":{"$not":{"$where":"1"}}}"#,
        r#"{"name":{"$eq":{"$where":"1"}}}"#,
        r#"{"name":{"$in":[{"$where":"1"}]}}"#,
        r#"{"parts":{"$elemMatch":{"$where":"1"}}}"#,
        r#"{"parts":{"$elemMatch":{"code":{"$jsonSchema":{}}}}}"#,
        r#"{"parts":{"$all":[{"$elemMatch":{"$where":"1"}}]}}"#,
        r#"{"parts":{"at":{"$where":"1"}}}"#,
        r#"{"name":{"x":{"$where":"1"}}}"#,
        r#"{"$comment":"x"}"#,
    ];
    for filter in hidden {
        let path = format!(
            "/v1/things?filter={}",
            percent_encoding::utf8_percent_encode(filter, percent_encoding::NON_ALPHANUMERIC)
        );
        let problem = api.get(&path).await.problem(400, "invalid-query");
        assert_eq!(problem["parameter"], "filter", "{filter}: {problem}");
        assert!(problem["offset"].is_u64(), "{filter}: {problem}");
    }
}

#[tokio::test]
async fn says_what_is_wrong_with_a_request_around_the_body() {
    let api = Api::start(Catalog::load("schemas".as_ref()).unwrap()).await;
    let problem = api.get("/v1/bookz").await.problem(404, "unknown-collection");
    assert_eq!(problem["suggestion"], "books");
    for path in [
        "/",
        "/v2",
        "/v1/",
        "/v1/books/",
        "/v1/books/_count",
        "/v1/_transaction",
        "/v1/_folio",
        "/v1/%5ffolio",
        "/openapi.json",
    ] {
        api.get(path).await.problem(404, "no-route");
    }
    for name in ["system.indexes", "books%00", "books%2Ex", "%62ooks%20"] {
        api.get(&format!("/v1/{name}")).await.problem(404, "unknown-collection");
    }
    let answer = api.send(Method::PUT, "/v1/books", &[], "").await;
    answer.problem(405, "method-not-allowed");
    assert!(answer.header("allow").contains("GET"), "{answer:?}");
    api.send(Method::POST, "/v1/books/6650f1000000000000000001", &[], "").await.problem(405, "method-not-allowed");
    api.send(Method::POST, "/v1/books", &[("content-type", "text/plain")], "{}")
        .await
        .problem(415, "unsupported-media-type");
    let problem = api.send(Method::POST, "/v1/books", &[], "{}").await.problem(415, "unsupported-media-type");
    assert_eq!(problem["detail"], "the header `Content-Type` must be `application/json`");
    api.send(Method::GET, "/v1/books", &[("accept", "text/html")], "").await.problem(406, "not-acceptable");
    for path in ["/v1?x=1", "/v1/books/_schema?x=1", "/v1/books/6650f0000000000000000001?x=author"] {
        let problem = api.get(path).await.problem(400, "invalid-query");
        assert_eq!(problem["parameter"], "x", "{problem}");
    }
    api.send(Method::POST, "/v1/books?ordered=no", &[JSON], "{}").await.problem(400, "invalid-query");
    let problem = api.get(&format!("/v1/books?title={}", "x".repeat(17 << 10))).await.problem(400, "limit-exceeded");
    assert_eq!(problem["limit"], 16 << 10);
}
