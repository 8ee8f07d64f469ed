//! What is asked for ([`Query`], text) and what will run ([`FindPlan`], values with their BSON types).
//!
//! Nothing here talks to the database: parsing knows no schema, planning knows no driver.

use std::sync::Arc;

use bson::{Bson, Document, doc};

use crate::{
    config::Limits,
    error::{Result, check_limit},
    schema::Schema,
};

pub mod condition;
pub mod fields;
pub mod filter;
pub mod params;
pub mod path;
pub mod sort;
pub(crate) mod value;

pub use params::Query;

/// The number of documents of a page when the query does not say.
const DEFAULT_PAGE: u32 = 20;

/// A list of documents, ready to run.
#[derive(Debug, Clone)]
pub struct FindPlan {
    /// The collection.
    pub schema: Arc<Schema>,
    /// The documents.
    pub filter: Document,
    /// Their order, always total.
    pub sort: Document,
    /// The fields that are read; all without it.
    pub projection: Option<Document>,
    /// How many documents at most.
    pub limit: u32,
    /// How many are passed over first.
    pub skip: u32,
    /// How many bytes they may have together, as BSON.
    pub max_bytes: usize,
}

/// One document by its `_id`, ready to run.
#[derive(Debug, Clone)]
pub struct GetPlan {
    /// The collection.
    pub schema: Arc<Schema>,
    /// The document's `_id`.
    pub id: Bson,
}

/// Gives the query its meaning under `schema`: fields exist, values get their BSON types, the order becomes total.
pub fn plan(schema: &Arc<Schema>, query: &Query, limits: &Limits) -> Result<FindPlan> {
    let mut all = query.conditions.iter().map(|c| c.plan(&schema.root, limits)).collect::<Result<Vec<_>>>()?;
    if let Some(filter) = &query.filter {
        all.push(filter.plan(&schema.root, limits)?);
    }
    Ok(FindPlan {
        filter: all_of(all),
        sort: sort::plan(schema, &query.sort)?,
        projection: fields::plan(&schema.root, query.fields.as_ref())?,
        limit: capped("limit", "--max-page", query.limit.unwrap_or(DEFAULT_PAGE), limits.max_page)?,
        skip: capped("skip", "--max-skip", query.skip.unwrap_or(0), limits.max_skip)?,
        max_bytes: limits.max_page_bytes,
        schema: Arc::clone(schema),
    })
}

fn all_of(mut conditions: Vec<Document>) -> Document {
    match conditions.len() {
        0 => Document::new(),
        1 => conditions.swap_remove(0),
        _ => doc! { "$and": conditions },
    }
}

fn capped(parameter: &str, name: &'static str, value: u32, limit: u32) -> Result<u32> {
    check_limit((name, limit as usize), value as usize, || format!("`{parameter}={value}`"))?;
    Ok(value)
}

#[cfg(test)]
mod tests;
