//! The elements of a document's bytes, one after the other. What they print as is none of its business.
//!
//! `bson`'s own iterator checks every name and text for UTF-8, which `quote` has for next to nothing on
//! its way through the bytes. See the [BSON specification](https://bsonspec.org/spec.html).

use bson::{
    DateTime, Decimal128, RawArray, RawDocument, RawDocumentBuf,
    oid::ObjectId,
    raw::{RawBinaryRef, RawBsonRef},
    spec::{BinarySubtype, ElementType},
};

use super::raw;
use crate::error::{self, Error};

/// Why bytes are not valid BSON. Smaller than an [`Error`], which would be carried past every element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Corrupt(pub(super) &'static str);

impl From<Corrupt> for Error {
    #[cold]
    fn from(corrupt: Corrupt) -> Self {
        Self::Internal(format!("a stored document is not valid BSON: {}", corrupt.0))
    }
}

type Result<T, E = Corrupt> = std::result::Result<T, E>;

const CUT_OFF: Corrupt = Corrupt("it is cut off");

/// The elements of a document or an array that are still to come.
#[derive(Debug)]
pub(super) struct Elements<'d> {
    rest: &'d [u8],
}

/// One element. Its name and its text, if it is one, need not be UTF-8.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'d> {
    pub(super) name: &'d [u8],
    pub(super) kind: ElementType,
    /// All that comes after the name.
    pub(super) bytes: &'d [u8],
}

impl<'d> Elements<'d> {
    /// The elements of the document or array `bytes`.
    #[inline]
    pub(super) fn of(bytes: &'d [u8]) -> Result<Self> {
        match bytes.split_first_chunk() {
            Some((length, [rest @ .., 0])) if length_of(*length) == Some(bytes.len()) => Ok(Self { rest }),
            _ => Err(Corrupt("a document does not end where it says")),
        }
    }

    /// The elements of a whole document, of which `bson` has seen that it ends where it says: to look there again would
    /// fetch the end of what is read for its beginning.
    #[inline]
    pub(super) fn of_document(document: &'d RawDocument) -> Self {
        let bytes = document.as_bytes();
        Self { rest: bytes.get(4..bytes.len() - 1).unwrap_or_default() }
    }

    /// How many bytes of elements are still to come.
    #[inline]
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// The next element, if there is one.
    #[expect(clippy::inline_always, reason = "most of what an element costs is to get from one to the next")]
    #[inline(always)]
    pub(super) fn next(&mut self) -> Result<Option<Element<'d>>> {
        let Some((tag, rest)) = self.rest.split_first() else { return Ok(None) };
        let (name, rest) = cstring(rest)?;
        self.take(*tag, name, rest).map(Some)
    }

    /// The next item, where these are the elements of an array. Items have names too, which play no part.
    #[inline]
    pub(super) fn next_item(&mut self) -> Result<Option<Element<'d>>> {
        let item = self.next()?;
        match item {
            Some(item) if !item.name.is_ascii() && str::from_utf8(item.name).is_err() => {
                Err(Corrupt("the name of an item is not UTF-8"))
            }
            item => Ok(item),
        }
    }

    /// The next element if it is called `name`. To see that is cheaper than to see where a name ends.
    #[expect(clippy::inline_always, reason = "most of what an element costs is to get from one to the next")]
    #[inline(always)]
    pub(super) fn next_named(&mut self, name: &[u8]) -> Result<Option<Element<'d>>> {
        let Some((tag, rest)) = self.rest.split_first() else { return Ok(None) };
        match rest.split_at_checked(name.len()) {
            Some((found, [0, rest @ ..])) if found == name => self.take(*tag, found, rest).map(Some),
            _ => Ok(None),
        }
    }

    /// The element of the type `tag` whose value `rest` begins with.
    #[expect(clippy::inline_always, reason = "most of what an element costs is to get from one to the next")]
    #[inline(always)]
    fn take(&mut self, tag: u8, name: &'d [u8], rest: &'d [u8]) -> Result<Element<'d>> {
        let kind = ElementType::from(tag).ok_or(Corrupt("there is no such type"))?;
        let size = size(kind, rest)?;
        let (bytes, rest) = rest.split_at_checked(size).ok_or(CUT_OFF)?;
        self.rest = rest;
        Ok(Element { name, kind, bytes })
    }
}

