//! Papers on pages: their lists, one paper with its file, its correction, and the check of a code.
//!
//! A paper is downloaded as an attachment that runs nothing. Whether it is genuine anybody may ask, and
//! learns nothing of persons.

use askama::Template;
use axum::extract::{Path, State as Extract};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::FormPage;
use super::parts::error_words;
use super::status::of_applicant;
use crate::desk::{About, ActError, AttachmentFile, Desk, Viewer};
use crate::digest::sha256_hex;
use crate::paper::{Paper, html};
use crate::people::Role;
use crate::queue::PaperKind;
use crate::report::Month;
use crate::view::{PaperCheck, PaperView};
use crate::web::failure::Failure;
use crate::web::form::{Field, Form, Input};
use crate::web::redirect::{encode, see_other};
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Said, Words, office};

/// The page of the check.
const CHECK: &str = "/periksa-naskah";
/// Longest code that is looked up, in characters; what is longer is none.
const TYPED_MAX: usize = 60;
/// Digits of a picture's hash in its address.
const COAT_OF_ARMS_DIGITS: usize = 16;

//------------ Lists ---------------------------------------------------------

/// A paper in a list.
pub(super) struct PaperLine {
    /// Its kind in words.
    pub(super) title: String,
    /// Number, when it was issued, and what else is to be known.
    pub(super) about: Vec<String>,
    /// Its page.
    pub(super) place: String,
    /// Whether the page has something to show.
    pub(super) is_kept: bool,
}

/// The papers of a request in words; `base` is the address of the list's papers, for those who may read them.
pub(super) fn paper_lines(
    t: Words,
    papers: &[PaperView],
    base: &str,
    may_read: bool,
) -> Vec<PaperLine> {
    let line = |paper: &PaperView| {
        let mut about = vec![format!("{} · {}", paper.number, t.moment(&paper.issued))];
        about.extend(paper.superseded_by.as_ref().map(|by| t.a("paper-superseded", "number", by)));
        about.extend(paper.deleted.then(|| t.s("paper-deleted")));
        PaperLine {
            title: paper.kind.say(t),
            about,
            place: format!("{base}/{}", paper.id),
            is_kept: may_read && !paper.deleted,
        }
    };
    papers.iter().map(line).collect()
}

/// Where officers find the papers of a request.
pub(super) fn officers_place(number: &str) -> String {
    format!("/permohonan/{number}/naskah")
}

/// What papers are about, for officers.
#[derive(Clone, Debug)]
enum Whose {
    /// A request.
    Request(String),
    /// A month, by its report.
    Month(Month),
}

impl Whose {
    /// The same for the desk.
    fn about(&self) -> About<'_> {
        match self {
            Self::Request(number) => About::Request(number),
            Self::Month(month) => About::Month(*month),
        }
    }

    /// Where officers find the papers.
    fn place(&self) -> String {
        match self {
            Self::Request(number) => officers_place(number),
            Self::Month(month) => months_place(*month),
        }
    }

    /// The page before.
    fn back(&self) -> String {
        match self {
            Self::Request(number) => format!("/tinjau/{number}"),
            Self::Month(month) => format!("/laporan?bulan={month}"),
        }
    }

    /// Who reads the papers.
    fn readers(&self) -> &'static [Role] {
        match self {
            Self::Request(_) => &[Role::Head, Role::Verifier],
            Self::Month(_) => &Role::OFFICERS,
        }
    }
}

impl From<String> for Whose {
    fn from(number: String) -> Self {
        Self::Request(number)
    }
}

/// A month by its address.
fn of_month(text: &str) -> Result<Whose, Failure> {
    text.parse().map(Whose::Month).map_err(|_| Failure::not_found())
}

/// Where officers find the papers of a month.
pub(super) fn months_place(month: Month) -> String {
    format!("/laporan/{month}/naskah")
}

/// Where an applicant finds them.
pub(super) const APPLICANTS_PLACE: &str = "/status/naskah";

//------------ One paper -----------------------------------------------------

