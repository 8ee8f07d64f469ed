//! The keys of an index: fields and how each is indexed.

use bson::{Bson, Document};

use super::{Reader, did_you_mean};
use crate::{
    json::Tree,
    schema::{Field, Kind},
};

const KINDS: [&str; 3] = ["text", "2dsphere", "hashed"];
/// MongoDB's limit, `_id` included.
const MAX_KEYS: usize = 32;

impl Reader<'_> {
    /// The keys, without `_id` as a tie-break; `None` if they cannot be read.
    pub(super) fn keys(&mut self, tree: Option<&Tree>) -> Option<Document> {
        let Some(members) = tree.and_then(Tree::as_object).filter(|members| !members.is_empty()) else {
            let place = if tree.is_some() { super::below(self.pointer, "keys") } else { self.pointer.to_owned() };
            self.report.add(&place, "needs `keys`, an object of at least one field, such as {\"title\": 1}");
            return None;
        };
        let mut keys = Document::new();
        for (path, tree) in members {
            if let Err(detail) = check_path(path, self.root) {
                self.refuse_in("keys", path, detail);
            }
            match key(tree) {
                Some(value) => drop(keys.insert(path.as_str(), value)),
                None => self.refuse_in("keys", path, "must be 1, -1, \"text\", \"2dsphere\" or \"hashed\""),
            }
        }
        if let Some(detail) = unfit(&keys) {
            self.refuse("keys", detail);
        }
        (keys.len() == members.len()).then_some(keys)
    }
}

fn key(tree: &Tree) -> Option<Bson> {
    match tree.as_str() {
        Some(name) => KINDS.contains(&name).then(|| Bson::from(name)),
        None => tree.as_whole().filter(|direction| direction.abs() == 1).map(Bson::Int32),
    }
}

/// Why MongoDB takes no index on these keys together.
fn unfit(keys: &Document) -> Option<&'static str> {
    let kinds: Vec<_> = keys.values().map(Bson::as_str).collect();
    let mut special: Vec<_> = kinds.iter().flatten().collect();
    special.dedup();
    let cases = [
        (keys.len() == 1 && keys.get_i32("_id").is_ok(), "`_id` has an index already"),
        (keys.len() > MAX_KEYS, "an index has at most 32 keys"),
        (kinds.iter().filter(|kind| **kind == Some("hashed")).count() > 1, "only one key can be \"hashed\""),
        (special.len() > 1, "only one of \"text\", \"2dsphere\" and \"hashed\" can be in an index"),
        (
            kinds.chunk_by(|a, b| a == b).filter(|run| run[0] == Some("text")).count() > 1,
            "text keys stand side by side",
        ),
        (unfit_wildcard(keys), "a wildcard is the only key of its index, and is 1, or \"text\" for `$**`"),
    ];
    cases.into_iter().find(|(unfit, _)| *unfit).map(|(_, detail)| detail)
}

fn unfit_wildcard(keys: &Document) -> bool {
    let fine = |path: &str, value: &Bson| *value == Bson::Int32(1) || (path == "$**" && value.as_str() == Some("text"));
    keys.iter().any(|(path, value)| is_wildcard(path) && (keys.len() > 1 || !fine(path, value)))
}

/// Whether the index is on plain fields, each ascending or descending.
pub(super) fn is_plain(keys: &Document) -> bool {
    keys.iter().all(|(path, value)| value.as_i32().is_some() && !is_wildcard(path))
}

/// Whether a key is of the kind `kind`.
pub(super) fn holds(keys: &Document, kind: &str) -> bool {
    keys.values().any(|value| value.as_str() == Some(kind))
}

/// Whether the path stands for every field below it.
pub(crate) fn is_wildcard(path: &str) -> bool {
    path == "$**" || path.ends_with(".$**")
}

/// The name that MongoDB makes of the keys: `author_1_published_-1`.
pub(crate) fn name(keys: &Document) -> String {
    let key = |(path, value): (&String, &Bson)| match value {
        Bson::String(kind) => format!("{path}_{kind}"),
        value => format!("{path}_{value}"),
    };
    keys.iter().map(key).collect::<Vec<_>>().join("_")
}

/// Whether documents of the shape `root` can have something at the dotted path.
pub(super) fn check_path(path: &str, root: &Field) -> Result<(), String> {
    let fields = if path == "$**" { "" } else { path.strip_suffix(".$**").unwrap_or(path) };
    if fields.is_empty() && is_wildcard(path) {
        return Ok(());
    }
    let segments: Vec<_> = fields.split('.').collect();
    if segments.iter().any(|name| name.is_empty() || name.starts_with('$') || name.contains('\0')) {
        return Err("must be the path of a field, such as `publisher.city`".to_owned());
    }
    reach(root, &segments)
}

fn reach(field: &Field, path: &[&str]) -> Result<(), String> {
    let Some((name, rest)) = path.split_first() else { return Ok(()) };
    let object = field.kinds.contains(Kind::Object).then(|| reach_member(field, name, rest));
    let array = field.kinds.contains(Kind::Array).then(|| reach_item(field.item(), name, rest));
    match (object, array) {
        (Some(Err(missing)), None | Some(Err(_))) | (None, Some(Err(missing))) => Err(missing),
        (None, None) => Err(format!("`{name}` is looked for in a field that holds neither an object nor a list")),
        _ => Ok(()),
    }
}

fn reach_member(object: &Field, name: &str, rest: &[&str]) -> Result<(), String> {
    if !object.allows(name) {
        let known = object.properties.keys().map(String::as_str);
        return Err(format!("there is no field `{name}`{}", did_you_mean(name, known)));
    }
    reach(object.member(name), rest)
}

/// MongoDB looks into the objects of a list, and at the item whose number the path names.
fn reach_item(item: &Field, name: &str, rest: &[&str]) -> Result<(), String> {
    if name.parse::<u32>().is_ok() && reach(item, rest).is_ok() {
        return Ok(());
    }
    if !item.kinds.contains(Kind::Object) {
        return Err(format!("`{name}` is looked for in a list that holds no objects"));
    }
    reach_member(item, name, rest)
}
