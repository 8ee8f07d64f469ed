//! Which media types and content codings a request takes, and what media type it sends.
//!
//! See [RFC 9110, section 12.5](https://www.rfc-editor.org/rfc/rfc9110#section-12.5). How an answer is written in what
//! was chosen is not here.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts},
};

use crate::{
    app::App,
    codec::ejson::Mode,
    error::{Error, Result},
};

/// The client takes JSON.
pub(super) struct Json;

impl FromRequestParts<App> for Json {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        let is_taken = accepts(&parts.headers, "application/json");
        is_taken.then_some(Self).ok_or(Error::NotAcceptable { offered: "`application/json`" })
    }
}

/// How documents are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// As their schema says.
    Json,
    /// As Extended JSON.
    Ejson(Mode),
}

impl Format {
    /// In the order of preference.
    const ALL: [Self; 3] = [Self::Json, Self::Ejson(Mode::Relaxed), Self::Ejson(Mode::Canonical)];

    /// What the client of these headers likes best; of what it likes alike the first.
    fn choose(headers: &HeaderMap) -> Result<Self> {
        match headers.get(header::ACCEPT) {
            None => return Ok(Self::Json),
            Some(accept) if accept == "*/*" => return Ok(Self::Json),
            Some(_) => {}
        }
        let weights = Self::ALL.map(|format| (format, weight(headers, &format.media_type())));
        // Of equals the last one is the greatest.
        let (format, weight) = weights.into_iter().rev().max_by_key(|(_, weight)| *weight).unwrap_or((Self::Json, 0));
        let offered = "`application/json`, `application/ejson` or `application/ejson; mode=canonical`";
        (weight > 0).then_some(format).ok_or(Error::NotAcceptable { offered })
    }

    fn media_type(self) -> MediaType<'static> {
        let (name, mode) = match self {
            Self::Json => ("json", None),
            Self::Ejson(Mode::Relaxed) => ("ejson", Some("relaxed")),
            Self::Ejson(Mode::Canonical) => ("ejson", Some("canonical")),
        };
        MediaType { group: "application", name, mode }
    }

    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json",
            Self::Ejson(Mode::Relaxed) => "application/ejson",
            Self::Ejson(Mode::Canonical) => "application/ejson; mode=canonical",
        })
    }
}

/// Whether an answer is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// Never.
    Identity,
    /// With gzip where it is worth it.
    Gzip,
    /// With gzip whatever its size: the client takes nothing else.
    OnlyGzip,
}

impl Coding {
    fn choose(headers: &HeaderMap) -> Result<Self> {
        if !headers.contains_key(header::ACCEPT_ENCODING) {
            return Ok(Self::Identity);
        }
        let listed = |names: &[&str]| {
            let named = elements(headers, header::ACCEPT_ENCODING).map(weighted);
            named.filter(|(name, _)| names.iter().any(|n| n.eq_ignore_ascii_case(name))).map(|(_, weight)| weight).max()
        };
        let rest = listed(&["*"]);
        let gzip = listed(&["gzip", "x-gzip"]).or(rest).unwrap_or(0);
        // What is not listed is taken, but liked least.
        match listed(&["identity"]).or(rest).unwrap_or(1) {
            0 if gzip == 0 => Err(Error::NotAcceptable { offered: "compressed with `gzip`, or not at all" }),
            0 => Ok(Self::OnlyGzip),
            identity if gzip >= identity => Ok(Self::Gzip),
            _ => Ok(Self::Identity),
        }
    }
}

impl FromRequestParts<App> for Coding {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        Self::choose(&parts.headers)
    }
}

/// How the client wants documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Representation {
    pub(super) format: Format,
    pub(super) coding: Coding,
}

impl FromRequestParts<App> for Representation {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        Ok(Self { format: Format::choose(&parts.headers)?, coding: Coding::choose(&parts.headers)? })
    }
}

/// Whether `Accept` takes `media_type`.
pub(super) fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    let (group, name) = media_type.split_once('/').unwrap_or((media_type, ""));
    weight(headers, &MediaType { group, name, mode: None }) > 0
}

/// A media type that an answer can have.
struct MediaType<'t> {
    group: &'t str,
    name: &'t str,
    /// Its parameter `mode`; all others make no difference.
    mode: Option<&'t str>,
}

impl MediaType<'_> {
    /// How closely `range` describes the type; `None` if it does not.
    fn closeness(&self, range: &str) -> Option<u8> {
        let is = |wanted: &str, own: &str| wanted.eq_ignore_ascii_case(own);
        let (group, rest) = range.split_once('/')?;
        let name = rest.split(';').next()?.trim();
        match (group, name, self.mode.zip(parameter(range, "mode"))) {
            (_, _, Some((own, wanted))) => {
                (is(group, self.group) && is(name, self.name) && is(wanted, own)).then_some(3)
            }
            ("*", "*", None) => Some(0),
            (group, "*", None) => is(group, self.group).then_some(1),
            (group, name, None) => (is(group, self.group) && is(name, self.name)).then_some(2),
        }
    }
}

/// How much `Accept` likes the type, in thousandths: the range that describes it most closely decides.
fn weight(headers: &HeaderMap, media_type: &MediaType<'_>) -> u16 {
    let mut ranges = elements(headers, header::ACCEPT).peekable();
    if ranges.peek().is_none() {
        return FULL;
    }
    let described = ranges.filter_map(|range| Some((media_type.closeness(range)?, weighted(range).1)));
    described.max().map_or(0, |(_, weight)| weight)
}