/// One paper.
#[derive(Template)]
#[template(path = "paper.html", config = "src/web/askama.toml")]
struct PaperPage {
    /// Frame.
    shell: Shell,
    /// The page before.
    back: String,
    /// What is known of it.
    facts: Vec<(String, String)>,
    /// What is to be known first.
    notes: Vec<String>,
    /// Where it is for a printer.
    print: Option<String>,
    /// Where its file is.
    file: Option<String>,
    /// Its forms, each with a heading.
    forms: Vec<(String, Form)>,
}

/// `GET /permohonan/{number}/naskah/{id}`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Path((number, id)): Path<(String, String)>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    shown(&state, &visitor, &number.into(), &id).await
}

/// `GET /laporan/{month}/naskah/{id}`
pub(super) async fn show_months(
    Extract(state): Extract<State>,
    Path((month, id)): Path<(String, String)>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    shown(&state, &visitor, &of_month(&month)?, &id).await
}

/// The page of a paper for an officer.
async fn shown(
    state: &State,
    visitor: &Visitor,
    whose: &Whose,
    id: &str,
) -> Result<Response, Failure> {
    let paper = of_officer(state, visitor, whose, id).await?;
    page(&officers_page(visitor, whose, &paper, None))
}

/// `GET /permohonan/{number}/naskah/{id}/pdf`
pub(super) async fn download(
    Extract(state): Extract<State>,
    Path((number, id)): Path<(String, String)>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    downloaded(&state, &visitor, number.into(), id).await
}

/// `GET /laporan/{month}/naskah/{id}/pdf`
pub(super) async fn download_months(
    Extract(state): Extract<State>,
    Path((month, id)): Path<(String, String)>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    downloaded(&state, &visitor, of_month(&month)?, id).await
}

/// The file of a paper for an officer.
async fn downloaded(
    state: &State,
    visitor: &Visitor,
    whose: Whose,
    id: String,
) -> Result<Response, Failure> {
    let viewer = Viewer::Officer(visitor.need(whose.readers())?.actor());
    let job = move |state: &State| state.desk().paper_file(whose.about(), &id, &viewer);
    Ok(attachment(state.work(job).await?.map_err(Failure::paper)?))
}

/// `POST /permohonan/{number}/naskah/{id}/{act}`: a correction (`koreksi`), or the number of the office's
/// agenda (`nomor`).
pub(super) async fn change(
    Extract(state): Extract<State>,
    Path((number, id, act)): Path<(String, String, String)>,
    sent: Sent,
) -> Result<Response, Failure> {
    changed(&state, number.into(), (id, act), sent).await
}

/// `POST /laporan/{month}/naskah/{id}/{act}`: the same.
pub(super) async fn change_months(
    Extract(state): Extract<State>,
    Path((month, id, act)): Path<(String, String, String)>,
    sent: Sent,
) -> Result<Response, Failure> {
    changed(&state, of_month(&month)?, (id, act), sent).await
}

/// An act on a paper.
async fn changed(
    state: &State,
    whose: Whose,
    (id, act): (String, String),
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let actor = visitor.need(&[Role::Head, Role::Verifier])?.actor();
    let numbered = act == "nomor";
    if !numbered && act != "koreksi" {
        return Err(Failure::not_found());
    }
    let text = sent.get(if numbered { "office_number" } else { "reason" }).to_owned();
    let (of, which) = (whose.clone(), id.clone());
    let done = state
        .work(move |state| {
            let desk = state.desk();
            if numbered {
                desk.number_paper(of.about(), &which, &text, &actor)
            } else {
                desk.correct_paper(of.about(), &which, &text, &actor)
            }
        })
        .await?;
    match done {
        Ok(paper) => Ok(see_other(&format!("{}/{}", whose.place(), paper.id))),
        Err(error) => {
            let paper = of_officer(state, visitor, &whose, &id).await?;
            let words = error_words(visitor.t, &error);
            let failure = Failure::from(error);
            if failure.is_internal() {
                return Err(failure);
            }
            let fault = Some((numbered, words.join(" ")));
            page_with(failure.status, &officers_page(visitor, &whose, &paper, fault))
        }
    }
}

