//! Shelly, generations 2 to 4: `em`, `em1`, `emdata`, `em1data`, `switch`, `pm1`, `cover`, lights.
//!
//! MQTT `<prefix>/status/<component>:<n>` (component as JSON), `<prefix>/events/rpc`
//! (`NotifyStatus` is a delta, `NotifyFullStatus` is not), replies on `<asker>/rpc`; HTTP
//! `/rpc/…`. Recognised by the shape of the payload: the prefix is the user's.
//!
//! Identity over MQTT is the prefix. It is in the topic of status and events alike, so whichever
//! comes first (or after a restart), a device has one id; by default it *is* the `src` of the
//! events. A reply on a topic of the asker has only `src`, which is mapped to the prefix learnt
//! from events. The MAC in [`DeviceInfo`] ties it to what mDNS found.
//!
//! Deltas: the state that a delta may leave out and its readings depend on is kept per component:
//! the phases behind a total, and the returned energy that `aenergy` includes.

mod components;

use super::{Entry, Family, Fixture, quiet};
use crate::body::{Body, Number, mac_of, number, text_of};
use crate::limits::MAX_DEVICES;
use crate::message::{Decoded, DeviceInfo, Message, Outcome, Transport};
use crate::readings::Readings;
use components::{Kind, State, all, component, kind_of, one};
use hearthwatt_domain::meter::Role;
use serde_json::Value;
use std::collections::HashMap;

const NAME: &str = "shelly_gen2";
pub(crate) const ENTRY: Entry = Entry {
    name: NAME,
    subscriptions: &["+/online", "+/events/rpc", "+/+/events/rpc", "+/status/#", "+/+/status/+"],
    new: || Box::new(Gen2::default()),
    fixtures: FIXTURES,
};

#[derive(Debug, Default)]
struct Gen2 {
    /// By prefix.
    devices: HashMap<String, Device>,
    /// `src` to prefix.
    prefixes: HashMap<String, String>,
}

#[derive(Debug, Default)]
struct Device {
    components: HashMap<String, State>,
    introduced: bool,
    mac: String,
}

impl Family for Gen2 {
    fn decode(&mut self, m: &Message, body: &Body) -> Option<Decoded> {
        match m.transport {
            Transport::Mqtt => self.mqtt(m.topic, body),
            Transport::Http => http(m.topic, body),
            _ => None,
        }
    }

    fn remembered(&self) -> usize {
        self.prefixes.len() + self.devices.values().map(|d| 1 + d.components.len()).sum::<usize>()
    }
}

impl Gen2 {
    fn mqtt(&mut self, topic: &str, body: &Body) -> Option<Decoded> {
        if let Some((prefix, component)) = topic.rsplit_once("/status/")
            && !component.contains('/')
        {
            return self.status(prefix, component, body);
        }
        if let Some(prefix) = topic.strip_suffix("/events/rpc") {
            return self.event(prefix, body);
        }
        if topic.ends_with("/rpc") && body.looks_like_object() {
            let v = body.json().ok()?;
            let src = v.get("src")?.as_str()?.to_string();
            let result = v.get("result").filter(|_| src.starts_with("shelly"))?;
            let prefix = self.prefixes.get(&src).cloned().unwrap_or(src);
            return Some(self.components(&prefix, None, result));
        }
        let prefix = topic.strip_suffix("/online")?;
        if !self.devices.contains_key(prefix) && !named_by_default(prefix) {
            return None;
        }
        let mut d = quiet(NAME, Outcome::None, Some(prefix.into()), "presence");
        d.online = body.text().and_then(|t| t.parse().ok());
        Some(d)
    }

    fn status(&mut self, prefix: &str, component: &str, body: &Body) -> Option<Decoded> {
        let known = self.devices.contains_key(prefix) || named_by_default(prefix);
        let kind = component.split(':').next().unwrap_or_default();
        let metering = kind_of(kind).is_some() && component.contains(':');
        if !metering {
            return known.then(|| quiet(NAME, Outcome::None, Some(prefix.into()), "not a measurement"));
        }
        match body.json() {
            Ok(v) if v.is_object() => Some(self.components(prefix, Some(component), v)),
            Ok(_) => known.then(|| quiet(NAME, Outcome::Reject, Some(prefix.into()), "not an object")),
            Err(e) => Some(quiet(NAME, Outcome::Reject, Some(prefix.into()), e)),
        }
    }

