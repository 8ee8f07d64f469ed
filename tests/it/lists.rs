//! Lists: filters, order, fields, pages.

use folio::config::Limits;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::support::{Api, catalog};

fn planets() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["name", "radius"],
        "properties": {
            "name": { "type": "string" },
            "radius": { "bsonType": "int" },
            "seen": { "bsonType": "date" },
            "mass": { "bsonType": "decimal" },
            "moons": { "type": "array", "items": { "type": "string" } },
            "orbit": { "type": "object", "additionalProperties": false, "properties": {
                "days": { "bsonType": "long" }, "rings": { "type": "boolean" } } },
            "landings": { "type": "array", "items": { "type": "object", "additionalProperties": false, "properties": {
                "at": { "bsonType": "date" }, "craft": { "type": "string" } } } }
        },
        "x-indexes": [{ "keys": { "name": 1 }, "unique": true }]
    })
}

async fn solar_system() -> Api {
    let api = Api::things(planets()).await;
    for planet in [
        json!({ "name": "Mercury", "radius": 2440, "mass": "0.33", "orbit": { "days": 88, "rings": false } }),
        json!({ "name": "Venus", "radius": 6052, "mass": "4.87", "orbit": { "days": 225, "rings": false },
                "landings": [{ "at": "1970-12-15T05:37:10Z", "craft": "Venera 7" }] }),
        json!({ "name": "Earth", "radius": 6371, "mass": "5.97", "moons": ["Moon"], "orbit": { "days": 365 } }),
        json!({ "name": "Mars", "radius": 3390, "mass": "0.642", "moons": ["Phobos", "Deimos"],
                "landings": [{ "at": "1971-12-02T13:52:00Z", "craft": "Mars 3" }, { "at": "1976-07-20T11:53:06Z", "craft": "Viking 1" }] }),
        json!({ "name": "Uranus", "radius": 25362, "seen": "1781-03-13T00:00:00Z", "orbit": { "days": 30687, "rings": true } }),
        json!({ "name": "Neptune, the last", "radius": 24622, "seen": "1846-09-23T00:00:00Z" }),
    ] {
        api.post("/v1/things", planet).await.ok(201);
    }
    api
}

