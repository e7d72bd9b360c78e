//! Notices to print, and the record that one was handed over.

use askama::Template;
use axum::extract::{Path, State as Extract};
use axum::response::Response;

use crate::notice::message;
use crate::people::Role;
use crate::web::failure::Failure;
use crate::web::form::{Field, Form, Input};
use crate::web::redirect::see_other;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page};
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
    let actor = visitor.need(&[Role::Head, Role::Verifier])?.actor();
    let wanted = id.clone();
    let notice = state.work(move |state| state.desk().notice(&wanted, &actor)).await??;
    if notice.request.as_deref() != Some(number.as_str()) {
        return Err(Failure::not_found());
    }
    let t = visitor.t;
    // Papers are in Indonesian, whatever the page is in.
    let text = message(&notice, Words::of(Lang::Id), &state.options().url);
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
