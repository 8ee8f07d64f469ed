//! `folio check`: the collection files' mistakes, all at once, and what roles may do by them.

use std::process::ExitCode;

use clap::builder::{NonEmptyStringValueParser, TypedValueParser};

use super::say;
use crate::{config::Schemas, error::Result, schema::Catalog};

mod roles;
mod table;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    schemas: Schemas,
    /// Show what callers with these roles may do, in every collection
    #[arg(long = "as", value_name = "ROLE", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new().map(|role| role.trim().to_owned()))]
    roles: Vec<String>,
}

pub(super) fn run(args: &Args) -> Result<ExitCode> {
    let catalog = Catalog::load(&args.schemas.schemas)?;
    if !args.roles.is_empty() {
        say(roles::show(&catalog, &args.roles)?);
        return Ok(ExitCode::SUCCESS);
    }
    for schema in catalog.iter() {
        say(format_args!("{}: ok, {} indexes", schema.source.path, schema.indexes.len()));
    }
    Ok(ExitCode::SUCCESS)
}
