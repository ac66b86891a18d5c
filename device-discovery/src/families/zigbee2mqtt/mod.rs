//! Zigbee2MQTT: plugs, clamps and meters on a Zigbee network.
//!
//! `<base>/<friendly name>` as JSON, `<base>/<name>/<attribute>` as plain values where that output
//! is on, `<base>/<name>/availability`; retained `<base>/bridge/devices` says who a name is and in
//! which units its properties come. The base is `zigbee2mqtt` or learnt from that message.
//!
//! Identity is the IEEE address once `bridge/devices` is known (it is retained and subscribed to
//! first), else the friendly name. Names may contain `/` and spaces.
//! A group repeats its members: with the registry known, names that are not in it are left out.

mod fields;
mod registry;

use super::{Entry, Family, Fixture, quiet};
use crate::body::{Body, Number, clip, number};
use crate::message::{Decoded, Message, Outcome, Transport};
use crate::readings::Readings;
use fields::field;
use hearthwatt_domain::reading::Quantity as Q;
use registry::Registry;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

const NAME: &str = "zigbee2mqtt";
const DEFAULT_BASE: &str = "zigbee2mqtt";
/// Networks on one broker.
const MAX_BASES: usize = 8;

pub(crate) const ENTRY: Entry = Entry {
    name: NAME,
    subscriptions: &["+/bridge/devices", "+/+/bridge/devices", "zigbee2mqtt/#"],
    new: || Box::new(Zigbee2Mqtt::default()),
    fixtures: FIXTURES,
};

#[derive(Debug, Default)]
struct Zigbee2Mqtt {
    /// By base topic.
    bases: HashMap<String, Registry>,
}

impl Family for Zigbee2Mqtt {
    fn decode(&mut self, m: &Message, body: &Body) -> Option<Decoded> {
        if m.transport != Transport::Mqtt {
            return None;
        }
        if let Some((base, rest)) = m.topic.split_once("/bridge/") {
            return self.bridge(base, rest, body);
        }
        let base = self
            .bases
            .keys()
            .find(|b| m.topic.strip_prefix(b.as_str()).is_some_and(|r| r.starts_with('/')))
            .cloned()
            .or_else(|| m.topic.starts_with("zigbee2mqtt/").then(|| DEFAULT_BASE.to_string()))?;
        let name = m.topic.get(base.len() + 1..)?;
        Some(self.device(&base, name, body))
    }

    fn wanted(&self, filters: &mut BTreeSet<String>) {
        filters.extend(self.bases.keys().map(|b| format!("{b}/#")));
    }

    fn remembered(&self) -> usize {
        let of = |r: &Registry| r.devices.values().map(|d| 1 + d.factors.len()).sum::<usize>();
        self.bases.values().map(|r| 1 + of(r)).sum()
    }
}

impl Zigbee2Mqtt {
    fn bridge(&mut self, base: &str, rest: &str, body: &Body) -> Option<Decoded> {
        let known = base == DEFAULT_BASE || self.bases.contains_key(base);
        match rest {
            "devices" => {
                let registry = match body.json() {
                    Ok(v) => Registry::read(v).ok_or("not a list of devices"),
                    Err(e) => Err(e),
                };
                let registry = match registry {
                    Ok(r) => r,
                    Err(e) => return known.then(|| quiet(NAME, Outcome::Reject, None, e)),
                };
                if !known && registry.devices.is_empty() {
                    return None;
                }
                if self.bases.len() >= MAX_BASES && !self.bases.contains_key(base) {
                    return Some(quiet(
                        NAME,
                        Outcome::Reject,
                        None,
                        format!("more than {MAX_BASES} networks"),
                    ));
                }
                let (outcome, why) = if registry.cut {
                    (Outcome::Partial, format!("more than {} devices", crate::limits::MAX_DEVICES))
                } else {
                    (Outcome::Ok, String::new())
                };
                self.bases.insert(base.into(), registry);
                Some(quiet(NAME, outcome, None, why))
            }
            "state" => {
                let online = presence(body).filter(|_| known)?;
                let mut d = quiet(NAME, Outcome::None, None, "presence of the bridge");
                d.online = Some(online);
                Some(d)
            }
            _ => known.then(|| quiet(NAME, Outcome::None, None, "a message of the bridge")),
        }
    }

