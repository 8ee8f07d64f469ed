//! Changes as people read them: one block for each, its risk in brackets.

use std::fmt;

use bson::{Bson, Document};

use super::{Breaking, Change, Plan, Risk, change::Rules};
use crate::{json::push_token, schema::Index};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, change) in self.changes.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            write!(f, "{change}")?;
            let broken = self.breaking.get(change.collection());
            if let (Change::SetValidator { .. }, Some(breaking)) = (change, broken) {
                write!(f, "\n{breaking}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&headline(self))?;
        match self {
            Self::CreateCollection { collection, indexes } => {
                indexes.iter().try_for_each(|index| write!(f, "\n    + index {}", Shown(collection, index)))
            }
            Self::SetValidator { from, to, .. } => rules(f, from, to),
            Self::AlterIndex { collection, from, to } | Self::RebuildIndex { collection, from, to } => {
                write!(f, "\n    - {}\n    + {}", Shown(collection, from), Shown(collection, to))
            }
            _ => Ok(()),
        }
    }
}

/// The first line of a change's block.
pub(super) fn headline(change: &Change) -> String {
    let risk = match change.risk() {
        Risk::Report => "",
        Risk::Safe => " [safe]",
        Risk::Slow => " [slow]",
        Risk::Destructive => " [destructive]",
        Risk::Impossible => " [impossible]",
    };
    let what = match change {
        Change::NotACollection { collection, kind } => {
            format!("! collection {collection} (a {kind} has this name; rename or drop it)")
        }
        Change::Collated { collection, locale } => format!(
            "! collection {collection} (it has the collation `{locale}`, which cannot be changed; copy its documents \
             into a new collection without one)"
        ),
        Change::CreateCollection { collection, .. } => format!("+ collection {collection}"),
        Change::SetValidator { collection, .. } => format!("~ validator {collection}"),
        Change::CreateIndex { collection, index, .. } => format!("+ index {}", Shown(collection, index)),
        Change::AlterIndex { collection, to, .. } => format!("~ index {collection}.{}", to.name),
        Change::RebuildIndex { collection, to, .. } => {
            format!("~ index {collection}.{} (dropped and built again)", to.name)
        }
        Change::UnknownIndex { collection, index } => {
            format!("? index {} (not in the files, left alone)", Shown(collection, index))
        }
        Change::MissingTieBreak { collection, index } => {
            format!(
                "? index {} (sorts by it are not served in total order without `_id` as last key)",
                Shown(collection, index)
            )
        }
    };
    what + risk
}

impl fmt::Display for Breaking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let documents = if self.count == 1 { "document breaks" } else { "documents break" };
        write!(f, "    ! {} stored {documents} it; correct them first:", self.count)?;
        for sample in &self.samples {
            write!(f, "\n        _id {}", Json(&sample.id))?;
            for violation in &sample.violations {
                write!(f, "\n            {}: {}", violation.pointer, violation.detail)?;
                violation.rule.iter().try_for_each(|rule| write!(f, " ({rule}/{})", violation.keyword))?;
            }
        }
        let more = self.count.saturating_sub(self.samples.len() as u64);
        if more > 0 { write!(f, "\n        and {more} more") } else { Ok(()) }
    }
}

fn rules(f: &mut fmt::Formatter<'_>, from: &Rules, to: &Rules) -> fmt::Result {
    for (name, from, to) in
        [("validationLevel", &from.level, &to.level), ("validationAction", &from.action, &to.action)]
    {
        if from != to {
            write!(f, "\n    - {name}: {from}\n    + {name}: {to}")?;
        }
    }
    let mut lines = Vec::new();
    let (from, to) = (Bson::Document(schema(from).clone()), Bson::Document(schema(to).clone()));
    compare(&mut String::new(), (Some(&from), Some(&to)), &mut lines);
    lines.iter().try_for_each(|line| write!(f, "\n    {line}"))
}

/// The `$jsonSchema` of a validator that is nothing else, so that pointers are short; any other as a whole.
fn schema(rules: &Rules) -> &Document {
    let schema = rules.validator.get_document("$jsonSchema").ok();
    schema.filter(|_| rules.validator.len() == 1).unwrap_or(&rules.validator)
}

