//! Rows 1, 2, 7 and 9: operators, code and options where values are expected.

use std::time::{Duration, Instant};

use bson::doc;
use reqwest::Method;
use serde_json::{Value, json};

use super::{JSON, commands, escaped, refused, target};
use crate::support::Api;

const ID: &str = "6650f0000000000000000001";

/// What is no value of any scalar type.
const PAYLOADS: [&str; 14] = [
    r#"{"$gt":""}"#,
    r#"{"$ne":null}"#,
    r#"{"$in":[]}"#,
    r#"{"$nin":[1]}"#,
    r#"{"$not":{"$eq":1}}"#,
    r#"{"$regex":".*"}"#,
    r#"{"$where":"1"}"#,
    r#"{"$exists":true}"#,
    r#"{"\u0024gt":""}"#,
    r#"{"$oid":{"$gt":""}}"#,
    r#"{"a":{"$gt":""}}"#,
    r#"[{"$gt":""}]"#,
    "{}",
    "[]",
];

#[tokio::test]
async fn row_01_operators_where_values_are_expected_in_parameters() {
    let api = target().await;
    for payload in PAYLOADS {
        let text = escaped(payload);
        for field in ["count", "when", "other", "yes", "price"] {
            for operator in ["", "[eq]", "[ne]", "[gte]", "[in]", "[nin]", "[exists]"] {
                let query = format!("{field}{operator}={text}");
                refused(&api.get(&format!("/v1/things?{query}")).await, &[400], &query);
                refused(&api.get(&format!("/v1/things/_explain?{query}")).await, &[400], &query);
            }
        }
        for parameter in ["limit", "skip", "after", "sort", "fields", "fields=-"] {
            let query = format!("{parameter}={text}");
            refused(&api.get(&format!("/v1/things?{query}")).await, &[400], &query);
        }
        // In a string any text is a value, and nothing else.
        api.post("/v1/free", json!({ "name": "x" })).await.ok(201);
        for path in ["/v1/things?name=", "/v1/things?tags=", "/v1/free?name="] {
            assert_eq!(api.get(&format!("{path}{text}")).await.ok(200)["items"], json!([]), "{path}{payload}");
        }
    }
    for name in [
        "name[$ne]",
        "name[$gt]",
        "name[$where]",
        "name[$regex]",
        "name[regex]",
        "name[not]",
        "name[]",
        "name[0]",
        "name[eq][$ne]",
        "name[eq][]",
        "name.$ne",
        "name.$",
        "$where",
        "$or",
        "$or[0][name]",
        "$expr",
        "$comment",
        "limit[$gt]",
        "sort[name]",
        "filter[name][$ne]",
        "after[]",
    ] {
        for collection in ["things", "free"] {
            let path = format!("/v1/{collection}?{}=1", escaped(name));
            refused(&api.get(&path).await, &[400], &path);
        }
    }
}

