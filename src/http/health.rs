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
    sync::Standing,
};

/// Where these are, for everyone.
pub(super) const PATHS: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// How long the database may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(1);

/// `GET /healthz`: the process answers.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the database answers too; its schemas were applied before the service listened. Lines after the first
/// say what is not as it should be for ever, though it can be served.
pub(super) async fn ready(State(app): State<App>) -> Result<String> {
    match timeout(PATIENCE, store::ping(app.store())).await {
        Ok(Ok(())) => Ok(format!("ready\n{}", notes(&app.standing()))),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(Error::Unavailable { cause: "the database does not answer in time".into() }),
    }
}

fn notes(standing: &Standing) -> String {
    let superseded = "superseded: newer collection files than this instance's have been applied\n";
    let mut notes: String = standing.superseded.then_some(superseded).into_iter().collect();
    let counts: Vec<_> = standing.open.values().filter(|open| open.stage.is_some()).map(|open| open.breaking).collect();
    if !counts.is_empty() {
        let count = counts.into_iter().sum::<Option<u64>>();
        let count = count.map_or_else(|| "an unknown number of".to_owned(), |count| count.to_string());
        notes.extend(["staged: ", &count, " stored documents break validators in a stage\n"]);
    }
    notes
}

/// `GET /metrics`
pub(super) async fn metrics(State(app): State<App>) -> Result<Response> {
    let text = app.metrics().text()?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response())
}
