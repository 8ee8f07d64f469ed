//! Writing documents of a type.

use bson::{Bson, Document as Filter, RawBson, RawDocument, RawDocumentBuf};

use super::{Collection, Document, Find, Patch, typed};
use crate::{
    audit::Attempt,
    error::{Error, Result},
    schema::access::Op,
    store::{self, Counts, Shown},
    update::{
        Change, ChangePlan, Insert, Precondition,
        many::{InsertAll, ManyPlan},
    },
};

impl<T: Document> Collection<T> {
    /// Stores a new document and gives it back as stored, with what the service wrote.
    pub async fn insert(&self, document: &T) -> Result<T> {
        let plan = match self.permit(Insert { body: raw(document)? }) {
            Ok(plan) => plan,
            Err(error) => return self.audited("insert", (None, None), Err(error)),
        };
        let id = plan.plan().document.get("_id").ok().flatten().map(RawBson::from);
        let stored = self.audited("insert", (id, None), store::insert(self.app.store(), &plan).await)?;
        typed(&plan.view().show(&stored)?)
    }

    /// Stores new documents, all or none of them, and gives them back as stored, in order.
    ///
    /// # Errors
    /// [`Error::Partly`] says which document is refused.
    pub async fn insert_many(&self, documents: &[T]) -> Result<Vec<T>> {
        let bodies = documents.iter().map(raw).collect::<Result<Vec<_>>>();
        let stored = match bodies.and_then(|bodies| self.permit(InsertAll { bodies: bodies.iter() })) {
            Ok(plan) => store::insert_all(self.app.store(), plan, Shown::ALL).await,
            Err(error) => Err(error),
        };
        let count = stored.as_ref().map_or(0, Vec::len) as u64;
        let (stored, view) = (self.audited("insert", (None, Some(count)), stored)?, self.view()?);
        stored.iter().flat_map(|stored| &stored.document).map(|document| typed(&view.show(document)?)).collect()
    }

    /// Replaces the document with this `_id` and gives it back as stored.
    pub async fn replace(&self, id: impl Into<Bson>, document: &T) -> Result<T> {
        self.changed("replace", id, Change::Replace(raw(document)?)).await
    }

    /// Replaces the document with this `_id`, or stores it where there is none, and gives it back as stored.
    pub async fn upsert(&self, id: impl Into<Bson>, document: &T) -> Result<T> {
        self.changed("replace", id, Change::Upsert(raw(document)?)).await
    }

    /// Changes the document with this `_id` and gives it back as stored. A patch that changes nothing writes nothing.
    ///
    /// ```no_run
    /// # async fn run(app: folio::App, id: bson::oid::ObjectId) -> folio::Result<()> {
    /// use bson::doc;
    /// use folio::{document::Patch, sample::Book};
    ///
    /// let books = app.collection::<Book>()?;
    /// books.update(id, doc! { "$inc": { "stock": 1 } }).await?;
    /// books.update(id, Patch::merge(&doc! { "subtitle": null, "title": "Ulysses" })?).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update(&self, id: impl Into<Bson>, patch: impl Into<Patch>) -> Result<T> {
        let change = patch.into().change(&self.view()?.schema(Op::Update)?.root, self.app.limits())?;
        self.changed("update", id, change).await
    }

    /// Changes every document that `filter` selects; all of them, where it is empty.
    ///
    /// Up to 1,000 documents are changed together. Of more, each thousand is changed by itself.
    ///
    /// # Errors
    /// [`Error::Partly`] where a document is refused, with what had been changed before.
    pub async fn update_many(&self, filter: Filter, patch: impl Into<Patch>) -> Result<Counts> {
        let change = patch.into().change(&self.view()?.schema(Op::Update)?.root, self.app.limits())?;
        self.change_many("update", filter, change).await
    }

    /// Deletes the document with this `_id`.
    pub async fn delete(&self, id: impl Into<Bson>) -> Result<()> {
        self.change("delete", id.into(), Change::Delete).await.map(drop)
    }

    /// Deletes every document that `filter` selects, all of them where it is empty, and says how many there were. It
    /// goes as [`update_many`](Self::update_many) does.
    pub async fn delete_many(&self, filter: Filter) -> Result<u64> {
        self.change_many("delete", filter, Change::Delete).await.map(|counts| counts.changed)
    }

    /// The document after a change that leaves one.
    async fn changed(&self, operation: &'static str, id: impl Into<Bson>, change: Change) -> Result<T> {
        let stored = self.change(operation, id.into(), change).await?;
        self.shown(&stored.ok_or_else(|| self.missing())?)
    }

    fn shown(&self, document: &RawDocument) -> Result<T> {
        typed(&self.view()?.show(document)?)
    }

    async fn change(&self, operation: &'static str, id: Bson, change: Change) -> Result<Option<RawDocumentBuf>> {
        let key = RawBson::try_from(id.clone()).ok();
        let schema = self.schema.clone();
        let plan = ChangePlan { schema, id, change, precondition: Precondition::default() };
        let changed = match self.permit(plan) {
            Ok(plan) => store::change(self.app.store(), &plan).await,
            Err(error) => Err(error),
        };
        self.audited(operation, (key, None), changed).map(|changed| changed.document)
    }

    async fn change_many(&self, operation: &'static str, filter: Filter, change: Change) -> Result<Counts> {
        let selection = self.plan(Find { filter, limit: 0, ..Find::default() });
        let counts = match self.permit(ManyPlan { selection, change }) {
            Ok(plan) => store::change_many(self.app.store(), &plan).await,
            Err(error) => Err(error),
        };
        let changed = counts.as_ref().map_or(0, |counts| counts.changed);
        self.audited(operation, (None, Some(changed)), counts)
    }

    /// Leaves a line in the audit log of a write for a caller: of one document, or of so many.
    fn audited<R>(
        &self,
        operation: &'static str,
        (id, count): (Option<RawBson>, Option<u64>),
        outcome: Result<R>,
    ) -> Result<R> {
        if let Some(caller) = &self.caller {
            let attempt = Attempt::at((caller, &self.schema), operation, id);
            let attempt = if let Some(count) = count { attempt.of(count) } else { attempt };
            attempt.ended(&outcome, |_| None);
        }
        outcome
    }
}

fn raw<T: Document>(document: &T) -> Result<RawDocumentBuf> {
    bson::serialize_to_raw_document_buf(document)
        .map_err(|e| Error::Internal(format!("a document of `{}` cannot be serialized: {e}", T::COLLECTION)))
}
