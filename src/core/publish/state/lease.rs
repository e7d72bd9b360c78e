//! How long a secondary zone may still be served, counted from the last answer of a primary (RFC
//! 1034 §4.3.5).

use std::time::{Duration, Instant};

use crate::zone::{TimeLeft, Zone};

//------------ Lease ---------------------------------------------------------

/// What is known of the time for which a secondary zone may be served.
#[derive(Debug, Default)]
pub(crate) struct Lease {
    /// When a primary was heard last (epoch ms).
    pub(crate) refreshed_ms: Option<i64>,
    /// The same by a clock that nobody sets; none: not in this run.
    heard: Option<Instant>,
    /// Whether this node heard it itself; what another one heard is written down late.
    pub(crate) is_own: bool,
    /// The same as the database has it.
    written_ms: Option<i64>,
    /// The time that is left, for answers; whoever counts it brings it down.
    pub(crate) left: TimeLeft,
    /// Whether the time is over.
    pub(crate) is_expired: bool,
}

impl Lease {
    /// What the database has.
    pub(crate) fn read(refreshed_ms: Option<i64>) -> Self {
        let left = TimeLeft::default();
        let (written_ms, is_own) = (refreshed_ms, false);
        Self { refreshed_ms, written_ms, is_own, heard: None, left, is_expired: false }
    }

    /// There is nothing any more that was heard. Whoever counts the time left goes on with the same.
    pub(crate) fn begin_anew(&mut self) {
        *self = Self { left: self.left.clone(), ..Self::default() };
    }

    /// A primary was heard.
    pub(crate) fn note(&mut self, zone: &Zone, now_ms: i64, is_written: bool) {
        (self.refreshed_ms, self.is_own) = (Some(now_ms), true);
        self.heard = Some(Instant::now());
        self.left.set(zone.soa().expire);
        if is_written {
            self.written_ms = Some(now_ms);
        }
    }

    /// Takes over what another node wrote down, or this one before a restart, unless something newer is known.
    pub(crate) fn learn(&mut self, refreshed_ms: Option<i64>, is_own: bool, now_ms: i64) {
        // A time to come is none that was.
        let known = self.refreshed_ms.filter(|known| *known <= now_ms);
        if refreshed_ms > known {
            (self.refreshed_ms, self.is_own, self.heard) = (refreshed_ms, is_own, None);
        }
    }

    /// Whether no primary was heard for longer than EXPIRE. Not for this run to say of a zone that was not
    /// refreshed in it: whoever counts the time began with what was left then.
    pub(crate) fn has_run_out(&self, zone: &Zone, now: Instant) -> bool {
        let expire = Duration::from_secs(zone.soa().expire.into());
        self.heard.is_none_or(|heard| now.saturating_duration_since(heard) >= expire)
    }

    /// Whether what the database has is older than this, or a time to come.
    pub(crate) fn is_unwritten(&self, now_ms: i64, rest_ms: i64) -> bool {
        self.written_ms.is_none_or(|written| !(0..rest_ms).contains(&(now_ms - written)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_newer_counts_whoever_heard_it_and_a_time_to_come_does_not() {
        let mut lease = Lease::default();
        for (refreshed_ms, is_own, expected) in [
            (None, false, (None, false)),
            (Some(500), false, (Some(500), false)),
            (Some(600), true, (Some(600), true)),
            (Some(550), false, (Some(600), true)),
            (None, false, (Some(600), true)),
            (Some(700), false, (Some(700), false)),
        ] {
            lease.learn(refreshed_ms, is_own, 1_000);
            assert_eq!((lease.refreshed_ms, lease.is_own), expected);
        }
        // The clock was set back: what was noted by it before is not believed.
        lease.learn(Some(200), false, 300);
        assert_eq!(lease.refreshed_ms, Some(200));
    }
}
