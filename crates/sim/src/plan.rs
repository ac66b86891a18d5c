//! What the meters of the home are and what they would say at any instant.

mod clock;
mod day;
mod loads;
mod meters;
mod noise;
mod weather;

pub use day::Registers;
pub use meters::PlannedMeter;
pub(crate) use meters::{Device, Format, extra};
pub(crate) use noise::{hash, smooth};

pub(crate) use day::{DAY_MS, METERS};
use day::{Day, GRID};
use hearthwatt_domain::budget::{Amount, Budget, Period, Scope};
use hearthwatt_domain::ids::{BudgetId, MeterId};
use hearthwatt_domain::meter::Role;
use hearthwatt_domain::reading::{Quantity, Reading};
use hearthwatt_domain::time::{Span, UnixMillis};
use hearthwatt_domain::units::Energy;
use jiff::tz::TimeZone;
use std::sync::{Arc, Mutex, PoisonError};

/// The meters were installed on 1 January 2024 (UTC): their registers count from here.
pub(crate) const FIRST_DAY: i64 = 19_723;
/// The demo's alert comes this long after its start.
const ALERT_AFTER_MS: i64 = 75_000;
/// Days kept ready.
const CACHED_DAYS: usize = 4;

/// A home under one seed.
#[derive(Debug)]
pub struct Plan {
    seed: u64,
    zone: TimeZone,
    meters: Vec<PlannedMeter>,
    cache: Mutex<Cache>,
}

#[derive(Debug, Default)]
struct Cache {
    /// Registers at the start of each day from [`FIRST_DAY`] on.
    starts: Vec<[Registers; METERS]>,
    days: Vec<(i64, Arc<Day>)>,
}

/// The home of `seed` in `zone`; the same arguments give the same home.
pub fn plan(seed: u64, zone: TimeZone) -> Plan {
    Plan { seed, meters: meters::meters(seed), zone, cache: Mutex::default() }
}

impl Plan {
    /// The meters of the home; every method that takes a number counts in this list.
    pub fn meters(&self) -> &[PlannedMeter] {
        &self.meters
    }

    /// Number of the meter at the grid connection.
    pub fn grid(&self) -> usize {
        GRID
    }

    /// What meter `i` measures at `t`, watts: + is taken, - is given. 0 for a number that is none.
    pub fn power(&self, i: usize, t: UnixMillis) -> f64 {
        if i >= METERS {
            return 0.0;
        }
        let (day, ms) = split(t);
        self.day(day).0.power(i, ms)
    }

    /// The two registers of meter `i` at `t`; they only rise. Before 2024 they stand still.
    pub fn registers(&self, i: usize, t: UnixMillis) -> Registers {
        if i >= METERS {
            return Registers::default();
        }
        let (day, ms) = split(t);
        let (table, starts) = self.day(day);
        self.at(&table, &starts, i, day, ms)
    }

    fn at(&self, table: &Day, starts: &[Registers; METERS], i: usize, day: i64, ms: i64) -> Registers {
        let since_start = if day < FIRST_DAY { Registers::default() } else { table.registers(i, ms) };
        self.meters[i].installed_at() + starts[i] + since_start
    }

    /// The registers as the device shows them: in steps of its resolution.
    pub fn shown(&self, i: usize, t: UnixMillis) -> Registers {
        let exact = self.registers(i, t);
        let Some(meter) = self.meters.get(i) else { return exact };
        Registers { import: meter.resolve(exact.import), export: meter.resolve(exact.export) }
    }

