//! Others write what they like: it is skipped, counted, and never a panic.

use super::*;
use automerge::{ObjType, ROOT, ScalarValue};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

fn with_all() -> HomeDoc {
    let mut doc = home(1);
    let entities = [
        Entity::Meter(meter(1)),
        Entity::Budget(budget(1)),
        Entity::Tariff(tariff(1)),
        Entity::Alert(alert(0, 80)),
        Entity::Correction(correction(1)),
    ];
    entities.iter().for_each(|e| drop(doc.put(NOW, e).unwrap()));
    doc
}

#[test]
fn a_value_of_a_wrong_type_takes_only_its_entity_along() {
    let doc = with_all();
    let id = |kind| match kind {
        Kind::Meter => meter(1).id.0,
        Kind::Alert => alert(0, 80).id.0,
        _ => Uuid::from_u128(1),
    };
    let list = foreign(&doc, 9, |tx| {
        for kind in [Kind::Meter, Kind::Tariff, Kind::Budget, Kind::Alert, Kind::Correction] {
            for field in doc.map(kind).fields {
                tx.put_object(object(&doc, kind), format!("{}/{}", id(kind), field.key), ObjType::List)
                    .unwrap();
            }
        }
        tx.put(object(&doc, Kind::Meter), "junk", 1).unwrap();
        tx.put(object(&doc, Kind::Meter), "A0000000-0000-0000-0000-000000000000/name", "capitals").unwrap();
    });
    let mut now = doc.clone();
    now.apply(&[list]).unwrap();
    // the fields of a meter that can't be read leave nothing; each junk key counts
    assert_eq!((now.meters().items.len(), now.meters().skipped), (0, 3));
    let skipped =
        (now.tariffs().skipped, now.budgets().skipped, now.alerts().skipped, now.corrections().skipped);
    assert_eq!(skipped, (1, 1, 1, 1));
    // and putting it again heals it
    now.put(at(9), &Entity::Budget(budget(1))).unwrap();
    now.put(at(9), &Entity::Alert(alert(0, 80))).unwrap();
    now.put(at(9), &Entity::Meter(meter(1))).unwrap();
    assert_eq!((now.budgets().items, now.alerts().items), (vec![budget(1)], vec![alert(0, 80)]));
    assert_eq!(now.meters().items, vec![meter(1)]);
}

