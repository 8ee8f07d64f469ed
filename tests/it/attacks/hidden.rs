//! Rows 4 and 5: what is hidden from a caller, or written only, can be neither named nor seen.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bson::doc;
use folio::config::Limits;
use reqwest::Method;
use serde_json::{Value, json};

use super::{JSON, escaped, refused};
use crate::{
    support::{Answer, Api, Client, catalog, database},
    ways::{desk, notes, stored},
};

/// A hidden name, and one of the same length that is no field at all.
const NAMES: [(&str, &str); 7] = [
    ("secret", "zzzzzz"),
    ("inner.deep", "inner.zzzz"),
    ("items.cost", "items.zzzz"),
    ("items.0.cost", "items.0.zzzz"),
    ("secret.0", "zzzzzz.0"),
    ("secret.x", "zzzzzz.x"),
    ("inner.deep.x", "inner.zzzz.x"),
];

/// The answer without what is different in any two: the request's id, and the name.
fn plain(answer: &Answer, name: &str) -> (u16, String) {
    let id = answer.header("x-request-id");
    (answer.status, answer.text.replace(id, "ID").replace(name, "NAME"))
}

/// Every position in which a query can name a field: a query string, or a body of `_query`.
fn positions(name: &str) -> Vec<Result<String, Value>> {
    let mut all = Vec::new();
    for operator in ["", "[eq]", "[ne]", "[gt]", "[gte]", "[lt]", "[lte]", "[in]", "[nin]", "[exists]", "[prefix]"] {
        let value = if operator == "[exists]" { "true" } else { "1" };
        all.push(Ok(format!("{name}{operator}={value}")));
    }
    for list in [name.to_owned(), format!("-{name}"), format!("title,{name}"), format!("_id,-{name}")] {
        all.push(Ok(format!("sort={list}")));
        all.push(Err(json!({ "sort": list.split(',').collect::<Vec<_>>() })));
    }
    for list in [name.to_owned(), format!("-{name}"), format!("title,{name}")] {
        all.push(Ok(format!("fields={list}")));
        all.push(Err(json!({ "fields": list.split(',').collect::<Vec<_>>() })));
    }
    let conditions = [
        json!(1),
        json!("x"),
        json!(null),
        json!({ "$eq": "x" }),
        json!({ "$ne": null }),
        json!({ "$gt": "a" }),
        json!({ "$in": ["x", null] }),
        json!({ "$nin": [] }),
        json!({ "$exists": true }),
        json!({ "$type": "string" }),
        json!({ "$regex": "^h" }),
        json!({ "$not": { "$eq": "x" } }),
        json!({ "$size": 0 }),
        json!({ "$mod": [2, 0] }),
        json!({ "$all": ["x"] }),
        json!({ "$elemMatch": { "$gt": 0 } }),
    ];
    for condition in conditions {
        let filter = json!({ name: condition });
        for filter in [
            filter.clone(),
            json!({ "$and": [{ "title": "x" }, filter] }),
            json!({ "$or": [{ "title": "x" }, filter] }),
            json!({ "$nor": [filter] }),
        ] {
            all.push(Ok(format!("filter={}", escaped(&filter.to_string()))));
            all.push(Err(json!({ "filter": filter })));
        }
    }
    all
}

async fn ask(client: &Client, position: &Result<String, Value>) -> Answer {
    match position {
        Ok(query) => client.get(&format!("/v1/notes?{query}")).await,
        Err(body) => client.post("/v1/notes/_query", body).await,
    }
}

/// Callers from whom the same is hidden.
fn callers(api: &Api) -> [Client; 3] {
    [&["tenant"][..], &["author"], &["tenant", "author"]].map(|roles| api.caller(roles, "ann", json!({ "tenant": 7 })))
}

