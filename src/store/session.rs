//! The session that a write runs in, by which the server can be told to stop it: `maxTimeMS` bounds reads, but the
//! driver has none for inserts, replaces and deletes, and a write that waits for another one does not notice that its
//! connection is closed.

use std::time::Duration;

use bson::doc;
use mongodb::ClientSession;
use tokio::time::timeout;

use super::Store;
use crate::error::{Error, Result};

/// How long the server may take to stop a write.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn open(store: &Store) -> Result<ClientSession> {
    Ok(store.database.client().start_session().await?)
}

/// Ends the session after its work. Where that was given up at the deadline, the server stops what it still does of it,
/// without this waiting for that. Nobody needs a privilege to stop his own.
///
/// See [`killSessions`](https://www.mongodb.com/docs/manual/reference/command/killSessions/).
pub(super) fn close<T>(store: &Store, session: ClientSession, outcome: &Result<T>) {
    if !matches!(outcome, Err(Error::DeadlineExceeded)) {
        return;
    }
    let admin = store.database.client().database("admin");
    tokio::spawn(async move {
        let stop = admin.run_command(doc! { "killSessions": [session.id().clone()] });
        match timeout(PATIENCE, stop.into_future()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(cause = %error, "a write past its deadline could not be stopped"),
            Err(_) => tracing::warn!("a write past its deadline could not be stopped in time"),
        }
        // Only now may the session serve another request.
        drop(session);
    });
}
