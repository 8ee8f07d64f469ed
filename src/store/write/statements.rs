//! Commands of many statements, as few as hold them, in a transaction.

use bson::{
    Document, RawArrayBuf, RawBson, RawDocumentBuf,
    raw::{CStr, cstr},
    rawdoc,
};

use super::{
    fit,
    transaction::{Failed, Transaction},
};
use crate::{
    codec::decode::MAX_DOCUMENT,
    error::Result,
    schema::Schema,
    store::{failure, failure::Refusal, left},
    update::unreadable,
};

/// How many bytes the statements of one command have, unless one alone has more: the server takes as many as a document
/// may have, and a little more.
const MOST_BYTES: usize = MAX_DOCUMENT / 4 * 3;

/// What statements do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Update,
    Delete,
}

impl Verb {
    /// The names of the command, and of the list of its statements.
    fn names(self) -> (&'static CStr, &'static CStr) {
        match self {
            Self::Update => (cstr!("update"), cstr!("updates")),
            Self::Delete => (cstr!("delete"), cstr!("deletes")),
        }
    }
}

/// Update operators as statements have them.
pub(super) struct Applied {
    update: RawDocumentBuf,
    array_filters: RawArrayBuf,
}

impl Applied {
    pub(super) fn of(update: &Document, array_filters: &[Document]) -> Result<Self> {
        let raw = |document: &Document| RawDocumentBuf::try_from(document).map_err(unreadable);
        let filters = array_filters.iter().map(|filter| raw(filter).map(RawBson::Document));
        Ok(Self { update: raw(update)?, array_filters: filters.collect::<Result<_>>()? })
    }

    /// How many bytes of a statement they take.
    pub(super) fn size(&self) -> usize {
        self.update.as_bytes().len() + self.array_filters.as_bytes().len()
    }

    /// The statement that has the server apply them to what `query` selects.
    pub(super) fn to(&self, query: RawDocumentBuf) -> RawDocumentBuf {
        let mut statement = rawdoc! { "q": query, "u": self.update.clone() };
        if !self.array_filters.is_empty() {
            statement.append(cstr!("arrayFilters"), self.array_filters.clone());
        }
        statement
    }
}

/// What the server says that statements have done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// So many documents were found.
    pub(super) found: u64,
    /// So many were changed by an update.
    pub(super) modified: u64,
}

/// What came of statements.
#[derive(Debug)]
pub(super) enum Ran {
    All(Tally),
    /// The one with this number was refused, and the transaction is lost.
    Refused(usize, Refusal),
}

/// Runs the statements in their order, up to the first one that is refused.
///
/// See [`update`](https://www.mongodb.com/docs/manual/reference/command/update/) and
/// [`delete`](https://www.mongodb.com/docs/manual/reference/command/delete/).
pub(super) async fn run(
    transaction: &mut Transaction<'_>,
    (verb, schema): (Verb, &Schema),
    statements: &[RawDocumentBuf],
) -> Result<Ran, Failed> {
    let (mut tally, mut first) = (Tally::default(), 0);
    while let Some(rest) = statements.get(first..).filter(|rest| !rest.is_empty()) {
        let batch = &rest[..fit(rest.iter().map(|statement| statement.as_bytes().len()), MOST_BYTES)];
        let answer = send(transaction, (verb, schema), batch).await?;
        if let Some(refusal) = Refusal::in_answer(&answer)?.into_iter().next() {
            return Ok(Ran::Refused(first + refusal.index.unwrap_or_default(), refusal));
        }
        tally.found += number(&answer, "n");
        tally.modified += number(&answer, "nModified");
        first += batch.len();
    }
    Ok(Ran::All(tally))
}

async fn send(
    transaction: &mut Transaction<'_>,
    (verb, schema): (Verb, &Schema),
    statements: &[RawDocumentBuf],
) -> Result<Document, Failed> {
    let (command, list) = verb.names();
    let time = i64::try_from(left(transaction.deadline).as_millis()).unwrap_or(i64::MAX);
    let mut command = rawdoc! { command: schema.name.as_str() };
    command.append(list, statements.iter().cloned().map(RawBson::Document).collect::<RawArrayBuf>());
    command.append(cstr!("maxTimeMS"), time);
    let sent = transaction.store.database.run_raw_command(command).session(&mut transaction.session).await;
    sent.map_err(|error| Failed::of(error, |error| failure::of_write(&error, schema, None)))
}

fn number(answer: &Document, name: &str) -> u64 {
    let number = answer.get(name).and_then(|n| n.as_i64().or_else(|| n.as_i32().map(i64::from)));
    number.and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
}
