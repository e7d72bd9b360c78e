//! The script of a demonstration: who works there, and what was asked of them, from `script.toml`.

use std::str::FromStr;

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::people::Role;
use crate::queue::time::{DAY_MS, MINUTE_MS, WIB_OFFSET_MS, day_of, midnight};
use crate::queue::{Application, Calendar, Contact, Kind, Letter, NamingClass, RequestedRecord};
use crate::view::rfc3339;

/// The script that is shipped.
const SCRIPT: &str = include_str!("script.toml");
/// The zone that everything is asked for in.
pub(super) const ZONE: &str = "cirebonkab.go.id.";
/// When a month is closed, counted from midnight: 09.30.
const CLOSED_AT_MS: i64 = 570 * MINUTE_MS;
/// Calendar days that are looked back for working days.
const DAYS_BACK_MAX: i64 = 400;

//------------ Script --------------------------------------------------------

/// The whole script.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    /// Who works there.
    #[serde(rename = "person")]
    pub(super) persons: Vec<Person>,
    /// What was asked of them.
    #[serde(rename = "request")]
    pub(super) requests: Vec<Asked>,
}

/// Somebody with an account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    /// The name to sign in with.
    pub(super) name: String,
    /// Their name.
    pub(super) full_name: String,
    /// Their jabatan.
    pub(super) title: String,
    /// Their role.
    pub(super) role: Role,
    /// Their mailbox.
    pub(super) email: String,
    /// Their pangkat.
    pub(super) rank: Option<String>,
    /// Their NIP.
    pub(super) nip: Option<String>,
}

/// One request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// What is to happen.
    #[serde(default)]
    kind: Kind,
    /// Whether a suspension is lifted.
    #[serde(default)]
    lift: bool,
    /// The class.
    class: NamingClass,
    /// The name below the zone.
    name: String,
    /// Who asks.
    office: String,
    /// Their region code.
    region: Option<String>,
    /// Records, as `TYPE DATA`.
    #[serde(default)]
    records: Vec<String>,
    /// What for.
    purpose: String,
    /// The person responsible.
    contact: Contact,
    /// Days from now until it is to begin.
    starts_in: Option<i64>,
    /// Days from now until it is to end.
    ends_in: Option<i64>,
    /// What happens to it.
    steps: Vec<String>,
}

impl Script {
    /// Reads the script that is shipped.
    pub(super) fn read() -> anyhow::Result<Self> {
        toml::from_str(SCRIPT).context("the script of the demonstration does not read")
    }

    /// All steps in the order of time, each with the place of its request.
    pub(super) fn steps(&self, days: &Days) -> anyhow::Result<Vec<(i64, usize, Step)>> {
        let mut steps = Vec::new();
        for (at, asked) in self.requests.iter().enumerate() {
            for text in &asked.steps {
                let (when, what) = text.split_once(' ').unwrap_or((text, ""));
                let name = || format!("{}: \"{text}\"", asked.name);
                let ms = days.moment(when).with_context(name)?;
                steps.push((ms, at, what.parse().with_context(name)?));
            }
        }
        // Stable: steps of one moment stay as they were written.
        steps.sort_by_key(|(ms, ..)| *ms);
        Ok(steps)
    }
}

impl Asked {
    /// The request as it is sent at a time; `now_ms` is that of the demonstration's end.
    pub(super) fn application(&self, at: usize, sent_ms: i64, now_ms: i64) -> Application {
        let day = |ms: i64| rfc3339(ms + WIB_OFFSET_MS).chars().take(10).collect::<String>();
        let in_days = |days: Option<i64>| days.map(|days| day(now_ms + days * DAY_MS));
        let record = |text: &String| {
            let (rtype, data) = text.split_once(' ').unwrap_or((text, ""));
            RequestedRecord { rtype: rtype.to_owned(), data: data.to_owned(), ttl: 3600 }
        };
        let year = day(sent_ms).chars().take(4).collect::<String>();
        Application {
            kind: self.kind,
            class: self.class,
            name: self.name.clone(),
            records: self.records.iter().map(record).collect(),
            office: self.office.clone(),
            region: self.region.clone(),
            purpose: self.purpose.clone(),
            contact: self.contact.clone(),
            letter: Letter {
                number: format!("500/{:03}/{year}", 37 + at * 7),
                date: day(sent_ms - DAY_MS),
                sha256: None,
            },
            starts: in_days(self.starts_in),
            ends: in_days(self.ends_in),
            lift: self.lift,
            ..Application::blank(ZONE)
        }
    }
}

