//! What one validator asks that another did not, rule by rule, in the words of the collection file as far as the
//! `description`s lead. Touches no database.
//!
//! The comparison is sound rather than complete: where every change is [`Loosened`](Kind::Loosened) or
//! [`Removed`](Kind::Removed), the new validator lets every document in that the old one did; where there is none,
//! both let the same documents in. What it cannot judge is [`Changed`](Kind::Changed). That rests on two things. A
//! schema is the sum of its keywords, so a list of changes is read as steps made one after the other; and what a
//! keyword says of parts of the value never asks more where the parts' schemas ask less. `not` turns that round, and
//! `oneOf` breaks it. How a rule reads for people is in `print`.

use bson::{Bson, Document};

use super::held::Rules;

mod branches;
mod parts;
mod scalars;
mod types;
mod walk;

use walk::{Pair, Place, Walk};

/// A rule that differs between two validators.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleChange {
    /// The schema that has the rule: its pointer in the collection file (`#/properties/price`), or in the validator
    /// where that was not compiled from one.
    pub pointer: String,
    /// The keyword, as a collection file spells it.
    pub keyword: String,
    /// What becomes of the rule.
    pub kind: Kind,
    /// What the rule said, or the one part of it that goes; `None` where there was none or it is not one value.
    pub from: Option<Bson>,
    /// What the rule says now, or the one part of it that is new.
    pub to: Option<Bson>,
}

/// What becomes of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It was not there: documents may break it.
    Added,
    /// It lets fewer documents in.
    Tightened,
    /// It lets more documents in.
    Loosened,
    /// It is not there any more.
    Removed,
    /// It is another, and which one asks more cannot be told.
    Changed,
}

impl Kind {
    /// Whether a document that met the old rule can break the new one.
    pub fn tightens(self) -> bool {
        matches!(self, Self::Added | Self::Tightened | Self::Changed)
    }

    /// The kind as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Tightened => "tightened",
            Self::Loosened => "loosened",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }

    /// What a change inside `not` is for the schema around it.
    fn inverted(self) -> Self {
        match self {
            Self::Added | Self::Tightened => Self::Loosened,
            Self::Removed | Self::Loosened => Self::Tightened,
            Self::Changed => Self::Changed,
        }
    }

    /// What several changes of one rule come to.
    fn of(kinds: &[Self]) -> Self {
        let all = |these: &[Self]| kinds.iter().all(|kind| these.contains(kind));
        match () {
            () if all(&[Self::Added]) => Self::Added,
            () if all(&[Self::Removed]) => Self::Removed,
            () if all(&[Self::Added, Self::Tightened]) => Self::Tightened,
            () if all(&[Self::Removed, Self::Loosened]) => Self::Loosened,
            () => Self::Changed,
        }
    }
}

/// Every rule that differs; none where both let the same documents in.
pub fn compare(from: &Rules, to: &Rules) -> Vec<RuleChange> {
    let mut walk = Walk::default();
    let place = Place::root();
    scalars::rank(&mut walk, &place, ("validationLevel", &["off", "moderate", "strict"]), (&from.level, &to.level));
    scalars::rank(&mut walk, &place, ("validationAction", &["warn", "error"]), (&from.action, &to.action));
    match (schema(&from.validator), schema(&to.validator)) {
        (Some(from), Some(to)) => {
            let pair = Pair { from: &from, to: &to };
            walk.schema(&place.child(pair, &[]), pair);
        }
        _ if from.validator == to.validator => {}
        _ => walk.emit(&place, "validator", Kind::Changed, (None, None)),
    }
    merged(walk.changes)
}

/// The `$jsonSchema` of a validator that is nothing else; an empty one where there is no validator.
fn schema(validator: &Document) -> Option<Document> {
    match validator.len() {
        0 => Some(Document::new()),
        1 => validator.get_document("$jsonSchema").ok().cloned(),
        _ => None,
    }
}

/// Each change once. One schema can be judged by in several places, by `$ref` or on both sides of an `if`.
fn merged(changes: Vec<RuleChange>) -> Vec<RuleChange> {
    let mut merged: Vec<RuleChange> = Vec::new();
    for change in changes {
        let same = |other: &&mut RuleChange| {
            other.pointer == change.pointer
                && other.keyword == change.keyword
                && other.from == change.from
                && other.to == change.to
        };
        match merged.iter_mut().find(same) {
            Some(known) => known.kind = Kind::of(&[known.kind, change.kind]),
            None => merged.push(change),
        }
    }
    merged
}

#[cfg(test)]
mod tests;
