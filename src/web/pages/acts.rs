//! Acts on a request, one page per act: what is about to be done, the full name once more, one button.

use askama::Template;
use axum::extract::{Path, State as Extract};
use axum::response::Response;
use serde_json::{Map, json};

use super::parts::{full_name, line_fault, look, missing_words, refusal};
use super::sign_in::proof_first;
use crate::people::{Account, Role};
use crate::queue::procedure::{ActInput, Flag, Input as ActField, row_of_page};
use crate::queue::{Act, ActKind, Fault, LineCode, LineInput, LineVerdict, RejectReason};
use crate::view::{CandidateView, LineView, RequestView};
use crate::web::failure::Failure;
use crate::web::form::{Choice, Field, Form, Input};
use crate::web::redirect::see_other;
use crate::web::sent::Sent;
use crate::web::shell::{Shell, page, page_with, role_title};
use crate::web::state::State;
use crate::web::visitor::Visitor;
use crate::words::{Said, Words};

//------------ Which acts ----------------------------------------------------

/// The path of an act; empty if it has no page of its own.
fn path_of(act: ActKind) -> &'static str {
    act.row().page.unwrap_or_default()
}

/// The act of a path.
fn act_of(path: &str) -> Option<ActKind> {
    row_of_page(path).and_then(|row| row.act)
}

/// The acts that are reached through the check sheet, which is saved first, in the order of its
/// buttons.
const IN_SHEET: [ActKind; 3] = [ActKind::Approve, ActKind::Return, ActKind::Reject];

/// Whether an act is reached through the check sheet.
fn is_in_sheet(act: ActKind) -> bool {
    IN_SHEET.contains(&act)
}

/// The acts the viewer may go on to from the check sheet: path, words and style of the button.
pub(super) fn after_sheet_offered(
    t: Words,
    view: &RequestView,
) -> Vec<(&'static str, String, &'static str)> {
    let offered = IN_SHEET.into_iter().filter(|act| view.acts.contains(act));
    let button = |act: ActKind| {
        let style = if act == ActKind::Approve { "button" } else { "button quiet" };
        (path_of(act), t.s(&format!("review-go-{act}")), style)
    };
    offered.map(button).collect()
}

/// The path of an act that follows the check sheet, if it is one.
pub(super) fn after_sheet(path: &str) -> Option<&str> {
    act_of(path).filter(|act| is_in_sheet(*act)).map(|_| path)
}

/// The verb of an act.
fn verb(t: Words, act: ActKind) -> String {
    match act {
        ActKind::Approve => t.s("ask-approve-title"),
        _ => act.row().deed.say(t),
    }
}

/// The acts the viewer may do now that have a page of their own: path and verb.
pub(super) fn offered(t: Words, view: &RequestView) -> Vec<(&'static str, String)> {
    let acts = view.acts.iter().copied().filter(|act| !is_in_sheet(*act));
    acts.filter_map(|act| Some((act.row().page?, verb(t, act)))).collect()
}

//------------ Pages ---------------------------------------------------------

/// The page of an act.
#[derive(Template)]
#[template(path = "act.html", config = "src/web/askama.toml")]
struct ActPage {
    /// Frame.
    shell: Shell,
    /// Number.
    number: String,
    /// The full name, once more.
    name: String,
    /// Paragraphs.
    lead: Vec<String>,
    /// Why the act was refused: where to mend it, and what.
    faults: Vec<(String, String)>,
    /// The change of the zone, where the act is bound to it.
    candidate: Option<CandidateView>,
    /// Lines the applicant will read.
    points: Vec<(String, String)>,
    /// What prevents an approval.
    missing: Vec<String>,
    /// The form; none if the act cannot be done now.
    form: Option<Form>,
}

/// `GET /tinjau/{number}/{act}`
pub(super) async fn show(
    Extract(state): Extract<State>,
    Path((number, act)): Path<(String, String)>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let act = act_of(&act).ok_or_else(Failure::not_found)?;
    let session = visitor.need(&Role::OFFICERS)?;
    if act.row().deed.is(Flag::FreshProof) {
        proof_first(&state, session, &visitor)?;
    }
    let (view, people) = look(&state, &visitor, &number).await?;
    page(&act_page(&visitor, &view, &people, act))
}

