//! Transactions: the one place that begins, repeats, commits and aborts them. What is done in one is not here.
//!
//! A transaction reads one snapshot, and what it writes is written by no other one meanwhile, even where that changes a
//! number's type alone: one of the two starts over. See
//! [transactions](https://www.mongodb.com/docs/manual/core/transactions-in-applications/).

use std::time::Duration;

use futures::future::BoxFuture;
use mongodb::{
    ClientSession,
    error::{Error as DriverError, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT},
    options::ReadConcern,
};
use tokio::time::{Instant, sleep};

use crate::{
    error::{Error, Result},
    store::{Store, failure, left, session},
};

/// A transaction that has begun.
pub(super) struct Transaction<'s> {
    pub(super) store: &'s Store,
    pub(super) session: ClientSession,
    /// When the work must be done.
    pub(super) deadline: Instant,
}

/// Whether there is something to commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrote {
    Something,
    Nothing,
}

/// Why the work of a transaction broke off. Nothing was done.
#[derive(Debug)]
pub(super) enum Failed {
    /// The same again may succeed.
    Transient(DriverError),
    Final(Error),
}

impl Failed {
    /// What the failure of a command of a transaction means; where it would fail again, `explain` says it.
    pub(super) fn of(error: DriverError, explain: impl FnOnce(DriverError) -> Error) -> Self {
        // Who has waited for a server in vain has waited long enough.
        if error.contains_label(TRANSIENT_TRANSACTION_ERROR) && !failure::is_selection(&error) {
            Self::Transient(error)
        } else {
            Self::Final(explain(error))
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl From<DriverError> for Failed {
    fn from(error: DriverError) -> Self {
        Self::of(error, Error::from)
    }
}

/// Does `work` in a transaction, and commits it if it wrote something. While other writers are faster it is done again,
/// from the start, until there is no time for one more try; so it must be such as can be.
pub(super) async fn run<'s, T: Send>(
    store: &'s Store,
    mut work: impl for<'t> FnMut(&'t mut Transaction<'s>) -> BoxFuture<'t, Result<(T, Wrote), Failed>> + Send,
) -> Result<T> {
    let session = session::open(store).await?;
    let mut transaction = Transaction { store, session, deadline: Instant::now() + store.deadline };
    let done = store.within(attempts(&mut transaction, &mut work)).await;
    session::close(store, transaction.session, &done);
    done
}

async fn attempts<'s, T: Send>(
    transaction: &mut Transaction<'s>,
    work: &mut (impl for<'t> FnMut(&'t mut Transaction<'s>) -> BoxFuture<'t, Result<(T, Wrote), Failed>> + Send),
) -> Result<T> {
    let mut pause = Duration::from_millis(1);
    loop {
        let (begun, wait) = (Instant::now(), pause.mul_f64(jitter()));
        match attempt(transaction, work).await {
            // One more try takes about as long as this one.
            Err(Failed::Transient(_)) if Instant::now() + wait + begun.elapsed() < transaction.deadline => {
                sleep(wait).await;
                pause = (pause * 2).min(Duration::from_millis(64));
            }
            Err(Failed::Transient(error)) if failure::is_conflict(&error) => return Err(Error::Conflict),
            Err(Failed::Transient(error)) => return Err(error.into()),
            Err(Failed::Final(error)) => return Err(error),
            Ok(done) => return Ok(done),
        }
    }
}

async fn attempt<'s, T: Send>(
    transaction: &mut Transaction<'s>,
    work: &mut (impl for<'t> FnMut(&'t mut Transaction<'s>) -> BoxFuture<'t, Result<(T, Wrote), Failed>> + Send),
) -> Result<T, Failed> {
    let start = transaction.session.start_transaction().read_concern(ReadConcern::snapshot());
    start.max_commit_time(left(transaction.deadline)).await?;
    let done = work(transaction).await;
    match &done {
        Ok((_, Wrote::Something)) => {
            let committed = commit(&mut transaction.session).await;
            committed.map_err(|error| Failed::of(error, failure::of_commit))?;
        }
        // What cannot be aborted is aborted by the server in time; there is nothing in it.
        Ok((_, Wrote::Nothing)) | Err(_) => drop(transaction.session.abort_transaction().await),
    }
    done.map(|(done, _)| done)
}

/// Commits, again while the server's answer is lost: a commit may be repeated.
async fn commit(session: &mut ClientSession) -> Result<(), DriverError> {
    loop {
        match session.commit_transaction().await {
            Err(error) if error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) => {
                sleep(Duration::from_millis(10)).await;
            }
            result => return result,
        }
    }
}

/// Between a half and one and a half, so that writers in each other's way spread out.
fn jitter() -> f64 {
    0.5 + fastrand::f64()
}
