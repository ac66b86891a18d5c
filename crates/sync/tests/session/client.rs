//! What an app learns from its side of the connection.

use automerge::Automerge;
use hearthwatt_sync::session::{Client, Document, Event, Limits, PeerKey, Refusal, Right};
use hearthwatt_sync::wire::{self, DocumentId, Frame, PROTOCOL_V1, PeerId, PeerMetadata, decode, encode};

use crate::support::{ID, actor, bring, edit, grown, server};

const KEY: PeerKey = PeerKey(1);

fn client(doc: &Automerge) -> Client {
    let mut client = Client::new(PeerId::from("app"), PeerMetadata::default(), Limits::default());
    client.open(ID, doc.clone(), &[]).unwrap();
    client
}

fn frames(client: &mut Client) -> Vec<Frame> {
    let frame = |bytes: Vec<u8>| decode(&bytes, &wire::Limits::default()).unwrap();
    std::iter::from_fn(|| client.poll()).map(frame).collect()
}

fn peer(version: &str) -> Vec<u8> {
    encode(&Frame::Peer {
        sender: PeerId::from("server"),
        target: PeerId::from("app"),
        version: version.to_owned(),
        metadata: PeerMetadata::default(),
    })
}

fn unavailable(document: DocumentId) -> Vec<u8> {
    let (sender, target) = (PeerId::from("server"), PeerId::from("app"));
    encode(&Frame::DocUnavailable { sender, target, document })
}

fn sync(data: Vec<u8>) -> Vec<u8> {
    let (sender, target) = (PeerId::from("server"), PeerId::from("app"));
    encode(&Frame::Sync { sender, target, document: ID, data })
}

fn join(client: &mut Client) {
    client.connected();
    assert!(matches!(frames(client)[..], [Frame::Join { .. }]));
    assert!(matches!(client.receive(&peer(PROTOCOL_V1)).unwrap()[..], [Event::Joined { .. }]));
}

/// Lets client and server talk until both are silent; returns what the client was told.
fn talk(client: &mut Client, server: &mut Document) -> Vec<Event> {
    server.leave(KEY);
    server.join(KEY, PeerId::from("app"), Right::Write);
    join(client);
    let mut events = Vec::new();
    loop {
        let sent = frames(client);
        if sent.is_empty() {
            return events;
        }
        for frame in sent {
            let (Frame::Sync { data, .. } | Frame::Request { data, .. }) = frame else {
                panic!("{frame:?}");
            };
            if let Some(prepared) = server.receive(KEY, &data).unwrap().prepared {
                server.commit(prepared).unwrap();
            }
            while let Some(frame) = server.poll(KEY) {
                events.extend(client.receive(&encode(&frame)).unwrap());
            }
        }
    }
}

#[test]
fn it_counts_what_the_server_has_not_acknowledged() {
    let mut doc = grown(20).with_actor(actor(2));
    let mut client = client(&doc);
    assert_eq!(client.status(ID).unwrap().waiting, 20, "nothing is known of the server");
    let mut server = server(&doc);
    assert_eq!(talk(&mut client, &mut server), [Event::Acknowledged { document: ID }]);
    for what in 0..3 {
        let (_, change) = edit(&mut doc, what);
        client.edited(ID, [change.as_slice()]).unwrap();
    }
    let status = client.status(ID).unwrap();
    assert_eq!((status.waiting, status.compared), (3, true));
    client.disconnected();
    let status = client.status(ID).unwrap();
    assert_eq!((status.waiting, status.compared), (3, false), "offline, the count stays");
    let mut restarted = self::client(&doc);
    restarted.open(ID, doc.clone(), &status.acknowledged).unwrap();
    assert_eq!(restarted.status(ID).unwrap().waiting, 3, "and over a restart");
    assert_eq!(talk(&mut restarted, &mut server), [Event::Acknowledged { document: ID }]);
    assert_eq!(restarted.status(ID).unwrap().waiting, 0);
    assert_eq!(server.heads(), doc.get_heads());
}

#[test]
fn a_server_that_lost_changes_gets_them_again() {
    let old = grown(20);
    let mut doc = old.clone().with_actor(actor(2));
    for what in 0..3 {
        edit(&mut doc, what);
    }
    let mut client = client(&doc);
    talk(&mut client, &mut server(&doc));
    assert_eq!(client.status(ID).unwrap().waiting, 0);
    let mut restored = server(&old);
    assert_eq!(talk(&mut client, &mut restored), [Event::Acknowledged { document: ID }]);
    assert_eq!(restored.heads(), doc.get_heads());
}

#[test]
fn a_document_that_is_not_here_is_asked_for_and_told_with_its_changes() {
    let doc = grown(20);
    let mut client = client(&Automerge::new());
    join(&mut client);
    assert!(matches!(frames(&mut client)[..], [Frame::Request { .. }]));
    assert_eq!(client.receive(&unavailable(ID)).unwrap(), [Event::Unavailable { document: ID }]);
    assert_eq!(client.receive(&unavailable(ID)).unwrap(), []);
    assert!(client.status(ID).unwrap().unavailable);
    assert_eq!(frames(&mut client), []);
    let events = talk(&mut client, &mut server(&doc));
    let [Event::Changes { changes, .. }, Event::Acknowledged { .. }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(changes.len(), 20);
    let status = client.status(ID).unwrap();
    assert_eq!((status.heads, status.unavailable), (doc.get_heads(), false));
}

#[test]
fn what_was_not_asked_for_is_ignored_and_what_is_wrong_is_told() {
    let doc = grown(20);
    let mut client = client(&doc);
    let message = sync(bring(vec![], doc.get_heads()));
    assert_eq!(client.receive(&message).unwrap(), [], "before the handshake");
    client.connected();
    assert!(client.receive(&peer("2")).is_err());
    join(&mut client);
    assert_eq!(client.receive(&unavailable(DocumentId::from_bytes([1; 16]))).unwrap(), []);
    assert!(matches!(client.receive(b"garbage"), Err(Refusal::Frame(_))));
    let bad = sync(vec![0x42, 0xff]);
    for _ in 0..Limits::default().refusals {
        assert!(matches!(client.receive(&bad).unwrap()[..], [Event::Refused { .. }]));
    }
    assert_eq!(client.receive(&bad).unwrap(), [], "it doesn't listen any more");
    assert!(client.status(ID).unwrap().refused.is_some());
    frames(&mut client);
    // A new connection is a new start.
    assert_eq!(talk(&mut client, &mut server(&doc)), [Event::Acknowledged { document: ID }]);
    assert!(client.status(ID).unwrap().refused.is_none());
}
