//! Random filters out of the allow-list, sensible or not: each answer is a list or the client's fault.

use proptest::{
    collection::{btree_map, vec},
    prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof},
    sample::select,
    strategy::ValueTree,
    test_runner::TestRunner,
};
use serde_json::{Value, json};

use super::{map, post};
use crate::support::effort;

/// Queries in each run of the test.
const QUERIES: usize = 600;
const FIELDS: [&str; 14] = [
    "name",
    "about",
    "size",
    "founded",
    "place",
    "area",
    "stops",
    "stops.line",
    "stops.0.opened",
    "tags",
    "tags.0",
    "_id",
    "place.coordinates",
    "tags.a",
];
const TYPES: [&str; 7] =
    ["Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection"];
const SYSTEMS: [&str; 3] = ["EPSG:4326", "urn:ogc:def:crs:OGC:1.3:CRS84", "urn:x-mongodb:crs:strictwinding:EPSG:4326"];
/// What an answer never shows: words of the database's own messages.
pub(crate) const FOREIGN: [&str; 8] =
    ["errmsg", "planner", "caused by", "Location", "ns=", "Loop", "BSONObj", "server"];

fn scalar() -> BoxedStrategy<Value> {
    let texts =
        ["", "x", "^a", "(", "2024-05-01T00:00:00Z", "6650f0000000000000000001", "1", "number", "objectId", "i", "a\0"];
    prop_oneof![
        select(&[-1, 0, 1, 2, 700, i64::MAX, i64::MIN][..]).prop_map(Value::from),
        select(&[-1.5, 0.0, 1e300, 5e-324][..]).prop_map(Value::from),
        select(texts.to_vec()).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
    ]
    .boxed()
}

fn wrapper() -> BoxedStrategy<Value> {
    select(vec![
        json!({ "$oid": "6650f0000000000000000001" }),
        json!({ "$date": "2024-05-01T00:00:00Z" }),
        json!({ "$numberInt": "1" }),
        json!({ "$numberLong": "1" }),
        json!({ "$numberDouble": "NaN" }),
        json!({ "$numberDouble": "-Infinity" }),
        json!({ "$numberDecimal": "1E+6144" }),
        json!({ "$binary": { "base64": "", "subType": "00" } }),
        json!({ "$timestamp": { "t": 1, "i": 1 } }),
        json!({ "$regularExpression": { "pattern": "(", "options": "" } }),
        json!({ "$code": "x" }),
        json!({ "$code": "x", "$scope": { "a": 1 } }),
        json!({ "$symbol": "x" }),
        json!({ "$dbPointer": { "$ref": "a", "$id": { "$oid": "6650f0000000000000000001" } } }),
        json!({ "$undefined": true }),
        json!({ "$minKey": 1 }),
        json!({ "$maxKey": 1 }),
        json!({ "$oid": "x" }),
    ])
    .boxed()
}

fn value() -> BoxedStrategy<Value> {
    prop_oneof![6 => scalar(), 2 => wrapper()]
        .prop_recursive(3, 12, 4, |inner| {
            let members = btree_map(select(&["a", "line", "type", "coordinates", "0"][..]), inner.clone(), 0..3);
            prop_oneof![
                vec(inner, 0..4).prop_map(Value::from),
                members.prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
            ]
        })
        .boxed()
}

fn position() -> BoxedStrategy<Value> {
    let number = || select(vec![json!(0), json!(1), json!(2.5), json!(10), json!(180), json!(-90), json!(181)]);
    prop_oneof![9 => vec(number(), 2), 1 => vec(number(), 0..5)].prop_map(Value::from).boxed()
}

fn ring() -> BoxedStrategy<Value> {
    let closed = |mut ring: Vec<Value>| {
        ring.extend(ring.first().cloned());
        Value::from(ring)
    };
    prop_oneof![9 => vec(position(), 3..6).prop_map(closed), 1 => vec(position(), 0..5).prop_map(Value::from)].boxed()
}

fn geometry(depth: u32) -> BoxedStrategy<Value> {
    let list = |inner: BoxedStrategy<Value>| vec(inner, 0..3).prop_map(Value::from).boxed();
    let geometries = if depth == 0 { Just(json!([])).boxed() } else { list(geometry(depth - 1)) };
    let system = prop_oneof![
        4 => Just(None),
        1 => select(&SYSTEMS[..]).prop_map(|name| Some(json!({ "type": "name", "properties": { "name": name } }))),
    ];
    (select(&TYPES[..]), position(), list(position()), list(ring()), list(list(ring())), geometries, system)
        .prop_map(|(kind, position, positions, rings, polygons, geometries, system)| {
            let mut geometry = json!({ "type": kind });
            match kind {
                "Point" => geometry["coordinates"] = position,
                "MultiPoint" | "LineString" => geometry["coordinates"] = positions,
                "Polygon" | "MultiLineString" => geometry["coordinates"] = rings,
                "MultiPolygon" => geometry["coordinates"] = polygons,
                _ => geometry["geometries"] = geometries,
            }
            if let Some(system) = system {
                geometry["crs"] = system;
            }
            geometry
        })
        .boxed()
}

