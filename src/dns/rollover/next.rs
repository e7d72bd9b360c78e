//! The machine's judgement: what each place of a key set waits for now, or the step that is due there. Total
//! and idempotent: the same set, policy, facts and time give the same answer, and a step is taken only when
//! whoever asked puts its key set in place of this one.

use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::key::KeyId;
use super::policy::Policy;
use super::set::{KeyNeed, KeySet};
use super::ttl::{HELD_MAX_S, held_max_s};

/// How long a key that is of no use any more stays in the set: its files can be looked at until then.
pub(super) const KEPT_S: u64 = 30 * 86_400;

//------------ Next ----------------------------------------------------------

/// What is to be done now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Next {
    /// Nothing.
    Wait {
        /// When to ask again at the latest; none = only facts or commands move anything.
        until: Option<u64>,
        /// Whether the DS at the parent matters until then.
        for_ds: bool,
    },
    /// A step.
    Step(Box<Step>),
    /// Keys must be made, kept and handed to [`KeySet::start`].
    NeedKeys(Vec<KeyNeed>),
}

/// A step of the machine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// What it does.
    pub act: Act,
    /// The key set after it.
    pub set: KeySet,
}

/// The places at which something can be waited for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Between the zone and its parent.
    Parent,
    /// The roll of the algorithm.
    Algorithm,
    /// The roll of entry keys.
    Entry,
    /// The roll of zone keys.
    Zone,
    /// The beginning of a roll.
    Start,
}

/// A roll that begins with new keys.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Of all keys, to the policy's algorithm.
    Algorithm,
    /// Of the entry keys.
    Entry,
    /// Of the zone keys.
    Zone,
    /// Of the entry keys; one of them may be in wrong hands.
    EntryInEmergency,
    /// Of the zone keys; one of them may be in wrong hands.
    ZoneInEmergency,
    /// Of the one key that signs everything; it may be in wrong hands.
    CskInEmergency,
}

/// What a step does.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Notes a TTL.
    NoteTtl,
    /// Notes that the parent has a DS.
    NoteDs,
    /// All caches have signed data: the parent may have the DS.
    WantDs,
    /// The parent has the DS.
    Secure,
    /// The DS are gone from the parent.
    DsGone,
    /// A DS that was gone from the parent is back.
    DsBack,
    /// Nothing is signed any more.
    Unsign,
    /// A roll begins.
    Begin,
    /// The new signatures are all there.
    Presigned,
    /// The new keys are published.
    Publish,
    /// All caches have the new keys: the parent is to exchange the DS.
    ExchangeDs,
    /// The parent has exchanged the DS.
    DsExchanged,
    /// The new key signs.
    Switch,
    /// All is signed by the new key.
    Switched,
    /// The old keys are not published any more.
    Withdraw,
    /// A roll is at its end.
    End,
    /// Keys removed long ago are forgotten.
    Forget,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::NoteTtl,
        Self::NoteDs,
        Self::WantDs,
        Self::Secure,
        Self::DsGone,
        Self::DsBack,
        Self::Unsign,
        Self::Begin,
        Self::Presigned,
        Self::Publish,
        Self::ExchangeDs,
        Self::DsExchanged,
        Self::Switch,
        Self::Switched,
        Self::Withdraw,
        Self::End,
        Self::Forget,
    ];

    /// The word for it in translations.
    pub fn word(self) -> &'static str {
        match self {
            Self::NoteTtl => "note-ttl",
            Self::NoteDs => "note-ds",
            Self::WantDs => "want-ds",
            Self::Secure => "secure",
            Self::DsGone => "ds-gone",
            Self::DsBack => "ds-back",
            Self::Unsign => "unsign",
            Self::Begin => "begin",
            Self::Presigned => "presigned",
            Self::Publish => "publish",
            Self::ExchangeDs => "exchange-ds",
            Self::DsExchanged => "ds-exchanged",
            Self::Switch => "switch",
            Self::Switched => "switched",
            Self::Withdraw => "withdraw",
            Self::End => "end",
            Self::Forget => "forget",
        }
    }
}

