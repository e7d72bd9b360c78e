//! `[office]` and `[[hosting]]`: whose names these are, and where sites may be hosted.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// `[office]`
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Office {
    /// The government that the office belongs to, as in the first line of its letters.
    pub government: String,
    /// The office, as in the second line.
    pub name: String,
    /// The same as people say it.
    pub short_name: String,
    /// The region it serves.
    pub region: String,
    /// The unit of the office that looks after names.
    pub unit: String,
    /// Where letters are dated.
    pub place: String,
    /// Street and town.
    pub address: String,
    /// Telephone; empty = none is shown.
    pub telephone: String,
    /// Mailbox for questions; empty = none is shown.
    pub email: String,
    /// Address of the office's site; empty = none is shown.
    pub website: String,
    /// PNG file of the coat of arms; empty = letters have none.
    pub coat_of_arms: PathBuf,
    /// Sheets of the office's printers.
    pub paper: Sheet,
    /// Title of the head of the unit, where no person is named.
    pub head: String,
    /// Title of the verifier.
    pub verifier: String,
    /// Who is responsible for personal data; empty = the office.
    pub privacy_officer: String,
    /// The procedure that the office works by, as its papers cite it; empty = none is cited.
    pub procedure: String,
}

impl Default for Office {
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            government: text("Pemerintah Kabupaten Cirebon"),
            name: text("Dinas Komunikasi dan Informatika"),
            short_name: text("Diskominfo"),
            region: text("Kabupaten Cirebon"),
            unit: text("Bidang Statistik, Persandian dan E-Government"),
            place: text("Sumber"),
            address: text("Jln. Sunan Drajat No. 15, Sumber"),
            telephone: text("(0231) 8330580"),
            email: String::new(),
            website: String::new(),
            coat_of_arms: PathBuf::new(),
            paper: Sheet::A4,
            head: text("Kepala Bidang Statistik, Persandian dan E-Government"),
            verifier: text("Kepala Seksi Aplikasi, Keamanan dan Persandian"),
            privacy_officer: String::new(),
            procedure: text("SOP 500.12.6.4/534/SPeGOV tanggal 14 Mei 2024"),
        }
    }
}

/// `office.paper`
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sheet {
    /// 210 × 297 mm.
    #[default]
    A4,
    /// 215 × 330 mm, the folio of Indonesian offices.
    F4,
}

/// `[[hosting]]`
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Hosting {
    /// What applicants know it by.
    pub name: String,
    /// Where its sites are: an IP address, or the name of a server.
    pub target: String,
}
