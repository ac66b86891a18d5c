//! Peers that send what no honest one does. They are refused with a reason; the document saves
//! and loads as before, and everybody else goes on.

use automerge::sync::{Have, Message};
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, Automerge, Change, ChangeHash, ROOT};
use hearthwatt_sync::session::{Document, Limits, PeerKey, Refusal, Right};
use hearthwatt_sync::wire::PeerId;
use proptest::prelude::*;

use crate::support::{
    Dice, ID, Parts, actor, body, bring, chunk, edit, genesis, grown, hash, server, server_with, take,
};

const HOSTILE: PeerKey = PeerKey(1);
const GOOD: PeerKey = PeerKey(2);

fn joined(doc: &Automerge) -> Document {
    let mut server = server(doc);
    server.join(HOSTILE, PeerId::from("hostile"), Right::Write);
    server.join(GOOD, PeerId::from("good"), Right::Write);
    server
}

/// A good client edits, and a new one loads it all. What it writes lies apart: a member who may
/// write may also make nonsense of what others wrote, as long as it is sound nonsense.
fn goes_on(server: &mut Document) {
    let whole = server.snapshot().expect("the document saves and loads");
    let mut doc = Automerge::load(&whole).unwrap().with_actor(actor(77));
    let mut tx = doc.transaction();
    tx.put(ROOT, "apart", "from the rest").unwrap();
    tx.commit_with(CommitOptions::default().with_time(0));
    let change = doc.get_last_local_change().unwrap();
    let message = bring(vec![change.raw_bytes().to_vec()], vec![change.hash()]);
    assert_eq!(take(server, GOOD, &message), Ok(1));
    assert_eq!(server.heads(), vec![change.hash()]);
    let whole = server.snapshot().expect("the document saves and loads");
    assert_eq!(Automerge::load(&whole).unwrap().hydrate(None), doc.hydrate(None));
}

/// Changes some bytes in a chunk and makes its checksum right again.
fn mutate(whole: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut inner = body(whole).to_vec();
    for _ in 0..1 + dice.roll(3) {
        let at = dice.roll(inner.len());
        match dice.roll(6) {
            0 => inner[at] = dice.roll(256) as u8,
            1 => inner[at] ^= 1 << dice.roll(8),
            2 => inner[at] = inner[at].wrapping_add(1),
            3 => inner[at] = inner[at].wrapping_sub(1),
            4 => inner.insert(at, dice.roll(256) as u8),
            _ => {
                inner.remove(at);
            }
        }
    }
    chunk(whole[8], &inner)
}

/// How often, times what `HEARTHWATT_MUTATIONS` says: a long run wants more than a test's time.
fn often(times: usize) -> usize {
    let factor = std::env::var("HEARTHWATT_MUTATIONS").ok();
    times * factor.and_then(|factor| factor.parse().ok()).unwrap_or(1)
}

/// Panics inside Automerge are expected and caught; their messages are only noise.
fn quietly(work: impl FnOnce()) {
    use std::sync::Once;
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let ours = info.location().is_some_and(|at| !at.file().contains("automerge-0"));
            if ours && !info.location().is_some_and(|at| at.file().contains("hexane")) {
                usual(info);
            }
        }));
    });
    work();
}

/// What the server checks with each message is what `snapshot` checks once more.
#[test]
fn mutated_changes_with_valid_checksums_never_damage_the_document() {
    quietly(|| {
        let mut dice = Dice(1);
        let base = grown(200);
        let saved = base.save();
        let (mut refused, mut taken) = (0, 0);
        for round in 0..often(400) {
            let mut doc = Automerge::load(&saved).unwrap().with_actor(actor(2));
            let edits = 1 + dice.roll(3);
            let mut chunks: Vec<Vec<u8>> =
                (0..edits).map(|_| edit(&mut doc, dice.roll(1000) as u64).1).collect();
            let which = dice.roll(edits);
            chunks[which] = mutate(&chunks[which], &mut dice);
            let mut server = joined(&base);
            match take(&mut server, HOSTILE, &bring(chunks, doc.get_heads())) {
                Ok(0) | Err(_) => refused += 1,
                Ok(_) => taken += 1,
            }
            if let Err(refusal) = server.snapshot() {
                panic!("round {round}: {refusal}");
            }
            if round % 8 == 0 {
                goes_on(&mut server);
            }
        }
        // Some mutations are just other values; most are not.
        assert!(refused > 10 && taken > 10, "{refused} refused, {taken} taken");
    });
}

