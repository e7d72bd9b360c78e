//! The steps of rolls, and the keys that they need.

use std::time::Duration;

use super::handle::Inner;
use super::turn::{Halt, WHO};
use crate::dnssec::Dnskey;
use crate::publish::KeysError;
use crate::rollover::{Act, Facts, KeyId, KeyNeed, KeySet, Next, Policy, Refusal, Step};
use crate::text::with_causes;
use crate::wire::Name;

/// Steps of one turn: more than any roll has.
const STEPS_MAX: usize = 20;

/// What is waited for once all that is due was done.
pub(super) struct Standstill {
    /// How long until time alone moves something.
    pub(super) wait: Option<Duration>,
    /// Whether a DS at the parent is waited for.
    pub(super) for_ds: bool,
}

impl Inner {
    /// Does all that is due for the keys of a zone.
    pub(super) fn step(&self, zone: &Name) -> Result<Standstill, Halt> {
        for _ in 0..STEPS_MAX {
            let state = self.publisher.signing(zone)?;
            let Some((current, keys)) = &state.current else { break };
            let policy = state.wanted.as_ref().unwrap_or(current);
            let now = self.watched_now_s();
            if self.wait_again(zone, keys, now)? {
                continue;
            }
            let facts = self.facts(zone, &state);
            match keys.next(policy, &facts, now) {
                Next::Wait { until, for_ds } => {
                    let wait = until.map(|until| Duration::from_secs(until.saturating_sub(now)));
                    return Ok(Standstill { wait, for_ds });
                }
                Next::Step(step) => self.take(zone, keys, &step, &facts, now)?,
                Next::NeedKeys(needs) => self.begin_roll(zone, keys, &needs, &facts, now)?,
            }
        }
        // Whatever is left has its turn soon.
        Ok(Standstill { wait: Some(Duration::from_secs(1)), for_ds: false })
    }

    /// Takes a step.
    fn take(
        &self,
        zone: &Name,
        before: &KeySet,
        step: &Step,
        facts: &Facts,
        now: u64,
    ) -> Result<(), Halt> {
        if step.act == Act::Unsign {
            self.forget_strays(zone, before);
        }
        // The set may be another by now, and then perhaps no step is due.
        let again = |keys: &KeySet, policy: &Policy| match keys.next(policy, facts, now) {
            Next::Step(step) => Ok(step.set),
            Next::Wait { .. } | Next::NeedKeys(_) => Err(()),
        };
        match self.publisher.change_keys(zone, (&step.act.to_string(), WHO), again) {
            Ok(Some(change)) => {
                self.made(zone, Some(&change));
                tracing::info!(%zone, "keys: {}", step.act);
            }
            Ok(None) | Err(KeysError::Against(())) => {}
            Err(KeysError::Door(error)) => return Err(error.into()),
        }
        if step.act == Act::Forget {
            let forgotten = before.keys().iter().filter(|key| step.set.key(&key.id).is_none());
            self.forget_unused(zone, forgotten.map(|key| &key.dnskey));
        }
        Ok(())
    }

    /// Makes the keys that a roll needs and begins it. Their files are on disk before the zone knows of them.
    fn begin_roll(
        &self,
        zone: &Name,
        keys: &KeySet,
        needs: &[KeyNeed],
        facts: &Facts,
        now: u64,
    ) -> Result<(), Halt> {
        let mut made: Vec<Dnskey> = Vec::with_capacity(needs.len());
        for need in needs {
            match self.make(zone, keys, &made, need) {
                Ok(key) => made.push(key),
                Err(halt) => {
                    self.forget_unused(zone, &made);
                    return Err(halt);
                }
            }
        }
        let tags: Vec<String> = made.iter().map(|key| key.tag().to_string()).collect();
        let what = format!("a key rollover begins: new key {}", tags.join(", "));
        let begin = |keys: &KeySet, policy: &Policy| keys.start(made.clone(), policy, facts, now);
        match self.publisher.change_keys(zone, (&what, WHO), begin) {
            Ok(change) => {
                self.made(zone, change.as_ref());
                tracing::info!(%zone, "keys: {what}");
                Ok(())
            }
            Err(error) => {
                // The zone may know of them if it is not known whether the change is durable.
                self.forget_unused(zone, &made);
                match error {
                    KeysError::Against(Refusal::NoKeysNeeded | Refusal::OtherKeys) => Ok(()),
                    error => Err(error.into()),
                }
            }
        }
    }

    /// Makes a key, and keeps it.
    fn make(
        &self,
        zone: &Name,
        keys: &KeySet,
        made: &[Dnskey],
        need: &KeyNeed,
    ) -> Result<Dnskey, Halt> {
        let taken = keys.keys().iter().map(|key| key.id.tag).chain(made.iter().map(Dnskey::tag));
        let taken: Vec<u16> = taken.collect();
        let key = self.keystore.generate(zone, need.algorithm, need.role.flags(), &taken);
        key.map_err(|error| Halt::Failed(format!("no key can be made: {}", with_causes(&error))))
    }

    /// Removes the files of keys that are not in this set, the one of a zone that goes unsigned: they are left of
    /// rolls that were cut short, and would pass for imported ones when it is signed again.
    pub(super) fn forget_strays(&self, zone: &Name, set: &KeySet) {
        match self.keystore.list(zone) {
            Ok(keys) => {
                let is_stray = |key: &&Dnskey| set.key(&KeyId::of(key)).is_none();
                self.forget_unused(zone, keys.iter().filter(is_stray));
            }
            Err(error) => {
                tracing::warn!(%zone, error = with_causes(&error), "files of unused keys may stay");
            }
        }
    }

    /// Removes the files of those of these keys that are not in the zone's key set.
    pub(super) fn forget_unused<'a>(
        &self,
        zone: &Name,
        keys: impl IntoIterator<Item = &'a Dnskey>,
    ) {
        // Of a zone that is not known nobody can say what it uses.
        let Ok(state) = self.publisher.signing(zone) else { return };
        let set = state.current.map(|(_, keys)| keys);
        let is_used = |key: &Dnskey| {
            set.as_ref().is_some_and(|set| set.keys().iter().any(|it| it.dnskey == *key))
        };
        for key in keys.into_iter().filter(|key| !is_used(key)) {
            if let Err(error) = self.keystore.remove(zone, key) {
                tracing::warn!(%zone, error = with_causes(&error), "the file of an unused key stays");
            }
        }
    }
}
