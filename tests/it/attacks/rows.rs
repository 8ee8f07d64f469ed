//! Rows 10, 19, 23 and 26: writes under rules, what answers tell, other tenants, and what is there for nobody known.

use bson::{Bson, doc};
use folio::config::{Open, Serving};
use reqwest::Method;
use serde_json::{Value, json};

use super::{JSON, keeps_quiet, refused};
use crate::{
    support::{Api, Client, catalog},
    ways::{desk, stored},
};

fn author(api: &Api, tenant: i32) -> Client {
    api.caller(&["author"], "ann", json!({ "tenant": tenant }))
}

#[tokio::test]
async fn row_10_forced_values_win_whatever_is_sent() {
    let api = desk().await;
    let (ann, notes) = (author(&api, 7), api.collection("notes"));
    for (n, forged) in [
        json!({ "tenant": 8 }),
        json!({ "owner": "eve" }),
        json!({ "tenant": 8, "owner": "eve" }),
        json!({ "tenant": null, "owner": null }),
    ]
    .into_iter()
    .enumerate()
    {
        let id = i32::try_from(n).unwrap() + 10;
        let mut body = forged.clone();
        body["title"] = json!("t");
        for (method, path) in [
            (Method::POST, "/v1/notes".to_owned()),
            (Method::PUT, format!("/v1/notes/{id}")),
            (Method::PATCH, format!("/v1/notes/{id}")),
        ] {
            if method == Method::POST {
                body["_id"] = json!(id);
            }
            let answer = ann.send(method.clone(), &path, &[JSON], body.to_string()).await;
            assert!((200..=201).contains(&answer.status), "{method} {body}: {answer:?}");
            let now = notes.find_one(doc! { "_id": id }).await.unwrap().unwrap();
            assert_eq!((now.get_i32("tenant").unwrap(), now.get_str("owner").unwrap()), (7, "ann"), "{method} {body}");
        }
    }
}

#[tokio::test]
async fn row_10_what_a_role_may_not_write_or_see_stays() {
    let api = desk().await;
    let (ann, notes, before) = (author(&api, 7), api.collection("notes"), stored()[0].clone());
    for (body, statuses) in [
        (json!({ "secret": "x" }), &[403][..]),
        (json!({ "secret": null }), &[403]),
        (json!({ "inner": { "deep": "x" } }), &[403]),
        (json!({ "inner": { "deep": null } }), &[403]),
        (json!({ "items": [{ "cost": 1 }] }), &[403]),
        (json!({ "items": [{ "code": "b" }] }), &[403]),
        (json!({ "items": [{ "code": "a" }, { "code": "b" }] }), &[403]),
        (json!({ "items": [] }), &[403]),
        (json!({ "inner": "x" }), &[403, 422]),
        (json!({ "inner": [{ "deep": "x" }] }), &[403, 422]),
        (json!({ "state": "done" }), &[422]),
        (json!({ "state": null }), &[422]),
        (json!({ "_id": 2 }), &[422]),
        (json!({ "$set": { "tenant": 8 } }), &[400, 422]),
        (json!({ "$unset": { "inner": 1 } }), &[400, 403]),
        (json!({ "inner.deep": "x" }), &[400]),
        (json!({ "items.0.cost": 1 }), &[400]),
    ] {
        let mut whole = body.clone();
        whole["title"] = json!("own-title");
        // A list whose items have hidden parts is sent back as it was read.
        whole.as_object_mut().unwrap().entry("items").or_insert(json!([{ "code": "a" }]));
        for (method, body) in [(Method::PATCH, &body), (Method::PUT, &whole)] {
            // What a replacement says is absent, with `null`, is of the wrong type.
            let answer = ann.send(method.clone(), "/v1/notes/1", &[JSON], body.to_string()).await;
            refused(&answer, &[statuses, &[422]].concat(), &format!("{method} {body}"));
            assert!(method == Method::PUT || statuses.contains(&answer.status), "{method} {body}: {answer:?}");
            assert_eq!(notes.find_one(doc! { "_id": 1 }).await.unwrap().unwrap(), before, "{method} {body}");
        }
    }
    // Removing the parent of what is hidden, or leaving it out, leaves the hidden part.
    for (method, body) in
        [(Method::PATCH, json!({ "inner": null })), (Method::PUT, json!({ "title": "t", "items": [{ "code": "a" }] }))]
    {
        ann.send(method.clone(), "/v1/notes/1", &[JSON], body.to_string()).await.ok(200);
        let now = notes.find_one(doc! { "_id": 1 }).await.unwrap().unwrap();
        assert_eq!(now.get_document("inner").unwrap().get_str("deep").unwrap(), "hunter2-own-deep", "{method}");
        assert_eq!((now.get_str("secret").unwrap(), now.get_str("state").unwrap()), ("hunter2-own", "new"), "{method}");
    }
}

