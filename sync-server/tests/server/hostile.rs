//! Peers that mean harm, or speak nonsense: refused with a reason, and nobody else notices.

use crate::household::{Device, Household, LIMIT, Server, id, open};
use futures_util::{SinkExt, StreamExt};
use hearthwatt_server::http::auth::Access;
use hearthwatt_server::store::memory::Memory;
use hearthwatt_sync::wire::{DocumentId, Frame, PeerId, PeerMetadata, encode};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

struct Scene {
    account: Uuid,
    /// The hostile account's own home.
    hostile: Uuid,
    home: Uuid,
    server: Server,
    /// A device of a home that must not notice.
    victim: Device,
}

async fn scene() -> Scene {
    let (account, other, home, hostile) = (id(), id(), id(), id());
    let household = Arc::new(Household::default());
    household.allow(account, hostile, hostile, Access::Write);
    household.allow(other, home, home, Access::Write);
    let server = Server::start(Arc::new(Memory::default()), household).await;
    let mut victim = Device::new(other, home);
    victim.connect(server.address).await;
    victim.put("safe", "1");
    victim.until_acknowledged().await;
    Scene { account, hostile, home, server, victim }
}

impl Scene {
    fn token(&self) -> String {
        format!("{}.{}", self.account, id())
    }

    async fn unharmed(&mut self) {
        let key = id().to_string();
        self.victim.put(&key, "x");
        self.victim.until_acknowledged().await;
    }
}

fn join() -> Vec<u8> {
    let sender = PeerId::from("hostile");
    encode(&Frame::Join { sender, versions: vec!["1".into()], metadata: PeerMetadata::default() })
}

fn sync(document: Uuid, data: Vec<u8>) -> Vec<u8> {
    let (sender, target) = (PeerId::from("hostile"), PeerId::from("hearthwatt-server"));
    encode(&Frame::Sync { sender, target, document: DocumentId::from(document), data })
}

