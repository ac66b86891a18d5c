//! From starting the program to its first value: the hub, and the window under a virtual screen.

use crate::report::Report;
use anyhow::Result;
use hearthwatt_api::GetOverview;
use hearthwatt_tests::browser::text_when;
use hearthwatt_tests::hub::Hub;
use hearthwatt_tests::notifications::Desktop;
use hearthwatt_tests::window::{Screen, Window};
use std::time::{Duration, Instant};

pub async fn measure(report: &mut Report) -> Result<()> {
    let screen = Screen::start();
    let desktop = Desktop::start().await?;
    for _ in 0..report.rounds {
        let folder = tempfile::tempdir()?;
        let started = Instant::now();
        let hub = Hub::start(folder.path(), &["--discovery", "off"]);
        hub.call(GetOverview {}).await;
        report.add("hub_answers_ms", started.elapsed().as_secs_f64() * 1000.0);
        drop(hub);

        // the demo makes thirteen months of history first
        let folder = tempfile::tempdir()?;
        let started = Instant::now();
        let hub = Hub::start(folder.path(), &["--demo"]);
        hub.wait_for("a value", Duration::from_secs(60), GetOverview {}, |o| o.flow.home).await;
        report.add("hub_demo_first_value_ms", started.elapsed().as_secs_f64() * 1000.0);
        drop(hub);

        let folder = tempfile::tempdir()?;
        let started = Instant::now();
        let window = Window::open(&screen, &desktop.address, folder.path(), &["--demo"]).await?;
        text_when(&window.driver, "#power-now", Duration::from_secs(60), |t| {
            t.contains('W') && t.chars().any(|c| c.is_ascii_digit())
        })
        .await?;
        report.add("window_demo_first_value_ms", started.elapsed().as_secs_f64() * 1000.0);
        window.close().await?;
    }
    Ok(())
}
