//! From a message handed to the broker until its number stands on the screen, with 50 meters at
//! one message a second; and what the hub needs for it in memory and processor time.

use crate::report::{Report, quantile};
use anyhow::Result;
use hearthwatt_api::{AdoptMeters, ListMeters, SaveBroker};
use hearthwatt_domain::meter::Role;
use hearthwatt_tests::broker::Mosquitto;
use hearthwatt_tests::browser::{Browser, Look, find};
use hearthwatt_tests::hub::Hub;
use hearthwatt_tests::notifications::Desktop;
use hearthwatt_tests::process::usage_of;
use hearthwatt_tests::publish::Publisher;
use hearthwatt_tests::window::{Screen, Window};
use serde_json::json;
use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const METERS: usize = 50;
const SECONDS: u32 = 20;
const GRID: &str = "shellypro3em-0000000be0c4";

/// A hub with a grid meter and 49 plugs, all adopted.
async fn home(folder: &std::path::Path, broker: &Mosquitto) -> Result<(Hub, Publisher)> {
    let hub = Hub::start(folder, &["--discovery", "off"]);
    let input = hearthwatt_api::BrokerInput {
        id: hearthwatt_domain::ids::BrokerId(uuid::Uuid::new_v4()),
        host: "127.0.0.1".into(),
        port: broker.port,
        tls: false,
        ca_pem: String::new(),
        username: String::new(),
        password: None,
    };
    hub.call(SaveBroker { broker: input }).await;
    let publisher = Publisher::connect(broker.port, "bench");
    for _ in 0..200 {
        publish(&publisher, 500).await;
        let list = hub.call(ListMeters {}).await;
        if list.found.len() >= METERS {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let adopted = hub.call(AdoptMeters { ids: vec![] }).await.adopted;
    anyhow::ensure!(adopted.len() == METERS, "{} of {METERS} meters", adopted.len());
    anyhow::ensure!(adopted.iter().any(|m| m.meter.role == Role::Grid), "the grid meter is seen as one");
    Ok((hub, publisher))
}

async fn publish(publisher: &Publisher, grid_watts: u32) {
    for n in 1..METERS {
        publisher.send(&format!("shellies/shellyplug-s-{n:06X}/relay/0/power"), format!("{}.5", n % 9)).await;
    }
    publish_grid(publisher, grid_watts).await;
}

async fn publish_grid(publisher: &Publisher, watts: u32) {
    let status = json!({ "id": 0, "total_act_power": watts });
    publisher.send(&format!("{GRID}/status/em:0"), status.to_string()).await;
}

fn now_ms() -> f64 {
    #[allow(
        clippy::disallowed_methods,
        reason = "a measurement is the edge: it compares with the browser's clock"
    )]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0
}

pub async fn measure(report: &mut Report) -> Result<()> {
    let broker = Mosquitto::start();
    let folder = tempfile::tempdir()?;
    let (hub, publisher) = home(folder.path(), &broker).await?;
    let browser = Browser::open().await?;
    browser.look(Look::Light).await?;
    browser.driver.goto(&hub.url).await?;
    find(&browser.driver, "#power-now").await?;
    // each frame looks at the number; what is seen in a frame is on the screen at its end
    browser
        .driver
        .execute(
            "window.seen = {}; const look = () => { const t = document.querySelector('#power-now')?.textContent || ''; \
             const n = parseInt(t.replace(/[^0-9]/g, '')); if (n && !(n in window.seen)) window.seen[n] = Date.now(); \
             requestAnimationFrame(look); }; look();",
            vec![],
        )
        .await?;
    let mut value = 100;
    for _ in 0..report.rounds {
        let (_, ticks) = hub.program.usage();
        let begun = std::time::Instant::now();
        let mut sent: HashMap<u32, f64> = HashMap::new();
        for _ in 0..SECONDS {
            let second = std::time::Instant::now();
            value = if value >= 990 { 100 } else { value + 1 };
            for n in 1..METERS {
                publisher
                    .send(&format!("shellies/shellyplug-s-{n:06X}/relay/0/power"), format!("{}.5", n % 9))
                    .await;
            }
            sent.insert(value, now_ms());
            publish_grid(&publisher, value).await;
            tokio::time::sleep(Duration::from_millis(1020).saturating_sub(second.elapsed())).await;
        }
        let elapsed = begun.elapsed().as_secs_f64();
        let seen =
            browser.driver.execute("const s = window.seen; window.seen = {}; return s", vec![]).await?;
        let mut delays: Vec<f64> = sent
            .iter()
            .filter_map(|(value, at)| Some(seen.json().get(value.to_string())?.as_f64()? - at))
            .collect();
        delays.sort_by(f64::total_cmp);
        report.add("hub_shown_share", delays.len() as f64 / sent.len() as f64);
        report.add("hub_p50_ms", quantile(&delays, 0.5));
        report.add("hub_p99_ms", quantile(&delays, 0.99));
        let (rss, later) = hub.program.usage();
        report.add("hub_rss_mb", rss as f64 / 1024.0);
        report.add("hub_cpu_percent", (later - ticks) as f64 / elapsed);
    }
    browser.close().await
}

pub async fn measure_memory(report: &mut Report) -> Result<()> {
    let broker = Mosquitto::start();
    for _ in 0..report.rounds {
        let folder = tempfile::tempdir()?;
        let (hub, publisher) = home(folder.path(), &broker).await?;
        let (_, ticks) = hub.program.usage();
        let begun = std::time::Instant::now();
        for second in 0..15 {
            publish(&publisher, 300 + second).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let (rss, later) = hub.program.usage();
        report.add("hub_rss_mb", rss as f64 / 1024.0);
        report.add("hub_cpu_percent", (later - ticks) as f64 / begun.elapsed().as_secs_f64());
    }
    let screen = Screen::start();
    let desktop = Desktop::start().await?;
    for _ in 0..report.rounds {
        let folder = tempfile::tempdir()?;
        let window = Window::open(&screen, &desktop.address, folder.path(), &["--demo"]).await?;
        find(&window.driver, "#power-now").await?;
        tokio::time::sleep(Duration::from_secs(10)).await;
        // the program itself; the web view's processes belong to the system's WebKit
        let name = folder.path().to_string_lossy().into_owned();
        if let Some(pid) = running_with(&name) {
            let (_, ticks) = usage_of(pid);
            let begun = std::time::Instant::now();
            tokio::time::sleep(Duration::from_secs(10)).await;
            let (rss, later) = usage_of(pid);
            report.add("window_rss_mb", rss as f64 / 1024.0);
            report.add("window_cpu_percent", (later - ticks) as f64 / begun.elapsed().as_secs_f64());
        }
        window.close().await?;
    }
    Ok(())
}

/// The process of the app that was started with this word on its command line.
fn running_with(word: &str) -> Option<u32> {
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let command = std::fs::read(entry.path().join("cmdline")).ok()?;
        let mut words = command.split(|b| *b == 0).map(String::from_utf8_lossy);
        let app = words.next()?.ends_with("/hearthwatt");
        (app && words.any(|w| w == word)).then_some(pid)
    })
}
