//! The few things the page takes from the browser, each in one place.

use hearthwatt_domain::time::UnixMillis;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;

/// The browser's window; only ever called on a page.
pub fn window() -> web_sys::Window {
    web_sys::window().unwrap_throw()
}

pub fn document() -> web_sys::Document {
    window().document().unwrap_throw()
}

/// The viewer's clock. Compare with the home's through [`crate::effects::Clock`].
pub fn now() -> UnixMillis {
    UnixMillis(js_sys::Date::now() as i64)
}

pub fn hash() -> String {
    window().location().hash().unwrap_or_default()
}

pub fn set_hash(hash: &str) {
    let _ = window().location().set_hash(hash);
}

/// Changes the address without a step to go back to.
pub fn replace_hash(hash: &str) {
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(hash));
    }
}

/// The browser's languages, most wanted first.
pub fn languages() -> Vec<String> {
    window().navigator().languages().iter().filter_map(|v| v.as_string()).collect()
}

/// Kept on this device; `None` too where storage is switched off.
pub fn stored(key: &str) -> Option<String> {
    window().local_storage().ok()??.get_item(key).ok()?
}

pub fn store(key: &str, value: &str) {
    if let Ok(Some(s)) = window().local_storage() {
        let _ = s.set_item(key, value);
    }
}

/// Kept while this tab is open.
pub fn session(key: &str) -> Option<String> {
    window().session_storage().ok()??.get_item(key).ok()?
}

pub fn set_session(key: &str, value: &str) {
    if let Ok(Some(s)) = window().session_storage() {
        let _ = s.set_item(key, value);
    }
}

pub fn focus(id: &str) {
    if let Some(e) = document().get_element_by_id(id).and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok())
    {
        let _ = e.focus();
    }
}

/// Marks all of a text field, so that the person can copy it themselves.
pub fn mark(id: &str) {
    if let Some(input) =
        document().get_element_by_id(id).and_then(|e| e.dyn_into::<web_sys::HtmlInputElement>().ok())
    {
        let _ = input.focus();
        input.select();
    }
}

/// Puts `text` on the clipboard; it stands in the field `id` too, which is left marked. Where the
/// page came over plain HTTP from another computer there is no clipboard but the old way.
pub async fn copy(id: &str, text: &str) -> bool {
    mark(id);
    let navigator = window().navigator();
    let has_clipboard = js_sys::Reflect::get(&navigator, &"clipboard".into()).is_ok_and(|c| c.is_object());
    if has_clipboard
        && wasm_bindgen_futures::JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
    {
        return true;
    }
    let old = document().dyn_into::<web_sys::HtmlDocument>();
    old.is_ok_and(|d| d.exec_command("copy").unwrap_or(false))
}

/// A random UUID (version 4) for what a person creates.
pub fn random_uuid() -> uuid::Uuid {
    let mut bytes = [0; 16];
    if let Ok(crypto) = window().crypto() {
        let _ = crypto.get_random_values_with_u8_array(&mut bytes);
    }
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// Offers `text` as a file.
pub fn download(name: &str, mime: &str, text: &str) {
    let parts = js_sys::Array::of1(&JsValue::from_str(text));
    let options = web_sys::BlobPropertyBag::new();
    options.set_type(mime);
    let Ok(blob) = web_sys::Blob::new_with_str_sequence_and_options(&parts, &options) else { return };
    let Ok(url) = web_sys::Url::create_object_url_with_blob(&blob) else { return };
    if let Some(a) =
        document().create_element("a").ok().and_then(|a| a.dyn_into::<web_sys::HtmlAnchorElement>().ok())
    {
        a.set_href(&url);
        a.set_download(name);
        a.click();
    }
    // the browser still reads from it after the click
    Timeout::after(10_000, move || {
        let _ = web_sys::Url::revoke_object_url(&url);
    })
    .forget();
}

/// Has the browser download what an address of our own serves as a file.
pub fn follow_download(path: &str) {
    if let Some(a) =
        document().create_element("a").ok().and_then(|a| a.dyn_into::<web_sys::HtmlAnchorElement>().ok())
    {
        a.set_href(path);
        // its name is the server's
        a.set_download("");
        a.click();
    }
}

/// Runs once after a while, unless dropped before.
#[must_use = "dropping it cancels it"]
pub struct Timeout {
    id: i32,
    _run: Option<Closure<dyn FnMut()>>,
}

impl Timeout {
    pub fn after(ms: i32, run: impl FnOnce() + 'static) -> Self {
        let run = Closure::once(run);
        let id = window()
            .set_timeout_with_callback_and_timeout_and_arguments_0(run.as_ref().unchecked_ref(), ms)
            .unwrap_or_default();
        Self { id, _run: Some(run) }
    }
    /// Lets it run whatever happens to the caller.
    pub fn forget(mut self) {
        if let Some(run) = self._run.take() {
            run.forget();
        }
    }
}

impl Drop for Timeout {
    fn drop(&mut self) {
        if self._run.is_some() {
            window().clear_timeout_with_handle(self.id);
        }
    }
}

/// Runs again and again until dropped.
#[must_use = "dropping it cancels it"]
pub struct Interval {
    id: i32,
    _run: Closure<dyn FnMut()>,
}

impl Interval {
    pub fn every(ms: i32, run: impl FnMut() + 'static) -> Self {
        let run = Closure::<dyn FnMut()>::new(run);
        let id = window()
            .set_interval_with_callback_and_timeout_and_arguments_0(run.as_ref().unchecked_ref(), ms)
            .unwrap_or_default();
        Self { id, _run: run }
    }
}

impl Drop for Interval {
    fn drop(&mut self) {
        window().clear_interval_with_handle(self.id);
    }
}

/// Listens until dropped.
#[must_use = "dropping it stops listening"]
pub struct Listener {
    target: web_sys::EventTarget,
    name: &'static str,
    run: Closure<dyn FnMut(web_sys::Event)>,
}

impl Listener {
    pub fn on(
        target: &web_sys::EventTarget,
        name: &'static str,
        run: impl FnMut(web_sys::Event) + 'static,
    ) -> Self {
        let run = Closure::<dyn FnMut(web_sys::Event)>::new(run);
        let _ = target.add_event_listener_with_callback(name, run.as_ref().unchecked_ref());
        Self { target: target.clone(), name, run }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.target.remove_event_listener_with_callback(self.name, self.run.as_ref().unchecked_ref());
    }
}
