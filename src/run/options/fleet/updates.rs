//! Who may change a zone by UPDATE: `[[zone]] update`.

use super::Compiling;
use crate::config::{Settings, UpdateApplicant, UpdateGrant, UpdateHow, ZoneSettings};
use crate::fleet::{Applicant, UpdateRules};
use crate::update::{Grant, Grants, How};
use crate::wire::Name;

/// The grants of a zone; `None` if there are none. Faults are noted with their keys.
pub(super) fn rules(
    compiling: &mut Compiling,
    settings: &Settings,
    key: &str,
    zone: &ZoneSettings,
) -> Option<UpdateRules> {
    // An invalid name is a finding of its own.
    let apex: Name = zone.name.get_ref().parse().ok()?;
    if !zone.update.is_empty() && !zone.primaries.is_empty() {
        let message = "a zone that is transferred from its primaries is changed there: take update or \
                       primaries out";
        compiling.fault(format!("{key}.update"), message.to_owned());
    }
    let (mut list, mut applicants) = (Vec::new(), Vec::new());
    for (at, grant) in zone.update.iter().enumerate() {
        let at = format!("{key}.update[{at}]");
        let name = compiling.known_key(settings, format!("{at}.key"), &grant.key);
        applicants.extend(name.clone().zip(applicant(compiling, &at, grant)));
        let how = match grant.how {
            UpdateHow::Direct => How::Direct,
            UpdateHow::Propose => How::Propose,
        };
        let of = name.unwrap_or_else(Name::root);
        match Grant::read(apex.as_ref(), of, (&grant.names, &grant.types), how) {
            Ok(read) => list.push(read),
            Err(faults) => {
                faults.into_iter().for_each(|it| compiling.fault(at.clone(), it.to_string()));
            }
        }
    }
    (!list.is_empty()).then(|| UpdateRules { grants: Grants::new(apex, list), applicants })
}

/// The applicant in whose name a proposing key files requests.
fn applicant(compiling: &mut Compiling, at: &str, grant: &UpdateGrant) -> Option<Applicant> {
    let of = &grant.applicant;
    match (grant.how, of) {
        (UpdateHow::Direct, None) => None,
        (UpdateHow::Direct, Some(_)) => {
            let message = "applicant has an effect only with how = \"propose\"";
            compiling.fault(format!("{at}.applicant"), message.to_owned());
            None
        }
        (UpdateHow::Propose, _) if !cfg!(feature = "approval") => {
            let message = "this gapura was built without the queue: nothing can be proposed";
            compiling.fault(format!("{at}.how"), message.to_owned());
            None
        }
        (UpdateHow::Propose, None) => {
            let message = "how = \"propose\" needs applicant = { office = …, class = …, purpose = …, name = …, \
                           position = …, email = …, phone = …, letter = …, letter_date = … }: a request has them and an \
                           UPDATE does not";
            compiling.fault(format!("{at}.how"), message.to_owned());
            None
        }
        (UpdateHow::Propose, Some(of)) => {
            check(compiling, at, of);
            Some(read(of))
        }
    }
}

/// Notes the fields of an applicant that no request could have.
fn check(compiling: &mut Compiling, at: &str, of: &UpdateApplicant) {
    for (key, text) in [
        ("office", &of.office),
        ("purpose", &of.purpose),
        ("name", &of.name),
        ("position", &of.position),
        ("email", &of.email),
        ("phone", &of.phone),
        ("letter", &of.letter),
        ("letter_date", &of.letter_date),
    ] {
        if text.trim().is_empty() {
            let message = format!("applicant.{key} is empty: every request needs it");
            compiling.fault(format!("{at}.applicant"), message);
        }
    }
    #[cfg(feature = "approval")]
    for (key, text, is_right) in [
        ("class", &of.class, of.class.parse::<crate::queue::NamingClass>().is_ok()),
        ("email", &of.email, crate::queue::person::is_mailbox(of.email.trim())),
        ("letter_date", &of.letter_date, crate::queue::time::day_number(&of.letter_date).is_some()),
    ] {
        if !is_right && !text.trim().is_empty() {
            let message = match key {
                "class" => {
                    format!("\"{text}\" is not a naming class: docs/procedure.md lists them")
                }
                "email" => format!("\"{text}\" is not a mailbox"),
                _ => format!("\"{text}\" is not a date: write it as 2026-11-26"),
            };
            compiling.fault(format!("{at}.applicant"), message);
        }
    }
}

/// An applicant of the settings.
fn read(of: &UpdateApplicant) -> Applicant {
    let of = of.clone();
    Applicant {
        office: of.office,
        class: of.class,
        purpose: of.purpose,
        name: of.name,
        position: of.position,
        email: of.email,
        phone: of.phone,
        letter: of.letter,
        letter_date: of.letter_date,
    }
}
