//! Text that is put together piece by piece: appending to a string, an error with its causes, markup.

use std::error::Error;

/// Appends formatted text to a [`String`], which cannot fail.
#[macro_export]
#[doc(hidden)]
macro_rules! __append {
    ($text:expr, $($arg:tt)*) => {{
        use std::fmt::Write as _;
        let _ = $text.write_fmt(format_args!($($arg)*));
    }};
}

/// Appends formatted text and a line end to a [`String`], which cannot fail.
#[macro_export]
#[doc(hidden)]
macro_rules! __append_line {
    ($text:expr, $($arg:tt)*) => {{
        $crate::text::append!($text, $($arg)*);
        $text.push('\n');
    }};
}

pub use {__append as append, __append_line as append_line};

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
