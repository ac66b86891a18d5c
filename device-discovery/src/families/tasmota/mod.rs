//! Tasmota: plugs, meter scripts (SML), Teleinfo, a Zigbee bridge.
//!
//! MQTT `tele/<t>/SENSOR` or any other full topic with a `tele` or `stat` level, `STATUS8` and
//! `STATUS10` (wrapped in `StatusSNS`, also over HTTP), `LWT`; retained discovery under
//! `tasmota/discovery/<MAC>/{config,sensors}`. The `sensors` message is a snapshot of what the
//! device had when it started: it teaches, it is never a reading.
//!
//! Identity is the device's topic, in messages from the first on, with or without discovery; of a
//! longer full topic it is the last level if that ends in six hex digits (as the default topic
//! does) and else all of it, so that two plugs with equal last levels stay two. A device behind
//! a Zigbee bridge is its short address. MAC and module come from discovery.

mod energy;
mod sml;

use super::{Entry, Family, Fixture, quiet};
use crate::body::{Body, clip, mac_of, text_of};
use crate::limits::MAX_DEVICES;
use crate::message::{Decoded, DeviceInfo, Message, Outcome, Transport};
use crate::readings::Readings;
use hearthwatt_domain::meter::Role;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

const NAME: &str = "tasmota";

pub(crate) const ENTRY: Entry = Entry {
    name: NAME,
    subscriptions: &[
        "tasmota/discovery/#",
        "tele/#",
        "+/tele/+",
        "stat/+/STATUS8",
        "stat/+/STATUS10",
        "+/stat/STATUS8",
        "+/stat/STATUS10",
    ],
    new: || Box::new(Tasmota::default()),
    fixtures: FIXTURES,
};

#[derive(Debug, Default)]
struct Tasmota {
    /// By the MAC of the discovery topic.
    discovered: HashMap<String, Discovered>,
    /// Topics without their last level, of full topics that are no guesswork: to the MAC.
    bases: HashMap<String, String>,
    introduced: BTreeSet<String>,
}

#[derive(Debug, Default, Clone)]
struct Discovered {
    id: String,
    info: DeviceInfo,
    tele: String,
    stat: String,
    online: String,
}

impl Family for Tasmota {
    fn decode(&mut self, m: &Message, body: &Body) -> Option<Decoded> {
        match m.transport {
            Transport::Mqtt => self.mqtt(m.topic, body),
            Transport::Http => {
                let v = body.looks_like_object().then(|| body.json().ok())??;
                let sensors = v.get("StatusSNS")?;
                Some(self.sensor(None, sensors))
            }
            _ => None,
        }
    }

    fn wanted(&self, filters: &mut BTreeSet<String>) {
        for d in self.discovered.values() {
            filters.extend(["SENSOR", "LWT"].map(|end| format!("{}/{end}", d.tele)));
            filters.extend(["STATUS8", "STATUS10"].map(|end| format!("{}/{end}", d.stat)));
        }
    }

    fn remembered(&self) -> usize {
        self.discovered.len() + self.bases.len() + self.introduced.len()
    }
}

impl Tasmota {
    fn mqtt(&mut self, topic: &str, body: &Body) -> Option<Decoded> {
        if let Some(rest) = topic.strip_prefix("tasmota/discovery/") {
            return self.discovery(rest, body);
        }
        let (base, end) = topic.rsplit_once('/')?;
        if !matches!(end, "SENSOR" | "STATE" | "LWT" | "RESULT")
            && !end.starts_with("STATUS")
            && !end.starts_with("INFO")
        {
            return None;
        }
        let discovered = self.bases.get(base).and_then(|mac| self.discovered.get(mac));
        let id = match discovered {
            Some(d) => d.id.clone(),
            None => identity(base)?,
        };
        match end {
            "SENSOR" | "STATUS8" | "STATUS10" | "STATUS0" => {
                let v = match body.json() {
                    Ok(v) if v.is_object() => v,
                    Ok(_) => return Some(quiet(NAME, Outcome::Reject, Some(id), "not an object")),
                    Err(e) => return Some(quiet(NAME, Outcome::Reject, Some(id), e)),
                };
                let sensors = v.get("StatusSNS").unwrap_or(v);
                let info = discovered.map(|d| d.info.clone());
                let mut d = self.sensor(Some(id), sensors);
                if let (Some(device), Some(info)) = (&mut d.device, info) {
                    *device = DeviceInfo { suggested_role: device.suggested_role, ..info };
                }
                Some(d)
            }
            "RESULT" if body.looks_like_object() => match body.json() {
                Ok(v) if v.get("ZbReceived").is_some() => Some(self.sensor(Some(id), v)),
                Ok(_) => Some(quiet(NAME, Outcome::None, Some(id), "the answer to a command")),
                Err(e) => Some(quiet(NAME, Outcome::Reject, Some(id), e)),
            },
            "LWT" => {
                let mut d = quiet(NAME, Outcome::None, Some(id), "presence");
                let word = discovered.map_or("Online", |d| d.online.as_str());
                d.online = body.text().filter(|t| !t.is_empty()).map(|t| t == word);
                Some(d)
            }
            _ => match body.json() {
                Err(e) if end == "STATE" => Some(quiet(NAME, Outcome::Reject, Some(id), e)),
                _ => Some(quiet(NAME, Outcome::None, Some(id), "no sensor message")),
            },
        }
    }

