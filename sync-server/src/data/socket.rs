//! A WebSocket: one signed-in device, any number of documents.
//!
//! The reader works on one frame at a time and waits while a document's mailbox is full: that is the
//! backpressure. The writer sends what documents have put into the outbox; a peer that doesn't read
//! is given up. Rights are looked up when a document is first asked for, and again when the feed says
//! that the device, the account or the home has changed, and now and then in any case.

use super::document::{ME, Member, ToDocument};
use super::outbox::{End, Inbox, Outbox};
use super::{Place, close};
use crate::app::App;
use crate::http::auth::{Access, Caller, Scope};
use crate::http::{Held, Problem, Query};
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Extension, FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use hearthwatt_sync::session::{PeerKey, Right};
use hearthwatt_sync::wire::{self, Frame, PROTOCOL_V1, PeerId, PeerMetadata};
use serde::Deserialize;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};
use uuid::Uuid;

/// From the handshake to the `join` frame.
const JOIN_LIMIT: Duration = Duration::from_secs(10);
/// Between pings.
const PING: Duration = Duration::from_secs(25);
/// A peer that isn't heard of that long, pings notwithstanding, has gone.
const SILENCE: Duration = Duration::from_secs(70);
/// A peer that doesn't take a frame that long is given up.
const SEND_LIMIT: Duration = Duration::from_secs(30);
/// Saying goodbye takes this long at most.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);
/// Rights are looked up again this often, whatever the feed says.
const RECHECK: Duration = Duration::from_secs(15);
/// Documents of one connection.
const DOCUMENTS: usize = 64;
/// Documents that aren't there for the caller; past that it is guessing.
const UNKNOWN: u32 = 100;
/// Buffers of a WebSocket, in bytes; the defaults would cost a hundred megabytes for a thousand.
const BUFFER: usize = 4 * 1024;
/// Longest text in a close frame, in bytes: the protocol's limit less the code.
const REASON_MAX: usize = 120;

static KEYS: AtomicU64 = AtomicU64::new(1);

#[derive(Deserialize)]
pub struct Ticket {
    ticket: Option<String>,
}

/// Who opens the WebSocket: by bearer token, or by ticket where no header can be set.
pub struct Opener(Caller);

impl FromRequestParts<App> for Opener {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Query(Ticket { ticket }) = Query::from_request_parts(parts, app).await?;
        let Some(ticket) = ticket else {
            return Caller::from_request_parts(parts, app).await.map(Self);
        };
        let caller = app.gate.redeem_ticket(app, &ticket).await?;
        let caller = caller.ok_or_else(|| Problem::unauthorized("The ticket is used up or too old."))?;
        Ok(Self(Caller { scope: Scope::Sync, ..caller }))
    }
}