/// `POST /tinjau/{number}/{act}`
pub(super) async fn press(
    Extract(state): Extract<State>,
    Path((number, act)): Path<(String, String)>,
    sent: Sent,
) -> Result<Response, Failure> {
    let visitor = &sent.visitor;
    let actor = visitor.need(&Role::OFFICERS)?.actor();
    let act = act_of(&act).ok_or_else(Failure::not_found)?;
    let (view, people) = look(&state, visitor, &number).await?;
    let pressed = read_act(act, &sent, &view).map_err(Failure::internal)?;
    let done = state.perform(&number, pressed, actor).await?;
    match done {
        Ok(_) => Ok(see_other(&format!("/tinjau/{number}?selesai=ya"))),
        Err(error) => {
            let (words, faults) = (refusal(visitor.t, &error), error.faults().to_vec());
            let failure = Failure::from(error);
            if failure.is_internal() {
                return Err(failure);
            }
            // The page shows the request as it is now.
            let (view, people) = look(&state, visitor, &number).await.unwrap_or((view, people));
            let mut again = act_page(visitor, &view, &people, act);
            again.form = again.form.map(|form| form.refill(|name| sent.get(name)));
            again.turned_back(words, &faults);
            page_with(failure.status, &again)
        }
    }
}

impl ActPage {
    /// Says why the act was refused, at the fields as far as they are in the form.
    fn turned_back(&mut self, words: Option<String>, faults: &[Fault]) {
        let t = self.shell.t;
        let mut others: Vec<&Fault> = faults.iter().collect();
        let mut at_fields = Vec::new();
        if let Some(form) = self.form.take() {
            let (form, rest) = form.take_faults(t, faults);
            others = rest;
            let links = form.faults().into_iter();
            at_fields.extend(links.map(|(name, text)| (format!("#{name}"), text.to_owned())));
            self.form = Some(form);
        }
        let sheet = format!("/tinjau/{}", self.number);
        let place = |fault: &Fault| match LineCode::from_name(&fault.field) {
            Some(code) => format!("{sheet}#{}", code.as_str()),
            None => String::new(),
        };
        let others = others.into_iter().map(|fault| (place(fault), line_fault(t, fault)));
        self.faults = words.map(|words| (String::new(), words)).into_iter().collect();
        self.faults.extend(others.chain(at_fields));
        self.shell.faulty = true;
    }
}

/// The act that a form describes: the inputs of its row, from the form or from the saved check sheet.
fn read_act(act: ActKind, sent: &Sent, view: &RequestView) -> Result<Act, serde_json::Error> {
    let mut fields = Map::new();
    for input in act.row().inputs {
        let text = sent.get(input.name);
        let value = match input.what {
            ActInput::LinesToFix | ActInput::LinesBad => json!(written(view, input.what)),
            // Every line was saved with the sheet.
            ActInput::Lines => json!([]),
            ActInput::Revision => json!(text.parse().unwrap_or(0_u32)),
            ActInput::Serial => json!(text.parse::<u32>().ok()),
            _ => json!(text),
        };
        fields.insert(input.name.to_owned(), value);
    }
    Act::from_fields(act, fields)
}

/// The lines that an officer put on the verdict of an input.
fn written(view: &RequestView, input: ActInput) -> Vec<LineInput> {
    let lines = input.verdict().into_iter().flat_map(|verdict| marked(view, verdict));
    lines
        .map(|line| LineInput { code: line.code, verdict: line.verdict, note: line.note.clone() })
        .collect()
}

/// The lines of a view an officer put on this verdict.
fn marked(view: &RequestView, verdict: LineVerdict) -> impl Iterator<Item = &LineView> {
    view.lines.iter().filter(move |line| line.who.is_some() && line.verdict == Some(verdict))
}

