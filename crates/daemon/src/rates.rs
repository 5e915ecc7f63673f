//! How often a caller may ask, and how fast tokens can be guessed.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::http::HeaderMap;
use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use tokio::sync::Semaphore;
use upline::core::Name;

use crate::limits::{
    MAX_GUESSES, MAX_GUESSES_HELD, MAX_PASSWORD_TRIES, MAX_REQUESTS_PER_SECOND, WRONG_TOKEN_TIME,
};

/// Callers or addresses that are counted, before those that are quiet are forgotten.
const MANY: usize = 10_000;

/// After so many requests in a row for which the proxy has named nobody it must be wrong: some come past it,
/// from programs on this machine.
const MANY_UNNAMED: u32 = 20;

/// What monitors ask for.
const UNCOUNTED: [&str; 4] = ["/healthz", "/readyz", "/metrics", "/version"];

type Limiter<K> = RateLimiter<K, HashMapStateStore<K>, DefaultClock>;

/// What somebody has made up; each kind is counted by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Guess {
    Token,
    Link,
}

/// Who has asked how often lately.
#[derive(Debug)]
pub(crate) struct Rates {
    callers: Limiter<Name>,
    guesses: Limiter<(Guess, Option<IpAddr>)>,
    /// By the hash of the name, which may be as long as a body.
    passwords: Limiter<([u8; blake3::OUT_LEN], Option<IpAddr>)>,
    /// Bounds how many wrong tokens are held back at once.
    held: Semaphore,
    /// A proxy is at the other end of connections, and says for whom it asks.
    behind_proxy: bool,
    /// How many requests in a row it has named nobody for.
    unnamed: AtomicU32,
    clock: DefaultClock,
}

impl Rates {
    /// `per_second`: requests of one token; twice as many at once.
    pub(crate) fn new(per_second: Option<NonZeroU32>, behind_proxy: bool) -> Self {
        let per_second = per_second.unwrap_or(MAX_REQUESTS_PER_SECOND);
        let burst = per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1));
        let callers = Quota::per_second(per_second).allow_burst(burst);
        let guesses = Quota::per_second(NonZeroU32::MIN).allow_burst(MAX_GUESSES);
        let passwords = Quota::per_minute(NonZeroU32::MIN).allow_burst(MAX_PASSWORD_TRIES);
        let clock = DefaultClock::default();
        Self {
            passwords: RateLimiter::hashmap_with_clock(passwords, clock.clone()),
            callers: RateLimiter::hashmap_with_clock(callers, clock.clone()),
            guesses: RateLimiter::hashmap_with_clock(guesses, clock.clone()),
            held: Semaphore::new(MAX_GUESSES_HELD),
            behind_proxy,
            unnamed: AtomicU32::new(0),
            clock,
        }
    }

    /// Counts a request of this token.
    ///
    /// # Errors
    /// After how many seconds it may ask again.
    pub(crate) fn asked(&self, token: &Name) -> Result<(), u32> {
        let asked = self.callers.check_key(token);
        if self.callers.len() > MANY {
            self.callers.retain_recent();
        }
        asked.map_err(|until| seconds(until.wait_time_from(self.clock.now())))
    }

    /// Counts what somebody has made up. Of too many from one address the answer takes its time; right ones
    /// are not held up by it, so that nobody is locked out by whoever guesses beside him.
    ///
    /// # Errors
    /// After how many seconds it makes sense to try again.
    pub(crate) async fn guessed(&self, guess: Guess, from: Option<IpAddr>) -> Result<(), u32> {
        let guessed = self.guesses.check_key(&(guess, from));
        if self.guesses.len() > MANY {
            self.guesses.retain_recent();
        }
        let Err(until) = guessed else {
            return Ok(());
        };
        let wait = seconds(until.wait_time_from(self.clock.now()));
        // Beyond so many at once they are refused without waiting: connections are not for free.
        if let Ok(_held) = self.held.try_acquire() {
            tokio::time::sleep(WRONG_TOKEN_TIME).await;
        }
        Err(wait)
    }

    /// Counts a password for this name. From another address the name is counted by itself, so that nobody is
    /// locked out by whoever guesses elsewhere.
    ///
    /// # Errors
    /// After how many seconds another may be tried.
    pub(crate) fn tried(&self, name: &str, from: Option<IpAddr>) -> Result<(), u32> {
        let key = (*blake3::hash(name.as_bytes()).as_bytes(), from);
        let tried = self.passwords.check_key(&key);
        if self.passwords.len() > MANY {
            self.passwords.retain_recent();
        }
        tried.map_err(|until| seconds(until.wait_time_from(self.clock.now())))
    }

    /// Who asks: the other end of the connection, or whom a proxy in front names last, which is whom it
    /// has seen itself.
    pub(crate) fn address(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        if !self.behind_proxy {
            return peer;
        }
        named(headers).or(peer)
    }

    /// Notes whether the proxy says for whom it asks. What watches the daemon mostly asks it directly, and
    /// does not count.
    pub(crate) fn note(&self, route: &str, headers: &HeaderMap) {
        if !self.behind_proxy || UNCOUNTED.contains(&route) {
            return;
        }
        let counted = |unnamed: u32| match named(headers) {
            Some(_) => Some(0),
            None => Some(unnamed.saturating_add(1)),
        };
        let (set, get) = (Ordering::Relaxed, Ordering::Relaxed);
        let _ = self.unnamed.fetch_update(set, get, counted);
    }

    /// Whether the proxy does not say for whom it asks.
    pub(crate) fn is_proxy_silent(&self) -> bool {
        self.unnamed.load(Ordering::Relaxed) >= MANY_UNNAMED
    }
}

