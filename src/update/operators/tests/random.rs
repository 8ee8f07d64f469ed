//! Random updates: whatever is let through holds no name with `$` but those that are known.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

/// What may stand beside the items of `$push`, in a condition, in `$currentDate`. Written down once more, so that it does
/// not grow by accident.
const INSIDE: [&str; 23] = [
    "$all",
    "$and",
    "$each",
    "$elemMatch",
    "$eq",
    "$exists",
    "$gt",
    "$gte",
    "$in",
    "$lt",
    "$lte",
    "$mod",
    "$ne",
    "$nin",
    "$nor",
    "$not",
    "$or",
    "$position",
    "$regex",
    "$size",
    "$slice",
    "$sort",
    "$type",
];

/// What is let through nowhere, or not where it may come to stand.
const FOREIGN: [&str; 12] = [
    "$where",
    "$function",
    "$expr",
    "$jsonSchema",
    "$comment",
    "$replaceWith",
    "$unsett",
    "$[]",
    "$[x]",
    "$",
    "$pushAll",
    "$merge",
];

fn names() -> impl Strategy<Value = String> {
    let operators = Operator::NAMES.map(|(name, _)| name);
    let known: Vec<_> = operators.into_iter().chain(INSIDE).collect();
    prop_oneof![
        4 => "[a-c](\\.(a|b|0|\\$\\[\\]|\\$\\[x\\]|\\$))?",
        3 => proptest::sample::select(known).prop_map(str::to_owned),
        1 => proptest::sample::select(FOREIGN.to_vec()).prop_map(str::to_owned),
    ]
}

fn trees() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-1..3_i32).prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
        proptest::sample::select(vec!["date", "timestamp", "int"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        let members = proptest::collection::vec((names(), inner.clone()), 0..3);
        prop_oneof![
            1 => proptest::collection::vec(inner, 0..3).prop_map(Value::from),
            3 => members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Objects of operators on paths, with whatever operands.
fn updates() -> impl Strategy<Value = Value> {
    let operator = proptest::sample::select(Operator::NAMES.map(|(name, _)| name).to_vec());
    let paths = proptest::collection::vec(("[a-c](\\.(a|0|\\$\\[\\]))?", trees()), 1..3);
    let step = (operator, paths).prop_map(|(operator, paths)| {
        let operands: Map<_, _> = paths.into_iter().collect();
        (operator.to_owned(), Value::from(operands))
    });
    proptest::collection::vec(step, 1..3).prop_map(|steps| Value::Object(steps.into_iter().collect()))
}

fn check(name: &str, value: &Bson, known: &[&str]) {
    assert!(!name.starts_with('$') || known.contains(&name), "`{name}`: {value}");
    match value {
        Bson::Document(members) => members.iter().for_each(|(name, value)| check(name, value, known)),
        Bson::Array(items) => items.iter().for_each(|item| check("", item, known)),
        _ => {}
    }
}

/// The names with `$` that may stand in what `operator` takes.
fn known_in(operator: &str) -> &'static [&'static str] {
    match operator {
        "$push" => &["$each", "$position", "$slice", "$sort"],
        "$addToSet" => &["$each"],
        "$currentDate" => &["$type"],
        "$pull" => &INSIDE,
        _ => &[],
    }
}

proptest! {
    #[test]
    fn only_what_is_known_is_let_through(update in prop_oneof![3 => updates(), 1 => trees()], filters in trees()) {
        let (text, filters) = (update.to_string(), json!([filters]).to_string());
        for filters in [None, Some(filters.as_str())] {
            let Ok(read) = parse(&text, filters) else { continue };
            prop_assert!(!read.update().is_empty());
            for (operator, operands) in read.update() {
                prop_assert!(Operator::named(operator).is_some());
                for (path, operand) in operands.as_document().unwrap() {
                    prop_assert_eq!(path::check(path), Ok(()));
                    check("", operand, known_in(operator));
                }
            }
            read.array_filters().iter().for_each(|filter| check("", &Bson::from(filter.clone()), &INSIDE));
            let _ = (read.check(&schema().root), read.changes());
        }
    }

    #[test]
    fn a_foreign_name_anywhere_is_refused(update in updates(), at in any::<prop::sample::Index>(), name in prop::sample::select(FOREIGN.to_vec())) {
        let mut update = update;
        let pointers = objects("", &update);
        let object = update.pointer_mut(&pointers[at.index(pointers.len())]).unwrap().as_object_mut().unwrap();
        object.insert(name.to_owned(), json!(1));
        prop_assert!(parse(&update.to_string(), None).is_err(), "{}", update);
    }

    #[test]
    fn no_text_is_a_surprise(text in "\\PC{0,40}", filters in "\\PC{0,20}") {
        let _ = parse(&text, Some(&filters));
        let _ = parse(&format!(r#"{{"$set":{text}}}"#), None);
        let _ = parse(&format!(r#"{{"$pull":{{"a":{text}}}}}"#), None);
    }
}

/// The pointers of all objects in a value.
fn objects(at: &str, value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => {
            let inside = members.iter().flat_map(|(name, value)| objects(&below(at, name), value));
            [at.to_owned()].into_iter().chain(inside).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(n, item)| objects(&below(at, &n.to_string()), item)).collect()
        }
        _ => Vec::new(),
    }
}