//------------ Step ----------------------------------------------------------

/// What happens at one moment.
#[derive(Debug)]
pub(super) struct Step {
    /// What is done.
    pub(super) verb: Verb,
    /// What belongs to it.
    pub(super) rest: String,
}

/// What is done.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verb {
    /// Sent in.
    Submit,
    /// Routed.
    Dispose,
    /// Some lines of the sheet saved.
    Check,
    /// Approved.
    Approve,
    /// Signed a second time.
    Sign,
    /// Sent back.
    Return,
    /// Corrected.
    Resubmit,
    /// Turned down.
    Reject,
    /// A party asked.
    Ask,
    /// The party's letter keyed in.
    Confirm,
    /// Given back to the head.
    Release,
    /// Taken back by the applicant.
    Withdraw,
    /// The notice handed over.
    Told,
    /// The status looked at.
    Read,
    /// The name taken down by one officer.
    Suspend,
    /// Agreed to by the other.
    Agree,
}

impl FromStr for Step {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
        let read = Verb::deserialize(serde::de::value::StrDeserializer::new(verb));
        let verb = read.map_err(|error: serde::de::value::Error| anyhow::anyhow!(error))?;
        Ok(Self { verb, rest: rest.to_owned() })
    }
}

//------------ Days ----------------------------------------------------------

/// The working days before today.
pub(super) struct Days {
    /// Their midnights in WIB, the last one first.
    midnights: Vec<i64>,
    /// Now.
    now_ms: i64,
}

impl Days {
    /// Those of a calendar.
    pub(super) fn before(now_ms: i64, calendar: &Calendar) -> Self {
        let today = day_of(now_ms);
        let midnights = (1..DAYS_BACK_MAX).map(|back| midnight(today - back));
        let works = |midnight: &i64| calendar.worked(*midnight, midnight + DAY_MS) > 0;
        Self { midnights: midnights.filter(works).collect(), now_ms }
    }

    /// When the head closes months, each with a moment of that month: on the first working day after it.
    pub(super) fn closings(&self) -> Vec<(i64, i64)> {
        let month = |ms: i64| rfc3339(ms + WIB_OFFSET_MS).chars().take(7).collect::<String>();
        let next = self.midnights.iter().zip(self.midnights.iter().skip(1));
        let first = next.filter(|(day, before)| month(**day) != month(**before));
        first.map(|(day, before)| (day + CLOSED_AT_MS, *before)).collect()
    }

    /// A moment, as the head of the script writes it.
    fn moment(&self, text: &str) -> anyhow::Result<i64> {
        if let Some(minutes) = text.strip_prefix('-') {
            return Ok(self.now_ms - minutes.parse::<i64>()? * MINUTE_MS);
        }
        let parts = text.split_once('/').and_then(|(days, time)| {
            let (hour, minute) = time.split_once(':')?;
            Some((
                days.parse::<usize>().ok()?,
                hour.parse::<i64>().ok()?,
                minute.parse::<i64>().ok()?,
            ))
        });
        let Some((days, hour, minute)) = parts else { bail!("\"{text}\" is no moment") };
        let midnight = days.checked_sub(1).and_then(|at| self.midnights.get(at));
        let midnight = midnight.with_context(|| format!("there is no working day {days}"))?;
        Ok(midnight + (hour * 60 + minute) * MINUTE_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_story_of_the_script_is_told_in_the_order_of_time() {
        let script = Script::read().unwrap();
        // Wednesday 7 January 2026, 23.00 WIB: the working days go back over a change of the year.
        let days = Days::before(1_767_801_600_000, &Calendar::default());
        let steps = script.steps(&days).unwrap();
        let mut texts = 0;
        for (at, asked) in script.requests.iter().enumerate() {
            let times: Vec<i64> = asked
                .steps
                .iter()
                .map(|text| days.moment(text.split(' ').next().unwrap()).unwrap())
                .collect();
            assert!(times.is_sorted(), "{}", asked.name);
            let first = steps.iter().find(|(_, of, _)| *of == at).unwrap();
            assert_eq!(first.2.verb, Verb::Submit, "{}", asked.name);
            texts += asked.steps.len();
        }
        assert_eq!(steps.len(), texts);
        assert!(steps.iter().all(|(ms, ..)| *ms < days.now_ms));
    }
}
