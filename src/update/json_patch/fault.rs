//! Why an operation fails.

use crate::error::Error;

/// Why an operation fails: it cannot be done on this document, or something else is wrong.
#[derive(Debug)]
pub(super) enum Fault {
    Failed(String),
    Other(Error),
}

impl Fault {
    pub(super) fn failed(detail: impl Into<String>) -> Self {
        Self::Failed(detail.into())
    }

    /// The error that the operation `index`, from 0, fails.
    pub(super) fn of(self, index: usize) -> Error {
        match self {
            Self::Failed(detail) => Error::PatchFailed { operation: Some(index), detail },
            Self::Other(error) => error,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}
