//! Cuts a register's rise at interval bounds, evenly by time, without losing a micro-watt-hour.

use super::register::Rise;
use super::sample::UsageConfig;
use super::{Delta, Quality};
use crate::time::{INTERVAL_MS, UnixMillis};
use crate::units::Energy;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Import,
    Export,
}

/// Until when a source's energy counts, and until when it speaks for covered time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Until {
    pub energy: i64,
    pub cover: i64,
}

/// How much a rise says about each interval it spans.
pub(crate) fn quality_of(rise: &Rise, config: &UsageConfig) -> Quality {
    let pause = rise.to.since(rise.from);
    // A register that did not move tells of every interval that nothing was used, and one inside
    // a single interval has nothing to spread.
    let whole = rise.energy.is_zero() || rise.from.interval_start() == rise.to.plus_ms(-1).interval_start();
    if whole || pause <= config.max_gap_ms {
        Quality::Measured
    } else if pause <= config.recovered_after_ms {
        Quality::Interpolated
    } else {
        Quality::Recovered
    }
}

pub(crate) fn spread(
    rise: &Rise,
    direction: Direction,
    quality: Quality,
    until: Until,
    out: &mut impl FnMut(Delta),
) {
    let (t0, t1) = (rise.from.0, rise.to.0);
    let total = i128::from(rise.energy.0);
    let length = i128::from(t1 - t0);
    // Rounded down at each bound; the last bound is exact, so the parts add up to the rise.
    let by = |t: i64| if t >= t1 { total } else { total * i128::from(t - t0) / length };
    let mut from = t0;
    let mut counted = 0;
    loop {
        let start = UnixMillis(from).interval_start();
        let to = t1.min(start.0 + INTERVAL_MS);
        let energy_to = to.min(until.energy);
        let nothing_left = energy_to == from && (t1 > t0 || until.energy == from);
        if energy_to < from || nothing_left {
            return;
        }
        let so_far = by(energy_to);
        let energy = Energy((so_far - counted) as i64);
        counted = so_far;
        let mut d = Delta::none(start);
        match direction {
            Direction::Import => d.import = energy,
            Direction::Export => d.export = energy,
        }
        d.quality = quality;
        d.covered_ms = (energy_to.min(until.cover) - from).max(0) as u32;
        out(d);
        if to >= t1 {
            return;
        }
        from = to;
    }
}
