//! Tariff versions and what energy costs under them.

use crate::ids::TariffId;
use crate::units::{Money, Price};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// A price list, valid for the days `[valid_from, valid_to)` of the home's calendar. Immutable:
/// a change of price is a new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tariff {
    pub id: TariffId,
    pub name: String,
    pub valid_from: Date,
    #[serde(default)]
    pub valid_to: Option<Date>,
    pub import: PriceSchedule,
    /// What the grid pays for what is sent to it.
    #[serde(default)]
    pub export: Option<PriceSchedule>,
    /// Per day of the home's calendar, whatever its length.
    #[serde(default)]
    pub standing_charge_per_day: Money,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum PriceSchedule {
    Flat {
        price: Price,
    },
    /// The first window that fits wins; `otherwise` holds the rest of the week.
    TimeOfUse {
        windows: Vec<PriceWindow>,
        otherwise: Price,
    },
}

/// Part of the week in the home's wall-clock time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceWindow {
    /// Bit 0 is Monday, bit 6 Sunday. A window over midnight belongs to the day it starts on.
    pub days: u8,
    /// Minutes since midnight, 0..1440.
    pub from_minute: u16,
    /// Exclusive, 1..=1440; not after `from_minute` means: over midnight.
    pub to_minute: u16,
    pub price: Price,
}
