//! Cursors: where a page ended, as text that only this service can make and that fits only the list it was made for.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use blake3::{Hash, OUT_LEN};
use bson::{Document, RawArrayBuf, RawDocument, RawDocumentBuf, raw::cstr};

use crate::error::{Error, Result, invalid_query};

/// The key that cursors are signed with.
#[derive(Clone)]
pub struct CursorKey([u8; 32]);

/// The list that a cursor belongs to: it leads on with no other.
#[derive(Debug, Clone, Copy)]
pub struct List<'l> {
    /// The collection's name.
    pub collection: &'l str,
    /// Which documents.
    pub filter: &'l Document,
    /// In which order.
    pub sort: &'l Document,
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Position {
    /// At the document with these sort keys, one for each field of the sort.
    Key(RawArrayBuf),
    /// After so many documents, in an order that is not one of fields: nearest first.
    Count(u32),
}

impl CursorKey {
    /// The key that follows from the service's secret.
    pub fn derive(secret: &[u8]) -> Self {
        Self(blake3::derive_key("folio 2026 cursors of lists", secret))
    }

    /// The cursor that leads on from `position` in `list`: a signature, and what it signs.
    pub fn seal(&self, list: List<'_>, position: &Position) -> Result<String> {
        let position = position.write();
        let signature = self.sign(list, position.as_bytes())?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode([signature.as_bytes().as_slice(), position.as_bytes()].concat()))
    }

    /// Where `cursor` leads on in `list`; an error if it was made for another list, or by someone else.
    pub fn open(&self, list: List<'_>, cursor: &str) -> Result<Position> {
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(cursor).map_err(|_| foreign())?;
        let (signature, position) = sealed.split_first_chunk::<OUT_LEN>().ok_or_else(foreign)?;
        // Comparing hashes takes the same time wherever they differ.
        if self.sign(list, position)? != Hash::from_bytes(*signature) {
            return Err(foreign());
        }
        Position::read(position).ok_or_else(foreign)
    }

    fn sign(&self, list: List<'_>, position: &[u8]) -> Result<Hash> {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(list.collection.as_bytes()).update(b"\0");
        let mut bytes = Vec::with_capacity(512);
        for part in [list.filter, list.sort] {
            // BSON begins with its length, so no two lists come to the same bytes.
            bson::serialize_to_buffer(part, &mut bytes)
                .map_err(|e| Error::Internal(format!("a query cannot be serialized: {e}")))?;
        }
        Ok(hasher.update(&bytes).update(position).finalize())
    }
}

impl Position {
    fn write(&self) -> RawDocumentBuf {
        let mut written = RawDocumentBuf::new();
        match self {
            Self::Key(keys) => written.append(cstr!("key"), keys.as_ref()),
            Self::Count(count) => written.append(cstr!("count"), i64::from(*count)),
        }
        written
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let position = RawDocument::from_bytes(bytes).ok()?;
        if let Ok(Some(count)) = position.get("count") {
            return count.as_i64()?.try_into().ok().map(Self::Count);
        }
        position.get_array("key").ok().map(|keys| Self::Key(keys.to_owned()))
    }
}

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey(..)")
    }
}

fn foreign() -> Error {
    let detail = "this is no cursor of this list: it goes with the filter and sort that it came with; \
                  start again without `after`";
    invalid_query("after", None, detail)
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    #[test]
    fn leads_on_in_its_own_list_only() {
        let (key, other) = (CursorKey::derive(b"one"), CursorKey::derive(b"other"));
        let (year, title) = (doc! { "year": 1 }, doc! { "title": 1 });
        let list = List { collection: "books", filter: &year, sort: &title };
        for position in [Position::Key([1.5, 2.0].into_iter().collect()), Position::Count(40)] {
            let cursor = key.seal(list, &position).unwrap();
            assert_eq!(key.open(list, &cursor).unwrap(), position);
            assert!(other.open(list, &cursor).is_err(), "another secret");
            for foreign in [
                List { collection: "loans", ..list },
                List { filter: &title, ..list },
                List { sort: &year, ..list },
                List { filter: &title, sort: &year, ..list },
            ] {
                assert!(key.open(foreign, &cursor).is_err(), "{foreign:?}");
            }
            for at in 0..cursor.len() {
                let mut tampered = cursor.clone().into_bytes();
                tampered[at] = if tampered[at] == b'A' { b'B' } else { b'A' };
                assert!(key.open(list, std::str::from_utf8(&tampered).unwrap()).is_err(), "byte {at}");
                assert!(key.open(list, &cursor[..at]).is_err(), "cut at {at}");
            }
        }
    }
}
