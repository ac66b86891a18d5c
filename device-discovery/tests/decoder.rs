//! The decoder against real messages, where they are at hand, and against hostile ones, always.

#![allow(clippy::unwrap_used)] // a test may

use hearthwatt_discovery::limits::{
    MAX_DEVICES, MAX_ENTITIES, MAX_MEASUREMENTS, MAX_PAYLOAD, MAX_REGISTRY_PAYLOAD,
};
use hearthwatt_discovery::{Decoded, Decoder, Message, Outcome, Transport, families};
use proptest::prelude::*;

mod corpus {
    //! Compares with the corpus of real messages beside the checkout (`../shared/corpus`, or
    //! where `HEARTHWATT_CORPUS` points). It is not part of the repository.

    use super::*;
    use serde_json::Value;
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};

    fn folder() -> Option<PathBuf> {
        let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
        let path = std::env::var_os("HEARTHWATT_CORPUS").map_or(beside, PathBuf::from).join("cases");
        path.is_dir().then_some(path)
    }

    /// Cases in groups that one decoder is fed with in order.
    fn groups(folder: &Path) -> BTreeMap<(String, String), Vec<Value>> {
        let mut groups: BTreeMap<_, Vec<Value>> = BTreeMap::new();
        for family in std::fs::read_dir(folder).unwrap() {
            for case in std::fs::read_dir(family.unwrap().path()).unwrap() {
                let case: Value =
                    serde_json::from_slice(&std::fs::read(case.unwrap().path()).unwrap()).unwrap();
                let text = |p: &str| case.pointer(p).and_then(Value::as_str).map(str::to_string);
                let group = text("/sequence/id").or_else(|| text("/id")).unwrap();
                groups.entry((text("/family").unwrap(), group)).or_default().push(case);
            }
        }
        for cases in groups.values_mut() {
            cases.sort_by_key(|c| c.pointer("/sequence/n").and_then(Value::as_i64).unwrap_or(0));
        }
        groups
    }

    fn decode(decoder: &mut Decoder, case: &Value) -> Decoded {
        let payload = match case["payload_base64"].as_str() {
            Some(b) => base64(b),
            None => case["payload"].as_str().unwrap_or_default().as_bytes().to_vec(),
        };
        let transport = match case["transport"].as_str().unwrap_or("mqtt") {
            "http" => Transport::Http,
            "mdns" => Transport::Mdns,
            "serial" => Transport::Serial,
            "tcp" => Transport::Tcp,
            _ => Transport::Mqtt,
        };
        decoder.decode(&Message {
            transport,
            topic: case["topic"].as_str().unwrap_or_default(),
            payload: &payload,
            retain: case["retain"] == true,
        })
    }

    fn base64(text: &str) -> Vec<u8> {
        const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let (mut out, mut bits, mut count) = (Vec::new(), 0u32, 0);
        for c in text.trim_end_matches('=').chars() {
            bits = bits << 6 | DIGITS.find(c).unwrap() as u32;
            count += 6;
            if count >= 8 {
                count -= 8;
                out.push((bits >> count) as u8);
            }
        }
        out
    }

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-6f64.max(1e-6 * b.abs())
    }

    /// What is wrong with an answer.
    fn wrong(case: &Value, d: &Decoded) -> Vec<String> {
        let expected = &case["expected"];
        let outcome = expected["outcome"].as_str().unwrap();
        let listed = |key: &str| expected[key].as_array().cloned().unwrap_or_default();
        let is = |m: &hearthwatt_discovery::Measurement, e: &Value| {
            e["channel"] == m.channel.as_str() && e["quantity"] == m.quantity.name()
        };
        let mut wrong = Vec::new();
        if matches!(outcome, "none" | "reject" | "gone") && !d.measurements.is_empty() {
            wrong.push(format!("emitted {:?}, expected {outcome}", d.measurements));
        }
        if outcome == "reject" && d.outcome != Outcome::Reject {
            wrong.push(format!("{:?}, expected reject", d.outcome));
        }
        let must = listed("measurements");
        for e in &must {
            match d.measurements.iter().find(|m| is(m, e)) {
                Some(m) if near(m.value, e["value"].as_f64().unwrap()) && e["unit"] == m.quantity.unit() => {}
                found => wrong.push(format!("{found:?}, expected {e}")),
            }
        }
        let may: Vec<Value> = listed("extra").into_iter().chain(listed("derived")).collect();
        for m in d.measurements.iter().filter(|m| !must.iter().any(|e| is(m, e))) {
            match may.iter().find(|e| is(m, e)) {
                Some(e) if near(m.value, e["value"].as_f64().unwrap()) => {}
                _ => wrong.push(format!("{m:?} is not expected")),
            }
        }
        wrong
    }

    #[test]
    fn real_messages_yield_their_readings() {
        let Some(folder) = folder() else {
            println!("passed over: no corpus beside the checkout");
            return;
        };
        let ours: Vec<_> = families::names().into_iter().chain(["mdns"]).collect();
        let (mut right, mut readings, mut faults) = (0usize, 0usize, Vec::new());
        for ((family, _), cases) in groups(&folder) {
            let mut decoder = Decoder::new();
            for case in cases {
                let d = decode(&mut decoder, &case);
                let wrong = if ours.contains(&family.as_str()) {
                    wrong(&case, &d)
                } else {
                    // of other families nothing is emitted
                    d.measurements.iter().map(|m| format!("{m:?} of a family that is not decoded")).collect()
                };
                let reads =
                    ours.contains(&family.as_str()) && case["expected"]["measurements"][0].is_object();
                readings += usize::from(reads);
                right += usize::from(reads && wrong.is_empty());
                if !wrong.is_empty() {
                    println!("{}: {}", case["id"], wrong.join("; "));
                    if !reads {
                        faults.push(case["id"].to_string());
                    }
                }
            }
        }
        println!("readings {right}/{readings}");
        assert!(readings > 0, "an empty corpus");
        assert!(faults.is_empty(), "to be silent or refused: {faults:?}");
        assert!(right * 100 >= readings * 98, "readings {right}/{readings}");
    }
}

