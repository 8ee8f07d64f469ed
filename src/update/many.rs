//! Writes of many documents, as plans.

use std::sync::Arc;

use bson::RawDocumentBuf;

use super::Change;
use crate::{error::Result, query::FindPlan, schema::Schema};

/// Documents as a client sends them, to be stored as new ones: all or none of them.
#[derive(Debug, Clone)]
pub struct InsertAll<I> {
    /// What was sent, as far as it can be read.
    pub bodies: I,
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
pub struct InsertEach<I> {
    /// What was sent; one that cannot be read is an error of them all.
    pub bodies: I,
}

/// New documents, each ready to be stored, or why it cannot be.
#[derive(Debug)]
pub struct InsertEachPlan {
    /// The collection.
    pub schema: Arc<Schema>,
    /// The documents, in the order in which they were sent.
    pub documents: Vec<Result<RawDocumentBuf>>,
}

/// A change of every document that is selected.
#[derive(Debug, Clone)]
pub struct ManyPlan {
    /// Which documents.
    pub selection: FindPlan,
    /// What is to become of each.
    pub change: Change,
}
