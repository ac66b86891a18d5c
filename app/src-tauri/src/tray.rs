//! The icon in the tray: today's use at a glance, and the way back to the window.

use crate::window;
use crate::words::Words;
use hearthwatt_api::{Call, GetOverview, Overview};
use hearthwatt_shell::Shell;
use std::time::Duration;
use tauri::menu::{Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{App, AppHandle, Manager};

/// Pause between two looks at the home.
const EVERY: Duration = Duration::from_secs(10);

struct Tray {
    icon: TrayIcon,
    today: MenuItem<tauri::Wry>,
    now: MenuItem<tauri::Wry>,
}

/// What the tray says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Lines {
    today: String,
    now: String,
}

/// Puts the icon into the tray; the answer is whether that worked.
pub fn start(app: &mut App) -> bool {
    // Where the system's tray library is missing, loading it panics instead of failing.
    let built = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| build(app)));
    match built {
        Ok(Ok(tray)) => {
            app.manage(tray);
            let handle = app.handle().clone();
            tauri::async_runtime::spawn(async move { keep_current(handle).await });
            true
        }
        Ok(Err(e)) => {
            tracing::warn!("no icon in the tray: {e}");
            false
        }
        Err(_) => {
            tracing::warn!("no icon in the tray: the system's tray library is missing");
            false
        }
    }
}

fn build(app: &App) -> tauri::Result<Tray> {
    let words = Words::of_this_computer();
    let item = |id, key, enabled| MenuItem::with_id(app, id, words.text(key, &[]), enabled, None::<&str>);
    let today = item("today", "tray-unknown", false)?;
    let now = MenuItem::with_id(app, "now", "", false, None::<&str>)?;
    let open = item("open", "tray-open", true)?;
    let quit = item("quit", "tray-quit", true)?;
    let separator = PredefinedMenuItem::separator(app)?;
    let menu = Menu::with_items(app, &[&today, &now, &separator, &open, &quit])?;
    let mut builder = TrayIconBuilder::with_id("main")
        .tooltip("Hearthwatt")
        .menu(&menu)
        .show_menu_on_left_click(cfg!(target_os = "macos"))
        .on_menu_event(|app, event| match event.id().as_ref() {
            "open" => window::show(app),
            "quit" => app.exit(0),
            _ => {}
        })
        .on_tray_icon_event(|tray, event| {
            if let TrayIconEvent::Click {
                button: MouseButton::Left,
                button_state: MouseButtonState::Up,
                ..
            } = event
            {
                window::show(tray.app_handle());
            }
        });
    if let Some(icon) = app.default_window_icon() {
        builder = builder.icon(icon.clone());
    }
    Ok(Tray { icon: builder.build(app)?, today, now })
}

/// Whether a person can see the icon, and so come back from a hidden window.
pub fn is_shown(app: &AppHandle) -> bool {
    app.try_state::<Tray>().is_some() && desktop_shows_trays()
}

/// Some Linux desktops have no tray; those that have one own this name on the session bus.
#[cfg(target_os = "linux")]
fn desktop_shows_trays() -> bool {
    const WATCHER: &str = "org.kde.StatusNotifierWatcher";
    tauri::async_runtime::block_on(async {
        let asked = async {
            let bus = zbus::Connection::session().await?;
            let watcher = zbus::names::BusName::try_from(WATCHER)?;
            Ok::<_, zbus::Error>(zbus::fdo::DBusProxy::new(&bus).await?.name_has_owner(watcher).await?)
        };
        matches!(tokio::time::timeout(Duration::from_secs(1), asked).await, Ok(Ok(true)))
    })
}

#[cfg(not(target_os = "linux"))]
fn desktop_shows_trays() -> bool {
    true
}

async fn keep_current(app: AppHandle) {
    let shell = app.state::<Shell>().inner().clone();
    let mut shown = None;
    loop {
        let overview = shell
            .call(GetOverview::NAME, serde_json::json!({}))
            .await
            .ok()
            .and_then(|value| serde_json::from_value::<Overview>(value).ok());
        let lines = lines(overview.as_ref(), &Words::of_this_computer());
        if shown.as_ref() != Some(&lines) {
            if let Err(e) = show(&app, &lines) {
                tracing::warn!("the tray can't be updated: {e}");
            }
            shown = Some(lines);
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn show(app: &AppHandle, lines: &Lines) -> tauri::Result<()> {
    let Some(tray) = app.try_state::<Tray>() else { return Ok(()) };
    tray.today.set_text(&lines.today)?;
    tray.now.set_text(&lines.now)?;
    // menus are all that Linux trays show; elsewhere the tooltip says the same
    tray.icon.set_tooltip(Some(format!("Hearthwatt\n{}\n{}", lines.now, lines.today)))
}

fn lines(overview: Option<&Overview>, words: &Words) -> Lines {
    let Some(overview) = overview else {
        return Lines { today: words.text("tray-trouble", &[]), now: String::new() };
    };
    let energy = words.energy(overview.today.used);
    let today = match overview.today.cost {
        Some(cost) => words.text(
            "tray-today-cost",
            &[("energy", &energy), ("cost", &words.money(cost, &overview.currency))],
        ),
        None => words.text("tray-today", &[("energy", &energy)]),
    };
    let now = match overview.flow.home {
        Some(power) => words.text("tray-now", &[("power", &words.power(power))]),
        None => words.text("tray-unknown", &[]),
    };
    Lines { today, now }
}
