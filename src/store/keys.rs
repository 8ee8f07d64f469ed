//! API keys as the database keeps them: never a key itself, only what it can be recognized by.
//!
//! A counter beside the keys changes with every change of them, in the same transaction, so that the instances of the
//! service need not read more than the counter to know that nothing happened.

use std::collections::BTreeMap;

use bson::{DateTime, Document, doc};
use futures::TryStreamExt;
use mongodb::{
    ClientSession, Collection, Database,
    error::Result as DriverResult,
    options::{CollectionOptions, ReadConcern, ReadPreference, ReturnDocument, SelectionCriteria, WriteConcern},
};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The collection that API keys are kept in.
pub const COLLECTION: &str = "_folio_keys";

/// The counter's `_id` beside the keys, longer than any key's.
const COUNTER: &str = "generation";

/// How many updates one command carries at most.
const BATCH: usize = 1000;

/// An API key, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Key {
    /// The public part of it.
    #[serde(rename = "_id")]
    pub id: String,
    /// The hash of the secret part, in hexadecimal digits.
    pub hash: String,
    /// What it is for, for people.
    pub name: String,
    /// The roles that it gives.
    pub roles: Vec<String>,
    /// What rules know of whoever has it.
    pub attributes: BTreeMap<String, String>,
    /// When it was made.
    pub created: DateTime,
    /// When it ceases to be good.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires: Option<DateTime>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub revoked: Option<DateTime>,
    /// When it was last used, to within some seconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub used: Option<DateTime>,
}

/// The keys of one database.
#[derive(Debug, Clone)]
pub struct Keys {
    database: Database,
}

impl Keys {
    /// The keys in `database`.
    pub fn new(database: &Database) -> Self {
        Self { database: database.clone() }
    }

    /// A number that is another one after each change; 0 before the first.
    pub async fn generation(&self) -> Result<i64> {
        let counter = self.collection::<Document>().find_one(doc! { "_id": COUNTER }).await?;
        Ok(counter.map_or(0, |counter| counter.get_i64("changes").unwrap_or_default()))
    }

    /// All keys, oldest first, also those that are not good any more.
    pub async fn all(&self) -> Result<Vec<Key>> {
        let kept = self.collection::<Document>();
        let keys = kept.find(doc! { "_id": { "$ne": COUNTER } }).sort(doc! { "created": 1 }).await?;
        let keys: Vec<_> = keys.try_collect().await?;
        Ok(keys.into_iter().filter_map(read).collect())
    }

    /// Keeps a new key.
    pub async fn add(&self, key: &Key) -> Result<()> {
        let keys = self.collection::<Key>();
        self.change(async |session| keys.insert_one(key).session(session).await.map(drop)).await
    }

    /// Keeps a new key in the place of all others of its name.
    pub async fn replace(&self, key: &Key) -> Result<()> {
        let keys = self.collection::<Key>();
        self.change(async |session| {
            keys.delete_many(doc! { "name": &key.name }).session(&mut *session).await?;
            keys.insert_one(key).session(session).await.map(drop)
        })
        .await
    }

    /// Revokes the key with this id and gives it; nothing if there is none. The time of the first revocation stays.
    pub async fn revoke(&self, id: &str) -> Result<Option<Key>> {
        let keys = self.collection::<Key>();
        let revoked = vec![doc! { "$set": { "revoked": { "$ifNull": ["$revoked", "$$NOW"] } } }];
        self.change(async |session| {
            let one = doc! { "$and": [{ "_id": id }, { "_id": { "$ne": COUNTER } }] };
            let update = keys.find_one_and_update(one, revoked.clone()).return_document(ReturnDocument::After);
            update.session(session).await
        })
        .await
    }

    /// Notes when keys were last used, by their ids. What another instance noted later stays.
    pub async fn note_use(&self, uses: &[(String, DateTime)]) -> Result<()> {
        let note = |(id, at): &(String, DateTime)| doc! { "q": { "_id": id }, "u": { "$max": { "used": at } } };
        for batch in uses.chunks(BATCH) {
            let updates: Vec<_> = batch.iter().map(note).collect();
            self.database.run_command(doc! { "update": COLLECTION, "updates": updates, "ordered": false }).await?;
        }
        Ok(())
    }

    /// Does `work` and counts the change, both or neither.
    async fn change<T>(&self, work: impl AsyncFn(&mut ClientSession) -> DriverResult<T>) -> Result<T> {
        let counter = self.collection::<Document>();
        let mut session = self.database.client().start_session().await?;
        let both = async |session: &mut ClientSession| {
            let done = work(session).await?;
            let count = counter.update_one(doc! { "_id": COUNTER }, doc! { "$inc": { "changes": 1_i64 } });
            count.upsert(true).session(session).await?;
            Ok(done)
        };
        let transaction = session.start_transaction().write_concern(WriteConcern::majority());
        transaction.and_run2(both).await.map_err(Error::from)
    }

    /// Read where it is written, and nothing that a fail-over takes back, whatever the connection string prefers.
    fn collection<T: Send + Sync>(&self) -> Collection<T> {
        let options = CollectionOptions::builder()
            .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
            .read_concern(ReadConcern::majority())
            .write_concern(WriteConcern::majority())
            .build();
        self.database.collection_with_options(COLLECTION, options)
    }
}

/// A key as it is kept; nothing, and a warning, where somebody else has made it something else.
fn read(kept: Document) -> Option<Key> {
    let id = kept.get("_id").map(ToString::to_string);
    bson::deserialize_from_document(kept)
        .inspect_err(|error| tracing::warn!(id, %error, "a document in `{COLLECTION}` is no API key"))
        .ok()
}
