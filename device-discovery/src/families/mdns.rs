//! Services found by mDNS: which of them are meters, and which brokers.
//!
//! A service type is a hint, not a proof: `_http._tcp` is shared by meters, printers and radios,
//! so there only the instance name of a Shelly counts. TXT records are hostile input.

use crate::body::{Body, clip, mac_of};
use crate::message::{Decoded, DeviceInfo, Message, Outcome};
use hearthwatt_domain::meter::Role;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a service found by mDNS is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recognised {
    pub family: &'static str,
    pub device_id: String,
    pub name: String,
    pub manufacturer: &'static str,
    pub model: String,
    /// Twelve upper-case hex digits, or empty.
    pub mac: String,
    pub suggested_role: Option<Role>,
    /// Whether readings of this family can be taken, and how.
    pub support: Support,
    /// What the user should know or do, in plain English.
    pub hint: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Support {
    /// Readings come once the device talks to a broker of the home.
    ViaMqtt,
    /// An MQTT broker, not a meter.
    Broker,
    /// Known by name only.
    NotYet,
}

/// Recognises a service (`_shelly._tcp.local.`), its instance name (with or without the service
/// type behind it) and its TXT record. `None` for everything that is no meter and no broker, and
/// for records that lack what their family must give.
pub fn recognise_mdns(service: &str, instance: &str, txt: &BTreeMap<String, String>) -> Option<Recognised> {
    recognise(service, instance, txt).ok().flatten()
}

/// `Err`: of a known family, but malformed.
fn recognise(
    service: &str,
    instance: &str,
    txt: &BTreeMap<String, String>,
) -> Result<Option<Recognised>, String> {
    let kind = service.trim_end_matches('.').trim_end_matches(".local").to_ascii_lowercase();
    let instance = clip(instance.split_once("._").map_or(instance, |(name, _)| name));
    let get = |key: &str| txt.get(key).map(|v| clip(v)).unwrap_or_default();
    Ok(match kind.as_str() {
        "_shelly._tcp" => Some(shelly(&instance, txt)),
        "_http._tcp" if instance.to_ascii_lowercase().starts_with("shelly") => Some(shelly(&instance, txt)),
        "_hwenergy._tcp" => {
            need(txt, &["api_enabled", "path", "serial", "product_name", "product_type"])?;
            Some(homewizard(&get("serial"), &get("product_name"), &get("product_type")))
        }
        "_homewizard._tcp" => {
            need(txt, &["api_version", "id", "serial", "product_name", "product_type"])?;
            Some(homewizard(&get("serial"), &get("product_name"), &get("product_type")))
        }
        "_ewelink._tcp" => {
            need(txt, &["id"])?;
            Some(not_yet("ewelink", get("id"), instance, "Sonoff/eWeLink", get("type")))
        }
        "_esphomelib._tcp" => {
            let mac = mac_of(&get("mac"));
            let id = if mac.is_empty() { instance.clone() } else { mac.clone() };
            let name = Some(get("friendly_name")).filter(|n| !n.is_empty()).unwrap_or(instance);
            let hint =
                "ESPHome devices are read through an MQTT broker, if `mqtt:` is in their configuration.";
            let model = get("project_name");
            Some(Recognised { mac, hint: hint.into(), ..not_yet("esphome", id, name, "ESPHome", model) })
        }
        "_ebus._tcp" => Some(not_yet("span", instance.clone(), instance, "SPAN", String::new())),
        "_device-info._tcp" if get("manufacturer").to_ascii_lowercase().starts_with("span") => {
            need(txt, &["serial_number"])?;
            Some(not_yet("span", get("serial_number"), instance, "SPAN", get("model")))
        }
        "_mqtt._tcp" | "_secure-mqtt._tcp" => Some(Recognised {
            support: Support::Broker,
            hint: "An MQTT broker. Add it to hear the meters that report to it.".into(),
            ..not_yet("mqtt_broker", instance.clone(), instance, "", String::new())
        }),
        _ => None,
    })
}

fn need(txt: &BTreeMap<String, String>, keys: &[&str]) -> Result<(), String> {
    match keys.iter().find(|k| txt.get(**k).is_none_or(|v| v.trim().is_empty())) {
        Some(k) => Err(format!("the TXT record lacks `{k}`")),
        None => Ok(()),
    }
}

fn shelly(instance: &str, txt: &BTreeMap<String, String>) -> Recognised {
    let generation = txt.get("gen").and_then(|g| g.trim().parse::<u8>().ok()).unwrap_or(1);
    let id = instance.to_string();
    let lower = id.to_ascii_lowercase();
    let (model, mac) = id.rsplit_once('-').unwrap_or((&id, ""));
    let model = txt.get("app").map(|a| clip(a)).unwrap_or_else(|| model.to_string());
    Recognised {
        family: if generation >= 2 { "shelly_gen2" } else { "shelly_gen1" },
        name: id.clone(),
        manufacturer: "Shelly",
        model,
        mac: mac_of(mac),
        suggested_role: Some(if lower.contains("em") && !lower.contains("mem") {
            Role::Grid
        } else {
            Role::Load
        }),
        support: Support::ViaMqtt,
        hint: "Switch on MQTT in the device's settings and enter this home's broker.".into(),
        device_id: id,
    }
}

fn homewizard(serial: &str, name: &str, product: &str) -> Recognised {
    let role = match product {
        "HWE-P1" => Some(Role::Grid),
        "HWE-SKT" => Some(Role::Load),
        "HWE-BAT" => Some(Role::Battery),
        _ => None,
    };
    Recognised {
        mac: mac_of(serial),
        suggested_role: role,
        ..not_yet("homewizard", serial.into(), name.into(), "HomeWizard", product.into())
    }
}

fn not_yet(
    family: &'static str,
    id: String,
    name: String,
    manufacturer: &'static str,
    model: String,
) -> Recognised {
    Recognised {
        family,
        device_id: id,
        name,
        manufacturer,
        model,
        mac: String::new(),
        suggested_role: None,
        support: Support::NotYet,
        hint: "Found, but not supported yet.".into(),
    }
}

/// The message form: JSON `{service_type, name, hostname, addresses, port, txt}`.
pub(crate) fn decode(m: &Message) -> Decoded {
    let body = Body::new(m.payload);
    let v = match body.json() {
        Ok(v) if v.is_object() => v,
        Ok(_) => {
            return Decoded {
                outcome: Outcome::Reject,
                reason: Some("not an object".into()),
                ..Decoded::default()
            };
        }
        Err(e) => return Decoded { outcome: Outcome::Reject, reason: Some(e.into()), ..Decoded::default() },
    };
    let text = |key: &str| v.get(key).and_then(Value::as_str).unwrap_or_default();
    let service = if m.topic.starts_with('_') { m.topic } else { text("service_type") };
    let instance = if text("name").is_empty() { text("hostname") } else { text("name") };
    let txt = v.get("txt").and_then(Value::as_object).into_iter().flatten().take(64);
    let txt = txt.map(|(k, v)| (clip(k), v.as_str().map_or_else(|| v.to_string(), str::to_string))).collect();
    match recognise(service, instance, &txt) {
        Ok(Some(r)) => {
            let address = v.pointer("/addresses/0").and_then(Value::as_str).unwrap_or_default();
            Decoded {
                outcome: Outcome::Ok,
                family: Some(r.family),
                device_id: Some(r.device_id),
                reason: Some(r.hint),
                device: Some(DeviceInfo {
                    name: r.name,
                    manufacturer: r.manufacturer.into(),
                    model: r.model,
                    mac: r.mac,
                    address: clip(address),
                    suggested_role: r.suggested_role,
                }),
                ..Decoded::default()
            }
        }
        Ok(None) => Decoded { reason: Some("no meter".into()), ..Decoded::default() },
        Err(reason) => Decoded { outcome: Outcome::Reject, reason: Some(reason), ..Decoded::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn txt(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
    }

    #[test]
    fn services_are_named() {
        let family = |s: &str, i: &str, t: &[(&str, &str)]| {
            recognise_mdns(s, i, &txt(t)).map(|r| (r.family, r.support))
        };
        assert_eq!(
            family("_shelly._tcp.local.", "shellypro3em-a1b2c3d4e5f6._shelly._tcp.local.", &[("gen", "2")]),
            Some(("shelly_gen2", Support::ViaMqtt))
        );
        assert_eq!(
            family("_http._tcp.local.", "ShellyEM3-A1B2C3D4E5F6", &[]),
            Some(("shelly_gen1", Support::ViaMqtt))
        );
        assert_eq!(family("_http._tcp.local.", "a printer", &[("", "")]), None);
        assert_eq!(family("_mqtt._tcp.local.", "broker", &[]), Some(("mqtt_broker", Support::Broker)));
        assert_eq!(family("_hwenergy._tcp.local.", "p1", &[("serial", "x")]), None);
        assert_eq!(
            family("_ewelink._tcp", "eWeLink_1000", &[("id", "1000")]),
            Some(("ewelink", Support::NotYet))
        );
    }
}
