//! Everything the server keeps for somebody, as one ZIP archive: JSON, documents in Automerge's own
//! format, history as CSV.
//!
//! The archive is made while it is sent, a piece at a time, so it takes no memory and no disk
//! however large the home is. A client that is too slow, or a store that fails, ends the answer
//! without the archive's end: no program takes it for whole.

use super::account;
use super::device;
use super::home::Home;
use super::homes;
use super::invitation::is_open;
use crate::app::App;
use crate::data;
use crate::http::Problem;
use crate::http::auth::Caller;
use crate::store::{BlockEntry, Hash};
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use hearthwatt_domain::usage::{IntervalUsage, Quality};
use hearthwatt_server_api::MemberRole;
use hearthwatt_sync::block::Block;
use serde::Serialize;
use serde_json::json;
use std::collections::HashMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use uuid::Uuid;
use zip::ZipWriter;
use zip::write::{SimpleFileOptions, StreamWriter};

/// Archives made at a time, in this process.
const AT_ONCE: usize = 4;
/// A client that takes no piece for so long is gone.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes of a piece.
const PIECE: usize = 64 * 1024;
/// Entries asked for at a time.
const PAGE: usize = 500;

/// Bounds how many archives are made at a time.
pub struct Exports(Arc<Semaphore>);

impl Default for Exports {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// Why an archive ends early. The text is for the log.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("nobody takes it")]
    Unwanted,
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    #[error("{}", .0.detail())]
    Document(Problem),
    #[error(transparent)]
    Zip(#[from] zip::result::ZipError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl From<Problem> for Broken {
    fn from(problem: Problem) -> Self {
        Self::Document(problem)
    }
}

/// What the archive's writer has written and nobody has taken yet.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<Vec<u8>>>);

impl Shelf {
    /// All of it, once there is at least so much.
    fn take(&self, least: usize) -> Vec<u8> {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes.len() < least { Vec::new() } else { std::mem::take(&mut *bytes) }
    }
}

impl Write for Shelf {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

type Piece = Result<Bytes, Broken>;

/// An archive under way.
struct Archive {
    zip: ZipWriter<StreamWriter<Shelf>>,
    shelf: Shelf,
    to: mpsc::Sender<Piece>,
}

impl Archive {
    async fn file(&mut self, name: &str, bytes: &[u8]) -> Result<(), Broken> {
        self.begin(name)?;
        for part in bytes.chunks(PIECE) {
            self.add(part).await?;
        }
        Ok(())
    }

    async fn json(&mut self, name: &str, value: &impl Serialize) -> Result<(), Broken> {
        let text = serde_json::to_vec_pretty(value)?;
        self.file(name, &text).await
    }

    fn begin(&mut self, name: &str) -> Result<(), Broken> {
        Ok(self.zip.start_file(name, SimpleFileOptions::default())?)
    }

    async fn add(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.zip.write_all(bytes)?;
        self.hand_over(PIECE).await
    }

    async fn hand_over(&mut self, least: usize) -> Result<(), Broken> {
        let piece = self.shelf.take(least);
        deliver(&self.to, piece).await
    }

