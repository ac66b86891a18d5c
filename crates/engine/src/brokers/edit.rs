//! What the household decides about brokers.

use super::Entry;
use crate::core::Core;
use crate::documents::{BROKER, BrokerDoc, OWN, OwnBrokerDoc, SETTINGS, delete, put};
use crate::limits::BROKERS_MAX;
use crate::options::Discovery;
use crate::words::{invalid, not_found};
use hearthwatt_api::{ApiError, BrokerInput, BrokerOrigin, BrokerView, ErrorCode, Event};
use hearthwatt_discovery::net::broker::{self, BrokerOptions, OwnBroker};
use hearthwatt_discovery::net::mdns::Interfaces;
use hearthwatt_domain::ids::BrokerId;
use std::net::SocketAddr;
use std::sync::Arc;

/// Where our own broker listens; the port of MQTT.
const OWN_PORT: u16 = 1883;
const HOST_MAX_CHARS: usize = 253;
const PEM_MAX_BYTES: usize = 64 * 1024;
const CREDENTIAL_MAX_BYTES: usize = 1024;

pub(crate) fn secret_name(id: BrokerId) -> String {
    format!("broker/{id}")
}

pub(crate) fn own_id() -> BrokerId {
    BrokerId::derive(&["own"])
}

impl Core {
    pub(crate) async fn save_broker(
        self: &Arc<Self>,
        input: BrokerInput,
    ) -> Result<Vec<BrokerView>, ApiError> {
        let mut doc = checked(&input)?;
        let _edit = self.edit.lock().await;
        {
            let brokers = self.brokers();
            if input.id == own_id() {
                return Err(invalid("The broker inside Hearthwatt has no settings."));
            }
            if brokers.entries.len() >= BROKERS_MAX && !brokers.entries.contains_key(&input.id) {
                return Err(invalid(format!("Brokers: at most {BROKERS_MAX}.")));
            }
            let twin = |e: &Entry| {
                e.doc.id != doc.id && e.doc.port == doc.port && e.doc.host.eq_ignore_ascii_case(&doc.host)
            };
            if brokers.entries.values().any(twin) {
                return Err(invalid("Host: this broker is in the list already. Edit it there."));
            }
            // the page is not given the certificate back, so leaving it empty is no wish to drop it
            if let Some(known) = brokers.entries.get(&doc.id).map(|e| &e.doc)
                && doc.tls
                && doc.ca_pem.is_empty()
                && known.tls
                && known.host == doc.host
            {
                doc.ca_pem.clone_from(&known.ca_pem);
            }
        }
        let name = secret_name(doc.id);
        if let Some(password) = &input.password {
            let keep = (!password.is_empty()).then_some(password.as_str());
            self.secrets.set(&name, keep).map_err(|e| ApiError {
                code: ErrorCode::Storage,
                message: format!("The password can't be kept ({e}): check the data folder."),
                retry: true,
            })?;
        }
        self.write(vec![put(BROKER, doc.id, &doc)?]).await?;
        self.brokers().ignored.retain(|id| *id != doc.id);
        self.connect(doc, self.secrets.get(&name), BrokerOrigin::Manual, false);
        Ok(self.brokers().view())
    }

    pub(crate) async fn delete_broker(self: &Arc<Self>, id: BrokerId) -> Result<Vec<BrokerView>, ApiError> {
        let _edit = self.edit.lock().await;
        let (origin, transient, doc) = match self.brokers().entries.get(&id) {
            Some(e) => (e.origin, e.transient, e.doc.clone()),
            None => return Err(not_found("broker")),
        };
        match origin {
            BrokerOrigin::Own => {
                return Err(invalid("The broker inside Hearthwatt is switched off, not deleted."));
            }
            BrokerOrigin::Found => {
                // it will announce itself again
                self.write(vec![put(BROKER, id, &BrokerDoc { ignored: true, ..doc })?]).await?;
                self.brokers().ignored.push(id);
            }
            BrokerOrigin::Manual if !transient => self.write(vec![delete(BROKER, id)]).await?,
            BrokerOrigin::Manual => {}
        }
        if let Err(error) = self.secrets.set(&secret_name(id), None) {
            tracing::warn!(%error, "a broker's password could not be forgotten");
        }
        self.disconnect(id).await;
        Ok(self.brokers().view())
    }

