//! The meters a home knows: those decided on and those just heard, and what each last said.
//! Pure: time comes with each message, and what is to be stored is returned.

mod edit;
mod known;
mod value;

pub(crate) use known::Known;
use value::{measures, plausible, short};

use crate::guess;
use crate::limits::{METERS_MAX, REFUSALS_MAX, SEEN_MAX};
use crate::live::{self, Now};
use crate::words::cut;
use hearthwatt_api::{Flow, LiveValue, Refusal, SeenDevice, SeenHint};
use hearthwatt_discovery::{Decoded, DeviceInfo, Outcome};
use hearthwatt_domain::ids::{BrokerId, MeterId};
use hearthwatt_domain::meter::{Adoption, Meter, MeterKey, Role};
use hearthwatt_domain::reading::{Channel, Quantity, Reading};
use hearthwatt_domain::time::UnixMillis;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// Devices remembered by what they said of themselves.
const DEVICES_MAX: usize = 2 * METERS_MAX;

#[derive(Default)]
pub(crate) struct Meters {
    pub(crate) known: BTreeMap<MeterId, Known>,
    devices: HashMap<(String, String), Device>,
    seen: BTreeMap<(String, String), SeenDevice>,
    refusals: VecDeque<(Option<MeterId>, Refusal)>,
    pub(crate) refused_elsewhere: u64,
    /// Meters that were heard and found no place.
    pub(crate) overflowed: bool,
}

#[derive(Default)]
struct Device {
    info: DeviceInfo,
    meters: Vec<MeterId>,
}

/// A decoded message and where it came from.
pub(crate) struct Heard<'a> {
    pub(crate) broker: BrokerId,
    pub(crate) topic: &'a str,
    pub(crate) at: UnixMillis,
    pub(crate) decoded: Decoded,
    pub(crate) auto_adopt: bool,
}

/// What a message led to.
#[derive(Default)]
pub(crate) struct Taken {
    /// To be stored.
    pub(crate) readings: Vec<Reading>,
    pub(crate) live: Vec<LiveValue>,
    /// The list of meters looks different now.
    pub(crate) meters_changed: bool,
    /// Meters whose document has to be written.
    pub(crate) save: Vec<Meter>,
}

impl Meters {
    pub(crate) fn load(meters: impl IntoIterator<Item = Meter>) -> Self {
        let mut all = Self::default();
        for meter in meters {
            all.put(meter);
        }
        all
    }

    /// Adds or replaces a meter, keeping what is known of it besides.
    pub(crate) fn put(&mut self, meter: Meter) {
        let key = (meter.key.family.clone(), meter.key.device_id.clone());
        let device = self.devices.entry(key).or_default();
        if !device.meters.contains(&meter.id) {
            device.meters.push(meter.id);
        }
        match self.known.get_mut(&meter.id) {
            Some(known) => {
                known.role_is_guess &= known.meter.role == meter.role;
                known.meter = meter;
            }
            None => {
                self.known.insert(meter.id, Known::new(meter));
            }
        }
    }

    pub(crate) fn adopted(&self) -> impl Iterator<Item = &Known> {
        self.known.values().filter(|k| k.meter.adoption == Adoption::Adopted)
    }

    fn has_grid(&self) -> bool {
        self.adopted().any(|k| k.meter.role == Role::Grid)
    }

    pub(crate) fn flow(&self, now: UnixMillis) -> Flow {
        live::flow(
            self.adopted().map(|k| Now { meter: &k.meter, power: k.power(), charge: k.points.charge() }),
            now,
        )
    }

