//! People live by local time: the home's wall clock for every minute of a UTC day.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

pub const MINUTES: usize = 1440;
/// Offsets from UTC change at these steps at the most often.
const STEP: usize = 15;

/// Local time during one UTC day.
pub struct LocalClock<'a> {
    zone: &'a TimeZone,
    day_start_s: i64,
    /// Local day (days since 1970) and minute of it at the start of each step.
    steps: Vec<(i64, usize)>,
}

impl<'a> LocalClock<'a> {
    /// `day` counts from 1970-01-01 UTC.
    pub fn new(zone: &'a TimeZone, day: i64) -> Self {
        let day_start_s = day * 86_400;
        let steps = (0..MINUTES / STEP)
            .map(|i| {
                let t = timestamp(day_start_s + (i * STEP * 60) as i64);
                let local = t.as_second() + i64::from(zone.to_offset(t).seconds());
                (local.div_euclid(86_400), (local.rem_euclid(86_400) / 60) as usize)
            })
            .collect();
        Self { zone, day_start_s, steps }
    }

    /// Local day and minute of that day.
    pub fn at(&self, minute: usize) -> (i64, usize) {
        let (day, start) = self.steps[(minute / STEP).min(self.steps.len() - 1)];
        let local = start + minute % STEP;
        (day + (local / MINUTES) as i64, local % MINUTES)
    }

    /// The local days that this UTC day has a share in, and the one before them: what began then may
    /// still run.
    pub fn local_days(&self) -> std::ops::RangeInclusive<i64> {
        let first = self.steps.first().map_or(0, |s| s.0);
        let last = self.steps.last().map_or(first, |s| s.0);
        first - 1..=last
    }

    /// Where a wall-clock time falls, in minutes from the start of this UTC day; may lie outside of it.
    pub fn minute_of(&self, local_day: i64, local_minute: usize) -> i64 {
        let civil = date(local_day).at((local_minute / 60 % 24) as i8, (local_minute % 60) as i8, 0, 0);
        let second =
            civil.to_zoned(self.zone.clone()).map_or(self.day_start_s, |z| z.timestamp().as_second());
        (second - self.day_start_s).div_euclid(60)
    }
}

/// Day 0 was a Thursday.
pub fn is_weekend(local_day: i64) -> bool {
    (local_day + 3).rem_euclid(7) >= 5
}

fn date(local_day: i64) -> Date {
    let epoch = Date::constant(1970, 1, 1);
    epoch.checked_add(local_day.days()).unwrap_or(epoch)
}

pub fn timestamp(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekends_are_those_of_the_calendar() {
        for day in [-1000, 0, 1, 2, 3, 4, 19_723, 20_000, 20_001, 20_002] {
            let weekday = date(day).weekday().to_monday_zero_offset();
            assert_eq!(is_weekend(day), weekday >= 5, "{day}");
        }
    }

    #[test]
    fn wall_clock_and_minutes_agree_through_a_change_of_clocks() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        for day in 20_380..20_390 {
            let clock = LocalClock::new(&zone, day);
            for minute in 0..MINUTES {
                let (local_day, local) = clock.at(minute);
                let back = clock.minute_of(local_day, local);
                // an hour that comes twice has two minutes for one time
                assert!((back - minute as i64).rem_euclid(60) == 0 && (back - minute as i64).abs() <= 60);
            }
        }
    }
}
