//! Why a letter is refused, and how octets are found in it.

use crate::queue::{Fault, Rule};

/// A fault of the letter.
pub(super) fn refused(rule: Rule, about: &str) -> Fault {
    Fault::new("letter", rule, about)
}

/// More octets than are taken or kept.
pub(super) fn too_large(max: usize) -> Fault {
    refused(Rule::LetterTooLarge, &format!("{} MB", max / (1024 * 1024)))
}

/// Whether `part` is anywhere in `bytes`.
pub(super) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    find(bytes, part).is_some()
}

/// Where `part` is first in `bytes`.
pub(super) fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    let first = *part.first()?;
    let mut from = 0;
    while let Some(at) = bytes.get(from..)?.iter().position(|byte| *byte == first) {
        if bytes[from + at..].starts_with(part) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}
