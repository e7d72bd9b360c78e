//! One request on one page: the application beside the letter, what would change in the zone, and the
//! check sheet below, to be decided without leaving the page.

use askama::Template;
use axum::extract::{Path, Query, State as Extract};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::acts::{after_sheet, after_sheet_offered, offered};
use super::papers::{PaperLine, officers_place, paper_lines};
use super::parts::{
    Past, READ_BACK, SheetLine, Shown, full_name, history, just_done, left_class, line_fault, look,
    promotion_step, proof, raised_line, refusal, sheet_line, tag, waits,
};
use super::questions::unit_words;
use crate::desk::{ActError, Terms};
use crate::people::{Account, Role};
use crate::queue::regions::Regions;
use crate::queue::{
    Act, ActKind, Fault, LineCode, LineInput, LineVerdict, NoticeState, Outcome,
    State as RequestState,
};
use crate::view::{CandidateView, LineView, RequestView};
use crate::web::failure::Failure;
use crate::web::redirect::see_other;
use crate::web::sent::{Fields, Sent};
use crate::web::shell::{CSP_WITH_LETTER, Shell, page_with, role_title};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Said, Words, say_kind};

/// A fact of the application.
struct Claim {
    /// What it is.
    name: String,
    /// What it says.
    value: String,
    /// What stood there before the current revision, which may be nothing; none if it did not change.
    before: Option<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "review.html", config = "src/web/askama.toml")]
struct ReviewPage {
    /// Frame.
    shell: Shell,
    /// Why the last act was refused: where to mend it, and what.
    faults: Vec<(String, String)>,
    /// What was just done.
    done: String,
    /// Whether what was typed before the session ended is back.
    kept: bool,
    /// Number.
    number: String,
    /// Kind in words.
    kind: String,
    /// Revision.
    revision: String,
    /// What the acts on it have led to.
    version: String,
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
    /// Whom it waits for.
    waits: String,
    /// What prevents an approval, or should be known.
    notes: Vec<String>,
    /// The instruction of the slip in force: by whom to whom, and what.
    instruction: Option<(String, String)>,
    /// What is claimed.
    claim: Vec<Claim>,
    /// The media type of the letter, for those who may read it.
    letter: Option<String>,
    /// The candidate zone.
    candidate: Option<CandidateView>,
    /// The command to check.
    dig: String,
    /// The proof.
    proof: Option<Shown>,
    /// Automatic lines.
    auto: Vec<SheetLine>,
    /// How many of them pass, in words.
    auto_line: String,
    /// Whether one of them does not.
    auto_open: bool,
    /// The check sheet to fill in.
    sheet: Option<Vec<SheetLine>>,
    /// How many open lines were filled in for the officer and are not saved yet; empty if none.
    filled: String,
    /// Whether the targets can be probed.
    probe: bool,
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
    /// Papers.
    papers: Vec<PaperLine>,
    /// Events.
    history: Vec<Past>,
}

/// What stands in the address of the page.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    /// Whether something was just done.
    #[serde(default)]
    selesai: String,
    /// With what open lines are to be filled in.
    #[serde(default)]
    isi: String,
}

/// What the page shows beside the request as it is.
#[derive(Default)]
struct Beside<'a> {
    /// Why an act was refused.
    words: Option<String>,
    /// The faults of its fields.
    faults: &'a [Fault],
    /// What was typed and is not saved.
    typed: Option<&'a Fields>,
    /// Whether it was typed before the session ended.
    kept: bool,
    /// Whether open lines are filled in with "sesuai".
    fill: bool,
    /// Whether something was just done.
    done: bool,
}

/// `GET /tinjau/{number}`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Path(number): Path<String>,
    Query(asked): Query<Asked>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let found = look(&state, &visitor, &number).await?;
    let kept = visitor.csrf.typed(&format!("/tinjau/{number}"));
    let beside = Beside {
        typed: kept.as_ref(),
        kept: kept.is_some(),
        fill: asked.isi == "sesuai",
        done: !asked.selesai.is_empty(),
        ..Beside::default()
    };
    respond(&state, &visitor, found, &beside, axum::http::StatusCode::OK).await
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
    // What another tab or officer wrote since is looked at before it is written over.
    let seen = Some(sent.get("versi")).filter(|version| !version.is_empty());
    let unchanged = seen.map(|version| vec![version.to_owned()]);
    let terms = Terms { unchanged, ..Terms::default() };
    if let Err(error) = state.perform_on(&number, act, actor.clone(), terms).await? {
        return turned_back(&state, &sent, &number, error).await;
    }
    let place = match sent.get("lanjut") {
        "sesuai" => "?isi=sesuai#lembar".to_owned(),
        "tujuan" => {
            let of = number.clone();
            match state.work(move |state| state.desk().probe_now(&of, &actor)).await? {
                Ok(Some(probe)) => probe.landed().await,
                Ok(None) => {}
                Err(error) => return turned_back(&state, &sent, &number, error).await,
            }
            "?selesai=tujuan#lembar".to_owned()
        }
        next => match after_sheet(next) {
            Some(path) => format!("/{path}"),
            None => "?selesai=ya".to_owned(),
        },
    };
    Ok(see_other(&format!("/tinjau/{number}{place}")))
}