/// Nobody moves a row out of what is theirs, or makes one there.
#[tokio::test]
async fn row_10_rows_stay_where_they_are_the_writers() {
    let api = desk().await;
    let notes = api.collection("notes");
    let mover = api.caller(&["mover"], "ann", json!({ "tenant": 7 }));
    for (method, path, body) in [
        (Method::PATCH, "/v1/notes/1", json!({ "tenant": 8 })),
        (Method::PATCH, "/v1/notes/1", json!({ "tenant": null })),
        (Method::PUT, "/v1/notes/1", json!({ "title": "t" })),
        (Method::PUT, "/v1/notes/1", json!({ "tenant": 8 })),
        (Method::POST, "/v1/notes", json!({ "_id": 77, "tenant": 8 })),
        (Method::POST, "/v1/notes", json!({ "_id": 77 })),
    ] {
        let answer = mover.send(method.clone(), path, &[JSON], body.to_string()).await;
        answer.problem(403, "forbidden");
    }
    let now = notes.find_one(doc! { "_id": 1 }).await.unwrap().unwrap();
    assert_eq!(
        (now.get("tenant"), notes.count_documents(doc! { "_id": 77 }).await.unwrap()),
        (Some(&Bson::Int32(7)), 0)
    );
}

/// An absent document and one that is not the caller's get the same answer, on every way.
#[tokio::test]
async fn row_19_absent_and_foreign_are_alike() {
    let api = desk().await;
    for caller in [
        author(&api, 7),
        api.caller(&["tenant"], "ann", json!({ "tenant": 7 })),
        api.caller(&["mover"], "ann", json!({ "tenant": 7 })),
    ] {
        for (method, headers, body) in [
            (Method::GET, vec![], ""),
            (Method::HEAD, vec![], ""),
            (Method::GET, vec![("if-none-match", "*")], ""),
            (Method::GET, vec![("if-match", "\"x\"")], ""),
            (Method::PUT, vec![JSON], r#"{"title":"t"}"#),
            (Method::PUT, vec![JSON, ("if-match", "*")], r#"{"title":"t"}"#),
            (Method::PATCH, vec![JSON], r#"{"title":"t"}"#),
            (Method::PATCH, vec![JSON], r#"{"_id":5}"#),
            (Method::PATCH, vec![JSON], r#"{"secret":"x"}"#),
            (Method::PATCH, vec![JSON, ("if-match", "\"x\"")], r#"{"title":"t"}"#),
            (Method::DELETE, vec![], ""),
            (Method::DELETE, vec![("if-match", "\"x\"")], ""),
            (Method::DELETE, vec![("if-none-match", "*")], ""),
        ] {
            let told = async |id: i32| {
                let answer = caller.send(method.clone(), &format!("/v1/notes/{id}"), &headers, body).await;
                keeps_quiet(&answer, body);
                let request = answer.header("x-request-id").to_owned();
                let mut names: Vec<_> = answer.headers.keys().map(|name| name.as_str().to_owned()).collect();
                names.sort();
                (answer.status, names, answer.text.replace(&request, "ID"))
            };
            let (absent, foreign) = (told(99).await, told(2).await);
            assert_eq!(absent, foreign, "{method} {headers:?} {body}");
            assert!([403, 404, 412].contains(&absent.0), "{method} {headers:?} {body}: {absent:?}");
        }
    }
    assert_eq!(api.collection("notes").find_one(doc! { "_id": 2 }).await.unwrap().unwrap(), stored()[1]);
}

/// What is nobody's business outside.
const INSIDE: [&str; 13] = [
    "mongo",
    "bson error",
    "rust",
    "src/",
    ".rs:",
    "/root",
    "/home",
    "panicked",
    "axum",
    "hyper",
    "x-powered-by",
    "e11000",
    env!("CARGO_PKG_VERSION"),
];

#[tokio::test]
async fn row_19_answers_tell_nothing_of_what_is_behind() {
    let api = desk().await;
    let callers = [api.nobody(), api.with("wrong"), author(&api, 7), api.caller(&["admin"], "ann", json!({}))];
    for caller in &callers {
        for (method, path, body) in [
            (Method::GET, "/v1/notes/x", ""),
            (Method::GET, "/v1/nothing", ""),
            (Method::GET, "/nothing", ""),
            (Method::GET, "/v1/../../etc/passwd", ""),
            (Method::GET, "/v1/notes?filter={", ""),
            (Method::GET, "/v1/notes?after=AAAA", ""),
            (Method::GET, "/v1/notes?filter=%7B%22title%22:%7B%22$regex%22:%22(%22%7D%7D", ""),
            (Method::POST, "/v1/notes", r#"{"_id":1,"tenant":7}"#),
            (Method::POST, "/v1/notes", r#"{"_id":"x"}"#),
            (Method::POST, "/v1/notes", r#"{"_id":9,"title":1,"tenant":"x"}"#),
            (Method::POST, "/v1/notes", "{"),
            (Method::PATCH, "/v1/notes/1", r#"{"title":1}"#),
            (Method::DELETE, "/v1/notes", ""),
        ] {
            let answer = caller.send(method.clone(), path, &[JSON], body).await;
            let what = format!("{method} {path} {body}");
            assert!(answer.status >= 400, "{what}: {answer:?}");
            keeps_quiet(&answer, &what);
            let whole = format!("{:?}{}", answer.headers, answer.text).to_lowercase();
            for word in INSIDE.iter().chain([&api.database.name.as_str()]) {
                assert!(!whole.contains(word), "{what} tells `{word}`: {whole}");
            }
            assert!(!answer.headers.contains_key("server"), "{what}");
        }
    }
}

#[tokio::test]
async fn row_19_strangers_are_not_told_which_collections_there_are() {
    let api = desk().await;
    let text = async |caller: &Client, path: &str| {
        let answer = caller.get(path).await;
        (answer.status, answer.text.replace(answer.header("x-request-id"), "ID"))
    };
    for path in
        ["/v1/notes/1", "/v1/notez", "/v1/nothing", "/v1/system.users", "/nothing", "/v1/notes/_schema", "/problems/x"]
    {
        assert_eq!(text(&api.nobody(), path).await, text(&api.nobody(), "/v1/notes").await, "{path}");
    }
    let stranger = api.caller(&["other"], "eve", json!({}));
    let problem = stranger.get("/v1/notez").await.problem(404, "unknown-collection");
    assert_eq!(problem.get("suggestion"), None, "{problem}");
    assert_eq!(stranger.get("/v1").await.ok(200)["collections"], json!([]));
}

fn tenant(api: &Api, tenant: &Value) -> Client {
    api.caller(&["tenant"], "ann", json!({ "tenant": tenant }))
}

#[tokio::test]
async fn row_23_no_tenant_is_every_tenant() {
    let api = desk().await;
    // What is not known of a caller, or is no value of the field, matches nothing; not even rows without a tenant.
    api.collection("notes")
        .insert_many([doc! { "_id": 90, "title": "none" }, doc! { "_id": 91, "tenant": Bson::Null }])
        .await
        .ok();
    let nobodys = [
        json!({ "$ne": null }),
        json!({ "$gt": 0 }),
        json!([7, 8]),
        json!([]),
        json!({}),
        json!(null),
        json!(true),
        json!("x"),
        json!(""),
        json!(7.5),
        json!("$user.tenant"),
        json!("7,8"),
    ];
    for claim in nobodys {
        for path in ["/v1/notes", "/v1/notes/1", "/v1/notes/2", "/v1/notes?tenant=7", "/v1/notes/_schema"] {
            let answer = tenant(&api, &claim).get(path).await;
            refused(&answer, &[401, 403], &format!("{claim} {path}"));
        }
    }
}

#[tokio::test]
async fn row_23_no_query_leads_to_other_tenants() {
    let api = desk().await;
    let (seven, eight) = (tenant(&api, &json!(7)), tenant(&api, &json!(8)));
    for query in [
        "tenant=8",
        "tenant[ne]=7",
        "tenant[gt]=7",
        "tenant[in]=7,8",
        "tenant[nin]=7",
        "_id=2",
        "_id[in]=1,2",
        "sort=-tenant",
        "sort=-_id&limit=1",
        "fields=title&sort=tenant",
        "limit=1000",
        "title[prefix]=their",
        "filter=%7B%22$or%22:%5B%7B%22tenant%22:8%7D,%7B%22_id%22:%7B%22$gte%22:0%7D%7D%5D%7D",
        "filter=%7B%22$nor%22:%5B%7B%22tenant%22:7%7D%5D%7D",
        "filter=%7B%22tenant%22:%7B%22$exists%22:false%7D%7D",
    ] {
        let items = seven.get(&format!("/v1/notes?{query}")).await.ok(200)["items"].clone();
        assert!(items.as_array().unwrap().iter().all(|item| item["_id"] == 1), "{query}: {items}");
    }
    assert_eq!(seven.get("/v1/notes?skip=1").await.ok(200)["items"], json!([]));
    for (caller, own, foreign) in [(&seven, 1, 2), (&eight, 2, 1)] {
        assert_eq!(caller.get(&format!("/v1/notes/{own}")).await.status, 200);
        caller.get(&format!("/v1/notes/{foreign}")).await.problem(404, "unknown-document");
    }
}

/// The same `_id` given by two tenants is one document, and it is the first one's.
#[tokio::test]
async fn row_23_ids_never_cross() {
    let api = desk().await;
    let (ann, bob) = (author(&api, 7), author(&api, 8));
    ann.post("/v1/notes", json!({ "_id": 50, "title": "seven's" })).await.ok(201);
    for (method, path, body) in [
        (Method::POST, "/v1/notes", json!({ "_id": 50, "title": "eight's" })),
        (Method::PUT, "/v1/notes/50", json!({ "title": "eight's" })),
        (Method::PATCH, "/v1/notes/50", json!({ "title": "eight's" })),
        (Method::DELETE, "/v1/notes/50", json!({})),
    ] {
        let answer = bob.send(method.clone(), path, &[JSON], body.to_string()).await;
        refused(&answer, &[404, 409], &format!("{method} {path}"));
        assert!(!answer.text.contains("seven's"), "{answer:?}");
    }
    let headers = [JSON, ("if-none-match", "*")];
    let answer = bob.send(Method::PUT, "/v1/notes/50", &headers, r#"{"title":"eight's"}"#).await;
    refused(&answer, &[403, 404, 409, 412], "create over another's");
    assert_eq!(ann.get("/v1/notes/50").await.ok(200)["title"], "seven's");
}

#[tokio::test]
async fn row_23_cursors_are_good_for_the_rows_that_they_came_with() {
    let api = desk().await;
    let (seven, eight) = (tenant(&api, &json!(7)), tenant(&api, &json!(8)));
    let more = (60..70).map(|n| doc! { "_id": n, "tenant": 7 + n % 2, "title": "x" });
    api.collection("notes").insert_many(more).await.unwrap();
    let next = seven.get("/v1/notes?sort=_id&limit=1").await.ok(200)["next"].as_str().unwrap().to_owned();
    seven.get(&format!("/v1/notes?sort=_id&limit=1&after={next}")).await.ok(200);
    for other in [
        eight,
        api.caller(&["reader"], "ann", json!({})),
        api.caller(&["tenant", "titles"], "ann", json!({ "tenant": 7 })),
    ] {
        other.get(&format!("/v1/notes?sort=_id&limit=1&after={next}")).await.problem(400, "invalid-query");
    }
}

#[tokio::test]
async fn row_26_nothing_is_open_by_accident() {
    let closed = desk().await;
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v1/notes",
        "/v1/plain",
        "/v1/notes/1",
        "/v1/notes/_schema",
        "/v1/nothing",
        "/nothing",
        "/problems/forbidden",
        "/openapi.json",
        "/docs",
    ] {
        for method in
            [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS]
        {
            let answer = closed.send(method.clone(), path, &[JSON], "{}").await;
            assert_eq!(answer.status, 401, "{method} {path}: {answer:?}");
            assert!(answer.headers.contains_key("www-authenticate"), "{method} {path}");
        }
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        let answer = closed.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.text.contains("notes"), "{path} names a collection: {}", answer.text);
    }
    // A file without rules is for admins alone.
    for role in ["staff", "reader", "anonymous", "Admin", "*", "administrator", ""] {
        let caller = closed.caller(&[role], "ann", json!({}));
        refused(&caller.get("/v1/plain").await, &[401, 403], role);
        refused(&caller.post("/v1/plain", "{}").await, &[401, 403], role);
    }
    closed.caller(&["admin"], "ann", json!({})).get("/v1/plain").await.ok(200);
}

#[tokio::test]
async fn row_26_anonymous_callers_get_what_they_are_given() {
    let public = json!({
        "type": "object",
        "properties": { "_id": { "bsonType": "int" }, "public": { "type": "boolean" }, "inner": { "type": "string" } },
        "x-access": { "anonymous": { "ops": ["read"], "filter": { "public": true }, "hide": ["inner"] }, "staff": ["*"] }
    });
    let plain = json!({ "type": "object" });
    let api = Api::closed(catalog(&[("pages", public), ("plain", plain)])).await;
    let pages =
        [doc! { "_id": 1, "public": true, "inner": "hunter2" }, doc! { "_id": 2, "public": false }, doc! { "_id": 3 }];
    api.collection("pages").insert_many(pages).await.unwrap();
    assert_eq!(api.get("/v1/pages").await.ok(200)["items"], json!([{ "_id": 1, "public": true }]));
    assert_eq!(api.get("/v1/pages/1").await.ok(200), json!({ "_id": 1, "public": true }));
    let listed = api.get("/v1").await.ok(200);
    assert_eq!(listed["collections"].as_array().unwrap().len(), 1, "{listed}");
    for path in ["/v1/pages/2", "/v1/pages/3"] {
        api.get(path).await.problem(404, "unknown-document");
    }
    for (method, path) in [
        (Method::GET, "/v1/plain"),
        (Method::GET, "/v1/nothing"),
        (Method::POST, "/v1/pages"),
        (Method::PUT, "/v1/pages/1"),
        (Method::PATCH, "/v1/pages/1"),
        (Method::DELETE, "/v1/pages/1"),
        (Method::GET, "/v1/pages/_explain"),
        (Method::GET, "/v1/pages/_indexes"),
    ] {
        let answer = api.send(method.clone(), path, &[JSON], "{}").await;
        assert_eq!(answer.status, 401, "{method} {path}: {answer:?}");
    }
    api.with("wrong").get("/v1/pages").await.problem(401, "unauthenticated");
}

#[test]
fn row_26_open_is_for_this_machine() {
    for listen in ["0.0.0.0:8080", "[::]:8080", "192.168.1.1:8080", "10.0.0.1:80"] {
        let serving = |open| Serving { listen: listen.parse().unwrap(), open, ..Serving::default() };
        let refused = serving(Some(Open::Loopback)).is_open().unwrap_err().to_string();
        assert!(refused.contains("`--open=anywhere`"), "{listen}: {refused}");
        assert!(serving(Some(Open::Anywhere)).is_open().unwrap(), "{listen}");
        assert!(!serving(None).is_open().unwrap(), "{listen}");
    }
    assert_eq!(Serving::default().open, None);
}
