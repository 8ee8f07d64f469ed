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

use super::{Store, discretion::discreet, failure, left, session};
use crate::{
    access::{Permitted, Shape, View},
    codec::decode::MAX_DOCUMENT,
    error::{Error, Result},
    etag::Precondition,
    schema::access::Op,
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
    let refused = |error| tell(failure::of_write(&error, schema, Some(document)), plan.view(), document);
    let collection = store.collection(schema);
    check_size(document)?;
    let (mut session, deadline) = (session::open(store).await?, Instant::now() + store.deadline);
    let insert = async {
        let inserted = collection.insert_one(document).session(&mut session).await;
        let inserted = inserted.map_err(refused)?;
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
    let shape = plan.shape(stored.as_deref())?;
    precondition(store, plan, stored.as_deref())?;
    let (next, created) = match plan.next(stored.as_deref(), shape.as_ref())? {
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
    written.map_err(|error| failed(error, plan, Some((&next, shape.as_ref()))))?;
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
    let Some(stored) = stored.filter(|_| plan.plan().precondition != Precondition::default()) else { return Ok(()) };
    let current = store.etag.tag(&plan.view().show(stored)?);
    if plan.plan().precondition.holds(current) {
        return Ok(());
    }
    let current = plan.view().reads(stored).then(|| current.to_string());
    Err(Error::PreconditionFailed { current })
}

/// What is written, and what is stored there as the caller may change it.
type Written<'w> = (&'w RawDocument, Option<&'w Shape>);

fn failed(error: DriverError, plan: &Permitted<ChangePlan>, written: Option<Written<'_>>) -> Failed {
    // Who has waited for a server in vain has waited long enough.
    if error.contains_label(TRANSIENT_TRANSACTION_ERROR) && !failure::is_selection(&error) {
        Failed::Transient(error)
    } else {
        let told = failure::of_write(&error, &plan.plan().schema, written.map(|(document, _)| document));
        Failed::Final(match written {
            None => told,
            Some((document, Some(shape))) => discreet(told, (document, shape.root())),
            Some((document, None)) => created(tell(told, plan.view(), document)),
        })
    }
}

/// The `error` that came of inserting `document`, as the caller may know it.
fn tell(error: Error, view: &View, document: &RawDocument) -> Error {
    match view.shape_on(Op::Insert, document) {
        Some(shape) => discreet(error, (document, shape.root())),
        None => error,
    }
}

/// Where a document was to be created and its `_id` is taken, there is one, if none that the caller knows of.
fn created(error: Error) -> Error {
    match error {
        Error::Duplicate { index: Some(index), .. } if index == "_id_" => Error::PreconditionFailed { current: None },
        error => error,
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
