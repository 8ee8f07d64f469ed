//! What callers see: documents and fields that are hidden from them can neither be read nor inferred.

use folio::config::Limits;
use mongodb::bson::{Document, doc};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Api, Client, catalog, database};

/// `cost` is hidden at several places, `note` is write-only, and nothing undeclared is allowed.
fn things() -> Value {
    let hidden = ["cost", "in.cost", "lines.cost", "owner"];
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["title", "cost"],
        "properties": {
            "_id": { "type": "string" },
            "title": { "type": "string" },
            "owner": { "type": "string" },
            "rank": { "bsonType": "int" },
            "cost": { "bsonType": "int" },
            "note": { "type": "string", "writeOnly": true },
            "tags": { "type": "array", "items": { "type": "string" } },
            "in": { "$ref": "#/$defs/part" },
            "lines": { "type": "array", "items": { "$ref": "#/$defs/part" } }
        },
        "$defs": { "part": { "type": "object", "additionalProperties": false, "properties": {
            "city": { "type": "string" }, "cost": { "bsonType": "int", "examples": [77] } } } },
        "x-indexes": [
            { "keys": { "in.city": 1, "owner": 1 } },
            { "keys": { "title": "text", "note": "text" } }
        ],
        "x-access": {
            "viewer": { "ops": ["read"], "hide": hidden },
            "guest": { "ops": ["read"], "filter": { "rank": { "$lte": 2 } }, "hide": hidden },
            "owner": { "ops": ["read"], "filter": { "owner": "$user.id" } },
            "clerk": ["insert"],
            "boss": ["*"]
        }
    })
}

fn thing(id: i32, owner: &str) -> Document {
    let part = |cost: i32| doc! { "city": "Rome", "cost": cost };
    doc! {
        "_id": format!("t{id}"), "title": format!("thing {id}"), "owner": owner, "rank": id, "cost": 900 + id,
        "note": "secret", "in": part(800 + id), "lines": [part(700 + id), part(600)], "tags": ["a"],
    }
}

async fn api() -> Api {
    let api = Api::closed(catalog(&[("things", things())])).await;
    let owners = ["ann", "bob", "ann", "bob"];
    let all = (1..).zip(owners).map(|(id, owner)| thing(id, owner)).collect::<Vec<_>>();
    api.collection("things").insert_many(all).await.unwrap();
    api
}

fn as_role(api: &Api, roles: &[&str]) -> Client {
    api.caller(roles, "ann", json!({}))
}

fn filter(filter: &Value) -> String {
    format!("filter={}", utf8_percent_encode(&filter.to_string(), NON_ALPHANUMERIC))
}

fn ids(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["_id"].as_str().unwrap()).collect()
}

/// The answer without what is different in any two.
fn blind(answer: &Answer, name: &str) -> String {
    answer.text.replace(answer.header("x-request-id"), "…").replace(name, "…")
}

#[tokio::test]
async fn what_is_hidden_is_in_no_answer() {
    let api = api().await;
    let viewer = as_role(&api, &["viewer"]);
    let shown = json!({ "_id": "t1", "title": "thing 1", "rank": 1, "tags": ["a"], "in": { "city": "Rome" },
        "lines": [{ "city": "Rome" }, { "city": "Rome" }] });
    assert_eq!(viewer.get("/v1/things/t1").await.ok(200), shown);
    assert_eq!(viewer.get("/v1/things?rank=1").await.ok(200)["items"][0], shown);
    assert_eq!(viewer.post("/v1/things/_query", json!({ "limit": 1 })).await.ok(200)["items"][0], shown);
    let part = viewer.get("/v1/things?rank=1&fields=in,lines").await.ok(200);
    assert_eq!(part["items"][0], json!({ "_id": "t1", "in": shown["in"], "lines": shown["lines"] }));
    for accept in ["application/ejson", "application/ejson; mode=canonical"] {
        for path in ["/v1/things/t1", "/v1/things"] {
            let answer = viewer.send(Method::GET, path, &[("accept", accept)], "").await;
            assert!(answer.status == 200 && !answer.text.contains("cost") && !answer.text.contains("secret"));
        }
    }
    let gzip = viewer.send(Method::GET, "/v1/things", &[("accept-encoding", "gzip;q=1,identity;q=0")], "").await;
    assert_eq!(gzip.header("content-encoding"), "gzip");
    // What is write-only is nobody's to read.
    let boss = as_role(&api, &["boss"]).get("/v1/things/t1").await.ok(200);
    assert_eq!((&boss["cost"], boss.get("note")), (&json!(901), None));
}

