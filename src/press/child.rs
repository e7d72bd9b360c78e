//! What the child process does: gives up its rights, reads one paper from standard input, and answers.
//!
//! The question is a line `gapura-paper 2 <tab> paper|sample <tab> octets of JSON`, the JSON, and the coat of arms, if any.
//! The answer is a line `gapura-paper 2 <tab> pdf|no <tab> reason`, followed by the octets of the PDF.

use std::process::ExitCode;

use super::{INPUT_MAX, PDF_MAX, PressError};
use crate::confined::{Budget, answer_one};
use crate::paper::{self, Paper, Sample};

/// How question and answer begin.
const MARK: &str = "gapura-paper 2";
/// The kinds of a question.
const PAPER: &str = "paper";
const SAMPLE: &str = "sample";
/// Most characters of a reason.
const REASON_MAX: usize = 300;
/// Octets of an answer besides the PDF.
pub(super) const HEAD_MAX: usize = 2048;

/// Reads standard input and answers on standard output: the hidden command `gapura print-paper`.
pub fn run(budget: Budget) -> ExitCode {
    answer_one(budget, INPUT_MAX, |question, _| answer(drawn(question)))
}

/// What is drawn.
#[derive(Clone, Copy)]
pub(super) enum Work<'a> {
    /// A paper.
    Paper(&'a Paper),
    /// A letter for others to copy.
    Sample(&'a Sample),
}

/// A question in octets.
pub(super) fn question(work: Work<'_>, coat_of_arms: &[u8]) -> Result<Vec<u8>, PressError> {
    let (kind, json) = match work {
        Work::Paper(paper) => (PAPER, serde_json::to_vec(paper)),
        Work::Sample(sample) => (SAMPLE, serde_json::to_vec(sample)),
    };
    let json = json.map_err(|error| PressError::Paper(error.to_string()))?;
    let mut question = format!("{MARK}\t{kind}\t{}\n", json.len()).into_bytes();
    question.extend_from_slice(&json);
    question.extend_from_slice(coat_of_arms);
    Ok(question)
}

/// Draws what a question asks for.
fn drawn(question: &[u8]) -> Result<Vec<u8>, PressError> {
    let (kind, json, coat_of_arms) = asked(question).ok_or(PressError::Invalid)?;
    let unread = |error: serde_json::Error| PressError::Paper(error.to_string());
    let pdf = match kind {
        PAPER => {
            let paper: Paper = serde_json::from_slice(json).map_err(unread)?;
            paper::pdf(&paper, Some(coat_of_arms).filter(|octets| !octets.is_empty()))
        }
        SAMPLE => paper::sample_pdf(&serde_json::from_slice(json).map_err(unread)?),
        _ => return Err(PressError::Invalid),
    };
    Ok(pdf?)
}

/// The kind, the content and the coat of arms of a question. `None` if it is none.
fn asked(question: &[u8]) -> Option<(&str, &[u8], &[u8])> {
    let (head, rest) = head(question)?;
    let (kind, length) = head.strip_prefix(MARK)?.strip_prefix('\t')?.split_once('\t')?;
    let (json, coat_of_arms) = rest.split_at_checked(length.parse().ok()?)?;
    Some((kind, json, coat_of_arms))
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
            ["", "\n", "gapura-paper 2\tpdf\t\nno PDF", "gapura-paper 1\tpdf\t\n%PDF-", "x\n"]
        {
            let answer = answered(wrong.as_bytes().to_vec());
            assert!(matches!(answer, Err(PressError::Invalid)), "{wrong:?}");
        }
    }

    #[test]
    fn a_question_is_read_as_it_was_put_and_nothing_else_is() {
        for wrong in ["", "\tpaper\t9\n{}", "\tpaper\tx\n{}", "\tpaper\t2\n{}", "\tx\t2\n{}"] {
            let question = format!("{MARK}{wrong}");
            assert!(drawn(question.as_bytes()).is_err(), "{wrong:?}");
        }
        let sample =
            question(Work::Sample(&Sample { title: "x".to_owned(), ..Sample::default() }), &[]);
        assert!(drawn(&sample.unwrap()).is_ok());
    }
}
