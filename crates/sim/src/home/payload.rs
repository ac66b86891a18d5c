//! What each device puts on the wire: its topics and payload shapes.

use crate::plan::{Device, Format, PlannedMeter, Registers};
use hearthwatt_domain::time::UnixMillis;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// A message to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    pub topic: String,
    pub payload: Vec<u8>,
    pub retain: bool,
}

impl Outgoing {
    fn text(topic: String, payload: impl Into<String>) -> Self {
        Self { topic, payload: payload.into().into_bytes(), retain: false }
    }

    fn json(topic: String, payload: &Value) -> Self {
        Self::text(topic, payload.to_string())
    }

    fn retained(mut self) -> Self {
        self.retain = true;
        self
    }
}

/// What a meter shows at an instant.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    pub at: UnixMillis,
    pub zone: &'a TimeZone,
    /// Watts, one decimal; + is taken.
    pub power: f64,
    pub registers: Registers,
    /// Volts of the mains.
    pub voltage: f64,
}

/// Topic and payload that the broker sends when the device is lost, and those when it is there.
pub fn presence(device: &Device) -> Option<(Outgoing, Outgoing)> {
    let both = |topic: String, off: &str, on: &str| {
        Some((Outgoing::text(topic.clone(), off).retained(), Outgoing::text(topic, on).retained()))
    };
    let topic = &device.topic;
    match device.format {
        Format::ShellyPro3Em | Format::ShellyPlug => both(format!("{topic}/online"), "false", "true"),
        Format::ShellyEm { .. } => both(format!("shellies/{topic}/online"), "false", "true"),
        Format::TasmotaPlug | Format::TasmotaSml | Format::TasmotaBattery => {
            both(format!("tele/{topic}/LWT"), "Offline", "Online")
        }
        Format::Zigbee2Mqtt => None, // the bridge speaks for it
        Format::HaDiscovery => both(format!("{topic}/status"), "offline", "online"),
    }
}

/// What a device says about itself when it connects.
pub fn introduction(meter: &PlannedMeter) -> Vec<Outgoing> {
    let device = &meter.device;
    match device.format {
        Format::ShellyEm { clamp: 0 } => {
            let announce = json!({
                "id": device.topic, "model": meter.model, "mac": device.mac,
                "ip": address(device), "new_fw": false, "fw_ver": "20230913-114008/v1.14.0",
            });
            let own = format!("shellies/{}/announce", device.topic);
            vec![Outgoing::json("shellies/announce".into(), &announce), Outgoing::json(own, &announce)]
        }
        Format::TasmotaPlug | Format::TasmotaSml | Format::TasmotaBattery => tasmota_discovery(meter),
        Format::HaDiscovery => ha_discovery(meter),
        _ => Vec::new(),
    }
}

/// The bridge's messages for all Zigbee devices of the home.
pub fn zigbee_bridge(meters: &[PlannedMeter]) -> Vec<Outgoing> {
    let plugs: Vec<&PlannedMeter> =
        meters.iter().filter(|m| m.device.format == Format::Zigbee2Mqtt).collect();
    if plugs.is_empty() {
        return Vec::new();
    }
    let coordinator = json!({
        "ieee_address": "0x00124b00aabbccdd", "type": "Coordinator", "friendly_name": "Coordinator",
        "definition": null, "supported": true, "disabled": false, "interview_completed": true,
    });
    let devices: Vec<Value> =
        std::iter::once(coordinator).chain(plugs.iter().map(|m| zigbee_device(m))).collect();
    let base = "zigbee2mqtt";
    let mut out = vec![
        Outgoing::json(format!("{base}/bridge/state"), &json!({"state": "online"})).retained(),
        Outgoing::json(format!("{base}/bridge/devices"), &Value::Array(devices)).retained(),
    ];
    for plug in plugs {
        let topic = format!("{base}/{}/availability", plug.device.topic);
        out.push(Outgoing::json(topic, &json!({"state": "online"})).retained());
    }
    out
}

