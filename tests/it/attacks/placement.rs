//! Row 3: an operator that is not on the list, at any place of a filter.

use folio::{
    Error,
    config::Limits,
    query::filter::{Filter, Planned},
    schema::Schema,
};
use proptest::{
    prelude::{Just, Strategy, any, prop_oneof},
    sample::select,
    strategy::ValueTree,
    test_runner::TestRunner,
};
use serde_json::{Value, json};

use super::{escaped, refused};
use crate::{
    filters::{cities, map, random},
    support::{catalog, effort},
};

/// Filters in each run of the test, each attacked at every place that it has.
const FILTERS: usize = 400;
/// One attack in so many is also sent to the service.
const SENT: usize = 40;

/// Names that MongoDB knows or once knew, and some that look like listed ones.
const UNLISTED: [&str; 44] = [
    "$where",
    "$expr",
    "$function",
    "$accumulator",
    "$jsonSchema",
    "$comment",
    "$rand",
    "$sampleRate",
    "$natural",
    "$slice",
    "$meta",
    "$lookup",
    "$out",
    "$merge",
    "$unionWith",
    "$graphLookup",
    "$facet",
    "$match",
    "$set",
    "$unset",
    "$inc",
    "$uniqueDocs",
    "$bitsAllSet",
    "$bitsAnyClear",
    "$alwaysTrue",
    "$_internalExprEq",
    "$geoNear",
    "$within",
    "$query",
    "$orderby",
    "$hint",
    "$maxTimeMS",
    "$ref",
    "$id",
    "$db",
    "$",
    "$$",
    "$$ROOT",
    "$WHERE",
    "$Eq",
    "$eq ",
    "$where.x",
    "$eq.$where",
    "$eq\\u0000",
];

/// The list of `docs/API.md`, and the names that Extended JSON gives its values.
const LISTED: [&str; 53] = [
    "$eq",
    "$ne",
    "$gt",
    "$gte",
    "$lt",
    "$lte",
    "$in",
    "$nin",
    "$and",
    "$or",
    "$nor",
    "$not",
    "$exists",
    "$type",
    "$all",
    "$elemMatch",
    "$size",
    "$mod",
    "$regex",
    "$options",
    "$text",
    "$search",
    "$language",
    "$caseSensitive",
    "$diacriticSensitive",
    "$near",
    "$nearSphere",
    "$geoWithin",
    "$geoIntersects",
    "$geometry",
    "$minDistance",
    "$maxDistance",
    "$box",
    "$polygon",
    "$center",
    "$centerSphere",
    "$oid",
    "$date",
    "$numberInt",
    "$numberLong",
    "$numberDouble",
    "$numberDecimal",
    "$binary",
    "$uuid",
    "$timestamp",
    "$regularExpression",
    "$undefined",
    "$minKey",
    "$maxKey",
    "$dbPointer",
    "$symbol",
    "$code",
    "$scope",
];

/// A member that has no business in a filter.
#[derive(Debug, Clone)]
struct Stray {
    name: String,
    value: &'static str,
    /// It comes before what is there already.
    is_first: bool,
}

fn stray() -> impl Strategy<Value = Stray> {
    let made_up = "\\$[a-zA-Z_]{1,12}".prop_filter("is on the list", |name| !LISTED.contains(&name.as_str()));
    let name = prop_oneof![3 => select(&UNLISTED[..]).prop_map(str::to_owned), 1 => made_up];
    let hidden = (name, any::<bool>())
        .prop_map(|(name, is_escaped)| if is_escaped { name.replacen('$', "\\u0024", 1) } else { name });
    let values = ["1", "true", "null", "\"1\"", "{}", "[]", "{\"a\":1}", "{\"$eq\":1}", "[{\"$eq\":1}]"];
    (hidden, select(values.to_vec()), prop_oneof![Just(true), Just(false)]).prop_map(|(name, value, is_first)| Stray {
        name,
        value,
        is_first,
    })
}

/// The tree as text, with the stray one at the place number `spot` in reading order: as a member of the object there,
/// or else around the value there. `spot` is counted down.
fn plant(tree: &Value, stray: &Stray, spot: &mut Option<usize>) -> String {
    let is_here = *spot == Some(0);
    *spot = spot.and_then(|spot| spot.checked_sub(1));
    match tree {
        Value::Object(members) => {
            let own = members.iter().map(|(name, value)| format!("{}:{}", json!(name), plant(value, stray, spot)));
            let mut all: Vec<_> = own.collect();
            if is_here {
                let at = if stray.is_first { 0 } else { all.len() };
                all.insert(at, format!("\"{}\":{}", stray.name, stray.value));
            }
            format!("{{{}}}", all.join(","))
        }
        _ if is_here => format!("{{\"{}\":{tree}}}", stray.name),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| plant(item, stray, spot)).collect();
            format!("[{}]", items.join(","))
        }
        scalar => scalar.to_string(),
    }
}

/// How many places the tree has.
fn places(tree: &Value) -> usize {
    1 + match tree {
        Value::Object(members) => members.values().map(places).sum(),
        Value::Array(items) => items.iter().map(places).sum(),
        _ => 0,
    }
}

fn plan(text: &str, schema: &Schema) -> Result<Planned, Error> {
    let limits = Limits::default();
    Filter::parse(text, &limits)?.plan(schema, &limits)
}

#[tokio::test]
async fn row_03_bypass_by_placement() {
    let (api, catalog) = (map().await, catalog(&[("things", cities())]));
    let schema = catalog.get("things").unwrap();
    let (mut runner, mut attacks, mut filters) = (TestRunner::default(), 0, 0);
    while filters < FILTERS * effort() {
        let filter = random::filter(3).new_tree(&mut runner).unwrap().current();
        // What is refused anyway would show nothing.
        if plan(&filter.to_string(), schema).is_err() {
            continue;
        }
        filters += 1;
        for spot in 0..places(&filter) {
            let stray = stray().new_tree(&mut runner).unwrap().current();
            let text = plant(&filter, &stray, &mut Some(spot));
            let planned = plan(&text, schema);
            let is_the_clients = |error: &Error| {
                matches!(error, Error::InvalidQuery { .. } | Error::UnknownField { .. } | Error::LimitExceeded { .. })
            };
            assert!(planned.as_ref().is_err_and(is_the_clients), "{text}: {planned:?}");
            attacks += 1;
            if attacks % SENT == 0 {
                let (parameter, body) = (escaped(&text), format!("{{\"filter\":{text}}}"));
                refused(&api.get(&format!("/v1/things?filter={parameter}")).await, &[400], &text);
                refused(&api.get(&format!("/v1/things/_explain?filter={parameter}")).await, &[400], &text);
                refused(&api.post("/v1/things/_query", body).await, &[400], &text);
            }
        }
    }
    assert!(attacks > 3 * filters, "only {attacks} attacks on {filters} filters: the test says little");
}