/// The same, and each time a good client goes on.
#[test]
fn mutated_changes_never_damage_a_small_document() {
    quietly(|| {
        let mut dice = Dice(2);
        let base = grown(12);
        for _ in 0..often(300) {
            let mut doc = base.clone().with_actor(actor(2));
            let (_, change) = edit(&mut doc, dice.roll(1000) as u64);
            let mut server = joined(&base);
            let _ = take(&mut server, HOSTILE, &bring(vec![mutate(&change, &mut dice)], vec![]));
            goes_on(&mut server);
        }
    });
}

#[test]
fn mutated_documents_with_valid_checksums_are_refused() {
    quietly(|| {
        let mut dice = Dice(3);
        let base = grown(12);
        let mut doc = base.clone().with_actor(actor(2));
        for what in 0..5 {
            edit(&mut doc, what);
        }
        for whole in [doc.save(), doc.save_nocompress()] {
            for _ in 0..often(150) {
                let mut server = joined(&base);
                let message = bring(vec![mutate(&whole, &mut dice)], doc.get_heads());
                let _ = take(&mut server, HOSTILE, &message);
                goes_on(&mut server);
            }
        }
    });
}

#[test]
fn numbers_that_are_taken_or_skipped_are_refused() {
    let base = grown(20);
    let mut doc = base.clone().with_actor(actor(2));
    let (first, change) = edit(&mut doc, 3);
    let next = |seq: u64, start: i64| {
        let mut parts = Parts::on(&doc, actor(2), seq);
        parts.start_op = parts.start_op.saturating_add_signed(start);
        let chunk = parts.chunk();
        (hash(&chunk), chunk)
    };
    let check = |what: &str, (hash, chunk): (ChangeHash, Vec<u8>), expected: Result<usize, &str>| {
        let mut server = joined(&base);
        let honest = bring(vec![change.clone()], vec![first]);
        assert_eq!(take(&mut server, GOOD, &honest), Ok(1));
        let result = take(&mut server, HOSTILE, &bring(vec![chunk], vec![hash]));
        match (result, expected) {
            (Ok(new), Ok(expected)) => assert_eq!(new, expected, "{what}"),
            (Err(Refusal::Change { why, .. }), Err(expected)) => assert_eq!(why, expected),
            (result, _) => panic!("{what}: {result:?}"),
        }
        goes_on(&mut server);
    };
    check("an empty change is fine", next(2, 0), Ok(1));
    let taken = "its actor has another change of this number";
    check("an actor's number twice", next(1, 0), Err(taken));
    check("an actor's number skipped", next(3, 0), Err("it skips changes of its actor"));
    check("operations named twice", next(2, -1), Err("it reuses numbers of operations"));
    // These would be honest, had their author operations that come later; they wait with the peer.
    check("a gap in the operations", next(2, 1), Ok(0));
    check("almost all numbers used up", next(2, (u32::MAX - 1000).into()), Ok(0));
    let beyond = "its operations are numbered beyond 32 bits";
    check("numbers beyond 32 bits", next(2, i64::MAX), Err(beyond));
}

#[test]
fn a_viewer_reads_and_does_not_write() {
    let base = grown(20);
    let mut server = joined(&base);
    let viewer = PeerKey(3);
    server.join(viewer, PeerId::from("viewer"), Right::Read);
    let mut doc = base.clone().with_actor(actor(2));
    let (first, change) = edit(&mut doc, 3);
    for _ in 0..10 {
        let message = bring(vec![change.clone()], vec![first]);
        assert_eq!(take(&mut server, viewer, &message), Err(Refusal::ReadOnly));
        let whole = bring(vec![doc.save()], vec![first]);
        assert_eq!(take(&mut server, viewer, &whole), Err(Refusal::ReadOnly));
    }
    assert_eq!(server.heads(), base.get_heads());
    // However often it tries, it goes on reading what others write.
    while server.poll(viewer).is_some() {}
    let mut theirs = base.clone().with_actor(actor(4));
    let (hash, change) = edit(&mut theirs, 4);
    assert_eq!(take(&mut server, GOOD, &bring(vec![change], vec![hash])), Ok(1));
    assert!(server.poll(viewer).is_some());
    // And once it may write, the same message is taken.
    server.set_right(viewer, Right::Write);
    let mut doc = base.clone().with_actor(actor(2));
    let (first, change) = edit(&mut doc, 3);
    assert_eq!(take(&mut server, viewer, &bring(vec![change], vec![first])), Ok(1));
}

