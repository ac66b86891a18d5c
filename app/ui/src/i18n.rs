//! The page's words: Fluent texts, and numbers and dates in the same language.
//!
//! A language is a file in `i18n/`, a variant of [`Lang`] and a line in each of its tables.

use crate::calendar;
use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};
use hearthwatt_api::{Notice, NoticeCode};
use hearthwatt_domain::budget::Amount;
use hearthwatt_domain::format::{NBSP, Quantity, Separators};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::units::{Energy, Money, Power, Price};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::rc::Rc;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lang {
    English,
    German,
}

impl Lang {
    pub const ALL: [Lang; 2] = [Lang::English, Lang::German];

    /// BCP 47.
    pub fn tag(self) -> &'static str {
        match self {
            Lang::English => "en",
            Lang::German => "de",
        }
    }
    /// As its speakers call it.
    pub fn own_name(self) -> &'static str {
        match self {
            Lang::English => "English",
            Lang::German => "Deutsch",
        }
    }
    fn source(self) -> &'static str {
        match self {
            Lang::English => concat!(
                include_str!("../i18n/en.ftl"),
                include_str!("../i18n/en/screens.ftl"),
                include_str!("../i18n/en/sharing.ftl"),
            ),
            Lang::German => concat!(
                include_str!("../i18n/de.ftl"),
                include_str!("../i18n/de/screens.ftl"),
                include_str!("../i18n/de/sharing.ftl"),
            ),
        }
    }
    /// What the engine's notices say in this language; in English their own words are used.
    fn notices(self) -> Option<&'static str> {
        match self {
            Lang::English => None,
            Lang::German => Some(include_str!("../i18n/de/notices.ftl")),
        }
    }
    fn separators(self) -> Separators {
        match self {
            Lang::English => Separators::ENGLISH,
            Lang::German => Separators::GERMAN,
        }
    }
    /// The first of the browser's languages that there are texts for.
    pub fn pick<'a>(preferred: impl IntoIterator<Item = &'a str>) -> Lang {
        preferred
            .into_iter()
            .find_map(|p| {
                let primary = p.split(['-', '_']).next().unwrap_or(p);
                Lang::ALL.into_iter().find(|l| l.tag().eq_ignore_ascii_case(primary))
            })
            .unwrap_or(Lang::English)
    }
}

/// Words, numbers and dates of one language, for one home's zone and currency. Cheap to clone.
#[derive(Clone)]
pub struct I18n {
    pub lang: Lang,
    bundle: Rc<FluentBundle<FluentResource>>,
    numbers: Separators,
    zone: TimeZone,
    currency: Rc<str>,
}

impl PartialEq for I18n {
    fn eq(&self, other: &Self) -> bool {
        self.lang == other.lang && self.currency == other.currency && self.zone == other.zone
    }
}

impl I18n {
    pub fn new(lang: Lang) -> Self {
        let mut bundle = FluentBundle::new(vec![lang.tag().parse().unwrap_or_default()]);
        // isolation marks would end up in names that tests and screen readers meet
        bundle.set_use_isolating(false);
        for source in std::iter::once(lang.source()).chain(lang.notices()) {
            let resource = match FluentResource::try_new(source.to_owned()) {
                Ok(r) | Err((r, _)) => r,
            };
            // a doubled key keeps its first text; a test refuses it
            let _ = bundle.add_resource(resource);
        }
        Self {
            lang,
            bundle: Rc::new(bundle),
            numbers: lang.separators(),
            zone: TimeZone::UTC,
            currency: Rc::from("EUR"),
        }
    }

