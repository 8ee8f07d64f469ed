//! Entity tags: a keyed hash of a document's stored bytes, so a write by any program changes it.
//!
//! See [RFC 9110, section 8.8.3](https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3).

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bson::RawDocument;

/// The key that tags are made with. Without it nobody can tell from a tag what the bytes were.
#[derive(Clone)]
pub struct EtagKey([u8; 32]);

/// The entity tag of a document in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Etag([u8; 16]);

impl EtagKey {
    /// The key that follows from the service's secret.
    pub fn derive(secret: &[u8]) -> Self {
        Self(blake3::derive_key("folio 2026 entity tags of documents", secret))
    }

    /// The tag of a document as it is stored.
    pub fn tag(&self, document: &RawDocument) -> Etag {
        let mut tag = [0; 16];
        tag.copy_from_slice(&blake3::keyed_hash(&self.0, document.as_bytes()).as_bytes()[..16]);
        Etag(tag)
    }
}

impl fmt::Debug for EtagKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EtagKey(..)")
    }
}

impl Etag {
    /// Reads a tag between its quotes; `None` for one that this service never made.
    pub fn parse(quoted: &str) -> Option<Self> {
        let text = quoted.strip_prefix('"')?.strip_suffix('"')?;
        let mut tag = [0; 16];
        let read = BASE64_URL_SAFE_NO_PAD.decode_slice(text, &mut tag).ok()?;
        (read == tag.len()).then_some(Self(tag))
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// The conditions that a request sets on the stored document. Each holds where it is not set.
///
/// See [RFC 9110, section 13.1](https://www.rfc-editor.org/rfc/rfc9110#section-13.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Precondition {
    /// `If-Match`: the document has one of these tags.
    pub if_match: Option<Tags>,
    /// `If-None-Match`: the document has none of these tags.
    pub if_none_match: Option<Tags>,
}

/// The tags of a precondition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags {
    /// `*`: whatever tag a document has.
    Any,
    /// These.
    These(Vec<Etag>),
}

impl Tags {
    /// Reads the value of `If-Match` or `If-None-Match`. A `weak` comparison also takes tags marked `W/`;
    /// a strong one never matches them. Tags that this service never made match nothing.
    pub fn parse(text: &str, weak: bool) -> Self {
        if text.trim() == "*" {
            return Self::Any;
        }
        let tags = text.split(',').map(str::trim);
        let strong = |tag: &str| match tag.strip_prefix("W/") {
            Some(tag) if weak => Etag::parse(tag),
            Some(_) => None,
            None => Etag::parse(tag),
        };
        Self::These(tags.filter_map(strong).collect())
    }

    /// Whether `tag` is among them.
    pub fn contain(&self, tag: Etag) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.contains(&tag),
        }
    }
}

impl Precondition {
    /// Whether both conditions hold for a document with the tag `current`.
    pub fn holds(&self, current: Etag) -> bool {
        self.matches(current) && !self.is_known(current)
    }

    /// Whether `If-Match` holds.
    pub fn matches(&self, current: Etag) -> bool {
        self.if_match.as_ref().is_none_or(|tags| tags.contain(current))
    }

    /// Whether `If-None-Match` does not hold: the client knows the document as it is.
    pub fn is_known(&self, current: Etag) -> bool {
        self.if_none_match.as_ref().is_some_and(|tags| tags.contain(current))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_follows_bytes_and_key() {
        let (one, other) = (EtagKey::derive(b"one"), EtagKey::derive(b"other"));
        let (int, long) = (bson::rawdoc! { "a": 1_i32 }, bson::rawdoc! { "a": 1_i64 });
        assert_eq!(one.tag(&int), one.tag(&int));
        assert_ne!(one.tag(&int), one.tag(&long));
        assert_ne!(one.tag(&int), other.tag(&int));
        assert_eq!(Etag::parse(&one.tag(&int).to_string()), Some(one.tag(&int)));
    }

    #[test]
    fn compares_strongly_and_weakly() {
        let tag = EtagKey::derive(b"key").tag(&bson::rawdoc! {});
        for (text, weak, matches) in [
            ("*".to_owned(), false, true),
            (tag.to_string(), false, true),
            (format!("\"x\", {tag}"), false, true),
            (format!("W/{tag}"), false, false),
            (format!("W/{tag}"), true, true),
            ("\"AAAAAAAAAAAAAAAAAAAAAA\"".to_owned(), true, false),
            (String::new(), true, false),
            (tag.to_string().replace('"', ""), true, false),
        ] {
            assert_eq!(Tags::parse(&text, weak).contain(tag), matches, "{text} {weak}");
        }
    }
}
