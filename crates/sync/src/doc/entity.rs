//! Between records and the types of the domain.

use super::record::Record;
use super::schema::{Map, Shape};
use super::types::{Channel, Entity, Kind, Prefs, Profile};
use hearthwatt_domain::alert::{Alert, Cause};
use hearthwatt_domain::budget::{Amount, Budget};
use hearthwatt_domain::correction::{Change, Correction};
use hearthwatt_domain::meter::Meter;
use hearthwatt_domain::tariff::Tariff;
use hearthwatt_domain::time::{Span, UnixMillis};
use jiff::civil::Date;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map as JsonMap, Value as Json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The values of all fields of an entity.
pub(crate) type Fields = BTreeMap<&'static str, Json>;

pub(crate) fn encode(map: &'static Map, entity: &impl Serialize) -> Fields {
    let Ok(Json::Object(mut json)) = serde_json::to_value(entity) else { return Fields::new() };
    let mut fields = Fields::new();
    for f in map.fields {
        let value = match f.names {
            [name] => json.remove(*name).unwrap_or(Json::Null),
            names => {
                let parts = names.iter().filter_map(|n| Some((n.to_string(), json.remove(*n)?)));
                Json::Object(parts.filter(|(_, v)| !v.is_null()).collect())
            }
        };
        fields.insert(f.key, value);
    }
    fields
}

pub(crate) fn encode_entity(map: &'static Map, entity: &Entity) -> Fields {
    match entity {
        Entity::Meter(e) => encode(map, e),
        Entity::Tariff(e) => encode(map, e),
        Entity::Budget(e) => encode(map, e),
        Entity::Alert(e) => encode(map, e),
        Entity::Correction(e) => encode(map, e),
    }
}

/// The JSON of an entity. A text or a switch that can't be read counts as not there; a structure
/// that can't be read may be what the entity is about, and nothing is made of it.
fn assemble(map: &'static Map, id: Uuid, record: &Record) -> Option<Json> {
    let mut json = JsonMap::new();
    for f in map.fields {
        match record.fields.get(f.key) {
            None | Some(Some(Json::Null)) => {}
            Some(None) if f.shape == Shape::Json => return None,
            Some(None) => {}
            Some(Some(value)) => match f.names {
                [name] => {
                    json.insert((*name).to_owned(), value.clone());
                }
                names => {
                    let group = value.as_object()?;
                    json.extend(names.iter().filter_map(|n| Some((n.to_string(), group.get(*n)?.clone()))));
                }
            },
        }
    }
    json.insert(String::from("id"), Json::from(id.hyphenated().to_string()));
    Some(Json::Object(json))
}

/// An entity that the rest of the program can count on. `None`: it can't be read. Whether it was
/// removed is not looked at.
pub(crate) fn decode<T: Checked>(map: &'static Map, id: Uuid, record: &Record) -> Option<T> {
    let entity: T = serde_json::from_value(assemble(map, id, record)?).ok()?;
    entity.checked().ok()
}

pub(crate) fn decode_entity(map: &'static Map, id: Uuid, record: &Record) -> Option<Entity> {
    Some(match map.kind {
        Kind::Meter => Entity::Meter(decode(map, id, record)?),
        Kind::Tariff => Entity::Tariff(decode(map, id, record)?),
        Kind::Budget => Entity::Budget(decode(map, id, record)?),
        Kind::Alert => Entity::Alert(decode(map, id, record)?),
        Kind::Correction => Entity::Correction(decode(map, id, record)?),
        Kind::Profile | Kind::Prefs => return None,
    })
}

