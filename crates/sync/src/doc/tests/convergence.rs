//! Whatever is edited where, whatever reaches whom in what order, how often and after which
//! restarts: the same heads, the same views, and what was said to be touched was enough.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const DEVICES: usize = 4;

#[derive(Debug, Clone)]
enum Step {
    Edit {
        device: usize,
        what: u8,
        which: u32,
        value: u32,
    },
    /// One change of one device, perhaps before those it depends on, perhaps again.
    Deliver {
        from: usize,
        to: usize,
        change: prop::sample::Index,
    },
    /// All that the other lacks.
    Sync {
        from: usize,
        to: usize,
    },
    /// Save, load, go on under a new actor.
    Restart {
        device: usize,
    },
    Resolve {
        device: usize,
        which: prop::sample::Index,
        choice: prop::sample::Index,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let device = || 0..DEVICES;
    prop_oneof![
        6 => (device(), 0..12_u8, 0..3_u32, 0..4_u32)
            .prop_map(|(device, what, which, value)| Step::Edit { device, what, which, value }),
        3 => (device(), device(), any::<prop::sample::Index>())
            .prop_map(|(from, to, change)| Step::Deliver { from, to, change }),
        1 => (device(), device()).prop_map(|(from, to)| Step::Sync { from, to }),
        1 => device().prop_map(|device| Step::Restart { device }),
        1 => (device(), any::<prop::sample::Index>(), any::<prop::sample::Index>())
            .prop_map(|(device, which, choice)| Step::Resolve { device, which, choice }),
    ]
}

/// A device, with the view that an engine keeps: read once, then refreshed where touched.
struct Device {
    doc: HomeDoc,
    kept: BTreeMap<EntityId, Entity>,
    runs: u8,
}

impl Device {
    fn take(&mut self, changes: &[Vec<u8>]) {
        for touched in self.doc.apply(changes).unwrap() {
            self.refresh(touched);
        }
    }

    fn refresh(&mut self, touched: Touched) {
        let Some(id) = touched.entity() else { return };
        match self.doc.get(id) {
            Some(entity) => drop(self.kept.insert(id, entity)),
            None => drop(self.kept.remove(&id)),
        }
    }

    fn edit(&mut self, now: UnixMillis, what: u8, which: u32, value: u32) {
        let n = u128::from(which) + 1;
        let meter = meter(which);
        let limit = Amount::Energy(Energy::from_kwh(f64::from(value) + 1.0));
        let budget_now =
            self.doc.budgets().items.into_iter().find(|b| b.id.0.as_u128() == n).unwrap_or(budget(n));
        let entity = match what {
            0 => Entity::Meter(Meter { name: format!("Name {value}"), ..meter }),
            1 => Entity::Meter(Meter { parent: Some(super::meter(value).id), ..meter }),
            2 => Entity::Budget(Budget { limit, ..budget_now }),
            3 => Entity::Budget(Budget { thresholds: vec![10 + value as u16, 100], ..budget_now }),
            4 => Entity::Budget(Budget { thresholds: vec![], warn_on_forecast: true, ..budget_now }),
            5 => Entity::Budget(Budget { thresholds: vec![100], warn_on_forecast: false, ..budget_now }),
            6 => Entity::Alert(Alert { raised_at: now, ..alert(i64::from(which), 80) }),
            7 => Entity::Alert(Alert { acknowledged_at: Some(now), ..alert(i64::from(which), 80) }),
            8 => Entity::Tariff(Tariff { name: format!("Tariff {value}"), ..tariff(n) }),
            9 => {
                let profile = Profile { name: Some(format!("Home {value}")), ..Profile::default() };
                self.doc.put_profile(now, &profile).unwrap();
                return;
            }
            10 => {
                let id = if value < 2 { EntityId::Budget(budget_now.id) } else { EntityId::Meter(meter.id) };
                self.doc.remove(now, id).unwrap();
                return self.reload();
            }
            _ => Entity::Correction(correction(n)),
        };
        self.doc.put(now, &entity).unwrap();
        self.reload();
    }

    /// After an edit of one's own.
    fn reload(&mut self) {
        let doc = &self.doc;
        self.kept = all(doc);
    }
}

fn all(doc: &HomeDoc) -> BTreeMap<EntityId, Entity> {
    let entities = (doc.meters().items.into_iter().map(Entity::Meter))
        .chain(doc.tariffs().items.into_iter().map(Entity::Tariff))
        .chain(doc.budgets().items.into_iter().map(Entity::Budget))
        .chain(doc.alerts().items.into_iter().map(Entity::Alert))
        .chain(doc.corrections().items.into_iter().map(Entity::Correction));
    entities.map(|e| (e.id(), e)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn all_devices_end_alike(steps in proptest::collection::vec(step(), 1..60), order in any::<u64>()) {
        let mut devices: Vec<Device> = (0..DEVICES)
            .map(|n| Device { doc: home(n as u8 + 1), kept: BTreeMap::new(), runs: 0 })
            .collect();
        for (n, step) in steps.iter().enumerate() {
            let now = at(n as i64);
            match step {
                Step::Edit { device, what, which, value } => devices[*device].edit(now, *what, *which, *value),
                Step::Deliver { from, to, change } => {
                    let all = devices[*from].doc.changes_since(&[]);
                    let one = all[change.index(all.len())].1.clone();
                    devices[*to].take(&[one]);
                }
                Step::Sync { from, to } => {
                    let heads = devices[*to].doc.heads();
                    let changes = bytes(&devices[*from].doc.changes_since(&heads));
                    devices[*to].take(&changes);
                }
                Step::Restart { device } => {
                    let d = &mut devices[*device];
                    d.runs += 1;
                    let actor = actor(*device as u8 + 1 + 10 * d.runs);
                    let before = view(&d.doc);
                    d.doc = HomeDoc::load(&d.doc.save(), actor).unwrap();
                    prop_assert_eq!(view(&d.doc), before);
                }
                Step::Resolve { device, which, choice } => {
                    let d = &mut devices[*device];
                    let conflicts = d.doc.conflicts();
                    if !conflicts.is_empty() {
                        let conflict = &conflicts[which.index(conflicts.len())];
                        let choice = choice.index(conflict.values.len());
                        d.doc.resolve(now, conflict, choice).unwrap();
                        prop_assert!(!d.doc.conflicts().iter().any(|c| (c.id, &c.field) == (conflict.id, &conflict.field)));
                        d.reload();
                    }
                }
            }
        }
        // everybody gets everything, one change at a time, shuffled
        let everything: Vec<Vec<u8>> = devices.iter().flat_map(|d| bytes(&d.doc.changes_since(&[]))).collect();
        for (n, device) in devices.iter_mut().enumerate() {
            let mut mine = everything.clone();
            let mut state = order.wrapping_add(n as u64);
            for i in (1..mine.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                mine.swap(i, (state >> 33) as usize % (i + 1));
            }
            mine.iter().for_each(|change| device.take(std::slice::from_ref(change)));
        }
        let (first, rest) = devices.split_first().unwrap();
        for device in rest {
            prop_assert_eq!(device.doc.heads(), first.doc.heads());
            prop_assert_eq!(view(&device.doc), view(&first.doc));
        }
        for device in &devices {
            prop_assert_eq!(&device.kept, &all(&device.doc), "what was touched was told");
        }
        let again = HomeDoc::load(&first.doc.save(), actor(99)).unwrap();
        prop_assert_eq!(view(&again), view(&first.doc));
    }
}
