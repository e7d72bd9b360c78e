//! Rate limits by client network: sign-in, public submit, links, wrong status secrets.
//!
//! Keyed by route class and network, so that one household or office shares a bucket and one class
//! does not use up another. Account lock-out is kept in the database by `people`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;

/// Wrong secrets from one network, or on one number, within an hour.
const WRONG_AN_HOUR: u32 = 30;
/// Wrong secrets from one network on a number that others have used up: the applicant, who knows the
/// secret, still gets in.
const WRONG_ON_A_BESIEGED_NUMBER: u32 = 3;
/// That hour.
const WRONG_WINDOW: Duration = Duration::from_secs(3600);
/// Counts of wrong secrets that are kept before old ones are dropped.
const WRONG_COUNTS_MAX: usize = 10_000;

/// A class of routes with a limit of its own.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Route {
    /// Name and password, codes.
    SignIn,
    /// A new request without a token, whether it is taken or not.
    Attempt,
    /// A new request without a token.
    Submit,
    /// Single-use links.
    Link,
}

/// The buckets.
pub struct Limits {
    /// Sign-in and links: a burst, then a slow refill.
    quick: DefaultKeyedRateLimiter<(Route, IpNet)>,
    /// Wrong status secrets: how many, and since when. Right ones do not count, so a program may read
    /// the status of its request as often as it likes.
    wrong: Mutex<HashMap<Guessed, (u32, Instant)>>,
    /// Tries to send a new request, each minute: never fewer than the requests allowed an hour.
    attempt: DefaultKeyedRateLimiter<IpNet>,
    /// New requests an hour; none when the limit is 0.
    submit: Option<DefaultKeyedRateLimiter<IpNet>>,
}

impl Limits {
    /// Buckets with so many public submits an hour for each `/24` or `/56`.
    pub(super) fn new(submit_per_hour: u32) -> Self {
        let many = NonZeroU32::new(30).unwrap_or(NonZeroU32::MIN);
        Self {
            quick: RateLimiter::keyed(Quota::per_minute(many)),
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

    /// Whether a secret may be tried on this number from this address, after the wrong ones of the
    /// last hour.
    pub fn may_guess(&self, number: &str, from: IpAddr) -> bool {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |guessed| match wrong.get(&guessed) {
            Some((count, since)) if since.elapsed() < WRONG_WINDOW => *count,
            _ => 0,
        };
        let [network, number, both] = Guessed::of(number, from).map(count);
        network < WRONG_AN_HOUR && (number < WRONG_AN_HOUR || both < WRONG_ON_A_BESIEGED_NUMBER)
    }

    /// Counts a wrong secret on this number from this address.
    pub fn guessed_wrong(&self, number: &str, from: IpAddr) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.len() >= WRONG_COUNTS_MAX {
            wrong.retain(|_, (_, since)| since.elapsed() < WRONG_WINDOW);
        }
        for guessed in Guessed::of(number, from) {
            let entry = wrong.entry(guessed).or_insert_with(|| (0, Instant::now()));
            if entry.1.elapsed() >= WRONG_WINDOW {
                *entry = (0, Instant::now());
            }
            entry.0 += 1;
        }
    }

    /// Forgets addresses that have not been seen for a while; for a timer.
    pub fn sweep(&self) {
        self.quick.retain_recent();
        self.attempt.retain_recent();
        if let Some(submit) = &self.submit {
            submit.retain_recent();
        }
    }
}

/// Where a wrong secret counts.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Guessed {
    /// On every number from this network.
    From(IpNet),
    /// On this number from everywhere.
    On(String),
    /// On this number from this network.
    Both(String, IpNet),
}

impl Guessed {
    /// The three places for a number, cut to a bounded length, and an address.
    fn of(number: &str, from: IpAddr) -> [Self; 3] {
        let number: String = number.trim().to_uppercase().chars().take(40).collect();
        let network = prefix(from, 32, 64);
        [Self::From(network), Self::On(number.clone()), Self::Both(number, network)]
    }
}

/// The network whose clients count together.
pub(super) fn prefix(address: IpAddr, v4_bits: u8, v6_bits: u8) -> IpNet {
    let address = address.to_canonical();
    let bits = if address.is_ipv4() { v4_bits } else { v6_bits };
    IpNet::new_assert(address, bits).trunc()
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
        assert!(!limits.may_guess("GPR-1", here));
        assert!(!limits.may_guess("GPR-2", here), "the address");
        assert!(limits.may_guess("GPR-2", there));
        // Others used the number up: whoever knows its secret gets in, whoever guesses does not.
        for _ in 0..3 {
            assert!(limits.may_guess("GPR-1", there));
            limits.guessed_wrong("GPR-1", there);
        }
        assert!(!limits.may_guess("GPR-1", there), "the number");
        assert!(limits.may_guess("GPR-2", there), "the number only");
    }

    #[test]
    fn addresses_of_one_network_count_together() {
        let limits = Limits::new(2);
        let [near, next, far] = ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"]
            .map(|text| text.parse().unwrap());
        for _ in 0..30 {
            limits.guessed_wrong("GPR-1", near);
        }
        assert!(!limits.may_guess("GPR-2", next) && limits.may_guess("GPR-2", far));
        let mapped = "::ffff:192.0.2.1".parse().unwrap();
        for _ in 0..30 {
            limits.guessed_wrong("GPR-3", mapped);
        }
        assert!(!limits.may_guess("GPR-2", "192.0.2.1".parse().unwrap()));
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
        assert!(limits.allows(Route::Link, near[0]));
    }
}