async fn names(api: &Api, query: &str) -> Vec<String> {
    let list = api.get(&format!("/v1/things?sort=radius&{query}")).await.ok(200);
    list["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

fn filter(filter: &Value) -> String {
    format!("filter={}", utf8_percent_encode(&filter.to_string(), NON_ALPHANUMERIC))
}

#[tokio::test]
async fn field_parameters_compare_in_the_declared_type() {
    let api = solar_system().await;
    for (query, expected) in [
        ("name=Mars", vec!["Mars"]),
        ("radius[gte]=6052&radius[lt]=24622", vec!["Venus", "Earth"]),
        ("radius[ne]=6371&radius[lte]=6371", vec!["Mercury", "Mars", "Venus"]),
        ("seen[gt]=1800-01-01T00:00:00%2B01:00", vec!["Neptune, the last"]),
        ("mass[gt]=0.5&mass[lt]=5", vec!["Mars", "Venus"]),
        ("mass=4.870", vec!["Venus"]),
        ("moons=Phobos", vec!["Mars"]),
        ("moons[in]=Moon,Deimos", vec!["Mars", "Earth"]),
        ("name[in]=Neptune,+the+last&name[in]=Mars", vec!["Mars", "Neptune, the last"]),
        ("name[nin]=Mars,Venus,Earth,Mercury", vec!["Neptune, the last", "Uranus"]),
        ("orbit.days=88", vec!["Mercury"]),
        ("orbit.rings=true", vec!["Uranus"]),
        ("seen[exists]=true", vec!["Neptune, the last", "Uranus"]),
        ("orbit[exists]=false", vec!["Mars", "Neptune, the last"]),
        ("name[prefix]=M", vec!["Mercury", "Mars"]),
        ("name[prefix]=.", vec![]),
        ("landings.craft=Mars%203", vec!["Mars"]),
        ("landings.at[lt]=1971-01-01T00:00:00Z", vec!["Venus"]),
        ("landings.0.craft=Venera+7", vec!["Venus"]),
    ] {
        assert_eq!(names(&api, query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn filters_take_mongodbs_operators() {
    let api = solar_system().await;
    for (query, expected) in [
        (json!({ "seen": { "$gte": "1781-03-13T00:00:00Z", "$lt": "1800-01-01T00:00:00Z" } }), vec!["Uranus"]),
        (json!({ "seen": { "$date": "1781-03-13T00:00:00Z" } }), vec!["Uranus"]),
        (json!({ "$or": [{ "name": "Mars" }, { "radius": { "$gt": 25000 } }] }), vec!["Mars", "Uranus"]),
        (json!({ "$nor": [{ "radius": { "$lt": 25000 } }] }), vec!["Uranus"]),
        (json!({ "$and": [{ "radius": { "$gt": 2000.5 } }, { "radius": { "$lt": 3000 } }] }), vec!["Mercury"]),
        (json!({ "radius": { "$not": { "$gt": 3390 } } }), vec!["Mercury", "Mars"]),
        (json!({ "moons": { "$all": ["Phobos", "Deimos"] } }), vec!["Mars"]),
        (json!({ "moons": { "$size": 1 } }), vec!["Earth"]),
        (json!({ "moons": { "$size": 2.0 } }), vec!["Mars"]),
        (json!({ "moons": ["Phobos", "Deimos"] }), vec!["Mars"]),
        (
            json!({ "landings": { "$elemMatch": { "craft": "Viking 1", "at": { "$gt": "1976-01-01T00:00:00Z" } } } }),
            vec!["Mars"],
        ),
        (json!({ "moons": { "$elemMatch": { "$regex": "^m", "$options": "i" } } }), vec!["Earth"]),
        (json!({ "name": { "$regex": "us$" } }), vec!["Venus", "Uranus"]),
        (json!({ "radius": { "$mod": [10, 2] } }), vec!["Venus", "Neptune, the last", "Uranus"]),
        (json!({ "orbit": { "$exists": false } }), vec!["Mars", "Neptune, the last"]),
        (json!({ "radius": { "$mod": [10.0, 2.0] } }), vec!["Venus", "Neptune, the last", "Uranus"]),
        (json!({ "mass": { "$type": "decimal" }, "radius": { "$in": [2440, 6371] } }), vec!["Mercury", "Earth"]),
        (json!({ "seen": null, "orbit.days": { "$gt": 100 } }), vec!["Venus", "Earth"]),
        (json!({}), vec!["Mercury", "Mars", "Venus", "Earth", "Neptune, the last", "Uranus"]),
    ] {
        assert_eq!(names(&api, &filter(&query)).await, expected, "{query}");
    }
}

#[tokio::test]
async fn says_what_is_wrong_with_a_filter() {
    let api = solar_system().await;
    for (query, slug, detail) in [
        (json!({ "nam": "Mars" }), "unknown-field", "there is no field `nam`, did you mean `name`?"),
        (json!({ "orbit.day": 1 }), "unknown-field", "there is no field `orbit.day`, did you mean `orbit.days`?"),
        (
            json!({ "landings.crafts": 1 }),
            "unknown-field",
            "there is no field `landings.crafts`, did you mean `landings.craft`?",
        ),
        (json!({ "name.first": 1 }), "unknown-field", "there is no field `name.first`"),
        (json!({ "radius": "big" }), "invalid-query", "filter: expected a 32-bit whole number"),
        (
            json!({ "seen": { "$gt": "yesterday" } }),
            "invalid-query",
            "filter: expected a date (RFC 3339, `2024-05-01T12:00:00Z`)",
        ),
        (json!({ "radius": { "$gtt": 1 } }), "invalid-query", "filter: unknown operator `$gtt`, did you mean `$gte`?"),
        (
            json!({ "radius": { "$gt": 1, "x": 2 } }),
            "invalid-query",
            "filter: `x` stands beside operators, which only go with operators",
        ),
        (json!({ "$or": [] }), "invalid-query", "filter: expected an array that is not empty"),
        (json!({ "name": { "$regex": "(" } }), "invalid-query", "filter: the regular expression is not valid"),
        (json!({ "name": { "$options": "i" } }), "invalid-query", "filter: `$options` stands beside `$regex` only"),
        (
            json!({ "name": { "$regex": "a".repeat(257) } }),
            "limit-exceeded",
            "a regular expression is over the limit of 256 (`--max-regex`)",
        ),
        (
            json!({ "radius": { "$in": vec![1; 1001] } }),
            "limit-exceeded",
            "a list of 1001 values is over the limit of 1000 (`--max-in`)",
        ),
        (
            json!({ "$or": vec![json!({ "radius": 1 }); 300] }),
            "limit-exceeded",
            "a filter of 301 conditions and operators is over the limit of 256 (`--max-filter-nodes`)",
        ),
    ] {
        let problem = api.get(&format!("/v1/things?{}", filter(&query))).await.problem(400, slug);
        assert_eq!(problem["detail"], detail, "{query}");
    }
}

#[tokio::test]
async fn what_mongodb_would_not_run_is_said_beforehand() {
    let api = Api::things(json!({ "type": "object" })).await;
    let pattern = json!({ "$regularExpression": { "pattern": "a", "options": "" } });
    for value in [pattern, json!({ "$undefined": true })] {
        for query in [json!({ "a": value }), json!({ "a": { "$gt": value } }), json!({ "a": { "$in": [value] } })] {
            let problem = api.get(&format!("/v1/things?{}", filter(&query))).await.problem(400, "invalid-query");
            assert!(problem["detail"].as_str().unwrap().contains("nothing compares"), "{problem}");
        }
    }
    for (query, detail) in [
        (json!({ "a": { "$all": [{ "$elemMatch": { "$eq": 1 } }, 1] } }), "`$elemMatch`"),
        (json!({ "a": { "$size": 1_i64 << 40 } }), "a 32-bit whole number of at least 0"),
        (json!({ "$options": "i" }), "`$options` cannot stand here"),
    ] {
        let problem = api.get(&format!("/v1/things?{}", filter(&query))).await.problem(400, "invalid-query");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
    }
    let long = vec!["a"; 101].join(".");
    for query in [format!("{long}=1"), format!("sort={long}"), format!("fields={long}"), filter(&json!({ &*long: 1 }))]
    {
        api.get(&format!("/v1/things?{query}")).await.problem(400, "unknown-field");
    }
    let made = api.post("/v1/things", json!({ "a": [1, 2], "b": [1, 2], "c": "x\0y" })).await.ok(201);
    let problem = api.get("/v1/things?sort=a,b").await.problem(400, "invalid-query");
    assert_eq!(problem["parameter"], "sort");
    assert_eq!(api.get("/v1/things?c[prefix]=x%00").await.ok(200)["items"], json!([made]));
}

#[tokio::test]
async fn a_list_that_may_be_null_is_still_a_list() {
    let tags = json!({ "type": ["array", "null"], "items": { "bsonType": "objectId" } });
    let api = Api::things(json!({ "type": "object", "properties": { "a": tags, "b": tags } })).await;
    let id = "6650f0000000000000000002";
    let made = api.post("/v1/things", json!({ "a": [id], "b": null })).await.ok(201);
    for query in
        [format!("a={id}"), format!("a[in]={id}"), "b=null".to_owned(), filter(&json!({ "a": [id], "b": null }))]
    {
        assert_eq!(api.get(&format!("/v1/things?{query}")).await.ok(200)["items"], json!([made]), "{query}");
    }
    api.get("/v1/things?sort=a,b").await.problem(400, "invalid-query");
}

#[tokio::test]
async fn refuses_filters_that_are_too_deep_or_not_json() {
    let api = solar_system().await;
    let mut deep = json!({ "radius": 1 });
    for _ in 0..20 {
        deep = json!({ "$and": [deep] });
    }
    let problem = api.get(&format!("/v1/things?{}", filter(&deep))).await.problem(400, "limit-exceeded");
    assert_eq!(problem["detail"], "the depth of the filter is over the limit of 16 (`--max-filter-depth`)");
    let problem = api.get("/v1/things?filter={\"radius\":").await.problem(400, "invalid-query");
    assert_eq!((&problem["parameter"], &problem["offset"]), (&json!("filter"), &json!(10)));
}

#[tokio::test]
async fn sorts_in_a_total_order_and_cuts_pages() {
    let api = solar_system().await;
    let list = |query: &'static str| {
        let api = &api;
        async move {
            let list = api.get(&format!("/v1/things?{query}")).await.ok(200);
            let items = list["items"].as_array().unwrap().clone();
            items.iter().map(|item| item["name"].as_str().unwrap_or("?").to_owned()).collect::<Vec<_>>()
        }
    };
    assert_eq!(list("sort=-radius&limit=2").await, ["Uranus", "Neptune, the last"]);
    assert_eq!(list("sort=-radius&limit=2&skip=2").await, ["Earth", "Venus"]);
    assert_eq!(list("sort=orbit.rings,-name&limit=3").await, ["Neptune, the last", "Mars", "Earth"]);
    assert_eq!(list("limit=2").await, ["Mercury", "Venus"], "without a sort, the order of `_id`");
    for (query, slug) in [
        ("limit=1001", "limit-exceeded"),
        ("skip=10001", "limit-exceeded"),
        ("limit=-1", "invalid-query"),
        ("limit=ten", "invalid-query"),
        ("sort=name,name", "invalid-query"),
        ("sort=", "invalid-query"),
        ("sort=moons,landings", "invalid-query"),
        ("sort=nam", "unknown-field"),
        ("sort=$natural", "unknown-field"),
        ("fields=name,-radius", "invalid-query"),
        ("fields=orbit,orbit.days", "invalid-query"),
        ("fields=secret", "unknown-field"),
        ("radius[gt]=wide", "invalid-query"),
        ("radius[$gt]=1", "invalid-query"),
        ("$where=1", "unknown-field"),
        ("after=abc", "invalid-query"),
        ("unknown=1", "unknown-field"),
    ] {
        api.get(&format!("/v1/things?{query}")).await.problem(400, slug);
    }
}

#[tokio::test]
async fn a_page_is_no_larger_than_its_limit() {
    let limits = Limits { max_page_bytes: 1 << 20, ..Limits::default() };
    let api = Api::with_limits(catalog(&[("things", json!({ "type": "object" }))]), limits).await;
    for _ in 0..3 {
        api.post("/v1/things", json!({ "text": "x".repeat(400_000) })).await.ok(201);
    }
    let problem = api.get("/v1/things").await.problem(400, "limit-exceeded");
    assert_eq!(problem["limit"], 1 << 20);
    // The page is read together with the document after it.
    assert_eq!(api.get("/v1/things?limit=1").await.ok(200)["items"].as_array().unwrap().len(), 1);
    api.get("/v1/things?fields=_id").await.ok(200);
}

#[tokio::test]
async fn reads_only_the_fields_that_are_wanted() {
    let api = solar_system().await;
    let first = |query: &'static str| {
        let api = &api;
        async move {
            let mut item = api.get(&format!("/v1/things?name=Mercury&{query}")).await.ok(200)["items"][0].clone();
            item.as_object_mut().unwrap().remove("_id");
            item
        }
    };
    assert_eq!(first("fields=name,orbit.days").await, json!({ "name": "Mercury", "orbit": { "days": 88 } }));
    assert_eq!(
        first("fields=-mass,-orbit.rings").await,
        json!({ "name": "Mercury", "radius": 2440, "orbit": { "days": 88 } })
    );
    let items = |query: &'static str| {
        let api = &api;
        async move { api.get(&format!("/v1/things?name=Mars&{query}")).await.ok(200)["items"][0].clone() }
    };
    assert_eq!(items("fields=landings.craft").await["landings"][1], json!({ "craft": "Viking 1" }));
    assert_eq!(items("fields=moons.0").await["moons"], json!([]), "a number is a name");
    let bare = api.get("/v1/things?fields=-_id,-name&limit=1").await.ok(200);
    assert!(bare["items"][0].get("_id").is_none());
}
