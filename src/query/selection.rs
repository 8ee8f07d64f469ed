//! Which documents a change of many is of: the conditions that a list has, and nothing else of a list.

use std::sync::Arc;

use bson::{Bson, Document, doc};

use super::{Bounds, FindPlan, Query, Settings, conditions, filter::Planned, params::pairs};
use crate::{
    config::Limits,
    error::{Result, invalid_query},
    schema::Schema,
};

/// Parameters of lists that say nothing of which documents there are.
const OF_LISTS: [&str; 5] = ["sort", "fields", "limit", "skip", "after"];

/// The query string of a change of many documents, as text.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    query: Query,
    /// The documents of the whole collection are meant.
    is_all: bool,
    /// The `arrayFilters` parameter, which is the change's business.
    pub array_filters: Option<String>,
}

impl Selection {
    /// Reads a query string, without the `?`.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self> {
        let (settings, rest) = Settings::take(text, &["all", "arrayFilters"])?;
        for pair in pairs(&rest) {
            let (_, name, _) = pair?;
            if OF_LISTS.contains(&&*name) {
                let detail = "the parameter is not taken where many documents are changed: conditions select them";
                return Err(invalid_query(&name, None, detail));
            }
        }
        let (query, is_all) = (Query::parse(&rest, limits)?, settings.all == Some(true));
        Ok(Self { query, is_all, array_filters: settings.array_filters })
    }

    /// What selects the documents of `schema`, of which the plan reads the `_id` alone.
    ///
    /// # Errors
    /// [`Error::InvalidQuery`](crate::error::Error::InvalidQuery) also where neither a condition nor `all` says which
    /// documents are meant, where both do, and for `$near` and `$nearSphere`, which are orders.
    pub fn plan(&self, schema: &Arc<Schema>, limits: &Limits) -> Result<FindPlan> {
        let Planned { filter, nearest_first } = conditions(schema, &self.query, limits)?;
        if nearest_first {
            let detail = "`$near` and `$nearSphere` put documents in order; select them with `$geoWithin`";
            return Err(invalid_query("filter", None, detail));
        }
        match (is_condition(&filter), self.is_all) {
            (false, false) => {
                let detail = "no condition says which documents are meant; for all of them, say `all=true`";
                return Err(invalid_query("all", None, detail));
            }
            (true, true) => {
                let detail = "`all=true` is for all documents, and there are conditions too; leave one of the two out";
                return Err(invalid_query("all", None, detail));
            }
            (true, false) | (false, true) => {}
        }
        let bounds = Bounds { bytes: usize::MAX, scan: limits.max_scan, sort: limits.max_sort };
        Ok(FindPlan::selecting(schema, filter, bounds))
    }
}

impl FindPlan {
    /// The plan for the `_id`s of all documents of `schema` that fulfill `filter`, in no order.
    pub fn selecting(schema: &Arc<Schema>, filter: Document, bounds: Bounds) -> Self {
        let schema = Arc::clone(schema);
        let (sort, projection) = (Document::new(), Some(doc! { "_id": 1 }));
        Self { schema, filter, after: None, sort, projection, cut: None, limit: 0, page: None, skip: 0, bounds }
    }
}

/// Whether the filter leaves out any document: one of empty branches holds of all.
fn is_condition(filter: &Document) -> bool {
    let branch = |branch: &Bson| branch.as_document().is_some_and(is_condition);
    filter.iter().any(|(name, value)| match (name.as_str(), value) {
        ("$and", Bson::Array(branches)) => branches.iter().any(branch),
        ("$or", Bson::Array(branches)) => branches.iter().all(branch),
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::load;

    fn plan(text: &str) -> Result<FindPlan> {
        let file = r#"{"type":"object","additionalProperties":false,"properties":{
            "year":{"bsonType":"int"},"place":{"bsonType":"object"},"all":{"type":"string"}},
            "x-indexes":[{"keys":{"place":"2dsphere"}}]}"#;
        let schema = Arc::new(load::parse("schemas/things.json", "things", file.to_owned()).unwrap());
        let limits = Limits::default();
        Selection::parse(text, &limits)?.plan(&schema, &limits)
    }

    #[test]
    fn selects_by_the_conditions_of_lists() {
        for (text, filter) in [
            ("year=1970", doc! { "year": { "$eq": 1970 } }),
            ("year[gte]=1970&all=false", doc! { "year": { "$gte": 1970 } }),
            (r#"filter={"all":"x"}"#, doc! { "all": "x" }),
            (r#"year=1&filter={"year":2}"#, doc! { "$and": [{ "year": { "$eq": 1 } }, { "year": 2 }] }),
            (r#"filter={"$nor":[{}]}"#, doc! { "$nor": [{}] }),
            ("all=true", doc! {}),
            ("all=true&filter={}", doc! {}),
        ] {
            let plan = plan(text).unwrap();
            assert_eq!((plan.filter, plan.projection), (filter, Some(doc! { "_id": 1 })), "{text}");
        }
    }

    #[test]
    fn refuses_what_does_not_select() {
        let near = r#"filter={"place":{"$near":{"$geometry":{"type":"Point","coordinates":[1,2]}}}}"#;
        for (text, parameter) in [
            ("", "all"),
            ("all=false", "all"),
            ("filter={}", "all"),
            (r#"filter={"$and":[{},{}]}"#, "all"),
            (r#"filter={"$or":[{},{"year":1}]}"#, "all"),
            ("all=true&year=1", "all"),
            ("all=yes&year=1", "all"),
            ("all=true&all=true", "all"),
            ("year=1&sort=year", "sort"),
            ("year=1&limit=1", "limit"),
            ("year=1&ordered=false", "ordered"),
            ("year=1&upsert=true", "upsert"),
            ("yaer=1", "yaer"),
            (near, "filter"),
        ] {
            let error = plan(text).unwrap_err();
            assert!(error.to_string().contains(parameter), "{text}: {error}");
        }
    }
}
