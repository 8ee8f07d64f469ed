//! Stages: a validator that stored documents break goes in softened, and becomes strict once none does.
//!
//! That the service softened it stands in the bookkeeping collection before it is done, together with the validator:
//! one that somebody softened by hand is never taken for a stage, nor a stage for somebody's change.

use std::collections::BTreeMap;

use bson::{Document, RawDocumentBuf, doc};
use futures::TryStreamExt;
use mongodb::{Database, error::Error as DriverError};

use super::{Change, Plan, Rules, Step, Wish, bookkeeping, generation::digest, rules};
use crate::{config::Stage, error::Result, schema::Catalog, store::failure};

/// What the record's `_id` in the bookkeeping collection begins with; the collection's name follows.
const RECORD: &str = "stage:";

/// The stages on record, by collection.
#[derive(Debug, Default)]
pub(super) struct Stages(BTreeMap<String, (String, Stage)>);

impl Stages {
    /// The stage that the collection's rules were set in, if they are those on record.
    pub(super) fn of(&self, collection: &str, rules: &Rules) -> Option<Stage> {
        let (validator, stage) = self.0.get(collection)?;
        (*rules == rules.softened(*stage) && digest(&rules.validator).ok()? == *validator).then_some(*stage)
    }
}

/// The stages of the collections with these names.
pub(super) async fn read(db: &Database, names: &[&str]) -> Result<Stages, DriverError> {
    let ids: Vec<_> = names.iter().map(|name| id(name)).collect();
    let records: Vec<Document> = bookkeeping(db).find(doc! { "_id": { "$in": ids } }).await?.try_collect().await?;
    Ok(Stages(records.iter().filter_map(entry).collect()))
}

fn entry(record: &Document) -> Option<(String, (String, Stage))> {
    let text = |name| record.get_str(name).ok();
    let stage = [Stage::Moderate, Stage::Warn].into_iter().find(|stage| Some(name(*stage)) == text("stage"))?;
    Some((text("_id")?.strip_prefix(RECORD)?.to_owned(), (text("validator")?.to_owned(), stage)))
}

/// Records that the validator goes in softened.
pub(super) async fn record(db: &Database, collection: &str, (rules, stage): (&Rules, Stage)) -> Result<()> {
    let record = doc! { "validator": digest(&rules.validator)?, "stage": name(stage), "since": "$$NOW" };
    let (kept, steps) = (bookkeeping(db), vec![doc! { "$set": record }]);
    let update = kept.update_one(doc! { "_id": id(collection) }, steps).upsert(true);
    update.await.map(drop).map_err(failure::startup(&format!("recording the stage of `{collection}`")))
}

/// Removes the records of all collections but those whose stage is still to end.
pub(super) async fn forget(db: &Database, catalog: &Catalog, left: &[Change]) -> Result<()> {
    let is_over = |name: &&str| !left.iter().any(|change| change.ends_a_stage() && change.collection() == *name);
    let ended = catalog.iter().map(|schema| schema.name.as_str()).filter(is_over);
    let ids: Vec<_> = ended.map(id).collect();
    let deleted = bookkeeping(db).delete_many(doc! { "_id": { "$in": ids } }).await;
    deleted.map(drop).map_err(failure::startup("removing the records of stages that ended"))
}

fn id(collection: &str) -> String {
    format!("{RECORD}{collection}")
}

/// The stage as a word.
pub(super) fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Moderate => "moderate",
        Stage::Warn => "warn",
    }
}

/// The stages that validators are to be in when the plan is carried out, by collection; all others are to be as their
/// files say. Where a stage is in force and the files ask no more than it does, it goes on.
pub(super) fn choose(plan: &Plan, wish: &Wish) -> BTreeMap<String, Stage> {
    let stage = |change: &Change| match change {
        Change::EndStage { stage, .. } => Some(wish.stage.unwrap_or(*stage)),
        Change::SetValidator { from, to, stage, .. } if to.is_held() => {
            let asks_more = || rules::compare(&from.held(), to).iter().any(|rule| rule.kind.tightens());
            wish.stage.or_else(|| stage.filter(|_| !asks_more()))
        }
        _ => None,
    };
    let broken = plan.steps().filter(Step::is_broken).map(|step| step.change);
    broken.filter_map(|change| Some((change.collection().to_owned(), stage(change)?))).collect()
}

/// Whether every stage in force has to go on as it is, since stored documents still break its validator. One such document
/// is enough to know that, so most starts need not read whole collections.
pub(super) async fn go_on(db: &Database, changes: &[Change], wish: &Wish) -> Result<bool> {
    for change in changes {
        let Change::EndStage { collection, to, stage, .. } = change else { continue };
        if wish.stage.is_some_and(|wanted| wanted != *stage) || !is_broken(db, collection, to).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn is_broken(db: &Database, collection: &str, rules: &Rules) -> Result<bool> {
    let stored = db.collection::<RawDocumentBuf>(collection);
    let broken = stored.find_one(doc! { "$nor": [&rules.validator] }).projection(doc! { "_id": 1 }).await;
    let doing = format!("looking whether the stage of `{collection}` can end");
    broken.map(|found| found.is_some()).map_err(failure::startup(&doing))
}
