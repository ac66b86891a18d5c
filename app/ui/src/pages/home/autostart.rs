//! Start at login; only in the window, which alone can do it.

use crate::browser;
use crate::effects::use_ctx;
use crate::forms::fields::CheckField;
use hearthwatt_api::ApiError;
use wasm_bindgen::prelude::*;
use yew::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = ["window", "__TAURI__", "core"], catch)]
    async fn invoke(cmd: &str, args: JsValue) -> Result<JsValue, JsValue>;
}

fn in_window() -> bool {
    js_sys::Reflect::has(&browser::window(), &"__TAURI__".into()).unwrap_or(false)
}

/// Why it can't be changed, in the window's words.
fn reason(error: &JsValue) -> Option<ApiError> {
    let text = js_sys::JSON::stringify(error).ok()?.as_string()?;
    serde_json::from_str(&text).ok()
}

#[component]
pub fn Autostart() -> Html {
    let app = use_ctx();
    let on = use_state(|| None::<bool>);
    {
        let on = on.clone();
        use_effect_with((), move |()| {
            if in_window() {
                wasm_bindgen_futures::spawn_local(async move {
                    let now = invoke("autostart_get", JsValue::UNDEFINED).await;
                    on.set(now.ok().and_then(|v| v.as_bool()));
                });
            }
        });
    }
    let onchange = {
        let (app, on) = (app.clone(), on.clone());
        Callback::from(move |enabled: bool| {
            let (app, on) = (app.clone(), on.clone());
            wasm_bindgen_futures::spawn_local(async move {
                let args = js_sys::Object::new();
                let _ = js_sys::Reflect::set(&args, &"enabled".into(), &enabled.into());
                match invoke("autostart_set", args.into()).await {
                    Ok(now) => on.set(now.as_bool()),
                    Err(error) => {
                        on.set(Some(!enabled));
                        if let Some(error) = reason(&error) {
                            app.tell_error(&error);
                        }
                    }
                }
            });
        })
    };
    match *on {
        Some(checked) => html! {
            <CheckField form="look" name="autostart" label={app.t("look-autostart")} hint={AttrValue::from(app.t("look-autostart-hint"))} {checked} {onchange} />
        },
        None => html! {},
    }
}
