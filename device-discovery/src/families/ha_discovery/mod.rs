//! Home Assistant's MQTT discovery as a source: any device that describes its sensors there.
//!
//! Retained `<prefix>/<component>/[<node>/]<object>/config` for one entity, or
//! `<prefix>/device/<object>/config` for a device; an empty payload removes. The unit of an entity
//! decides what it measures; without one it is not decoded, and neither is one whose template uses
//! what is not supported ([`template`]). State topics are looked up by hash.
//!
//! Native decoding wins: this family is asked last, and entities whose state topic belongs to
//! another family are not even learnt.
//!
//! Two entities of one device may claim the same channel and quantity (an inverter's grid, house
//! and battery power): each then gets a channel named after itself, so they are never mixed.

mod config;
mod fixtures;
mod meaning;
mod template;

use super::{Entry, Family, quiet};
use crate::body::{Body, clip};
use crate::limits::{MAX_DEVICES, MAX_ENTITIES, MAX_ENTITIES_PER_TOPIC};
use crate::message::{Decoded, DeviceInfo, Message, Outcome, Transport};
use crate::readings::Readings;
use config::{Availability, Config, Entity, Mode, Place};
use hearthwatt_domain::reading::{Channel, Quantity};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use template::State;

const NAME: &str = "ha_discovery";

pub(crate) const ENTRY: Entry = Entry {
    name: NAME,
    subscriptions: &["homeassistant/+/+/config", "homeassistant/+/+/+/config"],
    new: || Box::new(HomeAssistant::default()),
    fixtures: fixtures::FIXTURES,
};

/// The kinds of entity there are: what tells a discovery topic under any prefix.
const COMPONENTS: &[&str] = &[
    "alarm_control_panel",
    "binary_sensor",
    "button",
    "camera",
    "climate",
    "cover",
    "device",
    "device_automation",
    "device_tracker",
    "event",
    "fan",
    "humidifier",
    "image",
    "lawn_mower",
    "light",
    "lock",
    "notify",
    "number",
    "scene",
    "select",
    "sensor",
    "siren",
    "switch",
    "tag",
    "text",
    "update",
    "vacuum",
    "valve",
    "water_heater",
];

#[derive(Debug, Default)]
struct HomeAssistant {
    devices: HashMap<String, Device>,
    /// State topic to what is to be read from it.
    states: HashMap<String, Vec<Source>>,
    /// Availability topic to the devices it speaks for.
    presences: HashMap<String, Vec<(String, Availability)>>,
    /// Discovery topic to the entities it brought.
    configs: HashMap<String, Vec<Brought>>,
    entities: usize,
}

#[derive(Debug, Default)]
struct Device {
    /// Entities by key: their claim to a channel.
    claims: HashMap<String, (Quantity, &'static str)>,
    info: DeviceInfo,
    introduced: bool,
    /// What its availability topics said last.
    said: BTreeMap<String, Option<bool>>,
    mode: Mode,
}

#[derive(Debug)]
struct Brought {
    device: String,
    key: String,
    state_topic: String,
}

#[derive(Debug)]
struct Source {
    device: String,
    entity: Entity,
}

impl Family for HomeAssistant {
    fn decode(&mut self, m: &Message, body: &Body) -> Option<Decoded> {
        if m.transport != Transport::Mqtt {
            return None;
        }
        if let Some(place) = place(m.topic, body) {
            return Some(self.config(m.topic, &place, body));
        }
        if let Some(sources) = self.states.get(m.topic) {
            let mut decoded = state(sources, &self.devices, body);
            if let Some(d) = decoded.device_id.as_ref().and_then(|id| self.devices.get_mut(id))
                && !d.introduced
                && !decoded.measurements.is_empty()
            {
                d.introduced = true;
                decoded.device = Some(d.info.clone());
            }
            return Some(decoded);
        }
        self.presence(m.topic, body)
    }

    fn wanted(&self, filters: &mut BTreeSet<String>) {
        filters.extend(self.states.keys().cloned());
        filters.extend(self.presences.keys().cloned());
    }

