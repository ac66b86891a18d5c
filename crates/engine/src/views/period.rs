//! The periods that History shows and compares, in the home's calendar.

use crate::days;
use hearthwatt_api::{Compare, HistoryPeriod};
use hearthwatt_domain::calendar::{Dates, Unit};
use jiff::civil::{Date, date};

/// Years shown at most.
const YEARS_MAX: i16 = 100;

/// `[from, to)` in the home's calendar.
pub(crate) type Days = (Date, Date);

fn unit(resolution: HistoryPeriod) -> Option<Unit> {
    match resolution {
        HistoryPeriod::Day => Some(Unit::Day),
        HistoryPeriod::Week => Some(Unit::Week),
        HistoryPeriod::Month => Some(Unit::Month),
        HistoryPeriod::Year => Some(Unit::Year),
        HistoryPeriod::All => None,
    }
}

pub(crate) fn period(resolution: HistoryPeriod, anchor: Date, known: Option<Days>) -> Days {
    if let Some(unit) = unit(resolution) {
        let dates = unit.around(anchor);
        return (dates.from, dates.to);
    }
    let (first, last) = known.unwrap_or((anchor, anchor));
    let last_year = last.year().max(first.year());
    let first_year = first.year().max(last_year - YEARS_MAX + 1);
    (date(first_year, 1, 1), days::add_months(date(last_year, 1, 1), 12))
}

/// The period to compare with; `None` if there is none.
pub(crate) fn compared(resolution: HistoryPeriod, (from, to): Days, compare: Compare) -> Option<Days> {
    let (unit, dates) = (unit(resolution)?, Dates { from, to });
    let other = match compare {
        Compare::None => return None,
        Compare::Previous => unit.previous(dates),
        Compare::LastYear => unit.last_year(dates),
    };
    Some((other.from, other.to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_lie_around_their_anchor() {
        let check = |r, a, from, to| assert_eq!(period(r, a, None), (from, to));
        check(HistoryPeriod::Day, date(2026, 2, 28), date(2026, 2, 28), date(2026, 3, 1));
        check(HistoryPeriod::Week, date(2026, 3, 1), date(2026, 2, 23), date(2026, 3, 2));
        check(HistoryPeriod::Month, date(2026, 2, 28), date(2026, 2, 1), date(2026, 3, 1));
        check(HistoryPeriod::Year, date(2026, 2, 28), date(2026, 1, 1), date(2027, 1, 1));
        let known = Some((date(2024, 5, 1), date(2026, 3, 1)));
        assert_eq!(period(HistoryPeriod::All, date(2026, 3, 1), known), (date(2024, 1, 1), date(2027, 1, 1)));
    }

    #[test]
    fn comparisons_follow_the_calendar() {
        let march = (date(2026, 3, 1), date(2026, 4, 1));
        assert_eq!(
            compared(HistoryPeriod::Month, march, Compare::Previous),
            Some((date(2026, 2, 1), date(2026, 3, 1)))
        );
        assert_eq!(
            compared(HistoryPeriod::Month, march, Compare::LastYear),
            Some((date(2025, 3, 1), date(2025, 4, 1)))
        );
        let leap = (date(2024, 2, 29), date(2024, 3, 1));
        assert_eq!(
            compared(HistoryPeriod::Day, leap, Compare::LastYear),
            Some((date(2023, 2, 28), date(2023, 3, 1)))
        );
        let week = (date(2026, 2, 23), date(2026, 3, 2));
        assert_eq!(
            compared(HistoryPeriod::Week, week, Compare::LastYear),
            Some((date(2025, 2, 24), date(2025, 3, 3)))
        );
        assert_eq!(compared(HistoryPeriod::All, week, Compare::Previous), None);
    }
}
