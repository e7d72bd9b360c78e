//! The options of road 3: accounts, pages, and the desk with its rules and lists.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::logs::MIB;
use super::{OptionError, office, webhooks};
use crate::config::{self, Settings};
use crate::notice::Mailer;
use crate::queue::calendar::HOURS_DEFAULT;
use crate::queue::regions::{Office, Regions, parse_offices};
use crate::queue::targets::{Prefix, prefixes};
use crate::queue::{Bind, Calendar, Hours, Lifecycle, List, Naming, Rules, Targets};
use crate::run::reload::is_reloaded;
use crate::run::road_3::relay;
use crate::run::time::now_ms;
use crate::{desk, people, uploads, web};

/// Tables whose keys administrators see.
const SHOWN: [&str; 12] = [
    "approval",
    "correction",
    "naming",
    "targets",
    "probe",
    "lifecycle",
    "tokens",
    "public",
    "register",
    "uploads",
    "audit",
    "people",
];
/// Keys whose lists are changed on pages.
const ON_PAGES: [&str; 3] = ["naming.regions", "naming.offices", "targets.indonesia"];

/// All invalid settings of road 3, with their keys.
pub(super) fn faults(settings: &Settings) -> Vec<(String, OptionError)> {
    let mut faults = Vec::new();
    let mut add = |key: &str, wrong: Option<OptionError>| {
        faults.extend(wrong.map(|error| (key.to_owned(), error)));
    };
    for (key, wrong) in office::faults(settings).into_iter().chain(webhooks::faults(settings)) {
        add(&key, Some(wrong));
    }
    add("work.hours", hours(settings).err());
    for (at, text) in settings.work.overrides.iter().enumerate() {
        add(&format!("work.overrides[{at}]"), override_of(text).err());
    }
    add("work.holidays", holidays(settings).err());
    add("naming.regions", regions(settings).err());
    add("naming.offices", offices(settings).err());
    for (at, text) in settings.targets.allow.iter().enumerate() {
        add(&format!("targets.allow[{at}]"), target("targets.allow", text).err());
    }
    for (at, text) in settings.probe.allow.iter().enumerate() {
        add(&format!("probe.allow[{at}]"), target("probe.allow", text).err());
    }
    add("targets.indonesia", indonesia(&settings.targets.indonesia).err());
    let relay = Mailer::new(&relay(settings)).err().map(|error| OptionError::Choice {
        key: "mail.relay",
        text: error.to_string(),
        choices: "smtp://host:port with an address in mail.from",
    });
    add("mail.relay", relay);
    faults
}

//------------ People --------------------------------------------------------

/// Accounts and tokens.
pub(in crate::run) fn people(settings: &Settings) -> people::Options {
    people::Options {
        totp: match settings.people.totp {
            config::Policy::Required => people::TotpRule::Required,
            config::Policy::Optional => people::TotpRule::Optional,
        },
        decide_tokens: settings.tokens.decide,
        ..people::Options::new(Arc::new(now_ms))
    }
}

//------------ Web -----------------------------------------------------------

/// Pages and API; `url` is how people reach them.
pub(in crate::run) fn web(settings: &Settings, url: &str) -> web::Options {
    let zone = settings.zones.first().map(|zone| zone.name.get_ref().as_str()).unwrap_or(".");
    web::Options {
        url: url.to_owned(),
        trusted_proxies: settings.web.trusted_proxies.clone(),
        public_submit: settings.public.submit,
        submit_per_hour: settings.public.submit_per_hour,
        register_public: settings.register.public,
        zone: format!("{}.", zone.trim_end_matches('.')),
        drafts: desk::DraftLimits {
            count: settings.public.drafts,
            per_network: settings.public.drafts_per_network,
            octets: settings.public.drafts_mib * MIB,
        },
        door: web::DoorLimits {
            places: crate::serve::places_for_pages(settings.web.connections),
            per_network: settings.web.connections_per_address,
            idle: Duration::from_secs(settings.web.idle_seconds),
            ..web::DoorLimits::default()
        },
        hashes_waiting: settings.people.sign_ins_waiting,
        shown: shown(settings),
        answer_max: web::ANSWER_MAX,
        node_token: None,
    }
}

