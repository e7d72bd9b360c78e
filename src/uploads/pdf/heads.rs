//! Where objects begin, wherever a reader may be led to: also in the data of streams, in strings, in
//! comments.

use std::collections::HashMap;

use super::lexer::{Lexer, is_space};

/// Figures of the longest number of an object.
const NUMBER_MAX: usize = 10;

/// The head of an object, as `7 0 obj`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Head {
    /// The number.
    pub(super) number: i64,
    /// Where the object begins, behind `obj`.
    pub(super) body: usize,
}

/// Finds all heads, in one pass. Comments count as white space, as they do for readers, and before `obj`
/// there need be none.
pub(super) fn heads(bytes: &[u8]) -> Vec<Head> {
    let (spaces, figures) = ends(bytes);
    let mut heads = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let end = figures[start];
        if end == start {
            start += 1;
            continue;
        }
        let generation = spaces[end];
        let behind = figures[generation];
        let word = spaces[behind];
        if generation > end && behind > generation && bytes[word..].starts_with(b"obj") {
            let number = bytes[start.max(end.saturating_sub(NUMBER_MAX))..end]
                .iter()
                .fold(0, |number, figure| number * 10 + i64::from(figure - b'0'));
            heads.push(Head { number, body: word + b"obj".len() });
        }
        start = end;
    }
    heads
}

/// For each place, where white space and comments from there end, and where figures from there end.
fn ends(bytes: &[u8]) -> (Vec<usize>, Vec<usize>) {
    let length = bytes.len();
    let mut spaces = vec![length; length + 1];
    let mut figures = vec![length; length + 1];
    let mut line = length;
    for (at, byte) in bytes.iter().enumerate().rev() {
        if matches!(byte, b'\n' | b'\r') {
            line = at;
        }
        spaces[at] = match byte {
            b'%' => spaces[line],
            byte if is_space(*byte) => spaces[at + 1],
            _ => at,
        };
        figures[at] = if byte.is_ascii_digit() { figures[at + 1].max(at + 1) } else { at };
    }
    (spaces, figures)
}

/// Where the first object of each number begins.
pub(super) fn firsts(heads: &[Head]) -> HashMap<i64, usize> {
    heads.iter().rev().map(|head| (head.number, head.body)).collect()
}

/// The integer that is an object of its own and begins there.
pub(super) fn integer(bytes: &[u8], body: usize) -> Option<i64> {
    let mut left = 8;
    Lexer::new(bytes, body, &mut left).value().ok()?.int()
}

#[cfg(test)]
mod tests {
    use super::{Head, heads};

    #[test]
    fn heads_are_found_as_readers_read_them() {
        for (text, found) in [
            ("7 0 obj", vec![(7, 7)]),
            ("7 0obj<<", vec![(7, 6)]),
            ("x7%a\r%b\n0 %\n obj", vec![(7, 16)]),
            ("1%2%3\n0 obj", vec![(1, 11), (2, 11), (3, 11)]),
            ("000000000000000000000000012 0 obj", vec![(12, 33)]),
            ("7 0 object 70obj 7 obj 7 0%obj", vec![(7, 7)]),
        ] {
            let found: Vec<_> =
                found.into_iter().map(|(number, body)| Head { number, body }).collect();
            assert_eq!(heads(text.as_bytes()), found, "{text:?}");
        }
    }
}
