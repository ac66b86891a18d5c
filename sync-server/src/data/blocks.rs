//! Blocks of history: by hash, in and out, and in the order in which they came.

use crate::app::App;
use crate::http::auth::{Access, Caller};
use crate::http::{Json, Octets, Path, Problem, Query};
use crate::store::{BlockEntry as Stored, Find, Hash, Inserted, StoreError, Table, body};
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use hearthwatt_server_api::{BlockEntry, BlockPage, BlockQuery, ProblemCode, StoredBlock};
use hearthwatt_sync::block::{Block, MAX_BYTES};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Entries of a page, unless less are asked for.
const PAGE: u32 = 500;
/// Bytes of a home's blocks: more than fifty meter-years in full.
const HOME_BYTES: u64 = 512 * 1024 * 1024;
/// Recorders of a home.
const HOME_RECORDERS: usize = 64;
/// A home's size is added up this often.
const SIZE_FRESH: Duration = Duration::from_secs(300);
/// Homes whose size is remembered.
const SIZES: usize = 10_000;

/// Which account a recorder belongs to. Key: `{home}/{recorder}`.
pub static RECORDERS: Table = Table { name: "data_recorder", unique: &[], index: &[] };

#[derive(Serialize, Deserialize)]
struct Recorder {
    account: Uuid,
    device: Uuid,
}

/// How large homes' blocks were when they were last added up, and what came since.
#[derive(Default)]
pub struct Sizes(Mutex<HashMap<Uuid, (Instant, u64)>>);

async fn access(app: &App, caller: &Caller, home: Uuid, wanted: Access) -> Result<(), Problem> {
    let right = app.gate.rights(app, caller, home).await?.filter(|right| right.home == home);
    let right = right.ok_or_else(|| Problem::not_found("There is no such home for you."))?;
    if right.access < wanted {
        return Err(Problem::forbidden("Viewers can't add history."));
    }
    Ok(())
}

fn hash(text: &str) -> Result<Hash, Problem> {
    text.parse().map_err(|()| Problem::not_found("A block's name is 64 lower-case hexadecimal digits."))
}

/// The blocks of a home after a place in its sequence, in order. Read again with `after` = `next`
/// until there is none; then from time to time. Nothing appears later before that place.
#[utoipa::path(
    get, path = "/api/v1/homes/{home}/blocks", tag = "blocks", params(("home" = Uuid, Path), BlockQuery),
    responses((status = 200, body = BlockPage), (status = "4XX", description = "Refused", body = hearthwatt_server_api::Problem, content_type = "application/problem+json"))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(home): Path<Uuid>,
    Query(query): Query<BlockQuery>,
) -> Result<Json<BlockPage>, Problem> {
    access(&app, &caller, home, Access::Read).await?;
    let limit = query.limit.unwrap_or(PAGE).clamp(1, PAGE) as usize;
    let mut entries = app.store.blocks_after(home, query.after, limit + 1).await?;
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().filter(|_| more).map(|e| e.seq);
    let blocks = entries.iter().map(entry).collect::<Result<_, _>>()?;
    Ok(Json(BlockPage { blocks, next }))
}

fn entry(stored: &Stored) -> Result<BlockEntry, Problem> {
    Ok(BlockEntry {
        seq: stored.seq,
        sha256: stored.hash.to_string(),
        recorder: stored.recorder,
        meter: stored.meter,
        day: stored.day.parse().map_err(|e| Problem::internal(&e))?,
        revision: stored.revision,
        size: u32::try_from(stored.size).unwrap_or(u32::MAX),
    })
}

/// The bytes of a block. One that is gone was replaced by a newer revision.
#[utoipa::path(
    get, path = "/api/v1/homes/{home}/blocks/{sha256}", tag = "blocks",
    params(("home" = Uuid, Path), ("sha256" = String, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = "4XX", description = "Refused", body = hearthwatt_server_api::Problem, content_type = "application/problem+json"))
)]
pub async fn get(
    State(app): State<App>,
    caller: Caller,
    Path((home, sha256)): Path<(Uuid, String)>,
) -> Result<Response, Problem> {
    access(&app, &caller, home, Access::Read).await?;
    let bytes = app.store.block(home, hash(&sha256)?).await?;
    let bytes = bytes.ok_or_else(|| Problem::not_found("There is no such block (any more)."))?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        // its name is its content; but it is the household's alone
        (header::CACHE_CONTROL, "private, max-age=31536000, immutable"),
    ];
    Ok((headers, bytes).into_response())
}

