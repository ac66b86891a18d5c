//! The tariff form: prices as a bill prints them, and the tariff they mean.

use crate::forms::{Errors, number, number_error, parse_name};
use hearthwatt_domain::format::Separators;
use hearthwatt_domain::ids::TariffId;
use hearthwatt_domain::tariff::{PriceSchedule, PriceWindow, Tariff};
use hearthwatt_domain::units::{Money, Price};
use jiff::civil::Date;

const SCALE: u32 = 6;
const PRICE_UNITS: &[number::Unit] = &[
    ("ct", -2),
    ("ct/kWh", -2),
    ("cent", -2),
    ("c/kWh", -2),
    ("p", -2),
    ("p/kWh", -2),
    ("€", 0),
    ("€/kWh", 0),
    ("$", 0),
    ("$/kWh", 0),
    ("£", 0),
    ("£/kWh", 0),
    ("kr", 0),
    ("kr/kWh", 0),
    ("/kWh", 0),
];
/// A kilowatt-hour dearer than this is a slip (cents typed as euros).
const MAX_PRICE: i64 = 1_000 * 1_000_000;
const MAX_STANDING: i64 = 100_000 * 1_000_000;
pub const MAX_WINDOWS: usize = 12;
/// Monday to Friday, Saturday and Sunday, all.
pub const WORKDAYS: u8 = 0b001_1111;
pub const WEEKEND: u8 = 0b110_0000;
pub const ALL_DAYS: u8 = 0b111_1111;

/// What the standing charge is typed per. A month is a twelfth of 365 days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    Day,
    Month,
    Year,
}

impl Per {
    pub const ALL: [Self; 3] = [Self::Day, Self::Month, Self::Year];
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
    pub fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|p| p.name() == name).unwrap_or(Self::Month)
    }
    fn times_a_year(self) -> i128 {
        match self {
            Self::Day => 365,
            Self::Month => 12,
            Self::Year => 1,
        }
    }
    fn to_daily(self, typed: i64) -> Money {
        Money(divide(i128::from(typed) * self.times_a_year(), 365))
    }
    fn of_daily(self, daily: Money) -> i64 {
        divide(i128::from(daily.0) * 365, self.times_a_year())
    }
    /// The first in which the charge has whole cents, as bills do.
    fn fitting(daily: Money) -> Self {
        const CENT: i64 = 10_000;
        let whole = |per: Self| {
            let cents = (per.of_daily(daily) + CENT / 2) / CENT * CENT;
            per.to_daily(cents) == daily
        };
        [Self::Month, Self::Year].into_iter().find(|p| !whole(Self::Day) && whole(*p)).unwrap_or(Self::Day)
    }
}

