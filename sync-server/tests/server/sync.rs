//! Documents over real sockets: peers that behave, rights that change, servers that stop.

use crate::household::{Device, Household, LIMIT, Server, id, open};
use crate::slow::Slow;
use hearthwatt_server::http::auth::Access;
use hearthwatt_server::store::Store;
use hearthwatt_server::store::memory::Memory;
use hearthwatt_server::store::mongo::Mongo;
use hearthwatt_server::store::sqlite::Sqlite;
use hearthwatt_sync::session::Event;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// A home with one account that may write, and a server for it.
async fn home(store: Arc<dyn Store>) -> (Uuid, Uuid, Arc<Household>, Server) {
    let (account, home) = (id(), id());
    let household = Arc::new(Household::default());
    household.allow(account, home, home, Access::Write);
    let server = Server::start(store, household.clone()).await;
    (account, home, household, server)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_agree_and_a_later_one_reads_it_all_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = || Arc::new(Sqlite::open(&folder.path().join("server.db")).unwrap());
    let (account, home, household, server) = home(store()).await;
    let (mut a, mut b) = (Device::new(account, home), Device::new(account, home));
    // both have edited before they ever met
    a.put("budget", "40 kWh");
    b.put("name", "Haus");
    for device in [&mut a, &mut b] {
        device.connect(server.address).await;
        device.until_acknowledged().await;
    }
    b.until("b has a's", |b| b.get("budget").is_some()).await;
    a.until("a has b's", |a| a.get("name").is_some()).await;
    for n in 0..20 {
        let key = format!("live {n}");
        a.put(&key, "x");
        tokio::join!(a.until_acknowledged(), b.until("a live change", |b| b.get(&key).is_some()));
    }
    a.until_acknowledged().await;
    assert_eq!(a.heads(), b.heads());
    server.stopped().await;

    let server = Server::start(store(), household).await;
    let mut c = Device::new(account, home);
    c.connect(server.address).await;
    let heads = a.heads();
    c.until("c has it all", |c| c.heads() == heads).await;
    server.stopped().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_hears_of_a_change_before_it_is_durable() {
    let store = Arc::new(Slow::new(Arc::new(Memory::default())));
    let (account, home, _, server) = home(store.clone()).await;
    let (mut a, mut b) = (Device::new(account, home), Device::new(account, home));
    for device in [&mut a, &mut b] {
        device.connect(server.address).await;
        device.until("joined", |d| d.events.iter().any(|e| matches!(e, Event::Joined { .. }))).await;
    }
    store.held.send_replace(true);
    a.put("key", "value");
    a.linger(Duration::from_millis(300)).await;
    b.linger(Duration::from_millis(100)).await;
    assert!(!a.is_acknowledged(), "acknowledged before it is durable");
    assert_eq!(b.get("key"), None, "told before it is durable");
    store.held.send_replace(false);
    a.until_acknowledged().await;
    b.until("told", |b| b.get("key").is_some()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_fails_ends_connections_and_loses_nothing() {
    let store = Arc::new(Slow::new(Arc::new(Memory::default())));
    let (account, home, _, server) = home(store.clone()).await;
    let mut a = Device::new(account, home);
    a.connect(server.address).await;
    a.put("before", "1");
    a.until_acknowledged().await;
    store.gone.store(true, std::sync::atomic::Ordering::SeqCst);
    a.put("during", "2");
    assert_eq!(a.until_closed().await.0, 1013);
    assert!(!a.is_acknowledged());
    store.gone.store(false, std::sync::atomic::Ordering::SeqCst);
    a.connect(server.address).await;
    a.until_acknowledged().await;
    let mut b = Device::new(account, home);
    b.connect(server.address).await;
    b.until("both", |b| b.get("before").is_some() && b.get("during").is_some()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_sees_nothing_and_a_viewer_writes_nothing() {
    let (account, home, household, server) = home(Arc::new(Memory::default())).await;
    let (stranger, viewer) = (id(), id());
    household.allow(viewer, home, home, Access::Read);
    let mut owner = Device::new(account, home);
    owner.connect(server.address).await;
    owner.put("secret", "1");
    owner.until_acknowledged().await;

    let mut s = Device::new(stranger, home);
    s.put("graffiti", "1");
    s.connect(server.address).await;
    s.until("unavailable", |s| s.events.iter().any(|e| matches!(e, Event::Unavailable { .. }))).await;
    assert_eq!(s.get("secret"), None);

    let mut v = Device::new(viewer, home);
    v.connect(server.address).await;
    v.until("reads", |v| v.get("secret").is_some()).await;
    v.put("graffiti", "2");
    v.linger(Duration::from_millis(300)).await;
    owner.put("more", "1");
    // the viewer goes on reading, whatever it tried
    tokio::join!(owner.until_acknowledged(), v.until("reads on", |v| v.get("more").is_some()));
    owner.linger(Duration::from_millis(100)).await;
    assert_eq!(owner.get("graffiti"), None);
    assert!(!v.is_acknowledged());
    assert_eq!(open(server.address, "nonsense").await.err(), Some(401));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_away_ends_at_once() {
    let store = Arc::new(Memory::default());
    let (account, home, household, server) = home(store.clone()).await;
    let other = id();
    household.allow(other, home, home, Access::Write);
    let (mut removed, mut member) = (Device::new(account, home), Device::new(other, home));
    for device in [&mut removed, &mut member] {
        device.put(&id().to_string(), "1");
        device.connect(server.address).await;
        device.until_acknowledged().await;
    }
    // a device is removed
    let begun = Instant::now();
    household.sign_out(removed.device);
    store.touch(removed.device).await.unwrap();
    assert_eq!(removed.until_closed().await.0, 4001);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(open(server.address, &removed.token()).await.err(), Some(401));

    // a member becomes a viewer, then nobody
    household.allow(other, home, home, Access::Read);
    store.touch(home).await.unwrap();
    member.linger(Duration::from_millis(300)).await;
    member.put("too late", "1");
    member.linger(Duration::from_millis(300)).await;
    assert!(!member.is_acknowledged());
    household.forbid(other, home);
    store.touch(home).await.unwrap();
    member.until("gone", |m| m.events.iter().any(|e| matches!(e, Event::Unavailable { .. }))).await;

    let mut owner = Device::new(account, home);
    owner.connect(server.address).await;
    owner.put("after", "1");
    owner.until_acknowledged().await;
    member.linger(Duration::from_millis(300)).await;
    assert_eq!((owner.get("too late"), member.get("after")), (None, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_actor_belongs_to_one_device() {
    let (account, home, _, server) = home(Arc::new(Memory::default())).await;
    let mut first = Device::new(account, home);
    first.connect(server.address).await;
    first.put("mine", "1");
    first.until_acknowledged().await;
    // another device goes on as the same actor
    let mut thief = Device::new(account, home);
    thief.copy =
        automerge::AutoCommit::load(&first.copy.save()).unwrap().with_actor(first.copy.get_actor().clone());
    let copy = thief.copy.document().clone();
    thief.client.open(thief.document, copy, &[]).unwrap();
    thief.put("mine", "2");
    thief.connect(server.address).await;
    thief.linger(Duration::from_millis(500)).await;
    assert!(!thief.is_acknowledged());
    first.put("mine", "3");
    first.until_acknowledged().await;
    assert_eq!(first.get("mine").as_deref(), Some("3"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_says_goodbye() {
    let (account, home, _, mut server) = home(Arc::new(Memory::default())).await;
    let mut a = Device::new(account, home);
    a.connect(server.address).await;
    a.put("key", "1");
    a.until_acknowledged().await;
    let begun = Instant::now();
    server.stop();
    assert_eq!(a.until_closed().await.0, 1001);
    server.stopped().await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_history_is_compacted_and_stays_whole() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Arc::new(Sqlite::open(&folder.path().join("server.db")).unwrap());
    let store = open();
    let (account, home, household, server) = home(store.clone()).await;
    // two servers on one database, each with a device that writes: both compact
    let second = Server::start(open(), household).await;
    let (mut a, mut b) = (Device::new(account, home), Device::new(account, home));
    a.connect(server.address).await;
    b.connect(second.address).await;
    for round in 0..6 {
        for device in [&mut a, &mut b] {
            for n in 0..150 {
                device.put(&format!("{n}"), &round.to_string());
            }
        }
        tokio::join!(a.until_acknowledged(), b.until_acknowledged());
    }
    let has_all = |d: &mut Device| d.copy.get_changes(&[]).len() == 1800;
    tokio::join!(a.until("all of b's", has_all), b.until("all of a's", has_all));
    let stored = store.list(home).await.unwrap();
    assert!(!stored.snapshots.is_empty(), "{stored:?}");
    assert!(stored.changes.len() < 1000, "{} changes are left", stored.changes.len());
    server.stopped().await;
    second.stopped().await;
    let bytes = {
        let household = Arc::new(Household::default());
        let app = crate::household::app(open(), household, &[]).await;
        hearthwatt_server::data::export(&app, home).await.unwrap().unwrap()
    };
    let mut whole = automerge::AutoCommit::load(&bytes).unwrap();
    assert_eq!(whole.get_heads(), a.heads());
    assert_eq!(whole.get_changes(&[]).len(), 1800);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_nobody_needs_is_put_away_and_comes_back() {
    let (account, home, household) = (id(), id(), Arc::new(Household::default()));
    household.allow(account, home, home, Access::Write);
    let store = Arc::new(Memory::default());
    let server = Server::start_with(store.clone(), household, &["--document-idle", "0"]).await;
    let open = || server.app.http.metrics.documents_open.get();
    let mut a = Device::new(account, home);
    for round in 0..5 {
        a.connect(server.address).await;
        for n in 0..20 {
            a.put(&format!("{n}"), &round.to_string());
        }
        a.until_acknowledged().await;
        assert_eq!(open(), 1);
        a.disconnect();
        let begun = Instant::now();
        while open() > 0 {
            assert!(begun.elapsed() < LIMIT, "still in memory");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    // it was compacted on the way
    let stored = store.list(home).await.unwrap();
    assert!(stored.snapshots.len() == 1 && stored.changes.len() < 100, "{stored:?}");
    let mut b = Device::new(account, home);
    b.connect(server.address).await;
    let heads = a.heads();
    b.until("all of it", |b| b.heads() == heads).await;
}

/// Two processes on one store: what one takes in, the other's devices hear, soon.
async fn two_processes(first: Arc<dyn Store>, second: Arc<dyn Store>, limit: Duration) {
    let (account, home, household, one) = home(first).await;
    let two = Server::start(second, household.clone()).await;
    let (mut a, mut b) = (Device::new(account, home), Device::new(account, home));
    for (device, server) in [(&mut a, &one), (&mut b, &two)] {
        device.put(&id().to_string(), "1");
        device.connect(server.address).await;
        device.until_acknowledged().await;
    }
    let mut times = Vec::new();
    for n in 0..100 {
        let (from, to) = if n % 2 == 0 { (&mut a, &mut b) } else { (&mut b, &mut a) };
        let key = format!("across {n}");
        let begun = Instant::now();
        from.put(&key, "x");
        let sent = from.until_acknowledged();
        let heard = to.until("heard across", |d| d.get(&key).is_some());
        tokio::join!(sent, heard);
        times.push(begun.elapsed());
    }
    times.sort();
    println!("across processes: median {:?}, 99th {:?}, longest {:?}", times[50], times[98], times[99]);
    assert!(times[98] < limit, "{:?}", &times[90..]);

    // rights taken away through one end connections at the other
    household.sign_out(b.device);
    one.app.store.touch(b.device).await.unwrap();
    assert_eq!(b.until_closed().await.0, 4001);

    // one goes down; its devices go on at the other
    one.stopped().await;
    a.until_closed().await;
    a.put("after", "1");
    a.connect(two.address).await;
    a.until_acknowledged().await;
    let mut c = Device::new(account, home);
    c.connect(two.address).await;
    let heads = a.heads();
    c.until("all of it", |c| c.heads() == heads).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_memory() {
    let store = Arc::new(Memory::default());
    two_processes(store.clone(), store, Duration::from_millis(250)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Arc::new(Sqlite::open(&folder.path().join("server.db")).unwrap());
    two_processes(open(), open(), Duration::from_millis(400)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_mongodb() {
    let Some(uri) = crate::mongo::fresh_database() else { return };
    let first = Arc::new(Mongo::connect(&uri).await.unwrap());
    let second = Arc::new(Mongo::connect(&uri).await.unwrap());
    tokio::time::timeout(6 * LIMIT, two_processes(first, second, Duration::from_millis(250))).await.unwrap();
}
