//! Every keyword of every subschema: known, in its place, in its form.

use super::{Report, did_you_mean, rules};
use crate::{
    json::Tree,
    schema::{
        Source,
        keywords::{self, Form, Position, Status},
    },
};

/// Adds what is wrong with the keywords of the file, looked at one subschema at a time.
pub(super) fn check(source: &Source, report: &mut Report) {
    let mut open = vec![(String::new(), &source.tree)];
    while let Some((pointer, tree)) = open.pop() {
        match tree.as_object() {
            Some(_) => subschema(&pointer, tree, report),
            None if tree.as_bool().is_some() => report.add(&pointer, "a boolean schema here is not supported yet"),
            None => report.add(&pointer, "must be an object (a schema)"),
        }
        open.extend(keywords::subschemas(&pointer, tree));
    }
    rules::check_root(source, report);
}

fn subschema(pointer: &str, tree: &Tree, report: &mut Report) {
    for (name, value) in tree.as_object().into_iter().flatten() {
        if let Err(detail) = keyword(pointer, name, value) {
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
