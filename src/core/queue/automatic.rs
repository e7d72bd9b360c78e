//! The automatic lines A1 to A11 of the check sheet: pure functions over handed-in evidence.
//!
//! They run when a request is opened and again inside the approving act. [`refusals`] is the part
//! that already stops a request at submit; the rest is left to the officers.

use super::application::{Application, Kind, NamingClass};
use super::fault::{Fault, Rule};
use super::fields::FIELDS;
use super::labels;
use super::line::LineCode;
use super::live::LiveState;
use super::naming::{Naming, telling_label};
use super::person::{is_mailbox, is_phone, nip};
use super::personal::holds_personal_number;
use super::reading::Reading;
use super::record_rules::check_records;
use super::regions::same_office;
use super::sheet::{AutoLine, Outcome, Overrule};
use super::similar::{alike, resemble};
use super::targets::{Targets, special_name};
use super::time::{DAY_MS, MINUTE_MS, day_number, day_of, is_recent};
use crate::wire::{Name, Rtype};

/// Longest string of a TXT record, in octets.
const TXT_STRING_MAX: usize = 255;
/// Look-alike names shown at most.
const SIMILAR_MAX: usize = 10;
/// How long a probe's result may be used, in milliseconds.
pub const PROBE_FRESH_MS: i64 = 10 * MINUTE_MS;
/// The longest time until a site has its place.
const HOSTING_MS: i64 = 90 * DAY_MS;
/// The longest term of a civil organisation's name: a year and a day, for leap years.
const ORMAS_TERM_MS: i64 = 366 * DAY_MS;

//------------ Evidence ------------------------------------------------------

/// Everything the lines are computed from.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// Epoch milliseconds.
    pub now: i64,
    /// The naming rules.
    pub naming: &'a Naming,
    /// The rules about targets.
    pub targets: &'a Targets,
    /// What the zone as served says about the name.
    pub zone: &'a ZoneFacts,
    /// What the queue and the live records say about it.
    pub queue: &'a QueueFacts,
    /// Names to compare with: live, held and asked for.
    pub neighbours: &'a [Neighbour],
    /// What the probe found.
    pub probe: &'a Probe,
    /// The findings the candidate zone adds; `None` while there is no candidate.
    pub findings: Option<&'a [CandidateFinding]>,
    /// Whether the office of the name above, or the parent office, has agreed.
    pub party_confirmed: bool,
    /// Whether the applicant's mailbox is proven.
    pub mailbox_proven: bool,
}

/// What the zone as served says about a name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ZoneFacts {
    /// Whether gapura serves the zone named in the request.
    pub served: bool,
    /// The types at the name.
    pub types: Vec<String>,
    /// The zone cut at or above the name.
    pub cut: Option<String>,
    /// The names above it, below the apex, that have records.
    pub above: Vec<String>,
    /// Names below it, a few of them.
    pub below: Vec<String>,
    /// The wildcard that covers it today.
    pub wildcard: Option<String>,
    /// A name the request points at from which CNAME records of the zone lead back to it.
    pub leads_back: Option<String>,
}

/// What the queue and the live records say about a name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct QueueFacts {
    /// The state of the name's live record, if it has one.
    pub live: Option<LiveState>,
    /// The office that owns it; empty for an import.
    pub owner: String,
    /// Another open request on the same name.
    pub other_request: Option<String>,
    /// Until when a quarantine lasts, epoch milliseconds.
    pub quarantined_until: Option<i64>,
    /// Some live or held names of the same office, if it is held to one.
    pub names_of_office: Vec<String>,
    /// The nearest name above that an office owns, and that office.
    pub parent: Option<(String, String)>,
    /// A name that no office is known to own and that this request touches: its own, or for a new
    /// name one above it or the wildcard that covers it.
    pub unowned: Option<String>,
    /// A name of the office in the request that this request touches, its own or the one above a new one,
    /// while nobody has shown to speak for that office.
    pub unproven: Option<String>,
    /// For a rollback: later changes that stand on what it would take back.
    pub rollback_conflicts: Vec<String>,
    /// The approved end of the name, epoch milliseconds.
    pub ends: Option<i64>,
    /// Whether no letter is wanted: gapura asks by itself, or the owner renews from the recorded mailbox
    /// and changes nothing.
    pub letterless: bool,
}

