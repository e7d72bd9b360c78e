//! The status page: number and secret, sent by POST; every mismatch gets the same answer.
//!
//! Number and secret stay in a cookie for half an hour, so that reloading works and no address
//! holds a secret. From here the applicant corrects or withdraws.

use askama::Template;
use axum::extract::{Query, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::FormPage;
use super::papers::{APPLICANTS_PLACE, PaperLine, paper_lines};
use super::parts::{
    Past, Shown, error_words, fixes, full_name, milestones, proof, raised_line, role_words, tag,
};
use super::party::owner_answers;
use super::questions::{TARGET_ANY, correction_fields};
use crate::desk::{ActError, Desk, Viewer};
use crate::queue::regions::same_office;
use crate::queue::{
    Act, ActKind, ClockStep, LineCode, LiveState, Phase, RejectReason, Rule, State as RequestState,
};
use crate::view::{RecordView, RequestView};
use crate::web::draft::{Draft, field_of, steps_about};
use crate::web::failure::Failure;
use crate::web::form::{Field, Form, Input};
use crate::web::redirect::{see_other, see_other_with};
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with};
use crate::web::state::State;
use crate::web::visitor::{Visitor, cookie};
use crate::words::{Said, Words, say_kind};

/// Characters of a number in a link.
const NUMBER_MAX: usize = 40;
/// Seconds number and secret stay in the cookie: long enough to have a letter signed and photographed anew.
const COOKIE_SECONDS: i64 = 2 * 3600;

//------------ The yearly question -------------------------------------------

/// `POST /status/nama`: the owner answers the yearly question, who is here with number and secret.
pub(super) async fn owner(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Response, Failure> {
    let seen = with_cookie(&state, &headers, &sent.visitor, |desk, number, secret| {
        let actor = desk.applicant(number, secret)?;
        Ok((desk.view(number, &Viewer::Applicant)?, actor))
    });
    let Some(seen) = seen.await? else { return Err(over()) };
    let (view, actor) = seen?;
    let name = full_name(&view.name, &view.zone);
    owner_answers(&state, &sent, "/status/nama", (name, actor)).await
}

//------------ Number and secret ---------------------------------------------

/// The cookie that lets an applicant in.
pub(super) fn ticket(state: &State, number: &str, secret: &str) -> String {
    state.cookie("pemohon", &format!("{number}.{secret}"), "Lax", COOKIE_SECONDS)
}

/// Number and secret in the cookie.
pub(super) fn held(state: &State, headers: &HeaderMap) -> Option<(String, String)> {
    let value = cookie(headers, &state.cookie_name("pemohon"))?;
    let (number, secret) = value.split_once('.')?;
    Some((number.to_owned(), secret.to_owned()))
}

/// What number and secret in the cookie allow; none without them.
async fn with_cookie<T: Send + 'static>(
    state: &State,
    headers: &HeaderMap,
    visitor: &Visitor,
    job: impl FnOnce(&Desk, &str, &str) -> Result<T, ActError> + Send + 'static,
) -> Result<Option<Result<T, ActError>>, Failure> {
    let Some((number, secret)) = held(state, headers) else { return Ok(None) };
    let of = number.clone();
    let job = move |state: &State| job(state.desk(), &of, &secret);
    Ok(Some(state.with_secret(&number, visitor.address, job).await?))
}

/// The same where wrong ones are as none.
pub(super) async fn of_applicant<T: Send + 'static>(
    state: &State,
    headers: &HeaderMap,
    visitor: &Visitor,
    job: impl FnOnce(&Desk, &str, &str) -> Result<T, ActError> + Send + 'static,
) -> Result<Option<T>, Failure> {
    match with_cookie(state, headers, visitor, job).await? {
        None | Some(Err(ActError::NotFound)) => Ok(None),
        Some(done) => Ok(Some(done?)),
    }
}

/// An act of the applicant on the request that the page named.
async fn act_of_applicant(
    state: &State,
    headers: &HeaderMap,
    sent: &Sent,
    act: Act,
) -> Result<Result<RequestView, ActError>, Failure> {
    let (number, _) = held(state, headers).ok_or_else(over)?;
    sent.is_about(&number)?;
    let job = move |desk: &Desk, number: &str, secret: &str| {
        desk.act_now(number, &act, &desk.applicant(number, secret)?)
    };
    with_cookie(state, headers, &sent.visitor, job).await?.ok_or_else(over)
}

