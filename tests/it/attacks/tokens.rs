//! Row 18: tokens and keys that are not good.

use base64::{Engine, engine::general_purpose::STANDARD};
use bson::{DateTime, doc};
use folio::{auth::key::Grant, config::Tokens};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    support::{AUDIENCE, Api, Client, ISSUER, JWT_SECRET, catalog, claims, database, sign, token, unsigned},
    ways::desk,
};

fn header() -> Value {
    json!({ "alg": "HS256", "typ": "JWT" })
}

/// The claims of an admin, but for these: a `null` takes one away.
fn but(changes: &Value) -> Value {
    let mut claims = claims(&["admin"], "eve");
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        }
    }
    claims
}

/// Tokens that no service may believe, each with what is wrong with it.
fn forged() -> Vec<(String, String)> {
    [signed_otherwise(), with_wrong_claims(), broken()].concat()
}

fn signed_otherwise() -> Vec<(String, String)> {
    let secret = JWT_SECRET.as_bytes();
    let good = token(&["admin"], "eve", json!({}));
    let (_, signature) = good.rsplit_once('.').unwrap();
    let mut all = Vec::new();
    let mut add = |what: String, token: String| all.push((what, token));
    for alg in
        ["none", "None", "NONE", "nOnE", "", "HS256 ", "hs256", "HS384", "HS512", "RS256", "ES256", "EdDSA", "PS256"]
    {
        let header = json!({ "alg": alg, "typ": "JWT" });
        add(format!("alg `{alg}`, signed"), sign(&header, &but(&json!({})), secret));
        add(format!("alg `{alg}`, not signed"), format!("{}.", unsigned(&header, &but(&json!({})))));
        add(format!("alg `{alg}`, without a third part"), unsigned(&header, &but(&json!({}))));
        add(
            format!("alg `{alg}`, another's signature"),
            format!("{}.{signature}", unsigned(&header, &but(&json!({})))),
        );
    }
    for (what, header) in [
        ("no alg", json!({ "typ": "JWT" })),
        ("alg a list", json!({ "alg": ["HS256", "none"] })),
        ("alg null", json!({ "alg": null })),
        ("an own key", json!({ "alg": "ES256", "jwk": { "kty": "oct", "k": "AAAA" } })),
        ("crit", json!({ "alg": "HS256", "crit": ["x"], "x": 1 })),
    ] {
        add(what.into(), sign(&header, &but(&json!({})), secret));
    }
    for wrong in
        [&b""[..], b"secret", b"a secret of the tests, of more than 32 byteS", ISSUER.as_bytes(), &secret[..31]]
    {
        add(format!("secret {wrong:?}"), sign(&header(), &but(&json!({})), wrong));
    }
    all
}

fn with_wrong_claims() -> Vec<(String, String)> {
    let now = claims(&["admin"], "eve")["iat"].as_i64().unwrap();
    let changes = [
        json!({ "exp": now - 60 }),
        json!({ "exp": 0 }),
        json!({ "exp": -1 }),
        json!({ "exp": null }),
        json!({ "exp": "never" }),
        json!({ "exp": [now + 600] }),
        json!({ "exp": (now + 600).to_string() }),
        json!({ "exp": true }),
        json!({ "nbf": now + 120 }),
        json!({ "nbf": "soon" }),
        json!({ "iss": null }),
        json!({ "iss": "https://evil.example" }),
        json!({ "iss": format!("{ISSUER}/") }),
        json!({ "iss": "" }),
        json!({ "iss": { "$ne": null } }),
        json!({ "aud": null }),
        json!({ "aud": "other" }),
        json!({ "aud": ["other"] }),
        json!({ "aud": [] }),
        json!({ "aud": "" }),
        json!({ "aud": { "$ne": null } }),
        json!({ "aud": AUDIENCE.to_uppercase() }),
        json!({ "sub": { "$ne": null } }),
    ];
    let token = |changes: Value| (changes.to_string(), sign(&header(), &but(&changes), JWT_SECRET.as_bytes()));
    changes.into_iter().map(token).collect()
}

fn broken() -> Vec<(String, String)> {
    let good = token(&["admin"], "eve", json!({}));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (head, payload) = signed.split_once('.').unwrap();
    let other = token(&["admin"], "mallory", json!({}));
    let other = other.split('.').nth(1).unwrap();
    let texts = [
        format!("{head}.{other}.{signature}"),
        format!("{head}.{payload}"),
        format!("{head}.{payload}."),
        format!("{head}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{good}."),
        format!("{good}.{signature}"),
        format!("{good}A"),
        format!("{good}="),
        format!("{head}.{payload}.{}", "A".repeat(43)),
        good[..good.len() - 2].to_owned(),
        "..".into(),
        "...".into(),
        "a.b.c".into(),
        "e30.e30.".into(),
        "null".into(),
        "undefined".into(),
        "{}".into(),
        "%00".into(),
        "A".repeat(10_000),
        "folio_".into(),
        "folio__".into(),
        format!("folio_{}_{}", "0".repeat(8), "0".repeat(43)),
    ];
    texts.into_iter().map(|text| (text.chars().take(80).collect(), text)).collect()
}

async fn is_refused(caller: &Client, what: &str) {
    for (method, path) in
        [(Method::GET, "/v1"), (Method::GET, "/v1/notes"), (Method::DELETE, "/v1/notes/1"), (Method::GET, "/nothing")]
    {
        let answer = caller.send(method.clone(), path, &[], "").await;
        assert_eq!(answer.status, 401, "{what}: {method} {path}: {answer:?}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{what}: {answer:?}");
        let shown = ["hunter2", JWT_SECRET, "eve", "mallory"].into_iter().find(|text| answer.text.contains(text));
        assert_eq!(shown, None, "{what}: {answer:?}");
    }
}

