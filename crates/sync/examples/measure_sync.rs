//! What a change costs at the server: `cargo run --release -p hearthwatt-sync --example measure_sync`.
//!
//! 200 documents of 50 changes each, as one writer and one reader see them: *live*, each change in
//! a message of its own, with every answer made and decoded; *bulk*, each document in one message;
//! and live on one document that grows, because every message has the whole of it saved and loaded.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a program for developers

use std::time::{Duration, Instant};

use automerge::sync::{State, SyncDoc};
use automerge::transaction::Transactable;
use automerge::{ActorId, Automerge, ObjType, ROOT, ReadDoc};
use hearthwatt_sync::session::{Document, Limits, PeerKey, Right};
use hearthwatt_sync::wire::{self, DocumentId, Frame, PeerId, decode, encode};

const DOCUMENTS: u64 = 200;
const CHANGES: u64 = 50;

fn edit(doc: &mut Automerge, number: u64) {
    let mut tx = doc.transaction();
    let budgets = match tx.get(ROOT, "budgets").unwrap() {
        Some((_, id)) => id,
        None => tx.put_object(ROOT, "budgets", ObjType::Map).unwrap(),
    };
    let key = format!("{:032x}", number % 40);
    let budget = match tx.get(&budgets, key.as_str()).unwrap() {
        Some((_, id)) => id,
        None => tx.put_object(&budgets, key.as_str(), ObjType::Map).unwrap(),
    };
    tx.put(&budget, "name", format!("Budget {number}")).unwrap();
    tx.put(&budget, "limit", number as i64).unwrap();
    tx.commit();
}

/// A peer that holds a copy, with its way to the server.
struct Peer {
    key: PeerKey,
    doc: Automerge,
    state: State,
}

impl Peer {
    fn new(key: u64, doc: Automerge, server: &mut Document) -> Self {
        let key = PeerKey(key);
        server.join(key, PeerId::from("peer"), Right::Write);
        let state = State::new();
        Self { key, doc, state }
    }
}

/// Exchanges messages until nobody has any; returns what the server's part of it took.
fn settle(server: &mut Document, peers: &mut [Peer]) -> Duration {
    let mut spent = Duration::ZERO;
    loop {
        let mut quiet = true;
        for at in 0..peers.len() {
            let Some(message) = peers[at].doc.generate_sync_message(&mut peers[at].state) else {
                continue;
            };
            quiet = false;
            let frame = encode(&Frame::Sync {
                sender: PeerId::from("peer"),
                target: PeerId::from("server"),
                document: server.id(),
                data: message.encode(),
            });
            let start = Instant::now();
            let Frame::Sync { data, .. } = decode(&frame, &wire::Limits::default()).unwrap() else {
                unreachable!("it was one");
            };
            if let Some(prepared) = server.receive(peers[at].key, &data).unwrap().prepared {
                server.commit(prepared).unwrap();
            }
            let mut answers = Vec::new();
            for (to, peer) in peers.iter().enumerate() {
                while let Some(frame) = server.poll(peer.key) {
                    answers.push((to, encode(&frame)));
                }
            }
            spent += start.elapsed();
            for (to, frame) in answers {
                let Frame::Sync { data, .. } = decode(&frame, &wire::Limits::default()).unwrap() else {
                    unreachable!("it was one");
                };
                let message = automerge::sync::Message::decode(&data).unwrap();
                let Peer { doc, state, .. } = &mut peers[to];
                doc.receive_sync_message(state, message).unwrap();
            }
        }
        if quiet {
            return spent;
        }
    }
}

fn pair(number: u64, doc: Automerge) -> (Document, [Peer; 2]) {
    let id = DocumentId::from_bytes(u128::from(number).to_be_bytes());
    let mut server = Document::new(id, PeerId::from("server"), Limits::default());
    let writer = Peer::new(1, doc, &mut server);
    let reader = Peer::new(2, Automerge::new(), &mut server);
    (server, [writer, reader])
}

fn report(what: &str, changes: u64, spent: Duration) {
    let each = spent.as_secs_f64() / changes as f64;
    println!("{what:44} {:8.0} changes/s {:8.1} us each", 1.0 / each, each * 1e6);
}

/// Memory of this process in KiB, where the system says (Linux); else 0.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

fn main() {
    let mut live = Duration::ZERO;
    let mut bulk = Duration::ZERO;
    let mut kept = Vec::new();
    let before = resident();
    for number in 0..DOCUMENTS {
        let doc = Automerge::new().with_actor(ActorId::from(number.to_be_bytes()));
        let (mut server, mut peers) = pair(number, doc.clone());
        settle(&mut server, &mut peers);
        for change in 0..CHANGES {
            edit(&mut peers[0].doc, change);
            live += settle(&mut server, &mut peers);
        }
        let mut doc = doc;
        for change in 0..CHANGES {
            edit(&mut doc, change);
        }
        let (mut server, mut peers) = pair(number, doc);
        bulk += settle(&mut server, &mut peers);
        assert_eq!(server.heads(), peers[1].doc.get_heads());
        kept.push(server);
    }
    println!("{} documents in memory: {} KiB", kept.len(), resident().saturating_sub(before));
    drop(kept);
    report("live, 200 documents of 50 changes", DOCUMENTS * CHANGES, live);
    report("bulk, 200 documents of 50 changes", DOCUMENTS * CHANGES, bulk);
    let (mut server, mut peers) = pair(0, Automerge::new());
    let mut done = 0;
    for upto in [100, 500, 1000, 2000, 5000, 10_000] {
        let mut spent = Duration::ZERO;
        let mut longest = Duration::ZERO;
        for change in done..upto {
            edit(&mut peers[0].doc, change);
            let took = settle(&mut server, &mut peers);
            spent += took;
            longest = longest.max(took);
        }
        report(&format!("live, one document, changes {done} to {upto}"), upto - done, spent);
        println!("{:44} longest {:.1} ms", "", longest.as_secs_f64() * 1e3);
        done = upto;
    }
}
