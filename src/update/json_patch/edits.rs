//! Patches as steps that MongoDB can take in one command, where they are such: those that only add, replace, remove and
//! test members which are reached through objects, and that come to the same in whatever order.

use super::{
    Action, Operation,
    pointer::{Index, Pointer},
};
use crate::update::direct::{Does, Edit, ROOM};

/// The steps of these operations; `None` where they are more than steps, or take more room than they are worth.
pub(super) fn of(operations: &[Operation]) -> Option<Vec<Edit>> {
    let mut steps = Steps { edits: Vec::new(), changed: Vec::new(), room: ROOM };
    operations.iter().try_for_each(|operation| steps.take(operation))?;
    Some(steps.edits)
}

struct Steps<'p> {
    edits: Vec<Edit>,
    /// The places that are not what they were.
    changed: Vec<&'p Pointer>,
    /// How many bytes the names of all places may still come to, each with those before it.
    room: usize,
}

/// How many places may be changed: each is compared with all others.
const MAX_CHANGED: usize = 100;

impl<'p> Steps<'p> {
    fn take(&mut self, Operation { action, path }: &'p Operation) -> Option<()> {
        let is_apart = |other: &&Pointer| *other != path && !other.holds(path) && !path.holds(other);
        let is_plain = path.tokens().iter().all(|token| Index::parse(token).is_none());
        let (parents, _) = path.parent()?;
        if !is_plain || !self.changed.iter().all(is_apart) || self.changed.len() == MAX_CHANGED {
            return None;
        }
        for depth in 1..=parents.len() {
            self.step(&parents[..depth], Does::Enter)?;
        }
        if matches!(action, Action::Replace(_) | Action::Remove) {
            self.step(path.tokens(), Does::Find)?;
        }
        let does = match action {
            Action::Add(value) | Action::Replace(value) => Does::Set(value.clone()),
            Action::Remove => Does::Unset,
            Action::Test(value) => Does::Test(value.clone()),
            Action::Move(_) | Action::Copy(_) => return None,
        };
        if !matches!(action, Action::Test(_)) {
            self.changed.push(path);
        }
        self.step(path.tokens(), does)
    }

    fn step(&mut self, path: &[String], does: Does) -> Option<()> {
        let names: usize = path.iter().map(|name| size_of::<String>() + name.len()).sum();
        self.room = self.room.checked_sub(names)?;
        self.edits.push(Edit { path: path.to_owned(), does });
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{super::parse, *};
    use crate::schema::Field;

    fn steps(patch: &Value) -> Option<Vec<(String, &'static str)>> {
        let operations = parse::operations(patch.to_string().as_bytes(), &Field::any()).unwrap();
        let steps = of(&operations)?.into_iter().map(|Edit { path, does }| {
            let does = match does {
                Does::Enter => "enter",
                Does::Find => "find",
                Does::Test(_) => "test",
                Does::Set(_) => "set",
                Does::Unset => "unset",
            };
            (path.join("/"), does)
        });
        Some(steps.collect())
    }

    #[test]
    fn a_patch_is_steps_where_it_comes_to_the_same_in_any_order() {
        let add = |path: &str| json!({ "op": "add", "path": path, "value": 1 });
        let test = |path: &str| json!({ "op": "test", "path": path, "value": 1 });
        let replace = |path: &str| json!({ "op": "replace", "path": path, "value": 1 });
        let remove = |path: &str| json!({ "op": "remove", "path": path });
        for (patch, expected) in [
            (json!([]), Some(vec![])),
            (json!([add("/a")]), Some(vec![("a", "set")])),
            (json!([remove("/a/b")]), Some(vec![("a", "enter"), ("a/b", "find"), ("a/b", "unset")])),
            (json!([test("/a"), replace("/a")]), Some(vec![("a", "test"), ("a", "find"), ("a", "set")])),
            (json!([add("/a"), add("/ab")]), Some(vec![("a", "set"), ("ab", "set")])),
            (json!([add("/a"), test("/a")]), None),
            (json!([add("/a"), add("/a/b")]), None),
            (json!([add("/a/b"), remove("/a")]), None),
            (json!([add("/a/b"), test("/a")]), None),
            (json!([add("/a/0")]), None),
            (json!([add("/a/-")]), None),
            (json!([add("/0/a")]), None),
            (json!([{ "op": "add", "path": "", "value": {} }]), None),
            (json!([{ "op": "copy", "from": "/a", "path": "/b" }]), None),
            (json!([{ "op": "move", "from": "/a", "path": "/b" }]), None),
            (json!([add(&format!("/{}", "x".repeat(ROOM)))]), None),
            (json!((0..=MAX_CHANGED).map(|n| add(&format!("/a{n}"))).collect::<Vec<_>>()), None),
        ] {
            let steps = steps(&patch);
            let found = steps.as_ref().map(|s| s.iter().map(|(path, does)| (path.as_str(), *does)).collect::<Vec<_>>());
            assert_eq!(found, expected, "{patch}");
        }
    }
}
