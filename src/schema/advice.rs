//! What a file may say, works, and is hardly meant: indexes that nothing needs, indexes that something lacks, and
//! keywords that say nothing.
//!
//! A piece of advice is wrong if an author who knows better cannot make it go away by saying so in the file. What is wrong
//! with a file is not here but in [`load`](super::load).

use std::fmt;

use super::Schema;

mod imports;
mod indexes;
mod partners;
mod references;

/// A piece of advice on a collection file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// The file, as it is shown: `schemas/books.json`.
    pub path: String,
    /// The RFC 6901 pointer of what it is about.
    pub pointer: String,
    /// What to think of, and what to do.
    pub detail: String,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}: {}", self.path, self.pointer, self.detail)
    }
}

/// A pointer into the file, and what is to be said of what stands there.
type Remark = (String, String);

/// All advice on the file of `schema`.
pub fn advise(schema: &Schema) -> Vec<Advice> {
    let remarks = indexes::remarks(schema).into_iter();
    let remarks = remarks.chain(references::remarks(schema)).chain(imports::remarks(schema));
    let remarks = remarks.chain(partners::remarks(schema));
    let path = &schema.source.path;
    remarks.map(|(pointer, detail)| Advice { path: path.clone(), pointer, detail }).collect()
}

#[cfg(test)]
mod tests;
