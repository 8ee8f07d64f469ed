//! `schemas/*.json` to a [`Catalog`], every mistake reported at once.
//!
//! Files are found in `folder`; what each says is looked at keyword by keyword in `check`, through its `$ref`s in
//! `refs`, as the fields it declares in `places`, and beside the other files in `across`.

use std::path::Path;

use bson::doc;

use super::{Access, Catalog, Schema, Source, field, index, validator};
use crate::{
    error::{Error, Mistake, Result},
    json::Tree,
};

mod across;
mod check;
mod folder;
mod places;
mod refs;
mod report;
mod rules;

pub(super) use report::{Report, did_you_mean};

/// How deep the JSON of a collection file may be nested.
const MAX_DEPTH: usize = 64;

impl Catalog {
    /// Reads every collection file (`*.json`) that stands directly in the folder.
    ///
    /// Fails with [`Error::Startup`] if there is no such folder or no file in it, and with [`Error::Schemas`], which
    /// has all mistakes of all files in order, if anything is wrong with what the files say.
    pub fn load(folder: &Path) -> Result<Self> {
        let (files, mut mistakes) = folder::read(folder)?;
        let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
        let mut schemas = Vec::new();
        for file in &files {
            let source = match &file.text {
                Ok(text) => source(&file.path, text.clone()),
                Err(mistake) => Err(mistake.clone()),
            };
            match source.map_err(|mistake| vec![mistake]).and_then(|source| build(&file.name, source, &names)) {
                Ok(schema) => schemas.push(schema),
                Err(more) => mistakes.extend(more),
            }
        }
        if mistakes.is_empty() {
            return Ok(schemas.into_iter().collect());
        }
        mistakes.sort();
        Err(Error::Schemas(mistakes))
    }
}

/// Reads one collection file; `path` is how messages call it, `name` the collection's name.
///
/// Whether the collections that the file refers to are declared is not looked at. Fails with every mistake, in order.
pub fn parse(path: &str, name: &str, text: String) -> Result<Schema, Vec<Mistake>> {
    let source = source(path, text).map_err(|mistake| vec![mistake])?;
    let (schema, report) = judge(name, source);
    finish(schema, report)
}

fn build(name: &str, source: Source, names: &[&str]) -> Result<Schema, Vec<Mistake>> {
    let mut report = Report::new(&source.path);
    across::check(&source, names, &mut report);
    let (schema, more) = judge(name, source);
    report.extend(more.finish());
    finish(schema, report)
}

fn finish(schema: Schema, report: Report) -> Result<Schema, Vec<Mistake>> {
    let mistakes = report.finish();
    if mistakes.is_empty() { Ok(schema) } else { Err(mistakes) }
}

fn source(path: &str, text: String) -> Result<Source, Mistake> {
    let tree = Tree::parse(text.as_bytes(), MAX_DEPTH).map_err(|error| Mistake {
        path: path.to_owned(),
        pointer: String::new(),
        detail: error.to_string(),
    })?;
    Ok(Source { path: path.to_owned(), text, tree })
}

/// What the file says, as far as it can be understood, and what is wrong with it.
fn judge(name: &str, source: Source) -> (Schema, Report) {
    let mut report = Report::new(&source.path);
    check::check(&source, &mut report);
    let bounded = refs::check(&source, &mut report);
    let root = if bounded { field::derive_root(&source).prepared() } else { super::Field::any() };
    if bounded {
        places::check(&source, &mut report);
    }
    let indexes = index::parse(&source, &root, &mut report);
    // Where the `$ref`s do not end, it is not known which fields there are.
    let access = if bounded { Access::parse(&source, &root, &mut report) } else { Access::admin_only() };
    let mut validator = bson::Document::new();
    if bounded {
        match validator::compile(&source) {
            Ok(schema) => validator = doc! { "$jsonSchema": schema },
            Err(mistakes) => report.add_new(mistakes),
        }
    }
    (Schema { name: name.to_owned(), source, root, validator, indexes, access }, report)
}

#[cfg(test)]
mod tests;
