//! Two homes that were started offline become one.

use super::*;

fn profile(name: &str, currency: &str) -> Profile {
    Profile {
        name: Some(name.into()),
        currency: Some(currency.into()),
        bill_day: Some(1),
        ..Profile::default()
    }
}

/// Theirs has seen more edits, so left alone its values would hold.
fn two_homes() -> (HomeDoc, HomeDoc) {
    let (mut ours, mut theirs) = (home(1), home(200));
    ours.put_profile(NOW, &profile("Ours", "EUR")).unwrap();
    theirs.put_profile(NOW, &profile("Theirs 0", "CHF")).unwrap();
    for n in 1..20 {
        theirs.put_profile(at(n), &profile(&format!("Theirs {n}"), "CHF")).unwrap();
    }
    (ours, theirs)
}

#[test]
fn ours_holds_and_theirs_shows() {
    let (mut ours, theirs) = two_homes();
    let before = ours.heads();
    let merged = merge_homes(at(100), &mut ours, &theirs.save()).unwrap();
    assert_eq!(ours.profile(), profile("Ours", "EUR"));
    assert_eq!(merged.touched, vec![Touched { kind: Kind::Profile, id: Uuid::nil() }]);
    let conflicts = ours.conflicts();
    assert_eq!(conflicts.iter().map(|c| c.field.as_str()).collect::<Vec<_>>(), ["currency", "name"]);
    let name = &conflicts[1];
    assert_eq!((name.chosen, name.values.len()), (0, 2));
    assert_eq!(name.values[1].value, "Theirs 19");
    // what the merge made reaches others who knew only one of the two
    for known in [before, theirs.heads()] {
        let start = if known == theirs.heads() { theirs.save() } else { two_homes().0.save() };
        let mut other = HomeDoc::load(&start, actor(7)).unwrap();
        other.apply(&bytes(&ours.changes_since(&known))).unwrap();
        assert_eq!(view(&other), view(&ours));
        assert_eq!(other.heads(), ours.heads());
    }
    let mut by_change = two_homes().0;
    by_change.apply(&bytes(&merged.changes)).unwrap();
    assert_eq!(by_change.heads(), ours.heads());
    // and theirs can be chosen after all
    ours.resolve(at(200), &name.clone(), 1).unwrap();
    assert_eq!(ours.profile().name.as_deref(), Some("Theirs 19"));
    // merging again has nothing to say
    let heads = ours.heads();
    assert_eq!(merge_homes(at(300), &mut ours, &theirs.save()).unwrap(), Merged::default());
    assert_eq!(ours.heads(), heads);
}

#[test]
fn a_meter_that_both_found_is_one_and_the_rest_stands_side_by_side() {
    let (mut ours, mut theirs) = two_homes();
    ours.put(NOW, &Entity::Meter(Meter { name: "Oven".into(), ..meter(1) })).unwrap();
    theirs.put(NOW, &Entity::Meter(Meter { name: "Stove".into(), room: "".into(), ..meter(1) })).unwrap();
    ours.put(NOW, &Entity::Meter(Meter { adoption: Adoption::Found, ..meter(2) })).unwrap();
    theirs.put(NOW, &Entity::Meter(meter(2))).unwrap();
    ours.put(NOW, &Entity::Meter(meter(3))).unwrap();
    theirs.put(NOW, &Entity::Meter(Meter { adoption: Adoption::Found, ..meter(3) })).unwrap();
    theirs.put(NOW, &Entity::Meter(meter(4))).unwrap();
    ours.put(NOW, &Entity::Budget(budget(1))).unwrap();
    theirs.put(NOW, &Entity::Budget(budget(2))).unwrap();
    merge_homes(at(100), &mut ours, &theirs.save()).unwrap();
    let find = |n| ours.meters().items.into_iter().find(|m| m.id == meter(n).id).unwrap();
    assert_eq!((ours.meters().items.len(), ours.budgets().items.len()), (4, 2));
    assert_eq!((find(1).name.as_str(), find(1).room.as_str()), ("Oven", "Kitchen"));
    assert_eq!((find(2).adoption, find(3).adoption), (Adoption::Adopted, Adoption::Adopted));
    let fields: Vec<_> =
        ours.conflicts().into_iter().filter(|c| c.kind == Kind::Meter).map(|c| c.field).collect();
    assert!(fields.contains(&"name".into()) && fields.contains(&"room".into()), "{fields:?}");
}

#[test]
fn what_is_no_home_or_newer_changes_nothing() {
    let (mut ours, theirs) = two_homes();
    let before = ours.heads();
    let mut cut = theirs.save();
    cut.truncate(cut.len() - 3);
    assert!(matches!(merge_homes(NOW, &mut ours, &cut), Err(Refused::Damaged(_))));
    assert!(matches!(merge_homes(NOW, &mut ours, b""), Err(Refused::Foreign)));
    let prefs = PrefsDoc::start(actor(5)).save();
    assert_eq!(merge_homes(NOW, &mut ours, &prefs), Err(Refused::Foreign));
    let change = foreign(&theirs, 9, |tx| tx.put(automerge::ROOT, "min_reader", 7).unwrap());
    let mut newer = theirs.clone();
    newer.apply(&[change]).unwrap();
    assert_eq!(merge_homes(NOW, &mut ours, &newer.save()), Err(Refused::Newer { needs: 7 }));
    assert_eq!(ours.heads(), before);
}
