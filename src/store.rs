//! The database. Everything that reads or writes documents passes here, and only with a [`Permitted`](crate::access::Permitted) plan.

use std::time::Duration;

use bson::RawDocumentBuf;
use mongodb::{Collection, Database};
use tokio::time::{Instant, timeout};

use crate::{
    error::{Error, Result},
    etag::EtagKey,
    schema::Schema,
};

pub mod client;
mod discretion;
mod explain;
pub(crate) mod failure;
mod guard;
pub(crate) mod indexes;
pub mod keys;
mod read;
pub(crate) mod scratch;
mod session;
mod write;

pub use explain::{Explanation, Summary, explain};
pub use guard::Guard;
pub use indexes::{IndexUse, indexes};
pub use keys::Keys;
pub use read::{Page, counts, find, get, ping};
pub use session::idle::Idle;
pub use write::{
    Changed, Counts, Effect, Inserted, Outcome, Shown, change, change_many, insert, insert_all, insert_each, write_all,
    write_each,
};

/// How long past the deadline the server may take to say so. Giving it up before costs the connection.
const GRACE: Duration = Duration::from_millis(50);

/// The database that documents live in, and how long its commands may take.
#[derive(Debug, Clone)]
pub struct Store {
    /// The database, over the one client that all requests share.
    pub database: Database,
    /// What entity tags are keyed with.
    pub etag: EtagKey,
    /// How long the work of one request may take, in whole milliseconds, at least one.
    pub deadline: Duration,
    /// What keeps lists from costing too much.
    pub guard: Guard,
    /// What work is done in.
    pub sessions: Idle,
}

impl Store {
    /// The same database for a request that may take at most `deadline`.
    #[must_use]
    pub fn until(&self, deadline: Duration) -> Self {
        Self { deadline: whole_millis(deadline.min(self.deadline)), ..self.clone() }
    }

    fn collection(&self, schema: &Schema) -> Collection<RawDocumentBuf> {
        self.database.collection(&schema.name)
    }

    /// The deadline as a command's `maxTimeMS`.
    fn max_time_ms(&self) -> i64 {
        self.deadline.as_millis().try_into().unwrap_or(i64::MAX)
    }

    /// Gives `work` up once the deadline is past. The time limits of its commands do not help with a server that does
    /// not answer.
    fn within<T>(&self, work: impl Future<Output = Result<T>>) -> impl Future<Output = Result<T>> {
        // The driver's futures are large.
        let work = timeout(self.deadline.saturating_add(GRACE), Box::pin(work));
        async { work.await.unwrap_or(Err(Error::DeadlineExceeded)) }
    }
}

/// What is left until `deadline`, for a command's `maxTimeMS`.
fn left(deadline: Instant) -> Duration {
    whole_millis(deadline.saturating_duration_since(Instant::now()))
}

/// `time` as `maxTimeMS` can say it: rounded up to whole milliseconds, at least one, as the driver cuts the rest off and 0
/// would set no limit; and at most the 24 days that the server takes.
pub(crate) fn whole_millis(time: Duration) -> Duration {
    const NANOS: u128 = 1_000_000;
    const MOST: u128 = i32::MAX as u128;
    let millis = time.as_nanos().div_ceil(NANOS).clamp(1, MOST);
    Duration::from_millis(millis.try_into().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_such_as_the_server_takes() {
        for (nanos, millis) in [(0, 1), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2), (2_500_000_000, 2500)] {
            assert_eq!(whole_millis(Duration::from_nanos(nanos)), Duration::from_millis(millis), "{nanos}");
        }
        assert_eq!(whole_millis(Duration::MAX), Duration::from_millis(2_147_483_647));
    }
}
