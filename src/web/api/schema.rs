//! What the words of the procedure mean, for the OpenAPI document; their schemas are in `schema`, which knows no catalogue.

use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use super::kinds::ProblemKind;
use crate::queue::{
    ActKind, FaultCode, Ground, Kind, LineCode, LineVerdict, LiveState, NamingClass, NoticeState,
    Origin, Outcome, Overrule, PaperKind, Phase, RejectReason, Role, Rule, State, Way,
};
use crate::words::{Lang, Said, Words};

/// What each word of the procedure means.
macro_rules! words {
    ($($name:ident: $about:literal $meaning:expr,)*) => {
        /// Adds to the schema of each list of words what they mean.
        pub(super) fn explain(document: &mut Value) {
            let schemas = &mut document["components"]["schemas"];
            $({
                let meaning: fn($name) -> String = $meaning;
                let lines = $name::ALL.map(|it| format!("- `{it}`: {}", meaning(it)));
                let about = format!("{}\n\n{}", $about, lines.join("\n"));
                schemas[&*$name::name()]["description"] = about.into();
            })*
        }
    };
}

/// The English words of the catalogue.
fn said<T: Said>(it: T) -> String {
    it.say(Words::of(Lang::En))
}

/// What a phase is.
fn phase(phase: Phase) -> String {
    let text = match phase {
        Phase::Draft => "being filled in",
        Phase::Submitted => "waits for the kabid to route it",
        Phase::Assigned => "with a kasi",
        Phase::Consulting => "with a kasi, while another party is asked to agree",
        Phase::NeedsCorrection => "with the applicant",
        Phase::Scheduled => "approved; the start time lies ahead",
        Phase::Verified => "approved; nothing is missing",
        Phase::AwaitsSecond => "approved; the kabid's second signature is missing",
        Phase::Promoting => "committed to the zone and not read back yet",
        Phase::PromotionFailed => "the promotion did not succeed",
        Phase::Live => "in the zone; the applicant has not been told yet",
        Phase::Notified => "in the zone, and the applicant knows",
        Phase::Closed => "entered in a monthly report",
        Phase::Rejected => "turned down; the applicant has not been told yet",
        Phase::RejectedNotified => "turned down, and the applicant knows",
        Phase::Withdrawn => "taken back",
        Phase::Expired => "not corrected in time",
    };
    text.to_owned()
}

words! {
    FaultCode: "The stable code of a fault." |it| ProblemKind::of_fault(it).title().to_owned(),
    Kind: "What a request does to a name." said,
    LineCode: "A line of the check sheet: `A` is computed, `M` is looked at by a person." said,
    LineVerdict: "An officer's verdict on a line; a line not looked at has none." said,
    LiveState: "The state of a name." |it| match it {
        LiveState::Free => "nobody has it".to_owned(),
        LiveState::Held => "kept for a request that is under way".to_owned(),
        LiveState::Live => "in the zone".to_owned(),
        LiveState::Reconfirming => "in the zone; its owner is asked whether it is still needed".to_owned(),
        LiveState::Suspended => "out of the zone; its owner keeps it".to_owned(),
        LiveState::Removed => "taken out for good".to_owned(),
        LiveState::Quarantined => "rests; only its former owner may ask for it".to_owned(),
    },
    NamingClass: "Which naming pattern applies." |it| {
        let hint = Words::of(Lang::En).s(&format!("{}-hint", it.id()));
        format!("{}. {hint}", said(it))
    },
    NoticeState: "The state of a notice." said,
    Origin: "Where a live record comes from." |it| match it {
        Origin::Request => "a request went live".to_owned(),
        Origin::Import => "it stood in the zone before, and nobody asked for it here".to_owned(),
    },
    Outcome: "What an automatic line came to." said,
    Overrule: "How a failed automatic line may be passed over." |it| match it {
        Overrule::Never => "not at all".to_owned(),
        Overrule::Tick => "by the verdict `ok`".to_owned(),
        Overrule::Note => "by the verdict `ok` and a note".to_owned(),
        Overrule::SecondSignature => "by the verdict `ok`, a note, and the kabid's signature".to_owned(),
    },
    Ground: "Why gapura asks for something by itself, or took a name out." said,
    PaperKind: "A kind of paper." said,
    Phase: "A state, split where somebody else has to act." phase,
    RejectReason: "Why a request is rejected." said,
    Role: "What a person may do. No role can set a state by hand." said,
    Rule: "Every single rule a request can break." |it| it.text().to_owned(),
    State: "The state of a request." |it| Words::of(Lang::En).s(&format!("{}-line", it.id())),
    Way: "By which way the records of a name changed." said,
    ActKind: "An act on a request." |it| it.about().to_owned(),
}

/// The content of a file, for the document.
pub(super) struct File;

impl PartialSchema for File {
    fn schema() -> RefOr<Schema> {
        let schema = ObjectBuilder::new().schema_type(Type::String);
        let binary = SchemaFormat::KnownFormat(KnownFormat::Binary);
        schema.format(Some(binary)).description(Some("The content of a file.")).build().into()
    }
}

impl ToSchema for File {}

#[cfg(test)]
mod tests {
    #[test]
    fn every_list_of_words_says_what_they_mean() {
        let document = crate::web::api::describe("https://dns.example");
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            let is_explained = schema.get("enum").is_none() || schema.get("description").is_some();
            let is_listed = schema.as_object().unwrap().keys().ne(["description"]);
            assert!(is_explained && is_listed, "{name}");
        }
    }
}
