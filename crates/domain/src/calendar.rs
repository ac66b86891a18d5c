//! Days, weeks, months, bill months and years in the home's time zone.
//!
//! A day is what the wall clock there calls so: 23, 24 or 25 hours, 23½ or 24½ on Lord Howe, none
//! at all where a zone skipped one. It starts at the first instant of its date (01:00 where there
//! is no midnight) and ends where the next one starts, so days never overlap and leave nothing out.
//!
//! Today's zones differ from UTC by whole quarters of an hour, so 15-minute intervals fit into
//! days. Historic offsets (Monrovia until 1972: -00:44:30) do not: there an interval belongs to
//! the day, hour and price in force at its *start*.

use crate::budget::Period;
use crate::time::{Span, UnixMillis};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// Days `[from, to)` of the home's calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dates {
    pub from: Date,
    pub to: Date,
}

/// Lengths that history is shown in and budgets run for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    Day,
    /// Monday to Sunday.
    Week,
    Month,
    /// From `start_day` (the last day in shorter months) to the day before the next one.
    BillMonth {
        start_day: u8,
    },
    Year,
}

impl From<Period> for Unit {
    fn from(p: Period) -> Self {
        match p {
            Period::Day => Self::Day,
            Period::Week => Self::Week,
            Period::Month => Self::Month,
            Period::BillMonth { start_day } => Self::BillMonth { start_day },
        }
    }
}

fn add_days(d: Date, days: i64) -> Date {
    d.saturating_add(days.clamp(-3_660_000, 3_660_000).days())
}

fn month_after(d: Date, months: i64) -> Date {
    d.first_of_month().saturating_add(months.clamp(-120_000, 120_000).months())
}

/// The day on which a bill month starts in the month of `d`.
fn bill_day(d: Date, start_day: u8) -> Date {
    let day = i64::from(start_day.clamp(1, 31)).min(i64::from(d.days_in_month()));
    add_days(d.first_of_month(), day - 1)
}

impl Unit {
    /// The period that holds `day`.
    pub fn around(self, day: Date) -> Dates {
        match self {
            Self::Day => Dates { from: day, to: add_days(day, 1) },
            Self::Week => {
                let from = add_days(day, -i64::from(day.weekday().to_monday_zero_offset()));
                Dates { from, to: add_days(from, 7) }
            }
            Self::Month => Dates { from: day.first_of_month(), to: month_after(day, 1) },
            Self::BillMonth { start_day } => {
                let this = bill_day(day, start_day);
                if day >= this {
                    Dates { from: this, to: bill_day(month_after(day, 1), start_day) }
                } else {
                    Dates { from: bill_day(month_after(day, -1), start_day), to: this }
                }
            }
            Self::Year => {
                let from = day.first_of_year();
                Dates { from, to: from.saturating_add(1.year()) }
            }
        }
    }

    /// The period before.
    pub fn previous(self, period: Dates) -> Dates {
        self.around(add_days(period.from, -1))
    }

    /// The period after.
    pub fn next(self, period: Dates) -> Dates {
        self.around(period.to)
    }

    /// The same period a year earlier: the same date, month or bill month (28 February for the
    /// 29th); for a week the one 52 weeks before, so that weekdays match.
    pub fn last_year(self, period: Dates) -> Dates {
        match self {
            Self::Week => self.around(add_days(period.from, -364)),
            // by its first full month, as the start day may be missing in the month before
            Self::BillMonth { start_day } => {
                let from = bill_day(month_after(period.from, -12), start_day);
                self.around(from)
            }
            _ => self.around(period.from.saturating_sub(1.year())),
        }
    }
}

impl Dates {
    pub fn contains(&self, day: Date) -> bool {
        day >= self.from && day < self.to
    }
    /// Number of dates, at least 0.
    pub fn len(&self) -> u32 {
        self.from.duration_until(self.to).as_hours().max(0) as u32 / 24
    }
    pub fn is_empty(&self) -> bool {
        self.to <= self.from
    }
    /// Each date, oldest first.
    pub fn days(&self) -> impl Iterator<Item = Date> + use<> {
        let to = self.to;
        std::iter::successors(Some(self.from), |d| d.tomorrow().ok()).take_while(move |d| *d < to)
    }
    /// By calendar months, cut to these dates.
    pub fn months(&self) -> Vec<Dates> {
        let mut out = Vec::new();
        let mut from = self.from;
        while from < self.to {
            let to = month_after(from, 1).min(self.to);
            out.push(Dates { from, to });
            from = to;
        }
        out
    }
}

