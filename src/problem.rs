//! Every kind of problem: its slug, its status, what it means and what to do about it. How a problem is answered is in
//! `http::problem`.

use crate::error::Error;

/// A kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    /// The last part of the problem's `type`, `/problems/{slug}`.
    pub slug: &'static str,
    /// The status code.
    pub status: u16,
    /// A summary, the same for all problems of the kind.
    pub title: &'static str,
    /// What has happened.
    pub meaning: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// Every kind of problem, in order of status.
pub const ALL: &[Problem] = &[
    INVALID_QUERY,
    MALFORMED_BODY,
    UNKNOWN_FIELD,
    LIMIT_EXCEEDED,
    UNAUTHENTICATED,
    FORBIDDEN,
    FORBIDDEN_FIELD,
    UNKNOWN_COLLECTION,
    UNKNOWN_DOCUMENT,
    NO_ROUTE,
    METHOD_NOT_ALLOWED,
    NOT_ACCEPTABLE,
    DUPLICATE,
    CONFLICT,
    PRECONDITION_FAILED,
    PRECONDITION_REQUIRED,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    INVALID_DOCUMENT,
    READ_ONLY_FIELD,
    PATCH_FAILED,
    UNINDEXED_QUERY,
    DEADLINE_EXCEEDED,
    UNAVAILABLE,
    UNCONFIRMED,
    INTERNAL,
];

const INVALID_QUERY: Problem = Problem {
    slug: "invalid-query",
    status: 400,
    title: "Invalid query",
    meaning: "A query parameter, the `_id` in the path or the header `Request-Timeout` cannot be understood.",
    remedy: "`parameter` names it, `offset` tells where in its value, in bytes, and `pointer` where in a body; correct it as `detail` says.",
};

const MALFORMED_BODY: Problem = Problem {
    slug: "malformed-body",
    status: 400,
    title: "Malformed body",
    meaning: "The body is not the JSON that was expected: a syntax error, a duplicate key, invalid UTF-8, nesting over 64 levels, a key that begins with `$` and is no Extended JSON value, or a patch that is none for any document.",
    remedy: "`line` and `column` tell where, and `pointer` of a patch in which value; nothing was changed.",
};

const UNKNOWN_FIELD: Problem = Problem {
    slug: "unknown-field",
    status: 400,
    title: "Unknown field",
    meaning: "A query names a field that the collection's documents cannot have.",
    remedy: "`suggestion` is the nearest name that exists; `GET /v1/{collection}/_schema` lists them all.",
};

const LIMIT_EXCEEDED: Problem = Problem {
    slug: "limit-exceeded",
    status: 400,
    title: "Limit exceeded",
    meaning: "The request asks for more than a limit of the service allows.",
    remedy: "`detail` names the limit's flag and `limit` its value; ask for less, or raise the limit on the server.",
};

const UNAUTHENTICATED: Problem = Problem {
    slug: "unauthenticated",
    status: 401,
    title: "Credentials are needed",
    meaning: "The request needs credentials and has none, or has wrong ones: an unknown, revoked or expired API key, or a token that does not hold.",
    remedy: "Send `Authorization: Bearer` with an API key (`folio keys add` makes one) or a token; on a loopback address `--open` serves everyone.",
};

const FORBIDDEN: Problem = Problem {
    slug: "forbidden",
    status: 403,
    title: "Forbidden",
    meaning: "The caller is known, and none of its roles may do this.",
    remedy: "`folio check --as ROLE` shows what a role may do; `x-access` in the collection file says so.",
};

const FORBIDDEN_FIELD: Problem = Problem {
    slug: "forbidden-field",
    status: 403,
    title: "Forbidden field",
    meaning: "A query names a field that the caller may not name, or a body holds one that it may not write. It may be hidden from the caller, or not exist at all.",
    remedy: "`suggestion` is the nearest name that may be used, `pointers` say where in a body; `GET /v1/{collection}/_schema` lists the fields that there are for the caller.",
};

const UNKNOWN_COLLECTION: Problem = Problem {
    slug: "unknown-collection",
    status: 404,
    title: "Unknown collection",
    meaning: "No collection file declares this collection.",
    remedy: "`GET /v1` lists the collections; add a file to the schemas folder and restart to declare one.",
};

