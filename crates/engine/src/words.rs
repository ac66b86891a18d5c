//! What a person is told: what happened, what it means for the data, what to do.

use hearthwatt_api::{ApiError, ErrorCode, NoticeCode};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_store::{Recovered, StoreError};
use jiff::tz::TimeZone;

pub(crate) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError { code: ErrorCode::Invalid, message: message.into(), retry: false }
}

pub(crate) fn not_found(what: &str) -> ApiError {
    ApiError {
        code: ErrorCode::NotFound,
        message: format!("There is no such {what} any more."),
        retry: false,
    }
}

pub(crate) fn storage(error: &StoreError) -> ApiError {
    ApiError { code: ErrorCode::Storage, message: error.to_string(), retry: error.may_retry() }
}

/// The code under which a trouble of the store is shown.
pub(crate) fn store_code(error: &StoreError) -> NoticeCode {
    if error.is_full() {
        NoticeCode::DiskFull
    } else if error.is_read_only() {
        NoticeCode::DatabaseReadOnly
    } else if error.is_locked() {
        NoticeCode::SecondInstance
    } else if error.is_newer() {
        NoticeCode::DatabaseNewer
    } else {
        NoticeCode::DatabaseCorrupt
    }
}

/// What became of a damaged database.
pub(crate) fn rebuilt(r: &Recovered) -> String {
    let missing = if r.holes + r.orphans == 0 {
        "Nothing is missing."
    } else {
        "Some could not be read: if days are missing in History, restore a backup."
    };
    format!(
        "The database was damaged. It has been rebuilt with {} readings that could be saved. {missing} The damaged \
         file is kept as {}.",
        r.readings,
        r.aside.display()
    )
}

/// "14:02" on the same day, else "3 March, 14:02", in the home's zone.
pub(crate) fn clock_time(at: UnixMillis, now: UnixMillis, zone: &TimeZone) -> String {
    let (Some(at), Some(now)) = (at.to_jiff(), now.to_jiff()) else { return "an unknown time".into() };
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let format = if at.date() == now.date() { "%H:%M" } else { "%-d %B, %H:%M" };
    at.strftime(format).to_string()
}

/// Text from outside, made short and printable.
pub(crate) fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(crate::limits::TEXT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_the_homes_and_name_the_day_only_when_it_is_another() {
        let zone = TimeZone::get("Europe/Vienna").unwrap();
        let at = UnixMillis(1_772_543_520_000); // 2026-03-03T13:12Z
        assert_eq!(clock_time(at, at.plus_ms(60_000), &zone), "14:12");
        assert_eq!(clock_time(at, at.plus_ms(86_400_000), &zone), "3 March, 14:12");
    }
}
