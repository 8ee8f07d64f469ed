//! What a query plan costs, read from the server's explanation of it.
//!
//! See [explain results](https://www.mongodb.com/docs/manual/reference/explain-results/).

use bson::{Bson, Document};

use crate::store::explain::tree::{children, documents, name};

/// What a query would do without an index. The greater is the worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(in crate::store) struct Verdict {
    /// It reads a collection, or all of an index and the documents behind it, in search of those it selects.
    pub(in crate::store) reads: bool,
    /// It sorts in memory.
    pub(in crate::store) sorts: bool,
}

/// The bounds of a field that leave in everything, or everything of one type.
const WHOLE: [&str; 6] =
    ["[MinKey, MaxKey]", "[MaxKey, MinKey]", "[\"\", {})", "({}, \"\"]", "[nan.0, inf.0]", "[inf.0, nan.0]"];

impl Verdict {
    /// The verdict on what the server says under `queryPlanner`.
    ///
    /// It is that of the best plan the server knows, which it may have passed over for the values at hand: verdicts are
    /// remembered for queries with other values, and the server changes its mind about these by itself.
    pub(in crate::store) fn of(planner: &Document) -> Self {
        let none = Document::new();
        let winner = planner.get_document("winningPlan").unwrap_or(&none);
        if winner.contains_key("shards") {
            return documents(winner, "shards").map(Self::of).fold(Self::default(), Self::and);
        }
        let plans = std::iter::once(winner).chain(documents(planner, "rejectedPlans"));
        plans.map(|plan| judge(plan, false)).min().unwrap_or_default()
    }

    fn and(self, other: Self) -> Self {
        Self { reads: self.reads || other.reads, sorts: self.sorts || other.sorts }
    }
}

/// The verdict on a stage; `searched`: what it gives is sifted, or taken in whole, before anything comes of it.
fn judge(stage: &Document, searched: bool) -> Verdict {
    let searched = searched || stage.get_document("filter").is_ok_and(|filter| !filter.is_empty());
    let below = |searched| children(stage).map(|child| judge(child, searched)).fold(Verdict::default(), Verdict::and);
    match name(stage) {
        "COLLSCAN" | "COLUMN_SCAN" => Verdict { reads: searched, sorts: false },
        "IXSCAN" => Verdict { reads: is_search(stage, searched), sorts: false },
        "SORT" => Verdict { sorts: true, ..below(true) },
        // They have an index of their own.
        name if name.starts_with("TEXT") || name.starts_with("GEO_NEAR") => Verdict::default(),
        _ => below(searched),
    }
}

/// Whether a scan reads the whole index for a part of it.
fn is_search(scan: &Document, searched: bool) -> bool {
    let Ok(bounds) = scan.get_document("indexBounds") else { return false };
    let is_whole = |intervals: &Bson| {
        let mut intervals = intervals.as_array().into_iter().flatten().filter_map(Bson::as_str);
        intervals.any(|interval| WHOLE.contains(&interval))
    };
    let mut fields = bounds.values().map(is_whole);
    fields.next().unwrap_or(false) && (searched || fields.any(|whole| !whole))
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    fn fetch(filter: Document, input: Document) -> Document {
        doc! { "stage": "FETCH", "filter": filter, "inputStage": input }
    }

    fn scan(bounds: Document) -> Document {
        doc! { "stage": "IXSCAN", "indexName": "i", "indexBounds": bounds }
    }

    fn sort(input: Document) -> Document {
        doc! { "stage": "SORT", "type": "simple", "inputStage": input }
    }

    fn limit(input: Document) -> Document {
        doc! { "stage": "LIMIT", "limitAmount": 21, "inputStage": input }
    }

    fn winner(plan: Document) -> Document {
        doc! { "winningPlan": plan, "rejectedPlans": [] }
    }

    #[test]
    fn judges_plans_of_one_server() {
        let all = || doc! { "a": ["[MinKey, MaxKey]"], "_id": ["[MinKey, MaxKey]"] };
        let point = || doc! { "a": ["[1, 1]"], "_id": ["[MinKey, MaxKey]"] };
        let behind = || doc! { "a": ["[MinKey, MaxKey]"], "b": ["[1, 1]"] };
        let strings = || doc! { "a": ["[\"\", {})", "[/x/, /x/]"] };
        let some = || doc! { "b": { "$eq": 1 } };
        let collection = |filter| doc! { "stage": "COLLSCAN", "filter": filter, "direction": "forward" };
        let or = |a, b| doc! { "stage": "SUBPLAN", "inputStage": { "stage": "OR", "inputStages": [a, b] } };
        let cases = [
            ("all of it", limit(doc! { "stage": "COLLSCAN" }), (false, false)),
            ("a search", limit(collection(some())), (true, false)),
            ("nothing to search for", limit(collection(doc! {})), (false, false)),
            ("a document", doc! { "stage": "IDHACK" }, (false, false)),
            ("a document in 8.0", doc! { "stage": "EXPRESS_IXSCAN", "indexName": "_id_" }, (false, false)),
            ("nothing", doc! { "stage": "EOF" }, (false, false)),
            ("in the order of an index", limit(fetch(doc! {}, scan(all()))), (false, false)),
            ("by an index", limit(fetch(some(), scan(point()))), (false, false)),
            ("searched in the order of an index", limit(fetch(some(), scan(all()))), (true, false)),
            ("by the second field", limit(fetch(doc! {}, scan(behind()))), (true, false)),
            ("any string", doc! { "stage": "IXSCAN", "filter": some(), "indexBounds": strings() }, (true, false)),
            ("sorted", sort(fetch(doc! {}, scan(point()))), (false, true)),
            ("searched and sorted", sort(collection(some())), (true, true)),
            ("all of it sorted", sort(doc! { "stage": "COLLSCAN" }), (true, true)),
            ("words", sort(doc! { "stage": "TEXT_MATCH", "inputStage": fetch(doc! {}, scan(doc! {})) }), (false, true)),
            ("near", limit(doc! { "stage": "GEO_NEAR_2DSPHERE" }), (false, false)),
            ("branches", or(scan(point()), scan(point())), (false, false)),
            ("branches, one of which is a search", or(scan(point()), fetch(some(), scan(all()))), (true, false)),
            ("merged", doc! { "stage": "SORT_MERGE", "inputStages": [scan(point()), scan(point())] }, (false, false)),
            ("in slots", doc! { "queryPlan": sort(scan(point())), "slotBasedPlan": {} }, (false, true)),
        ];
        for (what, plan, (reads, sorts)) in cases {
            assert_eq!(Verdict::of(&winner(plan)), Verdict { reads, sorts }, "{what}");
        }
    }

    #[test]
    fn the_best_plan_counts_and_the_worst_shard() {
        let point = || limit(scan(doc! { "a": ["[1, 1]"] }));
        let searched = || limit(doc! { "stage": "COLLSCAN", "filter": { "a": 1 } });
        let chosen = doc! { "winningPlan": searched(), "rejectedPlans": [sort(point())] };
        assert_eq!(Verdict::of(&chosen), Verdict { reads: false, sorts: true });
        let shards = |plans: Vec<Document>| winner(doc! { "stage": "SHARD_MERGE", "shards": plans });
        assert_eq!(Verdict::of(&shards(vec![winner(point()), winner(point())])), Verdict::default());
        assert!(Verdict::of(&shards(vec![winner(point()), winner(searched())])).reads);
    }
}
