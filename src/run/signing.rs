//! Zones that gapura signs, as commands and status show them: text and JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};

use super::host::Host;
use super::time::{now_ms, utc};
use crate::metrics::{Family, catalogue as of};
use crate::publish::SigningState;
use crate::rollover::{
    Arrangement, Cached, Denial, Facts, KeyId, KeyNeed, KeySet, Parent, Policy, Wait, Why,
};
use crate::signer::{Alarm, Trouble};
use crate::text::{append, append_line};
use crate::wire::Name;

//------------ Signed --------------------------------------------------------

/// A zone that gapura signs, as of now.
pub(super) struct Signed {
    /// The apex.
    apex: Name,
    /// The policy.
    policy: Arc<Policy>,
    /// Whether the settings still ask for it to be signed.
    is_wanted: bool,
    /// The keys and their rolls.
    keys: KeySet,
    /// What is waited for.
    waits: Vec<Wait>,
    /// The DS that the parent should have.
    pub(super) ds: Vec<String>,
    /// Private keys that cannot be used, and why.
    pub(super) missing: Vec<String>,
    /// When the first signature ends, in seconds since 1970.
    first_end: Option<i64>,
    /// Now, in seconds since 1970.
    now: u64,
}

impl Host {
    /// The signer's facts about a signed zone; an error in words for a zone that gapura does not sign.
    pub(super) fn signing_facts(&self, apex: &Name) -> Result<Facts, String> {
        let state = self.publisher.signing(apex).map_err(|error| error.to_string())?;
        match state.current {
            Some(_) => Ok(self.signer.facts(apex, &state)),
            None => Err(not_signed(apex, state.wanted.is_some())),
        }
    }

    /// The status of a signed zone; an error in words for a zone that gapura does not sign.
    pub(super) fn signed(&self, apex: &Name) -> Result<Signed, String> {
        let state = self.publisher.signing(apex).map_err(|error| error.to_string())?;
        let Some((policy, keys)) = state.current.clone() else {
            return Err(not_signed(apex, state.wanted.is_some()));
        };
        let (ds, facts) = (state.ds_lines(apex), self.signer.facts(apex, &state));
        let SigningState { wanted, missing, first_end, .. } = state;
        let now = u64::try_from(now_ms().div_euclid(1000)).unwrap_or_default();
        let waits = keys.waits(&policy, &facts, now);
        let (apex, is_wanted) = (apex.clone(), wanted.is_some());
        Ok(Signed { apex, policy, is_wanted, keys, waits, ds, missing, first_end, now })
    }
}

/// Says that gapura does not sign a zone, or not yet, and what to do.
fn not_signed(apex: &Name, is_wanted: bool) -> String {
    if is_wanted {
        return format!("{apex} is not signed yet: `gapura ctl status` says why");
    }
    format!("{apex} is not signed by gapura: give its [[zone]] signing = \"default\" and reload")
}

impl Signed {
    /// One line: the policy, and the state of the DS at the parent.
    pub(super) fn headline(&self) -> String {
        let (parent, since) = self.keys.parent();
        let said = match parent {
            Parent::Introducing => "no DS may be at the parent yet",
            Parent::Wanted => "the parent has no DS yet",
            Parent::Secure => "secure: the parent has the DS",
            Parent::Leaving => "going unsigned: the parent must remove the DS",
            Parent::Expiring => "going unsigned: caches still have the DS",
            Parent::Unsigned => "not signed any more",
        };
        let mut text =
            format!("signed by policy {}, {said}, since {}", self.policy.name, time(since));
        if let Some(end) = self.first_end {
            append!(text, "; first signature ends {}", utc(end.saturating_mul(1000)));
        }
        if !self.is_wanted {
            text.push_str("; to be unsigned by the settings");
        }
        text
    }

    /// Says that the DS must not go to the parent yet, and until when; `None` if it may.
    pub(super) fn early(&self) -> Option<String> {
        let is_early = self.keys.parent().0 == Parent::Introducing;
        let first = self.waits.first().and_then(|wait| wait.why.until()).filter(|_| is_early)?;
        Some(format!(
            "too early for the parent: caches may hold unsigned data until {}",
            soon(first, self.now)
        ))
    }

    /// The keys, one per line under a heading.
    pub(super) fn table(&self) -> String {
        let mut text =
            format!("  {:<4}  {:<15}  {:>5}  {:<10}  since\n", "role", "algorithm", "tag", "state");
        for key in self.keys.keys() {
            let since = key.removed.or(key.published).unwrap_or(key.since);
            append_line!(
                text,
                "  {:<4}  {:<15}  {:>5}  {:<10}  {}",
                key.role.word(),
                key.id.algorithm.word(),
                key.id.tag,
                self.keys.state(&key.id).word(),
                time(since)
            );
        }
        text
    }

