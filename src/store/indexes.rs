//! The indexes of a collection: how large they are, and whether anybody uses them.
//!
//! See [`$indexStats`](https://www.mongodb.com/docs/manual/reference/operator/aggregation/indexStats/) and
//! [`$collStats`](https://www.mongodb.com/docs/manual/reference/operator/aggregation/collStats/).

use std::sync::Arc;

use bson::{Bson, DateTime, Document, doc};
use futures::TryStreamExt;
use indexmap::IndexMap;
use mongodb::{Database, error::Error as DriverError};

use super::{
    Store,
    explain::number,
    failure::{self, codes},
};
use crate::{access::Permitted, error::Result, schema::Schema};

/// What the server adds to an index by itself, beside its name and keys.
const ADDED: [&str; 6] = ["v", "key", "name", "ns", "textIndexVersion", "2dsphereIndexVersion"];

/// What stands for itself where a text index says nothing else.
const DEFAULTS: [(&str, &str); 2] = [("default_language", "english"), ("language_override", "language")];

/// An index that a collection has.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexUse {
    /// Its name.
    pub name: String,
    /// Field names with `1`, `-1`, `"text"`, `"2dsphere"` or `"hashed"`.
    pub keys: Document,
    /// Its other options under their `createIndexes` names.
    pub options: Document,
    /// How many bytes it takes on disk, on all shards together; `None` where the database does not tell us.
    pub size: Option<u64>,
    /// How many operations have used it; `None` where the database does not tell us.
    pub uses: Option<u64>,
    /// Since when they are counted: the start of the server, or the index's own.
    pub since: Option<DateTime>,
    /// The collection file has it.
    pub declared: bool,
    /// It is being built, and serves nobody yet.
    pub building: bool,
}

/// The indexes of the collection: that on `_id`, then those of the file in its order, then the others by name.
pub async fn indexes(store: &Store, schema: &Permitted<Arc<Schema>>) -> Result<Vec<IndexUse>> {
    let schema = schema.plan();
    let storage = read(store, schema, doc! { "$collStats": { "storageStats": {} } });
    let (stats, storage) = store.within(async { futures::try_join!(stats(store, schema), storage) }).await?;
    Ok(put_together(schema, &stats, &storage.unwrap_or_default()))
}

