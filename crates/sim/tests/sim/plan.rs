//! Days are plausible, the same under one seed, and physically consistent.

use hearthwatt_domain::budget::{Amount, Scope};
use hearthwatt_domain::meter::Role;
use hearthwatt_domain::reading::Quantity;
use hearthwatt_domain::time::{Span, UnixMillis};
use hearthwatt_sim::{Plan, plan};
use jiff::tz::TimeZone;
use std::collections::{HashMap, HashSet};
use std::time::Instant;

const DAY_MS: i64 = 86_400_000;
const QUARTER_MS: i64 = 900_000;

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

fn at(text: &str) -> UnixMillis {
    text.parse::<jiff::Timestamp>().unwrap().into()
}

fn index(plan: &Plan, name: &str) -> usize {
    plan.meters().iter().position(|m| m.name == name).unwrap()
}

/// Kilowatt-hours imported and exported by a meter.
fn kwh(plan: &Plan, name: &str, from: &str, to: &str) -> (f64, f64) {
    let i = index(plan, name);
    let (a, b) = (plan.registers(i, at(from)), plan.registers(i, at(to)));
    ((b.import - a.import) / 1000.0, (b.export - a.export) / 1000.0)
}

#[test]
fn nine_meters_and_more_of_all_five_families_each_with_a_name_of_its_own() {
    let plan = plan(1, berlin());
    assert!(plan.meters().len() >= 9);
    let families: HashSet<_> = plan.meters().iter().map(|m| m.key.family.as_str()).collect();
    assert_eq!(
        families,
        HashSet::from(["shelly_gen1", "shelly_gen2", "tasmota", "zigbee2mqtt", "ha_discovery"])
    );
    let ids: HashSet<_> = plan.meters().iter().map(|m| m.key.id()).collect();
    assert_eq!(ids.len(), plan.meters().len());
    let grid = &plan.meters()[plan.grid()];
    assert_eq!((grid.role, &grid.parent), (Role::Grid, &None));
    assert!(plan.meters().iter().all(|m| m.role == Role::Grid || m.parent.as_ref() == Some(&grid.key)));
}

#[test]
fn the_same_seed_gives_the_same_days_in_any_order_and_another_one_others() {
    let (one, two, other) = (plan(7, berlin()), plan(7, berlin()), plan(8, berlin()));
    let days = ["2024-02-29T18:00:03Z", "2026-07-01T12:34:56.7Z", "2025-10-26T00:59:59Z"];
    for i in 0..one.meters().len() {
        for day in days {
            let _ = one.power(i, at(day));
        }
    }
    let mut differs = 0;
    for i in 0..one.meters().len() {
        for day in days.iter().rev() {
            let t = at(day);
            assert_eq!(one.power(i, t), two.power(i, t));
            assert_eq!(one.registers(i, t), two.registers(i, t));
            differs += usize::from(one.registers(i, t) != other.registers(i, t));
        }
        assert_ne!(one.meters()[i].key, other.meters()[i].key);
    }
    assert_eq!(differs, 3 * one.meters().len());
}

#[test]
fn at_every_second_the_grid_is_what_the_home_takes_less_what_it_gives() {
    let plan = plan(3, berlin());
    let grid = plan.grid();
    for start in ["2026-06-14T03:00:00Z", "2025-12-20T15:00:00Z", "2026-04-03T09:58:00Z"] {
        for second in (0..6 * 3600).step_by(7) {
            let t = at(start).plus_ms(second * 1000 + 350);
            let metered: f64 =
                (0..plan.meters().len()).filter(|&i| i != grid).map(|i| plan.power(i, t)).sum();
            let unmeasured = plan.power(grid, t) - metered;
            assert!((100.0..1000.0).contains(&unmeasured), "{unmeasured} W at {t:?}");
            for (i, m) in plan.meters().iter().enumerate() {
                let w = plan.power(i, t);
                match m.role {
                    Role::Load => assert!(w >= 0.0, "{} {w}", m.name),
                    Role::Solar => assert!(w <= 0.0, "{} {w}", m.name),
                    Role::Grid | Role::Battery => {}
                }
            }
        }
    }
}

