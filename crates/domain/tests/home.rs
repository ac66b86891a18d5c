//! Calendars, prices, budgets, alerts and corrections of a home, with numbers worked out by hand.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use hearthwatt_domain::alert::{Cause, plan_alerts};
use hearthwatt_domain::budget::{Amount, Assess, Assessment, Budget, PastDay, Period, Scope, assess};
use hearthwatt_domain::calendar::{Calendar, Dates, Unit};
use hearthwatt_domain::correction::{Change, Correction, apply};
use hearthwatt_domain::ids::{BudgetId, CorrectionId, MeterId, TariffId};
use hearthwatt_domain::normal::{Level, Normal};
use hearthwatt_domain::rollup::{add_meters, sum, sum_spans};
use hearthwatt_domain::tariff::{PriceSchedule, PriceWindow, Tariff, TariffBook};
use hearthwatt_domain::time::{INTERVAL_MS, Span, UnixMillis};
use hearthwatt_domain::units::{Energy, Money, Power, Price};
use hearthwatt_domain::usage::{IntervalUsage, Quality};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use proptest::prelude::*;

const HOUR: i64 = 3_600_000;

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}
fn calendar(name: &str) -> Calendar {
    Calendar::new(zone(name))
}
fn at(text: &str) -> UnixMillis {
    text.parse::<jiff::Timestamp>().unwrap().into()
}
/// Rows of `wh` each over a span.
fn rows(span: Span, wh: f64) -> Vec<IntervalUsage> {
    let mut out = Vec::new();
    let mut start = span.start.interval_start();
    while start < span.end {
        out.push(IntervalUsage {
            import: Energy::from_wh(wh),
            covered_ms: INTERVAL_MS as u32,
            ..IntervalUsage::empty(start)
        });
        start = start.plus_ms(INTERVAL_MS);
    }
    out
}
fn flat(from: Date, to: Option<Date>, price: f64, standing: f64) -> Tariff {
    Tariff {
        id: TariffId::derive(&[&from.to_string()]),
        name: "t".into(),
        valid_from: from,
        valid_to: to,
        import: PriceSchedule::Flat { price: Price::from_major_per_kwh(price) },
        export: None,
        standing_charge_per_day: Money::from_major(standing),
    }
}

// ------------------------------------------------------------------ rule 6: days

#[test]
fn days_have_the_hours_that_the_clock_shows() {
    for (name, day, minutes, bars) in [
        ("Europe/Berlin", date(2026, 3, 29), 23 * 60, 23),
        ("Europe/Berlin", date(2026, 10, 25), 25 * 60, 25),
        ("Europe/Berlin", date(2026, 6, 1), 24 * 60, 24),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24 * 60 + 30, 25),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23 * 60 + 30, 24),
        ("Asia/Kathmandu", date(2026, 1, 1), 24 * 60, 24),
        ("Asia/Beirut", date(2026, 3, 29), 23 * 60, 23),
        ("Pacific/Apia", date(2011, 12, 30), 0, 0),
    ] {
        let c = calendar(name);
        let (span, hours) = (c.day(day), c.hours(day));
        assert_eq!(span.ms(), minutes * 60_000, "{name} {day}");
        assert_eq!(hours.len(), bars, "{name} {day}");
        assert_eq!(hours.iter().map(Span::ms).sum::<i64>(), span.ms());
        assert!(hours.windows(2).all(|w| w[0].end == w[1].start));
    }
}

#[test]
fn days_start_where_the_zone_says() {
    assert_eq!(calendar("Asia/Kathmandu").start_of(date(2026, 1, 1)), at("2025-12-31T18:15:00Z"));
    // no midnight: the day begins at 01:00
    assert_eq!(calendar("Asia/Beirut").start_of(date(2026, 3, 29)), at("2026-03-28T22:00:00Z"));
    // an offset of -00:44:30: not a quarter of an hour
    assert_eq!(calendar("Africa/Monrovia").start_of(date(1971, 1, 1)), at("1971-01-01T00:44:30Z"));
}