#[test]
fn values_that_would_overflow_are_left_out() {
    let doc = with_all();
    let check = |kind, key: String, value: &str, count: &dyn Fn(&HomeDoc) -> u32| {
        let change = foreign(&doc, 9, |tx| tx.put(object(&doc, kind), key.clone(), value).unwrap());
        let mut now = doc.clone();
        now.apply(&[change]).unwrap();
        assert_eq!(count(&now), 1, "{key}: {value}");
    };
    let id = Uuid::from_u128(1);
    let span = r#"{"start":-9223372036854775808,"end":9223372036854775807}"#;
    let set = format!(r#"{{"kind":"exclude","span":{span}}}"#);
    check(Kind::Correction, format!("{id}/change"), &set, &|d| d.corrections().skipped);
    check(Kind::Tariff, format!("{id}/valid"), r#"{"valid_from":"-009999-01-01"}"#, &|d| d.tariffs().skipped);
    check(Kind::Budget, format!("{id}/limit"), r#"{"kind":"energy","value":9223372036854775807}"#, &|d| {
        d.budgets().skipped
    });
    check(Kind::Budget, format!("{id}/scope"), &"[".repeat(20_000), &|d| d.budgets().skipped);
    let long = format!("\"{}\"", "x".repeat(50_000));
    check(Kind::Tariff, format!("{id}/import"), &long, &|d| d.tariffs().skipped);
    let facts =
        serde_json::to_string(&alert(0, 80)).unwrap().replace(&NOW.0.to_string(), "9223372036854775807");
    check(Kind::Alert, format!("{}/facts", alert(0, 80).id), &facts, &|d| d.alerts().skipped);
}

#[test]
fn a_map_that_somebody_hid_is_still_read_and_written() {
    let doc = with_all();
    let hide = foreign(&doc, 9, |tx| {
        tx.put(ROOT, "budgets", 1).unwrap();
        tx.put_object(ROOT, "meters", ObjType::Map).unwrap();
        tx.delete(ROOT, "tariffs").unwrap();
    });
    let mut a = doc.clone();
    a.apply(&[hide]).unwrap();
    let mut b = HomeDoc::load(&a.save(), actor(3)).unwrap();
    assert_eq!((a.budgets(), a.meters(), a.tariffs()), (doc.budgets(), doc.meters(), doc.tariffs()));
    let edit = a.put(at(5), &Entity::Budget(Budget { name: "Bill".into(), ..budget(1) })).unwrap();
    let touched = b.apply(&bytes(&edit.changes)).unwrap();
    assert_eq!(touched, vec![Touched { kind: Kind::Budget, id: Uuid::from_u128(1) }]);
    assert_eq!(b.budgets().items[0].name, "Bill");
}

#[test]
fn what_javascript_writes_can_be_read() {
    let doc = with_all();
    let id = Uuid::from_u128(1);
    let change = foreign(&doc, 9, |tx| {
        let budgets = object(&doc, Kind::Budget);
        let name = tx.put_object(&budgets, format!("{id}/name"), ObjType::Text).unwrap();
        tx.splice_text(&name, 0, 0, "Jänner").unwrap();
        tx.put(&budgets, format!("{id}/created"), 1_767_225_600_001.0).unwrap();
        tx.put(object(&doc, Kind::Profile), "bill_day", ScalarValue::Uint(7)).unwrap();
    });
    let mut now = doc.clone();
    now.apply(&[change]).unwrap();
    let budget = now.budgets().items.remove(0);
    assert_eq!((budget.name.as_str(), budget.created.0), ("Jänner", 1_767_225_600_001));
    assert_eq!(now.profile().bill_day, Some(7));
    // typing in that text touches the budget
    let change = foreign(&now, 10, |tx| {
        let (_, name) =
            automerge::ReadDoc::get(tx, object(&doc, Kind::Budget), format!("{id}/name")).unwrap().unwrap();
        tx.splice_text(&name, 0, 1, "F").unwrap();
    });
    assert_eq!(now.apply(&[change]).unwrap(), vec![Touched { kind: Kind::Budget, id }]);
    assert_eq!(now.budgets().items[0].name, "Fänner");
}

#[test]
fn a_schema_change_can_not_be_forged() {
    let doc = home(1);
    let (_, genesis) = schema_changes().next().unwrap();
    let author = automerge::Change::try_from(genesis).unwrap().actor_id().clone();
    assert!(is_schema_actor(&author) && !is_schema_actor(&actor(1)));
    let mut am = doc.automerge().clone().with_actor(author);
    let mut tx = am.transaction();
    tx.put(ROOT, "schema_version", 2).unwrap();
    tx.commit();
    let forged = am.get_changes(&doc.heads()).remove(0).raw_bytes().to_vec();
    let mut now = doc.clone();
    assert!(matches!(now.apply(&[forged]), Err(Refused::Damaged(_))));
    assert_eq!(now.heads(), doc.heads());
}

#[test]
fn changes_may_come_before_what_they_depend_on() {
    let doc = with_all();
    let mut all = bytes(&doc.changes_since(&[]));
    all.reverse();
    let mut other = home(2);
    let mut touched = std::collections::BTreeSet::new();
    for change in &all {
        touched.extend(other.apply(std::slice::from_ref(change)).unwrap());
        // waiting changes survive a restart
        other = HomeDoc::load(&other.save(), actor(3)).unwrap();
    }
    assert_eq!((view(&other), other.heads(), touched.len()), (view(&doc), doc.heads(), 5));
    assert_eq!(other.apply(&all).unwrap(), vec![], "again is nothing new");
}

#[test]
fn a_wrong_checksum_is_refused_before_it_makes_the_document_unreadable() {
    let doc = with_all();
    let long = Entity::Meter(Meter { name: "long enough to be compressed ".repeat(20), ..meter(5) });
    for change in
        [bytes(&doc.changes_since(&[])).remove(1), doc.clone().put(NOW, &long).unwrap().changes.remove(0).1]
    {
        let mut change = change;
        change[5] ^= 1;
        let mut now = home(2);
        assert!(matches!(now.apply(&[change]), Err(Refused::Damaged(_))));
        assert_eq!(now.save(), home(2).save());
    }
}

#[test]
fn a_change_that_inflates_beyond_measure_is_not_inflated() {
    let mut deflated = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut deflated, &vec![0; 64 * 1024 * 1024]).unwrap();
    let deflated = deflated.finish().unwrap();
    let mut bomb = vec![0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 2];
    let mut length = deflated.len();
    while length >= 0x80 {
        bomb.push(length as u8 | 0x80);
        length >>= 7;
    }
    bomb.push(length as u8);
    bomb.extend(deflated);
    assert!(bomb.len() < 100_000);
    assert!(matches!(home(1).apply(std::slice::from_ref(&bomb)), Err(Refused::TooLarge { .. })));
    assert!(matches!(merge_homes(NOW, &mut home(1), &bomb), Err(Refused::TooLarge { .. })));
}

