//! Messages of the desktop and mobile window (Tauri's IPC).

use super::{Answer, Signal, Transport, unavailable};
use hearthwatt_api::{ApiError, Event};
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;
use yew::Callback;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["window", "__TAURI__", "core"], catch)]
    async fn invoke(cmd: &str, args: JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_namespace = ["window", "__TAURI__", "event"], catch)]
    async fn listen(event: &str, callback: &js_sys::Function) -> Result<JsValue, JsValue>;
}

pub fn is_present() -> bool {
    js_sys::Reflect::has(&crate::browser::window(), &"__TAURI__".into()).unwrap_or(false)
}

pub struct Window;

impl Transport for Window {
    fn send(&self, name: &'static str, params: Value) -> Answer {
        Box::pin(async move {
            // JSON text keeps 64-bit integers whole on our side of the bridge
            let args = js_sys::JSON::parse(&json!({ "name": name, "params": params }).to_string())
                .map_err(|_| unavailable("The request could not be sent."))?;
            match invoke("call", args).await {
                Ok(reply) => to_value(&reply).ok_or_else(|| unavailable("The answer could not be read.")),
                Err(error) => Err(to_value(&error)
                    .and_then(|v| serde_json::from_value::<ApiError>(v).ok())
                    .unwrap_or_else(|| unavailable("The program does not answer."))),
            }
        })
    }

    fn listen(&self, sink: Callback<Signal>) {
        wasm_bindgen_futures::spawn_local(async move {
            let heard = sink.clone();
            let callback = Closure::<dyn FnMut(JsValue)>::new(move |message: JsValue| {
                let event = to_value(&message)
                    .and_then(|mut v| v.get_mut("payload").map(Value::take))
                    .and_then(|v| serde_json::from_value::<Event>(v).ok());
                if let Some(event) = event {
                    heard.emit(Signal::Event(event));
                }
            });
            let opened = Closure::<dyn FnMut(JsValue)>::new(|message: JsValue| {
                let route = to_value(&message).and_then(|v| v.get("payload")?.as_str().map(str::to_owned));
                if let Some(route) = route {
                    crate::browser::set_hash(&route);
                }
            });
            // a click on a notification: the window names the route
            let _ = listen("open", opened.as_ref().unchecked_ref()).await;
            opened.forget();
            let listening = listen("home", callback.as_ref().unchecked_ref()).await.is_ok();
            // lives as long as the page
            callback.forget();
            sink.emit(if listening { Signal::Up } else { Signal::Down });
        });
    }
}

fn to_value(value: &JsValue) -> Option<Value> {
    if value.is_undefined() {
        return Some(Value::Null);
    }
    let text = js_sys::JSON::stringify(value).ok()?.as_string()?;
    serde_json::from_str(&text).ok()
}