/// The page of an act; without a form where it cannot be done now.
fn act_page(visitor: &Visitor, view: &RequestView, people: &[Account], act: ActKind) -> ActPage {
    let t = visitor.t;
    let bound = matches!(act, ActKind::Approve | ActKind::Countersign | ActKind::Promote);
    let verdict = act.row().inputs.iter().find_map(|input| input.what.verdict());
    let points = verdict.into_iter().flat_map(|verdict| marked(view, verdict));
    let points = points.map(|line| (line.code.say(t), line.note.clone().unwrap_or_default()));
    let points: Vec<_> = points.collect();
    let missing = if act == ActKind::Approve { missing_words(t, view) } else { Vec::new() };
    let nothing_to_fix = act == ActKind::Return && points.is_empty();
    let lead = format!("ask-{act}-lead");
    let mut lead: Vec<String> = t.has(&lead).then(|| t.s(&lead)).into_iter().collect();
    lead.extend(nothing_to_fix.then(|| t.s("ask-return-none")));
    let ready = view.acts.contains(&act) && !nothing_to_fix && missing.is_empty();
    ActPage {
        shell: Shell::new(visitor, verb(t, act)),
        number: view.number.clone(),
        name: full_name(&view.name, &view.zone),
        lead,
        faults: Vec::new(),
        candidate: view.candidate.clone().filter(|_| bound),
        points,
        missing,
        form: ready.then(|| form(visitor, view, people, act)),
    }
}

/// The form of an act: a field for each input of its row.
fn form(visitor: &Visitor, view: &RequestView, people: &[Account], act: ActKind) -> Form {
    let t = visitor.t;
    let path = path_of(act);
    let mut form =
        Form::new(&format!("/tinjau/{}/{path}", view.number), &visitor.csrf, verb(t, act));
    if matches!(act, ActKind::Reject | ActKind::Withdraw) {
        form = form.style("warn");
    }
    let fields = act.row().inputs.iter().filter_map(|input| field(t, view, people, *input));
    fields.fold(form, Form::field)
}

/// The field of an input; none for what the check sheet or another page brings.
fn field(t: Words, view: &RequestView, people: &[Account], input: ActField) -> Option<Field> {
    let line = |id: &str| Field::line(t, input.name, id);
    let area = |id: &str| line(id).input(Input::Area);
    let candidate = view.candidate.as_ref();
    let field = match input.what {
        ActInput::Assignee => assignee(t, people),
        ActInput::Instruction => instruction(t),
        ActInput::Reason => area("ask-reason"),
        ActInput::Party | ActInput::Answerer => line("ask-party"),
        ActInput::Email => line("ask-party-email").input(Input::Line("email")),
        ActInput::Letter | ActInput::PartyLetter => line("ask-letter"),
        ActInput::RejectReason => {
            let raised = view.raised.is_some();
            let reasons = RejectReason::ALL.into_iter().filter(|it| it.fits(raised));
            let reasons = reasons.map(|it| Choice::new(it.as_str(), it.say(t))).collect();
            line("ask-reject-reason").input(Input::Radios(reasons))
        }
        ActInput::Note => area("ask-note"),
        ActInput::Revision => Field::hidden(input.name, &view.revision.to_string()),
        ActInput::Candidate => {
            Field::hidden(input.name, candidate.map_or("", |it| it.hash.as_str()))
        }
        ActInput::Serial => {
            let serial = candidate.map(|it| it.serial.to_string());
            Field::hidden(input.name, &serial.unwrap_or_default())
        }
        ActInput::How => line("ask-how"),
        ActInput::Starts => line("ask-starts")
            .input(Input::Line("date"))
            .value(view.starts.as_deref().unwrap_or_default()),
        ActInput::Lines
        | ActInput::LinesToFix
        | ActInput::LinesBad
        | ActInput::Application
        | ActInput::Correction => return None,
    };
    Some(if input.what.is_needed() { field } else { field.optional() })
}

/// What the verifier is to do.
pub(super) fn instruction(t: Words) -> Field {
    let field = Field::line(t, "instruction", "ask-instruction").input(Input::Area);
    field.value(&t.s("ask-instruction-text"))
}

/// The verifiers to choose from.
pub(super) fn assignee(t: Words, people: &[Account]) -> Field {
    let able = people.iter().filter(|it| it.enabled && it.role == Role::Verifier);
    let choices = able.map(|it| {
        let label = format!("{} – {}", it.full_name, role_title(t, &it.title, it.role));
        Choice::new(&it.name, label)
    });
    Field::line(t, "to", "ask-to").input(Input::Select(choices.collect()))
}