/// `GET /status/naskah/{id}`
pub(super) async fn show_own(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    headers: HeaderMap,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let wanted = id.clone();
    let job = move |state: &State, number: &str| state.desk().papers(number, &Viewer::Applicant);
    let Some(papers) = own(&state, &headers, &visitor, job).await? else {
        return Ok(see_other("/status"));
    };
    let paper = papers.into_iter().find(|it| it.id == wanted).ok_or_else(Failure::not_found)?;
    page(&paper_page(&visitor, "/status", &format!("{APPLICANTS_PLACE}/{id}"), &paper))
}

/// `GET /status/naskah/{id}/pdf`
pub(super) async fn download_own(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    headers: HeaderMap,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let job = move |state: &State, number: &str| {
        Ok(state.desk().paper_file(number, &id, &Viewer::Applicant))
    };
    match own(&state, &headers, &visitor, job).await? {
        Some(file) => Ok(attachment(file.map_err(Failure::paper)?)),
        None => Ok(see_other("/status")),
    }
}

/// Where the coat of arms is, if the office has one: the address changes with the picture.
pub(super) fn coat_of_arms_place() -> Option<String> {
    let office = office();
    let picture = office.coat_of_arms.as_ref()?;
    let hash: String = sha256_hex(picture).chars().take(COAT_OF_ARMS_DIGITS).collect();
    Some(format!("/lambang/{hash}.png"))
}

/// `GET /lambang/{file}`: the coat of arms on pages for printing. An old address gets the new picture.
pub(super) async fn coat_of_arms() -> Result<Response, Failure> {
    let picture = office().coat_of_arms.clone().ok_or_else(Failure::not_found)?;
    let headers = [(CONTENT_TYPE, "image/png"), (CACHE_CONTROL, "public, max-age=86400")];
    Ok((headers, picture.to_vec()).into_response())
}

/// A paper for a printer: its words, and nothing around them once it is printed.
#[derive(Template)]
#[template(path = "paper_print.html", config = "src/web/askama.toml")]
struct PrintPage {
    /// Frame.
    shell: Shell,
    /// The page before.
    back: String,
    /// The paper as safe HTML.
    paper: String,
}

/// `GET /permohonan/{number}/naskah/{id}/cetak`
pub(super) async fn print(
    Extract(state): Extract<State>,
    Path((number, id)): Path<(String, String)>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    printed(&state, &visitor, number.into(), id).await
}

/// `GET /laporan/{month}/naskah/{id}/cetak`
pub(super) async fn print_months(
    Extract(state): Extract<State>,
    Path((month, id)): Path<(String, String)>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    printed(&state, &visitor, of_month(&month)?, id).await
}

/// A paper for an officer's printer.
async fn printed(
    state: &State,
    visitor: &Visitor,
    whose: Whose,
    id: String,
) -> Result<Response, Failure> {
    let viewer = Viewer::Officer(visitor.need(whose.readers())?.actor());
    let back = format!("{}/{id}", whose.place());
    let job = move |state: &State| state.desk().paper(whose.about(), &id, &viewer);
    let (view, paper) = state.work(job).await??;
    page(&print_page(visitor, back, &view, &paper))
}

/// `GET /status/naskah/{id}/cetak`
pub(super) async fn print_own(
    Extract(state): Extract<State>,
    Path(id): Path<String>,
    headers: HeaderMap,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let back = format!("{APPLICANTS_PLACE}/{id}");
    let job =
        move |state: &State, number: &str| state.desk().paper(number, &id, &Viewer::Applicant);
    match own(&state, &headers, &visitor, job).await? {
        Some((view, paper)) => page(&print_page(&visitor, back, &view, &paper)),
        None => Ok(see_other("/status")),
    }
}

/// The page of a paper for a printer.
fn print_page(visitor: &Visitor, back: String, view: &PaperView, paper: &Paper) -> PrintPage {
    let title = format!("{} {}", view.kind.say(visitor.t), view.number);
    let paper = html(paper, coat_of_arms_place().as_deref());
    PrintPage { shell: Shell::new(visitor, title).wide(), back, paper }
}