/// `GET /tinjau/{number}/surat`: the letter, as a download or shown on the page.
pub(super) async fn letter(
    Extract(state): Extract<State>,
    Path(number): Path<String>,
    Query(asked): Query<Showing>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let actor = visitor.need(&[Role::Head, Role::Verifier])?.actor();
    let is_shown = !asked.tampil.is_empty();
    let file = state.work(move |state| state.desk().letter(&number, is_shown, &actor)).await??;
    let how = if is_shown { "inline" } else { "attachment" };
    // A browser's own reader of PDF does not run in a sandbox; what a PDF could do was refused when it
    // came in (`uploads`).
    let policy = match (is_shown, file.media.as_str()) {
        (true, "application/pdf") => "frame-ancestors 'self'; form-action 'none'; base-uri 'none'",
        (true, _) => "sandbox; default-src 'none'; img-src 'self'; frame-ancestors 'self'",
        (false, _) => "sandbox; default-src 'none'",
    };
    let headers = [
        (CONTENT_TYPE, file.media.clone()),
        (CONTENT_DISPOSITION, format!("{how}; filename=\"{}\"", file.name)),
        (CONTENT_SECURITY_POLICY, policy.to_owned()),
    ];
    Ok((headers, file.bytes).into_response())
}

/// How the letter is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Showing {
    /// Whether it is shown on the page.
    #[serde(default)]
    tampil: String,
}

/// The page again, with the reasons of the refusal on top and at the lines, and what was typed.
async fn turned_back(
    state: &State,
    sent: &Sent,
    number: &str,
    error: ActError,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let (words, faults) = (refusal(visitor.t, &error), error.faults().to_vec());
    let failure = Failure::from(error);
    if failure.is_internal() {
        return Err(failure);
    }
    let found = look(state, visitor, number).await?;
    let typed = Some(&sent.fields);
    let beside = Beside { words, faults: &faults, typed, ..Beside::default() };
    respond(state, visitor, found, &beside, failure.status).await
}

/// The page as a response that may show the letter.
async fn respond(
    state: &State,
    visitor: &Visitor,
    (view, people): (RequestView, Vec<Account>),
    beside: &Beside<'_>,
    status: axum::http::StatusCode,
) -> Result<Response, Failure> {
    let number = view.number.clone();
    let media = state.work(move |state| state.desk().letter_media(&number)).await??;
    let review = review_page(state, visitor, &view, &people, media, beside)?;
    let mut response = page_with(status, &review)?;
    let policy = HeaderValue::from_static(CSP_WITH_LETTER);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    Ok(response)
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
    media: Option<String>,
    beside: &Beside<'_>,
) -> Result<ReviewPage, Failure> {
    let t = visitor.t;
    let session = visitor.need(&Role::OFFICERS)?;
    let now = state.people().now_ms();
    let name = full_name(&view.name, &view.zone);
    let (auto, human): (Vec<_>, Vec<_>) = view.lines.iter().partition(|line| line.automatic);
    let (sheet, filled) = sheet(t, view, beside).unzip();
    let reads = |role| session.actor().capacity(role, now).is_some();
    let may_letter = reads(Role::Head) || reads(Role::Verifier);
    let me = (&session.account, now);
    let done = if beside.done { just_done(t, view, me, people) } else { String::new() };
    let (who, what) = waits(t, view, people);
    Ok(ReviewPage {
        shell: Shell::new(visitor, name.clone()).faulty(is_refused(beside)).wide(),
        faults: faults(t, beside, sheet.as_deref()),
        done,
        kept: beside.kept,
        number: view.number.clone(),
        kind: say_kind(view.kind, view.lift, t),
        revision: view.revision.to_string(),
        version: view.version.clone(),
        state: view.state.say(t),
        tag: tag(view.state),
        left: view.left_minutes.map(|minutes| t.left(minutes)).unwrap_or_default(),
        left_class: left_class(view, state.desk().rules()),
        due: view.due.as_deref().map(|due| t.moment(due)).unwrap_or_default(),
        waits: [who, what]
            .into_iter()
            .filter(|it| !it.is_empty() && it != "–")
            .collect::<Vec<_>>()
            .join(" – "),
        notes: notes(t, view, state.mailer().is_some()),
        instruction: instruction(t, view, people),
        claim: claim(t, view, people, &state.desk().naming().regions),
        letter: media.filter(|_| may_letter),
        candidate: view.candidate.clone(),
        dig: view.records.first().map(|it| format!("dig {name} {}", it.rtype)).unwrap_or_default(),
        proof: view.proof.as_ref().map(|it| proof(t, it)),
        auto_line: auto_line(t, &auto),
        auto_open: auto.iter().any(|line| !passes(line) && line.who.is_none()),
        auto: auto.iter().map(|line| sheet_line(t, line)).collect(),
        lines: if sheet.is_some() {
            Vec::new()
        } else {
            human.iter().map(|line| sheet_line(t, line)).collect()
        },
        filled: filled.filter(|count| *count > 0).map(|it| it.to_string()).unwrap_or_default(),
        probe: view.lines.iter().any(|line| line.code == LineCode::A8 && !passes(line)),
        sheet,
        decide: after_sheet_offered(t, view),
        missing: missing(t, view),
        acts: offered(t, view),
        told: told(t, view),
        papers: paper_lines(t, &view.papers, &officers_place(&view.number), may_letter),
        history: history(t, &view.history, true),
        name,
    })
}

