//! From the network to the page and the writer: decode, check, show, queue. Nothing here waits
//! for the disk, the network or a listener.

use crate::clock::Arrival;
use crate::core::Core;
use crate::health::notice;
use crate::limits::{INBOUND_BATCH, LIVE_EVERY, METERS_MAX};
use crate::meters::Heard;
use hearthwatt_api::{Event, Live, LiveValue, NoticeCode, Severity};
use hearthwatt_discovery::net::mqtt::Inbound;
use hearthwatt_discovery::{Decoder, Message, Outcome, Transport};
use hearthwatt_domain::ids::{BrokerId, MeterId};
use hearthwatt_domain::meter::Meter;
use hearthwatt_domain::reading::Reading;
use hearthwatt_domain::time::UnixMillis;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

pub(crate) struct Pipeline {
    core: Arc<Core>,
    /// One per broker: names and templates of one say nothing about another.
    decoders: HashMap<BrokerId, Decoder>,
    live: BTreeMap<MeterId, LiveValue>,
    meters_changed: bool,
    /// Brokers that taught us something: there may be more to subscribe to.
    learnt: BTreeSet<BrokerId>,
    flushed: Instant,
    newest: UnixMillis,
}

impl Pipeline {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self {
            core,
            decoders: HashMap::new(),
            live: BTreeMap::new(),
            meters_changed: false,
            learnt: BTreeSet::new(),
            flushed: Instant::now(),
            newest: UnixMillis(0),
        }
    }

    /// Until stopped; then what has arrived is still taken in.
    pub(crate) async fn run(mut self, mut inbound: mpsc::Receiver<Inbound>, mut stop: watch::Receiver<bool>) {
        let mut batch = Vec::with_capacity(INBOUND_BATCH);
        loop {
            let due = self.flushed + LIVE_EVERY;
            tokio::select! {
                biased;
                _ = sleep_until(due), if self.waits() => self.flush(),
                n = inbound.recv_many(&mut batch, INBOUND_BATCH) => {
                    if n == 0 {
                        break;
                    }
                    self.take(&mut batch);
                }
                () = crate::tasks::stopped(&mut stop) => break,
            }
        }
        while let Ok(message) = inbound.try_recv() {
            batch.push(message);
            if batch.len() == INBOUND_BATCH {
                self.take(&mut batch);
            }
        }
        self.take(&mut batch);
        self.flush();
    }

    fn waits(&self) -> bool {
        !self.live.is_empty() || self.meters_changed || !self.learnt.is_empty()
    }

    fn take(&mut self, batch: &mut Vec<Inbound>) {
        let mut readings: Vec<Reading> = Vec::new();
        let mut save: Vec<Meter> = Vec::new();
        let mut overflowed = false;
        for message in batch.drain(..) {
            let heard = self.decode(&message);
            let Some((at, decoded)) = heard else { continue };
            let mut state = self.core.state();
            let auto_adopt = self.core.auto_adopt || state.settings.auto_adopt;
            let taken = state.meters.take(Heard {
                broker: message.broker,
                topic: &message.topic,
                at,
                decoded,
                auto_adopt,
            });
            overflowed |= std::mem::take(&mut state.meters.overflowed);
            drop(state);
            readings.extend(taken.readings);
            save.extend(taken.save);
            self.meters_changed |= taken.meters_changed;
            self.live.extend(taken.live.into_iter().map(|v| (v.meter, v)));
        }
        let now = self.core.now();
        let lost = self.core.writer.push(readings.into_iter());
        if lost > 0 {
            self.core.lost_at_disk(now);
        }
        if overflowed {
            self.core.health(|h| {
                h.mention(notice(NoticeCode::TooManyTopics, Severity::Warning, now, too_many()), now)
            });
        }
        if !save.is_empty() {
            self.core.save_meters(save);
        }
        if self.waits() && self.flushed.elapsed() >= LIVE_EVERY {
            self.flush();
        }
    }

    fn decode(&mut self, message: &Inbound) -> Option<(UnixMillis, hearthwatt_discovery::Decoded)> {
        let arrival = Arrival { topic: &message.topic, payload: &message.payload, retain: message.retain };
        let at = self.core.clock.received(&arrival);
        self.newest = self.newest.max(at);
        let decoder = self.decoders.entry(message.broker).or_default();
        let mut decoded = decoder.decode(&Message {
            transport: Transport::Mqtt,
            topic: &message.topic,
            payload: &message.payload,
            retain: message.retain,
        });
        decoded.stale |= message.retain;
        if decoded.device.is_some() || decoded.outcome == Outcome::Gone {
            self.learnt.insert(message.broker);
        }
        let says = decoded.outcome != Outcome::None || decoded.device.is_some() || decoded.online.is_some();
        says.then_some((at, decoded))
    }

    /// Tells the page; at most every [`LIVE_EVERY`].
    fn flush(&mut self) {
        self.flushed = Instant::now();
        if std::mem::take(&mut self.meters_changed) {
            self.core.changes.meters_only();
            self.core.tell(Event::MetersChanged);
        }
        if !self.live.is_empty() {
            let at = self.core.now().max(self.newest);
            let flow = self.core.state().meters.flow(at);
            let meters = std::mem::take(&mut self.live).into_values().collect();
            self.core.tell(Event::Live(Live { at, meters, flow }));
        }
        for broker in std::mem::take(&mut self.learnt) {
            if let Some(decoder) = self.decoders.get(&broker) {
                self.core.brokers().subscribe(broker, &decoder.wanted_topics());
            }
        }
    }
}

fn too_many() -> String {
    format!(
        "More than {METERS_MAX} meters were heard. Those already known are still read; further ones are left out. \
         Ignoring does not help: look for a device that publishes under ever new names."
    )
}

impl Core {
    /// Writes meters' documents without waiting; what fails is tried again later.
    pub(crate) fn save_meters(self: &Arc<Self>, meters: Vec<Meter>) {
        let core = self.clone();
        tokio::spawn(async move {
            if let Err(error) = core.put_meters(&meters).await {
                tracing::warn!(%error, "meters could not be saved, will try again");
                core.state().unsaved.extend(meters);
            }
        });
    }

    pub(crate) fn lost_at_disk(&self, now: UnixMillis) {
        let lost = self.writer.lost();
        self.health(|h| {
            let words = format!(
                "{lost} readings could not be kept: the disk did not take them in time. Live values go on; \
                 energy registers will fill the gap where a meter has one. Check free space and the disk."
            );
            h.mention(notice(NoticeCode::ReadingsLost, Severity::Error, now, words), now)
        });
    }
}
