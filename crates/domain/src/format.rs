//! Numbers as a person reads them: sensible digits, a unit always, the language's separators. Page,
//! tray and notifications say the same number in the same way.

use crate::units::{Energy, Money, Power, Price};

/// Keeps number and unit on one line.
pub const NBSP: char = '\u{a0}';
const MINUS: char = '\u{2212}';

/// How a language writes numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Separators {
    pub decimal: char,
    pub group: char,
    /// Whether `$` and `£` stand before the number.
    pub symbol_first: bool,
}

/// A number and its unit, apart so that a screen can set them in different sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quantity {
    pub number: String,
    pub unit: &'static str,
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{NBSP}{}", self.number, self.unit)
    }
}

impl Separators {
    pub const ENGLISH: Self = Self { decimal: '.', group: ',', symbol_first: true };
    pub const GERMAN: Self = Self { decimal: ',', group: '.', symbol_first: false };

    /// `value` with exactly `digits` decimals, thousands grouped from 10,000 on, a true minus
    /// sign, and never "-0".
    pub fn decimal(&self, value: f64, digits: usize) -> String {
        let plain = format!("{:.*}", digits, value.abs());
        let negative = value < 0.0 && plain.bytes().any(|b| (b'1'..=b'9').contains(&b));
        let (whole, rest) = plain.split_once('.').unwrap_or((&plain, ""));
        let mut out = String::with_capacity(plain.len() + 4);
        if negative {
            out.push(MINUS);
        }
        for (i, c) in whole.chars().enumerate() {
            if i > 0 && whole.len() > 4 && (whole.len() - i).is_multiple_of(3) {
                out.push(self.group);
            }
            out.push(c);
        }
        if !rest.is_empty() {
            out.push(self.decimal);
            out.push_str(rest);
        }
        out
    }

    /// "84 W", "1.24 kW", "12.4 kW".
    pub fn power(&self, power: Power) -> Quantity {
        self.watts(power.watts())
    }

    pub fn watts(&self, w: f64) -> Quantity {
        if w.abs() < 999.5 {
            return Quantity { number: self.decimal(w, 0), unit: "W" };
        }
        let kw = w / 1e3;
        Quantity { number: self.decimal(kw, digits(kw, 2)), unit: "kW" }
    }

    /// "84 Wh", "0.42 kWh", "8.6 kWh", "231 kWh".
    pub fn energy(&self, energy: Energy) -> Quantity {
        self.kwh(energy.kwh())
    }

    pub fn kwh(&self, kwh: f64) -> Quantity {
        if kwh == 0.0 {
            return Quantity { number: self.decimal(0.0, 0), unit: "kWh" };
        }
        if kwh.abs() < 0.0995 {
            return Quantity { number: self.decimal(kwh * 1e3, 0), unit: "Wh" };
        }
        let d = if kwh.abs() < 0.995 { 2 } else { digits(kwh, 1) };
        Quantity { number: self.decimal(kwh, d), unit: "kWh" }
    }

    /// "2.41 €", "$2.41", "2,41 €". `currency` is an ISO 4217 code.
    pub fn money(&self, money: Money, currency: &str) -> String {
        self.amount(money.major(), currency, decimals_of(currency))
    }

    /// Without decimals where they would only be noise (axes, big sums).
    pub fn money_round(&self, major: f64, currency: &str) -> String {
        self.amount(
            major,
            currency,
            if major.abs() < 9.95 && major != 0.0 { decimals_of(currency) } else { 0 },
        )
    }

    /// "0.3024 €/kWh": up to four decimals, at least two.
    pub fn price(&self, price: Price, currency: &str) -> String {
        let four = format!("{:.4}", price.major_per_kwh());
        let used = four.trim_end_matches('0').rsplit('.').next().map_or(2, |d| d.len().clamp(2, 4));
        format!("{}/kWh", self.amount(price.major_per_kwh(), currency, used))
    }

    /// "840 KB", "61 MB", "1.2 GB": powers of ten, as disks are sold.
    pub fn bytes(&self, bytes: u64) -> Quantity {
        let (unit, size) = match bytes {
            0..1_000_000 => ("KB", 1e3),
            1_000_000..999_500_000 => ("MB", 1e6),
            _ => ("GB", 1e9),
        };
        let value = bytes as f64 / size;
        let digits = usize::from(unit == "GB" && value < 99.95);
        Quantity { number: self.decimal(value, digits), unit }
    }