    pub(crate) async fn disconnect(&self, id: BrokerId) {
        let gone = self.brokers().entries.remove(&id);
        if let Some(handle) = gone.and_then(|e| e.handle) {
            handle.stop().await;
        }
        self.health(|h| h.clear_broker(id));
        self.tell(Event::BrokersChanged);
    }

    pub(crate) async fn set_own_broker(self: &Arc<Self>, enabled: bool) -> Result<Vec<BrokerView>, ApiError> {
        let _edit = self.edit.lock().await;
        let runs = self.brokers().own.is_some();
        if enabled && !runs {
            self.start_own_broker()?;
        }
        if let Err(error) = self.write(vec![put(SETTINGS, OWN, &OwnBrokerDoc { enabled })?]).await {
            if enabled && !runs {
                self.stop_own_broker().await;
            }
            return Err(error);
        }
        if !enabled {
            self.stop_own_broker().await;
        }
        Ok(self.brokers().view())
    }

    /// Starts our own broker and listens to it.
    pub(crate) fn start_own_broker(self: &Arc<Self>) -> Result<(), ApiError> {
        let home = self.state().settings.home_name.clone();
        let own = broker::start(own_options(self.discovery, &home)).map_err(|e| ApiError {
            code: ErrorCode::Invalid,
            message: format!(
                "This computer can't be the broker ({e}). Another broker probably runs on it: add it with the host \
                 127.0.0.1 and port {OWN_PORT} instead."
            ),
            retry: false,
        })?;
        let doc = BrokerDoc {
            id: own_id(),
            host: "127.0.0.1".into(),
            port: own.address().port(),
            tls: false,
            ca_pem: String::new(),
            username: String::new(),
            ignored: false,
        };
        self.brokers().own = Some(own);
        self.connect(doc, None, BrokerOrigin::Own, true);
        Ok(())
    }

    async fn stop_own_broker(&self) {
        self.disconnect(own_id()).await;
        let own: Option<OwnBroker> = self.brokers().own.take();
        if let Some(own) = own {
            own.stop().await;
        }
    }
}

/// On the network where we look for devices; away from it only on this machine.
fn own_options(discovery: Discovery, home: &str) -> BrokerOptions {
    let name = if home.is_empty() { "Hearthwatt".to_owned() } else { format!("Hearthwatt ({home})") };
    match discovery {
        Discovery::All => BrokerOptions {
            listen: SocketAddr::from(([0, 0, 0, 0], OWN_PORT)),
            announce: Interfaces::All,
            name,
            ..BrokerOptions::loopback()
        },
        Discovery::Loopback | Discovery::Off => BrokerOptions { name, ..BrokerOptions::loopback() },
    }
}

pub(crate) fn checked(input: &BrokerInput) -> Result<BrokerDoc, ApiError> {
    let host = input.host.trim();
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
    if host.is_empty() || host.chars().count() > HOST_MAX_CHARS || !host.chars().all(fits) {
        return Err(invalid("Host: a name or an address such as 192.168.1.4, without \"mqtt://\"."));
    }
    if input.port == 0 {
        return Err(invalid("Port: between 1 and 65535, usually 1883 (8883 with TLS)."));
    }
    if input.ca_pem.len() > PEM_MAX_BYTES || input.username.len() > CREDENTIAL_MAX_BYTES {
        return Err(invalid("Certificate or user name: too long."));
    }
    if input.password.as_ref().is_some_and(|p| p.len() > CREDENTIAL_MAX_BYTES) {
        return Err(invalid("Password: too long."));
    }
    let pem = input.ca_pem.trim();
    if input.tls && !pem.is_empty() && !pem.contains("-----BEGIN CERTIFICATE-----") {
        return Err(invalid("Certificate: a text that begins with -----BEGIN CERTIFICATE-----."));
    }
    Ok(BrokerDoc {
        id: input.id,
        host: host.to_owned(),
        port: input.port,
        tls: input.tls,
        ca_pem: pem.to_owned(),
        username: input.username.trim().to_owned(),
        ignored: false,
    })
}
