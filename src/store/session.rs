//! The sessions by which the server can be told to stop work. `maxTimeMS` bounds reads, but the driver has none for
//! inserts, replaces and deletes; and neither a write that waits for another one nor an `explain` notices that its
//! connection is closed.

use std::time::Duration;

use bson::{Document, doc};
use mongodb::ClientSession;
use tokio::{sync::oneshot, time::timeout};

use super::{Store, failure};
use crate::error::{Error, Result};

pub(super) mod idle;

/// How long the server may take to stop work.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn open(store: &Store) -> Result<ClientSession> {
    store.sessions.take(store.database.client()).await
}

/// Ends the session after its work, or keeps it for the next where all went well. Where the work was given up at the
/// deadline, the server stops what it still does of it, without this waiting for that. Nobody needs a privilege to stop
/// his own.
///
/// See [`killSessions`](https://www.mongodb.com/docs/manual/reference/command/killSessions/).
pub(super) fn close<T>(store: &Store, session: ClientSession, outcome: &Result<T>) {
    match outcome {
        Ok(_) => return store.sessions.keep(session),
        Err(error) if matches!(error.inner(), Error::DeadlineExceeded) => {}
        Err(_) => return,
    }
    let admin = store.database.client().database("admin");
    tokio::spawn(async move {
        let stop = admin.run_command(doc! { "killSessions": [session.id().clone()] });
        match timeout(PATIENCE, stop.into_future()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(cause = %error, "work past its deadline could not be stopped"),
            Err(_) => tracing::warn!("work past its deadline could not be stopped in time"),
        }
        // Only now may the session serve another request.
        drop(session);
    });
}

/// Runs a command where lists are read, for as long as they may take, and as long as somebody waits for its answer.
pub(super) async fn run(store: &Store, mut command: Document) -> Result<Document> {
    command.insert("maxTimeMS", store.max_time_ms());
    // It closes when this future is dropped.
    let (_waiting, gone) = oneshot::channel::<()>();
    let store = store.clone();
    let run = tokio::spawn(async move {
        let mut session = open(&store).await?;
        let answer = tokio::select! {
            answer = answer(&store, command, &mut session) => answer,
            _ = gone => Err(Error::DeadlineExceeded),
        };
        close(&store, session, &answer);
        answer
    });
    run.await.unwrap_or_else(|panic| Err(Error::Internal(format!("a command was broken off: {panic}"))))
}

async fn answer(store: &Store, command: Document, session: &mut ClientSession) -> Result<Document> {
    let mut run = store.database.run_command(command).session(session);
    if let Some(server) = store.database.selection_criteria() {
        run = run.selection_criteria(server.clone());
    }
    run.await.map_err(failure::of_find)
}
