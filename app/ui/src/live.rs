//! The short way of live values: from the event to the numbers that show them, past the reducer,
//! so that fifty meters a second cost fifty small texts and nothing else.

use crate::browser::{self, Timeout};
use crate::throttle::{Offer, Throttle};
use hearthwatt_api::{Flow, Live, Overview};
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::units::Power;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::{Rc, Weak};
use yew::Callback;

/// A number that changes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LiveKey {
    /// All of the flow at once, so that its parts always belong together.
    Flow,
    Meter(MeterId),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LiveNumber {
    Flow(Flow),
    Power(Option<Power>),
}

#[derive(Clone, Default)]
pub struct LiveHub(Rc<RefCell<Inner>>);

#[derive(Default)]
struct Inner {
    latest: HashMap<LiveKey, LiveNumber>,
    watchers: HashMap<LiveKey, Vec<Watcher>>,
    /// Hear every event as it comes (charts).
    taps: Vec<(u32, Callback<(UnixMillis, Flow)>)>,
    next_id: u32,
    timer: Option<Timeout>,
}

struct Watcher {
    id: u32,
    throttle: Throttle<LiveNumber>,
    show: Callback<LiveNumber>,
}

/// Watches until dropped.
#[must_use = "dropping it stops watching"]
pub struct Watch {
    hub: Weak<RefCell<Inner>>,
    id: u32,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(hub) = self.hub.upgrade() {
            let mut inner = hub.borrow_mut();
            for list in inner.watchers.values_mut() {
                list.retain(|w| w.id != self.id);
            }
            inner.watchers.retain(|_, list| !list.is_empty());
            inner.taps.retain(|(id, _)| *id != self.id);
        }
    }
}

impl PartialEq for LiveHub {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl LiveHub {
    pub fn latest(&self, key: LiveKey) -> Option<LiveNumber> {
        self.0.borrow().latest.get(&key).copied()
    }

    pub fn flow(&self) -> Flow {
        match self.latest(LiveKey::Flow) {
            Some(LiveNumber::Flow(flow)) => flow,
            _ => Flow::default(),
        }
    }

    pub fn power(&self, meter: MeterId) -> Option<Power> {
        match self.latest(LiveKey::Meter(meter)) {
            Some(LiveNumber::Power(power)) => power,
            _ => None,
        }
    }

    /// Calls `show` with new values of `key`, at most once a second.
    pub fn watch(&self, key: LiveKey, show: Callback<LiveNumber>) -> Watch {
        let mut inner = self.0.borrow_mut();
        let id = inner.fresh_id();
        inner.watchers.entry(key).or_default().push(Watcher { id, throttle: Throttle::default(), show });
        Watch { hub: Rc::downgrade(&self.0), id }
    }

    /// Calls `hear` with the flow of every event.
    pub fn tap(&self, hear: Callback<(UnixMillis, Flow)>) -> Watch {
        let mut inner = self.0.borrow_mut();
        let id = inner.fresh_id();
        inner.taps.push((id, hear));
        Watch { hub: Rc::downgrade(&self.0), id }
    }

    pub fn publish(&self, live: &Live) {
        let mut values: Vec<(LiveKey, LiveNumber)> = Vec::with_capacity(live.meters.len() + 1);
        values.push((LiveKey::Flow, LiveNumber::Flow(live.flow)));
        values
            .extend(live.meters.iter().map(|v| (LiveKey::Meter(v.meter), LiveNumber::Power(Some(v.power)))));
        self.offer(values);
        let taps: Vec<_> = self.0.borrow().taps.iter().map(|(_, tap)| tap.clone()).collect();
        for tap in taps {
            tap.emit((live.at, live.flow));
        }
    }

    /// The overview's numbers: the start, and what has gone silent since.
    pub fn publish_overview(&self, overview: &Overview) {
        let mut values = vec![(LiveKey::Flow, LiveNumber::Flow(overview.flow))];
        values
            .extend(overview.consumers.iter().map(|c| (LiveKey::Meter(c.meter), LiveNumber::Power(c.power))));
        self.offer(values);
    }

    /// Of a list of meters just asked for.
    pub fn publish_powers(&self, powers: impl IntoIterator<Item = (MeterId, Option<Power>)>) {
        self.offer(powers.into_iter().map(|(m, p)| (LiveKey::Meter(m), LiveNumber::Power(p))).collect());
    }

    pub fn forget_all(&self) {
        self.0.borrow_mut().latest.clear();
    }

    fn offer(&self, values: Vec<(LiveKey, LiveNumber)>) {
        let now = browser::now();
        let Offered { shows, wake } = self.0.borrow_mut().offer(now, values);
        // a callback may watch or unwatch: the hub is not borrowed here
        for (show, value) in shows {
            show.emit(value);
        }
        if let Some(at) = wake {
            self.wake_at(at, now);
        }
    }

