//! A paper as others see it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Sees, rfc3339};
use crate::queue::PaperKind;

/// One paper of a request.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct PaperView {
    /// Its id, in addresses.
    pub id: String,
    /// The request it is about; `null` for the report of a month.
    pub request: Option<String>,
    /// Its kind.
    pub kind: PaperKind,
    /// The number printed on it.
    pub number: String,
    /// The event it was made of.
    pub event: i64,
    /// When it was issued, RFC 3339.
    #[schema(format = DateTime)]
    pub issued: String,
    /// The revision of the request it is about.
    pub revision: u32,
    /// The name it is about.
    pub name: String,
    /// The code printed on it, in groups; `/periksa-naskah` knows it.
    pub code: String,
    /// SHA-256 of the PDF in hexadecimal; `null` until the file is made.
    pub sha256: Option<String>,
    /// Octets of the PDF.
    pub octets: Option<u64>,
    /// The number of the paper whose place it takes.
    pub supersedes: Option<String>,
    /// The number of the paper that took its place.
    pub superseded_by: Option<String>,
    /// The number the office gave it in its own agenda.
    pub office_number: Option<String>,
    /// Whether its file was deleted, with the personal data in it or after its time.
    pub deleted: bool,
}

/// What anybody may know of a paper by its code: no person is in it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct PaperCheck {
    /// Its kind.
    pub kind: PaperKind,
    /// The number printed on it.
    pub number: String,
    /// When it was issued, RFC 3339.
    pub issued: String,
    /// The name or the month it is about.
    pub name: String,
    /// SHA-256 of the PDF in hexadecimal; `null` until the file is made.
    pub sha256: Option<String>,
    /// Whether it is in force: no other took its place.
    pub valid: bool,
    /// The number of the paper that took its place.
    pub superseded_by: Option<String>,
}

impl Sees {
    /// Whether papers of a kind are shown: the applicant sees those that are written to them.
    pub fn paper(self, kind: PaperKind) -> bool {
        self.is_officer() || kind.is_for_applicant()
    }

    /// Whether what papers of a kind say is shown.
    pub fn reads_paper(self, kind: PaperKind) -> bool {
        match self {
            Self::All => true,
            Self::NoContact => matches!(kind, PaperKind::Activity),
            Self::Applicant => kind.is_for_applicant(),
        }
    }
}

impl PaperView {
    /// When it was issued, as views write times.
    pub fn at(ms: i64) -> String {
        rfc3339(ms)
    }
}
