//! The credentials of a request, and whom they let in.

use std::sync::{Arc, LazyLock};

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, header},
};

use super::{extract::Asker, health, meta};
use crate::{
    access::Caller,
    app::App,
    auth::Credential,
    error::{Error, Result},
};

/// Where an API key may be sent instead of as a bearer.
const KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Whoever sends no credentials.
static ANONYMOUS: LazyLock<Arc<Caller>> = LazyLock::new(|| Arc::new(Caller::anonymous()));

/// Finds out who sends the request, before anything else of it is looked at. Health is nobody's secret, and neither is
/// what a collection file may say.
///
/// See [RFC 6750, section 2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1).
pub(super) fn admit(app: &App, request: &mut Request) -> Result<()> {
    let path = request.uri().path();
    if health::PATHS.contains(&path) || path == meta::PATH {
        return Ok(());
    }
    let caller = match credential(request.headers())? {
        None => Arc::clone(&ANONYMOUS),
        Some(credential) => app.authenticator().authenticate(credential)?,
    };
    app.policy().admit(app.catalog(), &caller)?;
    request.extensions_mut().insert(Asker(caller));
    Ok(())
}

/// What the request brings to be recognized by, if anything.
fn credential(headers: &HeaderMap) -> Result<Option<Credential<'_>>> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter().map(bearer);
    let mut keys = headers.get_all(KEY).iter().map(|key| text(key).map(Credential::Key));
    let Some(first) = given.next().or_else(|| keys.next()) else { return Ok(None) };
    if given.next().is_some() || keys.next().is_some() {
        return Err(Error::WrongCredential("there are several, send one"));
    }
    first.map(Some)
}

/// The credential of an `Authorization` header.
fn bearer(value: &HeaderValue) -> Result<Credential<'_>> {
    match text(value)?.split_once(' ') {
        Some((scheme, credential)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(Credential::Bearer(credential.trim()))
        }
        _ => Err(Error::WrongCredential("expected `Authorization: Bearer` with an API key or a token")),
    }
}

fn text(value: &HeaderValue) -> Result<&str> {
    value.to_str().map_err(|_| Error::WrongCredential("it is not text"))
}
