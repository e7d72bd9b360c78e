//! DNS cookies: RFC 7873 with the interoperable server cookie of RFC 9018.
//!
//! A server cookie is 16 octets: version 1, three reserved octets, the time it was made, and
//! SipHash-2-4 over client cookie, those eight octets and the client's address. Servers that share
//! the secret accept each other's. More than one secret is accepted, so that one can be rolled.

use std::net::IpAddr;

use super::siphash::siphash24;

/// Octets of a client cookie.
pub(crate) const CLIENT_OCTETS: usize = 8;
/// Octets of the option payload in our responses: client cookie and server cookie.
pub(crate) const FULL_OCTETS: usize = 24;
/// How old a server cookie may be, in seconds (RFC 9018 §4.3).
const AGE_SECONDS_MAX: i32 = 3600;
/// How far in the future a server cookie may be: clocks of an anycast group differ.
const AHEAD_SECONDS_MAX: i32 = 300;

//------------ CookieSecrets -------------------------------------------------

/// The secrets that server cookies are made and checked with.
#[derive(Clone)]
pub struct CookieSecrets {
    /// Makes new cookies.
    pub current: [u8; 16],
    /// Accepted too, while a new secret is rolled out: those before it, and perhaps those to come.
    pub others: Vec<[u8; 16]>,
}

impl std::fmt::Debug for CookieSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CookieSecrets(..)")
    }
}

impl CookieSecrets {
    /// Judges a COOKIE option's payload. `None` if its length is none of 8 and 16 to 40 (FORMERR).
    pub(crate) fn judge(&self, payload: &[u8], address: IpAddr, now: u32) -> Option<CookieResult> {
        match payload.len() {
            CLIENT_OCTETS => Some(CookieResult::ClientOnly),
            FULL_OCTETS => Some(self.judge_full(payload, address, now)),
            16..=40 => Some(CookieResult::Bad),
            _ => None,
        }
    }

    /// Judges a payload of the length our own cookies have.
    fn judge_full(&self, payload: &[u8], address: IpAddr, now: u32) -> CookieResult {
        let made = u32::from_be_bytes([payload[12], payload[13], payload[14], payload[15]]);
        // RFC 1982 arithmetic: right across 2038 and 2106.
        let age = now.wrapping_sub(made) as i32;
        if payload[8] != 1 || !(-AHEAD_SECONDS_MAX..=AGE_SECONDS_MAX).contains(&age) {
            return CookieResult::Bad;
        }
        let known = |secret| hash(secret, &payload[..16], address) == payload[16..];
        if known(&self.current) || self.others.iter().any(known) {
            CookieResult::Valid
        } else {
            CookieResult::Bad
        }
    }

    /// A fresh option payload for the client whose cookie starts `payload`.
    pub(crate) fn fresh(&self, payload: &[u8], address: IpAddr, now: u32) -> [u8; FULL_OCTETS] {
        let mut full = [0; FULL_OCTETS];
        for (to, from) in full.iter_mut().zip(&payload[..CLIENT_OCTETS.min(payload.len())]) {
            *to = *from;
        }
        full[8] = 1;
        full[12..16].copy_from_slice(&now.to_be_bytes());
        let hash = hash(&self.current, &full[..16], address);
        full[16..].copy_from_slice(&hash);
        full
    }
}

/// The hash of a server cookie; `head` is client cookie, version, reserved octets and time.
fn hash(secret: &[u8; 16], head: &[u8], address: IpAddr) -> [u8; 8] {
    let mut input = [0; 32];
    input[..16].copy_from_slice(head);
    let used = match address {
        IpAddr::V4(v4) => {
            input[16..20].copy_from_slice(&v4.octets());
            20
        }
        IpAddr::V6(v6) => {
            input[16..].copy_from_slice(&v6.octets());
            32
        }
    };
    siphash24(secret, &input[..used])
}

//------------ CookieResult --------------------------------------------------

/// The result of checking a query's cookie.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum CookieResult {
    /// No COOKIE option, or cookies are off.
    #[default]
    None,
    /// A client cookie alone: the client asks for a server cookie.
    ClientOnly,
    /// A server cookie of ours: the address is not spoofed.
    Valid,
    /// A server cookie that is not ours, too old or too new.
    Bad,
    /// A length that no cookie has; answered with FORMERR.
    Malformed,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap())
            .collect()
    }

    fn secrets(current: &str, previous: Option<&str>) -> CookieSecrets {
        let key = |text: &str| hex(text).try_into().unwrap();
        CookieSecrets { current: key(current), others: previous.map(key).into_iter().collect() }
    }

    /// Checks that `full` is valid at `now`, and what is given back then.
    #[track_caller]
    fn check(secrets: &CookieSecrets, full: &str, client: &str, now: u32, fresh: &str) {
        let (full, client) = (hex(full), client.parse().unwrap());
        if full.len() == 24 {
            assert_eq!(secrets.judge(&full, client, now), Some(CookieResult::Valid));
        }
        assert_eq!(secrets.fresh(&full, client, now)[8..], hex(fresh));
    }

    const SECRET: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";

    #[test]
    fn rfc_9018_appendix_a_1_learning_a_new_server_cookie() {
        check(
            &secrets(SECRET, None),
            "2464c4abcf10c957",
            "198.51.100.100",
            1_559_731_985,
            "010000005cf79f111f8130c3eee29480",
        );
    }

    #[test]
    fn rfc_9018_appendix_a_2_the_same_client_renews() {
        check(
            &secrets(SECRET, None),
            "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
            "198.51.100.100",
            1_559_734_385,
            "010000005cf7a871d4a564a1442aca77",
        );
    }

    #[test]
    fn rfc_9018_appendix_a_3_reserved_octets_are_hashed_as_they_came() {
        let secrets = secrets(SECRET, None);
        let full = hex("fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5");
        let client = "203.0.113.203".parse().unwrap();
        assert_eq!(secrets.judge(&full, client, 1_559_728_000), Some(CookieResult::Valid));
        // Ours has them zero again.
        let fresh = secrets.fresh(&full, client, 1_559_734_700);
        assert_eq!(fresh[8..], hex("010000005cf7a9acf73a7810aca2381e"));
    }

    #[test]
    fn rfc_9018_appendix_a_4_ipv6_and_a_rolled_secret() {
        check(
            &secrets("445536bcd2513298075a5d379663c962", Some("dd3bdf9344b678b185a6f5cb60fca715")),
            "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
            "2001:db8:220:1:59de:d0f4:8769:82b8",
            1_559_741_961,
            "010000005cf7c609a6bb79d16625507a",
        );
    }

    #[test]
    fn times_compare_by_serial_arithmetic() {
        let secrets = secrets(SECRET, None);
        let client = "192.0.2.1".parse().unwrap();
        for now in [0u32, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
            let full = secrets.fresh(&[7; 8], client, now);
            for (later, result) in [
                (0, CookieResult::Valid),
                (3600, CookieResult::Valid),
                (3601, CookieResult::Bad),
                (-300, CookieResult::Valid),
                (-301, CookieResult::Bad),
            ] {
                let then = now.wrapping_add_signed(later);
                assert_eq!(secrets.judge(&full, client, then), Some(result), "{now} {later}");
            }
        }
    }

    #[test]
    fn only_the_lengths_of_rfc_7873_pass() {
        let secrets = secrets(SECRET, None);
        let client = "192.0.2.1".parse().unwrap();
        for length in 0..64 {
            let judged = secrets.judge(&vec![0; length], client, 0).is_some();
            assert_eq!(judged, length == 8 || (16..=40).contains(&length), "{length}");
        }
    }
}
