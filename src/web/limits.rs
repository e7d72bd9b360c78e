//! Rate limits by client network: sign-in, public submit, links, wrong status secrets.
//!
//! Keyed by route class and network, so that one household or office shares a bucket and one class
//! does not use up another.

use crate::lock::lock;
use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::middleware::{StateInformationMiddleware, StateSnapshot};
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{NotUntil, Quota, RateLimiter};
use ipnet::IpNet;

/// Wrong secrets from one network, or on one number, within an hour.
const WRONG_AN_HOUR: u32 = 30;
/// Wrong secrets from one network on a number that others have used up: the applicant, who knows the
/// secret, still gets in.
const WRONG_ON_A_BESIEGED_NUMBER: u32 = 3;
/// That hour.
const WRONG_WINDOW: Duration = Duration::from_secs(3600);
/// Counts of wrong secrets that are kept; as many older ones stay until this many are new.
const WRONG_COUNTS_MAX: usize = 32_768;

/// A class of routes with a limit of its own.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Route {
    /// Name and password, codes.
    SignIn,
    /// A new request without a token, whether it is taken or not.
    Attempt,
    /// A new request without a token.
    Submit,
    /// A step of the form.
    Step,
    /// A file in the form.
    Upload,
    /// Single-use links.
    Link,
}

impl Route {
    /// What its limit is called in the headers of the API.
    const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Attempt => "attempt",
            Self::Submit => "submit",
            Self::Step => "step",
            Self::Upload => "upload",
            Self::Link => "link",
        }
    }
}

/// Buckets by key that tell what is left in them.
type Buckets<K> =
    RateLimiter<K, DefaultKeyedStateStore<K>, DefaultClock, StateInformationMiddleware>;

/// Full buckets.
fn buckets<K: Clone + Eq + std::hash::Hash>(quota: Quota) -> Buckets<K> {
    RateLimiter::keyed(quota).with_middleware()
}

/// The buckets.
pub struct Limits {
    /// Sign-in and links: a burst, then a slow refill.
    quick: Buckets<(Route, IpNet)>,
    /// Wrong status secrets: how many, and since when. Right ones do not count, so a program may read
    /// the status of its request as often as it likes.
    pub(super) secrets: Wrongs,
    /// Wrong codes of papers.
    pub(super) papers: Wrongs,
    /// Tries to send a new request, each minute: never fewer than the requests allowed an hour.
    attempt: Buckets<IpNet>,
    /// Steps of the form, each minute: enough for the requests allowed an hour, sent all at once.
    step: Buckets<IpNet>,
    /// Files in the form, each hour.
    upload: Buckets<IpNet>,
    /// New requests an hour; none when the limit is 0.
    submit: Option<Buckets<IpNet>>,
}

impl Limits {
    /// Buckets with so many public submits an hour for each `/24` or `/56`.
    pub(super) fn new(submit_per_hour: u32) -> Self {
        let many = NonZeroU32::new(30).unwrap_or(NonZeroU32::MIN);
        Self {
            quick: buckets(Quota::per_minute(many)),
            secrets: Wrongs::default(),
            papers: Wrongs::default(),
            attempt: buckets(Quota::per_minute(
                many.max(NonZeroU32::new(submit_per_hour).unwrap_or(many)),
            )),
            step: buckets(Quota::per_minute(at_least(120, submit_per_hour, 10))),
            upload: buckets(Quota::per_hour(at_least(30, submit_per_hour, 3))),
            submit: NonZeroU32::new(submit_per_hour).and_then(|most| {
                let quota = Quota::with_period(Duration::from_secs(3600) / most.get())?;
                Some(buckets(quota.allow_burst(most)))
            }),
        }
    }

    /// Whether this address may once more; counts the try. The error is the time until it may.
    pub fn take(&self, route: Route, from: IpAddr) -> Result<(), Duration> {
        self.spend(route, from).map(drop).map_err(|full| full.more_in)
    }

    /// The same, with what is left of the limit.
    pub(super) fn spend(&self, route: Route, from: IpAddr) -> Result<Allowance, Allowance> {
        let (near, exact) = (prefix(from, 24, 56), prefix(from, 32, 64));
        let checked = match route {
            Route::Submit => match &self.submit {
                Some(submit) => submit.check_key(&near),
                None => return Err(Allowance::none(route.name())),
            },
            Route::Step => self.step.check_key(&near),
            Route::Upload => self.upload.check_key(&near),
            Route::Attempt => self.attempt.check_key(&exact),
            route => self.quick.check_key(&(route, exact)),
        };
        checked
            .map(|left| Allowance::left(route.name(), &left))
            .map_err(|full| Allowance::used_up(route.name(), &full))
    }

    /// Forgets addresses that have not been seen for a while; for a timer.
    pub fn sweep(&self) {
        self.quick.retain_recent();
        self.attempt.retain_recent();
        self.step.retain_recent();
        self.upload.retain_recent();
        if let Some(submit) = &self.submit {
            submit.retain_recent();
        }
    }
}

