//! `schemas/*.json` to a [`Catalog`], every mistake reported at once.
//!
//! Files are found in `folder`, read once in `library`, and put together with those they refer to in `link`; what each
//! says is looked at keyword by keyword in `check`, through its `$ref`s in `refs`, as the fields it declares in
//! `places`, and beside the other files in `across`. `settle` puts the mistakes of all files in order.

use std::{collections::BTreeSet, path::Path};

use bson::{Document, doc};

use super::{Access, Catalog, Field, Schema, field, index, options, validator};
use crate::error::{Error, Mistake, Result};
use check::Role;
use folder::Folder;
use library::Library;
use link::{Linked, link};
use settle::Settlement;

mod across;
mod check;
mod folder;
mod library;
mod link;
mod places;
mod refs;
mod report;
mod rules;
mod settle;

pub(crate) use folder::{MAX_SIZE, check_name};
pub(super) use report::{Report, did_you_mean};
pub(super) use rules::JSON_TYPES;

/// How deep the JSON of a file may be nested.
const MAX_DEPTH: usize = 64;

impl Catalog {
    /// Reads every collection file (`*.json`) that stands directly in the folder, and the files that they refer to; those
    /// in its folder `shared` are looked at even if nothing refers to them.
    ///
    /// Fails with [`Error::Startup`] if there is no such folder or no file in it, and with [`Error::Schemas`], which
    /// has all mistakes of all files in order, if anything is wrong with what the files say.
    pub fn load(folder: &Path) -> Result<Self> {
        let folder = Folder::open(folder)?;
        let ((names, mistakes), fragments) = (folder.collections()?, folder.fragments()?);
        let mut library = Library::of(folder);
        let mut settlement = Settlement::new(mistakes);
        let mut schemas = Vec::new();
        for name in &names {
            let file = format!("{name}.json");
            let linked = link(&file, &library.shown(&file), &mut library);
            let built = linked.map_err(|mistake| vec![mistake]).and_then(|linked| build(name, linked, &names));
            match built {
                Ok(schema) => schemas.push(schema),
                Err(mistakes) => settlement.add(&file, mistakes),
            }
        }
        check_fragments(&fragments, &names, &mut library, &mut settlement);
        let mistakes = settlement.finish(&library);
        if mistakes.is_empty() { Ok(schemas.into_iter().collect()) } else { Err(Error::Schemas(mistakes)) }
    }
}

/// Reads one collection file that stands alone; `path` is how messages call it, `name` the collection's name.
///
/// Whether the collections that the file refers to are declared is not looked at. Fails with every mistake, in order.
pub fn parse(path: &str, name: &str, text: String) -> Result<Schema, Vec<Mistake>> {
    let file = format!("{name}.json");
    let mut library = Library::of_one(&file, path, text);
    let linked = link(&file, path, &mut library).map_err(|mistake| vec![mistake])?;
    let (schema, report) = judge(name, linked);
    finish(schema, report)
}

fn build(name: &str, linked: Linked, names: &[String]) -> Result<Schema, Vec<Mistake>> {
    let mut report = Report::new(&linked.source.path);
    across::check(&linked.source, names, &mut report);
    let (schema, more) = judge(name, linked);
    report.extend(more.finish());
    finish(schema, report)
}

fn finish(schema: Schema, report: Report) -> Result<Schema, Vec<Mistake>> {
    let mistakes = report.finish();
    if mistakes.is_empty() { Ok(schema) } else { Err(mistakes) }
}

/// What the file says, as far as it can be understood, and what is wrong with it.
fn judge(name: &str, linked: Linked) -> (Schema, Report) {
    let Linked { source, lost } = linked;
    let mut report = Report::new(&source.path);
    check::check(&source, Role::Collection, &mut report);
    let bounded = refs::check(&source, &lost, &mut report);
    let root = if bounded { field::derive_root(&source).prepared() } else { Field::any() };
    if bounded {
        places::check(&source, &mut report);
    }
    let indexes = index::parse(&source, &root, &mut report);
    // Where the `$ref`s do not end, it is not known which fields there are.
    let access = if bounded { Access::parse(&source, &root, &mut report) } else { Access::admin_only() };
    let mut validator = Document::new();
    if bounded {
        match validator::compile(&source) {
            Ok(schema) => validator = doc! { "$jsonSchema": schema },
            Err(mistakes) => report.add_new(mistakes),
        }
    }
    let options = options::parse(&source, &mut report);
    let is_enforced = options.validation.is_held();
    (Schema { name: name.to_owned(), source, root, validator, indexes, access, options, is_enforced }, report)
}

/// Looks at `fragments` and all other files that were read and are no collections.
fn check_fragments(fragments: &[String], names: &[String], library: &mut Library, settlement: &mut Settlement) {
    let mut known: BTreeSet<_> = names.iter().map(|name| format!("{name}.json")).collect();
    let mut open = fragments.to_vec();
    while !open.is_empty() {
        for file in open {
            match link(&file, &library.shown(&file), library) {
                Ok(linked) => settlement.add(&file, judge_fragment(&linked, names)),
                Err(mistake) => settlement.add(&file, vec![mistake]),
            }
            known.insert(file);
        }
        open = library.beside(&known);
    }
}

/// What is wrong with a file that describes no collection, wherever its schemas are used.
fn judge_fragment(linked: &Linked, names: &[String]) -> Vec<Mistake> {
    let Linked { source, lost } = linked;
    let mut report = Report::new(&source.path);
    across::check(source, names, &mut report);
    check::check(source, Role::Fragment, &mut report);
    if refs::check(source, lost, &mut report) {
        places::check_fragment(source, &mut report);
        report.add_new(validator::mistakes(source));
    }
    report.finish()
}

#[cfg(test)]
mod tests;
