//! Numbers as people type them: "1.234,5", "0,30 €", "30 ct", "1 234". Exact: no float in between.

use hearthwatt_domain::format::Separators;

/// Why a typed number can't be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberError {
    Empty,
    NotANumber,
    TooLarge,
}

/// A unit that may stand behind a number and its factor of ten: ("ct", -2).
pub type Unit = (&'static str, i32);

/// Longest text that is looked at; a number of a household is far shorter.
const MAX_CHARS: usize = 40;

/// Reads `text` as an integer count of `10^-scale`, rounded half away from zero. `units` may follow the
/// number (without regard to case).
///
/// Whatever the language, a single separator that can't group (not followed by exactly three
/// digits, or after a lone zero) is the decimal one: a German who copies "0.30" means 0,30.
pub fn parse(text: &str, numbers: Separators, scale: u32, units: &[Unit]) -> Result<i64, NumberError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(NumberError::Empty);
    }
    if text.chars().count() > MAX_CHARS {
        return Err(NumberError::NotANumber);
    }
    let (number, shift) = strip_unit(text, units);
    let (negative, digits) = match number.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = split(digits, numbers).ok_or(NumberError::NotANumber)?;
    let value =
        scaled(&whole, &fraction, i64::from(scale) + i64::from(shift)).ok_or(NumberError::TooLarge)?;
    Ok(if negative { -value } else { value })
}

/// The shortest text that [`parse`] reads as `value` again, with at least `least` decimals.
pub fn write(value: i64, numbers: Separators, scale: u32, least: usize) -> String {
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
    let kept = fraction.trim_end_matches('0').len().max(least.min(fraction.len()));
    let mut out = String::new();
    if value < 0 {
        out.push('-');
    }
    out.push_str(whole);
    if kept > 0 {
        out.push(numbers.decimal);
        out.push_str(&fraction[..kept]);
    }
    out
}

fn strip_unit<'a>(text: &'a str, units: &[Unit]) -> (&'a str, i32) {
    let lower = text.to_lowercase();
    // signs whose lower case has another length would shift the cut: then there is no unit of ours
    if lower.len() != text.len() {
        return (text, 0);
    }
    units
        .iter()
        .filter(|(unit, _)| lower.ends_with(&unit.to_lowercase()))
        .max_by_key(|(unit, _)| unit.len())
        .map_or((text, 0), |(unit, shift)| (text[..text.len() - unit.len()].trim_end(), *shift))
}

/// Digits before and after the decimal separator; `None` for anything that is not one number.
fn split(text: &str, numbers: Separators) -> Option<(String, String)> {
    let decimal = decimal_in(text, numbers);
    let (whole, fraction) = match decimal {
        Some(at) => {
            let (w, f) = text.split_at(at);
            (w, f.get(1..)?)
        }
        None => (text, ""),
    };
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let groups: Vec<&str> = whole.split(|c| is_group(c, numbers) || c == '.' || c == ',').collect();
    let grouped =
        groups.len() == 1 || (1..=3).contains(&groups[0].len()) && groups[1..].iter().all(|g| g.len() == 3);
    let mut marks = whole.chars().filter(|c| !c.is_ascii_digit());
    let first = marks.next();
    let one_kind = marks.all(|m| Some(m) == first);
    let whole: String = groups.concat();
    let some = !(whole.is_empty() && fraction.is_empty());
    (grouped && one_kind && some && all_digits(&whole) && all_digits(fraction))
        .then(|| (whole, fraction.to_owned()))
}

/// Where the decimal separator stands.
fn decimal_in(text: &str, numbers: Separators) -> Option<usize> {
    let other = if numbers.decimal == ',' { '.' } else { ',' };
    if let Some(at) = text.rfind(numbers.decimal) {
        // both in the wrong order ("1,234.5" typed by a German): the last one is decimal
        if let Some(later) = text.rfind(other).filter(|o| *o > at) {
            return Some(later);
        }
        // more than one can only group, as in the other languages
        return (text.matches(numbers.decimal).count() == 1).then_some(at);
    }
    let at = text.rfind(other)?;
    let (before, after) = (&text[..at], &text[at + 1..]);
    let may_group = after.len() == 3 && !before.is_empty() && before != "0" && before != "00";
    (!may_group && !before.contains(other)).then_some(at)
}

