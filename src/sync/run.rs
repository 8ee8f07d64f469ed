//! What a start does: nothing unless everything can be done, once for all instances, and never back to older files.

use std::collections::BTreeSet;

use mongodb::Database;

use super::{
    Change, Counting, Plan, apply,
    file::Fingerprint,
    generation::{self, Generation, Record},
    judge::judge,
    lock, pending, stage, strong,
};
use crate::{
    config::{Apply, Changes, Stage},
    error::{Error, Result},
    schema::Catalog,
};

/// What is asked of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wish {
    /// Which changes may be made.
    pub apply: Apply,
    /// How a validator goes in that stored documents break; `None` refuses it.
    pub stage: Option<Stage>,
    /// Whether files that are older than the applied ones are to be applied again.
    pub rollback: bool,
    /// The fingerprint of the plan that is to be carried out: nothing is done where it is another by now.
    pub expected: Option<String>,
}

impl From<Apply> for Wish {
    fn from(apply: Apply) -> Self {
        Self { apply, ..Self::default() }
    }
}

impl From<Changes> for Wish {
    fn from(Changes { apply, rollback }: Changes) -> Self {
        Self { apply, rollback, ..Self::default() }
    }
}

/// What a start did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// The changes made.
    pub applied: Vec<Change>,
    /// What was found and left alone.
    pub reported: Vec<Change>,
    /// The collections whose documents are not all held to these files: the validator is in a stage, or not strict by
    /// the file's own wish, or the database follows newer files.
    pub open: BTreeSet<String>,
    /// The files are an earlier generation of those that the database follows, so nothing was changed.
    pub superseded: bool,
}

/// Makes the database as the files say, as far as `wish` allows.
///
/// Nothing is changed unless everything can be: a plan that it does not cover, or stored documents that break
/// a new validator which is not to be staged, end the start before the first step. Documents that break a validator in
/// a stage are no hindrance. Instances that start at once do the work once.
///
/// # Errors
/// [`Error::Startup`] with the printed plan where something is left over, or with what failed.
pub async fn run(db: &Database, catalog: &Catalog, wish: &Wish) -> Result<Report> {
    let run = Run { db: &strong(db), catalog, wish, generation: Generation::of(catalog)? };
    let seen = run.look().await?;
    if let Some(report) = run.settled(&seen).await? {
        return Ok(report);
    }
    if wish.apply == Apply::None {
        return run.refuse(&run.judge(seen.changes).await?);
    }
    lock::under(run.db, run.locked()).await
}

struct Run<'r> {
    db: &'r Database,
    catalog: &'r Catalog,
    wish: &'r Wish,
    generation: Generation,
}

/// What there is.
struct Seen {
    changes: Vec<Change>,
    record: Record,
}

impl Run<'_> {
    async fn look(&self) -> Result<Seen> {
        let (changes, record) = futures::try_join!(pending(self.db, self.catalog), generation::read(self.db))?;
        Ok(Seen { changes, record })
    }

    /// Refuses to carry a plan out where it was made from something else.
    async fn expect(&self) -> Result<()> {
        let Some(expected) = &self.wish.expected else { return Ok(()) };
        if *expected == Fingerprint::take(self.db, self.catalog).await?.digest() {
            return Ok(());
        }
        let moved = "the database has moved since the plan was made, nothing was changed; make the plan anew";
        Err(Error::Startup(moved.to_owned()))
    }

    async fn judge(&self, changes: Vec<Change>) -> Result<Plan> {
        judge(self.db, self.catalog, changes, &Counting::at_full_pace()).await
    }

    /// What is done while no other instance does it. Looks again first: the one before may have done it all.
    async fn locked(&self) -> Result<Report> {
        let seen = self.look().await?;
        if let Some(report) = self.settled(&seen).await? {
            return Ok(report);
        }
        self.expect().await?;
        let plan = self.judge(seen.changes).await?;
        let stages = stage::choose(&plan, self.wish);
        if !plan.is_covered(self.wish) {
            return self.refuse(&plan);
        }
        let record = generation::begin(self.db, &seen.record, &self.generation).await?;
        let applied = match apply::all(self.db, self.catalog, (self.wish.apply, &stages)).await {
            Ok(applied) => applied,
            Err(failed) => return Err(self.broken_off((&plan.changes, &record), failed).await),
        };
        let left = pending(self.db, self.catalog).await?;
        stage::forget(self.db, self.catalog, &left).await?;
        generation::finish(self.db, &record, &self.generation).await?;
        Ok(Report { applied, ..report(&left) })
    }

    /// Where the first step failed and changed nothing, the database goes on to follow the files that it followed.
    async fn broken_off(&self, (before, record): (&[Change], &Record), failed: Error) -> Error {
        let is_unchanged = pending(self.db, self.catalog).await.is_ok_and(|after| alike(before, &after));
        if is_unchanged && let Err(error) = generation::abandon(self.db, record).await {
            return Error::Startup(format!("{failed}\n{error}"));
        }
        failed
    }

    /// The report of a run that has nothing to do, if this is one.
    async fn settled(&self, Seen { changes, record }: &Seen) -> Result<Option<Report>> {
        if record.supersedes(&self.generation) && !self.wish.rollback {
            return superseded(changes).map(Some);
        }
        let recorded = self.wish.apply == Apply::None || record.is_current(&self.generation);
        if !recorded || !changes.iter().all(|change| change.is_left_alone() || change.ends_a_stage()) {
            return Ok(None);
        }
        let is_settled = self.wish.apply == Apply::None || stage::go_on(self.db, changes, self.wish).await?;
        Ok(is_settled.then(|| report(changes)))
    }

    fn refuse(&self, plan: &Plan) -> Result<Report> {
        let why = match self.wish.apply {
            _ if plan.is_held_up(self.wish) => "stored documents stand in the way",
            Apply::None => "`--apply none` changes nothing",
            Apply::Safe => "`--apply safe` makes safe changes only",
            Apply::All => "not everything can be made so",
        };
        Err(Error::Startup(format!(
            "the database is not as the collection files say, and {why}; nothing was changed:\n\n{plan}"
        )))
    }
}

/// What is done with files that are older than those that the database follows: nothing.
fn superseded(changes: &[Change]) -> Result<Report> {
    if let Some(gone) = changes.iter().find(|change| change.is_of_no_collection()) {
        return Err(Error::Startup(format!(
            "these collection files are older than those that the database follows, and this is not there any \
             more:\n\n{gone}\n\nstart with the newer files, or go back to these with `folio apply --rollback`"
        )));
    }
    tracing::warn!(
        "these collection files are older than those that the database follows: serving without changing it; to go \
         back to them on purpose, run `folio apply --rollback`"
    );
    Ok(Report { superseded: true, ..report(changes) })
}

fn report(changes: &[Change]) -> Report {
    Report {
        reported: changes.iter().filter(|change| change.is_left_alone()).cloned().collect(),
        open: changes.iter().filter(|c| c.leaves_open()).map(|c| c.collection().to_owned()).collect(),
        ..Report::default()
    }
}

/// Whether the changes to be made are the same, however many documents there are by now.
fn alike(before: &[Change], after: &[Change]) -> bool {
    let open = |changes: &[Change]| {
        changes.iter().filter(|change| !change.is_left_alone()).map(Change::uncounted).collect::<Vec<_>>()
    };
    open(before) == open(after)
}
