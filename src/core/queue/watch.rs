//! The watch over the targets of live names (docs/procedure.md, "Targets are watched"): how often each is
//! looked at, and what follows when one does not answer or could be claimed by a stranger.
//!
//! ```text
//! up ─down─► strike 1 ─24 h─► strike 2 ─7 days─► strike 3        an event ─► owner told ─► asked for
//! up ─claimable─► seen once ─24 h─► urgent
//!      any of them ─up─► mended, from the beginning
//! ```
//! Pure: whoever looks says what was seen and when. What nobody could see, because we were cut off, is
//! no sight and is not handed in.

use super::named::named;
use super::time::DAY_MS;
use crate::digest::sha256;

/// Between two looks at a name whose targets are names outside.
pub const NAMES_EVERY_MS: i64 = 7 * DAY_MS;
/// Between two looks at a name with nothing but addresses.
pub const ADDRESSES_EVERY_MS: i64 = 30 * DAY_MS;
/// From the first strike to the second, and between two looks at a name with strikes.
const AGAIN_MS: i64 = DAY_MS;
/// From the second strike to the third.
const GRACE_MS: i64 = 7 * DAY_MS;

named! {
    /// What a look at the targets of a name found.
    pub enum Sight {
        /// All of them answer, or are not looked at beyond DNS.
        Up = "up",
        /// One does not answer.
        Down = "down",
        /// One answers that nobody has set it up: whoever does owns the name.
        Claimable = "claimable",
    }
}

named! {
    /// What a look leads to.
    pub enum Warning {
        /// Strike 1: on record.
        Down = "down",
        /// Strike 2: the owner is told.
        StillDown = "still_down",
        /// Strike 3: a suspension is asked for.
        Lost = "lost",
        /// A stranger could claim it: on record, looked at again in a day.
        Claimable = "claimable",
        /// It could be claimed a day ago, too: officers must act at once.
        Urgent = "urgent",
        /// It answers again.
        Mended = "mended",
    }
}

//------------ Watch ---------------------------------------------------------

/// What is held against a name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Watch {
    /// Strikes, 0 to 3.
    pub strikes: u32,
    /// When the last strike was, epoch milliseconds.
    pub struck: Option<i64>,
    /// Since when something is wrong, epoch milliseconds.
    pub since: Option<i64>,
    /// When it was first seen claimable, epoch milliseconds.
    pub claimable: Option<i64>,
    /// Whether officers must act at once.
    pub urgent: bool,
}

impl Watch {
    /// Whether anything is held against the name.
    pub fn is_clear(&self) -> bool {
        self.strikes == 0 && self.claimable.is_none()
    }

    /// Whether the owner has been told.
    pub fn is_told(&self) -> bool {
        self.strikes >= 2 || self.urgent
    }

    /// Takes a sight in; what it leads to, if anything.
    pub fn see(&mut self, sight: Sight, now: i64) -> Option<Warning> {
        // Times written by a clock that was ahead begin anew.
        for time in [&mut self.struck, &mut self.since, &mut self.claimable] {
            *time = time.map(|at| at.min(now));
        }
        match sight {
            Sight::Up => {
                let was_clear = self.is_clear();
                *self = Self::default();
                (!was_clear).then_some(Warning::Mended)
            }
            Sight::Claimable => self.claimable_at(now),
            Sight::Down => {
                if !self.urgent {
                    self.claimable = None;
                }
                self.down_at(now)
            }
        }
    }

    /// A stranger could claim a target.
    fn claimable_at(&mut self, now: i64) -> Option<Warning> {
        self.since = self.since.or(Some(now));
        let Some(first) = self.claimable else {
            self.claimable = Some(now);
            return Some(Warning::Claimable);
        };
        if self.urgent || now - first < AGAIN_MS {
            return None;
        }
        self.urgent = true;
        Some(Warning::Urgent)
    }

    /// A target does not answer.
    fn down_at(&mut self, now: i64) -> Option<Warning> {
        self.since = self.since.or(Some(now));
        let age = now - self.struck.unwrap_or(now);
        let warning = match self.strikes {
            0 => Warning::Down,
            1 if age >= AGAIN_MS => Warning::StillDown,
            2 if age >= GRACE_MS => Warning::Lost,
            _ => return None,
        };
        self.strikes += 1;
        self.struck = Some(now);
        Some(warning)
    }

    /// When the suspension is asked for if nothing answers until then, epoch milliseconds.
    pub fn lost_at(&self) -> Option<i64> {
        self.struck.filter(|_| self.strikes == 2).map(|at| at + GRACE_MS)
    }

