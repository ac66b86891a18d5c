//! What goes in comes out; only what differs is written; edits of different fields both win.

use super::*;

fn all() -> Vec<Entity> {
    vec![
        Entity::Meter(Meter { parent: Some(meter(2).id), inverted: true, ..meter(1) }),
        Entity::Meter(meter(2)),
        Entity::Tariff(tariff(1)),
        Entity::Tariff(Tariff { valid_to: Some(date(2027, 1, 1)), export: None, ..tariff(2) }),
        Entity::Budget(budget(1)),
        Entity::Budget(Budget {
            scope: Scope::Meter(meter(1).id),
            limit: Amount::Money(Money(30_000_000)),
            period: Period::Week,
            thresholds: vec![100],
            ..budget(2)
        }),
        Entity::Alert(alert(0, 80)),
        Entity::Alert(Alert {
            cause: Cause::Forecast { breaks_at: at(9_000) },
            acknowledged_at: Some(at(5)),
            ..alert(1, 100)
        }),
        Entity::Correction(correction(1)),
    ]
}

fn ops(edit: &Edit) -> usize {
    edit.changes.iter().map(|(_, b)| automerge::Change::from_bytes(b.clone()).unwrap().len()).sum()
}

#[test]
fn what_goes_in_comes_out_and_lasts() {
    let mut doc = home(1);
    for entity in all() {
        assert_eq!(doc.put(NOW, &entity).unwrap().changes.len(), 1);
        assert_eq!(doc.get(entity.id()), Some(entity.clone()));
        assert_eq!(doc.put(NOW, &entity).unwrap(), Edit::default(), "nothing differs");
    }
    assert_eq!((doc.meters().items.len(), doc.tariffs().items.len(), doc.budgets().items.len()), (2, 2, 2));
    assert_eq!(
        (doc.alerts().items.len(), doc.corrections().items, doc.alerts().skipped),
        (2, vec![correction(1)], 0)
    );
    let again = HomeDoc::load(&doc.save(), actor(2)).unwrap();
    assert_eq!(view(&again), view(&doc));
    assert_eq!(again.heads(), doc.heads());
}

#[test]
fn only_the_fields_that_differ_are_written() {
    let mut doc = home(1);
    doc.put(NOW, &Entity::Budget(budget(1))).unwrap();
    doc.put(NOW, &Entity::Meter(meter(1))).unwrap();
    let limit = Amount::Energy(Energy::from_kwh(28.0));
    assert_eq!(ops(&doc.put(NOW, &Entity::Budget(Budget { limit, ..budget(1) })).unwrap()), 1);
    let thresholds = vec![50, 90, 100];
    let edit = doc.put(NOW, &Entity::Budget(Budget { limit, thresholds, ..budget(1) })).unwrap();
    assert_eq!(ops(&edit), 2, "one threshold less, one more");
    assert_eq!(ops(&doc.put(NOW, &Entity::Meter(Meter { room: "Hall".into(), ..meter(1) })).unwrap()), 1);
}

#[test]
fn edits_of_different_fields_both_win() {
    let (mut a, mut b) = (home(1), home(2));
    a.put(NOW, &Entity::Budget(budget(1))).unwrap();
    exchange(&mut a, &mut b);
    let limit = Amount::Energy(Energy::from_kwh(28.0));
    a.put(at(1), &Entity::Budget(Budget { limit, thresholds: vec![50, 80, 90, 100], ..budget(1) })).unwrap();
    b.put(
        at(2),
        &Entity::Budget(Budget { name: "Bill".into(), thresholds: vec![80, 100, 120], ..budget(1) }),
    )
    .unwrap();
    exchange(&mut a, &mut b);
    let both = Budget { name: "Bill".into(), limit, thresholds: vec![80, 90, 100, 120], ..budget(1) };
    assert_eq!(a.budgets().items, vec![both.clone()]);
    assert_eq!(b.budgets().items, vec![both]);
    assert_eq!(a.conflicts(), vec![]);
}

#[test]
fn an_edit_that_began_before_the_last_sync_takes_nothing_back() {
    let (mut a, mut b) = (home(1), home(2));
    a.put(NOW, &Entity::Budget(budget(1))).unwrap();
    exchange(&mut a, &mut b);
    // a form is open on b while a's change arrives
    let seen = budget(1);
    a.put(at(1), &Entity::Budget(Budget { name: "Bill".into(), thresholds: vec![50, 90], ..budget(1) }))
        .unwrap();
    exchange(&mut a, &mut b);
    let typed = Budget { period: Period::Month, thresholds: vec![50, 80, 100, 110], ..seen.clone() };
    b.edit(at(2), &Entity::Budget(seen), &Entity::Budget(typed)).unwrap();
    let now =
        Budget { name: "Bill".into(), period: Period::Month, thresholds: vec![50, 90, 110], ..budget(1) };
    assert_eq!(b.budgets().items, vec![now]);
}

