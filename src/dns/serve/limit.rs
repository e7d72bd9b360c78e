//! Response rate limiting, so that the server is of no use as an amplifier.
//!
//! Over UDP a source may be forged. Each response is counted against the client's prefix (/24, /56)
//! and, if a lower rate is set for it, against the single address, separately for each kind of
//! response; NXDOMAIN also by zone. Of the responses over the rate every `slip`-th is sent truncated, no
//! larger than its query, and the others are not sent: a real client retries over TCP. Clients with a
//! valid cookie and streams are not limited; the caller checks that.
//!
//! The table has a fixed size, a keyed hash, so that an attacker cannot choose collisions, and no
//! lock: a slot is one atomic word. It holds the *theoretical arrival time* of the generic cell rate
//! algorithm: how far ahead of now a client's account is booked. Withheld responses are booked too, up
//! to a quarter of a second: while a flood lasts none of it is answered in full, and an account that
//! was only slightly over its rate recovers soon.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::answer::{Facts, ResponseKind};
use crate::wire::{HEADER_OCTETS, NAME_OCTETS_MAX, NameRef, Rtype};

/// Slots that share a cache line; a key may be in any slot of its line.
const SLOTS: usize = 8;
/// Cache lines of the table: 1 MiB, 131,072 accounts.
const LINES: usize = 1 << 14;
/// Low bits of a slot: the time; the rest are the key's tag.
const TIME_BITS: u32 = 44;
/// Mask of the time.
const TIME_MASK: u64 = (1 << TIME_BITS) - 1;
/// One second: the largest burst.
const WINDOW_NANOSECONDS: u64 = 1_000_000_000;
/// How much more is booked for what a client tries beyond it.
const OVERDRAFT_NANOSECONDS: u64 = WINDOW_NANOSECONDS / 4;

//------------ RateLimit -----------------------------------------------------

/// The settings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RateLimit {
    /// Responses of one kind per second and client prefix; at least 1.
    pub per_prefix: u32,
    /// The same for each single address; 0, or not below `per_prefix`: no rate of its own.
    pub per_address: u32,
    /// Every how many limited responses go out truncated; 0: none does.
    pub slip: u32,
}

//------------ Limiter -------------------------------------------------------

/// The accounts of all clients; shared by all workers.
#[derive(Debug)]
pub struct Limiter {
    /// Nanoseconds a response costs the prefix.
    prefix_cost: u64,
    /// Nanoseconds a response costs the address; 0: not counted.
    address_cost: u64,
    /// Every how many go out truncated.
    slip: u32,
    /// The hash's random key.
    key: RandomState,
    /// The accounts.
    lines: Box<[Line]>,
}

/// One cache line of accounts.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Line([AtomicU64; SLOTS]);

/// What happens to a response.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Judgement {
    /// It goes out.
    Pass,
    /// It goes out truncated.
    Slip,
    /// It does not go out.
    Drop,
}

impl Limiter {
    /// An empty table.
    pub fn new(settings: &RateLimit) -> Self {
        let prefix = settings.per_prefix.max(1);
        let has_address = settings.per_address > 0 && settings.per_address < prefix;
        let cost = |rate: u32| WINDOW_NANOSECONDS / u64::from(rate);
        Self {
            prefix_cost: cost(prefix),
            address_cost: if has_address { cost(settings.per_address) } else { 0 },
            slip: settings.slip,
            key: RandomState::new(),
            lines: (0..LINES).map(|_| Line::default()).collect(),
        }
    }

    /// Books one response at `now` (nanoseconds of any clock). `limited` counts this worker's limited
    /// responses, so that every `slip`-th can be treated differently.
    pub fn judge(
        &self,
        client: IpAddr,
        kind: ResponseKind,
        zone: Option<NameRef<'_>>,
        now: u64,
        limited: &mut u32,
    ) -> Judgement {
        let zone = zone.filter(|_| kind == ResponseKind::Nxdomain);
        // An address over its own rate does not use up its neighbours'.
        let passes = (self.address_cost == 0
            || self.book(self.hash(client, kind, zone, true), self.address_cost, now))
            && self.book(self.hash(prefix_of(client), kind, zone, false), self.prefix_cost, now);
        if passes {
            return Judgement::Pass;
        }
        *limited = limited.wrapping_add(1);
        if self.slip > 0 && limited.is_multiple_of(self.slip) {
            Judgement::Slip
        } else {
            Judgement::Drop
        }
    }

    /// The key of an account, hashed.
    fn hash(
        &self,
        client: IpAddr,
        kind: ResponseKind,
        zone: Option<NameRef<'_>>,
        single: bool,
    ) -> u64 {
        let mut hasher = self.key.build_hasher();
        let bits = match client {
            IpAddr::V4(v4) => u128::from(v4.to_bits()),
            IpAddr::V6(v6) => v6.to_bits(),
        };
        let mut head = [0; 18];
        head[..16].copy_from_slice(&bits.to_le_bytes());
        head[16] = kind as u8 | u8::from(single) << 7;
        head[17] = u8::from(client.is_ipv6());
        hasher.write(&head);
        if let Some(zone) = zone {
            let (mut lower, wire) = ([0; NAME_OCTETS_MAX], zone.wire());
            for (to, from) in lower.iter_mut().zip(wire) {
                *to = from.to_ascii_lowercase();
            }
            hasher.write(&lower[..wire.len().min(NAME_OCTETS_MAX)]);
        }
        hasher.finish()
    }

