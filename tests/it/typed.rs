//! Typed documents and the files that describe them.

use std::collections::BTreeMap;

use folio::{
    Document,
    access::Caller,
    codec::decode,
    document::{Find, Patch},
    sample::{self, Author, Book, Loan, Member},
    schema::access::User,
};
use mongodb::bson::{self, Bson, RawDocumentBuf, doc, oid::ObjectId};

use crate::support::{Api, catalog};

fn round_trip<T: Document>(catalog: &folio::schema::Catalog) {
    let schema = catalog.get(T::COLLECTION).unwrap();
    let source = &schema.source;
    let examples = source.tree.get("examples").and_then(|tree| tree.as_array()).unwrap();
    assert!(!examples.is_empty(), "{} has no examples", source.path);
    for example in examples {
        let document = decode::document(example.text(&source.text).as_bytes(), &schema.root).unwrap();
        let typed: T = bson::deserialize_from_slice(document.as_bytes()).unwrap();
        let back = bson::serialize_to_raw_document_buf(&typed).unwrap();
        assert_eq!(unordered(&back), unordered(&document), "{}", source.path);
    }
}

fn unordered(document: &RawDocumentBuf) -> BTreeMap<String, Bson> {
    bson::Document::try_from(document.clone()).unwrap().into_iter().collect()
}

#[test]
fn every_example_of_a_file_is_a_value_of_its_type() {
    let catalog = folio::schema::Catalog::load("schemas".as_ref()).unwrap();
    round_trip::<Author>(&catalog);
    round_trip::<Book>(&catalog);
    round_trip::<Member>(&catalog);
    round_trip::<Loan>(&catalog);
}

#[tokio::test]
async fn finds_gets_inserts_replaces_and_deletes() {
    let api = Api::library().await;
    sample::fill(&api.app).await.unwrap();
    let books = api.app.collection::<Book>().unwrap();
    let all = books.find(Find { limit: 1000, ..Find::default() }).await.unwrap();
    assert!(all.len() >= 150, "{} books", all.len());
    let old = books
        .find(Find { filter: doc! { "year": { "$lt": 1700 } }, sort: doc! { "year": 1 }, ..Find::default() })
        .await
        .unwrap();
    assert!(old.len() > 3 && old.windows(2).all(|pair| pair[0].year <= pair[1].year));

    let mut book = old[0].clone();
    assert!(book.created_at.is_some(), "the service writes the time of creation");
    book.stock += 1;
    let replaced = books.replace(book.id, &book).await.unwrap();
    assert_eq!(replaced.stock, book.stock);
    assert!(replaced.updated_at > book.updated_at);
    assert_eq!(api.get(&format!("/v1/books/{}", book.id)).await.ok(200)["stock"], book.stock);

    let mut new = Book { id: ObjectId::new(), created_at: None, updated_at: None, isbn: None, ..book.clone() };
    new.title = "A new one".into();
    assert_eq!(books.insert(&new).await.unwrap().title, "A new one");
    assert_eq!(books.get(new.id).await.unwrap().unwrap().title, "A new one");
    books.delete(new.id).await.unwrap();
    assert!(books.get(new.id).await.unwrap().is_none());
    let error = books.replace(new.id, &new).await.unwrap_err();
    assert!(matches!(error, folio::Error::UnknownDocument { .. }), "{error}");
    let mut bad = new;
    bad.title = String::new();
    let error = books.insert(&bad).await.unwrap_err();
    assert!(
        matches!(&error, folio::Error::InvalidDocument { violations, .. } if violations[0].pointer == "/title"),
        "{error}"
    );
}

