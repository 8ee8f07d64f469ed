//! Every keyword of every subschema: known, in its place, in its form.

use super::{Report, did_you_mean, rules};
use crate::{
    json::Tree,
    schema::{
        Source,
        keywords::{self, Form, Position, Status},
    },
};

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It describes a collection.
    Collection,
    /// Others refer to it.
    Fragment,
}

/// Adds what is wrong with the keywords of the file, looked at one subschema at a time.
pub(super) fn check(source: &Source, role: Role, report: &mut Report) {
    let mut open = vec![(String::new(), &source.tree)];
    while let Some((pointer, tree)) = open.pop() {
        match tree.as_object() {
            Some(_) => subschema(&pointer, tree, role, report),
            None if tree.as_bool().is_some() => {}
            None => report.add(&pointer, "must be a schema: an object, `true` or `false`"),
        }
        open.extend(keywords::subschemas(&pointer, tree));
    }
    rules::check_root(source, role, report);
}

/// Keywords of the root that say something of the collection.
const OF_COLLECTIONS: [&str; 4] = ["x-indexes", "x-access", "x-collection", "x-counterexamples"];

fn subschema(pointer: &str, tree: &Tree, role: Role, report: &mut Report) {
    for (name, value) in tree.as_object().into_iter().flatten() {
        let detail = match role {
            Role::Fragment if pointer.is_empty() && OF_COLLECTIONS.contains(&name.as_str()) => {
                Err("belongs at the root of a collection's file".to_owned())
            }
            _ => keyword(pointer, name, value),
        };
        if let Err(detail) = detail {
            report.add_below(pointer, name, detail);
        }
    }
    rules::check(pointer, tree, report);
}

fn keyword(pointer: &str, name: &str, value: &Tree) -> Result<(), String> {
    let Some(status) = keywords::status(name) else {
        return Err(format!("unknown keyword{}", did_you_mean(name, keywords::usable())));
    };
    match status {
        Status::Later => Err("not supported yet".to_owned()),
        Status::Refused(reason) => Err(format!("not supported: {reason}")),
        Status::Supported(Position::Root, _) if !pointer.is_empty() => {
            Err("belongs at the root of the file only".to_owned())
        }
        Status::Supported(_, Form::Schema) if value.as_array().is_some() => {
            Err("must be one schema, not a list".to_owned())
        }
        Status::Supported(_, form) if !form.fits(value) => Err(format!("must be {}", form.expected())),
        Status::Supported(..) => Ok(()),
    }
}
