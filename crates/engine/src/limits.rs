//! Every bound of the engine in one place. Hitting one is counted and shown, never silent.

use std::time::Duration;

/// Messages between the network and the decoder, all brokers together.
pub const INBOUND_QUEUE: usize = 16_384;
/// Messages decoded in one go before the others on the runtime get their turn.
pub const INBOUND_BATCH: usize = 256;
/// Readings that wait for the disk, about 64 bytes each. At 50 readings a second this bridges a
/// disk that is full for an hour and a half.
pub const READING_QUEUE: usize = 262_144;
/// Readings in one transaction.
pub const COMMIT_BATCH: usize = 8_192;
/// Readings are durable this long after they came in, at the latest.
pub const COMMIT_EVERY: Duration = Duration::from_secs(1);
/// Pause before a failed commit is tried again.
pub const COMMIT_RETRY: Duration = Duration::from_secs(1);
/// Requests that wait for the writer.
pub const WRITE_JOBS: usize = 1_024;
/// Read connections.
pub const READERS: usize = 4;
/// Time between two `Live` events.
pub const LIVE_EVERY: Duration = Duration::from_millis(20);
/// Time between two judgements of the budgets.
pub const JUDGE_EVERY: Duration = Duration::from_secs(1);
/// Periods of a budget that are judged again for late readings, at a time.
pub const PERIODS_JUDGED_MAX: usize = 120;
/// Meters known at a time, found and ignored ones included.
pub const METERS_MAX: usize = 500;
/// Devices known by name alone.
pub const SEEN_MAX: usize = 200;
/// Refusals kept for the page.
pub const REFUSALS_MAX: usize = 100;
/// Values kept of a meter that is not adopted yet, so that adopting it shows something at once.
pub const FOUND_RING: usize = 64;
/// Characters kept of a topic, a reason, a name.
pub const TEXT_MAX: usize = 200;
/// Brokers connected to because they announced themselves.
pub const FOUND_BROKERS_MAX: usize = 8;
/// Brokers in all.
pub const BROKERS_MAX: usize = 32;
/// A live value counts as "now" for this long, milliseconds.
pub const LIVE_VALID_MS: i64 = 90_000;
/// Wall clock and monotonic clock may drift apart this far between two looks, milliseconds.
pub const CLOCK_JUMP_MS: i64 = 30_000;
/// Time between two looks at clock, meters gone quiet and lost counters.
pub const LOOK_EVERY: Duration = Duration::from_secs(5);
/// A message that is good once may stand this long after its cause is gone.
pub const NOTICE_LINGER_MS: i64 = 60 * 60 * 1000;
/// Fewest days that readings by the second are kept: late ones still find their neighbours.
pub const KEEP_DAYS_MIN: u32 = 7;
/// Most days; beyond it "for ever" is meant.
pub const KEEP_DAYS_MAX: u32 = 36_500;
/// After the start, before old readings are deleted: a wrong clock has time to be put right.
pub const RETAIN_AFTER: Duration = Duration::from_secs(15 * 60);
/// Time between two looks for readings that have become old.
pub const RETAIN_EVERY: Duration = Duration::from_secs(6 * 60 * 60);
/// Old readings deleted in one transaction, and the pause after it: commits come in between.
pub const RETAIN_BATCH: u32 = 20_000;
pub const RETAIN_PAUSE: Duration = Duration::from_millis(250);
/// No home meter shows more; a value beyond is a decoding error, watts.
pub const POWER_MAX_W: f64 = 10_000_000.0;
/// No register of a home reaches more, watt-hours (100 GWh).
pub const REGISTER_MAX_WH: f64 = 1e11;
