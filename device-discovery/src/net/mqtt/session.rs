//! The life of one client: connect, read, fall back, try again.

use super::subscriptions::Subscriptions;
use super::tls::{Shown, transport};
use super::{BrokerConfig, ConnState, Inbound, PACKET_MAX_BYTES, Shared};
use rumqttc::{
    AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, MqttOptions, NetworkOptions, Outgoing,
    Packet, Publish, QoS, StateError, SubscribeFilter, TlsError, Transport, mqttbytes,
};
use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Requests that may wait inside the client.
const REQUESTS_MAX: usize = 256;
/// How long a connection attempt may take, seconds.
const CONNECT_TIMEOUT_S: u64 = 5;
/// How long a broker may take to confirm the first subscriptions.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(10);
/// A connection that held this long was a good one: the next pause is short again.
const STABLE_AFTER: Duration = Duration::from_secs(20);
/// Pause after a refusal that only a person can mend.
const REFUSED_PAUSE: Duration = Duration::from_secs(30);
/// Longest reason shown, in characters.
const REASON_MAX_CHARS: usize = 200;

/// Keeps a client going: a fault in the protocol library costs its connection, not the home's ears.
pub(super) async fn supervise(
    config: BrokerConfig,
    shared: Arc<Shared>,
    messages: mpsc::Sender<Inbound>,
    state: watch::Sender<ConnState>,
    stop: watch::Receiver<bool>,
) {
    let state = Arc::new(state);
    loop {
        let run = run(config.clone(), shared.clone(), messages.clone(), state.clone(), stop.clone());
        if tokio::spawn(run).await.is_ok() {
            return;
        }
        tracing::error!(broker = %config.id, "the MQTT client failed; it is started again");
        state.send_replace(ConnState::Unreachable { reason: "the MQTT client failed".into() });
        sleep(config.backoff.max).await;
    }
}

async fn run(
    config: BrokerConfig,
    shared: Arc<Shared>,
    messages: mpsc::Sender<Inbound>,
    state: Arc<watch::Sender<ConnState>>,
    mut stop: watch::Receiver<bool>,
) {
    let mut jitter = Jitter(config.seed);
    let client_id = format!("hearthwatt-{:016x}", jitter.next());
    let shown = Shown::default();
    let mut failures = 0u32;
    while !*stop.borrow() {
        let started = Instant::now();
        let was_connected = shared.connects.load(Ordering::Relaxed);
        let why = match transport(&config.tls, &shown) {
            Ok(transport) => {
                let options = options(&config, &client_id, transport);
                let session =
                    Session { config: &config, shared: &shared, messages: &messages, state: &state };
                match session.connection(options, &mut stop).await {
                    ControlFlow::Break(()) => break,
                    ControlFlow::Continue(error) => explain(&error, &shared, &shown),
                }
            }
            Err(reason) => ConnState::BadCertificate { reason, fingerprint: None },
        };
        let connected = shared.connects.load(Ordering::Relaxed) > was_connected;
        failures =
            if connected && started.elapsed() >= STABLE_AFTER { 0 } else { failures.saturating_add(1) };
        let pause = pause(&config, &why, failures, &mut jitter);
        tracing::info!(broker = %config.id, ?why, pause_ms = pause.as_millis() as u64, "broker lost");
        state.send_replace(why);
        tokio::select! {
            () = sleep(pause) => {}
            _ = stop.changed() => {}
        }
    }
    state.send_replace(ConnState::Disabled);
}

struct Session<'a> {
    config: &'a BrokerConfig,
    shared: &'a Shared,
    messages: &'a mpsc::Sender<Inbound>,
    state: &'a watch::Sender<ConnState>,
}