/// The bytes of a change with its checksum made right again.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = Sha256::digest(&bytes[8..]);
    bytes[4..8].copy_from_slice(&sum[..4]);
    bytes
}

proptest! {
    #[test]
    fn a_mutated_change_is_refused_or_taken_whole(
        which in any::<prop::sample::Index>(),
        hits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        seal in any::<bool>(),
    ) {
        let doc = with_all();
        let all = bytes(&doc.changes_since(&[]));
        let mut bytes = all[1 + which.index(all.len() - 1)].clone();
        for (at, byte) in hits {
            let at = 8 + at.index(bytes.len() - 8);
            bytes[at] = byte;
        }
        let bytes = if seal { sealed(bytes) } else { bytes };
        let mut now = doc.clone();
        match now.apply(&[bytes]) {
            Err(_) => prop_assert_eq!(now.save(), doc.save()),
            Ok(_) => {
                let again = HomeDoc::load(&now.save(), actor(8)).unwrap();
                prop_assert_eq!(view(&again), view(&now));
            }
        }
    }

    #[test]
    fn any_values_anywhere_are_read_without_a_panic(
        writes in proptest::collection::vec((0..6_usize, any::<prop::sample::Index>(), 0..3_u8, any_scalar()), 1..30),
    ) {
        let mut doc = with_all();
        let kinds = [Kind::Profile, Kind::Meter, Kind::Tariff, Kind::Budget, Kind::Alert, Kind::Correction];
        let change = foreign(&doc, 9, |tx| {
            for (kind, field, member, value) in writes {
                let map = doc.map(kinds[kind]);
                let fields: Vec<_> = map.all_fields().collect();
                let field = if map.single { &map.fields[field.index(map.fields.len())] } else { fields[field.index(fields.len())] };
                let id = if kinds[kind] == Kind::Meter { meter(1).id.0 } else { Uuid::from_u128(u128::from(member)) };
                let rest = if field.shape.is_many() { format!("{}/{}", field.key, 50 + member) } else { field.key.to_owned() };
                tx.put(map.object(), crate::doc::record::key(map, id, &rest), value).unwrap();
            }
        });
        doc.apply(&[change]).unwrap();
        let _ = view(&doc);
        for entity in [Entity::Meter(meter(1)), Entity::Budget(budget(1)), Entity::Tariff(tariff(1))] {
            doc.put(at(3), &entity).unwrap();
            prop_assert_eq!(doc.get(entity.id()), Some(entity));
        }
    }
}

fn any_scalar() -> impl Strategy<Value = ScalarValue> {
    prop_oneof![
        any::<i64>().prop_map(ScalarValue::Int),
        any::<u64>().prop_map(ScalarValue::Uint),
        any::<f64>().prop_map(ScalarValue::F64),
        any::<bool>().prop_map(ScalarValue::Boolean),
        any::<i64>().prop_map(ScalarValue::Timestamp),
        Just(ScalarValue::Null),
        Just(ScalarValue::counter(3)),
        proptest::collection::vec(any::<u8>(), 0..9).prop_map(ScalarValue::Bytes),
        ".{0,12}".prop_map(|s| ScalarValue::Str(s.as_str().into())),
        prop_oneof![
            Just("null"),
            Just("[1,2]"),
            Just("{}"),
            Just("9e999"),
            Just("adopted"),
            Just("\"adopted\""),
            Just(r#"{"kind":"home"}"#),
            Just(r#"{"kind":"money","value":5}"#),
            Just(r#"{"kind":"energy","value":-5}"#),
            Just(r#"{"kind":"bill_month","start_day":99}"#),
            Just(r#"{"valid_from":"2026-02-30"}"#),
            Just(r#"{"kind":"flat","price":9000000000000000000}"#),
            Just("00000000-0000-0000-0000-000000000001"),
        ]
        .prop_map(|s| ScalarValue::Str(s.into())),
    ]
}
