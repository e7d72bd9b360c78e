//! The audit trail: every event of the chain, what the verifier says of it, and its export, which is an event itself.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State as Extract};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::parts::{done_words, fact_words, is_of_the_log, role_words, state_words};
use crate::audit::{AuditFault, Compared, Event, FaultKind, Report, RowChange};
use crate::desk::{CHAIN_READERS, EventFilter};
use crate::people::{Account, Role};
use crate::queue::time::{DAY_MS, day_number, midnight};
use crate::web::api::{Frame, chain_body};
use crate::web::failure::Failure;
use crate::web::redirect::encode;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::Words;

/// Facts of an event that are shown.
const FACTS: usize = 6;
/// Events of one page.
const ROWS: usize = 40;

/// What is asked for in the URL.
#[derive(Deserialize)]
pub(super) struct ListParams {
    /// The event after the last one of the page.
    #[serde(default)]
    sebelum: String,
    /// Only this person's.
    #[serde(default)]
    orang: String,
    /// Only those about this number or name.
    #[serde(default)]
    tentang: String,
    /// Whether notices are shown, too.
    #[serde(default)]
    pemberitahuan: String,
    /// From this day on.
    #[serde(default)]
    dari: String,
    /// Up to this day.
    #[serde(default)]
    sampai: String,
    /// Whether the chain is to be verified.
    #[serde(default)]
    periksa: Option<String>,
}

/// One event.
struct Row {
    /// Its place in the chain.
    sequence: i64,
    /// What was done.
    what: String,
    /// When.
    when: String,
    /// From which state to which.
    moved: String,
    /// On what.
    subject: String,
    /// Its page, or empty.
    place: String,
    /// Facts without personal data.
    facts: Vec<String>,
    /// By whom.
    who: String,
    /// In which role.
    role: String,
    /// The first digits of its hash.
    hash: String,
}

/// What the verifier found, in words.
struct Verdict {
    /// Whether nothing is wrong.
    is_good: bool,
    /// What was found first; empty if nothing was.
    first: String,
    /// What else was found; empty if nothing was.
    others: String,
    /// What to do about it; empty if nothing is wrong.
    advice: String,
    /// What was checked, and what was not.
    checked: Vec<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "audit.html", config = "src/web/askama.toml")]
struct AuditPage {
    /// Frame.
    shell: Shell,
    /// Whether the viewer may export the chain.
    may_export: bool,
    /// What the verifier says, if it was asked.
    verdict: Option<Verdict>,
    /// Events, the newest first.
    rows: Vec<Row>,
    /// Persons to choose: id, name, whether chosen.
    people: Vec<(String, String, bool)>,
    /// Whether notices are shown, too.
    notices: bool,
    /// What was filled in: person, subject, first and last day.
    asked: [String; 4],
    /// The next page.
    older: Option<String>,
}

/// `GET /jejak`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Query(asked): Query<ListParams>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.need(&Role::OFFICERS)?;
    let may_export = visitor.need(&CHAIN_READERS).is_ok();
    let t = visitor.t;
    let filter = filter_of(&asked, &state.options().zone);
    let (mut events, people) = state
        .work(move |state| {
            let events = state.desk().events_where(&filter)?;
            Ok::<_, Failure>((events, state.people().list()?))
        })
        .await??;
    let mut verdict = None;
    if asked.periksa.is_some() {
        let report = state.work(|state| state.desk().verify(&[])).await?;
        verdict = Some(Verdict::of(t, &report.map_err(Failure::internal)?));
    }
    let more = events.len() > ROWS;
    events.truncate(ROWS);
    let older = events.last().filter(|_| more).map(|event| {
        let [person, about, from, to] =
            [&asked.orang, &asked.tentang, &asked.dari, &asked.sampai].map(|text| encode(text));
        let (notices, before) = (encode(&asked.pemberitahuan), event.sequence);
        format!(
            "/jejak?orang={person}&tentang={about}&dari={from}&sampai={to}\
             &pemberitahuan={notices}&sebelum={before}"
        )
    });
    let names: BTreeMap<_, _> =
        people.iter().map(|person| (person.id.clone(), person.full_name.clone())).collect();
    let rows = events.iter().map(|event| row(t, event, &names)).collect();
    let shell = Shell::new(&visitor, t.s("nav-audit")).wide();
    let choice = |it: Account| (it.id == asked.orang, it.id, it.full_name);
    let people = people.into_iter().map(choice).map(|(chosen, id, name)| (id, name, chosen));
    let people = people.collect();
    let notices = !asked.pemberitahuan.is_empty();
    let asked = [asked.orang, asked.tentang, asked.dari, asked.sampai];
    page(&AuditPage { shell, may_export, verdict, rows, people, notices, asked, older })
}

/// What a number, a name or an id may be the subject of.
fn subjects_of(text: &str, zone: &str) -> Vec<String> {
    let (upper, lower) = (text.to_uppercase(), text.to_lowercase());
    let name = lower.trim_end_matches('.');
    vec![
        format!("request:{upper}"),
        format!("privacy:{upper}"),
        format!("record:{name}."),
        format!("record:{name}.{zone}"),
        format!("person:{text}"),
        format!("notice:{text}"),
    ]
}

/// The filter of a page; one row more than it shows says whether there is a next one.
fn filter_of(asked: &ListParams, zone: &str) -> EventFilter {
    let some = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let begin = |text: &str| day_number(text).map(midnight);
    EventFilter {
        person: some(&asked.orang),
        subjects: some(&asked.tentang).map(|text| subjects_of(&text, zone)),
        from_ms: begin(asked.dari.trim()),
        to_ms: begin(asked.sampai.trim()).map(|at| at + DAY_MS),
        without_notices: asked.pemberitahuan.is_empty(),
        before: asked.sebelum.parse().ok(),
        limit: ROWS + 1,
    }
}