    fn device(&mut self, base: &str, path: &str, body: &Body) -> Decoded {
        let registry = self.bases.get_mut(base);
        let (name, attribute) = split(path, registry.as_deref(), body);
        let (described, closed) = match registry {
            Some(r) => {
                let closed = !r.cut;
                (r.devices.get_mut(name), closed)
            }
            None => (None, false),
        };
        let id = Some(described.as_ref().map_or_else(|| clip(name), |d| d.ieee.clone()));
        match attribute {
            Some("availability") => {
                let mut d = quiet(NAME, Outcome::None, id, "presence");
                d.online = presence(body);
                return d;
            }
            Some("set" | "get") => return quiet(NAME, Outcome::None, id, "a command"),
            _ if described.is_none() && closed => {
                return quiet(NAME, Outcome::None, id, "a group, or not among the bridge's devices");
            }
            _ => {}
        }
        let units = Units { described: described.as_deref() };
        let mut decoded = match attribute {
            Some(attribute) => single(id, attribute, &units, body),
            None => match body.json() {
                Ok(Value::Object(state)) => whole(id, state, &units),
                Ok(_) => quiet(NAME, Outcome::None, id, "not a state"),
                Err(_) if body.is_empty() => quiet(NAME, Outcome::Gone, id, "retained state removed"),
                Err(e) => quiet(NAME, Outcome::Reject, id, e),
            },
        };
        if let Some(d) = described
            && !d.introduced
            && !decoded.measurements.is_empty()
        {
            d.introduced = true;
            decoded.device = Some(d.info.clone());
        }
        decoded
    }
}

/// The friendly name of a topic, and the attribute behind it if there is one.
fn split<'a>(path: &'a str, registry: Option<&Registry>, body: &Body) -> (&'a str, Option<&'a str>) {
    if registry.is_some_and(|r| r.devices.contains_key(path)) {
        return (path, None);
    }
    match path.rsplit_once('/') {
        Some((name, last @ ("availability" | "set" | "get"))) => (name, Some(last)),
        // a state is an object, an attribute is not
        Some((name, last)) if !body.looks_like_object() => (name, Some(last)),
        _ => (path, None),
    }
}

fn presence(body: &Body) -> Option<bool> {
    let word = match body.json() {
        Ok(v) => v.get("state").and_then(Value::as_str)?,
        Err(_) => body.text()?,
    };
    match word {
        "online" => Some(true),
        "offline" => Some(false),
        _ => None,
    }
}

struct Units<'a> {
    described: Option<&'a registry::Described>,
}

impl Units<'_> {
    /// The factor for a property; `None` if it measures something else than its name says.
    fn factor(&self, property: &str, usual: f64) -> Option<f64> {
        self.described.and_then(|d| d.factors.get(property)).map_or(Some(usual), |f| *f)
    }

    fn on_battery(&self) -> bool {
        self.described.is_some_and(|d| d.on_battery)
    }
}

fn whole(id: Option<String>, state: &serde_json::Map<String, Value>, units: &Units) -> Decoded {
    let three = ["power_c", "current_c", "voltage_c"].iter().any(|k| state.contains_key(*k));
    let on_battery = units.on_battery() || state.contains_key("battery");
    let mut r = Readings::default();
    for (name, v) in state {
        let Some(f) = field(name, three) else { continue };
        if f.quantity == Q::Voltage && on_battery {
            continue;
        }
        let Some(factor) = units.factor(name, f.factor) else { continue };
        let Number::Is(raw) = number(v) else {
            r.value(f.channel, f.quantity, Some(v), factor);
            continue;
        };
        let mut factor = factor;
        if f.quantity == Q::PowerFactor && factor == 1.0 && raw.abs() > 1.5 {
            factor = 0.01; // percent
        }
        if f.quantity == Q::Power && raw > 0.0 && produces(state, name) {
            factor = -factor;
        }
        r.value(f.channel, f.quantity, Some(v), factor);
    }
    r.decoded(NAME, id)
}

/// Clamps that send power without a sign give the direction in a second field.
fn produces(state: &serde_json::Map<String, Value>, power: &str) -> bool {
    let flow = power.replacen("power", "energy_flow", 1);
    state.get(&flow).and_then(Value::as_str).is_some_and(|f| f.eq_ignore_ascii_case("producing"))
}

