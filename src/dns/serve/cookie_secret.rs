//! The secret of DNS cookies: made at the start, and rolled once a day (RFC 9018 §5); or given, for servers that share
//! an address, and then whoever gives it rolls it.
//!
//! The previous secret stays valid, which covers every cookie for its lifetime of an hour.

use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};

use crate::answer::CookieSecrets;

/// How long a secret makes cookies.
pub(super) const ROLL_AFTER: Duration = Duration::from_secs(24 * 3600);

/// A new random secret; none if the system has no random numbers, which leaves cookies off.
pub(super) fn fresh() -> Option<CookieSecrets> {
    random().map(|current| CookieSecrets { current, others: Vec::new() })
}

/// A new secret; cookies made with the old one stay valid.
pub(super) fn roll(old: &CookieSecrets) -> CookieSecrets {
    match random() {
        Some(current) => CookieSecrets { current, others: vec![old.current] },
        None => old.clone(),
    }
}

/// Secrets that were given, newest first; `None` if none are.
pub(super) fn given(secrets: &[[u8; 16]]) -> Option<CookieSecrets> {
    let (current, others) = secrets.split_first()?;
    Some(CookieSecrets { current: *current, others: others.to_vec() })
}

/// Sixteen random octets.
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
        assert_eq!(second.others, [first.current]);
        assert_eq!(third.others, [second.current]);
    }
}
