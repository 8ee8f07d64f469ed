//! `folio check`: the collection files' mistakes, all at once, what MongoDB says of their examples, and what roles may do
//! by them.

use std::{path::PathBuf, process::ExitCode};

use clap::builder::{NonEmptyStringValueParser, TypedValueParser};
use examples::try_all;
use trial::Tried;

use super::{say, warn};
use crate::{
    config::{Database, Schemas},
    error::{Error, Result},
    schema::{Catalog, Schema, advice::advise, meta},
};

mod examples;
mod fields;
mod roles;
mod table;
mod trial;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    schemas: Schemas,
    /// Show what callers with these roles may do, in every collection
    #[arg(long = "as", value_name = "ROLE", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new().map(|role| role.trim().to_owned()))]
    roles: Vec<String>,
    /// Have MongoDB judge the files' `examples` and `x-counterexamples`, in a database made beside the named one for the
    /// time being
    #[arg(long, conflicts_with = "roles")]
    examples: bool,
    /// End with exit code 1 where there are warnings
    #[arg(long, alias = "strict", conflicts_with = "roles")]
    deny_warnings: bool,
    /// Write the JSON Schema of collection files, for editors, into a file, and check nothing; without a file, print it
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    #[arg(conflicts_with_all = ["roles", "examples", "deny_warnings"])]
    meta: Option<PathBuf>,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode> {
    if let Some(file) = &args.meta {
        return write_meta(file);
    }
    let catalog = Catalog::load(&args.schemas.schemas)?;
    if !args.roles.is_empty() {
        say(roles::show(&catalog, &args.roles)?);
        return Ok(ExitCode::SUCCESS);
    }
    let tried = if args.examples { try_all(&catalog, &args.database).await? } else { Vec::new() };
    report(&catalog, &tried);
    let warnings = warn_of(&catalog);
    let mistakes: Vec<_> = tried.into_iter().flat_map(|tried| tried.mistakes).collect();
    if !mistakes.is_empty() {
        return Err(Error::Schemas(mistakes));
    }
    Ok(if args.deny_warnings && warnings > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn write_meta(file: &PathBuf) -> Result<ExitCode> {
    if file.as_os_str() == "-" {
        say(meta::text().trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let written = std::fs::write(file, meta::text());
    written.map_err(|error| Error::Startup(format!("cannot write `{}`: {error}", file.display())))?;
    Ok(ExitCode::SUCCESS)
}

/// Says what is right, and how much is wrong, which comes together at the end. Without `--examples`, nothing was tried.
fn report(catalog: &Catalog, tried: &[Tried]) {
    for (at, schema) in catalog.iter().enumerate() {
        let tried = tried.get(at);
        say(match tried.map_or(0, |tried| tried.mistakes.len()) {
            0 => summary(schema, tried),
            mistakes => format!("{}: {}", schema.source.path, counted(mistakes, ["mistake", "mistakes"])),
        });
        for refused in tried.into_iter().flat_map(|tried| &tried.refused) {
            say(format_args!("    {refused}"));
        }
    }
}

fn summary(schema: &Schema, tried: Option<&Tried>) -> String {
    let mut parts = vec![format!("{}: ok", schema.source.path), counted(schema.indexes.len(), ["index", "indexes"])];
    if let Some(tried) = tried {
        parts.push(counted(tried.accepted, ["example", "examples"]) + " accepted");
        parts.push(counted(tried.refused.len(), ["counterexample", "counterexamples"]) + " refused");
    }
    parts.join(", ")
}

fn counted(count: usize, [one, many]: [&str; 2]) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Says what is hardly meant, and how much there is of it.
fn warn_of(catalog: &Catalog) -> usize {
    let advice: Vec<_> = catalog.iter().flat_map(|schema| advise(schema)).collect();
    for advice in &advice {
        warn(advice);
    }
    advice.len()
}
