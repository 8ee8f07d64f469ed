//! The database made to be as the collection files say: observe → diff → apply, under a lease.
//!
//! `observe` reads what is there, `diff` compares it with the files without touching the database, `apply`
//! carries changes out. [`run`] is the start of the service, [`plan`] shows what it would do. What the service has
//! to remember about itself stands in one collection, [`BOOKKEEPING`]: the lease, the applied files, the secret.

use std::collections::BTreeMap;

use bson::Document;
use futures::future::try_join_all;
use mongodb::{
    Collection, Database,
    options::{DatabaseOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern},
};

use crate::{
    config::Apply,
    error::{Error, Result},
    schema::Catalog,
};

mod apply;
mod breaking;
mod change;
mod diff;
mod generation;
mod index;
mod lock;
mod observe;
mod print;
mod secret;

pub use breaking::{Breaking, Sample};
pub use change::{Change, Risk, Rules};
use generation::{Generation, Record};
pub use secret::secret;

/// The collection in which the service keeps its own notes.
pub const BOOKKEEPING: &str = "_folio";

/// What separates the database from the files.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The differences, those to be left alone among them.
    pub changes: Vec<Change>,
    /// The stored documents that a new validator would refuse, by collection. They keep it from being applied.
    pub breaking: BTreeMap<String, Breaking>,
}

impl Plan {
    /// Whether there is nothing to do; what is only reported does not count.
    pub fn is_empty(&self) -> bool {
        is_settled(&self.changes)
    }

    fn is_covered(&self, apply: Apply) -> bool {
        let covered = |c: &Change| c.risk() == Risk::Report || c.risk().is_covered_by(apply);
        self.breaking.is_empty() && self.changes.iter().all(covered)
    }
}

/// What a start did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// The changes made.
    pub applied: Vec<Change>,
    /// What was found and left alone.
    pub reported: Vec<Change>,
    /// The files are an earlier generation of those that are applied, so nothing was changed.
    pub superseded: bool,
}

/// Makes the database as the files say, as far as `apply` allows.
///
/// Nothing is changed unless everything can be: a plan that `apply` does not cover, or stored documents that break
/// a new validator, end the start before the first step. Instances that start at once do the work once.
///
/// # Errors
/// [`Error::Startup`] with the printed plan where something is left over, or with what failed.
pub async fn run(db: &Database, catalog: &Catalog, apply: Apply) -> Result<Report> {
    let db = &strong(db);
    let generation = Generation::of(catalog)?;
    let (changes, record) = futures::try_join!(pending(db, catalog), generation::read(db))?;
    if let Some(report) = settled(&changes, record.as_ref(), (&generation, apply))? {
        return Ok(report);
    }
    if apply == Apply::None {
        return refuse(&judge(db, catalog, changes).await?, apply);
    }
    lock::under(db, locked(db, catalog, (&generation, apply))).await
}

/// What [`run`] would do, with the stored documents that stand in its way.
pub async fn plan(db: &Database, catalog: &Catalog) -> Result<Plan> {
    let db = &strong(db);
    judge(db, catalog, pending(db, catalog).await?).await
}

/// What is done while no other instance does it. Looks again first: the one before may have done it all.
async fn locked(db: &Database, catalog: &Catalog, wish: (&Generation, Apply)) -> Result<Report> {
    let (changes, record) = futures::try_join!(pending(db, catalog), generation::read(db))?;
    if let Some(report) = settled(&changes, record.as_ref(), wish)? {
        return Ok(report);
    }
    let (generation, apply) = wish;
    let plan = judge(db, catalog, changes).await?;
    if !plan.is_covered(apply) {
        return refuse(&plan, apply);
    }
    let applied = apply::all(db, catalog, apply).await?;
    generation::write(db, generation).await?;
    Ok(Report { applied, reported: reports(&plan.changes), superseded: false })
}

/// The report of a start that has nothing to do, if this is one.
fn settled(
    changes: &[Change],
    record: Option<&Record>,
    (generation, apply): (&Generation, Apply),
) -> Result<Option<Report>> {
    let superseded = record.is_some_and(|record| record.supersedes(generation));
    if superseded && apply != Apply::All {
        if let Some(gone) = changes.iter().find(|change| change.is_of_no_collection()) {
            return Err(Error::Startup(format!(
                "these collection files are older than the applied ones, and this is not there any more:\n\n{gone}\n\n\
                 start with the newer files, or go back to these with `--apply all`"
            )));
        }
        tracing::warn!(
            "these collection files are older than the applied ones: serving without changing the database; to go \
             back to them on purpose, start once with `--apply all`"
        );
        return Ok(Some(Report { reported: reports(changes), superseded, ..Report::default() }));
    }
    let recorded = apply == Apply::None || record.is_some_and(|record| record.is_current(generation));
    Ok((is_settled(changes) && recorded).then(|| Report { reported: reports(changes), ..Report::default() }))
}

fn refuse(plan: &Plan, apply: Apply) -> Result<Report> {
    let why = match apply {
        _ if !plan.breaking.is_empty() => "stored documents break a new validator",
        Apply::None => "`--apply none` changes nothing",
        Apply::Safe => "`--apply safe` makes safe changes only",
        Apply::All => "not everything can be made so",
    };
    Err(Error::Startup(format!(
        "the database is not as the collection files say, and {why}; nothing was changed:\n\n{plan}"
    )))
}

async fn pending(db: &Database, catalog: &Catalog) -> Result<Vec<Change>> {
    Ok(diff::diff(catalog, &observe::observe(db, catalog).await?))
}

/// Counts the stored documents that stand in the way of the changes.
async fn judge(db: &Database, catalog: &Catalog, changes: Vec<Change>) -> Result<Plan> {
    let tightened = changes.iter().filter(|c| matches!(c, Change::SetValidator { .. }));
    let schemas = tightened.filter_map(|c| catalog.get(c.collection()));
    let counts = schemas.map(|schema| async {
        let breaking = breaking::find(db, schema).await?;
        Ok::<_, Error>(breaking.map(|breaking| (schema.name.clone(), breaking)))
    });
    let breaking = try_join_all(counts).await?.into_iter().flatten().collect();
    Ok(Plan { changes, breaking })
}

fn is_settled(changes: &[Change]) -> bool {
    changes.iter().all(|c| c.risk() == Risk::Report)
}

fn reports(changes: &[Change]) -> Vec<Change> {
    changes.iter().filter(|c| c.risk() == Risk::Report).cloned().collect()
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
