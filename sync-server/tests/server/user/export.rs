//! What somebody gets who asks for everything.

use super::homes::{home_of, join};
use super::site::Site;
use automerge::transaction::Transactable;
use automerge::{AutoCommit, ROOT, ReadDoc};
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::units::Energy;
use hearthwatt_domain::usage::IntervalUsage;
use hearthwatt_server::store::{BlockEntry, Change, Hash};
use hearthwatt_server_api::{Prefs, paths};
use hearthwatt_sync::block;
use serde_json::Value;
use std::io::{Cursor, Read};
use uuid::Uuid;
use zip::ZipArchive;

type Archive = ZipArchive<Cursor<Vec<u8>>>;

fn names(archive: &Archive) -> Vec<String> {
    let mut names: Vec<String> = archive.file_names().map(|n| n.unwrap().into_owned()).collect();
    names.sort();
    names
}

#[track_caller]
fn file(archive: &mut Archive, name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

async fn document(site: &Site, id: Uuid, key: &str) {
    let mut doc = AutoCommit::new();
    for n in 0..3 {
        doc.put(ROOT, key, n).unwrap();
        doc.commit();
    }
    let changes: Vec<Change> = doc
        .get_changes(&[])
        .iter()
        .map(|c| Change { hash: Hash(c.hash().0), bytes: c.raw_bytes().to_vec() })
        .collect();
    // in any order
    for change in changes.into_iter().rev() {
        site.app.store.append_changes(id, &[change]).await.unwrap();
    }
}

async fn publish(site: &Site, home: Uuid, revision: u64, wh: f64) {
    let day = "2026-03-29".parse().unwrap();
    let (recorder, meter) = (Uuid::from_u128(1), MeterId(Uuid::from_u128(2)));
    let rows: Vec<IntervalUsage> = (0..96)
        .map(|n| {
            let start = UnixMillis(1_774_742_400_000 + n * 900_000);
            IntervalUsage { import: Energy::from_wh(wh), covered_ms: 900_000, ..IntervalUsage::empty(start) }
        })
        .collect();
    let block = block::of_rows(recorder, meter, day, revision, &rows).unwrap();
    let (bytes, day) = (block.encode(), day.to_string());
    let hash = Hash(block.hash().0);
    let entry =
        BlockEntry { seq: 0, hash, recorder, meter: meter.0, day, revision, size: bytes.len() as u64 };
    site.app.store.put_block(home, &entry, &bytes).await.unwrap();
}

#[tokio::test]
async fn a_home_comes_out_whole() {
    let site = Site::new().await;
    let (ada, vic) = (site.member("ada@home.example").await, site.member("vic@home.example").await);
    let id = home_of(&ada).await;
    join(&ada, &vic, id, "viewer").await;
    let prefs = vic.get(&paths::prefs(id)).await.ok().json::<Prefs>().document;
    document(&site, id, "name").await;
    document(&site, prefs, "language").await;
    publish(&site, id, 1, 100.0).await;
    publish(&site, id, 2, 250.5).await;

    let answer = vic.get(&paths::home_export(id)).await.ok();
    assert_eq!(answer.headers["content-type"], "application/zip");
    let mut archive = ZipArchive::new(Cursor::new(answer.body)).unwrap();
    let expected = ["home.automerge", "home.json", "members.json", "preferences.automerge", "usage.csv"];
    assert_eq!(names(&archive), expected.map(|n| format!("home/{n}")));
    for (name, key) in [("home/home.automerge", "name"), ("home/preferences.automerge", "language")] {
        let doc = AutoCommit::load(&file(&mut archive, name)).unwrap();
        assert_eq!(doc.get(ROOT, key).unwrap().unwrap().0.as_i64(), Some(2), "{name}");
    }
    let usage = String::from_utf8(file(&mut archive, "home/usage.csv")).unwrap();
    let lines: Vec<&str> = usage.lines().collect();
    assert_eq!(lines.len(), 97, "the newest revision, once");
    assert!(
        lines[1].starts_with("2026-03-29T00:00:00Z,")
            && lines[1].contains(",250.500,0.000,measured,900.000,"),
        "{}",
        lines[1]
    );
    // a viewer sees no addresses of others, and no invitations
    let members: Value = serde_json::from_slice(&file(&mut archive, "home/members.json")).unwrap();
    assert_eq!(
        (&members[0]["email"], &members[1]["email"]),
        (&Value::Null, &Value::from("vic@home.example"))
    );
}

#[tokio::test]
async fn an_account_comes_out_with_its_homes_and_without_secrets() {
    let site = Site::new().await;
    let (ada, bob) = (site.member("ada@home.example").await, site.member("bob@home.example").await);
    let (own, waiting) = (home_of(&ada).await, home_of(&bob).await);
    let code = super::homes::invite(&bob, waiting, "member").await;
    ada.post(&paths::accept_invitation(&code), serde_json::json!({})).await.ok();
    document(&site, waiting, "name").await;
    let answer = ada.get(paths::ME_EXPORT).await.ok();
    let mut archive = ZipArchive::new(Cursor::new(answer.body)).unwrap();
    let mut expected = vec![
        "account.json".to_owned(),
        "devices.json".into(),
        format!("homes/{own}/home.json"),
        format!("homes/{own}/invitations.json"),
        format!("homes/{own}/members.json"),
        // of a home that waits for its owner there is nothing but that
        format!("homes/{waiting}/home.json"),
        "sign_ins.json".into(),
    ];
    expected.sort();
    assert_eq!(names(&archive), expected);
    let all: String = expected.iter().map(|n| String::from_utf8(file(&mut archive, n)).unwrap()).collect();
    for secret in ["argon2", "hwa_", "hwr_", "refresh", "code"] {
        assert!(!all.contains(secret), "{secret}");
    }
    assert!(all.contains("ada@home.example") && all.contains("Kitchen tablet"));
}