/// Stores a block; again, it changes nothing. Its name must be the SHA-256 of its bytes, and its
/// recorder the caller's own.
#[utoipa::path(
    put, path = "/api/v1/homes/{home}/blocks/{sha256}", tag = "blocks",
    params(("home" = Uuid, Path), ("sha256" = String, Path)),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = StoredBlock), (status = "4XX", description = "Refused", body = hearthwatt_server_api::Problem, content_type = "application/problem+json"))
)]
pub async fn put(
    State(app): State<App>,
    caller: Caller,
    Path((home, sha256)): Path<(Uuid, String)>,
    Octets(bytes): Octets,
) -> Result<Json<StoredBlock>, Problem> {
    access(&app, &caller, home, Access::Write).await?;
    let name = hash(&sha256)?;
    if bytes.len() > MAX_BYTES {
        return Err(Problem::too_large(format!("A block has at most {MAX_BYTES} bytes.")));
    }
    if Hash(Sha256::digest(&bytes).into()) != name {
        return Err(Problem::new(ProblemCode::Invalid, "The bytes have another hash than the address says."));
    }
    let block = Block::decode(&bytes)
        .map_err(|e| Problem::new(ProblemCode::Invalid, "This is not a block.").field("", &e.to_string()))?;
    if i64::try_from(block.revision()).is_err() {
        return Err(Problem::new(ProblemCode::Invalid, "The revision is out of range."));
    }
    claim(&app, &caller, home, block.recorder()).await?;
    make_room(&app, home, bytes.len() as u64).await?;
    let stored = Stored {
        seq: 0,
        hash: name,
        recorder: block.recorder(),
        meter: block.meter().0,
        day: block.day().to_string(),
        revision: block.revision(),
        size: bytes.len() as u64,
    };
    let seq = app.store.put_block(home, &stored, &bytes).await?;
    app.http.metrics.blocks_stored.inc();
    Ok(Json(StoredBlock { seq }))
}

/// A recorder belongs to the account that first used it in the home.
async fn claim(app: &App, caller: &Caller, home: Uuid, recorder: Uuid) -> Result<(), Problem> {
    let key = format!("{home}/{recorder}");
    loop {
        if let Some(record) = app.store.get(&RECORDERS, &key).await? {
            return match record.read::<Recorder>()?.account == caller.account {
                true => Ok(()),
                false => Err(Problem::forbidden("This recorder belongs to somebody else.")),
            };
        }
        let all = Find::key_prefix(&format!("{home}/")).limit(HOME_RECORDERS);
        if app.store.find(&RECORDERS, all).await?.records.len() >= HOME_RECORDERS {
            return Err(Problem::new(ProblemCode::LimitReached, "This home has too many recorders."));
        }
        let mine = body(&Recorder { account: caller.account, device: caller.device })?;
        if app.store.insert(&RECORDERS, &key, mine, None).await? == Inserted::Stored {
            return Ok(());
        }
    }
}

async fn make_room(app: &App, home: Uuid, bytes: u64) -> Result<(), Problem> {
    let sizes = || app.data.sizes.0.lock().unwrap_or_else(PoisonError::into_inner);
    let fresh = sizes().get(&home).filter(|(at, _)| at.elapsed() < SIZE_FRESH).map(|(_, size)| *size);
    let size = match fresh {
        Some(size) => size,
        None => app.store.blocks_size(home).await?.0,
    };
    if size + bytes > HOME_BYTES {
        let detail = "This home's history is larger than the server keeps.";
        return Err(Problem::new(ProblemCode::LimitReached, detail));
    }
    let mut sizes = sizes();
    if sizes.len() >= SIZES {
        sizes.clear();
    }
    let known = sizes.entry(home).or_insert((Instant::now(), size));
    if fresh.is_none() {
        *known = (Instant::now(), size);
    }
    known.1 += bytes;
    Ok(())
}

pub async fn delete_recorders(app: &App, home: Uuid) -> Result<(), StoreError> {
    loop {
        let page = app.store.find(&RECORDERS, Find::key_prefix(&format!("{home}/"))).await?;
        for record in &page.records {
            app.store.delete(&RECORDERS, &record.key, None).await?;
        }
        if page.next.is_none() {
            return Ok(());
        }
    }
}
