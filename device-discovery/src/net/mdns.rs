//! Devices and brokers that announce themselves by multicast DNS (RFC 6762, 6763), and announcing
//! our own.
//!
//! Everything on the wire is hostile: names are cleaned and cut, TXT records, addresses and the
//! number of remembered instances are bounded. Sockets that can't be opened are an error or a
//! status ([`MdnsStatus`]), never a panic: the home works without discovery.

use mdns_sd::{DaemonEvent, IfKind, ResolvedService, ServiceDaemon, ServiceEvent, ServiceInfo};
use socket2::{Domain, Socket, Type};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// What is browsed for: brokers, and the meters that announce themselves.
pub const SERVICES: &[&str] = &[
    "_mqtt._tcp",
    "_secure-mqtt._tcp",
    "_shelly._tcp",
    "_http._tcp",
    "_hwenergy._tcp",
    "_homewizard._tcp",
    "_esphomelib._tcp",
    "_ewelink._tcp",
    "_ebus._tcp",
];
/// Most instances that are remembered, all services together.
pub const INSTANCES_MAX: usize = 1024;
/// Events that may wait for the consumer.
pub const EVENTS_MAX: usize = 256;
const NAME_MAX_CHARS: usize = 128;
const ADDRESSES_MAX: usize = 16;
const TXT_ENTRIES_MAX: usize = 32;
const TXT_VALUE_MAX_CHARS: usize = 255;
/// Pause before a subscription that ended is made again.
const BROWSE_AGAIN: Duration = Duration::from_secs(1);

/// Where multicast is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interfaces {
    Off,
    /// Only inside this computer: demo and tests.
    Loopback,
    #[default]
    All,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MdnsEvent {
    /// Found, or found changed.
    Found {
        /// Without domain, e.g. `_shelly._tcp`.
        service: String,
        instance: String,
        /// Without the dot at the end, e.g. `meter.local`.
        host: String,
        /// IPv4 first, sorted.
        addresses: Vec<IpAddr>,
        port: u16,
        /// Keys in lower case.
        txt: Vec<(String, String)>,
    },
    Gone {
        service: String,
        instance: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MdnsStatus {
    Off,
    Running,
    /// The last thing that went wrong; browsing goes on where it can.
    Unavailable {
        reason: String,
    },
}

#[derive(Debug, thiserror::Error)]
#[error("multicast DNS can't be used: {0}")]
pub struct MdnsError(String);

impl From<mdns_sd::Error> for MdnsError {
    fn from(e: mdns_sd::Error) -> Self {
        Self(clean(&e.to_string(), TXT_VALUE_MAX_CHARS))
    }
}

/// A running browser. Dropping it stops the browser.
pub struct MdnsHandle {
    daemon: Option<ServiceDaemon>,
    status: watch::Receiver<MdnsStatus>,
    lost: Arc<AtomicU64>,
    tasks: Vec<JoinHandle<()>>,
    /// So that the consumer waits, and does not see an end, while browsing is off.
    _events: mpsc::Sender<MdnsEvent>,
}

/// Browses for [`SERVICES`] on the current tokio runtime.
///
/// # Errors
/// If the port can't be shared, or the daemon's thread or poller can't be created. What fails later
/// is in [`MdnsHandle::status`].
pub fn start(interfaces: Interfaces) -> Result<(MdnsHandle, mpsc::Receiver<MdnsEvent>), MdnsError> {
    let (events, receiver) = mpsc::channel(EVENTS_MAX);
    let lost = Arc::new(AtomicU64::new(0));
    if interfaces == Interfaces::Off {
        let (_, status) = watch::channel(MdnsStatus::Off);
        return Ok((MdnsHandle { daemon: None, status, lost, tasks: Vec::new(), _events: events }, receiver));
    }
    let daemon = daemon(interfaces)?;
    let (status_tx, status) = watch::channel(MdnsStatus::Running);
    let mut tasks = vec![tokio::spawn(watch_daemon(daemon.monitor()?, status_tx))];
    let browser = Arc::new(Browser {
        daemon: daemon.clone(),
        events: events.clone(),
        lost: lost.clone(),
        known: Mutex::default(),
    });
    for &service in SERVICES {
        tasks.push(tokio::spawn(browser.clone().browse(service)));
    }
    Ok((MdnsHandle { daemon: Some(daemon), status, lost, tasks, _events: events }, receiver))
}

impl MdnsHandle {
    pub fn status(&self) -> watch::Receiver<MdnsStatus> {
        self.status.clone()
    }

    /// Events lost because the consumer was too slow, and instances over [`INSTANCES_MAX`].
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Announces a service until the returned value is dropped.
    ///
    /// # Errors
    /// If browsing is off, or the service can't be written as DNS records.
    pub fn announce(&self, service: &Service) -> Result<Announcement, MdnsError> {
        let daemon = self.daemon.as_ref().ok_or_else(|| MdnsError("it is switched off".into()))?;
        Announcement::register(daemon.clone(), service, false)
    }

    pub fn stop(self) {}
}

impl Drop for MdnsHandle {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        if let Some(daemon) = &self.daemon {
            let _ = daemon.shutdown();
        }
    }
}

/// A service of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Without domain, e.g. `_mqtt._tcp`.
    pub service: String,
    pub instance: String,
    /// Host name without domain.
    pub host: String,
    /// Empty: the addresses of the interfaces, kept up to date.
    pub addresses: Vec<IpAddr>,
    pub port: u16,
    pub txt: Vec<(String, String)>,
}

