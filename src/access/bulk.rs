//! Writes of many kinds, as one caller may make them.

use bson::{Bson, Document};

use super::{
    Permitted, Plan, View,
    permit::{permit, rows},
};
use crate::{
    error::Result,
    query,
    schema::access::Op,
    update::{
        Change, ChangePlan, Insert, InsertPlan, Precondition,
        bulk::{self, Upsert},
    },
};

/// One write of many that has passed a caller's view of the collection.
#[derive(Debug)]
pub enum Write {
    /// A new document.
    Insert(Permitted<InsertPlan>),
    /// A change to the document with an `_id`.
    Change(Permitted<ChangePlan>),
    /// A change to the document with some other key, or a new one.
    Upsert(Permitted<Upsert>),
}

impl Write {
    /// Narrows `write` to what the caller of `view` may do, or refuses it.
    pub fn permit(view: &View, write: bulk::Write) -> Result<Self> {
        match write {
            bulk::Write::Insert(insert) => permit(view, insert).map(Self::Insert),
            bulk::Write::Change(change) => {
                view.require_precondition(change.precondition.if_match.is_some())?;
                permit(view, change).map(Self::Change)
            }
            bulk::Write::Upsert(upsert) => {
                view.require_precondition(false)?;
                permit(view, upsert).map(Self::Upsert)
            }
        }
    }

    /// What it was narrowed to.
    pub fn view(&self) -> &View {
        match self {
            Self::Insert(insert) => insert.view(),
            Self::Change(change) => change.view(),
            Self::Upsert(upsert) => upsert.view(),
        }
    }
}

impl Plan for Upsert {
    type Ready = Self;

    fn narrow(self, view: &View) -> Result<Self> {
        for op in [Op::Read, Op::Insert, Op::Update] {
            view.schema(op)?;
        }
        Ok(self)
    }
}

impl Permitted<Upsert> {
    /// The conditions beside the key on the document that is to change: the caller knows that it has that key.
    pub fn rows(&self) -> Option<Document> {
        let names = || self.plan().key.values.keys().cloned().collect();
        query::all(rows(self.view(), names).into_iter().flatten().collect())
    }

    /// The same where the document with the key has this `_id`.
    pub fn found(&self, id: Bson) -> Result<Permitted<ChangePlan>> {
        let Upsert { schema, document, .. } = self.plan().clone();
        let plan = ChangePlan { schema, id, change: Change::Replace(document), precondition: Precondition::default() };
        permit(self.view(), plan)
    }

    /// The same where there is none.
    pub fn create(&self) -> Result<Permitted<InsertPlan>> {
        permit(self.view(), Insert { body: self.plan().document.clone() })
    }
}
