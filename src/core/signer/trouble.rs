//! What is wrong with a zone after a turn, or waits for a person.

use super::alarm::Trouble;
use super::facts::{Chain, served_dnskeys};
use super::handle::Inner;
use super::parent::Sight;
use crate::publish::SigningState;
use crate::rollover::Policy;
use crate::wire::Name;

/// With how much left signatures of a zone that is signed elsewhere end soon, in seconds.
const SOON_S: i64 = 2 * 86_400;

impl Inner {
    /// Notes what is wrong, and logs what is new of it. `why` is why the turn went no further.
    pub(super) fn tell_troubles(&self, zone: &Name, state: &SigningState, why: Option<String>) {
        let mut troubles: Vec<Trouble> =
            why.into_iter().map(|why| Trouble::Stopped { why }).collect();
        troubles.extend(self.signatures_end(state));
        let seen = self.note(zone, |notes| notes.seen.clone()).flatten();
        if let Some(seen) = seen {
            troubles.extend(chain(zone, state, &seen.sight));
        }
        if let Some((policy, keys)) = &state.current {
            let facts = self.facts(zone, state);
            let faults = policy.check(facts.max_zone_ttl);
            let fault = faults.into_iter().next().or_else(|| Policy::check_ds(facts.parents.ttl));
            troubles.extend(fault.map(|fault| Trouble::Policy { why: fault.to_string() }));
            let waits = keys.waits(policy, &facts, self.now_s()).into_iter();
            let waits = waits.filter(|wait| wait.is_for_person());
            troubles.extend(waits.map(|wait| Trouble::Waits(Box::new(wait))));
        }
        let news = self.note(zone, |notes| notes.alarms.set(troubles, (self.now_ms)()));
        let Some(news) = news else { return };
        for alarm in news.told {
            match alarm.trouble {
                trouble @ (Trouble::Waits(_) | Trouble::Policy { .. }) => {
                    tracing::warn!(event = "signing_trouble", %zone, "{trouble}");
                }
                trouble => tracing::error!(event = "signing_trouble", %zone, "{trouble}"),
            }
        }
        for word in news.over {
            tracing::info!(event = "signing_over", %zone, trouble = word,
                "over: all is well with it again");
        }
    }

    /// Signatures that end although they should have been made anew long ago.
    fn signatures_end(&self, state: &SigningState) -> Option<Trouble> {
        let at = state.first_end?;
        let left = at.saturating_sub(i64::try_from(self.now_s()).unwrap_or(i64::MAX));
        let policy = state.current.as_ref().map(|(policy, _)| policy);
        let soon = policy.map_or(SOON_S, |policy| i64::from(policy.refresh_s / 2));
        (left < soon).then_some(Trouble::SignaturesEnd { at })
    }
}

/// What is wrong between the DS records at the parent and the keys of a zone.
fn chain(zone: &Name, state: &SigningState, sight: &Sight) -> Option<Trouble> {
    let dnskeys: Vec<Box<[u8]>> = match &state.current {
        Some((_, keys)) => {
            let published = keys.published();
            let signers = keys.key_signers().into_iter().filter(|id| published.contains(id));
            signers.filter_map(|id| Some(keys.key(&id)?.dnskey.rdata())).collect()
        }
        None => served_dnskeys(state),
    };
    let should_have = match &state.current {
        Some((_, keys)) => keys.is_trusted() && !keys.is_leaving(),
        None => false,
    };
    match Chain::of(zone, sight, &dnskeys) {
        Chain::Broken(servers) => {
            let ds = sight.records().iter().map(ToString::to_string).collect();
            Some(Trouble::DsMismatch { servers, ds })
        }
        Chain::Partly(servers) if should_have => Some(Trouble::DsMissing { servers }),
        Chain::None if should_have => {
            let servers = sight.servers.iter().map(|server| server.name.clone()).collect();
            Some(Trouble::DsMissing { servers })
        }
        Chain::Unknown | Chain::None | Chain::Whole | Chain::Partly(_) => None,
    }
}
