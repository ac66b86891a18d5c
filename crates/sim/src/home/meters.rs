//! What every meter of a running home shows now, faults included.

use super::payload::{self, Outgoing, Shown};
use super::{Fault, SimOptions};
use crate::plan::{DAY_MS, FIRST_DAY, METERS, Plan, PlannedMeter, Registers, extra, hash, smooth};
use hearthwatt_domain::time::UnixMillis;
use jiff::tz::TimeZone;
use std::f64::consts::TAU;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// Topics of one flood at the most.
const FLOOD_MAX: usize = 1_000_000;
/// Largest payload that a fault makes, bytes.
const OVERSIZED_MAX: usize = 64 * 1024 * 1024;

pub struct Meters {
    plan: Arc<Plan>,
    all: Vec<PlannedMeter>,
    seed: u64,
    zone: TimeZone,
    started: Instant,
    start_at: UnixMillis,
    speed: f64,
    faults: Mutex<Vec<State>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    silent: bool,
    /// What the registers stood at when they were reset.
    reset_at: Registers,
}

/// A message that a meter's connection is to send.
pub struct Sent {
    pub meter: usize,
    pub message: Outgoing,
}

impl Meters {
    pub fn new(plan: Arc<Plan>, options: &SimOptions, started: Instant) -> Self {
        let mut all = plan.meters().to_vec();
        all.extend((0..options.extra_meters).map(|n| extra(options.seed, n)));
        Self {
            faults: Mutex::new(vec![State::default(); all.len()]),
            plan,
            all,
            seed: options.seed,
            zone: options.zone.clone(),
            started,
            start_at: options.start_at,
            speed: options.speed,
        }
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    pub fn all(&self) -> &[PlannedMeter] {
        &self.all
    }

    pub fn now(&self) -> UnixMillis {
        self.start_at.plus_ms((self.started.elapsed().as_secs_f64() * 1000.0 * self.speed) as i64)
    }

    fn states(&self) -> MutexGuard<'_, Vec<State>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The readings that meter `i` sends at `at`; none while it is silent.
    pub fn readings(&self, i: usize, at: UnixMillis) -> Vec<Outgoing> {
        let Some(state) = self.states().get(i).copied() else { return Vec::new() };
        if state.silent {
            return Vec::new();
        }
        let meter = &self.all[i];
        let exact = self.registers(i, at);
        let registers = Registers {
            import: meter.resolve(exact.import - state.reset_at.import),
            export: meter.resolve(exact.export - state.reset_at.export),
        };
        let minutes = at.0 as f64 / 60_000.0;
        let voltage = 227.5 + 7.0 * smooth(self.seed, 400, minutes / 3.0) + 0.6 * (TAU * minutes * 6.0).sin();
        let shown = Shown {
            at,
            zone: &self.zone,
            power: (self.power(i, at) * 10.0).round() / 10.0,
            registers,
            voltage: (voltage * 10.0).round() / 10.0,
        };
        payload::readings(meter, &shown)
    }

    fn power(&self, i: usize, at: UnixMillis) -> f64 {
        if i < METERS {
            return self.plan.power(i, at);
        }
        let second = at.0 as f64 / 1000.0;
        self.extra_watts(i) * (1.0 + 0.3 * (TAU * second / 60.0).sin())
    }

    fn registers(&self, i: usize, at: UnixMillis) -> Registers {
        if i < METERS {
            return self.plan.registers(i, at);
        }
        let seconds = at.since(UnixMillis(FIRST_DAY * DAY_MS)).max(0) as f64 / 1000.0;
        let ripple = 0.3 * 60.0 / TAU * (1.0 - (TAU * seconds / 60.0).cos());
        Registers { import: self.extra_watts(i) * (seconds + ripple) / 3600.0, export: 0.0 }
    }

    fn extra_watts(&self, i: usize) -> f64 {
        15.0 + (hash(self.seed, 401, i as i64) % 1200) as f64 / 10.0
    }

    /// Lasting effects of a fault.
    pub fn suffer(&self, fault: &Fault) {
        let at = self.now();
        let registers = match fault {
            Fault::RegisterReset { meter } if *meter < self.all.len() => self.registers(*meter, at),
            _ => Registers::default(),
        };
        let mut states = self.states();
        match fault {
            Fault::Silent { meter } => states.get_mut(*meter).into_iter().for_each(|s| s.silent = true),
            Fault::Heal { meter } => states.get_mut(*meter).into_iter().for_each(|s| s.silent = false),
            Fault::RegisterReset { meter } => {
                states.get_mut(*meter).into_iter().for_each(|s| s.reset_at = registers);
            }
            Fault::Garbage { .. } | Fault::Oversized { .. } | Fault::TopicFlood { .. } => {}
        }
    }

    /// Messages that a fault sends at once.
    pub fn messages_of<'a>(&'a self, fault: &'a Fault) -> Box<dyn Iterator<Item = Sent> + Send + 'a> {
        match *fault {
            Fault::Garbage { meter } => Box::new(self.sample(meter).into_iter().map(move |mut message| {
                message.payload.truncate(message.payload.len() / 2);
                message.payload.extend_from_slice(&[0xff, 0xfe, 0x00, b'}', 0xc3, 0x28]);
                Sent { meter, message }
            })),
            Fault::Oversized { meter, bytes } => {
                Box::new(self.sample(meter).into_iter().map(move |mut message| {
                    message.payload = vec![b' '; bytes.min(OVERSIZED_MAX)];
                    Sent { meter, message }
                }))
            }
            Fault::TopicFlood { topics } => Box::new((0..topics.min(FLOOD_MAX)).map(|n| {
                let payload = br#"{"ENERGY":{"Power":1,"Total":1.0}}"#.to_vec();
                let message = Outgoing { topic: format!("tele/flood_{n:06}/SENSOR"), payload, retain: false };
                Sent { meter: 0, message }
            })),
            Fault::Silent { .. } | Fault::RegisterReset { .. } | Fault::Heal { .. } => {
                Box::new(std::iter::empty())
            }
        }
    }

    /// The first message that a meter would send now.
    fn sample(&self, i: usize) -> Option<Outgoing> {
        let silent = self.states().get(i)?.silent;
        if silent { None } else { self.readings(i, self.now()).into_iter().next() }
    }
}
