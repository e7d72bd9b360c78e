//! What the child process does: gives up its rights, reads one paper from standard input, and answers.
//!
//! The question is a line `gapura-paper 1 <tab> octets of JSON`, the JSON, and the coat of arms, if any.
//! The answer is a line `gapura-paper 1 <tab> pdf|no <tab> reason`, followed by the octets of the PDF.

use std::io::{Read, Write, stdin, stdout};
use std::process::ExitCode;

use super::{INPUT_MAX, PDF_MAX, PressError};
use crate::confined::{Budget, confine};
use crate::paper::{self, Paper};

/// How question and answer begin.
const MARK: &str = "gapura-paper 1";
/// Most characters of a reason.
const REASON_MAX: usize = 300;
/// Octets of an answer besides the PDF.
pub(super) const HEAD_MAX: usize = 2048;

/// Reads standard input and answers on standard output: the hidden command `gapura print-paper`.
pub fn run(budget: Budget) -> ExitCode {
    if confine(budget).is_err() {
        return ExitCode::FAILURE;
    }
    let mut question = Vec::new();
    let limit = u64::try_from(INPUT_MAX).unwrap_or(u64::MAX);
    if stdin().lock().take(limit).read_to_end(&mut question).is_err() {
        return ExitCode::FAILURE;
    }
    let answer = answer(drawn(&question));
    let mut out = stdout().lock();
    match out.write_all(&answer).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// A question in octets.
pub(super) fn question(paper: &Paper, coat_of_arms: &[u8]) -> Result<Vec<u8>, PressError> {
    let json = serde_json::to_vec(paper).map_err(|error| PressError::Paper(error.to_string()))?;
    let mut question = format!("{MARK}\t{}\n", json.len()).into_bytes();
    question.extend_from_slice(&json);
    question.extend_from_slice(coat_of_arms);
    Ok(question)
}

/// Draws what a question asks for.
fn drawn(question: &[u8]) -> Result<Vec<u8>, PressError> {
    let (paper, coat_of_arms) = asked(question).ok_or(PressError::Invalid)??;
    Ok(paper::pdf(&paper, Some(coat_of_arms).filter(|octets| !octets.is_empty()))?)
}

/// The paper and the coat of arms of a question. `None` if it is none.
fn asked(question: &[u8]) -> Option<Result<(Paper, &[u8]), PressError>> {
    let (head, rest) = head(question)?;
    let length: usize = head.strip_prefix(MARK)?.strip_prefix('\t')?.parse().ok()?;
    let (json, coat_of_arms) = rest.split_at_checked(length)?;
    let paper = serde_json::from_slice(json);
    let paper = paper.map_err(|error| PressError::Paper(error.to_string()));
    Some(paper.map(|paper| (paper, coat_of_arms)))
}

/// An answer in octets.
fn answer(drawn: Result<Vec<u8>, PressError>) -> Vec<u8> {
    match drawn {
        Ok(pdf) => {
            let mut answer = format!("{MARK}\tpdf\t\n").into_bytes();
            answer.extend_from_slice(&pdf);
            answer
        }
        Err(error) => {
            // The parent says by itself that the paper cannot be drawn.
            let reason = match error {
                PressError::Paper(reason) => reason,
                other => other.to_string(),
            };
            let reason = reason.chars().filter(|it| !it.is_control()).take(REASON_MAX);
            format!("{MARK}\tno\t{}\n", reason.collect::<String>()).into_bytes()
        }
    }
}

/// What a child answered: a child that was taken over can say nothing but one of the answers above.
pub(super) fn answered(answer: Vec<u8>) -> Result<Vec<u8>, PressError> {
    let (head, pdf) = head(&answer).ok_or(PressError::Invalid)?;
    let mut parts = head.split('\t');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(MARK), Some("no"), Some(reason)) => Err(PressError::Paper(reason.to_owned())),
        (Some(MARK), Some("pdf"), Some(""))
            if pdf.starts_with(b"%PDF-") && pdf.len() <= PDF_MAX =>
        {
            Ok(pdf.to_vec())
        }
        _ => Err(PressError::Invalid),
    }
}

/// The first line of octets, and what follows it.
fn head(octets: &[u8]) -> Option<(&str, &[u8])> {
    let end = octets.iter().take(HEAD_MAX).position(|octet| *octet == b'\n')?;
    let (head, rest) = octets.split_at_checked(end)?;
    Some((std::str::from_utf8(head).ok()?, rest.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_are_answers() {
        let pdf = answer(Ok(b"%PDF-1.7\nx".to_vec()));
        assert_eq!(answered(pdf).unwrap(), b"%PDF-1.7\nx");
        let refused = answer(Err(PressError::Paper("too\nlong".to_owned())));
        let said = answered(refused).unwrap_err().to_string();
        assert_eq!(said, "the paper cannot be drawn: toolong");
        for wrong in
            ["", "\n", "gapura-paper 1\tpdf\t\nno PDF", "gapura-paper 2\tpdf\t\n%PDF-", "x\n"]
        {
            let answer = answered(wrong.as_bytes().to_vec());
            assert!(matches!(answer, Err(PressError::Invalid)), "{wrong:?}");
        }
    }

    #[test]
    fn a_question_is_read_as_it_was_put_and_nothing_else_is() {
        for wrong in ["", "gapura-paper 1\t9\n{}", "gapura-paper 1\tx\n{}", "gapura-paper 1\t2\n{}"]
        {
            assert!(drawn(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
    }
}
