//! What is usual at this time of a day of this kind, and where the power now stands to it.

use crate::calendar::{Calendar, Local};
use crate::time::{INTERVAL_MS, UnixMillis};
use crate::units::Power;
use crate::usage::IntervalUsage;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

/// Days that are alike: their loads follow the same hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DayKind {
    Workday,
    Saturday,
    Sunday,
}

impl DayKind {
    pub const fn of(day: Weekday) -> Self {
        match day {
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
            _ => Self::Workday,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    MuchLower,
    Lower,
    Usual,
    Higher,
    MuchHigher,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judgement {
    pub level: Level,
    /// Median of earlier days.
    pub usual: Power,
    pub weekday: Weekday,
    /// Wall-clock hour in the home, 0..24.
    pub hour: u8,
}

/// Quarters of an hour in a day of the wall clock.
const QUARTERS: usize = 96;
/// Earlier days of a kind that it takes to call something usual.
const MIN_DAYS: usize = 4;
/// Differences below this are never remarkable: a kettle's idle light, a fridge.
const MARGIN_W: f64 = 50.0;

/// Average power of past days by kind of day and quarter of an hour.
#[derive(Debug, Clone)]
pub struct Normal {
    calendar: Calendar,
    /// Ascending milliwatts per (kind, quarter).
    seen: Vec<Vec<i64>>,
}

impl Normal {
    /// From rows of what is judged (for the home: what it used, as `import`), those of some weeks
    /// before the day that is judged. Rows that readings hardly speak for are left out.
    pub fn learn<'a>(
        rows: impl IntoIterator<Item = &'a IntervalUsage>,
        zone: TimeZone,
        upto: UnixMillis,
    ) -> Self {
        let calendar = Calendar::new(zone);
        let mut seen = vec![Vec::new(); 3 * QUARTERS];
        let mut stretch = None;
        for row in rows {
            if row.start >= upto || i64::from(row.covered_ms) * 2 < INTERVAL_MS {
                continue;
            }
            let local = match stretch {
                Some(l) if Local::valid_at(&l, row.start) => l,
                _ => calendar.local(row.start),
            };
            stretch = Some(local);
            let at = place(DayKind::of(local.date.weekday()), local.minute(row.start));
            if let Some(list) = seen.get_mut(at) {
                // µWh over the covered time: mW = µWh * 3600 / ms
                list.push(row.import.0.saturating_mul(3600) / i64::from(row.covered_ms));
            }
        }
        seen.iter_mut().for_each(|list| list.sort_unstable());
        Self { calendar, seen }
    }

    /// The usual power at this time; `None` until there are enough days.
    pub fn usual(&self, at: UnixMillis) -> Option<Power> {
        let (_, _, sorted) = self.around(at)?;
        quantile(&sorted, 0.5).map(Power)
    }

    /// The median of each quarter of an hour of such a day, for the shape of a day.
    pub fn day(&self, kind: DayKind) -> Option<Vec<Power>> {
        let day: Vec<_> = (0..QUARTERS as u16)
            .map(|q| {
                self.seen
                    .get(place(kind, q * 15))
                    .filter(|l| l.len() >= MIN_DAYS)
                    .and_then(|l| quantile(l, 0.5))
            })
            .map(|mw| mw.map(Power))
            .collect();
        day.into_iter().collect()
    }

    /// Judges power against the same time of earlier days of this kind, with the quarters beside
    /// it: loads seldom start to the minute.
    pub fn judge(&self, power: Power, at: UnixMillis) -> Option<Judgement> {
        let (local, minute, sorted) = self.around(at)?;
        let at_quantile = |q| quantile(&sorted, q).map(|mw| mw as f64 / 1e3);
        let (low, mid, high) = (at_quantile(0.1)?, at_quantile(0.5)?, at_quantile(0.9)?);
        let now = power.watts();
        // outside what four in five days show, and by something that matters
        let margin = MARGIN_W.max(0.15 * mid.abs());
        let level = if now > high.max(mid + margin) {
            if now > (high + (high - mid)).max(mid + 2.0 * mid.abs()).max(mid + 3.0 * margin) {
                Level::MuchHigher
            } else {
                Level::Higher
            }
        } else if now < low.min(mid - margin) {
            if now < (low - (mid - low)).min(mid - 0.5 * mid.abs()).min(mid - 3.0 * margin) {
                Level::MuchLower
            } else {
                Level::Lower
            }
        } else {
            Level::Usual
        };
        let hour = (minute / 60) as u8;
        Some(Judgement { level, usual: Power::from_watts(mid), weekday: local, hour })
    }

    fn around(&self, at: UnixMillis) -> Option<(Weekday, u16, Vec<i64>)> {
        let local = self.calendar.local(at);
        let (weekday, minute) = (local.date.weekday(), local.minute(at));
        let kind = DayKind::of(weekday);
        if self.seen.get(place(kind, minute)).map_or(0, Vec::len) < MIN_DAYS {
            return None;
        }
        let mut all = Vec::new();
        for beside in [1440 - 15, 0, 15] {
            all.extend(self.seen.get(place(kind, (minute + beside) % 1440)).into_iter().flatten().copied());
        }
        all.sort_unstable();
        Some((weekday, minute, all))
    }
}

const fn place(kind: DayKind, minute: u16) -> usize {
    kind as usize * QUARTERS + minute as usize / 15
}

/// Linear between neighbours; the list is ascending.
pub(crate) fn quantile(sorted: &[i64], q: f64) -> Option<i64> {
    let position = q * (sorted.len().checked_sub(1)?) as f64;
    let (low, part) = (position.floor() as usize, position.fract());
    let a = *sorted.get(low)? as f64;
    let b = *sorted.get(low + 1).unwrap_or(sorted.get(low)?) as f64;
    Some((a + (b - a) * part).round() as i64)
}
