//! Whether what a client sends back is what it has seen.

use bson::{RawArray, RawBsonRef, RawDocument};

use super::unreadable;
use crate::{
    codec::encode,
    error::Result,
    schema::{Field, Sight},
};

/// Whether `sent` is the `stored` value as a client sees it, to whom what stands here has the shape `shape`.
///
/// Nobody sees in which of the numeric types a number is stored, where the schema leaves that open.
pub(super) fn values(stored: RawBsonRef<'_>, sent: RawBsonRef<'_>, shape: &Field) -> Result<bool> {
    alike(stored, sent, (&Sight::of(shape), shape))
}

/// What of a value is in sight, and its shape.
type Seen<'s> = (&'s Sight<'s>, &'s Field);

fn alike(stored: RawBsonRef<'_>, sent: RawBsonRef<'_>, seen: Seen<'_>) -> Result<bool> {
    match (stored, sent) {
        (RawBsonRef::Array(stored), RawBsonRef::Array(sent)) => lists(stored, sent, seen),
        (RawBsonRef::Document(stored), RawBsonRef::Document(sent)) => documents(stored, sent, seen),
        _ if stored == sent => Ok(true),
        _ => Ok(text(stored, seen.1)? == text(sent, seen.1)?),
    }
}

fn lists(stored: &RawArray, sent: &RawArray, (sight, shape): Seen<'_>) -> Result<bool> {
    let mut sent = sent.into_iter();
    for item in stored {
        let Some(other) = sent.next() else { return Ok(false) };
        if !alike(item.map_err(unreadable)?, other.map_err(unreadable)?, (sight, shape.item()))? {
            return Ok(false);
        }
    }
    Ok(sent.next().is_none())
}

fn documents(stored: &RawDocument, sent: &RawDocument, (sight, shape): Seen<'_>) -> Result<bool> {
    let mut sent = sent.into_iter();
    for element in stored {
        let (name, value) = element.map_err(unreadable)?;
        let Some(sight) = sight.member(name.as_str()) else { continue };
        let Some((other_name, other)) = sent.next().transpose().map_err(unreadable)? else { return Ok(false) };
        if name != other_name || !alike(value, other, (&sight, shape.member(name.as_str())))? {
            return Ok(false);
        }
    }
    Ok(sent.next().is_none())
}

fn text(value: RawBsonRef<'_>, shape: &Field) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    encode::value(&mut text, value, shape)?;
    Ok(text)
}
