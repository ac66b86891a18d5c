//! The families of meters: what to subscribe to, and how a service found by mDNS is named.

use std::collections::BTreeMap;

/// Topic filters that find every supported device; to subscribe to first on each broker.
pub fn subscriptions() -> Vec<&'static str> {
    vec![
        "shellies/#",
        "+/events/rpc",
        "+/+/events/rpc",
        "+/status/#",
        "+/online",
        "tasmota/discovery/#",
        "tele/+/+",
        "+/tele/+",
        "stat/+/+",
        "+/stat/+",
        "zigbee2mqtt/#",
        "+/bridge/devices",
        "homeassistant/+/+/config",
        "homeassistant/+/+/+/config",
    ]
}

/// What a service found by mDNS is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    pub family: &'static str,
    pub device_id: String,
    pub name: String,
    /// Whether readings of this family can be taken, and how.
    pub support: Support,
    /// What the user should know or do, in plain English.
    pub hint: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Support {
    /// Readings come once the device talks to a broker of the home.
    ViaMqtt,
    /// An MQTT broker, not a meter.
    Broker,
    /// Known by name only.
    NotYet,
}

/// Recognises a service (`_shelly._tcp.local.`), its instance name and its TXT record. `None` for
/// everything that is no meter and no broker.
pub fn recognise_mdns(service: &str, instance: &str, txt: &BTreeMap<String, String>) -> Option<Recognised> {
    let _ = (service, instance, txt);
    None
}
