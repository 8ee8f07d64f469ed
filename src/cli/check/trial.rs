//! The trial of one file's examples: each is inserted as a POST would insert it, and taken out again.

use std::{cell::Cell, fmt, sync::Arc};

use bson::{RawDocumentBuf, doc};
use mongodb::{Collection, Database};

use super::fields;
use crate::{
    codec::decode,
    error::{Error, Mistake, Result, Violation},
    json::Tree,
    schema::{Field, Kind, Schema, Stamp, access::User},
    store::failure,
    update::InsertPlan,
};

/// What came of the examples of a file.
#[derive(Debug, Default)]
pub(super) struct Tried {
    /// How many examples MongoDB takes.
    pub(super) accepted: usize,
    /// The counterexamples that it refuses, and the rules they break.
    pub(super) refused: Vec<Refused>,
    /// What came out otherwise than the file says.
    pub(super) mistakes: Vec<Mistake>,
}

/// A document that MongoDB refuses.
#[derive(Debug)]
pub(super) struct Refused {
    /// Where it stands in the file.
    pointer: String,
    violations: Vec<Violation>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}: refused: {}", self.pointer, broken(&self.violations))
    }
}

/// What becomes of an example.
pub(super) enum Verdict {
    Accepted,
    Refused(Vec<Violation>),
    /// The service does not hand it to MongoDB, and why.
    Unfit(String),
}

impl Tried {
    /// Puts down what became of an example.
    pub(super) fn example(&mut self, schema: &Schema, pointer: String, verdict: Verdict) {
        match verdict {
            Verdict::Accepted => self.accepted += 1,
            Verdict::Refused(violations) => {
                self.mistake(schema, pointer, format!("is refused: {}", broken(&violations)));
            }
            Verdict::Unfit(why) => self.mistake(schema, pointer, why),
        }
    }

    /// Puts down what became of a counterexample.
    fn counterexample(&mut self, schema: &Schema, pointer: String, verdict: Verdict) {
        match verdict {
            Verdict::Accepted => self.mistake(schema, pointer, "is accepted, and should break a rule"),
            Verdict::Refused(violations) => self.refused.push(Refused { pointer, violations }),
            Verdict::Unfit(why) => {
                let detail = format!("says nothing of the rules, since it never comes to MongoDB: {why}");
                self.mistake(schema, pointer, detail);
            }
        }
    }

    fn mistake(&mut self, schema: &Schema, pointer: String, detail: impl Into<String>) {
        self.mistakes.push(Mistake { path: schema.source.path.clone(), pointer, detail: detail.into() });
    }
}

/// Tries the examples and counterexamples of `schema`, whose collection `db` has; no more of them once it is to stop.
pub(super) async fn of_file(db: &Database, schema: &Arc<Schema>, is_stopping: &Cell<bool>) -> Result<Tried> {
    let trial = Trial { collection: db.collection(&schema.name), schema, user: caller(&schema.root) };
    let mut tried = Tried::default();
    let listed = |keyword| listed(schema, keyword).take_while(|_| !is_stopping.get());
    for (pointer, tree) in listed("examples") {
        tried.example(schema, pointer, trial.verdict(tree).await?);
    }
    fields::of_file(db, schema, &mut tried).await?;
    for (pointer, tree) in listed("x-counterexamples") {
        tried.counterexample(schema, pointer, trial.verdict(tree).await?);
    }
    Ok(tried)
}

/// The items that the keyword lists at the root, each with its pointer.
fn listed<'s>(schema: &'s Schema, keyword: &'static str) -> impl Iterator<Item = (String, &'s Tree)> {
    let items = schema.source.tree.get(keyword).and_then(Tree::as_array).unwrap_or_default();
    items.iter().enumerate().map(move |(at, item)| (format!("/{keyword}/{at}"), item))
}

/// The broken rules, in one line.
fn broken(violations: &[Violation]) -> String {
    let rule = |violation: &Violation| {
        let Violation { pointer, detail, keyword, .. } = violation;
        let place = if pointer.is_empty() { String::new() } else { format!("{pointer}: ") };
        let rule = violation.rule.iter().map(|rule| format!(" ({rule}/{keyword})"));
        format!("{place}{detail}{}", rule.collect::<String>())
    };
    violations.iter().map(rule).collect::<Vec<_>>().join("; ")
}

struct Trial<'s> {
    collection: Collection<RawDocumentBuf>,
    schema: &'s Arc<Schema>,
    user: User,
}

impl Trial<'_> {
    async fn verdict(&self, tree: &Tree) -> Result<Verdict> {
        let text = tree.text(&self.schema.source.text);
        let body = match decode::document(text.as_bytes(), &self.schema.root) {
            Ok(body) => body,
            Err(error) => return Ok(Verdict::Unfit(error.detail)),
        };
        match InsertPlan::new((self.schema, Some(&self.user)), None, &body) {
            Ok(plan) => self.insert(&plan.document).await,
            Err(Error::InvalidDocument { violations, .. }) => Ok(Verdict::Unfit(broken(&violations))),
            Err(error) => Ok(Verdict::Unfit(error.to_string())),
        }
    }

    /// Each document is alone in the collection: examples show what documents are like, not a stock of them, and two may
    /// well have the same values under a unique index.
    async fn insert(&self, document: &RawDocumentBuf) -> Result<Verdict> {
        match self.collection.insert_one(document).await {
            Ok(_) => {
                self.collection.delete_many(doc! {}).await?;
                Ok(Verdict::Accepted)
            }
            Err(error) => match failure::of_write(&error, self.schema, Some(document)) {
                Error::InvalidDocument { violations, .. } => Ok(Verdict::Refused(violations)),
                other => Err(other),
            },
        }
    }
}

/// Someone whose id can stand in the fields that hold the caller's, as far as one id can.
fn caller(root: &Field) -> User {
    const IDS: [&str; 3] = ["6650f0000000000000000001", "6650f000-0000-4000-8000-000000000001", "1"];
    let fits = |id: &&str| {
        stamps_user(root, &|field: &Field| field.kinds.contains(Kind::String) || decode::text(id, field).is_some())
    };
    let id = IDS.into_iter().find(fits).unwrap_or(IDS[0]);
    User { id: id.to_owned(), name: "an example".to_owned(), ..User::default() }
}

/// Whether `holds` of every field into which the service writes the caller's id.
fn stamps_user(field: &Field, holds: &impl Fn(&Field) -> bool) -> bool {
    let is_stamped = field.set.is_some_and(|set| set.insert == Some(Stamp::User));
    (!is_stamped || holds(field)) && field.properties.values().all(|member| stamps_user(member, holds))
}
