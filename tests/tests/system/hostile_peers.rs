//! Peers that mean harm, against the real server: refused, while another home is served, in
//! bounded memory, and nothing of it is left after a restart.

use crate::sync::{SOON, new_home};
use anyhow::{Result, ensure};
use automerge::sync::Message as SyncMessage;
use automerge::{ActorId, Automerge, ReadDoc};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use hearthwatt_server_api::homes::MemberRole;
use hearthwatt_server_api::paths;
use hearthwatt_tests::account::{Device, Person};
use hearthwatt_tests::client::{OurPeer, get, put};
use hearthwatt_tests::process::peak_of;
use hearthwatt_tests::repo::{Copy, Entry, Peer, Said, open};
use hearthwatt_tests::server::Server;
use hearthwatt_tests::wait;
use reqwest::{Method, StatusCode};
use std::io::Write;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

const MEMORY_KB: u64 = 200 * 1024;

/// The household that must not notice anything.
struct Household {
    phone: OurPeer,
    laptop: OurPeer,
    home: Uuid,
    edits: i64,
}

impl Household {
    async fn start(person: &mut Person) -> Result<Household> {
        let phone = person.device("phone").await?;
        let home = phone.home("Elm Street").await?;
        let phone = OurPeer::connect(phone.entry());
        phone.open(home, new_home())?;
        wait::until("the home is there", SOON, async || phone.is_acknowledged(home).then_some(())).await;
        let laptop = OurPeer::connect(person.device("laptop").await?.entry());
        laptop.find(home, SOON).await?;
        Ok(Household { phone, laptop, home, edits: 0 })
    }

    /// An edit still reaches the other device in reasonable time.
    async fn lives(&mut self, during: &str) -> Result<()> {
        self.edits += 1;
        let begun = Instant::now();
        self.phone.put(self.home, &["budgets", "edit"], self.edits)?;
        let there = |d: &Automerge| get(d, &["budgets", "edit"]).and_then(|v| v.as_i64()) == Some(self.edits);
        while self.laptop.read(self.home, there) != Some(true) {
            ensure!(begun.elapsed() < Duration::from_secs(5), "{during}: {:?}", self.laptop.complaints());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        println!("{during}: an edit took {:?}", begun.elapsed());
        ensure!(self.phone.complaints().is_empty(), "{during}: {:?}", self.phone.complaints());
        Ok(())
    }
}

/// A small generator, so that the bytes are the same in every run (xorshift, Marsaglia 2003).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn bytes(&mut self, most: usize) -> Vec<u8> {
        let n = self.next() as usize % most;
        (0..n).map(|_| self.next() as u8).collect()
    }
}

fn leb128(mut n: usize, into: &mut Vec<u8>) {
    while n >= 0x80 {
        into.push(n as u8 | 0x80);
        n >>= 7;
    }
    into.push(n as u8);
}

/// A compressed change in Automerge's form: 256 KiB that inflate to 260 MiB of zeros.
fn bomb() -> Vec<u8> {
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![0; 1 << 20];
    while deflated.get_ref().len() < 250 * 1024 {
        deflated.write_all(&zeros).expect("memory takes what is written");
    }
    let deflated = deflated.finish().expect("memory takes what is written");
    // magic, checksum, kind "compressed change", length, content
    let mut chunk = vec![0x85, 0x6f, 0x4a, 0x83, 1, 2, 3, 4, 2];
    leb128(deflated.len(), &mut chunk);
    chunk.extend(deflated);
    chunk
}

/// A sync message that brings one change and says nothing else.
fn message_with(change: &[u8]) -> Vec<u8> {
    let mut message = vec![0x42, 0, 0, 0, 1];
    leb128(change.len(), &mut message);
    message.extend(change);
    message
}

