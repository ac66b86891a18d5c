//! One MQTT client per broker: connects, subscribes, stays connected, hands messages on.
//!
//! [`start`] never fails: a broker that can't be reached is a state ([`ConnState`]), not an error.
//! The network loop never waits for the consumer: what does not fit into its channel is lost and
//! counted. MQTT 3.1.1, clean sessions; everything is subscribed to again after a reconnect, so
//! retained messages arrive again too.

mod session;
mod subscriptions;
mod tls;

use super::Credentials;
use super::topic::is_valid_filter;
use bytes::Bytes;
use hearthwatt_domain::ids::BrokerId;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};

/// Most filters that one client subscribes to.
pub const FILTERS_MAX: usize = 4096;
/// Largest packet that is read from a broker at all, in bytes. A larger one ends the connection:
/// the codec can't skip it.
pub const PACKET_MAX_BYTES: usize = 16 * 1024 * 1024;
/// Largest payload that is handed on by default, in bytes: the largest that any decoder reads.
pub const PAYLOAD_MAX_BYTES: usize = crate::limits::MAX_REGISTRY_PAYLOAD;

/// How to reach and use one broker.
#[derive(Debug, Clone)]
pub struct BrokerConfig {
    pub id: BrokerId,
    /// Host name, IPv4 or IPv6 address (without brackets).
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub credentials: Option<Credentials>,
    /// Topic filters to subscribe to first; invalid ones are left out.
    pub filters: Vec<String>,
    pub keep_alive: Duration,
    /// Larger payloads are counted and dropped, bytes.
    pub payload_max_bytes: usize,
    pub backoff: Backoff,
    /// For the client id and the jitter of reconnects: a fresh random number per start, or two
    /// programs push each other off the broker.
    pub seed: u64,
}

impl BrokerConfig {
    /// Without TLS and credentials, with the usual limits.
    pub fn new(id: BrokerId, host: impl Into<String>, port: u16, seed: u64) -> Self {
        Self {
            id,
            host: host.into(),
            port,
            tls: Tls::Off,
            credentials: None,
            filters: Vec::new(),
            keep_alive: Duration::from_secs(15),
            payload_max_bytes: PAYLOAD_MAX_BYTES,
            backoff: Backoff::default(),
            seed,
        }
    }
}

/// Whom to trust.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Tls {
    #[default]
    Off,
    /// The authorities that the system trusts.
    SystemRoots,
    /// Only this authority (or this very certificate), PEM.
    Authority { pem: String },
}

/// Pauses between attempts: doubled from `first` to `max`, each cut by up to half at random.
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    pub first: Duration,
    pub max: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { first: Duration::from_millis(500), max: Duration::from_secs(30) }
    }
}

/// A message as it came from a broker.
#[derive(Debug, Clone)]
pub struct Inbound {
    pub broker: BrokerId,
    pub topic: String,
    pub payload: Bytes,
    /// It was kept by the broker: its content is not "now".
    pub retain: bool,
}

/// Where the connection stands. The reasons are short words for a person, without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnState {
    Connecting,
    /// The broker has let us in and confirmed the subscriptions: what is published now is heard.
    Connected,
    /// Connected, but the broker refuses these topic filters (at most twenty are named): what they
    /// cover is not heard.
    Restricted {
        refused: Vec<String>,
    },
    /// Lost or never reached; tried again by itself.
    Unreachable {
        reason: String,
    },
    /// The broker refuses user name or password; tried again with long pauses.
    BadCredentials,
    /// Its certificate is not one we trust; tried again with long pauses.
    BadCertificate {
        reason: String,
        /// SHA-256 of the certificate, upper-case hex with colons; `None` if it showed none.
        fingerprint: Option<String>,
    },
    /// Stopped.
    Disabled,
}

/// What a client has seen since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Messages handed on.
    pub delivered: u64,
    /// Lost because the consumer's channel was full.
    pub lost: u64,
    /// Refused for their size.
    pub oversized: u64,
    /// Connections made, the first included.
    pub connects: u64,
}

#[derive(Debug, Default)]
struct Shared {
    delivered: AtomicU64,
    lost: AtomicU64,
    oversized: AtomicU64,
    connects: AtomicU64,
    /// In the order in which they were asked for, and are subscribed to: a broker answers in that
    /// order, and identities are to come before readings.
    filters: Mutex<Vec<String>>,
    filters_changed: Notify,
}

/// A running client. Dropping it stops the client.
#[derive(Debug)]
pub struct MqttHandle {
    id: BrokerId,
    shared: Arc<Shared>,
    state: watch::Receiver<ConnState>,
    stop: watch::Sender<bool>,
    task: Option<tokio::task::JoinHandle<()>>,
}

/// Starts a client on the current tokio runtime (panics outside of one, as `tokio::spawn` does).
pub fn start(config: BrokerConfig, messages: mpsc::Sender<Inbound>) -> MqttHandle {
    let (state_tx, state) = watch::channel(ConnState::Connecting);
    let (stop, stop_rx) = watch::channel(false);
    let shared = Arc::new(Shared::default());
    let id = config.id;
    for filter in &config.filters {
        shared.add_filter(filter);
    }
    let task = tokio::spawn(session::supervise(config, shared.clone(), messages, state_tx, stop_rx));
    MqttHandle { id, shared, state, stop, task: Some(task) }
}

impl MqttHandle {
    pub fn id(&self) -> BrokerId {
        self.id
    }

    pub fn state(&self) -> watch::Receiver<ConnState> {
        self.state.clone()
    }

    /// Subscribes to a further filter, now and after every reconnect. `false` if it is invalid or
    /// there are [`FILTERS_MAX`] already; known ones are `true` and cost nothing.
    pub fn subscribe(&self, filter: &str) -> bool {
        self.shared.add_filter(filter)
    }

    pub fn counters(&self) -> Counters {
        let get = |c: &AtomicU64| c.load(Ordering::Relaxed);
        Counters {
            delivered: get(&self.shared.delivered),
            lost: get(&self.shared.lost),
            oversized: get(&self.shared.oversized),
            connects: get(&self.shared.connects),
        }
    }

    /// Disconnects and ends the client.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            // the task ends by itself; a panic in it would have been reported already
            let _ = task.await;
        }
    }
}

impl Drop for MqttHandle {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

impl Shared {
    fn add_filter(&self, filter: &str) -> bool {
        if !is_valid_filter(filter) {
            return false;
        }
        let mut filters = self.filters.lock().unwrap_or_else(PoisonError::into_inner);
        if filters.iter().any(|f| f == filter) {
            return true;
        }
        if filters.len() >= FILTERS_MAX {
            return false;
        }
        filters.push(filter.to_owned());
        drop(filters);
        self.filters_changed.notify_one();
        true
    }

    fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
