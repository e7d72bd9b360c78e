//! A form that was begun is saved for later and found again by a mailed link: from another machine, or after the
//! browser forgot it. Asking for a link is answered in the same way for every mailbox.
//!
//! As with other links, the address is followed once by a redirect that moves its secret into a cookie; the link is
//! used by the button on the page that comes, so that a mail scanner that follows it uses nothing up.

use axum::extract::{Path, Query, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::FormPage;
use super::parts::full_name;
use crate::desk::DraftContent;
use crate::people::sha256_hex;
use crate::queue::labels;
use crate::queue::person::is_mailbox;
use crate::web::draft::Draft;
use crate::web::failure::Failure;
use crate::web::form::{Field, Form, Input};
use crate::web::limits::{Route, network};
use crate::web::progress::{CHECK, gap};
use crate::web::redirect::{keep_link, see_other, see_other_with};
use crate::web::sent::Sent;
use crate::web::shell::{Message, Shell, page, page_with};
use crate::web::state::State;
use crate::web::unsent::FormKey;
use crate::web::visitor::{Visitor, cookie};
use crate::words::{Said, Words};

/// Where a form is saved.
pub(super) const SAVE: &str = "/permohonan/simpan";
/// Where a link is asked for.
const ASK: &str = "/permohonan/lanjut";
/// Where a link leads to.
const OPEN: &str = "/permohonan/lanjut/buka";
/// The field of a draft that holds the mailbox its link went to.
const SAVED_TO: &str = "simpan_email";
/// The cookie of a link that was opened.
const COOKIE: &str = "lanjut";

/// Whether something was sent just now.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Done {
    /// Anything but 0.
    #[serde(default)]
    terkirim: u8,
}

//------------ Saving --------------------------------------------------------

/// `GET /permohonan/simpan`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Query(done): Query<Done>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.may_apply(&state)?;
    let draft = Draft::load(&state, &visitor.visit).await?;
    if draft.get("kind").is_empty() {
        return Ok(see_other("/permohonan"));
    }
    let t = visitor.t;
    let next = gap(&draft).unwrap_or_else(|| CHECK.to_owned());
    let saved_to = draft.get(SAVED_TO);
    if state.mailer().is_none() {
        return say(&visitor, "save-title", vec![t.s("save-here")], (next, t.s("resume-next")));
    }
    if done.terkirim > 0 && !saved_to.is_empty() {
        let text = vec![t.a("save-sent", "email", saved_to), t.s("save-shared")];
        return say(&visitor, "save-done-title", text, (next, t.s("resume-next")));
    }
    let known = if saved_to.is_empty() { draft.get("contact_email") } else { saved_to };
    let form = mailbox_form(t, SAVE, &visitor.csrf, "save-button").refill(|_| known);
    page(&form_page(&visitor, "save-title", "save-lead", form))
}

/// `POST /permohonan/simpan`: mails a link to the form as it is.
pub(super) async fn save(Extract(state): Extract<State>, sent: Sent) -> Result<Response, Failure> {
    let (visitor, t) = (&sent.visitor, sent.visitor.t);
    visitor.may_apply(&state)?;
    state.limits().take(Route::Link, visitor.address).map_err(Failure::too_many)?;
    let mut draft = Draft::load(&state, &visitor.visit).await?;
    if draft.get("kind").is_empty() {
        return Ok(see_other("/permohonan"));
    }
    let form = mailbox_form(t, SAVE, &visitor.csrf, "save-button").refill(|name| sent.get(name));
    let email = match mailbox(t, &sent, form) {
        Ok(email) => email,
        Err(form) => {
            let again = form_page(visitor, "save-title", "save-lead", form);
            return page_with(StatusCode::UNPROCESSABLE_ENTITY, &again);
        }
    };
    let Some(mailer) = state.mailer() else { return Ok(see_other(SAVE)) };
    draft.fields.insert(SAVED_TO.to_owned(), email.clone());
    draft.save(&state, visitor).await?;
    let (hash, to, from) = (sha256_hex(&visitor.visit), email.clone(), network(visitor.address));
    let made = move |state: &State| state.desk().new_draft_link(&hash, &to, &from);
    let Some(link) = state.work(made).await?? else { return Ok(see_other("/permohonan")) };
    let what = what_of(&state, t, &link.content);
    if let Err(error) = mailer.send_draft_link(&email, &what, &link.token, t).await {
        tracing::warn!(%error, "a link to a draft could not be mailed");
        let form = mailbox_form(t, SAVE, &visitor.csrf, "save-button").refill(|_| &email);
        let again = form_page(visitor, "save-title", "save-lead", form).first(t.a(
            "save-unsent",
            "email",
            &email,
        ));
        return page_with(StatusCode::SERVICE_UNAVAILABLE, &again);
    }
    Ok(see_other("/permohonan/simpan?terkirim=1"))
}

