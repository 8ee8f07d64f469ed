//! From plans to permitted plans.

use std::{collections::BTreeSet, sync::Arc};

use bson::{Document, RawDocument, doc};

use super::View;
use crate::{
    error::{Error, Result},
    query::{Draft, FindPlan, GetPlan},
    schema::{Schema, access::Op},
    update::{ChangePlan, InsertPlan, Next},
};

/// A plan that has passed a caller's view of its collection.
#[derive(Debug)]
pub struct Permitted<T> {
    plan: T,
    view: View,
}

/// What can be permitted.
pub trait Plan: Sized {
    /// What runs.
    type Ready;

    /// The plan, narrowed to what the view leaves of it; an error where that is nothing.
    fn narrow(self, view: &View) -> Result<Self::Ready>;
}

/// Narrows `plan` to what the caller of `view` may do, or refuses it.
pub fn permit<P: Plan>(view: &View, plan: P) -> Result<Permitted<P::Ready>> {
    Ok(Permitted { plan: plan.narrow(view)?, view: view.clone() })
}

impl<T> Permitted<T> {
    /// The plan.
    pub fn plan(&self) -> &T {
        &self.plan
    }

    /// What it was narrowed to.
    pub fn view(&self) -> &View {
        &self.view
    }
}

impl Plan for Draft<'_> {
    type Ready = FindPlan;

    fn narrow(mut self, view: &View) -> Result<FindPlan> {
        view.schema(Op::Read)?;
        self.restrict(rows(view, || self.names()).into_iter().flatten());
        self.avoid(view.hidden().map(str::to_owned));
        if view.is_read_by_row() {
            self.read_too(view.ruling().map(str::to_owned));
        }
        self.settle()
    }
}

/// The conditions on the documents that the caller may list by fields with these names.
fn rows(view: &View, names: impl FnOnce() -> BTreeSet<String>) -> [Option<Document>; 2] {
    let named = if view.hidden().next().is_some() { names() } else { BTreeSet::new() };
    [view.rows(&[Op::Read]), view.rows_with(named.iter().map(String::as_str))]
}

impl Plan for FindPlan {
    type Ready = Self;

    fn narrow(mut self, view: &View) -> Result<Self> {
        view.schema(Op::Read)?;
        self.restrict(rows(view, || self.names()).into_iter().flatten());
        Ok(self)
    }
}

impl Plan for GetPlan {
    type Ready = Self;

    fn narrow(self, view: &View) -> Result<Self> {
        view.schema(Op::Read)?;
        Ok(Self { rows: view.rows(&[Op::Read]), ..self })
    }
}

/// A look at a collection itself: its shape.
impl Plan for Arc<Schema> {
    type Ready = Self;

    fn narrow(self, view: &View) -> Result<Self> {
        view.schema(Op::Read)
    }
}

impl Plan for InsertPlan {
    type Ready = Self;

    fn narrow(self, view: &View) -> Result<Self> {
        view.schema(Op::Insert)?;
        settled(view, Op::Insert, &self.document)?;
        Ok(self)
    }
}

impl Plan for ChangePlan {
    type Ready = Self;

    fn narrow(self, view: &View) -> Result<Self> {
        view.schema(self.op())?;
        Ok(self)
    }
}

impl Permitted<ChangePlan> {
    /// The condition on the document that is to change: it is the one, and the caller knows of it.
    pub fn selection(&self) -> Document {
        let by_id = doc! { "_id": self.plan.id.clone() };
        match self.view.rows(&[Op::Read, self.plan.op()]) {
            None => by_id,
            Some(rows) => doc! { "$and": [by_id, rows] },
        }
    }

    /// What the change comes to on the `stored` document.
    pub fn next(&self, stored: Option<&RawDocument>) -> Result<Next> {
        let op = self.plan.op();
        let schema = match stored {
            None => self.view.schema(op)?,
            Some(stored) => self
                .view
                .schema_on(op, stored)
                .ok_or_else(|| Error::Forbidden(format!("your roles may not {} this document", op.name())))?,
        };
        let next = self.plan.next(stored, (&schema, self.view.user()))?;
        match &next {
            Next::Store(document) => settled(&self.view, Op::Update, document)?,
            Next::Insert(document) => settled(&self.view, Op::Insert, document)?,
            Next::Keep | Next::Delete => {}
        }
        Ok(next)
    }
}

/// Refuses to leave a document where the caller could not have written it.
fn settled(view: &View, op: Op, document: &RawDocument) -> Result<()> {
    if view.schema_on(op, document).is_some() {
        return Ok(());
    }
    Err(Error::Forbidden(format!("your roles may not {} a document such as this would be", op.name())))
}
