//! Where the keys of tokens come from: a setting, or a file that may change.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use super::keyset::{KeySet, Rules};
use crate::{
    config::{Algorithm, Secret, Tokens},
    error::{Error, Result},
};

/// The least that a secret may have, in bytes: as much as the hash that it keys
/// ([RFC 7518, section 3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)).
const LEAST: usize = 32;

/// The largest file of keys that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// Where keys come from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// A secret that the issuer has too.
    Secret(Secret),
    /// A file of public keys, and how it was when it was last read.
    File(PathBuf, Arc<Mutex<Option<Stamp>>>),
}

/// By what it is seen that a file has changed.
type Stamp = (SystemTime, u64);

impl Source {
    /// The source that the settings name, if they name one.
    pub(super) fn choose(settings: &Tokens) -> Result<Option<Self>> {
        let fail = |why: &str| Err(Error::Startup(why.to_owned()));
        match (settings.secret()?, &settings.jwt_keys) {
            (Some(_), Some(_)) => fail("`--jwt-secret` and `--jwt-keys` cannot both be: tokens are signed in one way"),
            (Some(secret), None) if secret.expose().len() < LEAST => {
                fail("the secret of tokens (`--jwt-secret`) is shorter than 32 bytes: make one that cannot be guessed")
            }
            (Some(_), None) if settings.jwt_algorithm.is_some_and(|algorithm| algorithm != Algorithm::Hs256) => fail(
                "`--jwt-secret` is for HS256 alone: for another `--jwt-algorithm` give the public key with `--jwt-keys`",
            ),
            (None, Some(_)) if settings.jwt_algorithm == Some(Algorithm::Hs256) => {
                fail("HS256 needs a secret, and public keys are none: give it with `--jwt-secret`")
            }
            (Some(secret), None) => Ok(Some(Self::Secret(secret))),
            (None, Some(file)) => Ok(Some(Self::File(file.clone(), Arc::default()))),
            (None, None) if is_begun(settings) => fail(
                "tokens need `--jwt-secret` or `--jwt-keys`: one of the other settings for them is there, and no key",
            ),
            (None, None) => Ok(None),
        }
    }

    /// The keys, as they are now.
    pub(super) fn read(&self, rules: &Rules) -> Result<KeySet, String> {
        match self {
            Self::Secret(secret) => Ok(KeySet::secret(secret, rules)),
            Self::File(file, seen) => {
                let shown =
                    |why: String| format!("the keys in `{}` (`--jwt-keys`) cannot be used: {why}", file.display());
                let stamp = stamp(file).map_err(&shown)?;
                *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(stamp);
                let text = fs::read_to_string(file).map_err(|e| shown(e.to_string()))?;
                KeySet::parse(&text, rules).map_err(shown)
            }
        }
    }

    /// The keys, if their file is another one than the one that was read.
    pub(super) fn read_if_changed(&self, rules: &Rules) -> Option<Result<KeySet, String>> {
        let Self::File(file, seen) = self else { return None };
        // A file that is gone for a moment is about to be replaced.
        let stamp = stamp(file).ok()?;
        let seen = *seen.lock().unwrap_or_else(PoisonError::into_inner);
        (seen != Some(stamp)).then(|| self.read(rules))
    }
}

fn stamp(file: &Path) -> Result<Stamp, String> {
    let data = fs::metadata(file).map_err(|e| e.to_string())?;
    if data.len() > LARGEST {
        return Err(format!("it has {} bytes, more than {LARGEST}", data.len()));
    }
    Ok((data.modified().map_err(|e| e.to_string())?, data.len()))
}

fn is_begun(settings: &Tokens) -> bool {
    settings.jwt_issuer.is_some() || settings.jwt_audience.is_some() || settings.jwt_algorithm.is_some()
}
