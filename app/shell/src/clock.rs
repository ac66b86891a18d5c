//! The machine's clock: the one place where it is read.

use hearthwatt_domain::time::UnixMillis;
use std::time::UNIX_EPOCH;

/// Wall-clock time of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl SystemClock {
    /// Now; before 1970 (a machine without a battery-backed clock) counts as 1970.
    #[allow(clippy::disallowed_methods, reason = "this is the edge: everything else is handed its time")]
    pub fn now(self) -> UnixMillis {
        let since = std::time::SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

impl hearthwatt_engine::Clock for SystemClock {
    fn now(&self) -> UnixMillis {
        SystemClock::now(*self)
    }
}
