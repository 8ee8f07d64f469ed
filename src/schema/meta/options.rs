//! The value of `x-collection`.

use bson::{Bson, Document, doc};

use super::keyword::{boolean, object};
use crate::schema::options::{Action, Concurrency, Level, MEMBERS, VALIDATION_MEMBERS};

/// The options.
pub(super) fn options() -> Document {
    object(MEMBERS.map(|name| (name, member(name))))
}

/// What an option is for, and its values.
fn member(name: &str) -> (&'static str, Document) {
    match name {
        "preImages" => ("MongoDB keeps documents as they were before each change, for change streams.", boolean()),
        "validation" => ("What becomes of documents that break the rules.", validation()),
        "concurrency" => (
            "Whether clients must know what they change: where it is \"required\", PUT, PATCH and DELETE need `If-Match`.",
            one_of(Concurrency::NAMES.map(|(name, _)| name)),
        ),
        _ => ("", Document::new()),
    }
}

fn validation() -> Document {
    object(VALIDATION_MEMBERS.map(|name| (name, validation_member(name))))
}

fn validation_member(name: &str) -> (&'static str, Document) {
    match name {
        "level" => (
            "Which documents are judged when they change: all (\"strict\"), or those that keep the rules so far \
             (\"moderate\").",
            one_of(Level::NAMES.map(|(name, _)| name)),
        ),
        "action" => (
            "What is done about them: they are refused (\"error\"), or noted in the log of the database (\"warn\").",
            one_of(Action::NAMES.map(|(name, _)| name)),
        ),
        _ => ("", Document::new()),
    }
}

fn one_of(names: [&str; 2]) -> Document {
    doc! { "enum": names.map(Bson::from).to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_every_option() {
        for name in MEMBERS {
            assert!(!member(name).0.is_empty(), "{name}");
        }
        for name in VALIDATION_MEMBERS {
            assert!(!validation_member(name).0.is_empty(), "{name}");
        }
    }
}
