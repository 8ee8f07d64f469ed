//! One document: what comes back is what was sent, and what is stored is what the file says.

use mongodb::bson::{Bson, doc, oid::ObjectId};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::Api;

/// A collection with a field of every type that has a JSON face of its own.
fn typed() -> Value {
    json!({
        "type": "object",
        "properties": {
            "date": { "bsonType": "date" },
            "decimal": { "bsonType": "decimal" },
            "long": { "bsonType": "long" },
            "int": { "bsonType": "int" },
            "double": { "bsonType": "double" },
            "ref": { "bsonType": "objectId" },
            "uuid": { "bsonType": "binData", "format": "uuid" },
            "bytes": { "bsonType": "binData" },
            "list": { "type": "array", "items": { "bsonType": "date" } },
            "number": { "type": "number" },
            "either": { "bsonType": ["string", "date"] }
        }
    })
}

/// A collection whose fields the service has a hand in.
fn served() -> Value {
    json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": { "type": "string" },
            "stock": { "bsonType": "int", "default": 0 },
            "tags": { "type": "array", "items": { "type": "string" }, "default": [] },
            "token": { "type": "string", "x-set": { "insert": "uuid" } },
            "status": { "type": "string", "readOnly": true },
            "state": { "type": "string", "readOnly": true, "default": "new" },
            "audit": {
                "type": "object",
                "properties": {
                    "created": { "bsonType": "date", "x-set": { "insert": "now" } },
                    "note": { "type": "string" }
                }
            },
            "updatedAt": { "bsonType": "date", "x-set": { "insert": "now", "update": "now" } }
        }
    })
}

fn path(document: &Value) -> String {
    format!("/v1/things/{}", document["_id"].as_str().unwrap())
}

#[tokio::test]
async fn every_type_goes_in_and_comes_out() {
    let api = Api::things(typed()).await;
    let sent = r#"{
        "_id": "6650f0000000000000000001",
        "date": "2024-05-01T14:00:00.5+02:00",
        "decimal": "19.90",
        "long": "9007199254740993",
        "int": 3.0,
        "double": 5,
        "ref": "6650f0000000000000000002",
        "uuid": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "bytes": "aGVsbG8=",
        "list": ["1969-12-31T23:59:59.999Z"],
        "number": 7,
        "either": { "$date": "2024-05-01T12:00:00Z" },
        "free": { "$numberLong": "5" }
    }"#;
    let answer = api.post("/v1/things", sent).await;
    let stored = api.collection("things").find_one(doc! {}).await.unwrap().unwrap();
    assert_eq!(stored.get("_id"), Some(&Bson::ObjectId(ObjectId::parse_str("6650f0000000000000000001").unwrap())));
    assert_eq!(stored.get("decimal"), Some(&Bson::Decimal128("19.90".parse().unwrap())));
    assert_eq!(stored.get("long"), Some(&Bson::Int64(9_007_199_254_740_993)));
    assert_eq!(stored.get("int"), Some(&Bson::Int32(3)));
    assert_eq!(stored.get("double"), Some(&Bson::Double(5.0)));
    assert_eq!(stored.get("number"), Some(&Bson::Int32(7)));
    assert!(matches!(stored.get("either"), Some(Bson::DateTime(_))));
    assert_eq!(stored.get("free"), Some(&Bson::Int64(5)));
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("location"), "/v1/things/6650f0000000000000000001");
    assert_eq!(
        answer.text,
        concat!(
            r#"{"_id":"6650f0000000000000000001","date":"2024-05-01T12:00:00.500Z","decimal":"19.90","#,
            r#""long":9007199254740993,"int":3,"double":5.0,"ref":"6650f0000000000000000002","#,
            r#""uuid":"f81d4fae-7dec-11d0-a765-00a0c91e6bf6","bytes":"aGVsbG8=","list":["1969-12-31T23:59:59.999Z"],"#,
            r#""number":7,"either":{"$date":{"$numberLong":"1714564800000"}},"free":{"$numberLong":"5"}}"#
        )
    );
}

