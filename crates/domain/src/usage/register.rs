//! One register: which rises are usage, which falls are resets, and what is held back as a glitch.

use super::sample::UsageConfig;
use crate::time::UnixMillis;
use crate::units::Energy;

/// A register's value at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub at: UnixMillis,
    pub value: Energy,
}

/// Energy counted between two marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rise {
    pub from: UnixMillis,
    pub to: UnixMillis,
    pub energy: Energy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The zero point.
    First,
    Rise(Rise),
    /// Implausible so far; the next reading decides.
    Held,
    /// `zero` is a new zero point, confirmed by the reading that ends `rise`.
    Restart {
        zero: UnixMillis,
        rise: Rise,
        /// It went up to the new zero point, not down: not an ordinary reset.
        jumped: bool,
    },
    Duplicate,
    Late,
}

/// All that the past of a register means for its future.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Register {
    base: Option<Mark>,
    pending: Option<Mark>,
    last: Option<UnixMillis>,
}

/// Two consecutive register readings (watt-hours) after which the past no longer matters: the
/// second is neither lower than the first nor implausibly higher. Whatever was in doubt before
/// them is decided, and derivation can start from the second.
pub fn is_anchor(prev: (UnixMillis, f64), next: (UnixMillis, f64), config: &UsageConfig) -> bool {
    let mark = |(at, wh): (UnixMillis, f64)| Mark { at, value: Energy::from_wh(wh) };
    rises_plausibly(mark(prev), mark(next), config)
}

pub(crate) fn rises_plausibly(a: Mark, b: Mark, config: &UsageConfig) -> bool {
    b.value >= a.value && allowed(b.value.0.saturating_sub(a.value.0), b.at.since(a.at), config)
}

fn allowed(rise: i64, ms: i64, config: &UsageConfig) -> bool {
    if ms <= 0 || ms > config.max_spread_ms {
        return false;
    }
    // W * ms / 3600 = mWh / 1000 = µWh, scaled by the mW below
    let limit_mw = (config.max_power_w * 1e3) as i128;
    i128::from(rise) <= limit_mw * i128::from(ms) / 3600 + i128::from(config.step_allowance.0)
}

impl Register {
    /// As after an anchor that ends in `base`.
    pub fn at(base: Mark) -> Self {
        Self { base: Some(base), pending: None, last: Some(base.at) }
    }

    pub fn base_at(&self) -> Option<UnixMillis> {
        self.base.map(|b| b.at)
    }

    pub fn push(&mut self, mark: Mark, config: &UsageConfig) -> Step {
        match self.last {
            Some(last) if mark.at == last => return Step::Duplicate,
            Some(last) if mark.at < last => return Step::Late,
            _ => self.last = Some(mark.at),
        }
        let Some(base) = self.base else {
            self.base = Some(mark);
            return Step::First;
        };
        if let Some(energy) = counted(base, mark, config) {
            // whatever was held back in between was a glitch
            self.base = Some(mark);
            self.pending = None;
            return Step::Rise(Rise { from: base.at, to: mark.at, energy });
        }
        match self.pending {
            Some(zero) if rises_plausibly(zero, mark, config) => {
                self.base = Some(mark);
                self.pending = None;
                let rise = Rise { from: zero.at, to: mark.at, energy: mark.value - zero.value };
                Step::Restart { zero: zero.at, rise, jumped: zero.value > base.value }
            }
            _ => {
                self.pending = Some(mark);
                Step::Held
            }
        }
    }

    /// The register showed `removal` last and starts from `opening`; readings up to and including
    /// `at` belong to the old one. The rise is what the old one still counted.
    pub fn replace(&mut self, at: UnixMillis, removal: Energy, opening: Energy) -> Option<Rise> {
        if self.last.is_some_and(|last| at < last) {
            return None; // derived again from the history instead
        }
        let old = self.base.replace(Mark { at, value: opening });
        self.pending = None;
        self.last = Some(at);
        let old = old?;
        let energy = removal - old.value;
        (energy.0 >= 0).then_some(Rise { from: old.at, to: at, energy })
    }
}

/// What was counted from `base` to `mark`, if that is believable.
fn counted(base: Mark, mark: Mark, config: &UsageConfig) -> Option<Energy> {
    if rises_plausibly(base, mark, config) {
        return Some(mark.value - base.value);
    }
    let turn = config.rollover?;
    let inside = |e: Energy| e.0 >= 0 && e < turn;
    if mark.value < base.value && inside(mark.value) && inside(base.value) {
        let rise = turn - base.value + mark.value;
        return allowed(rise.0, mark.at.since(base.at), config).then_some(rise);
    }
    None
}