fn divide(a: i128, b: i128) -> i64 {
    let half = if a < 0 { -(b / 2) } else { b / 2 };
    i64::try_from((a + half) / b).unwrap_or(if a < 0 { i64::MIN } else { i64::MAX })
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowForm {
    /// As in [`PriceWindow::days`].
    pub days: u8,
    /// "22:00"
    pub from: String,
    /// "06:00"; "00:00" and "24:00" are midnight at the end.
    pub to: String,
    pub price: String,
}

impl Default for WindowForm {
    fn default() -> Self {
        Self { days: ALL_DAYS, from: "22:00".into(), to: "06:00".into(), price: String::new() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TariffForm {
    pub id: TariffId,
    pub name: String,
    /// "2026-11-23"
    pub valid_from: String,
    pub valid_to: Option<Date>,
    pub time_of_use: bool,
    /// The price; with windows, of the rest of the week.
    pub price: String,
    pub windows: Vec<WindowForm>,
    pub standing: String,
    pub per: Per,
    /// Empty: nothing is paid for what is sent to the grid.
    pub export: String,
    /// An export schedule that is more than one price is kept as it is.
    kept_export: Option<PriceSchedule>,
}

impl TariffForm {
    pub fn new(id: TariffId, name: String, from: Date) -> Self {
        Self {
            id,
            name,
            valid_from: from.to_string(),
            valid_to: None,
            time_of_use: false,
            price: String::new(),
            windows: vec![WindowForm::default()],
            standing: String::new(),
            per: Per::Month,
            export: String::new(),
            kept_export: None,
        }
    }

    pub fn of(tariff: &Tariff, numbers: Separators) -> Self {
        let price = |p: Price| number::write(p.0, numbers, SCALE, 2);
        let (time_of_use, rest, windows) = match &tariff.import {
            PriceSchedule::Flat { price } => (false, *price, vec![]),
            PriceSchedule::TimeOfUse { windows, otherwise } => (true, *otherwise, windows.clone()),
        };
        let windows = windows
            .iter()
            .map(|w| WindowForm {
                days: w.days,
                from: clock(w.from_minute),
                to: clock(w.to_minute),
                price: price(w.price),
            })
            .collect();
        let per = Per::fitting(tariff.standing_charge_per_day);
        let (export, kept_export) = match &tariff.export {
            Some(PriceSchedule::Flat { price: p }) => (price(*p), None),
            other => (String::new(), other.clone()),
        };
        Self {
            id: tariff.id,
            name: tariff.name.clone(),
            valid_from: tariff.valid_from.to_string(),
            valid_to: tariff.valid_to,
            time_of_use,
            price: price(rest),
            windows,
            standing: match tariff.standing_charge_per_day {
                Money::ZERO => String::new(),
                daily if per == Per::Day => number::write(daily.0, numbers, SCALE, 2),
                daily => number::write((per.of_daily(daily) + 5_000) / 10_000, numbers, 2, 2),
            },
            per,
            export,
            kept_export,
        }
    }

    /// The same prices as a version of its own from `from` on: prices changed, the past keeps its own.
    pub fn next_version(tariff: &Tariff, id: TariffId, from: Date, numbers: Separators) -> Self {
        Self { id, valid_from: from.to_string(), valid_to: None, ..Self::of(tariff, numbers) }
    }

    pub fn parse(&self, numbers: Separators) -> Result<Tariff, Errors> {
        let mut errors = Errors::default();
        let name = errors.take("name", parse_name(&self.name));
        let valid_from =
            errors.take("valid-from", self.valid_from.trim().parse().map_err(|_| "form-error-date"));
        if let (Some(from), Some(to)) = (valid_from, self.valid_to)
            && to <= from
        {
            errors.add("valid-from", "tariff-error-order");
        }
        let price = errors.take("price", parse_price(&self.price, numbers));
        let windows =
            if self.time_of_use { errors.take("windows", self.parse_windows(numbers)) } else { Some(vec![]) };
        let standing = errors.take("standing", self.parse_standing(numbers));
        let export = errors.take("export", self.parse_export(numbers));
        match (name, valid_from, price, windows, standing, export) {
            (Some(name), Some(valid_from), Some(price), Some(windows), Some(standing), Some(export))
                if errors.is_empty() =>
            {
                Ok(Tariff {
                    id: self.id,
                    name,
                    valid_from,
                    valid_to: self.valid_to,
                    import: match self.time_of_use {
                        true => PriceSchedule::TimeOfUse { windows, otherwise: price },
                        false => PriceSchedule::Flat { price },
                    },
                    export,
                    standing_charge_per_day: standing,
                })
            }
            _ => Err(errors),
        }
    }

    fn parse_windows(&self, numbers: Separators) -> Result<Vec<PriceWindow>, &'static str> {
        if self.windows.is_empty() {
            return Err("tariff-error-no-window");
        }
        if self.windows.len() > MAX_WINDOWS {
            return Err("tariff-error-many-windows");
        }
        self.windows.iter().map(|w| w.parse(numbers)).collect()
    }

    fn parse_standing(&self, numbers: Separators) -> Result<Money, &'static str> {
        if self.standing.trim().is_empty() {
            return Ok(Money::ZERO);
        }
        match number::parse(&self.standing, numbers, SCALE, PRICE_UNITS).map_err(number_error)? {
            v if v < 0 => Err("form-error-negative"),
            v if v > MAX_STANDING => Err("form-error-large"),
            v => Ok(self.per.to_daily(v)),
        }
    }

    fn parse_export(&self, numbers: Separators) -> Result<Option<PriceSchedule>, &'static str> {
        if self.export.trim().is_empty() {
            return Ok(self.kept_export.clone());
        }
        Ok(Some(PriceSchedule::Flat { price: parse_price(&self.export, numbers)? }))
    }
}

impl WindowForm {
    fn parse(&self, numbers: Separators) -> Result<PriceWindow, &'static str> {
        if self.days & ALL_DAYS == 0 {
            return Err("tariff-error-days");
        }
        let from_minute = minutes(&self.from).filter(|m| *m < 1440).ok_or("tariff-error-time")?;
        let to_minute = match minutes(&self.to).ok_or("tariff-error-time")? {
            0 => 1440,
            m => m,
        };
        let price = parse_price(&self.price, numbers)?;
        Ok(PriceWindow { days: self.days & ALL_DAYS, from_minute, to_minute, price })
    }
}

/// Negative prices exist.
pub fn parse_price(text: &str, numbers: Separators) -> Result<Price, &'static str> {
    match number::parse(text, numbers, SCALE, PRICE_UNITS).map_err(number_error)? {
        v if v.abs() > MAX_PRICE => Err("form-error-large"),
        v => Ok(Price(v)),
    }
}

/// "06:30" or "6:30" (and "24:00") as minutes since midnight.
fn minutes(text: &str) -> Option<u16> {
    let (h, m) = text.trim().split_once(':')?;
    let (h, m): (u16, u16) = (h.parse().ok()?, m.get(..2)?.parse().ok()?);
    let sum = h * 60 + m;
    (h <= 24 && m < 60 && sum <= 1440).then_some(sum)
}

