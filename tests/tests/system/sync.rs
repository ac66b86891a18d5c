//! One server, three clients of different making: ours, `samod` and the JavaScript automerge-repo.
//! Both directions, offline and back, to the same heads.

use ::samod::DocHandle;
use anyhow::{Context, Result, ensure};
use automerge::{Automerge, ScalarValue};
use hearthwatt_server_api::homes::MemberRole;
use hearthwatt_sync::doc::{Actor, HomeDoc};
use hearthwatt_tests::account::{Device, Person};
use hearthwatt_tests::client::{OurPeer, get, put};
use hearthwatt_tests::peer::JsPeer;
use hearthwatt_tests::repo::{Copy, Peer};
use hearthwatt_tests::samod::{self, Samod};
use hearthwatt_tests::server::Server;
use hearthwatt_tests::wait;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use uuid::Uuid;

pub const SOON: Duration = Duration::from_secs(20);

/// A home as a device starts it: genesis, and a first budget.
pub fn new_home() -> Automerge {
    HomeDoc::start(Actor::random()).automerge().clone()
}

/// A field as the home document keeps it: a flat key in the map of its kind.
pub const AMOUNT: [&str; 2] = ["budgets", "0b7b8f3e-3f0c-4f5e-9d47-5a9f3b9c2d11/amount"];

fn field(name: &str) -> [String; 2] {
    ["budgets".into(), format!("0b7b8f3e-3f0c-4f5e-9d47-5a9f3b9c2d11/{name}")]
}

/// Three clients on one home, each signed in on a device of its own.
struct Trio {
    ours: OurPeer,
    rust: Samod,
    handle: DocHandle,
    javascript: JsPeer,
    home: Uuid,
}

impl Trio {
    async fn start(person: &mut Person) -> Result<Trio> {
        let device = person.device("ours").await?;
        let home = device.home("Elm Street").await?;
        let ours = OurPeer::connect(device.entry());
        let mut document = new_home();
        put(&mut document, &AMOUNT, "30")?;
        ours.open(home, document)?;
        wait::until("the server has the home", SOON, async || ours.is_acknowledged(home).then_some(())).await;
        let rust = Samod::connect(&person.device("samod").await?.entry()).await?;
        let handle = rust.find(home).await?.context("samod finds the home")?;
        let browser = person.device("javascript").await?;
        let mut javascript = JsPeer::connect(&browser.server, Some(browser.token())).await?;
        javascript.find(home).await?;
        let mut trio = Trio { ours, rust, handle, javascript, home };
        trio.agree().await?;
        Ok(trio)
    }

