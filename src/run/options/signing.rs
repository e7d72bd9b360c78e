//! The policies of signing: `[[signing]]`, and the zones that name one.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::OptionError;
use super::fleet::{PORT, address};
use crate::config::{Settings, SigningSettings, ZoneSettings};

/// The policy that need not stand in the settings.
const DEFAULT: &str = "default";

//------------ Policies ------------------------------------------------------

/// All that is wrong with policies and the zones that name one, with their keys.
pub(super) fn faults(settings: &Settings) -> Vec<(String, OptionError)> {
    let mut faults = Vec::new();
    let mut names = BTreeSet::new();
    for (at, signing) in settings.signings.iter().enumerate() {
        let key = format!("signing[{at}]");
        let name = signing.name.get_ref().as_str();
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            let message = "a [[signing]] needs a name by which zones mean it".to_owned();
            faults.push((format!("{key}.name"), OptionError::Signing(message)));
        }
        if !names.insert(name) {
            let message = format!("policy \"{name}\" is given twice: give each its own name");
            faults.push((format!("{key}.name"), OptionError::Signing(message)));
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
            "zone {apex} is a catalog zone, which no resolver asks for: take `signing` out; transfers of it are \
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
            "[[signing]]\nname = \"a\"\nparents = [\"192.0.2.1\", \"ns.id\", \"192.0.2.0/24\", \"[2001:db8::1]:54\"]\n\
             [[signing]]\nname = \"a\"\n[[signing]]\nname = \"\"\n\
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
                "signing[0].parents[1]",
                "signing[0].parents[2]",
                "signing[1].name",
                "signing[2].name",
                "zone[2].signing",
                "zone[3].signing",
                "zone[4].signing",
            ],
            "{told:#?}"
        );
        assert!(told[4].contains("no [[signing]] named \"A\""), "{}", told[4]);
        assert!(told[5].contains("catalog zone"), "{}", told[5]);
    }
}
