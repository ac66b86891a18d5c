//! The server's side of one document.

use std::collections::BTreeMap;
use std::sync::Arc;

use automerge::{ActorId, Automerge, ChangeHash, sync};

use super::budget::Budget;
use super::caught::caught;
use super::chunk::measure;
use super::message::Message;
use super::peer::Peer;
use super::replica::{Next, Replica, bounded};
use super::{Limits, Refusal};
use crate::wire::{DocumentId, Frame, PeerId};

/// The caller's number of a connection. Two connections may name themselves alike; their numbers
/// differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerKey(pub u64);

/// What a peer may do with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    Read,
    Write,
}

/// Who wrote new changes: from which number on, and up to which. `first` is 1 for an actor that
/// the document has not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    pub actor: ActorId,
    pub first: u64,
    pub last: u64,
}

/// What came of a message.
#[derive(Debug)]
pub struct Received {
    /// New changes, if there were any: make them durable, then [`Document::commit`] them.
    pub prepared: Option<Prepared>,
}

/// Changes that passed every check and wait to be made durable.
#[derive(Debug)]
pub struct Prepared {
    peer: PeerKey,
    /// Which state it stands on, and which it makes.
    base: u64,
    ticket: u64,
    replica: Replica,
    changes: Vec<(ChangeHash, Vec<u8>)>,
    authors: Vec<Author>,
    header: sync::Message,
    /// Counts the outstanding ones, dropped ones included.
    _token: Arc<()>,
}

impl Prepared {
    /// The new changes, each after those it depends on.
    pub fn changes(&self) -> &[(ChangeHash, Vec<u8>)] {
        &self.changes
    }

    /// Whose they are; [`Document::refuse`] them if an actor belongs to another device.
    pub fn authors(&self) -> &[Author] {
        &self.authors
    }

    /// The connection they came by.
    pub fn peer(&self) -> PeerKey {
        self.peer
    }
}

/// One connection's view of the document.
#[derive(Debug)]
struct Member {
    name: PeerId,
    sync: Peer,
    outstanding: u32,
    /// What it said last while changes of its own waited for their commit.
    later: Option<(sync::Message, bool)>,
}

/// One document at the server, with the peers that are connected.
#[derive(Debug)]
pub struct Document {
    id: DocumentId,
    me: PeerId,
    limits: Limits,
    replica: Replica,
    /// Number of the state that is committed, and the last one given out.
    committed: u64,
    issued: u64,
    /// The newest state that is prepared but not committed.
    tip: Option<(u64, Replica)>,
    token: Arc<()>,
    peers: BTreeMap<PeerKey, Member>,
    /// Changes from the store whose dependencies have not come yet.
    ahead: Vec<automerge::Change>,
}

impl Document {
    /// A document without changes. `me` is what the server calls itself on the wire.
    pub fn new(id: DocumentId, me: PeerId, limits: Limits) -> Self {
        Self::of(id, me, limits, Replica::new(Automerge::new()))
    }

    fn of(id: DocumentId, me: PeerId, limits: Limits, replica: Replica) -> Self {
        Self {
            id,
            me,
            limits,
            replica,
            committed: 0,
            issued: 0,
            tip: None,
            token: Arc::new(()),
            peers: BTreeMap::new(),
            ahead: Vec::new(),
        }
    }

    /// From the store: a snapshot if there is one, and the changes since, in any order.
    ///
    /// # Errors
    /// When the store holds something that no [`Prepared`] ever held.
    pub fn load<'a>(
        id: DocumentId,
        me: PeerId,
        limits: Limits,
        snapshot: Option<&[u8]>,
        changes: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, Refusal> {
        let doc = match snapshot {
            None => Automerge::new(),
            Some(bytes) => {
                measure(bytes, &mut Budget::new(&limits))?;
                caught(|| Automerge::load(bytes).map_err(|error| Refusal::Damaging(error.to_string())))?
            }
        };
        let mut document = Self::of(id, me, limits, Replica::new(doc));
        document.absorb(changes)?;
        Ok(document)
    }

    pub fn id(&self) -> DocumentId {
        self.id
    }

    /// Heads of what is committed, sorted.
    pub fn heads(&self) -> Vec<ChangeHash> {
        self.replica.heads()
    }

