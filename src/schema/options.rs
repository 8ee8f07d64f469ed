//! `x-collection`: how the collection is kept beside its documents' shape, as plain data.
//!
//! See [the options of a collection](https://www.mongodb.com/docs/manual/reference/method/db.createCollection/). That
//! the database has them so is not this module's business.

use super::{
    Source,
    load::{Report, did_you_mean},
};
use crate::json::Tree;

/// What a collection file says of the collection as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether change streams can tell what a document was before; `None` leaves that as it is in the database. See
    /// [pre-images](https://www.mongodb.com/docs/manual/changeStreams/#change-streams-with-document-pre--and-post-images).
    pub pre_images: Option<bool>,
    /// Which writes the validator is held against, and how.
    pub validation: Validation,
    /// What clients must know of a document that they change.
    pub concurrency: Concurrency,
}

/// Which writes the validator is held against, and what becomes of those that break it.
///
/// See [schema validation](https://www.mongodb.com/docs/manual/core/schema-validation/specify-validation-level/).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Validation {
    /// Which writes.
    pub level: Level,
    /// What becomes of them.
    pub action: Action,
}

impl Validation {
    /// Whether every write is held to the validator, so that no stored document comes to break it.
    pub fn is_held(self) -> bool {
        self == Self::default()
    }
}

/// Which writes the validator is held against.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Level {
    /// All.
    #[default]
    Strict,
    /// Those of new documents and of documents that fulfill it; what already breaks it may still be changed.
    Moderate,
}

/// What becomes of a write that breaks the validator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Action {
    /// It is refused.
    #[default]
    Error,
    /// It is made, and the server's log tells of it.
    Warn,
}

/// What clients must know of a document that they change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Concurrency {
    /// Nothing.
    #[default]
    Optional,
    /// Its entity tag: a PUT, PATCH or DELETE needs `If-Match`.
    Required,
}

impl Level {
    pub(super) const NAMES: [(&str, Self); 2] = [("strict", Self::Strict), ("moderate", Self::Moderate)];

    /// Its name, as MongoDB has it.
    pub fn name(self) -> &'static str {
        name(Self::NAMES, &self)
    }
}

impl Action {
    pub(super) const NAMES: [(&str, Self); 2] = [("error", Self::Error), ("warn", Self::Warn)];

    /// Its name, as MongoDB has it.
    pub fn name(self) -> &'static str {
        name(Self::NAMES, &self)
    }
}

impl Concurrency {
    pub(super) const NAMES: [(&str, Self); 2] = [("optional", Self::Optional), ("required", Self::Required)];
}

