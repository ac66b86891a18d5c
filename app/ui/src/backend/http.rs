//! The hub: `POST api/v1/{name}` and the stream `GET api/v1/events`, both relative to the page.

use super::{Answer, Exported, Later, Signal, Transport, unavailable};
use crate::browser::{self, Listener, Timeout};
use hearthwatt_api::{ApiError, Event};
use serde_json::Value;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use yew::Callback;

const TOKEN: &str = "hearthwatt-token";
/// Pauses between attempts to connect, milliseconds; the last one repeats.
const PAUSES: [i32; 6] = [500, 1_000, 2_000, 4_000, 8_000, 15_000];
/// A short break is not worth a word.
const GRACE_MS: i32 = 1_500;

pub struct Http {
    token: Option<String>,
}

impl Http {
    /// Takes a token from the address (`#token=…`), keeps it for this tab and hides it.
    pub fn new() -> Self {
        if let Some(token) = browser::hash().strip_prefix("#token=") {
            let (token, rest) = token.split_once('&').unwrap_or((token, ""));
            browser::set_session(TOKEN, token);
            browser::replace_hash(if rest.is_empty() { "#/now" } else { rest });
        }
        Self { token: browser::session(TOKEN) }
    }
}

fn unreachable() -> ApiError {
    unavailable("The hub does not answer. It may be restarting; the page tries again by itself.")
}

/// `POST api/v1/{name}` with this body.
async fn post(name: &str, token: Option<String>, kind: &str, body: &JsValue) -> Result<Value, ApiError> {
    let options = web_sys::RequestInit::new();
    options.set_method("POST");
    options.set_body(body);
    let headers = web_sys::Headers::new().map_err(|_| unreachable())?;
    let _ = headers.set("content-type", kind);
    if let Some(token) = token {
        let _ = headers.set("authorization", &format!("Bearer {token}"));
    }
    options.set_headers(&headers);
    let request = web_sys::Request::new_with_str_and_init(&format!("api/v1/{name}"), &options)
        .map_err(|_| unreachable())?;
    let response = JsFuture::from(browser::window().fetch_with_request(&request))
        .await
        .ok()
        .and_then(|r| r.dyn_into::<web_sys::Response>().ok())
        .ok_or_else(unreachable)?;
    let ok = response.ok();
    let text = match response.text() {
        Ok(promise) => JsFuture::from(promise).await.ok().and_then(|t| t.as_string()),
        Err(_) => None,
    }
    .ok_or_else(unreachable)?;
    if ok {
        serde_json::from_str(&text).map_err(|_| unreachable())
    } else {
        Err(serde_json::from_str::<ApiError>(&text).unwrap_or_else(|_| unreachable()))
    }
}

impl Transport for Http {
    fn send(&self, name: &'static str, params: Value) -> Answer {
        let token = self.token.clone();
        Box::pin(async move { post(name, token, "application/json", &params.to_string().into()).await })
    }

    /// A link that works once, since a download can't carry the token.
    fn export(&self) -> Later<Exported> {
        let link = self.send("export", Value::Object(serde_json::Map::new()));
        Box::pin(async move {
            let link = link.await?;
            let path = link.get("path").and_then(Value::as_str).ok_or_else(unreachable)?;
            browser::follow_download(path);
            Ok(Exported::Download)
        })
    }

    fn import(&self, file: web_sys::File) -> Later<()> {
        let token = self.token.clone();
        Box::pin(async move { post("import", token, "application/octet-stream", &file).await.map(drop) })
    }

    fn listen(&self, sink: Callback<Signal>) {
        let url = match &self.token {
            Some(token) => {
                format!("api/v1/events?token={}", String::from(js_sys::encode_uri_component(token)))
            }
            None => "api/v1/events".to_owned(),
        };
        let stream = Rc::new(Stream { url, sink, now: RefCell::default() });
        Stream::connect(&stream);
        // lives as long as the page
        std::mem::forget(stream);
    }
}

struct Stream {
    url: String,
    sink: Callback<Signal>,
    now: RefCell<Connection>,
}

#[derive(Default)]
struct Connection {
    source: Option<web_sys::EventSource>,
    listeners: Vec<Listener>,
    failures: usize,
    retry: Option<Timeout>,
    /// Runs out when a break has lasted too long to keep quiet about.
    grace: Option<Timeout>,
}

impl Stream {
    fn connect(this: &Rc<Self>) {
        let Ok(source) = web_sys::EventSource::new(&this.url) else { return Self::lost(this) };
        let (open, message, error) = (this.clone(), this.clone(), this.clone());
        let listeners = vec![
            Listener::on(&source, "open", move |_| {
                let mut now = open.now.borrow_mut();
                now.failures = 0;
                now.grace = None;
                drop(now);
                open.sink.emit(Signal::Up);
            }),
            Listener::on(&source, "message", move |event| {
                let text = event.dyn_ref::<web_sys::MessageEvent>().and_then(|m| m.data().as_string());
                match text.as_deref().map(serde_json::from_str::<Event>) {
                    Some(Ok(event)) => message.sink.emit(Signal::Event(event)),
                    // an event of a newer hub: ask again rather than show old things
                    Some(Err(_)) => message.sink.emit(Signal::Event(Event::Lagged)),
                    None => {}
                }
            }),
            Listener::on(&source, "error", move |_| {
                // not inside the listener that would be dropped by it
                let this = error.clone();
                Timeout::after(0, move || Self::lost(&this)).forget();
            }),
        ];
        let mut now = this.now.borrow_mut();
        now.source = Some(source);
        now.listeners = listeners;
    }

    /// The browser reconnects by itself only after some kinds of failure: we always do.
    fn lost(this: &Rc<Self>) {
        let mut now = this.now.borrow_mut();
        if let Some(source) = now.source.take() {
            source.close();
        }
        now.listeners.clear();
        if now.grace.is_none() {
            let late = this.clone();
            now.grace = Some(Timeout::after(GRACE_MS, move || late.sink.emit(Signal::Down)));
        }
        let pause = PAUSES[now.failures.min(PAUSES.len() - 1)];
        now.failures += 1;
        let again = this.clone();
        now.retry = Some(Timeout::after(pause, move || Self::connect(&again)));
    }
}
