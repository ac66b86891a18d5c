//! What an entity measures: its unit decides, device class and names only refine.

use hearthwatt_domain::reading::Quantity as Q;

/// The quantity and the factor from the entity's unit to the quantity's.
pub(super) fn of_unit(unit: &str, class: &str) -> Option<(Q, f64)> {
    Some(match unit.trim() {
        "W" => (Q::Power, 1.0),
        "kW" => (Q::Power, 1e3),
        "MW" => (Q::Power, 1e6),
        "mW" => (Q::Power, 1e-3),
        "Wh" => (Q::EnergyImport, 1.0),
        "kWh" => (Q::EnergyImport, 1e3),
        "MWh" => (Q::EnergyImport, 1e6),
        "GWh" => (Q::EnergyImport, 1e9),
        "mWh" => (Q::EnergyImport, 1e-3),
        "kJ" if class == "energy" => (Q::EnergyImport, 1e3 / 3600.0),
        "MJ" if class == "energy" => (Q::EnergyImport, 1e6 / 3600.0),
        "GJ" if class == "energy" => (Q::EnergyImport, 1e9 / 3600.0),
        "V" => (Q::Voltage, 1.0),
        "mV" => (Q::Voltage, 1e-3),
        "kV" => (Q::Voltage, 1e3),
        "A" => (Q::Current, 1.0),
        "mA" => (Q::Current, 1e-3),
        "VA" => (Q::ApparentPower, 1.0),
        "kVA" => (Q::ApparentPower, 1e3),
        "var" | "VAr" | "VAR" => (Q::ReactivePower, 1.0),
        "kvar" | "kVAr" | "kVAR" => (Q::ReactivePower, 1e3),
        "Hz" => (Q::Frequency, 1.0),
        "" if class == "power_factor" => (Q::PowerFactor, 1.0),
        "%" if class == "power_factor" => (Q::PowerFactor, 1e-2),
        u @ ("m³" | "m3" | "L" | "l" | "ft³" | "ft3" | "CCF") => {
            let quantity = match class {
                "gas" => Q::Gas,
                "water" => Q::Water,
                _ => return None,
            };
            let factor = match u {
                "L" | "l" => 1e-3,
                "ft³" | "ft3" => 0.028_316_846_592,
                "CCF" => 2.831_684_659_2,
                _ => 1.0,
            };
            (quantity, factor)
        }
        _ => return None,
    })
}

/// Refines by the words of the entity's id and of the path in its state: which register of
/// energy, which channel. `None`: something that only looks like a measurement of the mains.
pub(super) fn refined(quantity: Q, class: &str, resets: bool, words: &[String]) -> Option<(Q, &'static str)> {
    let any = |list: &[&str]| words.iter().any(|w| list.contains(&w.as_str()));
    // cells and supply rails are no mains; charge held is no register; ratings measure nothing
    if class == "energy_storage" || class == "battery" {
        return None;
    }
    if any(&["max", "min", "limit", "threshold", "rated", "nominal", "setpoint", "forecast", "target"]) {
        return None;
    }
    if quantity == Q::Voltage && any(&["battery", "bat", "vcc", "vbat", "supply"]) {
        return None;
    }
    let quantity = if quantity == Q::EnergyImport { energy(resets, &any)? } else { quantity };
    let channel = match quantity {
        Q::Gas => "gas",
        Q::Water => "water",
        _ => channel(quantity, &any),
    };
    Some((quantity, channel))
}

fn energy(resets: bool, any: &dyn Fn(&[&str]) -> bool) -> Option<Q> {
    let export =
        any(&["export", "exported", "returned", "return", "ret", "out", "feedin", "injected", "delivered"]);
    let produced = any(&["produced", "production", "yield", "generated", "generation"]);
    Some(if any(&["today", "daily", "day", "yieldday"]) {
        match (export, produced) {
            (true, _) => Q::EnergyExportToday,
            (_, true) => Q::EnergyProductionToday,
            _ => Q::EnergyImportToday,
        }
    } else if any(&[
        "yesterday",
        "week",
        "weekly",
        "month",
        "monthly",
        "year",
        "yearly",
        "annual",
        "period",
        "hour",
        "hourly",
    ]) || resets
    {
        // past or resetting: of no use as registers
        match (export || produced, any(&["yesterday"]), any(&["week", "weekly"]), any(&["month", "monthly"]))
        {
            (true, ..) => return None,
            (_, true, ..) => Q::EnergyImportYesterday,
            (_, _, true, _) => Q::EnergyImportWeek,
            (_, _, _, true) => Q::EnergyImportMonth,
            _ => Q::EnergyImportPeriod,
        }
    } else if export {
        Q::EnergyExport
    } else if produced {
        Q::EnergyProduction
    } else {
        Q::EnergyImport
    })
}

fn channel(quantity: Q, any: &dyn Fn(&[&str]) -> bool) -> &'static str {
    const PHASES: [(&str, &[&str]); 3] = [
        ("l1", &["l1", "phase1", "phasea", "p1"]),
        ("l2", &["l2", "phase2", "phaseb", "p2"]),
        ("l3", &["l3", "phase3", "phasec", "p3"]),
    ];
    const TARIFFS: [(&str, &[&str]); 4] = [
        ("t1", &["t1", "tariff1"]),
        ("t2", &["t2", "tariff2"]),
        ("t3", &["t3", "tariff3"]),
        ("t4", &["t4", "tariff4"]),
    ];
    if let Some((name, _)) = PHASES.iter().find(|(_, w)| any(w)) {
        return name;
    }
    if quantity.is_register()
        && let Some((name, _)) = TARIFFS.iter().find(|(_, w)| any(w))
    {
        return name;
    }
    "total"
}

/// The words of an id: split at everything that is no letter or digit and at `aB`, lower case;
/// `phase_a` and `phase 1` become one word.
pub(super) fn words(ids: &[&str]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for id in ids {
        let mut word = String::new();
        let mut previous = ' ';
        for c in id.chars().take(128) {
            if !c.is_alphanumeric() || (c.is_uppercase() && previous.is_lowercase()) {
                push(&mut out, &mut word);
            }
            if c.is_alphanumeric() {
                word.extend(c.to_lowercase());
            }
            previous = c;
        }
        push(&mut out, &mut word);
    }
    out
}

fn push(out: &mut Vec<String>, word: &mut String) {
    if word.is_empty() {
        return;
    }
    if let Some(last) = out.last_mut().filter(|l| matches!(l.as_str(), "phase" | "tariff") && word.len() == 1)
    {
        last.push_str(word);
    } else {
        out.push(word.clone());
    }
    word.clear();
}