/// What is wrong with an entity: the field as in its JSON, and a sentence.
pub(crate) type Wrong = (&'static str, String);

/// Makes what others wrote fit to compute with.
pub(crate) trait Checked: DeserializeOwned {
    /// Puts right what two edits that were fine on their own can make of an entity, always in the
    /// same way, and refuses the rest.
    fn checked(self) -> Result<Self, Wrong>;
}

pub(crate) fn check(entity: &Entity) -> Result<(), Wrong> {
    match entity.clone() {
        Entity::Meter(e) => e.checked().map(|_| ()),
        Entity::Tariff(e) => e.checked().map(|_| ()),
        Entity::Budget(e) => {
            e.validate().map_err(|i| (i.field, i.message))?;
            e.checked().map(|_| ())
        }
        Entity::Alert(e) => e.checked().map(|_| ()),
        Entity::Correction(e) => e.checked().map(|_| ()),
    }
}

/// 1970 to 2200: sums and differences of such times stay far from the ends of their type.
fn sane(field: &'static str, at: UnixMillis) -> Result<(), Wrong> {
    const END_MS: i64 = 7_258_118_400_000;
    if (0..END_MS).contains(&at.0) {
        Ok(())
    } else {
        Err((field, String::from("A time before 1970 or after 2200 can't be right.")))
    }
}

fn sane_span(field: &'static str, span: Span) -> Result<(), Wrong> {
    sane(field, span.start)?;
    sane(field, span.end)?;
    if span.ms() > 0 { Ok(()) } else { Err((field, String::from("It ends before it starts."))) }
}

fn sane_day(field: &'static str, day: Date) -> Result<(), Wrong> {
    if (1..=9000).contains(&day.year()) {
        Ok(())
    } else {
        Err((field, String::from("A year from 1 to 9000 is needed.")))
    }
}

/// A terawatt-hour, or a million millions of money.
fn sane_amount(field: &'static str, raw: i64) -> Result<(), Wrong> {
    if raw.unsigned_abs() <= 1_000_000_000_000_000_000 {
        Ok(())
    } else {
        Err((field, String::from("So much can't be right.")))
    }
}

fn sane_text(field: &'static str, text: &str) -> Result<(), Wrong> {
    if text.len() <= super::limits::TEXT_MAX {
        Ok(())
    } else {
        Err((field, String::from("The text is too long.")))
    }
}

impl Checked for Meter {
    fn checked(self) -> Result<Self, Wrong> {
        let texts = [&self.key.family, &self.key.device_id, &self.key.group];
        texts.into_iter().try_for_each(|t| sane_text("key", t))?;
        sane_text("name", &self.name)?;
        sane_text("room", &self.room)?;
        sane_text("manufacturer", &self.manufacturer)?;
        sane_text("model", &self.model)?;
        Ok(self)
    }
}

impl Checked for Tariff {
    fn checked(self) -> Result<Self, Wrong> {
        sane_day("valid_from", self.valid_from)?;
        self.valid_to.map_or(Ok(()), |day| sane_day("valid_to", day))?;
        self.validate().map_err(|e| (e.field, e.message))?;
        Ok(self)
    }
}

impl Checked for Budget {
    fn checked(mut self) -> Result<Self, Wrong> {
        sane("created", self.created)?;
        sane_amount("limit", self.limit.raw())?;
        self.thresholds.retain(|t| (1..=1000).contains(t));
        self.thresholds.truncate(Self::MAX_THRESHOLDS);
        // one took away the last threshold while another switched off the forecast
        self.warn_on_forecast |= self.thresholds.is_empty();
        self.validate().map_err(|e| (e.field, e.message))?;
        Ok(self)
    }
}

impl Checked for Alert {
    fn checked(self) -> Result<Self, Wrong> {
        sane_span("period", self.period)?;
        sane("crossed_at", self.crossed_at)?;
        sane("raised_at", self.raised_at)?;
        if let Cause::Forecast { breaks_at } = self.cause {
            sane("cause", breaks_at)?;
        }
        if let Some(at) = self.acknowledged_at {
            sane("acknowledged_at", at)?;
        }
        sane_amount("spent", self.spent.raw())?;
        sane_amount("limit", self.limit.raw())?;
        if matches!(self.spent, Amount::Money(_)) != matches!(self.limit, Amount::Money(_)) {
            return Err(("spent", String::from("Energy and money don't compare.")));
        }
        sane_text("budget_name", &self.budget_name)?;
        Ok(self)
    }
}

impl Checked for Correction {
    fn checked(self) -> Result<Self, Wrong> {
        sane("created", self.created)?;
        match self.change {
            Change::Set { span, import, export } => {
                sane_span("span", span)?;
                sane_amount("import", import.0)?;
                sane_amount("export", export.0)?;
            }
            Change::Exclude { span } => sane_span("span", span)?,
            Change::Replacement(r) => {
                sane("at", r.at)?;
                sane_amount("removal", r.removal.0)?;
                sane_amount("opening", r.opening.0)?;
            }
        }
        self.validate().map_err(|e| (e.field, e.message))?;
        Ok(self)
    }
}

/// What can be read of the profile, field by field.
pub(crate) fn profile(record: &Record) -> Profile {
    let text = |field| record.get(field).and_then(Json::as_str).map(str::to_owned);
    let all = Profile {
        name: text("name"),
        time_zone: text("time_zone"),
        currency: text("currency"),
        bill_day: record.get("bill_day").and_then(Json::as_u64).and_then(|n| u8::try_from(n).ok()),
    };
    Profile {
        name: all.name.filter(|n| name_is_right(n)),
        time_zone: all.time_zone.filter(|z| zone_is_right(z)),
        currency: all.currency.filter(|c| currency_is_right(c)),
        bill_day: all.bill_day.filter(|d| (1..=31).contains(d)),
    }
}

pub(crate) fn check_profile(profile: &Profile) -> Result<(), Wrong> {
    let wrong = |field, text: &str| Err((field, text.to_owned()));
    if profile.name.as_ref().is_some_and(|n| !name_is_right(n)) {
        return wrong("name", "The name is too long: at most 200 characters.");
    }
    if profile.time_zone.as_ref().is_some_and(|z| !zone_is_right(z)) {
        return wrong("time_zone", "Time zone: a name such as Europe/Vienna.");
    }
    if profile.currency.as_ref().is_some_and(|c| !currency_is_right(c)) {
        return wrong("currency", "Currency: three letters, such as EUR.");
    }
    if profile.bill_day.is_some_and(|d| !(1..=31).contains(&d)) {
        return wrong("bill_day", "Bill day: between 1 and 31.");
    }
    Ok(())
}

fn name_is_right(name: &str) -> bool {
    name.chars().count() <= 200
}
fn zone_is_right(zone: &str) -> bool {
    zone.len() <= 64 && jiff::tz::TimeZone::get(zone).is_ok()
}
fn currency_is_right(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase())
}

