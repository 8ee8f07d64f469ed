//! The dotted names that operators take: what they may be, and what the schema says of the place that they lead to.
//!
//! Other than in filters, a name does not reach through an array: a number picks an item, `$[]` is every item, and
//! `$[name]` those that one of `arrayFilters` finds.
//!
//! See [array update operators](https://www.mongodb.com/docs/manual/reference/operator/update-array/).

use crate::{
    query::path::{is_within, picks_item as is_number},
    schema::{Field, Kind},
};

/// No document is nested deeper.
///
/// See [limits](https://www.mongodb.com/docs/manual/reference/limits/#mongodb-limit-Nested-Depth-for-BSON-Documents).
const MAX_PARTS: usize = 100;

/// One of the names between dots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'p> {
    /// A member, or an item by its position.
    Name(&'p str),
    /// Every item, or those that the filter with this name finds.
    Items(Option<&'p str>),
}

/// The parts of `path`.
pub(super) fn parts(path: &str) -> impl Iterator<Item = Part<'_>> {
    path.split('.').map(|part| match part.strip_prefix("$[").and_then(|part| part.strip_suffix(']')) {
        Some("") => Part::Items(None),
        Some(name) => Part::Items(Some(name)),
        None => Part::Name(part),
    })
}

/// The names of `arrayFilters` in `path`, each with the path of the array whose items it picks.
pub(super) fn picks(path: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut end = 0_usize;
    parts(path).zip(path.split('.')).filter_map(move |(part, text)| {
        let array = path.get(..end.saturating_sub(1)).unwrap_or_default();
        end += text.len() + 1;
        if let Part::Items(Some(name)) = part { Some((name, array)) } else { None }
    })
}

/// Whether `path` leads through objects alone, as far as can be told from it.
pub(super) fn is_plain(path: &str) -> bool {
    parts(path).all(|part| matches!(part, Part::Name(name) if !is_number(name)))
}

/// Whether `path` has a number such as `00`, which picks an item for an update and is a name for a condition.
pub(super) fn is_padded(path: &str) -> bool {
    path.split('.').any(|name| name.len() > 1 && name.starts_with('0') && is_number(name))
}

/// Refuses what cannot be a path, with what is wrong with it.
pub(super) fn check(path: &str) -> Result<(), String> {
    if path.split('.').count() > MAX_PARTS {
        return Err(format!("a path of more than {MAX_PARTS} names leads nowhere"));
    }
    if matches!(parts(path).next(), Some(Part::Items(_))) {
        return Err(format!("`{path}`: the first name of a path is that of a field"));
    }
    parts(path).try_for_each(|part| check_part(path, part))
}

fn check_part(path: &str, part: Part<'_>) -> Result<(), String> {
    let path = path.escape_debug();
    match part {
        Part::Items(Some(name)) if is_identifier(name) => Ok(()),
        Part::Items(Some(_)) => {
            Err(format!("`{path}`: in `$[name]` the name begins with a small letter, and has only letters and digits"))
        }
        Part::Name("") => Err(format!("`{path}`: a name in a path cannot be empty")),
        Part::Name("$") => Err(format!(
            "`{path}`: nothing says which item `$` is; say `$[name]`, and what holds for it with `arrayFilters`"
        )),
        Part::Name(name) if name.starts_with('$') => {
            Err(format!("`{path}`: a name in a path cannot begin with `$`, but for `$[]` and `$[name]`"))
        }
        Part::Name(name) if name.contains('\0') => Err(format!("`{path}`: a name cannot hold a NUL character")),
        Part::Items(None) | Part::Name(_) => Ok(()),
    }
}

/// Whether `name` may stand in `$[name]`.
fn is_identifier(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// What the schema says of the place that `path` leads to below `root`, for those who write there: of what is hidden
/// nothing.
pub(super) fn reach<'f>(root: &'f Field, path: &str) -> &'f Field {
    parts(path).fold(root, |field, part| match part {
        Part::Items(_) => field.item(),
        Part::Name(name) => match name.parse() {
            Ok(index) if picks_item(field, name) => field.at(index),
            _ => field.sent(name),
        },
    })
}

/// Whether `name` is the position of an item rather than the name of a member.
fn picks_item(field: &Field, name: &str) -> bool {
    let is_object = field.kinds.contains(Kind::Object);
    is_number(name) && field.kinds.contains(Kind::Array) && !(is_object && field.properties.contains_key(name))
}

/// The two of `paths` that MongoDB cannot change at once, if there are any: one is the other or leads into it. Each
/// stands with its place in the text, and the pair comes in the order of the text.
pub(super) fn conflict<'p>(paths: &mut [(&'p str, usize)]) -> Option<[(&'p str, usize); 2]> {
    paths.sort_by(|a, b| a.0.split('.').cmp(b.0.split('.')).then(a.1.cmp(&b.1)));
    // What leads into a path comes right behind it.
    let pair = paths.windows(2).find(|pair| is_within(pair[1].0, pair[0].0))?;
    let [a, b] = [pair[0], pair[1]];
    Some(if a.1 <= b.1 { [a, b] } else { [b, a] })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_paths_from_what_is_none() {
        for path in ["a", "a.b", "a.0.b", "a.$[]", "a.$[].b.$[x1]", "_id", "é.ü", "a b"] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
        for path in
            ["", ".", "a.", ".a", "a..b", "$a", "a.$", "a.$.b", "a.$b", "$[]", "$[x].a", "a.$[X]", "a.$[x_]", "a\0b"]
        {
            assert!(check(path).is_err(), "{path}");
        }
        assert!(check(&vec!["a"; 100].join(".")).is_ok());
        assert!(check(&vec!["a"; 101].join(".")).is_err());
    }

    #[test]
    fn finds_what_picks_items() {
        assert_eq!(picks("a.$[x].b.$[].c.$[y]").collect::<Vec<_>>(), [("x", "a"), ("y", "a.$[x].b.$[].c")]);
        assert_eq!(picks("a.b").next(), None);
    }

    #[test]
    fn finds_conflicts() {
        for (paths, expected) in [
            (vec!["a", "b"], None),
            (vec!["a.b", "a.c", "a"], Some(["a.b", "a"])),
            (vec!["a", "a-b", "a.b"], Some(["a", "a.b"])),
            (vec!["x", "a.b.c", "a.b"], Some(["a.b.c", "a.b"])),
            (vec!["a", "ab", "a0"], None),
            (vec!["a", "a"], Some(["a", "a"])),
            (vec!["a.$[]", "a.0"], None),
        ] {
            let mut placed: Vec<_> = paths.iter().copied().zip(0..).collect();
            assert_eq!(conflict(&mut placed).map(|pair| pair.map(|(path, _)| path)), expected, "{paths:?}");
        }
    }
}
