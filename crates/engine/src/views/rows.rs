//! Rows of usage, of one meter and of the home. The home's are sums over its meters by role; a
//! meter below another of its role is contained in that one and never added.

use crate::live::is_contained;
use hearthwatt_api::Totals;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::meter::{Adoption, Meter, Role};
use hearthwatt_domain::time::{INTERVAL_MS, Span, UnixMillis};
use hearthwatt_domain::units::{Energy, Money};
use hearthwatt_domain::usage::{IntervalUsage, Quality};
use hearthwatt_store::PeriodUsage;
use std::collections::BTreeMap;

/// Usage of a meter or the home in an interval, an hour, a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row {
    pub(crate) span: Span,
    pub(crate) totals: Totals,
    pub(crate) not_measured: Energy,
    pub(crate) quality: Quality,
    pub(crate) covered_ms: i64,
}

/// What the store has of one meter, in its own sense.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw {
    pub(crate) span: Span,
    import: Energy,
    export: Energy,
    not_measured: Energy,
    quality: Quality,
    covered_ms: i64,
}

impl From<&IntervalUsage> for Raw {
    fn from(i: &IntervalUsage) -> Self {
        let not_measured = if i.quality == Quality::Measured { Energy::ZERO } else { i.import + i.export };
        Self {
            span: Span::new(i.start, i.start.plus_ms(INTERVAL_MS)),
            import: i.import,
            export: i.export,
            not_measured,
            quality: i.quality,
            covered_ms: i64::from(i.covered_ms),
        }
    }
}

impl From<&PeriodUsage> for Raw {
    fn from(p: &PeriodUsage) -> Self {
        Self {
            span: p.span,
            import: p.import,
            export: p.export,
            not_measured: p.not_measured,
            quality: p.quality,
            covered_ms: i64::from(p.covered_ms),
        }
    }
}

impl Row {
    pub(crate) fn empty(span: Span) -> Self {
        Self {
            span,
            totals: Totals::default(),
            not_measured: Energy::ZERO,
            quality: Quality::Measured,
            covered_ms: 0,
        }
    }

    /// Adds what lies inside; the cost is known only if all parts' are.
    pub(crate) fn add(&mut self, other: &Row) {
        let cost = add_cost(self.totals.cost, other.totals.cost);
        let (t, o) = (&mut self.totals, &other.totals);
        t.used += o.used;
        t.import += o.import;
        t.export += o.export;
        t.produced += o.produced;
        t.cost = cost;
        self.not_measured += other.not_measured;
        self.quality = self.quality.max(other.quality);
        self.covered_ms += other.covered_ms;
    }

    /// One row over `span` of all rows given.
    pub(crate) fn over<'a>(span: Span, rows: impl IntoIterator<Item = &'a Row>) -> Row {
        let mut rows = rows.into_iter();
        let Some(first) = rows.next() else { return Row::empty(span) };
        let mut sum = Row { span, ..*first };
        rows.for_each(|r| sum.add(r));
        sum
    }
}

pub(crate) fn add_cost(a: Option<Money>, b: Option<Money>) -> Option<Money> {
    Some(a? + b?)
}

/// Import and export as the household means them.
pub(crate) fn turned(meter: &Meter, raw: Raw) -> Raw {
    if meter.inverted { Raw { import: raw.export, export: raw.import, ..raw } } else { raw }
}

/// By what raw power is multiplied to be power in the sense of the meter's role.
pub(crate) fn turned_sign(meter: &Meter) -> f64 {
    if meter.inverted != (meter.role == Role::Solar) { -1.0 } else { 1.0 }
}

/// A meter's row for itself.
pub(crate) fn of_meter(meter: &Meter, raw: Raw) -> Row {
    let raw = turned(meter, raw);
    let produced = if meter.role == Role::Solar { raw.export } else { Energy::ZERO };
    let totals = Totals { used: raw.import, import: raw.import, export: raw.export, produced, cost: None };
    Row {
        span: raw.span,
        totals,
        not_measured: raw.not_measured,
        quality: raw.quality,
        covered_ms: raw.covered_ms,
    }
}

/// The meters whose sums are the home.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wiring {
    pub(crate) grid: Vec<Meter>,
    pub(crate) solar: Vec<Meter>,
    pub(crate) battery: Vec<Meter>,
    /// Loads that no other load contains.
    pub(crate) loads: Vec<Meter>,
}