#[test]
fn two_devices_raise_one_alert_and_who_acknowledges_it_does_so_for_all() {
    let (mut a, mut b) = (home(1), home(2));
    a.put(NOW, &Entity::Alert(alert(0, 80))).unwrap();
    let late = Alert { raised_at: at(5_000), spent: Amount::Energy(Energy::from_kwh(25.0)), ..alert(0, 80) };
    b.put(NOW, &Entity::Alert(late.clone())).unwrap();
    b.put(at(60), &Entity::Alert(Alert { acknowledged_at: Some(at(60)), ..late.clone() })).unwrap();
    exchange(&mut a, &mut b);
    let [one] = &a.alerts().items[..] else { panic!("{:?}", a.alerts()) };
    assert_eq!(one.acknowledged_at, Some(at(60)));
    assert!([alert(0, 80).spent, late.spent].contains(&one.spent));
    assert_eq!((a.alerts(), a.conflicts()), (b.alerts(), vec![]));
    // raising it again says nothing new, and does not take the acknowledgement back
    assert_eq!(a.put(at(90), &Entity::Alert(alert(0, 80))).unwrap(), Edit::default());
    assert_eq!(b.put(at(90), &Entity::Alert(late)).unwrap(), Edit::default());
}

#[test]
fn what_was_removed_stays_so_until_it_is_put_again() {
    let (mut a, mut b) = (home(1), home(2));
    let id = EntityId::Budget(budget(1).id);
    assert_eq!(a.remove(NOW, id).unwrap(), Edit::default(), "it isn't there");
    a.put(NOW, &Entity::Budget(budget(1))).unwrap();
    exchange(&mut a, &mut b);
    assert_eq!(ops(&a.remove(at(1), id).unwrap()), 1);
    b.put(at(2), &Entity::Budget(Budget { name: "Bill".into(), ..budget(1) })).unwrap();
    exchange(&mut a, &mut b);
    assert_eq!((a.budgets(), a.get(id), a.is_removed(id)), (Read::default(), None, true));
    assert_eq!(a.conflicts(), vec![]);
    assert_eq!(ops(&a.put(at(3), &Entity::Budget(Budget { name: "Bill".into(), ..budget(1) })).unwrap()), 1);
    exchange(&mut a, &mut b);
    assert_eq!(b.budgets().items.len(), 1);
}

#[test]
fn the_profile_is_written_field_by_field() {
    let (mut a, mut b) = (home(1), home(2));
    assert_eq!(a.profile(), Profile::default());
    let name = |n: &str| Profile { name: Some(n.into()), ..Profile::default() };
    a.put_profile(NOW, &name("Home")).unwrap();
    b.put_profile(
        NOW,
        &Profile { time_zone: Some("Europe/Vienna".into()), bill_day: Some(15), ..Profile::default() },
    )
    .unwrap();
    exchange(&mut a, &mut b);
    let both = Profile {
        currency: None,
        name: Some("Home".into()),
        time_zone: Some("Europe/Vienna".into()),
        bill_day: Some(15),
    };
    assert_eq!(a.profile(), both);
    assert_eq!(a.put_profile(NOW, &both).unwrap(), Edit::default());
    let wrong = |p: Profile, field: &str| {
        assert!(
            matches!(home(1).put_profile(NOW, &p), Err(EditError::Invalid { field: f, .. }) if f == field)
        );
    };
    wrong(Profile { time_zone: Some("Mars/Base".into()), ..both.clone() }, "time_zone");
    wrong(Profile { currency: Some("eur".into()), ..both.clone() }, "currency");
    wrong(Profile { bill_day: Some(32), ..both }, "bill_day");
}

#[test]
fn the_recorder_that_counts_is_chosen_for_all() {
    let (mut a, mut b) = (home(1), home(2));
    let hub = Uuid::from_u128(77);
    assert_eq!(a.put_primary(NOW, meter(1).id, Some(hub)), Err(EditError::Gone));
    a.put(NOW, &Entity::Meter(meter(1))).unwrap();
    a.put_primary(NOW, meter(1).id, Some(hub)).unwrap();
    a.put(NOW, &Entity::Meter(Meter { name: "Oven".into(), ..meter(1) })).unwrap();
    exchange(&mut a, &mut b);
    assert_eq!((b.primary(meter(1).id), b.primaries().len()), (Some(hub), 1));
    b.put_primary(NOW, meter(1).id, None).unwrap();
    assert_eq!(b.primary(meter(1).id), None);
}

