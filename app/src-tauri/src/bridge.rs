//! Events of the home on their way to the page, the notifications and the tray.

use crate::notify;
use crate::transfer::Incoming;
use crate::window::{self, MAIN};
use hearthwatt_api::Event;
use hearthwatt_shell::Shell;
use std::time::Duration;
use tauri::{App, AppHandle, Emitter, Manager};

/// Makes the shell known to the commands and starts carrying its events.
pub fn start(app: &mut App, shell: Shell) {
    notify::start(app.handle());
    app.manage(shell.clone());
    app.manage(Incoming::default());
    let handle = app.handle().clone();
    tauri::async_runtime::spawn(async move {
        let mut events = shell.events();
        while let Some(event) = events.next().await {
            if let Event::AlertRaised { alert } = &event {
                notify::raised(&handle, &shell, alert).await;
            }
            forward(&handle, event);
        }
    });
    stop_on_signal(app.handle().clone());
}

/// Live values are for eyes: nobody sees those of a hidden window.
fn forward(app: &AppHandle, event: Event) {
    let Some(window) = app.get_webview_window(MAIN) else { return };
    if matches!(event, Event::Live(_)) && !window.is_visible().unwrap_or(true) {
        return;
    }
    if let Err(e) = app.emit_to(MAIN, "home", event) {
        tracing::warn!("an event did not reach the page: {e}");
    }
}

/// Closes the home; a disk that hangs does not keep the program from ending.
pub fn close(app: &AppHandle, limit: Duration) {
    let Some(shell) = app.try_state::<Shell>().map(|s| s.inner().clone()) else { return };
    let closed = tauri::async_runtime::block_on(async { tokio::time::timeout(limit, shell.close()).await });
    if closed.is_err() {
        tracing::warn!("the home took too long to close; what was stored is safe");
    }
}

/// The end of the session, or of an impatient person at a terminal.
fn stop_on_signal(app: AppHandle) {
    tauri::async_runtime::spawn(async move {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let (Ok(mut terminate), Ok(mut interrupt)) =
                (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
            else {
                return;
            };
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            return;
        }
        app.exit(0);
    });
}

/// Where an alert is shown.
pub fn open_alert(app: &AppHandle, id: &str) {
    window::open(app, &format!("#/alerts/{id}"));
}
