//! A page whose program is played by the test: calls get canned replies, everything else goes to
//! the real hub behind the page. For states that take other people's doing to come about.

use crate::browser::Browser;
use anyhow::Result;
use hearthwatt_api::{Call, Event};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Replies by the names of calls.
#[derive(Clone, Default)]
pub struct Canned(serde_json::Map<String, Value>);

impl Canned {
    /// Answers every `C` with `reply`.
    pub fn reply<C: Call>(mut self, reply: &C::Reply) -> Self {
        self.0.insert(C::NAME.into(), serde_json::to_value(reply).expect("a reply is JSON"));
        self
    }

    fn script(&self) -> String {
        format!("const replies = {};\n{PLAYER}", Value::Object(self.0.clone()))
    }
}

/// Stands in for the window's bridge, which the page looks for before it talks to a hub.
const PLAYER: &str = r#"
const asked = [];
let hear = null;
window.__played = { replies, asked, tell: event => hear && hear({ payload: event }) };
window.__TAURI__ = {
    core: {
        invoke: async (command, args) => {
            if (command !== 'call') throw { code: 'bad_request', message: command, retry: false };
            asked.push({ name: args.name, params: args.params });
            if (args.name in replies) return structuredClone(replies[args.name]);
            const reply = await fetch('api/v1/' + args.name, {
                method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(args.params),
            });
            const body = await reply.json();
            if (!reply.ok) throw body;
            return body;
        },
    },
    event: { listen: async (name, heard) => { if (name === 'home') hear = heard; return () => {}; } },
};
"#;

impl Browser {
    /// From the next page on, calls get these replies.
    pub async fn play(&self, canned: &Canned) -> Result<Played<'_>> {
        let source = format!("(() => {{ {} }})()", canned.script());
        let added =
            self.devtools("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source })).await?;
        let id = added["identifier"].as_str().unwrap_or_default().to_owned();
        Ok(Played { browser: self, id })
    }
}

/// The part that the test plays.
pub struct Played<'a> {
    browser: &'a Browser,
    id: String,
}

impl Played<'_> {
    /// Another reply from now on, on the page as it stands.
    pub async fn answer<C: Call>(&self, reply: &C::Reply) -> Result<()> {
        let reply = serde_json::to_value(reply)?;
        let script = "window.__played.replies[arguments[0]] = arguments[1]";
        self.browser.driver.execute(script, vec![json!(C::NAME), reply]).await?;
        Ok(())
    }

    /// Tells the page an event.
    pub async fn tell(&self, event: &Event) -> Result<()> {
        let event = serde_json::to_value(event)?;
        self.browser.driver.execute("window.__played.tell(arguments[0])", vec![event]).await?;
        Ok(())
    }

    /// Waits until the page makes a call, and returns it.
    pub async fn asked<C: Call>(&self) -> Result<C> {
        let until = Instant::now() + Duration::from_secs(10);
        loop {
            let script = "return window.__played.asked.filter(a => a.name === arguments[0]).pop() || null";
            let found = self.browser.driver.execute(script, vec![json!(C::NAME)]).await?;
            if let Some(params) = found.json().get("params") {
                return Ok(serde_json::from_value(params.clone())?);
            }
            anyhow::ensure!(Instant::now() < until, "the page never asked {}", C::NAME);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Hands the page back to the program behind it; from the next page on.
    pub async fn end(self) -> Result<()> {
        let params = json!({ "identifier": self.id });
        self.browser.devtools("Page.removeScriptToEvaluateOnNewDocument", params).await?;
        Ok(())
    }
}
