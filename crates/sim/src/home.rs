//! The home on the network: one MQTT client per device, as in a real one.

mod meters;
mod payload;
mod wire;

use crate::plan::{Format, Plan, PlannedMeter, plan};
use hearthwatt_discovery::net::broker::{self, BrokerOptions, OwnBroker};
use hearthwatt_discovery::net::mdns::{Announcement, Interfaces, Service, announce_all};
use hearthwatt_domain::time::UnixMillis;
use jiff::tz::TimeZone;
use meters::Meters;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use wire::Wire;

/// Messages in one second that a home may send at the most, all devices together: a flood is not
/// faster either.
pub const MESSAGES_PER_SECOND_MAX: u32 = 20_000;
/// Shortest pause between two messages of a meter.
const PUBLISH_EVERY_MIN: Duration = Duration::from_millis(10);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BrokerAddress {
    /// A broker of its own on a free loopback port.
    Own,
    /// A broker of its own that listens here.
    OwnAt(SocketAddr),
    /// Somebody else's.
    At { host: String, port: u16 },
}

#[derive(Debug, Clone)]
pub struct SimOptions {
    pub seed: u64,
    pub zone: TimeZone,
    pub broker: BrokerAddress,
    /// Where devices and own broker are announced by multicast DNS.
    pub announce: Interfaces,
    /// Home time at the start.
    pub start_at: UnixMillis,
    /// Seconds of home time per second; 1 is real time.
    pub speed: f64,
    /// Pause between two messages of a meter, in real time whatever the speed; at least 10 ms.
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
    Broker(#[from] broker::BrokerError),
    #[error("the speed must be a number above 0, not {0}")]
    Speed(f64),
}

/// Something that goes wrong, for tests. Meters count in [`SimHome::meters`].
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// The meter says nothing until it is healed.
    Silent { meter: usize },
    /// Its registers start at 0 again from now on.
    RegisterReset { meter: usize },
    /// It speaks again; registers that were reset stay so.
    Heal { meter: usize },
    /// One message that is cut in the middle and holds bytes that are no text, where a reading is
    /// expected.
    Garbage { meter: usize },
    /// One message of this many bytes where a reading is expected.
    Oversized { meter: usize, bytes: usize },
    /// One message on each of this many topics that look like new devices.
    TopicFlood { topics: usize },
}

/// A running home. Dropping it stops it; its devices are then lost, not gone: their wills are sent.
pub struct SimHome {
    meters: Arc<Meters>,
    wires: Vec<Wire>,
    broker: (String, u16),
    own_broker: Option<OwnBroker>,
    announcements: Vec<Announcement>,
    announce_error: Option<String>,
}

impl SimHome {
    /// Starts the devices on the current tokio runtime. They connect by themselves, again and again
    /// if need be.
    ///
    /// # Errors
    /// If its own broker can't listen, or the speed makes no sense. Announcements that fail are not
    /// an error: see [`SimHome::announce_error`].
    pub async fn start(options: SimOptions) -> Result<Self, SimError> {
        let (seed, zone, at) = (options.seed, options.zone.clone(), options.start_at);
        // registers are summed up over years: not on a thread that others wait for
        let made = tokio::task::spawn_blocking(move || {
            let plan = Arc::new(plan(seed, zone));
            plan.registers(plan.grid(), at);
            plan
        });
        let made = made.await.unwrap_or_else(|_| Arc::new(plan(seed, options.zone.clone())));
        Self::start_with(options, made).await
    }

