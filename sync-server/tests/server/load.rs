//! Everything hostile at once, against a process of its own, whose memory is watched.

use crate::crash::{ACCOUNT, HOME, Process};
use crate::household::{Device, LIMIT, id, open};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use futures_util::{SinkExt, StreamExt};
use hearthwatt_sync::wire::{DocumentId, Frame, PeerId, PeerMetadata, encode};
use std::io::Write;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

/// What the server may use, in MiB; it is a debug build and carries its test along.
const MEMORY_MIB: u64 = 200;
/// Fewer than an address may have, so that the others get in.
const SILENT: usize = 400;

fn leb128(mut n: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let byte = (n & 0x7f) as u8;
        n >>= 7;
        if n == 0 {
            bytes.push(byte);
            return bytes;
        }
        bytes.push(byte | 0x80);
    }
}

/// A sync message with one deflated change, which would be a quarter of a gibibyte.
fn bomb() -> Vec<u8> {
    let mebibyte = vec![0; 1 << 20];
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    for _ in 0..250 {
        encoder.write_all(&mebibyte).unwrap();
    }
    let zeros = encoder.finish().unwrap();
    assert!(zeros.len() < 300_000);
    let chunk = [&[0x85, 0x6f, 0x4a, 0x83, 1, 2, 3, 4, 2][..], &leb128(zeros.len()), &zeros].concat();
    [&[0x42, 0, 0, 0, 1][..], &leb128(chunk.len()), &chunk].concat()
}

fn frames(data: Vec<u8>) -> [Message; 2] {
    let sender = PeerId::from("hostile");
    let join =
        Frame::Join { sender: sender.clone(), versions: vec!["1".into()], metadata: PeerMetadata::default() };
    let target = PeerId::from("hearthwatt-server");
    let sync = Frame::Sync { sender, target, document: DocumentId::from(HOME), data };
    [join, sync].map(|f| Message::Binary(encode(&f).into()))
}

/// Sends a bomb again and again, whatever the server says.
async fn bomber(address: SocketAddr, bomb: Vec<u8>, until: Instant) {
    while Instant::now() < until {
        let Ok(mut socket) = open(address, &format!("{ACCOUNT}.{}", id())).await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        for message in frames(bomb.clone()) {
            let _ = socket.send(message).await;
        }
        while let Ok(Some(Ok(_))) = tokio::time::timeout(Duration::from_secs(2), socket.next()).await {}
    }
}

/// Begins a frame of four megabytes and never ends it. Opens the WebSocket by hand: a client library
/// sends whole frames.
async fn dawdler(address: SocketAddr) -> Option<TcpStream> {
    let mut socket = TcpStream::connect(address).await.ok()?;
    let request = format!(
        "GET /sync HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ACCOUNT}.{}\r\nconnection: upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        id()
    );
    socket.write_all(request.as_bytes()).await.ok()?;
    let mut frame = vec![0x82, 0xff];
    frame.extend((4_000_000_u64).to_be_bytes());
    frame.extend([0; 4]);
    frame.resize(3_900_000, 0);
    socket.write_all(&frame).await.ok()?;
    Some(socket)
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_load_costs_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(&folder.path().join("server.db"));
    let address = process.address;
    let mut victim = Device::new(ACCOUNT, HOME);
    victim.connect(address).await;
    victim.put("before", "1");
    victim.until_acknowledged().await;
    let idle = process.memory_mib();

    let mut silent = Vec::new();
    for _ in 0..SILENT {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    // as many as an account may have, and room for the bombers
    let mut dawdling = Vec::new();
    for _ in 0..11 {
        dawdling.extend(dawdler(address).await);
    }
    let bomb = bomb();
    let until = Instant::now() + Duration::from_secs(6);
    let bombers: Vec<_> = (0..4).map(|_| tokio::spawn(bomber(address, bomb.clone(), until))).collect();
    let (mut most, mut slowest) = (0, Duration::ZERO);
    let mut n = 0;
    while Instant::now() < until {
        n += 1;
        let begun = Instant::now();
        victim.put(&format!("{n}"), "x");
        victim.until_acknowledged().await;
        slowest = slowest.max(begun.elapsed());
        most = most.max(process.memory_mib());
    }
    for bomber in bombers {
        tokio::time::timeout(LIMIT, bomber).await.unwrap().unwrap();
    }
    println!(
        "memory: {idle} MiB idle, {most} MiB under load; {n} changes meanwhile, the slowest in {slowest:?}"
    );
    assert!(most < MEMORY_MIB, "{most} MiB");
    assert!(slowest < Duration::from_secs(10), "{slowest:?}");
    drop((silent, dawdling));
    process.kill();

    // nothing is poisoned after a restart
    let process = Process::start(&folder.path().join("server.db"));
    let mut reader = Device::new(ACCOUNT, HOME);
    reader.connect(process.address).await;
    let heads = victim.heads();
    reader.until("all of it", |r| r.heads() == heads).await;
    process.kill();
}
