//! Around every request: its id, its line in the access log, its count.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio::task_local;

use crate::{
    app::App,
    error::{Result, check_limit},
    metrics::Labels,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CONTENT_TYPE_OPTIONS: (&str, &str) = ("x-content-type-options", "nosniff");

task_local! {
    /// The id of the request that the task answers.
    static CURRENT_ID: String;
}

/// The id of the request that is being answered, if this is such a task.
pub(super) fn current_id() -> Option<String> {
    CURRENT_ID.try_with(String::clone).ok()
}

pub(super) async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let answer = async {
        match check_url(&app, &request) {
            Ok(()) => next.run(request).await,
            Err(error) => error.into_response(),
        }
    };
    let mut response = CURRENT_ID.scope(id.clone(), answer).await;
    response.headers_mut().insert(CONTENT_TYPE_OPTIONS.0, HeaderValue::from_static(CONTENT_TYPE_OPTIONS.1));
    if let Ok(value) = HeaderValue::try_from(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let (status, time) = (response.status().as_u16(), started.elapsed());
    let ms = (time.as_secs_f64() * 1e6).round() / 1e3;
    tracing::info!(target: "folio::access", id, %method, path, status, ms);
    app.metrics().answered(&Labels { method: label(&method), route, status }, time);
    response
}

/// The id that a proxy gave the request, if it can stand in a log as it is; else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let plain = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(plain);
    given.map_or_else(|| bson::Uuid::new().to_string(), str::to_owned)
}

fn check_url(app: &App, request: &Request) -> Result<()> {
    let length = request.uri().path_and_query().map_or(0, |url| url.as_str().len());
    check_limit(("--max-url", app.limits().max_url), length, || format!("a URL of {length} bytes"))
}

/// Methods are text that clients choose, and every label value costs memory for good.
fn label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
