//! The acts of officers and applicants (table of §2.1): which function does which, and what they share.

use super::stages::Stage;
use super::{Facts, Request, RequestResult};
use crate::queue::act::{Act, LineInput};
use crate::queue::automatic::LONG_MAX;
use crate::queue::fault::{Fault, Rule, TransitionError};
use crate::queue::happening::Step;
use crate::queue::person::{Actor, Signature};
use crate::queue::sheet::LineVerdict;

//------------ Dispatch ------------------------------------------------------

/// Hands each act to its function.
pub(super) fn perform(
    request: Request,
    act: &Act,
    actor: &Actor,
    facts: &Facts<'_>,
) -> RequestResult {
    match act {
        Act::Dispose { instruction, .. } => request.dispose(instruction, actor, facts),
        Act::Reassign { reason, .. } => request.reassign(reason, actor, facts),
        Act::Release { reason } => request.release(reason, actor, facts),
        Act::Consult { party, email } => request.ask_party(party, email, actor, facts),
        Act::Confirm { letter, .. } => request.answer(true, letter, actor, facts),
        Act::Deny { letter, .. } => request.answer(false, letter, actor, facts),
        Act::Return { lines } => request.send_back(lines, actor, facts),
        Act::Resubmit {} => request.resubmit(actor, facts),
        Act::Check { lines } => request.check(lines, actor, facts),
        Act::Reject { reason, note, lines } => request.reject(reason, note, lines, actor, facts),
        Act::Approve { .. } => request.approve(act, actor, facts),
        Act::Countersign { candidate } => request.countersign(candidate, actor, facts),
        Act::Reopen { reason } => request.reopen(reason, actor, facts),
        Act::Promote {} => request.begin_promotion(actor, facts),
        Act::Retry {} => request.retry(actor, facts),
        Act::Withdraw { letter } => request.withdraw(letter, actor, facts),
        Act::Notified { how } => request.hand_over(how, actor, facts),
    }
}

/// Whether the same act with the same content was done already.
pub(super) fn already(request: &Request, act: &Act, actor: &Actor, now: i64) -> bool {
    if !actor.is_officer(now) {
        return false;
    }
    let begun = match request.stage() {
        Stage::Live(stage) => Some(&stage.promoting),
        Stage::Notified(stage) => Some(&stage.live.promoting),
        Stage::Closed(stage) => Some(&stage.live.promoting),
        Stage::Verified(stage) => stage.promoting.as_ref(),
        _ => None,
    };
    let mine = |by: &Signature| by.identity.same(&actor.identity);
    match act {
        // Whoever pressed, and whoever approved: under `with_approval` that press promoted.
        Act::Promote {} => begun.is_some_and(|promoting| {
            mine(&promoting.by) || request.approval().is_some_and(|a| mine(&a.by))
        }),
        Act::Approve { revision, candidate, .. } => request.approval().is_some_and(|approval| {
            approval.revision == *revision
                && approval.candidate.eq_ignore_ascii_case(candidate)
                && mine(&approval.by)
        }),
        Act::Countersign { candidate } => request.approval().is_some_and(|approval| {
            approval.candidate.eq_ignore_ascii_case(candidate)
                && approval.second.as_ref().is_some_and(mine)
        }),
        _ => false,
    }
}

/// One field without content.
pub(super) fn empty(field: &str) -> TransitionError {
    TransitionError::Incomplete(vec![Fault::new(field, Rule::Empty, "")])
}

/// The text, or the error that it is missing, or longer than anyone reads.
pub(super) fn needed<'a>(field: &str, text: &'a str) -> Result<&'a str, TransitionError> {
    if text.trim().is_empty() {
        return Err(empty(field));
    }
    if text.chars().count() > LONG_MAX {
        let fault = Fault::new(field, Rule::TooLong, LONG_MAX.to_string());
        return Err(TransitionError::Incomplete(vec![fault]));
    }
    Ok(text)
}

//------------ What they share -----------------------------------------------

/// `M1 ok, M4 fix` for the event.
pub(super) fn summary(lines: &[LineInput]) -> String {
    let word = |line: &LineInput| line.verdict.map_or("none", LineVerdict::as_str);
    let texts: Vec<String> =
        lines.iter().map(|line| format!("{} {}", line.code, word(line))).collect();
    texts.join(", ")
}

/// Adds the notes, which may name persons, to the event.
pub(super) fn with_notes(mut step: Step<Request>, lines: &[LineInput]) -> Step<Request> {
    for line in lines {
        let key = format!("note_{}", line.code);
        step.happening = step.happening.with_personal(&key, line.note.as_deref().unwrap_or(""));
    }
    step
}

/// Nothing missing, or the error that says what.
pub(super) fn complete(faults: Vec<Fault>) -> Result<(), TransitionError> {
    if faults.is_empty() { Ok(()) } else { Err(TransitionError::Incomplete(faults)) }
}
