//! Packed keys and values: everything is clustered under one integer, which SQLite keeps smallest.

use hearthwatt_domain::time::{INTERVAL_MS, UnixMillis};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};

/// 2000-01-01T00:00Z, before any meter we read: times are counted from here, in 42 bits, until 2139.
pub(crate) const EPOCH_MS: i64 = 946_684_800_000;
const TIME_BITS: u32 = 42;
const TIME_MASK: i64 = (1 << TIME_BITS) - 1;
/// Meters are numbered in 16 bits.
pub(crate) const METERS_MAX: i64 = 1 << 16;
/// Series are numbered in 20 bits.
pub(crate) const SERIES_MAX: i64 = 1 << 20;
pub(crate) const MINUTE_MS: i64 = 60_000;

/// Whether a reading of this time can be stored.
pub(crate) const fn storable(at: UnixMillis) -> bool {
    at.0 >= EPOCH_MS && at.0 - EPOCH_MS < TIME_MASK
}

/// Readings: by series, then time. Times outside the range are moved to its ends.
pub(crate) fn reading_key(series: i64, at: UnixMillis) -> i64 {
    series << TIME_BITS | at.0.saturating_sub(EPOCH_MS).clamp(0, TIME_MASK)
}
pub(crate) const fn reading_at(key: i64) -> UnixMillis {
    UnixMillis((key & TIME_MASK) + EPOCH_MS)
}

pub(crate) const fn reading_series(key: i64) -> i64 {
    key >> TIME_BITS
}

fn clamped(at: UnixMillis) -> i64 {
    at.0.clamp(EPOCH_MS, EPOCH_MS + TIME_MASK)
}

const INTERVAL_BITS: u32 = 26;
const MINUTE_BITS: u32 = 27;

/// Intervals: by meter, then time.
pub(crate) fn interval_key(meter: i64, start: UnixMillis) -> i64 {
    (meter << INTERVAL_BITS) | ((clamped(start) - EPOCH_MS) / INTERVAL_MS)
}
pub(crate) const fn interval_start(key: i64) -> UnixMillis {
    UnixMillis((key & ((1 << INTERVAL_BITS) - 1)) * INTERVAL_MS + EPOCH_MS)
}
pub(crate) const fn interval_meter(key: i64) -> i64 {
    key >> INTERVAL_BITS
}

/// Minutes: by series, then time.
pub(crate) fn minute_key(series: i64, at: UnixMillis) -> i64 {
    (series << MINUTE_BITS) | ((clamped(at) - EPOCH_MS) / MINUTE_MS)
}
pub(crate) const fn minute_start(key: i64) -> i64 {
    (key & ((1 << MINUTE_BITS) - 1)) * MINUTE_MS + EPOCH_MS
}

const SCALES: [f64; 4] = [1.0, 10.0, 100.0, 1000.0];

/// A value with up to three decimals as an integer (two bits of scale, the rest mantissa), any
/// other as a float. Exact either way: what does not come back bit for bit stays a float.
pub(crate) fn pack(value: f64) -> ToSqlOutput<'static> {
    for (code, scale) in SCALES.iter().enumerate() {
        let scaled = (value * scale).round();
        if scaled.abs() < 1e15 && (scaled as i64 as f64 / scale).to_bits() == value.to_bits() {
            return ToSqlOutput::Owned(Value::Integer((scaled as i64) << 2 | code as i64));
        }
    }
    ToSqlOutput::Owned(Value::Real(value))
}

/// The inverse of [`pack`]; `None` for what it never writes.
pub(crate) fn unpack(value: ValueRef<'_>) -> Option<f64> {
    match value {
        ValueRef::Integer(i) => SCALES.get((i & 3) as usize).map(|scale| (i >> 2) as f64 / scale),
        ValueRef::Real(v) => Some(v),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_back_bit_for_bit() {
        for v in [0.0, -0.0, 1.5, -230.4, 0.1 + 0.2, 12_345_678.901, 1e300, -1e-9, 4_294_967_296.125, 0.001] {
            let packed = match pack(v) {
                ToSqlOutput::Owned(v) => v,
                _ => panic!("owned"),
            };
            assert_eq!(unpack(ValueRef::from(&packed)).map(f64::to_bits), Some(v.to_bits()), "{v}");
        }
    }

    #[test]
    fn keys_keep_time_and_order() {
        let (a, b) = (UnixMillis(1_700_000_000_123), UnixMillis(1_700_000_000_124));
        assert_eq!((reading_series(reading_key(7, a)), reading_at(reading_key(7, a))), (7, a));
        assert!(reading_key(7, a) < reading_key(7, b) && reading_key(7, b) < reading_key(8, a));
        assert_eq!(
            (interval_meter(interval_key(3, a)), interval_start(interval_key(3, a))),
            (3, a.interval_start())
        );
        assert_eq!(minute_start(minute_key(3, a)), a.0 - a.0 % MINUTE_MS);
    }
}
