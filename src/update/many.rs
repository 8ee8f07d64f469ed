//! Writes of many documents, as plans.

use std::sync::Arc;

use bson::{RawDocument, RawDocumentBuf};

use super::Change;
use crate::{
    error::{Error, Result},
    query::FindPlan,
    schema::Schema,
};

/// Documents as they are sent, one after the other.
pub trait Bodies {
    /// The next one, if there is one; it is there until the one after it is asked for.
    fn read_next(&mut self) -> Option<Result<&RawDocument>>;
}

impl Bodies for std::slice::Iter<'_, RawDocumentBuf> {
    fn read_next(&mut self) -> Option<Result<&RawDocument>> {
        self.next().map(|document| Ok(document.as_ref()))
    }
}

/// Documents as a client sends them, to be stored as new ones: all or none of them.
#[derive(Debug, Clone)]
pub struct InsertAll<B> {
    /// What was sent.
    pub bodies: B,
}

/// New documents, ready to be stored, all or none of them.
#[derive(Debug, Clone)]
pub struct InsertAllPlan {
    /// The collection.
    pub schema: Arc<Schema>,
    /// The documents, in the order in which they were sent.
    pub documents: Vec<RawDocumentBuf>,
}

/// Documents as a client sends them, to be stored as new ones, each by itself.
#[derive(Debug, Clone)]
pub struct InsertEach<B> {
    /// What was sent; one that cannot be read is an error of them all.
    pub bodies: B,
}

/// A new document, ready to be stored, or why it cannot be: hardly any cannot, and there may be many.
pub type New = Result<RawDocumentBuf, Box<Error>>;

/// New documents, each ready to be stored, or why it cannot be.
#[derive(Debug)]
pub struct InsertEachPlan {
    /// The collection.
    pub schema: Arc<Schema>,
    /// The documents, in the order in which they were sent.
    pub documents: Vec<New>,
}

/// A change of every document that is selected.
#[derive(Debug, Clone)]
pub struct ManyPlan {
    /// Which documents.
    pub selection: FindPlan,
    /// What is to become of each.
    pub change: Change,
}
