//! Every way in for every kind of caller. The table of ways is held against the route table: a route without an entry
//! fails here, and so does an entry without a route.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Document, doc};
use folio::{http, schema::Catalog};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Api, Client, catalog};

/// A collection with something for each kind of rule.
pub(crate) fn notes() -> Value {
    let hidden = ["secret", "inner.deep", "items.cost"];
    let text = json!({ "type": "string" });
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "_id": { "bsonType": "int" },
            "tenant": { "bsonType": "int" },
            "title": text,
            "owner": text,
            "state": text,
            "secret": text,
            "inner": { "type": "object", "additionalProperties": false, "properties": { "open": text, "deep": text } },
            "items": { "type": "array", "items": { "type": "object", "additionalProperties": false, "properties": {
                "code": text, "cost": { "bsonType": "int" } } } }
        },
        "x-indexes": [{ "keys": { "title": 1, "secret": 1 } }, { "keys": { "secret": "text", "title": "text" } }],
        "x-access": {
            "reader": ["read"],
            "tenant": { "ops": ["read"], "filter": { "tenant": "$user.tenant" }, "hide": hidden },
            "author": { "ops": ["read", "write"], "filter": { "tenant": "$user.tenant" }, "hide": hidden,
                "set": { "tenant": "$user.tenant", "owner": "$user.id" }, "readOnly": ["state"] },
            "mover": { "ops": ["read", "write"], "filter": { "tenant": "$user.tenant" } },
            "titles": { "ops": ["read"], "hide": ["secret", "inner", "items", "owner"] },
            "blind": { "ops": ["write"], "set": { "owner": "$user.id" } },
            "dropbox": { "ops": ["insert"], "set": { "owner": "$user.id" } },
            "admin": ["*"]
        }
    })
}

/// A note of tenant 7, and one of tenant 8; each hidden value begins with `hunter2` or is 424242.
pub(crate) fn stored() -> [Document; 2] {
    let note = |id: i32, tenant: i32, whose: &str| {
        doc! {
            "_id": id, "tenant": tenant, "title": format!("{whose}-title"), "owner": "ann", "state": "new",
            "secret": format!("hunter2-{whose}"),
            "inner": { "open": "x", "deep": format!("hunter2-{whose}-deep") },
            "items": [{ "code": "a", "cost": 424_242 }],
        }
    };
    [note(1, 7, "own"), note(2, 8, "their")]
}

/// The notes, behind closed doors.
pub(crate) async fn desk() -> Api {
    let plain = json!({ "type": "object" });
    let files: Catalog = catalog(&[("notes", notes()), ("plain", plain)]);
    let api = Api::closed(files).await;
    refill(&api).await;
    api
}

async fn refill(api: &Api) {
    let notes = api.collection("notes");
    notes.delete_many(doc! {}).await.unwrap();
    notes.insert_many(stored()).await.unwrap();
}

/// What a caller needs for a way.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Need {
    Nothing,
    /// To be known.
    Name,
    Read,
    /// To read everything.
    ReadAll,
    Insert,
    Update,
    /// To read too: who may not would learn of documents by what they are selected by.
    UpdateMany,
    Delete,
    DeleteMany,
}

/// How a route is called: `{id}` is that of a note.
struct Way {
    method: Method,
    route: &'static str,
    path: &'static str,
    body: &'static str,
    need: Need,
}

impl Way {
    /// Whether it is answered by what became of each of several writes, not by a document.
    fn has_results(&self) -> bool {
        self.route.ends_with("/_bulk")
    }
}

