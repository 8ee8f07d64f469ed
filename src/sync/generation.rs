//! Which files the database was made after, so that an instance with older files does not undo newer ones.
//!
//! During a rolling deploy instances of both generations start and restart. One whose files were applied before and
//! have been replaced since serves without applying, so that it never loosens what the new one tightened. Files count
//! as newer from the moment at which their first change is about to be made: an apply that was killed half-way is
//! finished by the same or by newer files, never undone by older ones.

use bson::{Bson, Document, doc};
use mongodb::Database;

use super::bookkeeping;
use crate::{
    error::{Error, Result},
    schema::{Catalog, Index, Schema},
    store::failure::{self, codes},
};

/// The record's `_id` in the bookkeeping collection.
const RECORD: &str = "catalog";

/// How many earlier generations are remembered.
const REMEMBERED: usize = 100;

/// The hash of everything in the files that is applied to the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Generation(String);

/// The generations that were applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    current: Option<String>,
    predecessors: Vec<String>,
    /// Begun and not finished.
    applying: Option<String>,
}

impl Generation {
    /// The files' generation. Annotations and layout do not count, only what is applied.
    pub(super) fn of(catalog: &Catalog) -> Result<Self> {
        digest(&catalog.iter().map(|schema| (schema.name.clone(), essence(schema))).collect()).map(Self)
    }
}

/// What of a file is applied.
pub(super) fn essence(schema: &Schema) -> Bson {
    let index = |i: &Index| Bson::Document(doc! { "name": &i.name, "keys": &i.keys, "options": &i.options });
    let indexes = schema.indexes.iter().map(index).collect::<Vec<_>>();
    let mut essence = doc! { "validator": &schema.validator, "indexes": indexes };
    let (validation, pre_images) = (schema.options.validation, schema.options.pre_images);
    if !validation.is_held() {
        essence.insert("validation", vec![validation.level.name(), validation.action.name()]);
    }
    essence.extend(pre_images.map(|on| ("preImages".to_owned(), Bson::Boolean(on))));
    Bson::Document(essence)
}

/// The hash of a document, in hex digits.
pub(super) fn digest(document: &Document) -> Result<String> {
    let bytes = document.to_vec().map_err(|e| Error::Internal(format!("a document cannot be hashed: {e}")))?;
    Ok(blake3::hash(&bytes).to_hex().to_string())
}

impl Record {
    /// The generations that were applied last and are being applied.
    pub(super) fn heads(&self) -> [Option<&str>; 2] {
        [self.current.as_deref(), self.applying.as_deref()]
    }

    /// Whether `generation` is the one that was applied last, to its end.
    pub(super) fn is_current(&self, generation: &Generation) -> bool {
        self.current.as_ref() == Some(&generation.0) && self.applying.is_none()
    }

    /// Whether `generation` was applied once and has been replaced since, or is being replaced.
    pub(super) fn supersedes(&self, generation: &Generation) -> bool {
        let hash = &generation.0;
        let was_applied = self.current.as_ref() == Some(hash) || self.predecessors.contains(hash);
        match &self.applying {
            Some(applying) => applying != hash && was_applied,
            None => self.current.as_ref() != Some(hash) && was_applied,
        }
    }

    /// `generation` is about to be applied; what was begun before and has not finished is older.
    fn begun(&self, generation: &Generation) -> Self {
        let unfinished =
            self.applying.iter().filter(|hash| **hash != generation.0 && self.current.as_ref() != Some(hash));
        Self {
            predecessors: older(&self.predecessors, unfinished),
            applying: Some(generation.0.clone()),
            ..self.clone()
        }
    }

    /// `generation` is applied; what was before is older.
    fn finished(&self, generation: &Generation) -> Self {
        let mut predecessors = older(&self.predecessors, &self.current);
        predecessors.retain(|hash| *hash != generation.0);
        Self { current: Some(generation.0.clone()), predecessors, applying: None }
    }

    /// What was begun has changed nothing.
    fn abandoned(&self) -> Self {
        Self { applying: None, ..self.clone() }
    }
}

/// The hashes with more of them at the end, each once; the oldest are forgotten.
fn older<'h>(hashes: &'h [String], more: impl IntoIterator<Item = &'h String>) -> Vec<String> {
    let mut hashes = hashes.to_vec();
    for hash in more {
        hashes.retain(|known| known != hash);
        hashes.push(hash.clone());
    }
    hashes.drain(..hashes.len().saturating_sub(REMEMBERED));
    hashes
}

