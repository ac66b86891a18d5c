//! A MongoDB to test on: the one of `MONGODB_URI`, or a wire-compatible server that is started for
//! this run, or none, which is said out loud and fails in CI.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// What is known not to need longer to start.
const START_LIMIT: Duration = Duration::from_secs(30);

/// The server that this run started, if it did.
struct Started {
    uri: String,
    /// Holds the pipe that keeps the server running.
    _shell: Child,
    _folder: tempfile::TempDir,
}

static STARTED: OnceLock<Option<Mutex<Started>>> = OnceLock::new();

/// An address with a database that nobody else uses; `None` if there is no MongoDB to test on.
pub fn fresh_database() -> Option<String> {
    let name = format!("hearthwatt_test_{}", uuid::Uuid::from_bytes(random()).simple());
    if let Ok(uri) = std::env::var("MONGODB_URI") {
        return Some(with_database(&uri, &name));
    }
    let started = STARTED.get_or_init(|| program().map(start).map(Mutex::new));
    let Some(started) = started else {
        let message = "MongoDB WAS NOT TESTED: set MONGODB_URI, or HEARTHWATT_SECANTUS to a secantusd-py";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{message}");
        let _ = writeln!(std::io::stderr().lock(), "\n!!! {message}\n");
        return None;
    };
    let uri = started.lock().unwrap().uri.clone();
    Some(with_database(&uri, &name))
}

pub fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

fn with_database(uri: &str, name: &str) -> String {
    let (base, options) = uri.split_once('?').unwrap_or((uri, ""));
    let scheme = base.find("://").map_or(0, |i| i + 3);
    let host = base[scheme..].find('/').map_or(base, |i| &base[..scheme + i]);
    format!("{host}/{name}?{options}")
}

/// `secantusd-py`, where the environment or the project's own set-up has put it.
fn program() -> Option<PathBuf> {
    let named = std::env::var_os("HEARTHWATT_SECANTUS").map(PathBuf::from);
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let tools = root.join("target/tools/secantus/bin/secantusd-py");
    let named = named.map(|p| if p.is_dir() { p.join("secantusd-py") } else { p });
    [named, Some(tools)].into_iter().flatten().find(|p| p.exists())
}

/// The server is a child of a shell that waits for its input to end: it ends with this process,
/// however that ends.
fn start(program: PathBuf) -> Started {
    let folder = tempfile::tempdir().unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let log = std::fs::File::create(folder.path().join("log")).unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", r#""$@" & server=$!; cat >/dev/null; kill $server"#, "mongo"]).arg(program);
    shell.args(["--port", &port.to_string(), "--storage-path"]).arg(folder.path().join("data"));
    shell.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
    let shell = shell.spawn().unwrap();
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if begun.elapsed() > START_LIMIT {
            let log = std::fs::read_to_string(folder.path().join("log")).unwrap_or_default();
            panic!("the MongoDB to test on did not start: {log}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Started {
        uri: format!("mongodb://127.0.0.1:{port}/?replicaSet=secantus"),
        _shell: shell,
        _folder: folder,
    }
}
