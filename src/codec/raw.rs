//! BSON bytes, put together piece by piece. Which pieces is none of its business.
//!
//! `bson`'s own buffers can only append whole values, so nested ones would be copied once a level.
//! See the [BSON specification](https://bsonspec.org/spec.html).

use bson::{
    RawDocumentBuf,
    raw::{RawBsonRef, cstr},
    spec::ElementType,
};

/// Begins a document or an array; what it returns is what [`close`] needs.
pub(super) fn open(out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    start
}

/// Ends the document or array that began at `start`.
pub(super) fn close(out: &mut Vec<u8>, start: usize) {
    out.push(0);
    let size = length(out.len() - start);
    out[start..start + 4].copy_from_slice(&size);
}

/// Begins an element; its type is set when it is known, at the index that this returns.
pub(super) fn key(out: &mut Vec<u8>, name: &[u8]) -> usize {
    let slot = out.len();
    out.push(0);
    out.extend_from_slice(name);
    out.push(0);
    slot
}

/// The same of a [`Field::key`](crate::schema::Field::key).
#[inline]
pub(super) fn prepared_key(out: &mut Vec<u8>, key: &[u8]) -> usize {
    let slot = out.len();
    out.extend_from_slice(key);
    slot
}

/// Appends `value` without its key.
pub(super) fn value(out: &mut Vec<u8>, value: RawBsonRef<'_>) -> ElementType {
    match value {
        RawBsonRef::Double(number) => out.extend_from_slice(&number.to_le_bytes()),
        RawBsonRef::Int32(number) => out.extend_from_slice(&number.to_le_bytes()),
        RawBsonRef::Int64(number) => out.extend_from_slice(&number.to_le_bytes()),
        RawBsonRef::Decimal128(number) => out.extend_from_slice(&number.bytes()),
        RawBsonRef::Boolean(truth) => out.push(truth.into()),
        RawBsonRef::DateTime(date) => out.extend_from_slice(&date.timestamp_millis().to_le_bytes()),
        RawBsonRef::ObjectId(id) => out.extend_from_slice(&id.bytes()),
        RawBsonRef::String(text) | RawBsonRef::Symbol(text) | RawBsonRef::JavaScriptCode(text) => {
            string(out, text);
        }
        RawBsonRef::Document(document) => out.extend_from_slice(document.as_bytes()),
        RawBsonRef::Array(array) => out.extend_from_slice(array.as_bytes()),
        RawBsonRef::Null | RawBsonRef::Undefined | RawBsonRef::MinKey | RawBsonRef::MaxKey => {}
        rare => out.extend_from_slice(&payload(rare)),
    }
    value.element_type()
}

/// The bytes of `value` alone, by way of `bson`'s own writer: some types' parts cannot be had otherwise.
pub(super) fn payload(value: RawBsonRef<'_>) -> Vec<u8> {
    /// The document's length, the element's type, the end of its empty name.
    const HEAD: usize = 4 + 1 + 1;
    let mut document = RawDocumentBuf::new();
    document.append(cstr!(""), value);
    let mut bytes = document.into_bytes();
    bytes.pop();
    bytes.drain(..HEAD);
    bytes
}

/// Appends the string `text` without its key.
#[inline]
pub(super) fn string(out: &mut Vec<u8>, text: &str) -> ElementType {
    out.extend_from_slice(&length(text.len() + 1));
    out.extend_from_slice(text.as_bytes());
    out.push(0);
    ElementType::String
}

/// BSON lengths are 32-bit. A buffer in which one does not fit is itself too long, which its reader refuses.
fn length(bytes: usize) -> [u8; 4] {
    i32::try_from(bytes).unwrap_or(i32::MAX).to_le_bytes()
}