/// Whether the page comes back with faults.
fn is_refused(beside: &Beside<'_>) -> bool {
    beside.words.is_some() || !beside.faults.is_empty()
}

/// Whether nothing stands against an automatic line.
fn passes(line: &LineView) -> bool {
    matches!(line.outcome, Some(Outcome::Pass | Outcome::Shown))
}

/// How many automatic lines pass.
fn auto_line(t: Words, auto: &[&LineView]) -> String {
    let good = auto.iter().filter(|line| passes(line)).count();
    t.with("review-auto-line", &[("good", &good.to_string()), ("all", &auto.len().to_string())])
}

/// The sheet to fill in: the automatic lines that did not pass and may be overruled, then the human
/// ones; with what was typed, what is wrong with it, and how many open lines were filled in.
fn sheet(t: Words, view: &RequestView, beside: &Beside<'_>) -> Option<(Vec<SheetLine>, usize)> {
    if !view.acts.contains(&ActKind::Check) {
        return None;
    }
    let open = |line: &&LineView| {
        !line.automatic || line.overrule.is_some() || line.outcome == Some(Outcome::Unchecked)
    };
    let mut filled = 0;
    let lines = view.lines.iter().filter(open).map(|line| {
        let mut shown = sheet_line(t, line);
        if let Some(typed) = beside.typed {
            let verdict = typed.get(&format!("v-{}", shown.code));
            if !verdict.is_empty() {
                shown.choose(verdict);
            }
            typed.get(&format!("n-{}", shown.code)).clone_into(&mut shown.note);
        }
        let is_open = shown.choices.iter().all(|(_, _, chosen)| !chosen);
        if beside.fill && is_open && !line.automatic {
            shown.choose(LineVerdict::Ok.as_str());
            filled += 1;
        }
        let fault = beside.faults.iter().find(|fault| fault.field == shown.code);
        shown.fault = fault.map(|fault| fault.say(t));
        shown
    });
    let lines = lines.collect();
    Some((lines, filled))
}

/// The summary of what is wrong, with links to the lines that are on the page.
fn faults(t: Words, beside: &Beside<'_>, sheet: Option<&[SheetLine]>) -> Vec<(String, String)> {
    let place = |fault: &Fault| {
        let on_page = sheet.is_some_and(|lines| lines.iter().any(|it| it.code == fault.field));
        if on_page { format!("#{}", fault.field) } else { String::new() }
    };
    let words = beside.words.iter().map(|words| (String::new(), words.clone()));
    let lines = beside.faults.iter().map(|fault| (place(fault), line_fault(t, fault)));
    words.chain(lines).collect()
}

/// The instruction of the slip in force.
fn instruction(t: Words, view: &RequestView, people: &[Account]) -> Option<(String, String)> {
    let slip = view.disposition.as_ref().filter(|slip| !slip.instruction.is_empty())?;
    let name = |account: &str| {
        let known = people.iter().find(|it| it.name == account);
        known.map_or_else(|| account.to_owned(), |it| it.full_name.clone())
    };
    let (from, to, at) = (name(&slip.from), name(&slip.to), t.moment(&slip.at));
    let who = t.with("review-slip", &[("from", &from), ("to", &to), ("at", &at)]);
    Some((who, slip.instruction.clone()))
}