/// What can be read of the preferences, field by field.
pub(crate) fn prefs(record: &Record) -> Prefs {
    let channels = record.get("channels").and_then(Json::as_object);
    let prefs = Prefs {
        language: record.get("language").and_then(Json::as_str).map(str::to_owned),
        channels: channels
            .into_iter()
            .flatten()
            .filter_map(|(name, on)| {
                let channel: Channel = serde_json::from_value(Json::from(name.as_str())).ok()?;
                Some((channel, on.as_bool()?))
            })
            .collect(),
        quiet_hours: record.get("quiet_hours").and_then(|v| serde_json::from_value(v.clone()).ok()),
    };
    Prefs {
        language: prefs.language.filter(|l| language_is_right(l)),
        quiet_hours: prefs.quiet_hours.filter(|q| q.from_minute < 1440 && q.to_minute < 1440),
        ..prefs
    }
}

pub(crate) fn check_prefs(prefs: &Prefs) -> Result<(), Wrong> {
    if prefs.language.as_ref().is_some_and(|l| !language_is_right(l)) {
        return Err(("language", String::from("Language: a tag such as de or de-AT.")));
    }
    if prefs.quiet_hours.is_some_and(|q| q.from_minute >= 1440 || q.to_minute >= 1440) {
        return Err(("quiet_hours", String::from("Quiet hours start and end at 00:00 to 23:59.")));
    }
    Ok(())
}

/// The shape of a BCP 47 tag; whether there is such a language is the page's business.
fn language_is_right(tag: &str) -> bool {
    (2..=35).contains(&tag.len())
        && tag.split('-').all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}
