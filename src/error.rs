//! Every way to fail, in domain words. What HTTP makes of them is in `http::problem`.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    codec::decode::MAX_DOCUMENT,
    json::{Rule, SyntaxError, below},
};

/// What the crate's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A way to fail.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A query that cannot be understood.
    #[error("{}: {detail}", place.parameter)]
    InvalidQuery {
        /// Where it stands.
        place: Place,
        /// What is wrong and what was expected.
        detail: String,
    },
    /// A body that is not the JSON it should be.
    #[error("{0}")]
    MalformedBody(SyntaxError),
    /// A query that names a field the schema does not have.
    #[error("there is no field `{field}`{}", suggested(suggestion.as_deref()))]
    UnknownField {
        /// Where it is named.
        place: Place,
        /// The field's dotted name.
        field: String,
        /// The nearest name that exists.
        suggestion: Option<String>,
    },
    /// More than a limit allows.
    #[error("{what} is over the limit of {limit} (`{name}`)")]
    LimitExceeded {
        /// The limit's name, as its flag has it.
        name: &'static str,
        /// The limit.
        limit: u64,
        /// What is over it.
        what: String,
    },
    /// Nobody says who asks, and only known callers are served.
    #[error("credentials are needed: {0}")]
    Unauthenticated(&'static str),
    /// Somebody says who asks, and it is not so.
    #[error("the credential is not valid: {0}")]
    WrongCredential(&'static str),
    /// The caller may not do that, and why.
    #[error("{0}")]
    Forbidden(String),
    /// A query that names a field which the caller may not name: it is hidden, or there is none.
    #[error("there is no field `{field}` that you may name here{}", suggested(suggestion.as_deref()))]
    ForbiddenField {
        /// Where it is named.
        place: Place,
        /// The field's dotted name.
        field: String,
        /// The nearest name that the caller may use.
        suggestion: Option<String>,
    },
    /// A body that holds fields which are hidden from the caller.
    #[error("you may not write these fields: {}", pointers.join(", "))]
    HiddenField {
        /// Where they stand in the body.
        pointers: Vec<String>,
    },
    /// No such collection is declared.
    #[error("there is no collection `{name}`{}", suggested(suggestion.as_deref()))]
    UnknownCollection {
        /// The name asked for.
        name: String,
        /// The nearest name that exists.
        suggestion: Option<String>,
    },
    /// No such document.
    #[error("`{collection}` has no document with that `_id`")]
    UnknownDocument {
        /// The collection.
        collection: String,
    },
    /// No such path.
    #[error("there is nothing at this path")]
    NoRoute,
    /// The path exists, the method does not.
    #[error("this path does not take that method")]
    MethodNotAllowed,
    /// None of the media types or codings the client takes can be given.
    #[error("the answer can only be {offered}")]
    NotAcceptable {
        /// What it can be.
        offered: &'static str,
    },
    /// A body of a media type that is not read here.
    #[error("the header `Content-Type` must be {expected}")]
    UnsupportedMediaType {
        /// The media types that are read.
        expected: &'static str,
    },
    /// A body or a document over its limit.
    #[error("the {what} is over the limit of {limit} bytes")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
    /// A unique index already holds these values.
    #[error("another document has the same values under {}", of_index(index.as_deref(), fields))]
    Duplicate {
        /// The index's name; `None` where the caller may not know it.
        index: Option<String>,
        /// Its fields.
        fields: Vec<String>,
    },
    /// Other writers were faster, again and again.
    #[error("the document is being changed by others; try again")]
    Conflict,
    /// `If-Match` or `If-None-Match` does not hold.
    #[error("the document is not as the request's precondition says")]
    PreconditionFailed {
        /// The document's present entity tag; `None` when there is no document.
        current: Option<String>,
    },
    /// A change of a document by somebody who need not have seen it, where the collection's file wants that.
    #[error("a change of a document of `{collection}` needs `If-Match` with the entity tag that was read")]
    PreconditionRequired {
        /// The collection.
        collection: String,
    },
    /// The database's verdict on a document, in the words of the collection file.
    #[error("the document breaks {} of the rules of `{collection}`", violations.len())]
    InvalidDocument {
        /// The collection.
        collection: String,
        /// Every broken rule.
        violations: Vec<Violation>,
    },
    /// A body that sets fields which clients may not write.
    #[error("these fields are not for clients to write: {}", pointers.join(", "))]
    ReadOnlyField {
        /// Where they stand in the body.
        pointers: Vec<String>,
    },
    /// A patch that cannot be applied to the document as it is.
    #[error("{detail}")]
    PatchFailed {
        /// Which of its operations fails, from 0, where it has more than one.
        operation: Option<usize>,
        /// Why.
        detail: String,
    },
    /// A query that would cost too much without an index that is not there.
    #[error("{reason}")]
    UnindexedQuery {
        /// What it would cost, and which limit that is over.
        reason: String,
        /// The index that would serve it, as an item of `x-indexes`; `None` where no index can.
        index: Option<Box<RawValue>>,
    },
    /// The database cannot be reached, or no connection is free.
    #[error("the database is not available")]
    Unavailable {
        /// The cause, for the log.
        cause: String,
    },
    /// A write was sent to the database, which did not confirm it.
    #[error("the database has not confirmed the write, which may have happened")]
    Unconfirmed {
        /// The cause, for the log.
        cause: String,
    },
    /// The work took longer than it may.
    #[error("the request took longer than its deadline")]
    DeadlineExceeded,
    /// What became of a request about many documents, one of which is at fault.
    #[error("{done}{error}")]
    Partly {
        /// What is wrong with that one.
        error: Box<Error>,
        /// Which it is, and what had been done by then.
        done: Done,
    },
    /// A fault of ours or of the database.
    #[error("{0}")]
    Internal(String),
    /// Collection files with mistakes.
    #[error("{}", lines(.0))]
    Schemas(Vec<Mistake>),
    /// The service cannot start, and why.
    #[error("{0}")]
    Startup(String),
}

impl From<SyntaxError> for Error {
    fn from(error: SyntaxError) -> Self {
        match error.rule {
            Rule::Form | Rule::Depth | Rule::Count => Self::MalformedBody(error),
            Rule::Size => Self::TooLarge { what: "document", limit: MAX_DOCUMENT },
        }
    }
}

/// Where in a request something of a query stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The parameter, as the client wrote it.
    pub parameter: String,
    /// How far into the parameter's value, in bytes, if that helps.
    pub offset: Option<usize>,
    /// The [RFC 6901](https://www.rfc-editor.org/rfc/rfc6901) pointer into the body, where the query came in one.
    pub pointer: Option<String>,
}

