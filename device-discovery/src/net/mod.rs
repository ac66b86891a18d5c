//! The network side: brokers over MQTT, devices over mDNS, and a broker of our own.
//!
//! Every part hands what it hears to a bounded channel and counts what did not fit; none of them
//! waits for its consumer. Nothing here knows what a message means.

pub mod broker;
pub mod mdns;
pub mod mqtt;
pub mod topic;

/// User name and password for a broker. `Debug` shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub username: String,
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(..)")
    }
}
