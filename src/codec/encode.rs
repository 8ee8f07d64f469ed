//! BSON to JSON bytes in one pass, guided by the schema.
//!
//! A value prints plainly only where reading the print back gives the same BSON; elsewhere it prints as canonical
//! Extended JSON, which `ejson` writes.

use bson::{RawDocument, raw::RawBsonRef, spec::ElementType};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub(super) use self::{
    float::float,
    quote::{quote, quote_bytes},
};
use super::{
    ejson,
    elements::{Element, Elements},
    members::Members,
    text,
};
use crate::{
    error::{Error, Result},
    schema::{Field, Kind},
};

mod float;
mod quote;

/// What stands for itself in a path segment, RFC 3986's unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How deep stored documents may be nested. MongoDB's own limit is about half of it.
pub const MAX_STORED_DEPTH: usize = 200;

/// Appends `document` as JSON. A document that is not valid BSON is an [`Error::Internal`], and `out` is then cut off.
pub fn document(out: &mut Vec<u8>, document: &RawDocument, shape: &Field) -> Result<()> {
    object(out, document.as_bytes(), shape, MAX_STORED_DEPTH)
}

/// Appends `document` as [`document`] does, without its member `name`.
pub fn document_without(out: &mut Vec<u8>, document: &RawDocument, shape: &Field, name: &str) -> Result<()> {
    let room = deeper(MAX_STORED_DEPTH)?;
    kept_members(out, document.as_bytes(), (shape, room), |found| found != name.as_bytes())
}

/// Appends `value` as JSON. Fails as [`document`] does.
pub fn value(out: &mut Vec<u8>, value: RawBsonRef<'_>, shape: &Field) -> Result<()> {
    match value {
        RawBsonRef::Document(document) => object(out, document.as_bytes(), shape, MAX_STORED_DEPTH),
        RawBsonRef::Array(values) => array(out, values.as_bytes(), shape, MAX_STORED_DEPTH),
        value => scalar(out, value, shape, MAX_STORED_DEPTH),
    }
}

/// The value as a segment of a path, from which [`decode::text`](super::decode::text) reads it again; `None` for one that
/// no segment can stand for.
pub fn segment(id: RawBsonRef<'_>, shape: &Field) -> Option<String> {
    let mut json = Vec::new();
    value(&mut json, id, shape).ok()?;
    let text = match serde_json::from_slice(&json).ok()? {
        serde_json::Value::String(text) => text,
        serde_json::Value::Object(_) => return None,
        _ => String::from_utf8(json).ok()?,
    };
    Some(utf8_percent_encode(&text, SEGMENT).to_string())
}

fn object(out: &mut Vec<u8>, document: &[u8], shape: &Field, room: usize) -> Result<()> {
    kept_members(out, document, (shape, deeper(room)?), |_| true)
}

#[inline]
fn kept_members(
    out: &mut Vec<u8>,
    document: &[u8],
    (shape, room): (&Field, usize),
    keep: impl Fn(&[u8]) -> bool,
) -> Result<()> {
    let (mut members, start) = (Members::of(document, shape)?, out.len());
    while let Some((member, shape)) = members.next()? {
        if keep(member.name) {
            label(out, member.name, shape)?;
            nested(out, member, shape, room)?;
        }
    }
    enclose(out, start, *b"{}");
    Ok(())
}

/// Appends a comma and the name.
#[expect(clippy::inline_always, reason = "it is mostly one copy of a few bytes")]
#[inline(always)]
fn label(out: &mut Vec<u8>, name: &[u8], shape: &Field) -> Result<()> {
    if shape.label.is_empty() {
        out.push(b',');
        quote_bytes(out, name)?;
        out.push(b':');
    } else {
        out.extend_from_slice(&shape.label);
    }
    Ok(())
}

/// Puts what was written from `start` on, each part with a comma before it, in brackets.
#[inline]
fn enclose(out: &mut Vec<u8>, start: usize, [open, close]: [u8; 2]) {
    match out.get_mut(start) {
        Some(comma) => *comma = open,
        None => out.push(open),
    }
    out.push(close);
}

