//! Notices to print, and the record that one was handed over.

use askama::Template;
use axum::extract::{Path, State as Extract};
use axum::response::Response;

use super::parts::{fixes, full_name};
use super::review::look;
use crate::notice::{Post, Reader, message};
use crate::people::Role;
use crate::queue::Deed;
use crate::queue::view::{NoticeView, RequestView};
use crate::web::failure::Failure;
use crate::web::form::{Field, Form, Input};
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, see_other};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Lang, Words};

/// The message and the form that records how it was handed over.
#[derive(Template)]
#[template(path = "print.html", config = "src/web/askama.toml")]
struct PrintPage {
    /// Frame.
    shell: Shell,
    /// Number.
    number: String,
    /// Subject line.
    subject: String,
    /// Paragraphs.
    parts: Vec<String>,
    /// The form.
    form: Form,
}

/// `GET /tinjau/{number}/pemberitahuan/{id}`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Path((number, id)): Path<(String, String)>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.need(&[Role::Head, Role::Verifier])?;
    let (view, _) = look(&state, &visitor, &number).await?;
    let notice = view.notices.iter().find(|notice| notice.id == id);
    let notice = notice.ok_or_else(Failure::not_found)?;
    let t = visitor.t;
    // Papers are in Indonesian, whatever the page is in.
    let text = message(&post(&view, notice), Words::of(Lang::Id), &state.options().url);
    let action = format!("/tinjau/{number}/pemberitahuan/{id}");
    let form = Form::new(&action, &visitor.csrf, t.s("letter-handle-button"))
        .field(Field::line(t, "how", "ask-how").input(Input::Area));
    page(&PrintPage {
        shell: Shell::new(&visitor, t.s("letter-title")),
        number,
        subject: text.subject,
        parts: text.text.split("\n\n").map(str::to_owned).collect(),
        form,
    })
}

/// `POST /tinjau/{number}/pemberitahuan/{id}`
pub(super) async fn handle(
    Extract(state): Extract<State>,
    Path((number, id)): Path<(String, String)>,
    sent: Sent,
) -> Result<Response, Failure> {
    let actor = sent.visitor.need(&Role::OFFICERS)?.actor();
    let how = sent.get("how").to_owned();
    state.work(move |state| state.desk().notice_handled(&id, &how, &actor)).await??;
    Ok(see_other(&format!("/tinjau/{number}")))
}

/// A notice with what its text needs.
fn post(view: &RequestView, notice: &NoticeView) -> Post {
    let t = Words::of(Lang::Id);
    let deed = Deed::from_name(&notice.about).unwrap_or(Deed::Submit);
    let mut points: Vec<String> = Vec::new();
    if deed == Deed::Return {
        let fixes = fixes(t, view).into_iter();
        points.extend(fixes.map(|(_, words, note)| format!("{words}: {note}")));
    }
    if let (Deed::Reject, Some(reason)) = (deed, &view.reason) {
        points.push(reason.note.clone());
    }
    Post {
        id: notice.id.clone(),
        to: notice.to.clone().unwrap_or_default(),
        reader: if notice.to_applicant { Reader::Applicant } else { Reader::Officer },
        deed,
        number: view.number.clone(),
        name: full_name(&view.name, &view.zone),
        office: view.office.clone(),
        points,
        due: view.due.as_deref().filter(|_| deed == Deed::Return).map(|due| t.moment(due)),
        dig: view.proof.as_ref().map(|proof| proof.dig.clone()),
        link: None,
    }
}