/// What holds for every answer to every message.
fn sound(d: &Decoded, m: &Message) {
    assert!(d.measurements.len() <= MAX_MEASUREMENTS);
    for x in &d.measurements {
        assert!(x.value.is_finite(), "{x:?} of {m:?}");
        assert!(x.value.abs() <= 1e12, "{x:?} of {m:?}");
        assert!(x.channel.as_str().len() <= hearthwatt_domain::reading::Channel::MAX_LEN, "{x:?}");
        if x.quantity.is_register() {
            assert!(x.value >= 0.0, "{x:?} of {m:?}");
        }
    }
    let mut points: Vec<_> = d.measurements.iter().map(|x| (&x.channel, x.quantity)).collect();
    points.sort();
    points.dedup();
    assert_eq!(points.len(), d.measurements.len(), "a point twice: {d:?}");
    match d.outcome {
        Outcome::None | Outcome::Reject | Outcome::Gone => {
            assert!(d.measurements.is_empty(), "{d:?}");
            assert!(d.reason.is_some(), "no reason: {d:?} of {m:?}");
        }
        Outcome::Partial => assert!(d.reason.is_some(), "{d:?}"),
        Outcome::Ok => {}
    }
    assert!(d.device_id.as_deref().is_none_or(|id| id.len() <= 512));
    assert_eq!(d.stale, m.retain && m.transport == Transport::Mqtt);
}

#[derive(Debug, Clone)]
struct Sent {
    transport: Transport,
    topic: String,
    payload: Vec<u8>,
    retain: bool,
}

impl Sent {
    fn message(&self) -> Message<'_> {
        Message { transport: self.transport, topic: &self.topic, payload: &self.payload, retain: self.retain }
    }
}

fn transport() -> impl Strategy<Value = Transport> {
    prop_oneof![6 => Just(Transport::Mqtt), 2 => Just(Transport::Http), 1 => Just(Transport::Mdns), 1 => Just(Transport::Tcp)]
}

