//! Acts on a request, a page each: what is about to be done, the full name once more, one button.

use askama::Template;
use axum::extract::{Path, State as Extract};
use axum::response::Response;

use super::parts::full_name;
use super::review::{error_words, is_holder, look, missing_words};
use super::sign_in::ask_again;
use crate::people::{Account, Role, Session};
use crate::queue::view::{CandidateView, LineView, RequestView};
use crate::queue::{Act, LineInput, LineVerdict, RejectReason, State as RequestState};
use crate::web::failure::Failure;
use crate::web::form::{Choice, Field, Form, Input};
use crate::web::sent::{Sent, encode};
use crate::web::shell::{Shell, page, page_with, role_title, see_other};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Said, Words};

//------------ Which acts ----------------------------------------------------

/// The acts that have a page: last part of the path and message id of the verb.
const ACTS: [(&str, &str); 15] = [
    ("disposisi", "act-dispose"),
    ("alihkan", "act-reassign"),
    ("lepaskan", "act-release"),
    ("minta-konfirmasi", "act-ask"),
    ("konfirmasi", "act-confirm"),
    ("tolak-konfirmasi", "act-deny"),
    ("kembalikan", "act-return"),
    ("tolak", "act-reject"),
    ("setujui", "ask-approve-title"),
    ("tanda-tangan", "act-countersign"),
    ("periksa-ulang", "act-reopen"),
    ("tayangkan", "act-promote"),
    ("coba-lagi", "act-retry"),
    ("tarik", "act-withdraw"),
    ("beri-tahu", "act-notified"),
];

/// The acts that decide, and so ask for password and code again after a while (§9).
const DECISIONS: [&str; 6] =
    ["kembalikan", "tolak", "setujui", "tanda-tangan", "tayangkan", "coba-lagi"];

/// The acts this officer is offered now. What is hidden here is no check: the act itself tests
/// state, person and lines again.
pub(super) fn offered(
    t: Words,
    view: &RequestView,
    session: &Session,
    now_ms: i64,
) -> Vec<(&'static str, String)> {
    let actor = session.actor();
    let holds = |role| actor.capacity(role, now_ms).is_some();
    let (head, verifier, admin) = (holds(Role::Head), holds(Role::Verifier), holds(Role::Operator));
    let mine = verifier && is_holder(view, session);
    let waits = view.approval.as_ref().is_some_and(|approval| approval.waits_for_second);
    let ready = |path: &str| match (view.state, path) {
        (RequestState::Submitted, "disposisi") => head,
        (RequestState::Assigned, "alihkan") => head,
        (
            RequestState::Assigned,
            "lepaskan" | "minta-konfirmasi" | "konfirmasi" | "tolak-konfirmasi",
        ) => mine,
        (RequestState::Verified, "tanda-tangan") => head && waits,
        (RequestState::Verified, "tayangkan") => mine && !waits,
        (RequestState::Verified | RequestState::PromotionFailed, "periksa-ulang") => head || mine,
        (RequestState::PromotionFailed, "coba-lagi") => mine || admin,
        (RequestState::Live | RequestState::Rejected, "beri-tahu") => head || verifier,
        (
            RequestState::Submitted
            | RequestState::Assigned
            | RequestState::NeedsCorrection
            | RequestState::Verified,
            "tarik",
        ) => head || mine,
        _ => false,
    };
    let all = ACTS.iter().filter(|(path, _)| ready(path));
    all.map(|(path, id)| (*path, t.s(id))).collect()
}

//------------ Pages ---------------------------------------------------------

/// The page of an act.
#[derive(Template)]
#[template(path = "act.html", config = "src/web/askama.toml")]
struct ActPage {
    /// Frame.
    shell: Shell,
    /// Number.
    number: String,
    /// The full name, once more.
    name: String,
    /// Paragraphs.
    lead: Vec<String>,
    /// What was turned back.
    faults: Vec<String>,
    /// The change of the zone, where the act is bound to it.
    candidate: Option<CandidateView>,
    /// Lines told to the applicant.
    points: Vec<(String, String)>,
    /// What stands in the way of an approval.
    missing: Vec<String>,
    /// The form; none if the act cannot be done now.
    form: Option<Form>,
}

