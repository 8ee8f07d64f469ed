//! How stored documents are counted: all of them or a sample, how fast, and who hears how far it is.
//!
//! What is counted stands in `breaking` (documents that a validator would refuse) and in `duplicates` (documents
//! that a unique index would refuse).

use std::{fmt, num::NonZeroU64, sync::Arc};

/// How the stored documents that stand in the way of changes are counted.
#[derive(Debug, Clone, Default)]
pub struct Counting {
    /// Look at this many documents of each collection, drawn at random, in place of all.
    pub sample: Option<NonZeroU64>,
    /// How much of the server the counting may take.
    pub pace: Pace,
    /// Who hears how far it is.
    pub progress: Progress,
}

impl Counting {
    /// All documents, as fast as the server can: for who waits for the answer before serving.
    pub fn at_full_pace() -> Self {
        Self { pace: Pace::Full, ..Self::default() }
    }
}

/// How much of the server the counting may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// Rests as long as it works, and so takes about half of one core.
    #[default]
    Gentle,
    /// Never rests.
    Full,
}

/// Who hears how far the counting is; by default nobody.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<Listener>>);

type Listener = dyn Fn(&Reading<'_>) + Send + Sync;

impl Progress {
    /// Tells `listener`, which should return at once: the counting waits for it.
    pub fn to(listener: impl Fn(&Reading<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    /// Tells whoever listens.
    pub(super) fn tell(&self, reading: &Reading<'_>) {
        if let Some(listener) = &self.0 {
            listener(reading);
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Progress").field(&self.0.is_some()).finish()
    }
}

/// How far the reading of one collection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading<'a> {
    /// The collection.
    pub collection: &'a str,
    /// The unique index whose duplicates are looked for; `None` while its validator is held against the documents.
    pub index: Option<&'a str>,
    /// How many documents have been looked at.
    pub done: u64,
    /// About how many there are to look at. Others may write meanwhile, so `done` can end a little off.
    pub of: u64,
}

/// How many documents there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// So many: each document was looked at.
    Exact(u64),
    /// About so many: a sample was looked at.
    Estimated {
        /// The share of the sample, times the number of documents.
        about: u64,
        /// How many documents were looked at.
        sampled: u64,
    },
}

impl Count {
    /// The number, exact or not.
    pub fn value(self) -> u64 {
        match self {
            Self::Exact(count) | Self::Estimated { about: count, .. } => count,
        }
    }
}
