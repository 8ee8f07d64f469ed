//! What is asked for ([`Query`], text) and what will run ([`FindPlan`], values with their BSON types).
//!
//! Nothing here talks to the database: parsing knows no schema, planning knows no driver.

use std::{collections::BTreeSet, iter, sync::Arc};

use bson::{Bson, Document, RawDocument, doc};

use crate::{
    config::Limits,
    error::{Error, Result, check_limit, invalid_query},
    schema::{Field, Schema},
};

mod body;
pub mod condition;
pub mod cursor;
pub mod fields;
pub mod filter;
mod names;
pub mod params;
pub mod path;
pub mod seek;
pub mod selection;
pub mod serving;
pub mod settings;
pub mod sort;
pub(crate) mod value;

use filter::Planned;
use names::Names;

pub use cursor::{CursorKey, List, Position};
pub use params::Query;
pub use selection::Selection;
pub use settings::Settings;

/// The member of a listed document that holds its sort key. It is no part of the document, and no name that anyone
/// would give a field.
pub const SORT_KEY: &str = "\u{1}sortKey";

/// The number of documents of a page when the query does not say.
const DEFAULT_PAGE: u32 = 20;

/// A list of documents, ready to run.
#[derive(Debug, Clone)]
pub struct FindPlan {
    /// The collection.
    pub schema: Arc<Schema>,
    /// The documents that are asked for.
    pub filter: Document,
    /// Which of them come after the page before.
    pub after: Option<Document>,
    /// Their order, always total; without any field, nearest first.
    pub sort: Document,
    /// The fields that are read; all without it.
    pub projection: Option<Document>,
    /// What is hidden here is read, but not asked for.
    pub cut: Option<Field>,
    /// How many documents at most; 0 sets no bound.
    pub limit: u32,
    /// The documents are a page, which another one may follow.
    pub page: Option<Keys>,
    /// How many are passed over first.
    pub skip: u32,
    /// What running it may cost.
    pub bounds: Bounds,
}

/// Where the sort keys of a page's last document are, with which the next page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keys {
    /// They are fields of the document.
    Fields,
    /// The server gives them, as the document's member [`SORT_KEY`].
    Member,
}

/// What running a list may cost.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How many bytes its documents may have together, as BSON.
    pub bytes: usize,
    /// How many documents may be read without an index.
    pub scan: u64,
    /// How many documents may be sorted without an index.
    pub sort: u64,
}

impl Bounds {
    /// No bounds, for an application that knows what it asks for.
    pub const NONE: Self = Self { bytes: usize::MAX, scan: u64::MAX, sort: u64::MAX };
}

impl FindPlan {
    /// The dotted names of the fields that decide which documents are listed, and in which order;
    /// [`EVERY_FIELD`](crate::schema::index::EVERY_FIELD) where any may.
    pub fn names(&self) -> BTreeSet<String> {
        Names::of(&self.schema).with_filter(&self.filter).with_sort(&self.sort).into_set()
    }

    /// Leaves only documents that fulfill all of the `conditions`.
    pub fn restrict(&mut self, conditions: impl Iterator<Item = Document>) {
        let own = std::mem::take(&mut self.filter);
        self.filter = all(conditions.chain(Some(own).filter(|own| !own.is_empty())).collect()).unwrap_or_default();
    }

    /// The list that the page is of.
    pub fn list(&self) -> List<'_> {
        List { collection: &self.schema.name, filter: &self.filter, sort: &self.sort }
    }

    /// The condition on the documents of this page.
    pub fn selection(&self) -> Document {
        match &self.after {
            None => self.filter.clone(),
            Some(after) if self.filter.is_empty() => after.clone(),
            Some(after) => doc! { "$and": [self.filter.clone(), after.clone()] },
        }
    }

    /// How many documents are read at most: one more than a page has shows whether another one follows.
    pub fn reach(&self) -> u32 {
        self.limit.saturating_add(self.page.is_some().into())
    }

    /// What is read of each document, in MongoDB's projection; `None` reads all of it.
    pub fn columns(&self) -> Option<Document> {
        let key = self.hidden().map(|name| doc! { name: { "$meta": "sortKey" } });
        match (self.projection.clone(), key) {
            (Some(mut projection), Some(key)) => {
                projection.extend(key);
                Some(projection)
            }
            (projection, key) => projection.or(key),
        }
    }

    /// The position of `last`, the document that the page ends with.
    pub fn position(&self, last: &RawDocument) -> Result<Position> {
        if self.sort.is_empty() {
            return Ok(Position::Count(self.skip.saturating_add(self.limit)));
        }
        if self.hidden().is_none() {
            return seek::keys(last, &self.sort).map(Position::Key);
        }
        let keys = last.get_array(SORT_KEY).map(ToOwned::to_owned);
        keys.map(Position::Key).map_err(|e| Error::Internal(format!("a document came without its sort key: {e}")))
    }

    /// The member of each document that is no part of it.
    pub fn hidden(&self) -> Option<&'static str> {
        (self.page == Some(Keys::Member)).then_some(SORT_KEY)
    }
}

/// One document by its `_id`, ready to run.
#[derive(Debug, Clone)]
pub struct GetPlan {
    /// The collection.
    pub schema: Arc<Schema>,
    /// The document's `_id`.
    pub id: Bson,
    /// What must hold of it beside.
    pub rows: Option<Document>,
}

impl GetPlan {
    /// The condition on the document.
    pub fn selection(&self) -> Document {
        by_id(&self.id, self.rows.clone())
    }
}

