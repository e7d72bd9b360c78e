//! What the parent and each roll wait for, and the step after it.

use super::facts::Facts;
use super::key::{KeyId, Role};
use super::next::{Act, Cached, Place, Verdict, Why};
use super::policy::Policy;
use super::set::{KeySet, Track};
use super::stage::{AlgorithmStage, EntryStage, Parent, ZoneStage};

//------------ The parent ----------------------------------------------------

impl KeySet {
    /// How the zone stands with its parent.
    pub(super) fn parent_verdict(
        &self,
        policy: &Policy,
        facts: &Facts,
        now: u64,
    ) -> Option<Verdict> {
        let since = self.parent_since;
        let to = |act, parent, is_trusted| {
            self.ready(Place::Parent, act, now, |set| set.go(parent, is_trusted, now))
        };
        let is_signed = self.parent != Parent::Unsigned;
        if is_signed && !self.is_trusted && facts.parents.with_any().next().is_some() {
            return Some(to(Act::NoteDs, self.parent, true));
        }
        Some(match self.parent {
            Parent::Introducing | Parent::Wanted if self.has_ds(facts) => {
                to(Act::Secure, Parent::Secure, true)
            }
            Parent::Introducing => {
                let until = self.ttls.zone.out(since, policy.propagation_s);
                match wait(Cached::Data, until, now) {
                    Some(wait) => wait,
                    None => to(Act::WantDs, Parent::Wanted, self.is_trusted),
                }
            }
            // A roll that waits for its DS says so itself.
            Parent::Wanted if self.exchanges_ds() => return None,
            Parent::Wanted => Verdict::Wait(ds(facts, &self.ds_wanted(), &[])),
            Parent::Leaving => self.leaving_verdict(policy, facts, now),
            Parent::Expiring => {
                let until = self.ds_out(since, policy);
                let is_back =
                    facts.parents.at >= since && facts.parents.with_any().next().is_some();
                match wait(Cached::Ds, until, now) {
                    _ if is_back && !self.are_gone_by_hand() => {
                        to(Act::DsBack, Parent::Leaving, true)
                    }
                    Some(wait) => wait,
                    None => to(Act::Unsign, Parent::Unsigned, false),
                }
            }
            Parent::Secure | Parent::Unsigned => return None,
        })
    }

    /// While the DS are to go: a zone that never had one need not wait for caches.
    fn leaving_verdict(&self, policy: &Policy, facts: &Facts, now: u64) -> Verdict {
        // A DS that was on its way when the zone changed its mind would have come by then.
        let on_way = if self.is_trusted { 0 } else { policy.propagation_s };
        let from = self.parent_since + u64::from(on_way);
        let is_none = facts.parents.none_at_all() && facts.parents.at >= self.parent_since;
        let may_go = self.are_gone_by_hand() || is_none && now >= from;
        if !may_go {
            let why = if is_none {
                Why::Caches { of: Cached::Ds, until: from }
            } else {
                ds(facts, &[], &self.at_parent())
            };
            return Verdict::Wait(why);
        }
        let (act, parent) = if self.is_trusted {
            (Act::DsGone, Parent::Expiring)
        } else {
            (Act::Unsign, Parent::Unsigned)
        };
        let is_trusted = self.is_trusted;
        self.ready(Place::Parent, act, now, |set| set.go(parent, is_trusted, now))
    }

    /// Goes to another state with the parent.
    pub(super) fn go(&mut self, parent: Parent, is_trusted: bool, now: u64) {
        if parent != self.parent {
            (self.parent, self.parent_since) = (parent, now);
        }
        self.is_trusted = is_trusted;
    }

    /// Whether the parent has the DS of a key that it should name.
    fn has_ds(&self, facts: &Facts) -> bool {
        let is_seen = |id: &KeyId| self.seen.contains(id) || facts.parents.all_have(id);
        self.ds_wanted().iter().any(is_seen)
    }

