//! The brokers the home listens to: typed in, found, or our own; their connections and states.

mod edit;
mod state;

pub(crate) use edit::{checked, own_id, secret_name};

use crate::core::Core;
use crate::documents::BrokerDoc;
use crate::limits::BROKERS_MAX;
use crate::words::cut;
use hearthwatt_api::{BrokerOrigin, BrokerState, BrokerView};
use hearthwatt_discovery::families;
use hearthwatt_discovery::net::Credentials;
use hearthwatt_discovery::net::broker::OwnBroker;
use hearthwatt_discovery::net::mqtt::{self, BrokerConfig, ConnState, MqttHandle, Tls};
use hearthwatt_domain::ids::BrokerId;
use hearthwatt_domain::time::UnixMillis;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

#[derive(Default)]
pub(crate) struct Brokers {
    pub(crate) entries: BTreeMap<BrokerId, Entry>,
    pub(crate) own: Option<OwnBroker>,
    /// Found ones that the household deleted.
    pub(crate) ignored: Vec<BrokerId>,
    closing: bool,
}

pub(crate) struct Entry {
    pub(crate) doc: BrokerDoc,
    password: Option<String>,
    origin: BrokerOrigin,
    /// Given by the options of this run: never stored.
    transient: bool,
    handle: Option<MqttHandle>,
    state: BrokerState,
    since: UnixMillis,
    detail: String,
    /// Since when nothing comes from it; `None` while connected.
    silent_since: Option<UnixMillis>,
    was_connected: bool,
    lost_told: u64,
    oversized_told: u64,
}

impl Brokers {
    pub(crate) fn view(&self) -> Vec<BrokerView> {
        let mut list: Vec<BrokerView> = self.entries.values().map(Entry::view).collect();
        list.sort_by(|a, b| (a.origin as u8, &a.host, a.port).cmp(&(b.origin as u8, &b.host, b.port)));
        list
    }

    /// More to subscribe to, learnt from what the broker's devices said.
    pub(crate) fn subscribe(&self, broker: BrokerId, filters: &[String]) {
        if let Some(handle) = self.entries.get(&broker).and_then(|e| e.handle.as_ref()) {
            for filter in filters {
                if !handle.subscribe(filter) {
                    tracing::warn!(%broker, "no room for another subscription");
                    return;
                }
            }
        }
    }

    pub(crate) fn origin(&self, broker: BrokerId) -> Option<BrokerOrigin> {
        self.entries.get(&broker).map(|e| e.origin)
    }

    pub(crate) fn is_connected(&self, broker: BrokerId) -> bool {
        self.entries.get(&broker).is_some_and(|e| e.state == BrokerState::Connected)
    }

    /// Takes all connections out, to be stopped; none begins any more.
    pub(crate) fn shut(&mut self) -> (Vec<MqttHandle>, Option<OwnBroker>) {
        self.closing = true;
        let handles = self.entries.values_mut().filter_map(|e| e.handle.take()).collect();
        (handles, self.own.take())
    }
}

impl Entry {
    fn new(doc: BrokerDoc, password: Option<String>, origin: BrokerOrigin, now: UnixMillis) -> Self {
        Self {
            doc,
            password,
            origin,
            transient: false,
            handle: None,
            state: BrokerState::Connecting,
            since: now,
            detail: String::new(),
            silent_since: Some(now),
            was_connected: false,
            lost_told: 0,
            oversized_told: 0,
        }
    }

    fn view(&self) -> BrokerView {
        let counters = self.handle.as_ref().map(|h| h.counters()).unwrap_or_default();
        BrokerView {
            id: self.doc.id,
            host: self.doc.host.clone(),
            port: self.doc.port,
            tls: self.doc.tls,
            username: self.doc.username.clone(),
            has_password: self.password.is_some(),
            origin: self.origin,
            state: self.state,
            since: self.since,
            detail: self.detail.clone(),
            messages: counters.delivered,
            lost: counters.lost,
        }
    }