/// `GET /tinjau/{number}/{act}`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Path((number, act)): Path<(String, String)>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    if let Some(again) = stale(&state, &visitor, &number, &act)? {
        return Ok(again);
    }
    let (view, people) = look(&state, &visitor, &number).await?;
    page(&act_page(&visitor, &view, &people, &act)?)
}

/// `POST /tinjau/{number}/{act}`
pub(super) async fn press(
    Extract(state): Extract<State>,
    Path((number, act)): Path<(String, String)>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let actor = visitor.need(&Role::OFFICERS)?.actor();
    if let Some(again) = stale(&state, visitor, &number, &act)? {
        return Ok(again);
    }
    let (view, people) = look(&state, visitor, &number).await?;
    let pressed = read_act(&act, &sent, &view).ok_or_else(Failure::not_found)?;
    let wanted = number.clone();
    let done = state.work(move |state| state.desk().act(&wanted, &pressed, &actor)).await?;
    match done {
        Ok(_) => Ok(see_other(&format!("/tinjau/{number}"))),
        Err(error) => {
            let faults = error_words(visitor.t, &error);
            let failure = Failure::from(error);
            if failure.is_internal() {
                return Err(failure);
            }
            // What moved in the meantime is shown as it is now.
            let (view, people) = look(&state, visitor, &number).await.unwrap_or((view, people));
            let mut again = act_page(visitor, &view, &people, &act)?;
            again.form = again.form.map(|form| form.refill(|name| sent.get(name)));
            again.shell.faulty = true;
            again.faults = faults;
            page_with(failure.status, &again)
        }
    }
}

/// The way to password and code, if the act decides and the last proof is too old for it.
fn stale(
    state: &State,
    visitor: &Visitor,
    number: &str,
    act: &str,
) -> Result<Option<Response>, Failure> {
    let session = visitor.need(&Role::OFFICERS)?;
    if !DECISIONS.contains(&act) {
        return Ok(None);
    }
    Ok(ask_again(state, session, &format!("/tinjau/{}/{act}", encode(number))))
}

/// The act a form means.
fn read_act(path: &str, sent: &Sent, view: &RequestView) -> Option<Act> {
    let text = |name: &str| sent.get(name).to_owned();
    let revision = sent.get("revision").parse().unwrap_or(0);
    Some(match path {
        "disposisi" => Act::Dispose { to: text("to"), instruction: text("instruction") },
        "alihkan" => Act::Reassign { to: text("to"), reason: text("reason") },
        "lepaskan" => Act::Release { reason: text("reason") },
        "minta-konfirmasi" => Act::Consult { party: text("party"), email: text("email") },
        "konfirmasi" => Act::Confirm { party: text("party"), letter: text("letter") },
        "tolak-konfirmasi" => Act::Deny { party: text("party"), letter: text("letter") },
        "kembalikan" => Act::Return { lines: written(view, LineVerdict::Fix) },
        "tolak" => Act::Reject {
            reason: text("reason"),
            note: text("note"),
            lines: written(view, LineVerdict::Bad),
        },
        "setujui" => {
            Act::Approve { revision, candidate: text("candidate"), serial: None, lines: Vec::new() }
        }
        "tanda-tangan" => Act::Countersign { candidate: text("candidate") },
        "periksa-ulang" => Act::Reopen { reason: text("reason") },
        "tayangkan" => Act::Promote {},
        "coba-lagi" => Act::Retry {},
        "tarik" => Act::Withdraw { letter: text("letter") },
        "beri-tahu" => Act::Notified { how: text("how") },
        _ => return None,
    })
}

/// The lines an officer put on this verdict.
fn written(view: &RequestView, verdict: LineVerdict) -> Vec<LineInput> {
    marked(view, verdict)
        .map(|line| LineInput { code: line.code, verdict: line.verdict, note: line.note.clone() })
        .collect()
}

/// The lines of a view an officer put on this verdict.
fn marked(view: &RequestView, verdict: LineVerdict) -> impl Iterator<Item = &LineView> {
    view.lines.iter().filter(move |line| line.who.is_some() && line.verdict == Some(verdict))
}

