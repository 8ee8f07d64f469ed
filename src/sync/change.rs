//! One difference between the database and the files, and what it risks to remove it.

use super::{
    held::Rules,
    rules::{self, RuleChange},
};
use crate::{
    config::{Apply, Stage},
    schema::{Index, index::whole},
};

/// A difference between the database and the files.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A view, a time series or a capped collection, which takes no writes in transactions, has the name.
    NotACollection {
        /// The name.
        collection: String,
        /// What it is instead: `view`, `timeseries`, `capped collection`.
        kind: String,
    },
    /// The collection compares by a language's rules, which no file asks for and nothing can change. The server gives
    /// the sort keys of its documents in a form that they cannot be compared with, so its lists have no next page.
    Collated {
        /// The collection.
        collection: String,
        /// The language.
        locale: String,
    },
    /// The collection does not exist.
    CreateCollection {
        /// Its name.
        collection: String,
        /// Its indexes.
        indexes: Vec<Index>,
    },
    /// The validator, or how strictly it is applied, is another.
    SetValidator {
        /// The collection.
        collection: String,
        /// What there is.
        from: Rules,
        /// What there should be.
        to: Rules,
        /// The stage that what there is was set in, if in any.
        stage: Option<Stage>,
        /// About how many documents there are.
        documents: u64,
    },
    /// The validator is the declared one, in a stage. It becomes strict once no stored document breaks it; as long as
    /// one does, it is left alone.
    EndStage {
        /// The collection.
        collection: String,
        /// What there is.
        from: Rules,
        /// What there should be.
        to: Rules,
        /// The stage.
        stage: Stage,
    },
    /// The validator is as declared, and the file itself wants it not held against all writes. It is left alone.
    Lenient {
        /// The collection.
        collection: String,
        /// What there is.
        rules: Rules,
    },
    /// Change streams should tell what documents were before, or should not any more.
    SetPreImages {
        /// The collection.
        collection: String,
        /// Whether they should.
        to: bool,
    },
    /// Change streams tell what documents were before, of which the file says nothing. It is left alone.
    UnknownPreImages {
        /// The collection.
        collection: String,
    },
    /// The index does not exist.
    CreateIndex {
        /// The collection.
        collection: String,
        /// The index.
        index: Index,
        /// About how many documents there are to index.
        documents: u64,
    },
    /// The index differs only in what can be changed in place (`hidden`, `expireAfterSeconds`).
    AlterIndex {
        /// The collection.
        collection: String,
        /// What there is.
        from: Index,
        /// What there should be.
        to: Index,
    },
    /// The index must be dropped and built again: its keys or options, or only its name, are others.
    RebuildIndex {
        /// The collection.
        collection: String,
        /// What there is.
        from: Index,
        /// What there should be.
        to: Index,
        /// About how many documents there are to index.
        documents: u64,
    },
    /// The files do not know the index. It is left alone.
    UnknownIndex {
        /// The collection.
        collection: String,
        /// The index.
        index: Index,
    },
    /// The index is as declared but for the `_id` at the end of its keys. It is left alone.
    MissingTieBreak {
        /// The collection.
        collection: String,
        /// What there is.
        index: Index,
    },
}

/// What making a change risks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Risk {
    /// Nothing is to be made: the difference is told and left alone.
    Report,
    /// Loses nothing and is quick.
    Safe,
    /// Loses nothing, but takes long.
    Slow,
    /// Loses documents, or for a while what an index guarantees.
    Destructive,
    /// Cannot be made.
    Impossible,
}

impl Risk {
    /// The risk as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Safe => "safe",
            Self::Slow => "slow",
            Self::Destructive => "destructive",
            Self::Impossible => "impossible",
        }
    }

    /// The least that a run must be allowed to make the change; `None` where nothing is to be made, or nothing can.
    pub fn admitted_by(self) -> Option<Apply> {
        match self {
            Self::Report | Self::Impossible => None,
            Self::Safe => Some(Apply::Safe),
            Self::Slow | Self::Destructive => Some(Apply::All),
        }
    }

    /// Whether a start that may apply this much may take it.
    pub fn is_covered_by(self, apply: Apply) -> bool {
        self.admitted_by().is_some_and(|least| least == apply || apply == Apply::All)
    }
}

/// Reading so many documents, to index or to count them, is slow: some seconds of work, and the start waits for it.
const MANY: u64 = 1_000_000;

