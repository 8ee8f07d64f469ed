//! `folio plan`: what would change in the database.

use std::process::ExitCode;

use super::say;
use crate::{
    config::{Database, Schemas},
    error::Result,
    schema::Catalog,
    store::client,
    sync,
};

/// The exit code that tells a script that changes are pending.
const PENDING: u8 = 2;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    schemas: Schemas,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode> {
    let catalog = Catalog::load(&args.schemas.schemas)?;
    let connection = client::connect(&args.database).await?;
    let plan = sync::plan(&connection.database, &catalog).await?;
    connection.database.client().clone().shutdown().await;
    if plan.changes.is_empty() {
        say("the database is as the collection files say");
    } else {
        say(&plan);
    }
    Ok(if plan.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(PENDING) })
}
