//! Throw-away collections, to ask the server what a validator says of a document without touching real data.

use std::time::{Duration, SystemTime};

use bson::{Document, RawDocumentBuf, doc, oid::ObjectId};
use mongodb::{
    Collection, Database,
    error::Error as DriverError,
    options::{CollectionOptions, WriteConcern},
};

use super::failure::{self, Refusal, codes};

pub(crate) mod database;

/// What the name of every scratch collection begins with; an `ObjectId` follows, which holds its age.
const PREFIX: &str = "_folio_probe_";

/// A scratch collection older than this was left by a process that was killed.
const LEFTOVER: Duration = Duration::from_secs(300);

/// A new collection with `validator`; the caller gives it to [`remove`] whatever happens.
pub(crate) async fn create(db: &Database, validator: &Document) -> Result<Collection<RawDocumentBuf>, DriverError> {
    let name = format!("{PREFIX}{}", ObjectId::new());
    db.create_collection(&name).validator(validator.clone()).write_concern(fast()).await?;
    Ok(db.collection_with_options(&name, CollectionOptions::builder().write_concern(fast()).build()))
}

/// The server's `errInfo.details` of `document`: `None` if it accepts the document or does not explain.
pub(crate) async fn judge(
    scratch: &Collection<RawDocumentBuf>,
    document: &RawDocumentBuf,
) -> Result<Option<Document>, DriverError> {
    match scratch.insert_one(document).await {
        Ok(_) => Ok(None),
        Err(error) => match Refusal::of(&error) {
            Some(refusal) if refusal.code == codes::DOCUMENT_VALIDATION => Ok(refusal.details),
            _ => Err(error),
        },
    }
}

/// Drops the collection. A failure is logged only: the next start sweeps what is left.
pub(crate) async fn remove(scratch: Collection<RawDocumentBuf>) {
    if let Err(error) = scratch.drop().await {
        tracing::warn!(collection = scratch.name(), cause = failure::reason(&error), "scratch collection left behind");
    }
}

/// Drops what killed processes left behind.
pub(crate) async fn sweep(db: &Database) -> Result<(), DriverError> {
    let filter = doc! { "name": { "$regex": format!("^{PREFIX}") } };
    for name in db.list_collection_names().filter(filter).await? {
        if is_older(&name, PREFIX, (SystemTime::now(), LEFTOVER)) {
            db.collection::<RawDocumentBuf>(&name).drop().await?;
        }
    }
    Ok(())
}

/// Whether the name is `prefix` and an `ObjectId` that was older than `limit` at the time `now`.
fn is_older(name: &str, prefix: &str, (now, limit): (SystemTime, Duration)) -> bool {
    let id = name.strip_prefix(prefix).and_then(|id| ObjectId::parse_str(id).ok());
    let made = id.map(|id| id.timestamp().to_system_time());
    made.is_some_and(|made| now.duration_since(made).is_ok_and(|age| age > limit))
}

/// Nothing here has to outlive a crash.
fn fast() -> WriteConcern {
    WriteConcern::nodes(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_leftovers_from_collections_in_use_and_from_others() {
        let now = ObjectId::new().timestamp().to_system_time();
        let is_leftover = |name: &str, now| is_older(name, PREFIX, (now, LEFTOVER));
        let fresh = format!("{PREFIX}{}", ObjectId::new());
        assert!(!is_leftover(&fresh, now));
        assert!(!is_leftover(&fresh, now - Duration::from_secs(900)));
        assert!(is_leftover(&fresh, now + Duration::from_secs(302)));
        assert!(!is_leftover("_folio_probe_mine", now + Duration::from_secs(900)));
        assert!(!is_leftover("books", now));
    }
}
