//! How often an address may do what: sign-in, status, public submit, links.
//!
//! Keyed by route class and client network, so that one household or office shares a bucket and one
//! class does not use up another. Account lock-out is apart and lives in the database.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Wrong secrets on one number within an hour.
const WRONG_AN_HOUR: u32 = 30;
/// That hour.
const WRONG_WINDOW: Duration = Duration::from_secs(3600);
/// Numbers with wrong secrets that are remembered before old ones are dropped.
const WRONG_NUMBERS_MAX: usize = 10_000;

/// A class of routes with a limit of its own.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Route {
    /// Name and password, codes.
    SignIn,
    /// Number and secret.
    Status,
    /// A new request without a token, whether it is taken or not.
    Attempt,
    /// A new request without a token.
    Submit,
    /// Single-use links.
    Link,
}

/// The buckets.
pub struct Limits {
    /// Sign-in, status and links: a burst, then a slow refill.
    quick: DefaultKeyedRateLimiter<(Route, IpAddr)>,
    /// Status by request number, whatever the address.
    number: DefaultKeyedRateLimiter<String>,
    /// Wrong secrets by request number and by address: how many, and since when. Right ones do not
    /// count, so that a program may ask for the status of its request as often as it likes.
    wrong: Mutex<HashMap<String, (u32, Instant)>>,
    /// Tries to send a new request, each minute: never fewer than the requests allowed an hour.
    attempt: DefaultKeyedRateLimiter<IpAddr>,
    /// New requests an hour; none when the limit is 0.
    submit: Option<DefaultKeyedRateLimiter<IpAddr>>,
}

impl Limits {
    /// Buckets with so many public submits an hour for each `/24` or `/56`.
    pub(super) fn new(submit_per_hour: u32) -> Self {
        let many = NonZeroU32::new(30).unwrap_or(NonZeroU32::MIN);
        Self {
            quick: RateLimiter::keyed(Quota::per_minute(many)),
            number: RateLimiter::keyed(Quota::per_hour(many)),
            wrong: Mutex::default(),
            attempt: RateLimiter::keyed(Quota::per_minute(
                many.max(NonZeroU32::new(submit_per_hour).unwrap_or(many)),
            )),
            submit: NonZeroU32::new(submit_per_hour).and_then(|most| {
                let quota = Quota::with_period(Duration::from_secs(3600) / most.get())?;
                Some(RateLimiter::keyed(quota.allow_burst(most)))
            }),
        }
    }

    /// Whether this address may once more; counts the try.
    pub fn allows(&self, route: Route, from: IpAddr) -> bool {
        match route {
            Route::Submit => {
                self.submit.as_ref().is_some_and(|it| it.check_key(&prefix(from, 24, 56)).is_ok())
            }
            Route::Attempt => self.attempt.check_key(&prefix(from, 32, 64)).is_ok(),
            route => self.quick.check_key(&(route, prefix(from, 32, 64))).is_ok(),
        }
    }

    /// Whether this request number may be tried once more, from anywhere.
    pub fn allows_number(&self, number: &str) -> bool {
        self.number.check_key(&number.chars().take(40).collect()).is_ok()
    }

    /// Whether a secret may be tried on this number from this address, after the wrong ones of the
    /// last hour on the one and from the other.
    pub fn may_guess(&self, number: &str, from: IpAddr) -> bool {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let free = |key: &String| {
            wrong.get(key).is_none_or(|(count, since)| {
                *count < WRONG_AN_HOUR || since.elapsed() >= WRONG_WINDOW
            })
        };
        [key(number), place(from)].iter().all(free)
    }

    /// Counts a wrong secret on this number and from this address.
    pub fn guessed_wrong(&self, number: &str, from: IpAddr) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.len() >= WRONG_NUMBERS_MAX {
            wrong.retain(|_, (_, since)| since.elapsed() < WRONG_WINDOW);
        }
        for key in [key(number), place(from)] {
            let entry = wrong.entry(key).or_insert_with(|| (0, Instant::now()));
            if entry.1.elapsed() >= WRONG_WINDOW {
                *entry = (0, Instant::now());
            }
            entry.0 += 1;
        }
    }

    /// Forgets addresses that have not been seen for a while; for a timer.
    pub fn sweep(&self) {
        self.quick.retain_recent();
        self.number.retain_recent();
        self.attempt.retain_recent();
        if let Some(submit) = &self.submit {
            submit.retain_recent();
        }
    }
}

/// A client's network as a key; no request number looks like it.
fn place(from: IpAddr) -> String {
    format!("from {}", prefix(from, 32, 64))
}

/// A request number as a key of bounded length.
fn key(number: &str) -> String {
    number.trim().to_uppercase().chars().take(40).collect()
}

/// The network an address stands for.
fn prefix(address: IpAddr, v4_bits: u32, v6_bits: u32) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - v4_bits).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - v6_bits).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Limits, Route};

    #[test]
    fn only_wrong_secrets_count_against_a_number_and_an_address() {
        let limits = Limits::new(2);
        let [here, there] = ["192.0.2.1", "198.51.100.1"].map(|text| text.parse().unwrap());
        for _ in 0..30 {
            assert!(limits.may_guess("GPR-1", here));
            limits.guessed_wrong("gpr-1", here);
        }
        assert!(!limits.may_guess("GPR-1", there), "the number");
        assert!(!limits.may_guess("GPR-2", here), "the address");
        assert!(limits.may_guess("GPR-2", there));
    }

    #[test]
    fn tries_are_no_tighter_than_the_setting() {
        let limits = Limits::new(1000);
        let here = "192.0.2.1".parse().unwrap();
        let tried = (0..1000).filter(|_| limits.allows(Route::Attempt, here)).count();
        assert_eq!(tried, 1000);
    }

    #[test]
    fn a_network_shares_a_bucket_and_classes_do_not() {
        let limits = Limits::new(2);
        let near = ["192.0.2.1", "192.0.2.77"].map(|text| text.parse().unwrap());
        assert!(limits.allows(Route::Submit, near[0]) && limits.allows(Route::Submit, near[1]));
        assert!(!limits.allows(Route::Submit, near[0]));
        assert!(limits.allows(Route::Submit, "198.51.100.1".parse().unwrap()));
        assert!(limits.allows(Route::Status, near[0]));
    }
}
