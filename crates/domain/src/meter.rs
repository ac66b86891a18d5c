//! Meters as a home knows them: identity, place in the wiring, state of adoption.

use crate::ids::MeterId;
use serde::{Deserialize, Serialize};

/// What a meter stands for in the home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// At the connection to the grid: + import, - export.
    Grid,
    /// Produces. Power is counted positive whatever sign the device sends.
    Solar,
    /// + charging, - discharging.
    Battery,
    /// Uses energy somewhere behind the grid meter.
    Load,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adoption {
    /// Heard, not yet decided on. Nothing is stored.
    Found,
    Adopted,
    Ignored,
}

/// How a device names itself; `group` is the channel group of [`crate::reading::Channel::group`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MeterKey {
    pub family: String,
    pub device_id: String,
    pub group: String,
}

impl MeterKey {
    pub fn id(&self) -> MeterId {
        MeterId::derive(&[&self.family, &self.device_id, &self.group])
    }
}

/// A meter and what the household decided about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meter {
    pub id: MeterId,
    pub key: MeterKey,
    pub adoption: Adoption,
    pub name: String,
    #[serde(default)]
    pub room: String,
    pub role: Role,
    /// The meter that measures this one too; its usage contains ours.
    #[serde(default)]
    pub parent: Option<MeterId>,
    /// The sign of power and the two registers are swapped (a clamp the wrong way round, a plug
    /// that measures a balcony inverter).
    #[serde(default)]
    pub inverted: bool,
    /// As the device describes itself.
    #[serde(default)]
    pub manufacturer: String,
    #[serde(default)]
    pub model: String,
}
