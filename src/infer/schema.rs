//! Places as the keywords of a collection file.
//!
//! A rule that all values keep by accident would be a nuisance, so each but the types waits for enough of them: the
//! numbers below are in the crate's `docs/infer.md`.

use super::{
    comment,
    layout::{Members, Value},
    object::{Member, Object},
    place::{List, Place},
    text::Texts,
};
use crate::schema::{Kind, Kinds};

/// From so many strings on, a format that all of them fit is taken for theirs.
pub(super) const FOR_FORMAT: u64 = 5;

/// From so many strings or lists on, what is told of their lengths is taken for a rule.
const FOR_LENGTH: u64 = 30;

/// From so many strings on, few different ones are taken for choices.
const FOR_CHOICES: u64 = 50;

/// How often each of the choices must be there on average.
const PER_CHOICE: u64 = 10;

/// Adds the keywords that speak of the members of objects; with `plain`, none that is a guess.
pub(super) fn members(object: &Object, plain: bool, out: &mut Members) {
    let map = object.as_map();
    let object = map.as_ref().unwrap_or(object);
    let required = object.required();
    if !required.is_empty() {
        out.put("required", Value::texts(required));
    }
    match &object.rest {
        Some(rest) => out.put("additionalProperties", Value::Object(place(rest, None, plain))),
        None if object.is_closed() => out.put("additionalProperties", Value::Raw("false".to_owned())),
        None => {}
    }
    let property = |(name, member): (&String, &Member)| {
        (name.clone(), Value::Object(place(&member.place, Some((member, object)), plain)))
    };
    if !object.members.is_empty() {
        out.put("properties", Value::Object(object.members.iter().map(property).collect()));
    }
}

/// The schema of a place; `holder` is the name it has in objects, and these.
fn place(place: &Place, holder: Option<(&Member, &Object)>, plain: bool) -> Members {
    let mut out = Members::default();
    if !place.unknown && place.seen() > 0 {
        types(place, &mut out);
        if place.kinds().contains(Kind::String) && !plain {
            texts(place, &mut out);
        }
        if is_uuid(place) {
            out.put("format", Value::text("uuid"));
        }
        if let Some(object) = &place.object {
            members(object, plain, &mut out);
        }
        if let Some(list) = &place.list {
            items(list, place.count(Kind::Array), plain, &mut out);
        }
    }
    if let Some(comment) = comment::of(place, holder) {
        out.put("$comment", Value::text(&comment));
    }
    out
}

/// `type` where JSON has names for all of them, else `bsonType`. Of numbers of several types only the value counts.
fn types(place: &Place, out: &mut Members) {
    let kinds = place.kinds();
    let numbers = kinds.intersection(Kinds::NUMBERS);
    let mixed = numbers.iter().count() > 1;
    let others = || kinds.iter().filter(|kind| !Kinds::NUMBERS.contains(*kind) && *kind != Kind::Null);
    let null = kinds.contains(Kind::Null).then_some("null");
    let any_number = if place.fractions || numbers.contains(Kind::Decimal) { "number" } else { "integer" };
    let json: Option<Vec<_>> = others().map(json_name).collect();
    match json {
        Some(json) if mixed || numbers == Kinds::NONE => {
            out.put("type", one_or_list(mixed.then_some(any_number).into_iter().chain(json).chain(null).collect()));
        }
        _ => {
            let every = mixed && any_number == "number";
            let numbers = numbers.iter().map(Kind::name).filter(|_| !every);
            let names = every.then_some("number").into_iter().chain(numbers).chain(others().map(Kind::name));
            out.put("bsonType", one_or_list(names.chain(null).collect()));
        }
    }
}

fn json_name(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::String | Kind::Object | Kind::Array => Some(kind.name()),
        Kind::Bool => Some("boolean"),
        _ => None,
    }
}

fn one_or_list(names: Vec<&str>) -> Value {
    match names[..] {
        [name] => Value::text(name),
        _ => Value::texts(names),
    }
}

/// The most telling rule that all strings keep.
fn texts(place: &Place, out: &mut Members) {
    let texts = &place.texts;
    let mut put = |keyword: &str, json: String| out.put(keyword, Value::Raw(json));
    if let Some(choices) = choices(place) {
        let null = place.kinds().contains(Kind::Null).then(|| Value::Raw("null".to_owned()));
        out.put("enum", Value::List(choices.into_iter().map(Value::text).chain(null).collect()));
    } else if let Some(format) = format(place) {
        out.put("format", Value::text(format));
    } else if let Some(length) = length(texts) {
        match texts.alphabets.class(length) {
            Some(class) => out.put("pattern", Value::text(&format!("^[{class}]{{{length}}}$"))),
            None => ["minLength", "maxLength"].into_iter().for_each(|keyword| put(keyword, length.to_string())),
        }
    } else if texts.seen >= FOR_LENGTH && texts.lengths.0.is_some_and(|(least, _)| least > 0) {
        put("minLength", "1".to_owned());
    }
}

/// The strings that are taken for the only ones there may be.
pub(super) fn choices(place: &Place) -> Option<Vec<&str>> {
    let choices = place.texts.choices.as_ref()?;
    // A single one is no choice.
    if choices.len() < 2 {
        return None;
    }
    let wanted = FOR_CHOICES.max(PER_CHOICE.saturating_mul(choices.len() as u64));
    // An `enum` would judge values of other types as well.
    let texts = place.count(Kind::String) + place.count(Kind::Null) == place.seen();
    (texts && place.texts.seen >= wanted).then(|| choices.keys().map(String::as_str).collect())
}

/// The format that is taken for that of the strings. Beside binary data, it would speak of that.
pub(super) fn format(place: &Place) -> Option<&'static str> {
    let alone = place.count(Kind::BinData) == 0;
    place.texts.format().filter(|_| alone && place.texts.seen >= FOR_FORMAT)
}

/// The length of codes: many different strings, all of one length.
pub(super) fn length(texts: &Texts) -> Option<u64> {
    let many = texts.seen >= FOR_LENGTH && texts.choices.is_none();
    texts.lengths.single().filter(|length| many && *length > 0)
}

fn is_uuid(place: &Place) -> bool {
    let kinds = place.kinds();
    kinds.contains(Kind::BinData) && !kinds.contains(Kind::String) && !place.plain_bytes
}

fn items(list: &List, lists: u64, plain: bool, out: &mut Members) {
    let (least, greatest) = list.lengths.0.unwrap_or_default();
    if !plain && lists >= FOR_LENGTH && least > 0 {
        // That all lists have one item says little; that all have two may be what they are.
        let fixed = least == greatest && least > 1;
        out.put("minItems", Value::Raw(if fixed { least } else { 1 }.to_string()));
        if fixed {
            out.put("maxItems", Value::Raw(greatest.to_string()));
        }
    }
    let items = place(&list.item, None, plain);
    if !items.is_empty() {
        out.put("items", Value::Object(items));
    }
}
