//! How each BSON type looks in JSON, both ways. The table of faces is in the crate's `docs/collections.md`.
//!
//! [`decode`] and [`encode`] walk the values, guided by the schema; `text`, `number` and `ejson` know how one
//! value is written as a string, a number and an Extended JSON wrapper; `elements` takes BSON bytes apart, and `raw`
//! puts them together; [`visible`] leaves out of them what is out of sight.

pub mod decode;
pub mod ejson;
pub(crate) mod elements;
pub mod encode;
mod members;
mod number;
mod plain;
mod raw;
mod text;
pub(crate) mod top;
pub mod visible;

#[cfg(test)]
mod tests;