/// A name to compare with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Neighbour {
    /// The name below the zone.
    pub name: String,
    /// Whose it is.
    pub owner: String,
}

/// What the probe found out about the targets.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Probe {
    /// `probe.enabled = false`, or there is nothing public to probe.
    #[default]
    Off,
    /// Not run within the last 10 minutes.
    Missing,
    /// Run at `at`.
    Done {
        /// Epoch milliseconds.
        at: i64,
        /// Targets a stranger can claim now.
        claimable: Vec<String>,
        /// Targets that do not answer yet.
        down: Vec<String>,
    },
}

/// A finding of the candidate zone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CandidateFinding {
    /// Whether it is an error; warnings are only shown.
    pub error: bool,
    /// Rule and text.
    pub text: String,
}

//------------ The lines -----------------------------------------------------

/// All lines that apply to this kind of request, in the order of the sheet.
pub fn lines(application: &Reading, evidence: &Evidence<'_>) -> Vec<AutoLine> {
    let mut lines = Vec::with_capacity(11);
    if application.kind == Kind::New {
        lines.push(class_line(application, evidence));
        lines.push(failed(LineCode::A2, Overrule::Never, label_faults(application, evidence)));
        lines.push(failed(
            LineCode::A3,
            Overrule::SecondSignature,
            reserved_faults(application, evidence),
        ));
    }
    lines.push(free_line(application, evidence));
    if matches!(application.kind, Kind::New | Kind::HandOver) {
        let listed = evidence.naming.check_listed(application);
        lines.push(failed(LineCode::A5, Overrule::SecondSignature, listed));
    }
    if application.kind == Kind::New {
        lines.push(failed(LineCode::A6, Overrule::Tick, similar_faults(application, evidence)));
    }
    if application.kind.brings_records() {
        lines.push(address_line(application, evidence));
        lines.push(target_line(application, evidence));
    }
    lines.push(owner_line(application, evidence));
    lines.push(candidate_line(evidence));
    if application.raised.is_some() {
        return lines;
    }
    // The mailbox itself stands with the contact, where those who may see it find it.
    let unproven = Fault::new("contact.email", Rule::MailboxUnproven, "");
    let mut open = if evidence.mailbox_proven { Vec::new() } else { vec![unproven] };
    // Whoever checks has to see it on paper: an update (RFC 2136) carries none.
    if application.letter.sha256.is_none() && !evidence.queue.letterless {
        open.push(Fault::new("letter", Rule::NoLetter, ""));
    }
    lines.push(failed(LineCode::A11, Overrule::Note, open));
    lines
}

/// A line that fails when there are faults.
fn failed(code: LineCode, overrule: Overrule, faults: Vec<Fault>) -> AutoLine {
    let outcome = if faults.is_empty() { Outcome::Pass } else { Outcome::Failed };
    AutoLine { code, outcome, overrule, faults }
}

/// A1. The bare form of a doubled name goes to nobody, everything else may be overruled.
fn class_line(application: &Application, evidence: &Evidence<'_>) -> AutoLine {
    if let Some(doubled) = evidence.naming.check_doubled(application) {
        return failed(LineCode::A1, Overrule::Never, vec![doubled]);
    }
    let mut faults = evidence.naming.check_pattern(application);
    let others = &evidence.queue.names_of_office;
    if application.class == NamingClass::PerangkatDaerah && !others.is_empty() {
        faults.push(Fault::new("name", Rule::SecondNameOfOffice, others.join(", ")));
    }
    failed(LineCode::A1, Overrule::SecondSignature, faults)
}