#[tokio::test]
async fn row_18_forged_tokens_are_refused() {
    let api = desk().await;
    api.with(token(&["admin"], "eve", json!({}))).get("/v1/notes").await.ok(200);
    for (what, token) in forged() {
        is_refused(&api.with(&token), &what).await;
    }
    // A wrong credential is never nobody, also where nobody may do everything.
    let database = database().await;
    let mut settings = database.closed();
    settings.serving.open = database.settings().serving.open;
    let open = Api::start_with(catalog(&[("notes", json!({ "type": "object" }))]), database, settings).await;
    open.get("/v1/notes").await.ok(200);
    for (what, token) in forged().into_iter().step_by(5) {
        is_refused(&open.with(token), &what).await;
    }
}

/// Where tokens are signed for a public key, its text is no secret to sign them with.
#[tokio::test]
async fn row_18_public_keys_are_no_secrets() {
    // The first key of RFC 8032, section 7.1.
    const KEY: &str = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{KEY}\n-----END PUBLIC KEY-----\n");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key.pem");
    std::fs::write(&file, &pem).unwrap();
    let database = database().await;
    let mut settings = database.closed();
    settings.serving.tokens = Tokens { jwt_keys: Some(file), jwt_secret: None, ..settings.serving.tokens };
    let api = Api::start_with(catalog(&[("notes", json!({ "type": "object" }))]), database, settings).await;
    let der = STANDARD.decode(KEY).unwrap();
    for secret in [pem.as_bytes(), pem.trim_end().as_bytes(), KEY.as_bytes(), &der, &der[12..], b""] {
        for alg in ["HS256", "HS384", "HS512", "EdDSA", "none"] {
            for header in
                [json!({ "alg": alg }), json!({ "alg": alg, "kid": "" }), json!({ "alg": alg, "kid": "../key.pem" })]
            {
                let token = sign(&header, &but(&json!({})), secret);
                is_refused(&api.with(token), &format!("{header} with {secret:?}")).await;
            }
        }
    }
}

#[tokio::test]
async fn row_18_odd_headers_are_refused() {
    let api = desk().await;
    let key = api.database.key(&["admin"]).await;
    while api.with(&key).get("/v1/notes").await.status != 200 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let token = token(&["admin"], "eve", json!({}));
    let (bearer, basic) = (format!("Bearer {token}"), format!("Basic {token}"));
    let key_bearer = format!("Bearer {key}");
    for headers in [
        vec![("authorization", basic.as_str())],
        vec![("authorization", token.as_str())],
        vec![("authorization", "Bearer")],
        vec![("authorization", "Bearer ")],
        vec![("authorization", "")],
        vec![("x-api-key", "")],
        vec![("x-api-key", token.as_str())],
        vec![("x-api-key", key_bearer.as_str())],
        vec![("authorization", bearer.as_str()), ("authorization", bearer.as_str())],
        vec![("authorization", bearer.as_str()), ("x-api-key", key.as_str())],
        vec![("x-api-key", key.as_str()), ("x-api-key", key.as_str())],
        vec![("cookie", bearer.as_str())],
        vec![("proxy-authorization", bearer.as_str())],
    ] {
        let answer = api.send(Method::GET, "/v1/notes", &headers, "").await;
        assert_eq!(answer.status, 401, "{headers:?}: {answer:?}");
    }
    for query in
        [format!("access_token={token}"), format!("token={token}"), format!("api_key={key}"), format!("key={key}")]
    {
        assert_eq!(api.get(&format!("/v1/notes?{query}")).await.status, 401, "{query}");
    }
    for headers in
        [[("authorization", bearer.as_str())], [("authorization", key_bearer.as_str())], [("x-api-key", key.as_str())]]
    {
        api.send(Method::GET, "/v1/notes", &headers, "").await.ok(200);
    }
}

#[tokio::test]
async fn row_18_keys_are_whole_and_current() {
    let api = desk().await;
    let grant = |expires| Grant { name: "a test".into(), roles: vec!["admin".into()], expires, ..Grant::default() };
    let expired =
        api.database.key_with(grant(Some(DateTime::from_millis(DateTime::now().timestamp_millis() - 1000)))).await;
    let key = api.database.key_with(grant(None)).await;
    while api.with(&key).get("/v1/notes").await.status != 200 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    is_refused(&api.with(&expired), "an expired key").await;
    let (prefix, secret) = key.rsplit_once('_').unwrap();
    let other = if secret.ends_with('A') { "B" } else { "A" };
    for wrong in [
        format!("{prefix}_{}{other}", &secret[..secret.len() - 1]),
        format!("{prefix}_"),
        prefix.to_owned(),
        format!("{key}A"),
        key[..key.len() - 1].to_owned(),
        key.to_uppercase(),
        format!("{prefix}_{}", secret.chars().rev().collect::<String>()),
        format!("{}_{secret}", prefix.replace("folio_", "folio_0")),
    ] {
        is_refused(&api.with(&wrong), &wrong).await;
    }
    // What is stored is no key.
    let kept = api
        .database
        .db
        .collection::<bson::Document>("_folio")
        .find_one(doc! { "hash": { "$exists": true } })
        .await
        .unwrap();
    if let Some(hash) = kept.as_ref().and_then(|kept| kept.get_str("hash").ok()) {
        assert!(!hash.contains(secret));
        is_refused(&api.with(format!("{prefix}_{hash}")), "the stored hash").await;
    }
}
