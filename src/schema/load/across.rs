//! What a file says of other files.

use super::{Report, did_you_mean};
use crate::{
    json::{Tree, below},
    schema::{Source, keywords},
};

/// Adds each `x-ref` to a collection that is not among `names`, the collections that have a file.
pub(super) fn check(source: &Source, names: &[String], report: &mut Report) {
    let mut open = vec![(String::new(), &source.tree)];
    while let Some((pointer, tree)) = open.pop() {
        if let Some(name) = tree.pointer("/x-ref/collection").and_then(Tree::as_str)
            && !names.iter().any(|known| known == name)
        {
            let at = below(&pointer, "x-ref");
            let near = did_you_mean(name, names.iter().map(String::as_str));
            report.add_below(&at, "collection", format!("no collection `{name}` is declared{near}"));
        }
        open.extend(keywords::subschemas(&pointer, tree));
    }
}
