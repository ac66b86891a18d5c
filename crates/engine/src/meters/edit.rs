//! What the household decides about its meters: planned here, stored by the caller, then put back
//! with [`Meters::put`].

use super::Meters;
use crate::words::{invalid, not_found};
use hearthwatt_api::{ApiError, UpdateMeter};
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::meter::{Adoption, Meter, Role};
use hearthwatt_domain::reading::Reading;
use std::collections::BTreeMap;

const NAME_MAX_CHARS: usize = 80;

impl Meters {
    /// The meters as they are once adopted. An empty list means every found one.
    pub(crate) fn plan_adoption(&self, ids: &[MeterId]) -> Result<Vec<Meter>, ApiError> {
        let wanted: Vec<MeterId> = if ids.is_empty() {
            self.known.values().filter(|k| k.meter.adoption == Adoption::Found).map(|k| k.meter.id).collect()
        } else {
            ids.to_vec()
        };
        let mut has_grid = self.has_grid();
        let mut plan = Vec::new();
        for id in wanted {
            let known = self.known.get(&id).ok_or_else(|| not_found("meter"))?;
            if known.meter.adoption == Adoption::Adopted {
                continue;
            }
            let mut meter = known.meter.clone();
            meter.adoption = Adoption::Adopted;
            if meter.role == Role::Grid && has_grid {
                meter.role = Role::Load;
            }
            meter.inverted |= meter.role == Role::Solar && known.produces_as_import();
            has_grid |= meter.role == Role::Grid;
            plan.push(meter);
        }
        Ok(plan)
    }

    /// What the meters said shortly before they were adopted.
    pub(crate) fn release(&mut self, ids: &[MeterId]) -> Vec<Reading> {
        let mut held = Vec::new();
        for id in ids {
            held.extend(self.known.get_mut(id).map(|known| known.release()).unwrap_or_default());
        }
        held
    }

    /// The household's decision on a meter was taken back on another device.
    pub(crate) fn undecide(&mut self, id: MeterId) {
        match self.known.get_mut(&id) {
            // heard here: found again, as at first
            Some(known) if known.last_seen.is_some() => known.meter.adoption = Adoption::Found,
            _ => drop(self.known.remove(&id)),
        }
    }

    pub(crate) fn plan_ignoring(&self, id: MeterId) -> Result<Meter, ApiError> {
        let known = self.known.get(&id).ok_or_else(|| not_found("meter"))?;
        Ok(Meter { adoption: Adoption::Ignored, ..known.meter.clone() })
    }

    pub(crate) fn plan_update(&self, edit: &UpdateMeter) -> Result<Meter, ApiError> {
        let known = self.known.get(&edit.id).ok_or_else(|| not_found("meter"))?;
        let (name, room) = (edit.name.trim(), edit.room.trim());
        if name.is_empty() || name.chars().count() > NAME_MAX_CHARS {
            return Err(invalid(format!("Name: between 1 and {NAME_MAX_CHARS} characters.")));
        }
        if room.chars().count() > NAME_MAX_CHARS {
            return Err(invalid(format!("Room: at most {NAME_MAX_CHARS} characters.")));
        }
        self.check_parent(edit.id, edit.parent)?;
        // one who says "this is solar" of a plug that counts it as use means the other sign
        let turns_solar = edit.role == Role::Solar && known.meter.role != Role::Solar;
        let untouched = edit.inverted == known.meter.inverted;
        let inverted = edit.inverted || (turns_solar && untouched && known.produces_as_import());
        Ok(Meter {
            name: name.to_owned(),
            room: room.to_owned(),
            role: edit.role,
            parent: edit.parent,
            inverted,
            ..known.meter.clone()
        })
    }

    fn check_parent(&self, id: MeterId, parent: Option<MeterId>) -> Result<(), ApiError> {
        let mut up = parent;
        let mut steps = 0;
        while let Some(above) = up {
            steps += 1;
            if above == id || steps > self.known.len() {
                return Err(invalid("Measured by: a meter can't be behind itself."));
            }
            let Some(known) = self.known.get(&above) else {
                return Err(invalid("Measured by: there is no such meter."));
            };
            up = known.meter.parent;
        }
        Ok(())
    }

    /// Adopted meters, each after the one that measures it too, else by name.
    pub(crate) fn in_order(&self) -> Vec<MeterId> {
        let adopted: BTreeMap<MeterId, &Meter> = self.adopted().map(|k| (k.meter.id, &k.meter)).collect();
        let mut rest: Vec<&Meter> = adopted.values().copied().collect();
        rest.sort_by(|a, b| {
            (a.role, a.name.to_lowercase(), a.id).cmp(&(b.role, b.name.to_lowercase(), b.id))
        });
        let mut placed: Vec<MeterId> = Vec::with_capacity(rest.len());
        while !rest.is_empty() {
            let before = placed.len();
            rest.retain(|m| {
                let waits = m.parent.is_some_and(|p| adopted.contains_key(&p) && !placed.contains(&p));
                if !waits {
                    placed.push(m.id);
                }
                waits
            });
            if placed.len() == before {
                // a circle, which edits refuse: whatever the order
                placed.extend(rest.drain(..).map(|m| m.id));
            }
        }
        placed
    }
}
