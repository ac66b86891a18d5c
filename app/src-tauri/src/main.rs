//! Hearthwatt in a window. The home runs in the same process (`hearthwatt-shell`); here are only
//! the window, the tray, notifications and start at login.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod args;
mod bridge;
mod commands;
mod notify;
mod transfer;
mod tray;
mod window;
mod words;

use args::Args;
use clap::Parser;
use hearthwatt_api::{Call, StartDemo};
use hearthwatt_shell::{Claim, Machine, OpenUrl, Shell, ShellOptions, logging};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tauri::{App, AppHandle, Manager, RunEvent};

/// Closing the home when the program ends.
const CLOSE_LIMIT: Duration = Duration::from_secs(4);

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Err(e) => {
            tracing::error!("{e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> anyhow::Result<i32> {
    let mut builder = tauri::Builder::default();
    // First of all: a second start must not get as far as the data folder. One with a folder of
    // its own is a home of its own; should that folder be in use, the page says so.
    if args.home.data.is_none() {
        builder = builder.plugin(
            tauri_plugin_single_instance::Builder::new()
                .callback(|app, words, _| started_again(app, &words))
                .build(),
        );
    }
    let at_login = args.again_at_login();
    let app = builder
        .plugin(tauri_plugin_notification::init())
        .plugin(tauri_plugin_autostart::Builder::new().args(at_login).build())
        .invoke_handler(tauri::generate_handler![
            commands::call,
            commands::autostart_get,
            commands::autostart_set,
            transfer::export_file,
            transfer::import_begin,
            transfer::import_part,
            transfer::import_end,
            transfer::import_cancel
        ])
        .on_window_event(window::on_event)
        .setup(move |app| start(app, args).map_err(Into::into))
        .build(tauri::generate_context!())?;
    Ok(app.run_return(|app, event| {
        if let RunEvent::Exit = event {
            bridge::close(app, CLOSE_LIMIT);
        }
    }))
}

/// Brings the home up behind the window; neither waits for the other.
fn start(app: &mut App, args: Args) -> anyhow::Result<()> {
    let claim = Claim::new(args.home.data);
    logging::start(&args.home.log, claim.folder().ok().map(|f| f.logs()).as_deref())?;
    let options = ShellOptions { demo: args.home.demo, discovery: args.home.discovery.into() };
    let shell = tauri::async_runtime::block_on(async {
        Shell::start_on(claim, options, Machine::this(Some(browser())))
    });
    bridge::start(app, shell);
    let tray = tray::start(app);
    if !(args.background && tray) {
        window::show(app.handle());
    }
    Ok(())
}

/// The system's browser, for signing in: never the window's own web view, so that the person sees
/// the address, and no page of a server runs inside the app.
fn browser() -> OpenUrl {
    Arc::new(|url| match tauri_plugin_opener::open_url(url, None::<&str>) {
        Ok(()) => true,
        Err(e) => {
            tracing::warn!("the browser can't be opened: {e}");
            false
        }
    })
}

/// A second start brings this one to the front, and to what it asked for.
fn started_again(app: &AppHandle, words: &[String]) {
    window::show(app);
    let asked = Args::try_parse_from(words).is_ok_and(|args| args.home.demo);
    if let Some(shell) = app.try_state::<Shell>().filter(|_| asked).map(|s| s.inner().clone()) {
        tauri::async_runtime::spawn(async move {
            if let Err(e) = shell.call(StartDemo::NAME, serde_json::json!({})).await {
                tracing::warn!("the demo that a second start asked for did not begin: {e}");
            }
        });
    }
}
