//! The history of a name for its owner, by a mailed link or from the status page; and from there the
//! way to give the name up.
//!
//! The address of a link is followed once by a redirect that moves its secret into a cookie.

use askama::Template;
use axum::extract::{Path, State as Extract};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::filled;
use super::parts::live_tag;
use super::status::of_applicant;
use crate::desk::{ActError, Desk};
use crate::queue::Contact;
use crate::view::{ChangedName, NameChangeView, NameChangesView};
use crate::web::draft::Draft;
use crate::web::failure::Failure;
use crate::web::limits::Route;
use crate::web::redirect::{keep_link, see_other};
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page};
use crate::web::state::State;
use crate::web::visitor::{Visitor, cookie};
use crate::words::{Said, Words};

/// The cookie that holds the secret of a link.
const COOKIE: &str = "riwayat";

/// One change in words.
pub(super) struct Changed {
    /// When.
    pub(super) when: String,
    /// By which way.
    pub(super) way: String,
    /// The request's number; empty if none made it.
    pub(super) request: String,
    /// The letter that tells the owner; empty if there is none.
    pub(super) letter: String,
    /// Names with their records before and after; the name of the page itself is empty.
    pub(super) names: Vec<ChangedName>,
}

/// A change of a name in words; its own name is said by the page, those below it are said here.
pub(super) fn changed(t: Words, own: &str, change: &NameChangeView) -> Changed {
    let mut names = change.names.clone();
    names.iter_mut().filter(|it| it.name == own).for_each(|it| it.name.clear());
    Changed {
        when: t.moment(&change.at),
        way: change.way.say(t),
        request: change.request.clone().unwrap_or_default(),
        letter: change.notice.clone().unwrap_or_default(),
        names,
    }
}

/// The history of a name.
#[derive(Template)]
#[template(path = "name_history.html", config = "src/web/askama.toml")]
struct HistoryPage {
    /// Frame.
    shell: Shell,
    /// Where the reader came from; empty for a link.
    back: &'static str,
    /// The name.
    name: String,
    /// State in words.
    state: String,
    /// Class of its tag.
    tag: &'static str,
    /// Facts.
    facts: Vec<(String, String)>,
    /// Changes, the newest first.
    changes: Vec<Changed>,
    /// Where the name is given up; empty where it cannot be.
    give_up: &'static str,
    /// Whether a change stands beside its letter; only for officers.
    letters: bool,
}

/// Everything the page shows.
fn history_page(
    visitor: &Visitor,
    found: &NameChangesView,
    back: &'static str,
    give_up: &'static str,
) -> HistoryPage {
    let t = visitor.t;
    let name = found.name.trim_end_matches('.').to_owned();
    let day = |at: &Option<String>| at.as_deref().map(|at| t.day_of(at)).unwrap_or_default();
    let mut facts = vec![
        (t.s("queue-office"), found.office.clone()),
        (t.s("register-since"), day(&found.since)),
        (t.s("apply-ends"), day(&found.ends)),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    HistoryPage {
        shell: Shell::new(visitor, t.a("history-title", "name", &name)),
        back,
        state: found.state.say(t),
        tag: live_tag(found.state),
        facts,
        changes: found.changes.iter().map(|change| changed(t, &name, change)).collect(),
        give_up: if found.state.may_be_given_up() { give_up } else { "" },
        letters: false,
        name,
    }
}

/// `GET /riwayat/{token}`: moves the secret out of the address.
pub(super) async fn open(
    Extract(state): Extract<State>,
    Path(token): Path<String>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    keep_link(&state, &visitor, &token, ("/riwayat", COOKIE))?.ok_or_else(gone)
}

/// `GET /riwayat`
pub(super) async fn by_link(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let found = linked(&state, &headers, &visitor).await?;
    page(&history_page(&visitor, &found, "", "/riwayat/lepas"))
}

/// `POST /riwayat/lepas`: begins a request to give the name up. The link is no proof of who the reader is, so the
/// contact is asked for.
pub(super) async fn give_up_by_link(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Response, Failure> {
    let found = linked(&state, &headers, &sent.visitor).await?;
    sent.is_about(found.name.trim_end_matches('.'))?;
    begin_removal(&state, &sent, "/riwayat/lepas", (found.name, None)).await
}

/// The history of the link in the cookie.
async fn linked(
    state: &State,
    headers: &HeaderMap,
    visitor: &Visitor,
) -> Result<NameChangesView, Failure> {
    state.limits().take(Route::Link, visitor.address).map_err(Failure::too_many)?;
    let token = cookie(headers, &state.cookie_name(COOKIE)).ok_or_else(gone)?;
    match state.work(move |state| state.desk().history_by_link(&token)).await? {
        Err(ActError::NotFound) => Err(gone()),
        found => Ok(found?),
    }
}

/// `GET /status/riwayat`
pub(super) async fn of_request(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let job = |desk: &Desk, number: &str, secret: &str| {
        desk.history_of_request(number, &desk.applicant(number, secret)?)
    };
    match of_applicant(&state, &headers, &visitor, job).await? {
        Some(found) => page(&history_page(&visitor, &found, "/status", "/status/lepas")),
        None => Ok(see_other("/status")),
    }
}

/// `POST /status/lepas`: begins a request to give the name up.
pub(super) async fn give_up(
    Extract(state): Extract<State>,
    headers: HeaderMap,
    sent: Sent,
) -> Result<Response, Failure> {
    let job = |desk: &Desk, number: &str, secret: &str| {
        let found = desk.history_of_request(number, &desk.applicant(number, secret)?)?;
        let contact = desk.status(number, secret)?.contact;
        Ok((found.name, contact))
    };
    match of_applicant(&state, &headers, &sent.visitor, job).await? {
        Some(of) => {
            sent.is_about(of.0.trim_end_matches('.'))?;
            begin_removal(&state, &sent, "/status/lepas", of).await
        }
        None => Ok(see_other("/status")),
    }
}

/// Fills in the form of a removal; the owner goes on with who asks and with the letter.
async fn begin_removal(
    state: &State,
    sent: &Sent,
    place: &str,
    (name, contact): (String, Option<Contact>),
) -> Result<Response, Failure> {
    let filled = state.work(move |state| state.desk().removal_of(&name, contact)).await??;
    filled::begin(state, sent, (place, &[]), &Draft::of_application(&filled)?).await
}

/// The link is over.
fn gone() -> Failure {
    Failure::new(StatusCode::GONE, "fail-history-link")
}
