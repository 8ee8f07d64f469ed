//! Which files the database was made after, so that an instance with older files does not undo newer ones.
//!
//! During a rolling deploy instances of both generations start and restart. One whose files were applied before and
//! have been replaced since serves without applying, so that it never loosens what the new one tightened.

use bson::{Bson, Document, doc};
use mongodb::Database;

use super::bookkeeping;
use crate::{
    error::{Error, Result},
    schema::{Catalog, Index, Schema},
    store::failure,
};

/// The record's `_id` in the bookkeeping collection.
const RECORD: &str = "catalog";

/// How many earlier generations are remembered.
const REMEMBERED: i32 = 100;

/// The hash of everything in the files that is applied to the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Generation(String);

/// The generations that were applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    current: String,
    predecessors: Vec<String>,
}

impl Generation {
    /// The files' generation. Annotations and layout do not count, only validators and indexes.
    pub(super) fn of(catalog: &Catalog) -> Result<Self> {
        let applied: Document = catalog.iter().map(|schema| (schema.name.clone(), essence(schema))).collect();
        let bytes = applied.to_vec().map_err(|e| Error::Internal(format!("the catalog cannot be hashed: {e}")))?;
        Ok(Self(blake3::hash(&bytes).to_hex().to_string()))
    }
}

fn essence(schema: &Schema) -> Bson {
    let index = |i: &Index| Bson::Document(doc! { "name": &i.name, "keys": &i.keys, "options": &i.options });
    let indexes = schema.indexes.iter().map(index).collect::<Vec<_>>();
    Bson::Document(doc! { "validator": &schema.validator, "indexes": indexes })
}

impl Record {
    /// Whether `generation` is the one that was applied last.
    pub(super) fn is_current(&self, generation: &Generation) -> bool {
        self.current == generation.0
    }

    /// Whether `generation` was applied once and has been replaced since.
    pub(super) fn supersedes(&self, generation: &Generation) -> bool {
        !self.is_current(generation) && self.predecessors.contains(&generation.0)
    }
}

/// The record, if anything was applied yet.
pub(super) async fn read(db: &Database) -> Result<Option<Record>> {
    let found = bookkeeping(db).find_one(doc! { "_id": RECORD }).await;
    Ok(found.map_err(failure::startup("reading which files are applied"))?.map(|found| Record {
        current: found.get_str("current").unwrap_or_default().to_owned(),
        predecessors: found
            .get_array("predecessors")
            .map(|list| list.iter().filter_map(Bson::as_str).map(str::to_owned).collect())
            .unwrap_or_default(),
    }))
}

/// Records that `generation` is applied, and what was before as its predecessor.
pub(super) async fn write(db: &Database, generation: &Generation) -> Result<()> {
    let current = &generation.0;
    let before =
        doc! { "$concatArrays": [{ "$ifNull": ["$predecessors", []] }, [{ "$ifNull": ["$current", current] }]] };
    let others = doc! { "$filter": { "input": before, "cond": { "$ne": ["$$this", current] } } };
    let set = doc! {
        "current": current,
        "predecessors": { "$slice": [others, -REMEMBERED] },
        "appliedAt": "$$NOW",
    };
    let update = bookkeeping(db).update_one(doc! { "_id": RECORD }, vec![doc! { "$set": set }]).upsert(true).await;
    update.map(drop).map_err(failure::startup("recording which files are applied"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_older_files_from_newer_ones() {
        let record = Record { current: "b".to_owned(), predecessors: vec!["a".to_owned()] };
        let cases = [("a", false, true), ("b", true, false), ("c", false, false)];
        for (hash, current, superseded) in cases {
            let generation = Generation(hash.to_owned());
            assert_eq!(
                (record.is_current(&generation), record.supersedes(&generation)),
                (current, superseded),
                "{hash}"
            );
        }
    }
}
