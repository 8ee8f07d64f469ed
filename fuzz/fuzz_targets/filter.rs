//! A query string, and a `filter` on the lines after it, against schemas: nothing panics, and no plan holds a name with
//! `$` that is not on the list.

#![no_main]

use std::sync::{Arc, LazyLock};

use bson::{Bson, Document};
use folio::{
    config::Limits,
    query::{self, CursorKey, Draft, Query, filter::Filter},
    sample,
    schema::{Schema, load},
};
use libfuzzer_sys::fuzz_target;

/// What may begin with `$` in what MongoDB is asked for. Written down once more, so that it does not grow by accident.
const ALLOWED: [&str; 37] = [
    "$all",
    "$and",
    "$box",
    "$caseSensitive",
    "$center",
    "$centerSphere",
    "$diacriticSensitive",
    "$elemMatch",
    "$eq",
    "$exists",
    "$geoIntersects",
    "$geoWithin",
    "$geometry",
    "$gt",
    "$gte",
    "$in",
    "$language",
    "$lt",
    "$lte",
    "$maxDistance",
    "$meta",
    "$minDistance",
    "$mod",
    "$ne",
    "$near",
    "$nearSphere",
    "$nin",
    "$nor",
    "$not",
    "$options",
    "$or",
    "$polygon",
    "$regex",
    "$search",
    "$size",
    "$text",
    "$type",
];

static SCHEMAS: LazyLock<Vec<Arc<Schema>>> = LazyLock::new(|| {
    let open = load::parse("open.json", "open", r#"{"type": "object"}"#.to_owned()).unwrap();
    let types = load::parse("types.json", "types", include_str!("types.json").to_owned()).unwrap();
    sample::catalog().unwrap().iter().cloned().chain([open, types].map(Arc::new)).collect()
});
static LIMITS: LazyLock<Limits> = LazyLock::new(Limits::default);
static CURSORS: LazyLock<CursorKey> = LazyLock::new(|| CursorKey::derive(b"fuzz"));

fuzz_target!(|text: &str| {
    let (query, filter) = text.split_once('\n').unwrap_or((text, "{}"));
    let query = Query::parse(query, &LIMITS);
    let filter = Filter::parse(filter, &LIMITS);
    for schema in SCHEMAS.iter() {
        if let Ok(query) = &query
            && let Ok(plan) = query::plan(schema, query, &LIMITS, &CURSORS).and_then(Draft::settle)
        {
            check(&plan.filter);
            plan.columns().iter().for_each(check);
        }
        if let Ok(filter) = &filter
            && let Ok(planned) = filter.plan(schema, &LIMITS)
        {
            check(&planned.filter);
        }
    }
});

fn check(document: &Document) {
    for (name, value) in document {
        assert!(!name.starts_with('$') || ALLOWED.contains(&name.as_str()), "`{name}` in {document}");
        check_value(value);
    }
}

fn check_value(value: &Bson) {
    match value {
        Bson::Document(document) => check(document),
        Bson::Array(values) => values.iter().for_each(check_value),
        _ => {}
    }
}
