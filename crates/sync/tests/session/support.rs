//! Documents like a home's, and messages built by hand.

use automerge::sync::{ChunkList, Message, MessageFlags, MessageVersion};
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, Automerge, Change, ChangeHash, ObjType, ROOT, ReadDoc};
use hearthwatt_sync::session::{Document, Limits, PeerKey, Received, Refusal};
use hearthwatt_sync::wire::{DocumentId, PeerId};
use sha2::{Digest, Sha256};

pub const ID: DocumentId = DocumentId::from_bytes([9; 16]);

/// The first change of every document, the same everywhere.
pub fn genesis() -> Automerge {
    let mut doc = Automerge::new().with_actor(ActorId::from([0; 16]));
    let mut tx = doc.transaction();
    tx.put_object(ROOT, "budgets", ObjType::Map).unwrap();
    tx.put_object(ROOT, "notes", ObjType::Text).unwrap();
    tx.commit_with(CommitOptions::default().with_time(0));
    doc
}

pub fn actor(number: u64) -> ActorId {
    ActorId::from([&[1; 8][..], &number.to_be_bytes()].concat())
}

/// One edit as an app makes it: a budget made or changed, sometimes deleted. Returns its change.
pub fn edit(doc: &mut Automerge, what: u64) -> (ChangeHash, Vec<u8>) {
    // Writing what stands there already would be no edit.
    let share = doc.stats().num_changes as f64 + what as f64 / 1024.0;
    let mut tx = doc.transaction();
    let (_, budgets) = tx.get(ROOT, "budgets").unwrap().unwrap();
    let key = format!("{:032x}", what % 7);
    if what.is_multiple_of(11) && tx.get(&budgets, key.as_str()).unwrap().is_some() {
        tx.delete(&budgets, key.as_str()).unwrap();
    } else {
        let budget = match tx.get(&budgets, key.as_str()).unwrap() {
            Some((_, id)) => id,
            None => tx.put_object(&budgets, key.as_str(), ObjType::Map).unwrap(),
        };
        tx.put(&budget, "name", format!("Kitchen {}", what % 5)).unwrap();
        tx.put(&budget, "limit", (what % 1000) as i64).unwrap();
        tx.put(&budget, "share", share).unwrap();
    }
    if what.is_multiple_of(5) {
        let (_, notes) = tx.get(ROOT, "notes").unwrap().unwrap();
        tx.splice_text(&notes, 0, 0, "note ").unwrap();
    }
    tx.commit_with(CommitOptions::default().with_time(what as i64));
    let change = doc.get_last_local_change().unwrap();
    (change.hash(), change.raw_bytes().to_vec())
}

/// A document of so many changes.
pub fn grown(changes: u64) -> Automerge {
    let mut doc = genesis().with_actor(actor(1));
    for what in 1..changes {
        edit(&mut doc, what);
    }
    doc
}

pub fn server(doc: &Automerge) -> Document {
    server_with(doc, Limits::default())
}

pub fn server_with(doc: &Automerge, limits: Limits) -> Document {
    let me = PeerId::from("server");
    Document::load(ID, me, limits, Some(&doc.save()), None::<&[u8]>).unwrap()
}

/// A message that brings chunks.
pub fn bring(chunks: Vec<Vec<u8>>, heads: Vec<ChangeHash>) -> Vec<u8> {
    Message {
        heads,
        need: Vec::new(),
        have: Vec::new(),
        changes: ChunkList::from(chunks),
        flags: Some(MessageFlags::new()),
        version: MessageVersion::V1,
    }
    .encode()
}

/// Receives, and commits what came of it.
pub fn take(server: &mut Document, key: PeerKey, data: &[u8]) -> Result<usize, Refusal> {
    let Received { prepared } = server.receive(key, data)?;
    let Some(prepared) = prepared else {
        return Ok(0);
    };
    let new = prepared.changes().len();
    server.commit(prepared)?;
    Ok(new)
}

/// A chunk around a body, its checksum right.
pub fn chunk(kind: u8, body: &[u8]) -> Vec<u8> {
    let counted = [leb128(body.len() as u64), body.to_vec()].concat();
    let hash = Sha256::new().chain_update([kind]).chain_update(&counted).finalize();
    [&[0x85, 0x6f, 0x4a, 0x83][..], &hash[..4], &[kind], &counted].concat()
}

/// The hash of a change chunk that is not deflated.
pub fn hash(chunk: &[u8]) -> ChangeHash {
    let hash: [u8; 32] = Sha256::digest(&chunk[8..]).into();
    ChangeHash(hash)
}

/// What lies in a chunk.
pub fn body(chunk: &[u8]) -> &[u8] {
    let mut at = 9;
    while chunk[at] & 0x80 != 0 {
        at += 1;
    }
    &chunk[at + 1..]
}

pub fn leb128(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x7f {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// A positive number as a signed one.
pub fn sleb128(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value > 0x3f {
        bytes.push(value as u8 & 0x7f | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// Parts of a change of which each can be made wrong.
pub struct Parts {
    pub deps: Vec<ChangeHash>,
    pub actor: ActorId,
    pub seq: u64,
    pub start_op: u64,
    pub columns: Vec<(u64, Vec<u8>)>,
}

impl Parts {
    /// The next change of an actor on a document, without operations yet.
    pub fn on(doc: &Automerge, actor: ActorId, seq: u64) -> Self {
        let max_op = doc.get_changes(&[]).iter().map(Change::max_op).max().unwrap_or(0);
        Self { deps: doc.get_heads(), actor, seq, start_op: max_op + 1, columns: Vec::new() }
    }

    pub fn body(&self) -> Vec<u8> {
        let mut body = leb128(self.deps.len() as u64);
        for dep in &self.deps {
            body.extend(dep.0);
        }
        let actor = self.actor.to_bytes();
        body.extend(leb128(actor.len() as u64));
        body.extend(actor);
        body.extend(leb128(self.seq));
        body.extend(leb128(self.start_op));
        body.extend([0, 0, 0]); // time, message, other actors
        body.extend(leb128(self.columns.len() as u64));
        for (spec, data) in &self.columns {
            body.extend(leb128(*spec));
            body.extend(leb128(data.len() as u64));
        }
        for (_, data) in &self.columns {
            body.extend(data);
        }
        body
    }

    pub fn chunk(&self) -> Vec<u8> {
        chunk(1, &self.body())
    }
}

/// Numbers that look random and are the same in every run.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ z >> 31) as usize % sides.max(1)
    }
}