#[test]
fn registers_are_the_integral_of_power_and_only_rise() {
    let plan = plan(5, berlin());
    // over midnight UTC, over a change of clocks, over a minute's end
    for start in ["2026-06-14T23:58:00Z", "2025-10-26T00:57:00Z", "2026-05-05T10:30:00Z"] {
        for i in 0..plan.meters().len() {
            let begin = plan.registers(i, at(start));
            let (mut import, mut export, mut last) = (0.0, 0.0, begin);
            for step in 0..4 * 60 * 10 {
                let power = plan.power(i, at(start).plus_ms(step * 100 + 50));
                import += power.max(0.0) / 36_000.0;
                export += (-power).max(0.0) / 36_000.0;
                let now = plan.registers(i, at(start).plus_ms((step + 1) * 100));
                assert!(now.import >= last.import && now.export >= last.export, "{i} {step}");
                last = now;
            }
            let name = &plan.meters()[i].name;
            assert!((last.import - begin.import - import).abs() < 0.01, "{name} from {start}: import");
            assert!((last.export - begin.export - export).abs() < 0.01, "{name} from {start}: export");
        }
    }
}

#[test]
fn energy_balances_over_a_year_but_for_what_the_battery_loses() {
    let plan = plan(11, berlin());
    let net = |name: &str| {
        let (import, export) = kwh(&plan, name, "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
        import - export
    };
    let metered: f64 = plan.meters().iter().filter(|m| m.role != Role::Grid).map(|m| net(&m.name)).sum();
    let unmeasured = net("Grid") - metered;
    assert!((1500.0..4000.0).contains(&unmeasured), "{unmeasured} kWh unmeasured");
    let (charged, given) = kwh(&plan, "Battery", "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
    assert!(charged > 500.0 && given / charged > 0.7 && given / charged <= 0.93, "{charged} {given}");
}

#[test]
fn years_look_like_years() {
    let plan = plan(1, berlin());
    let year = |name| kwh(&plan, name, "2025-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
    let june = |name| kwh(&plan, name, "2025-06-01T00:00:00Z", "2025-07-01T00:00:00Z");
    let december = |name| kwh(&plan, name, "2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z");
    for m in plan.meters() {
        let (import, export) = year(&m.name);
        println!("{:<16} {import:8.0} kWh taken {export:8.0} kWh given", m.name);
    }
    for (name, from, to) in [
        ("Fridge", 150.0, 450.0),
        ("Washing machine", 80.0, 300.0),
        ("Dishwasher", 150.0, 400.0),
        ("Cooking", 250.0, 900.0),
        ("Car charger", 1200.0, 3500.0),
        ("Heat pump", 2500.0, 6000.0),
        ("Home office", 100.0, 450.0),
        ("Television", 70.0, 250.0),
        ("Grid", 4000.0, 11000.0),
    ] {
        let (import, _) = year(name);
        assert!((from..to).contains(&import), "{name}: {import} kWh a year");
    }
    let (_, solar) = year("Solar roof");
    assert!((4800.0..7500.0).contains(&solar), "{solar} kWh of 6.4 kW a year");
    assert!(june("Solar roof").1 > 3.5 * december("Solar roof").1);
    assert!(december("Heat pump").0 > 4.0 * june("Heat pump").0);
    assert!(june("Grid").1 > 100.0, "surplus goes to the grid");
}

#[test]
fn people_live_by_the_clock_on_the_wall() {
    let plan = plan(2, berlin());
    let tv = index(&plan, "Television");
    // the same wall-clock evening before and after the change to summer time
    for date in ["2026-03-25", "2026-04-02"] {
        let local = |h: i8| {
            let d: jiff::civil::Date = date.parse().unwrap();
            UnixMillis::from(d.at(h, 45, 0, 0).to_zoned(berlin()).unwrap().timestamp())
        };
        assert!(plan.power(tv, local(20)) > 60.0 && plan.power(tv, local(15)) < 20.0, "{date}");
    }
}

#[test]
fn thirteen_months_of_all_meters_are_made_in_seconds() {
    let started = Instant::now();
    let plan = plan(1, berlin());
    let span = Span::new(at("2025-10-01T00:00:00Z"), at("2026-11-01T00:00:00Z"));
    let mut last: HashMap<_, f64> = HashMap::new();
    let (mut count, mut previous) = (0u64, span.start);
    for r in plan.readings(span, QUARTER_MS) {
        assert!(r.at >= previous && span.contains(r.at));
        previous = r.at;
        let before = last.insert((r.meter, r.quantity), r.value).unwrap_or(0.0);
        assert!(r.value >= before, "{r:?} after {before}");
        assert!(matches!(r.quantity, Quantity::EnergyImport | Quantity::EnergyExport));
        count += 1;
    }
    let took = started.elapsed();
    println!("{count} readings in {took:?}");
    assert_eq!(previous, span.end.plus_ms(-QUARTER_MS));
    assert_eq!(count as i64, span.ms() / QUARTER_MS * (plan.meters().len() as i64 + 5));
    // takes about one second; the rest is room for a busy machine
    assert!(took.as_secs_f64() < 6.0, "{took:?}");
}

#[test]
fn history_goes_on_where_it_ended() {
    let plan = plan(4, berlin());
    let now = at("2026-11-23T12:00:00Z");
    let history: Vec<_> = plan.readings(Span::new(now.plus_ms(-2 * QUARTER_MS), now), QUARTER_MS).collect();
    for (i, m) in plan.meters().iter().enumerate() {
        let last = history.iter().rfind(|r| r.meter == m.key.id() && r.quantity == Quantity::EnergyImport);
        let gap = plan.shown(i, now).import - last.unwrap().value;
        let used = plan.registers(i, now).import - plan.registers(i, now.plus_ms(-QUARTER_MS)).import;
        assert!((gap - used).abs() <= m.resolution_wh() + 1e-6, "{}: {gap} {used}", m.name);
    }
}

#[test]
fn the_demo_breaks_a_budget_in_time_whenever_it_is_started() {
    let plan = plan(1, berlin());
    for start in ["2026-06-20T00:10:00Z", "2026-11-23T12:00:00Z"] {
        for hour in 0..48 {
            let now = at(start).plus_ms(hour * DAY_MS / 24);
            let budgets = plan.demo_budgets(now);
            let first = &budgets[0];
            let Amount::Energy(limit) = first.limit else { panic!("{first:?}") };
            let meter = match first.scope {
                Scope::Home => plan.grid(),
                Scope::Meter(id) => plan.meters().iter().position(|m| m.key.id() == id).unwrap(),
            };
            let midnight =
                jiff::Timestamp::from_millisecond(now.0).unwrap().to_zoned(berlin()).start_of_day();
            let midnight = UnixMillis::from(midnight.unwrap().timestamp());
            let spent = |t| plan.shown(meter, t).import - plan.shown(meter, midnight).import;
            let threshold = limit.wh() * 0.8;
            assert!(spent(now.plus_ms(30_000)) < threshold, "too early at {now:?}: {first:?}");
            assert!(spent(now.plus_ms(100_000)) >= threshold, "too late at {now:?}: {first:?}");
        }
    }
}

#[test]
fn the_first_day_and_the_ones_before_are_no_trouble() {
    let plan = plan(1, TimeZone::UTC);
    for t in [UnixMillis(i64::MIN / 4), UnixMillis(0), at("2024-01-01T00:00:00Z")] {
        for i in 0..=plan.meters().len() {
            assert!(plan.power(i, t).is_finite() && plan.registers(i, t).import.is_finite());
        }
    }
}
