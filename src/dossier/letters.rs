//! The report to the head and the letter to the applicant.

use super::parts::{facts, full_name, ground, letter, record, steps};
use super::{Making, words};
use crate::paper::{Field, Notification, Report};
use crate::queue::notice::{NoticeReader, NoticeValues, Point};
use crate::queue::{Deed, Kind, Stage};
use crate::words::{Said, Words, say_kind};

/// *Laporan ke Kepala Bidang*: only of what was made live.
pub(super) fn report(making: &Making<'_>) -> Option<Report> {
    let (t, request) = (words(), making.request);
    let application = request.application();
    let promoted = making.promoted?;
    let gone = promoted.removed.iter().filter(|line| !promoted.added.contains(line));
    let came = promoted.added.iter().filter(|line| !promoted.removed.contains(line));
    let gone = gone.filter_map(|line| record(line, true));
    let changes = gone.chain(came.filter_map(|line| record(line, false))).collect();
    let (slip, slip_at) = making.slip.clone().unwrap_or_default();
    let its = letter(application);
    let opening = t.with(
        &opening(making, "paper-report-opening"),
        &[
            ("number", request.number()),
            ("ground", &ground(making, t)),
            ("slip", slip.as_str()),
            ("slipdate", &t.date(slip_at)),
            ("office", &application.office),
            ("letter", &its.number),
            ("letterdate", &t.iso_date(&its.date)),
            ("done", &done(making, t)),
        ],
    );
    Some(Report {
        to: making.head.full_title(),
        from: making.verifier.full_title(),
        copies: Vec::new(),
        nature: t.s("paper-nature"),
        attachments: "-".to_owned(),
        subject: by_kind(t, "paper-report-subject", making),
        opening,
        facts: facts(making),
        changes,
        zone: application.place().zone.to_string().trim_end_matches('.').to_owned(),
        serial_before: promoted.serial_before,
        serial: promoted.serial,
        live_ms: making.at,
        answers: promoted.answers.clone(),
        steps: steps(making),
        closing: t.s("paper-report-closing"),
        signer: making.verifier.clone(),
    })
}

/// *Surat pemberitahuan*: what became of the request, and what to do.
pub(super) fn notification(making: &Making<'_>) -> Notification {
    let (t, application) = (words(), making.request.application());
    let its = letter(application);
    let position = Some(application.contact.position.trim()).filter(|it| !it.is_empty());
    let position = position.map_or_else(|| t.s("paper-to-nobody"), str::to_owned);
    let opening = t.with(
        &opening(making, "paper-letter-opening"),
        &[
            ("number", making.request.number()),
            ("ground", &ground(making, t)),
            ("letter", its.number.as_str()),
            ("letterdate", &t.iso_date(&its.date)),
            ("kind", &say_kind(application.kind, application.lift, t).to_lowercase()),
            ("name", &full_name(making.request)),
        ],
    );
    let mut lines = facts(making);
    if making.deed == Deed::Promoted {
        lines.push(Field::new(t.s("paper-field-since"), t.date_time(making.at)));
    }
    Notification {
        nature: t.s("paper-nature"),
        attachments: "-".to_owned(),
        subject: match making.deed {
            Deed::Promoted => by_kind(t, "paper-letter-subject", making),
            deed => {
                let id = told(making, t, &format!("paper-letter-subject-{deed}"));
                t.a(&id, "name", &full_name(making.request))
            }
        },
        to: vec![position, application.office.clone(), t.s("paper-to-place")],
        opening,
        facts: lines,
        body: body(making, t),
        points: points(making, t),
        next: next(making, t),
        closing: t.s("paper-letter-closing"),
        lookup: lookup(making),
        signer: making.head.clone(),
        copies: Vec::new(),
    }
}

/// What was made, in a clause.
fn done(making: &Making<'_>, t: Words) -> String {
    by_kind(t, "paper-done", making)
}

