//! The budget form: what is typed, and the budget it means.

use crate::forms::{Errors, number, number_error, parse_name};
use hearthwatt_domain::budget::{Amount, Budget, Period, Scope};
use hearthwatt_domain::format::Separators;
use hearthwatt_domain::ids::BudgetId;
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::units::{Energy, Money};

/// Offered as boxes to tick; any other percentage is typed.
pub const USUAL_THRESHOLDS: [u16; 5] = [50, 80, 90, 100, 120];
const MAX_THRESHOLD: u16 = 1000;
const MAX_THRESHOLDS: usize = 10;
const ENERGY_SCALE: u32 = 9;
const MONEY_SCALE: u32 = 6;
const ENERGY_UNITS: &[number::Unit] = &[("kWh", 0), ("Wh", -3), ("MWh", 3)];
const MONEY_UNITS: &[number::Unit] = &[("€", 0), ("EUR", 0), ("$", 0), ("£", 0), ("CHF", 0), ("kr", 0)];
/// A limit above this is a slip of the finger: 1 GWh, or a million of the currency.
const MAX_ENERGY: Energy = Energy(1_000_000 * 1_000_000_000);
const MAX_MONEY: Money = Money(1_000_000 * 1_000_000);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Energy,
    Money,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeriodKind {
    Day,
    Week,
    Month,
    BillMonth,
}

impl PeriodKind {
    pub const ALL: [Self; 4] = [Self::Day, Self::Week, Self::Month, Self::BillMonth];
    /// In `value` attributes and Fluent keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::BillMonth => "bill",
        }
    }
    pub fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|p| p.name() == name).unwrap_or(Self::Month)
    }
    pub fn of(period: Period) -> Self {
        match period {
            Period::Day => Self::Day,
            Period::Week => Self::Week,
            Period::Month => Self::Month,
            Period::BillMonth { .. } => Self::BillMonth,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetForm {
    pub id: BudgetId,
    pub created: UnixMillis,
    pub name: String,
    pub kind: Kind,
    pub limit: String,
    pub period: PeriodKind,
    pub start_day: String,
    pub scope: Scope,
    /// Ticked ones of [`USUAL_THRESHOLDS`].
    pub ticked: Vec<u16>,
    /// "60, 75"
    pub others: String,
    pub warn_on_forecast: bool,
}

impl BudgetForm {
    /// An empty one with what most households want.
    pub fn new(id: BudgetId, created: UnixMillis, name: String, bill_day: u8) -> Self {
        Self {
            id,
            created,
            name,
            kind: Kind::Energy,
            limit: String::new(),
            period: PeriodKind::Month,
            start_day: bill_day.to_string(),
            scope: Scope::Home,
            ticked: vec![80, 100],
            others: String::new(),
            warn_on_forecast: true,
        }
    }

    pub fn of(budget: &Budget, numbers: Separators, bill_day: u8) -> Self {
        let (kind, limit) = match budget.limit {
            Amount::Energy(e) => (Kind::Energy, number::write(e.0, numbers, ENERGY_SCALE, 0)),
            Amount::Money(m) => (Kind::Money, number::write(m.0, numbers, MONEY_SCALE, 2)),
        };
        let start_day = match budget.period {
            Period::BillMonth { start_day } => start_day,
            _ => bill_day,
        };
        let (ticked, others): (Vec<u16>, Vec<u16>) =
            budget.thresholds.iter().partition(|t| USUAL_THRESHOLDS.contains(t));
        Self {
            id: budget.id,
            created: budget.created,
            name: budget.name.clone(),
            kind,
            limit,
            period: PeriodKind::of(budget.period),
            start_day: start_day.to_string(),
            scope: budget.scope,
            ticked,
            others: others.iter().map(u16::to_string).collect::<Vec<_>>().join(", "),
            warn_on_forecast: budget.warn_on_forecast,
        }
    }

    pub fn tick(&mut self, percent: u16, on: bool) {
        self.ticked.retain(|t| *t != percent);
        if on {
            self.ticked.push(percent);
        }
    }

    pub fn parse(&self, numbers: Separators) -> Result<Budget, Errors> {
        let mut errors = Errors::default();
        let name = errors.take("name", parse_name(&self.name));
        let limit = errors.take("limit", self.parse_limit(numbers));
        let period = errors.take("start-day", self.parse_period());
        let thresholds = errors.take("others", self.parse_thresholds());
        match (name, limit, period, thresholds) {
            (Some(name), Some(limit), Some(period), Some(thresholds)) => Ok(Budget {
                id: self.id,
                name,
                scope: self.scope,
                limit,
                period,
                thresholds,
                warn_on_forecast: self.warn_on_forecast,
                created: self.created,
            }),
            _ => Err(errors),
        }
    }

    fn parse_limit(&self, numbers: Separators) -> Result<Amount, &'static str> {
        let (scale, units) = match self.kind {
            Kind::Energy => (ENERGY_SCALE, ENERGY_UNITS),
            Kind::Money => (MONEY_SCALE, MONEY_UNITS),
        };
        let value = number::parse(&self.limit, numbers, scale, units).map_err(number_error)?;
        let max = if self.kind == Kind::Energy { MAX_ENERGY.0 } else { MAX_MONEY.0 };
        match value {
            ..=0 => Err("form-error-positive"),
            v if v > max => Err("form-error-large"),
            v if self.kind == Kind::Energy => Ok(Amount::Energy(Energy(v))),
            v => Ok(Amount::Money(Money(v))),
        }
    }

    fn parse_period(&self) -> Result<Period, &'static str> {
        Ok(match self.period {
            PeriodKind::Day => Period::Day,
            PeriodKind::Week => Period::Week,
            PeriodKind::Month => Period::Month,
            PeriodKind::BillMonth => Period::BillMonth { start_day: parse_month_day(&self.start_day)? },
        })
    }

    fn parse_thresholds(&self) -> Result<Vec<u16>, &'static str> {
        let mut all: Vec<u16> = self.ticked.clone();
        for part in self.others.split([',', ';', ' ']).map(|p| p.trim().trim_end_matches('%')) {
            if part.is_empty() {
                continue;
            }
            let percent: u16 = part.parse().map_err(|_| "budget-error-threshold")?;
            if percent == 0 || percent > MAX_THRESHOLD {
                return Err("budget-error-threshold");
            }
            all.push(percent);
        }
        all.sort_unstable();
        all.dedup();
        if all.is_empty() && !self.warn_on_forecast {
            return Err("budget-error-no-threshold");
        }
        if all.len() > MAX_THRESHOLDS {
            return Err("budget-error-many-thresholds");
        }
        Ok(all)
    }
}