impl Place {
    /// The place `offset` bytes into the value of `parameter`.
    pub fn new(parameter: &str, offset: Option<usize>) -> Self {
        Self { parameter: parameter.to_owned(), offset, pointer: None }
    }

    /// The error that what stands here cannot be understood, and why.
    pub(crate) fn refuse(self, detail: impl Into<String>) -> Error {
        Error::InvalidQuery { place: self, detail: detail.into() }
    }
}

impl Error {
    /// What went wrong, for the log: also what clients are not told.
    pub(crate) fn cause(&self) -> String {
        match self {
            Self::Unavailable { cause } | Self::Unconfirmed { cause } => cause.clone(),
            Self::Partly { error, done } => format!("{done}{}", error.cause()),
            error => error.to_string(),
        }
    }

    /// What is wrong, without what it is that is wrong.
    pub fn inner(&self) -> &Self {
        match self {
            Self::Partly { error, .. } => error.inner(),
            error => error,
        }
    }

    /// The same of one of many: what is known already of which it is stays.
    #[must_use]
    pub fn partly(self, done: Done) -> Self {
        match self {
            Self::Partly { error, done: known } => Self::Partly { error, done: known.or(done) },
            error => Self::Partly { error: Box::new(error), done },
        }
    }

    /// The same of the `item`th of what the request holds, counted from 0.
    #[must_use]
    pub fn of_item(self, item: usize) -> Self {
        self.partly(Done { item: Some(item), ..Done::default() })
    }

