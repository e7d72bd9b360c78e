//! The identity of the office, and where sites may be hosted.

use std::path::Path;
use std::sync::Arc;

use super::OptionError;
use super::road_3::{bad_table, hours};
use crate::config::{Office, Settings, Sheet};
use crate::files;
use crate::paper::check_coat_of_arms;
use crate::queue::Rule;
use crate::queue::lists::{hosting_fault, identity_fault};
use crate::words;

/// The rule for a short text.
const SHORT: &str = "one line of 1 to 200 characters";
/// Longest text of `[office]`, in characters.
const OFFICE_TEXT_MAX: usize = 200;
/// Largest coat of arms, in octets.
const COAT_OF_ARMS_MAX: usize = 1 << 20;

/// The office that pages, mails and papers name.
pub(in crate::run) fn office(settings: &Settings) -> Result<words::Office, OptionError> {
    let coat_of_arms = coat_of_arms(&settings.office.coat_of_arms)?;
    Ok(words::Office { coat_of_arms, ..named(settings)? })
}

/// The same without its coat of arms, which takes a trial rendering to check.
pub(super) fn named(settings: &Settings) -> Result<words::Office, OptionError> {
    let from = settings.office.clone();
    Ok(words::Office {
        coat_of_arms: None,
        government: from.government,
        name: from.name,
        short_name: from.short_name,
        region: from.region,
        unit: from.unit,
        place: from.place,
        address: from.address,
        telephone: from.telephone,
        email: from.email,
        website: from.website,
        folio: from.paper == Sheet::F4,
        head: from.head,
        verifier: from.verifier,
        privacy_officer: from.privacy_officer,
        procedure: from.procedure,
        hours: hours(settings)?,
    })
}

/// Invalid settings of the office and of hosting places, with their keys.
pub(super) fn faults(settings: &Settings) -> Vec<(String, OptionError)> {
    let office = &settings.office;
    let texts = text_faults(office).into_iter().map(|(key, wrong)| (key.to_owned(), wrong));
    let mut faults: Vec<_> = texts.collect();
    let mut add = |key: String, wrong: Option<OptionError>| {
        faults.extend(wrong.map(|error| (key, error)));
    };
    add("office.coat_of_arms".to_owned(), coat_of_arms(&office.coat_of_arms).err());
    for (at, hosting) in settings.hostings.iter().enumerate() {
        add(format!("hosting[{at}].name"), short("hosting.name", &hosting.name).err());
        add(format!("hosting[{at}].target"), hosting_target(&hosting.target).err());
    }
    faults
}

/// Invalid texts of `[office]`.
fn text_faults(office: &Office) -> Vec<(&'static str, OptionError)> {
    let lines = [
        ("office.government", &office.government),
        ("office.name", &office.name),
        ("office.short_name", &office.short_name),
        ("office.region", &office.region),
        ("office.unit", &office.unit),
        ("office.place", &office.place),
        ("office.address", &office.address),
        ("office.telephone", &office.telephone),
        ("office.email", &office.email),
        ("office.website", &office.website),
        ("office.head", &office.head),
        ("office.verifier", &office.verifier),
        ("office.privacy_officer", &office.privacy_officer),
        ("office.procedure", &office.procedure),
    ];
    let fault = |(key, text): (&'static str, &String)| {
        let rule = identity_fault(key.trim_start_matches("office."), text)?;
        let choices = match rule {
            Rule::BadEmail => "an address as \"diskominfo@example.go.id\"",
            Rule::BadSite => "an address as \"https://example.go.id\"",
            _ => SHORT,
        };
        let text = text.chars().take(OFFICE_TEXT_MAX).collect();
        Some((key, OptionError::Choice { key, text, choices }))
    };
    lines.into_iter().filter_map(fault).collect()
}

/// A text of one short line.
fn short(key: &'static str, text: &str) -> Result<(), OptionError> {
    let is_line = !text.trim().is_empty() && !text.contains(char::is_control);
    if is_line && text.chars().count() <= OFFICE_TEXT_MAX {
        return Ok(());
    }
    Err(OptionError::Choice {
        key,
        text: text.chars().take(OFFICE_TEXT_MAX).collect(),
        choices: SHORT,
    })
}

/// The coat of arms, if the settings name one.
fn coat_of_arms(path: &Path) -> Result<Option<Arc<[u8]>>, OptionError> {
    const KEY: &str = "office.coat_of_arms";
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let bytes = files::open(path).map_err(Into::into);
    let bytes = bytes.and_then(|file| files::read_at_most(&file, COAT_OF_ARMS_MAX));
    let bytes = bytes.map_err(|error| bad_table(KEY, path, error))?;
    check_coat_of_arms(&bytes).map_err(|error| bad_table(KEY, path, error))?;
    Ok(Some(Arc::from(bytes.as_slice())))
}

/// Where sites may be hosted: name and target.
fn hosting_target(text: &str) -> Result<(), OptionError> {
    if hosting_fault(text).is_none() {
        return Ok(());
    }
    Err(OptionError::Choice {
        key: "hosting.target",
        text: text.to_owned(),
        choices: "an IP address, or the name of a server",
    })
}
