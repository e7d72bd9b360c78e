//! The secret of DNS cookies: made at start or given by the settings, and rolled (RFC 9018 §5).
//!
//! A secret of our own is rolled once a day and the one before stays good, which covers every cookie
//! for its life of an hour. Servers that answer under one address share a secret by the settings;
//! theirs is rolled by whoever shares it out: first known everywhere as the previous one, then used.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use crate::answer::CookieSecrets;

/// How long a secret of our own makes cookies.
pub const ROLL_AFTER: Duration = Duration::from_secs(24 * 3600);

/// A new random secret; none if the system has no random numbers, which leaves cookies off.
pub fn fresh() -> Option<CookieSecrets> {
    random().map(|current| CookieSecrets { current, previous: None })
}

/// A new secret that makes cookies while those made with the old one stay good.
pub fn roll(old: &CookieSecrets) -> CookieSecrets {
    match random() {
        Some(current) => CookieSecrets { current, previous: Some(old.current) },
        None => old.clone(),
    }
}

/// Reads a secret as the settings give it: 32 hexadecimal digits.
pub fn from_hex(text: &str) -> Option<[u8; 16]> {
    let digits = text.as_bytes();
    if digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut secret = [0; 16];
    for (octet, at) in secret.iter_mut().zip((0..32).step_by(2)) {
        *octet = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(secret)
}

/// Sixteen octets nobody can guess.
fn random() -> Option<[u8; 16]> {
    let mut secret = [0; 16];
    SystemRandom::new().fill(&mut secret).ok().map(|()| secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rolled_secret_keeps_the_one_before_only() {
        let first = fresh().unwrap();
        let second = roll(&first);
        let third = roll(&second);
        assert_ne!(first.current, second.current);
        assert_eq!(second.previous, Some(first.current));
        assert_eq!(third.previous, Some(second.current));
    }

    #[test]
    fn only_thirty_two_hexadecimal_digits_are_a_secret() {
        let text = "e5e973e5a6b2a43f48e7dc849e37bfcf";
        assert_eq!(from_hex(text).map(|s| (s[0], s[15])), Some((0xe5, 0xcf)));
        for wrong in ["", "e5", &text[1..], &text.replace('e', "g"), &text.replace("e5", "é5")] {
            assert_eq!(from_hex(wrong), None, "{wrong}");
        }
    }
}
