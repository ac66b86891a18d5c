//! The program itself: started with nothing, stopped by a signal, with TLS, and what it logs.

use crate::household::LIMIT;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

struct Program {
    child: Child,
    first_line: String,
    address: SocketAddr,
    log: Option<std::thread::JoinHandle<String>>,
}

fn command(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearthwatt-server"));
    command.args(arguments).env_clear();
    // the platform's data folder, on each platform
    for name in ["HOME", "XDG_DATA_HOME", "APPDATA", "LOCALAPPDATA", "USERPROFILE"] {
        command.env(name, home);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Program {
    fn start(home: &Path, arguments: &[&str]) -> Self {
        let arguments = [&["--listen", "127.0.0.1:0"], arguments].concat();
        let mut child = command(home, &arguments).spawn().unwrap();
        let mut errors = child.stderr.take().unwrap();
        let log = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = errors.read_to_string(&mut text);
            text
        });
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut first_line = String::new();
        out.read_line(&mut first_line).unwrap();
        std::thread::spawn(move || out.lines().map_while(Result::ok).for_each(drop));
        let address = first_line.trim().rsplit('/').next().and_then(|a| a.parse().ok());
        let address = address.unwrap_or_else(|| panic!("no address in {first_line:?}"));
        Self { child, first_line, address, log: Some(log) }
    }

    /// SIGTERM; how it ended and what it has logged.
    #[cfg(unix)]
    fn stop(mut self) -> (ExitStatus, String) {
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < LIMIT, "still running");
            std::thread::sleep(Duration::from_millis(20));
        };
        (status, self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn get(mut socket: impl AsyncRead + AsyncWrite + Unpin, path: &str, header: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{header}\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(LIMIT, socket.read_to_end(&mut answer)).await.unwrap().unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[cfg(unix)]
#[tokio::test]
async fn starts_with_nothing_and_stops_when_asked() {
    let home = tempfile::tempdir().unwrap();
    let program = Program::start(home.path(), &[]);
    assert!(program.first_line.starts_with("listening http://127.0.0.1:"), "{}", program.first_line);
    let answer = get(TcpStream::connect(program.address).await.unwrap(), "/readyz", "").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // a connection that is idle doesn't hold it up
    let idle = TcpStream::connect(program.address).await.unwrap();
    let begun = Instant::now();
    let (status, log) = program.stop();
    drop(idle);
    assert!(status.success(), "{status}: {log}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let mut folders = vec![home.path().to_owned()];
    let mut found = false;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => found |= entry.file_name() == "server.db",
            }
        }
    }
    assert!(found, "no database in the data folder");
}

#[cfg(unix)]
#[tokio::test]
async fn the_log_is_json_and_says_no_secret() {
    let home = tempfile::tempdir().unwrap();
    let secret = home.path().join("store");
    std::fs::write(&secret, "memory:\n").unwrap();
    let arguments = ["--log", "trace", "--log-format", "json", "--store-file", secret.to_str().unwrap()];
    let program = Program::start(home.path(), &arguments);
    let secrets = "authorization: Bearer verysecretone\r\ncookie: session=verysecrettwo\r\n";
    for path in ["/sync?ticket=verysecretthree", "/api/v1/me?code=verysecretfour", "/metrics"] {
        get(TcpStream::connect(program.address).await.unwrap(), path, secrets).await;
    }
    let (_, log) = program.stop();
    assert!(!log.contains("verysecret"), "{log}");
    let lines: Vec<serde_json::Value> = log.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(lines.iter().any(|l| l["message"] == "ready" && l["store"] == "memory"), "{log}");
    assert!(lines.iter().any(|l| l["message"] == "request" && l["route"] == "/sync"), "{log}");
}

#[test]
fn what_cant_be_is_said_in_words() {
    let home = tempfile::tempdir().unwrap();
    let missing = home.path().join("no/such/folder/server.db");
    let missing = format!("sqlite:{}", missing.display());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (arguments, words) in [
        (vec!["--store", "mysql://user:verysecret@host/db"], "sqlite:PATH, mongodb://"),
        (vec!["--store", &missing], "no/such/folder"),
        (vec!["--store", "memory:", "--listen", &taken], "--listen takes another"),
        (vec!["--store", "memory:", "--tls-cert", "/no/such.pem", "--tls-key", "/no/such.key"], "/no/such"),
        (vec!["--store", "memory:", "--tls-cert", "/no/such.pem"], "--tls-key"),
        (vec!["--store", "memory:", "--services", "everything"], "everything"),
        (vec!["--store", "memory:", "--trusted-proxies", "10.0.0.0/99"], "10.0.0.0/8"),
    ] {
        let out = command(home.path(), &arguments).output().unwrap();
        let said = String::from_utf8_lossy(&out.stderr);
        assert!(!out.status.success() && said.contains(words), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn speaks_tls_by_itself() {
    let home = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (home.path().join("cert.pem"), home.path().join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let arguments =
        ["--store", "memory:", "--tls-cert", cert.to_str().unwrap(), "--tls-key", key.to_str().unwrap()];
    let program = Program::start(home.path(), &arguments);
    assert!(program.first_line.starts_with("listening https://"), "{}", program.first_line);

    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    // somebody who only opens a connection holds nobody up
    let silent = TcpStream::connect(program.address).await.unwrap();
    let socket = TcpStream::connect(program.address).await.unwrap();
    let socket = connector.connect("localhost".try_into().unwrap(), socket).await.unwrap();
    let answer = get(socket, "/healthz", "").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("strict-transport-security"), "{answer}");
    drop(silent);
    // and plain HTTP gets no answer that could be mistaken for one
    let mut plain = TcpStream::connect(program.address).await.unwrap();
    plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(LIMIT, plain.read_to_end(&mut answer)).await.unwrap();
    assert!(!answer.starts_with(b"HTTP"));
}
