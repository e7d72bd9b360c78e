//! What people have to know or do about the signing of a zone, as data: status, metrics, pages and mail say it
//! in their words.

use std::fmt;

use serde::Serialize;

use crate::rollover::Wait;

//------------ Alarm ---------------------------------------------------------

/// Something about a zone, and since when it is so.
#[derive(Clone, Debug, Serialize)]
pub struct Alarm {
    /// What it is.
    pub trouble: Trouble,
    /// Since when, as far as this run knows, in milliseconds since 1970.
    pub since_ms: i64,
}

/// What can be the matter.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The zone cannot be signed, or is not signed anew: what is served stays, until its signatures end.
    Stopped {
        /// Why, and what to do.
        why: String,
    },
    /// Signatures end soon, or have ended.
    SignaturesEnd {
        /// When the first of them ends, in seconds since 1970.
        at: i64,
    },
    /// These servers of the parent have DS records, and none of them fits a key of the zone: resolvers that
    /// validate answer SERVFAIL.
    DsMismatch {
        /// The servers.
        servers: Vec<String>,
        /// The DS records.
        ds: Vec<String>,
    },
    /// The parent had a DS record, and these servers have none: resolvers do not validate the zone.
    DsMissing {
        /// The servers.
        servers: Vec<String>,
    },
    /// The policy does not fit the zone.
    Policy {
        /// What is wrong, and what to do.
        why: String,
    },
    /// A person has to do something before the keys go on.
    Waits(Box<Wait>),
}

impl Trouble {
    /// All words for troubles.
    pub const WORDS: [&str; 6] =
        ["stopped", "signatures-end", "ds-mismatch", "ds-missing", "policy", "waits"];

    /// The word for it in metrics and logs: one of [`Self::WORDS`].
    pub fn word(&self) -> &'static str {
        match self {
            Self::Stopped { .. } => "stopped",
            Self::SignaturesEnd { .. } => "signatures-end",
            Self::DsMismatch { .. } => "ds-mismatch",
            Self::DsMissing { .. } => "ds-missing",
            Self::Policy { .. } => "policy",
            Self::Waits(_) => "waits",
        }
    }

    /// Whether something is wrong. Otherwise somebody is only waited for.
    pub fn is_wrong(&self) -> bool {
        !matches!(self, Self::Waits(_))
    }

    /// Whether it is the same trouble, though perhaps in other words: it began when the other began.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Waits(one), Self::Waits(other)) => {
                (one.place, one.stage, &one.new) == (other.place, other.stage, &other.new)
            }
            (one, other) => one.word() == other.word(),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped { why } | Self::Policy { why } => f.write_str(why),
            Self::SignaturesEnd { .. } => f.write_str(
                "signatures are near their end or have ended, and were not made anew: see what is said beside \
                 this, and the log",
            ),
            Self::DsMismatch { servers, ds } => write!(
                f,
                "the DS at the parent ({}; at {}) fits no key of the zone, so resolvers that validate answer \
                 SERVFAIL: send the parent the lines of `gapura key ds`",
                ds.join("; "),
                servers.join(", ")
            ),
            Self::DsMissing { servers } => write!(
                f,
                "the parent has no DS any more (at {}), so nobody validates the zone: send the parent the lines \
                 of `gapura key ds`",
                servers.join(", ")
            ),
            Self::Waits(wait) => match wait.command() {
                Some((command, _)) => write!(
                    f,
                    "a key rollover waits for a person (`gapura key list` says for what; then `gapura key \
                     {command}`)"
                ),
                None => f.write_str("a key rollover waits"),
            },
        }
    }
}

//------------ What is news --------------------------------------------------

/// How the troubles of a zone changed.
#[derive(Clone, Debug, Default)]
pub(super) struct News {
    /// Those that are new, or that were told for the last time long ago.
    pub(super) told: Vec<Alarm>,
    /// Words of those that are over.
    pub(super) over: Vec<&'static str>,
}

/// How often the same trouble is logged, in milliseconds.
const REMINDER_MS: i64 = 86_400_000;

/// The alarms of a zone, and when each was logged.
#[derive(Clone, Debug, Default)]
pub(super) struct Alarms(Vec<(Alarm, i64)>);

impl Alarms {
    /// The alarms.
    pub(super) fn all(&self) -> Vec<Alarm> {
        self.0.iter().map(|(alarm, _)| alarm.clone()).collect()
    }

    /// Puts these troubles in the place of those before. A clock that was set back reminds of nothing.
    pub(super) fn set(&mut self, troubles: Vec<Trouble>, now_ms: i64) -> News {
        let mut before = std::mem::take(&mut self.0);
        let mut news = News::default();
        for trouble in troubles {
            let known = before.iter().position(|(alarm, _)| alarm.trouble.is_like(&trouble));
            let (since_ms, told_ms) = match known.map(|at| before.swap_remove(at)) {
                Some((alarm, told_ms)) => (alarm.since_ms, told_ms),
                None => (now_ms, i64::MIN),
            };
            let alarm = Alarm { trouble, since_ms };
            let is_due = now_ms.saturating_sub(told_ms) >= REMINDER_MS;
            if is_due {
                news.told.push(alarm.clone());
            }
            self.0.push((alarm, if is_due { now_ms } else { told_ms }));
        }
        news.over.extend(before.iter().map(|(alarm, _)| alarm.trouble.word()));
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_told_once_and_again_after_a_day_and_its_end_is_told_too() {
        let stopped = |why: &str| Trouble::Stopped { why: why.to_owned() };
        let mut alarms = Alarms::default();
        let news = alarms.set(vec![stopped("no key"), Trouble::SignaturesEnd { at: 9 }], 1_000);
        assert_eq!((news.told.len(), news.over.len()), (2, 0));
        let news = alarms.set(vec![Trouble::SignaturesEnd { at: 8 }, stopped("no disk")], 2_000);
        assert!(news.told.is_empty(), "the same in other words");
        let now = alarms.all();
        assert_eq!((now[1].since_ms, now[1].trouble.to_string().as_str()), (1_000, "no disk"));
        let news = alarms.set(vec![stopped("no disk")], 1_000 + REMINDER_MS);
        assert_eq!((news.told.len(), news.over), (1, vec!["signatures-end"]));
        assert_eq!(news.told[0].since_ms, 1_000);
        assert_eq!(alarms.set(Vec::new(), 0).over, ["stopped"]);
        assert!(alarms.all().is_empty());
    }
}
