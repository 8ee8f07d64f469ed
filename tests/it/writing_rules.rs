//! Writes by callers who see and may write only a part, over HTTP.

use mongodb::bson::{Document, doc};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Api, Client, catalog};

fn shelf() -> Value {
    json!({
        "type": "object",
        "required": ["title"],
        "properties": {
            "_id": { "type": "string" },
            "title": { "type": "string" },
            "tenant": { "type": "string" },
            "state": { "type": "string" },
            "code": { "type": "string" },
            "lot": { "type": "string" },
            "cost": { "bsonType": "int", "minimum": 0 },
            "pin": { "type": "string", "writeOnly": true, "maxLength": 4 },
            "publisher": {
                "type": "object",
                "properties": { "name": { "type": "string" }, "margin": { "bsonType": "int" } }
            },
            "by": { "type": "string", "x-set": { "insert": "user", "update": "user" } }
        },
        "anyOf": [{ "required": ["title"] }, { "properties": { "cost": { "maximum": 3 } } }],
        "x-indexes": [
            { "keys": { "code": 1 }, "unique": true, "sparse": true },
            { "keys": { "lot": 1, "cost": 1 }, "unique": true, "sparse": true }
        ],
        "x-access": {
            "admin": ["*"],
            "clerk": { "ops": ["read", "write"], "hide": ["cost", "publisher.margin"], "readOnly": ["state"] },
            "tenant": {
                "ops": ["read", "write"],
                "filter": { "tenant": "$user.tenant" },
                "set": { "tenant": "$user.tenant" }
            },
            "team": { "ops": ["read", "write"], "filter": { "tenant": "$user.team" } },
            "reader": { "ops": ["read", "update"], "filter": { "state": { "$ne": "secret" } } },
            "drop": ["insert", "update"]
        }
    })
}

async fn api() -> Api {
    Api::closed(catalog(&[("things", shelf())])).await
}

fn who(api: &Api, role: &str) -> Client {
    api.caller(&[role], role, json!({ "tenant": "a", "team": "a" }))
}

async fn store(api: &Api, document: Document) {
    api.collection("things").insert_one(document).await.unwrap();
}

async fn stored(api: &Api, id: &str) -> Option<Document> {
    api.collection("things").find_one(doc! { "_id": id }).await.unwrap()
}

#[tokio::test]
async fn a_put_by_someone_who_sees_half_keeps_the_other_half() {
    let api = api().await;
    let clerk = who(&api, "clerk");
    let whole = doc! { "_id": "x", "cost": 5, "title": "t", "pin": "1234", "publisher": { "margin": 2, "name": "p" } };
    store(&api, whole.clone()).await;
    let seen = clerk.get("/v1/things/x").await;
    assert_eq!(seen.ok(200), json!({ "_id": "x", "title": "t", "publisher": { "name": "p" } }));
    let same = clerk.put("/v1/things/x", &seen.text).await;
    assert_eq!((same.ok(200), same.header("etag")), (seen.json(), seen.header("etag")));
    assert_eq!(stored(&api, "x").await.unwrap(), whole);
    let put = clerk.put("/v1/things/x", json!({ "title": "u" })).await.ok(200);
    assert_eq!(put, json!({ "_id": "x", "title": "u", "publisher": {}, "by": "clerk" }));
    let kept = doc! {
        "_id": "x", "cost": 5, "title": "u", "pin": "1234", "publisher": { "margin": 2 }, "by": "clerk"
    };
    assert_eq!(stored(&api, "x").await.unwrap(), kept);
    clerk.patch("/v1/things/x", json!({ "pin": "9" })).await.ok(200);
    assert_eq!(stored(&api, "x").await.unwrap().get_str("pin").unwrap(), "9");
    for (body, pointer) in [
        (json!({ "cost": 1 }), "/cost"),
        (json!({ "publisher": { "margin": null } }), "/publisher/margin"),
        (json!({ "publisher": 3 }), "/publisher"),
    ] {
        let problem = clerk.patch("/v1/things/x", body).await.problem(403, "forbidden-field");
        assert_eq!(problem["pointers"], json!([pointer]));
    }
    // What is hidden is refused before its type is looked at, and before anything is looked for.
    clerk.put("/v1/things/none", json!({ "cost": "much" })).await.problem(403, "forbidden-field");
    clerk.patch("/v1/things/x", json!({ "state": "new" })).await.problem(422, "read-only-field");
    who(&api, "admin").patch("/v1/things/x", json!({ "cost": 1, "state": "new" })).await.ok(200);
}

