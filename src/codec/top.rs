//! The members of whole documents, found and put together by their bytes: every document that is stored passes here,
//! and taking all of its values out of it and putting them in again would cost more than reading them.

use std::ops::Range;

use bson::{RawBson, RawDocument, RawDocumentBuf, spec::ElementType};
use memchr::memchr;

use super::{
    elements::{Element, Elements},
    members::Members,
    raw,
};
use crate::{
    error::{Error, Result},
    schema::Field,
};

/// The bytes of the length in front of a document, and of the zero behind it.
const HEAD: usize = 4;
const TAIL: usize = 1;
/// How many bytes a document needs to take in an `_id`; most take less.
const ROOM: usize = 32;

/// The `_id` of the document, if it has one.
pub(crate) fn id(document: &RawDocument) -> Result<Option<RawBson>> {
    // It comes first in whatever is stored.
    let first = Elements::of_document(document).next_named(b"_id")?;
    if let Some(id) = first.map_or(Ok(None), Element::value)? {
        return Ok(Some(id.into()));
    }
    let id = document.get("_id").map_err(|error| Error::Internal(format!("BSON that cannot be read: {error}")))?;
    Ok(id.map(RawBson::from))
}

/// `document` with an `_id` as its first member, where MongoDB keeps it: the one that `choose` makes of its own, if it has
/// one.
pub(crate) fn led(
    document: &RawDocument,
    choose: impl FnOnce(Option<RawBson>) -> Result<RawBson>,
) -> Result<RawDocumentBuf> {
    let own = own(document)?;
    let chosen = choose(if own.is_empty() { None } else { id(document)? })?;
    let (bytes, mut led, mut from) = (document.as_bytes(), Vec::new(), HEAD);
    led.reserve_exact(bytes.len() + ROOM);
    let start = raw::open(&mut led);
    let slot = raw::key(&mut led, b"_id");
    led[slot] = raw::value(&mut led, chosen.as_raw_bson_ref()) as u8;
    for own in own {
        led.extend_from_slice(&bytes[from..own.start]);
        from = own.end;
    }
    led.extend_from_slice(&bytes[from..bytes.len() - TAIL]);
    raw::close(&mut led, start);
    let led = RawDocumentBuf::from_bytes(led);
    led.map_err(|error| Error::Internal(format!("no document came of an `_id`: {error}")))
}

/// Where in its bytes the `_id` of the document stands. Nothing keeps a typed document from having two.
fn own(document: &RawDocument) -> Result<Vec<Range<usize>>> {
    let (bytes, mut own) = (document.as_bytes(), Vec::new());
    // Most new documents do without, which is seen at once where none of their bytes is an underscore.
    if memchr(b'_', bytes).is_none() {
        return Ok(own);
    }
    let (mut elements, mut from, end) = (Elements::of_document(document), HEAD, bytes.len() - TAIL);
    while let Some(element) = elements.next()? {
        let to = end - elements.left();
        if element.name == b"_id" {
            own.push(from..to);
        }
        from = to;
    }
    Ok(own)
}

/// Whether a member of the document is a timestamp of zero. What cannot be read has none.
pub(crate) fn has_zero_timestamp(document: &RawDocument) -> bool {
    // Of eight zeros in a row four are a word, and most documents have none. Looking at all of them is faster than stopping.
    let (words, _) = document.as_bytes().as_chunks::<4>();
    if words.iter().filter(|word| **word == [0; 4]).count() == 0 {
        return false;
    }
    let mut elements = Elements::of_document(document);
    while let Ok(Some(element)) = elements.next() {
        if element.kind == ElementType::Timestamp && element.bytes == [0; 8] {
            return true;
        }
    }
    false
}

/// Whether this holds of the shape of a member of `document`, which stands where `shape` does.
pub(crate) fn any(document: &RawDocument, shape: &Field, holds: impl Fn(&Field) -> bool) -> Result<bool> {
    let mut members = Members::of(document.as_bytes(), shape)?;
    while let Some((_, shape)) = members.next()? {
        if holds(shape) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use bson::{RawBsonRef, Timestamp, raw::cstr, rawdoc};

    use super::*;

    #[test]
    fn the_id_comes_first_and_the_rest_stays() {
        let seven = rawdoc! { "_id": 7, "a": 1, "b": { "_id": 2 }, "c": "x" };
        for document in [
            rawdoc! { "a": 1, "b": { "_id": 2 }, "c": "x" },
            rawdoc! { "_id": 1_i64, "a": 1, "b": { "_id": 2 }, "c": "x" },
            rawdoc! { "a": 1, "_id": "a longer one than that", "b": { "_id": 2 }, "c": "x" },
            rawdoc! { "a": 1, "b": { "_id": 2 }, "c": "x", "_id": 7 },
        ] {
            let own = document.get("_id").unwrap().map(RawBson::from);
            assert_eq!(id(&document).unwrap(), own);
            let choose = |found| {
                assert_eq!(found, own);
                Ok(RawBson::Int32(7))
            };
            assert_eq!(led(&document, choose).unwrap(), seven, "{document:?}");
        }
        for document in [rawdoc! {}, rawdoc! { "x_id": 1 }, rawdoc! { "a": "_id\0", "b": { "_id": 1 } }] {
            assert_eq!(id(&document).unwrap(), None);
            let long = RawBsonRef::String("a longer one than there is room for in a buffer");
            let members = document.iter().map(|member| member.unwrap());
            let expected: RawDocumentBuf = [(cstr!("_id"), long)].into_iter().chain(members).collect();
            assert_eq!(led(&document, |own| Ok(own.unwrap_or(long.into()))).unwrap(), expected);
        }
    }

    #[test]
    fn of_two_ids_none_stays() {
        let twice = RawDocumentBuf::from_iter([(cstr!("_id"), 1), (cstr!("a"), 2), (cstr!("_id"), 3)]);
        assert_eq!(led(&twice, |own| Ok(own.unwrap())).unwrap(), rawdoc! { "_id": 1, "a": 2 });
    }

    #[test]
    fn timestamps_of_zero_are_found_at_the_top_alone() {
        let zero = Timestamp { time: 0, increment: 0 };
        for name in [cstr!("a"), cstr!("ab"), cstr!("abc"), cstr!("abcd")] {
            assert!(has_zero_timestamp(&RawDocumentBuf::from_iter([(name, zero)])), "{name:?}");
        }
        let others =
            rawdoc! { "a": { "b": 1, "t": zero }, "c": Timestamp { time: 0, increment: 1 }, "d": 0_i64, "e": 0.0 };
        assert!(!has_zero_timestamp(&others));
    }

    #[test]
    fn members_are_found_at_the_top_alone() {
        let document = rawdoc! { "a": { "d": 1 }, "d": 2 };
        let shape = Field { properties: [("d".to_owned(), Field::any())].into_iter().collect(), ..Field::any() };
        let finds = |document: &RawDocument, name: &str| {
            any(document, &shape, |field| std::ptr::eq(field, shape.member(name))).unwrap()
        };
        assert!(finds(&document, "d") && finds(&document, "a"));
        assert!(!finds(&rawdoc! { "a": { "d": 1 } }, "d"));
    }
}