/// Sends, and looks whether the server is still polite: it answers, refuses or closes, in time.
async fn attack(entry: &Entry, frame: impl FnOnce(&Peer) -> Vec<u8>) -> Result<()> {
    let mut peer = Peer::join(entry).await?;
    let frame = frame(&peer);
    if peer.send_raw(frame).await.is_ok() {
        let _ = peer.next_within(Duration::from_millis(200)).await;
    }
    peer.close().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_home_is_served_while_peers_mean_harm() -> Result<()> {
    let folder = tempfile::tempdir()?;
    // who asks too often is put off, and then nothing would be tried
    let patient = ["--requests-per-address", "10000", "--requests-per-client", "10000"];
    let mut server = Server::start(folder.path(), &patient);
    let mut ada = Person::first(&server, "Ada").await?;
    let mut household = Household::start(&mut ada).await?;
    let mut eve = Person::register(&server, "Eve").await?;
    let device = eve.device("Eve's").await?;
    let entry = device.entry();
    let own = device.home("Eve's").await?;
    let mut peer = Peer::join(&entry).await?;
    let mut copy = Copy::new(own, new_home().with_actor(ActorId::random()));
    copy.settle(&mut peer, SOON).await?;
    peer.close().await;

    // bytes that are no frames, and frames that were
    let mut noise = Noise(0x5eed);
    for _ in 0..60 {
        attack(&entry, |_| noise.bytes(300)).await?;
    }
    let honest = SyncMessage::decode(&message_with(&change_of(&copy.document))).map(SyncMessage::encode)?;
    for _ in 0..120 {
        attack(&entry, |peer| {
            let mut frame = peer.sync_frame(own, honest.clone(), false);
            let at = noise.next() as usize % frame.len();
            frame[at] ^= 1 << (noise.next() % 8);
            if noise.next().is_multiple_of(4) {
                frame.truncate(at);
            }
            frame
        })
        .await?;
    }
    household.lives("malformed frames").await?;

    // lengths that lie, maps in maps in maps, and more than anybody needs
    attack(&entry, |_| vec![0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).await?;
    attack(&entry, |_| [&[0xa1, 0x64, b'd', b'a', b't', b'a', 0x5b][..], &[0xff; 8]].concat()).await?;
    attack(&entry, |_| vec![0x81; 1 << 20]).await?;
    for _ in 0..8 {
        attack(&entry, |_| vec![0xff; 32 << 20]).await?;
    }
    let mut talker = Peer::join(&entry).await?;
    talker.send_message(Message::text("hello")).await?;
    household.lives("oversized frames").await?;

    // bombs, several at once
    let bomb = message_with(&bomb());
    println!("a bomb of {} KiB", bomb.len() >> 10);
    for _ in 0..4 {
        let attacks = (0..4).map(|_| attack(&entry, |peer| peer.sync_frame(own, bomb.clone(), false)));
        futures_util::future::try_join_all(attacks).await?;
        household.lives("bombs").await?;
    }

    // a thousand connections that never speak: some before the handshake, some after
    let address = entry.url.trim_start_matches("ws://").trim_end_matches("/sync").to_owned();
    let (mut silent, mut open_sockets, mut refused) = (Vec::new(), Vec::new(), 0);
    for n in 0..1000 {
        if n % 2 == 0 {
            let Ok(mut stream) = tokio::net::TcpStream::connect(&address).await else {
                refused += 1;
                continue;
            };
            // half a request line, and then nothing
            if n % 4 == 0 {
                let _ = stream.write_all(b"GET /sync HT").await;
            }
            silent.push(stream);
        } else {
            match tokio::time::timeout(Duration::from_secs(5), open(&entry)).await {
                Ok(Ok(socket)) => open_sockets.push(socket),
                _ => refused += 1,
            }
        }
    }
    println!("{} silent, {} open, {refused} refused", silent.len(), open_sockets.len());
    household.lives("a thousand silent connections").await?;
    let peak = peak_of(server.program.id());
    println!("peak memory {} MB", peak / 1024);
    ensure!(peak < MEMORY_KB, "memory is bounded: {peak} kB");
    ensure!(server.program.has_ended().is_none(), "{}", server.program.output());
    drop((silent, open_sockets));

    // nothing is poisoned after a restart
    let heads = household.phone.heads(household.home);
    let (port, mine) = (server.port(), copy.heads());
    server.program.kill();
    let store = format!("sqlite:{}", folder.path().join("server.sqlite").display());
    let server = Server::start_on(&store, folder.path(), port, &[]);
    household.edits += 100;
    let until = Instant::now() + SOON;
    while household.lives("after the restart").await.is_err() {
        ensure!(Instant::now() < until, "the household does not come back");
    }
    ensure!(household.phone.heads(household.home) != heads);
    let mut copy = Copy::new(own, Automerge::new());
    copy.settle(&mut Peer::join(&entry).await?, SOON).await?;
    // an envelope can be damaged and its content whole: then that is in it too
    let kept = mine.iter().all(|h| copy.document.get_change_by_hash(h).is_some());
    ensure!(kept && get(&copy.document, &["budgets", "edit"]).is_none_or(|v| v.as_i64() == Some(1)));
    drop(server);
    Ok(())
}

/// The newest change of a document as it travels.
fn change_of(document: &Automerge) -> Vec<u8> {
    let mut edited = document.fork();
    put(&mut edited, &["budgets", "edit"], 1).expect("a put");
    let heads = document.get_heads();
    edited.get_changes(&heads).last().expect("a change").raw_bytes().to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_actors_removed_devices_and_strangers_get_nowhere() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path(), &[]);
    let mut ada = Person::first(&server, "Ada").await?;
    let mut bob = Person::register(&server, "Bob").await?;
    let (owner, member) = (ada.device("owner").await?, bob.device("member").await?);
    let home = owner.home("Elm Street").await?;
    let actor = ActorId::random();
    let mut first = Copy::new(home, new_home().with_actor(actor.clone()));
    put(&mut first.document, &["budgets", "x"], 1)?;
    let mut peer = Peer::join(&owner.entry()).await?;
    first.settle(&mut peer, SOON).await?;
    owner.admit(home, &member, MemberRole::Member).await?;

    // a member who writes in the owner's name
    let mut stolen = Copy::new(home, Automerge::new());
    stolen.settle(&mut Peer::join(&member.entry()).await?, SOON).await?;
    stolen.document.set_actor(actor);
    put(&mut stolen.document, &["budgets", "x"], 666)?;
    stolen.reconnected();
    let mut forger = Peer::join(&member.entry()).await?;
    let taken = stolen.settle(&mut forger, Duration::from_secs(2)).await;
    ensure!(taken.is_err(), "a change in another device's name is refused");
    let kept = seen(&owner, home).await?;
    ensure!(get(&kept, &["budgets", "x"]).and_then(|v| v.as_i64()) == Some(1));

    // without a token, with a wrong one, with the token of a device that was removed
    let refused = |answer: Result<_, tokio_tungstenite::tungstenite::Error>| matches!(answer, Err(tokio_tungstenite::tungstenite::Error::Http(r)) if r.status() == StatusCode::UNAUTHORIZED);
    let url = member.entry().url;
    ensure!(refused(open(&Entry::new(&url)).await), "without a token");
    let wrong = Entry { token: Some(format!("{}x", member.token())), ..Entry::new(&url) };
    ensure!(refused(open(&wrong).await), "with a wrong token");
    let mut watching = Peer::join(&member.entry()).await?;
    let path = paths::me_device(member.id);
    ensure!(member.send(Method::DELETE, &path, &()).await?.status().is_success());
    ensure!(watching.is_closed_within(Duration::from_secs(5)).await, "its connection ends at once");
    ensure!(refused(open(&member.entry()).await), "and it can't come back");

    // a ticket is good once
    let ticket: serde_json::Value = owner.call(Method::POST, paths::SYNC_TICKET, &()).await?;
    let ticket = ticket["ticket"].as_str().unwrap_or_default();
    let with_ticket = Entry::new(format!("{url}?ticket={ticket}"));
    ensure!(open(&with_ticket).await.is_ok(), "a ticket opens");
    ensure!(refused(open(&with_ticket).await), "once");
    Ok(())
}

async fn seen(device: &Device, home: Uuid) -> Result<Automerge> {
    let mut copy = Copy::new(home, Automerge::new());
    let mut peer = Peer::join(&device.entry()).await?;
    copy.settle(&mut peer, SOON).await?;
    // whatever else the server has to say
    while let Ok(Some(Said::Sync { .. })) = peer.next_within(Duration::from_millis(100)).await {}
    Ok(copy.document)
}
