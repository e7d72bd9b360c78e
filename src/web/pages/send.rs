//! The final check of a request, sending it, and the receipt.

use askama::Template;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::mailbox::{is_private, is_to_be_proven, subject};
use super::parts::error_words;
use super::parts::full_name;
use super::questions::{HOSTING, label_of, unit_words};
use super::status::{held, ticket};
use crate::desk::{ActError, Pressed, Submitter, Viewer};
use crate::people::{Session, sha256_hex};
use crate::queue::automatic::tidy;
use crate::queue::{Actor, State as RequestState};
use crate::web::draft::{Draft, EXPERT, FORM, FormField, LATER, LIFT, RECORD_ROWS, field_of};
use crate::web::failure::Failure;
use crate::web::form::{Field, Form};
use crate::web::limits::{Route, network};
use crate::web::progress::{CHECK, Change, LAST, gap, path_of, place_of};
use crate::web::redirect::{see_other, see_other_with};
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Said, Words, say_kind};

/// The field that names the answers that were shown.
const SEEN: &str = "dilihat";

/// One group of answers.
struct Part {
    /// Heading.
    title: String,
    /// Names and values.
    facts: Vec<(String, String)>,
    /// Where to change them.
    place: String,
}

/// All answers, and the button that sends them.
#[derive(Template)]
#[template(path = "check.html", config = "src/web/askama.toml")]
struct CheckPage {
    /// Frame.
    shell: Shell,
    /// "Langkah 6 dari 6".
    caption: String,
    /// The page before.
    back: String,
    /// Something to think about before sending.
    note: Option<String>,
    /// That the mailbox is not proven, or empty.
    unproven: String,
    /// Faults: where and what.
    faults: Vec<(String, String)>,
    /// Answers.
    parts: Vec<Part>,
    /// The form.
    form: Form,
}

/// `GET /permohonan/periksa`
pub(super) async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.may_apply(&state)?;
    let draft = Draft::load(&state, &visitor.visit).await?;
    if let Some(missing) = gap(&draft) {
        return Ok(see_other(&missing));
    }
    let mut shown = check_page(&state, &visitor, &draft, Vec::new());
    let email = draft.get("contact_email");
    if !email.is_empty() && is_to_be_proven(&state, &visitor, &draft).await? {
        shown.unproven = visitor.t.a("apply-unproven", "email", email);
    }
    page(&shown)
}

/// `POST /permohonan/periksa`: sends the request. A second press finds what the first one made.
pub(super) async fn submit(
    Extract(state): Extract<State>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    visitor.may_apply(&state)?;
    let key = sha256_hex(sent.get("once"));
    let known = key.clone();
    if let Some(number) = state.work(move |state| state.desk().sent_before(&known)).await?? {
        return Ok(see_other(&sent_place(&number)));
    }
    let officer = visitor.officer().map(Session::actor);
    if officer.is_none() {
        state.limits().take(Route::Submit, visitor.address).map_err(Failure::too_many)?;
    }
    if !sent.get("situs").is_empty() || sent.get("once").is_empty() {
        // A field no person sees was filled in, or one that every form has is missing.
        return Err(Failure::bad_request());
    }
    let draft = Draft::load(&state, &visitor.visit).await?;
    if ![String::new(), draft.mark()].contains(&sent.get(SEEN).to_owned()) {
        let faults = vec![("/permohonan/1".to_owned(), visitor.t.s("apply-other-tab"))];
        let again = check_page(&state, visitor, &draft, faults);
        return page_with(StatusCode::CONFLICT, &again);
    }
    let application = draft.application(&state.options().zone);
    let letter = draft.letter.clone().map(|chosen| chosen.letter);
    let network = network(visitor.address);
    let subject = subject(&visitor.visit);
    let done = state
        .work(move |state| {
            let contact = &application.contact;
            let applicant = Actor::applicant(&contact.name, contact.identity(), None);
            let actor = officer.unwrap_or(applicant);
            let mailbox_proven = state.desk().mailbox_is_proven(&subject, &contact.email)?;
            let (proof_of, network) = (Some(subject), Some(network));
            let by = Submitter { actor, mailbox_proven, proof_of, network, letter_on_paper: false };
            state.desk().submit_form(&key, application, letter, &by)
        })
        .await?;
    match done {
        Ok(Pressed::Before(number)) => Ok(see_other(&sent_place(&number))),
        Ok(Pressed::Sent(made)) => {
            Draft::drop_of(&state, &visitor.visit).await?;
            let ticket = ticket(&state, &made.number, &made.secret);
            Ok(see_other_with(&sent_place(&made.number), &[ticket]))
        }
        Err(error) => {
            if let ActError::Limit(_) = error {
                return Err(error.into());
            }
            let faults = faults(&state, visitor.t, &draft, &error);
            let failure = Failure::from(error);
            if failure.is_internal() {
                return Err(failure);
            }
            page_with(failure.status, &check_page(&state, visitor, &draft, faults))
        }
    }
}

