//! Who asks: the credentials of a request, and what comes of them.
//!
//! A credential is an API key, which is kept in the database ([`key`], and in memory in `keyring`), or a token that an
//! issuer signed (`token`). What a caller may do is not decided here, but in [`access`](crate::access).

use std::{
    fmt,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::{
    access::Caller,
    error::{Error, Result},
    store::Keys,
};

pub mod key;
mod keyring;
mod token;

use keyring::Keyring;
pub use token::Tokens;

/// How often is looked whether keys have changed.
const LOOK: Duration = Duration::from_secs(1);

/// How many looks pass between notes of when keys were used.
const NOTE: u32 = 10;

/// How long the database may take for any of this.
const PATIENCE: Duration = Duration::from_secs(3);

/// What credentials are checked with.
#[derive(Debug)]
pub struct Authenticator {
    keyring: Keyring,
    tokens: Option<Tokens>,
    is_closed: AtomicBool,
}

/// A credential as a request brings it.
#[derive(Clone, Copy)]
pub enum Credential<'r> {
    /// An API key.
    Key(&'r str),
    /// An API key or a token, whichever it looks like.
    Bearer(&'r str),
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(..)")
    }
}

impl Authenticator {
    /// Reads what credentials are checked with, and keeps it as it is in the database for as long as this is in use.
    pub async fn start(keys: Keys, tokens: Option<Tokens>) -> Result<Arc<Self>> {
        let failed = |e: Error| Error::Startup(format!("reading the API keys failed: {}", e.cause()));
        let keyring = Keyring::read(keys).await.map_err(failed)?;
        let authenticator = Arc::new(Self { keyring, tokens, is_closed: AtomicBool::new(false) });
        tokio::spawn(keep_current(Arc::downgrade(&authenticator)));
        Ok(authenticator)
    }

    /// Who the credential is of.
    ///
    /// # Errors
    /// [`Error::WrongCredential`] if it is of nobody, or not any more; [`Error::Unavailable`] where nobody can tell,
    /// because the database was out of reach for too long.
    pub fn authenticate(&self, credential: Credential<'_>) -> Result<Arc<Caller>> {
        match (credential, &self.tokens) {
            (Credential::Key(text), _) => self.keyring.caller(text),
            (Credential::Bearer(text), _) if text.starts_with(key::PREFIX) => self.keyring.caller(text),
            (Credential::Bearer(text), Some(tokens)) => tokens.caller(text),
            (Credential::Bearer(_), None) => {
                Err(Error::WrongCredential("it is no API key, and no tokens are taken here"))
            }
        }
    }

    /// Whether there is an API key that is good.
    pub fn has_keys(&self) -> bool {
        self.keyring.has_any()
    }

    /// Whether tokens are taken.
    pub fn takes_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    /// Notes the last uses of keys and looks no more, before the connections to the database are closed.
    pub(crate) async fn close(&self) {
        self.is_closed.store(true, Relaxed);
        self.note_use().await;
    }

    async fn look(&self) {
        if let Some(tokens) = &self.tokens {
            tokens.look().await;
        }
        self.keyring.look(PATIENCE).await;
    }

    async fn note_use(&self) {
        match timeout(PATIENCE, self.keyring.note_use()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(cause = error.cause(), "when API keys were used could not be noted"),
            Err(_) => tracing::warn!("when API keys were used could not be noted in time"),
        }
    }
}

/// Looks for changes for as long as somebody uses the authenticator.
async fn keep_current(authenticator: Weak<Authenticator>) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for count in (0..NOTE).cycle() {
        looks.tick().await;
        let Some(authenticator) = authenticator.upgrade().filter(|a| !a.is_closed.load(Relaxed)) else { return };
        authenticator.look().await;
        if count == NOTE - 1 {
            authenticator.note_use().await;
        }
    }
}