/// The weight of what has none.
const FULL: u16 = 1000;

/// The elements of a list header, whichever lines they stand on.
pub(super) fn elements(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| split(line, ',')).map(str::trim).filter(|element| !element.is_empty())
}

/// The parts of `text` between separators, which do not count within quotes.
pub(super) fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |c| {
        is_quoted ^= c == '"';
        c == separator && !is_quoted
    })
}

/// An element's name and its weight in thousandths; one that cannot be read counts as 0.
fn weighted(element: &str) -> (&str, u16) {
    let name = element.split(';').next().unwrap_or_default().trim();
    (name, parameter(element, "q").map_or(FULL, |weight| thousandths(weight).unwrap_or(0)))
}

/// The value of the element's parameter `name`, without quotes.
fn parameter<'e>(element: &'e str, name: &str) -> Option<&'e str> {
    let mut parameters = split(element, ';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, value) = parameters.find(|(found, _)| found.trim().eq_ignore_ascii_case(name))?;
    Some(value.trim().trim_matches('"'))
}

/// A weight of [section 12.4.2](https://www.rfc-editor.org/rfc/rfc9110#section-12.4.2): 0 to 1, at most three decimals.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(3);
    match (whole, digits.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'))) {
        ("0", fraction) => Some(fraction),
        ("1", 0) => Some(FULL),
        _ => None,
    }
}

/// The media type of the body, in lower case and without parameters; empty when there is none.
pub(super) fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELAXED: Option<Format> = Some(Format::Ejson(Mode::Relaxed));
    const CANONICAL: Option<Format> = Some(Format::Ejson(Mode::Canonical));
    const JSON: Option<Format> = Some(Format::Json);

    fn headers(name: &HeaderName, values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_format_that_is_liked_best_is_chosen() {
        let cases: [(&[&str], _); 33] = [
            (&[], JSON),
            (&[""], JSON),
            (&["*/*"], JSON),
            (&["application/*"], JSON),
            (&["application/json"], JSON),
            (&["APPLICATION/JSON; charset=utf-8"], JSON),
            (&["text/html, application/json;q=0.5"], JSON),
            (&["text/html", "application/json"], JSON),
            (&["application/ejson"], RELAXED),
            (&["application/ejson;mode=relaxed"], RELAXED),
            (&["application/ejson; mode=canonical"], CANONICAL),
            (&["Application/EJSON ; Mode = \"Canonical\""], CANONICAL),
            (&["application/ejson; charset=utf-8; mode=canonical"], CANONICAL),
            (&["application/ejson; profile=\"a, b; mode=relaxed\"; mode=canonical"], CANONICAL),
            (&["application/json, application/ejson"], JSON),
            (&["application/json;q=0.5, application/ejson"], RELAXED),
            (&["application/json;q=0.5, application/ejson;q=0.501"], RELAXED),
            (&["application/*;q=0.5, application/ejson"], RELAXED),
            (&["*/*;q=0.1, application/ejson;mode=canonical"], CANONICAL),
            (&["application/ejson;q=0.5, application/ejson;mode=canonical"], CANONICAL),
            (&["application/ejson, application/ejson;mode=relaxed;q=0.5"], CANONICAL),
            (&["application/json;q=0, */*"], RELAXED),
            (&["application/json;q=0, application/ejson;mode=relaxed;q=0, */*"], CANONICAL),
            (&["application/ejson;q=0, */*;q=0.1"], JSON),
            (&["text/*;q=0.9, application/json;q=0.001"], JSON),
            (&["text/html,"], None),
            (&["text/html"], None),
            (&["application/ejson;mode=strict"], None),
            (&["application/json;q=0"], None),
            (&["application/json;q=0.0001"], None),
            (&["application/json;q=2"], None),
            (&["application/json;q=x"], None),
            (&["*"], None),
        ];
        for (accept, format) in cases {
            assert_eq!(Format::choose(&headers(&header::ACCEPT, accept)).ok(), format, "{accept:?}");
        }
    }

    #[test]
    fn the_coding_that_is_liked_best_is_chosen() {
        let cases: [(&[&str], _); 16] = [
            (&[], Some(Coding::Identity)),
            (&[""], Some(Coding::Identity)),
            (&["gzip"], Some(Coding::Gzip)),
            (&["x-gzip"], Some(Coding::Gzip)),
            (&["br, GZIP;q=0.5"], Some(Coding::Gzip)),
            (&["deflate", "gzip"], Some(Coding::Gzip)),
            (&["*"], Some(Coding::Gzip)),
            (&["gzip;q=0"], Some(Coding::Identity)),
            (&["br"], Some(Coding::Identity)),
            (&["gzip;q=0.5, identity"], Some(Coding::Identity)),
            (&["gzip, identity;q=0.5"], Some(Coding::Gzip)),
            (&["gzip;q=0, *"], Some(Coding::Identity)),
            (&["gzip, identity;q=0"], Some(Coding::OnlyGzip)),
            (&["gzip, *;q=0"], Some(Coding::OnlyGzip)),
            (&["identity;q=0"], None),
            (&["br, *;q=0"], None),
        ];
        for (accepted, coding) in cases {
            assert_eq!(Coding::choose(&headers(&header::ACCEPT_ENCODING, accepted)).ok(), coding, "{accepted:?}");
        }
    }
}
