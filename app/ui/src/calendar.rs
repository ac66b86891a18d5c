//! Days and periods of the home's calendar.

use hearthwatt_api::HistoryPeriod;
use hearthwatt_domain::time::UnixMillis;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};

/// The day in `zone` that holds `at`; 1970-01-01 outside jiff's range.
pub fn day_of(at: UnixMillis, zone: &TimeZone) -> Date {
    at.to_jiff().unwrap_or_default().to_zoned(zone.clone()).date()
}

/// Hour and minute in `zone`.
pub fn clock_of(at: UnixMillis, zone: &TimeZone) -> (i8, i8) {
    let z = at.to_jiff().unwrap_or_default().to_zoned(zone.clone());
    (z.hour(), z.minute())
}

/// First day of the period that holds `day`, and of the one after.
pub fn bounds(by: HistoryPeriod, day: Date) -> (Date, Date) {
    let from = match by {
        HistoryPeriod::Day => day,
        HistoryPeriod::Week => add(day, (-i64::from(day.weekday().to_monday_zero_offset())).days()),
        HistoryPeriod::Month => day.first_of_month(),
        HistoryPeriod::Year => day.first_of_year(),
        HistoryPeriod::All => Date::MIN,
    };
    (from, step(by, from, 1))
}

/// A day in the period `by` steps later (or earlier), near `day`'s place in it.
pub fn step(by: HistoryPeriod, day: Date, by_how_many: i32) -> Date {
    let n = i64::from(by_how_many);
    match by {
        HistoryPeriod::Day => add(day, n.days()),
        HistoryPeriod::Week => add(day, n.weeks()),
        HistoryPeriod::Month => add(day, n.months()),
        HistoryPeriod::Year => add(day, n.years()),
        HistoryPeriod::All => day,
    }
}

fn add(day: Date, span: Span) -> Date {
    day.saturating_add(span)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn periods_start_where_the_calendar_says() {
        let day = date(2026, 11, 23); // a Monday
        assert_eq!(bounds(HistoryPeriod::Week, day), (day, date(2026, 11, 30)));
        assert_eq!(bounds(HistoryPeriod::Week, date(2026, 11, 22)), (date(2026, 11, 16), day));
        assert_eq!(bounds(HistoryPeriod::Month, day), (date(2026, 11, 1), date(2026, 12, 1)));
        assert_eq!(bounds(HistoryPeriod::Year, day), (date(2026, 1, 1), date(2027, 1, 1)));
    }

    #[test]
    fn a_step_never_skips_a_short_month() {
        assert_eq!(step(HistoryPeriod::Month, date(2026, 1, 31), 1), date(2026, 2, 28));
        assert_eq!(step(HistoryPeriod::Year, date(2028, 2, 29), -1), date(2027, 2, 28));
    }

    #[test]
    fn a_day_belongs_to_the_homes_zone() {
        let tz = TimeZone::get("Pacific/Auckland").unwrap();
        assert_eq!(day_of(UnixMillis::from_secs(1_795_391_999), &tz), date(2026, 11, 23));
        assert_eq!(day_of(UnixMillis::from_secs(1_795_391_999), &TimeZone::UTC), date(2026, 11, 22));
    }
}