/// What is to be known before anything is pressed.
fn notes(t: Words, view: &RequestView, mail: bool) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(raised_line(t, view));
    if let Some(open) = view.questions.iter().find(|question| question.open) {
        let until = open.until.as_deref().map(|at| t.moment(at)).unwrap_or_default();
        let asked = t.moment(&open.asked);
        let values = [("party", open.party.as_str()), ("asked", &asked), ("until", &until)];
        notes.push(t.with("review-asked", &values));
    }
    for answered in view.questions.iter().filter(|question| !question.open) {
        let id = match answered.agreed {
            Some(true) => "review-agreed",
            Some(false) => "review-denied",
            None => "review-silent",
        };
        notes.push(t.a(id, "party", &answered.party));
    }
    let checked = view.state == RequestState::Assigned;
    if view.revision > 1 && checked && !view.revised.is_empty() {
        notes.push(t.a("review-revised", "revision", &view.revision.to_string()));
    }
    if !view.mailbox_proven && checked && view.raised.is_none() {
        notes.push(t.s(if mail { "review-unproven" } else { "review-unproven-no-mail" }));
    }
    if !view.second_signature.is_empty() && checked {
        notes.push(t.a("review-second", "reasons", &second_reasons(t, view)));
    }
    if view.approval.as_ref().is_some_and(|approval| approval.waits_for_second) {
        notes.push(t.s("review-waits"));
    }
    if let (RequestState::PromotionFailed, Some(reason)) = (view.state, &view.reason) {
        let step = promotion_step(t, &reason.code);
        let values = [("step", step.as_str()), ("found", reason.note.as_str())];
        let is_answer = reason.code == READ_BACK;
        notes.push(t.with(if is_answer { "review-failed" } else { "review-not-begun" }, &values));
    }
    notes
}

/// Why the head signs as well; a line that was passed over by its code.
fn second_reasons(t: Words, view: &RequestView) -> String {
    let words = view.second_signature.iter().map(|code| {
        let id = format!("second-{}", code.replace('_', "-"));
        if t.has(&id) { t.s(&id) } else { t.a("second-line", "code", code) }
    });
    words.collect::<Vec<_>>().join(", ")
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

/// What the applicant says, with what it was before where the current revision changed it.
fn claim(t: Words, view: &RequestView, people: &[Account], regions: &Regions) -> Vec<Claim> {
    let records: Vec<String> =
        view.records.iter().map(|it| format!("{} {}", it.rtype, it.data)).collect();
    let letter = format!("{}, {}", view.letter.number, t.iso_date(&view.letter.date));
    let letter = if view.letter.number.is_empty() { String::new() } else { letter };
    let by = view.raised.map(|_| t.s("raised-system")).unwrap_or_default();
    let region = view.region.as_deref().map(|code| unit_words(regions, code)).unwrap_or_default();
    let day = |at: &Option<String>| at.as_deref().map(|at| t.day_of(at)).unwrap_or_default();
    let mut facts = vec![
        ("", t.s("raised-by"), by),
        ("class", t.s("register-class"), view.class.say(t)),
        ("office", t.s("apply-office"), view.office.clone()),
        ("region", t.s("apply-region"), region),
        ("records", t.s("apply-title-4"), records.join("\n")),
        ("purpose", t.s("apply-purpose"), view.purpose.clone()),
        ("exception", t.s("apply-exception"), view.exception.clone().unwrap_or_default()),
        ("hosting_by", t.s("apply-hosting-by"), day(&view.hosting_by)),
        ("starts", t.s("apply-starts"), day(&view.starts)),
        ("ends", t.s("apply-ends"), day(&view.ends)),
        ("letter", t.s("apply-title-5"), letter),
    ];
    match &view.contact {
        Some(contact) => {
            let person = format!("{}, {}", contact.name, contact.position);
            let reached = format!("{}\n{}", contact.email, contact.phone);
            facts.push(("contact", t.s("apply-contact-name"), format!("{person}\n{reached}")));
        }
        None => facts.push(("", t.s("apply-contact-name"), t.s("review-contact-hidden"))),
    }
    let holder = view.holder.as_deref().map(|name| holder_words(t, name, people));
    facts.push(("", t.s("review-verifier"), holder.unwrap_or_default()));
    facts.push(("", t.s("status-sent"), t.moment(&view.submitted)));
    let before = |field: &str| {
        let revised = view.revised.iter().find(|it| it.field == field)?;
        Some(if field == "class" { String::new() } else { revised.before.replace('\n', ", ") })
    };
    let facts = facts.into_iter().filter(|(_, _, value)| !value.is_empty());
    facts.map(|(field, name, value)| Claim { name, value, before: before(field) }).collect()
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
