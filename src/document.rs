//! Typed access: serde types bound to collections, over the same store functions as the HTTP API.

use std::{marker::PhantomData, sync::Arc};

use bson::{Bson, Document as Filter, RawDocumentBuf, doc};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    access::{self, Caller, Permitted, Plan},
    app::App,
    error::{Error, Result},
    query::{Bounds, FindPlan, GetPlan},
    schema::Schema,
    store,
    update::{Change, ChangePlan, InsertPlan, Precondition},
};

/// A serde type whose values are the documents of a collection.
///
/// ```
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Shelf {
///     #[serde(rename = "_id")]
///     id: bson::oid::ObjectId,
///     label: String,
/// }
///
/// impl folio::Document for Shelf {
///     const COLLECTION: &'static str = "shelves";
/// }
/// ```
pub trait Document: Serialize + DeserializeOwned + Send + Sync {
    /// The collection's name.
    const COLLECTION: &'static str;
}

/// The documents of a collection as values of `T`.
#[derive(Debug, Clone)]
pub struct Collection<T> {
    app: App,
    schema: Arc<Schema>,
    documents: PhantomData<fn() -> T>,
}

impl App {
    /// The documents of `T`'s collection, which must be declared, as values of `T`.
    pub fn collection<T: Document>(&self) -> Result<Collection<T>> {
        let schema = Arc::clone(self.schema(T::COLLECTION)?);
        Ok(Collection { app: self.clone(), schema, documents: PhantomData })
    }
}

/// Which documents [`Collection::find`] gives, and in which order.
#[derive(Debug, Clone)]
pub struct Find {
    /// A [query predicate](https://www.mongodb.com/docs/manual/reference/mql/query-predicates/); all documents without.
    pub filter: Filter,
    /// The order: field names with `1` or `-1`.
    pub sort: Filter,
    /// How many at most; 0 sets no bound.
    pub limit: u32,
    /// How many are passed over first.
    pub skip: u32,
}

impl Default for Find {
    /// The first 20 documents in the order of `_id`.
    fn default() -> Self {
        Self { filter: Filter::new(), sort: doc! { "_id": 1 }, limit: 20, skip: 0 }
    }
}

impl<T: Document> Collection<T> {
    /// The documents that `find` selects.
    pub async fn find(&self, find: Find) -> Result<Vec<T>> {
        let Find { filter, sort, limit, skip } = find;
        let plan = FindPlan {
            schema: Arc::clone(&self.schema),
            filter,
            after: None,
            sort,
            projection: None,
            cut: None,
            limit,
            page: None,
            skip,
            bounds: Bounds::NONE,
        };
        let page = store::find(self.app.store(), &self.permit(plan)?).await?;
        page.documents().map(|document| typed(document?)).collect()
    }

    /// The document with this `_id`.
    pub async fn get(&self, id: impl Into<Bson>) -> Result<Option<T>> {
        let plan = GetPlan { schema: Arc::clone(&self.schema), id: id.into(), rows: None };
        let found = store::get(self.app.store(), &self.permit(plan)?).await?;
        found.map(|document| typed(&document)).transpose()
    }

    /// Stores a new document and gives it back as stored, with what the service wrote.
    pub async fn insert(&self, document: &T) -> Result<T> {
        let plan = InsertPlan::new(&self.schema, None, &raw(document)?)?;
        typed(&store::insert(self.app.store(), &self.permit(plan)?).await?)
    }

    /// Replaces the document with this `_id` and gives it back as stored.
    pub async fn replace(&self, id: impl Into<Bson>, document: &T) -> Result<T> {
        let stored = self.change(id.into(), Change::Replace(raw(document)?)).await?;
        stored.as_deref().map_or_else(|| Err(self.missing()), typed)
    }

    /// Deletes the document with this `_id`.
    pub async fn delete(&self, id: impl Into<Bson>) -> Result<()> {
        self.change(id.into(), Change::Delete).await.map(drop)
    }

    async fn change(&self, id: Bson, change: Change) -> Result<Option<RawDocumentBuf>> {
        let plan = ChangePlan { schema: Arc::clone(&self.schema), id, change, precondition: Precondition::default() };
        store::change(self.app.store(), &self.permit(plan)?).await.map(|changed| changed.document)
    }

    fn permit<P: Plan>(&self, plan: P) -> Result<Permitted<P::Ready>> {
        let application = Arc::new(Caller::application());
        access::permit(&self.app.policy().view(self.app.catalog(), &application, &self.schema.name)?, plan)
    }

    fn missing(&self) -> Error {
        Error::UnknownDocument { collection: self.schema.name.clone() }
    }
}

fn raw<T: Document>(document: &T) -> Result<RawDocumentBuf> {
    bson::serialize_to_raw_document_buf(document)
        .map_err(|e| Error::Internal(format!("a document of `{}` cannot be serialized: {e}", T::COLLECTION)))
}

fn typed<T: Document>(document: &bson::RawDocument) -> Result<T> {
    bson::deserialize_from_slice(document.as_bytes())
        .map_err(|e| Error::Internal(format!("a stored document of `{}` is not as its type says: {e}", T::COLLECTION)))
}
