//! A collection that exists, described by a first file of its own.
//!
//! What the documents have in common is gathered in `infer`; here they are read, and the file is held against all of
//! them: MongoDB itself says which break it, and what these have in common with the others goes into the next draft.

use std::num::NonZeroU64;

use bson::{Document, RawDocumentBuf, doc};
use mongodb::{Collection, Cursor, Database, error::Error as DriverError};

use super::observe;
use crate::{
    error::{Error, Result, nearest},
    infer::Census,
    schema::{Schema, load},
    store::failure,
};

mod draft;

use draft::{Draft, Extent};

/// How often the documents that break a draft of a sample are read before all are.
const REFITS: usize = 4;

/// A collection file for a collection that exists.
#[derive(Debug, Clone)]
pub struct Adopted {
    /// The file.
    pub schema: Schema,
    /// How many documents were read to write it.
    pub read: u64,
    /// About how many there are.
    pub documents: u64,
}

/// Describes the collection `name`, of which at most `sample` documents are read at first.
///
/// All documents that the collection holds when this ends fit the file, unless others write to it meanwhile; its
/// indexes are as the file says, or are named in it as left alone. Documents are read where the connection string
/// prefers reads to go: nothing is written, and a secondary will do.
///
/// # Errors
/// [`Error::Startup`] where there is no such collection, no file can describe it, or its documents change so fast
/// that there is no file which fits them.
pub async fn adopt(db: &Database, name: &str, sample: NonZeroU64) -> Result<Adopted> {
    load::check_name(name).map_err(|rule| Error::Startup(format!("no file can describe `{name}`: {rule}")))?;
    let found = observe::collection(db, name).await?;
    let found = match found {
        Some(found) if found.kind == "collection" => found,
        Some(found) => return Err(Error::Startup(format!("no file can describe `{name}`: it is a {}", found.kind))),
        None => return Err(missing(db, name).await?),
    };
    let stored = db.collection(name);
    let mut draft = Draft::of(name, found);
    let schema = fit(&stored, &mut draft, sample).await?;
    Ok(Adopted { schema, read: draft.extent.read, documents: draft.found.documents })
}

async fn missing(db: &Database, name: &str) -> Result<Error> {
    let names = db.list_collection_names().await.map_err(failure::startup("reading the names of the collections"))?;
    let near = nearest(name, names.iter().map(String::as_str));
    let near = near.map_or("; `--database` names another".to_owned(), |near| format!(", did you mean `{near}`?"));
    Ok(Error::Startup(format!("there is no collection `{name}` in the database `{}`{near}", db.name())))
}

/// Drafts until all documents fit: from a sample and those that break what it says, then from all, then without
/// anything that is a guess.
async fn fit(stored: &Stored, draft: &mut Draft, sample: NonZeroU64) -> Result<Schema> {
    let mut census = gather(stored, draft, Some(sample)).await?;
    for _ in 0..REFITS {
        let schema = draft.write(&mut census)?;
        if refit(stored, &schema, &mut draft.extent, &mut census).await? == 0 {
            return Ok(schema);
        }
    }
    census = gather(stored, draft, None).await?;
    for plain in [draft.plain, true] {
        draft.plain = plain;
        let schema = draft.write(&mut census)?;
        if refit(stored, &schema, &mut draft.extent, &mut census).await? == 0 {
            return Ok(schema);
        }
    }
    Err(Error::Startup(format!(
        "the documents of `{}` change faster than they can be described: try again when fewer are written",
        stored.name()
    )))
}

type Stored = Collection<RawDocumentBuf>;

/// Reads `sample` documents, drawn at random, or all if there are no more or none is given.
async fn gather(stored: &Stored, draft: &mut Draft, sample: Option<NonZeroU64>) -> Result<Census> {
    let sample = sample.map(NonZeroU64::get).filter(|sample| *sample < draft.found.documents);
    let mut census = Census::default();
    let cursor = match sample {
        Some(size) => draw(stored, size).await,
        None => stored.find(doc! {}).await,
    };
    let read = observe(cursor, &mut census).await;
    draft.extent = Extent { sampled: sample.is_some(), read: read.map_err(reading(stored))?, refitted: 0 };
    tracing::info!("read {} of about {} documents of `{}`", draft.extent.read, draft.found.documents, stored.name());
    Ok(census)
}

async fn draw(stored: &Stored, size: u64) -> Result<Cursor<RawDocumentBuf>, DriverError> {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    stored.aggregate([doc! { "$sample": { "size": size } }]).allow_disk_use(true).with_type().await
}

/// Reads the documents that break the draft, and says how many there are.
async fn refit(stored: &Stored, schema: &Schema, extent: &mut Extent, census: &mut Census) -> Result<u64> {
    let broken: Document = doc! { "$nor": [&schema.validator] };
    let more = observe(stored.find(broken).await, census).await.map_err(reading(stored))?;
    tracing::info!("{more} documents of `{}` do not fit the draft", stored.name());
    extent.refitted += more;
    Ok(more)
}

async fn observe(cursor: Result<Cursor<RawDocumentBuf>, DriverError>, census: &mut Census) -> Result<u64, DriverError> {
    let (mut cursor, mut read) = (cursor?, 0);
    while cursor.advance().await? {
        census.observe(cursor.current());
        read += 1;
    }
    Ok(read)
}

fn reading(stored: &Stored) -> impl Fn(DriverError) -> Error {
    let doing = format!("reading the documents of `{}`", stored.name());
    move |error| failure::startup(&doing)(error)
}