    /// As [`SimHome::start`], with a plan of the same seed and zone that was used before (for
    /// history, say) and has its sums ready.
    ///
    /// # Errors
    /// As [`SimHome::start`].
    pub async fn start_with(options: SimOptions, plan: Arc<Plan>) -> Result<Self, SimError> {
        if !options.speed.is_finite() || options.speed <= 0.0 {
            return Err(SimError::Speed(options.speed));
        }
        let (own_broker, broker) = match &options.broker {
            BrokerAddress::At { host, port } => (None, (host.clone(), *port)),
            BrokerAddress::Own => own(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), options.announce)?,
            BrokerAddress::OwnAt(listen) => own(*listen, options.announce)?,
        };
        let meters = Arc::new(Meters::new(plan, &options, Instant::now()));
        let every = options.publish_every.max(PUBLISH_EVERY_MIN);
        let wires = wire::start(&meters, &broker, every, options.seed);
        let (announcements, announce_error) =
            match announce_all(options.announce, &services(meters.all(), options.announce)) {
                Ok(a) => (a, None),
                Err(e) => (Vec::new(), Some(e.to_string())),
            };
        Ok(Self { meters, wires, broker, own_broker, announcements, announce_error })
    }

    /// What the meters say and will say.
    pub fn plan(&self) -> &Plan {
        self.meters.plan()
    }

    /// The meters of the plan, then the further ones.
    pub fn meters(&self) -> &[PlannedMeter] {
        self.meters.all()
    }

    /// Host and port of the broker that the devices talk to.
    pub fn broker(&self) -> (&str, u16) {
        (&self.broker.0, self.broker.1)
    }

    /// Home time now.
    pub fn now(&self) -> UnixMillis {
        self.meters.now()
    }

    /// Messages handed to the broker's connections so far.
    pub fn published(&self) -> u64 {
        self.wires.iter().map(Wire::published).sum()
    }

    /// Why the devices could not be announced.
    pub fn announce_error(&self) -> Option<&str> {
        self.announce_error.as_deref().or(self.own_broker.as_ref()?.announce_error())
    }

    /// Makes something go wrong now. Meters that there are not have no faults.
    pub async fn fault(&self, fault: Fault) {
        self.meters.suffer(&fault);
        for message in self.meters.messages_of(&fault) {
            if let Some(wire) = self.wires.iter().find(|w| w.speaks_for(message.meter)) {
                wire.publish(message.message).await;
            }
        }
    }

    /// Ends all devices, then the broker.
    pub async fn stop(mut self) {
        self.announcements.clear();
        for wire in self.wires.drain(..) {
            wire.stop().await;
        }
        if let Some(broker) = self.own_broker.take() {
            broker.stop().await;
        }
    }
}

fn own(
    listen: SocketAddr,
    announce: Interfaces,
) -> Result<(Option<OwnBroker>, (String, u16)), broker::BrokerError> {
    // what listens on loopback alone is of no use to others
    let announce = match announce {
        Interfaces::All if listen.ip().is_loopback() => Interfaces::Loopback,
        other => other,
    };
    let name = "Demo home".to_owned();
    let broker = broker::start(BrokerOptions { listen, announce, name, ..BrokerOptions::loopback() })?;
    let address = broker.address();
    let host = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
    };
    Ok((Some(broker), (host.to_string(), address.port())))
}

/// Shelly devices announce themselves; the others don't by default.
fn services(meters: &[PlannedMeter], interfaces: Interfaces) -> Vec<Service> {
    let addresses = match interfaces {
        Interfaces::Loopback => vec![IpAddr::V4(Ipv4Addr::LOCALHOST)],
        _ => Vec::new(),
    };
    let mut services = Vec::new();
    for meter in meters {
        let id = &meter.device.topic;
        let mut announce = |service: &str, txt: &[(&str, &str)]| {
            services.push(Service {
                service: service.into(),
                instance: id.clone(),
                host: id.clone(),
                addresses: addresses.clone(),
                port: 80,
                txt: txt.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect(),
            });
        };
        match meter.device.format {
            Format::ShellyPro3Em | Format::ShellyPlug => {
                let app = if meter.device.format == Format::ShellyPlug { "PlusPlugS" } else { "Pro3EM" };
                announce("_shelly._tcp", &[("gen", "2"), ("app", app), ("ver", "1.4.4")]);
                announce("_http._tcp", &[("gen", "2")]);
            }
            Format::ShellyEm { clamp: 0 } => announce("_http._tcp", &[("id", id), ("arch", "esp8266")]),
            _ => {}
        }
    }
    services
}
