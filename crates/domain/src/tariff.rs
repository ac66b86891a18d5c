//! Tariff versions and what energy costs under them.
//!
//! A 15-minute interval is priced as a whole at its start, by the wall clock of the home: a window
//! that begins at a finer minute takes effect with the next interval. An hour that the clock shows
//! twice is priced alike both times. Costs are a pure function of intervals and tariffs, so a
//! changed tariff changes the past it covers.

use crate::calendar::{Calendar, Local, Unit};
use crate::ids::TariffId;
use crate::invalid::Invalid;
use crate::time::{Span, UnixMillis};
use crate::units::{Energy, Money, Price};
use crate::usage::IntervalUsage;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// A price list, valid for the days `[valid_from, valid_to)` of the home's calendar. Immutable:
/// a change of price is a new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tariff {
    pub id: TariffId,
    pub name: String,
    pub valid_from: Date,
    #[serde(default)]
    pub valid_to: Option<Date>,
    pub import: PriceSchedule,
    /// What the grid pays for what is sent to it.
    #[serde(default)]
    pub export: Option<PriceSchedule>,
    /// Per day of the home's calendar, whatever its length.
    #[serde(default)]
    pub standing_charge_per_day: Money,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum PriceSchedule {
    Flat {
        price: Price,
    },
    /// The first window that fits wins; `otherwise` holds the rest of the week.
    TimeOfUse {
        windows: Vec<PriceWindow>,
        otherwise: Price,
    },
}

/// Part of the week in the home's wall-clock time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceWindow {
    /// Bit 0 is Monday, bit 6 Sunday. A window over midnight belongs to the day it starts on.
    pub days: u8,
    /// Minutes since midnight, 0..1440.
    pub from_minute: u16,
    /// Exclusive, 1..=1440; not after `from_minute` means: over midnight.
    pub to_minute: u16,
    pub price: Price,
}

const ALL_DAYS: u8 = 0b111_1111;

impl PriceWindow {
    fn on(&self, day: Weekday) -> bool {
        self.days & (1 << day.to_monday_zero_offset()) != 0
    }

    fn fits(&self, day: Weekday, minute: u16) -> bool {
        if self.from_minute < self.to_minute {
            return self.on(day) && minute >= self.from_minute && minute < self.to_minute;
        }
        (self.on(day) && minute >= self.from_minute) || (self.on(day.previous()) && minute < self.to_minute)
    }
}

impl PriceSchedule {
    /// The price at a minute of the day (0..1440) on the home's wall clock.
    pub fn price(&self, day: Weekday, minute: u16) -> Price {
        match self {
            Self::Flat { price } => *price,
            Self::TimeOfUse { windows, otherwise } => {
                windows.iter().find(|w| w.fits(day, minute)).map_or(*otherwise, |w| w.price)
            }
        }
    }

    fn validate(&self, field: &'static str) -> Result<(), Invalid> {
        // 1000 units of currency per kWh: far above any market's cap
        let check = |p: Price| {
            if p.0.unsigned_abs() > 1_000_000_000 {
                return Err(Invalid::new(field, "A price above 1000 per kWh can't be right."));
            }
            Ok(())
        };
        let (windows, otherwise) = match self {
            Self::Flat { price } => return check(*price),
            Self::TimeOfUse { windows, otherwise } => (windows, otherwise),
        };
        check(*otherwise)?;
        if windows.len() > 100 {
            return Err(Invalid::new(field, "A tariff can have at most 100 price windows."));
        }
        for w in windows {
            check(w.price)?;
            if w.days == 0 || w.days > ALL_DAYS {
                return Err(Invalid::new(field, "A price window needs at least one day of the week."));
            }
            if w.from_minute >= 1440 || w.to_minute == 0 || w.to_minute > 1440 {
                return Err(Invalid::new(
                    field,
                    "A price window starts at 00:00 to 23:59 and ends at 00:01 to 24:00.",
                ));
            }
        }
        Ok(())
    }
}

impl Tariff {
    pub fn covers(&self, day: Date) -> bool {
        day >= self.valid_from && self.valid_to.is_none_or(|to| day < to)
    }

    /// Whether it can be used; the error is for the person who typed it in.
    pub fn validate(&self) -> Result<(), Invalid> {
        if self.name.trim().is_empty() {
            return Err(Invalid::new("name", "Give the tariff a name."));
        }
        if self.name.len() > 200 {
            return Err(Invalid::new("name", "The name is too long."));
        }
        if self.valid_to.is_some_and(|to| to <= self.valid_from) {
            return Err(Invalid::new("valid_to", "The tariff ends before it starts."));
        }
        self.import.validate("import")?;
        if let Some(export) = &self.export {
            export.validate("export")?;
        }
        if self.standing_charge_per_day.0.unsigned_abs() > 1_000_000_000_000 {
            return Err(Invalid::new(
                "standing_charge_per_day",
                "A standing charge above a million a day can't be right.",
            ));
        }
        Ok(())
    }
}