impl Session<'_> {
    /// One connection from its attempt to its end: `Break` if we were told to stop.
    async fn connection(
        &self,
        options: MqttOptions,
        stop: &mut watch::Receiver<bool>,
    ) -> ControlFlow<(), ConnectionError> {
        let (client, mut events) = AsyncClient::new(options, REQUESTS_MAX);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        network.set_connection_timeout(CONNECT_TIMEOUT_S);
        events.set_network_options(network);
        let mut subscriptions: Option<Subscriptions> = None;
        let mut confirmed = false;
        let mut confirm_by = Instant::now();
        loop {
            let connected = subscriptions.is_some();
            tokio::select! {
                biased;
                _ = stop.changed() => {
                    farewell(&client, &mut events, connected).await;
                    return ControlFlow::Break(());
                }
                event = events.poll() => match event {
                    Ok(Event::Incoming(Packet::Publish(publish))) => self.hand_on(publish),
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        Shared::count(&self.shared.connects);
                        confirm_by = Instant::now() + CONFIRM_TIMEOUT;
                        let first = self.filters().len();
                        let subscriptions = subscriptions.insert(Subscriptions::new(first));
                        self.subscribe_new(&client, subscriptions);
                        confirmed = self.show(subscriptions);
                    }
                    Ok(Event::Outgoing(Outgoing::Subscribe(packet_id))) => {
                        if let Some(subscriptions) = &mut subscriptions {
                            subscriptions.sent(packet_id);
                        }
                    }
                    Ok(Event::Incoming(Packet::SubAck(ack))) => {
                        if let Some(subscriptions) = &mut subscriptions {
                            subscriptions.answered(ack.pkid, &ack.return_codes, &self.filters());
                            // more may wait than there was room for
                            self.subscribe_new(&client, subscriptions);
                            confirmed = self.show(subscriptions);
                        }
                    }
                    Ok(_) => {}
                    Err(error) => return ControlFlow::Continue(error),
                },
                () = self.shared.filters_changed.notified(), if connected => {
                    if let Some(subscriptions) = &mut subscriptions {
                        self.subscribe_new(&client, subscriptions);
                    }
                }
                () = sleep_until(confirm_by), if connected && !confirmed => {
                    return ControlFlow::Continue(ConnectionError::NetworkTimeout);
                }
            }
        }
    }

    fn filters(&self) -> MutexGuard<'_, Vec<String>> {
        self.shared.filters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn subscribe_new(&self, client: &AsyncClient, subscriptions: &mut Subscriptions) {
        subscriptions.ask(&self.filters(), |packet| {
            let packet = packet.iter().map(|f| SubscribeFilter::new(f.clone(), QoS::AtMostOnce));
            client.try_subscribe_many(packet).is_ok()
        });
    }

    /// Tells where the subscriptions stand; whether the first ones are answered.
    fn show(&self, subscriptions: &Subscriptions) -> bool {
        let Some(now) = subscriptions.state() else { return false };
        self.state.send_if_modified(|state| {
            let changed = *state != now;
            if changed {
                if let ConnState::Restricted { refused } = &now {
                    tracing::warn!(broker = %self.config.id, ?refused, "the broker refuses subscriptions");
                }
                *state = now;
            }
            changed
        });
        true
    }

    fn hand_on(&self, publish: Publish) {
        if publish.payload.len() > self.config.payload_max_bytes {
            Shared::count(&self.shared.oversized);
            tracing::debug!(broker = %self.config.id, bytes = publish.payload.len(), "payload too large");
            return;
        }
        let Publish { topic, payload, retain, .. } = publish;
        let inbound = Inbound { broker: self.config.id, topic, payload, retain };
        match self.messages.try_send(inbound) {
            Ok(()) => Shared::count(&self.shared.delivered),
            Err(_) => Shared::count(&self.shared.lost),
        }
    }
}

/// Says goodbye so that the broker does not take us for lost; not longer than a moment.
async fn farewell(client: &AsyncClient, events: &mut EventLoop, connected: bool) {
    if !connected || client.try_disconnect().is_err() {
        return;
    }
    let flushed = async { while events.poll().await.is_ok_and(|e| !is_disconnect(&e)) {} };
    let _ = timeout(Duration::from_millis(200), flushed).await;
}

fn is_disconnect(event: &Event) -> bool {
    matches!(event, Event::Outgoing(Outgoing::Disconnect))
}

