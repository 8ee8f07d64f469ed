//! The sample's documents into the database, the way any program with typed documents would store them.

use futures::{StreamExt, TryStreamExt, stream};

use super::{Author, Book, FILES, Loan, Member, SCHEMAS};
use crate::{
    app::App,
    codec::decode,
    document::{Document, Find},
    error::{Error, Result},
    schema::{Catalog, load},
};

/// How many documents are on their way to the database at a time.
const AT_ONCE: usize = 16;

/// The catalog of the sample's own files.
pub fn catalog() -> Result<Catalog> {
    let parsed =
        SCHEMAS.iter().map(|(name, text)| load::parse(&format!("schemas/{name}.json"), name, (*text).to_owned()));
    parsed.collect::<Result<_, _>>().map_err(Error::Schemas)
}

/// Stores the sample's documents in those of its collections that are declared and empty.
pub async fn fill(app: &App) -> Result<()> {
    let [authors, books, members, loans] = FILES;
    collection::<Author>(app, authors.1).await?;
    collection::<Book>(app, books.1).await?;
    collection::<Member>(app, members.1).await?;
    collection::<Loan>(app, loans.1).await
}

async fn collection<T: Document>(app: &App, lines: &str) -> Result<()> {
    let Ok(collection) = app.collection::<T>() else { return Ok(()) };
    if !collection.find(Find { limit: 1, ..Find::default() }).await?.is_empty() {
        return Ok(());
    }
    let shape = &app.schema(T::COLLECTION)?.root;
    let inserts = lines.lines().map(|line| async {
        let document = decode::document(line.as_bytes(), shape)?;
        let typed: T = bson::deserialize_from_slice(document.as_bytes()).map_err(|e| {
            Error::Internal(format!("a sample document of `{}` is not as its type says: {e}", T::COLLECTION))
        })?;
        collection.insert(&typed).await.map(drop)
    });
    stream::iter(inserts).buffer_unordered(AT_ONCE).try_collect().await
}
