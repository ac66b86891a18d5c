//! Usage that this device recorded, published for the others, and theirs for this one.
//!
//! A day of a meter is published as a block of its own rows when it is over or changed, the running
//! day at most every quarter of an hour and only as far as its intervals are complete. What the
//! server has not taken yet waits in the store. Blocks of others are fetched in the order of their
//! arrival, checked, and taken in; which of a day's blocks rules is said by the merge that all
//! devices and the server share.

use super::local::LinkDoc;
use super::server::{Body, Trouble};
use crate::core::Core;
use crate::tasks::stopped;
use hearthwatt_api::MemberRole;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::time::{INTERVAL_MS, Span, UnixMillis};
use hearthwatt_domain::usage::IntervalUsage;
use hearthwatt_server_api::{BlockEntry, BlockPage, ProblemCode, paths};
use hearthwatt_store::{BlockRules, Candidate, Publish, Published, StoredBlock};
use hearthwatt_sync::block::{self, Block, BlockHash, BlockRef, MAX_BYTES};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use reqwest::Method;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

/// The running day is published at most this often.
const REISSUE: Duration = Duration::from_secs(15 * 60);
/// Days looked at in one turn.
const DAYS_AT_ONCE: usize = 256;
const PAGE: u32 = 200;
/// Blocks under way at the same time.
const AT_ONCE: usize = 6;
/// The server is asked for others' blocks this often while nothing else happens.
const ASK_EVERY: Duration = Duration::from_secs(20);
const AFTER_TROUBLE: Duration = Duration::from_secs(20);

/// The merge, as this device sees it: its own rows are one of the candidates.
pub(crate) struct Rules {
    pub(crate) recorder: Uuid,
    pub(crate) primaries: BTreeMap<MeterId, Uuid>,
}

impl BlockRules for Rules {
    fn ruling(&self, meter: MeterId, day: Date, candidates: &[Candidate]) -> Option<usize> {
        let refs: Vec<BlockRef> = candidates
            .iter()
            .map(|c| BlockRef {
                recorder: c.recorder.unwrap_or(self.recorder),
                meter,
                day,
                revision: c.revision,
                hash: BlockHash(c.hash),
                withdrawn: false,
            })
            .collect();
        let ruling = block::merge(&refs, self.primaries.get(&meter).copied())?;
        refs.iter().position(|r| r == ruling)
    }

    fn rows(&self, bytes: &[u8]) -> Vec<IntervalUsage> {
        Block::decode(bytes).map(|b| b.rows().to_vec()).unwrap_or_default()
    }
}

/// Runs until stopped.
pub(crate) async fn run(core: Arc<Core>, mut stop: watch::Receiver<bool>) {
    let mut state = Turns::default();
    loop {
        let turn = async {
            match core.share.live() {
                Some(link) => state.turn(&core, &link).await,
                None => Ok(()),
            }
        };
        let pause = tokio::select! {
            done = turn => match done {
                Ok(()) => ASK_EVERY,
                Err(trouble) => {
                    tracing::debug!(%trouble, "usage can't be exchanged for now");
                    AFTER_TROUBLE
                }
            },
            () = stopped(&mut stop) => return,
        };
        tokio::select! {
            _ = timeout(pause, core.share.blocks.notified()) => {}
            () = stopped(&mut stop) => return,
        }
    }
}

#[derive(Default)]
struct Turns {
    /// Of which home.
    home: Option<Uuid>,
    primaries: BTreeMap<MeterId, Uuid>,
    /// When the running day of a meter was published last.
    issued: HashMap<(MeterId, Date), Instant>,
}

impl Turns {
    async fn turn(&mut self, core: &Arc<Core>, link: &LinkDoc) -> Result<(), Trouble> {
        if self.home.replace(link.id) != Some(link.id) {
            self.issued.clear();
        }
        let primaries = core.primaries().await.map_err(|e| Trouble::Here(e.message))?;
        self.rule_again(core, &primaries).await?;
        let rules = Arc::new(Rules { recorder: core.share.recorder, primaries });
        // first what is known of us there, so that our next revisions are higher
        self.fetch(core, link, &rules).await?;
        if link.role != MemberRole::Viewer {
            self.publish(core, &rules).await?;
            let sent = self.send(core, link).await;
            self.count(core).await?;
            sent?;
        }
        Ok(())
    }

    /// Days of meters that have another primary recorder now.
    async fn rule_again(&mut self, core: &Core, primaries: &BTreeMap<MeterId, Uuid>) -> Result<(), Trouble> {
        if self.primaries == *primaries {
            return Ok(());
        }
        let meters: HashSet<MeterId> = self
            .primaries
            .keys()
            .chain(primaries.keys())
            .filter(|m| self.primaries.get(m) != primaries.get(m))
            .copied()
            .collect();
        for meter in meters {
            let rules = Rules { recorder: core.share.recorder, primaries: primaries.clone() };
            let changed =
                core.writer.run(move |store| store.rule_again(meter, &rules)).await.map_err(here)?;
            core.usage_changed(&changed);
        }
        self.primaries = primaries.clone();
        Ok(())
    }

