//! Whether two values are the same JSON value ([RFC 6902, section 4.6](https://www.rfc-editor.org/rfc/rfc6902#section-4.6)).

use std::collections::HashMap;

use bson::{Bson, RawArray, RawBsonRef, RawDocument, raw::CStr};

use crate::{
    codec::encode,
    error::Result,
    schema::{Field, access::compare_numbers},
    update::unreadable,
};

/// Whether `a` and `b`, both of the shape `shape`, are the same: numbers by their value, objects in any order, and what
/// is of different types by how it looks.
pub(super) fn values(a: RawBsonRef<'_>, b: RawBsonRef<'_>, shape: &Field) -> Result<bool> {
    match (a, b) {
        (RawBsonRef::Document(a), RawBsonRef::Document(b)) => objects(a, b, shape),
        (RawBsonRef::Array(a), RawBsonRef::Array(b)) => lists(a, b, shape),
        _ if a == b => Ok(true),
        _ => Ok(numbers(a, b) || looks(a, shape)? == looks(b, shape)?),
    }
}

fn objects(a: &RawDocument, b: &RawDocument, shape: &Field) -> Result<bool> {
    let mut others: HashMap<&CStr, RawBsonRef<'_>> = b.iter().collect::<Result<_, _>>().map_err(unreadable)?;
    for element in a {
        let (name, value) = element.map_err(unreadable)?;
        match others.remove(name) {
            Some(other) if values(value, other, shape.sent(name.as_str()))? => {}
            _ => return Ok(false),
        }
    }
    Ok(others.is_empty())
}

fn lists(a: &RawArray, b: &RawArray, shape: &Field) -> Result<bool> {
    let mut others = b.into_iter();
    for (index, item) in a.into_iter().enumerate() {
        let Some(other) = others.next() else { return Ok(false) };
        if !values(item.map_err(unreadable)?, other.map_err(unreadable)?, shape.at(index))? {
            return Ok(false);
        }
    }
    Ok(others.next().is_none())
}

fn numbers(a: RawBsonRef<'_>, b: RawBsonRef<'_>) -> bool {
    let (Ok(a), Ok(b)) = (Bson::try_from(a), Bson::try_from(b)) else { return false };
    compare_numbers(&a, &b).is_some_and(std::cmp::Ordering::is_eq)
}

fn looks(value: RawBsonRef<'_>, shape: &Field) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    encode::value(&mut text, value, shape)?;
    Ok(text)
}
