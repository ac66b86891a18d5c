//! Two people changed one field: both values are shown, one is chosen, and then it is over.

use super::*;
use serde_json::json;

fn disagree() -> (HomeDoc, HomeDoc) {
    let (mut a, mut b) = (home(1), home(2));
    a.put(NOW, &Entity::Budget(budget(1))).unwrap();
    exchange(&mut a, &mut b);
    let limit = |kwh| Amount::Energy(Energy::from_kwh(kwh));
    a.put(at(10), &Entity::Budget(Budget { limit: limit(30.5), ..budget(1) })).unwrap();
    b.put(at(20), &Entity::Budget(Budget { limit: limit(28.0), ..budget(1) })).unwrap();
    exchange(&mut a, &mut b);
    (a, b)
}

#[test]
fn both_values_are_found_with_who_and_when() {
    let (a, b) = disagree();
    assert_eq!(a.conflicts(), b.conflicts());
    let [c] = &a.conflicts()[..] else { panic!("{:?}", a.conflicts()) };
    assert_eq!((c.kind, c.id, c.field.as_str()), (Kind::Budget, budget(1).id.0, "limit"));
    let value = |kwh| serde_json::to_value(Amount::Energy(Energy::from_kwh(kwh))).unwrap();
    let mut values: Vec<_> = c.values.iter().map(|v| (v.author.clone(), v.at, v.value.clone())).collect();
    values.sort_by_key(|v| v.1);
    assert_eq!(values, vec![(actor(1), at(10), value(30.5)), (actor(2), at(20), value(28.0))]);
    let holds = serde_json::to_value(a.budgets().items[0].limit).unwrap();
    assert_eq!(c.values[c.chosen].value, holds);
}

#[test]
fn a_choice_ends_it_everywhere_whichever_it_is() {
    for wanted in [30.5, 28.0] {
        let (mut a, mut b) = disagree();
        let conflict = a.conflicts().remove(0);
        let value = serde_json::to_value(Amount::Energy(Energy::from_kwh(wanted))).unwrap();
        let choice = conflict.values.iter().position(|v| v.value == value).unwrap();
        let edit = a.resolve(at(30), &conflict, choice).unwrap();
        assert_eq!(edit.changes.len(), 1);
        let touched = b.apply(&bytes(&edit.changes)).unwrap();
        assert_eq!(touched, vec![Touched { kind: Kind::Budget, id: budget(1).id.0 }]);
        for doc in [&a, &b] {
            assert_eq!(doc.conflicts(), vec![]);
            assert_eq!(doc.budgets().items[0].limit, Amount::Energy(Energy::from_kwh(wanted)));
        }
        assert_eq!(b.resolve(at(40), &conflict, choice), Err(EditError::Gone));
    }
}

#[test]
fn a_later_edit_ends_it_too_and_what_was_not_touched_does_not() {
    let (mut a, mut b) = disagree();
    a.put(
        at(30),
        &Entity::Budget(Budget { limit: a.budgets().items[0].limit, name: "Bill".into(), ..budget(1) }),
    )
    .unwrap();
    assert_eq!(a.conflicts().len(), 1, "the name is another matter");
    a.put(at(40), &Entity::Budget(Budget { limit: Amount::Energy(Energy::from_kwh(20.0)), ..budget(1) }))
        .unwrap();
    exchange(&mut a, &mut b);
    assert_eq!((a.conflicts(), b.conflicts()), (vec![], vec![]));
}

#[test]
fn the_same_value_twice_is_no_conflict_and_what_devices_note_neither() {
    let (mut a, mut b) = (home(1), home(2));
    a.put(NOW, &Entity::Meter(meter(1))).unwrap();
    b.put(NOW, &Entity::Meter(Meter { model: "Plug S Gen3".into(), ..meter(1) })).unwrap();
    a.put(NOW, &Entity::Tariff(tariff(1))).unwrap();
    b.put(NOW, &Entity::Tariff(tariff(1))).unwrap();
    exchange(&mut a, &mut b);
    assert_eq!(a.conflicts(), vec![]);
    assert_eq!((a.meters().items.len(), a.tariffs().items.len()), (1, 1));
}

#[test]
fn three_answers_and_one_brought_back_by_another() {
    let mut docs = [home(1), home(2), home(3)];
    docs[0].put(NOW, &Entity::Meter(meter(1))).unwrap();
    let first = bytes(&docs[0].changes_since(&[]));
    for (n, doc) in docs.iter_mut().enumerate() {
        doc.apply(&first).unwrap();
        doc.put(at(n as i64), &Entity::Meter(Meter { name: format!("Name {n}"), ..meter(1) })).unwrap();
    }
    let all: Vec<_> = docs.iter().flat_map(|d| bytes(&d.changes_since(&[]))).collect();
    docs.iter_mut().for_each(|d| drop(d.apply(&all).unwrap()));
    let [c] = &docs[2].conflicts()[..] else { panic!() };
    assert_eq!((c.field.as_str(), c.values.len()), ("name", 3));
    // one removes it: nothing left to choose; unless another has said at the same time that it stays
    let id = EntityId::Meter(meter(1).id);
    docs[0].remove(at(50), id).unwrap();
    assert_eq!(docs[0].conflicts(), vec![]);
    docs[1].remove(at(50), id).unwrap();
    docs[1].put(at(51), &Entity::Meter(meter(1))).unwrap();
    let (to, from) = docs.split_at_mut(1);
    exchange(&mut to[0], &mut from[0]);
    let removed = docs[0].conflicts().into_iter().find(|c| c.field == "removed").unwrap();
    assert!(removed.values.iter().any(|v| v.value == json!(true)));
    let keep = removed.values.iter().position(|v| v.value == json!(false)).unwrap();
    docs[0].resolve(at(60), &removed, keep).unwrap();
    assert_eq!(docs[0].meters().items.len(), 1);
}
