//! Pages: every document once, in MongoDB's order, whatever the fields hold and whatever comes and goes meanwhile.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use folio::{
    config::Limits,
    query::{self, CursorKey, Draft, FindPlan, Query},
    schema::Schema,
};
use futures::TryStreamExt;
use mongodb::{
    Collection,
    bson::{
        Binary, Bson, DateTime, Document, RawDocumentBuf, Regex, doc, oid::ObjectId, raw::cstr, spec::BinarySubtype,
    },
    error::ErrorKind,
};
use random::{Mixture, Random};
use serde_json::{Value, json};

use crate::support::{Api, TestDatabase, catalog, effort};

mod random;

/// Lists that are walked in each run of the test; `FOLIO_EFFORT=100` makes it ten thousand.
const WALKS: usize = 100;
/// Walks through one set of documents.
const WALKS_EACH: usize = 10;
/// Documents that stay have smaller `_id`s, others come and go.
const VISITORS: i32 = 1_000_000;

fn open(indexes: &Value) -> Value {
    json!({ "type": "object", "properties": { "_id": { "bsonType": "int" } }, "x-indexes": indexes })
}

fn typed(indexes: &Value) -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["name", "number", "whole", "at", "flag", "inner"],
        "properties": {
            "_id": { "bsonType": "int" },
            "name": { "type": "string" },
            "number": { "type": "number" },
            "whole": { "type": "integer" },
            "at": { "bsonType": "date" },
            "flag": { "type": "boolean" },
            "inner": { "type": "object", "required": ["oid"], "properties": { "oid": { "bsonType": "objectId" } } },
            "place": { "type": "array", "items": { "bsonType": "double" } },
            "maybe": { "type": "number" },
            "outer": { "type": ["object", "null"], "properties": { "city": { "type": ["string", "null"] } } }
        },
        "x-indexes": indexes
    })
}