/// Sends these messages; the code of the server's close frame.
async fn closes(address: SocketAddr, token: &str, messages: Vec<Message>) -> Option<u16> {
    let mut socket = open(address, token).await.unwrap();
    for message in messages {
        if socket.send(message).await.is_err() {
            break;
        }
    }
    let end = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(frame))) => return frame.map(|f| u16::from(f.code)),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    };
    tokio::time::timeout(LIMIT, end).await.expect("the server closes")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_is_refused_with_a_code() {
    let mut scene = scene().await;
    let address = scene.server.address;
    let binary = |bytes: Vec<u8>| Message::Binary(bytes.into());
    let cases: Vec<(&str, u16, Vec<Message>)> = vec![
        ("text", 1002, vec![Message::Text("{}".into())]),
        ("no CBOR", 1002, vec![binary(vec![0xff; 100])]),
        ("empty", 1002, vec![binary(vec![])]),
        ("not a join", 1002, vec![binary(sync(scene.hostile, vec![]))]),
        ("two joins", 1002, vec![binary(join()), binary(join())]),
        ("deep nesting", 1002, vec![binary(join()), binary(vec![0x81; 100_000])]),
        (
            "a huge length",
            1002,
            vec![binary(join()), binary(vec![0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])],
        ),
        ("malformed sync", 1008, vec![binary(join()), binary(sync(scene.hostile, vec![0x42; 50]))]),
    ];
    for (what, code, messages) in cases {
        assert_eq!(closes(address, &scene.token(), messages).await, Some(code), "{what}");
        scene.unharmed().await;
    }
    // over the limit of a frame: the connection ends, with whatever code the peer gets to see
    let large = vec![binary(join()), binary(vec![0; 6 * 1024 * 1024])];
    let _ = closes(address, &scene.token(), large).await;
    scene.unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_elses_home_is_not_there_whatever_is_sent_to_it() {
    let mut scene = scene().await;
    let mut socket = open(scene.server.address, &scene.token()).await.unwrap();
    socket.send(Message::Binary(join().into())).await.unwrap();
    let mut refused = 0;
    let code = loop {
        assert!(refused < 200, "guessing goes on for ever");
        let frame = sync(scene.home, vec![0x42; 10]);
        socket.send(Message::Binary(frame.into())).await.unwrap();
        match tokio::time::timeout(LIMIT, socket.next()).await.unwrap() {
            Some(Ok(Message::Binary(_))) => refused += 1,
            Some(Ok(Message::Close(frame))) => break u16::from(frame.unwrap().code),
            other => panic!("{other:?}"),
        }
    };
    // one `peer`, the rest `doc-unavailable`, until it has guessed too often
    assert_eq!((refused, code), (101, 1008));
    scene.unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_has_a_handful_of_connections() {
    let mut scene = scene().await;
    let token = scene.token();
    let mut sockets = Vec::new();
    let mut refused = None;
    for _ in 0..20 {
        match open(scene.server.address, &token).await {
            Ok(socket) => sockets.push(socket),
            Err(status) => {
                refused = Some(status);
                break;
            }
        }
    }
    assert_eq!((sockets.len(), refused), (8, Some(429)));
    drop(sockets);
    // and gets them back
    let begun = Instant::now();
    while open(scene.server.address, &token).await.is_err() {
        assert!(begun.elapsed() < LIMIT);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    scene.unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_never_reads_stops_only_itself() {
    let mut scene = scene().await;
    // a device of the same home that joins and then reads nothing
    let token = format!("{}.{}", scene.victim.account, id());
    let mut silent = open(scene.server.address, &token).await.unwrap();
    silent.send(Message::Binary(join().into())).await.unwrap();
    silent.send(Message::Binary(sync(scene.home, automerge_hello()).into())).await.unwrap();
    // another one of that home says more than the silent one's buffers take
    let token = format!("{}.{}", scene.victim.account, id());
    let mut loud = open(scene.server.address, &token).await.unwrap();
    loud.send(Message::Binary(join().into())).await.unwrap();
    loud.send(Message::Binary(sync(scene.home, automerge_hello()).into())).await.unwrap();
    for count in 0..200 {
        let (sender, target) = (PeerId::from("loud"), PeerId::from("hearthwatt-server"));
        let (document, session) = (DocumentId::from(scene.home), "s".to_owned());
        let data = vec![7; 200_000];
        let frame = encode(&Frame::Ephemeral { sender, target, document, session, count, data });
        loud.send(Message::Binary(frame.into())).await.unwrap();
    }
    for _ in 0..20 {
        scene.unharmed().await;
    }
}

/// What a peer with an empty copy says first.
fn automerge_hello() -> Vec<u8> {
    use automerge::sync::SyncDoc;
    let mut state = automerge::sync::State::new();
    automerge::Automerge::new().generate_sync_message(&mut state).unwrap().encode()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_connections_that_never_speak_disturb_nobody() {
    let mut scene = scene().await;
    let address = scene.server.address;
    let mut silent = Vec::new();
    for _ in 0..1000 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    scene.unharmed().await;
    // those over the address's limit are closed at once, the rest when their headers don't come
    let begun = Instant::now();
    let mut closed = 0;
    for socket in &mut silent {
        let mut byte = [0; 1];
        let end = tokio::time::timeout(LIMIT, socket.read(&mut byte)).await.expect("closed by the server");
        assert!(matches!(end, Ok(0) | Err(_)) || byte[0] == b'H', "{end:?}");
        closed += 1;
    }
    assert!(closed == 1000 && begun.elapsed() < Duration::from_secs(15), "{closed} in {:?}", begun.elapsed());
    scene.unharmed().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_websocket_that_never_joins_is_closed() {
    let scene = scene().await;
    let begun = Instant::now();
    assert_eq!(closes(scene.server.address, &scene.token(), vec![]).await, Some(1002));
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_without_end_are_refused() {
    let mut scene = scene().await;
    let mut socket = TcpStream::connect(scene.server.address).await.unwrap();
    socket.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    for n in 0..2000 {
        if socket.write_all(format!("x-{n}: {}\r\n", "y".repeat(100)).as_bytes()).await.is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(LIMIT, socket.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer));
    scene.unharmed().await;
}
