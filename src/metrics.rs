//! What is counted, for Prometheus: requests, their time, the use of the connection pool, and documents that break rules.
//!
//! See [the text format](https://prometheus.io/docs/instrumenting/exposition_formats/) and
//! [OpenMetrics](https://github.com/prometheus/OpenMetrics).

use std::{fmt, sync::Arc, time::Duration};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text::encode},
    metrics::{
        MetricType,
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::ConstGauge,
        histogram::Histogram,
    },
    registry::{Registry, Unit},
};

use tokio::sync::watch::Receiver;

use crate::{
    error::{Error, Result},
    store::client::PoolStats,
    sync::Standing,
};

/// Upper bounds of the latency buckets, in seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// What tells requests apart: never anything that a client makes up.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Labels {
    /// The method, `other` for an unusual one.
    pub method: &'static str,
    /// The route's pattern.
    pub route: String,
    /// The status code.
    pub status: u16,
}

/// The service's metrics.
pub struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    seconds: Family<Labels, Histogram>,
}

impl Metrics {
    pub(crate) fn new(pool: Arc<PoolStats>, standing: Receiver<Standing>) -> Self {
        let mut registry = Registry::with_prefix("folio");
        let requests = Family::default();
        let seconds = Family::<Labels, Histogram>::new_with_constructor(|| Histogram::new(SECONDS));
        registry.register("http_requests", "Requests answered", requests.clone());
        registry.register_with_unit("http_request_duration", "Time to answer", Unit::Seconds, seconds.clone());
        registry.register_collector(Box::new(Pool(pool)));
        registry.register_collector(Box::new(Database(standing)));
        Self { registry, requests, seconds }
    }

    pub(crate) fn answered(&self, labels: &Labels, time: Duration) {
        self.requests.get_or_create(labels).inc();
        self.seconds.get_or_create(labels).observe(time.as_secs_f64());
    }

    /// Everything in OpenMetrics text.
    pub(crate) fn text(&self) -> Result<String> {
        let mut text = String::new();
        encode(&mut text, &self.registry).map_err(|_| Error::Internal("the metrics cannot be written".into()))?;
        Ok(text)
    }
}

/// The connection pool's figures, read when they are asked for.
#[derive(Debug)]
struct Pool(Arc<PoolStats>);

impl Collector for Pool {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let gauges = [
            ("mongodb_pool_max", "Most connections to one server", self.0.max_size()),
            ("mongodb_pool_open", "Connections that are open", self.0.open()),
            ("mongodb_pool_in_use", "Connections that an operation is using", self.0.in_use()),
            ("mongodb_pool_waiting", "Operations that wait for a connection", self.0.waiting()),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let counters = [
            ("mongodb_pool_checkouts", "Connections handed out", self.0.checkouts()),
            ("mongodb_pool_checkout_failures", "Times that no connection could be had", self.0.failures()),
        ];
        for (name, help, value) in counters {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        let waited = ConstCounter::new(self.0.waited().as_secs_f64());
        let help = "Time that operations have waited for a connection";
        waited.encode(encoder.encode_descriptor(
            "mongodb_pool_wait",
            help,
            Some(&Unit::Seconds),
            waited.metric_type(),
        )?)
    }
}

/// How the database stands to the files, as it was last seen.
#[derive(Debug)]
struct Database(Receiver<Standing>);

impl Collector for Database {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let standing = self.0.borrow();
        let superseded = ConstGauge::new(i64::from(standing.superseded));
        let help = "Whether newer collection files than this instance's have been applied";
        superseded.encode(encoder.encode_descriptor("superseded", help, None, superseded.metric_type())?)?;
        let help = "Stored documents that break a validator which is not held against every write";
        let counts = standing.open.iter().filter_map(|(collection, open)| Some((collection, open, open.breaking?)));
        let mut family = encoder.encode_descriptor("breaking_documents", help, None, MetricType::Gauge)?;
        for (collection, open, count) in counts {
            let (level, action) = (&open.rules.level, &open.rules.action);
            let labels = [("collection", collection), ("level", level), ("action", action)];
            ConstGauge::new(count).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
