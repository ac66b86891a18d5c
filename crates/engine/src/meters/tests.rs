//! Tests of meters.

use super::*;
use crate::limits::POWER_MAX_W;
use hearthwatt_api::{MeterHealth, UpdateMeter};
use hearthwatt_discovery::Measurement;
use hearthwatt_domain::units::Power;

const AT: UnixMillis = UnixMillis(1_772_542_920_000);

fn broker() -> BrokerId {
    BrokerId::derive(&["broker"])
}

fn decoded(device: &str, values: &[(&str, Quantity, f64)]) -> Decoded {
    Decoded {
        outcome: Outcome::Ok,
        family: Some("tasmota"),
        device_id: Some(device.into()),
        measurements: values
            .iter()
            .map(|(c, q, v)| Measurement { channel: Channel::new(c), quantity: *q, value: *v })
            .collect(),
        ..Decoded::default()
    }
}

fn power(device: &str, watts: f64) -> Decoded {
    decoded(device, &[("total", Quantity::Power, watts)])
}

fn take(meters: &mut Meters, at: UnixMillis, decoded: Decoded) -> Taken {
    meters.take(Heard { broker: broker(), topic: "tele/x/SENSOR", at, decoded, auto_adopt: false })
}

fn id(device: &str) -> MeterId {
    MeterKey { family: "tasmota".into(), device_id: device.into(), group: String::new() }.id()
}

fn adopt(meters: &mut Meters, ids: &[MeterId]) {
    for meter in meters.plan_adoption(ids).unwrap() {
        meters.put(meter);
    }
}

fn edit(meters: &Meters, device: &str) -> UpdateMeter {
    let m = &meters.known[&id(device)].meter;
    UpdateMeter {
        id: m.id,
        name: m.name.clone(),
        room: m.room.clone(),
        role: m.role,
        parent: m.parent,
        inverted: m.inverted,
    }
}

#[test]
fn a_found_meter_is_shown_but_not_stored_until_it_is_adopted() {
    let mut meters = Meters::default();
    let first = take(&mut meters, AT, power("plug", 40.0));
    assert!(first.meters_changed && first.readings.is_empty() && first.save.is_empty());
    assert_eq!(first.live[0].power, Power::from_watts(40.0));
    adopt(&mut meters, &[]);
    let held = meters.release(&[id("plug")]);
    assert_eq!(held.iter().map(|r| r.value).collect::<Vec<_>>(), [40.0], "adopting shows at once");
    let second = take(&mut meters, AT.plus_ms(1_000), power("plug", 41.0));
    assert_eq!(second.readings.len(), 1);
    assert!(!second.meters_changed);
}

#[test]
fn automatic_adoption_stores_from_the_first_reading_and_saves_the_meter_once() {
    let mut meters = Meters::default();
    let auto = |decoded| Heard { broker: broker(), topic: "t", at: AT, decoded, auto_adopt: true };
    let first = meters.take(auto(power("plug", 40.0)));
    assert_eq!((first.readings.len(), first.save.len()), (1, 1));
    assert_eq!(first.save[0].adoption, Adoption::Adopted);
    let second = meters.take(auto(power("plug", 41.0)));
    assert_eq!((second.readings.len(), second.save.len()), (1, 0));
}

#[test]
fn a_retained_message_is_not_now() {
    let mut meters = Meters::default();
    let stale = Decoded { stale: true, ..power("plug", 40.0) };
    let taken = take(&mut meters, AT, stale);
    assert!(taken.meters_changed, "it is found all the same");
    assert!(taken.live.is_empty() && taken.readings.is_empty());
    let known = &meters.known[&id("plug")];
    assert_eq!((known.last_seen, known.power()), (None, None));
    assert_eq!(known.health(AT, false), MeterHealth::Unknown);
}

