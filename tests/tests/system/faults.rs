//! What goes wrong on a real machine: a full disk, a broken or read-only database, a second
//! instance. Each is said in words, nothing stored is lost, nothing crashes.

use crate::meters::{Pro3Em, SOON, add_broker, adopt_all};
use hearthwatt_api::{GetHealth, ListAlerts, ListMeters, NoticeCode};
use hearthwatt_tests::broker::Mosquitto;
use hearthwatt_tests::hub::{Hub, HubOptions};
use hearthwatt_tests::process::Program;
use hearthwatt_tests::publish::Publisher;
use hearthwatt_tests::{pass_over, stored};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

const METER: Pro3Em = Pro3Em("shellypro3em-08f9e0e5face");

/// A small disk of its own; taken away when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn of(size: &str) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().ok()?;
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(folder.path())
            .status();
        mounted.is_ok_and(|s| s.success()).then_some(SmallDisk(folder))
    }
    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_nothing_stored_is_lost() {
    let Some(disk) = SmallDisk::of("12m") else {
        return pass_over("this machine mounts no small disk (needs root)");
    };
    let broker = Mosquitto::start();
    let mut hub = Hub::start(disk.path(), &["--discovery", "off"]);
    add_broker(&hub, broker.port).await;
    let publisher = Publisher::connect(broker.port, "full");
    adopt_all(&hub, 1, async || METER.power(&publisher, 300.0).await).await;
    // something is stored, then the rest of the disk is taken
    for n in 0..500 {
        METER.power(&publisher, 300.0 + f64::from(n)).await;
        // two values of one millisecond are one reading
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let filler = disk.path().join("filler");
    let _ = std::fs::write(&filler, vec![0u8; 12 << 20]);
    let until = Instant::now() + Duration::from_secs(60);
    let notice = loop {
        for n in 0..200 {
            METER.power(&publisher, 1000.0 + f64::from(n)).await;
        }
        let notices = hub.call(GetHealth {}).await;
        if let Some(n) = notices.into_iter().find(|n| n.code == NoticeCode::DiskFull) {
            break n;
        }
        assert!(Instant::now() < until, "the full disk is a notice");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(notice.message.len() > 20, "{}", notice.message);
    let rows = stored::readings(&stored::find_database(disk.path()));
    assert!(rows.len() >= 400, "what was stored is there: {}", rows.len());

    std::fs::remove_file(&filler).unwrap();
    hub.wait_for("it recovers by itself", Duration::from_secs(60), GetHealth {}, |n| {
        n.iter().all(|n| n.code != NoticeCode::DiskFull).then_some(())
    })
    .await;
    METER.power(&publisher, 77.0).await;
    let until = Instant::now() + SOON;
    loop {
        let now = stored::readings(&stored::find_database(disk.path()));
        for row in &rows {
            assert!(now.binary_search_by(|r| stored::order(r, row)).is_ok(), "{row:?} is gone");
        }
        if now.iter().any(|r| r.value == 77.0) {
            break;
        }
        assert!(Instant::now() < until, "readings are stored again");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    hub.program.terminate(SOON);
    stored::assert_rollups_agree(&stored::find_database(disk.path()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_database_is_set_aside_and_said() {
    let broker = Mosquitto::start();
    let folder = tempfile::tempdir().unwrap();
    let mut hub = Hub::start(folder.path(), &["--discovery", "off"]);
    add_broker(&hub, broker.port).await;
    let publisher = Publisher::connect(broker.port, "broken");
    adopt_all(&hub, 1, async || METER.power(&publisher, 300.0).await).await;
    for n in 0..2000 {
        METER.power(&publisher, f64::from(n)).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // closed in order, all is in the database itself; the next run ends as in a power cut
    hub.program.terminate(SOON);
    let mut hub = Hub::start(folder.path(), &["--discovery", "off"]);
    hub.call(ListMeters {}).await;
    hub.program.kill();
    // pages in the middle are overwritten, as a dying card does
    let database = stored::find_database(folder.path());
    let mut bytes = std::fs::read(&database).unwrap();
    let third = bytes.len() / 3;
    bytes[third..third + 8192].iter_mut().enumerate().for_each(|(n, b)| *b = (n * 31) as u8);
    std::fs::write(&database, &bytes).unwrap();

    let hub = Hub::start(folder.path(), &["--discovery", "off"]);
    let notice = hub
        .wait_for("the broken database is a notice", SOON, GetHealth {}, |n| {
            n.into_iter().find(|n| n.code == NoticeCode::DatabaseRebuilt)
        })
        .await;
    println!("{}", notice.message);
    // nothing was deleted: the broken file is still somewhere in the folder, whole
    let kept = walk(folder.path()).into_iter().any(|f| {
        std::fs::read(f)
            .is_ok_and(|b| b.len() == bytes.len() && b[third..third + 8192] == bytes[third..third + 8192])
    });
    assert!(kept, "the broken database is kept");
    // what could be read is there, and the home goes on
    let saved = stored::readings(&database);
    assert!(saved.len() > 500, "{} readings saved", saved.len());
    hub.wait_for("new values are heard", SOON, ListMeters {}, |l| l.adopted.first().map(drop)).await;
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.flat_map(|e| if e.path().is_dir() { walk(&e.path()) } else { vec![e.path()] }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_instance_says_so_and_harms_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let first = Hub::start(folder.path(), &["--discovery", "off"]);
    let mut second =
        Program::start(&mut Hub::command(folder.path(), &HubOptions::arguments(&["--discovery", "off"])));
    let until = Instant::now() + SOON;
    let status = loop {
        if let Some(status) = second.has_ended() {
            break status;
        }
        assert!(Instant::now() < until, "the second one ends:\n{}", second.output());
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert!(!status.success());
    tokio::time::sleep(Duration::from_millis(100)).await;
    let words = second.output();
    assert!(words.to_lowercase().contains("already") || words.contains("another"), "it says why: {words}");
    assert!(first.call(ListAlerts { unacknowledged_only: false }).await.is_empty());
    assert!(first.call(ListMeters {}).await.adopted.is_empty());
}