    fn remembered(&self) -> usize {
        let said: usize = self.devices.values().map(|d| d.said.len()).sum();
        self.entities
            + self.devices.len()
            + self.states.len()
            + self.presences.len()
            + self.configs.len()
            + said
    }
}

/// The parts of a discovery topic, under the usual prefix or, if the payload is a description,
/// under any.
fn place<'a>(topic: &'a str, body: &Body) -> Option<Place<'a>> {
    let rest = topic.strip_suffix("/config")?;
    let levels: Vec<&str> = rest.split('/').collect();
    let at = levels.iter().position(|l| COMPONENTS.contains(l)).filter(|i| *i >= 1)?;
    if levels.first() != Some(&"homeassistant") && !body.looks_like_object() {
        return None;
    }
    match levels.get(at + 1..)? {
        [object] => Some(Place { component: levels[at], node: None, object }),
        [node, object] => Some(Place { component: levels[at], node: Some(node), object }),
        _ => None,
    }
}

/// Whether another family reads this state topic.
fn native(topic: &str) -> bool {
    let levels: Vec<&str> = topic.split('/').collect();
    matches!(levels.first(), Some(&"zigbee2mqtt" | &"shellies"))
        || levels.iter().any(|l| matches!(*l, "tele" | "stat"))
            && levels.last().is_some_and(|l| matches!(*l, "SENSOR" | "STATE" | "LWT" | "RESULT"))
        || topic.ends_with("/events/rpc")
        || topic.contains("/status/") && topic.rsplit('/').next().is_some_and(|l| l.contains(':'))
}

impl HomeAssistant {
    fn config(&mut self, topic: &str, place: &Place, body: &Body) -> Decoded {
        let sound =
            |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !sound(place.object) || place.node.is_some_and(|n| !sound(n)) {
            return quiet(
                NAME,
                Outcome::Reject,
                None,
                "ids of a discovery topic are letters, digits, _ and -",
            );
        }
        if body.is_empty() {
            let device = self.forget(topic);
            return quiet(NAME, Outcome::Gone, device, "entity removed");
        }
        let config = match body.json() {
            Ok(Value::Object(map)) => config::read(place, map),
            Ok(_) => Err("not an object".into()),
            Err(e) => Err(e.into()),
        };
        let mut config = match config {
            Ok(c) => c,
            Err(e) => return quiet(NAME, Outcome::Reject, None, e),
        };
        self.forget(topic);
        let id = config.device_id.clone().unwrap_or_default();
        let all = config.entities.len();
        // its base topic is the user's, its identifiers are not
        let bridged = id.starts_with("zigbee2mqtt_");
        config.entities.retain(|e| !bridged && !native(&e.state_topic));
        if config.entities.is_empty() {
            let (outcome, why) = if all > 0 {
                (Outcome::Ok, "read natively".to_string())
            } else if let Some(why) = config.undecodable {
                (Outcome::Ok, why)
            } else {
                (Outcome::None, "not an energy entity".to_string())
            };
            return quiet(NAME, outcome, Some(id), why);
        }
        if let Some(full) = self.full(&id, &config) {
            return quiet(NAME, Outcome::Reject, Some(id), full);
        }
        self.learn(topic, &id, config)
    }

    fn full(&self, id: &str, config: &Config) -> Option<String> {
        if self.entities + config.entities.len() > MAX_ENTITIES {
            return Some(format!("more than {MAX_ENTITIES} entities"));
        }
        if self.devices.len() >= MAX_DEVICES && !self.devices.contains_key(id) {
            return Some(format!("more than {MAX_DEVICES} devices"));
        }
        let crowded = |e: &Entity| {
            let new = config.entities.iter().filter(|o| o.state_topic == e.state_topic).count();
            self.states.get(&e.state_topic).map_or(0, Vec::len) + new > MAX_ENTITIES_PER_TOPIC
        };
        config
            .entities
            .iter()
            .any(crowded)
            .then(|| format!("more than {MAX_ENTITIES_PER_TOPIC} entities on one topic"))
    }

