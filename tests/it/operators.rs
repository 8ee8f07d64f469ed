//! MongoDB's update operators over HTTP: what they do to what is stored, and what is refused.

use futures::{StreamExt, stream};
use mongodb::bson::{Bson, DateTime, Decimal128, Document, doc, oid::ObjectId};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::{
    prelude::*,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Api, effort};

/// A collection with a field of every kind, and the time of the last change.
fn shelf() -> Value {
    json!({
        "type": "object",
        "properties": {
            "_id": { "type": "string" },
            "title": { "type": "string", "maxLength": 10 },
            "n": { "bsonType": "long" },
            "d": { "bsonType": "double" },
            "price": { "bsonType": "decimal" },
            "at": { "bsonType": "date" },
            "tick": { "bsonType": "timestamp" },
            "tags": { "type": "array", "items": { "type": "string" }, "maxItems": 5 },
            "days": { "type": "array", "items": { "bsonType": ["date", "null"] } },
            "lines": { "type": "array", "items": { "type": "object", "properties": {
                "sku": { "bsonType": "objectId" }, "qty": { "bsonType": "long" }, "at": { "bsonType": "date" }
            } } },
            "in": { "type": "object", "properties": { "x": { "bsonType": "long" }, "at": { "bsonType": "date" } } },
            "changed": { "bsonType": "date", "x-set": { "update": "now" } },
            "state": { "type": "string", "readOnly": true },
            "pin": { "type": "string", "writeOnly": true }
        }
    })
}

/// Sends operators; with a precondition they are worked out in a transaction, without one MongoDB may take them at once.
async fn operate(api: &Api, id: &str, (update, filters): (&str, Option<&str>), is_exact: bool) -> Answer {
    let query = filters.map(|filters| format!("?arrayFilters={}", utf8_percent_encode(filters, NON_ALPHANUMERIC)));
    let path = format!("/v1/things/{id}{}", query.unwrap_or_default());
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(is_exact.then_some(("if-match", "*")));
    api.send(Method::PATCH, &path, &headers, update.to_owned()).await
}

/// Applies an update to a `document` of its own both ways, and gives both answers with what is stored then.
async fn both_ways(api: &Api, n: usize, document: &Document, update: (&str, Option<&str>)) -> [(Answer, Document); 2] {
    let both = [false, true].map(async |is_exact| {
        let id = format!("{n}-{is_exact}");
        let mut before = doc! { "_id": &id };
        before.extend(document.clone());
        api.collection("things").insert_one(before).await.unwrap();
        let answer = operate(api, &id, update, is_exact).await;
        let mut stored = api.collection("things").find_one(doc! { "_id": &id }).await.unwrap().unwrap();
        stored.remove("_id");
        (answer, stored)
    });
    let [direct, exact] = both;
    [direct.await, exact.await]
}

fn date(text: &str) -> DateTime {
    DateTime::parse_rfc3339_str(format!("{text}T00:00:00Z")).unwrap()
}

fn decimal(text: &str) -> Decimal128 {
    text.parse().unwrap()
}

/// What the updates are applied to.
fn before() -> Document {
    doc! {
        "title": "old", "n": 6_i64, "d": 1.5, "price": decimal("1.20"), "at": date("2024-05-01"),
        "tags": ["a", "b", "c"], "days": [date("2024-05-01"), date("2024-05-02")],
        "lines": [line(1), { "qty": 2_i64 }], "in": { "x": 1_i64 },
    }
}

fn line(qty: i64) -> Document {
    doc! { "qty": qty, "at": date("2024-05-01") }
}

/// Applies updates to what is stored, both ways; each stands with the members that change, `null` for those that go.
async fn does<const N: usize>(cases: [(&str, Document); N]) {
    let api = Api::things(shelf()).await;
    let old = date("2000-01-01");
    for (n, (update, changes)) in cases.into_iter().enumerate() {
        let mut stored = before();
        stored.insert("changed", old);
        let (update, filters) = update.split_once(" where ").map_or((update, None), |(update, f)| (update, Some(f)));
        let mut expected = before();
        for (name, value) in changes {
            match value {
                Bson::Null => drop(expected.remove(name)),
                value => drop(expected.insert(name, value)),
            }
        }
        for (answer, mut after) in both_ways(&api, n, &stored, (update, filters)).await {
            assert!(answer.ok(200).get("pin").is_none(), "{update}");
            assert!(*after.get_datetime("changed").unwrap() > old, "{update}: it tells no time");
            after.remove("changed");
            assert_eq!(sorted(after), sorted(expected.clone()), "{update}");
        }
    }
}

