//! The notification daemon of a session bus of its own: the test is the desktop.

use crate::process::Program;
use anyhow::Result;
use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;
use tokio::sync::mpsc;
use zbus::zvariant::OwnedValue;

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// What a program asked the desktop to show.
#[derive(Debug, Clone)]
pub struct Shown {
    pub id: u32,
    pub title: String,
    pub body: String,
    pub actions: Vec<String>,
}

pub struct Desktop {
    /// For `DBUS_SESSION_BUS_ADDRESS` of the program under test.
    pub address: String,
    pub shown: mpsc::UnboundedReceiver<Shown>,
    bus: zbus::Connection,
    _daemon: Program,
}

struct Daemon {
    shown: mpsc::UnboundedSender<Shown>,
    last: u32,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Daemon {
    #[allow(clippy::too_many_arguments, reason = "the interface of the freedesktop specification")]
    fn notify(
        &mut self,
        _app_name: String,
        _replaces: u32,
        _icon: String,
        summary: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _timeout: i32,
    ) -> u32 {
        self.last += 1;
        let _ = self.shown.send(Shown { id: self.last, title: summary, body, actions });
        self.last
    }
    fn close_notification(&self, _id: u32) {}
    fn get_capabilities(&self) -> Vec<String> {
        vec!["actions".into(), "body".into()]
    }
    fn get_server_information(&self) -> (String, String, String, String) {
        ("test".into(), "test".into(), "1".into(), "1.2".into())
    }
}

impl Desktop {
    pub async fn start() -> Result<Desktop> {
        let mut daemon = Program::start(Command::new("dbus-daemon").args([
            "--session",
            "--nofork",
            "--nopidfile",
            "--print-address",
        ]));
        let address =
            daemon.wait_for_line(Duration::from_secs(10), |l| l.starts_with("unix:").then(|| l.to_owned()));
        let (tx, shown) = mpsc::unbounded_channel();
        let bus = zbus::connection::Builder::address(address.as_str())?
            .name(NAME)?
            .serve_at(PATH, Daemon { shown: tx, last: 0 })?
            .build()
            .await?;
        Ok(Desktop { address, shown, bus, _daemon: daemon })
    }

    /// The next notification.
    pub async fn next(&mut self, within: Duration) -> Option<Shown> {
        tokio::time::timeout(within, self.shown.recv()).await.ok().flatten()
    }

    /// The user clicks it.
    pub async fn click(&self, shown: &Shown) -> Result<()> {
        self.bus.emit_signal(None::<&str>, PATH, NAME, "ActionInvoked", &(shown.id, "default")).await?;
        Ok(())
    }
}
