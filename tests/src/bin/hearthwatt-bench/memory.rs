//! Memory and processor share: the hub with 50 meters at one message a second, the window with the
//! demo home on the screen.

use crate::latency::{Meters, running_with};
use crate::report::Report;
use anyhow::{Context, Result};
use hearthwatt_tests::browser::find;
use hearthwatt_tests::notifications::Desktop;
use hearthwatt_tests::process::{usage_of, web_view_kb};
use hearthwatt_tests::window::{Screen, Window};
use std::time::{Duration, Instant};

/// How long a program is watched, seconds.
const WATCHED_S: u32 = 12;

pub async fn measure(report: &mut Report) -> Result<()> {
    let screen = Screen::start();
    let desktop = Desktop::start().await?;
    for _ in 0..report.rounds {
        let folder = tempfile::tempdir()?;
        let (hub, mut meters) = Meters::adopted_by(folder.path()).await?;
        let (_, ticks) = hub.program.usage();
        let begun = Instant::now();
        for _ in 0..WATCHED_S {
            meters.second().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let (rss, later) = hub.program.usage();
        report.add("hub_rss_mb", rss as f64 / 1024.0);
        report.add("hub_cpu_percent", (later - ticks) as f64 / begun.elapsed().as_secs_f64());
        drop(hub);

        let folder = tempfile::tempdir()?;
        let window = Window::open(&screen, &desktop.address, folder.path(), &["--demo"]).await?;
        find(&window.driver, "#power-now").await?;
        // thirteen months are made first, and the page settles
        tokio::time::sleep(Duration::from_secs(8)).await;
        let pid = running_with(folder.path()).context("the window's program is not found")?;
        let (_, ticks) = usage_of(pid);
        let begun = Instant::now();
        tokio::time::sleep(Duration::from_secs(WATCHED_S.into())).await;
        let (rss, later) = usage_of(pid);
        // the program itself, and what the system's WebKit needs for it
        report.add("window_rss_mb", rss as f64 / 1024.0);
        report.add("window_web_view_pss_mb", web_view_kb(pid) as f64 / 1024.0);
        report.add("window_cpu_percent", (later - ticks) as f64 / begun.elapsed().as_secs_f64());
        window.close().await?;
    }
    Ok(())
}
