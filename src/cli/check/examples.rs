//! `folio check --examples`: what MongoDB itself says of the examples in the files.
//!
//! The collections are made as a start would make them, in a scratch database that is gone afterwards, however it ends.

use std::{cell::Cell, pin::pin, time::Duration};

use mongodb::Database;
use tokio::time::timeout;

use super::trial::{self, Tried};
use crate::{
    cli::serve::stop_signal,
    config::{self, Apply},
    error::{Error, Result},
    schema::{Catalog, Options, Schema, options::Validation},
    store::{
        client::{self, Connection},
        failure,
        scratch::database as scratch,
    },
    sync,
};

/// How long what runs may take to end when it is to stop. What is left behind then is swept by the next run.
const PATIENCE: Duration = Duration::from_secs(5);

/// What came of the examples of each file, in the catalog's order.
pub(super) async fn try_all(catalog: &Catalog, database: &config::Database) -> Result<Vec<Tried>> {
    let (stop, is_stopping) = (stop_signal()?, Cell::new(false));
    let mut work = pin!(in_scratch(catalog, database, &is_stopping));
    tokio::select! {
        tried = &mut work => tried,
        () = stop => {
            is_stopping.set(true);
            // A command that was sent goes on without us, and would make the database again after it was dropped.
            drop(timeout(PATIENCE, work).await);
            Err(Error::Startup("stopped before every example was tried".to_owned()))
        }
    }
}

async fn in_scratch(catalog: &Catalog, database: &config::Database, is_stopping: &Cell<bool>) -> Result<Vec<Tried>> {
    let own = config::Database { database: scratch::name(&database.database), ..database.clone() };
    let Connection { database: db, .. } = client::connect(&own).await?;
    if let Err(error) = scratch::sweep(db.client(), &database.database).await {
        tracing::warn!(cause = failure::reason(&error), "scratch databases of earlier runs could not be looked for");
    }
    let tried = in_database(&db, catalog, is_stopping).await;
    scratch::remove(&db).await;
    db.client().clone().shutdown().await;
    tried
}

async fn in_database(db: &Database, catalog: &Catalog, is_stopping: &Cell<bool>) -> Result<Vec<Tried>> {
    if is_stopping.get() {
        return Ok(Vec::new());
    }
    let catalog = &enforced(catalog);
    sync::run(db, catalog, &Apply::All.into()).await?;
    let mut tried = Vec::new();
    for schema in catalog.iter().take_while(|_| !is_stopping.get()) {
        tried.push(trial::of_file(db, schema, is_stopping).await?);
    }
    Ok(tried)
}

/// The collections with rules that every document is held to, whatever becomes of stored documents that break them.
fn enforced(catalog: &Catalog) -> Catalog {
    let schemas = catalog.iter().map(|schema| {
        let options = Options { validation: Validation::default(), ..schema.options.clone() };
        Schema { options, is_enforced: true, ..Schema::clone(schema) }
    });
    schemas.collect()
}
