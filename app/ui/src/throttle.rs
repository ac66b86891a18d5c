//! One change of a shown number a second: the first value shows at once, a later one when the
//! second is over, and always the newest. A page that was busy for a moment shows what it had to
//! hold back and then the next value on its arrival: without that, one late value would make all
//! that follow wait too.

use hearthwatt_domain::time::UnixMillis;

/// A little under a second, so that values sent once a second show on arrival despite jitter.
pub const SHOW_EVERY_MS: i64 = 900;
/// How late a value may be without the next one having to wait for it.
const LATE_MS: i64 = 900;

#[derive(Debug, Clone, PartialEq)]
pub struct Throttle<T> {
    /// When the last value was shown, or was due while the page was late with it.
    shown_at: Option<UnixMillis>,
    waiting: Option<T>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Offer<T> {
    Show(T),
    /// Kept; ask [`Throttle::due`] at this time.
    Later(UnixMillis),
}

impl<T> Default for Throttle<T> {
    fn default() -> Self {
        Self { shown_at: None, waiting: None }
    }
}

impl<T> Throttle<T> {
    pub fn offer(&mut self, now: UnixMillis, value: T) -> Offer<T> {
        match self.shown_at {
            // a clock set back must not hold a value for hours
            Some(shown) if (0..SHOW_EVERY_MS).contains(&now.since(shown)) => {
                self.waiting = Some(value);
                Offer::Later(shown.plus_ms(SHOW_EVERY_MS))
            }
            _ => {
                self.shown(now);
                self.waiting = None;
                Offer::Show(value)
            }
        }
    }

    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// The value that waited long enough, if there is one.
    pub fn due(&mut self, now: UnixMillis) -> Option<T> {
        let shown = self.shown_at?;
        if (0..SHOW_EVERY_MS).contains(&now.since(shown)) {
            return None;
        }
        let value = self.waiting.take()?;
        self.shown(now);
        Some(value)
    }

    fn shown(&mut self, now: UnixMillis) {
        self.shown_at = Some(match self.shown_at {
            Some(before) if now >= before => before.plus_ms(SHOW_EVERY_MS).max(now.plus_ms(-LATE_MS)),
            _ => now,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    const fn t(ms: i64) -> UnixMillis {
        UnixMillis(ms)
    }

    #[test]
    fn the_first_shows_at_once_and_the_newest_wins() {
        let mut x = Throttle::default();
        assert_eq!(x.offer(t(0), 1), Offer::Show(1));
        assert_eq!(x.offer(t(100), 2), Offer::Later(t(900)));
        assert_eq!(x.offer(t(200), 3), Offer::Later(t(900)));
        assert_eq!(x.due(t(899)), None);
        assert_eq!(x.due(t(900)), Some(3));
        assert_eq!(x.due(t(5000)), None, "shown once");
    }

    #[test]
    fn once_a_second_shows_on_arrival_despite_jitter() {
        let mut x = Throttle::default();
        for (i, at) in [0, 950, 2010, 2930, 4040].into_iter().enumerate() {
            assert_eq!(x.offer(t(at), i), Offer::Show(i));
        }
    }

    #[test]
    fn a_page_that_was_busy_for_a_moment_is_on_time_again_with_the_next_value() {
        let mut x = Throttle::default();
        // sent every 1020 ms; the fourth is seen 800 ms late
        for (i, at) in [0, 1020, 2040, 3860, 4080, 5100].into_iter().enumerate() {
            assert_eq!(x.offer(t(at), i), Offer::Show(i), "at {at}");
        }
        // not more than one a second in the long run
        let shown = (0..600).filter(|i| matches!(x.offer(t(6000 + 100 * i), 7), Offer::Show(_))).count();
        assert!(shown <= 60_000 / SHOW_EVERY_MS as usize + 2, "{shown}");
    }

    #[test]
    fn a_clock_set_back_does_not_freeze_the_number() {
        let mut x = Throttle::default();
        assert_eq!(x.offer(t(10_000_000), 1), Offer::Show(1));
        assert_eq!(x.offer(t(0), 2), Offer::Show(2));
    }
}
