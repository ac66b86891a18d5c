//! The sync server as a process of its own, on loopback, with its store and its mail in a folder.

use crate::process::Program;
use crate::repo::Entry;
use crate::{hub, program};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// From the start of the program to its address.
const STARTS_WITHIN: Duration = Duration::from_secs(60);

pub struct Server {
    pub program: Program,
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub url: String,
    /// Where it puts the messages that it would send.
    pub mail: PathBuf,
}

impl Server {
    /// On the embedded store in `folder`. A second start there goes on with what was stored.
    pub fn start(folder: &Path, arguments: &[&str]) -> Server {
        let store = format!("sqlite:{}", folder.join("server.sqlite").display());
        Self::start_on(&store, folder, 0, arguments)
    }

    /// On any store. Port 0 takes a free one.
    pub fn start_on(store: &str, folder: &Path, port: u16, arguments: &[&str]) -> Server {
        let mail = folder.join("mail");
        std::fs::create_dir_all(&mail).expect("a folder of the test");
        let mut program = Program::start(
            Command::new(program("hearthwatt-server"))
                .args(["--store", store, "--listen", &format!("127.0.0.1:{port}")])
                .arg("--mail-folder")
                .arg(&mail)
                .args(arguments),
        );
        let url = program.wait_for_line(STARTS_WITHIN, hub::listening).trim_end_matches('/').to_owned();
        Server { program, url, mail }
    }

    pub fn port(&self) -> u16 {
        self.url.rsplit(':').next().and_then(|p| p.parse().ok()).expect("the address has a port")
    }

    /// The WebSocket, for a device.
    pub fn entry(&self, token: &str) -> Entry {
        entry(&self.url, token)
    }
}

/// The WebSocket of the server at `url`, for a device.
pub fn entry(url: &str, token: &str) -> Entry {
    Entry {
        url: format!("{}/sync", url.replacen("http", "ws", 1)),
        token: Some(token.to_owned()),
        forwarded: None,
    }
}
