//! `folio supervise-mongod`, the keeper of the private server: not for people.

use std::{path::PathBuf, process::ExitCode};

use crate::{error::Result, mongod};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[arg(long)]
    mongod: PathBuf,
    #[arg(long)]
    data: PathBuf,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode> {
    Ok(mongod::supervise(&args.mongod, &args.data).await)
}