#[tokio::test]
async fn row_01_operators_where_values_are_expected_in_bodies() {
    let api = target().await;
    api.put(&format!("/v1/things/{ID}"), "{}").await.problem(404, "unknown-document");
    api.post("/v1/things", json!({ "_id": ID, "name": "x" })).await.ok(201);
    let one = format!("/v1/things/{ID}");
    let before = api.get(&one).await.ok(200);
    for payload in PAYLOADS {
        let is_operator = payload.contains('$') || payload.contains("0024");
        let status = if is_operator { 400 } else { 422 };
        for field in ["_id", "name", "count", "when", "other", "yes", "price"] {
            let body = format!("{{\"{field}\":{payload}}}");
            refused(&api.post("/v1/things", &body).await, &[status], &body);
            refused(&api.put(&one, &body).await, &[status], &body);
            // A merge patch goes into an object, so an empty one takes the place of what is there.
            refused(&api.patch(&one, &body).await, &[status], &body);
            for filter in
                [format!("{{\"{field}\":{{\"$eq\":{payload}}}}}"), format!("{{\"{field}\":{{\"$in\":[{payload}]}}}}")]
            {
                let query = format!("{{\"filter\":{filter}}}");
                refused(&api.post("/v1/things/_query", &query).await, &[400], &query);
                refused(&api.get(&format!("/v1/things?filter={}", escaped(&filter))).await, &[400], &query);
            }
        }
        if is_operator {
            for body in [format!("{{\"any\":{payload}}}"), format!("{{\"tags\":[{payload}]}}"), payload.to_owned()] {
                refused(&api.post("/v1/things", &body).await, &[400], &body);
                refused(&api.put(&one, &body).await, &[400], &body);
                refused(&api.patch(&one, &body).await, &[400], &body);
                refused(&api.post("/v1/free", &body).await, &[400], &body);
            }
        }
        for member in ["limit", "skip", "after", "sort", "fields"] {
            let query = format!("{{\"{member}\":{payload}}}");
            refused(&api.post("/v1/things/_query", &query).await, &[400], &query);
        }
    }
    assert_eq!((api.get(&one).await.ok(200), api.count("things").await), (before, 1));
    assert_eq!(api.count("free").await, 0);
    // The exact wrapper of the declared type is a value.
    let when = json!({ "when": { "$date": "2024-05-01T00:00:00Z" } });
    assert_eq!(api.patch(&one, &when).await.ok(200)["when"], "2024-05-01T00:00:00.000Z");
    assert_eq!(api.post("/v1/things/_query", json!({ "filter": when })).await.ok(200)["items"][0]["_id"], ID);
}

#[tokio::test]
async fn row_01_operators_where_values_are_expected_in_ids_and_headers() {
    let api = target().await;
    api.post("/v1/texts", json!({ "_id": "x" })).await.ok(201);
    api.post("/v1/things", json!({ "_id": ID })).await.ok(201);
    for payload in PAYLOADS {
        let id = escaped(payload);
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::PATCH, Method::DELETE] {
            let body = if [Method::PUT, Method::PATCH].contains(&method) { "{}" } else { "" };
            let answer = api.send(method.clone(), &format!("/v1/things/{id}"), &[JSON], body).await;
            assert_eq!(answer.status, 400, "{method} {payload}: {answer:?}");
            let answer = api.send(method.clone(), &format!("/v1/texts/{id}"), &[JSON], body).await;
            assert_eq!(answer.status, 404, "{method} {payload}: {answer:?}");
        }
        let one = format!("/v1/things/{ID}");
        refused(&api.send(Method::GET, &one, &[("request-timeout", payload)], "").await, &[400], payload);
        for method in [Method::GET, Method::DELETE] {
            refused(&api.send(method, &one, &[("if-match", payload)], "").await, &[412], payload);
        }
        let bearer = format!("Bearer {payload}");
        for credential in [("authorization", bearer.as_str()), ("authorization", payload), ("x-api-key", payload)] {
            refused(&api.send(Method::GET, "/v1/things", &[credential], "").await, &[401], payload);
        }
    }
    assert_eq!((api.count("things").await, api.count("texts").await), (1, 1));
}

/// Where code could stand; `@` is where it does.
const PLACES: [&str; 18] = [
    r"{@}",
    r#"{"name":"x",@}"#,
    r#"{"$and":[{@}]}"#,
    r#"{"$or":[{"name":"x"},{@}]}"#,
    r#"{"$nor":[{"$and":[{@}]}]}"#,
    r#"{"name":{@}}"#,
    r#"{"name":{"$not":{@}}}"#,
    r#"{"name":{"$eq":{@}}}"#,
    r#"{"name":{"$in":["x",{@}]}}"#,
    r#"{"parts":{"$elemMatch":{@}}}"#,
    r#"{"parts":{"$elemMatch":{"code":{@}}}}"#,
    r#"{"parts":{"$all":[{"$elemMatch":{@}}]}}"#,
    r#"{"place":{@}}"#,
    r#"{"place":{"city":{@}}}"#,
    r#"{"any":{"a":{"b":[{@}]}}}"#,
    r#"{"spot":{"$geoWithin":{"$geometry":{"type":"Polygon","coordinates":[],@}}}}"#,
    r#"{"spot":{"$near":{@}}}"#,
    r#"{"$text":{"$search":"x",@}}"#,
];

