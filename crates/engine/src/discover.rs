//! What announces itself on the network: brokers are listened to, devices shown with what to do.

use crate::brokers::own_id;
use crate::core::Core;
use crate::documents::BrokerDoc;
use crate::health::notice;
use crate::limits::FOUND_BROKERS_MAX;
use crate::options::Discovery;
use crate::words::cut;
use hearthwatt_api::{BrokerOrigin, Event, Notice, NoticeCode, SeenDevice, SeenHint, Severity};
use hearthwatt_discovery::families::{Support, recognise_mdns};
use hearthwatt_discovery::net::mdns::{self, Interfaces, MdnsEvent, MdnsHandle, MdnsStatus};
use hearthwatt_domain::ids::BrokerId;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::watch;

/// What an announcement turned into, to take it back when it is gone.
enum Became {
    Broker(BrokerId),
    Seen((String, String)),
}

/// Browses until stopped. Trouble with multicast is a notice, not an end: everything else goes on.
pub(crate) async fn run(core: Arc<Core>, mut stop: watch::Receiver<bool>) {
    let interfaces = match core.discovery {
        Discovery::Off => return,
        Discovery::Loopback => Interfaces::Loopback,
        Discovery::All => Interfaces::All,
    };
    let (handle, mut events): (MdnsHandle, _) = match mdns::start(interfaces) {
        Ok(started) => started,
        Err(error) => return core.undiscoverable(Some(error.to_string())),
    };
    let mut status = handle.status();
    let mut known: HashMap<(String, String), Became> = HashMap::new();
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => take(&core, &mut known, event).await,
                None => break,
            },
            Ok(()) = status.changed() => {
                let trouble = match &*status.borrow_and_update() {
                    MdnsStatus::Unavailable { reason } => Some(reason.clone()),
                    MdnsStatus::Running | MdnsStatus::Off => None,
                };
                core.undiscoverable(trouble);
            }
            () = crate::tasks::stopped(&mut stop) => break,
        }
    }
    handle.stop();
}

async fn take(core: &Arc<Core>, known: &mut HashMap<(String, String), Became>, event: MdnsEvent) {
    match event {
        MdnsEvent::Found { service, instance, host, addresses, port, txt } => {
            let txt: BTreeMap<String, String> = txt.into_iter().collect();
            let Some(found) = recognise_mdns(&format!("{service}.local."), &instance, &txt) else { return };
            let address = addresses.iter().find(|a| is_local(**a)).copied();
            let key = (service.clone(), instance);
            if found.support == Support::Broker {
                let Some(address) = address else { return };
                let tls = service.starts_with("_secure-mqtt");
                if let Some(id) = found_broker(core, &host, address, port, tls) {
                    known.insert(key, Became::Broker(id));
                }
                return;
            }
            let device = (found.family.to_owned(), cut(&found.device_id));
            let seen = SeenDevice {
                name: cut(if found.name.is_empty() { &found.device_id } else { &found.name }),
                family: found.family.to_owned(),
                address: address.map_or_else(|| cut(&host), |a| a.to_string()),
                hint: match found.support {
                    Support::ViaMqtt => SeenHint::EnableMqtt,
                    Support::Broker | Support::NotYet => SeenHint::NotSupported,
                },
                at: core.now(),
            };
            if core.state().meters.see(device.clone(), seen) {
                core.tell(Event::MetersChanged);
            }
            known.insert(key, Became::Seen(device));
        }
        MdnsEvent::Gone { service, instance } => match known.remove(&(service, instance)) {
            Some(Became::Broker(id)) => {
                let forget = !core.brokers().is_connected(id)
                    && core.brokers().origin(id) == Some(BrokerOrigin::Found);
                if forget {
                    core.disconnect(id).await;
                }
            }
            Some(Became::Seen(device)) if core.state().meters.unsee(&device) => {
                core.tell(Event::MetersChanged);
            }
            Some(Became::Seen(_)) | None => {}
        },
    }
}

/// Listens to a broker that announced itself, without credentials. `None`: it is one we have.
fn found_broker(core: &Arc<Core>, host: &str, address: IpAddr, port: u16, tls: bool) -> Option<BrokerId> {
    let id = BrokerId::derive(&[host, &port.to_string()]);
    let address = address.to_string();
    {
        let brokers = core.brokers();
        if brokers.ignored.contains(&id) {
            return None;
        }
        if brokers.own.as_ref().is_some_and(|own| own.address().port() == port)
            && host.starts_with("hearthwatt-")
            && brokers.entries.contains_key(&own_id())
        {
            return None;
        }
        for entry in brokers.entries.values() {
            let same_host = entry.doc.host == address || entry.doc.host.eq_ignore_ascii_case(host);
            if entry.doc.id == id {
                if same_host || brokers.origin(id) != Some(BrokerOrigin::Found) {
                    return Some(id); // unchanged, or in the household's hands
                }
            } else if same_host && (entry.doc.port == port || tls) {
                return None;
            }
        }
        let found =
            brokers.entries.keys().filter(|id| brokers.origin(**id) == Some(BrokerOrigin::Found)).count();
        if found >= FOUND_BROKERS_MAX && !brokers.entries.contains_key(&id) {
            tracing::warn!(%address, port, "more brokers announce themselves than are listened to");
            return None;
        }
    }
    let doc = BrokerDoc {
        id,
        host: address,
        port,
        tls,
        ca_pem: String::new(),
        username: String::new(),
        ignored: false,
    };
    core.connect(doc, None, BrokerOrigin::Found, true).then_some(id)
}

/// On this network or machine: we never connect by ourselves to what is further away.
fn is_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(a) => a.is_private() || a.is_loopback() || a.is_link_local(),
        // link-local ones would need a scope, which an address alone does not carry
        IpAddr::V6(a) => a.is_loopback() || a.is_unique_local(),
    }
}

impl Core {
    fn undiscoverable(&self, trouble: Option<String>) {
        let now = self.now();
        self.health(|h| match trouble {
            Some(reason) => {
                let detail = cut(reason.trim_end_matches('.'));
                let words = format!(
                    "Devices can't be looked for on the network ({detail}). Meters of known brokers are read as \
                     before; add further brokers by hand in Home > Brokers."
                );
                h.raise(Notice {
                    detail,
                    ..notice(NoticeCode::DiscoveryUnavailable, Severity::Warning, now, words)
                })
            }
            None => h.clear(NoticeCode::DiscoveryUnavailable, None, None),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_network_is_connected_to_unasked() {
        for (address, local) in [
            ("192.168.1.4", true),
            ("10.0.0.1", true),
            ("127.0.0.1", true),
            ("169.254.3.4", true),
            ("fd00::1", true),
            ("8.8.8.8", false),
            ("2001:db8::1", false),
            ("fe80::1", false),
        ] {
            assert_eq!(is_local(address.parse().unwrap()), local, "{address}");
        }
    }
}
