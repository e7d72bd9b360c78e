//! What people and settings can tell the machine, and why it may refuse.

use super::facts::Facts;
use super::key::{KeyId, Role};
use super::next::{Place, Start, Verdict, Why};
use super::policy::{Arrangement, Policy};
use super::set::KeySet;
use super::stage::{AlgorithmStage, EntryStage, Parent, ZoneStage};
use crate::dnssec::{Algorithm, Dnskey};

/// What the machine can be told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// Roll the key of a role, or all keys.
    Roll(Option<Role>),
    /// The same; the key may be in wrong hands, so waits that serve only comfort fall away.
    Emergency(Option<Role>),
    /// Somebody saw the DS of this key at the parent.
    DsSeen(u16),
    /// Somebody saw that the DS of this key is gone from the parent.
    DsGone(u16),
    /// A person's word for the steps that are due.
    Confirm,
    /// Go back to the keys of before; or stay signed.
    Cancel(Option<Role>),
    /// Go unsigned, with the DS first.
    GoUnsigned,
    /// Roll to keys that were made elsewhere, and are kept already.
    Import(Vec<Dnskey>),
}

/// Why a command, or keys, are refused; what to do stands in it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Keys of more than one algorithm.
    #[error(
        "keys of two algorithms ({0} is the second): import those of one, then change the policy's algorithm"
    )]
    TwoAlgorithms(Algorithm),
    /// No key that the parent could name.
    #[error("none of the keys has the SEP flag (257): import the KSK or the CSK too")]
    NoEntryKey,
    /// Two keys with one tag.
    #[error("the zone has, or lately had, another key with tag {0}: make another key")]
    SameTag(u16),
    /// Keys were made that nothing waits for any more.
    #[error("no rollover waits for new keys any more")]
    NoKeysNeeded,
    /// The keys are not those that are needed.
    #[error("these are not the keys that the rollover needs")]
    OtherKeys,
    /// The clock is behind the last step.
    #[error(
        "the clock is behind the last change of the zone's keys, at {0} s since 1970: set the clock right first"
    )]
    Clock(u64),
    /// The zone is unsigned, or on its way.
    #[error("the zone is going unsigned: `gapura key cancel` keeps it signed")]
    Leaving,
    /// Nothing is signed any more.
    #[error("the zone is not signed any more")]
    Unsigned,
    /// The roll runs already.
    #[error("the {} is being rolled already: `gapura key list` tells what that waits for", .0.word())]
    Rolling(Role),
    /// The algorithm is being rolled, and with it all keys.
    #[error(
        "all keys are being rolled to another algorithm: wait for its end, or `gapura key cancel` it"
    )]
    AlgorithmRolling,
    /// There is no key of this role.
    #[error("the zone has no {}: its policy says keys = \"{}\"", .0.word(), .1)]
    NoSuchRole(Role, &'static str),
    /// No key has this tag.
    #[error("no key of the zone has tag {0}; those waited for: {1}")]
    NoSuchKey(u16, String),
    /// The DS must not be exchanged yet.
    #[error(
        "too early: caches do not know key {0} yet. Should its DS stand at the parent already, have the old one \
         added again at once; `gapura key list` tells until when"
    )]
    TooEarly(u16),
    /// The DS of this key is not waited for.
    #[error("nothing waits for the DS of key {0}: `gapura key list` tells what is waited for")]
    NotWaitedFor(u16),
    /// No step waits for a word.
    #[error("no step waits for a word: `gapura key list` tells what is waited for")]
    NothingToConfirm,
    /// No roll runs.
    #[error("no rollover is running")]
    NothingToCancel,
    /// Two rolls run.
    #[error("two rollovers are running: say which, with --role ksk or --role zsk")]
    WhichRoll,
    /// The roll is too far for going back.
    #[error(
        "it is too late: resolvers trust the new keys only. It ends by itself; then roll again"
    )]
    TooLate,
    /// The policy would begin the roll again.
    #[error("the policy wants this rollover: change its `{0}` back first")]
    PolicyWants(&'static str),
    /// Imported keys do not fit.
    #[error(
        "the zone's keys are {0}: import keys of that algorithm, or write algorithm = \"{1}\" in its policy first"
    )]
    OtherAlgorithm(Algorithm, Algorithm),
    /// An imported key has no place.
    #[error("key {0} has no SEP flag (256): a ZSK needs keys = \"ksk+zsk\" in the policy")]
    NoPlace(u16),
    /// Nothing to import.
    #[error("there is no key to import")]
    NoKeys,
}

