//! What a start says of who is served, and what it refuses in the settings of tokens.

use folio::{
    App,
    config::{Algorithm, Tokens},
};
use serde_json::{Value, json};

use super::{
    issuers::{Issuer, RSA_PEM},
    secrets::Served,
    things,
};
use crate::support::{AUDIENCE, ISSUER, JWT_SECRET, database, tokens};

async fn refusal(tokens: Tokens) -> String {
    let mut settings = database().await.closed();
    settings.serving.tokens = tokens;
    App::start_with(things(), &settings).await.unwrap_err().to_string()
}

/// What is said of a file of keys with this text.
async fn refusal_of(text: &str, algorithm: Option<Algorithm>) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let jwt_keys = Some(file.path().to_owned());
    let message = refusal(Tokens { jwt_secret: None, jwt_keys, jwt_algorithm: algorithm, ..tokens() }).await;
    assert!(message.contains("`--jwt-keys`") || algorithm == Some(Algorithm::Hs256), "{message}");
    message
}

#[tokio::test]
async fn tokens_need_an_issuer_and_an_audience() {
    for (settings, flag) in [
        (Tokens { jwt_issuer: None, ..tokens() }, "`--jwt-issuer`"),
        (Tokens { jwt_issuer: Some(String::new()), ..tokens() }, "`--jwt-issuer`"),
        (Tokens { jwt_audience: None, ..tokens() }, "`--jwt-audience`"),
        (Tokens { jwt_secret: None, ..tokens() }, "`--jwt-secret` or `--jwt-keys`"),
    ] {
        let message = refusal(settings).await;
        assert!(message.contains(flag), "no {flag} in: {message}");
    }
}

#[tokio::test]
async fn a_secret_is_long_and_for_its_algorithm() {
    let short = refusal(Tokens { jwt_secret: Some("hunter2".into()), ..tokens() }).await;
    assert!(short.contains("shorter than 32 bytes") && !short.contains("hunter2"), "{short}");
    let other = refusal(Tokens { jwt_algorithm: Some(Algorithm::Rs256), ..tokens() }).await;
    assert!(other.contains("HS256 alone"), "{other}");
    let both = refusal(Tokens { jwt_keys: Some("keys.pem".into()), ..tokens() }).await;
    assert!(both.contains("cannot both be"), "{both}");
    let public = refusal_of(RSA_PEM, Some(Algorithm::Hs256)).await;
    assert!(public.contains("HS256 needs a secret"), "{public}");
}

#[tokio::test]
async fn keys_that_cannot_be_used_are_refused_with_the_reason() {
    let issuer = Issuer::of("ES256");
    let private = "-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----\n";
    let certificate = issuer.pem().replace("PUBLIC KEY", "CERTIFICATE");
    let set = |keys: &[Value]| json!({ "keys": keys }).to_string();
    let rsa = Issuer::of("RS256");
    let (mut short, mut odd) = (rsa.jwk(json!({})), issuer.jwk(json!({})));
    (short["n"], odd["x"]) = (json!("AQAB"), json!("AQAB"));
    for (text, algorithm, why) in [
        ("", None, "expected one public key as PEM"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", None, "no RSA, EC or Ed25519 public key"),
        (private, None, "private key"),
        (&certificate, None, "expected one public key"),
        (&format!("{RSA_PEM}{RSA_PEM}"), Some(Algorithm::Rs256), "expected one public key"),
        (RSA_PEM, None, "choose one with `--jwt-algorithm`, of RS256, RS384, RS512, PS256"),
        (RSA_PEM, Some(Algorithm::Es256), "not for ES256"),
        (&issuer.pem(), Some(Algorithm::Es384), "not for ES384"),
        ("{", None, "line 1"),
        ("{}", None, "no JSON Web Key Set"),
        (&set(&[]), None, "no keys in it"),
        (&set(&[rsa.jwk(json!({}))]), None, "choose one with `--jwt-algorithm`"),
        (&set(&[rsa.jwk(json!({ "alg": "RS512" }))]), Some(Algorithm::Rs256), "for RS512"),
        (&set(&[rsa.jwk(json!({ "alg": "ES256" }))]), None, "not for ES256"),
        (&set(&[rsa.jwk(json!({ "alg": "HS256" }))]), None, "not for HS256"),
        (&set(&[issuer.jwk(json!({ "use": "enc" }))]), None, "not for signatures"),
        (&set(&[json!({ "kty": "oct", "k": "c2VjcmV0" })]), None, "no RSA, EC or Ed25519"),
        (&set(&[short]), Some(Algorithm::Rs256), "less than 2048 bits"),
        (&set(&[odd]), None, "coordinates"),
        (
            &set(&[issuer.jwk(json!({ "kid": "a" })), issuer.jwk(json!({ "kid": "a" }))]),
            None,
            "`/keys/1` has the `kid`",
        ),
    ] {
        let message = refusal_of(text, algorithm).await;
        assert!(message.contains(why), "not `{why}`: {message}");
    }
    let missing = refusal(Tokens { jwt_secret: None, jwt_keys: Some("no/such/file".into()), ..tokens() }).await;
    assert!(missing.contains("`no/such/file`"), "{missing}");
}

#[tokio::test]
async fn a_service_that_nobody_can_use_says_how_to_make_the_first_key() {
    let database = database().await;
    let plain = tempfile::tempdir().unwrap();
    std::fs::write(plain.path().join("things.json"), r#"{"type":"object"}"#).unwrap();
    let public = tempfile::tempdir().unwrap();
    std::fs::write(public.path().join("things.json"), r#"{"type":"object","x-access":{"anonymous":["read"]}}"#)
        .unwrap();
    let log = |schemas: &std::path::Path, more: &[(&str, &str)]| {
        let right = [("FOLIO_MONGODB", database.uri.as_str()), ("FOLIO_DATABASE", &database.name)];
        Served::on(schemas, &[&right, more].concat()).stop()
    };
    let command = "make the first key with `folio keys add --role admin --name \"first key\"";
    let alone = log(plain.path(), &[]);
    assert!(alone.contains(command) && alone.contains(&format!("--database '{}'", database.name)), "{alone}");
    assert!(alone.contains("callers are known by API keys") && alone.contains("`--jwt-secret`"), "{alone}");
    assert!(
        alone.contains(&format!("--schemas '{}'", plain.path().display())) && alone.contains("--mongodb …"),
        "{alone}"
    );
    let tokens = [("FOLIO_JWT_SECRET", JWT_SECRET), ("FOLIO_JWT_ISSUER", ISSUER), ("FOLIO_JWT_AUDIENCE", AUDIENCE)];
    let with_tokens = log(plain.path(), &tokens);
    assert!(!with_tokens.contains(command) && with_tokens.contains(&format!("by tokens of {ISSUER}")), "{with_tokens}");
    let open = log(plain.path(), &[("FOLIO_OPEN", "loopback")]);
    assert!(!open.contains(command) && open.contains("open: whoever reaches"), "{open}");
    assert!(!log(public.path(), &[]).contains(command));
    // A role that no file has may do nothing.
    let clerks = tempfile::tempdir().unwrap();
    std::fs::write(clerks.path().join("things.json"), r#"{"type":"object","x-access":{"clerk":["*"]}}"#).unwrap();
    assert!(log(clerks.path(), &[]).contains("`folio keys add --role clerk --name"));
    database.key(&["admin"]).await;
    assert!(!log(plain.path(), &[]).contains(command));
}
