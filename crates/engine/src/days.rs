//! The home's days, weeks, months and years as spans of time.

use hearthwatt_domain::time::{Span, UnixMillis};
use jiff::ToSpan;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

/// The first instant of a day. Dates far outside jiff's range don't occur: readings have none.
pub(crate) fn start_of(date: Date, zone: &TimeZone) -> UnixMillis {
    date.to_zoned(zone.clone()).map_or(UnixMillis(0), |z| z.timestamp().into())
}

/// 23, 24 or 25 hours.
pub(crate) fn day_span(date: Date, zone: &TimeZone) -> Span {
    Span::new(start_of(date, zone), start_of(next(date), zone))
}

pub(crate) fn dates_span(from: Date, to: Date, zone: &TimeZone) -> Span {
    Span::new(start_of(from, zone), start_of(to, zone))
}

pub(crate) fn date_of(at: UnixMillis, zone: &TimeZone) -> Date {
    at.to_jiff().map_or(Date::ZERO, |t| t.to_zoned(zone.clone()).date())
}

pub(crate) fn next(date: Date) -> Date {
    date.tomorrow().unwrap_or(Date::MAX)
}

pub(crate) fn before(date: Date) -> Date {
    date.yesterday().unwrap_or(Date::MIN)
}

pub(crate) fn days(from: Date, to: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(from), |d| d.tomorrow().ok()).take_while(move |d| *d < to)
}

pub(crate) fn monday_of(date: Date) -> Date {
    let back = i64::from(date.weekday().since(Weekday::Monday));
    date.checked_sub(back.days()).unwrap_or(date)
}

pub(crate) fn add_months(date: Date, months: i64) -> Date {
    date.checked_add(months.months()).unwrap_or(date)
}

pub(crate) fn add_days(date: Date, days: i64) -> Date {
    date.checked_add(days.days()).unwrap_or(date)
}

/// The full hours of a day, in order.
pub(crate) fn hours(date: Date, zone: &TimeZone) -> Vec<Span> {
    const HOUR_MS: i64 = 3_600_000;
    let day = day_span(date, zone);
    let mut spans = Vec::with_capacity(25);
    let mut start = day.start;
    while start < day.end {
        let end = start.plus_ms(HOUR_MS).min(day.end);
        spans.push(Span::new(start, end));
        start = end;
    }
    spans
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

    #[test]
    fn weeks_begin_on_monday() {
        assert_eq!(monday_of(date(2026, 3, 1)), date(2026, 2, 23));
        assert_eq!(monday_of(date(2026, 2, 23)), date(2026, 2, 23));
    }
}
