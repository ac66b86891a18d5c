//! A whole home over a real broker on loopback. Nothing sleeps: every step waits for an event or
//! asks until the answer is the one, with a limit.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so by failing")]

mod data;
mod document;
mod edits;
mod failures;
mod share;
mod speed;
mod story;

use hearthwatt_api::*;
use hearthwatt_discovery::net::broker::{self, BrokerOptions, OwnBroker};
use hearthwatt_domain::ids::{BrokerId, MeterId};
use hearthwatt_domain::meter::{Adoption, Meter, MeterKey, Role};
use hearthwatt_domain::reading::{Channel, Quantity, Reading};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_engine::{Arrival, Clock, Discovery, Home, HomeOptions};
use rumqttc::{AsyncClient, MqttOptions, QoS};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::broadcast;
use tokio::time::timeout;

/// Longest wait for anything; far beyond what a loaded machine needs.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// 2026-03-03 14:02 in Vienna.
pub const START: UnixMillis = UnixMillis(1_772_542_920_000);

/// Runs like a wall clock from a fixed start; tests may push it.
pub struct TestClock {
    began: Instant,
    offset_ms: AtomicI64,
}

impl TestClock {
    pub fn at(start: UnixMillis) -> Arc<Self> {
        Arc::new(Self { began: Instant::now(), offset_ms: AtomicI64::new(start.0) })
    }
    pub fn push(&self, ms: i64) {
        self.offset_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.offset_ms.load(Ordering::SeqCst) + self.began.elapsed().as_millis() as i64)
    }
    fn received(&self, _: &Arrival<'_>) -> UnixMillis {
        self.now()
    }
}

pub fn broker_id() -> BrokerId {
    BrokerId::derive(&["test"])
}

pub fn listen_to(port: u16) -> BrokerInput {
    BrokerInput {
        id: broker_id(),
        host: "127.0.0.1".into(),
        port,
        tls: false,
        ca_pem: String::new(),
        username: String::new(),
        password: None,
    }
}

pub fn options(folder: &Path, clock: Arc<TestClock>, port: Option<u16>) -> HomeOptions {
    let mut options = HomeOptions::new(folder, clock, "Europe/Vienna", "EUR");
    options.discovery = Discovery::Off;
    options.brokers = port.map(listen_to).into_iter().collect();
    options
}

pub fn own_broker() -> OwnBroker {
    broker::start(BrokerOptions::loopback()).unwrap()
}

/// Publishes as devices do; reconnects by itself.
pub struct Publisher {
    client: AsyncClient,
    task: tokio::task::JoinHandle<()>,
}

impl Publisher {
    pub fn new(port: u16) -> Self {
        let mut options = MqttOptions::new("publisher", "127.0.0.1", port);
        options.set_keep_alive(Duration::from_secs(5));
        let (client, mut events) = AsyncClient::new(options, 4096);
        let task = tokio::spawn(async move {
            loop {
                if events.poll().await.is_err() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        });
        Self { client, task }
    }

    pub async fn publish(&self, topic: &str, payload: impl Into<Vec<u8>>) {
        self.client.publish(topic, QoS::AtLeastOnce, false, payload).await.unwrap();
    }

    pub async fn retain(&self, topic: &str, payload: impl Into<Vec<u8>>) {
        self.client.publish(topic, QoS::AtLeastOnce, true, payload).await.unwrap();
    }

    /// A Tasmota plug's telemetry.
    pub async fn tasmota(&self, name: &str, watts: f64, total_kwh: f64) {
        let payload = format!(
            r#"{{"Time":"2026-03-03T13:02:00","ENERGY":{{"Total":{total_kwh},"Power":{watts},"Voltage":231}}}}"#
        );
        self.publish(&format!("tele/{name}/SENSOR"), payload).await;
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The next event for which `pick` answers.
pub async fn event<T>(
    events: &mut broadcast::Receiver<Event>,
    what: &str,
    mut pick: impl FnMut(&Event) -> Option<T>,
) -> T {
    let found = timeout(PATIENCE, async {
        loop {
            match events.recv().await {
                Ok(event) => {
                    if let Some(found) = pick(&event) {
                        return found;
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(e) => panic!("waiting for {what}: {e}"),
            }
        }
    });
    found.await.unwrap_or_else(|_| panic!("no {what} in time"))
}

/// Asks again with each event, and now and then, until `check` answers.
pub async fn until<T, F: Future<Output = Option<T>>>(
    home: &Home,
    what: &str,
    mut check: impl FnMut() -> F,
) -> T {
    let mut events = home.events();
    let found = timeout(PATIENCE, async {
        loop {
            if let Some(found) = check().await {
                return found;
            }
            let _ = timeout(Duration::from_millis(200), events.recv()).await;
        }
    });
    found.await.unwrap_or_else(|_| panic!("no {what} in time"))
}

pub async fn connected(home: &Home) {
    until(home, "connection", || async {
        let brokers = home.ListBrokers(ListBrokers {}).await.unwrap();
        brokers.iter().any(|b| b.state == BrokerState::Connected).then_some(())
    })
    .await;
}

pub async fn found(home: &Home, name: &str) -> MeterView {
    until(home, "meter", || async {
        let list = home.ListMeters(ListMeters {}).await.unwrap();
        list.found.into_iter().chain(list.adopted).find(|v| v.meter.name == name)
    })
    .await
}

pub async fn history(home: &Home, resolution: HistoryPeriod, meter: Option<MeterId>) -> History {
    let anchor = jiff::civil::date(2026, 3, 3);
    home.GetHistory(GetHistory { resolution, anchor, compare: Compare::None, meter }).await.unwrap()
}

pub fn meter(name: &str, role: Role) -> Meter {
    let key = MeterKey { family: "test".into(), device_id: name.into(), group: String::new() };
    Meter {
        id: key.id(),
        key,
        adoption: Adoption::Adopted,
        name: name.into(),
        room: String::new(),
        role,
        parent: None,
        inverted: false,
        manufacturer: String::new(),
        model: String::new(),
    }
}

/// An import register that was read every `step_ms`, `wh` more each time.
pub fn register(meter: MeterId, from: UnixMillis, step_ms: i64, steps: i64, wh: f64) -> Vec<Reading> {
    quantity(meter, Quantity::EnergyImport, from, step_ms, steps, wh)
}

pub fn quantity(
    meter: MeterId,
    quantity: Quantity,
    from: UnixMillis,
    step_ms: i64,
    steps: i64,
    wh: f64,
) -> Vec<Reading> {
    (0..=steps)
        .map(|i| Reading {
            meter,
            channel: Channel::TOTAL,
            quantity,
            at: from.plus_ms(i * step_ms),
            value: 1_000.0 + i as f64 * wh,
        })
        .collect()
}