    /// Keys whose DS the parent may have.
    pub(super) fn at_parent(&self) -> Vec<KeyId> {
        let rolled = self.entry_roll.iter().flat_map(|roll| &roll.new);
        let to_algorithm = self.algorithm_roll.iter().flat_map(|roll| &roll.entry);
        self.entry.keys.iter().chain(rolled).chain(to_algorithm).copied().collect()
    }

    /// Whether somebody saw that all DS are gone.
    fn are_gone_by_hand(&self) -> bool {
        self.at_parent().iter().all(|id| self.gone.contains(id))
    }

    /// Whether a roll waits for the parent.
    fn exchanges_ds(&self) -> bool {
        let entry = self.entry_roll.as_ref().map(|roll| roll.stage);
        let algorithm = self.algorithm_roll.as_ref().map(|roll| roll.stage);
        entry == Some(EntryStage::DsExchange) || algorithm == Some(AlgorithmStage::DsExchange)
    }

    /// When caches have run out of a DS that was there until `since`.
    fn ds_out(&self, since: u64, policy: &Policy) -> u64 {
        let least = u64::from(policy.parent_ds_ttl_s) + u64::from(policy.propagation_s);
        self.ttls.ds.out(since, policy.propagation_s).max(since + least)
    }

    /// When caches have run out of DNSKEY RRsets without these keys.
    fn keys_out(&self, keys: &[KeyId], since: u64, policy: &Policy) -> u64 {
        let published = keys.iter().map(|id| self.key(id).and_then(|key| key.published));
        let last = published.map(|published| published.unwrap_or(since)).max();
        self.ttls.dnskey.out(last.unwrap_or(since), policy.propagation_s)
    }
}

/// That caches are waited for, if they are.
fn wait(of: Cached, until: u64, now: u64) -> Option<Verdict> {
    (now < until).then_some(Verdict::Wait(Why::Caches { of, until }))
}

/// That the parent is waited for.
fn ds(facts: &Facts, wanted: &[KeyId], unwanted: &[KeyId]) -> Why {
    let parents = &facts.parents;
    let mut missing_at: Vec<String> = Vec::new();
    let mut still_at: Vec<String> = Vec::new();
    for server in wanted.iter().flat_map(|id| parents.without(id)) {
        if !missing_at.contains(&server.name) {
            missing_at.push(server.name.clone());
        }
    }
    for server in unwanted.iter().flat_map(|id| parents.with(id)) {
        if !still_at.contains(&server.name) {
            still_at.push(server.name.clone());
        }
    }
    // Nobody else's DS may stay either when the zone goes unsigned.
    if wanted.is_empty() {
        still_at = parents.with_any().map(|server| server.name.clone()).collect();
    }
    Why::Ds {
        wanted: wanted.to_vec(),
        unwanted: unwanted.to_vec(),
        missing_at,
        still_at,
        silent: parents.silent().map(|server| server.name.clone()).collect(),
        is_known: !parents.servers.is_empty(),
    }
}

//------------ Rolls ---------------------------------------------------------

impl KeySet {
    /// Whether rolls go on: not before the zone is introduced, nor when it goes unsigned.
    pub(super) fn can_roll(&self) -> bool {
        matches!(self.parent, Parent::Wanted | Parent::Secure)
    }

