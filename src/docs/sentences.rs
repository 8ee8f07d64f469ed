//! The one table of sentences: what each keyword says, in words.
//!
//! `type`, `properties` and the like have columns and rows of their own where they hold of a field without condition;
//! in a branch of `anyOf` or below `if` they are sentences like all others.

use super::{
    block::{Line, code, text},
    json,
    place::{Place, Spot},
    rule::{self, Rule, Verb},
    types,
};
use crate::{json::Tree, schema::field};

/// How many values of an `enum` are listed.
const MAX_LISTED: usize = 100;

/// What is said of a value by itself, not of its type, its members and its items: these are fields too.
pub(super) fn of_value(place: &Place<'_>) -> Vec<Rule> {
    let keywords = |spot: &Spot<'_>| {
        let keywords = spot.tree.as_object().into_iter().flatten();
        keywords.flat_map(|(keyword, value)| sentences(*spot, keyword, value)).collect::<Vec<_>>()
    };
    place.spots.iter().flat_map(keywords).collect()
}

/// All that a subschema says, as one rule.
fn whole(place: &Place<'_>) -> Rule {
    rule::all(of_all(place))
}

fn of_all(place: &Place<'_>) -> Vec<Rule> {
    if place.refuses_all() {
        return vec![Rule::new(Verb::Is, text("not allowed"))];
    }
    let types = ["type", "bsonType"].into_iter().flat_map(|keyword| place.spots.iter().map(move |s| (keyword, s)));
    let types = types.map(|(keyword, spot)| field::listed(spot.tree, keyword)).filter(|names| !names.is_empty());
    let types = types.map(|names| is(types::named(&names)));
    types.chain(members(place)).chain(items(place)).chain(refused(place)).chain(of_value(place)).collect()
}

/// An alternative, called by its title if it has one.
fn branch(spot: Spot<'_>) -> Rule {
    let rule = whole(&Place::of(spot));
    match spot.tree.get("title").and_then(Tree::as_str) {
        Some(title) => rule.after(Verb::Sentence, Line::default().strong(title)),
        None => rule,
    }
}

/// What `keyword` says of a value, if anything. Of a pair, the keyword that stands first speaks for both.
fn sentences(spot: Spot<'_>, keyword: &str, value: &Tree) -> Vec<Rule> {
    let written = || code(json::inline(value));
    let named = || code(value.as_str().unwrap_or_default());
    let one = match keyword {
        "enum" => one_of(value.as_array().unwrap_or_default()),
        "const" => is(written()),
        "minimum" | "maximum" => return bounds(spot, keyword),
        "exclusiveMinimum" => is(text("greater than ").line(bound(value))),
        "exclusiveMaximum" => is(text("less than ").line(bound(value))),
        "multipleOf" => is(text("a multiple of ").line(written())),
        "minLength" | "maxLength" => return size(spot, keyword, ["minLength", "maxLength", "character"]),
        "minItems" | "maxItems" => return size(spot, keyword, ["minItems", "maxItems", "item"]),
        "minProperties" | "maxProperties" => return size(spot, keyword, ["minProperties", "maxProperties", "field"]),
        "uniqueItems" if value.as_bool() == Some(true) => has(text("no two equal items")),
        "pattern" => Rule::new(Verb::Matches, named()),
        "format" => return format(spot, value).into_iter().collect(),
        "contentEncoding" => is(text("encoded as ").line(named())),
        "contentMediaType" => is(text("of the media type ").line(named())),
        "contains" if spot.tree.get("minContains").and_then(Tree::as_whole) != Some(0) => {
            below(spot, value).after(Verb::Has, text("an item that"))
        }
        "propertyNames" => below(spot, value).after(Verb::Has, text("only fields of which each name")),
        "unevaluatedProperties" if value.as_bool() == Some(false) => {
            has(text("no fields of which nothing else is said"))
        }
        "unevaluatedProperties" if value.as_bool().is_none() => {
            below(spot, value).after(Verb::Has, text("fields of which nothing else is said only if each"))
        }
        "unevaluatedItems" if value.as_bool() == Some(false) => has(text("no items of which nothing else is said")),
        "unevaluatedItems" if value.as_bool().is_none() => {
            below(spot, value).after(Verb::Has, text("items of which nothing else is said only if each"))
        }
        "anyOf" => rule::some(spot.list("anyOf").map(branch).collect(), false),
        "oneOf" => rule::some(spot.list("oneOf").map(branch).collect(), true),
        "not" => lacks(value).unwrap_or_else(|| below(spot, value).not()),
        "if" => return condition(spot, value).into_iter().collect(),
        "dependentRequired" => return value.as_object().into_iter().flatten().filter_map(dependent).collect(),
        "dependentSchemas" => return spot.map("dependentSchemas").map(dependent_schema).collect(),
        _ => return Vec::new(),
    };
    vec![one]
}