const UNKNOWN_DOCUMENT: Problem = Problem {
    slug: "unknown-document",
    status: 404,
    title: "Unknown document",
    meaning: "The collection has no document with this `_id`.",
    remedy: "Find it with a list: `GET /v1/{collection}?field=value`.",
};

const NO_ROUTE: Problem = Problem {
    slug: "no-route",
    status: 404,
    title: "Nothing here",
    meaning: "The service has nothing at this path.",
    remedy: "Collections are at `/v1/{collection}`, documents at `/v1/{collection}/{id}`; there is no slash at the end.",
};

const METHOD_NOT_ALLOWED: Problem = Problem {
    slug: "method-not-allowed",
    status: 405,
    title: "Method not allowed",
    meaning: "The path exists and does not take this method.",
    remedy: "The `Allow` header lists the methods that it takes.",
};

const NOT_ACCEPTABLE: Problem = Problem {
    slug: "not-acceptable",
    status: 406,
    title: "Not acceptable",
    meaning: "The `Accept` header rules out every media type that the answer could have, or `Accept-Encoding` every coding.",
    remedy: "Accept one of those that `detail` names; without these headers the answer is `application/json`, not compressed.",
};

const DUPLICATE: Problem = Problem {
    slug: "duplicate",
    status: 409,
    title: "Duplicate",
    meaning: "A unique index already holds the same values for another document.",
    remedy: "`index` names the index and `fields` its fields; change the values, or update the other document.",
};

const CONFLICT: Problem = Problem {
    slug: "conflict",
    status: 409,
    title: "Conflict",
    meaning: "Other writers changed the document at the same time, again and again until the deadline.",
    remedy: "Send the request again after the `Retry-After` seconds.",
};

const PRECONDITION_FAILED: Problem = Problem {
    slug: "precondition-failed",
    status: 412,
    title: "Precondition failed",
    meaning: "The stored document is not as `If-Match` or `If-None-Match` says.",
    remedy: "`etag` is its present entity tag; read the document again and decide anew.",
};

const PRECONDITION_REQUIRED: Problem = Problem {
    slug: "precondition-required",
    status: 428,
    title: "Precondition required",
    meaning: "The collection's file has `\"concurrency\": \"required\"`: who changes or deletes a document says which state of it that was decided on.",
    remedy: "Read the document, and send its `ETag` as `If-Match` with the change; `If-None-Match: *` with a PUT creates only.",
};

const TOO_LARGE: Problem = Problem {
    slug: "too-large",
    status: 413,
    title: "Too large",
    meaning: "The body or the document is over its limit.",
    remedy: "`limit` is the limit in bytes: `--max-body` for bodies, 16 MiB for documents in MongoDB.",
};

const UNSUPPORTED_MEDIA_TYPE: Problem = Problem {
    slug: "unsupported-media-type",
    status: 415,
    title: "Unsupported media type",
    meaning: "The body's `Content-Type` is not one that is read here.",
    remedy: "Send `Content-Type: application/json`; a PATCH may have `application/merge-patch+json` or `application/json-patch+json` too.",
};

const INVALID_DOCUMENT: Problem = Problem {
    slug: "invalid-document",
    status: 422,
    title: "Invalid document",
    meaning: "MongoDB refused the document because it breaks rules of the collection file.",
    remedy: "`errors` lists every broken rule with a pointer into the document; nothing was changed.",
};

const READ_ONLY_FIELD: Problem = Problem {
    slug: "read-only-field",
    status: 422,
    title: "Read-only field",
    meaning: "The body sets, changes or removes fields that are not for clients to write, or not for you: the service writes them, or the collection file or one of your roles has them as `readOnly`.",
    remedy: "`pointers` lists them; leave them out, or send them as they are stored.",
};

const PATCH_FAILED: Problem = Problem {
    slug: "patch-failed",
    status: 422,
    title: "Patch failed",
    meaning: "The patch cannot be applied to the document as it is: a path leads to nothing, a `test` fails, or an operator does not take the value that is stored. Nothing was changed.",
    remedy: "`operation` is the index of the operation that fails, from 0, where the patch is a list of them, and `detail` tells why; read the document again, and send a patch that fits it.",
};

