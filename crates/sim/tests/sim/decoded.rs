//! What the devices publish is what the decoders understand: the planned keys, the planned values.

use crate::wire::{listen, options};
use hearthwatt_discovery::families;
use hearthwatt_discovery::{Decoder, Message, Outcome, Transport};
use hearthwatt_domain::meter::MeterKey;
use hearthwatt_domain::reading::{Channel, Quantity};
use hearthwatt_sim::SimHome;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn every_payload_decodes_to_its_planned_key_and_value_and_none_is_refused() {
    let mut options = options();
    options.extra_meters = 6;
    let home = SimHome::start(options).await.unwrap();
    let start = home.now();
    let (handle, mut messages) = listen(&home, &families::subscriptions());
    let mut decoder = Decoder::new();
    let mut heard: BTreeMap<(MeterKey, Quantity), Vec<f64>> = BTreeMap::new();
    let deadline = tokio::time::Instant::now() + Duration::from_secs(3);
    while let Ok(Some(m)) = tokio::time::timeout_at(deadline, messages.recv()).await {
        let message =
            Message { transport: Transport::Mqtt, topic: &m.topic, payload: &m.payload, retain: m.retain };
        let decoded = decoder.decode(&message);
        let text = String::from_utf8_lossy(&m.payload);
        assert!(
            !matches!(decoded.outcome, Outcome::Reject | Outcome::Partial),
            "{} {text}: {:?}",
            m.topic,
            decoded.reason
        );
        for filter in decoder.wanted_topics() {
            assert!(handle.subscribe(&filter));
        }
        for measured in decoded.measurements {
            let key = MeterKey {
                family: decoded.family.expect("a family").into(),
                device_id: decoded.device_id.clone().expect("a device"),
                group: measured.channel.group().into(),
            };
            let planned = home.meters().iter().find(|p| p.key == key);
            let planned = planned.unwrap_or_else(|| panic!("{key:?} is not planned: {} {text}", m.topic));
            if measured.channel == planned.channel || measured.channel == Channel::TOTAL {
                heard.entry((key, measured.quantity)).or_default().push(measured.value);
            }
        }
    }
    let end = home.now();

    let mut missing = BTreeSet::new();
    for (i, meter) in home.meters().iter().enumerate() {
        let values = |quantity| heard.get(&(meter.key.clone(), quantity)).cloned().unwrap_or_default();
        let wanted = if meter.has_export() { 3 } else { 2 };
        for quantity in
            [Quantity::Power, Quantity::EnergyImport, Quantity::EnergyExport].into_iter().take(wanted)
        {
            if values(quantity).len() < 5 {
                missing.insert((meter.name.clone(), quantity));
            }
        }
        if i >= home.plan().meters().len() {
            continue;
        }
        let (from, to) = (home.plan().shown(i, start), home.plan().shown(i, end));
        for (quantity, from, to) in [
            (Quantity::EnergyImport, from.import, to.import),
            (Quantity::EnergyExport, from.export, to.export),
        ] {
            let rising = values(quantity);
            assert!(rising.is_sorted(), "{}: {rising:?}", meter.name);
            for value in rising {
                assert!(
                    (from - 1e-6..=to + 1e-6).contains(&value),
                    "{} {quantity:?}: {value} not in {from}..{to}",
                    meter.name
                );
            }
        }
        let steps = (0..=end.since(start) / 5).map(|n| home.plan().power(i, start.plus_ms(n * 5)));
        let (low, high) = steps.fold((f64::MAX, f64::MIN), |(l, h), w| (l.min(w), h.max(w)));
        for value in values(Quantity::Power) {
            assert!(
                (low - 0.2..=high + 0.2).contains(&value),
                "{}: {value} W not in {low}..{high}",
                meter.name
            );
        }
    }
    assert!(missing.is_empty(), "not heard: {missing:?}");
    home.stop().await;
}
