//! The parts of a request's view.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Sees, rfc3339};
use crate::queue::{
    Application, Disposition, Fault, FaultCode, LineCode, LineVerdict, Notice, NoticeState,
    Outcome, Overrule, Question, RequestedRecord, Role, Rule, State,
};

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
    /// When.
    #[schema(format = DateTime)]
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

/// A routing slip (*disposisi*).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct DispositionView {
    /// The head's account name.
    pub from: String,
    /// The verifier's account name.
    pub to: String,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// What to do.
    pub instruction: String,
}

impl DispositionView {
    /// The view of a slip; none for the applicant.
    pub(super) fn of(slip: &Disposition, sees: Sees) -> Option<Self> {
        sees.is_officer().then(|| Self {
            from: sees.officer(&slip.from),
            to: sees.officer(&slip.to),
            at: rfc3339(slip.from.at),
            instruction: slip.instruction.clone(),
        })
    }
}

/// What another party was asked.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct QuestionView {
    /// Who was asked.
    pub party: String,
    /// Its mailbox, for those who see contacts.
    pub email: Option<String>,
    /// When.
    #[schema(format = DateTime)]
    pub asked: String,
    /// Whether its answer is awaited now.
    pub open: bool,
    /// When it lapses without an answer; only while it is open.
    #[schema(format = DateTime)]
    pub until: Option<String>,
    /// What it said.
    pub agreed: Option<bool>,
    /// The number of its letter.
    pub letter: String,
}

impl QuestionView {
    /// The view of a question that is not open.
    pub(super) fn of(question: &Question, sees: Sees) -> Self {
        Self {
            party: question.party.clone(),
            email: sees.mailbox(&question.email),
            asked: rfc3339(question.asked.at),
            open: false,
            until: None,
            agreed: question.agreed,
            letter: question.letter.clone(),
        }
    }
}

/// A field that the current revision changed.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct RevisedView {
    /// The field, as the data of a request name it.
    pub field: String,
    /// What stood there before, as text; empty for the letter.
    pub before: String,
}

impl RevisedView {
    /// What changed from one revision to the next, as somebody may see it.
    pub fn all(old: &Application, new: &Application, sees: Sees) -> Vec<Self> {
        let fields = crate::queue::fields::changed(old, new).into_iter();
        let view = |field: &str| Self { field: field.to_owned(), before: before(old, field, sees) };
        fields.map(view).collect()
    }
}

/// What a field was, as text.
fn before(old: &Application, field: &str, sees: Sees) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    match field {
        "class" => old.class.to_string(),
        "name" => old.name.clone(),
        "office" => old.office.clone(),
        "purpose" => old.purpose.clone(),
        "region" => text(&old.region),
        "starts" => text(&old.starts),
        "ends" => text(&old.ends),
        "hosting_by" => text(&old.hosting_by),
        "exception" => text(&old.exception),
        "records" => {
            let line = |it: &RequestedRecord| format!("{} {}", it.rtype, it.data);
            old.records.iter().map(line).collect::<Vec<_>>().join("\n")
        }
        "letter" => format!("{}, {}", old.letter.number, old.letter.date),
        "contact" => sees
            .contact(&old.contact)
            .map_or_else(String::new, |it| [it.name, it.position, it.email, it.phone].join("\n")),
        _ => String::new(),
    }
}

/// The approval in force.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ApprovalView {
    /// The verifier's account name, or the role for the applicant.
    pub by: String,
    /// When.
    #[schema(format = DateTime)]
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

/// The proof that a name is live.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ProofView {
    /// The answer before.
    pub before: Option<ObservationView>,
    /// The answer after.
    pub after: Option<ObservationView>,
    /// The serial that brought it.
    pub serial: u32,
    /// Every question that was asked.
    pub asked: Vec<ObservationView>,
    /// The command that repeats it.
    pub dig: String,
    /// The zone's secondaries, as they answered within a moment.
    #[serde(default)]
    pub secondaries: Vec<SecondaryView>,
    /// Seconds for which an old "not found" may linger in caches, for pages.
    #[serde(skip)]
    pub lingers: u32,
}

/// A secondary, as it answered when the proof was kept.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct SecondaryView {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: String,
    /// The serial that it answered last; null: it did not answer with one.
    pub serial: Option<u32>,
    /// Whether it had the change in time for the proof. Later is no error.
    pub in_time: bool,
}

/// One question to one server.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ObservationView {
    /// Address and port.
    pub server: String,
    /// `udp` or `tcp`.
    pub transport: String,
    /// When.
    #[schema(format = DateTime)]
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
    /// When.
    #[schema(format = DateTime)]
    pub queued: String,
    /// When.
    #[schema(format = DateTime)]
    pub sent: Option<String>,
    /// What the relay said last, for officers.
    pub error: Option<String>,
}

/// One event of the request.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct HistoryView {
    /// Its place in the chain.
    pub sequence: i64,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// What was done: an act, or another step of the procedure.
    pub act: String,
    /// The role in force.
    #[schema(value_type = Role)]
    pub role: String,
    /// The account name, for officers.
    pub who: Option<String>,
    /// State before.
    #[schema(value_type = Option<State>)]
    pub before: Option<String>,
    /// State after.
    #[schema(value_type = Option<State>)]
    pub after: Option<String>,
    /// The revision.
    pub revision: u32,
    /// Facts without personal data.
    pub facts: BTreeMap<String, String>,
    /// Its hash in the chain.
    pub hash: String,
}

/// One change of a request or a name.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ChangeView {
    /// Its place in the chain of events.
    pub sequence: i64,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// What was done: an act, or another step of the procedure.
    pub act: String,
    /// The request it was done on, if it was one.
    pub request: Option<String>,
    /// The name it was done on, if it was one, absolute.
    pub name: Option<String>,
    /// State before: of a request, or of a name.
    pub before: Option<String>,
    /// State after.
    pub after: Option<String>,
    /// The revision of the request; 0 for a name.
    pub revision: u32,
}

impl NoticeView {
    /// The view of a notice.
    pub fn of(notice: &Notice, sees: Sees) -> Self {
        Self {
            id: notice.id.clone(),
            about: notice.deed.as_str().to_owned(),
            state: notice.state(),
            to_applicant: notice.to_applicant(),
            to: sees.mailbox(&notice.to),
            queued: rfc3339(notice.queued_at),
            sent: notice.sent_at.map(rfc3339),
            error: notice.last_error.as_deref().and_then(|error| sees.mailbox(error)),
        }
    }
}
