//! What the readers of key files share: lines with their numbers, and a fault at one.

/// A fault in a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyFileFault {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, in words, to stand behind the place.
    pub message: String,
}

impl KeyFileFault {
    /// A fault at a line.
    pub(super) fn at(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }
}

/// The lines with their numbers, white space around them aside.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    text.split(|octet| *octet == b'\n')
        .map(<[u8]>::trim_ascii)
        .zip(1..)
        .map(|(line, at)| (at, line))
}
