//! The acts an officer or applicant can ask for, with the bodies of docs/api.md.
//!
//! What the system does by itself (expiry, the outcome of a promotion, closing) is no act: those are
//! functions of [`Request`](super::Request) that no outside call reaches.

use serde::{Deserialize, Serialize};

use super::labels::clean_text;
use super::named::named;
use super::sheet::{LineCode, LineVerdict};

//------------ ActKind -------------------------------------------------------

named! {
    /// The acts without their contents, in the order of the procedure.
    pub enum ActKind {
        /// *Disposisi*: the head routes the request to a verifier.
        Dispose = "dispose",
        /// *Alihkan*: the head gives it to another verifier.
        Reassign = "reassign",
        /// *Lepaskan*: the verifier gives it back to the head.
        Release = "release",
        /// *Minta konfirmasi*: another party is asked to agree.
        Consult = "ask",
        /// The party agrees.
        Confirm = "confirm",
        /// The party does not agree.
        Deny = "deny",
        /// *Kembalikan*: back to the applicant, with every fault at once.
        Return = "return",
        /// *Kirim perbaikan*: a new revision.
        Resubmit = "resubmit",
        /// *Simpan pemeriksaan*: saves lines of the check sheet, decides nothing.
        Check = "check",
        /// *Tolak*.
        Reject = "reject",
        /// *Setujui*.
        Approve = "approve",
        /// *Tanda tangan kedua*.
        Countersign = "countersign",
        /// *Periksa ulang*.
        Reopen = "reopen",
        /// *Tayangkan*.
        Promote = "promote",
        /// *Coba lagi*, after a failed promotion.
        Retry = "retry",
        /// *Tarik*.
        Withdraw = "withdraw",
        /// The notice was handed over by an officer.
        Notified = "notified",
    }
}

//------------ Act -----------------------------------------------------------

/// One press of a button. Whatever is left out is empty, so that the rules and not the reader say
/// what is missing, after state and person. `resubmit` carries its data in the facts, because it brings a file.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// *Disposisi*: the head routes the request to a verifier.
    Dispose {
        /// The account name of the kasi.
        #[serde(default)]
        to: String,
        /// What to do.
        #[serde(default)]
        instruction: String,
    },
    /// *Alihkan*: the head gives it to another verifier.
    Reassign {
        /// The account name of the kasi.
        #[serde(default)]
        to: String,
        /// Why.
        #[serde(default)]
        reason: String,
    },
    /// *Lepaskan*: the verifier gives it back to the head.
    Release {
        /// Why.
        #[serde(default)]
        reason: String,
    },
    /// *Minta konfirmasi*: another party must agree; the clock pauses.
    #[serde(rename = "ask")]
    Consult {
        /// Who: an office, the camat, a second holder.
        #[serde(default)]
        party: String,
        /// Where the link goes.
        #[serde(default)]
        email: String,
    },
    /// The party agrees.
    Confirm {
        /// Who.
        #[serde(default)]
        party: String,
        /// Their letter, when an officer keys it in.
        #[serde(default)]
        letter: String,
    },
    /// The party does not agree.
    Deny {
        /// Who.
        #[serde(default)]
        party: String,
        /// Their letter, when an officer keys it in.
        #[serde(default)]
        letter: String,
    },
    /// *Kembalikan*: all faults in one go.
    Return {
        /// At least one line that needs correction, each with a note.
        #[serde(default)]
        lines: Vec<LineInput>,
    },
    /// *Kirim perbaikan*: a new revision; its data is `Facts::amendment`.
    Resubmit {},
    /// *Simpan pemeriksaan*: saves lines, decides nothing.
    Check {
        /// The lines looked at so far.
        #[serde(default)]
        lines: Vec<LineInput>,
    },
    /// *Tolak*.
    Reject {
        /// The coded reason.
        #[serde(default)]
        reason: String,
        /// What the applicant reads.
        #[serde(default)]
        note: String,
        /// At least one line that does not fit.
        #[serde(default)]
        lines: Vec<LineInput>,
    },
    /// *Setujui*.
    Approve {
        /// The revision that was read; 0 counts as none.
        #[serde(default)]
        revision: u32,
        /// The candidate hash that was seen, in hexadecimal.
        #[serde(default)]
        candidate: String,
        /// The SOA serial that was seen; needed under `approval.bind = "serial"` only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        serial: Option<u32>,
        /// The human lines, and notes on automatic ones that may be overruled.
        #[serde(default)]
        lines: Vec<LineInput>,
    },
    /// *Tanda tangan kedua*, bound to the same hash.
    Countersign {
        /// The candidate hash that was seen.
        #[serde(default)]
        candidate: String,
    },
    /// *Periksa ulang*.
    Reopen {
        /// Why.
        #[serde(default)]
        reason: String,
    },
    /// *Tayangkan*.
    Promote {},
    /// *Coba lagi* after a failed promotion.
    Retry {},
    /// *Tarik*.
    Withdraw {
        /// The letter, when an officer keys it in.
        #[serde(default)]
        letter: String,
    },
    /// The notice was handed over by an officer.
    Notified {
        /// How.
        #[serde(default)]
        how: String,
    },
}

