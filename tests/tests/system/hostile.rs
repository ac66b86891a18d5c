//! Any bytes on any topic: refused with a reason, counted, shown; the rest goes on.

use crate::meters::{Pro3Em, SOON, add_broker, adopt_all};
use hearthwatt_api::{GetOverview, ListBrokers, ListMeters, ListRefusals};
use hearthwatt_tests::broker::Mosquitto;
use hearthwatt_tests::hub::Hub;
use hearthwatt_tests::publish::Publisher;
use std::time::Duration;

const METER: Pro3Em = Pro3Em("shellypro3em-08f9e0e5beef");

/// A small generator, so that the bytes are the same in every run (xorshift, Marsaglia 2003).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let n = self.next() as usize % most;
        (0..n).map(|_| self.next() as u8).collect()
    }
}

const TOPICS: &[&str] = &[
    "shellies/shellyem3-1/emeter/0/power",
    "shellies/announce",
    "shellypro3em-1/status/em:0",
    "shellypro3em-1/events/rpc",
    "tele/plug/SENSOR",
    "tasmota/discovery/AABBCC/config",
    "tasmota/discovery/AABBCC/sensors",
    "zigbee2mqtt/bridge/devices",
    "zigbee2mqtt/plug",
    "homeassistant/sensor/x/config",
    "homeassistant/device/x/config",
    "a/b/c",
];

#[tokio::test(flavor = "multi_thread")]
async fn garbage_floods_and_explosions_are_bounded_and_visible() {
    let broker = Mosquitto::start();
    let folder = tempfile::tempdir().unwrap();
    let mut hub = Hub::start(folder.path(), &[]);
    let id = add_broker(&hub, broker.port).await;
    let publisher = Publisher::connect(broker.port, "hostile");
    adopt_all(&hub, 1, async || METER.power(&publisher, 400.0).await).await;

    let mut noise = Noise(0x5eed);
    let fixtures = [
        &br#"{"id":0,"total_act_power":1e400,"a_act_power":"NaN"}"#[..],
        br#"{"ENERGY":{"Total":[[[[[[1]]]]]],"Power":{"a":null}}}"#,
        br#"{"state_topic":"+/#","unit_of_measurement":"W","value_template":"{% for i in range(1000000000) %}{{i}}{% endfor %}"}"#,
        br#"[{"ieee_address":"0x1","friendly_name":"../../etc","definition":null}]"#,
        b"\xff\xfe\x00",
        b"",
    ];
    for n in 0..4000 {
        let topic = TOPICS[noise.next() as usize % TOPICS.len()];
        let mut payload =
            if n % 2 == 0 { noise.bytes(300) } else { fixtures[n / 2 % fixtures.len()].to_vec() };
        if n % 5 == 0 && !payload.is_empty() {
            let at = noise.next() as usize % payload.len();
            payload[at] ^= 1 << (noise.next() % 8);
        }
        publisher.send(topic, payload).await;
    }
    // larger than anything a meter sends, on a meter's own topic
    publisher.send("shellypro3em-08f9e0e5beef/status/em:0", vec![b'['; 3 << 20]).await;
    // a new topic and a new "meter" with every message
    for n in 0..3000 {
        publisher.send(&format!("shellies/shellyem3-{n:012X}/emeter/0/power"), "1.0").await;
    }
    // and a flood on one
    for _ in 0..20_000 {
        publisher.send("shellies/shellyplug-s-F100D/relay/0/power", "7").await;
    }

    let until = std::time::Instant::now() + Duration::from_secs(60);
    loop {
        METER.power(&publisher, 432.0).await;
        let flow = hub.call(GetOverview {}).await.flow;
        if flow.grid.is_some_and(|p| (p.watts() - 432.0).abs() < 0.01) {
            break;
        }
        assert!(std::time::Instant::now() < until, "the good meter is still heard: {flow:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let refusals = hub.call(ListRefusals { meter: None }).await;
    assert!(!refusals.is_empty() && refusals.len() <= 100, "{}", refusals.len());
    assert!(refusals.iter().all(|r| !r.reason.is_empty() && r.reason.len() < 400));
    let list = hub.call(ListMeters {}).await;
    assert!(
        list.refused_elsewhere + list.adopted.iter().chain(&list.found).map(|m| m.refused).sum::<u64>() > 500
    );
    assert!(list.found.len() <= 1000, "an explosion of meters is bounded: {}", list.found.len());
    let (rss_kb, _) = hub.program.usage();
    println!("memory after the flood: {} MB", rss_kb / 1024);
    assert!(rss_kb < 300 * 1024, "memory is bounded: {rss_kb} kB");
    let brokers = hub.call(ListBrokers {}).await;
    assert!(brokers.iter().any(|b| b.id == id && b.messages > 20_000), "{brokers:?}");
    assert!(hub.program.has_ended().is_none());
    hub.program.terminate(SOON);
}
