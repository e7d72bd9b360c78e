//! The policies of signing: `[[signing]]`, and the zones that name one.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use super::OptionError;
use super::fleet::{PORT, address};
use crate::config::{DenialKind, KeyArrangement, Settings, SigningSettings, ZoneSettings};
use crate::dnssec::UnknownAlgorithm;
use crate::rollover::{Arrangement, Denial, Policy};
use crate::wire::TTL_MAX;

/// The policy that exists without a table in the settings.
const DEFAULT: &str = "default";
/// Seconds of a day.
const DAY_S: u32 = 86_400;

//------------ Policies ------------------------------------------------------

/// The policy by which a zone is signed; `None` if it is not. An invalid policy is a finding of its own.
pub(super) fn policy(settings: &Settings, zone: &ZoneSettings) -> Option<Arc<Policy>> {
    let found = find(settings, &zone.signing).filter(|_| zone_fault(settings, zone).is_none())?;
    read(&found).ok().map(Arc::new)
}

/// A policy of the settings.
fn read(signing: &SigningSettings) -> Result<Policy, UnknownAlgorithm> {
    let days = |days: u32| days.saturating_mul(DAY_S);
    Ok(Policy {
        name: signing.name.get_ref().clone(),
        algorithm: signing.algorithm.parse()?,
        arrangement: match signing.keys {
            KeyArrangement::Csk => Arrangement::Csk,
            KeyArrangement::KskZsk => Arrangement::KskZsk,
        },
        denial: match signing.denial {
            DenialKind::Nsec => Denial::Nsec,
            DenialKind::Nsec3 => Denial::Nsec3,
        },
        lifetime_s: days(signing.lifetime_days),
        refresh_s: days(signing.refresh_days),
        zsk_s: days(signing.zsk_days),
        ksk_s: days(signing.ksk_days),
        cds: signing.cds,
        manual: signing.manual,
        dnskey_ttl: signing.dnskey_ttl,
        propagation_s: signing.propagation_seconds,
        parent_ds_ttl_s: signing.parent_ds_ttl,
        parents: signing.parents.iter().filter_map(|text| server(text).ok()).collect(),
    })
}

/// All faults of policies and of zones that name one, with their keys.
pub(super) fn faults(settings: &Settings) -> Vec<(String, OptionError)> {
    let mut faults = Vec::new();
    let mut names = BTreeSet::new();
    for (at, signing) in settings.signings.iter().enumerate() {
        let key = format!("signing[{at}]");
        let name = signing.name.get_ref().as_str();
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            let message = "a [[signing]] needs a name by which zones refer to it".to_owned();
            faults.push((format!("{key}.name"), OptionError::Signing(message)));
        }
        if !names.insert(name) {
            let message = format!("policy \"{name}\" is given twice: give each its own name");
            faults.push((format!("{key}.name"), OptionError::Signing(message)));
        }
        match read(signing) {
            Err(unknown) => {
                let message = format!("\"{}\" is not an algorithm: {unknown}", signing.algorithm);
                faults.push((format!("{key}.algorithm"), OptionError::Signing(message)));
            }
            // The TTLs of a zone are checked with the zone. The text of a fault begins with its setting.
            Ok(policy) => faults.extend(policy.check(0).into_iter().map(|fault| {
                let message = fault.to_string();
                let setting = message.split(':').next().unwrap_or_default().to_owned();
                (format!("{key}.{setting}"), OptionError::Signing(message))
            })),
        }
        if signing.dnskey_ttl > TTL_MAX {
            let message =
                format!("dnskey_ttl is {}: a TTL has at most {TTL_MAX} s", signing.dnskey_ttl);
            faults.push((format!("{key}.dnskey_ttl"), OptionError::Signing(message)));
        }
        for (parent, text) in signing.parents.iter().enumerate() {
            let wrong = server(text).err();
            faults.extend(wrong.map(|error| (format!("{key}.parents[{parent}]"), error)));
        }
    }
    for (at, zone) in settings.zones.iter().enumerate() {
        faults
            .extend(zone_fault(settings, zone).map(|error| (format!("zone[{at}].signing"), error)));
    }
    faults
}

