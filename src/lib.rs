//! JSON Schema files in, a safe JSON API over MongoDB out.

pub mod codec;
pub mod error;
pub mod json;
pub mod schema;

pub use error::{Error, Result};