    /// The same language for the home's zone (IANA name) and currency (ISO 4217 code).
    pub fn for_home(&self, zone: &str, currency: &str) -> Self {
        Self {
            zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC),
            currency: Rc::from(currency),
            ..self.clone()
        }
    }

    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// The text of `key`; the key itself where there is none, so that a slip is seen.
    pub fn t(&self, key: &str) -> String {
        self.format(key, None)
    }

    /// The text of `key` with its variables.
    pub fn ta<const N: usize>(&self, key: &str, args: [(&str, FluentValue<'_>); N]) -> String {
        let mut fluent = FluentArgs::with_capacity(N);
        for (name, value) in args {
            fluent.set(name.to_owned(), value);
        }
        self.format(key, Some(&fluent))
    }

    /// A notice in words: the engine's own, or this language's for its code.
    pub fn notice(&self, notice: &Notice) -> String {
        let key = notice_key(notice.code);
        if !self.has(&key) {
            return notice.message.clone();
        }
        let detail = notice.detail.trim_end_matches('.').to_owned();
        self.ta(&key, [("about", notice.about.clone().into()), ("detail", detail.into())])
    }

    pub fn has(&self, key: &str) -> bool {
        self.bundle.has_message(key)
    }

    fn format(&self, key: &str, args: Option<&FluentArgs<'_>>) -> String {
        let Some(pattern) = self.bundle.get_message(key).and_then(|m| m.value()) else {
            return key.to_owned();
        };
        let mut errors = Vec::new();
        self.bundle.format_pattern(pattern, args, &mut errors).into_owned()
    }

    // --- numbers
    pub fn power(&self, power: Power) -> Quantity {
        self.numbers.power(power)
    }
    pub fn watts(&self, watts: f64) -> Quantity {
        self.numbers.watts(watts)
    }
    pub fn energy(&self, energy: Energy) -> Quantity {
        self.numbers.energy(energy)
    }
    pub fn kwh(&self, kwh: f64) -> Quantity {
        self.numbers.kwh(kwh)
    }
    /// In the home's currency.
    pub fn money(&self, money: Money) -> String {
        self.numbers.money(money, &self.currency)
    }
    pub fn money_round(&self, major: f64) -> String {
        self.numbers.money_round(major, &self.currency)
    }
    pub fn price(&self, price: Price) -> String {
        self.numbers.price(price, &self.currency)
    }
    pub fn amount(&self, amount: Amount) -> String {
        match amount {
            Amount::Energy(e) => self.energy(e).to_string(),
            Amount::Money(m) => self.money(m),
        }
    }
    /// "231–248 kWh": one unit for both where they share it.
    pub fn amount_range(&self, low: Amount, high: Amount) -> String {
        match (low, high) {
            (Amount::Energy(l), Amount::Energy(h)) => {
                let (l, h) = (self.energy(l), self.energy(h));
                if l == h {
                    h.to_string()
                } else if l.unit == h.unit {
                    format!("{}–{h}", l.number)
                } else {
                    format!("{l} – {h}")
                }
            }
            _ if low == high => self.amount(high),
            _ => format!("{} – {}", self.amount(low), self.amount(high)),
        }
    }
    pub fn bytes(&self, bytes: u64) -> Quantity {
        self.numbers.bytes(bytes)
    }
    /// From 0..=1.
    pub fn percent(&self, share: f64) -> String {
        self.numbers.percent(share)
    }
    pub fn decimal(&self, value: f64, digits: usize) -> String {
        self.numbers.decimal(value, digits)
    }

    // --- dates, all in the home's zone
    pub fn day_of(&self, at: UnixMillis) -> Date {
        calendar::day_of(at, &self.zone)
    }
    /// "14:02"
    pub fn time(&self, at: UnixMillis) -> String {
        at.to_jiff().map(|t| t.to_zoned(self.zone.clone()).strftime("%H:%M").to_string()).unwrap_or_default()
    }
    /// "14:02:31"
    pub fn time_with_seconds(&self, at: UnixMillis) -> String {
        at.to_jiff()
            .map(|t| t.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string())
            .unwrap_or_default()
    }
    /// "Today", "Yesterday", "Tue 18 Nov", "18 Nov 2025".
    pub fn day(&self, day: Date, today: Date) -> String {
        if day == today {
            self.t("date-today")
        } else if today.yesterday().is_ok_and(|y| y == day) {
            self.t("date-yesterday")
        } else if day.year() == today.year() {
            self.ta(
                "date-day",
                [
                    ("weekday", self.weekday_short(day).into()),
                    ("day", day.day().into()),
                    ("month", self.month_short(day.month()).into()),
                ],
            )
        } else {
            self.day_of_year(day)
        }
    }
    /// "18 Nov"
    pub fn day_month(&self, day: Date) -> String {
        self.ta(
            "date-day-month",
            [("day", day.day().into()), ("month", self.month_short(day.month()).into())],
        )
    }
    /// "18 Nov 2025"
    pub fn day_of_year(&self, day: Date) -> String {
        self.ta(
            "date-day-month-year",
            [
                ("day", day.day().into()),
                ("month", self.month_short(day.month()).into()),
                ("year", day.year().to_string().into()),
            ],
        )
    }
    /// "November"
    pub fn month(&self, month: i8) -> String {
        self.t(&format!("month-{month}"))
    }
    pub fn month_short(&self, month: i8) -> String {
        self.t(&format!("month-short-{month}"))
    }
    pub fn weekday_short(&self, day: Date) -> String {
        self.t(&format!("weekday-short-{}", day.weekday().to_monday_one_offset()))
    }
    /// Monday = 1 … Sunday = 7.
    pub fn weekday(&self, monday_one: u8) -> String {
        self.t(&format!("weekday-{monday_one}"))
    }
    /// "Today 14:02", "Tue 18 Nov 14:02".
    pub fn moment(&self, at: UnixMillis, now: UnixMillis) -> String {
        format!("{}{NBSP}{}", self.day(self.day_of(at), self.day_of(now)), self.time(at))
    }
    /// "just now", "4 min ago", "3 h ago", then the moment itself.
    pub fn ago(&self, at: UnixMillis, now: UnixMillis) -> String {
        match now.since(at) / 1000 {
            ..60 => self.t("ago-now"),
            s @ 60..3600 => self.ta("ago-minutes", [("n", (s / 60).into())]),
            s @ 3600..86_400 => self.ta("ago-hours", [("n", (s / 3600).into())]),
            _ => self.moment(at, now),
        }
    }
}

/// "notice-broker-unreachable"
fn notice_key(code: NoticeCode) -> String {
    let name = serde_json::to_value(code).ok().and_then(|v| v.as_str().map(str::to_owned));
    format!("notice-{}", name.unwrap_or_default().replace('_', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_notice_is_said_in_the_language_of_the_page() {
        let notice = |code| Notice {
            code,
            severity: hearthwatt_api::Severity::Warning,
            message: "In English.".into(),
            about: "192.168.1.4".into(),
            detail: "no answer in time.".into(),
            since: UnixMillis(0),
            broker: None,
            meter: None,
        };
        for lang in Lang::ALL {
            let i18n = I18n::new(lang);
            for code in NoticeCode::ALL {
                let words = i18n.notice(&notice(code));
                assert_eq!(words == "In English.", lang == Lang::English, "{lang:?} {code:?}: {words}");
                assert!(!words.contains('{') && !words.contains("notice-"), "{lang:?} {code:?}: {words}");
            }
        }
        let words = I18n::new(Lang::German).notice(&notice(NoticeCode::BrokerUnreachable));
        assert!(words.contains("192.168.1.4 ist nicht erreichbar (no answer in time)"), "{words}");
    }
    use jiff::civil::date;
    use std::collections::BTreeMap;

    /// Key -> the variables it takes, in order of name.
    fn shape(lang: Lang) -> BTreeMap<String, Vec<String>> {
        let source = lang.source();
        let resource = FluentResource::try_new(source.to_owned()).map_err(|(_, e)| e);
        assert!(resource.is_ok(), "{lang:?} does not parse: {:?}", resource.err());
        let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut key = String::new();
        for line in source.lines().filter(|l| !l.starts_with('#')) {
            if let Some((k, _)) =
                line.split_once('=').filter(|(k, _)| k.starts_with(|c: char| c.is_ascii_lowercase()))
            {
                key = k.trim().to_owned();
                assert!(out.insert(key.clone(), vec![]).is_none(), "{lang:?}: {key} twice");
            }
            for part in line.split('$').skip(1) {
                let name: String =
                    part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
                let vars = out.entry(key.clone()).or_default();
                if !vars.contains(&name) {
                    vars.push(name);
                    vars.sort();
                }
            }
        }
        out
    }

    #[test]
    fn every_language_has_every_text_with_the_same_variables() {
        let english = shape(Lang::English);
        assert!(english.len() > 50);
        for lang in Lang::ALL {
            let other = shape(lang);
            let missing: Vec<_> = english.keys().filter(|k| !other.contains_key(*k)).collect();
            let extra: Vec<_> = other.keys().filter(|k| !english.contains_key(*k)).collect();
            assert!(missing.is_empty() && extra.is_empty(), "{lang:?}: missing {missing:?}, extra {extra:?}");
            for (key, vars) in &english {
                assert_eq!(&other[key], vars, "{lang:?}: variables of {key}");
            }
        }
    }

    /// Keys that the sources name literally, so that a typo does not reach a screen.
    #[test]
    fn every_text_that_the_screens_name_exists() {
        let texts = shape(Lang::English);
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut folders = vec![root];
        let mut seen = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
                if entry.is_dir() {
                    folders.push(entry);
                    continue;
                }
                let source = std::fs::read_to_string(&entry).unwrap();
                for call in [".t(\"", ".ta(\""] {
                    let squeezed: String = source.split_whitespace().collect();
                    for rest in squeezed.split(call).skip(1) {
                        let key = rest.split('"').next().unwrap();
                        seen += 1;
                        assert!(texts.contains_key(key), "{}: no text {key}", entry.display());
                    }
                }
            }
        }
        assert!(seen > 20, "{seen}");
    }

    #[test]
    fn days_are_called_what_people_call_them() {
        let (en, de) = (I18n::new(Lang::English), I18n::new(Lang::German));
        let today = date(2026, 11, 19);
        let all = |d| (en.day(d, today), de.day(d, today));
        assert_eq!(all(today), ("Today".into(), "Heute".into()));
        assert_eq!(all(date(2026, 11, 18)), ("Yesterday".into(), "Gestern".into()));
        assert_eq!(all(date(2026, 11, 17)), ("Tue 17 Nov".into(), "Di 17. Nov".into()));
        assert_eq!(all(date(2025, 3, 1)), ("1 Mar 2025".into(), "1. März 2025".into()));
    }

    #[test]
    fn times_are_the_homes_whatever_the_viewers() {
        let berlin = I18n::new(Lang::English).for_home("Europe/Berlin", "EUR");
        let at = UnixMillis(1_795_399_200_000); // 2026-11-23T02:00Z
        let utc = I18n::new(Lang::English);
        assert_eq!((berlin.time(at), utc.time(at)), ("03:00".into(), "02:00".into()));
    }

    #[test]
    fn a_range_names_its_unit_once() {
        let en = I18n::new(Lang::English);
        let e = |kwh| Amount::Energy(Energy::from_kwh(kwh));
        assert_eq!(en.amount_range(e(231.0), e(248.0)).replace(NBSP, " "), "231–248 kWh");
        assert_eq!(en.amount_range(e(0.05), e(0.4)).replace(NBSP, " "), "50 Wh – 0.40 kWh");
    }

    #[test]
    fn the_browsers_first_known_language_wins() {
        assert_eq!(Lang::pick(["fr-FR", "de-AT", "en"]), Lang::German);
        assert_eq!(Lang::pick(["fr"]), Lang::English);
        assert_eq!(Lang::pick([]), Lang::English);
    }
}
