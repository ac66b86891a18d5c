//! What becomes of a document when a newer version of the program has written to it: a second
//! schema version that adds a map.

use super::genesis::make;
use super::*;
use crate::doc::schema::{HOME, Layout, Map, Step};
use automerge::{ROOT, ReadDoc};

const ACTOR_2: [u8; 16] = *b"hearthwatt-home2";

/// Version 2 as its program would have it.
fn version_2(min_reader: u32) -> &'static Layout {
    let empty = Step { bytes: &[], hash: [0; 32], actor: ACTOR_2, min_reader };
    let change = make(HOME.steps, &empty, 2, &["chores"]);
    let step = Step { bytes: change.raw_bytes().to_vec().leak(), hash: change.hash().0, ..empty };
    let chores = Map {
        name: "chores",
        kind: Kind::Prefs,        // stands for a kind of its own
        counter: change.max_op(), // its last operation
        actor: ACTOR_2,
        fields: HOME.maps[1].fields,
        single: false,
        most: 10,
    };
    let maps: Vec<Map> = HOME.maps.iter().map(|m| Map { ..*m }).chain([chores]).collect();
    let [first] = HOME.steps else { panic!() };
    Box::leak(Box::new(Layout { steps: vec![Step { ..*first }, step].leak(), maps: maps.leak() }))
}

/// A home of version 1, its bytes.
fn old_home() -> HomeDoc {
    let mut doc = home(1);
    doc.put(NOW, &Entity::Budget(budget(1))).unwrap();
    doc
}

#[test]
fn a_newer_program_brings_the_document_up_with_its_first_edit() {
    let new = version_2(1);
    let old = old_home();
    let mut a = HomeDoc::load_as(new, &old.save(), actor(11)).unwrap();
    let mut b = HomeDoc::load_as(new, &old.save(), actor(12)).unwrap();
    assert_eq!((a.heads(), a.schema_version()), (old.heads(), 1), "looking changes nothing");
    assert_eq!(a.budgets(), old.budgets());
    // both do it, offline, with an edit each
    let edit = a.put(at(1), &Entity::Budget(Budget { name: "A".into(), ..budget(1) })).unwrap();
    assert_eq!(edit.changes.len(), 2);
    b.put(at(2), &Entity::Meter(meter(1))).unwrap();
    let key = format!("{}/name", meter(1).id);
    let writes = vec![crate::doc::edit::Write { rest: "name".into(), value: Some("Bins".into()) }];
    b.commit(at(3), b.map(Kind::Prefs), meter(1).id.0, writes).unwrap();
    exchange(&mut a, &mut b);
    assert_eq!((view(&a), a.schema_version()), (view(&b), 2));
    assert_eq!(a.automerge().get(object(&a, Kind::Prefs), key).unwrap().unwrap().0.as_str(), Some("Bins"));
    let steps = a.changes_since(&[]).iter().filter(|(h, _)| h.0 == new.steps[1].hash).count();
    assert_eq!(steps, 1, "the same change");
    // a home that starts with version 2 merges with one that came from version 1
    let mut fresh = HomeDoc::start_as(new, actor(13));
    fresh.put(NOW, &Entity::Budget(budget(2))).unwrap();
    exchange(&mut fresh, &mut a);
    assert_eq!(fresh.budgets().items.len(), 2);
}

#[test]
fn an_older_program_goes_on_writing_where_it_may_and_keeps_what_it_does_not_know() {
    let mut new = HomeDoc::load_as(version_2(1), &old_home().save(), actor(11)).unwrap();
    new.put(at(1), &Entity::Meter(meter(1))).unwrap();
    let id = budget(1).id.0;
    let unknown = foreign(&new, 21, |tx| {
        let budgets = object(&new, Kind::Budget);
        tx.put(&budgets, format!("{id}/colour"), "red").unwrap();
        tx.put(&budgets, format!("{id}/period"), r#"{"kind":"week","starts":"sunday"}"#).unwrap();
        tx.put(&budgets, "00000000-0000-0000-0000-000000000005/colour", "blue").unwrap();
        tx.put(object(&new, Kind::Prefs), format!("{id}/name"), "Bins").unwrap();
        tx.put_object(ROOT, "garden", automerge::ObjType::Map).unwrap();
    });
    new.apply(&[unknown]).unwrap();
    let mut old = HomeDoc::load(&new.save(), actor(3)).unwrap();
    assert_eq!((old.access(), old.schema_version()), (Access::ReadWrite, 2));
    let known = old.budgets().items.remove(0);
    assert_eq!(known.period, Period::Week);
    old.put(at(5), &Entity::Budget(Budget { name: "Old".into(), ..known.clone() })).unwrap();
    old.remove(at(6), EntityId::Budget(known.id)).unwrap();
    old.put(at(7), &Entity::Budget(Budget { name: "Older".into(), ..known })).unwrap();
    let text = |key: String| {
        let found = old.automerge().get(object(&old, Kind::Budget), key).unwrap().unwrap().0;
        found.as_str().unwrap().to_owned()
    };
    assert_eq!(text(format!("{id}/colour")), "red");
    assert_eq!(text(format!("{id}/period")), r#"{"kind":"week","starts":"sunday"}"#);
    exchange(&mut old, &mut new);
    assert_eq!(new.budgets().items[0].name, "Older");
    assert!(new.automerge().get(ROOT, "garden").unwrap().is_some());
    assert!(new.automerge().get(object(&new, Kind::Prefs), format!("{id}/name")).unwrap().is_some());
}

#[test]
fn a_program_that_is_too_old_reads_on_and_says_what_it_needs() {
    let mut new = HomeDoc::load_as(version_2(2), &old_home().save(), actor(11)).unwrap();
    let mut old = old_home();
    let edit = new.put(at(1), &Entity::Meter(meter(1))).unwrap();
    assert_eq!(old.access(), Access::ReadWrite);
    old.apply(&bytes(&edit.changes)).unwrap();
    assert_eq!(old.access(), Access::ReadOnly { needs: 2 });
    assert_eq!((old.meters().items, old.budgets().items), (vec![meter(1)], vec![budget(1)]));
    let heads = old.heads();
    let no = Err(EditError::ReadOnly { needs: 2 });
    assert_eq!(old.put(at(2), &Entity::Budget(Budget { name: "x".into(), ..budget(1) })), no);
    assert_eq!(old.remove(at(2), EntityId::Budget(budget(1).id)), no);
    assert_eq!(old.put_profile(at(2), &Profile { bill_day: Some(3), ..Profile::default() }), no);
    assert_eq!(old.put_primary(at(2), meter(1).id, Some(Uuid::nil())), no);
    assert_eq!(old.heads(), heads);
    assert_eq!(new.access(), Access::ReadWrite);
    assert!(matches!(merge_homes(NOW, &mut old, &home(5).save()), Err(Refused::Newer { needs: 2 })));
}
