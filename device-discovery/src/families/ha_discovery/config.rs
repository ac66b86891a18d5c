//! Reads discovery messages: abbreviations, `~`, device form, devices.

use super::meaning::{of_unit, refined, words};
use super::template::Template;
use crate::body::{clip, mac_of, text_of};
use crate::limits::{MAX_AVAILABILITY, MAX_COMPONENTS};
use crate::message::DeviceInfo;
use crate::topic;
use hearthwatt_domain::reading::Quantity;
use serde_json::{Map, Value};

/// One entity that may be decoded.
#[derive(Debug, Clone)]
pub(super) struct Entity {
    /// Unique within the device: of its own, or from the topic.
    pub key: String,
    pub state_topic: String,
    pub template: Template,
    pub quantity: Quantity,
    pub factor: f64,
    pub channel: &'static str,
}

/// What a discovery message says.
#[derive(Debug)]
pub(super) struct Config {
    pub device_id: Option<String>,
    pub info: Option<DeviceInfo>,
    pub entities: Vec<Entity>,
    /// Why entities were learnt but will not be decoded.
    pub undecodable: Option<String>,
    pub availability: Vec<Availability>,
    pub mode: Mode,
}

/// What several availability topics of one device mean together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Mode {
    /// The last message holds: Home Assistant's own default.
    #[default]
    Latest,
    All,
    Any,
}

impl Mode {
    /// `said` is what each topic said last, `None` if nothing yet; `latest` what one says now.
    /// `None`: not known yet.
    pub fn judge(self, latest: Option<bool>, said: impl Iterator<Item = Option<bool>>) -> Option<bool> {
        let decisive = match self {
            Mode::Latest => return latest,
            Mode::All => false,
            Mode::Any => true,
        };
        let mut unknown = false;
        for one in said {
            match one {
                Some(online) if online == decisive => return Some(decisive),
                Some(_) => {}
                None => unknown = true,
            }
        }
        (!unknown).then_some(!decisive)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Availability {
    pub topic: String,
    pub available: String,
    pub not_available: String,
}

/// The parts of a discovery topic.
pub(super) struct Place<'a> {
    pub component: &'a str,
    pub node: Option<&'a str>,
    pub object: &'a str,
}

const LONG: &[(&str, &str)] = &[
    ("stat_t", "state_topic"),
    ("val_tpl", "value_template"),
    ("unit_of_meas", "unit_of_measurement"),
    ("dev_cla", "device_class"),
    ("stat_cla", "state_class"),
    ("uniq_id", "unique_id"),
    ("avty", "availability"),
    ("avty_t", "availability_topic"),
    ("avty_mode", "availability_mode"),
    ("pl_avail", "payload_available"),
    ("pl_not_avail", "payload_not_available"),
    ("lrst_val_tpl", "last_reset_value_template"),
    ("dev", "device"),
    ("o", "origin"),
    ("cmps", "components"),
    ("p", "platform"),
    ("t", "topic"),
    ("ids", "identifiers"),
    ("cns", "connections"),
    ("mf", "manufacturer"),
    ("mdl", "model"),
];

/// The value under a long name or its abbreviation.
fn get<'a>(map: &'a Map<String, Value>, long: &str) -> Option<&'a Value> {
    map.get(long).or_else(|| LONG.iter().filter(|(_, l)| *l == long).find_map(|(short, _)| map.get(*short)))
}

fn text(map: &Map<String, Value>, long: &str) -> String {
    text_of(get(map, long))
}

/// `~` stands for the base at the start or the end of a topic.
fn topic_in(map: &Map<String, Value>, long: &str, base: &str) -> Option<String> {
    let raw = get(map, long)?.as_str()?;
    Some(if let Some(rest) = raw.strip_prefix('~') {
        format!("{base}{rest}")
    } else if let Some(rest) = raw.strip_suffix('~') {
        format!("{rest}{base}")
    } else {
        raw.to_string()
    })
}

/// Reads a message that is no removal. `Err`: malformed.
pub(super) fn read(place: &Place, map: &Map<String, Value>) -> Result<Config, String> {
    let mut config = Config {
        device_id: None,
        info: None,
        entities: Vec::new(),
        undecodable: None,
        availability: Vec::new(),
        mode: Mode::default(),
    };
    let base = map.get("~").and_then(Value::as_str).unwrap_or_default();
    let device = get(map, "device").and_then(Value::as_object);
    if let Some(device) = device {
        let (id, info) = described(device);
        config.device_id = id;
        config.info = Some(info);
    }
    if config.device_id.is_none() {
        config.device_id = Some(clip(place.node.unwrap_or(place.object)));
    }
    read_availability(&mut config, map, base);
    if place.component == "device" {
        let components = get(map, "components").and_then(Value::as_object).ok_or("no components")?;
        if device.is_none() || get(map, "origin").is_none() {
            return Err("a device message needs device and origin".into());
        }
        if components.len() > MAX_COMPONENTS {
            return Err(format!("more than {MAX_COMPONENTS} components"));
        }
        for (key, c) in components {
            let Some(c) = c.as_object() else {
                return Err(format!("component {}: not an object", clip(key)));
            };
            // only a platform: this component is removed
            if c.len() > 1 && text(c, "platform") == "sensor" {
                let base = c.get("~").and_then(Value::as_str).unwrap_or(base);
                let shared = topic_in(map, "state_topic", base);
                entity(&mut config, key, c, base, shared)?;
            }
        }
    } else if place.component == "sensor" {
        if get(map, "state_topic").is_none() {
            return Err("no state topic".into());
        }
        entity(&mut config, place.object, map, base, None)?;
    }
    Ok(config)
}

