//! A request as others see it, whole and as a row of the queue.

use std::ops::Deref;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::parts::{
    ApprovalView, CandidateView, DispositionView, FaultView, HistoryView, LineView, NoticeView,
    ProofView, QuestionView, ReasonView, RevisedView,
};
use super::{PaperView, Sees, rfc3339};
use crate::queue::sheet::human_lines;
use crate::queue::{
    ActKind, Contact, Ground, Kind, Letter, Line, LineCode, LineVerdict, NamingClass, Outcome,
    Overrule, Phase, Request, RequestedRecord, Role, Sheet, Stage, State, Timing,
};

//------------ RequestView ---------------------------------------------------

/// `GET /requests/{number}`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct RequestView {
    /// What the list shows of it.
    #[serde(flatten)]
    pub summary: Summary,
    /// Names what the acts on it have led to: the first part of its `ETag`.
    #[serde(default)]
    pub version: String,
    /// The records asked for.
    pub records: Vec<RequestedRecord>,
    /// Its region code.
    pub region: Option<String>,
    /// What it is for.
    pub purpose: String,
    /// The person responsible; `null` for those who may not see who it is.
    pub contact: Option<Contact>,
    /// The letter.
    pub letter: Letter,
    /// *berlaku mulai*, as it was sent: a date or a time.
    pub starts: Option<String>,
    /// *berlaku sampai*, as it was sent: a date or a time.
    pub ends: Option<String>,
    /// *berlaku mulai* as a time.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub starts_at: Option<String>,
    /// *berlaku sampai* as a time.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub ends_at: Option<String>,
    /// By when the site is to have a place, of a request without records.
    pub hosting_by: Option<String>,
    /// Why a reserved name or another pattern is asked for.
    pub exception: Option<String>,
    /// For a suspension: whether the suspended RRsets are put back.
    #[serde(default)]
    pub lift: bool,
    /// For a rollback: the request whose change is taken back.
    #[serde(default)]
    pub inverse_of: Option<String>,
    /// For what gapura asks for by itself: since when the ground is there, RFC 3339.
    #[serde(default)]
    pub raised_since: Option<String>,
    /// Whether the mailbox is proven.
    pub mailbox_proven: bool,
    /// The routing slip in force, for officers.
    #[serde(default)]
    pub disposition: Option<DispositionView>,
    /// What other parties were asked, the oldest first, for officers.
    #[serde(default)]
    pub questions: Vec<QuestionView>,
    /// What the current revision changed, for officers.
    #[serde(default)]
    pub revised: Vec<RevisedView>,
    /// The candidate zone as it would be built now.
    pub candidate: Option<CandidateView>,
    /// The check sheet.
    pub lines: Vec<LineView>,
    /// What prevents an approval, while it is with a verifier.
    pub missing: Vec<FaultView>,
    /// Why a second signature is needed; empty when one is enough.
    pub second_signature: Vec<String>,
    /// The approval in force.
    pub approval: Option<ApprovalView>,
    /// Why it was rejected, or why the promotion failed.
    pub reason: Option<ReasonView>,
    /// The proof, once it is live.
    pub proof: Option<ProofView>,
    /// What was sent to whom, without addresses for the applicant.
    pub notices: Vec<NoticeView>,
    /// Its papers, the oldest first; to the applicant those that are written to them.
    #[serde(default)]
    pub papers: Vec<PaperView>,
    /// Its events, oldest first.
    pub history: Vec<HistoryView>,
    /// To the applicant: whether the name waits for its owner's word, which they may give.
    #[serde(default)]
    pub asks_owner: bool,
    /// The acts the viewer may do now, as far as state and person go.
    #[serde(default)]
    pub acts: Vec<ActKind>,
}

impl Deref for RequestView {
    type Target = Summary;

    fn deref(&self) -> &Summary {
        &self.summary
    }
}