/// `POST /jejak/ekspor`: the chain as lines of JSON, for `gapura audit verify`. An event itself.
pub(super) async fn export(
    Extract(state): Extract<State>,
    sent: Sent,
) -> Result<Response, Failure> {
    let actor = sent.visitor.need(&CHAIN_READERS)?.actor();
    let to = state.work(move |state| state.desk().begin_export(0, false, &actor)).await??;
    let body = chain_body(state, 0, to, Frame::Lines);
    let headers = [
        (CONTENT_TYPE, "application/x-ndjson"),
        (CONTENT_DISPOSITION, "attachment; filename=\"jejak-audit.jsonl\""),
    ];
    Ok((headers, body).into_response())
}

impl Verdict {
    /// A report in words.
    fn of(t: Words, report: &Report) -> Self {
        let number = |count: usize| t.count(count as u64);
        let mut checked = vec![t.a("audit-checked-events", "events", &number(report.events))];
        checked.push(match report.compared {
            Some(Compared { tables, rows }) => {
                let values = [("tables", number(tables)), ("rows", number(rows))];
                t.with("audit-checked-rows", &values.each_ref().map(|(k, v)| (*k, v.as_str())))
            }
            None => t.s("audit-unchecked-rows"),
        });
        if report.proofs > 0 {
            checked.push(t.a("audit-checked-proofs", "proofs", &number(report.proofs)));
        }
        if report.erased > 0 {
            checked.push(t.a("audit-erased", "values", &number(report.erased)));
        }
        checked.push(match report.signed_to {
            Some(event) => t.a("audit-signed", "event", &event.to_string()),
            None => t.s("audit-unsigned"),
        });
        checked.push(t.s("audit-limit"));
        let first = report.faults.first();
        let others = report.faults.len().saturating_sub(1);
        let others = if others == 0 { None } else { Some(number(others)) };
        Self {
            is_good: report.is_good(),
            first: first.map(|fault| fault_words(t, fault)).unwrap_or_default(),
            others: others.map(|n| t.a("audit-others", "count", &n)).unwrap_or_default(),
            advice: first.map(|fault| advice_words(t, &fault.kind)).unwrap_or_default(),
            checked,
        }
    }
}

/// A fault in words.
fn fault_words(t: Words, fault: &AuditFault) -> String {
    let event = fault.sequence.to_string();
    match &fault.kind {
        FaultKind::Row { table, key, change } => {
            let id = match change {
                RowChange::Altered => "audit-row-altered",
                RowChange::Deleted => "audit-row-deleted",
                RowChange::Inserted => "audit-row-inserted",
                RowChange::Found => "audit-row-found",
            };
            t.with(id, &[("table", table), ("row", key), ("event", &event)])
        }
        FaultKind::Schema { name } => t.a("audit-bad-schema", "name", name),
        FaultKind::Log => t.a("audit-bad-log", "event", &event),
        FaultKind::Chain => t.a("audit-bad-event", "event", &event),
        FaultKind::Signature => t.a("audit-bad-signature", "event", &event),
        FaultKind::Value => t.a("audit-bad-value", "event", &event),
    }
}

/// What to do about a kind of fault, in words.
fn advice_words(t: Words, kind: &FaultKind) -> String {
    t.s(match kind {
        FaultKind::Row { .. } | FaultKind::Schema { .. } | FaultKind::Log => "audit-advice-rows",
        FaultKind::Chain | FaultKind::Value => "audit-advice-chain",
        FaultKind::Signature => "audit-advice-signature",
    })
}

/// An event in words.
fn row(t: Words, event: &Event, names: &BTreeMap<String, String>) -> Row {
    let state = |word: &Option<String>| word.as_deref().map(|word| state_words(t, word));
    let moved = match (state(&event.before), state(&event.after)) {
        (Some(before), Some(after)) if before != after => format!("{before} → {after}"),
        (_, Some(after)) => after,
        (Some(before), None) => before,
        (None, None) => String::new(),
    };
    let (kind, id) = event.subject.split_once(':').unwrap_or(("", event.subject.as_str()));
    let (subject, place) = match kind {
        "request" => (id.to_owned(), format!("/tinjau/{id}")),
        "person" => (names.get(id).cloned().unwrap_or_else(|| id.to_owned()), String::new()),
        "record" => {
            let name = id.trim_end_matches('.');
            (name.to_owned(), format!("/rekaman/{}", encode(name)))
        }
        "privacy" => (id.to_owned(), format!("/data-pribadi/{id}")),
        "personal" => (String::new(), String::new()),
        "notice" => (t.a("audit-notice", "id", id), String::new()),
        "paper" | "month" => (id.to_owned(), String::new()),
        "settings" => (t.s("nav-settings"), String::new()),
        _ => (event.subject.clone(), String::new()),
    };
    let shown = event.payload.iter().filter(|(key, _)| !is_of_the_log(&event.payload, key));
    let facts = shown.filter_map(|(key, value)| {
        // A fact that is a person is shown by name.
        fact_words(t, key, names.get(value).unwrap_or(value))
    });
    let person = names.get(&event.person);
    let role = role_words(t, &event.role);
    Row {
        sequence: event.sequence,
        what: done_words(t, &event.act, &event.payload),
        when: t.date_time(event.at_ms),
        moved,
        subject,
        place,
        facts: facts.take(FACTS).collect(),
        who: person.unwrap_or(&role).clone(),
        role: if person.is_some() { role } else { String::new() },
        hash: event.hash.chars().take(12).collect(),
    }
}
