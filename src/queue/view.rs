//! A request as others see it: the JSON of approval.md §11, built from the request alone.
//!
//! What other rooms know (candidate, proof, notices, history) is laid in by `desk`. No field is ever
//! renamed; more may be added.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

use super::application::{Contact, Kind, Letter, NamingClass, RequestedRecord};
use super::calendar::Calendar;
use super::fault::{Fault, FaultCode, Rule};
use super::live::{LiveRecord, LiveState, Origin};
use super::notice::{Notice, NoticeState};
use super::person::Role;
use super::request::{Request, Stage, State};
use super::rules::Rules;
use super::sheet::{LineCode, LineVerdict, Outcome, Overrule, Sheet, human_lines};

/// Epoch milliseconds as RFC 3339 in UTC.
pub fn rfc3339(at: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000);
    let whole =
        moment.map(|moment| moment.replace_nanosecond(moment.nanosecond() / 1_000_000 * 1_000_000));
    whole.ok().and_then(Result::ok).and_then(|m| m.format(&Rfc3339).ok()).unwrap_or_default()
}

/// Who looks: decides what is shown of persons (§7).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sees {
    /// Kabid and kasi: everything.
    All,
    /// Admin and auditor: that a contact exists, not who it is.
    NoContact,
    /// The applicant: their own contact, officers by their office only.
    Applicant,
}

//------------ RequestView ---------------------------------------------------

/// `GET /requests/{number}`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct RequestView {
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
    /// The records asked for.
    pub records: Vec<RequestedRecord>,
    /// The office that asks.
    pub office: String,
    /// Its region code.
    pub region: Option<String>,
    /// What it is for.
    pub purpose: String,
    /// The person responsible; `null` for those who may not see who it is.
    pub contact: Option<Contact>,
    /// The letter.
    pub letter: Letter,
    /// *berlaku mulai*.
    pub starts: Option<String>,
    /// *berlaku sampai*.
    pub ends: Option<String>,
    /// Why a reserved name or another pattern is asked for.
    pub exception: Option<String>,
    /// For a suspension: whether the suspended RRsets are put back.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lift: bool,
    /// For a rollback: the request whose change is taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inverse_of: Option<String>,
    /// Whether the mailbox is proven.
    pub mailbox_proven: bool,
    /// RFC 3339.
    pub submitted: String,
    /// RFC 3339.
    pub changed: String,
    /// Account name of the verifier who holds it; for the applicant the role.
    pub holder: Option<String>,
    /// Whose turn it is.
    pub holder_role: Option<Role>,
    /// The running or paused step of the SOP, 2 to 5.
    pub step: Option<u8>,
    /// When the running step is due, RFC 3339.
    pub due: Option<String>,
    /// Working minutes left to the step; negative when late.
    pub left_minutes: Option<i64>,
    /// Whether the running step is late.
    pub late: bool,
    /// The candidate zone as it would be built now.
    pub candidate: Option<CandidateView>,
    /// The check sheet.
    pub lines: Vec<LineView>,
    /// What stands in the way of approval, while it is with a verifier.
    pub missing: Vec<FaultView>,
    /// Why a second signature is needed; empty when one is enough.
    pub second_signature: Vec<String>,
    /// The approval in force.
    pub approval: Option<ApprovalView>,
    /// Why it was turned down, or why the promotion failed.
    pub reason: Option<ReasonView>,
    /// The proof, once it is live.
    pub proof: Option<ProofView>,
    /// What was sent to whom, without addresses for the applicant.
    pub notices: Vec<NoticeView>,
    /// Its events, oldest first.
    pub history: Vec<HistoryView>,
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
    /// The office that asks.
    pub office: String,
    /// Account name of the verifier who holds it.
    pub holder: Option<String>,
    /// Whose turn it is.
    pub holder_role: Option<Role>,
    /// The running or paused step of the SOP.
    pub step: Option<u8>,
    /// When the running step is due, RFC 3339.
    pub due: Option<String>,
    /// Working minutes left; negative when late.
    pub left_minutes: Option<i64>,
    /// Whether the running step is late.
    pub late: bool,
    /// RFC 3339.
    pub submitted: String,
    /// RFC 3339.
    pub changed: String,
}

