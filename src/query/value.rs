//! What queries compare with: values of the declared types.

use bson::{Bson, RawBson};

use super::path;
use crate::{
    error::{Error, Result},
    schema::{Field, Kind, Kinds},
};

/// The shapes that a value here may have: an array is compared with the field or, in an array of arrays, with its items;
/// anything else with the items of an array, and with the field where that may be something else than an array.
pub(super) fn operands(field: &Field, is_array: bool) -> (&Field, Option<&Field>) {
    let item = field.kinds.contains(Kind::Array).then(|| field.item());
    match item {
        Some(item) if !is_array && path::is_list(field) => (item, None),
        item => (field, item),
    }
}

/// Whether a value of one of `kinds` may stand here, in an array if not by itself.
pub(super) fn takes(field: &Field, kinds: Kinds) -> bool {
    let (own, item) = operands(field, false);
    [Some(own), item].into_iter().flatten().any(|shape| shape.kinds.intersection(kinds) != Kinds::NONE)
}

/// Whether comparing with `value` makes sense where `kinds` stand: numbers compare with each other, null with anything.
pub(super) fn comparable(value: &RawBson, kinds: Kinds) -> bool {
    let kind = Kind::of(value.element_type());
    let number = Kinds::NUMBERS.contains(kind) && kinds.intersection(Kinds::NUMBERS) != Kinds::NONE;
    kinds.contains(kind) || number || kind == Kind::Null
}

/// The values that `kinds` take, in words.
pub(crate) fn expected(kinds: Kinds) -> String {
    let names: Vec<_> = kinds.iter().map(in_words).collect();
    if kinds == Kinds::ANY { "a value".to_owned() } else { names.join(" or ") }
}

fn in_words(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "a string",
        Kind::Object => "an object",
        Kind::Array => "an array",
        Kind::BinData => "binary data (base64 or a UUID)",
        Kind::ObjectId => "an ObjectId (24 hex digits)",
        Kind::Bool => "`true` or `false`",
        Kind::Date => "a date (RFC 3339, `2024-05-01T12:00:00Z`)",
        Kind::Null => "`null`",
        Kind::Int => "a 32-bit whole number",
        Kind::Long => "a 64-bit whole number",
        Kind::Double => "a number",
        Kind::Decimal => "a decimal number",
        other => other.name(),
    }
}

pub(super) fn to_bson(value: RawBson) -> Result<Bson> {
    Bson::try_from(value).map_err(|e| Error::Internal(format!("a value that was just encoded cannot be read: {e}")))
}
