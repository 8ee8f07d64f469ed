//! Duplicates of unique indexes: as many as the server itself finds when it holds documents against each other.

use std::collections::BTreeSet;

use bson::{Bson, Decimal128, Document, doc};
use folio::{
    schema::{Catalog, Index},
    sync::{self, Counting, Duplicates},
};
use mongodb::{Collection, Database};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::json;

use crate::support::{catalog, database, effort};

/// A file with one index, which goes around what `x-indexes` would refuse to name.
fn with(index: Index) -> Catalog {
    let files = catalog(&[("things", json!({ "type": "object" }))]);
    let schema = files.get("things").unwrap();
    Catalog::from_iter([folio::schema::Schema { indexes: vec![index], ..(**schema).clone() }])
}

fn unique(keys: Document, mut options: Document) -> Index {
    options.insert("unique", true);
    Index { name: "u".to_owned(), keys, options }
}

async fn found(db: &Database, index: &Index) -> Option<Duplicates> {
    let plan = sync::plan(db, &with(index.clone()), &Counting::default()).await.unwrap();
    plan.duplicates.into_values().next()
}

async fn refill(db: &Database, documents: Vec<Document>) {
    let things = db.collection::<Document>("things");
    things.delete_many(doc! {}).await.unwrap();
    things.insert_many(documents).await.unwrap();
}

/// What is indexed, what is stored, how many keys and documents share, and the worst key.
type Case = (Document, Document, Vec<Document>, (u64, u64), Document);

fn cases() -> Vec<Case> {
    let insensitive = || doc! { "collation": { "locale": "en", "strength": 2 } };
    vec![
        (doc! { "a": 1 }, doc! {}, vec![doc! { "a": 1 }, doc! { "a": 1.0 }, doc! { "a": 2 }], (1, 2), doc! { "a": 1 }),
        (doc! { "a": 1 }, doc! {}, vec![doc! {}, doc! { "a": null }, doc! {}], (1, 3), doc! { "a": null }),
        (doc! { "a": 1 }, doc! { "sparse": true }, vec![doc! {}, doc! { "a": 1 }, doc! {}], (0, 0), doc! {}),
        (
            doc! { "a": 1, "b": -1 },
            doc! { "sparse": true },
            vec![doc! { "a": 1 }, doc! { "a": 1, "b": null }, doc! {}, doc! {}],
            (1, 2),
            doc! { "a": 1, "b": null },
        ),
        (doc! { "a": 1 }, doc! {}, vec![doc! { "a": "x" }, doc! { "a": "X" }], (0, 0), doc! {}),
        (doc! { "a": 1 }, insensitive(), vec![doc! { "a": "x" }, doc! { "a": "X" }], (1, 2), doc! { "a": "x" }),
        (
            doc! { "a": 1 },
            doc! { "partialFilterExpression": { "b": { "$gt": 1 } } },
            vec![doc! { "a": 1, "b": 1 }, doc! { "a": 1, "b": 2 }, doc! { "a": 2, "b": 2 }],
            (0, 0),
            doc! {},
        ),
        // The same key twice in one document is none; a document that shares two keys is one.
        (doc! { "a": 1 }, doc! {}, vec![doc! { "a": [1, 1, 2] }, doc! { "a": 3 }], (0, 0), doc! {}),
        (doc! { "a": 1 }, doc! {}, vec![doc! { "a": [1, 2] }, doc! { "a": [2, 1] }], (2, 2), doc! { "a": 1 }),
        (
            doc! { "a": 1 },
            doc! {},
            vec![doc! { "a": [1, 2] }, doc! { "a": 2 }, doc! { "a": [2, 3] }, doc! { "a": 3 }, doc! { "a": 4 }],
            (2, 4),
            doc! { "a": 2 },
        ),
        (doc! { "a": 1 }, doc! {}, vec![doc! { "a": [] }, doc! { "a": [] }, doc! {}], (1, 2), doc! { "a": [] }),
        (
            doc! { "a.b": 1, "a.c": 1 },
            doc! {},
            vec![doc! { "a": [{ "b": 1, "c": 2 }, { "b": 3, "c": 4 }] }, doc! { "a": { "b": 1, "c": 4 } }],
            (0, 0),
            doc! {},
        ),
        (doc! { "a.0": 1 }, doc! {}, vec![doc! { "a": [1, 2] }, doc! { "a": [1, 3] }], (1, 2), doc! { "a.0": 1 }),
    ]
}

