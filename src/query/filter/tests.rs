//! What is let through, what is not, and what values become.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::schema::load;

fn schema() -> Schema {
    let file = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "name": { "type": "string" },
            "int": { "bsonType": "int" },
            "long": { "bsonType": "long" },
            "double": { "bsonType": "double" },
            "price": { "bsonType": "decimal" },
            "date": { "bsonType": "date" },
            "ref": { "bsonType": "objectId" },
            "uuid": { "bsonType": "binData", "format": "uuid" },
            "dates": { "type": "array", "items": { "bsonType": "date" } },
            "grid": { "type": "array", "items": { "type": "array", "items": { "bsonType": "date" } } },
            "pair": { "type": "array", "prefixItems": [{ "bsonType": "date" }, { "bsonType": "objectId" }], "items": { "type": "string" } },
            "mixed": { "bsonType": ["array", "int"], "items": { "bsonType": "date" } },
            "inner": { "type": "object", "additionalProperties": false, "properties": {
                "at": { "bsonType": "date" }, "more": { "type": "object", "properties": { "id": { "bsonType": "objectId" } } } } },
            "list": { "type": "array", "items": { "type": "object", "additionalProperties": false, "properties": {
                "at": { "bsonType": "date" }, "ids": { "type": "array", "items": { "bsonType": "objectId" } } } } },
            "any": {},
            "place": { "type": "object" },
            "other": { "type": "object" }
        },
        "x-indexes": [{ "keys": { "name": "text" } }, { "keys": { "place": "2dsphere" } }]
    });
    load::parse("schemas/things.json", "things", file.to_string()).unwrap()
}

