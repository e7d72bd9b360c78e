//! What is kept of persons, for officers: of one who asks, and of all as a file for the notice after a breach. Whom
//! somebody looks for is sent in a form, so that it is in no address.

use askama::Template;
use axum::extract::State as Extract;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::subjects::ask_form;
use crate::desk::{Holding, requests_of};
use crate::people::Role;
use crate::spreadsheet::disarmed;
use crate::web::failure::Failure;
use crate::web::form::{Form, Input};
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with};
use crate::web::state::State;
use crate::words::{Said, Words};

/// What is kept of the person behind a request, in words.
struct Kept {
    /// The number.
    number: String,
    /// Where more of it is shown.
    place: String,
    /// Names and values.
    facts: Vec<(String, String)>,
}

/// The page.
#[derive(Template)]
#[template(path = "holdings.html", config = "src/web/askama.toml")]
struct HoldingsPage {
    /// Frame.
    shell: Shell,
    /// What was found.
    found: String,
    /// One for each request.
    kept: Vec<Kept>,
    /// The form, to look for somebody else.
    form: Form,
}

/// `POST /data-pribadi/cari`
pub(super) async fn show(Extract(state): Extract<State>, sent: Sent) -> Result<Response, Failure> {
    let (visitor, t) = (&sent.visitor, sent.visitor.t);
    let actor = visitor.need(&[Role::Head, Role::Verifier])?.actor();
    let form = ask_form(visitor).refill(|name| sent.get(name));
    let form = form.need(t, |field| sent.get(&field.name).is_empty());
    let shell = Shell::new(visitor, t.s("holdings-title")).faulty(form.is_faulty());
    if form.is_faulty() {
        let again = HoldingsPage { shell, found: String::new(), kept: Vec::new(), form };
        return page_with(axum::http::StatusCode::UNPROCESSABLE_ENTITY, &again);
    }
    let asked = sent.get("tentang").to_owned();
    let found = state.work(move |state| state.desk().holdings_of(&asked, &actor)).await??;
    let count = t.count(u64::try_from(requests_of(&found)).unwrap_or(u64::MAX));
    let kept = found.iter().map(|it| kept(t, it)).collect();
    page(&HoldingsPage { shell, found: t.a("holdings-found", "count", &count), kept, form })
}

/// `POST /data-pribadi/kebocoran`: whose data are kept and which fields, as CSV.
pub(super) async fn breach_file(
    Extract(state): Extract<State>,
    sent: Sent,
) -> Result<Response, Failure> {
    let (visitor, t) = (&sent.visitor, sent.visitor.t);
    let actor = visitor.need(&[Role::Head])?.actor();
    let found = state.work(move |state| state.desk().all_holdings(&actor)).await??;
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(vec![0xEF, 0xBB, 0xBF]);
    let head = [
        "status-number",
        "queue-name",
        "queue-office",
        "status-sent",
        "apply-contact-name",
        "apply-contact-position",
        "apply-contact-email",
        "apply-contact-phone",
        "holdings-fields",
    ];
    writer.write_record(head.map(|id| t.s(id))).map_err(Failure::internal)?;
    for it in &found {
        let contact = &it.contact;
        let cells = [
            it.number.clone(),
            it.name.trim_end_matches('.').to_owned(),
            it.office.clone(),
            t.date_time(it.submitted_ms),
            contact.name.clone(),
            contact.position.clone(),
            contact.email.clone(),
            contact.phone.clone(),
            fields(t, it),
        ];
        writer.write_record(cells.map(|cell| disarmed(&cell))).map_err(Failure::internal)?;
    }
    let bytes = writer.into_inner().map_err(Failure::internal)?;
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"data-pribadi.csv\""),
    ];
    Ok((headers, bytes).into_response())
}

/// What is kept of the person behind a request, in words.
fn kept(t: Words, it: &Holding) -> Kept {
    let contact = &it.contact;
    let facts = [
        ("queue-name", it.name.trim_end_matches('.').to_owned()),
        ("queue-state", it.state.say(t)),
        ("status-sent", t.date_time(it.submitted_ms)),
        ("apply-contact-name", contact.name.clone()),
        ("apply-contact-position", contact.position.clone()),
        ("apply-contact-email", contact.email.clone()),
        ("apply-contact-phone", contact.phone.clone()),
        ("link-nip", contact.nip.clone().unwrap_or_default()),
        ("holdings-fields", fields(t, it)),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    Kept {
        number: it.number.clone(),
        place: place_of(it),
        facts: facts.map(|(id, value)| (t.s(id), value)).collect(),
    }
}

/// Where more of it is shown.
fn place_of(it: &Holding) -> String {
    let pages = if it.name.is_empty() { "/data-pribadi" } else { "/tinjau" };
    format!("{pages}/{}", it.number)
}

/// What is kept, counted.
fn fields(t: Words, it: &Holding) -> String {
    let count = |it: usize| t.count(u64::try_from(it).unwrap_or(u64::MAX));
    t.with(
        "holdings-counts",
        &[
            ("revisions", &t.count(u64::from(it.revisions))),
            ("letters", &count(it.letters)),
            ("papers", &count(it.papers)),
            ("notices", &count(it.notices)),
        ],
    )
}
