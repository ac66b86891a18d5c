//! What a meter shows at this moment, and what the home's meters say together.

use crate::limits::LIVE_VALID_MS;
use hearthwatt_api::Flow;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::meter::{Adoption, Meter, Role};
use hearthwatt_domain::reading::{Channel, Quantity};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::units::Power;
use std::collections::BTreeMap;

/// Points of one meter that power is told from; more is not a meter but a flood.
const POINTS_MAX: usize = 48;
/// Phases of one message may arrive as several; values this far apart still count as one.
const TOGETHER_MS: i64 = LIVE_VALID_MS;

/// Last values of one meter that power can be told from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Points {
    last: BTreeMap<(Quantity, Channel), (UnixMillis, f64)>,
    charge: Option<(UnixMillis, f64)>,
}

impl Points {
    /// Whether the power told may be another one now.
    pub(crate) fn take(&mut self, channel: &Channel, quantity: Quantity, at: UnixMillis, value: f64) -> bool {
        use Quantity::*;
        match quantity {
            Power | PowerImport | PowerExport | PowerProduction => {
                let key = (quantity, channel.clone());
                if self.last.len() >= POINTS_MAX && !self.last.contains_key(&key) {
                    return false;
                }
                self.last.insert(key, (at, value));
                true
            }
            StateOfCharge => {
                self.charge = Some((at, value));
                false
            }
            _ => false,
        }
    }

    /// Power as the device counts, watts: + taken, - given. The total where it is told, else the
    /// sum of its phases; never both. With the time of its newest part.
    pub(crate) fn power(&self) -> Option<(UnixMillis, f64)> {
        self.of(Quantity::Power).or_else(|| {
            let import = self.of(Quantity::PowerImport);
            let export = self.of(Quantity::PowerExport);
            match (import, export) {
                (None, None) => self.of(Quantity::PowerProduction).map(|(at, w)| (at, -w)),
                (i, e) => {
                    let at = i.map(|v| v.0).max(e.map(|v| v.0))?;
                    Some((at, i.map_or(0.0, |v| v.1) - e.map_or(0.0, |v| v.1)))
                }
            }
        })
    }

    fn of(&self, quantity: Quantity) -> Option<(UnixMillis, f64)> {
        let total = self.last.get(&(quantity, Channel::TOTAL)).copied();
        let parts = || {
            let mut parts =
                self.last.iter().filter(|((q, c), _)| *q == quantity && is_part(c)).map(|(_, v)| *v);
            let newest = parts.clone().map(|v| v.0).max()?;
            let sum = parts.by_ref().filter(|(at, _)| newest.since(*at) <= TOGETHER_MS).map(|v| v.1).sum();
            Some((newest, sum))
        };
        let other = || {
            let mut other =
                self.last.iter().filter(|((q, c), _)| *q == quantity && !is_part(c)).map(|(_, v)| *v);
            other.next()
        };
        total.or_else(parts).or_else(other)
    }

    /// Percent, and when it was told.
    pub(crate) fn charge(&self) -> Option<(UnixMillis, u8)> {
        self.charge.map(|(at, v)| (at, v.clamp(0.0, 100.0).round() as u8))
    }
}

/// A phase, which the total contains.
pub(crate) fn is_part(channel: &Channel) -> bool {
    matches!(channel.as_str(), "l1" | "l2" | "l3")
}

/// Power in the sense of the meter's role: grid + import, solar + produced, battery + charging,
/// load + used.
pub(crate) fn oriented(meter: &Meter, raw_watts: f64) -> Power {
    Power::from_watts(raw_watts * crate::views::rows::turned_sign(meter))
}

/// One adopted meter for [`flow`].
pub(crate) struct Now<'a> {
    pub(crate) meter: &'a Meter,
    /// Oriented.
    pub(crate) power: Option<(UnixMillis, Power)>,
    pub(crate) charge: Option<(UnixMillis, u8)>,
}

/// Sums by role at `now`. A meter that has another of its role above it is contained in that one.
pub(crate) fn flow<'a>(meters: impl Iterator<Item = Now<'a>>, now: UnixMillis) -> Flow {
    let meters: Vec<Now> = meters.filter(|m| m.meter.adoption == Adoption::Adopted).collect();
    let parents: BTreeMap<MeterId, &Meter> = meters.iter().map(|m| (m.meter.id, m.meter)).collect();
    let fresh = |at: UnixMillis| now.since(at) <= LIVE_VALID_MS;
    let sum = |role: Role| {
        meters
            .iter()
            .filter(|m| m.meter.role == role && !is_contained(m.meter, |id| parents.get(&id).copied()))
            .filter_map(|m| m.power.filter(|(at, _)| fresh(*at)).map(|(_, p)| p))
            .reduce(|a, b| a + b)
    };
    let (grid, battery) = (sum(Role::Grid), sum(Role::Battery));
    let net_solar = sum(Role::Solar);
    let has_grid = meters.iter().any(|m| m.meter.role == Role::Grid);
    let home = if has_grid {
        grid.map(|g| g + net_solar.unwrap_or_default() - battery.unwrap_or_default())
    } else {
        sum(Role::Load)
    };
    let charges: Vec<u8> = meters
        .iter()
        .filter(|m| m.meter.role == Role::Battery)
        .filter_map(|m| m.charge.map(|(_, c)| c))
        .collect();
    let battery_charge = (!charges.is_empty())
        .then(|| (charges.iter().map(|c| u32::from(*c)).sum::<u32>() / charges.len() as u32) as u8);
    Flow { grid, solar: net_solar.map(|p| p.max(Power::ZERO)), battery, battery_charge, home }
}

