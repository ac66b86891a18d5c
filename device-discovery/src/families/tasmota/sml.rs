//! Meter scripts ("Smart Meter Interface"): objects and keys named by the user.
//!
//! There is no unit in the message. By convention of the scripts energy is kWh and power W, and
//! many keys are the OBIS code or a word for it; a key that is neither is left alone. An object
//! counts as a meter if its name says so, if it carries a meter number, or if it has a register
//! with a direction, so that sensors with fields like `Energy` are not taken for meters.

use crate::body::{clip, text_of};
use crate::readings::Readings;
use hearthwatt_domain::reading::Quantity as Q;
use serde_json::Value;

/// Sensors and gateways of Tasmota that are no meters, whatever their fields are called.
const OTHERS: &[&str] = &[
    "AS3935",
    "ESP32",
    "Wifi",
    "IrHVAC",
    "IrReceived",
    "RfReceived",
    "ZbReceived",
    "MCP230XX",
    "PMS",
    "HX711",
];

/// The first word or two of sensor names that come with an index or address.
const OTHER_PREFIXES: &[&str] =
    &["LD24", "INA2", "ADS1", "BME", "BMP", "DS18", "AM23", "SI70", "SHT", "VL53", "ADE", "HLK"];

pub(super) fn meter(r: &mut Readings, name: &str, object: &Value) -> Option<String> {
    let fields = object.as_object()?;
    if OTHERS.contains(&name) || OTHER_PREFIXES.iter().any(|p| name.starts_with(p)) {
        return None;
    }
    let lower = name.to_lowercase();
    let by_name =
        ["sml", "meter", "zaehler", "zähler", "strom", "ehz", "energy"].iter().any(|w| lower.contains(w));
    let number = fields.iter().find(|(k, _)| is_number_of_meter(k)).map(|(_, v)| clip(&text_of(Some(v))));
    let meanings: Vec<_> = fields
        .iter()
        .take(64)
        .filter_map(|(k, v)| Some((meaning(k)?, v)).filter(|(_, v)| !v.is_object()))
        .collect();
    let register = meanings.iter().any(|((_, q, _), _)| q.is_register());
    if !(by_name || number.is_some() || register) {
        return None;
    }
    let two_ways = meanings.iter().any(|((_, q, _), _)| *q == Q::PowerExport);
    for ((channel, quantity, factor), v) in meanings {
        // "power in" without a "power out" beside it is the signed one
        let quantity = if quantity == Q::PowerImport && !two_ways { Q::Power } else { quantity };
        // the key is the user's: text under it is none of our business
        if v.is_number() || v.as_str().is_some_and(|s| s.trim().parse::<f64>().is_ok()) {
            r.value(channel, quantity, Some(v), factor);
        }
    }
    Some(number.unwrap_or_default())
}

fn is_number_of_meter(key: &str) -> bool {
    let k = key.to_lowercase().replace(['_', '-', ' '], "");
    ["meterid", "meternumber", "meternr", "meterserial", "serverid", "zaehlernummer", "zählernummer"]
        .contains(&k.as_str())
}

