//! The twelve states by name.

use crate::queue::clocks::ClockStep;
use crate::queue::named::named;

named! {
    /// The state of a request, as people and programs name it.
    #[derive(Default)]
    pub enum State {
        /// DRAF; lives on the pages only.
        #[default]
        Draft = "draft",
        /// DIAJUKAN.
        Submitted = "submitted",
        /// DIDISPOSISI.
        Assigned = "assigned",
        /// PERLU_PERBAIKAN.
        NeedsCorrection = "needs_correction",
        /// TERVERIFIKASI.
        Verified = "verified",
        /// TAYANG.
        Live = "live",
        /// GAGAL_TAYANG.
        PromotionFailed = "promotion_failed",
        /// DIBERITAHUKAN.
        Notified = "notified",
        /// SELESAI.
        Closed = "closed",
        /// DITOLAK.
        Rejected = "rejected",
        /// DITARIK.
        Withdrawn = "withdrawn",
        /// KEDALUWARSA.
        Expired = "expired",
    }
}

impl State {
    /// The step of the SOP whose clock runs or is paused.
    pub fn clock_step(self) -> Option<ClockStep> {
        match self {
            Self::Submitted => Some(ClockStep::Route),
            Self::Assigned | Self::NeedsCorrection => Some(ClockStep::Check),
            Self::Verified | Self::PromotionFailed => Some(ClockStep::Make),
            Self::Live | Self::Rejected => Some(ClockStep::Notify),
            _ => None,
        }
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
