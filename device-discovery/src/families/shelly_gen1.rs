//! Shelly, first generation: EM, 3EM, plugs and relays.
//!
//! MQTT `shellies/<id>/emeter/<i>/<field>`, `relay|light|roller/<i>/{power,energy}`, JSON in
//! `announce` and `info`; HTTP `/status`, `/shelly`, `/emeter/<i>`, `/meter/<i>`.
//! `total` of an emeter is Wh. `energy` of a relay and `total` of an HTTP `meters` entry are
//! watt-minutes. `energy` of an emeter counts one minute only and is left alone: it shares
//! channel and quantity with the register `total`.
//!
//! Identity is the `<id>` of the topic: the user may rename it, but it is in every message.
//! The indices of a 3EM are phases, those of an EM unrelated clamps. Where neither a name nor an
//! announcement tells which it is, the first round is held back: the third clamp of a 3EM
//! reports within the same second, so the second round decides.

use super::{Entry, Family, Fixture, quiet};
use crate::body::{Body, mac_of, text_of};
use crate::limits::MAX_DEVICES;
use crate::message::{Decoded, DeviceInfo, Message, Outcome, Transport};
use crate::readings::Readings;
use hearthwatt_domain::meter::Role;
use hearthwatt_domain::reading::Quantity as Q;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

const NAME: &str = "shelly_gen1";
const WATT_MINUTE: f64 = 1.0 / 60.0;

pub(crate) const ENTRY: Entry = Entry {
    name: NAME,
    subscriptions: &["shellies/#"],
    new: || Box::new(Gen1::default()),
    fixtures: FIXTURES,
};

#[derive(Debug, Default)]
struct Gen1 {
    devices: HashMap<String, Device>,
}

#[derive(Debug, Default)]
struct Device {
    /// `Some(true)`: three phases; `Some(false)`: clamps of their own.
    phases: Option<bool>,
    /// Emeter topics (index, field) heard while `phases` was open.
    heard: BTreeSet<(u8, &'static str)>,
    introduced: bool,
}

/// The fields of an emeter: name, quantity.
const EMETER: &[(&str, Q)] = &[
    ("power", Q::Power),
    ("reactive_power", Q::ReactivePower),
    ("pf", Q::PowerFactor),
    ("current", Q::Current),
    ("voltage", Q::Voltage),
    ("total", Q::EnergyImport),
    ("total_returned", Q::EnergyExport),
];

impl Family for Gen1 {
    fn decode(&mut self, m: &Message, body: &Body) -> Option<Decoded> {
        match m.transport {
            Transport::Mqtt => self.mqtt(m.topic.strip_prefix("shellies/")?, body),
            Transport::Http => http(m.topic, body),
            _ => None,
        }
    }

    fn remembered(&self) -> usize {
        self.devices.values().map(|d| 1 + d.heard.len()).sum()
    }
}

impl Gen1 {
    fn mqtt(&mut self, rest: &str, body: &Body) -> Option<Decoded> {
        if rest == "announce" {
            return Some(self.announce(body));
        }
        let (id, rest) = rest.split_once('/')?;
        if id.is_empty() {
            return None;
        }
        if !self.devices.contains_key(id) {
            if self.devices.len() >= MAX_DEVICES {
                return Some(quiet(NAME, Outcome::Reject, None, format!("more than {MAX_DEVICES} devices")));
            }
            self.devices.insert(id.into(), Device { phases: phases_by_name(id), ..Device::default() });
        }
        let path: Vec<&str> = rest.splitn(5, '/').collect();
        let mut decoded = match path[..] {
            ["announce"] => return Some(self.announce(body)),
            ["info"] => self.info(id, body),
            ["online"] => {
                let mut d = quiet(NAME, Outcome::None, Some(id.into()), "presence");
                d.online = body.text().and_then(|t| t.parse().ok());
                d
            }
            ["emeter", i, field] => self.emeter(id, i, field, body),
            ["relay" | "light" | "roller" | "white" | "color", i, field] => relay(id, i, field, body),
            // one meter for both relays of a Shelly 2
            ["relay" | "roller", field @ ("power" | "energy")] => relay(id, "0", field, body),
            _ => quiet(NAME, Outcome::None, Some(id.into()), "not a measurement"),
        };
        if let Some(device) = self.devices.get_mut(id)
            && !device.introduced
            && !decoded.measurements.is_empty()
        {
            device.introduced = true;
            decoded.device.get_or_insert_with(|| described_by_name(id));
        }
        Some(decoded)
    }

