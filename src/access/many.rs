//! From plans for many documents to permitted ones.

use std::sync::Arc;

use bson::{Bson, RawDocumentBuf};

use super::{Permitted, Plan, View, permit};
use crate::{
    error::Result,
    query::FindPlan,
    schema::access::Op,
    update::{
        ChangePlan, Direct, Insert, InsertPlan, Precondition,
        many::{InsertAll, InsertAllPlan, InsertEach, InsertEachPlan, ManyPlan},
    },
};

impl<I: Iterator<Item = Result<RawDocumentBuf>>> Plan for InsertAll<I> {
    type Ready = InsertAllPlan;

    fn narrow(self, view: &View) -> Result<InsertAllPlan> {
        view.schema(Op::Insert)?;
        let ready = |(item, body): (usize, Result<RawDocumentBuf>)| {
            insertable(view, body?).map_err(|error| error.of_item(item))
        };
        let documents = self.bodies.enumerate().map(ready).collect::<Result<_>>()?;
        Ok(InsertAllPlan { schema: Arc::clone(view.declared()), documents })
    }
}

impl<I: Iterator<Item = Result<RawDocumentBuf>>> Plan for InsertEach<I> {
    type Ready = InsertEachPlan;

    fn narrow(self, view: &View) -> Result<InsertEachPlan> {
        view.schema(Op::Insert)?;
        let documents = self.bodies.map(|body| body.map(|body| insertable(view, body))).collect::<Result<_>>()?;
        Ok(InsertEachPlan { schema: Arc::clone(view.declared()), documents })
    }
}

fn insertable(view: &View, body: RawDocumentBuf) -> Result<RawDocumentBuf> {
    let InsertPlan { document, .. } = Insert { body }.narrow(view)?;
    Ok(document)
}

impl Plan for ManyPlan {
    type Ready = Many;

    /// Only documents are selected that the caller may both read and change: who may not read them would learn from the
    /// counts what is in them.
    fn narrow(self, view: &View) -> Result<Many> {
        let Self { mut selection, change } = self;
        // No one document is meant: this one stands for each that is selected.
        let (schema, precondition) = (Arc::clone(view.declared()), Precondition::default());
        let each = permit(view, ChangePlan { schema, id: Bson::Undefined, change, precondition })?;
        selection = selection.narrow(view)?;
        selection.restrict(view.rows(&[each.plan().op()]).into_iter());
        Ok(Many { selection, each })
    }
}

/// A change of every document that is selected, as far as the caller may make it.
#[derive(Debug)]
pub struct Many {
    selection: FindPlan,
    each: Permitted<ChangePlan>,
}

impl Many {
    /// Which documents.
    pub fn selection(&self) -> &FindPlan {
        &self.selection
    }

    /// The change as one command, where there is one for all documents. What is to be deleted need not be looked at.
    pub fn direct(&self) -> Option<Direct> {
        if self.each.plan().op() == Op::Delete { Some(Direct::Delete) } else { self.each.direct() }
    }

    /// What is to become of each of them.
    pub fn each(&self) -> &Permitted<ChangePlan> {
        &self.each
    }
}