/// The page of an act.
fn act_page(
    visitor: &Visitor,
    view: &RequestView,
    people: &[Account],
    act: &str,
) -> Result<ActPage, Failure> {
    let t = visitor.t;
    let (path, id) = ACTS.iter().find(|(path, _)| *path == act).ok_or_else(Failure::not_found)?;
    let bound = matches!(*path, "setujui" | "tanda-tangan" | "tayangkan");
    let verdict = if *path == "tolak" { LineVerdict::Bad } else { LineVerdict::Fix };
    let tells = matches!(*path, "kembalikan" | "tolak");
    let points = marked(view, verdict)
        .filter(|_| tells)
        .map(|line| (line.code.say(t), line.note.clone().unwrap_or_default()));
    let points: Vec<_> = points.collect();
    let mut lead = lead(t, path);
    let mut form = Some(form(visitor, view, people, path, t.s(id)));
    if *path == "kembalikan" && points.is_empty() {
        lead.push(t.s("ask-return-none"));
        form = None;
    }
    let missing = if *path == "setujui" { missing_words(t, view) } else { Vec::new() };
    if !missing.is_empty() {
        form = None;
    }
    Ok(ActPage {
        shell: Shell::new(visitor, t.s(id)),
        number: view.number.clone(),
        name: full_name(&view.name, &view.zone),
        lead,
        faults: Vec::new(),
        candidate: view.candidate.clone().filter(|_| bound),
        points,
        missing,
        form,
    })
}

/// What is said before the form.
fn lead(t: Words, path: &str) -> Vec<String> {
    let id = match path {
        "disposisi" | "alihkan" => "ask-dispose-lead",
        "kembalikan" => "ask-return-lead",
        "tolak" => "ask-reject-lead",
        "setujui" => "ask-approve-lead",
        "tanda-tangan" => "ask-countersign-lead",
        "tarik" => "ask-withdraw-lead",
        _ => return Vec::new(),
    };
    vec![t.s(id)]
}

/// The form of an act.
fn form(
    visitor: &Visitor,
    view: &RequestView,
    people: &[Account],
    path: &str,
    verb: String,
) -> Form {
    let t = visitor.t;
    let line = |name: &str, id: &str| Field::line(t, name, id);
    let area = |name: &str, id: &str| Field::line(t, name, id).input(Input::Area);
    let action = format!("/tinjau/{}/{path}", view.number);
    let form = Form::new(&action, &visitor.csrf, verb);
    let hash = view.candidate.as_ref().map(|it| it.hash.clone()).unwrap_or_default();
    match path {
        "disposisi" => form
            .field(assignee(t, people))
            .field(area("instruction", "ask-instruction").value(&t.s("ask-instruction-text"))),
        "alihkan" => form.field(assignee(t, people)).field(area("reason", "ask-reason")),
        "lepaskan" | "periksa-ulang" => form.field(area("reason", "ask-reason")),
        "minta-konfirmasi" => form
            .field(line("party", "ask-party"))
            .field(line("email", "ask-party-email").input(Input::Line("email"))),
        "konfirmasi" | "tolak-konfirmasi" => {
            form.field(line("party", "ask-party")).field(line("letter", "ask-letter"))
        }
        "tolak" => {
            let reasons = RejectReason::ALL.map(|it| Choice::new(it.as_str(), it.say(t)));
            form.style("warn")
                .field(line("reason", "ask-reject-reason").input(Input::Radios(reasons.to_vec())))
                .field(area("note", "ask-note"))
        }
        "setujui" => form
            .field(Field::hidden("revision", &view.revision.to_string()))
            .field(Field::hidden("candidate", &hash)),
        "tanda-tangan" => form.field(Field::hidden("candidate", &hash)),
        "tarik" => form.style("warn").field(line("letter", "ask-letter")),
        "beri-tahu" => form.field(line("how", "ask-how")),
        _ => form,
    }
}

/// The verifiers to choose from.
fn assignee(t: Words, people: &[Account]) -> Field {
    let able = people.iter().filter(|it| it.enabled && it.role == Role::Verifier);
    let choices = able.map(|it| {
        let label = format!("{} – {}", it.full_name, role_title(t, &it.title, it.role));
        Choice::new(&it.name, label)
    });
    Field::line(t, "to", "ask-to").input(Input::Select(choices.collect()))
}