fn is(words: Line) -> Rule {
    Rule::new(Verb::Is, words)
}

fn has(words: Line) -> Rule {
    Rule::new(Verb::Has, words)
}

/// What `not` says of `required` alone.
fn lacks(value: &Tree) -> Option<Rule> {
    value.as_object().filter(|members| members.len() == 1)?;
    match field::listed(value, "required").as_slice() {
        [] => None,
        [name] => Some(has(text("no ").code(*name))),
        several => Some(Rule::new(Verb::Does, text("does not have all of ").line(names(several)))),
    }
}

fn below<'s>(spot: Spot<'s>, tree: &'s Tree) -> Rule {
    whole(&Place::of(spot.at(tree)))
}

/// A value of a bound, which may be written as a string of digits or as a date.
fn bound(value: &Tree) -> Line {
    code(value.as_str().map_or_else(|| json::inline(value), str::to_owned))
}

/// Strings by themselves where nothing else could be meant.
fn one_of(values: &[Tree]) -> Rule {
    let plain = values.iter().all(|value| value.as_str().is_some_and(|text| !text.is_empty()));
    let shown = |value: &Tree| if plain { bound(value) } else { code(json::inline(value)) };
    let more = values.len().saturating_sub(MAX_LISTED);
    let mut listed: Vec<_> = values.iter().take(MAX_LISTED).map(shown).collect();
    match (listed.len(), more) {
        (0, _) => is(text("not allowed")),
        (1, _) => is(listed.remove(0)),
        (_, 0) => is(text("one of ").line(Line::joined(listed, ", "))),
        _ => is(text("one of ").line(Line::joined(listed, ", ")).text(format!(" and {more} more"))),
    }
}

fn bounds(spot: Spot<'_>, keyword: &str) -> Vec<Rule> {
    match (spot.tree.get("minimum"), spot.tree.get("maximum")) {
        (Some(least), Some(most)) if keyword == first(spot, ["minimum", "maximum"]) => {
            vec![is(text("from ").line(bound(least)).text(" to ").line(bound(most)))]
        }
        (Some(least), None) => vec![is(text("at least ").line(bound(least)))],
        (None, Some(most)) => vec![is(text("at most ").line(bound(most)))],
        _ => Vec::new(),
    }
}

fn size(spot: Spot<'_>, keyword: &str, [least, most, noun]: [&str; 3]) -> Vec<Rule> {
    let count = |keyword| spot.tree.get(keyword).and_then(Tree::as_whole);
    let counted = |count: i32| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let words = match (count(least), count(most)) {
        (Some(_), Some(_)) if keyword != first(spot, [least, most]) => return Vec::new(),
        (None | Some(0), Some(0)) => format!("no {noun}s"),
        (Some(least), Some(most)) if least == most => format!("exactly {}", counted(most)),
        (None | Some(0), Some(most)) => format!("at most {}", counted(most)),
        (Some(least), Some(most)) => format!("{least} to {}", counted(most)),
        (Some(0) | None, None) => return Vec::new(),
        (Some(least), None) => format!("at least {}", counted(least)),
    };
    vec![has(text(words))]
}

/// Which of two keywords stands first.
fn first<'k>(spot: Spot<'_>, keywords: [&'k str; 2]) -> &'k str {
    let at = |keyword| spot.tree.get(keyword).map_or(usize::MAX, |value: &Tree| value.name_at);
    if at(keywords[0]) <= at(keywords[1]) { keywords[0] } else { keywords[1] }
}

fn format(spot: Spot<'_>, value: &Tree) -> Option<Rule> {
    // The type says it.
    if field::listed(spot.tree, "bsonType").contains(&"binData") {
        return None;
    }
    let words = match value.as_str()? {
        "date" => text("a calendar date such as ").code("2024-05-01"),
        "time" => text("a time with its offset such as ").code("12:30:00Z"),
        "date-time" => text("a date and time with its offset such as ").code("2024-05-01T12:30:00Z"),
        "email" => text("an email address"),
        "hostname" => text("a host name"),
        "ipv4" => text("an IPv4 address"),
        "ipv6" => text("an IPv6 address"),
        "uri" => text("a URI"),
        "uuid" => text("a UUID"),
        other => text("of the format ").code(other),
    };
    Some(is(words))
}

/// `if` with its `then` and `else`.
fn condition<'s>(spot: Spot<'s>, value: &'s Tree) -> Option<Rule> {
    let outcome = |keyword, words| {
        let rules = of_all(&Place::of(spot.below(keyword)?));
        (!rules.is_empty()).then(|| rule::all(rules).after(Verb::Sentence, text(words)))
    };
    let outcomes = [("then", "then it"), ("else", "otherwise it")];
    let outcomes: Vec<_> = outcomes.into_iter().filter_map(|(keyword, words)| outcome(keyword, words)).collect();
    let condition = below(spot, value).after(Verb::Sentence, text("if it"));
    (!outcomes.is_empty()).then(|| rule::conditional(condition, outcomes))
}