    fn sensor(&mut self, id: Option<String>, v: &Value) -> Decoded {
        let mut r = Readings::default();
        let (mut id, mut role) = (id, Role::Load);
        let Some(fields) = v.as_object() else {
            return quiet(NAME, Outcome::Reject, id, "not an object");
        };
        // `ENERGY` before everything that may repeat it
        if let Some(e) = fields.get("ENERGY").filter(|e| e.is_object()) {
            energy::energy(&mut r, e);
            if e.as_object().is_some_and(|e| e.keys().any(|k| !energy::is_field(k))) {
                sml_object(&mut r, &mut id, "ENERGY", &without_fields(e), &mut role);
            }
        } else if fields.contains_key("ENERGY") {
            r.unusable(|| "ENERGY: not an object".into());
        }
        if let Some(analog) = fields.get("ANALOG") {
            energy::clamps(&mut r, analog);
        }
        if let Some(tic) = fields.get("TIC") {
            energy::teleinfo(&mut r, tic);
            role = Role::Grid;
        }
        if let Some(received) = fields.get("ZbReceived") {
            id = energy::zigbee(&mut r, received).or(id);
        }
        for (name, object) in fields.iter().take(64) {
            if object.is_object() && !matches!(name.as_str(), "ENERGY" | "ANALOG" | "TIC" | "ZbReceived") {
                sml_object(&mut r, &mut id, name, object, &mut role);
            }
        }
        let mut d = r.decoded(NAME, id);
        if let Some(id) = d.device_id.as_ref().filter(|_| !d.measurements.is_empty())
            && !self.introduced.contains(id)
            && self.introduced.len() < MAX_DEVICES
        {
            self.introduced.insert(id.clone());
            d.device =
                Some(DeviceInfo { name: id.clone(), suggested_role: Some(role), ..DeviceInfo::default() });
        }
        d
    }

    fn discovery(&mut self, rest: &str, body: &Body) -> Option<Decoded> {
        let (mac, kind) = rest.split_once('/')?;
        let mac = clip(mac);
        if body.is_empty() {
            self.bases.retain(|_, m| *m != mac);
            let id = self.discovered.remove(&mac).map(|d| d.id);
            return Some(quiet(NAME, Outcome::Gone, id, "discovery removed"));
        }
        let known = self.discovered.get(&mac).map(|d| d.id.clone());
        let v = match body.json() {
            Ok(v) if v.is_object() => v,
            Ok(_) => return Some(quiet(NAME, Outcome::Reject, known, "not an object")),
            Err(e) => return Some(quiet(NAME, Outcome::Reject, known, e)),
        };
        if kind == "sensors" {
            let outcome = if v.get("sn").is_some() { Outcome::Ok } else { Outcome::Reject };
            return Some(quiet(NAME, outcome, known, "a snapshot of the device's start, not a reading"));
        }
        if kind != "config" {
            return Some(quiet(NAME, Outcome::None, known, "unknown kind of discovery"));
        }
        let Some(found) = described(&mac, v) else {
            return Some(quiet(NAME, Outcome::Reject, None, "discovery without a usable topic"));
        };
        if self.discovered.len() >= MAX_DEVICES && known.is_none() {
            return Some(quiet(NAME, Outcome::Reject, None, format!("more than {MAX_DEVICES} devices")));
        }
        self.bases.retain(|_, m| *m != mac);
        self.bases.insert(found.tele.clone(), mac.clone());
        self.bases.insert(found.stat.clone(), mac.clone());
        let mut d = quiet(NAME, Outcome::Ok, Some(found.id.clone()), "");
        d.device = Some(found.info.clone());
        self.discovered.insert(mac, found);
        Some(d)
    }
}

fn sml_object(r: &mut Readings, id: &mut Option<String>, name: &str, object: &Value, role: &mut Role) {
    if let Some(number) = sml::meter(r, name, object) {
        *role = Role::Grid;
        if id.is_none() && !number.is_empty() {
            *id = Some(number);
        }
    }
}