fn geo() -> BoxedStrategy<Value> {
    let number = || select(vec![json!(0), json!(1), json!(1e300), json!(-1), json!({ "$numberDouble": "Infinity" })]);
    prop_oneof![
        3 => (select(&["$geoWithin", "$geoIntersects", "$near", "$nearSphere"][..]), geometry(2))
            .prop_map(|(name, geometry)| json!({ name: { "$geometry": geometry } })),
        2 => (select(&["$near", "$nearSphere"][..]), position(), select(&["$minDistance", "$maxDistance"][..]), number())
            .prop_map(|(name, position, which, distance)| {
                json!({ name: { "$geometry": { "type": "Point", "coordinates": position }, which: distance } })
            }),
        1 => (select(&["$box", "$polygon"][..]), vec(position(), 0..5))
            .prop_map(|(name, positions)| json!({ "$geoWithin": { name: positions } })),
        1 => (select(&["$center", "$centerSphere"][..]), position(), number())
            .prop_map(|(name, position, radius)| json!({ "$geoWithin": { name: [position, radius] } })),
    ]
    .boxed()
}

fn text() -> BoxedStrategy<Value> {
    let searches = select(&["rivers", "\"two rivers\" -silk", "", "-", "\"", "a\0b", "é 日本"][..]);
    (searches, select(&["en", "none", "french", "zh", ""][..]), any::<bool>())
        .prop_map(|(search, language, flag)| {
            json!({ "$text": { "$search": search, "$language": language, "$diacriticSensitive": flag } })
        })
        .boxed()
}

/// Operators on a field, together or alone.
fn operators(depth: u32) -> BoxedStrategy<Value> {
    let compare = (select(&["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"][..]), value());
    let list = (select(&["$in", "$nin", "$all"][..]), vec(value(), 0..4).prop_map(Value::from));
    let types = prop_oneof![Just(json!("string")), Just(json!(["number", "minKey"])), value()];
    let patterns = ["a", "^A", "(a+)+$", "(", "a{1,99999}", "(*UTF)é", "\\p{L}", "(?R)", "[[:foo:]]"];
    let regex = select(patterns.to_vec()).prop_map(Value::from);
    let modulo = vec(select(vec![json!(0), json!(-1), json!(3), json!(i64::MIN)]), 1..3).prop_map(Value::from);
    let mut choices = vec![
        compare.boxed(),
        list.boxed(),
        (Just("$type"), types).boxed(),
        (Just("$regex"), regex).boxed(),
        (Just("$options"), select(vec![json!("i"), json!("xsm"), json!("ii")])).boxed(),
        (Just("$mod"), modulo).boxed(),
        (select(&["$exists", "$size"][..]), scalar()).boxed(),
    ];
    if depth > 0 {
        choices.push((Just("$not"), operators(depth - 1)).boxed());
        choices.push((Just("$elemMatch"), prop_oneof![operators(depth - 1), filter(depth - 1)]).boxed());
        let elements = vec(operators(depth - 1).prop_map(|inner| json!({ "$elemMatch": inner })), 1..3);
        choices.push((Just("$all"), elements.prop_map(Value::from)).boxed());
    }
    let together = vec(proptest::strategy::Union::new(choices), 1..4);
    let together = together
        .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Value>());
    prop_oneof![4 => together, 1 => geo()].boxed()
}

pub(crate) fn filter(depth: u32) -> BoxedStrategy<Value> {
    let condition = || {
        (select(&FIELDS[..]), prop_oneof![1 => value(), 4 => operators(depth.saturating_sub(1))])
            .prop_map(|(field, condition)| json!({ field: condition }))
    };
    if depth == 0 {
        return condition().boxed();
    }
    let branches = vec(filter(depth - 1), 1..4);
    let logic = (select(&["$and", "$or", "$nor"][..]), branches).prop_map(|(name, branches)| json!({ name: branches }));
    prop_oneof![5 => condition(), 3 => logic, 1 => text(), 1 => geo().prop_map(|geo| json!({ "place": geo }))].boxed()
}

#[tokio::test]
async fn no_filter_is_a_fault_of_the_service() {
    let api = map().await;
    let mut runner = TestRunner::default();
    let sorts = select(vec![None, None, Some("name"), Some("-place,size"), Some("tags"), Some("stops.line")]);
    let queries = (filter(3), sorts);
    let mut taken = 0;
    for _ in 0..QUERIES * effort() {
        let (filter, sort) = queries.new_tree(&mut runner).unwrap().current();
        let mut query = json!({ "filter": filter });
        if let Some(sort) = sort {
            query["sort"] = sort.into();
        }
        let answer = post(&api, query.clone()).await;
        assert!([200, 400, 422].contains(&answer.status), "{query}: {}", answer.text);
        taken += usize::from(answer.status == 200);
        if answer.status != 200 {
            let detail = answer.json()["detail"].as_str().unwrap().to_owned();
            assert!(!FOREIGN.iter().any(|word| detail.contains(word)), "{query}: {detail}");
        }
    }
    assert!(taken > QUERIES / 10, "only {taken} filters were taken: the test says little");
}
