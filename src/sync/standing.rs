//! How the database stands to the files of an instance that serves: looked at when it starts, and now and then after.
//!
//! Changes nothing. Each instance looks by its own clock; what it costs is bounded by the time that one count may take,
//! and by a rest of several times that.

use std::{collections::BTreeMap, time::Duration};

use bson::{Document, doc};
use mongodb::{
    Database,
    error::Error as DriverError,
    options::{ReadPreference, SelectionCriteria},
};
use tokio::{
    sync::watch::{self, Receiver},
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::{
    Rules,
    generation::{self, Generation},
    observe, strong,
};
use crate::{config::Stage, error::Result, schema::Catalog, store::failure};

/// The longest that counting the documents of one collection may take. What takes longer is not counted.
const PATIENCE: Duration = Duration::from_secs(60);

/// A look that took long is followed by a rest of at least this many times that.
const REST: u32 = 20;

/// How the database stands to the files, as it was last seen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// The files are older than those that the database follows.
    pub superseded: bool,
    /// The validators that are not held against every write, by collection.
    pub open: BTreeMap<String, Open>,
}

/// A validator in force that is not held against every write.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// The validator, and what is done with documents that break it.
    pub rules: Rules,
    /// The stage that it was set in; `None` where its file, or somebody else, wants it so.
    pub stage: Option<Stage>,
    /// How many stored documents break it; `None` where that could not be counted in time.
    pub breaking: Option<u64>,
}

/// Looks at the database for as long as it is kept.
#[derive(Debug)]
pub struct Watch {
    seen: Receiver<Standing>,
    task: JoinHandle<()>,
}

impl Watch {
    /// Begins to look, `every` so often; with zero, once. Nothing waits for the first look.
    pub fn start(db: &Database, catalog: &Catalog, superseded: bool, every: Duration) -> Self {
        let (sender, seen) = watch::channel(Standing { superseded, ..Standing::default() });
        let (db, catalog) = (strong(db), catalog.clone());
        let task = tokio::spawn(async move {
            loop {
                let begun = Instant::now();
                let last = sender.borrow().clone();
                match look(&db, &catalog).await {
                    Ok(standing) => {
                        tell(&last, &standing);
                        sender.send_replace(standing);
                    }
                    Err(error) => tracing::warn!(cause = error.cause(), "how the database stands could not be seen"),
                }
                if every.is_zero() {
                    return;
                }
                sleep(every.max(begun.elapsed() * REST)).await;
            }
        });
        Self { seen, task }
    }

    /// What was seen last, for others to follow.
    pub fn seen(&self) -> Receiver<Standing> {
        self.seen.clone()
    }

    /// Looks no more.
    pub fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn look(db: &Database, catalog: &Catalog) -> Result<Standing> {
    let generation = Generation::of(catalog)?;
    let (record, rules) = futures::try_join!(generation::read(db), observe::rules(db, catalog))?;
    let mut open = BTreeMap::new();
    for (collection, (rules, stage)) in rules.into_iter().filter(|(_, (rules, _))| !rules.is_held()) {
        let breaking = count(db, &collection, &rules).await.inspect_err(|error| {
            let cause = failure::reason(error);
            tracing::warn!(cause, "the documents of `{collection}` that break its validator could not be counted");
        });
        open.insert(collection, Open { rules, stage, breaking: breaking.ok() });
    }
    Ok(Standing { superseded: record.supersedes(&generation), open })
}

/// How many documents break the collection's own validator. A secondary counts, where there is one.
async fn count(db: &Database, collection: &str, rules: &Rules) -> Result<u64, DriverError> {
    let stored = db.collection::<Document>(collection);
    let aside = SelectionCriteria::ReadPreference(ReadPreference::SecondaryPreferred { options: None });
    let count = stored.count_documents(doc! { "$nor": [&rules.validator] });
    count.selection_criteria(aside).max_time(PATIENCE).await
}

/// Logs what is new.
fn tell(last: &Standing, standing: &Standing) {
    if standing.superseded && !last.superseded {
        tracing::warn!("newer collection files than these have been applied: restart with those");
    }
    for (collection, open) in &standing.open {
        let before = last.open.get(collection).and_then(|open| open.breaking);
        match open.breaking {
            count if count == before => {}
            Some(0) if open.stage.is_some() => tracing::info!(
                "no stored document of `{collection}` breaks its validator any more: the next start, or `folio apply`, \
                 ends its stage"
            ),
            Some(count) if before.is_none() => tracing::warn!(
                "{count} stored documents of `{collection}` break its validator, which is not held against every \
                 write ({}, {})",
                open.rules.level,
                open.rules.action
            ),
            _ => {}
        }
    }
}
