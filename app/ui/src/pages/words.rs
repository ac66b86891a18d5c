//! Phrases that several screens share.

use crate::i18n::I18n;
use hearthwatt_domain::budget::{Amount, Period};
use hearthwatt_domain::time::{Span, UnixMillis};
use jiff::civil::Date;

/// "208 of 260 kWh": the unit once where both share it.
pub fn share_of(i18n: &I18n, spent: Amount, limit: Amount) -> String {
    let spent = match (spent, limit) {
        (Amount::Energy(s), Amount::Energy(l)) => {
            let (s, l) = (i18n.energy(s), i18n.energy(l));
            if s.unit == l.unit { s.number } else { s.to_string() }
        }
        _ => i18n.amount(spent),
    };
    i18n.ta("words-share", [("part", spent.into()), ("whole", i18n.amount(limit).into())])
}

/// First and last day of a span in the home's zone.
pub fn days_of(i18n: &I18n, span: Span) -> (Date, Date) {
    let last = span.end.plus_ms(-1).max(span.start);
    (i18n.day_of(span.start), i18n.day_of(last))
}

/// "on Tue 18 Nov", "in the week from 17 Nov", "in November", "from 15 Oct to 14 Nov".
pub fn in_period(i18n: &I18n, span: Span, now: UnixMillis) -> String {
    let (first, last) = days_of(i18n, span);
    let today = i18n.day_of(now);
    let short = |d: Date| if d.year() == today.year() { i18n.day_month(d) } else { i18n.day_of_year(d) };
    let days = first.until(last).map_or(0, |s| s.get_days()) + 1;
    if days == 1 {
        return if first == today {
            i18n.t("words-in-today")
        } else if today.yesterday().is_ok_and(|y| y == first) {
            i18n.t("words-in-yesterday")
        } else {
            i18n.ta("words-in-day", [("day", i18n.day(first, today).into())])
        };
    }
    if first == first.first_of_month() && last == first.last_of_month() {
        return if first.year() == today.year() {
            i18n.ta("words-in-month", [("month", i18n.month(first.month()).into())])
        } else {
            i18n.ta(
                "words-in-month-year",
                [("month", i18n.month(first.month()).into()), ("year", first.year().to_string().into())],
            )
        };
    }
    if days == 7 {
        return i18n.ta("words-in-week", [("day", short(first).into())]);
    }
    i18n.ta("words-in-days", [("from", short(first).into()), ("to", short(last).into())])
}

/// "a day", "a week", "a calendar month", "a month from the 15th".
pub fn period_name(i18n: &I18n, period: Period) -> String {
    match period {
        Period::Day => i18n.t("budget-every-day"),
        Period::Week => i18n.t("budget-every-week"),
        Period::Month => i18n.t("budget-every-month"),
        Period::BillMonth { start_day } => i18n.ta("budget-every-bill", [("day", start_day.into())]),
    }
}

/// A moment inside a sentence: "today at 14:15", "on Tue 18 Nov at 14:15".
pub fn at_moment(i18n: &I18n, at: UnixMillis, now: UnixMillis) -> String {
    let args = |day: String| [("day", day.into()), ("time", i18n.time(at).into())];
    let (day, today) = (i18n.day_of(at), i18n.day_of(now));
    if day == today {
        i18n.ta("words-at-today", [("time", i18n.time(at).into())])
    } else if today.yesterday().is_ok_and(|y| y == day) {
        i18n.ta("words-at-yesterday", [("time", i18n.time(at).into())])
    } else {
        i18n.ta("words-at-day", args(i18n.day(day, today)))
    }
}

/// A coming day inside a sentence: "today", "tomorrow", "on Thu 27 Nov".
pub fn on_day(i18n: &I18n, at: UnixMillis, now: UnixMillis) -> String {
    let (day, today) = (i18n.day_of(at), i18n.day_of(now));
    if day == today {
        i18n.t("words-on-today")
    } else if today.tomorrow().is_ok_and(|t| t == day) {
        i18n.t("words-on-tomorrow")
    } else {
        i18n.ta("words-on-day", [("day", i18n.day(day, today).into())])
    }
}

/// The first letter large, for a phrase that begins a sentence.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::i18n::Lang;
    use hearthwatt_domain::format::NBSP;
    use hearthwatt_domain::units::{Energy, Money};

    /// Both languages, at home in Berlin.
    pub fn languages() -> (I18n, I18n) {
        let of = |lang| I18n::new(lang).for_home("Europe/Berlin", "EUR");
        (of(Lang::English), of(Lang::German))
    }
    /// A local time in Berlin.
    pub fn at(text: &str) -> UnixMillis {
        format!("{text}[Europe/Berlin]").parse::<jiff::Zoned>().unwrap().timestamp().into()
    }
    pub fn plain(text: &str) -> String {
        text.replace(NBSP, " ")
    }

    #[test]
    fn a_share_names_its_unit_once() {
        let (en, de) = languages();
        let kwh = |v| Amount::Energy(Energy::from_kwh(v));
        assert_eq!(plain(&share_of(&en, kwh(208.0), kwh(260.0))), "208 of 260 kWh");
        assert_eq!(plain(&share_of(&de, kwh(8.64), kwh(260.0))), "8,6 von 260 kWh");
        assert_eq!(plain(&share_of(&en, kwh(0.05), kwh(2.0))), "50 Wh of 2.0 kWh");
        let eur = |v| Amount::Money(Money::from_major(v));
        assert_eq!(plain(&share_of(&en, eur(12.5), eur(80.0))), "12.50 € of 80.00 €");
    }

    #[test]
    fn periods_are_called_by_their_names() {
        let (en, de) = languages();
        let now = at("2026-11-18T14:00");
        for (from, to, english, german) in [
            ("2026-11-18T00:00", "2026-11-19T00:00", "today", "heute"),
            ("2026-11-17T00:00", "2026-11-18T00:00", "yesterday", "gestern"),
            ("2026-03-29T00:00", "2026-03-30T00:00", "on Sun 29 Mar", "am So 29. März"),
            ("2026-11-16T00:00", "2026-11-23T00:00", "in the week from 16 Nov", "in der Woche ab 16. Nov"),
            ("2026-10-01T00:00", "2026-11-01T00:00", "in October", "im Oktober"),
            ("2025-02-01T00:00", "2025-03-01T00:00", "in February 2025", "im Februar 2025"),
            ("2026-10-15T00:00", "2026-11-15T00:00", "from 15 Oct to 14 Nov", "vom 15. Okt bis 14. Nov"),
        ] {
            let span = Span::new(at(from), at(to));
            assert_eq!(in_period(&en, span, now).to_lowercase(), english.to_lowercase());
            assert_eq!(in_period(&de, span, now).to_lowercase(), german.to_lowercase());
        }
    }
}
