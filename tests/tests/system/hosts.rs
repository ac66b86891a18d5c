//! Three hosts of their own address: meters and a broker announce themselves, a hub finds them.

use crate::meters::PlugS;
use hearthwatt_api::{
    AdoptMeters, BrokerOrigin, BrokerState, GetHealth, GetOverview, ListBrokers, ListMeters,
};
use hearthwatt_tests::hosts::{Network, available};
use hearthwatt_tests::hub::{Hub, HubOptions};
use hearthwatt_tests::process::Program;
use hearthwatt_tests::publish::Publisher;
use hearthwatt_tests::{pass_over, program, wait};
use std::time::{Duration, Instant};

#[test]
fn a_hub_finds_broker_and_meters_on_the_network() {
    if !available() {
        return pass_over("this machine makes no network namespaces (needs root)");
    }
    let network = Network::of(&["meters", "broker", "hub"]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (meters, broker, hub_host) =
        (network.host(0).clone(), network.host(1).clone(), network.host(2).clone());

    // The hub starts first: nothing is there yet.
    let hub = hub_host.run(async || {
        Hub::start_with(folder.path(), &HubOptions { through: hub_host.through(), ..HubOptions::default() })
    });
    hub_host.run(async || {
        let overview = hub.call(GetOverview {}).await;
        assert_eq!((overview.adopted_meters, overview.found_meters), (0, 0));
    });

    // A broker appears on another host and announces itself, with the meters of a third host.
    let mut sim_broker = Program::start(broker.command(&program("hearthwatt-sim")).args([
        "--own-broker",
        "0.0.0.0:1883",
        "--meters",
        "0",
        "--announce",
        "all",
    ]));
    let broker_at = format!("{}:1883", broker.address);
    let started = Instant::now();
    let mut sim_meters = Program::start(meters.command(&program("hearthwatt-sim")).args([
        "--broker",
        &broker_at,
        "--announce",
        "all",
    ]));
    hub_host.run(async || {
        hub.wait_for("the broker is found by mDNS", Duration::from_secs(15), ListBrokers {}, |list| {
            let found = |b: &&hearthwatt_api::BrokerView| {
                b.origin == BrokerOrigin::Found && b.state == BrokerState::Connected
            };
            list.iter().find(found).map(drop)
        })
        .await;
        let list = hub
            .wait_for("eight meters of four families", Duration::from_secs(15), ListMeters {}, |l| {
                let families: std::collections::BTreeSet<_> =
                    l.found.iter().map(|m| &m.meter.key.family).collect();
                (l.found.len() >= 8 && families.len() >= 4).then_some(l)
            })
            .await;
        println!("{} meters found in {:.1} s", list.found.len(), started.elapsed().as_secs_f64());
        let adopted = hub.call(AdoptMeters { ids: vec![] }).await.adopted;
        assert!(adopted.len() >= 8);
        hub.wait_for("values come in", Duration::from_secs(10), GetOverview {}, |o| o.flow.home).await;
    });

    // A new meter that announces itself is on the page within five seconds.
    meters.run(async || {
        let publisher = Publisher::connect_to(&broker.address, 1883, "late");
        let plug = PlugS("shellyplug-s-C0FFEE");
        let begun = Instant::now();
        plug.power(&publisher, 12.0).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        plug.power(&publisher, 12.0).await;
        // the page is asked from the hub's own host: another thread of work there
        hub_host.run(async || {
            hub.wait_for("the new meter is found", Duration::from_secs(5), ListMeters {}, |l| {
                l.found.iter().find(|m| m.meter.key.device_id.contains("C0FFEE")).map(drop)
            })
            .await;
        });
        println!("a new meter was found in {:?}", begun.elapsed());
    });

    // The cable of the broker is pulled: said in words, the rest goes on; then all comes back.
    network.plug(1, false).unwrap();
    hub_host.run(async || {
        hub.wait_for("the loss is a notice", Duration::from_secs(60), GetHealth {}, |n| {
            (!n.is_empty()).then_some(())
        })
        .await;
        assert!(hub.call(GetOverview {}).await.adopted_meters >= 8);
    });
    network.plug(1, true).unwrap();
    hub_host.run(async || {
        wait::until("it is connected again", Duration::from_secs(60), || async {
            let list = hub.call(ListBrokers {}).await;
            list.iter().any(|b| b.state == BrokerState::Connected).then_some(())
        })
        .await;
    });
    assert!(sim_broker.has_ended().is_none() && sim_meters.has_ended().is_none());
}