/// Number and secret are to be entered again; nothing was done.
fn over() -> Failure {
    Failure::new(StatusCode::FORBIDDEN, "fail-status")
}

/// The form of number and secret, and the way to another secret.
#[derive(Template)]
#[template(path = "ask_status.html", config = "src/web/askama.toml")]
struct AskPage {
    /// Frame.
    shell: Shell,
    /// The form.
    form: Form,
}

/// The page of number and secret.
fn ask_page(visitor: &Visitor, form: Form) -> AskPage {
    let shell = Shell::new(visitor, visitor.t.s("status-title")).faulty(form.is_faulty());
    AskPage { shell, form }
}

/// The form of number and secret.
fn ask_form(visitor: &Visitor) -> Form {
    let t = visitor.t;
    Form::new("/status", &visitor.csrf, t.s("status-button"))
        .field(Field::line(t, "number", "status-number").width("w-m").autocomplete("off"))
        .field(Field::line(t, "secret", "status-secret").width("w-s").autocomplete("off"))
}

/// `GET /status`
pub(super) async fn show(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    visitor: Visitor,
    Query(asked): Query<AskedFor>,
) -> Result<Response, Failure> {
    match own(&state, &headers, &visitor).await? {
        Some(view) => {
            let name = full_name(&view.name, &view.zone);
            let record = if is_live(&view) {
                state.work(move |state| state.desk().record(&name)).await??
            } else {
                None
            };
            page(&status_page(&visitor, &view, record.as_ref()))
        }
        None => {
            // A mail names the number, so that only the secret is to be typed.
            let form = ask_form(&visitor);
            let number = asked.nomor.filter(|text| text.len() <= NUMBER_MAX).unwrap_or_default();
            let form = form.refill(|name| if name == "number" { number.as_str() } else { "" });
            page(&ask_page(&visitor, form))
        }
    }
}

/// The query of a link to the status.
#[derive(Deserialize)]
pub(super) struct AskedFor {
    /// The number.
    nomor: Option<String>,
}

