//! Any topic and any bytes: first line the topic (a leading `http:` or `_` picks the transport),
//! the rest the payload.
#![no_main]

use hearthwatt_discovery::{Decoder, Message, Transport};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|b| *b == b'\n').unwrap_or(data.len());
    let topic = String::from_utf8_lossy(&data[..end]);
    let payload = data.get(end + 1..).unwrap_or_default();
    let transport = match topic.as_bytes() {
        [b'_', ..] => Transport::Mdns,
        [b'h', b't', b't', b'p', b':', ..] => Transport::Http,
        _ => Transport::Mqtt,
    };
    let decoded = Decoder::new().decode(&Message { transport, topic: &topic, payload, retain: false });
    assert!(decoded.measurements.iter().all(|m| m.value.is_finite()));
});
