//! What the child process does: gives up its rights, reads one letter from standard input, and answers.
//!
//! The answer is one line, followed by the octets of a picture that was written anew:
//! `gapura-letter 1 <tab> pdf|jpg|png|no <tab> rule <tab> about <tab> confinement`.

use std::process::ExitCode;

use super::inspect::inspect;
use super::letter::{Letter, Media, STORED_MAX, TAKEN_MAX};
use crate::confined::{Budget, answer_one};
use crate::queue::{Fault, Rule};

/// How an answer begins.
const MARK: &str = "gapura-letter 1";
/// Most characters of what a fault is about.
const ABOUT_MAX: usize = 60;
/// Octets of an answer besides a picture.
pub(super) const HEAD_MAX: usize = 1024;

/// Reads standard input and answers on standard output: the hidden command `gapura read-letter`.
pub fn run(budget: Budget) -> ExitCode {
    answer_one(budget, TAKEN_MAX, |bytes, confined| answer(&inspect(bytes), confined))
}

/// An answer in octets.
fn answer(read: &Result<Letter, Fault>, confined: &str) -> Vec<u8> {
    match read {
        Ok(letter) => {
            let ending = letter.media().ending();
            let mut out = format!("{MARK}\t{ending}\t\t\t{confined}\n").into_bytes();
            if letter.media() != Media::Pdf {
                out.extend_from_slice(letter.bytes());
            }
            out
        }
        Err(fault) => {
            let about = clean(&fault.about);
            format!("{MARK}\tno\t{}\t{about}\t{confined}\n", fault.rule).into_bytes()
        }
    }
}

/// A text without what would break the line.
fn clean(about: &str) -> String {
    about.chars().filter(|c| !c.is_control()).take(ABOUT_MAX).collect()
}

/// What a child answered.
pub(super) struct Answer {
    /// The letter, or why it is refused.
    pub(super) read: Result<Letter, Fault>,
    /// What confined the child.
    pub(super) confined: String,
}

impl Answer {
    /// Reads an answer about a letter of these octets. `None` if it is none: a child that was taken
    /// over can say nothing but one of the answers above.
    pub(super) fn parse(output: Vec<u8>, sent: &[u8]) -> Option<Self> {
        let end = output.iter().take(HEAD_MAX).position(|byte| *byte == b'\n')?;
        let head = std::str::from_utf8(&output[..end]).ok()?.to_owned();
        let mut parts = head.split('\t');
        if parts.next()? != MARK {
            return None;
        }
        let (word, rule, about) = (parts.next()?, parts.next()?, parts.next()?);
        let confined = clean(parts.next()?);
        if word == "no" {
            let fault = Fault::new("letter", Rule::from_name(rule)?, clean(about));
            return Some(Self { read: Err(fault), confined });
        }
        let media = Media::of_ending(word)?;
        let bytes = if media == Media::Pdf { sent.to_vec() } else { output[end + 1..].to_vec() };
        let fits = bytes.len() <= STORED_MAX && Media::of(&bytes) == Some(media);
        fits.then(|| Self { read: Ok(Letter::new(media, bytes)), confined })
    }
}
