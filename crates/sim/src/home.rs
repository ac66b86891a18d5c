//! The home on the network.

use hearthwatt_discovery::net::mdns::Interfaces;
use hearthwatt_domain::time::UnixMillis;
use jiff::tz::TimeZone;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrokerAddress {
    /// A broker of its own on a free loopback port.
    Own,
    At {
        host: String,
        port: u16,
    },
}

#[derive(Debug, Clone)]
pub struct SimOptions {
    pub seed: u64,
    pub zone: TimeZone,
    pub broker: BrokerAddress,
    /// Where the devices are announced by multicast DNS.
    pub announce: Interfaces,
    /// Home time at the start.
    pub start_at: UnixMillis,
    /// Seconds of home time per second; 1 is real time.
    pub speed: f64,
    /// Pause between two messages of a meter, in real time.
    pub publish_every: Duration,
    /// Further plugs, for load.
    pub extra_meters: usize,
}

impl SimOptions {
    /// Real time from `start_at` on, once a second, with a broker of its own, unannounced.
    pub fn new(seed: u64, zone: TimeZone, start_at: UnixMillis) -> Self {
        Self {
            seed,
            zone,
            broker: BrokerAddress::Own,
            announce: Interfaces::Off,
            start_at,
            speed: 1.0,
            publish_every: Duration::from_secs(1),
            extra_meters: 0,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SimError {
    #[error(transparent)]
    Broker(#[from] hearthwatt_discovery::net::broker::BrokerError),
    #[error(transparent)]
    Announce(#[from] hearthwatt_discovery::net::mdns::MdnsError),
    #[error("the speed must be above 0, not {0}")]
    Speed(f64),
}

/// Something that goes wrong, for tests.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// The meter says nothing until it is healed.
    Silent { meter: usize },
    /// Its registers start at 0 again from now on.
    RegisterReset { meter: usize },
    /// Everything as it should be again; registers that were reset stay so.
    Heal { meter: usize },
    /// One message of random bytes where a reading is expected.
    Garbage { meter: usize },
    /// One message of this many bytes.
    Oversized { meter: usize, bytes: usize },
    /// This many messages on topics of their own, as fast as they go.
    TopicFlood { topics: usize },
}

/// A running home. Dropping it stops it.
pub struct SimHome {}

impl SimHome {
    /// Starts the devices on the current tokio runtime.
    ///
    /// # Errors
    /// If its own broker can't listen, or an announcement can't be made.
    pub async fn start(options: SimOptions) -> Result<Self, SimError> {
        if options.speed.is_nan() || options.speed <= 0.0 {
            return Err(SimError::Speed(options.speed));
        }
        Ok(Self {})
    }

    pub async fn stop(self) {}
}
