//! Tokens that an issuer signed ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519), JWT): whether one holds, and whom it
//! names.
//!
//! Every key has one algorithm, which no token can choose. `exp`, `iss`, `aud` and `sub` must be there, and all of it is
//! checked at every use.

use std::sync::{Arc, PoisonError, RwLock};

use jsonwebtoken::{crypto::CryptoProvider, decode, decode_header, errors::ErrorKind};
use serde_json::{Map, Value};

use crate::{
    access::Caller,
    config,
    error::{Error, Result},
};

mod claims;
mod keyset;
mod public;
mod ring;
mod source;

use claims::Claims;
use keyset::{KeySet, Rules};
use source::Source;

/// The longest token that is looked at, in bytes.
const LONGEST: usize = 16 << 10;

/// The tokens that are believed.
#[derive(Debug)]
pub struct Tokens {
    source: Source,
    rules: Rules,
    /// Exchanged when their file changes.
    keys: RwLock<Arc<KeySet>>,
    claims: Claims,
}

impl Tokens {
    /// The tokens that the settings name, if they name any.
    ///
    /// # Errors
    /// [`Error::Startup`] where the settings lack something, contradict each other, or hold no usable key.
    pub fn configure(settings: &config::Tokens) -> Result<Option<Self>> {
        let Some(source) = Source::choose(settings)? else { return Ok(None) };
        // Where the application that embeds this has a provider of its own, that one does as well.
        let _ = CryptoProvider::install_default(&ring::PROVIDER);
        let rules = Rules::of(settings)?;
        let keys = source.read(&rules).map_err(Error::Startup)?;
        let claims = Claims::of(settings);
        Ok(Some(Self { source, rules, keys: RwLock::new(Arc::new(keys)), claims }))
    }

    /// Whom the token names.
    pub(super) fn caller(&self, token: &str) -> Result<Arc<Caller>> {
        if token.len() > LONGEST {
            return Err(Error::WrongCredential("the token is too long"));
        }
        let header = decode_header(token)
            .map_err(|_| Error::WrongCredential("it is neither an API key nor a token that can be read"))?;
        if header.crit.is_some() {
            return Err(Error::WrongCredential("the token has extensions that are not known here (`crit`)"));
        }
        let keys = Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner));
        let key = keys.choose(header.kid.as_deref()).map_err(Error::WrongCredential)?;
        let decoded = decode::<Map<String, Value>>(token, &key.check, &key.rules);
        let claims = decoded.map_err(|e| Error::WrongCredential(refusal(e.kind())))?.claims;
        self.claims.caller(&claims).map(Arc::new).map_err(Error::WrongCredential)
    }

    /// Reads the keys again if their file has changed. Where it holds none that can be used, the ones before stay.
    pub(super) async fn look(&self) {
        let (source, rules) = (self.source.clone(), self.rules.clone());
        // A file may be on a slow or broken disk.
        let read = tokio::task::spawn_blocking(move || source.read_if_changed(&rules));
        match read.await.unwrap_or_default() {
            None => {}
            Some(Ok(keys)) => {
                tracing::info!("the keys of tokens have changed and were read again");
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
            }
            Some(Err(why)) => tracing::warn!("the keys of tokens have changed, and those before stay in use: {why}"),
        }
    }
}

/// Why a token is refused, in words that tell nothing of the keys.
fn refusal(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidAlgorithm => "the token is signed by another algorithm than the one that is accepted here",
        ErrorKind::InvalidSignature => "the token's signature is wrong",
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::InvalidIssuer => "the token is from another issuer",
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::MissingRequiredClaim(_) => "the token lacks `exp`, `iss`, `aud` or `sub`, or one is of another type",
        ErrorKind::InvalidClaimFormat(_) => "the token's `exp` or `nbf` is no time",
        _ => "the token's claims or its signature cannot be read",
    }
}
