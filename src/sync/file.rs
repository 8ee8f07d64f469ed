//! A plan in a file: what was seen when it was made, so that it is carried out on nothing else.
//!
//! A fingerprint holds a hash of each collection as it was found (validator, options, indexes; not the documents),
//! of each file as far as it is applied, and of the record of what was applied last. Documents come and go: whatever
//! stands in the way is counted again when the plan is carried out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, OpenOptions, Permissions},
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};

use bson::{Bson, Document, doc};
use mongodb::Database;
use serde::{Deserialize, Serialize};

use super::{
    Plan,
    generation::{self, Record},
    json::{Shown, VERSION},
    observe::{self, Found, Observed},
    strong,
};
use crate::{
    config::Apply,
    error::{Error, Result},
    schema::{Catalog, Index},
};

/// The most that is read of a plan's file, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// The mode of a file that only its owner may read.
const OWN: u32 = 0o600;

/// What a plan was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The hash of each declared collection as it was found, by name; those that were not there are missing.
    collections: BTreeMap<String, String>,
    /// The hash of what is applied of each file, by the collection's name.
    files: BTreeMap<String, String>,
    /// The files that were applied last, and those whose applying has not ended.
    applied: [Option<String>; 2],
}

impl Fingerprint {
    /// What there is now.
    pub async fn take(db: &Database, catalog: &Catalog) -> Result<Self> {
        let (observed, record) = look(&strong(db), catalog).await?;
        Self::of(catalog, &observed, &record)
    }

    fn of(catalog: &Catalog, observed: &Observed, record: &Record) -> Result<Self> {
        let found = catalog.iter().filter_map(|schema| Some((&schema.name, observed.get(&schema.name)?)));
        let collections = found.map(|(name, found)| Ok((name.clone(), hash(&essence(found))?)));
        let files = catalog.iter().map(|schema| Ok((schema.name.clone(), hash(&generation::essence(schema))?)));
        Ok(Self {
            collections: collections.collect::<Result<_>>()?,
            files: files.collect::<Result<_>>()?,
            applied: record.heads().map(|hash| hash.map(str::to_owned)),
        })
    }

    /// The whole as one hash.
    pub fn digest(&self) -> String {
        let Self { collections, files, applied } = self;
        let text = format!("{collections:?} {files:?} {applied:?}");
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }

    /// What is another now than it was.
    fn moved(&self, now: &Self) -> Vec<String> {
        let differing = |was: &BTreeMap<String, String>, is: &BTreeMap<String, String>| {
            let names: BTreeSet<_> = was.keys().chain(is.keys()).cloned().collect();
            names.into_iter().filter(|name| was.get(name) != is.get(name)).collect::<Vec<_>>()
        };
        let collection = |name: String| format!("the collection `{name}` is not as it was");
        let file = |name: String| format!("the file of `{name}` is another");
        let applied = || "other files were applied meanwhile".to_owned();
        let collections = differing(&self.collections, &now.collections).into_iter().map(collection);
        let files = differing(&self.files, &now.files).into_iter().map(file);
        collections.chain(files).chain((self.applied != now.applied).then(applied)).collect()
    }
}

async fn look(db: &Database, catalog: &Catalog) -> Result<(Observed, Record)> {
    futures::try_join!(observe::observe(db, catalog), generation::read(db))
}

/// A collection as it was found; the number of documents and how far indexes are built, which change by themselves, are
/// no part of it.
fn essence(found: &Found) -> Bson {
    let Found { kind, rules, stage, pre_images, locale, documents: _, indexes, building: _ } = found;
    let index = |index: &Index| doc! { "name": &index.name, "keys": &index.keys, "options": &index.options };
    let indexes: BTreeMap<_, _> = indexes.iter().map(|found| (&found.name, index(found))).collect();
    let indexes: Document = indexes.into_iter().map(|(name, index)| (name.clone(), Bson::Document(index))).collect();
    let stage = stage.map(|stage| format!("{stage:?}"));
    let options = doc! { "rules": rules.options(), "stage": stage, "preImages": *pre_images };
    Bson::Document(doc! { "kind": kind, "options": options, "locale": locale.as_deref(), "indexes": indexes })
}

fn hash(value: &Bson) -> Result<String> {
    let bytes = doc! { "": value }.to_vec().map_err(|e| Error::Internal(format!("a plan cannot be hashed: {e}")))?;
    Ok(blake3::hash(&bytes).to_hex().to_string())
}

/// A plan's file, as it is written.
#[derive(Debug, Serialize)]
struct Written<'p> {
    #[serde(flatten)]
    plan: Shown<'p>,
    fingerprint: &'p Fingerprint,
}

/// Writes a plan and what it was made from. The samples in it are of stored documents, so others may not read it.
///
/// # Errors
/// [`Error::Startup`] where the file cannot be written.
pub fn write(path: &Path, plan: &Plan, fingerprint: &Fingerprint) -> Result<()> {
    let failed = |e: std::io::Error| Error::Startup(format!("cannot write the plan to `{}`: {e}", path.display()));
    let text = serde_json::to_string_pretty(&Written { plan: plan.into(), fingerprint });
    let text = text.map_err(|e| Error::Internal(format!("the plan cannot be written as JSON: {e}")))?;
    let write = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(OWN).open(path)?;
        // The mode is that of a new file only. Where no file is meant, as in `/dev/stdout`, there is nothing to guard.
        if file.metadata()?.is_file() {
            file.set_permissions(Permissions::from_mode(OWN))?;
        }
        writeln!(file, "{text}")
    };
    write().map_err(failed)
}

/// What of a plan's file matters when it is carried out.
#[derive(Debug, Clone, Deserialize)]
pub struct Planned {
    version: u32,
    apply: Option<Level>,
    fingerprint: Fingerprint,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Safe,
    All,
}

impl Planned {
    /// Reads a plan's file.
    ///
    /// # Errors
    /// [`Error::Startup`] where it cannot be read, or is no plan of this version.
    pub fn read(path: &Path) -> Result<Self> {
        let refuse = |why: String| Error::Startup(format!("`{}` is not a plan to apply: {why}", path.display()));
        let failed = |e: std::io::Error| Error::Startup(format!("cannot read the plan `{}`: {e}", path.display()));
        if fs::metadata(path).map_err(failed)?.len() > MAX_FILE {
            return Err(refuse("it is too large".to_owned()));
        }
        let text = fs::read(path).map_err(failed)?;
        let planned: Self =
            serde_json::from_slice(&text).map_err(|e| refuse(format!("{e}; make one with `folio plan --out`")))?;
        match planned.version {
            VERSION => Ok(planned),
            other => Err(refuse(format!("it is of version {other}, and this is version {VERSION}; make it anew"))),
        }
    }

    /// What its changes need; [`Apply::Safe`] where it has none.
    pub fn apply(&self) -> Apply {
        match self.apply {
            Some(Level::All) => Apply::All,
            Some(Level::Safe) | None => Apply::Safe,
        }
    }

    /// The digest of what it was made from.
    pub fn digest(&self) -> String {
        self.fingerprint.digest()
    }

    /// Refuses to be carried out on anything else than it was made from.
    ///
    /// # Errors
    /// [`Error::Startup`] that says what has moved since.
    pub fn check(&self, now: &Fingerprint) -> Result<()> {
        let moved = self.fingerprint.moved(now);
        if moved.is_empty() {
            return Ok(());
        }
        let moved = moved.join("\n    ");
        Err(Error::Startup(format!(
            "the plan is out of date, nothing was changed:\n    {moved}\nmake it anew with `folio plan --out`, and look at it again"
        )))
    }
}
