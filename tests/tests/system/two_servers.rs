//! Several server processes on one store, and what kill -9 leaves: nothing that was acknowledged is
//! lost, and a change through one process reaches the clients of the other at once.

use crate::sync::{SOON, new_home};
use anyhow::{Context, Result, ensure};
use automerge::{ActorId, Automerge, ChangeHash, ReadDoc};
use hearthwatt_tests::account::{Device, Person};
use hearthwatt_tests::client::{OurPeer, get, put};
use hearthwatt_tests::foreign::Mongo;
use hearthwatt_tests::repo::{Copy, Peer, Said};
use hearthwatt_tests::server::Server;
use hearthwatt_tests::wait;
use std::path::Path;
use std::time::{Duration, Instant};
use uuid::Uuid;

const MEASURED: usize = 150;

/// A change every 40 ms through one process, and when it is at a client of the other.
async fn delays(from: &OurPeer, to: &OurPeer, home: Uuid, name: &str) -> Result<Vec<f64>> {
    let mut delays = Vec::new();
    for n in 0..MEASURED {
        let at = Instant::now();
        from.put(home, &["budgets", name], n as i64)?;
        let there = |d: &Automerge| get(d, &["budgets", name]).and_then(|v| v.as_i64()) == Some(n as i64);
        while to.read(home, there) != Some(true) {
            ensure!(at.elapsed() < SOON, "{name} {n} does not arrive: {:?}", to.complaints());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        delays.push(at.elapsed().as_secs_f64() * 1000.0);
        tokio::time::sleep(Duration::from_millis(40).saturating_sub(at.elapsed())).await;
    }
    delays.sort_by(f64::total_cmp);
    Ok(delays)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_through_one_process_reaches_clients_of_the_other() -> Result<()> {
    let mongo = Mongo::start()?;
    let store = mongo.database("two");
    let (a, b) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let one = Server::start_on(&store, a.path(), 0, &[]);
    let two = Server::start_on(&store, b.path(), 0, &[]);
    let mut ada = Person::first(&one, "Ada").await?;
    let (phone, laptop) = (ada.device("phone").await?, ada.device("laptop").await?.at(&two.url));
    let home = phone.home("Elm Street").await?;
    let here = OurPeer::connect(phone.entry());
    here.open(home, new_home())?;
    wait::until("the first process has the home", SOON, async || here.is_acknowledged(home).then_some(()))
        .await;
    let there = OurPeer::connect(laptop.entry());
    there.find(home, SOON).await?;

    for (from, to, name) in [(&here, &there, "there"), (&there, &here, "back")] {
        let delays = delays(from, to, home, name).await?;
        let at = |q: f64| delays[((delays.len() - 1) as f64 * q).round() as usize];
        println!("{name}: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms", at(0.5), at(0.99), at(1.0));
        ensure!(at(0.99) < 250.0, "{name}: p99 {} ms", at(0.99));
    }
    Ok(())
}

/// A burst of changes, cut off at some moment. Returns what the server said it has by then.
async fn burst(device: &Device, copy: &mut Copy, until: Duration) -> Result<Vec<ChangeHash>> {
    let mut peer = Peer::join(&device.entry()).await?;
    copy.reconnected();
    let end = Instant::now() + until;
    let mut n = 0;
    let mut acknowledged = Vec::new();
    copy.say_all(&mut peer).await?;
    while Instant::now() < end {
        n += 1;
        put(&mut copy.document, &["budgets", &format!("burst/{}", n % 7)], Uuid::new_v4().to_string())?;
        copy.say_all(&mut peer).await?;
        let heard = tokio::time::timeout(Duration::from_millis(2), peer.next()).await;
        match heard {
            Ok(Ok(Some(Said::Sync { document, data }))) if document == copy.id => copy.hear(&data)?,
            Ok(Ok(Some(said))) => ensure!(!matches!(said, Said::Error { .. }), "{said:?}"),
            Ok(Ok(None)) => break,
            Ok(Err(e)) => return Err(e),
            Err(_) => {}
        }
        if let Some(heads) = copy.their_heads() {
            acknowledged = heads;
        }
    }
    Ok(acknowledged)
}

/// What a client that knows nothing gets.
async fn seen_by_a_stranger(device: &Device, home: Uuid) -> Result<Automerge> {
    let mut copy = Copy::new(home, Automerge::new());
    let mut peer = Peer::join(&device.entry()).await?;
    copy.settle(&mut peer, SOON).await.context("a stranger's look")?;
    Ok(copy.document)
}

fn holds(document: &Automerge, heads: &[ChangeHash]) -> bool {
    heads.iter().all(|h| document.get_change_by_hash(h).is_some())
}

async fn kill_at_any_moment(store: &str, folder: &Path, rounds: u64) -> Result<()> {
    let mut server = Server::start_on(store, folder, 0, &[]);
    let port = server.port();
    let mut ada = Person::first(&server, "Ada").await?;
    let (phone, witness) = (ada.device("phone").await?, ada.device("witness").await?);
    let home = phone.home("Elm Street").await?;
    let mut copy = Copy::new(home, new_home().with_actor(ActorId::random()));
    let mut proven = 0;
    for round in 0..rounds {
        let moment = Duration::from_millis(150 + round * 137 % 400);
        let acknowledged = burst(&phone, &mut copy, moment).await?;
        // the writer is gone by now: it can't send again what the server lost
        server.program.kill();
        server = Server::start_on(store, folder, port, &[]);
        let kept = seen_by_a_stranger(&witness, home).await?;
        ensure!(holds(&kept, &acknowledged), "round {round}: acknowledged and lost");
        proven += usize::from(!acknowledged.is_empty());
        let mine = copy.document.get_changes(&[]).len();
        println!("round {round}: {} of {mine} changes kept", kept.get_changes(&[]).len());
    }
    ensure!(proven as u64 >= rounds - 1, "the test proves something: {proven}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_survives_kill_9_on_the_embedded_store() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let store = format!("sqlite:{}", folder.path().join("server.sqlite").display());
    kill_at_any_moment(&store, folder.path(), 8).await
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_survives_kill_9_on_mongodb() -> Result<()> {
    let mongo = Mongo::start()?;
    let folder = tempfile::tempdir()?;
    kill_at_any_moment(&mongo.database("kill"), folder.path(), 4).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_and_a_kill_of_either_lose_nothing() -> Result<()> {
    let mongo = Mongo::start()?;
    let store = mongo.database("rolling");
    let folders = [tempfile::tempdir()?, tempfile::tempdir()?];
    let mut servers = [
        Server::start_on(&store, folders[0].path(), 0, &[]),
        Server::start_on(&store, folders[1].path(), 0, &[]),
    ];
    let mut ada = Person::first(&servers[0], "Ada").await?;
    let devices = [ada.device("phone").await?, ada.device("laptop").await?.at(&servers[1].url)];
    let home = devices[0].home("Elm Street").await?;
    let first = OurPeer::connect(devices[0].entry());
    first.open(home, new_home())?;
    wait::until("the home is there", SOON, async || first.is_acknowledged(home).then_some(())).await;
    let second = OurPeer::connect(devices[1].entry());
    second.find(home, SOON).await?;
    let peers = [first, second];

    let mut written = Vec::new();
    for (round, (which, gently)) in [(0, true), (1, true), (0, false), (1, false)].into_iter().enumerate() {
        for n in 0..10 {
            for (who, peer) in peers.iter().enumerate() {
                let name = format!("rolling/{round}-{who}-{n}");
                peer.put(home, &["budgets", &name], "kept")?;
                written.push(name);
            }
            if n == 5 {
                let port = servers[which].port();
                if gently {
                    let status = servers[which].program.terminate(SOON);
                    ensure!(status.success(), "drained: {status}");
                } else {
                    servers[which].program.kill();
                }
                servers[which] = Server::start_on(&store, folders[which].path(), port, &[]);
            }
        }
        wait::until("both are acknowledged and agree", SOON, async || {
            let done = peers.iter().all(|p| p.is_acknowledged(home));
            (done && peers[0].heads(home) == peers[1].heads(home)).then_some(())
        })
        .await;
    }
    drop(peers);
    for device in &devices {
        let kept = seen_by_a_stranger(device, home).await?;
        for name in &written {
            ensure!(get(&kept, &["budgets", name]).is_some(), "{name} is lost");
        }
    }
    Ok(())
}
