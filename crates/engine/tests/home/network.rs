//! Brokers and devices that announce themselves, and the broker inside.

use super::*;
use hearthwatt_discovery::net::mdns::{Interfaces, Service, announce_all};

fn service(kind: &str, instance: &str, port: u16, txt: &[(&str, &str)]) -> Service {
    Service {
        service: kind.into(),
        instance: instance.into(),
        host: format!("{}-host", instance.to_lowercase()),
        addresses: vec!["127.0.0.1".parse().unwrap()],
        port,
        txt: txt.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_announces_itself_is_listened_to_or_shown_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let broker = own_broker();
    let port = broker.address().port();
    // names of this run: other tests may announce beside us
    let (name, shelly) = (format!("broker{port}"), format!("shellyplugsg3-{port:012x}"));
    let announced = announce_all(
        Interfaces::Loopback,
        &[service("_mqtt._tcp", &name, port, &[]), service("_shelly._tcp", &shelly, 80, &[("gen", "3")])],
    )
    .unwrap();
    let mut opening = options(dir.path(), TestClock::at(START), None);
    opening.discovery = Discovery::Loopback;
    let home = Home::open(opening).await.unwrap();
    let found_broker = until(&home, "broker", || async {
        let brokers = home.ListBrokers(ListBrokers {}).await.unwrap();
        brokers.into_iter().find(|b| b.port == port && b.state == BrokerState::Connected)
    })
    .await;
    assert_eq!(found_broker.origin, BrokerOrigin::Found);
    let seen = until(&home, "device", || async {
        let seen = home.ListMeters(ListMeters {}).await.unwrap().seen;
        seen.into_iter().find(|s| s.name.contains(&format!("{port:012x}")))
    })
    .await;
    assert_eq!((seen.hint, seen.address.as_str()), (SeenHint::EnableMqtt, "127.0.0.1"));
    let publisher = Publisher::new(port);
    listening(&home, &publisher).await;
    publisher.tasmota("fridge", 90.0, 1.0).await;
    found(&home, "fridge").await;

    // one that the household does not want stays away, over restarts too
    home.DeleteBroker(DeleteBroker { id: found_broker.id }).await.unwrap();
    home.close().await;
    let mut opening = options(dir.path(), TestClock::at(START), None);
    opening.discovery = Discovery::Loopback;
    let home = Home::open(opening).await.unwrap();
    until(&home, "device", || async {
        let seen = home.ListMeters(ListMeters {}).await.unwrap().seen;
        seen.into_iter().find(|s| s.name.contains(&format!("{port:012x}")))
    })
    .await;
    assert!(home.ListBrokers(ListBrokers {}).await.unwrap().iter().all(|b| b.id != found_broker.id));
    home.close().await;
    drop(announced);
}

#[tokio::test(flavor = "multi_thread")]
async fn this_computer_can_be_the_broker() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(options(dir.path(), TestClock::at(START), None)).await.unwrap();
    let list = home.SetOwnBroker(SetOwnBroker { enabled: true }).await.unwrap();
    assert_eq!(list[0].origin, BrokerOrigin::Own);
    connected(&home).await;
    let publisher = Publisher::new(list[0].port);
    listening(&home, &publisher).await;
    publisher.tasmota("fridge", 90.0, 1.0).await;
    found(&home, "fridge").await;
    home.close().await;
    // it is on again after a restart, until it is switched off
    let home = Home::open(options(dir.path(), TestClock::at(START), None)).await.unwrap();
    connected(&home).await;
    assert!(home.SetOwnBroker(SetOwnBroker { enabled: false }).await.unwrap().is_empty());
    home.close().await;
    let home = Home::open(options(dir.path(), TestClock::at(START), None)).await.unwrap();
    assert!(home.ListBrokers(ListBrokers {}).await.unwrap().is_empty());
    home.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_bytes_on_any_topic_are_refused_counted_and_shown() {
    let dir = tempfile::tempdir().unwrap();
    let broker = own_broker();
    let port = broker.address().port();
    let home = Home::open(options(dir.path(), TestClock::at(START), Some(port))).await.unwrap();
    connected(&home).await;
    let publisher = Publisher::new(port);
    listening(&home, &publisher).await;
    publisher.tasmota("plug", 1.0, 1.0).await;
    let id = found(&home, "plug").await.meter.id;
    for bytes in [&b"\xff\xfe{"[..], b"{\"ENERGY\":{\"Power\":", b"{\"ENERGY\":{\"Power\":\"x\"}}"] {
        publisher.publish("tele/plug/SENSOR", bytes).await;
    }
    publisher.tasmota("plug", 2.0, 1.0).await;
    let view = until(&home, "the good value after", || async {
        let view = home.ListMeters(ListMeters {}).await.unwrap().found.remove(0);
        (view.power == Some(hearthwatt_domain::units::Power::from_watts(2.0))).then_some(view)
    })
    .await;
    assert!(view.refused >= 2 && view.last_refusal.is_some(), "{view:?}");
    let refusals = home.ListRefusals(ListRefusals { meter: Some(id) }).await.unwrap();
    assert_eq!(refusals.len() as u64, view.refused);
    assert!(refusals.iter().all(|r| r.topic == "tele/plug/SENSOR" && !r.reason.is_empty()));
    home.close().await;
}