#[tokio::test]
async fn a_search_does_not_tell_the_language_of_a_hidden_field() {
    let words = |hide: Value| {
        json!({ "type": "object", "additionalProperties": false,
            "properties": { "_id": { "type": "string" }, "title": { "type": "string" }, "in": { "type": "object",
                "properties": { "text": { "type": "string" }, "language": { "type": "string" } } } },
            "x-indexes": [{ "keys": { "title": "text", "in.text": "text" } }],
            "x-access": { "reader": { "ops": ["read"], "hide": hide } } })
    };
    let api = Api::closed(catalog(&[("told", words(json!(["in.language"]))), ("open", words(json!([])))])).await;
    for name in ["told", "open"] {
        let text = |id: &str, language: &str| doc! { "_id": id, "in": { "text": "running", "language": language } };
        api.collection(name).insert_many([text("e", "english"), text("g", "german")]).await.unwrap();
    }
    let reader = as_role(&api, &["reader"]);
    let search = filter(&json!({ "$text": { "$search": "runs", "$language": "english" } }));
    assert_eq!(ids(&reader.get(&format!("/v1/open?{search}")).await.ok(200)), ["e"]);
    reader.get(&format!("/v1/told?{search}")).await.problem(403, "forbidden-field");
}

/// Filters that name a field, `NAME`, in every way.
fn naming_filters() -> Vec<Value> {
    let conditions = [
        json!(1),
        json!("x"),
        json!({ "x": [{}] }),
        json!({ "$exists": true }),
        json!({ "$type": "int" }),
        json!({ "$type": "no" }),
        json!({ "$regex": "^a" }),
        json!({ "$in": [1, "x"] }),
        json!({ "$nonsense": 1 }),
        json!({ "$not": { "$gt": 1 } }),
        json!({ "$elemMatch": { "x": 1 } }),
        json!({ "$near": {} }),
    ];
    let filters = conditions.iter().flat_map(|condition| {
        let named = json!({ "NAME": condition });
        [
            named.clone(),
            json!({ "in.NAME": condition }),
            json!({ "lines": { "$elemMatch": named } }),
            json!({ "lines": { "$not": { "$elemMatch": { "city": "a", "NAME": condition } } } }),
            json!({ "lines": { "$all": [{ "$elemMatch": named }] } }),
            json!({ "$and": [{ "title": "a" }, named] }),
            json!({ "$or": [{ "$nor": [named] }] }),
        ]
    });
    filters.chain([json!({ "in": { "NAME": 1 } }), json!({ "in": { "city": "Rome", "NAME": 3 } })]).collect()
}