    /// "62 %" from 0..=1.
    pub fn percent(&self, share: f64) -> String {
        format!("{}{NBSP}%", self.decimal(share * 100.0, 0))
    }

    fn amount(&self, major: f64, currency: &str, digits: usize) -> String {
        let number = self.decimal(major, digits);
        match symbol(currency) {
            Some(s @ ("$" | "£" | "¥")) if self.symbol_first => match number.strip_prefix(MINUS) {
                Some(positive) => format!("{MINUS}{s}{positive}"),
                None => format!("{s}{number}"),
            },
            Some(s) => format!("{number}{NBSP}{s}"),
            None => format!("{number}{NBSP}{currency}"),
        }
    }
}

/// Digits so that about three figures stand: `small` below 10, one below 100, then none.
fn digits(value: f64, small: usize) -> usize {
    match value.abs() {
        v if v < 9.995 => small,
        v if v < 99.95 => 1,
        _ => 0,
    }
}

fn symbol(currency: &str) -> Option<&'static str> {
    Some(match currency {
        "EUR" => "€",
        "USD" | "CAD" | "AUD" | "NZD" => "$",
        "GBP" => "£",
        "JPY" => "¥",
        "SEK" | "NOK" | "DKK" => "kr",
        "PLN" => "zł",
        "CZK" => "Kč",
        _ => return None,
    })
}

/// Decimals that a currency is counted in.
pub fn decimals_of(currency: &str) -> usize {
    if matches!(currency, "JPY" | "KRW" | "HUF" | "ISK" | "CLP") { 0 } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::*;
    const EN: Separators = Separators::ENGLISH;
    const DE: Separators = Separators::GERMAN;

    #[test]
    fn sizes_are_short() {
        for (bytes, words) in [
            (0, "0 KB"),
            (840_400, "840 KB"),
            (61_200_000, "61 MB"),
            (999_600_000, "1.0 GB"),
            (1_240_000_000, "1.2 GB"),
            (123_000_000_000, "123 GB"),
        ] {
            assert_eq!(EN.bytes(bytes).to_string().replace(NBSP, " "), words);
        }
    }

    #[test]
    fn power_has_three_figures_and_changes_unit_where_it_rounds() {
        for (w, en, de) in [
            (0.0, "0 W", "0 W"),
            (84.4, "84 W", "84 W"),
            (999.4, "999 W", "999 W"),
            (999.6, "1.00 kW", "1,00 kW"),
            (1240.0, "1.24 kW", "1,24 kW"),
            (-860.0, "−860 W", "−860 W"),
            (-0.2, "0 W", "0 W"),
            (12_340.0, "12.3 kW", "12,3 kW"),
            (9_996.0, "10.0 kW", "10,0 kW"),
            (123_456.0, "123 kW", "123 kW"),
        ] {
            let plain = |s: Separators| s.watts(w).to_string().replace(NBSP, " ");
            assert_eq!((plain(EN).as_str(), plain(DE).as_str()), (en, de), "{w}");
        }
    }

    #[test]
    fn energy_goes_from_watt_hours_to_grouped_kilowatt_hours() {
        for (kwh, en) in [
            (0.0, "0 kWh"),
            (0.084, "84 Wh"),
            (0.42, "0.42 kWh"),
            (0.996, "1.0 kWh"),
            (8.64, "8.6 kWh"),
            (99.96, "100 kWh"),
            (12_345.0, "12,345 kWh"),
            (-1.26, "−1.3 kWh"),
        ] {
            assert_eq!(EN.kwh(kwh).to_string().replace(NBSP, " "), en, "{kwh}");
        }
    }

    #[test]
    fn money_stands_as_the_country_writes_it() {
        let m = Money::from_major(-2.405);
        assert_eq!(EN.money(m, "EUR").replace(NBSP, " "), "−2.40 €");
        assert_eq!(DE.money(Money::from_major(1234567.5), "EUR").replace(NBSP, " "), "1.234.567,50 €");
        assert_eq!(EN.money(m, "USD"), "−$2.40");
        assert_eq!(DE.money(m, "CHF").replace(NBSP, " "), "−2,40 CHF");
        assert_eq!(EN.money(Money::from_major(120.0), "JPY"), "¥120");
        assert_eq!(DE.price(Price::from_major_per_kwh(0.3024), "EUR").replace(NBSP, " "), "0,3024 €/kWh");
        assert_eq!(EN.price(Price::from_major_per_kwh(0.3), "EUR").replace(NBSP, " "), "0.30 €/kWh");
    }
}