#[tokio::test]
async fn what_is_read_and_written_back_is_the_same_bson() {
    let api = Api::things(typed()).await;
    let stored = doc! {
        "_id": ObjectId::new(),
        "decimal": "1.00".parse::<mongodb::bson::Decimal128>().unwrap(),
        "double": -0.0, "nan": f64::INFINITY, "long": 5_i64, "free": [5_i64, 5_i32, 5.0, Bson::MinKey, Bson::Undefined],
        "regex": mongodb::bson::Regex { pattern: "a".try_into().unwrap(), options: "i".try_into().unwrap() },
        "far": mongodb::bson::DateTime::from_millis(i64::MAX),
        "date": mongodb::bson::DateTime::from_millis(-62_167_219_200_001),
    };
    api.collection("things").insert_one(&stored).await.unwrap();
    let raw = || async {
        api.database.db.collection::<mongodb::bson::RawDocumentBuf>("things").find_one(doc! {}).await.unwrap().unwrap()
    };
    let (before, path) = (raw().await, format!("/v1/things/{}", stored.get_object_id("_id").unwrap()));
    let read = api.get(&path).await;
    let written = api.put(&path, &read.text).await;
    assert_eq!((written.status, &written.text), (200, &read.text));
    assert_eq!(raw().await.as_bytes(), before.as_bytes());
}

#[tokio::test]
async fn the_service_fills_in_what_is_its_own() {
    let api = Api::things(served()).await;
    let made = api.post("/v1/things", json!({ "name": "a", "audit": { "note": "n" } })).await.ok(201);
    assert_eq!((&made["stock"], &made["tags"]), (&json!(0), &json!([])));
    assert_eq!(made["token"].as_str().unwrap().len(), 36);
    assert_eq!(made["audit"]["created"].as_str().unwrap().len(), 24);
    let problem =
        api.post("/v1/things", json!({ "name": "a", "token": "x", "status": "y", "audit": { "created": null } })).await;
    let problem = problem.problem(422, "read-only-field");
    assert_eq!(problem["pointers"], json!(["/audit/created", "/status", "/token"]));
    assert_eq!(api.count("things").await, 1);
}

#[tokio::test]
async fn a_put_keeps_what_clients_may_not_write() {
    let api = Api::things(served()).await;
    let made = api.post("/v1/things", json!({ "name": "a", "stock": 4, "audit": { "note": "n" } })).await.ok(201);
    let path = path(&made);
    api.collection("things").update_one(doc! {}, doc! { "$set": { "status": "kept", "state": "old" } }).await.unwrap();
    let answer = api.put(&path, json!({ "name": "b" })).await;
    let put = answer.ok(200);
    assert_eq!((&put["name"], &put["stock"], &put["status"]), (&json!("b"), &json!(0), &json!("kept")));
    assert_eq!(put["state"], "old", "a default is for what is absent");
    assert_eq!((&put["token"], &put["audit"]), (&made["token"], &json!({ "created": made["audit"]["created"] })));
    assert!(put["updatedAt"].as_str() > made["updatedAt"].as_str(), "{put}");
    let same = api.put(&path, &answer.text).await;
    assert_eq!(same.text, answer.text, "a document that is sent back unchanged stays as it is");
    let problem = api.put(&path, json!({ "name": "b", "status": "mine" })).await.problem(422, "read-only-field");
    assert_eq!(problem["pointers"], json!(["/status"]));
    api.put("/v1/things/6650f0000000000000000001", json!({ "name": "b" })).await.problem(404, "unknown-document");
}

