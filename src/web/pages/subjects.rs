//! Requests of persons about their own data: the register with its clock, one request, its answer.

use askama::Template;
use axum::extract::{Path, State as Extract};
use axum::response::Response;

use super::parts::{line_fault, refusal};
use super::sign_in::proof_first;
use crate::desk::{ActError, SubjectKind, SubjectOutcome, SubjectView, SubjectWish};
use crate::people::Role;
use crate::web::failure::Failure;
use crate::web::form::{Choice, Field, Form, Input};
use crate::web::redirect::see_other;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::Words;

/// Who reads the register.
const READERS: [Role; 3] = [Role::Head, Role::Verifier, Role::Operator];

/// One request in a row.
struct Row {
    /// Number.
    id: String,
    /// What is asked for.
    kind: String,
    /// Who asks.
    name: String,
    /// When it came.
    came: String,
    /// When it is due, or was answered.
    due: String,
    /// Class of the due time.
    class: &'static str,
}

/// The register.
#[derive(Template)]
#[template(path = "subjects.html", config = "src/web/askama.toml")]
struct ListPage {
    /// Frame.
    shell: Shell,
    /// Why a request was not recorded: where to mend it, and what.
    faults: Vec<(String, String)>,
    /// Requests.
    rows: Vec<Row>,
    /// The form of a new one.
    form: Form,
    /// The form that looks for what is kept of somebody, for those who see contacts.
    look: Option<Form>,
    /// Whether the list for a breach may be had.
    may_export: bool,
}

/// One request.
#[derive(Template)]
#[template(path = "subject.html", config = "src/web/askama.toml")]
struct OnePage {
    /// Frame.
    shell: Shell,
    /// Why the answer was refused: where to mend it, and what.
    faults: Vec<(String, String)>,
    /// Facts.
    facts: Vec<(String, String)>,
    /// The request for a name it is about, or empty.
    request: String,
    /// The form of the answer; none where it was answered or somebody else answers.
    form: Option<Form>,
}

/// `GET /data-pribadi`
pub(super) async fn list(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    proof_first(&state, visitor.need(&READERS)?, &visitor)?;
    page(&list_page(&state, &visitor).await?)
}

/// `POST /data-pribadi`: records a request.
pub(super) async fn record(
    Extract(state): Extract<State>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let actor = visitor.need(&READERS)?.actor();
    let wish = SubjectWish {
        kind: SubjectKind::from_name(sent.get("kind")),
        name: sent.get("name").to_owned(),
        contact: sent.get("contact").to_owned(),
        text: sent.get("text").to_owned(),
        request: sent.get("request").to_owned(),
    };
    let done = state.work(move |state| state.desk().record_subject_request(&wish, &actor)).await?;
    match done {
        Ok(id) => Ok(see_other(&format!("/data-pribadi/{id}"))),
        Err(error) => {
            let mut again = list_page(&state, visitor).await?;
            let (form, faults, status) = turned_back(visitor.t, again.form, &sent, error)?;
            (again.form, again.faults, again.shell.faulty) = (form, faults, true);
            page_with(status, &again)
        }
    }
}

/// `GET /data-pribadi/{id}`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    proof_first(&state, visitor.need(&READERS)?, &visitor)?;
    page(&one_page(&state, &visitor, &id).await?)
}

/// `POST /data-pribadi/{id}`: answers it.
pub(super) async fn answer(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let actor = visitor.need(&[Role::Head])?.actor();
    let (of, text) = (id.clone(), sent.get("answer").to_owned());
    let outcome = SubjectOutcome::from_name(sent.get("outcome"));
    let done = state
        .work(move |state| state.desk().answer_subject_request(&of, (outcome, &text), &actor))
        .await?;
    match done {
        Ok(()) => Ok(see_other(&format!("/data-pribadi/{id}"))),
        Err(error) => {
            let mut again = one_page(&state, visitor, &id).await?;
            let form = again.form.take().unwrap_or_else(|| answer_form(visitor, &id));
            let (form, faults, status) = turned_back(visitor.t, form, &sent, error)?;
            (again.form, again.faults, again.shell.faulty) = (Some(form), faults, true);
            page_with(status, &again)
        }
    }
}

/// A form that came back, with the reasons at its fields and in the summary.
fn turned_back(
    t: Words,
    form: Form,
    sent: &Sent,
    error: ActError,
) -> Result<(Form, Vec<(String, String)>, axum::http::StatusCode), Failure> {
    let (words, faults) = (refusal(t, &error), error.faults().to_vec());
    let failure = Failure::from(error);
    if failure.is_internal() {
        return Err(failure);
    }
    let (form, others) = form.refill(|name| sent.get(name)).take_faults(t, &faults);
    let others = others.into_iter().map(|fault| line_fault(t, fault));
    let mut all: Vec<_> =
        words.into_iter().chain(others).map(|words| (String::new(), words)).collect();
    let links = form.faults().into_iter();
    all.extend(links.map(|(name, text)| (format!("#{name}"), text.to_owned())));
    Ok((form, all, failure.status))
}

