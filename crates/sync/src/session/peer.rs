//! What a session knows of the other side about one document.

use automerge::sync::{self, SyncDoc};
use automerge::{Change, ChangeHash};

use super::caught::caught;
use super::replica::{Replica, bounded};
use super::{Limits, Refusal};

/// The other side of one document.
#[derive(Debug)]
pub(super) struct Peer {
    state: sync::State,
    /// Changes that came before those they depend on. They are this peer's until they fit:
    /// nobody else pays for them, nobody hears of them.
    ahead: Vec<Change>,
    /// Whether this peer was told, since its last message, that we don't know what it believes to
    /// share with us.
    disowned: bool,
    refusals: u32,
}

impl Peer {
    pub(super) fn new(read_only: bool) -> Self {
        Self { state: fresh(read_only), ahead: Vec::new(), disowned: false, refusals: 0 }
    }

    pub(super) fn is_barred(&self, limits: &Limits) -> bool {
        self.refusals >= limits.refusals
    }

    pub(super) fn is_read_only(&self) -> bool {
        self.state.read_only
    }

    pub(super) fn set_read_only(&mut self, read_only: bool) {
        self.state.set_read_only(read_only);
    }

    /// Starts anew, as if just connected.
    pub(super) fn reset(&mut self) {
        self.state = fresh(self.state.read_only);
        self.ahead = Vec::new();
        self.disowned = false;
    }

    /// Starts anew after a refusal, and counts it: a peer that sends the same again and again
    /// isn't answered for ever. A viewer's attempt to write is no fault, nor is being busy.
    pub(super) fn refused(&mut self, why: &Refusal) {
        match why {
            Refusal::ReadOnly | Refusal::Busy | Refusal::NoSuchPeer | Refusal::Barred => {}
            Refusal::Stale => self.reset(),
            _ => {
                self.refusals = self.refusals.saturating_add(1);
                self.reset();
            }
        }
    }

    pub(super) fn ahead(&self) -> &[Change] {
        &self.ahead
    }

    pub(super) fn set_ahead(&mut self, ahead: Vec<Change>, limits: &Limits) -> Result<(), Refusal> {
        let bytes: usize = ahead.iter().map(|change| change.raw_bytes().len()).sum();
        bounded("changes ahead", ahead.len() as u64, limits.ahead)?;
        bounded("bytes of changes ahead", bytes as u64, limits.inflated_bytes)?;
        self.ahead = ahead;
        Ok(())
    }

    /// Takes in what a message says of the sender's heads and needs; its changes are dealt with.
    /// `brought` when it brought changes, known or not: then it wants an answer.
    pub(super) fn hear(
        &mut self,
        replica: &mut Replica,
        header: sync::Message,
        brought: bool,
    ) -> Result<(), Refusal> {
        self.disowned = false;
        let sent = brought.then(|| self.state.last_sent_heads.clone());
        let state = &mut self.state;
        let heard = caught(|| {
            replica
                .doc_mut()
                .receive_sync_message(state, header)
                .map_err(|_| Refusal::Malformed("a sync message of no meaning"))
        });
        if let Some(sent) = sent {
            self.state.last_sent_heads = sent;
        }
        heard
    }

    /// The next message for this peer.
    pub(super) fn say(&mut self, replica: &Replica) -> Option<Vec<u8>> {
        if self.is_strange(replica) {
            // Automerge answers every time it is asked; once per message is enough.
            if self.disowned {
                return None;
            }
            self.disowned = true;
        }
        let state = &mut self.state;
        let said = caught(|| Ok(replica.doc().generate_sync_message(state)));
        let Ok(said) = said else {
            self.reset();
            return None;
        };
        let mut message = said?;
        if !self.ahead.is_empty() && !self.state.read_only {
            message.need = self.need(replica);
        }
        Some(message.encode())
    }

    /// Whether the peer counts on changes, as common to both, that are not here: it talked to a
    /// server that has since lost them, or makes them up.
    fn is_strange(&self, replica: &Replica) -> bool {
        let have = self.state.their_have.as_ref();
        have.and_then(|have| have.first()).is_some_and(|have| !replica.missing(&have.last_sync).is_empty())
    }

    /// What is missing up to the peer's heads, seen through what it sent ahead.
    fn need(&self, replica: &Replica) -> Vec<ChangeHash> {
        let mut open: Vec<ChangeHash> = self.state.their_heads.clone().unwrap_or_default();
        let mut need = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let ahead: std::collections::HashMap<_, _> =
            self.ahead.iter().map(|change| (change.hash(), change)).collect();
        while let Some(hash) = open.pop() {
            if !seen.insert(hash) {
                continue;
            }
            match ahead.get(&hash) {
                Some(change) => open.extend(change.deps()),
                None => need.push(hash),
            }
        }
        let mut need = replica.missing(&need);
        need.sort_unstable();
        need
    }
}

fn fresh(read_only: bool) -> sync::State {
    if read_only { sync::State::new_read_only() } else { sync::State::new() }
}
