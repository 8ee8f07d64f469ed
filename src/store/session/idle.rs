//! Sessions between two requests. The driver would open one for each operation by itself and give it back, both with a
//! task of their own, which is a good part of what a small operation costs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mongodb::{Client, ClientSession};

use crate::error::Result;

/// How many are kept: as many as there usually are connections to read by.
const MOST: usize = 64;

/// Sessions that nobody uses. Clones share them.
#[derive(Debug, Clone)]
pub struct Idle(Arc<Mutex<Option<Vec<ClientSession>>>>);

impl Default for Idle {
    /// None yet, but they are kept.
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Some(Vec::new()))))
    }
}

impl Idle {
    /// A session for the work of one request.
    pub(in crate::store) async fn take(&self, client: &Client) -> Result<ClientSession> {
        let idle = self.lock().as_mut().and_then(Vec::pop);
        match idle {
            Some(session) => Ok(session),
            // The work has to wait for no write of those that had the session before.
            None => Ok(client.start_session().causal_consistency(false).await?),
        }
    }

    /// Keeps the session after work that went well. After any other it is the driver's, which knows whether its
    /// connection broke, and whether the server may still be at work.
    pub(in crate::store) fn keep(&self, session: ClientSession) {
        if let Some(idle) = self.lock().as_mut().filter(|idle| idle.len() < MOST) {
            idle.push(session);
        }
    }

    /// Keeps none from now on: the client waits for its sessions before it closes.
    pub(crate) fn end(&self) {
        self.lock().take();
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<ClientSession>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