/// `GET /sync`: the automerge-repo protocol.
pub async fn sync(
    State(app): State<App>,
    Opener(caller): Opener,
    held: Option<Extension<Held>>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Problem> {
    if app.http.is_stopping() {
        return Err(Problem::unavailable("The server is stopping.", Duration::from_secs(1)));
    }
    let Some(place) = Place::take(&app, &caller) else {
        return Err(Problem::rate_limited(Duration::from_secs(5)));
    };
    let frame = wire::Limits::default().frame_bytes;
    let running = app.http.tasks.hold();
    let upgrade = upgrade
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_write_buffer_size(4 * frame)
        .max_message_size(frame)
        .max_frame_size(frame);
    Ok(upgrade.on_upgrade(async move |socket| {
        let connection = held.map(|Extension(held)| held.keep());
        serve(app, caller, socket).await;
        drop((running, place, connection));
    }))
}

type Changed = Pin<Box<dyn Future<Output = Option<watch::Receiver<u64>>> + Send>>;

fn changed(mut topic: watch::Receiver<u64>) -> Changed {
    Box::pin(async move { topic.changed().await.ok().map(|()| topic) })
}

struct Connection {
    app: App,
    caller: Caller,
    name: PeerId,
    outbox: Outbox,
    documents: HashMap<Uuid, Open>,
    /// Topics that the caller's rights hang on.
    topics: FuturesUnordered<Changed>,
    homes: Vec<Uuid>,
    unknown: u32,
}

/// A document of this connection.
struct Open {
    mailbox: mpsc::Sender<ToDocument>,
    right: Right,
    home: Uuid,
}

async fn serve(app: App, caller: Caller, socket: WebSocket) {
    let (sink, mut stream) = socket.split();
    let key = PeerKey(KEYS.fetch_add(1, Ordering::Relaxed));
    let (outbox, inbox) = Outbox::new(key);
    let writer = tokio::spawn(write(sink, inbox, outbox.clone()));
    let end = match timeout(JOIN_LIMIT, join(&mut stream)).await {
        Err(_) => End::new(close::PROTOCOL, "no join in time"),
        Ok(Err(end)) => end,
        Ok(Ok(name)) => {
            let peer = Frame::Peer {
                sender: PeerId::from(ME),
                target: name.clone(),
                version: PROTOCOL_V1.to_owned(),
                metadata: PeerMetadata::default(),
            };
            outbox.send(wire::encode(&peer)).await;
            let mut connection = Connection {
                topics: [caller.device, caller.account]
                    .into_iter()
                    .map(|topic| changed(app.data.feed.subscribe(topic)))
                    .collect(),
                homes: Vec::new(),
                documents: HashMap::new(),
                unknown: 0,
                app,
                caller,
                name,
                outbox: outbox.clone(),
            };
            let end = connection.run(&mut stream).await;
            for open in connection.documents.values() {
                let _ = open.mailbox.send(ToDocument::Leave { key }).await;
            }
            end
        }
    };
    outbox.end(end);
    drop(outbox);
    let _ = writer.await;
}

/// The name of the peer, from its first frame.
async fn join(stream: &mut SplitStream<WebSocket>) -> Result<PeerId, End> {
    let protocol = |reason: &str| End::new(close::PROTOCOL, reason);
    loop {
        match stream.next().await {
            Some(Ok(Message::Binary(bytes))) => {
                let frame = wire::decode(&bytes, &wire::Limits::default());
                return match frame.map_err(|e| protocol(&e.to_string()))? {
                    Frame::Join { sender, versions, .. } => match versions.iter().any(|v| v == PROTOCOL_V1) {
                        true => Ok(sender),
                        false => Err(protocol("only version 1 of the protocol is spoken here")),
                    },
                    _ => Err(protocol("the first frame is a join")),
                };
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Text(_))) => return Err(protocol("frames are binary")),
            Some(Ok(Message::Close(_))) | None => return Err(End::new(close::PROTOCOL, "gone")),
            Some(Err(e)) => return Err(protocol(&e.to_string())),
        }
    }
}