/// What is wrong with the policy that a zone names.
fn zone_fault(settings: &Settings, zone: &ZoneSettings) -> Option<OptionError> {
    let (apex, policy) = (zone.name.get_ref(), zone.signing.as_str());
    if policy.is_empty() {
        return None;
    }
    let is_made = zone.file.as_os_str().is_empty() && zone.primaries.is_empty();
    let message = if is_made || zone.consume {
        format!(
            "zone {apex} is a catalog zone, which resolvers never query: remove `signing`; transfers of it are \
             protected by a key"
        )
    } else if find(settings, policy).is_none() {
        format!(
            "zone {apex}: there is no [[signing]] named \"{policy}\": add one, or write \"{DEFAULT}\", which is \
             always there"
        )
    } else {
        return None;
    };
    Some(OptionError::Signing(message))
}

/// The settings of a policy.
fn find(settings: &Settings, name: &str) -> Option<SigningSettings> {
    let mut signings = settings.signings.iter();
    let found = signings.find(|signing| signing.name.get_ref() == name).cloned();
    found.or_else(|| (name == DEFAULT).then(SigningSettings::default))
}

/// One of the parent's name servers.
fn server(text: &str) -> Result<SocketAddr, OptionError> {
    let contact = address(text, PORT).and_then(|(contact, _)| contact);
    contact.ok_or_else(|| {
        OptionError::Signing(format!(
            "\"{text}\" is not the address of a name server: write 192.0.2.1, 192.0.2.1:5353, 2001:db8::1 or \
             [2001:db8::1]:5353"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::options::told;

    #[test]
    fn every_fault_is_told_at_its_key() {
        let told = told(
            faults,
            "[[signing]]\nname = \"a\"\nalgorithm = \"rsasha1\"\nparents = [\"192.0.2.1\", \"ns.id\", \"192.0.2.0/24\", \"[2001:db8::1]:54\"]\n\
             [[signing]]\nname = \"a\"\nlifetime_days = 7\n\
             [[signing]]\nname = \"\"\nkeys = \"ksk+zsk\"\nzsk_days = 1\ndnskey_ttl = 86400\n\
             [[signing]]\nname = \"ttl\"\ndnskey_ttl = 4000000000\n\
             [[zone]]\nname = \"one.\"\nfile = \"f\"\nsigning = \"a\"\n\
             [[zone]]\nname = \"two.\"\nfile = \"f\"\nsigning = \"default\"\n\
             [[zone]]\nname = \"three.\"\nprimaries = [\"r\"]\nsigning = \"A\"\n\
             [[zone]]\nname = \"cat.\"\nsigning = \"a\"\n\
             [[zone]]\nname = \"list.\"\nprimaries = [\"r\"]\nconsume = true\nsigning = \"a\"\n",
        );
        let keys: Vec<&str> = told.iter().filter_map(|one| one.split(':').next()).collect();
        assert_eq!(
            keys,
            [
                "signing[0].algorithm",
                "signing[0].parents[1]",
                "signing[0].parents[2]",
                "signing[1].name",
                "signing[1].refresh_days",
                "signing[2].name",
                "signing[2].zsk_days",
                "signing[3].refresh_days",
                "signing[3].dnskey_ttl",
                "zone[2].signing",
                "zone[3].signing",
                "zone[4].signing",
            ],
            "{told:#?}"
        );
        assert!(told[0].contains("use ecdsap256sha256"), "{}", told[0]);
        assert!(told[9].contains("no [[signing]] named \"A\""), "{}", told[9]);
        assert!(told[10].contains("catalog zone"), "{}", told[10]);
    }

    #[test]
    fn the_settings_policy_is_that_of_the_machine() {
        let settings = |text: &str| -> Settings { toml::from_str(text).unwrap() };
        let of = |text: &str| {
            let settings = settings(&format!(
                "{text}[[zone]]\nname = \"z.\"\nfile = \"f\"\nsigning = \"default\"\n"
            ));
            policy(&settings, &settings.zones[0]).map(|policy| (*policy).clone())
        };
        assert_eq!(
            of(""),
            Some(Policy::default()),
            "what is shipped, and what need not be written"
        );
        let mine = of(
            "[[signing]]\nalgorithm = \"ED25519\"\nkeys = \"ksk+zsk\"\ndenial = \"nsec3\"\nksk_days = 365\n\
             parents = [\"192.0.2.1\"]\n",
        );
        let mine = mine.unwrap();
        assert_eq!((mine.arrangement, mine.denial), (Arrangement::KskZsk, Denial::Nsec3));
        assert_eq!((mine.ksk_s, mine.parents[0].port()), (365 * DAY_S, PORT));
        let none = settings("[[zone]]\nname = \"z.\"\nfile = \"f\"\n");
        assert_eq!(policy(&none, &none.zones[0]), None);
    }
}
