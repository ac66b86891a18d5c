//! A publisher: the meters' side of the broker.

use rumqttc::{AsyncClient, Event, MqttOptions, Outgoing, Packet, QoS};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

pub struct Publisher {
    client: AsyncClient,
    sent: Arc<AtomicU64>,
    acknowledged: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Publisher {
    /// Connects to a broker on loopback, and again whenever it comes back.
    pub fn connect(port: u16, name: &str) -> Publisher {
        Self::connect_to("127.0.0.1", port, name)
    }

    pub fn connect_to(host: &str, port: u16, name: &str) -> Publisher {
        let mut options =
            MqttOptions::new(format!("test-{name}-{}", uuid::Uuid::new_v4().simple()), host, port);
        options.set_keep_alive(Duration::from_secs(10));
        options.set_max_packet_size(16 << 20, 16 << 20);
        options.set_inflight(200);
        let (client, mut events) = AsyncClient::new(options, 1000);
        let (sent, acknowledged) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (s, a) = (sent.clone(), acknowledged.clone());
        let task = tokio::spawn(async move {
            loop {
                match events.poll().await {
                    Ok(Event::Incoming(Packet::PubAck(_))) => drop(a.fetch_add(1, Ordering::Relaxed)),
                    Ok(Event::Outgoing(Outgoing::Publish(_))) => drop(s.fetch_add(1, Ordering::Relaxed)),
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        });
        Publisher { client, sent, acknowledged, task }
    }

    pub async fn send(&self, topic: &str, payload: impl Into<Vec<u8>>) {
        self.client.publish(topic, QoS::AtMostOnce, false, payload.into()).await.expect("the publisher runs");
    }

    /// QoS 1: counted by [`Publisher::acknowledged`].
    pub async fn send_sure(&self, topic: &str, payload: impl Into<Vec<u8>>) {
        self.client
            .publish(topic, QoS::AtLeastOnce, false, payload.into())
            .await
            .expect("the publisher runs");
    }

    pub async fn retain(&self, topic: &str, payload: impl Into<Vec<u8>>) {
        self.client.publish(topic, QoS::AtLeastOnce, true, payload.into()).await.expect("the publisher runs");
    }

    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Messages of QoS 1 that the broker took over.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.task.abort();
    }
}
