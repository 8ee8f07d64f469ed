//! `type` and `bsonType`, which judge the same thing.

use bson::{Bson, Document};

use super::{
    Kind,
    walk::{Pair, Place, Walk},
};
use crate::schema::Kind as Type;

/// A set of types, in which doubles and decimals with a fraction are types of their own: `integer` has all others.
type Types = u32;

const ANY: Types = Types::MAX;
const FRACTIONS: [(Type, Types); 2] = [(Type::Double, 1 << 30), (Type::Decimal, 1 << 31)];

/// One of the two keywords in a schema.
struct Declared {
    keyword: &'static str,
    /// `None` where it holds what is no type.
    types: Option<Types>,
    shown: Bson,
}

pub(super) fn compare(walk: &mut Walk, place: &Place, pair: Pair<'_>) {
    let (from, to) = (declared(place.own(pair.from), pair.from), declared(place.own(pair.to), pair.to));
    let shown =
        |declared: &[Declared], keyword: &str| declared.iter().find(|d| d.keyword == keyword).map(|d| d.shown.clone());
    let values = ["type", "bsonType"].map(|keyword| (keyword, (shown(&from, keyword), shown(&to, keyword))));
    let differing: Vec<_> = values.into_iter().filter(|(_, (from, to))| from != to).collect();
    let alone = differing.len() == 1;
    let Some(kind) = relation(types(&from), types(&to)) else { return };
    for (keyword, values) in differing {
        if alone { walk.value(place, keyword, kind, values) } else { walk.emit(place, keyword, kind, values) }
    }
}

/// `None` where the types are the same.
fn relation(from: Option<Types>, to: Option<Types>) -> Option<Kind> {
    let (Some(from), Some(to)) = (from, to) else { return Some(Kind::Changed) };
    match () {
        () if from == to => None,
        () if from & to == to => Some(Kind::Tightened),
        () if from & to == from => Some(Kind::Loosened),
        () => Some(Kind::Changed),
    }
}

fn types(declared: &[Declared]) -> Option<Types> {
    declared.iter().try_fold(ANY, |types, declared| Some(types & declared.types?))
}

fn declared(pointer: &str, schema: &Document) -> Vec<Declared> {
    let own = ["type", "bsonType"].into_iter().filter_map(|keyword| {
        let shown = schema.get(keyword)?.clone();
        Some(Declared { keyword, types: named(names(&shown)?), shown })
    });
    let pieces = schema.get_array("allOf").into_iter().flatten().filter_map(Bson::as_document);
    own.chain(pieces.filter_map(|piece| translated(pointer, piece))).collect()
}

/// Whether `piece`, a branch of `allOf` of the schema that comes from `pointer`, is read here.
pub(super) fn is_piece(pointer: &str, piece: &Document) -> bool {
    translated(pointer, piece).is_some()
}

/// `type` where it could not stand in its schema: beside `bsonType`, or with `integer`.
fn translated(pointer: &str, piece: &Document) -> Option<Declared> {
    let described = piece.get_str("description").ok()?.strip_suffix("/type")?;
    if described != pointer || piece.len() != 2 {
        return None;
    }
    if let Some(shown) = piece.get("type") {
        return Some(Declared { keyword: "type", types: named(names(shown)?), shown: shown.clone() });
    }
    let [Bson::Document(others), Bson::Document(whole)] = &piece.get_array("anyOf").ok()?[..] else { return None };
    let is_whole = whole.len() == 2
        && whole.get_i32("multipleOf").ok() == Some(1)
        && whole.get_array("bsonType").is_ok_and(|types| types == &["double".into(), "decimal".into()]);
    let mut names = names(others.get("bsonType").filter(|_| is_whole && others.len() == 1)?)?;
    let types = named(names.clone())? | FRACTIONS.iter().fold(0, |types, (kind, _)| types | 1 << *kind as Types);
    names.retain(|name| !["int", "long"].contains(name));
    names.push("integer");
    let shown = if let [one] = names[..] { one.into() } else { names.into() };
    Some(Declared { keyword: "type", types: Some(types), shown })
}

fn names(value: &Bson) -> Option<Vec<&str>> {
    match value {
        Bson::Array(names) => names.iter().map(Bson::as_str).collect(),
        name => name.as_str().map(|name| vec![name]),
    }
}

fn named(names: Vec<&str>) -> Option<Types> {
    names.into_iter().try_fold(0, |types, name| {
        let kinds = match name {
            "number" => vec![Type::Int, Type::Long, Type::Double, Type::Decimal],
            "boolean" => vec![Type::Bool],
            name => vec![Type::named(name)?],
        };
        let fractions = FRACTIONS.iter().filter(|(kind, _)| kinds.contains(kind)).map(|(_, fraction)| *fraction);
        Some(kinds.iter().map(|kind| 1 << *kind as Types).chain(fractions).fold(types, |types, one| types | one))
    })
}
