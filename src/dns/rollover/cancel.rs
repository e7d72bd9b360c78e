//! Going back: where the new keys matter to nobody they leave at once; where the parent may name them, old
//! and new change places, and the roll goes the same safe way back.

use std::mem::swap;

use super::command::Refusal;
use super::key::Role;
use super::next::Start;
use super::policy::Policy;
use super::set::KeySet;
use super::stage::{AlgorithmStage, EntryStage, Parent, ZoneStage};

impl KeySet {
    /// Cancels going unsigned, or a roll.
    pub(super) fn cancel(
        &mut self,
        role: Option<Role>,
        policy: &Policy,
        now: u64,
    ) -> Result<(), Refusal> {
        if self.is_leaving() {
            self.stay(now);
            return Ok(());
        }
        if self.algorithm_roll.is_some() {
            return self.cancel_algorithm(policy, now);
        }
        // The emergency of a CSK is one roll for people.
        let is_one = self.entry_roll.as_ref().map(|roll| &roll.new)
            == self.zone_roll.as_ref().map(|roll| &roll.new);
        match (role, self.entry_roll.is_some(), self.zone_roll.is_some()) {
            (None, true, true) if !is_one => Err(Refusal::WhichRoll),
            (Some(Role::Zsk), _, true) | (None, false, true) => self.cancel_zone(policy, now),
            (None | Some(Role::Csk | Role::Ksk), true, _) => {
                self.cancel_entry(now);
                Ok(())
            }
            _ => self.cancel_asked(role),
        }
    }

    /// Takes back rolls that were asked for and have not begun: those of a role, or all.
    fn cancel_asked(&mut self, role: Option<Role>) -> Result<(), Refusal> {
        let is_meant = |start: &Start| {
            let is_zone = matches!(start, Start::Zone | Start::ZoneInEmergency);
            role.is_none_or(|role| (role == Role::Zsk) == is_zone)
        };
        let before = self.asked.len();
        self.asked.retain(|start| !is_meant(start));
        if self.asked.len() == before { Err(Refusal::NothingToCancel) } else { Ok(()) }
    }

    /// Stays signed. The DS may come back at any time; what had come far with the parent has to see it again.
    fn stay(&mut self, now: u64) {
        (self.seen, self.gone) = (Vec::new(), Vec::new());
        self.words.clear();
        self.go(Parent::Wanted, self.is_trusted, now);
        for roll in self.entry_roll.iter_mut().filter(|it| it.stage == EntryStage::DsExpiring) {
            (roll.stage, roll.since) = (EntryStage::DsExchange, now);
        }
        let rolls = self.algorithm_roll.iter_mut();
        for roll in rolls.filter(|it| it.stage == AlgorithmStage::DsExpiring) {
            (roll.stage, roll.since) = (AlgorithmStage::DsExchange, now);
        }
    }

    /// Goes back to the old algorithm.
    fn cancel_algorithm(&mut self, policy: &Policy, now: u64) -> Result<(), Refusal> {
        if self.algorithm() != Some(policy.algorithm) {
            return Err(Refusal::PolicyWants("algorithm"));
        }
        let Some(mut roll) = self.algorithm_roll.take() else { return Ok(()) };
        match roll.stage {
            AlgorithmStage::Withdrawing => {
                self.algorithm_roll = Some(roll);
                return Err(Refusal::TooLate);
            }
            // Signatures by keys that nobody knows.
            AlgorithmStage::PreSigning | AlgorithmStage::PreSigned => {}
            stage => {
                swap(&mut self.entry.keys, &mut roll.entry);
                swap(&mut self.zone.keys, &mut roll.zone);
                (self.seen, self.gone) = (Vec::new(), Vec::new());
                roll.since = now;
                roll.stage = match stage {
                    // Caches know the new keys, and want their signatures.
                    AlgorithmStage::Publishing => AlgorithmStage::Withdrawing,
                    _ => AlgorithmStage::DsExchange,
                };
                self.algorithm_roll = Some(roll);
            }
        }
        self.words.clear();
        Ok(())
    }

    /// Goes back to the old entry key.
    fn cancel_entry(&mut self, now: u64) {
        let Some(mut roll) = self.entry_roll.take() else { return };
        // A zone key that is the same one came with it, and leaves with it as long as the old one signs too.
        let is_doubling = |stage| matches!(stage, ZoneStage::Doubling | ZoneStage::Doubled);
        self.zone_roll.take_if(|zone| zone.new == roll.new && is_doubling(zone.stage));
        match roll.stage {
            EntryStage::Publishing => self.entry.since = now,
            EntryStage::DsExchange | EntryStage::DsExpiring => {
                swap(&mut self.entry.keys, &mut roll.new);
                (self.seen, self.gone) = (Vec::new(), Vec::new());
                (roll.stage, roll.since) = (EntryStage::DsExchange, now);
                self.entry_roll = Some(roll);
            }
        }
        self.words.clear();
    }

    /// Goes back to the old zone key.
    fn cancel_zone(&mut self, policy: &Policy, now: u64) -> Result<(), Refusal> {
        if !self.fits(policy) {
            return Err(Refusal::PolicyWants("keys"));
        }
        let Some(mut roll) = self.zone_roll.take() else { return Ok(()) };
        self.zone.since = now;
        if matches!(roll.stage, ZoneStage::Switching | ZoneStage::Draining) {
            swap(&mut self.zone.keys, &mut roll.new);
            (roll.stage, roll.since) = (ZoneStage::Switching, now);
            self.zone_roll = Some(roll);
        }
        self.words.clear();
        Ok(())
    }
}
