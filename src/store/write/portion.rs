//! Changing the documents with certain `_id`s, in one transaction: all that are still selected, or none.

use std::{collections::HashMap, iter};

use bson::{Bson, Document, RawDocument, RawDocumentBuf, doc, raw::cstr, rawdoc};
use futures::{FutureExt, TryStreamExt};
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::{
    by_id, check_size,
    direct::is_about_the_server,
    many::{Counts, MOST_BYTES, PORTION},
    statements::{self, Applied, Ran, Tally, Verb},
    transaction::{self, Failed, Transaction, Wrote},
};
use crate::{
    access::{Many, Shape},
    codec::encode,
    error::{Done, Error, Result},
    query,
    schema::Schema,
    store::{Store, discretion::discreet, failure, failure::Refusal, left},
    update::{Change, Direct, Next, Operators, unreadable},
};

/// Changes what is selected of the documents with these `_id`s, by one command where that is the change and it finds them
/// all; `None`, and nothing done, where they are several and too large to be changed together.
pub(super) async fn change(
    store: &Store,
    (many, direct): (&Many, Option<&Direct>),
    (ids, deadline): (&[Bson], Instant),
) -> Result<Option<Counts>> {
    if let Some(direct) = direct {
        let store = store.until(left(deadline));
        let done = transaction::run(&store, |transaction| Portion { transaction, many, ids }.at_once(direct).boxed());
        match done.await {
            Ok(None) => {}
            // A refusal of one of the documents is for the exact way to explain.
            Err(error) if is_of_a_document(&error) && *direct != Direct::Delete => {}
            done => return done,
        }
    }
    let store = store.until(left(deadline));
    transaction::run(&store, |transaction| Portion { transaction, many, ids }.exactly().boxed()).await
}

fn is_of_a_document(error: &Error) -> bool {
    !matches!(error, Error::Conflict) && !is_about_the_server(error)
}

/// What was done, and whether there is something to commit.
type Outcome = (Option<Counts>, Wrote);

struct Portion<'w, 's> {
    transaction: &'w mut Transaction<'s>,
    many: &'w Many,
    ids: &'w [Bson],
}

/// A document that is to change.
struct Step<'d> {
    stored: &'d RawDocument,
    /// The condition that it is this one.
    by_id: RawDocumentBuf,
    shape: Shape,
    /// What takes its place; `None` as long as the server has to make that, or where it has.
    next: Option<RawDocumentBuf>,
}

