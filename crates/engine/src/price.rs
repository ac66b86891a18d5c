//! What energy costs, by the domain's book of tariffs.

pub(crate) use hearthwatt_domain::tariff::TariffBook;
use hearthwatt_domain::time::Span;
use hearthwatt_domain::units::Money;
use hearthwatt_domain::usage::IntervalUsage;

/// Import at its price plus standing charge less export pay; `None` without a tariff for all of
/// the time.
pub(crate) fn of_home(book: &TariffBook, usage: &[IntervalUsage], span: Span) -> Option<Money> {
    book.cost(usage, span).complete()
}

/// What a load took, at the price of its time; the standing charge is the home's.
pub(crate) fn of_load(book: &TariffBook, usage: &[IntervalUsage], span: Span) -> Option<Money> {
    let cost = book.cost(usage, span);
    cost.complete().map(|_| cost.import)
}
