//! Messages of 256 KiB that want hundreds of megabytes. They are refused, and refusing them is
//! cheap in memory: counted, not guessed.

use std::io::Write;

use automerge::ChangeHash;
use automerge::sync::Message;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use hearthwatt_sync::session::{Client, Event, Limits, PeerKey, Refusal, Right};
use hearthwatt_sync::wire::{Frame, PROTOCOL_V1, PeerId, PeerMetadata, encode};

use sha2::{Digest, Sha256};

use crate::memory::{now, peak};
use crate::support::{ID, Parts, actor, bring, chunk, edit, genesis, grown, leb128, server, sleb128, take};

const MESSAGE: usize = 256 * 1024;
/// What refusing may cost: a few copies of the message.
const PEAK: usize = 2 * 1024 * 1024;

const KEY: u64 = 0x15;
const INSERT: u64 = 0x34;
const ACTION: u64 = 0x42;
const VALUE_KIND: u64 = 0x56;
const PREDECESSORS: u64 = 0x70;
const PREDECESSOR_ACTOR: u64 = 0x71;
const PREDECESSOR_COUNTER: u64 = 0x73;
const DEFLATED: u64 = 8;

/// Zeros, deflated, as many as fit: a mebibyte takes a kibibyte.
fn zeros() -> Vec<u8> {
    let mebibyte = vec![0; 1 << 20];
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    let mut block = || {
        encoder.write_all(&mebibyte).unwrap();
        encoder.flush().unwrap();
        std::mem::take(encoder.get_mut())
    };
    let (first, next) = (block(), block());
    let times = (MESSAGE - 4096) / next.len();
    assert!(times > 240, "this is no bomb: {} bytes for a mebibyte", next.len());
    [first, next.repeat(times)].concat()
}

/// A column with a run of one value.
fn run(times: u64, value: &[u8]) -> Vec<u8> {
    [sleb128(times), value.to_vec()].concat()
}

fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let doc = genesis();
    let with = |columns: Vec<(u64, Vec<u8>)>| {
        let mut parts = Parts::on(&doc, actor(5), 1);
        parts.columns = columns;
        parts.chunk()
    };
    let ops = |count: u64| {
        vec![
            (KEY, run(count, &[1, b'k'])),
            (INSERT, leb128(count)),
            (ACTION, run(count, &[1])),
            (VALUE_KIND, run(count, &[0])),
            (PREDECESSORS, run(count, &[0])),
        ]
    };
    let long_key = {
        let key = vec![b'k'; 200 * 1024];
        run(10_000, &[leb128(key.len() as u64), key].concat())
    };
    let document = |columns: Vec<(u64, Vec<u8>)>, of_ops: bool| {
        let mut directory = leb128(columns.len() as u64);
        let mut data = Vec::new();
        for (spec, column) in &columns {
            directory.extend(leb128(*spec));
            directory.extend(leb128(column.len() as u64));
            data.extend(column);
        }
        let (changes, ops) = if of_ops { (vec![0], directory) } else { (directory, vec![0]) };
        // No actors, one head that nobody has.
        let head = [&[1u8][..], &[7; 32]].concat();
        chunk(0, &[vec![0], head, changes, ops, data, vec![0]].concat())
    };
    let deflated_ops = {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&run(1 << 40, &[1])).unwrap();
        encoder.finish().unwrap()
    };
    vec![
        ("a deflated change of 250 MiB", chunk(2, &zeros())),
        ("four million operations", with(ops(4_000_000))),
        ("a million million operations", with(ops(1 << 40))),
        ("a key of 200 KiB, ten thousand times", with(vec![(KEY, long_key), (ACTION, run(10_000, &[1]))])),
        (
            "an operation with a million million predecessors",
            with(vec![
                (ACTION, run(1, &[1])),
                (PREDECESSORS, run(1, &leb128(1 << 40))),
                (PREDECESSOR_ACTOR, run(1 << 40, &[0])),
                (PREDECESSOR_COUNTER, run(1 << 40, &[0])),
            ]),
        ),
        ("a document with a column of 250 MiB", document(vec![(ACTION | DEFLATED, zeros())], true)),
        ("a document with changes of 250 MiB", document(vec![(0x01 | DEFLATED, zeros())], false)),
        ("a document with deflated runs", document(vec![(ACTION | DEFLATED, deflated_ops)], true)),
        ("a document of a million million changes", document(vec![(0x01, run(1 << 40, &[0]))], false)),
        ("a change with deflated columns", with(vec![(ACTION | DEFLATED, zeros())])),
        ("more columns than bytes", with_columns(1 << 40)),
    ]
}

