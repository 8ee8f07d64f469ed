//! `folio apply`: the database made as the collection files say, without serving.

use std::{path::PathBuf, process::ExitCode};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use mongodb::Database as Mongo;

use super::{
    color::Color,
    plan::{advice, exit_code, show, unless_stopped},
    progress, say,
};
use crate::{
    config::{Apply, Database, Schemas, Stage},
    error::Result,
    schema::Catalog,
    store::client,
    sync::{
        self, Change, Counting, Plan, Risk, Status, Wish,
        file::{Fingerprint, Planned},
    },
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// File that `folio plan --out` wrote: its changes are made and no others, or none if the database or the files
    /// have moved since
    #[arg(value_name = "PLAN")]
    plan: Option<PathBuf>,
    #[command(flatten)]
    schemas: Schemas,
    #[command(flatten)]
    database: Database,
    /// Which changes are made: those that lose nothing and are quick, or all; with PLAN, those in it
    #[arg(long, value_name = "LEVEL", default_value = "safe", conflicts_with = "plan")]
    #[arg(value_parser = PossibleValuesParser::new(["safe", "all"]).map(|level| level_named(&level)))]
    apply: Apply,
    /// Put in softened what stored documents break
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "moderate")]
    #[arg(value_name = "HOW")]
    stage: Option<Stage>,
    /// Go back to files that were applied before and have been replaced since
    #[arg(long)]
    rollback: bool,
    /// Print colors
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    color: Color,
    #[command(flatten)]
    progress: progress::Options,
}

fn level_named(name: &str) -> Apply {
    if name == "all" { Apply::All } else { Apply::Safe }
}

pub(super) async fn run(args: &Args) -> Result<ExitCode> {
    let catalog = Catalog::load(&args.schemas.schemas)?;
    let planned = args.plan.as_deref().map(Planned::read).transpose()?;
    let connection = client::connect(&args.database).await?;
    let work = apply(args, planned.as_ref(), (&connection.database, &catalog));
    let outcome = unless_stopped(work, "if anything was begun, another `folio apply` completes it").await;
    connection.database.client().clone().shutdown().await;
    outcome
}

async fn apply(args: &Args, planned: Option<&Planned>, (db, catalog): (&Mongo, &Catalog)) -> Result<ExitCode> {
    let now = Fingerprint::take(db, catalog).await?;
    planned.map_or(Ok(()), |planned| planned.check(&now))?;
    let wish = Wish {
        apply: planned.map_or(args.apply, Planned::apply),
        stage: args.stage,
        rollback: args.rollback,
        // Without a plan to keep to, what moved since (another instance's apply, or the last command of one that was
        // killed) is planned anew under the lease.
        expected: planned.map(|_| now.digest()),
    };
    let display = args.progress.display();
    let plan = sync::plan(db, catalog, &Counting { progress: display.progress(), ..Counting::default() }).await?;
    drop(display);
    show(&plan, args.color);
    if let Some(status) = refusal(&plan, &wish) {
        say(format_args!("{}\nnothing was changed", advice(&plan)));
        return Ok(exit_code(status));
    }
    // Also where there is nothing to change: that these files are the applied ones has to be remembered.
    let report = sync::run(db, catalog, &wish).await?;
    if report.applied.is_empty() {
        say(advice(&plan));
    }
    for change in &report.applied {
        say(format_args!("done: {}{}", sync::headline(change), softness(change)));
    }
    Ok(ExitCode::SUCCESS)
}

/// How a validator was set that is not held against every write.
fn softness(change: &Change) -> String {
    match change {
        Change::SetValidator { to, .. } | Change::EndStage { to, .. } if !to.is_held() => format!(
            ": set with level `{}` and action `{}`; `folio plan` tells what still breaks it",
            to.level, to.action
        ),
        _ => String::new(),
    }
}

/// What a plan comes to that is not carried out, for it is not as wished.
fn refusal(plan: &Plan, wish: &Wish) -> Option<Status> {
    let impossible = plan.steps().any(|step| step.change.risk() == Risk::Impossible);
    match () {
        () if plan.is_empty() => None,
        () if impossible || plan.is_held_up(wish) => Some(Status::Blocked),
        () if !plan.is_covered(wish) || (plan.older && !wish.rollback) => Some(Status::Pending),
        () => None,
    }
}