/// As `<input type=time>` takes it: midnight at the end is 00:00 there.
fn clock(minute: u16) -> String {
    let minute = minute % 1440;
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    const EN: Separators = Separators::ENGLISH;
    const DE: Separators = Separators::GERMAN;

    fn form() -> TariffForm {
        let id = TariffId::derive(&["x"]);
        TariffForm { price: "0.30".into(), ..TariffForm::new(id, "Ökostrom".into(), date(2026, 1, 1)) }
    }

    #[test]
    fn a_tariff_comes_back_from_its_form() {
        let flat = form().parse(EN).unwrap();
        assert_eq!(flat.import, PriceSchedule::Flat { price: Price(300_000) });
        let night = PriceWindow { days: ALL_DAYS, from_minute: 1320, to_minute: 360, price: Price(-12_345) };
        let noon = PriceWindow { days: WEEKEND, from_minute: 0, to_minute: 1440, price: Price(99_900) };
        let tou = PriceSchedule::TimeOfUse { windows: vec![night, noon], otherwise: Price(341_200) };
        for import in [flat.import.clone(), tou.clone()] {
            for export in [None, Some(PriceSchedule::Flat { price: Price(79_400) }), Some(tou.clone())] {
                for standing in [0, 394_521, 500_000, 123_456, 327_945] {
                    let t = Tariff {
                        import: import.clone(),
                        export: export.clone(),
                        standing_charge_per_day: Money(standing),
                        valid_to: Some(date(2027, 1, 1)),
                        ..flat.clone()
                    };
                    for numbers in [EN, DE] {
                        assert_eq!(TariffForm::of(&t, numbers).parse(numbers), Ok(t.clone()));
                    }
                }
            }
        }
    }

    #[test]
    fn a_standing_charge_reads_as_the_bill_prints_it() {
        for (typed, per) in
            [("12,00", Per::Month), ("119,70", Per::Year), ("0,25", Per::Day), ("9,95", Per::Month)]
        {
            let t =
                TariffForm { standing: typed.into(), per, price: "0,3".into(), ..form() }.parse(DE).unwrap();
            let again = TariffForm::of(&t, DE);
            assert_eq!((again.standing.as_str(), again.per), (typed, per));
        }
        let t = TariffForm { standing: "12".into(), ..form() }.parse(EN).unwrap();
        assert_eq!(t.standing_charge_per_day, Money(394_521), "144 a year over 365 days");
    }

    #[test]
    fn cents_are_cents() {
        assert_eq!(parse_price("30,24 ct", DE), Ok(Price(302_400)));
        assert_eq!(parse_price("24.5 p/kWh", EN), Ok(Price(245_000)));
        assert_eq!(parse_price("-1,5 ct/kWh", DE), Ok(Price(-15_000)));
        assert_eq!(parse_price("3024", DE), Err("form-error-large"));
    }

    #[test]
    fn each_field_says_what_is_wrong_with_it() {
        let errors = |change: fn(&mut TariffForm)| {
            let mut f = form();
            f.time_of_use = true;
            f.windows[0].price = "0.2".into();
            change(&mut f);
            f.parse(EN).err().map(|e| (e.first().unwrap_or(""), e.of(e.first().unwrap_or("")).unwrap_or("")))
        };
        assert_eq!(errors(|_| ()), None);
        assert_eq!(errors(|f| f.name.clear()), Some(("name", "form-error-empty")));
        assert_eq!(errors(|f| f.valid_from = "2026-02-30".into()), Some(("valid-from", "form-error-date")));
        assert_eq!(
            errors(|f| f.valid_to = Some(date(2026, 1, 1))),
            Some(("valid-from", "tariff-error-order"))
        );
        assert_eq!(errors(|f| f.price = "cheap".into()), Some(("price", "form-error-number")));
        assert_eq!(errors(|f| f.windows.clear()), Some(("windows", "tariff-error-no-window")));
        assert_eq!(errors(|f| f.windows[0].days = 0), Some(("windows", "tariff-error-days")));
        assert_eq!(errors(|f| f.windows[0].from = "25:00".into()), Some(("windows", "tariff-error-time")));
        assert_eq!(errors(|f| f.windows[0].from = "24:00".into()), Some(("windows", "tariff-error-time")));
        assert_eq!(errors(|f| f.windows[0].price.clear()), Some(("windows", "form-error-empty")));
        assert_eq!(errors(|f| f.standing = "-1".into()), Some(("standing", "form-error-negative")));
        assert_eq!(errors(|f| f.export = "x".into()), Some(("export", "form-error-number")));
    }

    #[test]
    fn a_flat_tariff_does_not_mind_a_half_filled_window() {
        assert!(form().parse(EN).is_ok_and(|t| t.import == PriceSchedule::Flat { price: Price(300_000) }));
    }

    #[test]
    fn a_change_of_price_is_a_version_of_its_own() {
        let old = form().parse(EN).unwrap();
        let id = TariffId::derive(&["y"]);
        let next = TariffForm::next_version(&old, id, date(2027, 1, 1), EN).parse(EN).unwrap();
        assert_eq!(next, Tariff { id, valid_from: date(2027, 1, 1), valid_to: None, ..old });
    }
}