#[test]
fn the_caller_sees_whose_changes_they_are_and_can_refuse_them() {
    let base = grown(20);
    let mut server = joined(&base);
    let mut doc = base.clone().with_actor(actor(2));
    let changes = (1..4).map(|what| edit(&mut doc, what).1).collect::<Vec<_>>();
    let mut doc = doc.with_actor(actor(3));
    let other = edit(&mut doc, 5).1;
    let message = bring([changes, vec![other]].concat(), doc.get_heads());
    let prepared = server.receive(HOSTILE, &message).unwrap().prepared.unwrap();
    let authors: Vec<(ActorId, u64, u64)> =
        prepared.authors().iter().map(|a| (a.actor.clone(), a.first, a.last)).collect();
    assert_eq!(authors, [(actor(2), 1, 3), (actor(3), 1, 1)]);
    server.refuse(prepared, &Refusal::ForeignActor);
    assert_eq!(server.heads(), base.get_heads());
    goes_on(&mut server);
    // Who tries it again and again isn't listened to any more; the others are.
    for _ in 0..2 {
        let prepared = server.receive(HOSTILE, &message).unwrap().prepared.unwrap();
        server.refuse(prepared, &Refusal::ForeignActor);
    }
    assert_eq!(take(&mut server, HOSTILE, &message), Err(Refusal::Barred));
    assert_eq!(server.poll(HOSTILE), None);
}

#[test]
fn nothing_is_told_before_it_is_committed() {
    let base = grown(20);
    let mut server = joined(&base);
    for key in [HOSTILE, GOOD] {
        assert_eq!(take(&mut server, key, &bring(vec![], base.get_heads())), Ok(0));
        while server.poll(key).is_some() {}
    }
    let mut doc = base.clone().with_actor(actor(2));
    let (hash, change) = edit(&mut doc, 3);
    let message = bring(vec![change], vec![hash]);
    let prepared = server.receive(GOOD, &message).unwrap().prepared.unwrap();
    let told = |server: &mut Document, key| {
        let mut heads = Vec::new();
        while let Some(frame) = server.poll(key) {
            let hearthwatt_sync::wire::Frame::Sync { data, .. } = frame else {
                panic!("{frame:?}");
            };
            heads.extend(automerge::sync::Message::decode(&data).unwrap().heads);
        }
        heads
    };
    for key in [HOSTILE, GOOD] {
        assert!(!told(&mut server, key).contains(&hash), "not durable, and told");
    }
    assert_eq!(server.heads(), base.get_heads());
    server.commit(prepared).unwrap();
    for key in [HOSTILE, GOOD] {
        assert!(told(&mut server, key).contains(&hash));
    }
}

#[test]
fn several_may_wait_for_the_store_and_one_that_is_given_up_takes_only_its_own_along() {
    let base = grown(20);
    let mut server = server_with(&base, Limits { outstanding: 3, ..Limits::default() });
    for key in 1..=4 {
        server.join(PeerKey(key), PeerId::from(format!("peer-{key}")), Right::Write);
    }
    let messages: Vec<Vec<u8>> = (1..=4)
        .map(|peer| {
            let mut doc = base.clone().with_actor(actor(100 + peer));
            let (hash, change) = edit(&mut doc, peer);
            bring(vec![change], vec![hash])
        })
        .collect();
    let mut prepared = Vec::new();
    for (key, message) in (1..=3).zip(&messages) {
        prepared.push(server.receive(PeerKey(key), message).unwrap().prepared.unwrap());
    }
    let busy = server.receive(PeerKey(4), &messages[3]);
    assert!(matches!(busy, Err(Refusal::Busy)), "{busy:?}");
    let second = prepared.remove(1);
    server.refuse(second, &Refusal::ForeignActor);
    for prepared in prepared {
        server.commit(prepared).unwrap();
    }
    assert_eq!(server.len(), 22);
    assert_eq!(take(&mut server, PeerKey(4), &messages[3]), Ok(1));
    // One that is dropped, not committed, is forgotten.
    drop(server.receive(PeerKey(2), &messages[1]).unwrap());
    assert_eq!(server.len(), 23);
    assert_eq!(take(&mut server, PeerKey(2), &messages[1]), Ok(1));
    server.snapshot().unwrap();
}

