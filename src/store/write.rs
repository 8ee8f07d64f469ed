//! Writing documents. A change reads, decides and writes in one snapshot transaction, so what it decided on
//! is what it changes: a concurrent write, even one of a number's type alone, makes one of the two start over.

use std::{borrow::Cow, time::Duration};

use bson::{RawDocument, RawDocumentBuf, Timestamp, doc, raw::RawBsonRef};
use mongodb::{
    ClientSession,
    error::{Error as DriverError, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT},
    options::ReadConcern,
};
use tokio::time::{Instant, sleep};

use super::{Store, failure, left, session};
use crate::{
    access::Permitted,
    codec::decode::MAX_DOCUMENT,
    error::{Error, Result},
    update::{ChangePlan, InsertPlan, Next},
};

/// The outcome of a change.
#[derive(Debug)]
pub struct Changed {
    /// The document as it is stored now; `None` once it is deleted.
    pub document: Option<RawDocumentBuf>,
    /// There was none before.
    pub created: bool,
}

/// Stores the plan's document, and gives it as it is stored.
pub async fn insert<'p>(store: &Store, plan: &'p Permitted<InsertPlan>) -> Result<Cow<'p, RawDocument>> {
    let InsertPlan { schema, document } = plan.plan();
    let collection = store.collection(schema);
    check_size(document)?;
    let (mut session, deadline) = (session::open(store).await?, Instant::now() + store.deadline);
    let insert = async {
        let inserted = collection.insert_one(document).session(&mut session).await;
        let inserted = inserted.map_err(|error| failure::of_write(&error, schema, Some(document)))?;
        if !is_rewritten(document) {
            return Ok(Cow::Borrowed(document.as_ref()));
        }
        let stored = collection.find_one(doc! { "_id": inserted.inserted_id }).max_time(left(deadline));
        let stored = stored.session(&mut session).await?;
        stored.map(Cow::Owned).ok_or_else(|| Error::UnknownDocument { collection: schema.name.clone() })
    };
    let inserted = store.within(insert).await;
    session::close(store, session, &inserted);
    inserted
}

/// Whether the server stores something else than it was sent: it puts its time where a top-level timestamp is zero.
///
/// See [timestamps](https://www.mongodb.com/docs/manual/reference/bson-types/#timestamps).
fn is_rewritten(document: &RawDocument) -> bool {
    const ZERO: RawBsonRef<'_> = RawBsonRef::Timestamp(Timestamp { time: 0, increment: 0 });
    document.iter().flatten().any(|(_, value)| value == ZERO)
}

/// Works the plan out on the stored document, and stores what it comes to.
pub async fn change(store: &Store, plan: &Permitted<ChangePlan>) -> Result<Changed> {
    let mut session = session::open(store).await?;
    let changed = store.within(attempts(store, plan, &mut session)).await;
    session::close(store, session, &changed);
    changed
}

/// Tries again while other writers are faster, until there is no time for one more try.
async fn attempts(store: &Store, plan: &Permitted<ChangePlan>, session: &mut ClientSession) -> Result<Changed> {
    let (deadline, mut pause) = (Instant::now() + store.deadline, Duration::from_millis(1));
    loop {
        let (begun, wait) = (Instant::now(), pause.mul_f64(jitter()));
        match attempt(store, plan, deadline, session).await {
            // One more try takes about as long as this one.
            Err(Failed::Transient(_)) if Instant::now() + wait + begun.elapsed() < deadline => {
                sleep(wait).await;
                pause = (pause * 2).min(Duration::from_millis(64));
            }
            Err(Failed::Transient(error)) if failure::is_conflict(&error) => return Err(Error::Conflict),
            Err(Failed::Transient(error)) => return Err(error.into()),
            Err(Failed::Final(error)) => return Err(error),
            Ok(changed) => return Ok(changed),
        }
    }
}

enum Failed {
    /// Nothing was done; the same again may succeed.
    Transient(DriverError),
    Final(Error),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

async fn attempt(
    store: &Store,
    plan: &Permitted<ChangePlan>,
    deadline: Instant,
    session: &mut ClientSession,
) -> Result<Changed, Failed> {
    let transient = |error| failed(error, plan, None);
    let transaction = session.start_transaction().read_concern(ReadConcern::snapshot());
    transaction.max_commit_time(left(deadline)).await.map_err(transient)?;
    let result = within(store, plan, deadline, session).await;
    match &result {
        Ok((_, Wrote::Something)) => commit(session).await.map_err(transient)?,
        // What cannot be aborted is aborted by the server in time; there is nothing in it.
        Ok((_, Wrote::Nothing)) | Err(_) => drop(session.abort_transaction().await),
    }
    result.map(|(changed, _)| changed)
}

enum Wrote {
    Something,
    Nothing,
}

/// The reading, deciding and writing, in the session's transaction.
async fn within(
    store: &Store,
    plan: &Permitted<ChangePlan>,
    deadline: Instant,
    session: &mut ClientSession,
) -> Result<(Changed, Wrote), Failed> {
    let collection = store.collection(&plan.plan().schema);
    let by_id = doc! { "_id": plan.plan().id.clone() };
    let found = collection.find_one(plan.selection()).max_time(left(deadline)).session(&mut *session).await;
    let stored = found.map_err(|error| failed(error, plan, None))?;
    precondition(store, plan, stored.as_deref())?;
    let (next, created) = match plan.next(stored.as_deref())? {
        Next::Keep => return Ok((Changed { document: stored, created: false }, Wrote::Nothing)),
        Next::Delete => {
            collection.delete_one(by_id).session(session).await.map_err(|error| failed(error, plan, None))?;
            return Ok((Changed { document: None, created: false }, Wrote::Something));
        }
        Next::Store(next) => (next, false),
        Next::Insert(next) => (next, true),
    };
    check_size(&next)?;
    let written = if created {
        collection.insert_one(&next).session(&mut *session).await.map(drop)
    } else {
        collection.replace_one(by_id.clone(), &next).session(&mut *session).await.map(drop)
    };
    written.map_err(|error| failed(error, plan, Some(&next)))?;
    let document = if is_rewritten(&next) {
        let stored = collection.find_one(by_id).max_time(left(deadline)).session(session).await;
        stored.map_err(|error| failed(error, plan, None))?
    } else {
        Some(next)
    };
    Ok((Changed { document, created }, Wrote::Something))
}

/// The driver's own refusal cannot be told from other arguments that it does not like.
fn check_size(document: &RawDocument) -> Result<()> {
    if document.as_bytes().len() > MAX_DOCUMENT {
        return Err(Error::TooLarge { what: "document", limit: MAX_DOCUMENT });
    }
    Ok(())
}

fn precondition(store: &Store, plan: &Permitted<ChangePlan>, stored: Option<&RawDocument>) -> Result<()> {
    let Some(stored) = stored else { return Ok(()) };
    let current = store.etag.tag(&plan.view().show(stored)?);
    if plan.plan().precondition.holds(current) {
        return Ok(());
    }
    Err(Error::PreconditionFailed { current: Some(current.to_string()) })
}

fn failed(error: DriverError, plan: &Permitted<ChangePlan>, written: Option<&RawDocument>) -> Failed {
    // Who has waited for a server in vain has waited long enough.
    if error.contains_label(TRANSIENT_TRANSACTION_ERROR) && !failure::is_selection(&error) {
        Failed::Transient(error)
    } else {
        Failed::Final(failure::of_write(&error, &plan.plan().schema, written))
    }
}

/// Commits, again while the server's answer is lost: a commit may be repeated.
///
/// See [transactions](https://www.mongodb.com/docs/manual/core/transactions-in-applications/).
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
