//! Entity tags: a keyed hash of a document's stored bytes, so a write by any program changes it, and behind a dot the
//! variant: which of the representations of these bytes it is. Which variants there are is none of its business.
//!
//! See [RFC 9110, section 8.8.3](https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3).

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use bson::RawDocument;

/// The key that tags are made with. Without it nobody can tell from a tag what the bytes were.
#[derive(Clone)]
pub struct EtagKey([u8; 32]);

/// The entity tag of a document in a state, whatever its representation.
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

/// What stands between hash and variant: no character of the hash.
const SEPARATOR: char = '.';

impl Etag {
    /// The tag of the representation `variant`, in its quotes; the plain one has an empty name.
    pub fn of(self, variant: &str) -> String {
        let hash = BASE64_URL_SAFE_NO_PAD.encode(self.0);
        if variant.is_empty() { format!("\"{hash}\"") } else { format!("\"{hash}{SEPARATOR}{variant}\"") }
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.of(""))
    }
}

/// A tag as a client sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    hash: Etag,
    variant: String,
}

impl Tag {
    /// Reads a tag between its quotes; `None` for one that this service never made.
    pub fn parse(quoted: &str) -> Option<Self> {
        let text = quoted.strip_prefix('"')?.strip_suffix('"')?;
        let (hash, variant) = text.split_once(SEPARATOR).unwrap_or((text, ""));
        let mut tag = [0; 16];
        let read = BASE64_URL_SAFE_NO_PAD.decode_slice(hash, &mut tag).ok()?;
        (read == tag.len()).then(|| Self { hash: Etag(tag), variant: variant.to_owned() })
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
    These(Vec<Tag>),
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
            Some(tag) if weak => Tag::parse(tag),
            Some(_) => None,
            None => Tag::parse(tag),
        };
        Self::These(tags.filter_map(strong).collect())
    }

    /// Whether a tag of the state `hash` is among them, of whatever representation.
    pub fn contain(&self, hash: Etag) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|tag| tag.hash == hash),
        }
    }

    /// Whether the tag of this state in this representation is among them.
    pub fn contain_variant(&self, hash: Etag, variant: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|tag| tag.hash == hash && tag.variant == variant),
        }
    }
}

impl Precondition {
    /// Whether a write may change a document with the tag `current`: which representation a client has read does not
    /// matter to that.
    pub fn holds(&self, current: Etag) -> bool {
        self.matches(current) && !self.if_none_match.as_ref().is_some_and(|tags| tags.contain(current))
    }

    /// Whether `If-Match` holds.
    pub fn matches(&self, current: Etag) -> bool {
        self.if_match.as_ref().is_none_or(|tags| tags.contain(current))
    }

    /// Whether `If-None-Match` does not hold for a read: the client has this representation of the document as it is.
    pub fn is_known(&self, current: Etag, variant: &str) -> bool {
        self.if_none_match.as_ref().is_some_and(|tags| tags.contain_variant(current, variant))
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
        assert_eq!(Tag::parse(&one.tag(&int).to_string()).unwrap().hash, one.tag(&int));
    }

    #[test]
    fn reads_know_one_variant_and_writes_any() {
        let (now, before) = (EtagKey::derive(b"key").tag(&bson::rawdoc! {}), Etag([7; 16]));
        for (sent, variant, known) in [
            (now.of(""), "", true),
            (now.of("r"), "r", true),
            (now.of("rg"), "r", false),
            (now.of("r"), "", false),
            (now.of(""), "r", false),
            (before.of("r"), "r", false),
        ] {
            let tags = |weak| Some(Tags::parse(&sent, weak));
            let read = Precondition { if_match: None, if_none_match: tags(true) };
            assert_eq!(read.is_known(now, variant), known, "{sent} {variant}");
            let write = Precondition { if_match: tags(false), if_none_match: None };
            assert_eq!(write.holds(now), sent.contains(&now.to_string()[1..23]), "{sent}");
            assert_eq!(read.holds(now), !write.holds(now), "{sent}");
        }
    }

    #[test]
    fn compares_strongly_and_weakly() {
        let tag = EtagKey::derive(b"key").tag(&bson::rawdoc! {});
        for (text, weak, matches) in [
            ("*".to_owned(), false, true),
            (tag.to_string(), false, true),
            (tag.of("anything"), false, true),
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
