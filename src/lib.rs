//! JSON Schema files in, a safe JSON API over MongoDB out.
//!
//! One file describes one collection. From it come MongoDB's validator and indexes, and the HTTP API.
//! MongoDB judges every write; the API explains the verdict in the words of the file.
//!
//! As a service, `folio serve` is all there is to it. As a library:
//!
//! ```no_run
//! # async fn run() -> folio::Result<()> {
//! use folio::{App, Settings, config::{Database, Schemas}, sample::Book};
//!
//! let database = Database { mongodb: "mongodb://localhost/?replicaSet=rs0".into(), ..Database::default() };
//! let settings = Settings { database, ..Settings::default() };
//! let app = App::start(&Schemas { schemas: "schemas".into() }, &settings).await?;
//!
//! let books = app.collection::<Book>()?.find(folio::document::Find::default()).await?;
//! let router: axum::Router = folio::router(app);
//! # Ok(())
//! # }
//! ```
//!
//! # Map
//!
//! A pure core: [`schema`] (files to validators, and verdicts back to files), [`codec`] (BSON as JSON),
//! [`query`] and [`update`] (what is asked for, and what it comes to), [`access`] (who may), [`infer`] (documents to a
//! first file), [`docs`] (files in words).
//! A thin shell: [`store`] (the database), [`sync`] (files and database in step), [`auth`] (who asks), [`http`] (the
//! API), [`cli`].
//! [`app`] holds them together; [`document`] is the typed way in.

pub mod access;
pub mod app;
mod audit;
pub mod auth;
pub mod cli;
pub mod codec;
pub mod config;
pub mod docs;
pub mod document;
pub mod error;
pub mod etag;
pub mod http;
pub mod infer;
pub mod json;
pub mod metrics;
pub mod mongod;
pub mod problem;
pub mod query;
pub mod sample;
pub mod schema;
pub mod store;
pub mod sync;
pub mod update;

pub use app::App;
pub use config::Settings;
pub use document::{Collection, Document};
pub use error::{Error, Result};
pub use http::router;