    fn learn(&mut self, topic: &str, id: &str, config: Config) -> Decoded {
        let device = self.devices.entry(id.to_string()).or_default();
        if let Some(info) = config.info {
            device.info = info;
        }
        if device.info.name.is_empty() {
            device.info.name = id.to_string();
        }
        let mut d = quiet(NAME, Outcome::Ok, Some(id.into()), config.undecodable.unwrap_or_default());
        d.device = Some(device.info.clone());
        for e in config.entities {
            device.claims.insert(e.key.clone(), (e.quantity, e.channel));
            self.configs.entry(topic.into()).or_default().push(Brought {
                device: id.into(),
                key: e.key.clone(),
                state_topic: e.state_topic.clone(),
            });
            self.states
                .entry(e.state_topic.clone())
                .or_default()
                .push(Source { device: id.into(), entity: e });
            self.entities += 1;
        }
        device.mode = config.mode;
        for a in config.availability.into_iter().filter(|a| !native(&a.topic)) {
            device.said.entry(a.topic.clone()).or_default();
            let speaks_for = self.presences.entry(a.topic.clone()).or_default();
            if speaks_for.len() < MAX_ENTITIES_PER_TOPIC && !speaks_for.iter().any(|(d, _)| d == id) {
                speaks_for.push((id.into(), a));
            }
        }
        d
    }

    /// Forgets what a discovery topic brought; the device it belonged to.
    fn forget(&mut self, topic: &str) -> Option<String> {
        let brought = self.configs.remove(topic)?;
        let device = brought.first().map(|b| b.device.clone());
        self.entities = self.entities.saturating_sub(brought.len());
        for Brought { device: id, key, state_topic } in brought {
            if let Some(sources) = self.states.get_mut(&state_topic) {
                sources.retain(|s| s.device != id || s.entity.key != key);
                if sources.is_empty() {
                    self.states.remove(&state_topic);
                }
            }
            let Some(d) = self.devices.get_mut(&id) else { continue };
            d.claims.remove(&key);
            if d.claims.is_empty() {
                self.devices.remove(&id);
                self.presences.retain(|_, of| {
                    of.retain(|(d, _)| *d != id);
                    !of.is_empty()
                });
            }
        }
        device
    }

    fn presence(&mut self, topic: &str, body: &Body) -> Option<Decoded> {
        // a topic that speaks for several devices is their bridge: it says nothing about one
        let of = self.presences.get(topic)?;
        let [(id, words)] = &of[..] else {
            return Some(quiet(NAME, Outcome::None, None, "presence of a bridge"));
        };
        let text = match body.json() {
            Ok(Value::Object(o)) => o.get("state").and_then(Value::as_str).unwrap_or_default(),
            _ => body.text().unwrap_or_default(),
        };
        let mut d = quiet(NAME, Outcome::None, Some(id.clone()), "presence");
        let latest = match text {
            t if t == words.available => Some(true),
            t if t == words.not_available => Some(false),
            _ => None,
        };
        d.online = latest;
        if let Some(device) = self.devices.get_mut(id)
            && latest.is_some()
        {
            device.said.insert(topic.to_owned(), latest);
            // what a bridge says of all its devices is not heard, so it is not waited for either
            let own = |t: &str| self.presences.get(t).is_some_and(|of| of.len() == 1);
            let said = device.said.iter().filter(|(t, _)| own(t)).map(|(_, said)| *said);
            d.online = device.mode.judge(latest, said);
        }
        Some(d)
    }
}

/// Reads a state message for the entities on its topic. One device speaks there, but for
/// misconfigured homes, where the first one learnt is believed.
fn state(sources: &[Source], devices: &HashMap<String, Device>, body: &Body) -> Decoded {
    let id = sources.first().map(|s| s.device.clone());
    if body.is_empty() {
        return quiet(NAME, Outcome::Gone, id, "retained state removed");
    }
    let mut r = Readings::default();
    let values = State::new(body);
    for Source { device, entity } in sources.iter().filter(|s| Some(&s.device) == id.as_ref()) {
        match entity.template.number(&values) {
            Ok(Some(v)) => {
                let channel = channel(entity, devices.get(device));
                r.value(channel.as_str(), entity.quantity, Some(&Value::from(v)), entity.factor);
            }
            Ok(None) => {}
            Err(why) => r.unusable(|| format!("{}: {why}", entity.key)),
        }
    }
    r.decoded(NAME, id)
}

