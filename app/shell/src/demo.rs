//! The demo home: a simulated household with thirteen months behind it, which goes on live.
//!
//! Its meters speak the real protocols to a broker on this computer, and the engine listens to
//! them as it would to any others; nothing of it leaves the computer. It neither browses nor
//! announces: no meter of the household gets into the demo, and none of the demo into another
//! home that listens on this computer. What its meters have measured so far comes from the same
//! plan that they go on with, so history and live values join without a seam.

use crate::clock::SystemClock;
use crate::failure::Failure;
use crate::home::OpenHome;
use crate::locale;
use hearthwatt_api::{ApiError, BrokerInput, Event, NoticeCode};
use hearthwatt_discovery::net::broker::{self, BrokerOptions, OwnBroker};
use hearthwatt_domain::ids::{BrokerId, TariffId};
use hearthwatt_domain::meter::{Adoption, Meter, MeterKey};
use hearthwatt_domain::reading::Reading;
use hearthwatt_domain::tariff::{PriceSchedule, PriceWindow, Tariff};
use hearthwatt_domain::time::{Span, UnixMillis};
use hearthwatt_domain::units::{Money, Price};
use hearthwatt_engine::{Clock, Discovery, HomeOptions, Preset};
use hearthwatt_sim::{BrokerAddress, Plan, PlannedMeter, SimHome, SimOptions, plan};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::{broadcast, mpsc};

/// The same household each time.
const SEED: u64 = 20_251_101;
/// How far back its history goes: a year and the month before, so that every month shown has
/// one of last year beside it.
const HISTORY_DAYS: i64 = 396;
/// Pause between two past readings of a register; short enough to count as measured.
const HISTORY_STEP_MS: i64 = 5 * 60 * 1000;
/// The last day is denser, and has power as well: the live chart begins with it.
const RECENT_MS: i64 = DAY_MS;
const RECENT_STEP_MS: i64 = 60 * 1000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Readings stored at once.
const BATCH: usize = 20_000;
/// Batches that may wait for the disk.
const BATCHES_AHEAD: usize = 2;

/// Whose time the demo runs on: this machine's, or a faster one in tests.
pub(crate) struct DemoTime {
    pub(crate) clock: Arc<dyn Clock>,
    /// Seconds of the clock per real second.
    pub(crate) speed: f64,
}

impl DemoTime {
    pub(crate) fn real() -> Self {
        Self { clock: Arc::new(SystemClock), speed: 1.0 }
    }
}

/// A demo home that runs until stopped.
pub(crate) struct Demo {
    home: OpenHome,
    sim: SimHome,
    broker: OwnBroker,
    folder: PathBuf,
}

impl Demo {
    /// Builds the home anew in `folder` (what was there goes) and starts its meters.
    pub(crate) async fn start(
        folder: PathBuf,
        pages: broadcast::Sender<Event>,
        time: DemoTime,
    ) -> Result<Self, Failure> {
        let began = Instant::now();
        wipe(&folder)?;
        let broker = broker::start(BrokerOptions::loopback()).map_err(|e| failure(&e))?;
        let zone_name = locale::zone();
        let zone = TimeZone::get(&zone_name).unwrap_or(TimeZone::UTC);
        let address = broker.address();
        let home =
            OpenHome::open(options(folder.clone(), time.clock.clone(), &zone_name, address), pages, |_| true)
                .await?;
        let plan = Arc::new(plan(SEED, zone.clone()));
        match furnish(&home, &plan, &zone, &*time.clock).await {
            Ok(readings) => tracing::info!(readings, ms = began.elapsed().as_millis(), "demo home built"),
            Err(e) => {
                home.close().await;
                return Err(failure(&e));
            }
        }
        let mut sim = SimOptions::new(SEED, zone, time.clock.now());
        sim.speed = time.speed;
        sim.broker = BrokerAddress::At { host: address.ip().to_string(), port: address.port() };
        match SimHome::start(sim).await {
            Ok(sim) => Ok(Self { home, sim, broker, folder }),
            Err(e) => {
                home.close().await;
                Err(failure(&e))
            }
        }
    }

    pub(crate) fn home(&self) -> &OpenHome {
        &self.home
    }

    pub(crate) async fn stop(self) {
        self.sim.stop().await;
        self.home.close().await;
        self.broker.stop().await;
        // the next one is built anew anyway; what can't go now goes then
        let _ = wipe(&self.folder);
    }
}

