//! Changes, carried out.
//!
//! Two instances can be here at once, since a lease cannot fence DDL: before each step what is there is observed
//! again, and every step bears having been done by somebody else.

use std::{collections::BTreeMap, time::Duration};

use bson::{Bson, Document, doc};
use futures::future::join_all;
use mongodb::{Database, error::Error as DriverError};
use tokio::time::sleep;

use super::{
    breaking,
    change::{Change, lifetime},
    count::Counting,
    diff,
    held::Rules,
    observe,
    print::{self, Json},
    stage,
};
use crate::{
    config::{Apply, Stage},
    error::{Error, Result},
    schema::{Catalog, Index, Schema},
    store::failure::{self, codes},
};

/// A step that must stop all writers for a moment waits this long for running transactions, and so do the writers
/// behind it.
const LOCK_WAIT: Duration = Duration::from_secs(1);

/// The option of a collection that has to do with [pre-images].
///
/// [pre-images]: https://www.mongodb.com/docs/manual/changeStreams/#change-streams-with-document-pre--and-post-images
const PRE_IMAGES: &str = "changeStreamPreAndPostImages";

/// How often such a step is tried, each time after a longer pause that lets the writers through.
const TRIES: u32 = 6;

/// The first pause; each later one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);

/// Makes every collection as its file says, as far as `apply` allows, and returns what was done. The validators of
/// the collections in `stages` go in softened, or stay so.
///
/// # Errors
/// [`Error::Startup`] with everything that failed.
pub(super) async fn all(
    db: &Database,
    catalog: &Catalog,
    (apply, stages): (Apply, &BTreeMap<String, Stage>),
) -> Result<Vec<Change>> {
    let stage = |schema: &Schema| stages.get(&schema.name).copied();
    let outcomes = join_all(catalog.iter().map(|schema| settle(db, schema, (apply, stage(schema))))).await;
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for outcome in outcomes {
        match outcome {
            Ok(changes) => done.extend(changes),
            Err(error) => failed.push(error.to_string()),
        }
    }
    if failed.is_empty() { Ok(done) } else { Err(Error::Startup(failed.join("\n"))) }
}

/// One collection: looks, makes the first difference go, looks again. Its validator is to be in `stage` at the end.
async fn settle(db: &Database, schema: &Schema, (apply, mut stage): (Apply, Option<Stage>)) -> Result<Vec<Change>> {
    let mut done = Vec::new();
    // Each index is one step at most, beside collection, validator and options; more means that somebody undoes them.
    for _ in 0..schema.indexes.len() + 5 {
        let found = observe::collection(db, &schema.name).await?;
        let changes = diff::collection(schema, found.as_ref());
        let mut open = changes.into_iter().filter(|change| !change.is_left_alone() && !is_in(change, stage)).peekable();
        let next = open.peek().cloned();
        let Some(change) = open.find(|change| change.risk().is_covered_by(apply)) else {
            return next.map_or(Ok(done), |change| Err(left_over(&change)));
        };
        let change = change.staged(stage);
        if step(db, schema, (&change, stage)).await? {
            tracing::info!("applied: {}", print::headline(&change));
            done.push(change);
        } else if let Change::EndStage { stage: not_over, .. } = change {
            stage = Some(not_over);
        }
    }
    Err(Error::Startup(format!("`{}` does not stay as it is made: does another program change it?", schema.name)))
}

/// Whether the validator is in the stage that it is to be in.
fn is_in(change: &Change, wanted: Option<Stage>) -> bool {
    matches!(change, Change::EndStage { stage, .. } if Some(*stage) == wanted)
}

/// What appeared since the plan was judged, and is not allowed.
fn left_over(change: &Change) -> Error {
    Error::Startup(format!("another program changed the database meanwhile, and this is left over:\n{change}"))
}

