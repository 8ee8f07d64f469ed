//! Changing one document: reading it, deciding what becomes of it, and writing that, all in one transaction.

use bson::{Document, RawDocument, RawDocumentBuf, doc};
use futures::FutureExt;
use mongodb::{
    Collection,
    action::{Action as _, FindOneAndUpdate},
    error::Error as DriverError,
    options::ReturnDocument,
};
use tokio::time::Instant;

use super::{
    check_size, direct, is_rewritten, tell,
    transaction::{self, Failed, Transaction, Wrote},
};
use crate::{
    access::{Permitted, Shape},
    error::{Error, Result},
    etag::Precondition,
    store::{Store, discretion::discreet, failure, left},
    update::{Change, ChangePlan, Next},
};

/// The outcome of a change.
#[derive(Debug)]
pub struct Changed {
    /// The document as it is stored now; `None` once it is deleted.
    pub document: Option<RawDocumentBuf>,
    /// There was none before.
    pub created: bool,
}

/// Makes the change, by one command where that will do; otherwise the plan is worked out on the stored document.
pub async fn change(store: &Store, plan: &Permitted<ChangePlan>) -> Result<Changed> {
    let deadline = Instant::now() + store.deadline;
    if let Some(changed) = direct::change(store, plan).await? {
        return Ok(changed);
    }
    let again = || store.until(deadline.saturating_duration_since(Instant::now()));
    match (exact(&again(), plan, Stamps::Later).await, &plan.plan().change) {
        // Somebody else has created it meanwhile: there is one to be replaced now.
        (Err(error), Change::Upsert(_)) if is_taken(&error) => exact(&again(), plan, Stamps::Later).await,
        // What the service writes may be all that it lacks.
        (Err(Error::InvalidDocument { .. }), Change::Operate(_)) if plan.plan().is_stamped() => {
            exact(&again(), plan, Stamps::AtOnce).await
        }
        (Err(error), Change::Create(_)) if is_taken(&error) => Err(Error::PreconditionFailed { current: None }),
        (changed, _) => changed,
    }
}

/// Whether the `_id` is that of another document, if of none that the caller knows of.
fn is_taken(error: &Error) -> bool {
    matches!(error, Error::Duplicate { index: Some(index), .. } if index == "_id_")
}

/// When the stamps of an update by operators are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stamps {
    /// Once it is known that the operators change anything.
    Later,
    /// Together with what the operators do, so that the database judges the document with them.
    AtOnce,
}

async fn exact(store: &Store, plan: &Permitted<ChangePlan>, stamps: Stamps) -> Result<Changed> {
    transaction::run(store, |transaction| Work::on(transaction, (plan, stamps)).run().boxed()).await
}

/// What is done, and whether there is something to commit.
type Done = (Changed, Wrote);

/// The reading, deciding and writing, in a transaction.
struct Work<'w, 's> {
    transaction: &'w mut Transaction<'s>,
    plan: &'w Permitted<ChangePlan>,
    stamps: Stamps,
    collection: Collection<RawDocumentBuf>,
}