#[test]
fn bill_months_start_on_the_last_day_of_shorter_months() {
    let bill = Unit::BillMonth { start_day: 31 };
    let dates = |from, to| Dates { from, to };
    assert_eq!(bill.around(date(2026, 2, 15)), dates(date(2026, 1, 31), date(2026, 2, 28)));
    assert_eq!(bill.around(date(2026, 2, 28)), dates(date(2026, 2, 28), date(2026, 3, 31)));
    assert_eq!(bill.last_year(bill.around(date(2028, 2, 29))), dates(date(2027, 2, 28), date(2027, 3, 31)));
    assert_eq!(Unit::Week.around(date(2026, 1, 1)), dates(date(2025, 12, 29), date(2026, 1, 5)));
    assert_eq!(Unit::Day.last_year(Unit::Day.around(date(2028, 2, 29))).from, date(2027, 2, 28));
    assert_eq!(Unit::Year.around(date(2026, 5, 5)).months().len(), 12);
    assert_eq!(dates(date(2026, 1, 31), date(2026, 2, 28)).len(), 28);
}

fn any_unit() -> impl Strategy<Value = Unit> {
    prop_oneof![
        Just(Unit::Day),
        Just(Unit::Week),
        Just(Unit::Month),
        Just(Unit::Year),
        (1..=31u8).prop_map(|start_day| Unit::BillMonth { start_day }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_instant_is_in_exactly_one_period(
        unit in any_unit(),
        name in prop::sample::select(vec!["Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns",
            "Pacific/Apia", "America/Santiago", "Africa/Monrovia", "Asia/Beirut", "Africa/Casablanca", "UTC"]),
        secs in -200_000_000i64..2_500_000_000,
    ) {
        let c = calendar(name);
        let t = UnixMillis::from_secs(secs);
        let (dates, span) = c.around(unit, t);
        prop_assert!(span.contains(t), "{dates:?} {span:?} {t:?}");
        let (before, after) = (unit.previous(dates), unit.next(dates));
        prop_assert_eq!(before.to, dates.from);
        prop_assert_eq!(after.from, dates.to);
        prop_assert_eq!(c.span(before).end, span.start);
        prop_assert_eq!(unit.around(unit.last_year(dates).from), unit.last_year(dates));
        prop_assert_eq!(c.days(dates).iter().map(Span::ms).sum::<i64>(), span.ms());
        let hours = c.hours(c.date_of(t));
        prop_assert_eq!(hours.iter().filter(|h| h.contains(t)).count(), 1);
        prop_assert!(hours.iter().all(|h| h.ms() > 0));
    }

    /// The day's cost is the sum of its hours' costs, to the millionth.
    #[test]
    fn costs_split_without_loss(day in 0..365i64, wh in 0.0..900.0f64, price in -0.5..2.0f64, standing in 0.0..3.0f64) {
        let day = date(2026, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
        let book = TariffBook::new(&[flat(date(2020, 1, 1), None, price, standing)], zone("Europe/Berlin"));
        let c = book.calendar();
        let r = rows(c.day(day), wh);
        let whole = book.cost(&r, c.day(day));
        let mut parts = hearthwatt_domain::tariff::Cost::default();
        for h in c.hours(day) {
            parts.add(&book.cost(&r, h));
        }
        prop_assert_eq!(parts, whole);
        prop_assert_eq!(whole.standing, Money::from_major(standing));
        let totals = sum_spans(&r, &c.hours(day));
        prop_assert_eq!(totals.iter().map(|t| t.import).sum::<Energy>(), sum(&r, c.day(day)).import);
    }
}

// ------------------------------------------------------------------ rule 9: prices

#[test]
fn a_day_costs_its_energy_and_its_standing_charge_whatever_its_length() {
    let book = TariffBook::new(&[flat(date(2026, 1, 1), None, 0.30, 0.50)], zone("Europe/Berlin"));
    for (day, expected) in
        [(date(2026, 6, 1), 3.38), (date(2026, 3, 29), 2.76 + 0.50), (date(2026, 10, 25), 3.00 + 0.50)]
    {
        let span = book.calendar().day(day);
        assert_eq!(
            book.cost(&rows(span, 100.0), span).complete(),
            Some(Money::from_major(expected)),
            "{day}"
        );
    }
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_it_starts_on() {
    let mut t = flat(date(2026, 1, 1), None, 0.0, 0.0);
    t.import = PriceSchedule::TimeOfUse {
        windows: vec![PriceWindow { days: 0b1, from_minute: 22 * 60, to_minute: 6 * 60, price: Price(1) }],
        otherwise: Price(2),
    };
    assert!(t.validate().is_ok());
    let book = TariffBook::new(&[t], zone("Europe/Berlin"));
    for (when, price) in [
        ("2026-01-05T20:59:00Z", 2), // Monday 21:59
        ("2026-01-05T21:00:00Z", 1), // Monday 22:00
        ("2026-01-06T04:59:00Z", 1), // Tuesday 05:59
        ("2026-01-06T05:00:00Z", 2),
        ("2026-01-05T01:00:00Z", 2), // Monday 02:00 would be Sunday's
    ] {
        assert_eq!(book.price_at(at(when)).unwrap().import, Price(price), "{when}");
    }
}

#[test]
fn the_price_is_that_of_the_time_of_use() {
    let berlin = zone("Europe/Berlin");
    let mut old = flat(date(2026, 1, 1), Some(date(2026, 6, 1)), 0.30, 0.0);
    old.export = Some(PriceSchedule::Flat { price: Price::from_major_per_kwh(0.08) });
    let new = flat(date(2026, 6, 1), None, -0.10, 0.0);
    let book = TariffBook::new(&[old, new], berlin.clone());
    // from 22:00 to 02:00 local, 1 kWh an hour taken, 0.4 kWh given
    let span = Span::new(at("2026-05-31T20:00:00Z"), at("2026-06-01T00:00:00Z"));
    let mut r = rows(span, 250.0);
    r.iter_mut().for_each(|r| r.export = Energy::from_wh(100.0));
    let cost = book.cost(&r, span);
    assert_eq!(cost.import, Money::from_major(0.60 - 0.20));
    assert_eq!(cost.export_pay, Money::from_major(0.8 * 0.08));
    // a later version over the same days holds: the past is priced anew
    let corrected = flat(date(2026, 5, 31), None, 0.50, 0.0);
    let mut all = vec![flat(date(2026, 1, 1), None, 0.30, 0.0)];
    all.push(corrected);
    assert_eq!(TariffBook::new(&all, berlin.clone()).cost(&r, span).import, Money::from_major(2.0));
    // no tariff for half of the time: no total
    let half = TariffBook::new(&[flat(date(2026, 6, 1), None, 1.0, 0.0)], berlin).cost(&r, span);
    assert_eq!((half.complete(), half.unpriced, half.unpriced_ms), (None, Energy::from_kwh(2.0), 2 * HOUR));
}

#[test]
fn what_is_typed_in_wrong_is_named() {
    let good = flat(date(2026, 1, 1), None, 0.3, 0.4);
    let field = |t: Tariff| t.validate().unwrap_err().field;
    assert_eq!(field(Tariff { name: " ".into(), ..good.clone() }), "name");
    assert_eq!(field(Tariff { valid_to: Some(date(2026, 1, 1)), ..good.clone() }), "valid_to");
    let window = PriceWindow { days: 0, from_minute: 0, to_minute: 60, price: Price(0) };
    let tou = |w| PriceSchedule::TimeOfUse { windows: vec![w], otherwise: Price(0) };
    assert_eq!(field(Tariff { import: tou(window.clone()), ..good.clone() }), "import");
    let late = PriceWindow { days: 1, from_minute: 1440, ..window };
    assert_eq!(field(Tariff { export: Some(tou(late)), ..good }), "export");
    let good = budget(Amount::Energy(Energy(1)), Period::Day);
    assert!(good.validate().is_ok());
    let field = |b: Budget| b.validate().unwrap_err().field;
    assert_eq!(field(Budget { limit: Amount::Money(Money(0)), ..good.clone() }), "limit");
    assert_eq!(field(Budget { period: Period::BillMonth { start_day: 32 }, ..good.clone() }), "period");
    assert_eq!(field(Budget { thresholds: vec![80, 50], ..good }), "thresholds");
}

// ------------------------------------------------------------------ budgets and alerts

fn budget(limit: Amount, period: Period) -> Budget {
    Budget {
        id: BudgetId::derive(&["b"]),
        name: "Power".into(),
        scope: Scope::Home,
        limit,
        period,
        thresholds: vec![50, 80, 100],
        warn_on_forecast: true,
        created: UnixMillis(0),
    }
}

fn check(
    b: &Budget,
    now: UnixMillis,
    tariffs: &TariffBook,
    rows: &[IntervalUsage],
    past: &[PastDay],
) -> Assessment {
    assess(&Assess { budget: b, now, tariffs, rows, history: past, normal: None })
}

fn even_past(upto: Date, kwh: f64, days: i64) -> Vec<PastDay> {
    let ago = |n: i64| upto.checked_sub(jiff::Span::new().days(n)).unwrap();
    let day = |n| PastDay { date: ago(n), import: Energy::from_kwh(kwh), cost: None, complete: true };
    (1..=days).rev().map(day).collect()
}

#[test]
fn thresholds_are_crossed_at_the_end_of_an_interval() {
    let book = TariffBook::new(&[], zone("Europe/Berlin"));
    let day = book.calendar().day(date(2026, 6, 1));
    let b = budget(Amount::Energy(Energy::from_kwh(10.0)), Period::Day);
    let r = rows(day, 1000.0);
    let now = day.start.plus_ms(8 * INTERVAL_MS - 1);
    let a = check(&b, now, &book, &r, &[]);
    assert_eq!(a.status.spent, Amount::Energy(Energy::from_kwh(8.0)));
    assert_eq!(a.status.crossed, [50, 80]);
    let minutes: Vec<_> = a.crossings.iter().map(|c| c.at.since(day.start) / 60_000).collect();
    assert_eq!(minutes, [75, 120]);
    assert!((a.status.fraction - 0.8).abs() < 1e-12 && a.status.forecast.is_none());
}

#[test]
fn a_money_budget_has_its_share_of_the_standing_charge() {
    let book = TariffBook::new(&[flat(date(2026, 1, 1), None, 0.40, 2.40)], zone("Europe/Berlin"));
    let day = book.calendar().day(date(2026, 6, 1));
    let b = budget(Amount::Money(Money::from_major(2.0)), Period::Day);
    // by 05:00: 2 kWh = 0.80, and 5 of 24 hours of 2.40 = 0.50
    let a = check(&b, day.start.plus_ms(5 * HOUR), &book, &rows(day, 100.0)[..20], &[]);
    assert_eq!(a.status.spent, Amount::Money(Money::from_major(1.30)));
    // 0.26 an hour: 1.00 is passed in the interval that ends at 04:00
    assert_eq!(a.crossings[0].at.since(day.start), 4 * HOUR);
    let meter = Budget { scope: Scope::Meter(MeterId::derive(&["m"])), ..b };
    let a = check(&meter, day.start.plus_ms(5 * HOUR), &book, &rows(day, 100.0)[..20], &[]);
    assert_eq!(a.status.spent, Amount::Money(Money::from_major(0.80)));
}

#[test]
fn a_steady_home_breaks_its_budget_on_the_day_it_must() {
    let book = TariffBook::new(&[], zone("Europe/Berlin"));
    let month = book.calendar().span(Unit::Month.around(date(2026, 6, 1)));
    let b = budget(Amount::Energy(Energy::from_kwh(200.0)), Period::Month);
    let now = book.calendar().start_of(date(2026, 6, 11));
    let past = even_past(date(2026, 6, 11), 9.6, 100);
    let a = check(&b, now, &book, &rows(Span::new(month.start, now), 100.0), &past);
    let f = a.status.forecast.unwrap();
    assert_eq!(a.status.spent, Amount::Energy(Energy::from_kwh(96.0)));
    assert_eq!((f.low, f.likely, f.high), (f.likely, Amount::Energy(Energy::from_kwh(288.0)), f.likely));
    // 104 kWh are left: ten days of 9.6 and 8 kWh of the eleventh, used up by 20:00 on 21 June
    assert_eq!(f.breaks_at, Some(book.calendar().start_of(date(2026, 6, 21)).plus_ms(20 * HOUR)));
    // a week is needed
    assert!(check(&b, now, &book, &[], &past[94..]).status.forecast.is_none());
}

#[test]
fn four_in_five_periods_end_inside_the_range() {
    let book = TariffBook::new(&[], zone("UTC"));
    let b = budget(Amount::Energy(Energy::from_kwh(1e4)), Period::Month);
    let first = date(2022, 1, 1);
    // days that resemble the day before, weekends that are higher
    let (mut seed, mut drift) = (7u64, 0.0f64);
    let mut noise = || {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (seed >> 33) as f64 / f64::from(1u32 << 31) * 2.0 - 1.0
    };
    let days: Vec<PastDay> = (0..1400)
        .map(|n| {
            let d = first.checked_add(jiff::Span::new().days(n)).unwrap();
            drift = 0.6 * drift + noise();
            let weekend = if d.weekday().to_monday_zero_offset() > 4 { 4.0 } else { 0.0 };
            PastDay {
                date: d,
                import: Energy::from_kwh(10.0 + weekend + drift + noise()),
                cost: None,
                complete: true,
            }
        })
        .collect();
    let (mut inside, mut all) = (0, 0);
    for n in (200..1350).step_by(9) {
        let today = days[n].date;
        let month = Unit::Month.around(today);
        let so_far: Vec<_> = days[..n].iter().filter(|d| month.contains(d.date)).collect();
        let r: Vec<_> = so_far
            .iter()
            .map(|d| IntervalUsage {
                import: d.import,
                ..IntervalUsage::empty(book.calendar().start_of(d.date))
            })
            .collect();
        let now = book.calendar().start_of(today);
        let f = check(&b, now, &book, &r, &days[n.saturating_sub(400)..n]).status.forecast.unwrap();
        let actual: i64 = days.iter().filter(|d| month.contains(d.date)).map(|d| d.import.0).sum();
        inside += u32::from(f.low.raw() <= actual && actual <= f.high.raw());
        all += 1;
    }
    let share = f64::from(inside) / f64::from(all);
    println!("{inside} of {all} inside the range");
    assert!((0.70..=0.90).contains(&share), "{share}");
}

#[test]
fn an_alert_is_raised_once_per_threshold_and_period() {
    let book = TariffBook::new(&[], zone("Europe/Berlin"));
    let month = book.calendar().span(Unit::Month.around(date(2026, 6, 1)));
    let b = budget(Amount::Energy(Energy::from_kwh(200.0)), Period::Month);
    let now = book.calendar().start_of(date(2026, 6, 12));
    let past = even_past(date(2026, 6, 12), 9.6, 60);
    let r = rows(Span::new(month.start, now), 100.0);
    let a = check(&b, now, &book, &r, &past); // 105.6 kWh
    let raised = plan_alerts(&a, &[], now);
    assert!(matches!(raised[0].cause, Cause::Threshold { percent: 50 }));
    assert!(matches!(raised[1].cause, Cause::Forecast { .. }));
    assert_eq!(raised.len(), 2);
    assert_eq!(plan_alerts(&a, &raised, now), []);
    // another device, a little later: the same ids
    let other = plan_alerts(&check(&b, now.plus_ms(HOUR), &book, &r, &past), &[], now.plus_ms(HOUR));
    assert_eq!(
        other.iter().map(|x| x.id).collect::<Vec<_>>(),
        raised.iter().map(|x| x.id).collect::<Vec<_>>()
    );
    // edited: a lower limit crosses 80 %, and does not raise 50 % or the forecast again
    let edited = Budget { name: "New".into(), limit: Amount::Energy(Energy::from_kwh(130.0)), ..b.clone() };
    let more = plan_alerts(&check(&edited, now, &book, &r, &past), &raised, now);
    assert_eq!(more.iter().map(|x| x.cause).collect::<Vec<_>>(), [Cause::Threshold { percent: 80 }]);
    // the next month is another period
    let july = book.calendar().day(date(2026, 7, 20));
    let next = check(&b, july.end, &book, &rows(Span::new(month.end, july.end), 100.0), &past);
    assert!(
        plan_alerts(&next, &raised, july.end).iter().any(|x| x.cause == Cause::Threshold { percent: 50 })
    );
    // broken: a forecast that came true is none
    let broken = check(&edited, month.end.plus_ms(-1), &book, &rows(month, 100.0), &past);
    assert!(plan_alerts(&broken, &[], now).iter().all(|x| matches!(x.cause, Cause::Threshold { .. })));
    assert_eq!(broken.crossings.len(), 3);
}

// ------------------------------------------------------------------ the usual, corrections, sums

#[test]
fn the_usual_is_that_of_the_same_time_on_the_same_kind_of_day() {
    let berlin = zone("Europe/Berlin");
    let c = Calendar::new(berlin.clone());
    let weeks = Span::new(c.start_of(date(2026, 5, 4)), c.start_of(date(2026, 6, 1)));
    let mut r = rows(weeks, 50.0); // 200 W
    for x in &mut r {
        if c.date_of(x.start).weekday().to_monday_zero_offset() > 4 {
            x.import = Energy::from_wh(250.0); // weekends: 1 kW
        }
    }
    let n = Normal::learn(&r, berlin.clone(), weeks.end);
    let (monday, sunday) = (at("2026-06-01T10:00:00Z"), at("2026-06-07T10:00:00Z"));
    assert_eq!(n.usual(monday), Some(Power::from_watts(200.0)));
    for (w, level) in [
        (200.0, Level::Usual),
        (240.0, Level::Usual),
        (400.0, Level::Higher),
        (900.0, Level::MuchHigher),
        (120.0, Level::Lower),
    ] {
        assert_eq!(n.judge(Power::from_watts(w), monday).unwrap().level, level, "{w}");
    }
    let j = n.judge(Power::from_watts(200.0), sunday).unwrap();
    assert_eq!((j.level, j.usual, j.hour), (Level::MuchLower, Power::from_watts(1000.0), 12));
    assert!(Normal::learn(&r[..96 * 3], berlin, weeks.end).usual(monday).is_none());
}

#[test]
fn corrections_lie_over_rows_and_can_be_left_out_again() {
    let start = at("2026-06-01T00:00:00Z");
    let span = Span::new(start, start.plus_ms(HOUR));
    let meter = MeterId::derive(&["m"]);
    let r = rows(span, 100.0);
    let correction = |n: i64, change| Correction {
        id: CorrectionId::derive(&[&n.to_string()]),
        meter,
        change,
        created: UnixMillis(n),
    };
    let half = Span::new(start, start.plus_ms(HOUR / 2));
    let set = correction(1, Change::Set { span, import: Energy(10), export: Energy::ZERO });
    let exclude = correction(2, Change::Exclude { span: half });
    let import = |c: &[Correction]| apply(meter, &r, c, span).iter().map(|r| r.import.0).collect::<Vec<_>>();
    assert_eq!(import(std::slice::from_ref(&set)), [2, 3, 2, 3]);
    assert_eq!(import(&[exclude.clone(), set.clone()]), [0, 0, 2, 3]); // the later one holds, in any order
    assert_eq!(apply(meter, &r, &[], span), r);
    assert_eq!(apply(meter, &[], std::slice::from_ref(&set), span)[0].quality, Quality::Corrected);
    assert_eq!(apply(MeterId::derive(&["other"]), &r, &[set, exclude], span), r);
    let crooked = Span::new(start.plus_ms(1), span.end);
    assert!(correction(3, Change::Exclude { span: crooked }).validate().is_err());
}

#[test]
fn sums_keep_the_worst_quality_and_what_is_not_measured() {
    let start = at("2026-06-01T00:00:00Z");
    let span = Span::new(start, start.plus_ms(HOUR));
    let mut r = rows(span, 100.0);
    r[1].quality = Quality::Recovered;
    r[2].covered_ms = 0;
    let t = sum(&r, span);
    assert_eq!(
        (t.import, t.not_measured, t.quality),
        (Energy::from_wh(400.0), Energy::from_wh(100.0), Quality::Recovered)
    );
    assert!((t.covered(span) - 0.75).abs() < 1e-12);
    let both = add_meters(&[&r, &r[..3]]);
    assert_eq!((both[0].import, both[3].covered_ms), (Energy::from_wh(200.0), 0));
}