    /// What the keys wait for, one item per line.
    pub(super) fn wait_lines(&self) -> Vec<String> {
        self.waits.iter().map(|wait| self.wait_line(wait)).collect()
    }

    /// One item that the keys wait for.
    fn wait_line(&self, wait: &Wait) -> String {
        let keys = |ids: &[KeyId]| tags(ids);
        let what = match (wait.new.as_slice(), wait.old.as_slice()) {
            ([], []) => String::new(),
            (new, []) => format!(" (key {})", keys(new)),
            ([], old) => format!(" (key {})", keys(old)),
            (new, old) => format!(" (key {} for {})", keys(new), keys(old)),
        };
        let hurry = if wait.emergency { ", emergency" } else { "" };
        let mut text = format!("{}{what}{hurry}: {}", wait.stage, why_text(&wait.why, self.now));
        if let Some((command, argument)) = wait.command() {
            append!(text, "; then: gapura key {command} {} {argument}", self.apex);
        }
        text.trim_end().to_owned()
    }

    /// All of it for programs.
    pub(super) fn json(&self) -> Value {
        let (parent, since) = self.keys.parent();
        let keys = self.keys.keys().iter().map(|key| {
            json!({
                "id": key.id.to_string(), "role": key.role, "algorithm": key.id.algorithm,
                "tag": key.id.tag, "state": self.keys.state(&key.id), "since": time(key.since),
                "published": key.published.map(time), "removed": key.removed.map(time),
            })
        });
        let waits = self.waits.iter().map(|wait| {
            json!({
                "place": wait.place, "stage": wait.stage, "emergency": wait.emergency,
                "old": tag_list(&wait.old), "new": tag_list(&wait.new), "why": wait.why,
                "until": wait.why.until().map(time), "for_person": wait.is_for_person(),
                "text": self.wait_line(wait),
                "command": wait.command().map(|(command, argument)| {
                    format!("gapura key {command} {} {argument}", self.apex).trim_end().to_owned()
                }),
            })
        });
        json!({
            "policy": policy_json(&self.policy), "wanted": self.is_wanted,
            "parent": { "state": parent.word(), "since": time(since) },
            "keys": keys.collect::<Vec<_>>(), "waits": waits.collect::<Vec<_>>(), "ds": self.ds,
            "missing": self.missing,
            "signatures_end": self.first_end.map(|end| utc(end.saturating_mul(1000))),
        })
    }
}

//------------ Alarms --------------------------------------------------------

impl Host {
    /// What is wrong with the signing of a zone, one item per line; what waits for a person is listed with the waits.
    pub(super) fn signing_alarms(&self, apex: &Name) -> Vec<String> {
        let alarms = self.signer.alarms(apex).into_iter();
        let wrong = alarms.filter(|alarm| alarm.trouble.is_wrong());
        wrong.map(|alarm| alarm.trouble.to_string()).collect()
    }

    /// The same for all zones, as faults, which make zones unreachable now or soon, and warnings.
    pub(super) fn signing_troubles(&self) -> (Vec<String>, Vec<String>) {
        let (mut faults, mut warnings) = (Vec::new(), Vec::new());
        for (zone, alarms) in self.signer.all_alarms() {
            let name = zone.to_string();
            for Alarm { trouble, .. } in alarms {
                let text = trouble.to_string();
                // Texts from publish name the zone already.
                let is_named = text.split([' ', ':', ',', ';']).any(|word| word == name);
                let line = if is_named { text } else { format!("{name}: {text}") };
                match trouble {
                    Trouble::Stopped { .. } | Trouble::DsMismatch { .. } => faults.push(line),
                    Trouble::DsMissing { .. } | Trouble::Policy { .. } | Trouble::Waits(_) => {
                        warnings.push(line);
                    }
                    // The zone's own fault describes its signatures.
                    Trouble::SignaturesEnd { .. } => {}
                }
            }
        }
        (faults, warnings)
    }