/// `POST /status`
pub(super) async fn enter(Extract(state): Extract<State>, sent: Sent) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let number = sent.get("number").to_uppercase();
    // People copy it in groups.
    let secret: String = sent.get("secret").split([' ', '-', '\u{a0}']).collect();
    let secret = secret.to_uppercase();
    let ticket = ticket(&state, &number, &secret);
    let clean = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-@".contains(&b));
    let sane = clean(&number) && clean(&secret);
    let of = number.clone();
    let job = move |state: &State| {
        if sane { state.desk().applicant(&of, &secret) } else { Err(ActError::NotFound) }
    };
    match state.with_secret(&number, visitor.address, job).await? {
        Ok(_) => Ok(see_other_with("/status", &[ticket])),
        Err(ActError::NotFound) => {
            let form = ask_form(visitor).refill(|name| sent.get(name));
            let form = form.fault("number", visitor.t.s("status-wrong"));
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &ask_page(visitor, form))
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /status/selesai`
pub(super) async fn leave(Extract(state): Extract<State>, _sent: Sent) -> Response {
    see_other_with("/status", &[state.cookie("pemohon", "", "Lax", 0)])
}

//------------ The status ----------------------------------------------------

/// The page of a request for its applicant.
#[derive(Template)]
#[template(path = "status.html", config = "src/web/askama.toml")]
struct StatusPage {
    /// Frame.
    shell: Shell,
    /// Number.
    number: String,
    /// Full name.
    name: String,
    /// State in one word.
    state: String,
    /// Class of its tag.
    tag: &'static str,
    /// State in one sentence.
    line: String,
    /// Why it was turned down, and how to object.
    reason: Vec<String>,
    /// What to do when the site has a place, or empty.
    hosting: String,
    /// Heading of what is to be corrected.
    fix_title: String,
    /// What is to be corrected, with the reviewer's notes.
    fixes: Vec<(String, String)>,
    /// The steps of the procedure: words, and `done`, `now` or nothing.
    steps: Vec<(String, &'static str)>,
    /// Who has it, by when.
    facts: Vec<(String, String)>,
    /// What was asked for.
    asked: Vec<(String, String)>,
    /// The address of the site, once its name is live.
    site: Option<String>,
    /// How to look from anywhere whether the name is live.
    dig: String,
    /// Whether the history of the name can be seen, and the name given up.
    owned: bool,
    /// Whether it ended without the name, and another may be sent.
    may_ask_again: bool,
    /// The proof.
    proof: Option<Shown>,
    /// Papers written to the applicant.
    papers: Vec<PaperLine>,
    /// Events.
    history: Vec<Past>,
    /// Whether its start can be moved.
    reschedule: bool,
    /// Whether it can be withdrawn.
    withdraw: bool,
    /// Whether the name waits for its owner's word.
    asks_owner: bool,
}

/// Everything the page shows.
fn status_page(visitor: &Visitor, view: &RequestView, record: Option<&RecordView>) -> StatusPage {
    let t = visitor.t;
    let name = full_name(&view.name, &view.zone);
    let fixes: Vec<_> = fixes(t, view)
        .into_iter()
        .filter(|_| view.state == RequestState::NeedsCorrection)
        .map(|(_, words, note)| (words, note))
        .collect();
    let mut facts = Vec::new();
    if let Some(role) = view.holder_role {
        facts.push((t.s("status-held"), role_words(t, role.as_str())));
    }
    if let Some(due) = &view.due {
        facts.push((t.s("status-due"), t.moment(due)));
    }
    if let Some(starts) = view.starts_at.as_deref().filter(|_| view.phase == Phase::Scheduled) {
        facts.push((t.s("status-scheduled"), t.moment(starts)));
    }
    facts.extend([
        (t.s("status-sent"), t.moment(&view.submitted)),
        (t.s("status-changed"), t.moment(&view.changed)),
    ]);
    let since = became_since(t, view, record);
    StatusPage {
        shell: Shell::new(visitor, format!("{}: {name}", view.state.say(t))),
        number: view.number.clone(),
        state: view.state.say(t),
        tag: tag(view.state),
        line: since.clone().unwrap_or_else(|| line(t, view)),
        reason: reason(t, view),
        hosting: hosting(t, view),
        fix_title: fix_title(t, view, fixes.len()),
        fixes,
        steps: steps(t, view),
        facts,
        proof: view.proof.as_ref().map(|it| proof(t, it)),
        papers: paper_lines(t, &view.papers, APPLICANTS_PLACE, true),
        asked: asked(t, view, &name),
        site: (is_live(view) && since.is_none()).then(|| format!("https://{name}")),
        dig: view.records.first().map_or_else(String::new, |it| format!("dig {name} {}", it.rtype)),
        owned: matches!(
            view.state,
            RequestState::Live | RequestState::Notified | RequestState::Closed
        ),
        may_ask_again: matches!(
            view.state,
            RequestState::Rejected | RequestState::Withdrawn | RequestState::Expired
        ),
        history: milestones(t, &view.history),
        reschedule: view.acts.contains(&ActKind::Reschedule),
        withdraw: view.acts.contains(&ActKind::Withdraw),
        asks_owner: view.asks_owner,
        name,
    }
}

/// The state in one sentence: what is live of a new name is done of any other kind.
fn line(t: Words, view: &RequestView) -> String {
    let kind = view.kind.as_str().replace('_', "-");
    let kind = if view.lift { "lift" } else { kind.as_str() };
    let own = format!("{}-line-{kind}", view.state.id());
    let done = if t.has(&own) { own } else { format!("{}-line", view.state.id()) };
    match raised_line(t, view) {
        Some(by) => format!("{by} {}", t.s(&done)),
        None => t.s(&done),
    }
}

/// What became of the name since this request put it there, if it is not there as its office's any more.
fn became_since(t: Words, view: &RequestView, record: Option<&RecordView>) -> Option<String> {
    if !is_live(view) {
        return None;
    }
    match record {
        Some(record) if record.state == LiveState::Suspended => Some(t.s("status-now-suspended")),
        Some(record) if !record.state.is_served() => Some(t.s("status-now-gone")),
        Some(record) if !same_office(&record.office, &view.office) => {
            Some(t.a("status-now-of", "office", &record.office))
        }
        Some(_) => None,
        None => Some(t.s("status-now-gone")),
    }
}

/// Whether the name answers because of this request.
fn is_live(view: &RequestView) -> bool {
    let is_done =
        matches!(view.state, RequestState::Live | RequestState::Notified | RequestState::Closed);
    is_done && (view.kind.brings_records() || view.lift)
}

/// What the applicant asked for, as it was written.
fn asked(t: Words, view: &RequestView, name: &str) -> Vec<(String, String)> {
    let record = |it: &crate::queue::RequestedRecord| format!("{} {}", it.rtype, it.data);
    let records: Vec<String> = view.records.iter().map(record).collect();
    let contact = view.contact.as_ref();
    let of = |part: fn(&crate::queue::Contact) -> &String| contact.map(part).cloned();
    let day = |at: &Option<String>| at.as_deref().map(|at| t.day_of(at));
    let letter = t.with(
        "status-letter",
        &[("number", &view.letter.number), ("date", &t.iso_date(&view.letter.date))],
    );
    let letter = if view.letter.number.is_empty() { String::new() } else { letter };
    let facts = [
        ("apply-kind", Some(say_kind(view.kind, view.lift, t))),
        ("apply-name", Some(name.to_owned())),
        ("apply-office", Some(view.office.clone())),
        ("apply-purpose", Some(view.purpose.clone())),
        ("apply-target", Some(records.join("\n"))),
        ("apply-hosting-by", day(&view.hosting_by)),
        ("apply-starts", day(&view.starts)),
        ("apply-ends", day(&view.ends)),
        ("apply-contact-name", of(|contact| &contact.name)),
        ("apply-contact-position", of(|contact| &contact.position)),
        ("apply-contact-email", of(|contact| &contact.email)),
        ("apply-contact-phone", of(|contact| &contact.phone)),
        ("apply-letter", Some(letter)),
    ];
    let said = facts.into_iter().filter_map(|(id, value)| Some((t.s(id), value?)));
    said.filter(|(_, value)| !value.is_empty()).collect()
}

/// How far the request has come; nothing for one that ended otherwise.
fn steps(t: Words, view: &RequestView) -> Vec<(String, &'static str)> {
    let now = match view.state {
        RequestState::Rejected | RequestState::Withdrawn | RequestState::Expired => {
            return Vec::new();
        }
        RequestState::Notified | RequestState::Closed => 6,
        state => state.clock_step().map_or(2, ClockStep::number),
    };
    // While it is with the applicant, nobody else works on it.
    let corrects = view.state == RequestState::NeedsCorrection;
    let step = |step: u8| {
        let class = match step.cmp(&now) {
            std::cmp::Ordering::Less => "done",
            std::cmp::Ordering::Equal if corrects => "",
            std::cmp::Ordering::Equal => "now",
            std::cmp::Ordering::Greater => "",
        };
        (t.s(&format!("status-step-{step}")), class)
    };
    let mut steps: Vec<_> = (1..=5).map(step).collect();
    if corrects {
        let at = steps.iter().position(|(_, class)| class.is_empty()).unwrap_or(steps.len());
        steps.insert(at, (t.s("status-step-fix"), "now"));
    }
    steps
}

/// "Perbaiki 2 hal berikut sebelum 7 Desember 2026".
fn fix_title(t: Words, view: &RequestView, count: usize) -> String {
    let count = count.to_string();
    match &view.due {
        Some(due) => t.with("status-fix-title-due", &[("count", &count), ("due", &t.day_of(due))]),
        None => t.a("status-fix-title", "count", &count),
    }
}

/// That the site has no place yet, and what to do when it has.
fn hosting(t: Words, view: &RequestView) -> String {
    let day = view.hosting_by.as_ref().filter(|_| view.state.is_open());
    day.map(|day| t.a("status-hosting", "day", &t.day_of(day))).unwrap_or_default()
}

/// Why it was turned down, and how to object.
fn reason(t: Words, view: &RequestView) -> Vec<String> {
    let Some(reason) = view.reason.as_ref().filter(|_| view.state == RequestState::Rejected) else {
        return Vec::new();
    };
    let code = RejectReason::from_code(&reason.code).map(|code| code.say(t));
    let mut words = vec![code.unwrap_or_else(|| reason.code.clone())];
    words.push(reason.note.clone());
    words.push(t.s("status-object"));
    words.retain(|line| !line.is_empty());
    words
}

//------------ Another start

/// `GET /status/jadwal`
pub(super) async fn ask_reschedule(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    visitor: Visitor,
) -> Result<Response, Failure> {
    match own(&state, &headers, &visitor).await? {
        Some(view) if view.acts.contains(&ActKind::Reschedule) => {
            let starts = view.starts.clone().unwrap_or_default();
            page(&reschedule_page(
                &visitor,
                &view,
                reschedule_form(&visitor, &view).refill(|_| starts.as_str()),
            ))
        }
        _ => Ok(see_other("/status")),
    }
}

/// `POST /status/jadwal`
pub(super) async fn reschedule(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Response, Failure> {
    let act = Act::Reschedule { starts: sent.get("starts").to_owned(), letter: String::new() };
    let done = act_of_applicant(&state, &headers, &sent, act).await?;
    let Err(error) = done else { return Ok(see_other("/status")) };
    let t = sent.visitor.t;
    let words = error_words(t, &error).join(" ");
    let failure = Failure::from(error);
    if failure.is_internal() {
        return Err(failure);
    }
    let Some(view) = own(&state, &headers, &sent.visitor).await? else {
        return Ok(see_other("/status"));
    };
    let form = reschedule_form(&sent.visitor, &view).refill(|name| sent.get(name));
    let form = form.fault("starts", words);
    page_with(failure.status, &reschedule_page(&sent.visitor, &view, form))
}

/// The form of another start.
fn reschedule_form(visitor: &Visitor, view: &RequestView) -> Form {
    let t = visitor.t;
    Form::new("/status/jadwal", &visitor.csrf, t.s("status-reschedule"))
        .field(Field::line(t, "starts", "ask-starts").input(Input::Line("date")).optional())
        .about(&view.number)
}

/// The page of another start.
fn reschedule_page(visitor: &Visitor, view: &RequestView, form: Form) -> FormPage {
    let t = visitor.t;
    let starts = view.starts_at.as_deref().map(|at| t.moment(at)).unwrap_or_default();
    FormPage {
        shell: Shell::new(visitor, t.s("status-reschedule")).faulty(form.is_faulty()),
        lead: vec![t.s("status-reschedule-text")],
        facts: vec![
            (t.s("apply-name"), full_name(&view.name, &view.zone)),
            (t.s("status-scheduled"), starts),
        ],
        form,
        after: Vec::new(),
    }
}

//------------ Withdrawal ----------------------------------------------------

/// `GET /status/tarik`
pub(super) async fn ask_withdraw(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let Some(view) = own(&state, &headers, &visitor).await? else {
        return Ok(see_other("/status"));
    };
    let t = visitor.t;
    let form = Form::new("/status/tarik", &visitor.csrf, t.s("status-withdraw")).style("warn");
    let form = form.about(&view.number);
    page(&FormPage {
        shell: Shell::new(&visitor, t.s("status-withdraw")),
        lead: vec![t.s("status-withdraw-text")],
        facts: vec![
            (t.s("status-number"), view.number.clone()),
            (t.s("apply-name"), full_name(&view.name, &view.zone)),
        ],
        form,
        after: Vec::new(),
    })
}

/// `POST /status/tarik`
pub(super) async fn withdraw(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Response, Failure> {
    let act = Act::Withdraw { letter: String::new() };
    act_of_applicant(&state, &headers, &sent, act).await??;
    Ok(see_other("/status"))
}

/// The request of the cookie, for its applicant.
async fn own(
    state: &State,
    headers: &HeaderMap,
    visitor: &Visitor,
) -> Result<Option<RequestView>, Failure> {
    of_applicant(state, headers, visitor, Desk::status).await
}

//------------ Correction ----------------------------------------------------

/// `GET /status/perbaikan`: opens only what is to be corrected.
pub(super) async fn ask_correct(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let Some(view) = own(&state, &headers, &visitor).await? else {
        return Ok(see_other("/status"));
    };
    if !view.acts.contains(&ActKind::Resubmit) {
        return Ok(see_other("/status"));
    }
    let draft = Draft::of_view(&view)?;
    let form = correct_form(&state, &visitor, &view, &draft)?.refill(|name| draft.get(name));
    page(&correct_page(&visitor, &view, form, Vec::new()))
}

/// `POST /status/perbaikan`
pub(super) async fn correct(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    mut sent: Sent,
) -> Result<Response, Failure> {
    let (Some(view), Some((number, secret))) =
        (own(&state, &headers, &sent.visitor).await?, held(&state, &headers))
    else {
        return Err(over());
    };
    sent.is_about(&view.number)?;
    let mut draft = Draft::of_view(&view)?;
    let letter = draft.take_letter(&state, &mut sent).await;
    let visitor = &sent.visitor;
    let form = correct_form(&state, visitor, &view, &draft)?;
    let names: Vec<String> = form.fields.iter().map(|field| field.name.clone()).collect();
    draft.take(&sent, &names.iter().map(String::as_str).collect::<Vec<_>>());
    if names.iter().any(|name| name == TARGET_ANY) {
        let text = draft.get(TARGET_ANY).to_owned();
        draft.set_target(&text);
    }
    let application = draft.application(&view.zone);
    if let Some(fault) = letter {
        let error = ActError::Letter(fault);
        return refuse_correction(visitor, &view, &draft, form, error);
    }
    let letter = draft.letter.clone().map(|chosen| chosen.letter);
    let of = number.clone();
    let done = move |state: &State| {
        let actor = state.desk().applicant(&of, &secret)?;
        state.desk().resubmit(&of, application, letter, &actor)
    };
    match state.with_secret(&number, visitor.address, done).await? {
        Ok(_) => Ok(see_other("/status")),
        Err(error) => refuse_correction(visitor, &view, &draft, form, error),
    }
}

/// The form of a correction again, with what is wrong.
fn refuse_correction(
    visitor: &Visitor,
    view: &RequestView,
    draft: &Draft,
    form: Form,
    error: ActError,
) -> Result<Response, Failure> {
    let mut form = form.refill(|name| draft.get(name));
    let mut other = Vec::new();
    for fault in error.faults() {
        let mut field = field_of(&fault.field);
        let is_record = field.starts_with("data") || field.starts_with("type");
        if is_record && form.fields.iter().any(|it| it.name == TARGET_ANY) {
            TARGET_ANY.clone_into(&mut field);
        }
        if let Some(at) = form.fields.iter().find(|it| it.name == field) {
            let empty = fault.rule == Rule::Empty;
            let text = if empty { at.asks(visitor.t) } else { fault.say(visitor.t) };
            form = form.fault(&field, text);
        } else {
            other.push(fault.say(visitor.t));
        }
    }
    if !form.is_faulty() && other.is_empty() {
        other = error_words(visitor.t, &error);
    }
    let failure = Failure::from(error);
    if failure.is_internal() {
        return Err(failure);
    }
    page_with(failure.status, &correct_page(visitor, view, form, other))
}

/// The form of a correction: the steps in which something can mend what the reviewer named.
fn correct_form(
    state: &State,
    visitor: &Visitor,
    view: &RequestView,
    draft: &Draft,
) -> Result<Form, Failure> {
    let t = visitor.t;
    let named: Vec<LineCode> = fixes(t, view).into_iter().map(|(code, _, _)| code).collect();
    let mut form = Form::new("/status/perbaikan", &visitor.csrf, t.s("act-resubmit"));
    for step in steps_about(&named, draft.wants_records()) {
        form.fields.extend(correction_fields(state, t, draft, step)?);
    }
    for field in form.fields.iter_mut().filter(|field| field.name == "letter") {
        // The old letter stays unless a new one is chosen.
        field.optional = true;
    }
    Ok(form.about(&view.number))
}

/// The page of a correction.
fn correct_page(visitor: &Visitor, view: &RequestView, form: Form, other: Vec<String>) -> FormPage {
    let t = visitor.t;
    let mut lead = vec![t.s("correct-lead")];
    lead.extend(other);
    FormPage {
        shell: Shell::new(visitor, t.s("correct-title")).faulty(form.is_faulty()),
        lead,
        facts: fixes(t, view).into_iter().map(|(_, words, note)| (words, note)).collect(),
        form,
        after: Vec::new(),
    }
}
