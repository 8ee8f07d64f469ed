//! The database made to be as the collection files say: observe → diff → apply, under a lease.
//!
//! `observe` reads what is there, `diff` compares it with the files without touching the database, `apply`
//! carries changes out. [`run()`] is the start of the service, [`plan`] shows what it would do. What the service has
//! to remember about itself stands in one collection, [`BOOKKEEPING`]: the lease, the applied files, stages, the secret.

use std::collections::BTreeMap;

use bson::Document;
use mongodb::{
    Collection, Database,
    options::{DatabaseOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern},
};

use crate::{
    config::Apply,
    error::Result,
    schema::{Catalog, Index},
};

mod adopt;
mod apply;
mod breaking;
mod change;
mod count;
mod diff;
mod duplicates;
pub mod file;
mod generation;
mod held;
mod index;
pub mod json;
mod judge;
mod lock;
mod observe;
mod print;
pub mod rules;
mod run;
mod secret;
mod stage;
mod standing;
mod walk;

pub use adopt::{Adopted, adopt};
pub use breaking::{Breaking, Sample};
pub use change::{Change, Risk};
pub use count::{Count, Counting, Pace, Progress, Reading};
pub use duplicates::{Duplicates, Shared};
use generation::Generation;
pub use held::Rules;
use judge::judge;
pub use print::headline;
pub use run::{Report, Wish, run};
pub use secret::secret;
pub use standing::{Open, Standing, Watch};

/// The collection in which the service keeps its own notes.
pub const BOOKKEEPING: &str = "_folio";

/// What separates the database from the files.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The differences, those to be left alone among them.
    pub changes: Vec<Change>,
    /// The stored documents that a new validator would refuse, by collection. They keep it from being applied. A
    /// collection of which none were found is missing, unless that is an estimate.
    pub breaking: BTreeMap<String, Breaking>,
    /// The stored documents that share a key of a new unique index, by collection and index. They keep it from being
    /// built.
    pub duplicates: BTreeMap<(String, String), Duplicates>,
    /// The files were applied before and have been replaced since, so no start makes these changes.
    pub older: bool,
}

/// A change, and what stands in its way.
#[derive(Debug, Clone, Copy)]
pub struct Step<'p> {
    /// The change.
    pub change: &'p Change,
    /// The stored documents that the new validator would refuse.
    pub breaking: Option<&'p Breaking>,
    /// The stored documents that the new unique index would refuse.
    pub duplicates: Option<&'p Duplicates>,
}

/// What a plan comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// There is nothing to do.
    InStep,
    /// There are changes to make, and nothing in their way.
    Pending,
    /// Stored documents, or what a collection is, stand in the way.
    Blocked,
}

impl Step<'_> {
    /// Whether the change cannot be made as things are, whatever is allowed.
    pub fn is_blocked(&self) -> bool {
        self.change.risk() == Risk::Impossible || self.is_broken() && self.is_held() || self.duplicates.is_some()
    }

    /// Whether stored documents break the validator that the change is about.
    fn is_broken(&self) -> bool {
        self.breaking.is_some_and(Breaking::is_in_the_way)
    }

    /// Whether every write is to be held to the validator that the change is about.
    fn is_held(&self) -> bool {
        matches!(self.change, Change::SetValidator { to, .. } if to.is_held())
    }
}

impl Plan {
    /// The changes in their order, each with what stands in its way.
    pub fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        self.changes.iter().map(|change| {
            let breaking = self.breaking.get(change.collection()).filter(|_| change.leaves_rules_open());
            let name = |index: &Index| (change.collection().to_owned(), index.name.clone());
            let duplicates = change.built().and_then(|index| self.duplicates.get(&name(index)));
            Step { change, breaking, duplicates }
        })
    }

    /// What the plan comes to.
    pub fn status(&self) -> Status {
        match () {
            () if self.is_empty() => Status::InStep,
            () if self.steps().any(|step| step.is_blocked()) => Status::Blocked,
            () => Status::Pending,
        }
    }

    /// The least that a run must be allowed to make all of it; `None` where something cannot be made.
    pub fn admitted_by(&self) -> Option<Apply> {
        let risks = self.changes.iter().map(Change::risk).filter(|risk| *risk != Risk::Report);
        risks
            .map(Risk::admitted_by)
            .try_fold(Apply::Safe, |least, one| if one? == Apply::All { one } else { Some(least) })
    }

    /// Whether there is nothing to do; what is only reported does not count, nor a stage that has to go on.
    pub fn is_empty(&self) -> bool {
        let waits = |step: Step<'_>| step.change.ends_a_stage() && step.is_broken();
        self.steps().all(|step| step.change.is_left_alone() || waits(step))
    }

    /// Whether stored documents keep what is wished from being made.
    pub fn is_held_up(&self, wish: &Wish) -> bool {
        let stages = stage::choose(self, wish);
        let goes_in = |step: &Step<'_>| !step.is_held() || stages.contains_key(step.change.collection());
        self.steps().any(|step| step.duplicates.is_some() || step.is_broken() && !goes_in(&step))
    }

    /// Whether all of it can be made as wished.
    pub fn is_covered(&self, wish: &Wish) -> bool {
        let is_covered = |change: &Change| change.is_left_alone() || change.risk().is_covered_by(wish.apply);
        !self.is_held_up(wish) && self.changes.iter().all(is_covered)
    }
}

/// What [`run()`] would do, with the stored documents that stand in its way.
pub async fn plan(db: &Database, catalog: &Catalog, counting: &Counting) -> Result<Plan> {
    let db = &strong(db);
    let (changes, record) = futures::try_join!(pending(db, catalog), generation::read(db))?;
    let generation = Generation::of(catalog)?;
    let older = record.supersedes(&generation);
    Ok(Plan { older, ..judge(db, catalog, changes, counting).await? })
}

async fn pending(db: &Database, catalog: &Catalog) -> Result<Vec<Change>> {
    Ok(diff::diff(catalog, &observe::observe(db, catalog).await?))
}

/// The same database, read where writes go and written to a majority, whatever the URI prefers.
fn strong(db: &Database) -> Database {
    let options = DatabaseOptions::builder()
        .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
        .read_concern(ReadConcern::local())
        .write_concern(WriteConcern::majority())
        .build();
    db.client().database_with_options(db.name(), options)
}

fn bookkeeping(db: &Database) -> Collection<Document> {
    db.collection(BOOKKEEPING)
}