fn name<T: PartialEq>([(first, is), (second, _)]: [(&'static str, T); 2], value: &T) -> &'static str {
    if is == *value { first } else { second }
}

const POINTER: &str = "/x-collection";
const VALIDATION: &str = "/x-collection/validation";

/// What can be said of a collection.
pub(super) const MEMBERS: [&str; 3] = ["preImages", "validation", "concurrency"];
/// What can be said of its validation.
pub(super) const VALIDATION_MEMBERS: [&str; 2] = ["level", "action"];

/// Why a collection cannot have a collation.
const NO_COLLATION: &str = "not supported: the server keeps the sort keys of such a collection to itself, so its lists \
                            would have no next page; give indexes a collation";

/// What MongoDB has, but not this version.
const LATER: [&str; 4] = ["capped", "timeseries", "clustered", "shardKey"];

/// The options that the file declares; what is wrong is added to `report`.
pub(super) fn parse(source: &Source, report: &mut Report) -> Options {
    let Some(tree) = source.tree.get("x-collection").filter(|tree| tree.as_object().is_some()) else {
        return Options::default();
    };
    for member in members(tree).filter(|member| !MEMBERS.contains(member)) {
        report.add_below(POINTER, member, unknown(member));
    }
    Options {
        pre_images: pre_images(tree, report),
        validation: validation(tree, report),
        concurrency: one_of(tree, (POINTER, "concurrency"), Concurrency::NAMES, report),
    }
}

fn unknown(member: &str) -> String {
    match member {
        "collation" => NO_COLLATION.to_owned(),
        _ if LATER.contains(&member) => "not supported yet".to_owned(),
        _ => format!("unknown option{}", did_you_mean(member, MEMBERS)),
    }
}

fn pre_images(tree: &Tree, report: &mut Report) -> Option<bool> {
    let value = tree.get("preImages")?;
    if value.as_bool().is_none() {
        report.add_below(POINTER, "preImages", "must be `true` or `false`");
    }
    value.as_bool()
}

fn validation(tree: &Tree, report: &mut Report) -> Validation {
    let Some(tree) = tree.get("validation") else { return Validation::default() };
    if tree.as_object().is_none() {
        report.add(VALIDATION, "must be an object with `level`, `action` or both");
    }
    for member in members(tree).filter(|member| !VALIDATION_MEMBERS.contains(member)) {
        report.add_below(VALIDATION, member, format!("unknown option{}", did_you_mean(member, VALIDATION_MEMBERS)));
    }
    Validation {
        level: one_of(tree, (VALIDATION, "level"), Level::NAMES, report),
        action: one_of(tree, (VALIDATION, "action"), Action::NAMES, report),
    }
}

fn members(tree: &Tree) -> impl Iterator<Item = &str> {
    tree.as_object().into_iter().flat_map(|members| members.keys()).map(String::as_str)
}

/// The value that the member names; the default where it is absent, or wrong.
fn one_of<T: Default>(tree: &Tree, at: (&str, &str), names: [(&str, T); 2], report: &mut Report) -> T {
    let (pointer, member) = at;
    let Some(value) = tree.get(member) else { return T::default() };
    let [(first, _), (second, _)] = &names;
    let expected = format!("must be \"{first}\" or \"{second}\"");
    let found = names.into_iter().find(|(name, _)| value.as_str() == Some(*name));
    if found.is_none() {
        report.add_below(pointer, member, expected);
    }
    found.map(|(_, value)| value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(member: &str) -> (Options, Vec<String>) {
        let text = format!(r#"{{"type": "object", "x-collection": {member}}}"#);
        let mut report = Report::new("books.json");
        let options = parse(&Source::parse("books.json", text, 8).unwrap(), &mut report);
        (options, report.finish().iter().map(|m| format!("{}: {}", m.pointer, m.detail)).collect())
    }

    #[test]
    fn reads_what_is_declared() {
        let of = |pre_images, level, action, concurrency| Options {
            pre_images,
            validation: Validation { level, action },
            concurrency,
        };
        let plain = of(None, Level::Strict, Action::Error, Concurrency::Optional);
        assert_eq!(plain, Options::default());
        let cases = [
            ("{}", plain),
            (r#"{"preImages": false}"#, of(Some(false), Level::Strict, Action::Error, Concurrency::Optional)),
            (
                r#"{"preImages": true, "validation": {"level": "moderate", "action": "warn"}, "concurrency": "required"}"#,
                of(Some(true), Level::Moderate, Action::Warn, Concurrency::Required),
            ),
            (
                r#"{"validation": {"level": "strict", "action": "error"}, "concurrency": "optional"}"#,
                Options::default(),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(parsed(text), (expected, vec![]), "{text}");
        }
        assert_eq!([Level::Moderate.name(), Level::Strict.name()], ["moderate", "strict"]);
        assert_eq!([Action::Warn.name(), Action::Error.name()], ["warn", "error"]);
    }

    #[test]
    fn refuses_what_is_not_to_be_had() {
        let cases = [
            (r#"{"preImages": 1}"#, "/x-collection/preImages: must be `true` or `false`"),
            (r#"{"preimages": true}"#, "/x-collection/preimages: unknown option, did you mean \"preImages\"?"),
            (r#"{"validation": "warn"}"#, "/x-collection/validation: must be an object with `level`, `action` or both"),
            (
                r#"{"validation": {"level": "off"}}"#,
                "/x-collection/validation/level: must be \"strict\" or \"moderate\"",
            ),
            (r#"{"validation": {"action": 1}}"#, "/x-collection/validation/action: must be \"error\" or \"warn\""),
            (
                r#"{"validation": {"actoin": "warn"}}"#,
                "/x-collection/validation/actoin: unknown option, did you mean \"action\"?",
            ),
            (r#"{"concurrency": true}"#, "/x-collection/concurrency: must be \"optional\" or \"required\""),
            (r#"{"capped": true}"#, "/x-collection/capped: not supported yet"),
        ];
        for (text, expected) in cases {
            assert_eq!(parsed(text).1, [expected], "{text}");
        }
        let (_, mistakes) = parsed(r#"{"collation": {"locale": "de"}}"#);
        assert!(mistakes[0].starts_with("/x-collection/collation: not supported: "), "{mistakes:?}");
    }
}
