//! Text that is put together piece by piece: appending to a string, an error with its causes, cells of spreadsheets.

#[cfg(feature = "approval")]
pub mod spreadsheet;

use std::error::Error;

/// Appends formatted text to a [`String`], which cannot fail.
macro_rules! append {
    ($text:expr, $($arg:tt)*) => {{
        use std::fmt::Write as _;
        let _ = $text.write_fmt(format_args!($($arg)*));
    }};
}

/// Appends formatted text and a line end to a [`String`], which cannot fail.
macro_rules! append_line {
    ($text:expr, $($arg:tt)*) => {{
        $crate::text::append!($text, $($arg)*);
        $text.push('\n');
    }};
}

pub(crate) use {append, append_line};

/// An error with its causes, in one line.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        append!(text, ": {inner}");
        cause = inner.source();
    }
    text
}

/// Characters that cannot be seen and change how others are read.
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}' | '\u{80}'..='\u{9f}')
}

/// Appends a character as text of HTML or XML.
#[cfg(feature = "approval")]
pub fn push_escaped(markup: &mut String, character: char) {
    match character {
        '&' => markup.push_str("&amp;"),
        '<' => markup.push_str("&lt;"),
        '>' => markup.push_str("&gt;"),
        '"' => markup.push_str("&quot;"),
        '\'' => markup.push_str("&#39;"),
        character => markup.push(character),
    }
}

/// A cell that no spreadsheet takes for a formula; full-width signs count as what they look like.
#[cfg(feature = "approval")]
pub fn disarmed(cell: &str) -> String {
    if is_formula(cell) { format!("'{cell}") } else { cell.to_owned() }
}

/// The cell that was disarmed; another one stays as it is.
#[cfg(feature = "approval")]
pub fn unarmed(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(cell)
}

/// Whether a spreadsheet takes a cell for a formula, or for one that was disarmed.
#[cfg(feature = "approval")]
fn is_formula(cell: &str) -> bool {
    const FORMULA: [char; 12] = [
        '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
        '\u{2212}',
    ];
    cell.trim_start_matches([' ', '\'']).starts_with(FORMULA)
}

#[cfg(all(test, feature = "approval"))]
mod tests {
    use super::{disarmed, unarmed};

    #[test]
    fn no_cell_is_a_formula() {
        for cell in
            ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "\u{ff1d}1\u{ff0b}1", " =1", "\u{ff20}x"]
        {
            assert_eq!(disarmed(cell), format!("'{cell}"));
        }
        assert_eq!(disarmed("Dinas Kesehatan"), "Dinas Kesehatan");
        assert_eq!(disarmed("'Aisyiyah"), "'Aisyiyah");
    }

    #[test]
    fn a_cell_that_was_disarmed_comes_back() {
        for cell in ["=1", "'=1", "''+1", " @x", "\u{2212}6", "\u{ff1d}1", "'45", "'", "Dinas", ""]
        {
            assert_eq!(unarmed(&disarmed(cell)), cell);
        }
    }
}
