//! From a message handed to the broker until its number stands on the screen, with 50 meters at
//! one message a second: the hub's page in Chromium, and the desktop window in WebKit. Two numbers
//! are watched: the large one of *Now*, whose message comes last behind the 49 others of its second,
//! and on *Meters* the number of every meter.

use crate::report::{Report, quantile};
use anyhow::{Context, Result};
use hearthwatt_api::{AdoptMeters, ListMeters, SaveBroker};
use hearthwatt_domain::meter::Role;
use hearthwatt_tests::broker::Mosquitto;
use hearthwatt_tests::browser::{Browser, Look, find};
use hearthwatt_tests::hub::Hub;
use hearthwatt_tests::notifications::Desktop;
use hearthwatt_tests::process::usage_of;
use hearthwatt_tests::publish::Publisher;
use hearthwatt_tests::window::{Screen, Window};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use thirtyfour::WebDriver;

pub const METERS: usize = 50;
/// Values of *Now* in a round.
const NOW_SECONDS: u32 = 16;
/// Values of each meter on *Meters* in a round.
const METERS_SECONDS: u32 = 8;
const GRID: &str = "shellypro3em-0000000be0c4";
/// What is sent walks through these and begins again: never two alike within a round.
const WATTS: std::ops::Range<u32> = 100..990;

/// Each frame looks at the numbers; what is seen in a frame is on the screen at its end.
const LOOK: &str = "window.seen = {}; const look = () => { const at = Date.now(); \
    const see = (key, e) => { const n = parseInt((e?.textContent || '').replace(/[^0-9]/g, '')); \
        const s = window.seen[key] ??= {}; if (n && !(n in s)) s[n] = at; }; \
    see('now', document.querySelector('#power-now')); \
    for (const row of document.querySelectorAll('[data-testid=meter-row]')) \
        see(row.id, row.querySelector('[data-testid=meter-power]')); \
    requestAnimationFrame(look); }; look();";

/// Fifty meters on a broker of their own, and the element of each on *Meters*.
pub struct Meters {
    /// Runs as long as its meters are there.
    _broker: Mosquitto,
    publisher: Publisher,
    rows: Vec<String>,
    watts: u32,
}

impl Meters {
    /// Starts a hub with a grid meter and 49 plugs, all adopted.
    pub async fn adopted_by(folder: &Path) -> Result<(Hub, Meters)> {
        let broker = Mosquitto::start();
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
        let mut meters = Meters { _broker: broker, publisher, rows: Vec::new(), watts: WATTS.start };
        for _ in 0..200 {
            meters.second().await;
            if hub.call(ListMeters {}).await.found.len() >= METERS {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let adopted = hub.call(AdoptMeters { ids: vec![] }).await.adopted;
        anyhow::ensure!(adopted.len() == METERS, "{} of {METERS} meters", adopted.len());
        anyhow::ensure!(adopted.iter().any(|m| m.meter.role == Role::Grid), "the grid meter is seen as one");
        meters.rows = (0..METERS)
            .map(|n| {
                let view = adopted.iter().find(|m| device(n).contains(&m.meter.key.device_id));
                view.map(|m| format!("meter-{}", m.meter.id))
                    .with_context(|| format!("{} is adopted", device(n)))
            })
            .collect::<Result<_>>()?;
        Ok((hub, meters))
    }

    /// One message of every meter, the grid's last: of each what it said and when.
    pub async fn second(&mut self) -> Vec<(u32, f64)> {
        self.watts += 1;
        let mut sent = Vec::with_capacity(METERS);
        for n in (0..METERS).rev() {
            let watts = WATTS.start + (self.watts + 7 * n as u32) % (WATTS.end - WATTS.start);
            let payload = match n {
                0 => json!({ "id": 0, "total_act_power": watts }).to_string(),
                _ => watts.to_string(),
            };
            sent.push((watts, now_ms()));
            self.publisher.send(&device(n), payload).await;
        }
        sent.reverse();
        sent
    }
}

/// The topic of a meter; its device's name is in it. The first is the grid's.
fn device(n: usize) -> String {
    match n {
        0 => format!("{GRID}/status/em:0"),
        _ => format!("shellies/shellyplug-s-{n:06X}/relay/0/power"),
    }
}

fn now_ms() -> f64 {
    #[allow(
        clippy::disallowed_methods,
        reason = "a measurement is the edge: it compares with the browser's clock"
    )]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0
}

/// A page that is looked at, the program behind it, and all it showed.
struct Subject<'a> {
    name: &'static str,
    driver: &'a WebDriver,
    program: u32,
    meters: Meters,
    all: Vec<f64>,
}