    /// Takes one message in.
    pub(crate) fn take(&mut self, heard: Heard<'_>) -> Taken {
        let mut taken = Taken::default();
        let decoded = &heard.decoded;
        let (Some(family), Some(device_id)) = (decoded.family, decoded.device_id.as_deref()) else {
            if decoded.outcome == Outcome::Reject {
                self.refuse(None, &heard, decoded.reason.as_deref().unwrap_or("it can't be understood"));
            }
            return taken;
        };
        let device_key = (family.to_owned(), cut(device_id));
        if let Some(info) = &decoded.device {
            self.describe(&device_key, info, &mut taken);
        }
        let online = decoded.online.or((decoded.outcome == Outcome::Gone).then_some(false));
        if let Some(online) = online {
            self.reachable(&device_key, online, &mut taken);
        }
        let told = !decoded.measurements.is_empty();
        if told {
            self.measure(&device_key, &heard, &mut taken);
        }
        if matches!(decoded.outcome, Outcome::Reject | Outcome::Partial)
            && let Some(reason) = decoded.reason.as_deref()
        {
            let meters = self.devices.get(&device_key).map(|d| d.meters.clone()).unwrap_or_default();
            self.refuse(meters.first().copied(), &heard, reason);
        }
        let has_meter = self.devices.get(&device_key).is_some_and(|d| !d.meters.is_empty());
        if has_meter {
            taken.meters_changed |= self.seen.remove(&device_key).is_some();
        } else if decoded.device.is_some() {
            let info = decoded.device.as_ref().map(|d| (cut(&d.name), cut(&d.address))).unwrap_or_default();
            let name = if info.0.is_empty() { device_key.1.clone() } else { info.0 };
            let seen = SeenDevice {
                name,
                family: family.to_owned(),
                address: info.1,
                hint: SeenHint::Waiting,
                at: heard.at,
            };
            taken.meters_changed |= self.see(device_key, seen);
        }
        taken
    }

    /// A device that announced itself. Whether the list changed.
    pub(crate) fn see(&mut self, key: (String, String), seen: SeenDevice) -> bool {
        if self.devices.get(&key).is_some_and(|d| !d.meters.is_empty()) {
            return false;
        }
        if !self.seen.contains_key(&key) && self.seen.len() >= SEEN_MAX {
            return false;
        }
        let changed = self.seen.get(&key).is_none_or(|s| (s.hint, &s.address) != (seen.hint, &seen.address));
        self.seen.insert(key, seen);
        changed
    }

    pub(crate) fn unsee(&mut self, key: &(String, String)) -> bool {
        self.seen.remove(key).is_some()
    }

    pub(crate) fn seen(&self) -> Vec<SeenDevice> {
        self.seen.values().cloned().collect()
    }

    pub(crate) fn refusals(&self, meter: Option<MeterId>) -> Vec<Refusal> {
        self.refusals.iter().filter(|(m, _)| meter.is_none() || *m == meter).map(|(_, r)| r.clone()).collect()
    }

    fn refuse(&mut self, meter: Option<MeterId>, heard: &Heard<'_>, reason: &str) {
        let refusal = Refusal { at: heard.at, topic: cut(heard.topic), reason: cut(reason) };
        match meter.and_then(|m| self.known.get_mut(&m)) {
            Some(known) => known.refuse(refusal.clone()),
            None => self.refused_elsewhere += 1,
        }
        self.refusals.push_front((meter, refusal));
        self.refusals.truncate(REFUSALS_MAX);
    }

    /// What the device says of itself; names and roles that were guessed are guessed again.
    fn describe(&mut self, key: &(String, String), info: &DeviceInfo, taken: &mut Taken) {
        if !self.devices.contains_key(key) && self.devices.len() >= DEVICES_MAX {
            return;
        }
        let has_grid = self.has_grid();
        let device = self.devices.entry(key.clone()).or_default();
        if device.info == *info {
            return;
        }
        let new = merged(&device.info, info);
        let old = std::mem::replace(&mut device.info, new);
        for id in &device.meters {
            let Some(known) = self.known.get_mut(id) else { continue };
            let before = known.meter.clone();
            known.meter.manufacturer = cut(&device.info.manufacturer);
            known.meter.model = cut(&device.info.model);
            if known.meter.name == guess::name(&known.meter.key, &old) {
                known.meter.name = guess::name(&known.meter.key, &device.info);
                if known.role_is_guess && old.suggested_role != device.info.suggested_role {
                    known.guess_role(&device.info, has_grid);
                }
            }
            if known.meter != before {
                taken.meters_changed = true;
                if known.meter.adoption != Adoption::Found {
                    taken.save.push(known.meter.clone());
                }
            }
        }
    }

    fn reachable(&mut self, key: &(String, String), online: bool, taken: &mut Taken) {
        let Some(device) = self.devices.get(key) else { return };
        for id in &device.meters {
            if let Some(known) = self.known.get_mut(id) {
                taken.meters_changed |= known.online.replace(online) != Some(online);
            }
        }
    }

