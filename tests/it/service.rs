//! The service around the documents: health, metrics, problems, who is served.

use folio::{config::Serving, problem};
use reqwest::Method;
use serde_json::json;

use crate::support::{Api, catalog, database};

#[tokio::test]
async fn lists_its_collections() {
    let api = Api::library().await;
    let list = api.get("/v1").await.ok(200);
    let names: Vec<_> = list["collections"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["authors", "books", "loans", "members"]);
    let books = &list["collections"][1];
    assert_eq!((&books["count"], &books["links"]["documents"]), (&json!(0), &json!("/v1/books")));
    assert!(books["description"].is_string());
}

#[tokio::test]
async fn shows_the_schema_of_its_json() {
    let api = Api::library().await;
    let schema = api.get("/v1/books/_schema").await;
    assert_eq!(schema.header("content-type"), "application/schema+json");
    let schema = schema.ok(200);
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["properties"]["author"]["type"], "string");
    assert!(!schema.to_string().contains("bsonType"));
}

#[tokio::test]
async fn tells_whether_it_lives_and_can_serve() {
    let api = Api::things(json!({ "type": "object" })).await;
    assert_eq!(api.get("/healthz").await.text, "ok\n");
    assert_eq!(api.get("/readyz").await.text, "ready\n");
    api.send(Method::POST, "/healthz", &[], "").await.problem(405, "method-not-allowed");
}

#[tokio::test]
async fn counts_requests_and_connections() {
    let api = Api::things(json!({ "type": "object" })).await;
    api.get("/v1/things").await.ok(200);
    api.get("/v1/things/made-up-by-a-client").await.problem(400, "invalid-query");
    let metrics = api.get("/metrics").await.text;
    for line in [
        r#"folio_http_requests_total{method="GET",route="/v1/{collection}",status="200"} 1"#,
        r#"folio_http_request_duration_seconds_count{method="GET",route="/v1/{collection}",status="200"} 1"#,
        "folio_mongodb_pool_max 64",
        "folio_mongodb_pool_waiting 0",
    ] {
        assert!(metrics.lines().any(|l| l == line), "no `{line}` in\n{metrics}");
    }
    let figure = |name: &str| -> f64 {
        let line =
            metrics.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_else(|| panic!("no {name}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(figure("folio_mongodb_pool_open") >= 1.0);
    assert!(figure("folio_mongodb_pool_checkouts_total") >= 2.0);
    assert!(figure("folio_mongodb_pool_wait_seconds_total") >= 0.0);
    assert!(!metrics.contains("made-up"), "clients must not make up label values");
}

#[tokio::test]
async fn explains_every_kind_of_problem() {
    let api = Api::things(json!({ "type": "object" })).await;
    for problem in problem::ALL {
        let path = format!("/problems/{}", problem.slug);
        let text = api.get(&path).await;
        assert!(text.text.starts_with(problem.title) && text.text.contains(problem.remedy), "{}", text.text);
        let page = api.send(Method::GET, &path, &[("accept", "text/html,*/*;q=0.8")], "").await;
        assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
        assert!(page.text.contains(problem.title));
    }
    api.get("/problems/none-such").await.problem(404, "no-route");
}

#[tokio::test]
async fn gives_every_request_an_id() {
    let api = Api::things(json!({ "type": "object" })).await;
    assert_eq!(api.get("/v1").await.header("x-request-id").len(), 32);
    let given = api.send(Method::GET, "/v1", &[("x-request-id", "from-the.proxy_1")], "").await;
    assert_eq!(given.header("x-request-id"), "from-the.proxy_1");
    let forged = api.send(Method::GET, "/v1", &[("x-request-id", "a b\" c=d")], "").await;
    assert_eq!(forged.header("x-request-id").len(), 32);
    assert_eq!(forged.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn without_open_only_health_and_metrics_are_served() {
    let database = database().await;
    let mut settings = database.settings();
    settings.serving = Serving::default();
    let api = Api::start_with(catalog(&[("books", json!({ "type": "object" }))]), database, settings).await;
    for (method, path) in [
        (Method::GET, "/v1"),
        (Method::GET, "/v1/books"),
        (Method::GET, "/v1/books/_schema"),
        (Method::POST, "/v1/books"),
        (Method::PUT, "/v1/books/6650f0000000000000000001"),
        (Method::DELETE, "/v1/books/6650f0000000000000000001"),
        (Method::GET, "/v1/none-such"),
        (Method::GET, "/none-such"),
        (Method::TRACE, "/v1"),
    ] {
        let answer = api.send(method.clone(), path, &[("content-type", "application/json")], "{}").await;
        answer.problem(401, "unauthenticated");
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(api.get(path).await.status, 200, "{path}");
    }
    assert_eq!(api.count("books").await, 0);
}

#[tokio::test]
async fn instances_agree_on_entity_tags() {
    let file = json!({ "type": "object" });
    let one = Api::things(file.clone()).await;
    let made = one.post("/v1/things", json!({ "a": 1 })).await;
    let path = made.header("location");
    let again = crate::support::TestDatabase {
        uri: one.database.uri.clone(),
        name: one.database.name.clone(),
        db: one.database.db.clone(),
    };
    let settings = again.settings();
    let other = Api::start_with(catalog(&[("things", file)]), again, settings).await;
    assert_eq!(other.get(path).await.header("etag"), made.header("etag"));
}