/// Makes the change; `false` where documents that came in meanwhile keep a stage from ending.
async fn step(db: &Database, schema: &Schema, (change, stage): (&Change, Option<Stage>)) -> Result<bool> {
    match change {
        Change::CreateCollection { collection, indexes } => {
            create_collection(db, schema).await?;
            create_indexes(db, collection, indexes).await?;
        }
        Change::SetValidator { to, .. } if to.is_held() && !change.tightens() => {
            put_rules(db, &schema.name, to).await?;
        }
        Change::SetValidator { from, to, .. } if stage.is_none() && to.is_held() => {
            if let Some(refusal) = set_validator(db, schema, (from, to)).await? {
                return Err(refusal);
            }
        }
        Change::EndStage { from, to, .. } if stage.is_none() => {
            let refusal = set_validator(db, schema, (from, to)).await?;
            if let Some(refusal) = &refusal {
                tracing::warn!("the stage of `{}` goes on: {refusal}", schema.name);
            }
            return Ok(refusal.is_none());
        }
        Change::SetValidator { to, .. } | Change::EndStage { to, .. } => soften(db, schema, (to, stage)).await?,
        Change::SetPreImages { collection, to } => set_pre_images(db, collection, *to).await?,
        Change::CreateIndex { collection, index, .. } => {
            create_indexes(db, collection, std::slice::from_ref(index)).await?;
        }
        Change::AlterIndex { collection, to, .. } => alter_index(db, collection, to).await?,
        Change::RebuildIndex { collection, from, to, .. } => rebuild_index(db, collection, (from, to)).await?,
        Change::NotACollection { .. }
        | Change::Collated { .. }
        | Change::Lenient { .. }
        | Change::UnknownPreImages { .. }
        | Change::UnknownIndex { .. }
        | Change::MissingTieBreak { .. } => {}
    }
    Ok(true)
}

async fn create_collection(db: &Database, schema: &Schema) -> Result<()> {
    let doing = format!("creating the collection `{}`", schema.name);
    let rules = Rules::declared(schema);
    let mut command = doc! { "create": &schema.name, "writeConcern": { "w": "majority" } };
    command.extend(rules.options());
    command.extend(schema.options.pre_images.map(|on| (PRE_IMAGES.to_owned(), doc! { "enabled": on }.into())));
    match db.run_command(command).await {
        Err(error) if failure::code(&error) != Some(codes::NAMESPACE_EXISTS) => Err(failure::startup(&doing)(error)),
        _ => Ok(()),
    }
}

/// Sets a validator that no stored document broke when the plan was judged, and counts again.
///
/// What was written in between was not held to it. If there is such a document the old validator is put back:
/// otherwise it would lie in a collection whose rules say that there is none. What was found is given then.
/// Until that is known the new one is moderate, which lets no more such documents in and is no promise that there are
/// none: whoever is killed meanwhile leaves something that the next apply does not take for done.
async fn set_validator(db: &Database, schema: &Schema, (from, to): (&Rules, &Rules)) -> Result<Option<Error>> {
    let unproven = to.softened(Stage::Moderate);
    if *from != unproven {
        put_rules(db, &schema.name, &unproven).await?;
    }
    let Some(broken) = breaking::find(db, schema, &Counting::at_full_pace()).await? else {
        return put_rules(db, &schema.name, to).await.map(|()| None);
    };
    let refusal =
        format!("the validator of `{}` is not changed: it was broken while it was set\n{broken}", schema.name);
    match put_rules(db, &schema.name, from).await {
        Ok(()) => Ok(Some(Error::Startup(refusal))),
        Err(stuck) => {
            Err(Error::Startup(format!("{refusal}\nthe new validator stays in force, as `moderate`: {stuck}")))
        }
    }
}

/// Sets a validator that is not held against every write, be it for a stage or because its file says so.
async fn soften(db: &Database, schema: &Schema, (rules, stage): (&Rules, Option<Stage>)) -> Result<()> {
    if let Some(stage) = stage {
        stage::record(db, &schema.name, (rules, stage)).await?;
    }
    put_rules(db, &schema.name, rules).await
}

async fn put_rules(db: &Database, collection: &str, rules: &Rules) -> Result<()> {
    let mut command = doc! { "collMod": collection };
    command.extend(rules.options());
    let doing = format!("setting the validator of `{collection}`");
    stopping_writers(db, command).await.map_err(failure::startup(&doing))
}

