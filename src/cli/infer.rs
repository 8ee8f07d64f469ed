//! `folio infer`: a first collection file for a collection that exists.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    num::NonZeroU64,
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{need_folder_of, say};
use crate::{
    config::{Database, at_least_one},
    error::{Error, Result},
    store::client,
    sync,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The collection to describe
    #[arg(value_name = "COLLECTION")]
    collection: String,
    /// How many documents to read, drawn at random; a larger collection is then searched for those that do not fit
    #[arg(long, value_name = "N", default_value = "10000", value_parser = at_least_one)]
    sample: NonZeroU64,
    /// File to write, or the folder for it, in place of the standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over a file that is already there
    #[arg(long, requires = "out")]
    force: bool,
    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode> {
    let out = args.out.as_ref().map(|out| if out.is_dir() { out.join(args.file_name()) } else { out.clone() });
    out.as_deref().map_or(Ok(()), |out| look(out, args.force))?;
    let connection = client::connect(&args.database).await?;
    let adopted = sync::adopt(&connection.database, &args.collection, args.sample).await;
    connection.database.client().clone().shutdown().await;
    let adopted = adopted?;
    let text = &adopted.schema.source.text;
    match out {
        None => say(text.trim_end()),
        Some(out) => {
            write(&out, text, args.force)?;
            say(format_args!("{}: from {} of about {} documents", out.display(), adopted.read, adopted.documents));
            say("look through it, then see by `folio check` and `folio plan` what it asks of the database");
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    fn file_name(&self) -> String {
        format!("{}.json", self.collection)
    }
}

/// Refuses a place where the file could not be written, before the collection is read.
fn look(path: &Path, force: bool) -> Result<()> {
    need_folder_of(path)?;
    if !force && path.exists() { Err(taken(path)) } else { Ok(()) }
}

fn write(path: &Path, text: &str, force: bool) -> Result<()> {
    let mut options = OpenOptions::new();
    let options = if force { options.create(true).truncate(true) } else { options.create_new(true) };
    let written = options.write(true).open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => taken(path),
        _ => Error::Startup(format!("cannot write `{}`: {error}", path.display())),
    })
}

fn taken(path: &Path) -> Error {
    Error::Startup(format!("`{}` is already there: write over it with `--force`, or name another", path.display()))
}