//------------ Allowance -----------------------------------------------------

/// How often a network may still do something, as the headers `RateLimit-Policy` and `RateLimit` tell it
/// (draft-ietf-httpapi-ratelimit-headers).
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    /// What the limit is called.
    pub(super) name: &'static str,
    /// How often in all.
    pub(super) most: u32,
    /// The time in which it is as often again.
    pub(super) window: Duration,
    /// How often now.
    pub(super) left: u32,
    /// The time after which it is at least once more.
    pub(super) more_in: Duration,
}

impl Allowance {
    /// A limit that takes nothing.
    const fn none(name: &'static str) -> Self {
        Self { name, most: 0, window: WRONG_WINDOW, left: 0, more_in: WRONG_WINDOW }
    }

    /// A limit of which something is left.
    fn left(name: &'static str, state: &StateSnapshot) -> Self {
        let (most, window, more_in) = sizes(state.quota());
        Self { name, most, window, left: state.remaining_burst_capacity(), more_in }
    }

    /// A limit that is used up.
    fn used_up(name: &'static str, full: &NotUntil<<DefaultClock as Clock>::Instant>) -> Self {
        let (most, window, _) = sizes(full.quota());
        let more_in = full.wait_time_from(DefaultClock::default().now());
        Self { name, most, window, left: 0, more_in }
    }

    /// Wrong secrets that are used up.
    pub(super) const fn wrong_secrets(more_in: Duration) -> Self {
        Self { name: "wrong_secret", most: WRONG_AN_HOUR, window: WRONG_WINDOW, left: 0, more_in }
    }
}

/// How much a quota is in all, in which time, and the time of one.
fn sizes(quota: Quota) -> (u32, Duration, Duration) {
    let most = quota.burst_size().get();
    (most, quota.burst_size_replenished_in(), quota.replenish_interval())
}

//------------ Wrong ---------------------------------------------------------

/// Tries of one kind of secret that were wrong: those of one kind say nothing of those who try another.
#[derive(Default)]
pub(super) struct Wrongs(Mutex<Wrong>);

impl Wrongs {
    /// Whether a secret may be tried on this number from this address, after the wrong ones of the
    /// last hour; counts it as one more of them. The error is the time until it may.
    pub(super) fn guess(&self, number: &str, from: IpAddr) -> Result<(), Duration> {
        let mut wrong = lock(&self.0);
        let all = Guessed::of(number, from);
        let [network, on_number, both] = [&all[0], &all[1], &all[2]].map(|it| wrong.count(it));
        if network.0 >= WRONG_AN_HOUR {
            return Err(network.1);
        }
        if on_number.0 >= WRONG_AN_HOUR && both.0 >= WRONG_ON_A_BESIEGED_NUMBER {
            return Err(on_number.1.min(both.1));
        }
        all.into_iter().for_each(|guessed| wrong.add(guessed));
        Ok(())
    }

    /// Takes a try back that was right after all.
    pub(super) fn guessed_right(&self, number: &str, from: IpAddr) {
        let mut wrong = lock(&self.0);
        Guessed::of(number, from).iter().for_each(|guessed| wrong.take_back(guessed));
    }
}

/// Counts of wrong secrets, in two halves of bounded size: when the newer one is full, it takes the
/// older one's place. So neither memory nor the time of a try grows with those who try.
#[derive(Default)]
struct Wrong {
    /// Counts since the halves changed places: how many, and since when.
    new: HashMap<Guessed, (u32, Instant)>,
    /// Counts before that.
    old: HashMap<Guessed, (u32, Instant)>,
}

impl Wrong {
    /// Wrong tries of the last hour, and for how long they still count.
    fn count(&self, guessed: &Guessed) -> (u32, Duration) {
        let found = self.new.get(guessed).or_else(|| self.old.get(guessed));
        let (count, since) = found.copied().unwrap_or_else(|| (0, Instant::now()));
        let left = WRONG_WINDOW.checked_sub(since.elapsed());
        left.map_or((0, Duration::ZERO), |left| (count, left))
    }

    /// Counts one more.
    fn add(&mut self, guessed: Guessed) {
        if self.new.len() >= WRONG_COUNTS_MAX {
            self.old = std::mem::take(&mut self.new);
        }
        let older = self.old.get(&guessed).copied();
        let now = Instant::now();
        let entry = self.new.entry(guessed).or_insert_with(|| older.unwrap_or((0, now)));
        if entry.1.elapsed() >= WRONG_WINDOW {
            *entry = (0, now);
        }
        entry.0 += 1;
    }

