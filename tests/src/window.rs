//! The real window of the app, on a screen of its own, driven through WebKit's driver.

use crate::process::{Program, free_port, has};
use crate::program;
use anyhow::Result;
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use thirtyfour::prelude::*;

pub struct Screen {
    /// For `DISPLAY`.
    pub display: String,
    _program: Program,
}

pub fn available() -> bool {
    has("Xvfb") && has("WebKitWebDriver") && has("dbus-daemon")
}

impl Screen {
    pub fn start() -> Screen {
        let mut program = Program::start(Command::new("Xvfb").args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1280x900x24",
            "-nolisten",
            "tcp",
        ]));
        let number = program.wait_for_line(Duration::from_secs(10), |l| l.trim().parse::<u32>().ok());
        Screen { display: format!(":{number}"), _program: program }
    }
}

pub struct Window {
    pub driver: WebDriver,
    _webdriver: Program,
}

impl Window {
    /// Opens the app with its data in `folder`. `bus` is the session bus of the notifications.
    pub async fn open(screen: &Screen, bus: &str, folder: &Path, arguments: &[&str]) -> Result<Window> {
        let port = free_port();
        let mut webdriver = Program::start(
            Command::new("WebKitWebDriver")
                .arg(format!("--port={port}"))
                .env("DISPLAY", &screen.display)
                .env("DBUS_SESSION_BUS_ADDRESS", bus)
                .env("TAURI_WEBVIEW_AUTOMATION", "true")
                .env("LANG", "en_GB.UTF-8")
                .env("XDG_DATA_HOME", folder.join("xdg"))
                .env("XDG_CONFIG_HOME", folder.join("xdg-config"))
                .env("XDG_CACHE_HOME", folder.join("xdg-cache")),
        );
        let until = std::time::Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            anyhow::ensure!(
                webdriver.has_ended().is_none(),
                "WebKitWebDriver ended:\n{}",
                webdriver.output()
            );
            anyhow::ensure!(std::time::Instant::now() < until, "WebKitWebDriver does not listen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let mut args = vec!["--data".to_owned(), folder.display().to_string()];
        args.extend(arguments.iter().map(|s| s.to_string()));
        let mut capabilities = Capabilities::new();
        capabilities
            .set("webkitgtk:browserOptions", json!({ "binary": program("hearthwatt"), "args": args }))?;
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await?;
        Ok(Window { driver, _webdriver: webdriver })
    }

    pub async fn close(self) -> Result<()> {
        Ok(self.driver.quit().await?)
    }
}
