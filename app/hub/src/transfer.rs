//! The home as a file: out as a download, in as an upload.
//!
//! A browser downloads by following a link, which can't carry the token in a header. The page asks
//! for a link that works once and soon, so that the token is in no address and no list of downloads.

use crate::calls::error;
use crate::router::Hub;
use crate::token;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use hearthwatt_api::{ApiError, ErrorCode};
use hearthwatt_shell::{Upload, export_name};
use serde_json::json;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Downloads under way at once.
pub const DOWNLOADS: usize = 2;
/// Links that wait to be followed; the oldest goes when there are more.
const LINKS: usize = 16;
const LINK_LIVES: Duration = Duration::from_secs(60);
/// A browser that takes, or sends, nothing for this long is given up: an export holds back the
/// database's log, an upload the place of the next one.
const STALLED: Duration = Duration::from_secs(60);
/// Pieces of an export that wait for the network.
const PIECES: usize = 4;
/// What the page sends a file as. No other web site can do so without asking the browser.
const FILE: &str = "application/octet-stream";

/// Links that were given out and not followed yet.
#[derive(Default)]
pub struct Links(Mutex<Vec<(String, Instant)>>);

impl Links {
    fn give(&self) -> anyhow::Result<String> {
        let link = token::random()?;
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if links.len() >= LINKS {
            links.remove(0);
        }
        links.push((link.clone(), Instant::now()));
        Ok(link)
    }

    /// Whether it was given out lately; it is used up by this.
    fn take(&self, link: &str) -> bool {
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|(_, given)| given.elapsed() < LINK_LIVES);
        let at = links.iter().position(|(l, _)| l == link);
        at.map(|at| links.remove(at)).is_some()
    }
}

/// `POST /api/v1/export`: where everything can be downloaded, once.
pub async fn link(State(hub): State<Hub>) -> Response {
    match hub.links.give() {
        Ok(link) => {
            ([(header::CACHE_CONTROL, "no-store")], Json(json!({ "path": format!("export/{link}") })))
                .into_response()
        }
        Err(e) => failed(ApiError { code: ErrorCode::Internal, message: e.to_string(), retry: true }),
    }
}

/// `GET /export/{link}`: everything, as lines of JSON.
pub async fn export(State(hub): State<Hub>, Path(link): Path<String>) -> Response {
    if !hub.links.take(&link) {
        let words = "This link has been used or is too old. Go back and export again.\n";
        return (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")], words).into_response();
    }
    let Ok(place) = hub.downloads.clone().try_acquire_owned() else {
        return failed(ApiError {
            code: ErrorCode::Unavailable,
            message: "Other downloads are under way: wait for them.".into(),
            retry: true,
        });
    };
    let export = match hub.shell.export().await {
        Ok(export) => export,
        Err(e) => return failed(e),
    };
    let (pieces, waiting) = mpsc::channel(PIECES);
    let runtime = Handle::current();
    let to_browser = Pieces { pieces: pieces.clone(), runtime: runtime.clone(), _place: place };
    spawn_blocking(move || {
        if let Err(e) = export.write(to_browser) {
            tracing::warn!("an export ended early: {e}");
            // breaks the download off, so that half a file is not taken for a whole one
            let broken = Err(io::Error::other(e));
            let _ = runtime.block_on(async { timeout(STALLED, pieces.send(broken)).await });
        }
    });
    let body = Body::from_stream(stream::unfold(waiting, |mut waiting| async move {
        waiting.recv().await.map(|piece| (piece, waiting))
    }));
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", export_name())),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, body).into_response()
}

/// Hands what is written to the browser, as fast as that takes it.
struct Pieces {
    pieces: mpsc::Sender<io::Result<Bytes>>,
    runtime: Handle,
    _place: OwnedSemaphorePermit,
}

impl Write for Pieces {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let piece = Ok(Bytes::copy_from_slice(part));
        match self.runtime.block_on(async { timeout(STALLED, self.pieces.send(piece)).await }) {
            Ok(Ok(())) => Ok(part.len()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `POST /api/v1/import`: the file is the body; answered when its home is open.
pub async fn import(State(hub): State<Hub>, headers: HeaderMap, body: Body) -> Response {
    if headers.get(header::CONTENT_TYPE).is_none_or(|v| v != FILE) {
        let message = format!("The file must be sent as {FILE}.");
        return error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            ApiError { code: ErrorCode::BadRequest, message, retry: false },
        );
    }
    let whole = async {
        let upload = receive(hub.shell.upload().await?, body).await?;
        hub.shell.import(upload).await
    };
    match whole.await {
        Ok(()) => ([(header::CACHE_CONTROL, "no-store")], Json(())).into_response(),
        Err(e) => failed(e),
    }
}

async fn receive(mut upload: Upload, body: Body) -> Result<Upload, ApiError> {
    let cut = || ApiError {
        code: ErrorCode::BadRequest,
        message: "The file did not arrive whole. Nothing was changed; try again.".into(),
        retry: true,
    };
    let mut parts = body.into_data_stream();
    while let Some(part) = timeout(STALLED, parts.next()).await.map_err(|_| cut())? {
        let part = part.map_err(|_| cut())?;
        let written = spawn_blocking(move || upload.write(&part).map(|()| upload));
        upload = written.await.map_err(|_| cut())??;
    }
    Ok(upload)
}

fn failed(e: ApiError) -> Response {
    error(crate::calls::status(e.code), e)
}
