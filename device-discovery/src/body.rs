//! The payload of a message, parsed at most once whichever families look at it.

use crate::limits::MAX_JSON_DEPTH;
use serde_json::Value;
use std::cell::OnceCell;

pub(crate) struct Body<'a> {
    bytes: &'a [u8],
    json: OnceCell<Result<Value, String>>,
}

impl<'a> Body<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, json: OnceCell::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The payload as trimmed text.
    pub fn text(&self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes).ok().map(str::trim)
    }

    /// Could it be a JSON object? Spares plain numbers the parser.
    pub fn looks_like_object(&self) -> bool {
        self.bytes.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{')
    }

    pub fn json(&self) -> Result<&Value, &str> {
        self.json.get_or_init(|| parse(self.bytes)).as_ref().map_err(String::as_str)
    }
}

fn parse(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|e| format!("not UTF-8 at byte {}", e.valid_up_to()))?;
    if depth(bytes) > MAX_JSON_DEPTH {
        return Err(format!("JSON nested deeper than {MAX_JSON_DEPTH}"));
    }
    match serde_json::from_str(text) {
        Ok(v) => Ok(v),
        // printf of a float that is none: the value is missing, the rest of the message is good
        Err(e) => without_non_numbers(text)
            .and_then(|t| serde_json::from_str(&t).ok())
            .ok_or_else(|| format!("not JSON: {e}")),
    }
}

fn depth(bytes: &[u8]) -> usize {
    let (mut now, mut most, mut in_string, mut escaped) = (0usize, 0, false, false);
    for &b in bytes {
        match b {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' if !in_string => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// Bare `nan`, `-nan`, `NaN`, `inf`, … outside strings become `null`. `None` if there is none.
fn without_non_numbers(text: &str) -> Option<String> {
    const NON_NUMBERS: [&str; 6] = ["nan", "-nan", "inf", "-inf", "infinity", "-infinity"];
    let (mut out, mut found, mut in_string, mut escaped) =
        (String::with_capacity(text.len()), false, false, false);
    let mut word = String::new();
    let flush = |word: &mut String, out: &mut String, found: &mut bool| {
        if NON_NUMBERS.iter().any(|n| word.eq_ignore_ascii_case(n)) {
            *found = true;
            out.push_str("null");
        } else {
            out.push_str(word);
        }
        word.clear();
    };
    for c in text.chars() {
        if in_string {
            out.push(c);
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => in_string = false,
                _ => {}
            }
        } else if c.is_ascii_alphabetic() || c == '-' {
            word.push(c);
        } else {
            flush(&mut word, &mut out, &mut found);
            in_string = c == '"';
            out.push(c);
        }
    }
    flush(&mut word, &mut out, &mut found);
    found.then_some(out)
}

/// A number as devices write it.
pub(crate) enum Number {
    Is(f64),
    /// The device says that it has no value.
    Missing,
    /// Something that is no number.
    Not,
}

/// Numbers, and text that is one.
pub(crate) fn number(v: &Value) -> Number {
    match v {
        Value::Number(n) => n.as_f64().map_or(Number::Not, Number::Is),
        Value::String(s) => number_in(s),
        Value::Null => Number::Missing,
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Number::Not,
    }
}

/// The same for plain text.
pub(crate) fn number_in(text: &str) -> Number {
    const MISSING: [&str; 12] =
        ["", "null", "(null)", "nan", "-nan", "none", "inf", "+inf", "-inf", "unavailable", "unknown", "---"];
    let t = text.trim();
    if MISSING.iter().any(|m| t.eq_ignore_ascii_case(m)) {
        return Number::Missing;
    }
    // `parse` alone would take "infinity"
    if t.len() > 40 || !t.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'))
    {
        return Number::Not;
    }
    t.parse().map_or(Number::Not, Number::Is)
}

/// Text of a field, cut to a sane length, without control characters. Numbers count as text:
/// versions and serial numbers come as either.
pub(crate) fn text_of(v: Option<&Value>) -> String {
    match v {
        Some(Value::String(s)) => clip(s),
        Some(Value::Number(n)) => n.to_string(),
        _ => String::new(),
    }
}

pub(crate) fn clip(s: &str) -> String {
    s.trim().chars().filter(|c| !c.is_control()).take(crate::limits::MAX_TEXT).collect()
}

/// Twelve upper-case hex digits, or empty.
pub(crate) fn mac_of(s: &str) -> String {
    let hex: String = s.chars().filter(|c| !matches!(c, ':' | '-')).collect();
    if hex.len() == 12 && hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        hex.to_ascii_uppercase()
    } else {
        String::new()
    }
}
