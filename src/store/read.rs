//! Reading documents: whole server batches, as they came.

use std::{collections::HashMap, iter, sync::Arc};

use bson::{RawDocument, RawDocumentBuf, doc};
use futures::TryStreamExt;
use mongodb::raw_batch_cursor::{RawBatch, SessionRawBatchCursorStream};
use tokio::time::Instant;

use super::{Store, failure, guard, left};
use crate::{
    access::Permitted,
    codec::elements::Documents,
    error::{Error, Result, check_limit},
    query::{FindPlan, GetPlan},
    schema::Schema,
};

/// The documents of a list, in the server's batches.
#[derive(Debug)]
pub struct Page(Vec<RawBatch>);

impl Page {
    /// The documents, in order. For a page one more than its limit shows that the list goes on.
    pub fn documents(&self) -> impl Iterator<Item = Result<&RawDocument>> {
        let (mut batches, mut documents) = (self.0.iter(), Documents::NONE);
        iter::from_fn(move || {
            loop {
                if let Some(document) = documents.next() {
                    return Some(document);
                }
                match documents_of(batches.next()?) {
                    Ok(more) => documents = more,
                    Err(error) => return Some(Err(error)),
                }
            }
        })
    }

    /// The bytes of its batches.
    pub fn size(&self) -> usize {
        self.0.iter().map(|batch| batch.as_raw_document().as_bytes().len()).sum()
    }
}

pub(super) fn documents_of(batch: &RawBatch) -> Result<Documents<'_>> {
    Documents::of(batch.doc_slices()?)
}

/// The documents that the plan selects; for a page one more than its limit, if there is one.
pub async fn find(store: &Store, permitted: &Permitted<FindPlan>) -> Result<Page> {
    let plan = permitted.plan();
    let collection = store.collection(&plan.schema);
    let (limit, deadline) = (plan.reach(), Instant::now() + store.deadline);
    let mut find = collection.find(plan.selection()).limit(limit.into()).batch_size(limit);
    if !plan.sort.is_empty() {
        find = find.sort(plan.sort.clone());
    }
    if let Some(projection) = plan.columns() {
        find = find.projection(projection);
    }
    if plan.skip > 0 {
        find = find.skip(plan.skip.into());
    }
    let batches = async {
        guard::admit(store, plan).await.map_err(|refusal| guard::told(permitted.view(), refusal))?;
        let mut session = store.sessions.take(store.database.client()).await?;
        let found = find.max_time(left(deadline)).session(&mut session).batch().await;
        let page = collect(found.map_err(failure::of_find)?.stream(&mut session), plan.bounds.bytes).await?;
        store.sessions.keep(session);
        Ok(page)
    };
    store.within(batches).await
}

async fn collect(mut cursor: SessionRawBatchCursorStream<'_, '_>, max_bytes: usize) -> Result<Page> {
    let (mut batches, mut bytes) = (Vec::new(), 0_usize);
    while let Some(batch) = cursor.try_next().await.map_err(failure::of_find)? {
        bytes += batch.as_raw_document().as_bytes().len();
        check_limit(("--max-page-bytes", max_bytes), bytes, || {
            "the size of the page (ask for fewer documents with `limit`, or for less of them with `fields`)".to_owned()
        })?;
        batches.push(batch);
    }
    Ok(Page(batches))
}

/// The document with the plan's `_id`, as it is stored.
pub async fn get(store: &Store, plan: &Permitted<GetPlan>) -> Result<Option<RawDocumentBuf>> {
    let plan = plan.plan();
    let collection = store.collection(&plan.schema);
    let find = collection.find(plan.selection()).limit(-1).max_time(store.deadline);
    let batch = async {
        let mut session = store.sessions.take(store.database.client()).await?;
        let batch = find.session(&mut session).batch().await?.stream(&mut session).try_next().await?;
        store.sessions.keep(session);
        Ok(batch)
    };
    let batch = store.within(batch).await?;
    let page = Page(batch.into_iter().collect());
    let found = page.documents().next().transpose()?;
    Ok(found.map(ToOwned::to_owned))
}

/// How many documents each of the collections has, by its name and its own bookkeeping.
pub async fn counts<'c>(store: &Store, schemas: &'c [Permitted<Arc<Schema>>]) -> Result<HashMap<&'c str, u64>> {
    let counted = schemas.iter().map(Permitted::plan).map(|schema| async move {
        let count = store.collection(schema).estimated_document_count().max_time(store.deadline).await?;
        Ok::<_, Error>((schema.name.as_str(), count))
    });
    Ok(store.within(futures::future::try_join_all(counted)).await?.into_iter().collect())
}

/// Whether the database answers.
pub async fn ping(store: &Store) -> Result<()> {
    store.database.run_command(doc! { "ping": 1 }).await?;
    Ok(())
}