/// Where a request that was sent is shown.
fn sent_place(number: &str) -> String {
    format!("/permohonan/terkirim/{number}")
}

/// The faults of a request that was refused: the step to go to, and what is wrong.
fn faults(state: &State, t: Words, draft: &Draft, error: &ActError) -> Vec<(String, String)> {
    let single = error.faults().iter().map(|fault| {
        let field = field_of(&fault.field);
        let words = fault.say(t);
        let words = match label_of(state, t, draft, &field) {
            Some(label) => format!("{label}: {words}"),
            None => words,
        };
        let place = Change::FROM_CHECK.mark(&place_of(draft, &field));
        (format!("{place}#{field}"), words)
    });
    let single: Vec<_> = single.collect();
    if !single.is_empty() {
        return single;
    }
    let whole = error_words(t, error).into_iter();
    whole.map(|words| ("/permohonan/1".to_owned(), words)).collect()
}

/// The receipt.
#[derive(Template)]
#[template(path = "sent.html", config = "src/web/askama.toml")]
struct SentPage {
    /// Frame.
    shell: Shell,
    /// Number.
    number: String,
    /// Secret, right after sending only.
    secret: String,
    /// What was sent, by whom, and when.
    facts: Vec<(String, String)>,
    /// What happens next.
    next: Vec<String>,
}

/// `GET /permohonan/terkirim/{number}`: survives a reload. Without the ticket of who sent it, it confirms nothing:
/// anybody can write a number into an address.
pub(super) async fn receipt(
    Extract(state): Extract<State>,
    Path(number): Path<String>,
    headers: HeaderMap,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let t = visitor.t;
    let secret = held(&state, &headers).filter(|(held, _)| *held == number).map(|(_, it)| it);
    let Some(secret) = secret else { return Ok(see_other("/status")) };
    let (of, given) = (number.clone(), secret.clone());
    let seen = state.with_secret(&number, visitor.address, move |state| {
        state.desk().applicant(&of, &given)?;
        state.desk().view(&of, &Viewer::Applicant)
    });
    let view = match seen.await? {
        Ok(view) => view,
        Err(ActError::NotFound) => return Ok(see_other("/status")),
        Err(error) => return Err(error.into()),
    };
    let first = match &view.summary.due {
        Some(due) => t.a("sent-next-1-due", "due", &t.moment(due)),
        None => t.s("sent-next-1"),
    };
    let told = if state.mailer().is_some() { "sent-next-3" } else { "sent-next-3-no-mail" };
    let facts = vec![
        (t.s("apply-name"), full_name(&view.name, &view.zone)),
        (t.s("apply-kind"), say_kind(view.kind, view.lift, t)),
        (t.s("apply-office"), view.office.clone()),
        (t.s("status-sent"), t.moment(&view.submitted)),
    ];
    // Whoever lost the secret comes here later, too.
    let (title, next) = match view.state {
        RequestState::Submitted => ("sent-title", vec![first, t.s("sent-next-2"), t.s(told)]),
        state => {
            let now = t.a("secret-next-1", "state", &state.say(t));
            ("secret-title", vec![now, t.s("sent-next-2")])
        }
    };
    let shell = Shell::new(&visitor, t.s(title));
    page(&SentPage { shell, number, secret, facts, next })
}