/// A2.
fn label_faults(application: &Reading, evidence: &Evidence<'_>) -> Vec<Fault> {
    if !evidence.zone.served {
        return vec![Fault::new("zone", Rule::NotInZone, &application.zone)];
    }
    let mut faults = labels::check(&application.name, evidence.naming.min_length);
    if holds_personal_number(&application.name) {
        faults.push(Fault::new("name", Rule::PersonalNumber, ""));
    }
    // Service labels are not counted, so a name can pass label by label and still be too long.
    if faults.is_empty() && application.place().is_none() {
        faults.push(Fault::new("name", Rule::LabelTooLong, &application.name));
    }
    faults
}

/// A3.
fn reserved_faults(application: &Application, evidence: &Evidence<'_>) -> Vec<Fault> {
    let entry = evidence.naming.reserved.find(&application.name, &application.office);
    entry.map(|entry| Fault::new("name", Rule::ReservedName, &entry.why)).into_iter().collect()
}

/// A4: free, or for the other kinds, ours to change.
fn free_line(application: &Application, evidence: &Evidence<'_>) -> AutoLine {
    let (zone, queue) = (evidence.zone, evidence.queue);
    let (mut faults, mut ended) = (Vec::new(), None);
    let mut push = |rule, about: &str| faults.push(Fault::new("name", rule, about));
    if let Some(number) = &queue.other_request {
        push(Rule::OtherRequest, number);
    }
    if let Some(cut) = &zone.cut {
        push(Rule::BelowCut, cut);
    }
    if application.kind == Kind::New {
        let unrequested = queue.owner.is_empty() && !zone.types.is_empty();
        match queue.live {
            Some(LiveState::Live | LiveState::Reconfirming | LiveState::Suspended)
                if !unrequested =>
            {
                push(Rule::NameLive, &queue.owner);
            }
            Some(LiveState::Quarantined) if !same_office(&queue.owner, &application.office) => {
                push(Rule::InQuarantine, &queue.owner);
            }
            _ if !zone.types.is_empty() => push(Rule::InZone, &zone.types.join(" ")),
            _ => {}
        }
        if !zone.below.is_empty() {
            push(Rule::NamesBelow, &zone.below.join(" "));
        }
    } else {
        let served = queue.live.is_some_and(LiveState::is_served);
        let suspended = queue.live == Some(LiveState::Suspended);
        match application.kind {
            Kind::Suspend if application.lift && !suspended => push(Rule::NotSuspended, ""),
            Kind::Suspend if application.lift => {
                // Put back with an end that is past it would be taken out at once.
                let past = queue.ends.is_some_and(|ends| ends <= evidence.now);
                if past && application.ends.is_none() {
                    ended = Some(Fault::new("ends", Rule::EndPassed, ""));
                }
            }
            Kind::Remove | Kind::HandOver if served || suspended => {}
            _ if !served => push(Rule::NameNotLive, ""),
            _ => {}
        }
        // What is below a new zone cut is not answered any more.
        let mut types = application.records.iter().map(|record| record.rtype.trim());
        let becomes_cut = application.kind == Kind::Change
            && types.any(|rtype| rtype.eq_ignore_ascii_case("NS"))
            && !zone.types.iter().any(|rtype| rtype == "NS");
        if becomes_cut && !zone.below.is_empty() {
            push(Rule::NamesBelow, &zone.below.join(" "));
        }
        // A name without a known owner is a matter for two signatures (A9).
        let own = same_office(&queue.owner, &application.office);
        match application.kind {
            Kind::HandOver if own => push(Rule::SameOwner, &queue.owner),
            Kind::HandOver => {}
            _ if !queue.owner.trim().is_empty() && !own => push(Rule::OtherOwner, &queue.owner),
            _ => {}
        }
        if !queue.rollback_conflicts.is_empty() {
            push(Rule::RollbackConflict, &queue.rollback_conflicts.join(", "));
        }
    }
    faults.extend(ended);
    let mut line = failed(LineCode::A4, Overrule::Never, faults);
    if let Some(wildcard) = &zone.wildcard {
        line.faults.push(Fault::new("name", Rule::UnderWildcard, wildcard));
        if line.outcome == Outcome::Pass {
            line.outcome = Outcome::Shown;
        }
    }
    line
}

