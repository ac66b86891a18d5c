//! `hearthwatt-decode`: JSON Lines on standard input, one JSON line of answer to each.
//!
//! In `{"transport":"mqtt","topic":"…","payload_base64":"…","retain":false}` (or `payload` as
//! text), or `{"reset":true}`. A line that is neither is answered with a refusal, never with an end.

use hearthwatt_discovery::{Decoded, Decoder, Message, Outcome, Transport};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::{self, BufRead, Read, Write};

/// Longest line that is read, in bytes: the longest payload in base64, and its envelope.
const MAX_LINE: usize = 3 * 1024 * 1024;

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    reset: bool,
    #[serde(default = "mqtt")]
    transport: Transport,
    topic: Option<String>,
    payload_base64: Option<String>,
    payload: Option<String>,
    #[serde(default)]
    retain: bool,
}

fn mqtt() -> Transport {
    Transport::Mqtt
}

fn main() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut output = io::BufWriter::new(io::stdout().lock());
    let mut decoder = Decoder::new();
    let mut line = Vec::new();
    while let Some(whole) = read_line(&mut input, &mut line)? {
        if whole && line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let answer = if whole {
            answer(&mut decoder, &line)
        } else {
            refusal(format!("a line is longer than {MAX_LINE} bytes"))
        };
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

/// The next line without its end; `Some(false)` if it was too long and has been passed over.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    if input.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', line)? == 0 {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        return Ok(Some(true));
    }
    if line.len() <= MAX_LINE {
        return Ok(Some(true));
    }
    loop {
        line.clear();
        let read = input.by_ref().take(64 * 1024).read_until(b'\n', line)?;
        if read == 0 || line.last() == Some(&b'\n') {
            line.clear();
            return Ok(Some(false));
        }
    }
}

fn answer(decoder: &mut Decoder, line: &[u8]) -> Value {
    let line: Line = match serde_json::from_slice(line) {
        Ok(l) => l,
        Err(e) => return refusal(format!("not a message: {e}")),
    };
    if line.reset {
        decoder.reset();
        return json!({"reset": true});
    }
    let payload = match (&line.payload_base64, line.payload) {
        (Some(text), _) => match base64(text) {
            Some(bytes) => bytes,
            None => return refusal("payload_base64 is not base64".into()),
        },
        (None, text) => text.unwrap_or_default().into_bytes(),
    };
    let topic = line.topic.unwrap_or_default();
    let message =
        Message { transport: line.transport, topic: &topic, payload: &payload, retain: line.retain };
    printed(&decoder.decode(&message))
}

fn printed(d: &Decoded) -> Value {
    let measurements: Vec<Value> = d
        .measurements
        .iter()
        .map(|m| json!({"channel": m.channel, "quantity": m.quantity, "value": m.value, "unit": m.quantity.unit()}))
        .collect();
    json!({
        "outcome": d.outcome,
        "family": d.family,
        "device_id": d.device_id,
        "measurements": measurements,
        "reason": d.reason,
        "stale": d.stale,
        "online": d.online,
    })
}

fn refusal(reason: String) -> Value {
    let outcome = Outcome::Reject;
    json!({"outcome": outcome, "family": null, "device_id": null, "measurements": [], "reason": reason})
}

/// Standard base64 with or without padding (RFC 4648, section 4).
fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim().trim_end_matches('=').as_bytes();
    let mut out = Vec::with_capacity(digits.len() * 3 / 4);
    for chunk in digits.chunks(4) {
        let mut bits = 0u32;
        for &c in chunk {
            let v = match c {
                b'A'..=b'Z' => c - b'A',
                b'a'..=b'z' => c - b'a' + 26,
                b'0'..=b'9' => c - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(v);
        }
        bits <<= 6 * (4 - chunk.len());
        let bytes = bits.to_be_bytes();
        out.extend_from_slice(bytes.get(1..chunk.len())?);
    }
    Some(out)
}
