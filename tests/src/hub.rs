//! A real hub in a folder of its own, asked over HTTP as the page asks it.

use crate::process::Program;
use crate::{program, root, wait};
use anyhow::{Context, Result, bail};
use hearthwatt_api::{ApiError, Call, Event};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio::sync::mpsc;

pub struct Hub {
    pub program: Program,
    /// `http://127.0.0.1:PORT/`
    pub url: String,
    client: reqwest::Client,
}

#[derive(Default, Clone)]
pub struct HubOptions {
    pub arguments: Vec<String>,
    /// A program to start it through, e.g. `ip netns exec NAME`.
    pub through: Vec<String>,
    /// Variables of its environment.
    pub environment: Vec<(String, String)>,
}

impl HubOptions {
    pub fn arguments(arguments: &[&str]) -> Self {
        Self { arguments: arguments.iter().map(|s| s.to_string()).collect(), ..Self::default() }
    }
}

impl Hub {
    /// Starts on a port of its own choice with its data in `folder`.
    pub fn start(folder: &Path, arguments: &[&str]) -> Hub {
        Self::start_with(folder, &HubOptions::arguments(arguments))
    }

    pub fn start_with(folder: &Path, options: &HubOptions) -> Hub {
        let mut program = Program::start(&mut Self::command(folder, options));
        let url = program.wait_for_line(Duration::from_secs(60), listening);
        // a proxy of the machine has nothing to do with loopback
        let client = reqwest::Client::builder().no_proxy().build().expect("an HTTP client");
        Hub { program, url, client }
    }

    pub fn command(folder: &Path, options: &HubOptions) -> Command {
        let hub = program("hearthwatt-hub");
        let mut command = match options.through.split_first() {
            Some((first, rest)) => {
                let mut c = Command::new(first);
                c.args(rest).arg(hub);
                c
            }
            None => Command::new(hub),
        };
        command
            .arg("--data")
            .arg(folder)
            .arg("--ui")
            .arg(page())
            .envs(options.environment.iter().cloned())
            .args(["--port", "0"])
            .args(&options.arguments);
        command
    }

    pub async fn call<C: Call>(&self, call: C) -> C::Reply {
        let name = C::NAME;
        self.try_call(call).await.unwrap_or_else(|e| panic!("{name}: {e:#}\n{}", self.program.output()))
    }

    pub async fn try_call<C: Call>(&self, call: C) -> Result<C::Reply> {
        let response = self.client.post(format!("{}api/v1/{}", self.url, C::NAME)).json(&call).send().await?;
        let status = response.status();
        let body = response.bytes().await?;
        if !status.is_success() {
            let error: ApiError = serde_json::from_slice(&body)
                .with_context(|| format!("{status}: {}", String::from_utf8_lossy(&body)))?;
            bail!("{status} {:?}: {}", error.code, error.message);
        }
        serde_json::from_slice(&body).with_context(|| String::from_utf8_lossy(&body).into_owned())
    }

    /// The event stream from now on. Ends when dropped.
    pub async fn events(&self) -> mpsc::UnboundedReceiver<Event> {
        let mut response =
            self.client.get(format!("{}api/v1/events", self.url)).send().await.expect("the hub answers");
        assert!(response.status().is_success(), "events: {}", response.status());
        let (tx, rx) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut text = Vec::new();
            while let Ok(Some(chunk)) = response.chunk().await {
                text.extend_from_slice(&chunk);
                while let Some(end) = text.iter().position(|b| *b == b'\n') {
                    let line: Vec<u8> = text.drain(..=end).collect();
                    let Some(data) = line.strip_prefix(b"data:") else { continue };
                    if let Ok(event) = serde_json::from_slice(data)
                        && tx.send(event).is_err()
                    {
                        return;
                    }
                }
            }
        });
        rx
    }

    /// Waits until `ask` finds something in the answer to a call.
    pub async fn wait_for<C: Call + Clone, T>(
        &self,
        what: &str,
        within: Duration,
        call: C,
        ask: impl Fn(C::Reply) -> Option<T>,
    ) -> T {
        wait::until(what, within, || async { self.try_call(call.clone()).await.ok().and_then(&ask) }).await
    }
}

/// The page as `cargo xtask ui` built it.
pub fn page() -> PathBuf {
    root().join("app/ui/dist")
}

/// The address in the first line of a program that has one.
pub(crate) fn listening(line: &str) -> Option<String> {
    let at = line.find("http://")?;
    let url = line[at..].split_whitespace().next()?.trim_end_matches(['.', ',', '"']);
    let url = url.split('#').next()?;
    Some(if url.ends_with('/') { url.to_owned() } else { format!("{url}/") })
}