/// A6: live, held, asked for, reserved and listed names that look alike.
fn similar_faults(application: &Application, evidence: &Evidence<'_>) -> Vec<Fault> {
    let own = telling_label(&application.name);
    let mut faults: Vec<Fault> = Vec::new();
    let mut push = |name: &str, owner: &str| {
        let about = if owner.is_empty() { name.to_owned() } else { format!("{name} ({owner})") };
        if faults.len() < SIMILAR_MAX && !faults.iter().any(|fault| fault.about == about) {
            faults.push(Fault::new("name", Rule::Similar, about));
        }
    };
    for other in evidence.neighbours {
        if resemble(&application.name, &other.name) {
            push(&other.name, &other.owner);
        }
    }
    for label in evidence.naming.reserved.labels().filter(|label| alike(own, label)) {
        push(label, "");
    }
    for (label, owner) in evidence.naming.listed_labels() {
        if alike(own, label) {
            push(label, owner);
        }
    }
    faults
}

/// A7: the records read as their types, and no address is special; abroad needs a note.
fn address_line(application: &Reading, evidence: &Evidence<'_>) -> AutoLine {
    let mut faults = check_records(application);
    let mut abroad = Vec::new();
    let mut unchecked = false;
    for (index, record) in application.parsed_records() {
        let field = format!("records.{index}.data");
        for address in record.addresses() {
            if let Some(range) = evidence.targets.special(address) {
                faults.push(Fault::new(
                    &field,
                    Rule::SpecialAddress,
                    format!("{address}, {range}"),
                ));
                continue;
            }
            match evidence.targets.is_domestic(address) {
                Some(true) => {}
                Some(false) => {
                    abroad.push(Fault::new(&field, Rule::AbroadAddress, address.to_string()));
                }
                None => unchecked = true,
            }
        }
    }
    faults.extend(special_name_faults(application));
    let back = evidence.zone.leads_back.as_ref();
    faults.extend(back.map(|name| Fault::new("records.0.data", Rule::TargetIsSelf, name)));
    if !faults.is_empty() {
        return failed(LineCode::A7, Overrule::Never, faults);
    }
    let mut line = failed(LineCode::A7, Overrule::Note, abroad);
    if line.outcome == Outcome::Pass && unchecked {
        line.outcome = Outcome::Unchecked;
        line.faults.push(Fault::new("records", Rule::CountryNotChecked, ""));
    }
    line
}

/// Targets whose names mean nothing on the Internet, or lead to whoever looks them up.
fn special_name_faults(application: &Reading) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, record) in application.parsed_records() {
        let own = |name: &Name| {
            application.place().is_some_and(|it| name.as_ref().is_at_or_below(it.zone.as_ref()))
        };
        for name in record.targets().iter().filter(|name| !own(name)).map(Name::to_string) {
            if let Some(suffix) = special_name(&name) {
                let field = format!("records.{index}.data");
                faults.push(Fault::new(field, Rule::SpecialTarget, format!("{name} (.{suffix})")));
            }
        }
    }
    faults
}

