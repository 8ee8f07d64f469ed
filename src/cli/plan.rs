//! `folio plan`: what would change in the database.

use std::{num::NonZeroU64, path::PathBuf, process::ExitCode};

use mongodb::Database as Mongo;

use super::{color::Color, need_folder_of, progress, say, serve};
use crate::{
    config::{Apply, Database, Schemas, Stage, at_least_one},
    error::{Error, Result},
    schema::Catalog,
    store::client,
    sync::{
        self, Change, Counting, Plan, Status, Wish,
        file::{self, Fingerprint},
        json,
    },
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    schemas: Schemas,
    #[command(flatten)]
    database: Database,
    /// Print the plan as JSON
    #[arg(long)]
    json: bool,
    /// Write the plan to a file too, for `folio apply FILE`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Estimate from so many documents of each collection, drawn at random, in place of counting all
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    sample: Option<NonZeroU64>,
    #[command(flatten)]
    progress: progress::Options,
    /// Print colors
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    color: Color,
}

pub(super) async fn run(args: &Args) -> Result<ExitCode> {
    let catalog = Catalog::load(&args.schemas.schemas)?;
    args.out.as_deref().map_or(Ok(()), need_folder_of)?;
    let connection = client::connect(&args.database).await?;
    let outcome = unless_stopped(plan(args, &catalog, &connection.database), "nothing was changed").await;
    connection.database.client().clone().shutdown().await;
    outcome
}

async fn plan(args: &Args, catalog: &Catalog, db: &Mongo) -> Result<ExitCode> {
    // Before the plan, so that a plan of something newer is refused rather than one of something older taken.
    let fingerprint = Fingerprint::take(db, catalog).await?;
    let display = args.progress.display();
    let counting = Counting { sample: args.sample, progress: display.progress(), ..Counting::default() };
    let plan = sync::plan(db, catalog, &counting).await?;
    drop(display);
    if let Some(path) = &args.out {
        file::write(path, &plan, &fingerprint)?;
    }
    if args.json {
        say(json::text(&plan)?);
    } else {
        show(&plan, args.color);
        say(advice(&plan));
    }
    Ok(exit_code(plan.status()))
}

/// What `work` comes to, unless SIGTERM or Ctrl-C comes first, of which is said what it means.
pub(super) async fn unless_stopped<T>(work: impl Future<Output = Result<T>>, meaning: &str) -> Result<T> {
    let stop = serve::stop_signal()?;
    tokio::select! {
        outcome = work => outcome,
        () = stop => Err(Error::Startup(format!("stopped: {meaning}"))),
    }
}

/// Prints the changes of a plan, if there are any.
pub(super) fn show(plan: &Plan, color: Color) {
    if !plan.changes.is_empty() {
        say(color.apply(&plan.to_string()));
        say("");
    }
}

/// What a plan comes to, and what to do about it.
pub(super) fn advice(plan: &Plan) -> String {
    match (plan.status(), plan.admitted_by()) {
        (Status::InStep, _) if plan.changes.is_empty() => "the database is as the collection files say".to_owned(),
        (Status::InStep, _) if plan.changes.iter().any(|change| matches!(change, Change::EndStage { .. })) => {
            "nothing to do: a stage goes on until these documents are corrected; the next `folio apply` or start after \
             that ends it"
                .to_owned()
        }
        (Status::InStep, _) => "nothing to do".to_owned(),
        (status, _) if plan.older => {
            let first = if status == Status::Blocked { "put right what stands in the way (`!`), then " } else { "" };
            format!(
                "the files are older than those that the database follows, so no start makes these changes; to go back: \
                 {first}`folio apply --rollback`"
            )
        }
        (Status::Blocked, _) => blocked(plan),
        (Status::Pending, Some(Apply::All)) => "to be made by `folio apply --apply all`".to_owned(),
        (Status::Pending, _) => "to be made by `folio apply`, or the next start".to_owned(),
    }
}

fn blocked(plan: &Plan) -> String {
    let staged = Wish { apply: Apply::All, stage: Some(Stage::default()), ..Wish::default() };
    let way = if plan.is_covered(&staged) {
        "correct the documents first, or put the new rules in softened with `folio apply --stage`"
    } else {
        "put that right first"
    };
    format!("blocked: nothing is made as long as something stands in the way (`!`); {way}")
}

/// The exit code that tells a script what a plan comes to; an error is 1.
pub(super) fn exit_code(status: Status) -> ExitCode {
    ExitCode::from(match status {
        Status::InStep => 0,
        Status::Pending => 2,
        Status::Blocked => 3,
    })
}