/// A fixture on its own or another's topic, with its payload damaged.
fn damaged() -> impl Strategy<Value = Sent> {
    let all: Vec<_> = families::fixtures().map(|(_, f)| *f).collect();
    let n = all.len();
    let cut = (0..n, 0..n, 0..n, any::<[prop::sample::Index; 3]>(), 0u8..8, any::<u8>(), any::<bool>());
    cut.prop_map(move |(a, b, c, at, how, byte, retain)| {
        let mut payload = all[a].payload.as_bytes().to_vec();
        let other = all[b].payload.as_bytes();
        let len = payload.len().max(1);
        let (i, j) = (at[0].index(len).min(payload.len()), at[1].index(len).min(payload.len()));
        match how {
            0 => payload.truncate(i),
            1 if i < payload.len() => payload[i] ^= 1 << (byte % 8),
            2 => payload.insert(i, byte),
            3 => payload.extend_from_slice(other),
            4 => payload.splice(i.min(j)..i.max(j), other.iter().copied()).for_each(drop),
            5 => {
                payload =
                    String::from_utf8_lossy(&payload).replace(|c: char| c.is_ascii_digit(), "9").into_bytes()
            }
            6 => payload = String::from_utf8_lossy(&payload).replace(':', ":[{\"\":").into_bytes(),
            _ => {}
        }
        let topic = if how == 7 { all[c].topic } else { all[a].topic };
        Sent { transport: all[a].transport, topic: topic.into(), payload, retain }
    })
}

fn arbitrary() -> impl Strategy<Value = Sent> {
    let level = prop_oneof![
        Just("shellies".to_string()),
        Just("tele".to_string()),
        Just("SENSOR".to_string()),
        Just("zigbee2mqtt".to_string()),
        Just("bridge".to_string()),
        Just("devices".to_string()),
        Just("homeassistant".to_string()),
        Just("sensor".to_string()),
        Just("config".to_string()),
        Just("status".to_string()),
        Just("emeter".to_string()),
        Just("power".to_string()),
        "\\PC{0,6}",
    ];
    let topic = prop::collection::vec(level, 0..6).prop_map(|l| l.join("/"));
    (transport(), topic, prop::collection::vec(any::<u8>(), 0..200), any::<bool>())
        .prop_map(|(transport, topic, payload, retain)| Sent { transport, topic, payload, retain })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_messages_gets_sound_answers(
        sent in prop::collection::vec(prop_oneof![3 => damaged(), 1 => arbitrary()], 1..60)
    ) {
        let mut decoder = Decoder::new();
        for s in &sent {
            sound(&decoder.decode(&s.message()), &s.message());
        }
        // nothing grows faster than the messages that feed it
        prop_assert!(decoder.remembered() <= 128 * sent.len());
        decoder.reset();
        prop_assert_eq!(decoder.remembered(), 0);
        prop_assert!(decoder.wanted_topics().is_empty());
    }

    #[test]
    fn the_same_messages_give_the_same_answers(sent in prop::collection::vec(damaged(), 1..20)) {
        let answers = || {
            let mut decoder = Decoder::new();
            sent.iter().map(|s| decoder.decode(&s.message())).collect::<Vec<_>>()
        };
        prop_assert_eq!(answers(), answers());
    }
}

#[test]
fn every_fixture_cut_anywhere_gets_a_sound_answer() {
    for (_, f) in families::fixtures() {
        for end in 0..f.payload.len() {
            let m = Message { payload: &f.payload.as_bytes()[..end], ..f.message() };
            sound(&Decoder::new().decode(&m), &m);
        }
    }
}