/// A message with name and time, by the kind of the request.
fn by_kind(t: Words, stem: &str, making: &Making<'_>) -> String {
    let kind = making.request.application().said_as();
    let (name, at) = (full_name(making.request), t.date_time(making.at));
    let id = told(making, t, &format!("{stem}-{kind}"));
    t.with(&id, &[("name", &name), ("at", &at)])
}

/// A message, or the one in its place where gapura asked by itself.
fn told(making: &Making<'_>, t: Words, id: &str) -> String {
    let own = format!("{id}-raised");
    let raised = making.request.application().raised.is_some();
    if raised && t.has(&own) { own } else { id.to_owned() }
}

/// An opening: of a letter, of what came without one, or of what gapura asked for.
fn opening(making: &Making<'_>, stem: &str) -> String {
    let application = making.request.application();
    match (application.raised, application.letter.number.is_empty()) {
        (Some(_), _) => format!("{stem}-raised"),
        (None, true) => format!("{stem}-online"),
        (None, false) => stem.to_owned(),
    }
}

/// The result.
fn body(making: &Making<'_>, t: Words) -> Vec<String> {
    match (making.deed, making.request.stage()) {
        (Deed::Promoted, _) => {
            let mut body = vec![by_kind(t, "paper-letter-done", making)];
            let lingers = making.promoted.map_or(0, |it| it.lingers).div_ceil(60);
            if lingers > 0 {
                body.push(t.a("paper-letter-lingers", "minutes", &lingers.to_string()));
            }
            body
        }
        (_, Stage::Rejected(stage)) => {
            let (reason, name) = (stage.reason.say(t), full_name(making.request));
            let id = told(making, t, "paper-letter-reject");
            vec![t.with(&id, &[("reason", &reason), ("name", &name)])]
        }
        (Deed::Return, _) => vec![t.s("paper-letter-return")],
        (Deed::Expire, _) => vec![t.s("paper-letter-expire")],
        _ => {
            let (at, name) = (t.date_time(making.at), full_name(making.request));
            let id = told(making, t, "paper-letter-withdraw");
            vec![t.with(&id, &[("at", &at), ("name", &name)])]
        }
    }
}

/// What is to be mended, or why it was turned down: as the notice says.
fn points(making: &Making<'_>, t: Words) -> Vec<String> {
    let (request, deed) = (making.request, making.deed);
    let reader = NoticeReader::Applicant;
    let values = NoticeValues::of(request, deed, reader, making.calendar, making.rules);
    let words = |Point { line, note }: &Point| match line {
        Some(line) => format!("{}: {note}", line.say(t)),
        None => note.clone(),
    };
    values.points.iter().map(words).collect()
}

/// What the applicant does next.
fn next(making: &Making<'_>, t: Words) -> Vec<String> {
    let url = making.site;
    let application = making.request.application();
    match making.deed {
        Deed::Promoted => {
            let own = format!("paper-letter-next-{}-raised", application.said_as());
            let is_own = application.raised.is_some() && t.has(&own);
            vec![t.a(if is_own { &own } else { "paper-letter-next" }, "url", url)]
        }
        // Nobody's wish was turned down or taken back.
        Deed::Reject | Deed::Withdraw if application.raised.is_some() => Vec::new(),
        Deed::Return => {
            let due = making.request.due(making.calendar, making.rules);
            let due = due.map(|due| t.date_time(due)).unwrap_or_default();
            vec![t.with("paper-letter-next-return", &[("url", url), ("due", &due)])]
        }
        Deed::Reject => vec![t.s("paper-letter-object")],
        _ => vec![t.a("paper-letter-again", "url", url)],
    }
}

/// How to look the name up from anywhere.
fn lookup(making: &Making<'_>) -> Vec<String> {
    let application = making.request.application();
    let shown = making.deed == Deed::Promoted && application.kind != Kind::Remove;
    let types = application.records.iter().map(|it| it.rtype.trim().to_uppercase());
    let mut types: Vec<String> = types.filter(|_| shown).collect();
    types.sort();
    types.dedup();
    types.iter().map(|rtype| format!("dig {} {rtype}", full_name(making.request))).collect()
}
