//! kill -9 at any moment: what was committed is there after the restart, and the rollups agree
//! with the readings.

use crate::meters::{PlugS, Pro3Em, SOON, add_broker, adopt_all};
use hearthwatt_api::{GetHealth, ListMeters};
use hearthwatt_tests::broker::Mosquitto;
use hearthwatt_tests::hub::Hub;
use hearthwatt_tests::publish::Publisher;
use hearthwatt_tests::stored;
use std::time::Duration;

const ROUNDS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_committed_is_lost_and_rollups_agree() {
    let broker = Mosquitto::start();
    let folder = tempfile::tempdir().unwrap();
    let publisher = Publisher::connect(broker.port, "kill");
    let (grid, plug) = (Pro3Em("shellypro3em-08f9e0e5dead"), PlugS("shellyplug-s-DEAD01"));
    let mut hub = Hub::start(folder.path(), &[]);
    add_broker(&hub, broker.port).await;
    adopt_all(&hub, 2, async || {
        grid.power(&publisher, 500.0).await;
        plug.power(&publisher, 20.0).await;
    })
    .await;

    let mut seen: Vec<stored::Row> = Vec::new();
    let mut energy = 1000.0;
    for round in 0..ROUNDS {
        // moments spread over the second in which a commit happens
        let messages = 200 + round * 37;
        for n in 0..messages {
            energy += 0.25;
            grid.power(&publisher, 500.0 + n as f64).await;
            grid.energy(&publisher, energy, 0.0).await;
            plug.power(&publisher, 20.0 + (n % 7) as f64).await;
            if n % 20 == 0 {
                tokio::time::sleep(Duration::from_millis(13)).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(90 * round as u64 % 1000)).await;
        hub.program.kill();

        let now = stored::readings(&hub_database(folder.path()));
        for row in &seen {
            assert!(
                now.binary_search_by(|r| stored::order(r, row)).is_ok(),
                "round {round}: {row:?} was committed and is gone"
            );
        }
        stored::assert_rollups_agree(&hub_database(folder.path()));
        println!("round {round}: {} readings kept", now.len());
        seen = now;

        hub = Hub::start(folder.path(), &[]);
        assert!(hub.call(GetHealth {}).await.iter().all(|n| n.severity != hearthwatt_api::Severity::Error));
        hub.wait_for("the meters are still adopted", SOON, ListMeters {}, |l| {
            (l.adopted.len() == 2).then_some(())
        })
        .await;
        hub.wait_for("the broker is connected", SOON, hearthwatt_api::ListBrokers {}, |l| {
            l.iter().any(|b| b.state == hearthwatt_api::BrokerState::Connected).then_some(())
        })
        .await;
    }
    assert!(seen.len() > 1000, "the test stored something: {}", seen.len());
}

fn hub_database(folder: &std::path::Path) -> std::path::PathBuf {
    stored::find_database(folder)
}
