//! Inserting many documents: all or none of them, or each by itself.

use std::collections::HashMap;

use bson::{Document, RawDocumentBuf, doc};
use futures::{FutureExt, TryStreamExt};
use mongodb::{ClientSession, Collection, error::Error as DriverError};
use tokio::time::Instant;

use super::{
    by_id, check_size, fit, is_rewritten, same, tell,
    transaction::{self, Failed, Transaction, Wrote},
};
use crate::{
    access::{Permitted, View},
    codec::decode::MAX_DOCUMENT,
    error::{Error, Result},
    schema::Schema,
    store::{Store, failure, failure::Refusal, left, session},
    update::many::{InsertAllPlan, InsertEachPlan},
};

/// Documents that are stored otherwise than they were sent, by their places.
type Rewritten = Vec<(usize, RawDocumentBuf)>;

/// Stores all of the plan's documents or, where one is refused, none; and gives them as they are stored, in order.
pub async fn insert_all(store: &Store, plan: Permitted<InsertAllPlan>) -> Result<Vec<RawDocumentBuf>> {
    let documents = &plan.plan().documents;
    for (item, document) in documents.iter().enumerate() {
        check_size(document).map_err(|error| error.of_item(item))?;
    }
    let rewritten = match documents.len() {
        0 => Vec::new(),
        1 => insert_alone(store, &plan).await?,
        _ => transaction::run(store, |transaction| insert_together(transaction, &plan).boxed()).await?,
    };
    let (InsertAllPlan { mut documents, .. }, _) = plan.into_parts();
    for (at, stored) in rewritten {
        documents[at] = stored;
    }
    Ok(documents)
}

/// What is of one piece anyway needs no transaction.
async fn insert_alone(store: &Store, plan: &Permitted<InsertAllPlan>) -> Result<Rewritten> {
    let InsertAllPlan { schema, documents } = plan.plan();
    let (mut session, deadline) = (session::open(store).await?, Instant::now() + store.deadline);
    let insert = async {
        let collection = store.collection(schema);
        let inserted = collection.insert_many(documents).session(&mut session).await;
        inserted.map_err(|error| refused(&error, plan))?;
        reread(&collection, documents, (&mut session, deadline)).await.map_err(|error| failure::of_reread(&error))
    };
    let inserted = store.within(insert).await;
    session::close(store, session, &inserted);
    inserted
}

async fn insert_together(
    transaction: &mut Transaction<'_>,
    plan: &Permitted<InsertAllPlan>,
) -> Result<(Rewritten, Wrote), Failed> {
    let InsertAllPlan { schema, documents } = plan.plan();
    let collection = transaction.store.collection(schema);
    let inserted = collection.insert_many(documents).session(&mut transaction.session).await;
    inserted.map_err(|error| Failed::of(error, |error| refused(&error, plan)))?;
    let rewritten = reread(&collection, documents, (&mut transaction.session, transaction.deadline)).await?;
    Ok((rewritten, Wrote::Something))
}

