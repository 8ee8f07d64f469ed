//! Changing one document by one command.

use bson::doc;
use mongodb::{
    ClientSession,
    action::{Action as _, FindOneAndUpdate},
    error::Error as DriverError,
    options::{Hint, ReturnDocument},
};
use tokio::time::Instant;

use super::Changed;
use crate::{
    access::Permitted,
    error::{Error, Result},
    query,
    store::{Store, failure, left, session},
    update::{ChangePlan, Direct},
};

/// Makes the change by one command, where there is one and it finds the document. All else, refusals too, is for the
/// exact way to find and explain; it is `None` here.
pub(super) async fn change(store: &Store, plan: &Permitted<ChangePlan>) -> Result<Option<Changed>> {
    let Some(direct) = plan.direct() else { return Ok(None) };
    let mut session = session::open(store).await?;
    let run = async {
        let changed = run(store, (plan.plan(), direct), &mut session).await;
        changed.map_err(|error| failure::of_write(&error, &plan.plan().schema, None))
    };
    let changed = store.within(run).await;
    session::close(store, session, &changed);
    match changed {
        Err(error) if !is_about_the_server(&error) => Ok(None),
        changed => changed,
    }
}

/// Whether the exact way would meet the same, or the command may have been carried out.
pub(super) fn is_about_the_server(error: &Error) -> bool {
    matches!(error, Error::Unavailable { .. } | Error::Unconfirmed { .. } | Error::DeadlineExceeded)
}

async fn run(
    store: &Store,
    (plan, direct): (&ChangePlan, Direct),
    session: &mut ClientSession,
) -> Result<Option<Changed>, DriverError> {
    let (collection, deadline) = (store.collection(&plan.schema), Instant::now() + store.deadline);
    match direct {
        Direct::Delete => {
            let delete = collection.find_one_and_delete(query::by_id(&plan.id, None)).projection(doc! { "_id": 1 });
            let deleted = delete.max_time(left(deadline)).session(session).await?;
            Ok(deleted.map(|_| Changed { document: None, created: false }))
        }
        Direct::Update { conditions, update, array_filters } => {
            // With conditions beside the `_id`, the server would try the indexes that serve those, too.
            let hint = conditions.is_some().then(|| Hint::Keys(doc! { "_id": 1 }));
            let update = collection.find_one_and_update(query::by_id(&plan.id, conditions), update);
            let update = update.return_document(ReturnDocument::After).max_time(left(deadline));
            let filters = Some(array_filters).filter(|filters| !filters.is_empty());
            let update = update.optional(filters, FindOneAndUpdate::array_filters);
            let updated = update.optional(hint, FindOneAndUpdate::hint).session(session).await?;
            Ok(updated.map(|document| Changed { document: Some(document), created: false }))
        }
    }
}