/// Whom the proxy names last.
fn named(headers: &HeaderMap) -> Option<IpAddr> {
    let named = headers.get_all("x-forwarded-for").iter().next_back();
    let named = named.and_then(|named| named.to_str().ok());
    let last = named.and_then(|named| named.rsplit(',').next());
    last.and_then(|last| last.trim().parse().ok())
}

/// Whole seconds, at least one.
fn seconds(time: Duration) -> u32 {
    let whole = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    u32::try_from(whole.max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_believed_only_where_there_is_one_and_only_what_it_saw() {
        let peer: Option<IpAddr> = "127.0.0.1".parse().ok();
        let mut headers = HeaderMap::new();
        let address = |behind, headers: &HeaderMap| Rates::new(None, behind).address(peer, headers);
        assert_eq!(address(true, &headers), peer);
        headers.append(
            "x-forwarded-for",
            "203.0.113.9, 198.51.100.7".parse().unwrap(),
        );
        assert_eq!(address(false, &headers), peer);
        assert_eq!(address(true, &headers), "198.51.100.7".parse().ok());
        headers.append("x-forwarded-for", "nonsense".parse().unwrap());
        assert_eq!(address(true, &headers), peer);
    }

    #[test]
    fn a_proxy_that_names_nobody_is_noticed_until_it_does() {
        let mut named = HeaderMap::new();
        named.append("x-forwarded-for", "198.51.100.7".parse().unwrap());
        for (behind, noticed) in [(true, true), (false, false)] {
            let rates = Rates::new(None, behind);
            for _ in 1..MANY_UNNAMED {
                rates.note("/v1/tickets", &HeaderMap::new());
                rates.note("/readyz", &HeaderMap::new());
            }
            assert!(!rates.is_proxy_silent(), "some come past it");
            rates.note("/v1/tickets", &HeaderMap::new());
            assert_eq!(rates.is_proxy_silent(), noticed);
            rates.note("/v1/tickets", &named);
            assert!(!rates.is_proxy_silent());
        }
    }

    #[test]
    fn counting_takes_bounded_memory() {
        let rates = Rates::new(NonZeroU32::new(1_000_000), false);
        for number in 0..3 * MANY {
            let name = Name::new(number.to_string());
            assert_eq!(rates.asked(&name), Ok(()));
        }
        assert!(rates.callers.len() <= MANY + 1, "{}", rates.callers.len());
    }
}
