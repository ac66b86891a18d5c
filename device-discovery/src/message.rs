//! What goes into the decoder and what comes out of it.

use hearthwatt_domain::meter::Role;
use hearthwatt_domain::reading::{Channel, Quantity};
use serde::{Deserialize, Serialize};

/// How a message reached the home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    Mqtt,
    /// The body of an answer; the topic is `http:GET <path and query>`.
    Http,
    /// A found service; the topic is its type (`_shelly._tcp.local.`), the payload JSON
    /// `{service_type, name, hostname, addresses, port, txt}`.
    Mdns,
    Serial,
    Tcp,
}

/// One message as it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    pub transport: Transport,
    pub topic: &'a str,
    pub payload: &'a [u8],
    /// MQTT: the broker delivered a stored message; its age is unknown.
    pub retain: bool,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Understood; readings, an identity, or both.
    Ok,
    /// Understood in part: the readings given are good, other fields were unusable.
    Partial,
    /// Valid, but nothing to emit; also every message of no known family.
    #[default]
    None,
    /// Malformed or implausible: nothing is taken from it. `reason` says why.
    Reject,
    /// A device or value was withdrawn.
    Gone,
}

/// One value, in the unit of its quantity ([`Quantity::unit`]). Always finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    pub channel: Channel,
    pub quantity: Quantity,
    pub value: f64,
}

/// How a device describes itself; empty strings where it does not say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceInfo {
    pub name: String,
    pub manufacturer: String,
    pub model: String,
    /// Twelve upper-case hex digits, or for Zigbee devices `0x` and sixteen lower-case ones.
    pub mac: String,
    /// Host name or IP address, where known.
    pub address: String,
    /// What such a device usually measures; `None` where the format does not tell.
    pub suggested_role: Option<Role>,
}

/// What a message meant.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decoded {
    pub outcome: Outcome,
    /// The family that recognised the message; `None` if none did.
    pub family: Option<&'static str>,
    /// Stable within the family. `None` where the message does not tell (an HTTP answer without
    /// an id: the asker knows whom it asked).
    pub device_id: Option<String>,
    pub measurements: Vec<Measurement>,
    /// Why nothing, or not everything, was taken: for logs and for the user.
    pub reason: Option<String>,
    /// Set when the message taught something new about the device, or repeats its description.
    /// From a discovery message, that is before any reading, and there may never be one.
    pub device: Option<DeviceInfo>,
    /// Set when the message says whether the device is reachable.
    pub online: Option<bool>,
    /// The broker had stored this message: the readings are good but their time is unknown.
    /// They may be shown as "last known", and must not be stored as received now.
    pub stale: bool,
}
