//! What a driver error means, in domain words. The only reader of driver errors.
//!
//! Codes are MongoDB's own, see [error codes](https://www.mongodb.com/docs/manual/reference/error-codes/).

use bson::{Document, RawDocument};
use mongodb::error::{Error as DriverError, ErrorKind, WriteFailure};

use crate::{
    codec::decode::MAX_DOCUMENT,
    error::{Error, invalid_query},
    schema::{Schema, explain::explain},
    update::{bad_id, refused},
};

/// The codes that have a meaning to us.
pub(crate) mod codes {
    pub(crate) const BAD_VALUE: i32 = 2;
    pub(crate) const UNAUTHORIZED: i32 = 13;
    pub(crate) const LOCK_TIMEOUT: i32 = 24;
    pub(crate) const NAMESPACE_NOT_FOUND: i32 = 26;
    pub(crate) const INDEX_NOT_FOUND: i32 = 27;
    pub(crate) const NAMESPACE_EXISTS: i32 = 48;
    pub(crate) const MAX_TIME_EXPIRED: i32 = 50;
    pub(crate) const INVALID_ID_FIELD: i32 = 53;
    pub(crate) const WRITE_CONFLICT: i32 = 112;
    pub(crate) const DOCUMENT_VALIDATION: i32 = 121;
    pub(crate) const NO_QUERY_EXECUTION_PLANS: i32 = 291;
    pub(crate) const DUPLICATE_KEY: i32 = 11000;
    pub(crate) const INVALID_REGEX: i32 = 51091;
    /// Why an index cannot hold a document, in the words of the collection file.
    pub(crate) const UNINDEXABLE: [(i32, &str); 5] = [
        (171, "an index on several fields takes an array in only one of them"),
        (16755, "a `2dsphere` index takes GeoJSON and coordinate pairs, within their bounds"),
        (16766, "a `hashed` index takes no arrays"),
        (17261, "a `text` index takes the language of the words from a field `language`, which must be a string"),
        (17262, "a `text` index takes the language of the words from a field `language`, and does not know this one"),
    ];
    pub(crate) const TIME_LIMIT: [i32; 2] = [MAX_TIME_EXPIRED, 262];
    pub(crate) const TOO_LARGE: [i32; 3] = [10334, 17419, 17420];
    /// Unreachable, stepping down, shutting down, not primary, a write concern that is not met, a cache that is full.
    pub(crate) const UNAVAILABLE: [i32; 15] =
        [6, 7, 64, 89, 91, 133, 189, 388, 9001, 10107, 11600, 11602, 13388, 13435, 13436];
}

impl From<DriverError> for Error {
    fn from(error: DriverError) -> Self {
        let cause = reason(&error);
        match code(&error) {
            Some(codes::WRITE_CONFLICT) => Self::Conflict,
            Some(code) if codes::TIME_LIMIT.contains(&code) => Self::DeadlineExceeded,
            Some(code) if codes::UNAVAILABLE.contains(&code) => Self::Unavailable { cause },
            Some(code) if codes::TOO_LARGE.contains(&code) => Self::TooLarge { what: "document", limit: MAX_DOCUMENT },
            Some(codes::INVALID_REGEX) => invalid_query("filter", None, "the regular expression is not valid"),
            _ => match *error.kind {
                ErrorKind::Io(_)
                | ErrorKind::ServerSelection { .. }
                | ErrorKind::ConnectionPoolCleared { .. }
                | ErrorKind::DnsResolve { .. }
                | ErrorKind::Authentication { .. }
                | ErrorKind::Shutdown => Self::Unavailable { cause },
                _ => Self::Internal(cause),
            },
        }
    }
}

/// Why a list could not be read.
pub(super) fn of_find(error: DriverError) -> Error {
    // Its code is that of every bad value.
    if message(&error).is_some_and(|message| message.contains("parallel arrays")) {
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
    match code(error) {
        Some(codes::DOCUMENT_VALIDATION) => {
            let details = refusal(error).unwrap_or_default();
            let violations = explain(schema, &details, document);
            Error::InvalidDocument { collection: schema.name.clone(), violations }
        }
        Some(codes::DUPLICATE_KEY) => duplicate(error, schema),
        Some(codes::INVALID_ID_FIELD) => {
            bad_id(schema, "type", "must not be an array, a regular expression or undefined")
        }
        code => match codes::UNINDEXABLE.iter().find(|(known, _)| Some(*known) == code) {
            Some((_, detail)) => refused(schema, ("", "x-indexes"), detail),
            None => error.clone().into(),
        },
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
    match &*error.kind {
        ErrorKind::Command(error) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => Some(error.code),
        ErrorKind::InsertMany(error) => error.write_errors.as_ref()?.first().map(|error| error.code),
        _ => None,
    }
}

fn message(error: &DriverError) -> Option<&str> {
    match &*error.kind {
        ErrorKind::Command(error) => Some(&error.message),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some(&error.message),
        ErrorKind::InsertMany(error) => error.write_errors.as_ref()?.first().map(|error| error.message.as_str()),
        _ => None,
    }
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

/// The server's `errInfo.details`, if it explains why it refused a document. For a findAndModify they are only in
/// the server's whole answer.
pub(crate) fn refusal(error: &DriverError) -> Option<Document> {
    let info = match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(error)) => error.details.clone(),
        ErrorKind::InsertMany(error) => error.write_errors.as_ref()?.first()?.details.clone(),
        _ => Document::try_from(error.server_response()?.get_document("errInfo").ok()?).ok(),
    };
    info?.get_document("details").ok().cloned()
}

/// A duplicate key is told by the name of its index alone: our indexes have names that we know.
fn duplicate(error: &DriverError, schema: &Schema) -> Error {
    let message = message(error).unwrap_or_default();
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