    /// The same, of a query that came as the body: what is only known by its parameter is the body's member of that name.
    #[must_use]
    pub(crate) fn in_body(mut self) -> Self {
        if let Self::InvalidQuery { place, .. }
        | Self::UnknownField { place, .. }
        | Self::ForbiddenField { place, .. } = &mut self
        {
            place.pointer.get_or_insert_with(|| below("", &place.parameter));
        }
        self
    }
}

/// Which of many documents is at fault, and what had been done by then: the members that a problem has for that.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Done {
    /// Where it stands in the array or the list of operations, counted from 0; of these nothing was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<usize>,
    /// The `_id` of the stored document, in JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Box<RawValue>>,
    /// Documents that were selected by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matched: Option<u64>,
    /// Documents that were changed by then, and remain so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<u64>,
    /// Documents that were deleted by then, and remain so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted: Option<u64>,
}

impl Done {
    fn or(self, other: Self) -> Self {
        Self {
            item: self.item.or(other.item),
            id: self.id.or(other.id),
            matched: self.matched.or(other.matched),
            modified: self.modified.or(other.modified),
            deleted: self.deleted.or(other.deleted),
        }
    }
}

/// What stands before the error itself.
impl Display for Done {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(item) = self.item {
            write!(f, "item {item}: ")?;
        }
        match (self.modified, self.deleted) {
            (Some(modified), _) => write!(f, "documents changed before this: {modified}; "),
            (None, Some(deleted)) => write!(f, "documents deleted before this: {deleted}; "),
            (None, None) => Ok(()),
        }
    }
}

/// A mistake in a collection file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{path}#{pointer}: {detail}")]
pub struct Mistake {
    /// The file, as it is shown: `schemas/books.json`.
    pub path: String,
    /// The RFC 6901 pointer of the keyword or value at fault.
    pub pointer: String,
    /// What is wrong, and what to do.
    pub detail: String,
}

/// A rule that a document breaks.
#[derive(Debug, Clone, Serialize)]
pub struct Violation {
    /// RFC 6901 pointer of the value in the document.
    pub pointer: String,
    /// The rule in a sentence.
    pub detail: String,
    /// The keyword as the collection file has it.
    pub keyword: String,
    /// The keyword's value as the collection file has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Box<RawValue>>,
    /// What stands there instead, in JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<Box<RawValue>>,
    /// The subschema that holds the keyword: `#` and its RFC 6901 pointer in the collection file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// RFC 6901 pointer of the value that the rule judges only on a condition (`if`, `dependentSchemas`): that it is
    /// broken tells of all that stands there.
    #[serde(skip)]
    pub condition: Option<String>,
}

/// A query that cannot be understood: the parameter at fault, where in its value (in bytes), and why.
pub(crate) fn invalid_query(parameter: &str, offset: Option<usize>, detail: impl Into<String>) -> Error {
    Place::new(parameter, offset).refuse(detail)
}

/// Refuses what is over a limit; `name` is the limit's flag, `what` is over it.
pub(crate) fn check_limit(
    (name, limit): (&'static str, usize),
    size: usize,
    what: impl FnOnce() -> String,
) -> Result<()> {
    if size <= limit { Ok(()) } else { Err(Error::LimitExceeded { name, limit: limit as u64, what: what() }) }
}

/// The name of `known` nearest to `name`, if any is near enough to be what was meant.
pub fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<String> {
    // Comparing takes time and memory by the product of the lengths, and the name may be as long as a body. No letter
    // takes more than four bytes.
    let comparable = |k: &&str| name.len() / 8 <= k.len();
    let near =
        |k: &str| (strsim::normalized_damerau_levenshtein(&name.to_lowercase(), &k.to_lowercase()), k.to_owned());
    let scores = known.into_iter().filter(comparable).map(near).filter(|(score, _)| *score >= 0.6);
    scores.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, k)| k)
}

fn of_index(index: Option<&str>, fields: &[String]) -> String {
    match index {
        None => "a unique index".to_owned(),
        Some(index) if fields.is_empty() => format!("the unique index `{index}`"),
        Some(index) => format!("the unique index `{index}` ({})", fields.join(", ")),
    }
}

fn suggested(suggestion: Option<&str>) -> String {
    suggestion.map(|s| format!(", did you mean `{s}`?")).unwrap_or_default()
}

fn lines(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
