//! What acts share: fields that must be filled in, and how a repeated act is recognized.

use super::{Request, Stage};
use crate::queue::fault::{Fault, Rule, TransitionError};
use crate::queue::fields::LONG_MAX;
use crate::queue::person::{Actor, Signature};
use crate::queue::procedure::Act;

impl Request {
    /// Whether the act was done already with the same content, so that repeating it returns the first
    /// result instead of an error. It changes nothing and needs no event.
    pub fn already(&self, act: &Act, actor: &Actor, now: i64) -> bool {
        if !actor.is_officer(now) {
            return false;
        }
        let mine = |by: &Signature| by.identity.same(&actor.identity);
        let Some(approval) = self.approval() else { return false };
        let same = |candidate: &str| approval.candidate.eq_ignore_ascii_case(candidate);
        match act {
            // Whoever pressed, and whoever approved: under `with_approval` that press promoted.
            Act::Promote {} => self
                .stage
                .promoting()
                .is_some_and(|promoting| mine(&promoting.by) || mine(&approval.by)),
            Act::Approve { revision, candidate, .. } => {
                approval.revision == *revision && same(candidate) && mine(&approval.by)
            }
            Act::Countersign { candidate } => {
                same(candidate) && approval.second.as_ref().is_some_and(mine)
            }
            _ => false,
        }
    }
}

impl Stage {
    /// The promotion that was committed, if one was.
    fn promoting(&self) -> Option<&super::Promoting> {
        match self {
            Self::Live(stage) => Some(&stage.promoting),
            Self::Notified(stage) => Some(&stage.live.promoting),
            Self::Closed(stage) => Some(&stage.live.promoting),
            Self::Verified(stage) => stage.promoting.as_ref(),
            _ => None,
        }
    }
}

/// The error of a field without content.
pub(super) fn empty(field: &str) -> TransitionError {
    TransitionError::Incomplete(vec![Fault::new(field, Rule::Empty, "")])
}

/// The text, or the error that it is missing or too long.
pub fn needed<'a>(field: &str, text: &'a str) -> Result<&'a str, TransitionError> {
    needed_within(LONG_MAX, field, text)
}

/// The same, of so many characters at most.
pub fn needed_within<'a>(
    most: usize,
    field: &str,
    text: &'a str,
) -> Result<&'a str, TransitionError> {
    if text.trim().is_empty() {
        return Err(empty(field));
    }
    if text.chars().count() > most {
        let fault = Fault::new(field, Rule::TooLong, most.to_string());
        return Err(TransitionError::Incomplete(vec![fault]));
    }
    Ok(text)
}

/// The number of a letter: text in which something can be read.
pub(super) fn letter_number(letter: &str) -> Result<&str, TransitionError> {
    let readable = letter.chars().any(char::is_alphanumeric);
    if readable { needed("letter", letter) } else { Err(empty("letter")) }
}

/// `Ok` if nothing is missing, or else the error that lists it.
pub(super) fn complete(faults: Vec<Fault>) -> Result<(), TransitionError> {
    if faults.is_empty() { Ok(()) } else { Err(TransitionError::Incomplete(faults)) }
}
