//! When entries begin to be lost and when they are written again: a line in the daemon's log at both ends,
//! with the number lost.
//!
//! Looked at from outside the writer's thread, which may hang in a system call of a dead disk.

use std::time::{Duration, Instant};

/// How long no line may have been lost before the log is said to be whole again.
const CALM: Duration = Duration::from_secs(2);

/// What was seen of the losses.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// Entries lost, when last looked at.
    seen: u64,
    /// Of them, those that were told.
    told: u64,
    /// The loss that goes on.
    current: Option<Loss>,
}

/// A loss that goes on.
#[derive(Debug)]
struct Loss {
    /// When it was first seen.
    began: Instant,
    /// When entries were last lost.
    grew: Instant,
    /// Why.
    reason: String,
}

/// What is to be told.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Told {
    /// Entries are lost from now on.
    Begun {
        /// Why.
        reason: String,
    },
    /// They are written again.
    Over {
        /// Entries lost.
        lost: u64,
        /// For how long.
        seconds: u64,
    },
}

impl Losses {
    /// Looks at the number of entries lost so far and at what the writer complains of; `too_slow` is the reason while
    /// it complains of nothing.
    pub(super) fn look(
        &mut self,
        dropped: u64,
        trouble: Option<&str>,
        too_slow: &str,
        now: Instant,
    ) -> Option<Told> {
        let grew = dropped > std::mem::replace(&mut self.seen, dropped);
        match &mut self.current {
            None if grew || trouble.is_some() => {
                let reason = trouble.unwrap_or(too_slow).to_owned();
                self.current = Some(Loss { began: now, grew: now, reason: reason.clone() });
                Some(Told::Begun { reason })
            }
            None => None,
            Some(loss) => {
                if grew || trouble.is_some() {
                    loss.grew = now;
                    if let Some(trouble) = trouble {
                        trouble.clone_into(&mut loss.reason);
                    }
                    return None;
                }
                if now.duration_since(loss.grew) < CALM {
                    return None;
                }
                let seconds = now.duration_since(loss.began).as_secs();
                let lost = dropped - std::mem::replace(&mut self.told, dropped);
                self.current = None;
                Some(Told::Over { lost, seconds })
            }
        }
    }

    /// Why entries are lost at present, if they are.
    pub(super) fn reason(&self) -> Option<&str> {
        self.current.as_ref().map(|loss| loss.reason.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_told_at_both_ends_with_its_count() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut losses = Losses::default();
        let begun = |reason: &str| Some(Told::Begun { reason: reason.to_owned() });
        assert_eq!(losses.look(0, None, "slow", at(0)), None);
        assert_eq!(losses.look(5, Some("full"), "slow", at(1)), begun("full"));
        assert_eq!(losses.look(9, Some("full"), "slow", at(2)), None);
        assert_eq!(losses.reason(), Some("full"));
        assert_eq!(losses.look(9, None, "slow", at(3)), None);
        assert_eq!(losses.look(9, None, "slow", at(5)), Some(Told::Over { lost: 9, seconds: 4 }));
        assert_eq!((losses.look(9, None, "slow", at(6)), losses.reason()), (None, None));
        // A writer that hangs complains of nothing.
        assert_eq!(losses.look(12, None, "slow", at(7)), begun("slow"));
        assert_eq!(losses.look(12, None, "slow", at(9)), Some(Told::Over { lost: 3, seconds: 2 }));
    }
}
