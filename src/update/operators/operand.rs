//! What each operator does with a field, read as the schema has the field.
//!
//! See [field update operators](https://www.mongodb.com/docs/manual/reference/operator/update-field/) and
//! [`$bit`](https://www.mongodb.com/docs/manual/reference/operator/update/bit/).

use bson::{Bson, Document, doc};

use super::{
    Operator, list, path,
    text::{Member, Piece},
};
use crate::{
    config::Limits,
    error::{Result, nearest},
    schema::{Field, Kind, Kinds},
};

/// Where an operator stands.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) operator: Operator,
    pub(super) path: &'p str,
    /// What the schema says of the field.
    pub(super) field: &'p Field,
    pub(super) limits: &'p Limits,
}

/// The operand `piece` of the operator at `place`.
pub(super) fn read(piece: Piece<'_>, place: Place<'_>) -> Result<Bson> {
    match place.operator {
        Operator::Set | Operator::SetOnInsert | Operator::Min | Operator::Max => piece.decode(place.field),
        Operator::Unset => piece.decode(&Field::any()).map(|_| Bson::String(String::new())),
        Operator::Inc | Operator::Mul => number(piece, place),
        Operator::Rename => target(piece),
        Operator::CurrentDate => clock(piece, place),
        Operator::Bit => bits(piece, place),
        Operator::Push => list::push(piece, place),
        Operator::AddToSet => list::add_to_set(piece, place),
        Operator::Pull => list::pull(piece, place),
        Operator::PullAll => list::pull_all(piece, place),
        Operator::Pop => list::pop(piece),
    }
}

fn number(piece: Piece<'_>, place: Place<'_>) -> Result<Bson> {
    let amount = piece.decode(place.field)?;
    if Kinds::NUMBERS.contains(Kind::of(amount.element_type())) {
        return Ok(amount);
    }
    Err(piece.wrong(format!("`{}` of `{}` takes a number", place.operator.name(), place.path.escape_debug())))
}

/// The new name of a field.
fn target(piece: Piece<'_>) -> Result<Bson> {
    let Ok(Bson::String(target)) = piece.decode(&Field { kinds: Kind::String.into(), ..Field::any() }) else {
        return Err(piece.wrong("`$rename` takes the new name of a field, as a string"));
    };
    path::check(&target).map_err(|detail| piece.wrong(detail))?;
    check_renamed(&target).map_err(|detail| piece.wrong(detail))?;
    Ok(Bson::String(target))
}

/// Refuses a path that MongoDB takes at neither end of `$rename`.
pub(super) fn check_renamed(path: &str) -> Result<(), String> {
    if path.contains("$[") {
        return Err(format!("`{}`: `$rename` does not reach into arrays", path.escape_debug()));
    }
    Ok(())
}

/// `true`, or `{"$type":"date"}`, or `{"$type":"timestamp"}`.
fn clock(piece: Piece<'_>, place: Place<'_>) -> Result<Bson> {
    let named = match piece.first_name() {
        Some(_) => match &piece.members(1)?[..] {
            [Member { name, value, .. }] if name == "$type" => value.decode(&Field::any())?.as_str().map(str::to_owned),
            _ => None,
        },
        None => (piece.text()?.trim() == "true").then(|| "date".to_owned()),
    };
    let kind = named.as_deref().and_then(Kind::named).filter(|kind| matches!(kind, Kind::Date | Kind::Timestamp));
    let Some(kind) = kind else {
        return Err(piece.wrong("`$currentDate` takes `true`, `{\"$type\":\"date\"}` or `{\"$type\":\"timestamp\"}`"));
    };
    if !place.field.kinds.contains(kind) {
        let (path, kind) = (place.path.escape_debug(), kind.name());
        return Err(piece.wrong(format!("`$currentDate` writes a {kind} here, and `{path}` holds none")));
    }
    Ok(Bson::Document(doc! { "$type": kind.name() }))
}

/// `{"and": 5}`, with `or` and `xor` too.
fn bits(piece: Piece<'_>, place: Place<'_>) -> Result<Bson> {
    const MEMBERS: [&str; 3] = ["and", "or", "xor"];
    const WHOLE: [Kind; 2] = [Kind::Int, Kind::Long];
    let declared: Vec<_> = WHOLE.into_iter().filter(|kind| place.field.kinds.contains(*kind)).collect();
    let kinds = if declared.is_empty() { &WHOLE[..] } else { &declared };
    let kinds = kinds.iter().fold(Kinds::NONE, |kinds, kind| kinds.union((*kind).into()));
    let shape = Field { kinds, ..Field::any() };
    let mut operations = Document::new();
    let members = if piece.is_object() { piece.members(MEMBERS.len())? } else { Vec::new() };
    for Member { name, at, value } in members {
        if !MEMBERS.contains(&name.as_str()) {
            return Err(piece.wrong_at(at, unknown(&name, ("$bit", &MEMBERS))));
        }
        match value.decode(&shape)? {
            whole @ (Bson::Int32(_) | Bson::Int64(_)) => drop(operations.insert(name, whole)),
            _ => return Err(value.wrong(format!("`{name}` takes a whole number"))),
        }
    }
    if operations.is_empty() {
        return Err(piece.wrong("`$bit` takes an object of `and`, `or` or `xor`, as in `{\"or\":4}`"));
    }
    Ok(Bson::Document(operations))
}

/// What is wrong with the member `name`, which is none of those that `operator` takes.
pub(super) fn unknown(name: &str, (operator, known): (&str, &[&str])) -> String {
    let name_shown = name.escape_debug();
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("`{operator}` takes no `{name_shown}`, did you mean `{near}`?"),
        None => format!("`{operator}` takes no `{name_shown}`, only `{}`", known.join("`, `")),
    }
}
