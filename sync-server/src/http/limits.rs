//! How much one client may ask for: requests per client and per address.

use crate::http::Problem;
use clap::Args;
use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

/// Keys that are remembered; past that, those that have their full quota again are forgotten, and
/// if there are none, everybody new waits.
const KEYS: usize = 100_000;

/// Limits of one server process.
#[derive(Clone, Debug, Args)]
pub struct Limits {
    /// Connections at once; further ones wait in the system's queue.
    #[arg(long, env = "HEARTHWATT_CONNECTIONS", default_value_t = 4096)]
    pub connections: usize,
    /// Connections at once from one address; further ones are closed.
    #[arg(long, env = "HEARTHWATT_CONNECTIONS_PER_ADDRESS", default_value_t = 512)]
    pub connections_per_address: usize,
    /// WebSockets at once of all devices of one account: each can make the server keep a frame of four
    /// megabytes.
    #[arg(long, env = "HEARTHWATT_SYNC_PER_ACCOUNT", default_value_t = 16)]
    pub sync_per_account: usize,
    /// Seconds that a document nobody is connected to stays in memory.
    #[arg(long, env = "HEARTHWATT_DOCUMENT_IDLE", default_value_t = 30)]
    pub document_idle: u64,
    /// Requests per second from one address, over a longer time.
    #[arg(long, env = "HEARTHWATT_REQUESTS_PER_ADDRESS", default_value_t = NonZeroU32::new(100).unwrap_or(NonZeroU32::MIN))]
    pub requests_per_address: NonZeroU32,
    /// Requests per second of one signed-in device, over a longer time.
    #[arg(long, env = "HEARTHWATT_REQUESTS_PER_CLIENT", default_value_t = NonZeroU32::new(50).unwrap_or(NonZeroU32::MIN))]
    pub requests_per_client: NonZeroU32,
}

/// A limit of requests for each key.
pub struct Limiter<K: Hash + Eq + Clone> {
    inner: RateLimiter<K, DashMapStateStore<K>, DefaultClock>,
    clock: DefaultClock,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    /// `per_second` over a longer time, `burst` at once.
    pub fn per_second(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        Self::new(Quota::per_second(per_second).allow_burst(burst))
    }

    /// `per_hour` over a longer time, `burst` at once.
    pub fn per_hour(per_hour: NonZeroU32, burst: NonZeroU32) -> Self {
        Self::new(Quota::per_hour(per_hour).allow_burst(burst))
    }

    fn new(quota: Quota) -> Self {
        Self { inner: RateLimiter::dashmap(quota), clock: DefaultClock::default() }
    }

    /// Counts one request.
    ///
    /// # Errors
    /// It is one too many; how long to wait.
    pub fn check(&self, key: &K) -> Result<(), Duration> {
        if self.inner.len() > KEYS {
            self.inner.retain_recent();
            if self.inner.len() > KEYS {
                return Err(Duration::from_secs(1));
            }
        }
        self.inner.check_key(key).map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }

    /// The same as a response.
    ///
    /// # Errors
    /// See [`Limiter::check`].
    pub fn admit(&self, key: &K) -> Result<(), Problem> {
        self.check(key).map_err(Problem::rate_limited)
    }

    /// Forgets keys that have their full quota again.
    pub fn sweep(&self) {
        self.inner.retain_recent();
        self.inner.shrink_to_fit();
    }
}

/// What counts as one address: an IPv4 address, or the /64 network that one household has.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_each_key_waits_for_itself() {
        let five = NonZeroU32::new(5).unwrap();
        let limiter: Limiter<u8> = Limiter::per_hour(five, five);
        assert_eq!((0..9).filter(|_| limiter.check(&1).is_ok()).count(), 5);
        let wait = limiter.check(&1).unwrap_err();
        assert!(wait > Duration::from_secs(600) && wait <= Duration::from_secs(720), "{wait:?}");
        assert!(limiter.check(&2).is_ok());
    }

    #[test]
    fn a_household_is_one_address() {
        let network = |s: &str| network_of(s.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
