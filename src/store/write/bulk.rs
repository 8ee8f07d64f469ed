//! Many different writes at once: all of them in one transaction, or each by itself.
//!
//! They are made in rounds. A round reads every document that its writes are about with one command, and then sends at
//! most one command each to delete, to update and to insert, so a thousand writes take as many as one does.

use bson::RawDocumentBuf;
use futures::FutureExt;
use mongodb::error::Error as DriverError;

use super::{
    array::{refused_insert, reread},
    check_size,
    outcome::{Outcome, Shown},
    transaction::{self, Failed, Transaction, Wrote},
};
use crate::{
    access::{View, Write},
    error::{Error, Result},
    schema::Schema,
    store::Store,
};

mod each;
mod lookup;
mod order;
mod round;
mod statement;

pub use each::write_each;

use round::{Round, Step};

/// How often writes that others were faster to create the document of are made again.
const RACES: usize = 3;

/// Makes all of the `writes`, which are one caller's to one collection, or none where one is refused; and tells what
/// became of each, in order.
pub async fn write_all(store: &Store, writes: &[Write], shown: Shown) -> Result<Vec<Outcome>> {
    let Some(job) = Job::of(writes.iter().map(Some), true) else { return Ok(Vec::new()) };
    let mut races = 0;
    loop {
        match transaction::run(store, |transaction| together(transaction, &job, shown).boxed()).await {
            Err(error) if races < RACES && job.lost_race(&error) => races += 1,
            done => return done,
        }
    }
}

async fn together(
    transaction: &mut Transaction<'_>,
    job: &Job<'_>,
    mut shown: Shown,
) -> Result<(Vec<Outcome>, Wrote), Failed> {
    let mut outcomes: Vec<_> = job.writes.iter().map(|_| None).collect();
    for items in order::rounds(transaction, job).await? {
        let (mut inserts, (steps, _)) = (Vec::new(), Round::of(transaction, (job, &items), &mut shown).run().await?);
        for (item, step) in steps {
            match step.map_err(|error| error.of_item(item))? {
                Step::Done(outcome) => outcomes[item] = Some(outcome),
                Step::Insert(document) => inserts.push((item, document)),
            }
        }
        for (item, outcome) in insert(transaction, (job, inserts), shown).await? {
            outcomes[item] = Some(outcome);
        }
    }
    Ok((outcomes.into_iter().flatten().collect(), Wrote::Something))
}

/// New documents of writes, by the places of these.
type Inserts = Vec<(usize, RawDocumentBuf)>;

async fn insert(
    transaction: &mut Transaction<'_>,
    (job, inserts): (&Job<'_>, Inserts),
    shown: Shown,
) -> Result<Vec<(usize, Outcome)>, Failed> {
    if inserts.is_empty() {
        return Ok(Vec::new());
    }
    let collection = transaction.store.collection(job.schema());
    let (items, mut documents): (Vec<_>, Vec<_>) = inserts.into_iter().unzip();
    documents.iter().try_for_each(|document| check_size(document))?;
    let inserted = collection.insert_many(&documents).session(&mut transaction.session).await;
    inserted.map_err(|error| Failed::of(error, |error| job.refused_insert(&error, (&items, &documents))))?;
    let place = (&mut transaction.session, transaction.deadline);
    for (at, stored) in reread(&collection, (&documents, shown), place).await? {
        documents[at] = stored;
    }
    let created = |(item, document)| Ok((item, Outcome::created(document, shown)?));
    items.into_iter().zip(documents).map(created).collect()
}

/// What is to be done.
struct Job<'j> {
    view: &'j View,
    /// By their places in the request; without those that were refused before.
    writes: Vec<Option<&'j Write>>,
    /// Nothing is to be done if one of them is refused.
    is_strict: bool,
}

impl<'j> Job<'j> {
    fn of(writes: impl Iterator<Item = Option<&'j Write>>, is_strict: bool) -> Option<Self> {
        let writes: Vec<_> = writes.collect();
        let view = writes.iter().flatten().next()?.view();
        Some(Self { view, writes, is_strict })
    }

    fn schema(&self) -> &'j Schema {
        self.view.declared()
    }

    /// Whether the write that failed found no document with its key, and then there was one.
    fn lost_race(&self, error: &Error) -> bool {
        let Error::Partly { error, done } = error else { return false };
        done.item.is_some_and(|item| self.lost_race_of(item, error))
    }

    fn lost_race_of(&self, item: usize, error: &Error) -> bool {
        let Error::Duplicate { index: Some(taken), .. } = error else { return false };
        match self.writes.get(item) {
            Some(Some(Write::Upsert(upsert))) => *taken == upsert.plan().key.index || taken == "_id_",
            Some(Some(Write::Change(change))) => taken == "_id_" && change.plan().creates(),
            _ => false,
        }
    }

    /// Why the documents of the writes `items` could not be inserted.
    fn refused_insert(&self, error: &DriverError, (items, documents): (&[usize], &[RawDocumentBuf])) -> Error {
        let sent = |at: usize| Some((*items.get(at)?, documents.get(at)?));
        refused_insert(error, (self.schema(), self.view), sent)
    }
}
