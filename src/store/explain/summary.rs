//! The server's explanation put in short, and freed of what is nobody's business.

use bson::{Bson, Document};

use super::{
    Summary, number,
    tree::{self, name, walk},
};
use crate::error::Error;

/// What tells of the deployment rather than of the query, or may: the server's errors name databases and files.
const INTERNAL: [&str; 8] = [
    "serverInfo",
    "serverParameters",
    "connectionString",
    "shardName",
    "namespace",
    "slotBasedPlan",
    "nss",
    "errorMessage",
];
/// What quotes the query, in which fields may have any name.
const QUOTES: [&str; 7] =
    ["filter", "indexBounds", "keyPattern", "multiKeyPaths", "parsedQuery", "sortPattern", "transformBy"];

/// The gist of what the server told of a list, which is refused for a reason or was run.
pub(super) fn of(told: &Document, refusal: Option<&Error>) -> Summary {
    let (mut indexes, mut in_memory_sort, mut collection_scan) = (Vec::new(), false, false);
    if let Ok(plan) = told.get_document("queryPlanner").and_then(|planner| planner.get_document("winningPlan")) {
        indexes = tree::indexes(plan);
        walk(plan, &mut |stage| {
            in_memory_sort |= name(stage) == "SORT";
            collection_scan |= name(stage) == "COLLSCAN";
        });
    }
    let figures = told.get_document("executionStats").ok();
    let figure = |name| figures.and_then(|figures| number(figures, name));
    let mut summary = Summary {
        index: if let [index] = &indexes[..] { Some(index.clone()) } else { None },
        indexes,
        keys_examined: figure("totalKeysExamined"),
        documents_examined: figure("totalDocsExamined"),
        returned: figure("nReturned"),
        milliseconds: figure("executionTimeMillis"),
        in_memory_sort,
        collection_scan,
        refused: refusal.is_some(),
        text: String::new(),
    };
    summary.text = match refusal {
        Some(reason) => format!("refused, so it was not run: {reason}"),
        None => sentence(&summary, figures.and_then(|figures| number(figures, "errorCode"))),
    };
    summary
}

fn sentence(summary: &Summary, error: Option<u64>) -> String {
    let Summary { keys_examined, documents_examined, returned, .. } = summary;
    let [keys, documents, returned] = [keys_examined, documents_examined, returned].map(|n| n.unwrap_or_default());
    let names: Vec<_> = summary.indexes.iter().map(|index| format!("`{index}`")).collect();
    let how = match &names[..] {
        [] if summary.collection_scan => "the collection was read without an index".to_owned(),
        [] => "nothing had to be read".to_owned(),
        [index] => format!("the index {index} was used"),
        names => format!("the indexes {} were used", names.join(", ")),
    };
    let sort = if summary.in_memory_sort { ", and the documents were sorted in memory" } else { "" };
    let end = error.map(|code| format!("; MongoDB broke it off with its error {code}")).unwrap_or_default();
    format!("{how}; {keys} keys and {documents} documents were examined for {returned} returned{sort}{end}")
}

/// The server's account without what it says of itself.
pub(super) fn account(told: &Document) -> Document {
    let plan = told.get_document("queryPlanner").ok().and_then(|planner| planner.get("winningPlan"));
    let parts = [("winningPlan", plan), ("executionStats", told.get("executionStats"))];
    parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), without_internals(part?)))).collect()
}

fn without_internals(value: &Bson) -> Bson {
    match value {
        Bson::Document(members) => {
            let kept = members.iter().filter(|(name, _)| !INTERNAL.contains(&name.as_str()));
            let member = |(name, value): (&String, &Bson)| {
                let quoted = QUOTES.contains(&name.as_str());
                (name.clone(), if quoted { value.clone() } else { without_internals(value) })
            };
            Bson::Document(kept.map(member).collect())
        }
        Bson::Array(items) => Bson::Array(items.iter().map(without_internals).collect()),
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    #[test]
    fn says_nothing_of_the_deployment() {
        let told = doc! {
            "queryPlanner": { "namespace": "library.books", "winningPlan": {
                "queryPlan": { "stage": "COLLSCAN", "filter": { "serverInfo": { "$eq": 1 } } },
                "slotBasedPlan": { "stages": "[1] scan @\"uuid\"" },
            } },
            "executionStats": { "nReturned": 0, "errorCode": 2, "errorMessage": "in library.books", "executionStages": { "shards": [
                { "shardName": "s1", "connectionString": "s1/10.0.0.1:27017", "serverInfo": { "host": "10.0.0.1" } },
            ] } },
            "command": { "find": "books", "$db": "library" },
            "serverInfo": { "host": "10.0.0.1", "version": "6.0.5" },
            "$clusterTime": { "clusterTime": 1 },
        };
        let expected = doc! {
            "winningPlan": { "queryPlan": { "stage": "COLLSCAN", "filter": { "serverInfo": { "$eq": 1 } } } },
            "executionStats": { "nReturned": 0, "errorCode": 2, "executionStages": { "shards": [{}] } },
        };
        assert_eq!(account(&told), expected);
        let text = of(&told, None).text;
        assert!(text.ends_with("; MongoDB broke it off with its error 2"), "{text}");
    }

    #[test]
    fn puts_plans_in_a_sentence() {
        let scan = |index: &str| doc! { "stage": "FETCH", "inputStage": { "stage": "IXSCAN", "indexName": index } };
        let cases = [
            (
                doc! { "stage": "IDHACK" },
                "the index `_id_` was used; 3 keys and 2 documents were examined for 1 returned",
            ),
            (
                doc! { "stage": "COLLSCAN" },
                "the collection was read without an index; 3 keys and 2 documents were examined for 1 returned",
            ),
            (
                doc! { "stage": "SORT", "inputStage": { "stage": "OR", "inputStages": [scan("a"), scan("b"), scan("a")] } },
                "the indexes `a`, `b` were used; 3 keys and 2 documents were examined for 1 returned, and the documents \
                 were sorted in memory",
            ),
        ];
        for (plan, text) in cases {
            let figures = doc! { "totalKeysExamined": 3, "totalDocsExamined": 2, "nReturned": 1 };
            let told = doc! { "queryPlanner": { "winningPlan": plan }, "executionStats": figures };
            assert_eq!(of(&told, None).text, text);
        }
        let refusal = Error::UnindexedQuery { reason: "too much".to_owned(), index: None };
        let told = doc! { "queryPlanner": { "winningPlan": { "stage": "COLLSCAN" } } };
        let summary = of(&told, Some(&refusal));
        assert_eq!((summary.returned, &summary.text[..]), (None, "refused, so it was not run: too much"));
    }
}