impl std::fmt::Display for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoteTtl => "a TTL changed",
            Self::NoteDs => "the parent has a DS",
            Self::WantDs => "all caches have signed data: the parent is asked for the DS",
            Self::Secure => "the parent has the DS: the zone is secure",
            Self::DsGone => "the DS is gone from the parent",
            Self::DsBack => "the parent's DS changed back",
            Self::Unsign => "the zone is unsigned",
            Self::Begin => "a key rollover begins",
            Self::Presigned => "all is signed by the new keys too",
            Self::Publish => "the new keys are published",
            Self::ExchangeDs => {
                "all caches have the new key: the parent is asked to exchange the DS"
            }
            Self::DsExchanged => "the parent has exchanged the DS",
            Self::Switch => "the new key signs the zone",
            Self::Switched => "all is signed by the new key",
            Self::Withdraw => "the old keys are not published any more",
            Self::End => "a key rollover is finished: the old key is gone",
            Self::Forget => "keys removed long ago are forgotten",
        })
    }
}

/// What caches must have run out of.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cached {
    /// DNSKEY RRsets.
    Keys,
    /// Data and signatures.
    Data,
    /// The DS at the parent.
    Ds,
    /// Keys, data and signatures.
    KeysAndData,
}

/// Why nothing happens at a place yet.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Resolvers may hold what was served before.
    Caches {
        /// What.
        of: Cached,
        /// Until when.
        until: u64,
    },
    /// The parent must change its DS.
    Ds {
        /// Keys whose DS should be there.
        wanted: Vec<KeyId>,
        /// Keys whose DS should not be there any more.
        unwanted: Vec<KeyId>,
        /// Servers that answered and lack one.
        missing_at: Vec<String>,
        /// Servers that still have one that should be gone.
        still_at: Vec<String>,
        /// Servers that gave no usable answer.
        silent: Vec<String>,
        /// Whether the parent's servers are known at all.
        is_known: bool,
    },
    /// The zone must be signed whole by other keys.
    Signing,
    /// A person's word for the step that is due.
    Word(Act),
    /// Keys that are not made here must be imported.
    Import(Vec<KeyNeed>),
    /// Nothing: the step is due.
    Due(Act),
    /// Keys are being made.
    NewKeys(Vec<KeyNeed>),
    /// The life of keys.
    Life {
        /// The keys.
        keys: Vec<KeyId>,
        /// Its end, with which their roll begins.
        until: u64,
    },
    /// The time of the last step, which the clock is behind.
    Clock {
        /// That time.
        until: u64,
    },
}

impl Why {
    /// The time that is waited for.
    pub fn until(&self) -> Option<u64> {
        match self {
            Self::Caches { until, .. } | Self::Life { until, .. } | Self::Clock { until } => {
                Some(*until)
            }
            _ => None,
        }
    }
}

/// What one place says.
pub(super) enum Verdict {
    /// A step is due.
    Ready(Act, Box<KeySet>),
    /// Keys must be made for a roll.
    Need(Start, Vec<KeyNeed>),
    /// Nothing yet.
    Wait(Why),
    /// Nothing before a time, and nothing to tell.
    Later(u64),
}

//------------ Judgement -----------------------------------------------------

impl KeySet {
    /// What is to be done now. Ask again after each step until it says to wait.
    pub fn next(&self, policy: &Policy, facts: &Facts, now: u64) -> Next {
        let (mut until, mut for_ds) = (None::<u64>, false);
        let mut later = |time: u64| until = Some(until.map_or(time, |until| until.min(time)));
        for (_, verdict) in self.verdicts(policy, facts, now) {
            match verdict {
                Verdict::Ready(act, set) => {
                    return Next::Step(Box::new(Step { act, set: *set }));
                }
                Verdict::Need(_, needs) => return Next::NeedKeys(needs),
                Verdict::Wait(why) => {
                    // Even a DS that is exchanged is watched until caches have run out of the old one.
                    for_ds |= matches!(why, Why::Ds { .. } | Why::Caches { of: Cached::Ds, .. });
                    why.until().into_iter().for_each(&mut later);
                }
                Verdict::Later(time) => later(time),
            }
        }
        Next::Wait { until, for_ds }
    }

