//! One round of many writes in a transaction: reading the documents that they are about, deciding what becomes of each,
//! and changing and deleting them. New documents are left to those who made the round.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    mem,
};

use bson::{Bson, RawBson, RawDocument, RawDocumentBuf, doc};

use super::{
    Job,
    lookup::{Lookup, WHOLE, find},
    statement::{self, Statement, What},
};
use crate::{
    access::{Permitted, Write},
    codec::decode::MAX_DOCUMENT,
    error::{Error, Result},
    store::{
        left,
        write::{
            array::reread,
            change::check_precondition,
            check_size, id_of,
            outcome::{Effect, Outcome, Shown},
            transaction::{Failed, Transaction},
        },
    },
    update::{ChangePlan, Next, bulk::Token, unreadable},
};

/// How many bytes of documents wait in memory to be changed before they are. The server rolls a transaction back whose
/// updates fill a tenth of its cache, so it is as much as one should have.
const MOST_BYTES: usize = MAX_DOCUMENT;

/// What a round has made of a write.
pub(super) enum Step {
    Done(Outcome),
    /// A document is to be inserted.
    Insert(RawDocumentBuf),
}

/// What has become of writes, by their places.
pub(super) type Steps = Vec<(usize, Result<Step>)>;

/// A round that is being made.
pub(super) struct Round<'r, 's, 'j> {
    transaction: &'r mut Transaction<'s>,
    job: &'r Job<'j>,
    items: &'r [usize],
    shown: &'r mut Shown,
    steps: Steps,
    deletes: Vec<(usize, RawBson)>,
    statements: Vec<Statement<'j>>,
    /// The bytes of documents that are in memory for statements.
    size: usize,
}

impl<'r, 's, 'j> Round<'r, 's, 'j> {
    pub(super) fn of(
        transaction: &'r mut Transaction<'s>,
        (job, items): (&'r Job<'j>, &'r [usize]),
        shown: &'r mut Shown,
    ) -> Self {
        let (steps, deletes, statements) = (Vec::with_capacity(items.len()), Vec::new(), Vec::new());
        Self { transaction, job, items, shown, steps, deletes, statements, size: 0 }
    }

    /// What becomes of each of the writes. What is refused before the database is asked stands among them; what the
    /// database refuses is the end of the transaction. Where each write is by itself, those that are too much for one
    /// transaction are left, and given beside.
    pub(super) async fn run(mut self) -> Result<(Steps, Vec<usize>), Failed> {
        let lookup = Lookup::of(self.job, self.items)?;
        let mut open: HashSet<_> = self.items.iter().copied().collect();
        for search in lookup.searches() {
            let mut cursor = find(self.transaction, self.job.schema(), search).await?;
            while cursor.advance(&mut self.transaction.session).await? {
                let stored = cursor.current();
                for item in lookup.wanted_by(search, stored)?.into_iter().filter(|item| open.remove(item)) {
                    self.decide(item, Some(stored));
                }
                if self.size > MOST_BYTES {
                    self.write().await?;
                    if !self.job.is_strict {
                        let left = self.items.iter().copied().filter(|item| open.contains(item)).collect();
                        return Ok((self.steps, left));
                    }
                }
            }
        }
        self.items.iter().filter(|item| open.contains(item)).for_each(|item| self.decide(*item, None));
        self.refuse()?;
        self.write().await?;
        Ok((self.steps, Vec::new()))
    }

    /// Where all depends on each, ends the round with the first write that is refused.
    fn refuse(&mut self) -> Result<()> {
        let refused = self.steps.iter().filter(|(_, step)| self.job.is_strict && step.is_err());
        let Some(first) = refused.map(|(item, _)| *item).min() else { return Ok(()) };
        let refused = self.steps.extract_if(.., |(item, _)| *item == first).find_map(|(_, step)| step.err());
        refused.map_or(Ok(()), |error| Err(error.of_item(first)))
    }

    fn decide(&mut self, item: usize, stored: Option<&RawDocument>) {
        if let Some(step) = self.decided(item, stored).transpose() {
            self.steps.push((item, step));
        }
    }

    /// What becomes of a write to the `stored` document; nothing yet where that is to be written first.
    fn decided(&mut self, item: usize, stored: Option<&RawDocument>) -> Result<Option<Step>> {
        let plan: Cow<'j, Permitted<ChangePlan>> = match (self.job.writes[item], stored) {
            (None, _) => return Ok(None),
            (Some(Write::Insert(insert)), _) => return self.insert(insert.plan().document.clone()),
            (Some(Write::Upsert(upsert)), None) => return self.insert(upsert.create()?.plan().document.clone()),
            (Some(Write::Upsert(upsert)), Some(stored)) => Cow::Owned(upsert.found(id_of(stored)?)?),
            (Some(Write::Change(change)), _) => Cow::Borrowed(change),
        };
        let shape = plan.shape(stored)?;
        check_precondition(self.transaction.store, &plan, stored)?;
        let id = RawBson::try_from(plan.plan().id.clone()).map_err(unreadable)?;
        let what = match (plan.next(stored, shape.as_ref())?, stored) {
            (Next::Insert(next), _) => return self.insert(next),
            (Next::Keep, Some(stored)) => return self.kept(id, stored.to_owned()),
            (Next::Delete, _) => {
                self.deletes.push((item, id));
                return Ok(None);
            }
            (Next::Store(next), _) => {
                check_size(&next)?;
                self.shown.take(&next)?;
                What::Replace(next)
            }
            (Next::Operate, Some(stored)) => What::Operate(stored.to_owned()),
            (Next::Keep | Next::Operate, None) => return Err(Error::Internal("there is nothing to change".into())),
        };
        let shape = shape.ok_or_else(|| Error::Internal("a document is changed that nobody may change".into()))?;
        let statement = Statement { item, id, plan, shape, what };
        self.size += statement.document().as_bytes().len();
        self.statements.push(statement);
        Ok(None)
    }