    /// Counts one less.
    fn take_back(&mut self, guessed: &Guessed) {
        if let Some((count, _)) = self.new.get_mut(guessed) {
            *count = count.saturating_sub(1);
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

/// So many, or `times` the requests allowed an hour if that is more.
fn at_least(least: u32, submit_per_hour: u32, times: u32) -> NonZeroU32 {
    let most = least.max(submit_per_hour.saturating_mul(times));
    NonZeroU32::new(most).unwrap_or(NonZeroU32::MIN)
}

/// The network an address counts for where requests are counted.
pub(super) fn network(address: IpAddr) -> String {
    prefix(address, 24, 56).to_string()
}

/// The network whose clients count together.
pub(super) fn prefix(address: IpAddr, v4_bits: u8, v6_bits: u8) -> IpNet {
    let address = address.to_canonical();
    let bits = if address.is_ipv4() { v4_bits } else { v6_bits };
    IpNet::new_assert(address, bits).trunc()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{Limits, Route, WRONG_COUNTS_MAX};

    #[test]
    fn only_wrong_secrets_count_against_a_number_and_an_address() {
        let limits = Limits::new(2);
        let [here, there] = ["192.0.2.1", "198.51.100.1"].map(|text| text.parse().unwrap());
        for _ in 0..30 {
            assert!(limits.secrets.guess("gpr-1", here).is_ok());
        }
        assert!(limits.secrets.guess("GPR-1", here).is_err());
        assert!(limits.secrets.guess("GPR-2", here).is_err(), "the address");
        assert!(limits.secrets.guess("GPR-2", there).is_ok());
        limits.secrets.guessed_right("GPR-2", there);
        // Others used the number up: whoever knows its secret gets in, whoever guesses does not.
        for _ in 0..3 {
            assert!(limits.secrets.guess("GPR-1", there).is_ok());
        }
        assert!(limits.secrets.guess("GPR-1", there).is_err(), "the number");
        assert!(limits.secrets.guess("GPR-2", there).is_ok(), "the number only");
    }

    #[test]
    fn right_secrets_never_count() {
        let limits = Limits::new(2);
        let here = "192.0.2.1".parse().unwrap();
        for _ in 0..1_000 {
            assert!(limits.secrets.guess("GPR-1", here).is_ok());
            limits.secrets.guessed_right("GPR-1", here);
        }
    }

    #[test]
    fn counts_of_wrong_secrets_have_bounds_in_memory_and_time() {
        let limits = Limits::new(2);
        let besieged = "192.0.2.1".parse().unwrap();
        for _ in 0..30 {
            let _ = limits.secrets.guess("GPR-1", besieged);
        }
        let begun = std::time::Instant::now();
        for at in 0..30_000_u32 {
            let _ =
                limits.secrets.guess(&format!("GPR-{at}"), IpAddr::V4((0x0a00_0000 + at).into()));
        }
        assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
        let wrong = limits.secrets.0.lock().unwrap();
        assert!(wrong.new.len() <= WRONG_COUNTS_MAX && wrong.old.len() <= WRONG_COUNTS_MAX);
    }

    #[test]
    fn addresses_of_one_network_count_together() {
        let limits = Limits::new(2);
        let [near, next, far] = ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"]
            .map(|text| text.parse().unwrap());
        for _ in 0..30 {
            let _ = limits.secrets.guess("GPR-1", near);
        }
        assert!(
            limits.secrets.guess("GPR-2", next).is_err()
                && limits.secrets.guess("GPR-2", far).is_ok()
        );
        let mapped = "::ffff:192.0.2.1".parse().unwrap();
        for _ in 0..30 {
            let _ = limits.secrets.guess("GPR-3", mapped);
        }
        assert!(limits.secrets.guess("GPR-2", "192.0.2.1".parse().unwrap()).is_err());
    }

    #[test]
    fn tries_are_no_tighter_than_the_setting() {
        let limits = Limits::new(1000);
        let here = "192.0.2.1".parse().unwrap();
        let tried = (0..1000).filter(|_| limits.take(Route::Attempt, here).is_ok()).count();
        assert_eq!(tried, 1000);
    }

    #[test]
    fn a_network_shares_a_bucket_and_classes_do_not() {
        let limits = Limits::new(2);
        let near = ["192.0.2.1", "192.0.2.77"].map(|text| text.parse().unwrap());
        assert!(
            limits.take(Route::Submit, near[0]).is_ok()
                && limits.take(Route::Submit, near[1]).is_ok()
        );
        let full = limits.spend(Route::Submit, near[0]).unwrap_err();
        let seconds = [full.window, full.more_in].map(|it| it.as_secs_f64());
        assert!((full.most, full.left) == (2, 0) && seconds[0] == 3600.0, "{full:?}");
        assert!((1700.0..=1800.0).contains(&seconds[1]), "{full:?}");
        let left = limits.spend(Route::Submit, "198.51.100.1".parse().unwrap()).unwrap();
        assert_eq!((left.left, left.more_in.as_secs()), (1, 1800));
        assert!(limits.take(Route::Link, near[0]).is_ok());
    }
}
