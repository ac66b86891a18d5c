//! What a new home starts with before anyone has chosen: the zone and currency of this machine.

/// Currency of a region (ISO 3166-1 alpha-2); regions that are not here pay in euros, or say so
/// in the settings.
const CURRENCIES: &[(&str, &str)] = &[
    ("AU", "AUD"),
    ("BR", "BRL"),
    ("CA", "CAD"),
    ("CH", "CHF"),
    ("CZ", "CZK"),
    ("DK", "DKK"),
    ("GB", "GBP"),
    ("HU", "HUF"),
    ("IN", "INR"),
    ("JP", "JPY"),
    ("NO", "NOK"),
    ("NZ", "NZD"),
    ("PL", "PLN"),
    ("RO", "RON"),
    ("SE", "SEK"),
    ("TR", "TRY"),
    ("UA", "UAH"),
    ("US", "USD"),
    ("ZA", "ZAR"),
];

/// IANA name of this machine's zone; `UTC` when it has no name for it.
pub(crate) fn zone() -> String {
    jiff::tz::TimeZone::system().iana_name().unwrap_or("UTC").to_owned()
}

/// ISO 4217, from the region in the POSIX locale of the environment.
pub(crate) fn currency() -> String {
    let locale = ["LC_ALL", "LC_MONETARY", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_default();
    currency_of(&locale).to_owned()
}

fn currency_of(locale: &str) -> &'static str {
    let region =
        locale.split(['.', '@']).next().and_then(|l| l.split_once('_')).map_or("", |(_, region)| region);
    CURRENCIES.iter().find(|(r, _)| *r == region).map_or("EUR", |(_, currency)| currency)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_says_the_currency() {
        for (locale, currency) in [
            ("de_DE.UTF-8", "EUR"),
            ("de_CH", "CHF"),
            ("en_US.UTF-8", "USD"),
            ("ca_ES@valencia", "EUR"),
            ("C", "EUR"),
            ("", "EUR"),
        ] {
            assert_eq!(currency_of(locale), currency, "{locale}");
        }
    }
}