/// A day of the month, 1..=31.
pub fn parse_month_day(text: &str) -> Result<u8, &'static str> {
    text.trim()
        .trim_end_matches('.')
        .parse()
        .ok()
        .filter(|d| (1..=31).contains(d))
        .ok_or("form-error-month-day")
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearthwatt_domain::ids::MeterId;
    const EN: Separators = Separators::ENGLISH;
    const DE: Separators = Separators::GERMAN;

    fn form() -> BudgetForm {
        let id = BudgetId::derive(&["x"]);
        BudgetForm { limit: "260".into(), ..BudgetForm::new(id, UnixMillis(7), "Electricity".into(), 15) }
    }

    #[test]
    fn a_budget_comes_back_from_its_form() {
        let base = form().parse(EN).unwrap();
        assert_eq!(base.limit, Amount::Energy(Energy::from_kwh(260.0)));
        assert_eq!((base.period, base.thresholds.as_slice()), (Period::Month, &[80, 100][..]));
        for limit in [Amount::Energy(Energy(1_234_500_000)), Amount::Money(Money(79_990_000))] {
            for period in [Period::Day, Period::Week, Period::Month, Period::BillMonth { start_day: 31 }] {
                for scope in [Scope::Home, Scope::Meter(MeterId::derive(&["m"]))] {
                    let thresholds = vec![33, 50, 100, 250];
                    let b =
                        Budget { limit, period, scope, thresholds, warn_on_forecast: false, ..base.clone() };
                    for numbers in [EN, DE] {
                        assert_eq!(BudgetForm::of(&b, numbers, 1).parse(numbers).as_ref(), Ok(&b));
                    }
                }
            }
        }
    }

    #[test]
    fn each_field_says_what_is_wrong_with_it() {
        let errors = |change: fn(&mut BudgetForm)| {
            let mut f = form();
            change(&mut f);
            f.parse(DE).err().map(|e| (e.first().unwrap_or(""), e.of(e.first().unwrap_or("")).unwrap_or("")))
        };
        assert_eq!(errors(|_| ()), None);
        assert_eq!(errors(|f| f.name = " ".into()), Some(("name", "form-error-empty")));
        assert_eq!(errors(|f| f.name = "x".repeat(81)), Some(("name", "form-error-name-long")));
        assert_eq!(errors(|f| f.limit = "viel".into()), Some(("limit", "form-error-number")));
        assert_eq!(errors(|f| f.limit = "0".into()), Some(("limit", "form-error-positive")));
        assert_eq!(errors(|f| f.limit = "-3".into()), Some(("limit", "form-error-positive")));
        assert_eq!(errors(|f| f.limit = "2000000".into()), Some(("limit", "form-error-large")));
        let bill = |f: &mut BudgetForm| {
            f.period = PeriodKind::BillMonth;
            f.start_day = "32".into();
        };
        assert_eq!(errors(bill), Some(("start-day", "form-error-month-day")));
        assert_eq!(errors(|f| f.start_day = "x".into()), None, "only a bill month has a first day");
        assert_eq!(errors(|f| f.others = "achtzig".into()), Some(("others", "budget-error-threshold")));
        assert_eq!(errors(|f| f.others = "0".into()), Some(("others", "budget-error-threshold")));
        let silent = |f: &mut BudgetForm| {
            f.ticked.clear();
            f.warn_on_forecast = false;
        };
        assert_eq!(errors(silent), Some(("others", "budget-error-no-threshold")));
    }

    #[test]
    fn thresholds_are_sorted_and_once() {
        let mut f = form();
        f.others = "75 %, 60;80 100%".into();
        f.tick(50, true);
        f.tick(100, false);
        assert_eq!(f.parse(EN).map(|b| b.thresholds), Ok(vec![50, 60, 75, 80, 100]));
    }
}