//------------ Its parts -----------------------------------------------------

/// The candidate zone.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct CandidateView {
    /// What `approve` must name.
    pub hash: String,
    /// The serial it was built on.
    pub serial: u32,
    /// Records that go, as master file text.
    pub removed: Vec<String>,
    /// Records that come, as master file text.
    pub added: Vec<String>,
    /// Findings it adds, as text.
    pub findings: Vec<String>,
}

/// One line of the check sheet.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct LineView {
    /// Which line.
    pub code: LineCode,
    /// `ok`, `fix`, `bad`, or `null` when nobody looked at it.
    pub verdict: Option<LineVerdict>,
    /// The note.
    pub note: Option<String>,
    /// The officer's account name.
    pub who: Option<String>,
    /// RFC 3339.
    pub when: Option<String>,
    /// The revision looked at.
    pub revision: Option<u32>,
    /// Whether gapura computes it.
    pub automatic: bool,
    /// What came out of an automatic line.
    pub outcome: Option<Outcome>,
    /// How a failed automatic line may be passed over.
    pub overrule: Option<Overrule>,
    /// What was found.
    pub faults: Vec<FaultView>,
}

/// One fault, as in problem details.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct FaultView {
    /// The field or line.
    pub field: String,
    /// The sort.
    pub code: FaultCode,
    /// The rule.
    pub rule: Rule,
    /// English text.
    pub detail: String,
    /// What it is about.
    pub about: String,
}

impl From<&Fault> for FaultView {
    fn from(fault: &Fault) -> Self {
        Self {
            field: fault.field.clone(),
            code: fault.code,
            rule: fault.rule,
            detail: fault.detail(),
            about: fault.about.clone(),
        }
    }
}

/// The approval in force.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ApprovalView {
    /// The verifier's account name, or the role for the applicant.
    pub by: String,
    /// RFC 3339.
    pub at: String,
    /// The revision.
    pub revision: u32,
    /// The candidate hash.
    pub candidate: String,
    /// The serial seen.
    pub serial: u32,
    /// Who signed second.
    pub second: Option<String>,
    /// Whether the second signature is still missing.
    pub waits_for_second: bool,
}

/// Why it ended or failed.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ReasonView {
    /// The code of the reject reason, or the failing step of the promotion.
    pub code: String,
    /// The note, or what was found instead.
    pub note: String,
}

/// The proof that a name is live (§6).
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ProofView {
    /// The answer before.
    pub before: Option<AskedView>,
    /// The answer after.
    pub after: Option<AskedView>,
    /// The serial that brought it.
    pub serial: u32,
    /// Every question that was asked.
    pub asked: Vec<AskedView>,
    /// The command that repeats it.
    pub dig: String,
}

/// One question to one server.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct AskedView {
    /// Address and port.
    pub server: String,
    /// `udp` or `tcp`.
    pub transport: String,
    /// RFC 3339.
    pub at: String,
    /// What was asked, `NAME TYPE`.
    #[serde(default)]
    pub question: String,
    /// The response code's mnemonic.
    pub rcode: String,
    /// The answer section as text.
    pub answer: Vec<String>,
    /// SHA-256 of the response as received, in hexadecimal.
    pub sha256: String,
}

/// One notice.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct NoticeView {
    /// Its id.
    pub id: String,
    /// The event it tells of.
    pub about: String,
    /// Its state.
    pub state: NoticeState,
    /// Whether it goes to the applicant.
    pub to_applicant: bool,
    /// The mailbox, for officers.
    pub to: Option<String>,
    /// RFC 3339.
    pub queued: String,
    /// RFC 3339.
    pub sent: Option<String>,
    /// What the relay said last, for officers.
    pub error: Option<String>,
}