/// What the random walks go through: the collection's name, its file, the fields of its sorts.
fn worlds() -> [(&'static str, Value, &'static [&'static str]); 6] {
    const OPEN: &[&str] = &["a", "b", "c.d", "c.e", "c.f.g", "c.f.h", "_id"];
    const TYPED: &[&str] =
        &["name", "number", "whole", "at", "flag", "inner.oid", "maybe", "outer.city", "place", "_id"];
    const POSITIONS: &[&str] = &["number", "maybe", "flag", "outer.city", "place.0", "place.1", "_id"];
    let indexed = json!([{ "keys": { "a": 1 } }, { "keys": { "b": 1, "a": -1 } }, { "keys": { "c.d": -1 } },
                         { "keys": { "c.d": 1, "c.e": 1 } }, { "keys": { "a": -1, "c.e": 1 } },
                         { "keys": { "c.f.h": 1, "c.f.g": -1 } }]);
    let typed_indexed = json!([{ "keys": { "number": 1 } }, { "keys": { "name": 1, "whole": -1 } },
                               { "keys": { "maybe": -1 } }, { "keys": { "outer.city": 1, "flag": 1 } },
                               { "keys": { "flag": 1, "number": -1, "at": 1 } }]);
    // In some of these orders no page could be continued.
    let odd = json!([{ "keys": { "a": 1, "c.0": 1 } }, { "keys": { "b": 1, "c": 1, "c.d": 1 } },
                     { "keys": { "c.d": 1, "c.e": -1 } }, { "keys": { "c.e": 1, "c.f.0.g": 1 } }]);
    [
        ("bare", open(&json!([])), OPEN),
        ("indexed", open(&indexed), OPEN),
        ("oddlyindexed", open(&odd), OPEN),
        ("typed", typed(&json!([])), TYPED),
        ("typedindexed", typed(&typed_indexed), TYPED),
        ("typedpositions", typed(&json!([{ "keys": { "place.0": 1, "place.1": -1 } }])), POSITIONS),
    ]
}

/// What lists without a sort ask for: their order is that of an index.
fn conditions(name: &str) -> &'static [&'static str] {
    if name.starts_with("typed") {
        &["flag=true", "flag=true&number=1", "name=a", "maybe[gt]=0", "place=1.5", "place.0=1.5", "outer.city=Rome"]
    } else {
        &["a=1", "b=1", "a[gte]=1", "b=1&a[lt]=1", "c.d=1", "c.e=1", "c.f.h=1"]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_document_is_met_once_and_in_order() {
    let worlds = worlds();
    let api = Arc::new(Api::start(catalog(&worlds.clone().map(|(name, file, _)| (name, file)))).await);
    let (mut walked, mut pages) = (0, 0);
    for seed in 0.. {
        if walked >= WALKS * effort() {
            break;
        }
        let (name, _, fields) = worlds[seed % worlds.len()].clone();
        let mut random = Random::new(seed as u64);
        let mixture = Mixture::new(&mut random);
        let make = move |id, random: &mut Random| {
            if name.starts_with("typed") { random::typed(id, random) } else { mixture.document(id, random) }
        };
        let collection = api.collection(name);
        collection.delete_many(doc! {}).await.unwrap();
        insert(&collection, (0..40).map(|id| make(id, &mut random)).collect()).await;
        let stop = Arc::new(AtomicBool::new(false));
        let visitors =
            tokio::spawn(come_and_go(collection.clone(), Random::new(!0 - seed as u64), make, Arc::clone(&stop)));
        for _ in 0..WALKS_EACH {
            let list = if random.chance(25) {
                random.pick(conditions(name)).to_owned()
            } else {
                format!("sort={}", random::sort(fields, &mut random))
            };
            let one = random.pick(&fields[..fields.len() - 1]);
            let shown =
                random.pick(&["", "fields=_id", &format!("fields={one}"), &format!("fields=-{one}")]).to_owned();
            pages += walk(&api, name, &format!("{list}&{shown}"), &mut random).await;
            walked += 1;
        }
        stop.store(true, Ordering::Relaxed);
        visitors.await.unwrap();
    }
    println!("{walked} walks, {pages} pages");
}

/// Walks through all pages of the list in this order and compares with MongoDB's own; the number of its pages.
async fn walk(api: &Api, name: &str, query: &str, random: &mut Random) -> usize {
    let expected = match query.split('&').find_map(|p| p.strip_prefix("sort=")) {
        Some(sort) => sorted(&api.collection(name), (doc! {}, keys(sort))).await,
        None => sorted(&api.collection(name), served(api, name, query)).await,
    };
    let most = random.pick(&[1, 2, 3, 7, 20, 45]);
    let (mut met, mut pages, mut path) = (Vec::new(), 0, format!("/v1/{name}?{query}"));
    loop {
        let limit = 1 + random.below(most);
        let answer = api.get(&format!("{path}&limit={limit}")).await;
        let list = answer.ok(200);
        let items = list["items"].as_array().unwrap();
        assert!(items.len() == limit || list["next"].is_null(), "{path}");
        met.extend(items.iter().map(|item| i32::try_from(item["_id"].as_i64().unwrap()).unwrap()));
        pages += 1;
        assert!(pages < 500, "{path} does not end");
        let Some(next) = list["next"].as_str() else { break };
        path = format!("/v1/{name}?{query}&after={next}");
    }
    let stayed: Vec<_> = met.iter().copied().filter(|id| *id < VISITORS).collect();
    if stayed != expected {
        let found: Vec<Document> = api.collection(name).find(doc! {}).await.unwrap().try_collect().await.unwrap();
        let only = |a: &[i32], b: &[i32]| a.iter().copied().filter(|id| !b.contains(id)).collect::<Vec<_>>();
        let (lost, repeated) = (only(&expected, &stayed), stayed.len() - HashSet::<_>::from_iter(&stayed).len());
        let shown: Vec<_> = found.iter().filter(|d| d.get_i32("_id").is_ok_and(|id| id < VISITORS)).collect();
        panic!("{name}?{query}: lost {lost:?}, {repeated} repeated\n  {stayed:?}\n  {expected:?}\n{shown:#?}");
    }
    pages
}

/// The sort with `_id` at its end.
fn keys(sort: &str) -> Document {
    let mut keys = Document::new();
    for key in sort.split(',') {
        keys.insert(key.trim_start_matches('-'), if key.starts_with('-') { -1 } else { 1 });
    }
    if !keys.contains_key("_id") {
        keys.insert("_id", keys.values().last().unwrap().clone());
    }
    keys
}

/// The filter of a list without a sort, and the order that it is given.
fn served(api: &Api, name: &str, query: &str) -> (Document, Document) {
    let limits = Limits::default();
    let query = Query::parse(query, &limits).unwrap();
    let cursors = CursorKey::derive(b"secret");
    let plan = query::plan(api.app.schema(name).unwrap(), &query, &limits, &cursors).and_then(Draft::settle).unwrap();
    (plan.filter, plan.sort)
}

/// The `_id`s of the documents that stay, of those that are asked for, in MongoDB's own order.
async fn sorted(collection: &Collection<Document>, (filter, keys): (Document, Document)) -> Vec<i32> {
    let staying = doc! { "$and": [filter, { "_id": { "$lt": VISITORS } }] };
    let staying = collection.find(staying).sort(keys).projection(doc! { "_id": 1 });
    let documents: Vec<Document> = staying.await.unwrap().try_collect().await.unwrap();
    documents.iter().map(|document| document.get_i32("_id").unwrap()).collect()
}

/// Stores the documents, but for those that an index or the validator does not take.
async fn insert(collection: &Collection<Document>, documents: Vec<Document>) {
    if let Err(error) = collection.insert_many(documents).ordered(false).await {
        assert!(matches!(*error.kind, ErrorKind::InsertMany(_)), "{error}");
    }
}

async fn come_and_go(
    collection: Collection<Document>,
    mut random: Random,
    make: impl Fn(i32, &mut Random) -> Document,
    stop: Arc<AtomicBool>,
) {
    while !stop.load(Ordering::Relaxed) {
        let id = |random: &mut Random| VISITORS + i32::try_from(random.below(20)).unwrap();
        insert(&collection, (0..3).map(|_| make(id(&mut random), &mut random)).collect()).await;
        let gone: Vec<_> = (0..3).map(|_| id(&mut random)).collect();
        collection.delete_many(doc! { "_id": { "$in": gone } }).await.unwrap();
    }
}

/// The items of all pages of the list, and their number: by the `next` of each page, or by its link.
async fn all(api: &Api, path: &str, by_link: bool) -> (Vec<Value>, usize) {
    let (mut items, mut pages, mut at) = (Vec::new(), 0, path.to_owned());
    loop {
        let answer = api.get(&at).await;
        let mut list = answer.ok(200);
        items.append(list["items"].as_array_mut().unwrap());
        pages += 1;
        assert!(pages < 500, "{path} does not end");
        let Some(next) = list["next"].as_str() else {
            assert!(!answer.headers.contains_key("link"), "{answer:?}");
            return (items, pages);
        };
        let link = answer.header("link").strip_prefix('<').and_then(|l| l.strip_suffix(">; rel=\"next\"")).unwrap();
        at = if by_link { link.to_owned() } else { format!("{path}&after={next}") };
    }
}

async fn counted(file: Value, count: i32) -> Api {
    let api = Api::things(file).await;
    let documents = (0..count).map(|n| doc! { "_id": n, "a": n % 3, "b": n % 2 == 0, "name": format!("n{n}") });
    api.collection("things").insert_many(documents).await.unwrap();
    api
}

#[tokio::test]
async fn a_list_ends_where_its_last_page_does() {
    let api = counted(open(&json!([])), 6).await;
    for (query, pages) in [
        ("limit=6", 1),
        ("limit=3", 2),
        ("limit=2", 3),
        ("limit=4", 2),
        ("limit=7", 1),
        ("limit=1", 6),
        ("a=7&limit=1", 1),
    ] {
        for query in [query.to_owned(), format!("sort=-a,name&{query}"), format!("fields=name&sort=a&{query}")] {
            for by_link in [false, true] {
                let (items, count) = all(&api, &format!("/v1/things?{query}"), by_link).await;
                assert_eq!(
                    (items.len(), count),
                    (if pages == 1 && query.contains("a=7") { 0 } else { 6 }, pages),
                    "{query}"
                );
            }
        }
    }
}

#[tokio::test]
async fn links_lead_on_with_everything_but_skip() {
    let api = counted(open(&json!([])), 9).await;
    let path = "/v1/things?skip=1&b=true&filter=%7B%22a%22%3A%7B%22%24lt%22%3A2%7D%7D&sort=-a&limit=1&fields=name";
    let (items, _) = all(&api, path, true).await;
    assert_eq!(items, [json!({ "_id": 6, "name": "n6" }), json!({ "_id": 0, "name": "n0" })]);
    let link = api.get(path).await.header("link").to_owned();
    assert!(link.starts_with("</v1/things?b=true&filter=%7B") && !link.contains("skip"), "{link}");
}

#[tokio::test]
async fn a_cursor_fits_its_own_list_only() {
    let files = [("things", open(&json!([]))), ("others", open(&json!([])))];
    let api = Api::start(catalog(&files)).await;
    for name in ["things", "others"] {
        let documents = (0..5).map(|n| doc! { "_id": n, "a": 1 });
        api.collection(name).insert_many(documents).await.unwrap();
    }
    let next = api.get("/v1/things?a=1&sort=a&limit=2").await.ok(200)["next"].as_str().unwrap().to_owned();
    let page = api.get(&format!("/v1/things?fields=a&limit=3&sort=a&a[eq]=1&after={next}")).await.ok(200);
    let items = [2, 3, 4].map(|id| json!({ "_id": id, "a": 1 }));
    assert_eq!(page, json!({ "items": items, "next": null }));
    let (cut, turned) = (&next[..next.len() - 2], format!("{}A", &next[1..]));
    for query in [
        format!("things?a=1&sort=-a&after={next}"),
        format!("things?a=1&after={next}"),
        format!("things?a=2&sort=a&after={next}"),
        format!("things?sort=a&after={next}"),
        format!("others?a=1&sort=a&after={next}"),
        format!("things?a=1&sort=a&after={cut}"),
        format!("things?a=1&sort=a&after={turned}"),
        "things?a=1&sort=a&after=".to_owned(),
        "things?a=1&sort=a&after=%00".to_owned(),
    ] {
        let problem = api.get(&format!("/v1/{query}")).await.problem(400, "invalid-query");
        assert_eq!(problem["parameter"], "after", "{query}: {problem}");
    }
    for (query, parameter) in
        [(format!("skip=1&after={next}"), "skip"), (format!("after={next}&after={next}"), "after")]
    {
        let problem = api.get(&format!("/v1/things?a=1&sort=a&{query}")).await.problem(400, "invalid-query");
        assert_eq!(problem["parameter"], parameter, "{problem}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_schema_is_stale() {
    let api = counted(open(&json!([])), 4).await;
    let next = api.get("/v1/things?sort=name&limit=2").await.ok(200)["next"].as_str().unwrap().to_owned();
    let file = json!({ "type": "object", "required": ["name"], "properties": {
        "_id": { "bsonType": "int" }, "name": { "bsonType": "date" } } });
    api.collection("things").delete_many(doc! {}).await.unwrap();
    let TestDatabase { uri, name, db } = &api.database;
    let again = TestDatabase { uri: uri.clone(), name: name.clone(), db: db.clone() };
    let api = Api::start_with(catalog(&[("things", file)]), again, api.database.settings()).await;
    let problem = api.get(&format!("/v1/things?sort=name&after={next}")).await.problem(400, "invalid-query");
    assert_eq!(problem["parameter"], "after", "{problem}");
}

#[tokio::test]
async fn pages_go_by_ids_of_any_type() {
    let uuid = |byte| Bson::from(Binary { subtype: BinarySubtype::Uuid, bytes: vec![byte; 16] });
    let numbers = |n: i32| [Bson::Double(f64::NAN), Bson::Int64(-5), n.into(), Bson::Double(2.5), Bson::Double(1e300)];
    let any = [Bson::MinKey, Bson::Null, 1.into(), "a".into(), doc! { "a": 1 }.into(), true.into(), Bson::MaxKey];
    for (shape, ids) in [
        (json!({ "bsonType": ["minKey", "null", "int", "string", "object", "bool", "maxKey"] }), any.to_vec()),
        (json!({ "type": "number" }), numbers(1).to_vec()),
        (json!({ "type": "string" }), ["", "a", "b\"", "é"].map(Bson::from).to_vec()),
        (json!({ "bsonType": "binData", "format": "uuid" }), [1, 2, 9].map(uuid).to_vec()),
        (json!({ "bsonType": "date" }), [-1, 0, 1].map(|ms| DateTime::from_millis(ms).into()).to_vec()),
        (json!({ "bsonType": "objectId" }), [1, 2, 3].map(|byte| ObjectId::from_bytes([byte; 12]).into()).to_vec()),
        (json!({ "type": "object" }), [doc! {}, doc! { "a": [] }, doc! { "a": [2, 1] }].map(Bson::from).to_vec()),
        (json!({ "type": ["string", "boolean"] }), ["a".into(), "b".into(), false.into(), true.into()].to_vec()),
    ] {
        let api = Api::things(json!({ "type": "object", "properties": { "_id": shape } })).await;
        let documents =
            ids.iter().enumerate().map(|(n, id)| doc! { "_id": id.clone(), "n": i32::try_from(n).unwrap() });
        api.collection("things").insert_many(documents).await.unwrap();
        let order = |items: Vec<Value>| items.iter().map(|item| item["n"].as_u64().unwrap()).collect::<Vec<_>>();
        let expected: Vec<u64> = (0..ids.len() as u64).collect();
        for limit in 1..=ids.len() {
            assert_eq!(order(all(&api, &format!("/v1/things?limit={limit}"), false).await.0), expected, "{shape}");
            let mut down = order(all(&api, &format!("/v1/things?sort=-missing&limit={limit}"), true).await.0);
            down.reverse();
            assert_eq!(down, expected, "{shape} down");
        }
    }
}

#[tokio::test]
async fn what_was_posted_is_paged() {
    let api = Api::library().await;
    for n in 0..7 {
        api.post("/v1/authors", json!({ "name": format!("Author {}", n % 3), "country": "FR" })).await.ok(201);
    }
    let whole = api.get("/v1/authors?sort=name&limit=100").await.ok(200)["items"].clone();
    for limit in 1..=7 {
        let (items, _) = all(&api, &format!("/v1/authors?sort=name&limit={limit}"), limit % 2 == 0).await;
        assert_eq!(json!(items), whole);
    }
}

#[tokio::test]
async fn regular_expressions_are_passed_but_end_no_page() {
    let api = Api::things(open(&json!([]))).await;
    let regex = Bson::RegularExpression(Regex { pattern: cstr!("x").into(), options: cstr!("").into() });
    let values = [1.into(), regex.clone(), regex, Bson::MaxKey];
    let documents = (0..).zip(values).map(|(id, value)| doc! { "_id": id, "a": value });
    api.collection("things").insert_many(documents).await.unwrap();
    let next = api.get("/v1/things?sort=a&limit=1").await.ok(200)["next"].as_str().unwrap().to_owned();
    assert_eq!(api.get(&format!("/v1/things?sort=a&after={next}")).await.ok(200)["items"][2]["_id"], 3);
    let next = api.get("/v1/things?sort=a&limit=2").await.ok(200)["next"].as_str().unwrap().to_owned();
    let problem = api.get(&format!("/v1/things?sort=a&after={next}")).await.problem(400, "invalid-query");
    assert!(problem["detail"].as_str().unwrap().contains("regular expression"), "{problem}");
}

#[tokio::test]
async fn orders_that_cannot_be_paged_are_not_chosen() {
    let indexes = json!([{ "keys": { "k": 1, "m.0": 1 } }, { "keys": { "l": 1, "m": 1, "m.b": 1 } }]);
    let api = Api::things(open(&indexes)).await;
    let one = || Bson::from(1);
    let list = |items: Vec<Bson>| Bson::Array(items);
    let values = [
        list(vec![list(vec![2.into()]), list(vec![one()])]),
        list(vec![list(vec![one()]), list(vec![3.into(), 0.into()])]),
        list(vec![list(vec![]), list(vec![one()])]),
        list(vec![Bson::Null, list(vec![one(), 2.into()])]),
        list(vec![doc! { "b": 1 }.into(), doc! { "b": 2, "c": 1 }.into()]),
        list(vec![doc! { "b": 2 }.into(), doc! { "b": 1 }.into(), one()]),
        list(vec![one(), doc! { "b": 1 }.into()]),
        list(vec![]),
        doc! { "0": 1, "b": 1 }.into(),
        doc! { "0": [1, 2], "b": 2 }.into(),
        one(),
        Bson::Null,
    ];
    let documents = (0..).zip(values.clone()).map(|(id, m)| doc! { "_id": id, "k": 1, "l": 1, "m": m });
    api.collection("things").insert_many(documents).await.unwrap();
    for query in ["k=1", "l=1"] {
        for limit in 1..4 {
            let (items, _) = all(&api, &format!("/v1/things?{query}&limit={limit}"), false).await;
            let met: HashSet<_> = items.iter().map(|item| item["_id"].as_i64().unwrap()).collect();
            assert_eq!((met.len(), items.len()), (values.len(), values.len()), "{query} by {limit}");
        }
    }
}

#[tokio::test]
async fn orders_that_cannot_be_paged_are_refused_at_once() {
    let api = Api::things(open(&json!([]))).await;
    for sort in ["a.0", "a,a.b", "c.d.0.e"] {
        let problem = api.get(&format!("/v1/things?sort={sort}")).await.problem(400, "invalid-query");
        assert_eq!(problem["parameter"], "sort", "{problem}");
    }
}

/// The plan of the page after the document with this `_id`.
async fn plan_after(api: &Api, schema: &Arc<Schema>, query: &str, id: i32) -> FindPlan {
    let (limits, cursors) = (Limits::default(), CursorKey::derive(b"secret"));
    let plan = |query: &str| {
        query::plan(schema, &Query::parse(query, &limits).unwrap(), &limits, &cursors).and_then(Draft::settle).unwrap()
    };
    let (first, continued) = (plan(query), |after: String| plan(&format!("{query}&after={after}")));
    assert_eq!(first.hidden(), None, "{query}");
    let raw = api.collection("things").clone_with_type::<RawDocumentBuf>();
    let last = raw.find_one(doc! { "_id": id }).await.unwrap().unwrap();
    continued(cursors.seal(first.list(), &first.position(&last).unwrap()).unwrap())
}

#[tokio::test]
async fn a_page_deep_in_a_list_reads_no_more_than_it_shows() {
    let indexes = json!([{ "keys": { "number": 1 } }, { "keys": { "whole": -1 } }, { "keys": { "maybe": 1 } },
        { "keys": { "flag": 1, "number": 1 } }, { "keys": { "name": 1, "number": -1 } }, { "keys": { "outer.city": 1 } },
        { "keys": { "flag": 1, "maybe": -1 } }]);
    let api = Api::things(typed(&indexes)).await;
    let mut random = Random::new(1);
    insert(&api.collection("things"), (0..8000).map(|id| random::typed(id, &mut random)).collect()).await;
    let schema = api.app.schema("things").unwrap().clone();
    for query in [
        "",
        "sort=-_id",
        "sort=number",
        "sort=-number",
        "sort=whole",
        "sort=-whole",
        "sort=maybe",
        "sort=-maybe",
        "sort=outer.city",
        "sort=-outer.city",
        "sort=name,-number",
        "sort=-name,number",
        "flag=true&sort=number",
        "flag=true&sort=-number",
        "flag=false&sort=-maybe",
        "number[gte]=1&sort=-number",
    ] {
        for id in (0..8000).step_by(997) {
            let plan = plan_after(&api, &schema, query, id).await;
            let find = doc! { "find": "things", "filter": plan.selection(), "sort": plan.sort, "limit": 20 };
            let explained = doc! { "explain": find, "verbosity": "executionStats" };
            let stats = api.database.db.run_command(explained).await.unwrap();
            let stats = stats.get_document("executionStats").unwrap();
            let [returned, keys, documents] =
                ["nReturned", "totalKeysExamined", "totalDocsExamined"].map(|name| stats.get_i32(name).unwrap());
            // Of equal keys, some that were on the page before may be read again: as few as make no other plan better.
            assert!(
                keys <= 2 * returned + 8 && documents <= 2 * returned + 8,
                "{query} after {id}: {returned} of {keys} keys, {documents} documents"
            );
        }
    }
}
