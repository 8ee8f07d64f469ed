//! Changing every document that a filter selects.
//!
//! A cursor on a snapshot gives their `_id`s, so that none is met twice, whatever the change does to what they are
//! selected by. They are changed in portions, each in a transaction of its own: where a `multi` update fails half-way,
//! the server does not say how far it has come.

use std::ops::AddAssign;

use bson::{Bson, Document, RawDocument, RawDocumentBuf, doc};
use futures::TryStreamExt;
use mongodb::{
    ClientSession,
    error::Result as DriverResult,
    options::{ReadConcern, ReadPreference, SelectionCriteria},
    raw_batch_cursor::RawBatch,
};
use tokio::time::Instant;

use super::{fit, id_of, portion};
use crate::{
    access::{Many, Permitted},
    error::{Done, Error, Result},
    schema::access::Op,
    store::{Store, failure, guard, left, read::documents_of, session},
    update::{Change, Direct, unreadable},
};

/// How many documents are changed together: all of them, or none where one is refused.
pub(super) const PORTION: u32 = 1000;

/// How many bytes the documents of a portion may have together, unless it is one alone. They are in memory, and the
/// server rolls a transaction back whose updates fill a tenth of its cache, which may be as small as 256 MiB.
pub(super) const MOST_BYTES: usize = 16 << 20;

/// The member by which the cursor gives the size of a document beside its `_id`.
const SIZE: &str = "size";

/// What became of the documents that were selected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// So many were still selected when it was their turn.
    pub matched: u64,
    /// So many of them are not as they were, or are gone.
    pub changed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.matched += other.matched;
        self.changed += other.changed;
    }
}

impl Counts {
    fn done(self, op: Op) -> Done {
        match op {
            Op::Delete => Done { deleted: Some(self.changed), ..Done::default() },
            _ => Done { matched: Some(self.matched), modified: Some(self.changed), ..Done::default() },
        }
    }
}

/// Works the plan out on every document that it selects, and stores what it comes to.
///
/// # Errors
/// Once there was something to change, [`Error::Partly`] with what had been done by then.
pub async fn change_many(store: &Store, plan: &Permitted<Many>) -> Result<Counts> {
    let (many, deadline) = (plan.plan(), Instant::now() + store.deadline);
    let direct = many.direct();
    let growth = growth((many, direct.as_ref()))?;
    let mut work = Work { store, many, direct, growth, deadline, counts: Counts::default() };
    // Who asks for all documents asks for no search.
    if !work.many.selection().filter.is_empty() {
        let admitted = store.within(guard::admit(store, work.many.selection())).await;
        admitted.map_err(|refusal| guard::told(plan.view(), refusal))?;
    }
    let mut session = session::open(store).await?;
    let done = work.run(&mut session).await;
    session::close(store, session, &done);
    done.map(|()| work.counts)
}

struct Work<'w> {
    store: &'w Store,
    many: &'w Many,
    direct: Option<Direct>,
    /// By how many bytes each document grows, as far as is known; `None` where its size means nothing.
    growth: Option<usize>,
    deadline: Instant,
    counts: Counts,
}

impl Work<'_> {
    async fn run(&mut self, session: &mut ClientSession) -> Result<()> {
        let selection = self.many.selection();
        let collection = self.store.collection(&selection.schema);
        let mut columns = selection.columns().unwrap_or_default();
        if self.growth.is_some() {
            columns.insert(SIZE, doc! { "$bsonSize": "$$ROOT" });
        }
        let find = collection.find(selection.selection()).projection(columns);
        // Where other reads may go, a document may not be that was just written.
        let primary = SelectionCriteria::ReadPreference(ReadPreference::Primary);
        let find = find.selection_criteria(primary).batch_size(PORTION).max_time(left(self.deadline));
        // The driver's own snapshot sessions read none where the client has a read concern.
        let find = find.read_concern(ReadConcern::snapshot());
        let mut found = self.in_time(find.session(&mut *session).batch()).await?;
        let mut batches = found.stream(session);
        while let Some(batch) = self.in_time(batches.try_next()).await.map_err(|error| self.partly(error))? {
            for ids in portions(&batch, self.growth.unwrap_or_default())? {
                self.portion(ids).await.map_err(|error| self.partly(error))?;
            }
        }
        Ok(())
    }

    /// Changes the documents with these `_id`s: in smaller portions where they have become large, or would.
    async fn portion(&mut self, ids: Vec<Bson>) -> Result<()> {
        let mut portions = vec![ids];
        while let Some(mut ids) = portions.pop() {
            let changed = portion::change(self.store, (self.many, self.direct.as_ref()), (&ids, self.deadline)).await?;
            if let Some(counts) = changed {
                self.counts += counts;
            } else {
                let rest = ids.split_off(ids.len() / 2);
                portions.extend([rest, ids]);
            }
        }
        Ok(())
    }

    fn partly(&self, error: Error) -> Error {
        error.partly(self.counts.done(self.many.each().plan().op()))
    }

    async fn in_time<T>(&self, work: impl Future<Output = DriverResult<T>>) -> Result<T> {
        self.in_time_left().within(async { work.await.map_err(failure::of_find) }).await
    }

    /// The store for as long as the whole may still take.
    fn in_time_left(&self) -> Store {
        self.store.until(left(self.deadline))
    }
}

/// The `_id`s of a batch, in portions of documents that have so many bytes when each has grown by `growth`.
fn portions(batch: &RawBatch, growth: usize) -> Result<Vec<Vec<Bson>>> {
    let found = documents_of(batch)?.map(|document| of_found(document?)).collect::<Result<Vec<_>>>()?;
    let (mut rest, mut portions) = (&found[..], Vec::new());
    while !rest.is_empty() {
        let (portion, after) = rest.split_at(fit(rest.iter().map(|(_, size)| size.saturating_add(growth)), MOST_BYTES));
        portions.push(portion.iter().map(|(id, _)| id.clone()).collect());
        rest = after;
    }
    Ok(portions)
}

/// The `_id` of a document that was found, and its size where that was asked for.
fn of_found(found: &RawDocument) -> Result<(Bson, usize)> {
    let size = found.get(SIZE).ok().flatten().and_then(|size| usize::try_from(size.as_i32()?).ok());
    Ok((id_of(found)?, size.unwrap_or_default()))
}

/// By how many bytes a change makes documents larger, as far as that shows before it is made; `None` where it deletes
/// them.
fn growth((many, direct): (&Many, Option<&Direct>)) -> Result<Option<usize>> {
    let size = |update: &Document| Ok(Some(RawDocumentBuf::try_from(update).map_err(unreadable)?.as_bytes().len()));
    match (direct, &many.each().plan().change) {
        (_, Change::Delete) => Ok(None),
        (Some(Direct::Update { update, .. }), _) => size(update),
        (_, Change::Operate(operators)) => size(operators.update()),
        (_, Change::Merge(patch)) => Ok(Some(patch.as_bytes().len())),
        _ => Ok(Some(0)),
    }
}