impl Subject<'_> {
    async fn round(&mut self, report: &mut Report) -> Result<()> {
        let (_, ticks) = usage_of(self.program);
        let begun = Instant::now();
        let now =
            self.watch("#/now", "#power-now", NOW_SECONDS, |sent| vec![("now".to_owned(), sent[0])]).await?;
        self.report(report, "", &now);
        self.all.extend(now.iter().filter(|d| d.is_finite()));
        let rows = self.meters.rows.clone();
        let each = self
            .watch("#/meters", "[data-testid=meter-row]", METERS_SECONDS, |sent| {
                rows.iter().cloned().zip(sent.iter().copied()).collect()
            })
            .await?;
        self.report(report, "meters_", &each);
        let (rss, later) = usage_of(self.program);
        report.add(&format!("{}_rss_mb", self.name), rss as f64 / 1024.0);
        report.add(
            &format!("{}_cpu_percent", self.name),
            (later - ticks) as f64 / begun.elapsed().as_secs_f64(),
        );
        Ok(())
    }

    /// Delays of what was sent while a screen was open, ms; what was never seen is infinite.
    async fn watch(
        &mut self,
        route: &str,
        ready: &str,
        seconds: u32,
        shown_as: impl Fn(&[(u32, f64)]) -> Vec<(String, (u32, f64))>,
    ) -> Result<Vec<f64>> {
        self.driver.execute(format!("location.hash = '{route}'"), vec![]).await?;
        find(self.driver, ready).await?;
        tokio::time::sleep(Duration::from_millis(1500)).await;
        self.driver.execute("window.seen = {}", vec![]).await?;
        let mut sent: HashMap<(String, u32), f64> = HashMap::new();
        for _ in 0..seconds {
            let second = Instant::now();
            for (key, (watts, at)) in shown_as(&self.meters.second().await) {
                sent.insert((key, watts), at);
            }
            tokio::time::sleep(Duration::from_millis(1020).saturating_sub(second.elapsed())).await;
        }
        let seen: Value = self.driver.execute("return window.seen", vec![]).await?.json().clone();
        let mut delays: Vec<f64> = sent
            .iter()
            .map(|((key, watts), at)| seen[key][watts.to_string()].as_f64().map_or(f64::INFINITY, |s| s - at))
            .collect();
        delays.sort_by(f64::total_cmp);
        Ok(delays)
    }

    fn report(&self, report: &mut Report, what: &str, delays: &[f64]) {
        let name = self.name;
        let shown = delays.iter().filter(|d| d.is_finite()).count();
        report.add(&format!("{name}_{what}shown_share"), shown as f64 / delays.len() as f64);
        report.add(&format!("{name}_{what}p50_ms"), quantile(delays, 0.5));
        report.add(&format!("{name}_{what}p99_ms"), quantile(delays, 0.99));
    }
}

pub async fn measure(report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (hub, meters) = Meters::adopted_by(folder.path()).await?;
    let browser = Browser::open().await?;
    browser.look(Look::Light).await?;
    browser.driver.goto(&hub.url).await?;
    let mut page =
        Subject { name: "hub", driver: &browser.driver, program: hub.program.id(), meters, all: Vec::new() };

    // the same home for the window: a hub makes it, the window goes on with it
    let folder = tempfile::tempdir()?;
    let (mut maker, meters) = Meters::adopted_by(folder.path()).await?;
    maker.program.terminate(Duration::from_secs(20));
    let screen = Screen::start();
    let desktop = Desktop::start().await?;
    let window = Window::open(&screen, &desktop.address, folder.path(), &["--discovery", "off"]).await?;
    let program = running_with(folder.path()).context("the window's program is not found")?;
    let mut shown = Subject { name: "window", driver: &window.driver, program, meters, all: Vec::new() };

    for subject in [&mut page, &mut shown] {
        find(subject.driver, "#power-now").await?;
        subject.driver.execute(LOOK, vec![]).await?;
    }
    for _ in 0..report.rounds {
        // never both at once: the other one's meters are silent
        page.round(report).await?;
        shown.round(report).await?;
    }
    for subject in [&mut page, &mut shown] {
        subject.all.sort_by(f64::total_cmp);
        report.add(&format!("{}_all_rounds_p99_ms", subject.name), quantile(&subject.all, 0.99));
    }
    window.close().await?;
    browser.close().await
}

/// The process of the app that was started with this folder on its command line.
pub fn running_with(folder: &Path) -> Option<u32> {
    let word = folder.to_string_lossy();
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        let command = std::fs::read(entry.path().join("cmdline")).ok()?;
        let mut words = command.split(|b| *b == 0).map(String::from_utf8_lossy);
        let app = words.next()?.ends_with("/hearthwatt");
        (app && words.any(|w| w == word)).then_some(pid)
    })
}