#[tokio::test]
async fn keys_and_documents_are_counted() {
    let here = database().await;
    for (keys, options, documents, (shared, sharing), worst) in cases() {
        // `_id`s that the collation takes for one.
        let id = |i: usize| format!("{}{}", ["x", "X"][i % 2], i / 2);
        let named = |(i, document): (usize, Document)| doc! { "_id": id(i) }.into_iter().chain(document).collect();
        let documents: Vec<Document> = documents.into_iter().enumerate().map(named).collect();
        refill(&here.db, documents.clone()).await;
        let found = found(&here.db, &unique(keys.clone(), options.clone())).await;
        let counts = found.as_ref().map_or((0, 0), |found| (found.keys, found.documents));
        assert_eq!(counts, (shared, sharing), "{keys} {options} {documents:?}");
        if let Some(found) = found {
            let sample = &found.samples[0];
            assert_eq!(sample.key, worst, "{documents:?}");
            assert!(sample.ids.len() == 2 && sample.ids[0] != sample.ids[1], "{sample:?}");
        }
    }
}

#[tokio::test]
async fn the_worst_keys_are_shown_first() {
    let here = database().await;
    let documents =
        (0..9).flat_map(|key| (0..=key).map(move |copy| doc! { "_id": 10 * key + copy, "a": { "k": key } }));
    refill(&here.db, documents.collect()).await;
    let found = found(&here.db, &unique(doc! { "a.k": 1 }, doc! {})).await.unwrap();
    assert_eq!((found.keys, found.documents), (8, 44));
    let shown: Vec<_> =
        found.samples.iter().map(|sample| (sample.key.get_i32("a.k").unwrap(), sample.documents)).collect();
    assert_eq!(shown, [(8, 9), (7, 8), (6, 7), (5, 6), (4, 5)]);
}

#[tokio::test]
async fn paths_as_deep_as_they_may_be_are_looked_at() {
    let here = database().await;
    let path = ["a"; 8].join(".");
    let deep = (0..8).fold(Bson::Int32(1), |value, _| Bson::Document(doc! { "a": [value] }));
    let document = |id: i32| doc! { "_id": id, "a": deep.as_document().unwrap().get("a").unwrap().clone() };
    refill(&here.db, vec![document(1), document(2)]).await;
    let index = unique(doc! { path.clone(): 1, format!("{path}b"): 1 }, doc! {});
    assert_eq!(found(&here.db, &index).await.map(|found| found.documents), Some(2));
}

fn value() -> impl Strategy<Value = Bson> {
    let scalar = prop_oneof![
        Just(Bson::Int32(1)),
        Just(Bson::Double(1.0)),
        Just(Bson::Int64(1)),
        Just(Bson::Decimal128("1.0".parse::<Decimal128>().unwrap())),
        Just(Bson::Double(-0.0)),
        Just(Bson::Int32(0)),
        Just(Bson::Double(f64::NAN)),
        Just(Bson::Null),
        Just(Bson::Undefined),
        Just(Bson::Boolean(true)),
        Just(Bson::from("a")),
        Just(Bson::from("A")),
        Just(Bson::Symbol("a".to_owned())),
    ];
    scalar.prop_recursive(3, 12, 3, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4).prop_map(Bson::Array);
        let name = prop::sample::select(vec!["a", "b", "0", "1"]);
        let object = prop::collection::btree_map(name, inner, 0..3);
        prop_oneof![
            list,
            object.prop_map(|members| Bson::Document(members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()))
        ]
    })
}

