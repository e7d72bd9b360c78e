//! One request on one page: the application on the left, the evidence on the right, the check sheet
//! below.

use askama::Template;
use axum::extract::{Path, State as Extract};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::acts::{after_sheet, after_sheet_offered, offered};
use super::apply::unit_words;
use super::parts::{
    Past, SheetLine, Shown, error_words, full_name, history, left_class, look, proof, sheet_line,
    tag,
};
use crate::desk::ActError;
use crate::people::{Account, Role};
use crate::queue::regions::Regions;
use crate::queue::{
    Act, ActKind, LineCode, LineInput, LineVerdict, NoticeState, State as RequestState,
};
use crate::view::{CandidateView, RequestView};
use crate::web::failure::Failure;
use crate::web::redirect::see_other;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, role_title};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Said, Words};

/// The page.
#[derive(Template)]
#[template(path = "review.html", config = "src/web/askama.toml")]
struct ReviewPage {
    /// Frame.
    shell: Shell,
    /// Why the last act was refused.
    faults: Vec<String>,
    /// Number.
    number: String,
    /// Kind in words.
    kind: String,
    /// Revision.
    revision: String,
    /// Full name.
    name: String,
    /// State in words.
    state: String,
    /// Class of its tag.
    tag: &'static str,
    /// Time left in words.
    left: String,
    /// Class of the time left.
    left_class: &'static str,
    /// Due time in words.
    due: String,
    /// What prevents an approval, or should be known.
    notes: Vec<String>,
    /// What is claimed.
    claim: Vec<(String, String)>,
    /// Whether the letter may be downloaded.
    letter: bool,
    /// The candidate zone.
    candidate: Option<CandidateView>,
    /// The command to check.
    dig: String,
    /// The proof.
    proof: Option<Shown>,
    /// Automatic lines.
    auto: Vec<SheetLine>,
    /// The check sheet to fill in.
    sheet: Option<Vec<SheetLine>>,
    /// The decisions that follow the sheet: path, words and style of the button.
    decide: Vec<(&'static str, String, &'static str)>,
    /// The check sheet to read.
    lines: Vec<SheetLine>,
    /// Why it cannot be approved yet.
    missing: String,
    /// Acts: last part of the path and words.
    acts: Vec<(&'static str, String)>,
    /// Notices: id, words, whether it can be printed.
    told: Vec<(String, String, bool)>,
    /// Events.
    history: Vec<Past>,
}

/// `GET /tinjau/{number}`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Path(number): Path<String>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let (view, people) = look(&state, &visitor, &number).await?;
    page(&review_page(&state, &visitor, &view, &people, Vec::new())?)
}

/// `POST /tinjau/{number}`: saves the lines of the sheet, then goes on to what was pressed.
pub(super) async fn check(
    Extract(state): Extract<State>,
    Path(number): Path<String>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let actor = visitor.need(&Role::OFFICERS)?.actor();
    let act = Act::Check { lines: lines_of(&sent) };
    let done = state.perform(&number, act, actor).await?;
    match done {
        Ok(_) => {
            let next = after_sheet(sent.get("lanjut"));
            let place = next.map(|path| format!("/{path}")).unwrap_or_default();
            Ok(see_other(&format!("/tinjau/{number}{place}")))
        }
        Err(error) => turned_back(&state, visitor, &number, error).await,
    }
}

