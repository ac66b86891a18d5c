//! The connection that a shared home lives on: tried again by itself for ever, weeks if need be.
//!
//! The session keeps a copy of the document and outlives connections. Edits reach it through the
//! outbox after they were stored; what others changed is stored here before it is true here. What
//! can't be stored ends the session, and the next one begins with what is stored.

use super::document::Held;
use super::local::LinkDoc;
use super::server::Trouble;
use super::socket::{Opening, PING_EVERY, Socket};
use super::swap::{hex, unhex};
use crate::core::Core;
use crate::tasks::stopped;
use hearthwatt_api::{Event, SyncState, SyncView};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_server_api::{Home, ProblemCode, paths};
use hearthwatt_sync::doc::Hash;
use hearthwatt_sync::session::{Client, Event as Happened, Limits};
use hearthwatt_sync::wire::{DocumentId, PeerId, PeerMetadata};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

/// Pause after the first failure and the longest one; random parts keep a household's devices
/// from coming all at once.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Between two events that say how synchronising stands.
const TELL_EVERY: Duration = Duration::from_millis(500);
/// A connection that held this long was a good one: the next failure starts at the first pause.
const GOOD: Duration = Duration::from_secs(30);

/// Why a session ended.
enum Ended {
    Stop,
    /// Account or home changed, or the session has to begin anew.
    Again,
}

/// Runs until stopped.
pub(crate) async fn run(core: Arc<Core>, mut stop: watch::Receiver<bool>) {
    loop {
        let Some(link) = core.share.live() else {
            core.share.outbox.close();
            tokio::select! {
                () = core.share.wake.notified() => continue,
                () = stopped(&mut stop) => return,
            }
        };
        match Session::begin(&core, link).await {
            Ok(mut session) => match session.run(&core, &mut stop).await {
                Ended::Stop => return,
                Ended::Again => {}
            },
            Err(why) => {
                tracing::error!(why, "the home can't be synchronised");
                tokio::select! {
                    () = tokio::time::sleep(BACKOFF.1) => {}
                    () = core.share.wake.notified() => {}
                    () = stopped(&mut stop) => return,
                }
            }
        }
    }
}

struct Session {
    client: Client,
    document: DocumentId,
    link: LinkDoc,
    failures: u32,
    /// Since when the server can't be reached, and why.
    away: Option<(UnixMillis, String)>,
    connected: bool,
    /// The copy may be ahead of what is stored: begin anew.
    stale: bool,
    told: Option<Instant>,
    /// Something changed that has not been told yet.
    untold: bool,
}

impl Session {
    async fn begin(core: &Core, link: LinkDoc) -> Result<Self, String> {
        let held = core.document().await.map_err(|e| e.message)?;
        core.share.outbox.open();
        let copy = held.doc().automerge().clone();
        let me = PeerId::from(format!("{}-{}", core.share.device, hex(copy.get_actor().to_bytes())));
        drop(held);
        let storage = Some(core.share.device.to_string());
        let metadata = PeerMetadata { storage_id: storage, is_ephemeral: false };
        let mut client = Client::new(me, metadata, Limits::default());
        let document = DocumentId::from(link.id);
        let acknowledged: Vec<Hash> = link.acknowledged.iter().filter_map(|h| hash(h)).collect();
        client.open(document, copy, &acknowledged).map_err(|e| e.to_string())?;
        let mut session = Self {
            client,
            document,
            link,
            failures: 0,
            away: None,
            connected: false,
            stale: false,
            told: None,
            untold: false,
        };
        session.view(core);
        Ok(session)
    }

    async fn run(&mut self, core: &Arc<Core>, stop: &mut watch::Receiver<bool>) -> Ended {
        loop {
            let connecting = async {
                let (server, token) = core.token().await?;
                match Socket::open(&core.share.http, &server, &token).await {
                    Ok(socket) => Ok(socket),
                    Err(Opening::Unauthorized) => {
                        // the next try renews it, and a renewal that fails says whether access ended
                        core.share.access.refuse(&token);
                        Err(Trouble::Unreachable("it wants a new token".into()))
                    }
                    Err(Opening::Trouble(trouble)) => Err(trouble),
                }
            };
            let connected = tokio::select! {
                connected = connecting => connected,
                () = core.share.wake.notified() => return Ended::Again,
                () = stopped(stop) => return Ended::Stop,
            };
            let trouble = match connected {
                Ok(socket) => {
                    let began = Instant::now();
                    let talked = self.talk(core, socket, stop).await;
                    self.client.disconnected();
                    self.connected = false;
                    if began.elapsed() > GOOD {
                        self.failures = 0;
                    }
                    match talked {
                        Ok(ended) => return ended,
                        Err(trouble) => trouble,
                    }
                }
                Err(trouble) => trouble,
            };
            if let Some(ended) = self.trouble(core, trouble).await {
                return ended;
            }
            if let Some(ended) = self.pause(core, stop).await {
                return ended;
            }
            if self.stale {
                return Ended::Again;
            }
        }
    }