/// What runs code, reaches other collections or computes.
const CODE: [&str; 16] = [
    r#""$where":"sleep(5000)||true""#,
    r#""\u0024where":"sleep(5000)||true""#,
    r#""$where":{"$code":"sleep(5000)||true"}"#,
    r#""$expr":{"$function":{"body":"function(){sleep(5000)}","args":[],"lang":"js"}}"#,
    r#""$expr":{"$eq":["$name","$name"]}"#,
    r#""$function":{"body":"function(){sleep(5000)}","args":[],"lang":"js"}"#,
    r#""$accumulator":{"init":"function(){}","accumulate":"function(){}","merge":"function(){}","lang":"js"}"#,
    r#""$jsonSchema":{}"#,
    r#""$lookup":{"from":"_folio","pipeline":[],"as":"x"}"#,
    r#""$unionWith":"_folio""#,
    r#""$graphLookup":{"from":"_folio","restrictSearchWithMatch":{"$where":"1"}}"#,
    r#""$facet":{"a":[{"$match":{"$where":"1"}}]}"#,
    r#""$out":"stolen""#,
    r#""$merge":{"into":"stolen"}"#,
    r#""$_internalSchemaCond":[]"#,
    r#""$sampleRate":0.5"#,
];

#[tokio::test]
async fn row_02_code_is_refused_at_any_depth() {
    let api = target().await;
    let one = format!("/v1/things/{ID}");
    let stored = json!({ "_id": ID, "name": "x", "parts": [{ "code": "x" }], "place": { "city": "x" }, "any": 1 });
    api.post("/v1/things", &stored).await.ok(201);
    for code in CODE {
        for place in PLACES {
            let attack = place.replace('@', code);
            let (parameter, body) = (escaped(&attack), format!("{{\"filter\":{attack}}}"));
            refused(&api.get(&format!("/v1/things?filter={parameter}")).await, &[400], &attack);
            refused(&api.post("/v1/things/_query", &body).await, &[400], &attack);
            refused(&api.get(&format!("/v1/things/_explain?filter={parameter}")).await, &[400], &attack);
            // As a document, a patch, or the update that it would be in MongoDB.
            refused(&api.post("/v1/things", &attack).await, &[400], &attack);
            refused(&api.put(&one, &attack).await, &[400], &attack);
            refused(&api.patch(&one, &attack).await, &[400], &attack);
        }
        let pipeline = format!("[{{\"$set\":{{\"name\":\"y\"}}}},{{{code}}}]");
        for media_type in ["application/json", "application/merge-patch+json", "application/json-patch+json"] {
            let answer = api.send(Method::PATCH, &one, &[("content-type", media_type)], pipeline.clone()).await;
            refused(&answer, &[400, 415], &pipeline);
        }
    }
    for name in ["mapReduce", "mapreduce", "map", "reduce", "eval", "$eval", "aggregate", "pipeline"] {
        for body in [json!({ name: "1" }), json!({ "filter": { name: "1" } })] {
            refused(&api.post("/v1/things/_query", &body).await, &[400], &body.to_string());
        }
        refused(&api.get(&format!("/v1/things?{name}=1")).await, &[400], name);
    }
    assert_eq!(api.get(&one).await.ok(200), stored);
}

async fn query(api: &Api, filter: Value) -> crate::support::Answer {
    api.post("/v1/things/_query", json!({ "filter": filter })).await
}

