//! The window: shown, hidden, brought to a page.

use crate::tray;
use hearthwatt_api::Event;
use tauri::{AppHandle, Emitter, Manager, Window, WindowEvent};

/// Label of the one window.
pub const MAIN: &str = "main";

/// Shows the window and brings it to the front.
pub fn show(app: &AppHandle) {
    let Some(window) = app.get_webview_window(MAIN) else { return };
    let was_hidden = !window.is_visible().unwrap_or(false);
    let shown = window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus());
    if let Err(e) = shown {
        tracing::warn!("the window can't be brought to the front: {e}");
    }
    if was_hidden {
        // while it was hidden it got no live values
        let _ = app.emit_to(MAIN, "home", Event::Lagged);
    }
}

/// Shows the window on a page of the interface, `#/…`.
pub fn open(app: &AppHandle, route: &str) {
    show(app);
    if let Err(e) = app.emit_to(MAIN, "open", route) {
        tracing::warn!("the page can't be told to open {route}: {e}");
    }
}

/// Closing the window leaves Hearthwatt in the tray, where there is one; else it ends.
pub fn on_event(window: &Window, event: &WindowEvent) {
    if let WindowEvent::CloseRequested { api, .. } = event
        && tray::is_shown(window.app_handle())
    {
        api.prevent_close();
        if let Err(e) = window.hide() {
            tracing::warn!("the window can't be hidden: {e}");
        }
    }
}