/// The calendar of a home: dates to instants and back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    zone: TimeZone,
}

impl Calendar {
    pub const fn new(zone: TimeZone) -> Self {
        Self { zone }
    }

    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The first instant of the day.
    pub fn start_of(&self, day: Date) -> UnixMillis {
        match day.to_datetime(Time::midnight()).to_zoned(self.zone.clone()) {
            Ok(z) => z.timestamp().into(),
            Err(_) => UnixMillis(if day.year() > 0 { i64::MAX } else { i64::MIN }),
        }
    }

    pub fn span(&self, dates: Dates) -> Span {
        Span::new(self.start_of(dates.from), self.start_of(dates.to))
    }

    pub fn day(&self, day: Date) -> Span {
        self.span(Unit::Day.around(day))
    }

    /// The day that holds this instant.
    pub fn date_of(&self, at: UnixMillis) -> Date {
        let t = at.to_jiff().unwrap_or(if at.0 < 0 { Timestamp::MIN } else { Timestamp::MAX });
        let date = self.zone.to_datetime(t).date();
        // Clocks set back over midnight show yesterday's date again: still today.
        match date.tomorrow() {
            Ok(next) if self.start_of(next) <= at => next,
            _ => date,
        }
    }

    /// The period that holds this instant, and its span of time.
    pub fn around(&self, unit: Unit, at: UnixMillis) -> (Dates, Span) {
        let dates = unit.around(self.date_of(at));
        (dates, self.span(dates))
    }

    /// One span per day.
    pub fn days(&self, dates: Dates) -> Vec<Span> {
        dates.days().map(|d| self.day(d)).collect()
    }

    /// One span per calendar month, cut to `dates`.
    pub fn months(&self, dates: Dates) -> Vec<Span> {
        dates.months().into_iter().map(|m| self.span(m)).collect()
    }

    /// The hours of the wall clock. Where the clock is changed by half an hour one of them is
    /// shorter; the hour that comes twice is there twice.
    pub fn hours(&self, day: Date) -> Vec<Span> {
        let day = self.day(day);
        let mut out = Vec::new();
        let mut from = day.start;
        while from < day.end {
            let to = self.next_hour(from).min(day.end);
            out.push(Span::new(from, to));
            from = to;
        }
        out
    }

    fn next_hour(&self, at: UnixMillis) -> UnixMillis {
        const HOUR_MS: i64 = 3_600_000;
        let Some(t) = at.to_jiff() else { return at.plus_ms(HOUR_MS) };
        let local = at.0 + i64::from(self.zone.to_offset(t).seconds()) * 1000;
        let next = at.plus_ms(HOUR_MS - local.rem_euclid(HOUR_MS));
        match self.zone.following(t).next() {
            Some(change) if UnixMillis::from(change.timestamp()) < next => change.timestamp().into(),
            _ => next,
        }
    }

    /// Wall-clock minute of the day (0..1440), the date, and until when both go on without a
    /// change of date or clock.
    pub(crate) fn local(&self, at: UnixMillis) -> Local {
        let t = at.to_jiff().unwrap_or(if at.0 < 0 { Timestamp::MIN } else { Timestamp::MAX });
        let offset_ms = i64::from(self.zone.to_offset(t).seconds()) * 1000;
        let date = self.zone.to_datetime(t).date();
        let midnight = at.plus_ms(86_400_000 - (at.0 + offset_ms).rem_euclid(86_400_000));
        let until = match self.zone.following(t).next() {
            Some(change) => midnight.min(change.timestamp().into()),
            None => midnight,
        };
        Local { date, offset_ms, valid: Span::new(at, until) }
    }
}

/// A stretch of time over which wall clock and UTC run in step, inside one date.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Local {
    pub date: Date,
    pub offset_ms: i64,
    pub valid: Span,
}

impl Local {
    pub const fn valid_at(&self, at: UnixMillis) -> bool {
        self.valid.contains(at)
    }

    /// Minute of the day on the wall clock; only inside `valid`.
    pub const fn minute(&self, at: UnixMillis) -> u16 {
        ((at.0 + self.offset_ms).rem_euclid(86_400_000) / 60_000) as u16
    }
}
