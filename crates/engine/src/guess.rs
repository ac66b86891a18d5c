//! First guesses about a meter nobody has described yet. The household has the last word.

use hearthwatt_discovery::DeviceInfo;
use hearthwatt_domain::meter::{MeterKey, Role};
use hearthwatt_domain::reading::Quantity;

use crate::words::cut;

/// A name to show until the household gives one.
pub(crate) fn name(key: &MeterKey, info: &DeviceInfo) -> String {
    let base = [&info.name, &info.model].into_iter().map(|n| cut(n.trim())).find(|n| !n.is_empty());
    let base = base.unwrap_or_else(|| cut(&key.device_id));
    match key.group.as_str() {
        // the first circuit of a device is most often its only one
        "" | "0" => base,
        group => match group.parse::<u8>() {
            Ok(index) => format!("{base} ({})", u16::from(index) + 1),
            Err(_) => format!("{base} ({})", group.to_uppercase()),
        },
    }
}

/// What such a meter usually stands for. `has_grid`: the home has its grid meter already.
pub(crate) fn role(name: &str, info: &DeviceInfo, quantities: &[Quantity], has_grid: bool) -> Role {
    let produces =
        quantities.iter().any(|q| matches!(q, Quantity::PowerProduction | Quantity::EnergyProduction));
    let role = match info.suggested_role {
        Some(role) => role,
        None if produces || named(name, SOLAR) => Role::Solar,
        None if named(name, BATTERY) => Role::Battery,
        None if named(name, GRID) => Role::Grid,
        None => Role::Load,
    };
    // two meters at the grid would be added; a second one is more likely a sub-meter
    if role == Role::Grid && has_grid { Role::Load } else { role }
}

/// Whether a producer's energy is counted as taken: then its sign has to be turned.
pub(crate) fn is_inverted(quantities: &[Quantity], import_wh: f64, export_wh: f64, mean_watts: f64) -> bool {
    let tells =
        quantities.iter().any(|q| matches!(q, Quantity::PowerProduction | Quantity::EnergyProduction));
    if tells {
        return false;
    }
    // standby of an inverter at night is a few watts and some kWh a year
    if import_wh + export_wh > 100.0 { import_wh > export_wh } else { mean_watts > 10.0 }
}

const SOLAR: &[&str] =
    &["solar", "pv", "photovoltaic", "inverter", "balcony", "balkon", "wechselrichter", "balkonkraftwerk"];
const BATTERY: &[&str] = &["battery", "akku", "batterie", "powerwall", "speicher"];
const GRID: &[&str] =
    &["grid", "mains", "smartmeter", "netz", "hausanschluss", "stromzaehler", "stromzähler"];

/// Whether one of the words stands in the name, as a word or the beginning of one.
fn named(name: &str, words: &[&str]) -> bool {
    let name = name.to_lowercase();
    let mut parts = name.split(|c: char| !c.is_alphanumeric()).filter(|p| !p.is_empty());
    parts.any(|part| words.iter().any(|w| if w.len() <= 2 { part == *w } else { part.starts_with(w) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, quantities: &[Quantity], has_grid: bool) -> Role {
        role(name, &DeviceInfo::default(), quantities, has_grid)
    }

    #[test]
    fn names_and_quantities_tell_the_role() {
        assert_eq!(check("Balkonkraftwerk Süd", &[], false), Role::Solar);
        assert_eq!(check("PV roof", &[], false), Role::Solar);
        assert_eq!(check("WR 1", &[Quantity::EnergyProduction], false), Role::Solar);
        assert_eq!(check("Grid meter", &[], false), Role::Grid);
        assert_eq!(check("Akku Keller", &[], false), Role::Battery);
        assert_eq!(check("Fridge", &[], false), Role::Load);
        assert_eq!(check("HPV pump", &[], false), Role::Load, "pv is a word, not a syllable");
    }

    #[test]
    fn there_is_one_grid_meter() {
        let info = DeviceInfo { suggested_role: Some(Role::Grid), ..Default::default() };
        assert_eq!(role("Meter", &info, &[], false), Role::Grid);
        assert_eq!(role("Meter", &info, &[], true), Role::Load);
    }

    #[test]
    fn a_plug_before_a_balcony_inverter_has_to_be_turned() {
        assert!(is_inverted(&[Quantity::Power], 120_000.0, 0.0, 300.0));
        assert!(!is_inverted(&[Quantity::Power], 2_000.0, 120_000.0, -300.0));
        assert!(is_inverted(&[Quantity::Power], 0.0, 0.0, 300.0));
        assert!(!is_inverted(&[Quantity::EnergyProduction], 120_000.0, 0.0, 300.0));
    }
}