#[test]
fn circuits_of_a_device_are_meters_of_their_own_and_phases_are_not() {
    let mut meters = Meters::default();
    let q = Quantity::Power;
    take(
        &mut meters,
        AT,
        decoded("3em", &[("l1", q, 1.0), ("l2", q, 2.0), ("l3", q, 3.0), ("total", q, 6.0)]),
    );
    take(&mut meters, AT, decoded("em", &[("0", q, 10.0), ("1", q, 20.0)]));
    assert_eq!(meters.known.len(), 3);
    assert_eq!(meters.known[&id("3em")].power().unwrap().1, Power::from_watts(6.0));
}

#[test]
fn what_measures_no_energy_is_no_meter() {
    let mut meters = Meters::default();
    take(&mut meters, AT, decoded("sensor", &[("total", Quantity::Temperature, 21.0)]));
    assert!(meters.known.is_empty());
}

#[test]
fn floods_of_meters_end_at_the_bound() {
    let mut meters = Meters::default();
    for i in 0..METERS_MAX + 50 {
        take(&mut meters, AT, power(&format!("m{i}"), 1.0));
    }
    assert_eq!(meters.known.len(), METERS_MAX);
    assert!(meters.overflowed);
    // the known ones are still read
    assert_eq!(take(&mut meters, AT.plus_ms(1), power("m0", 2.0)).live.len(), 1);
}

#[test]
fn refusals_are_counted_where_they_belong_and_bounded() {
    let mut meters = Meters::default();
    take(&mut meters, AT, power("plug", 1.0));
    let bad = |device: Option<&str>| Decoded {
        outcome: Outcome::Reject,
        family: device.map(|_| "tasmota"),
        device_id: device.map(Into::into),
        reason: Some("not JSON".into()),
        ..Decoded::default()
    };
    for _ in 0..REFUSALS_MAX + 10 {
        take(&mut meters, AT, bad(Some("plug")));
    }
    take(&mut meters, AT, bad(None));
    let known = &meters.known[&id("plug")];
    assert_eq!((known.accepted, known.refused), (1, REFUSALS_MAX as u64 + 10));
    assert_eq!(known.health(AT, false), MeterHealth::Refused);
    assert_eq!(meters.refused_elsewhere, 1);
    assert_eq!(meters.refusals(None).len(), REFUSALS_MAX);
    assert_eq!(meters.refusals(Some(id("plug"))).len(), REFUSALS_MAX - 1);
}

#[test]
fn values_no_home_has_are_refused_with_a_reason() {
    let mut meters = Meters::default();
    take(&mut meters, AT, power("plug", 1.0));
    for bad in [f64::NAN, f64::INFINITY, 2.0 * POWER_MAX_W] {
        assert!(take(&mut meters, AT, power("plug", bad)).readings.is_empty());
    }
    let register = decoded("plug", &[("total", Quantity::EnergyImport, -1.0)]);
    take(&mut meters, AT, register);
    assert_eq!(meters.known[&id("plug")].refused, 4);
}

#[test]
fn there_is_one_grid_meter_even_when_all_are_adopted_at_once() {
    let mut meters = Meters::default();
    for device in ["a", "b"] {
        let info = DeviceInfo { suggested_role: Some(Role::Grid), ..Default::default() };
        take(&mut meters, AT, Decoded { device: Some(info), ..power(device, 1.0) });
    }
    adopt(&mut meters, &[]);
    let grids = meters.adopted().filter(|k| k.meter.role == Role::Grid).count();
    assert_eq!(grids, 1);
}

#[test]
fn a_role_that_was_decided_outlives_what_the_device_says_of_itself() {
    let mut first = Meters::default();
    take(&mut first, AT, power("plug", 300.0));
    let stored = Meter {
        role: Role::Battery,
        name: "Battery".into(),
        adoption: Adoption::Adopted,
        ..first.known[&id("plug")].meter.clone()
    };
    let mut meters = Meters::default();
    meters.put(stored);
    for role in [None, Some(Role::Load)] {
        // named alike, so that the name alone does not tell who chose it
        let info = DeviceInfo { name: "Battery".into(), suggested_role: role, ..Default::default() };
        take(&mut meters, AT, Decoded { device: Some(info), ..power("plug", 300.0) });
    }
    assert_eq!(meters.known[&id("plug")].meter.role, Role::Battery);
}

