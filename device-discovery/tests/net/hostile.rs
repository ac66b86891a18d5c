//! Any bytes from the other side: neither client nor broker may fall, and both say what happened.

use super::*;
use hearthwatt_discovery::net::broker::{self, BrokerOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A few packets: a right length in front of wrong content, or nothing right at all.
    fn packets(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for _ in 0..1 + self.next() % 6 {
            let length = (self.next() % 24) as u8;
            bytes.push(self.next() as u8);
            bytes.push(if self.next().is_multiple_of(8) { self.next() as u8 } else { length });
            bytes.extend(
                (0..length).map(|_| if self.next().is_multiple_of(3) { 0 } else { self.next() as u8 }),
            );
        }
        bytes
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_outlives_a_broker_that_talks_nonsense() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config(listener.local_addr().unwrap().port(), &["a"]);
    config.backoff = Backoff { first: Duration::from_millis(1), max: Duration::from_millis(2) };
    let (handle, _messages) = listen(config, 4);
    let mut random = Random(1);
    for round in 0..400 {
        let accepted = tokio::time::timeout(PATIENCE, listener.accept()).await;
        let (mut stream, _) = accepted.unwrap_or_else(|_| panic!("it gave up in round {round}")).unwrap();
        let mut connect = [0; 256];
        let _ = stream.read(&mut connect).await;
        // half of them let the client in first
        let mut bytes = if round % 2 == 0 { vec![0x20, 2, 0, 0] } else { Vec::new() };
        bytes.extend(random.packets());
        let _ = stream.write_all(&bytes).await;
    }
    // `connects` counts those that were let in
    assert!(handle.counters().connects >= 190, "{:?}", handle.counters());
    handle.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_broker_outlives_clients_that_talk_nonsense() {
    let broker = broker::start(BrokerOptions::loopback()).unwrap();
    let (handle, mut messages) = listen(config(broker.address().port(), &["alive"]), 64);
    let publisher = Publisher::new(broker.address().port());
    subscribed(&publisher, &mut messages, "alive").await;
    let hello = [&[0x10, 13, 0, 4][..], b"MQTT", &[4, 2, 0, 0, 0, 1, b'x']].concat();
    let mut random = Random(2);
    for round in 0..400 {
        let mut stream = TcpStream::connect(broker.address()).await.unwrap();
        let mut bytes = if round % 2 == 0 { hello.clone() } else { Vec::new() };
        bytes.extend(random.packets());
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let mut rest = Vec::new();
        let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("not put out");
    }
    subscribed(&publisher, &mut messages, "alive").await;
    assert_eq!(handle.counters().connects, 1);
    broker.stop().await;
}