impl KeySet {
    /// The set after a command. It does nothing that [`KeySet::next`] would not carry on after a restart.
    pub fn command(
        &self,
        command: Command,
        policy: &Policy,
        facts: &Facts,
        now: u64,
    ) -> Result<Self, Refusal> {
        if now < self.touched {
            return Err(Refusal::Clock(self.touched));
        }
        match (self.parent, &command) {
            (Parent::Unsigned, _) => return Err(Refusal::Unsigned),
            (
                Parent::Leaving | Parent::Expiring,
                Command::Roll(_) | Command::Emergency(_) | Command::Import(_) | Command::DsSeen(_),
            ) => return Err(Refusal::Leaving),
            _ => {}
        }
        self.changed(now, |set| match command {
            Command::Roll(role) => set.ask(role, false, policy, now),
            Command::Emergency(role) => set.ask(role, true, policy, now),
            Command::DsSeen(tag) => set.ds_seen(tag),
            Command::DsGone(tag) => set.ds_gone(tag),
            Command::Confirm => set.confirm(policy, facts, now),
            Command::Cancel(role) => set.cancel(role, policy, now),
            Command::GoUnsigned => {
                set.go_unsigned(now);
                Ok(())
            }
            Command::Import(keys) => set.import(keys, policy, now),
        })
    }

    /// Asks for a roll, or makes one that runs an emergency.
    fn ask(
        &mut self,
        role: Option<Role>,
        emergency: bool,
        policy: &Policy,
        now: u64,
    ) -> Result<(), Refusal> {
        if let Some(roll) = &mut self.algorithm_roll {
            if !emergency || roll.emergency {
                return Err(Refusal::AlgorithmRolling);
            }
            roll.emergency = true;
            return Ok(());
        }
        let starts: &[(Start, Role)] = match (policy.arrangement, role, emergency) {
            (Arrangement::Csk, None | Some(Role::Csk), false) => &[(Start::Entry, Role::Csk)],
            (Arrangement::Csk, None | Some(Role::Csk), true) => {
                &[(Start::CskInEmergency, Role::Csk)]
            }
            (Arrangement::Csk, Some(role), _) => return Err(Refusal::NoSuchRole(role, "csk")),
            (Arrangement::KskZsk, Some(Role::Csk), _) => {
                return Err(Refusal::NoSuchRole(Role::Csk, "ksk+zsk"));
            }
            (Arrangement::KskZsk, Some(Role::Ksk), false) => &[(Start::Entry, Role::Ksk)],
            (Arrangement::KskZsk, Some(Role::Zsk), false) => &[(Start::Zone, Role::Zsk)],
            (Arrangement::KskZsk, Some(Role::Ksk), true) => &[(Start::EntryInEmergency, Role::Ksk)],
            (Arrangement::KskZsk, Some(Role::Zsk), true) => &[(Start::ZoneInEmergency, Role::Zsk)],
            (Arrangement::KskZsk, None, false) => {
                &[(Start::Entry, Role::Ksk), (Start::Zone, Role::Zsk)]
            }
            (Arrangement::KskZsk, None, true) => {
                &[(Start::EntryInEmergency, Role::Ksk), (Start::ZoneInEmergency, Role::Zsk)]
            }
        };
        for (start, role) in starts {
            // Of two rolls of one key that were asked for, only the emergency is done.
            let (ordinary, urgent) = match role {
                Role::Zsk => (Start::Zone, Start::ZoneInEmergency),
                Role::Csk => (Start::Entry, Start::CskInEmergency),
                Role::Ksk => (Start::Entry, Start::EntryInEmergency),
            };
            let is_running = match start {
                Start::Zone | Start::ZoneInEmergency => self.zone_roll.is_some(),
                _ => self.entry_roll.is_some(),
            };
            let is_asked = self.asked.contains(start) || self.asked.contains(&urgent);
            if is_running && !(emergency && self.hurry(*start, now)) || is_asked {
                return Err(Refusal::Rolling(*role));
            }
            if emergency {
                self.asked.retain(|asked| *asked != ordinary);
            }
            if !is_running {
                self.asked.push(*start);
            }
        }
        Ok(())
    }

    /// Makes a roll that runs an emergency; false if it is one already.
    fn hurry(&mut self, start: Start, now: u64) -> bool {
        match (start, &mut self.entry_roll, &mut self.zone_roll) {
            (Start::ZoneInEmergency, _, Some(roll)) if !roll.emergency => {
                roll.emergency = true;
                // Both sign at once, instead of one after the other.
                if roll.stage == ZoneStage::Publishing {
                    (roll.stage, roll.since) = (ZoneStage::Doubling, now);
                }
                true
            }
            (Start::EntryInEmergency, Some(roll), _) if !roll.emergency => {
                roll.emergency = true;
                true
            }
            (Start::CskInEmergency, Some(roll), zone) if !roll.emergency => {
                roll.emergency = true;
                let new = roll.new.clone();
                if zone.is_none() {
                    self.begin_zone_in_emergency(new, now);
                }
                true
            }
            _ => false,
        }
    }

    /// Lets keys that come for the entry sign the zone too, at once.
    fn begin_zone_in_emergency(&mut self, new: Vec<KeyId>, now: u64) {
        self.begin_roll(Start::ZoneInEmergency, new, now);
    }

