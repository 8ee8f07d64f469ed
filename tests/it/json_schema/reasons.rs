//! Why a test of the suite cannot be taken: the reasons that `docs/collections.md` lists.

use std::fs;

/// A reason why a schema is refused, or an instance.
#[derive(Debug, PartialEq)]
pub(super) struct Reason {
    /// What the message says.
    pub(super) says: &'static str,
    /// The reason in a few words.
    pub(super) why: &'static str,
    /// What `docs/collections.md` says of it.
    pub(super) listed: &'static str,
}

/// Every reason there is; of several, the first counts.
pub(super) const ALL: [Reason; 13] = [
    reason(
        "a MongoDB validator cannot refer to itself",
        "`$dynamicRef`, `$dynamicAnchor`",
        "| `$dynamicRef`, `$dynamicAnchor`,",
    ),
    reason("leads back to itself", "a recursive `$ref`", "a `$ref` that leads back to itself"),
    reason("nothing is fetched", "a remote `$ref`", "a remote `$ref`"),
    reason("there is no file", "a `$ref` to a file that is not there", "a `$ref` to a file that is not there"),
    reason("the only dialect there is here", "another `$schema`", "another `$schema`"),
    reason("refer to places by their pointer", "`$anchor`", "| `$anchor`,"),
    reason("belongs at the root of the file only", "`$id` below the root", "`$id` below the root"),
    reason(
        "cannot count the items that match",
        "`maxContains`, `minContains` above 1",
        "`maxContains`, `minContains` above 1",
    ),
    reason("cannot look into strings", "`contentSchema`", "`contentSchema`"),
    reason("unknown format", "other formats", "formats other than the nine"),
    reason("and the field holds", "a `default` of another type", "a `default` that does not fit its field"),
    reason("names that begin with `$`", "values with `$` names", "names that begin with `$`"),
    reason("number out of range", "numbers of more than 34 digits", "More than 34 digits are not rounded but refused"),
];

const fn reason(says: &'static str, why: &'static str, listed: &'static str) -> Reason {
    Reason { says, why, listed }
}

/// The first of the reasons that the messages give.
pub(super) fn first_of<'m>(messages: impl IntoIterator<Item = &'m str>) -> Option<&'static Reason> {
    let messages: Vec<_> = messages.into_iter().collect();
    ALL.iter().find(|reason| messages.iter().any(|message| message.contains(reason.says)))
}

/// Checks that the documentation lists each reason.
pub(super) fn are_listed() {
    let page = fs::read_to_string("docs/collections.md").unwrap();
    for Reason { listed, .. } in ALL {
        assert!(page.contains(listed), "`docs/collections.md` does not say `{listed}`");
    }
}
