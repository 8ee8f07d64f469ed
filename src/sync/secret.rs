//! The key of entity tags, cursors and tokens, for those who do not set one: all instances agree on it.

use bson::{Binary, Bson, Document, doc, spec::BinarySubtype};
use mongodb::{
    Database,
    options::{CollectionOptions, ReadConcern, ReturnDocument},
};

use super::{BOOKKEEPING, strong};
use crate::{
    error::{Error, Result},
    store::failure::{self, codes},
};

/// The secret's `_id` in the bookkeeping collection.
const SECRET: &str = "secret";

/// The secret that the instances of this database share; the first start makes it.
///
/// # Errors
/// [`Error::Startup`] where it can be neither read nor made.
pub async fn secret(db: &Database) -> Result<[u8; 32]> {
    // Read from a majority: one that a fail-over takes back must not be used.
    let options = CollectionOptions::builder().read_concern(ReadConcern::majority()).build();
    let kept = strong(db).collection_with_options::<Document>(BOOKKEEPING, options);
    let found = kept.find_one(doc! { "_id": SECRET }).await.map_err(failure::startup("reading the secret"))?;
    if let Some(found) = found {
        return key(&found);
    }
    let offered = doc! { "$setOnInsert": { "key": fresh()? } };
    let insert = || {
        let offer = kept.find_one_and_update(doc! { "_id": SECRET }, offered.clone());
        offer.upsert(true).return_document(ReturnDocument::After).into_future()
    };
    let made = match insert().await {
        // Another instance was faster between looking and inserting.
        Err(error) if failure::code(&error) == Some(codes::DUPLICATE_KEY) => insert().await,
        outcome => outcome,
    };
    key(&made.map_err(failure::startup("making the secret"))?.unwrap_or_default())
}

fn fresh() -> Result<Binary> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| Error::Startup(format!("there is no randomness for a secret: {e}")))?;
    Ok(Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() })
}

fn key(kept: &Document) -> Result<[u8; 32]> {
    let bytes = if let Some(Bson::Binary(binary)) = kept.get("key") { binary.bytes.as_slice() } else { &[] };
    bytes.try_into().map_err(|_| {
        Error::Startup(format!("the secret in `{BOOKKEEPING}` is not 32 bytes; remove that document to make a new one"))
    })
}
