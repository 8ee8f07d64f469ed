//! Two shapes as one: what both allow, and what either allows.

use std::mem::take;

use indexmap::IndexMap;

use super::super::{Additional, Field, Kind, Kinds, Tuple};

/// The most places that one shape of undeclared members, or of items, may become. Two lists of a thousand fields each, of which one
/// speaks of the members of the other, would be a million.
const MAX_REPEATED: usize = 20_000;
/// The most places that the items of a tuple may have to be spoken of together.
const MAX_TUPLE: usize = 1_000;

/// What both `a` and `b` allow; what they say beside types is `a`'s where both say it.
pub(super) fn intersect(mut a: Field, mut b: Field) -> Field {
    let kinds = a.kinds.intersection(b.kinds);
    let members = intersect_members(&mut a, &mut b);
    let items = intersect_items(&mut a, &mut b);
    let missing = b.required.into_iter().filter(|name| !a.required.contains(name)).collect::<Vec<_>>();
    Field {
        kinds,
        loose_number: (a.loose_number || b.loose_number) && every_number(kinds),
        uuid: (a.uuid || b.uuid) && kinds.contains(Kind::BinData),
        properties: members.properties,
        additional: members.additional,
        items: items.any,
        tuple: items.tuple,
        required: [a.required, missing].concat(),
        default: a.default.or(b.default),
        read_only: a.read_only || b.read_only,
        write_only: a.write_only || b.write_only,
        set: a.set.or(b.set),
        reference: a.reference.or(b.reference),
        label: a.label,
        key: a.key,
        ..Field::any()
    }
}

/// What `a` or `b` allows: nothing is said that one of them does not say.
pub(super) fn unite(mut a: Field, mut b: Field) -> Field {
    let members = unite_members(&mut a, &mut b);
    let items = unite_items(&mut a, &mut b);
    Field {
        kinds: a.kinds.union(b.kinds),
        loose_number: agreed(&a, &b, Kinds::NUMBERS, |field| field.loose_number),
        uuid: agreed(&a, &b, Kind::BinData.into(), |field| field.uuid),
        properties: members.properties,
        additional: members.additional,
        required: members.required,
        items: items.any,
        tuple: items.tuple,
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
            additional: take_additional(field),
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
    let additional = match shape(&b.additional) {
        Some(shape) => unite_additional(take_additional(a), shape),
        None => take_additional(a),
    };
    let required = take(&mut a.required).into_iter().filter(|name| b.required.contains(name)).collect();
    Members { properties, additional, required }
}

/// What undeclared members there may be, where those of the shape `more` may be there too.
pub(super) fn unite_additional(known: Additional, more: Field) -> Additional {
    match known {
        known if more.kinds == Kinds::NONE => known,
        Additional::Any => Additional::Any,
        _ if more == Field::any() => Additional::Any,
        Additional::Forbidden => Additional::Shape(more.into()),
        Additional::Shape(known) => Additional::Shape(unite(*known, more).into()),
    }
}

fn take_additional(field: &mut Field) -> Additional {
    std::mem::replace(&mut field.additional, Additional::Any)
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
    let items = items + field.tuple.iter().flat_map(|tuple| tuple.shapes()).map(size).sum::<usize>();
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

/// What a shape says of an array's items.
struct Items {
    any: Option<Box<Field>>,
    tuple: Option<Box<Tuple>>,
}

impl Items {
    fn take(field: &mut Field) -> Self {
        Self { any: field.items.take(), tuple: field.tuple.take() }
    }
}

impl From<Tuple> for Items {
    fn from(tuple: Tuple) -> Self {
        Self { any: any_item(&tuple), tuple: Some(tuple.into()) }
    }
}

/// What any of the items is; `None` where nothing is said of one of them, or too much of all: tuples in tuples would
/// double with each level.
pub(super) fn any_item(tuple: &Tuple) -> Option<Box<Field>> {
    if tuple.shapes().map(size).sum::<usize>() > MAX_TUPLE {
        return None;
    }
    let any = tuple.shapes().cloned().reduce(unite)?;
    (any != Field::any()).then(|| any.into())
}

fn intersect_items(a: &mut Field, b: &mut Field) -> Items {
    if let Some(tuple) = pair_items(a, b, intersect) {
        return tuple.into();
    }
    let any = match (a.items.take(), b.items.take()) {
        (Some(a), Some(b)) => Some(intersect(*a, *b).into()),
        (one, other) => one.or(other),
    };
    Items { any, tuple: None }
}

fn unite_items(a: &mut Field, b: &mut Field) -> Items {
    // A side where no array may stand says nothing of an array's items.
    if !a.kinds.contains(Kind::Array) {
        return Items::take(b);
    }
    if !b.kinds.contains(Kind::Array) {
        return Items::take(a);
    }
    if let Some(tuple) = pair_items(a, b, unite) {
        return tuple.into();
    }
    let any = a.items.take().zip(b.items.take()).map(|(a, b)| unite(*a, *b).into());
    Items { any, tuple: None }
}

/// The items of both by their position, combined, where either tells them apart.
fn pair_items(a: &Field, b: &Field, combine: fn(Field, Field) -> Field) -> Option<Tuple> {
    let count = [a, b].into_iter().filter_map(|field| Some(field.tuple.as_ref()?.prefix.len())).max()?;
    let (a, b) = (spread(a, count), spread(b, count));
    let prefix = a.prefix.into_iter().zip(b.prefix).map(|(a, b)| combine(a, b)).collect();
    Some(Tuple { prefix, rest: combine(a.rest, b.rest) })
}

/// The shapes of the first `count` items and of the rest; of those that are not told apart nothing is said where that
/// would be too much.
fn spread(field: &Field, count: usize) -> Tuple {
    let (known, rest) = match field.tuple.as_deref() {
        Some(tuple) => (&tuple.prefix[..], &tuple.rest),
        None => (&[][..], field.item()),
    };
    let more = count - known.len();
    let fits = size(rest).saturating_mul(more) <= MAX_REPEATED;
    let filler = if fits { rest.clone() } else { Field::any() };
    Tuple { prefix: known.iter().cloned().chain(std::iter::repeat_n(filler, more)).collect(), rest: rest.clone() }
}

/// Whether `holds` on every side where one of `kinds` may stand, and on one at least.
fn agreed(a: &Field, b: &Field, kinds: Kinds, holds: fn(&Field) -> bool) -> bool {
    let fine = |field: &Field| holds(field) || field.kinds.intersection(kinds) == Kinds::NONE;
    (holds(a) || holds(b)) && fine(a) && fine(b)
}
