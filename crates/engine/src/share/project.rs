//! Between the home document and the documents in the store, which are its projection: what the
//! engine reads when it opens.

use crate::documents::{ALERT, BUDGET, HOME, METER, SETTINGS, TARIFF, delete, put};
use crate::words::invalid;
use hearthwatt_api::{ApiError, ErrorCode, Settings};
use hearthwatt_domain::alert::Alert;
use hearthwatt_domain::budget::Budget;
use hearthwatt_domain::ids::{AlertId, BudgetId, MeterId, TariffId};
use hearthwatt_domain::meter::{Adoption, Meter};
use hearthwatt_domain::tariff::Tariff;
use hearthwatt_store::DocumentChange;
use hearthwatt_sync::doc::{Entity, EntityId, HomeDoc, Profile};
use serde::de::DeserializeOwned;
use std::str::FromStr;

/// An edit of the household, as the document takes it.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Put(Entity),
    Remove(EntityId),
    Profile(Profile),
}

/// Documents that all devices of the home share; the rest stays on this one.
pub(crate) fn is_shared(change: &DocumentChange) -> bool {
    match change {
        DocumentChange::Put { kind, id, .. } | DocumentChange::Delete { kind, id } => match kind.as_str() {
            METER | TARIFF | BUDGET | ALERT => true,
            SETTINGS => id == HOME,
            _ => false,
        },
    }
}

/// What a change of a shared document means; `None`: nothing for the others (a meter that nobody
/// has decided on).
pub(crate) fn step(change: &DocumentChange) -> Result<Option<Step>, ApiError> {
    Ok(Some(match change {
        DocumentChange::Put { kind, json, .. } => match kind.as_str() {
            METER => {
                let meter: Meter = parse(json)?;
                if meter.adoption == Adoption::Found {
                    return Ok(None);
                }
                Step::Put(Entity::Meter(meter))
            }
            TARIFF => Step::Put(Entity::Tariff(parse(json)?)),
            BUDGET => Step::Put(Entity::Budget(parse(json)?)),
            ALERT => Step::Put(Entity::Alert(parse(json)?)),
            _ => Step::Profile(profile_of(&parse::<Settings>(json)?)),
        },
        DocumentChange::Delete { kind, id } => Step::Remove(match kind.as_str() {
            METER => EntityId::Meter(MeterId(uuid(id)?)),
            TARIFF => EntityId::Tariff(TariffId(uuid(id)?)),
            BUDGET => EntityId::Budget(BudgetId(uuid(id)?)),
            ALERT => EntityId::Alert(AlertId(uuid(id)?)),
            _ => return Ok(None),
        }),
    }))
}

fn parse<T: DeserializeOwned>(json: &serde_json::Value) -> Result<T, ApiError> {
    T::deserialize(json).map_err(|e| ApiError {
        code: ErrorCode::Internal,
        message: format!("A document can't be read back: {e}."),
        retry: false,
    })
}

fn uuid(text: &str) -> Result<uuid::Uuid, ApiError> {
    uuid::Uuid::from_str(text).map_err(|_| invalid("This is not an id."))
}

/// What of the settings is the household's; notifications and adopting by itself are each
/// device's own.
pub(crate) fn profile_of(settings: &Settings) -> Profile {
    Profile {
        name: Some(settings.home_name.clone()),
        time_zone: Some(settings.time_zone.clone()),
        currency: Some(settings.currency.clone()),
        bill_day: Some(settings.bill_day),
    }
}

/// The settings with what the document says. What it does not say stays.
pub(crate) fn with_profile(settings: &Settings, profile: Profile) -> Settings {
    let mut settings = settings.clone();
    if let Some(name) = profile.name {
        settings.home_name = name;
    }
    if let Some(zone) = profile.time_zone.filter(|z| jiff::tz::TimeZone::get(z).is_ok()) {
        settings.time_zone = zone;
    }
    if let Some(currency) = profile.currency {
        settings.currency = currency;
    }
    if let Some(day) = profile.bill_day.filter(|d| (1..=31).contains(d)) {
        settings.bill_day = day;
    }
    settings
}

/// The stored document of an entity as the home document has it; `None` for what has none, and for
/// what this version can't read: what it has of it stays.
pub(crate) fn stored(doc: &HomeDoc, id: EntityId) -> Result<Option<DocumentChange>, ApiError> {
    Ok(Some(match doc.get(id) {
        Some(Entity::Meter(m)) => put(METER, m.id, &m)?,
        Some(Entity::Tariff(t)) => put(TARIFF, t.id, &t)?,
        Some(Entity::Budget(b)) => put(BUDGET, b.id, &b)?,
        Some(Entity::Alert(a)) => put(ALERT, a.id, &a)?,
        Some(Entity::Correction(_)) => return Ok(None),
        None if !doc.is_removed(id) => return Ok(None),
        None => match id {
            EntityId::Meter(id) => delete(METER, id),
            EntityId::Tariff(id) => delete(TARIFF, id),
            EntityId::Budget(id) => delete(BUDGET, id),
            EntityId::Alert(id) => delete(ALERT, id),
            EntityId::Correction(_) => return Ok(None),
        },
    }))
}

/// All that the document says, as stored documents.
pub(crate) fn whole(doc: &HomeDoc, settings: &Settings) -> Result<Vec<DocumentChange>, ApiError> {
    let mut all = vec![put(SETTINGS, HOME, &with_profile(settings, doc.profile()))?];
    for m in doc.meters().items {
        all.push(put(METER, m.id, &m)?);
    }
    for t in doc.tariffs().items {
        all.push(put(TARIFF, t.id, &t)?);
    }
    for b in doc.budgets().items {
        all.push(put(BUDGET, b.id, &b)?);
    }
    for a in doc.alerts().items {
        all.push(put(ALERT, a.id, &a)?);
    }
    Ok(all)
}

/// A home that has no document yet: all that it says, as steps.
pub(crate) fn steps(
    settings: &Settings,
    meters: Vec<Meter>,
    tariffs: Vec<Tariff>,
    budgets: Vec<Budget>,
    alerts: Vec<Alert>,
) -> Vec<Step> {
    let meters = meters.into_iter().filter(|m| m.adoption != Adoption::Found);
    std::iter::once(Step::Profile(profile_of(settings)))
        .chain(meters.map(|m| Step::Put(Entity::Meter(m))))
        .chain(tariffs.into_iter().map(|t| Step::Put(Entity::Tariff(t))))
        .chain(budgets.into_iter().map(|b| Step::Put(Entity::Budget(b))))
        .chain(alerts.into_iter().map(|a| Step::Put(Entity::Alert(a))))
        .collect()
}