/// A change whose directory promises columns.
fn with_columns(count: u64) -> Vec<u8> {
    let mut body = Parts::on(&genesis(), actor(5), 1).body();
    body.pop();
    body.extend(leb128(count));
    chunk(1, &body)
}

#[test]
fn the_server_refuses_bombs_cheaply_and_goes_on() {
    for (what, bomb) in bombs() {
        let doc = grown(20);
        let mut server = server(&doc);
        let (hostile, good) = (PeerKey(1), PeerKey(2));
        server.join(hostile, PeerId::from("hostile"), Right::Write);
        server.join(good, PeerId::from("good"), Right::Write);
        let message = bring(vec![bomb], doc.get_heads());
        assert!(message.len() <= MESSAGE, "{what}: {} bytes", message.len());
        let (result, bytes) = peak(|| server.receive(hostile, &message));
        assert!(matches!(result, Err(Refusal::TooMuch { .. } | Refusal::Malformed(_))), "{what}: {result:?}");
        assert!(bytes < PEAK, "{what}: {bytes} bytes");
        let mut theirs = doc.clone().with_actor(actor(9));
        let (hash, change) = edit(&mut theirs, 3);
        assert_eq!(take(&mut server, good, &bring(vec![change], vec![hash])), Ok(1), "{what}");
    }
}

#[test]
fn a_client_refuses_the_same_from_its_server() {
    for (what, bomb) in bombs() {
        let doc = grown(20);
        let mut client = Client::new(PeerId::from("app"), PeerMetadata::default(), Limits::default());
        client.open(ID, doc.clone(), &[]).unwrap();
        client.connected();
        let (sender, target) = (PeerId::from("server"), PeerId::from("app"));
        let peer = Frame::Peer {
            sender: sender.clone(),
            target: target.clone(),
            version: PROTOCOL_V1.to_owned(),
            metadata: PeerMetadata::default(),
        };
        client.receive(&encode(&peer)).unwrap();
        let data = bring(vec![bomb], doc.get_heads());
        let frame = encode(&Frame::Sync { sender, target, document: ID, data });
        let (events, bytes) = peak(|| client.receive(&frame).unwrap());
        assert!(matches!(events[..], [Event::Refused { .. }]), "{what}: {events:?}");
        assert!(bytes < PEAK, "{what}: {bytes} bytes");
        assert_eq!(client.status(ID).unwrap().heads, doc.get_heads());
    }
}