impl<'w> Portion<'w, '_> {
    /// Deletes or updates all by one statement; `None` where that is not all there is to do.
    async fn at_once(self, direct: &Direct) -> Result<Outcome, Failed> {
        let (verb, statement) = match direct {
            Direct::Delete => (Verb::Delete, rawdoc! { "q": raw(&self.selection())?, "limit": 0 }),
            Direct::Update { conditions, update, array_filters } => {
                let query = query::all(iter::once(self.selection()).chain(conditions.clone()).collect());
                let mut statement = Applied::of(update, array_filters)?.to(raw(&query.unwrap_or_default())?);
                statement.append(cstr!("multi"), true);
                (Verb::Update, statement)
            }
        };
        let schema = self.schema();
        match statements::run(self.transaction, (verb, schema), &[statement]).await? {
            Ran::Refused(_, refusal) => Err(failure::of_statement(&refusal, schema, None).into()),
            Ran::All(Tally { found, .. }) if verb == Verb::Update && found < self.ids.len() as u64 => {
                Ok((None, Wrote::Nothing))
            }
            Ran::All(Tally { found, modified }) => {
                let changed = if verb == Verb::Delete { found } else { modified };
                Ok((Some(Counts { matched: found, changed }), wrote(changed)))
            }
        }
    }

    /// Works out what becomes of each.
    async fn exactly(mut self) -> Result<Outcome, Failed> {
        let Some(stored) = self.read(self.selection()).await? else { return Ok((None, Wrote::Nothing)) };
        let Some(steps) = self.steps(&stored)? else { return Ok((None, Wrote::Nothing)) };
        let changed = match &self.many.each().plan().change {
            Change::Operate(operators) => self.operate(steps, operators).await?,
            _ => Some(self.replace(&steps).await?),
        };
        let counts = changed.map(|changed| Counts { matched: stored.len() as u64, changed });
        Ok((counts, wrote(changed.unwrap_or(0))))
    }

    /// What becomes of those of the `stored` documents that change; `None` where they are several and too large then.
    fn steps<'d>(&self, stored: &'d [RawDocumentBuf]) -> Result<Option<Vec<Step<'d>>>> {
        let (mut steps, mut bytes) = (Vec::new(), 0);
        for document in stored {
            let step = self.step(document).map_err(|error| at_fault(self.schema(), document, error))?;
            bytes += step.as_ref().and_then(|step| step.next.as_ref()).map_or(0, |next| next.as_bytes().len());
            if bytes > MOST_BYTES && !steps.is_empty() {
                return Ok(None);
            }
            steps.extend(step);
        }
        Ok(Some(steps))
    }

    /// What becomes of a `stored` document; `None` for nothing.
    fn step<'d>(&self, stored: &'d RawDocument) -> Result<Option<Step<'d>>> {
        let each = self.many.each();
        let Some(shape) = each.shape(Some(stored))? else { return Ok(None) };
        let next = match each.next(Some(stored), Some(&shape))? {
            Next::Operate => None,
            Next::Store(next) => Some(next),
            Next::Keep | Next::Insert(_) | Next::Delete => return Ok(None),
        };
        next.as_deref().map_or(Ok(()), check_size)?;
        Ok(Some(Step { stored, by_id: by_id(stored)?, shape, next }))
    }

    /// Puts what is next in the place of what is stored. How many documents that are.
    async fn replace(&mut self, steps: &[Step<'_>]) -> Result<u64, Failed> {
        let replaced: Vec<_> = steps.iter().filter_map(|step| Some((step, step.next.as_ref()?))).collect();
        let statement = |(step, next): &(&Step<'_>, &RawDocumentBuf)| {
            rawdoc! { "q": step.by_id.clone(), "u": (*next).clone() }
        };
        let (schema, statements) = (self.schema(), replaced.iter().map(statement).collect::<Vec<_>>());
        match statements::run(self.transaction, (Verb::Update, schema), &statements).await? {
            Ran::All(_) => Ok(replaced.len() as u64),
            Ran::Refused(at, refusal) => {
                Err(refused(&refusal, schema, replaced.get(at).map(|(step, next)| (*step, Some(*next)))).into())
            }
        }
    }

    /// Lets the server apply the operators, and adds what the service writes. How many documents are not as they were;
    /// `None` where they are too large by now.
    async fn operate(&mut self, mut steps: Vec<Step<'_>>, operators: &Operators) -> Result<Option<u64>, Failed> {
        if steps.is_empty() {
            return Ok(Some(0));
        }
        self.apply(&steps, operators).await?;
        let Some(results) = self.read(doc! { "_id": { "$in": self.ids } }).await? else { return Ok(None) };
        let results = results.into_iter().map(|result| Ok((by_id(&result)?.into_bytes(), result)));
        let mut results = results.collect::<Result<HashMap<_, _>>>()?;
        let (schema, each, mut changed) = (self.schema(), self.many.each(), 0);
        for step in &mut steps {
            let result = results.remove(step.by_id.as_bytes());
            let result = result.ok_or_else(|| Error::Internal("a document has left its snapshot".into()))?;
            let settled = each.settle((step.stored, &result), &step.shape);
            if let Next::Store(next) = settled.map_err(|error| at_fault(schema, step.stored, error))? {
                changed += 1;
                step.next = (next != result).then_some(next);
            }
        }
        self.replace(&steps).await?;
        Ok(Some(changed))
    }

    async fn apply(&mut self, steps: &[Step<'_>], operators: &Operators) -> Result<(), Failed> {
        let schema = self.schema();
        let applied = Applied::of(operators.update(), operators.array_filters())?;
        for steps in steps.chunks((MOST_BYTES / applied.size()).max(1)) {
            let statements = steps.iter().map(|step| applied.to(step.by_id.clone())).collect::<Vec<_>>();
            let ran = statements::run(self.transaction, (Verb::Update, schema), &statements).await?;
            if let Ran::Refused(at, refusal) = ran {
                return Err(refused(&refusal, schema, steps.get(at).map(|step| (step, None))).into());
            }
        }
        Ok(())
    }

    /// The documents that fulfill the condition; `None` where they are several and too large.
    async fn read(&mut self, selection: Document) -> Result<Option<Vec<RawDocumentBuf>>, Failed> {
        let collection = self.transaction.store.collection(self.schema());
        // With one more than there can be, the server need not be asked whether there are more.
        let find = collection.find(selection).batch_size(PORTION + 1).max_time(left(self.transaction.deadline));
        let mut found = find.session(&mut self.transaction.session).await?;
        let mut found = found.stream(&mut self.transaction.session);
        let (mut documents, mut bytes) = (Vec::with_capacity(self.ids.len()), 0);
        while let Some(document) = found.try_next().await? {
            bytes += document.as_bytes().len();
            if bytes > MOST_BYTES && !documents.is_empty() {
                return Ok(None);
            }
            documents.push(document);
        }
        Ok(Some(documents))
    }

    /// What is still selected of the documents with the `_id`s.
    fn selection(&self) -> Document {
        let (by_ids, filter) = (doc! { "_id": { "$in": self.ids } }, &self.many.selection().filter);
        let conditions = [by_ids, filter.clone()].into_iter().filter(|condition| !condition.is_empty());
        query::all(conditions.collect()).unwrap_or_default()
    }

    fn schema(&self) -> &'w Schema {
        &self.many.each().plan().schema
    }
}

fn wrote(changed: u64) -> Wrote {
    if changed > 0 { Wrote::Something } else { Wrote::Nothing }
}

/// Why a statement was refused that changes a document to this one, if that is known.
fn refused(refusal: &Refusal, schema: &Schema, of: Option<(&Step<'_>, Option<&RawDocumentBuf>)>) -> Error {
    let Some((Step { stored, shape, .. }, next)) = of else { return failure::of_statement(refusal, schema, None) };
    let error = failure::of_statement(refusal, schema, next.map(AsRef::as_ref));
    at_fault(schema, stored, discreet(error, (next.map_or(*stored, AsRef::as_ref), shape.root())))
}

/// The `error` of the `stored` document.
fn at_fault(schema: &Schema, stored: &RawDocument, error: Error) -> Error {
    let id = stored.get("_id").ok().flatten().and_then(|id| {
        let mut json = Vec::new();
        encode::value(&mut json, id, schema.id()).ok()?;
        RawValue::from_string(String::from_utf8(json).ok()?).ok()
    });
    error.partly(Done { id, ..Done::default() })
}

fn raw(document: &Document) -> Result<RawDocumentBuf> {
    RawDocumentBuf::try_from(document).map_err(unreadable)
}
