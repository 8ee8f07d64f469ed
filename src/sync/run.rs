//! What a start does: nothing unless everything can be done, once for all instances, and never back to older files.

use mongodb::Database;

use super::{
    Plan, apply,
    change::{Change, Risk},
    generation::{self, Generation, Record},
    is_settled,
    judge::judge,
    lock, pending, strong,
};
use crate::{
    config::Apply,
    error::{Error, Result},
    schema::Catalog,
};

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

fn reports(changes: &[Change]) -> Vec<Change> {
    changes.iter().filter(|c| c.risk() == Risk::Report).cloned().collect()
}
