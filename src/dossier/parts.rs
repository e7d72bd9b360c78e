//! What several papers share: head, steps with their limits, the request in lines.

use std::sync::Arc;

use super::{Making, words};
use crate::paper::{
    Content, Field, LetterRef, Letterhead, PageSize, Paper, RecordChange, Seal, StepTime, VERSION,
};
use crate::queue::time::MINUTE_MS;
use crate::queue::{Application, ClockStep, Request, Role};
use crate::words::{Said, Words, office, say_kind};

/// The head of all papers: the office of the settings.
fn letterhead() -> Letterhead {
    let office = office();
    Letterhead {
        government: office.government.clone(),
        office: office.name.clone(),
        address: office.address.clone(),
        telephone: office.telephone.clone(),
        email: office.email.clone(),
        website: office.website.clone(),
        place: office.place.clone(),
    }
}

/// A paper of this office.
pub fn paper(seal: Seal, content: Content) -> Paper {
    Paper { version: VERSION, size: size(), letterhead: letterhead(), seal, content }
}

/// The title of whoever has a role, where no person is named.
pub fn title_of(role: Role) -> String {
    let office = office();
    if role == Role::Head { office.head.clone() } else { office.verifier.clone() }
}

/// The coat of arms of the office, a PNG.
pub fn coat_of_arms() -> Option<Arc<[u8]>> {
    office().coat_of_arms.clone()
}

/// The sheets of the office's printers.
fn size() -> PageSize {
    if office().folio { PageSize::F4 } else { PageSize::A4 }
}

/// The name asked for, whole and without the final dot.
pub(super) fn full_name(request: &Request) -> String {
    request.application().place().name.to_string().trim_end_matches('.').to_owned()
}

/// The letter the request came with.
pub(super) fn letter(application: &Application) -> LetterRef {
    let letter = &application.letter;
    LetterRef { number: letter.number.clone(), date: letter.date.clone() }
}

/// The request in lines: number, office, name, kind.
pub(super) fn facts(making: &Making<'_>) -> Vec<Field> {
    let (t, application) = (words(), making.request.application());
    let mut facts = vec![
        Field::new(t.s("paper-field-request"), making.request.number()),
        Field::new(t.s("paper-field-office"), application.office.clone()),
        Field::new(t.s("paper-field-name"), full_name(making.request)),
        Field::new(t.s("paper-field-kind"), say_kind(application.kind, application.lift, t)),
    ];
    if let Some(ends) = &application.ends {
        facts.push(Field::new(t.s("paper-field-ends"), t.day_of(ends)));
    }
    if let Some(raised) = application.raised {
        let values = [("ground", ground(making, t)), ("since", t.date(raised.since))];
        let by = t.with("paper-raised-by", &values.each_ref().map(|(key, it)| (*key, it.as_str())));
        facts.push(Field::new(t.s("paper-field-raised"), by));
    }
    facts
}

/// Why gapura asked for it; empty where somebody else did.
pub(super) fn ground(making: &Making<'_>, t: Words) -> String {
    let raised = making.request.application().raised;
    raised.map(|raised| raised.cause.say(t)).unwrap_or_default()
}

/// One step of the SOP: its limit, and what it used so far where it has begun.
pub(super) fn step_time(making: &Making<'_>, step: ClockStep) -> StepTime {
    let (t, office) = (words(), office());
    let clocks = making.request.clocks();
    let used = clocks.used(step, making.at, making.calendar);
    let running = clocks.running();
    let runs = running == Some(step);
    let place = |step: ClockStep| ClockStep::ALL.iter().position(|it| *it == step);
    // One that took no whole minute is over all the same once another runs; one that has just begun
    // has used nothing.
    let is_over = running.is_some_and(|running| place(step) < place(running));
    let minutes = |ms: i64| u64::try_from(ms / MINUTE_MS).unwrap_or(0);
    StepTime {
        step: t.s(&format!("paper-step-{step}")),
        holder: match step {
            ClockStep::Route => office.head.clone(),
            ClockStep::Check | ClockStep::Make => office.verifier.clone(),
            ClockStep::Notify => office.unit.clone(),
        },
        limit_minutes: Some(minutes(clocks.limit(step, making.rules))),
        used_minutes: (used > 0 || is_over).then(|| minutes(used)),
        due_ms: clocks.due(making.calendar, making.rules).filter(|_| runs),
    }
}

/// The steps of the SOP that have a limit.
pub(super) fn steps(making: &Making<'_>) -> Vec<StepTime> {
    ClockStep::ALL.into_iter().map(|step| step_time(making, step)).collect()
}

/// A record as master file text, `OWNER TTL IN TYPE DATA`, in its parts.
pub(super) fn record(line: &str, removed: bool) -> Option<RecordChange> {
    let mut parts = line.splitn(5, ' ');
    let (name, ttl, _class) = (parts.next()?, parts.next()?, parts.next()?);
    Some(RecordChange {
        removed,
        name: name.trim_end_matches('.').to_owned(),
        ttl: ttl.parse().ok()?,
        rtype: parts.next()?.to_owned(),
        data: parts.next()?.to_owned(),
    })
}