/// `GET /tinjau/{number}/surat`: the letter, as a download that runs nothing.
pub(super) async fn letter(
    Extract(state): Extract<State>,
    Path(number): Path<String>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let actor = visitor.need(&[Role::Head, Role::Verifier])?.actor();
    let file = state.work(move |state| state.desk().letter(&number, &actor)).await??;
    let disposition = format!("attachment; filename=\"{}\"", file.name);
    let headers = [
        (CONTENT_TYPE, file.media),
        (CONTENT_DISPOSITION, disposition),
        (CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'".to_owned()),
    ];
    Ok((headers, file.bytes).into_response())
}

/// The page again, with the reasons of the refusal on top.
pub(super) async fn turned_back(
    state: &State,
    visitor: &Visitor,
    number: &str,
    error: ActError,
) -> Result<Response, Failure> {
    let words = error_words(visitor.t, &error);
    let failure = Failure::from(error);
    if failure.is_internal() {
        return Err(failure);
    }
    let (view, people) = look(state, visitor, number).await?;
    let review = review_page(state, visitor, &view, &people, words)?;
    crate::web::shell::page_with(failure.status, &review)
}

/// The lines of the sheet as sent.
fn lines_of(sent: &Sent) -> Vec<LineInput> {
    let lines = LineCode::ALL.iter().map(|code| {
        let verdict = LineVerdict::from_name(sent.get(&format!("v-{}", code.as_str())));
        let note = sent.get(&format!("n-{}", code.as_str()));
        LineInput { code: *code, verdict, note: (!note.is_empty()).then(|| note.to_owned()) }
    });
    lines.filter(|line| line.verdict.is_some() || line.note.is_some()).collect()
}

/// Everything the page shows.
fn review_page(
    state: &State,
    visitor: &Visitor,
    view: &RequestView,
    people: &[Account],
    faults: Vec<String>,
) -> Result<ReviewPage, Failure> {
    let t = visitor.t;
    let session = visitor.need(&Role::OFFICERS)?;
    let name = full_name(&view.name, &view.zone);
    let checks = view.acts.contains(&ActKind::Check);
    let (auto, human): (Vec<_>, Vec<_>) = view.lines.iter().partition(|line| line.automatic);
    // The sheet includes automatic lines that did not pass and may be overruled.
    let open = auto.iter().filter(|line| {
        line.overrule.is_some()
            || line.outcome.is_some_and(|it| it == crate::queue::Outcome::Unchecked)
    });
    let sheet = open.chain(human.iter()).map(|line| sheet_line(t, line));
    let sheet = checks.then(|| sheet.collect::<Vec<_>>());
    let may_letter = session.actor().capacity(Role::Head, state.people().now_ms()).is_some()
        || session.actor().capacity(Role::Verifier, state.people().now_ms()).is_some();
    Ok(ReviewPage {
        shell: Shell::new(visitor, name.clone()).faulty(!faults.is_empty()).wide(),
        faults,
        number: view.number.clone(),
        kind: view.kind.say(t),
        revision: view.revision.to_string(),
        state: view.state.say(t),
        tag: tag(view.state),
        left: view.left_minutes.map(|minutes| t.left(minutes)).unwrap_or_default(),
        left_class: left_class(view.late, view.left_minutes),
        due: view.due.as_deref().map(|due| t.moment(due)).unwrap_or_default(),
        notes: notes(t, view, state.mailer().is_some()),
        claim: claim(t, view, people, &region_words(&state.desk().naming().regions, view)),
        letter: may_letter && view.letter.sha256.is_some(),
        candidate: view.candidate.clone(),
        dig: view.records.first().map(|it| format!("dig {name} {}", it.rtype)).unwrap_or_default(),
        proof: view.proof.as_ref().map(|it| proof(t, it)),
        auto: auto.iter().map(|line| sheet_line(t, line)).collect(),
        lines: if sheet.is_some() {
            Vec::new()
        } else {
            human.iter().map(|line| sheet_line(t, line)).collect()
        },
        sheet,
        decide: after_sheet_offered(t, view),
        missing: missing(t, view),
        acts: offered(t, view),
        told: told(t, view),
        history: history(t, &view.history, true),
        name,
    })
}

/// What is to be known before anything is pressed.
fn notes(t: Words, view: &RequestView, mail: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if !view.mailbox_proven && view.state == RequestState::Assigned {
        notes.push(t.s(if mail { "review-unproven" } else { "review-unproven-no-mail" }));
    }
    if !view.second_signature.is_empty() && view.state == RequestState::Assigned {
        notes.push(t.a("review-second", "reasons", &view.second_signature.join(", ")));
    }
    if view.approval.as_ref().is_some_and(|approval| approval.waits_for_second) {
        notes.push(t.s("review-waits"));
    }
    if let (RequestState::PromotionFailed, Some(reason)) = (view.state, &view.reason) {
        let values = [("step", reason.code.as_str()), ("found", reason.note.as_str())];
        notes.push(t.with("review-failed", &values));
    }
    notes
}

/// "Belum dapat disetujui: 2 baris belum diperiksa", or nothing.
fn missing(t: Words, view: &RequestView) -> String {
    if view.missing.is_empty() {
        return String::new();
    }
    let lines: Vec<&str> = view.missing.iter().map(|fault| fault.field.as_str()).collect();
    let count = lines.len().to_string();
    t.with("review-missing", &[("count", &count), ("lines", &lines.join(", "))])
}

/// What the applicant says.
fn claim(t: Words, view: &RequestView, people: &[Account], region: &str) -> Vec<(String, String)> {
    let records: Vec<String> =
        view.records.iter().map(|it| format!("{} {}", it.rtype, it.data)).collect();
    let letter = format!("{}, {}", view.letter.number, t.iso_date(&view.letter.date));
    let holder = view.holder.as_deref().map(|name| holder_words(t, name, people));
    let mut facts = vec![
        (t.s("apply-class"), view.class.say(t)),
        (t.s("apply-office"), view.office.clone()),
        (t.s("apply-region"), region.to_owned()),
        (t.s("apply-title-4"), records.join("\n")),
        (t.s("apply-purpose"), view.purpose.clone()),
        (t.s("apply-exception"), view.exception.clone().unwrap_or_default()),
        (t.s("apply-starts"), view.starts.as_deref().map(|at| t.day_of(at)).unwrap_or_default()),
        (t.s("apply-ends"), view.ends.as_deref().map(|at| t.day_of(at)).unwrap_or_default()),
        (t.s("apply-title-5"), letter),
    ];
    match &view.contact {
        Some(contact) => facts.extend([
            (t.s("apply-contact-name"), contact.name.clone()),
            (t.s("apply-contact-position"), contact.position.clone()),
            (t.s("apply-contact-email"), contact.email.clone()),
            (t.s("apply-contact-phone"), contact.phone.clone()),
        ]),
        None => facts.push((t.s("apply-contact-name"), t.s("review-contact-hidden"))),
    }
    facts.extend([
        (t.s("queue-holder"), holder.unwrap_or_default()),
        (t.s("status-sent"), t.moment(&view.submitted)),
    ]);
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

/// The region of a request: unit, district, code.
fn region_words(regions: &Regions, view: &RequestView) -> String {
    view.region.as_deref().map(|code| unit_words(regions, code)).unwrap_or_default()
}

/// Name and jabatan of an account.
fn holder_words(t: Words, name: &str, people: &[Account]) -> String {
    let known = people.iter().find(|it| it.name == name);
    known.map_or_else(
        || name.to_owned(),
        |it| format!("{} – {}", it.full_name, role_title(t, &it.title, it.role)),
    )
}

/// The notices in words.
fn told(t: Words, view: &RequestView) -> Vec<(String, String, bool)> {
    let open = |state| matches!(state, NoticeState::Queued | NoticeState::Failed);
    let notices = view.notices.iter().filter(|notice| notice.to_applicant);
    let told = notices.map(|notice| {
        let act = super::parts::act_words(t, &notice.about);
        let mut words = format!("{act}: {} ({})", notice.state.say(t), t.moment(&notice.queued));
        if let Some(error) = &notice.error {
            words.push_str(&format!(" – {error}"));
        }
        (notice.id.clone(), words, open(notice.state))
    });
    told.collect()
}
