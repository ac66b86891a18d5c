//! Messages of the desktop and mobile window (Tauri's IPC).

use super::{Answer, Exported, Later, Signal, Transport, unavailable};
use hearthwatt_api::{ApiError, ErrorCode, Event};
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
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

/// Parts of a file that is handed over, bytes: a few hundred milliseconds each.
const PART_BYTES: f64 = 4.0 * 1024.0 * 1024.0;

async fn command(name: &str, args: JsValue) -> Result<Value, ApiError> {
    match invoke(name, args).await {
        Ok(reply) => to_value(&reply).ok_or_else(|| unavailable("The answer could not be read.")),
        Err(error) => Err(to_value(&error)
            .and_then(|v| serde_json::from_value::<ApiError>(v).ok())
            .unwrap_or_else(|| unavailable("The program does not answer."))),
    }
}

/// Part by part: a home's file may be larger than what fits into memory.
async fn hand_over(file: &web_sys::File) -> Result<(), ApiError> {
    let unreadable =
        |_| ApiError { code: ErrorCode::Invalid, message: "The file can't be read.".into(), retry: false };
    let (mut from, size) = (0.0, file.size());
    while from < size {
        let part = file.slice_with_f64_and_f64(from, (from + PART_BYTES).min(size)).map_err(unreadable)?;
        let bytes = JsFuture::from(part.array_buffer()).await.map_err(unreadable)?;
        command("import_part", js_sys::Uint8Array::new(&bytes).into()).await?;
        from += PART_BYTES;
    }
    Ok(())
}

impl Transport for Window {
    fn send(&self, name: &'static str, params: Value) -> Answer {
        Box::pin(async move {
            // JSON text keeps 64-bit integers whole on our side of the bridge
            let args = js_sys::JSON::parse(&json!({ "name": name, "params": params }).to_string())
                .map_err(|_| unavailable("The request could not be sent."))?;
            command("call", args).await
        })
    }

    fn export(&self) -> Later<Exported> {
        Box::pin(async move {
            let path = command("export_file", JsValue::UNDEFINED).await?;
            let path = path.as_str().ok_or_else(|| unavailable("The answer could not be read."))?;
            Ok(Exported::File(path.to_owned()))
        })
    }

    fn import(&self, file: web_sys::File) -> Later<()> {
        Box::pin(async move {
            command("import_begin", JsValue::UNDEFINED).await?;
            if let Err(error) = hand_over(&file).await {
                let _ = command("import_cancel", JsValue::UNDEFINED).await;
                return Err(error);
            }
            command("import_end", JsValue::UNDEFINED).await.map(drop)
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
