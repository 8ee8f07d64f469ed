//! API keys as text: `folio_<id>_<secret>`, in letters and digits.
//!
//! A secret is 43 characters of 62, a little more than 256 random bits. It cannot be guessed, so a plain hash is kept of
//! it: a slow one would cost every request and gain nothing.

use std::{collections::BTreeMap, fmt};

use bson::DateTime;

use crate::{
    error::{Error, Result},
    store::keys::Key,
};

/// What every API key begins with.
pub const PREFIX: &str = "folio_";

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID: usize = 8;
const SECRET: usize = 43;

/// What is said of a new key.
#[derive(Debug, Clone, Default)]
pub struct Grant {
    /// What it is for, for people.
    pub name: String,
    /// The roles that it gives.
    pub roles: Vec<String>,
    /// What rules know of whoever has it.
    pub attributes: BTreeMap<String, String>,
    /// When it ceases to be good.
    pub expires: Option<DateTime>,
}

/// The text of a key, to be shown once.
pub struct Text(String);

impl Text {
    /// The key itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(..)")
    }
}

/// A new key: what is kept of it, and its text.
pub fn make(grant: Grant) -> Result<(Key, Text)> {
    let (id, secret) = (random(ID)?, random(SECRET)?);
    let Grant { name, roles, attributes, expires } = grant;
    let text = Text(format!("{PREFIX}{id}_{secret}"));
    let (hash, created) = (hash(&secret).to_hex().to_string(), DateTime::now());
    Ok((Key { id, hash, name, roles, attributes, created, expires, revoked: None, used: None }, text))
}

/// The id and the secret of a key's text.
pub(super) fn split(text: &str) -> Option<(&str, &str)> {
    let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
    (id.len() == ID && secret.len() == SECRET).then_some((id, secret))
}

/// The id in what may be a key's text, whole or cut off, or its id alone: a key that has leaked is at hand as it is, and
/// its secret is not to be repeated.
pub fn id(text: &str) -> &str {
    text.strip_prefix(PREFIX).map_or(text, |rest| rest.split('_').next().unwrap_or_default())
}

/// What a secret is recognized by. Comparing two of these takes the same time wherever they differ.
pub(super) fn hash(secret: &str) -> blake3::Hash {
    blake3::hash(secret.as_bytes())
}

/// As many random characters, each as likely as the others.
fn random(length: usize) -> Result<String> {
    /// The largest multiple of the alphabet's length that a byte can be below.
    const FAIR: u8 = 248;
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = [0; 64];
        getrandom::fill(&mut bytes).map_err(|e| Error::Internal(format!("there is no randomness for a key: {e}")))?;
        let fair = bytes.iter().filter(|byte| **byte < FAIR);
        text.extend(fair.map(|byte| char::from(ALPHABET[usize::from(byte % 62)])).take(length - text.len()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hash_is_kept_of_a_new_key() {
        let (kept, text) = make(Grant { name: "loan desk".into(), ..Grant::default() }).unwrap();
        let (id, secret) = split(text.expose()).unwrap();
        assert_eq!((id, kept.hash.as_str()), (kept.id.as_str(), hash(secret).to_hex().as_str()));
        assert!(!format!("{kept:?} {text:?}").contains(secret));
        assert!(text.expose().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        let other = make(Grant::default()).unwrap();
        assert_ne!((other.0.id, other.0.hash), (kept.id, kept.hash));
    }

    #[test]
    fn every_character_occurs() {
        let text = random(20_000).unwrap();
        for c in ALPHABET {
            let count = text.bytes().filter(|b| b == c).count();
            assert!((200..=450).contains(&count), "{} occurs {count} times", char::from(*c));
        }
    }

    #[test]
    fn other_texts_are_no_keys() {
        let secret = "s".repeat(SECRET);
        assert!(split(&format!("folio_abcdefgh_{secret}")).is_some());
        for text in ["", "folio_", "folio__", "folio_abcdefgh", "folio_abcdefgh_", "folio_abcdefgh_short", &secret] {
            assert_eq!(split(text), None, "{text}");
        }
        for text in
            [format!("folio_abcdefg_{secret}"), format!("folio_abcdefgh_{secret}s"), format!("Folio_abcdefgh_{secret}")]
        {
            assert_eq!(split(&text), None, "{text}");
        }
    }
}