    /// Takes a person's word that the parent has a DS.
    fn ds_seen(&mut self, tag: u16) -> Result<(), Refusal> {
        let id = self.by_tag(tag)?;
        let early = self.entry_roll.iter().filter(|roll| roll.stage == EntryStage::Publishing);
        let mut early: Vec<KeyId> = early.flat_map(|roll| roll.new.clone()).collect();
        let is_early = |stage| {
            use AlgorithmStage::{PreSigned, PreSigning, Publishing};
            matches!(stage, PreSigning | PreSigned | Publishing)
        };
        let algorithm = self.algorithm_roll.iter().filter(|roll| is_early(roll.stage));
        early.extend(algorithm.flat_map(|roll| roll.entry.clone()));
        if early.contains(&id) {
            return Err(Refusal::TooEarly(tag));
        }
        if !self.ds_wanted().contains(&id) {
            return Err(Refusal::NotWaitedFor(tag));
        }
        if !self.seen.contains(&id) {
            self.seen.push(id);
        }
        Ok(())
    }

    /// Takes a person's word that a DS is gone from the parent.
    fn ds_gone(&mut self, tag: u16) -> Result<(), Refusal> {
        let id = self.by_tag(tag)?;
        if !self.at_parent().contains(&id) || self.ds_wanted().contains(&id) {
            return Err(Refusal::NotWaitedFor(tag));
        }
        if !self.gone.contains(&id) {
            self.gone.push(id);
        }
        Ok(())
    }

    /// The key with a tag that is in use.
    fn by_tag(&self, tag: u16) -> Result<KeyId, Refusal> {
        let mut keys = self.keys.iter().filter(|key| key.removed.is_none());
        let found = keys.clone().find(|key| key.id.tag == tag).map(|key| key.id);
        found.ok_or_else(|| {
            let tags: Vec<String> = keys.by_ref().map(|key| key.id.tag.to_string()).collect();
            Refusal::NoSuchKey(tag, tags.join(", "))
        })
    }

    /// Gives a word to every step that waits for one.
    fn confirm(&mut self, policy: &Policy, facts: &Facts, now: u64) -> Result<(), Refusal> {
        let verdicts = self.verdicts(policy, facts, now).into_iter();
        let words: Vec<Place> = verdicts
            .filter(|(_, verdict)| matches!(verdict, Verdict::Wait(Why::Word(_))))
            .map(|(place, _)| place)
            .collect();
        if words.is_empty() {
            return Err(Refusal::NothingToConfirm);
        }
        self.words.extend(words);
        Ok(())
    }

    /// Asks the parent to remove the DS; where it cannot have one, nothing is signed any more.
    fn go_unsigned(&mut self, now: u64) {
        let (parent, is_trusted) = (self.parent, self.is_trusted);
        match parent {
            Parent::Introducing if !is_trusted => self.go(Parent::Unsigned, false, now),
            Parent::Introducing | Parent::Wanted | Parent::Secure => {
                (self.seen, self.gone) = (Vec::new(), Vec::new());
                self.words.clear();
                self.go(Parent::Leaving, is_trusted, now);
            }
            Parent::Leaving | Parent::Expiring | Parent::Unsigned => {}
        }
    }

    /// Rolls to keys that were made elsewhere. As long as the zone is introduced they take the place of all.
    fn import(&mut self, keys: Vec<Dnskey>, policy: &Policy, now: u64) -> Result<(), Refusal> {
        let first = keys.first().ok_or(Refusal::NoKeys)?.algorithm;
        if let Some(key) = keys.iter().find(|key| key.algorithm != first) {
            return Err(Refusal::TwoAlgorithms(key.algorithm));
        }
        if self.parent == Parent::Introducing {
            return self.take_in(keys, policy, now);
        }
        if self.algorithm_roll.is_some() {
            return Err(Refusal::AlgorithmRolling);
        }
        let (entry, zone): (Vec<_>, Vec<_>) = keys.into_iter().partition(Dnskey::is_sep);
        let is_one = policy.arrangement == Arrangement::Csk;
        if let Some(key) = zone.first().filter(|_| is_one) {
            return Err(Refusal::NoPlace(key.tag()));
        }
        let current = self.algorithm().unwrap_or(policy.algorithm);
        let is_other = first != current;
        if is_other && first != policy.algorithm {
            return Err(Refusal::OtherAlgorithm(current, first));
        }
        if is_other && (entry.is_empty() || zone.is_empty() && !is_one) {
            return Err(Refusal::OtherKeys);
        }
        let role = if is_one { Role::Csk } else { Role::Ksk };
        if self.entry_roll.is_some() && (is_other || !entry.is_empty()) {
            return Err(Refusal::Rolling(role));
        }
        if self.zone_roll.is_some() && (is_other || !zone.is_empty()) {
            return Err(Refusal::Rolling(Role::Zsk));
        }
        let entry = self.add(entry, role, now)?;
        let zone = self.add(zone, Role::Zsk, now)?;
        if is_other {
            self.begin_roll(Start::Algorithm, [entry, zone].concat(), now);
            return Ok(());
        }
        if !entry.is_empty() {
            self.begin_roll(Start::Entry, entry, now);
        }
        if !zone.is_empty() {
            self.begin_roll(Start::Zone, zone, now);
        }
        Ok(())
    }
}