/// A8: suffixes a stranger can claim below, and what the probe saw.
fn target_line(application: &Reading, evidence: &Evidence<'_>) -> AutoLine {
    let mut never = suffix_faults(application, evidence.targets);
    let mut note = Vec::new();
    if !evidence.targets.refuse_hijackable {
        note.append(&mut never);
    }
    let servers = application.parsed_records().filter(|(_, record)| record.rtype() == Rtype::NS);
    if servers.count() == 1 {
        note.push(Fault::new("records", Rule::OneNameServer, ""));
    }
    let mut unchecked = None;
    match evidence.probe {
        Probe::Done { at, claimable, down } if is_recent(*at, evidence.now, PROBE_FRESH_MS) => {
            never.extend(claimable.iter().map(|t| Fault::new("records", Rule::Claimable, t)));
            note.extend(down.iter().map(|t| Fault::new("records", Rule::TargetDown, t)));
        }
        Probe::Off => unchecked = Some(Rule::NotProbed),
        Probe::Missing | Probe::Done { .. } => {
            note.push(Fault::new("records", Rule::ProbeMissing, ""));
        }
    }
    if !never.is_empty() {
        return failed(LineCode::A8, Overrule::Never, never);
    }
    let mut line = failed(LineCode::A8, Overrule::Note, note);
    if let (Outcome::Pass, Some(rule)) = (line.outcome, unchecked) {
        line.outcome = Outcome::Unchecked;
        line.faults.push(Fault::new("records", rule, ""));
    }
    line
}

/// Targets below a suffix where a stranger can claim them.
fn suffix_faults(application: &Reading, targets: &Targets) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, record) in application.parsed_records() {
        for name in record.targets().iter().map(Name::to_string) {
            if let Some(suffix) = targets.claimable_suffix(&name) {
                let field = format!("records.{index}.data");
                faults.push(Fault::new(
                    field,
                    Rule::HijackableTarget,
                    format!("{name} (.{suffix})"),
                ));
            }
        }
    }
    faults
}

/// A9: whose the name is. Without the agreement of the office above nothing goes on; where no office
/// is known to own what is touched, or nobody has shown to speak for the one above a new name, the head
/// signs as well. For the office's own name the officer notes how the letter was compared.
fn owner_line(application: &Application, evidence: &Evidence<'_>) -> AutoLine {
    let mut faults = parent_faults(application, evidence);
    let unowned = evidence.queue.unowned.as_ref();
    let unproven = evidence.queue.unproven.as_ref();
    let overrule = if !faults.is_empty() {
        Overrule::Never
    } else if unowned.is_some() || matches!(application.kind, Kind::New | Kind::HandOver) {
        Overrule::SecondSignature
    } else {
        Overrule::Note
    };
    faults.extend(unowned.map(|name| Fault::new("name", Rule::OwnerUnknown, name)));
    faults.extend(unproven.map(|name| Fault::new("name", Rule::OwnerUnproven, name)));
    // The office that gives a name away has to say so: by a link, or with its letter.
    let gives = application.kind == Kind::HandOver && !evidence.queue.owner.trim().is_empty();
    if gives && !evidence.party_confirmed {
        faults.push(Fault::new("name", Rule::HolderNotConfirmed, &evidence.queue.owner));
    }
    failed(LineCode::A9, overrule, faults)
}

/// A name below another office's, and every UPTD, needs that office's agreement.
fn parent_faults(application: &Application, evidence: &Evidence<'_>) -> Vec<Fault> {
    if evidence.party_confirmed || application.kind != Kind::New {
        return Vec::new();
    }
    match &evidence.queue.parent {
        Some((name, office)) if !same_office(office, &application.office) => {
            vec![Fault::new("name", Rule::ParentNotConfirmed, format!("{name} ({office})"))]
        }
        _ if application.class == NamingClass::Uptd => {
            vec![Fault::new("office", Rule::ParentNotConfirmed, &application.office)]
        }
        _ => Vec::new(),
    }
}

/// A10: errors stop, warnings are shown.
fn candidate_line(evidence: &Evidence<'_>) -> AutoLine {
    let Some(findings) = evidence.findings else {
        let mut line = failed(LineCode::A10, Overrule::Never, Vec::new());
        line.outcome = Outcome::Unchecked;
        return line;
    };
    let fault =
        |finding: &CandidateFinding| Fault::new("records", Rule::CandidateFinding, &finding.text);
    let errors: Vec<Fault> = findings.iter().filter(|f| f.error).map(fault).collect();
    let mut line = failed(LineCode::A10, Overrule::Never, errors);
    if line.outcome == Outcome::Pass && !findings.is_empty() {
        line.outcome = Outcome::Shown;
        line.faults = findings.iter().map(fault).collect();
    }
    line
}

