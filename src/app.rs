//! The service as a value: the database, the catalog and the limits, started in one place.

use std::sync::Arc;

use mongodb::Database;

use crate::{
    access::Policy,
    auth::{Authenticator, Tokens},
    config::{Limits, Origin, Schemas, Settings},
    error::{Error, Result, nearest},
    etag::EtagKey,
    metrics::Metrics,
    query::CursorKey,
    schema::{Catalog, Schema},
    store::{self, Guard, Idle, Store, client::Connection},
    sync::{self, Standing, Watch},
};

/// A started service. Cloning it is cheap, and all clones share one client of the database.
#[derive(Debug, Clone)]
pub struct App(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    catalog: Catalog,
    store: Store,
    cursors: CursorKey,
    policy: Arc<Policy>,
    authenticator: Arc<Authenticator>,
    limits: Limits,
    origins: Vec<Origin>,
    metrics: Metrics,
    watch: Watch,
}

impl App {
    /// Starts on the collection files in `schemas`: see [`App::start_with`].
    pub async fn start(schemas: &Schemas, settings: &Settings) -> Result<Self> {
        Self::start_with(Catalog::load(&schemas.schemas)?, settings).await
    }

    /// Connects, brings the database in step with `catalog` and gives the service, ready to serve.
    pub async fn start_with(catalog: Catalog, settings: &Settings) -> Result<Self> {
        let policy = Policy::new(settings.serving.is_open()?);
        let (secret, tokens) = (settings.serving.secret()?, Tokens::configure(&settings.serving.tokens)?);
        let Connection { database, pool, server } = store::client::connect(&settings.database).await?;
        tracing::info!("connected to {} {}, database `{}`", server.engine, server.version, database.name());
        let (catalog, watch) = synchronize(&database, catalog, settings).await?;
        let secret = match secret {
            Some(secret) => secret.expose().as_bytes().to_vec(),
            None => sync::secret(&database).await?.to_vec(),
        };
        let authenticator = Authenticator::start(store::Keys::new(&database), tokens).await?;
        let (limits, origins) = (settings.serving.limits.clone(), settings.serving.cors_origin.clone());
        let (etag, guard) = (EtagKey::derive(&secret), Guard::of(&catalog));
        let (deadline, sessions) = (store::whole_millis(limits.deadline), Idle::default());
        let store = Store { database, etag, deadline, guard, sessions };
        let (cursors, metrics) = (CursorKey::derive(&secret), Metrics::new(pool, watch.seen()));
        Ok(Self(Arc::new(Inner { catalog, store, cursors, policy, authenticator, limits, origins, metrics, watch })))
    }

    /// Every declared collection.
    pub fn catalog(&self) -> &Catalog {
        &self.0.catalog
    }

    /// The schema of the collection `name`.
    pub fn schema(&self, name: &str) -> Result<&Arc<Schema>> {
        self.catalog().get(name).ok_or_else(|| Error::UnknownCollection {
            name: name.to_owned(),
            suggestion: nearest(name, self.catalog().iter().map(|schema| schema.name.as_str())),
        })
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn cursors(&self) -> &CursorKey {
        &self.0.cursors
    }

    /// What callers are held to.
    pub(crate) fn policy(&self) -> &Arc<Policy> {
        &self.0.policy
    }

    pub(crate) fn authenticator(&self) -> &Authenticator {
        &self.0.authenticator
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The web origins whose pages may read answers.
    pub(crate) fn origins(&self) -> &[Origin] {
        &self.0.origins
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// How the database stands to the files, as it was last seen.
    pub fn standing(&self) -> Standing {
        self.0.watch.seen().borrow().clone()
    }

    /// Writes down what is still to be kept, and closes the connections to the database.
    pub async fn close(&self) {
        self.0.watch.stop();
        self.0.authenticator.close().await;
        self.0.store.sessions.end();
        self.0.store.database.client().clone().shutdown().await;
    }
}

/// Brings the database in step with the files. Gives them with what is known of the documents, and goes on looking how
/// the database stands to them.
async fn synchronize(database: &Database, catalog: Catalog, settings: &Settings) -> Result<(Catalog, Watch)> {
    let report = sync::run(database, &catalog, &settings.changes.into()).await?;
    for change in &report.reported {
        tracing::warn!("{change}");
    }
    let watch = Watch::start(database, &catalog, report.superseded, settings.serving.recount);
    Ok((catalog.not_enforcing(&report.open), watch))
}