fn options(folder: PathBuf, clock: Arc<dyn Clock>, zone: &str, broker: std::net::SocketAddr) -> HomeOptions {
    let host = broker.ip().to_string();
    let mut options = HomeOptions::new(folder, clock, zone, "EUR");
    options.home_name = "Demo home".into();
    options.discovery = Discovery::Off;
    options.demo = true;
    options.brokers = vec![BrokerInput {
        id: BrokerId::derive(&[&host, &broker.port().to_string()]),
        host,
        port: broker.port(),
        tls: false,
        ca_pem: String::new(),
        username: String::new(),
        password: None,
    }];
    options
}

/// Meters and prices first, then what was measured, then budgets, which are judged on it.
/// The number of readings stored.
async fn furnish(
    home: &OpenHome,
    plan: &Arc<Plan>,
    zone: &TimeZone,
    clock: &dyn Clock,
) -> Result<u64, ApiError> {
    let home = home.home();
    let now = clock.now();
    // A reading on every full interval: what was used since midnight is then exact, not shared out
    // between the readings before and after it.
    let start = now.plus_ms(-HISTORY_DAYS * DAY_MS).interval_start();
    let preset = Preset {
        meters: plan.meters().iter().map(meter).collect(),
        tariffs: tariffs(start, now, zone),
        budgets: Vec::new(),
    };
    home.configure(preset).await?;

    // computed on a thread of its own while the disk takes the batch before
    let (batches, mut ready) = mpsc::channel(BATCHES_AHEAD);
    let past = plan.clone();
    let history = tokio::task::spawn_blocking(move || send_history(&past, start, now, &batches));
    let mut stored = 0;
    while let Some(batch) = ready.recv().await {
        stored += home.import(batch).await?.stored;
    }
    // a panic in there is the only error there can be
    let _ = history.await;

    // what was measured while the rest was being stored
    let then = clock.now();
    let meanwhile = Span::new(now, then);
    let meanwhile =
        plan.readings(meanwhile, RECENT_STEP_MS).chain(plan.power_readings(meanwhile, RECENT_STEP_MS));
    let meanwhile: Vec<Reading> = meanwhile.collect();
    stored += home.import(meanwhile).await?.stored;
    home.configure(Preset { budgets: plan.demo_budgets(then), ..Preset::default() }).await?;
    Ok(stored)
}

/// All past readings in batches, registers first and oldest first; ends early when nobody takes them any more.
fn send_history(plan: &Plan, start: UnixMillis, now: UnixMillis, batches: &mpsc::Sender<Vec<Reading>>) {
    let recent = now.plus_ms(-RECENT_MS).interval_start();
    let (old, new) = (Span::new(start, recent), Span::new(recent, now));
    let all = plan
        .readings(old, HISTORY_STEP_MS)
        .chain(plan.readings(new, RECENT_STEP_MS))
        .chain(plan.power_readings(new, RECENT_STEP_MS));
    let mut batch = Vec::with_capacity(BATCH);
    for reading in all {
        batch.push(reading);
        if batch.len() == BATCH {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
            if batches.blocking_send(full).is_err() {
                return;
            }
        }
    }
    let _ = batches.blocking_send(batch);
}

fn meter(planned: &PlannedMeter) -> Meter {
    Meter {
        id: planned.key.id(),
        key: planned.key.clone(),
        adoption: Adoption::Adopted,
        name: planned.name.clone(),
        room: planned.room.clone(),
        role: planned.role,
        parent: planned.parent.as_ref().map(MeterKey::id),
        inverted: false,
        manufacturer: planned.manufacturer.clone(),
        model: planned.model.clone(),
    }
}

/// Last year's flat price, and since the start of this year one that is lower at night.
fn tariffs(start: UnixMillis, now: UnixMillis, zone: &TimeZone) -> Vec<Tariff> {
    let date = |t: UnixMillis| t.to_jiff().unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone()).date();
    let first = date(start);
    let change = date(now).first_of_year().max(first);
    let export = Some(PriceSchedule::Flat { price: Price::from_major_per_kwh(0.0786) });
    let mut tariffs = Vec::new();
    if change > first {
        tariffs.push(Tariff {
            id: TariffId::derive(&["demo", "flat"]),
            name: "Basic".into(),
            valid_from: first,
            valid_to: Some(change),
            import: PriceSchedule::Flat { price: Price::from_major_per_kwh(0.329) },
            export: export.clone(),
            standing_charge_per_day: Money::from_major(0.39),
        });
    }
    let night = PriceWindow {
        days: 0x7f,
        from_minute: 22 * 60,
        to_minute: 6 * 60,
        price: Price::from_major_per_kwh(0.254),
    };
    tariffs.push(Tariff {
        id: TariffId::derive(&["demo", "day and night"]),
        name: "Day and night".into(),
        valid_from: change,
        valid_to: None,
        import: PriceSchedule::TimeOfUse {
            windows: vec![night],
            otherwise: Price::from_major_per_kwh(0.338),
        },
        export,
        standing_charge_per_day: Money::from_major(0.42),
    });
    tariffs
}

