//! Whether what a client sends back is what it has seen.

use bson::{RawArray, RawBsonRef, RawDocument};

use super::unreadable;
use crate::{codec::encode, error::Result, schema::Field};

/// Whether `sent` is the `stored` list as a client sees it, to whom documents have the shape `shape` here.
pub(super) fn lists(stored: &RawArray, sent: &RawArray, shape: &Field) -> Result<bool> {
    let mut sent = sent.into_iter();
    for item in stored {
        let Some(other) = sent.next() else { return Ok(false) };
        if !values(item.map_err(unreadable)?, other.map_err(unreadable)?, shape.item())? {
            return Ok(false);
        }
    }
    Ok(sent.next().is_none())
}

fn documents(stored: &RawDocument, sent: &RawDocument, shape: &Field) -> Result<bool> {
    let mut sent = sent.into_iter();
    for element in stored {
        let (name, value) = element.map_err(unreadable)?;
        let field = shape.member(name.as_str());
        if field.is_out_of_sight() {
            continue;
        }
        let Some((other_name, other)) = sent.next().transpose().map_err(unreadable)? else { return Ok(false) };
        if name != other_name || !values(value, other, field)? {
            return Ok(false);
        }
    }
    Ok(sent.next().is_none())
}

/// Whether `sent` is the `stored` value as such a client sees it.
///
/// Nobody sees in which of the numeric types a number is stored, where the schema leaves that open.
pub(super) fn values(stored: RawBsonRef<'_>, sent: RawBsonRef<'_>, shape: &Field) -> Result<bool> {
    match (stored, sent) {
        _ if stored == sent => Ok(true),
        (RawBsonRef::Array(stored), RawBsonRef::Array(sent)) => lists(stored, sent, shape),
        (RawBsonRef::Document(stored), RawBsonRef::Document(sent)) => documents(stored, sent, shape),
        _ => Ok(text(stored, shape)? == text(sent, shape)?),
    }
}

fn text(value: RawBsonRef<'_>, shape: &Field) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    encode::value(&mut text, value, shape)?;
    Ok(text)
}
