//! The live path of one meter: readings in order of time in, additions to interval rows out.

use super::power::{Cuts, Integrator, PowerStep};
use super::register::{Mark, Register, Step};
use super::sample::{Ignored, POWERS, REGISTERS, Replacement, Sample, Stream, UsageConfig};
use super::spread::{Direction, Until, quality_of, spread};
use super::{Delta, Quality};
use crate::reading::Quantity;
use crate::time::UnixMillis;
use crate::units::Energy;

/// What became of a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// Taken; the rows it adds to were handed out.
    Booked,
    /// A register reading that the next one must confirm or disprove.
    Held,
    Ignored(Ignored),
    /// Older than what has been derived from. Nothing has changed: store the reading and derive
    /// the rows it affects again.
    Late,
}

/// Never: the time of a source that was not heard.
const NEVER: i64 = i64::MAX;

/// All that one meter's readings so far mean for the next ones. Small, copied cheaply.
#[derive(Debug, Clone, PartialEq)]
pub struct Accumulator {
    config: UsageConfig,
    pub(super) registers: [Register; REGISTERS],
    pub(super) power: Integrator,
    /// First usable reading of each stream.
    first_register: [i64; REGISTERS],
    first_power: [i64; POWERS],
    /// Per register: until when it is in force, and leads its group.
    until: [Reign; REGISTERS],
    cuts: Cuts,
    pub(super) latest: Option<UnixMillis>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reign {
    energy: i64,
    lead: i64,
}

impl Accumulator {
    pub fn new(mut config: UsageConfig) -> Self {
        // limits that keep all sums far inside 64 bits, whatever the settings say
        config.max_gap_ms = config.max_gap_ms.clamp(1, 86_400_000);
        config.max_power_w = if config.max_power_w > 0.0 { config.max_power_w.min(1e8) } else { 1e5 };
        Self {
            config,
            registers: std::array::from_fn(|_| Register::default()),
            power: Integrator::new(),
            first_register: [NEVER; REGISTERS],
            first_power: [NEVER; POWERS],
            until: [Reign { energy: NEVER, lead: NEVER }; REGISTERS],
            cuts: Cuts { import: NEVER, export: NEVER, import_known: NEVER },
            latest: None,
        }
    }

    pub const fn config(&self) -> &UsageConfig {
        &self.config
    }

    /// Takes the next reading; `out` gets what it adds, at most one delta per piece of an interval.
    /// Readings may come at the same time in any order; back in time is [`Pushed::Late`].
    pub fn push(&mut self, sample: &Sample, out: &mut impl FnMut(Delta)) -> Pushed {
        match Stream::of(&sample.channel, sample.quantity) {
            Some(stream) => self.push_stream(stream, sample.at, sample.value, out),
            None => Pushed::Ignored(Ignored::NotUsage),
        }
    }

    /// [`Self::push`] for a caller that has looked the stream up before.
    pub fn push_stream(
        &mut self,
        stream: Stream,
        at: UnixMillis,
        value: f64,
        out: &mut impl FnMut(Delta),
    ) -> Pushed {
        if let Err(why) = stream.check(value, &self.config) {
            return Pushed::Ignored(why);
        }
        if !self.is_heard(stream) {
            if self.latest.is_some_and(|l| at < l) {
                return Pushed::Late; // would change which source was in force
            }
            self.hear(stream, at);
        }
        let pushed = if stream.is_register() {
            self.push_register(stream, Mark { at, value: Energy::from_wh(value) }, out)
        } else {
            match self.power.push(stream, at, value, self.cuts, &self.config, out) {
                PowerStep::Booked => Pushed::Booked,
                PowerStep::Duplicate => Pushed::Ignored(Ignored::Duplicate),
                PowerStep::Late => Pushed::Late,
            }
        };
        if pushed != Pushed::Late {
            self.latest = self.latest.max(Some(at));
        }
        pushed
    }

    pub(super) fn push_register(
        &mut self,
        stream: Stream,
        mark: Mark,
        out: &mut impl FnMut(Delta),
    ) -> Pushed {
        let step = self.registers[stream.index()].push(mark, &self.config);
        let (direction, until) = (direction(stream), self.until(stream));
        match step {
            Step::First => Pushed::Booked,
            Step::Held => Pushed::Held,
            Step::Duplicate => Pushed::Ignored(Ignored::Duplicate),
            Step::Late => Pushed::Late,
            Step::Rise(rise) => {
                spread(&rise, direction, quality_of(&rise, &self.config), until, out);
                Pushed::Booked
            }
            Step::Restart { zero, rise, jumped } => {
                if jumped && zero.0 < until.energy {
                    out(Delta { quality: Quality::Suspect, ..Delta::none(zero.interval_start()) });
                }
                spread(&rise, direction, quality_of(&rise, &self.config), until, out);
                Pushed::Booked
            }
        }
    }

    /// The household says that a register was exchanged. In order of time with the readings;
    /// readings at the same time belong to the old register.
    pub(super) fn replace(&mut self, r: &Replacement, out: &mut impl FnMut(Delta)) {
        if !r.stream.is_register() {
            return;
        }
        if !self.is_heard(r.stream) {
            self.hear(r.stream, r.at);
        }
        let rise = self.registers[r.stream.index()].replace(r.at, r.removal, r.opening);
        let rise = rise.filter(|rise| rise.to.since(rise.from) <= self.config.max_spread_ms);
        if let Some(rise) = rise {
            spread(&rise, direction(r.stream), Quality::Corrected, self.until(r.stream), out);
        }
        self.latest = self.latest.max(Some(r.at));
    }

    fn is_heard(&self, stream: Stream) -> bool {
        let i = stream.index();
        (if stream.is_register() { self.first_register[i] } else { self.first_power[i] }) != NEVER
    }

    /// Notes the first reading of a stream, and whom it puts out of force from then on.
    pub(super) fn hear(&mut self, stream: Stream, at: UnixMillis) {
        let (i, at) = (stream.index(), at.0);
        let dir = direction(stream);
        let tells_import = dir == Direction::Import || stream.quantity() == Quantity::Power;
        if tells_import {
            self.cuts.import_known = self.cuts.import_known.min(at);
        }
        if !stream.is_register() {
            self.first_power[i] = at;
            return;
        }
        self.first_register[i] = at;
        let cut = match dir {
            Direction::Import => &mut self.cuts.import,
            Direction::Export => &mut self.cuts.export,
        };
        *cut = (*cut).min(at);
        // registers lie in order of rank within a direction: import 0..8, production and export 8..24
        let others = if dir == Direction::Import { 0..8 } else { 8..24 };
        for j in others {
            if group(j) > group(i) {
                self.until[j].energy = self.until[j].energy.min(at);
            } else if group(j) == group(i) && j > i {
                self.until[j].lead = self.until[j].lead.min(at);
            }
        }
    }

    fn until(&self, stream: Stream) -> Until {
        let u = self.until[stream.index()];
        let cover = match direction(stream) {
            Direction::Import => u.lead,
            // covered time follows import as soon as anything tells import
            Direction::Export => u.lead.min(self.cuts.import_known),
        };
        Until { energy: u.energy, cover }
    }
}

fn direction(stream: Stream) -> Direction {
    match stream.quantity() {
        Quantity::EnergyImport | Quantity::PowerImport | Quantity::Power => Direction::Import,
        _ => Direction::Export,
    }
}

/// Registers of one group are summed; a smaller number wins over a larger one.
const fn group(register: usize) -> usize {
    let kind = match register % 8 {
        0 => 0,
        1..=3 => 1,
        _ => 2,
    };
    register / 8 * 3 + kind
}