    /// When to look next, for a name that is looked at `every` so often.
    pub fn next(&self, name: &str, every: i64, now: i64) -> i64 {
        if self.is_clear() {
            return next_slot(name, every, now);
        }
        let again = self.claimable.filter(|_| !self.urgent).map(|at| at + AGAIN_MS);
        let second = self.struck.filter(|_| self.strikes == 1).map(|at| at + AGAIN_MS);
        let soonest = [again, second, self.lost_at(), Some(now + AGAIN_MS)];
        let soonest = soonest.into_iter().flatten().filter(|at| *at > now).min();
        soonest.unwrap_or(now + AGAIN_MS)
    }
}

/// The next turn of a name: each has its own moment in the period, so that looks are spread over it and a
/// restart moves none.
pub fn next_slot(name: &str, every: i64, now: i64) -> i64 {
    let hash = sha256(name).iter().take(7).fold(0, |sum, octet| sum << 8 | i64::from(*octet));
    now + 1 + (hash - now - 1).rem_euclid(every)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An hour.
    const HOUR: i64 = DAY_MS / 24;
    /// Some Monday.
    const START: i64 = 1_795_395_600_000;

    /// Looks whenever it is time, for so many days; what each look led to, in hours since the start.
    fn ladder(days: i64, sight: impl Fn(i64) -> Sight) -> Vec<(i64, Warning)> {
        let (mut watch, mut now, mut found) = (Watch::default(), START, Vec::new());
        while now <= START + days * DAY_MS {
            if let Some(warning) = watch.see(sight(now - START), now) {
                found.push(((now - START) / HOUR, warning));
            }
            now = watch.next("a.example.", NAMES_EVERY_MS, now);
        }
        found
    }

    #[test]
    fn a_dead_target_has_its_three_strikes_on_time_and_once() {
        let found = ladder(60, |_| Sight::Down);
        let day = 24;
        let wanted = [(0, Warning::Down), (day, Warning::StillDown), (8 * day, Warning::Lost)];
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_target_that_answers_in_between_begins_anew() {
        let is_up = |at: i64| (3 * DAY_MS..5 * DAY_MS).contains(&at);
        let found = ladder(9, |at| if is_up(at) { Sight::Up } else { Sight::Down });
        let kinds: Vec<Warning> = found.iter().map(|(_, warning)| *warning).collect();
        assert_eq!(kinds[..3], [Warning::Down, Warning::StillDown, Warning::Mended]);
        assert!(!kinds.contains(&Warning::Lost), "{kinds:?}");
    }

    #[test]
    fn a_claimable_target_is_urgent_when_it_still_is_a_day_later() {
        let found = ladder(20, |_| Sight::Claimable);
        assert_eq!(found, [(0, Warning::Claimable), (24, Warning::Urgent)]);
        let once = ladder(5, |at| if at == 0 { Sight::Claimable } else { Sight::Up });
        assert_eq!(once, [(0, Warning::Claimable), (24, Warning::Mended)]);
    }

    #[test]
    fn a_look_too_early_is_no_strike_and_a_clock_put_back_delays() {
        let mut watch = Watch::default();
        assert_eq!(watch.see(Sight::Down, START), Some(Warning::Down));
        assert_eq!(watch.see(Sight::Down, START + HOUR), None);
        assert_eq!(watch.see(Sight::Down, START - 9 * DAY_MS), None, "the clock was put back");
        let next = watch.next("a.", NAMES_EVERY_MS, START - 9 * DAY_MS);
        assert_eq!(next, START - 8 * DAY_MS);
        assert_eq!(watch.see(Sight::Down, next), Some(Warning::StillDown));
    }

    #[test]
    fn two_thousand_names_are_spread_over_the_week_and_keep_their_moment() {
        let mut days = [0_u32; 7];
        let mut hours = [0_u32; 24];
        for number in 0..2_000 {
            let name = format!("desa-{number}.desa.cirebonkab.go.id.");
            let at = next_slot(&name, NAMES_EVERY_MS, START);
            assert!(at > START && at <= START + NAMES_EVERY_MS);
            assert_eq!(next_slot(&name, NAMES_EVERY_MS, at), at + NAMES_EVERY_MS);
            assert_eq!(next_slot(&name, NAMES_EVERY_MS, at - HOUR), at);
            days[usize::try_from((at - START - 1) / DAY_MS).unwrap()] += 1;
            hours[usize::try_from((at - START - 1) / HOUR % 24).unwrap()] += 1;
        }
        assert!(days.iter().all(|count| (200..400).contains(count)), "{days:?}");
        assert!(hours.iter().all(|count| (40..140).contains(count)), "{hours:?}");
    }
}
