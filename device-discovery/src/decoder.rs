//! Messages in, readings out.

use crate::body::Body;
use crate::families::{self, Family};
use crate::limits::{MAX_PAYLOAD, MAX_REGISTRY_PAYLOAD, MAX_TOPIC};
use crate::message::{Decoded, Message, Outcome, Transport};
use crate::topic;
use std::collections::BTreeSet;

/// Understands the messages of one broker (or of the home's HTTP answers). Pure: the same
/// messages give the same answers. Total: any bytes get an answer. Bounded: what it learns is
/// capped ([`crate::limits`]), and a refusal for that reason says so.
///
/// A message belongs to the first family of the table that claims it. Home Assistant discovery
/// comes last, so a device that is decoded natively is never decoded a second time through the
/// entities it also announces there.
#[derive(Debug)]
pub struct Decoder {
    families: Vec<Box<dyn Family>>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    pub fn new() -> Self {
        Self { families: families::TABLE.iter().map(|f| (f.new)()).collect() }
    }

    /// Decodes one message and learns from it.
    pub fn decode(&mut self, message: &Message) -> Decoded {
        let mut decoded = match refused(message) {
            Some(reason) => Decoded { outcome: Outcome::Reject, reason: Some(reason), ..Decoded::default() },
            None => self.first_claim(message),
        };
        decoded.stale = message.retain && message.transport == Transport::Mqtt;
        decoded
    }

    fn first_claim(&mut self, message: &Message) -> Decoded {
        if message.transport == Transport::Mdns {
            return families::mdns::decode(message);
        }
        let body = Body::new(message.payload);
        for family in &mut self.families {
            if let Some(decoded) = family.decode(message, &body) {
                return decoded;
            }
        }
        match body.json() {
            Err(e) if body.looks_like_object() => {
                Decoded { outcome: Outcome::Reject, reason: Some(e.into()), ..Decoded::default() }
            }
            _ => Decoded { reason: Some("of no known family".into()), ..Decoded::default() },
        }
    }

    /// Forgets all devices.
    pub fn reset(&mut self) {
        *self = Self::new();
    }

    /// Topic filters learnt from discovery messages, beyond [`crate::families::subscriptions`];
    /// sorted, without those that a fixed subscription already covers.
    pub fn wanted_topics(&self) -> Vec<String> {
        let mut wanted = BTreeSet::new();
        for family in &self.families {
            family.wanted(&mut wanted);
        }
        let fixed = families::subscriptions();
        wanted
            .into_iter()
            .filter(|w| !fixed.iter().any(|f| topic::matches(f, w.trim_end_matches("/#"))))
            .collect()
    }

    /// How many devices, entities and topics are remembered, over all families.
    pub fn remembered(&self) -> usize {
        self.families.iter().map(|f| f.remembered()).sum()
    }
}

fn refused(m: &Message) -> Option<String> {
    let most = if m.topic.ends_with("/bridge/devices") { MAX_REGISTRY_PAYLOAD } else { MAX_PAYLOAD };
    if m.topic.len() > MAX_TOPIC {
        Some(format!("topic longer than {MAX_TOPIC} bytes"))
    } else if m.payload.len() > most {
        Some(format!("payload of {} bytes, at most {most} are read", m.payload.len()))
    } else {
        None
    }
}
