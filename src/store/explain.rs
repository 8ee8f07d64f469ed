//! How the database runs a list, as it says itself.
//!
//! See [`explain`](https://www.mongodb.com/docs/manual/reference/command/explain/).

use bson::{Bson, Document, doc};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Store, failure,
    guard::{self, Verdict},
    session,
};
use crate::{
    access::Permitted,
    error::{Error, Result},
    query::FindPlan,
};

mod summary;
pub(super) mod tree;

/// How a list is run, for whoever wonders why it is slow.
#[derive(Debug)]
pub struct Explanation {
    /// The gist of it.
    pub summary: Summary,
    /// What MongoDB is asked for: `filter`, `sort`, `projection`, `skip` and `limit`.
    pub query: Document,
    /// The index that the list lacks, as an item of `x-indexes`.
    pub missing_index: Option<Box<RawValue>>,
    /// MongoDB's own account: `winningPlan`, and `executionStats` if the list was run.
    pub plan: Document,
}

/// What running a list took.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The index, if just one is used.
    pub index: Option<String>,
    /// Every index that is used.
    pub indexes: Vec<String>,
    /// How many keys of indexes were read. This and the next three are `None` for a list that was not run.
    pub keys_examined: Option<u64>,
    /// How many documents were read.
    pub documents_examined: Option<u64>,
    /// How many documents came of it.
    pub returned: Option<u64>,
    /// How long it took.
    pub milliseconds: Option<u64>,
    /// The documents are sorted in memory, as no index has them in their order.
    pub in_memory_sort: bool,
    /// The collection is read from its beginning.
    pub collection_scan: bool,
    /// The list would be refused, so it was not run.
    pub refused: bool,
    /// All this in a sentence.
    pub text: String,
}

/// Runs the list for its figures alone, unless it would be refused, and says how that went.
pub async fn explain(store: &Store, plan: &Permitted<FindPlan>) -> Result<Explanation> {
    let plan = plan.plan();
    store.within(explained(store, plan)).await
}

async fn explained(store: &Store, plan: &FindPlan) -> Result<Explanation> {
    let (verdict, refusal) = guard::examine(store, plan).await?;
    let verbosity = if refusal.is_none() { "executionStats" } else { "queryPlanner" };
    let query = query(plan, plan.selection());
    let told = ask(store, plan, (&query, verbosity)).await?;
    let figures = told.get_document("executionStats").ok();
    // A query that fails while it is explained does not fail the explanation.
    let failed = figures.and_then(|f| f.get_i32("errorCode").ok());
    if failed.is_some_and(|code| failure::codes::TIME_LIMIT.contains(&code)) {
        return Err(Error::DeadlineExceeded);
    }
    Ok(Explanation {
        summary: summary::of(&told, refusal.as_ref()),
        query,
        missing_index: guard::missing_index(plan, verdict),
        plan: summary::account(&told),
    })
}

/// The verdict on the list, whatever page of it is asked for, and the indexes that it rests on.
pub(super) async fn verdict(store: &Store, plan: &FindPlan) -> Result<(Verdict, Vec<String>)> {
    let told = ask(store, plan, (&query(plan, plan.filter.clone()), "queryPlanner")).await?;
    let planner = told.get_document("queryPlanner").cloned().unwrap_or_default();
    let mut indexes = tree::indexes(&planner);
    tree::documents(&planner, "rejectedPlans").for_each(|plan| indexes.extend(tree::indexes(plan)));
    Ok((Verdict::of(&planner), indexes))
}

/// What `find` is given to read the documents of `filter` in the plan's order.
fn query(plan: &FindPlan, filter: Document) -> Document {
    let mut query = doc! { "filter": filter };
    if !plan.sort.is_empty() {
        query.insert("sort", plan.sort.clone());
    }
    if let Some(projection) = plan.columns() {
        query.insert("projection", projection);
    }
    if plan.skip > 0 {
        query.insert("skip", plan.skip);
    }
    query.insert("limit", plan.reach());
    query
}

async fn ask(store: &Store, plan: &FindPlan, (query, verbosity): (&Document, &str)) -> Result<Document> {
    let mut find = doc! { "find": &plan.schema.name };
    find.extend(query.clone());
    session::run(store, doc! { "explain": find, "verbosity": verbosity }).await
}

/// The number that the member is.
pub(super) fn number(document: &Document, member: &str) -> Option<u64> {
    match document.get(member)? {
        Bson::Int32(n) => u64::try_from(*n).ok(),
        Bson::Int64(n) => u64::try_from(*n).ok(),
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the server counts in doubles too")]
        Bson::Double(n) => (*n >= 0.0).then_some(*n as u64),
        _ => None,
    }
}