#[test]
fn naming_a_plug_solar_turns_it_when_production_shows_as_use() {
    let mut meters = Meters::default();
    take(&mut meters, AT, power("plug", 300.0));
    adopt(&mut meters, &[]);
    let plan = meters.plan_update(&UpdateMeter { role: Role::Solar, ..edit(&meters, "plug") }).unwrap();
    assert!(plan.inverted);
    meters.put(plan);
    assert_eq!(meters.known[&id("plug")].power().unwrap().1, Power::from_watts(300.0));
}

#[test]
fn a_meter_can_not_be_behind_itself() {
    let mut meters = Meters::default();
    for device in ["a", "b", "c"] {
        take(&mut meters, AT, power(device, 1.0));
    }
    adopt(&mut meters, &[]);
    for (child, parent) in [("b", "a"), ("c", "b")] {
        let plan = meters.plan_update(&UpdateMeter { parent: Some(id(parent)), ..edit(&meters, child) });
        meters.put(plan.unwrap());
    }
    let circle = UpdateMeter { parent: Some(id("c")), ..edit(&meters, "a") };
    assert_eq!(meters.plan_update(&circle).unwrap_err().code, hearthwatt_api::ErrorCode::Invalid);
    let unknown = UpdateMeter { parent: Some(id("nobody")), ..edit(&meters, "a") };
    assert!(meters.plan_update(&unknown).is_err());
    assert_eq!(meters.in_order(), [id("a"), id("b"), id("c")]);
}

#[test]
fn a_description_names_the_meter_until_the_household_does() {
    let mut meters = Meters::default();
    take(&mut meters, AT, power("plug", 1.0));
    let named = |name: &str| Decoded {
        device: Some(DeviceInfo { name: name.into(), ..Default::default() }),
        ..power("plug", 1.0)
    };
    take(&mut meters, AT, named("Fridge"));
    assert_eq!(meters.known[&id("plug")].meter.name, "Fridge");
    adopt(&mut meters, &[]);
    meters.put(meters.plan_update(&UpdateMeter { name: "Cellar".into(), ..edit(&meters, "plug") }).unwrap());
    take(&mut meters, AT, named("Freezer"));
    assert_eq!(meters.known[&id("plug")].meter.name, "Cellar");
}

#[test]
fn silence_offline_and_return_show() {
    let mut meters = Meters::default();
    for s in 0..20 {
        take(&mut meters, AT.plus_ms(s * 60_000), power("plug", 1.0));
    }
    let last = AT.plus_ms(19 * 60_000);
    let known = &meters.known[&id("plug")];
    assert_eq!(known.health(last.plus_ms(120_000), false), MeterHealth::Well, "it pauses for a minute");
    assert_eq!(known.health(last.plus_ms(600_000), false), MeterHealth::Quiet);
    assert_eq!(known.health(last, true), MeterHealth::Offline, "its broker is gone");
    let gone = Decoded { online: Some(false), measurements: vec![], ..power("plug", 0.0) };
    assert!(take(&mut meters, last, gone).meters_changed);
    assert_eq!(meters.known[&id("plug")].health(last, false), MeterHealth::Offline);
    take(&mut meters, last, power("plug", 1.0));
    assert_eq!(meters.known[&id("plug")].health(last, false), MeterHealth::Well);
}

#[test]
fn a_device_that_tells_its_name_first_is_seen_and_then_a_meter() {
    let mut meters = Meters::default();
    let info = DeviceInfo { name: "Fridge".into(), ..Default::default() };
    take(&mut meters, AT, Decoded { device: Some(info), ..decoded("plug", &[]) });
    assert_eq!(meters.seen()[0].hint, SeenHint::Waiting);
    take(&mut meters, AT, power("plug", 1.0));
    assert!(meters.seen().is_empty());
    assert_eq!(meters.known[&id("plug")].meter.name, "Fridge");
}