fn plan(filter: &Value) -> Result<Planned> {
    let limits = Limits::default();
    Filter::parse(&filter.to_string(), &limits)?.plan(&schema(), &limits)
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn values_have_their_declared_types_everywhere() {
    const DAY: &str = "2024-05-01T00:00:00Z";
    const DATE: &str = "DateTime(\"2024-05-01 0:00:00.0 +00:00:00\")";
    const ID: &str = "6650f0000000000000000001";
    const OID: &str = "ObjectId(\"6650f0000000000000000001\")";
    for (filter, planned) in [
        (json!({ "date": DAY }), r#"{ "date": DATE }"#),
        (json!({ "date": { "$in": [DAY, null] } }), r#"{ "date": { "$in": [DATE, null] } }"#),
        (json!({ "date": { "$not": { "$gt": DAY } } }), r#"{ "date": { "$not": { "$gt": DATE } } }"#),
        (json!({ "date": { "$not": { "$in": [DAY] } } }), r#"{ "date": { "$not": { "$in": [DATE] } } }"#),
        (json!({ "$nor": [{ "$or": [{ "ref": ID }] }] }), r#"{ "$nor": [{ "$or": [{ "ref": OID }] }] }"#),
        (json!({ "dates": DAY }), r#"{ "dates": DATE }"#),
        (json!({ "dates": [DAY] }), r#"{ "dates": [DATE] }"#),
        (json!({ "dates": { "$ne": [DAY, DAY] } }), r#"{ "dates": { "$ne": [DATE, DATE] } }"#),
        (json!({ "dates": { "$in": [[DAY], DAY] } }), r#"{ "dates": { "$in": [[DATE], DATE] } }"#),
        (json!({ "dates": { "$all": [DAY] } }), r#"{ "dates": { "$all": [DATE] } }"#),
        (json!({ "dates": { "$elemMatch": { "$gt": DAY } } }), r#"{ "dates": { "$elemMatch": { "$gt": DATE } } }"#),
        (json!({ "dates.0": DAY }), r#"{ "dates.0": DATE }"#),
        (json!({ "grid": [[DAY]] }), r#"{ "grid": [[DATE]] }"#),
        (json!({ "grid": [DAY] }), r#"{ "grid": [DATE] }"#),
        (json!({ "grid.0.1": DAY }), r#"{ "grid.0.1": DATE }"#),
        (
            json!({ "grid": { "$elemMatch": { "$elemMatch": { "$eq": DAY } } } }),
            r#"{ "grid": { "$elemMatch": { "$elemMatch": { "$eq": DATE } } } }"#,
        ),
        (json!({ "pair": [DAY, ID, DAY] }), r#"{ "pair": [DATE, OID, "DAY"] }"#),
        (json!({ "pair": { "$in": [[DAY, ID]] } }), r#"{ "pair": { "$in": [[DATE, OID]] } }"#),
        (json!({ "pair.0": DAY }), r#"{ "pair.0": DATE }"#),
        (json!({ "pair.1": { "$gt": ID } }), r#"{ "pair.1": { "$gt": OID } }"#),
        (json!({ "pair.2": DAY }), r#"{ "pair.2": "DAY" }"#),
        (json!({ "pair": DAY }), r#"{ "pair": "DAY" }"#),
        (json!({ "mixed": 5 }), r#"{ "mixed": 5 }"#),
        (json!({ "mixed": DAY }), r#"{ "mixed": DATE }"#),
        (json!({ "mixed": [DAY] }), r#"{ "mixed": [DATE] }"#),
        (json!({ "inner": { "at": DAY } }), r#"{ "inner": { "at": DATE } }"#),
        (
            json!({ "inner": { "$in": [{ "more": { "id": ID, "x": ID } }] } }),
            r#"{ "inner": { "$in": [{ "more": { "id": OID, "x": "ID" } }] } }"#,
        ),
        (json!({ "inner.more": { "id": ID } }), r#"{ "inner.more": { "id": OID } }"#),
        (json!({ "list": { "at": DAY, "ids": [ID] } }), r#"{ "list": { "at": DATE, "ids": [OID] } }"#),
        (json!({ "list": [{ "at": DAY }] }), r#"{ "list": [{ "at": DATE }] }"#),
        (json!({ "list.ids": ID }), r#"{ "list.ids": OID }"#),
        (json!({ "list.1.ids.0": ID }), r#"{ "list.1.ids.0": OID }"#),
        (
            json!({ "list": { "$elemMatch": { "at": { "$lt": DAY }, "ids": { "$all": [ID] } } } }),
            r#"{ "list": { "$elemMatch": { "at": { "$lt": DATE }, "ids": { "$all": [OID] } } } }"#,
        ),
        (
            json!({ "list": { "$all": [{ "$elemMatch": { "at": DAY } }] } }),
            r#"{ "list": { "$all": [{ "$elemMatch": { "at": DATE } }] } }"#,
        ),
        (json!({ "any": DAY, "name": DAY }), r#"{ "any": "DAY", "name": "DAY" }"#),
        (json!({ "any": { "a": [{ "$oid": ID }] } }), r#"{ "any": { "a": [OID] } }"#),
        (json!({ "date": { "$date": DAY } }), r#"{ "date": DATE }"#),
        (
            json!({ "date": { "$eq": { "$date": { "$numberLong": "1714521600000" } } } }),
            r#"{ "date": { "$eq": DATE } }"#,
        ),
        (json!({ "dates": [{ "$date": DAY }] }), r#"{ "dates": [DATE] }"#),
        (
            json!({ "uuid": "00010203-0405-0607-0809-0a0b0c0d0e0f" }),
            r#"{ "uuid": Binary(0x4, AAECAwQFBgcICQoLDA0ODw==) }"#,
        ),
        (json!({ "int": { "$gt": 1.5 } }), r#"{ "int": { "$gt": 1.5 } }"#),
        (json!({ "int": { "$lt": 99_999_999_999_i64 } }), r#"{ "int": { "$lt": 99999999999 } }"#),
        (json!({ "long": "9007199254740993" }), r#"{ "long": 9007199254740993 }"#),
        (json!({ "price": { "$in": ["19.90", { "$numberDecimal": "1" }] } }), r#"{ "price": { "$in": [19.90, 1] } }"#),
        (json!({ "name": null }), r#"{ "name": null }"#),
    ] {
        let shown = plan(&filter).unwrap_or_else(|e| panic!("{e} for {filter}")).filter.to_string();
        let shown = shown.replace(DATE, "DATE").replace(OID, "OID").replace(DAY, "DAY").replace(ID, "ID");
        assert_eq!(shown, planned, "{filter}");
    }
}

#[test]
fn numbers_have_the_declared_type_where_it_holds_them() {
    for (field, text, value) in [
        ("int", "3.0", Bson::Int32(3)),
        ("int", "1.5", Bson::Double(1.5)),
        ("int", "99999999999", Bson::Int64(99_999_999_999)),
        ("long", "3", Bson::Int64(3)),
        ("long", "\"9007199254740993\"", Bson::Int64(9_007_199_254_740_993)),
        ("long", "2.5", Bson::Double(2.5)),
        ("double", "3", Bson::Double(3.0)),
        ("price", "1.50", Bson::Decimal128("1.50".parse().unwrap())),
        ("any", "1", Bson::Int32(1)),
        ("any", "{\"$numberLong\":\"1\"}", Bson::Int64(1)),
    ] {
        let limits = Limits::default();
        let filter = Filter::parse(&format!("{{\"{field}\":{{\"$lt\":{text}}}}}"), &limits).unwrap();
        let planned = filter.plan(&schema(), &limits).unwrap().filter;
        assert_eq!(planned.get_document(field).unwrap().get("$lt"), Some(&value), "{field} {text}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn says_where_and_what_is_wrong() {
    for (filter, at, message) in [
        (r#"{"int":"x"}"#, r#""x""#, "filter: expected a 32-bit whole number"),
        (r#"{"int":{"$in":[1,"x"]}}"#, r#""x""#, "filter: expected a 32-bit whole number"),
        (r#"{"int":[1]}"#, "[1]", "filter: expected a 32-bit whole number"),
        (r#"{"int":{"a":1}}"#, r#"{"a"#, "filter: expected a 32-bit whole number"),
        (r#"{"dates":["x"]}"#, r#""x""#, "filter: expected a date (RFC 3339, `2024-05-01T12:00:00Z`)"),
        (r#"{"inner":{"at":5}}"#, "5", "filter: expected a date (RFC 3339, `2024-05-01T12:00:00Z`)"),
        (r#"{"nam":1}"#, r#""nam"#, "there is no field `nam`, did you mean `name`?"),
        (r#"{"$or":[{"inner.att":1}]}"#, r#""inner.att"#, "there is no field `inner.att`, did you mean `inner.at`?"),
        (r#"{"inner":{"att":1}}"#, r#""att"#, "there is no field `att`, did you mean `at`?"),
        (r#"{"list":{"$elemMatch":{"idz":1}}}"#, r#""idz"#, "there is no field `idz`, did you mean `ids`?"),
        (r#"{"list":[{"idz":1}]}"#, r#""idz"#, "there is no field `idz`, did you mean `ids`?"),
        (
            r#"{"inner":{"$elemMatch":{"secret":1}}}"#,
            r#""$elem"#,
            "filter: `$elemMatch` looks into an array, and this field holds none",
        ),
        (
            r#"{"name":{"$elemMatch":{"secret":1}}}"#,
            r#""$elem"#,
            "filter: `$elemMatch` looks into an array, and this field holds none",
        ),
        (
            r#"{"any":{"a.b":1}}"#,
            r#""a.b"#,
            "filter: `a.b`: only the name of a condition reaches inside, not a name in a value",
        ),
        (r#"{"any":{"a":{"$gt":1}}}"#, r#""$gt"#, "filter: `$gt` cannot stand here"),
        (r#"{"any":[{"$where":1}]}"#, r#""$where"#, "filter: the operator `$where` is not allowed"),
        (r#"{"any":{"x":1,"$gt":1}}"#, r#""$gt"#, "filter: `$gt` cannot stand here"),
        (r#"{"any":{"$gt":1,"x":1}}"#, r#""x"#, "filter: `x` stands beside operators, which only go with operators"),
        (r#"{"any":{"$oid":"x"}}"#, r#""x"#, "filter: expected 24 hex digits"),
        (
            r#"{"long":{"$numberInt":"5"}}"#,
            r#""$number"#,
            "filter: `$numberInt` gives int, but `long` is declared here",
        ),
        (r#"{"$where":"1"}"#, r#""$where"#, "filter: the operator `$where` is not allowed"),
        (r#"{"name":{"$option":"i"}}"#, r#""$option"#, "filter: unknown operator `$option`, did you mean `$options`?"),
        (r#"{"name":{"$options":"i"}}"#, r#""$options"#, "filter: `$options` stands beside `$regex` only"),
        (
            r#"{"int":{"$regex":"a"}}"#,
            r#""$regex"#,
            "filter: only strings match a regular expression, and this field holds none",
        ),
        (
            r#"{"name":{"$regularExpression":{"pattern":"a","options":""}}}"#,
            r#""$regular"#,
            "filter: `$regularExpression` gives regex, but `string` is declared here",
        ),
        (r#"{"any":{"$type":2}}"#, "2", "filter: expected the name of a BSON type, as in `\"string\"`"),
    ] {
        let error =
            Filter::parse(filter, &Limits::default()).and_then(|f| f.plan(&schema(), &Limits::default())).unwrap_err();
        assert_eq!(error.to_string(), message, "{filter}");
        let (Error::InvalidQuery { place, .. } | Error::UnknownField { place, .. }) = error else {
            panic!("{error:?}")
        };
        assert_eq!(place, Place::new("filter", filter.find(at)), "{filter}");
    }
}

#[test]
fn errors_in_a_body_have_pointers() {
    for (body, pointer) in [
        (r#"{"limit":5, "filter":{"$or":[{"int":1},{"int":{"$in":[1,"x"]}}]}}"#, "/filter/$or/1/int/$in/1"),
        (r#"{"filter": {"inner":{"att":1}}}"#, "/filter/inner/att"),
        (r#"{"filter": {"a/b":1}}"#, "/filter/a~1b"),
        (r#"{"filter": {"any":{"$where":1}}}"#, "/filter/any/$where"),
    ] {
        let query = crate::query::Query::parse_body(body.as_bytes(), &Limits::default()).unwrap();
        let error = query.filter.unwrap().plan(&schema(), &Limits::default()).unwrap_err();
        let (Error::InvalidQuery { place, .. } | Error::UnknownField { place, .. }) = error else {
            panic!("{error:?}")
        };
        assert_eq!((place.offset, place.pointer.as_deref()), (None, Some(pointer)), "{body}");
    }
}

#[test]
fn text_and_near_stand_where_mongodb_takes_them() {
    let text = json!({ "$text": { "$search": "x" } });
    let near =
        json!({ "place": { "$near": { "$geometry": { "type": "Point", "coordinates": [1, 2] }, "$maxDistance": 5 } } });
    let sphere = json!({ "place": { "$nearSphere": near["place"]["$near"] } });
    for filter in [&text, &near, &sphere] {
        for taken in [filter.clone(), json!({ "$and": [{ "int": 1 }, { "$and": [filter] }] })] {
            assert_eq!(plan(&taken).unwrap().nearest_first, *filter != text, "{taken}");
        }
        for refused in [
            json!({ "$nor": [filter] }),
            json!({ "$and": [filter, filter] }),
            json!({ "$and": [filter, &text] }),
            json!({ "$and": [&near, filter] }),
            json!({ "$or": [{ "$nor": [filter] }] }),
            json!({ "list": { "$elemMatch": filter } }),
            json!({ "any": { "$elemMatch": filter } }),
            json!({ "any": filter }),
        ] {
            assert!(plan(&refused).is_err(), "{refused}");
        }
    }
    assert!(!plan(&json!({ "$or": [text, { "int": 1 }] })).unwrap().nearest_first);
    for (filter, detail) in [
        (json!({ "$or": [near] }), "at the top of a filter and in `$and`"),
        (json!({ "place": { "$not": near["place"] } }), "at the top of a filter and in `$and`"),
        (json!({ "place": { "$exists": true, "$near": near["place"]["$near"] } }), "alone on its field"),
        (json!({ "other": near["place"] }), r#"add {"keys": {"other": "2dsphere"}} to `x-indexes`"#),
        (json!({ "int": near["place"] }), "neither GeoJSON objects nor coordinates"),
        (json!({ "place": { "$near": [1, 2] } }), "expected `{\"$geometry\""),
        (json!({ "place": { "$near": { "$maxDistance": 1 } } }), "expected `{\"$geometry\""),
        (json!({ "name": text }), "`$text` cannot stand here"),
        (json!({ "$text": {} }), "expected `$search`"),
        (json!({ "$text": { "$search": "x", "$languages": "en" } }), "did you mean `$language`?"),
        (json!({ "$text": { "$search": "x", "$language": "klingon" } }), "unknown language `klingon`"),
        (json!({ "$text": { "$search": "x", "$caseSensitive": 1 } }), "expected `true` or `false`"),
        (json!({ "$text": { "$search": "a ".repeat(1001) } }), "a search for 1001 words"),
    ] {
        let message = plan(&filter).unwrap_err().to_string();
        assert!(message.contains(detail), "{filter}: {message}");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn geometry_is_looked_at_before_it_is_sent() {
    let ring = json!([[0, 0], [0, 1], [1, 1], [0, 0]]);
    let crs = |name: &str| json!({ "type": "name", "properties": { "name": name } });
    let (plain, strict) = (crs("EPSG:4326"), crs("urn:x-mongodb:crs:strictwinding:EPSG:4326"));
    let polygon = json!({ "type": "Polygon", "coordinates": [ring] });
    let strict_polygon = json!({ "type": "Polygon", "coordinates": [ring], "crs": strict });
    let collection = |part: &Value| json!({ "type": "GeometryCollection", "geometries": [part] });
    let shape = |name: &str, coordinates: Value| json!({ "type": name, "coordinates": coordinates });
    let taken = [
        shape("Point", json!([180, -90])),
        shape("Point", json!([1.5, { "$numberDouble": "2" }, 900])),
        shape("MultiPoint", json!([[1, 2], [3, 4]])),
        shape("LineString", json!([[1, 2], [3, 4]])),
        shape("MultiLineString", json!([[[1, 2], [3, 4]]])),
        polygon.clone(),
        strict_polygon.clone(),
        shape("MultiPolygon", json!([[ring], [ring]])),
        json!({ "type": "Polygon", "coordinates": [ring], "crs": plain }),
        collection(&polygon),
        json!({ "type": "GeometryCollection", "geometries": [polygon], "crs": plain }),
    ];
    for geometry in &taken {
        plan(&json!({ "place": { "$geoIntersects": { "$geometry": geometry } } })).unwrap();
        let is_area = ["Polygon", "MultiPolygon"].contains(&geometry["type"].as_str().unwrap());
        let within = plan(&json!({ "place": { "$not": { "$geoWithin": { "$geometry": geometry } } } }));
        assert_eq!(within.is_ok(), is_area, "{geometry}");
    }
    for geometry in [
        json!(null),
        json!([1, 2]),
        shape("Circle", json!([1, 2])),
        shape("point", json!([1, 2])),
        shape("Point", json!([181, 2])),
        shape("Point", json!([1, 90.1])),
        shape("Point", json!([1])),
        shape("Point", json!([1, 2, 3, 4])),
        shape("Point", json!([1, "2"])),
        shape("Point", json!([1, { "$numberDouble": "NaN" }])),
        shape("Point", json!([[1, 2]])),
        shape("MultiPoint", json!([])),
        shape("LineString", json!([[1, 2]])),
        shape("Polygon", json!([])),
        shape("Polygon", json!([[]])),
        shape("Polygon", json!([[[0, 0], [0, 1], [1, 1]]])),
        shape("Polygon", json!([[[0, 0], [0, 1], [1, 1], [0, 2]]])),
        shape("MultiPolygon", json!([[]])),
        json!({ "type": "Point" }),
        json!({ "type": "Point", "coordinates": [1, 2], "$where": 1 }),
        json!({ "type": "Point", "coordinates": [1, 2], "bbox": [1, 2] }),
        json!({ "type": "Point", "coordinates": [1, 2], "crs": strict }),
        json!({ "type": "Point", "coordinates": [1, 2], "crs": null }),
        json!({ "type": "Point", "coordinates": [1, 2], "crs": crs("EPSG:3857") }),
        json!({ "type": "Polygon", "coordinates": [ring, ring], "crs": strict }),
        json!({ "type": "MultiPolygon", "coordinates": [[ring]], "crs": strict }),
        json!({ "type": "GeometryCollection", "geometries": [] }),
        json!({ "type": "GeometryCollection", "geometries": [polygon], "crs": strict }),
        collection(&collection(&polygon)),
        collection(&strict_polygon),
        shape("MultiPoint", json!(vec![[1, 2]; 1001])),
    ] {
        let refused = plan(&json!({ "place": { "$geoIntersects": { "$geometry": geometry } } }));
        assert!(refused.is_err(), "{geometry}");
    }
}

#[test]
fn shapes_on_a_plane_are_looked_at_too() {
    for (within, fine) in [
        (json!({ "$box": [[0, 0], [1000, 1000]] }), true),
        (json!({ "$box": [[0, 0]] }), false),
        (json!({ "$box": [[0, 0, 0], [1, 1, 1]] }), false),
        (json!({ "$polygon": [[0, 0], [1, 1], [2, 0]] }), true),
        (json!({ "$polygon": [[0, 0], [1, 1]] }), false),
        (json!({ "$polygon": { "a": [0, 0] } }), false),
        (json!({ "$center": [[0, 0], 5] }), true),
        (json!({ "$center": [[0, 0], -5] }), false),
        (json!({ "$center": [[0, 0]] }), false),
        (json!({ "$centerSphere": [[0, 0], 0.5] }), true),
        (json!({ "$centerSphere": [[200, 0], 0.5] }), false),
        (json!({ "$box": [[0, 0], [1, 1]], "$center": [[0, 0], 5] }), false),
        (json!({ "$box": [[0, 0], [1, { "$gt": 1 }]] }), false),
        (json!({ "type": "Polygon" }), false),
        (json!({}), false),
    ] {
        assert_eq!(plan(&json!({ "place": { "$geoWithin": within } })).is_ok(), fine, "{within}");
        assert!(plan(&json!({ "place": { "$geoIntersects": within } })).is_err(), "{within}");
    }
}

/// Trees of operators, names and values, sensible or not, with `bad` as one of the names.
fn trees(bad: &'static str) -> impl Strategy<Value = Value> {
    let names = proptest::sample::select(operators::ALLOWED.to_vec());
    let fields = proptest::sample::select(vec!["any", "name", "place", "list", "type", "coordinates", "$oid", "$date"]);
    let name = prop_oneof![4 => names, 4 => fields, 1 => Just(bad)];
    let leaf = prop_oneof![Just(json!(1)), Just(json!("x")), Just(json!(null)), Just(json!(true)), Just(json!([1, 2]))];
    leaf.prop_recursive(6, 40, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name.clone(), inner, 0..4)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

fn holds(tree: &Value, name: &str) -> bool {
    match tree {
        Value::Object(members) => members.iter().any(|(key, value)| key == name || holds(value, name)),
        Value::Array(items) => items.iter().any(|item| holds(item, name)),
        _ => false,
    }
}

/// A filter that is taken, with a hole in it where a value, operators or a filter stand.
fn around(tree: Value, way: usize) -> Value {
    match way {
        0 => json!({ "any": tree }),
        1 => json!({ "any": { "$eq": { "a": [tree] } } }),
        2 => json!({ "any": { "$in": [1, tree] } }),
        3 => json!({ "any": { "$elemMatch": tree } }),
        4 => json!({ "any": { "$not": tree } }),
        5 => json!({ "$or": [{ "int": 1 }, tree] }),
        6 => json!({ "$nor": [{ "any": { "$gt": 1, "$elemMatch": { "x": tree } } }] }),
        7 => json!({ "$text": tree }),
        8 => json!({ "place": { "$near": tree } }),
        9 => json!({ "place": { "$geoIntersects": { "$geometry": tree } } }),
        10 => json!({ "any": { "$all": [tree] } }),
        _ => tree,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_unlisted_operator_gets_through_anywhere(
        (bad, tree) in proptest::sample::select(vec!["$where", "$expr", "$function", "$jsonSchema", "$", "$comment"])
            .prop_flat_map(|bad| (Just(bad), trees(bad))),
        way in 0_usize..12,
    ) {
        let filter = around(tree, way);
        let planned = plan(&filter);
        prop_assert!(planned.is_err() || !holds(&filter, bad), "{filter}");
    }

    #[test]
    fn an_unlisted_operator_is_refused_wherever_it_stands(
        bad in "\\$[a-zA-Z.$]{0,12}",
        value in trees("$gt"),
        way in 0_usize..12,
    ) {
        prop_assume!(!operators::ALLOWED.contains(&bad.as_str()) && !crate::codec::decode::is_wrapper(&bad));
        let filter = around(json!({ bad: value }), way);
        prop_assert!(plan(&filter).is_err(), "{filter}");
    }
}