/// The page of a draft with the faults found in it.
fn check_page(
    state: &State,
    visitor: &Visitor,
    draft: &Draft,
    faults: Vec<(String, String)>,
) -> CheckPage {
    let t = visitor.t;
    CheckPage {
        shell: Shell::new(visitor, t.s("apply-title-6")).faulty(!faults.is_empty()),
        caption: t.with("apply-caption", &[("step", "6"), ("last", "6")]),
        back: path_of(LAST),
        note: is_private(draft.get("contact_email")).then(|| t.s("apply-private-mailbox")),
        faults,
        parts: parts(t, draft, state),
        unproven: String::new(),
        form: Form::new(CHECK, &visitor.csrf, t.s("act-submit"))
            .once()
            .field(Field::hidden(SEEN, &draft.mark())),
    }
}

/// The answers in groups, as the steps ask for them.
fn parts(t: Words, draft: &Draft, state: &State) -> Vec<Part> {
    let (zone, naming) = (&state.options().zone, state.desk().naming());
    // Shown as it will be sent: capitals, blanks and a pasted address tidied.
    let name = tidy(draft.application(zone), &naming).name;
    let value = |name: &str| draft.get(name).to_owned();
    let shown = |field: &FormField| match field.json {
        "kind" => draft.kind().map(|it| it.say(t)).unwrap_or_default(),
        "class" => draft.class().map(|it| it.say(t)).unwrap_or_default(),
        "region" => unit_words(&naming.regions, draft.get("region")),
        "name" => full_name(&name, zone),
        "lift" if draft.get("lift") == LIFT => t.s("apply-lift-yes"),
        "starts" | "ends" | "hosting_by" | "letter.date" => t.iso_date(draft.get(&field.name())),
        _ => value(&field.name()),
    };
    let part = |step: u8| {
        let fields = FORM.iter().filter(|field| field.step == step && field.json != "records");
        let mut facts: Vec<_> = fields.map(|field| (t.s(field.label), shown(field))).collect();
        if step == 4 {
            facts.splice(0..0, target(t, draft));
        }
        if step == LAST {
            let letter = draft.letter.as_ref().map(|letter| letter.name.clone());
            facts.push((t.s("apply-letter"), letter.unwrap_or_default()));
        }
        facts.retain(|(_, value)| !value.is_empty());
        Part {
            title: t.s(&format!("apply-title-{step}")),
            facts,
            place: Change::FROM_CHECK.mark(&path_of(step)),
        }
    };
    (1..=LAST).filter(|step| *step != 4 || draft.wants_records()).map(part).collect()
}

/// Where the site is, as it was answered.
fn target(t: Words, draft: &Draft) -> Vec<(String, String)> {
    let how = draft.get("target");
    if how == LATER {
        return vec![(t.s("apply-target"), t.s("apply-target-belum"))];
    }
    if let Some(hosting) = how.strip_prefix(HOSTING) {
        return vec![(t.s("apply-target"), hosting.to_owned())];
    }
    if let Some(plain) = draft.plain_target().filter(|_| how != EXPERT) {
        return vec![(t.s(&format!("apply-target-{how}")), plain)];
    }
    let row = |at: usize| {
        let (rtype, data) = (draft.get(&format!("type{at}")), draft.get(&format!("data{at}")));
        let shown = if data.is_empty() { String::new() } else { format!("{rtype} {data}") };
        (t.a("apply-data-n", "number", &(at + 1).to_string()), shown)
    };
    (0..RECORD_ROWS).map(row).collect()
}
