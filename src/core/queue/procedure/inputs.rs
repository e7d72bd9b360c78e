//! What acts take: names in [`Act`](super::Act) and JSON, words on the command line, and types.

use crate::queue::labels::clean_text;
use crate::queue::line::{LineInput, LineVerdict};

//------------ Input ---------------------------------------------------------

/// One input of an act.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Input {
    /// Its name in JSON, in forms and on the command line.
    pub name: &'static str,
    /// What it is.
    pub what: ActInput,
}

/// Makes [`ActInput`] and [`typed`] from one line per input: its placeholder on the command line,
/// its type in [`Act`](super::Act), whether the command line insists on it (`needed`), whether the rules
/// do (`demanded`), whether it is free text (`text`), and whether some need not hand it in (`optional`).
macro_rules! inputs {
    ($(#[doc = $about:literal] $name:ident($shown:literal) $(: $type:ty)? $(, $flag:ident)*;)*) => {
        /// What an act takes, and its help text.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum ActInput { $(#[doc = $about] $name,)* }

        impl ActInput {
            /// What it is, in a few words.
            pub fn about(self) -> &'static str {
                match self { $(Self::$name => $about.trim_ascii(),)* }
            }

            /// Its placeholder on the command line.
            pub fn placeholder(self) -> &'static str {
                match self { $(Self::$name => $shown,)* }
            }

            /// What the list says of it.
            fn flags(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[$(stringify!($flag)),*],)* }
            }
        }

        /// The type of each input in [`Act`](super::Act).
        pub(super) mod typed {
            use super::LineInput;

            $($(#[doc = $about] pub(crate) type $name = $type;)?)*
        }
    };
}

inputs! {
    /// The request as JSON; `-` reads standard input
    Application("FILE"), needed;
    /// The request as JSON; `-` reads standard input
    Correction("FILE"), needed;
    /// The kasi's account name
    Assignee("TO"): String, needed;
    /// What to do
    Instruction("INSTRUCTION"): String, demanded, text;
    /// Why
    Reason("REASON"): String, needed, text;
    /// Who is asked
    Party("PARTY"): String, needed, text;
    /// The mailbox for the link; empty if the party's letter will be keyed in
    Email("EMAIL"): String;
    /// Who answers
    Answerer("PARTY"): String, text;
    /// The number of their letter
    PartyLetter("LETTER"): String, needed, text;
    /// The letter's number, when an officer keys it in
    Letter("LETTER"): String, text, optional;
    /// The new start: a date, or an RFC 3339 time; empty: as soon as it is checked
    Starts("DATE"): String;
    /// Lines of the check sheet
    Lines("CODES"): Vec<LineInput>;
    /// Lines of the check sheet, one of them to be corrected
    LinesToFix("CODES"): Vec<LineInput>, demanded;
    /// Lines of the check sheet, one of them a reason to reject
    LinesBad("CODES"): Vec<LineInput>;
    /// The code of the reason
    RejectReason("REASON"): String, needed;
    /// What the applicant reads
    Note("NOTE"): String, needed, text;
    /// The revision that was read; 0 counts as none
    Revision("REVISION"): u32, needed;
    /// The candidate hash that was read
    Candidate("CANDIDATE"): String, needed;
    /// The serial that was read, if `approval.bind` is "serial"
    Serial("SERIAL"): Option<u32>;
    /// How: printed and handed over, telephoned
    How("HOW"): String, needed, text;
}

impl ActInput {
    /// Whether the command line insists on it; the rules themselves say what is missing.
    pub fn is_needed(self) -> bool {
        self.flags().contains(&"needed")
    }

    /// Whether the rules turn the act back without it.
    pub fn is_demanded(self) -> bool {
        self.is_needed() || self.flags().contains(&"demanded")
    }

    /// Whether somebody need not hand it in.
    pub fn is_optional(self) -> bool {
        self.flags().contains(&"optional")
    }

    /// Whether people write it freely, so that it is cleaned before it is kept.
    pub fn is_free_text(self) -> bool {
        self.flags().contains(&"text")
    }

    /// The verdict of the lines of the check sheet it consists of, if of one only.
    pub fn verdict(self) -> Option<LineVerdict> {
        match self {
            Self::LinesToFix => Some(LineVerdict::Fix),
            Self::LinesBad => Some(LineVerdict::Bad),
            _ => None,
        }
    }

    /// Whether it is a list of lines of the check sheet.
    pub fn is_lines(self) -> bool {
        matches!(self, Self::Lines | Self::LinesToFix | Self::LinesBad)
    }
}

//------------ Clean ---------------------------------------------------------

/// A value that can be brought into the form in which it is kept: no number that may be a NIK, and no
/// control characters.
pub(super) trait Clean {
    /// Cleans the value of an input.
    fn clean(&mut self, input: ActInput);
}

impl Clean for String {
    fn clean(&mut self, input: ActInput) {
        if input.is_free_text() {
            *self = clean_text(self);
        }
    }
}

impl Clean for Vec<LineInput> {
    fn clean(&mut self, _input: ActInput) {
        clean_notes(self);
    }
}

impl Clean for u32 {
    fn clean(&mut self, _input: ActInput) {}
}

impl Clean for Option<u32> {
    fn clean(&mut self, _input: ActInput) {}
}

/// Cleans the notes of lines.
fn clean_notes(lines: &mut [LineInput]) {
    for line in lines {
        line.note = line.note.take().map(|note| clean_text(&note));
    }
}
