//! Readings of one meter as usage sees them: which stream a reading belongs to and whether it can
//! be used at all.

use crate::reading::{Channel, Quantity, Reading};
use crate::time::UnixMillis;
use crate::units::Energy;
use serde::{Deserialize, Serialize};

/// One reading of the meter at hand. `value` is in the unit of `quantity`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub channel: Channel,
    pub quantity: Quantity,
    pub at: UnixMillis,
    pub value: f64,
}

impl From<&Reading> for Sample {
    fn from(r: &Reading) -> Self {
        Self { channel: r.channel.clone(), quantity: r.quantity, at: r.at, value: r.value }
    }
}

/// What is plausible, and how long a value may stand for. The same on every device of a home.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UsageConfig {
    /// A power value is held this long at most; a register's rise over a longer pause is no
    /// longer *measured*. Milliseconds, at least 1.
    pub max_gap_ms: i64,
    /// A register's rise over a longer pause is *recovered*, up to here *interpolated*.
    pub recovered_after_ms: i64,
    /// The most power this meter can carry, watts. What implies more is held back or ignored.
    pub max_power_w: f64,
    /// A register may rise by this much at any moment: the coarsest step that registers have.
    pub step_allowance: Energy,
    /// A rise over a longer pause is not spread but starts anew, as after a replacement.
    pub max_spread_ms: i64,
    /// Where the registers of this meter start again at 0, if they do.
    pub rollover: Option<Energy>,
}

impl Default for UsageConfig {
    fn default() -> Self {
        Self {
            max_gap_ms: 5 * 60 * 1000,
            recovered_after_ms: 60 * 60 * 1000,
            max_power_w: 100_000.0,
            step_allowance: Energy(1_000_000_000), // 1 kWh
            max_spread_ms: 400 * 86_400_000,
            rollover: None,
        }
    }
}

/// A meter was exchanged, or its register set by hand: what the old one showed last and the new
/// one first. What the old one had counted up to then and the new one counts from then on is usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replacement {
    pub stream: Stream,
    pub at: UnixMillis,
    pub removal: Energy,
    pub opening: Energy,
}

/// Why a reading says nothing about usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ignored {
    /// A quantity or channel that usage is not derived from.
    NotUsage,
    /// Not finite, or beyond any meter.
    NotAValue,
    /// More power than the meter can carry.
    TooMuchPower,
    /// A reading of this stream with the same time is already there.
    Duplicate,
}

/// The role of a channel inside the meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Slot {
    Total,
    Phase(u8),
    Tariff(u8),
}

impl Slot {
    fn of(channel: &str) -> Option<Self> {
        match channel.as_bytes() {
            b"n" | b"device" => None,
            [b'l', n @ b'1'..=b'3'] => Some(Self::Phase(n - b'1')),
            [b't', n @ b'1'..=b'4'] => Some(Self::Tariff(n - b'1')),
            // `total`, or the only channel of a group of its own
            _ => Some(Self::Total),
        }
    }
    const fn index(self) -> u8 {
        match self {
            Self::Total => 0,
            Self::Phase(n) => 1 + n,
            Self::Tariff(n) => 4 + n,
        }
    }
}

/// One line of readings that usage is derived from: quantity and place of the channel in the meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stream {
    quantity: Quantity,
    slot: Slot,
}

pub(crate) const REGISTERS: usize = 3 * 8;
pub(crate) const POWERS: usize = 4 * 4;

/// The largest register, in watt-hours, that leaves room to calculate.
const MAX_WH: f64 = 4.0e12;

impl Stream {
    /// `None` if usage is not derived from such readings.
    pub fn of(channel: &Channel, quantity: Quantity) -> Option<Self> {
        let slot = Slot::of(channel.as_str())?;
        let used = quantity.is_register()
            || (matches!(
                quantity,
                Quantity::Power | Quantity::PowerImport | Quantity::PowerExport | Quantity::PowerProduction
            ) && !matches!(slot, Slot::Tariff(_)));
        used.then_some(Self { quantity, slot })
    }

    pub const fn quantity(self) -> Quantity {
        self.quantity
    }

    pub const fn is_register(self) -> bool {
        self.quantity.is_register()
    }

    /// Place among the registers or among the powers.
    pub(crate) const fn index(self) -> usize {
        let q = match self.quantity {
            Quantity::EnergyImport | Quantity::PowerImport => 0,
            Quantity::EnergyProduction | Quantity::PowerProduction => 1,
            Quantity::EnergyExport | Quantity::PowerExport => 2,
            _ => 3,
        };
        let slot = self.slot.index() as usize;
        if self.is_register() { q * 8 + slot } else { q * 4 + slot }
    }

    /// Whether `value` can be used; what is not never counts as heard.
    pub fn check(self, value: f64, config: &UsageConfig) -> Result<(), Ignored> {
        if !value.is_finite() {
            return Err(Ignored::NotAValue);
        }
        if self.is_register() {
            if value.abs() > MAX_WH { Err(Ignored::NotAValue) } else { Ok(()) }
        } else if value.abs() > config.max_power_w {
            Err(Ignored::TooMuchPower)
        } else {
            Ok(())
        }
    }
}
