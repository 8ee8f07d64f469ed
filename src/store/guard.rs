//! The guard of lists: what would read or sort too much without an index is refused, before it runs.
//!
//! A small collection needs no guard. Of a large one the guard asks the server once for each shape of query how it
//! would be run, and remembers the verdict, so that a list costs no extra round trip. It never refuses from memory.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bson::doc;
use serde_json::value::{RawValue, to_raw_value};

use super::{Store, explain, indexes, session};
use crate::{
    access::View,
    error::{Error, Result},
    query::{Bounds, FindPlan, serving},
    schema::{Catalog, Schema},
};

mod memory;
mod shape;
mod verdict;

use memory::{Memory, Sight};
pub(super) use verdict::Verdict;

/// How long what is known of a collection counts as new.
const REFRESH: Duration = Duration::from_secs(10);

/// What is known of each declared collection. Clones share it.
#[derive(Debug, Clone)]
pub struct Guard(Arc<HashMap<String, Mutex<Memory>>>);

impl Guard {
    /// A guard that knows nothing yet.
    pub fn of(catalog: &Catalog) -> Self {
        Self(Arc::new(catalog.iter().map(|schema| (schema.name.clone(), Mutex::default())).collect()))
    }

    fn memory(&self, schema: &Schema) -> Option<MutexGuard<'_, Memory>> {
        Some(self.0.get(&schema.name)?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What is known of the plan; `None` where the collection was never looked at.
    fn look(&self, plan: &FindPlan) -> Option<Sight> {
        self.memory(&plan.schema)?.look(plan, Instant::now())
    }
}

/// Lets the plan run, or refuses it with [`Error::UnindexedQuery`].
pub(super) async fn admit(store: &Store, plan: &FindPlan) -> Result<()> {
    let Bounds { scan, sort, .. } = plan.bounds;
    if scan.min(sort) == u64::MAX {
        return Ok(());
    }
    let mut sight = store.guard.look(plan);
    if sight.is_none() {
        learn(store, &plan.schema).await?;
        sight = store.guard.look(plan);
    }
    let Some(Sight { documents, shape, verdict, is_due }) = sight else { return Ok(()) };
    if is_due {
        refresh(store, plan);
    }
    let Some(shape) = shape else { return Ok(()) };
    if let Some(verdict) = verdict {
        match weigh(store, plan, verdict, documents).await {
            Err(Error::UnindexedQuery { .. }) => {}
            weighed => return weighed,
        }
    }
    let (verdict, indexes) = explain::verdict(store, plan).await?;
    if let Some(mut memory) = store.guard.memory(&plan.schema) {
        memory.keep(shape, verdict, indexes);
    }
    weigh(store, plan, verdict, documents).await
}

/// The refusal of a list as the caller may know it: figures and indexes are of documents and fields that it may not
/// read. The log has them.
pub(super) fn told(view: &View, refusal: Error) -> Error {
    let Error::UnindexedQuery { reason, index } = refusal else { return refusal };
    if view.reads_all() {
        return Error::UnindexedQuery { reason, index };
    }
    let missing_index = index.as_ref().map(|index| index.get());
    tracing::info!(collection = view.name(), missing_index, "a list is refused: {reason}");
    let reason = "no index serves the query, and the collection is too large to be read or sorted without one";
    Error::UnindexedQuery { reason: reason.to_owned(), index: None }
}

/// The verdict on the plan, and why it is refused if it is; nothing of it is taken from memory.
pub(super) async fn examine(store: &Store, plan: &FindPlan) -> Result<(Verdict, Option<Error>)> {
    let (documents, (verdict, _)) = futures::try_join!(learn(store, &plan.schema), explain::verdict(store, plan))?;
    match weigh(store, plan, verdict, documents).await {
        Ok(()) => Ok((verdict, None)),
        Err(refusal @ Error::UnindexedQuery { .. }) => Ok((verdict, Some(refusal))),
        Err(error) => Err(error),
    }
}

/// The index that the plan lacks, as an item of `x-indexes`; `None` where no index can serve it, or nothing is amiss.
pub(super) fn missing_index(plan: &FindPlan, verdict: Verdict) -> Option<Box<RawValue>> {
    // What is read without an index may lack a declared one that somebody dropped.
    let missing = serving::missing_index(&plan.schema, &plan.filter, &plan.sort)
        .filter(|missing| verdict.reads || (verdict.sorts && !missing.is_declared));
    to_raw_value(&doc! { "keys": missing?.keys }).ok()
}

/// Refuses the plan if its verdict is too much for so many documents.
async fn weigh(store: &Store, plan: &FindPlan, verdict: Verdict, documents: u64) -> Result<()> {
    let Bounds { scan, sort, .. } = plan.bounds;
    let cost = if verdict.reads && documents > scan {
        format!("read about {documents} documents, and the limit is {scan} (`--max-scan`)")
    } else if verdict.sorts && documents > sort && matches_more(store, plan, sort).await? {
        format!("sort more than {sort} documents in memory, and that is the limit (`--max-sort`)")
    } else {
        return Ok(());
    };
    let index = missing_index(plan, verdict);
    let why = if index.is_some() { "no index serves" } else { "no index can serve" };
    Err(Error::UnindexedQuery { reason: format!("{why} the query: it would {cost}"), index })
}

/// Whether the filter selects more than `most` documents. Counts no further.
async fn matches_more(store: &Store, plan: &FindPlan, most: u64) -> Result<bool> {
    let limit = i64::try_from(most.saturating_add(1)).unwrap_or(i64::MAX);
    // Unlike an aggregation, this takes every filter that a list takes.
    let count = doc! { "count": &plan.schema.name, "query": plan.filter.clone(), "limit": limit };
    let counted = session::run(store, count).await?;
    Ok(explain::number(&counted, "n").is_some_and(|n| n > most))
}

/// Looks at the collection again, while the request that found its knowledge old goes on.
fn refresh(store: &Store, plan: &FindPlan) {
    let (store, schema) = (Store { deadline: REFRESH, ..store.clone() }, Arc::clone(&plan.schema));
    tokio::spawn(async move {
        if let Err(error) = store.within(learn(&store, &schema)).await {
            tracing::warn!(collection = schema.name, cause = %error, "the guard cannot look at a collection");
        }
    });
}

/// Looks at the collection, and gives the number of its documents by its own bookkeeping.
async fn learn(store: &Store, schema: &Schema) -> Result<u64> {
    let collection = store.collection(schema);
    let count = collection.estimated_document_count().max_time(store.deadline).into_future();
    let indexes = indexes::listed(&store.database, &schema.name, Some(store.max_time_ms()));
    let (documents, indexes) = futures::try_join!(count, indexes)?;
    if let Some(mut memory) = store.guard.memory(schema) {
        memory.learn(documents, indexes, Instant::now() + REFRESH);
    }
    Ok(documents)
}
