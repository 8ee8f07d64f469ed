//! Tokens: only what the configured issuer signed for this service, by the configured algorithm, for now.

use std::{fs, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use folio::config::{Algorithm, Tokens};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    closed,
    issuers::{ALGORITHMS, Issuer, RSA_PEM},
    refused, things,
};
use crate::support::{AUDIENCE, Answer, Api, ISSUER, JWT_SECRET, claims, database, sign, tokens};

/// A service that believes these tokens.
async fn believing(tokens: Tokens) -> Api {
    let database = database().await;
    let mut settings = database.closed();
    settings.serving.tokens = tokens;
    Api::start_with(things(), database, settings).await
}

/// The settings for public keys in a file with this text, and the file.
fn keys(text: &str, algorithm: Option<Algorithm>) -> (Tokens, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    let settings =
        Tokens { jwt_secret: None, jwt_keys: Some(file.path().to_owned()), jwt_algorithm: algorithm, ..tokens() };
    (settings, file)
}

fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

fn algorithm(name: &str) -> Algorithm {
    <Algorithm as clap::ValueEnum>::from_str(name, false).unwrap()
}

async fn read(api: &Api, token: &str) -> Answer {
    api.with(token).get("/v1/things").await
}

fn now() -> i64 {
    time::OffsetDateTime::now_utc().unix_timestamp()
}

/// A good token with some claims changed; `null` takes one out.
fn altered(changes: &Value) -> String {
    let mut claims = claims(&["admin"], "ann");
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    sign(&json!({ "alg": "HS256" }), &claims, JWT_SECRET.as_bytes())
}

#[tokio::test]
async fn each_algorithm_is_taken_from_its_own_key_alone() {
    let good = claims(&["admin"], "ann");
    for name in ALGORITHMS {
        let issuer = Issuer::of(name);
        let (by_pem, _pem) = keys(&issuer.pem(), Some(algorithm(name)));
        let (by_set, _set) = keys(&set(&[issuer.jwk(json!({ "kid": "a", "alg": name }))]), None);
        for settings in [by_pem, by_set] {
            let api = believing(settings).await;
            read(&api, &issuer.token(&good)).await.ok(200);
            for other in ALGORITHMS.into_iter().filter(|other| *other != name) {
                let other = Issuer::of(other);
                refused(&read(&api, &other.token(&good)).await, "another algorithm");
                // Signed by another way than it says, with the same key where both are RSA.
                refused(&read(&api, &other.sign(&json!({ "alg": name }), &good)).await, "signature is wrong");
            }
        }
    }
}

#[tokio::test]
async fn another_key_of_the_same_algorithm_is_refused() {
    let good = claims(&["admin"], "ann");
    for name in ["ES256", "ES384", "EdDSA"] {
        let (settings, _file) = keys(&Issuer::of(name).pem(), None);
        let api = believing(settings).await;
        refused(&read(&api, &Issuer::of(name).token(&good)).await, "signature is wrong");
    }
    let api = closed().await;
    let other = sign(&json!({ "alg": "HS256" }), &good, b"another secret of more than 32 bytes");
    refused(&read(&api, &other).await, "signature is wrong");
}

#[tokio::test]
async fn a_token_cannot_choose_how_it_is_checked() {
    let good = claims(&["admin"], "ann");
    let api = closed().await;
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    for name in ["none", "None", "NONE", "nOnE", ""] {
        let header = json!({ "alg": name });
        refused(&read(&api, &format!("{}.{}.", part(&header), part(&good))).await, "can be read");
        refused(&read(&api, &sign(&header, &good, JWT_SECRET.as_bytes())).await, "can be read");
    }
    for name in ["HS384", "HS512", "RS256", "EdDSA"] {
        refused(&read(&api, &sign(&json!({ "alg": name }), &good, JWT_SECRET.as_bytes())).await, "another algorithm");
    }
    // The public key as the secret of a symmetric algorithm.
    let issuer = Issuer::of("RS256");
    for (text, name) in
        [(RSA_PEM.to_owned(), Some(algorithm("RS256"))), (set(&[issuer.jwk(json!({ "alg": "RS256" }))]), None)]
    {
        let (settings, _file) = keys(&text, name);
        let api = believing(settings).await;
        read(&api, &issuer.token(&good)).await.ok(200);
        let der = pem_bytes(RSA_PEM);
        for secret in [RSA_PEM.as_bytes(), RSA_PEM.trim().as_bytes(), &der, &der[24..], text.as_bytes(), b""] {
            refused(&read(&api, &sign(&json!({ "alg": "HS256" }), &good, secret)).await, "another algorithm");
            refused(&read(&api, &sign(&json!({ "alg": "RS256" }), &good, secret)).await, "signature is wrong");
        }
    }
}

