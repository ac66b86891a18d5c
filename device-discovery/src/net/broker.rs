//! A broker for a home that has none, and for the simulated home.
//!
//! MQTT 3.1.1 over plain TCP. It takes messages of every quality of service and delivers with
//! QoS 0 (the standard lets a server grant less than was asked for); it keeps retained messages
//! in memory and sends wills; sessions end with their connection. All queues and stores are
//! bounded ([`Limits`]) and what did not fit is counted. It stops cleanly, which is why it exists:
//! the brokers that could be embedded either can't be stopped or lose retained messages.

mod connection;
mod router;

use super::Credentials;
use super::mdns::{Announcement, Interfaces, Service, announce_all};
use router::Router;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

/// How our broker listens.
#[derive(Debug, Clone)]
pub struct BrokerOptions {
    /// Loopback or all addresses; port 0 takes a free one.
    pub listen: SocketAddr,
    /// `None`: everybody who can reach it may use it.
    pub credentials: Option<Credentials>,
    /// Where it is announced as `_mqtt._tcp`.
    pub announce: Interfaces,
    /// Name of the announcement.
    pub name: String,
    pub limits: Limits,
}

impl BrokerOptions {
    /// On loopback, unannounced, without credentials, on a free port.
    pub fn loopback() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            credentials: None,
            announce: Interfaces::Off,
            name: "Hearthwatt".into(),
            limits: Limits::default(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub connections: usize,
    /// Whole packet, bytes; a larger one ends its connection.
    pub packet_bytes: usize,
    /// Retained messages, number and bytes together.
    pub retained: usize,
    pub retained_bytes: usize,
    /// Filters of one client.
    pub filters: usize,
    /// Packets that may wait for one client.
    pub queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            packet_bytes: 4 * 1024 * 1024,
            retained: 16_384,
            retained_bytes: 32 * 1024 * 1024,
            filters: 4096,
            queue: 4096,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    #[error("can't listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
}

/// What the broker has seen since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BrokerCounters {
    pub connections: usize,
    pub received: u64,
    /// Not delivered because a client was too slow.
    pub dropped: u64,
    /// Connections refused or ended for breaking a limit or the protocol, or for their credentials.
    pub refused: u64,
    pub retained: usize,
}

/// A running broker. Dropping it stops it too, without waiting.
pub struct OwnBroker {
    address: SocketAddr,
    router: Arc<Router>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
    announcements: Vec<Announcement>,
    announce_error: Option<String>,
}

/// Starts a broker on the current tokio runtime (panics outside of one, as `tokio::spawn` does).
///
/// # Errors
/// If the address can't be listened on. An announcement that fails is not one: see
/// [`OwnBroker::announce_error`].
pub fn start(options: BrokerOptions) -> Result<OwnBroker, BrokerError> {
    let failed = |source| BrokerError::Listen { address: options.listen, source };
    let listener = std::net::TcpListener::bind(options.listen).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let listener = TcpListener::from_std(listener).map_err(failed)?;

    let service = Service {
        service: "_mqtt._tcp".into(),
        instance: options.name.clone(),
        host: format!("hearthwatt-{}", address.port()),
        addresses: if address.ip().is_loopback() { vec![address.ip()] } else { Vec::new() },
        port: address.port(),
        txt: Vec::new(),
    };
    let (announcements, announce_error) = match announce_all(options.announce, &[service]) {
        Ok(a) => (a, None),
        Err(e) => (Vec::new(), Some(e.to_string())),
    };
    let router = Arc::new(Router::new(options.limits, options.credentials));
    let (stop, stop_rx) = watch::channel(false);
    let task = tokio::spawn(listen(listener, router.clone(), stop_rx));
    Ok(OwnBroker { address, router, stop, task: Some(task), announcements, announce_error })
}

impl OwnBroker {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Why it could not be announced.
    pub fn announce_error(&self) -> Option<&str> {
        self.announce_error.as_deref()
    }

    pub fn counters(&self) -> BrokerCounters {
        self.router.counters()
    }

    /// Closes the listener and every connection; the port is free when this returns.
    pub async fn stop(mut self) {
        self.announcements.clear();
        self.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

async fn listen(listener: TcpListener, router: Arc<Router>, mut stop: watch::Receiver<bool>) {
    let slots = Arc::new(Semaphore::new(router.limits.connections));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => match slots.clone().try_acquire_owned() {
                    Ok(slot) => {
                        let router = router.clone();
                        connections.spawn(async move {
                            connection::serve(stream, router).await;
                            drop(slot);
                        });
                    }
                    Err(_) => router.count_refused(), // dropping the stream closes it
                },
                // out of file handles, or a connection that went away: not a reason to spin or to end
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}