#[test]
fn meters_that_measure_each_other_are_cut_apart_and_said_to_be_touched() {
    let (mut a, mut b) = (home(1), home(2));
    let (one, other) = (meter(1).min_id(meter(2)), meter(1).max_id(meter(2)));
    a.put(NOW, &Entity::Meter(one.clone())).unwrap();
    a.put(NOW, &Entity::Meter(other.clone())).unwrap();
    exchange(&mut a, &mut b);
    a.put(at(1), &Entity::Meter(Meter { parent: Some(other.id), ..one.clone() })).unwrap();
    let theirs = b.put(at(1), &Entity::Meter(Meter { parent: Some(one.id), ..other.clone() })).unwrap();
    let touched = a.apply(&bytes(&theirs.changes)).unwrap();
    let expected: Vec<_> = [one.id.0, other.id.0].map(|id| Touched { kind: Kind::Meter, id }).to_vec();
    assert_eq!(touched, expected);
    let parent = |id| a.meters().items.into_iter().find(|m| m.id == id).unwrap().parent;
    assert_eq!((parent(one.id), parent(other.id)), (None, Some(one.id)));
    assert_eq!(a.get(EntityId::Meter(one.id)), Some(Entity::Meter(one)));
}

trait ById: Sized {
    fn min_id(self, other: Self) -> Self;
    fn max_id(self, other: Self) -> Self;
}
impl ById for Meter {
    fn min_id(self, other: Self) -> Self {
        if self.id < other.id { self } else { other }
    }
    fn max_id(self, other: Self) -> Self {
        if self.id < other.id { other } else { self }
    }
}

#[test]
fn what_can_not_be_read_back_is_not_written() {
    let mut doc = home(1);
    let mut wrong = |entity: Entity, field: &str| match doc.put(NOW, &entity) {
        Err(EditError::Invalid { field: f, .. }) => assert_eq!(f, field),
        other => panic!("{other:?}"),
    };
    wrong(Entity::Meter(Meter { name: "x".repeat(2_000), ..meter(1) }), "name");
    wrong(Entity::Budget(Budget { thresholds: vec![], warn_on_forecast: false, ..budget(1) }), "thresholds");
    wrong(Entity::Budget(Budget { limit: Amount::Energy(Energy(i64::MAX)), ..budget(1) }), "limit");
    wrong(Entity::Tariff(Tariff { valid_to: Some(date(2020, 1, 1)), ..tariff(1) }), "valid_to");
    wrong(Entity::Alert(Alert { raised_at: UnixMillis(i64::MIN), ..alert(0, 80) }), "raised_at");
    let span = Span::new(UnixMillis(i64::MIN), UnixMillis(i64::MAX));
    wrong(Entity::Correction(Correction { change: Change::Exclude { span }, ..correction(1) }), "span");
    assert_eq!(doc.heads(), home(2).heads(), "nothing was written");
}

#[test]
fn preferences_follow_their_member_and_keep_what_is_new_to_us() {
    let (mut a, mut b) = (PrefsDoc::start(actor(1)), PrefsDoc::start(actor(2)));
    let prefs = Prefs {
        language: Some("de-AT".into()),
        channels: [(Channel::Email, true), (Channel::Device, false)].into(),
        quiet_hours: Some(QuietHours { from_minute: 1320, to_minute: 360 }),
    };
    a.put_prefs(NOW, &prefs).unwrap();
    b.put_prefs(NOW, &Prefs { channels: [(Channel::Push, true)].into(), ..Prefs::default() }).unwrap();
    a.apply(&bytes(&b.changes_since(&[]))).unwrap();
    let mut both = prefs.clone();
    both.channels.insert(Channel::Push, true);
    assert_eq!(a.prefs(), both);
    // a newer version knows another channel
    let mut am = a.automerge().clone().with_actor(actor(9));
    let mut tx = am.transaction();
    tx.put(a.map(Kind::Prefs).object(), "channels/pager", true).unwrap();
    tx.commit();
    let mut a = PrefsDoc::load(&am.save(), actor(3)).unwrap();
    both.channels.insert(Channel::Email, false);
    both.quiet_hours = None;
    a.put_prefs(NOW, &both).unwrap();
    assert_eq!(a.prefs(), both);
    let raw = crate::doc::record::record(a.automerge(), a.map(Kind::Prefs), Uuid::nil());
    assert_eq!(raw.get("channels").unwrap().get("pager"), Some(&true.into()));
    assert!(a.put_prefs(NOW, &Prefs { language: Some("not a tag".into()), ..both }).is_err());
    assert!(HomeDoc::load(&a.save(), actor(4)).is_err(), "preferences are no home");
}