//------------ Refusals ------------------------------------------------------

/// Whether a letter is wanted, and there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LetterWanted {
    /// Its file came, or an officer has it on paper.
    Here,
    /// No file came.
    Missing,
    /// None is wanted.
    No,
}

/// What stops a request at submit and resubmit, by field: missing data, and every line nobody may
/// overrule. A reserved name or another pattern is turned back too unless `exception` says why;
/// then the officers decide.
pub fn refusals(
    application: &Reading,
    lines: &[AutoLine],
    now: i64,
    letter: LetterWanted,
) -> Vec<Fault> {
    let mut faults = fields(application, now, letter);
    if letter == LetterWanted::Missing && application.letter.sha256.is_none() {
        faults.push(Fault::new("letter", Rule::NoLetter, ""));
    }
    let reasoned = application.exception.as_deref().is_some_and(|text| !text.trim().is_empty());
    for line in lines {
        let stops = match (line.code, line.overrule) {
            // These become possible, or get known, only while the request is with the verifier.
            (LineCode::A9 | LineCode::A10, _) => false,
            (_, Overrule::Never) => true,
            (LineCode::A1 | LineCode::A3, _) => !reasoned,
            _ => false,
        };
        if line.outcome == Outcome::Failed && stops {
            // A site without a place is no fault of the form: it is asked for again before anything goes live.
            let only_shown =
                |fault: &Fault| matches!(fault.rule, Rule::UnderWildcard | Rule::NoTargetYet);
            faults.extend(line.faults.iter().filter(|fault| !only_shown(fault)).cloned());
        }
    }
    faults
}

/// Missing and unreadable fields.
fn fields(application: &Reading, now: i64, letter: LetterWanted) -> Vec<Fault> {
    let mut faults = Vec::new();
    if application.raised.is_some() {
        return faults;
    }
    for field in &FIELDS {
        let text = field.get(application);
        let is_wanted = letter != LetterWanted::No || !field.name.starts_with("letter.");
        if field.needed && is_wanted && text.trim().is_empty() {
            faults.push(Fault::new(field.name, Rule::Empty, ""));
        } else if let Some(limit) = field.limit().filter(|limit| text.chars().count() > *limit) {
            faults.push(Fault::new(field.name, Rule::TooLong, limit.to_string()));
        } else if field.holds_link(application) {
            faults.push(Fault::new(field.name, Rule::HoldsLink, ""));
        }
    }
    let contact = &application.contact;
    let email = contact.email.trim();
    if !email.is_empty() && !is_mailbox(email) {
        faults.push(Fault::new("contact.email", Rule::BadEmail, email));
    }
    // Masked it would be no mailbox.
    if holds_personal_number(email) {
        faults.push(Fault::new("contact.email", Rule::PersonalNumber, ""));
    }
    if contact.nip.as_deref().is_some_and(|text| !text.trim().is_empty() && nip(text).is_none()) {
        faults.push(Fault::new("contact.nip", Rule::BadNip, ""));
    }
    let phone = contact.phone.trim();
    if !phone.is_empty() && !is_phone(phone) {
        faults.push(Fault::new("contact.phone", Rule::BadPhone, ""));
    }
    match day_number(&application.letter.date) {
        None if letter == LetterWanted::No && application.letter.date.is_empty() => {}
        None => faults.push(Fault::new("letter.date", Rule::BadDate, &application.letter.date)),
        Some(day) if day > day_of(now) => {
            faults.push(Fault::new("letter.date", Rule::LetterDateAhead, ""));
        }
        Some(_) => {}
    }
    let foreign = [
        ("lift", application.lift && application.kind != Kind::Suspend),
        ("inverse_of", application.inverse_of.is_some() && application.kind != Kind::Change),
    ];
    for (field, _) in foreign.iter().filter(|(_, foreign)| *foreign) {
        faults.push(Fault::new(*field, Rule::NotForKind, application.kind.as_str()));
    }
    term(application, now, &mut faults);
    faults
}