    fn measure(&mut self, device_key: &(String, String), heard: &Heard<'_>, taken: &mut Taken) {
        let mut groups: BTreeMap<&str, Vec<(Channel, Quantity, f64)>> = BTreeMap::new();
        let mut implausible = None;
        for m in &heard.decoded.measurements {
            match plausible(m.quantity, m.value) {
                Ok(()) => {
                    groups.entry(m.channel.group()).or_default().push((
                        short(&m.channel),
                        m.quantity,
                        m.value,
                    ));
                }
                Err(why) => {
                    implausible = Some(format!("{} {} {}: {why}", m.channel, m.quantity.name(), m.value))
                }
            }
        }
        for (group, values) in groups {
            let key = MeterKey {
                family: device_key.0.clone(),
                device_id: device_key.1.clone(),
                group: short(&Channel::new(group)).as_str().to_owned(),
            };
            let id = key.id();
            if !self.known.contains_key(&id) && !self.find(key, &values, taken) {
                continue;
            }
            let has_grid = self.has_grid();
            let info = self.devices.get(device_key).map(|d| d.info.clone()).unwrap_or_default();
            let Some(known) = self.known.get_mut(&id) else { continue };
            known.broker = Some(heard.broker);
            known.accepted += 1;
            known.recent.push(false);
            if heard.decoded.stale {
                known.learn(&values);
                continue; // good values of an unknown time: never "now"
            }
            known.hear(heard.at, &values);
            if known.meter.adoption == Adoption::Found && heard.auto_adopt {
                taken.readings.extend(known.adopt(&info, has_grid));
                taken.save.push(known.meter.clone());
                taken.meters_changed = true;
            }
            if known.meter.adoption != Adoption::Ignored
                && let Some((at, power)) = known.power()
                && at == heard.at
            {
                taken.live.push(LiveValue { meter: id, at, power });
            }
            let readings = values.into_iter().map(|(channel, quantity, value)| Reading {
                meter: id,
                channel,
                quantity,
                at: heard.at,
                value,
            });
            match known.meter.adoption {
                Adoption::Adopted => taken.readings.extend(readings),
                Adoption::Found => known.keep(readings),
                Adoption::Ignored => {}
            }
        }
        if let Some(reason) = implausible {
            let meter = self.devices.get(device_key).and_then(|d| d.meters.first().copied());
            self.refuse(meter, heard, &reason);
        }
    }

    /// A meter that was not known. Only what measures power or energy is one.
    fn find(&mut self, key: MeterKey, values: &[(Channel, Quantity, f64)], taken: &mut Taken) -> bool {
        if !values.iter().any(|(_, q, _)| measures(*q)) {
            return false;
        }
        if self.known.len() >= METERS_MAX || self.devices.len() >= DEVICES_MAX {
            self.overflowed = true;
            return false;
        }
        let device = self.devices.entry((key.family.clone(), key.device_id.clone())).or_default();
        let meter = Meter {
            id: key.id(),
            adoption: Adoption::Found,
            name: guess::name(&key, &device.info),
            room: String::new(),
            role: Role::Load,
            parent: None,
            inverted: false,
            manufacturer: cut(&device.info.manufacturer),
            model: cut(&device.info.model),
            key,
        };
        let info = device.info.clone();
        let has_grid = self.has_grid();
        let mut known = Known::new(meter);
        known.learn(values);
        known.guess_role(&info, has_grid);
        known.role_is_guess = true;
        self.put(known.meter.clone());
        self.known.insert(known.meter.id, known);
        taken.meters_changed = true;
        true
    }
}

/// Later descriptions often say less; what was said stays.
fn merged(old: &DeviceInfo, new: &DeviceInfo) -> DeviceInfo {
    let pick = |new: &String, old: &String| if new.is_empty() { old.clone() } else { new.clone() };
    DeviceInfo {
        name: pick(&new.name, &old.name),
        manufacturer: pick(&new.manufacturer, &old.manufacturer),
        model: pick(&new.model, &old.model),
        mac: pick(&new.mac, &old.mac),
        address: pick(&new.address, &old.address),
        suggested_role: new.suggested_role.or(old.suggested_role),
    }
}

#[cfg(test)]
mod tests;
