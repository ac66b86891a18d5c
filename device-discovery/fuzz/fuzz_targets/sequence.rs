//! Several messages to one decoder: records of a topic line and a payload, separated by 0xFF.
#![no_main]

use hearthwatt_discovery::{Decoder, Message, Transport};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut decoder = Decoder::new();
    for (i, record) in data.split(|b| *b == 0xFF).enumerate() {
        let end = record.iter().position(|b| *b == b'\n').unwrap_or(record.len());
        let topic = String::from_utf8_lossy(&record[..end]);
        let payload = record.get(end + 1..).unwrap_or_default();
        let transport = if topic.starts_with("http:") { Transport::Http } else { Transport::Mqtt };
        let decoded = decoder.decode(&Message { transport, topic: &topic, payload, retain: i % 2 == 1 });
        assert!(decoded.measurements.iter().all(|m| m.value.is_finite()));
        assert!(decoder.remembered() <= 256 * (i + 1));
    }
});
