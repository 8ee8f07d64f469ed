//! How many stored documents match a filter, found in steps of which each takes the server a moment.
//!
//! Between two steps whoever asks can give up, and the server has time for others. All documents are met in the order
//! of `_id`: a step goes from one `_id` to another by the bounds of the index on it, since conditions on `_id` would
//! pass over those of other BSON types. What others insert or delete meanwhile is counted or not, but nothing twice.
//!
//! What the filter is for is not known here.

use std::{num::NonZeroU64, time::Duration};

use bson::{Document, RawDocumentBuf, raw::cstr, rawdoc};
use futures::TryStreamExt;
use mongodb::{Database, error::Error as DriverError};
use tokio::time::{Instant, sleep};

use super::count::{Count, Counting, Pace, Reading};
use crate::{error::Error, store::failure};

/// How many documents the first step looks at.
const FIRST: u64 = 1000;

/// The fewest and the most that a step looks at.
const STEP: (u64, u64) = (100, 20_000);

/// More than any step gives, so that no cursor is left open on the server between two steps.
const WHOLE: i64 = 100_000;

/// How long a step is to take.
const MOMENT: Duration = Duration::from_millis(50);

/// How many matching documents are named.
const NAMED: usize = 5;

/// The server draws a sample without reading everything if it is a smaller part of the collection than this.
///
/// See [`$sample`](https://www.mongodb.com/docs/manual/reference/operator/aggregation/sample/).
const PART: u64 = 20;

/// A drawing in which the server met the same document again and again: it holds far fewer than its statistics say.
const UNDRAWABLE: i32 = 28799;

/// What the server's own lists of what it is doing say of us.
const COMMENT: &str = "folio: counting stored documents";

/// Documents that were found.
#[derive(Debug)]
pub(super) struct Met {
    /// How many there are.
    pub(super) count: Count,
    /// The first few, as `{ _id: … }`.
    pub(super) first: Vec<RawDocumentBuf>,
}

/// What is looked for, and where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Search<'s> {
    pub(super) db: &'s Database,
    pub(super) collection: &'s str,
    pub(super) filter: &'s Document,
    pub(super) counting: &'s Counting,
}

impl Search<'_> {
    /// Counts the documents that match, exactly or by a sample as the counting says. Where a sample would cost as much
    /// as all documents, all are looked at.
    pub(super) async fn run(self) -> Result<Met, DriverError> {
        let documents = self.db.collection::<Document>(self.collection).estimated_document_count().await?;
        let steps = Steps { filter: RawDocumentBuf::try_from(self.filter)?, search: self, of: documents };
        match self.counting.sample {
            Some(size) if pays(size.get(), documents) => match steps.draw(size).await {
                Err(error) if failure::code(&error) == Some(UNDRAWABLE) => steps.walk().await,
                outcome => outcome,
            },
            _ => steps.walk().await,
        }
    }
}

/// Whether drawing so many is cheaper than reading all.
fn pays(size: u64, documents: u64) -> bool {
    size < documents && size.min(FIRST).saturating_mul(PART) < documents
}

struct Steps<'s> {
    search: Search<'s>,
    filter: RawDocumentBuf,
    of: u64,
}

