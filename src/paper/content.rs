//! What a paper says: one struct a kind. Prose is formal Indonesian already, times are epoch
//! milliseconds, spans are working minutes; labels, dates and the form are added by the renderer.
//!
//! The content of a paper that was issued is kept as JSON beside its octets, so a form may change
//! later without a paper that says something else: unknown fields are refused, and
//! [`Paper::version`] goes up with each change of meaning.

use serde::{Deserialize, Serialize};

use crate::queue::PaperKind;

/// The version of the structs below.
pub const VERSION: u32 = 1;

//------------ Paper ---------------------------------------------------------

/// A paper, whole.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    /// [`VERSION`] when it was filled.
    pub version: u32,
    /// The size of its pages.
    pub size: PageSize,
    /// Its head.
    pub letterhead: Letterhead,
    /// Its foot.
    pub seal: Seal,
    /// What it says.
    pub content: Content,
}

impl Paper {
    /// Its kind.
    pub fn kind(&self) -> PaperKind {
        self.content.kind()
    }
}

/// What a paper says, by kind.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// *Tanda terima permohonan.*
    Receipt(Receipt),
    /// *Lembar disposisi.*
    Disposition(Disposition),
    /// *Lembar verifikasi.*
    Verification(Verification),
    /// *Laporan ke Kepala Bidang.*
    Report(Report),
    /// *Surat pemberitahuan.*
    Notification(Notification),
    /// *Laporan kegiatan.*
    Activity(Activity),
}

impl Content {
    /// The kind of paper that says it.
    pub fn kind(&self) -> PaperKind {
        match self {
            Self::Receipt(_) => PaperKind::Receipt,
            Self::Disposition(_) => PaperKind::Disposition,
            Self::Verification(_) => PaperKind::Verification,
            Self::Report(_) => PaperKind::Report,
            Self::Notification(_) => PaperKind::Notification,
            Self::Activity(_) => PaperKind::Activity,
        }
    }
}

/// The size of the pages.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PageSize {
    /// 210 × 297 mm.
    #[default]
    A4,
    /// 215 × 330 mm, *folio*.
    F4,
}

//------------ What papers share ---------------------------------------------

/// The head (*kop*). The coat of arms is no part of it: its octets are given to the renderer.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Letterhead {
    /// "Pemerintah Kabupaten Cirebon"; set in capitals.
    pub government: String,
    /// "Dinas Komunikasi dan Informatika"; set in capitals.
    pub office: String,
    /// Street, number, place.
    pub address: String,
    /// Left out if empty.
    pub telephone: String,
    /// Left out if empty.
    pub email: String,
    /// Left out if empty.
    pub website: String,
    /// Where papers are dated: "Sumber".
    pub place: String,
}

/// Who signs, by *jabatan* and never by role. The space above the name stays blank.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// "Kepala Bidang Statistik, Persandian dan E-Government".
    pub title: String,
    /// Set if somebody acts for the holder of the title.
    pub acting: Option<Acting>,
    /// The name of the person who signs; `None` is a line to write it on.
    pub name: Option<String>,
    /// *Pangkat*, as "Pembina (IV/a)".
    pub rank: Option<String>,
    /// The person's number.
    pub nip: Option<String>,
}

impl Signer {
    /// The title, with what somebody who acts for its holder puts before it.
    pub fn full_title(&self) -> String {
        match self.acting {
            Some(acting) => format!("{} {}", acting.prefix(), self.title),
            None => self.title.clone(),
        }
    }
}

/// What somebody who acts for an officer puts before the title.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Acting {
    /// *Pelaksana harian.*
    Plh,
    /// *Pelaksana tugas.*
    Plt,
}

impl Acting {
    /// As it stands before the title.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Plh => "Plh.",
            Self::Plt => "Plt.",
        }
    }
}

/// What makes a printout an anchor: number, code, and where the chain was.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// `GPR/SP/0001/XI/2026`.
    pub number: String,
    /// *Nomor surat dinas*: the office's own agenda number. Empty is a line to write on.
    pub office_number: String,
    /// The verification code, in groups as it is read aloud.
    pub code: String,
    /// The address the QR code leads to: `https://…/periksa-naskah/CODE`.
    pub url: String,
    /// Position in the event chain.
    pub chain_sequence: u64,
    /// The first digits of the chain's head.
    pub chain_head: String,
    /// When it was issued.
    pub issued_ms: i64,
    /// The number of the paper that this one supersedes.
    pub supersedes: Option<String>,
}

impl Seal {
    /// Digits of the chain's head on a paper.
    const HEAD_DIGITS: usize = 16;

    /// The seal of a paper that is issued now, at this event of the chain: its sequence and hash.
    pub fn at((sequence, head): (i64, &str), issued_ms: i64) -> Self {
        Self {
            chain_sequence: u64::try_from(sequence).unwrap_or_default(),
            chain_head: head.chars().take(Self::HEAD_DIGITS).collect(),
            issued_ms,
            ..Self::default()
        }
    }
}

