//! What is known of a place and is no rule, in words: for whoever makes the file their own.

use std::cmp::Reverse;

use bson::DateTime;

use super::{
    object::{Member, Object},
    place::{List, Place, Span},
    schema,
    text::Texts,
};

/// The place's `$comment`; `holder` is the name it has in objects, and these.
pub(super) fn of(place: &Place, holder: Option<(&Member, &Object)>) -> Option<String> {
    let mut words: Vec<String> = holder.and_then(|(member, object)| presence(member, object)).into_iter().collect();
    if place.unknown {
        words.push("nothing is said of what lies this deep, or is not valid BSON".to_owned());
    } else {
        words.extend(types(place));
        words.extend(span(place.numbers, number));
        words.extend(span(place.dates, date));
        words.extend(texts(place));
        words.extend(place.object.iter().filter_map(|object| members(object)));
        words.extend(place.list.iter().filter_map(|list| items(list)));
    }
    (!words.is_empty()).then(|| words.join("; "))
}

fn presence(member: &Member, object: &Object) -> Option<String> {
    let what = if object.whole { "documents" } else { "objects" };
    match member.holders {
        0 => Some("in none of those read, but an index is on it".to_owned()),
        holders if holders < object.seen => Some(format!("in {holders} of {} {what}", object.seen)),
        _ => None,
    }
}

/// How many there are of each type, where there are several.
fn types(place: &Place) -> Option<String> {
    let mut counts: Vec<_> = place.kinds().iter().map(|kind| (place.count(kind), kind.name())).collect();
    counts.sort_by_key(|(count, _)| Reverse(*count));
    let counted: Vec<_> = counts.iter().map(|(count, kind)| format!("{count} {kind}")).collect();
    (counted.len() > 1).then(|| counted.join(", "))
}

fn span<T: PartialEq + Copy>(span: Span<T>, show: fn(T) -> String) -> Option<String> {
    let (least, greatest) = span.0?;
    Some(match (show(least), show(greatest)) {
        (least, greatest) if least == greatest => format!("only {least}"),
        (least, greatest) => format!("from {least} to {greatest}"),
    })
}

fn number(number: f64) -> String {
    if number.abs() < 1e15 { number.to_string() } else { format!("{number:e}") }
}

/// Dates that RFC 3339 has no words for are in the far past or future.
fn date(millis: i64) -> String {
    let date = DateTime::from_millis(millis).try_to_rfc3339_string();
    date.unwrap_or_else(|_| if millis < 0 { "before the year 0" } else { "after the year 9999" }.to_owned())
}

fn texts(place: &Place) -> Option<String> {
    let texts = &place.texts;
    if schema::choices(place).is_some() {
        return different(texts);
    }
    if texts.seen == 0 || schema::format(place).is_some() {
        return None;
    }
    let fits = texts.format().filter(|_| texts.seen < schema::FOR_FORMAT).map(|name| format!("perhaps format {name}"));
    let length = match texts.lengths.0? {
        _ if schema::length(texts).is_some() || texts.seen == 1 => None,
        (least, greatest) if least == greatest => Some(format!("always of length {least}")),
        (least, greatest) => Some(format!("{least} to {greatest} characters")),
    };
    let words: Vec<_> = [length, fits, different(texts)].into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join("; "))
}

/// How many different strings there are, where these are few.
fn different(texts: &Texts) -> Option<String> {
    match texts.choices.as_ref()?.len() as u64 {
        1 if texts.seen > 1 => Some("always the same".to_owned()),
        different => (different * 2 <= texts.seen).then(|| format!("{different} different in {}", texts.seen)),
    }
}

fn members(object: &Object) -> Option<String> {
    let empty = || object.members.is_empty().then_some("always empty");
    undeclared(object).or_else(empty).map(str::to_owned)
}

/// What is to be known of the names beside the declared ones.
pub(super) fn undeclared(object: &Object) -> Option<&'static str> {
    if object.is_open {
        Some("nothing is said of names that are not declared: too many, or too deep")
    } else if object.as_map().is_some() || object.rest.is_some() {
        Some("a map: its names look like keys, or are many and rare")
    } else {
        None
    }
}

fn items(list: &List) -> Option<String> {
    match list.lengths.0? {
        (0, 0) => Some("always empty".to_owned()),
        (1, 1) => Some("always one item".to_owned()),
        (least, greatest) if least == greatest => Some(format!("always {least} items")),
        (least, greatest) => Some(format!("{least} to {greatest} items")),
    }
}
