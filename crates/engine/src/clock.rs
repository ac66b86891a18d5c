//! Time at the edge: the engine is handed a clock, so that a replay can bring its own.

use hearthwatt_domain::time::UnixMillis;

/// A message as it came in, for a clock that stamps by content.
#[derive(Debug, Clone, Copy)]
pub struct Arrival<'a> {
    pub topic: &'a str,
    pub payload: &'a [u8],
    pub retain: bool,
}

/// Wall-clock time.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> UnixMillis;

    /// When this message was received. Only a replay of past messages needs another answer than
    /// [`Clock::now`].
    fn received(&self, arrival: &Arrival<'_>) -> UnixMillis {
        let _ = arrival;
        self.now()
    }

    /// Whether it runs like a clock on the wall. One that does not is never said to have jumped.
    fn is_wall(&self) -> bool {
        true
    }
}
