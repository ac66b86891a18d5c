//! Slowing down those who guess, without locking anybody out for good.
//!
//! Failures are counted per account and per address, in the store, so that several processes count
//! together and a restart forgets nothing. After the free attempts each further failure doubles the
//! wait, up to a quarter of an hour. A browser that was signed in to the account before carries a
//! cookie that gives it a count of its own, so a stranger's guesses don't keep the owner out; and a
//! reset by e-mail works at any time.

use super::limits::{DAY, MINUTE, SECOND};
use super::records::{self, THROTTLES};
use super::token;
use crate::App;
use crate::http::Problem;
use crate::store::{Inserted, Store};
use hearthwatt_domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    name: &'static str,
    /// Failures that cost nothing.
    free: u32,
    /// Milliseconds until a failure is forgotten.
    memory: i64,
    /// Longest wait in milliseconds.
    wait_max: i64,
}

pub const SIGN_IN_ACCOUNT: Rule =
    Rule { name: "sign-in-account", free: 8, memory: DAY, wait_max: 15 * MINUTE };
/// One address may be a whole household or office.
pub const SIGN_IN_ADDRESS: Rule =
    Rule { name: "sign-in-address", free: 30, memory: DAY, wait_max: 15 * MINUTE };
pub const KNOWN_BROWSER: Rule = Rule { name: "known-browser", free: 8, memory: DAY, wait_max: 15 * MINUTE };
pub const USER_CODE: Rule = Rule { name: "user-code", free: 5, memory: DAY, wait_max: 15 * MINUTE };
pub const SETUP_CODE: Rule = Rule { name: "setup-code", free: 5, memory: DAY, wait_max: 15 * MINUTE };
pub const INVITATION_CODE: Rule =
    Rule { name: "invitation-code", free: 20, memory: DAY, wait_max: 15 * MINUTE };
/// Messages to one mailbox, asked for by anybody.
pub const MAIL_TO: Rule = Rule { name: "mail-to", free: 3, memory: DAY, wait_max: DAY };
/// Messages asked for from one address.
pub const MAIL_FROM: Rule = Rule { name: "mail-from", free: 10, memory: DAY, wait_max: 60 * MINUTE };

/// A count, as it is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    failures: u32,
    /// When the last one was.
    last: UnixMillis,
    /// Closed until then.
    until: UnixMillis,
}

impl Count {
    /// How long to wait, in milliseconds; 0 is open.
    pub fn wait(&self, now: UnixMillis) -> i64 {
        self.until.since(now).max(0)
    }

    /// One failure more.
    #[must_use]
    pub fn fail(self, rule: &Rule, now: UnixMillis) -> Self {
        let remembered = if now.since(self.last) > rule.memory { 0 } else { self.failures };
        let failures = remembered.saturating_add(1);
        let over = failures.saturating_sub(rule.free);
        let wait = match over {
            0 => 0,
            over => (SECOND << over.min(24)).min(rule.wait_max),
        };
        Self { failures, last: now, until: now.plus_ms(wait) }
    }
}

fn key(rule: &Rule, what: &str) -> String {
    // what was typed into a field of an address may be a password
    format!("{}:{}", rule.name, token::digest(what))
}

/// Counts an attempt, unless the wait lasts. It counts before its result is known, and by
/// compare-and-set, so that a burst of parallel guesses isn't free; [`forgive`] or [`give_back`]
/// undoes it when it was right.
///
/// # Errors
/// `rate_limited` with the time to wait; the store failed.
pub async fn attempt(app: &App, rule: &Rule, what: &str) -> Result<(), Problem> {
    let now = app.world.now();
    let attempted = change(app, rule, what, |count| match count.wait(now) {
        0 => Ok(count.fail(rule, now)),
        wait => Err(Problem::rate_limited(Duration::from_millis(wait.unsigned_abs()))),
    });
    attempted.await
}

/// That attempt was right: as if it had not been counted, but earlier failures stay.
pub async fn give_back(app: &App, rule: &Rule, what: &str) -> Result<(), Problem> {
    change(app, rule, what, |count| {
        Ok(Count { failures: count.failures.saturating_sub(1), until: UnixMillis(0), ..count })
    })
    .await
}

async fn change(
    app: &App,
    rule: &Rule,
    what: &str,
    next: impl Fn(Count) -> Result<Count, Problem> + Send,
) -> Result<(), Problem> {
    let (store, key) = (app.store.as_ref(), key(rule, what));
    let expires = Some(app.world.now().plus_ms(rule.memory));
    for _ in 0..50 {
        let Some(kept) = store.get(&THROTTLES, &key).await? else {
            let count = next(Count::default())?;
            if let Inserted::Stored = records::insert(store, &THROTTLES, &key, &count, expires).await? {
                return Ok(());
            }
            continue;
        };
        let mut kept = records::Kept::<Count>::try_from(kept)?;
        kept.value = next(kept.value)?;
        kept.expires = expires;
        if records::replace(store, &THROTTLES, &kept).await? {
            return Ok(());
        }
    }
    Err(Problem::rate_limited(Duration::from_secs(1)))
}

/// It was the right person after all.
pub async fn forgive(app: &App, rule: &Rule, what: &str) -> Result<(), Problem> {
    let store: &dyn Store = app.store.as_ref();
    store.delete(&THROTTLES, &key(rule, what), None).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule = Rule { name: "test", free: 3, memory: DAY, wait_max: 15 * MINUTE };

    #[test]
    fn waits_double_end_and_are_forgotten() {
        let mut count = Count::default();
        let mut now = UnixMillis(1_000_000);
        let mut waits = Vec::new();
        for _ in 0..16 {
            count = count.fail(&RULE, now);
            waits.push(count.wait(now) / SECOND);
            now = now.plus_ms(count.wait(now));
            assert_eq!(count.wait(now), 0, "the wait ends");
        }
        assert_eq!(&waits[..7], [0, 0, 0, 2, 4, 8, 16]);
        assert_eq!(waits[15], 900, "never longer than a quarter of an hour");
        let later = now.plus_ms(DAY + 1);
        assert_eq!(count.fail(&RULE, later).wait(later), 0, "a day later all is forgotten");
    }

    #[test]
    fn counts_never_overflow() {
        let full = Count { failures: u32::MAX, last: UnixMillis(0), until: UnixMillis(0) };
        assert_eq!(full.fail(&RULE, UnixMillis(1)).wait(UnixMillis(1)), 15 * MINUTE);
    }
}