/// The readings of one instant.
pub fn readings(meter: &PlannedMeter, now: &Shown<'_>) -> Vec<Outgoing> {
    let topic = &meter.device.topic;
    match meter.device.format {
        Format::ShellyPro3Em => vec![
            Outgoing::json(format!("{topic}/status/em:0"), &em(now)),
            Outgoing::json(format!("{topic}/status/emdata:0"), &emdata(now)),
        ],
        Format::ShellyEm { clamp } => {
            let value = |name: &str, v: f64, digits: usize| {
                Outgoing::text(format!("shellies/{topic}/emeter/{clamp}/{name}"), format!("{v:.digits$}"))
            };
            vec![
                value("power", now.power, 2),
                value("voltage", now.voltage, 2),
                value("pf", if now.power < 0.0 { -0.98 } else { 0.98 }, 2),
                value("total", now.registers.import, 1),
                value("total_returned", now.registers.export, 1),
            ]
        }
        Format::ShellyPlug => vec![Outgoing::json(format!("{topic}/events/rpc"), &notify_status(topic, now))],
        Format::TasmotaPlug | Format::TasmotaSml | Format::TasmotaBattery => {
            vec![Outgoing::json(format!("tele/{topic}/SENSOR"), &tasmota_sensor(meter.device.format, now))]
        }
        Format::Zigbee2Mqtt => vec![Outgoing::json(format!("zigbee2mqtt/{topic}"), &zigbee_state(now))],
        Format::HaDiscovery => vec![Outgoing::json(
            format!("{topic}/state"),
            &json!({"power": now.power, "energy": kwh(now.registers.import), "connected": now.power > 100.0}),
        )],
    }
}

/// A private address that fits the device, for descriptions only.
pub fn address(device: &Device) -> String {
    let last = u8::from_str_radix(device.mac.get(10..).unwrap_or("1"), 16).unwrap_or(1);
    format!("192.168.178.{}", last.clamp(2, 250))
}

fn em(now: &Shown<'_>) -> Value {
    let mut status = json!({"id": 0, "n_current": null, "user_calibrated_phase": []});
    let total = round(now.power, 1);
    let mut rest = total;
    for (phase, share) in [("a", 0.42), ("b", 0.31), ("c", 0.27)] {
        // the last phase takes what rounding left, so that the phases add up
        let power = if phase == "c" { round(rest, 1) } else { round(total * share, 1) };
        rest -= power;
        status[format!("{phase}_act_power")] = json!(power);
        status[format!("{phase}_aprt_power")] = json!(round(power.abs() * 1.04, 1));
        status[format!("{phase}_current")] = json!(round(power.abs() * 1.04 / now.voltage, 3));
        status[format!("{phase}_pf")] = json!(if power < 0.0 { -0.96 } else { 0.96 });
        status[format!("{phase}_voltage")] = json!(now.voltage);
        status[format!("{phase}_freq")] = json!(50.0);
    }
    status["total_act_power"] = json!(total);
    status["total_aprt_power"] = json!(round(total.abs() * 1.04, 1));
    status["total_current"] = json!(round(total.abs() * 1.04 / now.voltage, 3));
    status
}

fn emdata(now: &Shown<'_>) -> Value {
    let mut status = json!({"id": 0});
    let Registers { import, export } = now.registers;
    for (phase, share) in [("a", 0.42), ("b", 0.31), ("c", 0.27)] {
        status[format!("{phase}_total_act_energy")] = json!(round(import * share, 2));
        status[format!("{phase}_total_act_ret_energy")] = json!(round(export * share, 2));
    }
    status["total_act"] = json!(round(import, 2));
    status["total_act_ret"] = json!(round(export, 2));
    status
}

fn notify_status(src: &str, now: &Shown<'_>) -> Value {
    json!({
        "src": src, "dst": format!("{src}/events"), "method": "NotifyStatus",
        "params": {
            "ts": now.at.0 as f64 / 1000.0,
            "switch:0": {
                "id": 0, "apower": now.power, "voltage": now.voltage,
                "current": round(now.power / now.voltage, 3),
                "aenergy": {
                    "total": round(now.registers.import, 3),
                    "by_minute": [round(now.power * 1000.0 / 60.0, 3), 0.0, 0.0],
                    "minute_ts": now.at.0 / 60_000 * 60,
                },
            },
        },
    })
}

