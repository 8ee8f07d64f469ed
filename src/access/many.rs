//! From plans for many documents to permitted ones.

use std::sync::Arc;

use bson::{Bson, RawDocument, RawDocumentBuf};

use super::{
    Permitted, Plan, View,
    permit::{self, permit},
};
use crate::{
    error::Result,
    query::FindPlan,
    schema::access::Op,
    update::{
        ChangePlan, Direct, InsertPlan, Precondition,
        many::{Bodies, InsertAll, InsertAllPlan, InsertEach, InsertEachPlan, ManyPlan},
    },
};

impl<B: Bodies> Plan for InsertAll<B> {
    type Ready = InsertAllPlan;

    fn narrow(mut self, view: &View) -> Result<InsertAllPlan> {
        let (insertable, mut documents) = (insertable(view)?, Vec::new());
        while let Some(body) = self.bodies.read_next() {
            let item = documents.len();
            documents.push(insertable(body?).map_err(|error| error.of_item(item))?);
        }
        Ok(InsertAllPlan { schema: Arc::clone(view.declared()), documents })
    }
}

impl<B: Bodies> Plan for InsertEach<B> {
    type Ready = InsertEachPlan;

    fn narrow(mut self, view: &View) -> Result<InsertEachPlan> {
        let (insertable, mut documents) = (insertable(view)?, Vec::new());
        while let Some(body) = self.bodies.read_next() {
            documents.push(insertable(body?).map_err(Box::new));
        }
        Ok(InsertEachPlan { schema: Arc::clone(view.declared()), documents })
    }
}

/// What becomes of a new document of the caller's.
fn insertable(view: &View) -> Result<impl Fn(&RawDocument) -> Result<RawDocumentBuf>> {
    let (schema, user, depends_on_row) = (view.schema(Op::Insert)?, view.user(), view.depends_on_row());
    Ok(move |body: &RawDocument| {
        if depends_on_row {
            return permit::insertable(view, |schema| InsertPlan::new((schema, user), None, body))
                .map(|plan| plan.document);
        }
        InsertPlan::document((&schema, user), None, body)
    })
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