impl<'w, 's> Work<'w, 's> {
    fn on(transaction: &'w mut Transaction<'s>, (plan, stamps): (&'w Permitted<ChangePlan>, Stamps)) -> Self {
        let collection = transaction.store.collection(&plan.plan().schema);
        Self { transaction, plan, stamps, collection }
    }

    async fn run(mut self) -> Result<Done, Failed> {
        let stored = self.find(self.plan.selection()).await?;
        let shape = self.plan.shape(stored.as_deref())?;
        check_precondition(self.transaction.store, self.plan, stored.as_deref())?;
        match (self.plan.next(stored.as_deref(), shape.as_ref())?, stored, shape) {
            (Next::Keep, stored, _) => Ok(kept(stored)),
            (Next::Delete, ..) => self.delete().await,
            (Next::Insert(next), ..) => self.insert(next).await,
            (Next::Store(next), _, Some(shape)) => self.replace(next, &shape).await,
            (Next::Operate, Some(stored), Some(shape)) => self.operate(stored, &shape).await,
            (Next::Store(_) | Next::Operate, ..) => Err(Error::Internal("there is nothing to change".into()).into()),
        }
    }

    async fn delete(self) -> Result<Done, Failed> {
        let by_id = self.by_id();
        let deleted = self.collection.delete_one(by_id).session(&mut self.transaction.session).await;
        deleted.map_err(|error| failed((error, self.plan), None, |error| error))?;
        Ok((Changed { document: None, created: false }, Wrote::Something))
    }

    async fn insert(self, next: RawDocumentBuf) -> Result<Done, Failed> {
        check_size(&next)?;
        let inserted = self.collection.insert_one(&next).session(&mut self.transaction.session).await;
        inserted
            .map_err(|error| failed((error, self.plan), Some(&next), |error| tell(error, self.plan.view(), &next)))?;
        self.written(next, true).await
    }

    async fn replace(self, next: RawDocumentBuf, shape: &Shape) -> Result<Done, Failed> {
        check_size(&next)?;
        let by_id = self.by_id();
        let replaced = self.collection.replace_one(by_id, &next).session(&mut self.transaction.session).await;
        replaced
            .map_err(|error| failed((error, self.plan), Some(&next), |error| discreet(error, (&next, shape.root()))))?;
        self.written(next, false).await
    }

    /// Lets the server apply the operators, and adds what the service writes.
    async fn operate(self, stored: RawDocumentBuf, shape: &Shape) -> Result<Done, Failed> {
        let Some(operators) = self.plan.plan().operators() else { return Ok(kept(Some(stored))) };
        let stamped = if self.stamps == Stamps::AtOnce { self.plan.stamped(shape) } else { None };
        let update = stamped.unwrap_or_else(|| operators.update().clone());
        let update = self.collection.find_one_and_update(self.by_id(), update);
        let update = update.return_document(ReturnDocument::After).max_time(left(self.transaction.deadline));
        let filters = Some(operators.array_filters().to_vec()).filter(|filters| !filters.is_empty());
        let update = update.optional(filters, FindOneAndUpdate::array_filters);
        let result = update.session(&mut self.transaction.session).await;
        let result = result.map_err(|error| {
            // They reach nothing that is out of sight, so all that is, is where it was.
            failed((error, self.plan), None, |error| discreet(error, (&stored, shape.root())))
        })?;
        let result =
            result.ok_or_else(|| Error::Internal("a document has left the snapshot that it was read in".into()))?;
        match self.plan.settle((&stored, &result), shape)? {
            Next::Store(next) if next != result => self.replace(next, shape).await,
            Next::Store(_) => Ok((Changed { document: Some(result), created: false }, Wrote::Something)),
            _ => Ok(kept(Some(stored))),
        }
    }

    /// What has been written, as it is stored.
    async fn written(mut self, next: RawDocumentBuf, created: bool) -> Result<Done, Failed> {
        let stored = if is_rewritten(&next) { self.find(self.by_id()).await? } else { Some(next) };
        Ok((Changed { document: stored, created }, Wrote::Something))
    }

    async fn find(&mut self, selection: Document) -> Result<Option<RawDocumentBuf>, Failed> {
        let found = self.collection.find_one(selection).max_time(left(self.transaction.deadline));
        Ok(found.session(&mut self.transaction.session).await?)
    }

    fn by_id(&self) -> Document {
        doc! { "_id": self.plan.plan().id.clone() }
    }
}

/// Refuses a stored document that is not as the precondition says, and to create one where there must be one.
pub(super) fn check_precondition(
    store: &Store,
    plan: &Permitted<ChangePlan>,
    stored: Option<&RawDocument>,
) -> Result<()> {
    let precondition = &plan.plan().precondition;
    let Some(stored) = stored.filter(|_| *precondition != Precondition::default()) else {
        let is_wrong = stored.is_none() && precondition.if_match.is_some() && plan.plan().creates();
        return if is_wrong { Err(Error::PreconditionFailed { current: None }) } else { Ok(()) };
    };
    let current = store.etag.tag(&plan.view().show(stored)?);
    if precondition.holds(current) {
        return Ok(());
    }
    let current = plan.view().reads(stored).then(|| current.to_string());
    Err(Error::PreconditionFailed { current })
}

fn kept(stored: Option<RawDocumentBuf>) -> Done {
    (Changed { document: stored, created: false }, Wrote::Nothing)
}

/// What the failure of a write means, of a `document` that is known; `tell` leaves what the caller may know.
fn failed(
    (error, plan): (DriverError, &Permitted<ChangePlan>),
    document: Option<&RawDocument>,
    tell: impl FnOnce(Error) -> Error,
) -> Failed {
    Failed::of(error, |error| tell(failure::of_write(&error, &plan.plan().schema, document)))
}