    fn insert(&mut self, document: RawDocumentBuf) -> Result<Option<Step>> {
        check_size(&document)?;
        self.shown.take(&document)?;
        Ok(Some(Step::Insert(document)))
    }

    fn kept(&mut self, id: RawBson, stored: RawDocumentBuf) -> Result<Option<Step>> {
        self.shown.take(&stored)?;
        Ok(Some(Step::Done(Outcome { id, effect: Effect::Changed, document: self.shown.keep(stored) })))
    }

    /// Sends what is decided: deletes first, that nothing is in the way of what takes the place.
    async fn write(&mut self) -> Result<(), Failed> {
        self.delete().await?;
        let statements = mem::take(&mut self.statements);
        self.size = 0;
        statement::run(self.transaction, self.job.schema(), &statements).await?;
        let (replaced, operated): (Vec<_>, Vec<_>) =
            statements.into_iter().partition(|statement| matches!(statement.what, What::Replace(_)));
        let settled = self.settle(operated).await?;
        statement::run(self.transaction, self.job.schema(), &settled).await?;
        self.replaced(replaced.into_iter().chain(settled).collect()).await
    }

    async fn delete(&mut self) -> Result<(), Failed> {
        if self.deletes.is_empty() {
            return Ok(());
        }
        let deletes = mem::take(&mut self.deletes);
        let ids = listed(deletes.iter().map(|(_, id)| id))?;
        let collection = self.transaction.store.collection(self.job.schema());
        collection.delete_many(doc! { "_id": { "$in": ids } }).session(&mut self.transaction.session).await?;
        let gone = |(item, id)| (item, Ok(Step::Done(Outcome { id, effect: Effect::Deleted, document: None })));
        self.steps.extend(deletes.into_iter().map(gone));
        Ok(())
    }

    /// Reads what the server has made of documents, and adds what the service writes.
    async fn settle(&mut self, operated: Vec<Statement<'j>>) -> Result<Vec<Statement<'j>>, Failed> {
        let mut again = Vec::new();
        if operated.is_empty() {
            return Ok(again);
        }
        let ids = listed(operated.iter().map(|statement| &statement.id))?;
        let of_id = |statement: Statement<'j>| (Token::of(statement.id.as_raw_bson_ref()), statement);
        let mut open: HashMap<_, _> = operated.into_iter().map(of_id).collect();
        let collection = self.transaction.store.collection(self.job.schema());
        let find = collection.find(doc! { "_id": { "$in": ids } }).batch_size(WHOLE);
        let find = find.max_time(left(self.transaction.deadline));
        let mut cursor = find.session(&mut self.transaction.session).await?;
        while cursor.advance(&mut self.transaction.session).await? {
            let result = cursor.current();
            let Some(statement) = open.remove(&Token::of_id(result)?) else { continue };
            let item = statement.item;
            again.extend(self.settled(statement, result.to_owned()).map_err(|error| error.of_item(item))?);
        }
        Ok(again)
    }

    /// What is still to be written, where the server has made `result` of the statement's document.
    fn settled(&mut self, statement: Statement<'j>, result: RawDocumentBuf) -> Result<Option<Statement<'j>>> {
        let stored = statement.document();
        let document = match statement.plan.settle((stored, &result), &statement.shape)? {
            Next::Store(next) if next != result => {
                check_size(&next)?;
                self.shown.take(&next)?;
                return Ok(Some(Statement { what: What::Replace(next), ..statement }));
            }
            Next::Store(_) => result,
            _ => stored.to_owned(),
        };
        let step = self.kept(statement.id, document)?;
        self.steps.extend(step.map(|step| (statement.item, Ok(step))));
        Ok(None)
    }

    /// Notes the documents that have been replaced, as they are stored.
    async fn replaced(&mut self, statements: Vec<Statement<'j>>) -> Result<(), Failed> {
        let outcome = |statement: Statement<'j>| ((statement.item, statement.id), statement.what.into_document());
        let (written, mut documents): (Vec<_>, Vec<_>) = statements.into_iter().map(outcome).unzip();
        let collection = self.transaction.store.collection(self.job.schema());
        let place = (&mut self.transaction.session, self.transaction.deadline);
        for (at, stored) in reread(&collection, (&documents, *self.shown), place).await? {
            documents[at] = stored;
        }
        for ((item, id), document) in written.into_iter().zip(documents) {
            let outcome = Outcome { id, effect: Effect::Changed, document: self.shown.keep(document) };
            self.steps.push((item, Ok(Step::Done(outcome))));
        }
        Ok(())
    }
}

/// These `_id`s as a condition lists them.
fn listed<'i>(ids: impl Iterator<Item = &'i RawBson>) -> Result<Vec<Bson>> {
    ids.map(|id| Bson::try_from(id.clone()).map_err(unreadable)).collect()
}
