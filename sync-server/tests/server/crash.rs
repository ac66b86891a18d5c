//! Acknowledged means durable: a server process whose store is slow is killed at any moment, again
//! and again, and whatever it acknowledged is there afterwards.

use crate::household::{Device, Household, LIMIT, Server};
use crate::slow::Slow;
use automerge::ReadDoc;
use hearthwatt_server::http::auth::Access;
use hearthwatt_server::store::sqlite::Sqlite;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// Says to the test below that it is the server.
const DATABASE: &str = "HEARTHWATT_TEST_CRASH_DATABASE";
pub const ACCOUNT: Uuid = Uuid::from_u128(0xacc0);
pub const HOME: Uuid = Uuid::from_u128(0x4033);
/// Lives of the server.
const ROUNDS: u64 = 8;

/// The server that is killed: this very program, started again. Without its variable it is nothing.
#[test]
fn the_server_to_kill() {
    let Some(path) = std::env::var_os(DATABASE) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut store = Slow::new(Arc::new(Sqlite::open(Path::new(&path)).unwrap()));
        // killed before, while and after it is written, and before anybody is told
        store.before = Duration::from_millis(3);
        store.after = Duration::from_millis(3);
        let household = Arc::new(Household::default());
        household.allow(ACCOUNT, HOME, HOME, Access::Write);
        let server = Server::start(Arc::new(store), household).await;
        println!("\nlistening {}", server.address);
        tokio::time::sleep(Duration::from_secs(120)).await;
    });
}

/// A server process with one account and one home.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
}

impl Process {
    pub fn start(database: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::the_server_to_kill", "--nocapture"])
            .env(DATABASE, database)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map_while(Result::ok);
        let address = lines.find_map(|l| l.strip_prefix("listening ").map(|a| a.parse().unwrap()));
        let address = address.expect("the server says where it listens");
        // whatever else it prints is nobody's business, but must not block it
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address }
    }

    /// What it has in memory now.
    #[cfg(target_os = "linux")]
    pub fn memory_mib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() / 1024
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("server.db");
    let (mut a, mut b) = (Device::new(ACCOUNT, HOME), Device::new(ACCOUNT, HOME));
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        let process = Process::start(&database);
        for device in [&mut a, &mut b] {
            device.connect(process.address).await;
        }
        // both write as fast as they can, until it dies
        let life = Duration::from_millis(150 + 37 * round);
        let write = |device: &mut Device, n: u64| {
            device.put(&format!("{}/{round}/{n}", device.device), "x");
        };
        let lives = async {
            for n in 0.. {
                write(&mut a, n);
                write(&mut b, n);
                tokio::select! {
                    () = a.step() => {}
                    () = b.step() => {}
                    () = tokio::time::sleep(Duration::from_millis(2)) => {}
                }
            }
        };
        let _: Result<(), _> = tokio::time::timeout(life, lives).await;
        process.kill();
        a.disconnect();
        b.disconnect();

        // what the server told, and what a device was told is acknowledged
        let process = Process::start(&database);
        let mut reader = Device::new(ACCOUNT, HOME);
        reader.connect(process.address).await;
        reader.until("read", |r| r.is_acknowledged()).await;
        for device in [&a, &b] {
            let status = device.client.status(device.document).unwrap();
            for head in &status.acknowledged {
                let there = reader.copy.document().get_change_by_hash(head).is_some();
                assert!(there, "round {round}: {head} was acknowledged and is gone");
                acknowledged += 1;
            }
        }
        // and whatever of a's reached b was durable
        let theirs = b.copy.get_changes(&[]);
        let own = b.copy.get_actor().clone();
        for change in theirs.iter().filter(|c| *c.actor_id() != own) {
            let there = reader.copy.document().get_change_by_hash(&change.hash()).is_some();
            assert!(there, "round {round}: a change was told and is gone");
        }
        process.kill();
    }
    assert!(acknowledged > 0, "nothing was ever acknowledged: the test proves nothing");

    // nothing is lost either: the devices still have what wasn't acknowledged
    let process = Process::start(&database);
    a.connect(process.address).await;
    a.until_acknowledged().await;
    b.connect(process.address).await;
    b.until_acknowledged().await;
    let heads = b.heads();
    tokio::time::timeout(LIMIT, a.until("agreed", |a| a.heads() == heads)).await.unwrap();
    process.kill();
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
