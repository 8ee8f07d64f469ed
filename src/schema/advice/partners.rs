//! Keywords that say nothing without another one beside them. Draft 2020-12 takes them alone, so they are no mistakes.

use super::Remark;
use crate::{
    json::{Tree, below},
    schema::{Schema, keywords},
};

/// Keywords, and those of which each needs one.
const PARTNERS: [(&str, &[&str]); 4] =
    [("if", &["then", "else"]), ("then", &["if"]), ("else", &["if"]), ("minContains", &["contains"])];

pub(super) fn remarks(schema: &Schema) -> Vec<Remark> {
    let (mut open, mut remarks) = (vec![(String::new(), &schema.source.tree)], Vec::new());
    while let Some((pointer, tree)) = open.pop() {
        remarks.extend(alone(tree).map(|(keyword, detail)| (below(&pointer, keyword), detail)));
        open.extend(keywords::subschemas(&pointer, tree));
    }
    remarks.sort();
    remarks
}

/// The keywords of the subschema that lack a partner, with what is to be said of each.
fn alone(tree: &Tree) -> impl Iterator<Item = (&'static str, String)> {
    let has = |keyword: &&str| tree.get(keyword).is_some();
    let lacking = PARTNERS.into_iter().filter(move |(keyword, partners)| has(keyword) && !partners.iter().any(has));
    lacking
        .map(|(keyword, partners)| (keyword, format!("says nothing without `{}` beside it", partners.join("` or `"))))
}