    /// What a trouble means for the home. `Some`: this session is over.
    async fn trouble(&mut self, core: &Arc<Core>, trouble: Trouble) -> Option<Ended> {
        let reason = match trouble {
            Trouble::Ended => {
                core.access_ended().await;
                return Some(Ended::Again);
            }
            Trouble::Refused(p) if matches!(p.code, ProblemCode::NotFound | ProblemCode::Forbidden) => {
                core.membership_ended().await;
                return Some(Ended::Again);
            }
            Trouble::Here(why) => {
                // what was not stored here must not be thought to be: begin with what is
                tracing::warn!(why, "synchronising is interrupted");
                self.stale = true;
                why
            }
            other => other.to_string(),
        };
        let since = self.away.take().map_or(core.now(), |(since, _)| since);
        tracing::info!(reason, "the server can't be reached");
        self.away = Some((since, reason));
        self.view(core);
        None
    }

    /// Waits for the next try; edits are counted meanwhile.
    async fn pause(&mut self, core: &Core, stop: &mut watch::Receiver<bool>) -> Option<Ended> {
        let longest = BACKOFF.0.saturating_mul(1 << self.failures.min(8)).min(BACKOFF.1);
        self.failures += 1;
        let part = super::random::<1>().map_or(128, |[b]| u32::from(b));
        let until = Instant::now() + longest / 2 + longest / 2 * part / 256;
        loop {
            tokio::select! {
                () = sleep_until(until) => return None,
                () = core.share.outbox.filled.notified() => {
                    if let Err(trouble) = self.edits(core) {
                        tracing::warn!(%trouble, "an edit can't be synchronised");
                        return Some(Ended::Again);
                    }
                    self.view(core);
                }
                () = core.share.wake.notified() => {
                    if core.share.live().map(|l| l.id) != Some(self.link.id) {
                        return Some(Ended::Again);
                    }
                    return None;
                }
                () = stopped(stop) => return Some(Ended::Stop),
            }
        }
    }

    async fn talk(
        &mut self,
        core: &Arc<Core>,
        mut socket: Socket,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Ended, Trouble> {
        self.edits(core)?;
        self.client.connected();
        self.flush(&mut socket).await?;
        let mut pings = interval(PING_EVERY);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looks = interval(TELL_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                frame = socket.next() => {
                    let frame = frame?;
                    core.reached();
                    let happened =
                        self.client.receive(&frame).map_err(|e| Trouble::NotOurs(e.to_string()))?;
                    for event in happened {
                        if let Some(ended) = self.happened(core, event).await? {
                            socket.close().await;
                            return Ok(ended);
                        }
                    }
                }
                () = core.share.outbox.filled.notified() => self.edits(core)?,
                _ = pings.tick() => {
                    socket.ping().await?;
                    core.look_for_waiting();
                }
                _ = looks.tick(), if self.untold => {}
                () = core.share.wake.notified() => {
                    if core.share.live().map(|l| l.id) != Some(self.link.id) {
                        socket.close().await;
                        return Ok(Ended::Again);
                    }
                }
                () = stopped(stop) => {
                    // what was just edited goes along
                    self.edits(core)?;
                    self.flush(&mut socket).await?;
                    self.remember(core).await;
                    socket.close().await;
                    return Ok(Ended::Stop);
                }
            }
            self.flush(&mut socket).await?;
            self.view(core);
        }
    }

    fn edits(&mut self, core: &Core) -> Result<(), Trouble> {
        let edits = core.share.outbox.take();
        if edits.is_empty() {
            return Ok(());
        }
        self.client
            .edited(self.document, edits.iter().map(Vec::as_slice))
            .map_err(|e| Trouble::Here(format!("An edit can't be sent ({e}).")))
    }