/// One event of the request.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct HistoryView {
    /// Its place in the chain.
    pub sequence: i64,
    /// RFC 3339.
    pub at: String,
    /// What was done.
    pub act: String,
    /// The role in force.
    pub role: String,
    /// The account name, for officers.
    pub who: Option<String>,
    /// State before.
    pub before: Option<String>,
    /// State after.
    pub after: Option<String>,
    /// The revision.
    pub revision: u32,
    /// Facts without personal data.
    pub facts: BTreeMap<String, String>,
    /// Its hash in the chain.
    pub hash: String,
}

/// One live record of `GET /records`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct RecordView {
    /// The absolute name.
    pub name: String,
    /// The zone.
    pub zone: String,
    /// Its state.
    pub state: LiveState,
    /// The office that owns it.
    pub office: String,
    /// The class.
    pub class: Option<NamingClass>,
    /// The region code.
    pub region: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// The request that made it so.
    pub request: Option<String>,
    /// What is promised.
    pub records: Vec<RequestedRecord>,
    /// RFC 3339.
    pub since: Option<String>,
    /// RFC 3339.
    pub ends: Option<String>,
    /// Raised by each change.
    pub version: u32,
    /// Why it is out of the zone.
    pub suspension: Option<SuspensionView>,
}

/// Why a name is out of the zone.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct SuspensionView {
    /// The officer's account name.
    pub by: String,
    /// RFC 3339.
    pub at: String,
    /// Why.
    pub reason: String,
    /// Whether one officer did it alone.
    pub emergency: bool,
    /// Who agreed.
    pub confirmed: Option<String>,
    /// By when the other must agree, RFC 3339.
    pub confirm_by: Option<String>,
}

//------------ Building ------------------------------------------------------

impl RequestView {
    /// The view of a request, without what other rooms know.
    pub fn of(request: &Request, sees: Sees, now: i64, calendar: &Calendar, rules: &Rules) -> Self {
        let row = Summary::of(request, sees, now, calendar, rules);
        let application = request.application();
        let in_hand = request.state() == State::Assigned && sees != Sees::Applicant;
        let missing = if in_hand { request.sheet().missing(application) } else { Vec::new() };
        let second = request.sheet().second_signature(application);
        Self {
            number: row.number,
            state: row.state,
            revision: row.revision,
            kind: row.kind,
            class: row.class,
            name: row.name,
            zone: row.zone,
            records: application.records.clone(),
            office: row.office,
            region: application.region.clone(),
            purpose: application.purpose.clone(),
            contact: (sees != Sees::NoContact).then(|| application.contact.clone()),
            letter: application.letter.clone(),
            starts: application.starts.clone(),
            ends: application.ends.clone(),
            exception: application.exception.clone(),
            lift: application.lift,
            inverse_of: application.inverse_of.clone(),
            mailbox_proven: request.mailbox_proven(),
            submitted: row.submitted,
            changed: row.changed,
            holder: row.holder,
            holder_role: row.holder_role,
            step: row.step,
            due: row.due,
            left_minutes: row.left_minutes,
            late: row.late,
            candidate: None,
            lines: lines(request.sheet(), request, sees),
            missing: missing.iter().map(FaultView::from).collect(),
            second_signature: second.iter().map(|reason| reason.code()).collect(),
            approval: approval(request, sees),
            reason: reason(request),
            proof: None,
            notices: Vec::new(),
            history: Vec::new(),
        }
    }
}

impl Summary {
    /// The row of a request.
    pub fn of(request: &Request, sees: Sees, now: i64, calendar: &Calendar, rules: &Rules) -> Self {
        let application = request.application();
        let clocks = request.clocks();
        let role = turn(request.state());
        let holder = match sees {
            Sees::Applicant => role.map(|role| role.as_str().to_owned()),
            _ => request.holder().map(|holder| holder.name.clone()),
        };
        let left = clocks.left(now, calendar, rules);
        Self {
            number: request.number().to_owned(),
            state: request.state(),
            revision: request.revision(),
            kind: application.kind,
            class: application.class,
            name: application.name.clone(),
            zone: application.zone.clone(),
            office: application.office.clone(),
            holder,
            holder_role: role,
            step: clocks
                .running()
                .or_else(|| clocks.paused())
                .map(super::clocks::ClockStep::number),
            due: request.due(calendar, rules).map(rfc3339),
            left_minutes: left.map(|left| left.div_euclid(super::rules::MINUTE_MS)),
            late: clocks.is_late(now, calendar, rules),
            submitted: rfc3339(request.submitted_at()),
            changed: rfc3339(request.changed_at()),
        }
    }
}

