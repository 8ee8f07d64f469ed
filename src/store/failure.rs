//! What a driver error means, in domain words. The only reader of driver errors.

use bson::{Document, RawDocument};
use mongodb::error::{
    Error as DriverError, ErrorKind, NO_WRITES_PERFORMED, SYSTEM_OVERLOADED_ERROR, TRANSIENT_TRANSACTION_ERROR,
    UNKNOWN_TRANSACTION_COMMIT_RESULT,
};

use crate::{
    codec::decode::MAX_DOCUMENT,
    error::{Error, invalid_query},
    schema::{Schema, explain::explain},
    update::{bad_id, refused},
};

pub(crate) mod codes;
mod operators;
mod refusal;

pub(crate) use refusal::Refusal;

impl From<DriverError> for Error {
    fn from(error: DriverError) -> Self {
        let cause = reason(&error);
        match (Refusal::of(&error), &*error.kind) {
            (Some(refusal), _) => match of_code(refusal.code, cause) {
                // Whatever it is, it passes: the server says that the same again may succeed.
                Self::Internal(cause) if error.contains_label(TRANSIENT_TRANSACTION_ERROR) => {
                    Self::Unavailable { cause }
                }
                told => told,
            },
            (
                None,
                ErrorKind::Io(_)
                | ErrorKind::ServerSelection { .. }
                | ErrorKind::ConnectionPoolCleared { .. }
                | ErrorKind::DnsResolve { .. }
                | ErrorKind::Authentication { .. }
                | ErrorKind::Shutdown,
            ) => Self::Unavailable { cause },
            _ => Self::Internal(cause),
        }
    }
}

/// What a code means, whatever was to be done.
fn of_code(code: i32, cause: String) -> Error {
    match code {
        codes::WRITE_CONFLICT => Error::Conflict,
        codes::INVALID_REGEX => invalid_query("filter", None, "the regular expression is not valid"),
        code if codes::TIME_LIMIT.contains(&code) => Error::DeadlineExceeded,
        code if codes::TOO_LARGE.contains(&code) => Error::TooLarge { what: "document", limit: MAX_DOCUMENT },
        code if codes::STATE_CHANGE.contains(&code) || codes::PASSING.contains(&code) => Error::Unavailable { cause },
        _ => Error::Internal(cause),
    }
}

/// Why a list could not be read.
pub(super) fn of_find(error: DriverError) -> Error {
    // Its code is that of every bad value.
    if Refusal::of(&error).is_some_and(|refusal| refusal.message.contains("parallel arrays")) {
        let detail = "some documents hold arrays in two of the fields, only one can be sorted by";
        return invalid_query("sort", None, detail);
    }
    let detail = match code(&error) {
        Some(codes::BAD_VALUE) => {
            "the database refuses it; if it holds a geometry: rings may not cross or touch, holes lie inside of the \
             outer ring, and a line has two different positions"
        }
        Some(codes::INDEX_NOT_FOUND | codes::NO_QUERY_EXECUTION_PLANS) => {
            "no index can serve it: `$text` in an `$or` needs an index for every other branch, and an index with \
             more keys or a partial filter is only used by filters that say something of those fields too"
        }
        _ => return error.into(),
    };
    tracing::info!(cause = reason(&error), "the database refused a filter");
    invalid_query("filter", None, detail)
}

/// Why a write of `document` into the collection failed, to be told with [discretion](super::discretion).
pub(crate) fn of_write(error: &DriverError, schema: &Schema, document: Option<&RawDocument>) -> Error {
    match Refusal::of(error) {
        Some(refusal) if !is_unconfirmed(error) => of_statement(&refusal, schema, document),
        _ => of_commit(error.clone()),
    }
}

/// Why a transaction was not committed, as far as is known.
pub(super) fn of_commit(error: DriverError) -> Error {
    if is_unconfirmed(&error) { Error::Unconfirmed { cause: reason(&error) } } else { error.into() }
}

/// Why documents that are written, and not in a transaction, could not be read back: they are there all the same.
pub(super) fn of_reread(error: &DriverError) -> Error {
    Error::Unconfirmed { cause: format!("what is written could not be read back: {}", reason(error)) }
}

