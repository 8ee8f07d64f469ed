//! What the server said against a command or a statement of it, read from every shape in which that is told.
//! What it means is in `failure`.

use bson::Document;
use mongodb::error::{
    Error as DriverError, ErrorKind, IndexedWriteError, InsertManyError, WriteConcernError, WriteFailure,
};

use crate::error::{Error, Result};

/// A refusal of the server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    /// The server's code.
    pub(crate) code: i32,
    /// The server's words, for us and the log.
    pub(crate) message: String,
    /// The server's `errInfo.details`: why the validator refused a document.
    pub(crate) details: Option<Document>,
    /// Which statement of its command was refused, counted from 0; `None` where it is the command.
    pub(crate) index: Option<usize>,
    /// It was done, but is not confirmed as the write concern asks: it may be lost when the primary changes.
    pub(crate) is_done: bool,
}

impl Refusal {
    /// The first refusal that the driver tells of; `None` where it was not the server that failed.
    pub(crate) fn of(error: &DriverError) -> Option<Self> {
        Self::all(error).into_iter().next()
    }

    /// Every refusal that the driver tells of: an insert of many that is not ordered has one for each document at fault.
    /// The last may be without an `index`: then no other document is confirmed.
    pub(crate) fn all(error: &DriverError) -> Vec<Self> {
        match &*error.kind {
            ErrorKind::InsertMany(told) => all(told.clone()).collect(),
            ErrorKind::Write(WriteFailure::WriteConcernError(error)) => vec![error.clone().into()],
            ErrorKind::Write(WriteFailure::WriteError(error)) => {
                let (code, message, details) = (error.code, error.message.clone(), details(error.details.clone()));
                vec![Self { code, message, details, index: None, is_done: false }]
            }
            // Of a findAndModify, the details are only in the server's whole answer.
            ErrorKind::Command(command) => {
                let info = error.server_response().and_then(|answer| answer.get_document("errInfo").ok());
                let info = info.and_then(|info| Document::try_from(info).ok());
                let (code, message) = (command.code, command.message.clone());
                vec![Self { code, message, details: details(info), index: None, is_done: false }]
            }
            _ => Vec::new(),
        }
    }

    /// Every refusal in the answer to a write command that was run as such: the driver takes the answer for a success.
    ///
    /// See [`update`](https://www.mongodb.com/docs/manual/reference/command/update/#output).
    pub(crate) fn in_answer(answer: &Document) -> Result<Vec<Self>> {
        let told = bson::deserialize_from_document(answer.clone());
        let told = told.map_err(|error| Error::Internal(format!("the answer to a write cannot be read: {error}")))?;
        Ok(all(told).collect())
    }
}

/// An answer tells of every statement in the same members, whatever the command is.
fn all(told: InsertManyError) -> impl Iterator<Item = Refusal> {
    let refused = told.write_errors.into_iter().flatten().map(Refusal::from);
    refused.chain(told.write_concern_error.map(Refusal::from))
}

impl From<IndexedWriteError> for Refusal {
    fn from(error: IndexedWriteError) -> Self {
        let (code, message, details) = (error.code, error.message, details(error.details));
        Self { code, message, details, index: Some(error.index), is_done: false }
    }
}

impl From<WriteConcernError> for Refusal {
    fn from(error: WriteConcernError) -> Self {
        Self { code: error.code, message: error.message, details: None, index: None, is_done: true }
    }
}

fn details(info: Option<Document>) -> Option<Document> {
    info?.get_document("details").ok().cloned()
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    #[test]
    fn every_refusal_of_an_answer_is_read() {
        let answer = doc! {
            "n": 1, "nModified": 1, "ok": 1.0,
            "writeErrors": [
                { "index": 3, "code": 121, "errmsg": "Document failed validation", "errInfo": { "failingDocumentId": 1, "details": { "operatorName": "$jsonSchema" } } },
                { "index": 5, "code": 11000, "errmsg": "E11000", "keyPattern": { "k": 1 }, "keyValue": { "k": 1 } },
            ],
            "writeConcernError": { "code": 64, "codeName": "WriteConcernFailed", "errmsg": "waiting", "errInfo": { "wtimeout": true } },
        };
        let refusals = Refusal::in_answer(&answer).unwrap();
        let told: Vec<_> = refusals.iter().map(|r| (r.code, r.index, r.details.is_some(), r.is_done)).collect();
        assert_eq!(
            told,
            [(121, Some(3), true, false), (11000, Some(5), false, false), (64, None, false, true)],
            "{refusals:?}"
        );
        assert_eq!(Refusal::in_answer(&doc! { "n": 1, "ok": 1.0 }).unwrap(), []);
        assert!(Refusal::in_answer(&doc! { "writeErrors": "none" }).is_err());
    }
}
