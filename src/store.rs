//! The database. Everything that reads or writes documents passes here, and only with a [`Permitted`](crate::access::Permitted) plan.

use std::time::Duration;

use bson::RawDocumentBuf;
use mongodb::{Collection, Database};
use tokio::time::timeout;

use crate::{
    error::{Error, Result},
    etag::EtagKey,
    schema::Schema,
};

pub mod client;
pub(crate) mod failure;
mod read;
pub(crate) mod scratch;
mod write;

pub use read::{Page, collections, find, get, ping};
pub use write::{Changed, change, insert};

/// The database that documents live in, and how long its commands may take.
#[derive(Debug, Clone)]
pub struct Store {
    /// The database, over the one client that all requests share.
    pub database: Database,
    /// What entity tags are keyed with.
    pub etag: EtagKey,
    /// How long the work of one request may take.
    pub deadline: Duration,
}

impl Store {
    /// The same database for a request that may take at most `deadline`.
    #[must_use]
    pub fn until(&self, deadline: Duration) -> Self {
        Self { deadline: deadline.min(self.deadline), ..self.clone() }
    }

    fn collection(&self, schema: &Schema) -> Collection<RawDocumentBuf> {
        self.database.collection(&schema.name)
    }

    /// Gives `work` up at the deadline. The time limits of its commands do not help with a server that does not answer.
    fn within<T>(&self, work: impl Future<Output = Result<T>>) -> impl Future<Output = Result<T>> {
        // The driver's futures are large.
        let work = timeout(self.deadline, Box::pin(work));
        async { work.await.unwrap_or(Err(Error::DeadlineExceeded)) }
    }
}
