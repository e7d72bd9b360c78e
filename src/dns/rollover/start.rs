//! How rolls begin: when somebody asked, when keys are old, when the policy wants others.

use super::command::Refusal;
use super::facts::Facts;
use super::key::{KeyId, Role};
use super::next::{Act, Place, Start, Verdict, Why};
use super::policy::{Arrangement, Policy};
use super::set::{KeyNeed, KeySet};
use super::stage::{AlgorithmRoll, AlgorithmStage, EntryStage, Parent, Roll, ZoneStage};
use crate::dnssec::Dnskey;

impl KeySet {
    /// What could begin now, and when the next keys will be old.
    pub(super) fn start_verdicts(&self, policy: &Policy, now: u64) -> Vec<Verdict> {
        if !self.can_roll() || self.algorithm_roll.is_some() {
            return Vec::new();
        }
        let asked = self.asked.iter().find(|start| self.has_room(**start, policy));
        if let Some(need) = asked.and_then(|start| self.need(*start, policy)) {
            return vec![need];
        }
        if self.algorithm() != Some(policy.algorithm) {
            let start = Start::Algorithm;
            let need = if self.has_room(start, policy) { self.need(start, policy) } else { None };
            return need.into_iter().collect();
        }
        if self.entry_roll.is_none() && self.zone_roll.is_none() && !self.fits(policy) {
            return self.arrange(policy, now).into_iter().collect();
        }
        let entry = (policy.ksk_s, self.entry.since, Start::Entry, &self.entry.keys);
        let zone = (policy.zsk_s, self.zone.since, Start::Zone, &self.zone.keys);
        let lives = [entry, zone].into_iter().filter(|(life_s, _, start, _)| {
            let is_secure = *start != Start::Entry || self.parent == Parent::Secure;
            *life_s > 0 && is_secure && self.has_room(*start, policy)
        });
        lives
            .filter_map(|(life_s, since, start, keys)| {
                let until = since + u64::from(life_s);
                if now < until {
                    return Some(Verdict::Wait(Why::Life { keys: keys.clone(), until }));
                }
                self.need(start, policy)
            })
            .collect()
    }

    /// Whether a roll can begin beside those that run.
    fn has_room(&self, start: Start, policy: &Policy) -> bool {
        let (no_entry, no_zone) = (self.entry_roll.is_none(), self.zone_roll.is_none());
        match start {
            Start::Algorithm => no_entry && no_zone,
            Start::Entry | Start::EntryInEmergency | Start::CskInEmergency => no_entry,
            Start::Zone | Start::ZoneInEmergency => {
                no_zone && policy.arrangement == Arrangement::KskZsk
            }
        }
    }

    /// The keys that a roll needs.
    fn need(&self, start: Start, policy: &Policy) -> Option<Verdict> {
        let algorithm = self.algorithm()?;
        let one = |role| vec![KeyNeed { role, algorithm }];
        let needs = match start {
            Start::Algorithm => Self::needed(policy),
            Start::CskInEmergency => one(Role::Csk),
            Start::Zone | Start::ZoneInEmergency => one(Role::Zsk),
            Start::Entry | Start::EntryInEmergency => match policy.arrangement {
                Arrangement::Csk => one(Role::Csk),
                Arrangement::KskZsk => one(Role::Ksk),
            },
        };
        Some(Verdict::Need(start, needs))
    }

    /// Whether the zone is signed by the kind of keys that the policy wants.
    pub(super) fn fits(&self, policy: &Policy) -> bool {
        let is_entry = |id: &KeyId| self.entry.keys.contains(id);
        let is_sep = |id: &KeyId| self.key(id).is_some_and(|key| key.dnskey.is_sep());
        match policy.arrangement {
            Arrangement::Csk => {
                self.zone.keys.len() == self.entry.keys.len() && self.zone.keys.iter().all(is_entry)
            }
            Arrangement::KskZsk => !self.zone.keys.iter().any(is_sep),
        }
    }

    /// The roll of zone keys that makes the keys fit the policy: to the entry keys, or to one that is none.
    fn arrange(&self, policy: &Policy, now: u64) -> Option<Verdict> {
        match policy.arrangement {
            Arrangement::KskZsk => self.need(Start::Zone, policy),
            Arrangement::Csk => Some(self.ready(Place::Start, Act::Begin, now, |set| {
                // They have long been published; if not, the first stage waits.
                let (new, stage) = (set.entry.keys.clone(), ZoneStage::Publishing);
                set.zone_roll = Some(Roll { new, stage, since: now, emergency: false });
            })),
        }
    }

    /// Begins the roll for which [`super::Next::NeedKeys`] asked, with keys that are kept already.
    pub fn start(
        &self,
        keys: Vec<Dnskey>,
        policy: &Policy,
        facts: &Facts,
        now: u64,
    ) -> Result<Self, Refusal> {
        let mut verdicts = self.verdicts(policy, facts, now).into_iter();
        let found = verdicts.find_map(|(_, verdict)| match verdict {
            Verdict::Need(start, needs) => Some((start, needs)),
            _ => None,
        });
        let (start, needs) = found.ok_or(Refusal::NoKeysNeeded)?;
        let fits = |(key, need): (&Dnskey, &KeyNeed)| {
            key.algorithm == need.algorithm && key.flags == need.role.flags()
        };
        if keys.len() != needs.len() || !keys.iter().zip(&needs).all(fits) {
            return Err(Refusal::OtherKeys);
        }
        self.changed(now, |set| {
            let mut ids = Vec::with_capacity(keys.len());
            for (key, need) in keys.into_iter().zip(&needs) {
                ids.extend(set.add(vec![key], need.role, now)?);
            }
            set.begin_roll(start, ids, now);
            set.asked.retain(|asked| *asked != start);
            set.words.retain(|word| *word != Place::Start);
            Ok(())
        })
    }

    /// Begins a roll to keys that are in the set.
    pub(super) fn begin_roll(&mut self, start: Start, new: Vec<KeyId>, now: u64) {
        let entry = |new, emergency| {
            Some(Roll { new, stage: EntryStage::Publishing, since: now, emergency })
        };
        let zone = |new, stage, emergency| Some(Roll { new, stage, since: now, emergency });
        match start {
            Start::Entry => self.entry_roll = entry(new, false),
            Start::EntryInEmergency => self.entry_roll = entry(new, true),
            Start::Zone => self.zone_roll = zone(new, ZoneStage::Publishing, false),
            Start::ZoneInEmergency => self.zone_roll = zone(new, ZoneStage::Doubling, true),
            Start::CskInEmergency => {
                // If other zone keys are on their way, these follow when those are there.
                if self.zone_roll.is_none() {
                    self.zone_roll = zone(new.clone(), ZoneStage::Doubling, true);
                }
                self.entry_roll = entry(new, true);
            }
            Start::Algorithm => {
                let is_sep = |id: &KeyId| self.key(id).is_some_and(|key| key.dnskey.is_sep());
                let (entry, zone): (Vec<_>, Vec<_>) = new.into_iter().partition(is_sep);
                let zone = if zone.is_empty() { entry.clone() } else { zone };
                let stage = AlgorithmStage::PreSigning;
                self.algorithm_roll =
                    Some(AlgorithmRoll { entry, zone, stage, since: now, emergency: false });
            }
        }
    }
}