#[test]
fn memory_is_bounded_whoever_talks() {
    let mut decoder = Decoder::new();
    let mut refused = 0;
    for i in 0..4 * MAX_DEVICES {
        for (topic, payload) in [
            (format!("shellies/id{i}/emeter/0/power"), "1".to_string()),
            (format!("p{i}/status/switch:{i}"), r#"{"apower":1}"#.into()),
            (
                format!("p{i}/events/rpc"),
                format!(r#"{{"src":"s{i}","method":"NotifyStatus","params":{{"em:0":{{}}}}}}"#),
            ),
            (format!("tele/t{i}/SENSOR"), r#"{"ENERGY":{"Power":1}}"#.into()),
            (
                format!("tasmota/discovery/M{i}/config"),
                format!(r#"{{"t":"t{i}","ft":"x/%topic%/%prefix%"}}"#),
            ),
            (format!("b{i}/bridge/devices"), r#"[{"ieee_address":"0x1","friendly_name":"a"}]"#.into()),
            (
                format!("homeassistant/sensor/e{i}/config"),
                format!(r#"{{"stat_t":"s/{i}","unit_of_meas":"W"}}"#),
            ),
        ] {
            let m = Message {
                transport: Transport::Mqtt,
                topic: &topic,
                payload: payload.as_bytes(),
                retain: false,
            };
            let d = decoder.decode(&m);
            sound(&d, &m);
            refused += usize::from(
                d.outcome == Outcome::Reject && d.reason.is_some_and(|r| r.contains("more than")),
            );
        }
    }
    assert!(refused > 4 * MAX_DEVICES, "caps are reported: {refused}");
    assert!(decoder.remembered() < 12 * MAX_DEVICES + MAX_ENTITIES, "{}", decoder.remembered());
}

#[test]
fn oversized_and_overnested_payloads_are_refused_with_the_reason() {
    let long = vec![b' '; MAX_PAYLOAD + 1];
    let deep = "[".repeat(100_000);
    for (payload, why) in [(&long[..], "bytes"), (deep.as_bytes(), "deeper")] {
        let m = Message { transport: Transport::Mqtt, topic: "tele/x/SENSOR", payload, retain: false };
        let d = Decoder::new().decode(&m);
        assert_eq!(d.outcome, Outcome::Reject);
        assert!(d.reason.as_deref().is_some_and(|r| r.contains(why)), "{d:?}");
    }
}

#[test]
fn the_registry_of_a_large_network_is_read_and_a_larger_one_refused() {
    // 300 devices with descriptions of 5 KiB each
    let device = |i: usize| {
        format!(
            r#"{{"ieee_address":"0x{i:016x}","friendly_name":"plug {i}","definition":{{"description":"{}"}}}}"#,
            "x".repeat(5 * 1024)
        )
    };
    let large = format!("[{}]", (0..300).map(device).collect::<Vec<_>>().join(","));
    assert!(large.len() > MAX_PAYLOAD && large.len() < MAX_REGISTRY_PAYLOAD);
    let too_large = vec![b' '; MAX_REGISTRY_PAYLOAD + 1];
    let (topic, transport) = ("zigbee2mqtt/bridge/devices", Transport::Mqtt);
    let mut decoder = Decoder::new();
    let d = decoder.decode(&Message { transport, topic, payload: large.as_bytes(), retain: true });
    assert_eq!(d.reason.filter(|_| d.outcome == Outcome::Reject), None);
    let m = Message { transport, topic: "zigbee2mqtt/plug 299", payload: br#"{"power":5}"#, retain: false };
    assert_eq!(decoder.decode(&m).device_id.as_deref(), Some("0x000000000000012b"));
    let d = decoder.decode(&Message { transport, topic, payload: &too_large, retain: true });
    assert_eq!(d.outcome, Outcome::Reject);
}

#[test]
fn a_retained_reading_is_marked() {
    let m = Message {
        transport: Transport::Mqtt,
        topic: "zigbee2mqtt/a",
        payload: br#"{"power":5}"#,
        retain: true,
    };
    let d = Decoder::new().decode(&m);
    assert_eq!((d.outcome, d.stale, d.measurements.len()), (Outcome::Ok, true, 1));
}

/// Prints what a message costs; run it alone, with `--ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn cost_of_a_templated_state() {
    for template in [
        "{{ value_json.p }}",
        "{{ value_json.p | float(0) | round(1) }}",
        "{{ (value_json.a.b | float / 60) | round(2) }}",
        "{% set w = value_json.p %}{{ w if w > 0 else 0 }}",
    ] {
        let mut decoder = Decoder::new();
        let config = format!(r#"{{"stat_t":"s/p","unit_of_meas":"W","val_tpl":"{template}"}}"#);
        let mqtt = |topic, payload| Message { transport: Transport::Mqtt, topic, payload, retain: false };
        decoder.decode(&mqtt("homeassistant/sensor/e/config", config.as_bytes()));
        let state = mqtt("s/p", br#"{"p":12.5,"a":{"b":90},"c":"text","d":[1,2,3],"e":true}"#);
        assert_eq!(decoder.decode(&state).measurements.len(), 1, "{template}");
        let (started, n) = (std::time::Instant::now(), 100_000);
        for _ in 0..n {
            std::hint::black_box(decoder.decode(&state));
        }
        println!("{template}: {:.2} us", started.elapsed().as_secs_f64() * 1e6 / f64::from(n));
    }
}
