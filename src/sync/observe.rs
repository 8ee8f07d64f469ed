//! What the database has of the declared collections.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Document, doc};
use futures::{TryStreamExt, future::try_join_all, try_join};
use mongodb::{Collection, Database, error::Error as DriverError};

use super::{
    held::Rules,
    stage::{self, Stages},
};
use crate::{
    config::Stage,
    error::Result,
    schema::{Catalog, Index},
    store::{failure, indexes},
};

/// The declared collections that exist, by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Observed {
    collections: BTreeMap<String, Found>,
}

impl Observed {
    /// What has that name, if anything has.
    pub(super) fn get(&self, name: &str) -> Option<&Found> {
        self.collections.get(name)
    }
}

/// What has a declared collection's name.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    /// `collection`, `view`, `timeseries` or `capped collection`.
    pub(super) kind: String,
    /// Its validator.
    pub(super) rules: Rules,
    /// The stage that it was set in, if in any.
    pub(super) stage: Option<Stage>,
    /// Whether change streams tell what documents were before.
    pub(super) pre_images: bool,
    /// The language by whose rules it compares, if it does not compare bytes.
    pub(super) locale: Option<String>,
    /// About how many documents it holds.
    pub(super) documents: u64,
    /// Its indexes, as the server describes them.
    pub(super) indexes: Vec<Index>,
    /// The names of those that are still being built: they serve nobody yet, and can still fail.
    pub(super) building: BTreeSet<String>,
}

/// Looks at every declared collection.
pub(super) async fn observe(db: &Database, catalog: &Catalog) -> Result<Observed> {
    let names = catalog.iter().map(|schema| schema.name.as_str()).collect::<Vec<_>>();
    read(db, &names).await.map_err(failure::startup("reading the collections"))
}

/// Looks at one collection.
pub(super) async fn collection(db: &Database, name: &str) -> Result<Option<Found>> {
    let doing = format!("reading the collection `{name}`");
    let mut observed = read(db, &[name]).await.map_err(failure::startup(&doing))?;
    Ok(observed.collections.remove(name))
}

/// The validators of the declared collections that exist, each with the stage that it was set in.
pub(super) async fn rules(db: &Database, catalog: &Catalog) -> Result<BTreeMap<String, (Rules, Option<Stage>)>> {
    let names = catalog.iter().map(|schema| schema.name.as_str()).collect::<Vec<_>>();
    let read = async {
        let (listed, stages) = try_join!(list(db, &names), stage::read(db, &names))?;
        let none = Document::new();
        let rules = listed.iter().map(|entry| {
            let (name, rules) = (text(entry, "name", ""), rules_of(entry.get_document("options").unwrap_or(&none)));
            let stage = stages.of(&name, &rules);
            (name, (rules, stage))
        });
        Ok(rules.collect())
    };
    read.await.map_err(failure::startup("reading the validators"))
}

async fn list(db: &Database, names: &[&str]) -> Result<Vec<Document>, DriverError> {
    let command = doc! { "listCollections": 1, "filter": { "name": { "$in": names } } };
    db.run_cursor_command(command).await?.try_collect().await
}

fn rules_of(options: &Document) -> Rules {
    Rules {
        validator: options.get_document("validator").cloned().unwrap_or_default(),
        level: text(options, "validationLevel", "strict"),
        action: text(options, "validationAction", "error"),
    }
}

async fn read(db: &Database, names: &[&str]) -> Result<Observed, DriverError> {
    let (listed, stages) = try_join!(list(db, names), stage::read(db, names))?;
    let collections = listed.iter().map(|entry| detail(db, entry, &stages));
    let collections = try_join_all(collections).await?.into_iter().collect();
    Ok(Observed { collections })
}

async fn detail(db: &Database, entry: &Document, stages: &Stages) -> Result<(String, Found), DriverError> {
    let name = text(entry, "name", "");
    let none = Document::new();
    let options = entry.get_document("options").unwrap_or(&none);
    let rules = rules_of(options);
    let capped = options.get_bool("capped").unwrap_or(false);
    let pre_images = options.get_document("changeStreamPreAndPostImages").and_then(|o| o.get_bool("enabled"));
    let mut found = Found {
        kind: if capped { "capped collection".to_owned() } else { text(entry, "type", "collection") },
        stage: stages.of(&name, &rules),
        rules,
        pre_images: pre_images.unwrap_or(false),
        locale: options.get_document("collation").and_then(|c| c.get_str("locale")).ok().map(str::to_owned),
        documents: 0,
        indexes: Vec::new(),
        building: BTreeSet::new(),
    };
    if found.kind == "collection" {
        let collection = db.collection::<Document>(&name);
        let count = collection.estimated_document_count().into_future();
        let (indexes, documents) = futures::try_join!(indexes::listed(db, &name, None), count)?;
        (found.indexes, found.documents) = (indexes.into_iter().map(index).collect(), documents);
        // Only now: one whose building begins after the first look must not be taken for ready.
        found.building = building(&collection).await?;
    }
    Ok((name, found))
}

/// The names of the indexes that are being built, be it for a client that is long gone.
///
/// See [`$collStats`](https://www.mongodb.com/docs/manual/reference/operator/aggregation/collStats/).
async fn building(collection: &Collection<Document>) -> Result<BTreeSet<String>, DriverError> {
    let stages =
        [doc! { "$collStats": { "storageStats": {} } }, doc! { "$project": { "names": "$storageStats.indexBuilds" } }];
    let shards: Vec<Document> = collection.aggregate(stages).await?.try_collect().await?;
    let names = shards.iter().filter_map(|shard| shard.get_array("names").ok()).flatten();
    Ok(names.filter_map(|name| Some(name.as_str()?.to_owned())).collect())
}

fn index(mut listed: Document) -> Index {
    let keys = listed.get_document("key").cloned().unwrap_or_default();
    let name = text(&listed, "name", "");
    for described in ["v", "ns", "key", "name"] {
        listed.remove(described);
    }
    Index { name, keys, options: listed }
}

fn text(document: &Document, key: &str, default: &str) -> String {
    document.get_str(key).unwrap_or(default).to_owned()
}