/// The smallest places at which two values differ, each with its pointer. BSON nesting is bounded by the server.
fn compare(pointer: &mut String, values: (Option<&Bson>, Option<&Bson>), lines: &mut Vec<String>) {
    if let (Some(Bson::Document(from)), Some(Bson::Document(to))) = values {
        let added = to.keys().filter(|key| !from.contains_key(key));
        for key in from.keys().chain(added) {
            let length = pointer.len();
            push_token(pointer, key);
            compare(pointer, (from.get(key), to.get(key)), lines);
            pointer.truncate(length);
        }
    } else if values.0 != values.1 {
        let mut line =
            |sign, value: Option<&Bson>| lines.extend(value.map(|v| format!("{sign} {pointer}: {}", Json(v))));
        line('-', values.0);
        line('+', values.1);
    }
}

/// An index as one line: `books.isbn_1 {"isbn":1} unique`.
struct Shown<'i>(&'i str, &'i Index);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(collection, index) = self;
        write!(f, "{collection}.{} ", index.name)?;
        object(f, &index.keys)?;
        index.options.iter().try_for_each(|(name, value)| match value {
            Bson::Boolean(true) => write!(f, " {name}"),
            value => write!(f, " {name}: {}", Json(value)),
        })
    }
}

/// A value as compact JSON with its members in order; what JSON has no type for is Extended JSON.
pub(super) struct Json<'v>(pub(super) &'v Bson);

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Bson::Document(members) => object(f, members),
            Bson::Array(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    write!(f, "{}{}", if i > 0 { "," } else { "" }, Json(item))?;
                }
                f.write_str("]")
            }
            leaf => write!(f, "{}", leaf.clone().into_relaxed_extjson()),
        }
    }
}

fn object(f: &mut fmt::Formatter<'_>, members: &Document) -> fmt::Result {
    f.write_str("{")?;
    for (i, (name, value)) in members.iter().enumerate() {
        let name = Bson::String(name.clone());
        write!(f, "{}{}:{}", if i > 0 { "," } else { "" }, Json(&name), Json(value))?;
    }
    f.write_str("}")
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;
    use crate::{error::Violation, sync::breaking::Sample};

    fn index(name: &str, keys: Document, options: Document) -> Index {
        Index { name: name.to_owned(), keys, options }
    }

    fn schema(body: Document) -> Rules {
        Rules::strict(doc! { "$jsonSchema": body })
    }

    #[test]
    fn a_plan_reads_like_a_diff() {
        let books = || "books".to_owned();
        let isbn = || index("isbn_1", doc! { "isbn": 1 }, doc! { "unique": true });
        let price = |minimum: i32| doc! { "properties": { "a/b": { "minimum": minimum, "bsonType": "int" } } };
        let violation = Violation {
            pointer: "/a~1b".to_owned(),
            detail: "must be at least 1".to_owned(),
            keyword: "minimum".to_owned(),
            expected: None,
            found: None,
            rule: Some("#/properties/a~1b".to_owned()),
        };
        let breaking = Breaking { count: 7, samples: vec![Sample { id: Bson::Int32(3), violations: vec![violation] }] };
        let plan = Plan {
            changes: vec![
                Change::CreateCollection {
                    collection: "authors".to_owned(),
                    indexes: vec![index("n", doc! { "z": 1, "a": -1 }, doc! {})],
                },
                Change::SetValidator { collection: books(), from: schema(price(0)), to: schema(price(1)) },
                Change::CreateIndex { collection: books(), index: isbn(), documents: 1 },
                Change::UnknownIndex { collection: books(), index: index("foo", doc! { "foo": 1 }, doc! {}) },
                Change::NotACollection { collection: "loans".to_owned(), kind: "view".to_owned() },
            ],
            breaking: [(books(), breaking)].into(),
        };
        let expected = r#"+ collection authors [safe]
    + index authors.n {"z":1,"a":-1}
~ validator books [safe]
    - /properties/a~1b/minimum: 0
    + /properties/a~1b/minimum: 1
    ! 7 stored documents break it; correct them first:
        _id 3
            /a~1b: must be at least 1 (#/properties/a~1b/minimum)
        and 6 more
+ index books.isbn_1 {"isbn":1} unique [safe]
? index books.foo {"foo":1} (not in the files, left alone)
! collection loans (a view has this name; rename or drop it) [impossible]"#;
        assert_eq!(plan.to_string(), expected);
    }
}