fn pem_bytes(pem: &str) -> Vec<u8> {
    let text: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

#[tokio::test]
async fn keys_in_a_header_are_not_believed() {
    let mine = Issuer::of("ES256");
    let api = closed().await;
    let header = json!({ "alg": "ES256", "jwk": mine.jwk(json!({})), "jku": "http://127.0.0.1:1/keys", "x5u": "http://127.0.0.1:1/" });
    refused(&read(&api, &mine.sign(&header, &claims(&["admin"], "ann"))).await, "another algorithm");
    let (settings, _file) = keys(&Issuer::of("ES256").pem(), None);
    let api = believing(settings).await;
    refused(&read(&api, &mine.sign(&header, &claims(&["admin"], "ann"))).await, "signature is wrong");
}

#[tokio::test]
async fn extensions_that_must_be_understood_are_refused() {
    let api = closed().await;
    let header = json!({ "alg": "HS256", "crit": ["b64"], "b64": false });
    let token = sign(&header, &claims(&["admin"], "ann"), JWT_SECRET.as_bytes());
    refused(&read(&api, &token).await, "`crit`");
}

#[tokio::test]
async fn a_token_that_was_changed_is_refused() {
    let api = closed().await;
    let token = altered(&json!({}));
    read(&api, &token).await.ok(200);
    let parts: Vec<_> = token.split('.').collect();
    let payload = URL_SAFE_NO_PAD.encode(claims(&["admin", "other"], "ann").to_string());
    refused(&read(&api, &format!("{}.{payload}.{}", parts[0], parts[2])).await, "signature is wrong");
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","x":1}"#);
    refused(&read(&api, &format!("{header}.{}.{}", parts[1], parts[2])).await, "signature is wrong");
    refused(&read(&api, &format!("{}.{}.{}", parts[0], parts[1], &parts[2][..40])).await, "");
    refused(&read(&api, &format!("{}.{}.", parts[0], parts[1])).await, "signature is wrong");
    for text in ["", ".", "..", "...", "a.b", "a.b.c", "a.b.c.d", &format!("{token}.x"), &format!("{token}="), parts[1]]
    {
        if !text.is_empty() {
            refused(&read(&api, text).await, "");
        }
    }
    refused(&read(&api, &format!("{token}{}", "x".repeat(20_000))).await, "too long");
}

#[tokio::test]
async fn time_is_checked_with_a_little_leeway() {
    let api = closed().await;
    for (changes, why) in [
        (json!({ "exp": now() - 10 }), None),
        (json!({ "exp": now() - 40 }), Some("expired")),
        (json!({ "exp": 1 }), Some("expired")),
        (json!({ "exp": 0 }), Some("expired")),
        (json!({ "exp": null }), Some("lacks `exp`")),
        (json!({ "exp": "2999-01-01" }), Some("the token")),
        (json!({ "exp": (now() + 600).to_string() }), Some("the token")),
        (json!({ "exp": -1 }), Some("the token")),
        (json!({ "exp": 1e300 }), Some("the token")),
        (json!({ "exp": [now() + 600] }), Some("the token")),
        (json!({ "exp": { "$gt": 0 } }), Some("the token")),
        (json!({ "exp": 4_000_000_000.5 }), None),
        (json!({ "nbf": now() - 600 }), None),
        (json!({ "nbf": now() + 10 }), None),
        (json!({ "nbf": now() + 60 }), Some("not valid yet")),
        (json!({ "nbf": u64::MAX }), Some("not valid yet")),
        (json!({ "nbf": "soon" }), Some("the token")),
        (json!({ "nbf": {} }), Some("the token")),
        (json!({ "nbf": null }), None),
    ] {
        let answer = read(&api, &altered(&changes)).await;
        match why {
            None => assert_eq!(answer.status, 200, "{changes}: {}", answer.text),
            Some(why) => drop(refused(&answer, why)),
        }
    }
    let strict = believing(Tokens { jwt_leeway: 0, ..tokens() }).await;
    refused(&read(&strict, &altered(&json!({ "exp": now() - 2 }))).await, "expired");
}

#[tokio::test]
async fn a_token_ceases_to_be_good_while_it_is_in_use() {
    let api = believing(Tokens { jwt_leeway: 0, ..tokens() }).await;
    let token = altered(&json!({ "exp": now() + 2 }));
    read(&api, &token).await.ok(200);
    sleep(Duration::from_millis(3500)).await;
    refused(&read(&api, &token).await, "expired");
}

#[tokio::test]
async fn only_the_issuer_s_tokens_for_this_audience_are_taken() {
    let api = closed().await;
    for (changes, why) in [
        (json!({ "iss": "https://other.test" }), Some("another issuer")),
        (json!({ "iss": format!("{ISSUER}/") }), Some("another issuer")),
        (json!({ "iss": "" }), Some("another issuer")),
        (json!({ "iss": null }), Some("lacks")),
        (json!({ "iss": [ISSUER, "https://other.test"] }), Some("another issuer")),
        (json!({ "iss": 7 }), Some("the token")),
        (json!({ "aud": "other" }), Some("another audience")),
        (json!({ "aud": "" }), Some("another audience")),
        (json!({ "aud": null }), Some("lacks")),
        (json!({ "aud": [] }), Some("another audience")),
        (json!({ "aud": ["other"] }), Some("another audience")),
        (json!({ "aud": ["other", AUDIENCE] }), None),
        (json!({ "aud": [AUDIENCE] }), None),
        (json!({ "aud": { AUDIENCE: true } }), Some("the token")),
        (json!({ "sub": null }), Some("lacks")),
        (json!({ "sub": "" }), Some("`sub`")),
        (json!({ "sub": 7 }), Some("the token")),
        (json!({ "sub": { "$ne": 1 } }), Some("the token")),
    ] {
        let answer = read(&api, &altered(&changes)).await;
        match why {
            None => assert_eq!(answer.status, 200, "{changes}: {}", answer.text),
            Some(why) => drop(refused(&answer, why)),
        }
    }
}

#[tokio::test]
async fn roles_are_where_the_settings_say() {
    for (path, claim) in [
        ("roles", json!({ "roles": ["other", "admin"] })),
        ("roles", json!({ "roles": "other admin" })),
        ("scope", json!({ "scope": "other,admin" })),
        ("realm_access.roles", json!({ "realm_access": { "roles": ["admin"] } })),
        ("https://folio.test/roles", json!({ "https://folio.test/roles": ["admin"] })),
    ] {
        let api = believing(Tokens { jwt_roles_claim: path.into(), ..tokens() }).await;
        let mut changes = json!({ "roles": null });
        changes.as_object_mut().unwrap().extend(claim.as_object().unwrap().clone());
        read(&api, &altered(&changes)).await.ok(200);
        read(&api, &altered(&json!({ "roles": null }))).await.problem(403, "forbidden");
    }
    let api = closed().await;
    for roles in [json!([]), json!(["Admin"]), json!("admins"), json!({ "admin": true }), json!([["admin"]]), json!(7)]
    {
        read(&api, &altered(&json!({ "roles": roles }))).await.problem(403, "forbidden");
    }
}

#[tokio::test]
async fn the_key_of_a_set_is_chosen_by_its_name() {
    let (a, b, c) = (Issuer::of("ES256"), Issuer::of("EdDSA"), Issuer::of("RS256"));
    let good = claims(&["admin"], "ann");
    let all = [
        a.jwk(json!({ "kid": "a" })),
        b.jwk(json!({ "kid": "b", "use": "sig", "alg": "EdDSA" })),
        c.jwk(json!({ "kid": "c", "alg": "RS256" })),
        c.jwk(json!({ "kid": "encryption", "use": "enc", "alg": "RSA-OAEP" })),
        c.jwk(json!({ "kid": "other", "alg": "RSA-OAEP" })),
        json!({ "kty": "oct", "kid": "symmetric", "k": "c2VjcmV0", "alg": "HS256" }),
        json!({ "kty": "AKP", "kid": "future", "alg": "ML-DSA-44", "pub": "x" }),
    ];
    let (settings, _file) = keys(&set(&all), None);
    let api = believing(settings).await;
    for (issuer, name) in [(&a, "a"), (&b, "b"), (&c, "c")] {
        read(&api, &issuer.sign(&json!({ "alg": issuer.name(), "kid": name }), &good)).await.ok(200);
        refused(&read(&api, &issuer.token(&good)).await, "`kid`");
        for unknown in ["d", "A", "", "encryption", "other", "symmetric", "../a"] {
            let header = json!({ "alg": issuer.name(), "kid": unknown });
            refused(&read(&api, &issuer.sign(&header, &good)).await, "not known here (`kid`)");
        }
    }
    refused(&read(&api, &a.sign(&json!({ "alg": "ES256", "kid": "b" }), &good)).await, "another algorithm");
    refused(&read(&api, &a.sign(&json!({ "alg": "EdDSA", "kid": "b" }), &good)).await, "signature is wrong");
    let symmetric = sign(&json!({ "alg": "HS256", "kid": "symmetric" }), &good, b"secret");
    refused(&read(&api, &symmetric).await, "not known here");
    refused(&read(&api, &sign(&json!({ "alg": "HS256", "kid": "c" }), &good, RSA_PEM.as_bytes())).await, "algorithm");
}

#[tokio::test]
async fn a_configured_algorithm_goes_before_what_keys_say() {
    let (a, b) = (Issuer::of("ES256"), Issuer::of("EdDSA"));
    let good = claims(&["admin"], "ann");
    let text = set(&[a.jwk(json!({ "kid": "a" })), b.jwk(json!({ "kid": "b" }))]);
    let (settings, _file) = keys(&text, Some(Algorithm::EdDsa));
    let api = believing(settings).await;
    read(&api, &b.sign(&json!({ "alg": "EdDSA", "kid": "b" }), &good)).await.ok(200);
    refused(&read(&api, &a.sign(&json!({ "alg": "ES256", "kid": "a" }), &good)).await, "`kid`");
}

#[tokio::test]
async fn keys_are_read_again_when_their_file_changes() {
    let (old, new) = (Issuer::of("ES256"), Issuer::of("ES256"));
    let good = claims(&["admin"], "ann");
    let (settings, file) = keys(&old.pem(), None);
    let api = believing(settings).await;
    let status = async |issuer: &Issuer| read(&api, &issuer.token(&good)).await.status;
    let becomes = async |issuer: &Issuer, expected: u16| {
        let start = Instant::now();
        while status(issuer).await != expected {
            assert!(start.elapsed() < Duration::from_secs(5), "not {expected} in time");
            sleep(Duration::from_millis(50)).await;
        }
    };
    assert_eq!((status(&old).await, status(&new).await), (200, 401));
    for broken in ["", "-----BEGIN PUBLIC KEY-----", "{\"keys\":[]}"] {
        fs::write(file.path(), broken).unwrap();
        sleep(Duration::from_millis(1300)).await;
        assert_eq!((status(&old).await, status(&new).await), (200, 401), "{broken}");
    }
    fs::remove_file(file.path()).unwrap();
    sleep(Duration::from_millis(1300)).await;
    assert_eq!(status(&old).await, 200);
    fs::write(file.path(), new.pem()).unwrap();
    becomes(&new, 200).await;
    assert_eq!(status(&old).await, 401);
}
