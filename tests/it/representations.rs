//! Extended JSON by `Accept`, gzip by `Accept-Encoding`, and the tags that tell them apart.

use std::io::Read;

use flate2::read::GzDecoder;
use mongodb::bson::{Bson, DateTime, Decimal128, Document, doc, oid::ObjectId};
use reqwest::{Method, header::HeaderMap};
use serde_json::{Value, json};

use crate::support::{Answer, Api};

const RELAXED: (&str, &str) = ("accept", "application/ejson");
const CANONICAL: (&str, &str) = ("accept", "application/ejson; mode=canonical");
const GZIP: (&str, &str) = ("accept-encoding", "gzip");

/// A collection of `things` with one of many types.
async fn stored() -> (Api, Document) {
    let api = Api::things(json!({
        "type": "object",
        "properties": {
            "_id": { "bsonType": "objectId" },
            "at": { "bsonType": "date" },
            "price": { "bsonType": "decimal" },
            "count": { "bsonType": "long" },
            "ratio": { "bsonType": "double" },
            "text": { "type": "string" }
        }
    }))
    .await;
    let thing = doc! {
        "_id": ObjectId::parse_str("6650f0000000000000000001").unwrap(),
        "at": DateTime::from_millis(1_714_564_800_000),
        "price": "19.90".parse::<Decimal128>().unwrap(),
        "count": 5_i64,
        "ratio": 0.5,
        "more": [{ "n": 7 }],
    };
    api.collection("things").insert_one(&thing).await.unwrap();
    (api, thing)
}

const PATH: &str = "/v1/things/6650f0000000000000000001";

async fn get(api: &Api, path: &str, headers: &[(&str, &str)]) -> Answer {
    api.send(Method::GET, path, headers, "").await
}

/// What came over the wire, which may be compressed.
async fn bytes(api: &Api, method: Method, path: &str, headers: &[(&str, &str)]) -> (HeaderMap, Vec<u8>) {
    let mut request = api.http.request(method, format!("{}{path}", api.base));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    (response.headers().clone(), response.bytes().await.unwrap().to_vec())
}

