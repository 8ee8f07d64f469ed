//! `folio dev`: everything on one machine with one command.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use super::{
    say,
    serve::{listen, stop_signal, unless},
};
use crate::{
    app::App,
    config::{Apply, Changes, Database, Open, Serving, Settings},
    error::{Error, Result},
    http,
    mongod::{self, Mongod},
    sample,
    schema::Catalog,
};

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
}

pub(super) async fn run(args: &Args) -> Result<ExitCode> {
    let mut stop = stop_signal()?;
    refuse_others(args.listen)?;
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

/// Whoever reaches `folio dev` may do everything, so only this machine may.
fn refuse_others(address: SocketAddr) -> Result<()> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    Err(Error::Startup(format!(
        "`folio dev` lets every caller read and change everything, and {address} can be reached from other machines: \
         listen on 127.0.0.1, or run `folio serve --open=anywhere`"
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
        changes: Changes { apply: Apply::All },
        serving: Serving { listen: address, open: Some(Open::Loopback), ..Serving::default() },
    };
    let start = async {
        let app = App::start_with(catalog, &settings).await?;
        if args.schemas.is_none() && !args.no_sample {
            sample::fill(&app).await?;
        }
        Ok(app)
    };
    let Some(app) = unless(&mut stop, start).await? else { return Ok(()) };
    welcome(&app, address, uri);
    http::serve(app, listener, stop, settings.serving.grace).await
}

fn welcome(app: &App, address: SocketAddr, uri: &str) {
    let first = app.catalog().iter().next().map_or("", |schema| schema.name.as_str());
    let shell = uri.replacen("/?", &format!("/{DATABASE}?"), 1);
    say(format_args!("\nFolio serves {} collections at http://{address}/v1\n", app.catalog().iter().count()));
    say("Try it:");
    if app.catalog().get("books").is_some() {
        say(format_args!("  curl 'http://{address}/v1/books?sort=-year&limit=3&fields=title,year'"));
        say(format_args!("  curl -g 'http://{address}/v1/books?tags=poetry&year[gte]=1900&limit=5'"));
        say(format_args!(
            "  curl -X POST http://{address}/v1/books -H 'Content-Type: application/json' -d '{{\"price\":\"cheap\"}}'"
        ));
    } else {
        say(format_args!("  curl http://{address}/v1"));
        say(format_args!("  curl http://{address}/v1/{first}"));
        say(format_args!("  curl http://{address}/v1/{first}/_schema"));
    }
    say(format_args!("\nLook at what is stored:\n  mongosh \"{shell}\"\n\nStop with Ctrl-C."));
}