    fn announce(&mut self, body: &Body) -> Decoded {
        let v = match body.json() {
            Ok(v) => v,
            Err(e) => return quiet(NAME, Outcome::Reject, None, e),
        };
        let (id, model) = (text_of(v.get("id")), text_of(v.get("model")));
        let mac = mac_of(&text_of(v.get("mac")));
        if id.is_empty() || (model.is_empty() && mac.is_empty()) {
            return quiet(NAME, Outcome::Reject, None, "announcement without id and model");
        }
        if self.devices.len() >= MAX_DEVICES && !self.devices.contains_key(&id) {
            return quiet(NAME, Outcome::Reject, None, format!("more than {MAX_DEVICES} devices"));
        }
        let device = self.devices.entry(id.clone()).or_default();
        device.phases = phases_by_model(&model).or(device.phases).or_else(|| phases_by_name(&id));
        device.introduced = true;
        let info = DeviceInfo {
            name: id.clone(),
            suggested_role: Some(if device.phases.is_some() { Role::Grid } else { Role::Load }),
            manufacturer: "Shelly".into(),
            model,
            mac,
            address: text_of(v.get("ip")),
        };
        Decoded {
            outcome: Outcome::Ok,
            family: Some(NAME),
            device_id: Some(id),
            device: Some(info),
            ..Decoded::default()
        }
    }

    fn info(&mut self, id: &str, body: &Body) -> Decoded {
        match body.json() {
            Ok(v) if v.is_object() => {
                if let Some(emeters) = v.get("emeters").and_then(Value::as_array)
                    && let Some(d) = self.devices.get_mut(id)
                {
                    d.phases = Some(emeters.len() == 3);
                }
                let mut d = status(v, id.starts_with("shelly1-"));
                d.device_id = Some(id.into());
                d
            }
            Ok(_) => quiet(NAME, Outcome::Reject, Some(id.into()), "not an object"),
            Err(e) => quiet(NAME, Outcome::Reject, Some(id.into()), e),
        }
    }

