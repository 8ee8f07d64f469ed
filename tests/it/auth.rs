//! Who asks: credentials over HTTP, right and wrong ones.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Api, TestDatabase, catalog, claims, database, sign, token};

pub(crate) mod issuers;
mod keys;
mod secrets;
mod startup;
mod tokens;

/// A service with one collection, for the role `admin`.
async fn closed() -> Api {
    Api::closed(things()).await
}

fn things() -> folio::schema::Catalog {
    catalog(&[("things", json!({ "type": "object" }))])
}

/// The problem of a credential that is refused as wrong; `why` is a part of what it says.
fn refused(answer: &Answer, why: &str) -> Value {
    let problem = answer.problem(401, "unauthenticated");
    assert_eq!(answer.header("www-authenticate"), r#"Bearer realm="folio", error="invalid_token""#);
    assert!(problem["detail"].as_str().unwrap().contains(why), "not `{why}`: {problem}");
    problem
}

async fn with_headers(api: &Api, headers: &[(&str, &str)]) -> Answer {
    api.send(Method::GET, "/v1/things", headers, "").await
}

#[tokio::test]
async fn without_a_credential_nothing_is_told_but_that_one_is_needed() {
    let api = closed().await;
    for path in ["/v1", "/v1/things", "/v1/things/1", "/v1/others", "/nothing", "/problems/unauthenticated"] {
        let answer = api.get(path).await;
        answer.problem(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), r#"Bearer realm="folio""#, "{path}");
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(api.get(path).await.status, 200, "{path}");
        assert_eq!(api.with("wrong").get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_key_is_taken_as_a_bearer_and_in_a_header_of_its_own() {
    let database = database().await;
    let key = database.key(&["admin"]).await;
    let settings = database.closed();
    let api = Api::start_with(things(), database, settings).await;
    for scheme in ["Bearer", "bearer", "BEARER", "Bearer "] {
        with_headers(&api, &[("authorization", &format!("{scheme} {key}"))]).await.ok(200);
    }
    with_headers(&api, &[("x-api-key", &key)]).await.ok(200);
    with_headers(&api, &[("X-API-KEY", &key)]).await.ok(200);
}

#[tokio::test]
async fn one_credential_is_sent_in_one_way() {
    let database = database().await;
    let key = database.key(&["admin"]).await;
    let settings = database.closed();
    let api = Api::start_with(things(), database, settings).await;
    let (bearer, token) = (format!("Bearer {key}"), token(&["admin"], "ann", json!({})));
    for headers in [
        [("authorization", bearer.as_str()), ("authorization", &bearer)],
        [("authorization", &bearer), ("x-api-key", &key)],
        [("x-api-key", &key), ("x-api-key", &key)],
        [("authorization", &bearer), ("x-api-key", "")],
    ] {
        refused(&with_headers(&api, &headers).await, "several");
    }
    refused(&with_headers(&api, &[("x-api-key", &token)]).await, "no such API key");
    for wrong in ["Basic YW5uOnB3", "Bearer", "", "Token x", &key, "Negotiate", "Bearer\t"] {
        refused(&with_headers(&api, &[("authorization", wrong)]).await, "expected `Authorization: Bearer`");
    }
    refused(&with_headers(&api, &[("x-api-key", "")]).await, "");
    refused(&with_headers(&api, &[("x-api-key", "clé")]).await, "not text");
}

#[tokio::test]
async fn an_open_service_refuses_wrong_credentials_too() {
    let database = database().await;
    let (key, mut settings) = (database.key(&["nothing"]).await, database.closed());
    settings.serving.open = database.settings().serving.open;
    let api = Api::start_with(things(), database, settings).await;
    api.get("/v1/things").await.ok(200);
    api.with(&key).get("/v1/things").await.ok(200);
    api.caller(&["nothing"], "ann", json!({})).get("/v1/things").await.ok(200);
    refused(&api.with("wrong").get("/v1/things").await, "neither an API key nor a token");
    refused(&api.with(format!("{key}x")).get("/v1/things").await, "no such API key");
    let expired = sign(&json!({ "alg": "HS256" }), &json!({ "exp": 1 }), crate::support::JWT_SECRET.as_bytes());
    refused(&api.with(expired).get("/v1").await, "the token");
}

#[tokio::test]
async fn a_token_is_no_credential_where_none_are_configured() {
    let database = database().await;
    let mut settings = database.closed();
    settings.serving.tokens = folio::config::Tokens::default();
    let api = Api::start_with(things(), database, settings).await;
    refused(&api.caller(&["admin"], "ann", json!({})).get("/v1/things").await, "no tokens are taken here");
}

#[tokio::test]
async fn rules_know_what_keys_and_tokens_say() {
    let file = json!({
        "type": "object",
        "properties": { "_id": { "type": "string" }, "tenant": { "type": "string" }, "owner": { "type": "string" } },
        "x-access": {
            "tenant": { "ops": ["read"], "filter": { "tenant": "$user.tenant" } },
            "owner": { "ops": ["read"], "filter": { "owner": "$user.id" } },
            "name": { "ops": ["read"], "filter": { "owner": "$user.name" } },
        },
    });
    let database = database().await;
    let things = database.db.collection("things");
    let row = |id: &str, tenant: &str, owner: &str| mongodb::bson::doc! { "_id": id, "tenant": tenant, "owner": owner };
    let grant = folio::auth::key::Grant {
        name: "loan desk".into(),
        roles: vec!["tenant".into()],
        attributes: [("tenant".to_owned(), "7".to_owned())].into(),
        ..Default::default()
    };
    let key = database.key_with(grant).await;
    let settings = database.closed();
    let api = Api::start_with(catalog(&[("things", file)]), database, settings).await;
    things.insert_many([row("1", "7", "ann"), row("2", "8", "bob"), row("3", "8", "loan desk")]).await.unwrap();
    let seen = async |client: crate::support::Client| {
        let list = client.get("/v1/things").await.ok(200);
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["_id"].as_str().unwrap().to_owned())
            .collect::<String>()
    };
    assert_eq!(seen(api.with(&key)).await, "1");
    assert_eq!(seen(api.caller(&["tenant"], "ann", json!({ "tenant": "8" }))).await, "23");
    // A number is no value of a text, so the rule gives nothing.
    api.caller(&["tenant"], "ann", json!({ "tenant": 8 })).get("/v1/things").await.problem(403, "forbidden");
    assert_eq!(seen(api.caller(&["owner", "no-such-role"], "bob", json!({}))).await, "2");
    let mut named = claims(&["name"], "u-3");
    named["name"] = json!("loan desk");
    let named = sign(&json!({ "alg": "HS256" }), &named, crate::support::JWT_SECRET.as_bytes());
    assert_eq!(seen(api.with(named)).await, "3");
}

/// Another service on the same database.
async fn another(api: &Api) -> Api {
    let TestDatabase { uri, name, db } = &api.database;
    let database = TestDatabase { uri: uri.clone(), name: name.clone(), db: db.clone() };
    let settings = database.closed();
    Api::start_with(things(), database, settings).await
}
