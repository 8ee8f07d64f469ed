//! `folio check`: the collection files' mistakes, all at once.

use std::process::ExitCode;

use super::say;
use crate::{config::Schemas, error::Result, schema::Catalog};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    schemas: Schemas,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let catalog = Catalog::load(&args.schemas.schemas)?;
    for schema in catalog.iter() {
        say(format_args!("{}: ok, {} indexes", schema.source.path, schema.indexes.len()));
    }
    Ok(ExitCode::SUCCESS)
}