/// Settings of the procedure that only the file can change, without tables that hold secrets.
fn shown(settings: &Settings) -> Vec<web::Shown> {
    // Settings are plain data: they always have a JSON form.
    let all = serde_json::to_value(settings).unwrap_or_default();
    let mut shown = Vec::new();
    for table in SHOWN {
        for (name, value) in all[table].as_object().into_iter().flatten() {
            let key = format!("{table}.{name}");
            if ON_PAGES.contains(&key.as_str()) {
                continue;
            }
            let by_reload = is_reloaded(&key);
            shown.push(web::Shown { key, value: text_of(value), by_reload });
        }
    }
    shown
}

/// A value as text: lists with commas.
fn text_of(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(all) => all.iter().map(text_of).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

//------------ Uploads -------------------------------------------------------

/// How letters are read.
pub(in crate::run) fn uploads(settings: &Settings) -> uploads::Options {
    let from = &settings.uploads;
    uploads::Options {
        at_once: from.at_once,
        seconds: from.seconds,
        memory_mib: from.memory_mib,
        scanner: from.scanner.clone(),
        scanner_seconds: from.scanner_seconds,
        ..uploads::Options::new(settings.server.state_dir.join(desk::LETTERS))
    }
}

//------------ Desk ----------------------------------------------------------

/// The desk.
pub(in crate::run) fn desk(settings: &Settings) -> Result<desk::Options, OptionError> {
    let state_dir = settings.server.state_dir.clone();
    Ok(desk::Options {
        rules: Rules {
            correction_days: i64::from(settings.correction.days),
            bind: match settings.approval.bind {
                config::Bind::Candidate => Bind::Candidate,
                config::Bind::Serial => Bind::Serial,
            },
            camat: settings.approval.camat,
            emergencies: settings.approval.emergencies,
            lifecycle: lifecycle(settings),
            ..Rules::default()
        },
        calendar: calendar(settings)?,
        naming: naming(settings)?,
        targets: targets(settings)?,
        hostings: settings
            .hostings
            .iter()
            .map(|from| (from.name.clone(), from.target.clone()))
            .collect(),
        identity: office::named(settings)?.lines(),
        of_file: of_file(settings),
        probe: settings.probe.enabled,
        probe_time: Duration::from_secs(settings.probe.seconds),
        probes: settings.probe.at_once,
        probe_allow: networks("probe.allow", &settings.probe.allow)?,
        auto_suspend: settings.probe.auto_suspend,
        promote_with_approval: settings.approval.promote == config::Promote::WithApproval,
        audit_daily: settings.audit.daily,
        strangers: desk::StrangerLimits {
            open: settings.public.open,
            open_per_network: settings.public.open_per_network,
            open_per_mailbox: settings.public.open_per_mailbox,
            open_per_office: settings.public.open_per_office,
            letters: settings.public.letters_mib * MIB,
        },
        webhooks: webhooks::hooks(settings)?,
        ..desk::Options::new(state_dir, Arc::new(now_ms))
    })
}

/// The yearly review of names.
fn lifecycle(settings: &Settings) -> Lifecycle {
    let from = &settings.lifecycle;
    Lifecycle {
        ask_days: from.ask_days.into(),
        remind_days: from.remind_days.into(),
        suspend_days: from.suspend_days.into(),
        remove_days: from.remove_days.into(),
        end_notice_days: from.end_notice_days.iter().copied().map(i64::from).collect(),
        ended_remove_days: from.ended_remove_days.into(),
    }
}

/// The lists that the settings set; a value equal to the shipped one does not count.
fn of_file(settings: &Settings) -> BTreeSet<List> {
    let named = |path: &Path| !path.as_os_str().is_empty();
    let given = |list: &List| match list {
        List::Identity => settings.office != config::Office::default(),
        List::Hours => settings.work.hours != HOURS_DEFAULT,
        List::OtherHours => !settings.work.overrides.is_empty(),
        List::Holidays => named(&settings.work.holidays),
        List::Offices => named(&settings.naming.offices),
        List::Regions => named(&settings.naming.regions),
        List::Indonesia => named(&settings.targets.indonesia),
        List::Hostings => !settings.hostings.is_empty(),
        List::Spellings | List::Reserved | List::Hijackable => false,
    };
    List::ALL.into_iter().filter(given).collect()
}

/// Working hours, other hours for a period, and the holidays of the file if there is one.
pub(super) fn calendar(settings: &Settings) -> Result<Calendar, OptionError> {
    let mut calendar = Calendar::new(hours(settings)?);
    for text in &settings.work.overrides {
        let (first, last, hours) = override_of(text)?;
        calendar.add_override(first, last, hours).map_err(|_| wrong_override(text))?;
    }
    if let Some(text) = holidays(settings)? {
        // They were validated before: this cannot fail.
        drop(calendar.add_holidays(&text));
    }
    Ok(calendar)
}

/// The working hours.
pub(super) fn hours(settings: &Settings) -> Result<Hours, OptionError> {
    Hours::parse(&settings.work.hours).map_err(|error| OptionError::Choice {
        key: "work.hours",
        text: error.to_string(),
        choices: "hours as in \"Mon-Fri 08:00-16:00\"",
    })
}

/// Other hours for a period: first and last day, and the hours.
fn override_of(text: &str) -> Result<(&str, &str, Hours), OptionError> {
    let mut parts = text.trim().splitn(3, char::is_whitespace);
    let (first, last) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let hours = Hours::parse(parts.next().unwrap_or_default()).map_err(|_| wrong_override(text))?;
    let tried = Calendar::new(Hours::default()).add_override(first, last, hours.clone());
    tried.map(|()| (first, last, hours)).map_err(|_| wrong_override(text))
}

/// The error of other hours that cannot be read.
fn wrong_override(text: &str) -> OptionError {
    OptionError::Choice {
        key: "work.overrides",
        text: text.to_owned(),
        choices: "FIRST LAST HOURS, as in \"2027-02-08 2027-03-09 Mon-Fri 08:00-15:00\"",
    }
}

/// The text of the holidays' file, if there is one, which reads.
fn holidays(settings: &Settings) -> Result<Option<String>, OptionError> {
    let path = &settings.work.holidays;
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let text = table("work.holidays", path)?;
    let read = Calendar::new(Hours::default()).add_holidays(&text);
    read.map_err(|error| {
        bad_table("work.holidays", path, format!("{error}: a line is date,name,source"))
    })?;
    Ok(Some(text))
}

/// Naming rules, with the lists that the settings name in place of those shipped.
pub fn naming(settings: &Settings) -> Result<Naming, OptionError> {
    let mut naming = Naming {
        min_length: settings.naming.min_length,
        ormas: settings.naming.ormas,
        ..Naming::default()
    };
    if let Some(regions) = regions(settings)? {
        naming.regions = regions;
    }
    if let Some(offices) = offices(settings)? {
        naming.offices = offices;
    }
    Ok(naming)
}

/// The regions of the file, if the settings name one.
fn regions(settings: &Settings) -> Result<Option<Regions>, OptionError> {
    let path = &settings.naming.regions;
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let read = Regions::parse(&table("naming.regions", path)?);
    read.map(Some).map_err(|error| bad_table("naming.regions", path, error))
}

/// The offices of the file, if the settings name one.
fn offices(settings: &Settings) -> Result<Option<Vec<Office>>, OptionError> {
    let path = &settings.naming.offices;
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let read = parse_offices(&table("naming.offices", path)?);
    read.map(Some).map_err(|error| bad_table("naming.offices", path, error))
}

/// Rules about targets.
fn targets(settings: &Settings) -> Result<Targets, OptionError> {
    Ok(Targets {
        allow: networks("targets.allow", &settings.targets.allow)?,
        refuse_hijackable: settings.targets.hijackable == config::Hijackable::Refuse,
        indonesia: indonesia(&settings.targets.indonesia)?,
        ..Targets::default()
    })
}

/// Networks of targets.
fn networks(key: &'static str, texts: &[String]) -> Result<Vec<Prefix>, OptionError> {
    texts.iter().map(|text| target(key, text)).collect()
}

/// One network of targets.
fn target(key: &'static str, text: &str) -> Result<Prefix, OptionError> {
    text.parse().map_err(|_| OptionError::Network { key, text: text.to_owned() })
}

/// The networks in Indonesia, if the settings name a file of them.
fn indonesia(path: &Path) -> Result<Option<Vec<Prefix>>, OptionError> {
    const KEY: &str = "targets.indonesia";
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let found = prefixes(&table(KEY, path)?);
    found.map(Some).map_err(|error| bad_table(KEY, path, error))
}

//------------ Helpers -------------------------------------------------------

/// The text of a table that the settings name.
fn table(key: &'static str, path: &Path) -> Result<String, OptionError> {
    std::fs::read_to_string(path).map_err(|error| bad_table(key, path, error))
}

/// The error of a table that cannot be read.
pub(super) fn bad_table(key: &'static str, path: &Path, reason: impl ToString) -> OptionError {
    OptionError::Table { key, path: path.to_owned(), reason: reason.to_string() }
}
