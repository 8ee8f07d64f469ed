//! Who asks: the credentials of a request, and what comes of them.

use std::sync::Arc;

use crate::{access::Caller, error::Result};

/// What credentials are checked with.
#[derive(Debug)]
pub struct Authenticator {}

/// A credential as a request brings it.
#[derive(Clone, Copy)]
pub struct Credential<'r>(pub &'r str);

impl std::fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(..)")
    }
}

impl Authenticator {
    /// Who the credential is of; [`Error::Unauthenticated`](crate::Error::Unauthenticated) if it is wrong.
    pub fn authenticate(&self, credential: Credential<'_>) -> Result<Arc<Caller>> {
        let _ = credential;
        Err(crate::Error::Unauthenticated("there is no such API key"))
    }
}
