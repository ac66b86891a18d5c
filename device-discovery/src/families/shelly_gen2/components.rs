//! The components of a status: their fields, and what deltas of them build upon.

use crate::body::{Number, number};
use crate::readings::Readings;
use hearthwatt_domain::reading::Quantity as Q;
use serde_json::Value;
use std::collections::HashMap;

/// Components of one device that state is kept for.
const MAX_COMPONENTS: usize = 32;

/// What deltas of a component build upon.
#[derive(Debug, Default, Clone)]
pub(super) struct State {
    phase_power: [Option<f64>; 3],
    energy: Option<f64>,
    returned: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Em,
    EmData,
    Em1,
    Em1Data,
    Switch,
}

pub(super) fn kind_of(component: &str) -> Option<Kind> {
    Some(match component {
        "em" => Kind::Em,
        "emdata" => Kind::EmData,
        "em1" => Kind::Em1,
        "em1data" => Kind::Em1Data,
        "switch" | "pm1" | "cover" | "light" | "cct" | "rgb" | "rgbw" | "rgbcct" => Kind::Switch,
        _ => return None,
    })
}

/// All components of a status; whether an energy meter is among them.
pub(super) fn all(r: &mut Readings, v: &Value, states: &mut HashMap<String, State>) -> bool {
    let mut grid = false;
    for (name, c) in v.as_object().into_iter().flatten() {
        if name.contains(':') && c.is_object() {
            grid |= name.starts_with("em");
            one(r, name, c, states);
        }
    }
    grid
}

pub(super) fn one(r: &mut Readings, name: &str, c: &Value, states: &mut HashMap<String, State>) {
    let Some((kind, n)) = name.split_once(':').and_then(|(k, n)| Some((kind_of(k)?, n.parse::<u16>().ok()?)))
    else {
        return;
    };
    if states.len() >= MAX_COMPONENTS && !states.contains_key(name) {
        return r.unusable(|| format!("more than {MAX_COMPONENTS} components"));
    }
    if !states.contains_key(name) {
        states.insert(name.into(), State::default());
    }
    if let Some(state) = states.get_mut(name) {
        component(r, kind, &n.to_string(), c, state);
    }
}

/// The fields of a phase in `em` and `emdata`.
struct Phase {
    channel: &'static str,
    power: &'static str,
    fields: [(&'static str, Q); 5],
    registers: [(&'static str, Q); 2],
}

const PHASES: [Phase; 3] = [
    Phase {
        channel: "l1",
        power: "a_act_power",
        fields: [
            ("a_aprt_power", Q::ApparentPower),
            ("a_pf", Q::PowerFactor),
            ("a_voltage", Q::Voltage),
            ("a_current", Q::Current),
            ("a_freq", Q::Frequency),
        ],
        registers: [("a_total_act_energy", Q::EnergyImport), ("a_total_act_ret_energy", Q::EnergyExport)],
    },
    Phase {
        channel: "l2",
        power: "b_act_power",
        fields: [
            ("b_aprt_power", Q::ApparentPower),
            ("b_pf", Q::PowerFactor),
            ("b_voltage", Q::Voltage),
            ("b_current", Q::Current),
            ("b_freq", Q::Frequency),
        ],
        registers: [("b_total_act_energy", Q::EnergyImport), ("b_total_act_ret_energy", Q::EnergyExport)],
    },
    Phase {
        channel: "l3",
        power: "c_act_power",
        fields: [
            ("c_aprt_power", Q::ApparentPower),
            ("c_pf", Q::PowerFactor),
            ("c_voltage", Q::Voltage),
            ("c_current", Q::Current),
            ("c_freq", Q::Frequency),
        ],
        registers: [("c_total_act_energy", Q::EnergyImport), ("c_total_act_ret_energy", Q::EnergyExport)],
    },
];

pub(super) fn component(r: &mut Readings, kind: Kind, n: &str, c: &Value, state: &mut State) {
    if c.get("errors").and_then(Value::as_array).is_some_and(|e| e.iter().any(|e| e == "power_meter_failure"))
    {
        return r.unusable(|| format!("{n}: the device reports a failure of its meter"));
    }
    match kind {
        Kind::Em => em(r, c, state),
        Kind::EmData => {
            r.value("total", Q::EnergyImport, c.get("total_act"), 1.0);
            r.value("total", Q::EnergyExport, c.get("total_act_ret"), 1.0);
            for p in &PHASES {
                for (field, quantity) in p.registers {
                    r.value(p.channel, quantity, c.get(field), 1.0);
                }
            }
        }
        Kind::Em1 => {
            r.value(n, Q::Power, c.get("act_power"), 1.0);
            r.value(n, Q::ApparentPower, c.get("aprt_power"), 1.0);
            shared(r, n, c);
        }
        Kind::Em1Data => {
            r.value(n, Q::EnergyImport, c.get("total_act_energy"), 1.0);
            r.value(n, Q::EnergyExport, c.get("total_act_ret_energy"), 1.0);
        }
        Kind::Switch => {
            r.value(n, Q::Power, c.get("apower"), 1.0);
            r.value(n, Q::ApparentPower, c.get("aprt_power"), 1.0);
            shared(r, n, c);
            counters(r, n, c, state);
        }
    }
}

fn em(r: &mut Readings, c: &Value, state: &mut State) {
    let mut moved = false;
    for (phase, last) in PHASES.iter().zip(&mut state.phase_power) {
        let power = c.get(phase.power);
        r.value(phase.channel, Q::Power, power, 1.0);
        for (field, quantity) in phase.fields {
            r.value(phase.channel, quantity, c.get(field), 1.0);
        }
        if let Some(Number::Is(w)) = power.map(number) {
            *last = Some(w);
            moved = true;
        }
    }
    r.value("n", Q::Current, c.get("n_current"), 1.0);
    r.value("total", Q::Power, c.get("total_act_power"), 1.0);
    r.value("total", Q::ApparentPower, c.get("total_aprt_power"), 1.0);
    r.value("total", Q::Current, c.get("total_current"), 1.0);
    // a delta that moved a phase and left out the total
    if let (true, [Some(a), Some(b), Some(c)]) =
        (moved && c.get("total_act_power").is_none(), state.phase_power)
    {
        r.put("total", Q::Power, a + b + c);
    }
}

fn shared(r: &mut Readings, n: &str, c: &Value) {
    for (field, quantity) in
        [("voltage", Q::Voltage), ("current", Q::Current), ("pf", Q::PowerFactor), ("freq", Q::Frequency)]
    {
        r.value(n, quantity, c.get(field), 1.0);
    }
}

/// `aenergy` counts both directions where there is a `ret_aenergy`.
fn counters(r: &mut Readings, n: &str, c: &Value, state: &mut State) {
    let read = |name: &str| match c.get(name).and_then(|e| e.get("total")).map(number) {
        Some(Number::Is(v)) => Some(v),
        _ => None,
    };
    let (energy, returned) = (read("aenergy"), read("ret_aenergy"));
    if c.pointer("/aenergy/total").is_some_and(|t| matches!(number(t), Number::Not)) {
        r.unusable(|| format!("{n}/energy_import: not a number"));
    }
    state.energy = energy.or(state.energy);
    state.returned = returned.or(state.returned);
    if let (Some(v), true) = (state.energy, energy.is_some() || returned.is_some()) {
        r.put(n, Q::EnergyImport, v - state.returned.unwrap_or(0.0));
    }
    if let Some(v) = returned {
        r.put(n, Q::EnergyExport, v);
    }
}