    /// Waits until all three have the same heads, and returns them.
    async fn agree(&mut self) -> Result<Vec<String>> {
        let until = Instant::now() + SOON;
        loop {
            let ours = self.ours.heads(self.home);
            let rust = self.handle.with_document(|d| samod::heads(d));
            let javascript = self.javascript.heads(self.home).await?;
            if ours == rust && ours == javascript && !ours.is_empty() {
                return Ok(ours);
            }
            ensure!(
                Instant::now() < until,
                "ours {ours:?}, samod {rust:?}, JavaScript {javascript:?}; {:?}",
                self.ours.complaints()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// All three read the same text.
    async fn all_read(&mut self, name: &str, text: &str) -> Result<()> {
        let path = field(name);
        let path = [path[0].as_str(), path[1].as_str()];
        let expected = Some(ScalarValue::Str(text.into()));
        ensure!(self.ours.read(self.home, |d| get(d, &path)).flatten() == expected, "ours: {name}");
        ensure!(self.handle.with_document(|d| get(d, &path)) == expected, "samod: {name}");
        let read = self.javascript.read(self.home).await?;
        ensure!(read[path[0]][path[1]] == Value::from(text), "JavaScript: {name}: {read}");
        Ok(())
    }

    fn ours_puts(&self, name: &str, text: &str) -> Result<()> {
        let path = field(name);
        self.ours.put(self.home, &[&path[0], &path[1]], text)
    }

    fn samod_puts(&self, name: &str, text: &str) -> Result<()> {
        let path = field(name);
        self.handle.with_document(|d| put(d, &[&path[0], &path[1]], text))
    }

    async fn javascript_puts(&mut self, name: &str, text: &str) -> Result<()> {
        let path = field(name);
        self.javascript.put(self.home, &[&path[0], &path[1]], json!({ "text": text })).await.map(drop)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_clients_of_different_making_agree() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path(), &[]);
    let mut person = Person::first(&server, "Ada").await?;
    let mut trio = Trio::start(&mut person).await?;

    // each direction
    trio.ours_puts("name", "from ours")?;
    trio.agree().await?;
    trio.all_read("name", "from ours").await?;
    trio.samod_puts("name", "from samod")?;
    trio.agree().await?;
    trio.all_read("name", "from samod").await?;
    trio.javascript_puts("name", "from JavaScript").await?;
    trio.agree().await?;
    trio.all_read("name", "from JavaScript").await?;

    // all at once, many times
    for n in 0..20 {
        trio.ours_puts("a", &n.to_string())?;
        trio.samod_puts("b", &n.to_string())?;
        trio.javascript_puts("c", &n.to_string()).await?;
    }
    trio.agree().await?;
    for name in ["a", "b", "c"] {
        trio.all_read(name, "19").await?;
    }

    // the same field, offline, and back
    trio.ours.set_online(false);
    trio.javascript.offline().await?;
    trio.ours_puts("amount", "offline ours")?;
    trio.ours_puts("only-ours", "1")?;
    trio.javascript_puts("amount", "offline JavaScript").await?;
    trio.javascript_puts("only-theirs", "2").await?;
    trio.samod_puts("amount", "online samod")?;
    trio.ours.set_online(true);
    trio.javascript.online().await?;
    trio.agree().await?;
    trio.all_read("only-ours", "1").await?;
    trio.all_read("only-theirs", "2").await?;
    let chosen = trio.ours.read(trio.home, |d| get(d, &AMOUNT)).flatten();
    let chosen = chosen.and_then(|v| v.into_string().ok()).context("an amount")?;
    trio.all_read("amount", &chosen).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_has_everything_and_clients_return() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut server = Server::start(folder.path(), &[]);
    let mut person = Person::first(&server, "Ada").await?;
    let mut trio = Trio::start(&mut person).await?;
    let (port, store) = (server.port(), format!("sqlite:{}", folder.path().join("server.sqlite").display()));

    for (round, gently) in [(1, true), (2, false), (3, false)] {
        trio.ours_puts("before", &round.to_string())?;
        wait::until("acknowledged", SOON, async || trio.ours.is_acknowledged(trio.home).then_some(())).await;
        if gently {
            let status = server.program.terminate(SOON);
            ensure!(status.success(), "drained: {status}");
        } else {
            server.program.kill();
        }
        trio.ours_puts("offline", &round.to_string())?;
        trio.javascript_puts("offline-too", &round.to_string()).await?;
        server = Server::start_on(&store, folder.path(), port, &[]);
        trio.agree().await?;
        for name in ["before", "offline", "offline-too"] {
            trio.all_read(name, &round.to_string()).await?;
        }
        // the server alone has it too
        let mut copy = Copy::new(trio.home, Automerge::new());
        let mut witness = Peer::join(&person.device("witness").await?.entry()).await?;
        copy.settle(&mut witness, SOON).await?;
        ensure!(samod::heads(&copy.document) == trio.ours.heads(trio.home));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_that_do_not_exist_and_those_of_others_are_unavailable() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path(), &[]);
    let mut ada = Person::first(&server, "Ada").await?;
    let trio = Trio::start(&mut ada).await?;
    let mut stranger = Person::register(&server, "Eve").await?;
    let device = stranger.device("Eve's").await?;

    let ours = OurPeer::connect(device.entry());
    let rust = Samod::connect(&device.entry()).await?;
    let mut javascript = JsPeer::connect(&device.server, Some(device.token())).await?;
    for id in [trio.home, Uuid::new_v4()] {
        let refused = ours.find(id, SOON).await.unwrap_err();
        ensure!(refused.to_string().contains("unavailable"), "ours: {refused}");
        ensure!(rust.find(id).await?.is_none(), "samod");
        let refused = javascript.find(id).await.unwrap_err();
        ensure!(refused.to_string().contains("unavailable"), "JavaScript: {refused}");
    }
    rust.stop().await;
    // a home comes into being over HTTP, never by pushing a document
    let mut peer = Peer::join(&device.entry()).await?;
    let mut copy = Copy::new(Uuid::new_v4(), new_home());
    let pushed = copy.settle(&mut peer, SOON).await;
    ensure!(pushed.is_err_and(|e| e.to_string().contains("unavailable")), "a pushed document");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_reads_and_does_not_write() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path(), &[]);
    let mut ada = Person::first(&server, "Ada").await?;
    let mut trio = Trio::start(&mut ada).await?;
    let owner: Device = ada.device("owner").await?;
    let mut grandma = Person::register(&server, "Greta").await?;
    let viewer = grandma.device("tablet").await?;
    owner.admit(trio.home, &viewer, MemberRole::Viewer).await?;

    let mut javascript = JsPeer::connect(&viewer.server, Some(viewer.token())).await?;
    ensure!(javascript.find(trio.home).await? == trio.agree().await?, "a viewer sees everything");
    let before = trio.agree().await?;
    javascript.put(trio.home, &AMOUNT, json!({ "text": "a viewer's" })).await?;

    // what comes after the viewer's try reaches everybody; the try reaches nobody
    trio.ours_puts("name", "afterwards")?;
    let after = trio.agree().await?;
    ensure!(before != after);
    trio.all_read("name", "afterwards").await?;
    trio.all_read("amount", "30").await?;
    let mut witness = Peer::join(&owner.entry()).await?;
    let mut copy = Copy::new(trio.home, Automerge::new());
    copy.settle(&mut witness, SOON).await?;
    ensure!(samod::heads(&copy.document) == after, "the server kept nothing of it");
    trio.rust.stop().await;
    Ok(())
}
