//! Keywords that hold values rather than schemas.

use std::cmp::Ordering;

use bson::{Bson, Document, doc};

use super::{
    Kind,
    walk::{Pair, Place, Walk},
};
use crate::schema::{access::compare_numbers as order, index::whole};

/// A word that is the stricter, the later it comes in its list.
pub(super) fn rank(walk: &mut Walk, place: &Place, (name, order): (&str, &[&str]), (from, to): (&String, &String)) {
    let at = |word: &String| order.iter().position(|known| known == word);
    let kind = match at(from).zip(at(to)).map(|(from, to)| to.cmp(&from)) {
        _ if from == to => return,
        Some(Ordering::Greater) => Kind::Tightened,
        Some(Ordering::Less) => Kind::Loosened,
        _ => Kind::Changed,
    };
    walk.emit(place, name, kind, (Some(from.into()), Some(to.into())));
}

/// `enum`, which is also what `const` becomes: value by value, unless it comes or goes.
pub(super) fn choices(walk: &mut Walk, place: &Place, pair: Pair<'_>) {
    let (Some(Bson::Array(from)), Some(Bson::Array(to))) = pair.get("enum") else {
        let (from, to) = pair.get("enum");
        return walk.value(place, "enum", Kind::Changed, (from.cloned(), to.cloned()));
    };
    let missing = |value: &&Bson, list: &[Bson]| !list.iter().any(|other| is_equal(value, other));
    for value in from.iter().filter(|value| missing(value, to)) {
        walk.emit(place, "enum", Kind::Tightened, (Some(value.clone()), None));
    }
    for value in to.iter().filter(|value| missing(value, from)) {
        walk.emit(place, "enum", Kind::Loosened, (None, Some(value.clone())));
    }
}

fn is_equal(a: &Bson, b: &Bson) -> bool {
    a == b || order(a, b) == Some(Ordering::Equal)
}

/// A bound and the flag that takes the bound itself out.
pub(super) fn bound(walk: &mut Walk, place: &Place, pair: Pair<'_>, keyword: &str) {
    let (flag, tighter) = match keyword {
        "minimum" => ("exclusiveMinimum", Ordering::Greater),
        _ => ("exclusiveMaximum", Ordering::Less),
    };
    let read = |schema: &Document| {
        let exclusive = schema.get_bool(flag).unwrap_or(false);
        schema.get(keyword).map(|bound| (bound.clone(), exclusive))
    };
    let (from, to) = (read(pair.from), read(pair.to));
    let kind = match (&from, &to) {
        (Some(from), Some(to)) => match order(&to.0, &from.0) {
            Some(Ordering::Equal) if from.1 == to.1 => return,
            Some(Ordering::Equal) if to.1 => Kind::Tightened,
            Some(Ordering::Equal) => Kind::Loosened,
            Some(order) if order == tighter => Kind::Tightened,
            Some(_) => Kind::Loosened,
            None if from == to => return,
            None => Kind::Changed,
        },
        (None, None) => return walk.opaque(place, flag, pair),
        _ => Kind::Changed,
    };
    let name = |exclusive: bool| if exclusive { flag } else { keyword };
    let written = to.as_ref().or(from.as_ref()).is_some_and(|(_, exclusive)| *exclusive);
    let turned = matches!((&from, &to), (Some(from), Some(to)) if from.1 != to.1);
    let shown = |(bound, exclusive): (Bson, bool)| if turned { doc! { name(exclusive): bound }.into() } else { bound };
    walk.value(place, name(written), kind, (from.map(shown), to.map(shown)));
}

/// `multipleOf`: multiples of a multiple are multiples.
pub(super) fn divisor(walk: &mut Walk, place: &Place, pair: Pair<'_>) {
    let (from, to) = pair.get("multipleOf");
    let read = |value: Option<&Bson>| value.and_then(whole).filter(|n| *n > 0);
    let kind = match (read(from), read(to)) {
        (Some(from), Some(to)) if from == to => return,
        (Some(from), Some(to)) if to % from == 0 => Kind::Tightened,
        (Some(from), Some(to)) if from % to == 0 => Kind::Loosened,
        _ if from == to => return,
        _ => Kind::Changed,
    };
    walk.value(place, "multipleOf", kind, (from.cloned(), to.cloned()));
}

/// How long or large a value may be.
pub(super) const LENGTHS: [&str; 6] =
    ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"];

pub(super) fn lengths(walk: &mut Walk, place: &Place, pair: Pair<'_>) {
    for keyword in LENGTHS {
        let (from, to) = pair.get(keyword);
        let kind = match from.zip(to).map(|(from, to)| order(from, to)) {
            Some(Some(Ordering::Equal)) => continue,
            Some(Some(order)) if (order == Ordering::Less) == keyword.starts_with("min") => Kind::Tightened,
            Some(Some(_)) => Kind::Loosened,
            _ if from == to => continue,
            _ => Kind::Changed,
        };
        walk.value(place, keyword, kind, (from.cloned(), to.cloned()));
    }
}

/// `uniqueItems`, which says nothing where it is `false`.
pub(super) fn flag(walk: &mut Walk, place: &Place, pair: Pair<'_>) {
    let on = |value: Option<&Bson>| value.filter(|value| **value != Bson::Boolean(false)).cloned();
    let (from, to) = pair.get("uniqueItems");
    let (from, to) = (on(from), on(to));
    if from != to {
        walk.value(place, "uniqueItems", Kind::Changed, (from, to));
    }
}

/// `pattern`: whether one expression matches more than another is not asked.
pub(super) fn pattern(walk: &mut Walk, place: &Place, pair: Pair<'_>) {
    let (from, to) = pair.get("pattern");
    if from != to {
        let readable =
            |pattern: &Bson| pattern.as_str().map_or_else(|| pattern.clone(), |text| untranslated(text).into());
        walk.value(place, "pattern", Kind::Changed, (from.map(readable), to.map(readable)));
    }
}

/// A compiled pattern with `$` and `.` as most authors wrote them: for reading, not for use.
pub(super) fn untranslated(pattern: &str) -> String {
    let pattern = pattern.strip_prefix("(*UTF)").unwrap_or(pattern);
    pattern.replace(r"(?![\s\S])", "$").replace(r"[^\n\r\x{2028}\x{2029}]", ".")
}