    /// Register readings of all meters in `span`, every `step_ms` from its start on, ordered by time:
    /// what the live meters would have said.
    pub fn readings(&self, span: Span, step_ms: i64) -> impl Iterator<Item = Reading> + '_ {
        let ids: Vec<MeterId> = self.meters.iter().map(|m| m.key.id()).collect();
        self.instants(span, step_ms).flat_map(move |at| {
            let (day, ms) = split(at);
            let (table, starts) = self.day(day);
            let mut readings = Vec::with_capacity(2 * self.meters.len());
            for (i, meter) in self.meters.iter().enumerate() {
                let mut push = |quantity, wh| {
                    let channel = meter.channel.clone();
                    let value = meter.resolve(wh);
                    readings.push(Reading { meter: ids[i], channel, quantity, at, value });
                };
                let exact = self.at(&table, &starts, i, day, ms);
                push(Quantity::EnergyImport, exact.import);
                if meter.has_export() {
                    push(Quantity::EnergyExport, exact.export);
                }
            }
            readings
        })
    }

    /// Power readings of all meters in `span`, every `step_ms`, ordered by time.
    pub fn power_readings(&self, span: Span, step_ms: i64) -> impl Iterator<Item = Reading> + '_ {
        self.instants(span, step_ms).flat_map(move |at| {
            self.meters.iter().enumerate().map(move |(i, meter)| Reading {
                meter: meter.key.id(),
                channel: meter.channel.clone(),
                quantity: Quantity::Power,
                at,
                value: (self.power(i, at) * 10.0).round() / 10.0,
            })
        })
    }

    fn instants(&self, span: Span, step_ms: i64) -> impl Iterator<Item = UnixMillis> + use<> {
        let step = step_ms.max(1);
        (0..)
            .map(move |n: i64| span.start.plus_ms(n.saturating_mul(step)))
            .take_while(move |t| t.0 < span.end.0)
    }

    /// Budgets that make the demo interesting. The first is crossed at 80 % about 75 seconds after
    /// `now`: of the whole home, or of the meter that uses most while nothing comes from the grid.
    pub fn demo_budgets(&self, now: UnixMillis) -> Vec<Budget> {
        let midnight = self.local_start(now, 0);
        let soon = now.plus_ms(ALERT_AFTER_MS);
        let used = |i: usize, from, to| self.shown(i, to).import - self.shown(i, from).import;
        // what is to break must move visibly in the last seconds before, not just at first
        let late = |i: usize| used(i, now.plus_ms(ALERT_AFTER_MS / 2), soon);
        let moves = |&i: &usize| late(i) >= 10.0 * self.meters[i].resolution_wh();
        let loads = (0..self.meters.len()).filter(|&i| self.meters[i].role == Role::Load);
        let most = loads.filter(moves).max_by(|&a, &b| late(a).total_cmp(&late(b)));
        let breaks = Some(GRID).filter(moves).or(most).unwrap_or(GRID);
        let today = used(breaks, midnight, soon);

        let month = self.local_start(now, 30);
        let monthly = used(GRID, month, now);
        let car = used(day::EV, month, now);
        let scope = |i: usize| if i == GRID { Scope::Home } else { Scope::Meter(self.meters[i].key.id()) };
        let budget = |name: &str, i, wh: f64, period, thresholds: &[u16], warn| Budget {
            id: BudgetId::derive(&["simulated home", &self.seed.to_string(), name]),
            name: name.to_owned(),
            scope: scope(i),
            limit: Amount::Energy(Energy::from_wh(wh)),
            period,
            thresholds: thresholds.to_vec(),
            warn_on_forecast: warn,
            created: now,
        };
        let first = if breaks == GRID { "Today from the grid" } else { "Today, one appliance" };
        vec![
            budget(first, breaks, (today / 0.8).max(0.001), Period::Day, &[80, 100], false),
            budget("This month", GRID, round_up(monthly * 1.04), Period::Month, &[50, 80, 100], true),
            budget("Charging the car", day::EV, round_up(car * 1.3), Period::Month, &[80, 100], false),
        ]
    }

    /// Midnight of the home's day that lies `days_back` before the one of `now`.
    fn local_start(&self, now: UnixMillis, days_back: i64) -> UnixMillis {
        let Some(t) = now.to_jiff() else { return now };
        let date = t.to_zoned(self.zone.clone()).date();
        let date = date.checked_sub(jiff::Span::new().days(days_back)).unwrap_or(date);
        date.to_zoned(self.zone.clone()).map_or(now, |z| z.timestamp().into())
    }

    /// A day, and the registers at its start.
    fn day(&self, day: i64) -> (Arc<Day>, [Registers; METERS]) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = usize::try_from(day - FIRST_DAY).unwrap_or(0);
        if cache.starts.is_empty() {
            cache.starts.push([Registers::default(); METERS]);
        }
        while cache.starts.len() <= wanted {
            let last = FIRST_DAY + cache.starts.len() as i64 - 1;
            let table = cache.table(self, last);
            let mut next = cache.starts.last().copied().unwrap_or_default();
            for (i, sum) in next.iter_mut().enumerate() {
                *sum = *sum + table.total(i);
            }
            cache.starts.push(next);
        }
        (cache.table(self, day), cache.starts[wanted])
    }
}

impl Cache {
    fn table(&mut self, plan: &Plan, day: i64) -> Arc<Day> {
        if let Some(found) = self.days.iter().position(|(d, _)| *d == day) {
            return self.days[found].1.clone();
        }
        let table = Arc::new(Day::new(plan.seed, &plan.zone, day));
        if self.days.len() >= CACHED_DAYS {
            self.days.remove(0);
        }
        self.days.push((day, table.clone()));
        table
    }
}

fn split(t: UnixMillis) -> (i64, i64) {
    (t.0.div_euclid(DAY_MS), t.0.rem_euclid(DAY_MS))
}

/// A limit as a person would choose it: whole tens of kilowatt-hours.
fn round_up(wh: f64) -> f64 {
    (wh / 10_000.0).ceil().max(1.0) * 10_000.0
}