fn options(config: &BrokerConfig, client_id: &str, transport: Transport) -> MqttOptions {
    let mut options = MqttOptions::new(client_id, config.host.trim(), config.port);
    options
        .set_transport(transport)
        .set_keep_alive(config.keep_alive.max(Duration::from_secs(1)))
        .set_clean_session(true)
        .set_max_packet_size(PACKET_MAX_BYTES, PACKET_MAX_BYTES);
    if let Some(c) = &config.credentials {
        options.set_credentials(c.username.clone(), c.password.clone());
    }
    options
}

/// The state that an error leaves, in words for a person.
fn explain(error: &ConnectionError, shared: &Shared, shown: &Shown) -> ConnState {
    let unreachable = |reason: String| ConnState::Unreachable { reason: clip(&reason) };
    match error {
        ConnectionError::ConnectionRefused(
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
        ) => ConnState::BadCredentials,
        ConnectionError::ConnectionRefused(code) => unreachable(format!("the broker refused us: {code:?}")),
        ConnectionError::NetworkTimeout => unreachable("no answer in time".into()),
        ConnectionError::FlushTimeout => unreachable("the broker takes no more data".into()),
        ConnectionError::Tls(TlsError::Io(e)) | ConnectionError::Io(e) => match tls_cause(e) {
            Some(cause) => bad_certificate(cause, shown),
            None => unreachable(in_words(e)),
        },
        ConnectionError::Tls(e) => bad_certificate(e.to_string(), shown),
        ConnectionError::MqttState(StateError::Deserialization(
            mqttbytes::Error::PayloadSizeLimitExceeded(bytes),
        )) => {
            Shared::count(&shared.oversized);
            unreachable(format!(
                "a message of {bytes} bytes is larger than can be read ({PACKET_MAX_BYTES} bytes)"
            ))
        }
        ConnectionError::MqttState(StateError::ConnectionAborted) => unreachable("the broker hung up".into()),
        ConnectionError::MqttState(StateError::AwaitPingResp) => unreachable("the broker fell silent".into()),
        other => unreachable(other.to_string()),
    }
}

/// rustls hides its errors inside I/O errors; only those about the certificate are a person's to mend.
fn tls_cause(error: &std::io::Error) -> Option<String> {
    match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidCertificate(why) => Some(why.to_string()),
        _ => None,
    }
}

/// Why a connection failed, without the numbers of the operating system.
fn in_words(error: &io::Error) -> String {
    let words = match error.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens at this address and port",
        io::ErrorKind::TimedOut => "no answer in time",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            "there is no way to it from here"
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::UnexpectedEof => {
            "the broker hung up"
        }
        io::ErrorKind::AddrNotAvailable => "this address is not of this network",
        _ if error.to_string().contains("lookup address") => "its name is not known here",
        _ => return error.to_string(),
    };
    words.into()
}

fn bad_certificate(reason: impl AsRef<str>, shown: &Shown) -> ConnState {
    let fingerprint = shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
    ConnState::BadCertificate { reason: clip(reason.as_ref()), fingerprint }
}

fn clip(reason: &str) -> String {
    reason.chars().filter(|c| !c.is_control()).take(REASON_MAX_CHARS).collect()
}

fn pause(config: &BrokerConfig, why: &ConnState, failures: u32, jitter: &mut Jitter) -> Duration {
    let full = match why {
        ConnState::BadCredentials | ConnState::BadCertificate { .. } => REFUSED_PAUSE.min(config.backoff.max),
        _ => {
            let doubled = config.backoff.first.saturating_mul(1 << failures.saturating_sub(1).min(16));
            doubled.min(config.backoff.max)
        }
    };
    // half is fixed, half is chance: many clients must not come back in the same moment
    full.mul_f64(0.5 + 0.5 * (jitter.next() >> 11) as f64 / (1u64 << 53) as f64)
}

/// SplitMix64: spreads the seed that the edge gave.
struct Jitter(u64);

impl Jitter {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