    /// How many changes are committed.
    pub fn len(&self) -> u64 {
        self.replica.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a change is committed.
    pub fn has(&self, hash: ChangeHash) -> bool {
        self.replica.missing(&[hash]).is_empty()
    }

    /// What is committed, to read from.
    pub fn automerge(&self) -> &Automerge {
        self.replica.doc()
    }

    /// Everything committed as one chunk, proven to load with the same heads: with it stored, the
    /// changes it holds may go.
    ///
    /// # Errors
    /// When it does not load: keep the changes.
    pub fn snapshot(&self) -> Result<Vec<u8>, Refusal> {
        caught(|| {
            let bytes = self.replica.doc().save();
            let loaded = Automerge::load(&bytes).map_err(|error| Refusal::Damaging(error.to_string()))?;
            if loaded.get_heads() == self.replica.doc().get_heads() {
                Ok(bytes)
            } else {
                Err(Refusal::Damaging("it loads as another document".to_owned()))
            }
        })
    }

    /// Ends the session, for a document that nobody uses; everything committed as one chunk.
    pub fn into_bytes(self) -> Vec<u8> {
        self.replica.doc().save()
    }

    /// A connection wants this document. Joining again under the same key starts anew.
    pub fn join(&mut self, key: PeerKey, peer: PeerId, right: Right) {
        let member =
            Member { name: peer, sync: Peer::new(right == Right::Read), outstanding: 0, later: None };
        self.peers.insert(key, member);
    }

    /// Its role has changed.
    pub fn set_right(&mut self, key: PeerKey, right: Right) {
        if let Some(member) = self.peers.get_mut(&key) {
            member.sync.set_read_only(right == Right::Read);
        }
    }

    /// A connection is gone; all it cost is freed. What it sent and is prepared may still be
    /// committed.
    pub fn leave(&mut self, key: PeerKey) {
        self.peers.remove(&key);
    }

    pub fn peers(&self) -> impl Iterator<Item = PeerKey> + '_ {
        self.peers.keys().copied()
    }

    /// The `data` of a `request` or `sync` frame.
    ///
    /// # Errors
    /// Whatever is wrong with it; document and other peers are unharmed.
    pub fn receive(&mut self, key: PeerKey, data: &[u8]) -> Result<Received, Refusal> {
        let member = self.peers.get(&key).ok_or(Refusal::NoSuchPeer)?;
        if member.sync.is_barred(&self.limits) {
            return Err(Refusal::Barred);
        }
        match Arc::strong_count(&self.token) - 1 {
            // What was prepared last has been dropped instead of committed.
            0 => self.tip = None,
            outstanding if outstanding >= self.limits.outstanding => return Err(Refusal::Busy),
            _ => {}
        }
        let received = self.take_in(key, data);
        if let (Err(why), Some(member)) = (&received, self.peers.get_mut(&key)) {
            member.sync.refused(why);
        }
        received
    }

    fn take_in(&mut self, key: PeerKey, data: &[u8]) -> Result<Received, Refusal> {
        let member = self.peers.get_mut(&key).ok_or(Refusal::NoSuchPeer)?;
        let message = Message::read(data, &self.limits)?;
        let chunks = message.chunks(&mut Budget::new(&self.limits))?;
        let brought = !chunks.is_empty();
        let (base, tip) = match &self.tip {
            Some((ticket, replica)) => (*ticket, replica),
            None => (self.committed, &self.replica),
        };
        let mut next = None;
        if tip.is_news(&chunks) {
            if member.sync.is_read_only() {
                member.hear(&mut self.replica, message.header, brought)?;
                return Err(Refusal::ReadOnly);
            }
            let mut changes = tip.unknown(chunks)?;
            changes.extend_from_slice(member.sync.ahead());
            let staged = tip.stage(changes, &self.limits)?;
            member.sync.set_ahead(staged.ahead, &self.limits)?;
            next = staged.next;
        }
        let Some(next) = next else {
            member.hear(&mut self.replica, message.header, brought)?;
            return Ok(Received { prepared: None });
        };
        member.outstanding += 1;
        self.issued += 1;
        self.tip = Some((self.issued, next.replica.clone()));
        Ok(Received {
            prepared: Some(Prepared {
                peer: key,
                base,
                ticket: self.issued,
                replica: next.replica,
                changes: next.changes,
                authors: next.authors,
                header: message.header,
                _token: Arc::clone(&self.token),
            }),
        })
    }