type Meaning = (&'static str, Q, f64);

const KILO: f64 = 1000.0;

/// What a key means: channel, quantity, factor to its unit.
fn meaning(key: &str) -> Option<Meaning> {
    let lower = key.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    if words.is_empty() || words.len() > 6 {
        return None;
    }
    obis(&words).or_else(|| in_words(&words))
}

/// `1_8_0`, `1.8.0`, `1-0:1.8.0`, `180`.
fn obis(words: &[&str]) -> Option<Meaning> {
    let digits: Option<Vec<u8>> = words.iter().map(|w| w.parse().ok()).collect();
    let code: [u8; 3] = match digits.as_deref() {
        Some([c, d, e] | [1, 0, c, d, e] | [1, 0, c, d, e, 255]) => [*c, *d, *e],
        _ => match words {
            ["180"] => [1, 8, 0],
            ["181"] => [1, 8, 1],
            ["182"] => [1, 8, 2],
            ["280"] => [2, 8, 0],
            ["281"] => [2, 8, 1],
            ["282"] => [2, 8, 2],
            ["1670" | "167"] => [16, 7, 0],
            _ => return None,
        },
    };
    const TARIFFS: [&str; 5] = ["total", "t1", "t2", "t3", "t4"];
    Some(match code {
        [1, 8, t] => (TARIFFS.get(usize::from(t)).copied()?, Q::EnergyImport, KILO),
        [2, 8, t] => (TARIFFS.get(usize::from(t)).copied()?, Q::EnergyExport, KILO),
        [16, 7, 0] => ("total", Q::Power, 1.0),
        [1, 7, 0] => ("total", Q::PowerImport, 1.0),
        [2, 7, 0] => ("total", Q::PowerExport, 1.0),
        [36, 7, 0] => ("l1", Q::Power, 1.0),
        [56, 7, 0] => ("l2", Q::Power, 1.0),
        [76, 7, 0] => ("l3", Q::Power, 1.0),
        [32, 7, 0] => ("l1", Q::Voltage, 1.0),
        [52, 7, 0] => ("l2", Q::Voltage, 1.0),
        [72, 7, 0] => ("l3", Q::Voltage, 1.0),
        [31, 7, 0] => ("l1", Q::Current, 1.0),
        [51, 7, 0] => ("l2", Q::Current, 1.0),
        [71, 7, 0] => ("l3", Q::Current, 1.0),
        [14, 7, 0] => ("total", Q::Frequency, 1.0),
        [13, 7, 0] => ("total", Q::PowerFactor, 1.0),
        _ => return None,
    })
}

fn in_words(words: &[&str]) -> Option<Meaning> {
    let any = |list: &[&str]| words.iter().any(|w| list.contains(w));
    // other times, extremes and angles
    if any(&[
        "angle",
        "phi",
        "winkel",
        "phasenwinkel",
        "max",
        "min",
        "avg",
        "mean",
        "peak",
        "limit",
        "today",
        "yesterday",
        "day",
        "week",
        "month",
        "year",
        "heute",
        "gestern",
        "tag",
        "woche",
        "monat",
        "jahr",
        "start",
        "time",
        "price",
        "kosten",
    ]) {
        return None;
    }
    let phase = phase(words);
    let export = any(&[
        "out",
        "export",
        "exported",
        "einspeisung",
        "einsp",
        "lieferung",
        "feed",
        "ret",
        "returned",
        "abgabe",
    ]);
    let import = any(&["in", "import", "imported", "bezug", "verbrauch", "consumption"]);
    if any(&["power", "watt", "watts", "leistung", "wirkleistung", "w", "kw", "p", "pwr"])
        && !any(&["factor"])
    {
        let factor = if any(&["kw"]) { KILO } else { 1.0 };
        let quantity = if export {
            Q::PowerExport
        } else if import {
            Q::PowerImport
        } else {
            Q::Power
        };
        return Some((phase.unwrap_or("total"), quantity, factor));
    }
    if any(&["voltage", "volt", "volts", "spannung", "u", "v"]) {
        return Some((phase?, Q::Voltage, 1.0)).or(Some(("total", Q::Voltage, 1.0)));
    }
    if any(&["freq", "frequency", "frequenz", "hz"]) {
        return Some(("total", Q::Frequency, 1.0));
    }
    if any(&[
        "total",
        "e",
        "energy",
        "energie",
        "kwh",
        "zaehlerstand",
        "zählerstand",
        "bezug",
        "einspeisung",
        "import",
        "export",
        "verbrauch",
        "consumption",
    ]) {
        let tariff = if any(&["t1", "ht"]) {
            Some("t1")
        } else if any(&["t2", "nt"]) {
            Some("t2")
        } else {
            None
        };
        let known = import || export || any(&["kwh", "zaehlerstand", "zählerstand"]) || tariff.is_some();
        let quantity = if export { Q::EnergyExport } else { Q::EnergyImport };
        return known.then_some((tariff.or(phase).unwrap_or("total"), quantity, KILO));
    }
    any(&["current", "curr", "amp", "amps", "ampere", "strom", "i", "a"]).then_some((
        phase.unwrap_or("total"),
        Q::Current,
        1.0,
    ))
}

fn phase(words: &[&str]) -> Option<&'static str> {
    words.iter().find_map(|w| match *w {
        "l1" | "p1" | "phase1" => Some("l1"),
        "l2" | "p2" | "phase2" => Some("l2"),
        "l3" | "p3" | "phase3" => Some("l3"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_meter_scripts() {
        for (key, want) in [
            ("Total_in", Some(("total", Q::EnergyImport))),
            ("E_out", Some(("total", Q::EnergyExport))),
            ("1_8_0", Some(("total", Q::EnergyImport))),
            ("1-0:2.8.0", Some(("total", Q::EnergyExport))),
            ("16_7_0", Some(("total", Q::Power))),
            ("Power_curr", Some(("total", Q::Power))),
            ("curr_w", Some(("total", Q::Power))),
            ("total_kwh", Some(("total", Q::EnergyImport))),
            ("export_total_kwh", Some(("total", Q::EnergyExport))),
            ("Watt_L2", Some(("l2", Q::Power))),
            ("Volt_p3", Some(("l3", Q::Voltage))),
            ("Strom_L1", Some(("l1", Q::Current))),
            ("Zählerstand", Some(("total", Q::EnergyImport))),
            ("Frequenz", Some(("total", Q::Frequency))),
            ("phase_angle_L1", None),
            ("Phi_U_L2_U_L1", None),
            ("Energy", None),
            ("Temperature", None),
            ("", None),
        ] {
            assert_eq!(meaning(key).map(|(c, q, _)| (c, q)), want, "{key}");
        }
    }
}
