//! Readings: what a meter said, when, in the unit that its quantity fixes.

use crate::ids::MeterId;
use crate::time::UnixMillis;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use std::fmt;

macro_rules! quantities {
    ($( $(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $unit:literal; )*) => {
        /// What is measured. The unit belongs to the quantity; decoders convert to it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[repr(u8)]
        pub enum Quantity { $( $(#[$doc])* $variant = $code, )* }
        impl Quantity {
            pub const ALL: &[Quantity] = &[$(Quantity::$variant),*];
            /// The name in messages and files.
            pub const fn name(self) -> &'static str { match self { $(Quantity::$variant => $name,)* } }
            pub const fn unit(self) -> &'static str { match self { $(Quantity::$variant => $unit,)* } }
            /// The number it is stored under: never reused.
            pub const fn code(self) -> u8 { self as u8 }
            pub const fn from_code(code: u8) -> Option<Self> { match code { $($code => Some(Quantity::$variant),)* _ => None } }
            pub fn from_name(name: &str) -> Option<Self> { match name { $($name => Some(Quantity::$variant),)* _ => None } }
        }
    };
}

quantities! {
    /// Active power, + taken, - given (house meters: + import).
    Power = 1, "power", "W";
    PowerImport = 2, "power_import", "W";
    PowerExport = 3, "power_export", "W";
    /// Of an inverter, AC side, + produced.
    PowerProduction = 4, "power_production", "W";
    PowerDc = 5, "power_dc", "W";
    PowerAverage = 6, "power_average", "W";
    PowerPeak = 7, "power_peak", "W";
    /// Register: only rises.
    EnergyImport = 10, "energy_import", "Wh";
    /// Register: only rises.
    EnergyExport = 11, "energy_export", "Wh";
    /// Register of an inverter: only rises.
    EnergyProduction = 12, "energy_production", "Wh";
    /// Resets daily: shown, never integrated.
    EnergyImportToday = 20, "energy_import_today", "Wh";
    EnergyImportYesterday = 21, "energy_import_yesterday", "Wh";
    EnergyImportPeriod = 22, "energy_import_period", "Wh";
    EnergyImportWeek = 23, "energy_import_week", "Wh";
    EnergyImportMonth = 24, "energy_import_month", "Wh";
    EnergyProductionToday = 25, "energy_production_today", "Wh";
    EnergyProductionYear = 26, "energy_production_year", "Wh";
    EnergyExportToday = 27, "energy_export_today", "Wh";
    Voltage = 30, "voltage", "V";
    Current = 31, "current", "A";
    /// -1..1, signed as the meter sends it; never gives the sign of power.
    PowerFactor = 32, "power_factor", "1";
    Frequency = 33, "frequency", "Hz";
    ApparentPower = 34, "apparent_power", "VA";
    ReactivePower = 35, "reactive_power", "var";
    ReactivePowerImport = 36, "reactive_power_import", "var";
    ReactivePowerExport = 37, "reactive_power_export", "var";
    ReactiveEnergyImport = 38, "reactive_energy_import", "varh";
    ReactiveEnergyExport = 39, "reactive_energy_export", "varh";
    ApparentEnergyImport = 40, "apparent_energy_import", "VAh";
    VoltageDc = 41, "voltage_dc", "V";
    CurrentDc = 42, "current_dc", "A";
    Temperature = 50, "temperature", "C";
    StateOfCharge = 51, "state_of_charge", "%";
    Gas = 60, "gas", "m3";
    Water = 61, "water", "m3";
    Volume = 62, "volume", "m3";
    Flow = 63, "flow", "m3/h";
    GasEnergy = 64, "gas_energy", "Wh";
    HeatEnergy = 65, "heat_energy", "Wh";
}

impl Quantity {
    /// A cumulative register that usage may be derived from.
    pub const fn is_register(self) -> bool {
        matches!(self, Self::EnergyImport | Self::EnergyExport | Self::EnergyProduction)
    }
}

/// One measured point of a meter: `total`, `l1`..`l3`, `t1`..`t4`, an index, `a`/`b`, …
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Channel(SmolStr);

impl Channel {
    /// Longest name of a channel, in bytes; longer ones are cut by decoders' callers.
    pub const MAX_LEN: usize = 32;
    pub const TOTAL: Channel = Channel(SmolStr::new_static("total"));

    pub fn new(name: &str) -> Self {
        Self(SmolStr::new(name))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Channels that belong to one and the same measured circuit share a group: total, phases and
    /// tariff registers are the group `""`; an index or letter names a circuit of its own
    /// (two clamps of one device are two meters and are never added).
    pub fn group(&self) -> &str {
        match self.as_str() {
            "total" | "l1" | "l2" | "l3" | "n" | "t1" | "t2" | "t3" | "t4" | "device" => "",
            other => other,
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One stored observation; immutable. `value` is in the unit of `quantity`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    pub meter: MeterId,
    pub channel: Channel,
    pub quantity: Quantity,
    /// When it was received.
    pub at: UnixMillis,
    pub value: f64,
}