/// The record; empty where nothing was applied yet.
pub(super) async fn read(db: &Database) -> Result<Record> {
    let found = bookkeeping(db).find_one(doc! { "_id": RECORD }).await;
    let found = found.map_err(failure::startup("reading which files are applied"))?.unwrap_or_default();
    let text = |name| found.get_str(name).ok().map(str::to_owned);
    let list = found.get_array("predecessors").into_iter().flatten();
    Ok(Record {
        current: text("current"),
        predecessors: list.filter_map(Bson::as_str).map(str::to_owned).collect(),
        applying: text("applying"),
    })
}

/// Records that `generation` is about to be applied, and gives the record as it is then.
pub(super) async fn begin(db: &Database, record: &Record, generation: &Generation) -> Result<Record> {
    write(db, record, record.begun(generation)).await
}

/// Records that `generation` is applied.
pub(super) async fn finish(db: &Database, record: &Record, generation: &Generation) -> Result<Record> {
    write(db, record, record.finished(generation)).await
}

/// Records that what was begun has changed nothing.
pub(super) async fn abandon(db: &Database, record: &Record) -> Result<Record> {
    write(db, record, record.abandoned()).await
}

/// Writes `next`, unless the record is not `record` any more.
async fn write(db: &Database, record: &Record, next: Record) -> Result<Record> {
    let known = doc! { "_id": RECORD, "current": &record.current, "applying": &record.applying };
    let mut set = doc! { "predecessors": &next.predecessors, "at": "$$NOW" };
    let mut unset = Vec::new();
    for (name, hash) in [("current", &next.current), ("applying", &next.applying)] {
        match hash {
            Some(hash) => drop(set.insert(name, hash)),
            None => unset.push(name),
        }
    }
    let mut steps = vec![doc! { "$set": set }];
    steps.extend((!unset.is_empty()).then(|| doc! { "$unset": unset }));
    match bookkeeping(db).update_one(known, steps).upsert(true).await {
        Ok(_) => Ok(next),
        Err(error) if failure::code(&error) == Some(codes::DUPLICATE_KEY) => {
            Err(Error::Startup("another instance applied files meanwhile; start again".to_owned()))
        }
        Err(error) => Err(failure::startup("recording which files are applied")(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generation(hash: &str) -> Generation {
        Generation(hash.to_owned())
    }

    /// What the record says of `a`, `b` and `c`: `=` is current, `<` older, `?` new.
    fn told(record: &Record) -> String {
        let tell = |hash| match (record.is_current(&generation(hash)), record.supersedes(&generation(hash))) {
            (true, false) => '=',
            (false, true) => '<',
            (false, false) => '?',
            (true, true) => unreachable!("{record:?}"),
        };
        ["a", "b", "c"].map(tell).iter().collect()
    }

    #[test]
    fn tells_older_files_from_newer_ones() {
        // A capital letter is an apply of that generation, a small one an apply that was killed, `!` one that failed
        // before it had changed anything.
        let cases = [
            ("", "???"),
            ("A", "=??"),
            ("AA", "=??"),
            ("AB", "<=?"),
            ("ABA", "=<?"),
            ("ABAB", "<=?"),
            ("ABC", "<<="),
            ("Ab", "<??"),
            ("AbB", "<=?"),
            ("Abc", "<<?"),
            ("AbC", "<<="),
            ("AbA", "=<?"),
            ("ABa", "?<?"),
            ("ABaA", "=<?"),
            ("ABaB", "<=?"),
            ("ABb", "<??"),
            ("ABbB", "<=?"),
            ("a", "???"),
            ("ab", "<??"),
            ("aB", "<=?"),
            ("Ab!", "=??"),
            ("b!", "???"),
            ("ABa!", "<=?"),
        ];
        for (history, expected) in cases {
            let mut record = Record::default();
            for step in history.chars() {
                let generation = generation(&step.to_lowercase().to_string());
                record = match step {
                    '!' => record.abandoned(),
                    _ if step.is_uppercase() => record.begun(&generation).finished(&generation),
                    _ => record.begun(&generation),
                };
            }
            assert_eq!(told(&record), expected, "{history}: {record:?}");
        }
    }

    #[test]
    fn forgets_the_oldest_files_at_last() {
        let mut record = Record::default();
        for at in 0..=REMEMBERED + 1 {
            let generation = generation(&at.to_string());
            record = record.begun(&generation).finished(&generation);
        }
        assert!(!record.supersedes(&generation("0")) && record.supersedes(&generation("1")));
        assert_eq!(record.predecessors.len(), REMEMBERED);
    }
}