/// The prices in force at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    pub import: Price,
    /// What the grid pays; zero where the tariff names none.
    pub export: Price,
}

/// What intervals cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    pub import: Money,
    /// Paid by the grid.
    pub export_pay: Money,
    /// Per day; for a part of a day its share by time.
    pub standing: Money,
    /// Import at times without a tariff.
    pub unpriced: Energy,
    /// Milliseconds of the span without a tariff.
    pub unpriced_ms: i64,
}

impl Cost {
    /// What is to be paid; negative if the grid pays.
    pub fn total(&self) -> Money {
        self.import + self.standing - self.export_pay
    }
    /// `None` without a tariff for all of the time.
    pub fn complete(&self) -> Option<Money> {
        (self.unpriced_ms == 0).then(|| self.total())
    }
    pub fn add(&mut self, o: &Self) {
        self.import += o.import;
        self.export_pay += o.export_pay;
        self.standing += o.standing;
        self.unpriced += o.unpriced;
        self.unpriced_ms += o.unpriced_ms;
    }
}

/// All tariff versions of a home. Of two that cover a day the one that starts later holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TariffBook {
    /// Latest start first.
    versions: Vec<Tariff>,
    calendar: Calendar,
}

impl TariffBook {
    pub fn new(versions: &[Tariff], zone: TimeZone) -> Self {
        let mut versions = versions.to_vec();
        versions.sort_by_key(|t| std::cmp::Reverse((t.valid_from, t.id)));
        Self { versions, calendar: Calendar::new(zone) }
    }

    pub const fn calendar(&self) -> &Calendar {
        &self.calendar
    }

    pub fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    /// The version that holds on a day.
    pub fn on(&self, day: Date) -> Option<&Tariff> {
        self.versions.iter().find(|t| t.covers(day))
    }

    /// The prices at an instant; `None` without a tariff.
    pub fn price_at(&self, at: UnixMillis) -> Option<Rates> {
        self.pricer().rates(at)
    }

    /// For many instants in order of time: looks the wall clock up once per stretch.
    pub fn pricer(&self) -> Pricer<'_> {
        Pricer { book: self, stretch: None }
    }

    /// What the rows that start inside `span` cost, with the standing charge of `span`.
    pub fn cost(&self, rows: &[IntervalUsage], span: Span) -> Cost {
        let mut cost = self.standing(span);
        let mut pricer = self.pricer();
        for row in rows.iter().filter(|r| span.contains(r.start)) {
            pricer.add(row, &mut cost);
        }
        cost
    }

    /// The standing charge of a span: per day of the home's calendar, a part of a day by its share
    /// of that day's length. Parts of a day add up to the day exactly. Energy fields stay zero.
    pub fn standing(&self, span: Span) -> Cost {
        let mut cost = Cost::default();
        if span.ms() <= 0 || self.versions.is_empty() {
            cost.unpriced_ms = span.ms().max(0);
            return cost;
        }
        let mut date = self.calendar.date_of(span.start);
        loop {
            let day = self.calendar.span(Unit::Day.around(date));
            let part = Span::new(day.start.max(span.start), day.end.min(span.end));
            if part.ms() > 0 {
                match self.on(date) {
                    Some(t) => cost.standing += share(t.standing_charge_per_day, day, part),
                    None => cost.unpriced_ms += part.ms(),
                }
            }
            match date.tomorrow() {
                Ok(next) if day.end < span.end => date = next,
                _ => return cost,
            }
        }
    }
}

fn share(charge: Money, day: Span, part: Span) -> Money {
    let by = |t: UnixMillis| {
        (i128::from(charge.0) * i128::from(t.since(day.start))).div_euclid(i128::from(day.ms()))
    };
    Money((by(part.end) - by(part.start)) as i64)
}

/// Prices one instant after the other.
#[derive(Debug, Clone)]
pub struct Pricer<'a> {
    book: &'a TariffBook,
    stretch: Option<(Local, Option<&'a Tariff>)>,
}

impl Pricer<'_> {
    pub fn rates(&mut self, at: UnixMillis) -> Option<Rates> {
        let (local, tariff) = match self.stretch {
            Some(s) if s.0.valid.contains(at) => s,
            _ => {
                let local = self.book.calendar.local(at);
                let fresh = (local, self.book.on(local.date));
                self.stretch = Some(fresh);
                fresh
            }
        };
        let t = tariff?;
        let (day, minute) = (local.date.weekday(), local.minute(at));
        let export = t.export.as_ref().map_or(Price::ZERO, |e| e.price(day, minute));
        Some(Rates { import: t.import.price(day, minute), export })
    }

    /// Adds what a row costs, without standing charge.
    pub fn add(&mut self, row: &IntervalUsage, cost: &mut Cost) {
        match self.rates(row.start) {
            Some(r) => {
                cost.import += row.import.cost(r.import);
                cost.export_pay += row.export.cost(r.export);
            }
            None => cost.unpriced += row.import,
        }
    }
}