    fn event(&mut self, prefix: &str, body: &Body) -> Option<Decoded> {
        let id = Some(prefix.to_string());
        let v = match body.json() {
            Ok(v) => v,
            Err(e) => return Some(quiet(NAME, Outcome::Reject, id, e)),
        };
        let (Some(method), Some(params)) = (v.get("method").and_then(Value::as_str), v.get("params")) else {
            return Some(quiet(NAME, Outcome::Reject, id, "no method or no params"));
        };
        if let Some(src) = v.get("src").and_then(Value::as_str)
            && src != prefix
            && self.prefixes.len() < MAX_DEVICES
        {
            self.prefixes.insert(text_of(Some(&Value::from(src))), prefix.into());
        }
        if !matches!(method, "NotifyStatus" | "NotifyFullStatus") || !params.is_object() {
            return Some(quiet(NAME, Outcome::None, id, "an event, not a status"));
        }
        let mut d = self.components(prefix, None, params);
        if let Some(info) = &mut d.device {
            let src = text_of(v.get("src"));
            if info.mac.is_empty() {
                info.mac = src.rsplit('-').next().map(mac_of).unwrap_or_default();
            }
            if !src.is_empty() {
                info.model = src.split('-').next().unwrap_or_default().to_string();
            }
        }
        Some(d)
    }

    /// A component (`Some(name)`) or an object of components, with the state of the device.
    fn components(&mut self, prefix: &str, name: Option<&str>, v: &Value) -> Decoded {
        if !self.devices.contains_key(prefix) {
            if self.devices.len() >= MAX_DEVICES {
                return quiet(NAME, Outcome::Reject, None, format!("more than {MAX_DEVICES} devices"));
            }
            self.devices.insert(prefix.into(), Device::default());
        }
        let mut r = Readings::default();
        let device = self.devices.entry(prefix.into()).or_default();
        let mut grid = false;
        let mac = mac_of(&text_of(v.pointer("/sys/mac")));
        if let Some(name) = name {
            grid |= name.starts_with("em");
            one(&mut r, name, v, &mut device.components);
        } else {
            grid |= all(&mut r, v, &mut device.components);
        }
        let mut d = r.decoded(NAME, Some(prefix.into()));
        let learnt = !mac.is_empty() && device.mac != mac;
        if learnt || (!device.introduced && !d.measurements.is_empty()) {
            device.introduced = true;
            if learnt {
                device.mac = mac;
            }
            d.device = Some(describe(prefix, &device.mac, &text_of(v.pointer("/wifi/sta_ip")), grid));
        }
        d
    }
}

fn describe(id: &str, mac: &str, address: &str, grid: bool) -> DeviceInfo {
    let (model, tail) = if named_by_default(id) { id.rsplit_once('-').unwrap_or((id, "")) } else { ("", "") };
    DeviceInfo {
        name: id.into(),
        manufacturer: "Shelly".into(),
        model: model.into(),
        mac: if mac.is_empty() { mac_of(tail) } else { mac.into() },
        address: address.into(),
        suggested_role: Some(if grid { Role::Grid } else { Role::Load }),
    }
}

/// `shelly<model>-<hex>`, as devices call themselves until renamed.
fn named_by_default(prefix: &str) -> bool {
    prefix.get(..6).is_some_and(|p| p.eq_ignore_ascii_case("shelly")) && !prefix.contains('/')
}

