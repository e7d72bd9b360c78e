//! The code that proves the contact's mailbox, after the second step of the form. While mail is off there
//! is no such page.

use askama::Template;
use axum::extract::State as Extract;
use axum::http::StatusCode;
use axum::response::Response;

use crate::desk::TriedCode;
use crate::notice::CodeFor;
use crate::web::draft::Draft;
use crate::web::failure::Failure;
use crate::web::form::{Field, Form, Input};
use crate::web::limits::{Route, network};
use crate::web::progress::{CHECK, gap};
use crate::web::redirect::see_other;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with};
use crate::web::state::State;
use crate::web::visitor::Visitor;

/// Where the page is.
const PLACE: &str = "/permohonan/surel";
/// Where it goes on: to the first page with something missing, or the last look.
fn next(draft: &Draft) -> String {
    gap(draft).unwrap_or_else(|| CHECK.to_owned())
}

/// The page.
#[derive(Template)]
#[template(path = "mailbox.html", config = "src/web/askama.toml")]
struct MailboxPage {
    /// Frame.
    shell: Shell,
    /// Where the code went.
    lead: Vec<String>,
    /// The form.
    form: Form,
    /// Where it goes on without a code.
    next: String,
}

/// Providers of mailboxes that anybody may have.
const PRIVATE: [&str; 10] = [
    "gmail.com",
    "googlemail.com",
    "yahoo.com",
    "yahoo.co.id",
    "ymail.com",
    "hotmail.com",
    "outlook.com",
    "live.com",
    "icloud.com",
    "rocketmail.com",
];

/// Whether a mailbox is of a kind that anybody may have: it says little about an office.
pub(super) fn is_private(email: &str) -> bool {
    let domain = email.rsplit('@').next().unwrap_or_default().to_lowercase();
    PRIVATE.contains(&domain.trim_end_matches('.'))
}

/// What a proof of this browser is for: its draft.
pub(super) fn subject(visit: &str) -> String {
    format!("draft:{visit}")
}

/// Whether the contact's mailbox of a draft is to be proven now.
pub(super) async fn is_to_be_proven(
    state: &State,
    visitor: &Visitor,
    draft: &Draft,
) -> Result<bool, Failure> {
    // An officer has the paper letter.
    if state.mailer().is_none() || visitor.officer().is_some() {
        return Ok(false);
    }
    let (subject, email) = (subject(&visitor.visit), draft.get("contact_email").to_owned());
    let proven = move |state: &State| state.desk().mailbox_is_proven(&subject, &email);
    Ok(!state.work(proven).await??)
}

/// Mails a code, unless one is under way, and shows the page.
pub(super) async fn begin(
    state: &State,
    visitor: &Visitor,
    draft: &Draft,
) -> Result<Response, Failure> {
    let (subject, email) = (subject(&visitor.visit), draft.get("contact_email").to_owned());
    let waits = move |state: &State| state.desk().mailbox_code_waits(&subject, &email);
    if state.work(waits).await?? {
        return Ok(see_other(PLACE));
    }
    mail_code(state, visitor, draft).await
}

/// Makes a code and mails it; says so if it cannot be mailed.
async fn mail_code(state: &State, visitor: &Visitor, draft: &Draft) -> Result<Response, Failure> {
    let Some(mailer) = state.mailer() else { return Ok(see_other(&next(draft))) };
    let email = draft.get("contact_email").to_owned();
    let (subject, to, from) = (subject(&visitor.visit), email.clone(), network(visitor.address));
    let made = move |state: &State| state.desk().new_mailbox_code(&subject, &to, &from);
    let code = state.work(made).await??;
    if let Err(error) = mailer.send_code(CodeFor::Mailbox, &email, &code, visitor.t).await {
        tracing::warn!(%error, "a code for a mailbox could not be mailed");
        let lead = visitor.t.a("mailbox-unsent", "email", &email);
        let form = form(visitor);
        return page_with(StatusCode::SERVICE_UNAVAILABLE, &page_of(visitor, draft, lead, form));
    }
    Ok(see_other(PLACE))
}

/// The form.
fn form(visitor: &Visitor) -> Form {
    let t = visitor.t;
    Form::new(PLACE, &visitor.csrf, t.s("mailbox-next"))
        .field(Field::code(t, "mailbox-code"))
        .other("kirim", t.s("mailbox-again"))
}

/// The page with a paragraph.
fn page_of(visitor: &Visitor, draft: &Draft, lead: String, form: Form) -> MailboxPage {
    let shell = Shell::new(visitor, visitor.t.s("mailbox-title")).faulty(form.is_faulty());
    let mut lead = vec![lead];
    if is_private(draft.get("contact_email")) {
        lead.push(visitor.t.s("mailbox-private"));
    }
    MailboxPage { shell, lead, form, next: next(draft) }
}

/// `GET /permohonan/surel`
pub(super) async fn show(
    Extract(state): Extract<State>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.may_apply(&state)?;
    let draft = Draft::load(&state, &visitor.visit).await?;
    let email = draft.get("contact_email").to_owned();
    if email.is_empty() || !is_to_be_proven(&state, &visitor, &draft).await? {
        return Ok(see_other(&next(&draft)));
    }
    let (subject, to) = (subject(&visitor.visit), email.clone());
    let waits = move |state: &State| state.desk().mailbox_code_waits(&subject, &to);
    let id = if state.work(waits).await?? { "mailbox-lead" } else { "mailbox-none" };
    let lead = visitor.t.a(id, "email", &email);
    page(&page_of(&visitor, &draft, lead, form(&visitor)))
}

/// `POST /permohonan/surel`: tries a code, or asks for another.
pub(super) async fn enter(Extract(state): Extract<State>, sent: Sent) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    visitor.may_apply(&state)?;
    state.limits().take(Route::Step, visitor.address).map_err(Failure::too_many)?;
    let draft = Draft::load(&state, &visitor.visit).await?;
    if !is_to_be_proven(&state, visitor, &draft).await? {
        return Ok(see_other(&next(&draft)));
    }
    if sent.get("lanjut") == "kirim" {
        return mail_code(&state, visitor, &draft).await;
    }
    let email = draft.get("contact_email").to_owned();
    let (subject, to, code) = (subject(&visitor.visit), email.clone(), sent.get("code").to_owned());
    let tried = move |state: &State| state.desk().try_mailbox_code(&subject, &to, &code);
    let t = visitor.t;
    let fault = match state.work(tried).await?? {
        TriedCode::Right => return Ok(see_other(&next(&draft))),
        TriedCode::Wrong(left) => t.a("mailbox-wrong", "left", &left.to_string()),
        TriedCode::None => t.s("mailbox-over"),
    };
    let form = form(visitor).fault("code", fault);
    let lead = t.a("mailbox-lead", "email", &email);
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &page_of(visitor, &draft, lead, form))
}