fn refused(error: &DriverError, plan: &Permitted<InsertAllPlan>) -> Error {
    let InsertAllPlan { schema, documents } = plan.plan();
    refused_insert(error, (schema, plan.view()), |at| Some((at, documents.get(at)?)))
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

/// What became of each of the plan's documents, in order: as it is stored, or why it is not.
///
/// # Errors
/// Where nothing is known of any of them.
pub async fn insert_each(store: &Store, plan: Permitted<InsertEachPlan>) -> Result<Vec<Result<RawDocumentBuf>>> {
    let (InsertEachPlan { schema, documents }, view) = plan.into_parts();
    insert_apart(store, (&schema, &view), documents).await
}

/// How many bytes of documents are inserted by one command, unless one alone has more. Of what is too much for one, 48 MB,
/// the driver makes several by itself, and does not tell what the first have done where a later one fails.
const MOST_BYTES: usize = 2 * MAX_DOCUMENT;

/// The same of documents that have passed the `view`.
pub(super) async fn insert_apart(
    store: &Store,
    place: (&Schema, &View),
    documents: Vec<Result<RawDocumentBuf>>,
) -> Result<Vec<Result<RawDocumentBuf>>> {
    let fitting = |document: RawDocumentBuf| check_size(&document).map(|()| document);
    let mut results: Vec<_> = documents.into_iter().map(|document| document.and_then(fitting)).collect();
    let (deadline, mut rest, mut is_known) = (Instant::now() + store.deadline, &mut results[..], false);
    while !rest.is_empty() {
        let (batch, after) = rest.split_at_mut(fit(rest.iter().map(size), MOST_BYTES));
        match insert_batch(&store.until(left(deadline)), place, batch).await {
            Err(error) if !is_known => return Err(error),
            Err(error) => {
                for result in batch.iter_mut().filter(|result| result.is_ok()) {
                    *result = Err(same(&error));
                }
            }
            Ok(()) => is_known = true,
        }
        rest = after;
    }
    Ok(results)
}

fn size(document: &Result<RawDocumentBuf>) -> usize {
    document.as_ref().map_or(0, |document| document.as_bytes().len())
}

async fn insert_batch(store: &Store, place: (&Schema, &View), batch: &mut [Result<RawDocumentBuf>]) -> Result<()> {
    if !batch.iter().any(Result::is_ok) {
        return Ok(());
    }
    let (mut session, deadline) = (session::open(store).await?, Instant::now() + store.deadline);
    let collection = store.collection(place.0);
    let inserted = store.within(insert_fitting(&collection, place, batch, (&mut session, deadline))).await;
    session::close(store, session, &inserted);
    inserted
}

/// Stores every document that is not refused already, and notes what became of it.
async fn insert_fitting(
    collection: &Collection<RawDocumentBuf>,
    (schema, view): (&Schema, &View),
    results: &mut [Result<RawDocumentBuf>],
    (session, deadline): (&mut ClientSession, Instant),
) -> Result<()> {
    let fitting = results.iter().enumerate().filter_map(|(item, result)| Some((item, result.as_ref().ok()?)));
    let (items, documents): (Vec<_>, Vec<_>) = fitting.unzip();
    let inserted = collection.insert_many(documents.iter().copied()).ordered(false).session(&mut *session).await;
    let refusals = match inserted {
        Ok(_) => Vec::new(),
        Err(error) => refusals(&error).ok_or_else(|| failure::of_write(&error, schema, None))?,
    };
    let rewritten =
        reread(collection, documents, (session, deadline)).await.map_err(|error| failure::of_reread(&error))?;
    for (at, stored) in rewritten {
        results[items[at]] = Ok(stored);
    }
    for refusal in refusals {
        // One that is of no document is of all that are not refused: none of them is confirmed.
        let whose = refusal.index.map_or(&items[..], |at| items.get(at..=at).unwrap_or_default());
        for item in whose {
            if let Ok(document) = &results[*item] {
                results[*item] = Err(tell(failure::of_statement(&refusal, schema, Some(document)), view, document));
            }
        }
    }
    Ok(())
}

/// Which documents the server refused; `None` where it did nothing, or nobody knows what.
fn refusals(error: &DriverError) -> Option<Vec<Refusal>> {
    let refusals = Refusal::all(error);
    let are_of_documents = refusals.iter().all(|refusal| refusal.index.is_some() || refusal.is_done);
    (are_of_documents && !refusals.is_empty()).then_some(refusals)
}

/// The documents that the server has stored otherwise than they were sent.
pub(super) async fn reread(
    collection: &Collection<RawDocumentBuf>,
    documents: impl IntoIterator<Item = &RawDocumentBuf>,
    (session, deadline): (&mut ClientSession, Instant),
) -> Result<Rewritten, DriverError> {
    let sent = documents.into_iter().enumerate().filter(|(_, document)| is_rewritten(document));
    let mut places: HashMap<_, _> =
        sent.filter_map(|(at, document)| Some((by_id(document).ok()?.into_bytes(), at))).collect();
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let ids = places.keys().filter_map(|id| Document::from_reader(&id[..]).ok()?.remove("_id")).collect::<Vec<_>>();
    let found = collection.find(doc! { "_id": { "$in": ids } }).max_time(left(deadline)).session(&mut *session);
    let mut found = found.await?;
    let (mut stream, mut rewritten) = (found.stream(session), Vec::new());
    while let Some(stored) = stream.try_next().await? {
        let place = by_id(&stored).ok().and_then(|id| places.remove(id.as_bytes()));
        rewritten.extend(place.map(|at| (at, stored)));
    }
    Ok(rewritten)
}