    /// How the roll of entry keys stands.
    pub(super) fn entry_verdict(
        &self,
        policy: &Policy,
        facts: &Facts,
        now: u64,
    ) -> Option<Verdict> {
        let roll = self.entry_roll.as_ref().filter(|_| self.can_roll())?;
        let to = |act, stage| {
            self.ready(Place::Entry, act, now, |set| {
                set.ds_step(act, now);
                let roll = set.entry_roll.iter_mut();
                roll.for_each(|roll| (roll.stage, roll.since) = (stage, now));
            })
        };
        let (new, old) = (&roll.new, &self.entry.keys);
        Some(match roll.stage {
            EntryStage::Publishing => {
                let until = self.keys_out(new, roll.since, policy);
                let ready = || to(Act::ExchangeDs, EntryStage::DsExchange);
                wait(Cached::Keys, until, now).unwrap_or_else(ready)
            }
            EntryStage::DsExchange => {
                // The same algorithm: an old DS that stays hurts nobody, so whoever saw the new one decides.
                if self.is_said(new) || self.is_exchanged(facts, new, old, roll.since) {
                    to(Act::DsExchanged, EntryStage::DsExpiring)
                } else {
                    Verdict::Wait(ds(facts, new, old))
                }
            }
            EntryStage::DsExpiring
                if !self.is_said(new) && self.is_changed_back(facts, new, old, roll.since) =>
            {
                to(Act::DsBack, EntryStage::DsExchange)
            }
            EntryStage::DsExpiring => {
                let until = self.ds_out(roll.since, policy);
                let end = || {
                    self.ready(Place::Entry, Act::End, now, |set| {
                        let roll = set.entry_roll.take();
                        roll.into_iter()
                            .for_each(|roll| set.entry = Track { keys: roll.new, since: now });
                    })
                };
                wait(Cached::Ds, until, now).unwrap_or_else(end)
            }
        })
    }

    /// How the roll of zone keys stands.
    pub(super) fn zone_verdict(&self, policy: &Policy, facts: &Facts, now: u64) -> Option<Verdict> {
        let roll = self.zone_roll.as_ref().filter(|_| self.can_roll())?;
        let to = |act, stage| {
            self.ready(Place::Zone, act, now, |set| {
                let roll = set.zone_roll.iter_mut();
                roll.for_each(|roll| (roll.stage, roll.since) = (stage, now));
            })
        };
        let end = || {
            self.ready(Place::Zone, Act::End, now, |set| {
                let roll = set.zone_roll.take();
                roll.into_iter().for_each(|roll| set.zone = Track { keys: roll.new, since: now });
                set.name_roles();
            })
        };
        let keys = self.keys_out(&roll.new, roll.since, policy);
        let data = self.ttls.zone.out(roll.since, policy.propagation_s);
        let is_signed = self.is_signed(facts);
        Some(match roll.stage {
            ZoneStage::Publishing => {
                let ready = || to(Act::Switch, ZoneStage::Switching);
                wait(Cached::Keys, keys, now).unwrap_or_else(ready)
            }
            ZoneStage::Switching if is_signed => to(Act::Switched, ZoneStage::Draining),
            ZoneStage::Doubling if is_signed => to(Act::Presigned, ZoneStage::Doubled),
            ZoneStage::Switching | ZoneStage::Doubling => Verdict::Wait(Why::Signing),
            ZoneStage::Draining => wait(Cached::Data, data, now).unwrap_or_else(end),
            ZoneStage::Doubled => {
                wait(Cached::KeysAndData, data.max(keys), now).unwrap_or_else(end)
            }
        })
    }

