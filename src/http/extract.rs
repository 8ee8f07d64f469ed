//! What handlers need of a request: the caller, the collection, the document's `_id`, the query.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use bson::Bson;

use crate::{
    access::{Caller, View},
    app::App,
    codec::decode,
    error::{Error, Result, invalid_query},
    query::{Query, Selection, Settings, value::expected},
    store::Store,
};

/// Who asks.
#[derive(Clone)]
pub(super) struct Asker(pub(super) Arc<Caller>);

impl FromRequestParts<App> for Asker {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        parts.extensions.get().cloned().ok_or_else(|| Error::Internal("nobody has asked who the caller is".into()))
    }
}

/// The database, for as long as the request may take: `Request-Timeout` in seconds, or the service's own limit.
pub(super) struct Storage(pub(super) Store);

impl FromRequestParts<App> for Storage {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let Some(value) = parts.headers.get("request-timeout") else { return Ok(Self(app.store().clone())) };
        let expected = "expected a number of seconds greater than 0, such as `2` or `0.5`";
        match value.to_str().ok().and_then(|text| seconds(text.trim())) {
            Some(deadline) => Ok(Self(app.store().until(deadline))),
            None => Err(invalid_query("Request-Timeout", None, expected)),
        }
    }
}

/// A time in digits, with a point at most.
fn seconds(text: &str) -> Option<Duration> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let seconds = text.parse().ok().filter(|seconds: &f64| is_plain && *seconds > 0.0)?;
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

/// The collection of the path, as the caller has it.
pub(super) struct Target(pub(super) View);

impl FromRequestParts<App> for Target {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let name = segment(parts, app, "collection").await?;
        if name.starts_with('_') {
            return Err(Error::NoRoute);
        }
        let Asker(caller) = Asker::from_request_parts(parts, app).await?;
        app.policy().view(app.catalog(), &caller, &name).map(Self)
    }
}

/// The document of the path: its collection and its `_id`.
pub(super) struct One {
    pub(super) view: View,
    pub(super) id: Bson,
}

impl FromRequestParts<App> for One {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        let Target(view) = Target::from_request_parts(parts, app).await?;
        let text = segment(parts, app, "id").await?;
        if text.starts_with('_') {
            return Err(Error::NoRoute);
        }
        let shape = view.declared().id();
        if let Some(id) = decode::text(&text, shape).and_then(|id| Bson::try_from(id).ok()) {
            Ok(Self { view, id })
        } else {
            let expected = expected(shape.kinds);
            Err(invalid_query("_id", None, format!("expected {expected} in the path, found `{text}`")))
        }
    }
}

impl FromRequestParts<App> for Query {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        Self::parse(parts.uri.query().unwrap_or_default(), app.limits())
    }
}

/// There are no query parameters, where none are taken.
pub(super) struct NoParameters;

impl FromRequestParts<App> for NoParameters {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        settings(parts, &[]).map(|_| Self)
    }
}

/// The parameter `upsert`, and no other one.
pub(super) struct Upsert(pub(super) bool);

impl FromRequestParts<App> for Upsert {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        Ok(Self(settings(parts, &["upsert"])?.upsert.unwrap_or(false)))
    }
}

/// The parameter `ordered`, and no other one.
pub(super) struct Ordered(pub(super) bool);

impl FromRequestParts<App> for Ordered {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        Ok(Self(settings(parts, &["ordered"])?.ordered.unwrap_or(true)))
    }
}

/// The parameter `arrayFilters`, and no other one.
pub(super) struct ArrayFilters(pub(super) Option<String>);

impl FromRequestParts<App> for ArrayFilters {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        Ok(Self(settings(parts, &["arrayFilters"])?.array_filters))
    }
}

fn settings(parts: &Parts, names: &[&str]) -> Result<Settings> {
    Settings::parse(parts.uri.query().unwrap_or_default(), names)
}

impl FromRequestParts<App> for Selection {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        Self::parse(parts.uri.query().unwrap_or_default(), app.limits())
    }
}

/// The problem of the path.
pub(super) struct Slug(pub(super) String);

impl FromRequestParts<App> for Slug {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self> {
        segment(parts, app, "slug").await.map(Self)
    }
}

/// A segment of the path, its percent-encoding undone; one that is not UTF-8 names nothing.
async fn segment(parts: &mut Parts, app: &App, name: &str) -> Result<String> {
    let params = RawPathParams::from_request_parts(parts, app).await.map_err(|_| Error::NoRoute)?;
    let value = params.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
    value.ok_or(Error::NoRoute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_seconds() {
        for (text, expected) in [
            ("2", Some(Duration::from_secs(2))),
            ("0.5", Some(Duration::from_millis(500))),
            (".5", Some(Duration::from_millis(500))),
            ("2.", Some(Duration::from_secs(2))),
            ("0.0001", Some(Duration::from_micros(100))),
            ("99999999999999999999999999", Some(Duration::MAX)),
            ("0", None),
            ("0.0", None),
            ("-1", None),
            ("+1", None),
            ("1e3", None),
            ("inf", None),
            ("NaN", None),
            (".", None),
            ("", None),
            ("1,5", None),
            ("1 s", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