/// Counts in the message itself, which Automerge would believe.
#[test]
fn lists_and_filters_of_impossible_size_are_refused() {
    let doc = grown(20);
    let head: ChangeHash = doc.get_heads()[0];
    let filter = |entries: u64, bits: u64, probes: u64, len: usize| {
        [leb128(entries), leb128(bits), leb128(probes), vec![0; len]].concat()
    };
    let with_filter = |filter: Vec<u8>| {
        let mut message = vec![0x42, 1];
        message.extend(head.0);
        message.extend([0, 1, 0]); // no needs, one filter since no heads
        message.extend(leb128(filter.len() as u64));
        message.extend(filter);
        message.push(0);
        message
    };
    let sound = with_filter(filter(8, 10, 7, 10));
    let count = |at: u8| {
        let mut message = vec![0x42];
        message.extend(std::iter::repeat_n(0, at.into()));
        message.extend(leb128(1 << 60));
        message
    };
    let wrong = [
        ("probes by the thousand million", with_filter(filter(8, 10, u32::MAX.into(), 10))),
        ("no bits at all", with_filter(filter(8, 0, 7, 0))),
        ("more bits than there are", with_filter(filter(80_000, 10, 7, 10))),
        ("entries without end", with_filter(filter(1 << 62, 10, 7, 10))),
        ("heads without end", count(0)),
        ("needs without end", count(1)),
        ("filters without end", count(2)),
        ("changes without end", count(3)),
        ("another protocol", vec![0x41, 0, 0, 0, 0]),
        ("nothing", vec![]),
    ];
    for (what, message) in wrong {
        let mut server = server(&doc);
        let key = PeerKey(1);
        server.join(key, PeerId::from("hostile"), Right::Write);
        let (result, bytes) = peak(|| server.receive(key, &message));
        assert!(result.is_err(), "{what}");
        assert!(bytes < 1 << 20, "{what}: {bytes} bytes");
        assert!(server.receive(key, &sound).is_ok(), "{what}");
        assert!(server.poll(key).is_some());
    }
}

/// A few hundred bytes that stay just within the limits: whether they are taken or not, the whole
/// server may not feel it.
#[test]
fn what_stays_within_the_limits_has_a_bounded_price() {
    let doc = grown(20);
    let ops = Limits::default().ops as u64;
    for count in [ops / 8, ops - 1000] {
        let mut server = server(&doc);
        server.join(PeerKey(1), PeerId::from("hostile"), Right::Write);
        let mut parts = Parts::on(&doc, actor(5), 1);
        parts.columns = vec![
            (KEY, run(count, &[1, b'k'])),
            (INSERT, leb128(count)),
            (ACTION, run(count, &[1])),
            (VALUE_KIND, run(count, &[0])),
            (PREDECESSORS, run(count, &[0])),
        ];
        let message = bring(vec![parts.chunk()], doc.get_heads());
        assert!(message.len() < 300);
        let begun = std::time::Instant::now();
        let (result, bytes) = peak(|| take(&mut server, PeerKey(1), &message));
        let ms = begun.elapsed().as_millis();
        println!("{count} operations: {result:?}, {} MiB, {ms} ms", bytes >> 20);
        assert!(bytes < 80 << 20, "{count} operations: {} MiB", bytes >> 20);
        server.snapshot().unwrap();
    }
}

/// Connections cost what they say, and nothing once they are gone.
#[test]
fn a_thousand_peers_are_cheap_and_leave_nothing_behind() {
    let doc = grown(20);
    let mut server = server(&doc);
    let longest = Message {
        heads: (0..4096u32).map(|n| ChangeHash(Sha256::digest(n.to_be_bytes()).into())).collect(),
        ..Message::decode(&bring(vec![], vec![])).unwrap()
    };
    let longest = {
        let mut longest = longest;
        longest.heads.sort_unstable();
        longest.encode()
    };
    let ((), silent) = peak(|| {
        for key in 0..1000 {
            server.join(PeerKey(key), PeerId::from("silent"), Right::Write);
        }
    });
    assert!(silent < 1 << 20, "{silent} bytes for a thousand that never speak");
    let ((), talking) = peak(|| {
        for key in 0..100 {
            assert_eq!(take(&mut server, PeerKey(key), &longest), Ok(0));
            while server.poll(PeerKey(key)).is_some() {}
        }
    });
    assert!(talking < 64 << 20, "{talking} bytes for a hundred that say as much as they may");
    let (left, _) = peak(|| {
        let before = now();
        for key in 0..1000 {
            server.leave(PeerKey(key));
        }
        before - now()
    });
    assert!(left as usize > silent / 2, "{left} bytes given back");
    assert_eq!(server.peers().count(), 0);
}
