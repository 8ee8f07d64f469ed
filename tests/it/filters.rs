//! Filters on a real server: words and places, queries as bodies, and that nothing in a filter is a fault of ours.

use folio::config::Limits;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Api, catalog};

pub(crate) mod random;

pub(crate) fn cities() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string" },
            "about": { "type": "string" },
            "size": { "bsonType": "int" },
            "founded": { "bsonType": "date" },
            "place": { "type": "object" },
            "area": { "type": "object" },
            "stops": { "type": "array", "items": { "type": "object", "additionalProperties": false, "properties": {
                "line": { "type": "string" }, "opened": { "bsonType": "date" } } } }
        },
        "x-indexes": [
            { "keys": { "about": "text", "name": "text" } },
            { "keys": { "place": "2dsphere" } },
            { "keys": { "size": 1 } }
        ]
    })
}

fn point(longitude: f64, latitude: f64) -> Value {
    json!({ "type": "Point", "coordinates": [longitude, latitude] })
}

pub(crate) async fn map() -> Api {
    let api = Api::things(cities()).await;
    for city in [
        json!({ "name": "Paris", "size": 2100, "place": point(2.35, 48.86), "about": "light and rivers", "tags": ["a", 1] }),
        json!({ "name": "Lyon", "size": 520, "place": point(4.84, 45.76), "about": "silk, two rivers", "tags": [] }),
        json!({ "name": "Bern", "size": 130, "place": point(7.45, 46.95), "about": "bears", "founded": "1191-01-01T00:00:00Z" }),
        json!({ "name": "Oslo", "size": 700, "place": point(10.75, 59.91), "about": "a fjord", "tags": [[1], { "a": null }] }),
        json!({ "name": "Quito", "size": 1900, "place": point(-78.47, -0.18), "about": "a high valley",
                "stops": [{ "line": "1", "opened": "2023-12-01T00:00:00Z" }] }),
        json!({ "name": "Nowhere", "area": { "x": 1, "y": 2 }, "tags": "a" }),
    ] {
        api.post("/v1/things", city).await.ok(201);
    }
    api
}

async fn post(api: &Api, query: Value) -> Answer {
    api.post("/v1/things/_query", query).await
}