fn without_fields(e: &Value) -> Value {
    let rest = e.as_object().into_iter().flatten().filter(|(k, _)| !energy::is_field(k));
    Value::Object(rest.map(|(k, v)| (k.clone(), v.clone())).collect())
}

/// The device's part of a topic without its last level, if one level is a prefix of Tasmota's.
fn identity(base: &str) -> Option<String> {
    let levels: Vec<&str> = base.split('/').collect();
    let prefix = levels.iter().position(|l| matches!(*l, "tele" | "stat"))?;
    let rest: Vec<&str> =
        levels.iter().enumerate().filter(|(i, l)| *i != prefix && !l.is_empty()).map(|(_, l)| *l).collect();
    let last = rest.last()?;
    let by_default =
        last.rsplit_once('_').is_some_and(|(_, t)| t.len() == 6 && t.bytes().all(|b| b.is_ascii_hexdigit()));
    Some(clip(&if by_default { last.to_string() } else { rest.join("/") }))
}

fn described(mac: &str, v: &Value) -> Option<Discovered> {
    let text = |key: &str| text_of(v.get(key));
    let prefix = |i: usize, default: &str| {
        Some(text_of(v.pointer(&format!("/tp/{i}"))))
            .filter(|p| !p.is_empty())
            .unwrap_or_else(|| default.into())
    };
    let (full, topic) = (text("ft"), text("t"));
    if topic.is_empty() || !full.contains("%topic%") || !full.contains("%prefix%") {
        return None;
    }
    let built = |prefix: &str| {
        let t = full
            .replace("%topic%", &topic)
            .replace("%prefix%", prefix)
            .replace("%id%", mac.get(6..).unwrap_or(mac));
        t.trim_end_matches('/').to_string()
    };
    let (tele, stat) = (built(&prefix(2, "tele")), built(&prefix(1, "stat")));
    if !crate::topic::is_plain(&tele) || !crate::topic::is_plain(&stat) {
        return None;
    }
    let friendly = text_of(v.pointer("/fn/0"));
    let name = [text("dn"), friendly, topic.clone()].into_iter().find(|n| !n.is_empty()).unwrap_or_default();
    Some(Discovered {
        // as it would be without discovery, wherever that is possible
        id: identity(&tele).unwrap_or(topic),
        info: DeviceInfo {
            name,
            manufacturer: "Tasmota".into(),
            model: text("md"),
            mac: mac_of(&Some(text("mac")).filter(|m| !m.is_empty()).unwrap_or_else(|| mac.into())),
            address: text("ip"),
            suggested_role: None,
        },
        tele,
        stat,
        online: Some(text("onln")).filter(|o| !o.is_empty()).unwrap_or_else(|| "Online".into()),
    })
}

