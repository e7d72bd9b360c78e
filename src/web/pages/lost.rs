//! A status secret that was lost: a code goes to the proven mailbox of the request, and with it comes another
//! secret. Whether number and mailbox belong together is told to nobody who does not have the mailbox.

use axum::extract::State as Extract;
use axum::http::StatusCode;
use axum::response::Response;

use super::FormPage;
use super::status::ticket;
use crate::desk::{TriedCode, lost_secret_of};
use crate::notice::CodeFor;
use crate::web::failure::Failure;
use crate::web::form::{Field, Form, Input};
use crate::web::limits::{Route, network};
use crate::web::redirect::see_other_with;
use crate::web::sent::Sent;
use crate::web::shell::{Message, Shell, page, page_with};
use crate::web::state::State;
use crate::web::visitor::Visitor;

/// Where the pages are.
const PLACE: &str = "/status/kode";

/// `GET /status/kode`
pub(super) async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let t = visitor.t;
    if state.mailer().is_none() {
        return page(&Message {
            shell: Shell::new(&visitor, t.s("lost-title")),
            text: vec![t.s("lost-no-mail")],
            next: Some(("/bantuan#kontak".to_owned(), t.s("help-contact-title"))),
        });
    }
    page(&page_of(&visitor, t.s("lost-lead"), ask_form(&visitor)))
}

/// `POST /status/kode`: mails a code, or takes one.
pub(super) async fn enter(Extract(state): Extract<State>, sent: Sent) -> Result<Response, Failure> {
    let (visitor, t) = (&sent.visitor, sent.visitor.t);
    state.limits().take(Route::Step, visitor.address).map_err(Failure::too_many)?;
    let form = ask_form(visitor).refill(|name| sent.get(name));
    let form = form.need(t, |field| sent.get(&field.name).is_empty());
    if form.is_faulty() {
        let again = page_of(visitor, t.s("lost-lead"), form);
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &again);
    }
    let (number, email) = (sent.get("number").to_uppercase(), sent.get("email").to_owned());
    if sent.get("langkah") != "kode" {
        mail_code(&state, visitor, &number, &email);
        return page(&page_of(visitor, t.s("lost-sent"), code_form(visitor, &sent)));
    }
    let (of, to, code) = (number.clone(), email.clone(), sent.get("code").to_owned());
    let visit = visitor.visit.clone();
    let job = move |state: &State| {
        let desk = state.desk();
        match desk.try_mailbox_code(&lost_secret_of(&of, &visit), &to, &code)? {
            TriedCode::Right => desk.replace_secret(&of, &to, &visit).map(Some),
            TriedCode::Wrong(_) | TriedCode::None => Ok(None),
        }
    };
    match state.work(job).await?? {
        Some(secret) => {
            let receipt = format!("/permohonan/terkirim/{number}");
            Ok(see_other_with(&receipt, &[ticket(&state, &number, &secret)]))
        }
        None => {
            let form = code_form(visitor, &sent).fault("code", t.s("lost-wrong"));
            let again = page_of(visitor, t.s("lost-sent"), form);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &again)
        }
    }
}

/// Mails a code if number and mailbox belong together. The answer neither waits for it nor tells of it: time and
/// limits would say whether they do.
fn mail_code(state: &State, visitor: &Visitor, number: &str, email: &str) {
    let (of, to, from) = (number.to_owned(), email.to_owned(), network(visitor.address));
    let visit = visitor.visit.clone();
    let job = move |state: &State| state.desk().new_lost_code(&of, &to, &visit, &from);
    let (state, t) = (state.clone(), visitor.t);
    tokio::spawn(async move {
        let (email, code) = match state.work(job).await {
            Ok(Ok(Some(found))) => found,
            Ok(Ok(None)) => return,
            Ok(Err(error)) => return tracing::info!(%error, "no code for a lost secret is made"),
            Err(failure) => return tracing::warn!(?failure, "no code for a lost secret is made"),
        };
        let Some(mailer) = state.mailer() else { return };
        if let Err(error) = mailer.send_code(CodeFor::Secret, &email, &code, t).await {
            tracing::warn!(%error, "a code for a lost secret could not be mailed");
        }
    });
}

/// The page with a paragraph.
fn page_of(visitor: &Visitor, lead: String, form: Form) -> FormPage {
    let shell = Shell::new(visitor, visitor.t.s("lost-title")).faulty(form.is_faulty());
    FormPage { shell, lead: vec![lead], facts: Vec::new(), form, after: Vec::new() }
}

/// The form of number and mailbox.
fn ask_form(visitor: &Visitor) -> Form {
    let t = visitor.t;
    Form::new(PLACE, &visitor.csrf, t.s("lost-button"))
        .field(Field::line(t, "number", "status-number").width("w-m").autocomplete("off"))
        .field(
            Field::line(t, "email", "apply-contact-email")
                .input(Input::Line("email"))
                .autocomplete("email"),
        )
}

/// The form of the code.
fn code_form(visitor: &Visitor, sent: &Sent) -> Form {
    let t = visitor.t;
    Form::new(PLACE, &visitor.csrf, t.s("lost-next"))
        .field(Field::hidden("langkah", "kode"))
        .field(Field::hidden("number", sent.get("number")))
        .field(Field::hidden("email", sent.get("email")))
        .field(Field::code(t, "mailbox-code"))
}
