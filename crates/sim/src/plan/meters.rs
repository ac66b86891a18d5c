//! The devices of the home: who makes them, how they call themselves, where they hang.

use super::day::{self, METERS, Registers};
use super::noise::hash;
use hearthwatt_domain::meter::{MeterKey, Role};
use hearthwatt_domain::reading::Channel;

/// A meter as the household would set it up.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedMeter {
    /// As the decoders name it.
    pub key: MeterKey,
    /// The channel that its power and registers come on.
    pub channel: Channel,
    pub name: String,
    pub room: String,
    pub role: Role,
    /// The meter that measures this one too.
    pub parent: Option<MeterKey>,
    pub manufacturer: String,
    pub model: String,
    pub(crate) device: Device,
    /// Its place in the tables of a day.
    pub(crate) index: usize,
    installed: Registers,
}

/// What is needed to speak as the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Device {
    pub format: Format,
    /// Twelve hexadecimal digits, upper case.
    pub mac: String,
    /// Prefix, topic or friendly name.
    pub topic: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Three phases, `em:0` and `emdata:0`.
    ShellyPro3Em,
    /// A clamp of a two-clamp Gen1 device.
    ShellyEm {
        clamp: u8,
    },
    /// Gen2 plug that notifies over `events/rpc`.
    ShellyPlug,
    TasmotaPlug,
    /// Tasmota that reads a meter with both directions.
    TasmotaSml,
    /// A modbus meter behind Tasmota with both directions.
    TasmotaBattery,
    Zigbee2Mqtt,
    HaDiscovery,
}

impl PlannedMeter {
    pub(crate) fn installed_at(&self) -> Registers {
        self.installed
    }

    /// Whether the device has a register for energy given.
    pub fn has_export(&self) -> bool {
        matches!(
            self.device.format,
            Format::ShellyPro3Em | Format::ShellyEm { .. } | Format::TasmotaSml | Format::TasmotaBattery
        )
    }

    /// Smallest step of the device's registers, watt-hours.
    pub fn resolution_wh(&self) -> f64 {
        match self.device.format {
            Format::ShellyPro3Em => 0.01,
            Format::ShellyEm { .. } => 0.1,
            Format::ShellyPlug => 0.001,
            Format::TasmotaPlug | Format::TasmotaSml | Format::TasmotaBattery | Format::HaDiscovery => 1.0,
            Format::Zigbee2Mqtt => 10.0,
        }
    }

    /// A register value as the device shows it: registers are cut, not rounded.
    pub(crate) fn resolve(&self, wh: f64) -> f64 {
        let steps_per_wh = self.resolution_wh().recip().round();
        if steps_per_wh >= 1.0 {
            (wh * steps_per_wh).floor() / steps_per_wh
        } else {
            (wh / self.resolution_wh()).floor() * self.resolution_wh()
        }
    }
}

struct Spec {
    index: usize,
    format: Format,
    family: &'static str,
    group: &'static str,
    channel: &'static str,
    name: &'static str,
    room: &'static str,
    role: Role,
    manufacturer: &'static str,
    model: &'static str,
}

#[rustfmt::skip]
const SPECS: [Spec; METERS] = [
    Spec { index: day::GRID, format: Format::ShellyPro3Em, family: "shelly_gen2", group: "", channel: "total", name: "Grid", room: "Hall", role: Role::Grid, manufacturer: "Shelly", model: "SPEM-003CEBEU" },
    Spec { index: day::SOLAR, format: Format::ShellyEm { clamp: 0 }, family: "shelly_gen1", group: "0", channel: "0", name: "Solar roof", room: "Attic", role: Role::Solar, manufacturer: "Shelly", model: "SHEM" },
    Spec { index: day::KITCHEN, format: Format::ShellyEm { clamp: 1 }, family: "shelly_gen1", group: "1", channel: "1", name: "Cooking", room: "Kitchen", role: Role::Load, manufacturer: "Shelly", model: "SHEM" },
    Spec { index: day::BATTERY, format: Format::TasmotaBattery, family: "tasmota", group: "", channel: "total", name: "Battery", room: "Cellar", role: Role::Battery, manufacturer: "Tasmota", model: "Modbus bridge" },
    Spec { index: day::EV, format: Format::HaDiscovery, family: "ha_discovery", group: "", channel: "total", name: "Car charger", room: "Garage", role: Role::Load, manufacturer: "Openbox", model: "Wall box 11" },
    Spec { index: day::HEAT_PUMP, format: Format::TasmotaSml, family: "tasmota", group: "", channel: "total", name: "Heat pump", room: "Cellar", role: Role::Load, manufacturer: "Tasmota", model: "Smart meter reader" },
    Spec { index: day::FRIDGE, format: Format::TasmotaPlug, family: "tasmota", group: "", channel: "total", name: "Fridge", room: "Kitchen", role: Role::Load, manufacturer: "Tasmota", model: "Metering plug" },
    Spec { index: day::WASHER, format: Format::Zigbee2Mqtt, family: "zigbee2mqtt", group: "", channel: "total", name: "Washing machine", room: "Bathroom", role: Role::Load, manufacturer: "TuYa", model: "TS011F_plug_1" },
    Spec { index: day::DISHWASHER, format: Format::Zigbee2Mqtt, family: "zigbee2mqtt", group: "", channel: "total", name: "Dishwasher", room: "Kitchen", role: Role::Load, manufacturer: "TuYa", model: "TS011F_plug_1" },
    Spec { index: day::OFFICE, format: Format::ShellyPlug, family: "shelly_gen2", group: "0", channel: "0", name: "Home office", room: "Study", role: Role::Load, manufacturer: "Shelly", model: "SNPL-00112EU" },
    Spec { index: day::TELEVISION, format: Format::TasmotaPlug, family: "tasmota", group: "", channel: "total", name: "Television", room: "Living room", role: Role::Load, manufacturer: "Tasmota", model: "Metering plug" },
];

