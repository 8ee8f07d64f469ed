//! Many different writes, each by itself: what refuses one of them leaves the others alone.
//!
//! The changes of a round are made in one transaction nevertheless. Where the database refuses one of them, that is left
//! out, and the others are made anew, in portions that begin small and grow while nothing is refused: so many refusals do
//! not each cost what the whole round does.

use futures::FutureExt;
use tokio::time::Instant;

use super::{
    Inserts, Job, RACES, order,
    round::{Round, Step, Steps},
};
use crate::{
    access::Write,
    error::{Error, Result},
    store::{
        Store, left,
        write::{
            array::insert_apart,
            outcome::{Inserted, Outcome, Shown},
            same,
            transaction::{self, Wrote},
        },
    },
};

/// Makes each of the `writes` that is not refused already, which are one caller's to one collection, and tells what became
/// of each, in order.
pub async fn write_each(store: &Store, writes: Vec<Result<Write>>, shown: Shown) -> Vec<Result<Outcome>> {
    let (mut writes, mut results) = (writes.into_iter().map(Some).collect::<Vec<_>>(), Vec::new());
    for write in &mut writes {
        results.push(write.take_if(|write| write.is_err()).and_then(Result::err).map(Err));
    }
    let there = writes.iter().map(|write| write.as_ref().and_then(|write| write.as_ref().ok()));
    if let Some(job) = Job::of(there, false) {
        let deadline = Instant::now() + store.deadline;
        Each { store, job: &job, shown, deadline, results: &mut results }.run().await;
    }
    let lost = || Err(Error::Internal("nothing is known of a write".into()));
    results.into_iter().map(|result| result.unwrap_or_else(lost)).collect()
}

/// Writes that are being made.
struct Each<'e, 'j> {
    store: &'e Store,
    job: &'e Job<'j>,
    shown: Shown,
    deadline: Instant,
    /// By the places of the writes.
    results: &'e mut [Option<Result<Outcome>>],
}

impl Each<'_, '_> {
    async fn run(mut self) {
        let (job, store) = (self.job, self.in_time());
        let order = transaction::run(&store, |transaction| {
            async { Ok((order::rounds(transaction, job).await?, Wrote::Nothing)) }.boxed()
        });
        match order.await {
            Ok(rounds) => {
                for items in rounds {
                    self.round(items).await;
                }
            }
            Err(error) => self.fail(&(0..job.writes.len()).collect::<Vec<_>>(), &error),
        }
    }

    /// Makes these writes; those that others were faster to create the document of are made again.
    async fn round(&mut self, mut items: Vec<usize>) {
        let mut races = 0;
        while !items.is_empty() {
            let inserts = self.change(items).await;
            items = self.insert(inserts, races < RACES).await;
            races += 1;
        }
    }

    /// Changes and deletes documents, and gives those that are to be inserted.
    async fn change(&mut self, items: Vec<usize>) -> Inserts {
        let (mut most, mut waiting, mut inserts) = (items.len(), vec![items], Vec::new());
        while let Some(mut portion) = waiting.pop() {
            let rest = portion.split_off(most.min(portion.len()));
            waiting.extend(Some(rest).filter(|rest| !rest.is_empty()));
            let error = match self.portion(&portion).await {
                Ok((steps, left)) => {
                    most = (portion.len() - left.len()).saturating_mul(2);
                    inserts.extend(self.note(steps));
                    waiting.extend(Some(left).filter(|left| !left.is_empty()));
                    continue;
                }
                Err(error) => error,
            };
            let (item, error) = of_item(error);
            match portion.iter().position(|of_portion| Some(*of_portion) == item) {
                None => self.fail(&portion, &error),
                Some(at) => {
                    most = 1;
                    let after = portion.split_off(at + 1);
                    self.results[portion.remove(at)] = Some(Err(error));
                    waiting.extend([after, portion].into_iter().filter(|items| !items.is_empty()));
                }
            }
        }
        inserts
    }

    /// Makes the writes in one transaction, which the database refuses as a whole; those that were too much for it are
    /// given beside.
    async fn portion(&mut self, items: &[usize]) -> Result<(Steps, Vec<usize>)> {
        let (store, job, before) = (self.in_time(), self.job, self.shown);
        let done = transaction::run(&store, |transaction| {
            async move {
                let mut shown = before;
                let done = Round::of(transaction, (job, items), &mut shown).run().await?;
                Ok(((done, shown), Wrote::Something))
            }
            .boxed()
        });
        let (done, shown) = done.await?;
        self.shown = shown;
        Ok(done)
    }

    fn note(&mut self, steps: Steps) -> Inserts {
        let mut inserts = Vec::new();
        for (item, step) in steps {
            match step {
                Ok(Step::Insert(document)) => inserts.push((item, document)),
                Ok(Step::Done(outcome)) => self.results[item] = Some(Ok(outcome)),
                Err(error) => self.results[item] = Some(Err(error)),
            }
        }
        inserts
    }

    /// Inserts each of the documents. Which writes are to be made `again`: there was no document, and then there was.
    async fn insert(&mut self, inserts: Inserts, again: bool) -> Vec<usize> {
        let (items, documents): (Vec<_>, Vec<_>) =
            inserts.into_iter().map(|(item, document)| (item, Ok(document))).unzip();
        let mut lost = Vec::new();
        if items.is_empty() {
            return lost;
        }
        let (store, view) = (self.in_time(), self.job.view);
        let inserted = insert_apart(&store, (self.job.schema(), view), documents, self.shown).await;
        match inserted.and_then(Inserted::outcomes) {
            Err(error) => self.fail(&items, &error),
            Ok(inserted) => {
                for (item, inserted) in items.into_iter().zip(inserted) {
                    match inserted {
                        Err(error) if again && self.job.lost_race_of(item, &error) => lost.push(item),
                        inserted => self.results[item] = Some(inserted),
                    }
                }
            }
        }
        lost
    }

    fn fail(&mut self, items: &[usize], error: &Error) {
        // What was refused before stays so.
        for item in items.iter().filter(|item| self.job.writes[**item].is_some()) {
            self.results[*item] = Some(Err(same(error)));
        }
    }

    /// The database for as long as there is time.
    fn in_time(&self) -> Store {
        self.store.until(left(self.deadline))
    }
}

/// The write that is at fault, if it is one, and why.
fn of_item(error: Error) -> (Option<usize>, Error) {
    match error {
        Error::Partly { error, done } => (done.item, *error),
        error => (None, error),
    }
}
