//! One meter: what it is, what it last said, how it fares.

use crate::guess;
use crate::limits::{FOUND_RING, LIVE_VALID_MS};
use crate::live::{Points, oriented};
use hearthwatt_api::{MeterHealth, Refusal};
use hearthwatt_discovery::DeviceInfo;
use hearthwatt_domain::ids::BrokerId;
use hearthwatt_domain::meter::{Adoption, Meter, Role};
use hearthwatt_domain::reading::{Channel, Quantity, Reading};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::units::Power;
use std::collections::VecDeque;

/// Quiet is who pauses this many times longer than usual.
const QUIET_FACTOR: f64 = 4.0;

pub(crate) struct Known {
    pub(crate) meter: Meter,
    pub(crate) points: Points,
    pub(crate) last_seen: Option<UnixMillis>,
    pub(crate) online: Option<bool>,
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
    pub(crate) last_refusal: Option<Refusal>,
    pub(crate) recent: Recent,
    pub(crate) broker: Option<BrokerId>,
    /// What it measures.
    pub(crate) quantities: Vec<Quantity>,
    /// Usual pause between two messages.
    cadence_ms: Option<f64>,
    registers_wh: (f64, f64),
    /// Of a found meter: what adopting it stores.
    ring: VecDeque<Reading>,
    /// The role comes from what was heard in this run; nobody has decided on it.
    pub(super) role_is_guess: bool,
}

/// How the last 32 messages went.
#[derive(Default, Clone, Copy)]
pub(crate) struct Recent {
    refused: u32,
    heard: u32,
}

impl Recent {
    pub(crate) fn push(&mut self, refused: bool) {
        self.refused = (self.refused << 1) | u32::from(refused);
        self.heard = (self.heard << 1) | 1;
    }
    fn mostly_refused(self) -> bool {
        self.heard != 0 && self.refused.count_ones() * 2 > self.heard.count_ones()
    }
}

impl Known {
    pub(crate) fn new(meter: Meter) -> Self {
        Self {
            meter,
            points: Points::default(),
            last_seen: None,
            online: None,
            accepted: 0,
            refused: 0,
            last_refusal: None,
            recent: Recent::default(),
            broker: None,
            quantities: Vec::new(),
            cadence_ms: None,
            registers_wh: (0.0, 0.0),
            ring: VecDeque::new(),
            role_is_guess: false,
        }
    }

    /// Last power in the sense of the role, and when it was heard.
    pub(crate) fn power(&self) -> Option<(UnixMillis, Power)> {
        self.points.power().map(|(at, w)| (at, oriented(&self.meter, w)))
    }

    pub(crate) fn refuse(&mut self, refusal: Refusal) {
        self.refused += 1;
        self.recent.push(true);
        self.last_refusal = Some(refusal);
    }

    /// What the values tell about the meter, whatever their time.
    pub(super) fn learn(&mut self, values: &[(Channel, Quantity, f64)]) {
        for (channel, quantity, value) in values {
            if !self.quantities.contains(quantity) {
                self.quantities.push(*quantity);
            }
            if *channel == Channel::TOTAL || !channel.group().is_empty() {
                match quantity {
                    Quantity::EnergyImport => self.registers_wh.0 = *value,
                    Quantity::EnergyExport => self.registers_wh.1 = *value,
                    _ => {}
                }
            }
        }
    }

    /// Values of now.
    pub(super) fn hear(&mut self, at: UnixMillis, values: &[(Channel, Quantity, f64)]) {
        self.learn(values);
        for (channel, quantity, value) in values {
            self.points.take(channel, *quantity, at, *value);
        }
        if let Some(last) = self.last_seen {
            let pause = at.since(last).max(0) as f64;
            // several messages belong together; a pause starts after the last of them
            if pause > 200.0 {
                self.cadence_ms = Some(self.cadence_ms.map_or(pause, |c| c + (pause - c) / 8.0));
            }
        }
        self.last_seen = Some(self.last_seen.map_or(at, |last| last.max(at)));
        self.online = Some(true);
    }

    pub(super) fn keep(&mut self, readings: impl Iterator<Item = Reading>) {
        self.ring.extend(readings);
        let over = self.ring.len().saturating_sub(FOUND_RING);
        self.ring.drain(..over);
    }

    pub(super) fn guess_role(&mut self, info: &DeviceInfo, has_grid: bool) {
        let role = guess::role(&self.meter.name, info, &self.quantities, has_grid);
        self.meter.role = role;
        self.meter.inverted = role == Role::Solar && self.produces_as_import();
    }

    /// Whether this producer's energy shows as taken.
    pub(super) fn produces_as_import(&self) -> bool {
        let watts: Vec<f64> =
            self.ring.iter().filter(|r| r.quantity == Quantity::Power).map(|r| r.value).collect();
        let mean = if watts.is_empty() {
            self.points.power().map_or(0.0, |(_, w)| w)
        } else {
            watts.iter().sum::<f64>() / watts.len() as f64
        };
        guess::is_inverted(&self.quantities, self.registers_wh.0, self.registers_wh.1, mean)
    }

    /// From now on it is stored; returns what it said shortly before.
    pub(super) fn adopt(&mut self, info: &DeviceInfo, has_grid: bool) -> Vec<Reading> {
        self.guess_role(info, has_grid);
        self.meter.adoption = Adoption::Adopted;
        self.release()
    }

    pub(super) fn release(&mut self) -> Vec<Reading> {
        std::mem::take(&mut self.ring).into()
    }

    pub(crate) fn health(&self, now: UnixMillis, broker_gone: bool) -> MeterHealth {
        if self.online == Some(false) || (broker_gone && self.broker.is_some()) {
            return MeterHealth::Offline;
        }
        if self.recent.mostly_refused() {
            return MeterHealth::Refused;
        }
        let Some(last) = self.last_seen else { return MeterHealth::Unknown };
        let patience = (self.cadence_ms.unwrap_or(0.0) * QUIET_FACTOR) as i64;
        if now.since(last) > patience.max(LIVE_VALID_MS) { MeterHealth::Quiet } else { MeterHealth::Well }
    }
}
