//! What a home's document costs after years, in bytes and time:
//! `cargo run --release -p hearthwatt-sync --example measure_documents`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement")]

use hearthwatt_domain::alert::{Alert, Cause};
use hearthwatt_domain::budget::{Amount, Budget, Period, Scope};
use hearthwatt_domain::ids::{BudgetId, MeterId};
use hearthwatt_domain::meter::{Adoption, Meter, MeterKey, Role};
use hearthwatt_domain::time::{INTERVAL_MS, Span, UnixMillis};
use hearthwatt_domain::units::{Energy, Power};
use hearthwatt_domain::usage::IntervalUsage;
use hearthwatt_sync::block;
use hearthwatt_sync::doc::{Actor, Entity, EntityId, HomeDoc};
use jiff::civil::date;
use std::time::{Duration, Instant};
use uuid::Uuid;

const NOW: UnixMillis = UnixMillis(1_767_225_600_000);
const DAY_MS: i64 = 86_400_000;

fn budget() -> Budget {
    Budget {
        id: BudgetId(Uuid::from_u128(1)),
        name: String::from("The month"),
        scope: Scope::Home,
        limit: Amount::Energy(Energy::from_kwh(300.0)),
        period: Period::BillMonth { start_day: 15 },
        thresholds: vec![50, 80, 100],
        warn_on_forecast: true,
        created: NOW,
    }
}

fn alert(day: i64) -> Alert {
    let start = NOW.plus_ms(day * DAY_MS);
    let cause = Cause::Threshold { percent: 80 };
    // as far apart as real ones
    let jitter = (day * 7_919_317) % 80_000_000;
    Alert {
        id: Alert::id_of(budget().id, start, &cause),
        budget: budget().id,
        budget_name: budget().name,
        cause,
        period: Span::new(start, start.plus_ms(DAY_MS)),
        crossed_at: start.plus_ms(jitter - jitter % INTERVAL_MS),
        raised_at: start.plus_ms(jitter),
        spent: Amount::Energy(Energy(8_000_000_000 + jitter * 31)),
        limit: Amount::Energy(Energy::from_kwh(10.0)),
        acknowledged_at: None,
    }
}

/// Fresh and spread like random ones, for each run of the program.
fn actor(run: u32) -> Actor {
    Actor::from(*MeterId::derive(&["run", &run.to_string()]).0.as_bytes())
}

fn time<T>(work: impl Fn() -> T) -> Duration {
    let mut all: Vec<Duration> = (0..7)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(work());
            start.elapsed()
        })
        .collect();
    all.sort();
    all[3]
}

fn report(name: &str, doc: &HomeDoc) {
    let bytes = doc.save();
    let mut next = HomeDoc::load(&bytes, actor(900_000)).unwrap();
    let edit = next.put(NOW, &Entity::Budget(Budget { name: String::from("Another"), ..budget() })).unwrap();
    let change = &edit.changes[0].1;
    println!("{name}:");
    println!("  saved {} bytes, {} changes", bytes.len(), doc.changes_since(&[]).len());
    println!(
        "  save {:?}, load {:?}",
        time(|| doc.save()),
        time(|| HomeDoc::load(&bytes, actor(900_001)).unwrap())
    );
    let all: Vec<Vec<u8>> = doc.changes_since(&[]).into_iter().map(|(_, bytes)| bytes).collect();
    println!(
        "  joining: all changes at once {:?}",
        time(|| HomeDoc::start(actor(900_002)).apply(&all).unwrap())
    );
    println!("  read budgets {:?}, alerts {:?}", time(|| doc.budgets()), time(|| doc.alerts()));
    println!(
        "  conflicts {:?}, one entity {:?}",
        time(|| doc.conflicts()),
        time(|| doc.get(EntityId::Budget(budget().id)))
    );
    println!(
        "  one edit {:?} ({} bytes), taking one in {:?}",
        time(|| doc
            .clone()
            .put(NOW, &Entity::Budget(Budget { name: String::from("Another"), ..budget() }))
            .unwrap()),
        change.len(),
        time(|| doc.clone().apply(std::slice::from_ref(change)).unwrap()),
    );
}

fn main() {
    let mut doc = HomeDoc::start(actor(0));
    doc.put(NOW, &Entity::Budget(budget())).unwrap();
    report("a new home", &doc);

    let start = Instant::now();
    for n in 0..10_000_i64 {
        let limit = Amount::Energy(Energy::from_kwh(100.0 + (n % 397) as f64));
        doc.put(NOW.plus_ms(n * 60_000), &Entity::Budget(Budget { limit, ..budget() })).unwrap();
    }
    println!("10,000 edits took {:?}", start.elapsed());
    report("a budget edited 10,000 times", &doc);

    let mut doc = HomeDoc::start(actor(0));
    doc.put(NOW, &Entity::Budget(budget())).unwrap();
    for n in 0..20_u32 {
        let key = MeterKey {
            family: "shelly".into(),
            device_id: format!("shellyplus1pm-{n:012x}"),
            group: String::new(),
        };
        let meter = Meter {
            id: key.id(),
            key,
            adoption: Adoption::Adopted,
            name: format!("Meter {n}"),
            room: String::from("Kitchen"),
            role: Role::Load,
            parent: None,
            inverted: false,
            manufacturer: String::from("Shelly"),
            model: String::from("Plus 1PM"),
        };
        doc.put(NOW, &Entity::Meter(meter)).unwrap();
    }
    // an alert a day, raised by a program that is started anew each day, acknowledged by another
    for day in 0..5 * 365_i64 {
        let raised = alert(day);
        doc = HomeDoc::load(&doc.save(), actor(day as u32 * 2 + 1)).unwrap();
        doc.put(raised.raised_at, &Entity::Alert(raised.clone())).unwrap();
        doc = HomeDoc::load(&doc.save(), actor(day as u32 * 2 + 2)).unwrap();
        let at = raised.raised_at.plus_ms(3_600_000);
        doc.put(at, &Entity::Alert(Alert { acknowledged_at: Some(at), ..raised })).unwrap();
    }
    report("5 years of an alert a day, raised and acknowledged by a fresh run each (20 meters)", &doc);

    let rows: Vec<IntervalUsage> = (0..96)
        .map(|slot| IntervalUsage {
            import: Energy(60_000_000 + (slot * 7_919_317) % 90_000_000),
            covered_ms: 900_000,
            power_min: Some(Power(80_000 + slot * 311)),
            power_max: Some(Power(2_100_000 + slot * 4_099)),
            ..IntervalUsage::empty(UnixMillis(NOW.0 + slot * INTERVAL_MS))
        })
        .collect();
    let one = block::of_rows(Uuid::nil(), MeterId(Uuid::nil()), date(2026, 1, 1), 1, &rows).unwrap();
    let bytes = one.encode();
    println!(
        "a full block: {} bytes; encode {:?}, decode {:?}, hash {:?}",
        bytes.len(),
        time(|| one.encode()),
        time(|| block::Block::decode(&bytes).unwrap()),
        time(|| block::BlockHash::of(&bytes))
    );
}
