//! Notices to print, and the record that one was handed over.

use askama::Template;
use axum::extract::{Path, State as Extract};
use axum::response::Response;

use super::papers::officers_place;
use crate::desk::{ActError, Viewer};
use crate::notice::message;
use crate::people::Role;
use crate::queue::Notice;
use crate::view::PaperView;
use crate::web::failure::Failure;
use crate::web::form::{Field, Form, Input};
use crate::web::redirect::{encode, see_other};
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Lang, Said, Words};

/// The message and the form that records how it was handed over.
#[derive(Template)]
#[template(path = "print.html", config = "src/web/askama.toml")]
struct PrintPage {
    /// Frame.
    shell: Shell,
    /// The page it belongs to.
    place: String,
    /// Subject line.
    subject: String,
    /// Paragraphs; none where the paper below says it.
    parts: Vec<String>,
    /// The paper made of the same event: address and words.
    paper: Option<(String, String)>,
    /// The form.
    form: Form,
}

/// `GET /tinjau/{number}/pemberitahuan/{id}`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Path((number, id)): Path<(String, String)>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    page(&print_page(&state, &visitor, number, id, None).await?)
}

/// `GET /rekaman/{name}/pemberitahuan/{id}`: what tells the owner of a change.
pub(super) async fn of_name(
    Extract(state): Extract<State>,
    Path((name, id)): Path<(String, String)>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    page(&owners_page(&state, &visitor, (name, id), None).await?)
}

/// `POST /rekaman/{name}/pemberitahuan/{id}`
pub(super) async fn handle_of_name(
    Extract(state): Extract<State>,
    Path((name, id)): Path<(String, String)>,
    sent: Sent,
) -> Result<Response, Failure> {
    let actor = sent.visitor.need(&Role::OFFICERS)?.actor();
    let (how, which) = (sent.get("how").to_owned(), id.clone());
    let job = move |state: &State| state.desk().notice_handled(&which, &how, &actor);
    match state.work(job).await? {
        Ok(()) => Ok(see_other(&format!("/rekaman/{}", encode(&name)))),
        Err(error) if !error.faults().is_empty() => {
            let fault = sent.visitor.t.s("letter-how-needed");
            let shown = owners_page(&state, &sent.visitor, (name, id), Some(fault)).await?;
            page_with(Failure::from(error).status, &shown)
        }
        Err(error) => Err(error.into()),
    }
}

/// The page of what tells the owner of a change of a name.
async fn owners_page(
    state: &State,
    visitor: &Visitor,
    (name, id): (String, String),
    fault: Option<String>,
) -> Result<PrintPage, Failure> {
    let actor = visitor.need(&[Role::Head, Role::Verifier])?.actor();
    let (wanted, of) = (id.clone(), name.clone());
    let found = state.work(move |state| {
        let (changes, _) = state.desk().name_changes(&of, &actor)?;
        if !changes.iter().any(|change| change.notice.as_deref() == Some(&wanted)) {
            return Err(ActError::NotFound);
        }
        state.desk().notice(&wanted, &actor)
    });
    let place = format!("/rekaman/{}", encode(&name));
    Ok(shown(state, visitor, &found.await??, &place, (None, fault)))
}

/// The page of a notice, with what is wrong in the form.
async fn print_page(
    state: &State,
    visitor: &Visitor,
    number: String,
    id: String,
    fault: Option<String>,
) -> Result<PrintPage, Failure> {
    let actor = visitor.need(&[Role::Head, Role::Verifier])?.actor();
    let (wanted, of) = (id.clone(), number.clone());
    let found = state.work(move |state| {
        let notice = state.desk().notice(&wanted, &actor)?;
        Ok::<_, ActError>((notice, state.desk().papers(&of, &Viewer::Officer(actor))?))
    });
    let (notice, papers) = found.await??;
    if notice.request.as_deref() != Some(number.as_str()) {
        return Err(Failure::not_found());
    }
    let t = visitor.t;
    // The id of a notice names its event: "n12-1".
    let event = id.trim_start_matches('n').split('-').next().and_then(|it| it.parse().ok());
    let same = |paper: &&PaperView| {
        Some(paper.event) == event && paper.kind.is_for_applicant() && !paper.deleted
    };
    let paper = papers.iter().find(same).map(|paper| {
        let place = format!("{}/{}", officers_place(&number), paper.id);
        (place, format!("{} {}", paper.kind.say(t), paper.number))
    });
    let place = format!("/tinjau/{number}");
    Ok(shown(state, visitor, &notice, &place, (paper, fault)))
}

/// A notice to be printed: below which page, and what stands beside its text.
fn shown(
    state: &State,
    visitor: &Visitor,
    notice: &Notice,
    place: &str,
    (paper, fault): (Option<(String, String)>, Option<String>),
) -> PrintPage {
    let t = visitor.t;
    // Papers are in Indonesian, whatever the page is in.
    let text = message(notice, Words::of(Lang::Id), &state.options().url);
    let action = format!("{place}/pemberitahuan/{}", notice.id);
    let mut form = Form::new(&action, &visitor.csrf, t.s("letter-handle-button"))
        .field(Field::line(t, "how", "ask-how").input(Input::Area));
    if let Some(text) = fault {
        form = form.fault("how", text);
    }
    let parts = text.text.split("\n\n").filter(|_| paper.is_none());
    PrintPage {
        shell: Shell::new(visitor, t.s("letter-title")).faulty(form.is_faulty()),
        place: place.to_owned(),
        subject: text.subject,
        parts: parts.map(str::to_owned).collect(),
        paper,
        form,
    }
}

/// `POST /tinjau/{number}/pemberitahuan/{id}`
pub(super) async fn handle(
    Extract(state): Extract<State>,
    Path((number, id)): Path<(String, String)>,
    sent: Sent,
) -> Result<Response, Failure> {
    let actor = sent.visitor.need(&Role::OFFICERS)?.actor();
    let (how, which) = (sent.get("how").to_owned(), id.clone());
    let job = move |state: &State| state.desk().notice_handled(&which, &how, &actor);
    match state.work(job).await? {
        Ok(()) => Ok(see_other(&format!("/tinjau/{number}"))),
        Err(error) if !error.faults().is_empty() => {
            let visitor = &sent.visitor;
            let fault = visitor.t.s("letter-how-needed");
            let shown = print_page(&state, visitor, number, id, Some(fault)).await?;
            page_with(Failure::from(error).status, &shown)
        }
        Err(error) => Err(error.into()),
    }
}