/// Whether a meter of the same role measures this one too, at any distance up the wiring.
pub(crate) fn is_contained<'a>(meter: &Meter, find: impl Fn(MeterId) -> Option<&'a Meter>) -> bool {
    let mut up = meter.parent;
    for _ in 0..crate::limits::METERS_MAX {
        let Some(parent) = up.and_then(&find) else { return false };
        if parent.role == meter.role {
            return true;
        }
        up = parent.parent;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearthwatt_domain::meter::MeterKey;

    const AT: UnixMillis = UnixMillis(1_000_000);

    fn meter(name: &str, role: Role) -> Meter {
        let key = MeterKey { family: "test".into(), device_id: name.into(), group: String::new() };
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

    fn check(meters: &[(&Meter, f64)]) -> [Option<f64>; 4] {
        let f = flow(
            meters.iter().map(|(m, w)| Now { meter: m, power: Some((AT, oriented(m, *w))), charge: None }),
            AT,
        );
        [f.grid, f.solar, f.battery, f.home].map(|p| p.map(Power::watts))
    }

    #[test]
    fn a_total_is_never_added_to_its_phases() {
        let mut p = Points::default();
        for (c, w) in [("l1", 100.0), ("l2", 200.0), ("l3", 300.0)] {
            p.take(&Channel::new(c), Quantity::Power, AT, w);
        }
        assert_eq!(p.power(), Some((AT, 600.0)));
        p.take(&Channel::TOTAL, Quantity::Power, AT, 590.0);
        assert_eq!(p.power(), Some((AT, 590.0)));
    }

    #[test]
    fn import_and_export_make_one_signed_power() {
        let mut p = Points::default();
        p.take(&Channel::TOTAL, Quantity::PowerImport, AT, 0.0);
        p.take(&Channel::TOTAL, Quantity::PowerExport, AT, 1_500.0);
        assert_eq!(p.power(), Some((AT, -1_500.0)));
    }

    #[test]
    fn the_home_uses_what_comes_in_and_is_not_stored_or_sent_out() {
        let (grid, solar, battery) =
            (meter("g", Role::Grid), meter("s", Role::Solar), meter("b", Role::Battery));
        assert_eq!(
            check(&[(&grid, -500.0), (&solar, -3_000.0), (&battery, 1_000.0)]),
            [Some(-500.0), Some(3_000.0), Some(1_000.0), Some(1_500.0)]
        );
    }

    #[test]
    fn solar_is_never_negative_but_its_own_use_counts() {
        let (grid, solar) = (meter("g", Role::Grid), meter("s", Role::Solar));
        assert_eq!(check(&[(&grid, 300.0), (&solar, 5.0)]), [Some(300.0), Some(0.0), None, Some(295.0)]);
    }

    #[test]
    fn an_inverted_plug_shows_what_the_balcony_produces() {
        let grid = meter("g", Role::Grid);
        let solar = Meter { inverted: true, ..meter("s", Role::Solar) };
        assert_eq!(check(&[(&grid, 100.0), (&solar, 400.0)]), [Some(100.0), Some(400.0), None, Some(500.0)]);
    }

    #[test]
    fn without_a_grid_meter_loads_are_added_but_not_those_below_a_load() {
        let (heat, fridge) = (meter("heat", Role::Load), meter("fridge", Role::Load));
        let rod = Meter { parent: Some(heat.id), ..meter("rod", Role::Load) };
        assert_eq!(check(&[(&heat, 1_000.0), (&rod, 400.0), (&fridge, 80.0)])[3], Some(1_080.0));
    }

    #[test]
    fn what_is_old_is_not_now() {
        let grid = meter("g", Role::Grid);
        let power = Some((AT, Power::from_watts(500.0)));
        let late = AT.plus_ms(LIVE_VALID_MS + 1);
        let f = flow([Now { meter: &grid, power, charge: None }].into_iter(), late);
        assert_eq!(f, Flow::default());
    }
}
