//! The child's side: confined, it reads one question from standard input and answers on standard output.

use std::io::{Read, Write, stdin, stdout};
use std::process::ExitCode;

use super::Budget;
use super::confine::confine;

/// Confines this process for good, reads a question of at most so many octets, and writes what `answer`
/// makes of it and of the words for what confines it.
pub fn answer_one(
    budget: Budget,
    longest: usize,
    answer: impl FnOnce(&[u8], &str) -> Vec<u8>,
) -> ExitCode {
    let Ok(confined) = confine(budget) else { return ExitCode::FAILURE };
    let mut question = Vec::new();
    let limit = u64::try_from(longest).unwrap_or(u64::MAX);
    if stdin().lock().take(limit).read_to_end(&mut question).is_err() {
        return ExitCode::FAILURE;
    }
    let answer = answer(&question, &confined);
    let mut out = stdout().lock();
    match out.write_all(&answer).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
