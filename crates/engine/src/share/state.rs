//! What becomes true in memory, and is told, after another device's changes were stored.

use super::document::Held;
use super::project;
use crate::core::Core;
use hearthwatt_api::{ApiError, Event};
use hearthwatt_domain::meter::Adoption;
use hearthwatt_sync::doc::{Entity, EntityId};
use jiff::tz::TimeZone;

/// An alert that another device raised is announced here unless it is older, milliseconds: who
/// comes back after a holiday is shown the list, not a storm of notifications.
const NEWS_MS: i64 = 12 * 60 * 60 * 1000;

#[derive(Default)]
struct Told {
    meters: bool,
    usage: bool,
    settings: bool,
    budgets: bool,
    alerts: Vec<hearthwatt_domain::alert::Alert>,
    alerts_changed: bool,
}

impl Core {
    /// Reads these entities from the document into memory.
    pub(crate) async fn now_true(
        &self,
        held: &Held,
        ids: &[EntityId],
        profile: bool,
    ) -> Result<(), ApiError> {
        let doc = held.doc();
        let now = self.now();
        let mut told = Told::default();
        let mut released = Vec::new();
        if profile {
            self.take_profile(held).await?;
            told.settings = true;
        }
        {
            let mut state = self.state();
            let mut repriced = false;
            for id in ids {
                let entity = doc.get(*id);
                if entity.is_none() && !doc.is_removed(*id) {
                    continue; // this version can't read it: what is known of it stays
                }
                match (*id, entity) {
                    (EntityId::Meter(id), Some(Entity::Meter(meter))) => {
                        let adopted = meter.adoption == Adoption::Adopted;
                        state.meters.put(meter);
                        if adopted {
                            released.extend(state.meters.release(&[id]));
                        }
                        (told.meters, told.usage) = (true, true);
                    }
                    (EntityId::Meter(id), _) => {
                        state.meters.undecide(id);
                        (told.meters, told.usage) = (true, true);
                    }
                    (EntityId::Tariff(id), entity) => {
                        state.tariffs.retain(|t| t.id != id);
                        if let Some(Entity::Tariff(tariff)) = entity {
                            state.tariffs.push(tariff);
                        }
                        repriced = true;
                    }
                    (EntityId::Budget(id), entity) => {
                        state.statuses.remove(&id);
                        match entity {
                            Some(Entity::Budget(budget)) => drop(state.budgets.insert(id, budget)),
                            _ => drop(state.budgets.remove(&id)),
                        }
                        told.budgets = true;
                    }
                    (EntityId::Alert(id), entity) => {
                        told.alerts_changed = true;
                        match entity {
                            Some(Entity::Alert(alert)) => {
                                let news = alert.acknowledged_at.is_none()
                                    && now.since(alert.raised_at).abs() < NEWS_MS;
                                if state.alerts.insert(id, alert.clone()).is_none() && news {
                                    told.alerts.push(alert);
                                }
                            }
                            _ => drop(state.alerts.remove(&id)),
                        }
                    }
                    (EntityId::Correction(_), _) => {}
                }
            }
            if repriced {
                state.reprice();
                (told.settings, told.usage) = (true, true);
            }
        }
        self.writer.push(released.into_iter());
        self.correct(held, ids).await;
        self.tell_all(told);
        Ok(())
    }

    async fn take_profile(&self, held: &Held) -> Result<(), ApiError> {
        let before = self.state().settings.clone();
        let settings = project::with_profile(&before, held.doc().profile());
        let zone = TimeZone::get(&settings.time_zone).unwrap_or(TimeZone::UTC);
        let new_zone = settings.time_zone != before.time_zone;
        if new_zone {
            let zone = zone.clone();
            self.writer.run(move |store| store.set_zone(&zone)).await?;
        }
        let mut state = self.state();
        state.settings = settings;
        state.zone = zone;
        if new_zone {
            state.reprice();
            drop(state);
            self.changes.all();
            self.tell(Event::UsageChanged);
        }
        Ok(())
    }

    /// Lays the household's corrections over the readings, or takes them back.
    async fn correct(&self, held: &Held, ids: &[EntityId]) {
        for id in ids {
            let EntityId::Correction(correction) = *id else { continue };
            let done = match held.doc().get(*id) {
                Some(Entity::Correction(c)) => self.writer.run(move |store| store.correct(&c)).await,
                _ => self.writer.run(move |store| store.undo_correction(correction)).await,
            };
            // opening lays them over again
            let changed = done.unwrap_or_else(|error| {
                tracing::warn!(%error, id = %correction, "a correction can't be laid over for now");
                Vec::new()
            });
            self.changes.note(&changed);
            self.changes.filled_in();
        }
    }

    fn tell_all(&self, told: Told) {
        if told.usage {
            self.changes.all();
        }
        if told.meters {
            self.tell(Event::MetersChanged);
        }
        if told.settings {
            self.tell(Event::SettingsChanged);
        }
        if told.usage {
            self.tell(Event::UsageChanged);
        }
        if told.budgets {
            self.tell(Event::BudgetsChanged);
        }
        for alert in told.alerts {
            self.tell(Event::AlertRaised { alert });
        }
        if told.alerts_changed {
            self.tell(Event::AlertsChanged);
        }
        self.rejudge.notify_one();
    }
}
