//! JSON Schema files in, a safe JSON API over MongoDB out.

pub mod error;
pub mod json;

pub use error::{Error, Result};