impl Change {
    /// The collection that differs.
    pub fn collection(&self) -> &str {
        match self {
            Self::NotACollection { collection, .. }
            | Self::Collated { collection, .. }
            | Self::CreateCollection { collection, .. }
            | Self::SetValidator { collection, .. }
            | Self::EndStage { collection, .. }
            | Self::Lenient { collection, .. }
            | Self::SetPreImages { collection, .. }
            | Self::UnknownPreImages { collection }
            | Self::CreateIndex { collection, .. }
            | Self::AlterIndex { collection, .. }
            | Self::RebuildIndex { collection, .. }
            | Self::UnknownIndex { collection, .. }
            | Self::MissingTieBreak { collection, .. } => collection,
        }
    }

    /// Whether there is no collection to serve before the change is made.
    pub(super) fn is_of_no_collection(&self) -> bool {
        matches!(self, Self::CreateCollection { .. } | Self::NotACollection { .. })
    }

    /// Whether stored documents may break the file's validator until the change is made, whoever wrote them.
    pub(super) fn leaves_rules_open(&self) -> bool {
        matches!(self, Self::SetValidator { .. } | Self::EndStage { .. } | Self::Lenient { .. })
    }

    /// Whether stored documents need not be as the file says, by its validator or its unique indexes, until the change is
    /// made.
    pub(super) fn leaves_open(&self) -> bool {
        self.leaves_rules_open() || !self.is_left_alone()
    }

    /// Whether there can be stored documents that break the file's validator and have to be counted: not where the
    /// new one asks no more than the one that they are held to.
    pub(super) fn is_counted(&self) -> bool {
        matches!(self, Self::Lenient { .. }) || self.tightens()
    }

    /// What a new validator changes of the rules; empty for other changes, and where only its notes differ.
    pub fn rules(&self) -> Vec<RuleChange> {
        match self {
            Self::SetValidator { from, to, .. } | Self::EndStage { from, to, .. } => rules::compare(from, to),
            _ => Vec::new(),
        }
    }

    /// Whether it is a validator that stored documents can break though they met the one before.
    pub fn tightens(&self) -> bool {
        self.rules().iter().any(|rule| rule.kind.tightens())
    }

    /// The index that the change builds over stored documents.
    pub(super) fn built(&self) -> Option<&Index> {
        match self {
            Self::CreateIndex { index, .. } | Self::RebuildIndex { to: index, .. } => Some(index),
            _ => None,
        }
    }

    /// Whether this is told and left alone, whatever documents there are.
    pub(super) fn is_left_alone(&self) -> bool {
        self.risk() == Risk::Report
    }

    pub(super) fn ends_a_stage(&self) -> bool {
        matches!(self, Self::EndStage { .. })
    }

    /// The same with the validator going in, or staying, in `stage`.
    pub(super) fn staged(self, stage: Option<Stage>) -> Self {
        let softened = |to: Rules| stage.map_or_else(|| to.clone(), |stage| to.softened(stage));
        match self {
            Self::SetValidator { collection, from, to, stage, documents } => {
                Self::SetValidator { collection, from, to: softened(to), stage, documents }
            }
            Self::EndStage { collection, from, to, stage } => {
                Self::EndStage { collection, from, to: softened(to), stage }
            }
            change => change,
        }
    }

    /// The same without the number of documents.
    pub(super) fn uncounted(&self) -> Self {
        let mut change = self.clone();
        if let Self::SetValidator { documents, .. }
        | Self::CreateIndex { documents, .. }
        | Self::RebuildIndex { documents, .. } = &mut change
        {
            *documents = 0;
        }
        change
    }

    /// What making the change risks.
    pub fn risk(&self) -> Risk {
        match self {
            Self::UnknownIndex { .. }
            | Self::MissingTieBreak { .. }
            | Self::Lenient { .. }
            | Self::UnknownPreImages { .. } => Risk::Report,
            Self::NotACollection { .. } | Self::Collated { .. } => Risk::Impossible,
            Self::RebuildIndex { .. } | Self::SetPreImages { to: false, .. } => Risk::Destructive,
            Self::AlterIndex { from, to, .. } if lifetime(to) < lifetime(from) => Risk::Destructive,
            Self::CreateIndex { index, documents: 1.., .. } if lifetime(index).is_some() => Risk::Destructive,
            Self::CreateIndex { documents: MANY.., .. } => Risk::Slow,
            Self::SetValidator { documents: MANY.., .. } if self.tightens() => Risk::Slow,
            // A validator that stored documents break is not applied at all, so setting one loses nothing.
            Self::CreateCollection { .. }
            | Self::SetValidator { .. }
            | Self::EndStage { .. }
            | Self::SetPreImages { .. }
            | Self::CreateIndex { .. }
            | Self::AlterIndex { .. } => Risk::Safe,
        }
    }
}

/// After how many seconds the index deletes documents, if it does.
pub(super) fn lifetime(index: &Index) -> Option<i64> {
    whole(index.options.get("expireAfterSeconds")?)
}