/// The channel an entity claims, or one of its own name if another claims it too.
fn channel(e: &Entity, device: Option<&Device>) -> Channel {
    let claim = (e.quantity, e.channel);
    let contested = device.is_some_and(|d| d.claims.values().filter(|c| **c == claim).count() > 1);
    if !contested {
        return Channel::new(e.channel);
    }
    // the end of an id is what tells it from its siblings
    let slug: Vec<char> = clip(&e.key)
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    let from = slug.len().saturating_sub(Channel::MAX_LEN);
    Channel::new(&slug[from..].iter().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Decoder;

    fn feed(d: &mut Decoder, topic: &str, payload: &str) -> Decoded {
        d.decode(&Message { transport: Transport::Mqtt, topic, payload: payload.as_bytes(), retain: false })
    }

    #[test]
    fn state_topics_are_wanted_until_removed_and_native_ones_never() {
        let mut d = Decoder::new();
        feed(
            &mut d,
            "homeassistant/sensor/a/config",
            r#"{"stat_t":"a/w","unit_of_meas":"W","avty_t":"a/up"}"#,
        );
        feed(&mut d, "homeassistant/sensor/z/config", r#"{"stat_t":"zigbee2mqtt/z","unit_of_meas":"W"}"#);
        let renamed = r#"{"stat_t":"my/z","unit_of_meas":"W","dev":{"ids":["zigbee2mqtt_0x01"]}}"#;
        assert_eq!(feed(&mut d, "homeassistant/sensor/y/config", renamed).device, None);
        assert_eq!(d.wanted_topics(), ["a/up", "a/w"]);
        feed(&mut d, "homeassistant/sensor/a/config", "");
        assert_eq!(d.wanted_topics(), [""; 0]);
        assert_eq!(d.remembered(), 0);
    }

    #[test]
    fn a_device_with_two_availability_topics_is_online_when_both_say_so() {
        let mut d = Decoder::new();
        let config = r#"{"stat_t":"a/w","unit_of_meas":"W","dev":{"ids":"a"},"avty":[{"t":"a/up"},{"t":"a/sensor"}],"avty_mode":"MODE"}"#;
        let mut online = |mode: &str| {
            feed(&mut d, "homeassistant/sensor/a/config", &config.replace("MODE", mode));
            [("a/up", "online"), ("a/sensor", "offline"), ("a/sensor", "online"), ("a/up", "offline")]
                .map(|(topic, word)| feed(&mut d, topic, word).online)
        };
        assert_eq!(online("all"), [None, Some(false), Some(true), Some(false)]);
        assert_eq!(online("any"), [Some(true), Some(true), Some(true), Some(true)]);
        assert_eq!(online("latest"), [Some(true), Some(false), Some(true), Some(false)]);
    }

    #[test]
    fn two_powers_of_one_device_are_kept_apart() {
        let mut d = Decoder::new();
        for name in ["grid", "house"] {
            let config = format!(
                r#"{{"stat_t":"inv/{name}","unit_of_meas":"W","uniq_id":"inv_{name}_power","dev":{{"ids":"inv"}}}}"#
            );
            feed(&mut d, &format!("homeassistant/sensor/inv/{name}/config"), &config);
        }
        let channel = |d: Decoded| d.measurements[0].channel.to_string();
        assert_eq!(channel(feed(&mut d, "inv/grid", "1")), "inv_grid_power");
        assert_eq!(channel(feed(&mut d, "inv/house", "2")), "inv_house_power");
    }

    #[test]
    fn a_cap_is_reported_and_holds() {
        let mut d = Decoder::new();
        let last = (0..MAX_ENTITIES + 10)
            .map(|i| {
                let config = format!(r#"{{"stat_t":"s/{i}","unit_of_meas":"W","dev":{{"ids":"one"}}}}"#);
                feed(&mut d, &format!("homeassistant/sensor/e{i}/config"), &config)
            })
            .last();
        let last = last.unwrap();
        assert_eq!(last.outcome, Outcome::Reject);
        assert!(last.reason.unwrap().contains("entities"));
        assert!(d.remembered() <= 3 * MAX_ENTITIES + 1);
    }
}
