//! Passwords: argon2id, a few at a time.
//!
//! One hash takes 19 MiB and some 30 ms of a core, which is what makes guessing dear. The same
//! price makes a flood of sign-ins an attack on the memory, so only [`AT_ONCE`] are computed at a
//! time and only [`WAITING`] may wait; the rest is told to come back.

use crate::World;
use crate::http::Problem;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// OWASP's first choice for argon2id with little memory.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// Hashes computed at the same time: 38 MiB.
const AT_ONCE: usize = 2;
/// Requests that wait for one.
const WAITING: usize = 64;

/// Fewest characters of a new password.
pub const LENGTH_MIN: usize = 10;
/// Most bytes: long enough for any passphrase, too short to make hashing slow.
pub const LENGTH_MAX: usize = 256;

/// A hash of the same cost that no password has: what is compared when there is no account, so
/// that the answer takes as long.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Computes and compares hashes.
pub struct Passwords {
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// Counts a request in while it waits.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self { permits: Arc::new(Semaphore::new(AT_ONCE)), waiting: AtomicUsize::new(0) }
    }
}

impl Passwords {
    /// The PHC string of a new password.
    ///
    /// # Errors
    /// Too many at once; no randomness.
    pub async fn hash(&self, world: &dyn World, password: &str) -> Result<String, Problem> {
        let mut salt = [0; 16];
        world.fill(&mut salt)?;
        let password = password.to_owned();
        self.run(move || {
            let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|e| e.to_string())?;
            let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let hash = argon.hash_password_with_salt(password.as_bytes(), &salt);
            hash.map(|h| h.to_string()).map_err(|e| e.to_string())
        })
        .await?
        .map_err(|e| Problem::internal(&e))
    }

    /// Whether this is the account's password. Without an account, or for one that has no password,
    /// `stored` is `None`, and `false` takes the same time.
    ///
    /// # Errors
    /// Too many at once.
    pub async fn verify(&self, password: &str, stored: Option<&str>) -> Result<bool, Problem> {
        // longer ones were never accepted; the hash of the beginning takes the same time
        let fits = password.len() <= LENGTH_MAX;
        let password = password.as_bytes()[..password.len().min(LENGTH_MAX)].to_vec();
        let known = stored.is_some();
        let stored = stored.unwrap_or(NOBODY).to_owned();
        let matches = self
            .run(move || {
                PasswordHash::new(&stored)
                    // with the parameters of the hash
                    .is_ok_and(|hash| Argon2::default().verify_password(&password, &hash).is_ok())
            })
            .await?;
        Ok(matches && known && fits)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let busy = || Problem::unavailable("Too many sign-ins at once.", Duration::from_secs(5));
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(busy());
        }
        let _place = Place(&self.waiting);
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| busy())?;
        // the permit goes along: whoever gives up waiting doesn't make room before the work is done
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        done.await.map_err(|e| Problem::internal(&e))
    }
}

/// Why a password can't be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weak {
    Short,
    Long,
    /// One of those that are tried first, or the e-mail address itself.
    Guessable,
}

/// The beginnings of what is tried first among passwords this long.
const GUESSED_FIRST: &[&str] = &[
    "1234567890",
    "0123456789",
    "password",
    "passwort",
    "qwertyuiop",
    "qwertzuiop",
    "iloveyou",
    "letmein",
    "hearthwatt",
    "0987654321",
    "1q2w3e4r",
    "abcdefghij",
    "asdfghjkl",
    "hallo12345",
    "welcome",
    "willkommen",
];

/// Length above all (NIST SP 800-63B): no rules about kinds of characters.
pub fn judge(password: &str, email: &str) -> Result<(), Weak> {
    if password.chars().count() < LENGTH_MIN {
        return Err(Weak::Short);
    }
    if password.len() > LENGTH_MAX {
        return Err(Weak::Long);
    }
    let lower = password.to_lowercase();
    let few = {
        let mut letters: Vec<char> = lower.chars().collect();
        letters.sort_unstable();
        letters.dedup();
        letters.len() < 4
    };
    let email = email.to_lowercase();
    let own = !email.is_empty() && (lower.contains(&email) || email.starts_with(&lower));
    let common = GUESSED_FIRST.iter().any(|g| {
        let rest = lower.strip_prefix(g);
        rest.is_some_and(|rest| rest.len() <= 4)
    });
    if few || own || common { Err(Weak::Guessable) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::RealWorld;

    #[tokio::test]
    async fn a_password_is_known_again() {
        let passwords = Passwords::default();
        let hash = passwords.hash(&RealWorld, "correct horse").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("correct horse", Some(&hash)).await.unwrap());
        assert!(!passwords.verify("wrong horse", Some(&hash)).await.unwrap());
        assert!(!passwords.verify("correct horse", None).await.unwrap());
        assert!(!passwords.verify("correct horse", Some("not a hash")).await.unwrap());
        assert_ne!(hash, passwords.hash(&RealWorld, "correct horse").await.unwrap());
    }

    #[test]
    fn nobodys_hash_costs_as_much_as_any() {
        let hash = PasswordHash::new(NOBODY).unwrap();
        assert_eq!(Params::try_from(&hash).unwrap(), Params::new(MEMORY_KIB, PASSES, 1, Some(32)).unwrap());
    }

    #[tokio::test]
    async fn a_flood_is_turned_away() {
        let passwords = Arc::new(Passwords::default());
        let attempts = (0..WAITING + 40).map(|_| {
            let passwords = passwords.clone();
            tokio::spawn(async move { passwords.verify("guess", None).await.is_err() })
        });
        let attempts: Vec<_> = attempts.collect();
        let mut refused = 0;
        for attempt in attempts {
            refused += usize::from(attempt.await.unwrap());
        }
        assert!(refused >= 30, "{refused}");
        assert!(!passwords.verify("after the flood", None).await.unwrap());
    }

    #[test]
    fn short_and_common_ones_are_refused() {
        assert_eq!(judge("short", ""), Err(Weak::Short));
        assert_eq!(judge(&"x1y2".repeat(100), ""), Err(Weak::Long));
        for guessable in
            ["1234567890", "Password123", "aaaaaaaaaaaa", "ada@home.example", "Ada@Home.example1"]
        {
            assert_eq!(judge(guessable, "ada@home.example"), Err(Weak::Guessable), "{guessable}");
        }
        for fine in ["correct horse battery", "jF8-kk2.Lq", "zwölf Kartoffeln"] {
            assert_eq!(judge(fine, "ada@home.example"), Ok(()), "{fine}");
        }
    }
}
