//! The lines of the check sheet: their codes, their verdicts, and a verdict as it is sent.

use serde::{Deserialize, Serialize};

use super::named::named;

//------------ LineCode ------------------------------------------------------

named! {
    /// A line of the sheet, in its order: `A` is computed, `M` is looked at by a person.
    pub enum LineCode {
        /// Class and pattern fit.
        A1 = "A1",
        /// Mechanical label rules.
        A2 = "A2",
        /// Reserved name.
        A3 = "A3",
        /// Free in zone, queue and quarantine.
        A4 = "A4",
        /// In the region or office list.
        A5 = "A5",
        /// Similar names.
        A6 = "A6",
        /// Address rules.
        A7 = "A7",
        /// CNAME suffix and takeover probe.
        A8 = "A8",
        /// Parent ownership.
        A9 = "A9",
        /// The candidate zone has no error findings.
        A10 = "A10",
        /// Mailbox proven.
        A11 = "A11",
        /// Letter: kop surat, nomor, tanggal, signature and stamp.
        M1 = "M1",
        /// The signer may speak for the office.
        M2 = "M2",
        /// Penanggung jawab named and reachable.
        M3 = "M3",
        /// The name fits the office and its official short form.
        M4 = "M4",
        /// Data match the letter.
        M5 = "M5",
        /// The purpose is official, the content owner known.
        M6 = "M6",
        /// Hosting ready, or a date it will be.
        M7 = "M7",
        /// Basis for a non-government body.
        M8 = "M8",
        /// End date and closing plan.
        M9 = "M9",
        /// Delegation or wildcard justified.
        M10 = "M10",
        /// What gapura asks for: the owner was contacted once more, and the ground still holds.
        M11 = "M11",
    }
}

impl LineCode {
    /// Whether gapura computes it.
    pub fn is_automatic(self) -> bool {
        self <= Self::A11
    }
}

//------------ LineVerdict ---------------------------------------------------

named! {
    /// *Sesuai, perlu perbaikan, tidak sesuai*; a line not looked at has none.
    pub enum LineVerdict {
        /// *Sesuai*.
        Ok = "ok",
        /// *Perlu perbaikan*.
        Fix = "fix",
        /// *Tidak sesuai*.
        Bad = "bad",
    }
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