#[tokio::test]
async fn changes_one_and_many() {
    let api = Api::library().await;
    sample::fill(&api.app).await.unwrap();
    let books = api.app.collection::<Book>().unwrap();
    let all = books.find(Find::default()).await.unwrap();
    let new = |n: usize| Book {
        id: ObjectId::new(),
        created_at: None,
        updated_at: None,
        isbn: None,
        title: format!("New {n}"),
        tags: vec!["new".into()],
        ..all[0].clone()
    };
    let mut made = books.insert_many(&[new(0), new(1), new(2)]).await.unwrap();
    assert!(made.iter().enumerate().all(|(n, book)| book.title == format!("New {n}") && book.created_at.is_some()));
    made[0].title = String::new();
    let again = [new(3), Book { created_at: None, updated_at: None, id: ObjectId::new(), ..made[0].clone() }];
    let error = books.insert_many(&again).await.unwrap_err();
    assert!(matches!(&error, folio::Error::Partly { done, .. } if done.item == Some(1)), "{error}");

    let (id, stock) = (made[1].id, made[1].stock);
    let now = bson::DateTime::now();
    let book = books.update(id, doc! { "$inc": { "stock": 2 }, "$set": { "title": "Counted" } }).await.unwrap();
    assert_eq!((book.stock, book.title.as_str()), (stock + 2, "Counted"));
    assert!(book.updated_at.is_some_and(|at| at >= now));
    assert_eq!(books.update(id, Patch::merge(&doc! { "title": "Counted" }).unwrap()).await.unwrap(), book);
    let merged = books.update(id, Patch::merge(&doc! { "title": "Merged" }).unwrap()).await.unwrap();
    assert_eq!((merged.stock, merged.title.as_str()), (stock + 2, "Merged"));
    let tagged = Patch::operators(doc! { "$set": { "tags.$[t]": "newer" } }, [doc! { "t": "new" }]);
    assert_eq!(books.update(id, tagged).await.unwrap().tags, ["newer"]);
    let error = books.update(id, doc! { "$set": { "createdAt": now } }).await.unwrap_err();
    assert!(matches!(error, folio::Error::ReadOnlyField { .. }), "{error}");
    assert!(matches!(
        books.update(ObjectId::new(), doc! { "$inc": { "stock": 1 } }).await,
        Err(folio::Error::UnknownDocument { .. })
    ));

    let counts = books.update_many(doc! { "tags": "new" }, doc! { "$set": { "stock": 7 } }).await.unwrap();
    assert_eq!(counts.matched, 2);
    let new = books.find(Find { filter: doc! { "tags": "new" }, ..Find::default() }).await.unwrap();
    assert_eq!(new.iter().map(|book| book.stock).collect::<Vec<_>>(), [7, 7]);
    let lone = Book { id: ObjectId::new(), title: "Lone".into(), created_at: None, updated_at: None, ..new[0].clone() };
    assert_eq!(books.upsert(lone.id, &lone).await.unwrap().title, "Lone");
    let lone = Book { title: "Less lone".into(), ..books.get(lone.id).await.unwrap().unwrap() };
    assert_eq!(books.upsert(lone.id, &lone).await.unwrap().title, "Less lone");
    assert_eq!(books.delete_many(doc! { "tags": "new" }).await.unwrap(), 3);
    assert_eq!(books.delete_many(doc! { "tags": "new" }).await.unwrap(), 0);
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
struct Thing {
    #[serde(rename = "_id")]
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<i32>,
}

impl Document for Thing {
    const COLLECTION: &'static str = "things";
}

#[tokio::test]
async fn an_application_acts_for_a_caller() {
    let file = serde_json::json!({
        "type": "object",
        "properties": { "_id": { "type": "string" }, "owner": { "type": "string" }, "cost": { "bsonType": "int" } },
        "x-access": {
            "member": {
                "ops": ["read", "insert", "update"],
                "filter": { "owner": "$user.id" },
                "set": { "owner": "$user.id" },
                "hide": ["cost"]
            }
        }
    });
    let api = Api::closed(catalog(&[("things", file)])).await;
    let all = api.app.collection::<Thing>().unwrap();
    let known = |id: &str| Caller::known(User { id: id.into(), ..User::default() }, ["member".to_owned()]);
    let [ann, bob] = ["ann", "bob"].map(|id| all.clone().for_caller(known(id)));
    let thing = |owner: Option<&str>, cost| Thing { id: "x".into(), owner: owner.map(Into::into), cost };
    assert_eq!(ann.insert(&thing(Some("bob"), None)).await.unwrap(), thing(Some("ann"), None));
    all.replace("x", &thing(Some("ann"), Some(3))).await.unwrap();
    assert_eq!(ann.get("x").await.unwrap(), Some(thing(Some("ann"), None)));
    assert_eq!(ann.find(Find::default()).await.unwrap(), [thing(Some("ann"), None)]);
    assert_eq!(ann.replace("x", &thing(None, None)).await.unwrap(), thing(Some("ann"), None));
    assert_eq!(all.get("x").await.unwrap(), Some(thing(Some("ann"), Some(3))));
    assert!(matches!(ann.replace("x", &thing(None, Some(1))).await, Err(folio::Error::HiddenField { .. })));
    assert!(matches!(ann.delete("x").await, Err(folio::Error::Forbidden(_))));
    assert!(matches!(ann.delete_many(doc! {}).await, Err(folio::Error::Forbidden(_))));
    assert!(matches!(ann.update("x", doc! { "$inc": { "cost": 1 } }).await, Err(folio::Error::HiddenField { .. })));
    assert_eq!(
        bob.insert_many(&[Thing { id: "y".into(), ..thing(None, None) }]).await.unwrap()[0].owner.as_deref(),
        Some("bob")
    );
    assert_eq!(bob.update_many(doc! {}, doc! { "$set": { "note": 1 } }).await.unwrap().matched, 1);
    all.delete("y").await.unwrap();
    assert_eq!(bob.get("x").await.unwrap(), None);
    assert_eq!(bob.find(Find::default()).await.unwrap(), []);
    assert!(matches!(bob.replace("x", &thing(None, None)).await, Err(folio::Error::UnknownDocument { .. })));
    let nobody = all.for_caller(Caller::anonymous());
    assert!(matches!(nobody.get("x").await, Err(folio::Error::Unauthenticated(_))));
}

#[path = "../../examples/embed.rs"]
#[expect(dead_code, reason = "an example's `main` is for people")]
mod embed;

#[tokio::test]
async fn an_application_serves_its_own_routes_beside_the_api() {
    let api = Api::library().await;
    sample::fill(&api.app).await.unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, embed::router(api.app.clone())).into_future());
    let get = async |path: &str| reqwest::get(format!("{base}{path}")).await.unwrap();
    assert!(get("/shelf/epic").await.text().await.unwrap().lines().any(|title| title == "The Odyssey"));
    let epics = get("/shelf/epic").await.text().await.unwrap().lines().count();
    let restocked = reqwest::Client::new().post(format!("{base}/shelf/epic")).send().await.unwrap();
    assert_eq!(restocked.text().await.unwrap(), format!("{epics}\n"));
    assert_eq!(get("/v1/books?limit=1").await.status(), 200);
    assert_eq!(get("/v1/none").await.headers()["content-type"], "application/problem+json");
}

#[tokio::test]
async fn the_sample_is_filled_in_once() {
    let api = Api::library().await;
    sample::fill(&api.app).await.unwrap();
    let before = api.count("books").await;
    sample::fill(&api.app).await.unwrap();
    assert_eq!(api.count("books").await, before);
}
