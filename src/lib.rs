//! JSON Schema files in, a safe JSON API over MongoDB out.

pub mod access;
pub mod app;
pub mod codec;
pub mod config;
pub mod error;
pub mod etag;
pub mod http;
pub mod json;
pub mod metrics;
pub mod mongod;
pub mod query;
pub mod schema;
pub mod store;
pub mod sync;
pub mod update;

pub use error::{Error, Result};
