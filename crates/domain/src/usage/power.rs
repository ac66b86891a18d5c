//! Power to energy by sample-and-hold: a value stands until the next one of its stream, at most
//! for the maximum gap. Phases are summed, with their signs, before they become import or export.
//!
//! Exact: milliwatts times milliseconds are added up as integers per interval and rounded once,
//! so the energy of an interval does not depend on how many readings it was cut into.

use super::sample::{POWERS, Stream, UsageConfig};
use super::{Delta, max_some, min_some};
use crate::time::{INTERVAL_MS, UnixMillis};
use crate::units::{Energy, Power};

/// 1 µWh is 3600 mW·ms.
const MW_MS_PER_UWH: i64 = 3600;

const IMPORT: usize = 0;
const PRODUCTION: usize = 4;
const EXPORT: usize = 8;
const SIGNED: usize = 12;

/// Times from which power no longer counts because a register does, and from which import leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cuts {
    pub import: i64,
    pub export: i64,
    /// First reading of anything that tells import.
    pub import_known: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Held {
    at: i64,
    mw: i64,
}

/// Sums of one interval, and what of them has been handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Partial {
    start: i64,
    import: i64,
    export: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Integrator {
    held: [Held; POWERS],
    /// Bit per stream: heard by now.
    heard: u16,
    /// Everything before has been counted.
    horizon: Option<i64>,
    partial: Partial,
}

/// What the streams of one quantity say together at a moment.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    mw: i64,
    /// Any of them says something.
    live: bool,
    /// The leading one of them does.
    covered: bool,
}

pub(crate) enum PowerStep {
    Booked,
    Duplicate,
    Late,
}

impl Integrator {
    pub const fn new() -> Self {
        Self {
            held: [Held { at: i64::MIN, mw: 0 }; POWERS],
            heard: 0,
            horizon: None,
            partial: Partial { start: i64::MIN, import: 0, export: 0 },
        }
    }

    pub const fn horizon(&self) -> Option<i64> {
        self.horizon
    }

    /// Puts a value in place that was heard before the part of the history that follows.
    pub fn preset(&mut self, stream: Stream, at: UnixMillis, watts: f64) {
        self.set(stream, at, watts);
        self.horizon = Some(self.horizon.map_or(at.0, |h| h.max(at.0)));
    }

    fn set(&mut self, stream: Stream, at: UnixMillis, watts: f64) {
        let i = stream.index();
        self.held[i] = Held { at: at.0, mw: Power::from_watts(watts).0 };
        self.heard |= 1 << i;
    }

    pub fn push(
        &mut self,
        stream: Stream,
        at: UnixMillis,
        watts: f64,
        cuts: Cuts,
        config: &UsageConfig,
        out: &mut impl FnMut(Delta),
    ) -> PowerStep {
        if self.held[stream.index()].at == at.0 {
            return PowerStep::Duplicate;
        }
        match self.horizon {
            Some(h) if at.0 < h => return PowerStep::Late,
            Some(h) => self.book(h, at.0, cuts, config, out),
            None => {}
        }
        self.horizon = Some(at.0);
        self.set(stream, at, watts);
        PowerStep::Booked
    }

    /// Counts `[from, to)`, over which no new value came.
    fn book(&mut self, from: i64, to: i64, cuts: Cuts, config: &UsageConfig, out: &mut impl FnMut(Delta)) {
        let mut now = from;
        while now < to {
            let start = UnixMillis(now).interval_start().0;
            let mut end = to.min(start + INTERVAL_MS);
            for cut in [cuts.import, cuts.export, cuts.import_known] {
                if cut > now {
                    end = end.min(cut);
                }
            }
            let mut any = false;
            let mut bits = self.heard;
            while bits != 0 {
                let i = bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let expiry = self.held[i].at.saturating_add(config.max_gap_ms);
                if expiry > now {
                    any = true;
                    end = end.min(expiry);
                }
            }
            if !any {
                return; // silence until `to`
            }
            self.piece(now, end, start, cuts, config, out);
            now = end;
        }
    }

    fn piece(
        &mut self,
        now: i64,
        end: i64,
        start: i64,
        cuts: Cuts,
        config: &UsageConfig,
        out: &mut impl FnMut(Delta),
    ) {
        let sum = |base| self.sum(base, now, config);
        let has = |base| self.heard & (0b1111u16 << base) != 0;
        let signed = sum(SIGNED);
        let import = if has(IMPORT) { sum(IMPORT) } else { signed };
        let export = if has(PRODUCTION) {
            sum(PRODUCTION)
        } else if has(EXPORT) {
            sum(EXPORT)
        } else {
            Sum { mw: -signed.mw, ..signed }
        };
        let net = if signed.live { signed.mw } else { import.mw - export.mw };

        let ms = end - now;
        let mut d = Delta::none(UnixMillis(start));
        if self.partial.start != start {
            self.partial = Partial { start, import: 0, export: 0 };
        }
        if cuts.import > now {
            d.import = add(&mut self.partial.import, import.mw.max(0) * ms);
        }
        if cuts.export > now {
            d.export = add(&mut self.partial.export, export.mw.max(0) * ms);
        }
        let (leads, cut) =
            if cuts.import_known <= now { (import, cuts.import) } else { (export, cuts.export) };
        if leads.covered && cut > now {
            d.covered_ms = ms as u32;
        }
        if signed.live || import.live || export.live {
            d.power_min = min_some(d.power_min, Some(Power(net)));
            d.power_max = max_some(d.power_max, Some(Power(net)));
        }
        out(d);
    }

    /// The total where it was ever heard, else the phases.
    fn sum(&self, base: usize, now: i64, config: &UsageConfig) -> Sum {
        let live = |i: usize| now < self.held[i].at.saturating_add(config.max_gap_ms);
        let heard = |i: usize| self.heard & (1 << i) != 0;
        let mut sum = Sum::default();
        let mut first = true;
        let members = if heard(base) { base..base + 1 } else { base + 1..base + 4 };
        for i in members.filter(|i| heard(*i)) {
            if live(i) {
                sum.mw += self.held[i].mw;
                sum.live = true;
                sum.covered |= first;
            }
            first = false;
        }
        sum
    }
}

/// Adds to the sum of an interval; gives what that adds to the rounded energy.
fn add(sum: &mut i64, mw_ms: i64) -> Energy {
    let rounded = |s: i64| (s + MW_MS_PER_UWH / 2) / MW_MS_PER_UWH;
    let before = rounded(*sum);
    *sum = sum.saturating_add(mw_ms);
    Energy(rounded(*sum) - before)
}
