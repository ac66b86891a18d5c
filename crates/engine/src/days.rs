//! Shorthands over the domain's calendar.

use hearthwatt_domain::calendar::{Calendar, Dates};
use hearthwatt_domain::time::{Span, UnixMillis};
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub(crate) fn start_of(date: Date, zone: &TimeZone) -> UnixMillis {
    Calendar::new(zone.clone()).start_of(date)
}

/// 23, 24 or 25 hours.
pub(crate) fn day_span(date: Date, zone: &TimeZone) -> Span {
    Calendar::new(zone.clone()).day(date)
}

pub(crate) fn dates_span(from: Date, to: Date, zone: &TimeZone) -> Span {
    Calendar::new(zone.clone()).span(Dates { from, to })
}

pub(crate) fn date_of(at: UnixMillis, zone: &TimeZone) -> Date {
    Calendar::new(zone.clone()).date_of(at)
}

pub(crate) fn next(date: Date) -> Date {
    date.tomorrow().unwrap_or(Date::MAX)
}

pub(crate) fn days(from: Date, to: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(from), |d| d.tomorrow().ok()).take_while(move |d| *d < to)
}

pub(crate) fn add_months(date: Date, months: i64) -> Date {
    date.checked_add(months.months()).unwrap_or(date)
}

pub(crate) fn add_days(date: Date, days: i64) -> Date {
    date.checked_add(days.days()).unwrap_or(date)
}

/// The hours of a day's wall clock, in order.
pub(crate) fn hours(date: Date, zone: &TimeZone) -> Vec<Span> {
    Calendar::new(zone.clone()).hours(date)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn days_have_23_24_or_25_hours() {
        let zone = TimeZone::get("Europe/Vienna").unwrap();
        for (day, count) in [(date(2026, 3, 29), 23), (date(2026, 3, 30), 24), (date(2026, 10, 25), 25)] {
            let hours = hours(day, &zone);
            assert_eq!(hours.len(), count, "{day}");
            assert_eq!(hours[count - 1].end, start_of(next(day), &zone));
        }
    }
}
