//! What is waited for, as data for people: tables, pages and mails say it in their words.

use serde::Serialize;

use super::facts::Facts;
use super::key::{KeyId, Role};
use super::next::{Place, Verdict, Why};
use super::policy::Policy;
use super::set::KeySet;

/// What one place waits for.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Wait {
    /// The place.
    pub place: Place,
    /// How far it has come; a word for tables and translations.
    pub stage: &'static str,
    /// Since when; 0 if nothing has begun there.
    pub since: u64,
    /// Whether a key may be in wrong hands.
    pub emergency: bool,
    /// The keys that go.
    pub old: Vec<KeyId>,
    /// The keys that come, or are meant.
    pub new: Vec<KeyId>,
    /// What is waited for.
    pub why: Why,
}

impl Wait {
    /// What a person can do so that it goes on, as `gapura key` wants it before and after the zone's name; none
    /// if only time, servers or gapura itself can.
    pub fn command(&self) -> Option<(&'static str, String)> {
        match &self.why {
            Why::Ds { wanted, unwanted, .. } => match (wanted.first(), unwanted.first()) {
                (Some(id), _) => Some(("ds-seen", id.tag.to_string())),
                (None, Some(id)) => Some(("ds-gone", id.tag.to_string())),
                (None, None) => None,
            },
            Why::Word(_) => Some(("confirm", String::new())),
            Why::Import(_) => Some(("import", "FILE…".to_owned())),
            _ => None,
        }
    }

    /// Whether it waits for a person.
    pub fn is_for_person(&self) -> bool {
        matches!(self.why, Why::Ds { .. } | Why::Word(_) | Why::Import(_))
    }
}

impl KeySet {
    /// Everything that is waited for, the parent first.
    pub fn waits(&self, policy: &Policy, facts: &Facts, now: u64) -> Vec<Wait> {
        let verdicts = self.verdicts(policy, facts, now).into_iter();
        let whys = verdicts.filter_map(|(place, verdict)| {
            Some((
                place,
                match verdict {
                    Verdict::Ready(act, _) => Why::Due(act),
                    Verdict::Need(_, needs) => Why::NewKeys(needs),
                    Verdict::Wait(why) => why,
                    Verdict::Later(_) => return None,
                },
            ))
        });
        whys.map(|(place, why)| self.wait(place, why)).collect()
    }

    /// A place with what it waits for.
    fn wait(&self, place: Place, why: Why) -> Wait {
        let emergency = self.is_urgent(place);
        let none = || (Vec::new(), Vec::new());
        let idle = || ("", 0, none());
        let parent = (self.parent.word(), self.parent_since, (Vec::new(), self.ds_wanted()));
        let (stage, since, (old, new)) = match place {
            Place::Parent => parent,
            Place::Start => match &why {
                Why::Life { keys, .. } => ("life", 0, (keys.clone(), Vec::new())),
                _ => ("begin", 0, none()),
            },
            Place::Algorithm => self.algorithm_roll.as_ref().map_or_else(idle, |roll| {
                let new = union(&roll.entry, &roll.zone);
                (roll.stage.word(), roll.since, (union(&self.entry.keys, &self.zone.keys), new))
            }),
            Place::Entry => self.entry_roll.as_ref().map_or_else(idle, |roll| {
                (roll.stage.word(), roll.since, (self.entry.keys.clone(), roll.new.clone()))
            }),
            Place::Zone => self.zone_roll.as_ref().map_or_else(idle, |roll| {
                (roll.stage.word(), roll.since, (self.zone.keys.clone(), roll.new.clone()))
            }),
        };
        Wait { place, stage, since, emergency, old, new, why }
    }

    /// The roles of the keys that roll now.
    pub fn rolling(&self) -> Vec<Role> {
        let mut roles: Vec<Role> =
            self.coming().filter_map(|id| Some(self.key(&id)?.role)).collect();
        roles.sort_unstable();
        roles.dedup();
        roles
    }
}

/// Both lists, each key once.
fn union(one: &[KeyId], other: &[KeyId]) -> Vec<KeyId> {
    let more = other.iter().filter(|id| !one.contains(id));
    one.iter().chain(more).copied().collect()
}
