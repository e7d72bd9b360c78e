//! From when until when a signature is valid (RFC 4034 §3.1.5). Times are in seconds modulo 2³², so only their
//! order counts.

use crate::wire::has_reached;

/// From when until when a signature is valid.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Span {
    /// The first second.
    pub from: u32,
    /// The last.
    pub until: u32,
}

impl Span {
    /// Whether a time is in it.
    pub fn contains(&self, now: u32) -> bool {
        has_reached(now, self.from) && has_reached(self.until, now)
    }

    /// Seconds left at a time, negative when it has ended.
    pub fn seconds_left(&self, now: u32) -> i32 {
        self.until.wrapping_sub(now).cast_signed()
    }

    /// When a quarter of it is left.
    pub fn last_quarter(&self) -> u32 {
        self.until.wrapping_sub(self.until.wrapping_sub(self.from) / 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_round() {
        let span = Span { from: u32::MAX - 99, until: 300 };
        assert!(span.contains(u32::MAX) && span.contains(0) && span.contains(300));
        assert!(!span.contains(301) && !span.contains(u32::MAX - 100));
        assert_eq!(span.seconds_left(u32::MAX), 301);
        assert_eq!(span.seconds_left(310), -10);
        assert_eq!(span.last_quarter(), 200);
    }
}