fn array(out: &mut Vec<u8>, values: &[u8], shape: &Field, room: usize) -> Result<()> {
    if let Some(tuple) = shape.tuple.as_deref() {
        return items(out, values, |index| tuple.at(index), room);
    }
    let item = shape.item();
    items(out, values, |_| item, room)
}

/// Appends the items of an array, each of the shape that `shape` has for its position.
fn items<'s>(out: &mut Vec<u8>, values: &[u8], shape: impl Fn(usize) -> &'s Field, room: usize) -> Result<()> {
    let (room, start) = (deeper(room)?, out.len());
    let mut elements = Elements::of(values)?;
    let mut index = 0;
    while let Some(element) = elements.next_item()? {
        out.push(b',');
        nested(out, element, shape(index), room)?;
        index += 1;
    }
    enclose(out, start, *b"[]");
    Ok(())
}

#[inline]
fn nested(out: &mut Vec<u8>, element: Element<'_>, shape: &Field, room: usize) -> Result<()> {
    match element.kind {
        ElementType::String => Ok(quote_bytes(out, element.text()?)?),
        ElementType::EmbeddedDocument => object(out, element.bytes, shape, room),
        ElementType::Array => array(out, element.bytes, shape, room),
        _ => match element.value()? {
            Some(value) => scalar(out, value, shape, room),
            None => rare(out, element, shape, room),
        },
    }
}

#[expect(clippy::inline_always, reason = "what the value is was just looked at, and need not be again")]
#[inline(always)]
fn scalar(out: &mut Vec<u8>, value: RawBsonRef<'_>, shape: &Field, room: usize) -> Result<()> {
    if plain(out, value, shape)? { Ok(()) } else { ejson::write(out, value, room) }
}

fn rare(out: &mut Vec<u8>, element: Element<'_>, shape: &Field, room: usize) -> Result<()> {
    let alone = element.alone()?;
    alone.iter().try_for_each(|element| scalar(out, element.map_err(|error| corrupt(&error))?.1, shape, room))
}

/// Appends `value` as the string, number or word that it is in `shape`; `false`, and nothing, where it needs a wrapper.
#[expect(clippy::inline_always, reason = "as of `scalar`")]
#[inline(always)]
fn plain(out: &mut Vec<u8>, value: RawBsonRef<'_>, shape: &Field) -> Result<bool> {
    match value {
        RawBsonRef::Null => out.extend_from_slice(b"null"),
        RawBsonRef::Boolean(true) => out.extend_from_slice(b"true"),
        RawBsonRef::Boolean(false) => out.extend_from_slice(b"false"),
        RawBsonRef::String(text) => quote(out, text)?,
        RawBsonRef::Int32(number) if shape.kinds.contains(Kind::Int) => integer(out, number),
        RawBsonRef::Int64(number) if reads_as_long(number, shape) => integer(out, number),
        RawBsonRef::Double(number) if number.is_finite() && shape.kinds.contains(Kind::Double) => float(out, number),
        value => return Ok(text::write(out, value, shape)),
    }
    Ok(true)
}

/// Whether the digits of `number` alone are read as a long, or need not be.
fn reads_as_long(number: i64, shape: &Field) -> bool {
    let as_int = shape.kinds.contains(Kind::Int) && i32::try_from(number).is_ok();
    shape.kinds.contains(Kind::Long) && (shape.loose_number || !as_int)
}

fn integer(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// The room that is left one level further down.
pub(super) fn deeper(room: usize) -> Result<usize> {
    let limit = || Error::Internal(format!("a stored document is nested deeper than {MAX_STORED_DEPTH} levels"));
    room.checked_sub(1).ok_or_else(limit)
}

pub(super) fn corrupt(error: &bson::error::Error) -> Error {
    Error::Internal(format!("a stored document is not valid BSON: {error}"))
}
