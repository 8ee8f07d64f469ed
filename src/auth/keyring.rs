//! The API keys in memory, a little behind the database at most.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicI64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use bson::DateTime;
use tokio::time::timeout;

use super::key;
use crate::{
    access::Caller,
    error::{Error, Result},
    schema::access::User,
    store::{Keys, keys::Key},
};

/// For how long keys are believed without a look into the database: one may have been revoked since.
const TRUST: Duration = Duration::from_secs(10);

/// All keys of the database, as they were a moment ago.
pub(super) struct Keyring {
    keys: Keys,
    known: RwLock<Known>,
    /// Whether the last look failed: an outage is one line in the log.
    is_blind: AtomicBool,
}

struct Known {
    by_id: HashMap<String, Held>,
    /// The generation of the database's keys that these are.
    generation: i64,
    /// When they certainly still were.
    seen: Instant,
}

/// A key that somebody holds.
struct Held {
    hash: blake3::Hash,
    expires: Option<i64>,
    is_revoked: bool,
    caller: Arc<Caller>,
    use_of: Arc<Use>,
}

/// When a key was last used, and which use the database knows of, in milliseconds since 1970.
#[derive(Default)]
struct Use {
    last: AtomicI64,
    noted: AtomicI64,
}

impl Keyring {
    /// The keys, as they are now.
    pub(super) async fn read(keys: Keys) -> Result<Self> {
        let known = Known::read(&keys, &HashMap::new()).await?;
        Ok(Self { keys, known: RwLock::new(known), is_blind: AtomicBool::new(false) })
    }

    /// Whose key this is.
    pub(super) fn caller(&self, text: &str) -> Result<Arc<Caller>> {
        const UNKNOWN: Error = Error::WrongCredential("there is no such API key");
        let (id, secret) = key::split(text).ok_or(UNKNOWN)?;
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let age = known.seen.elapsed();
        if age > TRUST {
            let cause = format!("the API keys were not seen in the database for {} seconds", age.as_secs());
            return Err(Error::Unavailable { cause });
        }
        let held = known.by_id.get(id).filter(|held| held.hash == key::hash(secret)).ok_or(UNKNOWN)?;
        let now = DateTime::now().timestamp_millis();
        held.check(now)?;
        held.use_of.last.fetch_max(now, Relaxed);
        Ok(Arc::clone(&held.caller))
    }

    /// Whether there is one that is good.
    pub(super) fn has_any(&self) -> bool {
        let now = DateTime::now().timestamp_millis();
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.by_id.values().any(|held| held.check(now).is_ok())
    }

    /// Looks whether the keys are still as they are in the database, and reads them anew if not.
    pub(super) async fn look(&self, patience: Duration) {
        let outcome = timeout(patience, self.follow()).await;
        let trouble = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.cause()),
            Err(_) => Some("the database does not answer in time".to_owned()),
        };
        match (self.is_blind.swap(trouble.is_some(), Relaxed), trouble) {
            (false, Some(cause)) => tracing::warn!(cause, "API keys cannot be read; those known are good for a moment"),
            (true, None) => tracing::info!("API keys can be read again"),
            _ => {}
        }
    }

    async fn follow(&self) -> Result<()> {
        let started = Instant::now();
        let generation = self.keys.generation().await?;
        let uses = {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            if known.generation == generation {
                known.seen = started;
                return Ok(());
            }
            known.by_id.iter().map(|(id, held)| (id.clone(), Arc::clone(&held.use_of))).collect()
        };
        let next = Known::read(&self.keys, &uses).await?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(())
    }

    /// Notes in the database when keys were used since the last note.
    pub(super) async fn note_use(&self) -> Result<()> {
        let uses = self.unnoted();
        let fresh: Vec<_> = uses.iter().map(|(id, _, at)| (id.clone(), DateTime::from_millis(*at))).collect();
        self.keys.note_use(&fresh).await?;
        for (_, use_of, at) in uses {
            use_of.noted.fetch_max(at, Relaxed);
        }
        Ok(())
    }

    fn unnoted(&self) -> Vec<(String, Arc<Use>, i64)> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let last = known.by_id.iter().map(|(id, held)| (id, &held.use_of, held.use_of.last.load(Relaxed)));
        let unnoted = last.filter(|(_, use_of, at)| *at > use_of.noted.load(Relaxed));
        unnoted.map(|(id, use_of, at)| (id.clone(), Arc::clone(use_of), at)).collect()
    }
}

impl Known {
    /// What is in the database. The generation is read first: a change after it is found at the next look.
    async fn read(keys: &Keys, uses: &HashMap<String, Arc<Use>>) -> Result<Self> {
        let seen = Instant::now();
        let generation = keys.generation().await?;
        let all = keys.all().await?;
        let by_id = all.into_iter().filter_map(|key| Held::of(key, uses)).collect();
        Ok(Self { by_id, generation, seen })
    }
}

impl Held {
    fn of(key: Key, before: &HashMap<String, Arc<Use>>) -> Option<(String, Self)> {
        let hash = blake3::Hash::from_hex(&key.hash).inspect_err(|_| tracing::warn!(key.id, "an API key has no hash"));
        let attributes = key.attributes.into_iter().map(|(name, value)| (name, value.into())).collect();
        let user = User { id: key.id.clone(), name: key.name, attributes };
        let held = Self {
            hash: hash.ok()?,
            expires: key.expires.map(DateTime::timestamp_millis),
            is_revoked: key.revoked.is_some(),
            caller: Arc::new(Caller::known(user, key.roles)),
            use_of: before.get(&key.id).cloned().unwrap_or_default(),
        };
        Some((key.id, held))
    }

    /// Whether it is good at this time.
    fn check(&self, now: i64) -> Result<()> {
        match self.expires {
            _ if self.is_revoked => Err(Error::WrongCredential("the API key has been revoked")),
            Some(end) if end <= now => Err(Error::WrongCredential("the API key has expired")),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Keyring").field("keys", &known.by_id.len()).finish_non_exhaustive()
    }
}
