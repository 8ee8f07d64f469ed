//! Collections into which documents are imported, and in which nothing says when two documents are the same.

use super::Remark;
use crate::{
    json::{Tree, below},
    schema::{Kind, Schema},
};

/// A role that is named for imports is taken to use them again: with no unique index and an `_id` that the service makes,
/// each time everything is stored once more. Roles that may do everything say nothing of imports.
pub(super) fn remarks(schema: &Schema) -> Vec<Remark> {
    if has_key(schema) {
        return Vec::new();
    }
    let roles = schema.source.tree.get("x-access").and_then(Tree::as_object).into_iter().flatten();
    let importing = roles.filter(|(_, rules)| is_for_imports(rules.get("ops").unwrap_or(rules)));
    let detail = "imports, and nothing tells whether a document is there already: sent twice, or by two at a time, it would be \
                  stored twice; add a unique index on what tells documents apart";
    importing.map(|(role, _)| (below("/x-access", role), detail.to_owned())).collect()
}

fn is_for_imports(ops: &Tree) -> bool {
    ops.as_array().unwrap_or_default().iter().any(|op| op.as_str() == Some("import"))
}

/// Whether two documents that are meant to be the same cannot both be stored.
fn has_key(schema: &Schema) -> bool {
    let id = schema.id();
    let is_chosen = id.set.is_none() && id.kinds.single() != Some(Kind::ObjectId);
    is_chosen || schema.indexes.iter().any(|index| index.options.contains_key("unique"))
}
