//! Inserting many documents: all or none of them, or each by itself.

use std::collections::HashMap;

use bson::{RawDocumentBuf, doc};
use futures::{FutureExt, TryStreamExt};
use mongodb::{ClientSession, Collection, error::Error as DriverError};
use tokio::time::Instant;

use super::{
    by_id, check_size, fit, id_of, is_rewritten,
    outcome::{Inserted, Outcome, Shown},
    same, tell,
    transaction::{self, Failed, Transaction, Wrote},
};
use crate::{
    access::{Permitted, View},
    codec::decode::MAX_DOCUMENT,
    error::{Error, Result},
    schema::Schema,
    store::{Store, failure, failure::Refusal, left, session},
    update::many::{InsertAllPlan, InsertEachPlan, New},
};

/// Documents that are stored otherwise than they were sent, by their places.
type Rewritten = Vec<(usize, RawDocumentBuf)>;

/// Stores all of the plan's documents or, where one is refused, none; and tells what became of each, in order.
pub async fn insert_all(store: &Store, plan: Permitted<InsertAllPlan>, shown: Shown) -> Result<Vec<Outcome>> {
    let (InsertAllPlan { schema, documents }, view) = plan.into_parts();
    for (item, document) in documents.iter().enumerate() {
        check_size(document).map_err(|error| error.of_item(item))?;
    }
    let mut job = Together { schema: &schema, view: &view, documents, shown };
    let rewritten = match job.documents.len() {
        0 => Vec::new(),
        1 => job.insert_alone(store).await?,
        _ => transaction::run(store, |transaction| job.insert(transaction).boxed()).await?,
    };
    for (at, stored) in rewritten {
        job.documents[at] = stored;
    }
    job.documents.into_iter().map(|document| Outcome::created(document, shown)).collect()
}

/// Documents of which all are stored or none.
struct Together<'t> {
    schema: &'t Schema,
    view: &'t View,
    documents: Vec<RawDocumentBuf>,
    shown: Shown,
}

impl Together<'_> {
    /// What is of one piece anyway needs no transaction.
    async fn insert_alone(&self, store: &Store) -> Result<Rewritten> {
        let (mut session, deadline) = (session::open(store).await?, Instant::now() + store.deadline);
        let insert = async {
            let collection = store.collection(self.schema);
            let inserted = collection.insert_many(&self.documents).session(&mut session).await;
            inserted.map_err(|error| self.refused(&error))?;
            let rewritten = reread(&collection, (&self.documents, self.shown), (&mut session, deadline)).await;
            rewritten.map_err(|error| failure::of_reread(&error))
        };
        let inserted = store.within(insert).await;
        session::close(store, session, &inserted);
        inserted
    }

    async fn insert(&self, transaction: &mut Transaction<'_>) -> Result<(Rewritten, Wrote), Failed> {
        let collection = transaction.store.collection(self.schema);
        let inserted = collection.insert_many(&self.documents).session(&mut transaction.session).await;
        inserted.map_err(|error| Failed::of(error, |error| self.refused(&error)))?;
        let place = (&mut transaction.session, transaction.deadline);
        let rewritten = reread(&collection, (&self.documents, self.shown), place).await?;
        Ok((rewritten, Wrote::Something))
    }

    fn refused(&self, error: &DriverError) -> Error {
        refused_insert(error, (self.schema, self.view), |at| Some((at, self.documents.get(at)?)))
    }
}

/// Why several documents could not be inserted by one command; `sent` gives the one at a place of it, and of which item it
/// is.
pub(super) fn refused_insert<'d>(
    error: &DriverError,
    (schema, view): (&Schema, &View),
    sent: impl FnOnce(usize) -> Option<(usize, &'d RawDocumentBuf)>,
) -> Error {
    match Refusal::of(error).and_then(|refusal| refusal.index).and_then(sent) {
        None => failure::of_write(error, schema, None),
        Some((item, document)) => tell(failure::of_write(error, schema, Some(document)), view, document).of_item(item),
    }
}

/// What became of each of the plan's documents, in order, or why it is not stored.
///
/// # Errors
/// Where nothing is known of any of them.
pub async fn insert_each(store: &Store, plan: Permitted<InsertEachPlan>, shown: Shown) -> Result<Inserted> {
    let (InsertEachPlan { schema, documents }, view) = plan.into_parts();
    insert_apart(store, (&schema, &view), documents, shown).await
}

/// How many bytes of documents are inserted by one command, unless one alone has more. Of what is too much for one, 48 MB,
/// the driver makes several by itself, and does not tell what the first have done where a later one fails.
const MOST_BYTES: usize = 2 * MAX_DOCUMENT;