    /// Books `cost` on the account of `hash`; false if it is overdrawn.
    fn book(&self, hash: u64, cost: u64, now: u64) -> bool {
        let line = &self.lines[hash as usize % LINES].0;
        let (tag, now) = (hash >> TIME_BITS, now & TIME_MASK);
        let (mut victim, mut least) = (&line[0], u64::MAX);
        for slot in line {
            let word = slot.load(Ordering::Relaxed);
            let ahead = ahead(word, now);
            if word >> TIME_BITS == tag {
                if ahead + cost > WINDOW_NANOSECONDS {
                    if ahead < WINDOW_NANOSECONDS + OVERDRAFT_NANOSECONDS.max(cost) {
                        // If another worker was first, its booking is enough.
                        let more =
                            tag << TIME_BITS | (word & TIME_MASK).wrapping_add(cost) & TIME_MASK;
                        let order = Ordering::Relaxed;
                        let _ = slot.compare_exchange(word, more, order, order);
                    }
                    return false;
                }
                if ahead > 0 {
                    // A carry out of the time, once in 4.9 hours, spoils one tag: a fresh account.
                    slot.fetch_add(cost, Ordering::Relaxed);
                } else {
                    // If another worker was first, its booking counts and ours does not.
                    let fresh = tag << TIME_BITS | now.wrapping_add(cost) & TIME_MASK;
                    let order = Ordering::Relaxed;
                    let _ = slot.compare_exchange(word, fresh, order, order);
                }
                return true;
            }
            if ahead < least {
                (victim, least) = (slot, ahead);
            }
        }
        // A new account: it replaces the one least ahead, most often one long idle.
        victim.store(tag << TIME_BITS | now.wrapping_add(cost) & TIME_MASK, Ordering::Relaxed);
        true
    }
}

/// How far an account is booked ahead of `now`, in nanoseconds; 0 for one that is past, or as far
/// ahead as none can be (the clock went back, or its bits went round).
fn ahead(word: u64, now: u64) -> u64 {
    let ahead = (word & TIME_MASK).wrapping_sub(now) & TIME_MASK;
    if ahead > 4 * WINDOW_NANOSECONDS { 0 } else { ahead }
}

/// Makes a response in `message` say only that it was cut: header with TC, question, and a bare OPT
/// if the query had one. No larger than the query, so there is nothing to gain from forging it. Returns
/// the octets left.
pub fn cut_short(message: &mut [u8], facts: &Facts, udp_size: u16) -> usize {
    let mut end = HEADER_OCTETS;
    if message[4..6] != [0, 0] {
        while let Some(&label) = message.get(end).filter(|label| **label != 0) {
            end += 1 + usize::from(label);
        }
        end += 5;
    }
    // Neither AA nor a response code: the truth comes by TCP.
    message[2] = message[2] & !0x04 | 0x02;
    message[3] &= 0xf0;
    message[6..12].fill(0);
    let mut opt = [0; 11];
    opt[2] = Rtype::OPT.0 as u8;
    opt[3..5].copy_from_slice(&udp_size.to_be_bytes());
    opt[7] = u8::from(facts.dnssec_ok) << 7;
    if facts.edns_size.is_some()
        && let Some(room) = message.get_mut(end..end + opt.len())
    {
        room.copy_from_slice(&opt);
        message[11] = 1;
        end += opt.len();
    }
    end.min(message.len())
}

