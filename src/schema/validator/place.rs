//! What is being compiled, and where it stands.

use crate::{
    json::{Tree, push_token},
    schema::Field,
};

/// A subschema and what is known of its place.
#[derive(Clone)]
pub(super) struct Place<'s> {
    pub(super) tree: &'s Tree,
    pub(super) pointer: String,
    /// What the schemas around say of this place's types; they give the schema's own values their types.
    pub(super) shape: Field,
    /// Whether it judges the document as a whole, which has an `_id` that the author need not mention.
    pub(super) whole: bool,
}

impl<'s> Place<'s> {
    /// A subschema of `self` for the same value.
    pub(super) fn branch(&self, tree: &'s Tree, tokens: &[&str]) -> Self {
        Self { tree, pointer: self.under(tokens), shape: self.shape.clone(), whole: self.whole }
    }

    /// The subschemas that `keyword` of `self` lists for the same value.
    pub(super) fn branches(&self, keyword: &str, value: &'s Tree) -> Vec<Self> {
        let branches = value.as_array().unwrap_or_default().iter().enumerate();
        branches.map(|(i, branch)| self.branch(branch, &[keyword, &i.to_string()])).collect()
    }

    /// A subschema of `self` for a part of the value, of which `shape` is known.
    pub(super) fn part(&self, tree: &'s Tree, tokens: &[&str], shape: Field) -> Self {
        Self { tree, pointer: self.under(tokens), shape, whole: false }
    }

    pub(super) fn under(&self, tokens: &[&str]) -> String {
        let mut pointer = self.pointer.clone();
        for token in tokens {
            push_token(&mut pointer, token);
        }
        pointer
    }

    pub(super) fn has(&self, keyword: &str) -> bool {
        self.tree.get(keyword).is_some()
    }
}