async fn names(api: &Api, query: Value) -> Vec<String> {
    let list = post(api, query).await.ok(200);
    list["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

fn near(longitude: f64, latitude: f64) -> Value {
    json!({ "place": { "$near": { "$geometry": point(longitude, latitude) } } })
}

#[tokio::test]
async fn what_is_near_comes_first() {
    let api = map().await;
    let filter = near(2.0, 48.0);
    assert_eq!(names(&api, json!({ "filter": filter })).await, ["Paris", "Lyon", "Bern", "Oslo", "Quito"]);
    let sorted = json!({ "filter": { "$and": [filter, { "size": { "$gt": 200 } }] }, "sort": "name" });
    assert_eq!(names(&api, sorted).await, ["Lyon", "Oslo", "Paris", "Quito"], "a sort holds as always");
    let within = json!({ "place": { "$nearSphere": {
        "$geometry": point(2.35, 48.86), "$minDistance": 1000, "$maxDistance": 600_000 } } });
    assert_eq!(names(&api, json!({ "filter": within })).await, ["Lyon", "Bern"]);
    let (mut met, mut query) = (Vec::new(), json!({ "filter": filter, "limit": 2 }));
    loop {
        let page = post(&api, query.clone()).await.ok(200);
        met.extend(page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        if page["next"].is_null() {
            break;
        }
        query["after"] = page["next"].clone();
    }
    assert_eq!(met, ["Paris", "Lyon", "Bern", "Oslo", "Quito"]);
    query["filter"] = near(3.0, 48.0);
    assert_eq!(post(&api, query).await.problem(400, "invalid-query")["pointer"], "/after");
}

#[tokio::test]
async fn finds_words_and_places() {
    let api = map().await;
    let ring = json!([[0, 40], [10, 40], [10, 50], [0, 50], [0, 40]]);
    let crs = |name: &str| json!({ "type": "name", "properties": { "name": name } });
    let europe = json!({ "type": "Polygon", "coordinates": [ring] });
    for (filter, expected) in [
        (json!({ "$text": { "$search": "river" } }), vec!["Lyon", "Paris"]),
        (json!({ "$text": { "$search": "RIVERS -silk", "$language": "en" } }), vec!["Paris"]),
        (json!({ "$text": { "$search": "RIVERS", "$caseSensitive": true } }), vec![]),
        (json!({ "$text": { "$search": "rivers" }, "size": { "$lt": 1000 } }), vec!["Lyon"]),
        (json!({ "$or": [{ "$text": { "$search": "bears" } }, { "size": 700 }] }), vec!["Bern", "Oslo"]),
        (json!({ "place": { "$geoWithin": { "$geometry": europe } } }), vec!["Bern", "Lyon", "Paris"]),
        (json!({ "place": { "$not": { "$geoWithin": { "$geometry": europe } } } }), vec!["Nowhere", "Oslo", "Quito"]),
        (
            json!({ "place": { "$geoIntersects": { "$geometry": { "type": "GeometryCollection",
            "geometries": [europe, point(10.75, 59.91)], "crs": crs("EPSG:4326") } } } }),
            vec!["Bern", "Lyon", "Oslo", "Paris"],
        ),
        (
            json!({ "place": { "$geoWithin": { "$geometry": { "type": "Polygon", "coordinates": [
            [[0, 40], [0, 50], [10, 50], [10, 40], [0, 40]]], "crs": crs("urn:x-mongodb:crs:strictwinding:EPSG:4326") } } } }),
            vec!["Oslo", "Quito"],
        ),
        (
            json!({ "place": { "$geoWithin": { "$centerSphere": [[2.35, 48.86], 0.1] } } }),
            vec!["Bern", "Lyon", "Paris"],
        ),
        (json!({ "area": { "$geoWithin": { "$box": [[0, 0], [5, 5]] } } }), vec!["Nowhere"]),
        (json!({ "area": { "$geoWithin": { "$center": [[0, 0], 1] } } }), vec![]),
        (json!({ "area": { "$geoWithin": { "$polygon": [[0, 0], [0, 5], [5, 5]] } } }), vec!["Nowhere"]),
    ] {
        assert_eq!(names(&api, json!({ "filter": filter, "sort": "name" })).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn what_only_the_database_can_tell_is_still_the_clients_fault() {
    let partial = json!({ "type": "object", "x-indexes": [
        { "keys": { "at": "2dsphere" }, "partialFilter": { "a": 1 } }, { "keys": { "a": 1, "b": "text" } }] });
    let api = Api::start(catalog(&[("things", cities()), ("others", partial)])).await;
    let bow = json!({ "type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]] });
    let line = json!({ "type": "LineString", "coordinates": [[1, 1], [1, 1]] });
    let text = json!({ "$text": { "$search": "x" } });
    let near = json!({ "at": { "$near": { "$geometry": point(1.0, 1.0) } } });
    for (collection, filter, detail) in [
        ("things", json!({ "place": { "$geoWithin": { "$geometry": bow } } }), "rings may not cross"),
        ("things", json!({ "place": { "$geoIntersects": { "$geometry": line } } }), "two different positions"),
        ("things", json!({ "$or": [text, { "name": "x" }] }), "no index can serve it"),
        ("others", text.clone(), "no index can serve it"),
        ("others", near.clone(), "no index can serve it"),
        ("things", json!({ "name": { "$regex": "(" } }), "the regular expression is not valid"),
    ] {
        let answer = api.post(&format!("/v1/{collection}/_query"), json!({ "filter": filter })).await;
        let problem = answer.problem(400, "invalid-query");
        assert_eq!((&problem["parameter"], &problem["pointer"]), (&json!("filter"), &json!("/filter")), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
    }
    for filter in [json!({ "$and": [text, { "a": 1 }] }), json!({ "$and": [near, { "a": 1 }] })] {
        api.post("/v1/others/_query", json!({ "filter": filter })).await.ok(200);
    }
}

#[tokio::test]
async fn geometry_that_ends_the_database_does_not_reach_it() {
    let api = map().await;
    let strict = json!({ "type": "name", "properties": { "name": "urn:x-mongodb:crs:strictwinding:EPSG:4326" } });
    let ring = json!({ "type": "Polygon", "coordinates": [[[0, 0], [0, 1], [1, 1], [0, 0]]], "crs": strict });
    let collection = json!({ "type": "GeometryCollection", "geometries": [ring] });
    for operator in ["$geoWithin", "$geoIntersects"] {
        let filter = json!({ "place": { operator: { "$geometry": collection } } });
        post(&api, json!({ "filter": filter })).await.problem(400, "invalid-query");
    }
    assert_eq!(api.count("things").await, 6);
}

#[tokio::test]
async fn a_body_asks_for_what_a_query_string_does() {
    let api = map().await;
    let filter = json!({ "size": { "$gte": 130, "$lt": 2000 }, "founded": null });
    let text = utf8_percent_encode(&filter.to_string(), NON_ALPHANUMERIC).to_string();
    let list =
        api.get(&format!("/v1/things?filter={text}&sort=-size,name&fields=name,size&limit=2&skip=1")).await.ok(200);
    for body in [
        json!({ "filter": filter, "sort": "-size,name", "fields": "name,size", "limit": 2, "skip": 1 }),
        json!({ "filter": filter, "sort": ["-size", "name"], "fields": ["name", "size"], "limit": 2, "skip": 1 }),
    ] {
        let answer = post(&api, body).await;
        assert!(!answer.headers.contains_key("link"));
        assert_eq!(answer.ok(200), list);
    }
    assert_eq!(post(&api, json!({})).await.ok(200), api.get("/v1/things").await.ok(200));
}

#[tokio::test]
async fn says_where_a_body_is_wrong() {
    let api = map().await;
    for (body, slug, parameter, pointer, detail) in [
        (
            json!({ "filter": { "$or": [{ "size": "x" }] } }),
            "invalid-query",
            "filter",
            "/filter/$or/0/size",
            "a 32-bit whole number",
        ),
        (
            json!({ "filter": { "stops.lines": 1 } }),
            "unknown-field",
            "filter",
            "/filter/stops.lines",
            "did you mean `stops.line`?",
        ),
        (
            json!({ "filter": { "stops": { "$elemMatch": { "lines": 1 } } } }),
            "unknown-field",
            "filter",
            "/filter/stops/$elemMatch/lines",
            "`line`?",
        ),
        (json!({ "filter": { "$where": "1" } }), "invalid-query", "filter", "/filter/$where", "not allowed"),
        (json!({ "sort": ["size", "stops.lines"] }), "unknown-field", "sort", "/sort/1", "did you mean `stops.line`?"),
        (json!({ "fields": "size,stops.lines" }), "unknown-field", "fields", "/fields", "did you mean `stops.line`?"),
        (json!({ "after": "x" }), "invalid-query", "after", "/after", "no cursor of this list"),
        (json!({ "after": "x", "skip": 1 }), "invalid-query", "skip", "/skip", "leave it out beside `after`"),
        (json!({ "limits": 1 }), "invalid-query", "limits", "/limits", "did you mean `limit`?"),
        (json!({ "size": 1 }), "invalid-query", "size", "/size", "conditions go into `filter`"),
    ] {
        let problem = post(&api, body).await.problem(400, slug);
        assert_eq!((&problem["parameter"], &problem["pointer"]), (&json!(parameter), &json!(pointer)), "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
    }
    assert_eq!(post(&api, json!({ "limit": 1001 })).await.problem(400, "limit-exceeded")["limit"], 1000);
    api.post("/v1/things/_query?size=1", json!({})).await.problem(400, "invalid-query");
    api.post("/v1/things/_query", "{\"limit\":").await.problem(400, "malformed-body");
    api.get("/v1/things/_query").await.problem(405, "method-not-allowed");
    api.send(Method::POST, "/v1/things/_query", &[("content-type", "text/plain")], "{}")
        .await
        .problem(415, "unsupported-media-type");
    api.post("/v1/nothing/_query", json!({})).await.problem(404, "unknown-collection");
}

#[tokio::test]
async fn large_bodies_are_refused_before_they_are_understood() {
    let api = Api::with_limits(catalog(&[("things", json!({ "type": "object" }))]), Limits::default()).await;
    let long = "x".repeat((16 << 20) - 100);
    for (body, status) in [
        (format!("{{\"filter\":{{\"a\":\"{long}\"}}}}"), 200),
        (format!("{{\"filter\":{{\"a\":[{}0]}}}}", "0,".repeat(8_000_000)), 400),
        (format!("{{\"filter\":{{\"{long}\":1}}}}"), 200),
        (format!("{{\"sort\":[{}\"a\"]}}", "\"a\",".repeat(1_000_000)), 400),
        (format!("{{\"fields\":\"{}a\"}}", "a,".repeat(8_000_000)), 400),
        (format!("{}1", "{\"filter\":".repeat(1_000_000)), 400),
        (format!("{{\"{long}\":1}}"), 400),
        (" ".repeat((16 << 20) + 1), 413),
    ] {
        let answer = api.post("/v1/things/_query", &body).await;
        assert_eq!(answer.status, status, "{body:.40}: {:.300}", answer.text);
    }
}

#[tokio::test]
async fn odd_names_are_no_fields() {
    let file = json!({ "type": "object", "additionalProperties": false, "properties": { "a": { "type": "string" } } });
    let api = Api::start(catalog(&[("things", file), ("free", json!({ "type": "object" }))])).await;
    let long = "n".repeat(10_000);
    for name in [
        "a[",
        "a]",
        "[eq]",
        "a[eq",
        "a[eq]x",
        "a[$gt]",
        "%25",
        "$where",
        "a.$",
        "a..b",
        ".a",
        "a.",
        ".",
        "a%00",
        "%ff",
        "a%2Bb",
        "+",
        "__proto__",
        "a%5B%5D",
        &long,
    ] {
        for query in [format!("{name}=1"), format!("sort={name}"), format!("fields={name}"), format!("fields=-{name}")]
        {
            let problem = api.get(&format!("/v1/things?{query}")).await;
            assert_eq!(problem.status, 400, "{query:.60}: {}", problem.text);
            let answer = api.get(&format!("/v1/free?{query}")).await;
            assert!([200, 400].contains(&answer.status), "{query:.60}: {}", answer.text);
        }
    }
    for name in ["", ".", "a..b", "$", "a.$.b", "\u{0}", "a\u{0}", "a.b\u{0}c", "é", "a b", "[0]", &long] {
        for filter in [json!({ name: 1 }), json!({ "a": { name: 1 } }), json!({ "a": { "$elemMatch": { name: 1 } } })] {
            let query = json!({ "filter": filter });
            let answer = api.post("/v1/things/_query", &query).await;
            assert_eq!(answer.status, 400, "{query:.60}: {}", answer.text);
            let answer = api.post("/v1/free/_query", &query).await;
            assert!([200, 400].contains(&answer.status), "{query:.60}: {}", answer.text);
        }
        for query in [json!({ "sort": [name] }), json!({ "fields": [name] })] {
            let answer = api.post("/v1/free/_query", &query).await;
            assert!([200, 400].contains(&answer.status), "{query:.60}: {}", answer.text);
        }
    }
}
