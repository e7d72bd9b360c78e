//! The signatures of a zone that was signed elsewhere: gapura cannot renew them, so it warns before they
//! expire, and retries a file that was refused only because of the time.

use std::cmp::Ordering;
use std::time::{Duration, Instant};

use super::{Outcome, Version, ZoneState, error, warning};
use crate::check::{self, Ending, ZoneRule};
use crate::dnssec::Span;
use crate::master::Finding;
use crate::sign;
use crate::zone::Zone;

/// How soon good news, or the same news, are told again: a clock that jumps to and fro must not fill the log.
const CALM: Duration = Duration::from_secs(600);
/// How often bad news that stay are told again.
const REMINDER: Duration = Duration::from_secs(86_400);

//------------ Signatures ----------------------------------------------------

/// What is known of the times of a zone's signatures.
#[derive(Default)]
pub(crate) struct Signatures {
    /// When those that are served end; none of an unsigned zone.
    ending: Option<Ending>,
    /// What was told of that last, and when.
    told: Option<(Level, Instant)>,
    /// When the newest of those that gapura made was made, in seconds modulo 2³².
    newest: Option<u32>,
    /// Those of a refused file that are not valid now, a list for each RRset; empty if it is not refused,
    /// or not by time alone.
    waiting: Vec<Vec<Span>>,
}

/// How far the signatures are.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Level {
    /// More than a quarter of their time is left.
    Fine,
    /// Less is left.
    Soon,
    /// Some begin in the future.
    Ahead,
    /// Some have ended.
    Ended,
}

/// The clock in seconds modulo 2³².
fn seconds(now_ms: i64) -> u32 {
    // RFC 4034 §3.1.5: the times of signatures wrap.
    (now_ms.div_euclid(1000) & 0xffff_ffff) as u32
}

/// How far signatures are that end so.
fn level_of(ending: &Ending, now: u32) -> Level {
    let left = ending.soonest.seconds_left(now);
    let is_soon = left < ending.soonest.seconds_left(ending.soonest.last_quarter());
    match (ending.first.seconds_left(now) < 0, is_soon) {
        (true, _) => Level::Ended,
        (false, true) => Level::Soon,
        (false, false) => Level::Fine,
    }
}

/// Whether a level is to be told, so long after the one that was told last.
fn is_news(level: Level, told: Option<(Level, Duration)>) -> bool {
    let (told, ago) = told.unwrap_or((Level::Fine, Duration::MAX));
    match level.cmp(&told) {
        Ordering::Greater => true,
        Ordering::Equal => level != Level::Fine && ago >= REMINDER,
        Ordering::Less => ago >= CALM,
    }
}

//------------ What is served ------------------------------------------------

impl ZoneState {
    /// Takes a version as the one that is served.
    pub(crate) fn serve(&mut self, version: Version) {
        self.signatures.ending = check::ending(version.served());
        let made = self.signatures.ending.filter(|_| version.signed.is_some());
        self.signatures.newest = made.map(|it| it.newest.wrapping_add(sign::BACKDATED_S));
        self.zone = Some(version.content);
        self.signed = version.signed;
    }

    /// Takes a version in which a few signatures were made at `now_ms`, and none went that was the only one.
    /// The others are not looked at: a promotion into a large zone must not wait for that.
    pub(crate) fn serve_change(&mut self, version: Version, now_ms: i64) {
        if version.signed.is_none() || self.signed.is_none() {
            return self.serve(version);
        }
        self.signatures.newest = Some(seconds(now_ms));
        self.zone = Some(version.content);
        self.signed = version.signed;
    }

    /// How far the signatures that are served are.
    fn level(&self, ending: &Ending, now: u32) -> Level {
        let ahead = self.newest_signature_ahead(now).unwrap_or(0);
        level_of(ending, now).max(if ahead > i64::from(sign::BACKDATED_S) {
            Level::Ahead
        } else {
            Level::Fine
        })
    }

    /// How far the newest signature that gapura made is ahead of `now`, in seconds.
    pub(super) fn newest_signature_ahead(&self, now: u32) -> Option<i64> {
        Some(i64::from(self.signatures.newest?.wrapping_sub(now) as i32))
    }

    /// When the first signature that is served ends, in seconds since 1970.
    pub(crate) fn signatures_end(&self, now_ms: i64) -> Option<i64> {
        let left = self.signatures.ending?.first.seconds_left(seconds(now_ms));
        Some(now_ms.div_euclid(1000).saturating_add(left.into()))
    }