#[test]
fn changes_that_come_before_those_they_depend_on_wait_and_are_bounded() {
    let base = grown(20);
    let limits = Limits { ahead: 2, ..Limits::default() };
    let mut doc = base.clone().with_actor(actor(2));
    let changes: Vec<Vec<u8>> = (1..5).map(|what| edit(&mut doc, what).1).collect();
    let heads = doc.get_heads();
    let mut server = server_with(&base, limits);
    server.join(GOOD, PeerId::from("good"), Right::Write);
    let early = bring(changes[2..].to_vec(), heads.clone());
    assert_eq!(take(&mut server, GOOD, &early), Ok(0));
    // It asks for what is missing right below, which is not what the peer calls its heads.
    let frame = server.poll(GOOD).unwrap();
    let hearthwatt_sync::wire::Frame::Sync { data, .. } = frame else {
        panic!("{frame:?}");
    };
    let need = automerge::sync::Message::decode(&data).unwrap().need;
    assert_eq!(need, [hash(&changes[1])]);
    assert_eq!(take(&mut server, GOOD, &bring(changes[..2].to_vec(), heads.clone())), Ok(4));
    assert_eq!(server.heads(), heads);

    let mut server = server_with(&base, limits);
    server.join(GOOD, PeerId::from("good"), Right::Write);
    let flood = take(&mut server, GOOD, &bring(changes[1..].to_vec(), heads));
    assert!(matches!(flood, Err(Refusal::TooMuch { .. })), "{flood:?}");
}

/// Automerge answers such a message as often as it is asked.
#[test]
fn a_peer_that_counts_on_changes_nobody_has_is_answered_once() {
    let mut server = joined(&grown(20));
    let mut message = Message::decode(&bring(vec![], vec![])).unwrap();
    message.have = vec![Have { last_sync: vec![ChangeHash([7; 32])], ..Have::default() }];
    for _ in 0..3 {
        assert_eq!(take(&mut server, HOSTILE, &message.clone().encode()), Ok(0));
        assert!(server.poll(HOSTILE).is_some());
        assert!(server.poll(HOSTILE).is_none());
    }
    goes_on(&mut server);
}

#[test]
fn a_document_has_a_size() {
    let base = grown(20);
    let limits = Limits { document_changes: 22, ..Limits::default() };
    let mut server = server_with(&base, limits);
    server.join(GOOD, PeerId::from("good"), Right::Write);
    let mut doc = base.clone().with_actor(actor(2));
    for what in 0..2 {
        let (hash, change) = edit(&mut doc, what);
        assert_eq!(take(&mut server, GOOD, &bring(vec![change], vec![hash])), Ok(1));
    }
    let (hash, change) = edit(&mut doc, 9);
    let full = take(&mut server, GOOD, &bring(vec![change], vec![hash]));
    assert!(matches!(full, Err(Refusal::TooMuch { .. })), "{full:?}");
    let long = vec![0x42; Limits::default().message_bytes + 1];
    assert!(matches!(take(&mut server, GOOD, &long), Err(Refusal::TooMuch { .. })));
}

#[test]
fn a_store_with_damage_is_reported_not_loaded() {
    let base = grown(20);
    let mut saved = base.save();
    let middle = saved.len() / 2;
    saved[middle] ^= 1;
    let me = PeerId::from("server");
    let load = |snapshot: Option<&[u8]>, changes: &[Vec<u8>]| {
        let changes = changes.iter().map(Vec::as_slice);
        Document::load(ID, me.clone(), Limits::default(), snapshot, changes).map(|d| d.len())
    };
    assert!(load(Some(&saved), &[]).is_err());
    let mut changes: Vec<Vec<u8>> =
        base.get_changes(&[]).iter().map(|c: &Change| c.raw_bytes().to_vec()).collect();
    changes.reverse();
    assert_eq!(load(None, &changes), Ok(20), "in any order");
    assert_eq!(load(Some(&base.save()), &changes), Ok(20), "and twice");
    let last = changes[3].len() - 1;
    changes[3][last] ^= 1;
    assert!(load(None, &changes).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_a_message_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut server = joined(&genesis());
        let _ = take(&mut server, HOSTILE, &bytes);
        let _ = take(&mut server, HOSTILE, &[&[0x42][..], &bytes].concat());
        let _ = take(&mut server, HOSTILE, &bring(vec![chunk(1, &bytes)], vec![]));
        server.leave(HOSTILE);
        server.join(HOSTILE, PeerId::from("hostile"), Right::Write);
        let _ = take(&mut server, HOSTILE, &bring(vec![chunk(0, &bytes), bytes], vec![]));
        prop_assert!(server.snapshot().is_ok());
    }

    #[test]
    fn a_message_with_any_bytes_changed_is_taken_or_refused(
        seed in any::<u64>(),
        times in 1..6usize,
    ) {
        quietly(|| {
            let base = grown(8);
            let mut dice = Dice(seed);
            let mut doc = base.clone().with_actor(actor(2));
            let (hash, change) = edit(&mut doc, 3);
            let mut message = bring(vec![change], vec![hash]);
            for _ in 0..times {
                let at = dice.roll(message.len());
                message[at] = dice.roll(256) as u8;
            }
            let mut server = joined(&base);
            let _ = take(&mut server, HOSTILE, &message);
            goes_on(&mut server);
        });
    }
}
