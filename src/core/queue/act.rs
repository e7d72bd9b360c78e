//! Reads acts from the bodies of calls (docs/api.md), and the reasons they carry.
//!
//! The acts themselves are made from the table of the [`procedure`](super::procedure). What gapura does
//! by itself (expiry, the outcome of a promotion, closing) is no act: those are functions of
//! [`Request`](super::Request) that no outside call reaches.

use super::named::named;
use super::procedure::{Act, ActKind};

//------------ Reading an act ------------------------------------------------

impl Act {
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

//------------ RejectReason --------------------------------------------------

named! {
    /// Why a request was rejected; the text is in the catalogue.
    pub enum RejectReason {
        /// The office has no say over such a name.
        NoAuthority = "bukan_kewenangan",
        /// The name breaks the naming rules.
        BreaksNamingRules = "nama_menyalahi_aturan",
        /// The name is in use.
        NameInUse = "nama_terpakai",
        /// The letter is not valid.
        InvalidLetter = "surat_tidak_sah",
        /// The purpose is not official.
        NotOfficial = "bukan_kepentingan_dinas",
        /// The target is not safe.
        UnsafeTarget = "tujuan_tidak_aman",
        /// The same name was requested twice.
        Duplicate = "rangkap",
        /// What gapura asked for does not hold: the name is in use.
        StillInUse = "masih_dipakai",
    }
}

impl RejectReason {
    /// Whether it fits what gapura asked for by itself, or what an office did.
    pub fn fits(self, raised: bool) -> bool {
        raised || self != Self::StillInUse
    }

    /// Reads a code as people type it: any case, spaces or hyphens for underscores.
    pub fn from_code(text: &str) -> Option<Self> {
        let code = text.trim().to_lowercase().replace([' ', '-'], "_");
        Self::from_name(&code)
    }
}
