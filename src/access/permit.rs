//! From plans to permitted plans.

use std::{collections::BTreeSet, sync::Arc};

use bson::{Document, RawDocument};

use super::{Shape, View};
use crate::{
    error::{Error, Result},
    query::{self, Draft, FindPlan, GetPlan},
    schema::{Schema, access::Op},
    update::{ChangePlan, Direct, Insert, InsertPlan, Next},
};

/// A plan that has passed a caller's view of its collection.
#[derive(Debug, Clone)]
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

    /// The plan, and what it was narrowed to.
    pub fn into_parts(self) -> (T, View) {
        (self.plan, self.view)
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
pub(super) fn rows(view: &View, names: impl FnOnce() -> BTreeSet<String>) -> [Option<Document>; 2] {
    let fields = if view.hidden().next().is_some() { names() } else { BTreeSet::new() };
    [view.rows(&[Op::Read]), view.rows_with(fields.iter().map(String::as_str))]
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

impl Plan for Insert {
    type Ready = InsertPlan;

    fn narrow(self, view: &View) -> Result<InsertPlan> {
        insertable(view, |schema| InsertPlan::new((schema, view.user()), None, &self.body))
    }
}

impl Plan for ChangePlan {
    type Ready = Self;

    fn narrow(self, view: &View) -> Result<Self> {
        self.refuse_hidden(&view.schema(self.op())?.root)?;
        self.refuse_unfit()?;
        Ok(self)
    }
}

impl Permitted<ChangePlan> {
    /// The condition on the document that is to change: it is the one, and the caller knows of it.
    pub fn selection(&self) -> Document {
        query::by_id(&self.plan.id, self.view.rows(&[Op::Read, self.plan.op()]))
    }

    /// The `stored` document as the caller may change it, or why the caller may not; `None` where it is to be created,
    /// and what is there is for its precondition to say.
    pub fn shape(&self, stored: Option<&RawDocument>) -> Result<Option<Shape>> {
        match (self.plan.op(), stored) {
            (Op::Insert, _) => Ok(None),
            (_, None) if self.plan.creates() => Ok(None),
            (_, None) => Err(Error::UnknownDocument { collection: self.plan.schema.name.clone() }),
            (op, Some(stored)) => match self.view.shape_on(op, stored) {
                Some(shape) => Ok(Some(shape)),
                None => Err(self.view.caller().refusal(|| format!("your roles may not {} this document", op.name()))),
            },
        }
    }

    /// What the change comes to on the `stored` document, which the caller may change as it is in `shape`.
    pub fn next(&self, stored: Option<&RawDocument>, shape: Option<&Shape>) -> Result<Next> {
        let user = self.view.user();
        let (Some(stored), Some(shape)) = (stored, shape) else {
            if stored.is_some() {
                return Err(Error::PreconditionFailed { current: None });
            }
            return insertable(&self.view, |schema| self.plan.create((schema, user)))
                .map(|plan| Next::Insert(plan.document));
        };
        self.stay(self.plan.next(stored, (shape.root(), user))?)
    }

    /// What becomes of the `stored` document of which the server has made `result`.
    pub fn settle(&self, documents: (&RawDocument, &RawDocument), shape: &Shape) -> Result<Next> {
        self.stay(self.plan.settle(documents, (shape.root(), self.view.user()))?)
    }

    /// The update by its operators together with what the service writes, where that can be told before.
    pub fn stamped(&self, shape: &Shape) -> Option<Document> {
        self.plan.stamped((shape.root(), self.view.user()))
    }

    /// The change as one command, where there is one that needs to know nothing of the document.
    pub fn direct(&self) -> Option<Direct> {
        let shape = self.view.shape_of_all(self.plan.op())?;
        self.plan.direct((shape.root(), self.view.user()))
    }

    /// Refuses what would leave a document that the caller could not have written.
    fn stay(&self, next: Next) -> Result<Next> {
        match &next {
            Next::Store(document) if self.view.schema_on(Op::Update, document).is_none() => {
                Err(moved(&self.view, Op::Update))
            }
            _ => Ok(next),
        }
    }
}

/// The new document that `complete` makes by the rules of the roles which let the caller insert it. Which roles these
/// are can depend on what rules have filled in.
pub(super) fn insertable(view: &View, complete: impl Fn(&Arc<Schema>) -> Result<InsertPlan>) -> Result<InsertPlan> {
    /// One round for all roles, one for those of the document, and one for what these have forced on it.
    const ROUNDS: usize = 3;
    let mut schema = view.schema(Op::Insert)?;
    for _ in 0..ROUNDS {
        let plan = complete(&schema)?;
        match view.schema_on(Op::Insert, &plan.document) {
            // Only so many collections as roles have them are kept as one.
            Some(same) if Arc::ptr_eq(&same, &schema) || same.root == schema.root => return Ok(plan),
            Some(other) => schema = other,
            None => break,
        }
    }
    Err(moved(view, Op::Insert))
}

/// The refusal to leave a document where the caller could not have written it.
fn moved(view: &View, op: Op) -> Error {
    view.caller().refusal(|| format!("your roles may not {} a document such as this would be", op.name()))
}