fn http(topic: &str, body: &Body) -> Option<Decoded> {
    let path = topic.rsplit_once(' ').map_or(topic, |(_, p)| p);
    let (rpc, shelly) = (path.starts_with("/rpc"), path.starts_with("/shelly"));
    if !rpc && !shelly {
        return None;
    }
    let v = match body.json() {
        Ok(v) if v.is_object() => v,
        Ok(_) => return Some(quiet(NAME, Outcome::Reject, None, "not an object")),
        Err(e) => return Some(quiet(NAME, Outcome::Reject, None, e)),
    };
    let src = text_of(v.get("src"));
    let v = v.get("result").or_else(|| v.get("params")).unwrap_or(v);
    if shelly || v.get("fw_id").is_some() {
        return v.get("gen").map(|_| identity(v));
    }
    let mut r = Readings::default();
    let mut states = HashMap::new();
    let mac = mac_of(&text_of(v.pointer("/sys/mac")));
    let grid = match single(path, v) {
        Some(kind) => {
            let n = match v.get("id").map(number) {
                Some(Number::Is(n)) if (0.0..1000.0).contains(&n) => (n as u16).to_string(),
                _ => "0".into(),
            };
            component(&mut r, kind, &n, v, &mut State::default());
            kind != Kind::Switch
        }
        None => all(&mut r, v, &mut states),
    };
    let id = Some(if src.is_empty() { mac.clone() } else { src.clone() }).filter(|i| !i.is_empty());
    let mut d = r.decoded(NAME, id);
    if !mac.is_empty() {
        d.device = Some(describe(&src, &mac, &text_of(v.pointer("/wifi/sta_ip")), grid));
    }
    Some(d)
}

/// The component that an answer is about, by the method asked or by its fields.
fn single(path: &str, v: &Value) -> Option<Kind> {
    let has = |k: &str| v.get(k).is_some();
    let method = path.trim_start_matches("/rpc/").split(['.', '?']).next().unwrap_or_default();
    kind_of(&method.to_ascii_lowercase()).or_else(|| {
        if has("a_act_power") || has("total_act_power") {
            Some(Kind::Em)
        } else if has("a_total_act_energy") || has("total_act") {
            Some(Kind::EmData)
        } else if has("act_power") {
            Some(Kind::Em1)
        } else if has("total_act_energy") {
            Some(Kind::Em1Data)
        } else {
            (has("apower") || has("aenergy")).then_some(Kind::Switch)
        }
    })
}

/// `Shelly.GetDeviceInfo`, also at `/shelly`.
fn identity(v: &Value) -> Decoded {
    let (id, mac) = (text_of(v.get("id")), mac_of(&text_of(v.get("mac"))));
    if id.is_empty() {
        return quiet(NAME, Outcome::Reject, None, "device information without an id");
    }
    let app = text_of(v.get("app"));
    let grid = app.contains("EM") || id.contains("em-");
    let name = Some(text_of(v.get("name"))).filter(|n| !n.is_empty()).unwrap_or_else(|| id.clone());
    let mut d = quiet(NAME, Outcome::Ok, Some(id), "");
    d.device = Some(DeviceInfo {
        name,
        manufacturer: "Shelly".into(),
        model: Some(text_of(v.get("model"))).filter(|m| !m.is_empty()).unwrap_or(app),
        mac,
        address: String::new(),
        suggested_role: Some(if grid { Role::Grid } else { Role::Load }),
    });
    d
}

