//! One difference between the database and the files, and what it risks to remove it.

use bson::Document;

use crate::{config::Apply, schema::Index};

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

/// A validator, and what is done with documents that break it.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// The validator; empty where there is none.
    pub validator: Document,
    /// [`validationLevel`](https://www.mongodb.com/docs/manual/core/schema-validation/specify-validation-level/).
    pub level: String,
    /// [`validationAction`](https://www.mongodb.com/docs/manual/core/schema-validation/handle-invalid-documents/).
    pub action: String,
}

impl Rules {
    /// `validator`, held against every write.
    pub(super) fn strict(validator: Document) -> Self {
        Self { validator, level: "strict".to_owned(), action: "error".to_owned() }
    }
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
    /// Whether a start that may apply this much may take it.
    pub fn is_covered_by(self, apply: Apply) -> bool {
        match apply {
            Apply::None => false,
            Apply::Safe => self == Self::Safe,
            Apply::All => matches!(self, Self::Safe | Self::Slow | Self::Destructive),
        }
    }
}

/// Indexing more documents than this is slow: some seconds of work, and the start waits for it.
const MANY: u64 = 1_000_000;

impl Change {
    /// The collection that differs.
    pub fn collection(&self) -> &str {
        match self {
            Self::NotACollection { collection, .. }
            | Self::Collated { collection, .. }
            | Self::CreateCollection { collection, .. }
            | Self::SetValidator { collection, .. }
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

    /// What making the change risks.
    pub fn risk(&self) -> Risk {
        match self {
            Self::UnknownIndex { .. } | Self::MissingTieBreak { .. } => Risk::Report,
            Self::NotACollection { .. } | Self::Collated { .. } => Risk::Impossible,
            Self::RebuildIndex { .. } => Risk::Destructive,
            Self::AlterIndex { from, to, .. } if lifetime(to) < lifetime(from) => Risk::Destructive,
            Self::CreateIndex { index, documents: 1.., .. } if lifetime(index).is_some() => Risk::Destructive,
            Self::CreateIndex { documents: MANY.., .. } => Risk::Slow,
            // A validator that stored documents break is not applied at all, so setting one loses nothing.
            Self::CreateCollection { .. }
            | Self::SetValidator { .. }
            | Self::CreateIndex { .. }
            | Self::AlterIndex { .. } => Risk::Safe,
        }
    }
}

/// After how many seconds the index deletes documents, if it does.
pub(super) fn lifetime(index: &Index) -> Option<i64> {
    super::index::whole(index.options.get("expireAfterSeconds")?)
}
