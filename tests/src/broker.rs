//! Debian's mosquitto as the foreign broker.

use crate::process::{Program, free_port, has};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A mosquitto of our own on loopback; the same port after [`Mosquitto::restart`].
pub struct Mosquitto {
    pub port: u16,
    program: Option<Program>,
    folder: TempDir,
}

pub fn available() -> bool {
    has("mosquitto")
}

impl Mosquitto {
    /// Everyone may do everything; nothing is written to disk.
    pub fn start() -> Mosquitto {
        Self::with_config("allow_anonymous true\n")
    }

    /// Only this user; `password` in plain is turned into mosquitto's own format.
    pub fn with_password(user: &str, password: &str) -> Mosquitto {
        let mut broker = Self::prepare();
        let file = broker.folder.path().join("users");
        let made =
            Command::new("mosquitto_passwd").arg("-c").arg("-b").arg(&file).args([user, password]).status();
        assert!(made.is_ok_and(|s| s.success()), "mosquitto_passwd makes the password file");
        // mosquitto reads it as its own user
        let _ = Command::new("chmod").arg("a+r").arg(&file).status();
        broker.write(&format!("allow_anonymous false\npassword_file {}\n", file.display()));
        broker.restart();
        broker
    }

    pub fn with_config(extra: &str) -> Mosquitto {
        let mut broker = Self::prepare();
        broker.write(extra);
        broker.restart();
        broker
    }

    fn prepare() -> Mosquitto {
        let folder = tempfile::Builder::new().prefix("mosquitto").tempdir().expect("a temporary folder");
        let _ = Command::new("chmod").arg("a+rx").arg(folder.path()).status();
        Mosquitto { port: free_port(), program: None, folder }
    }

    fn write(&self, extra: &str) {
        let text = format!(
            "listener {} 127.0.0.1\npersistence false\nmax_queued_messages 0\nset_tcp_nodelay true\n{extra}",
            self.port
        );
        std::fs::write(self.config(), text).expect("the configuration is written");
    }

    fn config(&self) -> std::path::PathBuf {
        self.folder.path().join("mosquitto.conf")
    }

    /// Files that a configuration may name lie here.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// kill -9: as gone as a broker can be.
    pub fn kill(&mut self) {
        self.program = None;
    }

    pub fn restart(&mut self) {
        self.program = None;
        let mut program = Program::start(Command::new("mosquitto").arg("-c").arg(self.config()));
        let until = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(program.has_ended().is_none(), "mosquitto ended:\n{}", program.output());
            assert!(Instant::now() < until, "mosquitto does not listen:\n{}", program.output());
            std::thread::sleep(Duration::from_millis(10));
        }
        self.program = Some(program);
    }
}