    /// What there is to say about the signatures that are served.
    pub(super) fn signatures_finding(&self, now_ms: i64) -> Option<Finding> {
        let now = seconds(now_ms);
        let ending = self.signatures.ending?;
        let left = ending.first.seconds_left(now);
        let (time, apex) = (rounded(left.unsigned_abs()), &self.source.apex);
        let finding = match self.level(&ending, now) {
            Level::Fine => return None,
            Level::Ahead => {
                let message = format!(
                    "signatures of {apex} begin in the future: validating resolvers answer SERVFAIL for these RRsets"
                );
                let hint = "the clock is or was wrong: correct it, then gapura ctl clock";
                return Some(error("signature-future", message, hint));
            }
            Level::Soon => {
                let message = format!("signatures of {apex} expire, the first in {time}");
                warning(ZoneRule::SignatureSoon.id(), message)
            }
            Level::Ended => {
                let message = format!(
                    "signatures of {apex} expired {time} ago: validating resolvers answer SERVFAIL for it"
                );
                error(ZoneRule::SignatureExpired.id(), message, "")
            }
        };
        let hint = match self.signing {
            Some(_) => {
                format!("`gapura key list {apex}` says what keeps gapura from renewing them")
            }
            None => "sign the zone again and write its file; if the clock is wrong, correct it"
                .to_owned(),
        };
        Some(Finding { hint: Some(hint), ..finding })
    }

    /// Logs what there is to say about the signatures that are served: what got worse at once, the same
    /// once a day, what got better after a while.
    pub(crate) fn watch_signatures(&mut self, now_ms: i64) {
        let Some(ending) = self.signatures.ending else {
            self.signatures.told = None;
            return;
        };
        let level = self.level(&ending, seconds(now_ms));
        let told = self.signatures.told.map(|(told, at)| (told, at.elapsed()));
        if !is_news(level, told) {
            return;
        }
        self.signatures.told = Some((level, Instant::now()));
        match self.signatures_finding(now_ms) {
            Some(finding) if finding.is_error() => {
                tracing::error!("{}", finding.with_hint());
            }
            Some(finding) => tracing::warn!("{}", finding.with_hint()),
            None => {
                tracing::info!(zone = %self.source.apex, "signatures are valid for long enough again")
            }
        }
    }
}

/// A length of time as people say it.
fn rounded(seconds: u32) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

//------------ What waits for its time ---------------------------------------

impl ZoneState {
    /// Notes whether time alone refused a file, and which signatures it is to be tried again for.
    pub(crate) fn note_waiting(
        &mut self,
        outcome: Option<&Outcome>,
        findings: &[Finding],
        file: Option<&Zone>,
        now_ms: i64,
    ) {
        let expired = ZoneRule::SignatureExpired.id();
        let mut errors = findings.iter().filter(|finding| finding.is_error());
        let is_refused = matches!(outcome, Some(Outcome::Refused { .. }));
        let by_time =
            is_refused && errors.clone().count() > 0 && errors.all(|it| it.rule == expired);
        let file = file.filter(|_| by_time);
        self.signatures.waiting =
            file.map_or_else(Vec::new, |zone| check::waiting(zone, seconds(now_ms)));
    }

    /// Whether the time has come for a file that only time has refused.
    pub(crate) fn has_come(&self, now_ms: i64) -> bool {
        let (waiting, now) = (&self.signatures.waiting, seconds(now_ms));
        let is_valid = |list: &Vec<Span>| list.iter().any(|span| span.contains(now));
        !waiting.is_empty() && waiting.iter().all(is_valid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_to_and_fro_neither_fills_nor_silences_the_log() {
        let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3600));
        assert!(is_news(Level::Soon, None) && is_news(Level::Ended, None));
        assert!(!is_news(Level::Fine, None));
        assert!(is_news(Level::Ended, Some((Level::Soon, minute))), "worse is told at once");
        assert!(!is_news(Level::Fine, Some((Level::Ended, minute))), "better after a while");
        assert!(is_news(Level::Fine, Some((Level::Ended, hour))));
        assert!(!is_news(Level::Ended, Some((Level::Ended, hour))));
        assert!(is_news(Level::Ended, Some((Level::Ended, hour * 24))), "once a day");
    }
}
