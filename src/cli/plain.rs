//! Makes text safe for a terminal: nothing in it changes the writing direction, hides, or moves the
//! cursor. Names, notes and zone files contain what strangers wrote.

use std::borrow::Cow;
use std::fmt::Write;

use crate::text::is_hidden;

/// Text without control characters other than line ends and tabs.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let odd = |c: char| is_hidden(c) || (c.is_control() && !matches!(c, '\n' | '\t'));
    escaped(text, odd, |c, out| write!(out, "\\u{{{:x}}}", u32::from(c)))
}

/// Text with our own colors around what others wrote.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden, |c, out| write!(out, "\\u{{{:x}}}", u32::from(c)))
}

/// JSON, where such a character can only be inside a string.
pub(super) fn json(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden, |c, out| {
        c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))
    })
}

/// The text with unsafe characters escaped.
fn escaped(
    text: &str,
    odd: impl Fn(char) -> bool,
    write: impl Fn(char, &mut String) -> std::fmt::Result,
) -> Cow<'_, str> {
    if !text.contains(&odd) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if odd(c) {
            // Writing to a String cannot fail.
            let _ = write(c, &mut out);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::{json, plain, shown};

    #[test]
    fn nothing_turns_hides_or_moves() {
        assert_eq!(plain("a\u{202e}b\u{1b}[2Jc\n\td"), "a\\u{202e}b\\u{1b}[2Jc\n\td");
        assert_eq!(shown("\u{1b}[31m\u{2066}x\u{200b}"), "\u{1b}[31m\\u{2066}x\\u{200b}");
        let text = serde_json::json!({ "name": "a\u{202e}b\u{e0041}" }).to_string();
        let safe = json(&text);
        assert!(safe.is_ascii());
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&safe).unwrap()["name"],
            "a\u{202e}b\u{e0041}"
        );
        assert_eq!(plain("Désa"), "Désa");
    }
}
