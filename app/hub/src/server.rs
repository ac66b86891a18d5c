//! Connections: accepted up to a limit, given up when they dawdle, drained when the hub stops.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

/// Connections at once; further ones wait in the system's queue.
const CONNECTIONS: usize = 256;
/// From a connection's (or the next request's) first moment to the end of its headers.
const HEADER_LIMIT: Duration = Duration::from_secs(15);
/// Bytes a connection may make us buffer for headers.
const HEADER_BUFFER: usize = 32 * 1024;
/// What is under way when the hub stops gets this long.
pub const DRAIN: Duration = Duration::from_secs(2);

/// A future that resolves when the process is asked to stop.
///
/// # Errors
/// The platform refuses to watch for signals.
pub fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
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

/// Serves until `stop`, then tells streams to end through `stopping` and waits for what is under
/// way, at most [`DRAIN`].
pub async fn serve(
    listener: TcpListener,
    app: Router,
    stop: impl Future<Output = ()>,
    stopping: &watch::Sender<bool>,
) {
    let mut stop = std::pin::pin!(stop);
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = async {
            let place = places.clone().acquire_owned().await;
            (listener.accept().await, place)
        };
        let (socket, place) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        let socket = match socket {
            Ok((socket, _)) => socket,
            Err(e) => {
                // out of file handles, or a connection that went before it was taken
                tracing::warn!("can't accept a connection: {e}");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // events are small and due at once
        let _ = socket.set_nodelay(true);
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_LIMIT)
            .max_buf_size(HEADER_BUFFER)
            .serve_connection(TokioIo::new(socket), TowerToHyperService::new(app.clone()));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(e) = connection.await {
                tracing::debug!("connection ended: {e}");
            }
            drop(place);
        });
    }
    drop(listener);
    stopping.send_replace(true);
    if tokio::time::timeout(DRAIN, graceful.shutdown()).await.is_err() {
        tracing::warn!("connections were cut to stop in time");
    }
}
