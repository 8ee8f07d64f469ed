//! Random schemas and documents: whatever MongoDB refuses is explained by rules that stand in the file, and what it takes
//! has a place in the file's shape.

use std::{collections::BTreeMap, iter};

use folio::{
    error::Violation,
    json::Tree,
    schema::{Schema, Source, load},
};
use mongodb::bson::{Bson, Document, oid::ObjectId};
use proptest::{
    collection::{btree_map, vec},
    prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof},
    sample::{select, subsequence},
    strategy::ValueTree,
    test_runner::TestRunner,
};
use serde_json::{Map, Value, json};

use super::{decimal, insert, words::speaks_mongodb};
use crate::{shapes, support};

/// Files in each run of the test, and documents for each.
const FILES: usize = 250;
const DOCUMENTS: usize = 8;
/// Names that a pointer, a path or a pattern could trip over.
const NAMES: [&str; 5] = ["a", "b", "c.d", "~/e", ""];
const BSON_TYPES: [&str; 12] =
    ["int", "long", "double", "decimal", "number", "string", "bool", "null", "object", "array", "date", "objectId"];
const JSON_TYPES: [&str; 7] = ["integer", "number", "string", "boolean", "null", "object", "array"];

const BOUNDS: [&str; 4] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"];
const COUNTS: [&str; 6] = ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"];
const PATTERNS: [&str; 5] = ["^a$", "b", "^.{2}$", "^[^a]*$", r"^\S+$"];
const FORMATS: [&str; 9] = ["date", "time", "date-time", "email", "hostname", "ipv4", "ipv6", "uri", "uuid"];

/// One value, or a list of them.
fn some_of(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![select(names).prop_map(Value::from), subsequence(names, 1..3).prop_map(|names| json!(names))]
}

fn number() -> impl Strategy<Value = Value> {
    select(&["-1", "0", "0.1", "1", "2.0", "2.5", "9007199254740993"][..])
        .prop_map(|digits| serde_json::from_str(digits).unwrap())
}

fn literal() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![number(), select(&["", "a", "b", "ab"][..]).prop_map(Value::from), Just(Value::Null)];
    prop_oneof![4 => scalar, 1 => Just(json!([1])), 1 => Just(json!({ "a": "b" })), 1 => any::<bool>().prop_map(Value::from)]
}

fn names() -> impl Strategy<Value = Value> {
    subsequence(&NAMES[..], 0..3).prop_map(|names| json!(names))
}

/// A keyword that holds no schemas.
pub(crate) fn assertion() -> BoxedStrategy<(&'static str, Value)> {
    let named = |keyword: &'static str, value: BoxedStrategy<Value>| value.prop_map(move |v| (keyword, v)).boxed();
    prop_oneof![
        2 => named("type", some_of(&JSON_TYPES).boxed()),
        2 => named("bsonType", some_of(&BSON_TYPES).boxed()),
        1 => named("enum", vec(literal(), 0..3).prop_map(Value::Array).boxed()),
        1 => named("const", literal().boxed()),
        2 => (select(&BOUNDS[..]), number()),
        1 => named("multipleOf", select(&[0.1, 0.5, 1.0, 2.0][..]).prop_map(Value::from).boxed()),
        2 => (select(&COUNTS[..]), (0..3).prop_map(Value::from)),
        1 => named("uniqueItems", any::<bool>().prop_map(Value::from).boxed()),
        1 => named("pattern", select(&PATTERNS[..]).prop_map(Value::from).boxed()),
        1 => named("format", select(&FORMATS[..]).prop_map(Value::from).boxed()),
        2 => named("required", names().boxed()),
        1 => named("dependentRequired", btree_map(select(&NAMES[..]), names(), 0..3).prop_map(|m| json!(m)).boxed()),
        1 => named("minContains", (0..2).prop_map(Value::from).boxed()),
        1 => named("additionalProperties", any::<bool>().prop_map(Value::from).boxed()),
        1 => select(&["unevaluatedProperties", "unevaluatedItems"][..]).prop_map(|keyword| (keyword, json!(false))),
        1 => named("$ref", select(&["#/$defs/plain", "#/$defs/odd~1na%6de"][..]).prop_map(Value::from).boxed()),
    ]
    .boxed()
}

