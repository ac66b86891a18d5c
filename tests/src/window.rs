//! The real window of the app, on a screen of its own, driven through WebKit's driver.

use crate::process::{Program, free_port, has};
use crate::{program, wait};
use anyhow::{Context, Result, bail};
use hearthwatt_api::Call;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
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
        // the system's browser is a file in which the test finds what was to be opened
        let programs = folder.join("programs");
        std::fs::create_dir_all(&programs)?;
        let opener = programs.join("xdg-open");
        let script = format!("#!/bin/sh\nprintf '%s\\n' \"$1\" >> '{}'\n", opened(folder).display());
        std::fs::write(&opener, script)?;
        std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755))?;
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(programs).chain(std::env::split_paths(&path)))?;

        let port = free_port();
        let mut webdriver = Program::start(
            Command::new("WebKitWebDriver")
                .arg(format!("--port={port}"))
                .env("PATH", path)
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

    /// Asks the program behind the page, as the page does.
    pub async fn call<C: Call>(&self, call: C) -> Result<C::Reply> {
        let script = "const done = arguments[arguments.length - 1]; \
            window.__TAURI_INTERNALS__.invoke('call', { name: arguments[0], params: arguments[1] }) \
            .then(ok => done({ ok }), error => done({ error }));";
        let answer = self
            .driver
            .execute_async(script, vec![json!(C::NAME), serde_json::to_value(&call)?])
            .await?
            .json()
            .clone();
        if !answer["error"].is_null() {
            bail!("{}: {}", C::NAME, answer["error"]);
        }
        serde_json::from_value(answer["ok"].clone()).with_context(|| format!("{}: {answer}", C::NAME))
    }

    /// Waits until `ask` finds something in the answer to a call.
    pub async fn wait_for<C: Call + Clone, T>(
        &self,
        what: &str,
        within: Duration,
        call: C,
        ask: impl Fn(C::Reply) -> Option<T>,
    ) -> T {
        wait::until(what, within, || async { self.call(call.clone()).await.ok().and_then(&ask) }).await
    }

    pub async fn close(self) -> Result<()> {
        Ok(self.driver.quit().await?)
    }
}

/// Where the app with its data in this folder writes the addresses that it opens in the browser.
fn opened(folder: &Path) -> PathBuf {
    folder.join("opened")
}

/// The next address that the app opened in the system's browser, after the first `seen`.
pub async fn next_opened(folder: &Path, seen: usize) -> String {
    wait::until("the app opens the browser", Duration::from_secs(20), async || {
        let text = std::fs::read_to_string(opened(folder)).unwrap_or_default();
        text.lines().nth(seen).map(str::to_owned)
    })
    .await
}