    fn emeter(&mut self, id: &str, index: &str, field: &str, body: &Body) -> Decoded {
        let Some(index) = index.parse::<u8>().ok().filter(|i| *i < 8) else {
            return quiet(NAME, Outcome::Reject, Some(id.into()), "index of an emeter expected");
        };
        let Some(&(field, quantity)) = EMETER.iter().find(|(f, _)| *f == field) else {
            return quiet(NAME, Outcome::None, Some(id.into()), "counts one minute or is no measurement");
        };
        if let Some(device) = self.devices.get_mut(id) {
            if index >= 2 {
                device.phases = Some(true);
            }
            if device.phases.is_none() {
                if device.heard.insert((index, field)) {
                    return quiet(NAME, Outcome::None, Some(id.into()), "not known yet whether EM or 3EM");
                }
                device.phases = Some(false);
            }
            device.heard.clear();
        }
        let phases = self.devices.get(id).is_some_and(|d| d.phases == Some(true));
        let mut r = Readings::default();
        r.text(channel(phases, usize::from(index)), quantity, body.text().unwrap_or("not text"), 1.0);
        r.decoded(NAME, Some(id.into()))
    }
}

fn relay(id: &str, index: &str, field: &str, body: &Body) -> Decoded {
    let (quantity, factor) = match field {
        // the power of a Shelly 1 is a number that the user typed in
        "power" if !id.starts_with("shelly1-") => (Q::Power, 1.0),
        "energy" if !id.starts_with("shelly1-") => (Q::EnergyImport, WATT_MINUTE),
        _ => return quiet(NAME, Outcome::None, Some(id.into()), "not a measurement"),
    };
    let Some(index) = index.parse::<usize>().ok().filter(|i| *i < 8) else {
        return quiet(NAME, Outcome::Reject, Some(id.into()), "index of a relay expected");
    };
    let mut r = Readings::default();
    r.text(channel(false, index), quantity, body.text().unwrap_or("not text"), factor);
    r.decoded(NAME, Some(id.into()))
}

fn http(topic: &str, body: &Body) -> Option<Decoded> {
    let path = topic.rsplit_once(' ').map_or(topic, |(_, p)| p).split('?').next()?;
    let malformed = |e: &str| Some(quiet(NAME, Outcome::Reject, None, e));
    let level: Vec<&str> = path.trim_matches('/').split('/').collect();
    match level[..] {
        ["status"] | ["settings"] if body.looks_like_object() => {
            let v = body.json().ok()?;
            let ours = ["meters", "emeters", "relays"].iter().any(|k| v.get(k).is_some_and(Value::is_array));
            (ours && v.get("mac").is_some()).then(|| status(v, false))
        }
        ["shelly"] => {
            let v = body.json().ok()?;
            // without `gen` it is the first generation
            if v.get("gen").is_some() || v.get("type").is_none() {
                return None;
            }
            let (mac, model) = (mac_of(&text_of(v.get("mac"))), text_of(v.get("type")));
            let role = if phases_by_model(&model).is_some() { Role::Grid } else { Role::Load };
            let info = DeviceInfo {
                manufacturer: "Shelly".into(),
                model,
                mac: mac.clone(),
                suggested_role: Some(role),
                ..DeviceInfo::default()
            };
            let mut d = quiet(NAME, Outcome::Ok, Some(mac), "");
            d.device = Some(info);
            Some(d)
        }
        [kind @ ("emeter" | "meter"), i] => {
            let i = i.parse().ok().filter(|i: &usize| *i < 8)?;
            let v = match body.json() {
                Ok(v) => v,
                Err(e) => return malformed(e),
            };
            v.get("is_valid")?;
            let mut r = Readings::default();
            entry(&mut r, v, channel(false, i), kind == "emeter");
            Some(r.decoded(NAME, None))
        }
        _ => None,
    }
}

/// The `/status` of a device; also what it publishes as `info`.
fn status(v: &Value, constant_power: bool) -> Decoded {
    let mut r = Readings::default();
    if let Some(list) = v.get("emeters").and_then(Value::as_array) {
        let phases = list.len() == 3;
        r.value("total", Q::Power, v.get("total_power").filter(|_| phases), 1.0);
        for (i, e) in list.iter().enumerate().take(8) {
            entry(&mut r, e, channel(phases, i), true);
        }
    } else if let Some(list) = v.get("meters").and_then(Value::as_array).filter(|_| !constant_power) {
        for (i, e) in list.iter().enumerate().take(8) {
            entry(&mut r, e, channel(false, i), false);
        }
    }
    let mac = mac_of(&text_of(v.get("mac")));
    let mut d = r.decoded(NAME, Some(mac.clone()).filter(|m| !m.is_empty()));
    d.device = Some(DeviceInfo {
        manufacturer: "Shelly".into(),
        mac,
        address: text_of(v.pointer("/wifi_sta/ip")),
        suggested_role: Some(if v.get("emeters").is_some() { Role::Grid } else { Role::Load }),
        ..DeviceInfo::default()
    });
    d
}

fn entry(r: &mut Readings, e: &Value, channel: &str, emeter: bool) {
    if e.get("is_valid") == Some(&Value::Bool(false)) {
        return r.unusable(|| format!("{channel}: the device marks its values as not valid"));
    }
    if emeter {
        for (field, quantity) in EMETER {
            r.value(channel, *quantity, e.get(field), 1.0);
        }
        r.value(channel, Q::ReactivePower, e.get("reactive"), 1.0);
    } else if let Some(total) = e.get("total") {
        // without a counter it is no meter but a configured constant
        r.value(channel, Q::Power, e.get("power"), 1.0);
        r.value(channel, Q::EnergyImport, Some(total), WATT_MINUTE);
    }
}

fn channel(phases: bool, i: usize) -> &'static str {
    const PHASES: [&str; 3] = ["l1", "l2", "l3"];
    const CLAMPS: [&str; 8] = ["0", "1", "2", "3", "4", "5", "6", "7"];
    if phases { PHASES[i % 3] } else { CLAMPS[i % 8] }
}

fn phases_by_model(model: &str) -> Option<bool> {
    match model {
        "SHEM-3" => Some(true),
        "SHEM" => Some(false),
        _ => None,
    }
}

