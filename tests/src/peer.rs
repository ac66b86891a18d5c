//! The JavaScript automerge-repo client as a process of its own, told what to do over its input.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use uuid::Uuid;

/// Longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(40);

pub struct JsPeer {
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    last: u64,
}

impl JsPeer {
    /// `server` is `http://127.0.0.1:PORT`; without a token it connects as to an open server.
    pub async fn connect(server: &str, token: Option<&str>) -> Result<JsPeer> {
        let mut child = Command::new("node")
            .arg("js/peer.mjs")
            .current_dir(crate::root().join("tests"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("Node.js can't be started")?;
        let input = child.stdin.take().context("piped")?;
        let output = BufReader::new(child.stdout.take().context("piped")?).lines();
        let mut peer = JsPeer { _child: child, input, output, last: 0 };
        peer.ask(json!({ "do": "connect", "server": server.trim_end_matches('/'), "token": token })).await?;
        Ok(peer)
    }

    /// Finds a document and returns its heads; an error that says so where it is unavailable.
    pub async fn find(&mut self, id: Uuid) -> Result<Vec<String>> {
        heads(self.ask(json!({ "do": "find", "doc": crate::repo::document_id(id) })).await?)
    }

    /// Sets what stands at `path`; null deletes it. Returns the new heads.
    pub async fn put(&mut self, id: Uuid, path: &[&str], value: Value) -> Result<Vec<String>> {
        let doc = crate::repo::document_id(id);
        heads(self.ask(json!({ "do": "change", "doc": doc, "path": path, "value": value })).await?)
    }

    pub async fn heads(&mut self, id: Uuid) -> Result<Vec<String>> {
        heads(self.ask(json!({ "do": "heads", "doc": crate::repo::document_id(id) })).await?)
    }

    pub async fn read(&mut self, id: Uuid) -> Result<Value> {
        self.ask(json!({ "do": "read", "doc": crate::repo::document_id(id) })).await
    }

    pub async fn offline(&mut self) -> Result<()> {
        self.ask(json!({ "do": "offline" })).await.map(drop)
    }

    pub async fn online(&mut self) -> Result<()> {
        self.ask(json!({ "do": "online" })).await.map(drop)
    }

    async fn ask(&mut self, mut command: Value) -> Result<Value> {
        self.last += 1;
        command["id"] = json!(self.last);
        self.input.write_all(format!("{command}\n").as_bytes()).await?;
        let answer = async {
            while let Some(line) = self.output.next_line().await? {
                // the libraries write to the console too
                let Ok(mut answer) = serde_json::from_str::<Value>(&line) else { continue };
                if answer["id"] == self.last {
                    if let Some(e) = answer["error"].as_str() {
                        bail!("{e}");
                    }
                    return Ok(answer["ok"].take());
                }
            }
            bail!("the JavaScript peer ended")
        };
        tokio::time::timeout(PATIENCE, answer).await.context("the JavaScript peer does not answer")?
    }
}

fn heads(answer: Value) -> Result<Vec<String>> {
    let heads: Vec<String> = serde_json::from_value(answer)?;
    ensure!(!heads.is_empty(), "a document that was found has heads");
    Ok(heads)
}