fn entity(
    config: &mut Config,
    object: &str,
    map: &Map<String, Value>,
    base: &str,
    shared: Option<String>,
) -> Result<(), String> {
    let Some(state_topic) = topic_in(map, "state_topic", base).or(shared) else { return Ok(()) };
    if !topic::is_plain(&state_topic) {
        return Err("the state topic is not one that can be subscribed to".into());
    }
    let (class, unit) = (text(map, "device_class"), text(map, "unit_of_measurement"));
    let energetic = ["power", "energy", "current", "voltage", "gas", "water"].contains(&class.as_str());
    let Some((quantity, factor)) = of_unit(&unit, &class) else {
        if energetic {
            let which =
                if unit.is_empty() { "unit unknown".into() } else { format!("unknown unit {unit:?}") };
            config.undecodable.get_or_insert(format!("{which} of {}", clip(object)));
        }
        return Ok(());
    };
    let raw_template = get(map, "value_template").and_then(Value::as_str);
    let template = match raw_template.map(Template::compile) {
        None => Template::default(),
        Some(Ok(t)) => t,
        Some(Err(why)) => {
            let raw = clip(raw_template.unwrap_or_default());
            config.undecodable.get_or_insert(format!("unsupported template {raw:?}: {why}"));
            return Ok(());
        }
    };
    let unique = text(map, "unique_id");
    let resets = text(map, "state_class") == "total" && get(map, "last_reset_value_template").is_some();
    // names of devices ("battery room") must not decide: only the end of the ids and the path
    let device_words = words(&[config.device_id.as_deref().unwrap_or_default()]);
    let mut named = words(&[object, &unique]);
    // of a template only the fields it reads: `| max` makes nothing a maximum
    named.extend(template.keys().flat_map(|k| words(&[k])));
    named.retain(|w| !device_words.contains(w));
    named.extend(words(&[state_topic.rsplit('/').next().unwrap_or_default()]));
    if let Some((quantity, channel)) = refined(quantity, &class, resets, &named) {
        let key = if unique.is_empty() { clip(object) } else { unique };
        config.entities.push(Entity { key, state_topic, template, quantity, factor, channel });
    }
    Ok(())
}

fn described(device: &Map<String, Value>) -> (Option<String>, DeviceInfo) {
    let first = |v: Option<&Value>| match v {
        Some(Value::Array(list)) => text_of(list.first()),
        other => text_of(other),
    };
    let connections = get(device, "connections").and_then(Value::as_array);
    let mac = connections.into_iter().flatten().find_map(|c| {
        let pair = c.as_array()?;
        (pair.first()? == "mac").then(|| mac_of(&text_of(pair.get(1))))
    });
    let id = first(get(device, "identifiers"));
    let id = if id.is_empty() { mac.clone().unwrap_or_default() } else { id };
    let info = DeviceInfo {
        name: text(device, "name"),
        manufacturer: text(device, "manufacturer"),
        model: text(device, "model"),
        mac: mac.unwrap_or_default(),
        address: String::new(),
        suggested_role: None,
    };
    (Some(id).filter(|i| !i.is_empty()), info)
}

fn read_availability(config: &mut Config, map: &Map<String, Value>, base: &str) {
    let word = |m: &Map<String, Value>, key: &str, default: &str| {
        Some(text(m, key)).filter(|w| !w.is_empty()).unwrap_or_else(|| default.into())
    };
    let mut add = |m: &Map<String, Value>, key: &str| {
        if let Some(topic) = topic_in(m, key, base).filter(|t| topic::is_plain(t))
            && config.availability.len() < MAX_AVAILABILITY
        {
            config.availability.push(Availability {
                topic,
                available: word(m, "payload_available", "online"),
                not_available: word(m, "payload_not_available", "offline"),
            });
        }
    };
    add(map, "availability_topic");
    for a in get(map, "availability").and_then(Value::as_array).into_iter().flatten() {
        if let Some(a) = a.as_object() {
            add(a, "topic");
        }
    }
    config.mode = match text(map, "availability_mode").as_str() {
        "all" => Mode::All,
        "any" => Mode::Any,
        _ => Mode::Latest,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_topics_mean_what_their_mode_says() {
        const NONE: [Option<bool>; 2] = [Some(true), None];
        const MIXED: [Option<bool>; 2] = [Some(true), Some(false)];
        for (mode, said, online) in [
            (Mode::Latest, NONE, Some(true)),
            (Mode::All, NONE, None),
            (Mode::All, [Some(true); 2], Some(true)),
            (Mode::All, [Some(false), None], Some(false)),
            (Mode::All, MIXED, Some(false)),
            (Mode::Any, NONE, Some(true)),
            (Mode::Any, MIXED, Some(true)),
            (Mode::Any, [Some(false), None], None),
            (Mode::Any, [Some(false); 2], Some(false)),
        ] {
            assert_eq!(mode.judge(Some(true), said.into_iter()), online, "{mode:?} of {said:?}");
        }
    }
}
