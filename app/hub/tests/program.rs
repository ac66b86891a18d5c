//! The real program: it starts, answers, refuses a second one, stops in time.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that fails may panic")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A hub that ends with the test.
struct Hub {
    child: Child,
    address: String,
}

impl Drop for Hub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearthwatt-hub"));
    command.args(["--port", "0", "--discovery", "off", "--data"]).arg(data);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Hub {
    fn start(data: &Path) -> Self {
        let mut child = command(data).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address =
            line.trim().strip_prefix("listening http://").unwrap_or_else(|| panic!("{line:?}")).to_owned();
        Self { child, address }
    }

    fn connect(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream.write_all(request.replace("HOST", &self.address).as_bytes()).unwrap();
        stream
    }

    /// Asks the process to stop; its exit code and how long that took.
    fn stop(&mut self) -> (Option<i32>, Duration) {
        let asked = Instant::now();
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        while asked.elapsed() < Duration::from_secs(10) {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), asked.elapsed());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("still running after {:?}", asked.elapsed());
    }
}

fn call(hub: &Hub, name: &str) -> String {
    let request = format!(
        "POST /api/v1/{name} HTTP/1.1\r\nhost: HOST\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{{}}"
    );
    let mut answer = String::new();
    hub.connect(&request).read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn starts_answers_refuses_a_second_one_and_stops_with_streams_open() {
    let data = tempfile::tempdir().unwrap();
    let mut hub = Hub::start(data.path());
    let overview = call(&hub, "overview");
    assert!(overview.starts_with("HTTP/1.1 200"), "{overview}");
    assert!(overview.contains("\"adopted_meters\":0"), "{overview}");

    let Output { status, stderr, .. } = command(data.path()).output().unwrap();
    assert_eq!(status.code(), Some(3));
    let words = String::from_utf8(stderr).unwrap();
    assert!(
        words.contains("Another Hearthwatt") && words.contains(&data.path().display().to_string()),
        "{words}"
    );

    // a page that watches, one that has sent half a request, and one that is silent
    let mut watching = hub.connect("GET /api/v1/events HTTP/1.1\r\nhost: HOST\r\n\r\n");
    let mut first = [0; 12];
    watching.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let _half = hub.connect("POST /api/v1/health HTTP/1.1\r\nhost: HOST\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{");
    let _silent = hub.connect("");

    let (code, took) = hub.stop();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(5), "{took:?}");
    let mut rest = Vec::new();
    watching.read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "the stream was cut, not ended");

    // the folder is free again
    let mut again = Hub::start(data.path());
    assert!(call(&again, "overview").starts_with("HTTP/1.1 200"));
    assert_eq!(again.stop().0, Some(0));
}

#[test]
fn what_keeps_it_from_starting_is_said_in_words() {
    let data = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = command(data.path()).args(["--port", &port]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "an option given twice is refused");
    let mut command = Command::new(env!("CARGO_BIN_EXE_hearthwatt-hub"));
    let output = command
        .arg("--data")
        .arg(data.path())
        .args(["--discovery", "off", "--port", &port])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains(&port) && words.contains("--port 0"), "{words}");
}

#[test]
fn away_from_this_computer_it_shows_a_token_once() {
    let data = tempfile::tempdir().unwrap();
    let lines = |n: usize| {
        let mut child = command(data.path()).args(["--listen", "0.0.0.0"]).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let lines: Vec<String> = out.lines().take(n).map(Result::unwrap).collect();
        let mut hub = Hub { child, address: String::new() };
        assert_eq!(hub.stop().0, Some(0));
        lines.join("\n")
    };
    let first = lines(3);
    let token = std::fs::read_to_string(data.path().join("hub-token")).unwrap();
    assert!(first.contains(&format!("/#token={}", token.trim())), "{first}");
    assert!(!lines(3).contains(token.trim()));
    let log = std::fs::read_to_string(data.path().join("logs/hearthwatt.log")).unwrap();
    assert!(log.contains("stopped") && !log.contains(token.trim()), "{log}");
}
