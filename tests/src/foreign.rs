//! Foreign programs that the sync server meets: a MongoDB, an identity provider, a mail server, the
//! JavaScript sync server, a keyring.

use crate::process::{Program, free_port};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const STARTS_WITHIN: Duration = Duration::from_secs(40);

/// What `cargo xtask` installed into `target/tools`.
fn tool(folder: &str, program: &str) -> PathBuf {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate::root().join("target"), PathBuf::from);
    target.join("tools").join(folder).join("bin").join(program)
}

fn wait_for_port(program: &mut Program, port: u16) {
    let until = std::time::Instant::now() + STARTS_WITHIN;
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(program.has_ended().is_none(), "it ended:\n{}", program.output());
        assert!(std::time::Instant::now() < until, "nothing listens:\n{}", program.output());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A MongoDB: the one that `MONGODB_URI` names, else one of our own on loopback.
pub struct Mongo {
    uri: String,
    pub program: Option<Program>,
    _folder: Option<TempDir>,
}

impl Mongo {
    pub fn start() -> Result<Mongo> {
        if let Ok(uri) = std::env::var("MONGODB_URI")
            && !uri.is_empty()
        {
            return Ok(Mongo { uri, program: None, _folder: None });
        }
        let path = std::env::var_os("HEARTHWATT_SECANTUS")
            .map_or_else(|| tool("secantus", "secantusd-py"), PathBuf::from);
        let folder = tempfile::Builder::new().prefix("mongo").tempdir()?;
        let port = free_port();
        let mut program = Program::start(
            Command::new(path)
                .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--log-level", "WARNING"])
                .arg("--storage-path")
                .arg(folder.path()),
        );
        wait_for_port(&mut program, port);
        let uri = format!("mongodb://127.0.0.1:{port}/?replicaSet=secantus");
        Ok(Mongo { uri, program: Some(program), _folder: Some(folder) })
    }

    /// The address with a database of its own: tests on one server don't meet.
    pub fn database(&self, name: &str) -> String {
        let (address, options) = self.uri.split_once('?').unwrap_or((&self.uri, ""));
        // scheme://hosts[/database]
        let hosts_end = address.find("://").map_or(0, |at| at + 3);
        let hosts = address[hosts_end..].find('/').map_or(address, |at| &address[..hosts_end + at]);
        let query = if options.is_empty() { String::new() } else { format!("?{options}") };
        format!("{hosts}/hearthwatt-{name}-{}{query}", &uuid::Uuid::new_v4().simple().to_string()[..8])
    }
}

/// npm's `oidc-provider`. Whoever types a name is that person: `NAME@example.org`.
pub struct Oidc {
    pub issuer: String,
    _program: Program,
}

impl Oidc {
    pub const CLIENT: &str = "hearthwatt";
    pub const SECRET: &str = "a secret of this test alone";

    /// `redirect` is where the server under test takes people back.
    pub fn start(redirect: &str) -> Oidc {
        let port = free_port().to_string();
        let mut program = Program::start(
            Command::new("node")
                .args(["js/oidc.mjs", &port, redirect])
                .current_dir(crate::root().join("tests")),
        );
        let issuer = program
            .wait_for_line(STARTS_WITHIN, |l| l.strip_prefix("listening on ").map(|s| s.trim().to_owned()));
        Oidc { issuer, _program: program }
    }
}

/// The JavaScript sync server, with its documents in a folder.
pub struct JsServer {
    pub url: String,
    pub program: Program,
}

impl JsServer {
    pub fn start(folder: &Path) -> JsServer {
        let mut program = Program::start(
            Command::new("node")
                .arg("js/sync-server.mjs")
                .arg(folder)
                .current_dir(crate::root().join("tests")),
        );
        let url = program
            .wait_for_line(STARTS_WITHIN, |l| l.strip_prefix("listening on ").map(|s| s.trim().to_owned()));
        JsServer { url, program }
    }
}

/// A mail server that keeps what it gets.
pub struct Mail {
    pub port: u16,
    folder: TempDir,
    _program: Program,
}

impl Mail {
    pub fn start() -> Result<Mail> {
        let folder = tempfile::Builder::new().prefix("mail").tempdir()?;
        let port = free_port();
        let maildir = folder.path().join("box");
        let mut program = Program::start(
            Command::new(tool("smtp", "python"))
                .args(["-m", "aiosmtpd", "--nosetuid", "--listen", &format!("127.0.0.1:{port}")])
                .args(["--class", "aiosmtpd.handlers.Mailbox"])
                .arg(&maildir),
        );
        wait_for_port(&mut program, port);
        Ok(Mail { port, folder, _program: program })
    }

    /// All messages so far, oldest first, as they came.
    pub fn messages(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.folder.path().join("box/new")) else { return vec![] };
        let mut files: Vec<_> = entries.flatten().map(|e| e.path()).collect();
        files.sort_by_key(|p| std::fs::metadata(p).and_then(|m| m.modified()).ok());
        files.iter().filter_map(|p| std::fs::read_to_string(p).ok()).collect()
    }

    /// The newest message to an address, once there is one.
    pub async fn next_to(&self, address: &str, seen: usize) -> Result<String> {
        let until = std::time::Instant::now() + Duration::from_secs(20);
        loop {
            let to: Vec<String> = self.messages().into_iter().filter(|m| m.contains(address)).collect();
            if to.len() > seen {
                return to.into_iter().next_back().context("counted");
            }
            anyhow::ensure!(std::time::Instant::now() < until, "no mail to {address}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_test_has_a_database_of_its_own() {
        let named = |uri: &str| Mongo { uri: uri.into(), program: None, _folder: None }.database("x");
        let check = |uri: &str, start: &str, end: &str| {
            let got = named(uri);
            assert!(got.starts_with(start) && got.ends_with(end), "{got}");
        };
        check("mongodb://127.0.0.1:1/?replicaSet=r", "mongodb://127.0.0.1:1/hearthwatt-x-", "?replicaSet=r");
        check("mongodb+srv://u:p@host/db?a=b&c=d", "mongodb+srv://u:p@host/hearthwatt-x-", "?a=b&c=d");
        check("mongodb://a,b", "mongodb://a,b/hearthwatt-x-", "");
    }
}