//------------ Asking for a link ---------------------------------------------

/// `GET /permohonan/lanjut`
pub(super) async fn ask(
    Extract(state): Extract<State>,
    Query(done): Query<Done>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.may_apply(&state)?;
    let t = visitor.t;
    let home = || ("/".to_owned(), t.s("go-home"));
    if state.mailer().is_none() {
        return say(&visitor, "saved-title", vec![t.s("saved-no-mail")], home());
    }
    if done.terkirim > 0 {
        return say(&visitor, "saved-title", vec![t.s("saved-sent"), t.s("saved-none")], home());
    }
    let form = mailbox_form(t, ASK, &visitor.csrf, "save-button");
    page(&form_page(&visitor, "saved-title", "saved-lead", form))
}

/// `POST /permohonan/lanjut`: mails links to what was saved with a mailbox, if anything was.
pub(super) async fn mail_again(
    Extract(state): Extract<State>,
    sent: Sent,
) -> Result<Response, Failure> {
    let (visitor, t) = (&sent.visitor, sent.visitor.t);
    visitor.may_apply(&state)?;
    state.limits().take(Route::Link, visitor.address).map_err(Failure::too_many)?;
    let form = mailbox_form(t, ASK, &visitor.csrf, "save-button").refill(|name| sent.get(name));
    match mailbox(t, &sent, form) {
        Ok(email) => {
            // The answer neither waits for it nor tells of it: time and limits would say what is there.
            tokio::spawn(mail_links(state, email, network(visitor.address), t));
            Ok(see_other("/permohonan/lanjut?terkirim=1"))
        }
        Err(form) => {
            let again = form_page(visitor, "saved-title", "saved-lead", form);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &again)
        }
    }
}

/// Mails a link for each form that was saved with a mailbox.
async fn mail_links(state: State, email: String, from: String, t: Words) {
    let Some(mailer) = state.mailer() else { return };
    let to = email.clone();
    let made = move |state: &State| state.desk().draft_links_again(&to, &from);
    let links = match state.work(made).await {
        Ok(Ok(links)) => links,
        Ok(Err(error)) => return tracing::info!(%error, "no link to a draft is made"),
        Err(failure) => return tracing::warn!(?failure, "no link to a draft is made"),
    };
    for link in links {
        let what = what_of(&state, t, &link.content);
        if let Err(error) = mailer.send_draft_link(&email, &what, &link.token, t).await {
            tracing::warn!(%error, "a link to a draft could not be mailed");
        }
    }
}

//------------ A link --------------------------------------------------------

/// `GET /permohonan/lanjut/{token}`
pub(super) async fn follow(
    Extract(state): Extract<State>,
    Path(token): Path<String>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    keep_link(&state, &visitor, &token, (OPEN, COOKIE))?.ok_or_else(gone)
}

