//! Counters of the connection pool, fed by the driver's events.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use mongodb::{
    event::{EventHandler, cmap::CmapEvent},
    options::ClientOptions,
};

/// What the connection pool is doing, all servers together.
///
/// See [connection monitoring](https://github.com/mongodb/specifications/blob/master/source/connection-monitoring-and-pooling/connection-monitoring-and-pooling.md).
#[derive(Debug, Default)]
pub struct PoolStats {
    max_size: u64,
    open: AtomicU64,
    in_use: AtomicU64,
    waiting: AtomicU64,
    checkouts: AtomicU64,
    failures: AtomicU64,
    waited_micros: AtomicU64,
}

impl PoolStats {
    /// Has the client report its pool's events.
    pub(super) fn watch(settings: &mut ClientOptions) -> Arc<Self> {
        let max_size = settings.max_pool_size.unwrap_or_default().into();
        let stats = Arc::new(Self { max_size, ..Self::default() });
        let watcher = Arc::clone(&stats);
        settings.cmap_event_handler = Some(EventHandler::callback(move |event| watcher.note(&event)));
        stats
    }

    /// The most connections there may be to one server.
    pub fn max_size(&self) -> u64 {
        self.max_size
    }

    /// Connections that are open now.
    pub fn open(&self) -> u64 {
        self.open.load(Relaxed)
    }

    /// Connections that an operation is using now.
    pub fn in_use(&self) -> u64 {
        self.in_use.load(Relaxed)
    }

    /// Operations that wait for a connection now.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Relaxed)
    }

    /// How often a connection was handed out.
    pub fn checkouts(&self) -> u64 {
        self.checkouts.load(Relaxed)
    }

    /// How often none could be had.
    pub fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    /// How long operations have waited for a connection, all together, whether they got one or not.
    pub fn waited(&self) -> Duration {
        Duration::from_micros(self.waited_micros.load(Relaxed))
    }

    fn note(&self, event: &CmapEvent) {
        match event {
            CmapEvent::ConnectionCreated(_) => add(&self.open),
            CmapEvent::ConnectionClosed(_) => subtract(&self.open),
            CmapEvent::ConnectionCheckoutStarted(_) => add(&self.waiting),
            CmapEvent::ConnectionCheckedOut(event) => {
                add(&self.checkouts);
                add(&self.in_use);
                self.stop_waiting(event.duration);
            }
            CmapEvent::ConnectionCheckoutFailed(event) => {
                add(&self.failures);
                self.stop_waiting(event.duration);
            }
            CmapEvent::ConnectionCheckedIn(_) => {
                subtract(&self.in_use);
                self.forget_the_cancelled();
            }
            _ => {}
        }
    }

    fn stop_waiting(&self, waited: Duration) {
        subtract(&self.waiting);
        self.waited_micros.fetch_add(u64::try_from(waited.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    /// No event tells that an operation was cancelled while it waited, so the count would creep up; but nobody
    /// can be waiting while every connection is free.
    fn forget_the_cancelled(&self) {
        if self.in_use() == 0 {
            self.waiting.store(0, Relaxed);
        }
    }
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

fn subtract(counter: &AtomicU64) {
    // Never below zero: a waiter that was forgotten too early is subtracted once more.
    let _ = counter.fetch_update(Relaxed, Relaxed, |count| count.checked_sub(1));
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event<T: serde::de::DeserializeOwned>(fields: Value) -> T {
        serde_json::from_value(fields).unwrap()
    }

    #[test]
    fn counts_what_the_pool_does() {
        let stats = PoolStats { max_size: 4, ..PoolStats::default() };
        let started = || CmapEvent::ConnectionCheckoutStarted(event(json!({})));
        let seen = || (stats.open(), stats.in_use(), stats.waiting(), stats.checkouts(), stats.failures());
        stats.note(&started());
        stats.note(&started());
        stats.note(&CmapEvent::ConnectionCreated(event(json!({ "connectionId": 1 }))));
        assert_eq!(seen(), (1, 0, 2, 0, 0));
        stats.note(&CmapEvent::ConnectionCheckedOut(event(json!({ "connectionId": 1 }))));
        assert_eq!(seen(), (1, 1, 1, 1, 0));
        stats.note(&CmapEvent::ConnectionCheckedIn(event(json!({ "connectionId": 1 }))));
        assert_eq!(seen(), (1, 0, 0, 1, 0), "the cancelled one is forgotten");
        stats.note(&started());
        stats.note(&CmapEvent::ConnectionCheckoutFailed(event(json!({ "reason": "timeout" }))));
        stats.note(&CmapEvent::ConnectionClosed(event(json!({ "connectionId": 1, "reason": "error" }))));
        assert_eq!(seen(), (0, 0, 0, 1, 1));
    }
}
