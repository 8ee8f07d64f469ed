//! Errors as problem documents ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)), and the pages that explain them.

use std::any::Any;

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{body, negotiate::accepts, trace};
use crate::{
    error::{Done, Error, Place, Violation},
    problem::{ALL, Problem},
};

const PROBLEM: HeaderValue = HeaderValue::from_static("application/problem+json");
/// What is asked of those who sent no credential, and of those who sent a wrong one.
///
/// See [RFC 6750, section 3](https://www.rfc-editor.org/rfc/rfc6750#section-3).
const ASK: HeaderValue = HeaderValue::from_static(r#"Bearer realm="folio""#);
const ASK_AGAIN: HeaderValue = HeaderValue::from_static(r#"Bearer realm="folio", error="invalid_token""#);
/// Seconds after which a request that met a passing trouble may be sent again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (problem, id) = (Problem::of(&self), trace::current_id());
        let text = serde_json::to_vec(&Members { instance: id.as_deref(), ..Members::of(&self) }).unwrap_or_default();
        let mut response = (problem.status(), [(header::CONTENT_TYPE, PROBLEM)], text).into_response();
        let header = match self.inner() {
            Self::Unavailable { .. } | Self::Conflict => Some((header::RETRY_AFTER, RETRY_AFTER)),
            Self::Unauthenticated(_) => Some((header::WWW_AUTHENTICATE, ASK)),
            Self::WrongCredential(_) => Some((header::WWW_AUTHENTICATE, ASK_AGAIN)),
            Self::UnsupportedMediaType { expected } if *expected == body::PATCH_TYPES => {
                Some((body::ACCEPT_PATCH, body::PATCHES_TAKEN))
            }
            Self::PreconditionFailed { current } => {
                current.as_ref().and_then(|tag| HeaderValue::try_from(tag).ok()).map(|tag| (header::ETAG, tag))
            }
            _ => None,
        };
        response.headers_mut().extend(header);
        response.extensions_mut().insert(problem);
        response
    }
}

/// A problem document.
#[derive(Serialize)]
pub(super) struct Members<'e> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    /// The status code that an answer with it alone has.
    pub(super) status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'e str>,
    #[serde(flatten)]
    done: Option<&'e Done>,
    #[serde(flatten)]
    more: More<'e>,
}

impl<'e> Members<'e> {
    /// What a problem among several is told by; that of a whole answer has the request's id too.
    pub(super) fn of(error: &'e Error) -> Self {
        let problem = Problem::of(error);
        let done = if let Error::Partly { done, .. } = error { Some(done) } else { None };
        Self {
            kind: format!("/problems/{}", problem.slug),
            title: problem.title,
            status: problem.status,
            detail: detail(error, problem, trace::current_id().as_deref()),
            instance: None,
            done,
            more: More::of(error.inner()),
        }
    }
}

/// What some problems tell beside the members that all have.
#[derive(Serialize, Default)]
struct More<'e> {
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<&'e [Violation]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointers: Option<&'e [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<&'e [String]>,
    #[serde(rename = "missingIndex", skip_serializing_if = "Option::is_none")]
    missing_index: Option<&'e RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<&'e str>,
}

impl<'e> More<'e> {
    fn of(error: &'e Error) -> Self {
        let more = Self::default();
        match error {
            Error::InvalidQuery { place, .. } => Self::at(place),
            Error::MalformedBody(at) => {
                Self { line: Some(at.line), column: Some(at.column), pointer: at.pointer.as_deref(), ..more }
            }
            Error::UnknownField { place, suggestion, .. } | Error::ForbiddenField { place, suggestion, .. } => {
                Self { suggestion: suggestion.as_deref(), ..Self::at(place) }
            }
            Error::PatchFailed { operation, .. } => Self { operation: *operation, ..more },
            Error::UnindexedQuery { index, .. } => Self { missing_index: index.as_deref(), ..more },
            Error::UnknownCollection { suggestion, .. } => Self { suggestion: suggestion.as_deref(), ..more },
            Error::LimitExceeded { limit, .. } => Self { limit: Some(*limit), ..more },
            Error::TooLarge { limit, .. } => Self { limit: Some(*limit as u64), ..more },
            Error::Duplicate { index, fields } => {
                Self { index: index.as_deref(), fields: index.as_ref().map(|_| &fields[..]), ..more }
            }
            Error::PreconditionFailed { current } => Self { etag: current.as_deref(), ..more },
            Error::InvalidDocument { violations, .. } => Self { errors: Some(violations), ..more },
            Error::ReadOnlyField { pointers } | Error::HiddenField { pointers } => {
                Self { pointers: Some(pointers), ..more }
            }
            _ => more,
        }
    }

