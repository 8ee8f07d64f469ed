//! Stored documents that a new unique index would refuse.
//!
//! What counts as the same key is the server's to say, so the server compares: keys are grouped under the index's
//! collation, of documents that its partial filter takes. How keys are taken from documents is in `keys`.

use bson::{Bson, Document, RawDocument, RawDocumentBuf, doc};
use futures::TryStreamExt;
use mongodb::{Collection, Database, error::Error as DriverError, options::Collation};

use super::count::{Counting, Reading};
use crate::{
    error::Result,
    schema::{Index, index::whole},
    store::failure,
};

mod keys;

/// How many shared keys are shown.
const SAMPLES: i64 = 5;

/// The most bytes of a shared key that is shown, with two `_id`s.
const SHOWN: i32 = 1 << 20;

/// The stored documents of one collection that share keys of a unique index.
#[derive(Debug, Clone, PartialEq)]
pub struct Duplicates {
    /// How many keys are shared by several documents.
    pub keys: u64,
    /// How many documents share a key with another one.
    pub documents: u64,
    /// Some of the shared keys, those of the most documents first.
    pub samples: Vec<Shared>,
}

/// A key that several documents share.
#[derive(Debug, Clone, PartialEq)]
pub struct Shared {
    /// The values under the index's fields: null for a field that is missing, `[]` for one that holds nothing else.
    pub key: Document,
    /// How many documents have it.
    pub documents: u64,
    /// The `_id`s of two of them.
    pub ids: Vec<Bson>,
}

/// The stored documents that share keys of the index; `None` where there are none, or where the index is not unique.
///
/// Reads the whole collection at once, since each key may be met again in the last document.
pub(super) async fn find(
    db: &Database,
    (collection, index): (&str, &Index),
    counting: &Counting,
) -> Result<Option<Duplicates>> {
    let is_unique = index.options.get_bool("unique").unwrap_or(false);
    let Some(keys) = is_unique.then(|| keys::of(index)).flatten() else { return Ok(None) };
    let doing = format!("looking for duplicates under the index `{collection}.{}`", index.name);
    let stored = db.collection(collection);
    let look = async {
        let of = stored.estimated_document_count().await?;
        let tell = |done| counting.progress.tell(&Reading { collection, index: Some(&index.name), done, of });
        tell(0);
        let found = Look { stored: &stored, index, keys }.run().await?;
        tell(of);
        Ok(found)
    };
    look.await.map_err(failure::startup(&doing))
}

struct Look<'l> {
    stored: &'l Collection<RawDocumentBuf>,
    index: &'l Index,
    /// The expression that gives all keys of a document.
    keys: Bson,
}

impl Look<'_> {
    async fn run(&self) -> Result<Option<Duplicates>, DriverError> {
        let Some(found) = self.answer(shared()).await? else { return Ok(None) };
        let Some(total) = first(&found, "total") else { return Ok(None) };
        let (keys, entries) = (number(&total, "keys"), number(&total, "entries"));
        // An entry is a document under one of its keys, so that documents with several keys may be there repeatedly.
        let documents = if total.get_bool("several")? { self.documents().await? } else { entries };
        let samples = found.get_array("samples")?.into_iter().flatten();
        let samples = samples.filter_map(|sample| self.sample(sample.as_document()?)).collect();
        Ok(Some(Duplicates { keys, documents, samples }))
    }

    /// How many documents share some key with another document.
    async fn documents(&self) -> Result<u64, DriverError> {
        Ok(self.answer(sharing()).await?.map_or(0, |counted| number(&counted, "n")))
    }

    /// The one document that `stages` make of the index's entries.
    async fn answer(&self, stages: Vec<Document>) -> Result<Option<RawDocumentBuf>, DriverError> {
        let options = &self.index.options;
        let mut pipeline = vec![
            doc! { "$project": { "key": &self.keys, "lot": { "$rand": {} } } },
            doc! { "$set": { "several": { "$gt": [{ "$size": "$key" }, 1] } } },
            doc! { "$unwind": "$key" },
        ];
        if let Ok(partial) = options.get_document("partialFilterExpression") {
            pipeline.insert(0, doc! { "$match": partial });
        }
        pipeline.extend(stages);
        let mut aggregate = self.stored.aggregate(pipeline).allow_disk_use(true);
        if let Ok(collation) = options.get_document("collation") {
            aggregate = aggregate.collation(bson::deserialize_from_document::<Collation>(collation.clone())?);
        }
        aggregate.await?.with_type().try_next().await
    }

    /// A shared key as people know it; `None` where it cannot be shown.
    fn sample(&self, found: &RawDocument) -> Option<Shared> {
        let found = Document::try_from(found).ok()?;
        let key = found.get_document("_id").ok()?;
        let fields = self.index.keys.keys().enumerate();
        let key = fields.map(|(number, name)| (name.clone(), keys::value(key, number))).collect();
        let ids = ["first", "last"].iter().filter_map(|which| found.get(which).cloned()).collect();
        let documents = found.get("documents").and_then(whole)?;
        Some(Shared { key, documents: u64::try_from(documents).ok()?, ids })
    }
}

/// From entries to how many keys are shared, by how many entries, and which the worst are.
fn shared() -> Vec<Document> {
    let total = doc! { "_id": null, "keys": { "$sum": 1 }, "entries": { "$sum": "$documents" }, "several": { "$max": "$several" } };
    let shown = doc! { "$expr": { "$lt": [{ "$bsonSize": "$$ROOT" }, SHOWN] } };
    vec![
        doc! { "$group": {
            "_id": "$key",
            "documents": { "$sum": 1 },
            "several": { "$max": "$several" },
            "first": { "$first": "$_id" },
            "last": { "$last": "$_id" },
        } },
        doc! { "$match": { "documents": { "$gt": 1 } } },
        doc! { "$facet": {
            "total": [{ "$group": total }],
            "samples": [{ "$sort": { "documents": -1, "_id": 1 } }, { "$limit": SAMPLES }, { "$match": shown }],
        } },
    ]
}

/// From entries to the number of documents that have one in common with another.
///
/// In order, entries of a key stand side by side. Documents are told apart by a number drawn for each beside their
/// `_id`, because the collation takes some `_id`s for one.
fn sharing() -> Vec<Document> {
    let neighbor = |by: i32| doc! { "$shift": { "output": "$key", "by": by } };
    let is = |other: &str| doc! { "$eq": ["$key", other] };
    vec![
        doc! { "$setWindowFields": {
            "sortBy": { "key": 1 }, "output": { "before": neighbor(-1), "after": neighbor(1) },
        } },
        doc! { "$match": { "$expr": { "$or": [is("$before"), is("$after")] } } },
        doc! { "$group": { "_id": ["$_id", "$lot"] } },
        doc! { "$count": "n" },
    ]
}

fn first(document: &RawDocument, list: &str) -> Option<RawDocumentBuf> {
    let first = document.get_array(list).ok()?.into_iter().next()?.ok()?;
    first.as_document().map(ToOwned::to_owned)
}

fn number(document: &RawDocument, name: &str) -> u64 {
    let value = document.get(name).ok().flatten().and_then(|value| Bson::try_from(value).ok());
    value.and_then(|value| whole(&value)).and_then(|n| u64::try_from(n).ok()).unwrap_or_default()
}