/// What `listIndexes` tells of each index, in at most `max_time_ms` if that is given; nothing of a collection that is
/// not there.
pub(crate) async fn listed(
    database: &Database,
    collection: &str,
    max_time_ms: Option<i64>,
) -> Result<Vec<Document>, DriverError> {
    let mut command = doc! { "listIndexes": collection };
    command.extend(max_time_ms.map(|limit| ("maxTimeMS".to_owned(), Bson::Int64(limit))));
    match database.run_cursor_command(command).await {
        Ok(cursor) => cursor.try_collect().await,
        Err(error) if failure::code(&error) == Some(codes::NAMESPACE_NOT_FOUND) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Each index with its uses. To count these takes a privilege that `readWrite` and `dbAdmin` lack; without it the
/// indexes come alone.
async fn stats(store: &Store, schema: &Schema) -> Result<Vec<Document>> {
    if let Some(stats) = read(store, schema, doc! { "$indexStats": {} }).await? {
        return Ok(stats);
    }
    let alone = |spec: Document| {
        let [name, key] = ["name", "key"].map(|member| spec.get(member).cloned().unwrap_or(Bson::Null));
        doc! { "name": name, "key": key, "spec": spec }
    };
    Ok(listed(&store.database, &schema.name, Some(store.max_time_ms())).await?.into_iter().map(alone).collect())
}

/// What the stage gives; `None` where the service's role in the database is not let to run it.
async fn read(store: &Store, schema: &Schema, stage: Document) -> Result<Option<Vec<Document>>> {
    let collection = store.collection(schema);
    match collection.aggregate([stage]).max_time(store.deadline).await {
        Ok(cursor) => Ok(Some(cursor.try_collect().await?)),
        Err(error) => match failure::code(&error) {
            Some(codes::NAMESPACE_NOT_FOUND) => Ok(Some(Vec::new())),
            Some(codes::UNAUTHORIZED) => Ok(None),
            _ => Err(error.into()),
        },
    }
}

/// One entry for each index; every shard tells of it by itself.
fn put_together(schema: &Schema, stats: &[Document], storage: &[Document]) -> Vec<IndexUse> {
    let mut indexes: IndexMap<&str, IndexUse> = IndexMap::new();
    for told in stats {
        let Ok(name) = told.get_str("name") else { continue };
        let index = indexes.entry(name).or_insert_with(|| described(schema, told, name));
        let accesses = told.get_document("accesses");
        index.uses = sum(index.uses, accesses.as_ref().ok().and_then(|accesses| number(accesses, "ops")));
        let since = accesses.ok().and_then(|accesses| accesses.get_datetime("since").ok());
        index.since = index.since.into_iter().chain(since.copied()).min();
        index.building |= told.get_bool("building").unwrap_or(false);
    }
    for sizes in
        storage.iter().filter_map(|told| told.get_document("storageStats").ok()?.get_document("indexSizes").ok())
    {
        for (name, index) in &mut indexes {
            index.size = sum(index.size, number(sizes, name));
        }
    }
    let mut indexes: Vec<_> = indexes.into_values().collect();
    let rank = |name: &str| schema.indexes.iter().position(|declared| declared.name == name).unwrap_or(usize::MAX);
    indexes.sort_by_cached_key(|index| (index.name != "_id_", rank(&index.name), index.name.clone()));
    indexes
}

fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one.into_iter().chain(other).reduce(|one, other| one + other)
}

fn described(schema: &Schema, told: &Document, name: &str) -> IndexUse {
    let none = Document::new();
    let spec = told.get_document("spec").unwrap_or(&none);
    let is_default = |option: &str, value: &Bson| {
        let default = DEFAULTS.iter().find(|(name, _)| *name == option);
        default.is_some_and(|(_, default)| value.as_str() == Some(default))
    };
    let options = spec.iter().filter(|(option, value)| !ADDED.contains(&option.as_str()) && !is_default(option, value));
    IndexUse {
        name: name.to_owned(),
        keys: fields(spec, told.get_document("key").unwrap_or(&none)),
        options: options.map(|(option, value)| (option.clone(), value.clone())).collect(),
        size: None,
        uses: None,
        since: None,
        declared: name == "_id_" || schema.indexes.iter().any(|declared| declared.name == name),
        building: false,
    }
}

/// The keys as they are declared: the server keeps all text fields under one key, and their names as weights.
fn fields(spec: &Document, keys: &Document) -> Document {
    let mut fields = Document::new();
    for (name, kind) in keys {
        match name.as_str() {
            "_fts" => {
                let texts = spec.get_document("weights").into_iter().flatten();
                fields.extend(texts.map(|(field, _)| (field.clone(), Bson::from("text"))));
            }
            "_ftsx" => {}
            _ => drop(fields.insert(name, kind.clone())),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::load;

    #[test]
    fn puts_together_what_shards_tell() {
        let file = r#"{"type":"object","x-indexes":[{"keys":{"b":1}},{"keys":{"a":"text","c":"text"}}]}"#;
        let schema = load::parse("schemas/things.json", "things", file.to_owned()).unwrap();
        let told = |name: &str, key: Document, spec: Document, ops: i64| {
            let since = DateTime::from_millis(1000 * ops);
            doc! { "name": name, "key": key, "spec": spec, "accesses": { "ops": ops, "since": since }, "host": "h:1" }
        };
        let text = doc! { "v": 2, "name": "a_text_c_text", "weights": { "a": 1, "c": 1 }, "default_language": "english", "textIndexVersion": 3 };
        let stats = [
            told("zz", doc! { "z": 1 }, doc! { "v": 2, "key": { "z": 1 }, "name": "zz", "sparse": true }, 1),
            told("b_1__id_1", doc! { "b": 1, "_id": 1 }, doc! { "v": 2 }, 3),
            told("a_text_c_text", doc! { "_fts": "text", "_ftsx": 1 }, text, 0),
            told("_id_", doc! { "_id": 1 }, doc! { "v": 2 }, 5),
            told("b_1__id_1", doc! { "b": 1, "_id": 1 }, doc! { "v": 2 }, 4),
        ];
        let storage = doc! { "storageStats": { "indexSizes": { "b_1__id_1": 100, "_id_": 4096_i64 } } };
        let found = put_together(&schema, &stats, &[storage.clone(), storage]);
        let names: Vec<_> = found.iter().map(|i| (i.name.as_str(), i.declared, i.size, i.uses)).collect();
        assert_eq!(
            names,
            [
                ("_id_", true, Some(8192), Some(5)),
                ("b_1__id_1", true, Some(200), Some(7)),
                ("a_text_c_text", true, None, Some(0)),
                ("zz", false, None, Some(1))
            ]
        );
        assert_eq!(found[1].since, Some(DateTime::from_millis(3000)));
        assert_eq!(found[2].keys, doc! { "a": "text", "c": "text" });
        assert_eq!(found[2].options, doc! { "weights": { "a": 1, "c": 1 } });
        assert_eq!(found[3].options, doc! { "sparse": true });
    }
}
