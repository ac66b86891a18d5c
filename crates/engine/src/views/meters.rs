//! The list of meters.

use super::rows::{Raw, of_meter};
use crate::core::Core;
use crate::days;
use crate::meters::Known;
use hearthwatt_api::{ApiError, MeterList, MeterView};
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::meter::{Adoption, Meter, Role};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::units::Energy;
use std::collections::HashMap;

impl Core {
    pub(crate) async fn meter_list(&self) -> Result<MeterList, ApiError> {
        let used = self.used_today().await?;
        let now = self.now();
        let state = self.state();
        let brokers = self.brokers();
        let view = |known: &Known| {
            let gone = known.broker.is_some_and(|b| !brokers.is_connected(b));
            view(known, used.get(&known.meter.id).copied().unwrap_or_default(), gone, now)
        };
        let of = |adoption: Adoption| {
            let mut list: Vec<MeterView> =
                state.meters.known.values().filter(|k| k.meter.adoption == adoption).map(view).collect();
            list.sort_by_key(|v| v.meter.name.to_lowercase());
            list
        };
        let in_order = state.meters.in_order();
        let adopted = in_order.iter().filter_map(|id| state.meters.known.get(id)).map(view).collect();
        Ok(MeterList {
            adopted,
            found: of(Adoption::Found),
            ignored: of(Adoption::Ignored),
            seen: state.meters.seen(),
            refused_elsewhere: state.meters.refused_elsewhere,
        })
    }

    /// What each adopted meter has taken (a producer: made) since the home's midnight.
    pub(crate) async fn used_today(&self) -> Result<HashMap<MeterId, Energy>, ApiError> {
        let today = days::date_of(self.now(), &self.zone());
        let meters: Vec<Meter> = self.state().meters.adopted().map(|k| k.meter.clone()).collect();
        self.readers
            .run(move |reader| {
                let mut used = HashMap::with_capacity(meters.len());
                for meter in &meters {
                    let days = reader.usage_days(meter.id, today, today)?;
                    let rows = days.iter().map(|d| of_meter(meter, Raw::from(d)).totals);
                    let took = rows.map(|t| if meter.role == Role::Solar { t.produced } else { t.used });
                    used.insert(meter.id, took.sum());
                }
                Ok(used)
            })
            .await
    }
}

fn view(known: &Known, used_today: Energy, broker_gone: bool, now: UnixMillis) -> MeterView {
    MeterView {
        meter: known.meter.clone(),
        power: known.power().map(|(_, p)| p),
        last_seen: known.last_seen,
        health: known.health(now, broker_gone),
        accepted: known.accepted,
        refused: known.refused,
        last_refusal: known.last_refusal.clone(),
        used_today,
        broker: known.broker,
    }
}