    /// What every place says, in the order in which steps are taken; a word that is missing counts.
    pub(super) fn verdicts(
        &self,
        policy: &Policy,
        facts: &Facts,
        now: u64,
    ) -> Vec<(Place, Verdict)> {
        if now < self.touched {
            return vec![(Place::Parent, Verdict::Wait(Why::Clock { until: self.touched }))];
        }
        if let Some(set) = self.with_ttls(policy, facts, now) {
            return vec![(Place::Parent, Verdict::Ready(Act::NoteTtl, Box::new(set)))];
        }
        let places = [
            (Place::Parent, self.parent_verdict(policy, facts, now)),
            (Place::Algorithm, self.algorithm_verdict(policy, facts, now)),
            (Place::Entry, self.entry_verdict(policy, facts, now)),
            (Place::Zone, self.zone_verdict(policy, facts, now)),
        ];
        let begins = self.start_verdicts(policy, now).into_iter().map(|it| (Place::Start, it));
        let places = places.into_iter().filter_map(|(place, it)| Some((place, it?)));
        let forget = self.forget_verdict(now).map(|it| (Place::Parent, it));
        let all = places.chain(begins).chain(forget);
        all.map(|(place, verdict)| (place, self.with_word(place, verdict, policy))).collect()
    }

    /// The verdict, or that a person's word is missing for it, or keys that are not made here.
    fn with_word(&self, place: Place, verdict: Verdict, policy: &Policy) -> Verdict {
        let is_free = !policy.manual || self.words.contains(&place);
        match verdict {
            Verdict::Need(start, needs) => {
                if !is_free && !self.asked.contains(&start) {
                    Verdict::Wait(Why::Word(Act::Begin))
                } else if needs.iter().any(|need| !need.algorithm.can_generate()) {
                    Verdict::Wait(Why::Import(needs))
                } else {
                    Verdict::Need(start, needs)
                }
            }
            Verdict::Ready(act, set)
                if !is_free
                    && !self.is_urgent(place)
                    && self.changes_zone(policy, &set, policy) =>
            {
                Verdict::Wait(Why::Word(act))
            }
            other => other,
        }
    }

    /// Whether a roll is an emergency, which waits for no word.
    pub(super) fn is_urgent(&self, place: Place) -> bool {
        match place {
            Place::Parent | Place::Start => false,
            Place::Algorithm => self.algorithm_roll.as_ref().is_some_and(|roll| roll.emergency),
            Place::Entry => self.entry_roll.as_ref().is_some_and(|roll| roll.emergency),
            Place::Zone => self.zone_roll.as_ref().is_some_and(|roll| roll.emergency),
        }
    }

    /// Whether a zone signed by `other` and its policy differs from one signed by this set and its own.
    pub fn changes_zone(&self, policy: &Policy, other: &Self, of_other: &Policy) -> bool {
        self.is_unsigned() != other.is_unsigned()
            || self.published() != other.published()
            || self.key_signers() != other.key_signers()
            || self.zone_signers() != other.zone_signers()
            || self.cds(policy) != other.cds(of_other)
    }

    /// The set with the TTLs as they are now, if they are others.
    fn with_ttls(&self, policy: &Policy, facts: &Facts, now: u64) -> Option<Self> {
        let mut ttls = self.ttls;
        let zone = facts.max_zone_ttl.max(policy.dnskey_ttl);
        let (most, propagation_s) = (held_max_s(policy), policy.propagation_s);
        let mut is_new = ttls.dnskey.note(policy.dnskey_ttl, most, propagation_s, now);
        is_new |= ttls.zone.note(zone, most, propagation_s, now);
        if let Some(ttl) = facts.parents.ttl {
            is_new |= ttls.ds.note(ttl, HELD_MAX_S, propagation_s, now);
        }
        (is_new && !self.is_unsigned()).then(|| self.after(now, |set| set.ttls = ttls))
    }

    /// The verdict that a step is due, which changes the set as said.
    pub(super) fn ready(
        &self,
        place: Place,
        act: Act,
        now: u64,
        change: impl FnOnce(&mut Self),
    ) -> Verdict {
        let set = self.after(now, |set| {
            change(set);
            set.words.retain(|word| *word != place);
        });
        Verdict::Ready(act, Box::new(set))
    }

    /// Forgets keys that were removed long ago.
    fn forget_verdict(&self, now: u64) -> Option<Verdict> {
        let first = self.keys.iter().filter_map(|key| key.removed).min()?;
        if now < first + KEPT_S {
            return Some(Verdict::Later(first + KEPT_S));
        }
        let is_kept = |removed: Option<u64>| removed.is_none_or(|removed| now < removed + KEPT_S);
        Some(self.ready(Place::Parent, Act::Forget, now, |set| {
            set.keys.retain(|key| is_kept(key.removed));
        }))
    }
}