#[tokio::test]
async fn row_07_regular_expressions() {
    let api = target().await;
    api.collection("things").insert_one(doc! { "name": "x" }).await.unwrap();
    for (length, status) in [(256, 200), (257, 400), (5000, 400)] {
        let pattern = "é".repeat(length);
        for filter in [
            json!({ "name": { "$regex": pattern } }),
            json!({ "tags": { "$not": { "$regex": pattern, "$options": "i" } } }),
            json!({ "parts": { "$elemMatch": { "code": { "$regex": pattern } } } }),
            json!({ "$or": [{ "name": { "$regex": pattern } }] }),
        ] {
            let answer = query(&api, filter).await;
            assert_eq!(answer.status, status, "{length}: {:.300}", answer.text);
            assert!(status == 200 || answer.problem(400, "limit-exceeded")["limit"] == 256);
        }
        let answer = api.get(&format!("/v1/things?name[prefix]={}", "x".repeat(length))).await;
        assert_eq!(answer.status, status, "{length}: {:.300}", answer.text);
    }
    for pattern in
        ["(", ")", "[", "a{2,1}", "*", "+a", "\\", "(?P<", "(?<n", "[[:foo:]]", "\\p{Foo}", "(?R", "a\0b", "(*FOO)"]
    {
        let answer = query(&api, json!({ "name": { "$regex": pattern } })).await;
        refused(&answer, &[400], pattern);
        for word in ["PCRE", "pcre", "mongo", "offset ", "51091", "Regular expression is invalid"] {
            assert!(!answer.text.contains(word), "{pattern}: {}", answer.text);
        }
    }
    for value in [json!(1), json!(["x"]), json!({ "$regularExpression": { "pattern": "x", "options": "" } })] {
        refused(&query(&api, json!({ "name": { "$regex": value } })).await, &[400], "a pattern that is no string");
    }
    let direct = json!({ "name": { "$regularExpression": { "pattern": ".*", "options": "" } } });
    refused(&query(&api, direct).await, &[400], "a pattern as a value");
    for options in ["g", "u", "ii\0", "imsxe"] {
        refused(&query(&api, json!({ "name": { "$regex": "x", "$options": options } })).await, &[400], options);
    }
}

/// A pattern that tries many ways on each string ends with the request, and every reading command has a limit.
#[tokio::test]
async fn row_07_work_ends_in_time() {
    let api = target().await;
    let things = (0..3000).map(|_| doc! { "tags": vec!["a".repeat(60); 4] });
    api.collection("things").insert_many(things).await.unwrap();
    let slow = escaped(r#"{"tags":{"$regex":"(a|aa)*a*[bc]"}}"#);
    let started = Instant::now();
    let answer = api.send(Method::GET, &format!("/v1/things?filter={slow}"), &[("request-timeout", "0.3")], "").await;
    answer.problem(504, "deadline-exceeded");
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    let sent = commands(&api, async {
        for path in ["?limit=1", "?name=x&sort=name", "/_explain?limit=1", "/_indexes", "/6650f0000000000000000001"] {
            api.get(&format!("/v1/things{path}")).await;
        }
        query(&api, json!({ "name": "x" })).await;
        api.get("/v1").await;
    });
    let reading = ["find", "aggregate", "explain", "count", "distinct"];
    let sent: Vec<_> =
        sent.await.into_iter().filter(|sent| reading.contains(&sent.keys().next().unwrap().as_str())).collect();
    assert!(sent.len() >= 5, "{sent:?}");
    for command in sent {
        let limit = command.get("maxTimeMS").and_then(|limit| limit.as_i32().map(i64::from).or(limit.as_i64()));
        assert!(limit.is_some_and(|limit| (1..=30_000).contains(&limit)), "{command}");
    }
}

/// What MongoDB's commands take beside what the service asks for.
const OPTIONS: [&str; 36] = [
    "allowDiskUse",
    "allowPartialResults",
    "arrayFilters",
    "awaitData",
    "batchSize",
    "bypassDocumentValidation",
    "collation",
    "comment",
    "cursor",
    "explain",
    "find",
    "hint",
    "insert",
    "let",
    "lsid",
    "max",
    "maxTimeMS",
    "min",
    "multi",
    "noCursorTimeout",
    "projection",
    "query",
    "readConcern",
    "readPreference",
    "returnKey",
    "runtimeConstants",
    "showRecordId",
    "singleBatch",
    "tailable",
    "txnNumber",
    "u",
    "update",
    "upsert",
    "verbosity",
    "writeConcern",
    "$db",
];

#[tokio::test]
async fn row_09_no_option_of_a_command_is_the_clients() {
    let api = target().await;
    for name in OPTIONS {
        for value in [json!(1), json!(true), json!("x"), json!({ "a": 1 }), json!({})] {
            let body = json!({ name: value });
            for collection in ["things", "free"] {
                let path = format!("/v1/{collection}/_query");
                refused(&api.post(&path, &body).await, &[400], &body.to_string());
            }
            refused(&api.post("/v1/things", &body).await, &[400, 422], &body.to_string());
            let filter = json!({ "filter": body });
            refused(&api.post("/v1/things/_query", &filter).await, &[400], &filter.to_string());
        }
        for path in ["", "/_explain", "/_indexes", "/_schema", "/6650f0000000000000000001"] {
            let path = format!("/v1/things{path}?{name}=1");
            refused(&api.get(&path).await, &[400], &path);
        }
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let path = if method == Method::POST { "/v1/things?" } else { "/v1/things/6650f0000000000000000001?" };
            refused(&api.send(method, &format!("{path}{name}=1"), &[JSON], "{}").await, &[400], name);
        }
    }
    assert_eq!(api.count("things").await, 0);
}

