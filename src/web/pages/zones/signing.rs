//! How a zone is signed, for the administrator: its keys, what is waited for, and the line that has to go to the
//! registry.

use super::span;
use crate::publish::SigningState;
use crate::rollover::{Act, Cached, Facts, KeyId, Parent, Wait, Why};
use crate::signer::{Alarm, Trouble};
use crate::wire::Name;
use crate::words::Words;

/// How a zone is signed, in words.
#[derive(Default)]
pub(super) struct SigningPart {
    /// Facts.
    pub(super) facts: Vec<(String, String)>,
    /// What is wrong.
    pub(super) alarms: Vec<String>,
    /// Keys: role, algorithm, tag, state, since.
    pub(super) keys: Vec<[String; 5]>,
    /// What is waited for.
    pub(super) waits: Vec<String>,
    /// What is to be done with the lines.
    pub(super) ask: String,
    /// DS records to copy.
    pub(super) lines: Vec<String>,
}

/// What there is to say of a zone that gapura signs, or whose signatures by another signer are in trouble; none
/// of others.
pub(super) fn part(
    t: Words,
    (zone, state): (&Name, &SigningState),
    (facts, alarms): (&Facts, &[Alarm]),
    now: u64,
) -> Option<SigningPart> {
    let alarms: Vec<String> =
        alarms.iter().filter_map(|alarm| trouble_words(t, &alarm.trouble)).collect();
    let Some((policy, keys)) = &state.current else {
        let is_to_say = !alarms.is_empty();
        return is_to_say.then(|| SigningPart { alarms, ..SigningPart::default() });
    };
    let (parent, since) = keys.parent();
    let mut shown = vec![
        (t.s("zones-policy"), format!("{} ({})", policy.name, policy.algorithm)),
        (t.s("zones-parent"), t.s(&format!("zones-parent-{}", parent.word()))),
        (t.s("zones-since"), moment(t, since)),
    ];
    if state.wanted.is_none() && parent != Parent::Unsigned {
        shown.push((t.s("zones-wanted"), t.s("zones-wanted-unsigned")));
    }
    let rows = keys.keys().iter().map(|key| {
        [
            t.s(&format!("zones-role-{}", key.role.word())),
            key.id.algorithm.to_string(),
            key.id.tag.to_string(),
            t.s(&format!("zones-key-{}", keys.state(&key.id).word())),
            moment(t, key.removed.or(key.published).unwrap_or(key.since)),
        ]
    });
    let waits = keys.waits(policy, facts, now);
    let is_asked = waits.iter().any(wants_ds) || !alarms.is_empty();
    let lines = if is_asked { state.ds_lines(zone) } else { Vec::new() };
    Some(SigningPart {
        facts: shown,
        alarms,
        keys: rows.collect(),
        waits: waits.iter().map(|wait| wait_words(t, wait, now)).collect(),
        ask: match (keys.is_leaving(), lines.is_empty()) {
            (true, _) => t.s("zones-ds-remove"),
            (false, false) => t.s("zones-ds-send"),
            (false, true) => String::new(),
        },
        lines,
    })
}

/// What is wrong, in words; none of what only waits.
fn trouble_words(t: Words, trouble: &Trouble) -> Option<String> {
    let about = |id: &str, value: &str| t.a(&format!("zones-alarm-{id}"), "about", value);
    let word = trouble.word();
    Some(match trouble {
        Trouble::Waits(_) => return None,
        Trouble::Stopped { why } | Trouble::Policy { why } => about(word, why),
        Trouble::SignaturesEnd { at } => about(word, &t.date_time(at.saturating_mul(1000))),
        Trouble::DsMismatch { servers, .. } | Trouble::DsMissing { servers } => {
            about(word, &servers.join(", "))
        }
    })
}

/// Whether the parent is to have another DS.
fn wants_ds(wait: &Wait) -> bool {
    matches!(&wait.why, Why::Ds { wanted, .. } if !wanted.is_empty())
}

/// What one place waits for.
fn wait_words(t: Words, wait: &Wait, now: u64) -> String {
    let mut words = vec![why_words(t, &wait.why, now)];
    if let Why::Ds { missing_at, still_at, silent, is_known, .. } = &wait.why {
        let lists = [("missing", missing_at), ("still", still_at), ("silent", silent)];
        for (id, servers) in lists.into_iter().filter(|(_, servers)| !servers.is_empty()) {
            words.push(t.a(&format!("zones-ds-{id}"), "servers", &servers.join(", ")));
        }
        if !is_known {
            words.push(t.s("zones-ds-unknown"));
        }
    }
    if wait.emergency {
        words.push(t.s("zones-emergency"));
    }
    words.join(" ")
}

/// Why something waits, and until when.
fn why_words(t: Words, why: &Why, now: u64) -> String {
    let until = |id: &str, until: u64| {
        let left = t.a("zones-in", "span", &span(t, until.saturating_sub(now)));
        t.with(id, &[("until", &moment(t, until)), ("left", &left)])
    };
    match why {
        Why::Caches { of: Cached::Ds, until: time } => until("zones-wait-ds-cached", *time),
        Why::Caches { until: time, .. } => until("zones-wait-cached", *time),
        Why::Life { until: time, .. } => until("zones-wait-life", *time),
        Why::Clock { until: time } => until("zones-wait-clock", *time),
        Why::Ds { wanted, unwanted, .. } => {
            let (new, old) = (tags(wanted), tags(unwanted));
            let id = match (wanted.is_empty(), unwanted.is_empty()) {
                (true, _) => "zones-wait-ds-gone",
                (false, true) => "zones-wait-ds",
                (false, false) => "zones-wait-ds-exchanged",
            };
            t.with(id, &[("new", &new), ("old", &old)])
        }
        Why::Signing => t.s("zones-wait-signing"),
        Why::Word(act) => t.a("zones-wait-word", "step", &act_words(t, *act)),
        Why::Import(_) => t.s("zones-wait-import"),
        Why::NewKeys(_) => t.s("zones-wait-keys"),
        Why::Due(act) => t.a("zones-wait-due", "step", &act_words(t, *act)),
    }
}

/// A step in words.
fn act_words(t: Words, act: Act) -> String {
    t.s(&format!("zones-step-{}", act.word()))
}

/// Tags in a row.
fn tags(ids: &[KeyId]) -> String {
    ids.iter().map(|id| id.tag.to_string()).collect::<Vec<_>>().join(", ")
}

/// Seconds since 1970 in words.
fn moment(t: Words, seconds: u64) -> String {
    t.date_time(i64::try_from(seconds).unwrap_or(i64::MAX / 1000).saturating_mul(1000))
}