#[tokio::test]
async fn row_04_hidden_fields_cannot_be_told_from_none() {
    let api = desk().await;
    for caller in callers(&api) {
        for (hidden, unknown) in NAMES {
            for (hidden_at, unknown_at) in positions(hidden).iter().zip(positions(unknown).iter()) {
                let (told, plain_one) = (ask(&caller, hidden_at).await, ask(&caller, unknown_at).await);
                let what = format!("{hidden_at:?}");
                refused(&told, &[403], &what);
                told.problem(403, "forbidden-field");
                assert_eq!(plain(&told, hidden), plain(&plain_one, unknown), "{what}");
            }
        }
        // Within the items of an array, and as a part of a whole.
        for (hidden, unknown) in [
            (json!({ "items": { "$elemMatch": { "cost": 1 } } }), json!({ "items": { "$elemMatch": { "zzzz": 1 } } })),
            (json!({ "items": { "cost": 1 } }), json!({ "items": { "zzzz": 1 } })),
            (
                json!({ "items": { "$all": [{ "$elemMatch": { "cost": 1 } }] } }),
                json!({ "items": { "$all": [{ "$elemMatch": { "zzzz": 1 } }] } }),
            ),
            (json!({ "inner": { "open": "x", "deep": "y" } }), json!({ "inner": { "open": "x", "zzzz": "y" } })),
            (json!({ "inner": { "$in": [{ "deep": "y" }] } }), json!({ "inner": { "$in": [{ "zzzz": "y" }] } })),
        ] {
            let (told, plain_one) = (
                ask(&caller, &Err(json!({ "filter": hidden }))).await,
                ask(&caller, &Err(json!({ "filter": unknown }))).await,
            );
            refused(&told, &[403], &hidden.to_string());
            let name = |value: &Value| if value.to_string().contains("cost") { "cost" } else { "deep" };
            assert_eq!(plain(&told, name(&hidden)).1.replace("zzzz", "NAME"), plain(&plain_one, "zzzz").1, "{hidden}");
        }
    }
}

#[tokio::test]
async fn row_04_what_holds_hidden_fields_is_no_value() {
    let api = desk().await;
    for caller in callers(&api) {
        // A whole that has a hidden part is no value to compare with, or to sort by.
        for whole in [
            json!({ "filter": { "inner": { "open": "x" } } }),
            json!({ "filter": { "inner": { "$eq": { "open": "x" } } } }),
            json!({ "filter": { "inner": { "$gt": { "open": "x" } } } }),
            json!({ "filter": { "items": [{ "code": "a" }] } }),
            json!({ "filter": { "items": { "$in": [[{ "code": "a" }]] } } }),
            json!({ "sort": "inner" }),
            json!({ "sort": "items" }),
        ] {
            refused(&ask(&caller, &Err(whole.clone())).await, &[403], &whole.to_string());
        }
        // Words, in an index that covers what is hidden.
        for text in ["hunter2", "title"] {
            let filter = json!({ "filter": { "$text": { "$search": text } } });
            ask(&caller, &Err(filter)).await.problem(403, "forbidden-field");
        }
        for path in ["_explain", "_explain?secret=x", "_explain?title=own-title", "_indexes"] {
            caller.get(&format!("/v1/notes/{path}")).await.problem(403, "forbidden");
        }
        for (name, is_there) in
            [("secret", false), ("deep", false), ("cost", false), ("hunter2", false), ("title", true)]
        {
            let schema = caller.get("/v1/notes/_schema").await;
            assert_eq!((schema.status, schema.text.contains(name)), (200, is_there), "{name}: {}", schema.text);
        }
    }
}

#[tokio::test]
async fn row_04_suggestions_lead_to_nothing_hidden() {
    let api = desk().await;
    let caller = api.caller(&["tenant"], "ann", json!({ "tenant": 7 }));
    for near in ["secre", "secrets", "Secret", "inner.dee", "items.costs"] {
        let problem = caller.get(&format!("/v1/notes?{near}=1")).await.problem(403, "forbidden-field");
        assert_eq!(problem.get("suggestion"), None, "{near}: {problem}");
    }
    let problem = caller.get("/v1/notes?titel=1").await.problem(403, "forbidden-field");
    assert_eq!(problem["suggestion"], "title");
}

