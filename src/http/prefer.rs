//! What clients would like of the answer to a write.
//!
//! See [RFC 7240](https://www.rfc-editor.org/rfc/rfc7240). Nothing in it is ever refused: a preference that is not known
//! here, or makes no sense, is as good as none.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, HeaderValue, request::Parts},
};

use super::negotiate::{elements, split};

const PREFER: HeaderName = HeaderName::from_static("prefer");
/// What tells the client which of its preferences was met.
pub(super) const APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// What the answer to a write holds, as the client prefers it: `return`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Return {
    /// What came of it.
    Minimal,
    /// The documents as they are stored now.
    Representation,
}

/// The client's preferences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Preferences {
    /// What it said of `return`.
    returns: Option<Return>,
}

impl Preferences {
    fn of(headers: &HeaderMap) -> Self {
        // The first one of a name is meant.
        let named = elements(headers, PREFER).map(named);
        let returns = named.filter(|(name, _)| name.eq_ignore_ascii_case("return")).map(|(_, value)| value).next();
        let returns = match returns {
            Some("minimal") => Some(Return::Minimal),
            Some("representation") => Some(Return::Representation),
            _ => None,
        };
        Self { returns }
    }

    /// Whether the answer holds documents, as it does by itself where nothing is said of that.
    pub(super) fn returns_documents(self, by_itself: bool) -> bool {
        self.returns.map_or(by_itself, |returns| returns == Return::Representation)
    }

    /// The header of an answer that is as the client prefers it; none where it has no preference.
    pub(super) fn applied(self) -> Option<(HeaderName, HeaderValue)> {
        let applied = match self.returns? {
            Return::Minimal => HeaderValue::from_static("return=minimal"),
            Return::Representation => HeaderValue::from_static("return=representation"),
        };
        Some((APPLIED, applied))
    }
}

/// A preference's name and its value, without its parameters.
fn named(preference: &str) -> (&str, &str) {
    let preference = split(preference, ';').next().unwrap_or_default();
    let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
    (name.trim(), value.trim().trim_matches('"'))
}

impl<S: Sync> FromRequestParts<S> for Preferences {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_return_is_meant() {
        let (minimal, whole) = (Some(Return::Minimal), Some(Return::Representation));
        let cases: [(&[&str], Option<Return>); 14] = [
            (&[], None),
            (&[""], None),
            (&["return=minimal"], minimal),
            (&["return=representation"], whole),
            (&["Return = \"minimal\" ; foo=bar"], minimal),
            (&["respond-async, wait=10, return=representation"], whole),
            (&["respond-async", "return=minimal"], minimal),
            (&["return=minimal, return=representation"], minimal),
            (&["return=representation", "return=minimal"], whole),
            (&["foo=\"return=minimal, x\", return=representation"], whole),
            (&["return=headers-only"], None),
            (&["return"], None),
            (&["return=MINIMAL"], None),
            (&["returns=minimal"], None),
        ];
        for (lines, returns) in cases {
            let headers = lines.iter().map(|line| (PREFER, line.parse().unwrap())).collect();
            assert_eq!(Preferences::of(&headers), Preferences { returns }, "{lines:?}");
        }
    }

    #[test]
    fn only_what_was_asked_for_is_said_to_be_applied() {
        let none = Preferences { returns: None };
        assert!(none.returns_documents(true) && !none.returns_documents(false) && none.applied().is_none());
        let minimal = Preferences { returns: Some(Return::Minimal) };
        assert!(!minimal.returns_documents(true));
        assert_eq!(minimal.applied().unwrap().1, "return=minimal");
    }
}