fn phases_by_name(id: &str) -> Option<bool> {
    let id = id.to_ascii_lowercase();
    if ["em3", "3em", "em-3"].iter().any(|n| id.contains(n)) {
        Some(true)
    } else {
        id.contains("shellyem").then_some(false)
    }
}

fn described_by_name(id: &str) -> DeviceInfo {
    let (model, role) = match phases_by_name(id) {
        Some(true) => ("3EM", Role::Grid),
        Some(false) => ("EM", Role::Grid),
        None if id.starts_with("shellyplug") => ("Plug", Role::Load),
        None => ("", Role::Load),
    };
    let mac = id.rsplit('-').next().map(mac_of).unwrap_or_default();
    DeviceInfo {
        name: id.into(),
        manufacturer: "Shelly".into(),
        model: model.into(),
        mac,
        address: String::new(),
        suggested_role: Some(role),
    }
}

const FIXTURES: &[Fixture] = &[
    Fixture::mqtt("shellies/shellyem3-AB12/emeter/0/power", "-12.5", "ok l1/power=-12.5"),
    Fixture::mqtt("shellies/shellyem3-AB12/emeter/2/total", "1500.5", "ok l3/energy_import=1500.5"),
    Fixture::mqtt("shellies/shellyem3-AB12/emeter/2/energy", "42", "none"),
    Fixture::mqtt("shellies/shellyem-77/emeter/1/total_returned", "9.5", "ok 1/energy_export=9.5"),
    Fixture::mqtt("shellies/shellyem-77/emeter/1/pf", "-0.98", "ok 1/power_factor=-0.98"),
    Fixture::mqtt("shellies/shellyem-77/emeter/1/power", "nan", "none"),
    Fixture::mqtt("shellies/shellyem-77/emeter/1/power", "12,5", "reject"),
    Fixture::mqtt("shellies/shellyem-77/emeter/1/voltage", "90000", "reject"),
    Fixture::mqtt("shellies/cellar/emeter/0/power", "100", "none"),
    Fixture::mqtt("shellies/cellar/emeter/0/power", "110", "ok 0/power=110"),
    Fixture::mqtt("shellies/attic/emeter/0/power", "100", "none"),
    Fixture::mqtt("shellies/attic/emeter/2/power", "30", "ok l3/power=30"),
    Fixture::mqtt("shellies/attic/emeter/0/power", "101", "ok l1/power=101"),
    Fixture::mqtt("shellies/shellyplug-s-0AFF01/relay/0/power", "61.2", "ok 0/power=61.2"),
    Fixture::mqtt("shellies/shellyplug-s-0AFF01/relay/0/energy", "600", "ok 0/energy_import=10"),
    Fixture::mqtt("shellies/shellyplug-s-0AFF01/relay/0", "on", "none"),
    Fixture::mqtt("shellies/shellyplug-s-0AFF01/online", "false", "none"),
    Fixture::mqtt("shellies/shelly1-0AFF02/relay/0/power", "60", "none"),
    Fixture::mqtt("shellies/shellygas-0AFF03/sensor/concentration", "12", "none"),
    Fixture::mqtt(
        "shellies/announce",
        r#"{"id":"hut","model":"SHEM-3","mac":"A1B2C3D4E5F6","ip":"10.0.0.9","fw_ver":"x"}"#,
        "ok",
    ),
    Fixture::mqtt("shellies/hut/emeter/0/current", "1.5", "ok l1/current=1.5"),
    Fixture::mqtt("shellies/announce", r#"{"id":"hut","#, "reject"),
    Fixture::http(
        "http:GET /status",
        r#"{"mac":"A1B2C3D4E5F6","relays":[],"emeters":[{"power":10.5,"reactive":-1,"pf":0.9,"voltage":231,"is_valid":true,"total":7,"total_returned":1.5},{"power":0,"is_valid":false}]}"#,
        "partial 0/power=10.5 0/reactive_power=-1 0/power_factor=0.9 0/voltage=231 0/energy_import=7 0/energy_export=1.5",
    ),
    Fixture::http(
        "http:GET /status",
        r#"{"mac":"A1B2C3D4E5F6","meters":[{"power":5,"is_valid":true}]}"#,
        "none",
    ),
    Fixture::http("http:GET /shelly", r#"{"type":"SHPLG-S","mac":"A1B2C3D4E5F6","auth":false}"#, "ok"),
];
