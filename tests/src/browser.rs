//! Debian's Chromium, headless, through its driver.

use crate::process::{Program, free_port, has};
use anyhow::Result;
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use thirtyfour::prelude::*;

pub struct Browser {
    pub driver: WebDriver,
    server: String,
    _program: Program,
    _profile: TempDir,
}

pub fn available() -> bool {
    has("chromium") && has("chromedriver")
}

/// How the page is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Look {
    Light,
    Dark,
    Phone,
}

pub const LOOKS: [Look; 3] = [Look::Light, Look::Dark, Look::Phone];

impl Look {
    pub fn name(self) -> &'static str {
        match self {
            Look::Light => "light",
            Look::Dark => "dark",
            Look::Phone => "phone",
        }
    }
    pub fn size(self) -> (u32, u32) {
        if self == Look::Phone { (390, 844) } else { (1280, 900) }
    }
}

impl Browser {
    pub async fn open() -> Result<Browser> {
        Self::open_with(&[]).await
    }

    pub async fn open_with(arguments: &[&str]) -> Result<Browser> {
        let port = free_port();
        let mut program = Program::start(Command::new("chromedriver").arg(format!("--port={port}")));
        program.wait_for_line(Duration::from_secs(20), |l| l.contains("started successfully").then_some(()));
        let profile = tempfile::Builder::new().prefix("chromium").tempdir()?;
        let mut args: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--no-proxy-server",
            "--lang=en-GB",
        ]
        .map(String::from)
        .to_vec();
        args.push(format!("--user-data-dir={}", profile.path().display()));
        args.extend(arguments.iter().map(|s| s.to_string()));
        let mut capabilities = Capabilities::new();
        capabilities.set("browserName", "chrome")?;
        capabilities.set("goog:chromeOptions", json!({ "binary": "/usr/bin/chromium", "args": args }))?;
        capabilities.set("goog:loggingPrefs", json!({ "browser": "ALL" }))?;
        let server = format!("http://127.0.0.1:{port}");
        let driver = WebDriver::new(&server, capabilities).await?;
        Ok(Browser { driver, server, _program: program, _profile: profile })
    }

    /// A command of Chromium's own protocol.
    pub async fn devtools(&self, command: &str, params: Value) -> Result<Value> {
        let session = self.driver.session_id();
        let url = format!("{}/session/{session}/goog/cdp/execute", self.server);
        let client = reqwest::Client::builder().no_proxy().build()?;
        let answer: Value =
            client.post(url).json(&json!({ "cmd": command, "params": params })).send().await?.json().await?;
        Ok(answer["value"].clone())
    }

    /// Size, density and colours.
    pub async fn look(&self, look: Look) -> Result<()> {
        self.size(look, look.size().1).await?;
        let scheme = if look == Look::Dark { "dark" } else { "light" };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", features).await?;
        Ok(())
    }

    async fn size(&self, look: Look, height: u32) -> Result<()> {
        let (width, _) = look.size();
        let phone = look == Look::Phone;
        let density = if phone { 2 } else { 1 };
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": density, "mobile": phone });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await?;
        Ok(())
    }

    /// What the window shows, as PNG.
    pub async fn picture(&self) -> Result<Vec<u8>> {
        settle(&self.driver).await?;
        Ok(self.driver.screenshot_as_png().await?)
    }

    /// The whole page, however long, as PNG: through a window that is as high.
    pub async fn whole_picture(&self, look: Look) -> Result<Vec<u8>> {
        let height = "return Math.ceil(document.documentElement.scrollHeight)";
        let height = self.driver.execute(height, vec![]).await?.json().as_u64().unwrap_or_default();
        self.size(look, u32::try_from(height)?.max(look.size().1)).await?;
        let picture = self.picture().await;
        self.size(look, look.size().1).await?;
        picture
    }

    /// Presses a key that has a name ("Tab", "Enter", "Escape", "ArrowDown").
    pub async fn press(&self, key: &str) -> Result<()> {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "Escape" => 27,
            "End" => 35,
            "Home" => 36,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            _ => anyhow::bail!("no key {key}"),
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" && key == "Enter" { "\r" } else { "" };
            let params =
                json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text });
            self.devtools("Input.dispatchKeyEvent", params).await?;
        }
        Ok(())
    }

    /// Errors and warnings of the console since the last call.
    pub async fn console(&self) -> Result<Vec<String>> {
        let session = self.driver.session_id();
        let client = reqwest::Client::builder().no_proxy().build()?;
        let url = format!("{}/session/{session}/se/log", self.server);
        let answer: Value = client.post(url).json(&json!({ "type": "browser" })).send().await?.json().await?;
        let lines = answer["value"].as_array().cloned().unwrap_or_default();
        Ok(lines
            .iter()
            .filter(|l| matches!(l["level"].as_str(), Some("SEVERE" | "WARNING")))
            .map(|l| l["message"].as_str().unwrap_or_default().to_owned())
            .collect())
    }

    /// What axe-core finds on the page, one line a violation.
    pub async fn accessibility(&self) -> Result<Vec<String>> {
        let axe = std::fs::read_to_string(crate::root().join("tests/node_modules/axe-core/axe.min.js"))?;
        // through the protocol: the page's policy forbids scripts from elsewhere, rightly
        self.devtools("Runtime.evaluate", json!({ "expression": axe })).await?;
        let run = "axe.run(document, { resultTypes: ['violations'] }).then(r => JSON.stringify(r.violations.map(v => \
                   v.id + ' (' + v.impact + '): ' + v.help + ' at ' + v.nodes.map(n => n.target.join(' ')).slice(0, 5).join(' | ')\
                   + ' ' + (v.nodes[0].failureSummary || '').replace(/\\s+/g, ' '))))";
        let answer = self
            .devtools(
                "Runtime.evaluate",
                json!({ "expression": run, "awaitPromise": true, "returnByValue": true }),
            )
            .await?;
        let text =
            answer["result"]["value"].as_str().ok_or_else(|| anyhow::anyhow!("axe did not run: {answer}"))?;
        Ok(serde_json::from_str(text)?)
    }

    pub async fn close(self) -> Result<()> {
        Ok(self.driver.quit().await?)
    }
}

/// Waits until fonts are there and two frames have been painted: before that a picture is old.
pub async fn settle(driver: &WebDriver) -> Result<()> {
    driver
        .execute_async(
            "const done = arguments[0]; const t = setTimeout(done, 3000); document.fonts.ready.then(() => \
             requestAnimationFrame(() => requestAnimationFrame(() => { clearTimeout(t); done(); })));",
            vec![],
        )
        .await?;
    Ok(())
}

/// The first element that matches, once it is there.
pub async fn find(driver: &WebDriver, css: &str) -> Result<WebElement> {
    Ok(driver.query(By::Css(css)).wait(Duration::from_secs(20), Duration::from_millis(20)).first().await?)
}

/// Waits until the text of an element satisfies `fits`, and returns it.
pub async fn text_when(
    driver: &WebDriver,
    css: &str,
    within: Duration,
    fits: impl Fn(&str) -> bool,
) -> Result<String> {
    let until = std::time::Instant::now() + within;
    loop {
        let text = match driver.find(By::Css(css)).await {
            Ok(element) => element.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        };
        if fits(&text) {
            return Ok(text);
        }
        anyhow::ensure!(std::time::Instant::now() < until, "{css} says {text:?} after {within:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
