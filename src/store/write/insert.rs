//! Inserting one document.

use std::borrow::Cow;

use bson::{RawDocument, doc};
use tokio::time::Instant;

use super::{check_size, is_rewritten, tell};
use crate::{
    access::Permitted,
    error::{Error, Result},
    store::{Store, failure, left, session},
    update::InsertPlan,
};

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
        let stored = stored.session(&mut session).await.map_err(|error| failure::of_reread(&error))?;
        stored.map(Cow::Owned).ok_or_else(|| Error::UnknownDocument { collection: schema.name.clone() })
    };
    let inserted = store.within(insert).await;
    session::close(store, session, &inserted);
    inserted
}