fn unzipped(bytes: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
async fn one_document_in_every_form() {
    let (api, thing) = stored().await;
    let relaxed = get(&api, PATH, &[RELAXED]).await;
    assert_eq!(relaxed.status, 200);
    assert_eq!(relaxed.header("content-type"), "application/ejson");
    assert_eq!(relaxed.header("vary"), "Accept, Accept-Encoding, Authorization, Prefer, X-Api-Key");
    let expected = r#"{"_id":{"$oid":"6650f0000000000000000001"},"at":{"$date":"2024-05-01T12:00:00Z"},"price":{"$numberDecimal":"19.90"},"count":5,"ratio":0.5,"more":[{"n":7}]}"#;
    assert_eq!(relaxed.text, expected);

    let canonical = get(&api, PATH, &[CANONICAL]).await;
    assert_eq!(canonical.header("content-type"), "application/ejson; mode=canonical");
    let read = Bson::try_from(canonical.json()).unwrap();
    assert_eq!(read, Bson::Document(thing), "{}", canonical.text);

    for accept in ["*/*", "application/*", "application/json", "application/ejson, application/json"] {
        let plain = get(&api, PATH, &[("accept", accept)]).await;
        assert_eq!(plain.header("content-type"), "application/json", "{accept}");
        assert_eq!(plain.json()["at"], "2024-05-01T12:00:00.000Z");
    }
}

#[tokio::test]
async fn lists_and_writes_in_extended_json() {
    let (api, _) = stored().await;
    for path in ["/v1/things", "/v1/things?sort=text", "/v1/things?fields=at&sort=at"] {
        let page = get(&api, path, &[RELAXED]).await;
        assert_eq!(page.header("content-type"), "application/ejson");
        let page = page.ok(200);
        assert_eq!(page["items"][0]["at"], json!({ "$date": "2024-05-01T12:00:00Z" }), "{page}");
        assert_eq!(page["next"], Value::Null);
        assert!(!page.to_string().contains("sortKey"), "{page}");
    }
    let json = ("content-type", "application/json");
    let made = api.send(Method::POST, "/v1/things", &[CANONICAL, json], r#"{"count":1}"#).await;
    assert_eq!(made.header("content-type"), "application/ejson; mode=canonical");
    let made_id = made.ok(201)["_id"]["$oid"].as_str().unwrap().to_owned();
    assert_eq!(made.header("location"), format!("/v1/things/{made_id}"));
    assert_eq!(made.json()["count"], json!({ "$numberLong": "1" }));
    for (method, count) in [(Method::PUT, 2), (Method::PATCH, 3)] {
        let body = format!(r#"{{"count":{count}}}"#);
        let changed = api.send(method, made.header("location"), &[RELAXED, json], body).await;
        assert_eq!(changed.header("content-type"), "application/ejson");
        assert_eq!(changed.ok(200)["count"], count);
    }
}

#[tokio::test]
async fn what_cannot_be_given_is_refused_before_anything_is_done() {
    let (api, _) = stored().await;
    let json = ("content-type", "application/json");
    for accept in ["text/csv", "application/ejson; mode=shell", "application/json;q=0"] {
        for (method, path, body) in [
            (Method::GET, "/v1/things", ""),
            (Method::GET, PATH, ""),
            (Method::POST, "/v1/things", "{}"),
            (Method::PUT, PATH, "{}"),
            (Method::PATCH, PATH, "{}"),
        ] {
            let refused = api.send(method, path, &[("accept", accept), json], body).await;
            let detail = refused.problem(406, "not-acceptable")["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains("`application/json`, `application/ejson` or `"), "{detail}");
        }
    }
    assert_eq!(api.count("things").await, 1);
    let refused = get(&api, "/v1", &[RELAXED]).await.problem(406, "not-acceptable");
    assert_eq!(refused["detail"], "the answer can only be `application/json`");
    let refused = get(&api, PATH, &[("accept-encoding", "br, *;q=0")]).await.problem(406, "not-acceptable");
    assert!(refused["detail"].as_str().unwrap().contains("`gzip`"), "{refused}");
    let missing = get(&api, "/v1/things/6650f0000000000000000009", &[CANONICAL, GZIP]).await;
    missing.problem(404, "unknown-document");
}

#[tokio::test]
async fn tags_tell_representations_apart() {
    let (api, _) = stored().await;
    let long = doc! { "$set": { "text": "x".repeat(2000) } };
    api.collection("things").update_one(doc! {}, long).await.unwrap();
    let ways: [(&[(&str, &str)], &str); 6] = [
        (&[], ""),
        (&[GZIP], ".g"),
        (&[RELAXED], ".r"),
        (&[RELAXED, GZIP], ".rg"),
        (&[CANONICAL], ".c"),
        (&[CANONICAL, GZIP], ".cg"),
    ];
    let mut tags = Vec::new();
    for (headers, suffix) in ways {
        let (headers, _) = bytes(&api, Method::GET, PATH, headers).await;
        let tag = headers["etag"].to_str().unwrap().to_owned();
        assert!(tag.ends_with(&format!("{suffix}\"")), "{tag} {suffix}");
        tags.push(tag);
    }
    let hash = tags[0].trim_matches('"');
    assert!(tags.iter().all(|tag| tag[1..].starts_with(hash)), "{tags:?}");
    for (own, (headers, _)) in ways.iter().enumerate() {
        for (sent, tag) in tags.iter().enumerate() {
            for tag in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}")] {
                let headers = [&[("if-none-match", tag.as_str())], *headers].concat();
                let mut request = api.http.get(format!("{}{PATH}", api.base));
                for (name, value) in headers {
                    request = request.header(name, value);
                }
                let answer = request.send().await.unwrap();
                assert_eq!(answer.status(), if own == sent { 304 } else { 200 }, "{tag} for {}", tags[own]);
                assert_eq!(answer.headers()["etag"].to_str().unwrap(), tags[own]);
                assert_eq!(answer.headers()["vary"], "Accept, Accept-Encoding, Authorization, Prefer, X-Api-Key");
            }
        }
    }
    for tag in &tags {
        let json = ("content-type", "application/json");
        let known = [("if-none-match", tag.as_str()), json];
        api.send(Method::PATCH, PATH, &known, r#"{"count":9}"#).await.problem(412, "precondition-failed");
        let matching = [("if-match", tag.as_str()), json];
        assert_eq!(api.send(Method::GET, PATH, &matching[..1], "").await.status, 200);
        api.send(Method::PATCH, PATH, &matching, r#"{"count":5}"#).await.ok(200);
    }
    let last = [("if-match", tags[5].as_str()), RELAXED, ("content-type", "application/json")];
    let changed = api.send(Method::PATCH, PATH, &last, r#"{"count":6}"#).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert!(changed.header("etag").ends_with(".r\""));
    let stale = api.send(Method::PATCH, PATH, &last, r#"{"count":7}"#).await;
    assert_eq!(format!("{}.r\"", stale.header("etag").trim_end_matches('"')), changed.header("etag"));
    stale.problem(412, "precondition-failed");
}

#[tokio::test]
async fn large_answers_are_compressed_for_who_asks() {
    let (api, _) = stored().await;
    let text = |length| doc! { "text": "x".repeat(length) };
    api.collection("things").insert_many((0..40).map(|_| text(20_000))).await.unwrap();
    // Below and above the size from which on another thread compresses.
    for (path, accept) in [
        ("/v1/things?limit=3", "application/json"),
        ("/v1/things?limit=40", "application/json"),
        ("/v1/things?limit=40", "application/ejson"),
    ] {
        let accept = ("accept", accept);
        let (headers, plain) = bytes(&api, Method::GET, path, &[accept]).await;
        assert!(!headers.contains_key("content-encoding"));
        let (headers, compressed) = bytes(&api, Method::GET, path, &[accept, ("accept-encoding", "br, x-gzip")]).await;
        assert_eq!(headers["content-encoding"], "gzip");
        assert_eq!(headers["content-length"], compressed.len().to_string().as_str());
        assert!(compressed.len() < plain.len() / 20);
        assert_eq!(unzipped(&compressed).as_bytes(), plain);
        for coding in [&[GZIP][..], &[]] {
            let (of_get, body) = bytes(&api, Method::GET, path, coding).await;
            let (of_head, none) = bytes(&api, Method::HEAD, path, coding).await;
            assert!(none.is_empty());
            assert_eq!(of_head["content-length"], body.len().to_string().as_str());
            for name in ["content-type", "content-encoding", "vary"] {
                assert_eq!(of_head.get(name), of_get.get(name), "{name}");
            }
        }
    }
    let (headers, _) = bytes(&api, Method::GET, PATH, &[GZIP]).await;
    assert!(!headers.contains_key("content-encoding"), "it is small");
    assert!(!headers["etag"].to_str().unwrap().contains('.'));
    let (headers, body) = bytes(&api, Method::GET, PATH, &[("accept-encoding", "gzip, identity;q=0")]).await;
    assert_eq!(headers["content-encoding"], "gzip", "nothing else is taken");
    assert!(headers["etag"].to_str().unwrap().ends_with(".g\""));
    assert!(unzipped(&body).starts_with("{\"_id\""));
}

#[tokio::test]
async fn the_collections_and_their_schemas_are_compressed_too() {
    let api = Api::library().await;
    for path in ["/v1", "/v1/books/_schema"] {
        let (_, plain) = bytes(&api, Method::GET, path, &[]).await;
        let (headers, body) = bytes(&api, Method::GET, path, &[GZIP]).await;
        if plain.len() < 1024 {
            assert!(!headers.contains_key("content-encoding"), "{path}");
        } else {
            assert_eq!(unzipped(&body).as_bytes(), plain, "{path}");
        }
    }
}
