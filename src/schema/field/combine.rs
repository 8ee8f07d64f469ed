//! Two shapes as one: what both allow, and what either allows.

use std::mem::take;

use indexmap::IndexMap;

use super::super::{Additional, Field, Kind, Kinds};

/// The most places that one shape of undeclared members may become. Two lists of a thousand fields each, of which one
/// speaks of the members of the other, would be a million.
const MAX_REPEATED: usize = 20_000;

/// What both `a` and `b` allow; what they say beside types is `a`'s where both say it.
pub(super) fn intersect(mut a: Field, mut b: Field) -> Field {
    let kinds = a.kinds.intersection(b.kinds);
    let members = intersect_members(&mut a, &mut b);
    let missing = b.required.into_iter().filter(|name| !a.required.contains(name)).collect::<Vec<_>>();
    Field {
        kinds,
        loose_number: (a.loose_number || b.loose_number) && every_number(kinds),
        uuid: (a.uuid || b.uuid) && kinds.contains(Kind::BinData),
        properties: members.properties,
        additional: members.additional,
        items: match (a.items, b.items) {
            (Some(a), Some(b)) => Some(intersect(*a, *b).into()),
            (one, other) => one.or(other),
        },
        required: [a.required, missing].concat(),
        default: a.default.or(b.default),
        read_only: a.read_only || b.read_only,
        write_only: a.write_only || b.write_only,
        set: a.set.or(b.set),
        reference: a.reference.or(b.reference),
        label: a.label,
        ..Field::any()
    }
}

/// What `a` or `b` allows: nothing is said that one of them does not say.
pub(super) fn unite(mut a: Field, mut b: Field) -> Field {
    let members = unite_members(&mut a, &mut b);
    Field {
        kinds: a.kinds.union(b.kinds),
        loose_number: agreed(&a, &b, Kinds::NUMBERS, |field| field.loose_number),
        uuid: agreed(&a, &b, Kind::BinData.into(), |field| field.uuid),
        properties: members.properties,
        additional: members.additional,
        required: members.required,
        items: unite_items(&mut a, &mut b),
        ..Field::any()
    }
}

/// The shape alone, without what is only meant at a field's own place.
pub(super) fn bare(field: Field) -> Field {
    Field { default: None, read_only: false, write_only: false, set: None, reference: None, ..field }
}

/// Whether all numeric types are in the set, so that nothing has narrowed `integer` or `number`.
pub(super) fn every_number(kinds: Kinds) -> bool {
    kinds.intersection(Kinds::NUMBERS) == Kinds::NUMBERS
}

/// What a shape says of an object's members.
struct Members {
    properties: IndexMap<String, Field>,
    additional: Additional,
    required: Vec<String>,
}

impl Members {
    fn take(field: &mut Field) -> Self {
        Self {
            properties: take(&mut field.properties),
            additional: std::mem::replace(&mut field.additional, Additional::Any),
            required: take(&mut field.required),
        }
    }
}

fn intersect_members(a: &mut Field, b: &mut Field) -> Members {
    // A name that the other side forbids is left out: the result's `additional` then forbids it too.
    let both = |field: Field, other: Option<Field>| other.map(|other| intersect(field, other));
    let properties = pair(a, b, both);
    let additional = match (shape(&a.additional), shape(&b.additional)) {
        _ if a.additional == Additional::Any => b.additional.clone(),
        _ if b.additional == Additional::Any => a.additional.clone(),
        (Some(a), Some(b)) => Additional::Shape(intersect(a, b).into()),
        _ => Additional::Forbidden,
    };
    Members { properties, additional, required: Vec::new() }
}

fn unite_members(a: &mut Field, b: &mut Field) -> Members {
    // A side where no object may stand says nothing of an object's members.
    if !a.kinds.contains(Kind::Object) {
        return Members::take(b);
    }
    if !b.kinds.contains(Kind::Object) {
        return Members::take(a);
    }
    let either = |field: Field, other: Option<Field>| match other {
        Some(other) => Some(unite(field, other)),
        None => Some(field),
    };
    let properties = pair(a, b, either);
    let additional = match (shape(&a.additional), shape(&b.additional)) {
        _ if a.additional == Additional::Any || b.additional == Additional::Any => Additional::Any,
        (Some(a), Some(b)) => Additional::Shape(unite(a, b).into()),
        (Some(one), None) | (None, Some(one)) => Additional::Shape(one.into()),
        (None, None) => Additional::Forbidden,
    };
    let required = take(&mut a.required).into_iter().filter(|name| b.required.contains(name)).collect();
    Members { properties, additional, required }
}

/// Every name that either side declares, in order, with what `combine` makes of it and of what the other side says
/// of that name (`None` where it forbids it).
fn pair(
    a: &mut Field,
    b: &mut Field,
    combine: impl Fn(Field, Option<Field>) -> Option<Field>,
) -> IndexMap<String, Field> {
    let (ours, mut others) = (take(&mut a.properties), take(&mut b.properties));
    let (of_ours, of_others) = (repeated(&b.additional, ours.len()), repeated(&a.additional, others.len()));
    let mut properties = IndexMap::new();
    for (name, field) in ours {
        let other = others.shift_remove(&name).or_else(|| of_ours.clone());
        properties.extend(combine(field, other).map(|field| (name, field)));
    }
    for (name, field) in others {
        properties.extend(combine(field, of_others.clone()).map(|field| (name, field)));
    }
    properties
}

/// The shape of each of `count` undeclared members, a place of which nothing is said where that would be too much.
fn repeated(additional: &Additional, count: usize) -> Option<Field> {
    match additional {
        Additional::Shape(field) if size(field).saturating_mul(count) > MAX_REPEATED => Some(Field::any()),
        additional => shape(additional),
    }
}

/// How many places the shape describes.
fn size(field: &Field) -> usize {
    let additional = if let Additional::Shape(field) = &field.additional { size(field) } else { 0 };
    let items = field.items.as_deref().map_or(0, size);
    1 + additional + items + field.properties.values().map(size).sum::<usize>()
}

/// The shape of an undeclared member; `None` where there may be none.
fn shape(additional: &Additional) -> Option<Field> {
    match additional {
        Additional::Any => Some(Field::any()),
        Additional::Forbidden => None,
        Additional::Shape(field) => Some(Field::clone(field)),
    }
}

fn unite_items(a: &mut Field, b: &mut Field) -> Option<Box<Field>> {
    let array = |field: &Field| field.kinds.contains(Kind::Array);
    match (array(a), array(b)) {
        (false, _) => b.items.take(),
        (_, false) => a.items.take(),
        _ => Some(unite(*a.items.take()?, *b.items.take()?).into()),
    }
}

/// Whether `holds` on every side where one of `kinds` may stand, and on one at least.
fn agreed(a: &Field, b: &Field, kinds: Kinds, holds: fn(&Field) -> bool) -> bool {
    let fine = |field: &Field| holds(field) || field.kinds.intersection(kinds) == Kinds::NONE;
    (holds(a) || holds(b)) && fine(a) && fine(b)
}