/// Neither tags, cursors, orders nor refusals depend on what is hidden.
#[tokio::test]
async fn row_04_nothing_hidden_shows_in_something_else() {
    let api = desk().await;
    let caller = api.caller(&["tenant"], "ann", json!({ "tenant": 7 }));
    let before = caller.get("/v1/notes/1").await;
    let change = doc! { "$set": { "secret": "hunter2-new", "inner.deep": "hunter2-new", "items.0.cost": 7 } };
    api.collection("notes").update_one(doc! { "_id": 1 }, change).await.unwrap();
    let after = caller.get("/v1/notes/1").await;
    assert_eq!((after.header("etag"), &after.text), (before.header("etag"), &before.text));
    let known = [("if-none-match", before.header("etag"))];
    assert_eq!(caller.send(Method::GET, "/v1/notes/1", &known, "").await.status, 304);
    // The index on title and secret serves this list, and its order is not the service's choice.
    let more =
        (10..40).map(|n| doc! { "_id": n, "tenant": 7, "title": "same", "secret": format!("hunter2-{}", 99 - n) });
    api.collection("notes").insert_many(more).await.unwrap();
    let (mut ids, mut after) = (Vec::new(), String::new());
    loop {
        let page = caller.get(&format!("/v1/notes?title=same&limit=7{after}")).await.ok(200);
        ids.extend(page["items"].as_array().unwrap().iter().map(|item| item["_id"].as_i64().unwrap()));
        let Some(next) = page["next"].as_str() else { break };
        let bytes = URL_SAFE_NO_PAD.decode(next).unwrap();
        let tells = bytes.windows(7).any(|part| part == b"hunter2");
        assert!(!tells && !next.contains("hunter2"), "the cursor holds a hidden value: {next}");
        after = format!("&after={next}");
    }
    assert_eq!(ids, (10..40).collect::<Vec<_>>(), "the order is that of hidden values");
}

#[tokio::test]
async fn row_04_refused_lists_tell_nothing_of_the_collection() {
    let database = database().await;
    let mut settings = database.closed();
    settings.serving.limits = Limits { max_scan: 10, ..Limits::default() };
    let api = Api::start_with(catalog(&[("notes", notes())]), database, settings).await;
    let many = (10..60).map(|n| doc! { "_id": n, "tenant": 7 + n % 2, "title": "x", "state": "s" });
    api.collection("notes").insert_many(many).await.unwrap();
    let caller = api.caller(&["tenant"], "ann", json!({ "tenant": 7 }));
    // The size of the collection is looked up behind the first request.
    for _ in 0..20 {
        if caller.get("/v1/notes?state=s").await.status == 422 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    let problem = caller.get("/v1/notes?state=s").await.problem(422, "unindexed-query");
    let detail = problem["detail"].as_str().unwrap();
    assert!(problem.get("missingIndex").is_none() && !detail.contains("50"), "{problem}");
}

fn accounts() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "_id": { "bsonType": "int" },
            "login": { "type": "string" },
            "password": { "type": "string", "writeOnly": true, "minLength": 8 }
        },
        "x-access": { "admin": ["*"], "clerk": ["read", "write"] }
    })
}

#[tokio::test]
async fn row_04_write_only_fields_are_hidden_from_everyone() {
    let closed = Api::closed(catalog(&[("accounts", accounts())])).await;
    let open = Api::start(catalog(&[("accounts", accounts())])).await;
    for (api, caller) in [
        (&closed, closed.caller(&["admin"], "ann", json!({}))),
        (&closed, closed.caller(&["clerk"], "ann", json!({}))),
        (&open, open.nobody()),
    ] {
        api.collection("accounts").delete_many(doc! {}).await.unwrap();
        let account = json!({ "_id": 1, "login": "bob", "password": "hunter2-hunter2" });
        let made = caller.post("/v1/accounts", &account).await;
        assert_eq!(made.ok(201), json!({ "_id": 1, "login": "bob" }));
        let other = json!({ "_id": 2, "login": "eve", "password": "hunter2-hunter2" });
        let mut answers = vec![caller.post("/v1/accounts", &other).await];
        answers[0].ok(201);
        let short = json!({ "_id": 3, "login": "eve", "password": "hunter2" });
        answers.push(caller.post("/v1/accounts", &short).await);
        for query in [
            "password=hunter2-hunter2",
            "password[prefix]=h",
            "password[exists]=true",
            "sort=password",
            "fields=password",
            "fields=-password",
        ] {
            let answer = caller.get(&format!("/v1/accounts?{query}")).await;
            answer.problem(403, "forbidden-field");
            answers.push(answer);
        }
        for path in ["", "?fields=login", "?fields=-login", "/1", "/_schema"] {
            answers.push(caller.get(&format!("/v1/accounts{path}")).await);
        }
        answers.push(
            caller.send(Method::GET, "/v1/accounts/1", &[("accept", "application/ejson; mode=canonical")], "").await,
        );
        answers.push(caller.post("/v1/accounts/_query", json!({ "filter": { "login": "bob" } })).await);
        answers.push(caller.put("/v1/accounts/1", json!({ "login": "bobby" })).await);
        answers.push(caller.patch("/v1/accounts/1", json!({ "login": "bobbie" })).await);
        let tag = caller.get("/v1/accounts/1").await.header("etag").to_owned();
        answers.push(caller.patch("/v1/accounts/1", json!({ "password": "hunter2-hunter3" })).await);
        assert_eq!(caller.get("/v1/accounts/1").await.header("etag"), tag);
        for answer in answers {
            assert!(!format!("{:?}{}", answer.headers, answer.text).contains("hunter2"), "{answer:?}");
        }
        let kept = api.collection("accounts").find_one(doc! { "_id": 1 }).await.unwrap().unwrap();
        assert_eq!(kept, doc! { "_id": 1, "login": "bobbie", "password": "hunter2-hunter3" });
    }
}

