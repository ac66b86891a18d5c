//! The MQTT client against our own broker and Debian's mosquitto; both brokers' behaviour; mDNS on
//! loopback. Everything listens on loopback.
#![cfg(feature = "net")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers of tests are tests"
)]

mod client;
mod hostile;
mod mosquitto;
mod own_broker;

use hearthwatt_discovery::net::mqtt::{self, Backoff, BrokerConfig, ConnState, Inbound, MqttHandle};
use hearthwatt_domain::ids::BrokerId;
use rumqttc::{AsyncClient, MqttOptions, QoS};
use std::time::Duration;
use tokio::sync::mpsc;

pub const PATIENCE: Duration = Duration::from_secs(10);

pub fn config(port: u16, filters: &[&str]) -> BrokerConfig {
    let id = BrokerId::derive(&["test", &port.to_string()]);
    let mut config = BrokerConfig::new(id, "127.0.0.1", port, 0xfeed ^ u64::from(port));
    config.filters = filters.iter().map(|f| f.to_string()).collect();
    config.backoff = Backoff { first: Duration::from_millis(50), max: Duration::from_millis(200) };
    config
}

pub fn listen(config: BrokerConfig, capacity: usize) -> (MqttHandle, mpsc::Receiver<Inbound>) {
    let (tx, rx) = mpsc::channel(capacity);
    (mqtt::start(config, tx), rx)
}

pub async fn state(handle: &MqttHandle, what: &str, wanted: impl Fn(&ConnState) -> bool) -> ConnState {
    let mut states = handle.state();
    let found = tokio::time::timeout(PATIENCE, states.wait_for(|s| wanted(s))).await;
    found.unwrap_or_else(|_| panic!("never {what}, last {:?}", handle.state().borrow())).unwrap().clone()
}

pub async fn connected(handle: &MqttHandle) {
    state(handle, "connected", |s| *s == ConnState::Connected).await;
}

pub async fn next(messages: &mut mpsc::Receiver<Inbound>) -> Inbound {
    tokio::time::timeout(PATIENCE, messages.recv())
        .await
        .expect("no message in time")
        .expect("channel closed")
}

/// A plain client that publishes; it runs until dropped.
pub struct Publisher {
    pub client: AsyncClient,
    task: tokio::task::JoinHandle<()>,
}

impl Publisher {
    pub fn new(port: u16) -> Self {
        Self::with(MqttOptions::new(format!("publisher-{port}"), "127.0.0.1", port))
    }

    pub fn with(mut options: MqttOptions) -> Self {
        options.set_max_packet_size(64 << 20, 64 << 20);
        let (client, mut events) = AsyncClient::new(options, 64);
        let task = tokio::spawn(async move {
            loop {
                if events.poll().await.is_err() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        });
        Self { client, task }
    }

    pub async fn publish(&self, topic: &str, retain: bool, payload: impl Into<Vec<u8>>) {
        self.client.publish(topic, QoS::AtLeastOnce, retain, payload).await.unwrap();
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Publishes until the client hears it: its subscription is in force.
pub async fn subscribed(publisher: &Publisher, messages: &mut mpsc::Receiver<Inbound>, topic: &str) {
    for _ in 0..200 {
        publisher.publish(topic, false, "ready?").await;
        if let Ok(Some(m)) = tokio::time::timeout(Duration::from_millis(50), messages.recv()).await
            && m.topic == topic
        {
            while tokio::time::timeout(Duration::from_millis(100), messages.recv()).await.is_ok() {}
            return;
        }
    }
    panic!("never subscribed to {topic}");
}
