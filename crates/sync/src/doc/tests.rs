//! Tests of the documents: one subject a file, and what they share.

mod conflicts;
mod convergence;
mod genesis;
mod home;
mod hostile;
mod merging;
mod versions;

use super::*;
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{Automerge, ObjId};
use hearthwatt_domain::alert::{Alert, Cause};
use hearthwatt_domain::budget::{Amount, Budget, Period, Scope};
use hearthwatt_domain::correction::{Change, Correction};
use hearthwatt_domain::ids::{BudgetId, CorrectionId, TariffId};
use hearthwatt_domain::meter::{Adoption, Meter, MeterKey, Role};
use hearthwatt_domain::tariff::{PriceSchedule, PriceWindow, Tariff};
use hearthwatt_domain::time::{Span, UnixMillis};
use hearthwatt_domain::units::{Energy, Money, Price};
use jiff::civil::date;
use uuid::Uuid;

const DAY_MS: i64 = 86_400_000;
const NOW: UnixMillis = UnixMillis(1_767_225_600_000);

fn actor(n: u8) -> Actor {
    Actor::from([n; 16])
}

fn at(second: i64) -> UnixMillis {
    NOW.plus_ms(second * 1000)
}

fn home(n: u8) -> HomeDoc {
    HomeDoc::start(actor(n))
}

/// Both ways.
fn exchange(a: &mut HomeDoc, b: &mut HomeDoc) {
    let (to_b, to_a) = (a.changes_since(&b.heads()), b.changes_since(&a.heads()));
    b.apply(&bytes(&to_b)).unwrap();
    a.apply(&bytes(&to_a)).unwrap();
    assert_eq!(a.heads(), b.heads());
}

fn bytes(changes: &[(Hash, Vec<u8>)]) -> Vec<Vec<u8>> {
    changes.iter().map(|(_, b)| b.clone()).collect()
}

fn meter(n: u32) -> Meter {
    let key = MeterKey { family: "shelly".into(), device_id: format!("plug-{n}"), group: String::new() };
    Meter {
        id: key.id(),
        key,
        adoption: Adoption::Adopted,
        name: format!("Plug {n}"),
        room: String::from("Kitchen"),
        role: Role::Load,
        parent: None,
        inverted: false,
        manufacturer: String::from("Shelly"),
        model: String::from("Plug S"),
    }
}

fn budget(n: u128) -> Budget {
    Budget {
        id: BudgetId(Uuid::from_u128(n)),
        name: String::from("Month"),
        scope: Scope::Home,
        limit: Amount::Energy(Energy::from_kwh(30.0)),
        period: Period::BillMonth { start_day: 15 },
        thresholds: vec![50, 80, 100],
        warn_on_forecast: true,
        created: NOW,
    }
}

fn tariff(n: u128) -> Tariff {
    let window = |days, from_minute, to_minute, price| PriceWindow { days, from_minute, to_minute, price };
    Tariff {
        id: TariffId(Uuid::from_u128(n)),
        name: String::from("Night and day"),
        valid_from: date(2026, 1, 1),
        valid_to: None,
        import: PriceSchedule::TimeOfUse {
            windows: vec![window(127, 1320, 360, Price(210_000)), window(96, 0, 1440, Price(250_000))],
            otherwise: Price(320_000),
        },
        export: Some(PriceSchedule::Flat { price: Price(80_000) }),
        standing_charge_per_day: Money(400_000),
    }
}

fn alert(period: i64, percent: u16) -> Alert {
    let start = NOW.plus_ms(period * DAY_MS);
    let cause = Cause::Threshold { percent };
    let budget = budget(1);
    Alert {
        id: Alert::id_of(budget.id, start, &cause),
        budget: budget.id,
        budget_name: budget.name,
        cause,
        period: Span::new(start, start.plus_ms(DAY_MS)),
        crossed_at: start.plus_ms(900_000),
        raised_at: start.plus_ms(901_000),
        spent: Amount::Energy(Energy::from_kwh(24.0)),
        limit: budget.limit,
        acknowledged_at: None,
    }
}

fn correction(n: u128) -> Correction {
    let span = Span::new(UnixMillis(1_767_225_600_000), UnixMillis(1_767_229_200_000));
    Correction {
        id: CorrectionId(Uuid::from_u128(n)),
        meter: meter(1).id,
        change: Change::Set { span, import: Energy::from_kwh(1.5), export: Energy::ZERO },
        created: NOW,
    }
}

/// A program that is not ours writes what it likes; its change.
fn foreign(
    doc: &HomeDoc,
    n: u8,
    write: impl FnOnce(&mut automerge::transaction::Transaction<'_>),
) -> Vec<u8> {
    let mut am = Automerge::load(&doc.save()).unwrap().with_actor(actor(n));
    let before = am.get_heads();
    let mut tx = am.transaction();
    write(&mut tx);
    tx.commit_with(CommitOptions::default().with_time(1));
    am.get_changes(&before)[0].raw_bytes().to_vec()
}

fn object(doc: &HomeDoc, kind: Kind) -> ObjId {
    doc.map(kind).object()
}

/// Everything a home says, to be compared.
fn view(doc: &HomeDoc) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        (doc.profile(), doc.meters(), doc.tariffs(), doc.budgets()),
        (doc.alerts(), doc.corrections(), doc.primaries(), doc.conflicts()),
    )
}