/// Why one statement among many failed.
pub(crate) fn of_statement(refusal: &Refusal, schema: &Schema, document: Option<&RawDocument>) -> Error {
    match refusal.code {
        _ if refusal.is_done => Error::Unconfirmed { cause: refusal.message.clone() },
        codes::DOCUMENT_VALIDATION => {
            let violations = explain(schema, &refusal.details.clone().unwrap_or_default(), document);
            Error::InvalidDocument { collection: schema.name.clone(), violations }
        }
        codes::DUPLICATE_KEY => duplicate(&refusal.message, schema),
        codes::INVALID_ID_FIELD => bad_id(schema, "type", "must not be an array, a regular expression or undefined"),
        code => match codes::UNINDEXABLE.iter().find(|(known, _)| *known == code) {
            Some((_, detail)) => refused(schema, ("", "x-indexes"), detail),
            None => operators::failed(refusal).unwrap_or_else(|| of_code(code, refusal.message.clone())),
        },
    }
}

/// Whether a write that failed may have been done all the same.
///
/// Not within a transaction, of which nothing remains before its commit; nor where no connection was made, or the server
/// says that it wrote nothing. A node that is no primary any more says so only of the last try: the driver repeats a
/// write once, and of the first try nothing may be known.
///
/// See [retryable writes](https://github.com/mongodb/specifications/blob/master/source/retryable-writes/retryable-writes.md).
fn is_unconfirmed(error: &DriverError) -> bool {
    const NOT_DONE: [&str; 3] = [TRANSIENT_TRANSACTION_ERROR, NO_WRITES_PERFORMED, SYSTEM_OVERLOADED_ERROR];
    if NOT_DONE.iter().any(|label| error.contains_label(label)) {
        return false;
    }
    match Refusal::of(error) {
        _ if error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) => true,
        Some(refusal) => refusal.is_done || codes::STATE_CHANGE.contains(&refusal.code),
        None => matches!(*error.kind, ErrorKind::Io(_)),
    }
}

/// Whether no server was found that could take the operation.
pub(super) fn is_selection(error: &DriverError) -> bool {
    matches!(*error.kind, ErrorKind::ServerSelection { .. })
}

/// Whether a write failed because another one was faster.
pub(super) fn is_conflict(error: &DriverError) -> bool {
    code(error) == Some(codes::WRITE_CONFLICT)
}

/// The server's code for what went wrong, if it was the server that said so.
pub(crate) fn code(error: &DriverError) -> Option<i32> {
    Refusal::of(error).map(|refusal| refusal.code)
}

/// The values that several documents share, if that is why a unique index could not be built.
pub(crate) fn duplicate_key(error: &DriverError) -> Option<Document> {
    let response = error.server_response().filter(|_| code(error) == Some(codes::DUPLICATE_KEY))?;
    response.get_document("keyValue").ok()?.try_into().ok()
}

/// The cause alone, without the driver's envelope.
pub(crate) fn reason(error: &DriverError) -> String {
    match error.kind.as_ref() {
        ErrorKind::Command(command) => command.message.clone(),
        ErrorKind::Io(io) => io.to_string(),
        ErrorKind::InvalidArgument { message, .. } => message.clone(),
        kind => kind.to_string(),
    }
}

/// Turns what kept the service from `doing` its start-up work into [`Error::Startup`].
pub(crate) fn startup(doing: &str) -> impl FnOnce(DriverError) -> Error {
    move |error| Error::Startup(format!("{doing} failed: {}", reason(&error)))
}

/// A duplicate key is told by the name of its index alone: our indexes have names that we know.
fn duplicate(message: &str, schema: &Schema) -> Error {
    let index = message.split_once(" index: ").map_or("", |(_, rest)| rest);
    let index = index.split_once(" dup key").map_or(index, |(name, _)| name);
    let index = index.split_once(" collation: ").map_or(index, |(name, _)| name).to_owned();
    let fields = match schema.indexes.iter().find(|known| known.name == index) {
        Some(known) => known.keys.keys().cloned().collect(),
        None if index == "_id_" => vec!["_id".to_owned()],
        None => Vec::new(),
    };
    Error::Duplicate { index: Some(index), fields }
}