/// A list whose names and values are understood, before it is known which documents there are for the caller.
#[derive(Debug)]
pub struct Draft<'q> {
    plan: FindPlan,
    /// The service is to choose the order.
    is_unordered: bool,
    /// Fields that it must not choose.
    avoided: Vec<String>,
    cursor: Option<&'q str>,
    limits: &'q Limits,
    cursors: &'q CursorKey,
}

impl Draft<'_> {
    /// The dotted names of the fields that decide which documents are listed, and in which order, as far as they are
    /// asked for; see [`FindPlan::names`].
    pub fn names(&self) -> BTreeSet<String> {
        self.plan.names()
    }

    /// Leaves only documents that fulfill all of the `conditions`.
    pub fn restrict(&mut self, conditions: impl Iterator<Item = Document>) {
        self.plan.restrict(conditions);
    }

    /// Keeps the service's own order from telling of the fields with these dotted names.
    pub fn avoid(&mut self, names: impl Iterator<Item = String>) {
        self.avoided.extend(names);
    }

    /// Has the fields with these dotted names read too, whether or not they are asked for.
    pub fn read_too(&mut self, names: impl Iterator<Item = String>) {
        if let Some(projection) = self.plan.projection.take() {
            let names = names.filter(|name| !path::is_within(name, "_id"));
            (self.plan.projection, self.plan.cut) = fields::with(projection, names);
        }
    }

    /// What will run: the order becomes total, the cursor becomes a condition.
    pub fn settle(self) -> Result<FindPlan> {
        let Self { mut plan, is_unordered, avoided, cursor, limits, cursors } = self;
        if is_unordered {
            plan.sort = serving::order(&plan.schema, &plan.filter, &avoided);
        }
        plan.page = Some(keys(&plan.schema, &plan.sort, plan.projection.as_ref()));
        match cursor {
            Some(cursor) => onward(plan, cursor, limits, cursors),
            None => Ok(plan),
        }
    }
}

/// Gives the query its meaning under `schema`: fields exist, values get their BSON types.
pub fn plan<'q>(
    schema: &Arc<Schema>,
    query: &'q Query,
    limits: &'q Limits,
    cursors: &'q CursorKey,
) -> Result<Draft<'q>> {
    let Planned { filter, nearest_first } = conditions(schema, query, limits)?;
    if query.after.is_some() && query.skip.is_some() {
        return Err(invalid_query("skip", None, "`skip` counts from the first page; leave it out beside `after`"));
    }
    let sort = match &query.sort[..] {
        [] => Document::new(),
        keys => sort::plan(schema, keys)?,
    };
    let projection = fields::plan(&schema.root, query.fields.as_ref())?;
    let plan = FindPlan {
        page: None,
        filter,
        after: None,
        sort,
        projection,
        cut: None,
        limit: capped("limit", "--max-page", query.limit.unwrap_or(DEFAULT_PAGE), limits.max_page)?,
        skip: capped("skip", "--max-skip", query.skip.unwrap_or(0), limits.max_skip)?,
        bounds: Bounds { bytes: limits.max_page_bytes, scan: limits.max_scan, sort: limits.max_sort },
        schema: Arc::clone(schema),
    };
    let is_unordered = query.sort.is_empty() && !nearest_first;
    Ok(Draft { plan, is_unordered, avoided: Vec::new(), cursor: query.after.as_deref(), limits, cursors })
}

/// The conditions of the query, all and-ed.
fn conditions(schema: &Schema, query: &Query, limits: &Limits) -> Result<Planned> {
    let mut conditions = query.conditions.iter().map(|c| c.plan(&schema.root, limits)).collect::<Result<Vec<_>>>()?;
    let planned = query.filter.as_ref().map(|filter| filter.plan(schema, limits)).transpose()?;
    let nearest_first = planned.as_ref().is_some_and(|planned| planned.nearest_first);
    conditions.extend(planned.map(|planned| planned.filter));
    Ok(Planned { filter: all(conditions).unwrap_or_default(), nearest_first })
}

fn keys(schema: &Schema, sort: &Document, projection: Option<&Document>) -> Keys {
    let are_read = sort.is_empty() || (projection.is_none() && seek::keys_are_fields(schema, sort));
    if are_read { Keys::Fields } else { Keys::Member }
}

/// The plan for the page after the one that `cursor` came with.
fn onward(plan: FindPlan, cursor: &str, limits: &Limits, cursors: &CursorKey) -> Result<FindPlan> {
    match cursors.open(plan.list(), cursor)? {
        Position::Key(keys) => Ok(FindPlan { after: Some(seek::after(&plan.schema, &plan.sort, &keys)?), ..plan }),
        Position::Count(count) => Ok(FindPlan { skip: capped("after", "--max-skip", count, limits.max_skip)?, ..plan }),
    }
}

/// The condition that all of these hold; `None` where there are none.
pub(crate) fn all(mut conditions: Vec<Document>) -> Option<Document> {
    match conditions.len() {
        0 | 1 => conditions.pop(),
        _ => Some(doc! { "$and": conditions }),
    }
}

/// The condition on the document with this `_id`, if it is one of the `rows`.
pub(crate) fn by_id(id: &Bson, rows: Option<Document>) -> Document {
    let by_id = doc! { "_id": id };
    all(iter::once(by_id).chain(rows).collect()).unwrap_or_default()
}

fn capped(parameter: &str, name: &'static str, value: u32, limit: u32) -> Result<u32> {
    check_limit((name, limit as usize), value as usize, || format!("`{parameter}={value}`"))?;
    Ok(value)
}

#[cfg(test)]
mod tests;