/// One row of `GET /requests`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Summary {
    /// The number.
    pub number: String,
    /// The state.
    pub state: State,
    /// 1 at submit.
    pub revision: u32,
    /// What is to happen.
    pub kind: Kind,
    /// The naming class.
    pub class: NamingClass,
    /// The name below the zone.
    pub name: String,
    /// The zone.
    pub zone: String,
    /// The office that asks, or whose name it is about.
    pub office: String,
    /// Why gapura asks for it by itself; `null` where an office asks.
    #[serde(default)]
    pub raised: Option<Ground>,
    /// Account name of the verifier who holds it; for the applicant the role.
    pub holder: Option<String>,
    /// Whose turn it is; `null` while another party is asked, and at the end.
    pub holder_role: Option<Role>,
    /// The state, split where somebody else has to act.
    pub phase: Phase,
    /// When it goes live, while that lies ahead and nothing else is missing.
    #[serde(default)]
    #[schema(format = DateTime)]
    pub scheduled: Option<String>,
    /// The running or paused step of the SOP: 2 to 5.
    pub step: Option<u8>,
    /// When the running step is due; `null` while it is paused or none runs.
    #[schema(format = DateTime)]
    pub due: Option<String>,
    /// Working minutes left; negative when late.
    pub left_minutes: Option<i64>,
    /// Whether the running step is late.
    pub late: bool,
    /// When it came in.
    #[schema(format = DateTime)]
    pub submitted: String,
    /// When the last accepted act was.
    #[schema(format = DateTime)]
    pub changed: String,
}

//------------ Building ------------------------------------------------------

impl RequestView {
    /// The view of a request, without what other rooms know.
    pub fn of(request: &Request, sees: Sees, timing: Timing, now: i64) -> Self {
        let application = request.application();
        let in_hand = request.state() == State::Assigned && sees.is_officer();
        let missing = if in_hand { request.sheet().missing(application) } else { Vec::new() };
        let second = request.sheet().second_signature(application);
        Self {
            summary: Summary::of(request, sees, timing, now),
            version: request.version(),
            records: application.records.clone(),
            region: application.region.clone(),
            purpose: application.purpose.clone(),
            contact: sees.contact(&application.contact),
            letter: application.letter.clone(),
            starts: application.starts.clone(),
            hosting_by: application.hosting_by.clone(),
            ends: application.ends.clone(),
            starts_at: application.starts_at().map(rfc3339),
            ends_at: application.ends_at().map(rfc3339),
            exception: application.exception.clone(),
            lift: application.lift,
            inverse_of: application.inverse_of.clone(),
            raised_since: application.raised.map(|raised| rfc3339(raised.since)),
            mailbox_proven: request.mailbox_proven(),
            disposition: request.dispositions().last().and_then(|it| DispositionView::of(it, sees)),
            questions: questions(request, sees),
            revised: Vec::new(),
            candidate: None,
            lines: lines(request.sheet(), request, sees),
            missing: missing.iter().map(|fault| sees.fault(fault)).collect(),
            second_signature: second.iter().map(|reason| reason.code()).collect(),
            approval: approval(request, sees),
            reason: reason(request),
            proof: None,
            notices: Vec::new(),
            papers: Vec::new(),
            history: Vec::new(),
            asks_owner: false,
            acts: Vec::new(),
        }
    }
}

impl Summary {
    /// The row of a request.
    pub fn of(request: &Request, sees: Sees, timing: Timing, now: i64) -> Self {
        let application = request.application();
        let phase = request.phase(now);
        let turn = phase.turn();
        let holder = if sees.is_officer() {
            request.holder().map(|holder| holder.name.clone())
        } else {
            turn.map(|role| role.as_str().to_owned())
        };
        Self {
            number: request.number().to_owned(),
            state: request.state(),
            revision: request.revision(),
            kind: application.kind,
            class: application.class,
            name: application.name.clone(),
            zone: application.zone.clone(),
            office: application.office.clone(),
            raised: application.raised.map(|raised| raised.cause),
            holder,
            holder_role: turn,
            phase,
            scheduled: application.starts_at().filter(|_| phase == Phase::Scheduled).map(rfc3339),
            step: timing.step,
            due: timing.due.map(rfc3339),
            left_minutes: timing.left_minutes,
            late: timing.late,
            submitted: rfc3339(request.submitted_at()),
            changed: rfc3339(request.changed_at()),
        }
    }
}

