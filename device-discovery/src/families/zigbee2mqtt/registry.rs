//! What `bridge/devices` tells: who is who, and in which unit a property comes.

use super::fields::{factor, field};
use crate::body::text_of;
use crate::limits::{MAX_DEVICES, MAX_PROPERTIES};
use crate::message::DeviceInfo;
use hearthwatt_domain::meter::Role;
use hearthwatt_domain::reading::Quantity as Q;
use serde_json::Value;
use std::collections::HashMap;

#[derive(Debug, Default)]
pub(super) struct Registry {
    /// By friendly name.
    pub devices: HashMap<String, Described>,
    /// There were more than fit: an unknown name may be a device all the same.
    pub cut: bool,
}

#[derive(Debug)]
pub(super) struct Described {
    pub ieee: String,
    pub info: DeviceInfo,
    /// `voltage` is that of its battery.
    pub on_battery: bool,
    /// Properties whose unit is not the usual one: `None` if it is a unit of something else.
    pub factors: HashMap<String, Option<f64>>,
    pub introduced: bool,
}

impl Registry {
    /// `None`: not a list of devices.
    pub fn read(v: &Value) -> Option<Self> {
        let list = v.as_array()?;
        let mut registry = Self { devices: HashMap::new(), cut: list.len() > MAX_DEVICES };
        for d in list.iter().take(MAX_DEVICES) {
            let (name, ieee) = (text_of(d.get("friendly_name")), text_of(d.get("ieee_address")));
            if name.is_empty() || ieee.is_empty() || d.get("type").is_some_and(|t| t == "Coordinator") {
                continue;
            }
            registry.devices.insert(name.clone(), described(name, ieee, d));
        }
        Some(registry)
    }
}

fn described(name: String, ieee: String, d: &Value) -> Described {
    let definition = d.get("definition");
    let either = |a: Option<&Value>, b: &str| {
        Some(text_of(a)).filter(|t| !t.is_empty()).unwrap_or_else(|| text_of(d.get(b)))
    };
    let mut factors = HashMap::new();
    let mut produces = false;
    if let Some(exposes) = definition.and_then(|x| x.get("exposes")) {
        read_exposes(exposes, &mut factors, &mut produces, 0);
    }
    Described {
        info: DeviceInfo {
            name,
            manufacturer: either(definition.and_then(|x| x.get("vendor")), "manufacturer"),
            model: either(definition.and_then(|x| x.get("model")), "model_id"),
            mac: ieee.clone(),
            address: String::new(),
            suggested_role: Some(if produces { Role::Grid } else { Role::Load }),
        },
        ieee,
        on_battery: d.get("power_source").is_some_and(|p| p == "Battery"),
        factors,
        introduced: false,
    }
}

fn read_exposes(list: &Value, factors: &mut HashMap<String, Option<f64>>, produces: &mut bool, depth: u8) {
    for e in list.as_array().into_iter().flatten() {
        if let Some(features) = e.get("features").filter(|_| depth < 4) {
            read_exposes(features, factors, produces, depth + 1);
        }
        let (property, unit) = (text_of(e.get("property")), e.get("unit").and_then(Value::as_str));
        let Some(f) = field(&property, false).or_else(|| field(&property, true)) else { continue };
        *produces |= f.quantity == Q::EnergyExport;
        // no unit there: the usual one
        if let Some(unit) = unit
            && factors.len() < MAX_PROPERTIES
        {
            let found = factor(f.quantity, unit);
            if found != Some(f.factor) {
                factors.insert(property, found);
            }
        }
    }
}