const FIXTURES: &[Fixture] = &[
    Fixture::mqtt(
        "shellypro3em-a1b2c3d4e5f6/events/rpc",
        r#"{"src":"shellypro3em-a1b2c3d4e5f6","dst":"x/events","method":"NotifyStatus","params":{"ts":1.5,"em:0":{"id":0,"a_act_power":100.5,"b_act_power":-20,"c_act_power":"3","n_current":null,"total_act_power":83.5}}}"#,
        "ok l1/power=100.5 l2/power=-20 l3/power=3 total/power=83.5",
    ),
    // a delta: the other phases are remembered
    Fixture::mqtt(
        "shellypro3em-a1b2c3d4e5f6/events/rpc",
        r#"{"src":"shellypro3em-a1b2c3d4e5f6","method":"NotifyStatus","params":{"em:0":{"id":0,"b_act_power":50}}}"#,
        "ok l2/power=50 total/power=153.5",
    ),
    Fixture::mqtt(
        "shellypro3em-a1b2c3d4e5f6/status/emdata:0",
        r#"{"id":0,"a_total_act_energy":10.5,"a_total_act_ret_energy":1,"total_act":10.5,"total_act_ret":1}"#,
        "ok l1/energy_import=10.5 l1/energy_export=1 total/energy_import=10.5 total/energy_export=1",
    ),
    Fixture::mqtt(
        "home/garage/status/switch:1",
        r#"{"id":1,"apower":7.5,"aenergy":{"total":100.5,"by_minute":[9,9,9]},"ret_aenergy":{"total":0.5}}"#,
        "ok 1/power=7.5 1/energy_import=100 1/energy_export=0.5",
    ),
    Fixture::mqtt(
        "home/garage/events/rpc",
        r#"{"src":"shelly1pmg3-a1b2c3d4e5f7","method":"NotifyStatus","params":{"switch:1":{"id":1,"aenergy":{"total":110.5}}}}"#,
        "ok 1/energy_import=110",
    ),
    Fixture::mqtt(
        "home/garage/events/rpc",
        r#"{"src":"shelly1pmg3-a1b2c3d4e5f7","method":"NotifyEvent","params":{"events":[{"component":"input:0","event":"single_push"}]}}"#,
        "none",
    ),
    Fixture::mqtt(
        "asker/rpc",
        r#"{"id":1,"src":"shelly1pmg3-a1b2c3d4e5f7","dst":"asker","result":{"pm1:0":{"id":0,"apower":1.5}}}"#,
        "ok 0/power=1.5",
    ),
    Fixture::mqtt(
        "home/garage/status/cover:0",
        r#"{"id":0,"state":"open","apower":0,"pf":0}"#,
        "ok 0/power=0 0/power_factor=0",
    ),
    Fixture::mqtt(
        "home/garage/status/em1:1",
        r#"{"id":1,"act_power":-5,"pf":-1,"freq":50}"#,
        "ok 1/power=-5 1/power_factor=-1 1/frequency=50",
    ),
    Fixture::mqtt("home/garage/status/sys", r#"{"mac":"A1B2C3D4E5F7"}"#, "none"),
    Fixture::mqtt("home/garage/online", "false", "none"),
    Fixture::mqtt("home/garage/status/switch:0", r#"{"id":0,"output":true}"#, "none"),
    Fixture::mqtt("home/garage/status/switch:0", r#"{"id":0,"apower":5"#, "reject"),
    Fixture::mqtt("home/garage/status/switch:0", r#"{"apower":true,"voltage":231}"#, "partial 0/voltage=231"),
    Fixture::http(
        "http:GET /rpc/EM1Data.GetStatus?id=1",
        r#"{"id":"1","total_act_energy":5.5,"total_act_ret_energy":"0"}"#,
        "ok 1/energy_import=5.5 1/energy_export=0",
    ),
    Fixture::http(
        "http:GET /shelly",
        r#"{"id":"shellyplugsg3-a1b2c3d4e5f8","mac":"A1B2C3D4E5F8","gen":3,"model":"S3","app":"PlugSG3"}"#,
        "ok",
    ),
];

#[cfg(test)]
mod tests {
    use crate::{Decoder, Message, Transport};

    #[test]
    fn status_and_events_of_a_renamed_device_have_one_id_in_either_order() {
        let event = (
            "a/b/events/rpc",
            r#"{"src":"shellypro3em-a1b2c3d4e5f6","method":"NotifyStatus","params":{"em:0":{"total_act_power":1}}}"#,
        );
        let status = ("a/b/status/em:0", r#"{"id":0,"total_act_power":2}"#);
        for order in [[event, status], [status, event]] {
            let mut decoder = Decoder::new();
            let ids: Vec<_> = order
                .iter()
                .map(|(topic, payload)| {
                    let m = Message {
                        transport: Transport::Mqtt,
                        topic,
                        payload: payload.as_bytes(),
                        retain: false,
                    };
                    decoder.decode(&m).device_id
                })
                .collect();
            assert_eq!(ids, [Some("a/b".to_string()), Some("a/b".to_string())]);
        }
    }
}
