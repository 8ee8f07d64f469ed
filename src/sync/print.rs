//! Changes as people read them: one block for each, its risk in brackets.

use std::fmt;

use super::{
    Breaking, Change, Count, Duplicates, Plan, Risk,
    rules::{Kind, RuleChange},
};

mod values;

use values::{Clean, Shown};
pub(super) use values::{Json, Written};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.steps().enumerate() {
            write!(f, "{}{}", if i > 0 { "\n" } else { "" }, step.change)?;
            step.breaking.iter().try_for_each(|breaking| write!(f, "\n{breaking}"))?;
            step.duplicates.iter().try_for_each(|duplicates| write!(f, "\n{duplicates}"))?;
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
            Self::SetValidator { documents, .. } => rules(f, &self.rules(), *documents),
            Self::EndStage { .. } => rules(f, &self.rules(), 0),
            Self::AlterIndex { collection, from, to } => {
                write!(f, "\n    - {}\n    + {}", Shown(collection, from), Shown(collection, to))
            }
            Self::RebuildIndex { collection, from, to, documents } => {
                write!(f, "\n    - {}\n    + {}", Shown(collection, from), Shown(collection, to))?;
                scan(f, *documents)
            }
            Self::CreateIndex { documents, .. } => scan(f, *documents),
            _ => Ok(()),
        }
    }
}

/// The first line of a change's block.
pub fn headline(change: &Change) -> String {
    let risk = match change.risk() {
        Risk::Report => String::new(),
        risk => format!(" [{}]", risk.name()),
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
        Change::EndStage { collection, .. } => {
            format!("~ validator {collection} (its stage ends once no stored document breaks it)")
        }
        Change::Lenient { collection, rules } => format!(
            "? validator {collection} (not held against every write: {}, {}, as its file says)",
            rules.level, rules.action
        ),
        Change::SetPreImages { collection, to } => {
            format!("~ pre-images {collection} ({})", if *to { "on" } else { "off" })
        }
        Change::UnknownPreImages { collection } => {
            format!("? pre-images {collection} (on; not in the files, left alone)")
        }
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
    what + &risk
}

/// How much there is to read for an index.
fn scan(f: &mut fmt::Formatter<'_>, documents: u64) -> fmt::Result {
    if documents == 0 { Ok(()) } else { write!(f, "\n    reads about {}", counted(documents, "document")) }
}

fn rules(f: &mut fmt::Formatter<'_>, rules: &[RuleChange], documents: u64) -> fmt::Result {
    if rules.is_empty() {
        return f.write_str("\n    (its notes only)");
    }
    rules.iter().try_for_each(|rule| write!(f, "\n    {rule}"))?;
    let tightens = documents > 0 && rules.iter().any(|rule| rule.kind.tightens());
    if tightens { scan(f, documents) } else { Ok(()) }
}

impl fmt::Display for RuleChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pointer, keyword, kind, from, to } = self;
        let sign = match (from, to, kind) {
            (None, Some(_), _) | (None, None, Kind::Added) => '+',
            (Some(_), None, _) | (None, None, Kind::Removed) => '-',
            _ => '~',
        };
        let of = |pointer: &str| if pointer.is_empty() { String::new() } else { format!("{} ", Clean(pointer)) };
        write!(f, "{sign} {}{}", of(pointer), Clean(keyword))?;
        match (from, to) {
            (None, None) => Ok(()),
            (Some(one), None) | (None, Some(one)) => write!(f, ": {}", Written(one)),
            (Some(from), Some(to)) => write!(f, ": {} → {}", Written(from), Written(to)),
        }?;
        write!(f, " ({})", kind.name())
    }
}