    /// The changes are durable: from now on they are told to everybody. Several may be
    /// outstanding; commit them in the order in which they were prepared.
    ///
    /// # Errors
    /// [`Refusal::Stale`] when they stand on changes that were refused: nothing happened, and the
    /// peer will send them again.
    pub fn commit(&mut self, prepared: Prepared) -> Result<(), Refusal> {
        let Prepared { peer, base, ticket, replica, changes, header, _token: token, .. } = prepared;
        drop(token);
        let committed = if base == self.committed {
            self.replica = replica;
            self.committed = ticket;
            Ok(())
        } else {
            drop(replica);
            self.rebase(&changes)
        };
        if self.tip.as_ref().is_some_and(|(tip, _)| *tip == self.committed) {
            self.tip = None;
        }
        self.replica.settle();
        let Some(member) = self.peers.get_mut(&peer) else {
            return committed;
        };
        member.outstanding = member.outstanding.saturating_sub(1);
        if let Err(why) = committed {
            member.sync.refused(&why);
            return Err(why);
        }
        let mut heard = member.sync.hear(&mut self.replica, header, true);
        if member.outstanding == 0
            && let Some((header, brought)) = member.later.take()
        {
            heard = heard.and(member.sync.hear(&mut self.replica, header, brought));
        }
        if let Err(why) = heard {
            // What it said of itself makes no sense, but its changes did.
            member.sync.refused(&why);
        }
        Ok(())
    }

    /// Puts prepared changes on a state other than the one they were prepared on: another
    /// process's came in between, or earlier ones were refused.
    fn rebase(&mut self, changes: &[(ChangeHash, Vec<u8>)]) -> Result<(), Refusal> {
        let mut again = Vec::with_capacity(changes.len());
        for (_, bytes) in changes {
            let chunks = measure(bytes, &mut Budget::new(&self.limits))?;
            again.extend(self.replica.unknown(chunks)?);
        }
        let staged = self.replica.stage(again, &self.limits)?;
        if !staged.ahead.is_empty() {
            return Err(Refusal::Stale);
        }
        self.swap_in(staged.next);
        Ok(())
    }

    /// Makes a state the committed one that nothing prepared stands on.
    fn swap_in(&mut self, next: Option<Next>) {
        if let Some(next) = next {
            self.replica = next.replica;
            self.replica.settle();
            self.issued += 1;
            self.committed = self.issued;
            self.tip = None;
        }
    }

    /// The caller doesn't want them (or could not make them durable): as if they never came.
    pub fn refuse(&mut self, prepared: Prepared, why: &Refusal) {
        self.tip = None;
        if let Some(member) = self.peers.get_mut(&prepared.peer) {
            member.outstanding = member.outstanding.saturating_sub(1);
            member.later = None;
            member.sync.refused(why);
        }
    }

    /// Changes that another process made durable, in any order. Returns how many were new here.
    ///
    /// # Errors
    /// When they can't be what another process committed; those before are taken.
    pub fn absorb<'a>(&mut self, changes: impl IntoIterator<Item = &'a [u8]>) -> Result<usize, Refusal> {
        let mut unknown = std::mem::take(&mut self.ahead);
        for bytes in changes {
            let chunks = measure(bytes, &mut Budget::new(&self.limits))?;
            unknown.extend(self.replica.unknown(chunks)?);
        }
        if unknown.is_empty() {
            return Ok(0);
        }
        let staged = self.replica.stage(unknown, &self.limits)?;
        bounded("changes ahead", staged.ahead.len() as u64, self.limits.ahead)?;
        self.ahead = staged.ahead;
        let new = staged.next.as_ref().map_or(0, |next| next.changes.len());
        self.swap_in(staged.next);
        Ok(new)
    }

    /// The next frame for a peer; call until there is none, after every receive, commit and
    /// absorb.
    pub fn poll(&mut self, key: PeerKey) -> Option<Frame> {
        let member = self.peers.get_mut(&key)?;
        if member.sync.is_barred(&self.limits) {
            return None;
        }
        Some(Frame::Sync {
            sender: self.me.clone(),
            target: member.name.clone(),
            document: self.id,
            data: member.sync.say(&self.replica)?,
        })
    }
}

impl Member {
    /// Takes in what it says of itself, in the order in which it said it.
    fn hear(&mut self, replica: &mut Replica, header: sync::Message, brought: bool) -> Result<(), Refusal> {
        if self.outstanding > 0 {
            self.later = Some((header, brought));
            return Ok(());
        }
        self.sync.hear(replica, header, brought)
    }
}
