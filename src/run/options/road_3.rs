//! The options of road 3: accounts, pages, and the desk with its rules and lists.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{MIB, OptionError};
use crate::config::{self, Settings};
use crate::queue::regions::{Regions, parse_offices};
use crate::queue::targets::{Prefix, prefixes};
use crate::queue::{Bind, Calendar, Hours, Naming, Rules, Targets};
use crate::run::time::now_ms;
use crate::{desk, people, uploads, web};

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
        drafts: web::DraftLimits {
            count: settings.public.drafts,
            per_network: settings.public.drafts_per_network,
            octets: settings.public.drafts_mib * MIB,
        },
        door: web::DoorLimits {
            places: settings.web.connections,
            per_network: settings.web.connections_per_address,
            idle: Duration::from_secs(settings.web.idle_seconds),
            ..web::DoorLimits::default()
        },
        hashes_waiting: settings.people.sign_ins_waiting,
        answer_max: web::ANSWER_MAX,
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
            ..Rules::default()
        },
        calendar: calendar(settings)?,
        naming: naming(settings)?,
        targets: targets(settings)?,
        probe: settings.probe.enabled,
        probe_time: Duration::from_secs(settings.probe.seconds),
        probes: settings.probe.at_once,
        promote_with_approval: settings.approval.promote == config::Promote::WithApproval,
        audit_daily: settings.audit.daily,
        strangers: desk::StrangerLimits {
            open: settings.public.open,
            open_per_network: settings.public.open_per_network,
            open_per_mailbox: settings.public.open_per_mailbox,
            open_per_office: settings.public.open_per_office,
            letters: settings.public.letters_mib * MIB,
        },
        ..desk::Options::new(state_dir, Arc::new(now_ms))
    })
}

/// Working hours, other hours for a period, and the holidays of the file if there is one.
pub(in crate::run) fn calendar(settings: &Settings) -> Result<Calendar, OptionError> {
    let hours = Hours::parse(&settings.work.hours).map_err(|error| OptionError::Choice {
        key: "work.hours",
        text: error.to_string(),
        choices: "hours as in \"Mon-Fri 08:00-16:00\"",
    })?;
    let mut calendar = Calendar::new(hours);
    for text in &settings.work.overrides {
        let wrong = || OptionError::Choice {
            key: "work.overrides",
            text: text.clone(),
            choices: "FIRST LAST HOURS, as in \"2027-02-08 2027-03-09 Mon-Fri 08:00-15:00\"",
        };
        let mut parts = text.trim().splitn(3, char::is_whitespace);
        let (first, last) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let hours = Hours::parse(parts.next().unwrap_or_default()).map_err(|_| wrong())?;
        calendar.add_override(first, last, hours).map_err(|_| wrong())?;
    }
    let path = &settings.work.holidays;
    if path.as_os_str().is_empty() {
        return Ok(calendar);
    }
    let text = table("work.holidays", path)?;
    calendar.add_holidays(&text).map_err(|error| {
        bad_table("work.holidays", path, format!("{error}: a line is date,name,source"))
    })?;
    Ok(calendar)
}

/// Naming rules, with the lists that the settings name in place of those shipped.
fn naming(settings: &Settings) -> Result<Naming, OptionError> {
    let mut naming = Naming {
        min_length: settings.naming.min_length,
        ormas: settings.naming.ormas,
        ..Naming::default()
    };
    let (regions, offices) = (&settings.naming.regions, &settings.naming.offices);
    if !regions.as_os_str().is_empty() {
        let text = table("naming.regions", regions)?;
        naming.regions =
            Regions::parse(&text).map_err(|error| bad_table("naming.regions", regions, error))?;
    }
    if !offices.as_os_str().is_empty() {
        let text = table("naming.offices", offices)?;
        naming.offices =
            parse_offices(&text).map_err(|error| bad_table("naming.offices", offices, error))?;
    }
    Ok(naming)
}

/// Rules about targets.
fn targets(settings: &Settings) -> Result<Targets, OptionError> {
    let prefix = |text: &String| {
        text.parse().map_err(|_| OptionError::Network { key: "targets.allow", text: text.clone() })
    };
    Ok(Targets {
        allow: settings.targets.allow.iter().map(prefix).collect::<Result<_, _>>()?,
        refuse_hijackable: settings.targets.hijackable == config::Hijackable::Refuse,
        indonesia: indonesia(&settings.targets.indonesia)?,
        ..Targets::default()
    })
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
fn bad_table(key: &'static str, path: &Path, reason: impl ToString) -> OptionError {
    OptionError::Table { key, path: path.to_owned(), reason: reason.to_string() }
}
