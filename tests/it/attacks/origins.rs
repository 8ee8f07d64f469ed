//! Row 21: pages of other origins.

use folio::{Settings, config::Origin};
use reqwest::Method;

use super::{JSON, things};
use crate::support::{Answer, Api, catalog, database};

const OURS: &str = "https://app.example.org";
const THEIRS: [&str; 11] = [
    "https://evil.example",
    "http://app.example.org",
    "https://app.example.org.evil.example",
    "https://evilapp.example.org",
    "https://app.example.org:444",
    "https://app.example.org/",
    "https://APP.example.org",
    "https://sub.app.example.org",
    "https://app.example.org https://evil.example",
    "null",
    "*",
];

async fn shared(origins: &[&str], is_open: bool) -> Api {
    let database = database().await;
    let mut settings: Settings = database.settings();
    settings.serving.cors_origin = origins.iter().map(|origin| origin.parse().unwrap()).collect();
    if !is_open {
        settings.serving.open = None;
    }
    Api::start_with(catalog(&[("things", things())]), database, settings).await
}

async fn preflight(api: &Api, path: &str, origin: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "PATCH"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    api.send(Method::OPTIONS, path, &headers, "").await
}

/// Requests of every kind, from a page of `origin`.
async fn requests(api: &Api, origin: &str) -> Vec<Answer> {
    let headers = [("origin", origin), JSON];
    let mut answers = Vec::new();
    for (method, path, body) in [
        (Method::GET, "/v1", ""),
        (Method::GET, "/v1/things?count=1", ""),
        (Method::HEAD, "/v1/things", ""),
        (Method::GET, "/v1/things?count=x", ""),
        (Method::GET, "/v1/things/6650f0000000000000000001", ""),
        (Method::POST, "/v1/things", "{}"),
        (Method::POST, "/v1/things", "{"),
        (Method::POST, "/v1/things/_query", "{}"),
        (Method::PUT, "/v1/things", ""),
        (Method::GET, "/nothing", ""),
        (Method::GET, "/problems/internal", ""),
        (Method::GET, "/healthz", ""),
        (Method::GET, "/metrics", ""),
    ] {
        answers.push(api.send(method, path, &headers, body).await);
    }
    answers
}

fn names_no_origin(answer: &Answer) {
    for name in ["access-control-allow-origin", "access-control-allow-credentials"] {
        assert!(!answer.headers.contains_key(name), "{answer:?}");
    }
}

fn varies_by_origin(answer: &Answer) -> bool {
    let mut names = answer.headers.get_all("vary").iter().flat_map(|value| value.to_str().unwrap().split(", "));
    names.any(|name| name.eq_ignore_ascii_case("origin"))
}

#[tokio::test]
async fn row_21_no_origin_may_read_unless_it_is_configured() {
    let api = shared(&[], true).await;
    for origin in [OURS].into_iter().chain(THEIRS) {
        let preflight = preflight(&api, "/v1/things", origin).await;
        preflight.problem(405, "method-not-allowed");
        for answer in requests(&api, origin).await.iter().chain([&preflight]) {
            let cors = answer.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
            assert_eq!(cors, None, "{origin}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn row_21_only_configured_origins_may_read() {
    for is_open in [true, false] {
        let api = shared(&[OURS, "http://localhost:5173"], is_open).await;
        for origin in THEIRS {
            names_no_origin(&preflight(&api, "/v1/things", origin).await);
            requests(&api, origin).await.iter().for_each(names_no_origin);
        }
        for origin in [OURS, "http://localhost:5173"] {
            let preflight = preflight(&api, "/v1/things/6650f0000000000000000001", origin).await;
            assert_eq!((preflight.status, preflight.text.as_str()), (200, ""), "{preflight:?}");
            for (header, names) in [
                ("access-control-allow-methods", &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"][..]),
                (
                    "access-control-allow-headers",
                    &["authorization", "content-type", "if-match", "if-none-match", "x-api-key", "request-timeout"],
                ),
            ] {
                let given: Vec<_> = preflight.header(header).split(',').collect();
                assert!(names.iter().all(|name| given.contains(name)) && !given.contains(&"*"), "{preflight:?}");
            }
            assert_eq!(preflight.header("access-control-max-age"), "7200");
            let answers = requests(&api, origin).await;
            assert_eq!(answers[0].status, if is_open { 200 } else { 401 }, "refusals are for the page to read, too");
            for answer in answers.iter().chain([&preflight]) {
                assert_eq!(answer.header("access-control-allow-origin"), origin);
                assert!(!answer.headers.contains_key("access-control-allow-credentials"), "{answer:?}");
                assert!(varies_by_origin(answer), "{answer:?}");
                assert_eq!(answer.header("x-content-type-options"), "nosniff");
                assert_eq!(answer.header("x-request-id").len(), 32);
            }
            let exposed = answers[1].header("access-control-expose-headers");
            assert!(
                ["etag", "location", "link", "x-request-id"].iter().all(|name| exposed.contains(name)),
                "{exposed}"
            );
        }
        // Who does not say where it comes from is told nothing, and caches know that others may be told more.
        let answer = api.get("/v1").await;
        names_no_origin(&answer);
        assert!(varies_by_origin(&answer), "{answer:?}");
    }
}

/// What a browser sends without asking first, a page of any origin can send.
#[tokio::test]
async fn row_21_simple_requests_write_nothing() {
    for origins in [&[][..], &[OURS]] {
        let api = shared(origins, true).await;
        for media_type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""] {
            for origin in [OURS, THEIRS[0]] {
                let headers = [("origin", origin), ("content-type", media_type)];
                let headers = if media_type.is_empty() { &headers[..1] } else { &headers[..] };
                for path in ["/v1/things", "/v1/things/_query"] {
                    let answer = api.send(Method::POST, path, headers, "{}").await;
                    answer.problem(415, "unsupported-media-type");
                }
            }
        }
        assert_eq!(api.count("things").await, 0);
    }
}

#[test]
fn row_21_origins_are_exact() {
    for text in ["*", "null", "https://*.example.org", "https://app.example.org/", "https://app.example.org/x", "app"] {
        assert!(text.parse::<Origin>().is_err(), "{text}");
    }
}