#[tokio::test]
async fn the_same_id_in_two_tenants_never_crosses() {
    let api = api().await;
    let [a, b] = ["a", "b"].map(|tenant| api.caller(&["tenant"], tenant, json!({ "tenant": tenant })));
    a.post("/v1/things", json!({ "_id": "x", "title": "t" })).await.ok(201);
    let before = stored(&api, "x").await;
    for (method, body) in [(Method::PUT, r#"{"title":"u"}"#), (Method::PATCH, r#"{"title":"u"}"#), (Method::DELETE, "")]
    {
        let headers = [("content-type", "application/json"), ("if-match", "*")];
        let hidden = b.send(method.clone(), "/v1/things/x", &headers, body).await.problem(404, "unknown-document");
        let absent = b.send(method, "/v1/things/y", &headers, body).await.problem(404, "unknown-document");
        assert_eq!(hidden["detail"], absent["detail"]);
    }
    let create = [("content-type", "application/json"), ("if-none-match", "*")];
    let taken = b.send(Method::PUT, "/v1/things/x", &create, r#"{"title":"u"}"#).await;
    let problem = taken.problem(412, "precondition-failed");
    assert!(problem.get("etag").is_none() && !taken.headers.contains_key("etag"));
    b.post("/v1/things", json!({ "_id": "x", "title": "u" })).await.problem(409, "duplicate");
    assert_eq!(stored(&api, "x").await, before);
}

#[tokio::test]
async fn forced_values_win_on_every_way() {
    let api = api().await;
    let tenant = who(&api, "tenant");
    let other = json!({ "_id": "x", "title": "t", "tenant": "b" });
    assert_eq!(tenant.post("/v1/things", &other).await.ok(201)["tenant"], "a");
    assert_eq!(tenant.put("/v1/things/x", json!({ "title": "u", "tenant": "b" })).await.ok(200)["tenant"], "a");
    assert_eq!(tenant.put("/v1/things/x", json!({ "title": "v" })).await.ok(200)["tenant"], "a");
    assert_eq!(tenant.patch("/v1/things/x", json!({ "tenant": null, "code": "c" })).await.ok(200)["tenant"], "a");
    let headers = [("content-type", "application/json"), ("if-none-match", "*")];
    let made = tenant.send(Method::PUT, "/v1/things/y", &headers, r#"{"title":"t","tenant":"b"}"#).await;
    assert_eq!(made.ok(201)["tenant"], "a");
    let unknown = api.caller(&["tenant"], "nobody", json!({}));
    unknown.post("/v1/things", &other).await.problem(403, "forbidden");
}

#[tokio::test]
async fn nobody_moves_a_document_out_of_their_sight() {
    let api = api().await;
    let team = who(&api, "team");
    store(&api, doc! { "_id": "x", "title": "t", "tenant": "a" }).await;
    for body in [json!({ "tenant": "b" }), json!({ "tenant": null })] {
        team.patch("/v1/things/x", body).await.problem(403, "forbidden");
    }
    team.put("/v1/things/x", json!({ "title": "u" })).await.problem(403, "forbidden");
    team.post("/v1/things", json!({ "_id": "y", "title": "t", "tenant": "b" })).await.problem(403, "forbidden");
    assert_eq!(stored(&api, "x").await, Some(doc! { "_id": "x", "title": "t", "tenant": "a" }));
    assert_eq!(api.count("things").await, 1);
}

#[tokio::test]
async fn what_is_seen_and_may_not_be_deleted_is_403_and_what_is_not_seen_404() {
    let api = api().await;
    let both = api.caller(&["reader", "team"], "ann", json!({ "team": "a" }));
    store(&api, doc! { "_id": "seen", "title": "t", "tenant": "b" }).await;
    store(&api, doc! { "_id": "unseen", "title": "t", "state": "secret" }).await;
    store(&api, doc! { "_id": "own", "title": "t", "tenant": "a" }).await;
    both.delete("/v1/things/seen").await.problem(403, "forbidden");
    both.delete("/v1/things/unseen").await.problem(404, "unknown-document");
    who(&api, "reader").delete("/v1/things/seen").await.problem(403, "forbidden");
    assert_eq!(both.delete("/v1/things/own").await.status, 204);
    assert_eq!(api.count("things").await, 2);
}

#[tokio::test]
async fn who_cannot_read_is_answered_without_a_document() {
    let api = api().await;
    let drop = who(&api, "drop");
    let made = drop.post("/v1/things", json!({ "_id": "x", "title": "t" })).await;
    assert_eq!((made.status, made.text.as_str(), made.header("location")), (201, "", "/v1/things/x"));
    let changed = drop.patch("/v1/things/x", json!({ "title": "u" })).await;
    assert_eq!((changed.status, changed.text.as_str()), (204, ""));
    let tag = r#""AAAAAAAAAAAAAAAAAAAAAA""#;
    let headers = [("content-type", "application/json"), ("if-match", tag)];
    let failed = drop.send(Method::PATCH, "/v1/things/x", &headers, r#"{"title":"v"}"#).await;
    failed.problem(412, "precondition-failed");
    for answer in [made, changed, failed] {
        assert!(!answer.headers.contains_key("etag"), "{answer:?}");
    }
    assert_eq!(stored(&api, "x").await.unwrap().get_str("title").unwrap(), "u");
}

#[tokio::test]
async fn a_precondition_is_of_what_the_caller_sees() {
    let api = api().await;
    let (clerk, admin) = (who(&api, "clerk"), who(&api, "admin"));
    store(&api, doc! { "_id": "x", "title": "t", "cost": 1 }).await;
    let tag = clerk.get("/v1/things/x").await.header("etag").to_owned();
    api.collection("things").update_one(doc! {}, doc! { "$set": { "cost": 2 } }).await.unwrap();
    let headers = [("content-type", "application/json"), ("if-match", tag.as_str())];
    admin.send(Method::PATCH, "/v1/things/x", &headers, r#"{"title":"u"}"#).await.problem(412, "precondition-failed");
    clerk.send(Method::PATCH, "/v1/things/x", &headers, r#"{"title":"u"}"#).await.ok(200);
    let failed = clerk.send(Method::PATCH, "/v1/things/x", &headers, r#"{"title":"v"}"#).await;
    let now = clerk.get("/v1/things/x").await.header("etag").to_owned();
    assert_eq!(failed.problem(412, "precondition-failed")["etag"], now);
}

#[tokio::test]
async fn refusals_of_the_database_tell_nothing_hidden() {
    let api = api().await;
    let (clerk, admin) = (who(&api, "clerk"), who(&api, "admin"));
    // Another program has stored what breaks the rules.
    let bypass = doc! { "_id": "x", "title": "t", "cost": -770_077_077 };
    api.collection("things").insert_one(bypass).bypass_document_validation(true).await.unwrap();
    let refused = clerk.patch("/v1/things/x", json!({ "code": "c" })).await;
    let errors = &refused.problem(422, "invalid-document")["errors"];
    assert_eq!(errors[0]["detail"], "breaks a rule about fields that you may not see");
    assert!(!refused.text.contains("cost") && !refused.text.contains("770077077"), "{}", refused.text);
    let refused = clerk.patch("/v1/things/x", json!({ "title": null })).await;
    assert!(!refused.text.contains("cost") && !refused.text.contains("770077077"), "{}", refused.text);
    let refused = clerk.post("/v1/things", json!({ "_id": "y", "title": "t", "pin": "98765" })).await;
    let errors = &refused.problem(422, "invalid-document")["errors"];
    assert_eq!((&errors[0]["pointer"], errors[0].get("found")), (&json!("/pin"), None));

    for id in ["a", "b"] {
        store(&api, doc! { "_id": id, "title": "t", "cost": 3, "lot": id, "code": id }).await;
    }
    let shared = clerk.patch("/v1/things/b", json!({ "lot": "a" })).await;
    let problem = shared.problem(409, "duplicate");
    assert!(problem.get("index").is_none() && problem.get("fields").is_none(), "{problem}");
    assert!(!shared.text.contains("cost"), "{}", shared.text);
    let seen = clerk.patch("/v1/things/b", json!({ "code": "a" })).await.problem(409, "duplicate");
    assert_eq!((&seen["index"], &seen["fields"]), (&json!("code_1"), &json!(["code"])));
    let all = admin.patch("/v1/things/b", json!({ "lot": "a" })).await.problem(409, "duplicate");
    assert_eq!(all["fields"], json!(["cost", "lot"]));
}

#[tokio::test]
async fn a_rule_on_a_hidden_condition_does_not_tell_that_it_is_met() {
    let file = json!({
        "type": "object",
        "properties": { "_id": { "type": "string" }, "vip": { "type": "boolean" }, "code": { "type": "string" } },
        "if": { "required": ["vip"] },
        "then": { "$ref": "#/$defs/short" },
        "$defs": { "short": { "properties": { "code": { "maxLength": 2 } } } },
        "x-access": { "clerk": { "ops": ["read", "write"], "hide": ["vip"] } }
    });
    let api = Api::closed(catalog(&[("things", file)])).await;
    store(&api, doc! { "_id": "x", "vip": true }).await;
    let refused = who(&api, "clerk").patch("/v1/things/x", json!({ "code": "abc" })).await;
    let detail = "breaks a rule about fields that you may not see";
    let expected = json!([{ "pointer": "/code", "detail": detail, "keyword": "x-access" }]);
    assert_eq!(refused.problem(422, "invalid-document")["errors"], expected);
}

#[tokio::test]
async fn the_service_writes_who_wrote() {
    let api = api().await;
    let made = who(&api, "admin").post("/v1/things", json!({ "_id": "x", "title": "t" })).await.ok(201);
    assert_eq!(made["by"], "admin");
    assert_eq!(who(&api, "clerk").patch("/v1/things/x", json!({ "code": "c" })).await.ok(200)["by"], "clerk");
    who(&api, "clerk").patch("/v1/things/x", json!({ "by": "ann" })).await.problem(422, "read-only-field");
}

#[tokio::test]
async fn of_a_hundred_writers_with_two_views_none_loses_anything() {
    let api = api().await;
    store(&api, doc! { "_id": "x", "title": "t", "cost": 3, "publisher": { "margin": 2 } }).await;
    let [clerk, admin] = ["clerk", "admin"].map(|role| who(&api, role));
    let writes = (0..100).map(|n| {
        let who = if n % 2 == 0 { clerk.clone() } else { admin.clone() };
        tokio::spawn(async move {
            let body = json!({ format!("n{n}"): n, "publisher": { "name": format!("p{n}") } });
            while who.patch("/v1/things/x", &body).await.status == 409 {}
        })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap();
    }
    let after = stored(&api, "x").await.unwrap();
    assert!((0..100).all(|n| after.contains_key(format!("n{n}"))), "{after}");
    let margin = after.get_document("publisher").unwrap().get_i32("margin").unwrap();
    assert_eq!((after.get_i32("cost").unwrap(), margin), (3, 2));
}

#[tokio::test]
async fn the_schema_marks_what_the_caller_may_not_write() {
    let api = api().await;
    for (roles, expected) in [
        (&["admin"][..], &["by"][..]),
        (&["clerk"], &["by", "state"]),
        (&["tenant"], &["by", "tenant"]),
        (&["clerk", "tenant"], &["by"]),
        (&["reader"], &["by"]),
    ] {
        let client = api.caller(roles, "x", json!({ "tenant": "a" }));
        let schema = client.get("/v1/things/_schema").await.ok(200);
        let properties = schema["properties"].as_object().unwrap().iter();
        let marked = properties.filter(|(_, field)| field["readOnly"] == json!(true)).map(|(name, _)| name.as_str());
        assert_eq!(marked.collect::<Vec<_>>(), expected, "{roles:?}");
    }
}