    async fn publish(&mut self, core: &Core, rules: &Arc<Rules>) -> Result<(), Trouble> {
        let now = core.now();
        let today = utc_day(now);
        self.issued.retain(|(_, day), _| *day == today);
        let adopted: HashSet<MeterId> = core.state().meters.adopted().map(|k| k.meter.id).collect();
        let others: Vec<MeterId> =
            core.state().meters.known.keys().filter(|m| !adopted.contains(m)).copied().collect();
        let mut days = core.readers.run(|r| r.days_to_publish(DAYS_AT_ONCE)).await.map_err(here)?;
        let withdrawn = core
            .readers
            .run(move |reader| {
                let mut all = Vec::new();
                for meter in others {
                    all.extend(reader.published_days(meter)?.into_iter().map(|day| (meter, day)));
                }
                Ok(all)
            })
            .await
            .map_err(here)?;
        days.extend(withdrawn);
        let full = days.len() >= DAYS_AT_ONCE;
        for (meter, day) in days {
            let open = day >= today;
            let key = (meter, day);
            let gone = !adopted.contains(&meter);
            if open && !gone && self.issued.get(&key).is_some_and(|at| at.elapsed() < REISSUE) {
                continue;
            }
            let (of_job, recorder) = (rules.clone(), core.share.recorder);
            let changed = core
                .writer
                .run(move |store| {
                    store.publish_day(meter, day, recorder, &*of_job, |rows, last| {
                        let block = if gone {
                            withdraw(recorder, meter, day, last)
                        } else {
                            issue(recorder, meter, day, now, rows, last)
                        };
                        Publish { block, open: open && !gone }
                    })
                })
                .await
                .map_err(here)?;
            if open {
                self.issued.insert(key, Instant::now());
            }
            core.usage_changed(&changed.map(|span| (meter, span)).into_iter().collect::<Vec<_>>());
        }
        if full {
            core.share.blocks.notify_one();
        }
        Ok(())
    }

    async fn send(&mut self, core: &Arc<Core>, link: &LinkDoc) -> Result<(), Trouble> {
        loop {
            let waiting = core.readers.run(|r| r.unsent_blocks(64)).await.map_err(here)?;
            if waiting.is_empty() {
                return Ok(());
            }
            self.count(core).await?;
            let mut under_way = tokio::task::JoinSet::new();
            let mut waiting = waiting.into_iter();
            let mut trouble = None;
            loop {
                while trouble.is_none()
                    && under_way.len() < AT_ONCE
                    && let Some((hash, bytes)) = waiting.next()
                {
                    let (core, home) = (core.clone(), link.id);
                    under_way.spawn(async move {
                        let path = paths::block(home, &BlockHash(hash).to_string());
                        let sent = core.ask_bytes(Method::PUT, &path, &Body::Bytes(bytes)).await;
                        (hash, sent)
                    });
                }
                match under_way.join_next().await {
                    Some(Ok((hash, Ok(_)))) => {
                        core.writer.run(move |store| store.block_sent(&hash)).await.map_err(here)?;
                    }
                    // it will never take this one; the day's next revision may fare better
                    Some(Ok((hash, Err(Trouble::Refused(p)))))
                        if matches!(
                            p.code,
                            ProblemCode::Invalid | ProblemCode::BadRequest | ProblemCode::Conflict
                        ) =>
                    {
                        tracing::error!(problem = %p, "the server refuses a day of usage");
                        core.writer.run(move |store| store.block_sent(&hash)).await.map_err(here)?;
                    }
                    Some(Ok((_, Err(error)))) => trouble = Some(error),
                    Some(Err(_)) => trouble = Some(Trouble::Here("Hearthwatt is stopping.".into())),
                    None => break,
                }
            }
            if let Some(trouble) = trouble {
                return Err(trouble);
            }
        }
    }

    /// Shows how many days the server has not kept yet.
    async fn count(&self, core: &Core) -> Result<(), Trouble> {
        let waiting = core.readers.run(|r| r.unsent_count()).await.map_err(here)?;
        let sync = {
            let mut known = core.share.known();
            let changed = std::mem::replace(&mut known.sync.blocks_waiting, waiting) != waiting;
            changed.then(|| known.sync.clone())
        };
        if let Some(sync) = sync {
            core.tell(hearthwatt_api::Event::SyncChanged { sync });
        }
        Ok(())
    }

