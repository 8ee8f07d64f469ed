//! What the database's refusals may tell a caller: nothing of what it cannot see.
//!
//! A broken rule is told as it is where neither its place nor what it says of that place has to do with a field that is
//! out of sight. Of a write-only field, whose name and rules are known, only the value is left out.

use bson::{RawBsonRef, RawDocument};

use crate::{
    error::{Error, Violation},
    json::tokens,
    schema::{Field, Sight},
};

/// All that is said of rules about hidden fields.
const UNSPEAKABLE: &str = "breaks a rule about fields that you may not see";

/// Rules of an object or list that say nothing of what is in it.
const PLAIN: [&str; 9] =
    ["type", "bsonType", "minProperties", "maxProperties", "minItems", "maxItems", "uniqueItems", "_id", "x-indexes"];

/// The `error` that came of writing `document`, as a caller is told to whom documents have the shape `shape`.
pub(super) fn discreet(error: Error, (document, shape): (&RawDocument, &Field)) -> Error {
    match error {
        error if !shape.conceals => error,
        Error::InvalidDocument { collection, violations } => {
            let mut violations: Vec<_> = violations.into_iter().filter_map(|v| told(v, (document, shape))).collect();
            if violations.is_empty() {
                violations.push(unspeakable(String::new()));
            }
            Error::InvalidDocument { collection, violations }
        }
        // Of an index that no file declares, it is not known what it is about.
        Error::Duplicate { fields, .. }
            if fields.is_empty() || !fields.iter().all(|field| Sight::of(shape).sees(field)) =>
        {
            Error::Duplicate { index: None, fields: Vec::new() }
        }
        error => error,
    }
}

/// What is told of a broken rule; `None` for nothing.
fn told(violation: Violation, (document, shape): (&RawDocument, &Field)) -> Option<Violation> {
    let hidden = lead(&violation.pointer, document, Sight::of_hidden(shape))?;
    if speaks_of_hidden(violation.rule.as_deref().unwrap_or_default(), Sight::of_hidden(shape)) {
        return None;
    }
    let is_clear = |pointer: &str| lead(pointer, document, Sight::of_hidden(shape)).is_some_and(|s| s.is_clear());
    if violation.condition.as_deref().is_some_and(|value| !is_clear(value)) {
        return Some(unspeakable(violation.pointer));
    }
    let is_seen = lead(&violation.pointer, document, Sight::of(shape)).is_some_and(|sight| sight.is_clear());
    let violation = Violation { found: violation.found.filter(|_| is_seen), ..violation };
    // A list of names, or a suggestion, is of all members of the object.
    let object = violation.pointer.rsplit_once('/').map_or("", |(object, _)| object);
    let is_open = || is_clear(object);
    Some(match violation.keyword.as_str() {
        "required" | "additionalProperties" | "unevaluatedProperties" if is_open() => violation,
        "required" => Violation { expected: None, ..violation },
        // These name other members, allow them, or depend on them.
        "dependentRequired" | "propertyNames" | "unevaluatedProperties" if !is_open() => unspeakable(violation.pointer),
        "additionalProperties" => Violation { detail: "is not a declared field".to_owned(), ..violation },
        keyword if PLAIN.contains(&keyword) || hidden.is_clear() => violation,
        _ => unspeakable(violation.pointer),
    })
}

fn unspeakable(pointer: String) -> Violation {
    let (detail, keyword) = (UNSPEAKABLE.to_owned(), "x-access".to_owned());
    Violation { pointer, detail, keyword, expected: None, found: None, rule: None, condition: None }
}

/// What is in sight where the pointer into the document leads; `None` where it is nothing.
fn lead<'f>(pointer: &str, document: &RawDocument, sight: Sight<'f>) -> Option<Sight<'f>> {
    let mut value = Some(RawBsonRef::Document(document));
    tokens(pointer).try_fold(sight, |sight, token| match value {
        Some(RawBsonRef::Array(items)) => {
            value = token.parse().ok().and_then(|index: usize| items.get(index).ok().flatten());
            Some(sight)
        }
        object => {
            value = object.and_then(RawBsonRef::as_document).and_then(|object| object.get(&token).ok().flatten());
            sight.member(&token)
        }
    })
}

/// Whether the subschema at `rule` is about what is out of sight. Where it may be about several places, it is not.
fn speaks_of_hidden(rule: &str, mut sight: Sight<'_>) -> bool {
    let mut tokens = tokens(rule);
    while let Some(keyword) = tokens.next() {
        let part = match keyword.as_str() {
            "properties" => tokens.next().and_then(|name| sight.member(&name)),
            "additionalProperties" | "unevaluatedProperties" => sight.others(),
            "allOf" | "anyOf" | "oneOf" | "prefixItems" | "dependentSchemas" => tokens.next().map(|_| sight),
            "items" | "unevaluatedItems" | "not" | "then" | "else" => Some(sight),
            _ => return false,
        };
        let Some(part) = part else { return true };
        sight = part;
    }
    false
}