impl Steps<'_> {
    /// Looks at every document up to the one that is last when it begins: those of a busy writer would never end.
    async fn walk(&self) -> Result<Met, DriverError> {
        let (mut count, mut first) = (0, Vec::new());
        let mut meet = |met: Vec<RawDocumentBuf>| {
            count += met.len() as u64;
            let room = NAMED - first.len();
            first.extend(met.into_iter().take(room));
        };
        if let (Some(mut from), Some(last)) = (self.outermost(1).await?, self.outermost(-1).await?) {
            let (mut size, mut done) = (FIRST, 0);
            while from != last {
                self.tell(done);
                let begun = Instant::now();
                let next = self.after((&from, &last), size).await?.unwrap_or_else(|| last.clone());
                meet(self.between(&from, &next).await?);
                (from, done) = (next, done + size);
                size = self.rest(begun.elapsed(), size).await;
            }
            meet(self.itself(&last).await?);
        }
        self.tell(self.of);
        Ok(Met { count: Count::Exact(count), first })
    }

    /// Looks at documents drawn at random, and infers how many there are of all.
    async fn draw(&self, sample: NonZeroU64) -> Result<Met, DriverError> {
        let (mut hits, mut sampled, mut first) = (0, 0, Vec::new());
        while sampled < sample.get() {
            self.search.counting.progress.tell(&self.reading(sampled, sample.get()));
            let (begun, size) = (Instant::now(), FIRST.min(sample.get() - sampled));
            let met = self.drawn(size).await?;
            (hits, sampled) = (hits + met.len() as u64, sampled + size);
            for document in met {
                if first.len() < NAMED && !first.contains(&document) {
                    first.push(document);
                }
            }
            self.rest(begun.elapsed(), size).await;
        }
        self.search.counting.progress.tell(&self.reading(sampled, sampled));
        Ok(Met { count: Count::Estimated { about: share(hits, sampled, self.of), sampled }, first })
    }

    fn tell(&self, done: u64) {
        self.search.counting.progress.tell(&self.reading(done.min(self.of), self.of));
    }

    fn reading(&self, done: u64, of: u64) -> Reading<'_> {
        Reading { collection: self.search.collection, index: None, done, of }
    }

    /// Gives the server time for others, and returns how many documents the next step may look at.
    async fn rest(&self, took: Duration, size: u64) -> u64 {
        if self.search.counting.pace == Pace::Gentle {
            sleep(took).await;
        }
        next_size(took, size)
    }

    /// The first document there is, or with -1 the last.
    async fn outermost(&self, direction: i32) -> Result<Option<RawDocumentBuf>, DriverError> {
        let more = rawdoc! { "sort": { "_id": direction }, "limit": 1_i64 };
        Ok(self.find(rawdoc! {}, more).await?.pop())
    }

    /// The document so many after `from`; `None` where `last` is no further.
    async fn after(
        &self,
        (from, last): (&RawDocumentBuf, &RawDocumentBuf),
        size: u64,
    ) -> Result<Option<RawDocumentBuf>, DriverError> {
        let mut more = bounds(from, last);
        more.append(cstr!("skip"), i64::try_from(size).unwrap_or(i64::MAX));
        more.append(cstr!("limit"), 1_i64);
        Ok(self.find(rawdoc! {}, more).await?.pop())
    }

    /// The documents that match from `from` up to just before `end`.
    async fn between(&self, from: &RawDocumentBuf, end: &RawDocumentBuf) -> Result<Vec<RawDocumentBuf>, DriverError> {
        self.find(self.filter.clone(), bounds(from, end)).await
    }

    /// The document with this `_id`, if it matches.
    async fn itself(&self, document: &RawDocumentBuf) -> Result<Vec<RawDocumentBuf>, DriverError> {
        let Some(id) = document.get("_id")? else { return Ok(Vec::new()) };
        let filter = rawdoc! { "$and": [{ "_id": { "$eq": id } }, self.filter.clone()] };
        self.find(filter, rawdoc! {}).await
    }

    async fn find(&self, filter: RawDocumentBuf, more: RawDocumentBuf) -> Result<Vec<RawDocumentBuf>, DriverError> {
        let mut command = rawdoc! { "find": self.search.collection, "filter": filter };
        command.append(cstr!("projection"), rawdoc! { "_id": 1 });
        command.append(cstr!("batchSize"), WHOLE);
        command.append(cstr!("hint"), rawdoc! { "_id": 1 });
        for member in more.iter_elements() {
            let member = member?;
            command.append(member.key(), member.value()?);
        }
        self.read(command).await
    }

    async fn drawn(&self, size: u64) -> Result<Vec<RawDocumentBuf>, DriverError> {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        let pipeline = bson::rawbson!([
            { "$sample": { "size": size } }, { "$match": self.filter.clone() }, { "$project": { "_id": 1 } }
        ]);
        self.read(
            rawdoc! { "aggregate": self.search.collection, "pipeline": pipeline, "cursor": { "batchSize": WHOLE } },
        )
        .await
    }

    /// What the command gives; asks once more where the first attempt met a server that went away.
    async fn read(&self, mut command: RawDocumentBuf) -> Result<Vec<RawDocumentBuf>, DriverError> {
        command.append(cstr!("comment"), COMMENT);
        match self.answer(command.clone()).await {
            Err(error) if matches!(error.clone().into(), Error::Unavailable { .. }) => self.answer(command).await,
            outcome => outcome,
        }
    }

    async fn answer(&self, command: RawDocumentBuf) -> Result<Vec<RawDocumentBuf>, DriverError> {
        self.search.db.run_raw_cursor_command(command).await?.with_type().try_collect().await
    }
}

/// The bounds of a step in the index on `_id`: `from` is in it, `end` is not.
fn bounds(from: &RawDocumentBuf, end: &RawDocumentBuf) -> RawDocumentBuf {
    let mut bounds = rawdoc! { "sort": { "_id": 1 } };
    bounds.append(cstr!("min"), from);
    bounds.append(cstr!("max"), end);
    bounds
}

/// How many documents the next step looks at, so that it takes about a [`MOMENT`].
fn next_size(took: Duration, size: u64) -> u64 {
    let fitting = u128::from(size) * MOMENT.as_micros() / took.as_micros().max(1);
    let fitting = u64::try_from(fitting).unwrap_or(u64::MAX);
    fitting.clamp(size / 2, size * 2).clamp(STEP.0, STEP.1)
}

/// How many of all documents are like `hits` of the `sampled`. None is no more than one that was met.
fn share(hits: u64, sampled: u64, documents: u64) -> u64 {
    let (hits, sampled, documents) = (u128::from(hits), u128::from(sampled.max(1)), u128::from(documents));
    let about = (hits * documents + sampled / 2) / sampled;
    u64::try_from(about.max(hits.min(1))).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_take_about_a_moment() {
        let cases = [(50, 1000, 1000), (100, 1000, 500), (1, 1000, 2000), (5000, 150, 100), (1, 20_000, 20_000)];
        for (millis, size, next) in cases {
            assert_eq!(next_size(Duration::from_millis(millis), size), next, "{millis} ms for {size}");
        }
        assert_eq!(next_size(Duration::ZERO, 1000), 2000);
    }

    #[test]
    fn samples_are_drawn_where_that_is_cheaper() {
        let cases =
            [(10, 150, false), (10, 201, true), (5000, 20_000, false), (5000, 20_001, true), (5000, 100, false)];
        for (size, documents, drawn) in cases {
            assert_eq!(pays(size, documents), drawn, "{size} of {documents}");
        }
        assert!(!pays(u64::MAX, u64::MAX));
    }

    #[test]
    fn what_was_met_is_scaled_up() {
        let cases =
            [(0, 1000, 1_000_000, 0), (1, 1000, 1_000_000, 1000), (1, 1000, 10, 1), (500, 1000, 33_333, 16_667)];
        for (hits, sampled, documents, about) in cases {
            assert_eq!(share(hits, sampled, documents), about, "{hits} of {sampled}");
        }
        assert_eq!(share(u64::MAX, 1, u64::MAX), u64::MAX);
    }
}
