//! Turns the signer's alarms and waits into notices to the administrators.

use crate::desk::{Desk, SigningNews};
use crate::publish::Publisher;
use crate::queue::Deed;
use crate::rollover::{KeyId, Wait, Why};
use crate::signer::{Alarm, Signer, Trouble};
use crate::wire::Name;

/// Writes notices about every signed zone that needs attention. A failure is logged and retried at the next turn.
pub(super) fn tell(desk: &Desk, signer: &Signer, publisher: &Publisher) {
    let all = signer.all_alarms();
    let all = all.iter().flat_map(|(zone, alarms)| alarms.iter().map(move |it| (zone, it)));
    let all: Vec<SigningNews> = all.filter_map(|(zone, alarm)| news(zone, alarm)).collect();
    let untold = desk.untold_of_signing(all).unwrap_or_else(|error| {
        tracing::warn!(%error, "notices about the signing of zones were not written");
        Vec::new()
    });
    for news in untold {
        let zone = news.zone.clone();
        let ds = || {
            let state = publisher.signing(&zone);
            state.map_or_else(|_| Vec::new(), |state| state.ds_lines(&zone))
        };
        if let Err(error) = desk.tell_of_signing(&with_ds(news, ds)) {
            tracing::warn!(%zone, %error, "a notice about the zone's signing was not written");
        }
    }
}

/// Adds the DS records that the parent should have, if the task is to hand them in.
fn with_ds(news: SigningNews, ds: impl FnOnce() -> Vec<String>) -> SigningNews {
    match news.deed {
        Deed::DsMismatch | Deed::DsWanted => SigningNews { lines: ds(), ..news },
        _ => news,
    }
}

/// An alarm as a notice; `None` if it belongs in status and log only.
fn news(zone: &Name, alarm: &Alarm) -> Option<SigningNews> {
    let deed = match &alarm.trouble {
        Trouble::Stopped { .. } => Deed::SigningStopped,
        Trouble::SignaturesEnd { .. } => Deed::SignaturesEnd,
        Trouble::DsMismatch { .. } => Deed::DsMismatch,
        Trouble::DsMissing { .. } => Deed::DsWanted,
        // Settings faults are reported to the administrator who edits the settings.
        Trouble::Policy { .. } => return None,
        Trouble::Waits(wait) => return waits(zone, wait),
    };
    // The text of the reason may change while the alarm persists, so it does not identify the notice: that is repeated
    // daily.
    Some(SigningNews {
        zone: zone.clone(),
        deed,
        about: alarm.trouble.word().to_owned(),
        since_ms: None,
        reason: Some(alarm.trouble.to_string()),
        lines: Vec::new(),
    })
}

/// The same of something that a person has to do.
fn waits(zone: &Name, wait: &Wait) -> Option<SigningNews> {
    let (deed, lines) = match &wait.why {
        Why::Ds { wanted, .. } if wanted.is_empty() => (Deed::DsUnwanted, Vec::new()),
        Why::Ds { .. } => (Deed::DsWanted, Vec::new()),
        _ => {
            let (command, argument) = wait.command()?;
            let line = format!("gapura key {command} {zone} {argument}");
            (Deed::KeyStepWaits, vec![line.trim_end().to_owned()])
        }
    };
    let tag = |id: &KeyId| id.tag.to_string();
    let keys: Vec<String> = wait.old.iter().chain(&wait.new).map(tag).collect();
    let since_ms = i64::try_from(wait.since.saturating_mul(1000)).ok().filter(|since| *since > 0);
    Some(SigningNews {
        zone: zone.clone(),
        deed,
        about: format!("{} {}", wait.stage, keys.join(" ")),
        since_ms,
        reason: None,
        lines,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dnssec::{Algorithm, KSK, KeyPair};
    use crate::rollover::{Act, Place};

    /// News of an alarm.
    fn of(trouble: Trouble) -> Option<SigningNews> {
        let zone = "cirebonkab.go.id.".parse().unwrap();
        let news = news(&zone, &Alarm { trouble, since_ms: 5_000 })?;
        Some(with_ds(news, || vec!["the DS".to_owned()]))
    }

    /// Something that is waited for.
    fn wait(why: Why) -> Trouble {
        let key = KeyPair::generate(Algorithm::EcdsaP256Sha256, KSK).unwrap().0;
        let new = vec![KeyId::of(key.dnskey())];
        Trouble::Waits(Box::new(Wait {
            place: Place::Parent,
            stage: "ds-wanted",
            since: 7,
            emergency: false,
            old: Vec::new(),
            new,
            why,
        }))
    }

    #[test]
    fn each_alarm_that_a_person_can_do_something_about_becomes_a_notice_with_its_line() {
        let ds = |wanted: bool| {
            let key = KeyPair::generate(Algorithm::Ed25519, KSK).unwrap().0;
            Why::Ds {
                wanted: if wanted { vec![KeyId::of(key.dnskey())] } else { Vec::new() },
                unwanted: Vec::new(),
                missing_at: Vec::new(),
                still_at: Vec::new(),
                silent: Vec::new(),
                is_known: true,
            }
        };
        let wanted = of(wait(ds(true))).unwrap();
        assert_eq!((wanted.deed, wanted.since_ms), (Deed::DsWanted, Some(7_000)));
        assert_eq!(wanted.lines, ["the DS"]);
        let gone = of(wait(ds(false))).unwrap();
        assert_eq!((gone.deed, gone.lines.len()), (Deed::DsUnwanted, 0));
        let word = of(wait(Why::Word(Act::WantDs))).unwrap();
        assert_eq!(word.deed, Deed::KeyStepWaits);
        assert_eq!(word.lines, ["gapura key confirm cirebonkab.go.id."]);
        let stopped = of(Trouble::Stopped { why: "no key".to_owned() }).unwrap();
        assert_eq!(
            (stopped.deed, stopped.reason.as_deref()),
            (Deed::SigningStopped, Some("no key"))
        );
        let mismatch = Trouble::DsMismatch { servers: vec!["a".to_owned()], ds: Vec::new() };
        assert_eq!(of(mismatch).map(|news| news.deed), Some(Deed::DsMismatch));
        assert_eq!(of(Trouble::Policy { why: String::new() }), None);
    }
}