    /// How the roll of the algorithm stands.
    pub(super) fn algorithm_verdict(
        &self,
        policy: &Policy,
        facts: &Facts,
        now: u64,
    ) -> Option<Verdict> {
        let roll = self.algorithm_roll.as_ref().filter(|_| self.can_roll())?;
        let to = |act, stage| {
            self.ready(Place::Algorithm, act, now, |set| {
                set.ds_step(act, now);
                let roll = set.algorithm_roll.iter_mut();
                roll.for_each(|roll| (roll.stage, roll.since) = (stage, now));
            })
        };
        let (new, old) = (&roll.entry, &self.entry.keys);
        let after = |of, until, act, stage| wait(of, until, now).unwrap_or_else(|| to(act, stage));
        let data = self.ttls.zone.out(roll.since, policy.propagation_s);
        let keys = self.ttls.dnskey.out(roll.since, policy.propagation_s);
        Some(match roll.stage {
            AlgorithmStage::PreSigning if self.is_signed(facts) => {
                to(Act::Presigned, AlgorithmStage::PreSigned)
            }
            AlgorithmStage::PreSigning => Verdict::Wait(Why::Signing),
            AlgorithmStage::PreSigned => {
                after(Cached::Data, data, Act::Publish, AlgorithmStage::Publishing)
            }
            AlgorithmStage::Publishing => {
                after(Cached::Keys, keys, Act::ExchangeDs, AlgorithmStage::DsExchange)
            }
            AlgorithmStage::DsExchange if self.is_exchanged(facts, new, old, roll.since) => {
                to(Act::DsExchanged, AlgorithmStage::DsExpiring)
            }
            AlgorithmStage::DsExchange => Verdict::Wait(ds(facts, new, old)),
            AlgorithmStage::DsExpiring if self.is_changed_back(facts, new, old, roll.since) => {
                to(Act::DsBack, AlgorithmStage::DsExchange)
            }
            AlgorithmStage::DsExpiring => {
                let until = self.ds_out(roll.since, policy);
                after(Cached::Ds, until, Act::Withdraw, AlgorithmStage::Withdrawing)
            }
            AlgorithmStage::Withdrawing => {
                let end = || {
                    self.ready(Place::Algorithm, Act::End, now, |set| {
                        let Some(roll) = set.algorithm_roll.take() else { return };
                        set.entry = Track { keys: roll.entry, since: now };
                        set.zone = Track { keys: roll.zone, since: now };
                    })
                };
                wait(Cached::Keys, keys, now).unwrap_or_else(end)
            }
        })
    }

    /// Whether the zone is signed by the keys that should sign it, and by no others.
    fn is_signed(&self, facts: &Facts) -> bool {
        let wanted = self.zone_signers();
        wanted.len() == facts.signed_by.len()
            && wanted.iter().all(|id| facts.signed_by.contains(id))
    }

    /// Whether somebody saw the DS of each of these keys.
    fn is_said(&self, keys: &[KeyId]) -> bool {
        keys.iter().all(|id| self.seen.contains(id))
    }

    /// Whether the parent has every new DS and no old one, as seen since then or as somebody said.
    fn is_exchanged(&self, facts: &Facts, new: &[KeyId], old: &[KeyId], since: u64) -> bool {
        let parents = &facts.parents;
        let is_fresh = parents.at >= since;
        let is_there = |id: &KeyId| self.seen.contains(id) || is_fresh && parents.all_have(id);
        let is_gone = |id: &KeyId| self.gone.contains(id) || is_fresh && parents.none_has(id);
        new.iter().all(is_there) && old.iter().all(is_gone)
    }

    /// Whether a server of the parent was seen without a new DS or with an old one after the exchange; what
    /// somebody said himself of a key holds.
    fn is_changed_back(&self, facts: &Facts, new: &[KeyId], old: &[KeyId], since: u64) -> bool {
        let parents = &facts.parents;
        let lacks = |id: &KeyId| !self.seen.contains(id) && parents.without(id).next().is_some();
        let has = |id: &KeyId| !self.gone.contains(id) && parents.with(id).next().is_some();
        parents.at >= since && (new.iter().any(lacks) || old.iter().any(has))
    }

    /// What a step means for the DS: what people said counts for one exchange; one that is done makes the zone
    /// secure.
    fn ds_step(&mut self, act: Act, now: u64) {
        match act {
            Act::ExchangeDs => (self.seen, self.gone) = (Vec::new(), Vec::new()),
            Act::DsExchanged => self.go(Parent::Secure, true, now),
            _ => {}
        }
    }

    /// Names what the entry keys are for, now that others may sign the zone.
    fn name_roles(&mut self) {
        for key in self.keys.iter_mut().filter(|key| self.entry.keys.contains(&key.id)) {
            key.role = if self.zone.keys.contains(&key.id) { Role::Csk } else { Role::Ksk };
        }
    }
}