pub(super) fn meters(seed: u64) -> Vec<PlannedMeter> {
    let mut meters: Vec<PlannedMeter> = SPECS.iter().map(|spec| meter(seed, spec)).collect();
    let grid = meters[day::GRID].key.clone();
    for meter in &mut meters {
        if meter.role != Role::Grid {
            meter.parent = Some(grid.clone());
        }
    }
    meters
}

fn meter(seed: u64, spec: &Spec) -> PlannedMeter {
    // the two clamps are one device
    let owner = if matches!(spec.format, Format::ShellyEm { .. }) { day::SOLAR } else { spec.index };
    let device = device(seed, owner as i64, spec.format, spec.name);
    let wh = |what, most: f64| (hash(seed, what, spec.index as i64) % 1000) as f64 / 1000.0 * most;
    let most = if spec.role == Role::Grid { 9.0e6 } else { 8.0e5 };
    let gives = matches!(spec.role, Role::Grid | Role::Solar | Role::Battery);
    PlannedMeter {
        key: MeterKey { family: spec.family.into(), device_id: device.id(), group: spec.group.into() },
        channel: Channel::new(spec.channel),
        name: spec.name.into(),
        room: spec.room.into(),
        role: spec.role,
        parent: None,
        manufacturer: spec.manufacturer.into(),
        model: spec.model.into(),
        device,
        index: spec.index,
        installed: Registers {
            import: if spec.role == Role::Solar { 0.0 } else { wh(200, most) },
            export: if gives { wh(201, most) } else { 0.0 },
        },
    }
}

/// A further plug, for load: number `n` of them, in the formats by turns.
pub(crate) fn extra(seed: u64, n: usize) -> PlannedMeter {
    let index = METERS + n;
    let name = format!("Plug {}", n + 1);
    let (format, family, group, channel) = match n % 3 {
        0 => (Format::ShellyPlug, "shelly_gen2", "0", "0"),
        1 => (Format::TasmotaPlug, "tasmota", "", "total"),
        _ => (Format::Zigbee2Mqtt, "zigbee2mqtt", "", "total"),
    };
    let device = device(seed, index as i64, format, &name);
    PlannedMeter {
        key: MeterKey { family: family.into(), device_id: device.id(), group: group.into() },
        channel: Channel::new(channel),
        name,
        room: String::new(),
        role: Role::Load,
        parent: None,
        manufacturer: String::new(),
        model: "Plug".into(),
        device,
        index,
        installed: Registers::default(),
    }
}

fn device(seed: u64, number: i64, format: Format, name: &str) -> Device {
    let mac = format!("{:012X}", hash(seed, 300, number) & 0xfeff_ffff_ffff);
    let lower = mac.to_lowercase();
    let topic = match format {
        Format::ShellyPro3Em => format!("shellypro3em-{lower}"),
        Format::ShellyEm { .. } => format!("shellyem-{}", &mac[6..]),
        Format::ShellyPlug => format!("shellyplusplugs-{lower}"),
        Format::TasmotaPlug | Format::TasmotaSml | Format::TasmotaBattery => format!("tasmota_{}", &mac[6..]),
        Format::Zigbee2Mqtt => name.to_owned(),
        Format::HaDiscovery => format!("wallbox-{}", &lower[6..]),
    };
    Device { format, mac, topic }
}

impl Device {
    /// As the decoders name it.
    pub fn id(&self) -> String {
        match self.format {
            Format::Zigbee2Mqtt => self.ieee_address(),
            _ => self.topic.clone(),
        }
    }

    pub fn ieee_address(&self) -> String {
        format!("0xa4c1{}", self.mac.to_lowercase())
    }
}
