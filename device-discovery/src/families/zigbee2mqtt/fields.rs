//! The fields of a Zigbee2MQTT state: names, suffixes, quantities.

use hearthwatt_domain::reading::Quantity as Q;

/// A field that measures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Field {
    pub channel: &'static str,
    pub quantity: Q,
    /// To the quantity's unit, where the device registry says nothing.
    pub factor: f64,
}

const NAMES: &[(&str, Q, f64)] = &[
    ("power_apparent", Q::ApparentPower, 1.0),
    ("apparent_power", Q::ApparentPower, 1.0),
    ("power_reactive", Q::ReactivePower, 1.0),
    ("reactive_power", Q::ReactivePower, 1.0),
    ("power_factor", Q::PowerFactor, 1.0),
    ("power", Q::Power, 1.0),
    ("energy_produced", Q::EnergyExport, 1000.0),
    ("produced_energy", Q::EnergyExport, 1000.0),
    ("energy_consumed", Q::EnergyImport, 1000.0),
    ("consumed_energy", Q::EnergyImport, 1000.0),
    ("energy", Q::EnergyImport, 1000.0),
    ("voltage", Q::Voltage, 1.0),
    ("current", Q::Current, 1.0),
    ("ac_frequency", Q::Frequency, 1.0),
];

/// What a field is called decides what it measures: only exact names and names with a suffix for
/// a circuit or phase; `power_threshold` is a setting. `three` says whether there is a third
/// circuit, which makes `a`, `b`, `c` the phases of one supply.
pub(super) fn field(name: &str, three: bool) -> Option<Field> {
    NAMES.iter().find_map(|(stem, quantity, factor)| {
        let suffix = name.strip_prefix(stem)?;
        let channel = match suffix {
            "" => "total",
            "_a" if !three => "a",
            "_b" if !three => "b",
            // both clamps together, signed
            "_ab" => "total",
            "_a" | "_phase_a" | "_l1" => "l1",
            "_b" | "_phase_b" | "_l2" => "l2",
            "_c" | "_phase_c" | "_l3" => "l3",
            "_t1" | "_tier_1" if *quantity == Q::EnergyImport => "t1",
            "_t2" | "_tier_2" if *quantity == Q::EnergyImport => "t2",
            _ => return None,
        };
        Some(Field { channel, quantity: *quantity, factor: *factor })
    })
}

/// The factor from a unit of a registry to that of the quantity; `None` if it is not its unit.
pub(super) fn factor(quantity: Q, unit: &str) -> Option<f64> {
    Some(match (quantity.unit(), unit) {
        ("W", "W") | ("VA", "VA") | ("V", "V") | ("A", "A") | ("Hz", "Hz") | ("Wh", "Wh") => 1.0,
        ("var", "var" | "VAR" | "VAr") | ("1", "") => 1.0,
        ("W", "kW") | ("VA", "kVA") | ("Wh", "kWh") => 1e3,
        ("var", "kvar" | "kVAR" | "kVAr") => 1e3,
        ("Wh", "MWh") => 1e6,
        ("V", "mV") | ("A", "mA") | ("W", "mW") => 1e-3,
        ("1", "%") => 1e-2,
        _ => return None,
    })
}
