//! The check sheet (*lembar verifikasi*, docs/procedure.md, Check sheet): its lines, verdicts, and
//! when it is complete.
//!
//! The automatic lines are computed in `automatic` and added here each time the sheet is opened, and
//! again inside the approving act. A sheet decides nothing.

use serde::{Deserialize, Serialize};

use super::application::{Application, Kind, NamingClass};
use super::fault::{Fault, Rule};
use super::fields::{FIELDS, LONG_MAX};
use super::line::{LineCode, LineInput, LineVerdict};
use super::named::named;
use super::person::Signature;

//------------ Lines that are needed -----------------------------------------

/// The human lines a request needs.
pub fn human_lines(application: &Application) -> Vec<LineCode> {
    use LineCode::{M1, M2, M3, M4, M5, M6, M7, M8, M9, M10, M11};
    // Nobody sent a letter: what counts is the ground and one more call to the owner.
    if application.raised.is_some() {
        return vec![M11];
    }
    if application.kind == Kind::Renew && application.letter.number.is_empty() {
        return vec![M3, M6];
    }
    let mut lines = vec![M1, M2, M3];
    if application.kind.brings_records() || application.kind == Kind::HandOver {
        lines.push(M4);
    }
    lines.extend([M5, M6]);
    if application.kind.brings_records() {
        lines.push(M7);
        if application.class == NamingClass::Ormas {
            lines.push(M8);
        }
        if application.class == NamingClass::Kegiatan {
            lines.push(M9);
        }
        let delegates = application.records.iter().any(|r| is_type(&r.rtype, &["NS", "DS"]));
        if delegates || application.name.starts_with("*.") {
            lines.push(M10);
        }
    }
    lines
}

/// Whether `rtype` is one of `types`, in any case.
fn is_type(rtype: &str, types: &[&str]) -> bool {
    types.iter().any(|wanted| rtype.trim().eq_ignore_ascii_case(wanted))
}

//------------ Line ----------------------------------------------------------

/// What an officer wrote on one line, also over an automatic one.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Line {
    /// Which line.
    pub code: LineCode,
    /// The verdict.
    pub verdict: Option<LineVerdict>,
    /// The note; required unless the verdict is ok.
    pub note: Option<String>,
    /// The officer's account name.
    pub who: String,
    /// Epoch milliseconds.
    pub at: i64,
    /// The revision looked at.
    pub revision: u32,
}

//------------ AutoLine ------------------------------------------------------

/// What gapura found on one automatic line.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AutoLine {
    /// Which line.
    pub code: LineCode,
    /// What came out.
    pub outcome: Outcome,
    /// Who may pass over a failed line, and how.
    pub overrule: Overrule,
    /// What was found, for the reader.
    pub faults: Vec<Fault>,
}

named! {
    /// What an automatic line came to.
    pub enum Outcome {
        /// Nothing found.
        Pass = "pass",
        /// Something is shown, nothing is required.
        Shown = "shown",
        /// It could not be examined (a list or the probe is missing); shown as not checked.
        Unchecked = "unchecked",
        /// It does not pass.
        Failed = "failed",
    }
}

named! {
    /// How a failed automatic line may be passed over (docs/procedure.md, Check sheet).
    pub enum Overrule {
        /// Not at all.
        Never = "never",
        /// By a tick "sudah diperiksa": verdict ok, no note needed.
        Tick = "tick",
        /// By verdict ok and a note.
        Note = "note",
        /// By verdict ok, a note, and the head's second signature.
        SecondSignature = "second_signature",
    }
}

//------------ Sheet ---------------------------------------------------------

/// The sheet of a request: what gapura found last and what officers wrote.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Sheet {
    /// The automatic lines as last computed.
    automatic: Vec<AutoLine>,
    /// What officers wrote.
    written: Vec<Line>,
}

impl Sheet {
    /// The automatic lines as last computed.
    pub fn automatic(&self) -> &[AutoLine] {
        &self.automatic
    }

    /// What officers wrote, in no particular order.
    pub fn written(&self) -> &[Line] {
        &self.written
    }

    /// What an officer wrote on one line.
    pub fn line(&self, code: LineCode) -> Option<&Line> {
        self.written.iter().find(|line| line.code == code)
    }

    /// Lays in freshly computed automatic lines.
    pub(super) fn lay_in(&mut self, automatic: Vec<AutoLine>) {
        self.automatic = automatic;
    }

    /// Blanks officers' notes, and the mailbox that line A11 names.
    pub(super) fn erase_notes(&mut self) {
        for line in &mut self.written {
            line.note = None;
        }
        for line in self.automatic.iter_mut().filter(|line| line.code == LineCode::A11) {
            line.faults.clear();
        }
    }

    /// Writes an officer's lines; a line given without a verdict becomes "not looked at".
    pub(super) fn write(&mut self, lines: &[LineInput], who: &Signature, revision: u32) {
        for input in lines {
            self.written.retain(|line| line.code != input.code);
            self.written.push(Line {
                code: input.code,
                verdict: input.verdict,
                note: input.note.clone().filter(|note| !note.trim().is_empty()),
                who: who.name.clone(),
                at: who.at,
                revision,
            });
        }
    }

    /// The notes that are missing among `lines`, required unless ok, and those nobody would read.
    pub(super) fn missing_notes(lines: &[LineInput]) -> Vec<Fault> {
        let bare = |line: &&LineInput| {
            matches!(line.verdict, Some(LineVerdict::Fix | LineVerdict::Bad))
                && line.note.as_deref().unwrap_or("").trim().is_empty()
        };
        let long =
            |line: &&LineInput| line.note.as_ref().is_some_and(|n| n.chars().count() > LONG_MAX);
        let bare = lines.iter().filter(bare).map(|line| (line, Rule::NoteNeeded, String::new()));
        let long =
            lines.iter().filter(long).map(|line| (line, Rule::TooLong, LONG_MAX.to_string()));
        bare.chain(long)
            .map(|(line, rule, about)| Fault::new(line.code.as_str(), rule, about))
            .collect()
    }