fn index() -> impl Strategy<Value = Index> {
    let paths = ["a", "b", "a.a", "a.b", "b.a", "a.0", "a.1", "a.0.a", "a.a.b", "b.0", "a.b.a", "a.b.0"];
    let keys = prop::sample::subsequence(paths.to_vec(), 1..4).prop_shuffle();
    let filters = vec![
        doc! { "sparse": true },
        doc! {},
        doc! {},
        doc! { "partialFilterExpression": { "a": { "$exists": true } } },
        doc! { "partialFilterExpression": { "b": { "$gt": "A" } } },
        doc! { "partialFilterExpression": { "a": { "$type": "number" } } },
    ];
    (keys, any::<u8>(), prop::sample::select(filters), any::<bool>()).prop_map(
        |(paths, signs, mut options, collated)| {
            if collated {
                options.insert("collation", doc! { "locale": "en", "strength": 2 });
            }
            let sign = |i: usize| if signs >> i & 1 == 1 { 1 } else { -1 };
            unique(
                paths.iter().enumerate().map(|(i, path)| ((*path).to_owned(), Bson::Int32(sign(i)))).collect(),
                options,
            )
        },
    )
}

fn documents() -> impl Strategy<Value = Vec<Document>> {
    let fields = (prop::option::weighted(0.85, value()), prop::option::weighted(0.85, value()));
    prop::collection::vec(fields, 2..10).prop_map(|all| {
        let document = |(i, (a, b)): (usize, (Option<Bson>, Option<Bson>))| {
            let named = [("_id", i32::try_from(i).ok().map(Bson::Int32)), ("a", a), ("b", b)];
            named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
        };
        all.into_iter().enumerate().map(document).collect()
    })
}

/// The documents that the server's own index takes one by one, and those of them that it does not take together with
/// another one.
async fn truth(scratch: &Collection<Document>, documents: &[Document]) -> (Vec<Document>, BTreeSet<i32>) {
    let id = |document: &Document| document.get_i32("_id").unwrap();
    let (mut fit, mut sharing) = (Vec::new(), BTreeSet::new());
    for document in documents {
        if scratch.insert_one(document).await.is_ok() {
            fit.push(document.clone());
            scratch.delete_one(doc! { "_id": id(document) }).await.unwrap();
        }
    }
    for (i, one) in fit.iter().enumerate() {
        scratch.insert_one(one).await.unwrap();
        for other in &fit[i + 1..] {
            if scratch.insert_one(other).await.is_ok() {
                scratch.delete_one(doc! { "_id": id(other) }).await.unwrap();
            } else {
                sharing.extend([id(one), id(other)]);
            }
        }
        scratch.delete_one(doc! { "_id": id(one) }).await.unwrap();
    }
    (fit, sharing)
}

#[tokio::test]
async fn the_server_finds_the_same_duplicates_document_by_document() {
    let here = database().await;
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (mut some, rounds) = (0, 25 * effort());
    for round in 0..rounds {
        let (index, documents) = (index(), documents()).new_tree(&mut runner).unwrap().current();
        let scratch = here.db.collection::<Document>("scratch");
        scratch.drop().await.unwrap();
        let mut spec = doc! { "name": "u", "key": &index.keys };
        spec.extend(index.options.clone());
        here.db.run_command(doc! { "createIndexes": "scratch", "indexes": [spec] }).await.unwrap();
        let (fit, sharing) = truth(&scratch, &documents).await;
        if fit.is_empty() {
            continue;
        }
        refill(&here.db, fit.clone()).await;
        let found = found(&here.db, &index).await;
        let count = found.as_ref().map_or(0, |found| found.documents);
        assert_eq!(count, sharing.len() as u64, "round {round}: {index:?}\n{fit:#?}\n{found:#?}\n{sharing:?}");
        some += usize::from(count > 0);
    }
    assert!(some > rounds / 5 && some < rounds, "{some} of {rounds} have duplicates: this proves little");
}