    /// Keys and their states, the DS at the parent, and alarms.
    pub(super) fn signing_figures(&self) -> Vec<Family> {
        let mut states = Family::of(&of::KEY_STATE);
        let mut keys = Family::of(&of::SIGNING_KEYS);
        let mut seen = Family::of(&of::DS_SEEN);
        for zone in self.publisher.signed_zones() {
            let current = self.publisher.signing(&zone).ok().and_then(|state| state.current);
            let Some((_, set)) = current else { continue };
            let name = zone.to_string();
            let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
            for key in set.keys() {
                let (role, state) = (key.role.word(), set.state(&key.id).word());
                states.push(&[&name, &key.id.tag.to_string(), role, state], 1.0);
                *counts.entry((role, state)).or_default() += 1;
            }
            for ((role, state), count) in counts {
                keys.count(&[&name, role, state], count);
            }
            let sight = self.signer.sight(&zone).map(|(_, sight)| sight);
            for id in set.ds_wanted() {
                let at_all = sight.as_ref().is_some_and(|it| it.is_at_all(|ds| ds.tag() == id.tag));
                seen.push(&[&name, &id.tag.to_string()], f64::from(at_all));
            }
        }
        let mut troubles = Family::of(&of::SIGNING_ALARM);
        let alarms: BTreeMap<Name, Vec<Alarm>> = self.signer.all_alarms().into_iter().collect();
        let zones: BTreeSet<Name> =
            self.publisher.signed_zones().into_iter().chain(alarms.keys().cloned()).collect();
        for zone in zones {
            let alarms = alarms.get(&zone).into_iter().flatten();
            let told: BTreeSet<&str> = alarms.map(|alarm| alarm.trouble.word()).collect();
            for word in Trouble::WORDS {
                let is_told = f64::from(told.contains(word));
                troubles.push(&[&zone.to_string(), word], is_told);
            }
        }
        vec![states, keys, seen, troubles]
    }
}

//------------ Words ---------------------------------------------------------

/// Why something waits, and until when.
fn why_text(why: &Why, now: u64) -> String {
    match why {
        Why::Caches { of, until } => {
            let what = match of {
                Cached::Keys => "old DNSKEY RRsets",
                Cached::Data => "old data",
                Cached::Ds => "the old DS",
                Cached::KeysAndData => "old keys and data",
            };
            format!("caches may hold {what} until {}", soon(*until, now))
        }
        Why::Ds { .. } => ds_text(why),
        Why::Signing => "the zone is being signed with other keys".to_owned(),
        Why::Word(act) => format!("waits for your confirmation: {act}"),
        Why::Import(needs) => format!(
            "{} must be imported: gapura does not generate keys of this algorithm",
            needs_text(needs)
        ),
        Why::Due(act) => format!("due now: {act}"),
        Why::NewKeys(needs) => format!("{} to be generated now", needs_text(needs)),
        Why::Life { until, .. } => format!("the next rollover starts {}", soon(*until, now)),
        Why::Clock { until } => {
            format!("the clock is behind the last step of {}: correct it", time(*until))
        }
    }
}

/// What the parent is to do.
fn ds_text(why: &Why) -> String {
    let Why::Ds { wanted, unwanted, missing_at, still_at, silent, is_known } = why else {
        return String::new();
    };
    let mut text = match (wanted.as_slice(), unwanted.as_slice()) {
        ([], []) => "the parent must no longer have a DS".to_owned(),
        ([], old) => format!("the parent must no longer have the DS of key {}", tags(old)),
        (new, []) => format!("the parent must have the DS of key {}", tags(new)),
        (new, old) => format!(
            "the parent must have the DS of key {} in place of that of {}",
            tags(new),
            tags(old)
        ),
    };
    if !is_known {
        text.push_str("; its servers cannot be queried from here");
    }
    let lists = [("missing at", missing_at), ("still at", still_at), ("no answer from", silent)];
    for (what, servers) in lists.into_iter().filter(|(_, servers)| !servers.is_empty()) {
        append!(text, "; {what} {}", servers.join(", "));
    }
    text
}

/// Keys that are needed.
fn needs_text(needs: &[KeyNeed]) -> String {
    let one = |need: &KeyNeed| format!("a {} ({})", need.role.word(), need.algorithm);
    needs.iter().map(one).collect::<Vec<_>>().join(" and ")
}

/// Tags in a row.
fn tags(ids: &[KeyId]) -> String {
    tag_list(ids).iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

/// The tags of keys.
fn tag_list(ids: &[KeyId]) -> Vec<u16> {
    ids.iter().map(|id| id.tag).collect()
}

/// Seconds since 1970 as RFC 3339.
fn time(seconds: u64) -> String {
    utc(i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000))
}

/// A time to come, and how far off it is.
fn soon(until: u64, now: u64) -> String {
    let left = match until.saturating_sub(now) {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    };
    format!("{} (in {left})", time(until))
}

/// A policy as the settings write it.
fn policy_json(policy: &Policy) -> Value {
    json!({
        "name": policy.name, "algorithm": policy.algorithm,
        "keys": match policy.arrangement { Arrangement::Csk => "csk", Arrangement::KskZsk => "ksk+zsk" },
        "denial": match policy.denial { Denial::Nsec => "nsec", Denial::Nsec3 => "nsec3" },
        "manual": policy.manual, "cds": policy.cds,
    })
}