#[tokio::test]
async fn hidden_and_unknown_names_are_told_apart_by_nothing() {
    const NAMES: [&str; 4] = ["NAME", "in.NAME", "lines.NAME", "lines.0.NAME"];
    const OPERATORS: [&str; 11] =
        ["", "[eq]", "[ne]", "[gt]", "[gte]", "[lt]", "[lte]", "[in]", "[nin]", "[exists]", "[prefix]"];
    let api = api().await;
    let viewer = as_role(&api, &["viewer"]);
    let mut queries: Vec<_> = naming_filters().iter().map(filter).collect();
    queries.extend(OPERATORS.iter().flat_map(|operator| NAMES.map(|name| format!("{name}{operator}=x"))));
    for name in NAMES {
        queries.extend(
            ["sort=", "sort=-rank,", "sort=tags,-", "fields=", "fields=-", "fields=title,"]
                .map(|p| p.to_owned() + name),
        );
    }
    for query in &queries {
        for hidden in ["cost", "note"] {
            let ask = async |name: &str| viewer.get(&format!("/v1/things?{}", query.replace("NAME", name))).await;
            let (one, other) = (ask(hidden).await, ask("zqxj").await);
            assert_eq!(one.problem(403, "forbidden-field").get("suggestion"), None, "{query}");
            assert_eq!(blind(&one, hidden), blind(&other, "zqxj"), "{query}");
        }
    }
    // A typing error is helped with by names in sight alone.
    let near = viewer.get("/v1/things?titel=x").await.problem(403, "forbidden-field");
    assert_eq!(near["suggestion"], "title");
    let far = viewer.get("/v1/things?costs=1").await.problem(403, "forbidden-field");
    assert_eq!(far.get("suggestion"), None);
}

#[tokio::test]
async fn they_are_told_apart_by_nothing_in_a_body_either() {
    let api = api().await;
    let viewer = as_role(&api, &["viewer"]);
    let filters = naming_filters();
    let bodies = filters.iter().map(|filter| json!({ "filter": filter }));
    for body in bodies.chain([json!({ "sort": ["NAME"] }), json!({ "fields": ["NAME"] }), json!({ "sort": "-NAME" })]) {
        let ask = async |name: &str| viewer.post("/v1/things/_query", body.to_string().replace("NAME", name)).await;
        let (one, other) = (ask("cost").await, ask("zqxj").await);
        one.problem(403, "forbidden-field");
        assert_eq!(blind(&one, "cost"), blind(&other, "zqxj"), "{body}");
    }
}

#[tokio::test]
async fn what_has_hidden_parts_is_compared_with_nothing_as_a_whole() {
    let api = api().await;
    let viewer = as_role(&api, &["viewer"]);
    let wholes = [
        json!({ "in": { "city": "Rome" } }),
        json!({ "lines": { "$gt": {} } }),
        json!({ "lines": { "$elemMatch": { "$gt": {} } } }),
        json!({ "$text": { "$search": "x" } }),
    ];
    let filters = wholes.iter().map(filter);
    for query in filters.chain(["sort=in", "sort=lines", "lines[exists]=true", "in.0.cost=1"].map(str::to_owned)) {
        viewer.get(&format!("/v1/things?{query}")).await.problem(403, "forbidden-field");
    }
    let visible = json!({ "lines": { "$elemMatch": { "city": "Rome" } }, "in.city": "Rome" });
    assert_eq!(ids(&viewer.get(&format!("/v1/things?{}", filter(&visible))).await.ok(200)).len(), 4);
}

#[tokio::test]
async fn rows_of_others_do_not_exist() {
    let api = api().await;
    let owner = as_role(&api, &["owner"]);
    assert_eq!(ids(&owner.get("/v1/things?sort=rank").await.ok(200)), ["t1", "t3"]);
    let (other, none) = (owner.get("/v1/things/t2").await, owner.get("/v1/things/t9").await);
    other.problem(404, "unknown-document");
    let same = |answer: &Answer| answer.text.replace(answer.header("x-request-id"), "");
    assert_eq!(same(&other), same(&none));
    let missed = owner.send(Method::GET, "/v1/things/t2", &[("if-match", "\"x\"")], "").await;
    missed.problem(404, "unknown-document");
    let head = owner.send(Method::HEAD, "/v1/things/t2", &[], "").await;
    assert_eq!((head.status, head.text.as_str()), (404, ""));
    let either = json!({ "$or": [{ "owner": "bob" }, { "rank": { "$gte": 0 } }] });
    assert_eq!(ids(&owner.get(&format!("/v1/things?{}", filter(&either))).await.ok(200)), ["t1", "t3"]);
}