/// Start and end.
fn term(application: &Reading, now: i64, faults: &mut Vec<Fault>) {
    faults.append(&mut application.bad_dates());
    let ends = application.ends_at();
    let starts = application.starts_at().unwrap_or(now).max(now);
    if ends.is_some_and(|ends| ends <= starts) {
        faults.push(Fault::new("ends", Rule::EndsBeforeStart, ""));
    }
    let away = |at: i64| at <= now || at - now > HOSTING_MS + DAY_MS;
    if application.hosting_at().is_some_and(away) {
        faults.push(Fault::new("hosting_by", Rule::HostingDateAway, ""));
    }
    let needs_end = matches!(application.class, NamingClass::Kegiatan | NamingClass::Ormas);
    if needs_end && application.kind.brings_records() && application.ends.is_none() {
        faults.push(Fault::new("ends", Rule::EndDateNeeded, application.class.as_str()));
    }
    let far = ends.is_some_and(|ends| ends - starts > ORMAS_TERM_MS + DAY_MS);
    if application.class == NamingClass::Ormas && far {
        faults.push(Fault::new("ends", Rule::EndDateTooFar, ""));
    }
}

/// The data of a TXT record as one text: pasted without quotes, as `v=spf1 mx -all`, its words would
/// be strings of their own, which readers put together without the spaces. Long text is cut into
/// strings of 255 octets. What has quotes already says itself what it means.
fn one_text(data: &str) -> String {
    let long = data.len() > TXT_STRING_MAX;
    if data.contains(['"', '\n']) || !(long || data.contains([' ', '\t', ';'])) {
        return data.to_owned();
    }
    let mut strings = vec![String::new()];
    for c in data.chars() {
        if strings.last().is_some_and(|last| last.len() + c.len_utf8() > TXT_STRING_MAX) {
            strings.push(String::new());
        }
        if let Some(last) = strings.last_mut() {
            last.push(c);
        }
    }
    let quoted: Vec<String> = strings.iter().map(|string| format!("\"{string}\"")).collect();
    quoted.join(" ")
}

/// The fields of free text that hold a number [`tidy`] masks, for a warning to the sender.
pub fn masked_fields(application: &Application) -> Vec<Fault> {
    let masked = FIELDS.iter().filter(|field| field.holds_personal_number(application));
    masked.map(|field| Fault::new(field.name, Rule::PersonalNumber, "")).collect()
}

/// The data as it is stored: the name normalised, numbers that may be a NIK masked, types in
/// capitals, no records where the kind brings none, the region code filled in where the name implies it.
pub fn tidy(mut application: Application, naming: &Naming) -> Application {
    for field in &FIELDS {
        let text = field.tidied(field.get(&application));
        field.set(&mut application, &text);
    }
    application.zone.make_ascii_lowercase();
    if !application.zone.ends_with('.') {
        application.zone.push('.');
    }
    application.name = labels::normalize(&application.name, &application.zone);
    if !application.kind.brings_records() {
        application.records.clear();
    }
    if application.kind != Kind::New || !application.records.is_empty() {
        application.hosting_by = None;
    }
    for record in &mut application.records {
        record.rtype = record.rtype.trim().to_ascii_uppercase();
        record.data = record.data.trim().to_owned();
        if record.rtype == "TXT" {
            record.data = one_text(&record.data);
        }
    }
    if application.region.is_none() {
        application.region = naming.unit_of(&application).map(|unit| unit.code.clone());
    }
    application
}

#[cfg(test)]
mod tests;