    fn wake_at(&self, at: UnixMillis, now: UnixMillis) {
        let mut inner = self.0.borrow_mut();
        if inner.timer.is_some() {
            return;
        }
        let weak = Rc::downgrade(&self.0);
        let ms = i32::try_from(at.since(now)).unwrap_or(1000).clamp(1, 1000);
        inner.timer = Some(Timeout::after(ms, move || {
            if let Some(hub) = weak.upgrade() {
                LiveHub(hub).show_due();
            }
        }));
    }

    fn show_due(&self) {
        let now = browser::now();
        let mut shows = Vec::new();
        let mut waiting = false;
        {
            let mut inner = self.0.borrow_mut();
            inner.timer = None;
            for w in inner.watchers.values_mut().flatten() {
                match w.throttle.due(now) {
                    Some(v) => shows.push((w.show.clone(), v)),
                    None => waiting |= w.throttle.is_waiting(),
                }
            }
        }
        for (show, value) in shows {
            show.emit(value);
        }
        if waiting {
            self.wake_at(now.plus_ms(100), now);
        }
    }
}

/// What new values lead to.
struct Offered {
    /// At once.
    shows: Vec<(Callback<LiveNumber>, LiveNumber)>,
    /// When the next of those that wait is due.
    wake: Option<UnixMillis>,
}

impl Inner {
    fn offer(&mut self, now: UnixMillis, values: Vec<(LiveKey, LiveNumber)>) -> Offered {
        let mut shows = Vec::with_capacity(values.len());
        let mut wake: Option<UnixMillis> = None;
        for (key, value) in values {
            // an unchanged value must not use up the second of the change that follows it
            if self.latest.insert(key, value) == Some(value) {
                continue;
            }
            for w in self.watchers.get_mut(&key).into_iter().flatten() {
                match w.throttle.offer(now, value) {
                    Offer::Show(v) => shows.push((w.show.clone(), v)),
                    Offer::Later(at) => wake = Some(wake.map_or(at, |w| w.min(at))),
                }
            }
        }
        Offered { shows, wake }
    }

    fn fresh_id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watts(w: f64) -> LiveNumber {
        LiveNumber::Power(Some(Power::from_watts(w)))
    }

    /// At these times (ms) these values come in; those that show at once.
    fn shown(values: &[(i64, f64)]) -> Vec<(i64, f64)> {
        let key = LiveKey::Meter(MeterId::derive(&["m"]));
        let hub = LiveHub::default();
        let _watch = hub.watch(key, Callback::noop());
        let mut inner = hub.0.borrow_mut();
        values
            .iter()
            .filter(|(at, w)| {
                let offered = inner.offer(UnixMillis(*at), vec![(key, watts(*w))]);
                assert!(offered.shows.iter().all(|(_, v)| *v == watts(*w)));
                !offered.shows.is_empty()
            })
            .copied()
            .collect()
    }

    #[test]
    fn an_unchanged_number_does_not_use_up_the_second_of_the_next_change() {
        // every message of another meter brings this one's value again
        assert_eq!(shown(&[(0, 84.0), (990, 84.0), (1000, 85.0)]), [(0, 84.0), (1000, 85.0)]);
        assert_eq!(shown(&[(0, 84.0), (300, 85.0)]), [(0, 84.0)], "a change waits for its second");
    }

    #[test]
    fn what_waits_is_shown_when_its_second_is_over_and_the_newest_wins() {
        let key = LiveKey::Meter(MeterId::derive(&["m"]));
        let hub = LiveHub::default();
        let _watch = hub.watch(key, Callback::noop());
        let mut inner = hub.0.borrow_mut();
        for (at, w) in [(0, 1.0), (200, 2.0), (400, 3.0)] {
            let wake = inner.offer(UnixMillis(at), vec![(key, watts(w))]).wake;
            assert_eq!(wake, (at > 0).then_some(UnixMillis(crate::throttle::SHOW_EVERY_MS)));
        }
        let throttle = &mut inner.watchers.get_mut(&key).unwrap()[0].throttle;
        assert_eq!(throttle.due(UnixMillis(900)), Some(watts(3.0)));
    }

    #[test]
    fn a_meter_without_watchers_costs_nothing_and_its_value_is_known() {
        let key = LiveKey::Meter(MeterId::derive(&["m"]));
        let hub = LiveHub::default();
        let offered = hub.0.borrow_mut().offer(UnixMillis(0), vec![(key, watts(7.0))]);
        assert!(offered.shows.is_empty() && offered.wake.is_none());
        assert_eq!(hub.power(MeterId::derive(&["m"])), Some(Power::from_watts(7.0)));
    }
}