/// What an applicant asks for, once the secret in the cookie is proven; none without one.
async fn own<T: Send + 'static>(
    state: &State,
    headers: &HeaderMap,
    visitor: &Visitor,
    job: impl FnOnce(&State, &str) -> Result<T, ActError> + Send + 'static,
) -> Result<Option<T>, Failure> {
    let proven = |desk: &Desk, number: &str, secret: &str| {
        desk.applicant(number, secret).map(|_| number.to_owned())
    };
    let Some(number) = of_applicant(state, headers, visitor, proven).await? else {
        return Ok(None);
    };
    Ok(Some(state.work(move |state| job(state, &number)).await??))
}

/// A paper for an officer who may read it.
async fn of_officer(
    state: &State,
    visitor: &Visitor,
    whose: &Whose,
    id: &str,
) -> Result<PaperView, Failure> {
    let viewer = Viewer::Officer(visitor.need(whose.readers())?.actor());
    let of = whose.clone();
    let papers = state.work(move |state| state.desk().papers(of.about(), &viewer)).await??;
    papers.into_iter().find(|paper| paper.id == id).ok_or_else(Failure::not_found)
}

/// A file as a download that runs nothing.
fn attachment(file: AttachmentFile) -> Response {
    let disposition = format!("attachment; filename=\"{}\"", file.name);
    let headers = [
        (CONTENT_TYPE, file.media),
        (CONTENT_DISPOSITION, disposition),
        (CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'".to_owned()),
    ];
    (headers, file.bytes).into_response()
}

/// What a paper is about: a name, or the month of a report.
fn what_about(t: Words, kind: PaperKind, name: &str) -> (String, String) {
    match name.parse::<Month>() {
        Ok(month) if kind == PaperKind::Activity => {
            (t.s("report-month"), t.month(month.year(), month.number()))
        }
        _ => (t.s("paper-field-name"), name.to_owned()),
    }
}

/// The page of a paper, without forms.
fn paper_page(visitor: &Visitor, back: &str, place: &str, paper: &PaperView) -> PaperPage {
    let t = visitor.t;
    let mut facts = vec![
        (t.s("paper-number"), paper.number.clone()),
        (t.s("paper-issued"), t.moment(&paper.issued)),
        what_about(t, paper.kind, &paper.name),
        (t.s("paper-office-number"), paper.office_number.clone().unwrap_or_default()),
        (t.s("paper-code"), paper.code.clone()),
        ("SHA-256".to_owned(), paper.sha256.clone().unwrap_or_default()),
        (t.s("fact-supersedes"), paper.supersedes.clone().unwrap_or_default()),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    let mut notes = Vec::new();
    notes.extend(paper.superseded_by.as_ref().map(|by| t.a("paper-superseded", "number", by)));
    let is_ready = paper.sha256.is_some() && !paper.deleted;
    if paper.deleted {
        notes.push(t.s("paper-deleted"));
    } else if !is_ready {
        notes.push(t.s("paper-not-ready"));
    }
    PaperPage {
        shell: Shell::new(visitor, paper.kind.say(t)),
        back: back.to_owned(),
        facts,
        notes,
        print: (!paper.deleted).then(|| format!("{place}/cetak")),
        file: is_ready.then(|| format!("{place}/pdf")),
        forms: Vec::new(),
    }
}

/// The page of a paper with the forms of an officer; the fault is one of the number's form, or of the
/// correction's.
fn officers_page(
    visitor: &Visitor,
    whose: &Whose,
    paper: &PaperView,
    fault: Option<(bool, String)>,
) -> PaperPage {
    let t = visitor.t;
    let place = format!("{}/{}", whose.place(), paper.id);
    let mut shown = paper_page(visitor, &whose.back(), &place, paper);
    if visitor.need(&[Role::Head, Role::Verifier]).is_err() {
        return shown;
    }
    let mut add = |is_number: bool, title: &str, field: Field, button: &str| {
        let action = format!("{place}/{}", if is_number { "nomor" } else { "koreksi" });
        let mut form = Form::new(&action, &visitor.csrf, t.s(button)).field(field);
        if let Some((_, text)) = fault.as_ref().filter(|(of_number, _)| *of_number == is_number) {
            let name = if is_number { "office_number" } else { "reason" };
            form = form.fault(name, text.clone());
        }
        shown.shell.faulty |= form.is_faulty();
        shown.forms.push((t.s(title), form));
    };
    if !paper.deleted && paper.office_number.is_none() {
        let field = Field::line(t, "office_number", "paper-office-number").width("w-m");
        add(true, "paper-office-number-title", field, "paper-office-number-button");
    }
    if !paper.deleted && paper.superseded_by.is_none() {
        let field = Field::line(t, "reason", "paper-correct-reason").input(Input::Area);
        add(false, "paper-correct-title", field, "paper-correct-button");
    }
    shown
}

//------------ The check -----------------------------------------------------

/// The form of a code.
fn check_form(visitor: &Visitor) -> Form {
    let t = visitor.t;
    let field = Field::line(t, "kode", "paper-check-code").width("w-m").autocomplete("off");
    Form::new(CHECK, &visitor.csrf, t.s("paper-check-button")).field(field)
}

/// The page of the form.
fn check_page(visitor: &Visitor, form: Form) -> FormPage {
    let t = visitor.t;
    FormPage {
        shell: Shell::new(visitor, t.s("paper-check-title")).faulty(form.is_faulty()),
        lead: vec![t.s("paper-check-lead")],
        facts: Vec::new(),
        form,
        after: Vec::new(),
    }
}

/// `GET /periksa-naskah`
pub(super) async fn ask(visitor: Visitor) -> Result<Response, Failure> {
    page(&check_page(&visitor, check_form(&visitor)))
}

/// `POST /periksa-naskah`
pub(super) async fn look_up(sent: Sent) -> Result<Response, Failure> {
    let typed: String = sent.get("kode").chars().take(TYPED_MAX).collect();
    let code: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    if code.is_empty() {
        let visitor = &sent.visitor;
        let form = check_form(visitor).fault("kode", visitor.t.s("paper-check-empty"));
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &check_page(visitor, form));
    }
    Ok(see_other(&format!("{CHECK}/{}", encode(&code.to_uppercase()).replace('/', "%2F"))))
}

/// `GET /periksa-naskah/{code}`: where the QR code of a paper leads to.
pub(super) async fn check(
    Extract(state): Extract<State>,
    Path(code): Path<String>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let t = visitor.t;
    match checked(&state, &visitor, &code).await? {
        Some(found) => {
            let (title, form) = (t.s("paper-check-found"), check_form(&visitor));
            let good = if found.valid { t.s("paper-valid") } else { t.s("paper-invalid") };
            page(&FormPage {
                shell: Shell::new(&visitor, title),
                lead: vec![good, t.s("paper-check-compare")],
                facts: check_facts(t, &found),
                form,
                after: Vec::new(),
            })
        }
        None => {
            let typed: String = code.chars().take(TYPED_MAX).collect();
            let form = check_form(&visitor).refill(|_| &typed);
            let form = form.fault("kode", t.s("paper-check-unknown"));
            page_with(StatusCode::NOT_FOUND, &check_page(&visitor, form))
        }
    }
}

/// The paper with this code; after too many that are none, a network waits.
async fn checked(
    state: &State,
    visitor: &Visitor,
    code: &str,
) -> Result<Option<PaperCheck>, Failure> {
    let code = code.to_owned();
    let job = {
        let code = code.clone();
        move |state: &State| state.desk().check_paper(&code)
    };
    match state.with_paper_code(&code, visitor.address, job).await? {
        Ok(found) => Ok(Some(found)),
        Err(ActError::NotFound) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What anybody may know of a paper.
fn check_facts(t: Words, found: &PaperCheck) -> Vec<(String, String)> {
    let mut facts = vec![
        (t.s("paper-kind"), found.kind.say(t)),
        (t.s("paper-number"), found.number.clone()),
        (t.s("paper-issued"), t.moment(&found.issued)),
        what_about(t, found.kind, &found.name),
        ("SHA-256".to_owned(), found.sha256.clone().unwrap_or_default()),
        (t.s("paper-superseded-by"), found.superseded_by.clone().unwrap_or_default()),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    facts
}
