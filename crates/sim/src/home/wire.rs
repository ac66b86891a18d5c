//! The MQTT connections: one per device; the plugs behind a Zigbee bridge share the bridge's.

use super::MESSAGES_PER_SECOND_MAX;
use super::meters::Meters;
use super::payload::{self, Outgoing};
use crate::plan::{Format, hash};
use rumqttc::{AsyncClient, Event, EventLoop, LastWill, MqttOptions, NetworkOptions, Packet, QoS};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Messages that may wait inside a client; more are lost, as in a real device.
const QUEUE_MAX: usize = 512;
const PACKET_MAX_BYTES: usize = 80 * 1024 * 1024;
const RECONNECT: Duration = Duration::from_millis(500);

/// The connection of one device.
pub struct Wire {
    meters: Vec<usize>,
    client: AsyncClient,
    published: Arc<AtomicU64>,
    tasks: Vec<JoinHandle<()>>,
}

/// Connects all devices.
pub fn start(meters: &Arc<Meters>, broker: &(String, u16), every: Duration, seed: u64) -> Vec<Wire> {
    let mut devices: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (i, meter) in meters.all().iter().enumerate() {
        let client_id = match meter.device.format {
            Format::Zigbee2Mqtt => format!("mqttjs_{:08x}", hash(seed, 500, 0) as u32),
            _ => meter.device.topic.clone(),
        };
        devices.entry(client_id).or_default().push(i);
    }
    let count = devices.len().max(1) as u32;
    devices
        .into_iter()
        .zip(0..)
        // spread over the period: real devices don't speak in chorus
        .map(|((id, own), n)| connect(meters.clone(), broker, id, own, every, every * n / count))
        .collect()
}

fn connect(
    meters: Arc<Meters>,
    broker: &(String, u16),
    client_id: String,
    own: Vec<usize>,
    every: Duration,
    delay: Duration,
) -> Wire {
    let greeting = greeting(&meters, &own);
    let mut options = MqttOptions::new(client_id, broker.0.clone(), broker.1);
    options.set_keep_alive(Duration::from_secs(30)).set_max_packet_size(PACKET_MAX_BYTES, PACKET_MAX_BYTES);
    if let Some(will) = greeting.will {
        options.set_last_will(LastWill::new(will.topic, will.payload, QoS::AtMostOnce, will.retain));
    }
    let (client, mut events) = AsyncClient::new(options, QUEUE_MAX);
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    events.set_network_options(network);

    let published = Arc::new(AtomicU64::new(0));
    let (up, connections) = watch::channel(0u64);
    let talker = Talker { meters, own: own.clone(), client: client.clone(), published: published.clone() };
    let tasks = vec![
        tokio::spawn(keep_connected(events, up)),
        tokio::spawn(talker.talk(greeting.messages, connections, every, delay)),
    ];
    Wire { meters: own, client, published, tasks }
}

struct Greeting {
    will: Option<Outgoing>,
    messages: Vec<Outgoing>,
}

fn greeting(meters: &Meters, own: &[usize]) -> Greeting {
    let devices: Vec<_> = own.iter().filter_map(|&i| meters.all().get(i)).cloned().collect();
    let bridge = payload::zigbee_bridge(&devices);
    if !bridge.is_empty() {
        let will = bridge
            .first()
            .map(|state| Outgoing { payload: br#"{"state":"offline"}"#.to_vec(), ..state.clone() });
        return Greeting { will, messages: bridge };
    }
    let (off, on) = devices.first().and_then(|m| payload::presence(&m.device)).unzip();
    let introduction = devices.iter().flat_map(payload::introduction);
    Greeting { will: off, messages: on.into_iter().chain(introduction).collect() }
}

/// Counts the connections that were made.
async fn keep_connected(mut events: EventLoop, up: watch::Sender<u64>) {
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => up.send_modify(|n| *n += 1),
            Ok(_) => {}
            Err(_) => sleep(RECONNECT).await,
        }
    }
}

struct Talker {
    meters: Arc<Meters>,
    own: Vec<usize>,
    client: AsyncClient,
    published: Arc<AtomicU64>,
}

impl Talker {
    async fn talk(
        self,
        greeting: Vec<Outgoing>,
        mut connections: watch::Receiver<u64>,
        every: Duration,
        delay: Duration,
    ) {
        if connections.wait_for(|n| *n > 0).await.is_err() {
            return;
        }
        connections.mark_changed();
        sleep(delay).await;
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                biased;
                changed = connections.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    greeting.iter().for_each(|m| self.send(m.clone()));
                }
                _ = ticks.tick() => {
                    let at = self.meters.now();
                    for &i in &self.own {
                        self.meters.readings(i, at).into_iter().for_each(|m| self.send(m));
                    }
                }
            }
        }
    }

    fn send(&self, m: Outgoing) {
        if self.client.try_publish(m.topic, QoS::AtMostOnce, m.retain, m.payload).is_ok() {
            self.published.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Wire {
    pub fn speaks_for(&self, meter: usize) -> bool {
        self.meters.contains(&meter)
    }

    pub fn published(&self) -> u64 {
        self.published.load(Ordering::Relaxed)
    }

    /// Sends one message, waiting for room.
    pub async fn publish(&self, m: Outgoing) {
        let sent = self.client.publish(m.topic, QoS::AtMostOnce, m.retain, m.payload).await;
        if sent.is_ok() && self.published.fetch_add(1, Ordering::Relaxed).is_multiple_of(200) {
            sleep(Duration::from_secs(200) / MESSAGES_PER_SECOND_MAX).await;
        }
    }

    pub async fn stop(mut self) {
        for task in std::mem::take(&mut self.tasks) {
            task.abort();
            let _ = task.await;
        }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
