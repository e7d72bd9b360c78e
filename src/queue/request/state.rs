//! The twelve states by name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The state of a request, as people and programs name it.
#[derive(
    Clone,
    Copy,
    Debug,
    Deserialize,
    Eq,
    Hash,
    Ord,
    PartialEq,
    PartialOrd,
    Serialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// DRAF; lives on the pages only.
    Draft,
    /// DIAJUKAN.
    Submitted,
    /// DIDISPOSISI.
    Assigned,
    /// PERLU_PERBAIKAN.
    NeedsCorrection,
    /// TERVERIFIKASI.
    Verified,
    /// TAYANG.
    Live,
    /// GAGAL_TAYANG.
    PromotionFailed,
    /// DIBERITAHUKAN.
    Notified,
    /// SELESAI.
    Closed,
    /// DITOLAK.
    Rejected,
    /// DITARIK.
    Withdrawn,
    /// KEDALUWARSA.
    Expired,
}

impl State {
    /// All states.
    pub const ALL: [Self; 12] = [
        Self::Draft,
        Self::Submitted,
        Self::Assigned,
        Self::NeedsCorrection,
        Self::Verified,
        Self::Live,
        Self::PromotionFailed,
        Self::Notified,
        Self::Closed,
        Self::Rejected,
        Self::Withdrawn,
        Self::Expired,
    ];

    /// The JSON name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Submitted => "submitted",
            Self::Assigned => "assigned",
            Self::NeedsCorrection => "needs_correction",
            Self::Verified => "verified",
            Self::Live => "live",
            Self::PromotionFailed => "promotion_failed",
            Self::Notified => "notified",
            Self::Closed => "closed",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }

    /// The state of that JSON name.
    pub fn from_name(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// Whether the request still works towards a decision or a promotion.
    pub fn is_open(self) -> bool {
        matches!(
            self,
            Self::Submitted
                | Self::Assigned
                | Self::NeedsCorrection
                | Self::Verified
                | Self::PromotionFailed
        )
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
