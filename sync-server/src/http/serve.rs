//! Connections: accepted up to a limit in all and per address, with TLS or without, given up when
//! they dawdle, drained when the server stops.

use super::Peer;
use crate::app::App;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

/// From a connection's (or the next request's) first moment to the end of its headers, and for the
/// handshake of TLS.
const HEADER_LIMIT: Duration = Duration::from_secs(10);
/// Bytes a connection may make us buffer for headers.
const HEADER_BUFFER: usize = 16 * 1024;
/// Header lines of a request.
const HEADERS: usize = 64;
/// What is under way when the server stops gets this long.
pub const DRAIN: Duration = Duration::from_secs(10);

/// A future that resolves when the process is asked to stop.
///
/// # Errors
/// The platform refuses to watch for signals.
pub fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

/// How many connections each address has.
#[derive(Default)]
struct Addresses(Mutex<HashMap<IpAddr, usize>>);

/// A connection's place among those of its address.
struct Place {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    fn take(self: &Arc<Self>, address: IpAddr, limit: usize) -> Option<Place> {
        let address = super::limits::network_of(address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(Place { addresses: self.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

/// Serves until `stop`; then refuses new connections, tells open ones to end, and waits for what is
/// under way, at most [`DRAIN`].
pub async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    app: App,
    stop: impl Future<Output = ()>,
) {
    let router = super::router(app.clone());
    let mut stop = std::pin::pin!(stop);
    let limits = &app.config.limits;
    let places = Arc::new(Semaphore::new(limits.connections));
    let addresses = Arc::new(Addresses::default());
    loop {
        let accepted = async {
            // closed never; an error would only mean that nothing is accepted any more
            let place = places.clone().acquire_owned().await;
            (listener.accept().await, place)
        };
        let (accepted, place) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(e) => {
                // out of file handles, or a connection that went before it was taken
                tracing::warn!("can't accept a connection: {e}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // a proxy speaks for many: what it brings is counted by request instead
        let trusted = app.config.trusts(peer.ip());
        let limit = if trusted { limits.connections } else { limits.connections_per_address };
        let Some(own) = addresses.take(peer.ip(), limit) else {
            app.http.metrics.connections_refused.inc();
            continue;
        };
        let _ = socket.set_nodelay(true);
        let guard = Guard { _place: place.ok(), _own: own, app: app.clone() };
        guard.app.http.metrics.connections.inc();
        let router = router.clone();
        match tls.clone() {
            None => {
                app.http.tasks.spawn(speak(socket, peer, router, guard));
            }
            Some(tls) => {
                app.http.tasks.spawn(async move {
                    match tokio::time::timeout(HEADER_LIMIT, tls.accept(socket)).await {
                        Ok(Ok(socket)) => speak(socket, peer, router, guard).await,
                        Ok(Err(e)) => tracing::debug!("no TLS: {e}"),
                        Err(_) => tracing::debug!("no TLS in time"),
                    }
                });
            }
        }
    }
    drop(listener);
    tracing::info!("stopping");
    app.http.stop();
    if tokio::time::timeout(DRAIN, app.http.tasks.wait()).await.is_err() {
        tracing::warn!("connections were cut to stop in time");
    }
}

/// What a connection holds as long as it lives.
struct Guard {
    _place: Option<OwnedSemaphorePermit>,
    _own: Place,
    app: App,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.app.http.metrics.connections.dec();
    }
}

/// Where a WebSocket keeps its connection's places after the handshake.
#[derive(Clone)]
pub struct Held(Arc<Mutex<Option<Arc<Guard>>>>);

impl Held {
    /// To be kept as long as the connection is used.
    pub fn keep(&self) -> impl Send + use<> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn speak<S>(socket: S, peer: SocketAddr, router: Router, guard: Guard)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let stopped = guard.app.http.stopped();
    let held = Held(Arc::new(Mutex::new(Some(Arc::new(guard)))));
    let own = held.clone();
    let service = router.map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        request.extensions_mut().insert(held.clone());
        request.map(axum::body::Body::new)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_LIMIT)
        .max_buf_size(HEADER_BUFFER)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(socket), TowerToHyperService::new(service))
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stopped => {
            // answers what it is at, and nothing more
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(e) = ended {
        tracing::debug!("connection ended: {e}");
    }
    own.0.lock().unwrap_or_else(PoisonError::into_inner).take();
}

/// Reads certificate and key.
///
/// # Errors
/// In words: a file can't be read, or is not what it should be.
pub fn tls(certificate: &std::path::Path, key: &std::path::Path) -> Result<TlsAcceptor, String> {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let of = |path: &std::path::Path, e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(|certificates| certificates.collect::<Result<Vec<_>, _>>())
        .map_err(|e| of(certificate, &e))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|e| of(key, &e))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|e| of(certificate, &e))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