/// Keeps a service announced; withdraws it when dropped.
pub struct Announcement {
    daemon: ServiceDaemon,
    fullname: String,
    owns_daemon: bool,
}

/// Several announcements over one daemon of their own.
///
/// # Errors
/// If multicast can't be used at all, or a service can't be written as DNS records.
pub fn announce_all(interfaces: Interfaces, services: &[Service]) -> Result<Vec<Announcement>, MdnsError> {
    if interfaces == Interfaces::Off || services.is_empty() {
        return Ok(Vec::new());
    }
    let daemon = daemon(interfaces)?;
    let last = services.len() - 1;
    services
        .iter()
        .enumerate()
        .map(|(i, service)| Announcement::register(daemon.clone(), service, i == last))
        .collect()
}

impl Announcement {
    fn register(daemon: ServiceDaemon, service: &Service, owns_daemon: bool) -> Result<Self, MdnsError> {
        let ty = format!("{}.local.", service.service);
        let host = format!("{}.local.", service.host);
        let txt: Vec<(&str, &str)> = service.txt.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let mut info = ServiceInfo::new(
            &ty,
            &service.instance,
            &host,
            service.addresses.as_slice(),
            service.port,
            txt.as_slice(),
        )?;
        if service.addresses.is_empty() {
            info = info.enable_addr_auto();
        }
        let fullname = info.get_fullname().to_owned();
        daemon.register(info)?;
        Ok(Self { daemon, fullname, owns_daemon })
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        let _ = self.daemon.unregister(&self.fullname);
        if self.owns_daemon {
            let _ = self.daemon.shutdown();
        }
    }
}

/// Whether the port can be shared with whoever else uses it; the daemon would stay deaf in silence.
fn port_can_be_shared() -> std::io::Result<()> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None)?;
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, mdns_sd::MDNS_PORT)).into())
}

fn daemon(interfaces: Interfaces) -> Result<ServiceDaemon, MdnsError> {
    port_can_be_shared().map_err(|e| MdnsError(format!("port {} can't be used: {e}", mdns_sd::MDNS_PORT)))?;
    let daemon = ServiceDaemon::new()?;
    if interfaces == Interfaces::Loopback {
        daemon.disable_interface(IfKind::All)?;
        daemon.enable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6])?;
    }
    Ok(daemon)
}