/// The letter a request came with.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LetterRef {
    /// Its number.
    pub number: String,
    /// Its date, `YYYY-MM-DD`; any other text is shown as it is.
    pub date: String,
}

/// A label and what it says.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// "Nama subdomain".
    pub label: String,
    /// Its value; line ends begin a new line.
    pub value: String,
}

impl Field {
    /// A field.
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into() }
    }
}

/// How long a step of the SOP took.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StepTime {
    /// What is done: "Disposisi".
    pub step: String,
    /// Who does it.
    pub holder: String,
    /// Working minutes the SOP gives; `None` is no limit.
    pub limit_minutes: Option<u64>,
    /// Working minutes used so far; `None` before the step.
    pub used_minutes: Option<u64>,
    /// When it is due, if that is known.
    pub due_ms: Option<i64>,
}

//------------ Receipt -------------------------------------------------------

/// *Tanda terima permohonan*: half a page, no signature.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The number of the request.
    pub request: String,
    /// When it came in.
    pub received_ms: i64,
    /// The office that asks.
    pub office: String,
    /// Who handed it in; left out if nobody is named.
    pub person: Option<String>,
    /// The name asked for, whole.
    pub name: String,
    /// "Permohonan baru".
    pub kind: String,
    /// "Desa".
    pub class: String,
    /// Their letter.
    pub letter: LetterRef,
    /// What was handed in, one a line.
    pub handed_in: Vec<String>,
    /// The steps and their limits.
    pub steps: Vec<StepTime>,
    /// Whom to ask, and when: sentences.
    pub contact: Vec<String>,
    /// Where the request can be followed.
    pub status_url: String,
    /// The secret of the status page, on the applicant's own copy only; the stored paper has none.
    pub secret: Option<String>,
}

//------------ Disposition ---------------------------------------------------

/// *Lembar disposisi*: the box form. A routing slip, not a verdict.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Disposition {
    /// *Surat dari*.
    pub from: String,
    /// The letter.
    pub letter: LetterRef,
    /// *Diterima tanggal*.
    pub received_ms: i64,
    /// *Nomor agenda*: the number of the request.
    pub agenda: String,
    /// *Sifat*: ticked boxes.
    pub nature: Vec<Nature>,
    /// *Hal*.
    pub subject: String,
    /// *Diteruskan kepada Sdr.*: title, or title and name.
    pub forwarded_to: Vec<String>,
    /// *Dengan hormat harap*: ticked boxes.
    pub asks: Vec<Ask>,
    /// The head's own words; none leaves lines to write on.
    pub instruction: Option<String>,
    /// The routing step itself: limit and time used.
    pub routing: StepTime,
    /// The step that follows, with its due time.
    pub next: StepTime,
    /// The head.
    pub signer: Signer,
}

/// *Sifat* of a letter.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// *Sangat segera.*
    VeryUrgent,
    /// *Segera.*
    Urgent,
    /// *Rahasia.*
    Secret,
}

/// What the head asks for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// *Tanggapan dan saran.*
    Advise,
    /// *Proses lebih lanjut.*
    Process,
    /// *Koordinasi/konfirmasi.*
    Coordinate,
}

//------------ Verification --------------------------------------------------

/// *Lembar verifikasi*: the check sheet as it was decided on.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Verification {
    /// The number of the request.
    pub request: String,
    /// Its revision.
    pub revision: u32,
    /// The office that asks.
    pub office: String,
    /// The name asked for, whole.
    pub name: String,
    /// "Permohonan baru".
    pub kind: String,
    /// The lines.
    pub lines: Vec<CheckedLine>,
    /// The hash of the candidate zone that was looked at.
    pub candidate: Option<String>,
    /// The zone.
    pub zone: String,
    /// The zone's serial when it was decided.
    pub serial: Option<u32>,
    /// The result in one sentence.
    pub result: String,
    /// The verifier.
    pub signer: Signer,
    /// The head, where there is a second signature.
    pub second: Option<Signer>,
}

/// A line of the check sheet.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CheckedLine {
    /// "M3".
    pub code: String,
    /// What is checked.
    pub what: String,
    /// "Sesuai".
    pub verdict: String,
    /// What was found or noted.
    pub note: String,
    /// Who looked: a name, or the system.
    pub who: String,
    /// When.
    pub at_ms: Option<i64>,
}

//------------ Report --------------------------------------------------------

/// *Laporan ke Kepala Bidang*: a *nota dinas* with the proof that the name answers.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// *Kepada*.
    pub to: String,
    /// *Dari*.
    pub from: String,
    /// *Tembusan*.
    pub copies: Vec<String>,
    /// *Sifat*; "Biasa".
    pub nature: String,
    /// *Lampiran*; "-".
    pub attachments: String,
    /// *Hal*.
    pub subject: String,
    /// The opening sentence: on the basis of which disposition.
    pub opening: String,
    /// The request: number, office, name, kind.
    pub facts: Vec<Field>,
    /// What changed in the zone.
    pub changes: Vec<RecordChange>,
    /// The zone.
    pub zone: String,
    /// Its serial before.
    pub serial_before: Option<u32>,
    /// Its serial since.
    pub serial: u32,
    /// Since when.
    pub live_ms: i64,
    /// What port 53 answered.
    pub answers: Vec<Answer>,
    /// Time used, step by step.
    pub steps: Vec<StepTime>,
    /// The closing sentence.
    pub closing: String,
    /// The verifier.
    pub signer: Signer,
}