#[tokio::test]
async fn fields_are_changed_as_they_are_declared() {
    let id = ObjectId::parse_str("6650f0000000000000000001").unwrap();
    does([
        (
            r#"{"$set":{"at":"2024-06-01T00:00:00Z","in.at":"2024-06-01T00:00:00Z"}}"#,
            doc! { "at": date("2024-06-01"), "in": { "x": 1_i64, "at": date("2024-06-01") } },
        ),
        (r#"{"$set":{"new.deep":1},"$unset":{"title":""}}"#, doc! { "title": null, "new": { "deep": 1 } }),
        (
            r#"{"$set":{"lines.1.sku":"6650f0000000000000000001"}}"#,
            doc! { "lines": [line(1), { "qty": 2_i64, "sku": id }] },
        ),
        (
            r#"{"$inc":{"n":1,"d":0.5,"price":"0.10","in.x":-1,"count":2}}"#,
            doc! { "n": 7_i64, "d": 2.0, "price": decimal("1.30"), "in": { "x": 0_i64 }, "count": 2 },
        ),
        (r#"{"$mul":{"n":7,"price":"2","none":5}}"#, doc! { "n": 42_i64, "price": decimal("2.40"), "none": 0 }),
        (r#"{"$min":{"n":5,"at":"2030-01-01T00:00:00Z"},"$max":{"d":9}}"#, doc! { "n": 5_i64, "d": 9.0 }),
        (r#"{"$rename":{"title":"name"}}"#, doc! { "title": null, "name": "old" }),
        (r#"{"$bit":{"n":{"and":5}}}"#, doc! { "n": 4_i64 }),
        (r#"{"$set":{"pin":"1234"}}"#, doc! { "pin": "1234" }),
    ])
    .await;
}

#[tokio::test]
async fn arrays_are_changed_as_their_items_are_declared() {
    let id = ObjectId::parse_str("6650f0000000000000000001").unwrap();
    does([
        (
            r#"{"$push":{"tags":"d","days":{"$each":["2024-04-30T00:00:00Z"],"$sort":1,"$slice":2}}}"#,
            doc! { "tags": ["a", "b", "c", "d"], "days": [date("2024-04-30"), date("2024-05-01")] },
        ),
        (
            r#"{"$push":{"tags":{"$each":["z"],"$position":1},"lines":{"$each":[],"$sort":{"qty":-1}}}}"#,
            doc! { "tags": ["a", "z", "b", "c"], "lines": [{ "qty": 2_i64 }, line(1)] },
        ),
        (
            r#"{"$push":{"lines":{"sku":"6650f0000000000000000001"},"fresh":[1]}}"#,
            doc! { "lines": [line(1), { "qty": 2_i64 }, { "sku": id }], "fresh": [[1]] },
        ),
        (
            r#"{"$addToSet":{"tags":{"$each":["c","d"]},"days":"2024-05-01T00:00:00Z"}}"#,
            doc! { "tags": ["a", "b", "c", "d"] },
        ),
        (
            r#"{"$pull":{"days":{"$gt":"2024-05-01T00:00:00Z"},"lines":{"qty":{"$gte":2}},"tags":"a"}}"#,
            doc! { "days": [date("2024-05-01")], "lines": [line(1)], "tags": ["b", "c"] },
        ),
        (
            r#"{"$pull":{"tags":{"$not":{"$regex":"^[ab]"}},"lines":{"$or":[{"at":null},{"qty":7}]}}}"#,
            doc! { "tags": ["a", "b"], "lines": [line(1)] },
        ),
        (
            r#"{"$pullAll":{"days":["2024-05-02T00:00:00Z"]},"$pop":{"tags":-1}}"#,
            doc! { "days": [date("2024-05-01")], "tags": ["b", "c"] },
        ),
        (r#"{"$inc":{"lines.$[].qty":1}}"#, doc! { "lines": [line(2), { "qty": 3_i64 }] }),
        (
            r#"{"$set":{"lines.$[x].at":"2024-05-01T00:00:00Z"}} where [{"x.qty":{"$gte":2}}]"#,
            doc! { "lines": [line(1), line(2)] },
        ),
        (
            r#"{"$set":{"days.$[d]":null}} where [{"d":{"$lt":"2024-05-02T00:00:00Z"}}]"#,
            doc! { "days": [null, date("2024-05-02")] },
        ),
        (
            r#"{"$set":{"tags.$[t]":"z"},"$inc":{"lines.$[l].qty":1}} where [{"$or":[{"t":"b"},{"t":"c"}]},{"l.at":null}]"#,
            doc! { "tags": ["a", "z", "z"], "lines": [line(1), { "qty": 3_i64 }] },
        ),
    ])
    .await;
}

fn sorted(document: Document) -> Vec<(String, Bson)> {
    let mut members: Vec<_> = document.into_iter().collect();
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    members
}

#[tokio::test]
async fn the_servers_own_clock_is_written() {
    let api = Api::things(shelf()).await;
    let update = (r#"{"$currentDate":{"at":true,"tick":{"$type":"timestamp"}}}"#, None);
    for (answer, stored) in both_ways(&api, 0, &doc! {}, update).await {
        answer.ok(200);
        let age = DateTime::now().timestamp_millis() - stored.get_datetime("at").unwrap().timestamp_millis();
        assert!(age.abs() < 60_000, "{stored}");
        assert!(stored.get_timestamp("tick").unwrap().time > 1_700_000_000, "{stored}");
    }
}

#[tokio::test]
async fn what_changes_nothing_is_not_written() {
    let api = Api::things(shelf()).await;
    let old = doc! {
        "title": "old", "n": 6_i64, "d": 1e300, "tags": ["a"], "lines": [{ "qty": 1_i64 }], "none": 0, "in": {},
        "big": decimal("1.000000000000000000000000000000001E+400"), "undefined": [Bson::Undefined], "zero": [-0.0], "nested": [["x"]],
        "changed": date("2000-01-01"),
    };
    for (n, (update, filters)) in [
        (r#"{"$set":{}}"#, None),
        (r#"{"$set":{"title":"old","n":6}}"#, None),
        (r#"{"$setOnInsert":{"title":"new"}}"#, None),
        (r#"{"$unset":{"gone":1,"title.x":1,"lines.qty":1,"in.y":1}}"#, None),
        (r#"{"$inc":{"n":0,"d":1}}"#, None),
        (r#"{"$inc":{"big":1e300}}"#, None),
        (r#"{"$set":{"tags.00":"a"}}"#, None),
        (r#"{"$addToSet":{"zero":{"$each":[0,-0.0]}}}"#, None),
        (r#"{"$addToSet":{"nested.0":"x"}}"#, None),
        (r#"{"$pullAll":{"undefined":[null]}}"#, None),
        (r#"{"$mul":{"n":1,"none":3}}"#, None),
        (r#"{"$min":{"n":7},"$max":{"title":"a"}}"#, None),
        (r#"{"$max":{"tags":"z","n":6}}"#, None),
        (r#"{"$addToSet":{"tags":{"$each":["a","a"]}}}"#, None),
        (r#"{"$push":{"tags":{"$each":[]}}}"#, None),
        (r#"{"$push":{"tags":{"$each":["b"],"$slice":1}}}"#, None),
        (r#"{"$pull":{"tags":"b","gone":1}}"#, None),
        (r#"{"$pullAll":{"tags":["b"]},"$pop":{"gone":1}}"#, None),
        (r#"{"$rename":{"gone":"title"}}"#, None),
        (r#"{"$bit":{"n":{"or":2}}}"#, None),
        (r#"{"$set":{"lines.$[].qty":1}}"#, None),
        (r#"{"$set":{"lines.$[x].qty":5}}"#, Some(r#"[{"x.qty":7}]"#)),
    ]
    .into_iter()
    .enumerate()
    {
        for (answer, stored) in both_ways(&api, n, &old, (update, filters)).await {
            assert_eq!(answer.status, 200, "{update}: {}", answer.text);
            assert_eq!(stored, old, "{update}");
        }
    }
}

/// Documents from before the rules of their file are not told to lack what a change of them writes.
#[tokio::test]
async fn what_the_service_writes_is_judged_with_the_rest() {
    let api = Api::things(json!({
        "type": "object",
        "required": ["changed"],
        "properties": {
            "_id": { "type": "string" },
            "n": { "bsonType": "int", "maximum": 5 },
            "changed": { "bsonType": "date", "x-set": { "update": "now" } }
        }
    }))
    .await;
    let things = api.collection("things");
    for (update, status, n, is_stamped) in [
        (r#"{"$inc":{"n":1}}"#, 200, 2, true),
        (r#"{"$pull":{"n":1},"$set":{"m":1}}"#, 422, 1, false),
        (r#"{"$bit":{"n":{"or":2}}}"#, 200, 3, true),
        (r#"{"$set":{"n":1}}"#, 200, 1, false),
        (r#"{"$bit":{"n":{"or":1}}}"#, 200, 1, false),
        (r#"{"$set":{"n":9}}"#, 422, 1, false),
    ] {
        for is_exact in [false, true] {
            things.delete_many(doc! {}).await.unwrap();
            let old = doc! { "_id": "old", "n": 1 };
            things.insert_one(old).bypass_document_validation(true).await.unwrap();
            let answer = operate(&api, "old", (update, None), is_exact).await;
            let stored = things.find_one(doc! {}).await.unwrap().unwrap();
            assert_eq!(answer.status, status, "{update}: {}", answer.text);
            let found = (stored.get_i32("n").unwrap(), stored.contains_key("changed"));
            assert_eq!(found, (n, is_stamped), "{update}: {stored}");
            if answer.json()["type"] == "/problems/invalid-document" {
                let errors = answer.json()["errors"].as_array().unwrap().clone();
                assert!(errors.iter().all(|error| error["pointer"] == "/n"), "{update}: {errors:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_the_stored_document_does_not_take_is_told() {
    let api = Api::things(shelf()).await;
    let mut stored = before();
    stored.insert("n", i64::MAX);
    for (n, (update, filters, detail)) in [
        (r#"{"$inc":{"title":1}}"#, None, "`$inc` needs a number, and what is stored is none"),
        (r#"{"$mul":{"tags":2}}"#, None, "`$mul` needs a number, and what is stored is none"),
        (r#"{"$inc":{"n":1}}"#, None, "`$inc` would leave the range of 64-bit whole numbers"),
        (r#"{"$bit":{"d":{"or":1}}}"#, None, "`$bit` needs a whole number, and what is stored is none"),
        (r#"{"$push":{"title":"x"}}"#, None, "`$push` needs an array, and `title` is none"),
        (r#"{"$addToSet":{"in":1}}"#, None, "`$addToSet` needs an array, and what is stored is none"),
        (r#"{"$pull":{"title":"x"}}"#, None, "`$pull` and `$pullAll` need an array, and what is stored is none"),
        (r#"{"$pullAll":{"n":[1]}}"#, None, "`$pull` and `$pullAll` need an array, and what is stored is none"),
        (r#"{"$pop":{"n":1}}"#, None, "`$pop` needs an array, and `n` is none"),
        (r#"{"$set":{"title.x":1}}"#, None, "there can be no `x` there: what holds it is no object"),
        (r#"{"$set":{"lines.qty":1}}"#, None, "there can be no `qty` there: what holds it is no object"),
        (r#"{"$set":{"tags.2000000":"x"}}"#, None, "a position is too far behind the end of its array"),
        (r#"{"$set":{"gone.$[]":1}}"#, None, "`$[]` and `$[name]` need an array, and there is no `gone`"),
        (r#"{"$set":{"title.$[]":1}}"#, None, "`$[]` and `$[name]` need an array, and what is stored is none"),
        (r#"{"$rename":{"tags.0":"first"}}"#, None, "`$rename` does not reach into arrays"),
        (r#"{"$rename":{"title":"tags.0"}}"#, None, "`$rename` does not reach into arrays"),
        (r#"{"$pop":{"title.x":1}}"#, None, "an operator cannot be applied to what is stored where its path leads"),
        (r#"{"$set":{"tags.$[]":"x","tags.$[t]":"y"}}"#, Some(r#"[{"t":"a"}]"#), "two paths lead to the same item"),
        (
            r#"{"$set":{"tags.$[]":"x","tags.0":"y"}}"#,
            None,
            "an operator cannot be applied to what is stored where its path leads",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        for (answer, after) in both_ways(&api, n, &stored, (update, filters)).await {
            let problem = answer.problem(422, "patch-failed");
            assert_eq!(problem["detail"], detail, "{update}");
            assert_eq!(after, stored, "{update}");
        }
    }
}

#[tokio::test]
async fn refusals_have_their_kinds() {
    let api = Api::things(shelf()).await;
    let stored = doc! { "title": "old", "tags": ["a"], "state": "s", "pin": "1" };
    for (n, (update, filters, status, slug)) in [
        (r#"{"$set":{"title":"much too long"}}"#, None, 422, "invalid-document"),
        (r#"{"$set":{"n":"x"}}"#, None, 422, "invalid-document"),
        (r#"{"$push":{"tags":{"$each":["b","c","d","e","f"]}}}"#, None, 422, "invalid-document"),
        (r#"{"$set":{"state":"t"}}"#, None, 422, "read-only-field"),
        (r#"{"$set":{"state":"s"}}"#, None, 422, "read-only-field"),
        (r#"{"$set":{"_id":"x"}}"#, None, 422, "read-only-field"),
        (r#"{"$currentDate":{"changed":true}}"#, None, 422, "read-only-field"),
        (r#"{"$max":{"pin":"2"}}"#, None, 403, "forbidden-field"),
        (r#"{"$rename":{"pin":"shown"}}"#, None, 403, "forbidden-field"),
        (r#"{"$where":"1"}"#, None, 400, "malformed-body"),
        (r#"{"$set":{"a":1},"title":"x"}"#, None, 400, "malformed-body"),
        (r#"{"$set":{"a":{"$where":"1"}}}"#, None, 400, "malformed-body"),
        (r#"{"$set":{"a.$":1}}"#, None, 400, "malformed-body"),
        (r#"{"$set":{"a":1},"$unset":{"a.b":1}}"#, None, 400, "malformed-body"),
        (r#"{"$pull":{"tags":{"$where":"1"}}}"#, None, 400, "invalid-query"),
        (r#"{"$set":{"tags.$[x]":"y"}}"#, None, 400, "invalid-query"),
        (r#"{"$set":{"tags.$[x]":"y"}}"#, Some("[{\"x\":1}]"), 400, "invalid-query"),
        (r#"{"$set":{"title":"y"}}"#, Some("[{\"x\":\"a\"}]"), 400, "invalid-query"),
        (r#"{"title":"y"}"#, Some("[]"), 400, "invalid-query"),
    ]
    .into_iter()
    .enumerate()
    {
        for (answer, after) in both_ways(&api, n, &stored, (update, filters)).await {
            answer.problem(status, slug);
            assert_eq!(after, stored, "{update}");
        }
    }
    operate(&api, "none", (r#"{"$set":{"title":"x"}}"#, None), false).await.problem(404, "unknown-document");
    let many: Vec<_> = (0..1001).map(|n| format!("\"f{n}\":1")).collect();
    let problem = operate(&api, "0-true", (&format!("{{\"$set\":{{{}}}}}", many.join(",")), None), false).await;
    assert_eq!(problem.problem(400, "limit-exceeded")["limit"], 1000);
}

/// Values that are not what they are alike, or that nothing is added to.
fn odd() -> Vec<Value> {
    let doubles = ["NaN", "-0.0", "Infinity", "9007199254740993", "5e-324"];
    let decimals = ["1.0", "1", "NaN", "-0", "1.000000000000000000000000000000001E+400", "-Infinity"];
    let longs = ["9007199254740993", "9223372036854775807", "-9223372036854775808"];
    let others = [
        json!(i32::MAX),
        json!({ "$undefined": true }),
        json!({ "$date": { "$numberLong": "0" } }),
        json!({ "$timestamp": { "t": 0, "i": 1 } }),
        json!({ "$minKey": 1 }),
        json!({ "$maxKey": 1 }),
        json!({ "$regularExpression": { "pattern": "a", "options": "" } }),
        json!({ "$binary": { "base64": "YQ==", "subType": "00" } }),
    ];
    let numbers = doubles.map(|number| json!({ "$numberDouble": number })).into_iter();
    let numbers = numbers.chain(decimals.map(|number| json!({ "$numberDecimal": number })));
    numbers.chain(longs.map(|number| json!({ "$numberLong": number }))).chain(others).collect()
}

/// Values such as stand in the documents of [`objects`].
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-2..3_i64).prop_map(Value::from),
        Just(json!({ "$numberLong": "1" })),
        (0..4_i32).prop_map(|n| Value::from(f64::from(n) / 2.0)),
        Just(json!(1e300)),
        proptest::sample::select(odd()),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let members = proptest::collection::vec(("[a-c0]", inner.clone()), 0..3);
        prop_oneof![
            proptest::collection::vec(inner, 0..3).prop_map(Value::from),
            members.prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn objects() -> impl Strategy<Value = Value> {
    proptest::collection::vec(("[a-c]", values()), 0..4)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

fn steps() -> impl Strategy<Value = Value> {
    let path = || "[a-c](\\.([abc01]|00|\\$\\[\\])){0,2}";
    let number = prop_oneof![
        (-1..3_i64).prop_map(Value::from),
        proptest::sample::select(vec![json!(0.5), json!(1e300), json!(-0.0), json!(5e-324)]),
        proptest::sample::select(vec![json!({ "$numberDecimal": "2" }), json!({ "$numberLong": "-1" })]),
    ];
    let value =
        |operator: &'static str| (path(), values()).prop_map(move |(path, value)| json!({ operator: { path: value } }));
    let amount = move |operator: &'static str| {
        (path(), number.clone()).prop_map(move |(path, number)| json!({ operator: { path: number } }))
    };
    let several = |operator: &'static str| {
        (path(), proptest::collection::vec(values(), 0..3))
            .prop_map(move |(path, items)| json!({ operator: { path: { "$each": items } } }))
    };
    prop_oneof![
        3 => value("$set"),
        1 => value("$min"),
        1 => value("$max"),
        1 => value("$unset"),
        1 => value("$setOnInsert"),
        2 => amount("$inc"),
        1 => amount("$mul"),
        2 => several("$push"),
        2 => several("$addToSet"),
        1 => (path(), proptest::collection::vec(values(), 0..3)).prop_map(|(path, items)| json!({ "$pullAll": { path: items } })),
        1 => (path(), path()).prop_map(|(path, target)| json!({ "$rename": { path: target } })),
        1 => path().prop_map(|path| json!({ "$pop": { path: 1 } })),
        1 => path().prop_map(|path| json!({ "$bit": { path: { "xor": 1 } } })),
        1 => (path(), values()).prop_map(|(path, value)| json!({ "$pull": { path: { "$gte": value } } })),
    ]
}

/// An update of one or two operators.
fn updates() -> impl Strategy<Value = Value> {
    (steps(), proptest::option::of(steps())).prop_map(|(mut one, other)| {
        for (operator, paths) in other.iter().flat_map(|other| other.as_object().unwrap()) {
            one[operator] = paths.clone();
        }
        one
    })
}

fn some<S: Strategy>(strategy: S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::default();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

#[tokio::test]
async fn random_operators_do_the_same_at_once_and_in_a_transaction() {
    let stamp = json!({ "bsonType": "date", "x-set": { "update": "now" } });
    let free = json!({ "type": "object", "properties": { "_id": { "type": "string" } } });
    let mut stamped = free.clone();
    stamped["properties"]["changed"] = stamp;
    for file in [free, stamped] {
        let (api, is_stamped) = (Api::things(file.clone()).await, file["properties"].get("changed").is_some());
        let cases = some((objects(), updates()), 400 * effort()).into_iter().enumerate();
        stream::iter(cases)
            .for_each_concurrent(8, |(n, (document, update))| check(&api, n, (document, update), is_stamped))
            .await;
    }
}

/// They tell what `==` does not: a zero from another one.
fn bytes(document: &Document) -> Vec<u8> {
    mongodb::bson::serialize_to_vec(document).unwrap()
}

async fn check(api: &Api, n: usize, (document, update): (Value, Value), is_stamped: bool) {
    let before = Document::try_from(document.as_object().unwrap().clone()).unwrap();
    let update = update.to_string();
    let [(direct, mut one), (exact, mut other)] = both_ways(api, n, &before, (&update, None)).await;
    let context = format!("{update} on {before}");
    assert_eq!(direct.status, exact.status, "{context}: {} and {}", direct.text, exact.text);
    assert!([200, 400, 422].contains(&direct.status), "{context}: {}", direct.text);
    for stored in [&mut one, &mut other] {
        let is_told = stored.remove("changed").is_some();
        let is_changed = bytes(stored) != bytes(&before);
        assert_eq!(is_told, is_changed && is_stamped, "{context}: {stored}");
        assert!(direct.status == 200 || !is_changed, "{context}: {stored}");
    }
    let [one, other] = [one, other].map(|stored| Bson::from(stored).into_canonical_extjson());
    assert_eq!(one, other, "{context}");
}
