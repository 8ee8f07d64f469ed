//! What of documents a caller may read.

use std::{borrow::Cow, sync::Arc};

use bson::{RawDocument, RawDocumentBuf};

use super::{Permitted, View, view::Roles};
use crate::{
    codec::visible,
    error::Result,
    query::FindPlan,
    schema::{Field, Schema, access::Op},
};

/// Shows a caller one document after the other, of those that its rows leave.
#[derive(Debug)]
pub struct Reader<'v> {
    view: &'v View,
    /// The collection as all documents are shown; `None` where that depends on the document.
    schema: Option<Arc<Schema>>,
    /// The collection as documents have been shown, by the roles that show them.
    by_roles: Vec<(Roles, Arc<Schema>)>,
    /// What is hidden here is left out too.
    cut: Option<&'v Field>,
}

impl View {
    /// What shows the caller the documents that it may read; an error where it may read none.
    pub fn reader(&self) -> Result<Reader<'_>> {
        let schema = if self.is_read_by_row() { None } else { Some(self.schema(Op::Read)?) };
        Ok(Reader { view: self, schema, by_roles: Vec::new(), cut: None })
    }

    /// What of a `document` the caller may read; an empty document where that is nothing.
    pub fn show<'d>(&self, document: &'d RawDocument) -> Result<Cow<'d, RawDocument>> {
        match self.schema_on(Op::Read, document) {
            Some(schema) => visible::document(document, &schema.root),
            None => Ok(Cow::Owned(RawDocumentBuf::new())),
        }
    }
}

impl Permitted<FindPlan> {
    /// What shows the caller the documents of the list.
    pub fn reader(&self) -> Result<Reader<'_>> {
        Ok(Reader { cut: self.plan().cut.as_ref(), ..self.view().reader()? })
    }
}

impl Reader<'_> {
    /// What of the `document` the caller may read, and has asked for.
    pub fn show<'d>(&mut self, document: &'d RawDocument) -> Result<Cow<'d, RawDocument>> {
        let shown = match self.schema_on(document) {
            Some(schema) => visible::document(document, &schema.root)?,
            None => Cow::Owned(RawDocumentBuf::new()),
        };
        match self.cut {
            None => Ok(shown),
            Some(cut) => Ok(Cow::Owned(visible::document(&shown, cut)?.into_owned())),
        }
    }

    fn schema_on(&mut self, document: &RawDocument) -> Option<&Schema> {
        if self.schema.is_some() {
            return self.schema.as_deref();
        }
        let roles = self.view.roles_on(Op::Read, document)?;
        let at = self.by_roles.iter().position(|(known, _)| *known == roles).unwrap_or_else(|| {
            self.by_roles.push((roles, self.view.narrowed(roles)));
            self.by_roles.len() - 1
        });
        self.by_roles.get(at).map(|(_, schema)| schema.as_ref())
    }
}