/// Everything the register shows.
async fn list_page(state: &State, visitor: &Visitor) -> Result<ListPage, Failure> {
    let t = visitor.t;
    let actor = visitor.need(&READERS)?.actor();
    let (found, now) = state
        .work(move |state| {
            Ok::<_, ActError>((state.desk().subject_requests(&actor)?, state.people().now_ms()))
        })
        .await??;
    let kinds = SubjectKind::ALL.map(|kind| Choice::new(kind.as_str(), kind_words(t, kind)));
    let form = Form::new("/data-pribadi", &visitor.csrf, t.s("subject-button"))
        .field(Field::line(t, "kind", "subject-kind").input(Input::Radios(kinds.to_vec())))
        .field(Field::line(t, "name", "subject-name").width("w-m"))
        .field(Field::line(t, "contact", "subject-contact").width("w-m"))
        .field(Field::line(t, "request", "subject-request").optional().width("w-m"))
        .field(Field::line(t, "text", "subject-text").input(Input::Area));
    Ok(ListPage {
        shell: Shell::new(visitor, t.s("subject-title")).wide(),
        faults: Vec::new(),
        rows: found.iter().map(|it| row(t, it, now)).collect(),
        form,
        look: visitor.need(&[Role::Head, Role::Verifier]).is_ok().then(|| ask_form(visitor)),
        may_export: visitor.need(&[Role::Head]).is_ok(),
    })
}

/// The form that looks for what is kept of somebody.
pub(super) fn ask_form(visitor: &Visitor) -> Form {
    let t = visitor.t;
    Form::new("/data-pribadi/cari", &visitor.csrf, t.s("holdings-button"))
        .style("quiet")
        .field(Field::line(t, "tentang", "holdings-of").width("w-m").autocomplete("off"))
}

/// What is asked for, in words.
fn kind_words(t: Words, kind: SubjectKind) -> String {
    t.s(&format!("subject-kind-{kind}"))
}

/// A request in a row.
fn row(t: Words, it: &SubjectView, now: i64) -> Row {
    let (due, class) = match (it.answered_ms, it.outcome) {
        (Some(at), outcome) => {
            let words = outcome.map(|it| t.s(&format!("subject-{it}"))).unwrap_or_default();
            (format!("{words}, {}", t.date_time(at)), "")
        }
        (None, _) if it.due_ms < now => {
            (t.a("subject-late", "due", &t.date_time(it.due_ms)), "late")
        }
        (None, _) => (t.date_time(it.due_ms), "soon"),
    };
    Row {
        id: it.id.clone(),
        kind: kind_words(t, it.kind),
        name: it.said.as_ref().map_or_else(|| t.s("subject-blanked"), |said| said.name.clone()),
        came: t.date_time(it.came_ms),
        due,
        class,
    }
}

/// Everything the page of one request shows.
async fn one_page(state: &State, visitor: &Visitor, id: &str) -> Result<OnePage, Failure> {
    let t = visitor.t;
    let actor = visitor.need(&READERS)?.actor();
    let wanted = id.to_owned();
    let it = state.work(move |state| state.desk().subject_request(&wanted, &actor)).await??;
    let mut facts = vec![
        (t.s("subject-kind"), kind_words(t, it.kind)),
        (t.s("subject-came"), t.date_time(it.came_ms)),
        (t.s("subject-due"), t.date_time(it.due_ms)),
    ];
    match &it.said {
        Some(said) => facts.extend([
            (t.s("subject-name"), said.name.clone()),
            (t.s("subject-contact"), said.contact.clone()),
            (t.s("subject-text"), said.text.clone()),
        ]),
        None => facts.push((t.s("subject-name"), t.s("subject-blanked"))),
    }
    if let (Some(at), Some(outcome)) = (it.answered_ms, it.outcome) {
        facts.push((t.s(&format!("subject-{outcome}")), t.date_time(at)));
        let answer = it.said.as_ref().map(|said| said.answer.clone()).unwrap_or_default();
        facts.push((t.s("subject-answer"), answer));
    }
    facts.retain(|(_, value)| !value.is_empty());
    let may_answer = it.answered_ms.is_none() && visitor.need(&[Role::Head]).is_ok();
    Ok(OnePage {
        shell: Shell::new(visitor, format!("{} {}", t.s("subject-one"), it.id)),
        faults: Vec::new(),
        facts,
        request: it.request.unwrap_or_default(),
        form: may_answer.then(|| answer_form(visitor, id)),
    })
}

/// The form of the answer.
fn answer_form(visitor: &Visitor, id: &str) -> Form {
    let t = visitor.t;
    let outcomes =
        SubjectOutcome::ALL.map(|it| Choice::new(it.as_str(), t.s(&format!("subject-{it}"))));
    Form::new(&format!("/data-pribadi/{id}"), &visitor.csrf, t.s("subject-answer-button"))
        .field(Field::line(t, "outcome", "subject-outcome").input(Input::Radios(outcomes.to_vec())))
        .field(Field::line(t, "answer", "subject-answer").input(Input::Area))
}