/// What the service's commands are made of.
const OURS: [&str; 45] = [
    "find",
    "insert",
    "update",
    "delete",
    "findAndModify",
    "findandmodify",
    "aggregate",
    "commitTransaction",
    "collMod",
    "create",
    "getMore",
    "listIndexes",
    "count",
    "collStats",
    "filter",
    "sort",
    "projection",
    "limit",
    "skip",
    "batchSize",
    "singleBatch",
    "maxTimeMS",
    "lsid",
    "txnNumber",
    "startTransaction",
    "autocommit",
    "readConcern",
    "writeConcern",
    "ordered",
    "documents",
    "updates",
    "deletes",
    "pipeline",
    "cursor",
    "collection",
    "$db",
    "$clusterTime",
    "$readPreference",
    "query",
    "new",
    "hint",
    "q",
    "u",
    "multi",
    "upsert",
];

/// Where documents may have fields of any names, such a name is a condition or a field and nothing else.
#[tokio::test]
async fn row_09_commands_are_built_field_by_field() {
    let api = target().await;
    let names: Vec<_> = OPTIONS
        .into_iter()
        .filter(|name| !name.starts_with('$') && *name != "upsert" && *name != "arrayFilters")
        .collect();
    let all: Value = names.iter().map(|name| ((*name).to_owned(), json!(1))).collect();
    let sent = commands(&api, async {
        let made = api.post("/v1/free", &all).await.ok(201);
        let one = format!("/v1/free/{}", made["_id"].as_str().unwrap());
        api.patch(&one, json!({ "maxTimeMS": 2, "collation": { "locale": "x" } })).await.ok(200);
        let parameters: Vec<_> = names
            .iter()
            .filter(|name| !["maxTimeMS", "collation"].contains(name))
            .map(|name| format!("{name}=1"))
            .collect();
        assert_eq!(
            api.get(&format!("/v1/free?{}", parameters.join("&"))).await.ok(200)["items"].as_array().unwrap().len(),
            1
        );
        let filter = json!({ "filter": { "hint": 1, "maxTimeMS": 2, "let": { "$gt": 0 } } });
        assert_eq!(api.post("/v1/free/_query", filter).await.ok(200)["items"].as_array().unwrap().len(), 1);
    })
    .await;
    assert!(sent.iter().any(|command| command.contains_key("find")), "{sent:?}");
    for command in sent {
        for (name, value) in &command {
            assert!(OURS.contains(&name.as_str()), "`{name}` in {command}");
            let is_the_clients = match name.as_str() {
                "maxTimeMS" => value.as_i32() == Some(2),
                "hint" => *value != doc! { "_id": 1 }.into(),
                _ => false,
            };
            assert!(!is_the_clients, "`{name}` in {command}");
        }
    }
}
