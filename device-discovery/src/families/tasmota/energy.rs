//! The parts of a Tasmota sensor message whose format fixes the units: `ENERGY`, the clamps of
//! `ANALOG`, Teleinfo (`TIC`), and Zigbee devices behind a Tasmota bridge.

use crate::readings::Readings;
use hearthwatt_domain::reading::Quantity as Q;
use serde_json::Value;

const KILO: f64 = 1000.0;

/// Field, quantity, factor to its unit.
const FIELDS: &[(&str, Q, f64)] = &[
    ("Power", Q::Power, 1.0),
    ("ApparentPower", Q::ApparentPower, 1.0),
    ("ReactivePower", Q::ReactivePower, 1.0),
    ("Factor", Q::PowerFactor, 1.0),
    ("Frequency", Q::Frequency, 1.0),
    ("Voltage", Q::Voltage, 1.0),
    ("Current", Q::Current, 1.0),
    ("Total", Q::EnergyImport, KILO),
    // after `Total`, which wins
    ("ImportActive", Q::EnergyImport, KILO),
    ("ExportActive", Q::EnergyExport, KILO),
    ("Today", Q::EnergyImportToday, KILO),
    ("Yesterday", Q::EnergyImportYesterday, KILO),
    ("Period", Q::EnergyImportPeriod, 1.0),
];

/// Whether `key` is a field of `ENERGY` itself; others are a user's meter script.
pub(super) fn is_field(key: &str) -> bool {
    FIELDS.iter().any(|(f, ..)| *f == key)
        || matches!(key, "TotalTariff" | "ExportTariff" | "TotalStartTime" | "Load")
}

pub(super) fn energy(r: &mut Readings, e: &Value) {
    for (field, quantity, factor) in FIELDS {
        if let Some(v) = e.get(field) {
            shaped(r, *quantity, v, *factor, false);
        }
    }
    for (field, quantity) in [("TotalTariff", Q::EnergyImport), ("ExportTariff", Q::EnergyExport)] {
        if let Some(v) = e.get(field) {
            shaped(r, quantity, v, KILO, true);
        }
    }
}

/// A field is a number, an array (channels or tariffs) or an object of phases.
fn shaped(r: &mut Readings, quantity: Q, v: &Value, factor: f64, tariffs: bool) {
    const CHANNELS: [&str; 8] = ["1", "2", "3", "4", "5", "6", "7", "8"];
    const TARIFFS: [&str; 4] = ["t1", "t2", "t3", "t4"];
    match v {
        Value::Array(list) => {
            let names: &[&str] = if tariffs { &TARIFFS } else { &CHANNELS };
            for (name, v) in names.iter().zip(list) {
                r.value(name, quantity, Some(v), factor);
            }
        }
        Value::Object(phases) => {
            for (key, v) in phases.iter().take(8) {
                match key.to_ascii_lowercase().as_str() {
                    "phase1" | "l1" => r.value("l1", quantity, Some(v), factor),
                    "phase2" | "l2" => r.value("l2", quantity, Some(v), factor),
                    "phase3" | "l3" => r.value("l3", quantity, Some(v), factor),
                    "total" | "sum" => r.value("total", quantity, Some(v), factor),
                    _ => r.unusable(|| format!("{}: unknown phase", quantity.name())),
                }
            }
        }
        _ => r.value(if tariffs { "t1" } else { "total" }, quantity, Some(v), factor),
    }
}

/// Current clamps on the analogue input: `{"CTEnergy1":{"Energy":kWh,"Power":…}}`.
pub(super) fn clamps(r: &mut Readings, analog: &Value) {
    for (key, c) in analog.as_object().into_iter().flatten().take(16) {
        let Some(n) = key.strip_prefix("CTEnergy").filter(|n| n.len() <= 2) else { continue };
        let channel = if n.is_empty() { "1" } else { n };
        r.value(channel, Q::Power, c.get("Power"), 1.0);
        r.value(channel, Q::Voltage, c.get("Voltage"), 1.0);
        r.value(channel, Q::Current, c.get("Current"), 1.0);
        r.value(channel, Q::EnergyImport, c.get("Energy"), KILO);
    }
}

/// Teleinfo of French meters: registers in Wh, apparent power in VA, historic and standard mode.
pub(super) fn teleinfo(r: &mut Readings, tic: &Value) {
    const REGISTERS: &[(&str, &str, Q)] = &[
        ("EAST", "total", Q::EnergyImport),
        ("BASE", "total", Q::EnergyImport),
        ("EAIT", "total", Q::EnergyExport),
        ("HCHC", "t1", Q::EnergyImport),
        ("HCHP", "t2", Q::EnergyImport),
        ("EJPHN", "t1", Q::EnergyImport),
        ("EJPHPM", "t2", Q::EnergyImport),
        ("EASF01", "t1", Q::EnergyImport),
        ("EASF02", "t2", Q::EnergyImport),
        ("EASF03", "t3", Q::EnergyImport),
        ("EASF04", "t4", Q::EnergyImport),
        ("PAPP", "total", Q::ApparentPower),
        ("SINSTS", "total", Q::ApparentPower),
        ("IINST", "total", Q::Current),
        ("IINST1", "l1", Q::Current),
        ("IINST2", "l2", Q::Current),
        ("IINST3", "l3", Q::Current),
        ("IRMS1", "l1", Q::Current),
        ("IRMS2", "l2", Q::Current),
        ("IRMS3", "l3", Q::Current),
        ("URMS1", "l1", Q::Voltage),
        ("URMS2", "l2", Q::Voltage),
        ("URMS3", "l3", Q::Voltage),
    ];
    for (key, channel, quantity) in REGISTERS {
        // what `ENERGY` says already, it says in its own way
        if !r.has(channel, *quantity) {
            r.value(channel, *quantity, tic.get(key), 1.0);
        }
    }
}

/// A device behind a Zigbee bridge: its address. Only `ActivePower` has a fixed unit; `Power` is
/// a switch, `EnergyTotal` raw hex.
pub(super) fn zigbee(r: &mut Readings, received: &Value) -> Option<String> {
    let (key, device) = received.as_object()?.iter().next()?;
    r.value("0", Q::Power, device.get("ActivePower"), 1.0);
    let id = device.get("Device").and_then(Value::as_str).unwrap_or(key);
    Some(crate::body::clip(id))
}