const FIXTURES: &[Fixture] = &[
    Fixture::mqtt(
        "tele/plug/SENSOR",
        r#"{"Time":"x","ENERGY":{"Total":1.25,"Today":0.5,"Period":7,"Power":60,"Factor":0.5,"Voltage":229}}"#,
        "ok total/energy_import=1250 total/energy_import_today=500 total/energy_import_period=7 total/power=60 total/power_factor=0.5 total/voltage=229",
    ),
    Fixture::mqtt(
        "plug/tele/SENSOR",
        r#"{"ENERGY":{"Power":[10,20],"Voltage":{"Phase1":230}}}"#,
        "ok 1/power=10 2/power=20 l1/voltage=230",
    ),
    Fixture::mqtt(
        "tele/plug/SENSOR",
        r#"{"ENERGY":{"TotalTariff":[1,2],"ExportTariff":[0.5,0],"Total":3,"ExportActive":0.5}}"#,
        "ok t1/energy_import=1000 t2/energy_import=2000 t1/energy_export=500 t2/energy_export=0 total/energy_import=3000 total/energy_export=500",
    ),
    Fixture::mqtt("stat/plug/STATUS8", r#"{"StatusSNS":{"ENERGY":{"Power":5}}}"#, "ok total/power=5"),
    Fixture::mqtt("tele/plug/SENSOR", r#"{"ENERGY":{"Power":nan,"Voltage":230}}"#, "ok total/voltage=230"),
    Fixture::mqtt(
        "tele/plug/SENSOR",
        r#"{"ENERGY":{"Power":"ON","Voltage":230}}"#,
        "partial total/voltage=230",
    ),
    Fixture::mqtt("tele/plug/SENSOR", r#"{"ENERGY":{"Power":60,"Volt"#, "reject"),
    Fixture::mqtt("tele/plug/STATE", r#"{"POWER":"ON","Vcc":3.3}"#, "none"),
    Fixture::mqtt("tele/plug/LWT", "Offline", "none"),
    Fixture::mqtt(
        "tele/lamp/SENSOR",
        r#"{"IrHVAC":{"Power":"On"},"AS3935":{"Energy":5},"LD2410":{"Energy":3}}"#,
        "none",
    ),
    Fixture::mqtt(
        "tele/cellar/SENSOR",
        r#"{"Haus":{"E_in":12.5,"E_out":1,"Power":-300,"Meter_Number":"0a01"}}"#,
        "ok total/energy_import=12500 total/energy_export=1000 total/power=-300",
    ),
    Fixture::mqtt(
        "tele/cellar/SENSOR",
        r#"{"":{"1_8_0":2,"1_8_1":1.5,"16_7_0":99}}"#,
        "ok total/energy_import=2000 t1/energy_import=1500 total/power=99",
    ),
    Fixture::mqtt(
        "tele/cellar/SENSOR",
        r#"{"ENERGY":{"Power":120,"E_in":3,"E_out":0.5}}"#,
        "ok total/power=120 total/energy_import=3000 total/energy_export=500",
    ),
    Fixture::mqtt(
        "tele/linky/SENSOR",
        r#"{"TIC":{"HCHC":"000100","HCHP":200,"PAPP":"550","PTEC":"HC.."}}"#,
        "ok t1/energy_import=100 t2/energy_import=200 total/apparent_power=550",
    ),
    Fixture::mqtt(
        "tele/bridge/SENSOR",
        r#"{"ZbReceived":{"0x1A2B":{"Device":"0x1A2B","ActivePower":12,"EnergyTotal":"0x00AB","Power":1}}}"#,
        "ok 0/power=12",
    ),
    Fixture::mqtt(
        "tasmota/discovery/A1B2C3D4E5F6/config",
        r#"{"ip":"10.0.0.5","dn":"Fridge","fn":["Fridge",null],"mac":"A1B2C3D4E5F6","md":"Plug","t":"fridge","ft":"home/%topic%/%prefix%/","tp":["c","s","data"],"onln":"Yes","ver":1}"#,
        "ok",
    ),
    Fixture::mqtt("home/fridge/data/SENSOR", r#"{"ENERGY":{"Power":80}}"#, "ok total/power=80"),
    Fixture::mqtt("home/fridge/data/LWT", "Yes", "none"),
    Fixture::mqtt("tasmota/discovery/A1B2C3D4E5F6/sensors", r#"{"sn":{"ENERGY":{"Power":1}},"ver":1}"#, "ok"),
    Fixture::mqtt(
        "tasmota/discovery/A1B2C3D4E5F6/config",
        r#"{"t":"a/#","ft":"%prefix%/%topic%/"}"#,
        "reject",
    ),
    Fixture::mqtt("tasmota/discovery/A1B2C3D4E5F6/config", "", "gone"),
    Fixture::http(
        "http:GET /cm?cmnd=Status%208",
        r#"{"StatusSNS":{"ENERGY":{"Power":5}}}"#,
        "ok total/power=5",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Decoder;

    #[test]
    fn a_device_has_the_same_id_with_and_without_discovery() {
        let sensor = Message {
            transport: Transport::Mqtt,
            topic: "tele/house/plug/SENSOR",
            payload: br#"{"ENERGY":{"Power":5}}"#,
            retain: false,
        };
        let config = Message {
            topic: "tasmota/discovery/A1B2C3D4E5F6/config",
            payload: br#"{"t":"house/plug","ft":"%prefix%/%topic%/","mac":"A1B2C3D4E5F6"}"#,
            ..sensor
        };
        let mut decoder = Decoder::new();
        let before = decoder.decode(&sensor);
        let learnt = decoder.decode(&config);
        let after = decoder.decode(&sensor);
        assert_eq!(before.device_id.as_deref(), Some("house/plug"));
        assert_eq!(before.device_id, after.device_id);
        assert_eq!(learnt.device_id, after.device_id);
        assert_eq!(learnt.device.map(|d| d.mac).as_deref(), Some("A1B2C3D4E5F6"));
    }

    #[test]
    fn topics_of_an_unusual_full_topic_are_wanted() {
        let mut decoder = Decoder::new();
        for f in FIXTURES.iter().filter(|f| f.topic.ends_with("/config") && f.expect == "ok") {
            decoder.decode(&f.message());
        }
        assert_eq!(
            decoder.wanted_topics(),
            [
                "home/fridge/data/LWT",
                "home/fridge/data/SENSOR",
                "home/fridge/s/STATUS10",
                "home/fridge/s/STATUS8"
            ]
        );
    }
}
