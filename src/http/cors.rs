//! Which pages of other origins may read the answers in a browser: those of configured origins, and without any of them
//! nothing here is part of the service. No page gets to use what a browser keeps (`Access-Control-Allow-Credentials`):
//! callers show their credentials themselves.
//!
//! See the [Fetch standard](https://fetch.spec.whatwg.org/#http-cors-protocol).

use std::time::Duration;

use axum::{
    Router,
    http::{HeaderName, HeaderValue, Method, header},
    middleware,
};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::{body, prefer, trace};
use crate::app::App;

const METHODS: [Method; 6] = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

/// What requests may bring beside what browsers let them anyway.
const REQUEST: [HeaderName; 9] = [
    header::ACCEPT,
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    HeaderName::from_static("prefer"),
    HeaderName::from_static("request-timeout"),
    HeaderName::from_static("x-api-key"),
    trace::REQUEST_ID,
];

/// What pages may read of an answer beside what browsers show them anyway.
const ANSWER: [HeaderName; 9] = [
    body::ACCEPT_PATCH,
    header::ALLOW,
    header::ETAG,
    header::LINK,
    header::LOCATION,
    prefer::APPLIED,
    header::RETRY_AFTER,
    header::WWW_AUTHENTICATE,
    trace::REQUEST_ID,
];

/// How long a browser need not ask again; two hours is the most that any takes.
const KEPT: Duration = Duration::from_secs(2 * 60 * 60);

/// Whether there are origins whose pages may read answers.
pub(super) fn is_on(app: &App) -> bool {
    !app.origins().is_empty()
}

/// Lets pages of the configured origins read the answers of `router`. Browsers ask first, without credentials, and a
/// refusal too is for the page to read: so callers are let in behind this layer, rather than in [`trace::observe`].
pub(super) fn share(router: Router<App>, app: &App) -> Router<App> {
    if !is_on(app) {
        return router;
    }
    let origins = app.origins().iter().filter_map(|origin| HeaderValue::try_from(origin.as_str()).ok());
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods(METHODS)
        .allow_headers(REQUEST)
        .expose_headers(ANSWER)
        .max_age(KEPT)
        .vary([header::ORIGIN]);
    router.layer(middleware::from_fn_with_state(app.clone(), trace::answer)).layer(layer)
}