impl Act {
    /// Which act it is.
    pub fn kind(&self) -> ActKind {
        match self {
            Self::Dispose { .. } => ActKind::Dispose,
            Self::Reassign { .. } => ActKind::Reassign,
            Self::Release { .. } => ActKind::Release,
            Self::Consult { .. } => ActKind::Consult,
            Self::Confirm { .. } => ActKind::Confirm,
            Self::Deny { .. } => ActKind::Deny,
            Self::Return { .. } => ActKind::Return,
            Self::Resubmit {} => ActKind::Resubmit,
            Self::Check { .. } => ActKind::Check,
            Self::Reject { .. } => ActKind::Reject,
            Self::Approve { .. } => ActKind::Approve,
            Self::Countersign { .. } => ActKind::Countersign,
            Self::Reopen { .. } => ActKind::Reopen,
            Self::Promote {} => ActKind::Promote,
            Self::Retry {} => ActKind::Retry,
            Self::Withdraw { .. } => ActKind::Withdraw,
            Self::Notified { .. } => ActKind::Notified,
        }
    }

    /// The act with its free texts as they are kept: no number that may be a NIK, no control
    /// characters (docs/procedure.md, Personal data).
    pub fn cleaned(mut self) -> Self {
        match &mut self {
            Self::Dispose { instruction: text, .. }
            | Self::Reassign { reason: text, .. }
            | Self::Release { reason: text }
            | Self::Reopen { reason: text }
            | Self::Notified { how: text }
            | Self::Withdraw { letter: text }
            | Self::Confirm { letter: text, .. }
            | Self::Deny { letter: text, .. }
            | Self::Consult { party: text, .. } => *text = clean_text(text),
            Self::Reject { note, lines, .. } => {
                *note = clean_text(note);
                clean_notes(lines);
            }
            Self::Return { lines } | Self::Check { lines } | Self::Approve { lines, .. } => {
                clean_notes(lines);
            }
            Self::Resubmit {} | Self::Countersign { .. } | Self::Promote {} | Self::Retry {} => {}
        }
        self
    }

    /// Reads the body of `POST /requests/{number}/{name}`; no body counts as `{}`.
    pub fn from_body(name: &str, body: &[u8]) -> Result<Self, BodyError> {
        let kind = ActKind::from_name(name);
        let kind = kind.ok_or_else(|| BodyError::UnknownAct(name.to_owned()))?;
        let blank = body.iter().all(u8::is_ascii_whitespace);
        let fields = if blank { serde_json::Map::new() } else { serde_json::from_slice(body)? };
        Ok(Self::from_fields(kind, fields)?)
    }

    /// The act of a kind with its inputs by name.
    pub fn from_fields(
        kind: ActKind,
        mut fields: serde_json::Map<String, serde_json::Value>,
    ) -> Result<Self, serde_json::Error> {
        fields.insert("act".to_owned(), kind.as_str().into());
        serde_json::from_value(fields.into())
    }
}

/// Cleans the notes of lines.
fn clean_notes(lines: &mut [LineInput]) {
    for line in lines {
        line.note = line.note.take().map(|note| clean_text(&note));
    }
}

/// The call names no act, or its body cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// There is no such act.
    #[error("there is no act {0:?}")]
    UnknownAct(String),
    /// The body is not what the act takes.
    #[error("the body cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

//------------ LineInput -----------------------------------------------------

/// A verdict on one line of the check sheet, as sent.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct LineInput {
    /// Which line.
    pub code: LineCode,
    /// `null` is not looked at.
    #[serde(default)]
    pub verdict: Option<LineVerdict>,
    /// Required unless the verdict is `ok`.
    #[serde(default)]
    pub note: Option<String>,
}

//------------ RejectReason --------------------------------------------------

named! {
    /// Why a request was turned down; the text is in the catalogue.
    pub enum RejectReason {
        /// The office has no say over such a name.
        NoAuthority = "bukan_kewenangan",
        /// The name breaks the naming rules.
        BreaksNamingRules = "nama_menyalahi_aturan",
        /// The name is in use.
        NameInUse = "nama_terpakai",
        /// The letter is not valid.
        InvalidLetter = "surat_tidak_sah",
        /// It is no official matter.
        NotOfficial = "bukan_kepentingan_dinas",
        /// The target is not safe.
        UnsafeTarget = "tujuan_tidak_aman",
        /// The same was asked for twice.
        Duplicate = "rangkap",
    }
}

impl RejectReason {
    /// Reads the code as written by hand: any case, spaces or hyphens for underscores.
    pub fn from_code(text: &str) -> Option<Self> {
        let code = text.trim().to_lowercase().replace([' ', '-'], "_");
        Self::from_name(&code)
    }
}