fn is_group(c: char, numbers: Separators) -> bool {
    c == numbers.group || matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '\u{2019}')
}

/// `whole.fraction * 10^scale`, rounded half up.
fn scaled(whole: &str, fraction: &str, scale: i64) -> Option<i64> {
    let digits: String = whole.chars().chain(fraction.chars()).collect();
    let shift = scale - i64::try_from(fraction.len()).ok()?;
    let value: i128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let value = if shift >= 0 {
        value.checked_mul(10_i128.checked_pow(u32::try_from(shift).ok()?)?)?
    } else {
        let step = 10_i128.checked_pow(u32::try_from(-shift).ok()?)?;
        (value + step / 2) / step
    };
    i64::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    const EN: Separators = Separators::ENGLISH;
    const DE: Separators = Separators::GERMAN;
    const UNITS: &[Unit] = &[("kWh", 0), ("ct", -2), ("ct/kWh", -2), ("€", 0), ("€/kWh", 0), ("MWh", 3)];

    fn check(text: &str, numbers: Separators, millionths: Result<i64, NumberError>) {
        assert_eq!(parse(text, numbers, 6, UNITS), millionths, "{text:?} with {:?}", numbers.decimal);
    }

    #[test]
    fn a_number_is_read_as_it_was_meant() {
        for (text, en, de) in [
            ("260", 260_000_000, 260_000_000),
            (" 260 kWh", 260_000_000, 260_000_000),
            ("260KWH", 260_000_000, 260_000_000),
            ("0.30", 300_000, 300_000),
            ("0,30", 300_000, 300_000),
            (".3", 300_000, 300_000),
            ("30 ct", 300_000, 300_000),
            ("30,24 ct/kWh", 302_400, 302_400),
            ("0,3024 €/kWh", 302_400, 302_400),
            ("1.234", 1_234_000, 1_234_000_000),
            ("1,234", 1_234_000_000, 1_234_000),
            ("0.302", 302_000, 302_000),
            ("1,234.5", 1_234_500_000, 1_234_500_000),
            ("1.234,5", 1_234_500_000, 1_234_500_000),
            ("1.234.567", 1_234_567_000_000, 1_234_567_000_000),
            ("12 345", 12_345_000_000, 12_345_000_000),
            ("12\u{a0}345", 12_345_000_000, 12_345_000_000),
            ("-0.05", -50_000, -50_000),
            ("\u{2212}5", -5_000_000, -5_000_000),
            ("1,2 MWh", 1_200_000_000, 1_200_000_000),
            ("0.0000005", 1, 1),
        ] {
            check(text, EN, Ok(en));
            check(text, DE, Ok(de));
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "x",
            "1e5",
            "1.2.3",
            "12,34,5",
            "1 2",
            "5 MJ",
            "--1",
            "1,,2",
            "kWh",
            ".",
            "٣",
            "1.234.5678",
            "NaN",
            "İ1",
        ] {
            check(text, EN, Err(NumberError::NotANumber));
            check(text, DE, Err(NumberError::NotANumber));
        }
        check("  ", EN, Err(NumberError::Empty));
        check("99999999999999999999", EN, Err(NumberError::TooLarge));
        check(&"9".repeat(40), EN, Err(NumberError::TooLarge));
        check(&"9".repeat(41), EN, Err(NumberError::NotANumber));
    }

    #[test]
    fn what_is_written_reads_the_same() {
        for value in [0, 1, -1, 300_000, 302_400, 1_234_567_890, -50_000, 260_000_000, i64::MAX] {
            for numbers in [EN, DE] {
                assert_eq!(parse(&write(value, numbers, 6, 2), numbers, 6, &[]), Ok(value));
            }
        }
        assert_eq!(write(300_000, DE, 6, 2), "0,30");
        assert_eq!(write(302_400, EN, 6, 2), "0.3024");
        assert_eq!(write(260_000_000, EN, 6, 0), "260");
    }
}
