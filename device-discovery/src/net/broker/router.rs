//! Who gets what: clients, their filters, retained messages.

use super::{BrokerCounters, Limits};
use crate::net::Credentials;
use crate::net::topic::{is_valid_filter, is_valid_topic, matches};
use bytes::{Bytes, BytesMut};
use rumqttc::{LastWill, Login, Publish, QoS};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

pub(super) struct Router {
    pub(super) limits: Limits,
    credentials: Option<Credentials>,
    state: Mutex<State>,
    received: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
}

#[derive(Default)]
struct State {
    clients: HashMap<String, Client>,
    next_session: u64,
    retained: HashMap<String, Bytes>,
    retained_bytes: usize,
}

struct Client {
    session: u64,
    queue: mpsc::Sender<Bytes>,
    /// Filters without wildcards are looked up, the others tried one by one.
    exact: HashSet<String>,
    wild: Vec<String>,
}

impl Client {
    fn takes(&self, topic: &str) -> bool {
        self.exact.contains(topic) || self.wild.iter().any(|f| matches(f, topic))
    }
}

impl Router {
    pub(super) fn new(limits: Limits, credentials: Option<Credentials>) -> Self {
        Self {
            limits,
            credentials,
            state: Mutex::default(),
            received: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn counters(&self) -> BrokerCounters {
        let state = self.state();
        BrokerCounters {
            connections: state.clients.len(),
            received: self.received.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            retained: state.retained.len(),
        }
    }

    pub(super) fn count_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn may_enter(&self, login: Option<&Login>) -> bool {
        let Some(wanted) = &self.credentials else { return true };
        login.is_some_and(|l| {
            // both are always compared, and whole
            same(&l.username, &wanted.username) & same(&l.password, &wanted.password)
        })
    }

    /// Registers a client; one with the same name is put out, as the standard demands.
    pub(super) fn enter(&self, client_id: &str, queue: mpsc::Sender<Bytes>) -> u64 {
        let mut state = self.state();
        state.next_session += 1;
        let session = state.next_session;
        let client = Client { session, queue, exact: HashSet::new(), wild: Vec::new() };
        state.clients.insert(client_id.to_owned(), client);
        session
    }

    pub(super) fn leave(&self, client_id: &str, session: u64) {
        let mut state = self.state();
        if state.clients.get(client_id).is_some_and(|c| c.session == session) {
            state.clients.remove(client_id);
        }
    }

    /// `false` if the filter is invalid or one too many. Retained messages go into the queue.
    pub(super) fn subscribe(&self, client_id: &str, session: u64, filter: &str) -> bool {
        if !is_valid_filter(filter) {
            return false;
        }
        let mut state = self.state();
        let State { clients, retained, .. } = &mut *state;
        let Some(client) = clients.get_mut(client_id).filter(|c| c.session == session) else { return false };
        let wild = filter.contains(['+', '#']);
        let known =
            if wild { client.wild.iter().any(|f| f == filter) } else { client.exact.contains(filter) };
        if !known {
            if client.wild.len() + client.exact.len() >= self.limits.filters {
                return false;
            }
            if wild {
                client.wild.push(filter.to_owned());
            } else {
                client.exact.insert(filter.to_owned());
            }
        }
        if wild {
            for (topic, payload) in retained.iter().filter(|(t, _)| matches(filter, t)) {
                self.deliver(client, frame(topic, payload, true));
            }
        } else if let Some(payload) = retained.get(filter) {
            self.deliver(client, frame(filter, payload, true));
        }
        true
    }

    pub(super) fn unsubscribe(&self, client_id: &str, session: u64, filter: &str) {
        let mut state = self.state();
        if let Some(client) = state.clients.get_mut(client_id).filter(|c| c.session == session) {
            client.exact.remove(filter);
            client.wild.retain(|f| f != filter);
        }
    }

    /// `false` if the topic is not one that may be published to.
    pub(super) fn publish(&self, topic: &str, payload: &Bytes, retain: bool) -> bool {
        if !is_valid_topic(topic) || topic.starts_with('$') {
            return false;
        }
        self.received.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state();
        if retain {
            state.keep(topic, payload, &self.limits);
        }
        let mut encoded = None;
        for client in state.clients.values().filter(|c| c.takes(topic)) {
            let frame = encoded.get_or_insert_with(|| frame(topic, payload, false));
            self.deliver(client, frame.clone());
        }
        true
    }

    pub(super) fn publish_will(&self, will: &LastWill) {
        self.publish(&will.topic, &will.message, will.retain);
    }

    fn deliver(&self, client: &Client, frame: Bytes) {
        if client.queue.try_send(frame).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl State {
    /// Keeps a retained message; an empty one removes it. Over the limits the old one goes too:
    /// better none than one that is no longer true.
    fn keep(&mut self, topic: &str, payload: &Bytes, limits: &Limits) {
        if let Some(old) = self.retained.remove(topic) {
            self.retained_bytes -= topic.len() + old.len();
        }
        let bytes = topic.len() + payload.len();
        let fits =
            self.retained.len() < limits.retained && self.retained_bytes + bytes <= limits.retained_bytes;
        if !payload.is_empty() && fits {
            // a copy: the payload is a slice of a network buffer that would be kept whole
            self.retained.insert(topic.to_owned(), Bytes::copy_from_slice(payload));
            self.retained_bytes += bytes;
        }
    }
}

fn frame(topic: &str, payload: &Bytes, retain: bool) -> Bytes {
    let mut publish = Publish::from_bytes(topic, QoS::AtMostOnce, payload.clone());
    publish.retain = retain;
    let mut buffer = BytesMut::with_capacity(payload.len() + topic.len() + 8);
    // fails only over 256 MiB, which the packet limit has refused
    let _ = publish.write(&mut buffer);
    buffer.freeze()
}

/// Compares in a time that does not tell where the difference is.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |diff, (x, y)| diff | (x ^ y)) == 0
}