fn ways() -> Vec<Way> {
    let way = |method, route, path, body, need| Way { method, route, path, body, need };
    let new = r#"{"_id":3,"tenant":8,"owner":"eve","title":"new"}"#;
    // A list whose items have hidden parts is sent back as it was read.
    let change = r#"{"tenant":8,"owner":"eve","title":"changed","items":[{"code":"a"}]}"#;
    let bulk = r#"[{"update":{"id":1,"patch":{"tenant":8,"owner":"eve","title":"changed","items":[{"code":"a"}]}}}]"#;
    vec![
        way(Method::GET, "/v1", "/v1", "", Need::Name),
        way(Method::GET, "/v1/{collection}", "/v1/notes?sort=title", "", Need::Read),
        way(Method::POST, "/v1/{collection}", "/v1/notes", new, Need::Insert),
        way(Method::PATCH, "/v1/{collection}", "/v1/notes?_id=1", change, Need::UpdateMany),
        way(Method::DELETE, "/v1/{collection}", "/v1/notes?_id=1", "", Need::DeleteMany),
        way(Method::POST, "/v1/{collection}/_bulk", "/v1/notes/_bulk", bulk, Need::Update),
        way(Method::GET, "/v1/{collection}/_explain", "/v1/notes/_explain?title=own-title", "", Need::ReadAll),
        way(Method::GET, "/v1/{collection}/_indexes", "/v1/notes/_indexes", "", Need::ReadAll),
        way(Method::POST, "/v1/{collection}/_query", "/v1/notes/_query", r#"{"sort":"title"}"#, Need::Read),
        way(Method::GET, "/v1/{collection}/_schema", "/v1/notes/_schema", "", Need::Read),
        way(Method::GET, "/v1/{collection}/{id}", "/v1/notes/{id}", "", Need::Read),
        way(Method::PUT, "/v1/{collection}/{id}", "/v1/notes/{id}", change, Need::Update),
        way(Method::PATCH, "/v1/{collection}/{id}", "/v1/notes/{id}", change, Need::Update),
        way(Method::DELETE, "/v1/{collection}/{id}", "/v1/notes/{id}", "", Need::Delete),
        way(Method::GET, "/problems/{slug}", "/problems/forbidden", "", Need::Name),
        way(Method::GET, "/collection.schema.json", "/collection.schema.json", "", Need::Nothing),
        way(Method::GET, "/healthz", "/healthz", "", Need::Nothing),
        way(Method::GET, "/readyz", "/readyz", "", Need::Nothing),
        way(Method::GET, "/metrics", "/metrics", "", Need::Nothing),
    ]
}

/// A kind of caller, and what the rules above give it.
struct Who {
    name: &'static str,
    caller: Client,
    needs: Vec<Need>,
    /// Hidden values are not for it.
    is_kept_from_secrets: bool,
    /// Only notes of tenant 7 are there for it.
    is_tenant: bool,
}

fn everyone(api: &Api) -> Vec<Who> {
    use Need::{Delete, DeleteMany, Insert, Name, Nothing, Read, ReadAll, Update, UpdateMany};
    let who = |name, caller, needs: &[Need], is_kept_from_secrets, is_tenant| {
        let needs = [&[Nothing], needs].concat();
        Who { name, caller, needs, is_kept_from_secrets, is_tenant }
    };
    let known = |roles: &[&str]| api.caller(roles, "ann", json!({ "tenant": 7 }));
    vec![
        who("nobody", api.nobody(), &[], true, true),
        who("a wrong token", api.with("wrong"), &[], true, true),
        who("a wrong key", api.with("folio_wrong"), &[], true, true),
        who("a stranger", known(&[]), &[Name], true, true),
        who("a reader", known(&["reader"]), &[Name, Read, ReadAll], false, false),
        who("a tenant", known(&["tenant"]), &[Name, Read], true, true),
        who("an author", known(&["author"]), &[Name, Read, Insert, Update, UpdateMany, Delete, DeleteMany], true, true),
        who("a blind writer", known(&["blind"]), &[Name, Insert, Update, Delete], true, true),
        who("a dropbox", known(&["dropbox"]), &[Name, Insert], true, true),
        who("a tenant with titles", known(&["tenant", "titles"]), &[Name, Read], true, false),
        who("a tenant with a dropbox", known(&["tenant", "dropbox"]), &[Name, Read, Insert], true, true),
        who("a tenant of nothing", api.caller(&["tenant"], "ann", json!({})), &[Name], true, true),
        who(
            "an admin",
            known(&["admin"]),
            &[Name, Read, ReadAll, Insert, Update, UpdateMany, Delete, DeleteMany],
            false,
            false,
        ),
    ]
}

impl Who {
    fn may(&self, need: Need) -> bool {
        self.needs.contains(&need)
    }

    fn is_known(&self) -> bool {
        self.may(Need::Name)
    }

    /// The status of the answer to a way that leads to this caller's own note.
    fn status(&self, way: &Way) -> u16 {
        match (self.may(way.need), &way.method) {
            (false, _) if !self.is_known() => 401,
            (false, _) => 403,
            (true, &Method::DELETE) if way.need == Need::Delete => 204,
            (true, &Method::POST) if way.need == Need::Insert => 201,
            // Who may not read is not shown what became of it.
            (true, _) if way.need == Need::Update && !self.may(Need::Read) && !way.has_results() => 204,
            (true, _) => 200,
        }
    }

    async fn send(&self, method: &Method, path: &str, body: &'static str) -> Answer {
        self.caller.send(method.clone(), path, &[("content-type", "application/json")], body).await
    }
}

/// Nothing of what the caller may not know is anywhere in the answer.
fn keeps_secrets(who: &Who, answer: &Answer, what: &str) {
    let whole = format!("{:?}{}", answer.headers, answer.text);
    let hidden: &[&str] = if who.is_kept_from_secrets { &["hunter2", "424242"] } else { &[] };
    let others: &[&str] = if who.is_tenant { &["their-title"] } else { &[] };
    for secret in hidden.iter().chain(others) {
        assert!(!whole.contains(secret), "{what} tells `{secret}`: {whole}");
    }
    if answer.status >= 400 {
        assert!(!["hunter2", "own-title", "their-title"].iter().any(|text| whole.contains(text)), "{what}: {whole}");
    }
}

#[test]
fn row_12_every_way_has_an_entry() {
    let entries: BTreeSet<_> = ways().iter().map(|way| (way.method.to_string(), way.route)).collect();
    let routes: BTreeSet<_> = http::routes().map(|(method, path)| (method.to_owned(), path)).collect();
    assert_eq!(entries, routes, "each route needs an entry in the table above, and each entry a route");
}

#[tokio::test]
async fn row_12_every_way_for_every_caller() {
    let api = desk().await;
    for who in everyone(&api) {
        for way in ways() {
            refill(&api).await;
            let (path, what) = (way.path.replace("{id}", "1"), format!("{} {} by {}", way.method, way.path, who.name));
            if way.method == Method::GET {
                let answer = who.send(&Method::HEAD, &path, "").await;
                assert_eq!(answer.status, who.status(&way), "HEAD, {what}: {answer:?}");
            }
            let answer = who.send(&way.method, &path, way.body).await;
            assert_eq!(answer.status, who.status(&way), "{what}: {answer:?}");
            keeps_secrets(&who, &answer, &what);
            match answer.status {
                401 => drop(answer.problem(401, "unauthenticated")),
                403 => drop(answer.problem(403, "forbidden")),
                _ => {}
            }
            let writes = [Need::Insert, Need::Update].contains(&way.need) && !way.has_results();
            if !who.may(Need::Read) && writes && answer.status < 300 {
                assert!(answer.text.is_empty() && !answer.headers.contains_key("etag"), "{what}: {answer:?}");
            }
            check_stored(&api, &who, &way).await;
        }
    }
}

/// What is stored after a way was gone to tenant 7's own note.
async fn check_stored(api: &Api, who: &Who, way: &Way) {
    let notes = api.collection("notes");
    let what = format!("{} {} by {}", way.method, way.path, who.name);
    let their = notes.find_one(doc! { "_id": 2 }).await.unwrap();
    assert_eq!(their.as_ref(), Some(&stored()[1]), "{what} touched another's note");
    let id = if way.need == Need::Insert { 3 } else { 1 };
    let now = notes.find_one(doc! { "_id": id }).await.unwrap();
    let is_write = ![Need::Nothing, Need::Name, Need::Read, Need::ReadAll].contains(&way.need);
    if !is_write || !who.may(way.need) {
        let before = (id == 1).then(|| stored()[0].clone());
        assert_eq!(now, before, "{what} wrote");
        return;
    }
    if [Need::Delete, Need::DeleteMany].contains(&way.need) {
        assert_eq!(now, None, "{what} left it there");
        return;
    }
    let now = now.unwrap();
    let (tenant, owner) = match who.name {
        "an author" => (7, "ann"),
        "an admin" => (8, "eve"),
        _ => (8, "ann"),
    };
    assert_eq!((now.get_i32("tenant").unwrap(), now.get_str("owner").unwrap()), (tenant, owner), "{what}: {now}");
    if way.need != Need::Insert && who.name == "an author" {
        assert_eq!(now.get_str("secret").unwrap(), "hunter2-own", "{what}: {now}");
        assert_eq!(now.get_document("inner").unwrap().get_str("deep").unwrap(), "hunter2-own-deep", "{what}: {now}");
    }
}

/// A note that is not there for the caller cannot be told from one that is not there at all.
#[tokio::test]
async fn row_12_no_way_leads_to_notes_of_others() {
    let api = desk().await;
    for who in everyone(&api) {
        for way in ways().into_iter().filter(|way| way.path.contains("{id}")) {
            refill(&api).await;
            let what = format!("{} {} by {}", way.method, way.path, who.name);
            let answer = who.send(&way.method, &way.path.replace("{id}", "2"), way.body).await;
            // The blind writer's grant has no filter.
            let is_there = !who.is_tenant || who.name == "a blind writer";
            let expected = if who.may(way.need) && !is_there { 404 } else { who.status(&way) };
            assert_eq!(answer.status, expected, "{what}: {answer:?}");
            keeps_secrets(&who, &answer, &what);
            let own = api.collection("notes").find_one(doc! { "_id": 1 }).await.unwrap();
            assert_eq!(own, Some(stored()[0].clone()), "{what}");
        }
    }
}

#[tokio::test]
async fn row_12_every_list_is_of_the_callers_own_rows_and_fields() {
    let api = desk().await;
    let whole = |id: i32| serde_json::to_value(&stored()[usize::try_from(id).unwrap() - 1]).unwrap();
    let own = json!({ "_id": 1, "tenant": 7, "title": "own-title", "owner": "ann", "state": "new",
        "inner": { "open": "x" }, "items": [{ "code": "a" }] });
    let their_title = json!({ "_id": 2, "tenant": 8, "title": "their-title", "state": "new" });
    for who in everyone(&api).iter().filter(|who| who.may(Need::Read)) {
        let expected = match who.name {
            "a reader" | "an admin" => json!([whole(1), whole(2)]),
            "a tenant with titles" => json!([own, their_title]),
            _ => json!([own]),
        };
        let listed = who.caller.get("/v1/notes?sort=_id").await.ok(200);
        assert_eq!(listed["items"], expected, "{}", who.name);
        let listed = who.caller.post("/v1/notes/_query", json!({ "sort": "_id" })).await.ok(200);
        assert_eq!(listed["items"], expected, "{}", who.name);
        for item in expected.as_array().unwrap() {
            let one = who.caller.get(&format!("/v1/notes/{}", item["_id"])).await.ok(200);
            assert_eq!(&one, item, "{}", who.name);
        }
        let index = who.caller.get("/v1").await.ok(200);
        let listed = index["collections"].as_array().unwrap().iter().find(|c| c["name"] == "notes").unwrap();
        assert_eq!(listed.get("count").is_some(), !who.is_tenant, "{}: {listed}", who.name);
        let schema = who.caller.get("/v1/notes/_schema").await.text;
        for name in ["\"secret\"", "\"deep\"", "\"cost\""] {
            assert_eq!(schema.contains(name), who.may(Need::ReadAll), "{}: {name} in {schema}", who.name);
        }
    }
}

#[tokio::test]
async fn row_12_other_methods_are_no_ways() {
    let api = desk().await;
    let admin = api.caller(&["admin"], "ann", json!({}));
    let routes: BTreeMap<_, _> = ways().iter().map(|way| (way.route, way.path)).collect();
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "QUERY", "get"];
    for (route, path) in routes {
        let path = path.replace("{id}", "1");
        for method in methods {
            if ways().iter().any(|way| way.route == route && way.method == method) {
                continue;
            }
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = admin.send(method.clone(), &path, &[], "").await;
            answer.problem(405, "method-not-allowed");
            let allowed: BTreeSet<_> = answer.header("allow").split(',').map(str::trim).collect();
            let taken = ways().into_iter().filter(|way| way.route == route).map(|way| way.method.to_string());
            let mut taken: BTreeSet<_> = taken.collect();
            if taken.contains("GET") {
                taken.insert("HEAD".into());
            }
            assert_eq!(allowed, taken.iter().map(String::as_str).collect(), "{method} {path}");
            let answer = api.send(method.clone(), &path, &[], "").await;
            let status = if path.starts_with("/v1") || path.starts_with("/problems") { 401 } else { 405 };
            assert_eq!(answer.status, status, "{method} {path}");
        }
    }
    let before: Vec<_> = stored().into();
    assert_eq!(api.count("notes").await, before.len() as u64);
}