    async fn fetch(&mut self, core: &Arc<Core>, link: &LinkDoc, rules: &Arc<Rules>) -> Result<(), Trouble> {
        loop {
            let after = core.readers.run(|r| r.blocks_after()).await.map_err(here)?;
            let path = format!("{}?after={after}&limit={PAGE}", paths::blocks(link.id));
            let page: BlockPage = core.ask_get(&path).await?;
            let Some(last) = page.blocks.iter().map(|b| b.seq).max() else { return Ok(()) };
            // of a day that was issued many times only the last one is of use
            let mut wanted: HashMap<(Uuid, Uuid, Date), BlockEntry> = HashMap::new();
            for entry in page.blocks {
                let best =
                    wanted.entry((entry.recorder, entry.meter, entry.day)).or_insert_with(|| entry.clone());
                if (entry.revision, &entry.sha256) > (best.revision, &best.sha256) {
                    *best = entry;
                }
            }
            let blocks = get_all(core, link.id, wanted.into_values().collect()).await?;
            let (of_job, recorder) = (rules.clone(), core.share.recorder);
            let changed = core
                .writer
                .run(move |store| store.put_blocks(&blocks, last, recorder, &*of_job))
                .await
                .map_err(here)?;
            core.usage_changed(&changed);
            if page.next.is_none() {
                return Ok(());
            }
        }
    }
}

impl Core {
    /// Rows of others took the place of what was shown, or ours of theirs.
    fn usage_changed(&self, changed: &[(MeterId, Span)]) {
        if !changed.is_empty() {
            self.changes.note(changed);
            self.changes.filled_in();
        }
    }
}

async fn get_all(core: &Arc<Core>, home: Uuid, wanted: Vec<BlockEntry>) -> Result<Vec<StoredBlock>, Trouble> {
    let mut under_way = tokio::task::JoinSet::new();
    let mut wanted = wanted.into_iter();
    let mut blocks = Vec::new();
    loop {
        while under_way.len() < AT_ONCE
            && let Some(entry) = wanted.next()
        {
            if entry.size as usize > MAX_BYTES {
                tracing::warn!(
                    hash = crate::words::cut(&entry.sha256),
                    "a block that is too large is left out"
                );
                continue;
            }
            let core = core.clone();
            under_way.spawn(async move {
                let bytes =
                    core.ask_bytes(Method::GET, &paths::block(home, &entry.sha256), &Body::None).await;
                (entry, bytes)
            });
        }
        match under_way.join_next().await {
            Some(Ok((entry, Ok(bytes)))) => match check(&entry, bytes) {
                Some(block) => blocks.push(block),
                None => {
                    tracing::warn!(recorder = %entry.recorder, "a block that is not what it says is left out")
                }
            },
            // deleted since it was listed
            Some(Ok((_, Err(trouble)))) if trouble.code() == Some(ProblemCode::NotFound) => {}
            Some(Ok((_, Err(trouble)))) => return Err(trouble),
            Some(Err(_)) => return Err(Trouble::Here("Hearthwatt is stopping.".into())),
            None => return Ok(blocks),
        }
    }
}

/// What the server gave is the block that it listed.
fn check(entry: &BlockEntry, bytes: Vec<u8>) -> Option<StoredBlock> {
    let block = Block::decode(&bytes).ok()?;
    let hash = block.hash();
    let same = hash.to_string() == entry.sha256
        && block.recorder() == entry.recorder
        && block.meter().0 == entry.meter
        && block.day() == entry.day
        && block.revision() == entry.revision;
    same.then(|| stored(&block, bytes))
}

fn stored(block: &Block, bytes: Vec<u8>) -> StoredBlock {
    StoredBlock {
        recorder: block.recorder(),
        meter: block.meter(),
        day: block.day(),
        revision: block.revision(),
        hash: block.hash().0,
        withdrawn: block.is_withdrawn(),
        bytes,
    }
}

/// The next block of a day, if it says something else than the last one.
fn issue(
    recorder: Uuid,
    meter: MeterId,
    day: Date,
    now: UnixMillis,
    rows: &[IntervalUsage],
    last: Option<Published>,
) -> Option<StoredBlock> {
    let whole: Vec<IntervalUsage> =
        rows.iter().filter(|r| r.start.plus_ms(INTERVAL_MS) <= now).copied().collect();
    let make = |revision| block::of_rows(recorder, meter, day, revision, &whole);
    if let Some(last) = last {
        let again = make(last.revision).ok()?;
        if again.hash().0 == last.hash {
            return None;
        }
    } else if whole.is_empty() {
        return None;
    }
    match make(last.map_or(1, |l| l.revision + 1)) {
        Ok(block) => Some(stored(&block, block.encode())),
        Err(error) => {
            tracing::error!(%error, %meter, %day, "a day can't be published");
            None
        }
    }
}

/// Takes back what was published of a day.
fn withdraw(recorder: Uuid, meter: MeterId, day: Date, last: Option<Published>) -> Option<StoredBlock> {
    let last = last.filter(|l| !l.withdrawn)?;
    let block = block::of_rows(recorder, meter, day, last.revision + 1, &[]).ok()?;
    Some(stored(&block, block.encode()))
}

fn utc_day(at: UnixMillis) -> Date {
    at.to_jiff().map_or(Date::MIN, |t| t.to_zoned(TimeZone::UTC).date())
}

fn here(error: hearthwatt_api::ApiError) -> Trouble {
    Trouble::Here(error.message)
}
