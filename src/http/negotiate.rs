//! Which media types a request takes and sends.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};

use crate::{
    app::App,
    error::{Error, Result},
};

/// The client takes JSON.
pub(super) struct Json;

impl FromRequestParts<App> for Json {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        if accepts(&parts.headers, "application/json") { Ok(Self) } else { Err(Error::NotAcceptable) }
    }
}

/// Whether `Accept` takes `media_type`; see [RFC 9110, section 12.5.1](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1).
pub(super) fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<&str> =
        values.flat_map(|value| value.split(',')).filter(|range| !range.trim().is_empty()).collect();
    let group = media_type.split_once('/').map_or(media_type, |(group, _)| group);
    let matching = |wanted: &str| {
        ranges.iter().find_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let same = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(wanted));
            let quality = parts.find_map(|p| p.strip_prefix("q=").or_else(|| p.strip_prefix("Q=")));
            same.then(|| quality.is_none_or(|q| q.parse::<f32>().is_ok_and(|q| q > 0.0)))
        })
    };
    // The most specific range decides.
    ranges.is_empty()
        || matching(media_type).or_else(|| matching(&format!("{group}/*"))).or_else(|| matching("*/*")).unwrap_or(false)
}

/// The media type of the body, in lower case and without parameters; empty when there is none.
pub(super) fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_range_decides() {
        for (accept, accepted) in [
            (None, true),
            (Some(""), true),
            (Some("text/html,"), false),
            (Some("*/*"), true),
            (Some("application/*"), true),
            (Some("text/html, application/json;q=0.5"), true),
            (Some("text/html"), false),
            (Some("application/json;q=0, */*"), false),
            (Some("APPLICATION/JSON; charset=utf-8"), true),
            (Some("application/ejson"), false),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, accept.parse().unwrap());
            }
            assert_eq!(accepts(&headers, "application/json"), accepted, "{accept:?}");
        }
    }
}