    async fn end(self) -> Result<(), Broken> {
        let Self { zip, shelf, to } = self;
        zip.finish()?;
        deliver(&to, shelf.take(0)).await
    }
}

async fn deliver(to: &mpsc::Sender<Piece>, piece: Vec<u8>) -> Result<(), Broken> {
    if piece.is_empty() {
        return Ok(());
    }
    let sent = tokio::time::timeout(PATIENCE, to.send(Ok(piece.into())));
    sent.await.ok().and_then(Result::ok).ok_or(Broken::Unwanted)
}

/// Starts an archive; `fill` writes it while it is sent.
fn start<F>(
    app: &App,
    name: &str,
    fill: impl FnOnce(Archive) -> F + Send + 'static,
) -> Result<Response, Problem>
where
    F: Future<Output = Result<(), Broken>> + Send,
{
    let permit: OwnedSemaphorePermit = app.user.exports.0.clone().try_acquire_owned().map_err(|_| {
        Problem::unavailable("Others are being given their data right now.", Duration::from_secs(30))
    })?;
    let (to, pieces) = mpsc::channel::<Piece>(2);
    let shelf = Shelf::default();
    let archive = Archive { zip: ZipWriter::new_stream(shelf.clone()), shelf, to: to.clone() };
    tokio::spawn(async move {
        if let Err(broken) = fill(archive).await {
            tracing::warn!(cause = %broken, "an export ended early");
            // an error, not an end: the connection breaks off
            let _ = tokio::time::timeout(PATIENCE, to.send(Err(broken))).await;
        }
        drop(permit);
    });
    let body = futures_util::stream::unfold(pieces, async |mut pieces| {
        let piece = pieces.recv().await?;
        Some((piece, pieces))
    });
    let mut response = Body::from_stream(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(disposition) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.zip\"")) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// The account: profile, devices, sign-ins, and each of its homes.
///
/// # Errors
/// Too many at once.
pub async fn account(app: &App, caller: &Caller) -> Result<Response, Problem> {
    let account = account::get(app, caller.account).await?;
    let account = account.ok_or_else(|| Problem::unauthorized("The account is gone."))?.value;
    let me = account::view(app, account).await?;
    let (own, caller) = (app.clone(), caller.clone());
    let make = async move |mut archive: Archive| {
        archive.json("account.json", &me).await?;
        let devices = device::list(&own, caller.account).await?;
        let devices: Vec<_> = devices
            .iter()
            .map(|d| json!({ "id": d.device, "name": d.name, "signed_in": d.signed_in, "last_seen": d.last_seen }))
            .collect();
        archive.json("devices.json", &devices).await?;
        let sign_ins = account::identities(&own, caller.account).await?;
        let sign_ins: Vec<_> = sign_ins
            .iter()
            .map(|i| json!({ "provider": i.provider, "issuer": i.issuer, "subject": i.subject }))
            .collect();
        archive.json("sign_ins.json", &sign_ins).await?;
        for home in homes::of_account(&own, caller.account).await? {
            let folder = format!("homes/{}", home.id);
            write_home(&own, &caller, &home, &folder, &mut archive).await?;
        }
        archive.end().await
    };
    start(app, "hearthwatt-account", make)
}

/// One home.
///
/// # Errors
/// Too many at once.
pub async fn home(app: &App, caller: &Caller, home: Home) -> Result<Response, Problem> {
    let (own, caller) = (app.clone(), caller.clone());
    let make = async move |mut archive: Archive| {
        write_home(&own, &caller, &home, "home", &mut archive).await?;
        archive.end().await
    };
    start(app, "hearthwatt-home", make)
}

/// What the caller may see of a home; of one where an owner has yet to confirm, only that.
async fn write_home(
    app: &App,
    caller: &Caller,
    home: &Home,
    folder: &str,
    archive: &mut Archive,
) -> Result<(), Broken> {
    let Some(view) = homes::view(home, caller) else { return Ok(()) };
    archive.json(&format!("{folder}/home.json"), &view).await?;
    let Some(role) = home.role_through(caller.account, caller.device, caller.sign_in) else { return Ok(()) };
    let people = homes::people(app, home).await?;
    let members: Vec<_> = home
        .members
        .iter()
        .map(|m| {
            let (name, email) = people.get(&m.account).cloned().unwrap_or_default();
            let seen = role == MemberRole::Owner || m.account == caller.account;
            json!({ "id": m.account, "name": name, "email": seen.then_some(email), "role": m.role, "state": m.state, "joined": m.joined })
        })
        .collect();
    archive.json(&format!("{folder}/members.json"), &members).await?;
    if role == MemberRole::Owner {
        let open = home.invitations.iter().filter(|i| is_open(i, app.world.now()));
        let open: Vec<_> = open
            .map(|i| json!({ "id": i.id, "role": i.role, "by": i.by, "created": i.created, "expires": i.expires }))
            .collect();
        archive.json(&format!("{folder}/invitations.json"), &open).await?;
    }
    write_document(app, home.id, &format!("{folder}/home.automerge"), archive).await?;
    if let Some(member) = home.member(caller.account) {
        write_document(app, member.prefs, &format!("{folder}/preferences.automerge"), archive).await?;
    }
    write_usage(app, home.id, &format!("{folder}/usage.csv"), archive).await
}

async fn write_document(app: &App, document: Uuid, name: &str, archive: &mut Archive) -> Result<(), Broken> {
    match data::export(app, document).await? {
        Some(bytes) => archive.file(name, &bytes).await,
        None => Ok(()),
    }
}

/// The newest block of each recorder, meter and day, by seq.
async fn newest_blocks(app: &App, home: Uuid) -> Result<Vec<Hash>, Broken> {
    let mut newest: HashMap<(Uuid, Uuid, String), (u64, u64, Hash)> = HashMap::new();
    let mut after = 0;
    loop {
        let page: Vec<BlockEntry> = app.store.blocks_after(home, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.seq;
        for entry in page {
            let key = (entry.recorder, entry.meter, entry.day);
            let value = (entry.revision, entry.seq, entry.hash);
            let there = newest.entry(key).or_insert(value);
            if value.0 > there.0 {
                *there = value;
            }
        }
    }
    let mut blocks: Vec<(u64, Hash)> = newest.into_values().map(|(_, seq, hash)| (seq, hash)).collect();
    blocks.sort_unstable();
    Ok(blocks.into_iter().map(|(_, hash)| hash).collect())
}

/// The quarters of an hour that recorders have published. Two recorders of one meter say the same
/// twice: `recorder` tells them apart, nobody adds them.
async fn write_usage(app: &App, home: Uuid, name: &str, archive: &mut Archive) -> Result<(), Broken> {
    let blocks = newest_blocks(app, home).await?;
    if blocks.is_empty() {
        return Ok(());
    }
    archive.begin(name)?;
    archive
        .add(b"start,meter,recorder,import_wh,export_wh,quality,covered_s,power_min_w,power_max_w\r\n")
        .await?;
    for hash in blocks {
        // replaced by a newer one meanwhile, which the next export has
        let Some(bytes) = app.store.block(home, hash).await? else { continue };
        let Ok(block) = Block::decode(&bytes) else { continue };
        let mut text = String::with_capacity(96 * 160);
        for row in block.rows() {
            line(&mut text, &block, row);
        }
        archive.add(text.as_bytes()).await?;
    }
    Ok(())
}

fn line(text: &mut String, block: &Block, row: &IntervalUsage) {
    use std::fmt::Write;
    let start = row.start.to_jiff().map(|t| t.to_string()).unwrap_or_default();
    let watts = |p: Option<hearthwatt_domain::units::Power>| {
        p.map(|p| format!("{:.3}", p.0 as f64 / 1000.0)).unwrap_or_default()
    };
    let quality = match row.quality {
        Quality::Measured => "measured",
        Quality::Interpolated => "interpolated",
        Quality::Recovered => "recovered",
        Quality::Suspect => "suspect",
        Quality::Corrected => "corrected",
    };
    let _ = write!(
        text,
        "{start},{},{},{:.3},{:.3},{quality},{:.3},{},{}\r\n",
        block.meter(),
        block.recorder(),
        row.import.wh(),
        row.export.wh(),
        f64::from(row.covered_ms) / 1000.0,
        watts(row.power_min),
        watts(row.power_max),
    );
}