#[tokio::test]
async fn a_put_can_create_and_nothing_else() {
    let api = Api::things(served()).await;
    let path = "/v1/things/6650f0000000000000000001";
    let create = [("content-type", "application/json"), ("if-none-match", "*")];
    let made = api.send(Method::PUT, path, &create, r#"{"name":"a"}"#).await;
    assert_eq!((made.ok(201)["stock"].clone(), made.header("location")), (json!(0), path));
    let refused = api.send(Method::PUT, path, &create, r#"{"name":"b"}"#).await;
    assert_eq!(refused.problem(412, "precondition-failed")["etag"], made.header("etag"));
    assert_eq!(api.get(path).await.json()["name"], "a");
}

#[tokio::test]
async fn merge_patches_are_as_rfc_7396_says() {
    let api = Api::things(json!({ "type": "object" })).await;
    // The examples of RFC 7396, appendix A, whose target and patch are objects, one level down where they are not.
    let cases = [
        (json!({ "a": "b" }), json!({ "a": "c" }), json!({ "a": "c" })),
        (json!({ "a": "b" }), json!({ "b": "c" }), json!({ "a": "b", "b": "c" })),
        (json!({ "a": "b" }), json!({ "a": null }), json!({})),
        (json!({ "a": "b", "b": "c" }), json!({ "a": null }), json!({ "b": "c" })),
        (json!({ "a": ["b"] }), json!({ "a": "c" }), json!({ "a": "c" })),
        (json!({ "a": "c" }), json!({ "a": ["b"] }), json!({ "a": ["b"] })),
        (json!({ "a": { "b": "c" } }), json!({ "a": { "b": "d", "c": null } }), json!({ "a": { "b": "d" } })),
        (json!({ "a": [{ "b": "c" }] }), json!({ "a": [1] }), json!({ "a": [1] })),
        (json!({ "x": ["a", "b"] }), json!({ "x": ["c", "d"] }), json!({ "x": ["c", "d"] })),
        (json!({ "x": { "a": "foo" } }), json!({ "x": null }), json!({})),
        (json!({ "e": null }), json!({ "a": 1 }), json!({ "e": null, "a": 1 })),
        (json!({ "x": [1, 2] }), json!({ "x": { "a": "b", "c": null } }), json!({ "x": { "a": "b" } })),
        (json!({}), json!({ "a": { "bb": { "ccc": null } } }), json!({ "a": { "bb": {} } })),
        (json!({ "a": 1 }), json!({}), json!({ "a": 1 })),
        (json!({}), json!({ "a": [null, { "b": null }] }), json!({ "a": [null, { "b": null }] })),
    ];
    for (target, patch, expected) in cases {
        let made = api.post("/v1/things", &target).await.ok(201);
        let mut patched = api.patch(&path(&made), &patch).await.ok(200);
        patched.as_object_mut().unwrap().remove("_id");
        assert_eq!(patched, expected, "{target} patched with {patch}");
    }
}

#[tokio::test]
async fn a_merge_patch_names_no_operators_even_where_such_names_are_stored() {
    let api = Api::things(json!({ "type": "object" })).await;
    let id = ObjectId::new();
    let stored = doc! { "_id": id, "a": { "$x": 1, "b.c": 1 } };
    api.collection("things").insert_one(&stored).await.unwrap();
    for patch in [json!({ "a": { "z": 1, "$x": 2 } }), json!({ "a": { "b.c": null } }), json!({ "$x": 1 })] {
        for path in [format!("/v1/things/{id}"), "/v1/things/6650f0000000000000000001".to_owned()] {
            api.patch(&path, &patch).await.problem(400, "malformed-body");
        }
    }
    assert_eq!(api.collection("things").find_one(doc! {}).await.unwrap().unwrap(), stored);
}

#[tokio::test]
async fn a_patch_gives_values_their_types_and_moves_the_update_time() {
    let api = Api::library().await;
    let author = api.post("/v1/authors", json!({ "name": "Ursula K. Le Guin", "country": "US" })).await.ok(201);
    let path = format!("/v1/authors/{}", author["_id"].as_str().unwrap());
    let patched = api.patch(&path, json!({ "born": 1929 })).await;
    assert_eq!(patched.ok(200)["born"], 1929);
    assert!(patched.json()["updatedAt"].as_str() > author["updatedAt"].as_str());
    let same = api.patch(&path, json!({})).await;
    assert_eq!((same.text.as_str(), same.header("etag")), (patched.text.as_str(), patched.header("etag")));
}

#[tokio::test]
async fn deletes_once() {
    let api = Api::things(served()).await;
    let path = path(&api.post("/v1/things", json!({ "name": "a" })).await.ok(201));
    let gone = api.delete(&path).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    api.delete(&path).await.problem(404, "unknown-document");
    assert_eq!(api.count("things").await, 0);
}

#[tokio::test]
async fn entity_tags_follow_the_stored_bytes() {
    let api = Api::things(json!({ "type": "object" })).await;
    let made = api.post("/v1/things", json!({ "a": 1 })).await;
    let path = path(&made.ok(201));
    let read = api.get(&path).await;
    assert_eq!(read.header("etag"), made.header("etag"));
    let tag = read.header("etag");
    let unchanged = api.send(Method::GET, &path, &[("if-none-match", tag)], "").await;
    assert_eq!((unchanged.status, unchanged.text.as_str(), unchanged.header("etag")), (304, "", tag));
    let head = api.send(Method::HEAD, &path, &[], "").await;
    assert_eq!((head.status, head.text.as_str(), head.header("etag")), (200, "", tag));
    // Another program changes nothing but the number's type.
    api.collection("things").update_one(doc! {}, doc! { "$set": { "a": 1_i64 } }).await.unwrap();
    assert_ne!(api.get(&path).await.header("etag"), tag);
    let stale = [("content-type", "application/json"), ("if-match", tag)];
    for (method, body) in [(Method::PUT, r#"{"a":2}"#), (Method::PATCH, r#"{"a":2}"#), (Method::DELETE, "")] {
        api.send(method, &path, &stale, body).await.problem(412, "precondition-failed");
    }
    let current = api.get(&path).await.header("etag").to_owned();
    let fresh = [("content-type", "application/json"), ("if-match", current.as_str())];
    assert_eq!(api.send(Method::PATCH, &path, &fresh, r#"{"a":2}"#).await.ok(200)["a"], 2);
    assert_eq!(api.send(Method::DELETE, &path, &[("if-match", "*")], "").await.status, 204);
}

#[tokio::test]
async fn every_precondition_counts() {
    let api = Api::things(json!({ "type": "object" })).await;
    let made = api.post("/v1/things", json!({ "a": 1 })).await;
    let (path, tag) = (path(&made.ok(201)), made.header("etag"));
    let both = [("content-type", "application/json"), ("if-match", tag), ("if-none-match", tag)];
    assert_eq!(api.send(Method::GET, &path, &both, "").await.status, 304);
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        api.send(method, &path, &both, "{}").await.problem(412, "precondition-failed");
    }
    let create = [("content-type", "application/json"), ("if-match", tag), ("if-none-match", "*")];
    api.send(Method::PUT, &path, &create, "{}").await.problem(412, "precondition-failed");
    for unreadable in ["", "x", "\"é\"", "W/*"] {
        let headers = [("content-type", "application/json"), ("if-match", unreadable)];
        api.send(Method::PATCH, &path, &headers, r#"{"a":2}"#).await.problem(412, "precondition-failed");
    }
    let two_lines = [("if-none-match", "\"x\", \"y,z\""), ("if-none-match", tag)];
    assert_eq!(api.send(Method::HEAD, &path, &two_lines, "").await.status, 304);
    assert_eq!(api.get(&path).await.ok(200)["a"], 1);
}

#[tokio::test]
async fn an_answer_shows_what_the_server_stored() {
    let api = Api::things(json!({ "type": "object" })).await;
    // The server puts its own time there.
    let zero = json!({ "at": { "$timestamp": { "t": 0, "i": 0 } } });
    let made = api.post("/v1/things", &zero).await;
    assert_ne!(made.ok(201)["at"], zero["at"]);
    let path = made.header("location");
    assert_eq!(api.get(path).await.text, made.text);
    assert_eq!(api.get(path).await.header("etag"), made.header("etag"));
    let put = api.put(path, &zero).await;
    assert_eq!(api.get(path).await.text, put.text);
    assert_eq!(api.get(path).await.header("etag"), put.header("etag"));
}

#[tokio::test]
async fn nesting_as_deep_as_allowed_is_stored() {
    let api = Api::things(json!({ "type": "object" })).await;
    let nested = |levels: usize| format!("{{\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(api.post("/v1/things", nested(63)).await.status, 201);
    api.post("/v1/things", nested(64)).await.problem(400, "malformed-body");
}
