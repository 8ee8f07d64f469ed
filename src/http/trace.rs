//! Around every request: its id, whether it is let in, what becomes of a panic, its line in the access log, its count.
//! One layer for all: every layer of a router costs each request a boxed service and a boxed future.

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::{FutureExt, TryFutureExt};
use tokio::task_local;

use super::{body::read_out, cors, credentials::admit, problem};
use crate::{
    app::App,
    error::{Result, check_limit},
    metrics::Labels,
};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CONTENT_TYPE_OPTIONS: (HeaderName, &str) = (header::X_CONTENT_TYPE_OPTIONS, "nosniff");

task_local! {
    /// The id of the request that the task answers.
    static CURRENT_ID: HeaderValue;
}

/// The id of the request that is being answered, if this is such a task.
pub(super) fn current_id() -> Option<String> {
    CURRENT_ID.try_with(|id| id.to_str().map(str::to_owned)).ok()?.ok()
}

pub(super) async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let answer = async {
        if cors::is_on(&app) { next.run(request).await } else { answer(State(app.clone()), request, next).await }
    };
    let answer = AssertUnwindSafe(answer).catch_unwind().unwrap_or_else(|panic| problem::panicked(&*panic));
    let mut response = CURRENT_ID.scope(id.clone(), answer).await;
    let (status, time) = (response.status(), started.elapsed());
    log(&id, (&method, uri.path()), status, time);
    response.headers_mut().insert(CONTENT_TYPE_OPTIONS.0, HeaderValue::from_static(CONTENT_TYPE_OPTIONS.1));
    response.headers_mut().insert(REQUEST_ID, id);
    let route = route.as_ref().map_or("none", MatchedPath::as_str).to_owned();
    app.metrics().answered(&Labels { method: label(&method), route, status: status.as_u16() }, time);
    response
}

/// Lets the request in, if its caller is.
pub(super) async fn answer(State(app): State<App>, mut request: Request, next: Next) -> Response {
    match check_url(&app, &request).and_then(|()| admit(&app, &mut request)) {
        Ok(()) => read_out(request, next).await,
        Err(error) => error.into_response(),
    }
}

/// The request's line in the access log, a warning where the service failed.
fn log(id: &HeaderValue, (method, path): (&Method, &str), status: StatusCode, time: Duration) {
    let (id, ms) = (id.to_str().unwrap_or_default(), (time.as_secs_f64() * 1e6).round() / 1e3);
    if status.is_server_error() {
        tracing::warn!(target: "folio::access", id, %method, path, status = status.as_u16(), ms);
    } else {
        tracing::info!(target: "folio::access", id, %method, path, status = status.as_u16(), ms);
    }
}

/// The id that a proxy gave the request, if it can stand in a log as it is; else a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let plain = |id: &&HeaderValue| {
        (1..=64).contains(&id.len()) && id.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(b))
    };
    // It tells requests apart and keeps no secret, so no system call is made for it.
    let made =
        || HeaderValue::try_from(format!("{:032x}", fastrand::u128(..))).unwrap_or(HeaderValue::from_static("none"));
    headers.get(REQUEST_ID).filter(plain).cloned().unwrap_or_else(made)
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