/// A record that was added or taken out.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RecordChange {
    /// Whether it was taken out.
    pub removed: bool,
    /// Owner name, whole.
    pub name: String,
    /// Seconds.
    pub ttl: u32,
    /// "A".
    pub rtype: String,
    /// As in a zone file.
    pub data: String,
}

/// A question to our own server and what it answered.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// "desa.cirebonkab.go.id A".
    pub question: String,
    /// "NOERROR".
    pub rcode: String,
    /// The records of the answer, one a line; or that there are none.
    pub answer: String,
    /// When.
    pub at_ms: i64,
    /// Whether it is what was approved.
    pub as_approved: bool,
}

//------------ Notification --------------------------------------------------

/// *Surat pemberitahuan*: a *surat dinas* to the applicant.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Notification {
    /// *Sifat*; "Biasa".
    pub nature: String,
    /// *Lampiran*; "-".
    pub attachments: String,
    /// *Hal*.
    pub subject: String,
    /// "Yth.": the addressee, line by line: title, office, "di", place.
    pub to: Vec<String>,
    /// The opening, with the number and date of their letter.
    pub opening: String,
    /// The request: number, name, kind, since when.
    pub facts: Vec<Field>,
    /// The result, as paragraphs.
    pub body: Vec<String>,
    /// Reasons, or what is to be mended: a numbered list.
    pub points: Vec<String>,
    /// What follows the list: what to do next, how to object.
    pub next: Vec<String>,
    /// The closing sentence.
    pub closing: String,
    /// Technical lines for the box at the foot: how to look the name up.
    pub lookup: Vec<String>,
    /// The head.
    pub signer: Signer,
    /// *Tembusan*.
    pub copies: Vec<String>,
}

//------------ Activity ------------------------------------------------------

/// *Laporan kegiatan*: tables, charts, annex.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Activity {
    /// "November 2026".
    pub period: String,
    /// Three sentences.
    pub summary: Vec<String>,
    /// Tables and charts, in order.
    pub sections: Vec<Section>,
    /// Who signs.
    pub signer: Signer,
    /// The annex: the list. None if there is nothing in it.
    pub annex: Option<Table>,
}

/// A part of a report.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Its heading; empty for none.
    pub heading: String,
    /// Sentences before the figures.
    pub text: Vec<String>,
    /// The chart.
    pub chart: Option<Chart>,
    /// The table.
    pub table: Option<Table>,
}

/// A table. Every row has as many cells as there are columns.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// What it shows; also its name for those who do not see it.
    pub title: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
    /// The sums, at the end; empty for none.
    pub total: Vec<String>,
}

/// A column of a table.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its head.
    pub head: String,
    /// Its share of the width, relative to the others; 0 counts as 1.
    pub width: u32,
    /// Numbers stand at the right.
    pub number: bool,
}

impl Column {
    /// A column of text.
    pub fn text(head: impl Into<String>, width: u32) -> Self {
        Self { head: head.into(), width, number: false }
    }

    /// A column of numbers.
    pub fn number(head: impl Into<String>, width: u32) -> Self {
        Self { head: head.into(), width, number: true }
    }
}

/// A plain bar chart.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// What it shows.
    pub title: String,
    /// The bars, from the top.
    pub bars: Vec<Bar>,
}

/// A bar.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Bar {
    /// What it is.
    pub label: String,
    /// Its length.
    pub value: u64,
    /// Its value as people read it.
    pub shown: String,
}

//------------ Sample --------------------------------------------------------

/// A letter for others to copy onto paper with their own head: nothing the office issues, so it has
/// neither head nor seal.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The size of its page.
    pub size: PageSize,
    /// What the file is called.
    pub title: String,
    /// Where their letterhead goes.
    pub head: String,
    /// Place and date, to be filled in.
    pub place_and_date: String,
    /// *Nomor, Sifat, Lampiran, Hal*.
    pub fields: Vec<Field>,
    /// The addressee, line by line.
    pub to: Vec<String>,
    /// What it says first.
    pub body: Vec<SamplePart>,
    /// What is to be filled in.
    pub asked: Vec<Field>,
    /// What it says at last.
    pub end: Vec<String>,
    /// The title of who signs.
    pub signer: String,
    /// What the blank space is for.
    pub space: String,
    /// The name of who signs.
    pub name: String,
    /// At the foot: what this is.
    pub foot: String,
}

/// A part of what a sample says.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SamplePart {
    /// A paragraph.
    Paragraph(String),
    /// A list.
    List {
        /// Numbers, or bullets.
        numbered: bool,
        /// In order.
        items: Vec<String>,
    },
}