    fn at(place: &'e Place) -> Self {
        let Place { parameter, offset, pointer } = place;
        Self { parameter: Some(parameter), offset: *offset, pointer: pointer.as_deref(), ..Self::default() }
    }
}

/// What the client is told; the cause of a fault of ours is for the log alone.
fn detail(error: &Error, problem: &Problem, id: Option<&str>) -> String {
    match error.inner() {
        Error::Unavailable { .. } => {
            tracing::warn!(id, cause = error.cause(), "the database is not available");
            error.to_string()
        }
        Error::Unconfirmed { .. } => {
            tracing::warn!(id, cause = error.cause(), "the database has not confirmed a write");
            error.to_string()
        }
        _ if problem.status == 500 => {
            // As a string, it is logged with its line breaks escaped: causes may quote clients.
            tracing::error!(id, cause = error.cause(), "internal error");
            match id {
                Some(id) => format!("the service failed; its log tells why under the request id `{id}`"),
                None => "the service failed; its log tells why".to_owned(),
            }
        }
        _ => error.to_string(),
    }
}

/// What a panic leaves behind: one failed request.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    Error::Internal(format!("panic: {}", text.unwrap_or("of unknown cause"))).into_response()
}

pub(super) async fn no_route() -> Error {
    Error::NoRoute
}

pub(super) async fn method_not_allowed() -> Error {
    Error::MethodNotAllowed
}

/// `GET /problems/{slug}`: what an error means and what to do.
pub(super) async fn page(slug: super::extract::Slug, headers: HeaderMap) -> Result<Response, Error> {
    let problem = ALL.iter().find(|problem| problem.slug == slug.0).ok_or(Error::NoRoute)?;
    let Problem { slug, status, title, meaning, remedy } = problem;
    let is_browser = headers.get(header::ACCEPT).is_some() && accepts(&headers, "text/html") && !accepts_all(&headers);
    if is_browser {
        let page = format!(
            "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\n\
             <h1>{title}</h1>\n<p><code>{slug}</code>, status {status}</p>\n<p>{meaning}</p>\n<p>{remedy}</p>\n</html>\n"
        );
        return Ok(Html(page).into_response());
    }
    Ok(format!("{title} ({slug}, status {status})\n\n{meaning}\n\n{remedy}\n").into_response())
}

/// `curl` takes everything and means text.
fn accepts_all(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).is_some_and(|accept| accept == "*/*")
}

impl Problem {
    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, to_value};

    use super::*;

    #[test]
    fn a_problem_of_one_of_many_tells_which_and_what_was_done() {
        let duplicate = || Error::Duplicate { index: Some("once".into()), fields: vec!["k".into()] };
        let told = |error: Error| to_value(Members::of(&error)).unwrap();
        let expected = json!({
            "type": "/problems/duplicate", "title": "Duplicate", "status": 409, "index": "once", "fields": ["k"],
            "detail": "item 3: another document has the same values under the unique index `once` (k)", "item": 3
        });
        assert_eq!(told(duplicate().of_item(3)), expected);
        assert_eq!(told(duplicate().of_item(3).of_item(7)), expected, "what is known first stays");
        let id = serde_json::value::to_raw_value("a").unwrap();
        let done = Done { id: Some(id), matched: Some(9), modified: Some(1), ..Done::default() };
        let told = told(duplicate().partly(done));
        assert_eq!((&told["id"], &told["matched"], &told["modified"]), (&json!("a"), &json!(9), &json!(1)), "{told}");
        assert!(told["detail"].as_str().unwrap().starts_with("documents changed before this: 1; "), "{told}");
    }
}
