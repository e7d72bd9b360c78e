//! Receipt, routing slip and check sheet.

use super::parts::{full_name, letter, step_time, steps};
use super::{Making, words};
use crate::paper::{Ask, CheckedLine, Disposition, Receipt, StepTime, Verification};
use crate::queue::sheet::human_lines;
use crate::queue::{
    AutoLine, ClockStep, Deed, Line, LineCode, LineVerdict, Outcome, Overrule, Stage,
};
use crate::words::{Said, Words, say_kind};

/// *Tanda terima permohonan.* The secret of the status page is no part of it.
pub(super) fn receipt(making: &Making<'_>) -> Receipt {
    let (t, request) = (words(), making.request);
    let application = request.application();
    let sent = &application.letter;
    let id = if sent.sha256.is_some() { "paper-handed-letter" } else { "paper-handed-paper" };
    let date = t.iso_date(&sent.date);
    let handed = t.with(id, &[("number", &sent.number), ("date", &date)]);
    let handed = Some(handed).filter(|_| !sent.number.is_empty());
    Receipt {
        request: request.number().to_owned(),
        received_ms: request.submitted_at(),
        office: application.office.clone(),
        person: Some(application.contact.name.clone()).filter(|name| !name.is_empty()),
        name: full_name(request),
        kind: say_kind(application.kind, application.lift, t),
        class: application.class.say(t),
        letter: letter(application),
        handed_in: handed.into_iter().chain([t.s("paper-handed-data")]).collect(),
        steps: limits(making),
        contact: vec![t.s("help-text")],
        status_url: format!("{}/status", making.site),
        secret: None,
    }
}

/// What each step may take. When the office has to be ready with one is no matter of the applicant's.
fn limits(making: &Making<'_>) -> Vec<StepTime> {
    let limit = |step| StepTime { used_minutes: None, due_ms: None, ..step };
    steps(making).into_iter().map(limit).collect()
}

/// *Lembar disposisi.*
pub(super) fn disposition(making: &Making<'_>) -> Disposition {
    let (t, request) = (words(), making.request);
    let application = request.application();
    let to = &making.verifier;
    let forwarded = match &to.name {
        Some(name) => format!("{} ({name})", to.full_title()),
        None => to.full_title(),
    };
    let slip = request.dispositions().last();
    Disposition {
        from: match application.raised {
            Some(_) => t.s("paper-from-system"),
            None => application.office.clone(),
        },
        letter: letter(application),
        received_ms: request.submitted_at(),
        agenda: request.number().to_owned(),
        nature: Vec::new(),
        subject: t.with(
            "paper-subject",
            &[
                ("kind", &say_kind(application.kind, application.lift, t).to_lowercase()),
                ("name", &full_name(request)),
            ],
        ),
        forwarded_to: vec![forwarded],
        asks: vec![Ask::Process],
        instruction: slip.map(|slip| slip.instruction.clone()).filter(|text| !text.is_empty()),
        routing: step_time(making, ClockStep::Route),
        next: step_time(making, ClockStep::Check),
        signer: making.head.clone(),
    }
}

/// *Lembar verifikasi.*
pub(super) fn verification(making: &Making<'_>) -> Verification {
    let (t, request) = (words(), making.request);
    let application = request.application();
    let approval = request.approval();
    let candidate = approval
        .map(|it| (it.candidate.clone(), it.serial))
        .or_else(|| making.candidate.map(|it| (it.hash.clone(), it.serial)));
    let second = approval.is_some_and(|it| it.second.is_some());
    Verification {
        request: request.number().to_owned(),
        revision: request.revision(),
        office: application.office.clone(),
        name: full_name(request),
        kind: say_kind(application.kind, application.lift, t),
        lines: lines(making),
        candidate: candidate.as_ref().map(|(hash, _)| hash.clone()),
        zone: application.place().zone.to_string().trim_end_matches('.').to_owned(),
        serial: candidate.map(|(_, serial)| serial),
        result: result(making, t),
        signer: making.verifier.clone(),
        second: second.then(|| making.head.clone()),
    }
}

/// The result in one sentence.
fn result(making: &Making<'_>, t: Words) -> String {
    let waits = making.request.approval().is_some_and(|approval| approval.awaits_second());
    match (making.deed, making.request.stage()) {
        (Deed::Return, _) => t.s("paper-result-return"),
        (_, Stage::Rejected(stage)) => t.a("paper-result-reject", "reason", &stage.reason.say(t)),
        (Deed::Countersign, _) => t.s("paper-result-countersign"),
        _ if waits => t.s("paper-result-second"),
        _ => t.s("paper-result-approve"),
    }
}

/// The lines of the sheet: the automatic ones, then those that people look at.
fn lines(making: &Making<'_>) -> Vec<CheckedLine> {
    let (t, sheet) = (words(), making.request.sheet());
    let mut lines: Vec<CheckedLine> =
        sheet.automatic().iter().map(|auto| automatic(making, t, auto)).collect();
    let needed = human_lines(making.request.application());
    for code in LineCode::ALL.into_iter().filter(|code| !code.is_automatic()) {
        let written = sheet.line(code);
        if needed.contains(&code) || written.is_some() {
            lines.push(checked(making, t, code, written));
        }
    }
    lines
}

/// A line that a person looked at, or nobody yet.
fn checked(making: &Making<'_>, t: Words, code: LineCode, line: Option<&Line>) -> CheckedLine {
    let verdict = line.and_then(|line| line.verdict);
    CheckedLine {
        code: code.as_str().to_owned(),
        what: code.say(t),
        verdict: verdict.map_or_else(|| t.s("outcome-open"), |it| it.say(t)),
        note: line.and_then(|line| line.note.clone()).unwrap_or_default(),
        who: line.map(|line| (making.name_of)(&line.who)).unwrap_or_default(),
        at_ms: line.map(|line| line.at),
    }
}

/// A line that gapura looked at, and what an officer wrote over it.
fn automatic(making: &Making<'_>, t: Words, auto: &AutoLine) -> CheckedLine {
    let over = (auto.outcome != Outcome::Failed || auto.overrule != Overrule::Never)
        .then(|| making.request.sheet().line(auto.code))
        .flatten();
    let mut notes: Vec<String> = auto.faults.iter().map(|fault| fault.say(t)).collect();
    notes.extend(over.and_then(|line| line.note.clone()));
    let verdict = match over.and_then(|line| line.verdict) {
        Some(LineVerdict::Ok) if auto.outcome == Outcome::Failed => t.s("paper-overruled"),
        Some(verdict) if auto.outcome == Outcome::Failed => verdict.say(t),
        _ => auto.outcome.say(t),
    };
    CheckedLine {
        code: auto.code.as_str().to_owned(),
        what: auto.code.say(t),
        verdict,
        note: notes.join("; "),
        who: over.map_or_else(|| t.s("paper-system"), |line| (making.name_of)(&line.who)),
        at_ms: over.map(|line| line.at),
    }
}
