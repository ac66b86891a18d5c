//! A foreign broker: gone and back, a wrong password, a certificate that nobody knows.

use crate::meters::{Pro3Em, SOON, add_broker, adopt_all, broker_at};
use hearthwatt_api::{BrokerState, GetHealth, ListBrokers, ListMeters, NoticeCode, SaveBroker};
use hearthwatt_tests::broker::Mosquitto;
use hearthwatt_tests::hub::Hub;
use hearthwatt_tests::publish::Publisher;
use std::time::Duration;

const METER: Pro3Em = Pro3Em("shellypro3em-08f9e0e5cafe");

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_comes_back_is_listened_to_again() {
    let mut broker = Mosquitto::start();
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::start(folder.path(), &[]);
    let id = add_broker(&hub, broker.port).await;
    let publisher = Publisher::connect(broker.port, "grid");
    let adopted = adopt_all(&hub, 1, async || METER.power(&publisher, 500.0).await).await;
    assert_eq!(adopted.len(), 1, "{adopted:?}");

    broker.kill();
    hub.wait_for("the broker is missed", SOON, ListBrokers {}, |list| {
        list.iter().find(|b| b.id == id && b.state == BrokerState::Unreachable).map(drop)
    })
    .await;
    let notice = hub
        .wait_for("a notice says so", SOON, GetHealth {}, |n| {
            n.into_iter().find(|n| n.code == NoticeCode::BrokerUnreachable)
        })
        .await;
    assert!(notice.message.contains("127.0.0.1"), "it names the broker: {}", notice.message);

    broker.restart();
    hub.wait_for("the broker is back", Duration::from_secs(40), ListBrokers {}, |list| {
        list.iter().find(|b| b.id == id && b.state == BrokerState::Connected).map(drop)
    })
    .await;
    let before = hub.call(ListMeters {}).await.adopted[0].accepted;
    let until = std::time::Instant::now() + SOON;
    while hub.call(ListMeters {}).await.adopted[0].accepted <= before {
        METER.power(&publisher, 700.0).await;
        assert!(std::time::Instant::now() < until, "values arrive again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    hub.wait_for("nothing is wrong any more", SOON, GetHealth {}, |n| {
        n.iter().all(|n| n.code != NoticeCode::BrokerUnreachable).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_in_words_and_mended_by_the_right_one() {
    let broker = Mosquitto::with_password("home", "right");
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::start(folder.path(), &[]);
    let mut input = broker_at("127.0.0.1", broker.port);
    input.username = "home".into();
    input.password = Some("wrong".into());
    hub.call(SaveBroker { broker: input.clone() }).await;
    let notice = hub
        .wait_for("the refusal is a notice", SOON, GetHealth {}, |n| {
            n.into_iter().find(|n| n.code == NoticeCode::BrokerBadCredentials)
        })
        .await;
    assert!(notice.message.contains("password"), "{}", notice.message);
    assert!(
        !format!("{:?}{}", hub.call(ListBrokers {}).await, hub.program.output()).contains("wrong"),
        "no secret leaks"
    );

    input.password = Some("right".into());
    hub.call(SaveBroker { broker: input.clone() }).await;
    hub.wait_for("it connects", SOON, ListBrokers {}, |list| {
        list.iter().find(|b| b.id == input.id && b.state == BrokerState::Connected).map(drop)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_certificate_is_refused_until_its_authority_is_given() {
    let certificate = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let pem = certificate.cert.pem();
    let files = tempfile::tempdir().unwrap();
    let (cert, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    std::fs::write(&cert, &pem).unwrap();
    std::fs::write(&key, certificate.signing_key.serialize_pem()).unwrap();
    for path in [files.path(), cert.as_path(), key.as_path()] {
        std::process::Command::new("chmod").arg("a+rX").arg(path).status().unwrap();
    }
    let broker = Mosquitto::with_config(&format!(
        "allow_anonymous true\ncertfile {}\nkeyfile {}\n",
        cert.display(),
        key.display()
    ));
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::start(folder.path(), &[]);
    let mut input = broker_at("localhost", broker.port);
    input.tls = true;
    hub.call(SaveBroker { broker: input.clone() }).await;
    let notice = hub
        .wait_for("the certificate is refused", SOON, GetHealth {}, |n| {
            n.into_iter().find(|n| n.code == NoticeCode::BrokerBadCertificate)
        })
        .await;
    assert!(notice.message.contains("certificate"), "{}", notice.message);

    input.ca_pem = pem;
    hub.call(SaveBroker { broker: input.clone() }).await;
    hub.wait_for("it connects", SOON, ListBrokers {}, |list| {
        list.iter().find(|b| b.id == input.id && b.state == BrokerState::Connected).map(drop)
    })
    .await;
    // edited without typing the certificate again, it stays trusted
    input.ca_pem = String::new();
    input.username = "someone".into();
    hub.call(SaveBroker { broker: input.clone() }).await;
    hub.wait_for("it connects again", SOON, ListBrokers {}, |list| {
        list.iter()
            .find(|b| b.id == input.id && b.state == BrokerState::Connected && b.username == "someone")
            .map(drop)
    })
    .await;
}
