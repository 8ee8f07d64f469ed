//! Stored documents that a new validator would refuse.

use bson::{Bson, Document, RawDocumentBuf, doc};
use futures::{TryStreamExt, future::try_join_all};
use mongodb::{Collection, Database, error::Error as DriverError};

use super::{
    count::{Count, Counting},
    walk::{Met, Search},
};
use crate::{
    error::{Result, Violation},
    schema::{Schema, explain::explain},
    store::{failure, scratch},
};

/// The stored documents of one collection that break its new validator.
#[derive(Debug, Clone)]
pub struct Breaking {
    /// How many there are. An estimate can be zero: then none was met in the sample, which is no promise.
    pub count: Count,
    /// Some of them.
    pub samples: Vec<Sample>,
}

impl Breaking {
    /// Whether some document is known to break the validator, and so keeps it from being set.
    pub fn is_in_the_way(&self) -> bool {
        self.count.value() > 0
    }
}

/// A document that breaks the validator.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its `_id`.
    pub id: Bson,
    /// The rules it breaks.
    pub violations: Vec<Violation>,
}

/// The stored documents that break the schema's validator; `None` where there are none, which an estimate cannot say.
pub(super) async fn find(db: &Database, schema: &Schema, counting: &Counting) -> Result<Option<Breaking>> {
    let doing = format!("looking for documents of `{}` that break its validator", schema.name);
    search(db, schema, counting).await.map_err(failure::startup(&doing))
}

async fn search(db: &Database, schema: &Schema, counting: &Counting) -> Result<Option<Breaking>, DriverError> {
    let filter = broken(&schema.validator);
    let Met { count, first } = Search { db, collection: &schema.name, filter: &filter, counting }.run().await?;
    if count == Count::Exact(0) {
        return Ok(None);
    }
    let samples = if first.is_empty() { Vec::new() } else { samples(db, schema, &first).await? };
    Ok(Some(Breaking { count, samples }))
}

fn broken(validator: &Document) -> Document {
    doc! { "$nor": [validator] }
}

/// Those of the documents `met` that are still there and still break the validator, with what they break.
async fn samples(db: &Database, schema: &Schema, met: &[RawDocumentBuf]) -> Result<Vec<Sample>, DriverError> {
    let ids: Vec<_> = met.iter().filter_map(id).collect();
    let mut filter = broken(&schema.validator);
    filter.insert("_id", doc! { "$in": ids });
    let stored: Collection<RawDocumentBuf> = db.collection(&schema.name);
    let documents: Vec<_> = stored.find(filter).sort(doc! { "_id": 1 }).await?.try_collect().await?;
    let verdicts = in_background(verdicts(db.clone(), schema.validator.clone(), documents.clone())).await?;
    let sample = |(document, details): (&RawDocumentBuf, Option<Document>)| Sample {
        id: id(document).unwrap_or(Bson::Null),
        violations: details.map(|details| explain(schema, &details, Some(document))).unwrap_or_default(),
    };
    Ok(documents.iter().zip(verdicts).map(sample).collect())
}

fn id(document: &RawDocumentBuf) -> Option<Bson> {
    document.get("_id").ok()??.try_into().ok()
}

/// What `work` comes to, which ends even if nobody waits for it any more: otherwise it would leave its scratch
/// collection behind.
async fn in_background<T: Send + 'static>(
    work: impl Future<Output = Result<T, DriverError>> + Send + 'static,
) -> Result<T, DriverError> {
    match tokio::spawn(work).await {
        Ok(outcome) => outcome,
        Err(broken) => Err(DriverError::custom(broken)),
    }
}

/// What the server says of each document. Only a write is explained, so copies are written where nothing else is.
async fn verdicts(
    db: Database,
    validator: Document,
    documents: Vec<RawDocumentBuf>,
) -> Result<Vec<Option<Document>>, DriverError> {
    let scratch = scratch::create(&db, &validator).await?;
    let verdicts = try_join_all(documents.iter().map(|document| scratch::judge(&scratch, document))).await;
    scratch::remove(scratch).await;
    verdicts
}
