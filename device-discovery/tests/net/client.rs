//! The client: loss is counted, size is bounded, subscriptions survive, messages come at once.

use super::*;
use hearthwatt_discovery::net::broker::{self, BrokerOptions, Limits, OwnBroker};
use hearthwatt_discovery::net::mqtt::PACKET_MAX_BYTES;
use std::time::Instant;

fn roomy() -> OwnBroker {
    let limits = Limits { packet_bytes: 64 << 20, retained_bytes: 64 << 20, ..Limits::default() };
    broker::start(BrokerOptions { limits, ..BrokerOptions::loopback() }).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_comes_back_is_subscribed_to_again() {
    let broker = broker::start(BrokerOptions::loopback()).unwrap();
    let address = broker.address();
    let (handle, mut messages) = listen(config(address.port(), &["a/#"]), 64);
    connected(&handle).await;
    assert!(handle.subscribe("b/+/c"));
    assert!(!handle.subscribe("b/#/c"), "an invalid filter is refused");
    let publisher = Publisher::new(address.port());
    subscribed(&publisher, &mut messages, "b/ä/c").await;

    broker.stop().await;
    state(&handle, "unreachable", |s| matches!(s, ConnState::Unreachable { .. })).await;
    let broker = broker::start(BrokerOptions { listen: address, ..BrokerOptions::loopback() }).unwrap();
    connected(&handle).await;
    subscribed(&publisher, &mut messages, "a/x").await;
    subscribed(&publisher, &mut messages, "b/y/c").await;
    assert_eq!(handle.counters().connects, 2);
    let states = handle.state();
    handle.stop().await;
    assert_eq!(*states.borrow(), ConnState::Disabled);
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connected_means_that_the_next_message_is_heard() {
    let broker = broker::start(BrokerOptions::loopback()).unwrap();
    let publisher = Publisher::new(broker.address().port());
    // more than one SUBSCRIBE packet, and the topic that is published is in the last
    let filters: Vec<String> = (0..200).map(|n| format!("f/{n}")).collect();
    let filters: Vec<&str> = filters.iter().map(String::as_str).collect();
    for round in 0..20 {
        let (handle, mut messages) = listen(config(broker.address().port(), &filters), 8);
        connected(&handle).await;
        publisher.publish("f/199", false, round.to_string()).await;
        assert_eq!(next(&mut messages).await.payload, round.to_string());
        handle.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_subscription_is_a_state_and_the_others_are_heard() {
    let limits = Limits { filters: 1, ..Limits::default() };
    let broker = broker::start(BrokerOptions { limits, ..BrokerOptions::loopback() }).unwrap();
    let (handle, mut messages) = listen(config(broker.address().port(), &["a", "b"]), 8);
    let restricted = ConnState::Restricted { refused: vec!["b".into()] };
    state(&handle, "restricted", |s| *s == restricted).await;
    let publisher = Publisher::new(broker.address().port());
    publisher.publish("b", false, "unheard").await;
    publisher.publish("a", false, "heard").await;
    assert_eq!(next(&mut messages).await.payload, "heard");
    // one that was learnt later is named too
    assert!(handle.subscribe("c"));
    let restricted = ConnState::Restricted { refused: vec!["b".into(), "c".into()] };
    state(&handle, "more restricted", |s| *s == restricted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_consumer_does_not_take_is_counted_and_blocks_nothing() {
    let broker = broker::start(BrokerOptions::loopback()).unwrap();
    let (handle, mut messages) = listen(config(broker.address().port(), &["a"]), 4);
    let publisher = Publisher::new(broker.address().port());
    subscribed(&publisher, &mut messages, "a").await;
    let before = handle.counters();
    for i in 0..100 {
        publisher.publish("a", false, i.to_string()).await;
    }
    let deadline = Instant::now() + PATIENCE;
    while handle.counters().lost < before.lost + 96 && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let after = handle.counters();
    assert_eq!((after.delivered - before.delivered, after.lost - before.lost), (4, 96));
    assert_eq!(next(&mut messages).await.payload, "0");
    assert_eq!(*handle.state().borrow(), ConnState::Connected);
}

#[tokio::test(flavor = "multi_thread")]
async fn large_payloads_are_refused_and_counted() {
    let broker = roomy();
    let mut config = config(broker.address().port(), &["a"]);
    config.payload_max_bytes = 1000;
    let (handle, mut messages) = listen(config, 16);
    let publisher = Publisher::new(broker.address().port());
    subscribed(&publisher, &mut messages, "a").await;
    publisher.publish("a", false, vec![0; 1001]).await;
    publisher.publish("a", false, vec![0; 1000]).await;
    assert_eq!(next(&mut messages).await.payload.len(), 1000);
    assert_eq!(handle.counters().oversized, 1);
    assert_eq!(handle.counters().connects, 1, "the connection holds");

    // larger than can be read at all: it comes back and says why it was gone
    publisher.publish("a", false, vec![0; PACKET_MAX_BYTES + 1]).await;
    let gone = state(&handle, "unreachable", |s| matches!(s, ConnState::Unreachable { .. })).await;
    let ConnState::Unreachable { reason } = gone else { panic!("{gone:?}") };
    assert!(reason.contains("larger than can be read"), "{reason}");
    assert_eq!(handle.counters().oversized, 2);
    connected(&handle).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_handed_on_at_once() {
    let broker = broker::start(BrokerOptions::loopback()).unwrap();
    let (_handle, mut messages) = listen(config(broker.address().port(), &["a"]), 64);
    let publisher = Publisher::new(broker.address().port());
    subscribed(&publisher, &mut messages, "a").await;
    let mut took = Vec::new();
    for i in 0..200u32 {
        let start = Instant::now();
        publisher.publish("a", false, i.to_string()).await;
        assert_eq!(next(&mut messages).await.payload, i.to_string());
        took.push(start.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    took.sort();
    println!("publish -> broker -> client: median {:?}, p99 {:?}", took[100], took[197]);
    // Nagle's algorithm with delayed acknowledgements would cost 40 ms
    assert!(took[100] < Duration::from_millis(15), "median {:?}", took[100]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_not_there_is_a_state() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (handle, _messages) = listen(config(free, &[]), 1);
    state(&handle, "unreachable", |s| matches!(s, ConnState::Unreachable { .. })).await;
    let mut nowhere = config(1883, &[]);
    nowhere.host = "no such host".into();
    let (handle, _messages) = listen(nowhere, 1);
    state(&handle, "unreachable", |s| matches!(s, ConnState::Unreachable { .. })).await;
    handle.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ipv6_and_names_are_reached() {
    let Ok(broker) =
        broker::start(BrokerOptions { listen: "[::1]:0".parse().unwrap(), ..BrokerOptions::loopback() })
    else {
        return println!("passed over: no IPv6 here");
    };
    let mut config = config(broker.address().port(), &["a"]);
    config.host = "::1".into();
    let (handle, _messages) = listen(config, 1);
    connected(&handle).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_speaks_no_mqtt_is_a_state() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut s, _)) = listener.accept().await {
            use tokio::io::AsyncWriteExt;
            let _ = s.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n\xff\xff\xff\xff\xff").await;
        }
    });
    let (handle, _messages) = listen(config(port, &[]), 1);
    state(&handle, "unreachable", |s| matches!(s, ConnState::Unreachable { .. })).await;
}
