//! `fields=a,b` or `fields=-a,-b`: what is read of each document.

use bson::Document;

use super::path;
use crate::{
    error::{Place, Result, invalid_query},
    schema::Field,
};

/// The fields that a query wants, or wants left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// Dotted names.
    pub names: Vec<String>,
    /// They are the ones left out.
    pub without: bool,
}

impl Fields {
    /// Reads `a,b` or `-a,-b`.
    pub fn parse(text: &str) -> Result<Self> {
        let without = text.starts_with('-');
        let mut names: Vec<String> = Vec::new();
        let mut offset = 0;
        for part in text.split(',') {
            let name = part.strip_prefix('-').unwrap_or(part);
            if part.starts_with('-') != without {
                return Err(invalid_query(
                    "fields",
                    Some(offset),
                    "either name the fields you want or, with `-`, those you do not want",
                ));
            }
            if name.is_empty() {
                return Err(invalid_query("fields", Some(offset), "expected a field, as in `fields=title,year`"));
            }
            if let Some(other) = names.iter().find(|other| collide(other, name)) {
                return Err(invalid_query("fields", Some(offset), format!("`{name}` and `{other}` overlap")));
            }
            names.push(name.to_owned());
            offset += part.len() + 1;
        }
        Ok(Self { names, without })
    }
}

/// Whether one name is the other or reaches into it, which MongoDB refuses to project.
fn collide(a: &str, b: &str) -> bool {
    let inside = |outer: &str, inner: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'));
    a == b || inside(a, b) || inside(b, a)
}

/// The projection; `None` reads whole documents.
pub fn plan(root: &Field, fields: Option<&Fields>) -> Result<Option<Document>> {
    let Some(fields) = fields else { return Ok(None) };
    let mut projection = Document::new();
    for name in &fields.names {
        path::lookup(root, name, &Place::new("fields", None))?;
        projection.insert(name.clone(), i32::from(!fields.without));
    }
    Ok(Some(projection))
}