impl<'d> Element<'d> {
    /// The text of a string.
    #[inline]
    pub(super) fn text(self) -> Result<&'d [u8]> {
        match self.bytes {
            [_, _, _, _, text @ .., 0] => Ok(text),
            _ => Err(Corrupt("a text does not end where it says")),
        }
    }

    /// The value, unless it is one of those of which `bson` alone knows the parts; see [`alone`](Self::alone).
    #[expect(clippy::inline_always, reason = "what it is was just looked at, and need not be again")]
    #[inline(always)]
    pub(super) fn value(self) -> Result<Option<RawBsonRef<'d>>> {
        Ok(Some(match self.kind {
            ElementType::Null => RawBsonRef::Null,
            ElementType::Boolean => RawBsonRef::Boolean(truth(self.bytes)?),
            ElementType::Int32 => RawBsonRef::Int32(i32::from_le_bytes(fixed(self.bytes)?)),
            ElementType::Int64 => RawBsonRef::Int64(i64::from_le_bytes(fixed(self.bytes)?)),
            ElementType::Double => RawBsonRef::Double(f64::from_le_bytes(fixed(self.bytes)?)),
            ElementType::Decimal128 => RawBsonRef::Decimal128(Decimal128::from_bytes(fixed(self.bytes)?)),
            ElementType::ObjectId => RawBsonRef::ObjectId(ObjectId::from_bytes(fixed(self.bytes)?)),
            ElementType::DateTime => {
                RawBsonRef::DateTime(DateTime::from_millis(i64::from_le_bytes(fixed(self.bytes)?)))
            }
            ElementType::Binary => match self.bytes {
                // Its bytes begin with a length of their own, which `bson` checks.
                [_, _, _, _, 2, ..] => return Ok(None),
                [_, _, _, _, subtype, bytes @ ..] => {
                    RawBsonRef::Binary(RawBinaryRef { subtype: BinarySubtype::from(*subtype), bytes })
                }
                _ => return Err(CUT_OFF),
            },
            _ => return Ok(None),
        }))
    }

    #[inline]
    fn document(self) -> error::Result<&'d RawDocument> {
        if self.kind != ElementType::EmbeddedDocument {
            return Err(Corrupt("there is a value where a document should be").into());
        }
        RawDocument::from_bytes(self.bytes).map_err(|_| Corrupt("a document does not end where it says").into())
    }

    /// The element as the only one of a document.
    pub(super) fn alone(self) -> Result<RawDocumentBuf> {
        let mut document = Vec::with_capacity(4 + 1 + 1 + self.bytes.len() + 1);
        let start = raw::open(&mut document);
        let slot = raw::key(&mut document, b"");
        document[slot] = self.kind as u8;
        document.extend_from_slice(self.bytes);
        raw::close(&mut document, start);
        RawDocumentBuf::from_bytes(document).map_err(|_| Corrupt("a document does not end where it says"))
    }
}

/// The documents of an array that holds nothing else, in order.
#[derive(Debug)]
pub(crate) struct Documents<'d>(Elements<'d>);

impl<'d> Documents<'d> {
    pub(crate) const NONE: Self = Self(Elements { rest: &[] });

    pub(crate) fn of(array: &'d RawArray) -> error::Result<Self> {
        Ok(Self(Elements::of(array.as_bytes())?))
    }
}

impl<'d> Iterator for Documents<'d> {
    type Item = error::Result<&'d RawDocument>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().transpose().map(|element| element?.document())
    }
}

/// How many of the bytes `rest` a value of the type `kind` takes. There may be fewer.
#[inline]
fn size(kind: ElementType, rest: &[u8]) -> Result<usize> {
    if kind == ElementType::RegularExpression {
        return regex(rest);
    }
    let (least, is_counted) = SIZES[usize::from(kind as u8)];
    if !is_counted {
        return Ok(least.into());
    }
    let length = rest.first_chunk().and_then(|length| length_of(*length)).ok_or(CUT_OFF)?;
    Ok(length + usize::from(least))
}

/// How many bytes a value of each type takes beside those that it counts itself, and whether it counts any. A table is
/// looked up, where the jumps of a `match` have to be guessed.
static SIZES: [(u8, bool); 256] = {
    use ElementType as T;
    let mut sizes = [(0, false); 256];
    sizes[T::Boolean as usize] = (1, false);
    sizes[T::Int32 as usize] = (4, false);
    sizes[T::Int64 as usize] = (8, false);
    sizes[T::Double as usize] = (8, false);
    sizes[T::DateTime as usize] = (8, false);
    sizes[T::Timestamp as usize] = (8, false);
    sizes[T::ObjectId as usize] = (12, false);
    sizes[T::Decimal128 as usize] = (16, false);
    sizes[T::EmbeddedDocument as usize] = (0, true);
    sizes[T::Array as usize] = (0, true);
    sizes[T::JavaScriptCodeWithScope as usize] = (0, true);
    sizes[T::String as usize] = (4, true);
    sizes[T::Symbol as usize] = (4, true);
    sizes[T::JavaScriptCode as usize] = (4, true);
    sizes[T::Binary as usize] = (4 + 1, true);
    sizes[T::DbPointer as usize] = (4 + 12, true);
    sizes
};

#[cold]
fn regex(bytes: &[u8]) -> Result<usize> {
    let (pattern, rest) = cstring(bytes)?;
    let (options, _) = cstring(rest)?;
    Ok(pattern.len() + 1 + options.len() + 1)
}

#[inline]
fn length_of(bytes: [u8; 4]) -> Option<usize> {
    usize::try_from(i32::from_le_bytes(bytes)).ok()
}

/// What stands before the first zero, and what after it.
#[inline]
fn cstring(bytes: &[u8]) -> Result<(&[u8], &[u8])> {
    let mut end = 0;
    while let Some(step) = bytes[end..].first_chunk() {
        let before = before_zero(*step);
        end += before;
        if before < 8 {
            return Ok((&bytes[..end], &bytes[end + 1..]));
        }
    }
    let tail = bytes[end..].iter().position(|byte| *byte == 0).ok_or(CUT_OFF)?;
    end += tail;
    Ok((&bytes[..end], &bytes[end + 1..]))
}

/// How many bytes stand before the first zero, all at once: borrowing from a byte sets its highest bit, and only a zero
/// had not set it before. Bytes after the first zero may be mistaken for one.
#[inline]
fn before_zero(bytes: [u8; 8]) -> usize {
    const EACH: u64 = u64::MAX / 255;
    let bytes = u64::from_le_bytes(bytes);
    let zeros = bytes.wrapping_sub(EACH) & !bytes & (EACH << 7);
    zeros.trailing_zeros() as usize / 8
}

#[inline]
fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N]> {
    bytes.try_into().map_err(|_| CUT_OFF)
}

#[inline]
fn truth(bytes: &[u8]) -> Result<bool> {
    match bytes {
        [0] => Ok(false),
        [1] => Ok(true),
        _ => Err(Corrupt("a boolean is neither 0 nor 1")),
    }
}
