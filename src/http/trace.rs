//! Around every request: its id, whether it is let in, what becomes of a panic, its count, its line in the access log,
//! and one in the audit log where it was refused. One layer does all of it, for each costs a boxed service and future.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures::FutureExt;
use tokio::task_local;

use super::{body::read_out, cors, credentials::admit, extract::Asker, problem};
use crate::{
    app::App,
    audit::Attempt,
    error::{Result, check_limit},
    metrics::Labels,
    problem::Problem,
};

pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CONTENT_TYPE_OPTIONS: (HeaderName, &str) = (header::X_CONTENT_TYPE_OPTIONS, "nosniff");

/// Marks the answer to a write that has left its line in the audit log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Audited;

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
    let mut response = CURRENT_ID.scope(id.clone(), answer).await;
    let (status, time) = (response.status(), started.elapsed());
    log(&id, (&method, uri.path()), status, time);
    let pattern = route.as_ref().map_or("", MatchedPath::as_str);
    audit(&id, (operation(&method, pattern), uri.path()), &response);
    response.headers_mut().insert(CONTENT_TYPE_OPTIONS.0, HeaderValue::from_static(CONTENT_TYPE_OPTIONS.1));
    response.headers_mut().insert(REQUEST_ID, id);
    let route = route.as_ref().map_or("none", MatchedPath::as_str).to_owned();
    app.metrics().answered(&Labels { method: label(&method), route, status: status.as_u16() }, time);
    response
}

/// Lets the request in, if its caller is, and makes one failed request of a panic. The answer tells who asked.
pub(super) async fn answer(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let mut asker = None;
    let answering = async {
        let admitted = check_url(&app, &request).and_then(|()| admit(&app, &mut request));
        asker = request.extensions().get::<Asker>().cloned();
        match admitted {
            Ok(()) => read_out(request, next).await,
            Err(error) => error.into_response(),
        }
    };
    let answered = AssertUnwindSafe(answering).catch_unwind().await;
    let mut response = answered.unwrap_or_else(|panic| problem::panicked(&*panic));
    asker.map(|asker| response.extensions_mut().insert(asker));
    response
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

/// What a way in is for; `None` for one that reads no documents and writes none.
fn operation(method: &Method, route: &str) -> Option<&'static str> {
    match (method.as_str(), route) {
        ("POST", "/v1/{collection}") => Some("insert"),
        ("POST", "/v1/{collection}/_bulk") => Some("bulk"),
        ("PUT", "/v1/{collection}/{id}") => Some("replace"),
        ("PATCH", "/v1/{collection}" | "/v1/{collection}/{id}") => Some("update"),
        ("DELETE", "/v1/{collection}" | "/v1/{collection}/{id}") => Some("delete"),
        ("GET" | "HEAD", route) | ("POST", route @ "/v1/{collection}/_query") => {
            route.starts_with("/v1/").then_some("read")
        }
        _ => None,
    }
}

/// The line in the audit log of a request that was refused, or that would have written and did not come to it.
fn audit(id: &HeaderValue, (operation, path): (Option<&'static str>, &str), response: &Response) {
    let status = response.status();
    let refused = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    let writes = operation.is_some_and(|operation| operation != "read");
    if response.extensions().get::<Audited>().is_some() || !(refused || writes) {
        return;
    }
    let mut names = path.strip_prefix("/v1/").unwrap_or_default().split('/');
    let mut name = || names.next().filter(|name| !name.is_empty() && !name.starts_with('_')).map(str::to_owned);
    let outcome = response.extensions().get::<&Problem>().map_or("ok", |problem| problem.slug);
    Attempt {
        caller: response.extensions().get::<Asker>().map(|Asker(caller)| Arc::clone(caller)),
        operation,
        collection: name(),
        id: name(),
        documents: None,
        request: id.to_str().ok().map(str::to_owned),
    }
    .line(outcome, Some(status.as_u16()));
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
