//! What became of one write of many.

use bson::{RawBson, RawDocument, RawDocumentBuf};

use crate::{
    error::{Result, check_limit},
    update::{self, many::New},
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

impl Outcome {
    /// What became of a new `document` that is stored.
    pub(super) fn created(document: RawDocumentBuf, shown: Shown) -> Result<Self> {
        Ok(Self { id: update::id_of(&document)?, effect: Effect::Created, document: shown.keep(document) })
    }
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

/// What became of new documents, each by itself.
#[derive(Debug)]
pub struct Inserted {
    pub(super) documents: Vec<New>,
    pub(super) shown: Shown,
}

impl Inserted {
    /// How many are stored.
    pub fn count(&self) -> usize {
        self.documents.iter().flatten().count()
    }

    /// What became of each, in order.
    pub fn outcomes(self) -> Result<impl ExactSizeIterator<Item = Result<Outcome>>> {
        let Self { documents, shown } = self;
        // All ids at once: what has left the processor's caches since the documents were made is fetched side by side.
        let id = |new: &New| new.as_ref().map_or(Ok(RawBson::Null), |document| update::id_of(document));
        let ids = documents.iter().map(id).collect::<Result<Vec<_>>>()?;
        let outcome = move |(new, id): (New, _)| match new {
            Ok(document) => Ok(Outcome { id, effect: Effect::Created, document: shown.keep(document) }),
            Err(error) => Err(*error),
        };
        Ok(documents.into_iter().zip(ids).map(outcome))
    }
}
