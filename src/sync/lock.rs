//! The lease that one instance holds while it changes collections and indexes.
//!
//! It is a document in the bookkeeping collection; time is the server's own (`$$NOW`), so the instances' clocks do
//! not matter. Who holds it renews it; one that was killed loses it after [`TERM`]. MongoDB cannot fence DDL with
//! it, so what is done under it must bear being done twice.

use std::time::Duration;

use bson::{Document, Uuid, doc};
use mongodb::{Collection, Database, error::Error as DriverError, options::ReturnDocument};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::bookkeeping;
use crate::{
    error::{Error, Result},
    store::failure::{self, codes},
};

/// How long a lease holds without being renewed.
const TERM: Duration = Duration::from_secs(10);

/// How long to wait for another instance to finish. Index builds take their time.
const PATIENCE: Duration = Duration::from_secs(300);

/// How often to look whether the lease is free.
const POLL: Duration = Duration::from_millis(100);

/// How often to say who holds it.
const SAY: Duration = Duration::from_secs(10);

/// The lease's `_id` in the bookkeeping collection.
const LEASE: &str = "lease";

/// Does `work` while no other instance does such work. If the lease is lost meanwhile, the work is broken off.
pub(super) async fn under<T>(db: &Database, work: impl Future<Output = Result<T>>) -> Result<T> {
    let lease = Lease::acquire(db).await?;
    let outcome = tokio::select! {
        outcome = work => outcome,
        lost = lease.keep() => Err(lost),
    };
    lease.release().await;
    outcome
}

struct Lease {
    kept: Collection<Document>,
    holder: String,
}

impl Lease {
    async fn acquire(db: &Database) -> Result<Self> {
        let lease = Self { kept: bookkeeping(db), holder: name() };
        let start = Instant::now();
        let mut said = None::<Instant>;
        loop {
            let holder = lease.try_take().await.map_err(failure::startup("taking the lease"))?;
            if holder == lease.holder {
                return Ok(lease);
            }
            if start.elapsed() > PATIENCE {
                return Err(Error::Startup(format!(
                    "`{holder}` has been changing the database for {} s; wait until it is done",
                    start.elapsed().as_secs()
                )));
            }
            if said.is_none_or(|at| at.elapsed() > SAY) {
                said = Some(Instant::now());
                tracing::info!(%holder, "waiting: another instance is changing the database");
            }
            sleep(POLL).await;
        }
    }

    /// Takes the lease if it is free or has expired; returns who holds it then.
    async fn try_take(&self) -> Result<String, DriverError> {
        // A stage's expressions all read the document as it was before, so both fields go by the same decision.
        let free = || doc! { "$not": [{ "$gt": ["$until", "$$NOW"] }] };
        let take = vec![doc! { "$set": {
            "holder": { "$cond": [free(), { "$literal": &self.holder }, "$holder"] },
            "until": { "$cond": [free(), expiry(), "$until"] },
        } }];
        let update = self.kept.find_one_and_update(doc! { "_id": LEASE }, take);
        match update.upsert(true).return_document(ReturnDocument::After).await {
            Ok(lease) => Ok(lease.unwrap_or_default().get_str("holder").unwrap_or_default().to_owned()),
            // Two inserted it at once; the next look tells who was first.
            Err(error) if failure::code(&error) == Some(codes::DUPLICATE_KEY) => Ok("another instance".to_owned()),
            Err(error) => Err(error),
        }
    }

    /// Renews the lease as long as that succeeds; returns when it is lost.
    async fn keep(&self) -> Error {
        let mut ticks = interval(TERM / 4);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut renewed = Instant::now();
        loop {
            ticks.tick().await;
            let update = self.kept.update_one(self.mine(), vec![doc! { "$set": { "until": expiry() } }]).await;
            match update {
                Ok(update) if update.matched_count == 1 => renewed = Instant::now(),
                Ok(_) => return Error::Startup("the lease was lost to another instance; start again".to_owned()),
                Err(error) if renewed.elapsed() > TERM => return failure::startup("renewing the lease")(error),
                Err(error) => tracing::warn!(cause = failure::reason(&error), "the lease could not be renewed yet"),
            }
        }
    }

    async fn release(self) {
        if let Err(error) = self.kept.delete_one(self.mine()).await {
            tracing::warn!(cause = failure::reason(&error), "the lease is left to expire");
        }
    }

    fn mine(&self) -> Document {
        doc! { "_id": LEASE, "holder": &self.holder }
    }
}

fn expiry() -> Document {
    doc! { "$add": ["$$NOW", i64::try_from(TERM.as_millis()).unwrap_or(i64::MAX)] }
}

/// Who we are, for people (host and process) and for certain (the last part).
fn name() -> String {
    let system = rustix::system::uname();
    format!("{} process {} {}", system.nodename().to_string_lossy(), std::process::id(), Uuid::new())
}
