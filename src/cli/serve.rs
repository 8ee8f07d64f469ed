//! `folio serve`: the API on a database that is already there.

use std::{net::SocketAddr, process::ExitCode, sync::Arc};

use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::say;
use crate::{
    access::Caller,
    app::App,
    config::{Database, Schemas, Settings},
    error::{Error, Result},
    http,
    schema::{
        Catalog,
        access::{ADMIN, ANONYMOUS},
    },
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    schemas: Schemas,
    #[command(flatten)]
    settings: Settings,
    /// Threads that answer requests; without it, one for every two cores
    #[arg(long, env = "FOLIO_THREADS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl Args {
    /// How many threads answer requests. Work that moves between threads costs more of each, and one thread answers
    /// many thousand requests a second: the database gets the other half of a machine that it is on, too.
    pub(super) fn threads(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or(cores.div_ceil(2), usize::from)
    }
}

pub(super) async fn run(args: &Args) -> Result<ExitCode> {
    let mut stop = stop_signal()?;
    let Some(app) = unless(&mut stop, App::start(&args.schemas, &args.settings)).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let serving = &args.settings.serving;
    let (listener, address) = listen(serving.listen).await?;
    if serving.open.is_some() {
        tracing::warn!("open: whoever reaches {address} may read and change everything");
    } else {
        say_who_is_served(&app, args);
    }
    say(format_args!("serving http://{address}/v1"));
    http::serve(app, listener, stop, serving.grace).await?;
    Ok(ExitCode::SUCCESS)
}

/// Says by what callers are known, and how one becomes known where nobody can be yet.
fn say_who_is_served(app: &App, args: &Args) {
    let authenticator = app.authenticator();
    match &args.settings.serving.tokens.jwt_issuer {
        Some(issuer) if authenticator.takes_tokens() => {
            tracing::info!("callers are known by API keys (`folio keys add`) and by tokens of {issuer}");
        }
        _ => tracing::info!(
            "callers are known by API keys (`folio keys add`); tokens need `--jwt-secret` or `--jwt-keys`"
        ),
    }
    let serves_anyone = app.policy().views(app.catalog(), &Arc::new(Caller::anonymous())).next().is_some();
    if !serves_anyone && !authenticator.takes_tokens() && !authenticator.has_keys() {
        tracing::warn!("nobody can use the API yet: make the first key with `{}`", first_key(app.catalog(), args));
    }
}

/// The command that makes a key for this service, with a role that may do something. What the connection string holds is
/// not repeated.
fn first_key(catalog: &Catalog, args: &Args) -> String {
    let (database, defaults) = (&args.settings.database, Database::default());
    let roles = catalog.roles();
    let role = roles.get(ADMIN).or_else(|| roles.iter().find(|role| **role != ANONYMOUS)).copied();
    let role = role.unwrap_or(ADMIN);
    let mut command = vec![format!("folio keys add --role {role} --name \"first key\"")];
    if args.schemas.schemas.as_os_str() != "schemas" {
        command.push(format!("--schemas '{}'", args.schemas.schemas.display()));
    }
    if database.database != defaults.database {
        command.push(format!("--database '{}'", database.database));
    }
    if let Some(file) = &database.mongodb_file {
        command.push(format!("--mongodb-file '{}'", file.display()));
    } else if database.mongodb != defaults.mongodb {
        command.push("--mongodb …".to_owned());
    }
    command.join(" ")
}

pub(super) async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let failed = |e: std::io::Error| {
        Error::Startup(format!("cannot listen on {address}: {e}; free it, or choose another with `--listen`"))
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// Ready when the process is asked to stop: SIGTERM, or Ctrl-C.
pub(super) fn stop_signal() -> Result<impl Future<Output = ()> + Send + Unpin + 'static> {
    let watch = |kind| signal(kind).map_err(|e| Error::Startup(format!("cannot watch for signals: {e}")));
    let (mut terminate, mut interrupt) = (watch(SignalKind::terminate())?, watch(SignalKind::interrupt())?);
    Ok(Box::pin(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }))
}

/// What `start` comes to; nothing if the order to stop comes first. A start may wait long, for a lease or a download.
pub(super) async fn unless<T>(
    stop: &mut (impl Future<Output = ()> + Unpin),
    start: impl Future<Output = Result<T>>,
) -> Result<Option<T>> {
    tokio::select! {
        started = start => started.map(Some),
        () = stop => {
            tracing::info!("stopped before it was ready");
            Ok(None)
        }
    }
}