async fn set_pre_images(db: &Database, collection: &str, on: bool) -> Result<()> {
    let command = doc! { "collMod": collection, PRE_IMAGES: { "enabled": on } };
    let doing = format!("turning the pre-images of `{collection}` {}", if on { "on" } else { "off" });
    stopping_writers(db, command).await.map_err(failure::startup(&doing))
}

async fn create_indexes(db: &Database, collection: &str, indexes: &[Index]) -> Result<()> {
    if indexes.is_empty() {
        return Ok(());
    }
    let specs = indexes.iter().map(spec).collect::<Vec<_>>();
    let command = doc! { "createIndexes": collection, "indexes": specs, "writeConcern": { "w": "majority" } };
    match db.run_command(command).await {
        Ok(_) => Ok(()),
        Err(error) => Err(not_indexed(collection, indexes, error)),
    }
}

fn spec(index: &Index) -> Bson {
    let mut spec = doc! { "name": &index.name, "key": &index.keys };
    spec.extend(index.options.clone());
    Bson::Document(spec)
}

fn not_indexed(collection: &str, indexes: &[Index], error: DriverError) -> Error {
    let names = indexes.iter().map(|i| format!("`{collection}.{}`", i.name)).collect::<Vec<_>>().join(", ");
    match failure::duplicate_key(&error) {
        None => failure::startup(&format!("creating the index {names}"))(error),
        Some(key) => Error::Startup(format!(
            "the unique index {names} cannot be built: several documents of `{collection}` have {}; remove the \
             duplicates, or `unique` in the collection file",
            Json(&key.into())
        )),
    }
}

async fn alter_index(db: &Database, collection: &str, to: &Index) -> Result<()> {
    let mut index = doc! { "name": &to.name, "hidden": to.options.get_bool("hidden").unwrap_or(false) };
    if let Some(seconds) = lifetime(to) {
        index.insert("expireAfterSeconds", seconds);
    }
    let doing = format!("changing the index `{collection}.{}`", to.name);
    stopping_writers(db, doc! { "collMod": collection, "index": index }).await.map_err(failure::startup(&doing))
}

/// Drops the index and builds it as declared. If that fails, the old one is built again.
async fn rebuild_index(db: &Database, collection: &str, (from, to): (&Index, &Index)) -> Result<()> {
    let command = doc! { "dropIndexes": collection, "index": &from.name };
    match stopping_writers(db, command).await {
        Err(error) if failure::code(&error) != Some(codes::INDEX_NOT_FOUND) => {
            return Err(failure::startup(&format!("dropping the index `{collection}.{}`", from.name))(error));
        }
        _ => {}
    }
    let Err(refusal) = create_indexes(db, collection, std::slice::from_ref(to)).await else { return Ok(()) };
    match create_indexes(db, collection, std::slice::from_ref(from)).await {
        Ok(()) => Err(refusal),
        Err(lost) => Err(Error::Startup(format!("{refusal}\nthe old index could not be built again: {lost}"))),
    }
}

/// Runs a command that waits until no transaction uses the collection. As long as it waits, every writer behind it
/// waits too, so it gives up soon and tries again later.
async fn stopping_writers(db: &Database, mut command: Document) -> Result<(), DriverError> {
    command.insert("maxTimeMS", i64::try_from(LOCK_WAIT.as_millis()).unwrap_or(i64::MAX));
    command.insert("writeConcern", doc! { "w": "majority" });
    let mut pause = PAUSE;
    for _ in 1..TRIES {
        match db.run_command(command.clone()).await {
            Err(error) if is_busy(&error) => sleep(pause).await,
            outcome => return outcome.map(drop),
        }
        pause *= 2;
    }
    db.run_command(command).await.map(drop)
}

fn is_busy(error: &DriverError) -> bool {
    matches!(failure::code(error), Some(codes::MAX_TIME_EXPIRED | codes::LOCK_TIMEOUT))
}