/// The /24 or /56 of an address.
pub fn prefix_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) => Ipv4Addr::from_bits(v4.to_bits() & 0xffff_ff00).into(),
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 72)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn limiter(per_prefix: u32, per_address: u32, slip: u32) -> Limiter {
        Limiter::new(&RateLimit { per_prefix, per_address, slip })
    }

    /// How many of `count` responses, one every `step` nanoseconds from `start` on, pass.
    fn passed(limiter: &Limiter, client: &str, start: u64, step: u64, count: u64) -> u64 {
        let (client, mut limited) = (client.parse().unwrap(), 0);
        (0..count)
            .filter(|i| {
                let now = start + i * step;
                let kind = ResponseKind::Positive;
                limiter.judge(client, kind, None, now, &mut limited) == Judgement::Pass
            })
            .count() as u64
    }

    #[test]
    fn a_prefix_gets_its_rate_and_one_window_at_once() {
        let limiter = limiter(200, 0, 1);
        assert_eq!(passed(&limiter, "192.0.2.1", 0, 0, 1000), 200);
        assert_eq!(passed(&limiter, "192.0.2.77", 0, 0, 1000), 0, "the same /24");
        assert_eq!(passed(&limiter, "192.0.3.1", 0, 0, 1000), 200, "another /24");
        // Recovers when the overdraft has expired.
        assert_eq!(passed(&limiter, "192.0.2.1", 2000 * MS, 0, 1000), 200);
    }

    #[test]
    fn while_a_flood_lasts_nothing_of_it_passes() {
        for rate in [1, 5, 200, 10_000] {
            let limiter = limiter(rate, 0, 1);
            let first = passed(&limiter, "192.0.2.1", 0, 1000, 1_000_000);
            assert!(first <= 2 * u64::from(rate), "{first} of {rate} in the first second");
            let step = MS.min(900 * MS / u64::from(rate));
            let later = passed(&limiter, "192.0.2.1", 1000 * MS, step, 10_000);
            assert_eq!(later, 0, "{rate}");
        }
    }

    #[test]
    fn an_account_is_good_again_soon_after() {
        let limiter = limiter(200, 0, 1);
        passed(&limiter, "192.0.2.1", 0, 0, 100_000);
        assert_eq!(passed(&limiter, "192.0.2.1", 240 * MS, 0, 1), 0);
        // Half a second later a quarter of the rate has been saved up.
        assert!(passed(&limiter, "192.0.2.1", 510 * MS, 0, 100) > 40);
    }

    #[test]
    fn below_the_rate_nothing_is_limited() {
        assert_eq!(passed(&limiter(200, 0, 1), "2001:db8::1", 0, 5 * MS, 10_000), 10_000);
    }

    #[test]
    fn an_ipv6_client_is_its_56() {
        let limiter = limiter(10, 0, 1);
        assert_eq!(passed(&limiter, "2001:db8:0:1::1", 0, 0, 100), 10);
        assert_eq!(passed(&limiter, "2001:db8:0:ff::9", 0, 0, 100), 0);
        assert_eq!(passed(&limiter, "2001:db8:0:100::1", 0, 0, 100), 10);
    }

    #[test]
    fn one_address_does_not_use_up_its_prefix() {
        let limiter = limiter(200, 50, 1);
        assert_eq!(passed(&limiter, "192.0.2.1", 0, 0, 1000), 50);
        assert_eq!(passed(&limiter, "192.0.2.2", 0, 0, 1000), 50);
    }

    #[test]
    fn kinds_and_zones_have_accounts_of_their_own() {
        let limiter = limiter(1, 0, 1);
        let client = "192.0.2.1".parse().unwrap();
        let zones: Vec<crate::wire::Name> =
            ["a.example.", "b.example."].iter().map(|z| z.parse().unwrap()).collect();
        let pass = |kind, zone: usize| {
            let judged = limiter.judge(client, kind, Some(zones[zone].as_ref()), 0, &mut 0);
            judged == Judgement::Pass
        };
        assert!(pass(ResponseKind::Nxdomain, 0));
        assert!(pass(ResponseKind::Nxdomain, 1));
        assert!(!pass(ResponseKind::Nxdomain, 0));
        assert!(pass(ResponseKind::Positive, 0));
        assert!(!pass(ResponseKind::Positive, 1), "only NXDOMAIN is counted by zone");
        assert!(pass(ResponseKind::Nodata, 0));
        assert!(pass(ResponseKind::Referral, 0));
        assert!(pass(ResponseKind::Error, 0));
    }

    #[test]
    fn slip_lets_every_nth_out_truncated() {
        for (slip, expected) in [(0, 0), (1, 90), (2, 45), (3, 30)] {
            let (limiter, mut limited) = (limiter(10, 0, slip), 0);
            let client = "192.0.2.1".parse().unwrap();
            let slipped = (0..100)
                .map(|_| limiter.judge(client, ResponseKind::Error, None, 7, &mut limited))
                .filter(|judged| *judged == Judgement::Slip)
                .count();
            assert_eq!(slipped, expected, "slip {slip}");
        }
    }

    #[test]
    fn a_flood_of_random_sources_does_not_push_out_a_heavy_one() {
        let limiter = limiter(200, 0, 1);
        assert_eq!(passed(&limiter, "192.0.2.1", 0, 0, 300), 200);
        let mut limited = 0;
        for i in 0..1_000_000u32 {
            let stranger = Ipv4Addr::from_bits(i.wrapping_mul(2_654_435_761)).into();
            // A million sources in half a second.
            let now = u64::from(i) * 500;
            limiter.judge(stranger, ResponseKind::Positive, None, now, &mut limited);
        }
        let heavy = passed(&limiter, "192.0.2.1", 500 * MS, 0, 300);
        assert!(heavy <= 101, "{heavy}");
    }

    #[test]
    fn a_clock_that_goes_back_forgives_rather_than_blocks() {
        let limiter = limiter(5, 0, 1);
        assert_eq!(passed(&limiter, "192.0.2.1", 100_000 * MS, 0, 50), 5);
        assert_eq!(passed(&limiter, "192.0.2.1", 10 * MS, 0, 50), 5);
    }
}