/// The sheet: automatic lines first, then the human ones that are needed or written.
fn lines(sheet: &Sheet, request: &Request, sees: Sees) -> Vec<LineView> {
    let mut views = Vec::new();
    let who = |name: &str| sees.officer_named(name, Role::Verifier);
    let blank = |code| LineView {
        code,
        verdict: None,
        note: None,
        who: None,
        when: None,
        revision: None,
        automatic: LineCode::is_automatic(code),
        outcome: None,
        overrule: None,
        faults: Vec::new(),
    };
    let told = |line: &&Line| {
        sees.is_officer() || is_decided(request) || line.revision < request.revision()
    };
    let fill = |view: &mut LineView| {
        if let Some(line) = sheet.line(view.code).filter(told) {
            view.verdict = line.verdict.or(view.verdict);
            view.note.clone_from(&line.note);
            view.who = Some(who(&line.who));
            view.when = Some(rfc3339(line.at));
            view.revision = Some(line.revision);
        }
    };
    for auto in sheet.automatic() {
        let mut view = blank(auto.code);
        view.outcome = Some(auto.outcome);
        view.faults = auto.faults.iter().map(|fault| sees.fault(fault)).collect();
        view.verdict = match (auto.outcome, auto.overrule) {
            (Outcome::Pass | Outcome::Shown, _) => Some(LineVerdict::Ok),
            (Outcome::Unchecked, _) => None,
            (Outcome::Failed, Overrule::Never) => Some(LineVerdict::Bad),
            (Outcome::Failed, _) => Some(LineVerdict::Fix),
        };
        if auto.outcome == Outcome::Failed {
            view.overrule = Some(auto.overrule);
        }
        if auto.outcome != Outcome::Failed || auto.overrule != Overrule::Never {
            fill(&mut view);
        }
        views.push(view);
    }
    let needed = human_lines(request.application());
    for code in LineCode::ALL.into_iter().filter(|code| !code.is_automatic()) {
        if needed.contains(&code) || sheet.line(code).filter(told).is_some() {
            let mut view = blank(code);
            fill(&mut view);
            views.push(view);
        }
    }
    views
}

/// Whether what the officers wrote on the current revision was decided on: until then it is working
/// notes, also on a request that its applicant took back meanwhile.
fn is_decided(request: &Request) -> bool {
    !matches!(request.state(), State::Draft | State::Submitted | State::Assigned | State::Withdrawn)
}

/// What other parties were asked.
fn questions(request: &Request, sees: Sees) -> Vec<QuestionView> {
    let asked = request.questions().iter().filter(|_| sees.is_officer());
    let mut views: Vec<_> = asked.map(|question| QuestionView::of(question, sees)).collect();
    if let Some(last) = views.last_mut() {
        last.open = request.stage().phase() == Phase::Consulting;
    }
    views
}

/// The approval in force.
fn approval(request: &Request, sees: Sees) -> Option<ApprovalView> {
    let approval = request.approval()?;
    Some(ApprovalView {
        by: sees.officer(&approval.by),
        at: rfc3339(approval.by.at),
        revision: approval.revision,
        candidate: approval.candidate.clone(),
        serial: approval.serial,
        second: approval.second.as_ref().map(|by| sees.officer(by)),
        waits_for_second: approval.awaits_second(),
    })
}

/// Why it was rejected, or why the promotion failed.
fn reason(request: &Request) -> Option<ReasonView> {
    match request.stage() {
        Stage::Rejected(stage) => {
            Some(ReasonView { code: stage.reason.as_str().to_owned(), note: stage.note.clone() })
        }
        Stage::PromotionFailed(stage) => {
            Some(ReasonView { code: stage.fault.step.clone(), note: stage.fault.found.clone() })
        }
        _ => None,
    }
}
