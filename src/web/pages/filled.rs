//! A form that the program fills in begins in this browser: to give a name up, to renew it, to take a change
//! back. Another form that was begun here and not sent is replaced only by somebody who was asked.

use askama::Template;
use axum::response::Response;

use super::saved::what;
use crate::web::about::ABOUT;
use crate::web::draft::Draft;
use crate::web::failure::Failure;
use crate::web::form::{Field, Form, Input};
use crate::web::progress::{CHECK, gap};
use crate::web::redirect::see_other;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page};
use crate::web::state::State;

/// The field that says that the other form may go; as elsewhere, it is never kept.
const SURE: &str = "sure";

/// Asks what is to become of a form that was begun in this browser. On a shared machine that may be somebody
/// else's: the page names no person.
#[derive(Template)]
#[template(path = "replace.html", config = "src/web/askama.toml")]
struct ReplacePage {
    /// Frame.
    shell: Shell,
    /// What the other form is about.
    what: String,
    /// Where the other goes on.
    next: String,
    /// Replaces it.
    form: Form,
}

/// Begins a form that is filled in, with who answers for the name: that is asked first. Where it would replace
/// another, the person is asked before, and the press comes again to `place` with `fields`.
pub(super) async fn begin(
    state: &State,
    sent: &Sent,
    (place, fields): (&str, &[(&str, &str)]),
    filled: &Draft,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let own = Draft::load(state, &visitor.visit).await?;
    if sent.get(SURE) == "ya" || own.get("kind").is_empty() || own.fields == filled.fields {
        filled.begin(state, visitor).await?;
        return Ok(see_other("/permohonan/2"));
    }
    let t = visitor.t;
    let mut form = Form::new(place, &visitor.csrf, t.s("replace-button")).style("quiet");
    for (name, value) in fields.iter().chain(&[(SURE, "ya"), (ABOUT, sent.get(ABOUT))]) {
        form = form.field(Field::hidden(name, value));
    }
    page(&ReplacePage {
        shell: Shell::new(visitor, t.s("resume-title")),
        what: what(state, t, &own),
        next: gap(&own).unwrap_or_else(|| CHECK.to_owned()),
        form,
    })
}