impl fmt::Display for Breaking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stored = |count| if count == 1 { "stored document breaks" } else { "stored documents break" };
        match self.count {
            Count::Estimated { about: 0, sampled } => {
                return write!(
                    f,
                    "    none of a sample of {} breaks it, which is no promise",
                    counted(sampled, "document")
                );
            }
            Count::Estimated { about, sampled } => {
                let sample = counted(sampled, "document");
                write!(
                    f,
                    "    ! about {about} {} it, judging by a sample of {sample}; correct them first:",
                    stored(about)
                )
            }
            Count::Exact(count) => write!(f, "    ! {count} {} it; correct them first:", stored(count)),
        }?;
        for sample in &self.samples {
            write!(f, "\n        _id {}", Json(&sample.id))?;
            for violation in &sample.violations {
                write!(f, "\n            {}: {}", Clean(&violation.pointer), Clean(&violation.detail))?;
                violation.rule.iter().try_for_each(|rule| write!(f, " ({}/{})", Clean(rule), violation.keyword))?;
            }
        }
        and_more(f, self.count.value(), self.samples.len())
    }
}

impl fmt::Display for Duplicates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (keys, documents) = (self.keys, counted(self.documents, "stored document"));
        let has = if keys == 1 { "key is" } else { "keys are" };
        write!(f, "    ! {keys} {has} shared by {documents}; correct them first:")?;
        for shared in &self.samples {
            let ids: Vec<_> = shared.ids.iter().map(|id| Json(id).to_string()).collect();
            let rest = if (shared.ids.len() as u64) < shared.documents { ", …" } else { "" };
            write!(f, "\n        {} in {}: _id ", values::object(&shared.key), counted(shared.documents, "document"))?;
            write!(f, "{}{rest}", ids.join(", "))?;
        }
        and_more(f, keys, self.samples.len())
    }
}

fn and_more(f: &mut fmt::Formatter<'_>, all: u64, shown: usize) -> fmt::Result {
    let more = all.saturating_sub(shown as u64);
    if more > 0 { write!(f, "\n        and {more} more") } else { Ok(()) }
}

fn counted(count: u64, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use bson::{Bson, Document, doc};

    use super::*;
    use crate::{
        error::Violation,
        schema::{
            Index,
            options::{Action, Level},
        },
        sync::{Count, Rules, Sample},
    };

    fn index(name: &str, keys: Document, options: Document) -> Index {
        Index { name: name.to_owned(), keys, options }
    }

    fn schema(body: Document) -> Rules {
        Rules::new(doc! { "$jsonSchema": body }, Level::Strict, Action::Error)
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
            condition: None,
        };
        let breaking = Breaking {
            count: Count::Exact(7),
            samples: vec![Sample { id: Bson::Int32(3), violations: vec![violation] }],
        };
        let plan = Plan {
            changes: vec![
                Change::CreateCollection {
                    collection: "authors".to_owned(),
                    indexes: vec![index("n", doc! { "z": 1, "a": -1 }, doc! {})],
                },
                Change::SetValidator {
                    collection: books(),
                    from: schema(price(0)),
                    to: schema(price(1)),
                    stage: None,
                    documents: 9,
                },
                Change::CreateIndex { collection: books(), index: isbn(), documents: 1 },
                Change::UnknownIndex { collection: books(), index: index("foo", doc! { "foo": 1 }, doc! {}) },
                Change::NotACollection { collection: "loans".to_owned(), kind: "view".to_owned() },
            ],
            breaking: [(books(), breaking)].into(),
            ..Plan::default()
        };
        let expected = r#"+ collection authors [safe]
    + index authors.n {"z":1,"a":-1}
~ validator books [safe]
    ~ #/properties/a~1b minimum: 0 → 1 (tightened)
    reads about 9 documents
    ! 7 stored documents break it; correct them first:
        _id 3
            /a~1b: must be at least 1 (#/properties/a~1b/minimum)
        and 6 more
+ index books.isbn_1 {"isbn":1} unique [safe]
    reads about 1 document
? index books.foo {"foo":1} (not in the files, left alone)
! collection loans (a view has this name; rename or drop it) [impossible]"#;
        assert_eq!(plan.to_string(), expected);
    }
}
