//! The tree of stages that a query plan is, as the server describes it.

use bson::{Bson, Document};

/// What a stage holds its inputs under; `queryPlan` is what stands around the tree where the server runs it in slots.
const INPUTS: [&str; 8] =
    ["inputStage", "inputStages", "queryPlan", "winningPlan", "shards", "outerStage", "innerStage", "thenStage"];

/// The stage's name.
pub(in crate::store) fn name(stage: &Document) -> &str {
    stage.get_str("stage").unwrap_or_default()
}

/// The stages that the stage reads from.
pub(in crate::store) fn children(stage: &Document) -> impl Iterator<Item = &Document> {
    INPUTS.into_iter().flat_map(|input| documents(stage, input))
}

/// The document, or the documents of the array, that the member is.
pub(in crate::store) fn documents<'d>(parent: &'d Document, member: &str) -> impl Iterator<Item = &'d Document> {
    let values = match parent.get(member) {
        Some(Bson::Array(values)) => values.as_slice(),
        Some(value) => std::slice::from_ref(value),
        None => &[],
    };
    values.iter().filter_map(Bson::as_document)
}

/// Calls `visit` with every stage, the topmost first.
pub(in crate::store) fn walk<'d>(stage: &'d Document, visit: &mut impl FnMut(&'d Document)) {
    visit(stage);
    for child in children(stage) {
        walk(child, visit);
    }
}

/// The names of the indexes that the stage and those below it read, each once.
pub(in crate::store) fn indexes(stage: &Document) -> Vec<String> {
    let mut indexes = Vec::new();
    walk(stage, &mut |stage| {
        let index = if name(stage) == "IDHACK" { Ok("_id_") } else { stage.get_str("indexName") };
        indexes.extend(index.ok().map(str::to_owned).filter(|index| !indexes.contains(index)));
    });
    indexes
}