#[cfg(test)]
mod tests {
    use bson::rawdoc;

    use super::*;
    use crate::schema::load;

    fn shape() -> Field {
        let file = r##"{"type": "object", "$defs": {"n": {}}, "properties": {
            "title": {}, "pin": {}, "cost": {"$ref": "#/$defs/n"},
            "in": {"properties": {"x": {}, "margin": {}}},
            "list": {"items": {"properties": {"x": {}, "deal": {}}}}
        }}"##;
        let mut root = load::parse("schemas/things.json", "things", file.to_owned()).unwrap().root;
        root.properties["pin"].write_only = true;
        root.properties["cost"].hidden = true;
        root.properties["in"].properties["margin"].hidden = true;
        root.properties["list"].items.as_mut().unwrap().properties["deal"].hidden = true;
        root.prepared()
    }

    fn violation(pointer: &str, keyword: &str, rule: &str) -> Violation {
        let json = |text: &str| serde_json::value::RawValue::from_string(text.to_owned()).ok();
        Violation {
            pointer: pointer.to_owned(),
            detail: "a rule, did you mean `cost`?".to_owned(),
            keyword: keyword.to_owned(),
            expected: json("[\"cost\"]"),
            found: json("{\"margin\":77}"),
            rule: Some(rule.to_owned()),
            condition: None,
        }
    }

    #[test]
    fn rules_are_told_as_far_as_they_are_in_sight() {
        let document = rawdoc! { "list": [{ "x": 1, "deal": 2 }], "in": { "x": 1, "margin": 77 } };
        let (whole, no_found, no_list) = ((true, true, true), (true, true, false), (true, false, true));
        for (pointer, keyword, rule, told) in [
            ("/title", "type", "#/properties/title", Some(whole)),
            ("/title", "required", "#", Some(no_list)),
            ("/titel", "additionalProperties", "#", Some((false, true, true))),
            ("/titel", "unevaluatedProperties", "#", Some((false, false, false))),
            ("/pin", "maxLength", "#/properties/pin", Some(no_found)),
            ("/in", "type", "#/properties/in", Some(no_found)),
            ("/in", "const", "#/properties/in", Some((false, false, false))),
            ("", "anyOf", "#", Some((false, false, false))),
            ("/list/0/x", "type", "#/properties/list/items/properties/x", Some(whole)),
            ("/list/0", "anyOf", "#/properties/list/items", Some((false, false, false))),
            ("/list/0/deal", "type", "#/properties/list/items/properties/deal", None),
            ("/list/0/deal/more", "type", "#/$defs/n", None),
            ("/in/margin", "required", "#/properties/in", None),
            ("/cost", "minimum", "#/$defs/n", None),
            ("/title", "minimum", "#/allOf/0/properties/cost", None),
            ("/title", "dependentRequired", "#", Some((false, false, false))),
            ("/title", "propertyNames", "#", Some((false, false, false))),
            ("/title", "minimum", "#/properties/title/then", Some(whole)),
            ("/title", "minimum", "#/then/properties/cost", None),
        ] {
            let said = super::told(violation(pointer, keyword, rule), (&document, &shape()));
            let parts = said.map(|v| (v.detail.ends_with("`cost`?"), v.expected.is_some(), v.found.is_some()));
            assert_eq!(parts, told, "{pointer} {keyword} {rule}");
        }
        for (condition, told) in
            [("", false), ("/in", false), ("/list/0", false), ("/list/0/x", true), ("/title", true)]
        {
            let broken = violation("/title", "minimum", "#/$defs/n");
            let said =
                super::told(Violation { condition: Some(condition.to_owned()), ..broken }, (&document, &shape()));
            assert_eq!(said.unwrap().keyword == "minimum", told, "{condition}");
        }
        let only = vec![violation("/cost", "minimum", "#")];
        let error = Error::InvalidDocument { collection: "things".into(), violations: only };
        let Error::InvalidDocument { violations, .. } = discreet(error, (&document, &shape())) else { panic!() };
        assert_eq!((violations.len(), violations[0].detail.as_str()), (1, UNSPEAKABLE));
    }

    #[test]
    fn duplicates_name_only_fields_in_sight() {
        for (fields, told) in [
            (&["title"][..], true),
            (&["title", "cost"], false),
            (&["pin"], false),
            (&["in"], false),
            (&["in.x"], true),
            (&["in.margin"], false),
            (&["list.x"], true),
            (&["list.deal"], false),
            (&["list.0.deal"], false),
            (&[], false),
        ] {
            let fields = fields.iter().map(|field| (*field).to_owned()).collect();
            let error = Error::Duplicate { index: Some("i".into()), fields };
            let Error::Duplicate { index, fields } = discreet(error, (&rawdoc! {}, &shape())) else { panic!() };
            assert_eq!((index.is_some(), !fields.is_empty()), (told, told), "{fields:?}");
        }
    }
}