fn single(id: Option<String>, attribute: &str, units: &Units, body: &Body) -> Decoded {
    let Some(f) = field(attribute, false) else {
        return quiet(NAME, Outcome::None, id, "not a measurement");
    };
    if f.quantity == Q::Power && matches!(f.channel, "a" | "b") {
        return quiet(
            NAME,
            Outcome::None,
            id,
            "its direction comes in another message: the JSON state is used",
        );
    }
    let factor = units.factor(attribute, f.factor);
    let (Some(factor), Some(text), false) =
        (factor, body.text(), f.quantity == Q::Voltage && units.on_battery())
    else {
        return quiet(NAME, Outcome::None, id, "not a measurement");
    };
    let mut r = Readings::default();
    r.text(f.channel, f.quantity, text, factor);
    r.decoded(NAME, id)
}

const FIXTURES: &[Fixture] = &[
    Fixture::mqtt(
        "zigbee2mqtt/Desk lamp",
        r#"{"power":12.5,"energy":1.5,"voltage":231,"current":null,"power_threshold":99,"linkquality":80}"#,
        "ok total/power=12.5 total/energy_import=1500 total/voltage=231",
    ),
    Fixture::mqtt("zigbee2mqtt/Desk lamp/energy", "1.5", "ok total/energy_import=1500"),
    Fixture::mqtt("zigbee2mqtt/Desk lamp/power", "\"off\"", "reject"),
    Fixture::mqtt("zigbee2mqtt/Desk lamp/availability", r#"{"state":"offline"}"#, "none"),
    Fixture::mqtt("zigbee2mqtt/Desk lamp/set", r#"{"power":5}"#, "none"),
    Fixture::mqtt("zigbee2mqtt/Desk lamp", r#"{"power":-32768,"voltage":229}"#, "partial total/voltage=229"),
    Fixture::mqtt("zigbee2mqtt/Desk lamp", r#"{"power":12.5,"#, "reject"),
    Fixture::mqtt("zigbee2mqtt/Door", r#"{"battery":90,"voltage":2950,"contact":true}"#, "none"),
    Fixture::mqtt(
        "zigbee2mqtt/cellar/clamps",
        r#"{"power_a":100,"energy_flow_a":"producing","power_b":40,"energy_flow_b":"consuming","power_ab":-60,"energy_produced_a":2,"power_factor_a":95}"#,
        "ok a/power=-100 b/power=40 total/power=-60 a/energy_export=2000 a/power_factor=0.95",
    ),
    Fixture::mqtt(
        "zigbee2mqtt/three",
        r#"{"power_a":1,"power_b":2,"power_c":3,"voltage_a":230}"#,
        "ok l1/power=1 l2/power=2 l3/power=3 l1/voltage=230",
    ),
    Fixture::mqtt(
        "home/z/bridge/devices",
        r#"[{"ieee_address":"0x01","friendly_name":"C","type":"Coordinator","definition":null},
           {"ieee_address":"0x00aa","friendly_name":"heater/plug","type":"Router","power_source":"Mains (single phase)",
            "definition":{"vendor":"Ours","model":"P1","exposes":[{"type":"switch","features":[{"property":"state"}]},
            {"name":"power","property":"power","unit":"kW","access":1},{"property":"current","unit":"mA"},{"property":"energy","unit":"kWh"}]}},
           {"ieee_address":"0x00bb","friendly_name":"probe","type":"EndDevice","power_source":"Battery","definition":null}]"#,
        "ok",
    ),
    Fixture::mqtt(
        "home/z/heater/plug",
        r#"{"power":1.5,"current":6500,"energy":2}"#,
        "ok total/power=1500 total/current=6.5 total/energy_import=2000",
    ),
    Fixture::mqtt("home/z/heater/plug/current", "6500", "ok total/current=6.5"),
    Fixture::mqtt("home/z/probe", r#"{"voltage":30}"#, "none"),
    Fixture::mqtt("home/z/all lamps", r#"{"power":50}"#, "none"),
    Fixture::mqtt("home/z/bridge/devices", "[{", "reject"),
];