/// `GET /permohonan/lanjut/buka`: what is behind a link. It may be read on a shared machine: the page names no person.
pub(super) async fn open(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    visitor: Visitor,
) -> Result<Response, Failure> {
    visitor.may_apply(&state)?;
    let token = secret(&state, &headers)?;
    let behind = state.work(move |state| state.desk().draft_behind(&token)).await??;
    let content = behind.ok_or_else(gone)?;
    let own = Draft::load(&state, &visitor.visit).await?;
    let t = visitor.t;
    let mut opened = form_page(
        &visitor,
        "open-title",
        "open-lead",
        Form::new(OPEN, &visitor.csrf, t.s("resume-next")),
    );
    opened.facts = vec![(t.s("open-what"), what_of(&state, t, &content))];
    if !own.get("kind").is_empty() && own.fields != content.fields {
        opened.lead.push(t.s("open-replaces"));
    }
    page(&opened)
}

/// `POST /permohonan/lanjut/buka`: the form goes on in this browser.
pub(super) async fn resume(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    visitor.may_apply(&state)?;
    state.limits().take(Route::Link, visitor.address).map_err(Failure::too_many)?;
    let token = secret(&state, &headers)?;
    let hash = sha256_hex(&visitor.visit);
    let network = match visitor.officer() {
        Some(_) => String::new(),
        None => state.network_tag(visitor.address),
    };
    let moved = move |state: &State| state.desk().move_draft(&token, &hash, &network);
    let content = state.work(moved).await??.ok_or_else(gone)?;
    let place = gap(&Draft::of_content(content)).unwrap_or_else(|| CHECK.to_owned());
    Ok(see_other_with(&place, &[state.cookie(COOKIE, "", "Lax", 0)]))
}

/// The secret in the cookie.
fn secret(state: &State, headers: &HeaderMap) -> Result<String, Failure> {
    cookie(headers, &state.cookie_name(COOKIE)).ok_or_else(gone)
}

/// The link is over.
fn gone() -> Failure {
    Failure::new(StatusCode::GONE, "fail-draft-link")
}

//------------ What they share -----------------------------------------------

/// What a draft is about, without persons.
fn what_of(state: &State, t: Words, content: &DraftContent) -> String {
    let draft = Draft { fields: content.fields.clone(), letter: None };
    what(state, t, &draft)
}

/// The same of a draft that is open.
pub(super) fn what(state: &State, t: Words, draft: &Draft) -> String {
    let kind = draft.kind().map(|kind| kind.say(t)).unwrap_or_default();
    let name = draft.get("name");
    // A draft holds whatever was typed, and the mail goes to a mailbox that nobody has proven: of a stranger's
    // words only a name that is one by the rules is said in it.
    if labels::check(name, state.desk().naming().min_length).is_empty() {
        format!("{kind}: {}", full_name(name, &state.options().zone))
    } else {
        kind
    }
}

/// The mailbox of a form, or the form with what is wrong.
fn mailbox(t: Words, sent: &Sent, form: Form) -> Result<String, Form> {
    let email = sent.get("email").trim();
    let form = form.need(t, |field| sent.get(&field.name).is_empty());
    if form.is_faulty() {
        return Err(form);
    }
    if is_mailbox(email) {
        Ok(email.to_owned())
    } else {
        Err(form.fault("email", t.s("rule-bad-email")))
    }
}

/// A form that asks for a mailbox.
fn mailbox_form(t: Words, place: &str, csrf: &FormKey, button: &str) -> Form {
    Form::new(place, csrf, t.s(button)).field(
        Field::line(t, "email", "save-email").input(Input::Line("email")).autocomplete("email"),
    )
}

/// A page with a form.
fn form_page(visitor: &Visitor, title: &str, lead: &str, form: Form) -> FormPage {
    let t = visitor.t;
    let shell = Shell::new(visitor, t.s(title)).faulty(form.is_faulty());
    FormPage { shell, lead: vec![t.s(lead)], facts: Vec::new(), form, after: Vec::new() }
}

impl FormPage {
    /// Says something before all else.
    fn first(mut self, words: String) -> Self {
        self.lead.insert(0, words);
        self
    }
}

/// A page that says something.
fn say(
    visitor: &Visitor,
    title: &str,
    text: Vec<String>,
    next: (String, String),
) -> Result<Response, Failure> {
    page(&Message { shell: Shell::new(visitor, visitor.t.s(title)), text, next: Some(next) })
}
