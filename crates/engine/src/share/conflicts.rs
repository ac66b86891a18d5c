//! Conflicts in words: who set what, and a choice.

use super::document::{Held, refused};
use super::project;
use crate::core::Core;
use crate::documents::{HOME, SETTINGS, put};
use crate::words::not_found;
use hearthwatt_api::{ApiError, ConflictChoice, ConflictView, Event, ResolveConflict, SharedKind};
use hearthwatt_domain::budget::Amount;
use hearthwatt_sync::doc::{Conflict, Entity, EntityId, HomeDoc, Kind, Touched};
use serde_json::Value;
use std::collections::HashMap;
use uuid::Uuid;

/// Shown at most; more are decided in turns.
const SHOWN_MAX: usize = 200;
const TEXT_MAX: usize = 80;

/// Devices and their names by the actors that they write with.
struct Authors<'a> {
    here: Uuid,
    own: &'a str,
    by_actor: &'a HashMap<String, (Uuid, String)>,
}

impl Core {
    pub(crate) fn conflicts(&self) -> Result<Vec<ConflictView>, ApiError> {
        Ok(self.share.known().conflicts.clone())
    }

    /// Reads the conflicts out of the document; tells if they are others now.
    pub(crate) fn look_for_conflicts(&self, held: &Held) {
        let doc = held.doc();
        let conflicts = doc.conflicts();
        let own = super::swap::hex(doc.automerge().get_actor().to_bytes());
        let changed = {
            let mut known = self.share.known();
            let views: Vec<ConflictView> = {
                let authors = Authors { here: self.share.device, own: &own, by_actor: &known.authors };
                conflicts.iter().take(SHOWN_MAX).map(|c| view(doc, c, &authors)).collect()
            };
            let changed = views != known.conflicts;
            known.conflicts = views;
            changed
        };
        if changed {
            self.tell(Event::ConflictsChanged);
        }
    }

    pub(crate) async fn resolve_conflict(
        &self,
        call: ResolveConflict,
    ) -> Result<Vec<ConflictView>, ApiError> {
        let _edit = self.edit.lock().await;
        let mut held = self.document().await?;
        self.may_edit(&held)?;
        let conflict = held
            .doc()
            .conflicts()
            .into_iter()
            .find(|c| id_of(c) == call.id)
            .ok_or_else(|| not_found("conflict"))?;
        let choice = call.choice as usize;
        if choice >= conflict.values.len() {
            return Err(not_found("choice"));
        }
        let edit = held.resolve(self.now(), &conflict, choice).map_err(refused)?;
        let touched = Touched { kind: conflict.kind, id: conflict.id };
        let documents = match touched.entity() {
            Some(id) => project::stored(held.doc(), id)?.into_iter().collect(),
            None => {
                let settings = self.state().settings.clone();
                vec![put(SETTINGS, HOME, &project::with_profile(&settings, held.doc().profile()))?]
            }
        };
        self.store(&mut held, edit.changes, documents).await?;
        let ids: Vec<EntityId> = touched.entity().into_iter().collect();
        self.now_true(&held, &ids, ids.is_empty()).await?;
        self.look_for_conflicts(&held);
        self.conflicts()
    }
}

/// Another one as soon as a value is another.
fn id_of(c: &Conflict) -> String {
    let mut text = format!("{:?}/{}/{}", c.kind, c.id, c.field);
    for v in &c.values {
        text.push_str(&format!("/{}:{}", v.author, v.value));
    }
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    super::swap::hex(digest.as_ref().get(..12).unwrap_or_default())
}

fn view(doc: &HomeDoc, c: &Conflict, authors: &Authors<'_>) -> ConflictView {
    let choices: Vec<ConflictChoice> = c
        .values
        .iter()
        .map(|v| {
            let actor = super::swap::hex(v.author.to_bytes());
            let device = authors.by_actor.get(&actor);
            let here = actor == authors.own || device.is_some_and(|(id, _)| *id == authors.here);
            ConflictChoice {
                value: v.value.clone(),
                text: text(doc, &c.field, &v.value),
                who: device.map(|(_, name)| name.clone()),
                here,
                when: Some(v.at),
            }
        })
        .collect();
    let entity = Touched { kind: c.kind, id: c.id }.entity().and_then(|id| doc.get(id));
    ConflictView {
        id: id_of(c),
        kind: kind(c.kind),
        entity: c.id,
        what: what(doc, c.kind, entity.as_ref()),
        field: c.field.clone(),
        words: words(&choices),
        choices,
        chosen: u32::try_from(c.chosen).unwrap_or(0),
    }
}

fn kind(kind: Kind) -> SharedKind {
    match kind {
        Kind::Profile | Kind::Prefs => SharedKind::Profile,
        Kind::Meter => SharedKind::Meter,
        Kind::Tariff => SharedKind::Tariff,
        Kind::Budget => SharedKind::Budget,
        Kind::Alert => SharedKind::Alert,
        Kind::Correction => SharedKind::Correction,
    }
}

fn what(doc: &HomeDoc, kind: Kind, entity: Option<&Entity>) -> String {
    match entity {
        Some(Entity::Meter(m)) => m.name.clone(),
        Some(Entity::Tariff(t)) => t.name.clone(),
        Some(Entity::Budget(b)) => b.name.clone(),
        Some(Entity::Alert(a)) => a.budget_name.clone(),
        Some(Entity::Correction(c)) => match doc.get(EntityId::Meter(c.meter)) {
            Some(Entity::Meter(m)) => m.name,
            _ => String::new(),
        },
        None if kind == Kind::Profile => doc.profile().name.unwrap_or_default(),
        None => String::new(),
    }
}

/// "the kitchen tablet set 30, this phone set 28"
fn words(choices: &[ConflictChoice]) -> String {
    let mut said = Vec::new();
    for c in choices {
        let who = match (&c.who, c.here) {
            (_, true) => "this device",
            (Some(name), _) => name,
            (None, _) => "another device",
        };
        said.push(format!("{who} set {}", c.text));
    }
    said.join(", ")
}

/// A value as a person would say it.
fn text(doc: &HomeDoc, field: &str, value: &Value) -> String {
    let text = match (field, value) {
        ("removed", Value::Bool(true)) => "it aside".to_owned(),
        ("removed", Value::Bool(false)) => "it to be kept".to_owned(),
        (_, Value::Null) => "nothing".to_owned(),
        (_, Value::Bool(on)) => if *on { "on" } else { "off" }.to_owned(),
        ("parent", Value::String(id)) => id
            .parse()
            .ok()
            .and_then(|id| match doc.get(EntityId::Meter(id)) {
                Some(Entity::Meter(m)) => Some(m.name),
                _ => None,
            })
            .unwrap_or_else(|| "another meter".to_owned()),
        (_, Value::String(s)) => s.replace('_', " "),
        ("limit", _) => match serde_json::from_value(value.clone()) {
            Ok(Amount::Energy(e)) => format!("{} kWh", trimmed(e.kwh())),
            Ok(Amount::Money(m)) => {
                let currency = doc.profile().currency.unwrap_or_default();
                format!("{} {currency}", trimmed(m.major())).trim_end().to_owned()
            }
            Err(_) => value.to_string(),
        },
        (_, Value::Object(fields)) if fields.len() == 1 => {
            fields.iter().next().map(|(name, v)| format!("{name} {v}").replace('_', " ")).unwrap_or_default()
        }
        _ => value.to_string(),
    };
    text.chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect()
}

fn trimmed(n: f64) -> String {
    let text = format!("{n:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
