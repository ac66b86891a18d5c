//! Meters as the tests play them: what they publish, and how they are called.

use hearthwatt_api::{AdoptMeters, BrokerInput, ListMeters, MeterView, SaveBroker};
use hearthwatt_domain::ids::BrokerId;
use hearthwatt_tests::hub::Hub;
use hearthwatt_tests::publish::Publisher;
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

pub const SOON: Duration = Duration::from_secs(10);

/// A Shelly Pro 3EM: one three-phase meter at the grid connection.
pub struct Pro3Em(pub &'static str);

impl Pro3Em {
    pub async fn power(&self, to: &Publisher, watts: f64) {
        let third = watts / 3.0;
        let phase = |p: &str| format!("{p}_act_power");
        let status = json!({
            "id": 0, phase("a"): third, phase("b"): third, phase("c"): third, "total_act_power": watts,
        });
        to.send(&format!("{}/status/em:0", self.0), status.to_string()).await;
    }

    pub async fn energy(&self, to: &Publisher, import_wh: f64, export_wh: f64) {
        let status = json!({ "id": 0, "total_act": import_wh, "total_act_ret": export_wh });
        to.send(&format!("{}/status/emdata:0", self.0), status.to_string()).await;
    }
}

/// A Shelly Plug of the first generation.
pub struct PlugS(pub &'static str);

impl PlugS {
    pub async fn power(&self, to: &Publisher, watts: f64) {
        to.send(&format!("shellies/{}/relay/0/power", self.0), format!("{watts:.2}")).await;
    }
}

/// A broker on loopback as a user would type it in.
pub fn broker_at(host: &str, port: u16) -> BrokerInput {
    BrokerInput {
        id: BrokerId(Uuid::new_v4()),
        host: host.into(),
        port,
        tls: false,
        ca_pem: String::new(),
        username: String::new(),
        password: None,
    }
}

pub async fn add_broker(hub: &Hub, port: u16) -> BrokerId {
    let broker = broker_at("127.0.0.1", port);
    let id = broker.id;
    hub.call(SaveBroker { broker }).await;
    hub.wait_for("the broker is connected", SOON, hearthwatt_api::ListBrokers {}, |list| {
        list.iter().find(|b| b.id == id && b.state == hearthwatt_api::BrokerState::Connected).map(drop)
    })
    .await;
    id
}

/// Publishes until the meter is found, adopts all, and returns the adopted ones.
pub async fn adopt_all(hub: &Hub, count: usize, publish: impl AsyncFn()) -> Vec<MeterView> {
    let until = std::time::Instant::now() + SOON;
    loop {
        publish().await;
        let list = hub.call(ListMeters {}).await;
        if list.found.len() + list.adopted.len() >= count {
            break;
        }
        assert!(std::time::Instant::now() < until, "{count} meters are found: {list:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    hub.call(AdoptMeters { ids: vec![] }).await.adopted
}