/// What `fields` could be taken for elsewhere.
const ALIASES: [&str; 26] = [
    "$secret",
    "x:$secret",
    "secret:x",
    "x:secret",
    "secret as x",
    "secret.$",
    "$$ROOT",
    "$$CURRENT.secret",
    "*",
    "**",
    "-title",
    "-_id",
    "-inner",
    "_id,title",
    "inner",
    "items",
    "inner.open",
    "items.code",
    "-inner.open",
    "inner,items",
    "{\"x\":\"$secret\"}",
    "{\"secret\":1}",
    "[\"secret\"]",
    "secret:1",
    "Secret",
    "%73ecret",
];

#[tokio::test]
async fn row_05_no_projection_gives_what_is_hidden() {
    let api = desk().await;
    let mut answered = 0;
    for roles in [&["tenant"][..], &["author"], &["titles"], &["tenant", "titles"]] {
        let caller = api.caller(roles, "ann", json!({ "tenant": 7 }));
        // All formats are written from what is shown, so the odd one stands for the others.
        for accept in ["application/json", "application/ejson; mode=canonical"] {
            let accept = ("accept", accept);
            for alias in ALIASES {
                for query in [format!("fields={}", escaped(alias)), format!("sort=title&fields={}", escaped(alias))] {
                    let answer = caller.send(Method::GET, &format!("/v1/notes?{query}"), &[accept], "").await;
                    assert!([200, 400, 403].contains(&answer.status), "{query}: {answer:?}");
                    keeps_hidden(&answer, &query);
                    answered += usize::from(answer.status == 200);
                }
                for fields in [
                    json!(alias),
                    json!([alias]),
                    json!({ alias: 1 }),
                    json!({ "x": alias }),
                    json!([{ "x": alias }]),
                    json!({ "x": { "$toString": alias } }),
                ] {
                    let body = json!({ "fields": fields }).to_string();
                    let answer = caller.send(Method::POST, "/v1/notes/_query", &[JSON, accept], body.clone()).await;
                    assert!([200, 400, 403].contains(&answer.status), "{body}: {answer:?}");
                    keeps_hidden(&answer, &body);
                }
            }
            for path in ["/v1/notes", "/v1/notes/1", "/v1/notes?sort=-title&limit=1", "/v1/notes?tenant=7"] {
                keeps_hidden(&caller.send(Method::GET, path, &[accept], "").await, path);
            }
        }
    }
    assert!(answered > 100, "only {answered} projections were taken: the test says little");
    let whole = api.caller(&["reader"], "ann", json!({})).get("/v1/notes?fields=secret&sort=_id").await.ok(200);
    assert_eq!(whole["items"][0]["secret"], stored()[0].get_str("secret").unwrap());
}

fn keeps_hidden(answer: &Answer, what: &str) {
    let whole = format!("{:?}{}", answer.headers, answer.text);
    assert!(!whole.contains("hunter2") && !whole.contains("424242"), "{what}: {whole}");
}
