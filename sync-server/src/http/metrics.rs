//! What Prometheus reads at `/metrics`.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Upper bounds of the buckets, in seconds.
const SECONDS: [f64; 9] = [0.001, 0.005, 0.02, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// Route, not address: ids are no labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Request {
    pub method: &'static str,
    pub route: String,
    pub status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Reason {
    pub reason: &'static str,
}

/// Everything that is counted. Cheap to count; read by whoever may.
pub struct Metrics {
    registry: Registry,
    pub requests: Family<Request, Counter>,
    pub request_seconds: Histogram,
    pub connections: Gauge,
    pub connections_refused: Counter,
    pub rate_limited: Counter,
    pub sync_connections: Gauge,
    pub sync_refused: Family<Reason, Counter>,
    pub documents_open: Gauge,
    pub changes_stored: Counter,
    pub append_seconds: Histogram,
    pub compactions: Counter,
    pub blocks_stored: Counter,
    pub store_failures: Counter,
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("hearthwatt"),
            requests: Family::default(),
            request_seconds: seconds(),
            connections: Gauge::default(),
            connections_refused: Counter::default(),
            rate_limited: Counter::default(),
            sync_connections: Gauge::default(),
            sync_refused: Family::default(),
            documents_open: Gauge::default(),
            changes_stored: Counter::default(),
            append_seconds: seconds(),
            compactions: Counter::default(),
            blocks_stored: Counter::default(),
            store_failures: Counter::default(),
        };
        let m = &mut metrics;
        let r = &mut m.registry;
        r.register("http_requests", "Requests answered", m.requests.clone());
        let time = m.request_seconds.clone();
        r.register_with_unit("http_request", "Time to the response's headers", Unit::Seconds, time);
        r.register("connections", "Connections that are open", m.connections.clone());
        r.register(
            "connections_refused",
            "Connections over an address's limit",
            m.connections_refused.clone(),
        );
        r.register("rate_limited", "Requests over a limit", m.rate_limited.clone());
        r.register("sync_connections", "WebSockets that are open", m.sync_connections.clone());
        r.register("sync_refused", "Messages of peers that were refused", m.sync_refused.clone());
        r.register("documents_open", "Documents in memory", m.documents_open.clone());
        r.register("changes_stored", "Changes made durable", m.changes_stored.clone());
        let append = m.append_seconds.clone();
        r.register_with_unit("append", "Time to make changes durable", Unit::Seconds, append);
        r.register("compactions", "Documents compacted", m.compactions.clone());
        r.register("blocks_stored", "Blocks of history stored", m.blocks_stored.clone());
        r.register("store_failures", "Failures of the store", m.store_failures.clone());
        metrics
    }
}

impl Metrics {
    /// The text format of OpenMetrics.
    ///
    /// # Errors
    /// Never, while it is written to memory.
    pub fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
