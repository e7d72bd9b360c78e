//! The papers of a request: what each says, filled from the request at the moment of the act.
//!
//! Pure: whoever calls hands in the request, who signs and the time. The words are those of the
//! Indonesian catalogue, the form is `paper`'s. Numbers, codes and what is kept are the ledger's.

mod erased;
mod letters;
mod parts;
mod slips;

use crate::paper::{Content, PaperKind, Signer};
use crate::queue::{Calendar, Candidate, Deed, NameDelta, Request, Rules};
use crate::words::{Lang, Words};

pub use crate::paper::{Acting, Answer, Paper, RecordChange, Seal};
pub use erased::without_persons;
pub use parts::{coat_of_arms, paper, title_of};

/// What a paper is made of.
pub struct Making<'a> {
    /// The request after the act.
    pub request: &'a Request,
    /// The act.
    pub deed: Deed,
    /// When, epoch milliseconds.
    pub at: i64,
    /// Working time.
    pub calendar: &'a Calendar,
    /// The settings of the procedure.
    pub rules: &'a Rules,
    /// How people reach the site, without a slash at the end.
    pub site: &'a str,
    /// The verifier who signs, or who the request is routed to.
    pub verifier: Signer,
    /// The head who signs.
    pub head: Signer,
    /// Names as papers print them, by account name.
    pub name_of: &'a dyn Fn(&str) -> String,
    /// The candidate zone that was decided on.
    pub candidate: Option<&'a Candidate>,
    /// What was made live.
    pub promoted: Option<&'a Promoted>,
    /// Number and time of the routing slip in force.
    pub slip: Option<(String, i64)>,
}

/// What a promotion brought about, and what our own sockets answered.
#[derive(Clone, Debug, Default)]
pub struct Promoted {
    /// The serial before.
    pub serial_before: Option<u32>,
    /// The serial that carries it.
    pub serial: u32,
    /// The records that came and went, as master file text.
    pub added: Vec<String>,
    /// The same for those that went.
    pub removed: Vec<String>,
    /// The records of the name before and after, as its owner reads them.
    pub changed: NameDelta,
    /// Every question of the read-back.
    pub answers: Vec<Answer>,
    /// Seconds for which an old answer may linger.
    pub lingers: u32,
}

/// The words of papers: Indonesian, whatever a page is in.
fn words() -> Words {
    Words::of(Lang::Id)
}

/// What a paper of this kind says; none for one that no act of a request makes.
pub fn fill(kind: PaperKind, making: &Making<'_>) -> Option<Content> {
    Some(match kind {
        PaperKind::Receipt => Content::Receipt(slips::receipt(making)),
        PaperKind::Disposition => Content::Disposition(slips::disposition(making)),
        PaperKind::Verification => Content::Verification(slips::verification(making)),
        PaperKind::Report => Content::Report(letters::report(making)?),
        PaperKind::Notification => Content::Notification(letters::notification(making)),
        PaperKind::Activity => return None,
    })
}

/// Those who sign a paper, to be named anew in a corrected one.
pub fn signers(content: &mut Content) -> Vec<&mut Signer> {
    match content {
        Content::Receipt(_) => Vec::new(),
        Content::Disposition(it) => vec![&mut it.signer],
        Content::Verification(it) => {
            std::iter::once(&mut it.signer).chain(it.second.as_mut()).collect()
        }
        Content::Report(it) => vec![&mut it.signer],
        Content::Notification(it) => vec![&mut it.signer],
        Content::Activity(it) => vec![&mut it.signer],
    }
}

#[cfg(test)]
mod tests;
