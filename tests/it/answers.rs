//! Whole answers, as clients see them.

use reqwest::Method;

use crate::support::{Answer, Api};

/// Status, headers and body, without what differs from run to run.
fn shown(answer: &Answer) -> String {
    let mut headers: Vec<_> =
        answer.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    headers.retain(|(name, _)| !["date", "content-length"].contains(name));
    headers.sort_unstable();
    let id = answer.header("x-request-id").to_owned();
    let headers: Vec<_> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("{}\n{}\n\n{}", answer.status, headers.join("\n"), answer.text).replace(&id, "[request id]")
}

async fn author(api: &Api) -> Answer {
    let body = r#"{"_id":"6650f0000000000000000001","name":"Ursula K. Le Guin","born":1929,"country":"United States"}"#;
    api.post("/v1/authors", body).await
}

/// Times and entity tags differ from run to run.
fn redacted() -> insta::internals::SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "[time]");
    settings.add_filter(r#"\\?"[\w-]{22}\\?""#, "[etag]");
    settings.bind_to_scope()
}

#[tokio::test]
async fn documents() {
    let _redacted = redacted();
    let api = Api::library().await;
    insta::assert_snapshot!("inserted", shown(&author(&api).await));
    insta::assert_snapshot!("got", shown(&api.get("/v1/authors/6650f0000000000000000001").await));
    insta::assert_snapshot!(
        "listed",
        shown(&api.get("/v1/authors?country=United+States&sort=-born&fields=name").await)
    );
    insta::assert_snapshot!(
        "patched",
        shown(&api.patch("/v1/authors/6650f0000000000000000001", r#"{"died":2018}"#).await)
    );
    insta::assert_snapshot!("deleted", shown(&api.delete("/v1/authors/6650f0000000000000000001").await));
    insta::assert_snapshot!("collections", shown(&api.get("/v1").await));
}

#[tokio::test]
async fn problems() {
    let _redacted = redacted();
    let api = Api::library().await;
    author(&api).await;
    insta::assert_snapshot!("unknown_collection", shown(&api.get("/v1/author").await));
    insta::assert_snapshot!("unknown_field", shown(&api.get("/v1/authors?birth=1929").await));
    insta::assert_snapshot!("unknown_document", shown(&api.get("/v1/authors/6650f0000000000000000009").await));
    insta::assert_snapshot!("method_not_allowed", shown(&api.put("/v1/authors", "{}").await));
    insta::assert_snapshot!("malformed_body", shown(&api.post("/v1/authors", "{\n \"name\": }").await));
    insta::assert_snapshot!(
        "invalid_document",
        shown(&api.post("/v1/authors", r#"{"name":"","born":"1929","pen":"x"}"#).await)
    );
    insta::assert_snapshot!("duplicate", shown(&author(&api).await));
    insta::assert_snapshot!(
        "read_only",
        shown(&api.post("/v1/authors", r#"{"name":"A","createdAt":"2024-01-01T00:00:00Z"}"#).await)
    );
    let stale = [("if-match", "\"AAAAAAAAAAAAAAAAAAAAAA\"")];
    let refused = api.send(Method::DELETE, "/v1/authors/6650f0000000000000000001", &stale, "").await;
    insta::assert_snapshot!("precondition_failed", shown(&refused));
}