    /// Everything that keeps the sheet from being approved, in the order of the sheet.
    pub fn missing(&self, application: &Application) -> Vec<Fault> {
        let mut faults = Vec::new();
        for auto in self.automatic.iter().filter(|auto| auto.outcome == Outcome::Failed) {
            self.missing_automatic(auto, &mut faults);
        }
        let needed = human_lines(application);
        for code in &needed {
            match self.line(*code).and_then(|line| line.verdict) {
                Some(LineVerdict::Ok) => {}
                Some(_) => faults.push(Fault::new(code.as_str(), Rule::LineNotOk, "")),
                None => faults.push(Fault::new(code.as_str(), Rule::LineNotChecked, "")),
            }
        }
        // A line that was not asked for still counts when an officer wrote something against it.
        for line in &self.written {
            let seen =
                needed.contains(&line.code) || faults.iter().any(|f| f.field == line.code.as_str());
            if !seen && matches!(line.verdict, Some(LineVerdict::Fix | LineVerdict::Bad)) {
                faults.push(Fault::new(line.code.as_str(), Rule::LineNotOk, ""));
            }
        }
        faults
    }

    /// What is missing to pass over one failed automatic line.
    fn missing_automatic(&self, auto: &AutoLine, faults: &mut Vec<Fault>) {
        let field = auto.code.as_str();
        let found = auto.faults.first().map(Fault::detail).unwrap_or_default();
        let line = self.line(auto.code);
        let ticked = line.is_some_and(|line| line.verdict == Some(LineVerdict::Ok));
        let noted = line.is_some_and(|line| line.note.is_some());
        let rule = match auto.overrule {
            Overrule::Never => Rule::LineNeverOverruled,
            _ if line.is_some_and(|l| l.verdict.is_some()) && !ticked => Rule::LineNotOk,
            _ if !ticked => Rule::LineNotChecked,
            Overrule::Note | Overrule::SecondSignature if !noted => Rule::NoteNeeded,
            _ => return,
        };
        faults.push(Fault::new(field, rule, found));
    }

    /// A line that fails with what gapura finds now and that the signatures on this sheet do not cover.
    /// The probe (A8) is no part of it: its result is of the moment.
    pub(super) fn outlived_by(&self, now: &[AutoLine]) -> Option<LineCode> {
        let fails = |line: &&AutoLine| line.outcome == Outcome::Failed && line.code != LineCode::A8;
        let was_signed = |line: &AutoLine| {
            let mut known = self.automatic.iter().filter(fails);
            known.any(|known| known.code == line.code && known.overrule == line.overrule)
        };
        let found = now.iter().filter(fails).find(|line| match line.overrule {
            Overrule::Never => true,
            Overrule::SecondSignature => !was_signed(line),
            _ => false,
        });
        found.map(|line| line.code)
    }

    /// Why the head must sign as well (docs/procedure.md, Check sheet); empty when one signature is
    /// enough.
    pub fn second_signature(&self, application: &Application) -> Vec<SecondReason> {
        let mut reasons = Vec::new();
        if application.kind.brings_records() {
            if application.name.starts_with("*.") {
                reasons.push(SecondReason::Wildcard);
            }
            if application.records.iter().any(|r| is_type(&r.rtype, &["NS", "DS", "CAA", "MX"])) {
                reasons.push(SecondReason::RecordType);
            }
            let service = |label: &str| label.starts_with('_') && label != "_acme-challenge";
            if application.name.split('.').any(service) {
                reasons.push(SecondReason::ServiceName);
            }
            if application.class == NamingClass::Ormas {
                reasons.push(SecondReason::Ormas);
            }
        }
        let overruled = |auto: &&AutoLine| {
            auto.outcome == Outcome::Failed && auto.overrule == Overrule::SecondSignature
        };
        reasons.extend(self.automatic.iter().filter(overruled).map(|auto| match auto.code {
            LineCode::A3 => SecondReason::Reserved,
            code => SecondReason::Overruled(code),
        }));
        reasons
    }

    /// Takes back the verdicts on what a new revision changed; the others keep theirs.
    pub(super) fn reset_changed(&mut self, old: &Application, new: &Application) {
        let changed = FIELDS.iter().filter(|field| field.differs(old, new));
        let reset: Vec<LineCode> = changed.flat_map(|field| field.lines).copied().collect();
        // What was written over an automatic line was about the old data: it is computed anew.
        self.written.retain(|line| !line.code.is_automatic() && !reset.contains(&line.code));
        self.automatic.clear();
    }
}

/// Why a second signature is needed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondReason {
    /// A wildcard name.
    Wildcard,
    /// NS, DS, CAA or MX.
    RecordType,
    /// A `_` name other than `_acme-challenge`.
    ServiceName,
    /// A civil organisation.
    Ormas,
    /// A reserved name.
    Reserved,
    /// An automatic line was passed over.
    Overruled(LineCode),
}

impl SecondReason {
    /// The code for programs; a line's own code when it was passed over.
    pub fn code(self) -> String {
        match self {
            Self::Wildcard => "wildcard".to_owned(),
            Self::RecordType => "record_type".to_owned(),
            Self::ServiceName => "service_name".to_owned(),
            Self::Ormas => "ormas".to_owned(),
            Self::Reserved => "reserved".to_owned(),
            Self::Overruled(line) => line.as_str().to_owned(),
        }
    }
}
