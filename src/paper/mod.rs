//! Papers (*naskah*): what one says, in; octets of a PDF or of a page for printing, out.
//!
//! Pure: no clock, no chance, no file. The same [`Paper`] is the same octets on every machine. Which act
//! makes which paper, numbers, codes and what is kept are not decided here.

mod content;

pub use crate::queue::PaperKind;
pub use content::{
    Acting, Activity, Answer, Ask, Bar, Chart, CheckedLine, Column, Content, Disposition, Field,
    LetterRef, Letterhead, Nature, Notification, PageSize, Paper, Receipt, RecordChange, Report,
    Seal, Section, Signer, StepTime, Table, VERSION, Verification,
};