fn tasmota_sensor(format: Format, now: &Shown<'_>) -> Value {
    let time =
        now.at.to_jiff().map(|t| t.to_zoned(now.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S").to_string());
    let Registers { import, export } = now.registers;
    match format {
        Format::TasmotaSml => json!({
            "Time": time,
            "SML": {"Total_in": kwh(import), "Total_out": kwh(export), "Power_curr": now.power},
        }),
        _ => {
            let mut energy = json!({
                "TotalStartTime": "2024-01-01T00:00:00", "Total": kwh(import), "Power": now.power,
                "ApparentPower": round(now.power.abs() * 1.03, 1), "ReactivePower": round(now.power.abs() * 0.24, 1),
                "Factor": 0.97, "Voltage": now.voltage, "Current": round(now.power.abs() * 1.03 / now.voltage, 3),
            });
            if format == Format::TasmotaBattery {
                energy["ExportActive"] = json!(kwh(export));
            }
            json!({"Time": time, "ENERGY": energy})
        }
    }
}

fn tasmota_discovery(meter: &PlannedMeter) -> Vec<Outgoing> {
    let Device { mac, topic, format, .. } = &meter.device;
    let config = json!({
        "ip": address(&meter.device), "dn": meter.name, "fn": [meter.name], "hn": topic.replace('_', "-"),
        "mac": mac, "md": meter.model, "ty": 0, "if": 0, "ofln": "Offline", "onln": "Online",
        "state": ["OFF", "ON", "TOGGLE", "HOLD"], "sw": "14.2.0", "t": topic, "ft": "%prefix%/%topic%/",
        "tp": ["cmnd", "stat", "tele"], "rl": [1, 0, 0, 0, 0, 0, 0, 0], "so": {"4": 0}, "ver": 1,
    });
    let template = match format {
        Format::TasmotaSml => json!({"SML": {"Total_in": 0, "Total_out": 0, "Power_curr": 0}}),
        _ => json!({"ENERGY": {"Total": 0, "Power": 0, "Voltage": 0, "Current": 0}}),
    };
    let sensors = json!({"sn": template, "ver": 1});
    let base = format!("tasmota/discovery/{mac}");
    vec![
        Outgoing::json(format!("{base}/config"), &config).retained(),
        Outgoing::json(format!("{base}/sensors"), &sensors).retained(),
    ]
}

fn zigbee_device(meter: &PlannedMeter) -> Value {
    let numeric = |name: &str, unit: &str| json!({"type": "numeric", "name": name, "label": name, "property": name, "unit": unit, "access": 5});
    json!({
        "ieee_address": meter.device.ieee_address(), "type": "Router", "network_address": 4711,
        "friendly_name": meter.device.topic, "supported": true, "disabled": false,
        "power_source": "Mains (single phase)", "model_id": "TS011F", "manufacturer": "_TZ3000_example",
        "interview_completed": true, "interviewing": false,
        "definition": {
            "model": meter.model, "vendor": meter.manufacturer, "description": "Smart plug (with power monitoring)",
            "exposes": [
                {"type": "switch", "features": [{"type": "binary", "name": "state", "property": "state", "access": 7, "value_on": "ON", "value_off": "OFF"}]},
                numeric("power", "W"), numeric("current", "A"), numeric("voltage", "V"), numeric("energy", "kWh"),
                numeric("linkquality", "lqi"),
            ],
            "options": [],
        },
    })
}

fn zigbee_state(now: &Shown<'_>) -> Value {
    json!({
        "state": "ON", "power": now.power, "current": round(now.power / now.voltage, 2), "voltage": now.voltage,
        "energy": kwh(now.registers.import), "linkquality": 120 + now.at.0 / 1000 % 40,
    })
}

fn ha_discovery(meter: &PlannedMeter) -> Vec<Outgoing> {
    let topic = &meter.device.topic;
    let entity = |what: &str, name: &str, unit: &str, class: &str, state_class: &str| {
        let config = json!({
            "name": name, "unique_id": format!("{topic}_{what}"), "state_topic": "~/state", "~": topic,
            "value_template": format!("{{{{ value_json.{what} }}}}"),
            "unit_of_measurement": unit, "device_class": class, "state_class": state_class,
            "availability_topic": "~/status", "payload_available": "online", "payload_not_available": "offline",
            "device": {
                "identifiers": [topic], "name": meter.name, "manufacturer": meter.manufacturer, "model": meter.model,
                "connections": [["mac", colons(&meter.device.mac)]],
            },
        });
        Outgoing::json(format!("homeassistant/sensor/{topic}/{what}/config"), &config).retained()
    };
    vec![
        entity("power", "Power", "W", "power", "measurement"),
        entity("energy", "Energy", "kWh", "energy", "total_increasing"),
    ]
}

fn colons(mac: &str) -> String {
    let pairs: Vec<String> =
        mac.as_bytes().chunks(2).map(|p| String::from_utf8_lossy(p).to_lowercase()).collect();
    pairs.join(":")
}

/// Kilowatt-hours with three digits.
fn kwh(wh: f64) -> f64 {
    round(wh / 1000.0, 3)
}

fn round(value: f64, digits: i32) -> f64 {
    let steps = 10_f64.powi(digits);
    (value * steps).round() / steps
}
