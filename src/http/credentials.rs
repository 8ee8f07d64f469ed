//! The credentials of a request, and whom they let in.

use std::sync::Arc;

use axum::{extract::Request, http::header};

use super::{extract::Asker, health};
use crate::{
    access::Caller,
    app::App,
    auth::Credential,
    error::{Error, Result},
};

/// Finds out who sends the request, before anything else of it is looked at. Health is nobody's secret.
///
/// See [RFC 6750, section 2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1).
pub(super) fn admit(app: &App, request: &mut Request) -> Result<()> {
    if health::PATHS.contains(&request.uri().path()) {
        return Ok(());
    }
    let caller = match credential(request)? {
        None => Arc::new(Caller::anonymous()),
        Some(credential) => app.authenticator().authenticate(credential)?,
    };
    app.policy().admit(app.catalog(), &caller)?;
    request.extensions_mut().insert(Asker(caller));
    Ok(())
}

fn credential(request: &Request) -> Result<Option<Credential<'_>>> {
    let wrong = || Error::Unauthenticated("expected `Authorization: Bearer` with an API key or a token");
    let headers = request.headers();
    let mut given = headers.get_all(header::AUTHORIZATION).iter().chain(headers.get_all("x-api-key"));
    let Some(first) = given.next() else { return Ok(None) };
    if given.next().is_some() {
        return Err(Error::Unauthenticated("send one credential, not several"));
    }
    let text = first.to_str().map_err(|_| wrong())?;
    if headers.contains_key("x-api-key") {
        return Ok(Some(Credential(text)));
    }
    match text.split_once(' ') {
        Some((scheme, credential)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(Credential(credential.trim()))),
        _ => Err(wrong()),
    }
}
