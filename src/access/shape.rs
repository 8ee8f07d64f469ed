//! Documents as a caller may write them, when another set of its roles lets it read them.

use std::sync::Arc;

use bson::{RawDocument, RawDocumentBuf};

use super::View;
use crate::schema::{Additional, Field, Schema, access::Op};

/// The shape of a document as a caller may write it: what it may not read of it is write-only in it.
#[derive(Debug)]
pub struct Shape {
    schema: Arc<Schema>,
    /// Where other fields are out of sight for reading than for writing.
    root: Option<Box<Field>>,
}

impl Shape {
    /// The shape of the whole document.
    pub fn root(&self) -> &Field {
        self.root.as_deref().unwrap_or(&self.schema.root)
    }
}

impl View {
    /// Whether the caller may read the `document`, or some of it.
    pub fn reads(&self, document: &RawDocument) -> bool {
        self.schema_on(Op::Read, document).is_some()
    }

    /// Any document as the caller may use `op` on it; `None` where that depends on the document, or the caller may not.
    pub fn shape_of_all(&self, op: Op) -> Option<Shape> {
        if self.depends_on_row() { None } else { self.shape_on(op, &RawDocumentBuf::new()) }
    }

    /// The `document` as the caller may use `op` on it; `None` where it may not.
    pub fn shape_on(&self, op: Op, document: &RawDocument) -> Option<Shape> {
        let schema = self.schema_on(op, document)?;
        let root = match self.schema_on(Op::Read, document) {
            Some(reads) if Arc::ptr_eq(&schema, &reads) || !reads.root.conceals => None,
            Some(reads) => Some(darkened(&schema.root, |root| darken(root, &reads.root))),
            None => Some(darkened(&schema.root, cover)),
        };
        Some(Shape { schema, root })
    }
}

fn darkened(root: &Field, darken: impl FnOnce(&mut Field)) -> Box<Field> {
    let mut root = Box::new(root.clone());
    darken(&mut root);
    root
}

/// Makes write-only what is out of sight in `reads`.
fn darken(field: &mut Field, reads: &Field) {
    if !reads.conceals {
        return;
    }
    field.conceals = true;
    field.write_only |= reads.is_out_of_sight();
    for (name, reads) in &reads.properties {
        if let Some(field) = field.properties.get_mut(name) {
            darken(field, reads);
        }
    }
    if let (Additional::Shape(field), Additional::Shape(reads)) = (&mut field.additional, &reads.additional) {
        darken(field, reads);
    }
    if let (Some(field), Some(reads)) = (&mut field.items, &reads.items) {
        darken(field, reads);
    }
}

/// Makes everything write-only but `_id`, which whoever writes to a document knows.
fn cover(root: &mut Field) {
    root.conceals = true;
    let cover = |field: &mut Field| (field.write_only, field.conceals) = (true, true);
    root.properties.iter_mut().filter(|(name, _)| *name != "_id").for_each(|(_, field)| cover(field));
    match &mut root.additional {
        Additional::Any => {
            root.additional = Additional::Shape(Field { write_only: true, conceals: true, ..Field::any() }.into());
        }
        Additional::Shape(field) => cover(field),
        Additional::Forbidden => {}
    }
}