/// The same of documents that have passed the `view`.
pub(super) async fn insert_apart(
    store: &Store,
    place: (&Schema, &View),
    mut documents: Vec<New>,
    shown: Shown,
) -> Result<Inserted> {
    for new in &mut documents {
        if let Ok(document) = new
            && let Err(error) = check_size(document)
        {
            *new = Err(error.into());
        }
    }
    let (deadline, mut rest, mut is_known) = (Instant::now() + store.deadline, &mut documents[..], false);
    while !rest.is_empty() {
        let (batch, after) = rest.split_at_mut(fit(rest.iter().map(size), MOST_BYTES));
        match insert_batch(&store.until(left(deadline)), place, batch, shown).await {
            Err(error) if !is_known => return Err(error),
            Err(error) => {
                for new in batch.iter_mut().filter(|new| new.is_ok()) {
                    *new = Err(same(&error).into());
                }
            }
            Ok(()) => is_known = true,
        }
        rest = after;
    }
    Ok(Inserted { documents, shown })
}

fn size(new: &New) -> usize {
    new.as_ref().map_or(0, |document| document.as_bytes().len())
}

async fn insert_batch(store: &Store, place: (&Schema, &View), batch: &mut [New], shown: Shown) -> Result<()> {
    if !batch.iter().any(Result::is_ok) {
        return Ok(());
    }
    let (mut session, deadline) = (session::open(store).await?, Instant::now() + store.deadline);
    let collection = store.collection(place.0);
    let insert = insert_fitting(&collection, place, (batch, shown), (&mut session, deadline));
    let inserted = store.within(insert).await;
    session::close(store, session, &inserted);
    inserted
}

/// Stores every document that is not refused already, and notes what became of it.
async fn insert_fitting(
    collection: &Collection<RawDocumentBuf>,
    (schema, view): (&Schema, &View),
    (batch, shown): (&mut [New], Shown),
    (session, deadline): (&mut ClientSession, Instant),
) -> Result<()> {
    let (items, documents) = fitting(batch);
    let inserted = collection.insert_many(documents).ordered(false).session(&mut *session).await;
    let refusals = match inserted {
        Ok(_) => Vec::new(),
        Err(error) => refusals(&error).ok_or_else(|| failure::of_write(&error, schema, None))?,
    };
    for refusal in refusals {
        // One that is of no document is of all that are not refused: none of them is confirmed.
        let whose = refusal.index.map_or(&items[..], |at| items.get(at..=at).unwrap_or_default());
        for item in whose {
            if let Ok(document) = &batch[*item] {
                batch[*item] =
                    Err(tell(failure::of_statement(&refusal, schema, Some(document)), view, document).into());
            }
        }
    }
    let (items, documents) = fitting(batch);
    let rewritten = reread(collection, (documents, shown), (session, deadline)).await;
    for (at, stored) in rewritten.map_err(|error| failure::of_reread(&error))? {
        batch[items[at]] = Ok(stored);
    }
    Ok(())
}

/// The documents that are not refused, and their places.
fn fitting(batch: &[New]) -> (Vec<usize>, Vec<&RawDocumentBuf>) {
    batch.iter().enumerate().filter_map(|(item, new)| Some((item, new.as_ref().ok()?))).unzip()
}

/// Which documents the server refused; `None` where it did nothing, or nobody knows what.
fn refusals(error: &DriverError) -> Option<Vec<Refusal>> {
    let refusals = Refusal::all(error);
    let are_of_documents = refusals.iter().all(|refusal| refusal.index.is_some() || refusal.is_done);
    (are_of_documents && !refusals.is_empty()).then_some(refusals)
}

/// The documents that the server has stored otherwise than they were sent, as far as they are given back.
pub(super) async fn reread<'d>(
    collection: &Collection<RawDocumentBuf>,
    (documents, shown): (impl IntoIterator<Item = &'d RawDocumentBuf>, Shown),
    (session, deadline): (&mut ClientSession, Instant),
) -> Result<Rewritten, DriverError> {
    let documents = Some(documents).filter(|_| shown.keeps());
    let sent = documents.into_iter().flatten().enumerate().filter(|(_, document)| is_rewritten(document));
    let sent =
        sent.filter_map(|(at, document)| Some((id_of(document).ok()?, (by_id(document).ok()?.into_bytes(), at))));
    let (ids, mut places): (Vec<_>, HashMap<_, _>) = sent.unzip();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = collection.find(doc! { "_id": { "$in": ids } }).max_time(left(deadline)).session(&mut *session);
    let mut found = found.await?;
    let (mut stream, mut rewritten) = (found.stream(session), Vec::new());
    while let Some(stored) = stream.try_next().await? {
        let place = by_id(&stored).ok().and_then(|id| places.remove(id.as_bytes()));
        rewritten.extend(place.map(|at| (at, stored)));
    }
    Ok(rewritten)
}