impl Wiring {
    pub(crate) fn new<'a>(meters: impl Iterator<Item = &'a Meter>) -> Self {
        let adopted: BTreeMap<MeterId, &Meter> =
            meters.filter(|m| m.adoption == Adoption::Adopted).map(|m| (m.id, m)).collect();
        let mut wiring = Self::default();
        for meter in adopted.values() {
            if is_contained(meter, |id| adopted.get(&id).copied()) {
                continue;
            }
            let list = match meter.role {
                Role::Grid => &mut wiring.grid,
                Role::Solar => &mut wiring.solar,
                Role::Battery => &mut wiring.battery,
                Role::Load => &mut wiring.loads,
            };
            list.push((*meter).clone());
        }
        wiring
    }

    /// The meters that speak for the connection to the grid: without a grid meter, the loads.
    pub(crate) fn leading(&self) -> &[Meter] {
        if self.grid.is_empty() { &self.loads } else { &self.grid }
    }

    /// All meters that the home's sums are made of.
    pub(crate) fn summed(&self) -> impl Iterator<Item = &Meter> {
        let behind = !self.grid.is_empty();
        let sources = self.solar.iter().chain(if behind { self.battery.iter() } else { [].iter() });
        self.leading().iter().chain(sources)
    }

    /// The home's rows, by start. `read` gives one meter's.
    pub(crate) fn rows<E>(&self, mut read: impl FnMut(&Meter) -> Result<Vec<Raw>, E>) -> Result<Vec<Row>, E> {
        let mut rows: BTreeMap<UnixMillis, Row> = BTreeMap::new();
        for meter in self.summed() {
            let leading = self.leading().iter().any(|m| m.id == meter.id);
            for raw in read(meter)? {
                let raw = turned(meter, raw);
                let row = rows.entry(raw.span.start).or_insert_with(|| Row::empty(raw.span));
                self.put(row, meter.role, &raw);
                if leading {
                    row.not_measured += raw.not_measured;
                    row.covered_ms = row.covered_ms.max(raw.covered_ms);
                }
                row.quality = row.quality.max(raw.quality);
            }
        }
        Ok(rows.into_values().collect())
    }

    fn put(&self, row: &mut Row, role: Role, raw: &Raw) {
        let t = &mut row.totals;
        match role {
            Role::Grid => {
                t.import += raw.import;
                t.export += raw.export;
                t.used += raw.import - raw.export;
            }
            Role::Solar => {
                t.produced += raw.export;
                if !self.grid.is_empty() {
                    t.used += raw.export - raw.import;
                }
            }
            Role::Battery => t.used -= raw.import - raw.export,
            Role::Load => {
                t.used += raw.import;
                t.import += raw.import;
            }
        }
    }
}

/// What the home takes from and gives to the grid, as intervals to be priced.
pub(crate) fn grid_interval(row: &Row) -> IntervalUsage {
    IntervalUsage {
        start: row.span.start,
        import: row.totals.import,
        export: row.totals.export,
        quality: row.quality,
        covered_ms: row.covered_ms.clamp(0, INTERVAL_MS) as u32,
        power_min: None,
        power_max: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearthwatt_domain::meter::MeterKey;

    fn meter(name: &str, role: Role) -> Meter {
        let key = MeterKey { family: "t".into(), device_id: name.into(), group: String::new() };
        Meter {
            id: key.id(),
            key,
            adoption: Adoption::Adopted,
            name: name.into(),
            room: String::new(),
            role,
            parent: None,
            inverted: false,
            manufacturer: String::new(),
            model: String::new(),
        }
    }

    /// Sums of one interval, kWh: used, import, export, produced.
    fn check(meters: &[(Meter, f64, f64)]) -> [f64; 4] {
        let wiring = Wiring::new(meters.iter().map(|(m, ..)| m));
        let rows = wiring
            .rows(|m| {
                let (_, import, export) = meters.iter().find(|(x, ..)| x.id == m.id).unwrap();
                let usage = IntervalUsage {
                    start: UnixMillis(0),
                    import: Energy::from_kwh(*import),
                    export: Energy::from_kwh(*export),
                    quality: Quality::Measured,
                    covered_ms: 900_000,
                    power_min: None,
                    power_max: None,
                };
                Ok::<_, ()>(vec![Raw::from(&usage)])
            })
            .unwrap();
        let t = rows[0].totals;
        [t.used, t.import, t.export, t.produced].map(Energy::kwh)
    }

    #[test]
    fn the_home_used_what_came_in_or_was_made_and_did_not_leave() {
        let meters = [
            (meter("grid", Role::Grid), 1.0, 2.0),
            (meter("solar", Role::Solar), 0.1, 5.0),
            (meter("battery", Role::Battery), 1.5, 0.5),
            (meter("fridge", Role::Load), 0.3, 0.0),
        ];
        // 1 - 2 + (5 - 0.1) - (1.5 - 0.5)
        assert_eq!(check(&meters), [2.9, 1.0, 2.0, 5.0]);
    }

    #[test]
    fn a_sub_meter_and_its_parent_are_not_added() {
        let house = meter("house", Role::Grid);
        let flat = Meter { parent: Some(house.id), ..meter("flat", Role::Grid) };
        assert_eq!(check(&[(house, 3.0, 0.0), (flat, 1.0, 0.0)]), [3.0, 3.0, 0.0, 0.0]);
    }

    #[test]
    fn without_a_grid_meter_the_loads_are_the_home() {
        let heat = meter("heat", Role::Load);
        let rod = Meter { parent: Some(heat.id), ..meter("rod", Role::Load) };
        let tv = meter("tv", Role::Load);
        assert_eq!(check(&[(heat, 2.0, 0.0), (rod, 0.5, 0.0), (tv, 0.25, 0.0)]), [2.25, 2.25, 0.0, 0.0]);
    }

    #[test]
    fn an_inverted_meter_counts_the_other_way() {
        let solar = Meter { inverted: true, ..meter("balcony", Role::Solar) };
        assert_eq!(check(&[(meter("grid", Role::Grid), 1.0, 0.0), (solar, 0.5, 0.0)]), [1.5, 1.0, 0.0, 0.5]);
    }

    #[test]
    fn a_sum_with_an_unknown_cost_has_none() {
        let mut a = Row::empty(Span::new(UnixMillis(0), UnixMillis(1)));
        let mut b = a;
        a.totals.cost = Some(Money(5));
        a.add(&b);
        assert_eq!(a.totals.cost, None);
        a.totals.cost = Some(Money(5));
        b.totals.cost = Some(Money(6));
        a.add(&b);
        assert_eq!(a.totals.cost, Some(Money(11)));
    }
}
