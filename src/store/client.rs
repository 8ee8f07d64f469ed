//! The one client of the database: how it is reached, and whether the server behind it can do the work.
//!
//! Reads and writes of documents are not here.

use std::{sync::Arc, time::Duration};

use mongodb::{Client, Database, error::ErrorKind};
use tokio::time::timeout;

use super::failure;
use crate::{
    config,
    error::{Error, Result},
};

pub mod pool;
mod probe;
mod settings;
mod topology;

pub use pool::PoolStats;
pub use probe::Server;
use topology::Topology;

/// A database that was reached and can do the work.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The database, with the client behind it.
    pub database: Database,
    /// What the connection pool is doing.
    pub pool: Arc<PoolStats>,
    /// What the server is.
    pub server: Server,
}

/// Reaches the database and shows that it can do the work.
///
/// # Errors
/// [`Error::Startup`], naming the hosts and the reason, where the URI is not valid or asks for weak writes, the
/// server cannot be reached within the timeouts, is older than MongoDB 5.0, is no replica set or `mongos`, or does
/// not explain the documents it refuses.
pub async fn connect(config: &config::Database) -> Result<Connection> {
    let mut settings = settings::parse(config).await?;
    let pool = PoolStats::watch(&mut settings);
    let topology = Topology::watch(&mut settings);
    let limit = patience(&settings);
    let client = Client::with_options(settings).map_err(failure::startup("setting up the MongoDB client"))?;
    let database = client.database(&config.database);
    let identity = timeout(limit, probe::identify(&database)).await;
    let (hello, build) = match identity {
        Ok(Ok(identity)) => identity,
        Ok(Err(error)) => return Err(Error::Startup(topology.explain(refused(error.kind.as_ref())))),
        Err(_) => return Err(Error::Startup(topology.explain(None))),
    };
    let server = probe::judge(&hello, &build).map_err(|why| Error::Startup(topology.explain(Some(why))))?;
    probe::show_verdicts(&database, &server).await?;
    Ok(Connection { database, pool, server })
}

/// What a server that was reached said against us; `None` where none was reached.
fn refused(kind: &ErrorKind) -> Option<String> {
    match kind {
        ErrorKind::ServerSelection { .. } | ErrorKind::ConnectionPoolCleared { .. } => None,
        ErrorKind::Authentication { message, .. } => Some(topology::locked_out(message)),
        ErrorKind::Io(io) => Some(topology::io_reason(io)),
        ErrorKind::Command(command) => Some(command.message.clone()),
        kind => Some(kind.to_string()),
    }
}

/// A server that takes connections and never answers is given up after finding and connecting had their time.
fn patience(settings: &mongodb::options::ClientOptions) -> Duration {
    settings.server_selection_timeout.unwrap_or_default() + settings.connect_timeout.unwrap_or_default()
}
