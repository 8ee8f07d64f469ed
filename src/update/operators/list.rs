//! What operators do with arrays: `$push`, `$addToSet`, `$pull`, `$pullAll` and `$pop`.
//!
//! See [array update operators](https://www.mongodb.com/docs/manual/reference/operator/update-array/).

use std::borrow::Cow;

use bson::{Bson, Document, doc};

use super::{
    operand::{Place, unknown},
    path::{self, Part},
    text::{Member, Piece},
};
use crate::{
    codec::decode,
    error::{Result, check_limit},
    json::below,
    query::filter::{Filter, Origin},
    schema::Field,
};

/// What may stand beside the items of `$push`.
const MODIFIERS: [&str; 4] = ["$each", "$position", "$slice", "$sort"];

/// MongoDB sorts by no more keys.
const MAX_SORT_KEYS: usize = 32;

/// One item, or `$each` of several with where they go and what is left of the array.
pub(super) fn push(piece: Piece<'_>, place: Place<'_>) -> Result<Bson> {
    if !is_modified(piece) {
        return one(piece, place);
    }
    let mut modifiers = Document::new();
    for Member { name, at, value } in piece.members(MODIFIERS.len())? {
        let read = match name.as_str() {
            "$each" => several(value, place)?,
            "$position" | "$slice" => {
                let number = value.whole_number().map(Bson::Int32);
                number.ok_or_else(|| value.wrong(format!("`{name}` takes a 32-bit whole number")))?
            }
            "$sort" => order(value)?,
            _ => return Err(piece.wrong_at(at, unknown(&name, ("$push", &MODIFIERS)))),
        };
        modifiers.insert(name, read);
    }
    complete(piece, modifiers)
}

/// One item, or `$each` of several.
pub(super) fn add_to_set(piece: Piece<'_>, place: Place<'_>) -> Result<Bson> {
    if !is_modified(piece) {
        return one(piece, place);
    }
    let mut modifiers = Document::new();
    for Member { name, at, value } in piece.members(MODIFIERS.len())? {
        if name != "$each" {
            return Err(piece.wrong_at(at, unknown(&name, ("$addToSet", &MODIFIERS[..1]))));
        }
        let items = several(value, place)?;
        check_count(place, &items)?;
        modifiers.insert(name, items);
    }
    complete(piece, modifiers)
}

/// A condition on the items that are taken out.
pub(super) fn pull(piece: Piece<'_>, place: Place<'_>) -> Result<Bson> {
    let pointer = below(&below("", "$pull"), place.path);
    let origin = Origin { parameter: "$pull".to_owned(), offset: 0, pointer: Some(pointer) };
    Filter::of_items(piece.text()?, origin, place.limits)?.plan_pull(place.field.item(), place.limits)
}

/// The items that are taken out.
pub(super) fn pull_all(piece: Piece<'_>, place: Place<'_>) -> Result<Bson> {
    let items = several(piece, place)?;
    check_count(place, &items)?;
    Ok(items)
}

/// `1` takes the last item, `-1` the first.
pub(super) fn pop(piece: Piece<'_>) -> Result<Bson> {
    let end = piece.whole_number().filter(|end| matches!(end, 1 | -1)).map(Bson::Int32);
    end.ok_or_else(|| piece.wrong("`$pop` takes `1` for the last item or `-1` for the first one"))
}

/// Whether what is added is given with modifiers, rather than as a value.
fn is_modified(piece: Piece<'_>) -> bool {
    piece.first_name().is_some_and(|name| name.starts_with('$') && !decode::is_wrapper(&name))
}

fn one(piece: Piece<'_>, place: Place<'_>) -> Result<Bson> {
    let item = piece.decode(place.field.item())?;
    Ok(Bson::Document(doc! { "$each": [item] }))
}

/// An array of items, whatever their positions will be.
fn several(piece: Piece<'_>, place: Place<'_>) -> Result<Bson> {
    let shape = match place.field.tuple {
        None => Cow::Borrowed(place.field),
        Some(_) => Cow::Owned(Field { tuple: None, ..place.field.clone() }),
    };
    match piece.decode(&shape)? {
        items @ Bson::Array(_) => Ok(items),
        _ => Err(piece.wrong("expected an array of items")),
    }
}

/// Each of these items is compared with each of the stored ones.
fn check_count(place: Place<'_>, items: &Bson) -> Result<()> {
    let count = items.as_array().map_or(0, Vec::len);
    check_limit(("--max-in", place.limits.max_in), count, || format!("`{}` of {count} values", place.operator.name()))
}

fn complete(piece: Piece<'_>, modifiers: Document) -> Result<Bson> {
    if modifiers.contains_key("$each") {
        return Ok(Bson::Document(modifiers));
    }
    Err(piece.wrong("expected `$each` beside it, the items to add; `[]` adds none"))
}

/// `1` or `-1`, by the items themselves, or `{"year":-1}` by their members.
fn order(piece: Piece<'_>) -> Result<Bson> {
    let direction = |piece: Piece<'_>| piece.whole_number().filter(|number| matches!(number, 1 | -1)).map(Bson::Int32);
    let expected = "expected `1`, `-1`, or an object such as `{\"year\":-1}`";
    let Some(_) = piece.first_name() else {
        return direction(piece).ok_or_else(|| piece.wrong(expected));
    };
    let mut keys = Document::new();
    for Member { name, at, value } in piece.members(MAX_SORT_KEYS)? {
        path::check(&name).map_err(|detail| piece.wrong_at(at, detail))?;
        if path::parts(&name).any(|part| matches!(part, Part::Items(_))) {
            return Err(piece.wrong_at(at, "items are sorted by names of their members"));
        }
        keys.insert(name, direction(value).ok_or_else(|| value.wrong("expected `1` or `-1`"))?);
    }
    if keys.len() > MAX_SORT_KEYS {
        return Err(piece.wrong(format!("items are sorted by at most {MAX_SORT_KEYS} of their members")));
    }
    Ok(Bson::Document(keys))
}