impl Connection {
    /// Until either side ends it; says why.
    async fn run(&mut self, stream: &mut SplitStream<WebSocket>) -> End {
        let stopped = self.app.http.stopped();
        let mut stopped = std::pin::pin!(stopped);
        let mut recheck = interval(RECHECK);
        recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let outbox = self.outbox.clone();
        let ended = outbox.ended();
        let mut ended = std::pin::pin!(ended);
        loop {
            let done = tokio::select! {
                biased;
                end = &mut ended => return end,
                () = &mut stopped => return End::new(close::AWAY, "the server stops"),
                Some(topic) = self.topics.next() => {
                    self.topics.extend(topic.map(changed));
                    self.check().await
                }
                _ = recheck.tick() => self.check().await,
                message = timeout(SILENCE, stream.next()) => match message {
                    Err(_) => Err(End::new(close::PROTOCOL, "silent for too long")),
                    Ok(None) => Err(End::new(close::AWAY, "gone")),
                    Ok(Some(Err(e))) => Err(End::new(close::PROTOCOL, e.to_string())),
                    Ok(Some(Ok(message))) => self.message(message).await,
                },
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    async fn message(&mut self, message: Message) -> Result<(), End> {
        let bytes = match message {
            Message::Binary(bytes) => bytes,
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
            Message::Text(_) => return Err(End::new(close::PROTOCOL, "frames are binary")),
            Message::Close(_) => return Err(End::new(close::AWAY, "goodbye")),
        };
        let frame = wire::decode(&bytes, &wire::Limits::default()).map_err(|e| {
            tracing::info!(device = %self.caller.device, cause = %e, "a frame was refused");
            End::new(close::PROTOCOL, e.to_string())
        })?;
        drop(bytes);
        let key = self.outbox.key;
        match frame {
            Frame::Request { document, data, .. } | Frame::Sync { document, data, .. } => {
                self.tell(document.into(), ToDocument::Message { key, data }).await
            }
            Frame::Ephemeral { document, session, count, data, .. } => {
                let ephemeral = ToDocument::Ephemeral { key, session, count, data };
                match self.documents.contains_key(&document.into()) {
                    true => self.tell(document.into(), ephemeral).await,
                    false => Ok(()),
                }
            }
            Frame::Leave { .. } => Err(End::new(close::AWAY, "goodbye")),
            Frame::Error { message, .. } => {
                tracing::info!(device = %self.caller.device, message, "the peer reports an error");
                Err(End::new(close::AWAY, "goodbye"))
            }
            Frame::Join { .. } => Err(End::new(close::PROTOCOL, "there is one join")),
            // what only concerns peers that pass documents on to others
            Frame::Peer { .. }
            | Frame::DocUnavailable { .. }
            | Frame::RemoteSubscriptionChange { .. }
            | Frame::RemoteHeadsChanged { .. }
            | Frame::Unknown { .. } => Ok(()),
        }
    }

    /// Hands something to a document, joining it first if need be.
    async fn tell(&mut self, document: Uuid, message: ToDocument) -> Result<(), End> {
        let known = match self.documents.get(&document) {
            Some(open) if !open.mailbox.is_closed() => Some(open.mailbox.clone()),
            _ => self.open(document).await?,
        };
        let Some(mailbox) = known else { return Ok(()) };
        if mailbox.send(message).await.is_err() {
            // put away at this very moment: the peer says again what is lost, when it connects again
            return Err(End::new(close::TRY_LATER, "the document was closed"));
        }
        Ok(())
    }

    /// Joins a document; `None` if it isn't there for the caller, which is then told so.
    async fn open(&mut self, document: Uuid) -> Result<Option<mpsc::Sender<ToDocument>>, End> {
        if self.documents.len() >= DOCUMENTS && !self.documents.contains_key(&document) {
            return Err(End::new(close::REFUSED, "too many documents on one connection"));
        }
        let Some((right, home)) = self.right(document).await? else {
            self.unknown += 1;
            if self.unknown > UNKNOWN {
                return Err(End::new(close::REFUSED, "too many documents that aren't there"));
            }
            self.unavailable(document).await;
            return Ok(None);
        };
        let member = |outbox| Member { name: self.name.clone(), caller: self.caller.clone(), right, outbox };
        // a document that goes at this moment is opened again
        for _ in 0..3 {
            let mailbox = self.app.data.hub.open(&self.app, document);
            if mailbox.send(ToDocument::Join(member(self.outbox.clone()))).await.is_ok() {
                self.documents.insert(document, Open { mailbox: mailbox.clone(), right, home });
                return Ok(Some(mailbox));
            }
        }
        Err(End::new(close::TRY_LATER, "the document was closed"))
    }

    /// What the caller may do with a document, from now on watched.
    async fn right(&mut self, document: Uuid) -> Result<Option<(Right, Uuid)>, End> {
        let found = self.app.gate.rights(&self.app, &self.caller, document).await.map_err(unavailable)?;
        let Some(right) = found else { return Ok(None) };
        if !self.homes.contains(&right.home) {
            let topic = self.app.data.feed.subscribe(right.home);
            self.homes.push(right.home);
            self.topics.push(changed(topic));
            // it may have changed between the answer and the subscription
            let again = self.app.gate.rights(&self.app, &self.caller, document).await.map_err(unavailable)?;
            return Ok(again.map(|r| (translate(r.access), r.home)));
        }
        Ok(Some((translate(right.access), right.home)))
    }

    async fn unavailable(&mut self, document: Uuid) {
        let frame = Frame::DocUnavailable {
            sender: PeerId::from(ME),
            target: self.name.clone(),
            document: document.into(),
        };
        self.outbox.send(wire::encode(&frame)).await;
    }

    /// Whether everything is still allowed that is being done.
    async fn check(&mut self) -> Result<(), End> {
        if !self.app.gate.is_signed_in(&self.app, &self.caller).await.map_err(unavailable)? {
            return Err(End::new(close::SIGNED_OUT, "this device was signed out"));
        }
        let key = self.outbox.key;
        let mut lost = Vec::new();
        for (document, open) in &mut self.documents {
            let right =
                self.app.gate.rights(&self.app, &self.caller, *document).await.map_err(unavailable)?;
            match right.map(|r| translate(r.access)) {
                None => lost.push(*document),
                Some(right) if right != open.right => {
                    open.right = right;
                    let _ = open.mailbox.send(ToDocument::Right { key, right }).await;
                }
                Some(_) => {}
            }
        }
        for document in lost {
            if let Some(open) = self.documents.remove(&document) {
                tracing::info!(device = %self.caller.device, home = %open.home, "lost its right to a document");
                let _ = open.mailbox.send(ToDocument::Leave { key }).await;
            }
            self.unavailable(document).await;
        }
        Ok(())
    }
}

fn translate(access: Access) -> Right {
    match access {
        Access::Read => Right::Read,
        Access::Write => Right::Write,
    }
}

/// Without the store nobody's rights are known: nothing goes on until they are.
fn unavailable(e: crate::store::StoreError) -> End {
    tracing::warn!(cause = %e, "a connection is closed: the store failed");
    End::new(close::TRY_LATER, "the server's database isn't available")
}

/// Sends what the outbox holds, pings, and says goodbye.
async fn write(mut sink: SplitSink<WebSocket, Message>, mut inbox: Inbox, outbox: Outbox) {
    let mut ping = interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ping.reset_after(PING);
    let ended = outbox.ended();
    let mut ended = std::pin::pin!(ended);
    let end = loop {
        let message = tokio::select! {
            end = &mut ended => break Some(end),
            frame = inbox.next() => match frame {
                Some(frame) => Message::Binary(Bytes::from(frame)),
                None => break None,
            },
            _ = ping.tick() => Message::Ping(Bytes::new()),
        };
        match timeout(SEND_LIMIT, sink.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => {
                outbox.end(End::new(close::AWAY, "gone"));
                return;
            }
            Err(_) => {
                tracing::info!("a peer that doesn't read was given up");
                outbox.end(End::new(close::AWAY, "not reading"));
                return;
            }
        }
    };
    let goodbye = async {
        while let Some(frame) = inbox.rest() {
            sink.feed(Message::Binary(Bytes::from(frame))).await?;
        }
        if let Some(End { code, reason }) = end {
            let reason: String = reason
                .chars()
                .scan(0, |n, c| {
                    *n += c.len_utf8();
                    (*n <= REASON_MAX).then_some(c)
                })
                .collect();
            sink.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await?;
        }
        sink.flush().await
    };
    let _: Result<Result<(), axum::Error>, _> = timeout(CLOSE_LIMIT, goodbye).await;
}
