//! `folio dev`: everything on one machine with one command.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::serve::{listen, stop_signal, unless};
use crate::{
    app::App,
    config::{Apply, Changes, Database, Open, Serving, Settings},
    error::{Error, Result},
    http,
    mongod::{self, Mongod},
    sample,
    schema::Catalog,
};

mod keys;
mod welcome;

/// The database that `folio dev` keeps its documents in.
const DATABASE: &str = "library";

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, env = "FOLIO_LISTEN", value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Folder of the collection files; without it, `schemas/` if there is one, else the sample library's
    #[arg(long, env = "FOLIO_SCHEMAS", value_name = "DIR")]
    schemas: Option<PathBuf>,
    /// Folder for the private server's data
    #[arg(long, env = "FOLIO_DATA", value_name = "DIR", default_value = ".folio/db")]
    data: PathBuf,
    /// Leave the sample's documents out
    #[arg(long)]
    no_sample: bool,
    /// Hold callers to the files' `x-access`, and make a key for each role
    #[arg(long)]
    secure: bool,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode> {
    let mut stop = stop_signal()?;
    refuse_others(args)?;
    let catalog = catalog(args.schemas.as_deref())?;
    let (listener, address) = listen(args.listen).await?;
    let supervisor = std::env::current_exe()
        .map_err(|e| Error::Startup(format!("cannot tell where the `folio` program is: {e}")))?;
    let options = mongod::Options { data: args.data.clone(), supervisor };
    let Some(mut mongod) = unless(&mut stop, Mongod::start(&options)).await? else { return Ok(ExitCode::SUCCESS) };
    let uri = mongod.uri().to_owned();
    let served = tokio::select! {
        served = serve(args, catalog, (listener, address), &uri, stop) => served,
        lost = mongod.lost() => Err(lost),
    };
    mongod.stop().await;
    served.map(|()| ExitCode::SUCCESS)
}

/// What is private to this machine is for it alone, and whoever reaches `folio dev` may do everything.
fn refuse_others(args: &Args) -> Result<()> {
    let address = args.listen;
    if address.ip().is_loopback() {
        return Ok(());
    }
    let (why, instead) = if args.secure {
        ("is for this machine alone", "folio serve")
    } else {
        ("lets every caller read and change everything", "folio serve --open=anywhere")
    };
    Err(Error::Startup(format!(
        "`folio dev` {why}, and {address} can be reached from other machines: listen on 127.0.0.1, or run `{instead}`"
    )))
}

fn catalog(schemas: Option<&Path>) -> Result<Catalog> {
    match schemas {
        Some(folder) => Catalog::load(folder),
        None if Path::new("schemas").is_dir() => Catalog::load(Path::new("schemas")),
        None => sample::catalog(),
    }
}

async fn serve(
    args: &Args,
    catalog: Catalog,
    (listener, address): (tokio::net::TcpListener, SocketAddr),
    uri: &str,
    mut stop: impl Future<Output = ()> + Send + Unpin + 'static,
) -> Result<()> {
    let settings = Settings {
        database: Database { mongodb: uri.into(), database: DATABASE.to_owned(), ..Database::default() },
        // Nobody else relies on this database, and files are edited back and forth.
        changes: Changes { apply: Apply::All, rollback: true },
        serving: Serving { listen: address, open: (!args.secure).then_some(Open::Loopback), ..Serving::default() },
    };
    let start = async {
        let keys = if args.secure { Some(keys::make(&catalog, &settings.database).await?) } else { None };
        let app = App::start_with(catalog, &settings).await?;
        if args.schemas.is_none() && !args.no_sample {
            sample::fill(&app).await?;
        }
        Ok((app, keys))
    };
    let Some((app, keys)) = unless(&mut stop, start).await? else { return Ok(()) };
    welcome::print(&app, (address, uri), keys.as_deref());
    http::serve(app, listener, stop, settings.serving.grace).await
}