/// A keyword that holds schemas nested up to `depth` deep.
fn applicator(depth: u32) -> BoxedStrategy<(&'static str, Value)> {
    let one = || schema(depth);
    let list = || vec(schema(depth), 1..3).prop_map(Value::Array);
    let named = |keyword: &'static str, names: &'static [&'static str]| {
        btree_map(select(names), schema(depth), 0..4).prop_map(move |members| (keyword, json!(members)))
    };
    prop_oneof![
        6 => named("properties", &NAMES[..]),
        2 => one().prop_map(|schema| ("items", schema)),
        1 => one().prop_map(|schema| ("additionalProperties", schema)),
        1 => (one(), select(&["unevaluatedProperties", "unevaluatedItems"][..])).prop_map(|(schema, keyword)| (keyword, schema)),
        1 => one().prop_map(|schema| ("not", schema)),
        1 => list().prop_map(|schemas| ("allOf", schemas)),
        1 => list().prop_map(|schemas| ("anyOf", schemas)),
        1 => list().prop_map(|schemas| ("oneOf", schemas)),
        2 => named("patternProperties", &PATTERNS[..]),
        1 => one().prop_map(|schema| ("propertyNames", schema)),
        1 => list().prop_map(|schemas| ("prefixItems", schemas)),
        1 => one().prop_map(|schema| ("contains", schema)),
        2 => (one(), select(&["if", "then", "else"][..])).prop_map(|(schema, keyword)| (keyword, schema)),
        1 => named("dependentSchemas", &NAMES[..]),
    ]
    .boxed()
}

pub(crate) fn schema(depth: u32) -> BoxedStrategy<Value> {
    let object = |keywords: Vec<(&'static str, Value)>| {
        Value::Object(keywords.into_iter().map(|(keyword, value)| (keyword.to_owned(), value)).collect())
    };
    let Some(below) = depth.checked_sub(1) else { return vec(assertion(), 0..3).prop_map(object).boxed() };
    let both = (vec(assertion(), 0..3), vec(applicator(below), 1..4));
    let both = both.prop_map(move |(assertions, applicators)| object([assertions, applicators].concat()));
    prop_oneof![20 => both, 1 => any::<bool>().prop_map(Value::Bool)].boxed()
}

/// A whole file, if it is one that loads: random keywords may contradict each other.
pub(crate) fn file() -> impl Strategy<Value = Value> {
    (schema(3), schema(1), schema(0)).prop_filter_map("it does not load", |(root, plain, odd)| {
        let mut file: Map<String, Value> = root.as_object().cloned()?;
        file.insert("type".into(), "object".into());
        file.insert("$defs".into(), json!({ "plain": plain, "odd/name": odd }));
        let file = Value::Object(file);
        load::parse("schemas/random.json", "random", file.to_string()).is_ok().then_some(file)
    })
}

pub(crate) fn value() -> impl Strategy<Value = Bson> {
    let scalar = prop_oneof![
        (-1..4_i32).prop_map(Bson::Int32),
        select(&[0_i64, 9_007_199_254_740_993][..]).prop_map(Bson::Int64),
        select(&[-0.0, 0.1, 2.0, 2.5, f64::NAN][..]).prop_map(Bson::Double),
        select(&["0.1", "2.0", "NaN"][..]).prop_map(decimal),
        select(&["", "a", "b", "ab", "a\n", "é b"][..]).prop_map(Bson::from),
        any::<bool>().prop_map(Bson::Boolean),
        Just(Bson::Null),
        Just(Bson::DateTime(mongodb::bson::DateTime::from_millis(0))),
        Just(Bson::ObjectId(ObjectId::from_bytes([7; 12]))),
    ];
    scalar.prop_recursive(3, 24, 4, |value| {
        prop_oneof![
            1 => vec(value.clone(), 0..4).prop_map(Bson::Array),
            2 => members(value).prop_map(Bson::Document),
        ]
    })
}

