//! Documents without what is out of sight, made of their bytes: what is left stays as it is stored, byte for byte.

use std::borrow::Cow;

use bson::{RawDocument, RawDocumentBuf, spec::ElementType};

use super::{
    elements::{Element, Elements},
    encode, raw,
};
use crate::{
    error::Result,
    schema::{Field, Sight},
};

/// The `document` of the shape `shape` without the members that are out of sight. It is borrowed where the shape has
/// none.
///
/// # Errors
/// [`Error::Internal`](crate::Error::Internal) for bytes that are no document, and below
/// [`MAX_STORED_DEPTH`](encode::MAX_STORED_DEPTH) levels.
pub fn document<'d>(document: &'d RawDocument, shape: &Field) -> Result<Cow<'d, RawDocument>> {
    if !shape.conceals {
        return Ok(Cow::Borrowed(document));
    }
    let mut out = Vec::with_capacity(document.as_bytes().len());
    members(&mut out, document.as_bytes(), (&Sight::of(shape), encode::deeper(encode::MAX_STORED_DEPTH)?))?;
    let shown = RawDocumentBuf::from_bytes(out).map_err(|error| encode::corrupt(&error))?;
    Ok(Cow::Owned(shown))
}

fn members(out: &mut Vec<u8>, bytes: &[u8], (sight, room): (&Sight<'_>, usize)) -> Result<()> {
    let start = raw::open(out);
    let mut elements = Elements::of(bytes)?;
    while let Some(element) = elements.next()? {
        // What is no text is no declared name either.
        if let Some(below) = sight.member(&String::from_utf8_lossy(element.name)) {
            append(out, element, (&below, room))?;
        }
    }
    raw::close(out, start);
    Ok(())
}

fn items(out: &mut Vec<u8>, bytes: &[u8], (sight, room): (&Sight<'_>, usize)) -> Result<()> {
    let start = raw::open(out);
    let mut elements = Elements::of(bytes)?;
    while let Some(element) = elements.next()? {
        append(out, element, (sight, room))?;
    }
    raw::close(out, start);
    Ok(())
}

/// Appends what is in sight of an element that stands where `sight` is.
fn append(out: &mut Vec<u8>, element: Element<'_>, (sight, room): (&Sight<'_>, usize)) -> Result<()> {
    let slot = raw::key(out, element.name);
    out[slot] = element.kind as u8;
    match element.kind {
        ElementType::EmbeddedDocument if !sight.is_clear() => {
            members(out, element.bytes, (sight, encode::deeper(room)?))
        }
        ElementType::Array if !sight.is_clear() => items(out, element.bytes, (sight, encode::deeper(room)?)),
        _ => {
            out.extend_from_slice(element.bytes);
            Ok(())
        }
    }
}
