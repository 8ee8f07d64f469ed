//! BSON types in words.

use super::{
    block::{Line, code, text},
    place::Place,
};
use crate::schema::{Field, Kind, Kinds};

/// How one value of a type is called, and how several are.
type Noun = (&'static str, &'static str);

const NUMBER: Noun = ("number", "numbers");
const WHOLE: Noun = ("whole number", "whole numbers");
const UUID: Noun = ("UUID", "UUIDs");

const fn noun(kind: Kind) -> Noun {
    match kind {
        Kind::Double => ("double", "doubles"),
        Kind::String => ("string", "strings"),
        Kind::Object => ("object", "objects"),
        Kind::Array => ("list", "lists"),
        Kind::BinData => ("binary data", "binary data"),
        Kind::Undefined => ("undefined", "undefined"),
        Kind::ObjectId => ("object id", "object ids"),
        Kind::Bool => ("boolean", "booleans"),
        Kind::Date => ("date", "dates"),
        Kind::Null => ("null", "nulls"),
        Kind::Regex => ("regular expression", "regular expressions"),
        Kind::DbPointer => ("DBPointer", "DBPointers"),
        Kind::JavaScript => ("JavaScript code", "JavaScript code"),
        Kind::Symbol => ("symbol", "symbols"),
        Kind::JavaScriptWithScope => ("JavaScript code with scope", "JavaScript code with scope"),
        Kind::Int => ("32-bit integer", "32-bit integers"),
        Kind::Timestamp => ("timestamp", "timestamps"),
        Kind::Long => ("64-bit integer", "64-bit integers"),
        Kind::Decimal => ("decimal", "decimals"),
        Kind::MinKey => ("MinKey", "MinKeys"),
        Kind::MaxKey => ("MaxKey", "MaxKeys"),
    }
}

/// The types that `field` may have, at the place of which the file says `place`: `list of object ids of authors`.
pub(super) fn types(place: &Place<'_>, field: &Field) -> Line {
    describe(Some(place), field, false)
}

fn describe(place: Option<&Place<'_>>, field: &Field, several: bool) -> Line {
    let name = |(one, many): Noun| text(if several { many } else { one });
    if field.kinds == Kinds::ANY {
        return text("anything");
    }
    let any_number = field.kinds.intersection(Kinds::NUMBERS) == Kinds::NUMBERS;
    let number = any_number.then(|| name(if place.is_some_and(is_whole) { WHOLE } else { NUMBER }));
    let others = field.kinds.iter().filter(|kind| !(any_number && Kinds::NUMBERS.contains(*kind)));
    let others = others.map(|kind| match (kind, &field.items) {
        (Kind::BinData, _) if field.uuid => name(UUID),
        (Kind::Array, Some(items)) if field.tuple.is_none() && ![Kinds::ANY, Kinds::NONE].contains(&items.kinds) => {
            let below = place.and_then(|place| place.below("items"));
            name(noun(kind)).text(" of ").line(describe(below.as_ref(), items, true))
        }
        _ => name(noun(kind)),
    });
    let line = Line::listed(number.into_iter().chain(others).collect(), "or");
    match &field.reference {
        _ if line.is_empty() => text("nothing"),
        Some(reference) => line.text(" of ").collection(&reference.collection),
        None => line,
    }
}

/// The types that `field` may have in one word, `objectId` or `string[]`, as diagrams have them.
pub(super) fn word(place: &Place<'_>, field: &Field) -> String {
    let kinds = field.kinds;
    let any_number = kinds.intersection(Kinds::NUMBERS) == Kinds::NUMBERS;
    let number = any_number.then_some(if is_whole(place) { "integer" } else { "number" });
    let others = kinds.iter().filter(|kind| !(any_number && Kinds::NUMBERS.contains(*kind)));
    let words: Vec<_> = number.into_iter().chain(others.map(Kind::name)).collect();
    match (words.as_slice(), &field.items) {
        _ if kinds == Kinds::ANY => "any".to_owned(),
        (["array"], Some(items)) if field.tuple.is_none() => {
            format!("{}[]", word(&place.below("items").unwrap_or_default(), items))
        }
        ([], _) => "none".to_owned(),
        (["binData"], _) if field.uuid => "uuid".to_owned(),
        ([one], _) => (*one).to_owned(),
        ([one, "null"] | ["null", one], _) => format!("{one}_or_null"),
        _ => "mixed".to_owned(),
    }
}

/// Whether numbers are only promised to be whole.
fn is_whole(place: &Place<'_>) -> bool {
    let names = place.names("type");
    names.contains(&"integer") && !names.contains(&"number")
}

/// What `names`, of `type` or `bsonType`, stand for: `a string or null`.
pub(super) fn named(names: &[&str]) -> Line {
    Line::listed(names.iter().map(|name| with_article(name)).collect(), "or")
}

fn with_article(name: &str) -> Line {
    let one = match name {
        "boolean" => "boolean",
        "number" => NUMBER.0,
        "integer" => WHOLE.0,
        name => match Kind::named(name) {
            Some(kind) => noun(kind).0,
            None => return code(name),
        },
    };
    match one {
        "null" | "undefined" | "binary data" => text(one),
        one if one.starts_with("JavaScript") => text(one),
        one if one.starts_with('o') => text(format!("an {one}")),
        one => text(format!("a {one}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{docs::place::Spot, schema::load};

    #[test]
    fn says_types() {
        let cases = [
            (r#"{"type": "string"}"#, "string"),
            ("{}", "anything"),
            (r#"{"type": ["integer", "null"]}"#, "whole number or null"),
            (r#"{"bsonType": "number"}"#, "number"),
            (r#"{"bsonType": "binData", "format": "uuid"}"#, "UUID"),
            ("false", "nothing"),
            (r#"{"type": "array"}"#, "list"),
            (
                r#"{"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}"#,
                "list of lists of whole numbers",
            ),
            (r#"{"bsonType": "objectId", "x-ref": {"collection": "authors"}}"#, "object id of authors"),
            (r##"{"$ref": "#/$defs/d"}"##, "string or date"),
        ];
        for (field, expected) in cases {
            let file = format!(
                r#"{{"type": "object", "properties": {{"v": {field}}}, "$defs": {{"d": {{"bsonType": ["string", "date"]}}}}}}"#
            );
            let Ok(schema) = load::parse("things.json", "things", file) else { panic!("{field}") };
            let place = Place::of(Spot::root(&schema.source)).map("properties").swap_remove("v").unwrap();
            let line = types(&place, &schema.root.properties["v"]);
            assert_eq!(crate::docs::markdown::plain(&line), expected, "{field}");
        }
    }

    #[test]
    fn gives_articles() {
        let line = named(&["string", "objectId", "null", "bool"]);
        assert_eq!(crate::docs::markdown::plain(&line), "a string, an object id, null or a boolean");
    }
}
