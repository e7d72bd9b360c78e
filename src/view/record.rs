//! A live record as others see it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rfc3339;
use crate::queue::{Ground, LiveRecord, LiveState, NamingClass, Origin, RequestedRecord};

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
    /// The request whose contact answers for it, where that is newer than `request`.
    #[serde(skip)]
    pub contact_request: Option<String>,
    /// What is promised.
    pub records: Vec<RequestedRecord>,
    /// Since when it is so.
    #[schema(format = DateTime)]
    pub since: Option<String>,
    /// When the name is taken out again.
    #[schema(format = DateTime)]
    pub ends: Option<String>,
    /// Raised by each change.
    pub version: u32,
    /// Why it is out of the zone.
    pub suspension: Option<SuspensionView>,
    /// Why the public list does not show it; `null` if it does.
    #[serde(default)]
    pub unlisted: Option<String>,
    /// When its owner confirmed it last, RFC 3339.
    #[serde(default)]
    pub confirmed: Option<String>,
    /// When its owner is asked next whether it is still needed, RFC 3339; where one name is shown.
    #[serde(default)]
    pub next_question: Option<String>,
    /// The yearly question to its owner, while it is open.
    #[serde(default)]
    pub question: Option<YearlyQuestionView>,
}

impl RecordView {
    /// What its owner may see: no officer, and nothing that officers wrote for each other.
    pub fn for_owner(self) -> Self {
        let suspension = self.suspension.map(|it| SuspensionView {
            by: String::new(),
            reason: String::new(),
            confirmed: None,
            ..it
        });
        Self { suspension, unlisted: None, ..self }
    }
}

/// The yearly question to the owner of a name.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct YearlyQuestionView {
    /// When it was asked, RFC 3339.
    pub asked: String,
    /// By when it is to be answered, RFC 3339.
    pub due: String,
    /// When the owner was reminded, RFC 3339.
    pub reminded: Option<String>,
    /// The request that gapura made, because nobody answered or the name is not needed.
    pub request: Option<String>,
}

/// Why a name is out of the zone.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct SuspensionView {
    /// The officer's account name.
    pub by: String,
    /// When.
    #[schema(format = DateTime)]
    pub at: String,
    /// Why.
    pub reason: String,
    /// Whether one officer did it alone.
    pub emergency: bool,
    /// Who agreed.
    pub confirmed: Option<String>,
    /// By when the other must agree.
    #[schema(format = DateTime)]
    pub confirm_by: Option<String>,
    /// What was behind it, where it was the clock and not a person.
    #[serde(default)]
    pub cause: Option<Ground>,
    /// When gapura asks for the removal, RFC 3339.
    #[serde(default)]
    pub remove_at: Option<String>,
    /// The removal that gapura asked for.
    #[serde(default)]
    pub removal: Option<String>,
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
            cause: s.cause,
            remove_at: s.remove_at.map(rfc3339),
            removal: s.removal.clone(),
        });
        let question = record.question.as_ref().map(|question| YearlyQuestionView {
            asked: rfc3339(question.asked),
            due: rfc3339(question.due),
            reminded: question.reminded.map(rfc3339),
            request: question.request.clone(),
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
            contact_request: record.contact_request().map(str::to_owned),
            records: record.records.iter().map(|record| record.text().clone()).collect(),
            since: record.since.map(rfc3339),
            ends: record.ends.map(rfc3339),
            version: record.version,
            suspension,
            unlisted: record.unlisted.clone(),
            confirmed: record.confirmed.map(rfc3339),
            next_question: None,
            question,
        }
    }
}
