//! The codes of the server that have a meaning to us.
//!
//! See [error codes](https://www.mongodb.com/docs/manual/reference/error-codes/).

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

/// The node is no primary, is about to be none, or is shutting down. What a driver takes for a reason to look for
/// another node.
///
/// See [discovery and monitoring](https://github.com/mongodb/specifications/blob/master/source/server-discovery-and-monitoring/server-discovery-and-monitoring.md#not-writable-primary-and-node-is-recovering).
pub(crate) const STATE_CHANGE: [i32; 8] = [91, 189, 10058, 10107, 11600, 11602, 13435, 13436];

/// Other troubles that pass: nodes that do not reach each other, write and read concerns that cannot be met now, an
/// operation that somebody stopped, and a server without sessions, cache or disk left.
pub(crate) const PASSING: [i32; 20] = [
    6,     // HostUnreachable
    7,     // HostNotFound
    24,    // LockTimeout
    43,    // CursorNotFound
    64,    // WriteConcernFailed
    89,    // NetworkTimeout
    100,   // UnsatisfiableWriteConcern
    133,   // FailedToSatisfyReadPreference
    134,   // ReadConcernMajorityNotAvailableYet
    175,   // QueryPlanKilled
    237,   // CursorKilled
    239,   // SnapshotTooOld
    246,   // SnapshotUnavailable
    261,   // TooManyLogicalSessions
    365,   // TemporarilyUnavailable
    388,   // TransactionTooLargeForCache
    9001,  // SocketException
    11601, // Interrupted
    13388, // StaleConfig
    14031, // OutOfDiskSpace
];
