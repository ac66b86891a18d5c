//! The few words outside of the page, in the language of the computer.

use fluent_bundle::{FluentArgs, FluentBundle, FluentResource};
use hearthwatt_domain::format::Separators;
use hearthwatt_domain::units::{Energy, Money, Power};
use jiff::civil::Date;

const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const MONTHS_DE: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

/// Texts and number formats of one language. Made when needed: a bundle is not `Send`.
pub struct Words {
    bundle: FluentBundle<FluentResource>,
    german: bool,
}

impl Words {
    /// The language this computer is set to, English if there are no texts for it.
    pub fn of_this_computer() -> Self {
        Self::new(&sys_locale::get_locale().unwrap_or_default())
    }

    /// By BCP 47 tag.
    pub fn new(tag: &str) -> Self {
        let german = tag.split(['-', '_']).next().is_some_and(|l| l.eq_ignore_ascii_case("de"));
        let source = if german { include_str!("../i18n/de.ftl") } else { include_str!("../i18n/en.ftl") };
        let tag = if german { "de" } else { "en" };
        let mut bundle = FluentBundle::new(vec![tag.parse().unwrap_or_default()]);
        bundle.set_use_isolating(false);
        let resource = match FluentResource::try_new(source.to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        // a doubled key keeps its first text; a test refuses it
        let _ = bundle.add_resource(resource);
        Self { bundle, german }
    }

    /// The text of `key`; the key itself where there is none, so that a slip is seen.
    pub fn text(&self, key: &str, values: &[(&str, &str)]) -> String {
        let Some(pattern) = self.bundle.get_message(key).and_then(|m| m.value()) else {
            return key.to_owned();
        };
        let mut args = FluentArgs::new();
        for (name, value) in values {
            args.set(*name, *value);
        }
        self.bundle.format_pattern(pattern, Some(&args), &mut Vec::new()).into_owned()
    }

    /// "84 W", "1.24 kW".
    pub fn power(&self, power: Power) -> String {
        self.numbers().power(power).to_string()
    }

    /// "8.6 kWh", "208 kWh".
    pub fn energy(&self, energy: Energy) -> String {
        self.numbers().energy(energy).to_string()
    }

    /// "2.41 €"; currencies without a common sign by their code.
    pub fn money(&self, money: Money, currency: &str) -> String {
        self.numbers().money(money, currency)
    }

    fn numbers(&self) -> Separators {
        if self.german { Separators::GERMAN } else { Separators::ENGLISH }
    }

    /// "23 November", "23. November".
    pub fn date(&self, date: Date) -> String {
        let month = usize::from(date.month().unsigned_abs()).saturating_sub(1) % 12;
        let (dot, months) = if self.german { (".", MONTHS_DE) } else { ("", MONTHS_EN) };
        format!("{}{dot} {}", date.day(), months[month])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearthwatt_domain::format::NBSP;

    #[test]
    fn every_language_has_every_text_once() {
        let keys = |source: &str| {
            FluentResource::try_new(source.to_owned()).map_err(|(_, e)| e).unwrap();
            let mut keys: Vec<String> =
                source.lines().filter_map(|l| l.split_once(" = ")).map(|(key, _)| key.to_owned()).collect();
            keys.sort();
            keys
        };
        let en = keys(include_str!("../i18n/en.ftl"));
        assert_eq!(en, keys(include_str!("../i18n/de.ftl")));
        assert!(en.windows(2).all(|pair| pair[0] != pair[1]), "{en:?}");
    }

    #[test]
    fn numbers_are_those_of_the_language() {
        let (en, de) = (Words::new("en-GB"), Words::new("de"));
        let check = |text: String, expected: &str| assert_eq!(text.replace(NBSP, " "), expected);
        check(en.power(Power::from_watts(1240.0)), "1.24 kW");
        check(de.power(Power::from_watts(-12_400.0)), "\u{2212}12,4 kW");
        check(de.energy(Energy::from_kwh(0.42)), "0,42 kWh");
        check(de.money(Money::from_major(2.406), "EUR"), "2,41 €");
        check(en.money(Money::from_major(12.0), "CHF"), "12.00 CHF");
    }
}
