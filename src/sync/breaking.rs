//! Stored documents that a new validator would refuse.

use bson::{Bson, Document, RawDocumentBuf, doc};
use futures::{TryStreamExt, future::try_join_all};
use mongodb::{Collection, Database, error::Error as DriverError};

use crate::{
    error::{Result, Violation},
    schema::{Schema, explain::explain},
    store::{failure, scratch},
};

/// How many documents are shown.
const SAMPLES: i64 = 5;

/// The stored documents of one collection that break its new validator.
#[derive(Debug, Clone)]
pub struct Breaking {
    /// How many there are.
    pub count: u64,
    /// Some of them.
    pub samples: Vec<Sample>,
}

/// A document that breaks the validator.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its `_id`.
    pub id: Bson,
    /// The rules it breaks.
    pub violations: Vec<Violation>,
}

/// The stored documents that break the schema's validator; `None` where there are none. Reads the whole collection.
pub(super) async fn find(db: &Database, schema: &Schema) -> Result<Option<Breaking>> {
    let doing = format!("looking for documents of `{}` that break its validator", schema.name);
    search(db, schema).await.map_err(failure::startup(&doing))
}

async fn search(db: &Database, schema: &Schema) -> Result<Option<Breaking>, DriverError> {
    let stored: Collection<RawDocumentBuf> = db.collection(&schema.name);
    let broken = || doc! { "$nor": [&schema.validator] };
    let count = stored.count_documents(broken()).await?;
    if count == 0 {
        return Ok(None);
    }
    let documents: Vec<_> = stored.find(broken()).limit(SAMPLES).await?.try_collect().await?;
    let verdicts = verdicts(db, &schema.validator, &documents).await?;
    let samples = documents.iter().zip(verdicts).map(|(document, details)| Sample {
        id: document.get("_id").ok().flatten().and_then(|id| id.try_into().ok()).unwrap_or(Bson::Null),
        violations: details.map(|details| explain(schema, &details, Some(document))).unwrap_or_default(),
    });
    Ok(Some(Breaking { count, samples: samples.collect() }))
}

/// What the server says of each document. Only a write is explained, so copies are written where nothing else is.
async fn verdicts(
    db: &Database,
    validator: &Document,
    documents: &[RawDocumentBuf],
) -> Result<Vec<Option<Document>>, DriverError> {
    let scratch = scratch::create(db, validator).await?;
    let verdicts = try_join_all(documents.iter().map(|document| scratch::judge(&scratch, document))).await;
    scratch::remove(scratch).await;
    verdicts
}
