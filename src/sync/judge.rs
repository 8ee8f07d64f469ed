//! The stored documents that stand in the way of changes.

use futures::{StreamExt, TryStreamExt, stream};
use mongodb::Database;

use super::{Breaking, Change, Counting, Duplicates, Plan, breaking, count::Pace, duplicates};
use crate::{
    error::Result,
    schema::{Catalog, Index, Schema},
};

/// How many collections are looked at together when nothing but time counts.
const TOGETHER: usize = 4;

/// Counts the stored documents that stand in the way of the changes.
pub(super) async fn judge(db: &Database, catalog: &Catalog, changes: Vec<Change>, counting: &Counting) -> Result<Plan> {
    let questions = changes.iter().filter_map(|change| Question::of(change, catalog));
    let answers: Vec<_> = questions.map(|question| question.answer(db, counting)).collect();
    let together = if counting.pace == Pace::Full { TOGETHER } else { 1 };
    let answers: Vec<_> = stream::iter(answers).buffered(together).try_collect().await?;
    let mut plan = Plan { changes, ..Plan::default() };
    answers.into_iter().flatten().for_each(|answer| plan.take(answer));
    // A wish for leniency that no document makes use of is nothing to tell of.
    let breaking = &plan.breaking;
    let is_used = |collection: &String| breaking.get(collection).is_some_and(Breaking::is_in_the_way);
    plan.changes.retain(|change| !matches!(change, Change::Lenient { collection, .. } if !is_used(collection)));
    Ok(plan)
}

/// What a change asks of the stored documents.
enum Question<'q> {
    /// Whether they meet the validator.
    Rules(&'q Schema),
    /// Whether they share keys of the index.
    Keys(&'q str, &'q Index),
}

enum Answer {
    Breaking(String, Breaking),
    Duplicates((String, String), Duplicates),
}

impl<'q> Question<'q> {
    fn of(change: &'q Change, catalog: &'q Catalog) -> Option<Self> {
        match change.built() {
            Some(index) => Some(Self::Keys(change.collection(), index)),
            None if change.is_counted() => catalog.get(change.collection()).map(|schema| Self::Rules(schema)),
            None => None,
        }
    }

    async fn answer(self, db: &Database, counting: &Counting) -> Result<Option<Answer>> {
        Ok(match self {
            Self::Rules(schema) => {
                let found = breaking::find(db, schema, counting).await?;
                found.map(|found| Answer::Breaking(schema.name.clone(), found))
            }
            Self::Keys(collection, index) => {
                let found = duplicates::find(db, (collection, index), counting).await?;
                found.map(|found| Answer::Duplicates((collection.to_owned(), index.name.clone()), found))
            }
        })
    }
}

impl Plan {
    fn take(&mut self, answer: Answer) {
        match answer {
            Answer::Breaking(collection, found) => drop(self.breaking.insert(collection, found)),
            Answer::Duplicates(index, found) => drop(self.duplicates.insert(index, found)),
        }
    }
}