/// The folder is ours alone: the data folder's lock is held.
fn wipe(folder: &Path) -> Result<(), Failure> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(failure(&e)),
        _ => Ok(()),
    }
}

fn failure(why: &dyn std::fmt::Display) -> Failure {
    Failure {
        code: NoticeCode::DatabaseReadOnly,
        message: format!("The demo home can't be built: {why} Your own home is not touched by this."),
        since: SystemClock.now(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearthwatt_api::{Answer, LineKind};
    use hearthwatt_api::{
        Compare, GetHistory, GetLiveSeries, GetOverview, HistoryPeriod, ListBudgets, ListMeters, LiveWindow,
    };
    use hearthwatt_domain::budget::Period;
    use std::time::Duration;

    /// Runs faster than the world, so that minutes of the demo fit into a test.
    struct Fast {
        start: UnixMillis,
        began: Instant,
        speed: f64,
    }

    impl Clock for Fast {
        fn now(&self) -> UnixMillis {
            self.start.plus_ms((self.began.elapsed().as_secs_f64() * 1e3 * self.speed) as i64)
        }
        fn is_wall(&self) -> bool {
            false
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_demo_has_a_past_goes_on_live_and_soon_alerts() {
        let dir = tempfile::tempdir().unwrap();
        let (pages, mut events) = broadcast::channel(1024);
        let speed = 20.0;
        let clock = Arc::new(Fast { start: SystemClock.now(), began: Instant::now(), speed });
        let began = Instant::now();
        let demo = Demo::start(dir.path().join("demo"), pages, DemoTime { clock: clock.clone(), speed })
            .await
            .unwrap();
        let built = began.elapsed();
        println!("built in {built:?}");
        let home = demo.home().home();
        let alert_due = clock.now().plus_ms(2 * 60 * 1000);

        let overview = home.GetOverview(GetOverview {}).await.unwrap();
        assert!(overview.demo && overview.has_tariff);
        let meters = home.ListMeters(ListMeters {}).await.unwrap();
        assert!(meters.adopted.len() >= 8, "{}", meters.adopted.len());
        assert!(meters.adopted.iter().all(|m| !m.meter.name.is_empty()));
        let budgets = home.ListBudgets(ListBudgets {}).await.unwrap();
        let due = budgets.iter().find(|b| b.budget.period == Period::Day).unwrap();
        assert!(due.crossed.is_empty() && due.fraction > 0.7, "{due:?}");

        // a year of months, each with use, priced, and last year's beside those that have one
        let zone = TimeZone::get(&overview.time_zone).unwrap();
        let today = clock.now().to_jiff().unwrap().to_zoned(zone).date();
        let ask = |resolution, anchor| GetHistory { resolution, anchor, compare: Compare::None, meter: None };
        let month = home
            .GetHistory(ask(HistoryPeriod::Month, today.first_of_month().yesterday().unwrap()))
            .await
            .unwrap();
        for bar in &month.bars {
            let kwh = bar.totals.used.kwh();
            assert!((2.0..150.0).contains(&kwh), "{kwh} kWh on a day");
            assert!(bar.covered > 0.99 && bar.totals.cost.is_some(), "{bar:?}");
        }
        let day = home.GetHistory(ask(HistoryPeriod::Day, today.yesterday().unwrap())).await.unwrap();
        let sum: i64 = day.bars.iter().map(|b| b.totals.used.0).sum();
        assert_eq!(sum, day.total.used.0);
        let first = month.first_day.unwrap();
        assert!(today.since(first).unwrap().get_days() >= 390, "{first}");

        let series = home.GetLiveSeries(GetLiveSeries { window: LiveWindow::Day }).await.unwrap();
        let line = series.lines.iter().find(|l| l.line == LineKind::Home).unwrap();
        let heard = line.points.iter().flatten().count();
        assert!(heard * 10 > line.points.len() * 9, "{heard} of {}", line.points.len());

        let (mut live, mut alerted) = (false, false);
        while !(live && alerted) {
            let event = tokio::time::timeout(Duration::from_secs(30), events.recv()).await.unwrap();
            match event {
                Ok(Event::Live(now)) if now.flow.home.is_some() => live = true,
                Ok(Event::AlertRaised { alert }) if alert.budget == due.budget.id => {
                    assert!(alert.raised_at <= alert_due, "{alert:?}");
                    alerted = true;
                }
                Ok(_) => {}
                Err(e) => panic!("{e}"),
            }
        }
        demo.stop().await;
    }
}
