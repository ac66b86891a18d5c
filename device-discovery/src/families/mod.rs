//! The families of meters: one module and one line of [`TABLE`] each.

use crate::body::Body;
use crate::message::{Decoded, Message, Outcome, Transport};
use std::collections::BTreeSet;
use std::fmt::Debug;

mod ha_discovery;
pub(crate) mod mdns;
mod shelly_gen1;
mod shelly_gen2;
mod tasmota;
mod zigbee2mqtt;

pub use mdns::{Recognised, Support, recognise_mdns};

/// What a family does with messages.
pub(crate) trait Family: Debug + Send {
    /// `None`: not mine, ask the next one.
    fn decode(&mut self, message: &Message, body: &Body) -> Option<Decoded>;
    /// Topic filters that it learnt to want.
    fn wanted(&self, _filters: &mut BTreeSet<String>) {}
    /// How many things it remembers.
    fn remembered(&self) -> usize;
}

pub(crate) struct Entry {
    pub name: &'static str,
    /// Topic filters that find its devices; registries and discovery first, because a broker
    /// answers subscriptions in order and identities should precede readings.
    pub subscriptions: &'static [&'static str],
    pub new: fn() -> Box<dyn Family>,
    pub fixtures: &'static [Fixture],
}

/// In the order in which they are asked: Home Assistant discovery last, see [`crate::Decoder`].
pub(crate) static TABLE: &[Entry] =
    &[shelly_gen1::ENTRY, zigbee2mqtt::ENTRY, tasmota::ENTRY, shelly_gen2::ENTRY, ha_discovery::ENTRY];

/// Topic filters that find every supported device; to subscribe to first, in this order, on each
/// broker.
pub fn subscriptions() -> Vec<&'static str> {
    TABLE.iter().flat_map(|f| f.subscriptions).copied().collect()
}

/// The names of the families that are decoded.
pub fn names() -> Vec<&'static str> {
    TABLE.iter().map(|f| f.name).collect()
}

/// A message of our own making and what it must yield; each family carries its own.
/// `expect` is the outcome and the readings: `ok total/power=12.5 l1/voltage=230`.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Fixture {
    pub transport: Transport,
    pub topic: &'static str,
    pub payload: &'static str,
    pub expect: &'static str,
}

impl Fixture {
    pub(crate) const fn mqtt(topic: &'static str, payload: &'static str, expect: &'static str) -> Self {
        Self { transport: Transport::Mqtt, topic, payload, expect }
    }
    pub(crate) const fn http(topic: &'static str, payload: &'static str, expect: &'static str) -> Self {
        Self { transport: Transport::Http, topic, payload, expect }
    }
    pub fn message(&self) -> Message<'static> {
        Message {
            transport: self.transport,
            topic: self.topic,
            payload: self.payload.as_bytes(),
            retain: false,
        }
    }
}

/// All fixtures, family by family, in an order in which one decoder can take them.
#[doc(hidden)]
pub fn fixtures() -> impl Iterator<Item = (&'static str, &'static Fixture)> {
    TABLE.iter().flat_map(|f| f.fixtures.iter().map(|x| (f.name, x)))
}

/// A message that is understood and holds no reading.
pub(crate) fn quiet(
    family: &'static str,
    outcome: Outcome,
    id: Option<String>,
    why: impl Into<String>,
) -> Decoded {
    let reason = Some(why.into()).filter(|r| !r.is_empty());
    Decoded { outcome, family: Some(family), device_id: id, reason, ..Decoded::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Decoder;

    #[test]
    fn every_fixture_yields_what_it_says() {
        for entry in TABLE {
            let mut decoder = Decoder::new();
            for x in entry.fixtures {
                let d = decoder.decode(&x.message());
                let outcome = serde_json::to_value(d.outcome).unwrap();
                let mut want: Vec<&str> = x.expect.split_whitespace().collect();
                let label = format!("{} {} {} gave {d:?}", entry.name, x.topic, x.payload);
                assert_eq!(outcome.as_str(), Some(want.remove(0)), "{label}");
                assert_eq!(d.family, Some(entry.name), "{label}");
                assert_eq!(d.measurements.len(), want.len(), "{label}");
                for w in want {
                    let (name, value) = w.split_once('=').unwrap();
                    let found = d
                        .measurements
                        .iter()
                        .find(|m| format!("{}/{}", m.channel, m.quantity.name()) == name)
                        .unwrap_or_else(|| panic!("no {name}: {label}"));
                    let value: f64 = value.parse().unwrap();
                    assert!((found.value - value).abs() <= 1e-6 * value.abs().max(1.0), "{name}: {label}");
                }
            }
        }
    }

    #[test]
    fn every_family_has_good_and_corrupt_fixtures() {
        for entry in TABLE {
            assert!(entry.fixtures.iter().any(|f| f.expect.starts_with("ok")), "{}", entry.name);
            assert!(entry.fixtures.iter().any(|f| f.expect.starts_with("reject")), "{}", entry.name);
        }
    }

    #[test]
    fn no_two_subscriptions_are_the_same() {
        let all = subscriptions();
        let unique: BTreeSet<_> = all.iter().collect();
        assert_eq!(all.len(), unique.len());
    }
}