    fn config(&self) -> BrokerConfig {
        let doc = &self.doc;
        let mut config = BrokerConfig::new(doc.id, doc.host.clone(), doc.port, random());
        config.tls = match (doc.tls, doc.ca_pem.trim()) {
            (false, _) => Tls::Off,
            (true, "") => Tls::SystemRoots,
            (true, pem) => Tls::Authority { pem: pem.to_owned() },
        };
        if !doc.username.is_empty() || self.password.is_some() {
            config.credentials = Some(Credentials {
                username: doc.username.clone(),
                password: self.password.clone().unwrap_or_default(),
            });
        }
        config.filters = families::subscriptions().into_iter().map(str::to_owned).collect();
        config
    }
}

/// A fresh random number: the keys of a hash map come from the system's generator.
fn random() -> u64 {
    std::collections::hash_map::RandomState::new().build_hasher().finish()
}

impl Core {
    /// Adds a broker, or replaces the one with its id, and connects. Whether there was room.
    pub(crate) fn connect(
        self: &Arc<Self>,
        doc: BrokerDoc,
        password: Option<String>,
        origin: BrokerOrigin,
        transient: bool,
    ) -> bool {
        let id = doc.id;
        let now = self.now();
        let mut brokers = self.brokers();
        if brokers.closing || (brokers.entries.len() >= BROKERS_MAX && !brokers.entries.contains_key(&id)) {
            return false;
        }
        let mut entry = Entry::new(doc, password, origin, now);
        entry.transient = transient;
        let handle = mqtt::start(entry.config(), self.inbound.clone());
        let mut state = handle.state();
        entry.handle = Some(handle);
        let old = brokers.entries.insert(id, entry);
        drop(brokers);
        drop(old); // its connection ends with it
        self.health(|h| h.clear_broker(id));
        let core = Arc::downgrade(self);
        tokio::spawn(async move {
            loop {
                let now = state.borrow_and_update().clone();
                let Some(core) = core.upgrade() else { return };
                core.broker_is(id, now);
                drop(core);
                if state.changed().await.is_err() {
                    return;
                }
            }
        });
        self.tell(hearthwatt_api::Event::BrokersChanged);
        true
    }

    fn broker_is(&self, id: BrokerId, conn: ConnState) {
        let now = self.now();
        let zone = self.zone();
        let notice = {
            let mut brokers = self.brokers();
            if brokers.closing {
                return;
            }
            let Some(entry) = brokers.entries.get_mut(&id) else { return };
            entry.is(conn, now);
            entry.notice(now, &zone)
        };
        self.health(|h| {
            let stands = notice.as_ref().map(|n| n.code);
            let mut changed = false;
            for code in state::CODES {
                changed |= Some(code) != stands && h.clear(code, Some(id), None);
            }
            notice.is_some_and(|n| h.raise(n)) || changed
        });
        self.tell(hearthwatt_api::Event::BrokersChanged);
        self.tell(hearthwatt_api::Event::MetersChanged);
    }

    /// Messages that did not fit between network and decoder, or were too large, since the last look.
    pub(crate) fn lost_at_network(&self) {
        let now = self.now();
        let mut lost = Vec::new();
        for entry in self.brokers().entries.values_mut() {
            let counters = entry.handle.as_ref().map(|h| h.counters()).unwrap_or_default();
            let host = cut(&entry.doc.host);
            let total = counters.oversized;
            if total > std::mem::replace(&mut entry.oversized_told, total) {
                let most = hearthwatt_discovery::net::mqtt::PAYLOAD_MAX_BYTES / (1024 * 1024);
                lost.push((
                    entry.doc.id,
                    host.clone(),
                    format!(
                        "{total} messages of the broker at {host} were larger than {most} MiB and were not \
                         read."
                    ),
                ));
            }
            let total = counters.lost;
            if total > std::mem::replace(&mut entry.lost_told, total) {
                lost.push((
                    entry.doc.id,
                    host.clone(),
                    format!(
                        "{total} messages of the broker at {host} came faster than this computer could read \
                         them and were dropped. Energy registers make up for it where a meter has one."
                    ),
                ));
            }
        }
        for (id, host, text) in lost {
            let mut notice = crate::health::notice(
                hearthwatt_api::NoticeCode::ReadingsLost,
                hearthwatt_api::Severity::Warning,
                now,
                text,
            );
            (notice.broker, notice.about) = (Some(id), host);
            self.health(|h| h.mention(notice, now));
        }
    }
}