pub(crate) fn members(value: impl Strategy<Value = Bson>) -> impl Strategy<Value = Document> {
    let named = btree_map(select(&NAMES[..]), value, 1..5);
    named
        .prop_map(|members: BTreeMap<_, _>| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// What the pointer leads to in the document.
fn at<'d>(document: &'d Document, pointer: &str) -> Option<&'d Bson> {
    let mut tokens = pointer.split('/').skip(1).map(|token| token.replace("~1", "/").replace("~0", "~"));
    let first = document.get(tokens.next()?)?;
    tokens.try_fold(first, |value, token| match value {
        Bson::Document(document) => document.get(&token),
        Bson::Array(items) => items.get(token.parse::<usize>().ok()?),
        _ => None,
    })
}

/// A keyword's value, and those of its members, of which a violation may name one.
fn parts(value: &Tree) -> impl Iterator<Item = &Tree> {
    let members = value.as_object().into_iter().flat_map(|members| members.values());
    iter::once(value).chain(members).chain(value.as_array().unwrap_or_default())
}

/// What is wrong with the violation of a rule of `source` by `document`.
fn fault(source: &Source, document: &Document, violation: &Violation) -> Option<&'static str> {
    let missing = ["required", "dependentRequired"].contains(&violation.keyword.as_str());
    let stands = violation.pointer.is_empty() || at(document, &violation.pointer).is_some();
    let parent = violation.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    let inside = parent.is_empty() || matches!(at(document, parent), Some(Bson::Document(_)));
    let rule = violation.rule.as_deref().and_then(|rule| source.resolve(&rule.replace('%', "%25")));
    let value = rule.as_ref().and_then(|(_, schema)| schema.get(&violation.keyword));
    let expected = violation.expected.as_ref().map(|expected| expected.get());
    let is_written = |value: &Tree| parts(value).any(|part| Some(part.text(&source.text)) == expected);
    match () {
        () if missing == stands => Some("points at the wrong place"),
        () if missing && !inside => Some("misses a field where no object is"),
        () if rule.is_none() => Some("names no rule of the file"),
        () if value.is_none() => Some("names a keyword that its rule does not have"),
        () if !value.is_some_and(is_written) => Some("expects something else"),
        () if speaks_mongodb(violation) => Some("speaks of the translation"),
        () if violation.detail.is_empty() => Some("says nothing"),
        () if missing == violation.found.is_some() => Some("shows what is missing, or not what was found"),
        () => None,
    }
}

/// The faults of all violations by `document`, and whether it was refused.
async fn judge(db: &mongodb::Database, schema: &Schema, mut document: Document) -> (Vec<String>, bool) {
    document.insert("_id", ObjectId::new());
    let violations = insert(db, schema, document.clone()).await;
    if violations.is_empty() && !shapes::fits(&document.clone().into(), &schema.root) {
        return (vec![format!("the shape has no place for {document}\n  of {}", schema.source.text)], false);
    }
    let faults = violations.iter().filter_map(|violation| {
        let fault = fault(&schema.source, &document, violation)?;
        Some(format!("{fault}: {violation:?}\n  by {document}\n  of {}", schema.source.text))
    });
    (faults.collect(), !violations.is_empty())
}

#[tokio::test]
async fn every_violation_names_a_place_and_a_rule_that_exist() {
    let test = support::database().await;
    let mut runner = TestRunner::default();
    let (mut refused, mut faults) = (0, Vec::new());
    let files = FILES * support::effort();
    for number in 0..files {
        let file = file().new_tree(&mut runner).unwrap().current();
        let schema = super::create(&test.db, &format!("c{number}"), file.to_string()).await;
        for document in vec(members(value()), DOCUMENTS).new_tree(&mut runner).unwrap().current() {
            let (more, invalid) = judge(&test.db, &schema, document).await;
            faults.extend(more);
            refused += usize::from(invalid);
        }
        test.db.collection::<Document>(&schema.name).drop().await.unwrap();
    }
    assert!(faults.is_empty(), "{} faults, the first: {}", faults.len(), faults[..faults.len().min(5)].join("\n"));
    let all = files * DOCUMENTS;
    assert!(refused > all / 5 && refused < all, "{refused} of {all} are refused: the documents prove little");
}
