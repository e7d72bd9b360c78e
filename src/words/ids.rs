//! From the types of the procedure to message ids.
//!
//! States, kinds, acts and lines go through exhaustive matches: a new one without words does not
//! compile. Rules are many and named one by one in `queue`; their id is their own name, and a test
//! walks all of them through both catalogues.

use super::catalogue::{Lang, Words};
use crate::queue::{
    Deed, Fault, FaultCode, Kind, LineCode, LineVerdict, LiveState, NamingClass, NoticeState,
    Outcome, RejectReason, Role, Rule, State,
};

/// A type that has words.
pub trait Said {
    /// Its message id.
    fn id(&self) -> String;

    /// Its words.
    fn say(&self, words: Words) -> String {
        words.s(&self.id())
    }
}

impl Said for State {
    fn id(&self) -> String {
        let word = match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Assigned => "assigned",
            Self::NeedsCorrection => "needs-correction",
            Self::Verified => "verified",
            Self::Live => "live",
            Self::PromotionFailed => "promotion-failed",
            Self::Notified => "notified",
            Self::Closed => "closed",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        };
        format!("state-{word}")
    }
}

impl Said for Kind {
    fn id(&self) -> String {
        let word = match self {
            Self::New => "new",
            Self::Change => "change",
            Self::Suspend => "suspend",
            Self::Remove => "remove",
        };
        format!("kind-{word}")
    }
}

impl Said for NamingClass {
    fn id(&self) -> String {
        let word = match self {
            Self::PerangkatDaerah => "perangkat-daerah",
            Self::Kecamatan => "kecamatan",
            Self::Kelurahan => "kelurahan",
            Self::Desa => "desa",
            Self::Layanan => "layanan",
            Self::Uptd => "uptd",
            Self::Kegiatan => "kegiatan",
            Self::Ormas => "ormas",
        };
        format!("class-{word}")
    }
}

impl Said for LineVerdict {
    fn id(&self) -> String {
        let word = match self {
            Self::Ok => "ok",
            Self::Fix => "fix",
            Self::Bad => "bad",
        };
        format!("verdict-{word}")
    }
}

impl Said for Outcome {
    fn id(&self) -> String {
        let word = match self {
            Self::Pass => "pass",
            Self::Shown => "shown",
            Self::Unchecked => "unchecked",
            Self::Failed => "failed",
        };
        format!("outcome-{word}")
    }
}

impl Said for RejectReason {
    fn id(&self) -> String {
        let word = match self {
            Self::BukanKewenangan => "bukan-kewenangan",
            Self::NamaMenyalahiAturan => "nama-menyalahi-aturan",
            Self::NamaTerpakai => "nama-terpakai",
            Self::SuratTidakSah => "surat-tidak-sah",
            Self::BukanKepentinganDinas => "bukan-kepentingan-dinas",
            Self::TujuanTidakAman => "tujuan-tidak-aman",
            Self::Rangkap => "rangkap",
        };
        format!("reason-{word}")
    }
}

impl Said for LiveState {
    fn id(&self) -> String {
        let word = match self {
            Self::Free => "free",
            Self::Held => "held",
            Self::Live => "live",
            Self::Reconfirming => "reconfirming",
            Self::Suspended => "suspended",
            Self::Removed => "removed",
            Self::Quarantined => "quarantined",
        };
        format!("live-{word}")
    }
}

impl Said for NoticeState {
    fn id(&self) -> String {
        let word = match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Handled => "handled",
        };
        format!("notice-{word}")
    }
}

impl Said for Role {
    fn id(&self) -> String {
        let word = match self {
            Self::Applicant => "applicant",
            Self::Head => "kabid",
            Self::Verifier => "kasi",
            Self::Operator => "admin",
            Self::Auditor => "auditor",
            Self::System => "system",
        };
        format!("role-{word}")
    }
}

impl Said for FaultCode {
    fn id(&self) -> String {
        let word = match self {
            Self::WrongState => "wrong-state",
            Self::NotAllowed => "not-allowed",
            Self::SamePerson => "same-person",
            Self::Incomplete => "incomplete",
            Self::Stale => "stale",
            Self::NameRule => "name-rule",
            Self::NameTaken => "name-taken",
            Self::TargetRefused => "target-refused",
            Self::Reserved => "reserved",
        };
        format!("code-{word}")
    }
}

impl Said for LineCode {
    fn id(&self) -> String {
        format!("line-{}", self.as_str().to_lowercase())
    }
}

impl Said for Deed {
    fn id(&self) -> String {
        format!("act-{}", self.as_str().replace('_', "-"))
    }
}

impl Said for Rule {
    fn id(&self) -> String {
        let mut id = "rule".to_owned();
        for c in format!("{self:?}").chars() {
            if c.is_ascii_uppercase() {
                id.push('-');
            }
            id.push(c.to_ascii_lowercase());
        }
        id
    }
}

impl Fault {
    /// What the fault is about, as far as it is data and no sentence: the rules' own explanations
    /// are English and stand in the JSON only.
    fn about_in(&self, words: Words) -> &str {
        match self.rule {
            Rule::SpecialAddress => self.about.split(',').next().unwrap_or_default(),
            Rule::LineNotChecked | Rule::LineNotOk | Rule::LineNeverOverruled => "",
            Rule::NoteNeeded | Rule::ClassOff => "",
            Rule::ReservedName if words.lang() == Lang::Id => "",
            _ => self.about.trim(),
        }
    }
}

impl Said for Fault {
    fn id(&self) -> String {
        self.rule.id()
    }

    fn say(&self, words: Words) -> String {
        let text = self.rule.say(words);
        let about = self.about_in(words);
        if about.is_empty() {
            return text;
        }
        words.with("rule-about", &[("text", &text), ("about", about)])
    }
}
