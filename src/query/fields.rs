//! `fields=a,b` or `fields=-a,-b`: what is read of each document.

use bson::{Bson, Document};

use super::{
    params::split,
    path::{self, Scope},
};
use crate::{
    error::{Place, Result},
    schema::Field,
};

/// No query names more.
pub(super) const MOST_NAMES: usize = 1000;

/// The fields that a query wants, or wants left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// Dotted names, each with its place.
    pub names: Vec<(String, Place)>,
    /// They are the ones left out.
    pub without: bool,
}

impl Fields {
    /// Reads `a,b` or `-a,-b`.
    pub fn parse(text: &str) -> Result<Self> {
        Self::collect(split("fields", text))
    }

    /// Reads the names `a` or `-a`, each with its place.
    pub(super) fn collect<'t>(parts: impl IntoIterator<Item = (&'t str, Place)>) -> Result<Self> {
        let mut parts = parts.into_iter().peekable();
        let without = parts.peek().is_some_and(|(part, _)| part.starts_with('-'));
        let mut names: Vec<(String, Place)> = Vec::new();
        for (part, place) in parts {
            let name = part.strip_prefix('-').unwrap_or(part);
            if part.starts_with('-') != without {
                return Err(place.refuse("either name the fields you want or, with `-`, those you do not want"));
            }
            if name.is_empty() {
                return Err(place.refuse("expected a field, as in `fields=title,year`"));
            }
            if names.len() == MOST_NAMES {
                return Err(place.refuse(format!("expected at most {MOST_NAMES} fields")));
            }
            names.push((name.to_owned(), place));
        }
        refuse_overlaps(&names)?;
        Ok(Self { names, without })
    }
}

/// Refuses a name beside itself or one that reaches into it, which MongoDB does not project together.
fn refuse_overlaps(names: &[(String, Place)]) -> Result<()> {
    let mut order: Vec<_> = (0..names.len()).collect();
    // Segment by segment, so that what reaches into a name comes right after it.
    order.sort_by(|a, b| names[*a].0.split('.').cmp(names[*b].0.split('.')).then(a.cmp(b)));
    match order.windows(2).find(|pair| path::is_within(&names[pair[1]].0, &names[pair[0]].0)) {
        Some(pair) => {
            let (first, second) = (&names[pair[0].min(pair[1])], &names[pair[0].max(pair[1])]);
            Err(second.1.clone().refuse(format!("`{}` and `{}` overlap", second.0, first.0)))
        }
        None => Ok(()),
    }
}

/// The projection; `None` reads whole documents.
pub fn plan(root: &Field, fields: Option<&Fields>) -> Result<Option<Document>> {
    let Some(fields) = fields else { return Ok(None) };
    let (root, mut projection) = (Scope::of(root), Document::new());
    for (name, place) in &fields.names {
        root.part(name, place)?;
        projection.insert(name.clone(), i32::from(!fields.without));
    }
    Ok(Some(projection))
}

/// The projection with which the fields `more` are read too, and a shape that hides what only they brought along.
pub(super) fn with(mut projection: Document, more: impl Iterator<Item = String>) -> (Option<Document>, Option<Field>) {
    let leaves_out = projection.values().any(|value| *value == Bson::Int32(0));
    if leaves_out {
        return (None, Some(Field::hiding(projection.keys())));
    }
    let asked: Vec<_> = projection.keys().cloned().collect();
    let mut added = Vec::new();
    for name in more.filter(|name| !asked.iter().any(|asked| path::is_within(name, asked))) {
        // MongoDB does not project a field beside a part of it.
        asked.iter().filter(|asked| path::is_within(asked, &name)).for_each(|part| drop(projection.remove(part)));
        if !projection.keys().any(|other| path::is_within(&name, other)) {
            projection.insert(name.clone(), 1);
        }
        added.push(name);
    }
    let cut = (!added.is_empty()).then(|| Field::hiding(added.iter().filter_map(|name| unshared(name, &asked))));
    (Some(projection), cut)
}

/// The least part of the dotted name, from its beginning, that none of the `asked` reaches into.
fn unshared<'n>(name: &'n str, asked: &[String]) -> Option<&'n str> {
    let ends = name.match_indices('.').map(|(at, _)| at).chain([name.len()]);
    ends.map(|end| &name[..end]).find(|part| !asked.iter().any(|asked| path::is_within(asked, part)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn points_at_names_that_overlap() {
        for (text, offset, detail) in [
            ("a,b,a", 4, "fields: `a` and `a` overlap"),
            ("-a.b.c,-a-b,-a.b", 12, "fields: `a.b` and `a.b.c` overlap"),
            ("a,a.b,a.c", 2, "fields: `a.b` and `a` overlap"),
        ] {
            let error = Fields::parse(text).unwrap_err();
            let place = Place::new("fields", Some(offset));
            assert_eq!(error.to_string(), detail, "{text}");
            assert!(matches!(&error, Error::InvalidQuery { place: at, .. } if *at == place), "{error:?}");
        }
        for text in ["a,ab,b.a,a-b", "-a.b,-a.c,-b"] {
            Fields::parse(text).unwrap();
        }
    }

    #[test]
    fn takes_many_names_at_a_time_but_not_any_number() {
        let names = |count: usize| (0..count).map(|n| format!("a{n}.b")).collect::<Vec<_>>().join(",");
        assert_eq!(Fields::parse(&names(MOST_NAMES)).unwrap().names.len(), MOST_NAMES);
        assert_eq!(Fields::parse(&names(1_000_000)).unwrap_err().to_string(), "fields: expected at most 1000 fields");
    }
}