const UNINDEXED_QUERY: Problem = Problem {
    slug: "unindexed-query",
    status: 422,
    title: "Unindexed query",
    meaning: "No index serves the query, and the collection is too large to be read or sorted without one.",
    remedy: "Add `missingIndex` to `x-indexes` in the collection file; where it is left out no index can help, so ask for less, or you may not read everything in the collection, and the log has it. Who runs the service sets the bounds with `--max-scan` and `--max-sort`.",
};

const DEADLINE_EXCEEDED: Problem = Problem {
    slug: "deadline-exceeded",
    status: 504,
    title: "Deadline exceeded",
    meaning: "The work took longer than a request may take.",
    remedy: "Narrow the query or add an index for it; a write may have happened, so look before repeating it.",
};

const UNAVAILABLE: Problem = Problem {
    slug: "unavailable",
    status: 503,
    title: "Unavailable",
    meaning: "The database cannot be reached, or no connection to it is free. What was to be written is not.",
    remedy: "Send the request again after the `Retry-After` seconds; `/readyz` tells when the service is ready.",
};

const UNCONFIRMED: Problem = Problem {
    slug: "unconfirmed",
    status: 503,
    title: "Unconfirmed",
    meaning: "The write was sent to the database, and the connection broke before the answer, or too few nodes of the replica set have the write yet. It may have happened, and may last, or not.",
    remedy: "Look before repeating it. A write that comes to the same when it is repeated needs no look: a PUT, a DELETE, a POST of documents with an `_id` of their own.",
};

const INTERNAL: Problem = Problem {
    slug: "internal",
    status: 500,
    title: "Internal error",
    meaning: "The service failed.",
    remedy: "The log has the cause under the request id, which is in `instance` and in the `X-Request-Id` header.",
};

impl Problem {
    /// The kind of problem that an error is.
    pub fn of(error: &Error) -> &'static Self {
        match error {
            Error::InvalidQuery { .. } => &INVALID_QUERY,
            Error::MalformedBody(_) => &MALFORMED_BODY,
            Error::UnknownField { .. } => &UNKNOWN_FIELD,
            Error::Forbidden(_) => &FORBIDDEN,
            Error::ForbiddenField { .. } | Error::HiddenField { .. } => &FORBIDDEN_FIELD,
            Error::LimitExceeded { .. } => &LIMIT_EXCEEDED,
            Error::Unauthenticated(_) | Error::WrongCredential(_) => &UNAUTHENTICATED,
            Error::UnknownCollection { .. } => &UNKNOWN_COLLECTION,
            Error::UnknownDocument { .. } => &UNKNOWN_DOCUMENT,
            Error::NoRoute => &NO_ROUTE,
            Error::MethodNotAllowed => &METHOD_NOT_ALLOWED,
            Error::NotAcceptable { .. } => &NOT_ACCEPTABLE,
            Error::UnsupportedMediaType { .. } => &UNSUPPORTED_MEDIA_TYPE,
            Error::TooLarge { .. } => &TOO_LARGE,
            Error::Duplicate { .. } => &DUPLICATE,
            Error::Conflict => &CONFLICT,
            Error::PreconditionFailed { .. } => &PRECONDITION_FAILED,
            Error::PreconditionRequired { .. } => &PRECONDITION_REQUIRED,
            Error::InvalidDocument { .. } => &INVALID_DOCUMENT,
            Error::ReadOnlyField { .. } => &READ_ONLY_FIELD,
            Error::PatchFailed { .. } => &PATCH_FAILED,
            Error::UnindexedQuery { .. } => &UNINDEXED_QUERY,
            Error::Unavailable { .. } => &UNAVAILABLE,
            Error::Unconfirmed { .. } => &UNCONFIRMED,
            Error::Partly { error, .. } => Self::of(error),
            Error::DeadlineExceeded => &DEADLINE_EXCEEDED,
            Error::Internal(_) | Error::Schemas(_) | Error::Startup(_) => &INTERNAL,
        }
    }
}
