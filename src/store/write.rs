//! Writing documents: what all ways of writing share. Each way has a file of its own.

use bson::{Bson, RawDocument, RawDocumentBuf, rawdoc};

use super::discretion::discreet;
use crate::{
    access::View,
    codec::{decode::MAX_DOCUMENT, top},
    error::{Error, Result},
    schema::access::Op,
    update::{self, unreadable},
};

mod array;
mod bulk;
mod change;
mod direct;
mod insert;
mod many;
mod outcome;
mod portion;
mod statements;
mod transaction;

pub use array::{insert_all, insert_each};
pub use bulk::{write_all, write_each};
pub use change::{Changed, change};
pub use insert::insert;
pub use many::{Counts, change_many};
pub use outcome::{Effect, Inserted, Outcome, Shown};

/// Whether the server stores something else than it was sent: it puts its time where a top-level timestamp is zero.
///
/// See [timestamps](https://www.mongodb.com/docs/manual/reference/bson-types/#timestamps).
fn is_rewritten(document: &RawDocument) -> bool {
    top::has_zero_timestamp(document)
}

/// The driver's own refusal cannot be told from other arguments that it does not like.
fn check_size(document: &RawDocument) -> Result<()> {
    if document.as_bytes().len() > MAX_DOCUMENT {
        return Err(Error::TooLarge { what: "document", limit: MAX_DOCUMENT });
    }
    Ok(())
}

/// The `error` that came of inserting `document`, as the caller may know it.
fn tell(error: Error, view: &View, document: &RawDocument) -> Error {
    match view.shape_on(Op::Insert, document) {
        Some(shape) => discreet(error, (document, shape.root())),
        None => error,
    }
}

/// The condition that selects a stored document alone. No other document's has the same bytes.
fn by_id(document: &RawDocument) -> Result<RawDocumentBuf> {
    Ok(rawdoc! { "_id": update::id_of(document)? })
}

/// The `_id` of a stored document.
fn id_of(document: &RawDocument) -> Result<Bson> {
    Bson::try_from(update::id_of(document)?).map_err(unreadable)
}

/// How many of the things that have these `sizes` have at most so many bytes together: at least one.
fn fit(sizes: impl Iterator<Item = usize>, most: usize) -> usize {
    let mut bytes = 0_usize;
    let fit = sizes.take_while(|size| {
        bytes = bytes.saturating_add(*size);
        bytes <= most
    });
    fit.count().max(1)
}

/// The error once more, of another write that met it.
fn same(error: &Error) -> Error {
    match error {
        Error::Conflict => Error::Conflict,
        Error::DeadlineExceeded => Error::DeadlineExceeded,
        Error::Unavailable { cause } => Error::Unavailable { cause: cause.clone() },
        Error::Unconfirmed { cause } => Error::Unconfirmed { cause: cause.clone() },
        error => Error::Internal(error.cause()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_fit_and_one_at_least() {
        for (sizes, count) in
            [(&[1, 1, 1][..], 3), (&[1, 5, 1, 5], 3), (&[10, 3], 1), (&[11, 1], 1), (&[1, 11], 1), (&[0, 10], 2)]
        {
            assert_eq!(fit(sizes.iter().copied(), 10), count, "{sizes:?}");
        }
    }
}
