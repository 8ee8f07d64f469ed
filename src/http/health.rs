//! Whether the service lives, whether it can serve, and what it has counted.

use std::time::Duration;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use tokio::time::timeout;

use crate::{
    app::App,
    error::{Error, Result},
    store,
};

/// Where these are, for everyone.
pub(super) const PATHS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// How long the database may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(1);

/// `GET /healthz`: the process answers.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the database answers too; its schemas were applied before the service listened.
pub(super) async fn ready(State(app): State<App>) -> Result<&'static str> {
    match timeout(PATIENCE, store::ping(app.store())).await {
        Ok(Ok(())) => Ok("ready\n"),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(Error::Unavailable { cause: "the database does not answer in time".into() }),
    }
}

/// `GET /metrics`
pub(super) async fn metrics(State(app): State<App>) -> Result<Response> {
    let text = app.metrics().text()?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response())
}