fn if_it_has(name: &str) -> Rule {
    Rule::new(Verb::Sentence, text("if it has ").code(name))
}

fn dependent((name, needed): (&String, &Tree)) -> Option<Rule> {
    let needed: Vec<_> = needed.as_array()?.iter().filter_map(Tree::as_str).collect();
    let outcome = has(names(&needed)).after(Verb::Sentence, text("then it"));
    (!needed.is_empty()).then(|| rule::conditional(if_it_has(name), vec![outcome]))
}

fn dependent_schema((name, spot): (&str, Spot<'_>)) -> Rule {
    let outcome = whole(&Place::of(spot)).after(Verb::Sentence, text("then it"));
    rule::conditional(if_it_has(name), vec![outcome])
}

fn names(names: &[&str]) -> Line {
    Line::listed(names.iter().map(|name| code(*name)).collect(), "and")
}

/// What is said of the members of an object in a branch.
fn members(place: &Place<'_>) -> Vec<Rule> {
    let (required, declared) = (place.names("required"), place.map("properties"));
    let says = |name: &str| declared.get(name).is_some_and(|member| !of_all(member).is_empty());
    let bare: Vec<_> = required.iter().copied().filter(|name| !says(name)).collect();
    let mut rules: Vec<_> = (!bare.is_empty()).then(|| has(names(&bare))).into_iter().collect();
    for (name, member) in declared.iter().filter(|(name, _)| says(name)) {
        rules.push(match required.contains(name) {
            true => whole(member).after(Verb::Has, code(*name).text(", which")),
            false if member.refuses_all() => has(text("no ").code(*name)),
            false => whole(member).after(Verb::Has, text("no ").code(*name).text(", or one that")),
        });
    }
    for (pattern, member) in place.map("patternProperties").into_iter().filter(|(_, member)| member.says_something()) {
        rules.push(whole(&member).after(Verb::Sentence, text("each field whose name matches ").code(pattern)));
    }
    rules.extend(
        place
            .below("additionalProperties")
            .filter(Place::says_something)
            .map(|others| whole(&others).after(Verb::Has, text("other fields only if each"))),
    );
    rules
}

/// What is said of the items of a list in a branch.
fn items(place: &Place<'_>) -> Vec<Rule> {
    let first = place.list("prefixItems");
    let at = |(at, item): (usize, &Place<'_>)| {
        let rules = of_all(item);
        (!rules.is_empty()).then(|| rule::all(rules).after(Verb::Sentence, text(format!("the item at {at}"))))
    };
    let mut rules: Vec<_> = first.iter().enumerate().filter_map(at).collect();
    rules.extend(place.below("items").and_then(|items| each(&items, first.len())));
    rules
}

/// What is said of each item after the first `from`.
fn each(items: &Place<'_>, from: usize) -> Option<Rule> {
    let rules = if items.refuses_all() { Vec::new() } else { of_all(items) };
    (!rules.is_empty()).then(|| match from {
        0 => rule::all(rules).after(Verb::Each, Line::default()),
        from => rule::all(rules).after(Verb::Sentence, text(format!("each item from {from}"))),
    })
}

/// What is said of each item of a list whose type is known.
pub(super) fn each_value(items: &Place<'_>) -> Option<Rule> {
    let below = items.below("items").and_then(|items| each_value(&items));
    let rules: Vec<_> = of_value(items).into_iter().chain(below).collect();
    (!rules.is_empty()).then(|| rule::all(rules).after(Verb::Each, Line::default()))
}

/// Which members and items there cannot be, where `place` is said without condition.
pub(super) fn refused(place: &Place<'_>) -> Vec<Rule> {
    let refused = |keyword| place.below(keyword).is_some_and(|below| below.refuses_all());
    let patterns = place.map("patternProperties").into_iter().filter(|(_, place)| place.refuses_all());
    let named = patterns.map(|(pattern, _)| has(text("no field whose name matches ").code(pattern)));
    let others = refused("additionalProperties").then(|| has(text("no other fields")));
    let items = refused("items").then(|| no_items(place.list("prefixItems").len()));
    named.chain(others).chain(items).collect()
}

fn no_items(from: usize) -> Rule {
    has(text(match from {
        0 => "no items".to_owned(),
        1 => "at most 1 item".to_owned(),
        from => format!("at most {from} items"),
    }))
}

#[cfg(test)]
mod tests;
