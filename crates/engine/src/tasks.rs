//! What runs beside the pipeline: looks at clock, losses and silence, and the writer's trouble.

use crate::core::Core;
use crate::health::notice;
use crate::limits::{CLOCK_JUMP_MS, LOOK_EVERY};
use crate::options::Discovery;
use crate::words::clock_time;
use hearthwatt_api::{Event, NoticeCode, Severity};
use hearthwatt_domain::time::UnixMillis;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Notices that the writer's trouble can lead to.
const STORE_CODES: [NoticeCode; 5] = [
    NoticeCode::DiskFull,
    NoticeCode::DatabaseReadOnly,
    NoticeCode::DatabaseCorrupt,
    NoticeCode::SecondInstance,
    NoticeCode::DatabaseNewer,
];

/// A clock that goes on while the computer sleeps and that nobody sets. On Linux `Instant` stands
/// still in sleep, which would look like a jump of the wall clock; the time since boot does not.
fn steady(started: Instant) -> Duration {
    if cfg!(target_os = "linux")
        && let Ok(text) = std::fs::read_to_string("/proc/uptime")
        && let Some(seconds) = text.split(' ').next().and_then(|s| s.parse::<f64>().ok())
    {
        return Duration::try_from_secs_f64(seconds).unwrap_or_default();
    }
    started.elapsed()
}

/// How far the wall clock moved on its own: positive, it went ahead.
fn jump_ms(before: (UnixMillis, Duration), after: (UnixMillis, Duration)) -> Option<i64> {
    let passed = i64::try_from(after.1.saturating_sub(before.1).as_millis()).unwrap_or(i64::MAX);
    let jump = after.0.since(before.0).saturating_sub(passed);
    (jump.abs() > CLOCK_JUMP_MS).then_some(jump)
}

/// Waits for the end.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // an error is an end too: the home was dropped
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Both clocks at one moment: what a jump is measured from.
pub(crate) struct Clocks {
    started: Instant,
    before: (UnixMillis, Duration),
}

impl Clocks {
    pub(crate) fn read(now: UnixMillis) -> Self {
        let started = Instant::now();
        Self { started, before: (now, steady(started)) }
    }
}

/// Regular looks, until stopped. `clocks` were read when the home opened, not when this task got
/// its first turn: a jump in between counts.
pub(crate) async fn look(core: Arc<Core>, mut stop: watch::Receiver<bool>, clocks: Clocks) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let Clocks { started, mut before } = clocks;
    let mut silent = 0;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = crate::tasks::stopped(&mut stop) => return,
        }
        let now = core.now();
        let after = (now, steady(started));
        if core.clock.is_wall()
            && let Some(jump) = jump_ms(before, after)
        {
            core.clock_jumped(before.0, jump, now);
        }
        before = after;
        core.lost_at_network();
        core.network(now);
        core.health(|h| h.expire(now));
        let unsaved = std::mem::take(&mut core.state().unsaved);
        if !unsaved.is_empty() {
            core.save_meters(unsaved);
        }
        let quiet = core.silent_meters(now);
        if std::mem::replace(&mut silent, quiet) != quiet {
            core.tell(Event::MetersChanged);
        }
    }
}

/// Shows the writer's trouble and takes it back.
pub(crate) async fn trouble(core: Arc<Core>, mut stop: watch::Receiver<bool>) {
    let mut trouble = core.changes.trouble.subscribe();
    loop {
        let now_is = trouble.borrow_and_update().clone();
        core.store_trouble(now_is);
        tokio::select! {
            changed = trouble.changed() => if changed.is_err() { return },
            () = crate::tasks::stopped(&mut stop) => return,
        }
    }
}

impl Core {
    fn clock_jumped(&self, from: UnixMillis, jump: i64, now: UnixMillis) {
        let zone = self.zone();
        let (minutes, way) = ((jump.abs() + 30_000) / 60_000, if jump > 0 { "ahead" } else { "back" });
        let words = format!(
            "This computer's clock jumped {minutes} minutes {way}, from {} to {}. Readings around it carry the \
             clock's time and none is lost; check that the time is right now.",
            clock_time(from, now, &zone),
            clock_time(now, now, &zone),
        );
        tracing::warn!(jump_ms = jump, "the clock jumped");
        self.health(|h| h.mention(notice(NoticeCode::ClockJumped, Severity::Warning, now, words), now));
    }

    fn store_trouble(&self, trouble: Option<(NoticeCode, String)>) {
        let now = self.now();
        self.health(|h| {
            let mut changed = false;
            let stands = trouble.as_ref().map(|(code, _)| *code);
            for code in STORE_CODES.into_iter().filter(|c| Some(*c) != stands) {
                changed |= h.clear(code, None, None);
            }
            if let Some((code, words)) = trouble {
                let then = match code {
                    NoticeCode::DatabaseCorrupt => {
                        "Restart Hearthwatt: it keeps the damaged file and builds a new one of what can be read."
                    }
                    _ => "Live values go on, and readings wait in memory meanwhile.",
                };
                let words = format!("{words} {then}");
                changed |= h.raise(notice(code, Severity::Error, now, words));
            }
            changed
        });
    }

    /// Whether there is any network. Nothing is sent: only the routes are asked.
    fn network(&self, now: UnixMillis) {
        if self.discovery != Discovery::All {
            return;
        }
        let reaches = |target: &str| {
            std::net::UdpSocket::bind("0.0.0.0:0").and_then(|socket| socket.connect(target)).is_ok()
        };
        // the documentation's address for a default route, multicast DNS for a bare local network
        let gone = !reaches("192.0.2.1:9") && !reaches("224.0.0.251:5353");
        self.health(|h| match gone {
            true => h.raise(notice(
                NoticeCode::NetworkGone,
                Severity::Warning,
                now,
                "This computer has no network. Stored readings, budgets and meters on this computer work as \
                 before; others are heard again when the network is back.",
            )),
            false => h.clear(NoticeCode::NetworkGone, None, None),
        });
    }

    /// A number that changes when a meter falls silent or comes back.
    fn silent_meters(&self, now: UnixMillis) -> usize {
        let state = self.state();
        let brokers = self.brokers();
        state
            .meters
            .known
            .values()
            .filter(|k| {
                let gone = k.broker.is_some_and(|b| !brokers.is_connected(b));
                k.health(now, gone) != hearthwatt_api::MeterHealth::Well
            })
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_wall_clock_did_on_its_own_is_a_jump() {
        let check = |wall_ms, steady_s| {
            jump_ms((UnixMillis(0), Duration::ZERO), (UnixMillis(wall_ms), Duration::from_secs(steady_s)))
        };
        assert_eq!(check(5_000, 5), None);
        assert_eq!(check(3_605_000, 5), Some(3_600_000));
        assert_eq!(check(-3_595_000, 5), Some(-3_600_000));
        // asleep for an hour, both clocks went on
        assert_eq!(check(3_600_000, 3_600), None);
    }
}
