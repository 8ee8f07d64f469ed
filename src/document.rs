//! Typed access: serde types bound to collections, over the same store functions as the HTTP API.

use std::{marker::PhantomData, sync::Arc};

use bson::{Bson, Document as Filter, doc};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    access::{self, Caller, Permitted, Plan, View},
    app::App,
    error::{Error, Result},
    query::{Bounds, FindPlan, GetPlan},
    schema::Schema,
    store,
};

mod patch;
mod write;

pub use patch::Patch;

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
    /// For whom; `None` for the application itself.
    caller: Option<Arc<Caller>>,
    documents: PhantomData<fn() -> T>,
}

impl App {
    /// The documents of `T`'s collection, which must be declared, as values of `T`: all of them, for the application
    /// itself. [`Collection::for_caller`] gives what somebody else has of them.
    pub fn collection<T: Document>(&self) -> Result<Collection<T>> {
        let schema = Arc::clone(self.schema(T::COLLECTION)?);
        Ok(Collection { app: self.clone(), schema, caller: None, documents: PhantomData })
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
    /// The collection as `caller` has it, by the `x-access` of its file: the same documents and fields may be read and
    /// written as over HTTP, and writes leave the same lines in the audit log. Where the service is open, that is all.
    ///
    /// What the caller may not read is not in the documents: `T` must do without (`Option`, `#[serde(default)]`), or
    /// reading one fails.
    ///
    /// ```no_run
    /// # async fn run(app: folio::App) -> folio::Result<()> {
    /// use folio::{access::Caller, document::Find, sample::Book, schema::access::User};
    ///
    /// let reader = User { id: "ada".into(), name: "Ada".into(), ..User::default() };
    /// let reader = Caller::known(reader, ["member".to_owned()]);
    /// let books = app.collection::<Book>()?.for_caller(reader).find(Find::default()).await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn for_caller(self, caller: impl Into<Arc<Caller>>) -> Self {
        Self { caller: Some(caller.into()), ..self }
    }

    /// The documents that `find` selects.
    pub async fn find(&self, find: Find) -> Result<Vec<T>> {
        let plan = self.permit(self.plan(find))?;
        let page = store::find(self.app.store(), &plan).await?;
        page.documents().map(|document| typed(&plan.view().show(document?)?)).collect()
    }

    /// The document with this `_id`.
    pub async fn get(&self, id: impl Into<Bson>) -> Result<Option<T>> {
        let plan = self.permit(GetPlan { schema: Arc::clone(&self.schema), id: id.into(), rows: None })?;
        let found = store::get(self.app.store(), &plan).await?;
        found.map(|document| typed(&plan.view().show(&document)?)).transpose()
    }

    fn plan(&self, Find { filter, sort, limit, skip }: Find) -> FindPlan {
        FindPlan {
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
        }
    }

    fn view(&self) -> Result<View> {
        let caller = self.caller.clone().unwrap_or_else(|| Arc::new(Caller::application()));
        self.app.policy().view(self.app.catalog(), &caller, &self.schema.name)
    }

    fn permit<P: Plan>(&self, plan: P) -> Result<Permitted<P::Ready>> {
        access::permit(&self.view()?, plan)
    }

    fn missing(&self) -> Error {
        Error::UnknownDocument { collection: self.schema.name.clone() }
    }
}

fn typed<T: Document>(document: &bson::RawDocument) -> Result<T> {
    bson::deserialize_from_slice(document.as_bytes())
        .map_err(|e| Error::Internal(format!("a stored document of `{}` is not as its type says: {e}", T::COLLECTION)))
}