#[tokio::test]
async fn pages_under_a_filter_lose_nothing_and_cursors_are_not_shared() {
    let api = api().await;
    let more = (5..60).map(|id| thing(id, if id % 3 == 0 { "ann" } else { "bob" }));
    api.collection("things").insert_many(more.collect::<Vec<_>>()).await.unwrap();
    let (owner, bob) = (as_role(&api, &["owner"]), api.caller(&["owner"], "bob", json!({})));
    let (mut found, mut path) = (Vec::new(), "/v1/things?sort=-rank&limit=4".to_owned());
    loop {
        let page = owner.get(&path).await.ok(200);
        found.extend(page["items"].as_array().unwrap().iter().map(|item| item["rank"].as_i64().unwrap()));
        assert!(page["items"].as_array().unwrap().iter().all(|item| item["owner"] == "ann"));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/things?sort=-rank&limit=4&after={next}");
        bob.get(&path).await.problem(400, "invalid-query");
        as_role(&api, &["viewer"]).get(&path).await.problem(400, "invalid-query");
    }
    let expected: Vec<_> = (1..60).rev().filter(|id| [1, 3].contains(id) || (*id > 4 && id % 3 == 0)).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn several_roles_show_each_row_as_its_own_role_does() {
    let api = api().await;
    // Ranks 1 and 2 to guests, what is hers to the owner: t1 by both, t2 by the guest's, t3 by the owner's role.
    let both = as_role(&api, &["guest", "owner"]);
    let costs = |list: &Value| -> Vec<_> {
        let items = list["items"].as_array().unwrap().iter();
        items.map(|item| (item["_id"].as_str().unwrap().to_owned(), item["cost"].as_i64())).collect()
    };
    let expected = [("t1".to_owned(), Some(901)), ("t2".to_owned(), None), ("t3".to_owned(), Some(903))];
    assert_eq!(costs(&both.get("/v1/things?sort=rank").await.ok(200)), expected);
    assert_eq!(costs(&both.get("/v1/things?sort=rank&fields=cost").await.ok(200)), expected);
    assert_eq!(costs(&both.get("/v1/things?sort=title&fields=-title").await.ok(200)), expected);
    let part = both.get("/v1/things?sort=rank&fields=cost,in.cost").await.ok(200);
    assert_eq!(part["items"][0], json!({ "_id": "t1", "cost": 901, "in": { "cost": 801 } }));
    assert_eq!(part["items"][1], json!({ "_id": "t2", "in": {} }));
    assert_eq!(both.get("/v1/things/t2").await.ok(200).get("cost"), None);
    assert_eq!(both.get("/v1/things/t3").await.ok(200)["cost"], 903);
    // By a field that is hidden in some, only the others are found.
    assert_eq!(ids(&both.get("/v1/things?sort=cost").await.ok(200)), ["t1", "t3"]);
    assert_eq!(ids(&both.get("/v1/things?cost[gt]=0").await.ok(200)), ["t1", "t3"]);
    assert_eq!(ids(&both.get("/v1/things?in.cost[exists]=true").await.ok(200)), ["t1", "t3"]);
    let nor = json!({ "$nor": [{ "lines": { "$elemMatch": { "cost": 5 } } }] });
    assert_eq!(ids(&both.get(&format!("/v1/things?{}", filter(&nor))).await.ok(200)), ["t1", "t3"]);
    both.get("/v1/things?zqxj=1").await.problem(403, "forbidden-field");
}

#[tokio::test]
async fn tags_are_of_what_is_seen() {
    let api = api().await;
    let (viewer, boss) = (as_role(&api, &["viewer"]), as_role(&api, &["boss"]));
    let tag = async |client: &Client| client.get("/v1/things/t1").await.header("etag").to_owned();
    let (seen, whole) = (tag(&viewer).await, tag(&boss).await);
    assert_ne!(seen, whole);
    api.collection("things")
        .update_one(doc! { "_id": "t1" }, doc! { "$set": { "in.cost": 1, "note": "x" } })
        .await
        .unwrap();
    assert_eq!(tag(&viewer).await, seen);
    assert_ne!(tag(&boss).await, whole);
    let known = viewer.send(Method::GET, "/v1/things/t1", &[("if-none-match", &seen)], "").await;
    assert_eq!((known.status, known.text.as_str()), (304, ""));
    viewer.send(Method::GET, "/v1/things/t1", &[("if-match", &whole)], "").await.problem(412, "precondition-failed");
    let head = viewer.send(Method::HEAD, "/v1/things/t1", &[], "").await;
    assert_eq!((head.status, head.header("etag")), (200, &*seen));
}

#[tokio::test]
async fn the_inside_is_for_those_who_read_everything() {
    let api = api().await;
    let boss = as_role(&api, &["boss"]);
    for path in ["/v1/things/_explain?rank=1", "/v1/things/_indexes"] {
        boss.get(path).await.ok(200);
        for role in ["viewer", "owner", "clerk"] {
            as_role(&api, &[role]).get(path).await.problem(403, "forbidden");
        }
        api.get(path).await.problem(401, "unauthenticated");
    }
    // Of an index on what is hidden the order would tell.
    for (roles, expected) in [
        (&["boss"][..], &["t1", "t3", "t2", "t4"][..]),
        (&["viewer"], &["t1", "t2", "t3", "t4"]),
        (&["guest", "owner"], &["t1", "t2", "t3"]),
    ] {
        assert_eq!(ids(&as_role(&api, roles).get("/v1/things?in.city=Rome").await.ok(200)), expected, "{roles:?}");
    }
}

#[tokio::test]
async fn the_schema_is_of_what_is_seen() {
    let api = api().await;
    let schema = as_role(&api, &["viewer"]).get("/v1/things/_schema").await;
    for word in ["cost", "owner", "$defs", "$ref", "x-indexes", "x-access", "77"] {
        assert!(!schema.text.contains(word), "{word} in {}", schema.text);
    }
    let seen = schema.json();
    assert_eq!(seen["required"], json!(["title"]));
    assert_eq!(seen["properties"]["note"], json!({ "type": "string", "writeOnly": true }));
    assert_eq!(seen["properties"]["lines"]["items"]["properties"], json!({ "city": { "type": "string" } }));
    let whole = as_role(&api, &["boss"]).get("/v1/things/_schema").await;
    assert!(whole.text.contains("cost") && whole.text.contains("$defs") && !whole.text.contains("x-access"));
    as_role(&api, &["clerk"]).get("/v1/things/_schema").await.problem(403, "forbidden");
}

#[tokio::test]
async fn the_index_lists_what_a_caller_may_use() {
    let api = api().await;
    let listed = async |role: &str| as_role(&api, &[role]).get("/v1").await.ok(200)["collections"].clone();
    for (role, count) in [("boss", Some(4)), ("viewer", Some(4)), ("owner", None), ("clerk", None)] {
        let collections = listed(role).await;
        assert_eq!((&collections[0]["name"], collections[0]["count"].as_i64()), (&json!("things"), count), "{role}");
    }
    assert_eq!(listed("nobody").await, json!([]));
    api.get("/v1").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_refusal_has_no_figures_for_those_who_see_a_part() {
    let database = database().await;
    let mut settings = database.closed();
    settings.serving.limits = Limits { max_scan: 2, ..Limits::default() };
    let api = Api::start_with(catalog(&[("things", things())]), database, settings).await;
    let all: Vec<_> = (1..9).map(|id| thing(id, "ann")).collect();
    api.collection("things").insert_many(all).await.unwrap();
    let refused = as_role(&api, &["boss"]).get("/v1/things?tags=x").await.problem(422, "unindexed-query");
    assert!(refused["detail"].as_str().unwrap().contains('8') && refused["missingIndex"].is_object());
    let told = as_role(&api, &["viewer"]).get("/v1/things?tags=x").await.problem(422, "unindexed-query");
    assert!(
        !told["detail"].as_str().unwrap().contains(char::is_numeric) && told.get("missingIndex").is_none(),
        "{told}"
    );
}