/// Whose turn it is.
fn turn(state: State) -> Option<Role> {
    match state {
        State::Submitted => Some(Role::Head),
        State::Assigned | State::Verified | State::PromotionFailed => Some(Role::Verifier),
        State::Draft | State::NeedsCorrection => Some(Role::Applicant),
        _ => None,
    }
}

/// The sheet: automatic lines first, then the human ones that are needed or written.
fn lines(sheet: &Sheet, request: &Request, sees: Sees) -> Vec<LineView> {
    let mut views = Vec::new();
    let who = |name: &str| match sees {
        Sees::Applicant => Role::Verifier.as_str().to_owned(),
        _ => name.to_owned(),
    };
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
    let fill = |view: &mut LineView| {
        if let Some(line) = sheet.line(view.code) {
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
        view.faults = auto.faults.iter().map(FaultView::from).collect();
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
    for code in LineCode::ALL.iter().filter(|code| !code.is_automatic()) {
        if needed.contains(code) || sheet.line(*code).is_some() {
            let mut view = blank(*code);
            fill(&mut view);
            views.push(view);
        }
    }
    views
}

/// The approval in force.
fn approval(request: &Request, sees: Sees) -> Option<ApprovalView> {
    let approval = request.approval()?;
    let name = |by: &super::person::Signature| match sees {
        Sees::Applicant => by.role.as_str().to_owned(),
        _ => by.name.clone(),
    };
    Some(ApprovalView {
        by: name(&approval.by),
        at: rfc3339(approval.by.at),
        revision: approval.revision,
        candidate: approval.candidate.clone(),
        serial: approval.serial,
        second: approval.second.as_ref().map(name),
        waits_for_second: approval.second_needed && approval.second.is_none(),
    })
}

/// Why it was turned down, or why the promotion failed.
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

impl From<&LiveRecord> for RecordView {
    fn from(record: &LiveRecord) -> Self {
        let suspension = record.suspension.as_ref().map(|s| SuspensionView {
            by: s.by.name.clone(),
            at: rfc3339(s.by.at),
            reason: s.reason.clone(),
            emergency: s.emergency,
            confirmed: s.confirmed.as_ref().map(|by| by.name.clone()),
            confirm_by: s.confirm_by.map(rfc3339),
        });
        Self {
            name: record.name.to_string(),
            zone: record.zone.to_string(),
            state: record.state(),
            office: record.office.clone(),
            class: record.class,
            region: record.region.clone(),
            origin: record.origin,
            request: record.request.clone(),
            records: record.records.iter().map(|record| record.text().clone()).collect(),
            since: record.since.map(rfc3339),
            ends: record.ends.map(rfc3339),
            version: record.version,
            suspension,
        }
    }
}

impl NoticeView {
    /// The view of a notice.
    pub fn of(notice: &Notice, sees: Sees) -> Self {
        let shown = sees == Sees::All;
        Self {
            id: notice.id.clone(),
            about: notice.deed.as_str().to_owned(),
            state: notice.state(),
            to_applicant: notice.to_applicant(),
            to: shown.then(|| notice.to.clone()),
            queued: rfc3339(notice.queued_at),
            sent: notice.sent_at.map(rfc3339),
            error: if shown { notice.last_error.clone() } else { None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(crate::queue::fixture::MONDAY_8), "2026-11-23T01:00:00Z");
        assert_eq!(rfc3339(1_500), "1970-01-01T00:00:01.5Z");
    }
}
