//! What became of one write of many.

use bson::{RawBson, RawDocument, RawDocumentBuf};

use super::check_size;
use crate::{
    error::{Result, check_limit},
    update,
};

/// What became of one write of many.
#[derive(Debug)]
pub struct Outcome {
    /// The document's `_id`.
    pub id: RawBson,
    /// What was done to it.
    pub effect: Effect,
    /// The document as it is stored now, where that was asked for.
    pub document: Option<RawDocumentBuf>,
}

/// What a write did to its document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// There was none before.
    Created,
    /// It is as the write says, be it that it was so before.
    Changed,
    /// It is gone.
    Deleted,
}

/// Which documents are given back: those that were written, of so many bytes together, or none.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    limit: Option<usize>,
    used: usize,
}

impl Shown {
    /// All documents, whatever their size.
    pub const ALL: Self = Self { limit: Some(usize::MAX), used: 0 };
    /// None.
    pub const NONE: Self = Self { limit: None, used: 0 };

    /// Documents of `limit` bytes together.
    pub fn within(limit: usize) -> Self {
        Self { limit: Some(limit), ..Self::NONE }
    }

    /// Whether documents are given back.
    pub(super) fn keeps(self) -> bool {
        self.limit.is_some()
    }

    /// Makes room for the `document`, if documents are given back.
    pub(super) fn take(&mut self, document: &RawDocument) -> Result<()> {
        let Some(limit) = self.limit else { return Ok(()) };
        let used = self.used + document.as_bytes().len();
        check_limit(("--max-page-bytes", limit), used, || "the documents of the answer together".to_owned())?;
        self.used = used;
        Ok(())
    }

    pub(super) fn keep(self, document: RawDocumentBuf) -> Option<RawDocumentBuf> {
        self.limit.map(|_| document)
    }
}

/// A document that is to be inserted among others. Its `_id` is read when it is made: once it is stored it would have to
/// be fetched into the processor's caches again.
#[derive(Debug)]
pub(super) struct New {
    id: RawBson,
    pub(super) document: RawDocumentBuf,
}

impl New {
    /// The `document`, if it is not too large to be stored.
    pub(super) fn of(document: RawDocumentBuf) -> Result<Self> {
        check_size(&document)?;
        Ok(Self { id: update::id_of(&document)?, document })
    }

    /// What became of it where it is stored.
    pub(super) fn created(self, shown: Shown) -> Outcome {
        Outcome { id: self.id, effect: Effect::Created, document: shown.keep(self.document) }
    }
}