    async fn flush(&mut self, socket: &mut Socket) -> Result<(), Trouble> {
        while let Some(frame) = self.client.poll() {
            socket.send(frame).await?;
        }
        Ok(())
    }

    async fn happened(&mut self, core: &Arc<Core>, event: Happened) -> Result<Option<Ended>, Trouble> {
        match event {
            Happened::Joined { .. } => {
                self.connected = true;
                self.away = None;
                core.share.blocks.notify_one();
                core.refresh_people();
            }
            Happened::Changes { changes, .. } => {
                core.take_in(&changes).await.map_err(|e| Trouble::Here(e.message))?;
                // a conflict is told with the names of devices: one may be new
                let nameless =
                    |c: &hearthwatt_api::ConflictView| c.choices.iter().any(|c| c.who.is_none() && !c.here);
                if core.share.known().conflicts.iter().any(nameless) {
                    core.refresh_people();
                }
                core.share.blocks.notify_one();
            }
            Happened::Acknowledged { .. } => self.remember(core).await,
            Happened::Unavailable { .. } => {
                // not known, or not for us: which of the two, HTTP says
                let home: Home = core.ask_get(&paths::home(self.link.id)).await?;
                return Err(Trouble::Unreachable(format!(
                    "it does not give out \"{}\" yet",
                    crate::words::cut(&home.name)
                )));
            }
            Happened::Refused { refusal, .. } => {
                tracing::error!(%refusal, "the server sent something that can't be taken in");
                return Err(Trouble::NotOurs(refusal.to_string()));
            }
            Happened::Error { message } => {
                return Err(Trouble::Unreachable(crate::words::cut(&message)));
            }
        }
        Ok(None)
    }

    /// Keeps how far the server has the document, so that what waits is known after a restart
    /// without a connection.
    async fn remember(&mut self, core: &Core) {
        let Some(status) = self.client.status(self.document) else { return };
        let acknowledged: Vec<String> = status.acknowledged.iter().map(|h| hex(&h.0)).collect();
        let link = {
            let mut known = core.share.known();
            let last_reached = known.sync.last_reached;
            match &mut known.link {
                Some(link) if link.id == self.link.id && link.acknowledged != acknowledged => {
                    link.acknowledged = acknowledged;
                    link.last_reached = last_reached;
                    Some(link.clone())
                }
                _ => None,
            }
        };
        if let Some(link) = link {
            core.keep_link(Some(&link)).await;
        }
    }

    /// Brings the view up to date and tells it, at most twice a second.
    fn view(&mut self, core: &Core) {
        let status = self.client.status(self.document);
        let waiting = status.as_ref().map_or(0, |s| s.waiting);
        let compared = status.is_some_and(|s| s.compared);
        let view = {
            let known = core.share.known();
            // signed out, left or removed meanwhile: that is what is shown then
            let mine = known.link.as_ref().is_some_and(|l| l.is_live() && l.id == self.link.id);
            if known.account.is_none() || !mine {
                return;
            }
            let state = match &self.away {
                _ if self.connected && !compared => SyncState::Connecting,
                _ if self.connected && waiting > 0 => SyncState::Waiting { changes: waiting },
                _ if self.connected => SyncState::UpToDate,
                Some((since, reason)) => SyncState::Unreachable { since: *since, reason: reason.clone() },
                None => SyncState::Connecting,
            };
            let state = match core.share.needs() {
                Some(needs) => SyncState::ReadOnly { needs },
                None => state,
            };
            SyncView { state, waiting, ..known.sync.clone() }
        };
        self.untold |= core.show_sync(view);
        if self.untold && self.told.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
            self.untold = false;
            self.told = Some(Instant::now());
            let sync = core.share.known().sync.clone();
            core.tell(Event::SyncChanged { sync });
        }
    }
}

impl Core {
    /// Whether a person would see a difference: when the server was last heard is none while it
    /// is connected.
    fn show_sync(&self, view: SyncView) -> bool {
        let mut known = self.share.known();
        if known.account.is_none() {
            return false;
        }
        let differs = (&known.sync.state, known.sync.waiting) != (&view.state, view.waiting);
        known.sync = view;
        differs
    }

    /// Brings what is said of the document up to date: conflicts, and whether it may be written.
    pub(crate) fn look_at_document(&self, held: &Held) {
        self.share.set_needs(held.needs());
        self.look_for_conflicts(held);
    }
}

fn hash(text: &str) -> Option<Hash> {
    Some(Hash(unhex(text)?.try_into().ok()?))
}