async fn watch_daemon(monitor: mdns_sd::Receiver<DaemonEvent>, status: watch::Sender<MdnsStatus>) {
    while let Ok(event) = monitor.recv_async().await {
        if let DaemonEvent::Error(e) = event {
            status.send_replace(MdnsStatus::Unavailable { reason: MdnsError::from(e).0 });
        }
    }
    status.send_if_modified(|s| {
        let ended = *s == MdnsStatus::Running;
        if ended {
            *s = MdnsStatus::Unavailable { reason: "it ended unexpectedly".into() };
        }
        ended
    });
}

struct Browser {
    daemon: ServiceDaemon,
    events: mpsc::Sender<MdnsEvent>,
    lost: Arc<AtomicU64>,
    /// Full name of what was reported, and the report: repeats are not reported again.
    known: Mutex<HashMap<String, MdnsEvent>>,
}

impl Browser {
    async fn browse(self: Arc<Self>, service: &'static str) {
        let ty = format!("{service}.local.");
        loop {
            match self.daemon.browse(&ty) {
                // the daemon ends a subscription whose channel was full
                Ok(found) => {
                    while let Ok(event) = found.recv_async().await {
                        self.take(service, event);
                    }
                }
                Err(mdns_sd::Error::Again) => {}
                Err(_) => return, // it is shut down
            }
            tokio::time::sleep(BROWSE_AGAIN).await;
        }
    }

    fn take(&self, service: &str, event: ServiceEvent) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            ServiceEvent::ServiceResolved(found) => {
                let event = report(service, &found);
                if known.get(&found.fullname) == Some(&event) {
                    return;
                }
                let full = known.len() >= INSTANCES_MAX && !known.contains_key(&found.fullname);
                if full || self.events.try_send(event.clone()).is_err() {
                    // not remembered, so that the next announcement reports it
                    self.lost.fetch_add(1, Ordering::Relaxed);
                } else {
                    known.insert(found.fullname.clone(), event);
                }
            }
            ServiceEvent::ServiceRemoved(_, fullname) => {
                if let Some(MdnsEvent::Found { service, instance, .. }) = known.remove(&fullname)
                    && self.events.try_send(MdnsEvent::Gone { service, instance }).is_err()
                {
                    self.lost.fetch_add(1, Ordering::Relaxed);
                }
            }
            _ => {}
        }
    }
}

fn report(service: &str, found: &ResolvedService) -> MdnsEvent {
    let suffix = format!(".{}", found.ty_domain);
    let instance = found.fullname.strip_suffix(&suffix).unwrap_or(&found.fullname);
    let mut addresses: Vec<IpAddr> = found.addresses.iter().map(|a| a.to_ip_addr()).collect();
    addresses.sort_unstable(); // IPv4 sorts first
    addresses.dedup();
    addresses.truncate(ADDRESSES_MAX);
    let mut txt: Vec<(String, String)> = found
        .txt_properties
        .iter()
        .filter(|p| !p.key().is_empty())
        .take(TXT_ENTRIES_MAX)
        .map(|p| {
            let value = String::from_utf8_lossy(p.val().unwrap_or_default());
            (clean(&p.key().to_lowercase(), NAME_MAX_CHARS), clean(&value, TXT_VALUE_MAX_CHARS))
        })
        .collect();
    txt.sort_unstable();
    MdnsEvent::Found {
        service: service.to_owned(),
        instance: clean(&unescape(instance), NAME_MAX_CHARS),
        host: clean(found.host.trim_end_matches('.'), NAME_MAX_CHARS),
        addresses,
        port: found.port,
        txt,
    }
}

/// Dots and backslashes of an instance name come escaped.
fn unescape(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut chars = name.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    out
}

/// Without control characters, and not endless.
fn clean(name: &str, max_chars: usize) -> String {
    name.chars().filter(|c| !c.is_control()).take(max_chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_the_wire_are_cleaned() {
        assert_eq!(unescape(r"Kitchen\.Plug \\ 1\"), r"Kitchen.Plug \ 1\");
        assert_eq!(clean("a\u{1b}[31m\nb", 100), "a[31mb");
        assert_eq!(clean(&"ü".repeat(500), 128).chars().count(), 128);
    }
}
