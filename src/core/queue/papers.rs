//! The kinds of papers (*naskah*) that the steps of the SOP end in, and their numbers.
//!
//! Which act makes which is a column of the [`procedure`](super::procedure). What a paper says and how
//! it looks is no matter of this room.

use super::named::named;
use super::time::month_and_year;

named! {
    /// A kind of paper.
    pub enum PaperKind {
        /// *Tanda terima permohonan*: what came in, and by when it will be decided.
        Receipt = "receipt",
        /// *Lembar disposisi*: the head's routing slip.
        Disposition = "disposition",
        /// *Lembar verifikasi*: the check sheet as it was decided on.
        Verification = "verification",
        /// *Laporan ke Kepala Bidang*: what was made live, with its proof.
        Report = "report",
        /// *Surat pemberitahuan*: the outcome, to the applicant.
        Notification = "notification",
        /// *Laporan kegiatan*: the report of a month.
        Activity = "activity",
    }
}

impl PaperKind {
    /// Its code in numbers.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Receipt => "TT",
            Self::Disposition => "LD",
            Self::Verification => "LV",
            Self::Report => "LP",
            Self::Notification => "SP",
            Self::Activity => "LK",
        }
    }

    /// Whether it is written to the applicant.
    pub const fn is_for_applicant(self) -> bool {
        matches!(self, Self::Receipt | Self::Notification)
    }

    /// Whether a newer one about the same request takes the place of an older one.
    pub const fn replaces(self) -> Replaces {
        match self {
            Self::Disposition => Replaces::Any,
            Self::Verification => Replaces::SameRevision,
            Self::Receipt | Self::Report | Self::Notification | Self::Activity => Replaces::Nothing,
        }
    }

    /// The number of the `serial`th of its kind in the year of `at`, in WIB.
    pub fn number(self, serial: i64, at: i64) -> String {
        let (month, year) = month_and_year(at);
        let month = ROMAN.get(usize::from(month).wrapping_sub(1)).copied().unwrap_or_default();
        format!("GPR/{}/{serial:04}/{month}/{year}", self.code())
    }
}

/// Which older paper of its kind a newer one takes the place of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Replaces {
    /// None: each is about an event of its own.
    Nothing,
    /// The one about the same revision of the request.
    SameRevision,
    /// Whichever is in force.
    Any,
}

/// The months as papers count them.
const ROMAN: [&str; 12] =
    ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_the_month_and_year_of_the_office() {
        // 31 December 2026, 23.59.59 and 24.00 WIB; in UTC both are in December.
        let last = 1_798_736_399_000;
        assert_eq!(PaperKind::Notification.number(12, last), "GPR/SP/0012/XII/2026");
        assert_eq!(PaperKind::Receipt.number(12_345, last + 1_000), "GPR/TT/12345/I/2027");
    }
}
