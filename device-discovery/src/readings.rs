//! Collects the readings of a message, and refuses what cannot be true.

use crate::body::{Number, number, number_in};
use crate::limits::MAX_MEASUREMENTS;
use crate::message::{Decoded, Measurement, Outcome};
use hearthwatt_domain::reading::{Channel, Quantity};
use serde_json::Value;

/// The readings of one message in the making.
#[derive(Default)]
pub(crate) struct Readings {
    list: Vec<Measurement>,
    /// The first unusable field, and how many there were.
    unusable: Option<(String, usize)>,
}

impl Readings {
    /// A JSON value in a unit that is `factor` times the quantity's. Missing values are passed over.
    pub fn value(&mut self, channel: &str, quantity: Quantity, raw: Option<&Value>, factor: f64) {
        if let Some(raw) = raw {
            self.checked(channel, quantity, &number(raw), factor);
        }
    }

    /// The same for plain text.
    pub fn text(&mut self, channel: &str, quantity: Quantity, raw: &str, factor: f64) {
        self.checked(channel, quantity, &number_in(raw), factor);
    }

    fn checked(&mut self, channel: &str, quantity: Quantity, n: &Number, factor: f64) {
        match n {
            // sentinels are raw values of a register
            Number::Is(v) if is_sentinel(quantity, *v) => {
                self.unusable(|| format!("{channel}/{}: {v} means \"no value\"", quantity.name()));
            }
            Number::Is(v) => self.put(channel, quantity, v * factor),
            Number::Missing => {}
            Number::Not => self.unusable(|| format!("{channel}/{}: not a number", quantity.name())),
        }
    }

    /// A value in the unit of the quantity. The first of a channel and quantity wins.
    pub fn put(&mut self, channel: &str, quantity: Quantity, value: f64) {
        if !plausible(quantity, value) {
            self.unusable(|| {
                format!("{channel}/{}: {value} {} is not plausible", quantity.name(), quantity.unit())
            });
        } else if self.list.len() >= MAX_MEASUREMENTS {
            self.unusable(|| format!("more than {MAX_MEASUREMENTS} readings in one message"));
        } else if !self.has(channel, quantity) {
            self.list.push(Measurement { channel: Channel::new(channel), quantity, value });
        }
    }

    pub fn has(&self, channel: &str, quantity: Quantity) -> bool {
        self.list.iter().any(|m| m.quantity == quantity && m.channel.as_str() == channel)
    }

    pub fn unusable(&mut self, why: impl FnOnce() -> String) {
        match &mut self.unusable {
            Some((_, more)) => *more += 1,
            none => *none = Some((why(), 0)),
        }
    }

    /// All good: `Ok`; some good: `Partial`; none good: `Reject`; nothing there: `None`.
    pub fn decoded(self, family: &'static str, device_id: Option<String>) -> Decoded {
        let outcome = match (self.list.is_empty(), &self.unusable) {
            (false, None) => Outcome::Ok,
            (false, Some(_)) => Outcome::Partial,
            (true, Some(_)) => Outcome::Reject,
            (true, None) => Outcome::None,
        };
        let reason = match self.unusable {
            Some((first, 0)) => Some(first),
            Some((first, more)) => Some(format!("{first} (and {more} more)")),
            None if outcome == Outcome::None => Some("no reading in this message".into()),
            None => None,
        };
        Decoded {
            outcome,
            family: Some(family),
            device_id,
            measurements: self.list,
            reason,
            ..Decoded::default()
        }
    }
}

/// Values by which firmware says "no value": the ends of integer registers, as they are or scaled.
fn is_sentinel(q: Quantity, v: f64) -> bool {
    const ANY: [f64; 5] = [-8_388_608.0, -32_768.0, -2_147_483_648.0, 4_294_967_295.0, 281_474_976_710_655.0];
    const SMALL: [f64; 4] = [65_535.0, 6_553.5, 655.35, 65.535];
    ANY.contains(&v)
        || matches!(q, Quantity::Voltage | Quantity::Current | Quantity::Frequency) && SMALL.contains(&v)
        || q == Quantity::Power && (v == -8388.608 || v == -3276.8)
}

/// What a home can measure. Wide enough for a farm, narrow enough for a wrong unit to show.
pub(crate) fn plausible(q: Quantity, v: f64) -> bool {
    use Quantity as Q;
    if !v.is_finite() {
        return false;
    }
    match q {
        Q::Power | Q::PowerDc | Q::PowerAverage | Q::PowerProduction => v.abs() <= 2e6,
        Q::PowerImport | Q::PowerExport | Q::PowerPeak => (0.0..=2e6).contains(&v),
        Q::ApparentPower => v.abs() <= 2e6,
        Q::ReactivePower | Q::ReactivePowerImport | Q::ReactivePowerExport => v.abs() <= 2e6,
        Q::Voltage | Q::VoltageDc => (0.0..=1500.0).contains(&v),
        Q::Current | Q::CurrentDc => v.abs() <= 4000.0,
        Q::PowerFactor => v.abs() <= 1.02,
        Q::Frequency => (0.0..=450.0).contains(&v),
        Q::Temperature => (-60.0..=200.0).contains(&v),
        Q::StateOfCharge => (0.0..=100.0).contains(&v),
        // registers: up to 10 GWh, a large factory's decade
        Q::EnergyImport | Q::EnergyExport | Q::EnergyProduction => (0.0..=1e10).contains(&v),
        Q::EnergyImportToday
        | Q::EnergyImportYesterday
        | Q::EnergyImportPeriod
        | Q::EnergyImportWeek
        | Q::EnergyImportMonth
        | Q::EnergyProductionToday
        | Q::EnergyProductionYear
        | Q::EnergyExportToday => (0.0..=1e10).contains(&v),
        Q::ReactiveEnergyImport | Q::ReactiveEnergyExport | Q::ApparentEnergyImport => {
            (0.0..=1e10).contains(&v)
        }
        Q::Gas | Q::Water | Q::Volume => (0.0..=1e9).contains(&v),
        Q::Flow => v.abs() <= 1e5,
        Q::GasEnergy | Q::HeatEnergy => (0.0..=1e12).contains(&v),
    }
}
