//! Which filters a connection has asked for, and what the broker answered.
//!
//! No I/O: the session says what it sent and heard. A connection listens only once its broker has
//! confirmed the filters that were known when it began; a refused filter is a state, not a log line.

use super::ConnState;
use rumqttc::SubscribeReasonCode;
use std::collections::{HashMap, VecDeque};
use std::ops::Range;

/// Filters in one SUBSCRIBE packet: brokers limit its size.
const FILTERS_PER_PACKET: usize = 64;
/// Packets that may wait for their answer: fewer than there are packet ids, so that none is used twice.
const OPEN_MAX: usize = 32;
/// Refused filters that are named.
const NAMED_MAX: usize = 20;

/// Of one connection. Filters are known by their place in the client's list, which only grows.
#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    /// Filters that were known when the connection began.
    first: usize,
    /// Of those: answered, in either way.
    first_answered: usize,
    /// The first filter that was not asked for yet.
    next: usize,
    /// Handed to the protocol library, which has given them no packet id yet; in order.
    handed: VecDeque<Range<usize>>,
    /// On the wire, by packet id.
    asked: HashMap<u16, Range<usize>>,
    refused: Vec<String>,
}

impl Subscriptions {
    /// The broker has let us in, and so many filters are to be subscribed to.
    pub(super) fn new(filters: usize) -> Self {
        Self { first: filters, ..Self::default() }
    }

    /// Asks for what was not asked for yet, as far as there is room; each answer makes room.
    pub(super) fn ask(&mut self, filters: &[String], mut send: impl FnMut(&[String]) -> bool) {
        while self.next < filters.len() && self.handed.len() + self.asked.len() < OPEN_MAX {
            let packet = self.next..filters.len().min(self.next + FILTERS_PER_PACKET);
            if !send(&filters[packet.clone()]) {
                return;
            }
            self.next = packet.end;
            self.handed.push_back(packet);
        }
    }

    /// The oldest packet that was handed over has been sent under this id.
    pub(super) fn sent(&mut self, packet_id: u16) {
        if let Some(packet) = self.handed.pop_front() {
            self.asked.insert(packet_id, packet);
        }
    }

    /// The broker's answer. A filter without a code of its own counts as refused; an answer to
    /// nothing is left alone.
    pub(super) fn answered(&mut self, packet_id: u16, codes: &[SubscribeReasonCode], filters: &[String]) {
        let Some(packet) = self.asked.remove(&packet_id) else { return };
        self.first_answered += packet.end.min(self.first).saturating_sub(packet.start);
        for (n, filter) in filters.get(packet).unwrap_or_default().iter().enumerate() {
            let taken = matches!(codes.get(n), Some(SubscribeReasonCode::Success(_)));
            if !taken && self.refused.len() < NAMED_MAX {
                self.refused.push(filter.clone());
            }
        }
    }

    /// `None` while the first filters wait for their confirmation.
    pub(super) fn state(&self) -> Option<ConnState> {
        if self.first_answered < self.first {
            return None;
        }
        Some(match self.refused.is_empty() {
            true => ConnState::Connected,
            false => ConnState::Restricted { refused: self.refused.clone() },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rumqttc::QoS;

    const YES: SubscribeReasonCode = SubscribeReasonCode::Success(QoS::AtMostOnce);
    const NO: SubscribeReasonCode = SubscribeReasonCode::Failure;

    fn filters(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("f{i}")).collect()
    }

    #[test]
    fn it_is_connected_when_all_the_first_filters_are_confirmed_in_any_order() {
        let mut list = filters(100);
        let mut subs = Subscriptions::new(list.len());
        let mut packets = Vec::new();
        subs.ask(&list, |p| {
            packets.push(p.len());
            true
        });
        assert_eq!(packets, [64, 36]);
        subs.sent(1);
        subs.sent(2);
        subs.answered(2, &[YES; 36], &list);
        assert_eq!(subs.state(), None);
        subs.answered(7, &[NO], &list); // to nothing that was asked
        subs.answered(1, &[YES; 64], &list);
        assert_eq!(subs.state(), Some(ConnState::Connected));
        // one that was learnt later does not take the state back, but its refusal shows
        list.push("late".into());
        subs.ask(&list, |p| p == ["late"]);
        assert_eq!(subs.state(), Some(ConnState::Connected));
        subs.sent(3);
        subs.answered(3, &[NO], &list);
        assert_eq!(subs.state(), Some(ConnState::Restricted { refused: vec!["late".into()] }));
    }

    #[test]
    fn a_refusal_and_a_missing_code_are_the_same() {
        let list = filters(3);
        let mut subs = Subscriptions::new(3);
        subs.ask(&list, |_| true);
        subs.sent(1);
        subs.answered(1, &[YES, NO], &list);
        assert_eq!(subs.state(), Some(ConnState::Restricted { refused: vec!["f1".into(), "f2".into()] }));
    }

    #[test]
    fn a_full_queue_and_too_many_open_packets_are_gone_on_with_later() {
        let list = filters(FILTERS_PER_PACKET * (OPEN_MAX + 1));
        let mut subs = Subscriptions::new(list.len());
        subs.ask(&list, |_| false);
        assert_eq!(subs.next, 0);
        subs.ask(&list, |_| true);
        assert_eq!(subs.handed.len(), OPEN_MAX);
        for id in 1..=OPEN_MAX as u16 {
            subs.sent(id);
        }
        subs.answered(1, &[YES; FILTERS_PER_PACKET], &list);
        subs.ask(&list, |_| true);
        assert_eq!((subs.next, subs.handed.len()), (list.len(), 1));
    }

    #[test]
    fn without_filters_it_is_connected_at_once() {
        assert_eq!(Subscriptions::new(0).state(), Some(ConnState::Connected));
    }
}
