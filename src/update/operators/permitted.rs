//! What the paths of an update may reach: nothing that is out of sight, and nothing that is not for clients to write.
//!
//! The server runs the operators, so this is told from the paths alone, whatever is stored.

use std::{iter::successors, ptr};

use super::{
    Operator,
    path::{Part, parts},
};
use crate::{
    json::push_token,
    query::path::picks_item,
    schema::{Additional, Field, Sight},
};

/// Whether `operator` may take `path` in documents of the shape `root`, by what is out of sight there.
///
/// What nobody may read may be set or removed as a whole. Anything else would tell what it is.
pub(super) fn is_in_sight(root: &Field, path: &str, operator: Option<Operator>) -> bool {
    let is_whole = matches!(operator, Some(Operator::Set | Operator::SetOnInsert | Operator::Unset));
    sees(Sight::of(root), path) || is_whole && sees(Sight::of_hidden(root), path) && is_write_only(root, path)
}

/// Whether all that `path` reaches from here is in sight.
fn sees(sight: Sight<'_>, path: &str) -> bool {
    walk(sight, path).is_some_and(|reached| reached.is_clear())
}

/// The place that `path` leads to from here; `None` if that, or a place on the way, is out of sight.
fn walk<'f>(sight: Sight<'f>, path: &str) -> Option<Sight<'f>> {
    parts(path).try_fold(sight, |sight, part| match part {
        // What is said of the items of an array is said where the array stands.
        Part::Items(_) => Some(sight),
        Part::Name(name) => sight.step(name),
    })
}

/// Whether what `path` leads to is out of sight, and all on the way is not.
fn is_write_only(root: &Field, path: &str) -> bool {
    let sight = Sight::of(root);
    let around = path.rsplit_once('.').map_or(Some(sight.clone()), |(around, _)| walk(sight.clone(), around));
    around.is_some() && walk(sight, path).is_none()
}

/// The pointer of the first field at, above or below `path` that clients may not write, if there is one.
pub(super) fn protected(root: &Field, path: &str) -> Option<String> {
    let (mut here, mut pointer) = (vec![root], String::new());
    for (depth, part) in parts(path).enumerate() {
        let Part::Name(name) = part else {
            push_token(&mut pointer, "$[]");
            continue;
        };
        push_token(&mut pointer, name);
        let mut next = Vec::new();
        for field in here.iter().flat_map(|field| layers(field)).map(|field| field.member(name)) {
            add(&mut next, field);
        }
        if next.iter().any(|field| is_protected(field)) || depth == 0 && name == "_id" {
            return Some(pointer);
        }
        // A number may also pick an item.
        here.into_iter().filter(|_| picks_item(name)).for_each(|field| add(&mut next, field));
        here = next;
    }
    here.into_iter().find_map(protected_below).map(|below| pointer + &below)
}

fn add<'f>(fields: &mut Vec<&'f Field>, field: &'f Field) {
    if !fields.iter().any(|known| ptr::eq(*known, field)) {
        fields.push(field);
    }
}

/// The pointer of a field that clients may not write, from the place above it that has the shape `field`. No deeper than
/// collection files are.
fn protected_below(field: &Field) -> Option<String> {
    let member = |(name, field): (&String, &Field)| {
        let mut pointer = String::new();
        push_token(&mut pointer, name);
        if is_protected(field) { Some(pointer) } else { protected_below(field).map(|below| pointer + &below) }
    };
    layers(field).find_map(|layer| layer.properties.iter().find_map(member).or_else(|| others(layer)))
}

/// The same of members without a name of their own.
fn others(field: &Field) -> Option<String> {
    let Additional::Shape(other) = &field.additional else { return None };
    protected_below(other).map(|below| format!("/*{below}"))
}

/// The shape, that of its items, that of their items, and so on.
fn layers(shape: &Field) -> impl Iterator<Item = &Field> {
    successors(Some(shape), |shape| shape.items.as_deref())
}

fn is_protected(field: &Field) -> bool {
    field.read_only || field.set.is_some() || field.forced.is_some()
}
