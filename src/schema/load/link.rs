//! A file together with all that its `$ref`s lead to.
//!
//! Each `$ref` in them is rewritten to be read without knowing where it stands: `#/…` for the file itself,
//! `shared/address.json#/…` for another one.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::percent_decode_str;

use super::library::{Entry, Library};
use crate::{
    error::Mistake,
    json::{Node, Tree},
    schema::{Source, keywords},
};

/// The size that a file may have together with all that it refers to, in bytes.
const MAX_SIZE: usize = 8 << 20;

/// A file and what it refers to.
pub(super) struct Linked {
    pub(super) source: Source,
    /// Files that it refers to and that cannot be read.
    pub(super) lost: BTreeSet<String>,
}

/// Puts `file`, which messages call `path`, together. Fails if it cannot be read, or all of it is too much.
pub(super) fn link(file: &str, path: &str, library: &mut Library) -> Result<Linked, Mistake> {
    let mistake = |detail: String| Mistake { path: path.to_owned(), pointer: String::new(), detail };
    let (text, mut tree) = match library.get(file) {
        Entry::Read { text, tree } => (text.clone(), tree.clone()),
        Entry::Broken(mistake) => return Err(mistake.clone()),
        Entry::Missing => return Err(mistake("cannot be read".to_owned())),
    };
    let mut open = point(&mut tree, file, file);
    let mut linked =
        Linked { source: Source { path: path.to_owned(), text, tree, files: BTreeMap::new() }, lost: BTreeSet::new() };
    while let Some(other) = open.pop() {
        open.extend(linked.add(&other, file, library));
        if linked.source.text.len() > MAX_SIZE {
            return Err(mistake(format!("is over the limit of {MAX_SIZE} bytes, with the files that it refers to")));
        }
    }
    Ok(linked)
}

impl Linked {
    /// Adds `other` to `own`, and says what it refers to in turn.
    fn add(&mut self, other: &str, own: &str, library: &mut Library) -> Vec<String> {
        if other == own || self.source.files.contains_key(other) {
            return Vec::new();
        }
        match library.get(other) {
            Entry::Read { text, tree } => {
                let mut tree = tree.clone();
                shift(&mut tree, self.source.text.len());
                let more = point(&mut tree, other, own);
                self.source.text.push_str(text);
                self.source.files.insert(other.to_owned(), tree);
                return more;
            }
            Entry::Broken(_) => drop(self.lost.insert(other.to_owned())),
            Entry::Missing => {}
        }
        Vec::new()
    }
}

/// Rewrites each `$ref` in the file `file`, where `own` is the file itself, and says which files they lead to.
fn point(tree: &mut Tree, file: &str, own: &str) -> Vec<String> {
    let id = tree.get("$id").and_then(Tree::as_str).map(str::to_owned);
    let (mut open, mut files) = (vec![tree], Vec::new());
    while let Some(tree) = open.pop() {
        if let Node::Object(members) = &mut tree.node
            && let Some(Node::String(reference)) = members.get_mut("$ref").map(|value| &mut value.node)
            && let Ok((target, fragment)) = target(file, local(reference, id.as_deref()))
        {
            *reference = if target == own { format!("#{fragment}") } else { format!("{target}#{fragment}") };
            files.push(target);
        }
        open.extend(keywords::subschemas_mut(tree));
    }
    files
}

/// The reference without the name that the file gives itself.
fn local<'r>(reference: &'r str, id: Option<&str>) -> &'r str {
    let rest = id.and_then(|id| reference.strip_prefix(id.trim_end_matches('#')));
    rest.filter(|rest| rest.is_empty() || rest.starts_with('#')).unwrap_or(reference)
}

/// The file that a `$ref` in `file` leads to, and its fragment, as [RFC 3986](https://www.rfc-editor.org/rfc/rfc3986#section-5)
/// has it, or why it may not lead there.
pub(super) fn target(file: &str, reference: &str) -> Result<(String, String), &'static str> {
    let (path, fragment) = reference.split_once('#').unwrap_or((reference, ""));
    if path.is_empty() {
        return Ok((file.to_owned(), fragment.to_owned()));
    }
    let path = percent_decode_str(path).decode_utf8().map_err(|_| "is not UTF-8")?;
    let scheme = path.split_once('/').map_or(&*path, |(first, _)| first);
    if scheme.contains(':') || path.starts_with("//") {
        return Err("not supported: nothing is fetched; copy the schema into the folder");
    }
    if path.starts_with('/') || path.contains(['\\', '#', '?', '\0']) || !path.ends_with(".json") {
        return Err("leads to no schema: write the path of a `.json` file relative to this one");
    }
    let mut steps: Vec<&str> = file.split('/').collect();
    steps.pop();
    for step in path.split('/') {
        match step {
            "." | "" => {}
            ".." => drop(steps.pop().ok_or("leads out of the schemas folder")?),
            step => steps.push(step),
        }
    }
    Ok((steps.join("/"), fragment.to_owned()))
}

/// Moves the tree `by` bytes on.
fn shift(tree: &mut Tree, by: usize) {
    let mut open = vec![tree];
    while let Some(tree) = open.pop() {
        tree.name_at += by;
        tree.span = tree.span.start + by..tree.span.end + by;
        match &mut tree.node {
            Node::Array(items) => open.extend(items),
            Node::Object(members) => open.extend(members.values_mut()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_relative_to_their_file_and_stay_in_the_folder() {
        let found = |file: &str, pointer: &str| Ok((file.to_owned(), pointer.to_owned()));
        let remote = Err("not supported: nothing is fetched; copy the schema into the folder");
        let none = Err("leads to no schema: write the path of a `.json` file relative to this one");
        let out = Err("leads out of the schemas folder");
        let cases = [
            ("books.json", "#/$defs/a", found("books.json", "/$defs/a")),
            ("books.json", "shared/a.json", found("shared/a.json", "")),
            ("books.json", "./shared/./b%2Dc.json#/x%20y", found("shared/b-c.json", "/x%20y")),
            ("shared/a.json", "b.json#", found("shared/b.json", "")),
            ("shared/a.json", "../books.json#/$defs/a", found("books.json", "/$defs/a")),
            ("shared/deep/a.json", "../b.json", found("shared/b.json", "")),
            ("shared/a.json", "../../books.json", out.clone()),
            ("books.json", "shared/../../x.json", out.clone()),
            ("books.json", "%2e%2e/x.json", out.clone()),
            ("books.json", "%2e%2e%2fx.json", out),
            ("books.json", "https://example.org/a.json", remote.clone()),
            ("books.json", "file:///etc/a.json", remote.clone()),
            ("books.json", "urn:isbn:1", remote.clone()),
            ("books.json", "//example.org/a.json", remote),
            ("books.json", "/etc/a.json", none.clone()),
            ("books.json", "..\\a.json", none.clone()),
            ("books.json", "shared/a", none.clone()),
            ("books.json", "a.json?x=.json", none),
        ];
        for (file, reference, expected) in cases {
            assert_eq!(target(file, reference), expected, "{file} {reference}");
        }
    }
}
